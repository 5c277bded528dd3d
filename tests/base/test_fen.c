/* fen: one spelling of each amount, and sums that cannot leave the range. */
#include "base/fen.h"

#include "../unit.h"

static void
test_parse(void **state)
{
	/* threats.md P1, and more */
	static const char *const refused[] = {
		"", "0", "00", "01", "-1", "+1", " 1", "1 ", "1\n", "1.0",
		"1,0", "1e2", "0x10", "NaN", "inf", "2147483648",
		"4294967297", "9223372036854775808",
		"1234567890123456789012345678901234567890",
		"\xef\xbc\x91", "1\xc2\xa0", "one",
	};
	static const struct {
		const char *text;
		fen_t fen;
	} taken[] = {
		{ "1", 1 }, { "9", 9 }, { "10", 10 }, { "100", 100 },
		{ "2147483647", FEN_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		fen_t fen = -7;

		expect(!fen_parse(refused[i], &fen) && fen == -7, "\"%s\"",
		    refused[i]);
	}
	for (size_t i = 0; i < COUNT_OF(taken); i++) {
		char text[FEN_TEXT_SIZE];
		fen_t fen = 0;

		expect(fen_parse(taken[i].text, &fen)
		    && fen == taken[i].fen, "\"%s\"", taken[i].text);
		fen_format(fen, text);
		assert_string_equal(text, taken[i].text);
	}
}

static void
test_yuan_vectors(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "yuan_to_fen", 17);
	const json_t *vector = NULL;
	size_t i = 0;

	(void)state;
	json_array_foreach(list, i, vector) {
		const json_t *want = json_object_get(vector, "fen");
		fen_t fen = 0;
		bool ok = fen_parse_yuan(vector_text(vector, "yuan"), &fen);

		expect(ok == json_is_integer(want)
		    && (!ok || fen == json_integer_value(want)), "%s",
		    vector_text(vector, "id"));
	}
	json_decref(all);
}

static void
test_yuan(void **state)
{
	static const char *const refused[] = {
		"-", ".", "1.", ".5", "00", "01", "00.10", "+1", "1.2.3",
		"1.-2", "0.001", "0.100", " 1", "1 ", "1.2 ",
		"1000000000000000", "99999999999999999999",
	};
	static const struct {
		const char *yuan;
		fen_t fen;
		const char *back;
	} taken[] = {
		{ "0", 0, "0.00" }, { "0.5", 50, "0.50" },
		{ "0.05", 5, "0.05" }, { "12.34", 1234, "12.34" },
		{ "-12.34", -1234, "-12.34" }, { "-0.05", -5, "-0.05" },
		{ "21474836.47", FEN_MAX, "21474836.47" },
		{ "999999999999999.99", INT64_C(99999999999999999),
		    "999999999999999.99" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		fen_t fen = -7;

		expect(!fen_parse_yuan(refused[i], &fen) && fen == -7,
		    "\"%s\"", refused[i]);
	}
	for (size_t i = 0; i < COUNT_OF(taken); i++) {
		char text[FEN_YUAN_SIZE];
		fen_t fen = 0;

		expect(fen_parse_yuan(taken[i].yuan, &fen)
		    && fen == taken[i].fen, "\"%s\"", taken[i].yuan);
		fen_format_yuan(fen, text);
		assert_string_equal(text, taken[i].back);
	}
}

/* Every amount up to 10 yuan and a stride through the rest, there and back. */
static void
test_round_trip(void **state)
{
	size_t tried = 0;

	(void)state;
	for (fen_t fen = 1; fen <= FEN_MAX; fen += fen < 1000 ? 1 : 99991) {
		char text[FEN_TEXT_SIZE];
		char yuan[FEN_YUAN_SIZE];
		fen_t back = 0;

		fen_format(fen, text);
		assert_true(fen_parse(text, &back));
		assert_true(back == fen);
		fen_format_yuan(fen, yuan);
		assert_true(fen_parse_yuan(yuan, &back));
		assert_true(back == fen);
		tried++;
	}
	print_message("    amounts: %zu\n", tried);
}

static void
test_extremes(void **state)
{
	char text[FEN_TEXT_SIZE];
	char yuan[FEN_YUAN_SIZE];

	(void)state;
	fen_format(INT64_MIN, text);
	assert_string_equal(text, "-9223372036854775808");
	fen_format_yuan(INT64_MIN, yuan);
	assert_string_equal(yuan, "-92233720368547758.08");
	fen_format_yuan(INT64_MAX, yuan);
	assert_string_equal(yuan, "92233720368547758.07");
}

static void
test_sums(void **state)
{
	fen_t out = -7;

	(void)state;
	assert_true(fen_add(0, 0, &out) && out == 0);
	assert_true(fen_add(1, FEN_MAX - 1, &out) && out == FEN_MAX);
	assert_false(fen_add(1, FEN_MAX, &out));
	assert_false(fen_add(FEN_MAX, FEN_MAX, &out));
	assert_true(fen_multiply(5, 3, &out) && out == 15);
	assert_true(fen_multiply(FEN_MAX, 1, &out) && out == FEN_MAX);
	assert_true(fen_multiply(FEN_MAX, 0, &out) && out == 0);
	out = -7;
	assert_false(fen_multiply(FEN_MAX, 2, &out));
	assert_false(fen_multiply(2, FEN_MAX, &out));
	assert_false(fen_multiply(2, INT64_MAX, &out));
	assert_false(fen_multiply(2, -1, &out));
	assert_true(out == -7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_yuan_vectors),
		cmocka_unit_test(test_yuan),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_sums),
	};

	return cmocka_run_group_tests_name("fen", tests, NULL, NULL);
}
