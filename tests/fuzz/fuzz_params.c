/* FastCGI parameters and a body, as bytes: "NAME=value" ended by NUL each,
 * an empty one, then the body.  What comes out is what lib/web promises. */
#include <assert.h>

#include "fuzz.h"

#include "base/str.h"
#include "web/web_answer.h"
#include "web/web_auth.h"

#define PARAMS_MOST 400

static const char *const known[] = { "order_no", "token", "reason", NULL };

static const struct web_route routes[] = {
	{ WEB_POST, "/pay", NULL, 16384 },
	{ WEB_GET, "/pay/*", NULL, 0 },
	{ WEB_GET, "/pay/*/qr.svg", NULL, 0 },
	{ WEB_POST, "/pay/*/close", NULL, 16384 },
	{ WEB_GET, "/a/*/b/*", NULL, 0 },
	{ WEB_POST, "/a/*/b/*", NULL, 16384 },
};

static const struct web_app app = {
	.routes = routes, .route_count = COUNT_OF(routes),
};

/* Take the entry at *at, which memory holds to its NUL; NULL for none. */
static char *
take_entry(const char **at, const char *end)
{
	const char *nul = memchr(*at, '\0', (size_t)(end - *at));
	char *entry;

	if (nul == NULL || nul == *at) {
		*at = nul == NULL ? end : nul + 1;
		return NULL;
	}
	entry = strdup(*at);
	assert(entry != NULL);
	*at = nul + 1;
	return entry;
}

static void
check_route(struct web_request *req)
{
	const char *allow = NULL;
	const struct web_route *route = web_answer_route(&app, req, &allow);

	if (route == NULL) {
		assert(allow == NULL || req->path[0] == '/');
		return;
	}
	assert(route->method == req->method);
	for (size_t i = 0; i < WEB_PARTS_MAX && req->wild[i] != NULL; i++)
		assert(str_is_of(req->wild[i], STR_ALNUM "_.~|*@-", 1,
		    WEB_PATH_MAX) && req->wild[i][0] != '.');
}

/* A field stands in one place, and under a name that is known. */
static void
check_form(struct web_request *req)
{
	struct err err = { 0 };

	if (!web_request_form(req, known, &err)) {
		assert(err.kind == ERR_INPUT);
		return;
	}
	assert(req->query.count == 0);
	assert(req->form.count < COUNT_OF(known));
	for (size_t i = 0; i < req->form.count; i++)
		assert(str_is_utf8(req->form.list[i].value,
		    strlen(req->form.list[i].value)));
}

static void
check_auth(const struct web_request *req)
{
	const char *operator = NULL;
	struct err err = { 0 };

	if (web_auth_operator(req, &operator, &err))
		assert(strpbrk(operator, " \"'\\\r\n") == NULL);
	err = (struct err){ 0 };
	if (web_auth_origin(req, "https://shop.example", &err))
		assert(req->origin[0] == '\0'
		    || str_eq(req->origin, "https://shop.example"));
}

/* Whatever came in, the failure has one header line per header. */
static void
check_failure(const struct web_request *req, const struct err *err)
{
	struct web_reply reply;
	struct buf head;
	struct err head_err = { 0 };

	web_reply_init(&reply);
	buf_init(&head, WEB_HEAD_MAX);
	web_reply_failure(&reply, req, err);
	assert(web_reply_head(&reply, req->request_id, &head, &head_err));
	for (const char *at = buf_get(&head); *at != '\0'; at++) {
		assert(*at != '\n' || (at > head.data && at[-1] == '\r'));
		assert(*at != '\r' || at[1] == '\n');
	}
	assert(str_is_utf8(buf_get(&reply.body), reply.body.len));
	assert(!web_request_is_browser(req)
	    || strstr(buf_get(&reply.body), "<script") == NULL);
	buf_clear(&head);
	web_reply_clear(&reply);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *at = (const char *)bytes;
	const char *end = at + size;
	char *params[PARAMS_MOST + 1] = { NULL };
	struct web_request req;
	struct err err = { 0 };
	size_t count = 0;
	size_t len = 0;
	bool ok;

	while (count < PARAMS_MOST) {
		params[count] = take_entry(&at, end);
		if (params[count] == NULL)
			break;
		count++;
	}
	ok = web_request_read(&req, params, &err);
	assert(ok || err.kind == ERR_INPUT);
	if (ok && web_request_length(&req, &len, &err)) {
		char *body = malloc((size_t)(end - at) + 1);

		assert(body != NULL);
		memcpy(body, at, (size_t)(end - at));
		body[end - at] = '\0';
		req.body = body;
		req.body_len = (size_t)(end - at);
		check_route(&req);
		check_form(&req);
		check_auth(&req);
		if (!web_request_query(&req, known, &err))
			assert(err.kind == ERR_INPUT);
	}
	(void)web_request_is_chinese(&req);
	check_failure(&req, &err);
	web_request_clear(&req);
	while (count > 0)
		free(params[--count]);
	return 0;
}
