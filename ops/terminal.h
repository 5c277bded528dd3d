/*
 * terminal: a product sold by whoever sits at this terminal.
 *
 * Knows what is shown, and until when it is waited for.  Hides the waiting.
 * Owns nothing.
 */
#ifndef OPS_TERMINAL_H
#define OPS_TERMINAL_H

#include "flow/flow.h"

/*
 * Make an order for quantity ("1" to QUANTITY_MAX) of a product, print it and
 * its QR code, and wait until the database says that it is paid.  ERR_INPUT;
 * ERR_MISSING: no such product; ERR_REFUSED, ERR_UNSURE: no QR code;
 * ERR_CONFLICT: not paid, and err says why we no longer wait.
 */
MUSTUSE bool terminal_pay(const struct flow *flow, const char *product_id,
    const char *quantity, struct err *err);

#endif
