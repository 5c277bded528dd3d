/*
 * pay: takes a shop page's form and gets the money asked for; shows an order
 * to its shopper; finds orders for staff.  [design.md 3, 4]
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "flow/flow_micropay.h"
#include "flow/flow_openid.h"
#include "flow/flow_payment.h"
#include "web/web.h"
#include "web/web_auth.h"
#include "web/web_cookie.h"
#include "web/web_main.h"
#include "web/web_page.h"
#include "wire/qrsvg.h"
#include "wire/sign2.h"
#include "wire/xmlmsg.h"

#define FORM_MAX 16384		/* bytes [design.md 3] */
#define STORE_MS 4000
#define RETRY_AFTER_S 2		/* while WeChat's answer is unknown */
#define BROWSER_LIFE_S 600	/* as a state of WeChat's OAuth */
#define COOKIE_OPENID "wxpay_openid"
#define COOKIE_BROWSER "wxpay_browser"
#define NONCE_SET STR_DIGITS "abcdef"	/* browsers and states */
#define CODE_SET STR_ALNUM "-_.~"	/* WeChat's codes */
#define CODE_MAX 512

struct pay {
	struct settings settings;
	struct flow flow;
};

static int64_t
deadline_of(const struct web_request *req)
{
	return req->began_ms + STORE_MS;
}

/* ---- POST /pay: parse */

static const char *const pay_fields[] = {
	"product_id", "quantity", "order_no", "token", "total_fee", "body",
	"time_expire", "attach", "sign", "trade_type", "openid",
	"return_url", "request_id", NULL
};

/* The fields that say what is bought, in each of the three ways. */
static const char *const what_product[] = {
	"product_id", "quantity", "total_fee", NULL
};
static const char *const what_order[] = { "order_no", "token", NULL };
static const char *const what_signed[] = {
	"order_no", "total_fee", "body", "time_expire", "sign", NULL
};

/* A field of another way beside ours would be ignored: refuse it. */
static bool
way_is_pure(const struct fields *form, const char *const way[],
    struct err *err)
{
	static const char *const *const ways[] = {
		what_product, what_order, what_signed
	};

	for (size_t i = 0; i < COUNT_OF(ways); i++)
		for (const char *const *name = ways[i]; *name != NULL; name++)
			if (fields_get(form, *name) != NULL
			    && !str_is_among(*name, way))
				return err_set(err, ERR_INPUT,
				    "%s: not together with %s", *name, way[0]);
	return true;
}

static bool
need(const struct fields *form, const char *name, const char **out,
    struct err *err)
{
	*out = fields_get(form, name);
	if (*out == NULL)
		return err_set(err, ERR_INPUT, "%s: missing", name);
	return true;
}

static bool
fen_field(const struct fields *form, const char *name, fen_t *out,
    struct err *err)
{
	const char *text = fields_get(form, name);

	if (text != NULL && !fen_parse(text, out))
		return err_set(err, ERR_INPUT,
		    "%s: not 1 to %lld fen", name, (long long)FEN_MAX);
	return true;
}

static bool
read_product(const struct fields *form, struct store_pay *out,
    struct err *err)
{
	const char *quantity = fields_get(form, "quantity");

	out->way = "product";
	out->quantity = 1;
	if (quantity != NULL && (!str_to_long(quantity, QUANTITY_MAX,
	    &out->quantity) || out->quantity < 1))
		return err_set(err, ERR_INPUT, "quantity: not 1 to %d",
		    QUANTITY_MAX);
	return way_is_pure(form, what_product, err)
	    && need(form, "product_id", &out->product_id, err)
	    && order_product_id_check(out->product_id, err)
	    && fen_field(form, "total_fee", &out->total_fen, err);
}

static bool
read_order(const struct fields *form, struct store_pay *out, struct err *err)
{
	out->way = "order";
	return way_is_pure(form, what_order, err)
	    && need(form, "order_no", &out->order_no, err)
	    && need(form, "token", &out->token, err)
	    && order_no_check(out->order_no, err)
	    && order_token_check(out->token, err);
}

/* The shop's signature over exactly these fields. */
static bool
verify_shop(const struct pay *pay, const struct fields *form,
    struct err *err)
{
	static const char *const names[] = {
		"order_no", "total_fee", "body", "time_expire", "attach",
		"sign"
	};
	struct fields said = { 0 };
	struct err why = { 0 };
	bool ok = true;

	for (size_t i = 0; i < COUNT_OF(names) && ok; i++)
		if (fields_get(form, names[i]) != NULL)
			ok = fields_add(&said, names[i],
			    fields_get(form, names[i]), err);
	if (ok && !sign2_verify(&said, SIGN2_HMAC_SHA256,
	    pay->settings.shop_key, &why))
		ok = err_set(err, why.kind == ERR_AUTH ? ERR_FORBIDDEN
		    : why.kind, "sign: wrong");
	fields_clear(&said);
	return ok;
}

static bool
read_signed(const struct pay *pay, const struct fields *form,
    struct store_pay *out, struct err *err)
{
	const char *total, *expire, *sign;

	out->way = "signed";
	if (!way_is_pure(form, what_signed, err)
	    || !need(form, "order_no", &out->order_no, err)
	    || !need(form, "total_fee", &total, err)
	    || !need(form, "body", &out->body, err)
	    || !need(form, "time_expire", &expire, err)
	    || !need(form, "sign", &sign, err)
	    || !order_no_check(out->order_no, err)
	    || !fen_field(form, "total_fee", &out->total_fen, err)
	    || !order_body_check(out->body, err))
		return false;
	if (!clock_parse_compact(expire, &out->time_expire))
		return err_set(err, ERR_INPUT,
		    "time_expire: not yyyyMMddHHmmss");
	return verify_shop(pay, form, err);
}

static bool
read_what(const struct pay *pay, const struct fields *form,
    struct store_pay *out, struct err *err)
{
	if (fields_get(form, "product_id") != NULL)
		return read_product(form, out, err);
	if (fields_get(form, "sign") != NULL)
		return read_signed(pay, form, out, err);
	if (fields_get(form, "token") != NULL)
		return read_order(form, out, err);
	return err_set(err, ERR_INPUT, "product_id: missing; or order_no with "
	    "token; or a form signed by the shop");
}

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
	if (!read_trade_type(pay, req, &out->trade_type, err)
	    || !order_attach_check(out->attach, err))
		return false;
	if (str_eq(out->trade_type, "APP"))
		out->appid = pay->settings.app_appid;
	return (out->request_id == NULL
	    || order_request_id_check(out->request_id, err))
	    && (out->return_url == NULL
	    || order_return_url_check(out->return_url,
	    pay->settings.return_hosts, err));
}

/* The payer whom this browser's cookie vouches for. */
static bool
cookie_payer(const struct pay *pay, const struct web_request *req,
    struct flow_openid *out)
{
	char text[FLOW_OPENID_SIZE];

	return web_cookie_get(req, COOKIE_OPENID, text, sizeof(text))
	    && flow_openid_open(&pay->flow, text, req->now, out);
}

/* Who pays with JSAPI: the cookie's payer, under its appid; without one whom
 * the form names; or nobody yet.  *payer must live as long as out. */
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
	if (!cookie_payer(pay, req, payer))
		return true;
	if (named != NULL && !str_eq(named, payer->openid))
		return err_set(err, ERR_FORBIDDEN,
		    "openid: not the one that WeChat told us");
	out->openid = payer->openid;
	out->appid = payer->appid;
	return true;
}

static bool
read_pay(const struct pay *pay, struct web_request *req,
    struct flow_openid *payer, struct store_pay *out, struct err *err)
{
	const struct settings *settings = &pay->settings;

	out->client_ip = req->client_ip;
	out->api = settings->api;
	out->appid = settings->appid;
	out->life_s = settings->order_life_s;
	out->close_after_s = settings->close_after_s;
	return web_request_form(req, pay_fields, err)
	    && web_request_query(req, (const char *const[]){ NULL }, err)
	    && read_how(pay, req, out, err)
	    && read_payer(pay, req, payer, out, err)
	    && read_what(pay, &req->form, out, err);
}

/* ---- POST /pay: answer */

static void
add_order(struct jsonmsg *msg, const struct store_paid *paid,
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
	add_order(msg, paid, paid->order_state);
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
	add_order(msg, paid, "pending");
	jsonmsg_int(msg, "retry_after", RETRY_AFTER_S);
	return web_reply_json(reply, 202, msg, err);
}

static bool
answer_price(struct web_reply *reply, fen_t total_fen, struct err *err)
{
	struct jsonmsg *msg = jsonmsg_new();

	jsonmsg_text(msg, "code", "PRICE_CHANGED");
	jsonmsg_text(msg, "message", "total_fee: the price is another");
	jsonmsg_int(msg, "total_fee", total_fen);
	return web_reply_json(reply, 409, msg, err);
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

static bool
answer_no(struct web_reply *reply, const struct store_paid *paid,
    struct err *err)
{
	switch (paid->verdict) {
	case STORE_PAY_PAID:
		return web_reply_refuse(reply, 409, "ORDER_PAID",
		    "the order is paid", err);
	case STORE_PAY_CLOSING:
	case STORE_PAY_CLOSED:
		return web_reply_refuse(reply, 409, "ORDER_CLOSED",
		    "the order is closed", err);
	case STORE_PAY_EXPIRED:
		return web_reply_refuse(reply, 409, "ORDER_EXPIRED",
		    "the order has expired", err);
	case STORE_PAY_EXHAUSTED:
		return web_reply_refuse(reply, 409, "TOO_MANY_ATTEMPTS",
		    "too many attempts to pay this order", err);
	case STORE_PAY_PRICE:
		return answer_price(reply, paid->payment.total_fen, err);
	case STORE_PAY_TOO_MUCH:
		return err_set(err, ERR_INPUT, "quantity: more than one order "
		    "can be");
	case STORE_PAY_DIFFERS:
		return err_set(err, ERR_CONFLICT, "the same number or "
		    "request_id was used for something else");
	case STORE_PAY_UNKNOWN:
		return err_set(err, ERR_MISSING, "no such product or order");
	case STORE_PAY_BUSY:
		return web_reply_refuse(reply, 409, "PAYMENT_PENDING",
		    "another code is being charged for this order", err);
	default:
		return err_set(err, ERR_BUG, "no word for this verdict");
	}
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
		    : answer_no(reply, paid, err);
	case FLOW_PAY_BUSY:
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
	struct flow_openid payer;
	enum flow_pay_end end = 0;

	return web_auth_origin(req, pay->settings.allowed_origins, err)
	    && read_pay(pay, req, &payer, &ask, err)
	    && flow_pay(&pay->flow, &ask, &paid, &answer, &end, err)
	    && answer_pay(pay, req, reply, &paid, &answer, end, err);
}

/* ---- the shopper's order */

static bool
no_such_order(struct err *err)
{
	return err_set(err, ERR_MISSING, "no such order");
}

/* The order that the path names and its token, from fields that may have no
 * other.  An ill-formed number or token is one that does not exist. */
static bool
read_shopper(const struct web_request *req, const struct fields *fields,
    const char **order_no, const char **token, struct err *err)
{
	struct err shape = { 0 };

	*order_no = req->wild[0];
	if (!need(fields, "token", token, err))
		return false;
	if (!order_no_check(*order_no, &shape)
	    || !order_token_check(*token, &shape))
		return no_such_order(err);
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
	    deadline_of(req), &json, err))
		return false;
	ok = json == NULL ? no_such_order(err)
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
	    deadline_of(req), &code_url, err))
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
		return no_such_order(err);
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
		return no_such_order(err);
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
	    deadline_of(req), &verdict, err)
	    && answer_check(reply, verdict, err);
}

/* ---- who pays */

/* For all of /pay, whatever nginx has put before it. */
static bool
set_cookie(const struct pay *pay, struct web_reply *reply, const char *name,
    const char *value, long life_s, struct err *err)
{
	const char *prefix = strchr(pay->settings.public_url
	    + sizeof("https://") - 1, '/');
	char path[sizeof(reply->cookie)];
	struct web_cookie cookie = { name, value, path, life_s };

	snprintf(path, sizeof(path), "%s/pay", prefix == NULL ? "" : prefix);
	return web_cookie_set(reply, &cookie, err);
}

static bool
set_payer(const struct pay *pay, const struct web_request *req,
    struct web_reply *reply, const struct flow_openid *payer,
    struct err *err)
{
	char text[FLOW_OPENID_SIZE];

	return flow_openid_seal(&pay->flow, payer, req->now, text, err)
	    && set_cookie(pay, reply, COOKIE_OPENID, text, FLOW_OPENID_LIFE_S,
	    err);
}

/* What this browser is known by while it is at WeChat: the same in all of its
 * windows. */
static bool
know_browser(const struct web_request *req, char out[static NONCE_SIZE],
    struct err *err)
{
	if (web_cookie_get(req, COOKIE_BROWSER, out, NONCE_SIZE)
	    && str_is_of(out, NONCE_SET, NONCE_SIZE - 1, NONCE_SIZE - 1))
		return true;
	return nonce_new(out, err);
}

static bool
read_authorize(struct web_request *req, const char **order_no,
    const char **token, struct err *err)
{
	static const char *const known[] = { "order_no", "token", NULL };
	struct err shape = { 0 };

	if (!web_request_query(req, known, err)
	    || !need(&req->query, "order_no", order_no, err)
	    || !need(&req->query, "token", token, err))
		return false;
	if (!order_no_check(*order_no, &shape)
	    || !order_token_check(*token, &shape))
		return no_such_order(err);
	return true;
}

/* GET /pay/authorize: to WeChat, which tells us who this is. */
static bool
pay_authorize(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;
	const char *order_no, *token;
	char browser[NONCE_SIZE], url[FLOW_OAUTH_URL_MAX + 1];
	bool found = false;

	if (!read_authorize(req, &order_no, &token, err)
	    || !know_browser(req, browser, err)
	    || !flow_oauth_begin(&pay->flow, order_no, token, browser, url,
	    &found, err))
		return false;
	if (!found)
		return no_such_order(err);
	return set_cookie(pay, reply, COOKIE_BROWSER, browser, BROWSER_LIFE_S,
	    err)
	    && web_reply_see_other(reply, url, err);
}

static bool
read_callback(struct web_request *req, const char **state,
    const char **code, struct err *err)
{
	static const char *const known[] = { "code", "state", NULL };

	if (!web_request_query(req, known, err)
	    || !need(&req->query, "state", state, err))
		return false;
	*code = fields_get(&req->query, "code");
	if (!str_is_of(*state, NONCE_SET, NONCE_SIZE - 1, NONCE_SIZE - 1))
		return err_set(err, ERR_INPUT, "state: not one of ours");
	if (*code != NULL && !str_is_of(*code, CODE_SET, 1, CODE_MAX))
		return err_set(err, ERR_INPUT, "code: not one of WeChat's");
	return true;
}

/* The cashier of /pay, from below /pay/authorize. */
static bool
answer_back(struct web_reply *reply, const struct store_oauth_back *order,
    struct err *err)
{
	char url[sizeof("../../cashier#order_no=&token=")
	    + sizeof(order->order_no) + sizeof(order->token)];

	snprintf(url, sizeof(url), "../../cashier#order_no=%s&token=%s",
	    order->order_no, order->token);
	return web_reply_see_other(reply, url, err);
}

static bool
answer_callback(const struct pay *pay, const struct web_request *req,
    struct web_reply *reply, const struct flow_oauth *oauth, struct err *err)
{
	switch (oauth->word) {
	case FLOW_OAUTH_DONE:
		return set_payer(pay, req, reply, &oauth->payer, err)
		    && answer_back(reply, &oauth->order, err);
	case FLOW_OAUTH_REFUSED:
		return answer_back(reply, &oauth->order, err);
	case FLOW_OAUTH_AGAIN:
		return web_reply_see_other(reply, oauth->url, err);
	case FLOW_OAUTH_STRANGE:
		return err_set(err, ERR_INPUT, "state: not this browser's, or "
		    "used before, or too old; go back and pay again");
	case FLOW_OAUTH_SPENT:
		return err_set(err, ERR_INPUT,
		    "code: used before, or too old; go back and pay again");
	case FLOW_OAUTH_SNAPSHOT:
		return web_reply_refuse(reply, 403, "SNAPSHOT_USER",
		    "this is a snapshot of the page: open the full page in "
		    "WeChat, then pay", err);
	case FLOW_OAUTH_BUSY:
		return web_reply_refuse(reply, 503, "UNAVAILABLE",
		    "WeChat does not answer; try again", err);
	case FLOW_OAUTH_NO:
		return err_set(err, ERR_REFUSED, "oauth: WeChat said no");
	}
	return err_set(err, ERR_BUG, "no word for who pays");
}

/* GET /pay/authorize/callback: from WeChat, perhaps with a code. */
static bool
pay_callback(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;
	struct flow_oauth oauth = { 0 };
	const char *state, *code;
	char browser[NONCE_SIZE];

	if (!read_callback(req, &state, &code, err))
		return false;
	if (!web_cookie_get(req, COOKIE_BROWSER, browser, sizeof(browser)))
		return err_set(err, ERR_INPUT,
		    "state: this browser did not go to WeChat for it");
	return flow_oauth_end(&pay->flow, state, code, browser, &oauth, err)
	    && answer_callback(pay, req, reply, &oauth, err);
}

static bool
answer_login(const struct pay *pay, const struct web_request *req,
    struct web_reply *reply, const struct flow_openid *payer,
    enum flow_oauth_word word, struct err *err)
{
	struct jsonmsg *msg;

	switch (word) {
	case FLOW_OAUTH_DONE:
		if (!set_payer(pay, req, reply, payer, err))
			return false;
		msg = jsonmsg_new();
		jsonmsg_text(msg, "openid", payer->openid);
		return web_reply_json(reply, 200, msg, err);
	case FLOW_OAUTH_SPENT:
		return web_reply_refuse(reply, 409, "CODE_SPENT",
		    "js_code: used before, or too old; call wx.login again",
		    err);
	case FLOW_OAUTH_BUSY:
		return web_reply_refuse(reply, 503, "UNAVAILABLE",
		    "WeChat does not answer; call wx.login again", err);
	default:
		return err_set(err, ERR_REFUSED, "login: WeChat said no");
	}
}

/* POST /pay/openid: a mini program's wx.login. */
static bool
pay_openid(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "js_code", NULL };
	const struct pay *pay = app;
	struct flow_openid payer;
	enum flow_oauth_word word = 0;
	const char *js_code;

	if (!web_auth_origin(req, pay->settings.allowed_origins, err)
	    || !web_request_form(req, known, err)
	    || !need(&req->form, "js_code", &js_code, err))
		return false;
	if (!str_is_of(js_code, CODE_SET, 1, CODE_MAX))
		return err_set(err, ERR_INPUT, "js_code: not one of WeChat's");
	return flow_login(&pay->flow, js_code, &payer, &word, err)
	    && answer_login(pay, req, reply, &payer, word, err);
}

/* GET /pay/jsconfig: what a page of ours gives to wx.config. */
static bool
pay_jsconfig(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "url", NULL };
	const struct pay *pay = app;
	struct flow_jsconfig config = { 0 };
	struct jsonmsg *msg;
	const char *url;
	bool found = false;

	if (!web_request_query(req, known, err)
	    || !need(&req->query, "url", &url, err)
	    || !order_page_url_check(url, pay->settings.public_url,
	    pay->settings.return_hosts, err)
	    || !flow_jsconfig(&pay->flow, url, req->now, &config, &found,
	    err))
		return false;
	if (!found)
		return web_reply_refuse(reply, 503, "UNAVAILABLE",
		    "no ticket of WeChat's yet; try again", err);
	msg = jsonmsg_new();
	jsonmsg_text(msg, "appId", pay->settings.appid);
	jsonmsg_int(msg, "timestamp", req->now);
	jsonmsg_text(msg, "nonceStr", config.nonce);
	jsonmsg_text(msg, "signature", config.signature);
	return web_reply_json(reply, 200, msg, err);
}

/* ---- staff */

static bool
read_orders(struct web_request *req, const char **state,
    const char **order_no, struct web_page *page, struct err *err)
{
	static const char *const known[] = {
		"state", "order_no", "after", "limit", NULL
	};
	static const char *const states[] = {
		"pending", "paid", "closed", NULL
	};

	if (!web_request_query(req, known, err))
		return false;
	*state = fields_get(&req->query, "state");
	*order_no = fields_get(&req->query, "order_no");
	if (*state != NULL && !str_is_among(*state, states))
		return err_set(err, ERR_INPUT,
		    "state: not pending, paid or closed");
	return (*order_no == NULL || order_no_check(*order_no, err))
	    && web_page_read(req, page, err);
}

/* GET /merchant/orders */
static bool
merchant_orders(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;
	const char *operator, *state, *order_no;
	struct web_page page;
	char *json = NULL;
	bool ok;

	ok = web_auth_operator(req, &operator, err)
	    && read_orders(req, &state, &order_no, &page, err)
	    && store_orders_list(pay->flow.store, state, order_no,
	    page.after, page.limit, deadline_of(req), &json, err)
	    && web_reply_text(reply, 200, "application/json", json, err);
	free(json);
	return ok;
}

static bool
answer_checked(const struct pay *pay, struct web_reply *reply,
    const char *order_no, struct err *err)
{
	struct jsonmsg *msg;
	char state[9];

	if (!store_order_state(pay->flow.store, order_no, flow_deadline(),
	    state, err))
		return false;
	if (*state == '\0')
		return no_such_order(err);
	msg = jsonmsg_new();
	jsonmsg_text(msg, "order_no", order_no);
	jsonmsg_text(msg, "state", state);
	return web_reply_json(reply, 200, msg, err);
}

/* POST /merchant/orders/ORDER_NO/check: ask WeChat now. */
static bool
merchant_check(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;
	const char *operator, *order_no = req->wild[0];
	struct err shape = { 0 };

	if (!web_auth_operator(req, &operator, err)
	    || !web_auth_merchant_post(req, pay->settings.site_secret,
	    pay->settings.allowed_origins, err)
	    || !web_request_form(req, (const char *const[]){ NULL }, err))
		return false;
	if (!order_no_check(order_no, &shape))
		return no_such_order(err);
	log_info("order.checked", "order_no", order_no, "operator", operator,
	    NULL);
	return flow_order_check(&pay->flow, order_no, err)
	    && answer_checked(pay, reply, order_no, err);
}

/* GET /merchant/orders/ORDER_NO */
static bool
merchant_order(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;
	const char *operator, *order_no = req->wild[0];
	struct err shape = { 0 };
	char *json = NULL;
	bool ok;

	if (!web_auth_operator(req, &operator, err)
	    || !web_request_query(req, (const char *const[]){ NULL }, err))
		return false;
	if (!order_no_check(order_no, &shape))
		return no_such_order(err);
	if (!store_order_staff(pay->flow.store, order_no, deadline_of(req),
	    &json, err))
		return false;
	ok = json == NULL ? no_such_order(err)
	    : web_reply_text(reply, 200, "application/json", json, err);
	free(json);
	return ok;
}

static bool
read_micropay(const struct pay *pay, struct web_request *req,
    struct store_pay *out, const char **auth_code, struct err *err)
{
	static const char *const known[] = {
		"product_id", "quantity", "order_no", "token", "total_fee",
		"body", "time_expire", "attach", "sign", "auth_code",
		"request_id", NULL
	};
	const struct fields *form = &req->form;

	out->client_ip = req->client_ip;
	out->appid = pay->settings.appid;
	out->life_s = pay->settings.order_life_s;
	if (!web_request_form(req, known, err)
	    || !web_request_query(req, (const char *const[]){ NULL }, err)
	    || !need(form, "request_id", &out->request_id, err)
	    || !need(form, "auth_code", auth_code, err))
		return false;
	out->attach = fields_text(form, "attach");
	return order_request_id_check(out->request_id, err)
	    && payment_auth_code_check(*auth_code, err)
	    && order_attach_check(out->attach, err)
	    && read_what(pay, form, out, err);
}

/* Not paid, and it will not be; the order's token, for another code. */
static bool
answer_not_paid(struct web_reply *reply, const struct store_paid *paid,
    const char *code, const char *message, struct err *err)
{
	struct jsonmsg *msg = jsonmsg_new();

	jsonmsg_text(msg, "code", code);
	jsonmsg_text(msg, "message", message);
	jsonmsg_text(msg, "order_no", paid->order_no);
	jsonmsg_text(msg, "out_trade_no", paid->payment.out_trade_no);
	jsonmsg_text(msg, "token", paid->token);
	return web_reply_json(reply, 409, msg, err);
}

static bool
answer_scanned(struct web_reply *reply, const struct store_paid *paid,
    bool is_paid, struct err *err)
{
	struct jsonmsg *msg = jsonmsg_new();

	add_order(msg, paid, is_paid ? "paid" : "pending");
	if (!is_paid)
		jsonmsg_int(msg, "retry_after", RETRY_AFTER_S);
	return web_reply_json(reply, is_paid ? 200 : 202, msg, err);
}

static bool
answer_micropay(struct web_reply *reply, const struct store_micropaid *out,
    struct err *err)
{
	if (out->paid.verdict != STORE_PAY_STANDS)
		return answer_no(reply, &out->paid, err);
	switch (out->state) {
	case STORE_MICROPAY_SETTLED:
	case STORE_MICROPAY_PAID:
	case STORE_MICROPAY_SECOND:
		return answer_scanned(reply, &out->paid, true, err);
	case STORE_MICROPAY_DIFFERS:
	case STORE_MICROPAY_PENDING:
		return answer_scanned(reply, &out->paid, false, err);
	case STORE_MICROPAY_REFUSED:
		return answer_not_paid(reply, &out->paid, "PAYMENT_REFUSED",
		    *out->refusal != '\0' ? out->refusal
		    : "nothing was paid; scan again", err);
	case STORE_MICROPAY_REVERSED:
		return answer_not_paid(reply, &out->paid, "PAYMENT_REVERSED",
		    "not paid in time; nothing was taken", err);
	}
	return err_set(err, ERR_BUG, "no state of a payment");
}

/* POST /merchant/micropay: charge the payer whose code was scanned. */
static bool
merchant_micropay(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err)
{
	const struct pay *pay = app;
	struct store_micropaid out = { 0 };
	struct store_pay ask = { 0 };
	const char *operator, *auth_code;

	if (!web_auth_operator(req, &operator, err)
	    || !web_auth_merchant_post(req, pay->settings.site_secret,
	    pay->settings.allowed_origins, err))
		return false;
	if (!pay->settings.has_micropay)
		return web_reply_refuse(reply, 409, "MICROPAY_DISABLED",
		    "payment codes are not configured", err);
	return read_micropay(pay, req, &ask, &auth_code, err)
	    && flow_micropay(&pay->flow, &ask, auth_code, operator, &out, err)
	    && answer_micropay(reply, &out, err);
}

static bool
pay_health(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;

	return store_ping(pay->flow.store, deadline_of(req), err)
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
