/*
 * worker: everything that time brings.
 *
 * Knows what is done how often.  Hides its threads.  Owns them.  Any number
 * of workers, on any number of machines: leases keep them apart.
 */
#ifndef OPS_WORKER_H
#define OPS_WORKER_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "flow/flow.h"

/* Work until SIGTERM or SIGINT, then finish what is in hand.  Call before
 * any other thread exists.  ERR_BUG if a thread cannot be made. */
MUSTUSE bool worker_run(const struct flow *flow, struct err *err);

#endif
