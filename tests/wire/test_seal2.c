/* seal2: refund notices open as published, and damage of any kind gets one
 * and the same answer. [threats RN1-RN3] */
#include "wire/seal2.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "pairs.h"
#include "wire/base64.h"
#include "wire/xmlmsg.h"

static int
xml_start(void **state)
{
	(void)state;
	xmlmsg_start();
	return 0;
}

static struct secret *
key_new(const char *text)
{
	struct secret *key = NULL;
	struct err err = { 0 };

	assert_true(secret_new(text, strlen(text), &key, &err));
	return key;
}

/* The cipher and the digest that seal2 is made of, alone. */
static void
test_parts(void **state)
{
	json_t *all = vectors_open();
	const json_t *cipher = json_array_get(
	    vectors_list(all, "aes_256_ecb", 1), 0);
	const json_t *digest = json_array_get(vectors_list(all, "md5", 1), 0);
	const char *plain = vector_text(cipher, "plaintext");
	const char *text = vector_text(digest, "text");
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char bytes[64];
	char hex[2 * 16 + 1];
	unsigned digest_len = 0;
	struct buf base64;
	int body = 0;
	int tail = 0;

	(void)state;
	buf_init(&base64, 100);
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_aes_256_ecb(), NULL,
	    (const unsigned char *)vector_text(cipher, "key_ascii"), NULL), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, bytes, &body,
	    (const unsigned char *)plain, (int)strlen(plain)), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, bytes + body, &tail), 1);
	base64_format(bytes, (size_t)(body + tail), &base64);
	assert_string_equal(buf_get(&base64),
	    vector_text(cipher, "ciphertext_base64"));
	assert_int_equal(EVP_Digest(text, strlen(text), bytes, &digest_len,
	    EVP_md5(), NULL), 1);
	hex_format_lower(bytes, digest_len, hex);
	assert_string_equal(hex, vector_text(digest, "md5"));
	buf_clear(&base64);
	EVP_CIPHER_CTX_free(ctx);
	json_decref(all);
}

static void
test_vectors(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "req_info", 10);
	const json_t *vector = NULL;
	size_t i = 0;

	(void)state;
	json_array_foreach(list, i, vector) {
		const char *id = vector_text(vector, "id");
		const char *req_info = vector_text(vector, "req_info");
		struct secret *key = key_new(vector_text(vector, "api_key"));
		struct fields fields = { 0 };
		struct err err = { 0 };
		struct buf plain;
		struct buf again;

		buf_init(&plain, XMLMSG_MAX);
		buf_init(&again, XMLMSG_MAX);
		expect(seal2_open(req_info, key, &plain, &err), "%s: %s", id,
		    err.text);
		assert_string_equal(buf_get(&plain),
		    vector_text(vector, "plaintext"));
		expect(xmlmsg_parse(plain.data, plain.len, "root", &fields,
		    &err), "%s: %s", id, err.text);
		members_compare(&fields, json_object_get(vector, "fields"),
		    id);
		assert_true(seal2_seal(plain.data, plain.len, key, &again,
		    &err));
		assert_string_equal(buf_get(&again), req_info);
		buf_clear(&again);
		buf_clear(&plain);
		fields_clear(&fields);
		secret_free(key);
	}
	json_decref(all);
}

/* True if it opens to something; false with the one refusal. */
static bool
opens(const char *req_info, const struct secret *key, struct buf *plain)
{
	struct err err = { 0 };
	bool ok = seal2_open(req_info, key, plain, &err);

	if (!ok) {
		assert_int_equal(err.kind, ERR_AUTH);
		assert_string_equal(err.text, "req_info: cannot be opened");
		assert_int_equal(plain->len, 0);
	}
	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static void
test_reject_vectors(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "req_info_reject", 3);
	const json_t *vector = NULL;
	size_t i = 0;

	(void)state;
	json_array_foreach(list, i, vector) {
		struct secret *key = key_new(vector_text(vector, "api_key"));
		struct buf plain;

		buf_init(&plain, XMLMSG_MAX);
		expect(!opens(vector_text(vector, "req_info"), key, &plain),
		    "%s", vector_text(vector, "id"));
		buf_clear(&plain);
		secret_free(key);
	}
	json_decref(all);
}

static void
test_damage(void **state)
{
	static const char *const cases[] = {
		"", "A", "====", "AAAA", "not base64!",
		"pZwJZBLuy3mDACEQT4YTBw",
		"pZwJZBLuy3mDACEQT4YTBw=\n", " pZwJZBLuy3mDACEQT4YTBw==",
		"pZwJZBLuy3mDACEQT4YTB/==", "AAAAAAAAAAAAAAAAAAAAAA==",
	};
	struct secret *key = key_new("8f3c1d0e9b7a4652c1e0d9f8a7b6c5d4");
	char *huge = malloc(XMLMSG_MAX + 5);
	struct buf plain;

	(void)state;
	assert_non_null(huge);
	memset(huge, 'A', XMLMSG_MAX + 4);
	huge[XMLMSG_MAX + 4] = '\0';
	buf_init(&plain, XMLMSG_MAX);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect(!opens(cases[i], key, &plain), "%s", cases[i]);
	assert_false(opens(huge, key, &plain));
	buf_clear(&plain);
	free(huge);
	secret_free(key);
}

/*
 * ECB proves nothing: blocks can be exchanged and the result may open.  What
 * must hold is that damage in the last block does not, but for 1 in 256, and
 * that whatever opens goes on to a parser that judges it.
 */
static void
test_flipped(void **state)
{
	json_t *all = vectors_open();
	const json_t *vector = json_array_get(
	    json_object_get(all, "req_info"), 0);
	struct secret *key = key_new(vector_text(vector, "api_key"));
	char *text = strdup(vector_text(vector, "req_info"));
	size_t opened = 0;
	size_t parsed = 0;
	size_t len = 0;

	(void)state;
	assert_non_null(text);
	len = strlen(text);
	for (size_t at = 0; at < len; at++) {
		struct fields fields = { 0 };
		struct err err = { 0 };
		struct buf plain;

		buf_init(&plain, XMLMSG_MAX);
		text[at] = text[at] == 'A' ? 'B' : 'A';
		if (opens(text, key, &plain)) {
			opened++;
			parsed += xmlmsg_parse(buf_get(&plain), plain.len,
			    "root", &fields, &err);
		}
		text[at] = vector_text(vector, "req_info")[at];
		buf_clear(&plain);
		fields_clear(&fields);
	}
	/* The last block is 22 characters at least, and they all count. */
	assert_true(opened < len - 20);
	assert_int_equal(parsed, 0);
	print_message("    flipped: %zu, %zu opened, none was XML\n", len,
	    opened);
	free(text);
	secret_free(key);
	json_decref(all);
}

/* Every length of the last block, there and back; no byte is special. */
static void
test_round_trip(void **state)
{
	struct secret *key = key_new("k");
	char plain[70];

	(void)state;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (char)(i * 37);
	for (size_t len = 0; len <= sizeof(plain); len++) {
		struct err err = { 0 };
		struct buf sealed;
		struct buf opened;

		buf_init(&sealed, 200);
		buf_init(&opened, 200);
		assert_true(seal2_seal(plain, len, key, &sealed, &err));
		assert_true(opens(buf_get(&sealed), key, &opened));
		assert_int_equal(opened.len, len);
		assert_memory_equal(buf_get(&opened), plain, len);
		buf_clear(&opened);
		buf_clear(&sealed);
	}
	secret_free(key);
}

static void
test_no_room(void **state)
{
	struct secret *key = key_new("k");
	struct err seal_err = { 0 };
	struct err open_err = { 0 };
	struct buf sealed;
	struct buf opened;

	(void)state;
	buf_init(&sealed, 200);
	buf_init(&opened, 3);
	assert_true(seal2_seal("text", 4, key, &sealed, &seal_err));
	assert_false(seal2_open(buf_get(&sealed), key, &opened, &open_err));
	assert_int_equal(open_err.kind, ERR_BUG);
	assert_false(seal2_seal("", XMLMSG_MAX + 1, key, &sealed, &seal_err));
	assert_int_equal(seal_err.kind, ERR_INPUT);
	buf_clear(&opened);
	buf_clear(&sealed);
	secret_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_reject_vectors),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests_name("seal2", tests, xml_start, NULL);
}
