/*
 * naps: waiting on purpose.
 *
 * Knows how to keep a client waiting until somebody takes the fault away.
 * Hides the condition variable.  Owns it.
 */
#ifndef SANDBOX_NAPS_H
#define SANDBOX_NAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct naps;

MUSTUSE bool naps_open(struct naps **out, struct err *err);
void naps_close(struct naps *naps);		/* NULL is fine */

/* Return after ms, or when naps_end is called. */
void naps_take(struct naps *naps, int64_t ms);

/* Wake everybody who waits now. */
void naps_end(struct naps *naps);

#endif
