/*
 * flow_micropay: charging the payer whose code the shop has scanned.
 *
 * Knows that one call charges, queries tell, and what is not paid in time is
 * reversed until WeChat says that it is [v2.md 7.2, 7.5].  Hides the order of
 * journal, call and outcome.  Owns nothing, and keeps no code.
 */
#ifndef FLOW_FLOW_MICROPAY_H
#define FLOW_FLOW_MICROPAY_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "flow/flow.h"
#include "store/store_micropay.h"

/*
 * Do what a POST /merchant/micropay asks for.  Sets pay's nonce, lease_s and
 * close_after_s itself.  out->paid.verdict is STANDS when out->state says
 * what became of it; else why nothing was done.  ERR_STORE, ERR_BUG; whatever
 * happens, what was committed stands, and the same request tells.  Takes at
 * most one call's budget.
 */
MUSTUSE bool flow_micropay(const struct flow *flow,
    const struct store_pay *pay, const char *auth_code, const char *operator,
    struct store_micropaid *out, struct err *err);

/*
 * Ask WeChat about this payment now; or, with NULL, do what is due next of
 * all payments by a code: ask, or reverse.  *found is false if nothing is
 * due, or somebody else holds the lease.
 */
MUSTUSE bool flow_micropay_step(const struct flow *flow,
    const char *out_trade_no, bool *found, struct err *err);

#endif
