/*
 * notice: what WeChat tells us, verified.
 *
 * Knows the things that it can say.  Hides which API said it.  Owns
 * nothing.
 */
#ifndef PAY_NOTICE_H
#define PAY_NOTICE_H

#include <stdbool.h>

#include "pay/payment.h"
#include "pay/refund.h"

enum notice_kind {
	NOTICE_PAID = 1,
	NOTICE_REFUNDED,
	NOTICE_OTHER,		/* proved, and of no concern to us */
};

#define NOTICE_SERIAL_MAX 64
#define NOTICE_PROOF_MAX 1024
#define NOTICE_EVENT_MAX 32

struct notice {
	enum notice_kind kind;
	enum payment_api api;
	bool is_signed;		/* false for V2 refund notices: a hint only */
	char serial[NOTICE_SERIAL_MAX + 1];	/* V3: of the key that signed */
	char proof[NOTICE_PROOF_MAX + 1];	/* V3: what its signature can
						 * be verified with again */
	char event_type[NOTICE_EVENT_MAX + 1];	/* V3 */
	char mchid[MCHID_MAX + 1];
	char appid[APPID_MAX + 1];
	struct payment_facts payment;	/* NOTICE_PAID */
	struct refund_facts refund;	/* NOTICE_REFUNDED */
};

#endif
