#include "web/web_answer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

/* What "*" may stand for does not begin with a dot, so "." and ".." are no
 * part of any path. */
static bool
web_part_fits(const char *pattern, size_t pattern_len, const char *part,
    size_t len)
{
	if (pattern_len == 1 && pattern[0] == '*')
		return len > 0 && part[0] != '.';
	return len == pattern_len && memcmp(pattern, part, len) == 0;
}

static bool
web_path_fits(const char *pattern, const char *path)
{
	size_t pattern_len, len;

	while (*pattern == '/' && *path == '/') {
		pattern_len = strcspn(++pattern, "/");
		len = strcspn(++path, "/");
		if (!web_part_fits(pattern, pattern_len, path, len))
			return false;
		pattern += pattern_len;
		path += len;
	}
	return *pattern == '\0' && *path == '\0';
}

/* Cut the path, which fits pattern, at its slashes. */
static void
web_path_cut(const char *pattern, struct web_request *req)
{
	size_t wilds = 0;
	char *part = req->parts;

	memcpy(req->parts, req->path, sizeof(req->parts));
	while (*pattern == '/') {
		*part++ = '\0';
		pattern++;
		if (*pattern == '*' && wilds < WEB_PARTS_MAX)
			req->wild[wilds++] = part;
		pattern += strcspn(pattern, "/");
		part += strcspn(part, "/");
	}
}

static const char *
web_allow(unsigned methods)
{
	return methods == (WEB_GET | WEB_POST) ? "GET, POST"
	    : methods == WEB_GET ? "GET"
	    : methods == WEB_POST ? "POST"
	    : NULL;
}

const struct web_route *
web_answer_route(const struct web_app *app, struct web_request *req,
    const char **allow)
{
	const struct web_route *route;
	unsigned methods = 0;
	size_t i;

	for (i = 0; i < app->route_count; i++) {
		route = &app->routes[i];
		if (!web_path_fits(route->path, req->path))
			continue;
		if (route->method == req->method) {
			web_path_cut(route->path, req);
			return route;
		}
		methods |= route->method;
	}
	*allow = web_allow(methods);
	return NULL;
}

static bool
web_answer_body(struct web_request *req, const struct web_source *source,
    size_t len, struct err *err)
{
	char *body = malloc(len + 1);

	if (body == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	if (!source->read(source->from, body, len)) {
		explicit_bzero(body, len);
		free(body);
		return err_set(err, ERR_INPUT,
		    "body: not as long as announced");
	}
	body[len] = '\0';
	req->body = body;
	req->body_len = len;
	return true;
}

static bool
web_answer_handle(const struct web_app *app, const struct web_route *route,
    struct web_request *req, struct web_reply *reply, struct err *err)
{
	bool ok = route->handler(app->app, req, reply, err);

	if (ok && reply->status == 0)
		return err_set(err, ERR_BUG, "the handler gave no answer");
	if (!ok && err->kind == ERR_NONE)
		return err_set(err, ERR_BUG, "the handler gave no reason");
	return ok;
}

/* Refuse without a failure of its own: 404, 405, 413. */
static bool
web_answer_status(struct web_reply *reply, int status, const char *allow)
{
	reply->status = status;
	reply->allow = allow;
	return false;
}

/* False if there is something to refuse: by err or, without one, by
 * reply->status. */
static bool
web_answer_request(const struct web_app *app, struct web_request *req,
    char *const params[], const struct web_source *source,
    struct web_reply *reply, struct err *err)
{
	const struct web_route *route;
	const char *allow = NULL;
	size_t len = 0;

	if (!web_request_read(req, params, err))
		return false;
	log_request(req->request_id);
	route = web_answer_route(app, req, &allow);
	if (route == NULL)
		return web_answer_status(reply, allow == NULL ? 404 : 405,
		    allow);
	if (!web_request_length(req, &len, err))
		return false;
	if (len > route->body_max)
		return web_answer_status(reply, 413, NULL);
	return web_answer_body(req, source, len, err)
	    && web_answer_handle(app, route, req, reply, err);
}

static void
web_answer_failure(const struct web_app *app, const struct web_request *req,
    struct web_reply *reply, const struct err *err)
{
	if (app->failure != NULL)
		app->failure(app->app, req, reply, err);
	else
		web_reply_failure(reply, req, err);
}

static const char *
web_answer_method(const struct web_request *req)
{
	return req->method == WEB_GET ? "GET"
	    : req->method == WEB_POST ? "POST"
	    : "other";
}

/* The path has order numbers, which are looked for; the query has tokens. */
static void
web_answer_log(const struct web_request *req, const struct web_reply *reply,
    const struct err *err)
{
	char status[12], ms[24];

	snprintf(status, sizeof(status), "%d", reply->status);
	snprintf(ms, sizeof(ms), "%lld",
	    (long long)(clock_monotonic_ms() - req->began_ms));
#define WEB_ANSWER_PAIRS "method", web_answer_method(req), "path", req->path, \
	"status", status, "ms", ms
	switch (err->kind) {
	case ERR_NONE:
		log_info("request.answered", WEB_ANSWER_PAIRS, NULL);
		break;
	case ERR_INPUT:
	case ERR_FORBIDDEN:
	case ERR_MISSING:
	case ERR_CONFLICT:
		log_info("request.refused", WEB_ANSWER_PAIRS,
		    "kind", err_kind_name(err->kind), "reason", err->text,
		    NULL);
		break;
	case ERR_AUTH:
	case ERR_REFUSED:
	case ERR_STORE:
	case ERR_UNSURE:
		log_warn("request.failed", WEB_ANSWER_PAIRS,
		    "kind", err_kind_name(err->kind), "reason", err->text,
		    NULL);
		break;
	case ERR_BUG:
		log_error("request.failed", WEB_ANSWER_PAIRS,
		    "kind", err_kind_name(err->kind), "reason", err->text,
		    NULL);
		break;
	}
#undef WEB_ANSWER_PAIRS
}

/* What is left to say when there is no memory to say it in. */
static void
web_answer_bare(struct web_reply *reply, struct buf *head)
{
	struct err ignored = { 0 };

	web_reply_clear(reply);
	reply->status = 500;
	buf_reset(head);
	if (!web_reply_head(reply, "", head, &ignored))
		buf_reset(head);
}

void
web_answer(const struct web_app *app, char *const params[],
    const struct web_source *source, struct web_reply *reply,
    struct buf *head)
{
	struct web_request req = { 0 };
	struct err err = { 0 };

	log_request("");
	if (!web_answer_request(app, &req, params, source, reply, &err)) {
		log_request(req.request_id);
		web_answer_failure(app, &req, reply, &err);
	}
	web_reply_suit(reply, &req);
	if (reply->status == 0 || !buf_ok(&reply->body)
	    || !web_reply_head(reply, req.request_id, head, &err)) {
		err_set(&err, ERR_BUG, "no answer, or out of memory");
		web_answer_bare(reply, head);
	}
	web_answer_log(&req, reply, &err);
	log_request("");
	web_request_clear(&req);
}
