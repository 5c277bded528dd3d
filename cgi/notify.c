/*
 * notify: hears from WeChat.
 *
 * Bytes, then proof, then one SQL call that journals and settles, then the
 * answer.  V2's XML and V3's JSON come to the same two places, and each is
 * answered in its own way.  Has no merchant key, no libcurl, and no network
 * but the database.  [v2.md 15; v3.md 21; design.md 3, 4]
 */
#include <ctype.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "flow/flow_keys.h"
#include "store/store_notice.h"
#include "web/web.h"
#include "web/web_main.h"
#include "wechat/wechat_notice.h"
#include "wire/jsonread.h"
#include "wire/xmlmsg.h"

#define NOTICE_MAX 65536	/* bytes [v2.md 18] */
#define ANSWER_MS 4000		/* WeChat waits 5 s; one second is for the way */

/* Constant bytes, whatever was sent to us. */
#define V2_SUCCESS "<xml><return_code><![CDATA[SUCCESS]]></return_code>" \
    "<return_msg><![CDATA[OK]]></return_msg></xml>"
#define V2_FAIL "<xml><return_code><![CDATA[FAIL]]></return_code>" \
    "<return_msg><![CDATA[REFUSED]]></return_msg></xml>"
#define V3_FAIL "{\"code\":\"FAIL\",\"message\":\"REFUSED\"}"

struct notify {
	struct settings settings;
	struct store *store;
	struct flow_keys *keys;
	struct wechat_notice_keys proofs;
};

/* ---- which API speaks */

static const char *const v3_headers[] = {
	"HTTP_WECHATPAY_TIMESTAMP", "HTTP_WECHATPAY_NONCE",
	"HTTP_WECHATPAY_SIGNATURE", "HTTP_WECHATPAY_SERIAL",
	"HTTP_WECHATPAY_SIGNATURE_TYPE",
};

/* By its headers, or by a body that looks like JSON: a V3 notice that has
 * lost its headers is refused as one. */
static bool
is_v3(const struct web_request *req)
{
	const char *body = req->body;

	for (size_t i = 0; i < COUNT_OF(v3_headers); i++)
		if (fields_get(&req->params, v3_headers[i]) != NULL)
			return true;
	while (body != NULL && isspace((unsigned char)*body))
		body++;
	return body != NULL && *body == '{';
}

/* One that came twice counts as empty, for nobody says which is meant; were it
 * absent, the type of signature would be the usual one. */
static const char *
header(const struct web_request *req, const char *name)
{
	return fields_get(&req->doubled, name) != NULL
	    ? "" : fields_get(&req->params, name);
}

static struct store_raw
raw_of(const struct web_request *req)
{
	return (struct store_raw){
		.request_id = req->request_id,
		.bytes = req->body,
		.len = req->body_len,
	};
}

/* WeChat has said it, and we can make nothing of it: kept, not acknowledged,
 * and somebody must look.  Returns false. */
static bool
keep_unreadable(const struct notify *notify, const struct web_request *req,
    struct notice *notice, struct err *err)
{
	struct store_raw raw = raw_of(req);
	struct err late = { 0 };

	if (notice->proof[0] == '\0')
		return false;
	log_error("notice.unreadable", "why", err->text, NULL);
	if (!str_copy(notice->event_type, sizeof(notice->event_type),
	    "unreadable")
	    || !store_notice_other(notify->store, &raw, notice,
	    req->began_ms + ANSWER_MS, &late))
		log_warn("notice.not_kept", "why", late.text, NULL);
	return false;
}

static bool
read_v3(const struct notify *notify, const struct web_request *req,
    struct notice *out, struct err *err)
{
	const struct sign3_headers headers = {
		.timestamp = header(req, v3_headers[0]),
		.nonce = header(req, v3_headers[1]),
		.signature = header(req, v3_headers[2]),
		.serial = header(req, v3_headers[3]),
		.type = header(req, v3_headers[4]),
	};

	return wechat_notice_v3(&notify->proofs, &headers, req->body,
	    req->body_len, req->now, out, err)
	    || keep_unreadable(notify, req, out, err);
}

/* ---- what it leads to */

static bool
answer_success(struct web_reply *reply, const struct notice *notice,
    struct err *err)
{
	if (notice->api == PAYMENT_V3) {
		reply->status = 204;
		return true;
	}
	return web_reply_text(reply, 200, "text/xml", V2_SUCCESS, err);
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
		return answer_success(reply, notice, err);
	case STORE_ALREADY:
		return answer_success(reply, notice, err);
	case STORE_SECOND:
		log_error("money.quarantined", "out_trade_no", out_trade_no,
		    "why", "second", NULL);
		return answer_success(reply, notice, err);
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

/* A refund that does not fit is acknowledged: its row waits for people. */
static bool
answer_refunded(struct web_reply *reply, const struct notice *notice,
    enum store_refund_notice verdict, struct err *err)
{
	const char *out_refund_no = notice->refund.out_refund_no;

	switch (verdict) {
	case STORE_NOTICE_REFUNDED:
		log_info("refund.refunded", "out_refund_no", out_refund_no,
		    "by", "notice", NULL);
		return answer_success(reply, notice, err);
	case STORE_NOTICE_HINTED:
	case STORE_NOTICE_ALREADY:
		return answer_success(reply, notice, err);
	case STORE_NOTICE_UNEXPECTED:
		log_error("money.quarantined", "out_refund_no", out_refund_no,
		    "why", "unexpected", NULL);
		return answer_success(reply, notice, err);
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

static bool
settle_paid(const struct notify *notify, const struct store_raw *raw,
    const struct notice *notice, int64_t deadline, struct web_reply *reply,
    struct err *err)
{
	enum store_settled settled = 0;

	return store_notice_paid(notify->store, raw, notice, deadline,
	    &settled, err)
	    && answer_paid(reply, notice, settled, err);
}

static bool
settle_refunded(const struct notify *notify, const struct store_raw *raw,
    const struct notice *notice, int64_t deadline, struct web_reply *reply,
    struct err *err)
{
	enum store_refund_notice verdict = 0;

	return store_notice_refunded(notify->store, raw, notice, deadline,
	    &verdict, err)
	    && answer_refunded(reply, notice, verdict, err);
}

/* Nothing that we asked for: kept, and somebody may want to know. */
static bool
settle_other(const struct notify *notify, const struct store_raw *raw,
    const struct notice *notice, int64_t deadline, struct web_reply *reply,
    struct err *err)
{
	log_warn("notice.unhandled", "event_type", notice->event_type, NULL);
	return store_notice_other(notify->store, raw, notice, deadline, err)
	    && answer_success(reply, notice, err);
}

static bool
settle(const struct notify *notify, const struct web_request *req,
    const struct notice *notice, struct web_reply *reply, struct err *err)
{
	int64_t deadline = req->began_ms + ANSWER_MS;
	const struct store_raw raw = raw_of(req);
	bool ok;

	switch (notice->kind) {
	case NOTICE_PAID:
		ok = settle_paid(notify, &raw, notice, deadline, reply, err);
		break;
	case NOTICE_REFUNDED:
		ok = settle_refunded(notify, &raw, notice, deadline, reply,
		    err);
		break;
	case NOTICE_OTHER:
		ok = settle_other(notify, &raw, notice, deadline, reply, err);
		break;
	default:
		ok = err_set(err, ERR_BUG, "a notice of no kind");
	}
	flow_keys_seen(notify->keys, notice->serial, "notice", deadline);
	return ok;
}

/* POST /notify/paid: WeChat says that a payment was made. */
static bool
notify_paid(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct notify *notify = app;
	struct notice notice = { 0 };

	return (is_v3(req) ? read_v3(notify, req, &notice, err)
	    : wechat_notice_paid(&notify->proofs, req->body, req->body_len,
	    &notice, err))
	    && settle(notify, req, &notice, reply, err);
}

/* POST /notify/refunded: WeChat says something of a refund.  V2 does not
 * sign it: it makes the worker ask. */
static bool
notify_refunded(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct notify *notify = app;
	struct notice notice = { 0 };

	return (is_v3(req) ? read_v3(notify, req, &notice, err)
	    : wechat_notice_refunded(&notify->proofs, req->body,
	    req->body_len, &notice, err))
	    && settle(notify, req, &notice, reply, err);
}

/* GET /healthz: "ok", and how often which V3 notices were not believed since
 * this process began. */
static bool
notify_health(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct notify *notify = app;
	struct wechat_keys *keys = flow_keys_get(notify->keys);
	uint64_t counts[WECHAT_FLAWS];

	if (!store_ping(notify->store, req->began_ms + ANSWER_MS, err)
	    || !web_reply_text(reply, 200, "text/plain", "ok\n", err))
		return false;
	if (keys == NULL)
		return true;
	wechat_keys_counts(keys, counts);
	for (int i = WECHAT_SOUND + 1; i < WECHAT_FLAWS; i++)
		buf_format(&reply->body, "refused_%s %llu\n",
		    wechat_flaw_name((enum wechat_flaw)i),
		    (unsigned long long)counts[i]);
	return true;
}

/* V3 counts anything but 2xx as a failure. */
static int
status_v3(const struct err *err)
{
	switch (err->kind) {
	case ERR_AUTH:
		return 401;
	case ERR_INPUT:
	case ERR_REFUSED:
		return 400;
	case ERR_MISSING:
		return 404;
	case ERR_CONFLICT:
		return 409;
	default:
		return 503;
	}
}

/* To V2, what is refused is 200 and FAIL, and so is what has no verdict;
 * trouble of ours is 503, so that WeChat sends it again. */
static int
status_v2(const struct err *err)
{
	return err->kind == ERR_STORE || err->kind == ERR_BUG ? 503 : 200;
}

/* 404, 405 and 413 keep their status. */
static void
notify_failure(void *app, const struct web_request *req,
    struct web_reply *reply, const struct err *err)
{
	bool v3 = is_v3(req);
	struct err late = { 0 };
	int status = reply->status;

	(void)app;
	if (status == 0)
		status = v3 ? status_v3(err) : status_v2(err);
	if (!web_reply_text(reply, status,
	    v3 ? "application/json" : "text/xml", v3 ? V3_FAIL : V2_FAIL,
	    &late))
		reply->status = 503;
}

static const struct web_route routes[] = {
	{ WEB_POST, "/notify/paid", notify_paid, NOTICE_MAX },
	{ WEB_POST, "/notify/refunded", notify_refunded, NOTICE_MAX },
	{ WEB_GET, "/healthz", notify_health, 0 },
};

static bool
notify_open(struct notify *notify, const char *config, struct err *err)
{
	const struct settings *settings = &notify->settings;

	if (!settings_read(config, SETTINGS_NOTIFY, &notify->settings, err)
	    || !settings_store(settings, &notify->store, err)
	    || !flow_keys_open(settings, notify->store, &notify->keys, err))
		return false;
	notify->proofs = (struct wechat_notice_keys){
		.mchid = settings->mchid,
		.sign_type = settings->sign_type,
		.api_key = settings->api_key,
		.apiv3_key = settings->apiv3_key,
		.keys = flow_keys_get(notify->keys),
	};
	return true;
}

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
	jsonread_start();
	ok = notify_open(&notify, web_start_config(start), err)
	    && web_serve(start, &app, notify.settings.threads, err);
	flow_keys_close(notify.keys);
	store_close(notify.store);
	settings_clear(&notify.settings);
	return ok;
}

int
main(int argc, char *argv[])
{
	return web_main(argc, argv, "notify", notify_run);
}
