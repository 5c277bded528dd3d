/*
 * wechat_v2: what is said to API V2, and what its answers are worth.
 *
 * Knows the fields of the seven calls, and the one ladder by which an answer
 * becomes a verdict [v2.md 4, 7, 8, 16].  A service provider's have sub_mch_id
 * and, if there is one, sub_appid, under which the payer is sub_openid.  Hides
 * XML and signatures.  Owns nothing.  Sends nothing: bytes in, bytes out.
 */
#ifndef WECHAT_WECHAT_V2_H
#define WECHAT_WECHAT_V2_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "pay/payment.h"
#include "pay/refund.h"
#include "wechat/wechat.h"
#include "wechat/wechat_http.h"
#include "wire/fields.h"
#include "wire/sign2.h"

#define WECHAT_V2_PREPAY "/pay/unifiedorder"
#define WECHAT_V2_QUERY "/pay/orderquery"
#define WECHAT_V2_CLOSE "/pay/closeorder"
#define WECHAT_V2_REFUND "/secapi/pay/refund"
#define WECHAT_V2_QUERY_REFUND "/pay/refundquery"
#define WECHAT_V2_MICROPAY "/pay/micropay"
#define WECHAT_V2_REVERSE "/secapi/pay/reverse"

#define WECHAT_V2_NOTIFY_PAID "/notify/paid"
#define WECHAT_V2_NOTIFY_REFUNDED "/notify/refunded"

struct wechat_v2 {		/* borrowed */
	const char *mchid;
	enum sign2_type sign_type;	/* of what we say and of what we
					 * believe; never guessed */
	const struct secret *api_key;
	const char *public_url;
};

/* Append the signed request.  ERR_BUG if memory is out. */
MUSTUSE bool wechat_v2_prepay_format(const struct wechat_v2 *v2,
    const struct payment *payment, const char *nonce, struct buf *out,
    struct err *err);
MUSTUSE bool wechat_v2_query_format(const struct wechat_v2 *v2,
    const struct payment_key *key, const char *nonce, struct buf *out,
    struct err *err);
MUSTUSE bool wechat_v2_close_format(const struct wechat_v2 *v2,
    const struct payment_payee *payee, const char *out_trade_no,
    const char *nonce, struct buf *out, struct err *err);
MUSTUSE bool wechat_v2_refund_format(const struct wechat_v2 *v2,
    const struct refund *refund, const char *nonce, struct buf *out,
    struct err *err);
MUSTUSE bool wechat_v2_query_refund_format(const struct wechat_v2 *v2,
    const struct payment_payee *payee, const char *out_refund_no,
    const char *nonce, struct buf *out, struct err *err);
MUSTUSE bool wechat_v2_micropay_format(const struct wechat_v2 *v2,
    const struct payment *payment, const char *auth_code, const char *nonce,
    struct buf *out, struct err *err);
MUSTUSE bool wechat_v2_reverse_format(const struct wechat_v2 *v2,
    const struct payment_payee *payee, const char *out_trade_no,
    const char *nonce, struct buf *out, struct err *err);

/* Judge what came back.  Facts are written only where answer says DONE. */
void wechat_v2_prepay_judge(const struct wechat_v2 *v2,
    const struct payment *payment, const struct wechat_http_reply *reply,
    struct payment_prepay *prepay, struct wechat_answer *answer);
void wechat_v2_query_judge(const struct wechat_v2 *v2,
    const struct payment_key *key, const struct wechat_http_reply *reply,
    struct payment_facts *facts, struct wechat_answer *answer);
void wechat_v2_close_judge(const struct wechat_v2 *v2,
    const struct payment_payee *payee,
    const struct wechat_http_reply *reply, struct wechat_answer *answer);
void wechat_v2_refund_judge(const struct wechat_v2 *v2,
    const struct refund *refund, const struct wechat_http_reply *reply,
    char refund_id[static REFUND_ID_MAX + 1], struct wechat_answer *answer);
void wechat_v2_query_refund_judge(const struct wechat_v2 *v2,
    const struct payment_payee *payee, const char *out_refund_no,
    const struct wechat_http_reply *reply, struct refund_facts *facts,
    struct wechat_answer *answer);
void wechat_v2_micropay_judge(const struct wechat_v2 *v2,
    const struct payment *payment, const struct wechat_http_reply *reply,
    struct payment_facts *facts, struct wechat_answer *answer);
void wechat_v2_reverse_judge(const struct wechat_v2 *v2,
    const struct payment_payee *payee,
    const struct wechat_http_reply *reply, struct wechat_answer *answer);

/* wechat_jsapi, under these keys. */
MUSTUSE bool wechat_v2_jsapi(const struct wechat_v2 *v2, const char *appid,
    const char *prepay_id, const char *nonce, epoch_t now, struct fields *out,
    struct err *err);

/* wechat_app, under these keys. */
MUSTUSE bool wechat_v2_app(const struct wechat_v2 *v2, const char *appid,
    const char *prepay_id, const char *nonce, epoch_t now, struct fields *out,
    struct err *err);

#endif
