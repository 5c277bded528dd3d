/*
 * phone: the customer's WeChat, as a page.
 *
 * Knows what a customer sees before paying.  Hides the HTML: no script, no
 * style, nothing from elsewhere.  Owns nothing.
 */
#ifndef SANDBOX_PHONE_H
#define SANDBOX_PHONE_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "web/web_reply.h"
#include "web/web_request.h"

/* GET /sandbox/phone: the open orders; with code_url, prepay_id or
 * out_trade_no the one order, with a button that pays it. */
MUSTUSE bool phone_show(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);

/* GET /cgi-bin/mmpayweb-bin/checkmweb: what an h5_url leads to, for a phone's
 * browser that comes from the merchant's domain. */
MUSTUSE bool phone_h5(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);

/* POST /sandbox/h5: pays, and leads back to redirect_url. */
MUSTUSE bool phone_h5_pay(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);

#endif
