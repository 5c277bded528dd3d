/* clock: Beijing time agrees with the C library on every day until 9999. */
#include "base/clock.h"

#include "../unit.h"

#define BEIJING (8 * 3600)
#define LAST INT64_C(253402300799)	/* 9999-12-31T23:59:59Z */

static void
test_vectors(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "beijing_time", 6);
	const json_t *vector = NULL;
	size_t i = 0;

	(void)state;
	json_array_foreach(list, i, vector) {
		const char *text = vector_text(vector, "text");
		epoch_t at = 0;
		bool ok = strchr(text, '-') == NULL
		    ? clock_parse_compact(text, &at)
		    : clock_parse_spaced(text, &at);

		expect(ok && at == json_integer_value(json_object_get(vector,
		    "unix")), "%s", vector_text(vector, "id"));
	}
	json_decref(all);
}

/* gmtime_r and timegm are the second opinion; they know no Beijing. */
static void
test_every_day(void **state)
{
	int days = 0;

	(void)state;
	for (epoch_t at = -BEIJING; at <= LAST - BEIJING;
	    at += 86400 + days % 2) {
		time_t beijing = at + BEIJING;
		struct tm tm = { 0 };
		char want[80];
		char got[CLOCK_COMPACT_SIZE];
		epoch_t back = 0;

		gmtime_r(&beijing, &tm);
		strftime(want, sizeof(want), "%Y%m%d%H%M%S", &tm);
		clock_format_compact(at, got);
		expect(strcmp(got, want) == 0, "%lld: %s, not %s",
		    (long long)at, got, want);
		expect(clock_parse_compact(got, &back) && back == at, "%s",
		    got);
		days++;
	}
	print_message("    days: %d\n", days);
}

static void
test_formats(void **state)
{
	char compact[CLOCK_COMPACT_SIZE];
	char rfc3339[CLOCK_RFC3339_SIZE];
	epoch_t at = 0;

	(void)state;
	clock_format_compact(1772328600, compact);
	assert_string_equal(compact, "20260301093000");
	clock_format_rfc3339(1772328600, rfc3339);
	assert_string_equal(rfc3339, "2026-03-01T09:30:00+08:00");
	assert_true(clock_parse_rfc3339(rfc3339, &at));
	assert_true(at == 1772328600);
	assert_true(clock_parse_spaced("2026-03-01 09:30:00", &at));
	assert_true(at == 1772328600);
	clock_format_rfc3339(-BEIJING, rfc3339);
	assert_string_equal(rfc3339, "1970-01-01T00:00:00+08:00");
	clock_format_rfc3339(LAST - BEIJING, rfc3339);
	assert_string_equal(rfc3339, "9999-12-31T23:59:59+08:00");
}

static void
test_rfc3339(void **state)
{
	static const struct {
		const char *text;
		epoch_t at;	/* -1: refused */
	} cases[] = {
		{ "2026-03-01T09:30:00+08:00", 1772328600 },
		{ "2026-03-01T01:30:00Z", 1772328600 },
		{ "2026-03-01T01:30:00+00:00", 1772328600 },
		{ "2026-02-28T20:00:00-05:30", 1772328600 },
		{ "2026-03-01T15:29:00+13:59", 1772328600 },
		{ "9999-12-31T23:59:59+08:00", LAST - BEIJING },
		{ "9999-12-31T23:59:59Z", -1 },	/* no Beijing year */
		{ "1969-12-31T23:59:59+08:00", -1 },
		{ "1970-01-01T00:00:00+23:59", -1 },
		{ "2026-03-01T09:30:00", -1 },
		{ "2026-03-01T09:30:00+0800", -1 },
		{ "2026-03-01T09:30:00+08", -1 },
		{ "2026-03-01T09:30:00+24:00", -1 },
		{ "2026-03-01T09:30:00+08:60", -1 },
		{ "2026-03-01T09:30:00+08:00 ", -1 },
		{ "2026-03-01T09:30:00+08:000", -1 },
		/* [v3.md 2] fractions, of any length, and none without digits */
		{ "2026-03-01T09:30:00.5+08:00", 1772328600 },
		{ "2026-03-01T09:30:00.120+08:00", 1772328600 },
		{ "2026-03-01T01:30:00.999999999Z", 1772328600 },
		{ "2026-03-01T09:30:00.+08:00", -1 },
		{ "2026-03-01T09:30:00.", -1 },
		{ "2026-03-01T09:30:00.5", -1 },
		{ "2026-03-01T09:30:00,5+08:00", -1 },
		{ "2026-03-01T09:30:00.5.5+08:00", -1 },
		{ "2026-03-01T09:30:00.-5+08:00", -1 },
		{ "2026-03-01T09:30:00.5 +08:00", -1 },
		{ "2026-03-01T09:30.5:00+08:00", -1 },
		{ "2026-03-01t09:30:00z", -1 },
		{ "2026-03-01 09:30:00+08:00", -1 },
		{ "2026-3-1T09:30:00+08:00", -1 },
		{ "2026-03-01T09:30:60Z", -1 },
		{ "", -1 }, { "Z", -1 }, { "2026", -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		epoch_t at = -1;

		expect(clock_parse_rfc3339(cases[i].text, &at)
		    == (cases[i].at >= 0) && at == cases[i].at, "\"%s\"",
		    cases[i].text);
	}
}

static void
test_no_such_moment(void **state)
{
	static const char *const compact[] = {
		"", "2024", "2024011500000", "202401150000000",
		"20240115 00000", "20240115000000 ", " 20240115000000",
		"20240015000000", "20241315000000", "20240100000000",
		"20240132000000", "20240230000000", "20230229000000",
		"21000229000000", "20240431000000", "20240115240000",
		"20240115006000", "20240115000060", "19691231235959",
		"00000101000000", "2024011500000a", "+0240115000000",
		"-0240115000000", "2024011500000\xef\xbc\x91",
		"2024-01-15 00:00:00",
	};
	static const char *const spaced[] = {
		"", "2024-01-15", "2024-01-15T00:00:00",
		"2024-01-15 00:00:00.0", "2024-1-15 00:00:00",
		"2024/01/15 00:00:00", "2024-01-15  0:00:00",
		"2024-02-30 00:00:00", "20240115000000",
		"2024-01-15 00:00:00+08:00",
	};
	epoch_t at = -7;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(compact); i++)
		expect(!clock_parse_compact(compact[i], &at), "\"%s\"",
		    compact[i]);
	for (size_t i = 0; i < COUNT_OF(spaced); i++)
		expect(!clock_parse_spaced(spaced[i], &at), "\"%s\"",
		    spaced[i]);
	assert_true(at == -7);
	assert_true(clock_parse_compact("20240229000000", &at));
	assert_true(clock_parse_compact("20000229000000", &at));
}

static void
test_zone_is_ignored(void **state)
{
	char before[CLOCK_RFC3339_SIZE];
	char after[CLOCK_RFC3339_SIZE];
	epoch_t at = 0;

	(void)state;
	clock_format_rfc3339(1772328600, before);
	assert_int_equal(setenv("TZ", "America/New_York", 1), 0);
	tzset();
	clock_format_rfc3339(1772328600, after);
	assert_string_equal(after, before);
	assert_true(clock_parse_compact("20260301093000", &at));
	assert_true(at == 1772328600);
	assert_int_equal(unsetenv("TZ"), 0);
	tzset();
}

static void
test_clocks(void **state)
{
	int64_t before = clock_monotonic_ms();

	(void)state;
	assert_true(clock_now() - time(NULL) <= 1);
	assert_true(time(NULL) - clock_now() <= 1);
	for (int i = 0; i < 1000; i++) {
		int64_t after = clock_monotonic_ms();

		assert_true(after >= before);
		before = after;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_every_day),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_rfc3339),
		cmocka_unit_test(test_no_such_moment),
		cmocka_unit_test(test_zone_is_ignored),
		cmocka_unit_test(test_clocks),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
