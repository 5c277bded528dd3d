/*
 * cert: what must be true of a certificate before it is used.
 *
 * Knows PEM, X.509, which key belongs to which certificate, and how serial
 * numbers are spelled.  Hides OpenSSL.  Owns nothing.  The public key of a
 * certificate is sign3_public_new's.
 */
#ifndef WIRE_CERT_H
#define WIRE_CERT_H

#include <stdbool.h>
#include <stddef.h>

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

#define CERT_SERIAL_SIZE 65

struct cert_facts {
	char serial[CERT_SERIAL_SIZE];	/* as cert_serial_parse has it */
	epoch_t not_before, not_after;
};

/* What the first certificate of a PEM text says of itself.  ERR_INPUT if it
 * is none. */
MUSTUSE bool cert_read(const char *pem, size_t len, struct cert_facts *out,
    struct err *err);

/* ERR_AUTH unless at that moment the first certificate of a PEM text was
 * issued under one of the roots in ca, a PEM text, too; lack of memory may
 * look the same.  ERR_INPUT if one of them is none. */
MUSTUSE bool cert_chain_check(const char *pem, size_t len, const char *ca,
    size_t ca_len, epoch_t at, struct err *err);

/*
 * The one spelling of what stands in Wechatpay-Serial or serial_no, so that
 * str_eq compares: a certificate's serial as 40 upper-case hexadecimal digits
 * (WeChat writes 40, others drop leading zeros), or PUB_KEY_ID_ and what
 * follows, unchanged.  False if it is neither.
 */
MUSTUSE bool cert_serial_parse(const char *text,
    char out[static CERT_SERIAL_SIZE]);

#endif
