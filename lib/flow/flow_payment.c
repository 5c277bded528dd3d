#include "flow/flow_payment.h"

#include <poll.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "flow/flow_micropay.h"
#include "wire/mac.h"

#define REREAD_MS 50		/* while somebody else calls */
#define CALLS_MAX 3		/* of one POST /pay: ask, call, call anew */
#define PAYMENTS_MAX 99

/* Money that does not fit what we know wakes someone, as often as we are told
 * of it. */
static void
log_settled(const char *out_trade_no, enum store_settled settled)
{
	switch (settled) {
	case STORE_SETTLED:
		log_info("order.settled", "out_trade_no", out_trade_no, "by",
		    "query", NULL);
		break;
	case STORE_SECOND:
	case STORE_DIFFERS:
	case STORE_UNKNOWN:
		log_error("money.quarantined", "out_trade_no", out_trade_no,
		    "by", "query", NULL);
		break;
	case STORE_ALREADY:
	case STORE_NOT_PAID:
		break;
	}
}

static bool
payment_query(const struct flow *flow, const struct payment_key *key,
    const char *nonce, int64_t lease_no, int64_t call_no, long check_s,
    enum store_settled *settled, struct wechat_answer *answer,
    struct err *err)
{
	const char *out_trade_no = key->out_trade_no;
	struct payment_facts facts = { 0 };
	struct store_outcome outcome;

	wechat_query(flow->wechat, key, nonce, &facts, answer);
	flow_answered(flow, "query", out_trade_no, answer);
	outcome = flow_outcome_of(out_trade_no, lease_no, call_no, answer, check_s);
	if (!store_payment_told(flow->store, &outcome,
	    answer->verdict == WECHAT_DONE ? &facts : NULL, flow_deadline(),
	    settled, err))
		return false;
	log_settled(out_trade_no, *settled);
	return true;
}

/* Call unifiedorder under the lease that paid holds. */
static bool
payment_prepay(const struct flow *flow, const char *nonce,
    struct store_paid *paid, struct wechat_answer *answer,
    enum store_payment_state *state, struct err *err)
{
	const char *out_trade_no = paid->payment.out_trade_no;
	struct store_outcome outcome;

	wechat_prepay(flow->wechat, &paid->payment, nonce, &paid->prepay,
	    answer);
	flow_answered(flow, "prepay", out_trade_no, answer);
	outcome = flow_outcome_of(out_trade_no, paid->lease_no, paid->call_no,
	    answer, flow->settings->check_first_s);
	return store_payment_prepaid(flow->store, &outcome, &paid->prepay,
	    flow_deadline(), state, err);
}

/* What the handler answers after unifiedorder said so; 0: go on. */
static enum flow_pay_end
end_of(enum wechat_verdict verdict)
{
	switch (verdict) {
	case WECHAT_DONE:
		return FLOW_PAY_READY;
	case WECHAT_PAID:	/* ask, and settle */
	case WECHAT_CLOSED:	/* the next attempt has a new number */
		return 0;
	case WECHAT_REFUSED:
	case WECHAT_DENIED:
	case WECHAT_NO_MONEY:
		return FLOW_PAY_REFUSED;
	case WECHAT_UNSURE:
	case WECHAT_NOT_SENT:
	case WECHAT_AGAIN:
	case WECHAT_MISSING:
		return FLOW_PAY_UNSURE;
	}
	return FLOW_PAY_UNSURE;
}

/* One turn: what pay_start says is ours to do.  *end stays 0 to go on. */
static bool
pay_turn(const struct flow *flow, const struct store_pay *pay,
    struct store_paid *paid, struct wechat_answer *answer,
    enum flow_pay_end *end, struct err *err)
{
	enum store_payment_state state;
	enum store_settled settled;
	struct store_pay mine = *pay;
	struct payment_key key;
	char nonce[NONCE_SIZE];

	if (!nonce_new(nonce, err))
		return false;
	mine.nonce = nonce;
	if (!store_pay_start(flow->store, &mine, flow_deadline(), paid, err))
		return false;
	switch (paid->verdict) {
	case STORE_PAY_READY:
		*end = FLOW_PAY_READY;
		return true;
	case STORE_PAY_CALL:
		if (!payment_prepay(flow, nonce, paid, answer, &state, err))
			return false;
		/* the lease was lost: what counts stands in the store */
		*end = state == STORE_PAYMENT_STALE ? 0
		    : end_of(answer->verdict);
		return true;
	case STORE_PAY_ASK:
		key = payment_key_of(&paid->payment);
		if (!payment_query(flow, &key, nonce, paid->lease_no,
		    paid->call_no, flow->settings->check_young_s, &settled,
		    answer, err))
			return false;
		if (answer->verdict != WECHAT_DONE
		    && answer->verdict != WECHAT_MISSING)
			*end = FLOW_PAY_UNSURE;
		return true;
	case STORE_PAY_WAIT:
		*end = FLOW_PAY_BUSY;
		return true;
	default:
		*end = FLOW_PAY_NO;
		return true;
	}
}

/* The order is open: later turns name it, and make no other. */
static void
pay_by_token(struct store_pay *pay, const struct store_paid *paid)
{
	pay->way = "order";
	pay->order_no = paid->order_no;
	pay->token = paid->token;
	pay->product_id = NULL;
	pay->request_id = NULL;
	pay->body = NULL;
	pay->attach = "";
	pay->total_fen = 0;
	pay->time_expire = 0;
}

bool
flow_pay(const struct flow *flow, const struct store_pay *pay,
    struct store_paid *paid, struct wechat_answer *answer,
    enum flow_pay_end *end, struct err *err)
{
	int64_t until = clock_monotonic_ms() + flow->settings->wechat_total_ms;
	struct store_paid first;
	struct store_pay mine = *pay;
	char request_id[NONCE_SIZE];

	/* The store repeats what a broken connection left in doubt: that
	 * must not be a second order. */
	if (!nonce_new(request_id, err))
		return false;
	if (mine.request_id == NULL && str_eq(mine.way, "product"))
		mine.request_id = request_id;
	mine.lease_s = flow_lease_s(flow);
	mine.check_s = flow->settings->check_first_s;
	for (int calls = 0; calls < CALLS_MAX && (calls == 0
	    || clock_monotonic_ms() < until);) {
		*end = 0;
		if (!pay_turn(flow, &mine, paid, answer, end, err))
			return false;
		if (*end == FLOW_PAY_BUSY && clock_monotonic_ms() < until)
			(void)poll(NULL, 0, REREAD_MS);
		else if (*end != 0)
			return true;
		else
			calls++;
		first = *paid;
		pay_by_token(&mine, &first);
	}
	*end = FLOW_PAY_UNSURE;
	return true;
}

bool
flow_payment_step(const struct flow *flow, const char *out_trade_no,
    bool *found, struct err *err)
{
	struct store_payment_claim claim;
	struct wechat_answer answer;
	enum store_settled settled;
	enum store_payment_state state;
	struct store_outcome outcome;
	char nonce[NONCE_SIZE];
	long check_s;

	if (!nonce_new(nonce, err)
	    || !store_payment_claim(flow->store, out_trade_no, nonce,
	    flow_lease_s(flow), flow_deadline(), &claim, found, err))
		return false;
	if (!*found)
		return true;
	check_s = payment_next_check(claim.age_s, flow->settings->check_first_s,
	    flow->settings->check_young_s);
	if (claim.op == STORE_PAYMENT_QUERY)
		return payment_query(flow, &claim.key, nonce, claim.lease_no,
		    claim.call_no, check_s, &settled, &answer, err);
	wechat_close_payment(flow->wechat, &claim.key, nonce, &answer);
	flow_answered(flow, "close", claim.key.out_trade_no, &answer);
	outcome = flow_outcome_of(claim.key.out_trade_no, claim.lease_no,
	    claim.call_no, &answer, check_s);
	return store_payment_closed(flow->store, &outcome, flow_deadline(),
	    &state, err);
}

bool
flow_order_check(const struct flow *flow, const char *order_no,
    struct err *err)
{
	int64_t until = clock_monotonic_ms() + flow->settings->wechat_total_ms;
	char numbers[PAYMENTS_MAX][OUT_TRADE_NO_MAX + 1];
	size_t count;
	bool found;

	if (!store_order_payments(flow->store, order_no, flow_deadline(),
	    numbers, PAYMENTS_MAX, &count, err))
		return false;
	/* the newest first; what there is no time for the worker asks */
	while (count > 0 && clock_monotonic_ms() < until)
		if (!flow_payment_step(flow, numbers[--count], &found, err)
		    || !flow_micropay_step(flow, numbers[count], &found,
		    err))
			return false;
	return true;
}

/* WeChat's answer about a number of its, unless it says which payment. */
static bool
transaction_refuse(const char *transaction_id,
    const struct wechat_answer *answer, struct err *err)
{
	if (answer->verdict == WECHAT_MISSING)
		return err_set(err, ERR_MISSING, "WeChat knows no payment "
		    "\"%s\" of this merchant", transaction_id);
	return err_set(err, answer->verdict == WECHAT_REFUSED
	    || answer->verdict == WECHAT_DENIED ? ERR_REFUSED : ERR_UNSURE,
	    "query \"%s\": %s %s", transaction_id,
	    wechat_verdict_name(answer->verdict), answer->code);
}

bool
flow_transaction_find(const struct flow *flow, const char *transaction_id,
    char order_no[static ORDER_NO_MAX + 1], struct err *err)
{
	struct payment_facts facts = { 0 };
	struct wechat_answer answer;
	struct store_outcome outcome;
	struct payment_key key = { 0 };
	char nonce[NONCE_SIZE];
	int64_t call_no;

	if (!payment_api_parse(flow->settings->api, &key.api)
	    || !str_copy(key.transaction_id, sizeof(key.transaction_id),
	    transaction_id))
		return err_set(err, ERR_INPUT, "transaction_id: too long");
	if (!settings_payee(flow->settings, flow->settings->account_appid,
	    &key.payee, err)
	    || !nonce_new(nonce, err)
	    || !store_transaction_ask(flow->store, nonce, flow_deadline(),
	    &call_no, err))
		return false;
	wechat_query(flow->wechat, &key, nonce, &facts, &answer);
	flow_answered(flow, "query", transaction_id, &answer);
	outcome = flow_outcome_of(facts.out_trade_no, 0, call_no, &answer, 0);
	if (!store_transaction_told(flow->store, &outcome, flow_deadline(),
	    order_no, err))
		return false;
	if (answer.verdict != WECHAT_DONE)
		return transaction_refuse(transaction_id, &answer, err);
	return order_no[0] != '\0' || err_set(err, ERR_MISSING, "\"%s\" is "
	    "\"%s\", which is no payment of ours", transaction_id,
	    facts.out_trade_no);
}

static bool
order_close_call(const struct flow *flow, const struct store_close *call,
    const char *nonce, struct err *err)
{
	struct wechat_answer answer;
	enum store_payment_state state;
	struct store_outcome outcome;

	wechat_close_payment(flow->wechat, &call->key, nonce, &answer);
	flow_answered(flow, "close", call->key.out_trade_no, &answer);
	outcome = flow_outcome_of(call->key.out_trade_no, call->lease_no,
	    call->call_no, &answer, flow->settings->check_first_s);
	return store_payment_closed(flow->store, &outcome, flow_deadline(),
	    &state, err);
}

bool
flow_order_close(const struct flow *flow, const char *order_no,
    const char *token, enum store_close_verdict *verdict, struct err *err)
{
	struct store_close close;
	char nonce[NONCE_SIZE];

	/* nginx waits for two calls' budgets; the worker does the rest */
	for (int calls = 0; calls < 2; calls++) {
		if (!nonce_new(nonce, err)
		    || !store_order_close(flow->store, order_no, token, nonce,
		    flow_lease_s(flow), flow_deadline(), &close, err))
			return false;
		*verdict = close.verdict;
		if (close.verdict != STORE_CLOSE_CALL)
			return true;
		if (!order_close_call(flow, &close, nonce, err))
			return false;
	}
	*verdict = STORE_CLOSE_CLOSING;
	return true;
}
