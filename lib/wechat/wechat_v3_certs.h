/*
 * wechat_v3_certs: the answer to GET /v3/certificates.
 *
 * Knows in which order such a list is to be believed, when the key that has
 * signed it may stand in it [v3.md 5.1].  Hides the APIv3 key's part in it.
 * Owns nothing.
 */
#ifndef WECHAT_WECHAT_V3_CERTS_H
#define WECHAT_WECHAT_V3_CERTS_H

#include <stddef.h>

#include "base/clock.h"
#include "base/secret.h"
#include "wechat/wechat.h"
#include "wechat/wechat_http.h"
#include "wechat/wechat_keys.h"

/* As wechat_certificates.  keys are not changed.  What is not valid now is
 * left out; whatever else is wrong with one of them, none is believed. */
void wechat_v3_certs_judge(struct wechat_keys *keys,
    const struct secret *apiv3_key, const struct wechat_http_reply *reply,
    epoch_t now, struct wechat_certificate list[static WECHAT_KEYS_MAX],
    size_t *count, struct wechat_answer *answer);

#endif
