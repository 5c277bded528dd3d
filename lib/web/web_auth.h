/*
 * web_auth: who may ask.
 *
 * Knows operators, their CSRF token, and Origin.  Hides the digest.  Owns
 * nothing.
 */
#ifndef WEB_WEB_AUTH_H
#define WEB_WEB_AUTH_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"
#include "web/web_request.h"
#include "wire/mac.h"

/* The operator whom nginx vouches for: 1 to 64 printable ASCII characters
 * without space, quote and backslash.  ERR_AUTH if there is none. */
MUSTUSE bool web_auth_operator(const struct web_request *req,
    const char **operator, struct err *err);

/* The token that this operator's POSTs must carry. */
MUSTUSE bool web_auth_csrf(const struct secret *site_secret,
    const char *operator, char out[static MAC_SIZE], struct err *err);

/*
 * A POST of an operator: header X-CSRF-Token is his, and Origin is there and
 * among origins (space-separated, "https://host[:port]").  ERR_FORBIDDEN.
 */
MUSTUSE bool web_auth_merchant_post(const struct web_request *req,
    const struct secret *site_secret, const char *origins, struct err *err);

/* A POST of a shopper: Origin is absent or among origins.  ERR_FORBIDDEN. */
MUSTUSE bool web_auth_origin(const struct web_request *req,
    const char *origins, struct err *err);

#endif
