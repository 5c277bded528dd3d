/*
 * wechat: WeChat's side as C calls.
 *
 * Knows what we may ask of WeChat and how its answers must be judged
 * [design.md 2, v2.md 4].  Hides the API version, the signatures and
 * libcurl.  Owns the keys, wiped at close.  Stores nothing.
 *
 * A payment is made to its payee, and every later call about it names the
 * same one.  Where that has a sub_mchid we are the service provider who
 * collects for it: keys and mchid are ours, each request names the
 * sub-merchant, and an answer about another one decides nothing. [v3.md 19]
 *
 * Every call sends one request and ends in a verdict: there is no failure
 * beside it, for unknown is a state.  Each takes the nonce that its caller
 * has journalled, and returns within total_ms.
 */
#ifndef WECHAT_WECHAT_H
#define WECHAT_WECHAT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"
#include "pay/payment.h"
#include "pay/refund.h"
#include "wechat/wechat_keys.h"
#include "wire/cert.h"
#include "wire/fields.h"
#include "wire/mac.h"
#include "wire/sign2.h"

#define WECHAT_CODE_SIZE 33	/* err_code and NUL */
#define WECHAT_CODE_SERIAL "SIGN_SERIAL"	/* V3: signed by a key that we
					 * do not have */
#define WECHAT_URL_MAX 255
#define WECHAT_PEM_SIZE 8192	/* of a certificate */

struct wechat_config {		/* borrowed for the call, unless it says so */
	const char *mchid;		/* or the service provider's */
	enum sign2_type sign_type;
	const struct secret *api_key;	/* NULL: no payment is V2's */
	struct wechat_keys *keys;	/* NULL: none is V3's; borrowed until
					 * wechat_close */
	const struct secret *apiv3_key;	/* for wechat_certificates alone */
	const char *url;		/* "https://api.mch.weixin.qq.com" */
	const char *url_backup;		/* NULL for none */
	const char *ca;			/* PEM file; NULL: the system's */
	bool may_be_private;		/* WeChat's host, in a test */
	const struct secret *merchant_cert;	/* PEM; V3 signs with this */
	const struct secret *merchant_key;	/* pair, V2 sends refunds by
						 * it; NULL where neither is */
	const char *public_url;		/* base of the notify URLs */
	long connect_ms, total_ms;
};

struct wechat;

/* Call once before the first thread starts. */
void wechat_start(void);

/* ERR_INPUT if a key, certificate or URL is unusable; merchant_cert and
 * merchant_key must belong together and be valid today, and V3 needs them. */
MUSTUSE bool wechat_open(const struct wechat_config *config,
    struct wechat **out, struct err *err);
void wechat_close(struct wechat *wechat);	/* NULL is fine */

enum wechat_verdict {
	WECHAT_UNSURE = 0,	/* sent perhaps; only a query may decide */
	WECHAT_DONE,		/* verified: accepted, or the facts are here */
	WECHAT_NOT_SENT,	/* no byte of the request left: same again */
	WECHAT_AGAIN,		/* verified: not now; same number again */
	WECHAT_MISSING,		/* verified: WeChat knows no such number */
	WECHAT_PAID,		/* verified: it is paid already; query */
	WECHAT_CLOSED,		/* verified: it is closed already */
	WECHAT_NO_MONEY,	/* verified: NOTENOUGH */
	WECHAT_REFUSED,		/* verified: no, for good */
	WECHAT_DENIED,		/* refused without a signature: TLS alone
				 * vouches; not executed, but a query decides */
};
#define WECHAT_VERDICTS (WECHAT_DENIED + 1)

/* "unsure", "done", …: the words of the call journal. */
const char *wechat_verdict_name(enum wechat_verdict verdict);

struct wechat_answer {
	enum wechat_verdict verdict;
	char code[WECHAT_CODE_SIZE];	/* err_code, "HTTP_502", "TIMEOUT",
					 * "BAD_SIGN", …; "" if all is well */
	char text[200];			/* for log and operator: WeChat's words,
					 * plain UTF-8 */
	bool alarm;			/* somebody must look: a bad signature,
					 * numbers not ours */
	char serial[CERT_SERIAL_SIZE];	/* V3: the key that proved it; "" if
					 * none did */
};

/* unifiedorder, /v3/pay/transactions/… or the partner's.  DONE fills prepay:
 * prepay_id, and code_url for NATIVE and h5_url for MWEB, where V3 has no
 * prepay_id. */
void wechat_prepay(struct wechat *wechat, const struct payment *payment,
    const char *nonce, struct payment_prepay *prepay,
    struct wechat_answer *answer);

/*
 * orderquery, by either number.  DONE fills facts, whose number is the one
 * that was asked for, and whose sub_mchid is the payee's; for a paid one all
 * fields.  V3 asked by WeChat's number needs no appid: facts say under which
 * it was paid.
 */
void wechat_query(struct wechat *wechat, const struct payment_key *key,
    const char *nonce, struct payment_facts *facts,
    struct wechat_answer *answer);

/* closeorder.  DONE: closed.  CLOSED: it was already.  PAID: too late. */
void wechat_close_payment(struct wechat *wechat,
    const struct payment_key *key, const char *nonce,
    struct wechat_answer *answer);

/* secapi/pay/refund, /v3/refund/domestic/refunds.  DONE: accepted, which is
 * not refunded; refund_id. */
void wechat_refund(struct wechat *wechat, const struct refund *refund,
    const char *nonce, char refund_id[static REFUND_ID_MAX + 1],
    struct wechat_answer *answer);

/* refundquery by out_refund_no, under refund's api and payee.  DONE fills
 * facts, whose transaction_id and total are refund's, unless those are "" and
 * 0; out_trade_no and amount are the caller's to compare. */
void wechat_query_refund(struct wechat *wechat, const struct refund *refund,
    const char *nonce, struct refund_facts *facts,
    struct wechat_answer *answer);

/*
 * micropay: charge the payer who shows auth_code, 18 digits.  DONE: paid, and
 * fills facts.  UNSURE: perhaps he is asked for his password; query.  payment
 * is V2's, and so is the one that is reversed.
 */
void wechat_micropay(struct wechat *wechat, const struct payment *payment,
    const char *auth_code, const char *nonce, struct payment_facts *facts,
    struct wechat_answer *answer);

/* secapi/pay/reverse, of a payment made by micropay.  DONE: it is closed, and
 * what was paid goes back.  AGAIN: call again.  REFUSED: it is not reversed,
 * and this will not change. */
void wechat_reverse(struct wechat *wechat, const struct payment_key *key,
    const char *nonce, struct wechat_answer *answer);

struct wechat_certificate {
	char serial[CERT_SERIAL_SIZE];	/* as cert_serial_parse has it */
	epoch_t not_before, not_after;
	char pem[WECHAT_PEM_SIZE];
};

/*
 * GET /v3/certificates.  DONE: list holds *count of them, and for each the
 * APIv3 key opened it and its serial is the one announced, and the answer was
 * signed by one of them or by a key that counts already.  MISSING: WeChat has
 * none for us, which is no trouble in public-key mode.  [v3.md 5]
 */
void wechat_certificates(struct wechat *wechat, const char *nonce,
    struct wechat_certificate list[static WECHAT_KEYS_MAX], size_t *count,
    struct wechat_answer *answer);

/*
 * What the page hands to WeixinJSBridge to have a prepaid JSAPI payment
 * paid: appId, timeStamp, nonceStr, package, signType and paySign, in out.
 * appId is sub_appid where the payee has one: the payer's client runs under
 * it.  [v2.md 14, v3.md 9]
 */
MUSTUSE bool wechat_jsapi(const struct wechat *wechat,
    const struct payment_key *key, const char *prepay_id, epoch_t now,
    struct fields *out, struct err *err);

/* What an app hands to WeChat's SDK for a prepaid APP payment: appid, as
 * above, partnerid, which is mchid, prepayid, package, noncestr, timestamp and
 * sign, in out. */
MUSTUSE bool wechat_app(const struct wechat *wechat,
    const struct payment_key *key, const char *prepay_id, epoch_t now,
    struct fields *out, struct err *err);

#endif
