/*
 * flow_refund: giving money back.
 *
 * Knows that a refund is sent under one number, and asked about before it is
 * sent again.  Hides the order of journal, call and outcome.  Owns nothing.
 */
#ifndef FLOW_FLOW_REFUND_H
#define FLOW_FLOW_REFUND_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "flow/flow.h"
#include "store/store_refund.h"

/*
 * Do what is due of this refund: send it, or ask about it; or, with NULL,
 * what is due next of all, refunds that WeChat hinted at included.  *found is
 * false if nothing is due, or somebody else holds the lease; else *state is
 * what the refund is now.
 */
MUSTUSE bool flow_refund_step(const struct flow *flow,
    const char *out_refund_no, bool *found, enum store_refund_state *state,
    struct err *err);

#endif
