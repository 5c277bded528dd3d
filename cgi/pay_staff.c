/*
 * What staff do at pay: find orders, have one checked, charge a payment code.
 */
#include "base/log.h"
#include "base/str.h"
#include "flow/flow_micropay.h"
#include "pay.h"
#include "pay/order.h"
#include "web/web_auth.h"
#include "web/web_page.h"

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
bool
merchant_orders(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;
	const char *operator, *state = NULL, *order_no = NULL;
	struct web_page page = { 0 };
	char *json = NULL;
	bool ok;

	ok = web_auth_operator(req, &operator, err)
	    && read_orders(req, &state, &order_no, &page, err)
	    && store_orders_list(pay->flow.store, state, order_no,
	    page.after, page.limit, pay_deadline(req), &json, err)
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
		return pay_no_such_order(err);
	msg = jsonmsg_new();
	jsonmsg_text(msg, "order_no", order_no);
	jsonmsg_text(msg, "state", state);
	return web_reply_json(reply, 200, msg, err);
}

/* POST /merchant/orders/ORDER_NO/check: ask WeChat now. */
bool
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
		return pay_no_such_order(err);
	log_info("order.checked", "order_no", order_no, "operator", operator,
	    NULL);
	return flow_order_check(&pay->flow, order_no, err)
	    && answer_checked(pay, reply, order_no, err);
}

/* GET /merchant/orders/ORDER_NO */
bool
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
		return pay_no_such_order(err);
	if (!store_order_staff(pay->flow.store, order_no, pay_deadline(req),
	    &json, err))
		return false;
	ok = json == NULL ? pay_no_such_order(err)
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
	out->life_s = pay->settings.order_life_s;
	if (!web_request_form(req, known, err)
	    || !web_request_query(req, (const char *const[]){ NULL }, err)
	    || !pay_need(form, "request_id", &out->request_id, err)
	    || !pay_need(form, "auth_code", auth_code, err))
		return false;
	out->attach = fields_text(form, "attach");
	return settings_payee(&pay->settings, pay->settings.account_appid,
	    &out->payee, err)
	    && order_request_id_check(out->request_id, err)
	    && payment_auth_code_check(*auth_code, err)
	    && order_attach_check(out->attach, err)
	    && pay_read_what(pay, form, out, err);
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

/* second: the order was paid before, and this has to be given back. */
static bool
answer_paid(struct web_reply *reply, const struct store_paid *paid,
    bool is_second, struct err *err)
{
	struct jsonmsg *msg = jsonmsg_new();

	pay_add_order(msg, paid, "paid");
	if (is_second)
		jsonmsg_bool(msg, "second", true);
	return web_reply_json(reply, 200, msg, err);
}

static bool
answer_scanned(struct web_reply *reply, const struct store_paid *paid,
    struct err *err)
{
	struct jsonmsg *msg = jsonmsg_new();

	pay_add_order(msg, paid, "pending");
	jsonmsg_int(msg, "retry_after", PAY_RETRY_AFTER_S);
	return web_reply_json(reply, 202, msg, err);
}

static bool
answer_micropay(struct web_reply *reply, const struct store_micropaid *out,
    struct err *err)
{
	if (out->paid.verdict != STORE_PAY_STANDS)
		return pay_answer_no(reply, &out->paid, err);
	switch (out->state) {
	case STORE_MICROPAY_SETTLED:
	case STORE_MICROPAY_PAID:
		return answer_paid(reply, &out->paid, false, err);
	case STORE_MICROPAY_SECOND:
		return answer_paid(reply, &out->paid, true, err);
	case STORE_MICROPAY_DIFFERS:
	case STORE_MICROPAY_PENDING:
		return answer_scanned(reply, &out->paid, err);
	case STORE_MICROPAY_REFUSED:
		return answer_not_paid(reply, &out->paid, "PAYMENT_REFUSED",
		    *out->refusal != '\0' ? out->refusal
		    : "nothing was paid; scan again", err);
	case STORE_MICROPAY_REVERSED:
		return answer_not_paid(reply, &out->paid, "PAYMENT_REVERSED",
		    "not paid in time; what was taken goes back", err);
	}
	return err_set(err, ERR_BUG, "no state of a payment");
}

/* POST /merchant/micropay: charge the payer whose code was scanned. */
bool
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
