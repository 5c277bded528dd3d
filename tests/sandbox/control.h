/*
 * control: the strings that tests and people pull.
 *
 * Knows the forms of /sandbox/: who pays, what is refunded by hand, how fast
 * time goes, who signs, what is told again, and the ledger.  Hides the books.
 * Owns nothing.
 */
#ifndef SANDBOX_CONTROL_H
#define SANDBOX_CONTROL_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "web/web_reply.h"
#include "web/web_request.h"

MUSTUSE bool control_scan(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
MUSTUSE bool control_refund_by_hand(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
MUSTUSE bool control_refund_status(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
MUSTUSE bool control_clock(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
MUSTUSE bool control_keys(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
MUSTUSE bool control_notify(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
MUSTUSE bool control_ledger(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
MUSTUSE bool control_health(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);

#endif
