/* buf: it grows to its ceiling and not a byte further, and stays broken. */
#include "base/buf.h"

#include "../unit.h"

static void
test_empty(void **state)
{
	struct buf buf;
	struct buf zero = { 0 };
	char *taken = NULL;

	(void)state;
	buf_init(&buf, 0);
	buf_add(&buf, NULL, 0);
	buf_text(&buf, "");
	buf_format(&buf, "%s", "");
	assert_true(buf_ok(&buf));
	assert_string_equal(buf_get(&buf), "");
	taken = buf_take(&buf);
	assert_non_null(taken);
	assert_string_equal(taken, "");
	free(taken);
	buf_clear(&buf);
	buf_clear(&zero);
}

/* Each way of appending n bytes, below, at and above the ceiling. */
static void
test_ceiling(void **state)
{
	size_t tried = 0;

	(void)state;
	for (size_t max = 0; max < 200; max++) {
		for (int way = 0; way < 3; way++) {
			struct buf buf;

			buf_init(&buf, max);
			for (size_t i = 0; i < max; i++) {
				if (way == 0)
					buf_char(&buf, 'x');
				else if (way == 1)
					buf_text(&buf, "x");
				else
					buf_format(&buf, "%c", 'x');
			}
			assert_true(buf_ok(&buf));
			assert_int_equal(buf.len, max);
			assert_int_equal(strlen(buf_get(&buf)), max);
			buf_char(&buf, 'y');
			assert_false(buf_ok(&buf));
			assert_int_equal(buf.len, max);
			buf_clear(&buf);
			tried++;
		}
	}
	print_message("    ceilings: %zu\n", tried);
}

static void
test_broken_stays(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4);
	buf_text(&buf, "abc");
	buf_format(&buf, "%d", 12345);
	assert_false(buf_ok(&buf));
	buf_char(&buf, 'd');		/* would have fitted */
	assert_false(buf_ok(&buf));
	assert_string_equal(buf_get(&buf), "abc");
	assert_null(buf_take(&buf));
	buf_reset(&buf);
	assert_true(buf_ok(&buf));
	assert_string_equal(buf_get(&buf), "");
	buf_text(&buf, "wxyz");
	assert_true(buf_ok(&buf));
	assert_string_equal(buf_get(&buf), "wxyz");
	buf_clear(&buf);
}

static void
test_huge_length(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, SIZE_MAX);
	buf_text(&buf, "abc");
	buf_add(&buf, "abc", SIZE_MAX - 2);	/* the sum would wrap */
	assert_false(buf_ok(&buf));
	assert_string_equal(buf_get(&buf), "abc");
	buf_clear(&buf);
}

static void
test_bytes(void **state)
{
	struct buf buf;
	char *taken = NULL;

	(void)state;
	buf_init(&buf, 100);
	buf_add(&buf, "a\0b", 3);
	buf_format(&buf, "%s=%d", "n", 7);
	assert_int_equal(buf.len, 6);
	assert_memory_equal(buf_get(&buf), "a\0bn=7", 7);
	taken = buf_take(&buf);
	assert_memory_equal(taken, "a\0bn=7", 7);
	assert_int_equal(buf.len, 0);
	buf_text(&buf, "again");
	assert_string_equal(buf_get(&buf), "again");
	free(taken);
	buf_clear(&buf);
}

static void
test_reset_wipes(void **state)
{
	struct buf buf;
	size_t used = 0;

	(void)state;
	buf_init(&buf, 100);
	buf_text(&buf, "key=192006250b4c09247ec02edce69f6a2d");
	used = buf.len;
	buf_reset(&buf);
	for (size_t i = 0; i <= used; i++)
		assert_int_equal(buf.data[i], 0);
	buf_clear(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_broken_stays),
		cmocka_unit_test(test_huge_length),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_reset_wipes),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
