/*
 * sign3: the APIv3 signatures.
 *
 * Knows the texts that APIv3 signs, of a request, an answer, a notice and a
 * front end [v3.md 3, 4, 9], and the headers that carry the result.  Hides
 * base64.  Owns nothing.  Reads neither file nor clock: the caller says what
 * time it is, so every result can be reproduced.
 */
#ifndef WIRE_SIGN3_H
#define WIRE_SIGN3_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "wire/base64.h"
#include "wire/sign3_key.h"

#define SIGN3_BASE64_SIZE BASE64_SIZE(SIGN3_KEY_BYTES)
#define SIGN3_TYPE "WECHATPAY2-SHA256-RSA2048"
#define SIGN3_WINDOW_S 300	/* a message is less old, and less early */

struct sign3_request {		/* named, because five of a kind mix up */
	const char *method;	/* "GET" or "POST" */
	const char *target;	/* path and query exactly as sent, no host */
	epoch_t at;		/* the same second that the header carries */
	const char *nonce;	/* 1 to 32 characters */
	const char *body;	/* the bytes as sent; "" for GET */
	size_t body_len;
};

/* Sign req into out, NUL-terminated base64.  Borrows everything. */
MUSTUSE bool sign3_sign(const struct sign3_key *key,
    const struct sign3_request *req, char out[static SIGN3_BASE64_SIZE],
    struct err *err);

/* Sign req, and append the value of its header Authorization.  serial is
 * that of the merchant's certificate. */
MUSTUSE bool sign3_authorize(const struct sign3_key *key, const char *mchid,
    const char *serial, const struct sign3_request *req, struct buf *out,
    struct err *err);

/* For the sandbox: ERR_AUTH unless signature is that of req. */
MUSTUSE bool sign3_verify_request(const struct sign3_public *key,
    const struct sign3_request *req, const char *signature, struct err *err);

struct sign3_invocation {	/* what a front end calls WeChat with */
	const char *appid;
	epoch_t at;
	const char *nonce;
	const char *package;	/* "prepay_id=wx1"; bare "wx1" in an app */
};

MUSTUSE bool sign3_sign_invocation(const struct sign3_key *key,
    const struct sign3_invocation *invocation,
    char out[static SIGN3_BASE64_SIZE], struct err *err);

struct sign3_headers {		/* Wechatpay-*, as received; NULL if absent */
	const char *timestamp;
	const char *nonce;
	const char *signature;
	const char *serial;	/* which key: the caller looks it up */
	const char *type;	/* Signature-Type */
};

enum sign3_flaw {
	SIGN3_SOUND = 0,	/* the signature itself decides */
	SIGN3_MISSING,		/* a header is absent or empty */
	SIGN3_MALFORMED,	/* doubled, perhaps, or milliseconds */
	SIGN3_UNSUPPORTED,	/* another type of signature */
	SIGN3_CLOCK,		/* SIGN3_WINDOW_S or more beside now */
	SIGN3_PROBE,		/* WeChat tests whether we verify */
};

/* What is wrong before any key is asked. */
enum sign3_flaw sign3_headers_judge(const struct sign3_headers *headers,
    epoch_t now);
/* "missing", "clock" and so on, for logs and counters. */
const char *sign3_flaw_name(enum sign3_flaw flaw);

/*
 * Verify an answer or a notice: its headers and the bytes of its body, as
 * received.  ERR_AUTH for every flaw, and unless key is the one that signed.
 */
MUSTUSE bool sign3_verify(const struct sign3_public *key,
    const struct sign3_headers *headers, const char *body, size_t body_len,
    epoch_t now, struct err *err);

/* For the sandbox: sign an answer or a notice. */
MUSTUSE bool sign3_sign_message(const struct sign3_key *key, epoch_t at,
    const char *nonce, const char *body, size_t body_len,
    char out[static SIGN3_BASE64_SIZE], struct err *err);

#endif
