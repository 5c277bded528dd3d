/*
 * call2: API V2 as the merchant sees it.
 *
 * Knows how a request is believed, what is answered, and which faults spoil
 * it [v2.md 2 to 4, 7, 8].  Hides the five calls.  Owns nothing.
 */
#ifndef SANDBOX_CALL2_H
#define SANDBOX_CALL2_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "web/web_reply.h"
#include "web/web_request.h"

/* POST /pay/unifiedorder, orderquery, closeorder, refundquery, and
 * /secapi/pay/refund */
MUSTUSE bool call2_serve(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);

/* return_code FAIL, which is never signed. */
MUSTUSE bool call2_deny(struct web_reply *reply, const char *return_msg,
    struct err *err);

#endif
