/* str: text from outside is what it claims to be; UTF-8 as iconv reads it. */
#include "base/str.h"

#include <iconv.h>
#include <limits.h>

#include "../unit.h"

static void
test_copy(void **state)
{
	char out[4] = "zzz";

	(void)state;
	assert_true(str_copy(out, sizeof(out), "abc"));
	assert_string_equal(out, "abc");
	assert_false(str_copy(out, sizeof(out), "abcd"));
	assert_string_equal(out, "");
	assert_true(str_copy(out, 1, ""));
	out[0] = 'k';
	assert_false(str_copy(out, 0, ""));
	assert_int_equal(out[0], 'k');
}

static void
test_is_of(void **state)
{
	static const struct {
		const char *text, *set;
		size_t min, max;
		bool is;
	} cases[] = {
		{ "0123456789", STR_DIGITS, 1, 10, true },
		{ "0123456789", STR_DIGITS, 1, 9, false },
		{ "", STR_DIGITS, 1, 9, false },
		{ "", STR_DIGITS, 0, 9, true },
		{ "12a", STR_DIGITS, 1, 9, false },
		{ "T-1001_2", STR_ALNUM "_-", 6, 28, true },
		{ "T-1001\n", STR_ALNUM "_-", 6, 28, false },
		{ "\xef\xbc\x91", STR_DIGITS, 1, 9, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect(str_is_of(cases[i].text, cases[i].set, cases[i].min,
		    cases[i].max) == cases[i].is, "\"%s\"", cases[i].text);
}

static void
test_has_word(void **state)
{
	static const struct {
		const char *list, *word;
		bool has;
	} cases[] = {
		{ "JSAPI NATIVE", "JSAPI", true },
		{ "JSAPI NATIVE", "NATIVE", true },
		{ "  JSAPI   NATIVE ", "NATIVE", true },
		{ "JSAPI NATIVE", "NATIV", false },
		{ "JSAPI NATIVE", "NATIVES", false },
		{ "JSAPI NATIVE", "API", false },
		{ "JSAPI NATIVE", "JSAPI NATIVE", false },
		{ "JSAPI NATIVE", "", false }, { "", "", false },
		{ " ", " ", false }, { "", "JSAPI", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect(str_has_word(cases[i].list, cases[i].word,
		    strlen(cases[i].word)) == cases[i].has, "\"%s\" in \"%s\"",
		    cases[i].word, cases[i].list);
	assert_true(str_has_word("JSAPI", "JSAPI NATIVE", 5));
}

static void
test_is_among(void **state)
{
	static const char *const names[] = { "NATIVE", "", "JSAPI", NULL };
	static const char *const none[] = { NULL };

	(void)state;
	assert_true(str_is_among("NATIVE", names));
	assert_true(str_is_among("JSAPI", names));
	assert_true(str_is_among("", names));
	assert_false(str_is_among("native", names));
	assert_false(str_is_among("JSAP", names));
	assert_false(str_is_among("", none));
}

/* iconv as a second opinion.  It takes NUL for a character; we do not. */
static bool
iconv_is_utf8(iconv_t iconv_to, const unsigned char *bytes, size_t len)
{
	char copy[8];
	char wide[64];
	char *in = copy;
	char *out = wide;
	size_t in_left = len;
	size_t out_left = sizeof(wide);

	if (memchr(bytes, 0, len) != NULL)
		return false;
	memcpy(copy, bytes, len);
	iconv(iconv_to, NULL, NULL, NULL, NULL);
	return iconv(iconv_to, &in, &in_left, &out, &out_left) != (size_t)-1;
}

static void
utf8_compare(iconv_t iconv_to, const unsigned char *bytes, size_t len)
{
	if (str_is_utf8((const char *)bytes, len)
	    == iconv_is_utf8(iconv_to, bytes, len))
		return;
	for (size_t i = 0; i < len; i++)
		print_error("%02x ", bytes[i]);
	fail();
}

static void
test_utf8_against_iconv(void **state)
{
	static const unsigned char ends[] = { 0x00, 0x41, 0x7f, 0x80, 0xbf,
		0xc0, 0xff };
	iconv_t iconv_to = iconv_open("UTF-32LE", "UTF-8");
	size_t tried = 0;

	(void)state;
	assert_true(iconv_to != (iconv_t)-1);
	for (unsigned n = 0; n < 0x1000000; n++) {
		unsigned char bytes[4] = { (unsigned char)(n >> 16),
			(unsigned char)(n >> 8), (unsigned char)n, 0 };

		/* All of one, two and three bytes, if the third matters. */
		if (n < 0x10000) {
			utf8_compare(iconv_to, bytes + 1, 1);
			utf8_compare(iconv_to, bytes + 1, 2);
			tried += 2;
		}
		if (bytes[0] < 0xc0)
			continue;
		if (bytes[0] < 0xf0) {
			utf8_compare(iconv_to, bytes, 3);
			tried++;
			continue;
		}
		if (bytes[2] % 0x10 != 0)
			continue;
		for (size_t i = 0; i < COUNT_OF(ends); i++) {
			bytes[3] = ends[i];
			utf8_compare(iconv_to, bytes, 4);
			tried++;
		}
	}
	iconv_close(iconv_to);
	print_message("    byte sequences: %zu\n", tried);
}

static void
test_utf8_cut(void **state)
{
	const char *text = "\xe8\x85\xbe\xe8\xae\xaf";

	(void)state;
	assert_true(str_is_utf8(NULL, 0));
	for (size_t len = 0; len <= 6; len++)
		assert_int_equal(str_is_utf8(text, len), len % 3 == 0);
	assert_false(str_is_utf8("a\0b", 3));
}

static void
test_plain(void **state)
{
	(void)state;
	assert_true(str_is_plain(""));
	assert_true(str_is_plain("a\tb\r\nc \xe4\xb8\xad \xc3\xa9"));
	for (int c = 1; c < 0x20; c++) {
		const char text[] = { 'a', (char)c, '\0' };

		assert_int_equal(str_is_plain(text),
		    c == '\t' || c == '\n' || c == '\r');
	}
	assert_false(str_is_plain("\x7f"));
	assert_false(str_is_plain("\xf0\x9f\x98\x80"));
	assert_false(str_is_plain("\xff"));
}

/* The bytes of a text of hexadecimal digits. */
static size_t
hex_parse(const char *hex, char *bytes)
{
	size_t len = strlen(hex) / 2;

	for (size_t i = 0; i < len; i++) {
		const char pair[] = { hex[2 * i], hex[2 * i + 1], '\0' };

		bytes[i] = (char)strtol(pair, NULL, 16);
	}
	bytes[len] = '\0';
	return len;
}

static void
test_plain_vectors(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "utf8_bmp", 9);
	const json_t *vector = NULL;
	size_t i = 0;

	(void)state;
	json_array_foreach(list, i, vector) {
		char bytes[64];
		size_t len = hex_parse(vector_text(vector, "utf8_hex"), bytes);
		bool is = str_is_utf8(bytes, len) && str_is_plain(bytes);

		expect(is == json_is_true(json_object_get(vector,
		    "acceptable")), "%s", vector_text(vector, "id"));
	}
	json_decref(all);
}

static void
test_to_long(void **state)
{
	static const struct {
		const char *text;
		long max;
		long value;	/* -1: refused */
	} cases[] = {
		{ "0", 0, 0 }, { "1", 0, -1 }, { "9", 5, -1 }, { "9", 9, 9 },
		{ "10", 9, -1 }, { "007", 9, -1 }, { "00", 9, -1 },
		{ "", 9, -1 }, { "+1", 9, -1 }, { "-1", 9, -1 },
		{ " 1", 9, -1 }, { "1 ", 9, -1 }, { "1\n", 9, -1 },
		{ "1.0", 9, -1 }, { "1e2", 999, -1 }, { "0x10", 99, -1 },
		{ "2147483647", INT_MAX, INT_MAX },
		{ "2147483648", INT_MAX, -1 },
		{ "9223372036854775807", LONG_MAX, LONG_MAX },
		{ "9223372036854775808", LONG_MAX, -1 },
		{ "9999999999999999999", LONG_MAX, -1 },
		{ "18446744073709551617", LONG_MAX, -1 },
		{ "1000000000000000000000000000000000000000", LONG_MAX, -1 },
		{ "\xef\xbc\x91", 9, -1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		long value = -1;
		bool ok = str_to_long(cases[i].text, cases[i].max, &value);

		expect(ok == (cases[i].value >= 0) && value == cases[i].value,
		    "\"%s\"", cases[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_is_of),
		cmocka_unit_test(test_has_word),
		cmocka_unit_test(test_is_among),
		cmocka_unit_test(test_utf8_against_iconv),
		cmocka_unit_test(test_utf8_cut),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_plain_vectors),
		cmocka_unit_test(test_to_long),
	};

	return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
