/*
 * notice2: what WeChat tells a merchant in V2's words.
 *
 * Knows the two messages of [v2.md 15].  Hides signature and sealing.  Owns
 * nothing.
 */
#ifndef SANDBOX_NOTICE2_H
#define SANDBOX_NOTICE2_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "sandbox.h"

/*
 * Append the message of a notice in the books: kind is "paid" or "refunded",
 * sign_type that of its order.  A forged one is made with a key that is not
 * the merchant's.
 */
MUSTUSE bool notice2_format(const struct sandbox *sandbox, const char *id,
    const char *kind, const char *sign_type, bool forged, struct buf *out,
    struct err *err);

/* True for the one body that ends the telling. */
bool notice2_is_success(const char *reply);

#endif
