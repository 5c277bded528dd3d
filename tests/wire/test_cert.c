/*
 * cert: no program starts with a key that is not its certificate's, or with
 * a certificate whose time has not come or is over.
 */
#include "wire/cert.h"

#include <unistd.h>

#include "base/clock.h"

#include "../certs.h"
#include "../unit.h"

#define DAY 86400L

static struct secret *
secret_of(const char *text)
{
	struct err err = { 0 };
	struct secret *secret = NULL;

	assert_true(secret_new(text, strlen(text), &secret, &err));
	return secret;
}

static void
pair_expect(const char *what, const struct secret *cert,
    const struct secret *key, epoch_t now, bool good)
{
	struct err err = { 0 };

	expect(cert_pair_check(cert, key, now, &err) == good, "%s: %s", what,
	    err.text);
	assert_int_equal(err.kind, good ? ERR_NONE : ERR_INPUT);
}

static void
test_pair(void **state)
{
	struct cert one = cert_make(&(struct cert_wish){
		.name = "1900000109", .san = "DNS:one", .from_s = -DAY,
		.to_s = DAY });
	struct cert two = cert_make(&(struct cert_wish){
		.name = "1900000109", .san = "DNS:two", .from_s = -DAY,
		.to_s = DAY });
	struct secret *cert = cert_pem(&one);
	struct secret *key = cert_key_pem(&one, NULL);
	struct secret *other = cert_key_pem(&two, NULL);
	struct secret *locked = cert_key_pem(&one, "1900000109");
	struct secret *junk = secret_of("junk");
	struct secret *cut = secret_of("-----BEGIN CERTIFICATE-----\nAAAA\n");
	epoch_t now = clock_now();

	(void)state;
	pair_expect("right", cert, key, now, true);
	pair_expect("last minute", cert, key, now + DAY - 60, true);
	pair_expect("expired", cert, key, now + DAY + 60, false);
	pair_expect("first minute", cert, key, now - DAY + 60, true);
	pair_expect("too early", cert, key, now - DAY - 60, false);
	pair_expect("another key", cert, other, now, false);
	pair_expect("pass phrase", cert, locked, now, false);
	pair_expect("swapped", key, cert, now, false);
	pair_expect("key twice", key, key, now, false);
	pair_expect("certificate twice", cert, cert, now, false);
	pair_expect("junk for a key", cert, junk, now, false);
	pair_expect("junk for a certificate", junk, key, now, false);
	pair_expect("half a certificate", cut, key, now, false);

	secret_free(cut);
	secret_free(junk);
	secret_free(locked);
	secret_free(other);
	secret_free(key);
	secret_free(cert);
	cert_free(&two);
	cert_free(&one);
}

/* What a file looks like that is no certificate, and that is. */
static void
test_file(void **state)
{
	struct cert ca = cert_make(&(struct cert_wish){
		.name = "CA", .from_s = -DAY, .to_s = DAY });
	char path[] = "/tmp/wxpay_cert_XXXXXX";
	int fd = mkstemp(path);
	struct err err = { 0 };

	(void)state;
	assert_true(fd >= 0);
	assert_false(cert_file_check(path, &err));	/* empty */
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(write(fd, "junk\n", 5), 5);
	assert_false(cert_file_check(path, &err));
	cert_write(&ca, path);
	err = (struct err){ 0 };
	assert_true(cert_file_check(path, &err));
	assert_int_equal(unlink(path), 0);
	assert_false(cert_file_check(path, &err));	/* absent */
	err = (struct err){ 0 };
	assert_false(cert_file_check("/tmp", &err));	/* no file */
	assert_int_equal(err.kind, ERR_INPUT);
	(void)close(fd);
	cert_free(&ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pair),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
