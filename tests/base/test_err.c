/* err: the first failure stays, and no text outgrows its place. */
#include "base/err.h"

#include "../unit.h"

static void
test_first_wins(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_false(err_set(&err, ERR_AUTH, "sign is %s", "wrong"));
	assert_false(err_set(&err, ERR_BUG, "later"));
	assert_int_equal(err.kind, ERR_AUTH);
	assert_string_equal(err.text, "sign is wrong");
}

static void
test_in(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_false(err_in(&err, "nothing failed"));
	assert_int_equal(err.kind, ERR_NONE);
	assert_string_equal(err.text, "");
	err_set(&err, ERR_INPUT, "not a number");
	assert_false(err_in(&err, "total_fee"));
	assert_false(err_in(&err, "form"));
	assert_string_equal(err.text, "form: total_fee: not a number");
}

static void
test_cut(void **state)
{
	struct err err = { 0 };
	char wide[400];

	(void)state;
	memset(wide, 'x', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	err_set(&err, ERR_INPUT, "%s", wide);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_in(&err, "where");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "where: xxx", 10);
	err_in(&err, wide);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void
test_kind_names(void **state)
{
	(void)state;
	for (int kind = ERR_NONE; kind < ERR_KINDS; kind++) {
		const char *name = err_kind_name((enum err_kind)kind);

		assert_memory_equal(name, "ERR_", 4);
		for (int other = 0; other < kind; other++)
			assert_string_not_equal(name,
			    err_kind_name((enum err_kind)other));
	}
	assert_string_equal(err_kind_name(ERR_UNSURE), "ERR_UNSURE");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_wins),
		cmocka_unit_test(test_in),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_kind_names),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
