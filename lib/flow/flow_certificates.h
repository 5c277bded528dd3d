/*
 * flow_certificates: fetching WeChat's platform certificates.
 *
 * Knows when, and that one machine does it for all.  Hides the order of
 * journal, call and outcome.  Owns nothing.  For the worker alone, which has
 * the merchant key and the APIv3 key.  [v3.md 5]
 */
#ifndef FLOW_FLOW_CERTIFICATES_H
#define FLOW_FLOW_CERTIFICATES_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "flow/flow.h"

/* Fetch them if that is due.  *found is false if it is not, somebody else
 * does it, or V3 is not configured. */
MUSTUSE bool flow_certificates_step(const struct flow *flow, bool *found,
    struct err *err);

#endif
