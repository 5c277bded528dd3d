#include "wechat/wechat_v2_answer.h"

#include <assert.h>

#include "base/str.h"
#include "wire/xmlmsg.h"

struct answer_code {
	const char *err_code;
	enum wechat_verdict verdict;
	bool alarm;		/* "fix": ours to mend, no repeating helps */
};

/* [v2.md 16.1] */
static const struct answer_code codes_prepay[] = {
	{ "SYSTEMERROR",           WECHAT_UNSURE,  false },
	{ "OUT_TRADE_NO_USED",     WECHAT_UNSURE,  false },
	{ "FREQUENCY_LIMITED",     WECHAT_AGAIN,   false },
	{ "ORDERPAID",             WECHAT_PAID,    false },
	{ "ORDERCLOSED",           WECHAT_CLOSED,  false },
	{ "INVALID_REQUEST",       WECHAT_REFUSED, false },
	{ "NOTENOUGH",             WECHAT_REFUSED, false }, /* the payer's */
	{ "TRADE_ERROR",           WECHAT_REFUSED, false },
	{ "RULELIMIT",             WECHAT_REFUSED, false },
	{ "NOAUTH",                WECHAT_REFUSED, true },
	{ "APPID_NOT_EXIST",       WECHAT_REFUSED, true },
	{ "MCHID_NOT_EXIST",       WECHAT_REFUSED, true },
	{ "APPID_MCHID_NOT_MATCH", WECHAT_REFUSED, true },
	{ "LACK_PARAMS",           WECHAT_REFUSED, true },
	{ "PARAM_ERROR",           WECHAT_REFUSED, true },
	{ "SIGNERROR",             WECHAT_REFUSED, true },
	{ "XML_FORMAT_ERROR",      WECHAT_REFUSED, true },
	{ "POST_DATA_EMPTY",       WECHAT_REFUSED, true },
	{ "REQUIRE_POST_METHOD",   WECHAT_REFUSED, true },
	{ "NOT_UTF8",              WECHAT_REFUSED, true },
};

/* [v2.md 7.3]: "SIGNERROR and other parameter errors" are those of 16.1. */
static const struct answer_code codes_query[] = {
	{ "SYSTEMERROR",           WECHAT_UNSURE,  false },
	{ "ORDERNOTEXIST",         WECHAT_MISSING, false },
	{ "FREQUENCY_LIMITED",     WECHAT_AGAIN,   false },
	{ "INVALID_TRANSACTIONID", WECHAT_REFUSED, true },
	{ "APPID_NOT_EXIST",       WECHAT_REFUSED, true },
	{ "MCHID_NOT_EXIST",       WECHAT_REFUSED, true },
	{ "APPID_MCHID_NOT_MATCH", WECHAT_REFUSED, true },
	{ "LACK_PARAMS",           WECHAT_REFUSED, true },
	{ "PARAM_ERROR",           WECHAT_REFUSED, true },
	{ "SIGNERROR",             WECHAT_REFUSED, true },
	{ "XML_FORMAT_ERROR",      WECHAT_REFUSED, true },
	{ "POST_DATA_EMPTY",       WECHAT_REFUSED, true },
	{ "REQUIRE_POST_METHOD",   WECHAT_REFUSED, true },
};

/* [v2.md 7.4] */
static const struct answer_code codes_close[] = {
	{ "SYSTEMERROR",           WECHAT_UNSURE,  false },
	{ "TRADE_STATE_ERROR",     WECHAT_UNSURE,  false },
	{ "FREQUENCY_LIMITED",     WECHAT_AGAIN,   false },
	{ "ORDERPAID",             WECHAT_PAID,    false },
	{ "ORDERCLOSED",           WECHAT_CLOSED,  false },
	{ "ORDERNOTEXIST",         WECHAT_MISSING, false },
	{ "PARAM_ERROR",           WECHAT_REFUSED, true },
	{ "SIGNERROR",             WECHAT_REFUSED, true },
	{ "XML_FORMAT_ERROR",      WECHAT_REFUSED, true },
	{ "REQUIRE_POST_METHOD",   WECHAT_REFUSED, true },
};

/* [v2.md 16.3].  INVALID_REQUEST also answers a second call while the first
 * is still at work, so it refuses nothing. */
static const struct answer_code codes_refund[] = {
	{ "SYSTEMERROR",           WECHAT_UNSURE,  false },
	{ "BIZERR_NEED_RETRY",     WECHAT_UNSURE,  false },
	{ "INVALID_REQUEST",       WECHAT_UNSURE,  false },
	{ "FREQUENCY_LIMITED",     WECHAT_AGAIN,   false },
	{ "ORDER_NOT_READY",       WECHAT_AGAIN,   false },
	{ "INVALID_REQ_TOO_MUCH",  WECHAT_AGAIN,   true },
	{ "NOTENOUGH",             WECHAT_NO_MONEY, false },
	{ "TRADE_OVERDUE",         WECHAT_REFUSED, false },
	{ "ERROR",                 WECHAT_REFUSED, false },
	{ "USER_ACCOUNT_ABNORMAL", WECHAT_REFUSED, false },
	/* a refund of this number may have been made with another amount */
	{ "REFUND_FEE_MISMATCH",   WECHAT_UNSURE,  true },
	{ "INVALID_TRANSACTIONID", WECHAT_REFUSED, true },
	{ "ORDERNOTEXIST",         WECHAT_REFUSED, true },
	{ "NOAUTH",                WECHAT_REFUSED, true },
	{ "CERT_ERROR",            WECHAT_REFUSED, true },
	{ "PARAM_ERROR",           WECHAT_REFUSED, true },
	{ "APPID_NOT_EXIST",       WECHAT_REFUSED, true },
	{ "MCHID_NOT_EXIST",       WECHAT_REFUSED, true },
	{ "SIGNERROR",             WECHAT_REFUSED, true },
	{ "XML_FORMAT_ERROR",      WECHAT_REFUSED, true },
	{ "REQUIRE_POST_METHOD",   WECHAT_REFUSED, true },
};

/* [v2.md 16.4] */
static const struct answer_code codes_query_refund[] = {
	{ "SYSTEMERROR",           WECHAT_UNSURE,  false },
	{ "REFUNDNOTEXIST",        WECHAT_MISSING, false },
	{ "FREQUENCY_LIMITED",     WECHAT_AGAIN,   false },
	{ "INVALID_TRANSACTIONID", WECHAT_REFUSED, true },
	{ "PARAM_ERROR",           WECHAT_REFUSED, true },
	{ "APPID_NOT_EXIST",       WECHAT_REFUSED, true },
	{ "MCHID_NOT_EXIST",       WECHAT_REFUSED, true },
	{ "SIGNERROR",             WECHAT_REFUSED, true },
	{ "XML_FORMAT_ERROR",      WECHAT_REFUSED, true },
	{ "REQUIRE_POST_METHOD",   WECHAT_REFUSED, true },
	{ "INVALID_REQUEST",       WECHAT_REFUSED, true },
};

/* [v2.md 16.2].  What asks for a query is unsure; "final" says that this
 * attempt took no money. */
static const struct answer_code codes_micropay[] = {
	{ "SYSTEMERROR",           WECHAT_UNSURE,  false },
	{ "BANKERROR",             WECHAT_UNSURE,  false },
	{ "USERPAYING",            WECHAT_UNSURE,  false },
	{ "INVALID_REQUEST",       WECHAT_UNSURE,  false },
	{ "OUT_TRADE_NO_USED",     WECHAT_UNSURE,  true },
	{ "ORDERPAID",             WECHAT_PAID,    false },
	{ "ORDERCLOSED",           WECHAT_CLOSED,  false },
	{ "ORDERREVERSED",         WECHAT_CLOSED,  false },
	{ "AUTHCODEEXPIRE",        WECHAT_REFUSED, false },
	{ "AUTH_CODE_ERROR",       WECHAT_REFUSED, false },
	{ "AUTH_CODE_INVALID",     WECHAT_REFUSED, false },
	{ "NOTENOUGH",             WECHAT_REFUSED, false }, /* the payer's */
	{ "NOTSUPORTCARD",         WECHAT_REFUSED, false },
	{ "BUYER_MISMATCH",        WECHAT_REFUSED, false },
	{ "TRADE_ERROR",           WECHAT_REFUSED, false },
	{ "RULELIMIT",             WECHAT_REFUSED, false },
	{ "NOAUTH",                WECHAT_REFUSED, true },
	{ "PARAM_ERROR",           WECHAT_REFUSED, true },
	{ "LACK_PARAMS",           WECHAT_REFUSED, true },
	{ "APPID_NOT_EXIST",       WECHAT_REFUSED, true },
	{ "MCHID_NOT_EXIST",       WECHAT_REFUSED, true },
	{ "APPID_MCHID_NOT_MATCH", WECHAT_REFUSED, true },
	{ "SIGNERROR",             WECHAT_REFUSED, true },
	{ "XML_FORMAT_ERROR",      WECHAT_REFUSED, true },
	{ "REQUIRE_POST_METHOD",   WECHAT_REFUSED, true },
	{ "NOT_UTF8",              WECHAT_REFUSED, true },
};

/* [v2.md 7.5].  INVALID_REQUEST also says that it is reversed already, so it
 * refuses nothing; and a message that WeChat cannot read (denied) is no word
 * of its on whether the money stays. */
static const struct answer_code codes_reverse[] = {
	{ "SYSTEMERROR",           WECHAT_UNSURE,   false },
	{ "INVALID_REQUEST",       WECHAT_UNSURE,   false },
	{ "USERPAYING",            WECHAT_AGAIN,    false },
	{ "NOTENOUGH",             WECHAT_NO_MONEY, true },
	{ "REVERSE_EXPIRE",        WECHAT_REFUSED,  true },
	{ "TRADE_ERROR",           WECHAT_REFUSED,  true },
	{ "INVALID_TRANSACTIONID", WECHAT_DENIED,   true },
	{ "PARAM_ERROR",           WECHAT_DENIED,   true },
	{ "SIGNERROR",             WECHAT_DENIED,   true },
	{ "XML_FORMAT_ERROR",      WECHAT_DENIED,   true },
	{ "REQUIRE_POST_METHOD",   WECHAT_DENIED,   true },
};

static const struct {
	const struct answer_code *list;
	size_t count;
} answer_codes[WECHAT_V2_CALLS] = {
	[WECHAT_CALL_PREPAY] = { codes_prepay, COUNT_OF(codes_prepay) },
	[WECHAT_CALL_QUERY] = { codes_query, COUNT_OF(codes_query) },
	[WECHAT_CALL_CLOSE] = { codes_close, COUNT_OF(codes_close) },
	[WECHAT_CALL_REFUND] = { codes_refund, COUNT_OF(codes_refund) },
	[WECHAT_CALL_QUERY_REFUND] = { codes_query_refund,
	    COUNT_OF(codes_query_refund) },
	[WECHAT_CALL_MICROPAY] = { codes_micropay, COUNT_OF(codes_micropay) },
	[WECHAT_CALL_REVERSE] = { codes_reverse, COUNT_OF(codes_reverse) },
};

static bool
answer_arrived(const struct wechat_http_reply *reply,
    struct wechat_answer *answer)
{
	char code[WECHAT_CODE_SIZE];

	if (!wechat_answer_arrived(reply, answer))
		return false;
	if (reply->status != 200) {
		(void)snprintf(code, sizeof(code), "HTTP_%ld", reply->status);
		return wechat_answer_end(answer, WECHAT_UNSURE, code, "",
		    false);
	}
	return true;
}

static bool
text_has_one_of(const char *text, const char *const words[])
{
	for (; *words != NULL; words++)
		if (strcasestr(text, *words) != NULL)
			return true;
	return false;
}

/*
 * return_code FAIL never has a signature.  TLS vouches that WeChat turned the
 * message away at the door, unless the words speak of its own trouble.  Where
 * money goes out, only words that we know from [v2.md 4] are believed.
 */
static bool
answer_is_turned_away(enum wechat_call call, const char *return_msg)
{
	static const char *const trouble[] = {
		"系统", "繁忙", "超时", "稍后", "重试", "频",
		"system", "busy", "timeout", "retry", "frequen", NULL
	};
	static const char *const clear[] = {
		"签名", "appid", "mch_id", "缺少参数", "XML格式错误", NULL
	};

	if (text_has_one_of(return_msg, trouble))
		return false;
	return (call != WECHAT_CALL_REFUND && call != WECHAT_CALL_REVERSE)
	    || text_has_one_of(return_msg, clear);
}

static bool
answer_is_let_in(enum wechat_call call, const struct fields *fields,
    struct wechat_answer *answer)
{
	const char *return_code = fields_text(fields, "return_code");
	const char *return_msg = fields_text(fields, "return_msg");

	if (str_eq(return_code, "SUCCESS"))
		return true;
	if (!str_eq(return_code, "FAIL"))
		return wechat_answer_end(answer, WECHAT_UNSURE,
		    "NO_RETURN_CODE", return_msg, false);
	if (answer_is_turned_away(call, return_msg))
		return wechat_answer_end(answer, WECHAT_DENIED, "RETURN_FAIL",
		    return_msg, true);
	return wechat_answer_end(answer, WECHAT_UNSURE, "RETURN_FAIL",
	    return_msg, false);
}

/*
 * Beyond the door everything is signed, failures too [v2.md 5.2].  An
 * unsigned result_code FAIL is therefore as suspect as a wrongly signed one:
 * were it taken for DENIED, whoever could strip a signature could choose our
 * next step.
 */
static bool
answer_is_proved(const struct wechat_v2 *v2, const struct fields *fields,
    struct wechat_answer *answer)
{
	struct err err = { 0 };

	if (sign2_verify(fields, v2->sign_type, v2->api_key, &err))
		return true;
	return wechat_answer_end(answer, WECHAT_UNSURE,
	    fields_text(fields, "sign")[0] == '\0' ? "NO_SIGN" : "BAD_SIGN",
	    err.text, true);
}

/*
 * The sub-merchant that was asked for: "" for an ordinary merchant, whose
 * answers name none.  A success that tells or makes something must name him; a
 * failure does not, nor what says no more than that it is closed or reversed,
 * but none may name another.
 */
static bool
answer_is_of_sub(enum wechat_call call, const struct payment_payee *payee,
    const struct fields *fields)
{
	const char *said = fields_text(fields, "sub_mch_id");
	bool may_be_silent = call == WECHAT_CALL_CLOSE
	    || call == WECHAT_CALL_REVERSE
	    || !str_eq(fields_text(fields, "result_code"), "SUCCESS");

	return str_eq(said, payee->sub_mchid)
	    || (said[0] == '\0' && may_be_silent);
}

static bool
answer_is_ours(const struct wechat_v2 *v2, enum wechat_call call,
    const struct payment_payee *payee, const struct fields *fields,
    struct wechat_answer *answer)
{
	if (!str_eq(fields_text(fields, "mch_id"), v2->mchid)
	    || !str_eq(fields_text(fields, "appid"), payee->appid)
	    || !answer_is_of_sub(call, payee, fields))
		return wechat_answer_end(answer, WECHAT_UNSURE, "MISMATCH",
		    "answer for another mch_id, sub_mch_id or appid", true);
	return true;
}

static bool
answer_look_up(enum wechat_call call, const struct fields *fields,
    struct wechat_answer *answer)
{
	const char *err_code = fields_text(fields, "err_code");
	const char *text = fields_text(fields, "err_code_des");
	const struct answer_code *known = answer_codes[call].list;
	size_t i;

	for (i = 0; i < answer_codes[call].count; i++)
		if (str_eq(err_code, known[i].err_code))
			return wechat_answer_end(answer, known[i].verdict,
			    err_code, text, known[i].alarm);
	return wechat_answer_end(answer, WECHAT_UNSURE, err_code, text, false);
}

static bool
answer_is_success(enum wechat_call call, const struct fields *fields,
    struct wechat_answer *answer)
{
	const char *result_code = fields_text(fields, "result_code");

	if (str_eq(result_code, "FAIL"))
		return answer_look_up(call, fields, answer);
	if (!str_eq(result_code, "SUCCESS"))
		return wechat_answer_end(answer, WECHAT_UNSURE,
		    "NO_RESULT_CODE", "", true);
	answer->verdict = WECHAT_DONE;
	return true;
}

bool
wechat_v2_answer_read(const struct wechat_v2 *v2, enum wechat_call call,
    const struct payment_payee *payee, const struct wechat_http_reply *reply,
    struct fields *fields, struct wechat_answer *answer)
{
	struct err err = { 0 };

	assert(call < WECHAT_V2_CALLS);
	memset(answer, 0, sizeof(*answer));
	if (!answer_arrived(reply, answer))
		return false;
	if (!xmlmsg_parse(buf_get(&reply->body), reply->body.len, "xml",
	    fields, &err))
		return wechat_answer_end(answer, WECHAT_UNSURE, "BAD_XML",
		    err.text, false);
	return answer_is_let_in(call, fields, answer)
	    && answer_is_proved(v2, fields, answer)
	    && answer_is_ours(v2, call, payee, fields, answer)
	    && answer_is_success(call, fields, answer);
}
