#include "call3.h"

#include <assert.h>
#include <inttypes.h>

#include "base/str.h"
#include "check3.h"
#include "faults.h"
#include "keys3.h"
#include "party.h"
#include "sandbox.h"
#include "wire/cert.h"
#include "wire/jsonmsg.h"
#include "wire/jsonread.h"
#include "wire/mac.h"
#include "wire/sign3.h"

#define JSON_TYPE "application/json; charset=utf-8"
#define HTML_TYPE "text/html; charset=utf-8"
#define SCHEME SIGN3_TYPE " "
#define TEXT_SHOWN 128		/* bytes of a signed text that we tell */

static const struct call3_api {
	enum web_method method;
	const char *path;	/* whole; with wild: how it begins */
	const char *wild;	/* what the rest of it is, or the part of it */
	const char *name;	/* V2's word */
	const struct check3_rule *const *rules;
	const char *sql;	/* $1 is the call, as journalled */
	int arg_count;		/* 2: $2 is the platform's refund URL */
	const char *trade_type;
	const char *number;	/* what FAULT_ECHO_OTHER changes */
	const char *amount;	/* what FAULT_ECHO_AMOUNT changes */
} apis[] = {
#define PREPAY(path, rules, type) \
	{ WEB_POST, path, NULL, "unifiedorder", rules, \
	    "select * from sandbox.unifiedorder3($1)", 1, type, NULL, NULL }
#define QUERY(path, wild, rules) \
	{ WEB_GET, path, wild, "orderquery", rules, \
	    "select * from sandbox.orderquery3($1)", 1, NULL, \
	    "{out_trade_no}", "{amount,total}" }
#define CLOSE(path, rules) \
	{ WEB_POST, path, ":out_trade_no", "closeorder", rules, \
	    "select * from sandbox.closeorder3($1)", 1, NULL, NULL, NULL }
#define MERCHANT "/v3/pay/transactions/"
#define PARTNER "/v3/pay/partner/transactions/"
	PREPAY(MERCHANT "jsapi", &check3_jsapi, "JSAPI"),
	PREPAY(MERCHANT "native", &check3_native, "NATIVE"),
	PREPAY(MERCHANT "app", &check3_native, "APP"),
	PREPAY(MERCHANT "h5", &check3_h5, "MWEB"),
	QUERY(MERCHANT "out-trade-no/", ":out_trade_no", &check3_orderquery),
	QUERY(MERCHANT "id/", ":transaction_id", &check3_orderquery),
	CLOSE(MERCHANT "out-trade-no/", &check3_closeorder),
	PREPAY(PARTNER "jsapi", &check3_partner_jsapi, "JSAPI"),
	PREPAY(PARTNER "native", &check3_partner_native, "NATIVE"),
	PREPAY(PARTNER "app", &check3_partner_native, "APP"),
	PREPAY(PARTNER "h5", &check3_partner_h5, "MWEB"),
	QUERY(PARTNER "out-trade-no/", ":out_trade_no",
	    &check3_partner_orderquery),
	QUERY(PARTNER "id/", ":transaction_id", &check3_partner_orderquery),
	CLOSE(PARTNER "out-trade-no/", &check3_partner_closeorder),
	{ WEB_POST, "/v3/refund/domestic/refunds", NULL, "refund",
	    &check3_refund, "select * from sandbox.refund3($1, $2)", 2, NULL,
	    "{out_refund_no}", "{amount,refund}" },
	{ WEB_GET, "/v3/refund/domestic/refunds/", ":out_refund_no",
	    "refundquery", &check3_refundquery,
	    "select * from sandbox.refundquery3($1)", 1, NULL,
	    "{out_refund_no}", "{amount,refund}" },
	{ WEB_GET, "/v3/certificates", NULL, "certificates",
	    &check3_certificates, "select * from sandbox.certificates3($1)",
	    1, NULL, "{data,0,serial_no}", NULL },
};

/* [v3.md 7.3, 7.4, 8.3, 10, 12] Read without "_", for V2's spelling of the
 * same word stands in old pages. */
static const struct call3_code {
	const char *code;
	int status;
	int refund_status;	/* of /v3/refund/, where it differs */
	const char *number;	/* at the end of Request-ID */
} codes[] = {
	{ "PARAMERROR", 400, 0, "268435461" },
	{ "INVALIDREQUEST", 400, 0, "268435461" },
	{ "APPIDMCHIDNOTMATCH", 400, 0, "268445527" },
	{ "MCHNOTEXISTS", 400, 404, "268443715" },
	{ "ORDERPAID", 400, 0, "268449538" },
	{ "ORDERCLOSED", 400, 0, "268447914" },
	{ "SIGNERROR", 401, 0, "268443699" },
	{ "NOAUTH", 403, 0, "268443715" },
	{ "RULELIMIT", 403, 0, "268435464" },
	{ "OUTTRADENOUSED", 403, 0, "268498688" },
	{ "ACCOUNTERROR", 403, 0, "268435464" },
	{ "NOTENOUGH", 403, 0, "268435464" },
	{ "TRADEERROR", 403, 0, "268435464" },
	{ "USERACCOUNTABNORMAL", 403, 0, "268435464" },
	{ "REQUESTBLOCKED", 403, 0, "268448010" },
	{ "RESOURCENOTEXISTS", 404, 0, "268512771" },
	{ "NOTFOUND", 404, 0, "268512771" },
	{ "ORDERNOTEXIST", 404, 0, "268512771" },
	{ "FREQUENCYLIMITED", 429, 0, "268447840" },
	{ "FREQUENCYLIMIT", 429, 0, "268447840" },
	{ "FREQUENCYLIMITEXCEED", 429, 0, "268447840" },
	{ "RATELIMITEXCEEDED", 429, 0, "268447840" },
	{ "RATELIMITEXCEED", 429, 0, "268447840" },
	{ "SYSTEMERROR", 500, 0, "268435456" },
	{ "BANKERROR", 500, 0, "268435456" },
	{ "OPENIDMISMATCH", 500, 0, "268435461" },
	{ "INVALIDTRANSACTIONID", 500, 0, "268435461" },
	{ "BIZERRNEEDRETRY", 500, 0, "268435456" },
	{ "SERVICEUNAVAILABLE", 503, 0, "268435456" },
};

struct call3 {
	const struct call3_api *api;	/* received */
	struct fields authorization;
	struct fields query;		/* "?mchid" */
	PGresult *members;		/* of the body */
	struct check3_asked asked;
	const char *wild;
	bool is_unreadable;		/* a body that is no object */
	const char *refused;		/* code, if it is not believed */
	const char *issue;

	struct planted planted;		/* as journalled */
};

struct call3_answer {
	int status;
	const char *number;
	struct buf body;
};

static const struct call3_api *
call3_api_of(const struct web_request *req)
{
	for (size_t i = 0; i < COUNT_OF(apis); i++)
		if (req->method == apis[i].method && (apis[i].wild != NULL
		    ? strncmp(req->path, apis[i].path,
		    strlen(apis[i].path)) == 0
		    : str_eq(req->path, apis[i].path)))
			return &apis[i];
	return NULL;
}

static bool
call3_is_spelled(const char *name, const char *code)
{
	for (;;) {
		code += strspn(code, "_");
		if (*name != *code)
			return false;
		if (*name == '\0')
			return true;
		name++;
		code++;
	}
}

static const struct call3_code *
call3_code_of(const char *code)
{
	static const struct call3_code unknown = { "", 400, 0, "268435456" };

	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (call3_is_spelled(codes[i].code, code))
			return &codes[i];
	return &unknown;
}

/* [v3.md 7.2] Takes detail, which may be NULL. */
static bool
call3_refuse(const struct call3_api *api, const char *code,
    const char *message, struct jsonmsg *detail, struct call3_answer *answer,
    struct err *err)
{
	const struct call3_code *known = call3_code_of(code);
	struct jsonmsg *msg = jsonmsg_new();
	bool ok;

	answer->status = known->status;
	if (known->refund_status != 0 && strncmp(api->name, "refund", 6) == 0)
		answer->status = known->refund_status;
	answer->number = known->number;
	buf_reset(&answer->body);
	jsonmsg_text(msg, "code", code);
	jsonmsg_text(msg, "message", message);
	if (detail != NULL)
		jsonmsg_object(msg, "detail", detail);
	ok = jsonmsg_format(msg, &answer->body);
	jsonmsg_free(msg);
	return ok || err_set(err, ERR_BUG, "cannot spell a refusal");
}

/* [v3.md 3] name="value",name="value",... each once. */
static bool
call3_authorization(const char *text, struct fields *out)
{
	static const char *const known[] = { "mchid", "nonce_str",
		"signature", "timestamp", "serial_no", NULL };
	struct err why = { 0 };
	size_t name_len, len;

	if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
		return false;
	text += strlen(SCHEME);
	for (;;) {
		name_len = strcspn(text, "=");
		if (strncmp(text + name_len, "=\"", 2) != 0)
			return false;
		len = strcspn(text + name_len + 2, "\"");
		if (!fields_add_bytes(out, text, name_len,
		    text + name_len + 2, len, &why))
			return false;
		text += name_len + 2 + len;
		if (*text++ != '"')
			return false;
		if (*text == '\0')
			break;
		if (*text++ != ',')
			return false;
	}
	return out->count == 5 && fields_only(out, known, &why);
}

static bool
call3_signed(const struct sandbox *sandbox, const struct call3 *call,
    const struct web_request *req, epoch_t at)
{
	const struct fields *given = &call->authorization;
	const struct sign3_request signed_request = {
		.method = req->method == WEB_GET ? "GET" : "POST",
		.target = fields_text(&req->params, "REQUEST_URI"),
		.at = at,
		.nonce = fields_text(given, "nonce_str"),
		.body = req->body,
		.body_len = req->body_len,
	};
	struct err why = { 0 };

	return sign3_verify_request(keys3_merchant(sandbox->keys),
	    &signed_request, fields_text(given, "signature"), &why);
}

/* [v3.md 3] What is wrong with the authorization; NULL if nothing is. */
static const char *
call3_unauthorized(const struct sandbox *sandbox, struct call3 *call,
    const struct web_request *req)
{
	const struct fields *given = &call->authorization;
	char serial[CERT_SERIAL_SIZE];
	long at;

	if (!call3_authorization(fields_text(&req->params,
	    "HTTP_AUTHORIZATION"), &call->authorization))
		return "authorization malformed";
	if (!str_eq(fields_text(given, "mchid"), sandbox->mchid))
		return "mchid unknown";
	if (!cert_serial_parse(fields_text(given, "serial_no"), serial)
	    || !str_eq(serial, keys3_merchant_serial(sandbox->keys)))
		return "serial_no unknown";
	if (!str_to_long(fields_text(given, "timestamp"), INT32_MAX, &at)
	    || at <= req->now - SIGN3_WINDOW_S
	    || at >= req->now + SIGN3_WINDOW_S)
		return "timestamp too far from now";
	if (!call3_signed(sandbox, call, req, at))
		return "sign not match";
	return NULL;
}

/* Why the request is not believed; NULL if it is. */
static const char *
call3_distrust(const struct sandbox *sandbox, struct call3 *call,
    const struct web_request *req)
{
	bool has_body = req->method == WEB_POST;

	call->issue = "header missing";
	if (*req->user_agent == '\0' || *req->accept == '\0')
		return "INVALID_REQUEST";
	call->issue = "content type";
	if (has_body && strncmp(req->content_type, "application/json", 16)
	    != 0)
		return "INVALID_REQUEST";
	call->issue = call3_unauthorized(sandbox, call, req);
	if (call->issue != NULL)
		return "SIGN_ERROR";
	call->issue = "not a JSON object";
	return call->is_unreadable ? "PARAM_ERROR" : NULL;
}

static bool
call3_ask(struct call3 *call, const char *name, const char *type,
    const char *value)
{
	struct check3_asked *asked = &call->asked;

	if (asked->count == COUNT_OF(asked->list))
		return false;
	asked->list[asked->count++] = (struct check3_member){ name, type,
		value };
	return true;
}

/* The books take an object apart, for they can. */
static bool
call3_read_body(const struct sandbox *sandbox, struct call3 *call,
    const struct web_request *req, struct err *err)
{
	struct jsonread *json = NULL;
	struct err why = { 0 };
	bool ok;

	if (req->method == WEB_GET && req->body_len == 0)
		return true;
	call->is_unreadable = true;
	if (!jsonread_new(req->body, req->body_len, &json, &why))
		return true;
	jsonread_free(json);
	ok = books_ask(sandbox->books, "select * from sandbox.members($1)",
	    BOOKS_ARGS(req->body), &call->members, &why);
	if (!ok && why.kind == ERR_INPUT)
		return true;		/* a text with a NUL in it */
	if (!ok)
		return err_set(err, why.kind, "%s", why.text);
	call->is_unreadable = false;
	for (int i = 0; i < PQntuples(call->members); i++)
		call->is_unreadable |= !call3_ask(call,
		    books_value(call->members, i, "path"),
		    books_value(call->members, i, "type"),
		    books_value(call->members, i, "value"));
	return true;
}

/* All that is asked: of the path, of the query and of the body. */
static bool
call3_read(const struct sandbox *sandbox, struct call3 *call,
    const struct web_request *req, struct err *err)
{
	const struct fields *query = &req->query;
	char name[66] = "?";
	bool ok = call->api->wild == NULL
	    || call3_ask(call, call->api->wild, "string", req->wild[0]);

	for (size_t i = 0; ok && i < query->count; i++)
		ok = (str_copy(name + 1, sizeof(name) - 1,
		    query->list[i].name) || str_copy(name + 1,
		    sizeof(name) - 1, "too long"))
		    && (fields_get(&call->query, name) != NULL
		    || fields_add(&call->query, name, query->list[i].value,
		    err));
	for (size_t i = 0; ok && i < call->query.count; i++)
		ok = call3_ask(call, call->query.list[i].name, "string",
		    call->query.list[i].value);
	return ok ? call3_read_body(sandbox, call, req, err)
	    : err_set(err, ERR_INPUT, "too many parameters");
}

/* A member under V2's name, and as V2 spells it. */
static void
call3_spell_one(const char *name, const char *value, struct jsonmsg *out)
{
	char compact[CLOCK_COMPACT_SIZE];
	epoch_t at;

	if (str_eq(name, "time_expire") && clock_parse_rfc3339(value, &at)) {
		clock_format_compact(at, compact);
		jsonmsg_text(out, name, compact);
	} else if (str_eq(name, "refund_account")) {
		jsonmsg_text(out, name, str_eq(value, "AVAILABLE")
		    ? "REFUND_SOURCE_RECHARGE_FUNDS"
		    : "REFUND_SOURCE_UNSETTLED_FUNDS");
	} else {
		jsonmsg_text(out, name, value);
	}
}

static bool
call3_spell(const struct call3 *call, struct buf *out, struct err *err)
{
	struct jsonmsg *msg = jsonmsg_new();
	bool ok;

	jsonmsg_text(msg, "trade_type", call->api->trade_type);
	for (size_t i = 0; i < call->asked.count; i++) {
		const struct check3_member *member = &call->asked.list[i];
		const char *name = check3_name(*call->api->rules,
		    member->name);

		if (*member->value != '\0')
			call3_spell_one(name != NULL ? name : member->name,
			    member->value, msg);
	}
	ok = jsonmsg_format(msg, out) && buf_ok(out);
	jsonmsg_free(msg);
	return ok || err_set(err, ERR_BUG, "cannot spell a call");
}

/* Committed before anything is done about the call. */
static bool
call3_journal(struct sandbox *sandbox, struct call3 *call,
    const struct web_request *req, struct err *err)
{
	const char *serial = fields_text(&req->params,
	    "HTTP_WECHATPAY_SERIAL");
	PGresult *rows = NULL;
	struct buf given;
	bool ok;

	buf_init(&given, (size_t)JSONREAD_MAX * 6);
	ok = call3_spell(call, &given, err)
	    && books_ask(sandbox->books, "select * from"
	    " sandbox.call_add('v3', $1, $2, $3, $4, $5, false, $6, $7)",
	    BOOKS_ARGS(call->api->name,
	    fields_text(&call->authorization, "nonce_str"),
	    call->refused != NULL ? NULL : "RSA",
	    *serial != '\0' ? serial : NULL,
	    str_eq(fields_text(&req->params, "SSL_CLIENT_VERIFY"), "SUCCESS")
	    ? "true" : "false", buf_get(&given), call->refused), &rows, err)
	    && faults_read(rows, &call->planted, err);
	PQclear(rows);
	buf_clear(&given);
	return ok;
}

/* [v3.md 3] How the platform read what was signed. */
static struct jsonmsg *
call3_sign_detail(const struct call3 *call, const struct web_request *req)
{
	const char *method = req->method == WEB_GET ? "GET" : "POST";
	const char *url = fields_text(&req->params, "REQUEST_URI");
	struct jsonmsg *detail = jsonmsg_new();
	struct jsonmsg *inner = jsonmsg_new();
	struct jsonmsg *info = jsonmsg_new();
	struct buf text;

	buf_init(&text, WEB_PARAMS_MAX);
	buf_format(&text, "%s\n%s\n%s\n%s\n", method, url,
	    fields_text(&call->authorization, "timestamp"),
	    fields_text(&call->authorization, "nonce_str"));
	jsonmsg_text(info, "method", method);
	jsonmsg_text(info, "url", url);
	jsonmsg_int(info, "sign_message_length",
	    (int64_t)(text.len + req->body_len + 1));
	if (text.len > TEXT_SHOWN)
		text.data[TEXT_SHOWN] = '\0';
	jsonmsg_text(info, "truncated_sign_message", buf_get(&text));
	jsonmsg_text(inner, "issue", call->issue);
	jsonmsg_text(detail, "field", "signature");
	jsonmsg_text(detail, "location", "authorization");
	jsonmsg_object(detail, "detail", inner);
	jsonmsg_object(detail, "sign_information", info);
	buf_clear(&text);
	return detail;
}

/* At the door. */
static bool
call3_turn_away(const struct call3 *call, const struct web_request *req,
    struct call3_answer *answer, struct err *err)
{
	struct jsonmsg *detail;

	if (str_eq(call->refused, "SIGN_ERROR")) {
		detail = call3_sign_detail(call, req);
	} else {
		detail = jsonmsg_new();
		jsonmsg_text(detail, "issue", call->issue);
		jsonmsg_text(detail, "location",
		    call->is_unreadable ? "body" : "header");
	}
	return call3_refuse(call->api, call->refused, call->issue, detail,
	    answer, err);
}

static bool
call3_flawed(struct sandbox *sandbox, const struct call3 *call,
    const struct check3_flaw *flaw, struct call3_answer *answer,
    struct err *err)
{
	struct jsonmsg *detail = jsonmsg_new();

	jsonmsg_text(detail, "field",
	    flaw->name[0] == '/' ? flaw->name : flaw->name + 1);
	jsonmsg_text(detail, "value", flaw->value);
	jsonmsg_text(detail, "issue", flaw->issue);
	jsonmsg_text(detail, "location", flaw->name[0] == '/' ? "body"
	    : flaw->name[0] == '?' ? "query" : "path");
	return call3_refuse(call->api, flaw->code, flaw->issue, detail,
	    answer, err)
	    && books_tell(sandbox->books,
	    "select sandbox.call_ended($1, $2)",
	    BOOKS_ARGS(call->planted.id, flaw->code), err);
}

/* What is asked under V2's name; "" if nothing is. */
static const char *
call3_asked(const struct call3 *call, const char *name)
{
	for (size_t i = 0; i < call->asked.count; i++) {
		const struct check3_member *member = &call->asked.list[i];
		const char *as = check3_name(*call->api->rules, member->name);

		if (as != NULL && str_eq(as, name))
			return member->value;
	}
	return "";
}

/* [v3.md 12.1, 19] A refund names its payment by one of two numbers, a
 * provider's order its payer by one of two openids. */
static bool
call3_check(const struct sandbox *sandbox, const struct call3 *call,
    struct check3_flaw *flaw)
{
	static const struct {
		const struct check3_rule *const *rules;
		const char *one, *other, *missing;
	} pairs[] = {
		{ &check3_refund, "out_trade_no", "transaction_id",
		    "/transaction_id" },
		{ &check3_partner_jsapi, "openid", "sub_openid",
		    "/payer/sp_openid" },
	};

	if (!check3_all(*call->api->rules, sandbox, &call->asked, flaw))
		return false;
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		if (call->api->rules != pairs[i].rules
		    || *call3_asked(call, pairs[i].one) != '\0'
		    || *call3_asked(call, pairs[i].other) != '\0')
			continue;
		*flaw = (struct check3_flaw){ "PARAM_ERROR",
			pairs[i].missing, NULL, "missing" };
		return false;
	}
	return true;
}

/* For whom it is asked, and whether order and payer are his; NULL if all is
 * well.
 * Certificates are the caller's own. */
static bool
call3_judge_party(const struct sandbox *sandbox, const struct call3 *call,
    const struct party_flaw **flaw, struct err *err)
{
	const struct party party = { call3_asked(call, "sub_mch_id"),
		call3_asked(call, "sub_appid"),
		call3_asked(call, "sub_openid"), call3_asked(call, "appid"),
		call3_asked(call, "openid") };

	if (call->api->rules == &check3_certificates)
		return true;
	return party_judge(sandbox, &party, flaw, err)
	    && (*flaw != NULL || party_judge_order(sandbox, call->planted.id,
	    flaw, err));
}

static bool
call3_misplaced(struct sandbox *sandbox, const struct call3 *call,
    const struct party_flaw *flaw, struct call3_answer *answer,
    struct err *err)
{
	if (!call3_refuse(call->api, flaw->code, flaw->message, NULL, answer,
	    err))
		return false;
	answer->number = flaw->number;
	return books_tell(sandbox->books, "select sandbox.call_ended($1, $2)",
	    BOOKS_ARGS(call->planted.id, flaw->code), err);
}

static bool
call3_certificates(const struct sandbox *sandbox,
    struct call3_answer *answer, struct err *err)
{
	struct buf listed = answer->body;
	bool ok;

	buf_init(&answer->body, WEB_REPLY_MAX);
	ok = keys3_list(sandbox->keys, buf_get(&listed), &answer->body, err);
	buf_clear(&listed);
	return ok;
}

/* What the books say: a refusal, a body, or done without one. */
static bool
call3_execute(struct sandbox *sandbox, const struct call3 *call,
    struct call3_answer *answer, struct err *err)
{
	const char *args[] = { call->planted.id, sandbox->refund_notify_url };
	const char *code, *body;
	PGresult *rows = NULL;
	bool ok = books_ask(sandbox->books, call->api->sql,
	    call->api->arg_count, args, &rows, err);

	if (!ok)
		return false;
	code = books_value(rows, 0, "code");
	body = books_value(rows, 0, "body");
	answer->status = body == NULL ? 204 : 200;
	answer->number = "0";
	if (code != NULL) {
		answer->status = call3_code_of(code)->status;
		answer->number = call3_code_of(code)->number;
	}
	buf_text(&answer->body, body == NULL ? "" : body);
	PQclear(rows);
	if (answer->status == 200 && call->api->rules == &check3_certificates)
		ok = call3_certificates(sandbox, answer, err);
	return ok;
}

/* Members that are wrong, faults that come before, or what the books say. */
static bool
call3_decide(struct sandbox *sandbox, const struct call3 *call,
    struct call3_answer *answer, struct err *err)
{
	const struct party_flaw *misplaced = NULL;
	struct check3_flaw flaw;

	switch (call->planted.fault) {
	case FAULT_SYSTEMERROR_BEFORE:
		return call3_refuse(call->api, "SYSTEM_ERROR", "系统错误",
		    NULL, answer, err);
	case FAULT_CODE:
		return call3_refuse(call->api, call->planted.code, "sandbox", NULL,
		    answer, err);
	case FAULT_DENIED:
		return call3_refuse(call->api, "PARAM_ERROR",
		    "系统繁忙，请稍后再试", NULL, answer, err);
	case FAULT_SLOW:
		naps_take(sandbox->naps, call->planted.ms);
		break;
	default:
		break;
	}
	if (!call3_check(sandbox, call, &flaw))
		return call3_flawed(sandbox, call, &flaw, answer, err);
	if (!call3_judge_party(sandbox, call, &misplaced, err))
		return false;
	if (misplaced != NULL)
		return call3_misplaced(sandbox, call, misplaced, answer, err);
	return call3_execute(sandbox, call, answer, err);
}

/* An answer about something else, if it says anything that could be. */
static bool
call3_spoil(const struct sandbox *sandbox, const char *path,
    struct call3_answer *answer, struct err *err)
{
	PGresult *rows = NULL;
	bool ok;

	if (path == NULL || answer->status != 200)
		return true;
	ok = books_ask(sandbox->books, "select sandbox.spoil($1, $2)",
	    BOOKS_ARGS(buf_get(&answer->body), path), &rows, err);
	if (ok) {
		buf_reset(&answer->body);
		buf_text(&answer->body, PQgetvalue(rows, 0, 0));
	}
	PQclear(rows);
	return ok;
}

/* [v3.md 5.3] Signed with what the request names, or by whose turn it is. */
static bool
call3_send(const struct sandbox *sandbox, const struct call3 *call,
    const struct web_request *req, struct call3_answer *answer,
    struct web_reply *reply, struct err *err)
{
	enum fault fault = call->planted.fault == FAULT_DENIED ? FAULT_UNSIGNED
	    : call->planted.fault;
	struct buf *body = &answer->body;
	char request_id[WEB_REQUEST_ID_MAX + 16];

	snprintf(request_id, sizeof(request_id), "%s-%s", req->request_id,
	    answer->number);
	if (!buf_ok(body))
		return err_set(err, ERR_BUG, "answer too long");
	if (!keys3_sign(sandbox->keys, fields_get(&req->params,
	    "HTTP_WECHATPAY_SERIAL"), fault, buf_get(body), body->len,
	    &reply->headers, err)
	    || !fields_add(&reply->headers, "Request-ID", request_id, err))
		return false;
	if (call->planted.fault == FAULT_CUT && body->len > 0)
		body->data[body->len / 2] = '\0';
	return web_reply_text(reply, answer->status, JSON_TYPE,
	    buf_get(body), err);
}

static bool
call3_answer(struct sandbox *sandbox, const struct call3 *call,
    const struct web_request *req, struct call3_answer *answer,
    struct web_reply *reply, struct err *err)
{
	switch (call->planted.fault) {
	case FAULT_LATE:
	case FAULT_SILENT:
		naps_take(sandbox->naps, call->planted.ms);
		break;
	case FAULT_HTTP_500:
		return web_reply_text(reply, 500, HTML_TYPE,
		    "<html>500 Internal Server Error</html>\n", err);
	case FAULT_HTTP_502:
		return web_reply_text(reply, 502, HTML_TYPE,
		    "<html>502 Bad Gateway</html>\n", err);
	case FAULT_SYSTEMERROR:
		if (!call3_refuse(call->api, "SYSTEM_ERROR", "系统超时", NULL,
		    answer, err))
			return false;
		break;
	case FAULT_ECHO_OTHER:
		if (!call3_spoil(sandbox, call->api->number, answer, err))
			return false;
		break;
	case FAULT_ECHO_AMOUNT:
		if (!call3_spoil(sandbox, call->api->amount, answer, err))
			return false;
		break;
	case FAULT_ECHO_SUB:
		if (!call3_spoil(sandbox, "{sub_mchid}", answer, err))
			return false;
		break;
	default:
		break;
	}
	return call3_send(sandbox, call, req, answer, reply, err);
}

static bool
call3_judge(struct sandbox *sandbox, struct call3 *call,
    struct web_request *req, struct call3_answer *answer,
    struct web_reply *reply, struct err *err)
{
	if (!call3_read(sandbox, call, req, err))
		return false;
	call->refused = call3_distrust(sandbox, call, req);
	if (!call3_journal(sandbox, call, req, err))
		return false;
	if (call->refused != NULL)
		return call3_turn_away(call, req, answer, err)
		    && call3_send(sandbox, call, req, answer, reply, err);
	if (call->planted.fault == FAULT_REFUSE)
		return web_reply_text(reply, 500, HTML_TYPE,
		    "<html>500 Internal Server Error</html>\n", err);
	return call3_decide(sandbox, call, answer, err)
	    && call3_answer(sandbox, call, req, answer, reply, err);
}

bool
call3_serve(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	struct sandbox *sandbox = app;
	struct call3 call = { .api = call3_api_of(req) };
	struct call3_answer answer = { 0 };
	bool ok;

	assert(call.api != NULL);	/* the routes name no other path */
	if (sandbox->keys == NULL)
		return err_set(err, ERR_MISSING, "no keys for API V3");
	buf_init(&answer.body, WEB_REPLY_MAX);
	ok = call3_judge(sandbox, &call, req, &answer, reply, err);
	buf_clear(&answer.body);
	fields_clear(&call.authorization);
	fields_clear(&call.query);
	PQclear(call.members);
	return ok;
}
