/*
 * mac: random text, and keyed digests of our own.
 *
 * Knows HMAC-SHA256 and the random generator.  Hides OpenSSL.  Owns nothing.
 */
#ifndef WIRE_MAC_H
#define WIRE_MAC_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"

#define NONCE_SIZE 33		/* 32 hexadecimal characters, 128 random bits */
#define MAC_SIZE 65		/* 64 lower-case hexadecimal characters */

MUSTUSE bool nonce_new(char out[static NONCE_SIZE], struct err *err);

/* HMAC-SHA256 of text under key. */
MUSTUSE bool mac_text(const struct secret *key, const char *text,
    char out[static MAC_SIZE], struct err *err);

#endif
