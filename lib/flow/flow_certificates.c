#include "flow/flow_certificates.h"

#include "base/log.h"
#include "store/store_keys.h"
#include "wire/mac.h"

#define AGAIN_S 60		/* after a failure */

static bool
certificate_put(const struct flow *flow,
    const struct wechat_certificate *certificate, struct err *err)
{
	char until[CLOCK_RFC3339_SIZE];
	bool is_new = false;

	if (!store_key_put(flow->store, certificate->serial, certificate->pem,
	    certificate->not_before, certificate->not_after, flow_deadline(),
	    &is_new, err))
		return false;
	clock_format_rfc3339(certificate->not_after, until);
	if (is_new)
		log_info("wechat.key_added", "serial", certificate->serial,
		    "not_after", until, NULL);
	return true;
}

/* None is what a merchant has who began with the public key. */
static void
log_none(const struct flow *flow)
{
	if (flow->settings->wechat_pub_key == NULL)
		log_error("wechat.no_certificates", "why", "WeChat has no "
		    "platform certificate for us: wechat_pub_key is needed",
		    NULL);
}

/* Ask WeChat, and keep what it says. */
static bool
certificates_fetch(const struct flow *flow, const char *nonce,
    struct wechat_answer *answer, struct err *err)
{
	struct wechat_certificate *list = calloc(WECHAT_KEYS_MAX,
	    sizeof(*list));
	size_t count = 0;
	bool ok = true;

	if (list == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	wechat_certificates(flow->wechat, nonce, list, &count, answer);
	flow_answered(flow, "certificates", "", answer);
	if (answer->verdict == WECHAT_MISSING)
		log_none(flow);
	if (answer->verdict != WECHAT_DONE)
		count = 0;
	for (size_t i = 0; ok && i < count; i++)
		ok = certificate_put(flow, &list[i], err);
	free(list);
	return ok;
}

/* Seconds until the next fetching. */
static long
again_s(const struct flow *flow, enum wechat_verdict verdict)
{
	long refresh_s = flow->settings->keys_refresh_s;

	if (verdict == WECHAT_DONE || verdict == WECHAT_MISSING
	    || refresh_s < AGAIN_S)
		return refresh_s;
	return AGAIN_S;
}

bool
flow_certificates_step(const struct flow *flow, bool *found, struct err *err)
{
	struct store_keys_outcome outcome = { 0 };
	struct wechat_answer answer = { 0 };
	char nonce[NONCE_SIZE];
	bool ok;

	*found = false;
	if (flow->keys == NULL)
		return true;
	if (!nonce_new(nonce, err)
	    || !store_keys_claim(flow->store, nonce, flow_lease_s(flow),
	    flow_deadline(), &outcome.lease_no, &outcome.call_no, found, err))
		return false;
	if (!*found)
		return true;
	ok = certificates_fetch(flow, nonce, &answer, err);
	outcome.verdict = wechat_verdict_name(answer.verdict);
	outcome.code = answer.code;
	outcome.again_s = again_s(flow, answer.verdict);
	return store_keys_told(flow->store, &outcome, flow_deadline(), err)
	    && ok;
}
