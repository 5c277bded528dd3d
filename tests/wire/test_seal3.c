/* seal3: damage of any kind, to any part that the tag covers, gets one and
 * the same answer, and no byte of a text that is not whole. [threats N24] */
#include "wire/seal3.h"

#include <openssl/err.h>

#include "vectors3.h"

#define KEY "TestOnlyApiV3Key0123456789ABCDEF"
#define NONCE "5be9c9c096cc"
#define PLAIN "{\"mchid\":\"1900000001\"}"

static struct secret *key;

static int
start(void **state)
{
	(void)state;
	key = secret_of(KEY, 32);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	secret_free(key);
	return 0;
}

/* True if it opens; false with the one refusal, and nothing let out. */
static bool
opens(const struct seal3_sealed *sealed, const struct secret *with,
    struct buf *plain)
{
	struct err err = { 0 };
	bool ok = seal3_open(sealed, with, plain, &err);

	if (!ok) {
		assert_int_equal(err.kind, ERR_AUTH);
		assert_string_equal(err.text, "resource: cannot be opened");
		assert_int_equal(plain->len, 0);
		assert_null(plain->data);
	}
	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static bool
opens_at_all(const struct seal3_sealed *sealed)
{
	struct buf plain;
	bool ok = false;

	buf_init(&plain, 100);
	ok = opens(sealed, key, &plain);
	buf_clear(&plain);
	return ok;
}

static void
seal(struct buf *out, const char *data)
{
	struct err err = { 0 };

	buf_init(out, 1000);
	expect(seal3_seal(PLAIN, strlen(PLAIN), NONCE, data, key, out, &err),
	    "%s", err.text);
}

static void
test_parts(void **state)
{
	struct buf good;
	struct buf bare;

	(void)state;
	seal(&good, "transaction");
	seal(&bare, "");
	const struct {
		const char *why;
		struct seal3_sealed sealed;
		bool ok;
	} cases[] = {
#define OF(what) SEAL3_ALGORITHM, NONCE, what, buf_get(&good)
#define BARE(what) SEAL3_ALGORITHM, NONCE, what, buf_get(&bare)
		{ "right", { OF("transaction") }, true },
		{ "no data", { BARE("") }, true },
		{ "data absent", { BARE(NULL) }, true },
		{ "data added", { BARE("transaction") }, false },
		{ "data dropped", { OF("") }, false },
		{ "data absent", { OF(NULL) }, false },
		{ "other data", { OF("refund") }, false },
		{ "data cut", { OF("transactio") }, false },
		{ "other nonce", { SEAL3_ALGORITHM, "5be9c9c096cd",
		    "transaction", buf_get(&good) }, false },
		{ "nonce of 11", { SEAL3_ALGORITHM, "5be9c9c096c",
		    "transaction", buf_get(&good) }, false },
		{ "nonce of 13", { SEAL3_ALGORITHM, NONCE "x",
		    "transaction", buf_get(&good) }, false },
		{ "nonce of 17", { SEAL3_ALGORITHM, "01234567890123456",
		    "transaction", buf_get(&good) }, false },
		{ "no nonce", { SEAL3_ALGORITHM, "", "transaction",
		    buf_get(&good) }, false },
		{ "other algorithm", { "AEAD_SM4_GCM", NONCE, "transaction",
		    buf_get(&good) }, false },
		{ "lower case", { "aead_aes_256_gcm", NONCE, "transaction",
		    buf_get(&good) }, false },
		{ "no algorithm", { "", NONCE, "transaction",
		    buf_get(&good) }, false },
		{ "nothing", { SEAL3_ALGORITHM, NONCE, "", "" }, false },
		{ "15 bytes", { SEAL3_ALGORITHM, NONCE, "",
		    "MDEyMzQ1Njc4OWFiY2Rl" }, false },
		{ "a tag of nothing", { SEAL3_ALGORITHM, NONCE, "",
		    "MDEyMzQ1Njc4OWFiY2RlZg==" }, false },
		{ "not base64", { SEAL3_ALGORITHM, NONCE, "", "%%%%" },
		    false },
		{ "loose base64", { SEAL3_ALGORITHM, NONCE, "",
		    "MDEyMzQ1Njc4OWFiY2RlZg" }, false },
#undef BARE
#undef OF
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect(opens_at_all(&cases[i].sealed) == cases[i].ok, "%s",
		    cases[i].why);
	buf_clear(&bare);
	buf_clear(&good);
}

/* Each letter of text and tag. */
static void
test_damaged(void **state)
{
	struct buf good;
	struct seal3_sealed sealed = { SEAL3_ALGORITHM, NONCE, "transaction",
		NULL };
	size_t tried = 0;

	(void)state;
	seal(&good, "transaction");
	sealed.ciphertext = good.data;
	for (size_t at = 0; at < good.len; at++) {
		char was = good.data[at];

		for (const char *c = STR_ALNUM "+/="; *c != '\0'; c++) {
			good.data[at] = *c;
			expect(opens_at_all(&sealed) == (*c == was),
			    "letter %zu: %c", at, *c);
			tried++;
		}
		good.data[at] = '\0';		/* cut there */
		expect(!opens_at_all(&sealed), "cut at %zu", at);
		good.data[at] = was;
	}
	assert_true(tried > 3000);
	print_message("    damaged: %zu\n", tried);
	buf_clear(&good);
}

static void
test_keys(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool ok;
	} cases[] = {
		{ KEY, 32, true },
		{ KEY, 31, false },
		{ KEY, 16, false },
		{ KEY "\n", 33, false },
		{ KEY "0", 33, false },
		{ KEY "\0" "0", 34, false },
		{ "TestOnlyApiV3Key0123456789ABCDE\n", 32, false },
		{ "TestOnlyApiV3Key0123456789ABCDE\0", 32, false },
		{ "TestOnlyApiV3Key0123456789ABCDE-", 32, false },
		{ "\xe4\xb8\xadtOnlyApiV3Key0123456789ABCDE", 32, false },
	};
	struct buf good;
	struct seal3_sealed sealed = { SEAL3_ALGORITHM, NONCE, "", NULL };

	(void)state;
	seal(&good, "");
	sealed.ciphertext = good.data;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct secret *tried = secret_of(cases[i].bytes,
		    cases[i].len);
		struct err err = { 0 };
		struct buf out;

		buf_init(&out, 1000);
		expect(seal3_key_check(tried, &err) == cases[i].ok, "%zu", i);
		expect(seal3_open(&sealed, tried, &out, &err) == cases[i].ok,
		    "%zu", i);
		buf_reset(&out);
		expect(seal3_seal("", 0, NONCE, "", tried, &out, &err)
		    == cases[i].ok, "%zu", i);
		assert_int_equal(err.kind, cases[i].ok ? ERR_NONE
		    : ERR_INPUT);
		expect(strstr(err.text, "Test") == NULL, "the key leaks");
		buf_clear(&out);
		secret_free(tried);
	}
	buf_clear(&good);
}

static void
test_wrong_key(void **state)
{
	struct secret *other = secret_of("testOnlyApiV3Key0123456789ABCDEF",
	    32);
	struct buf good;
	struct buf plain;

	(void)state;
	seal(&good, "");
	buf_init(&plain, 100);
	assert_false(opens(&(struct seal3_sealed){ SEAL3_ALGORITHM, NONCE, "",
	    buf_get(&good) }, other, &plain));
	buf_clear(&plain);
	buf_clear(&good);
	secret_free(other);
}

/* Every length of the last block, and of a nonce; no byte is special. */
static void
test_round_trip(void **state)
{
	static const char *const nonces[] = { NONCE, "0123456789abc",
		"0123456789abcd", "0123456789abcde", "0123456789abcdef" };
	char plain[70];

	(void)state;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (char)(i * 37);
	for (size_t len = 0; len <= sizeof(plain); len++) {
		const char *nonce = nonces[len % COUNT_OF(nonces)];
		struct err err = { 0 };
		struct buf sealed;
		struct buf opened;

		buf_init(&sealed, 200);
		buf_init(&opened, 200);
		assert_true(seal3_seal(plain, len, nonce, "d", key, &sealed,
		    &err));
		assert_true(opens(&(struct seal3_sealed){ SEAL3_ALGORITHM,
		    nonce, "d", buf_get(&sealed) }, key, &opened));
		assert_int_equal(opened.len, len);
		assert_memory_equal(buf_get(&opened), plain, len);
		buf_clear(&opened);
		buf_clear(&sealed);
	}
}

static void
test_bounds(void **state)
{
	size_t most = SEAL3_MAX / 4 * 3 - 16;
	char *plain = calloc(1, SEAL3_MAX + 5);
	struct err err = { 0 };
	struct buf sealed;
	struct buf opened;

	(void)state;
	assert_non_null(plain);
	buf_init(&sealed, 2 * SEAL3_MAX);
	buf_init(&opened, SEAL3_MAX);
	assert_true(seal3_seal(plain, most, NONCE, "", key, &sealed, &err));
	assert_true(opens(&(struct seal3_sealed){ SEAL3_ALGORITHM, NONCE, "",
	    buf_get(&sealed) }, key, &opened));
	assert_int_equal(opened.len, most);
	buf_clear(&sealed);
	buf_clear(&opened);
	buf_init(&sealed, 2 * SEAL3_MAX);
	buf_init(&opened, SEAL3_MAX);
	assert_true(seal3_seal(plain, most + 1, NONCE, "", key, &sealed,
	    &err));
	assert_false(opens(&(struct seal3_sealed){ SEAL3_ALGORITHM, NONCE,
	    "", buf_get(&sealed) }, key, &opened));
	assert_false(seal3_seal(plain, SEAL3_MAX + 1, NONCE, "", key, &sealed,
	    &err));
	assert_int_equal(err.kind, ERR_INPUT);
	buf_clear(&sealed);
	buf_clear(&opened);
	free(plain);
}

static void
test_no_room(void **state)
{
	struct err open_err = { 0 };
	struct err seal_err = { 0 };
	struct buf good;
	struct buf small;

	(void)state;
	seal(&good, "");
	buf_init(&small, 5);
	assert_false(seal3_open(&(struct seal3_sealed){ SEAL3_ALGORITHM,
	    NONCE, "", buf_get(&good) }, key, &small, &open_err));
	assert_int_equal(open_err.kind, ERR_BUG);
	buf_clear(&small);
	buf_init(&small, 5);
	assert_false(seal3_seal("text", 4, NONCE, "", key, &small,
	    &seal_err));
	assert_int_equal(seal_err.kind, ERR_BUG);
	buf_clear(&small);
	buf_clear(&good);
	seal_err = (struct err){ 0 };
	assert_false(seal3_seal("text", 4, "too short", "", key, &small,
	    &seal_err));
	assert_int_equal(seal_err.kind, ERR_INPUT);
}

static bool
field_opens(const char *base64, const struct sign3_key *with,
    struct buf *plain)
{
	struct err err = { 0 };
	bool ok = seal3_field_open(base64, with, plain, &err);

	if (!ok) {
		assert_int_equal(err.kind, ERR_AUTH);
		assert_string_equal(err.text,
		    "sealed field: cannot be opened");
	}
	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static void
test_fields(void **state)
{
	static const char *const bad[] = { "", "A", "====", "AAAA",
		"not base64!" };
	struct sign3_key *ours = private_open("v3-wxpub-key.pem");
	struct sign3_key *strangers = private_open("v3-stranger-key.pem");
	struct sign3_public *public = public_open("v3-wxpub.pem");
	char text[SIGN3_KEY_SEAL_MAX + 2] = "";
	struct err err = { 0 };
	struct buf sealed;
	struct buf plain;

	(void)state;
	buf_init(&sealed, 1000);
	buf_init(&plain, 1000);
	assert_true(seal3_field_seal("\xe5\xbc\xa0\xe4\xb8\x89", public,
	    &sealed, &err));
	assert_int_equal(sealed.len, 344);
	assert_false(field_opens(buf_get(&sealed), strangers, &plain));
	assert_true(field_opens(buf_get(&sealed), ours, &plain));
	assert_string_equal(buf_get(&plain), "\xe5\xbc\xa0\xe4\xb8\x89");
	buf_char(&sealed, '\n');
	assert_false(field_opens(buf_get(&sealed), ours, &plain));
	buf_text(&sealed, "AAAA");
	assert_false(field_opens(buf_get(&sealed), ours, &plain));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		expect(!field_opens(bad[i], ours, &plain), "%s", bad[i]);
	memset(text, 'M', sizeof(text) - 1);
	assert_false(seal3_field_seal(text, public, &sealed, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	buf_clear(&plain);
	buf_clear(&sealed);
	buf_init(&sealed, 100);
	err = (struct err){ 0 };
	assert_false(seal3_field_seal("x", public, &sealed, &err));
	assert_int_equal(err.kind, ERR_BUG);
	buf_clear(&sealed);
	sign3_public_free(public);
	sign3_key_free(strangers);
	sign3_key_free(ours);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_wrong_key),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests_name("seal3", tests, start, stop);
}
