/*
 * Proves which trade types and openids are taken, which type a browser gets, what WeChat's words for a
 * payment mean [v2.md 7.3], and the schedule of design.md 2.
 */
#include "pay/payment.h"

#include "base/str.h"

#include "../unit.h"

static void
test_trade_types(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{ "JSAPI", true }, { "NATIVE", true }, { "MWEB", true },
		{ "APP", false }, { "MICROPAY", false }, { "", false },
		{ "jsapi", false }, { "JSAPI ", false }, { "NATIV", false },
		{ "JSAPI NATIVE", false }, { " ", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err = { 0 };

		assert_int_equal(payment_trade_type_check(cases[i].text,
		    "JSAPI  NATIVE MWEB", &err), cases[i].good);
		assert_int_equal(err.kind,
		    cases[i].good ? ERR_NONE : ERR_INPUT);
	}
}

static void
test_trade_type_lists(void **state)
{
	static const struct {
		const char *list;
		bool good;
	} cases[] = {
		{ "NATIVE", true }, { "APP MWEB NATIVE JSAPI", true },
		{ "  JSAPI   APP ", true }, { "", false }, { "  ", false },
		{ "NATIVE MICROPAY", false }, { "NATIVE,JSAPI", false },
		{ "native", false }, { "NATIVE\tJSAPI", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err = { 0 };

		expect(payment_trade_types_check(cases[i].list, &err)
		    == cases[i].good, "\"%s\": %s", cases[i].list, err.text);
	}
}

#define ALL "NATIVE JSAPI MWEB APP"

/* A type that is not enabled is never chosen. */
static void
test_trade_type_of(void **state)
{
	static const struct {
		const char *user_agent, *wanted;
	} browsers[] = {
		{ "", "NATIVE" }, { "curl/8.5", "NATIVE" },
		{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126",
		  "NATIVE" },
		{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Safari/605",
		  "NATIVE" },
		{ "Mozilla/5.0 (X11; Linux x86_64) Firefox/128", "NATIVE" },
		{ "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4) Version/17.4 "
		  "Mobile/15E148 Safari/604.1", "MWEB" },
		{ "Mozilla/5.0 (iPad; CPU OS 12_2) Safari/604.1", "MWEB" },
		{ "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126 Mobile",
		  "MWEB" },
		{ "Mozilla/5.0 (Linux; Android 13; SM-X700) Chrome/126",
		  "MWEB" },
		{ "Mozilla/5.0 (Phone; OpenHarmony 5.0) ArkWeb/4 Mobile",
		  "MWEB" },
		{ "Mozilla/5.0 (iPhone) Mobile/15E148 MicroMessenger/8.0.48 "
		  "NetType/WIFI", "JSAPI" },
		{ "Mozilla/5.0 (Linux; Android 14) Chrome/126 Mobile "
		  "MicroMessenger/8.0.49 miniProgram/wx1", "JSAPI" },
		{ "Mozilla/5.0 (Windows NT 10.0) MicroMessenger/7.0.20 "
		  "WindowsWechat", "JSAPI" },
		{ "micromessenger", "JSAPI" },
	};
	static const struct {
		const char *enabled, *otherwise;
	} lists[] = {
		{ ALL, "NATIVE" }, { "NATIVE", "NATIVE" },
		{ "JSAPI NATIVE", "NATIVE" }, { "JSAPI", "JSAPI" },
		{ "MWEB JSAPI", "MWEB" }, { " APP", "APP" },
		{ "APP MWEB", "APP" }, { "JSAPI MWEB", "JSAPI" },
	};
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(browsers); i++)
	for (size_t j = 0; j < COUNT_OF(lists); j++) {
		const char *list = lists[j].enabled;
		const char *got = payment_trade_type_of(
		    browsers[i].user_agent, list);

		assert_true(payment_trade_type_check(got, list, &err));
		expect(str_eq(got, payment_trade_type_check(
		    browsers[i].wanted, list, &err) ? browsers[i].wanted
		    : lists[j].otherwise), "%s with %s: %s",
		    browsers[i].user_agent, list, got);
	}
	print_message("    browsers: %zu, with %zu lists each\n",
	    COUNT_OF(browsers), COUNT_OF(lists));
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
		{ "PAYERROR", PAYMENT_FAILED },
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
	assert_int_equal(PAYMENT_CODE_CHECK_S, 5);	/* after the charge */
	assert_int_equal(payment_next_code_check(0), 5);
	assert_int_equal(payment_next_code_check(299), 5);
	assert_int_equal(payment_next_code_check(300), 60);
	assert_int_equal(payment_next_code_check(3599), 60);
	assert_int_equal(payment_next_code_check(3600), 1800);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trade_types),
		cmocka_unit_test(test_trade_type_lists),
		cmocka_unit_test(test_trade_type_of),
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
