/*
 * cert: no program starts with a key that is not its certificate's, or with
 * a certificate whose time has not come or is over; serials compare however
 * they are spelled; a chain holds at one moment and under one root only.
 */
#include "wire/cert.h"

#include <unistd.h>

#include <openssl/err.h>

#include "../certs.h"
#include "vectors3.h"

#define DAY 86400L
#define NOW 1767232800

#define BEGIN "-----BEGIN CERTIFICATE-----\nAAAA\n"
#define END "-----END CERTIFICATE-----\n"

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
	struct secret *junk = secret_of("junk", 4);
	struct secret *cut = secret_of(BEGIN, strlen(BEGIN));
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

static bool
reads(const struct secret *pem, struct cert_facts *facts)
{
	struct err err = { 0 };
	bool ok = cert_read(secret_bytes(pem), secret_len(pem), facts, &err);

	assert_int_equal(err.kind, ok ? ERR_NONE : ERR_INPUT);
	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static void
test_facts(void **state)
{
	static const struct {
		const char *file, *serial, *from, *to;
	} cases[] = {
		{ "v3-ca-cert.pem",
		    "2A00000000000000000000000000000000000001",
		    "2020-01-01T00:00:00Z", "2060-01-01T00:00:00Z" },
		{ "v3-platform-a-cert.pem",
		    "1F2E3D4C5B6A79880716253443526170FEDCBA98",
		    "2022-06-01T00:00:00Z", "2046-05-31T00:00:00Z" },
		{ "v3-merchant-cert.pem",
		    "3D5A1C7E90B24F6688AA11CC33DD55EE77001122",
		    "2022-01-01T00:00:00Z", "2050-01-01T00:00:00Z" },
		{ "v3-pub-go-cert-D7CE59D1F522D701.pem",
		    "000000000000000000000000D7CE59D1F522D701",
		    "2021-04-27T08:55:23Z", "2031-04-25T08:55:23Z" },
		{ "v3-pub-java-merchant-cert.pem",
		    "5F1C72E2A8931B72A2E13AF8DEE92471EB397115",
		    "2022-05-10T01:57:10Z", "2025-05-09T01:57:10Z" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct secret *pem = pem_open(cases[i].file);
		struct cert_facts facts = { 0 };
		epoch_t from = 0;
		epoch_t to = 0;

		assert_true(clock_parse_rfc3339(cases[i].from, &from));
		assert_true(clock_parse_rfc3339(cases[i].to, &to));
		expect(reads(pem, &facts), "%s", cases[i].file);
		assert_string_equal(facts.serial, cases[i].serial);
		assert_int_equal(facts.not_before, from);
		assert_int_equal(facts.not_after, to);
		secret_free(pem);
	}
}

static void
test_no_facts(void **state)
{
	static const char *const files[] = { "v3-wxpub.pem",
		"v3-merchant-key.pem" };
	static const char *const texts[] = { "junk", BEGIN, BEGIN END };
	struct cert_facts facts = { .serial = "untouched" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		struct secret *pem = pem_open(files[i]);

		expect(!reads(pem, &facts), "%s", files[i]);
		secret_free(pem);
	}
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct secret *pem = secret_of(texts[i], strlen(texts[i]));

		expect(!reads(pem, &facts), "%s", texts[i]);
		secret_free(pem);
	}
	assert_string_equal(facts.serial, "untouched");
}

static struct secret *
pem_with_serial(const char *hex)
{
	struct cert cert = cert_make(&(struct cert_wish){ .name = "serial",
		.from_s = -DAY, .to_s = DAY });
	struct secret *pem = NULL;
	BIGNUM *number = NULL;
	ASN1_INTEGER *serial = NULL;

	assert_true(BN_hex2bn(&number, hex) > 0);
	serial = BN_to_ASN1_INTEGER(number, NULL);
	assert_int_equal(X509_set_serialNumber(cert.x509, serial), 1);
	assert_true(X509_sign(cert.x509, cert.key, EVP_sha256()) > 0);
	pem = cert_pem(&cert);
	ASN1_INTEGER_free(serial);
	BN_free(number);
	cert_free(&cert);
	return pem;
}

static void
test_serials(void **state)
{
	static const struct {
		const char *number, *serial;
	} cases[] = {
		{ "0", "0000000000000000000000000000000000000000" },
		{ "1", "0000000000000000000000000000000000000001" },
		{ "80", "0000000000000000000000000000000000000080" },
		{ "A1C7E90B24F6688AA11CC33DD55EE77001122",
		    "000A1C7E90B24F6688AA11CC33DD55EE77001122" },
		{ "0D5A1C7E90B24F6688AA11CC33DD55EE77001122",
		    "0D5A1C7E90B24F6688AA11CC33DD55EE77001122" },
		{ "FD5A1C7E90B24F6688AA11CC33DD55EE77001122",
		    "FD5A1C7E90B24F6688AA11CC33DD55EE77001122" },
		{ "1FD5A1C7E90B24F6688AA11CC33DD55EE77001122", NULL },
		{ "-1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct secret *pem = pem_with_serial(cases[i].number);
		struct cert_facts facts = { 0 };
		char parsed[CERT_SERIAL_SIZE];

		expect(reads(pem, &facts) == (cases[i].serial != NULL), "%s",
		    cases[i].number);
		if (cases[i].serial != NULL) {
			assert_string_equal(facts.serial, cases[i].serial);
			assert_true(cert_serial_parse(cases[i].number,
			    parsed));
			assert_string_equal(parsed, cases[i].serial);
		}
		secret_free(pem);
	}
}

static void
test_serial_texts(void **state)
{
	static const struct {
		const char *text, *serial;
	} cases[] = {
		{ "5A0B1C2D3E4F5061728394A5B6C7D8E9F0A1B2C3",
		    "5A0B1C2D3E4F5061728394A5B6C7D8E9F0A1B2C3" },
		{ "5a0b1c2d3e4f5061728394a5b6c7d8e9f0a1b2c3",
		    "5A0B1C2D3E4F5061728394A5B6C7D8E9F0A1B2C3" },
		{ "A0B", "0000000000000000000000000000000000000A0B" },
		{ "0000A0B", "0000000000000000000000000000000000000A0B" },
		{ "00005A0B1C2D3E4F5061728394A5B6C7D8E9F0A1B2C3",
		    "5A0B1C2D3E4F5061728394A5B6C7D8E9F0A1B2C3" },
		{ "PUB_KEY_ID_0119000000012026010100291900000001",
		    "PUB_KEY_ID_0119000000012026010100291900000001" },
		{ "PUB_KEY_ID_00012", "PUB_KEY_ID_00012" },
		{ "PUB_KEY_ID_12345678901234567890123456789012345678901234567"
		    "890123", "PUB_KEY_ID_1234567890123456789012345678901234"
		    "5678901234567890123" },
		{ "PUB_KEY_ID_12345678901234567890123456789012345678901234567"
		    "8901234", NULL },
		{ "", NULL },
		{ "15A0B1C2D3E4F5061728394A5B6C7D8E9F0A1B2C3", NULL },
		{ "5A 0B", NULL }, { " 5A", NULL }, { "5A ", NULL },
		{ "5A:0B", NULL }, { "0x5A", NULL }, { "5G", NULL },
		{ "-5A", NULL }, { "5A\n", NULL }, { "5A,5A", NULL },
		{ "PUB_KEY_ID_", NULL }, { "PUB_KEY_ID_1 ", NULL },
		{ "PUB_KEY_ID_1-2", NULL }, { "pub_key_id_1", NULL },
		{ "PUB_KEY_ID_'; drop", NULL }, { "\xe4\xb8\xad", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char serial[CERT_SERIAL_SIZE] = "";

		expect(cert_serial_parse(cases[i].text, serial)
		    == (cases[i].serial != NULL), "%s", cases[i].text);
		assert_string_equal(serial, cases[i].serial == NULL ? ""
		    : cases[i].serial);
	}
}

static void
chain_expect(const char *what, const struct secret *pem,
    const struct secret *ca, epoch_t at, enum err_kind want)
{
	struct err err = { 0 };

	expect(cert_chain_check(secret_bytes(pem), secret_len(pem),
	    secret_bytes(ca), secret_len(ca), at, &err)
	    == (want == ERR_NONE), "%s: %s", what, err.text);
	expect(err.kind == want, "%s: %s", what, err.text);
	assert_int_equal(ERR_peek_error(), 0);
}

/* Both texts are given away. */
static struct secret *
pem_join(struct secret *a, struct secret *b)
{
	struct secret *both = NULL;
	struct buf text;

	buf_init(&text, SECRET_MAX);
	buf_add(&text, secret_bytes(a), secret_len(a));
	buf_add(&text, secret_bytes(b), secret_len(b));
	both = secret_of(text.data, text.len);
	buf_clear(&text);
	secret_free(b);
	secret_free(a);
	return both;
}

static void
test_chain(void **state)
{
	struct secret *a = pem_open("v3-platform-a-cert.pem");
	struct secret *b = pem_open("v3-platform-b-cert.pem");
	struct secret *ca = pem_open("v3-ca-cert.pem");
	struct secret *other = pem_open("v3-pub-java-merchant-cert.pem");
	struct secret *both = pem_join(
	    pem_open("v3-pub-java-merchant-cert.pem"),
	    pem_open("v3-ca-cert.pem"));
	struct secret *damaged = pem_join(pem_open("v3-ca-cert.pem"),
	    secret_of(BEGIN END, strlen(BEGIN END)));
	struct secret *junk = secret_of("junk", 4);

	(void)state;
	chain_expect("a", a, ca, NOW, ERR_NONE);
	chain_expect("b", b, ca, NOW, ERR_NONE);
	chain_expect("second root", a, both, NOW, ERR_NONE);
	chain_expect("the root itself", ca, ca, NOW, ERR_NONE);
	chain_expect("b too early", b, ca, NOW - 30 * DAY, ERR_AUTH);
	chain_expect("a expired", a, ca, NOW + 8000 * DAY, ERR_AUTH);
	chain_expect("other root", a, other, NOW, ERR_AUTH);
	chain_expect("issued by a leaf", a, b, NOW, ERR_AUTH);
	chain_expect("itself", a, a, NOW, ERR_AUTH);
	chain_expect("self-signed", other, ca, NOW, ERR_AUTH);
	chain_expect("no root", a, junk, NOW, ERR_INPUT);
	chain_expect("half a root", a, damaged, NOW, ERR_INPUT);
	chain_expect("no certificate", junk, ca, NOW, ERR_INPUT);
	secret_free(junk);
	secret_free(damaged);
	secret_free(both);
	secret_free(other);
	secret_free(ca);
	secret_free(b);
	secret_free(a);
}

/* A root of the same name, and what the right one signed turned a bit. */
static void
test_forged_chain(void **state)
{
	const struct cert_wish root = { .name = "Tenpay.com Root CA",
		.from_s = -DAY, .to_s = DAY };
	struct cert right = cert_make(&root);
	struct cert wrong = cert_make(&root);
	struct cert leaf = cert_make(&(struct cert_wish){ .name = "leaf",
		.san = "DNS:leaf", .issuer = &right, .from_s = -DAY,
		.to_s = DAY });
	struct cert under = cert_make(&(struct cert_wish){ .name = "under",
		.san = "DNS:under", .issuer = &leaf, .from_s = -DAY,
		.to_s = DAY });
	struct secret *right_pem = cert_pem(&right);
	struct secret *wrong_pem = cert_pem(&wrong);
	struct secret *leaf_pem = cert_pem(&leaf);
	struct secret *under_pem = pem_join(cert_pem(&under),
	    cert_pem(&leaf));
	epoch_t now = clock_now();

	(void)state;
	chain_expect("right", leaf_pem, right_pem, now, ERR_NONE);
	chain_expect("wrong", leaf_pem, wrong_pem, now, ERR_AUTH);
	chain_expect("under a leaf", under_pem, right_pem, now, ERR_AUTH);
	secret_free(under_pem);
	secret_free(leaf_pem);
	secret_free(wrong_pem);
	secret_free(right_pem);
	cert_free(&under);
	cert_free(&leaf);
	cert_free(&wrong);
	cert_free(&right);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pair),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_no_facts),
		cmocka_unit_test(test_serials),
		cmocka_unit_test(test_serial_texts),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_forged_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
