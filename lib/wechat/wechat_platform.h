/*
 * wechat_platform: the calls beside payment, at WeChat's open platform.
 *
 * Knows how a visitor's openid is learnt, and where the JS-SDK's tickets come
 * from [platform.md 2 to 5]; what each errcode asks for [platform.md 11].
 * Hides JSON and libcurl.  Owns the appsecrets, wiped at close.  What WeChat
 * says here is not signed: TLS alone vouches for it.
 */
#ifndef WECHAT_WECHAT_PLATFORM_H
#define WECHAT_WECHAT_PLATFORM_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "pay/payment.h"
#include "wechat/wechat.h"

#define WECHAT_TICKET_MAX 512	/* [platform.md 4.1] tokens, too */

struct wechat_platform_config {	/* borrowed for the call */
	const char *url;		/* "https://api.weixin.qq.com" */
	const char *oauth_url;		/* "https://open.weixin.qq.com" */
	const char *ca;			/* PEM file; NULL: the system's */
	bool may_be_private;		/* its host, in a test */
	const char *appid;		/* of the official account */
	const struct secret *secret;	/* its appsecret; NULL for none */
	const char *mini_appid;		/* of the mini program; NULL for none */
	const struct secret *mini_secret;	/* with it */
	long connect_ms, total_ms;
};

struct wechat_platform;

/* ERR_INPUT if a URL or appsecret is unusable. */
MUSTUSE bool wechat_platform_open(const struct wechat_platform_config *config,
    struct wechat_platform **out, struct err *err);
void wechat_platform_close(struct wechat_platform *platform);	/* NULL: fine */

/* What can be done about an answer that is not DONE. */
enum wechat_advice {
	WECHAT_ADVICE_NONE = 0,	/* nothing here: its text is for an operator */
	WECHAT_ADVICE_LATER,	/* busy, or out of reach */
	WECHAT_ADVICE_LOGIN,	/* the code is spent: the visitor comes again */
	WECHAT_ADVICE_TOKEN,	/* the access_token is: read it again, or
				 * fetch another */
	WECHAT_ADVICE_SNAPSHOT,	/* a page opened as a snapshot: its visitor
				 * cannot pay */
	WECHAT_ADVICE_BLOCKED,	/* a visitor whom WeChat lets in nowhere */
};

/* Append the URL to which a browser inside WeChat is sent for a code, which
 * comes to redirect_uri.  [platform.md 2.1] */
void wechat_platform_authorize(const struct wechat_platform *platform,
    const char *redirect_uri, const char *state, struct buf *out);

/* Every call ends in a verdict, DONE, DENIED, AGAIN, UNSURE or NOT_SENT, as
 * those of wechat.h do; answer->code is the errcode.  Returns what to do about
 * it, and writes the result only for DONE. */

/* The code of an official account's visitor. */
enum wechat_advice wechat_platform_oauth(struct wechat_platform *platform,
    const char *code, char openid[static OPENID_MAX + 1],
    struct wechat_answer *answer);

/* The code of a mini program's wx.login.  The session_key beside the openid
 * is wiped unread. */
enum wechat_advice wechat_platform_login(struct wechat_platform *platform,
    const char *js_code, char openid[static OPENID_MAX + 1],
    struct wechat_answer *answer);

struct wechat_ticket {		/* or token: what has a life */
	char value[WECHAT_TICKET_MAX + 1];
	long life_s;
};

/* The official account's access_token, by stable_token in its normal mode:
 * the same one until its last 5 minutes. */
enum wechat_advice wechat_platform_token(struct wechat_platform *platform,
    struct wechat_ticket *out, struct wechat_answer *answer);

/* Its jsapi_ticket. */
enum wechat_advice wechat_platform_ticket(struct wechat_platform *platform,
    const char *access_token, struct wechat_ticket *out,
    struct wechat_answer *answer);

#endif
