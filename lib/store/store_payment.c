#include "store/store_payment.h"

void
store_payment_what(struct store_query *query, const struct store_pay *pay)
{
	store_query_text(query, pay->way);
	store_query_text(query, pay->product_id);
	store_query_int(query, pay->quantity);
	store_query_text(query, pay->order_no);
	store_query_text(query, pay->token);
	store_query_int_or_null(query, pay->total_fen);
	store_query_text(query, pay->body);
	store_query_int_or_null(query, pay->time_expire);
	store_query_text(query, pay->attach);
	store_query_text(query, pay->return_url);
	store_query_text(query, pay->request_id);
	store_query_int(query, pay->life_s);
}

void
store_payment_payee(struct store_query *query,
    const struct payment_payee *payee)
{
	store_query_text(query, payee->appid);
	store_query_text(query, payee->sub_mchid);
	store_query_text(query, payee->sub_appid);
}

bool
store_payment_payee_of(const PGresult *rows, struct payment_payee *out,
    struct err *err)
{
	return store_rows_text(rows, 0, "appid", out->appid,
		sizeof(out->appid), err)
	    && store_rows_text(rows, 0, "sub_mchid", out->sub_mchid,
		sizeof(out->sub_mchid), err)
	    && store_rows_text(rows, 0, "sub_appid", out->sub_appid,
		sizeof(out->sub_appid), err);
}

bool
store_payment_key(const PGresult *rows, struct payment_key *out,
    struct err *err)
{
	return store_rows_api(rows, &out->api, err)
	    && store_rows_text(rows, 0, "out_trade_no", out->out_trade_no,
		sizeof(out->out_trade_no), err)
	    && store_payment_payee_of(rows, &out->payee, err);
}

static bool
pay_read_payment(const PGresult *rows, struct payment *out, struct err *err)
{
	return store_rows_api(rows, &out->api, err)
	    && store_rows_text(rows, 0, "out_trade_no", out->out_trade_no,
		sizeof(out->out_trade_no), err)
	    && store_payment_payee_of(rows, &out->payee, err)
	    && store_rows_text(rows, 0, "trade_type", out->trade_type,
		sizeof(out->trade_type), err)
	    && store_rows_text(rows, 0, "openid", out->openid,
		sizeof(out->openid), err)
	    && store_rows_text(rows, 0, "client_ip", out->client_ip,
		sizeof(out->client_ip), err)
	    && store_rows_text(rows, 0, "body", out->body,
		sizeof(out->body), err)
	    && store_rows_text(rows, 0, "attach", out->attach,
		sizeof(out->attach), err)
	    && store_rows_text(rows, 0, "product_id", out->product_id,
		sizeof(out->product_id), err)
	    && store_rows_int(rows, "total_fen", &out->total_fen, err)
	    && store_rows_int(rows, "time_expire", &out->time_expire, err);
}

bool
store_payment_paid(const PGresult *rows, struct store_paid *out,
    struct err *err)
{
	static const struct store_word verdicts[] = {
		{ "ready", STORE_PAY_READY },
		{ "call", STORE_PAY_CALL },
		{ "ask", STORE_PAY_ASK },
		{ "wait", STORE_PAY_WAIT },
		{ "paid", STORE_PAY_PAID },
		{ "closing", STORE_PAY_CLOSING },
		{ "closed", STORE_PAY_CLOSED },
		{ "expired", STORE_PAY_EXPIRED },
		{ "exhausted", STORE_PAY_EXHAUSTED },
		{ "differs", STORE_PAY_DIFFERS },
		{ "price", STORE_PAY_PRICE },
		{ "unknown", STORE_PAY_UNKNOWN },
		{ "too_much", STORE_PAY_TOO_MUCH },
		{ "openid", STORE_PAY_OPENID },
		{ "stands", STORE_PAY_STANDS },
		{ "busy", STORE_PAY_BUSY },
		{ NULL, 0 },
	};
	struct payment_prepay *prepay = &out->prepay;
	int verdict = 0;

	if (!store_rows_word(rows, "verdict", verdicts, &verdict, err)
	    || !store_rows_text(rows, 0, "order_no", out->order_no,
		sizeof(out->order_no), err)
	    || !store_rows_text(rows, 0, "token", out->token,
		sizeof(out->token), err)
	    || !store_rows_text(rows, 0, "order_state", out->order_state,
		sizeof(out->order_state), err)
	    || !store_rows_text(rows, 0, "return_url", out->return_url,
		sizeof(out->return_url), err)
	    || !pay_read_payment(rows, &out->payment, err)
	    || !store_rows_text(rows, 0, "prepay_id", prepay->prepay_id,
		sizeof(prepay->prepay_id), err)
	    || !store_rows_text(rows, 0, "code_url", prepay->code_url,
		sizeof(prepay->code_url), err)
	    || !store_rows_text(rows, 0, "h5_url", prepay->h5_url,
		sizeof(prepay->h5_url), err)
	    || !store_rows_int(rows, "lease_no", &out->lease_no, err)
	    || !store_rows_int(rows, "call_no", &out->call_no, err))
		return false;
	out->verdict = (enum store_pay_verdict)verdict;
	return true;
}

void
store_payment_outcome(struct store_query *query,
    enum store_function function, const struct store *store,
    const struct store_outcome *outcome)
{
	store_query_init(query, function, store);
	store_query_text(query, outcome->out_trade_no);
	store_query_int(query, outcome->lease_no);
	store_query_int(query, outcome->call_no);
	store_query_text(query, outcome->verdict);
	store_query_text(query, outcome->code);
}

/* The words that payment_told.sql and its like know; "" moves nothing. */
static const char *
payment_fate_word(const struct payment_facts *facts)
{
	static const char *const words[] = {
		[PAYMENT_UNKNOWN] = "",
		[PAYMENT_UNPAID] = "unpaid",
		[PAYMENT_FAILED] = "failed",
		[PAYMENT_PAID] = "paid",
		[PAYMENT_CLOSED] = "closed",
	};

	return words[facts->fate];
}

void
store_payment_facts(struct store_query *query,
    const struct payment_facts *facts)
{
	static const struct payment_facts none = { .fate = PAYMENT_UNKNOWN };

	if (facts == NULL)
		facts = &none;
	store_query_text(query, payment_fate_word(facts));
	store_query_text(query, facts->transaction_id);
	store_query_text(query, facts->appid);
	store_query_text(query, facts->sub_mchid);
	store_query_int(query, facts->total_fen);
	store_query_text(query, facts->currency);
	store_query_text(query, facts->openid);
	store_query_text(query, facts->bank_type);
	store_query_int(query, facts->paid_at);
}

static bool
claim_read(const PGresult *rows, struct store_payment_claim *out,
    struct err *err)
{
	static const struct store_word ops[] = {
		{ "query", STORE_PAYMENT_QUERY },
		{ "close", STORE_PAYMENT_CLOSE },
		{ "reverse", STORE_PAYMENT_REVERSE },
		{ NULL, 0 },
	};
	int op = 0;
	int64_t age = 0;

	if (!store_rows_word(rows, "op", ops, &op, err)
	    || !store_payment_key(rows, &out->key, err)
	    || !store_rows_text(rows, 0, "order_no", out->order_no,
		sizeof(out->order_no), err)
	    || !store_rows_int(rows, "total_fen", &out->total_fen, err)
	    || !store_rows_int(rows, "age_s", &age, err)
	    || !store_rows_int(rows, "lease_no", &out->lease_no, err)
	    || !store_rows_int(rows, "call_no", &out->call_no, err))
		return false;
	out->op = (enum store_payment_op)op;
	out->age_s = (long)age;
	return true;
}

bool
store_payment_claimed(struct store *store, const struct store_query *query,
    int64_t deadline, struct store_payment_claim *out, bool *found,
    struct err *err)
{
	struct store_payment_claim claim = { 0 };
	PGresult *rows = NULL;
	bool ok = false;

	ok = store_query_run(store, query, deadline, &rows, err)
	    && (PQntuples(rows) == 0 || claim_read(rows, &claim, err));
	if (ok) {
		*found = PQntuples(rows) > 0;
		*out = claim;
	}
	PQclear(rows);
	return ok;
}
