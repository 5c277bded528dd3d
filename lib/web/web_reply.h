/*
 * web_reply: one answer.
 *
 * Knows status codes, our headers, and what a client may learn of a failure.
 * Hides how it is sent.  Owns the bytes.
 */
#ifndef WEB_WEB_REPLY_H
#define WEB_WEB_REPLY_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "web/web_request.h"
#include "wire/jsonmsg.h"

#define WEB_REPLY_MAX (1 << 20)		/* bytes */

/* The same in both languages of our pages; literals. */
struct web_words {
	const char *zh, *en;
};

struct web_reply {
	int status;		/* 0: not answered yet */
	const char *type;	/* a literal: "application/json" */
	const char *allow;	/* 405 only: "GET, POST"; a literal */
	const char *code;	/* of a refusal; a literal */
	char location[1024];	/* 303 only */
	char cookie[512];	/* Set-Cookie; "" for none */
	struct fields headers;	/* others, that a handler adds: a signature */
	/* on the page of a refusal */
	struct web_words why, link;
	char link_url[256];	/* "" for none */
	struct buf body;
};

void web_reply_init(struct web_reply *reply);
void web_reply_clear(struct web_reply *reply);

/* Each replaces what was answered before, and returns true unless memory is
 * out (ERR_BUG). */

/* Takes msg, which may be NULL. */
MUSTUSE bool web_reply_json(struct web_reply *reply, int status,
    struct jsonmsg *msg, struct err *err);
/* JSON text that the store made. */
MUSTUSE bool web_reply_text(struct web_reply *reply, int status,
    const char *type, const char *text, struct err *err);
MUSTUSE bool web_reply_see_other(struct web_reply *reply, const char *url,
    struct err *err);

/* {"code":"...","message":"..."}; code is a literal. */
MUSTUSE bool web_reply_refuse(struct web_reply *reply, int status,
    const char *code, const char *message, struct err *err);

/* Before a refusal or a failure that a shopper may meet: what a browser's page
 * says of it, instead of the text that programs get. */
void web_reply_explain(struct web_reply *reply, const struct web_words *why);
/* And where that page leads on.  ERR_BUG if url does not fit. */
MUSTUSE bool web_reply_link(struct web_reply *reply,
    const struct web_words *text, const char *url, struct err *err);

/*
 * Answer a failure: status and code by kind, from one table.  The message is
 * err->text for ERR_INPUT, ERR_FORBIDDEN, ERR_MISSING and ERR_CONFLICT, whose
 * texts we write for the caller, and a constant for all others.  To a browser
 * the same, or what explains it, as a short page, Chinese or English.  Never
 * fails: if memory is out, the body is empty.
 */
void web_reply_failure(struct web_reply *reply, const struct web_request *req,
    const struct err *err);

/* What a browser gets of an answer in JSON: a short page, Chinese or English,
 * that shows or explains it.  Other answers, and other clients', stay as they
 * are. */
void web_reply_suit(struct web_reply *reply, const struct web_request *req);

int web_status_of(enum err_kind kind);

/*
 * Append the header lines and the empty line behind them, as CGI writes them:
 * "Status: 200 OK".  request_id may be "".  ERR_BUG if a value that should
 * go into a header could end its line.
 */
MUSTUSE bool web_reply_head(const struct web_reply *reply,
    const char *request_id, struct buf *out, struct err *err);

#endif
