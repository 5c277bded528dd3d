/*
 * Proves which trade types and openids are taken, what WeChat's words for a
 * payment mean [v2.md 7.3], and the schedule of design.md 2.
 */
#include "pay/payment.h"

#include "../unit.h"

static void
test_trade_types(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{ "JSAPI", true }, { "NATIVE", true }, { "", false },
		{ "APP", false }, { "MWEB", false }, { "jsapi", false },
		{ "JSAPI ", false }, { "NATIV", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err = { 0 };

		assert_int_equal(payment_trade_type_check(cases[i].text, &err),
		    cases[i].good);
		assert_int_equal(err.kind,
		    cases[i].good ? ERR_NONE : ERR_INPUT);
	}
}

static void
test_openids(void **state)
{
	char text[OPENID_MAX + 2];
	struct err err = { 0 };

	(void)state;
	memset(text, 'o', sizeof(text));
	text[OPENID_MAX + 1] = '\0';
	assert_false(payment_openid_check(text, &err));
	text[OPENID_MAX] = '\0';
	assert_true(payment_openid_check(text, &err));
	assert_true(payment_openid_check("oUpF8uMEb4qRXf22hE3X68TekukE", &err));
	assert_true(payment_openid_check("a-b_C", &err));
	assert_false(payment_openid_check("", &err));
	assert_false(payment_openid_check("o'", &err));
	assert_false(payment_openid_check("o u", &err));
	assert_false(payment_openid_check("o\xc3\xa9", &err));
}

static void
test_auth_codes(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{ "100000000000000000", true }, { "134567890123456789", true },
		{ "159999999999999999", true },
		{ "160000000000000000", false },
		{ "090000000000000000", false },
		{ "200000000000000000", false }, { "", false },
		{ "13456789012345678", false },
		{ "1345678901234567890", false },
		{ "13456789012345678x", false },
		{ "13456789012345678 ", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err = { 0 };

		assert_int_equal(payment_auth_code_check(cases[i].text, &err),
		    cases[i].good);
		/* who tells people of it does not tell the code */
		assert_null(strstr(err.text, "3456789"));
	}
}

static void
test_transaction_ids(void **state)
{
	(void)state;
	assert_true(payment_is_transaction_id("4200002024011512345678901234"));
	assert_false(payment_is_transaction_id("420000202401151234567890123"));
	assert_false(payment_is_transaction_id(
	    "42000020240115123456789012345"));
	assert_false(payment_is_transaction_id("420000202401151234567890123x"));
	assert_false(payment_is_transaction_id(""));
}

static void
test_words(void **state)
{
	static const struct {
		const char *word;
		enum payment_fate fate;
	} cases[] = {
		{ "SUCCESS", PAYMENT_PAID }, { "REFUND", PAYMENT_PAID },
		{ "NOTPAY", PAYMENT_UNPAID }, { "NOPAY", PAYMENT_UNPAID },
		{ "USERPAYING", PAYMENT_UNPAID }, { "ACCEPT", PAYMENT_UNPAID },
		{ "CLOSED", PAYMENT_CLOSED }, { "REVOKED", PAYMENT_CLOSED },
		{ "PAYERROR", PAYMENT_UNPAID },
		/* O9: a word we do not know decides nothing */
		{ "", PAYMENT_UNKNOWN }, { "success", PAYMENT_UNKNOWN },
		{ "SUCCESS ", PAYMENT_UNKNOWN }, { "PAID", PAYMENT_UNKNOWN },
		{ "CLOSE", PAYMENT_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(payment_fate_of(cases[i].word),
		    cases[i].fate);
}

/* Walks the ages at which a punctual worker asks. */
static void
test_schedule(void **state)
{
	static const long late[] = {	/* gaps from ten minutes on */
		60, 180, 300, 600, 1800, 1800, 1800,
	};
	long age = 0, asked = 0;

	(void)state;
	assert_int_equal(payment_next_check(0, 20, 30), 20);
	for (age = 20; age < 600; age += 30) {
		assert_int_equal(payment_next_check(age, 20, 30), 30);
		asked++;
	}
	for (size_t i = 0; i < COUNT_OF(late); i++) {
		assert_int_equal(payment_next_check(age, 20, 30), late[i]);
		age += late[i];
	}
	print_message("asked %ld times within ten minutes\n", asked);
}

/* Late or early, the next time is always ahead and never far. */
static void
test_schedule_any_age(void **state)
{
	(void)state;
	for (long age = -100; age < 20000; age++) {
		long gap = payment_next_check(age, 20, 30);

		assert_in_range(gap, 1, 1800);
		if (age < 20)
			assert_int_equal(gap, age < 0 ? 20 : 20 - age);
	}
	/* the demo's clock is faster */
	assert_int_equal(payment_next_check(0, 1, 1), 1);
	assert_int_equal(payment_next_check(5, 1, 1), 1);
	assert_int_equal(payment_next_check(700, 900, 30), 200);
}

static void
test_code_schedule(void **state)
{
	(void)state;
	assert_int_equal(payment_next_code_check(0), PAYMENT_CODE_CHECK_S);
	assert_int_equal(payment_next_code_check(299), PAYMENT_CODE_CHECK_S);
	assert_int_equal(payment_next_code_check(300), 60);
	assert_int_equal(payment_next_code_check(3599), 60);
	assert_int_equal(payment_next_code_check(3600), 1800);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trade_types),
		cmocka_unit_test(test_openids),
		cmocka_unit_test(test_auth_codes),
		cmocka_unit_test(test_transaction_ids),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_schedule),
		cmocka_unit_test(test_schedule_any_age),
		cmocka_unit_test(test_code_schedule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
