/*
 * pemread: OpenSSL's objects from PEM text.
 *
 * Knows PEM.  Hides OpenSSL's habit of asking for pass phrases at the
 * terminal.  Owns nothing: the caller frees what it gets.  For this room only.
 */
#ifndef WIRE_PEMREAD_H
#define WIRE_PEMREAD_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

#include "base/attr.h"
#include "base/err.h"

#define PEMREAD_MAX 65536	/* bytes of text */

/* For OpenSSL, instead of its own: refuses. */
int pemread_no_pass_phrase(char *buf, int size, int is_writing, void *arg);

/* The first certificate in the text.  NULL with ERR_INPUT if there is none. */
MUSTUSE X509 *pemread_cert(const char *pem, size_t len, struct err *err);

/* The first private key, without a pass phrase. */
MUSTUSE EVP_PKEY *pemread_private(const char *pem, size_t len,
    struct err *err);

/* The public key of the first certificate or, if there is no certificate, the
 * first public key. */
MUSTUSE EVP_PKEY *pemread_public(const char *pem, size_t len,
    struct err *err);

/* Append every certificate, one at least, to store, which trusts them then. */
MUSTUSE bool pemread_trust(const char *pem, size_t len, X509_STORE *store,
    struct err *err);

/* ERR_INPUT unless it is RSA of 2048 bits, as all keys of APIv3 are
 * [v3.md 1]. */
MUSTUSE bool pemread_rsa2048_check(const EVP_PKEY *pkey, struct err *err);

#endif
