/*
 * flow_payment: having an order paid, asking whether it was, closing it.
 *
 * Knows the steps of design.md 4.  Hides the order of journal, call and
 * outcome.  Owns nothing.
 */
#ifndef FLOW_FLOW_PAYMENT_H
#define FLOW_FLOW_PAYMENT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "flow/flow.h"
#include "store/store_order.h"

enum flow_pay_end {
	FLOW_PAY_READY = 1,	/* paid->prepay holds WeChat's answer */
	FLOW_PAY_NO,		/* paid->verdict says why not; no call was made */
	FLOW_PAY_BUSY,		/* somebody else is calling, and still is */
	FLOW_PAY_UNSURE,	/* WeChat's answer is unknown, or it could not
				 * be reached: the same request resumes */
	FLOW_PAY_REFUSED,	/* WeChat said no: answer says why */
};

/*
 * Do what a POST /pay asks for.  Sets pay's nonce, lease_s and check_s
 * itself.  ERR_STORE, ERR_BUG; whatever happens, what was committed stands,
 * and the same request resumes it.  Takes at most two calls' budgets.
 */
MUSTUSE bool flow_pay(const struct flow *flow, const struct store_pay *pay,
    struct store_paid *paid, struct wechat_answer *answer,
    enum flow_pay_end *end, struct err *err);

/*
 * Ask WeChat about this payment now, whatever the schedule says; or, with
 * NULL, do what is due next of all payments: ask, or close.  *found is false
 * if nothing is due, or somebody else holds the lease.
 */
MUSTUSE bool flow_payment_step(const struct flow *flow,
    const char *out_trade_no, bool *found, struct err *err);

/* Ask WeChat about the payments of an order that are not paid, the newest
 * first, within two calls' budgets. */
MUSTUSE bool flow_order_check(const struct flow *flow, const char *order_no,
    struct err *err);

/*
 * Ask WeChat which payment has this number of its, and find its order.
 * Nothing moves by it.  ERR_MISSING if WeChat knows no such payment of this
 * merchant, or we do not; ERR_REFUSED, ERR_UNSURE with WeChat's code.
 */
MUSTUSE bool flow_transaction_find(const struct flow *flow,
    const char *transaction_id, char order_no[static ORDER_NO_MAX + 1],
    struct err *err);

/*
 * Close an order for its shopper: what can be closed at WeChat now is; the
 * rest the worker closes.  *verdict is CLOSED, CLOSING, PAID or UNKNOWN.
 */
MUSTUSE bool flow_order_close(const struct flow *flow, const char *order_no,
    const char *token, enum store_close_verdict *verdict, struct err *err);

#endif
