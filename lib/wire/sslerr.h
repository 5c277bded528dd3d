/*
 * sslerr: how OpenSSL's failures become ours.
 *
 * Knows OpenSSL's error queue.  Hides that lack of memory shows nowhere else.
 * Owns nothing.  For this room only.
 */
#ifndef WIRE_SSLERR_H
#define WIRE_SSLERR_H

#include "base/err.h"

/* Say what failed; but ERR_BUG if memory is out, whatever kind says.  Empties
 * the queue.  Returns false. */
bool sslerr_set(struct err *err, enum err_kind kind, const char *text);

#endif
