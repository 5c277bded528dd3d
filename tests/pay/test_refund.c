/*
 * Proves which refund numbers and reasons are taken, what WeChat's words for
 * a refund mean [v2.md 8.2, 15.2; v3.md 12.1, 21.4], and the schedule of
 * design.md 2.
 */
#include "pay/refund.h"

#include "../unit.h"

static void
test_numbers(void **state)
{
	char text[OUT_REFUND_NO_MAX + 2];
	struct err err = { 0 };

	(void)state;
	memset(text, 'R', sizeof(text));
	text[OUT_REFUND_NO_MAX + 1] = '\0';
	assert_false(refund_no_check(text, &err));
	text[OUT_REFUND_NO_MAX] = '\0';
	assert_true(refund_no_check(text, &err));
	assert_true(refund_no_check("R", &err));
	assert_true(refund_no_check("T-1001_r1", &err));
	assert_true(refund_no_check("a_-|*@9", &err));
	assert_false(refund_no_check("", &err));
	assert_false(refund_no_check("R/1", &err));
	assert_false(refund_no_check("R 1", &err));
	assert_false(refund_no_check("R%1", &err));
	assert_false(refund_no_check("R'1", &err));
	assert_false(refund_no_check("退", &err));
	assert_int_equal(err.kind, ERR_INPUT);
}

static void
test_reasons(void **state)
{
	char text[REFUND_REASON_MAX + 2];
	struct err err = { 0 };

	(void)state;
	memset(text, 'x', sizeof(text));
	text[REFUND_REASON_MAX + 1] = '\0';
	assert_false(refund_reason_check(text, &err));
	text[REFUND_REASON_MAX] = '\0';
	assert_true(refund_reason_check(text, &err));
	assert_true(refund_reason_check("", &err));
	assert_true(refund_reason_check("商品已售完 <&>", &err));
	assert_false(refund_reason_check("\x01", &err));
	assert_false(refund_reason_check("\xf0\x9f\x98\xa1", &err));
	assert_false(refund_reason_check("\xff", &err));
}

static void
test_words(void **state)
{
	static const struct {
		const char *word;
		enum refund_fate fate;
	} cases[] = {
		{ "SUCCESS", REFUND_SUCCESS },
		{ "PROCESSING", REFUND_PROCESSING },
		{ "REFUNDCLOSE", REFUND_CLOSED },
		{ "CHANGE", REFUND_ABNORMAL },
		{ "CLOSED", REFUND_CLOSED },
		{ "CLOSE", REFUND_CLOSED },
		{ "ABNORMAL", REFUND_ABNORMAL },
		{ "CLOSE ", REFUND_UNKNOWN }, { "Closed", REFUND_UNKNOWN },
		{ "", REFUND_UNKNOWN }, { "FAIL", REFUND_UNKNOWN },
		{ "success", REFUND_UNKNOWN }, { "SUCCESS\n", REFUND_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(refund_fate_of(cases[i].word),
		    cases[i].fate);
}

/* Walks the ages at which a punctual worker asks. */
static void
test_schedule(void **state)
{
	static const long gaps[] = {
		60, 60, 60, 60, 60, 300, 600, 1200, 1800, 3600, 3600,
	};
	long age = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(gaps); i++) {
		assert_int_equal(refund_next_check(age, 60), gaps[i]);
		age += gaps[i];
	}
	for (age = -100; age < 20000; age++)
		assert_in_range(refund_next_check(age, 60), 1, 3600);
	assert_int_equal(refund_next_check(0, 2), 2);
	assert_int_equal(refund_next_check(299, 2), 2);
	assert_int_equal(refund_next_check(300, 2), 300);
	assert_int_equal(refund_next_check(200, 100), 60);
}

static void
test_schedule_abnormal(void **state)
{
	(void)state;
	assert_int_equal(refund_next_check_abnormal(-1), 3600);
	assert_int_equal(refund_next_check_abnormal(0), 3600);
	assert_int_equal(refund_next_check_abnormal(86399), 3600);
	assert_int_equal(refund_next_check_abnormal(86400), 86400);
	assert_int_equal(refund_next_check_abnormal(8640000), 86400);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_schedule),
		cmocka_unit_test(test_schedule_abnormal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
