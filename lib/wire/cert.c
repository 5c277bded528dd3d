#include "wire/cert.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* Instead of OpenSSL's own, which would ask at the terminal. */
static int
cert_no_pass_phrase(char *buf, int size, int is_writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)arg;
	return -1;
}

static BIO *
cert_open(const struct secret *pem)
{
	return BIO_new_mem_buf(secret_bytes(pem), (int)secret_len(pem));
}

static bool
cert_term_check(const X509 *x509, epoch_t now, struct err *err)
{
	time_t at = (time_t)now;

	/* 0 says that the date cannot be read. */
	if (X509_cmp_time(X509_get0_notBefore(x509), &at) >= 0)
		return err_set(err, ERR_INPUT, "certificate: not yet valid");
	if (X509_cmp_time(X509_get0_notAfter(x509), &at) <= 0)
		return err_set(err, ERR_INPUT, "certificate: expired");
	return true;
}

bool
cert_pair_check(const struct secret *cert, const struct secret *key,
    epoch_t now, struct err *err)
{
	BIO *cert_bio = cert_open(cert);
	BIO *key_bio = cert_open(key);
	X509 *x509 = NULL;
	EVP_PKEY *pkey = NULL;
	bool ok = false;

	if (cert_bio == NULL || key_bio == NULL) {
		err_set(err, ERR_BUG, "out of memory");
		goto out;
	}
	x509 = PEM_read_bio_X509(cert_bio, NULL, cert_no_pass_phrase, NULL);
	if (x509 == NULL) {
		err_set(err, ERR_INPUT, "certificate: not PEM");
		goto out;
	}
	pkey = PEM_read_bio_PrivateKey(key_bio, NULL, cert_no_pass_phrase,
	    NULL);
	if (pkey == NULL) {
		err_set(err, ERR_INPUT,
		    "private key: not PEM, or under a pass phrase");
		goto out;
	}
	if (X509_check_private_key(x509, pkey) != 1) {
		err_set(err, ERR_INPUT,
		    "private key and certificate do not belong together");
		goto out;
	}
	ok = cert_term_check(x509, now, err);
out:
	EVP_PKEY_free(pkey);
	X509_free(x509);
	BIO_free(key_bio);
	BIO_free(cert_bio);
	ERR_clear_error();
	return ok;
}

bool
cert_file_check(const char *path, struct err *err)
{
	BIO *bio = BIO_new_file(path, "r");
	X509 *x509 = NULL;
	bool ok;

	if (bio != NULL)
		x509 = PEM_read_bio_X509(bio, NULL, cert_no_pass_phrase, NULL);
	ok = x509 != NULL
	    || err_set(err, ERR_INPUT, "\"%s\": no PEM certificate", path);
	X509_free(x509);
	BIO_free(bio);
	ERR_clear_error();
	return ok;
}
