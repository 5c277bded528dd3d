#include "call2.h"

#include <assert.h>

#include "base/str.h"
#include "check2.h"
#include "faults.h"
#include "party.h"
#include "sandbox.h"
#include "wire/jsonmsg.h"
#include "wire/mac.h"
#include "wire/sign2.h"
#include "wire/xmlmsg.h"

#define XML_TYPE "text/xml; charset=utf-8"
#define HTML_TYPE "text/html; charset=utf-8"

static const struct call2_api {
	const char *path, *name;
	const struct check2_rule *const *rules;
	const char *sql;	/* $1 is the call, as journalled */
	int arg_count;		/* 2: $2 is the platform's refund URL */
	bool needs_cert;
	const char *number;	/* what FAULT_ECHO_OTHER changes */
	const char *amount;	/* what FAULT_ECHO_AMOUNT changes */
} apis[] = {
	{ "/pay/unifiedorder", "unifiedorder", &check2_unifiedorder,
	    "select name, value from sandbox.unifiedorder($1)", 1, false,
	    "mch_id", NULL },
	{ "/pay/orderquery", "orderquery", &check2_orderquery,
	    "select name, value from sandbox.orderquery($1)", 1, false,
	    "out_trade_no", "total_fee" },
	{ "/pay/closeorder", "closeorder", &check2_closeorder,
	    "select name, value from sandbox.closeorder($1)", 1, false,
	    "mch_id", NULL },
	{ "/secapi/pay/refund", "refund", &check2_refund,
	    "select name, value from sandbox.refund($1, $2)", 2, true,
	    "out_refund_no", "refund_fee" },
	{ "/pay/refundquery", "refundquery", &check2_refundquery,
	    "select name, value from sandbox.refundquery($1)", 1, false,
	    "out_refund_no_0", "refund_fee_0" },
	{ "/pay/micropay", "micropay", &check2_micropay,
	    "select name, value from sandbox.micropay($1)", 1, false,
	    "out_trade_no", "total_fee" },
	{ "/secapi/pay/reverse", "reverse", &check2_reverse,
	    "select name, value from sandbox.reverse($1)", 1, true,
	    "mch_id", NULL },
};

struct call2 {
	const struct call2_api *api;	/* received */
	struct fields given;
	enum sign2_type type;
	bool has_cert;
	const char *refused;		/* return_msg, if it is not believed */

	struct planted planted;		/* as journalled */
};

static const struct call2_api *
call2_api_of(const char *path)
{
	for (size_t i = 0; i < COUNT_OF(apis); i++)
		if (str_eq(path, apis[i].path))
			return &apis[i];
	return NULL;
}

/* [v2.md 3.1] The type by the length of sign; that sign_type agrees, if it is
 * there, is for sign2_verify to see. */
static bool
call2_sign_type(const struct fields *given, enum sign2_type *out)
{
	size_t len = strlen(fields_text(given, "sign"));

	*out = len == 32 ? SIGN2_MD5 : SIGN2_HMAC_SHA256;
	return len == 32 || len == 64;
}

static bool
call2_has_cert(const struct sandbox *sandbox, const struct web_request *req)
{
	return str_eq(fields_text(&req->params, "SSL_CLIENT_VERIFY"),
	    "SUCCESS")
	    && (sandbox->merchant_dn == NULL
	    || str_eq(fields_text(&req->params, "SSL_CLIENT_S_DN"),
	    sandbox->merchant_dn));
}

/* For whom it is asked, and what is wrong with that; NULL if nothing is. */
static const char *
call2_misplaced(const struct sandbox *sandbox, const struct fields *given)
{
	const struct party party = { fields_text(given, "sub_mch_id"),
		fields_text(given, "sub_appid"),
		fields_text(given, "sub_openid"), fields_text(given, "appid"),
		fields_text(given, "openid") };
	const struct party_flaw *flaw = NULL;
	struct err why = { 0 };

	if (!party_judge(sandbox, &party, &flaw, &why))
		return "系统错误";
	return flaw == NULL ? NULL : flaw->message;
}

/* Why the request is not believed; NULL if it is. */
static const char *
call2_distrust(const struct sandbox *sandbox, struct call2 *call,
    const struct web_request *req)
{
	struct err why = { 0 };

	if (req->body_len == 0)
		return "POST_DATA_EMPTY";
	if (!str_is_utf8(req->body, req->body_len))
		return "NOT_UTF8";
	if (!xmlmsg_parse(req->body, req->body_len, "xml", &call->given,
	    &why))
		return "XML格式错误";
	if (call->api->needs_cert && !call->has_cert)
		return "CERT_ERROR: 证书校验错误";
	if (fields_get(&call->given, "appid") == NULL
	    || fields_get(&call->given, "mch_id") == NULL
	    || fields_get(&call->given, "nonce_str") == NULL
	    || fields_get(&call->given, "sign") == NULL)
		return "缺少参数";
	if (!str_eq(fields_text(&call->given, "mch_id"), sandbox->mchid))
		return "mch_id不存在";
	if (!call2_sign_type(&call->given, &call->type)
	    || !sign2_verify(&call->given, call->type, sandbox->api_key,
	    &why))
		return "签名错误";
	if (!sandbox_has_appid(sandbox, fields_text(&call->given, "appid")))
		return "appid和mch_id不匹配";
	return call2_misplaced(sandbox, &call->given);
}

/* What was asked, as JSON: all that is not empty but sign and nonce_str. */
static bool
call2_spell(const struct fields *given, struct buf *out, struct err *err)
{
	struct jsonmsg *msg = jsonmsg_new();
	bool ok;

	for (size_t i = 0; i < given->count; i++) {
		const struct field *field = &given->list[i];

		if (*field->value != '\0' && !str_eq(field->name, "sign")
		    && !str_eq(field->name, "nonce_str"))
			jsonmsg_text(msg, field->name, field->value);
	}
	ok = jsonmsg_format(msg, out) && buf_ok(out);
	jsonmsg_free(msg);
	return ok || err_set(err, ERR_BUG, "cannot spell a call");
}

/* Committed before anything is done about the call. */
static bool
call2_journal(struct sandbox *sandbox, struct call2 *call, struct err *err)
{
	PGresult *rows = NULL;
	struct buf given;
	bool ok;

	buf_init(&given, (size_t)XMLMSG_MAX * 6);
	ok = call2_spell(&call->given, &given, err)
	    && books_ask(sandbox->books,
	    "select * from sandbox.call_add('v2', $1, $2, $3, null, $4, $5,"
	    " $6, $7)",
	    BOOKS_ARGS(call->api->name,
	    fields_text(&call->given, "nonce_str"),
	    call->refused != NULL ? NULL : sign2_type_name(call->type),
	    call->has_cert ? "true" : "false",
	    call->api->needs_cert ? "true" : "false",
	    buf_get(&given), call->refused), &rows, err)
	    && faults_read(rows, &call->planted, err);
	PQclear(rows);
	buf_clear(&given);
	return ok;
}

static bool
call2_refuse(const char *code, const char *des, struct fields *answer,
    struct err *err)
{
	return fields_add(answer, "err_code", code, err)
	    && fields_add(answer, "err_code_des", des, err);
}

/* A refusal that the books did not make, and hear of. */
static bool
call2_turn_down(struct sandbox *sandbox, const struct call2 *call,
    const char *code, const char *des, struct fields *answer,
    struct err *err)
{
	return call2_refuse(code, des, answer, err)
	    && books_tell(sandbox->books,
	    "select sandbox.call_ended($1, $2)",
	    BOOKS_ARGS(call->planted.id, code), err);
}

static bool
call2_execute(struct sandbox *sandbox, const struct call2 *call,
    struct fields *answer, struct err *err)
{
	const char *args[] = { call->planted.id, sandbox->refund_notify_url };
	PGresult *rows = NULL;
	bool ok = books_ask(sandbox->books, call->api->sql,
	    call->api->arg_count, args, &rows, err);

	for (int i = 0; ok && i < PQntuples(rows); i++)
		ok = fields_add(answer, PQgetvalue(rows, i, 0),
		    PQgetvalue(rows, i, 1), err);
	PQclear(rows);
	return ok;
}

/* Fields that are wrong, faults that come before, or what the books say. */
static bool
call2_decide(struct sandbox *sandbox, const struct call2 *call, epoch_t now,
    struct fields *answer, struct err *err)
{
	const struct party_flaw *flaw = NULL;
	const char *code = NULL;
	const char *field = NULL;

	switch (call->planted.fault) {
	case FAULT_SYSTEMERROR_BEFORE:
		return call2_refuse("SYSTEMERROR", "系统错误", answer, err);
	case FAULT_CODE:
		return call2_refuse(call->planted.code, "sandbox", answer, err);
	case FAULT_SLOW:
		naps_take(sandbox->naps, call->planted.ms);
		break;
	default:
		break;
	}
	if (!check2_all(*call->api->rules, sandbox, &call->given, now, &code,
	    &field))
		return call2_turn_down(sandbox, call, code, field, answer,
		    err);
	if (!party_judge_order(sandbox, call->planted.id, &flaw, err))
		return false;
	if (flaw != NULL)
		return call2_turn_down(sandbox, call, flaw->code,
		    flaw->message, answer, err);
	return call2_execute(sandbox, call, answer, err);
}

static void
call2_spoil(struct fields *answer, const char *name)
{
	for (size_t i = 0; name != NULL && i < answer->count; i++) {
		char *value = answer->list[i].value;
		size_t len = strlen(value);

		if (str_eq(answer->list[i].name, name) && len > 0)
			value[len - 1] = value[len - 1] == '1' ? '2' : '1';
	}
}

/* What an answer repeats of the question. */
static bool
call2_echo(const struct fields *given, struct fields *answer, struct err *err)
{
	static const char *const names[] = { "appid", "mch_id", "sub_appid",
		"sub_mch_id", "device_info" };

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (*fields_text(given, names[i]) != '\0' && !fields_add(
		    answer, names[i], fields_text(given, names[i]), err))
			return false;
	return true;
}

/* The envelope around what was decided, signed as the request was. */
static bool
call2_sign(const struct sandbox *sandbox, const struct call2 *call,
    struct fields *answer, struct err *err)
{
	bool is_refusal = fields_get(answer, "err_code") != NULL;
	char nonce[NONCE_SIZE];
	char sign[SIGN2_SIZE];

	if (!nonce_new(nonce, err)
	    || !fields_add(answer, "return_code", "SUCCESS", err)
	    || !fields_add(answer, "return_msg", "OK", err)
	    || !call2_echo(&call->given, answer, err)
	    || !fields_add(answer, "nonce_str", nonce, err)
	    || !fields_add(answer, "result_code",
	    is_refusal ? "FAIL" : "SUCCESS", err))
		return false;
	if (call->planted.fault == FAULT_ECHO_OTHER)
		call2_spoil(answer, call->api->number);
	if (call->planted.fault == FAULT_ECHO_AMOUNT)
		call2_spoil(answer, call->api->amount);
	if (call->planted.fault == FAULT_ECHO_SUB)
		call2_spoil(answer, "sub_mch_id");
	if (call->planted.fault == FAULT_UNSIGNED)
		return true;
	if (!sign2_sign(answer, call->type, sandbox->api_key, sign, err)
	    || !fields_add(answer, "sign", sign, err))
		return false;
	if (call->planted.fault == FAULT_BAD_SIGN)
		call2_spoil(answer, "sign");
	return true;
}

static bool
call2_send(const struct fields *answer, bool half, struct web_reply *reply,
    struct err *err)
{
	struct buf xml;
	bool ok;

	buf_init(&xml, XMLMSG_MAX);
	xmlmsg_format(answer, &xml);
	ok = buf_ok(&xml) || err_set(err, ERR_BUG, "answer too long");
	if (ok && half)
		xml.data[xml.len / 2] = '\0';
	ok = ok && web_reply_text(reply, 200, XML_TYPE, buf_get(&xml), err);
	buf_clear(&xml);
	return ok;
}

bool
call2_deny(struct web_reply *reply, const char *return_msg, struct err *err)
{
	struct fields answer = { 0 };
	bool ok;

	ok = fields_add(&answer, "return_code", "FAIL", err)
	    && fields_add(&answer, "return_msg", return_msg, err)
	    && call2_send(&answer, false, reply, err);
	fields_clear(&answer);
	return ok;
}

static bool
call2_answer(struct sandbox *sandbox, const struct call2 *call,
    struct fields *answer, struct web_reply *reply, struct err *err)
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
		fields_clear(answer);
		if (!call2_refuse("SYSTEMERROR", "系统超时", answer, err))
			return false;
		break;
	default:
		break;
	}
	return call2_sign(sandbox, call, answer, err)
	    && call2_send(answer, call->planted.fault == FAULT_CUT, reply, err);
}

bool
call2_serve(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	struct sandbox *sandbox = app;
	struct call2 call = { .api = call2_api_of(req->path) };
	struct fields answer = { 0 };
	bool ok;

	assert(call.api != NULL);	/* the routes name no other path */
	call.has_cert = call2_has_cert(sandbox, req);
	call.refused = call2_distrust(sandbox, &call, req);
	ok = call2_journal(sandbox, &call, err);
	if (ok && call.refused != NULL)
		ok = call2_deny(reply, call.refused, err);
	else if (ok && call.planted.fault == FAULT_DENIED)
		ok = call2_deny(reply, "系统繁忙，请稍后再试", err);
	else if (ok && call.planted.fault == FAULT_REFUSE)
		ok = web_reply_text(reply, 500, HTML_TYPE,
		    "<html>500 Internal Server Error</html>\n", err);
	else if (ok)
		ok = call2_decide(sandbox, &call, req->now, &answer, err)
		    && call2_answer(sandbox, &call, &answer, reply, err);
	fields_clear(&answer);
	fields_clear(&call.given);
	return ok;
}
