/*
 * wechat_keys: the keys by which WeChat is believed.
 *
 * Knows which of WeChat's keys has which serial and until when it counts, in
 * public-key mode, certificate mode, and during the switch between them
 * [v3.md 4, 5].  Hides where certificates are kept.  Owns the keys, and a
 * count of what it refused.  Threads share one.  Needs no network.
 */
#ifndef WECHAT_WECHAT_KEYS_H
#define WECHAT_WECHAT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"
#include "wire/cert.h"
#include "wire/sign3.h"

#define WECHAT_KEYS_MAX 16	/* certificates that count at a time */

struct wechat_keys;

struct wechat_keys_config {	/* borrowed until wechat_keys_close */
	const struct secret *pub_key;	/* PEM; NULL in certificate mode */
	const char *pub_key_id;		/* "PUB_KEY_ID_…": both or none */
	const struct secret *platform_ca;	/* PEM; NULL: no chain is
						 * asked for */
	/*
	 * Asked when a serial is named that we do not have, at most once a
	 * second for all threads together: adds what it finds, by
	 * wechat_keys_add.  NULL: there is nowhere to look.
	 */
	bool (*load)(void *arg, struct wechat_keys *keys, struct err *err);
	void *arg;
};

/* ERR_INPUT if the public key, its id or the CA is none, or one of the first
 * two stands alone.  Loads nothing yet. */
MUSTUSE bool wechat_keys_open(const struct wechat_keys_config *config,
    struct wechat_keys **out, struct err *err);
void wechat_keys_close(struct wechat_keys *keys);	/* NULL is fine */

/* The same without any certificate and without load: where a list is tried
 * that nobody believes yet. */
MUSTUSE bool wechat_keys_scratch(const struct wechat_keys *keys,
    struct wechat_keys **out, struct err *err);

/*
 * Add a certificate that was fetched by wechat_certificates, now or before;
 * one that is here already changes nothing.  ERR_INPUT if it is none of
 * RSA-2048 or its serial is another; ERR_AUTH if it is not valid now, or
 * issued under no root of platform_ca.  If there is no room, the one that
 * ends first goes.
 */
MUSTUSE bool wechat_keys_add(struct wechat_keys *keys, const char *serial,
    const char *pem, size_t len, epoch_t now, struct err *err);

enum wechat_flaw {		/* why a message is not believed */
	WECHAT_SOUND = 0,
	WECHAT_FLAW_MISSING,	/* a header is absent, or came twice */
	WECHAT_FLAW_MALFORMED,
	WECHAT_FLAW_TYPE,	/* another type of signature */
	WECHAT_FLAW_CLOCK,	/* SIGN3_WINDOW_S or more beside now */
	WECHAT_FLAW_PROBE,	/* WeChat tests whether we verify */
	WECHAT_FLAW_SERIAL,	/* no key of that serial counts now */
	WECHAT_FLAW_SIGNATURE,
};
#define WECHAT_FLAWS (WECHAT_FLAW_SIGNATURE + 1)

/* "sound", "missing", "probe", …: for logs and counters. */
const char *wechat_flaw_name(enum wechat_flaw flaw);

/*
 * Believe an answer or a notice: its headers and the bytes of its body as
 * received.  ERR_AUTH names the flaw, which is counted, and *flaw if that is
 * not NULL; ERR_STORE if its key could not be looked for; else serial is the
 * one spelling (cert_serial_parse) of the key that has signed it.
 */
MUSTUSE bool wechat_keys_verify(struct wechat_keys *keys,
    const struct sign3_headers *headers, const char *body, size_t body_len,
    epoch_t now, char serial[static CERT_SERIAL_SIZE],
    enum wechat_flaw *flaw, struct err *err);

/* How often each flaw was found, WECHAT_SOUND for none. */
void wechat_keys_counts(const struct wechat_keys *keys,
    uint64_t out[static WECHAT_FLAWS]);

/* Whether the configured public key is the half of the merchant's own: then
 * whoever has that could speak for WeChat. */
bool wechat_keys_is_merchants(const struct wechat_keys *keys,
    const struct sign3_key *key);

/* What a request should name in Wechatpay-Serial: the id of the public key;
 * NULL in certificate mode. */
const char *wechat_keys_wanted(const struct wechat_keys *keys);

#endif
