/*
 * sandbox: what the parts of WeChat's side share.
 *
 * Knows the merchant whom WeChat serves here.  Hides nothing.  Owns nothing:
 * main holds the parts.  Const once the first request is accepted.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>

#include "base/secret.h"
#include "base/str.h"
#include "books.h"
#include "naps.h"

struct keys3;

struct sandbox {
	const char *mchid, *appid;	/* configured */
	const char *sub_mchid;		/* NULL: mchid is no service provider */
	const char *sub_appid;		/* of the sub-merchant, or NULL */
	const char *merchant_dn;	/* NULL: any certificate of the CA */
	const char *notify_ca;		/* PEM file; NULL: the system's */
	const char *refund_notify_url;	/* of the merchant platform, or NULL */
	const struct secret *api_key;
	const struct secret *appsecret;	/* of the account; NULL: no OAuth */
	const char *mini_appid;		/* of his mini program, or NULL */
	const struct secret *mini_appsecret;
	const char *app_appid;		/* of his app, or NULL */
	const char *web_domain;		/* host of his pages; NULL: any */
	bool private_notify;		/* notify_url may be localhost */

	struct books *books;
	struct keys3 *keys;		/* NULL: no API V3 here */
	struct naps *naps;
};

/* The official account that shoppers meet: the sub-merchant's, if he has one,
 * and then mini program and app are his, too. */
static inline const char *
sandbox_account(const struct sandbox *sandbox)
{
	return sandbox->sub_appid != NULL ? sandbox->sub_appid
	    : sandbox->appid;
}

/* Whether shoppers' clients run under this appid. */
static inline bool
sandbox_is_client(const struct sandbox *sandbox, const char *appid)
{
	return str_eq(appid, sandbox_account(sandbox))
	    || (sandbox->mini_appid != NULL
	    && str_eq(appid, sandbox->mini_appid))
	    || (sandbox->app_appid != NULL
	    && str_eq(appid, sandbox->app_appid));
}

/* Whether a payment may be made under this appid of mchid's. */
static inline bool
sandbox_has_appid(const struct sandbox *sandbox, const char *appid)
{
	return sandbox->sub_appid != NULL ? str_eq(appid, sandbox->appid)
	    : sandbox_is_client(sandbox, appid);
}

/* Whether url is one of his pages: its host is the one that he has named. */
static inline bool
sandbox_is_domain(const struct sandbox *sandbox, const char *url)
{
	const char *host = strstr(url, "://");
	size_t len;

	if (sandbox->web_domain == NULL)
		return true;
	if (host == NULL)
		return false;
	host += 3;
	len = strcspn(host, "/?#");
	return len == strlen(sandbox->web_domain)
	    && memcmp(host, sandbox->web_domain, len) == 0;
}

#endif
