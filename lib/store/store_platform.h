/*
 * store_platform: shoppers on their way to WeChat's OAuth and back, and the
 * tokens that one machine fetches for all.
 *
 * Knows what sql/functions/oauth_*.sql, token*_*.sql and ticket_show.sql say.
 * Hides the SQL.  Owns nothing.
 */
#ifndef STORE_STORE_PLATFORM_H
#define STORE_STORE_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "pay/order.h"
#include "store/store.h"

#define STORE_TOKEN_MAX 512

struct store_oauth {		/* borrowed */
	const char *order_no, *token;
	const char *state;	/* 32 lower-case hexadecimal characters */
	const char *browser;	/* 64 */
	int tries;		/* 1 or 2: ways taken by now */
};

/* *found is false if there is no such order and token. */
MUSTUSE bool store_oauth_begin(struct store *store,
    const struct store_oauth *oauth, int64_t deadline, bool *found,
    struct err *err);

struct store_oauth_back {	/* who has come back */
	char order_no[ORDER_NO_MAX + 1];
	char token[TOKEN_LEN + 1];
	int64_t tries;		/* not of a state that was used */
};

/* *found is false unless the state was begun by this browser, within 10
 * minutes, and has not come back before; nonce is this request's own. */
MUSTUSE bool store_oauth_take(struct store *store, const char *state,
    const char *browser, const char *nonce, int64_t deadline,
    struct store_oauth_back *out, bool *found, struct err *err);

/* *found is false unless the state came back before, to this browser, and
 * within 10 minutes. */
MUSTUSE bool store_oauth_used(struct store *store, const char *state,
    const char *browser, int64_t deadline, struct store_oauth_back *out,
    bool *found, struct err *err);

/* What time brings; *count is how many were done. */
MUSTUSE bool store_oauth_sweep(struct store *store, int64_t deadline,
    long *count, struct err *err);

enum store_token_kind { STORE_ACCESS_TOKEN = 1, STORE_JSAPI_TICKET };

struct store_token_claim {
	enum store_token_kind kind;
	int64_t lease_no;
	char access_token[STORE_TOKEN_MAX + 1];	/* to fetch a ticket with */
};

/* *found is false if nothing is due, or somebody else fetches it. */
MUSTUSE bool store_tokens_claim(struct store *store, const char *appid,
    long lease_s, int64_t deadline, struct store_token_claim *out,
    bool *found, struct err *err);

struct store_token_outcome {	/* of one fetching; borrowed */
	const char *appid;
	enum store_token_kind kind;
	int64_t lease_no;
	const char *outcome;	/* for people: "done", "denied 40013" */
	const char *value;	/* NULL: none came */
	long life_s;		/* of value */
	long early_s;		/* fetch the next so long before its end */
	const char *stale;	/* the access_token that was not taken; NULL */
};

MUSTUSE bool store_token_told(struct store *store,
    const struct store_token_outcome *outcome, int64_t deadline,
    struct err *err);

/* *ticket is NULL while there is none; else the caller's: free(). */
MUSTUSE bool store_ticket_show(struct store *store, const char *appid,
    int64_t deadline, char **ticket, struct err *err);

#endif
