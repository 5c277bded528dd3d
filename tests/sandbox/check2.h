/*
 * check2: what V2 demands of each field of a request.
 *
 * Knows the tables of [v2.md 7, 8].  Hides the rules.  Owns nothing.
 */
#ifndef SANDBOX_CHECK2_H
#define SANDBOX_CHECK2_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/clock.h"
#include "sandbox.h"
#include "wire/fields.h"

struct check2_rule;

extern const struct check2_rule *const check2_unifiedorder;
extern const struct check2_rule *const check2_orderquery;
extern const struct check2_rule *const check2_closeorder;
extern const struct check2_rule *const check2_refund;
extern const struct check2_rule *const check2_refundquery;
extern const struct check2_rule *const check2_micropay;
extern const struct check2_rule *const check2_reverse;

/*
 * True if every field obeys.  Otherwise *code is the err_code, and *field
 * the name of what does not; both are literals.
 */
MUSTUSE bool check2_all(const struct check2_rule *rules,
    const struct sandbox *sandbox, const struct fields *given, epoch_t now,
    const char **code, const char **field);

#endif
