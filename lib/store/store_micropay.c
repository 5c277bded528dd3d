#include "store/store_micropay.h"

#include "store/store_payment.h"
#include "store/store_query.h"

/* The verdicts of order_settle, and the states of a payment. */
static const struct store_word states[] = {
	{ "settled", STORE_MICROPAY_SETTLED },
	{ "already", STORE_MICROPAY_PAID },
	{ "second", STORE_MICROPAY_SECOND },	/* of a payment, too */
	{ "differs", STORE_MICROPAY_DIFFERS },
	{ "paid", STORE_MICROPAY_PAID },
	{ "created", STORE_MICROPAY_PENDING },
	{ "reversing", STORE_MICROPAY_PENDING },
	{ "closed", STORE_MICROPAY_REFUSED },
	{ "reversed", STORE_MICROPAY_REVERSED },
	{ NULL, 0 },
};

static bool
micropay_state(struct store *store, const struct store_query *query,
    int64_t deadline, enum store_micropay_state *out, struct err *err)
{
	int word = 0;

	if (!store_query_word(store, query, deadline, states, &word, err))
		return false;
	*out = (enum store_micropay_state)word;
	return true;
}

static bool
start_read(const PGresult *rows, struct store_micropaid *out,
    struct err *err)
{
	int word = STORE_MICROPAY_PENDING;

	if (!store_payment_paid(rows, &out->paid, err)
	    || (out->paid.verdict == STORE_PAY_STANDS
	    && !store_rows_word(rows, "payment_state", states, &word, err))
	    || !store_rows_text(rows, 0, "refusal", out->refusal,
	    sizeof(out->refusal), err))
		return false;
	out->state = (enum store_micropay_state)word;
	return true;
}

bool
store_micropay_start(struct store *store, const struct store_pay *pay,
    const char *operator, int64_t deadline, struct store_micropaid *out,
    struct err *err)
{
	struct store_micropaid micropaid = { 0 };
	struct store_query query;
	PGresult *rows = NULL;
	bool ok = false;

	store_query_init(&query, STORE_SQL_MICROPAY_START, store);
	store_payment_what(&query, pay);
	store_query_text(&query, pay->client_ip);
	store_payment_payee(&query, &pay->payee);
	store_query_text(&query, pay->nonce);
	store_query_int(&query, pay->lease_s);
	store_query_int(&query, pay->close_after_s);
	store_query_text(&query, operator);
	ok = store_query_row(store, &query, deadline, &rows, err)
	    && start_read(rows, &micropaid, err);
	if (ok)
		*out = micropaid;
	PQclear(rows);
	return ok;
}

bool
store_micropay_told(struct store *store, const struct store_outcome *outcome,
    const struct payment_facts *facts, const char *refusal, int64_t deadline,
    enum store_micropay_state *out, struct err *err)
{
	struct store_query query;

	store_payment_outcome(&query, STORE_SQL_MICROPAY_TOLD, store, outcome);
	store_payment_facts(&query, facts);
	store_query_int(&query, outcome->check_s);
	store_query_text(&query, refusal);
	return micropay_state(store, &query, deadline, out, err);
}

bool
store_micropay_claim(struct store *store, const char *out_trade_no,
    const char *nonce, long lease_s, int64_t deadline,
    struct store_payment_claim *out, bool *found, struct err *err)
{
	struct store_query query;

	store_query_init(&query, STORE_SQL_MICROPAY_CLAIM, store);
	store_query_text(&query, out_trade_no);
	store_query_text(&query, nonce);
	store_query_int(&query, lease_s);
	return store_payment_claimed(store, &query, deadline, out, found,
	    err);
}

bool
store_micropay_asked(struct store *store, const struct store_outcome *outcome,
    const struct payment_facts *facts, int64_t deadline,
    enum store_micropay_state *out, struct err *err)
{
	struct store_query query;

	store_payment_outcome(&query, STORE_SQL_MICROPAY_ASKED, store,
	    outcome);
	store_payment_facts(&query, facts);
	store_query_text(&query, facts != NULL ? facts->trade_type : "");
	store_query_int(&query, outcome->check_s);
	return micropay_state(store, &query, deadline, out, err);
}

bool
store_micropay_reversed(struct store *store,
    const struct store_outcome *outcome, int64_t deadline,
    enum store_micropay_state *out, struct err *err)
{
	struct store_query query;

	store_payment_outcome(&query, STORE_SQL_MICROPAY_REVERSED, store,
	    outcome);
	store_query_int(&query, outcome->check_s);
	return micropay_state(store, &query, deadline, out, err);
}

bool
store_micropay_expire(struct store *store, int limit, int64_t deadline,
    long *count, struct err *err)
{
	struct store_query query;

	store_query_init(&query, STORE_SQL_MICROPAY_EXPIRE, store);
	store_query_int(&query, limit);
	return store_query_count(store, &query, deadline, count, err);
}
