#include "store/store_query.h"

#include <assert.h>
#include <errno.h>

#include "base/str.h"

/* Everything that we ever send. */
static const char *const texts[] = {
	[STORE_SQL_PING] = "select * from wxpay.ping()",
	[STORE_SQL_PAY_START] = "select * from wxpay.pay_start($1::text,"
	    " $2::text, $3::text, $4::int, $5::text, $6::text, $7::bigint,"
	    " $8::text, $9::bigint, $10::text, $11::text, $12::text,"
	    " $13::int, $14::text, $15::text, $16::text, $17::text,"
	    " $18::text, $19::text, $20::text, $21::boolean, $22::text,"
	    " $23::int, $24::int, $25::int)",
	[STORE_SQL_PREPAID] = "select * from wxpay.payment_prepaid($1::text,"
	    " $2::text, $3::bigint, $4::bigint, $5::text, $6::text, $7::text,"
	    " $8::text, $9::text, $10::int)",
	[STORE_SQL_CLAIM] = "select * from wxpay.payment_claim($1::text,"
	    " $2::text, $3::text, $4::int)",
	[STORE_SQL_TOLD] = "select * from wxpay.payment_told($1::text,"
	    " $2::text, $3::bigint, $4::bigint, $5::text, $6::text, $7::text,"
	    " $8::text, $9::text, $10::text, $11::bigint, $12::text,"
	    " $13::text, $14::text, $15::bigint, $16::int)",
	[STORE_SQL_CLOSED] = "select * from wxpay.payment_closed($1::text,"
	    " $2::text, $3::bigint, $4::bigint, $5::text, $6::text,"
	    " $7::int)",
	[STORE_SQL_ORDER_CLOSE] = "select * from wxpay.order_close($1::text,"
	    " $2::text, $3::text, $4::text, $5::int)",
	[STORE_SQL_ORDER_CHECK] = "select * from wxpay.order_check($1::text,"
	    " $2::text, $3::text)",
	[STORE_SQL_ORDER_SHOW] = "select * from wxpay.order_show($1::text,"
	    " $2::text, $3::text)",
	[STORE_SQL_ORDER_CODE_URL] = "select * from wxpay.order_code_url("
	    "$1::text, $2::text, $3::text)",
	[STORE_SQL_ORDER_STATE] = "select * from wxpay.order_state($1::text,"
	    " $2::text)",
	[STORE_SQL_ORDERS_LIST] = "select * from wxpay.orders_list($1::text,"
	    " $2::text, $3::text, $4::bigint, $5::int)",
	[STORE_SQL_ORDER_PAYMENTS] = "select * from wxpay.order_payments("
	    "$1::text, $2::text)",
	[STORE_SQL_ORDER_EXPIRE] = "select * from wxpay.order_expire($1::text,"
	    " $2::int)",
	[STORE_SQL_EVENTS_NUMBER] = "select * from wxpay.events_number($1::text)",
	[STORE_SQL_CALLS_SWEEP] = "select * from wxpay.calls_sweep()",
	[STORE_SQL_PARTITIONS_AHEAD] = "select * from wxpay.partitions_ahead()",
	[STORE_SQL_NOTICE_PAID] = "select * from wxpay.notice_paid($1::text,"
	    " $2::text, $3::text, $4::text, $5::bytea, $6::text, $7::text,"
	    " $8::text, $9::text, $10::bigint, $11::text, $12::text,"
	    " $13::text, $14::bigint)",
	[STORE_SQL_NOTICE_REFUNDED] = "select * from wxpay.notice_refunded("
	    "$1::text, $2::text, $3::text, $4::text, $5::bytea, $6::text,"
	    " $7::text, $8::text, $9::text, $10::bigint, $11::bigint,"
	    " $12::boolean, $13::boolean, $14::text, $15::bigint)",
	[STORE_SQL_REFUND_REQUEST] = "select * from wxpay.refund_request("
	    "$1::text, $2::text, $3::text, $4::text, $5::bigint, $6::text,"
	    " $7::text, $8::text)",
	[STORE_SQL_REFUND_DECIDE] = "select * from wxpay.refund_decide($1::text,"
	    " $2::text, $3::text, $4::text, $5::text, $6::int, $7::text)",
	[STORE_SQL_REFUND_CLAIM] = "select * from wxpay.refund_claim($1::text,"
	    " $2::text, $3::text, $4::int)",
	[STORE_SQL_REFUND_TOLD] = "select * from wxpay.refund_told($1::text,"
	    " $2::text, $3::text, $4::bigint, $5::bigint, $6::text, $7::text,"
	    " $8::text, $9::text, $10::text, $11::text, $12::bigint,"
	    " $13::bigint, $14::int, $15::int)",
	[STORE_SQL_REFUND_SHOW] = "select * from wxpay.refund_show($1::text,"
	    " $2::text, $3::text)",
	[STORE_SQL_REFUNDS_LIST] = "select * from wxpay.refunds_list($1::text,"
	    " $2::text, $3::bigint, $4::int)",
	[STORE_SQL_NOTICE_OTHER] = "select * from wxpay.notice_other($1::text,"
	    " $2::text, $3::text, $4::text, $5::bytea, $6::text)",
	[STORE_SQL_KEYS_LIST] = "select * from wxpay.keys_list($1::text)",
	[STORE_SQL_KEYS_CLAIM] = "select * from wxpay.keys_claim($1::text,"
	    " $2::text, $3::int)",
	[STORE_SQL_KEY_PUT] = "select * from wxpay.key_put($1::text, $2::text,"
	    " $3::text, $4::bigint, $5::bigint)",
	[STORE_SQL_KEYS_TOLD] = "select * from wxpay.keys_told($1::text,"
	    " $2::bigint, $3::bigint, $4::text, $5::text, $6::int)",
	[STORE_SQL_KEY_SEEN] = "select * from wxpay.key_seen($1::text,"
	    " $2::text, $3::text)",
	[STORE_SQL_KEYS_WANTED] = "select * from wxpay.keys_wanted($1::text)",
	[STORE_SQL_KEYS_REPORT] = "select * from wxpay.keys_report($1::text,"
	    " $2::text)",
	[STORE_SQL_KEYS_SAFE] = "select * from wxpay.keys_safe($1::text,"
	    " $2::text)",
	[STORE_SQL_OAUTH_BEGIN] = "select * from wxpay.oauth_begin($1::text,"
	    " $2::text, $3::text, $4::text, $5::text, $6::int)",
	[STORE_SQL_OAUTH_TAKE] = "select * from wxpay.oauth_take($1::text,"
	    " $2::text, $3::text, $4::text)",
	[STORE_SQL_OAUTH_USED] = "select * from wxpay.oauth_used($1::text,"
	    " $2::text, $3::text)",
	[STORE_SQL_OAUTH_SWEEP] = "select * from wxpay.oauth_sweep()",
	[STORE_SQL_TOKENS_CLAIM] = "select * from wxpay.tokens_claim($1::text,"
	    " $2::text, $3::int)",
	[STORE_SQL_TOKEN_TOLD] = "select * from wxpay.token_told($1::text,"
	    " $2::text, $3::text, $4::bigint, $5::text, $6::text, $7::int,"
	    " $8::int, $9::text)",
	[STORE_SQL_TICKET_SHOW] = "select * from wxpay.ticket_show($1::text,"
	    " $2::text)",
	[STORE_SQL_ORDER_STAFF] = "select * from wxpay.order_staff($1::text,"
	    " $2::text)",
	[STORE_SQL_MICROPAY_START] = "select * from wxpay.micropay_start("
	    "$1::text, $2::text, $3::text, $4::int, $5::text, $6::text,"
	    " $7::bigint, $8::text, $9::bigint, $10::text, $11::text,"
	    " $12::text, $13::int, $14::text, $15::text, $16::text,"
	    " $17::text, $18::text, $19::int, $20::int, $21::text)",
	[STORE_SQL_MICROPAY_TOLD] = "select * from wxpay.micropay_told("
	    "$1::text, $2::text, $3::bigint, $4::bigint, $5::text, $6::text,"
	    " $7::text, $8::text, $9::text, $10::text, $11::bigint,"
	    " $12::text, $13::text, $14::text, $15::bigint, $16::int,"
	    " $17::text)",
	[STORE_SQL_MICROPAY_CLAIM] = "select * from wxpay.micropay_claim("
	    "$1::text, $2::text, $3::text, $4::int)",
	[STORE_SQL_MICROPAY_ASKED] = "select * from wxpay.micropay_asked("
	    "$1::text, $2::text, $3::bigint, $4::bigint, $5::text, $6::text,"
	    " $7::text, $8::text, $9::text, $10::text, $11::bigint,"
	    " $12::text, $13::text, $14::text, $15::bigint, $16::text,"
	    " $17::int)",
	[STORE_SQL_MICROPAY_REVERSED] = "select * from"
	    " wxpay.micropay_reversed($1::text, $2::text, $3::bigint,"
	    " $4::bigint, $5::text, $6::text, $7::int)",
	[STORE_SQL_MICROPAY_EXPIRE] = "select * from wxpay.micropay_expire("
	    "$1::text, $2::int)",
	[STORE_SQL_TRANSACTION_ASK] = "select * from wxpay.transaction_ask("
	    "$1::text, $2::text)",
	[STORE_SQL_TRANSACTION_TOLD] = "select * from wxpay.transaction_told("
	    "$1::text, $2::bigint, $3::text, $4::text, $5::text)",
};

/* ------------------------------------------------------------ parameters */

void
store_query_bare(struct store_query *query, enum store_function function)
{
	assert(function > 0 && (size_t)function < COUNT_OF(texts));
	query->function = function;
	query->count = 0;
}

void
store_query_init(struct store_query *query, enum store_function function,
    const struct store *store)
{
	store_query_bare(query, function);
	store_query_text(query, store->mchid);
}

void
store_query_bytes(struct store_query *query, const char *bytes, size_t len)
{
	assert(query->count < STORE_PARAMS_MAX && len <= INT32_MAX);
	query->values[query->count] = bytes;
	query->lens[query->count] = (int)len;
	query->formats[query->count] = 1;
	query->count++;
}

void
store_query_text(struct store_query *query, const char *text)
{
	assert(query->count < STORE_PARAMS_MAX);
	query->values[query->count] = text;
	query->lens[query->count] = 0;
	query->formats[query->count] = 0;
	query->count++;
}

void
store_query_int(struct store_query *query, int64_t value)
{
	assert(query->count < STORE_PARAMS_MAX);
	snprintf(query->digits[query->count], STORE_DIGITS_SIZE, "%lld",
	    (long long)value);
	store_query_text(query, query->digits[query->count]);
}

void
store_query_int_or_null(struct store_query *query, int64_t value)
{
	if (value != 0)
		store_query_int(query, value);
	else
		store_query_text(query, NULL);
}

/* --------------------------------------------------------------- running */

bool
store_query_run(struct store *store, const struct store_query *query,
    int64_t deadline, PGresult **rows, struct err *err)
{
	const struct store_statement statement = {
		.sql = texts[query->function],
		.count = query->count,
		.values = query->values,
		.lens = query->lens,
		.formats = query->formats,
	};

	return store_pool_exec(store->pool, &statement, deadline, rows, err);
}

bool
store_query_row(struct store *store, const struct store_query *query,
    int64_t deadline, PGresult **rows, struct err *err)
{
	PGresult *result = NULL;

	if (!store_query_run(store, query, deadline, &result, err))
		return false;
	if (PQntuples(result) != 1) {
		err_set(err, ERR_BUG, "%d rows, not one: %s",
		    PQntuples(result), texts[query->function]);
		PQclear(result);
		return false;
	}
	*rows = result;
	return true;
}

/* --------------------------------------------------------------- reading */

static bool
rows_cell(const PGresult *rows, int row, const char *column,
    const char **out, struct err *err)
{
	int number = PQfnumber(rows, column);

	if (number < 0)
		return err_set(err, ERR_BUG, "no column \"%s\"", column);
	*out = PQgetisnull(rows, row, number) ? NULL
	    : PQgetvalue(rows, row, number);
	return true;
}

bool
store_rows_text(const PGresult *rows, int row, const char *column, char *out,
    size_t size, struct err *err)
{
	const char *text = NULL;

	if (!rows_cell(rows, row, column, &text, err))
		return false;
	if (!str_copy(out, size, text != NULL ? text : ""))
		return err_set(err, ERR_BUG, "too long: \"%s\"", column);
	return true;
}

bool
store_rows_int(const PGresult *rows, const char *column, int64_t *out,
    struct err *err)
{
	const char *text = NULL;
	char *end = NULL;
	long long value = 0;

	if (!rows_cell(rows, 0, column, &text, err))
		return false;
	if (text != NULL) {
		errno = 0;
		value = strtoll(text, &end, 10);
		if (errno != 0 || end == text || *end != '\0')
			return err_set(err, ERR_BUG, "no number: \"%s\"",
			    column);
	}
	*out = value;
	return true;
}

bool
store_rows_bool(const PGresult *rows, const char *column, bool *out,
    struct err *err)
{
	static const struct store_word words[] = {
		{ "t", true }, { "f", false }, { NULL, 0 },
	};
	int value = 0;

	if (!store_rows_word(rows, column, words, &value, err))
		return false;
	*out = value != 0;
	return true;
}

bool
store_rows_copy(const PGresult *rows, const char *column, char **out,
    struct err *err)
{
	const char *text = NULL;
	char *copy = NULL;

	if (!rows_cell(rows, 0, column, &text, err))
		return false;
	if (text != NULL) {
		copy = strdup(text);
		if (copy == NULL)
			return err_set(err, ERR_BUG, "out of memory");
	}
	*out = copy;
	return true;
}

bool
store_rows_word(const PGresult *rows, const char *column,
    const struct store_word *words, int *out, struct err *err)
{
	const char *text = NULL;

	if (!rows_cell(rows, 0, column, &text, err))
		return false;
	for (; text != NULL && words->word != NULL; words++) {
		if (str_eq(words->word, text)) {
			*out = words->value;
			return true;
		}
	}
	return err_set(err, ERR_BUG, "unknown word \"%.40s\" in \"%s\"",
	    text != NULL ? text : "", column);
}

bool
store_rows_api(const PGresult *rows, enum payment_api *out, struct err *err)
{
	const char *text = NULL;

	if (!rows_cell(rows, 0, "api", &text, err))
		return false;
	if (text != NULL && !payment_api_parse(text, out))
		return err_set(err, ERR_BUG, "unknown api \"%.10s\"", text);
	return true;
}

/* ------------------------------------------------------ one-cell answers */

bool
store_query_word(struct store *store, const struct store_query *query,
    int64_t deadline, const struct store_word *words, int *out,
    struct err *err)
{
	PGresult *rows = NULL;
	bool ok = store_query_row(store, query, deadline, &rows, err)
	    && store_rows_word(rows, PQfname(rows, 0), words, out, err);

	PQclear(rows);
	return ok;
}

bool
store_query_value(struct store *store, const struct store_query *query,
    int64_t deadline, char **text, struct err *err)
{
	PGresult *rows = NULL;
	bool ok = store_query_row(store, query, deadline, &rows, err)
	    && store_rows_copy(rows, PQfname(rows, 0), text, err);

	PQclear(rows);
	return ok;
}

bool
store_query_count(struct store *store, const struct store_query *query,
    int64_t deadline, long *count, struct err *err)
{
	PGresult *rows = NULL;
	int64_t value = 0;
	bool ok = store_query_row(store, query, deadline, &rows, err)
	    && store_rows_int(rows, PQfname(rows, 0), &value, err);

	PQclear(rows);
	if (ok)
		*count = (long)value;
	return ok;
}
