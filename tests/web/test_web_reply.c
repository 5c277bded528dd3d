/* web_reply: the bytes of an answer, and what a failure tells a stranger. */
#include "web/web_reply.h"

#include "../unit.h"
#include "base/str.h"

#define HARD "Cache-Control: no-store\r\n" \
	"X-Content-Type-Options: nosniff\r\n" \
	"X-Frame-Options: DENY\r\n" \
	"Content-Security-Policy: default-src 'none'; img-src 'self'; " \
	"frame-ancestors 'none'\r\n"

static void
expect_head(const struct web_reply *reply, const char *request_id,
    const char *head)
{
	struct buf out;
	struct err err = { 0 };

	buf_init(&out, 4096);
	assert_true(web_reply_head(reply, request_id, &out, &err));
	assert_string_equal(buf_get(&out), head);
	buf_clear(&out);
}

static void
test_json(void **state)
{
	struct jsonmsg *msg = jsonmsg_new();
	struct web_reply reply;
	struct err err = { 0 };

	(void)state;
	web_reply_init(&reply);
	jsonmsg_text(msg, "order_no", "T-1001");
	jsonmsg_int(msg, "total_fee", 1);
	assert_true(web_reply_json(&reply, 201, msg, &err));
	assert_string_equal(buf_get(&reply.body),
	    "{\"order_no\":\"T-1001\",\"total_fee\":1}");
	expect_head(&reply, "8f3a-21", "Status: 201 Created\r\n"
	    "Content-Type: application/json\r\nContent-Length: 35\r\n"
	    HARD "X-Request-Id: 8f3a-21\r\n\r\n");
	/* Memory was out when it was made. */
	assert_false(web_reply_json(&reply, 200, NULL, &err));
	assert_int_equal(err.kind, ERR_BUG);
	web_reply_clear(&reply);
}

static void
test_text(void **state)
{
	struct web_reply reply;
	struct err err = { 0 };

	(void)state;
	web_reply_init(&reply);
	assert_true(web_reply_text(&reply, 200, "image/svg+xml", "<svg/>",
	    &err));
	expect_head(&reply, "", "Status: 200 OK\r\n"
	    "Content-Type: image/svg+xml\r\nContent-Length: 6\r\n"
	    HARD "\r\n");
	/* The later answer replaces the earlier. */
	assert_true(web_reply_text(&reply, 204, "text/plain", "", &err));
	expect_head(&reply, "", "Status: 204 No Content\r\n" HARD "\r\n");
	assert_int_equal(reply.body.len, 0);
	web_reply_clear(&reply);
}

static void
test_text_too_long(void **state)
{
	static char text[WEB_REPLY_MAX + 2];
	struct web_reply reply;
	struct err err = { 0 };

	(void)state;
	memset(text, 'x', WEB_REPLY_MAX);
	web_reply_init(&reply);
	assert_true(web_reply_text(&reply, 200, "text/plain", text, &err));
	text[WEB_REPLY_MAX] = 'x';
	assert_false(web_reply_text(&reply, 200, "text/plain", text, &err));
	assert_int_equal(err.kind, ERR_BUG);
	err = (struct err){ 0 };
	assert_true(web_reply_text(&reply, 200, "text/plain", "x", &err));
	web_reply_clear(&reply);
}

static void
test_see_other(void **state)
{
	struct web_reply reply;
	struct err err = { 0 };

	(void)state;
	web_reply_init(&reply);
	memcpy(reply.cookie, "a=b; Secure", 12);
	assert_true(web_reply_see_other(&reply, "/cashier/#T-1001", &err));
	expect_head(&reply, "", "Status: 303 See Other\r\n"
	    "Content-Type: application/json\r\nContent-Length: 0\r\n" HARD
	    "Location: /cashier/#T-1001\r\nSet-Cookie: a=b; Secure\r\n\r\n");
	/* Something else is answered after all. */
	assert_true(web_reply_refuse(&reply, 409, "CONFLICT", "paid \"x\"",
	    &err));
	assert_string_equal(reply.location, "");
	assert_string_equal(buf_get(&reply.body),
	    "{\"code\":\"CONFLICT\",\"message\":\"paid \\\"x\\\"\"}");
	web_reply_clear(&reply);
}

static void
test_headers(void **state)
{
	struct web_reply reply;
	struct err err = { 0 };

	(void)state;
	web_reply_init(&reply);
	assert_true(fields_add(&reply.headers, "Wechatpay-Nonce", "a b/=+",
	    &err));
	assert_true(web_reply_text(&reply, 204, "text/plain", "", &err));
	expect_head(&reply, "", "Status: 204 No Content\r\n" HARD
	    "Wechatpay-Nonce: a b/=+\r\n\r\n");
	web_reply_clear(&reply);
	assert_int_equal(reply.headers.count, 0);
}

/* P15: no value ends its header line. */
static void
test_no_injection(void **state)
{
	static const char *const urls[] = {
		"/a\r\nX: y", "/a\nX: y", "/a b", "/\xe4\xb8\xad", "/a\t",
		"/a\x7f",
	};
	static const char *const cookies[] = { "a=b\r\nX: y", "a\nb", "\xff" };
	static const char *const ids[] = { "a\r\nX: y", "a b", "\n" };
	char longest[1025];
	struct web_reply reply;
	struct buf out;

	(void)state;
	web_reply_init(&reply);
	buf_init(&out, 4096);
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct err err = { 0 };

		expect(!web_reply_see_other(&reply, urls[i], &err)
		    && err.kind == ERR_BUG, "url %zu", i);
		expect(reply.location[0] == '\0', "url %zu", i);
		/* Even when it was written past that check. */
		expect(str_copy(reply.location, sizeof(reply.location),
		    urls[i]) && !web_reply_head(&reply, "", &out, &err),
		    "url %zu", i);
		reply.location[0] = '\0';
	}
	for (size_t i = 0; i < COUNT_OF(cookies); i++) {
		struct err err = { 0 };

		expect(str_copy(reply.cookie, sizeof(reply.cookie),
		    cookies[i]) && !web_reply_head(&reply, "", &out, &err)
		    && err.kind == ERR_BUG, "cookie %zu", i);
	}
	reply.cookie[0] = '\0';
	for (size_t i = 0; i < COUNT_OF(cookies); i++) {
		struct err err = { 0 };

		/* As a value, and as a name. */
		expect(fields_add(&reply.headers, "X-Value", cookies[i], &err)
		    && !web_reply_head(&reply, "", &out, &err), "value %zu",
		    i);
		fields_clear(&reply.headers);
		err = (struct err){ 0 };
		expect(fields_add(&reply.headers, cookies[i], "x", &err)
		    && !web_reply_head(&reply, "", &out, &err)
		    && err.kind == ERR_BUG, "name %zu", i);
		fields_clear(&reply.headers);
	}
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		struct err err = { 0 };

		expect(!web_reply_head(&reply, ids[i], &out, &err),
		    "id %zu", i);
	}
	memset(longest, 'x', sizeof(longest));
	longest[1024] = '\0';
	struct err err = { 0 };
	assert_false(web_reply_see_other(&reply, longest, &err));
	longest[1023] = '\0';
	err = (struct err){ 0 };
	assert_true(web_reply_see_other(&reply, longest, &err));
	assert_int_equal(out.len, 0);
	buf_clear(&out);
	web_reply_clear(&reply);
}

static const struct {
	enum err_kind kind;
	int status;
	bool says_why;
	const char *code;
} kinds[] = {
	{ ERR_INPUT, 400, true, "PARAM_ERROR" },
	{ ERR_AUTH, 401, false, "UNAUTHORIZED" },
	{ ERR_FORBIDDEN, 403, true, "FORBIDDEN" },
	{ ERR_MISSING, 404, true, "NOT_FOUND" },
	{ ERR_CONFLICT, 409, true, "CONFLICT" },
	{ ERR_REFUSED, 502, false, "WECHAT_REFUSED" },
	{ ERR_STORE, 503, false, "UNAVAILABLE" },
	{ ERR_UNSURE, 504, false, "UNSURE" },
	{ ERR_BUG, 500, false, "SYSTEM_ERROR" },
};

/* I36: what went wrong inside is for the log. */
static void
test_failure_json(void **state)
{
	static const struct web_request api = {
		.accept = "*/*", .accept_language = "", .request_id = "r1",
	};
	struct web_reply reply;

	(void)state;
	assert_int_equal(COUNT_OF(kinds), ERR_KINDS - 1);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct err err = { .kind = kinds[i].kind,
			.text = "host 10.0.0.1 said \"no\"" };
		char start[100];

		web_reply_init(&reply);
		memcpy(reply.cookie, "a=b", 4);
		assert_true(fields_add(&reply.headers, "X-Of-Success", "1",
		    &(struct err){ 0 }));
		web_reply_failure(&reply, &api, &err);
		expect(reply.status == kinds[i].status
		    && web_status_of(kinds[i].kind) == kinds[i].status,
		    "%s", kinds[i].code);
		snprintf(start, sizeof(start),
		    "{\"code\":\"%s\",\"message\":\"", kinds[i].code);
		expect(strncmp(buf_get(&reply.body), start, strlen(start))
		    == 0, "%s", buf_get(&reply.body));
		expect((strstr(buf_get(&reply.body),
		    "host 10.0.0.1 said \\\"no\\\"") != NULL)
		    == kinds[i].says_why, "%s", buf_get(&reply.body));
		assert_string_equal(reply.cookie, "");
		assert_int_equal(reply.headers.count, 0);
		web_reply_clear(&reply);
	}
}

static void
test_failure_page(void **state)
{
	static const char why[] = "field <script>alert('1')</script> & \"x\"";
	struct web_request browser = { .accept = "text/html,*/*;q=0.8",
		.accept_language = "en", .request_id = "r1" };
	struct web_reply reply;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct err err = { .kind = kinds[i].kind };

		assert_true(str_copy(err.text, sizeof(err.text), why));
		web_reply_init(&reply);
		browser.accept_language = i % 2 == 0 ? "en" : "zh-CN";
		web_reply_failure(&reply, &browser, &err);
		assert_int_equal(reply.status, kinds[i].status);
		assert_string_equal(reply.type, "text/html; charset=utf-8");
		const char *body = buf_get(&reply.body);
		expect(strstr(body, "<script") == NULL, "%s", body);
		expect((strstr(body, "<p>field &lt;script&gt;alert(&#39;1"
		    "&#39;)&lt;/script&gt; &amp; &quot;x&quot;</p>") != NULL)
		    == kinds[i].says_why, "%s", body);
		expect(strstr(body, kinds[i].code) != NULL, "%s", body);
		expect(strstr(body, i % 2 == 0 ? "<html lang=\"en\">"
		    : "<html lang=\"zh-CN\">") != NULL, "%s", body);
		expect(str_is_utf8(body, strlen(body)), "%s", body);
		web_reply_clear(&reply);
	}
}

/* 404, 405 and 413 come from the router, without a failure. */
static void
test_failure_by_status(void **state)
{
	static const struct web_request api = {
		.accept = "", .accept_language = "", .request_id = "",
	};
	static const struct {
		int status;
		const char *code;
		int answered;
	} cases[] = {
		{ 404, "NOT_FOUND", 404 },
		{ 405, "METHOD_NOT_ALLOWED", 405 },
		{ 413, "TOO_LARGE", 413 },
		{ 0, "SYSTEM_ERROR", 500 },
		{ 200, "SYSTEM_ERROR", 500 },
	};
	struct err none = { 0 };
	struct web_reply reply;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		web_reply_init(&reply);
		reply.status = cases[i].status;
		reply.allow = "GET, POST";
		web_reply_failure(&reply, &api, &none);
		expect(reply.status == cases[i].answered
		    && strstr(buf_get(&reply.body), cases[i].code) != NULL,
		    "%d: %s", cases[i].status, buf_get(&reply.body));
		if (reply.status == 405)
			expect_head(&reply, "",
			    "Status: 405 Method Not Allowed\r\n"
			    "Content-Type: application/json\r\n"
			    "Content-Length: 72\r\n" HARD
			    "Allow: GET, POST\r\n\r\n");
		web_reply_clear(&reply);
	}
}

/* err_set cuts a text to its length, perhaps inside a character. */
static void
test_failure_cut_text(void **state)
{
	static const struct web_request api = {
		.accept = "", .accept_language = "", .request_id = "",
	};
	struct err err = { .kind = ERR_INPUT, .text = "field \xe4\xb8" };
	struct web_reply reply;

	(void)state;
	web_reply_init(&reply);
	web_reply_failure(&reply, &api, &err);
	assert_string_equal(buf_get(&reply.body), "{\"code\":\"PARAM_ERROR\","
	    "\"message\":\"The request is not valid\"}");
	web_reply_clear(&reply);
}

static void
test_head_503(void **state)
{
	struct web_reply reply;
	struct err err = { 0 };

	(void)state;
	web_reply_init(&reply);
	assert_true(web_reply_text(&reply, 503, "text/xml", "x", &err));
	expect_head(&reply, "", "Status: 503 Service Unavailable\r\n"
	    "Content-Type: text/xml\r\nContent-Length: 1\r\n" HARD
	    "Retry-After: 1\r\n\r\n");
	web_reply_clear(&reply);
}

/* What a browser sees of JSON: a page that shows it, and runs nothing. */
static void
test_suit(void **state)
{
	static const struct {
		const char *accept, *language, *has;
		int status;
		bool is_page;
	} cases[] = {
		{ "text/html,*/*;q=0.8", "en", "<h1>WeChat Pay</h1>", 202,
		    true },
		{ "text/html,*/*;q=0.8", "zh-CN", "<h1>微信支付</h1>", 201,
		    true },
		{ "text/html", "en", "This conflicts", 409, true },
		{ "text/html", "en", "&lt;b&gt;", 200, true },
		{ "application/json", "en", "<b>", 409, false },
		{ "", "en", "<b>", 200, false },
		{ "*/*", "zh", "<b>", 202, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct web_request req = { 0 };
		struct web_reply reply;
		struct err err = { 0 };

		req.accept = cases[i].accept;
		req.accept_language = cases[i].language;
		req.request_id = "r-1";
		web_reply_init(&reply);
		assert_true(web_reply_text(&reply, cases[i].status,
		    "application/json", "{\"body\":\"<b>\"}", &err));
		web_reply_suit(&reply, &req);
		assert_int_equal(reply.status, cases[i].status);
		assert_non_null(strstr(buf_get(&reply.body), cases[i].has));
		assert_int_equal(strstr(reply.type, "html") != NULL,
		    cases[i].is_page);
		assert_int_equal(strstr(buf_get(&reply.body), "<b>") == NULL,
		    cases[i].is_page);
		web_reply_clear(&reply);
	}
	print_message("answers suited to who asks: %zu\n", COUNT_OF(cases));
}

/* A shopper reads what explains a refusal, in his language; a program what it
 * always did. */
static void
test_explained(void **state)
{
	static const struct web_words why = { "为何 <b>", "Why <b>" };
	static const struct web_words link = { "返回 <b>", "Back <b>" };
	static const struct {
		const char *accept, *language;
		bool is_refusal, has_link;
		const char *body;
	} cases[] = {
		{ "text/html", "en", false, true, "<p>Why &lt;b&gt;</p>\n"
		    "<p><a href=\"../x#a=&quot;&amp;b=&#39;\">Back &lt;b&gt;"
		    "</a></p>\n<p>PARAM_ERROR r1</p>\n" },
		{ "text/html", "zh-CN", false, false,
		    "<p>为何 &lt;b&gt;</p>\n<p>PARAM_ERROR r1</p>\n" },
		{ "text/html", "en", true, false,
		    "<p>Why &lt;b&gt;</p>\n<p>SNAPSHOT_USER r1</p>\n" },
		{ "text/html", "zh-CN", true, true, "<p>为何 &lt;b&gt;</p>\n"
		    "<p><a href=\"../x#a=&quot;&amp;b=&#39;\">返回 &lt;b&gt;"
		    "</a></p>\n<p>SNAPSHOT_USER r1</p>\n" },
		{ "*/*", "zh-CN", false, true,
		    "{\"code\":\"PARAM_ERROR\",\"message\":\"state: odd\"}" },
		{ "*/*", "zh-CN", true, true,
		    "{\"code\":\"SNAPSHOT_USER\",\"message\":\"no\"}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct web_request req = { .accept = cases[i].accept,
			.accept_language = cases[i].language,
			.request_id = "r1" };
		struct err err = { .kind = ERR_INPUT, .text = "state: odd" };
		struct err none = { 0 };
		struct web_reply reply;
		const char *body, *begin;

		web_reply_init(&reply);
		web_reply_explain(&reply, &why);
		if (cases[i].has_link)
			assert_true(web_reply_link(&reply, &link,
			    "../x#a=\"&b='", &none));
		if (cases[i].is_refusal)
			assert_true(web_reply_refuse(&reply, 403,
			    "SNAPSHOT_USER", "no", &none));
		else
			web_reply_failure(&reply, &req, &err);
		web_reply_suit(&reply, &req);
		assert_int_equal(reply.status, cases[i].is_refusal ? 403
		    : 400);
		body = buf_get(&reply.body);
		begin = strstr(body, "</h1>\n");
		assert_string_equal(begin == NULL ? body
		    : begin + strlen("</h1>\n"), cases[i].body);
		/* The next one is not explained. */
		web_reply_clear(&reply);
		web_reply_failure(&reply, &req, &err);
		assert_null(strstr(buf_get(&reply.body), "&lt;"));
		web_reply_clear(&reply);
	}
	print_message("refusals explained: %zu\n", COUNT_OF(cases));
}

static void
test_link_too_long(void **state)
{
	static const struct web_words link = { "返回", "Back" };
	char url[257];
	struct web_reply reply;
	struct err err = { 0 };

	(void)state;
	memset(url, 'x', sizeof(url));
	url[256] = '\0';
	web_reply_init(&reply);
	assert_false(web_reply_link(&reply, &link, url, &err));
	assert_int_equal(err.kind, ERR_BUG);
	assert_string_equal(reply.link_url, "");
	url[255] = '\0';
	assert_true(web_reply_link(&reply, &link, url, &err));
	web_reply_clear(&reply);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_too_long),
		cmocka_unit_test(test_see_other),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_no_injection),
		cmocka_unit_test(test_failure_json),
		cmocka_unit_test(test_failure_page),
		cmocka_unit_test(test_failure_by_status),
		cmocka_unit_test(test_failure_cut_text),
		cmocka_unit_test(test_head_503),
		cmocka_unit_test(test_suit),
		cmocka_unit_test(test_explained),
		cmocka_unit_test(test_link_too_long),
	};

	return cmocka_run_group_tests_name("web_reply", tests, NULL, NULL);
}
