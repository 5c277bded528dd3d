#include "keys3.h"

#include <inttypes.h>
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/clock.h"
#include "base/str.h"
#include "wire/cert.h"
#include "wire/mac.h"
#include "wire/seal3.h"
#include "wire/sign3.h"

#define CERTIFICATES 2
#define SIGNERS (CERTIFICATES + 1)	/* and the key of public-key mode */
#define SEAL_NONCE_SIZE 13
#define PROBE "WECHATPAY/SIGNTEST/"	/* [v3.md 4] */

struct keys3 {
	struct books *books;			/* configured */
	const struct secret *apiv3_key;
	struct sign3_public *merchant;
	struct cert_facts merchant_facts;

	struct keys3_signer {			/* key is NULL: not there */
		struct sign3_key *key;
		char serial[CERT_SERIAL_SIZE];
		struct secret *cert;		/* of a certificate only */
		struct cert_facts facts;
	} signers[SIGNERS];
	struct sign3_key *stranger;		/* whom nobody trusts */
};

/* As the books call them. */
static const char *const names[SIGNERS] = { "1", "2", "public" };

static const struct {
	const char *cert, *key;
} settings[CERTIFICATES] = {
	{ "platform_cert_1", "platform_key_1" },
	{ "platform_cert_2", "platform_key_2" },
};

/* A certificate is no secret, so others may be able to read the file. */
static bool
keys3_read(const char *path, struct secret **out, struct err *err)
{
	char bytes[SECRET_MAX / 2];
	FILE *file = fopen(path, "r");
	size_t len = 0;

	if (file != NULL) {
		len = fread(bytes, 1, sizeof(bytes), file);
		fclose(file);
	}
	return secret_new(bytes, len, out, err) || err_in(err, path);
}

static bool
keys3_merchant_open(struct keys3 *keys, const char *path, struct err *err)
{
	struct secret *pem = NULL;
	bool ok;

	ok = keys3_read(path, &pem, err)
	    && cert_read(secret_bytes(pem), secret_len(pem),
	    &keys->merchant_facts, err)
	    && sign3_public_new(secret_bytes(pem), secret_len(pem),
	    &keys->merchant, err);
	secret_free(pem);
	return ok;
}

static bool
keys3_certificate_open(struct keys3_signer *signer, const char *cert,
    const struct secret *key, struct err *err)
{
	if (cert == NULL || key == NULL)
		return (cert == NULL && key == NULL) || err_set(err,
		    ERR_INPUT, "platform_cert and platform_key: one alone");
	return keys3_read(cert, &signer->cert, err)
	    && cert_read(secret_bytes(signer->cert),
	    secret_len(signer->cert), &signer->facts, err)
	    && str_copy(signer->serial, sizeof(signer->serial),
	    signer->facts.serial)
	    && sign3_key_new(key, &signer->key, err);
}

static bool
keys3_public_open(struct keys3_signer *signer, const char *id,
    const struct secret *key, struct err *err)
{
	if (id == NULL || key == NULL)
		return (id == NULL && key == NULL) || err_set(err, ERR_INPUT,
		    "wechat_key and wechat_pub_key_id: one alone");
	return (cert_serial_parse(id, signer->serial)
	    || err_set(err, ERR_INPUT, "wechat_pub_key_id: no such id"))
	    && sign3_key_new(key, &signer->key, err);
}

/* Made at each start, so that nobody can come to trust it. */
static bool
keys3_stranger_open(struct keys3 *keys, struct err *err)
{
	EVP_PKEY *pkey = EVP_RSA_gen(SIGN3_KEY_BYTES * 8);
	BIO *bio = BIO_new(BIO_s_mem());
	struct secret *pem = NULL;
	char *bytes = NULL;
	long len = 0;
	bool ok = false;

	if (pkey == NULL || bio == NULL || PEM_write_bio_PrivateKey(bio, pkey,
	    NULL, NULL, 0, NULL, NULL) != 1) {
		err_set(err, ERR_BUG, "cannot make a stranger's key");
		goto out;
	}
	len = BIO_get_mem_data(bio, &bytes);
	ok = secret_new(bytes, (size_t)len, &pem, err)
	    && sign3_key_new(pem, &keys->stranger, err);
out:
	secret_free(pem);
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return ok;
}

static bool
keys3_load(struct keys3 *keys, const struct conf *conf, struct err *err)
{
	bool ok = keys3_merchant_open(keys, conf_text(conf, "merchant_cert"),
	    err);

	for (int i = 0; ok && i < CERTIFICATES; i++)
		ok = keys3_certificate_open(&keys->signers[i],
		    conf_text(conf, settings[i].cert),
		    conf_secret(conf, settings[i].key), err);
	return ok
	    && keys3_public_open(&keys->signers[CERTIFICATES],
	    conf_text(conf, "wechat_pub_key_id"),
	    conf_secret(conf, "wechat_key"), err)
	    && keys3_stranger_open(keys, err);
}

/* NULL if there is no such key. */
static const char *
keys3_serial(const struct keys3 *keys, int number)
{
	const struct keys3_signer *signer = &keys->signers[number];

	return signer->key == NULL ? NULL : signer->serial;
}

/* Who signs at first is configured; the books know who does now. */
static bool
keys3_start(const struct keys3 *keys, const char *mode, struct err *err)
{
	const char *public = keys3_serial(keys, CERTIFICATES);

	if (mode == NULL)
		mode = public != NULL ? "public" : "certificate";
	if (!str_eq(mode, "public") && !str_eq(mode, "certificate"))
		return err_set(err, ERR_INPUT,
		    "key_mode: \"public\" or \"certificate\"");
	if ((str_eq(mode, "public") ? public : keys3_serial(keys, 0)) == NULL)
		return err_set(err, ERR_INPUT, "key_mode: no key for it");
	return books_tell(keys->books,
	    "select sandbox.keys_start($1, $2, $3, $4)",
	    BOOKS_ARGS(keys3_serial(keys, 0), keys3_serial(keys, 1), public,
	    mode), err);
}

bool
keys3_open(const struct conf *conf, struct books *books, struct keys3 **out,
    struct err *err)
{
	struct keys3 *keys;

	if (conf_secret(conf, "apiv3_key") == NULL
	    || conf_text(conf, "merchant_cert") == NULL) {
		*out = NULL;
		return true;
	}
	keys = calloc(1, sizeof(*keys));
	if (keys == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	keys->books = books;
	keys->apiv3_key = conf_secret(conf, "apiv3_key");
	if (!seal3_key_check(keys->apiv3_key, err)
	    || !keys3_load(keys, conf, err)
	    || !keys3_start(keys, conf_text(conf, "key_mode"), err)) {
		keys3_close(keys);
		return false;
	}
	*out = keys;
	return true;
}

void
keys3_close(struct keys3 *keys)
{
	if (keys == NULL)
		return;
	for (int i = 0; i < SIGNERS; i++) {
		sign3_key_free(keys->signers[i].key);
		secret_free(keys->signers[i].cert);
	}
	sign3_key_free(keys->stranger);
	sign3_public_free(keys->merchant);
	free(keys);
}

const struct sign3_public *
keys3_merchant(const struct keys3 *keys)
{
	return keys->merchant;
}

const char *
keys3_merchant_serial(const struct keys3 *keys)
{
	return keys->merchant_facts.serial;
}

static const struct keys3_signer *
keys3_find(const struct keys3 *keys, const char *name)
{
	for (int i = 0; name != NULL && i < SIGNERS; i++)
		if (str_eq(name, names[i]) && keys->signers[i].key != NULL)
			return &keys->signers[i];
	return NULL;
}

static bool
keys3_turn(const struct keys3 *keys, const char *named,
    const struct keys3_signer **out, struct err *err)
{
	char serial[CERT_SERIAL_SIZE];
	PGresult *rows = NULL;
	bool ok;

	if (named == NULL || !cert_serial_parse(named, serial))
		serial[0] = '\0';
	ok = books_ask(keys->books,
	    "select sandbox.keys_signer($1) as name", BOOKS_ARGS(serial),
	    &rows, err);
	if (ok)
		*out = keys3_find(keys, books_value(rows, 0, "name"));
	PQclear(rows);
	return ok && (*out != NULL
	    || err_set(err, ERR_BUG, "the books name a key we have not"));
}

/* The signature's text, as the fault wants it. */
static bool
keys3_signature(const struct keys3 *keys, const struct keys3_signer *signer,
    enum fault fault, epoch_t at, const char *nonce, const char *body,
    size_t body_len, char out[static SIGN3_BASE64_SIZE], struct err *err)
{
	if (!sign3_sign_message(fault == FAULT_FORGED ? keys->stranger
	    : signer->key, at, nonce, body, body_len, out, err))
		return false;
	if (fault == FAULT_BAD_SIGN)
		out[0] = out[0] == 'A' ? 'B' : 'A';
	if (fault == FAULT_PROBE)
		memcpy(out, PROBE, strlen(PROBE));
	return true;
}

bool
keys3_sign(const struct keys3 *keys, const char *named, enum fault fault,
    const char *body, size_t body_len, struct fields *headers,
    struct err *err)
{
	const struct keys3_signer *signer = NULL;
	char nonce[NONCE_SIZE], signature[SIGN3_BASE64_SIZE];
	epoch_t now = clock_now();
	char at[24];

	if (fault == FAULT_UNSIGNED)
		return true;
	snprintf(at, sizeof(at), "%" PRId64, now);
	return keys3_turn(keys, named, &signer, err)
	    && nonce_new(nonce, err)
	    && keys3_signature(keys, signer, fault, now, nonce, body,
	    body_len, signature, err)
	    && fields_add(headers, "Wechatpay-Timestamp", at, err)
	    && fields_add(headers, "Wechatpay-Nonce", nonce, err)
	    && fields_add(headers, "Wechatpay-Signature", signature, err)
	    && fields_add(headers, "Wechatpay-Serial", signer->serial, err)
	    && fields_add(headers, "Wechatpay-Signature-Type", SIGN3_TYPE,
	    err);
}

struct jsonmsg *
keys3_seal(const struct keys3 *keys, const char *associated_data,
    const char *plain, size_t len, struct err *err)
{
	struct jsonmsg *msg = NULL;
	char nonce[NONCE_SIZE];
	struct buf sealed;

	buf_init(&sealed, SEAL3_MAX);
	if (!nonce_new(nonce, err))
		goto out;
	nonce[SEAL_NONCE_SIZE - 1] = '\0';
	if (!seal3_seal(plain, len, nonce, associated_data, keys->apiv3_key,
	    &sealed, err))
		goto out;
	msg = jsonmsg_new();
	jsonmsg_text(msg, "algorithm", SEAL3_ALGORITHM);
	jsonmsg_text(msg, "ciphertext", buf_get(&sealed));
	jsonmsg_text(msg, "associated_data", associated_data);
	jsonmsg_text(msg, "nonce", nonce);
out:
	buf_clear(&sealed);
	return msg;
}

static bool
keys3_list_one(const struct keys3 *keys, const struct keys3_signer *signer,
    struct buf *out, struct err *err)
{
	struct jsonmsg *sealed = keys3_seal(keys, "certificate",
	    secret_bytes(signer->cert), secret_len(signer->cert), err);
	char from[CLOCK_RFC3339_SIZE], until[CLOCK_RFC3339_SIZE];
	struct jsonmsg *msg;
	bool ok;

	if (sealed == NULL)
		return false;
	clock_format_rfc3339(signer->facts.not_before, from);
	clock_format_rfc3339(signer->facts.not_after, until);
	msg = jsonmsg_new();
	jsonmsg_text(msg, "serial_no", signer->serial);
	jsonmsg_text(msg, "effective_time", from);
	jsonmsg_text(msg, "expire_time", until);
	jsonmsg_object(msg, "encrypt_certificate", sealed);
	ok = jsonmsg_format(msg, out);
	jsonmsg_free(msg);
	return ok || err_set(err, ERR_BUG, "out of memory");
}

bool
keys3_list(const struct keys3 *keys, const char *listed, struct buf *out,
    struct err *err)
{
	bool is_first = true;

	buf_text(out, "{\"data\":[");
	for (int i = 0; i < CERTIFICATES; i++) {
		if (strchr(listed, *names[i]) == NULL)
			continue;
		buf_text(out, is_first ? "" : ",");
		is_first = false;
		if (!keys3_list_one(keys, &keys->signers[i], out, err))
			return false;
	}
	buf_text(out, "]}");
	return buf_ok(out) || err_set(err, ERR_BUG, "out of memory");
}
