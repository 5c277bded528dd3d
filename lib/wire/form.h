/*
 * form: application/x-www-form-urlencoded, and the percent-encoding of URLs.
 *
 * Knows both spellings.  Hides nothing.  Owns nothing.
 */
#ifndef WIRE_FORM_H
#define WIRE_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/fields.h"

/*
 * Add the fields of a form body or a query string.  Decodes once.  ERR_INPUT
 * for a doubled or empty name, NUL, bad UTF-8 or bad percent-encoding.  A
 * part without "=" is a name with an empty value; no bytes are no fields.
 */
MUSTUSE bool form_parse(const char *bytes, size_t len, struct fields *fields,
    struct err *err);

/* Append text with all but unreserved characters percent-encoded (RFC 3986,
 * space is %20). */
void form_encode(const char *text, struct buf *out);

#endif
