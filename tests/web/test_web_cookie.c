/* web_cookie: one cookie of a name or none, and what we set stays ours. */
#include "web/web_cookie.h"

#include "../unit.h"
#include "base/str.h"

static void
test_get(void **state)
{
	static const struct {
		const char *cookie, *value;	/* NULL: there is none */
	} cases[] = {
		{ "c=1", "1" }, { "a=2; c=1", "1" }, { "c=1; a=2", "1" },
		{ "c=1;a=2", "1" }, { "a; c=1", "1" }, { "c=a=b", "a=b" },
		{ "C=2; c=1", "1" }, { "c=12345678", "12345678" },
		{ "xc=2; c=1; cx=3", "1" }, { "; ;c=1;", "1" },
		{ "", NULL }, { "c", NULL }, { "c=", NULL }, { "xc=1", NULL },
		{ "cx=1", NULL }, { "a=c=1", NULL }, { "C=1", NULL },
		{ "c =1", NULL }, { "c=123456789", NULL },
		{ "c=1; c=1", NULL }, { "c=1; c=2", NULL },
		{ "c=; c=1", NULL }, { "c=1; a=2; c=", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct web_request req = { .cookie = cases[i].cookie };
		char value[9] = "before";
		bool found = web_cookie_get(&req, "c", value, sizeof(value));

		expect(found == (cases[i].value != NULL)
		    && str_eq(value, found ? cases[i].value : ""), "%s: %s",
		    cases[i].cookie, value);
	}
	print_message("    cookies: %zu\n", COUNT_OF(cases));
}

static void
test_set(void **state)
{
	static char longer[600];
	static const struct {
		const char *value, *path;
		bool ok;
	} cases[] = {
		{ "wx1.o-_x.1.0af", "/pay", true },
		{ "v", "/shop/pay", true },
		{ "", "/pay", false }, { "a b", "/pay", false },
		{ "a;b", "/pay", false }, { "a\r\nX: y", "/pay", false },
		{ "v", "/pay; Domain=evil.example", false },
		{ longer, "/pay", false }, { "v", longer, false },
	};

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct web_cookie cookie = { "c", cases[i].value,
			cases[i].path, 600 };
		struct web_reply reply;
		struct err err = { 0 };

		web_reply_init(&reply);
		expect(web_cookie_set(&reply, &cookie, &err) == cases[i].ok,
		    "%zu", i);
		expect((reply.cookie[0] != '\0') == cases[i].ok, "%zu: %s",
		    i, reply.cookie);
		if (i == 0)
			assert_string_equal(reply.cookie, "c=wx1.o-_x.1.0af; "
			    "Path=/pay; Max-Age=600; HttpOnly; Secure; "
			    "SameSite=Lax");
		web_reply_clear(&reply);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
