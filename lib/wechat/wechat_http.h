/*
 * wechat_http: one request over HTTPS.
 *
 * Knows how bytes get to WeChat's hosts and back, and whether any of ours
 * left.  Hides libcurl.  Owns idle handles, which remember TLS sessions, and
 * borrows the certificate.  Knows nothing of payments.
 */
#ifndef WECHAT_WECHAT_HTTP_H
#define WECHAT_WECHAT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

#define WECHAT_HTTP_MAX 65536	/* bytes of an answer, and of its head */
#define WECHAT_HTTP_HEADER_MAX 511	/* bytes of a header that is kept */

struct wechat_http_config {	/* borrowed until wechat_http_free */
	const char *ca;			/* PEM file; NULL: the system's */
	bool may_be_private;		/* a host at home, or in a test */
	const struct secret *cert;	/* PEM; NULL where no call needs it */
	const struct secret *key;
};

struct wechat_http_request {
	const char *method;	/* "GET" or "POST" */
	const char *url;
	const char *const *headers;	/* "Name: value", NULL-ended */
	const char *body;	/* of a POST */
	size_t body_len;
	bool with_cert;
	long connect_ms;	/* for name, connection and TLS */
	int64_t deadline_ms;	/* for everything, by clock_monotonic_ms */
};

enum wechat_http_name {		/* the headers of an answer that count */
	WECHAT_HTTP_TIMESTAMP = 0,	/* Wechatpay-… */
	WECHAT_HTTP_NONCE,
	WECHAT_HTTP_SIGNATURE,
	WECHAT_HTTP_SERIAL,
	WECHAT_HTTP_SIGNATURE_TYPE,
	WECHAT_HTTP_REQUEST_ID,
};
#define WECHAT_HTTP_NAMES (WECHAT_HTTP_REQUEST_ID + 1)

struct wechat_http_header {
	unsigned count;		/* how often it came */
	char text[WECHAT_HTTP_HEADER_MAX + 1];	/* the last; "" if too long */
};

struct wechat_http_reply {
	bool sent;		/* false: not one byte of the request left */
	const char *code;	/* "" if an answer came whole, else "TIMEOUT"
				 * and so on: a literal */
	long status;		/* HTTP; 0 if code is not "" */
	char text[200];		/* what went wrong, for the log */
	struct wechat_http_header headers[WECHAT_HTTP_NAMES];
	struct buf body;	/* the caller clears it */
};

struct wechat_http;

/* Copy url, which must be "https://host", perhaps with a port and a path, and
 * have nothing to misread.  ERR_INPUT begins with name. */
MUSTUSE bool wechat_http_url_copy(char *out, size_t size, const char *name,
    const char *url, struct err *err);

/* Call once before the first thread starts. */
void wechat_http_start(void);

/* ERR_BUG if memory is out. */
MUSTUSE bool wechat_http_new(const struct wechat_http_config *config,
    struct wechat_http **out, struct err *err);
void wechat_http_free(struct wechat_http *http);	/* NULL is fine */

/*
 * Send request once, over a connection of its own: libcurl silently repeats a
 * POST on a kept connection that turns out to be dead, and one journalled call
 * must be one call at WeChat.  Many threads may call at the same time.
 */
void wechat_http_send(struct wechat_http *http,
    const struct wechat_http_request *request,
    struct wechat_http_reply *reply);

#endif
