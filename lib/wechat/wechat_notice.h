/*
 * wechat_notice: the wall between what arrives and what is believed.
 *
 * Knows how both notices of V2 are proved [v2.md 15].  Hides signature and
 * encryption.  Owns nothing.  Needs no network and no merchant key, so the
 * program that hears WeChat links nothing that could call it.
 */
#ifndef WECHAT_WECHAT_NOTICE_H
#define WECHAT_WECHAT_NOTICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"
#include "pay/notice.h"
#include "wire/sign2.h"

struct wechat_notice_keys {
	const char *mchid;
	enum sign2_type sign_type;
	const struct secret *api_key;
};

/*
 * Parse, verify with the pinned type, then read: nobody can hold a notice
 * that is not proved.  ERR_AUTH: not proved, or of another merchant.
 * ERR_INPUT: not a notice at all.  ERR_REFUSED: proved, but not a success
 * (return_code or result_code FAIL): nothing to settle.
 */
MUSTUSE bool wechat_notice_paid(const struct wechat_notice_keys *keys,
    const char *body, size_t len, struct notice *out, struct err *err);

/* Decrypt and read a refund notice.  is_signed is false: a hint only. */
MUSTUSE bool wechat_notice_refunded(const struct wechat_notice_keys *keys,
    const char *body, size_t len, struct notice *out, struct err *err);

#endif
