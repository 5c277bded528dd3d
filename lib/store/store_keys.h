/*
 * store_keys: WeChat's platform certificates, kept for all programs, and by
 * which key it was last believed.
 *
 * Knows what sql/functions/keys_*.sql and key_*.sql say.  Hides the SQL.
 * Owns nothing.  Believes its caller that a certificate was verified.
 */
#ifndef STORE_STORE_KEYS_H
#define STORE_STORE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "store/store.h"

/* Called for each certificate that has not ended, the last to end first.
 * False ends the listing, with err. */
typedef bool store_key_visit(void *arg, const char *serial, const char *pem,
    struct err *err);

MUSTUSE bool store_keys_list(struct store *store, store_key_visit *visit,
    void *arg, int64_t deadline, struct err *err);

/* *found is false if no fetching is due, or somebody else does it. */
MUSTUSE bool store_keys_claim(struct store *store, const char *nonce,
    long lease_s, int64_t deadline, int64_t *lease_no, int64_t *call_no,
    bool *found, struct err *err);

/* ERR_CONFLICT if another certificate has this serial.  *is_new if it was not
 * kept before. */
MUSTUSE bool store_key_put(struct store *store, const char *serial,
    const char *pem, epoch_t not_before, epoch_t not_after, int64_t deadline,
    bool *is_new, struct err *err);

struct store_keys_outcome {		/* of one fetching */
	int64_t lease_no, call_no;
	const char *verdict, *code;	/* wechat_verdict_name; "" for none */
	long again_s;			/* when to fetch again */
};

MUSTUSE bool store_keys_told(struct store *store,
    const struct store_keys_outcome *outcome, int64_t deadline,
    struct err *err);

/* via is "notice" or "answer". */
MUSTUSE bool store_key_seen(struct store *store, const char *serial,
    const char *via, int64_t deadline, struct err *err);

/* A certificate is missing: fetch them soon. */
MUSTUSE bool store_keys_wanted(struct store *store, int64_t deadline,
    struct err *err);

struct store_key_report {	/* borrowed for the call; times are RFC 3339,
				 * "" for never */
	const char *serial;
	const char *kind;	/* "certificate", "public key", "not
				 * configured" */
	const char *not_after;
	const char *notice_at, *answer_at;	/* when last believed */
	const char *fetched_at;		/* of all certificates, */
	const char *fetch_outcome;	/* and how the last try ended */
};

typedef bool store_key_show(void *arg, const struct store_key_report *report,
    struct err *err);

/* pub_key_id "" if no public key is configured. */
MUSTUSE bool store_keys_report(struct store *store, const char *pub_key_id,
    store_key_show *show, void *arg, int64_t deadline, struct err *err);

enum store_keys_safe {		/* to end the migration to the public key? */
	STORE_KEYS_SAFE = 1, STORE_KEYS_NONE, STORE_KEYS_NO_PUB_KEY,
	STORE_KEYS_UNUSED, STORE_KEYS_YOUNG, STORE_KEYS_CERTIFICATE,
};

MUSTUSE bool store_keys_safe(struct store *store, const char *pub_key_id,
    int64_t deadline, enum store_keys_safe *out, struct err *err);

#endif
