/*
 * payment: one attempt to pay an order.
 *
 * Knows the trade types, WeChat's words for a payment's state, and when to
 * ask again [design.md 2].  Hides nothing.  Owns nothing.
 */
#ifndef PAY_PAYMENT_H
#define PAY_PAYMENT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fen.h"
#include "pay/order.h"

#define OUT_TRADE_NO_MAX 32
#define TRANSACTION_ID_MAX 32
#define TRANSACTION_ID_LEN 28	/* of all that WeChat gives */
#define OPENID_MAX 128
#define APPID_MAX 32
#define MCHID_MAX 32
#define CLIENT_IP_MAX 64
#define PREPAY_ID_MAX 64
#define CODE_URL_MAX 512
#define H5_URL_MAX 512
#define TRADE_TYPE_MAX 16
#define BANK_TYPE_MAX 32

/* Each of JSAPI NATIVE MWEB APP, in a list that blanks separate, and one at
 * least. */
MUSTUSE bool payment_trade_types_check(const char *enabled, struct err *err);
/* One of those that such a list enables. */
MUSTUSE bool payment_trade_type_check(const char *trade_type,
    const char *enabled, struct err *err);
/* The enabled one for this browser: JSAPI inside WeChat, MWEB on another
 * phone, else NATIVE; where that one is not enabled NATIVE, or the first. */
const char *payment_trade_type_of(const char *user_agent,
    const char *enabled);
/* 1 to 128 of letters, digits, "_" and "-". */
MUSTUSE bool payment_openid_check(const char *openid, struct err *err);

/* WeChat's two APIs.  A payment keeps the one that it was made with, and so do
 * its refunds [design.md 4]. */
enum payment_api {
	PAYMENT_V2 = 2,
	PAYMENT_V3 = 3,
};

/* "v2", "v3". */
MUSTUSE bool payment_api_parse(const char *text, enum payment_api *out);
const char *payment_api_name(enum payment_api api);

/*
 * Whom a payment is made to.  An ordinary merchant has an appid.  A service
 * provider collects for a sub-merchant: then appid is the provider's, and
 * sub_appid, if there is one, is what the payer's client runs under.
 * [v3.md 19]
 */
struct payment_payee {
	char appid[APPID_MAX + 1];
	char sub_mchid[MCHID_MAX + 1];	/* "" for an ordinary merchant */
	char sub_appid[APPID_MAX + 1];	/* "" for none */
};

/* By what WeChat is asked about a payment: its own number counts where ours,
 * the out_trade_no, is "". */
struct payment_key {
	enum payment_api api;
	struct payment_payee payee;
	char out_trade_no[OUT_TRADE_NO_MAX + 1];
	char transaction_id[TRANSACTION_ID_MAX + 1];
};

/* What the call that makes a payment needs to know; fixed by the first one,
 * and repeated byte by byte [v2.md 7.1, v3.md 8.2]. */
struct payment {
	enum payment_api api;
	char out_trade_no[OUT_TRADE_NO_MAX + 1];
	struct payment_payee payee;
	char trade_type[TRADE_TYPE_MAX + 1];
	char openid[OPENID_MAX + 1];		/* "" unless JSAPI */
	char client_ip[CLIENT_IP_MAX + 1];
	char body[BODY_MAX + 1];
	char attach[ATTACH_MAX + 1];		/* "" for none */
	char product_id[PRODUCT_ID_MAX + 1];	/* "" for none */
	fen_t total_fen;
	epoch_t time_expire;
};

/* What that call answers. */
struct payment_prepay {
	char prepay_id[PREPAY_ID_MAX + 1];
	char code_url[CODE_URL_MAX + 1];	/* NATIVE */
	char h5_url[H5_URL_MAX + 1];		/* MWEB */
};

struct payment_key payment_key_of(const struct payment *payment);

enum payment_fate {
	PAYMENT_UNKNOWN = 0,	/* a word that we do not know: ask again */
	PAYMENT_UNPAID,		/* NOTPAY, USERPAYING, ACCEPT */
	PAYMENT_FAILED,		/* PAYERROR: over for a payment by a code, ours
				 * to close for any other [v2.md 7.3] */
	PAYMENT_PAID,		/* SUCCESS; REFUND: paid, then refunded */
	PAYMENT_CLOSED,		/* CLOSED, REVOKED: cannot be paid */
};

/* What a verified query or notice says. */
struct payment_facts {
	enum payment_fate fate;
	char mchid[MCHID_MAX + 1];
	char appid[APPID_MAX + 1];
	char sub_mchid[MCHID_MAX + 1];		/* as payment_payee */
	char out_trade_no[OUT_TRADE_NO_MAX + 1];
	char transaction_id[TRANSACTION_ID_MAX + 1];
	char trade_type[TRADE_TYPE_MAX + 1];
	char openid[OPENID_MAX + 1];
	char bank_type[BANK_TYPE_MAX + 1];
	char currency[9];			/* "CNY"; "" means CNY */
	fen_t total_fen;
	epoch_t paid_at;			/* 0 if unpaid */
};

/* WeChat's number of a payment, as its bills show it: 28 digits. */
bool payment_is_transaction_id(const char *text);

/* A payment code: 18 digits, the first two 10 to 15 [v2.md 7.2]. */
MUSTUSE bool payment_auth_code_check(const char *auth_code, struct err *err);

enum payment_fate payment_fate_of(const char *trade_state);

/*
 * Seconds until an unpaid payment of this age is asked about again: first
 * after check_first, then every check_young until 10 minutes old, then after
 * 1, 3, 5, 10, 30 minutes, and every 30 after that.
 */
long payment_next_check(long age_s, long check_first, long check_young);

#define PAYMENT_CODE_CHECK_S 5	/* [v2.md 7.2] */

/* The same for a payment by a code, whether it is asked about or reversed:
 * every 5 s until 5 minutes old, each minute for an hour, each half hour. */
long payment_next_code_check(long age_s);

#endif
