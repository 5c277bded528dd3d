#include "wire/jssdk.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/buf.h"
#include "wire/base64.h"

#define SHA1_BYTES 20

/* The names are in their order already, and values stand as they are. */
static void
jssdk_text(const struct jssdk_page *page, struct buf *out)
{
	buf_format(out, "jsapi_ticket=%s&noncestr=%s&timestamp=%lld&url=",
	    page->ticket, page->nonce, (long long)page->at);
	buf_add(out, page->url, strcspn(page->url, "#"));
}

bool
jssdk_sign(const struct jssdk_page *page, char out[static JSSDK_SIZE],
    struct err *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	struct buf text;
	bool ok = false;

	buf_init(&text, JSSDK_TEXT_MAX);
	jssdk_text(page, &text);
	if (!buf_ok(&text)) {
		err_set(err, ERR_INPUT, "url: too long to sign");
		goto out;
	}
	if (EVP_Digest(text.data, text.len, digest, &digest_len, EVP_sha1(),
	    NULL) != 1 || digest_len != SHA1_BYTES) {
		ERR_clear_error();
		err_set(err, ERR_BUG, "cannot compute SHA-1");
		goto out;
	}
	hex_format_lower(digest, digest_len, out);
	ok = true;
out:
	buf_clear(&text);
	return ok;
}
