#include "flow/flow_micropay.h"

#include "base/log.h"
#include "base/str.h"
#include "wire/mac.h"

#define IN_VAIN_S 300		/* a reversal is over before that */

static void
log_state(const char *out_trade_no, const char *by,
    enum store_micropay_state state)
{
	switch (state) {
	case STORE_MICROPAY_SETTLED:
		log_info("order.settled", "out_trade_no", out_trade_no, "by",
		    by, NULL);
		break;
	case STORE_MICROPAY_SECOND:
	case STORE_MICROPAY_DIFFERS:
		log_error("money.quarantined", "out_trade_no", out_trade_no,
		    "by", by, NULL);
		break;
	case STORE_MICROPAY_REVERSED:
		log_info("payment.reversed", "out_trade_no", out_trade_no,
		    "by", by, NULL);
		break;
	case STORE_MICROPAY_PAID:
	case STORE_MICROPAY_PENDING:
	case STORE_MICROPAY_REFUSED:
		break;
	}
}

/* Call micropay under the lease that out holds. */
static bool
micropay_call(const struct flow *flow, const char *auth_code,
    const char *nonce, struct store_micropaid *out, struct err *err)
{
	const struct store_paid *paid = &out->paid;
	const char *out_trade_no = paid->payment.out_trade_no;
	struct payment_facts facts = { 0 };
	struct wechat_answer answer;
	struct store_outcome outcome;

	wechat_micropay(flow->wechat, &paid->payment, auth_code, nonce,
	    &facts, &answer);
	flow_answered(flow, "micropay", out_trade_no, &answer);
	outcome = flow_outcome_of(out_trade_no, paid->lease_no, paid->call_no,
	    &answer, PAYMENT_CODE_CHECK_S);
	/* what went wrong on the way here is no word of WeChat's */
	if (answer.verdict != WECHAT_NOT_SENT
	    && !str_copy(out->refusal, sizeof(out->refusal), answer.text))
		return err_set(err, ERR_BUG, "WeChat's words are too long");
	if (!store_micropay_told(flow->store, &outcome,
	    answer.verdict == WECHAT_DONE ? &facts : NULL, out->refusal,
	    flow_deadline(), &out->state, err))
		return false;
	log_state(out_trade_no, "micropay", out->state);
	out->paid.verdict = STORE_PAY_STANDS;
	return true;
}

bool
flow_micropay(const struct flow *flow, const struct store_pay *pay,
    const char *auth_code, const char *operator, struct store_micropaid *out,
    struct err *err)
{
	struct store_pay mine = *pay;
	char nonce[NONCE_SIZE];

	if (!nonce_new(nonce, err))
		return false;
	mine.nonce = nonce;
	mine.lease_s = flow_lease_s(flow);
	mine.close_after_s = flow->settings->micropay_wait_s;
	if (!store_micropay_start(flow->store, &mine, operator,
	    flow_deadline(), out, err))
		return false;
	return out->paid.verdict != STORE_PAY_CALL
	    || micropay_call(flow, auth_code, nonce, out, err);
}

static bool
micropay_ask(const struct flow *flow, const struct store_payment_claim *claim,
    const char *nonce, struct err *err)
{
	const char *out_trade_no = claim->key.out_trade_no;
	struct payment_facts facts = { 0 };
	struct wechat_answer answer;
	struct store_outcome outcome;
	enum store_micropay_state state;

	wechat_query(flow->wechat, &claim->key, nonce, &facts, &answer);
	flow_answered(flow, "query", out_trade_no, &answer);
	outcome = flow_outcome_of(out_trade_no, claim->lease_no,
	    claim->call_no, &answer, payment_next_code_check(claim->age_s));
	if (!store_micropay_asked(flow->store, &outcome,
	    answer.verdict == WECHAT_DONE ? &facts : NULL, flow_deadline(),
	    &state, err))
		return false;
	log_state(out_trade_no, "query", state);
	if (state == STORE_MICROPAY_PENDING && facts.fate == PAYMENT_PAID
	    && claim->age_s >= IN_VAIN_S)
		log_error("payment.not_reversed", "out_trade_no",
		    out_trade_no, NULL);
	return true;
}

static bool
micropay_reverse(const struct flow *flow,
    const struct store_payment_claim *claim, const char *nonce,
    struct err *err)
{
	const char *out_trade_no = claim->key.out_trade_no;
	struct wechat_answer answer;
	struct store_outcome outcome;
	enum store_micropay_state state;

	wechat_reverse(flow->wechat, &claim->key, nonce, &answer);
	flow_answered(flow, "reverse", out_trade_no, &answer);
	outcome = flow_outcome_of(out_trade_no, claim->lease_no,
	    claim->call_no, &answer, payment_next_code_check(claim->age_s));
	if (!store_micropay_reversed(flow->store, &outcome, flow_deadline(),
	    &state, err))
		return false;
	log_state(out_trade_no, "reverse", state);
	return true;
}

bool
flow_micropay_step(const struct flow *flow, const char *out_trade_no,
    bool *found, struct err *err)
{
	struct store_payment_claim claim;
	char nonce[NONCE_SIZE];

	if (!nonce_new(nonce, err)
	    || !store_micropay_claim(flow->store, out_trade_no, nonce,
	    flow_lease_s(flow), flow_deadline(), &claim, found, err))
		return false;
	if (!*found)
		return true;
	return claim.op == STORE_PAYMENT_REVERSE
	    ? micropay_reverse(flow, &claim, nonce, err)
	    : micropay_ask(flow, &claim, nonce, err);
}
