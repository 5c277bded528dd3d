/*
 * flow: the steps that need both WeChat and the store.
 *
 * Knows that a row is committed before WeChat is called, and an outcome
 * after.  Hides nothing.  Owns the store, the keys and the WeChat handle.  The one copy
 * that the programs and the worker share; never sees the web.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "flow/flow_keys.h"
#include "flow/settings.h"
#include "store/store.h"
#include "store/store_order.h"
#include "wechat/wechat.h"
#include "wechat/wechat_platform.h"

#define FLOW_STORE_MS 4000	/* for one visit to the database */

struct flow {
	const struct settings *settings;	/* borrowed */
	struct store *store;
	struct flow_keys *keys;			/* NULL: no V3 */
	struct wechat *wechat;
	struct wechat_platform *platform;	/* NULL: no appsecret */
};

/* Borrows settings until flow_close.  ERR_INPUT. */
MUSTUSE bool flow_open(const struct settings *settings, struct flow *out,
    struct err *err);
void flow_close(struct flow *flow);

/* A deadline FLOW_STORE_MS from now. */
int64_t flow_deadline(void);

/* Seconds for which a caller of WeChat holds the lease: the call's budget
 * and five more. */
long flow_lease_s(const struct flow *flow);

/* What became of a call about a payment; borrows both texts. */
struct store_outcome flow_outcome_of(const char *out_trade_no,
    int64_t lease_no, int64_t call_no, const struct wechat_answer *answer,
    long check_s);

/* WeChat has answered: log it, for an alarm wakes someone, and note by which
 * key it was believed. */
void flow_answered(const struct flow *flow, const char *op,
    const char *number, const struct wechat_answer *answer);

#endif
