/*
 * jssdk: the signature of wx.config.
 *
 * Knows the text that WeChat's JS-SDK signs [platform.md 5.2], and SHA-1.
 * Hides OpenSSL.  Owns nothing.
 */
#ifndef WIRE_JSSDK_H
#define WIRE_JSSDK_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/err.h"

#define JSSDK_SIZE 41		/* 40 lower-case hexadecimal characters */
#define JSSDK_TEXT_MAX 8192	/* bytes of all that is signed */

struct jssdk_page {
	const char *ticket;	/* jsapi_ticket */
	const char *nonce;	/* the page says nonceStr for it */
	epoch_t at;
	const char *url;	/* as the browser has it; what stands behind #
				 * is not signed */
};

/* ERR_INPUT if the URL is too long. */
MUSTUSE bool jssdk_sign(const struct jssdk_page *page,
    char out[static JSSDK_SIZE], struct err *err);

#endif
