#include "flow/flow_tokens.h"

#include "store/store_platform.h"
#include "wechat/wechat_platform.h"

#define OUTCOME_SIZE 64		/* "denied 40013" */

/* Ask WeChat for what the claim says. */
static enum wechat_advice
tokens_fetch(const struct flow *flow, const struct store_token_claim *claim,
    struct wechat_ticket *ticket, struct wechat_answer *answer)
{
	enum wechat_advice advice;

	if (claim->kind == STORE_ACCESS_TOKEN) {
		advice = wechat_platform_token(flow->platform, ticket,
		    answer);
		flow_answered(flow, "access_token", "", answer);
	} else {
		advice = wechat_platform_ticket(flow->platform,
		    claim->access_token, ticket, answer);
		flow_answered(flow, "jsapi_ticket", "", answer);
	}
	return advice;
}

bool
flow_tokens_step(const struct flow *flow, bool *found, struct err *err)
{
	struct store_token_claim claim = { 0 };
	struct wechat_ticket ticket = { 0 };
	struct wechat_answer answer = { 0 };
	struct store_token_outcome outcome = {
		.appid = flow->settings->account_appid,
		.early_s = flow->settings->token_early_s,
	};
	enum wechat_advice advice;
	char text[OUTCOME_SIZE];

	*found = false;
	if (flow->settings->appsecret == NULL)
		return true;
	if (!store_tokens_claim(flow->store, outcome.appid,
	    flow_lease_s(flow), flow_deadline(), &claim, found, err))
		return false;
	if (!*found)
		return true;
	advice = tokens_fetch(flow, &claim, &ticket, &answer);
	(void)snprintf(text, sizeof(text), "%s %s",
	    wechat_verdict_name(answer.verdict), answer.code);
	outcome.kind = claim.kind;
	outcome.lease_no = claim.lease_no;
	outcome.outcome = text;
	if (answer.verdict == WECHAT_DONE) {
		outcome.value = ticket.value;
		outcome.life_s = ticket.life_s;
	}
	if (advice == WECHAT_ADVICE_TOKEN
	    && claim.kind == STORE_JSAPI_TICKET)
		outcome.stale = claim.access_token;
	return store_token_told(flow->store, &outcome, flow_deadline(), err);
}
