/*
 * notify: hears from WeChat.
 *
 * Bytes, then proof, then one SQL call that journals and settles, then the
 * answer.  Has no merchant key, no libcurl, and no network but the database.
 * [v2.md 15; design.md 3, 4]
 */
#include "base/clock.h"
#include "base/log.h"
#include "flow/settings.h"
#include "store/store_notice.h"
#include "web/web.h"
#include "web/web_main.h"
#include "wechat/wechat_notice.h"
#include "wire/xmlmsg.h"

#define NOTICE_MAX 65536	/* bytes [v2.md 18] */
#define ANSWER_MS 4000		/* WeChat waits 5 s; one second is for the way */

/* Constant bytes, whatever was sent to us. */
#define SUCCESS "<xml><return_code><![CDATA[SUCCESS]]></return_code>" \
    "<return_msg><![CDATA[OK]]></return_msg></xml>"
#define FAIL "<xml><return_code><![CDATA[FAIL]]></return_code>" \
    "<return_msg><![CDATA[REFUSED]]></return_msg></xml>"

struct notify {
	struct settings settings;
	struct wechat_notice_keys keys;
	struct store *store;
};

static bool
answer_success(struct web_reply *reply, struct err *err)
{
	return web_reply_text(reply, 200, "text/xml", SUCCESS, err);
}

static struct store_raw
raw_of(const struct web_request *req)
{
	return (struct store_raw){
		.api = "v2",
		.request_id = req->request_id,
		.bytes = req->body,
		.len = req->body_len,
	};
}

/* A second payment is acknowledged: its row waits for who gives it back. */
static bool
answer_paid(struct web_reply *reply, const struct notice *notice,
    enum store_settled settled, struct err *err)
{
	const char *out_trade_no = notice->payment.out_trade_no;

	switch (settled) {
	case STORE_SETTLED:
		log_info("order.settled", "out_trade_no", out_trade_no, "by",
		    "notice", NULL);
		return answer_success(reply, err);
	case STORE_ALREADY:
		return answer_success(reply, err);
	case STORE_SECOND:
		log_error("money.quarantined", "out_trade_no", out_trade_no,
		    "why", "second", NULL);
		return answer_success(reply, err);
	case STORE_DIFFERS:
		log_error("money.quarantined", "out_trade_no", out_trade_no,
		    "why", "differs", NULL);
		return err_set(err, ERR_CONFLICT, "notice contradicts us");
	case STORE_UNKNOWN:
		log_error("money.quarantined", "out_trade_no", out_trade_no,
		    "why", "unknown", NULL);
		return err_set(err, ERR_MISSING, "notice of no order of ours");
	case STORE_NOT_PAID:
		break;
	}
	return err_set(err, ERR_BUG, "no verdict on a notice");
}

/* POST /notify/paid: WeChat says that a payment was made. */
static bool
notify_paid(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct notify *notify = app;
	struct store_raw raw = raw_of(req);
	struct notice notice = { 0 };
	enum store_settled settled = 0;

	return wechat_notice_paid(&notify->keys, req->body, req->body_len,
	    &notice, err)
	    && store_notice_paid(notify->store, &raw, &notice.payment,
	    req->began_ms + ANSWER_MS, &settled, err)
	    && answer_paid(reply, &notice, settled, err);
}

static bool
answer_refunded(struct web_reply *reply, const struct notice *notice,
    enum store_refund_notice verdict, struct err *err)
{
	const char *out_refund_no = notice->refund.out_refund_no;

	switch (verdict) {
	case STORE_NOTICE_HINTED:
	case STORE_NOTICE_ALREADY:
		return answer_success(reply, err);
	case STORE_NOTICE_DIFFERS:
		log_error("money.quarantined", "out_refund_no", out_refund_no,
		    "why", "differs", NULL);
		return err_set(err, ERR_CONFLICT, "notice contradicts us");
	case STORE_NOTICE_UNKNOWN:
		log_error("money.quarantined", "out_refund_no", out_refund_no,
		    "why", "unknown", NULL);
		return err_set(err, ERR_MISSING, "notice of no payment of ours");
	}
	return err_set(err, ERR_BUG, "no verdict on a notice");
}

/* POST /notify/refunded: WeChat says something of a refund.  V2 does not
 * sign it: it makes the worker ask. */
static bool
notify_refunded(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct notify *notify = app;
	struct store_raw raw = raw_of(req);
	struct notice notice = { 0 };
	enum store_refund_notice verdict = 0;

	return wechat_notice_refunded(&notify->keys, req->body, req->body_len,
	    &notice, err)
	    && store_notice_refunded(notify->store, &raw, &notice.refund,
	    req->began_ms + ANSWER_MS, &verdict, err)
	    && answer_refunded(reply, &notice, verdict, err);
}

static bool
notify_health(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct notify *notify = app;

	return store_ping(notify->store, req->began_ms + ANSWER_MS, err)
	    && web_reply_text(reply, 200, "text/plain", "ok\n", err);
}

/*
 * Refused is 200 and FAIL, and so is what has no verdict; trouble of ours is
 * 503 and FAIL, so that WeChat sends it again.  404, 405 and 413 keep their
 * status.
 */
static void
notify_failure(void *app, const struct web_request *req,
    struct web_reply *reply, const struct err *err)
{
	struct err late = { 0 };
	int status = reply->status;

	(void)app;
	(void)req;
	if (status == 0)
		status = err->kind == ERR_STORE || err->kind == ERR_BUG
		    ? 503 : 200;
	if (!web_reply_text(reply, status, "text/xml", FAIL, &late))
		reply->status = 503;
}

static const struct web_route routes[] = {
	{ WEB_POST, "/notify/paid", notify_paid, NOTICE_MAX },
	{ WEB_POST, "/notify/refunded", notify_refunded, NOTICE_MAX },
	{ WEB_GET, "/healthz", notify_health, 0 },
};

static bool
notify_run(struct web_start *start, struct err *err)
{
	struct notify notify = { 0 };
	struct web_app app = {
		.name = "notify",
		.app = &notify,
		.routes = routes,
		.route_count = COUNT_OF(routes),
		.failure = notify_failure,
	};
	bool ok;

	xmlmsg_start();
	ok = settings_read(web_start_config(start), SETTINGS_NOTIFY,
	    &notify.settings, err)
	    && settings_store(&notify.settings, &notify.store, err);
	if (ok) {
		notify.keys = (struct wechat_notice_keys){
			.mchid = notify.settings.mchid,
			.sign_type = notify.settings.sign_type,
			.api_key = notify.settings.api_key,
		};
		ok = web_serve(start, &app, notify.settings.threads, err);
	}
	store_close(notify.store);
	settings_clear(&notify.settings);
	return ok;
}

int
main(int argc, char *argv[])
{
	return web_main(argc, argv, "notify", notify_run);
}
