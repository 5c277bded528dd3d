/*
 * store_payment: what is sent and read of a payment, however it is made.
 *
 * Knows the parameters and columns that pay_start, payment_claim and
 * payment_told share with micropay's.  Hides their order.  Owns nothing.
 * Private to lib/store.
 */
#ifndef STORE_STORE_PAYMENT_H
#define STORE_STORE_PAYMENT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "store/store_order.h"
#include "store/store_query.h"

/* What is bought, from p_way to p_life_s. */
void store_payment_what(struct store_query *query,
    const struct store_pay *pay);
/* From p_appid to p_sub_appid. */
void store_payment_payee(struct store_query *query,
    const struct payment_payee *payee);
/* The row of pay_start. */
MUSTUSE bool store_payment_paid(const PGresult *rows, struct store_paid *out,
    struct err *err);
/* Whom the payment of this row was made to. */
MUSTUSE bool store_payment_payee_of(const PGresult *rows,
    struct payment_payee *out, struct err *err);
/* By what WeChat is asked about the payment of this row. */
MUSTUSE bool store_payment_key(const PGresult *rows, struct payment_key *out,
    struct err *err);

/* A call's outcome, up to p_code. */
void store_payment_outcome(struct store_query *query,
    enum store_function function, const struct store *store,
    const struct store_outcome *outcome);
/* From p_fate to p_paid_at; NULL for none. */
void store_payment_facts(struct store_query *query,
    const struct payment_facts *facts);

/* Ask for a lease; *found is false if there is none to be had. */
MUSTUSE bool store_payment_claimed(struct store *store,
    const struct store_query *query, int64_t deadline,
    struct store_payment_claim *out, bool *found, struct err *err);

#endif
