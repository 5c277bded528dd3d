/*
 * wechat_v2_answer: from what came back to a verdict.
 *
 * Knows the ladder of [v2.md 4] and the error codes of each endpoint
 * [v2.md 7.4, 16].  Hides the tables.  Owns nothing.
 */
#ifndef WECHAT_WECHAT_V2_ANSWER_H
#define WECHAT_WECHAT_V2_ANSWER_H

#include <stdbool.h>

#include "base/attr.h"
#include "wechat/wechat.h"
#include "wechat/wechat_answer.h"
#include "wechat/wechat_http.h"
#include "wechat/wechat_v2.h"
#include "wire/fields.h"

#define WECHAT_V2_CALLS (WECHAT_CALL_REVERSE + 1)

/*
 * True if reply is whole, proved by its signature, of our merchant and payee
 * and a success: the verdict is DONE and fields, which must be empty, hold
 * what it says.  Else false, and answer says what it is instead.
 */
MUSTUSE bool wechat_v2_answer_read(const struct wechat_v2 *v2,
    enum wechat_call call, const struct payment_payee *payee,
    const struct wechat_http_reply *reply, struct fields *fields,
    struct wechat_answer *answer);

#endif
