/* fields: a name stands once, whatever comes, and nothing is lost. */
#include "wire/fields.h"

#include "../unit.h"

static void
test_add_and_get(void **state)
{
	struct fields fields;
	struct err err = { 0 };

	(void)state;
	fields_init(&fields);
	assert_null(fields_get(&fields, "a"));
	assert_string_equal(fields_text(&fields, "a"), "");
	assert_true(fields_add(&fields, "a", "1", &err));
	assert_true(fields_add(&fields, "ab", "", &err));
	assert_true(fields_add_bytes(&fields, "abc!", 3, "23!", 2, &err));
	assert_string_equal(fields_get(&fields, "a"), "1");
	assert_string_equal(fields_get(&fields, "ab"), "");
	assert_string_equal(fields_get(&fields, "abc"), "23");
	assert_null(fields_get(&fields, "abcd"));
	assert_null(fields_get(&fields, ""));
	assert_null(fields_get(&fields, "A"));
	fields_clear(&fields);
	assert_int_equal(fields.count, 0);
	fields_clear(&fields);
}

static void
test_doubled(void **state)
{
	struct fields fields = { 0 };
	struct err err = { 0 };
	struct err other = { 0 };

	(void)state;
	assert_true(fields_add(&fields, "total_fee", "1", &err));
	assert_true(fields_add(&fields, "Total_fee", "2", &err));
	assert_false(fields_add(&fields, "total_fee", "100", &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(err.text, "\"total_fee\" stands twice");
	assert_false(fields_add_bytes(&fields, "total_feex", 9, "1", 1,
	    &other));
	assert_int_equal(other.kind, ERR_INPUT);
	assert_string_equal(fields_get(&fields, "total_fee"), "1");
	assert_int_equal(fields.count, 2);
	fields_clear(&fields);
}

static void
test_bytes_refused(void **state)
{
	static const struct {
		const char *name;
		size_t name_len;
		const char *value;
		size_t value_len;
	} cases[] = {
		{ "a\0b", 3, "1", 1 }, { "a", 1, "1\0" "2", 3 },
		{ "a", 1, "\0", 1 }, { "\xff", 1, "1", 1 },
		{ "a", 1, "\xc0\xaf", 2 }, { "a", 1, "\xe4\xb8", 2 },
		{ "a", 1, "\xed\xa0\x80", 3 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fields fields = { 0 };
		struct err err = { 0 };

		expect(!fields_add_bytes(&fields, cases[i].name,
		    cases[i].name_len, cases[i].value, cases[i].value_len,
		    &err) && err.kind == ERR_INPUT, "%zu", i);
		assert_int_equal(fields.count, 0);
		fields_clear(&fields);
	}
}

static void
test_ceiling(void **state)
{
	struct fields fields = { 0 };
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < FIELDS_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "coupon_id_%d", i);
		assert_true(fields_add(&fields, name, name, &err));
	}
	assert_false(fields_add(&fields, "one_more", "1", &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(fields.count, FIELDS_MAX);
	assert_string_equal(fields_get(&fields, "coupon_id_299"),
	    "coupon_id_299");
	fields_clear(&fields);
}

static void
test_only(void **state)
{
	static const char *const known[] = { "order_no", "token", NULL };
	static const char *const none[] = { NULL };
	struct fields fields = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_true(fields_only(&fields, none, &err));
	assert_true(fields_add(&fields, "token", "t", &err));
	assert_true(fields_only(&fields, known, &err));
	assert_true(fields_add(&fields, "tokens", "t", &err));
	assert_false(fields_only(&fields, known, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_non_null(strstr(err.text, "\"tokens\""));
	fields_clear(&fields);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add_and_get),
		cmocka_unit_test(test_doubled),
		cmocka_unit_test(test_bytes_refused),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_only),
	};

	return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
