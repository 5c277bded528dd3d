#include "platform.h"

#include "base/str.h"
#include "faults.h"
#include "sandbox.h"
#include "wire/form.h"
#include "wire/jsonread.h"

#define TEXT_TYPE "text/plain"	/* [platform.md 1] although it is JSON */
#define HTML_TYPE "text/html; charset=utf-8"

/* -------------------------------------------------------- a visitor's browser */

/* [platform.md 2.1] A page with the number of what is wrong. */
static bool
authorize_page(struct web_reply *reply, const char *number, struct err *err)
{
	char page[64];

	(void)snprintf(page, sizeof(page), "<html>WeChat: %s</html>\n",
	    number);
	return web_reply_text(reply, 200, HTML_TYPE, page, err);
}

/* The names in their order, and no others. */
static bool
authorize_is_ordered(const struct fields *query)
{
	static const char *const names[] = { "appid", "redirect_uri",
		"response_type", "scope", "state" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (i >= query->count
		    || !str_eq(query->list[i].name, names[i]))
			return false;
	return query->count == COUNT_OF(names);
}

/* NULL, or the number of the page that says what is wrong. */
static const char *
authorize_judge(const struct sandbox *sandbox, const struct fields *query)
{
	const char *scope = fields_text(query, "scope");

	if (!authorize_is_ordered(query)
	    || !str_eq(fields_text(query, "response_type"), "code"))
		return "10009";
	if (!str_eq(fields_text(query, "appid"), sandbox_account(sandbox)))
		return "10012";
	if (!str_eq(scope, "snsapi_base") && !str_eq(scope,
	    "snsapi_userinfo"))
		return "10010";
	if (!str_is_of(fields_text(query, "state"), STR_ALNUM, 1, 128))
		return "10013";
	return sandbox_is_domain(sandbox, fields_text(query,
	    "redirect_uri")) ? NULL : "10003";
}

static bool
authorize_back(const struct fields *query, const char *code,
    struct web_reply *reply, struct err *err)
{
	const char *uri = fields_text(query, "redirect_uri");
	struct buf url;
	bool ok;

	buf_init(&url, sizeof(reply->location) - 1);
	buf_text(&url, uri);
	buf_char(&url, strchr(uri, '?') == NULL ? '?' : '&');
	if (code[0] != '\0')
		buf_format(&url, "code=%s&", code);
	buf_text(&url, "state=");
	form_encode(fields_text(query, "state"), &url);
	ok = web_reply_see_other(reply, buf_get(&url), err);
	buf_clear(&url);
	return ok;
}

bool
platform_authorize(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err)
{
	const struct sandbox *sandbox = app;
	const char *number = authorize_judge(sandbox, &req->query);
	PGresult *rows = NULL;
	bool ok;

	if (number != NULL)
		return authorize_page(reply, number, err);
	ok = books_ask(sandbox->books, "select sandbox.code_add('oauth', $1)",
	    BOOKS_ARGS(sandbox_account(sandbox)), &rows, err)
	    && authorize_back(&req->query, PQgetvalue(rows, 0, 0), reply,
	    err);
	PQclear(rows);
	return ok;
}

/* --------------------------------------------------------------- server calls */

struct platform_call {
	struct sandbox *sandbox;
	const char *api;
	/* journalled */
	char id[24];
	enum fault fault;
	long ms;
	char code[33];
};

static bool
call_begin(struct platform_call *call, struct err *err)
{
	PGresult *rows = NULL;
	const char *code, *ms;
	bool ok = books_ask(call->sandbox->books,
	    "select * from sandbox.platform_begin($1)", BOOKS_ARGS(call->api),
	    &rows, err);

	if (ok) {
		code = books_value(rows, 0, "code");
		ms = books_value(rows, 0, "ms");
		call->fault = fault_parse(books_value(rows, 0, "fault"));
		ok = str_copy(call->id, sizeof(call->id),
		    books_value(rows, 0, "call"))
		    && str_copy(call->code, sizeof(call->code),
		    code == NULL ? "" : code)
		    && (ms == NULL || str_to_long(ms, INT32_MAX, &call->ms));
	}
	PQclear(rows);
	return ok || err_set(err, ERR_BUG, "a call that cannot be journalled");
}

/* The statement makes an answer, which is journalled and sent. */
static bool
call_answer(const struct platform_call *call, const char *sql,
    const char *given, struct web_reply *reply, struct err *err)
{
	char whole[256];
	PGresult *rows = NULL;
	bool ok;

	(void)snprintf(whole, sizeof(whole),
	    "select sandbox.platform_answer($1, %s)", sql);
	ok = given == NULL
	    ? books_ask(call->sandbox->books, whole, BOOKS_ARGS(call->id),
	    &rows, err)
	    : books_ask(call->sandbox->books, whole, BOOKS_ARGS(call->id,
	    given), &rows, err);
	ok = ok && web_reply_text(reply, 200, TEXT_TYPE,
	    PQgetvalue(rows, 0, 0), err);
	PQclear(rows);
	return ok;
}

static bool
call_refuse(const struct platform_call *call, const char *errcode,
    struct web_reply *reply, struct err *err)
{
	return call_answer(call, "sandbox.platform_refuse($2::integer,"
	    " 'refused')", errcode, reply, err);
}

/* What goes wrong before anything is done; *done tells that it has. */
static bool
call_fail(const struct platform_call *call, bool *done,
    struct web_reply *reply, struct err *err)
{
	*done = true;
	switch (call->fault) {
	case FAULT_REFUSE:
		return web_reply_text(reply, 500, HTML_TYPE,
		    "<html>500</html>\n", err);
	case FAULT_SYSTEMERROR_BEFORE:
		return call_refuse(call, "-1", reply, err);
	case FAULT_CODE:
		return call_refuse(call, call->code, reply, err);
	case FAULT_SLOW:
		naps_take(call->sandbox->naps, call->ms);
		break;
	default:
		break;
	}
	*done = false;
	return true;
}

/* What goes wrong after that. */
static bool
call_spoil(const struct platform_call *call, struct web_reply *reply,
    struct err *err)
{
	switch (call->fault) {
	case FAULT_LATE:
	case FAULT_SILENT:
		naps_take(call->sandbox->naps, call->ms);
		return true;
	case FAULT_HTTP_500:
	case FAULT_HTTP_502:
		return web_reply_text(reply, call->fault == FAULT_HTTP_500
		    ? 500 : 502, HTML_TYPE, "<html>5xx</html>\n", err);
	case FAULT_SYSTEMERROR:
		return call_refuse(call, "-1", reply, err);
	case FAULT_CUT:
		reply->body.data[reply->body.len / 2] = '\0';
		reply->body.len /= 2;
		return true;
	default:
		return true;
	}
}

/* Answer by sql, unless the caller is refused by errcode. */
static bool
call_serve(struct sandbox *sandbox, const char *api, const char *errcode,
    const char *sql, const char *given, struct web_reply *reply,
    struct err *err)
{
	struct platform_call call = { .sandbox = sandbox, .api = api };
	bool done = false;

	if (!call_begin(&call, err)
	    || !call_fail(&call, &done, reply, err))
		return false;
	if (done)
		return true;
	if (errcode != NULL)
		return call_refuse(&call, errcode, reply, err);
	return call_answer(&call, sql, given, reply, err)
	    && call_spoil(&call, reply, err);
}

/* NULL, or the errcode of one who is not whom he says he is. */
static const char *
call_distrust(const char *appid, const struct secret *secret,
    const char *given_appid, const char *given_secret)
{
	if (given_appid == NULL || *given_appid == '\0')
		return "41002";
	if (given_secret == NULL || *given_secret == '\0')
		return "41004";
	if (appid == NULL || !str_eq(given_appid, appid))
		return "40013";
	if (secret == NULL || !secret_eq(given_secret, strlen(given_secret),
	    secret_bytes(secret), secret_len(secret)))
		return "40125";
	return NULL;
}

static const char *
exchange_judge(const struct fields *query, const char *name,
    const char *appid, const struct secret *secret)
{
	const char *errcode = call_distrust(appid, secret, fields_get(query,
	    "appid"), fields_get(query, "secret"));

	if (errcode != NULL)
		return errcode;
	if (!str_eq(fields_text(query, "grant_type"), "authorization_code"))
		return "40002";
	return *fields_text(query, name) == '\0' ? "41008" : NULL;
}

bool
platform_oauth(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	struct sandbox *sandbox = app;

	return call_serve(sandbox, "oauth", exchange_judge(&req->query,
	    "code", sandbox_account(sandbox), sandbox->appsecret),
	    "sandbox.code_take('oauth', $2)", fields_text(&req->query,
	    "code"), reply, err);
}

bool
platform_login(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	struct sandbox *sandbox = app;

	return call_serve(sandbox, "login", exchange_judge(&req->query,
	    "js_code", sandbox->mini_appid, sandbox->mini_appsecret),
	    "sandbox.code_take('login', $2)", fields_text(&req->query,
	    "js_code"), reply, err);
}

static const char *
token_judge(const struct sandbox *sandbox, const struct jsonread *json)
{
	const char *type = "", *appid = NULL, *secret = NULL;
	struct err none = { 0 };

	if (!jsonread_text(json, "grant_type", &type, &none)
	    || !str_eq(type, "client_credential"))
		return "40002";
	if (!jsonread_text(json, "appid", &appid, &none))
		return "41002";
	if (!jsonread_text(json, "secret", &secret, &none))
		return "41004";
	return call_distrust(sandbox_account(sandbox), sandbox->appsecret,
	    appid, secret);
}

bool
platform_token(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	struct sandbox *sandbox = app;
	struct jsonread *json = NULL;
	struct err odd = { 0 };
	const char *errcode = "47001";
	bool ok;

	if (jsonread_new(req->body, req->body_len, &json, &odd))
		errcode = token_judge(sandbox, json);
	ok = call_serve(sandbox, "stable_token", errcode,
	    "sandbox.stable_token()", NULL, reply, err);
	jsonread_free(json);
	return ok;
}

bool
platform_ticket(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const char *token = fields_text(&req->query, "access_token");
	const char *errcode = *token == '\0' ? "41001"
	    : !str_eq(fields_text(&req->query, "type"), "jsapi") ? "40035"
	    : NULL;

	return call_serve(app, "getticket", errcode, "sandbox.getticket($2)",
	    token, reply, err);
}

/* -------------------------------------------------------------------- control */

static bool
control_say(const struct sandbox *sandbox, const char *sql, int count,
    const char *const *args, struct web_reply *reply, struct err *err)
{
	PGresult *rows = NULL;
	bool ok = books_ask(sandbox->books, sql, count, args, &rows, err)
	    && web_reply_text(reply, 200, "application/json",
	    PQgetvalue(rows, 0, 0), err);

	PQclear(rows);
	return ok;
}

bool
platform_visitor(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "openid", "refuses",
		"is_snapshot", "code_life_s", "token_life_s", NULL };
	const struct fields *form = &req->form;

	return web_request_form(req, known, err)
	    && control_say(app, "select sandbox.visitor_set($1, $2, $3, $4,"
	    " $5)", BOOKS_ARGS(fields_get(form, "openid"),
	    fields_get(form, "refuses"), fields_get(form, "is_snapshot"),
	    fields_get(form, "code_life_s"),
	    fields_get(form, "token_life_s")), reply, err);
}

bool
platform_js_code(void *app, struct web_request *req UNUSED,
    struct web_reply *reply, struct err *err)
{
	const struct sandbox *sandbox = app;

	return control_say(sandbox, "select json_build_object('js_code',"
	    " sandbox.code_add('login', $1))",
	    BOOKS_ARGS(sandbox->mini_appid), reply, err);
}

bool
platform_revoke(void *app, struct web_request *req UNUSED,
    struct web_reply *reply, struct err *err)
{
	return control_say(app, "select sandbox.token_revoke()", 0, NULL,
	    reply, err);
}

bool
platform_state(void *app, struct web_request *req UNUSED,
    struct web_reply *reply, struct err *err)
{
	return control_say(app, "select sandbox.platform_state()", 0, NULL,
	    reply, err);
}
