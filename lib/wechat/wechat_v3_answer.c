#include "wechat/wechat_v3_answer.h"

#include <assert.h>

#include "base/buf.h"
#include "base/str.h"

#define TEXT_MAX 2048		/* of all that is told about an error */

struct answer_code {
	const char *code;	/* without "_", for V3 spells it both ways */
	enum wechat_verdict verdict;
	bool alarm;		/* ours to mend, no repeating helps */
};

/* [v3.md 7.3] After those of the call itself. */
static const struct answer_code codes_common[] = {
	{ "SYSTEMERROR",           WECHAT_UNSURE,  false },
	{ "SERVICEUNAVAILABLE",    WECHAT_UNSURE,  false },
	{ "FREQUENCYLIMITED",      WECHAT_AGAIN,   false },
	{ "FREQUENCYLIMIT",        WECHAT_AGAIN,   false },
	{ "FREQUENCYLIMITEXCEED",  WECHAT_AGAIN,   false },
	{ "RATELIMITEXCEEDED",     WECHAT_AGAIN,   false },
	{ "RATELIMITEXCEED",       WECHAT_AGAIN,   false },
	{ "PARAMERROR",            WECHAT_REFUSED, true },
	{ "SIGNERROR",             WECHAT_REFUSED, true },
	{ "NOAUTH",                WECHAT_REFUSED, true },
	{ "MCHNOTEXISTS",          WECHAT_REFUSED, true },
	{ "APPIDMCHIDNOTMATCH",    WECHAT_REFUSED, true },
};

/* [v3.md 8.3] INVALID_REQUEST also says that it is paid, closed, or known
 * with other parameters: a query tells which. */
static const struct answer_code codes_prepay[] = {
	{ "INVALIDREQUEST",        WECHAT_UNSURE,  true },
	{ "OUTTRADENOUSED",        WECHAT_UNSURE,  false },
	{ "BANKERROR",             WECHAT_UNSURE,  false },
	{ "ORDERPAID",             WECHAT_PAID,    false },
	{ "ORDERCLOSED",           WECHAT_CLOSED,  false },
	{ "OPENIDMISMATCH",        WECHAT_REFUSED, false },
	{ "ACCOUNTERROR",          WECHAT_REFUSED, false },
	{ "NOTENOUGH",             WECHAT_REFUSED, false }, /* the payer's */
	{ "RULELIMIT",             WECHAT_REFUSED, false },
	{ "TRADEERROR",            WECHAT_REFUSED, false },
	{ "INVALIDTRANSACTIONID",  WECHAT_REFUSED, true },
	{ "RESOURCENOTEXISTS",     WECHAT_REFUSED, true },
	{ "NOTFOUND",              WECHAT_REFUSED, true },
};

/* [v3.md 10.1] */
static const struct answer_code codes_query[] = {
	{ "ORDERNOTEXIST",         WECHAT_MISSING, false },
	{ "RESOURCENOTEXISTS",     WECHAT_MISSING, false },
	{ "NOTFOUND",              WECHAT_MISSING, false },
	{ "INVALIDREQUEST",        WECHAT_REFUSED, true },
	{ "RULELIMIT",             WECHAT_REFUSED, true },
	{ "TRADEERROR",            WECHAT_REFUSED, true },
};

/* [v3.md 10.2] */
static const struct answer_code codes_close[] = {
	{ "ORDERPAID",             WECHAT_PAID,    false },
	{ "ORDERCLOSED",           WECHAT_CLOSED,  false },
	{ "ORDERNOTEXIST",         WECHAT_MISSING, false },
	{ "RESOURCENOTEXISTS",     WECHAT_MISSING, false },
	{ "NOTFOUND",              WECHAT_MISSING, false },
	{ "INVALIDREQUEST",        WECHAT_UNSURE,  false },
	{ "TRADEERROR",            WECHAT_UNSURE,  false },
	{ "RULELIMIT",             WECHAT_UNSURE,  false },
	{ "NOAUTH",                WECHAT_UNSURE,  true },
};

/* [v3.md 12.2] INVALID_REQUEST is too much, too late, or a number that was
 * refunded with other parameters: queries decide. */
static const struct answer_code codes_refund[] = {
	{ "INVALIDREQUEST",        WECHAT_DENIED,  true },
	{ "NOTENOUGH",             WECHAT_NO_MONEY, false },
	{ "USERACCOUNTABNORMAL",   WECHAT_REFUSED, false },
	{ "REQUESTBLOCKED",        WECHAT_REFUSED, true },
	{ "RESOURCENOTEXISTS",     WECHAT_REFUSED, true },
	{ "ORDERNOTEXIST",         WECHAT_REFUSED, true },
	{ "NOTFOUND",              WECHAT_REFUSED, true },
};

/* [v3.md 12.3] */
static const struct answer_code codes_query_refund[] = {
	{ "RESOURCENOTEXISTS",     WECHAT_MISSING, false },
	{ "ORDERNOTEXIST",         WECHAT_MISSING, false },
	{ "NOTFOUND",              WECHAT_MISSING, false },
	{ "INVALIDREQUEST",        WECHAT_REFUSED, true },
};

/* [v3.md 5.2] */
static const struct answer_code codes_certificates[] = {
	{ "RESOURCENOTEXISTS",     WECHAT_MISSING, false },
	{ "INVALIDREQUEST",        WECHAT_REFUSED, true },
};

static const struct {
	const struct answer_code *list;
	size_t count;
	long success;		/* HTTP status of it */
	bool is_question;	/* asks, and changes nothing */
} calls[WECHAT_CALLS] = {
	[WECHAT_CALL_PREPAY] = { codes_prepay, COUNT_OF(codes_prepay), 200,
	    false },
	[WECHAT_CALL_QUERY] = { codes_query, COUNT_OF(codes_query), 200,
	    true },
	[WECHAT_CALL_CLOSE] = { codes_close, COUNT_OF(codes_close), 204,
	    false },
	[WECHAT_CALL_REFUND] = { codes_refund, COUNT_OF(codes_refund), 200,
	    false },
	[WECHAT_CALL_QUERY_REFUND] = { codes_query_refund,
	    COUNT_OF(codes_query_refund), 200, true },
	[WECHAT_CALL_CERTIFICATES] = { codes_certificates,
	    COUNT_OF(codes_certificates), 200, true },
};

/* With WeChat's own number of the call, which its support asks for. */
static bool
answer_end(const struct wechat_http_reply *reply,
    struct wechat_answer *answer, enum wechat_verdict verdict,
    const char *code, const char *text, bool alarm)
{
	const char *id = reply->headers[WECHAT_HTTP_REQUEST_ID].text;
	struct buf whole;

	buf_init(&whole, TEXT_MAX);
	if (str_is_of(id, STR_ALNUM "-_", 1, WECHAT_HTTP_HEADER_MAX))
		buf_format(&whole, "[%s] ", id);
	buf_text(&whole, text);
	(void)wechat_answer_end(answer, verdict, code, buf_ok(&whole)
	    ? buf_get(&whole) : "", alarm);
	buf_clear(&whole);
	return false;
}

/* NULL if it did not come, or came twice: which one would it be? */
static const char *
header_of(const struct wechat_http_reply *reply, enum wechat_http_name name)
{
	const struct wechat_http_header *header = &reply->headers[name];

	return header->count == 1 ? header->text : NULL;
}

static bool
answer_is_signed(const struct wechat_http_reply *reply)
{
	return reply->headers[WECHAT_HTTP_TIMESTAMP].count > 0
	    || reply->headers[WECHAT_HTTP_NONCE].count > 0
	    || reply->headers[WECHAT_HTTP_SIGNATURE].count > 0
	    || reply->headers[WECHAT_HTTP_SERIAL].count > 0;
}

/* A type that came twice is none that is known; absent, it is the usual. */
static const char *
signature_type_of(const struct wechat_http_reply *reply)
{
	return reply->headers[WECHAT_HTTP_SIGNATURE_TYPE].count > 1 ? "twice"
	    : header_of(reply, WECHAT_HTTP_SIGNATURE_TYPE);
}

static bool
answer_is_proved(struct wechat_keys *keys,
    const struct wechat_http_reply *reply, epoch_t now,
    struct wechat_answer *answer)
{
	static const char *const codes[WECHAT_FLAWS] = {
		[WECHAT_SOUND] = "",
		[WECHAT_FLAW_MISSING] = "NO_SIGN",
		[WECHAT_FLAW_MALFORMED] = "SIGN_MALFORMED",
		[WECHAT_FLAW_TYPE] = "SIGN_TYPE",
		[WECHAT_FLAW_CLOCK] = "SIGN_CLOCK",
		[WECHAT_FLAW_PROBE] = "SIGN_PROBE",
		[WECHAT_FLAW_SERIAL] = WECHAT_CODE_SERIAL,
		[WECHAT_FLAW_SIGNATURE] = "BAD_SIGN",
	};
	const struct sign3_headers headers = {
		.timestamp = header_of(reply, WECHAT_HTTP_TIMESTAMP),
		.nonce = header_of(reply, WECHAT_HTTP_NONCE),
		.signature = header_of(reply, WECHAT_HTTP_SIGNATURE),
		.serial = header_of(reply, WECHAT_HTTP_SERIAL),
		.type = signature_type_of(reply),
	};
	enum wechat_flaw flaw = WECHAT_SOUND;
	struct err err = { 0 };

	if (wechat_keys_verify(keys, &headers, buf_get(&reply->body),
	    reply->body.len, now, answer->serial, &flaw, &err))
		return true;
	if (err.kind == ERR_STORE)
		return answer_end(reply, answer, WECHAT_UNSURE, "NO_KEYS",
		    err.text, false);
	return answer_end(reply, answer, WECHAT_UNSURE,
	    err.kind == ERR_AUTH ? codes[flaw] : "BUG", err.text,
	    flaw != WECHAT_FLAW_PROBE);
}

/* known has no "_". */
static bool
code_is(const char *said, const char *known)
{
	for (; *said != '\0'; said++) {
		if (*said == '_')
			continue;
		if (*said != *known)
			return false;
		known++;
	}
	return *known == '\0';
}

/* NULL if it is in no table. */
static const struct answer_code *
code_find(enum wechat_call call, const char *said)
{
	for (size_t i = 0; i < calls[call].count; i++)
		if (code_is(said, calls[call].list[i].code))
			return &calls[call].list[i];
	for (size_t i = 0; i < COUNT_OF(codes_common); i++)
		if (code_is(said, codes_common[i].code))
			return &codes_common[i];
	return NULL;
}

/* [v3.md 7.1] What an unknown code or none is worth.  4xx was not carried
 * out; where that ends something, queries have the last word. */
static struct answer_code
code_of_status(enum wechat_call call, long status)
{
	bool is_ours = status >= 400 && status < 500;

	if (status == 429)
		return (struct answer_code){ "", WECHAT_AGAIN, false };
	if (!is_ours)
		return (struct answer_code){ "", WECHAT_UNSURE, false };
	return (struct answer_code){ "", calls[call].is_question
	    ? WECHAT_REFUSED : WECHAT_DENIED, true };
}

/*
 * What TLS alone vouches for.  That nothing was done may be believed, and is
 * done again or asked about; but it ends nothing.  Of a number that is not
 * found the database wants to hear twice.
 */
static enum wechat_verdict
verdict_unproved(enum wechat_call call, long status,
    enum wechat_verdict verdict)
{
	switch (verdict) {
	case WECHAT_REFUSED:
		return WECHAT_DENIED;
	case WECHAT_CLOSED:
		return WECHAT_UNSURE;
	case WECHAT_MISSING:
		return calls[call].is_question && status == 404
		    ? WECHAT_MISSING : WECHAT_UNSURE;
	default:
		return verdict;
	}
}

/* "" if there is none. */
static const char *
json_text(const struct jsonread *json, const char *path)
{
	const char *text = "";
	struct err err = { 0 };

	return json != NULL && jsonread_text(json, path, &text, &err) ? text
	    : "";
}

/* A known code decides, whatever the status. */
static bool
answer_look_up(enum wechat_call call, const struct wechat_http_reply *reply,
    bool is_proved, const struct jsonread *json, struct wechat_answer *answer)
{
	const char *said = json_text(json, "code");
	const char *field = json_text(json, "detail.field");
	const struct answer_code *known = code_find(call, said);
	struct answer_code by_status = code_of_status(call, reply->status);
	char http[WECHAT_CODE_SIZE];
	struct buf text;

	if (known == NULL)
		known = &by_status;
	(void)snprintf(http, sizeof(http), "HTTP_%ld", reply->status);
	buf_init(&text, TEXT_MAX);
	buf_text(&text, json_text(json, "message"));
	if (field[0] != '\0')
		buf_format(&text, " (%s)", field);
	(void)answer_end(reply, answer, is_proved ? known->verdict
	    : verdict_unproved(call, reply->status, known->verdict),
	    said[0] != '\0' ? said : http, buf_ok(&text) ? buf_get(&text)
	    : "", known->alarm);
	buf_clear(&text);
	return false;
}

/* Every status but 2xx.  Whatever has a signature must have a right one. */
static bool
answer_failed(struct wechat_keys *keys, enum wechat_call call,
    const struct wechat_http_reply *reply, epoch_t now,
    struct wechat_answer *answer)
{
	bool is_signed = answer_is_signed(reply);
	struct jsonread *json = NULL;
	struct err err = { 0 };

	if (is_signed && !answer_is_proved(keys, reply, now, answer))
		return false;
	/* a proxy on the way may say anything, so it may be no JSON */
	if (!jsonread_new(buf_get(&reply->body), reply->body.len, &json,
	    &err) && err.kind == ERR_BUG)
		return answer_end(reply, answer, WECHAT_UNSURE, "BUG",
		    err.text, true);
	(void)answer_look_up(call, reply, is_signed, json, answer);
	jsonread_free(json);
	return false;
}

static bool
answer_is_success(enum wechat_call call,
    const struct wechat_http_reply *reply, struct jsonread **json,
    struct wechat_answer *answer)
{
	char code[WECHAT_CODE_SIZE];
	struct err err = { 0 };

	if (reply->status != calls[call].success) {
		(void)snprintf(code, sizeof(code), "HTTP_%ld", reply->status);
		return answer_end(reply, answer, WECHAT_UNSURE, code, "",
		    false);
	}
	if (calls[call].success != 204
	    && !jsonread_new(buf_get(&reply->body), reply->body.len, json,
	    &err))
		return answer_end(reply, answer, WECHAT_UNSURE,
		    err.kind == ERR_INPUT ? "BAD_JSON" : "BUG", err.text,
		    true);
	answer->verdict = WECHAT_DONE;
	return true;
}

bool
wechat_v3_answer_read(struct wechat_keys *keys, enum wechat_call call,
    const struct wechat_http_reply *reply, epoch_t now,
    struct jsonread **json, struct wechat_answer *answer)
{
	assert(call < WECHAT_CALLS);
	memset(answer, 0, sizeof(*answer));
	if (!wechat_answer_arrived(reply, answer))
		return false;
	if (reply->status < 200 || reply->status > 299)
		return answer_failed(keys, call, reply, now, answer);
	return answer_is_proved(keys, reply, now, answer)
	    && answer_is_success(call, reply, json, answer);
}
