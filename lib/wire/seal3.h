/*
 * seal3: what APIv3 encrypts.
 *
 * Knows AEAD_AES_256_GCM under the APIv3 key, of notices and certificates
 * [v3.md 6.1], and RSA-OAEP of single fields [v3.md 6.2].  Hides OpenSSL.
 * Owns nothing.  No byte of a plain text leaves before its tag is checked.
 */
#ifndef WIRE_SEAL3_H
#define WIRE_SEAL3_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "wire/sign3_key.h"

#define SEAL3_ALGORITHM "AEAD_AES_256_GCM"
#define SEAL3_MAX (1024 * 1024)	/* bytes of a ciphertext in base64 */

struct seal3_sealed {		/* the members of a "resource" */
	const char *algorithm;
	const char *nonce;
	const char *associated_data;	/* NULL is the same as "" */
	const char *ciphertext;	/* base64 of the text and its tag */
};

/* ERR_INPUT unless it is 32 letters and digits. */
MUSTUSE bool seal3_key_check(const struct secret *apiv3_key,
    struct err *err);

/* Append the plain text to out.  One and the same ERR_AUTH for every kind of
 * damage; ERR_INPUT for a key that is none. */
MUSTUSE bool seal3_open(const struct seal3_sealed *sealed,
    const struct secret *apiv3_key, struct buf *out, struct err *err);

/* The other direction, for the sandbox: append base64 text.  nonce must
 * never have been used with this key. */
MUSTUSE bool seal3_seal(const char *plain, size_t len, const char *nonce,
    const char *associated_data, const struct secret *apiv3_key,
    struct buf *out, struct err *err);

/* Append a field that was sealed for this key, given in base64.  One and the
 * same ERR_AUTH for every kind of damage. */
MUSTUSE bool seal3_field_open(const char *base64, const struct sign3_key *key,
    struct buf *out, struct err *err);

/* Append in base64, other text each time.  ERR_INPUT if text is longer than
 * SIGN3_KEY_SEAL_MAX bytes. */
MUSTUSE bool seal3_field_seal(const char *text,
    const struct sign3_public *key, struct buf *out, struct err *err);

#endif
