/*
 * keys3: what WeChat signs and encrypts API V3 with.
 *
 * Knows the headers of a signed message, and how one is spoiled on purpose
 * [v3.md 4, 5].  Hides which key signs: the books say whose turn it is.  Owns
 * the keys.
 */
#ifndef SANDBOX_KEYS3_H
#define SANDBOX_KEYS3_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "books.h"
#include "faults.h"
#include "wire/fields.h"
#include "wire/jsonmsg.h"
#include "wire/sign3_key.h"

struct keys3;

/* *out is NULL if conf names none of the keys: there is no API V3 then.
 * Borrows conf and books for its life. */
MUSTUSE bool keys3_open(const struct conf *conf, struct books *books,
    struct keys3 **out, struct err *err);
void keys3_close(struct keys3 *keys);		/* NULL is fine */

/* Of the merchant's certificate; borrowed. */
const struct sign3_public *keys3_merchant(const struct keys3 *keys);
const char *keys3_merchant_serial(const struct keys3 *keys);

/*
 * Append the headers Wechatpay-* of a message.  named: the serial whose key
 * should sign, or NULL; fault: BAD_SIGN, FORGED, PROBE and UNSIGNED spoil it.
 */
MUSTUSE bool keys3_sign(const struct keys3 *keys, const char *named,
    enum fault fault, const char *body, size_t body_len,
    struct fields *headers, struct err *err);

/* What is encrypted for the merchant under his APIv3 key, with how it was
 * done: algorithm, ciphertext, associated_data, nonce.  The caller owns it;
 * NULL after a failure. */
MUSTUSE struct jsonmsg *keys3_seal(const struct keys3 *keys,
    const char *associated_data, const char *plain, size_t len,
    struct err *err);

/* Append the answer of GET /v3/certificates.  listed is what the books list,
 * ["1","2"]. */
MUSTUSE bool keys3_list(const struct keys3 *keys, const char *listed,
    struct buf *out, struct err *err);

#endif
