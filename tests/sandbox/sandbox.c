/*
 * sandbox: WeChat's side, simulated.
 *
 *	sandbox --config FILE --listen SOCKET
 *
 * nginx passes whole paths as PATH_INFO, and SSL_CLIENT_VERIFY and
 * SSL_CLIENT_S_DN of an optional client certificate.  The books are a
 * database of their own, made by the stack before the first start:
 * psql -v ON_ERROR_STOP=1 -f tests/sandbox/books.sql
 *
 * The file:
 *	db_conninfo = "...";		the books
 *	mchid, appid = "...";		the one merchant, and his appid
 *	sub_mchid = "...";		he is a service provider with this one
 *					sub-merchant; absent: he is ordinary
 *	sub_appid = "...";		the sub-merchant's, and then so are
 *					appsecret, mini_appid and app_appid
 *	api_key = "PATH";		a file with his API key
 *	merchant_dn = "...";		subject of his certificate, as nginx
 *					writes it; absent: any of nginx's CA
 *	notify_ca = "PATH";		PEM: who vouches for notify URLs;
 *					absent: the system's CAs
 *	refund_notify_url = "https://..."; as set in the merchant platform,
 *					for refunds that name no other
 *	private_notify = 1;		notify URLs may be localhost
 *	appsecret = "PATH"; web_domain = "HOST[:PORT]";	for OAuth, and where
 *					its pages are; absent: anywhere
 *	mini_appid = "..."; mini_appsecret = "PATH";	his mini program
 *	threads = 32; db_connections = 8;
 * and for API V3, without which /v3/ is not there:
 *	apiv3_key = "PATH";		a file with his APIv3 key
 *	merchant_cert = "PATH";		PEM: whose signature his calls carry
 *	wechat_key = "PATH"; wechat_pub_key_id = "PUB_KEY_ID_...";
 *					the private key of public-key mode
 *	platform_cert_1, platform_key_1 = "PATH";	and _2: PEM, of
 *					platform-certificate mode
 *	key_mode = "public";		who signs until somebody says else:
 *					wechat_key, and nothing is listed; or
 *					"certificate": number 1, listed
 *
 * Every call of API V2 on /pay/ and /secapi/pay/ answers as WeChat does, and
 * so does V3 on /v3/pay/transactions/, /v3/pay/partner/transactions/,
 * /v3/refund/domestic/refunds and /v3/certificates.  They have one set of
 * books, where V3's calls stand under V2's names: mchid and sp_mchid are
 * mch_id, description body, amount.total total_fee, time_expire is compact.  Beside them, forms in and JSON out:
 *
 * GET /sandbox/phone	a page on which a person pays
 * POST /sandbox/scan	code_url, prepay_id or out_trade_no; openid,
 *	coupon_fee and coupon_type (CASH, NO_CASH) if you like: pays
 *	{"out_trade_no","transaction_id"}; 409 says why not
 * POST /sandbox/auth_code	auth_code, and what the phone does that shows it:
 *	does pays (at once; so does a code that nobody has spoken of), asks
 *	(USERPAYING, and pays after after_ms; without it never), fails
 *	(USERPAYING, and PAYERROR after after_ms) or refuses (code: the
 *	err_code)
 * GET /sandbox/ledger?out_trade_no=&limit=	the books: payments, refunds,
 *	calls, notices with deliveries, violations, faults, keys, settings,
 *	totals;
 *	newest 200 rows of each unless limit says otherwise
 * POST /sandbox/faults	api, fault, times (1; 0: for ever), ms, code, number
 *	(an out_trade_no and so on, whose calls alone it concerns)
 *	api unifiedorder, orderquery, closeorder, refund, refundquery, of V2
 *	micropay and reverse, and of
 *	V3 certificates:
 *	  refuse	not executed, HTTP 500
 *	  denied	not executed, unsigned return_code FAIL; V3: PARAM_ERROR
 *	  SYSTEMERROR_BEFORE	not executed
 *	  code=X	(no fault) not executed, err_code X, signed; V3: with
 *			its HTTP status, in whichever spelling, 400 if unknown
 *	  slow		executed after ms
 *	  late		executed, answered after ms
 *	  silent	executed, answered when the client has left (ms: 20000)
 *	  http_500, http_502, SYSTEMERROR, cut, bad_sign, unsigned
 *			executed, and that is the answer
 *	  echo_other, echo_amount	executed, signed, about something else;
 *			V3: where the answer has a number, an amount
 *	  echo_sub	executed, signed, of another sub-merchant, where the
 *			answer has one
 *	  recall	reverse: not executed, recall=Y
 *	  probe		V3: executed, WECHATPAY/SIGNTEST/ for a signature
 *	api paid, refunded, notify (both): lost, duplicate, late, reorder,
 *	  forged, probe (V3)
 *	no api: refund_status=CHANGE, REFUNDCLOSE, SUCCESS or PROCESSING (for
 *	  ever) is what the next times refunds come to (V3 says ABNORMAL for
 *	  CHANGE, CLOSED for REFUNDCLOSE); unsettled_fen and
 *	  recharge_fen are what the accounts hold (plenty, unless said)
 *	fault=none (of one api, or of all with the accounts): all is well
 * POST /sandbox/clock	speed (of the schedule), schedule_s (15,15,30,...),
 *	answer_ms, close_min_s, refund_gap_s, refund_delay_ms, prepay_life_s,
 *	reverse_min_s
 * POST /sandbox/keys	listed (1, 2, "1,2" or none): the certificates that
 *	/v3/certificates lists; signer (1, 2, public or mixed): who signs
 *	notices, and answers whose request names no key that is listed or
 *	public; mixed: these in turn
 * POST /sandbox/notify	out_trade_no or out_refund_no, copies (1 to 50, at
 *	once), forged=1, or probe=1 (V3): tells it again, {"replies":
 *	[{"status","ms","reply","verdict"}]}
 * POST /sandbox/refund_by_hand	out_trade_no, refund_fee, notice (v2 or v3;
 *	absent: as the payment): somebody refunds at the merchant platform,
 *	{"out_refund_no"}
 * POST /sandbox/refund_status	out_refund_no, refund_status: it becomes that
 *	now, and is told
 *
 * GET /cgi-bin/mmpayweb-bin/checkmweb	what h5_url leads to: a page that
 *	pays, unless address, age, browser or Referer are not right
 * POST /sandbox/h5	prepay_id, redirect_url: its button
 *
 * The open platform has /connect/oauth2/authorize, which sends a browser back
 * at once, /sns/oauth2/access_token, /sns/jscode2session,
 * /cgi-bin/stable_token (normal mode) and /cgi-bin/ticket/getticket.  Codes
 * are good once and for 5 minutes.  Faults: api oauth, login, stable_token and
 * getticket, with refuse, code=ERRCODE, slow, late, silent, http_500,
 * http_502, SYSTEMERROR (-1), SYSTEMERROR_BEFORE and cut.
 * POST /sandbox/visitor	openid, refuses (true, false), is_snapshot,
 *	code_life_s, token_life_s: of whoever opens a page next, and of what is
 *	given out from now on
 * POST /sandbox/js_code	{"js_code"}: the visitor is in the mini program
 * POST /sandbox/revoke	the access_tokens are, as after a force_refresh
 * GET /sandbox/platform	{"visitor","calls","tokens"}
 * GET /healthz	200 when the books answer
 */
#include "sandbox.h"

#include <signal.h>

#include "auth_codes.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/str.h"
#include "call2.h"
#include "call3.h"
#include "control.h"
#include "faults.h"
#include "keys3.h"
#include "phone.h"
#include "platform.h"
#include "sender.h"
#include "web/web.h"
#include "wire/jsonread.h"
#include "wire/xmlmsg.h"

#define SANDBOX 1
#define FORM_MAX 16384

static const struct conf_key keys[] = {
	{ "db_conninfo", CONF_TEXT, SANDBOX, 0, NULL, 0, 0 },
	{ "mchid", CONF_TEXT, SANDBOX, 0, NULL, 0, 0 },
	{ "appid", CONF_TEXT, SANDBOX, 0, NULL, 0, 0 },
	{ "sub_mchid", CONF_TEXT, 0, SANDBOX, NULL, 0, 0 },
	{ "sub_appid", CONF_TEXT, 0, SANDBOX, NULL, 0, 0 },
	{ "api_key", CONF_SECRET, SANDBOX, 0, NULL, 0, 0 },
	{ "merchant_dn", CONF_TEXT, 0, SANDBOX, NULL, 0, 0 },
	{ "notify_ca", CONF_TEXT, 0, SANDBOX, NULL, 0, 0 },
	{ "refund_notify_url", CONF_TEXT, 0, SANDBOX, NULL, 0, 0 },
	{ "appsecret", CONF_SECRET, 0, SANDBOX, NULL, 0, 0 },
	{ "mini_appid", CONF_TEXT, 0, SANDBOX, NULL, 0, 0 },
	{ "mini_appsecret", CONF_SECRET, 0, SANDBOX, NULL, 0, 0 },
	{ "app_appid", CONF_TEXT, 0, SANDBOX, NULL, 0, 0 },
	{ "web_domain", CONF_TEXT, 0, SANDBOX, NULL, 0, 0 },
	{ "pages_url", CONF_TEXT, SANDBOX, 0, "https://wx.tenpay.com", 0, 0 },
	{ "apiv3_key", CONF_SECRET, 0, SANDBOX, NULL, 0, 0 },
	{ "merchant_cert", CONF_TEXT, 0, SANDBOX, NULL, 0, 0 },
	{ "wechat_key", CONF_SECRET, 0, SANDBOX, NULL, 0, 0 },
	{ "wechat_pub_key_id", CONF_TEXT, 0, SANDBOX, NULL, 0, 0 },
	{ "platform_cert_1", CONF_TEXT, 0, SANDBOX, NULL, 0, 0 },
	{ "platform_key_1", CONF_SECRET, 0, SANDBOX, NULL, 0, 0 },
	{ "platform_cert_2", CONF_TEXT, 0, SANDBOX, NULL, 0, 0 },
	{ "platform_key_2", CONF_SECRET, 0, SANDBOX, NULL, 0, 0 },
	{ "key_mode", CONF_TEXT, 0, SANDBOX, NULL, 0, 0 },
	{ "private_notify", CONF_INT, 0, SANDBOX, "0", 0, 1 },
	{ "threads", CONF_INT, 0, SANDBOX, "32", 1, WEB_THREADS_MAX },
	{ "db_connections", CONF_INT, 0, SANDBOX, "8", 1, 64 },
};

static const struct web_route routes[] = {
	{ WEB_POST, "/pay/unifiedorder", call2_serve, XMLMSG_MAX },
	{ WEB_POST, "/pay/orderquery", call2_serve, XMLMSG_MAX },
	{ WEB_POST, "/pay/closeorder", call2_serve, XMLMSG_MAX },
	{ WEB_POST, "/secapi/pay/refund", call2_serve, XMLMSG_MAX },
	{ WEB_POST, "/pay/refundquery", call2_serve, XMLMSG_MAX },
	{ WEB_POST, "/pay/micropay", call2_serve, XMLMSG_MAX },
	{ WEB_POST, "/secapi/pay/reverse", call2_serve, XMLMSG_MAX },
#define V3_PAY(path) \
	{ WEB_POST, path "jsapi", call3_serve, JSONREAD_MAX }, \
	{ WEB_POST, path "native", call3_serve, JSONREAD_MAX }, \
	{ WEB_POST, path "app", call3_serve, JSONREAD_MAX }, \
	{ WEB_POST, path "h5", call3_serve, JSONREAD_MAX }, \
	{ WEB_GET, path "id/*", call3_serve, 0 }, \
	{ WEB_GET, path "out-trade-no/*", call3_serve, 0 }, \
	{ WEB_POST, path "out-trade-no/*/close", call3_serve, JSONREAD_MAX }
#define V3_REFUNDS "/v3/refund/domestic/refunds"
	V3_PAY("/v3/pay/transactions/"),
	V3_PAY("/v3/pay/partner/transactions/"),
	{ WEB_POST, V3_REFUNDS, call3_serve, JSONREAD_MAX },
	{ WEB_GET, V3_REFUNDS "/*", call3_serve, 0 },
	{ WEB_GET, "/v3/certificates", call3_serve, 0 },
	{ WEB_GET, "/sandbox/phone", phone_show, 0 },
	{ WEB_GET, "/cgi-bin/mmpayweb-bin/checkmweb", phone_h5, 0 },
	{ WEB_POST, "/sandbox/h5", phone_h5_pay, FORM_MAX },
	{ WEB_POST, "/sandbox/scan", control_scan, FORM_MAX },
	{ WEB_POST, "/sandbox/auth_code", auth_codes_set, FORM_MAX },
	{ WEB_GET, "/sandbox/ledger", control_ledger, 0 },
	{ WEB_POST, "/sandbox/faults", faults_plant, FORM_MAX },
	{ WEB_POST, "/sandbox/clock", control_clock, FORM_MAX },
	{ WEB_POST, "/sandbox/keys", control_keys, FORM_MAX },
	{ WEB_POST, "/sandbox/notify", control_notify, FORM_MAX },
	{ WEB_POST, "/sandbox/refund_by_hand", control_refund_by_hand,
	    FORM_MAX },
	{ WEB_POST, "/sandbox/refund_status", control_refund_status,
	    FORM_MAX },
	{ WEB_GET, "/connect/oauth2/authorize", platform_authorize, 0 },
	{ WEB_GET, "/sns/oauth2/access_token", platform_oauth, 0 },
	{ WEB_GET, "/sns/jscode2session", platform_login, 0 },
	{ WEB_POST, "/cgi-bin/stable_token", platform_token, JSONREAD_MAX },
	{ WEB_GET, "/cgi-bin/ticket/getticket", platform_ticket, 0 },
	{ WEB_POST, "/sandbox/visitor", platform_visitor, FORM_MAX },
	{ WEB_POST, "/sandbox/js_code", platform_js_code, FORM_MAX },
	{ WEB_POST, "/sandbox/revoke", platform_revoke, FORM_MAX },
	{ WEB_GET, "/sandbox/platform", platform_state, 0 },
	{ WEB_GET, "/healthz", control_health, 0 },
};

/* [v2.md 1.1, 4] What is no call of V2 at all is answered in XML where WeChat
 * does so; its wrong paths are a page.  [v3.md 7.2] V3 says it in JSON. */
static void
sandbox_failure(void *app UNUSED, const struct web_request *req,
    struct web_reply *reply, const struct err *err)
{
	struct err ignored = { 0 };
	const char *msg = NULL;

	if (strncmp(req->path, "/sandbox/", 9) == 0
	    || strncmp(req->path, "/v3/", 4) == 0
	    || str_eq(req->path, "/healthz")) {
		web_reply_failure(reply, req, err);
		return;
	}
	if (err->kind == ERR_NONE && reply->status == 405)
		msg = "REQUIRE_POST_METHOD";
	if (err->kind == ERR_NONE && reply->status == 413)
		msg = "XML格式错误";
	if (msg != NULL && call2_deny(reply, msg, &ignored))
		return;
	if (!web_reply_text(reply, err->kind == ERR_NONE ? 404 : 500,
	    "text/html; charset=utf-8", "<html>WeChat</html>\n", &ignored))
		web_reply_failure(reply, req, err);
}

static bool
sandbox_serve(const struct web_start *start, struct sandbox *sandbox,
    int threads, struct err *err)
{
	const struct web_app app = {
		.name = "sandbox",
		.app = sandbox,
		.routes = routes,
		.route_count = COUNT_OF(routes),
		.failure = sandbox_failure,
	};
	struct sender *sender = NULL;
	sigset_t signals;
	bool ok;

	/* The sender's threads must leave the signals to web_serve. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	ok = sender_open(sandbox, &sender, err)
	    && web_serve(start, &app, threads, err);
	sender_close(sender);
	return ok;
}

static bool
sandbox_run(const struct web_start *start, const struct conf *conf,
    struct err *err)
{
	struct sandbox sandbox = {
		.mchid = conf_text(conf, "mchid"),
		.appid = conf_text(conf, "appid"),
		.sub_mchid = conf_text(conf, "sub_mchid"),
		.sub_appid = conf_text(conf, "sub_appid"),
		.merchant_dn = conf_text(conf, "merchant_dn"),
		.notify_ca = conf_text(conf, "notify_ca"),
		.refund_notify_url = conf_text(conf, "refund_notify_url"),
		.api_key = conf_secret(conf, "api_key"),
		.appsecret = conf_secret(conf, "appsecret"),
		.mini_appid = conf_text(conf, "mini_appid"),
		.mini_appsecret = conf_secret(conf, "mini_appsecret"),
		.app_appid = conf_text(conf, "app_appid"),
		.web_domain = conf_text(conf, "web_domain"),
		.private_notify = conf_int(conf, "private_notify") == 1,
	};
	bool ok;

	if (sandbox.sub_appid != NULL && sandbox.sub_mchid == NULL)
		return err_set(err, ERR_INPUT, "sub_appid: needs sub_mchid");
	ok = books_open(conf_text(conf, "db_conninfo"),
	    (int)conf_int(conf, "db_connections"), &sandbox.books, err)
	    && books_tell(sandbox.books,
	    "update sandbox.settings set pages_url = $1",
	    BOOKS_ARGS(conf_text(conf, "pages_url")), err)
	    && keys3_open(conf, sandbox.books, &sandbox.keys, err)
	    && naps_open(&sandbox.naps, err)
	    && sandbox_serve(start, &sandbox, (int)conf_int(conf, "threads"),
	    err);
	naps_close(sandbox.naps);
	keys3_close(sandbox.keys);
	books_close(sandbox.books);
	return ok;
}

int
main(int argc, char *argv[])
{
	struct web_start *start = NULL;
	struct conf *conf = NULL;
	struct err err = { 0 };
	bool ok;

	log_start("sandbox");
	xmlmsg_start();
	jsonread_start();
	if (!web_start_read(argc, argv, &start))
		return 2;
	ok = conf_read(web_start_config(start), keys, COUNT_OF(keys),
	    SANDBOX, &conf, &err)
	    && sandbox_run(start, conf, &err);
	if (!ok)
		log_error("program.failed", "reason", err.text, NULL);
	conf_free(conf);
	web_start_free(start);
	return ok ? 0 : 1;
}
