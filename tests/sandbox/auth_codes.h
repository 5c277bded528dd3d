/*
 * auth_codes: the phones that show payment codes.
 *
 * Knows what such a phone may do.  Hides nothing.  Owns nothing: the books
 * keep it.
 */
#ifndef SANDBOX_AUTH_CODES_H
#define SANDBOX_AUTH_CODES_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "web/web_reply.h"
#include "web/web_request.h"

/* POST /sandbox/auth_code */
MUSTUSE bool auth_codes_set(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);

#endif
