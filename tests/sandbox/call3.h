/*
 * call3: API V3 as the merchant sees it.
 *
 * Knows how a request is believed, what is answered, and which faults spoil
 * it [v3.md 2 to 5, 7, 8, 10, 12].  Hides the calls.  Owns nothing.
 */
#ifndef SANDBOX_CALL3_H
#define SANDBOX_CALL3_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "web/web_reply.h"
#include "web/web_request.h"

/* Everything below /v3/ */
MUSTUSE bool call3_serve(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);

#endif
