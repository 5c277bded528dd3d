/*
 * flow_openid: who the shopper is at WeChat.
 *
 * Knows how a browser is sent to WeChat's OAuth and what it brings back
 * [platform.md 2, threats P11, P12]; how a mini program logs in; how an openid
 * is sealed into a cookie; how a page's wx.config is signed.  Hides the order
 * of row and call.  Owns nothing.
 */
#ifndef FLOW_FLOW_OPENID_H
#define FLOW_FLOW_OPENID_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fen.h"
#include "flow/flow.h"
#include "store/store_platform.h"
#include "wire/jssdk.h"
#include "wire/mac.h"

/* ---- the cookie */

struct flow_openid {
	char appid[APPID_MAX + 1];	/* under which the openid counts */
	char openid[OPENID_MAX + 1];
};

#define FLOW_OPENID_LIFE_S 7200
#define FLOW_OPENID_SIZE \
	(APPID_MAX + OPENID_MAX + FEN_TEXT_SIZE + MAC_SIZE + 3)

/* "appid.openid.expiry.mac" under the site secret, good from now for
 * FLOW_OPENID_LIFE_S. */
MUSTUSE bool flow_openid_seal(const struct flow *flow,
    const struct flow_openid *payer, epoch_t now,
    char out[static FLOW_OPENID_SIZE], struct err *err);

/* False unless text is what flow_openid_seal made, for an appid that is still
 * ours, and has not expired. */
MUSTUSE bool flow_openid_open(const struct flow *flow, const char *text,
    epoch_t now, struct flow_openid *out);

/* ---- an official account's page */

#define FLOW_OAUTH_URL_MAX 1023

/*
 * The URL that takes the shopper of an order to WeChat.  browser is the value
 * of a cookie that only this browser has.  *found is false if there is no such
 * order and token.
 */
MUSTUSE bool flow_oauth_begin(const struct flow *flow, const char *order_no,
    const char *token, const char *browser,
    char url[static FLOW_OAUTH_URL_MAX + 1], bool *found, struct err *err);

enum flow_oauth_word {
	FLOW_OAUTH_DONE = 1,	/* payer is who pays */
	FLOW_OAUTH_AGAIN,	/* url is where to go once more */
	FLOW_OAUTH_REFUSED,	/* the shopper did not consent */
	FLOW_OAUTH_STRANGE,	/* the state is not one of this browser's, or
				 * came back too late */
	FLOW_OAUTH_USED,	/* it came back before */
	FLOW_OAUTH_SPENT,	/* the code again was not good */
	FLOW_OAUTH_BUSY,	/* WeChat again gave no answer */
	FLOW_OAUTH_SNAPSHOT,	/* the page was opened as a snapshot */
	FLOW_OAUTH_NO,		/* WeChat said no: the log has its code */
};

struct flow_oauth {
	enum flow_oauth_word word;
	struct store_oauth_back order;	/* all but STRANGE */
	struct flow_openid payer;
	char url[FLOW_OAUTH_URL_MAX + 1];
};

/* The shopper is back; code is NULL if he has none. */
MUSTUSE bool flow_oauth_end(const struct flow *flow, const char *state,
    const char *code, const char *browser, struct flow_oauth *out,
    struct err *err);

/* ---- a mini program */

/* *word is DONE, SPENT, BUSY or NO.  ERR_MISSING if we have none. */
MUSTUSE bool flow_login(const struct flow *flow, const char *js_code,
    struct flow_openid *payer, enum flow_oauth_word *word, struct err *err);

/* ---- wx.config */

struct flow_jsconfig {
	char nonce[NONCE_SIZE];
	char signature[JSSDK_SIZE];
};

/* *found is false while there is no ticket.  ERR_MISSING without an
 * appsecret. */
MUSTUSE bool flow_jsconfig(const struct flow *flow, const char *url,
    epoch_t now, struct flow_jsconfig *out, bool *found, struct err *err);

#endif
