/*
 * qrsvg: a QR code as an SVG picture.
 *
 * Knows nothing of what the code says.  Hides how it is drawn.  Owns nothing.
 */
#ifndef WIRE_QRSVG_H
#define WIRE_QRSVG_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* Append the SVG: the quiet zone around it, one path, scales to any size.
 * Fails as qr_new. */
MUSTUSE bool qrsvg_format(const char *text, struct buf *out, struct err *err);

#endif
