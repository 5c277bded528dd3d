#include "wire/cert.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "base/str.h"
#include "wire/base64.h"
#include "wire/pemread.h"
#include "wire/sslerr.h"

#define PUB_KEY_ID "PUB_KEY_ID_"
#define SERIAL_BYTES 20		/* RFC 5280: no more */
#define SERIAL_DIGITS (2 * SERIAL_BYTES)

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
	X509 *x509 = NULL;
	EVP_PKEY *pkey = NULL;
	bool ok = false;

	x509 = pemread_cert(secret_bytes(cert), secret_len(cert), err);
	if (x509 == NULL)
		goto out;
	pkey = pemread_private(secret_bytes(key), secret_len(key), err);
	if (pkey == NULL)
		goto out;
	if (X509_check_private_key(x509, pkey) != 1) {
		err_set(err, ERR_INPUT,
		    "private key and certificate do not belong together");
		goto out;
	}
	ok = cert_term_check(x509, now, err);
out:
	EVP_PKEY_free(pkey);
	X509_free(x509);
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
		x509 = PEM_read_bio_X509(bio, NULL, pemread_no_pass_phrase,
		    NULL);
	ok = x509 != NULL
	    || err_set(err, ERR_INPUT, "\"%s\": no PEM certificate", path);
	X509_free(x509);
	BIO_free(bio);
	ERR_clear_error();
	return ok;
}

/* zero is 1970. */
static bool
time_read(const ASN1_TIME *zero, const ASN1_TIME *time, epoch_t *out)
{
	int days = 0;
	int seconds = 0;

	if (zero == NULL || ASN1_TIME_diff(&days, &seconds, zero, time) != 1)
		return false;
	*out = (epoch_t)days * 86400 + seconds;
	return true;
}

/* Not by BN_bn2hex, which drops leading zeros two by two. */
static bool
serial_read(const ASN1_INTEGER *serial, char out[static CERT_SERIAL_SIZE])
{
	int len = ASN1_STRING_length(serial);

	if (ASN1_STRING_type(serial) != V_ASN1_INTEGER || len < 0
	    || len > SERIAL_BYTES)
		return false;
	memset(out, '0', SERIAL_DIGITS);
	hex_format_upper(ASN1_STRING_get0_data(serial), (size_t)len,
	    out + SERIAL_DIGITS - 2 * len);
	return true;
}

bool
cert_read(const char *pem, size_t len, struct cert_facts *out,
    struct err *err)
{
	X509 *x509 = pemread_cert(pem, len, err);
	ASN1_TIME *zero = ASN1_TIME_set(NULL, 0);
	struct cert_facts facts = { 0 };
	bool ok = false;

	if (x509 == NULL)
		goto out;
	if (!serial_read(X509_get0_serialNumber(x509), facts.serial))
		err_set(err, ERR_INPUT, "certificate: no proper serial");
	else if (!time_read(zero, X509_get0_notBefore(x509), &facts.not_before)
	    || !time_read(zero, X509_get0_notAfter(x509), &facts.not_after))
		sslerr_set(err, ERR_INPUT, "certificate: no proper dates");
	else
		ok = true;
	if (ok)
		*out = facts;
out:
	ASN1_TIME_free(zero);
	X509_free(x509);
	ERR_clear_error();
	return ok;
}

static bool
chain_judge(X509_STORE_CTX *ctx, X509_STORE *roots, X509 *x509, epoch_t at,
    struct err *err)
{
	if (ctx == NULL || X509_STORE_CTX_init(ctx, roots, x509, NULL) != 1)
		return err_set(err, ERR_BUG, "out of memory");
	X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), at);
	if (X509_verify_cert(ctx) == 1)
		return true;
	return sslerr_set(err, ERR_AUTH, X509_verify_cert_error_string(
	    X509_STORE_CTX_get_error(ctx)));
}

bool
cert_chain_check(const char *pem, size_t len, const char *ca, size_t ca_len,
    epoch_t at, struct err *err)
{
	X509 *x509 = pemread_cert(pem, len, err);
	X509_STORE *roots = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = false;

	if (roots == NULL)
		err_set(err, ERR_BUG, "out of memory");
	else
		ok = x509 != NULL && pemread_trust(ca, ca_len, roots, err)
		    && chain_judge(ctx, roots, x509, at, err);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(roots);
	X509_free(x509);
	ERR_clear_error();
	return ok || err_in(err, "chain");
}

static bool
is_pub_key_id(const char *text)
{
	size_t prefix_len = strlen(PUB_KEY_ID);

	return strncmp(text, PUB_KEY_ID, prefix_len) == 0
	    && str_is_of(text + prefix_len, STR_ALNUM, 1,
		CERT_SERIAL_SIZE - 1 - prefix_len);
}

static char
upper(char c)
{
	return c >= 'a' ? (char)(c - 'a' + 'A') : c;
}

bool
cert_serial_parse(const char *text, char out[static CERT_SERIAL_SIZE])
{
	const char *digits = text + strspn(text, "0");
	size_t len = strlen(digits);

	if (is_pub_key_id(text))
		return str_copy(out, CERT_SERIAL_SIZE, text);
	if (text[0] == '\0' || len > SERIAL_DIGITS
	    || !str_is_of(digits, STR_DIGITS "ABCDEFabcdef", 0, SERIAL_DIGITS))
		return false;
	memset(out, '0', SERIAL_DIGITS);
	for (size_t i = 0; i < len; i++)
		out[SERIAL_DIGITS - len + i] = upper(digits[i]);
	out[SERIAL_DIGITS] = '\0';
	return true;
}
