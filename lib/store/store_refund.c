#include "store/store_refund.h"

#include "store/store_payment.h"
#include "store/store_query.h"

static bool
refund_read_request(const PGresult *rows, enum store_refund_verdict *verdict,
    char **json, fen_t *left_fen, struct err *err)
{
	static const struct store_word words[] = {
		{ "requested", STORE_REFUND_REQUESTED },
		{ "same", STORE_REFUND_SAME },
		{ "differs", STORE_REFUND_DIFFERS },
		{ "unknown", STORE_REFUND_UNKNOWN },
		{ "unpaid", STORE_REFUND_UNPAID },
		{ "overdue", STORE_REFUND_OVERDUE },
		{ "too_much", STORE_REFUND_TOO_MUCH },
		{ "too_many", STORE_REFUND_TOO_MANY },
		{ NULL, 0 },
	};
	int word = 0;
	int64_t left = 0;

	if (!store_rows_word(rows, "verdict", words, &word, err)
	    || !store_rows_int(rows, "left_fen", &left, err)
	    || !store_rows_copy(rows, "refund", json, err))
		return false;
	*verdict = (enum store_refund_verdict)word;
	*left_fen = left;
	return true;
}

bool
store_refund_request(struct store *store, const struct store_refund_ask *ask,
    int64_t deadline, enum store_refund_verdict *verdict, char **json,
    fen_t *left_fen, struct err *err)
{
	struct store_query query;
	PGresult *rows = NULL;
	bool ok = false;

	store_query_init(&query, STORE_SQL_REFUND_REQUEST, store);
	store_query_text(&query, ask->order_no);
	store_query_text(&query, ask->token);
	store_query_text(&query, ask->out_trade_no);
	store_query_int_or_null(&query, ask->refund_fen);
	store_query_text(&query, ask->reason);
	store_query_text(&query, ask->request_id);
	store_query_text(&query, ask->actor);
	ok = store_query_row(store, &query, deadline, &rows, err)
	    && refund_read_request(rows, verdict, json, left_fen, err);
	PQclear(rows);
	return ok;
}

static bool
refund_read_decide(const PGresult *rows, enum store_decide_verdict *verdict,
    char state[static 10], struct err *err)
{
	static const struct store_word words[] = {
		{ "done", STORE_DECIDE_DONE },
		{ "decided", STORE_DECIDE_DECIDED },
		{ "too_much", STORE_DECIDE_TOO_MUCH },
		{ "unknown", STORE_DECIDE_UNKNOWN },
		{ NULL, 0 },
	};
	int word = 0;

	if (!store_rows_word(rows, "verdict", words, &word, err)
	    || !store_rows_text(rows, 0, "state", state, 10, err))
		return false;
	*verdict = (enum store_decide_verdict)word;
	return true;
}

bool
store_refund_decide(struct store *store, const char *out_refund_no,
    const char *decision, const char *operator, const char *reason,
    const char *decision_id, long gap_s, int64_t deadline,
    enum store_decide_verdict *verdict, char state[static 10],
    struct err *err)
{
	struct store_query query;
	PGresult *rows = NULL;
	bool ok = false;

	store_query_init(&query, STORE_SQL_REFUND_DECIDE, store);
	store_query_text(&query, out_refund_no);
	store_query_text(&query, decision);
	store_query_text(&query, operator);
	store_query_text(&query, reason);
	store_query_int(&query, gap_s);
	store_query_text(&query, decision_id);
	ok = store_query_row(store, &query, deadline, &rows, err)
	    && refund_read_decide(rows, verdict, state, err);
	PQclear(rows);
	return ok;
}

static bool
refund_read_claim(const PGresult *rows, struct store_refund_claim *out,
    struct err *err)
{
	static const struct store_word ops[] = {
		{ "send", STORE_REFUND_SEND },
		{ "query", STORE_REFUND_QUERY },
		{ "hint", STORE_REFUND_HINT },
		{ NULL, 0 },
	};
	struct refund *refund = &out->refund;
	int op = 0;
	int64_t age = 0;

	if (!store_rows_word(rows, "op", ops, &op, err)
	    || !store_rows_text(rows, 0, "out_refund_no",
		refund->out_refund_no, sizeof(refund->out_refund_no), err)
	    || !store_rows_text(rows, 0, "out_trade_no", refund->out_trade_no,
		sizeof(refund->out_trade_no), err)
	    || !store_rows_text(rows, 0, "transaction_id",
		refund->transaction_id, sizeof(refund->transaction_id), err)
	    || !store_payment_payee_of(rows, &refund->payee, err)
	    || !store_rows_text(rows, 0, "reason", refund->reason,
		sizeof(refund->reason), err)
	    || !store_rows_api(rows, &refund->api, err)
	    || !store_rows_int(rows, "total_fen", &refund->total_fen, err)
	    || !store_rows_int(rows, "refund_fen", &refund->refund_fen, err)
	    || !store_rows_bool(rows, "from_recharge", &refund->from_recharge,
		err)
	    || !store_rows_bool(rows, "is_abnormal", &out->is_abnormal, err)
	    || !store_rows_int(rows, "age_s", &age, err)
	    || !store_rows_int(rows, "lease_no", &out->lease_no, err)
	    || !store_rows_int(rows, "call_no", &out->call_no, err))
		return false;
	out->op = (enum store_refund_op)op;
	out->age_s = (long)age;
	return true;
}

bool
store_refund_claim(struct store *store, const char *out_refund_no,
    const char *nonce, long lease_s, int64_t deadline,
    struct store_refund_claim *out, bool *found, struct err *err)
{
	struct store_refund_claim claim = { 0 };
	struct store_query query;
	PGresult *rows = NULL;
	bool ok = false;

	store_query_init(&query, STORE_SQL_REFUND_CLAIM, store);
	store_query_text(&query, out_refund_no);
	store_query_text(&query, nonce);
	store_query_int(&query, lease_s);
	ok = store_query_run(store, &query, deadline, &rows, err)
	    && (PQntuples(rows) == 0
		|| refund_read_claim(rows, &claim, err));
	if (ok) {
		*found = PQntuples(rows) > 0;
		*out = claim;
	}
	PQclear(rows);
	return ok;
}

/* The words that refund_told.sql knows; "" moves nothing. */
static const char *
refund_fate_word(const struct refund_facts *facts)
{
	static const char *const words[] = {
		[REFUND_UNKNOWN] = "",
		[REFUND_PROCESSING] = "processing",
		[REFUND_SUCCESS] = "success",
		[REFUND_CLOSED] = "closed",
		[REFUND_ABNORMAL] = "abnormal",
	};

	return facts != NULL ? words[facts->fate] : "";
}

static void
refund_add_facts(struct store_query *query,
    const struct store_refund_outcome *outcome)
{
	const struct refund_facts *facts = outcome->facts;

	store_query_text(query, refund_fate_word(facts));
	store_query_text(query, facts != NULL && facts->refund_id[0] != '\0'
	    ? facts->refund_id : outcome->refund_id);
	if (facts != NULL) {
		store_query_text(query, facts->out_trade_no);
		store_query_text(query, facts->sub_mchid);
		store_query_int(query, facts->refund_fen);
		store_query_int(query, facts->refunded_at);
	} else {
		store_query_text(query, NULL);
		store_query_text(query, NULL);
		store_query_text(query, NULL);
		store_query_text(query, NULL);
	}
}

bool
store_refund_told(struct store *store,
    const struct store_refund_outcome *outcome, int64_t deadline,
    enum store_refund_state *out, struct err *err)
{
	static const char *const ops[] = {
		[STORE_REFUND_SEND] = "send",
		[STORE_REFUND_QUERY] = "query",
		[STORE_REFUND_HINT] = "hint",
	};
	static const struct store_word words[] = {
		{ "pending", STORE_REFUND_PENDING },
		{ "refunding", STORE_REFUND_REFUNDING },
		{ "refunded", STORE_REFUND_REFUNDED },
		{ "failed", STORE_REFUND_FAILED },
		{ "rejected", STORE_REFUND_REJECTED },
		{ "hint", STORE_REFUND_HINTED },
		{ "unexpected", STORE_REFUND_UNEXPECTED },
		{ "unknown", STORE_REFUND_FOREIGN_UNKNOWN },
		{ NULL, 0 },
	};
	const struct store_refund_claim *claim = outcome->claim;
	struct store_query query;
	int word = 0;

	store_query_init(&query, STORE_SQL_REFUND_TOLD, store);
	store_query_text(&query, claim->refund.out_refund_no);
	store_query_text(&query, ops[claim->op]);
	store_query_int(&query, claim->lease_no);
	store_query_int(&query, claim->call_no);
	store_query_text(&query, outcome->verdict);
	store_query_text(&query, outcome->code);
	refund_add_facts(&query, outcome);
	store_query_int(&query, outcome->check_s);
	store_query_int(&query, outcome->gap_s);
	if (!store_query_word(store, &query, deadline, words, &word, err))
		return false;
	*out = (enum store_refund_state)word;
	return true;
}

bool
store_refund_show(struct store *store, const char *out_refund_no,
    const char *token, int64_t deadline, char **json, struct err *err)
{
	struct store_query query;

	store_query_init(&query, STORE_SQL_REFUND_SHOW, store);
	store_query_text(&query, out_refund_no);
	store_query_text(&query, token);
	return store_query_value(store, &query, deadline, json, err);
}

bool
store_refunds_list(struct store *store, const char *state, int64_t after,
    int limit, int64_t deadline, char **json, struct err *err)
{
	struct store_query query;

	store_query_init(&query, STORE_SQL_REFUNDS_LIST, store);
	store_query_text(&query, state);
	store_query_int_or_null(&query, after);
	store_query_int(&query, limit);
	return store_query_value(store, &query, deadline, json, err);
}
