/*
 * web_cookie: what a browser keeps for us.
 *
 * Knows the spelling of Cookie and Set-Cookie.  Hides nothing.  Owns nothing.
 */
#ifndef WEB_WEB_COOKIE_H
#define WEB_WEB_COOKIE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "web/web_reply.h"
#include "web/web_request.h"

/* Copy the value of the one cookie of this name.  False, and out is "", if
 * there is none or it does not fit; or two, for then somebody has put one
 * beside ours. */
MUSTUSE bool web_cookie_get(const struct web_request *req, const char *name,
    char *out, size_t size);

struct web_cookie {
	const char *name, *value;	/* of token characters alone */
	const char *path;
	long life_s;
};

/* Have the browser keep it: for this host, below path, over TLS, for no script
 * to read, and for no foreign page's form.  ERR_BUG if it does not fit. */
MUSTUSE bool web_cookie_set(struct web_reply *reply,
    const struct web_cookie *cookie, struct err *err);

#endif
