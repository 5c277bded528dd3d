/* wechat_platform: what each answer of the open platform is taken for, over
 * real TLS; nothing secret in what is told of it (O1 to O4). */
#include "wechat/wechat_platform.h"

#include "fake.h"
#include "wechat/wechat_http.h"

#define DAY (24L * 3600)
#define APPID "wx8888888888888888"
#define MINI_APPID "wx7777777777777777"
#define SECRET "0123456789abcdef0123456789abcdef"
#define MINI_SECRET "fedcba9876543210fedcba9876543210"
#define CODE "061A2B+c/=&%x"	/* with what must be encoded */
#define OK "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"

static struct {
	struct cert ca, good, stranger;
	struct secret *secret, *mini_secret;
	char ca_path[64];
} my;

static struct wechat_platform *
open_to(const char *url)
{
	struct wechat_platform_config config = {
		.may_be_private = true,
		.url = url, .oauth_url = "https://open.weixin.qq.com",
		.ca = my.ca_path, .appid = APPID, .secret = my.secret,
		.mini_appid = MINI_APPID, .mini_secret = my.mini_secret,
		.connect_ms = 5000, .total_ms = 10000,
	};
	struct wechat_platform *platform = NULL;
	struct err err = { 0 };

	expect(wechat_platform_open(&config, &platform, &err), "%s",
	    err.text);
	return platform;
}

enum what { OAUTH, LOGIN, TOKEN, TICKET };

struct outcome {
	enum wechat_advice advice;
	struct wechat_answer answer;
	char openid[OPENID_MAX + 1];
	struct wechat_ticket ticket;
};

static void
call(struct wechat_platform *platform, enum what what, struct outcome *out)
{
	*out = (struct outcome){ 0 };
	if (what == OAUTH)
		out->advice = wechat_platform_oauth(platform, CODE,
		    out->openid, &out->answer);
	else if (what == LOGIN)
		out->advice = wechat_platform_login(platform, CODE,
		    out->openid, &out->answer);
	else if (what == TOKEN)
		out->advice = wechat_platform_token(platform, &out->ticket,
		    &out->answer);
	else
		out->advice = wechat_platform_ticket(platform, "t0-ken_",
		    &out->ticket, &out->answer);
}

/* One call to one who says raw.  The caller frees the fake that it may ask
 * what came. */
static struct fake *
call_raw(enum what what, const char *raw, const struct cert *cert,
    struct outcome *out)
{
	struct fake *fake = fake_open(&(struct fake_config){
		.way = FAKE_SAYS_RAW, .raw = raw, .cert = cert });
	struct wechat_platform *platform;
	char url[64];

	(void)snprintf(url, sizeof(url), "https://localhost:%d", fake->port);
	platform = open_to(url);
	call(platform, what, out);
	wechat_platform_close(platform);
	fake_close(fake);
	return fake;
}

/* [platform.md 2.2, 3, 4.2, 5.1] */
static void
test_requests(void **state)
{
	static const struct {
		enum what what;
		const char *raw, *head, *body;
	} cases[] = {
		{ OAUTH, OK "{\"openid\":\"o1\"}",
		  "GET /sns/oauth2/access_token?appid=" APPID "&secret=" SECRET
		  "&code=061A2B%2Bc%2F%3D%26%25x"
		  "&grant_type=authorization_code HTTP/1.1\r\n", "" },
		{ LOGIN, OK "{\"openid\":\"o1\",\"session_key\":\"k==\"}",
		  "GET /sns/jscode2session?appid=" MINI_APPID "&secret="
		  MINI_SECRET "&js_code=061A2B%2Bc%2F%3D%26%25x"
		  "&grant_type=authorization_code HTTP/1.1\r\n", "" },
		{ TOKEN, OK "{\"access_token\":\"a\",\"expires_in\":7200}",
		  "POST /cgi-bin/stable_token HTTP/1.1\r\n",
		  "{\"grant_type\":\"client_credential\",\"appid\":\"" APPID
		  "\",\"secret\":\"" SECRET "\"}" },
		{ TICKET, OK "{\"errcode\":0,\"errmsg\":\"ok\","
		  "\"ticket\":\"t\",\"expires_in\":7200}",
		  "GET /cgi-bin/ticket/getticket?access_token=t0-ken_"
		  "&type=jsapi HTTP/1.1\r\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct outcome out;
		struct fake *fake = call_raw(cases[i].what, cases[i].raw,
		    &my.good, &out);
		const char *body = strstr(fake->last, "\r\n\r\n");

		expect(out.answer.verdict == WECHAT_DONE
		    && out.advice == WECHAT_ADVICE_NONE, "%zu: %s", i,
		    out.answer.code);
		expect(strncmp(fake->last, cases[i].head,
		    strlen(cases[i].head)) == 0, "%zu: %s", i, fake->last);
		expect(body != NULL && str_eq(body + 4, cases[i].body),
		    "%zu: %s", i, fake->last);
		if (cases[i].what <= LOGIN)
			assert_string_equal(out.openid, "o1");
		else
			assert_int_equal(out.ticket.life_s, 7200);
		assert_int_equal(atomic_load(&fake->requests), 1);
		fake_free(fake);
	}
}

static void
test_answers(void **state)
{
#define ERRCODE(number) OK "{\"errcode\":" number ",\"errmsg\":\"said " SECRET \
	" rid: 65a1b2c3-1234-5678 " SECRET "\"}"
	static const struct {
		enum what what;
		const char *raw;
		enum wechat_verdict verdict;
		enum wechat_advice advice;
		const char *code;
		bool alarm;
	} cases[] = {
		{ OAUTH, ERRCODE("40029"), WECHAT_DENIED,
		  WECHAT_ADVICE_LOGIN, "40029", false },
		{ OAUTH, ERRCODE("40163"), WECHAT_DENIED,
		  WECHAT_ADVICE_LOGIN, "40163", false },
		{ LOGIN, ERRCODE("42003"), WECHAT_DENIED,
		  WECHAT_ADVICE_LOGIN, "42003", false },
		{ LOGIN, ERRCODE("40226"), WECHAT_DENIED,
		  WECHAT_ADVICE_BLOCKED, "40226", false },
		{ OAUTH, ERRCODE("40125"), WECHAT_DENIED,
		  WECHAT_ADVICE_NONE, "40125", true },
		{ TOKEN, ERRCODE("40164"), WECHAT_DENIED,
		  WECHAT_ADVICE_NONE, "40164", true },
		{ TOKEN, ERRCODE("99999"), WECHAT_DENIED,
		  WECHAT_ADVICE_NONE, "99999", true },
		{ TOKEN, ERRCODE("-1"), WECHAT_AGAIN,
		  WECHAT_ADVICE_LATER, "BUSY", false },
		{ TOKEN, ERRCODE("45009"), WECHAT_AGAIN,
		  WECHAT_ADVICE_LATER, "45009", false },
		{ TICKET, ERRCODE("40001"), WECHAT_DENIED,
		  WECHAT_ADVICE_TOKEN, "40001", false },
		{ TICKET, ERRCODE("42001"), WECHAT_DENIED,
		  WECHAT_ADVICE_TOKEN, "42001", false },
		{ TICKET, ERRCODE("40014"), WECHAT_DENIED,
		  WECHAT_ADVICE_TOKEN, "40014", false },
		/* no answer that can be read is one */
#define ODD(what, text) { what, text, WECHAT_UNSURE, WECHAT_ADVICE_LATER, \
	"ODD_ANSWER", false }
		ODD(OAUTH, OK ""), ODD(OAUTH, OK "{}"), ODD(OAUTH, OK "[]"),
		ODD(OAUTH, OK "{\"openid\":1}"),
		ODD(OAUTH, OK "{\"openid\":\"\"}"),
		ODD(OAUTH, OK "{\"openid\":\"a b\"}"),
		ODD(OAUTH, OK "{\"openid\":\"a.b\"}"),
		ODD(OAUTH, OK "{\"openid\":\"a\",\"openid\":\"b\"}"),
		ODD(OAUTH, OK "{\"openid\":\"a\"} x"),
		ODD(OAUTH, OK "{\"errcode\":\"0\",\"openid\":\"a\"}"),
		ODD(OAUTH, OK "{\"errcode\":0.5,\"openid\":\"a\"}"),
		ODD(TOKEN, OK "{\"access_token\":\"a\"}"),
		ODD(TOKEN, OK "{\"access_token\":\"a\",\"expires_in\":0}"),
		ODD(TOKEN, OK "{\"access_token\":\"a\",\"expires_in\":\"9\"}"),
		ODD(TOKEN, OK "{\"access_token\":\"a&b\",\"expires_in\":9}"),
		ODD(TOKEN, OK "{\"ticket\":\"a\",\"expires_in\":9}"),
		ODD(TICKET, OK "{\"access_token\":\"a\",\"expires_in\":9}"),
		{ OAUTH, "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n",
		  WECHAT_UNSURE, WECHAT_ADVICE_LATER, "HTTP_302", false },
		{ OAUTH, "HTTP/1.1 502 Bad Gateway\r\n\r\n{\"openid\":\"a\"}",
		  WECHAT_UNSURE, WECHAT_ADVICE_LATER, "HTTP_502", false },
		/* whatever stands in its place */
		{ OAUTH, OK "{\"openid\":\"a\",\"is_snapshotuser\":1}",
		  WECHAT_DENIED, WECHAT_ADVICE_SNAPSHOT, "SNAPSHOT", false },
		{ OAUTH, OK "{\"openid\":\"a\",\"is_snapshotuser\":\"0\"}",
		  WECHAT_DENIED, WECHAT_ADVICE_SNAPSHOT, "SNAPSHOT", false },
		{ OAUTH, OK "{\"openid\":\"a\",\"is_snapshotuser\":0}",
		  WECHAT_DONE, WECHAT_ADVICE_NONE, "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct outcome out;
		struct fake *fake = call_raw(cases[i].what, cases[i].raw,
		    &my.good, &out);

		expect(out.answer.verdict == cases[i].verdict
		    && out.advice == cases[i].advice
		    && out.answer.alarm == cases[i].alarm
		    && str_eq(out.answer.code, cases[i].code),
		    "%s: %d %d %s", cases[i].raw, out.answer.verdict,
		    out.advice, out.answer.code);
		expect(strstr(out.answer.text, SECRET) == NULL, "%s",
		    out.answer.text);
		if (strstr(cases[i].raw, "rid: ") != NULL)
			assert_string_equal(out.answer.text,
			    "rid: 65a1b2c3-1234-5678");
		expect((out.openid[0] != '\0')
		    == (cases[i].verdict == WECHAT_DONE), "%s", cases[i].raw);
		assert_int_equal(out.ticket.value[0], '\0');
		fake_free(fake);
	}
	print_message("    answers: %zu\n", COUNT_OF(cases));
}

/* One whom nobody vouches for does not get to see the appsecret (O1). */
static void
test_stranger(void **state)
{
	(void)state;
	for (enum what what = OAUTH; what <= TICKET; what++) {
		struct outcome out;
		struct fake *fake = call_raw(what, OK "{}", &my.stranger,
		    &out);

		assert_int_equal(out.answer.verdict, WECHAT_NOT_SENT);
		assert_string_equal(out.answer.code, "BAD_CERT");
		assert_int_equal(out.advice, WECHAT_ADVICE_LATER);
		assert_int_equal(atomic_load(&fake->bytes), 0);
		expect(strstr(out.answer.text, SECRET) == NULL, "%s",
		    out.answer.text);
		fake_free(fake);
	}
}

static void
test_authorize(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "oauth_url", 2);
	const json_t *base = json_array_get(list, 0);
	struct wechat_platform_config config = {
		.may_be_private = true,
		.url = "https://api.weixin.qq.com",
		.oauth_url = "https://open.weixin.qq.com",
		.appid = json_string_value(json_object_get(base, "appid")),
		.secret = my.secret, .connect_ms = 1, .total_ms = 1,
	};
	struct wechat_platform *platform = NULL;
	struct err err = { 0 };
	struct buf url;

	(void)state;
	buf_init(&url, 1024);
	assert_true(wechat_platform_open(&config, &platform, &err));
	wechat_platform_authorize(platform, json_string_value(
	    json_object_get(base, "redirect_uri")), json_string_value(
	    json_object_get(base, "state")), &url);
	assert_string_equal(buf_get(&url), json_string_value(
	    json_object_get(base, "expected")));
	wechat_platform_close(platform);
	buf_clear(&url);
	json_decref(all);
}

static void
test_open(void **state)
{
	static const struct {
		const char *url, *oauth_url, *secret;
	} cases[] = {
		{ "http://a.example", "https://b.example", SECRET },
		{ "https://a.example/", "https://b.example", SECRET },
		{ "https://a.example?x", "https://b.example", SECRET },
		{ "https://a.example", "javascript:alert(1)", SECRET },
		{ "https://a.example", "https://b.example#", SECRET },
		{ "https://a.example", "https://b.example", "short" },
		{ "https://a.example", "https://b.example",
		  "0123456789abcdef0123456789abcde&" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct secret *secret = NULL;
		struct wechat_platform *platform = NULL;
		struct err err = { 0 };
		struct wechat_platform_config config = {
			.may_be_private = true,
			.url = cases[i].url, .oauth_url = cases[i].oauth_url,
			.appid = APPID, .connect_ms = 1, .total_ms = 1,
		};

		assert_true(secret_new(cases[i].secret,
		    strlen(cases[i].secret), &secret, &err));
		config.secret = secret;
		expect(!wechat_platform_open(&config, &platform, &err)
		    && err.kind == ERR_INPUT, "%zu", i);
		expect(strstr(err.text, cases[i].secret) == NULL, "%s",
		    err.text);
		secret_free(secret);
	}
}

static int
start(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)snprintf(my.ca_path, sizeof(my.ca_path),
	    "/tmp/wxpay_platform_%d.pem", (int)getpid());
	my.ca = cert_make(&(struct cert_wish){ .name = "CA",
		.from_s = -DAY, .to_s = DAY });
	my.good = cert_make(&(struct cert_wish){ .name = "localhost",
		.san = "DNS:localhost", .issuer = &my.ca, .from_s = -DAY,
		.to_s = DAY });
	my.stranger = cert_make(&(struct cert_wish){ .name = "localhost",
		.san = "DNS:localhost", .from_s = -DAY, .to_s = DAY });
	cert_write(&my.ca, my.ca_path);
	assert_true(secret_new(SECRET, strlen(SECRET), &my.secret, &err)
	    && secret_new(MINI_SECRET, strlen(MINI_SECRET), &my.mini_secret,
	    &err));
	tls_load();
	wechat_start();
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	secret_free(my.mini_secret);
	secret_free(my.secret);
	cert_free(&my.stranger);
	cert_free(&my.good);
	cert_free(&my.ca);
	(void)unlink(my.ca_path);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_stranger),
		cmocka_unit_test(test_authorize),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
