/*
 * refund: money that goes back.
 *
 * Knows WeChat's words for a refund's state and when to ask again
 * [design.md 2].  Hides nothing.  Owns nothing.
 */
#ifndef PAY_REFUND_H
#define PAY_REFUND_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fen.h"
#include "pay/payment.h"

#define OUT_REFUND_NO_MAX 64
#define REFUND_ID_MAX 32
#define REFUND_REASON_MAX 80	/* bytes [v2.md 8.1] */

MUSTUSE bool refund_no_check(const char *out_refund_no, struct err *err);
MUSTUSE bool refund_reason_check(const char *reason, struct err *err);

/* What the call that sends a refund needs to know; the same in every
 * repetition. */
struct refund {
	enum payment_api api;
	char out_refund_no[OUT_REFUND_NO_MAX + 1];
	char out_trade_no[OUT_TRADE_NO_MAX + 1];
	char transaction_id[TRANSACTION_ID_MAX + 1];
	struct payment_payee payee;
	char reason[REFUND_REASON_MAX + 1];	/* "" for none */
	fen_t total_fen;
	fen_t refund_fen;
	bool from_recharge;	/* from the available balance, not from
				 * unsettled funds */
};

enum refund_fate {
	REFUND_UNKNOWN = 0,	/* a word that we do not know: ask again */
	REFUND_PROCESSING,
	REFUND_SUCCESS,
	REFUND_CLOSED,		/* V2 REFUNDCLOSE: no money moved */
	REFUND_ABNORMAL,	/* V2 CHANGE: money at the merchant, a human
				 * must act */
};

/* What a verified query, or a notice, says. */
struct refund_facts {
	enum refund_fate fate;
	char sub_mchid[MCHID_MAX + 1];		/* "" if WeChat names none */
	char out_refund_no[OUT_REFUND_NO_MAX + 1];
	char refund_id[REFUND_ID_MAX + 1];
	char out_trade_no[OUT_TRADE_NO_MAX + 1];
	char transaction_id[TRANSACTION_ID_MAX + 1];
	fen_t total_fen;
	fen_t refund_fen;
	epoch_t refunded_at;			/* 0 if not refunded */
};

enum refund_fate refund_fate_of(const char *refund_status);

/* Seconds until a refund sent so long ago is asked about again: check_first,
 * each minute to 5 min (each check_first, if that is less), then 5, 10, 20,
 * 30 min, then hourly. */
long refund_next_check(long age_s, long check_first);
/* The same for an ABNORMAL one: hourly for a day, then daily. */
long refund_next_check_abnormal(long age_s);

#endif
