/*
 * qr: the modules of a QR code, for whoever draws them.
 *
 * Knows which of them are dark.  Hides libqrencode.  Owns them.  What is
 * outside the code is light: the quiet zone.
 */
#ifndef WIRE_QR_H
#define WIRE_QR_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

#define QR_TEXT_MAX 512		/* bytes of text; WeChat's code_url is ~40 */
#define QR_QUIET 4		/* [ISO/IEC 18004] modules around the code */

struct qr;

/* The caller owns *out: error correction M.  ERR_INPUT if text is empty or too
 * long. */
MUSTUSE bool qr_new(const char *text, struct qr **out, struct err *err);
void qr_free(struct qr *qr);	/* NULL is fine */

/* Modules in a row, and rows, without the quiet zone. */
int qr_width(const struct qr *qr);
bool qr_is_dark(const struct qr *qr, int x, int y);

#endif
