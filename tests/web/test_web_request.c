/* web_request: what nginx passes is read once, bounded, and never guessed. */
#include "web/web_request.h"

#include <stdlib.h>

#include "../unit.h"
#include "base/str.h"

#define PARAMS_MOST 400

/* Read what a NULL-ended list says; the caller clears req. */
static bool
read_list(struct web_request *req, const char *const list[], struct err *err)
{
	char *params[PARAMS_MOST + 1] = { NULL };
	size_t count;
	bool ok;

	for (count = 0; list[count] != NULL; count++) {
		assert_true(count < PARAMS_MOST);
		params[count] = strdup(list[count]);
	}
	ok = web_request_read(req, params, err);
	while (count > 0)
		free(params[--count]);
	return ok;
}

static void
give_body(struct web_request *req, const char *body)
{
	req->body = strdup(body);
	req->body_len = strlen(body);
}

static void
test_read(void **state)
{
	static const char *const list[] = {
		"REQUEST_METHOD=POST", "PATH_INFO=/pay/T-1001/close",
		"QUERY_STRING=token=a%20b&empty=&bare", "CONTENT_LENGTH=12",
		"CONTENT_TYPE=text/xml", "REMOTE_ADDR=192.0.2.7",
		"REMOTE_USER=mei", "REQUEST_ID=8f3a-21",
		"HTTP_ORIGIN=https://shop.example", "HTTP_ACCEPT=*/*",
		"HTTP_ACCEPT_LANGUAGE=en", "HTTP_USER_AGENT=MicroMessenger/8",
		"HTTP_COOKIE=a=b=c", "HTTP_X_CSRF_TOKEN=abc",
		"HTTP_WECHATPAY_NONCE=n=1", "HTTP_EMPTY=", NULL,
	};
	struct web_request req;
	struct err err = { 0 };
	size_t len = 0;

	(void)state;
	assert_true(read_list(&req, list, &err));
	assert_int_equal(req.method, WEB_POST);
	assert_string_equal(req.path, "/pay/T-1001/close");
	assert_int_equal(req.query.count, 3);
	assert_string_equal(fields_text(&req.query, "token"), "a b");
	assert_string_equal(fields_get(&req.query, "empty"), "");
	assert_string_equal(fields_get(&req.query, "bare"), "");
	assert_true(web_request_length(&req, &len, &err));
	assert_int_equal(len, 12);
	assert_string_equal(req.content_type, "text/xml");
	assert_string_equal(req.client_ip, "192.0.2.7");
	assert_string_equal(req.remote_user, "mei");
	assert_string_equal(req.request_id, "8f3a-21");
	assert_string_equal(req.origin, "https://shop.example");
	assert_string_equal(req.accept, "*/*");
	assert_string_equal(req.accept_language, "en");
	assert_string_equal(req.user_agent, "MicroMessenger/8");
	assert_string_equal(req.cookie, "a=b=c");
	assert_string_equal(req.csrf_token, "abc");
	assert_string_equal(fields_text(&req.params, "HTTP_WECHATPAY_NONCE"),
	    "n=1");
	assert_string_equal(fields_get(&req.params, "HTTP_EMPTY"), "");
	assert_int_equal(req.doubled.count, 0);
	assert_null(req.body);
	assert_true(req.now > 1700000000);
	web_request_clear(&req);
}

/* Nothing at all is a request, too; it only finds no route. */
static void
test_read_nothing(void **state)
{
	static const char *const none[] = { NULL };
	struct web_request req;
	struct err err = { 0 };
	size_t len = 7;

	(void)state;
	assert_true(read_list(&req, none, &err));
	assert_int_equal(req.method, WEB_OTHER);
	assert_string_equal(req.path, "");
	assert_string_equal(req.cookie, "");
	assert_true(str_is_of(req.request_id, STR_ALNUM, 32, 32));
	assert_true(web_request_length(&req, &len, &err));
	assert_int_equal(len, 0);
	web_request_clear(&req);
	web_request_clear(&req);
}

/* P7: one name, one value.  N21: a doubled header of another program is
 * seen by that program. */
static void
test_doubled(void **state)
{
	static const char *const once[] = {
		"CONTENT_LENGTH", "CONTENT_TYPE", "PATH_INFO", "QUERY_STRING",
		"REMOTE_ADDR", "REMOTE_USER", "REQUEST_ID", "REQUEST_METHOD",
		"HTTP_ORIGIN", "HTTP_X_CSRF_TOKEN",
	};
	static const char *const twice[] = {
		"HTTP_WECHATPAY_NONCE=a", "REQUEST_METHOD=GET",
		"HTTP_WECHATPAY_NONCE=b", "HTTP_WECHATPAY_NONCE=c",
		"HTTP_ACCEPT=*/*", "HTTP_ACCEPT=*/*", NULL,
	};
	struct web_request req;
	char entry[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(once); i++) {
		const char *list[] = { entry, "HTTP_A=b", entry, NULL };
		struct err err = { 0 };

		snprintf(entry, sizeof(entry), "%s=", once[i]);
		expect(!read_list(&req, list, &err), "%s", once[i]);
		expect(err.kind == ERR_INPUT
		    && strstr(err.text, once[i]) != NULL, "%s", err.text);
		web_request_clear(&req);
	}
	struct err err = { 0 };
	assert_true(read_list(&req, twice, &err));
	assert_int_equal(req.doubled.count, 2);
	assert_string_equal(fields_text(&req.params, "HTTP_WECHATPAY_NONCE"),
	    "a");
	assert_non_null(fields_get(&req.doubled, "HTTP_WECHATPAY_NONCE"));
	assert_non_null(fields_get(&req.doubled, "HTTP_ACCEPT"));
	assert_null(fields_get(&req.doubled, "REQUEST_METHOD"));
	web_request_clear(&req);
}

static void
test_read_refused(void **state)
{
	static const char *const entries[] = {
		"NONAME", "=value", "", "QUERY_STRING=a=1&a=2",
		"QUERY_STRING=%zz", "QUERY_STRING=a=%00", "QUERY_STRING==b",
		"QUERY_STRING=a=%ff", "QUERY_STRING=a=\xff",
		"REMOTE_USER=\xc0\xaf", "CONTENT_TYPE=\x80",
	};
	struct web_request req;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(entries); i++) {
		const char *list[] = {
			"REQUEST_METHOD=GET", "REQUEST_ID=abc",
			"HTTP_ACCEPT=text/html", entries[i], NULL,
		};
		struct err err = { 0 };

		expect(!read_list(&req, list, &err), "\"%s\"", entries[i]);
		expect(err.kind == ERR_INPUT, "\"%s\": %s", entries[i],
		    err.text);
		/* Enough is known to answer and to log it. */
		expect(str_eq(req.request_id, "abc")
		    && str_eq(req.accept, "text/html")
		    && req.method == WEB_GET, "\"%s\"", entries[i]);
		web_request_clear(&req);
	}
}

/* CVE-2025-23016 class, E12: our own bounds stand behind libfcgi's. */
static void
test_bounds(void **state)
{
	const char *list[PARAMS_MOST + 1] = { NULL };
	static char names[PARAMS_MOST][16];
	struct web_request req;
	struct err err = { 0 };
	char *large = malloc(WEB_PARAMS_MAX + 2);

	(void)state;
	assert_non_null(large);
	for (size_t i = 0; i < PARAMS_MOST; i++) {
		snprintf(names[i], sizeof(names[i]), "HTTP_%zu=v", i);
		list[i] = names[i];
	}
	list[FIELDS_MAX - 1] = NULL;
	assert_true(read_list(&req, list, &err));
	assert_int_equal(req.params.count, FIELDS_MAX);	/* and REQUEST_ID */
	web_request_clear(&req);
	list[FIELDS_MAX - 1] = names[FIELDS_MAX - 1];
	assert_false(read_list(&req, list, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	web_request_clear(&req);

	memset(large, 'x', WEB_PARAMS_MAX + 1);
	memcpy(large, "HTTP_A=", 7);
	large[WEB_PARAMS_MAX] = '\0';
	list[0] = large;
	list[1] = NULL;
	err = (struct err){ 0 };
	assert_true(read_list(&req, list, &err));
	web_request_clear(&req);
	list[1] = "B=";
	assert_false(read_list(&req, list, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	web_request_clear(&req);
	free(large);
}

/* E8: only what a route could look like becomes a path. */
static void
test_path(void **state)
{
	static const struct {
		const char *info;
		bool kept;
	} cases[] = {
		{ "/pay", true },
		{ "/v3/pay/transactions/out-trade-no/T|1@*~.x", true },
		{ "", false },
		{ "/pay/%2e%2e", false },
		{ "/pay/a b", false },
		{ "/pay;x", false },
		{ "/pay\\x", false },
		{ "/pay/\xe4\xb8\xad", false },
		{ "/pay?x", false },
		{ "/pay\r\nX: y", false },
		{ "/pay/\x01", false },
	};
	struct web_request req;
	char entry[400], longest[WEB_PATH_MAX + 2];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *list[] = { entry, NULL };
		struct err err = { 0 };

		snprintf(entry, sizeof(entry), "PATH_INFO=%s", cases[i].info);
		expect(read_list(&req, list, &err), "%s", cases[i].info);
		expect(str_eq(req.path, cases[i].kept ? cases[i].info : ""),
		    "\"%s\" became \"%s\"", cases[i].info, req.path);
		web_request_clear(&req);
	}
	for (size_t len = WEB_PATH_MAX; len <= WEB_PATH_MAX + 1; len++) {
		const char *list[] = { entry, NULL };
		struct err err = { 0 };

		memset(longest, 'a', sizeof(longest));
		longest[0] = '/';
		longest[len] = '\0';
		snprintf(entry, sizeof(entry), "PATH_INFO=%s", longest);
		assert_true(read_list(&req, list, &err));
		assert_int_equal(strlen(req.path),
		    len > WEB_PATH_MAX ? 0 : len);
		web_request_clear(&req);
	}
}

static void
test_method(void **state)
{
	static const struct {
		const char *text;
		enum web_method method;
	} cases[] = {
		{ "GET", WEB_GET }, { "POST", WEB_POST },
		{ "get", WEB_OTHER }, { "HEAD", WEB_OTHER },
		{ "TRACE", WEB_OTHER }, { "GET ", WEB_OTHER },
		{ "", WEB_OTHER },
	};
	struct web_request req;
	char entry[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *list[] = { entry, NULL };
		struct err err = { 0 };

		snprintf(entry, sizeof(entry), "REQUEST_METHOD=%s",
		    cases[i].text);
		expect(read_list(&req, list, &err)
		    && req.method == cases[i].method, "%s", cases[i].text);
		web_request_clear(&req);
	}
}

static void
test_length(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		size_t len;
	} cases[] = {
		{ "", true, 0 }, { "0", true, 0 }, { "00", true, 0 },
		{ "1", true, 1 }, { "0016384", true, 16384 },
		{ "2147483647", true, 2147483647 },
		{ "2147483648", true, SIZE_MAX },
		{ "18446744073709551616", true, SIZE_MAX },
		{ "99999999999999999999999999999999999999999", true,
		    SIZE_MAX },
		{ "+1", false, 0 }, { "-1", false, 0 }, { " 1", false, 0 },
		{ "1 ", false, 0 }, { "0x10", false, 0 }, { "1,1", false, 0 },
		{ "1e1", false, 0 },
	};
	struct web_request req;
	char entry[100];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *list[] = { entry, NULL };
		struct err err = { 0 };
		size_t len = 0;

		snprintf(entry, sizeof(entry), "CONTENT_LENGTH=%s",
		    cases[i].text);
		assert_true(read_list(&req, list, &err));
		expect(web_request_length(&req, &len, &err) == cases[i].ok,
		    "\"%s\"", cases[i].text);
		expect(cases[i].ok ? len == cases[i].len
		    : err.kind == ERR_INPUT, "\"%s\": %zu", cases[i].text,
		    len);
		web_request_clear(&req);
	}
}

/* Only the id that nginx makes may go into a header. */
static void
test_request_id(void **state)
{
	static const struct {
		const char *text;
		bool kept;
	} cases[] = {
		{ "0123456789abcdef0123456789ABCDEF", true }, { "a-b", true },
		{ "", false }, { "a b", false }, { "a\r\nX: y", false },
		{ "<b>", false }, { "\xe4\xb8\xad", false },
		{ "01234567890123456789012345678901"
		  "0123456789012345678901234567890x", true },
		{ "01234567890123456789012345678901"
		  "0123456789012345678901234567890xy", false },
	};
	struct web_request req;
	char entry[100];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *list[] = { entry, NULL };
		struct err err = { 0 };

		snprintf(entry, sizeof(entry), "REQUEST_ID=%s",
		    cases[i].text);
		expect(read_list(&req, list, &err), "%s", cases[i].text);
		expect(str_eq(req.request_id,
		    cases[i].kept ? cases[i].text : ""), "\"%s\": \"%s\"",
		    cases[i].text, req.request_id);
		web_request_clear(&req);
	}
}

static void
test_latin1_header(void **state)
{
	static const char *const list[] = {
		"HTTP_COOKIE=name=M\xfcller; x=1",
		"HTTP_USER_AGENT=\xe5\xbe\xae\xe4\xbf\xa1",
		"HTTP_ORIGIN=https://\xe9", NULL,
	};
	struct web_request req;
	struct err err = { 0 };

	(void)state;
	assert_true(read_list(&req, list, &err));
	assert_string_equal(req.cookie, "name=M?ller; x=1");
	assert_string_equal(req.user_agent, "\xe5\xbe\xae\xe4\xbf\xa1");
	assert_string_equal(req.origin, "https://?");
	web_request_clear(&req);
}

#define FORM "application/x-www-form-urlencoded"

static const char *const known[] = { "order_no", "token", NULL };

/* P7 and design.md 3. */
static void
test_form(void **state)
{
	static const struct {
		const char *type, *query, *body;
		bool ok;
	} cases[] = {
		{ FORM, "", "order_no=T-1001&token=x", true },
		{ FORM, "", "", true },
		{ "", "", "", true },
		{ FORM "; charset=utf-8", "", "token=x", true },
		{ FORM ";charset=UTF-8", "", "token=x", true },
		{ FORM "; charset=\"utf-8\"", "", "token=x", true },
		{ "Application/X-WWW-Form-URLencoded", "", "token=x", true },
		{ FORM, "", "token=%E4%B8%AD+%26", true },
		/* another type */
		{ "", "", "token=x", false },
		{ "text/plain", "", "token=x", false },
		{ "text/plain", "", "", false },
		{ "application/json", "", "{}", false },
		{ "multipart/form-data; boundary=x", "", "token=x", false },
		{ FORM "; charset=gbk", "", "token=x", false },
		{ FORM "x", "", "token=x", false },
		{ FORM "; charset=utf-8; x=y", "", "token=x", false },
		/* doubled */
		{ FORM, "", "token=x&token=x", false },
		{ FORM, "", "token=x&%74oken=x", false },
		{ FORM, "token=x", "token=x", false },
		{ FORM, "token=x", "order_no=T-1001", false },
		{ FORM, "token=x", "", false },
		{ "", "token=x", "", false },
		/* unknown */
		{ FORM, "", "token=x&Token=x", false },
		{ FORM, "", "token[]=x", false },
		{ FORM, "", "token.x=x", false },
		{ FORM, "", "mch_id=1", false },
		{ FORM, "x=1", "token=x", false },
		{ FORM, "", "token =x", false },
		/* malformed */
		{ FORM, "", "token=%00", false },
		{ FORM, "", "token=%ff", false },
		{ FORM, "", "token=%c0%80", false },
		{ FORM, "", "token=%2", false },
		{ FORM, "", "token=%GG", false },
		{ FORM, "", "=x", false },
	};
	struct web_request req;
	char type[100], query[100];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *list[] = { type, query, NULL };
		struct err err = { 0 };

		snprintf(type, sizeof(type), "CONTENT_TYPE=%s",
		    cases[i].type);
		snprintf(query, sizeof(query), "QUERY_STRING=%s",
		    cases[i].query);
		assert_true(read_list(&req, list, &err));
		give_body(&req, cases[i].body);
		expect(web_request_form(&req, known, &err) == cases[i].ok,
		    "\"%s\" ?%s \"%s\": %s", cases[i].type, cases[i].query,
		    cases[i].body, err.text);
		expect(err.kind == (cases[i].ok ? ERR_NONE : ERR_INPUT),
		    "\"%s\"", cases[i].body);
		web_request_clear(&req);
	}
	print_message("    forms: %zu\n", COUNT_OF(cases));
}

static void
test_form_values(void **state)
{
	static const char *const list[] = { "CONTENT_TYPE=" FORM, NULL };
	struct web_request req;
	struct err err = { 0 };

	(void)state;
	assert_true(read_list(&req, list, &err));
	give_body(&req, "token=a%2525+b&order_no=");
	assert_true(web_request_form(&req, known, &err));
	assert_string_equal(fields_get(&req.form, "token"), "a%25 b");
	assert_string_equal(fields_get(&req.form, "order_no"), "");
	/* Asking again gives the same. */
	assert_true(web_request_form(&req, known, &err));
	assert_int_equal(req.form.count, 2);
	/* A NUL inside the body is not its end. */
	((char *)req.body)[5] = '\0';
	assert_false(web_request_form(&req, known, &err));
	web_request_clear(&req);
}

static void
test_query(void **state)
{
	static const struct {
		const char *query;
		bool ok;
	} cases[] = {
		{ "", true }, { "token=x", true },
		{ "order_no=1&token=x", true }, { "x=1", false },
		{ "token=x&x", false }, { "TOKEN=x", false },
	};
	struct web_request req;
	char query[100];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *list[] = { query, NULL };
		struct err err = { 0 };

		snprintf(query, sizeof(query), "QUERY_STRING=%s",
		    cases[i].query);
		assert_true(read_list(&req, list, &err));
		expect(web_request_query(&req, known, &err) == cases[i].ok,
		    "%s", cases[i].query);
		web_request_clear(&req);
	}
}

static void
test_is_browser(void **state)
{
	static const struct {
		const char *accept;
		bool is;
	} cases[] = {
		{ "text/html,application/xhtml+xml,application/xml;q=0.9,"
		  "image/avif,image/webp,*/*;q=0.8", true },
		{ "text/html", true },
		{ "TEXT/HTML;q=0.001", true },
		{ "text/*", true },
		{ "text/html;level=1;q=0.4, application/json;q=0.3", true },
		{ "application/json;q=0.8, text/html", true },
		{ "application/json;q=0, text/html;q=0.1", true },
		{ "text/html ; q=0.9 , */* ; q=0.8", true },
		{ "*/*;q=0.1, text/*;q=0.2", true },
		{ "", false },
		{ "*/*", false },
		{ "application/json", false },
		{ "application/json, text/html", false },
		{ "application/json, text/html;q=0.9, */*", false },
		{ "application/*, text/html;q=0.9", false },
		{ "text/html;q=0", false },
		{ "text/html;q=0.0000", false },
		{ "text/html;q=2", false },
		{ "text/html;q=1.1", false },
		{ "text/html;q=abc", false },
		{ "text/html;q=", false },
		{ "text/htm", false },
		{ "text/html5", false },
		{ ",,;;q=,", false },
		{ ";q=1", false },
	};
	struct web_request req = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		req.accept = cases[i].accept;
		expect(web_request_is_browser(&req) == cases[i].is, "%s",
		    cases[i].accept);
	}
}

static void
test_is_chinese(void **state)
{
	static const struct {
		const char *language;
		bool is;
	} cases[] = {
		{ "", true }, { "zh", true }, { "zh-CN,zh;q=0.9", true },
		{ "zh-CN,zh;q=0.9,en;q=0.8", true }, { "ZH-hant-TW", true },
		{ "*", true }, { "zh, en", true }, { "fr, zh;q=0.1", true },
		{ "en;q=0.5, zh;q=0.6", true },
		{ "zh-TW;q=0.2, en;q=0.5, zh-CN", true },
		{ "en", false }, { "en-US,en;q=0.9", false },
		{ "en, zh", false }, { "en-GB, zh;q=0.9", false },
		{ "fr", false }, { "zh;q=0", false }, { "zhx", false },
		{ "de, *;q=0.1, zh;q=0", false },
	};
	struct web_request req = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		req.accept_language = cases[i].language;
		expect(web_request_is_chinese(&req) == cases[i].is, "\"%s\"",
		    cases[i].language);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_nothing),
		cmocka_unit_test(test_doubled),
		cmocka_unit_test(test_read_refused),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_method),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_request_id),
		cmocka_unit_test(test_latin1_header),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_form_values),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_is_browser),
		cmocka_unit_test(test_is_chinese),
	};

	return cmocka_run_group_tests_name("web_request", tests, NULL, NULL);
}
