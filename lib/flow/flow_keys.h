/*
 * flow_keys: WeChat's keys, from the configuration and the store.
 *
 * Knows where each kind of key is kept.  Hides how a certificate that the
 * worker has fetched reaches the other programs.  Owns the keys.  Calls
 * nobody but the database, so the program that hears WeChat may use it.
 */
#ifndef FLOW_FLOW_KEYS_H
#define FLOW_FLOW_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "flow/settings.h"
#include "store/store.h"
#include "wechat/wechat_keys.h"

struct flow_keys;

/* Borrows both until flow_keys_close.  *out is NULL where V3 is not
 * configured; all that follows takes it. */
MUSTUSE bool flow_keys_open(const struct settings *settings,
    struct store *store, struct flow_keys **out, struct err *err);
void flow_keys_close(struct flow_keys *keys);

/* Borrowed; NULL where V3 is not configured. */
struct wechat_keys *flow_keys_get(const struct flow_keys *keys);

/*
 * An answer or a notice (via) was believed by the key of this serial, "" for
 * none: say so in the store, once a minute.  What fails is logged: nothing
 * depends on it.
 */
void flow_keys_seen(struct flow_keys *keys, const char *serial,
    const char *via, int64_t deadline);

/* WeChat's answer was signed by a certificate that we do not have: the worker
 * is to fetch them soon.  Not for notices, which anybody may send. */
void flow_keys_want(struct flow_keys *keys, int64_t deadline);

#endif
