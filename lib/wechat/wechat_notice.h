/*
 * wechat_notice: the wall between what arrives and what is believed.
 *
 * Knows how the notices of V2 and V3 are proved [v2.md 15, v3.md 21].  Hides
 * signature and encryption.  Owns nothing.  Needs no network and no merchant
 * key, so the program that hears WeChat links nothing that could call it.
 */
#ifndef WECHAT_WECHAT_NOTICE_H
#define WECHAT_WECHAT_NOTICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"
#include "pay/notice.h"
#include "wechat/wechat_keys.h"
#include "wire/sign2.h"
#include "wire/sign3.h"

struct wechat_notice_keys {
	const char *mchid;		/* of the merchant, or of the service
					 * provider */
	enum sign2_type sign_type;
	const struct secret *api_key;	/* NULL: V2 is not believed */
	const struct secret *apiv3_key;	/* both NULL: V3 is not */
	struct wechat_keys *keys;
};

/*
 * Parse, verify with the pinned type, then read: nobody can hold a notice
 * that is not proved.  ERR_AUTH: not proved, or of another merchant.
 * ERR_INPUT: not a notice at all.  ERR_REFUSED: proved, but not a success
 * (return_code or result_code FAIL): nothing to settle.
 */
MUSTUSE bool wechat_notice_paid(const struct wechat_notice_keys *keys,
    const char *body, size_t len, struct notice *out, struct err *err);

/* Decrypt and read V2's refund notice.  is_signed is false: a hint only.  The
 * sub_mch_id beside the cipher is anybody's word, and is not read. */
MUSTUSE bool wechat_notice_refunded(const struct wechat_notice_keys *keys,
    const char *body, size_t len, struct notice *out, struct err *err);

/*
 * Verify, then decrypt, then read a notice of V3, whatever it is about: the
 * bytes as received, and their headers.  ERR_AUTH: not proved, not to be
 * opened, or of another merchant.  ERR_INPUT: proved, and no notice.
 * ERR_REFUSED: proved, but not a success: nothing to settle.  What is neither
 * a payment nor a refund is NOTICE_OTHER.  If it was proved and yet is no
 * notice of ours, out has api, serial and proof, and nothing else.
 *
 * Of a service provider's it says for which sub-merchant each is; whether that
 * is the one whom the payment was made for is the database's to say.
 */
MUSTUSE bool wechat_notice_v3(const struct wechat_notice_keys *keys,
    const struct sign3_headers *headers, const char *body, size_t len,
    epoch_t now, struct notice *out, struct err *err);

#endif
