/* web_auth: an operator is whom nginx names, and his POST is his own. */
#include "web/web_auth.h"

#include "../unit.h"
#include "base/str.h"

#define ORIGINS " https://shop.example  https://shop.example:8443"

static struct secret *
site_secret_new(const char *text)
{
	struct secret *secret = NULL;
	struct err err = { 0 };

	assert_true(secret_new(text, strlen(text), &secret, &err));
	return secret;
}

static void
test_operator(void **state)
{
	static const struct {
		const char *user;
		bool ok;
	} cases[] = {
		{ "mei", true }, { "mei@shop.example", true }, { "a", true },
		{ "0123456789012345678901234567890123456789012345678901234567"
		  "890123", true },
		{ "0123456789012345678901234567890123456789012345678901234567"
		  "8901234", false },
		{ "", false }, { "mei li", false }, { "\"mei\"", false },
		{ "o'hara", false }, { "shop\\mei", false },
		{ "mei\n", false }, { "\x7f", false },
		{ "\xe6\xa2\x85", false },
	};
	struct web_request req = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *operator = NULL;
		struct err err = { 0 };

		req.remote_user = cases[i].user;
		expect(web_auth_operator(&req, &operator, &err)
		    == cases[i].ok, "\"%s\"", cases[i].user);
		if (cases[i].ok)
			assert_string_equal(operator, cases[i].user);
		else
			assert_int_equal(err.kind, ERR_AUTH);
	}
}

/* Bound to the operator and to the secret, and always the same. */
static void
test_csrf(void **state)
{
	struct secret *one = site_secret_new("site secret one");
	struct secret *two = site_secret_new("site secret two");
	char token[4][MAC_SIZE];
	struct err err = { 0 };

	(void)state;
	assert_true(web_auth_csrf(one, "mei", token[0], &err));
	assert_true(web_auth_csrf(one, "mei", token[1], &err));
	assert_true(web_auth_csrf(one, "li", token[2], &err));
	assert_true(web_auth_csrf(two, "mei", token[3], &err));
	assert_true(str_is_of(token[0], "0123456789abcdef", 64, 64));
	assert_string_equal(token[0], token[1]);
	assert_string_not_equal(token[0], token[2]);
	assert_string_not_equal(token[0], token[3]);
	secret_free(one);
	secret_free(two);
}

/* R11, P23. */
static void
test_merchant_post(void **state)
{
	struct secret *secret = site_secret_new("site secret");
	char mei[MAC_SIZE], li[MAC_SIZE], upper[MAC_SIZE], cut[MAC_SIZE];
	struct err none = { 0 };

	(void)state;
	assert_true(web_auth_csrf(secret, "mei", mei, &none));
	assert_true(web_auth_csrf(secret, "li", li, &none));
	memcpy(upper, mei, sizeof(upper));
	for (char *at = upper; *at != '\0'; at++)
		*at = (char)(*at >= 'a' ? *at - 'a' + 'A' : *at);
	memcpy(cut, mei, sizeof(cut));
	cut[MAC_SIZE - 2] = '\0';

	const struct {
		const char *user, *token, *origin;
		enum err_kind kind;
	} cases[] = {
		{ "mei", mei, "https://shop.example", ERR_NONE },
		{ "mei", mei, "https://shop.example:8443", ERR_NONE },
		{ "", mei, "https://shop.example", ERR_AUTH },
		{ "mei", "", "https://shop.example", ERR_FORBIDDEN },
		{ "mei", li, "https://shop.example", ERR_FORBIDDEN },
		{ "li", mei, "https://shop.example", ERR_FORBIDDEN },
		{ "mei", upper, "https://shop.example", ERR_FORBIDDEN },
		{ "mei", cut, "https://shop.example", ERR_FORBIDDEN },
		{ "mei", mei, "", ERR_FORBIDDEN },
		{ "mei", mei, "null", ERR_FORBIDDEN },
		{ "mei", mei, "https://evil.example", ERR_FORBIDDEN },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct web_request req = {
			.remote_user = cases[i].user,
			.csrf_token = cases[i].token,
			.origin = cases[i].origin,
		};
		struct err err = { 0 };

		expect(web_auth_merchant_post(&req, secret, ORIGINS, &err)
		    == (cases[i].kind == ERR_NONE)
		    && err.kind == cases[i].kind, "%zu: %s", i, err.text);
		expect(strstr(err.text, mei) == NULL, "%s", err.text);
	}
	secret_free(secret);
}

/* P14, P23: compared byte for byte. */
static void
test_origin(void **state)
{
	static const struct {
		const char *origin, *origins;
		bool ok;
	} cases[] = {
		{ "", ORIGINS, true },
		{ "", "", true },
		{ "https://shop.example", ORIGINS, true },
		{ "https://shop.example:8443", ORIGINS, true },
		{ "https://shop.example:443", ORIGINS, false },
		{ "http://shop.example", ORIGINS, false },
		{ "https://shop.example/", ORIGINS, false },
		{ "https://SHOP.example", ORIGINS, false },
		{ "https://shop.exampl", ORIGINS, false },
		{ "https://shop.example.evil.example", ORIGINS, false },
		{ "https://shop.example https://shop.example:8443", ORIGINS,
		    false },
		{ " ", ORIGINS, false },
		{ "null", ORIGINS, false },
		{ "https://shop.example", "", false },
		{ "https://shop.example", "  ", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct web_request req = { .origin = cases[i].origin };
		struct err err = { 0 };

		expect(web_auth_origin(&req, cases[i].origins, &err)
		    == cases[i].ok, "\"%s\"", cases[i].origin);
		assert_int_equal(err.kind,
		    cases[i].ok ? ERR_NONE : ERR_FORBIDDEN);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operator),
		cmocka_unit_test(test_csrf),
		cmocka_unit_test(test_merchant_post),
		cmocka_unit_test(test_origin),
	};

	return cmocka_run_group_tests_name("web_auth", tests, NULL, NULL);
}
