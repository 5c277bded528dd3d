/*
 * sign2: the V2 signature.
 *
 * Knows the text that V2 signs and its two algorithms [v2.md 3.1].  Hides
 * OpenSSL.  Owns nothing.  The text contains the API key: it is wiped, and
 * never logged.
 */
#ifndef WIRE_SIGN2_H
#define WIRE_SIGN2_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"
#include "wire/fields.h"

enum sign2_type {
	SIGN2_MD5 = 1,
	SIGN2_HMAC_SHA256,
};

#define SIGN2_SIZE 65		/* 32 or 64 hexadecimal characters and NUL */

/* "MD5" or "HMAC-SHA256". */
const char *sign2_type_name(enum sign2_type type);
MUSTUSE bool sign2_type_parse(const char *text, enum sign2_type *out);

/* Sign all fields but "sign" and empty ones, upper case. */
MUSTUSE bool sign2_sign(const struct fields *fields, enum sign2_type type,
    const struct secret *key, char out[static SIGN2_SIZE], struct err *err);

/*
 * Check the field "sign" with this one type, whatever the message says of
 * its own: no type is ever guessed.  ERR_AUTH if sign is absent, doubled by
 * case, of another length, in lower case or wrong, or if a field sign_type
 * contradicts.  Constant time.
 */
MUSTUSE bool sign2_verify(const struct fields *fields, enum sign2_type type,
    const struct secret *key, struct err *err);

#endif
