/*
 * store_refund: refunds.
 *
 * Knows what sql/functions/refund_*.sql say.  Hides the SQL.  Owns nothing;
 * JSON text that it returns belongs to the caller, who calls free().
 * Every call: ERR_STORE if the database did not answer in time, or refused.
 */
#ifndef STORE_STORE_REFUND_H
#define STORE_STORE_REFUND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "pay/refund.h"
#include "store/store.h"

struct store_refund_ask {	/* borrowed; NULL where not given */
	const char *order_no;
	const char *token;		/* NULL: staff */
	const char *out_trade_no;	/* staff; NULL: the one that settled */
	fen_t refund_fen;		/* 0: all that is left */
	const char *reason, *request_id;
	const char *actor;		/* "shopper", or the operator */
};

enum store_refund_verdict {
	STORE_REFUND_REQUESTED = 1, STORE_REFUND_SAME, STORE_REFUND_DIFFERS,
	STORE_REFUND_UNKNOWN, STORE_REFUND_UNPAID, STORE_REFUND_OVERDUE,
	STORE_REFUND_TOO_MUCH, STORE_REFUND_TOO_MANY,
};

/* *json: the refund, for REQUESTED and SAME; else NULL.  *left_fen: for
 * TOO_MUCH. */
MUSTUSE bool store_refund_request(struct store *store,
    const struct store_refund_ask *ask, int64_t deadline,
    enum store_refund_verdict *verdict, char **json, fen_t *left_fen,
    struct err *err);

enum store_decide_verdict {
	STORE_DECIDE_DONE = 1, STORE_DECIDE_DECIDED, STORE_DECIDE_TOO_MUCH,
	STORE_DECIDE_UNKNOWN,
};

/* decision: "approve", "reject" or "retry".  decision_id: unique, so that a
 * repetition is known from a second decision.  state: what it is now. */
MUSTUSE bool store_refund_decide(struct store *store,
    const char *out_refund_no, const char *decision, const char *operator,
    const char *reason, const char *decision_id, long gap_s,
    int64_t deadline, enum store_decide_verdict *verdict,
    char state[static 10], struct err *err);

enum store_refund_op {
	STORE_REFUND_SEND = 1, STORE_REFUND_QUERY, STORE_REFUND_HINT,
};

struct store_refund_claim {
	enum store_refund_op op;
	struct refund refund;	/* HINT: no refund_fen, no reason */
	bool is_abnormal;	/* failed, and asked about seldom */
	long age_s;		/* since it was sent, or failed */
	int64_t lease_no, call_no;
};

/* out_refund_no NULL: whichever is due.  *found is false if there is none. */
MUSTUSE bool store_refund_claim(struct store *store,
    const char *out_refund_no, const char *nonce, long lease_s,
    int64_t deadline, struct store_refund_claim *out, bool *found,
    struct err *err);

enum store_refund_state {
	STORE_REFUND_PENDING = 1, STORE_REFUND_REFUNDING,
	STORE_REFUND_REFUNDED, STORE_REFUND_FAILED, STORE_REFUND_REJECTED,
	STORE_REFUND_HINTED, STORE_REFUND_UNEXPECTED, STORE_REFUND_FOREIGN_UNKNOWN,
};

struct store_refund_outcome {
	const struct store_refund_claim *claim;
	const char *verdict, *code;	/* wechat_verdict_name; "" for none */
	const char *refund_id;		/* "" for none */
	const struct refund_facts *facts;	/* NULL unless a query is done */
	long check_s, gap_s;
};

MUSTUSE bool store_refund_told(struct store *store,
    const struct store_refund_outcome *outcome, int64_t deadline,
    enum store_refund_state *out, struct err *err);

/* JSON; *json is NULL if there is no such refund under this token. */
MUSTUSE bool store_refund_show(struct store *store,
    const char *out_refund_no, const char *token, int64_t deadline,
    char **json, struct err *err);
MUSTUSE bool store_refunds_list(struct store *store, const char *state,
    int64_t after, int limit, int64_t deadline, char **json,
    struct err *err);

#endif
