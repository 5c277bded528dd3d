/*
 * order: what the shop wants paid.
 *
 * Knows how an order and its fields are spelled and bounded [design.md 2, 3].
 * Hides nothing.  Owns nothing: all text is in arrays.
 */
#ifndef PAY_ORDER_H
#define PAY_ORDER_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fen.h"

#define ORDER_NO_MIN 6
#define ORDER_NO_MAX 28
#define TOKEN_LEN 22		/* 128 bits, base64url */
#define PRODUCT_ID_MAX 32
#define BODY_MAX 127		/* bytes [v2.md 7.1] */
#define ATTACH_MAX 127		/* bytes [v2.md 7.1] */
#define REQUEST_ID_MIN 16
#define REQUEST_ID_MAX 64
#define RETURN_URL_MAX 512
#define PAGE_URL_MAX 2048
#define QUANTITY_MAX 9999

/* ERR_INPUT names the field.  These are the only judges of these fields. */
MUSTUSE bool order_no_check(const char *order_no, struct err *err);
MUSTUSE bool order_token_check(const char *token, struct err *err);
MUSTUSE bool order_product_id_check(const char *product_id, struct err *err);
MUSTUSE bool order_body_check(const char *body, struct err *err);
MUSTUSE bool order_attach_check(const char *attach, struct err *err);
MUSTUSE bool order_request_id_check(const char *request_id, struct err *err);

/*
 * An absolute URL that we may send a shopper back to: https, host (and port)
 * exactly among hosts (space-separated), no user info, no control character,
 * space, quote or backslash, at most RETURN_URL_MAX bytes.
 */
MUSTUSE bool order_return_url_check(const char *url, const char *hosts,
    struct err *err);

/*
 * The URL of a page that calls wx.config, as its browser has it: https, host
 * (and port) exactly that of base_url or among hosts, else ERR_FORBIDDEN;
 * printable ASCII without space and backslash, at most PAGE_URL_MAX bytes.
 */
MUSTUSE bool order_page_url_check(const char *url, const char *base_url,
    const char *hosts, struct err *err);

#endif
