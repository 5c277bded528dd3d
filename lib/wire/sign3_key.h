/*
 * sign3_key: the RSA keys of APIv3.
 *
 * Knows that they have 2048 bits, sign with SHA-256 and seal with OAEP over
 * SHA-1 [v3.md 3, 6.2].  Hides OpenSSL.  Owns the keys and wipes them.
 * Threads may share one.
 */
#ifndef WIRE_SIGN3_KEY_H
#define WIRE_SIGN3_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

#define SIGN3_KEY_BYTES 256	/* of a signature, or of anything sealed */
#define SIGN3_KEY_SEAL_MAX 214	/* bytes that can be sealed */

struct sign3_key;		/* merchant private key */
struct sign3_public;		/* WeChat's, or the merchant's, public key */

/* The caller owns *key.  ERR_INPUT if pem holds no RSA-2048 private key. */
MUSTUSE bool sign3_key_new(const struct secret *pem, struct sign3_key **key,
    struct err *err);
void sign3_key_free(struct sign3_key *key);	/* NULL is fine */

MUSTUSE bool sign3_key_sign(const struct sign3_key *key, const void *bytes,
    size_t len, unsigned char out[static SIGN3_KEY_BYTES], struct err *err);

/* Append what was sealed for this key.  One and the same ERR_AUTH for every
 * kind of damage; lack of memory may look the same. */
MUSTUSE bool sign3_key_open(const struct sign3_key *key, const void *sealed,
    size_t len, struct buf *out, struct err *err);

/* The caller owns *key.  pem is a certificate or a bare public key; ERR_INPUT
 * if it holds none of RSA-2048.  Whether to trust it is not judged here. */
MUSTUSE bool sign3_public_new(const char *pem, size_t len,
    struct sign3_public **key, struct err *err);
void sign3_public_free(struct sign3_public *key);	/* NULL is fine */

/* ERR_AUTH unless the private half has signed just these bytes. */
MUSTUSE bool sign3_public_verify(const struct sign3_public *key,
    const void *bytes, size_t len, const void *signature,
    size_t signature_len, struct err *err);

/* Other bytes each time.  ERR_INPUT if there are more than
 * SIGN3_KEY_SEAL_MAX to seal. */
MUSTUSE bool sign3_public_seal(const struct sign3_public *key,
    const void *bytes, size_t len, unsigned char out[static SIGN3_KEY_BYTES],
    struct err *err);

#endif
