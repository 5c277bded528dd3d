#include "wire/seal3.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/str.h"
#include "wire/base64.h"
#include "wire/sslerr.h"

#define KEY_BYTES 32
#define TAG 16

/* [v3.md 21.2] a nonce is 12 bytes in practice, and 16 at most. */
#define NONCE_MIN 12
#define NONCE_MAX 16

#define DAMAGED "resource: cannot be opened"
#define FIELD_DAMAGED "sealed field: cannot be opened"	/* as sign3_key's */

enum direction {
	OPEN = 0,		/* as EVP_CipherInit_ex counts */
	SEAL = 1,
};

bool
seal3_key_check(const struct secret *apiv3_key, struct err *err)
{
	return (secret_len(apiv3_key) == KEY_BYTES
	    && str_is_of(secret_bytes(apiv3_key), STR_ALNUM, KEY_BYTES,
		KEY_BYTES))
	    || err_set(err, ERR_INPUT,
		"APIv3 key: not %d letters and digits", KEY_BYTES);
}

static bool
nonce_is_plain(const char *nonce)
{
	size_t len = strlen(nonce);

	return len >= NONCE_MIN && len <= NONCE_MAX;
}

/* Key, nonce and associated data, which the tag covers, too. */
static EVP_CIPHER_CTX *
gcm_begin(enum direction direction, const struct secret *apiv3_key,
    const char *nonce, const char *associated_data, struct err *err)
{
	EVP_CIPHER_CTX *gcm = EVP_CIPHER_CTX_new();
	int unused = 0;

	if (gcm != NULL
	    && EVP_CipherInit_ex(gcm, EVP_aes_256_gcm(), NULL, NULL, NULL,
		(int)direction) == 1
	    && EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_IVLEN,
		(int)strlen(nonce), NULL) == 1
	    && EVP_CipherInit_ex(gcm, NULL, NULL,
		(const unsigned char *)secret_bytes(apiv3_key),
		(const unsigned char *)nonce, (int)direction) == 1
	    && EVP_CipherUpdate(gcm, NULL, &unused,
		(const unsigned char *)associated_data,
		(int)strlen(associated_data)) == 1)
		return gcm;
	EVP_CIPHER_CTX_free(gcm);
	ERR_clear_error();
	err_set(err, ERR_BUG, "cannot use AES-256-GCM");
	return NULL;
}

/* bytes are a text of so many bytes, and its tag; decrypts in place. */
static bool
gcm_open(EVP_CIPHER_CTX *gcm, unsigned char *bytes, size_t len)
{
	int body = 0;
	int tail = 0;

	return EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_TAG, TAG,
		bytes + len) == 1
	    && EVP_CipherUpdate(gcm, bytes, &body, bytes, (int)len) == 1
	    && EVP_CipherFinal_ex(gcm, bytes + body, &tail) == 1
	    && (size_t)(body + tail) == len;
}

/* The same in the other direction; there is room for the tag. */
static bool
gcm_seal(EVP_CIPHER_CTX *gcm, unsigned char *bytes, size_t len)
{
	int body = 0;
	int tail = 0;

	return EVP_CipherUpdate(gcm, bytes, &body, bytes, (int)len) == 1
	    && EVP_CipherFinal_ex(gcm, bytes + body, &tail) == 1
	    && (size_t)(body + tail) == len
	    && EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, TAG,
		bytes + len) == 1;
}

/* Decode, then decrypt in the buffer that is wiped in any case. */
static bool
bytes_open(const struct seal3_sealed *sealed, const char *associated_data,
    const struct secret *apiv3_key, struct buf *bytes, struct err *err)
{
	EVP_CIPHER_CTX *gcm = NULL;
	bool ok = false;

	if (!str_eq(sealed->algorithm, SEAL3_ALGORITHM)
	    || !nonce_is_plain(sealed->nonce)
	    || !base64_parse(sealed->ciphertext, strlen(sealed->ciphertext),
		bytes))
		return err_set(err, ERR_AUTH, DAMAGED);
	if (!buf_ok(bytes))
		return err_set(err, ERR_BUG, "out of memory");
	if (bytes->len < TAG)
		return err_set(err, ERR_AUTH, DAMAGED);
	gcm = gcm_begin(OPEN, apiv3_key, sealed->nonce, associated_data, err);
	if (gcm == NULL)
		return false;
	ok = gcm_open(gcm, (unsigned char *)bytes->data, bytes->len - TAG)
	    || sslerr_set(err, ERR_AUTH, DAMAGED);
	EVP_CIPHER_CTX_free(gcm);
	return ok;
}

bool
seal3_open(const struct seal3_sealed *sealed, const struct secret *apiv3_key,
    struct buf *out, struct err *err)
{
	const char *associated_data = sealed->associated_data == NULL ? ""
	    : sealed->associated_data;
	size_t len = strlen(sealed->ciphertext);
	struct buf bytes;
	bool ok = false;

	if (!seal3_key_check(apiv3_key, err))
		return false;
	if (len > SEAL3_MAX || strlen(associated_data) > SEAL3_MAX)
		return err_set(err, ERR_AUTH, DAMAGED);
	buf_init(&bytes, len);
	ok = bytes_open(sealed, associated_data, apiv3_key, &bytes, err);
	if (ok) {
		buf_add(out, bytes.data, bytes.len - TAG);
		ok = buf_ok(out)
		    || err_set(err, ERR_BUG, "no room for the text");
	}
	buf_clear(&bytes);
	return ok;
}

bool
seal3_seal(const char *plain, size_t len, const char *nonce,
    const char *associated_data, const struct secret *apiv3_key,
    struct buf *out, struct err *err)
{
	static const unsigned char no_tag[TAG];
	EVP_CIPHER_CTX *gcm = NULL;
	struct buf bytes;
	bool ok = false;

	if (!seal3_key_check(apiv3_key, err))
		return false;
	if (len > SEAL3_MAX || !nonce_is_plain(nonce))
		return err_set(err, ERR_INPUT, "nothing that can be sealed");
	buf_init(&bytes, len + TAG);
	buf_add(&bytes, plain, len);
	buf_add(&bytes, no_tag, TAG);
	gcm = gcm_begin(SEAL, apiv3_key, nonce, associated_data, err);
	ok = gcm != NULL && buf_ok(&bytes)
	    && gcm_seal(gcm, (unsigned char *)bytes.data, len);
	if (ok)
		base64_format(bytes.data, bytes.len, out);
	EVP_CIPHER_CTX_free(gcm);
	ERR_clear_error();
	buf_clear(&bytes);
	return (ok && buf_ok(out))
	    || err_set(err, ERR_BUG, "cannot seal a text");
}

bool
seal3_field_open(const char *base64, const struct sign3_key *key,
    struct buf *out, struct err *err)
{
	size_t len = strlen(base64);
	struct buf bytes;
	bool ok = false;

	if (len > BASE64_SIZE(SIGN3_KEY_BYTES))
		return err_set(err, ERR_AUTH, FIELD_DAMAGED);
	buf_init(&bytes, len);
	if (!base64_parse(base64, len, &bytes))
		err_set(err, ERR_AUTH, FIELD_DAMAGED);
	else if (!buf_ok(&bytes))
		err_set(err, ERR_BUG, "out of memory");
	else
		ok = sign3_key_open(key, buf_get(&bytes), bytes.len, out, err);
	buf_clear(&bytes);
	return ok;
}

bool
seal3_field_seal(const char *text, const struct sign3_public *key,
    struct buf *out, struct err *err)
{
	unsigned char bytes[SIGN3_KEY_BYTES];

	if (!sign3_public_seal(key, text, strlen(text), bytes, err))
		return false;
	base64_format(bytes, sizeof(bytes), out);
	return buf_ok(out) || err_set(err, ERR_BUG, "no room for the field");
}
