/*
 * party: for which sub-merchant a call is made, and by whom it is to be paid.
 *
 * Knows what WeChat says to a service provider who names no sub-merchant, or
 * not his own, or not the order's [v3.md 7.4, 19], to an ordinary merchant
 * who names one, and to anyone who names another appid's openid.  Hides the
 * books, where an order stands with its own, and an openid that was told.
 * Owns nothing.
 */
#ifndef SANDBOX_PARTY_H
#define SANDBOX_PARTY_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "sandbox.h"

struct party {			/* as the call says it; "": it does not */
	const char *sub_mchid, *sub_appid, *sub_openid;
	const char *appid, *openid;
};

struct party_flaw {		/* literals */
	const char *message;	/* at V2's door, all that is said */
	const char *code;	/* V3's */
	const char *number;	/* at the end of V3's Request-ID */
};

/* What is wrong with it; *out is NULL if nothing is. */
MUSTUSE bool party_judge(const struct sandbox *sandbox,
    const struct party *party, const struct party_flaw **out,
    struct err *err);

/* The same of the order, or refund, that a journalled call is about. */
MUSTUSE bool party_judge_order(const struct sandbox *sandbox,
    const char *call, const struct party_flaw **out, struct err *err);

#endif
