/*
 * qrtext: a QR code as text for a terminal.
 *
 * Knows UTF-8's half blocks.  Hides how it is drawn.  Owns nothing.
 */
#ifndef WIRE_QRTEXT_H
#define WIRE_QRTEXT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* Append lines of two rows of modules each, the quiet zone around them.  What
 * is light is drawn: right for light text on a dark terminal, and on a light
 * one it is a negative, which WeChat reads as well.  Fails as qr_new. */
MUSTUSE bool qrtext_format(const char *text, struct buf *out,
    struct err *err);

#endif
