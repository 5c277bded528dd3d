#include "wire/pemread.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "wire/sslerr.h"

/* OpenSSL takes "X509 CERTIFICATE" for one, too. */
#define CERTIFICATE "CERTIFICATE-----"

int
pemread_no_pass_phrase(char *buf, int size, int is_writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)arg;
	return -1;
}

static BIO *
text_open(const char *pem, size_t len, struct err *err)
{
	BIO *bio = NULL;

	ERR_clear_error();
	if (len < 1 || len > PEMREAD_MAX) {
		err_set(err, ERR_INPUT, "PEM: not 1 to %d bytes", PEMREAD_MAX);
		return NULL;
	}
	bio = BIO_new_mem_buf(pem, (int)len);
	if (bio == NULL)
		sslerr_set(err, ERR_BUG, "out of memory");
	return bio;
}

/* Why nothing could be read.  Reading gives OpenSSL's reason, but for some
 * places where memory is out. */
static void
read_refuse(struct err *err, const char *text)
{
	sslerr_set(err, ERR_peek_error() == 0 ? ERR_BUG : ERR_INPUT, text);
}

X509 *
pemread_cert(const char *pem, size_t len, struct err *err)
{
	BIO *bio = text_open(pem, len, err);
	X509 *x509 = NULL;

	if (bio == NULL)
		return NULL;
	x509 = PEM_read_bio_X509(bio, NULL, pemread_no_pass_phrase, NULL);
	if (x509 == NULL)
		read_refuse(err, "certificate: not PEM");
	BIO_free(bio);
	ERR_clear_error();
	return x509;
}

EVP_PKEY *
pemread_private(const char *pem, size_t len, struct err *err)
{
	BIO *bio = text_open(pem, len, err);
	EVP_PKEY *pkey = NULL;

	if (bio == NULL)
		return NULL;
	pkey = PEM_read_bio_PrivateKey(bio, NULL, pemread_no_pass_phrase, NULL);
	if (pkey == NULL)
		read_refuse(err,
		    "private key: not PEM, or under a pass phrase");
	BIO_free(bio);
	ERR_clear_error();
	return pkey;
}

static EVP_PKEY *
pemread_bare_public(const char *pem, size_t len, struct err *err)
{
	BIO *bio = text_open(pem, len, err);
	EVP_PKEY *pkey = NULL;

	if (bio == NULL)
		return NULL;
	pkey = PEM_read_bio_PUBKEY(bio, NULL, pemread_no_pass_phrase, NULL);
	if (pkey == NULL)
		read_refuse(err, "public key: not PEM");
	BIO_free(bio);
	ERR_clear_error();
	return pkey;
}

static EVP_PKEY *
pemread_certified(const char *pem, size_t len, struct err *err)
{
	X509 *x509 = pemread_cert(pem, len, err);
	EVP_PKEY *pkey = NULL;

	if (x509 == NULL)
		return NULL;
	/* OpenSSL keeps to itself whether memory was out, or what it read is
	 * of an unknown kind; a certificate with such a key is not WeChat's. */
	pkey = X509_get_pubkey(x509);
	if (pkey == NULL)
		sslerr_set(err, ERR_BUG, "certificate: cannot read its key");
	X509_free(x509);
	ERR_clear_error();
	return pkey;
}

EVP_PKEY *
pemread_public(const char *pem, size_t len, struct err *err)
{
	/* Whatever cert.c would judge: a bare key beside it never counts. */
	if (memmem(pem, len, CERTIFICATE, strlen(CERTIFICATE)) != NULL)
		return pemread_certified(pem, len, err);
	return pemread_bare_public(pem, len, err);
}

/* True if the last read failed only because nothing more is there. */
static bool
is_at_end(void)
{
	unsigned long code = ERR_peek_last_error();

	return ERR_GET_LIB(code) == ERR_LIB_PEM
	    && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

bool
pemread_trust(const char *pem, size_t len, X509_STORE *store, struct err *err)
{
	BIO *bio = text_open(pem, len, err);
	X509 *x509 = NULL;
	size_t count = 0;
	bool ok = bio != NULL;

	while (ok) {
		x509 = PEM_read_bio_X509(bio, NULL, pemread_no_pass_phrase,
		    NULL);
		if (x509 == NULL)
			break;
		ok = X509_STORE_add_cert(store, x509) == 1;
		X509_free(x509);
		count++;
	}
	ok = ok && count > 0 && is_at_end();
	if (!ok)
		read_refuse(err, "certificates: not all are PEM");
	BIO_free(bio);
	ERR_clear_error();
	return ok;
}

bool
pemread_rsa2048_check(const EVP_PKEY *pkey, struct err *err)
{
	int bits = EVP_PKEY_get_bits(pkey);

	/* OpenSSL 3.0 gives out a key that it found no memory to measure. */
	if (bits == 0)
		return err_set(err, ERR_BUG, "key: no size, out of memory");
	return (EVP_PKEY_get_id(pkey) == EVP_PKEY_RSA && bits == 2048)
	    || err_set(err, ERR_INPUT, "key: not RSA of 2048 bits");
}
