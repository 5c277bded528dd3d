/*
 * log: one JSON object a line on standard error.
 *
 * Knows the line's shape.  Hides the escaping: a line is never longer than
 * 2 KiB and never has a control character in it.  Owns the name of the
 * program and, per thread, the id of the request in hand.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/attr.h"

void log_start(const char *app);	/* borrowed for ever: a literal */
void log_request(const char *request_id);	/* copied; "" for none */

/*
 * An event is a noun and a past participle: "order.settled".  Then pairs of
 * key and value, ended by NULL.  A NULL value ends the pairs, too.
 * info: it happened.  warn: somebody should look some day.  error: wakes
 * someone.
 */
void log_info(const char *event, ...) SENTINEL;
void log_warn(const char *event, ...) SENTINEL;
void log_error(const char *event, ...) SENTINEL;

#endif
