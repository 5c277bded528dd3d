/*
 * sender: telling merchants, until they have understood.
 *
 * Knows WeChat's schedule only through the books.  Hides libcurl and the
 * threads.  Owns them.
 */
#ifndef SANDBOX_SENDER_H
#define SANDBOX_SENDER_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "faults.h"
#include "sandbox.h"

#define SENDER_COPIES_MAX 50

struct sender;

/* Start telling what is due.  Borrows sandbox for its life. */
MUSTUSE bool sender_open(const struct sandbox *sandbox, struct sender **out,
    struct err *err);
/* Stop, when what is under way has been answered.  NULL is fine. */
void sender_close(struct sender *sender);

/*
 * Tell the newest notice about an out_trade_no (kind "paid") or out_refund_no
 * ("refunded") now, copies at once and all alike, whatever its schedule
 * says; fault is FORGED, PROBE or none.  Appends
 * {"replies":[{"status":,"ms":,"reply":,"verdict":},...]}; status 0 is no
 * answer in time.  ERR_MISSING if there is no such notice.
 */
MUSTUSE bool sender_repeat(const struct sandbox *sandbox, const char *kind,
    const char *number, int copies, enum fault fault, struct buf *out,
    struct err *err);

#endif
