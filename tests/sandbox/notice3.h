/*
 * notice3: what WeChat tells a merchant in V3's words.
 *
 * Knows the envelope of [v3.md 21].  Hides sealing.  Owns nothing.
 */
#ifndef SANDBOX_NOTICE3_H
#define SANDBOX_NOTICE3_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "faults.h"
#include "sandbox.h"
#include "wire/fields.h"

/*
 * Append the message of a notice in the books, sealed anew, and the headers
 * that sign it.  fault FORGED or PROBE spoils the signature.
 */
MUSTUSE bool notice3_format(const struct sandbox *sandbox, const char *id,
    enum fault fault, struct buf *out, struct fields *headers,
    struct err *err);

/* True for the statuses that end the telling. */
bool notice3_is_success(int status);

#endif
