/*
 * store_order: orders and payments.
 *
 * Knows what sql/functions/ says of them.  Hides the SQL.  Owns nothing;
 * JSON text that it returns belongs to the caller, who calls free().
 * Every call: ERR_STORE if the database did not answer in time, or refused.
 */
#ifndef STORE_STORE_ORDER_H
#define STORE_STORE_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "pay/order.h"
#include "pay/payment.h"
#include "store/store.h"

/* ---- POST /pay: sql/functions/pay_start.sql, order_open.sql */

struct store_pay {		/* borrowed; NULL where not given */
	const char *way;	/* "product", "order", "signed" */
	const char *product_id;
	long quantity;		/* product only */
	const char *order_no, *token;
	fen_t total_fen;	/* signed; or what the page showed; 0: absent */
	const char *body;
	epoch_t time_expire;	/* signed only; else 0 */
	const char *attach;	/* "" for none */
	const char *return_url, *request_id;
	long life_s;		/* of an order made for a product */
	const char *trade_type, *openid, *client_ip;
	bool keep_payer;	/* without an openid: that of the attempt
				 * before */
	const char *api;
	struct payment_payee payee;
	const char *nonce;	/* of the call that may come of it */
	long lease_s, close_after_s, check_s;
};

enum store_pay_verdict {
	STORE_PAY_READY = 1, STORE_PAY_CALL, STORE_PAY_ASK, STORE_PAY_WAIT,
	STORE_PAY_PAID, STORE_PAY_CLOSING, STORE_PAY_CLOSED,
	STORE_PAY_EXPIRED, STORE_PAY_EXHAUSTED,
	STORE_PAY_DIFFERS, STORE_PAY_PRICE, STORE_PAY_UNKNOWN,
	STORE_PAY_TOO_MUCH, STORE_PAY_OPENID, STORE_PAY_BUSY,
	STORE_PAY_STANDS,	/* of micropay alone */
};

struct store_paid {		/* what came of it */
	enum store_pay_verdict verdict;
	char order_no[ORDER_NO_MAX + 1];
	char token[TOKEN_LEN + 1];
	char order_state[9];
	char return_url[RETURN_URL_MAX + 1];	/* "" for none */
	struct payment payment;		/* total_fen also for PRICE */
	struct payment_prepay prepay;	/* READY */
	int64_t lease_no, call_no;	/* CALL and ASK */
};

MUSTUSE bool store_pay_start(struct store *store, const struct store_pay *pay,
    int64_t deadline, struct store_paid *out, struct err *err);

enum store_payment_state {
	STORE_PAYMENT_CREATED = 1, STORE_PAYMENT_PREPAID, STORE_PAYMENT_PAID,
	STORE_PAYMENT_CLOSED, STORE_PAYMENT_STALE,
};

struct store_outcome {		/* of one call to WeChat */
	const char *out_trade_no;
	int64_t lease_no, call_no;
	const char *verdict, *code;	/* wechat_verdict_name; "" for none */
	long check_s;			/* when to ask again */
};

MUSTUSE bool store_payment_prepaid(struct store *store,
    const struct store_outcome *outcome, const struct payment_prepay *prepay,
    int64_t deadline, enum store_payment_state *out, struct err *err);

/* ---- asking and closing: payment_claim.sql, payment_told.sql,
 * payment_closed.sql */

enum store_payment_op {
	STORE_PAYMENT_QUERY = 1, STORE_PAYMENT_CLOSE,
	STORE_PAYMENT_REVERSE,		/* of micropay alone */
};

struct store_payment_claim {
	enum store_payment_op op;
	struct payment_key key;
	char order_no[ORDER_NO_MAX + 1];
	fen_t total_fen;
	long age_s;
	int64_t lease_no, call_no;
};

/* out_trade_no NULL: whichever is due.  *found is false if there is none. */
MUSTUSE bool store_payment_claim(struct store *store,
    const char *out_trade_no, const char *nonce, long lease_s,
    int64_t deadline, struct store_payment_claim *out, bool *found,
    struct err *err);

enum store_settled {
	STORE_SETTLED = 1, STORE_ALREADY, STORE_SECOND, STORE_DIFFERS,
	STORE_UNKNOWN, STORE_NOT_PAID,
};

/* facts NULL unless the call's verdict is done.  STORE_NOT_PAID: whatever it
 * said, not that it was paid. */
MUSTUSE bool store_payment_told(struct store *store,
    const struct store_outcome *outcome, const struct payment_facts *facts,
    int64_t deadline, enum store_settled *out, struct err *err);

MUSTUSE bool store_payment_closed(struct store *store,
    const struct store_outcome *outcome, int64_t deadline,
    enum store_payment_state *out, struct err *err);

/* A query by WeChat's number, which belongs to no payment yet:
 * transaction_ask.sql */
MUSTUSE bool store_transaction_ask(struct store *store, const char *nonce,
    int64_t deadline, int64_t *call_no, struct err *err);

/* What became of it, out_trade_no "" if it is not known.  order_no is that of
 * the payment, or "" if we have none: transaction_told.sql */
MUSTUSE bool store_transaction_told(struct store *store,
    const struct store_outcome *outcome, int64_t deadline,
    char order_no[static ORDER_NO_MAX + 1], struct err *err);

/* ---- the shopper and staff */

enum store_close_verdict {
	STORE_CLOSE_CLOSED = 1, STORE_CLOSE_CALL, STORE_CLOSE_CLOSING,
	STORE_CLOSE_PAID, STORE_CLOSE_UNKNOWN,
};

struct store_close {
	enum store_close_verdict verdict;
	struct payment_key key;		/* CALL */
	int64_t lease_no, call_no;
};

MUSTUSE bool store_order_close(struct store *store, const char *order_no,
    const char *token, const char *nonce, long lease_s, int64_t deadline,
    struct store_close *out, struct err *err);

enum store_check_verdict {
	STORE_CHECK_ASKED = 1, STORE_CHECK_EARLY, STORE_CHECK_PAID,
	STORE_CHECK_CLOSED, STORE_CHECK_UNKNOWN,
};

MUSTUSE bool store_order_check(struct store *store, const char *order_no,
    const char *token, int64_t deadline, enum store_check_verdict *out,
    struct err *err);

/* JSON for the shopper; *json is NULL if there is no such order and token. */
MUSTUSE bool store_order_show(struct store *store, const char *order_no,
    const char *token, int64_t deadline, char **json, struct err *err);

/* What the order's QR code says; *url is NULL if there is nothing to scan or
 * no such order and token.  The caller frees it. */
MUSTUSE bool store_order_code_url(struct store *store, const char *order_no,
    const char *token, int64_t deadline, char **url, struct err *err);

/* The order's state, or "" if there is none. */
MUSTUSE bool store_order_state(struct store *store, const char *order_no,
    int64_t deadline, char state[static 9], struct err *err);

/* An order as JSON for staff; *json is NULL if there is none. */
MUSTUSE bool store_order_staff(struct store *store, const char *order_no,
    int64_t deadline, char **json, struct err *err);

/* JSON for staff.  state, order_no: NULL for all; after: 0 for the start. */
MUSTUSE bool store_orders_list(struct store *store, const char *state,
    const char *order_no, int64_t after, int limit, int64_t deadline,
    char **json, struct err *err);

/* The payments of an order that are not paid: out_trade_no each.  *count is
 * at most max. */
MUSTUSE bool store_order_payments(struct store *store, const char *order_no,
    int64_t deadline, char (*out_trade_nos)[OUT_TRADE_NO_MAX + 1], size_t max,
    size_t *count, struct err *err);

/* ---- what time brings; *count is how many were done */

MUSTUSE bool store_order_expire(struct store *store, int limit,
    int64_t deadline, long *count, struct err *err);
MUSTUSE bool store_events_number(struct store *store, int64_t deadline,
    long *count, struct err *err);
MUSTUSE bool store_calls_sweep(struct store *store, int64_t deadline,
    long *count, struct err *err);
MUSTUSE bool store_partitions_ahead(struct store *store, int64_t deadline,
    long *count, struct err *err);

#endif
