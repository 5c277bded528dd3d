/*
 * flow_tokens: fetching the official account's access_token and jsapi_ticket.
 *
 * Knows when, and that one machine does it for all: two that fetch apart undo
 * each other's.  Hides the order of lease, call and outcome.  Owns nothing.
 * For the worker alone.  [platform.md 4, 5]
 */
#ifndef FLOW_FLOW_TOKENS_H
#define FLOW_FLOW_TOKENS_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "flow/flow.h"

/* Fetch one of them if that is due.  *found is false if neither is, somebody
 * else does it, or there is no appsecret. */
MUSTUSE bool flow_tokens_step(const struct flow *flow, bool *found,
    struct err *err);

#endif
