#include "store/store_order.h"

#include "store/store_payment.h"
#include "store/store_query.h"

/* ------------------------------------------------------------- POST /pay */

static void
pay_add_how(struct store_query *query, const struct store_pay *pay)
{
	store_query_text(query, pay->trade_type);
	store_query_text(query, pay->openid != NULL ? pay->openid : "");
	store_query_text(query, pay->client_ip);
	store_query_text(query, pay->api);
	store_payment_payee(query, &pay->payee);
	store_query_text(query, pay->keep_payer ? "true" : "false");
	store_query_text(query, pay->nonce);
	store_query_int(query, pay->lease_s);
	store_query_int(query, pay->close_after_s);
	store_query_int(query, pay->check_s);
}

bool
store_pay_start(struct store *store, const struct store_pay *pay,
    int64_t deadline, struct store_paid *out, struct err *err)
{
	struct store_paid paid = { 0 };
	struct store_query query;
	PGresult *rows = NULL;
	bool ok = false;

	store_query_init(&query, STORE_SQL_PAY_START, store);
	store_payment_what(&query, pay);
	pay_add_how(&query, pay);
	ok = store_query_row(store, &query, deadline, &rows, err)
	    && store_payment_paid(rows, &paid, err);
	if (ok)
		*out = paid;
	PQclear(rows);
	return ok;
}

static bool
query_payment_state(struct store *store, const struct store_query *query,
    int64_t deadline, enum store_payment_state *out, struct err *err)
{
	static const struct store_word words[] = {
		{ "created", STORE_PAYMENT_CREATED },
		{ "prepaid", STORE_PAYMENT_PREPAID },
		{ "paid", STORE_PAYMENT_PAID },
		{ "closed", STORE_PAYMENT_CLOSED },
		{ "stale", STORE_PAYMENT_STALE },
		{ NULL, 0 },
	};
	int word = 0;

	if (!store_query_word(store, query, deadline, words, &word, err))
		return false;
	*out = (enum store_payment_state)word;
	return true;
}

bool
store_payment_prepaid(struct store *store,
    const struct store_outcome *outcome, const struct payment_prepay *prepay,
    int64_t deadline, enum store_payment_state *out, struct err *err)
{
	struct store_query query;

	store_payment_outcome(&query, STORE_SQL_PREPAID, store, outcome);
	store_query_text(&query, prepay->prepay_id);
	store_query_text(&query, prepay->code_url);
	store_query_text(&query, prepay->h5_url);
	store_query_int(&query, outcome->check_s);
	return query_payment_state(store, &query, deadline, out, err);
}

/* ----------------------------------------------------- asking and closing */

bool
store_payment_claim(struct store *store, const char *out_trade_no,
    const char *nonce, long lease_s, int64_t deadline,
    struct store_payment_claim *out, bool *found, struct err *err)
{
	struct store_query query;

	store_query_init(&query, STORE_SQL_CLAIM, store);
	store_query_text(&query, out_trade_no);
	store_query_text(&query, nonce);
	store_query_int(&query, lease_s);
	return store_payment_claimed(store, &query, deadline, out, found,
	    err);
}

bool
store_payment_told(struct store *store, const struct store_outcome *outcome,
    const struct payment_facts *facts, int64_t deadline,
    enum store_settled *out, struct err *err)
{
	static const struct store_word words[] = {
		{ "settled", STORE_SETTLED },
		{ "already", STORE_ALREADY },
		{ "second", STORE_SECOND },
		{ "differs", STORE_DIFFERS },
		{ "unknown", STORE_UNKNOWN },
		/* the payment's state */
		{ "created", STORE_NOT_PAID },
		{ "prepaid", STORE_NOT_PAID },
		{ "paid", STORE_NOT_PAID },
		{ "closed", STORE_NOT_PAID },
		{ NULL, 0 },
	};
	struct store_query query;
	int word = 0;

	store_payment_outcome(&query, STORE_SQL_TOLD, store, outcome);
	store_payment_facts(&query, facts);
	store_query_int(&query, outcome->check_s);
	if (!store_query_word(store, &query, deadline, words, &word, err))
		return false;
	*out = (enum store_settled)word;
	return true;
}

bool
store_payment_closed(struct store *store,
    const struct store_outcome *outcome, int64_t deadline,
    enum store_payment_state *out, struct err *err)
{
	struct store_query query;

	store_payment_outcome(&query, STORE_SQL_CLOSED, store, outcome);
	store_query_int(&query, outcome->check_s);
	return query_payment_state(store, &query, deadline, out, err);
}

bool
store_transaction_ask(struct store *store, const char *nonce,
    int64_t deadline, int64_t *call_no, struct err *err)
{
	struct store_query query;
	PGresult *rows = NULL;
	bool ok = false;

	store_query_init(&query, STORE_SQL_TRANSACTION_ASK, store);
	store_query_text(&query, nonce);
	ok = store_query_row(store, &query, deadline, &rows, err)
	    && store_rows_int(rows, "transaction_ask", call_no, err);
	PQclear(rows);
	return ok;
}

bool
store_transaction_told(struct store *store,
    const struct store_outcome *outcome, int64_t deadline,
    char order_no[static ORDER_NO_MAX + 1], struct err *err)
{
	struct store_query query;
	PGresult *rows = NULL;
	bool ok = false;

	store_query_init(&query, STORE_SQL_TRANSACTION_TOLD, store);
	store_query_int(&query, outcome->call_no);
	store_query_text(&query, outcome->verdict);
	store_query_text(&query, outcome->code);
	store_query_text(&query, outcome->out_trade_no);
	ok = store_query_row(store, &query, deadline, &rows, err)
	    && store_rows_text(rows, 0, "transaction_told", order_no,
		ORDER_NO_MAX + 1, err);
	PQclear(rows);
	return ok;
}

/* -------------------------------------------------- the shopper and staff */

static bool
close_read(const PGresult *rows, struct store_close *out, struct err *err)
{
	static const struct store_word verdicts[] = {
		{ "closed", STORE_CLOSE_CLOSED },
		{ "call", STORE_CLOSE_CALL },
		{ "closing", STORE_CLOSE_CLOSING },
		{ "paid", STORE_CLOSE_PAID },
		{ "unknown", STORE_CLOSE_UNKNOWN },
		{ NULL, 0 },
	};
	int verdict = 0;

	if (!store_rows_word(rows, "verdict", verdicts, &verdict, err)
	    || (verdict == STORE_CLOSE_CALL && !store_payment_key(rows, &out->key, err))
	    || !store_rows_int(rows, "lease_no", &out->lease_no, err)
	    || !store_rows_int(rows, "call_no", &out->call_no, err))
		return false;
	out->verdict = (enum store_close_verdict)verdict;
	return true;
}

bool
store_order_close(struct store *store, const char *order_no,
    const char *token, const char *nonce, long lease_s, int64_t deadline,
    struct store_close *out, struct err *err)
{
	struct store_close closing = { 0 };
	struct store_query query;
	PGresult *rows = NULL;
	bool ok = false;

	store_query_init(&query, STORE_SQL_ORDER_CLOSE, store);
	store_query_text(&query, order_no);
	store_query_text(&query, token);
	store_query_text(&query, nonce);
	store_query_int(&query, lease_s);
	ok = store_query_row(store, &query, deadline, &rows, err)
	    && close_read(rows, &closing, err);
	if (ok)
		*out = closing;
	PQclear(rows);
	return ok;
}

bool
store_order_check(struct store *store, const char *order_no,
    const char *token, int64_t deadline, enum store_check_verdict *out,
    struct err *err)
{
	static const struct store_word words[] = {
		{ "asked", STORE_CHECK_ASKED },
		{ "early", STORE_CHECK_EARLY },
		{ "paid", STORE_CHECK_PAID },
		{ "closed", STORE_CHECK_CLOSED },
		{ "unknown", STORE_CHECK_UNKNOWN },
		{ NULL, 0 },
	};
	struct store_query query;
	int word = 0;

	store_query_init(&query, STORE_SQL_ORDER_CHECK, store);
	store_query_text(&query, order_no);
	store_query_text(&query, token);
	if (!store_query_word(store, &query, deadline, words, &word, err))
		return false;
	*out = (enum store_check_verdict)word;
	return true;
}

bool
store_order_show(struct store *store, const char *order_no,
    const char *token, int64_t deadline, char **json, struct err *err)
{
	struct store_query query;

	store_query_init(&query, STORE_SQL_ORDER_SHOW, store);
	store_query_text(&query, order_no);
	store_query_text(&query, token);
	return store_query_value(store, &query, deadline, json, err);
}

bool
store_order_code_url(struct store *store, const char *order_no,
    const char *token, int64_t deadline, char **url, struct err *err)
{
	struct store_query query;

	store_query_init(&query, STORE_SQL_ORDER_CODE_URL, store);
	store_query_text(&query, order_no);
	store_query_text(&query, token);
	return store_query_value(store, &query, deadline, url, err);
}

bool
store_order_state(struct store *store, const char *order_no,
    int64_t deadline, char state[static 9], struct err *err)
{
	struct store_query query;
	PGresult *rows = NULL;
	bool ok = false;

	store_query_init(&query, STORE_SQL_ORDER_STATE, store);
	store_query_text(&query, order_no);
	ok = store_query_row(store, &query, deadline, &rows, err)
	    && store_rows_text(rows, 0, "order_state", state, 9, err);
	PQclear(rows);
	return ok;
}

bool
store_order_staff(struct store *store, const char *order_no,
    int64_t deadline, char **json, struct err *err)
{
	struct store_query query;

	store_query_init(&query, STORE_SQL_ORDER_STAFF, store);
	store_query_text(&query, order_no);
	return store_query_value(store, &query, deadline, json, err);
}

bool
store_orders_list(struct store *store, const char *state,
    const char *order_no, int64_t after, int limit, int64_t deadline,
    char **json, struct err *err)
{
	struct store_query query;

	store_query_init(&query, STORE_SQL_ORDERS_LIST, store);
	store_query_text(&query, state);
	store_query_text(&query, order_no);
	store_query_int_or_null(&query, after);
	store_query_int(&query, limit);
	return store_query_value(store, &query, deadline, json, err);
}

bool
store_order_payments(struct store *store, const char *order_no,
    int64_t deadline, char (*out_trade_nos)[OUT_TRADE_NO_MAX + 1], size_t max,
    size_t *count, struct err *err)
{
	struct store_query query;
	PGresult *rows = NULL;
	int most = 0;
	int row = 0;
	bool ok = false;

	store_query_init(&query, STORE_SQL_ORDER_PAYMENTS, store);
	store_query_text(&query, order_no);
	ok = store_query_run(store, &query, deadline, &rows, err);
	if (ok)
		most = (size_t)PQntuples(rows) < max ? PQntuples(rows)
		    : (int)max;
	while (ok && row < most) {
		ok = store_rows_text(rows, row, "out_trade_no",
		    out_trade_nos[row], sizeof(out_trade_nos[row]), err);
		row++;
	}
	if (ok)
		*count = (size_t)most;
	PQclear(rows);
	return ok;
}

/* -------------------------------------------------------- what time brings */

bool
store_order_expire(struct store *store, int limit, int64_t deadline,
    long *count, struct err *err)
{
	struct store_query query;

	store_query_init(&query, STORE_SQL_ORDER_EXPIRE, store);
	store_query_int(&query, limit);
	return store_query_count(store, &query, deadline, count, err);
}

bool
store_events_number(struct store *store, int64_t deadline, long *count,
    struct err *err)
{
	struct store_query query;

	store_query_init(&query, STORE_SQL_EVENTS_NUMBER, store);
	return store_query_count(store, &query, deadline, count, err);
}

bool
store_calls_sweep(struct store *store, int64_t deadline, long *count,
    struct err *err)
{
	struct store_query query;

	store_query_bare(&query, STORE_SQL_CALLS_SWEEP);
	return store_query_count(store, &query, deadline, count, err);
}

bool
store_partitions_ahead(struct store *store, int64_t deadline, long *count,
    struct err *err)
{
	struct store_query query;

	store_query_bare(&query, STORE_SQL_PARTITIONS_AHEAD);
	return store_query_count(store, &query, deadline, count, err);
}
