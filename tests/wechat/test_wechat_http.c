/*
 * wechat, over the line: whatever the other end does, each call ends in time,
 * with the right verdict, and NOT_SENT only if no byte of it was readable
 * there.  [threats.md I9, I12, N21, O1-O8, O11, O12]
 */
#include "wechat/wechat.h"

#include <netdb.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/clock.h"

#include "fake.h"
#include "reply3.h"

#define DAY 86400L
#define MCHID "1900000109"
#define APPID "wx8888888888888888"
#define KEY "8f3c1d0e9b7a4652c1e0d9f8a7b6c5d4"
#define TRADE_NO "G20240115000001"
#define REFUND_NO "R20240116000001"

/* Long enough for this machine to do what it should at once. */
#define PLENTY_MS 20000
/* How long something may take that has to be cut off after TOTAL_MS. */
#define TOTAL_MS 700
#define SLACK_MS 2000

static struct {
	struct cert ca, other_ca;
	struct cert good, expired, early, other_name, self_signed, stranger;
	struct cert merchant, other_merchant;
	struct secret *merchant_cert, *merchant_key;
	struct secret *api_key;
	/* of V3 */
	struct secret *v3_cert, *v3_key, *apiv3_key;
	struct wechat_keys *keys;
	char dir[32];
	char ca_path[64], other_ca_path[64], keylog_path[64];
} my;

/* ------------------------------------------------------------- our resolver */

/* libcurl's calls land here: "api.test" is this machine, "none.test" is
 * nowhere, and "slow.test" takes until slow_release. */
static pthread_mutex_t slow_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t slow_free = PTHREAD_COND_INITIALIZER;
static bool slow_is_free;
static size_t slow_inside, resolved;

static void
slow_wait(void)
{
	(void)pthread_mutex_lock(&slow_lock);
	slow_inside++;
	while (!slow_is_free)
		(void)pthread_cond_wait(&slow_free, &slow_lock);
	slow_inside--;
	(void)pthread_cond_broadcast(&slow_free);
	(void)pthread_mutex_unlock(&slow_lock);
}

static size_t
slow_release(void)
{
	size_t inside;

	(void)pthread_mutex_lock(&slow_lock);
	inside = slow_inside;
	slow_is_free = true;
	(void)pthread_cond_broadcast(&slow_free);
	while (slow_inside > 0)
		(void)pthread_cond_wait(&slow_free, &slow_lock);
	(void)pthread_mutex_unlock(&slow_lock);
	return inside;
}

__attribute__((visibility("default"))) int
getaddrinfo(const char *restrict node, const char *restrict service,
    const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
	int (*real)(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	(void)pthread_mutex_lock(&slow_lock);
	resolved++;
	(void)pthread_mutex_unlock(&slow_lock);
	if (node != NULL && str_eq(node, "none.test"))
		return EAI_NONAME;
	if (node != NULL && str_eq(node, "slow.test"))
		slow_wait();
	return real("127.0.0.1", service, hints, out);
}

/* --------------------------------------------------------------- what we do */

struct setup {
	const char *host;		/* NULL: api.test */
	const struct fake *fake;	/* NULL: .port */
	const struct fake *backup;	/* NULL: none */
	const char *ca;			/* NULL: my.ca_path */
	int port;
	long connect_ms, total_ms;	/* 0: plenty */
	bool is_bare;			/* no client certificate */
	bool is_v3;			/* and not V2 */
	bool is_strict;			/* no private address */
};

static struct wechat *
open_to(const struct setup *setup)
{
	char url[100], backup[100];
	struct wechat_config config = {
		.mchid = MCHID, .sign_type = SIGN2_HMAC_SHA256,
		.api_key = my.api_key, .url = url,
		.ca = setup->ca != NULL ? setup->ca : my.ca_path,
		.may_be_private = !setup->is_strict,
		.merchant_cert = setup->is_bare ? NULL : my.merchant_cert,
		.merchant_key = setup->is_bare ? NULL : my.merchant_key,
		.public_url = "https://pay.example.com",
		.connect_ms = setup->connect_ms != 0 ? setup->connect_ms
		    : PLENTY_MS,
		.total_ms = setup->total_ms != 0 ? setup->total_ms
		    : PLENTY_MS,
	};
	struct wechat *wechat = NULL;
	struct err err = { 0 };

	if (setup->is_v3) {
		config.mchid = W3_MCHID;
		config.api_key = NULL;
		config.keys = my.keys;
		config.apiv3_key = my.apiv3_key;
		config.merchant_cert = my.v3_cert;
		config.merchant_key = my.v3_key;
	}
	(void)snprintf(url, sizeof(url), "https://%s:%d", setup->host != NULL
	    ? setup->host : "api.test", setup->fake != NULL
	    ? setup->fake->port : setup->port);
	if (setup->backup != NULL) {
		(void)snprintf(backup, sizeof(backup), "https://api.test:%d",
		    setup->backup->port);
		config.url_backup = backup;
	}
	expect(wechat_open(&config, &wechat, &err), "%s", err.text);
	return wechat;
}

static struct fake *
fake_of(enum fake_way way, const struct cert *cert)
{
	return fake_open(&(struct fake_config){
		.way = way, .cert = cert, .api_key = my.api_key,
		.sign_type = SIGN2_HMAC_SHA256 });
}

static const struct payment_key asked = {
	.api = PAYMENT_V2, .payee.appid = APPID, .out_trade_no = TRADE_NO,
};

static const struct refund asked_refund = {
	.api = PAYMENT_V2, .out_refund_no = REFUND_NO,
	.out_trade_no = TRADE_NO, .payee.appid = APPID, .total_fen = 101,
	.refund_fen = 51,
};

static void
ask(struct wechat *wechat, struct wechat_answer *answer)
{
	struct payment_facts facts = { 0 };

	wechat_query(wechat, &asked, "0123456789abcdef0123456789abcdef",
	    &facts, answer);
	if (answer->verdict == WECHAT_DONE) {
		assert_int_equal(facts.fate, PAYMENT_UNPAID);
		assert_string_equal(facts.out_trade_no, TRADE_NO);
	}
}

static void
give_back(struct wechat *wechat, struct wechat_answer *answer)
{
	char refund_id[REFUND_ID_MAX + 1] = "";

	wechat_refund(wechat, &asked_refund,
	    "0123456789abcdef0123456789abcdef", refund_id, answer);
	if (answer->verdict == WECHAT_DONE)
		assert_string_equal(refund_id, "5000");
}

static void
answer_expect(const char *what, const struct wechat_answer *answer,
    enum wechat_verdict verdict, const char *code)
{
	expect(answer->verdict == verdict && (code == NULL
	    || str_eq(answer->code, code)), "%s: %s %s \"%s\"", what,
	    wechat_verdict_name(answer->verdict), answer->code, answer->text);
	expect(strstr(answer->text, KEY) == NULL
	    && strstr(answer->text, "<xml>") == NULL, "%s: \"%s\"", what,
	    answer->text);
}

/* ---------------------------------------------------------------- the tests */

/* All five calls against a WeChat in good health, and what they sent. */
static void
test_all_calls(void **state)
{
	static const struct payment payment = {
		.api = PAYMENT_V2, .out_trade_no = TRADE_NO, .payee.appid = APPID,
		.trade_type = "NATIVE", .client_ip = "203.0.113.7",
		.body = "茶", .total_fen = 101, .time_expire = 1705248000,
	};
	static const char *const paths[] = {
		"POST /pay/unifiedorder HTTP/1.1\r\n",
		"POST /pay/orderquery HTTP/1.1\r\n",
		"POST /pay/closeorder HTTP/1.1\r\n",
		"POST /secapi/pay/refund HTTP/1.1\r\n",
		"POST /pay/refundquery HTTP/1.1\r\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		struct fake *fake = fake_of(FAKE_ANSWERS, &my.good);
		struct wechat *wechat = open_to(&(struct setup){
			.fake = fake });
		struct payment_prepay prepay = { 0 };
		struct refund_facts facts = { 0 };
		struct wechat_answer answer;
		const char *nonce = "0123456789abcdef0123456789abcdef";

		switch (i) {
		case 0:
			wechat_prepay(wechat, &payment, nonce, &prepay,
			    &answer);
			assert_string_equal(prepay.prepay_id, "wx1");
			assert_string_equal(prepay.code_url, "weixin://x");
			break;
		case 1:
			ask(wechat, &answer);
			break;
		case 2:
			wechat_close_payment(wechat, &asked, nonce, &answer);
			break;
		case 3:
			give_back(wechat, &answer);
			break;
		default:
			wechat_query_refund(wechat, &asked_refund, nonce,
			    &facts, &answer);
			/* the fake knows no total_fee */
			answer_expect(paths[i], &answer, WECHAT_UNSURE,
			    "MISMATCH");
			answer.verdict = WECHAT_DONE;
			break;
		}
		answer_expect(paths[i], &answer, WECHAT_DONE, NULL);
		wechat_close(wechat);
		fake_close(fake);
		assert_int_equal(fake->connections, 1);
		assert_int_equal(fake->requests, 1);
		expect(strncmp(fake->last, paths[i], strlen(paths[i])) == 0,
		    "%.60s", fake->last);
		assert_non_null(strstr(fake->last,
		    "\r\nContent-Type: text/xml; charset=utf-8\r\n"));
		assert_null(strcasestr(fake->last, "\r\nAccept-Encoding:"));
		assert_non_null(strstr(fake->last,
		    "\r\nUser-Agent: wxpay/"));
		assert_null(strcasestr(fake->last, "\r\nExpect:"));
		assert_null(strcasestr(fake->last, "\r\nAuthorization:"));
		assert_null(strcasestr(fake->last, "\r\nProxy"));
		assert_non_null(strstr(fake->last, "<nonce_str><![CDATA["
		    "0123456789abcdef0123456789abcdef]]></nonce_str>"));
		/* the certificate is shown to the refund alone */
		assert_int_equal(fake->certs, 0);
		fake_free(fake);
	}
}

#define REPLY "HTTP/1.1 200 OK\r\nConnection: close\r\n"

/* Ways to disappoint: O1-O4, O8. */
static const struct {
	const char *what;
	enum fake_way way;
	enum wechat_verdict verdict;
	const char *code;	/* NULL: any */
	const char *raw;
	bool is_slow;		/* ends only because we end it */
} ways[] = {
	{ "answers", FAKE_ANSWERS, WECHAT_DONE, "", NULL, false },
	{ "answers byte by byte", FAKE_ANSWERS_BYTEWISE, WECHAT_DONE, "",
	  NULL, false },
	{ "answers unsigned", FAKE_ANSWERS_UNSIGNED, WECHAT_UNSURE,
	  "NO_SIGN", NULL, false },
	{ "answers about another number", FAKE_ANSWERS_OTHER, WECHAT_UNSURE,
	  "MISMATCH", NULL, false },

	{ "hangs up", FAKE_HANGS_UP, WECHAT_NOT_SENT, "NO_TLS", NULL, false },
	{ "says nothing", FAKE_SAYS_NOTHING, WECHAT_NOT_SENT, "TIMEOUT",
	  NULL, true },
	{ "speaks plain HTTP", FAKE_SPEAKS_PLAIN, WECHAT_NOT_SENT, "NO_TLS",
	  NULL, false },
	{ "speaks garbage", FAKE_SPEAKS_GARBAGE, WECHAT_NOT_SENT, NULL, NULL,
	  true },

	{ "leaves before reading", FAKE_LEAVES, WECHAT_UNSURE, NULL, NULL,
	  false },
	{ "is silent after reading", FAKE_HANGS, WECHAT_UNSURE, "TIMEOUT",
	  NULL, true },
	{ "leaves after reading", FAKE_READS_AND_LEAVES, WECHAT_UNSURE, NULL,
	  NULL, false },
	{ "resets after reading", FAKE_READS_AND_RESETS, WECHAT_UNSURE, NULL,
	  NULL, false },
	{ "cuts the body", FAKE_CUTS, WECHAT_UNSURE, NULL, NULL, false },
	{ "cuts a chunk", FAKE_CUTS_CHUNK, WECHAT_UNSURE, NULL, NULL, false },
	{ "drips", FAKE_DRIPS, WECHAT_UNSURE, "TIMEOUT", NULL, true },
	{ "floods", FAKE_FLOODS, WECHAT_UNSURE, "TOO_LONG", NULL, false },
	{ "floods chunks", FAKE_FLOODS_CHUNKS, WECHAT_UNSURE, "TOO_LONG",
	  NULL, false },
	{ "floods the head", FAKE_FLOODS_HEAD, WECHAT_UNSURE, "TOO_LONG",
	  NULL, false },
	{ "announces a megabyte", FAKE_SAYS_RAW, WECHAT_UNSURE, "TOO_LONG",
	  "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n<xml>", false },
	{ "announces a petabyte", FAKE_SAYS_RAW, WECHAT_UNSURE, "TOO_LONG",
	  "HTTP/1.1 200 OK\r\nContent-Length: 999999999999999\r\n\r\n<xml>",
	  false },
	{ "announces less than nothing", FAKE_SAYS_RAW, WECHAT_UNSURE, NULL,
	  "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n<xml>", false },
	{ "redirects", FAKE_SAYS_RAW, WECHAT_UNSURE, "HTTP_302",
	  "HTTP/1.1 302 Found\r\nLocation: /pay/orderquery\r\n"
	  "Content-Length: 0\r\n\r\n", false },
	{ "redirects the POST", FAKE_SAYS_RAW, WECHAT_UNSURE, "HTTP_307",
	  "HTTP/1.1 307 Temporary Redirect\r\nLocation: /pay/orderquery\r\n"
	  "Content-Length: 0\r\n\r\n", false },
	{ "redirects for good", FAKE_SAYS_RAW, WECHAT_UNSURE, "HTTP_308",
	  "HTTP/1.1 308 Permanent Redirect\r\nLocation: http://127.0.0.1/\r\n"
	  "Content-Length: 0\r\n\r\n", false },
	{ "wants a password", FAKE_SAYS_RAW, WECHAT_UNSURE, "HTTP_401",
	  "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n"
	  "Content-Length: 0\r\n\r\n", false },
	{ "is the wrong server", FAKE_SAYS_RAW, WECHAT_UNSURE, "HTTP_404",
	  "HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\n<html></html>",
	  false },
	{ "has failed", FAKE_SAYS_RAW, WECHAT_UNSURE, "HTTP_500",
	  "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", false },
	{ "has failed behind a proxy", FAKE_SAYS_RAW, WECHAT_UNSURE,
	  "HTTP_502", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\n"
	  "bad", false },
	{ "is busy", FAKE_SAYS_RAW, WECHAT_UNSURE, "HTTP_503",
	  "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
	  false },
	{ "says nothing well", FAKE_SAYS_RAW, WECHAT_UNSURE, "HTTP_204",
	  "HTTP/1.1 204 No Content\r\n\r\n", false },
	{ "says nothing at length", FAKE_SAYS_RAW, WECHAT_UNSURE, "BAD_XML",
	  REPLY "Content-Length: 0\r\n\r\n", false },
	{ "says garbage", FAKE_SAYS_RAW, WECHAT_UNSURE, "BAD_XML",
	  REPLY "\r\n\x01\x02\x03", false },
	{ "says half of it", FAKE_SAYS_RAW, WECHAT_UNSURE, "BAD_XML",
	  REPLY "\r\n<xml><return_code>SUCCESS</return_code>", false },
	{ "says HTML", FAKE_SAYS_RAW, WECHAT_UNSURE, "BAD_XML",
	  REPLY "\r\n<html></html>", false },
	{ "zips", FAKE_SAYS_RAW, WECHAT_UNSURE, "BAD_XML",
	  REPLY "Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08", false },
	{ "has no head", FAKE_SAYS_RAW, WECHAT_UNSURE, NULL,
	  "<xml><return_code>SUCCESS</return_code></xml>", false },
	{ "goes on for ever", FAKE_SAYS_RAW, WECHAT_UNSURE, NULL,
	  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n", false },
	{ "turns us away", FAKE_SAYS_RAW, WECHAT_DENIED, "RETURN_FAIL",
	  REPLY "\r\n<xml><return_code>FAIL</return_code><return_msg>"
	  "appid</return_msg></xml>", false },
	{ "has trouble of its own", FAKE_SAYS_RAW, WECHAT_UNSURE,
	  "RETURN_FAIL", REPLY "\r\n<xml><return_code>FAIL</return_code>"
	  "<return_msg>SYSTEMERROR</return_msg></xml>", false },
};

/* Under TLS 1.2 and 1.3, for a query and for a refund. */
static void
way_try(size_t i, int version, bool is_refund)
{
	struct fake *fake = fake_open(&(struct fake_config){
		.way = ways[i].way, .cert = &my.good, .raw = ways[i].raw,
		.tls_version = version, .api_key = my.api_key,
		.sign_type = SIGN2_HMAC_SHA256 });
	struct wechat *wechat = open_to(&(struct setup){
		.fake = fake,
		.total_ms = ways[i].is_slow ? TOTAL_MS : 0 });
	struct wechat_answer answer;
	int64_t took_ms = clock_monotonic_ms();

	if (is_refund)
		give_back(wechat, &answer);
	else
		ask(wechat, &answer);
	took_ms = clock_monotonic_ms() - took_ms;
	wechat_close(wechat);
	fake_close(fake);
	answer_expect(ways[i].what, &answer, ways[i].verdict, ways[i].code);
	if (ways[i].is_slow)
		expect(took_ms < TOTAL_MS + SLACK_MS, "%s: %lld ms",
		    ways[i].what, (long long)took_ms);
	/* I12, and nothing is ever sent twice (I9, O5) */
	expect(answer.verdict != WECHAT_NOT_SENT || fake->bytes == 0,
	    "%s: %zu bytes read there", ways[i].what,
	    (size_t)fake->bytes);
	expect(fake->connections == 1 && fake->requests <= 1,
	    "%s: %zu connections", ways[i].what, (size_t)fake->connections);
	fake_free(fake);
}

static void
test_ways(void **state)
{
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ways); i++) {
		way_try(i, TLS1_2_VERSION, true);
		way_try(i, TLS1_3_VERSION, false);
		tried += 2;
		if (ways[i].is_slow)
			continue;
		way_try(i, TLS1_2_VERSION, false);
		way_try(i, TLS1_3_VERSION, true);
		tried += 2;
	}
	print_message("    ways to disappoint: %zu, tried %zu times\n",
	    COUNT_OF(ways), tried);
}

/* O1: whom we do not believe, hears nothing. */
static void
test_certificates(void **state)
{
	const struct {
		const char *what;
		const struct cert *cert;
		const char *host, *ca;
		int version;
		enum wechat_verdict verdict;
	} cases[] = {
		{ "right", &my.good, NULL, NULL, 0, WECHAT_DONE },
		{ "TLS 1.3", &my.good, NULL, NULL, TLS1_3_VERSION,
		  WECHAT_DONE },
		{ "TLS 1.2", &my.good, NULL, NULL, TLS1_2_VERSION,
		  WECHAT_DONE },
		{ "TLS 1.1", &my.good, NULL, NULL, TLS1_1_VERSION,
		  WECHAT_NOT_SENT },
		{ "TLS 1.0", &my.good, NULL, NULL, TLS1_VERSION,
		  WECHAT_NOT_SENT },
		{ "expired", &my.expired, NULL, NULL, 0, WECHAT_NOT_SENT },
		{ "not yet valid", &my.early, NULL, NULL, 0,
		  WECHAT_NOT_SENT },
		{ "of another name", &my.other_name, NULL, NULL, 0,
		  WECHAT_NOT_SENT },
		{ "under another name", &my.good, "api2.test", NULL, 0,
		  WECHAT_NOT_SENT },
		{ "by address", &my.good, "127.0.0.1", NULL, 0,
		  WECHAT_NOT_SENT },
		{ "self-signed", &my.self_signed, NULL, NULL, 0,
		  WECHAT_NOT_SENT },
		{ "by another CA", &my.stranger, NULL, NULL, 0,
		  WECHAT_NOT_SENT },
		{ "under another CA", &my.good, NULL, my.other_ca_path, 0,
		  WECHAT_NOT_SENT },
		{ "under the system's CAs", &my.good, NULL,
		  "/etc/ssl/certs/ca-certificates.crt", 0, WECHAT_NOT_SENT },
		{ "the CA itself", &my.ca, NULL, NULL, 0, WECHAT_NOT_SENT },
	};
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fake *fake = fake_open(&(struct fake_config){
			.way = FAKE_ANSWERS, .cert = cases[i].cert,
			.tls_version = cases[i].version,
			.api_key = my.api_key,
			.sign_type = SIGN2_HMAC_SHA256 });
		struct wechat_answer answer;
		struct wechat *wechat;

		if (cases[i].ca != NULL && access(cases[i].ca, R_OK) != 0) {
			fake_close(fake);
			fake_free(fake);
			print_message("    skipped: %s\n", cases[i].what);
			continue;
		}
		wechat = open_to(&(struct setup){ .fake = fake,
			.host = cases[i].host, .ca = cases[i].ca });
		ask(wechat, &answer);
		answer_expect(cases[i].what, &answer, cases[i].verdict,
		    NULL);
		if (answer.verdict == WECHAT_NOT_SENT)
			expect(str_eq(answer.code, "BAD_CERT")
			    || str_eq(answer.code, "NO_TLS"), "%s: %s",
			    cases[i].what, answer.code);
		give_back(wechat, &answer);
		answer_expect(cases[i].what, &answer, cases[i].verdict,
		    NULL);
		wechat_close(wechat);
		fake_close(fake);
		assert_int_equal(fake->connections, 2);
		if (cases[i].verdict == WECHAT_NOT_SENT)
			assert_int_equal(fake->bytes, 0);
		else if (cases[i].version != 0)
			assert_int_equal(fake->version, cases[i].version);
		fake_free(fake);
		tried++;
	}
	print_message("    servers' certificates: %zu\n", tried);
}

/* R15: the other end demands a certificate, of its own merchants. */
static void
test_client_certificate(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	(void)state;
	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct fake_config config = {
			.way = FAKE_ANSWERS, .cert = &my.good,
			.client_ca = &my.ca, .tls_version = versions[v],
			.api_key = my.api_key,
			.sign_type = SIGN2_HMAC_SHA256,
		};
		struct fake *fake = fake_open(&config);
		struct wechat *wechat = open_to(&(struct setup){
			.fake = fake });
		struct wechat_answer answer;

		give_back(wechat, &answer);
		answer_expect("with it", &answer, WECHAT_DONE, "");
		give_back(wechat, &answer);
		answer_expect("again", &answer, WECHAT_DONE, "");
		assert_int_equal(fake->certs, 2);
		assert_int_equal(fake->requests, 2);
		/* a call that shows none.  Under 1.3 our side is done with
		 * the handshake before the refusal comes. */
		ask(wechat, &answer);
		answer_expect("without it", &answer,
		    versions[v] == TLS1_2_VERSION ? WECHAT_NOT_SENT
		    : WECHAT_UNSURE, NULL);
		wechat_close(wechat);
		fake_close(fake);
		assert_int_equal(fake->requests, 2);
		fake_free(fake);

		/* ours is of a CA that this one does not know */
		config.client_ca = &my.other_ca;
		fake = fake_open(&config);
		wechat = open_to(&(struct setup){ .fake = fake });
		give_back(wechat, &answer);
		answer_expect("of another CA", &answer,
		    versions[v] == TLS1_2_VERSION ? WECHAT_NOT_SENT
		    : WECHAT_UNSURE, NULL);
		wechat_close(wechat);
		fake_close(fake);
		assert_int_equal(fake->requests, 0);
		fake_free(fake);
	}
}

static void
test_no_client_certificate(void **state)
{
	struct fake *fake = fake_of(FAKE_ANSWERS, &my.good);
	struct wechat *wechat = open_to(&(struct setup){ .fake = fake,
		.is_bare = true });
	struct wechat_answer answer;

	(void)state;
	give_back(wechat, &answer);
	answer_expect("refund", &answer, WECHAT_NOT_SENT, "OWN_CERT");
	assert_true(answer.alarm);
	ask(wechat, &answer);
	answer_expect("query", &answer, WECHAT_DONE, "");
	wechat_close(wechat);
	fake_close(fake);
	assert_int_equal(fake->connections, 1);
	fake_free(fake);
}

/* A port where nobody listens, a name that is none, a name that takes long. */
static void
test_nobody(void **state)
{
	int port, fd = fake_listen(&port);
	struct wechat_answer answer;
	struct wechat *wechat;
	int64_t took_ms;

	(void)state;
	(void)close(fd);
	wechat = open_to(&(struct setup){ .port = port });
	ask(wechat, &answer);
	answer_expect("closed port", &answer, WECHAT_NOT_SENT,
	    "NO_CONNECTION");
	wechat_close(wechat);

	wechat = open_to(&(struct setup){ .host = "none.test",
		.port = port });
	ask(wechat, &answer);
	answer_expect("no such name", &answer, WECHAT_NOT_SENT, "NO_HOST");
	wechat_close(wechat);
	assert_true(resolved > 0);

	/* The resolver's thread stays behind; the call must not wait for it. */
	wechat = open_to(&(struct setup){ .host = "slow.test", .port = port,
		.total_ms = TOTAL_MS });
	took_ms = clock_monotonic_ms();
	ask(wechat, &answer);
	took_ms = clock_monotonic_ms() - took_ms;
	answer_expect("slow name", &answer, WECHAT_NOT_SENT, NULL);
	expect(took_ms < TOTAL_MS + SLACK_MS, "slow name: %lld ms",
	    (long long)took_ms);
	wechat_close(wechat);
	assert_int_equal(slow_release(), 1);
}

/* A backlog that is full: the kernel drops our SYN. */
static void
test_connect_timeout(void **state)
{
	int port, fd = fake_listen(&port);
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port),
	};
	int filler[8];
	struct wechat_answer answer;
	struct wechat *wechat;
	int64_t took_ms;

	(void)state;
	assert_int_equal(listen(fd, 0), 0);
	for (size_t i = 0; i < COUNT_OF(filler); i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(filler[i], (struct sockaddr *)&to, sizeof(to));
	}
	wechat = open_to(&(struct setup){ .port = port,
		.connect_ms = 200 });
	took_ms = clock_monotonic_ms();
	ask(wechat, &answer);
	took_ms = clock_monotonic_ms() - took_ms;
	answer_expect("full backlog", &answer, WECHAT_NOT_SENT, NULL);
	expect(took_ms < 200 + SLACK_MS, "%lld ms", (long long)took_ms);
	wechat_close(wechat);
	for (size_t i = 0; i < COUNT_OF(filler); i++)
		(void)close(filler[i]);
	(void)close(fd);
}

/* O11: the other host gets the same bytes, but only what cannot have arrived
 * at the first. */
static void
test_failover(void **state)
{
	static const struct {
		enum fake_way first;
		bool is_other;		/* the second is asked */
	} cases[] = {
		{ FAKE_HANGS_UP, true }, { FAKE_SAYS_NOTHING, true },
		{ FAKE_SPEAKS_PLAIN, true }, { FAKE_ANSWERS, false },
		{ FAKE_LEAVES, false }, { FAKE_HANGS, false },
		{ FAKE_READS_AND_LEAVES, false }, { FAKE_CUTS, false },
		{ FAKE_READS_AND_RESETS, false }, { FAKE_FLOODS, false },
		{ FAKE_ANSWERS_UNSIGNED, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fake *first = fake_of(cases[i].first, &my.good);
		struct fake *second = fake_of(FAKE_ANSWERS, &my.good);
		struct wechat *wechat = open_to(&(struct setup){
			.fake = first, .backup = second,
			.connect_ms = TOTAL_MS,
			.total_ms = cases[i].first == FAKE_HANGS ? TOTAL_MS
			    : PLENTY_MS });
		struct wechat_answer answer;

		give_back(wechat, &answer);
		wechat_close(wechat);
		fake_close(first);
		fake_close(second);
		expect(second->requests == (cases[i].is_other ? 1 : 0),
		    "%zu: %zu there", i, (size_t)second->requests);
		assert_int_equal(first->connections, 1);
		assert_true(first->requests + second->requests <= 1);
		answer_expect("failover", &answer, cases[i].is_other
		    || cases[i].first == FAKE_ANSWERS ? WECHAT_DONE
		    : WECHAT_UNSURE, NULL);
		fake_free(second);
		fake_free(first);
	}
	print_message("    failovers: %zu\n", COUNT_OF(cases));
}

/* Both are out of reach: in time, and nothing was sent. */
static void
test_failover_in_vain(void **state)
{
	struct fake *first = fake_of(FAKE_SAYS_NOTHING, &my.good);
	struct fake *second = fake_of(FAKE_SAYS_NOTHING, &my.good);
	struct wechat *wechat = open_to(&(struct setup){
		.fake = first, .backup = second, .connect_ms = TOTAL_MS / 2,
		.total_ms = TOTAL_MS });
	struct wechat_answer answer;
	int64_t took_ms = clock_monotonic_ms();

	(void)state;
	ask(wechat, &answer);
	took_ms = clock_monotonic_ms() - took_ms;
	answer_expect("in vain", &answer, WECHAT_NOT_SENT, "TIMEOUT");
	expect(took_ms < TOTAL_MS + SLACK_MS, "%lld ms", (long long)took_ms);
	wechat_close(wechat);
	fake_close(second);
	fake_close(first);
	assert_int_equal(first->connections, 1);
	fake_free(second);
	fake_free(first);
}

/* [v2.md 1.4] After three misses the backup comes first, and a miss there
 * still tries the first host. */
static void
test_failover_memory(void **state)
{
	struct fake *first = fake_of(FAKE_HANGS_UP, &my.good);
	struct fake *second = fake_of(FAKE_ANSWERS, &my.good);
	struct wechat *wechat = open_to(&(struct setup){
		.fake = first, .backup = second });
	struct wechat_answer answer;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		ask(wechat, &answer);
		answer_expect("failover", &answer, WECHAT_DONE, "");
	}
	fake_close(second);
	assert_int_equal(first->connections, 3);
	assert_int_equal(second->requests, 8);
	ask(wechat, &answer);
	answer_expect("both gone", &answer, WECHAT_NOT_SENT, NULL);
	assert_int_equal(first->connections, 4);
	wechat_close(wechat);
	fake_close(first);
	fake_free(second);
	fake_free(first);
}

/* O11: so does a first host that answers with trouble, or too late; what it
 * was sent goes nowhere else. */
static void
test_failover_trouble(void **state)
{
	static const struct {
		const char *what, *raw;
		enum fake_way way;
	} cases[] = {
		{ "503", "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
		  FAKE_SAYS_RAW },
		{ "500", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
		  FAKE_SAYS_RAW },
		{ "time-out", NULL, FAKE_HANGS },
		{ "cut", NULL, FAKE_CUTS },
		/* an answer, whatever it says, is no trouble */
		{ "404", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
		  FAKE_SAYS_RAW },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fake *first = fake_open(&(struct fake_config){
			.way = cases[i].way, .cert = &my.good,
			.raw = cases[i].raw, .api_key = my.api_key,
			.sign_type = SIGN2_HMAC_SHA256 });
		struct fake *second = fake_of(FAKE_ANSWERS, &my.good);
		struct wechat *wechat = open_to(&(struct setup){
			.fake = first, .backup = second,
			.total_ms = cases[i].way == FAKE_HANGS ? 2 * TOTAL_MS
			    : PLENTY_MS });
		bool is_left = !str_eq(cases[i].what, "404");
		struct wechat_answer answer;

		for (size_t n = 0; n < 6; n++) {
			ask(wechat, &answer);
			answer_expect(cases[i].what, &answer, n < 3 || !is_left
			    ? WECHAT_UNSURE : WECHAT_DONE, NULL);
		}
		wechat_close(wechat);
		fake_close(second);
		fake_close(first);
		assert_int_equal(first->requests, is_left ? 3 : 6);
		assert_int_equal(second->requests, is_left ? 3 : 0);
		fake_free(second);
		fake_free(first);
	}
	print_message("    troubles: %zu\n", COUNT_OF(cases));
}

/* ----------------------------------------------------------------------- V3 */

static const struct payment_key asked3 = {
	.api = PAYMENT_V3, .payee.appid = W3_APPID, .out_trade_no = TRADE_NO,
};

#define NOT_PAID3 "{\"mchid\":\"" W3_MCHID "\",\"appid\":\"" W3_APPID \
	"\",\"out_trade_no\":\"" TRADE_NO "\",\"trade_state\":\"NOTPAY\"," \
	"\"trade_state_desc\":\"未支付\"}"
#define REFUND3 "{\"refund_id\":\"5000\",\"out_refund_no\":\"" REFUND_NO \
	"\",\"transaction_id\":\"4200\",\"out_trade_no\":\"" TRADE_NO \
	"\",\"status\":\"PROCESSING\",\"amount\":{\"total\":101," \
	"\"refund\":51,\"currency\":\"CNY\"}}"

/* An answer as it goes over the line, signed now.  else_ stands in place of
 * the header named but, and in it $ for that header's value. */
static void
raw3_write(struct buf *out, const char *status, const char *else_,
    const char *but, const char *body)
{
	struct w3_signed made;

	w3_sign(reply3.pub_key, W3_PUB_KEY_ID, clock_now(), body,
	    strlen(body), &made);
	const struct {
		const char *name, *value;
	} headers[] = {
		{ "Wechatpay-Timestamp", made.headers.timestamp },
		{ "Wechatpay-Nonce", made.headers.nonce },
		{ "Wechatpay-Signature", made.headers.signature },
		{ "Wechatpay-Serial", made.headers.serial },
		{ "Wechatpay-Signature-Type", made.headers.type },
	};

	buf_init(out, 2 * WECHAT_HTTP_MAX);
	buf_format(out, "HTTP/1.1 %s\r\n", status);
	for (size_t i = 0; i < COUNT_OF(headers); i++) {
		bool is_changed = but != NULL && str_eq(headers[i].name, but);

		for (const char *at = else_; is_changed && *at != '\0'; at++)
			if (*at == '$')
				buf_text(out, headers[i].value);
			else
				buf_char(out, *at);
		if (!is_changed)
			buf_format(out, "%s: %s\r\n", headers[i].name,
			    headers[i].value);
	}
	if (strncmp(status, "204", 3) != 0)
		buf_format(out, "Content-Length: %zu\r\n", strlen(body));
	buf_format(out, "Request-ID: 08F8-1\r\n\r\n%s", body);
	assert_true(buf_ok(out));
}

static struct fake *
fake_says(const char *raw)
{
	return fake_open(&(struct fake_config){
		.way = FAKE_SAYS_RAW, .cert = &my.good, .raw = raw });
}

/* What stands between the first two, in the request that came last. */
static void
last_find(const struct fake *fake, const char *before, const char *behind,
    char *out, size_t size)
{
	const char *from = strstr(fake->last, before), *to;

	expect(from != NULL, "%s in %s", before, fake->last);
	from += strlen(before);
	to = strstr(from, behind);
	expect(to != NULL && (size_t)(to - from) < size, "%s", before);
	memcpy(out, from, (size_t)(to - from));
	out[to - from] = '\0';
}

/* The request is one that WeChat would believe: the bytes that came are those
 * that were signed. */
static void
last_verify(const struct fake *fake, const char *method, const char *nonce)
{
	struct sign3_public *merchant = public_open("v3-merchant-cert.pem");
	char signature[400], stamp[32], target[400], text[100];
	struct sign3_request request = {
		.method = method, .target = target, .nonce = nonce,
		.body = strstr(fake->last, "\r\n\r\n") + 4,
	};
	struct err err = { 0 };
	long at = 0;

	(void)snprintf(text, sizeof(text), "%s ", method);
	last_find(fake, text, " HTTP/1.1\r\n", target, sizeof(target));
	last_find(fake, "signature=\"", "\"", signature, sizeof(signature));
	last_find(fake, "timestamp=\"", "\"", stamp, sizeof(stamp));
	last_find(fake, "nonce_str=\"", "\"", text, sizeof(text));
	assert_string_equal(text, nonce);
	last_find(fake, "serial_no=\"", "\"", text, sizeof(text));
	assert_string_equal(text, "3D5A1C7E90B24F6688AA11CC33DD55EE77001122");
	assert_true(str_to_long(stamp, LONG_MAX, &at));
	request.at = at;
	request.body_len = strlen(request.body);
	assert_true(clock_now() - at < 60 && clock_now() >= at);
	expect(sign3_verify_request(merchant, &request, signature, &err),
	    "%s", err.text);
	sign3_public_free(merchant);
}

static const struct payment paid3 = {
	.api = PAYMENT_V3, .out_trade_no = TRADE_NO, .payee.appid = W3_APPID,
	.trade_type = "JSAPI", .openid = "o", .client_ip = "203.0.113.7",
	.body = "茶", .total_fen = 101, .time_expire = 1767234600,
};

static const struct refund refund3 = {
	.api = PAYMENT_V3, .out_refund_no = REFUND_NO,
	.out_trade_no = TRADE_NO, .payee.appid = W3_APPID, .total_fen = 101,
	.refund_fen = 51,
};

static const struct call3 {
	const char *line, *status, *body;
} calls3[] = {
	{ "POST /v3/pay/transactions/jsapi HTTP/1.1\r\n", "200 OK",
	  "{\"prepay_id\":\"wx1\"}" },
	{ "GET /v3/pay/transactions/out-trade-no/" TRADE_NO "?mchid="
	  W3_MCHID " HTTP/1.1\r\n", "200 OK", NOT_PAID3 },
	{ "POST /v3/pay/transactions/out-trade-no/" TRADE_NO
	  "/close HTTP/1.1\r\n", "204 No Content", "" },
	{ "POST /v3/refund/domestic/refunds HTTP/1.1\r\n", "200 OK",
	  REFUND3 },
	{ "GET /v3/refund/domestic/refunds/" REFUND_NO " HTTP/1.1\r\n",
	  "200 OK", REFUND3 },
	{ "GET /v3/certificates HTTP/1.1\r\n", "404 Not Found",
	  "{\"code\":\"RESOURCE_NOT_EXISTS\",\"message\":\"无\"}" },
};

static void
call3(struct wechat *wechat, size_t call, const char *nonce,
    struct wechat_answer *answer)
{
	static struct wechat_certificate list[WECHAT_KEYS_MAX];
	struct payment_prepay prepay = { 0 };
	struct payment_facts paid = { 0 };
	struct refund_facts refunded = { 0 };
	char refund_id[REFUND_ID_MAX + 1] = "";
	size_t count = 0;
	bool done;

	switch (call) {
	case 0:
		wechat_prepay(wechat, &paid3, nonce, &prepay, answer);
		break;
	case 1:
		wechat_query(wechat, &asked3, nonce, &paid, answer);
		break;
	case 2:
		wechat_close_payment(wechat, &asked3, nonce, answer);
		break;
	case 3:
		wechat_refund(wechat, &refund3, nonce, refund_id, answer);
		break;
	case 4:
		wechat_query_refund(wechat, &refund3, nonce, &refunded,
		    answer);
		break;
	default:
		wechat_certificates(wechat, nonce, list, &count, answer);
		assert_int_equal(count, 0);
	}
	done = answer->verdict == WECHAT_DONE;
	assert_string_equal(prepay.prepay_id, done && call == 0 ? "wx1" : "");
	assert_int_equal(paid.fate, done && call == 1 ? PAYMENT_UNPAID
	    : PAYMENT_UNKNOWN);
	assert_string_equal(refund_id, done && call == 3 ? "5000" : "");
	assert_int_equal(refunded.fate, done && call == 4
	    ? REFUND_PROCESSING : REFUND_UNKNOWN);
}

static void
test_v3_calls(void **state)
{
	const char *nonce = "0123456789abcdef0123456789abcdef";

	(void)state;
	for (size_t i = 0; i < COUNT_OF(calls3); i++) {
		struct wechat_answer answer;
		struct wechat *wechat;
		struct fake *fake;
		struct buf raw;
		char method[8] = "";
		bool is_post = calls3[i].line[0] == 'P';

		raw3_write(&raw, calls3[i].status, "", NULL, calls3[i].body);
		fake = fake_says(buf_get(&raw));
		wechat = open_to(&(struct setup){ .fake = fake,
			.is_v3 = true });
		call3(wechat, i, nonce, &answer);
		answer_expect(calls3[i].line, &answer, i == 5
		    ? WECHAT_MISSING : WECHAT_DONE, NULL);
		assert_string_equal(answer.serial, W3_PUB_KEY_ID);
		assert_string_equal(answer.text, i == 5 ? "[08F8-1] 无" : "");
		wechat_close(wechat);
		fake_close(fake);
		assert_int_equal(fake->requests, 1);
		expect(strncmp(fake->last, calls3[i].line,
		    strlen(calls3[i].line)) == 0, "%.100s", fake->last);
		memcpy(method, fake->last, is_post ? 4 : 3);
		last_verify(fake, method, nonce);
		assert_non_null(strstr(fake->last,
		    "\r\nAccept: application/json\r\n"));
		assert_non_null(strstr(fake->last,
		    "\r\nUser-Agent: wxpay/"));
		assert_non_null(strstr(fake->last,
		    "\r\nWechatpay-Serial: " W3_PUB_KEY_ID "\r\n"));
		assert_true((strstr(fake->last, "\r\nContent-Type: "
		    "application/json\r\n") != NULL) == is_post);
		assert_true((strcasestr(fake->last, "\r\nContent-Length:")
		    != NULL) == is_post);
		assert_null(strcasestr(fake->last, "\r\nAccept-Encoding:"));
		assert_null(strcasestr(fake->last, "\r\nExpect:"));
		/* V3 proves itself by signature alone */
		assert_int_equal(fake->certs, 0);
		fake_free(fake);
		buf_clear(&raw);
	}
}

/* O6: a name that leads to a private address is not even connected to. */
static void
test_private_address(void **state)
{
	struct fake *fake = fake_of(FAKE_ANSWERS, &my.good);
	struct wechat *wechat = open_to(&(struct setup){ .fake = fake,
		.is_strict = true });
	struct wechat_answer answer;

	(void)state;
	ask(wechat, &answer);
	answer_expect("127.0.0.1", &answer, WECHAT_NOT_SENT, "NO_CONNECTION");
	wechat_close(wechat);
	fake_close(fake);
	assert_int_equal(fake->connections, 0);
	fake_free(fake);
}

/* O8: a refund under our number, but of other money, is not ours. */
static void
test_refund_of_another(void **state)
{
	static const struct {
		const char *transaction_id;
		fen_t total_fen;
		bool is_ours;
	} cases[] = {
		{ "", 0, true }, { "", 101, true }, { "4200", 0, true },
		{ "4200", 101, true }, { "", 102, false }, { "42", 101, false },
		{ "42001", 0, false },
	};
	struct buf raw;

	(void)state;
	raw3_write(&raw, calls3[4].status, "", NULL, calls3[4].body);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fake *fake = fake_says(buf_get(&raw));
		struct wechat *wechat = open_to(&(struct setup){
			.fake = fake, .is_v3 = true });
		struct refund refund = refund3;
		struct refund_facts facts = { 0 };
		struct wechat_answer answer;

		assert_true(str_copy(refund.transaction_id,
		    sizeof(refund.transaction_id), cases[i].transaction_id));
		refund.total_fen = cases[i].total_fen;
		wechat_query_refund(wechat, &refund, "0123", &facts, &answer);
		answer_expect(cases[i].transaction_id, &answer,
		    cases[i].is_ours ? WECHAT_DONE : WECHAT_UNSURE,
		    cases[i].is_ours ? NULL : "MISMATCH");
		assert_int_equal(facts.fate, cases[i].is_ours
		    ? REFUND_PROCESSING : REFUND_UNKNOWN);
		assert_string_equal(facts.refund_id, cases[i].is_ours
		    ? "5000" : "");
		wechat_close(wechat);
		fake_close(fake);
		fake_free(fake);
	}
	buf_clear(&raw);
}

/* N21, for answers: whatever their letters, the headers are found; one that
 * came twice, or is out of bounds, proves nothing. */
static void
test_v3_headers(void **state)
{
	static char longer[WECHAT_HTTP_HEADER_MAX + 40];
	static const struct {
		const char *but, *else_;
		enum wechat_verdict verdict;
		const char *code;
	} cases[] = {
		{ NULL, "", WECHAT_DONE, "" },
		{ "Wechatpay-Nonce", "wechatpay-nonce: $\r\n", WECHAT_DONE,
		  "" },
		{ "Wechatpay-Nonce", "WECHATPAY-NONCE:$\r\n", WECHAT_DONE,
		  "" },
		{ "Wechatpay-Nonce", "Wechatpay-Nonce: \t $ \t\r\n",
		  WECHAT_DONE, "" },
		{ "Wechatpay-Serial", "wechatpay-serial:   $\r\n",
		  WECHAT_DONE, "" },
		{ "Wechatpay-Signature-Type", "", WECHAT_DONE, "" },
		{ "Wechatpay-Nonce", "Wechatpay-Nonce: $\r\n"
		  "X-Wechatpay-Nonce: $\r\nWechatpay-Nonce-2: $\r\n"
		  "Wechatpay: $\r\nRequest-ID: 2\r\n", WECHAT_DONE, "" },

		{ "Wechatpay-Timestamp", "", WECHAT_UNSURE, "NO_SIGN" },
		{ "Wechatpay-Nonce", "", WECHAT_UNSURE, "NO_SIGN" },
		{ "Wechatpay-Signature", "", WECHAT_UNSURE, "NO_SIGN" },
		{ "Wechatpay-Serial", "", WECHAT_UNSURE, "NO_SIGN" },
		{ "Wechatpay-Nonce", "Wechatpay-Nonce:\r\n", WECHAT_UNSURE,
		  "NO_SIGN" },
		{ "Wechatpay-Nonce", "Wechatpay-Nonce: x$\r\n",
		  WECHAT_UNSURE, "BAD_SIGN" },
		{ "Wechatpay-Nonce", "X-Wechatpay-Nonce: $\r\n",
		  WECHAT_UNSURE, "NO_SIGN" },
		{ "Wechatpay-Timestamp", "Wechatpay-Timestamp: $\r\n"
		  "Wechatpay-Timestamp: $\r\n", WECHAT_UNSURE, "NO_SIGN" },
		{ "Wechatpay-Nonce", "Wechatpay-Nonce: $\r\n"
		  "wechatpay-NONCE: $\r\n", WECHAT_UNSURE, "NO_SIGN" },
		{ "Wechatpay-Signature", "Wechatpay-Signature: x\r\n"
		  "Wechatpay-Signature: $\r\n", WECHAT_UNSURE, "NO_SIGN" },
		{ "Wechatpay-Serial", "Wechatpay-Serial: $\r\n"
		  "Wechatpay-Serial:\r\n", WECHAT_UNSURE, "NO_SIGN" },
		{ "Wechatpay-Signature-Type", "Wechatpay-Signature-Type: $"
		  "\r\nWechatpay-Signature-Type: $\r\n", WECHAT_UNSURE,
		  "SIGN_TYPE" },
		{ "Wechatpay-Signature", longer, WECHAT_UNSURE, "NO_SIGN" },
	};

	(void)state;
	memset(longer, 'A', sizeof(longer));
	memcpy(longer, "Wechatpay-Signature: ", 21);
	memcpy(longer + sizeof(longer) - 3, "\r\n", 3);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct wechat_answer answer;
		struct wechat *wechat;
		struct fake *fake;
		struct buf raw;

		raw3_write(&raw, "200 OK", cases[i].else_, cases[i].but,
		    NOT_PAID3);
		fake = fake_says(buf_get(&raw));
		wechat = open_to(&(struct setup){ .fake = fake,
			.is_v3 = true });
		call3(wechat, 1, "0123", &answer);
		answer_expect(cases[i].else_, &answer, cases[i].verdict,
		    cases[i].code);
		wechat_close(wechat);
		fake_close(fake);
		fake_free(fake);
		buf_clear(&raw);
	}
	print_message("    heads: %zu\n", COUNT_OF(cases));
}

/* Heads before the head, and what else may stand around an answer. */
static void
test_v3_answers(void **state)
{
	static const char before[] = "HTTP/1.1 100 Continue\r\n"
	    "Wechatpay-Nonce: x\r\nWechatpay-Signature: x\r\n\r\n";
	static const struct {
		const char *what, *raw;
		size_t call;
		enum wechat_verdict verdict;
		const char *code;
	} cases[] = {
		{ "not found, unsigned", "HTTP/1.1 404 Not Found\r\n"
		  "Content-Length: 26\r\n\r\n{\"code\":\"ORDER_NOT_EXIST\"}",
		  1, WECHAT_MISSING, "ORDER_NOT_EXIST" },
		{ "not found, by a proxy", "HTTP/1.1 404 Not Found\r\n"
		  "Content-Length: 6\r\n\r\n<html>", 1, WECHAT_DENIED,
		  "HTTP_404" },
		{ "not found, cut", "HTTP/1.1 404 Not Found\r\n"
		  "Content-Length: 27\r\n\r\n{\"code\":\"ORDER_NOT_EXIST\"}",
		  1, WECHAT_UNSURE, NULL },
		{ "closed, unsigned", "HTTP/1.1 204 No Content\r\n\r\n", 2,
		  WECHAT_UNSURE, "NO_SIGN" },
		{ "refused, unsigned", "HTTP/1.1 400 Bad Request\r\n"
		  "Content-Length: 22\r\n\r\n{\"code\":\"PARAM_ERROR\"}", 3,
		  WECHAT_DENIED, "PARAM_ERROR" },
		{ "redirected", "HTTP/1.1 307 Temporary Redirect\r\n"
		  "Location: /v3/x\r\nContent-Length: 0\r\n\r\n", 3,
		  WECHAT_UNSURE, "HTTP_307" },
		{ "too fast", "HTTP/1.1 429 Too Many\r\n"
		  "Content-Length: 0\r\n\r\n", 3, WECHAT_AGAIN, "HTTP_429" },
	};
	struct wechat_answer answer;
	struct wechat *wechat;
	struct fake *fake;
	struct buf raw, whole;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		fake = fake_says(cases[i].raw);
		wechat = open_to(&(struct setup){ .fake = fake,
			.is_v3 = true });
		call3(wechat, cases[i].call, "0123", &answer);
		answer_expect(cases[i].what, &answer, cases[i].verdict,
		    cases[i].code);
		wechat_close(wechat);
		fake_close(fake);
		assert_int_equal(fake->connections, 1);
		fake_free(fake);
	}
	/* the headers of "100 Continue" are not those of the answer */
	raw3_write(&raw, "200 OK", "", NULL, NOT_PAID3);
	buf_init(&whole, 2 * WECHAT_HTTP_MAX);
	buf_text(&whole, before);
	buf_add(&whole, raw.data, raw.len);
	fake = fake_says(buf_get(&whole));
	wechat = open_to(&(struct setup){ .fake = fake, .is_v3 = true });
	call3(wechat, 1, "0123", &answer);
	answer_expect("100", &answer, WECHAT_DONE, "");
	wechat_close(wechat);
	fake_close(fake);
	fake_free(fake);
	buf_clear(&whole);
	buf_clear(&raw);
}

/* O11: the same bytes, under the same number, and only if nothing arrived. */
static void
test_v3_failover(void **state)
{
	static const struct {
		enum fake_way first;
		bool is_other;
	} cases[] = {
		{ FAKE_HANGS_UP, true }, { FAKE_SPEAKS_PLAIN, true },
		{ FAKE_READS_AND_LEAVES, false }, { FAKE_CUTS, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct fake *first = fake_of(cases[i].first, &my.good);
		struct fake *second;
		struct wechat_answer answer;
		struct wechat *wechat;
		struct buf raw;

		raw3_write(&raw, "200 OK", "", NULL, REFUND3);
		second = fake_says(buf_get(&raw));
		wechat = open_to(&(struct setup){ .fake = first,
			.backup = second, .is_v3 = true });
		call3(wechat, 3, "0123456789abcdef", &answer);
		answer_expect("failover", &answer, cases[i].is_other
		    ? WECHAT_DONE : WECHAT_UNSURE, NULL);
		wechat_close(wechat);
		fake_close(second);
		fake_close(first);
		assert_int_equal(second->requests, cases[i].is_other);
		if (cases[i].is_other) {
			last_verify(second, "POST", "0123456789abcdef");
			assert_non_null(strstr(second->last, REFUND_NO));
		}
		fake_free(second);
		fake_free(first);
		buf_clear(&raw);
	}
}

/* A payment of an api that is not configured goes nowhere, and wakes
 * somebody. */
static void
test_one_api(void **state)
{
	struct fake *fake = fake_of(FAKE_ANSWERS, &my.good);
	struct wechat *v2 = open_to(&(struct setup){ .fake = fake });
	struct wechat *v3 = open_to(&(struct setup){ .fake = fake,
		.is_v3 = true });
	struct wechat_answer answer;
	struct fields fields = { 0 };
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(calls3); i++) {
		call3(v2, i, "0123", &answer);
		answer_expect("V3 without keys", &answer, WECHAT_NOT_SENT,
		    "NO_V3_KEY");
		assert_true(answer.alarm);
	}
	ask(v3, &answer);
	answer_expect("V2 without key", &answer, WECHAT_NOT_SENT,
	    "NO_V2_KEY");
	assert_true(answer.alarm);
	give_back(v3, &answer);
	answer_expect("V2 without key", &answer, WECHAT_NOT_SENT,
	    "NO_V2_KEY");
	assert_false(wechat_jsapi(v2, &asked3, "wx1", 1, &fields, &err));
	assert_false(wechat_jsapi(v3, &asked, "wx1", 1, &fields, &err));
	assert_int_equal(err.kind, ERR_BUG);
	assert_int_equal(fields.count, 0);
	err = (struct err){ 0 };
	assert_true(wechat_jsapi(v3, &asked3, "wx1", 1, &fields, &err));
	assert_string_equal(fields_text(&fields, "signType"), "RSA");
	assert_string_equal(fields_text(&fields, "appId"), W3_APPID);
	fields_clear(&fields);
	wechat_close(v3);
	wechat_close(v2);
	fake_close(fake);
	assert_int_equal(fake->connections, 0);
	fake_free(fake);
}

/* O7: libcurl would heed all of these. */
static void
test_environment(void **state)
{
	static const char *const names[] = {
		"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
		"all_proxy", "ALL_PROXY",
	};
	struct fake *trap = fake_of(FAKE_SPEAKS_PLAIN, &my.good);
	struct fake *good = fake_of(FAKE_ANSWERS, &my.good);
	struct fake *bad = fake_of(FAKE_ANSWERS, &my.stranger);
	struct wechat *wechat = open_to(&(struct setup){ .fake = good });
	struct wechat *wary = open_to(&(struct setup){ .fake = bad });
	struct wechat_answer answer;
	struct stat keylog;
	char proxy[64];

	(void)state;
	(void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d",
	    trap->port);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(setenv(names[i], proxy, 1), 0);
	assert_int_equal(setenv("CURL_CA_BUNDLE", my.other_ca_path, 1), 0);
	assert_int_equal(setenv("SSL_CERT_FILE", my.other_ca_path, 1), 0);
	ask(wechat, &answer);
	answer_expect("environment", &answer, WECHAT_DONE, "");
	ask(wary, &answer);
	answer_expect("environment", &answer, WECHAT_NOT_SENT, "BAD_CERT");
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(unsetenv(names[i]), 0);
	assert_int_equal(unsetenv("CURL_CA_BUNDLE"), 0);
	assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
	wechat_close(wary);
	wechat_close(wechat);
	fake_close(bad);
	fake_close(good);
	fake_close(trap);
	assert_int_equal(trap->connections, 0);
	assert_int_equal(bad->bytes, 0);
	/* .netrc of our HOME has a password for this very host */
	assert_null(strcasestr(good->last, "Authorization"));
	/* SSLKEYLOGFILE was set before wechat_start */
	assert_int_not_equal(stat(my.keylog_path, &keylog), 0);
	fake_free(bad);
	fake_free(good);
	fake_free(trap);
}

/* A connection for each call, and yet no full handshake for each. */
static void
test_resumption(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	enum { CALLS = 10 };

	(void)state;
	for (size_t v = 0; v < COUNT_OF(versions); v++)
	for (int is_refund = 0; is_refund < 2; is_refund++) {
		struct fake *fake = fake_open(&(struct fake_config){
			.way = FAKE_ANSWERS, .cert = &my.good,
			.client_ca = is_refund ? &my.ca : NULL,
			.tls_version = versions[v],
			.api_key = my.api_key,
			.sign_type = SIGN2_HMAC_SHA256 });
		struct wechat *wechat = open_to(&(struct setup){
			.fake = fake });
		struct wechat_answer answer;

		for (size_t i = 0; i < CALLS; i++) {
			if (is_refund)
				give_back(wechat, &answer);
			else
				ask(wechat, &answer);
			answer_expect("resumed", &answer, WECHAT_DONE, "");
		}
		wechat_close(wechat);
		fake_close(fake);
		print_message("    TLS 1.%d%s: %zu of %d resumed\n",
		    versions[v] == TLS1_2_VERSION ? 2 : 3,
		    is_refund ? " with certificate" : "",
		    (size_t)fake->resumed, CALLS);
		assert_int_equal(fake->connections, CALLS);
		assert_int_equal(fake->requests, CALLS);
		assert_int_equal(fake->resumed, CALLS - 1);
		fake_free(fake);
	}
}

/* O12: signals while the bytes go in and out. */
struct pest {
	pthread_t victim;
	atomic_bool is_over;
	size_t signals;
};

static void
pest_heard(int signal_no)
{
	(void)signal_no;
}

static void *
pest_run(void *arg)
{
	static const struct timespec moment = { .tv_nsec = 200000 };
	struct pest *pest = arg;

	while (!atomic_load(&pest->is_over)) {
		assert(pthread_kill(pest->victim, SIGUSR1) == 0);
		pest->signals++;
		(void)nanosleep(&moment, NULL);
	}
	return NULL;
}

static void
test_signals(void **state)
{
	struct sigaction heard = { .sa_handler = pest_heard };
	struct fake *fake = fake_of(FAKE_ANSWERS_BYTEWISE, &my.good);
	struct wechat *wechat = open_to(&(struct setup){ .fake = fake });
	struct pest pest = { .victim = pthread_self() };
	struct wechat_answer answer;
	pthread_t thread;

	(void)state;
	assert_int_equal(sigaction(SIGUSR1, &heard, NULL), 0);
	assert_int_equal(pthread_create(&thread, NULL, pest_run, &pest), 0);
	for (size_t i = 0; i < 20; i++) {
		ask(wechat, &answer);
		answer_expect("signals", &answer, WECHAT_DONE, "");
	}
	atomic_store(&pest.is_over, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	print_message("    signals: %zu\n", pest.signals);
	assert_true(pest.signals > 20);
	wechat_close(wechat);
	fake_close(fake);
	assert_int_equal(fake->requests, 20);
	fake_free(fake);
}

/* Many threads on one wechat, more than there are idle handles. */
struct crowd {
	struct wechat *wechat;
	atomic_size_t done;
};

enum { CROWD = 20, CROWD_CALLS = 10 };

static void *
crowd_run(void *arg)
{
	struct crowd *crowd = arg;

	for (size_t i = 0; i < CROWD_CALLS; i++) {
		struct payment_facts facts = { 0 };
		struct wechat_answer answer;
		struct payment_key key = asked;

		(void)snprintf(key.out_trade_no, sizeof(key.out_trade_no),
		    "T-%zu-%lx", i,
		    (unsigned long)pthread_self() & 0xffffffff);
		wechat_query(crowd->wechat, &key, "0123", &facts, &answer);
		if (answer.verdict == WECHAT_DONE
		    && str_eq(facts.out_trade_no, key.out_trade_no))
			atomic_fetch_add(&crowd->done, 1);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct fake *fake = fake_of(FAKE_ANSWERS, &my.good);
	struct crowd crowd = { .wechat = open_to(&(struct setup){
		.fake = fake }) };
	pthread_t threads[CROWD];

	(void)state;
	for (size_t i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, crowd_run,
		    &crowd), 0);
	for (size_t i = 0; i < CROWD; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	wechat_close(crowd.wechat);
	fake_close(fake);
	print_message("    calls from %d threads: %zu\n", CROWD,
	    (size_t)crowd.done);
	assert_int_equal(crowd.done, CROWD * CROWD_CALLS);
	assert_int_equal(fake->requests, CROWD * CROWD_CALLS);
	fake_free(fake);
}

/* What wechat_open must refuse, and say why. */
static void
test_open(void **state)
{
	static const char x256[] = "https://"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	struct secret *short_key = NULL, *other_key, *other_cert;
	struct err err = { 0 };
	const struct wechat_config good = {
		.mchid = MCHID, .sign_type = SIGN2_MD5,
		.api_key = my.api_key, .url = "https://api.test",
		.ca = my.ca_path, .merchant_cert = my.merchant_cert,
		.merchant_key = my.merchant_key,
		.public_url = "https://pay.example.com:8443/wx",
		.connect_ms = 1, .total_ms = 1,
	};
	struct wechat_config bad[44];
	size_t count = 0;
	struct wechat *wechat = NULL;

	(void)state;
	assert_true(secret_new(KEY, 31, &short_key, &err));
	other_key = cert_key_pem(&my.other_merchant, NULL);
	other_cert = cert_pem(&my.expired);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		bad[i] = good;
	bad[count++].api_key = short_key;
	bad[count++].apiv3_key = short_key;
	/* V3 signs with RSA, and needs something to sign with */
	bad[count++].keys = my.keys;
	bad[count].merchant_cert = NULL;
	bad[count].merchant_key = NULL;
	bad[count++].keys = my.keys;
	bad[count++].mchid = "";
	bad[count++].mchid = "19000001O9";
	bad[count++].mchid = "190000010919000001091900000109190";
	bad[count++].merchant_key = NULL;
	bad[count++].merchant_cert = NULL;
	bad[count++].merchant_key = other_key;
	bad[count++].merchant_key = my.api_key;
	bad[count++].merchant_cert = my.api_key;
	bad[count++].merchant_cert = other_cert;
	bad[count++].ca = "/nonexistent";
	bad[count++].ca = my.dir;
	bad[count++].connect_ms = 0;
	bad[count++].total_ms = 0;
	bad[count++].total_ms = -1;
	bad[count++].url = "";
	bad[count++].url = "https://";
	bad[count++].url = "http://api.test";
	bad[count++].url = "HTTPS://api.test";
	bad[count++].url = "api.test";
	bad[count++].url = "https://api.test/";
	bad[count++].url = "https:///x";
	bad[count++].url = "https://:443";
	bad[count++].url = "https://a@api.test";
	bad[count++].url = "https://api.test?x";
	bad[count++].url = "https://api.test#x";
	bad[count++].url = "https://api.test\r\nX: y";
	bad[count++].url = "https://api.test/a b";
	bad[count++].url = x256;
	bad[count++].url_backup = "http://api.test";
	bad[count++].public_url = "http://pay.example.com";
	bad[count++].public_url = "https://pay.example.com?x=y";
	assert_true(count < COUNT_OF(bad));
	for (size_t i = 0; i < count; i++) {
		err = (struct err){ 0 };
		expect(!wechat_open(&bad[i], &wechat, &err), "%zu", i);
		expect(err.kind == ERR_INPUT && err.text[0] != '\0'
		    && strstr(err.text, KEY) == NULL, "%zu: %s", i, err.text);
		assert_null(wechat);
	}
	err = (struct err){ 0 };
	expect(wechat_open(&good, &wechat, &err), "%s", err.text);
	wechat_close(wechat);
	wechat_close(NULL);
	print_message("    configurations refused: %zu\n", count);
	secret_free(other_cert);
	secret_free(other_key);
	secret_free(short_key);
}

/* A fresh nonce for every page that asks, signed under the pinned type. */
static void
test_jsapi(void **state)
{
	struct wechat *wechat = open_to(&(struct setup){ .port = 1 });
	struct fields one = { 0 }, two = { 0 }, odd = { 0 };
	struct err err = { 0 };
	char long_id[PREPAY_ID_MAX + 2];

	(void)state;
	assert_true(wechat_jsapi(wechat, &asked, "wx1", 1414561699, &one,
	    &err));
	assert_true(wechat_jsapi(wechat, &asked, "wx1", 1414561699, &two,
	    &err));
	assert_int_equal(one.count, 6);
	assert_string_equal(fields_text(&one, "appId"), APPID);
	assert_string_equal(fields_text(&one, "timeStamp"), "1414561699");
	assert_string_equal(fields_text(&one, "package"), "prepay_id=wx1");
	assert_string_equal(fields_text(&one, "signType"), "HMAC-SHA256");
	assert_int_equal(strlen(fields_text(&one, "paySign")), 64);
	assert_int_equal(strlen(fields_text(&one, "nonceStr")), 32);
	assert_string_not_equal(fields_text(&one, "nonceStr"),
	    fields_text(&two, "nonceStr"));
	assert_string_not_equal(fields_text(&one, "paySign"),
	    fields_text(&two, "paySign"));
	memset(long_id, 'x', sizeof(long_id));
	long_id[PREPAY_ID_MAX + 1] = '\0';
	assert_false(wechat_jsapi(wechat, &asked, long_id, 1, &odd, &err));
	assert_int_equal(odd.count, 0);
	fields_clear(&two);
	fields_clear(&one);
	wechat_close(wechat);
}

/* Of whom a client says that it is: the account that it runs under, which is
 * the sub-merchant's where he has one.  An app names the merchant, too, and
 * that is the provider. */
static void
test_invocation_appid(void **state)
{
	static const struct payment_payee payees[] = {
		{ .appid = APPID },
		{ .appid = APPID, .sub_mchid = "1900000110" },
		{ .appid = APPID, .sub_mchid = "1900000110",
		  .sub_appid = "wxd678efh567hg6999" },
	};
	struct wechat *wechat[] = {
		open_to(&(struct setup){ .port = 1 }),
		open_to(&(struct setup){ .port = 1, .is_v3 = true }),
	};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT_OF(payees); i++) {
		const struct payment_payee *payee = &payees[i / 2];
		const struct payment_key key = {
			.api = i % 2 == 0 ? PAYMENT_V2 : PAYMENT_V3,
			.payee = *payee,
		};
		const char *appid = i / 2 == 2 ? payee->sub_appid : APPID;
		struct fields page = { 0 }, app = { 0 };
		struct err err = { 0 };

		expect(wechat_jsapi(wechat[i % 2], &key, "wx1", 1, &page,
		    &err) && wechat_app(wechat[i % 2], &key, "wx1", 1, &app,
		    &err), "%s", err.text);
		assert_string_equal(fields_text(&page, "appId"), appid);
		assert_string_equal(fields_text(&app, "appid"), appid);
		assert_string_equal(fields_text(&app, "partnerid"),
		    i % 2 == 0 ? MCHID : W3_MCHID);
		fields_clear(&app);
		fields_clear(&page);
	}
	wechat_close(wechat[1]);
	wechat_close(wechat[0]);
}

static void
test_verdict_names(void **state)
{
	static const char *const names[WECHAT_VERDICTS] = {
		"unsure", "done", "not_sent", "again", "missing", "paid",
		"closed", "no_money", "refused", "denied",
	};

	(void)state;
	for (enum wechat_verdict v = 0; v < WECHAT_VERDICTS; v++)
		assert_string_equal(wechat_verdict_name(v), names[v]);
}

/* ------------------------------------------------------------------- around */

static struct cert
server_make(const char *san, const struct cert *issuer, long from_s,
    long to_s)
{
	return cert_make(&(struct cert_wish){ .name = "api.test", .san = san,
		.issuer = issuer, .from_s = from_s, .to_s = to_s });
}

static void
path_write(const char *name, const char *text, char path[static 64])
{
	FILE *file;

	(void)snprintf(path, 64, "%s/%s", my.dir, name);
	if (text == NULL)
		return;
	file = fopen(path, "w");
	assert_true(file != NULL && fputs(text, file) >= 0
	    && fclose(file) == 0);
}

static int
start(void **state)
{
	struct err err = { 0 };
	char path[64];

	(void)state;
	(void)snprintf(my.dir, sizeof(my.dir), "/tmp/wxpay_http_XXXXXX");
	assert_non_null(mkdtemp(my.dir));
	path_write("ca.pem", NULL, my.ca_path);
	path_write("other_ca.pem", NULL, my.other_ca_path);
	path_write("keylog", NULL, my.keylog_path);
	path_write(".netrc", "machine api.test login a password b\n", path);
	assert_int_equal(setenv("HOME", my.dir, 1), 0);
	assert_int_equal(setenv("SSLKEYLOGFILE", my.keylog_path, 1), 0);

	my.ca = cert_make(&(struct cert_wish){ .name = "CA",
		.from_s = -DAY, .to_s = DAY });
	my.other_ca = cert_make(&(struct cert_wish){ .name = "Other CA",
		.from_s = -DAY, .to_s = DAY });
	my.good = server_make("DNS:api.test", &my.ca, -DAY, DAY);
	my.expired = server_make("DNS:api.test", &my.ca, -DAY, -60);
	my.early = server_make("DNS:api.test", &my.ca, 3600, DAY);
	my.other_name = server_make("DNS:api.example", &my.ca, -DAY, DAY);
	my.self_signed = server_make("DNS:api.test", NULL, -DAY, DAY);
	my.stranger = server_make("DNS:api.test", &my.other_ca, -DAY, DAY);
	my.merchant = cert_make(&(struct cert_wish){ .name = MCHID,
		.san = "DNS:merchant", .issuer = &my.ca, .from_s = -DAY,
		.to_s = DAY });
	my.other_merchant = cert_make(&(struct cert_wish){ .name = MCHID,
		.san = "DNS:merchant", .issuer = &my.ca, .from_s = -DAY,
		.to_s = DAY });
	my.merchant_cert = cert_pem(&my.merchant);
	my.merchant_key = cert_key_pem(&my.merchant, NULL);
	cert_write(&my.ca, my.ca_path);
	cert_write(&my.other_ca, my.other_ca_path);
	tls_load();
	wechat_start();
	reply3_start();
	my.keys = reply3_keys(true, true);
	my.v3_cert = w3_pem("v3-merchant-cert.pem");
	my.v3_key = w3_pem("v3-merchant-key.pem");
	my.apiv3_key = secret_of(W3_APIV3_KEY, strlen(W3_APIV3_KEY));
	return secret_new(KEY, strlen(KEY), &my.api_key, &err) ? 0 : -1;
}

static int
stop(void **state)
{
	char path[64];

	(void)state;
	secret_free(my.apiv3_key);
	secret_free(my.v3_key);
	secret_free(my.v3_cert);
	wechat_keys_close(my.keys);
	reply3_stop();
	secret_free(my.api_key);
	secret_free(my.merchant_key);
	secret_free(my.merchant_cert);
	cert_free(&my.other_merchant);
	cert_free(&my.merchant);
	cert_free(&my.stranger);
	cert_free(&my.self_signed);
	cert_free(&my.other_name);
	cert_free(&my.early);
	cert_free(&my.expired);
	cert_free(&my.good);
	cert_free(&my.other_ca);
	cert_free(&my.ca);
	path_write(".netrc", NULL, path);
	return unlink(path) + unlink(my.ca_path) + unlink(my.other_ca_path)
	    + rmdir(my.dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_calls),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_client_certificate),
		cmocka_unit_test(test_no_client_certificate),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_connect_timeout),
		cmocka_unit_test(test_failover),
		cmocka_unit_test(test_failover_in_vain),
		cmocka_unit_test(test_failover_memory),
		cmocka_unit_test(test_failover_trouble),
		cmocka_unit_test(test_v3_calls),
		cmocka_unit_test(test_private_address),
		cmocka_unit_test(test_refund_of_another),
		cmocka_unit_test(test_v3_headers),
		cmocka_unit_test(test_v3_answers),
		cmocka_unit_test(test_v3_failover),
		cmocka_unit_test(test_one_api),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_jsapi),
		cmocka_unit_test(test_invocation_appid),
		cmocka_unit_test(test_verdict_names),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
