/*
 * store_notice: what WeChat told us, journalled and acted on in one
 * transaction.
 *
 * Knows what sql/functions/notice_*.sql say.  Hides the SQL.  Owns nothing.
 * True only after the commit, and only if the server raised no warning on
 * the way: a commit that a standby did not confirm is not durable
 * (threats.md I17), and is ERR_STORE.
 */
#ifndef STORE_STORE_NOTICE_H
#define STORE_STORE_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "pay/notice.h"
#include "store/store.h"
#include "store/store_order.h"

struct store_raw {		/* borrowed: the notice as it arrived */
	const char *request_id;
	const char *bytes;
	size_t len;
};

/* notice->kind is NOTICE_PAID, NOTICE_REFUNDED, NOTICE_OTHER. */
MUSTUSE bool store_notice_paid(struct store *store,
    const struct store_raw *raw, const struct notice *notice,
    int64_t deadline, enum store_settled *out, struct err *err);

enum store_refund_notice {
	STORE_NOTICE_HINTED = 1, STORE_NOTICE_REFUNDED, STORE_NOTICE_ALREADY,
	STORE_NOTICE_UNEXPECTED, STORE_NOTICE_DIFFERS, STORE_NOTICE_UNKNOWN,
};

MUSTUSE bool store_notice_refunded(struct store *store,
    const struct store_raw *raw, const struct notice *notice,
    int64_t deadline, enum store_refund_notice *out, struct err *err);

MUSTUSE bool store_notice_other(struct store *store,
    const struct store_raw *raw, const struct notice *notice,
    int64_t deadline, struct err *err);

#endif
