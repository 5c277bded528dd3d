/*
 * wechat_keys: WeChat is believed by the key that it names and by no other,
 * in both modes and between them, while that key counts; and whoever names
 * keys that nobody has gets little work done for it.
 */
#include "wechat/wechat_keys.h"

#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "../wire/vectors3.h"
#include "wechat3.h"

#define DAY 86400L
#define ZEROS "0000000000000000000000000000000000"
#define STRANGE "6B6B6B6B00000000000000000000000000000001"

static const char body[] = "{\"id\":\"EV-1\"}";
#define BODY_LEN (sizeof(body) - 1)

/* ------------------------------------------------------- keys and messages */

static struct {
	EVP_PKEY *ca, *a;
	X509 *ca_cert;
	struct sign3_key *sign_a, *sign_b, *sign_wxpub, *sign_stranger;
	struct secret *pub, *ca_pem;
} keep;

static EVP_PKEY *
pkey_open(const char *file)
{
	struct secret *pem = pem_open(file);
	BIO *bio = BIO_new_mem_buf(secret_bytes(pem), (int)secret_len(pem));
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	assert_non_null(pkey);
	BIO_free(bio);
	secret_free(pem);
	return pkey;
}

static int
keep_open(void **state)
{
	BIO *bio = NULL;

	(void)state;
	keep.ca = pkey_open("v3-ca-key.pem");
	keep.a = pkey_open("v3-platform-a-key.pem");
	keep.ca_pem = pem_open("v3-ca-cert.pem");
	bio = BIO_new_mem_buf(secret_bytes(keep.ca_pem),
	    (int)secret_len(keep.ca_pem));
	keep.ca_cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(keep.ca_cert);
	keep.sign_a = w3_private("v3-platform-a-key.pem");
	keep.sign_b = w3_private("v3-platform-b-key.pem");
	keep.sign_wxpub = w3_private("v3-wxpub-key.pem");
	keep.sign_stranger = w3_private("v3-stranger-key.pem");
	keep.pub = w3_pem("v3-wxpub.pem");
	ERR_clear_error();
	return 0;
}

static int
keep_close(void **state)
{
	(void)state;
	secret_free(keep.ca_pem);
	secret_free(keep.pub);
	sign3_key_free(keep.sign_stranger);
	sign3_key_free(keep.sign_wxpub);
	sign3_key_free(keep.sign_b);
	sign3_key_free(keep.sign_a);
	X509_free(keep.ca_cert);
	EVP_PKEY_free(keep.a);
	EVP_PKEY_free(keep.ca);
	return 0;
}

struct wish {
	const char *serial;	/* hexadecimal */
	epoch_t from, to;
	EVP_PKEY *key;		/* NULL: platform a's */
	EVP_PKEY *issuer;	/* NULL: the root's; in its name in any case */
};

/* A platform certificate: its PEM. */
static struct secret *
cert_issue(const struct wish *wish)
{
	EVP_PKEY *key = wish->key == NULL ? keep.a : wish->key;
	EVP_PKEY *issuer = wish->issuer == NULL ? keep.ca : wish->issuer;
	X509 *x509 = X509_new();
	X509_NAME *name = X509_get_subject_name(x509);
	BIGNUM *serial = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	struct secret *pem = NULL;
	char *bytes = NULL;
	long len = 0;

	assert_true(BN_hex2bn(&serial, wish->serial) > 0);
	assert_true(X509_set_version(x509, 2) == 1
	    && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509)) != NULL
	    && ASN1_TIME_set(X509_getm_notBefore(x509), wish->from) != NULL
	    && ASN1_TIME_set(X509_getm_notAfter(x509), wish->to) != NULL
	    && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		(const unsigned char *)"TEST ONLY platform", -1, -1, 0) == 1
	    && X509_set_issuer_name(x509,
		X509_get_subject_name(keep.ca_cert)) == 1
	    && X509_set_pubkey(x509, key) == 1
	    && X509_sign(x509, issuer, EVP_sha256()) > 0
	    && PEM_write_bio_X509(bio, x509) == 1);
	len = BIO_get_mem_data(bio, &bytes);
	pem = secret_of(bytes, (size_t)len);
	BIO_free(bio);
	BN_free(serial);
	X509_free(x509);
	ERR_clear_error();
	return pem;
}

static struct wechat_keys *
keys_of(const struct wechat_keys_config *config)
{
	struct wechat_keys *keys = NULL;
	struct err err = { 0 };

	expect(wechat_keys_open(config, &keys, &err), "%s", err.text);
	return keys;
}

static enum err_kind
add(struct wechat_keys *keys, const char *serial, const struct secret *pem,
    epoch_t now)
{
	struct err err = { 0 };
	bool ok = wechat_keys_add(keys, serial, secret_bytes(pem),
	    secret_len(pem), now, &err);

	assert_true(ok == (err.kind == ERR_NONE));
	assert_int_equal(ERR_peek_error(), 0);
	return err.kind;
}

static void
add_file(struct wechat_keys *keys, const char *serial, const char *file)
{
	struct secret *pem = pem_open(file);

	expect(add(keys, serial, pem, W3_NOW) == ERR_NONE, "%s", file);
	secret_free(pem);
}

/* Both certificates and the public key, as during the switch. */
static struct wechat_keys *
keys_of_all(void)
{
	struct wechat_keys *keys = keys_of(&(struct wechat_keys_config){
		.pub_key = keep.pub, .pub_key_id = W3_PUB_KEY_ID,
		.platform_ca = keep.ca_pem });

	add_file(keys, W3_SERIAL_A, "v3-platform-a-cert.pem");
	add_file(keys, W3_SERIAL_B, "v3-platform-b-cert.pem");
	return keys;
}

/* Verify, and hold everything that is said about it to one story. */
static enum wechat_flaw
judge_at(struct wechat_keys *keys, const struct sign3_headers *headers,
    const char *bytes, size_t len, epoch_t now, struct err *err)
{
	char serial[CERT_SERIAL_SIZE] = "untouched";
	uint64_t before[WECHAT_FLAWS], after[WECHAT_FLAWS];
	enum wechat_flaw flaw = WECHAT_SOUND;
	bool ok;

	memset(err, 0, sizeof(*err));
	wechat_keys_counts(keys, before);
	ok = wechat_keys_verify(keys, headers, bytes, len, now, serial, &flaw,
	    err);
	wechat_keys_counts(keys, after);
	assert_true(ok == (err->kind == ERR_NONE));
	assert_true(ok == (flaw == WECHAT_SOUND));
	assert_true(ok || err->kind == ERR_AUTH || err->kind == ERR_STORE);
	assert_true(ok == !str_eq(serial, "untouched"));
	assert_true(err->kind != ERR_AUTH
	    || strstr(err->text, wechat_flaw_name(flaw)) != NULL);
	for (size_t i = 0; i < WECHAT_FLAWS; i++)
		assert_int_equal(after[i] - before[i],
		    err->kind != ERR_STORE && i == (size_t)flaw);
	assert_int_equal(ERR_peek_error(), 0);
	return flaw;
}

static enum wechat_flaw
judge(struct wechat_keys *keys, const struct sign3_headers *headers)
{
	struct err err;

	return judge_at(keys, headers, body, BODY_LEN, W3_NOW, &err);
}

/* What becomes of a message that this key signs under that serial. */
static enum wechat_flaw
judge_signed(struct wechat_keys *keys, const struct sign3_key *key,
    const char *serial, epoch_t now)
{
	struct w3_signed made;
	struct err err;

	w3_sign(key, serial, now, body, BODY_LEN, &made);
	return judge_at(keys, &made.headers, body, BODY_LEN, now, &err);
}

/* ---------------------------------------------------------------- opening */

static void
test_open(void **state)
{
	struct secret *junk = secret_of("junk", 4);
	const struct {
		const char *what;
		struct wechat_keys_config config;
		bool ok;
	} cases[] = {
		{ "neither", { .arg = NULL }, true },
		{ "both", { .pub_key = keep.pub,
		    .pub_key_id = W3_PUB_KEY_ID }, true },
		{ "the key alone", { .pub_key = keep.pub }, false },
		{ "the id alone", { .pub_key_id = W3_PUB_KEY_ID }, false },
		{ "a certificate's serial", { .pub_key = keep.pub,
		    .pub_key_id = W3_SERIAL_A }, false },
		{ "half an id", { .pub_key = keep.pub,
		    .pub_key_id = "PUB_KEY_ID_" }, false },
		{ "no id", { .pub_key = keep.pub, .pub_key_id = "" }, false },
		{ "junk", { .pub_key = junk, .pub_key_id = W3_PUB_KEY_ID },
		  false },
		{ "a certificate", { .pub_key = keep.ca_pem,
		    .pub_key_id = W3_PUB_KEY_ID }, false },
		{ "a CA", { .platform_ca = keep.ca_pem }, true },
		{ "no CA", { .platform_ca = junk }, false },
		{ "a bare key as CA", { .platform_ca = keep.pub }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct wechat_keys *keys = NULL;
		struct err err = { 0 };
		bool ok = wechat_keys_open(&cases[i].config, &keys, &err);

		expect(ok == cases[i].ok, "%s: %s", cases[i].what, err.text);
		assert_true(ok == (keys != NULL));
		assert_int_equal(err.kind, ok ? ERR_NONE : ERR_INPUT);
		wechat_keys_close(keys);
	}
	wechat_keys_close(NULL);
	secret_free(junk);
}

/* A slip of the hand that would let the merchant's key speak for WeChat. */
static void
test_merchants_own(void **state)
{
	struct wechat_keys *keys = keys_of(&(struct wechat_keys_config){
		.pub_key = keep.pub, .pub_key_id = W3_PUB_KEY_ID });
	struct wechat_keys *none = keys_of(&(struct wechat_keys_config){
		.arg = NULL });

	(void)state;
	assert_true(wechat_keys_is_merchants(keys, keep.sign_wxpub));
	assert_false(wechat_keys_is_merchants(keys, keep.sign_stranger));
	assert_false(wechat_keys_is_merchants(none, keep.sign_wxpub));
	assert_int_equal(ERR_peek_error(), 0);
	wechat_keys_close(none);
	wechat_keys_close(keys);
}

static void
test_wanted(void **state)
{
	struct wechat_keys *keys = keys_of(&(struct wechat_keys_config){
		.arg = NULL });

	(void)state;
	add_file(keys, W3_SERIAL_A, "v3-platform-a-cert.pem");
	assert_null(wechat_keys_wanted(keys));
	wechat_keys_close(keys);
	keys = keys_of_all();
	assert_string_equal(wechat_keys_wanted(keys), W3_PUB_KEY_ID);
	wechat_keys_close(keys);
}

static void
test_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WECHAT_FLAWS; i++)
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(wechat_flaw_name(i),
			    wechat_flaw_name(j));
	assert_string_equal(wechat_flaw_name(WECHAT_SOUND), "sound");
	assert_string_equal(wechat_flaw_name(WECHAT_FLAW_PROBE), "probe");
}

/* -------------------------------------------------------- who is believed */

static enum wechat_flaw
flaw_of(const json_t *vector)
{
	static const struct {
		const char *reason;
		enum wechat_flaw flaw;
	} reasons[] = {
		{ "", WECHAT_SOUND },
		{ "bad_signature", WECHAT_FLAW_SIGNATURE },
		{ "clock", WECHAT_FLAW_CLOCK },
		{ "unknown_serial", WECHAT_FLAW_SERIAL },
		{ "missing_header", WECHAT_FLAW_MISSING },
		{ "malformed_header", WECHAT_FLAW_MALFORMED },
		{ "unsupported_type", WECHAT_FLAW_TYPE },
	};
	const char *signature = header_of(vector, "Wechatpay-Signature");

	if (signature != NULL
	    && strncmp(signature, "WECHATPAY/SIGNTEST/", 19) == 0)
		return WECHAT_FLAW_PROBE;
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (str_eq(reasons[i].reason, vector_text(vector, "reason")))
			return reasons[i].flaw;
	expect(false, "%s: %s", vector_text(vector, "id"),
	    vector_text(vector, "reason"));
	return WECHAT_SOUND;
}

/* O3: every answer of the vectors, during the switch. */
static void
test_vectors(void **state)
{
	struct wechat_keys *keys = keys_of_all();
	json_t *all = vectors3_open();
	const json_t *list = json_object_get(all, "vectors");
	size_t i, tried = 0, believed = 0;
	json_t *vector;

	(void)state;
	json_array_foreach(list, i, vector) {
		const char *id = vector_text(vector, "id");
		const json_t *text = json_object_get(vector, "body");
		struct sign3_headers headers = headers_of(vector);
		enum wechat_flaw flaw;
		struct err err;

		if (!str_eq(vector_text(vector, "kind"), "response_verify")
		    || json_object_get(vector, "trusted_keys") == NULL)
			continue;
		flaw = judge_at(keys, &headers, vector_text(vector, "body"),
		    json_string_length(text), now_of(vector), &err);
		expect(flaw == flaw_of(vector), "%s: %s", id,
		    wechat_flaw_name(flaw));
		believed += flaw == WECHAT_SOUND;
		tried++;
	}
	print_message("    answers: %zu, believed: %zu\n", tried, believed);
	assert_int_equal(tried, 24);
	assert_int_equal(believed, 9);
	json_decref(all);
	wechat_keys_close(keys);
}

/* What WeChat and its clients have published, an answer and a notice. */
static void
test_published(void **state)
{
	json_t *all = vectors3_open();
	struct secret *pub = pem_open("v3-pub-doc-wxpub.pem");
	struct secret *cert =
	    pem_open("v3-pub-go-cert-D7CE59D1F522D701.pem");
	struct wechat_keys *keys = keys_of(&(struct wechat_keys_config){
		.pub_key = pub,
		.pub_key_id = key_text(all, "pub-doc-wxpub", "serial") });
	static const char *const ids[] = { "pub-verify-doc-wxpub",
		"pub-notify-go" };

	(void)state;
	assert_int_equal(add(keys, "D7CE59D1F522D701", cert,
	    now_of(vectors3_find(all, "pub-notify-go"))), ERR_NONE);
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		const json_t *vector = vectors3_find(all, ids[i]);
		struct sign3_headers headers = headers_of(vector);
		const char *bytes = vector_text(vector, "body");
		struct err err;

		expect(judge_at(keys, &headers, bytes, strlen(bytes),
		    now_of(vector), &err) == WECHAT_SOUND, "%s: %s", ids[i],
		    err.text);
	}
	json_decref(all);
	wechat_keys_close(keys);
	secret_free(cert);
	secret_free(pub);
}

/* Every signer under every serial, with every set of keys: believed only if
 * the serial is the signer's and its key is here. */
static void
test_modes(void **state)
{
	const struct sign3_key *const signers[] = {
		keep.sign_wxpub, keep.sign_a, keep.sign_b, keep.sign_stranger,
	};
	static const char *const serials[] = {
		W3_PUB_KEY_ID, W3_SERIAL_A, W3_SERIAL_B, STRANGE,
	};

	(void)state;
	for (unsigned set = 0; set < 8; set++) {
		struct wechat_keys *keys = keys_of(&(struct
		    wechat_keys_config){
			.pub_key = set & 1 ? keep.pub : NULL,
			.pub_key_id = set & 1 ? W3_PUB_KEY_ID : NULL });

		if (set & 2)
			add_file(keys, W3_SERIAL_A, "v3-platform-a-cert.pem");
		if (set & 4)
			add_file(keys, W3_SERIAL_B, "v3-platform-b-cert.pem");
		for (size_t signer = 0; signer < 4; signer++)
			for (size_t named = 0; named < 4; named++) {
				enum wechat_flaw flaw = judge_signed(keys,
				    signers[signer], serials[named], W3_NOW);

				expect(flaw == (!(set & (1u << named))
				    || named == 3 ? WECHAT_FLAW_SERIAL
				    : signer == named ? WECHAT_SOUND
				    : WECHAT_FLAW_SIGNATURE),
				    "set %u, signer %zu, named %zu: %s", set,
				    signer, named, wechat_flaw_name(flaw));
			}
		wechat_keys_close(keys);
	}
	print_message("    sets of keys, signers, serials: 8 x 4 x 4\n");
}

/* One serial, however it is spelled; the id of a public key in one way. */
static void
test_spellings(void **state)
{
	struct wish wish = { .serial = "C0FFEE", .from = W3_NOW - DAY,
		.to = W3_NOW + DAY };
	struct secret *pem = cert_issue(&wish);
	struct wechat_keys *keys = keys_of_all();
	static const struct {
		const char *serial;
		enum wechat_flaw flaw;
	} cases[] = {
		{ ZEROS "C0FFEE", WECHAT_SOUND }, { "C0FFEE", WECHAT_SOUND },
		{ "00c0ffee", WECHAT_SOUND }, { "0C0fFeE", WECHAT_SOUND },
		{ ZEROS ZEROS "C0FFEE", WECHAT_SOUND },
		{ "C0FFEE00", WECHAT_FLAW_SERIAL },
		{ "C0FFE", WECHAT_FLAW_SERIAL },
		{ "0", WECHAT_FLAW_SERIAL },
		{ "0xC0FFEE", WECHAT_FLAW_MALFORMED },
		{ "C0FFEE ", WECHAT_FLAW_MALFORMED },
		{ "C0:FF:EE", WECHAT_FLAW_MALFORMED },
		{ "C0FFEE,C0FFEE", WECHAT_FLAW_MALFORMED },
		{ "C0FFEE\n", WECHAT_FLAW_MALFORMED },
		{ "PUB_KEY_ID_C0FFEE", WECHAT_FLAW_SERIAL },
		{ "PUB_KEY_ID_", WECHAT_FLAW_MALFORMED },
		{ "pub_key_id_1", WECHAT_FLAW_MALFORMED },
		{ "G", WECHAT_FLAW_MALFORMED }, { "", WECHAT_FLAW_MISSING },
		{ NULL, WECHAT_FLAW_MISSING },
	};
	struct w3_signed made;
	char serial[CERT_SERIAL_SIZE] = "";
	struct err err = { 0 };

	(void)state;
	assert_int_equal(add(keys, "c0ffee", pem, W3_NOW), ERR_NONE);
	w3_sign(keep.sign_a, NULL, W3_NOW, body, BODY_LEN, &made);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		made.headers.serial = cases[i].serial;
		expect(judge(keys, &made.headers) == cases[i].flaw,
		    "%zu: %s", i, cases[i].serial);
	}
	made.headers.serial = "c0ffee";
	assert_true(wechat_keys_verify(keys, &made.headers, body, BODY_LEN,
	    W3_NOW, serial, NULL, &err));
	assert_string_equal(serial, ZEROS "C0FFEE");

	/* the id that differs in one letter, and in case, is not ours */
	w3_sign(keep.sign_wxpub, W3_PUB_KEY_ID "0", W3_NOW, body, BODY_LEN,
	    &made);
	assert_int_equal(judge(keys, &made.headers), WECHAT_FLAW_SERIAL);
	wechat_keys_close(keys);
	secret_free(pem);
}

/* N21, N23: before any key is asked. */
static void
test_headers(void **state)
{
	struct wechat_keys *keys = keys_of_all();
	struct w3_signed made;
	struct sign3_headers bad;
	char milliseconds[30], doubled[2 * SIGN3_BASE64_SIZE + 2];
	static const long ages[] = { -301, -300, -299, 0, 299, 300, 301 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ages); i++) {
		bool in = ages[i] > -300 && ages[i] < 300;

		w3_sign(keep.sign_b, W3_SERIAL_B, W3_NOW + ages[i], body,
		    BODY_LEN, &made);
		expect(judge(keys, &made.headers) == (in ? WECHAT_SOUND
		    : WECHAT_FLAW_CLOCK), "%ld", ages[i]);
	}
	w3_sign(keep.sign_b, W3_SERIAL_B, W3_NOW, body, BODY_LEN, &made);
	snprintf(milliseconds, sizeof(milliseconds), "%s000", made.timestamp);
	snprintf(doubled, sizeof(doubled), "%s,%s", made.signature,
	    made.signature);
#define FLAW_WITH(field, value, wanted) \
	do { \
		bad = made.headers; \
		bad.field = (value); \
		expect(judge(keys, &bad) == (wanted), "%s", #field " " #value); \
	} while (0)
	FLAW_WITH(timestamp, NULL, WECHAT_FLAW_MISSING);
	FLAW_WITH(nonce, NULL, WECHAT_FLAW_MISSING);
	FLAW_WITH(signature, NULL, WECHAT_FLAW_MISSING);
	FLAW_WITH(signature, "", WECHAT_FLAW_MISSING);
	FLAW_WITH(type, NULL, WECHAT_SOUND);
	FLAW_WITH(type, "", WECHAT_FLAW_TYPE);
	FLAW_WITH(type, "WECHATPAY2-SM2-WITH-SM3", WECHAT_FLAW_TYPE);
	FLAW_WITH(type, SIGN3_TYPE "," SIGN3_TYPE, WECHAT_FLAW_TYPE);
	FLAW_WITH(timestamp, milliseconds, WECHAT_FLAW_MALFORMED);
	FLAW_WITH(timestamp, "1767232800,1767232800", WECHAT_FLAW_MALFORMED);
	FLAW_WITH(timestamp, "01767232800", WECHAT_FLAW_MALFORMED);
	FLAW_WITH(timestamp, " 1767232800", WECHAT_FLAW_MALFORMED);
	FLAW_WITH(timestamp, "-1767232800", WECHAT_FLAW_MALFORMED);
	FLAW_WITH(nonce, "a,a", WECHAT_FLAW_MALFORMED);
	FLAW_WITH(nonce, "a\nb", WECHAT_FLAW_MALFORMED);
	FLAW_WITH(nonce, "other", WECHAT_FLAW_SIGNATURE);
	FLAW_WITH(signature, doubled, WECHAT_FLAW_SIGNATURE);
	FLAW_WITH(signature, "AAAA", WECHAT_FLAW_SIGNATURE);
	FLAW_WITH(signature, "WECHATPAY/SIGNTEST/x", WECHAT_FLAW_PROBE);
	FLAW_WITH(signature, "WECHATPAY/SIGNTEST/", WECHAT_FLAW_PROBE);
#undef FLAW_WITH
	wechat_keys_close(keys);
}

/* ------------------------------------------------------------ certificates */

/* N22: it counts from its first second to the one before its last, which is
 * how OpenSSL counts, too. */
static void
test_term(void **state)
{
	const epoch_t from = W3_NOW, to = W3_NOW + 400 * DAY;
	struct secret *pem = cert_issue(&(struct wish){ .serial = "A1",
		.from = from, .to = to });
	struct wechat_keys *keys = keys_of(&(struct wechat_keys_config){
		.platform_ca = keep.ca_pem });

	(void)state;
	assert_int_equal(add(keys, "A1", pem, from - 1), ERR_AUTH);
	assert_int_equal(add(keys, "A1", pem, to), ERR_AUTH);
	assert_int_equal(judge_signed(keys, keep.sign_a, "A1", from + 1),
	    WECHAT_FLAW_SERIAL);
	assert_int_equal(add(keys, "A1", pem, from), ERR_NONE);
	assert_int_equal(add(keys, "A1", pem, to - 1), ERR_NONE);
	assert_int_equal(judge_signed(keys, keep.sign_a, "A1", from - 1),
	    WECHAT_FLAW_SERIAL);
	assert_int_equal(judge_signed(keys, keep.sign_a, "A1", from),
	    WECHAT_SOUND);
	assert_int_equal(judge_signed(keys, keep.sign_a, "A1", to - 1),
	    WECHAT_SOUND);
	assert_int_equal(judge_signed(keys, keep.sign_a, "A1", to),
	    WECHAT_FLAW_SERIAL);
	wechat_keys_close(keys);
	secret_free(pem);
}

static EVP_PKEY *
rsa_make(unsigned bits)
{
	EVP_PKEY *pkey = EVP_RSA_gen(bits);

	assert_non_null(pkey);
	return pkey;
}

/* N22: what does not become a key. */
static void
test_add_refused(void **state)
{
	EVP_PKEY *short_rsa = rsa_make(1024), *long_rsa = rsa_make(3072);
	EVP_PKEY *curve = EVP_EC_gen("P-256");
	EVP_PKEY *impostor = rsa_make(2048);
	const struct wish plain = { .serial = "A1", .from = W3_NOW - DAY,
		.to = W3_NOW + DAY };
	struct wish wish;
	struct secret *good = cert_issue(&plain), *pem = NULL;
	struct secret *bare = pem_open("v3-wxpub.pem");
	struct secret *junk = secret_of("junk", 4);
	struct wechat_keys *keys = keys_of(&(struct wechat_keys_config){
		.platform_ca = keep.ca_pem });
	struct wechat_keys *trusting = keys_of(&(struct wechat_keys_config){
		.arg = NULL });

	(void)state;
	assert_int_equal(add(keys, "A2", good, W3_NOW), ERR_INPUT);
	assert_int_equal(add(keys, "", good, W3_NOW), ERR_INPUT);
	assert_int_equal(add(keys, "xyz", good, W3_NOW), ERR_INPUT);
	assert_int_equal(add(keys, W3_PUB_KEY_ID, good, W3_NOW), ERR_INPUT);
	assert_int_equal(add(keys, "A1", bare, W3_NOW), ERR_INPUT);
	assert_int_equal(add(keys, "A1", junk, W3_NOW), ERR_INPUT);
	for (int i = 0; i < 3; i++) {
		EVP_PKEY *const wrong[] = { short_rsa, long_rsa, curve };

		wish = plain;
		wish.key = wrong[i];
		pem = cert_issue(&wish);
		expect(add(keys, "A1", pem, W3_NOW) == ERR_INPUT, "%d", i);
		secret_free(pem);
	}
	/* in the root's name, by another hand; without a root we cannot tell */
	wish = plain;
	wish.issuer = impostor;
	pem = cert_issue(&wish);
	assert_int_equal(add(keys, "A1", pem, W3_NOW), ERR_AUTH);
	assert_int_equal(add(trusting, "A1", pem, W3_NOW), ERR_NONE);
	secret_free(pem);
	assert_int_equal(judge_signed(keys, keep.sign_a, "A1", W3_NOW),
	    WECHAT_FLAW_SERIAL);
	assert_int_equal(add(keys, "A1", good, W3_NOW), ERR_NONE);
	assert_int_equal(judge_signed(keys, keep.sign_a, "A1", W3_NOW),
	    WECHAT_SOUND);

	wechat_keys_close(trusting);
	wechat_keys_close(keys);
	secret_free(junk);
	secret_free(bare);
	secret_free(good);
	EVP_PKEY_free(impostor);
	EVP_PKEY_free(curve);
	EVP_PKEY_free(long_rsa);
	EVP_PKEY_free(short_rsa);
}

/* N22: a text whose certificate is under the root, and that has another key
 * beside it, is judged and believed by one and the same of them. */
static void
test_add_two_keys(void **state)
{
	static const char *const labels[] = { "CERTIFICATE",
		"X509 CERTIFICATE", "TRUSTED CERTIFICATE" };
	struct secret *good = cert_issue(&(struct wish){ .serial = "A1",
		.from = W3_NOW - DAY, .to = W3_NOW + DAY });
	const char *middle = strchr(secret_bytes(good), '\n');
	size_t len = (size_t)(strstr(middle, "-----END") - middle);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(labels) * 2; i++) {
		const char *label = labels[i / 2];
		struct wechat_keys *keys = keys_of(&(struct
		    wechat_keys_config){ .platform_ca = keep.ca_pem });
		struct buf text;
		struct err err = { 0 };

		buf_init(&text, SECRET_MAX);
		if (i % 2 == 0)
			buf_text(&text, secret_bytes(keep.pub));
		buf_format(&text, "-----BEGIN %s-----%.*s-----END %s-----\n",
		    label, (int)len, middle, label);
		if (i % 2 == 1)
			buf_text(&text, secret_bytes(keep.pub));
		(void)!wechat_keys_add(keys, "A1", text.data, text.len,
		    W3_NOW, &err);
		expect(judge_signed(keys, keep.sign_wxpub, "A1", W3_NOW)
		    != WECHAT_SOUND, "%s %zu", label, i % 2);
		buf_clear(&text);
		wechat_keys_close(keys);
	}
	secret_free(good);
}

/* ------------------------------------------------------------- a full set */

static void
serial_of(unsigned i, char out[static CERT_SERIAL_SIZE])
{
	snprintf(out, CERT_SERIAL_SIZE, "%X", 0xA000u + i);
}

/* The i-th ends i minutes after the first. */
static struct secret *
cert_of(unsigned i)
{
	char serial[CERT_SERIAL_SIZE];

	serial_of(i, serial);
	return cert_issue(&(struct wish){ .serial = serial,
		.from = W3_NOW - DAY, .to = W3_NOW + DAY + 60 * (epoch_t)i });
}

static void
add_of(struct wechat_keys *keys, unsigned i)
{
	struct secret *pem = cert_of(i);
	char serial[CERT_SERIAL_SIZE];

	serial_of(i, serial);
	assert_int_equal(add(keys, serial, pem, W3_NOW), ERR_NONE);
	secret_free(pem);
}

static bool
is_here(struct wechat_keys *keys, unsigned i)
{
	char serial[CERT_SERIAL_SIZE];

	serial_of(i, serial);
	return judge_signed(keys, keep.sign_a, serial, W3_NOW)
	    == WECHAT_SOUND;
}

/* Which of them stay does not depend on the order in which they come, nor on
 * how often. */
static void
test_full(void **state)
{
	static const unsigned orders[][3] = { { 1, 2, 0 }, { 2, 0, 1 },
		{ 0, 1, 2 } };

	(void)state;
	for (size_t o = 0; o < COUNT_OF(orders); o++) {
		struct wechat_keys *keys = keys_of(&(struct
		    wechat_keys_config){ .platform_ca = keep.ca_pem });

		for (int twice = 0; twice < 2; twice++) {
			add_of(keys, orders[o][0]);
			for (unsigned i = 3; i < WECHAT_KEYS_MAX + 1; i++)
				add_of(keys, i);
			add_of(keys, orders[o][1]);
			add_of(keys, orders[o][2]);
			for (unsigned i = 0; i < WECHAT_KEYS_MAX + 2; i++)
				expect(is_here(keys, i) == (i > 0
				    && i < WECHAT_KEYS_MAX + 1),
				    "order %zu: %u", o, i);
			/* 0 ends first: it makes no room */
			assert_false(is_here(keys, 0));
		}
		/* a better one: 1 goes */
		add_of(keys, WECHAT_KEYS_MAX + 1);
		assert_false(is_here(keys, 1));
		assert_true(is_here(keys, 2));
		assert_true(is_here(keys, WECHAT_KEYS_MAX + 1));
		wechat_keys_close(keys);
	}
}

/* ---------------------------------------------------------------- loading */

struct loader {
	atomic_uint loads, inside, begun;
	unsigned wait_for;	/* so many have begun before it ends */
	bool overlapped;
	const struct secret *pem;	/* what it finds; NULL: nothing */
	const char *serial;
	bool is_away;			/* the store */
};

static bool
loader_load(void *arg, struct wechat_keys *keys, struct err *err)
{
	struct loader *loader = arg;
	int64_t until = clock_monotonic_ms() + 10000;
	bool ok = false;

	if (atomic_fetch_add(&loader->inside, 1) > 0)
		loader->overlapped = true;
	atomic_fetch_add(&loader->loads, 1);
	while (atomic_load(&loader->begun) < loader->wait_for
	    && clock_monotonic_ms() < until)
		sched_yield();
	ok = loader->is_away
	    ? err_set(err, ERR_STORE, "the store is away")
	    : loader->pem == NULL || wechat_keys_add(keys, loader->serial,
		secret_bytes(loader->pem), secret_len(loader->pem), W3_NOW,
		err);
	atomic_fetch_sub(&loader->inside, 1);
	return ok;
}

static struct wechat_keys *
keys_loaded_by(struct loader *loader)
{
	return keys_of(&(struct wechat_keys_config){ .pub_key = keep.pub,
		.pub_key_id = W3_PUB_KEY_ID, .platform_ca = keep.ca_pem,
		.load = loader_load, .arg = loader });
}

/* N22: only a serial that a certificate may have is worth a question. */
static void
test_load_asked(void **state)
{
	static const struct {
		const char *serial;
		enum wechat_flaw flaw;
	} cases[] = {
		{ "PUB_KEY_ID_1", WECHAT_FLAW_SERIAL },
		{ W3_PUB_KEY_ID "1", WECHAT_FLAW_SERIAL },
		{ "xyz", WECHAT_FLAW_MALFORMED },
		{ "5A0B 1C2D", WECHAT_FLAW_MALFORMED },
		{ "A0B1C2D3E4F5061728394A5B6C7D8E9F0A1B2C3D4E",
		  WECHAT_FLAW_MALFORMED },
		{ W3_PUB_KEY_ID, WECHAT_FLAW_SIGNATURE },
	};
	struct loader loader = { .is_away = true };
	struct wechat_keys *keys = keys_loaded_by(&loader);
	struct w3_signed made;
	struct err err;

	(void)state;
	w3_sign(keep.sign_stranger, NULL, W3_NOW, body, BODY_LEN, &made);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		made.headers.serial = cases[i].serial;
		expect(judge(keys, &made.headers) == cases[i].flaw, "%s",
		    cases[i].serial);
	}
	assert_int_equal(judge_signed(keys, keep.sign_wxpub, W3_PUB_KEY_ID,
	    W3_NOW), WECHAT_SOUND);
	w3_sign(keep.sign_a, W3_SERIAL_A, W3_NOW - 400, body, BODY_LEN, &made);
	assert_int_equal(judge(keys, &made.headers), WECHAT_FLAW_CLOCK);
	assert_int_equal(loader.loads, 0);

	/* what fails is told, and is no flaw of the message; within the second
	 * it is remembered */
	w3_sign(keep.sign_a, W3_SERIAL_A, W3_NOW, body, BODY_LEN, &made);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(judge_at(keys, &made.headers, body, BODY_LEN,
		    W3_NOW, &err), WECHAT_FLAW_SERIAL);
		assert_int_equal(err.kind, ERR_STORE);
		assert_non_null(strstr(err.text, i == 0 ? "the store is away"
		    : "a moment ago"));
	}
	assert_int_equal(loader.loads, 1);
	wechat_keys_close(keys);
}

static void
test_load_found(void **state)
{
	struct secret *pem = pem_open("v3-platform-a-cert.pem");
	struct loader loader = { .pem = pem, .serial = W3_SERIAL_A };
	struct wechat_keys *keys = keys_loaded_by(&loader);

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(judge_signed(keys, keep.sign_a, W3_SERIAL_A,
		    W3_NOW), WECHAT_SOUND);
	assert_int_equal(loader.loads, 1);
	wechat_keys_close(keys);
	secret_free(pem);
}

#define THREADS 8

struct crowd {
	struct wechat_keys *keys;
	struct loader *loader;
	struct sign3_headers headers;
	int64_t until_ms;
	atomic_ulong tried, sound, strange;
	atomic_bool over;
};

static enum wechat_flaw
crowd_verify(struct crowd *crowd, const struct sign3_headers *headers)
{
	char serial[CERT_SERIAL_SIZE];
	enum wechat_flaw flaw = WECHAT_SOUND;
	struct err err = { 0 };
	bool ok = wechat_keys_verify(crowd->keys, headers, body, BODY_LEN,
	    W3_NOW, serial, &flaw, &err);

	if (ok != (flaw == WECHAT_SOUND) || ERR_peek_error() != 0)
		atomic_fetch_add(&crowd->strange, 1);
	atomic_fetch_add(&crowd->sound, ok);
	atomic_fetch_add(&crowd->tried, 1);
	return flaw;
}

static void
crowd_run(struct crowd *crowd, void *(*run)(void *))
{
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, crowd),
		    0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void *
crowd_begin(void *arg)
{
	struct crowd *crowd = arg;

	atomic_fetch_add(&crowd->loader->begun, 1);
	(void)crowd_verify(crowd, &crowd->headers);
	return NULL;
}

/* Eight genuine notices under a new serial at once: one load, which does not
 * end before all have come, and nobody is turned away. */
static void
test_load_shared(void **state)
{
	struct secret *pem = pem_open("v3-platform-a-cert.pem");
	struct loader loader = { .pem = pem, .serial = W3_SERIAL_A,
		.wait_for = THREADS };
	struct crowd crowd = { .keys = keys_loaded_by(&loader),
		.loader = &loader };
	struct w3_signed made;

	(void)state;
	w3_sign(keep.sign_a, W3_SERIAL_A, W3_NOW, body, BODY_LEN, &made);
	crowd.headers = made.headers;
	crowd_run(&crowd, crowd_begin);
	assert_int_equal(crowd.sound, THREADS);
	assert_int_equal(crowd.strange, 0);
	assert_int_equal(loader.loads, 1);
	wechat_keys_close(crowd.keys);
	secret_free(pem);
}

/* Each time another serial that nobody has. */
static void *
crowd_forge(void *arg)
{
	struct crowd *crowd = arg;
	struct sign3_headers headers = crowd->headers;
	char serial[CERT_SERIAL_SIZE];

	while (clock_monotonic_ms() < crowd->until_ms) {
		snprintf(serial, sizeof(serial), "F%lX",
		    atomic_load(&crowd->tried));
		headers.serial = serial;
		if (crowd_verify(crowd, &headers) != WECHAT_FLAW_SERIAL)
			atomic_fetch_add(&crowd->strange, 1);
	}
	return NULL;
}

/* N22: at most one load a second for all threads together. */
static void
test_load_rate(void **state)
{
	struct loader loader = { .pem = NULL };
	struct crowd crowd = { .keys = keys_loaded_by(&loader),
		.loader = &loader };
	int64_t from_ms = clock_monotonic_ms(), took_ms = 0;
	struct w3_signed made;

	(void)state;
	w3_sign(keep.sign_a, "F0", W3_NOW, body, BODY_LEN, &made);
	crowd.headers = made.headers;
	crowd.until_ms = from_ms + 2500;
	crowd_run(&crowd, crowd_forge);
	took_ms = clock_monotonic_ms() - from_ms;
	print_message("    forged from 8 threads in %ld ms: %lu; loads: %u\n",
	    (long)took_ms, (unsigned long)crowd.tried, loader.loads);
	assert_int_equal(crowd.strange, 0);
	assert_int_equal(crowd.sound, 0);
	assert_in_range(loader.loads, 2, 1 + took_ms / 1000);
	assert_false(loader.overlapped);
	assert_true(crowd.tried > loader.loads * 100ul);
	wechat_keys_close(crowd.keys);
}

/* ---------------------------------------------------------------- threads */

#define REPLACED 150

/* Certificates of one key that come and go; the public key, which stays. */
static void *
crowd_read(void *arg)
{
	struct crowd *crowd = arg;
	struct sign3_headers headers = crowd->headers;
	char serial[CERT_SERIAL_SIZE];
	unsigned i = 0;

	while (!atomic_load(&crowd->over)) {
		enum wechat_flaw flaw;

		serial_of(i++ % REPLACED, serial);
		headers.serial = serial;
		flaw = crowd_verify(crowd, &headers);
		if (flaw != WECHAT_SOUND && flaw != WECHAT_FLAW_SERIAL)
			atomic_fetch_add(&crowd->strange, 1);
	}
	return NULL;
}

static void
test_replaced_while_read(void **state)
{
	struct crowd crowd = { .keys = keys_of(&(struct wechat_keys_config){
		.platform_ca = keep.ca_pem }) };
	struct secret *pems[REPLACED];
	char serials[REPLACED][CERT_SERIAL_SIZE];
	pthread_t threads[THREADS];
	uint64_t counts[WECHAT_FLAWS];
	int64_t until = clock_monotonic_ms() + 20000;
	struct w3_signed made;

	(void)state;
	for (unsigned i = 0; i < REPLACED; i++) {
		serial_of(i, serials[i]);
		pems[i] = cert_of(i);
	}
	w3_sign(keep.sign_a, NULL, W3_NOW, body, BODY_LEN, &made);
	crowd.headers = made.headers;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, crowd_read,
		    &crowd), 0);
	for (unsigned i = 0; i < REPLACED; i++) {
		unsigned long from = atomic_load(&crowd.tried);

		assert_int_equal(add(crowd.keys, serials[i], pems[i], W3_NOW),
		    ERR_NONE);
		/* none is gone before it may have been read */
		while (atomic_load(&crowd.tried) < from + THREADS
		    && clock_monotonic_ms() < until)
			sched_yield();
	}
	atomic_store(&crowd.over, true);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);

	wechat_keys_counts(crowd.keys, counts);
	print_message("    verified while %d were replaced: %lu, believed: "
	    "%lu\n", REPLACED - WECHAT_KEYS_MAX, (unsigned long)crowd.tried,
	    (unsigned long)crowd.sound);
	assert_int_equal(crowd.strange, 0);
	assert_true(crowd.sound > 0);
	assert_int_equal(counts[WECHAT_SOUND], crowd.sound);
	assert_int_equal(counts[WECHAT_FLAW_SERIAL],
	    crowd.tried - crowd.sound);
	for (unsigned i = 0; i < REPLACED; i++)
		secret_free(pems[i]);
	wechat_keys_close(crowd.keys);
}

#ifndef UNIT_SANITIZED

/* Whoever forges under our serial, or under none, makes nothing grow. */
static void
test_forged_costs_no_memory(void **state)
{
	struct loader loader = { .pem = NULL };
	struct wechat_keys *keys = keys_loaded_by(&loader);
	size_t before = 0;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		char serial[CERT_SERIAL_SIZE];

		if (i == 1000)
			before = mallinfo2().uordblks;
		snprintf(serial, sizeof(serial), "F%X", (unsigned)i);
		assert_int_equal(judge_signed(keys, keep.sign_stranger,
		    i % 2 == 0 ? serial : W3_PUB_KEY_ID, W3_NOW), i % 2 == 0
		    ? WECHAT_FLAW_SERIAL : WECHAT_FLAW_SIGNATURE);
	}
	assert_int_equal(mallinfo2().uordblks, before);
	wechat_keys_close(keys);
}

#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_merchants_own),
		cmocka_unit_test(test_wanted),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_published),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_term),
		cmocka_unit_test(test_add_refused),
		cmocka_unit_test(test_add_two_keys),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_load_asked),
		cmocka_unit_test(test_load_found),
		cmocka_unit_test(test_load_shared),
		cmocka_unit_test(test_load_rate),
		cmocka_unit_test(test_replaced_while_read),
#ifndef UNIT_SANITIZED
		cmocka_unit_test(test_forged_costs_no_memory),
#endif
	};

	return cmocka_run_group_tests(tests, keep_open, keep_close);
}
