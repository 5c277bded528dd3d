#include "terminal.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "flow/flow_payment.h"
#include "wire/qrtext.h"

#define LOOK_S 1		/* between two looks at the database */
#define QR_BYTES_MAX 65536

static bool
order_read(const struct settings *settings, const char *product_id,
    const char *quantity, struct store_pay *out, struct err *err)
{
	*out = (struct store_pay){
		.way = "product",
		.product_id = product_id,
		.attach = "",
		.life_s = settings->order_life_s,
		.trade_type = "NATIVE",
		.client_ip = "127.0.0.1",	/* the payer's is not known */
		.api = settings->api,
		.close_after_s = settings->close_after_s,
	};
	if (!str_to_long(quantity, QUANTITY_MAX, &out->quantity)
	    || out->quantity < 1)
		return err_set(err, ERR_INPUT, "quantity: not 1 to %d",
		    QUANTITY_MAX);
	return settings_payee(settings, settings->account_appid, &out->payee,
	    err)
	    && order_product_id_check(product_id, err);
}

static bool
order_refuse(const char *product_id, enum store_pay_verdict verdict,
    struct err *err)
{
	switch (verdict) {
	case STORE_PAY_UNKNOWN:
		return err_set(err, ERR_MISSING, "no product \"%s\"",
		    product_id);
	case STORE_PAY_TOO_MUCH:
		return err_set(err, ERR_INPUT,
		    "quantity: more than one order can be");
	default:
		return err_set(err, ERR_CONFLICT,
		    "the new order takes no payment");
	}
}

/* Until there is a code to scan. */
static bool
order_make(const struct flow *flow, const struct store_pay *pay,
    struct store_paid *paid, struct err *err)
{
	struct wechat_answer answer = { 0 };
	enum flow_pay_end end = 0;

	if (!flow_pay(flow, pay, paid, &answer, &end, err))
		return false;
	switch (end) {
	case FLOW_PAY_READY:
		return true;
	case FLOW_PAY_NO:
		return order_refuse(pay->product_id, paid->verdict, err);
	case FLOW_PAY_REFUSED:
		return err_set(err, ERR_REFUSED, "order %s: WeChat says %s",
		    paid->order_no, answer.code);
	case FLOW_PAY_BUSY:
	case FLOW_PAY_UNSURE:
		break;
	}
	return err_set(err, ERR_UNSURE, "order %s: no answer of WeChat's",
	    paid->order_no);
}

static bool
order_print(const struct store_paid *paid, struct err *err)
{
	char yuan[FEN_YUAN_SIZE], until[CLOCK_RFC3339_SIZE];
	struct buf code;
	bool ok;

	fen_format_yuan(paid->payment.total_fen, yuan);
	clock_format_rfc3339(paid->payment.time_expire, until);
	buf_init(&code, QR_BYTES_MAX);
	ok = qrtext_format(paid->prepay.code_url, &code, err);
	if (ok && !buf_ok(&code))
		ok = err_set(err, ERR_BUG, "out of memory");
	if (ok)
		printf("%s CNY  %s\norder %s, until %s\n\n%s\n"
		    "waiting for the payment; Ctrl-C ends the waiting\n",
		    yuan, paid->payment.body, paid->order_no, until,
		    buf_get(&code));
	buf_clear(&code);
	if (ok && fflush(stdout) != 0)
		ok = err_set(err, ERR_CONFLICT, "cannot print");
	return ok;
}

static bool
order_look(const struct flow *flow, const struct store_paid *paid,
    bool *is_paid, struct err *err)
{
	char state[9];

	if (!store_order_state(flow->store, paid->order_no, flow_deadline(),
	    state, err))
		return false;
	*is_paid = str_eq(state, "paid");
	return !str_eq(state, "closed") || err_set(err, ERR_CONFLICT,
	    "order %s: closed, and not paid", paid->order_no);
}

/* Nobody can scan the code any more: the database knows when, by its clock,
 * and WeChat whether the money came at the last moment. */
static bool
order_expired(const struct flow *flow, const struct store_paid *paid,
    bool *is_paid, struct err *err)
{
	if (!flow_order_check(flow, paid->order_no, err)
	    || !order_look(flow, paid, is_paid, err))
		return false;
	return *is_paid || err_set(err, ERR_CONFLICT,
	    "order %s: its code has expired, and it is not paid",
	    paid->order_no);
}

static bool
order_wait(const struct flow *flow, const struct store_paid *paid,
    const sigset_t *signals, struct err *err)
{
	const struct timespec pause = { .tv_sec = LOOK_S };
	bool is_paid = false;

	for (;;) {
		char *url = NULL;

		if (!order_look(flow, paid, &is_paid, err))
			return false;
		if (is_paid)
			return true;
		if (!store_order_code_url(flow->store, paid->order_no,
		    paid->token, flow_deadline(), &url, err))
			return false;
		free(url);
		if (url == NULL)
			return order_expired(flow, paid, &is_paid, err);
		if (sigtimedwait(signals, NULL, &pause) > 0)
			return err_set(err, ERR_CONFLICT, "order %s: not "
			    "paid yet; it can be until it expires",
			    paid->order_no);
	}
}

bool
terminal_pay(const struct flow *flow, const char *product_id,
    const char *quantity, struct err *err)
{
	struct store_paid paid = { 0 };
	struct store_pay pay;
	sigset_t signals;

	/* from the start: no call of ours is left without its outcome */
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	if (pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0)
		return err_set(err, ERR_BUG, "cannot block signals");
	if (!order_read(flow->settings, product_id, quantity, &pay, err)
	    || !order_make(flow, &pay, &paid, err)
	    || !order_print(&paid, err)
	    || !order_wait(flow, &paid, &signals, err))
		return false;
	printf("paid: order %s\n", paid.order_no);
	return true;
}
