/*
 * pay: what the parts of this program share.
 *
 * pay.c is the payment, its order and the routes; pay_what.c what is bought,
 * pay_openid.c who pays, pay_staff.c what staff may do.
 */
#ifndef PAY_H
#define PAY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "flow/flow_openid.h"
#include "flow/flow_payment.h"
#include "web/web.h"
#include "wire/fields.h"
#include "wire/jsonmsg.h"

#define PAY_RETRY_AFTER_S 2	/* while WeChat's answer is unknown */

struct pay {
	struct settings settings;
	struct flow flow;
};

/* When the database must have answered this request: monotonic ms. */
int64_t pay_deadline(const struct web_request *req);
/* The value, borrowed; ERR_INPUT if there is none. */
MUSTUSE bool pay_need(const struct fields *form, const char *name,
    const char **out, struct err *err);
/* False and ERR_MISSING: for a wrong token and an unknown order alike. */
MUSTUSE bool pay_no_such_order(struct err *err);

/* An order in this state, and the payment that was made for it. */
void pay_add_order(struct jsonmsg *msg, const struct store_paid *paid,
    const char *state);
/* For the verdicts by which no payment comes to be. */
MUSTUSE bool pay_answer_no(struct web_reply *reply,
    const struct store_paid *paid, struct err *err);

/* The way, and what that way says; borrowed from form.  ERR_FORBIDDEN for a
 * wrong signature of the shop. */
MUSTUSE bool pay_read_what(const struct pay *pay, const struct fields *form,
    struct store_pay *out, struct err *err);

/* The payer whom this browser's cookie vouches for; false for none. */
MUSTUSE bool pay_cookie_payer(const struct pay *pay,
    const struct web_request *req, struct flow_openid *out);

/* Handlers. */
bool pay_authorize(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
bool pay_callback(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
bool pay_openid(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err);
bool pay_jsconfig(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
bool merchant_orders(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
bool merchant_order(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
bool merchant_check(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);
bool merchant_micropay(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);

#endif
