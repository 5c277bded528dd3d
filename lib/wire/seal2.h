/*
 * seal2: what V2 hides in the req_info of a refund notice.
 *
 * Knows base64 over AES-256-ECB under the lower-case hexadecimal MD5 of the
 * API key [v2.md 15.2].  Hides OpenSSL.  Owns nothing.  ECB proves nothing
 * about who wrote it: what comes out is a hint.
 */
#ifndef WIRE_SEAL2_H
#define WIRE_SEAL2_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

/* Append the plain text to out.  One and the same ERR_AUTH for every kind
 * of damage. */
MUSTUSE bool seal2_open(const char *req_info, const struct secret *api_key,
    struct buf *out, struct err *err);

/* The other direction, for the sandbox: append base64 text. */
MUSTUSE bool seal2_seal(const char *plain, size_t len,
    const struct secret *api_key, struct buf *out, struct err *err);

#endif
