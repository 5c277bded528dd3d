/*
 * pay: takes a shop page's form and gets the money asked for; shows an order
 * to its shopper; finds orders for staff.  [design.md 3, 4]
 */
#include "pay.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"
#include "pay/order.h"
#include "web/web_auth.h"
#include "web/web_main.h"
#include "wire/qrsvg.h"
#include "wire/xmlmsg.h"

#define FORM_MAX 16384		/* bytes [design.md 3] */
#define STORE_MS 4000

/* ---- for all parts */

int64_t
pay_deadline(const struct web_request *req)
{
	return req->began_ms + STORE_MS;
}

bool
pay_need(const struct fields *form, const char *name, const char **out,
    struct err *err)
{
	*out = fields_get(form, name);
	if (*out == NULL)
		return err_set(err, ERR_INPUT, "%s: missing", name);
	return true;
}

bool
pay_no_such_order(struct err *err)
{
	return err_set(err, ERR_MISSING, "no such order");
}

/* ---- POST /pay: parse */

static const char *const pay_fields[] = {
	"product_id", "quantity", "order_no", "token", "total_fee", "body",
	"time_expire", "attach", "sign", "trade_type", "openid",
	"return_url", "request_id", NULL
};

/* Asked for, or for the payer who is named, or what suits the browser. */
static bool
read_trade_type(const struct pay *pay, const struct web_request *req,
    const char **out, struct err *err)
{
	const char *enabled = pay->settings.trade_types;

	*out = fields_get(&req->form, "trade_type");
	if (*out == NULL)
		*out = fields_get(&req->form, "openid") != NULL ? "JSAPI"
		    : payment_trade_type_of(req->user_agent, enabled);
	return payment_trade_type_check(*out, enabled, err);
}

static bool
read_how(const struct pay *pay, const struct web_request *req,
    struct store_pay *out, struct err *err)
{
	const struct fields *form = &req->form;

	out->attach = fields_text(form, "attach");
	out->return_url = fields_get(form, "return_url");
	out->request_id = fields_get(form, "request_id");
	return read_trade_type(pay, req, &out->trade_type, err)
	    && order_attach_check(out->attach, err)
	    && (out->request_id == NULL
	    || order_request_id_check(out->request_id, err))
	    && (out->return_url == NULL
	    || order_return_url_check(out->return_url,
	    pay->settings.return_hosts, err));
}

/* Who pays with JSAPI: the cookie's payer; without one whom the form names; or
 * nobody yet.  *payer stays empty without a cookie, and must live as long as
 * out. */
static bool
read_payer(const struct pay *pay, const struct web_request *req,
    struct flow_openid *payer, struct store_pay *out, struct err *err)
{
	const char *named = fields_get(&req->form, "openid");

	if (!str_eq(out->trade_type, "JSAPI"))
		return named == NULL
		    || err_set(err, ERR_INPUT, "openid: only with JSAPI");
	if (named != NULL && !payment_openid_check(named, err))
		return false;
	out->openid = named;
	out->keep_payer = pay->settings.appsecret == NULL;
	if (!pay_cookie_payer(pay, req, payer))
		return true;
	if (named != NULL && !str_eq(named, payer->openid))
		return err_set(err, ERR_FORBIDDEN,
		    "openid: not the one that WeChat told us");
	out->openid = payer->openid;
	return true;
}

/* Under which appid the payer's client runs. */
static const char *
client_appid(const struct settings *settings, const char *trade_type,
    const struct flow_openid *payer)
{
	if (str_eq(trade_type, "APP"))
		return settings->app_appid;
	return payer->appid[0] != '\0' ? payer->appid
	    : settings->account_appid;
}

static bool
read_pay(const struct pay *pay, struct web_request *req,
    struct flow_openid *payer, struct store_pay *out, struct err *err)
{
	const struct settings *settings = &pay->settings;

	out->client_ip = req->client_ip;
	out->api = settings->api;
	out->life_s = settings->order_life_s;
	out->close_after_s = settings->close_after_s;
	return web_request_form(req, pay_fields, err)
	    && web_request_query(req, (const char *const[]){ NULL }, err)
	    && read_how(pay, req, out, err)
	    && read_payer(pay, req, payer, out, err)
	    && settings_payee(settings,
	    client_appid(settings, out->trade_type, payer), &out->payee, err)
	    && pay_read_what(pay, &req->form, out, err);
}

/* ---- POST /pay: answer */

void
pay_add_order(struct jsonmsg *msg, const struct store_paid *paid,
    const char *state)
{
	char expire[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(paid->payment.time_expire, expire);
	jsonmsg_text(msg, "order_no", paid->order_no);
	jsonmsg_text(msg, "out_trade_no", paid->payment.out_trade_no);
	jsonmsg_text(msg, "token", paid->token);
	jsonmsg_text(msg, "state", state);
	jsonmsg_int(msg, "total_fee", paid->payment.total_fen);
	jsonmsg_text(msg, "trade_type", paid->payment.trade_type);
	jsonmsg_text(msg, "time_expire", expire);
}

/* What the page or the app passes on, freshly signed. */
static bool
add_invocation(struct jsonmsg *msg, const struct pay *pay,
    const struct web_request *req, const struct store_paid *paid,
    struct err *err)
{
	struct fields signed_fields = { 0 };
	struct jsonmsg *object = jsonmsg_new();
	struct payment_key key = payment_key_of(&paid->payment);
	bool ok = str_eq(paid->payment.trade_type, "APP")
	    ? wechat_app(pay->flow.wechat, &key, paid->prepay.prepay_id,
		req->now, &signed_fields, err)
	    : wechat_jsapi(pay->flow.wechat, &key, paid->prepay.prepay_id,
		req->now, &signed_fields, err);

	for (size_t i = 0; ok && i < signed_fields.count; i++)
		jsonmsg_text(object, signed_fields.list[i].name,
		    signed_fields.list[i].value);
	jsonmsg_object(msg, "pay", object);
	fields_clear(&signed_fields);
	return ok;
}

/* A browser has posted a form: the cashier goes on with the order.  No server
 * sees the fragment. */
static bool
answer_cashier(struct web_reply *reply, const struct store_paid *paid,
    struct err *err)
{
	char url[sizeof("cashier#order_no=&token=") + ORDER_NO_MAX
	    + sizeof(paid->token)];

	snprintf(url, sizeof(url), "cashier#order_no=%s&token=%s",
	    paid->order_no, paid->token);
	return web_reply_see_other(reply, url, err);
}

/* What the shopper pays with. */
static bool
add_prepay(struct jsonmsg *msg, const struct pay *pay,
    const struct web_request *req, const struct store_paid *paid,
    struct err *err)
{
	const char *trade_type = paid->payment.trade_type;

	if (str_eq(trade_type, "NATIVE"))
		jsonmsg_text(msg, "code_url", paid->prepay.code_url);
	else if (str_eq(trade_type, "MWEB"))
		jsonmsg_text(msg, "h5_url", paid->prepay.h5_url);
	else
		return add_invocation(msg, pay, req, paid, err);
	return true;
}

static bool
answer_ready(const struct pay *pay, const struct web_request *req,
    struct web_reply *reply, const struct store_paid *paid, struct err *err)
{
	struct jsonmsg *msg;

	if (web_request_is_browser(req))
		return answer_cashier(reply, paid, err);
	msg = jsonmsg_new();
	pay_add_order(msg, paid, paid->order_state);
	if (!add_prepay(msg, pay, req, paid, err)) {
		jsonmsg_free(msg);
		return false;
	}
	return web_reply_json(reply, 201, msg, err);
}

static bool
answer_pending(const struct web_request *req, struct web_reply *reply,
    const struct store_paid *paid, struct err *err)
{
	struct jsonmsg *msg;

	if (web_request_is_browser(req))
		return answer_cashier(reply, paid, err);
	msg = jsonmsg_new();
	pay_add_order(msg, paid, "pending");
	jsonmsg_int(msg, "retry_after", PAY_RETRY_AFTER_S);
	return web_reply_json(reply, 202, msg, err);
}

/* The order waits for its payer, who goes to WeChat first; a cashier sends
 * him there, and other clients are told where it is. */
static bool
answer_openid(const struct pay *pay, const struct web_request *req,
    struct web_reply *reply, const struct store_paid *paid, struct err *err)
{
	struct jsonmsg *msg;
	char url[sizeof(reply->location)];

	if (web_request_is_browser(req))
		return answer_cashier(reply, paid, err);
	msg = jsonmsg_new();
	jsonmsg_text(msg, "code", "OPENID_NEEDED");
	jsonmsg_text(msg, "message", "openid: WeChat has to tell us first");
	jsonmsg_text(msg, "order_no", paid->order_no);
	jsonmsg_text(msg, "token", paid->token);
	snprintf(url, sizeof(url), "%s/pay/authorize?order_no=%s&token=%s",
	    pay->settings.public_url, paid->order_no, paid->token);
	if (pay->settings.appsecret != NULL)
		jsonmsg_text(msg, "authorize_url", url);
	return web_reply_json(reply, 409, msg, err);
}

/* Why no payment comes to be, for programs; and for a shopper, whom the
 * cashier tells what became of his order, where there is no order to show. */
static const struct pay_no {
	enum store_pay_verdict verdict;
	enum err_kind kind;
	const char *code;	/* NULL: that of its kind */
	const char *message;
	struct web_words words;
} pay_noes[] = {
	{ STORE_PAY_PAID, ERR_CONFLICT, "ORDER_PAID",
	    "the order is paid", { NULL, NULL } },
	{ STORE_PAY_CLOSING, ERR_CONFLICT, "ORDER_CLOSED",
	    "the order is closed", { NULL, NULL } },
	{ STORE_PAY_CLOSED, ERR_CONFLICT, "ORDER_CLOSED",
	    "the order is closed", { NULL, NULL } },
	{ STORE_PAY_EXPIRED, ERR_CONFLICT, "ORDER_EXPIRED",
	    "the order has expired", { NULL, NULL } },
	{ STORE_PAY_EXHAUSTED, ERR_CONFLICT, "TOO_MANY_ATTEMPTS",
	    "too many attempts to pay this order", { NULL, NULL } },
	{ STORE_PAY_BUSY, ERR_CONFLICT, "PAYMENT_PENDING",
	    "another code is being charged for this order", { NULL, NULL } },
	{ STORE_PAY_PRICE, ERR_CONFLICT, "PRICE_CHANGED",
	    "total_fee: the price is another", {
		"价格已变动。请返回商店，刷新页面后重新下单。",
		"The price has changed. Please go back to the shop, reload "
		"its page and order again." } },
	{ STORE_PAY_TOO_MUCH, ERR_INPUT, NULL,
	    "quantity: more than one order can be", {
		"数量过多。请返回商店，减少数量后重新下单。",
		"This is more than one order can be. Please go back to the "
		"shop and order fewer." } },
	{ STORE_PAY_DIFFERS, ERR_CONFLICT, NULL,
	    "the same number or request_id was used for something else", {
		"此页面已用于其他订单。请返回商店，刷新页面后重新下单。",
		"This page was used for another order. Please go back to the "
		"shop, reload its page and order again." } },
	{ STORE_PAY_UNKNOWN, ERR_MISSING, NULL,
	    "no such product or order", {
		"找不到该商品或订单。请返回商店重新下单。",
		"There is no such product or order. Please go back to the "
		"shop and order again." } },
};

static const struct pay_no *
pay_no_of(enum store_pay_verdict verdict)
{
	for (size_t i = 0; i < COUNT_OF(pay_noes); i++)
		if (pay_noes[i].verdict == verdict)
			return &pay_noes[i];
	return NULL;
}

/* A program is told our price. */
static bool
answer_price(struct web_reply *reply, const struct pay_no *no,
    fen_t total_fen, struct err *err)
{
	struct jsonmsg *msg = jsonmsg_new();

	jsonmsg_text(msg, "code", no->code);
	jsonmsg_text(msg, "message", no->message);
	jsonmsg_int(msg, "total_fee", total_fen);
	if (!web_reply_json(reply, web_status_of(no->kind), msg, err))
		return false;
	reply->code = no->code;
	return true;
}

bool
pay_answer_no(struct web_reply *reply, const struct store_paid *paid,
    struct err *err)
{
	const struct pay_no *no = pay_no_of(paid->verdict);

	if (no == NULL)
		return err_set(err, ERR_BUG, "no word for this verdict");
	web_reply_explain(reply, &no->words);
	if (no->code == NULL)
		return err_set(err, no->kind, "%s", no->message);
	if (no->verdict == STORE_PAY_PRICE)
		return answer_price(reply, no, paid->payment.total_fen, err);
	return web_reply_refuse(reply, web_status_of(no->kind), no->code,
	    no->message, err);
}

static bool
answer_pay(const struct pay *pay, const struct web_request *req,
    struct web_reply *reply, const struct store_paid *paid,
    const struct wechat_answer *answer, enum flow_pay_end end,
    struct err *err)
{
	switch (end) {
	case FLOW_PAY_READY:
		return answer_ready(pay, req, reply, paid, err);
	case FLOW_PAY_NO:
		if (paid->verdict == STORE_PAY_OPENID)
			return answer_openid(pay, req, reply, paid, err);
		/* what became of the order is on its page */
		return web_request_is_browser(req) && paid->token[0] != '\0'
		    ? answer_cashier(reply, paid, err)
		    : pay_answer_no(reply, paid, err);
	case FLOW_PAY_BUSY:
		if (web_request_is_browser(req))
			return answer_cashier(reply, paid, err);
		return web_reply_refuse(reply, 409, "BUSY",
		    "the same is being asked for; try again", err);
	case FLOW_PAY_UNSURE:
		return answer_pending(req, reply, paid, err);
	case FLOW_PAY_REFUSED:
		return err_set(err, ERR_REFUSED, "prepay: %s",
		    answer->code);
	}
	return err_set(err, ERR_BUG, "no end of a payment");
}

/* POST /pay: have something paid. */
static bool
pay_order(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;
	struct wechat_answer answer = { 0 };
	struct store_paid paid = { 0 };
	struct store_pay ask = { 0 };
	struct flow_openid payer = { 0 };
	enum flow_pay_end end = 0;

	return web_auth_origin(req, pay->settings.allowed_origins, err)
	    && read_pay(pay, req, &payer, &ask, err)
	    && flow_pay(&pay->flow, &ask, &paid, &answer, &end, err)
	    && answer_pay(pay, req, reply, &paid, &answer, end, err);
}

/* ---- the shopper's order */

/* The order that the path names and its token, from fields that may have no
 * other.  An ill-formed number or token is one that does not exist. */
static bool
read_shopper(const struct web_request *req, const struct fields *fields,
    const char **order_no, const char **token, struct err *err)
{
	struct err shape = { 0 };

	*order_no = req->wild[0];
	if (!pay_need(fields, "token", token, err))
		return false;
	if (!order_no_check(*order_no, &shape)
	    || !order_token_check(*token, &shape))
		return pay_no_such_order(err);
	return true;
}

static bool
read_shopper_query(struct web_request *req, const char **order_no,
    const char **token, struct err *err)
{
	return web_request_query(req, (const char *const[]){ "token", NULL },
	    err)
	    && read_shopper(req, &req->query, order_no, token, err);
}

static bool
read_shopper_form(const struct pay *pay, struct web_request *req,
    const char **order_no, const char **token, struct err *err)
{
	return web_auth_origin(req, pay->settings.allowed_origins, err)
	    && web_request_form(req, (const char *const[]){ "token", NULL },
	    err)
	    && web_request_query(req, (const char *const[]){ NULL }, err)
	    && read_shopper(req, &req->form, order_no, token, err);
}

/* GET /pay/ORDER_NO */
static bool
pay_show(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;
	const char *order_no, *token;
	char *json = NULL;
	bool ok;

	if (!read_shopper_query(req, &order_no, &token, err)
	    || !store_order_show(pay->flow.store, order_no, token,
	    pay_deadline(req), &json, err))
		return false;
	ok = json == NULL ? pay_no_such_order(err)
	    : web_reply_text(reply, 200, "application/json", json, err);
	free(json);
	return ok;
}

/* GET /pay/ORDER_NO/qr.svg */
static bool
pay_qr(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;
	const char *order_no, *token;
	char *code_url = NULL;
	bool ok;

	if (!read_shopper_query(req, &order_no, &token, err)
	    || !store_order_code_url(pay->flow.store, order_no, token,
	    pay_deadline(req), &code_url, err))
		return false;
	ok = code_url == NULL
	    ? err_set(err, ERR_MISSING, "no such order, or nothing to scan")
	    : web_reply_text(reply, 200, "image/svg+xml", "", err)
	    && qrsvg_format(code_url, &reply->body, err);
	free(code_url);
	return ok;
}

static bool
answer_state(struct web_reply *reply, int status, const char *state,
    bool is_closing, struct err *err)
{
	struct jsonmsg *msg = jsonmsg_new();

	jsonmsg_text(msg, "state", state);
	if (is_closing)
		jsonmsg_bool(msg, "closing", true);
	return web_reply_json(reply, status, msg, err);
}

static bool
answer_close(struct web_reply *reply, enum store_close_verdict verdict,
    struct err *err)
{
	switch (verdict) {
	case STORE_CLOSE_CLOSED:
		return answer_state(reply, 200, "closed", false, err);
	case STORE_CLOSE_CLOSING:
	case STORE_CLOSE_CALL:
		return answer_state(reply, 202, "pending", true, err);
	case STORE_CLOSE_PAID:
		return web_reply_refuse(reply, 409, "ORDER_PAID",
		    "the order is paid", err);
	case STORE_CLOSE_UNKNOWN:
		return pay_no_such_order(err);
	}
	return err_set(err, ERR_BUG, "no verdict on a close");
}

/* POST /pay/ORDER_NO/close */
static bool
pay_close(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;
	const char *order_no, *token;
	enum store_close_verdict verdict;

	return read_shopper_form(pay, req, &order_no, &token, err)
	    && flow_order_close(&pay->flow, order_no, token, &verdict, err)
	    && answer_close(reply, verdict, err);
}

static bool
answer_check(struct web_reply *reply, enum store_check_verdict verdict,
    struct err *err)
{
	switch (verdict) {
	case STORE_CHECK_ASKED:
	case STORE_CHECK_EARLY:
		return answer_state(reply, 202, "pending", false, err);
	case STORE_CHECK_PAID:
		return answer_state(reply, 202, "paid", false, err);
	case STORE_CHECK_CLOSED:
		return answer_state(reply, 202, "closed", false, err);
	case STORE_CHECK_UNKNOWN:
		return pay_no_such_order(err);
	}
	return err_set(err, ERR_BUG, "no verdict on a check");
}

/* POST /pay/ORDER_NO/check: "I have paid". */
static bool
pay_check(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;
	const char *order_no, *token;
	enum store_check_verdict verdict;

	return read_shopper_form(pay, req, &order_no, &token, err)
	    && store_order_check(pay->flow.store, order_no, token,
	    pay_deadline(req), &verdict, err)
	    && answer_check(reply, verdict, err);
}

static bool
pay_health(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;

	return store_ping(pay->flow.store, pay_deadline(req), err)
	    && web_reply_text(reply, 200, "text/plain", "ok\n", err);
}

static const struct web_route routes[] = {
	{ WEB_POST, "/pay", pay_order, FORM_MAX },
	{ WEB_POST, "/pay/openid", pay_openid, FORM_MAX },
	{ WEB_GET, "/pay/authorize", pay_authorize, 0 },
	{ WEB_GET, "/pay/authorize/callback", pay_callback, 0 },
	{ WEB_GET, "/pay/jsconfig", pay_jsconfig, 0 },
	{ WEB_GET, "/pay/*", pay_show, 0 },
	{ WEB_GET, "/pay/*/qr.svg", pay_qr, 0 },
	{ WEB_POST, "/pay/*/close", pay_close, FORM_MAX },
	{ WEB_POST, "/pay/*/check", pay_check, FORM_MAX },
	{ WEB_GET, "/merchant/orders", merchant_orders, 0 },
	{ WEB_GET, "/merchant/orders/*", merchant_order, 0 },
	{ WEB_POST, "/merchant/orders/*/check", merchant_check, FORM_MAX },
	{ WEB_POST, "/merchant/micropay", merchant_micropay, FORM_MAX },
	{ WEB_GET, "/healthz", pay_health, 0 },
};

static bool
pay_run(struct web_start *start, struct err *err)
{
	struct pay pay = { 0 };
	struct web_app app = {
		.name = "pay",
		.app = &pay,
		.routes = routes,
		.route_count = COUNT_OF(routes),
	};
	bool ok;

	xmlmsg_start();
	wechat_start();
	ok = settings_read(web_start_config(start), SETTINGS_PAY,
	    &pay.settings, err)
	    && flow_open(&pay.settings, &pay.flow, err)
	    && web_serve(start, &app, pay.settings.threads, err);
	flow_close(&pay.flow);
	settings_clear(&pay.settings);
	return ok;
}

int
main(int argc, char *argv[])
{
	return web_main(argc, argv, "pay", pay_run);
}
