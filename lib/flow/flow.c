#include "flow/flow.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define NOTE_MS 1000		/* the outcome waits for it, and has a lease */

/* Who has an appsecret: pay and the worker, if there is one. */
static bool
flow_open_platform(const struct settings *settings,
    struct wechat_platform **out, struct err *err)
{
	struct wechat_platform_config config = {
		.url = settings->platform_url,
		.oauth_url = settings->oauth_url,
		.ca = settings->wechat_ca,
		.may_be_private = settings->wechat_private,
		.appid = settings->account_appid,
		.secret = settings->appsecret,
		.mini_appid = settings->mini_appid,
		.mini_secret = settings->mini_appsecret,
		.connect_ms = settings->wechat_connect_ms,
		.total_ms = settings->wechat_total_ms,
	};

	if (config.secret == NULL && config.mini_secret == NULL)
		return true;
	return wechat_platform_open(&config, out, err);
}

bool
flow_open(const struct settings *settings, struct flow *out, struct err *err)
{
	struct wechat_config config = {
		.mchid = settings->mchid,
		.sign_type = settings->sign_type,
		.api_key = settings->api_key,
		.apiv3_key = settings->apiv3_key,
		.url = settings->wechat_url,
		.url_backup = settings->wechat_url_backup,
		.ca = settings->wechat_ca,
		.may_be_private = settings->wechat_private,
		.merchant_cert = settings->merchant_cert,
		.merchant_key = settings->merchant_key,
		.public_url = settings->public_url,
		.connect_ms = settings->wechat_connect_ms,
		.total_ms = settings->wechat_total_ms,
	};

	*out = (struct flow){ .settings = settings };
	if (!settings_store(settings, &out->store, err)
	    || !flow_keys_open(settings, out->store, &out->keys, err))
		goto fail;
	config.keys = flow_keys_get(out->keys);
	if (wechat_open(&config, &out->wechat, err)
	    && flow_open_platform(settings, &out->platform, err))
		return true;
fail:
	flow_close(out);
	return false;
}

void
flow_close(struct flow *flow)
{
	wechat_platform_close(flow->platform);
	wechat_close(flow->wechat);
	flow_keys_close(flow->keys);
	store_close(flow->store);
	*flow = (struct flow){ 0 };
}

int64_t
flow_deadline(void)
{
	return clock_monotonic_ms() + FLOW_STORE_MS;
}

long
flow_lease_s(const struct flow *flow)
{
	return (flow->settings->wechat_total_ms + 999) / 1000 + 5;
}

struct store_outcome
flow_outcome_of(const char *out_trade_no, int64_t lease_no, int64_t call_no,
    const struct wechat_answer *answer, long check_s)
{
	return (struct store_outcome){
		.out_trade_no = out_trade_no,
		.lease_no = lease_no,
		.call_no = call_no,
		.verdict = wechat_verdict_name(answer->verdict),
		.code = answer->code,
		.check_s = check_s,
	};
}

void
flow_answered(const struct flow *flow, const char *op, const char *number,
    const struct wechat_answer *answer)
{
	const char *verdict = wechat_verdict_name(answer->verdict);
	int64_t note_deadline = clock_monotonic_ms() + NOTE_MS;

	if (answer->alarm)
		log_error("wechat.doubted", "op", op, "number", number,
		    "verdict", verdict, "code", answer->code, "text",
		    answer->text, NULL);
	else if (answer->verdict == WECHAT_DONE)
		log_info("wechat.answered", "op", op, "number", number,
		    "verdict", verdict, NULL);
	else
		log_warn("wechat.answered", "op", op, "number", number,
		    "verdict", verdict, "code", answer->code, "text",
		    answer->text, NULL);
	if (str_eq(answer->code, WECHAT_CODE_SERIAL))
		flow_keys_want(flow->keys, note_deadline);
	flow_keys_seen(flow->keys, answer->serial, "answer", note_deadline);
}
