/* sign2: the published signatures come out, and nothing else is taken for
 * one, not a bit beside. [threats N1-N3, N5, N17-N19] */
#include "wire/sign2.h"

#include <locale.h>

#include <openssl/err.h>

#include "pairs.h"
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

static enum sign2_type
type_of(const json_t *vector)
{
	enum sign2_type type = 0;

	assert_true(sign2_type_parse(vector_text(vector, "sign_type"),
	    &type));
	return type;
}

/* sign2_verify, and see that it says why and leaves OpenSSL clean. */
static bool
verifies(const struct fields *fields, enum sign2_type type,
    const struct secret *key)
{
	struct err err = { 0 };
	bool ok = sign2_verify(fields, type, key, &err);

	expect(ok || err.kind == ERR_AUTH, "%s", err.text);
	expect(strstr(err.text, secret_bytes(key)) == NULL, "the key leaks");
	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static void
signs(const json_t *pairs, const json_t *vector, const char *want)
{
	struct fields fields = { 0 };
	struct secret *key = key_new(vector_text(vector, "key"));
	struct err err = { 0 };
	char sign[SIGN2_SIZE];

	pairs_add(&fields, pairs);
	assert_true(sign2_sign(&fields, type_of(vector), key, sign, &err));
	expect(str_eq(sign, want), "%s: %s, not %s",
	    vector_text(vector, "id"), sign, want);
	secret_free(key);
	fields_clear(&fields);
}

static void
test_sign_vectors(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "sign", 43);
	const json_t *vector = NULL;
	size_t i = 0;

	(void)state;
	json_array_foreach(list, i, vector)
		signs(json_object_get(vector, "params"), vector,
		    vector_text(vector, "sign"));
	list = vectors_list(all, "client_invoke", 9);
	json_array_foreach(list, i, vector)
		signs(json_object_get(vector, "signed_params"), vector,
		    vector_text(vector, "signature"));
	list = vectors_list(all, "native_callback", 1);
	json_array_foreach(list, i, vector)
		signs(json_object_get(vector, "answer_params"), vector,
		    vector_text(vector, "answer_sign"));
	json_decref(all);
}

/* Read an XML message of a vector; false if it is no XML of ours. */
static bool
message_parse(const json_t *vector, const char *name, struct fields *fields)
{
	const char *xml = vector_text(vector, name);
	struct err err = { 0 };

	return xmlmsg_parse(xml, strlen(xml), "xml", fields, &err);
}

static bool
message_verifies(const json_t *vector, const char *name)
{
	struct fields fields = { 0 };
	struct secret *key = key_new(vector_text(vector, "key"));
	bool ok = message_parse(vector, name, &fields)
	    && verifies(&fields, type_of(vector), key);

	secret_free(key);
	fields_clear(&fields);
	return ok;
}

static void
test_message_vectors(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "notify", 16);
	const json_t *vector = NULL;
	size_t i = 0;

	(void)state;
	json_array_foreach(list, i, vector) {
		struct fields fields = { 0 };
		const char *id = vector_text(vector, "id");

		expect(message_parse(vector, "xml", &fields), "%s", id);
		members_compare(&fields, json_object_get(vector, "fields"),
		    id);
		expect(message_verifies(vector, "xml")
		    == str_eq(vector_text(vector, "expect"), "valid"), "%s",
		    id);
		fields_clear(&fields);
	}
	list = vectors_list(all, "response", 16);
	json_array_foreach(list, i, vector)
		expect(message_verifies(vector, "xml") == json_is_true(
		    json_object_get(vector, "signature_valid")), "%s",
		    vector_text(vector, "id"));
	list = vectors_list(all, "native_callback", 1);
	json_array_foreach(list, i, vector) {
		expect(message_verifies(vector, "request_xml"), "request");
		expect(message_verifies(vector, "answer_xml"), "answer");
	}
	json_decref(all);
}

/* One bit of one value or of one name turned: each must be noticed. */
static size_t
bits_flip(struct fields *fields, enum sign2_type type,
    const struct secret *key)
{
	size_t tried = 0;

	assert_true(verifies(fields, type, key));
	for (size_t i = 0; i < fields->count; i++) {
		struct field *field = &fields->list[i];
		char *const texts[] = { field->name, field->value };
		bool empty = field->value[0] == '\0';

		for (size_t at = 0; at < 2; at++) {
			char *text = texts[at];

			for (; *text != '\0' && !empty; text++) {
				*text ^= 1;
				expect(!verifies(fields, type, key), "%s",
				    field->name);
				*text ^= 1;
				tried++;
			}
		}
	}
	assert_true(verifies(fields, type, key));
	return tried;
}

static void
test_flipped_bits(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = json_object_get(all, "notify");
	const json_t *vector = NULL;
	size_t i = 0;
	size_t tried = 0;

	(void)state;
	json_array_foreach(list, i, vector) {
		struct fields fields = { 0 };
		struct secret *key = NULL;

		if (!str_eq(vector_text(vector, "expect"), "valid"))
			continue;
		key = key_new(vector_text(vector, "key"));
		assert_true(message_parse(vector, "xml", &fields));
		tried += bits_flip(&fields, type_of(vector), key);
		secret_free(key);
		fields_clear(&fields);
	}
	json_decref(all);
	assert_true(tried > 3000);
	print_message("    flipped: %zu\n", tried);
}

/* Turn each byte of each message; what still verifies says the same. */
static void
test_flipped_messages(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = json_object_get(all, "notify");
	const json_t *vector = NULL;
	size_t i = 0;
	size_t tried = 0;
	size_t harmless = 0;

	(void)state;
	json_array_foreach(list, i, vector) {
		char *xml = NULL;
		struct secret *key = NULL;

		if (!str_eq(vector_text(vector, "expect"), "valid"))
			continue;
		key = key_new(vector_text(vector, "key"));
		xml = strdup(vector_text(vector, "xml"));
		assert_non_null(xml);
		for (size_t at = 0; xml[at] != '\0'; at++) {
			struct fields fields = { 0 };
			struct err err = { 0 };

			xml[at] ^= 1;
			if (xmlmsg_parse(xml, strlen(xml), "xml", &fields,
			    &err) && verifies(&fields, type_of(vector), key)) {
				members_compare(&fields, json_object_get(
				    vector, "fields"), "flipped");
				harmless++;
			}
			fields_clear(&fields);
			xml[at] ^= 1;
			tried++;
		}
		free(xml);
		secret_free(key);
	}
	json_decref(all);
	assert_true(harmless < tried / 20);
	print_message("    flipped: %zu, %zu of them without effect\n",
	    tried, harmless);
}

/* A good message of one field, with its sign replaced or beside others. */
static void
test_refused(void **state)
{
	static const char md5[] = "sign";	/* stands for the right one */
	static const struct {
		const char *why;
		const char *pairs[3][2];
		enum sign2_type type;
		bool ok;
	} cases[] = {
		{ "right", { { "sign", md5 } }, SIGN2_MD5, true },
		{ "right, its type said", { { "sign", md5 },
		    { "sign_type", "MD5" } }, SIGN2_MD5, true },
		{ "right, its type empty", { { "sign", md5 },
		    { "sign_type", "" } }, SIGN2_MD5, true },
		{ "absent", { { "other", "1" } }, SIGN2_MD5, false },
		{ "empty", { { "sign", "" } }, SIGN2_MD5, false },
		{ "a blank", { { "sign", " " } }, SIGN2_MD5, false },
		{ "31", { { "sign", "0123456789ABCDEF0123456789ABCDE" } },
		    SIGN2_MD5, false },
		{ "33", { { "sign", "0123456789ABCDEF0123456789ABCDEF0" } },
		    SIGN2_MD5, false },
		{ "another type pinned", { { "sign", md5 } },
		    SIGN2_HMAC_SHA256, false },
		{ "another type said", { { "sign", md5 },
		    { "sign_type", "HMAC-SHA256" } }, SIGN2_MD5, false },
		{ "NONE", { { "sign", md5 }, { "sign_type", "NONE" } },
		    SIGN2_MD5, false },
		{ "md5", { { "sign", md5 }, { "sign_type", "md5" } },
		    SIGN2_MD5, false },
		{ "doubled by case", { { "sign", md5 }, { "Sign", md5 } },
		    SIGN2_MD5, false },
		{ "doubled, first", { { "SIGN", "" }, { "sign", md5 } },
		    SIGN2_MD5, false },
		{ "only in another case", { { "SIGN", md5 } }, SIGN2_MD5,
		    false },
	};
	struct secret *key = key_new("8f3c1d0e9b7a4652c1e0d9f8a7b6c5d4");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fields fields = { 0 };
		struct err err = { 0 };
		char sign[SIGN2_SIZE];

		/* Signed together with what else the case sends. */
		assert_true(fields_add(&fields, "total_fee", "1", &err));
		for (size_t p = 0; p < 3 && cases[i].pairs[p][0] != NULL; p++)
			if (cases[i].pairs[p][1] != md5)
				assert_true(fields_add(&fields,
				    cases[i].pairs[p][0],
				    cases[i].pairs[p][1], &err));
		assert_true(sign2_sign(&fields, SIGN2_MD5, key, sign, &err));
		for (size_t p = 0; p < 3 && cases[i].pairs[p][0] != NULL; p++)
			if (cases[i].pairs[p][1] == md5)
				assert_true(fields_add(&fields,
				    cases[i].pairs[p][0], sign, &err));
		expect(verifies(&fields, cases[i].type, key) == cases[i].ok,
		    "%s", cases[i].why);
		fields_clear(&fields);
	}
	secret_free(key);
}

/* The digits are right and the letters are not upper case. */
static void
test_lower_case(void **state)
{
	struct secret *key = key_new("8f3c1d0e9b7a4652c1e0d9f8a7b6c5d4");

	(void)state;
	for (int type = SIGN2_MD5; type <= SIGN2_HMAC_SHA256; type++) {
		struct fields fields = { 0 };
		struct err err = { 0 };
		char sign[SIGN2_SIZE];

		assert_true(fields_add(&fields, "a", "1", &err));
		assert_true(sign2_sign(&fields, (enum sign2_type)type, key,
		    sign, &err));
		assert_int_equal(strlen(sign), type == SIGN2_MD5 ? 32 : 64);
		assert_non_null(strpbrk(sign, "ABCDEF"));
		for (char *at = sign; *at != '\0'; at++)
			if (*at >= 'A')
				*at = (char)(*at - 'A' + 'a');
		assert_true(fields_add(&fields, "sign", sign, &err));
		assert_false(verifies(&fields, (enum sign2_type)type, key));
		fields_clear(&fields);
	}
	secret_free(key);
}

/* Sorting is by bytes, in any locale, and a field may be called "key". */
static void
test_order(void **state)
{
	static const char *const names[] = { "key", "a_b", "aB", "ab", "Z",
		"_", "0", "\xc3\xa9" };
	struct secret *key = key_new("k");
	char first[SIGN2_SIZE] = "";

	(void)state;
	setlocale(LC_ALL, "C.UTF-8");
	for (size_t turn = 0; turn < COUNT_OF(names); turn++) {
		struct fields fields = { 0 };
		struct err err = { 0 };
		char sign[SIGN2_SIZE];

		for (size_t i = 0; i < COUNT_OF(names); i++)
			assert_true(fields_add(&fields,
			    names[(i + turn) % COUNT_OF(names)], "v", &err));
		assert_true(sign2_sign(&fields, SIGN2_MD5, key, sign, &err));
		if (turn == 0)
			memcpy(first, sign, sizeof(first));
		assert_string_equal(sign, first);
		fields_clear(&fields);
	}
	/* MD5 of "0=v&Z=v&_=v&aB=v&a_b=v&ab=v&key=v&\xc3\xa9=v&key=k" */
	assert_string_equal(first, "2294231C38947FED17AC9022AE06B534");
	secret_free(key);
	setlocale(LC_ALL, "C");
}

static void
test_types(void **state)
{
	enum sign2_type type = 0;

	(void)state;
	assert_true(sign2_type_parse("MD5", &type) && type == SIGN2_MD5);
	assert_true(sign2_type_parse("HMAC-SHA256", &type)
	    && type == SIGN2_HMAC_SHA256);
	assert_false(sign2_type_parse("", &type));
	assert_false(sign2_type_parse("md5", &type));
	assert_false(sign2_type_parse("HMAC-SHA256 ", &type));
	assert_int_equal(type, SIGN2_HMAC_SHA256);
	assert_string_equal(sign2_type_name(SIGN2_MD5), "MD5");
	assert_string_equal(sign2_type_name(SIGN2_HMAC_SHA256),
	    "HMAC-SHA256");
}

static void
test_too_long(void **state)
{
	struct secret *key = key_new("k");
	struct fields fields = { 0 };
	struct err err = { 0 };
	char sign[SIGN2_SIZE];
	char *value = malloc(300 * 1024);

	(void)state;
	assert_non_null(value);
	memset(value, 'x', 300 * 1024 - 1);
	value[300 * 1024 - 1] = '\0';
	assert_true(fields_add(&fields, "body", value, &err));
	assert_false(sign2_sign(&fields, SIGN2_MD5, key, sign, &err));
	assert_int_equal(err.kind, ERR_BUG);
	free(value);
	fields_clear(&fields);
	secret_free(key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign_vectors),
		cmocka_unit_test(test_message_vectors),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_flipped_messages),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_lower_case),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests_name("sign2", tests, xml_start, NULL);
}
