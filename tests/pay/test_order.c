/*
 * Proves that the judges of an order's fields refuse what design.md 2 and 3
 * and threats.md P1-P10 want refused, and nothing else.
 */
#include "pay/order.h"

#include "../unit.h"

#define HOSTS "shop.example.com  other.example.com:8443"

typedef bool check_fn(const char *text, struct err *err);

static const char x127[] =
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
static const char x128[] =
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

static bool
return_url_check(const char *url, struct err *err)
{
	return order_return_url_check(url, HOSTS, err);
}

static const struct {
	check_fn *check;
	const char *text;
	bool good;
} cases[] = {
	/* 6 to 28, begins with a letter or digit */
	{ order_no_check, "T-1001", true },
	{ order_no_check, "123456", true },
	{ order_no_check, "abcdefghijklmnopqrstuvwxyz01", true },
	{ order_no_check, "G2024_x", true },
	{ order_no_check, "G20240_", true },
	{ order_no_check, "G_1_20a", true },
	{ order_no_check, "", false },
	{ order_no_check, "T-100", false },
	{ order_no_check, "abcdefghijklmnopqrstuvwxyz012", false },
	{ order_no_check, "-T1001", false },
	{ order_no_check, "_T1001", false },
	/* the number of a second payment */
	{ order_no_check, "T-1001_2", false },
	{ order_no_check, "T-1001_99", false },
	{ order_no_check, "T_1_0000", false },
	{ order_no_check, "T-1001__2", false },
	/* what else V2 would take, and what an attacker would */
	{ order_no_check, "A_b-C|d*9", false },
	{ order_no_check, "abc def", false },
	{ order_no_check, "a/b/c/d", false },
	{ order_no_check, "..%2e..", false },
	{ order_no_check, "x'y\"z00", false },
	{ order_no_check, "T-1001\n", false },
	{ order_no_check, "订单000001", false },
	{ order_no_check, "T-1001\xff", false },
	/* our routes */
	{ order_no_check, "openid", false },
	{ order_no_check, "jsconfig", false },
	{ order_no_check, "authorize", false },
	{ order_no_check, "openids", true },

	{ order_token_check, "AAAAAAAAAAAAAAAAAAAA-_", true },
	{ order_token_check, "AAAAAAAAAAAAAAAAAAAA-", false },
	{ order_token_check, "AAAAAAAAAAAAAAAAAAAA-_A", false },
	{ order_token_check, "AAAAAAAAAAAAAAAAAAAA+/", false },
	{ order_token_check, "AAAAAAAAAAAAAAAAAAAA==", false },
	{ order_token_check, "", false },

	{ order_product_id_check, "tea-250g", true },
	{ order_product_id_check, "1", true },
	{ order_product_id_check, "01234567890123456789012345678901", true },
	{ order_product_id_check, "012345678901234567890123456789012", false },
	{ order_product_id_check, "", false },
	{ order_product_id_check, "tea 250", false },
	{ order_product_id_check, "tea.250", false },
	{ order_product_id_check, "茶", false },

	{ order_body_check, "Tea", true },
	{ order_body_check, "店名-茶叶 & <b>]]></b>", true },
	{ order_body_check, "a\tb\r\nc", true },
	{ order_body_check, x127, true },
	{ order_body_check, x128, false },
	{ order_body_check, "", false },
	{ order_body_check, "bell\a", false },
	{ order_body_check, "\xf0\x9f\x8d\xb5", false },	/* 4 bytes */
	{ order_body_check, "cut \xe8\x8c", false },
	{ order_body_check, "overlong \xc0\xaf", false },
	{ order_body_check, "surrogate \xed\xa0\x80", false },

	{ order_attach_check, "", true },
	{ order_attach_check, "order:42&=<x>", true },
	{ order_attach_check, x127, true },
	{ order_attach_check, x128, false },
	{ order_attach_check, "\xf0\x9f\x8d\xb5", false },
	{ order_attach_check, "\x1b[31m", false },

	{ order_request_id_check, "0123456789abcdef", true },
	{ order_request_id_check, "0123456789abcde", false },
	{ order_request_id_check,
	  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	  true },
	{ order_request_id_check,
	  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
	  false },
	{ order_request_id_check, "0123456789abcde.", false },
	{ order_request_id_check, "", false },

	/* P9 */
	{ return_url_check, "https://shop.example.com", true },
	{ return_url_check, "https://shop.example.com/", true },
	{ return_url_check, "https://shop.example.com/a?b=%20#c", true },
	{ return_url_check, "https://shop.example.com?x", true },
	{ return_url_check, "https://shop.example.com#x", true },
	{ return_url_check, "https://other.example.com:8443/x", true },
	{ return_url_check, "https://other.example.com/x", false },
	{ return_url_check, "https://shop.example.com:8443/x", false },
	{ return_url_check, "https://shop.example.com:443/x", false },
	{ return_url_check, "https://shop.example.com.evil.com/", false },
	{ return_url_check, "https://evil.com/shop.example.com", false },
	{ return_url_check, "https://evil.shop.example.com/", false },
	{ return_url_check, "https://shop.example.com@evil.com/", false },
	{ return_url_check, "https://a:b@shop.example.com/", false },
	{ return_url_check, "https://evil.com\\@shop.example.com/", false },
	{ return_url_check, "https://evil.com/\\", false },
	{ return_url_check, "https:///shop.example.com", false },
	{ return_url_check, "https://", false },
	{ return_url_check, "https:/", false },
	{ return_url_check, "", false },
	{ return_url_check, "http://shop.example.com/", false },
	{ return_url_check, "HTTPS://shop.example.com/", false },
	{ return_url_check, "//shop.example.com/", false },
	{ return_url_check, "/\\shop.example.com/", false },
	{ return_url_check, " https://shop.example.com/", false },
	{ return_url_check, "https://shop.example.com/a b", false },
	{ return_url_check, "https://shop.example.com/\r\nX: y", false },
	{ return_url_check, "https://shop.example.com/\"onload=", false },
	{ return_url_check, "https://shop.example.com/'", false },
	{ return_url_check, "https://shop.example.com/<script>", false },
	{ return_url_check, "https://shop.example.com/\x7f", false },
	{ return_url_check, "https://shop.example.com/\xc3\xa9", false },
	{ return_url_check, "https://shop.example.com\t/", false },
	{ return_url_check, "javascript:alert(1)", false },
	{ return_url_check, "data:text/html,x", false },
	{ return_url_check, "https:shop.example.com/", false },
};

/* P9: a page may be ours by public_url, or by its host. */
static void
test_page_url(void **state)
{
	static const struct {
		const char *url;
		enum err_kind kind;
	} pages[] = {
		{ "https://pay.example.com", ERR_NONE },
		{ "https://pay.example.com/a?b='`\"<>#c", ERR_NONE },
		{ "https://shop.example.com/", ERR_NONE },
		{ "https://other.example.com:8443/", ERR_NONE },
		{ "https://other.example.com/", ERR_FORBIDDEN },
		{ "https://pay.example.com:443/", ERR_FORBIDDEN },
		{ "https://pay.example.com.evil.com/", ERR_FORBIDDEN },
		{ "https://pay.example.com@evil.com/", ERR_FORBIDDEN },
		{ "https://a@pay.example.com/", ERR_FORBIDDEN },
		{ "https://pay.example.co", ERR_FORBIDDEN },
		{ "https:///", ERR_FORBIDDEN },
		{ "https://", ERR_FORBIDDEN },
		{ "http://pay.example.com/", ERR_INPUT },
		{ "HTTPS://pay.example.com/", ERR_INPUT },
		{ "//pay.example.com/", ERR_INPUT },
		{ "https://pay.example.com/\\", ERR_INPUT },
		{ "https://pay.example.com/ ", ERR_INPUT },
		{ "https://pay.example.com/\r\n", ERR_INPUT },
		{ "https://pay.example.com/\xe4\xb8\xad", ERR_INPUT },
		{ "", ERR_INPUT },
	};
	static char url[PAGE_URL_MAX + 2] = "https://pay.example.com/";
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		err = (struct err){ 0 };
		expect(order_page_url_check(pages[i].url,
		    "https://pay.example.com/shop", HOSTS, &err)
		    == (pages[i].kind == ERR_NONE)
		    && err.kind == pages[i].kind, "%s", pages[i].url);
	}
	memset(url + strlen(url), 'x', PAGE_URL_MAX - strlen(url));
	assert_true(order_page_url_check(url, "https://pay.example.com",
	    "", &err));
	url[PAGE_URL_MAX] = 'x';
	assert_false(order_page_url_check(url, "https://pay.example.com",
	    "", &err));
	print_message("    pages: %zu\n", COUNT_OF(pages));
}

static void
test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err = { 0 };
		bool good = cases[i].check(cases[i].text, &err);

		expect(good == cases[i].good, "%zu \"%s\"", i,
		    cases[i].text);
		assert_int_equal(err.kind, good ? ERR_NONE : ERR_INPUT);
		assert_true(good == (err.text[0] == '\0'));
	}
	print_message("%zu texts judged\n", COUNT_OF(cases));
}

/* Whatever byte stands anywhere in a number, only the set gets through. */
static void
test_every_byte(void **state)
{
	static check_fn *const checks[] = {
		order_no_check, order_product_id_check, order_request_id_check,
	};
	char text[] = "0123456789abcdef";
	size_t tried = 0;

	(void)state;
	for (size_t c = 0; c < COUNT_OF(checks); c++)
		for (int byte = 1; byte < 256; byte++) {
			struct err err = { 0 };
			bool in_set = (byte >= '0' && byte <= '9')
			    || (byte >= 'a' && byte <= 'z')
			    || (byte >= 'A' && byte <= 'Z')
			    || byte == '_' || byte == '-';

			text[7] = (char)byte;
			assert_int_equal(checks[c](text, &err), in_set);
			tried++;
		}
	print_message("%zu bytes tried\n", tried);
}

static void
test_url_lengths(void **state)
{
	static const char start[] = "https://shop.example.com/";
	char url[RETURN_URL_MAX + 2];
	struct err err = { 0 };

	(void)state;
	memset(url, 'a', sizeof(url));
	memcpy(url, start, sizeof(start) - 1);
	url[RETURN_URL_MAX] = '\0';
	assert_true(order_return_url_check(url, HOSTS, &err));
	url[RETURN_URL_MAX] = 'a';
	url[RETURN_URL_MAX + 1] = '\0';
	assert_false(order_return_url_check(url, HOSTS, &err));
}

static void
test_no_hosts(void **state)
{
	static const char *const none[] = { "", " ", "   ", "shop.example.co" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(none); i++) {
		struct err err = { 0 };

		assert_false(order_return_url_check(
		    "https://shop.example.com/", none[i], &err));
		assert_false(order_return_url_check("https:///", none[i],
		    &err));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_page_url),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_url_lengths),
		cmocka_unit_test(test_no_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
