/*
 * web: accepting requests, finding their handler, answering, logging.
 *
 * Knows FastCGI and CGI.  Hides libfcgi and the threads.  Owns both.  One
 * loop for all three programs.
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "web/web_reply.h"
#include "web/web_request.h"
#include "web/web_start.h"

/* Answer req in reply, or say in err why not. */
typedef bool web_handler(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);

struct web_route {
	enum web_method method;
	const char *path;	/* "/pay/" and "*" parts: "/pay/X/close" */
	web_handler *handler;
	size_t body_max;	/* bytes; longer is 413 */
};

struct web_app {
	const char *name;	/* for the log */
	void *app;		/* handed to the handlers */
	const struct web_route *routes;
	size_t route_count;
	/* How a failure is answered; NULL: web_reply_failure.  Also called
	 * for 404, 405 and 413, with reply->status set and err empty. */
	void (*failure)(void *app, const struct web_request *req,
	    struct web_reply *reply, const struct err *err);
};

#define WEB_THREADS_MAX 64

/*
 * Serve until SIGTERM or SIGINT (finish what is in hand, then return), or
 * the one CGI request.  threads: 1 to WEB_THREADS_MAX.  No other thread may
 * be running yet, for it would take the signals.  ERR_INPUT if the socket
 * cannot be made.
 */
MUSTUSE bool web_serve(const struct web_start *start, const struct web_app *app,
    int threads, struct err *err);

#endif
