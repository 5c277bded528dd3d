/*
 * notice: what WeChat tells us, verified.
 *
 * Knows the two things that it can say.  Hides which API said it.  Owns
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
};

struct notice {
	enum notice_kind kind;
	bool is_signed;		/* false for V2 refund notices: a hint only */
	char mchid[MCHID_MAX + 1];
	char appid[APPID_MAX + 1];
	struct payment_facts payment;	/* NOTICE_PAID */
	struct refund_facts refund;	/* NOTICE_REFUNDED */
};

#endif
