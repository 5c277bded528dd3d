#include "wire/seal2.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "wire/base64.h"
#include "wire/xmlmsg.h"

#define BLOCK 16
#define MD5_BYTES 16
#define KEY_SIZE (2 * MD5_BYTES + 1)

/* A req_info cannot be longer than the message it came in. */
#define SEALED_MAX XMLMSG_MAX

#define DAMAGED "req_info: cannot be opened"

/* [v2.md 15.2] the key is hexadecimal text, 32 characters, not 16 bytes. */
static bool
seal2_key(const struct secret *api_key, char out[static KEY_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	bool ok = EVP_Digest(secret_bytes(api_key), secret_len(api_key),
	    digest, &digest_len, EVP_md5(), NULL) == 1;

	if (ok)
		hex_format_lower(digest, MD5_BYTES, out);
	OPENSSL_cleanse(digest, sizeof(digest));
	return ok;
}

enum direction {
	OPEN = 0,		/* as EVP_CipherInit_ex counts */
	SEAL = 1,
};

static EVP_CIPHER_CTX *
seal2_begin(enum direction direction, const struct secret *api_key,
    struct err *err)
{
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	char key[KEY_SIZE] = "";

	if (cipher == NULL || !seal2_key(api_key, key)
	    || EVP_CipherInit_ex(cipher, EVP_aes_256_ecb(), NULL,
		(unsigned char *)key, NULL, (int)direction) != 1) {
		EVP_CIPHER_CTX_free(cipher);
		cipher = NULL;
		err_set(err, ERR_BUG, "cannot use AES-256-ECB");
	}
	ERR_clear_error();
	OPENSSL_cleanse(key, sizeof(key));
	return cipher;
}

/* Append what the cipher makes of in.  False if it is damaged. */
static bool
seal2_run(EVP_CIPHER_CTX *cipher, const char *in, size_t in_len,
    unsigned char *room, struct buf *out)
{
	int body = 0;
	int tail = 0;
	bool ok = EVP_CipherUpdate(cipher, room, &body,
		(const unsigned char *)in, (int)in_len) == 1
	    && EVP_CipherFinal_ex(cipher, room + body, &tail) == 1;

	if (ok)
		buf_add(out, room, (size_t)(body + tail));
	ERR_clear_error();
	return ok;
}

/* One direction, from begin to end; in is at most SEALED_MAX long. */
static bool
seal2_pass(enum direction direction, const struct secret *api_key,
    const char *in, size_t in_len, struct buf *out, struct err *err)
{
	size_t room_len = in_len + BLOCK;
	unsigned char *room = malloc(room_len);
	EVP_CIPHER_CTX *cipher = NULL;
	bool ok = false;

	if (room == NULL) {
		err_set(err, ERR_BUG, "out of memory");
		goto out;
	}
	cipher = seal2_begin(direction, api_key, err);
	if (cipher == NULL)
		goto out;
	if (!seal2_run(cipher, in, in_len, room, out))
		err_set(err, ERR_AUTH, DAMAGED);
	else if (!buf_ok(out))
		err_set(err, ERR_BUG, "no room for the text");
	else
		ok = true;
out:
	EVP_CIPHER_CTX_free(cipher);
	if (room != NULL)
		OPENSSL_cleanse(room, room_len);
	free(room);
	return ok;
}

bool
seal2_open(const char *req_info, const struct secret *api_key,
    struct buf *out, struct err *err)
{
	size_t len = strlen(req_info);
	struct buf sealed;
	bool ok = false;

	buf_init(&sealed, len);
	if (len < 1 || len > SEALED_MAX
	    || !base64_parse(req_info, len, &sealed)
	    || sealed.len % BLOCK != 0)
		err_set(err, ERR_AUTH, DAMAGED);
	else if (!buf_ok(&sealed))
		err_set(err, ERR_BUG, "out of memory");
	else
		ok = seal2_pass(OPEN, api_key, sealed.data, sealed.len, out,
		    err);
	buf_clear(&sealed);
	return ok;
}

bool
seal2_seal(const char *plain, size_t len, const struct secret *api_key,
    struct buf *out, struct err *err)
{
	struct buf sealed;
	bool ok = false;

	if (len > SEALED_MAX)
		return err_set(err, ERR_INPUT, "more than %d bytes to seal",
		    SEALED_MAX);
	buf_init(&sealed, len + BLOCK);
	ok = seal2_pass(SEAL, api_key, plain, len, &sealed, err);
	if (ok)
		base64_format(sealed.data, sealed.len, out);
	buf_clear(&sealed);
	return ok;
}
