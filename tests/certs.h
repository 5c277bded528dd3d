/*
 * certs: certificates for tests, made on the spot.
 *
 * Knows X.509.  Owns what it makes until certs_free.  Nothing made here is
 * trusted by anybody but the test that made it.
 */
#ifndef TESTS_CERTS_H
#define TESTS_CERTS_H

#include <assert.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/secret.h"

struct cert {
	X509 *x509;
	EVP_PKEY *key;
};

struct cert_wish {
	const char *name;
	const char *san;	/* "DNS:api.test"; NULL makes a CA */
	const struct cert *issuer;	/* NULL: signs itself */
	long from_s, to_s;	/* from now */
};

static inline void
cert_extend(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid,
	    value);

	assert(extension != NULL && X509_add_ext(x509, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static inline struct cert
cert_make(const struct cert_wish *wish)
{
	static long serial;
	struct cert cert = { X509_new(), EVP_EC_gen("P-256") };
	X509_NAME *name = X509_get_subject_name(cert.x509);

	assert(cert.key != NULL);
	assert(X509_set_version(cert.x509, 2) == 1
	    && ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), ++serial)
	    && X509_gmtime_adj(X509_getm_notBefore(cert.x509), wish->from_s)
	    && X509_gmtime_adj(X509_getm_notAfter(cert.x509), wish->to_s)
	    && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		(const unsigned char *)wish->name, -1, -1, 0)
	    && X509_set_issuer_name(cert.x509, wish->issuer == NULL ? name
		: X509_get_subject_name(wish->issuer->x509))
	    && X509_set_pubkey(cert.x509, cert.key));
	if (wish->san == NULL)
		cert_extend(cert.x509, NID_basic_constraints,
		    "critical,CA:TRUE");
	else
		cert_extend(cert.x509, NID_subject_alt_name, wish->san);
	assert(X509_sign(cert.x509, wish->issuer == NULL ? cert.key
	    : wish->issuer->key, EVP_sha256()) > 0);
	return cert;
}

static inline void
cert_free(struct cert *cert)
{
	X509_free(cert->x509);
	EVP_PKEY_free(cert->key);
}

static inline struct secret *
bio_secret(BIO *bio)
{
	struct secret *secret = NULL;
	struct err err = { 0 };
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);
	bool ok = len > 0 && secret_new(bytes, (size_t)len, &secret, &err);

	assert(ok);
	BIO_free(bio);
	return secret;
}

static inline struct secret *
cert_pem(const struct cert *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert(PEM_write_bio_X509(bio, cert->x509) == 1);
	return bio_secret(bio);
}

/* Under a pass phrase unless that is NULL. */
static inline struct secret *
cert_key_pem(const struct cert *cert, const char *pass_phrase)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int len = pass_phrase == NULL ? 0 : (int)strlen(pass_phrase);

	assert(PEM_write_bio_PrivateKey(bio, cert->key, pass_phrase == NULL
	    ? NULL : EVP_aes_128_cbc(), (const unsigned char *)pass_phrase,
	    len, NULL, NULL) == 1);
	return bio_secret(bio);
}

static inline void
cert_write(const struct cert *cert, const char *path)
{
	BIO *bio = BIO_new_file(path, "w");

	assert(bio != NULL && PEM_write_bio_X509(bio, cert->x509) == 1);
	BIO_free(bio);
}

#endif
