/*
 * wechat_invoke: what a page in WeChat hands to WeixinJSBridge, and an app to
 * WeChat's SDK.
 *
 * Knows the members that both APIs sign [v2.md 14, v3.md 9].  Hides nothing.
 * Owns nothing.
 */
#ifndef WECHAT_WECHAT_INVOKE_H
#define WECHAT_WECHAT_INVOKE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "wire/fields.h"

/* Add appId, timeStamp, which is text, nonceStr, package and signType. */
MUSTUSE bool wechat_invoke_add(const char *appid, const char *prepay_id,
    const char *nonce, epoch_t now, const char *sign_type,
    struct fields *out, struct err *err);

/* Add appid, partnerid, prepayid, package, noncestr and timestamp. */
MUSTUSE bool wechat_invoke_add_app(const char *appid, const char *mchid,
    const char *prepay_id, const char *nonce, epoch_t now,
    struct fields *out, struct err *err);

#endif
