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
#include "books.h"
#include "naps.h"

struct keys3;

struct sandbox {
	const char *mchid, *appid;	/* configured */
	const char *merchant_dn;	/* NULL: any certificate of the CA */
	const char *notify_ca;		/* PEM file; NULL: the system's */
	const char *refund_notify_url;	/* of the merchant platform, or NULL */
	const struct secret *api_key;
	bool private_notify;		/* notify_url may be localhost */

	struct books *books;
	struct keys3 *keys;		/* NULL: no API V3 here */
	struct naps *naps;
};

#endif
