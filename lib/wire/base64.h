/*
 * base64: RFC 4648, and hexadecimal beside it.
 *
 * Knows the alphabets.  Hides OpenSSL.  Owns nothing.
 */
#ifndef WIRE_BASE64_H
#define WIRE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"

#define BASE64_SIZE(len) (((len) + 2) / 3 * 4 + 1)

/* Append, padded, without line breaks. */
void base64_format(const void *bytes, size_t len, struct buf *out);

/* Append the bytes.  False, and nothing appended, unless text[len] is
 * strictly base64: right length, right padding, no white space. */
MUSTUSE bool base64_parse(const char *text, size_t len, struct buf *out);

/* Lower-case or upper-case hexadecimal, 2 * len characters and a NUL. */
void hex_format_lower(const unsigned char *bytes, size_t len, char *out);
void hex_format_upper(const unsigned char *bytes, size_t len, char *out);

#endif
