/* form: decoded once, nothing doubled, nothing that is no UTF-8.
 * [threats P5, P7] */
#include "wire/form.h"

#include "../unit.h"
#include "base/str.h"

static void
test_taken(void **state)
{
	static const struct {
		const char *form;
		size_t count;
		const char *name, *value;	/* of the last field */
	} cases[] = {
		{ "", 0, "", "" },
		{ "a=1", 1, "a", "1" },
		{ "a=1&b=2", 2, "b", "2" },
		{ "a", 1, "a", "" },
		{ "a=", 1, "a", "" },
		{ "a&b", 2, "b", "" },
		{ "a=1=2==", 1, "a", "1=2==" },
		{ "a=x+y%20z", 1, "a", "x y z" },
		{ "a+b=1", 1, "a b", "1" },
		{ "%61=%31", 1, "a", "1" },
		{ "a=%2B%26%3d%25", 1, "a", "+&=%" },
		{ "a=%2541", 1, "a", "%41" },		/* once */
		{ "body=%E4%B8%AD", 1, "body", "\xe4\xb8\xad" },
		{ "body=\xe4\xb8\xad", 1, "body", "\xe4\xb8\xad" },
		{ "a=1;b=2", 1, "a", "1;b=2" },
		{ "a[]=1", 1, "a[]", "1" },
		{ "a=1&A=2", 2, "A", "2" },
		{ "a=%0D%0A", 1, "a", "\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fields fields = { 0 };
		struct err err = { 0 };

		expect(form_parse(cases[i].form, strlen(cases[i].form),
		    &fields, &err) && fields.count == cases[i].count,
		    "%s: %s", cases[i].form, err.text);
		if (fields.count > 0)
			expect(str_eq(fields_text(&fields, cases[i].name),
			    cases[i].value), "%s", cases[i].form);
		fields_clear(&fields);
	}
	print_message("    taken: %zu\n", COUNT_OF(cases));
}

static void
test_refused(void **state)
{
	static const struct {
		const char *form;
		size_t len;
	} cases[] = {
		{ "a=1&a=2", 7 }, { "a=1&a", 5 }, { "a=1&%61=2", 9 },
		{ "=1", 2 }, { "&", 1 }, { "a=1&", 4 }, { "&a=1", 4 },
		{ "a=1&&b=2", 8 }, { "=", 1 }, { "a=%", 3 }, { "a=%4", 4 },
		{ "a=%4&b=1", 8 }, { "a=%g0", 5 }, { "a=%0g", 5 },
		{ "a=% 1", 5 }, { "a=%+1", 5 }, { "a=%-1", 5 },
		{ "%=1", 3 }, { "%4=1", 4 }, { "a=%00", 5 },
		{ "a%00b=1", 7 }, { "a=\0", 3 }, { "a\0=1", 4 },
		{ "\0", 1 }, { "a=%FF", 5 }, { "a=%C0%AF", 8 },
		{ "a=%E4%B8", 8 }, { "a=\xe4&b=\xb8", 7 },
		{ "a=%ED%A0%80", 11 }, { "a=%u4e2d", 8 }, { "%FF=1", 5 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fields fields = { 0 };
		struct err err = { 0 };

		expect(!form_parse(cases[i].form, cases[i].len, &fields, &err)
		    && err.kind == ERR_INPUT, "%s", cases[i].form);
		fields_clear(&fields);
	}
	print_message("    refused: %zu\n", COUNT_OF(cases));
}

/* Bytes behind the end must not be looked at. */
static void
test_no_terminator(void **state)
{
	static const char text[] = "a=%41";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = malloc(len + 1);
		struct fields fields = { 0 };
		struct err err = { 0 };
		bool ok = false;

		assert_non_null(copy);
		memcpy(copy, text, len);
		copy[len] = '1';
		ok = form_parse(copy, len, &fields, &err);
		expect(ok == (len != 3 && len != 4), "%zu", len);
		fields_clear(&fields);
		free(copy);
	}
	assert_true(form_parse(NULL, 0, NULL, NULL));
}

static void
test_too_many(void **state)
{
	struct fields fields = { 0 };
	struct err err = { 0 };
	struct buf form;

	(void)state;
	buf_init(&form, 16384);
	buf_text(&form, "a");
	for (int i = 0; i < FIELDS_MAX; i++)
		buf_format(&form, "&a%d", i);
	assert_false(form_parse(form.data, form.len, &fields, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	fields_clear(&fields);
	buf_clear(&form);
}

/* Each character, encoded, and back. */
static void
test_encode(void **state)
{
	struct buf all;

	(void)state;
	buf_init(&all, 4096);
	for (int c = 1; c < 256; c++) {
		const char text[] = { 'n', '=', (char)c, '\0' };
		struct fields fields = { 0 };
		struct err err = { 0 };
		struct buf form;

		buf_init(&form, 100);
		buf_text(&form, "n=");
		form_encode(text + 2, &form);
		buf_text(&all, buf_get(&form) + 2);
		if (c < 0x80) {
			assert_true(form_parse(form.data, form.len, &fields,
			    &err));
			assert_string_equal(fields_text(&fields, "n"),
			    text + 2);
		}
		fields_clear(&fields);
		buf_clear(&form);
	}
	assert_true(buf_ok(&all));
	/* 66 unreserved characters stay, all other bytes become three. */
	assert_int_equal(all.len, 66 + 3 * (255 - 66));
	buf_reset(&all);
	form_encode("https://shop.example.com/done?o=1&t=\xe4\xb8\xad~ +",
	    &all);
	assert_string_equal(buf_get(&all), "https%3A%2F%2Fshop.example.com"
	    "%2Fdone%3Fo%3D1%26t%3D%E4%B8%AD~%20%2B");
	buf_clear(&all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_terminator),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_encode),
	};

	return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
