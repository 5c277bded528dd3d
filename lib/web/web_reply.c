#include "web/web_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define WEB_REPLY_JSON "application/json"
#define WEB_REPLY_HTML "text/html; charset=utf-8"

/* What a client learns of a failure.  Those of no kind are found by their
 * status. */
static const struct web_failure {
	enum err_kind kind;
	int status;
	bool says_why;		/* err->text is written for the client */
	const char *code, *zh, *en;
} web_failures[] = {
	{ ERR_INPUT, 400, true, "PARAM_ERROR", "请求有误",
	    "The request is not valid" },
	{ ERR_AUTH, 401, false, "UNAUTHORIZED", "身份验证失败",
	    "Not authenticated" },
	{ ERR_FORBIDDEN, 403, true, "FORBIDDEN", "不允许此操作",
	    "This is not allowed" },
	{ ERR_MISSING, 404, true, "NOT_FOUND", "找不到该页面或订单",
	    "There is no such page or order" },
	{ ERR_CONFLICT, 409, true, "CONFLICT", "与当前状态冲突",
	    "This conflicts with what was done before" },
	{ ERR_REFUSED, 502, false, "WECHAT_REFUSED", "微信支付拒绝了此请求",
	    "WeChat Pay refused the request" },
	{ ERR_STORE, 503, false, "UNAVAILABLE", "系统繁忙，请稍后重试",
	    "Temporarily unavailable, please try again" },
	{ ERR_UNSURE, 504, false, "UNSURE", "结果未知，请稍后查询",
	    "The outcome is not known yet, please ask again later" },
	{ ERR_BUG, 500, false, "SYSTEM_ERROR", "系统错误",
	    "Something went wrong on our side" },
	{ ERR_NONE, 405, false, "METHOD_NOT_ALLOWED", "不支持此请求方法",
	    "The method is not allowed here" },
	{ ERR_NONE, 413, false, "TOO_LARGE", "请求内容过大",
	    "The request is too large" },
};

static const struct web_status {
	int status;
	const char *reason;
} web_statuses[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 303, "See Other" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 413, "Content Too Large" },
	{ 429, "Too Many Requests" },
	{ 500, "Internal Server Error" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};

void
web_reply_init(struct web_reply *reply)
{
	*reply = (struct web_reply){ .type = WEB_REPLY_JSON };
	buf_init(&reply->body, WEB_REPLY_MAX);
}

void
web_reply_clear(struct web_reply *reply)
{
	buf_clear(&reply->body);
	fields_clear(&reply->headers);
	explicit_bzero(reply->location, sizeof(reply->location));
	explicit_bzero(reply->cookie, sizeof(reply->cookie));
	explicit_bzero(reply->link_url, sizeof(reply->link_url));
	web_reply_init(reply);
}

/* Begin anew.  Cookie, headers and what explains a refusal stay: they may be
 * set before the rest. */
static void
web_reply_begin(struct web_reply *reply, int status, const char *type)
{
	buf_reset(&reply->body);
	reply->status = status;
	reply->type = type;
	reply->code = NULL;
	reply->location[0] = '\0';
}

static bool
web_reply_is_whole(const struct web_reply *reply, struct err *err)
{
	return buf_ok(&reply->body)
	    || err_set(err, ERR_BUG, "answer too long, or out of memory");
}

bool
web_reply_json(struct web_reply *reply, int status, struct jsonmsg *msg,
    struct err *err)
{
	bool ok;

	web_reply_begin(reply, status, WEB_REPLY_JSON);
	ok = jsonmsg_format(msg, &reply->body);
	jsonmsg_free(msg);
	return ok ? web_reply_is_whole(reply, err)
	    : err_set(err, ERR_BUG, "cannot write the answer as JSON");
}

bool
web_reply_text(struct web_reply *reply, int status, const char *type,
    const char *text, struct err *err)
{
	web_reply_begin(reply, status, type);
	buf_text(&reply->body, text);
	return web_reply_is_whole(reply, err);
}

/* Fit to stand in a header: visible ASCII, and space where it may be. */
static bool
web_reply_is_header(const char *text, char least)
{
	while (*text >= least && *text <= '~')
		text++;
	return *text == '\0';
}

bool
web_reply_see_other(struct web_reply *reply, const char *url,
    struct err *err)
{
	web_reply_begin(reply, 303, WEB_REPLY_JSON);
	return (web_reply_is_header(url, '!')
	    && str_copy(reply->location, sizeof(reply->location), url))
	    || err_set(err, ERR_BUG, "location: too long, or no URL");
}

bool
web_reply_refuse(struct web_reply *reply, int status, const char *code,
    const char *message, struct err *err)
{
	struct jsonmsg *msg = jsonmsg_new();

	jsonmsg_text(msg, "code", code);
	jsonmsg_text(msg, "message", message);
	if (!web_reply_json(reply, status, msg, err))
		return false;
	reply->code = code;
	return true;
}

void
web_reply_explain(struct web_reply *reply, const struct web_words *why)
{
	reply->why = *why;
}

bool
web_reply_link(struct web_reply *reply, const struct web_words *text,
    const char *url, struct err *err)
{
	reply->link = *text;
	return str_copy(reply->link_url, sizeof(reply->link_url), url)
	    || err_set(err, ERR_BUG, "link: too long");
}

static const struct web_failure *
web_failure_of_kind(enum err_kind kind)
{
	size_t i;

	for (i = 0; i < COUNT_OF(web_failures); i++)
		if (web_failures[i].kind == kind)
			return &web_failures[i];
	return web_failure_of_kind(ERR_BUG);
}

static const struct web_failure *
web_failure_of_status(int status)
{
	size_t i;

	for (i = 0; i < COUNT_OF(web_failures); i++)
		if (web_failures[i].status == status)
			return &web_failures[i];
	return web_failure_of_kind(ERR_BUG);
}

static void
web_reply_escape(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '&':
			buf_text(out, "&amp;");
			break;
		case '<':
			buf_text(out, "&lt;");
			break;
		case '>':
			buf_text(out, "&gt;");
			break;
		case '"':
			buf_text(out, "&quot;");
			break;
		case '\'':
			buf_text(out, "&#39;");
			break;
		default:
			buf_char(out, *text);
		}
}

/* The head of a page that needs nothing from elsewhere. */
static void
web_reply_page_begin(struct web_reply *reply, const struct web_request *req,
    int status, const char *zh, const char *en)
{
	bool chinese = web_request_is_chinese(req);
	const char *title = chinese ? zh : en;

	web_reply_begin(reply, status, WEB_REPLY_HTML);
	buf_format(&reply->body, "<!doctype html>\n<html lang=\"%s\">\n"
	    "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
	    "content=\"width=device-width\">\n<title>%s</title>\n"
	    "<h1>%s</h1>\n", chinese ? "zh-CN" : "en", title, title);
}

static void
web_reply_paragraph(struct buf *body, const char *text)
{
	buf_text(body, "<p>");
	web_reply_escape(body, text);
	buf_text(body, "</p>\n");
}

/* why is for programs, and is said where nothing explains; NULL for none. */
static void
web_reply_refusal_page(struct web_reply *reply, const struct web_request *req,
    int status, const char *code, const char *why)
{
	const struct web_failure *failure = web_failure_of_status(status);
	bool chinese = web_request_is_chinese(req);
	struct buf *body = &reply->body;

	web_reply_page_begin(reply, req, status, failure->zh, failure->en);
	if (reply->why.zh != NULL)
		web_reply_paragraph(body,
		    chinese ? reply->why.zh : reply->why.en);
	else if (why != NULL)
		web_reply_paragraph(body, why);
	if (reply->link_url[0] != '\0') {
		buf_text(body, "<p><a href=\"");
		web_reply_escape(body, reply->link_url);
		buf_text(body, "\">");
		web_reply_escape(body,
		    chinese ? reply->link.zh : reply->link.en);
		buf_text(body, "</a></p>\n");
	}
	buf_format(body, "<p>%s %s</p>\n", code, req->request_id);
}

void
web_reply_suit(struct web_reply *reply, const struct web_request *req)
{
	const struct web_failure *failure;
	char *json;

	if (strcmp(reply->type, WEB_REPLY_JSON) != 0
	    || reply->location[0] != '\0' || !web_request_is_browser(req))
		return;
	if (reply->code != NULL && reply->why.zh != NULL) {
		web_reply_refusal_page(reply, req, reply->status, reply->code,
		    NULL);
		return;
	}
	json = buf_take(&reply->body);
	failure = web_failure_of_status(reply->status);
	if (reply->status < 400)
		web_reply_page_begin(reply, req, reply->status, "微信支付",
		    "WeChat Pay");
	else
		web_reply_page_begin(reply, req, reply->status, failure->zh,
		    failure->en);
	buf_text(&reply->body, "<pre>");
	web_reply_escape(&reply->body, json == NULL ? "" : json);
	buf_text(&reply->body, "</pre>\n");
	free(json);
}

void
web_reply_failure(struct web_reply *reply, const struct web_request *req,
    const struct err *err)
{
	const struct web_failure *failure = err->kind == ERR_NONE
	    ? web_failure_of_status(reply->status)
	    : web_failure_of_kind(err->kind);
	const char *why = NULL;
	struct err ignored = { 0 };

	/* The text is cut to its length, perhaps inside a character. */
	if (failure->says_why && err->kind != ERR_NONE
	    && str_is_utf8(err->text, strlen(err->text)))
		why = err->text;
	reply->cookie[0] = '\0';
	fields_clear(&reply->headers);
	if (web_request_is_browser(req)) {
		web_reply_refusal_page(reply, req, failure->status,
		    failure->code, why);
		if (buf_ok(&reply->body))
			return;
	} else if (web_reply_refuse(reply, failure->status, failure->code,
	    why != NULL ? why : failure->en, &ignored)) {
		return;
	}
	web_reply_begin(reply, failure->status, WEB_REPLY_JSON);
}

int
web_status_of(enum err_kind kind)
{
	return web_failure_of_kind(kind)->status;
}

static const char *
web_reply_reason(int status)
{
	size_t i;

	for (i = 0; i < COUNT_OF(web_statuses); i++)
		if (web_statuses[i].status == status)
			return web_statuses[i].reason;
	return "";
}

static bool
web_reply_headers_are_sound(const struct fields *headers)
{
	for (size_t i = 0; i < headers->count; i++)
		if (!web_reply_is_header(headers->list[i].name, '!')
		    || !web_reply_is_header(headers->list[i].value, ' '))
			return false;
	return true;
}

bool
web_reply_head(const struct web_reply *reply, const char *request_id,
    struct buf *out, struct err *err)
{
	/* The last line of defence: no value may end its line. */
	if (!web_reply_is_header(reply->location, '!')
	    || !web_reply_is_header(reply->cookie, ' ')
	    || !web_reply_is_header(request_id, '!')
	    || !web_reply_headers_are_sound(&reply->headers))
		return err_set(err, ERR_BUG, "a header has a control "
		    "character or is not ASCII");
	buf_format(out, "Status: %d %s\r\n", reply->status,
	    web_reply_reason(reply->status));
	if (reply->status != 204)
		buf_format(out, "Content-Type: %s\r\nContent-Length: %zu\r\n",
		    reply->type, reply->body.len);
	buf_text(out, "Cache-Control: no-store\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "X-Frame-Options: DENY\r\n"
	    "Content-Security-Policy: default-src 'none'; img-src 'self'; "
	    "frame-ancestors 'none'\r\n");
	if (request_id[0] != '\0')
		buf_format(out, "X-Request-Id: %s\r\n", request_id);
	if (reply->status == 405 && reply->allow != NULL)
		buf_format(out, "Allow: %s\r\n", reply->allow);
	if (reply->status == 503)
		buf_text(out, "Retry-After: 1\r\n");
	if (reply->location[0] != '\0')
		buf_format(out, "Location: %s\r\n", reply->location);
	if (reply->cookie[0] != '\0')
		buf_format(out, "Set-Cookie: %s\r\n", reply->cookie);
	for (size_t i = 0; i < reply->headers.count; i++)
		buf_format(out, "%s: %s\r\n", reply->headers.list[i].name,
		    reply->headers.list[i].value);
	buf_text(out, "\r\n");
	return buf_ok(out) || err_set(err, ERR_BUG, "out of memory");
}
