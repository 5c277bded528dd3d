/*
 * web_answer: one request from its parameters to the bytes of its answer.
 *
 * Knows the routes, and what is logged of a request.  Hides the order of
 * things: read, find the route, bound and read the body, call the handler,
 * answer its failure.  Owns nothing.  Knows neither FastCGI nor CGI.
 */
#ifndef WEB_WEB_ANSWER_H
#define WEB_WEB_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "web/web.h"

#define WEB_HEAD_MAX 4096	/* bytes of all header lines of an answer */

/* Where the body comes from. */
struct web_source {
	/* Read len bytes, and the end behind them where it can be seen.
	 * False if there are fewer, or more. */
	bool (*read)(void *from, char *out, size_t len);
	void *from;
};

/*
 * Answer the request that params ("NAME=value", NULL-ended) and source hold.
 * head, which the caller has given a ceiling of WEB_HEAD_MAX, and
 * reply->body are what to send.  Logs once.  Never fails: if memory is out,
 * the answer is a bare 500.
 */
void web_answer(const struct web_app *app, char *const params[],
    const struct web_source *source, struct web_reply *reply,
    struct buf *head);

/*
 * The route of req->path and req->method, with req->wild filled.  NULL if
 * there is none: *allow is then NULL, or, if the path has other methods,
 * the literal that names them.
 */
const struct web_route *web_answer_route(const struct web_app *app,
    struct web_request *req, const char **allow);

#endif
