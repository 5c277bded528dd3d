/*
 * cert: what must be true of certificates before a program starts.
 *
 * Knows PEM, X.509 and which key belongs to which certificate.  Hides
 * OpenSSL.  Owns nothing.
 */
#ifndef WIRE_CERT_H
#define WIRE_CERT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"

/* ERR_INPUT unless both are PEM, key is the private half of the first
 * certificate in cert, without a pass phrase, and now is within its term. */
MUSTUSE bool cert_pair_check(const struct secret *cert,
    const struct secret *key, epoch_t now, struct err *err);

/* ERR_INPUT unless path is a PEM file with at least one certificate. */
MUSTUSE bool cert_file_check(const char *path, struct err *err);

#endif
