#include "flow/flow_refund.h"

#include "base/log.h"
#include "wire/mac.h"

/* What became of it wakes someone, or is worth a line. */
static void
log_state(const char *out_refund_no, enum store_refund_state state)
{
	switch (state) {
	case STORE_REFUND_REFUNDED:
		log_info("refund.refunded", "out_refund_no", out_refund_no,
		    NULL);
		break;
	case STORE_REFUND_FAILED:
		log_warn("refund.failed", "out_refund_no", out_refund_no, NULL);
		break;
	case STORE_REFUND_UNEXPECTED:
	case STORE_REFUND_FOREIGN_UNKNOWN:
		log_error("money.quarantined", "out_refund_no", out_refund_no,
		    NULL);
		break;
	default:
		break;
	}
}

/* When to ask again, if this answer does not settle it. */
static long
check_after(const struct flow *flow, const struct store_refund_claim *claim,
    const struct refund_facts *facts)
{
	if (facts->fate == REFUND_ABNORMAL)
		return refund_next_check_abnormal(
		    claim->is_abnormal ? claim->age_s : 0);
	return refund_next_check(
	    claim->op == STORE_REFUND_SEND ? 0 : claim->age_s,
	    flow->settings->refund_check_first_s);
}

bool
flow_refund_step(const struct flow *flow, const char *out_refund_no,
    bool *found, enum store_refund_state *state, struct err *err)
{
	char refund_id[REFUND_ID_MAX + 1] = "";
	struct store_refund_claim claim;
	struct refund_facts facts = { 0 };
	struct wechat_answer answer;
	struct store_refund_outcome outcome;
	char nonce[NONCE_SIZE];
	bool is_query;

	if (!nonce_new(nonce, err)
	    || !store_refund_claim(flow->store, out_refund_no, nonce,
	    flow_lease_s(flow), flow_deadline(), &claim, found, err))
		return false;
	if (!*found)
		return true;
	is_query = claim.op != STORE_REFUND_SEND;
	if (is_query)
		wechat_query_refund(flow->wechat, &claim.refund, nonce, &facts,
		    &answer);
	else
		wechat_refund(flow->wechat, &claim.refund, nonce, refund_id,
		    &answer);
	flow_answered(flow, is_query ? "refund_query" : "refund",
	    claim.refund.out_refund_no, &answer);
	outcome = (struct store_refund_outcome){
		.claim = &claim,
		.verdict = wechat_verdict_name(answer.verdict),
		.code = answer.code,
		.refund_id = is_query ? facts.refund_id : refund_id,
		.facts = is_query && answer.verdict == WECHAT_DONE
		    ? &facts : NULL,
		.check_s = check_after(flow, &claim, &facts),
		.gap_s = flow->settings->refund_gap_s,
	};
	if (!store_refund_told(flow->store, &outcome, flow_deadline(), state,
	    err))
		return false;
	log_state(claim.refund.out_refund_no, *state);
	return true;
}
