/*
 * refund: takes a shopper's request for his money, lets staff decide, and
 * sends what is due.  [design.md 3, 4]
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "flow/flow_refund.h"
#include "pay/order.h"
#include "web/web.h"
#include "web/web_auth.h"
#include "web/web_main.h"
#include "web/web_page.h"
#include "wire/mac.h"
#include "wire/xmlmsg.h"

#define FORM_MAX 16384		/* bytes [design.md 3] */
#define STORE_MS 4000

struct refunds {
	struct settings settings;
	struct flow flow;
};

static int64_t
deadline_of(const struct web_request *req)
{
	return req->began_ms + STORE_MS;
}

static bool
no_such_refund(struct err *err)
{
	return err_set(err, ERR_MISSING, "no such refund");
}

static bool
no_such_order(struct err *err)
{
	return err_set(err, ERR_MISSING, "no such order");
}

/* ---- asking for a refund */

/* Number, amount, reason and id, as both who may ask write them. */
static bool
read_ask(const struct fields *form, struct store_refund_ask *out,
    struct err *err)
{
	const char *fee = fields_get(form, "refund_fee");
	struct err shape = { 0 };

	out->order_no = fields_get(form, "order_no");
	out->reason = fields_text(form, "reason");
	out->request_id = fields_get(form, "request_id");
	if (out->order_no == NULL)
		return err_set(err, ERR_INPUT, "order_no: missing");
	if (fee != NULL && !fen_parse(fee, &out->refund_fen))
		return err_set(err, ERR_INPUT,
		    "refund_fee: not 1 to %lld fen", (long long)FEN_MAX);
	if (!refund_reason_check(out->reason, err)
	    || (out->request_id != NULL
	    && !order_request_id_check(out->request_id, err)))
		return false;
	if (!order_no_check(out->order_no, &shape))
		return no_such_order(err);
	return true;
}

static bool
answer_too_much(struct web_reply *reply, fen_t left_fen, struct err *err)
{
	struct jsonmsg *msg = jsonmsg_new();

	jsonmsg_text(msg, "code", "NOT_ENOUGH_LEFT");
	jsonmsg_text(msg, "message", "refund_fee: more than what is left");
	jsonmsg_int(msg, "left_fee", left_fen);
	return web_reply_json(reply, 409, msg, err);
}

static bool
answer_ask(struct web_reply *reply, enum store_refund_verdict verdict,
    const char *json, fen_t left_fen, struct err *err)
{
	switch (verdict) {
	case STORE_REFUND_REQUESTED:
	case STORE_REFUND_SAME:
		return web_reply_text(reply, 201, "application/json", json,
		    err);
	case STORE_REFUND_DIFFERS:
		return err_set(err, ERR_CONFLICT,
		    "the request_id was used for something else");
	case STORE_REFUND_UNKNOWN:
		return no_such_order(err);
	case STORE_REFUND_UNPAID:
		return web_reply_refuse(reply, 409, "ORDER_NOT_PAID",
		    "the order is not paid", err);
	case STORE_REFUND_OVERDUE:
		return web_reply_refuse(reply, 409, "TRADE_OVERDUE",
		    "paid more than a year ago", err);
	case STORE_REFUND_TOO_MUCH:
		return answer_too_much(reply, left_fen, err);
	case STORE_REFUND_TOO_MANY:
		return web_reply_refuse(reply, 409, "TOO_MANY_REFUNDS",
		    "50 refunds of this payment", err);
	}
	return err_set(err, ERR_BUG, "no verdict on a refund");
}

static bool
ask(const struct refunds *app, const struct web_request *req,
    const struct store_refund_ask *what, struct web_reply *reply,
    struct err *err)
{
	enum store_refund_verdict verdict = 0;
	struct store_refund_ask mine = *what;
	char request_id[NONCE_SIZE];
	fen_t left_fen = 0;
	char *json = NULL;
	bool ok;

	/* The store repeats what a broken connection left in doubt: that
	 * must not be a second refund. */
	if (!nonce_new(request_id, err))
		return false;
	if (mine.request_id == NULL)
		mine.request_id = request_id;
	ok = store_refund_request(app->flow.store, &mine, deadline_of(req),
	    &verdict, &json, &left_fen, err)
	    && answer_ask(reply, verdict, json, left_fen, err);
	free(json);
	return ok;
}

/* POST /refund: a shopper wants his money back. */
static bool
refund_request(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = {
		"order_no", "token", "refund_fee", "reason", "request_id", NULL
	};
	const struct refunds *refunds = app;
	struct store_refund_ask what = { .actor = "shopper" };
	struct err shape = { 0 };

	if (!web_auth_origin(req, refunds->settings.allowed_origins, err)
	    || !web_request_form(req, known, err)
	    || !web_request_query(req, (const char *const[]){ NULL }, err))
		return false;
	what.token = fields_get(&req->form, "token");
	if (what.token == NULL)
		return err_set(err, ERR_INPUT, "token: missing");
	if (!read_ask(&req->form, &what, err))
		return false;
	if (!order_token_check(what.token, &shape))
		return no_such_order(err);
	return ask(refunds, req, &what, reply, err);
}

/* GET /refund/OUT_REFUND_NO */
static bool
refund_show(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct refunds *refunds = app;
	struct err shape = { 0 };
	const char *token;
	char *json = NULL;
	bool ok;

	if (!web_request_query(req, (const char *const[]){ "token", NULL },
	    err))
		return false;
	token = fields_get(&req->query, "token");
	if (token == NULL)
		return err_set(err, ERR_INPUT, "token: missing");
	if (!refund_no_check(req->wild[0], &shape)
	    || !order_token_check(token, &shape))
		return no_such_refund(err);
	if (!store_refund_show(refunds->flow.store, req->wild[0], token,
	    deadline_of(req), &json, err))
		return false;
	ok = json == NULL ? no_such_refund(err)
	    : web_reply_text(reply, 200, "application/json", json, err);
	free(json);
	return ok;
}

/* ---- staff */

/* GET /merchant/session */
static bool
merchant_session(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct refunds *refunds = app;
	const char *operator;
	char csrf_token[MAC_SIZE];
	struct jsonmsg *msg;

	if (!web_auth_operator(req, &operator, err)
	    || !web_request_query(req, (const char *const[]){ NULL }, err)
	    || !web_auth_csrf(refunds->settings.site_secret, operator,
	    csrf_token, err))
		return false;
	msg = jsonmsg_new();
	jsonmsg_text(msg, "operator", operator);
	jsonmsg_text(msg, "csrf_token", csrf_token);
	return web_reply_json(reply, 200, msg, err);
}

/* GET /merchant/refunds */
static bool
merchant_refunds(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "state", "after", "limit", NULL };
	static const char *const states[] = {
		"pending", "refunding", "refunded", "failed", "rejected", NULL
	};
	const struct refunds *refunds = app;
	const char *operator, *state;
	struct web_page page;
	char *json = NULL;
	bool ok;

	if (!web_auth_operator(req, &operator, err)
	    || !web_request_query(req, known, err)
	    || !web_page_read(req, &page, err))
		return false;
	state = fields_get(&req->query, "state");
	if (state != NULL && !str_is_among(state, states))
		return err_set(err, ERR_INPUT, "state: not a refund's");
	ok = store_refunds_list(refunds->flow.store, state, page.after,
	    page.limit, deadline_of(req), &json, err)
	    && web_reply_text(reply, 200, "application/json", json, err);
	free(json);
	return ok;
}

/* An operator's POST: who he is, and that it was his page that sent it. */
static bool
read_operator(const struct refunds *refunds, struct web_request *req,
    const char *const known[], const char **operator, struct err *err)
{
	return web_auth_operator(req, operator, err)
	    && web_auth_merchant_post(req, refunds->settings.site_secret,
	    refunds->settings.allowed_origins, err)
	    && web_request_form(req, known, err)
	    && web_request_query(req, (const char *const[]){ NULL }, err);
}

/* POST /merchant/refunds: staff start one. */
static bool
merchant_request(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err)
{
	static const char *const known[] = {
		"order_no", "out_trade_no", "refund_fee", "reason",
		"request_id", NULL
	};
	const struct refunds *refunds = app;
	struct store_refund_ask what = { 0 };

	if (!read_operator(refunds, req, known, &what.actor, err)
	    || !read_ask(&req->form, &what, err))
		return false;
	what.out_trade_no = fields_get(&req->form, "out_trade_no");
	return ask(refunds, req, &what, reply, err);
}

/* Send what has just been approved, if its turn has come.  The decision is
 * committed: trouble here is the worker's to mend, not the operator's. */
static void
send_approved(const struct refunds *refunds, const char *out_refund_no,
    char state[static 10])
{
	enum store_refund_state now = 0;
	struct err err = { 0 };
	bool found = false;

	if (!flow_refund_step(&refunds->flow, out_refund_no, &found, &now,
	    &err))
		log_warn("refund.left", "out_refund_no", out_refund_no, "kind",
		    err_kind_name(err.kind), "why", err.text, NULL);
	else if (found && now == STORE_REFUND_FAILED)
		memcpy(state, "failed", sizeof("failed"));
}

static bool
answer_decided(struct web_reply *reply, enum store_decide_verdict verdict,
    const char *state, struct err *err)
{
	struct jsonmsg *msg;

	switch (verdict) {
	case STORE_DECIDE_DONE:
		msg = jsonmsg_new();
		jsonmsg_text(msg, "state", state);
		return web_reply_json(reply, 200, msg, err);
	case STORE_DECIDE_DECIDED:
		msg = jsonmsg_new();
		jsonmsg_text(msg, "code", "DECIDED");
		jsonmsg_text(msg, "message", "not waiting for this decision");
		jsonmsg_text(msg, "state", state);
		return web_reply_json(reply, 409, msg, err);
	case STORE_DECIDE_TOO_MUCH:
		return web_reply_refuse(reply, 409, "NOT_ENOUGH_LEFT",
		    "the amount no longer fits", err);
	case STORE_DECIDE_UNKNOWN:
		return no_such_refund(err);
	}
	return err_set(err, ERR_BUG, "no verdict on a decision");
}

static bool
decide(struct refunds *refunds, struct web_request *req,
    struct web_reply *reply, const char *decision, struct err *err)
{
	static const char *const known[] = { "reason", NULL };
	const char *operator, *reason, *out_refund_no = req->wild[0];
	enum store_decide_verdict verdict = 0;
	struct err shape = { 0 };
	char decision_id[NONCE_SIZE], state[10] = "";

	if (!read_operator(refunds, req, known, &operator, err))
		return false;
	reason = fields_text(&req->form, "reason");
	if (!refund_reason_check(reason, err))
		return false;
	if (!refund_no_check(out_refund_no, &shape))
		return no_such_refund(err);
	if (!nonce_new(decision_id, err)
	    || !store_refund_decide(refunds->flow.store, out_refund_no,
	    decision, operator, reason, decision_id,
	    refunds->settings.refund_gap_s, deadline_of(req), &verdict, state, err))
		return false;
	if (verdict == STORE_DECIDE_DONE) {
		log_info("refund.decided", "out_refund_no", out_refund_no,
		    "decision", decision, "operator", operator, NULL);
		if (str_eq(state, "refunding"))
			send_approved(refunds, out_refund_no, state);
	}
	return answer_decided(reply, verdict, state, err);
}

static bool
merchant_approve(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err)
{
	return decide(app, req, reply, "approve", err);
}

static bool
merchant_reject(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	return decide(app, req, reply, "reject", err);
}

static bool
merchant_retry(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	return decide(app, req, reply, "retry", err);
}

static bool
refund_health(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct refunds *refunds = app;

	return store_ping(refunds->flow.store, deadline_of(req), err)
	    && web_reply_text(reply, 200, "text/plain", "ok\n", err);
}

static const struct web_route routes[] = {
	{ WEB_POST, "/refund", refund_request, FORM_MAX },
	{ WEB_GET, "/refund/*", refund_show, 0 },
	{ WEB_GET, "/merchant/session", merchant_session, 0 },
	{ WEB_GET, "/merchant/refunds", merchant_refunds, 0 },
	{ WEB_POST, "/merchant/refunds", merchant_request, FORM_MAX },
	{ WEB_POST, "/merchant/refunds/*/approve", merchant_approve,
	    FORM_MAX },
	{ WEB_POST, "/merchant/refunds/*/reject", merchant_reject, FORM_MAX },
	{ WEB_POST, "/merchant/refunds/*/retry", merchant_retry, FORM_MAX },
	{ WEB_GET, "/healthz", refund_health, 0 },
};

static bool
refund_run(struct web_start *start, struct err *err)
{
	struct refunds refunds = { 0 };
	struct web_app app = {
		.name = "refund",
		.app = &refunds,
		.routes = routes,
		.route_count = COUNT_OF(routes),
	};
	bool ok;

	xmlmsg_start();
	wechat_start();
	ok = settings_read(web_start_config(start), SETTINGS_REFUND,
	    &refunds.settings, err)
	    && flow_open(&refunds.settings, &refunds.flow, err)
	    && web_serve(start, &app, refunds.settings.threads, err);
	flow_close(&refunds.flow);
	settings_clear(&refunds.settings);
	return ok;
}

int
main(int argc, char *argv[])
{
	return web_main(argc, argv, "refund", refund_run);
}
