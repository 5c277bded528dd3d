/*
 * wechat_answer: how a call ends, under either API.
 *
 * Knows the calls, and what an answer may tell journal and operator.  Hides
 * how it is cut to size.  Owns nothing.
 */
#ifndef WECHAT_WECHAT_ANSWER_H
#define WECHAT_WECHAT_ANSWER_H

#include <stdbool.h>

#include "base/attr.h"
#include "wechat/wechat.h"
#include "wechat/wechat_http.h"

enum wechat_call {		/* one table of codes each */
	WECHAT_CALL_PREPAY = 0,
	WECHAT_CALL_QUERY,
	WECHAT_CALL_CLOSE,
	WECHAT_CALL_REFUND,
	WECHAT_CALL_QUERY_REFUND,
	WECHAT_CALL_MICROPAY,		/* V2 alone */
	WECHAT_CALL_REVERSE,		/* V2 alone */
	WECHAT_CALL_CERTIFICATES,	/* V3 alone */
};
#define WECHAT_CALLS (WECHAT_CALL_CERTIFICATES + 1)

/* End with this verdict; an odd code or text is replaced.  Returns false, so
 * that ending the climb is one line. */
bool wechat_answer_end(struct wechat_answer *answer,
    enum wechat_verdict verdict, const char *code, const char *text,
    bool alarm);

/* True if reply is whole; else answer says whether a byte was sent. */
MUSTUSE bool wechat_answer_arrived(const struct wechat_http_reply *reply,
    struct wechat_answer *answer);

/* Take DONE back: a proved answer with what we did not ask for, or cannot
 * read, decides nothing and wakes somebody. */
void wechat_answer_doubt(struct wechat_answer *answer, const char *code,
    const char *text);

#endif
