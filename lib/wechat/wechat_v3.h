/*
 * wechat_v3: what is said to API V3, and what its answers are worth.
 *
 * Knows the members of each call [v3.md 8, 10, 12], and how a service
 * provider makes it for a sub-merchant [v3.md 19]; what an answer must repeat
 * before it is about what we asked.  Hides JSON and signatures.  Owns nothing.
 * Sends nothing: bytes in, bytes out.
 */
#ifndef WECHAT_WECHAT_V3_H
#define WECHAT_WECHAT_V3_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "pay/payment.h"
#include "pay/refund.h"
#include "wechat/wechat.h"
#include "wechat/wechat_http.h"
#include "wechat/wechat_keys.h"
#include "wire/fields.h"
#include "wire/sign3_key.h"

#define WECHAT_V3_NOTIFY_PAID "/notify/paid"
#define WECHAT_V3_NOTIFY_REFUNDED "/notify/refunded"

/* Above the longest: a question about a refund whose number is 64 encoded
 * characters, for a sub-merchant of 32. */
#define WECHAT_V3_TARGET_MAX 319

struct wechat_v3 {		/* borrowed */
	const char *mchid;
	const char *serial;		/* of the merchant's certificate */
	const struct sign3_key *key;	/* the private half of it */
	struct wechat_keys *keys;
	const char *public_url;
};

struct wechat_v3_request {
	const char *method;
	struct buf target;		/* path and query, as they are sent */
	struct buf body;		/* empty for GET */
	struct buf authorization, wanted;	/* two of the headers */
	const char *headers[5];		/* "Name: value", NULL-ended */
};

void wechat_v3_request_init(struct wechat_v3_request *request);
void wechat_v3_request_clear(struct wechat_v3_request *request);

/* Write method, target and body into an empty request.  ERR_BUG if memory is
 * out; ERR_INPUT for a trade type that V3 has not. */
MUSTUSE bool wechat_v3_prepay_format(const struct wechat_v3 *v3,
    const struct payment *payment, struct wechat_v3_request *out,
    struct err *err);
MUSTUSE bool wechat_v3_query_format(const struct wechat_v3 *v3,
    const struct payment_key *key, struct wechat_v3_request *out,
    struct err *err);
MUSTUSE bool wechat_v3_close_format(const struct wechat_v3 *v3,
    const struct payment_payee *payee, const char *out_trade_no,
    struct wechat_v3_request *out, struct err *err);
MUSTUSE bool wechat_v3_refund_format(const struct wechat_v3 *v3,
    const struct refund *refund, struct wechat_v3_request *out,
    struct err *err);
MUSTUSE bool wechat_v3_query_refund_format(const struct payment_payee *payee,
    const char *out_refund_no, struct wechat_v3_request *out,
    struct err *err);
MUSTUSE bool wechat_v3_certificates_format(struct wechat_v3_request *out,
    struct err *err);

/* Then sign it, and list its headers. */
MUSTUSE bool wechat_v3_request_sign(const struct wechat_v3 *v3,
    const char *nonce, epoch_t now, struct wechat_v3_request *request,
    struct err *err);

/* Judge what came back.  Facts are written only where answer says DONE. */
void wechat_v3_prepay_judge(const struct wechat_v3 *v3,
    const struct payment *payment, const struct wechat_http_reply *reply,
    epoch_t now, struct payment_prepay *prepay, struct wechat_answer *answer);
void wechat_v3_query_judge(const struct wechat_v3 *v3,
    const struct payment_key *key, const struct wechat_http_reply *reply,
    epoch_t now, struct payment_facts *facts, struct wechat_answer *answer);
void wechat_v3_close_judge(const struct wechat_v3 *v3,
    const struct wechat_http_reply *reply, epoch_t now,
    struct wechat_answer *answer);
void wechat_v3_refund_judge(const struct wechat_v3 *v3,
    const struct refund *refund, const struct wechat_http_reply *reply,
    epoch_t now, char refund_id[static REFUND_ID_MAX + 1],
    struct wechat_answer *answer);
void wechat_v3_query_refund_judge(const struct wechat_v3 *v3,
    const struct payment_payee *payee, const char *out_refund_no,
    const struct wechat_http_reply *reply, epoch_t now,
    struct refund_facts *facts, struct wechat_answer *answer);

/* wechat_jsapi, under this key. */
MUSTUSE bool wechat_v3_jsapi(const struct wechat_v3 *v3, const char *appid,
    const char *prepay_id, const char *nonce, epoch_t now, struct fields *out,
    struct err *err);

/* wechat_app, under this key. */
MUSTUSE bool wechat_v3_app(const struct wechat_v3 *v3, const char *appid,
    const char *prepay_id, const char *nonce, epoch_t now, struct fields *out,
    struct err *err);

#endif
