/*
 * wechat_v3_facts: from V3's JSON to facts.
 *
 * Knows how V3 names, bounds and spells what it says about payments and
 * refunds, in answers and notices alike, to a merchant and to a service
 * provider [v3.md 10.1, 12.1, 19, 21.4].  Hides nothing.  Owns nothing.
 * Proves nothing: its callers verify first.
 */
#ifndef WECHAT_WECHAT_V3_FACTS_H
#define WECHAT_WECHAT_V3_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "pay/payment.h"
#include "pay/refund.h"
#include "wire/jsonread.h"

/* Copy an identifier: min or more printable ASCII characters; absent counts
 * as empty.  ERR_INPUT names the path. */
MUSTUSE bool wechat_v3_facts_id(const struct jsonread *json,
    const char *path, size_t min, char *out, size_t size, struct err *err);

/* A transaction; its fate is that of trade_state.  What a paid one must have
 * is demanded of a paid one only; the amount is amount.total.  Of a service
 * provider's, mchid and appid are his, and sub_mchid is not "". */
MUSTUSE bool wechat_v3_facts_payment(const struct jsonread *json,
    struct payment_facts *out, struct err *err);

/* A refund; status_path is "status" in an answer, "refund_status" in a
 * notice. */
MUSTUSE bool wechat_v3_facts_refund(const struct jsonread *json,
    const char *status_path, struct refund_facts *out, struct err *err);

#endif
