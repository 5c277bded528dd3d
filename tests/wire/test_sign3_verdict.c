/* sign3: what OpenSSL says of a signature, a tag or a chain is true if it is
 * 1, and else it is not; no half answer passes, and its queue is empty
 * afterwards.  OpenSSL's own judges are replaced by one that says what it is
 * told. */
#include "wire/cert.h"
#include "wire/seal3.h"
#include "wire/sign3.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

#include "vectors3.h"

#define EXPORT __attribute__((visibility("default")))
#define NOW 1767232800

static int verdict;
static size_t asked;

static int
judge(void)
{
	asked++;
	if (verdict != 1)
		ERR_put_error(ERR_LIB_RSA, 0, ERR_R_INTERNAL_ERROR, __FILE__,
		    __LINE__);
	return verdict;
}

EXPORT int
EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *signature,
    size_t signature_len, const unsigned char *bytes, size_t len)
{
	(void)ctx;
	(void)signature;
	(void)signature_len;
	(void)bytes;
	(void)len;
	return judge();
}

EXPORT int
EVP_CipherFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *out_len)
{
	(void)ctx;
	(void)out;
	*out_len = 0;
	return judge();
}

EXPORT int
X509_verify_cert(X509_STORE_CTX *ctx)
{
	(void)ctx;
	return judge();
}

static bool
signature_passes(struct err *err)
{
	json_t *all = vectors3_open();
	const json_t *vector = vectors3_find(all, "resp-good-wxpub");
	const struct sign3_headers headers = headers_of(vector);
	const char *body = vector_text(vector, "body");
	struct sign3_public *key = public_open("v3-wxpub.pem");
	bool ok = sign3_verify(key, &headers, body, strlen(body), NOW, err);

	sign3_public_free(key);
	json_decref(all);
	return ok;
}

static bool
tag_passes(struct err *err)
{
	struct secret *key = secret_of("TestOnlyApiV3Key0123456789ABCDEF",
	    32);
	struct buf plain;
	bool ok = false;

	buf_init(&plain, 100);
	ok = seal3_open(&(struct seal3_sealed){ SEAL3_ALGORITHM,
	    "ec0dc57ec4a9", "transaction",
	    "/nfMzomcrVUNJXxK1AbTLDH8a69MhrE=" }, key, &plain, err);
	assert_true(ok || plain.len == 0);
	buf_clear(&plain);
	secret_free(key);
	return ok;
}

static bool
chain_passes(struct err *err)
{
	struct secret *pem = pem_open("v3-platform-a-cert.pem");
	struct secret *ca = pem_open("v3-ca-cert.pem");
	bool ok = cert_chain_check(secret_bytes(pem), secret_len(pem),
	    secret_bytes(ca), secret_len(ca), NOW, err);

	secret_free(ca);
	secret_free(pem);
	return ok;
}

static void
test_verdicts(void **state)
{
	static const int verdicts[] = { 1, 0, -1, -2, 2, 256, 257, INT_MAX,
		INT_MIN };
	static bool (*const passes[])(struct err *err) = {
		signature_passes, tag_passes, chain_passes,
	};

	(void)state;
	for (size_t p = 0; p < COUNT_OF(passes); p++) {
		for (size_t i = 0; i < COUNT_OF(verdicts); i++) {
			struct err err = { 0 };

			verdict = verdicts[i];
			asked = 0;
			expect(passes[p](&err) == (verdict == 1),
			    "%zu: %d", p, verdict);
			expect(asked == 1, "%zu: asked %zu times", p, asked);
			expect((err.kind == ERR_NONE) == (verdict == 1),
			    "%zu: %d: %s", p, verdict, err.text);
			assert_int_equal(ERR_peek_error(), 0);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
	};

	return cmocka_run_group_tests_name("verdicts", tests, NULL, NULL);
}
