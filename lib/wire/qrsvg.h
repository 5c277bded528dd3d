/*
 * qrsvg: a QR code as an SVG picture.
 *
 * Knows nothing of what the code says.  Hides libqrencode.  Owns nothing.
 */
#ifndef WIRE_QRSVG_H
#define WIRE_QRSVG_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

#define QRSVG_TEXT_MAX 512	/* bytes of text; WeChat's code_url is ~40 */

/* Append the SVG: error correction M, 4 modules of quiet zone, one path,
 * scales to any size.  ERR_INPUT if text is empty or too long. */
MUSTUSE bool qrsvg_format(const char *text, struct buf *out, struct err *err);

#endif
