/*
 * reply3: answers of V3 as wechat_http hands them over.
 *
 * Knows who may have signed one, and how it may be spoilt.  Owns WeChat's
 * test keys until reply3_stop.
 */
#ifndef TESTS_WECHAT_REPLY3_H
#define TESTS_WECHAT_REPLY3_H

#include "../wire/vectors3.h"
#include "wechat3.h"

#include "wechat/wechat_http.h"
#include "wechat/wechat_keys.h"
#include "wire/jsonread.h"

enum reply3_way {
	REPLY3_BY_PUB_KEY = 0,
	REPLY3_BY_CERT,
	REPLY3_UNSIGNED,
	REPLY3_BY_STRANGER,	/* in the name of the public key */
	REPLY3_OTHER_BODY,	/* signed, but something else was */
	REPLY3_PROBE,
	REPLY3_LATE,		/* 300 s ago */
	REPLY3_EARLY,		/* in 300 s */
	REPLY3_SERIAL,		/* of a key that nobody has */
	REPLY3_TYPE,		/* another algorithm */
	REPLY3_GARBLED,		/* no base64 */
	REPLY3_MILLISECONDS,
	REPLY3_NO_TIMESTAMP,
	REPLY3_NO_NONCE,
	REPLY3_NO_SIGNATURE,
	REPLY3_NO_SERIAL,
	REPLY3_TWO_TIMESTAMPS,	/* the same text twice, each of these */
	REPLY3_TWO_NONCES,
	REPLY3_TWO_SIGNATURES,
	REPLY3_TWO_SERIALS,
	REPLY3_TWO_TYPES,
	REPLY3_LONG_NONCE,	/* longer than wechat_http keeps */
};
#define REPLY3_WAYS (REPLY3_LONG_NONCE + 1)

static struct {
	struct sign3_key *pub_key, *cert, *stranger;
	struct secret *pub;
} reply3;

static inline void
reply3_start(void)
{
	jsonread_start();
	reply3.pub_key = w3_private("v3-wxpub-key.pem");
	reply3.cert = w3_private("v3-platform-b-key.pem");
	reply3.stranger = w3_private("v3-stranger-key.pem");
	reply3.pub = w3_pem("v3-wxpub.pem");
}

static inline void
reply3_stop(void)
{
	secret_free(reply3.pub);
	sign3_key_free(reply3.stranger);
	sign3_key_free(reply3.cert);
	sign3_key_free(reply3.pub_key);
}

/* Those of a merchant between the modes: the public key, and certificate B.
 * The caller closes them. */
static inline struct wechat_keys *
reply3_keys(bool has_pub_key, bool has_cert)
{
	const struct wechat_keys_config config = {
		.pub_key = has_pub_key ? reply3.pub : NULL,
		.pub_key_id = has_pub_key ? W3_PUB_KEY_ID : NULL,
	};
	struct secret *pem = w3_pem("v3-platform-b-cert.pem");
	struct wechat_keys *keys = NULL;
	struct err err = { 0 };

	expect(wechat_keys_open(&config, &keys, &err), "%s", err.text);
	expect(!has_cert || wechat_keys_add(keys, W3_SERIAL_B,
	    secret_bytes(pem), secret_len(pem), W3_NOW, &err), "%s", err.text);
	secret_free(pem);
	return keys;
}

static inline void
reply3_header(struct wechat_http_reply *reply, enum wechat_http_name name,
    const char *text)
{
	if (text == NULL)
		return;
	reply->headers[name].count++;
	assert_true(str_copy(reply->headers[name].text,
	    sizeof(reply->headers[name].text), text));
}

static inline void
reply3_headers(struct wechat_http_reply *reply,
    const struct sign3_headers *headers)
{
	reply3_header(reply, WECHAT_HTTP_TIMESTAMP, headers->timestamp);
	reply3_header(reply, WECHAT_HTTP_NONCE, headers->nonce);
	reply3_header(reply, WECHAT_HTTP_SIGNATURE, headers->signature);
	reply3_header(reply, WECHAT_HTTP_SERIAL, headers->serial);
	reply3_header(reply, WECHAT_HTTP_SIGNATURE_TYPE, headers->type);
}

/* How the headers of a genuine answer are spoilt. */
static inline void
reply3_spoil(struct wechat_http_reply *reply, enum reply3_way way)
{
	static const enum wechat_http_name names[] = {
		WECHAT_HTTP_TIMESTAMP, WECHAT_HTTP_NONCE,
		WECHAT_HTTP_SIGNATURE, WECHAT_HTTP_SERIAL,
		WECHAT_HTTP_SIGNATURE_TYPE,
	};
	struct wechat_http_header *headers = reply->headers;
	char *signature = headers[WECHAT_HTTP_SIGNATURE].text;

	if (way >= REPLY3_NO_TIMESTAMP && way <= REPLY3_NO_SERIAL)
		memset(&headers[names[way - REPLY3_NO_TIMESTAMP]], 0,
		    sizeof(headers[0]));
	else if (way >= REPLY3_TWO_TIMESTAMPS && way <= REPLY3_TWO_TYPES)
		headers[names[way - REPLY3_TWO_TIMESTAMPS]].count = 2;
	else if (way == REPLY3_LONG_NONCE)
		headers[WECHAT_HTTP_NONCE].text[0] = '\0';
	else if (way == REPLY3_PROBE)
		memcpy(signature, "WECHATPAY/SIGNTEST/", 19);
	else if (way == REPLY3_GARBLED)
		signature[7] = '%';
	else if (way == REPLY3_MILLISECONDS)
		memcpy(strchr(headers[WECHAT_HTTP_TIMESTAMP].text, 0), "000",
		    sizeof("000"));
}

/* The caller clears the body. */
static inline struct wechat_http_reply
reply3_of(enum reply3_way way, long status, const char *body, size_t len)
{
	struct wechat_http_reply reply = {
		.sent = true, .code = "", .status = status,
	};
	const struct sign3_key *key = way == REPLY3_BY_CERT ? reply3.cert
	    : way == REPLY3_BY_STRANGER ? reply3.stranger : reply3.pub_key;
	const char *serial = way == REPLY3_BY_CERT ? W3_SERIAL_B
	    : way == REPLY3_SERIAL ? W3_PUB_KEY_ID "9" : W3_PUB_KEY_ID;
	epoch_t at = way == REPLY3_LATE ? W3_NOW - SIGN3_WINDOW_S
	    : way == REPLY3_EARLY ? W3_NOW + SIGN3_WINDOW_S : W3_NOW;
	struct w3_signed made;

	buf_init(&reply.body, WECHAT_HTTP_MAX);
	buf_add(&reply.body, body, len);
	assert_true(buf_ok(&reply.body));
	if (way == REPLY3_UNSIGNED)
		return reply;
	if (way == REPLY3_OTHER_BODY)
		w3_sign(key, serial, at, "{}", 2, &made);
	else
		w3_sign(key, serial, at, body, len, &made);
	if (way == REPLY3_TYPE)
		made.headers.type = "WECHATPAY2-SM2-WITH-SM3";
	reply3_headers(&reply, &made.headers);
	reply3_spoil(&reply, way);
	return reply;
}

/* The code that each way must end with. */
static const char *const reply3_codes[REPLY3_WAYS] = {
	[REPLY3_BY_PUB_KEY] = "", [REPLY3_BY_CERT] = "",
	[REPLY3_UNSIGNED] = "NO_SIGN", [REPLY3_BY_STRANGER] = "BAD_SIGN",
	[REPLY3_OTHER_BODY] = "BAD_SIGN", [REPLY3_PROBE] = "SIGN_PROBE",
	[REPLY3_LATE] = "SIGN_CLOCK", [REPLY3_EARLY] = "SIGN_CLOCK",
	[REPLY3_SERIAL] = "SIGN_SERIAL", [REPLY3_TYPE] = "SIGN_TYPE",
	[REPLY3_GARBLED] = "BAD_SIGN",
	[REPLY3_MILLISECONDS] = "SIGN_MALFORMED",
	[REPLY3_NO_TIMESTAMP] = "NO_SIGN", [REPLY3_NO_NONCE] = "NO_SIGN",
	[REPLY3_NO_SIGNATURE] = "NO_SIGN", [REPLY3_NO_SERIAL] = "NO_SIGN",
	[REPLY3_TWO_TIMESTAMPS] = "NO_SIGN", [REPLY3_TWO_NONCES] = "NO_SIGN",
	[REPLY3_TWO_SIGNATURES] = "NO_SIGN", [REPLY3_TWO_SERIALS] = "NO_SIGN",
	[REPLY3_TWO_TYPES] = "SIGN_TYPE", [REPLY3_LONG_NONCE] = "NO_SIGN",
};

#endif
