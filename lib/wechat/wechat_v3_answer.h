/*
 * wechat_v3_answer: from what came back to a verdict.
 *
 * Knows that a success is believed if it is signed, and how far an error is
 * that is not [design.md 2, v3.md 4]; the error codes of each endpoint
 * [v3.md 7, 8.3, 10, 12].  Hides the tables.  Owns nothing.
 */
#ifndef WECHAT_WECHAT_V3_ANSWER_H
#define WECHAT_WECHAT_V3_ANSWER_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/clock.h"
#include "wechat/wechat.h"
#include "wechat/wechat_answer.h"
#include "wechat/wechat_http.h"
#include "wechat/wechat_keys.h"
#include "wire/jsonread.h"

/*
 * True if reply is whole, proved by its signature and a success: the verdict
 * is DONE and *json, which the caller frees, is what it says; NULL for
 * WECHAT_CALL_CLOSE, which says nothing.  Else false, and answer says what it
 * is instead.
 */
MUSTUSE bool wechat_v3_answer_read(struct wechat_keys *keys,
    enum wechat_call call, const struct wechat_http_reply *reply,
    epoch_t now, struct jsonread **json, struct wechat_answer *answer);

#endif
