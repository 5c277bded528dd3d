/* jssdk: wx.config's signature is the one that WeChat's own documentation
 * computes, whatever the URL has in it. */
#include "wire/jssdk.h"

#include "../unit.h"
#include "base/str.h"

static const char *
text_of(const json_t *vector, const char *name)
{
	const char *text = json_string_value(json_object_get(vector, name));

	expect(text != NULL, "%s", name);
	return text;
}

static void
test_vectors(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "jssdk", 4);

	(void)state;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *vector = json_array_get(list, i);
		struct jssdk_page page = {
			.ticket = text_of(vector, "jsapi_ticket"),
			.nonce = text_of(vector, "noncestr"),
			.url = text_of(vector, "page_url"),
		};
		struct err err = { 0 };
		char signature[JSSDK_SIZE];

		expect(str_to_long(text_of(vector, "timestamp"), INT32_MAX,
		    &page.at)
		    && jssdk_sign(&page, signature, &err)
		    && str_eq(signature, text_of(vector, "signature")),
		    "%s: %s", text_of(vector, "id"), signature);
	}
	json_decref(all);
}

/* Each of the four is signed. */
static void
test_each_counts(void **state)
{
	static const struct jssdk_page pages[] = {
		{ "t", "n", 1, "https://a/" }, { "u", "n", 1, "https://a/" },
		{ "t", "m", 1, "https://a/" }, { "t", "n", 2, "https://a/" },
		{ "t", "n", 1, "https://a" }, { "t", "n", 1, "https://a/?" },
		{ "t", "n", 1, "https://a/%41" },
		{ "t", "n", 1, "https://a/A" },
	};
	char signatures[COUNT_OF(pages)][JSSDK_SIZE];
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		assert_true(jssdk_sign(&pages[i], signatures[i], &err));
		for (size_t j = 0; j < i; j++)
			expect(!str_eq(signatures[i], signatures[j]),
			    "%zu and %zu", i, j);
	}
}

static void
test_too_long(void **state)
{
	static char url[JSSDK_TEXT_MAX + 1];
	struct jssdk_page page = { "t", "n", 1, url };
	struct err err = { 0 };
	char signature[JSSDK_SIZE] = "";

	(void)state;
	memset(url, 'u', JSSDK_TEXT_MAX);
	assert_false(jssdk_sign(&page, signature, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(signature, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_each_counts),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
