/*
 * platform: the open platform, which knows visitors and gives out tickets.
 *
 * Knows OAuth, a mini program's login, tokens and tickets, as callers see them
 * [platform.md 2 to 5].  Hides the books, where codes and tokens stand.  Owns
 * nothing.
 */
#ifndef SANDBOX_PLATFORM_H
#define SANDBOX_PLATFORM_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "web/web_reply.h"
#include "web/web_request.h"

/* What WeChat serves. */
MUSTUSE bool platform_authorize(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
MUSTUSE bool platform_oauth(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
MUSTUSE bool platform_login(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
MUSTUSE bool platform_token(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
MUSTUSE bool platform_ticket(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);

/* What tests pull. */
MUSTUSE bool platform_visitor(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
MUSTUSE bool platform_js_code(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
MUSTUSE bool platform_revoke(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
MUSTUSE bool platform_state(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);

#endif
