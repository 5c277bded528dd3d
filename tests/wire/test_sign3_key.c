/* sign3_key: nothing but RSA of 2048 bits becomes a key, nobody is asked for a
 * pass phrase, and what was sealed opens with one key only. */
#include "wire/sign3_key.h"

#include <pthread.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "../certs.h"
#include "vectors3.h"

static struct sign3_key *ours;
static struct sign3_key *strangers;
static struct sign3_public *public;

static int
start(void **state)
{
	(void)state;
	ours = private_open("v3-wxpub-key.pem");
	strangers = private_open("v3-stranger-key.pem");
	public = public_open("v3-wxpub.pem");
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	sign3_public_free(public);
	sign3_key_free(strangers);
	sign3_key_free(ours);
	return 0;
}

/* pkey is given away. */
static struct secret *
private_pem(EVP_PKEY *pkey, const char *pass_phrase)
{
	const struct cert cert = { NULL, pkey };
	struct secret *pem = cert_key_pem(&cert, pass_phrase);

	EVP_PKEY_free(pkey);
	return pem;
}

/* pkey is given away. */
static struct secret *
public_pem(EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
	EVP_PKEY_free(pkey);
	return bio_secret(bio);
}

/* A key for PSS is RSA, too, and does not sign as V3 does. */
static EVP_PKEY *
pss_gen(void)
{
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);

	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* pem is given away. */
static void
private_expect(const char *what, struct secret *pem, bool good)
{
	struct sign3_key *key = NULL;
	struct err err = { 0 };

	expect(sign3_key_new(pem, &key, &err) == good, "%s: %s", what,
	    err.text);
	assert_int_equal(err.kind, good ? ERR_NONE : ERR_INPUT);
	assert_true((key != NULL) == good);
	assert_int_equal(ERR_peek_error(), 0);
	sign3_key_free(key);
	secret_free(pem);
}

static void
public_expect(const char *what, struct secret *pem, bool good)
{
	struct sign3_public *key = NULL;
	struct err err = { 0 };

	expect(sign3_public_new(secret_bytes(pem), secret_len(pem), &key,
	    &err) == good, "%s: %s", what, err.text);
	assert_int_equal(err.kind, good ? ERR_NONE : ERR_INPUT);
	assert_true((key != NULL) == good);
	assert_int_equal(ERR_peek_error(), 0);
	sign3_public_free(key);
	secret_free(pem);
}

static struct secret *
text(const char *bytes)
{
	return secret_of(bytes, strlen(bytes));
}

static void
test_private(void **state)
{
	(void)state;
	private_expect("PKCS#8", pem_open("v3-merchant-key.pem"), true);
	private_expect("RSA 2048", private_pem(EVP_RSA_gen(2048), NULL),
	    true);
	private_expect("RSA 1024", private_pem(EVP_RSA_gen(1024), NULL),
	    false);
	private_expect("RSA 3072", private_pem(EVP_RSA_gen(3072), NULL),
	    false);
	private_expect("RSA-PSS", private_pem(pss_gen(), NULL), false);
	private_expect("EC", private_pem(EVP_EC_gen("P-256"), NULL), false);
	/* Asked at the terminal, the test would wait for ever. */
	private_expect("pass phrase", private_pem(EVP_RSA_gen(2048), "x"),
	    false);
	private_expect("certificate", pem_open("v3-merchant-cert.pem"),
	    false);
	private_expect("public key", pem_open("v3-wxpub.pem"), false);
	private_expect("junk", text("junk\n"), false);
	private_expect("half", text("-----BEGIN PRIVATE KEY-----\nMIIE\n"),
	    false);
}

static void
test_public(void **state)
{
	struct cert ec = cert_make(&(struct cert_wish){ .name = "ec",
		.from_s = -1, .to_s = 1000 });
	char *huge = NULL;
	struct sign3_public *key = NULL;
	struct err err = { 0 };

	(void)state;
	public_expect("public key", pem_open("v3-wxpub.pem"), true);
	public_expect("certificate", pem_open("v3-platform-a-cert.pem"),
	    true);
	public_expect("RSA 1024", public_pem(EVP_RSA_gen(1024)), false);
	public_expect("RSA 3072", public_pem(EVP_RSA_gen(3072)), false);
	public_expect("EC", public_pem(EVP_EC_gen("P-256")), false);
	public_expect("certificate of EC", cert_pem(&ec), false);
	public_expect("private key", pem_open("v3-wxpub-key.pem"), false);
	public_expect("junk", text("junk\n"), false);
	public_expect("half", text("-----BEGIN PUBLIC KEY-----\nMIIB\n"),
	    false);
	public_expect("half a certificate",
	    text("-----BEGIN CERTIFICATE-----\nMIIE\n"), false);
	public_expect("encrypted", text("-----BEGIN PUBLIC KEY-----\n"
	    "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
	    "00000000000000000000000000000000\n\nAAAA\n"
	    "-----END PUBLIC KEY-----\n"), false);
	assert_false(sign3_public_new("", 0, &key, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	err = (struct err){ 0 };
	huge = calloc(1, 100000);
	assert_non_null(huge);
	assert_false(sign3_public_new(huge, 100000, &key, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_null(key);
	free(huge);
	cert_free(&ec);
}

static bool
opens(const struct sign3_key *key, const unsigned char *sealed, size_t len,
    struct buf *plain)
{
	struct err err = { 0 };
	bool ok = sign3_key_open(key, sealed, len, plain, &err);

	if (!ok) {
		assert_int_equal(err.kind, ERR_AUTH);
		assert_string_equal(err.text,
		    "sealed field: cannot be opened");
		assert_int_equal(plain->len, 0);
	}
	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static void
test_sealed(void **state)
{
	unsigned char plain[SIGN3_KEY_SEAL_MAX + 1];
	unsigned char sealed[SIGN3_KEY_BYTES];
	unsigned char again[SIGN3_KEY_BYTES];
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)(i * 37);
	for (size_t len = 0; len <= SIGN3_KEY_SEAL_MAX; len++) {
		struct buf opened;

		buf_init(&opened, SIGN3_KEY_SEAL_MAX);
		assert_true(sign3_public_seal(public, plain, len, sealed,
		    &err));
		assert_true(opens(ours, sealed, sizeof(sealed), &opened));
		assert_int_equal(opened.len, len);
		assert_memory_equal(buf_get(&opened), plain, len);
		buf_clear(&opened);
	}
	assert_true(sign3_public_seal(public, plain, 1, again, &err));
	assert_memory_not_equal(sealed, again, sizeof(again));
	assert_false(sign3_public_seal(public, plain, sizeof(plain), sealed,
	    &err));
	assert_int_equal(err.kind, ERR_INPUT);
}

static void
test_damaged(void **state)
{
	unsigned char sealed[SIGN3_KEY_BYTES + 1] = { 0 };
	struct err err = { 0 };
	struct buf plain;

	(void)state;
	buf_init(&plain, SIGN3_KEY_SEAL_MAX);
	assert_true(sign3_public_seal(public, "6222", 4, sealed, &err));
	assert_false(opens(strangers, sealed, SIGN3_KEY_BYTES, &plain));
	assert_false(opens(ours, sealed, SIGN3_KEY_BYTES + 1, &plain));
	assert_false(opens(ours, sealed, SIGN3_KEY_BYTES - 1, &plain));
	assert_false(opens(ours, sealed, 0, &plain));
	for (size_t at = 0; at < SIGN3_KEY_BYTES; at++) {
		sealed[at] ^= 1;
		expect(!opens(ours, sealed, SIGN3_KEY_BYTES, &plain), "%zu",
		    at);
		sealed[at] ^= 1;
	}
	assert_true(opens(ours, sealed, SIGN3_KEY_BYTES, &plain));
	assert_string_equal(buf_get(&plain), "6222");
	buf_clear(&plain);
	buf_init(&plain, 3);
	assert_false(sign3_key_open(ours, sealed, SIGN3_KEY_BYTES, &plain,
	    &err));
	assert_int_equal(err.kind, ERR_BUG);
	buf_clear(&plain);
}

#define THREADS 4
#define ROUNDS 50

/* The number of wrong results, of which there should be none. */
static void *
thread_run(void *arg)
{
	static const char good[] = "the same text as ever";
	size_t *wrong = arg;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned char raw[SIGN3_KEY_BYTES];
		struct err err = { 0 };

		if (!sign3_key_sign(ours, good, sizeof(good), raw, &err)
		    || !sign3_public_verify(public, good, sizeof(good), raw,
			sizeof(raw), &err)
		    || sign3_public_verify(public, good, sizeof(good) - 1,
			raw, sizeof(raw), &err))
			(*wrong)++;
	}
	return NULL;
}

static void
test_threads(void **state)
{
	pthread_t threads[THREADS];
	size_t wrong[THREADS] = { 0 };

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, thread_run,
		    &wrong[i]), 0);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(wrong[i], 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_private),
		cmocka_unit_test(test_public),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests_name("sign3_key", tests, start, stop);
}
