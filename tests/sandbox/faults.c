#include "faults.h"

#include "base/str.h"
#include "sandbox.h"
#include "wire/jsonmsg.h"

#define FAULT_MS_MAX 600000
#define FAULT_TIMES_MAX 1000000

enum fault_of {
	OF_CALL = 1,
	OF_NOTICE = 2,
};

static const struct fault_word {
	const char *word;
	enum fault fault;
	unsigned of;
	const char *ms;		/* unless the planter says how long */
} words[] = {
	{ "refuse", FAULT_REFUSE, OF_CALL, NULL },
	{ "denied", FAULT_DENIED, OF_CALL, NULL },
	{ "SYSTEMERROR_BEFORE", FAULT_SYSTEMERROR_BEFORE, OF_CALL, NULL },
	{ "code", FAULT_CODE, OF_CALL, NULL },
	{ "slow", FAULT_SLOW, OF_CALL, "8000" },
	{ "late", FAULT_LATE, OF_CALL | OF_NOTICE, "8000" },
	{ "silent", FAULT_SILENT, OF_CALL, "20000" },
	{ "http_500", FAULT_HTTP_500, OF_CALL, NULL },
	{ "http_502", FAULT_HTTP_502, OF_CALL, NULL },
	{ "SYSTEMERROR", FAULT_SYSTEMERROR, OF_CALL, NULL },
	{ "cut", FAULT_CUT, OF_CALL, NULL },
	{ "bad_sign", FAULT_BAD_SIGN, OF_CALL, NULL },
	{ "unsigned", FAULT_UNSIGNED, OF_CALL, NULL },
	{ "echo_other", FAULT_ECHO_OTHER, OF_CALL, NULL },
	{ "echo_amount", FAULT_ECHO_AMOUNT, OF_CALL, NULL },
	{ "echo_sub", FAULT_ECHO_SUB, OF_CALL, NULL },
	{ "probe", FAULT_PROBE, OF_CALL | OF_NOTICE, NULL },
	{ "recall", FAULT_RECALL, OF_CALL, NULL },
	{ "lost", FAULT_LOST, OF_NOTICE, NULL },
	{ "duplicate", FAULT_DUPLICATE, OF_NOTICE, NULL },
	{ "reorder", FAULT_REORDER, OF_NOTICE, "8000" },
	{ "forged", FAULT_FORGED, OF_NOTICE, NULL },
};

static const struct {
	const char *name;
	unsigned of;
} apis[] = {
	{ "unifiedorder", OF_CALL },
	{ "orderquery", OF_CALL },
	{ "closeorder", OF_CALL },
	{ "refund", OF_CALL },
	{ "refundquery", OF_CALL },
	{ "certificates", OF_CALL },
	{ "micropay", OF_CALL },
	{ "reverse", OF_CALL },
	{ "oauth", OF_CALL },
	{ "login", OF_CALL },
	{ "stable_token", OF_CALL },
	{ "getticket", OF_CALL },
	{ "notify", OF_NOTICE },
	{ "paid", OF_NOTICE },
	{ "refunded", OF_NOTICE },
};

static const struct fault_word *
fault_find(const char *word)
{
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (word != NULL && str_eq(word, words[i].word))
			return &words[i];
	return NULL;
}

enum fault
fault_parse(const char *word)
{
	const struct fault_word *found = fault_find(word);

	return found == NULL ? FAULT_NONE : found->fault;
}

const char *
fault_word(enum fault fault)
{
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (words[i].fault == fault)
			return words[i].word;
	return NULL;
}

static unsigned
faults_of(const char *api)
{
	for (size_t i = 0; i < COUNT_OF(apis); i++)
		if (str_eq(api, apis[i].name))
			return apis[i].of;
	return 0;
}

bool
faults_read(const PGresult *rows, struct planted *out, struct err *err)
{
	const char *ms = books_value(rows, 0, "ms");
	const char *code = books_value(rows, 0, "code");

	out->fault = fault_parse(books_value(rows, 0, "fault"));
	return (str_copy(out->id, sizeof(out->id),
	    books_value(rows, 0, "call"))
	    && (ms == NULL || str_to_long(ms, INT32_MAX, &out->ms))
	    && (code == NULL || str_copy(out->code, sizeof(out->code),
	    code)))
	    || err_set(err, ERR_BUG, "cannot read a planted fault");
}

static bool
faults_clear(struct sandbox *sandbox, const char *api, struct err *err)
{
	naps_end(sandbox->naps);
	return books_tell(sandbox->books, "delete from sandbox.faults"
	    " where $1::text is null or api = $1", BOOKS_ARGS(api), err)
	    && (api != NULL || books_tell(sandbox->books,
	    "update sandbox.settings set unsettled_fen = null,"
	    " recharge_fen = null", 0, NULL, err));
}

/* What the next refunds come to, and what the accounts hold. */
static bool
faults_plan(struct sandbox *sandbox, const struct fields *form,
    const char *times, struct err *err)
{
	const char *status = fields_get(form, "refund_status");

	if (status != NULL && !str_eq(status, "SUCCESS")
	    && !str_eq(status, "CHANGE") && !str_eq(status, "REFUNDCLOSE")
	    && !str_eq(status, "PROCESSING"))
		return err_set(err, ERR_INPUT, "refund_status: no such word");
	if (status != NULL && !books_tell(sandbox->books,
	    "insert into sandbox.faults (api, number, fault, times_left)"
	    " values ('refund_status', $1, $2, $3)",
	    BOOKS_ARGS(fields_get(form, "number"), status, times), err))
		return false;
	return books_tell(sandbox->books, "update sandbox.settings set"
	    " unsettled_fen = coalesce($1::bigint, unsettled_fen),"
	    " recharge_fen = coalesce($2::bigint, recharge_fen)",
	    BOOKS_ARGS(fields_get(form, "unsettled_fen"),
	    fields_get(form, "recharge_fen")), err);
}

static bool
faults_add(struct sandbox *sandbox, const struct fields *form,
    const char *times, struct err *err)
{
	const char *api = fields_text(form, "api");
	const char *code = fields_get(form, "code");
	const char *ms = fields_get(form, "ms");
	const struct fault_word *word = fault_find(code != NULL ? "code"
	    : fields_text(form, "fault"));
	long number;

	if (word == NULL || (faults_of(api) & word->of) == 0)
		return err_set(err, ERR_INPUT, "api, fault: no such pair");
	if (ms != NULL && !str_to_long(ms, FAULT_MS_MAX, &number))
		return err_set(err, ERR_INPUT, "ms: at most %d", FAULT_MS_MAX);
	if (code != NULL && !str_is_of(code, STR_UPPER STR_DIGITS "_", 1, 32))
		return err_set(err, ERR_INPUT, "code: not an err_code");
	return books_tell(sandbox->books, "insert into sandbox.faults"
	    " (api, number, fault, code, ms, times_left)"
	    " values ($1, $2, $3, $4, $5, $6)", BOOKS_ARGS(api,
	    fields_get(form, "number"), word->word, code,
	    ms != NULL ? ms : word->ms, times), err);
}

bool
faults_plant(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "api", "number", "fault",
		"times", "ms", "code", "refund_status", "unsettled_fen",
		"recharge_fen", NULL };
	struct sandbox *sandbox = app;
	const struct fields *form = &req->form;
	const char *times;
	long number;
	bool ok;

	if (!web_request_form(req, known, err))
		return false;
	times = fields_get(form, "times");
	if (times == NULL)
		times = "1";
	if (!str_to_long(times, FAULT_TIMES_MAX, &number))
		return err_set(err, ERR_INPUT, "times: at most %d",
		    FAULT_TIMES_MAX);
	if (number == 0)
		times = NULL;		/* for ever */

	if (str_eq(fields_text(form, "fault"), "none"))
		ok = faults_clear(sandbox, fields_get(form, "api"), err);
	else if (fields_get(form, "api") != NULL)
		ok = faults_add(sandbox, form, times, err);
	else
		ok = faults_plan(sandbox, form, times, err);
	return ok && web_reply_json(reply, 200, jsonmsg_new(), err);
}
