#include "wire/mac.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "wire/base64.h"

#define NONCE_BYTES 16
#define MAC_BYTES 32

bool
nonce_new(char out[static NONCE_SIZE], struct err *err)
{
	unsigned char bytes[NONCE_BYTES];

	if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
		ERR_clear_error();
		return err_set(err, ERR_BUG, "no random bytes");
	}
	hex_format_lower(bytes, sizeof(bytes), out);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return true;
}

bool
mac_text(const struct secret *key, const char *text,
    char out[static MAC_SIZE], struct err *err)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;

	if (HMAC(EVP_sha256(), secret_bytes(key), (int)secret_len(key),
	    (const unsigned char *)text, strlen(text), mac, &mac_len) == NULL
	    || mac_len != MAC_BYTES) {
		ERR_clear_error();
		return err_set(err, ERR_BUG, "cannot compute an HMAC");
	}
	hex_format_lower(mac, mac_len, out);
	OPENSSL_cleanse(mac, sizeof(mac));
	return true;
}
