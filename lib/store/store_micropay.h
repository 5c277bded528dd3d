/*
 * store_micropay: payments by a code that the shop scans.
 *
 * Knows what sql/functions/micropay_*.sql say of them.  Hides the SQL.  Owns
 * nothing.  Every call: ERR_STORE if the database did not answer in time, or
 * refused.
 */
#ifndef STORE_STORE_MICROPAY_H
#define STORE_STORE_MICROPAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "store/store.h"
#include "store/store_order.h"

#define REFUSAL_MAX 199		/* bytes of WeChat's words for people */

enum store_micropay_state {
	STORE_MICROPAY_SETTLED = 1,	/* now */
	STORE_MICROPAY_PAID,		/* before */
	STORE_MICROPAY_SECOND,		/* quarantined, as DIFFERS */
	STORE_MICROPAY_DIFFERS,
	STORE_MICROPAY_PENDING,		/* not known yet, or being reversed */
	STORE_MICROPAY_REFUSED,
	STORE_MICROPAY_REVERSED,
};

struct store_micropaid {
	struct store_paid paid;		/* verdict CALL, STANDS, or why not */
	enum store_micropay_state state;	/* STANDS */
	char refusal[REFUSAL_MAX + 1];		/* "" for none */
};

/* Of pay what is bought, request_id, client_ip, payee, nonce and lease_s
 * count, and close_after_s: how long the payment may take. */
MUSTUSE bool store_micropay_start(struct store *store,
    const struct store_pay *pay, const char *operator, int64_t deadline,
    struct store_micropaid *out, struct err *err);

/* What became of the call; facts NULL unless its verdict is done. */
MUSTUSE bool store_micropay_told(struct store *store,
    const struct store_outcome *outcome, const struct payment_facts *facts,
    const char *refusal, int64_t deadline, enum store_micropay_state *out,
    struct err *err);

/* As store_payment_claim; op is QUERY or REVERSE. */
MUSTUSE bool store_micropay_claim(struct store *store,
    const char *out_trade_no, const char *nonce, long lease_s,
    int64_t deadline, struct store_payment_claim *out, bool *found,
    struct err *err);

/* What became of a query; facts NULL unless its verdict is done. */
MUSTUSE bool store_micropay_asked(struct store *store,
    const struct store_outcome *outcome, const struct payment_facts *facts,
    int64_t deadline, enum store_micropay_state *out, struct err *err);

/* What became of a reversal. */
MUSTUSE bool store_micropay_reversed(struct store *store,
    const struct store_outcome *outcome, int64_t deadline,
    enum store_micropay_state *out, struct err *err);

/* Those whose time is over are reversed from now on; *count is how many. */
MUSTUSE bool store_micropay_expire(struct store *store, int limit,
    int64_t deadline, long *count, struct err *err);

#endif
