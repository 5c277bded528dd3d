/*
 * web_request: one request, read and bounded.
 *
 * Knows which parameters nginx passes, and how a form arrives.  Hides where
 * they came from, FastCGI or CGI.  Owns copies of everything in it.
 */
#ifndef WEB_WEB_REQUEST_H
#define WEB_WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "wire/fields.h"

#define WEB_PATH_MAX 255
#define WEB_PARTS_MAX 6		/* "/merchant/refunds/NO/approve" has 4 */
#define WEB_PARAMS_MAX 65536	/* bytes of all names and values */
#define WEB_REQUEST_ID_MAX 64

enum web_method {
	WEB_GET = 1,
	WEB_POST = 2,
	WEB_OTHER = 4,
};

struct web_request {
	enum web_method method;
	char path[WEB_PATH_MAX + 1];	/* PATH_INFO; "" if no route of ours
					 * could look like it */
	char parts[WEB_PATH_MAX + 1];	/* path, cut at its slashes */
	const char *wild[WEB_PARTS_MAX];/* what the route's "*" stood for */
	struct fields query;		/* of QUERY_STRING */
	struct fields form;		/* filled by web_request_form */
	const char *body;		/* as received, NUL behind it */
	size_t body_len;
	epoch_t now;			/* read once, for the whole request */
	int64_t began_ms;		/* monotonic */

	/* As nginx says; "" if it does not. */
	const char *content_type, *client_ip, *remote_user, *request_id;
	const char *origin, *accept, *accept_language, *user_agent;
	const char *cookie, *csrf_token;

	/* All parameters, for headers that only one program reads:
	 * "HTTP_WECHATPAY_SIGNATURE".  A name that came twice stands in
	 * doubled. */
	struct fields params;
	struct fields doubled;
};

/*
 * Copy what nginx or a CGI server says: "NAME=value", NULL-ended.  The body
 * is not read.  ERR_INPUT if there are too many, if one that must stand once
 * came twice or is not UTF-8, or if the query string is malformed; req is
 * then filled as far as it was read.  Other bytes than UTF-8 in a header
 * become "?".  Clear req in any case.
 */
MUSTUSE bool web_request_read(struct web_request *req, char *const params[],
    struct err *err);

/* What CONTENT_LENGTH announces, 0 if it is absent.  ERR_INPUT if it is no
 * number.  All numbers too large for a body are as good as SIZE_MAX. */
MUSTUSE bool web_request_length(const struct web_request *req, size_t *len,
    struct err *err);

/*
 * Read body as a form into form.  ERR_INPUT if its Content-Type is not
 * application/x-www-form-urlencoded (charset=utf-8 may follow), if it is
 * malformed, or if a field is not among known (NULL-ended).  A field of the
 * query string counts as doubled or unknown: a form has all its fields in
 * the body.  No body at all needs no Content-Type.
 */
MUSTUSE bool web_request_form(struct web_request *req,
    const char *const known[], struct err *err);

/* The same judgement of a query string alone. */
MUSTUSE bool web_request_query(struct web_request *req,
    const char *const known[], struct err *err);

/* True if Accept prefers text/html to JSON: a browser's form post. */
bool web_request_is_browser(const struct web_request *req);
/* True if Accept-Language prefers Chinese to English; zh when absent. */
bool web_request_is_chinese(const struct web_request *req);

void web_request_clear(struct web_request *req);

#endif
