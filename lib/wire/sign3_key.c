#include "wire/sign3_key.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "wire/pemread.h"
#include "wire/sslerr.h"

#define WRONG "signature: wrong"
#define DAMAGED "sealed field: cannot be opened"

struct sign3_key {
	EVP_PKEY *pkey;
};

struct sign3_public {
	EVP_PKEY *pkey;
};

/* Takes pkey, which may be NULL, into *out, or frees it. */
static bool
pkey_judge(EVP_PKEY *pkey, EVP_PKEY **out, struct err *err)
{
	if (pkey == NULL)
		return false;
	if (!pemread_rsa2048_check(pkey, err)) {
		EVP_PKEY_free(pkey);
		return false;
	}
	*out = pkey;
	return true;
}

bool
sign3_key_new(const struct secret *pem, struct sign3_key **key,
    struct err *err)
{
	struct sign3_key *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	if (!pkey_judge(pemread_private(secret_bytes(pem), secret_len(pem),
	    err), &made->pkey, err)) {
		free(made);
		return false;
	}
	*key = made;
	return true;
}

void
sign3_key_free(struct sign3_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

static bool
pkey_sign(EVP_PKEY *pkey, const void *bytes, size_t len,
    unsigned char out[static SIGN3_KEY_BYTES])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t out_len = SIGN3_KEY_BYTES;
	bool ok = md != NULL
	    && EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, pkey) == 1
	    && EVP_DigestSign(md, out, &out_len, bytes, len) == 1
	    && out_len == SIGN3_KEY_BYTES;

	EVP_MD_CTX_free(md);
	return ok;
}

/* 1 is true, 0 is false, and anything else is neither. */
static int
pkey_verify(EVP_PKEY *pkey, const void *bytes, size_t len,
    const unsigned char signature[static SIGN3_KEY_BYTES])
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int verdict = -1;

	if (md != NULL && EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL,
	    pkey) == 1) {
		/* Else it works on a copy, and 0 may be lack of memory. */
		EVP_MD_CTX_set_flags(md, EVP_MD_CTX_FLAG_FINALISE);
		verdict = EVP_DigestVerify(md, signature, SIGN3_KEY_BYTES,
		    bytes, len);
	}
	EVP_MD_CTX_free(md);
	return verdict;
}

/*
 * OpenSSL 3.0.22 renews its blinding with every 33rd signature.  If memory is
 * out at that moment, this signature and the 31 after it are wrong, and are
 * given out as good.  So each is checked, and made again with a copy of the
 * key, which has a blinding of its own.
 */
bool
sign3_key_sign(const struct sign3_key *key, const void *bytes, size_t len,
    unsigned char out[static SIGN3_KEY_BYTES], struct err *err)
{
	EVP_PKEY *copy = NULL;
	unsigned char made[SIGN3_KEY_BYTES];
	bool ok = pkey_sign(key->pkey, bytes, len, made)
	    && pkey_verify(key->pkey, bytes, len, made) == 1;

	if (!ok) {
		copy = EVP_PKEY_dup(key->pkey);
		ok = copy != NULL && pkey_sign(copy, bytes, len, made)
		    && pkey_verify(copy, bytes, len, made) == 1;
	}
	if (ok)
		memcpy(out, made, sizeof(made));
	EVP_PKEY_free(copy);
	ERR_clear_error();
	return ok || err_set(err, ERR_BUG, "cannot sign with the private key");
}

enum direction {
	OPEN,
	SEAL,
};

/* OpenSSL's own choice of digests is SHA-1, too, but not promised. */
static EVP_PKEY_CTX *
oaep_begin(enum direction direction, EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);

	if (ctx != NULL
	    && (direction == OPEN ? EVP_PKEY_decrypt_init(ctx)
		: EVP_PKEY_encrypt_init(ctx)) == 1
	    && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1
	    && EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha1()) == 1
	    && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha1()) == 1)
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

bool
sign3_key_open(const struct sign3_key *key, const void *sealed, size_t len,
    struct buf *out, struct err *err)
{
	EVP_PKEY *copy = NULL;		/* see sign3_key_sign */
	EVP_PKEY_CTX *ctx = NULL;
	unsigned char plain[SIGN3_KEY_BYTES];
	size_t plain_len = sizeof(plain);
	bool ok = false;

	if (len != SIGN3_KEY_BYTES)
		return err_set(err, ERR_AUTH, DAMAGED);
	copy = EVP_PKEY_dup(key->pkey);
	if (copy != NULL)
		ctx = oaep_begin(OPEN, copy);
	if (ctx == NULL) {
		err_set(err, ERR_BUG, "cannot use RSA-OAEP");
	} else if (EVP_PKEY_decrypt(ctx, plain, &plain_len, sealed, len) != 1) {
		/* OpenSSL hides the reason, even lack of memory. */
		err_set(err, ERR_AUTH, DAMAGED);
	} else {
		buf_add(out, plain, plain_len);
		ok = buf_ok(out)
		    || err_set(err, ERR_BUG, "no room for the text");
	}
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(copy);
	OPENSSL_cleanse(plain, sizeof(plain));
	ERR_clear_error();
	return ok;
}

bool
sign3_public_new(const char *pem, size_t len, struct sign3_public **key,
    struct err *err)
{
	struct sign3_public *made = calloc(1, sizeof(*made));

	if (made == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	if (!pkey_judge(pemread_public(pem, len, err), &made->pkey, err)) {
		free(made);
		return false;
	}
	*key = made;
	return true;
}

void
sign3_public_free(struct sign3_public *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

bool
sign3_public_verify(const struct sign3_public *key, const void *bytes,
    size_t len, const void *signature, size_t signature_len, struct err *err)
{
	int verdict = 0;

	if (signature_len != SIGN3_KEY_BYTES)
		return err_set(err, ERR_AUTH, WRONG);
	ERR_clear_error();
	verdict = pkey_verify(key->pkey, bytes, len, signature);
	if (verdict == 0)
		sslerr_set(err, ERR_AUTH, WRONG);
	else if (verdict != 1)
		err_set(err, ERR_BUG, "cannot verify");
	ERR_clear_error();
	return verdict == 1;
}

bool
sign3_public_seal(const struct sign3_public *key, const void *bytes,
    size_t len, unsigned char out[static SIGN3_KEY_BYTES], struct err *err)
{
	EVP_PKEY_CTX *ctx = NULL;
	size_t out_len = SIGN3_KEY_BYTES;
	bool ok = false;

	if (len > SIGN3_KEY_SEAL_MAX)
		return err_set(err, ERR_INPUT, "more than %d bytes to seal",
		    SIGN3_KEY_SEAL_MAX);
	ctx = oaep_begin(SEAL, key->pkey);
	ok = ctx != NULL
	    && EVP_PKEY_encrypt(ctx, out, &out_len, bytes, len) == 1
	    && out_len == SIGN3_KEY_BYTES;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok || err_set(err, ERR_BUG, "cannot seal with the public key");
}
