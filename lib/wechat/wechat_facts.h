/*
 * wechat_facts: from V2's fields to facts.
 *
 * Knows how V2 names, bounds and spells what it says about payments and
 * refunds, in answers and notices alike.  Hides nothing.  Owns nothing.
 * Proves nothing: its callers verify first.
 */
#ifndef WECHAT_WECHAT_FACTS_H
#define WECHAT_WECHAT_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/fen.h"
#include "pay/payment.h"
#include "pay/refund.h"
#include "wire/fields.h"

/* Copy an identifier of V2 or V3: min or more printable ASCII characters.
 * ERR_INPUT names the field. */
MUSTUSE bool wechat_facts_copy(const char *text, const char *name, size_t min,
    char *out, size_t size, struct err *err);
/* The same, of a field. */
MUSTUSE bool wechat_facts_id(const struct fields *fields, const char *name,
    size_t min, char *out, size_t size, struct err *err);
MUSTUSE bool wechat_facts_fen(const struct fields *fields, const char *name,
    fen_t *out, struct err *err);

/*
 * A payment of this fate.  What a paid one must have is demanded of a paid
 * one only; whether sub_mch_id must be there its callers know.  The amount is
 * total_fee: what coupons or settlement make of it is between WeChat and its
 * customer.
 */
MUSTUSE bool wechat_facts_payment(const struct fields *fields,
    enum payment_fate fate, struct payment_facts *out, struct err *err);

/* A refund whose fields end in suffix: "" in a notice, "_0" and so on in the
 * answer to refundquery.  refunded_at is 0 if WeChat does not say when. */
MUSTUSE bool wechat_facts_refund(const struct fields *fields,
    const char *suffix, struct refund_facts *out, struct err *err);

/* What a browser is sent to is a page. */
MUSTUSE bool wechat_facts_h5_url(const char *url, struct err *err);

#endif
