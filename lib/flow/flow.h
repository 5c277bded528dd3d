/*
 * flow: the steps that need both WeChat and the store.
 *
 * Knows that a row is committed before WeChat is called, and an outcome
 * after.  Hides nothing.  Owns the store and the WeChat handle.  The one copy
 * that the programs and the worker share; never sees the web.
 */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "flow/settings.h"
#include "store/store.h"
#include "wechat/wechat.h"

#define FLOW_STORE_MS 4000	/* for one visit to the database */

struct flow {
	const struct settings *settings;	/* borrowed */
	struct store *store;
	struct wechat *wechat;
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

/* Log what WeChat answered; an alarm wakes someone. */
void flow_log_answer(const char *op, const char *number,
    const struct wechat_answer *answer);

#endif
