/* web_page: after and limit of a list, in their one spelling. */
#include "web/web_page.h"

#include "../unit.h"

static void
test_read(void **state)
{
	static const struct {
		const char *after, *limit;
		bool ok;
		int64_t reads_after;
		int reads_limit;
	} cases[] = {
		{ NULL, NULL, true, 0, WEB_PAGE_DEFAULT },
		{ "1", "1", true, 1, 1 },
		{ "9223372036854775807", "100", true, INT64_MAX, 100 },
		{ NULL, "20", true, 0, 20 },
		{ "0", NULL, false, 0, 0 },
		{ "-1", NULL, false, 0, 0 },
		{ "01", NULL, false, 0, 0 },
		{ "", NULL, false, 0, 0 },
		{ "9223372036854775808", NULL, false, 0, 0 },
		{ "x", NULL, false, 0, 0 },
		{ NULL, "0", false, 0, 0 },
		{ NULL, "101", false, 0, 0 },
		{ NULL, "-1", false, 0, 0 },
		{ NULL, "", false, 0, 0 },
		{ NULL, "1e1", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct web_request req = { 0 };
		struct web_page page = { 0 };
		struct err err = { 0 };

		if (cases[i].after != NULL)
			assert_true(fields_add(&req.query, "after",
			    cases[i].after, &err));
		if (cases[i].limit != NULL)
			assert_true(fields_add(&req.query, "limit",
			    cases[i].limit, &err));
		expect(web_page_read(&req, &page, &err) == cases[i].ok,
		    "case %zu: %s", i, err.text);
		if (cases[i].ok)
			expect(page.after == cases[i].reads_after
			    && page.limit == cases[i].reads_limit,
			    "case %zu", i);
		else
			assert_int_equal(err.kind, ERR_INPUT);
		web_request_clear(&req);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests_name("web_page", tests, NULL, NULL);
}
