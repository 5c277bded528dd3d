/* base64: one spelling of each string of bytes, and no other is taken. */
#include "wire/base64.h"

#include "../unit.h"

static void
test_rfc4648(void **state)
{
	/* [RFC 4648, section 10] */
	static const struct {
		const char *plain, *base64;
	} cases[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *base64 = cases[i].base64;
		struct buf text;
		struct buf bytes;

		buf_init(&text, 100);
		buf_init(&bytes, 100);
		base64_format(cases[i].plain, strlen(cases[i].plain), &text);
		assert_string_equal(buf_get(&text), base64);
		assert_int_equal(text.len + 1,
		    BASE64_SIZE(strlen(cases[i].plain)));
		assert_true(base64_parse(base64, strlen(base64), &bytes));
		assert_string_equal(buf_get(&bytes), cases[i].plain);
		buf_clear(&bytes);
		buf_clear(&text);
	}
}

/* Every length across the steps of encoding, every byte. */
static void
test_round_trip(void **state)
{
	unsigned char plain[400];

	(void)state;
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)(i * 7 + i / 256);
	for (size_t len = 0; len <= sizeof(plain); len++) {
		struct buf text;
		struct buf bytes;

		buf_init(&text, BASE64_SIZE(sizeof(plain)));
		buf_init(&bytes, sizeof(plain));
		base64_format(plain, len, &text);
		assert_true(base64_parse(buf_get(&text), text.len, &bytes));
		assert_true(buf_ok(&text) && buf_ok(&bytes));
		assert_int_equal(bytes.len, len);
		assert_memory_equal(buf_get(&bytes), plain, len);
		buf_clear(&bytes);
		buf_clear(&text);
	}
	print_message("    lengths: %zu\n", sizeof(plain) + 1);
}

static void
refused(const char *text, size_t len)
{
	struct buf out;

	buf_init(&out, 100);
	expect(!base64_parse(text, len, &out), "\"%s\"", text);
	assert_int_equal(out.len, 0);
	assert_true(buf_ok(&out));
	buf_clear(&out);
}

static void
test_refused(void **state)
{
	static const char *const cases[] = {
		"Z", "Zg", "Zg=", "Zg===", "=", "==", "===", "====", "Z===",
		"Zg==Zg==", "Zm9=", "Zh==", "Zm9v\n", "Zm9v\r\n", " Zm9v",
		"Zm9v    ", "Zm 9", "Zm\n9", "Zm9-", "Zm9_", "Zm9*",
		"Zg=v", "=g==", "Zm9vYg", "Zm9vY===", "\xc3\xa9zz",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		refused(cases[i], strlen(cases[i]));
	refused("Zm9\0", 4);
	refused("\0\0\0\0", 4);
}

/* Of all quads with one strange byte, only the 64 digits are right. */
static void
test_every_byte(void **state)
{
	size_t taken = 0;

	(void)state;
	for (int c = 0; c < 256; c++) {
		for (size_t at = 0; at < 4; at++) {
			char quad[] = "AAAA";
			struct buf out;

			quad[at] = (char)c;
			buf_init(&out, 3);
			taken += base64_parse(quad, 4, &out);
			buf_clear(&out);
		}
	}
	assert_int_equal(taken, 4 * 64 + 1);	/* and "AAA=" */
}

static void
test_hex(void **state)
{
	static const unsigned char bytes[] = { 0x00, 0x9a, 0xbf, 0xff };
	char out[9];

	(void)state;
	hex_format_lower(bytes, sizeof(bytes), out);
	assert_string_equal(out, "009abfff");
	hex_format_upper(bytes, sizeof(bytes), out);
	assert_string_equal(out, "009ABFFF");
	hex_format_upper(bytes, 0, out);
	assert_string_equal(out, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc4648),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
