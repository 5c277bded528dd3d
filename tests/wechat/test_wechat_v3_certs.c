/*
 * wechat_v3_certs: a list of certificates is believed as a whole or not at
 * all: opened by the APIv3 key, each with its own serial, and signed by a key
 * of the list or by one that counts already.  [v3.md 5.1; threats.md O3, N21]
 */
#include "wechat/wechat_v3_certs.h"

#include <openssl/err.h>

#include "wire/cert.h"

#include "reply3.h"

static struct secret *apiv3_key, *other_key, *ca, *a_pem, *b_pem, *alien_pem;

struct verdict {
	struct wechat_answer answer;
	struct wechat_certificate list[WECHAT_KEYS_MAX];
	size_t count;
};

static struct verdict got;	/* too large for a stack */

static void
list_judge(struct wechat_keys *keys, const struct secret *key,
    const struct wechat_http_reply *reply, epoch_t now)
{
	memset(&got, 0, sizeof(got));
	got.count = 99;
	wechat_v3_certs_judge(keys, key, reply, now, got.list, &got.count,
	    &got.answer);
	assert_true(got.answer.verdict == WECHAT_DONE || got.count == 0);
	assert_true(str_is_plain(got.answer.text));
	assert_int_equal(ERR_peek_error(), 0);
}

static void
verdict_expect(const char *what, enum wechat_verdict verdict,
    const char *code, bool alarm)
{
	expect(got.answer.verdict == verdict
	    && str_eq(got.answer.code, code) && got.answer.alarm == alarm,
	    "%s: %d %s %d \"%s\"", what, got.answer.verdict, got.answer.code,
	    got.answer.alarm, got.answer.text);
}

static struct wechat_keys *
keys_with_ca(void)
{
	const struct wechat_keys_config config = { .platform_ca = ca };
	struct wechat_keys *keys = NULL;
	struct err err = { 0 };

	expect(wechat_keys_open(&config, &keys, &err), "%s", err.text);
	return keys;
}

/* One element; the certificate is sealed as WeChat seals it. */
static void
element_add(struct buf *out, const char *serial, const char *pem, size_t len)
{
	buf_format(out, "%s{\"serial_no\":\"%s\",\"effective_time\":"
	    "\"2022-06-01T08:00:00+08:00\",\"expire_time\":"
	    "\"2046-05-31T08:00:00+08:00\",\"encrypt_certificate\":",
	    out->len > strlen("{\"data\":[") ? "," : "", serial);
	w3_resource(pem, len, "certificate", W3_APIV3_KEY, out);
	buf_text(out, "}");
}

static void
certificate_add(struct buf *out, const char *serial,
    const struct secret *pem)
{
	element_add(out, serial, secret_bytes(pem), secret_len(pem));
}

static void
list_open(struct buf *out)
{
	buf_init(out, WECHAT_HTTP_MAX);
	buf_text(out, "{\"data\":[");
}

/* Judge the list that was begun, signed in this way, and clear it. */
static void
body_judge(struct wechat_keys *keys, enum reply3_way way, struct buf *body)
{
	struct wechat_http_reply reply;

	assert_true(buf_ok(body));
	reply = reply3_of(way, 200, buf_get(body), body->len);
	list_judge(keys, apiv3_key, &reply, W3_NOW);
	buf_clear(&reply.body);
	buf_clear(body);
}

static void
list_end_judge(struct wechat_keys *keys, enum reply3_way way,
    struct buf *body)
{
	buf_text(body, "]}");
	body_judge(keys, way, body);
}

/* A genuine list: A, and B, which also signs for REPLY3_BY_CERT. */
static void
genuine_judge(struct wechat_keys *keys, enum reply3_way way)
{
	struct buf body;

	list_open(&body);
	certificate_add(&body, W3_SERIAL_A, a_pem);
	certificate_add(&body, W3_SERIAL_B, b_pem);
	list_end_judge(keys, way, &body);
}

static void
certificate_expect(const struct wechat_certificate *certificate,
    const char *serial, const struct secret *pem)
{
	struct cert_facts facts;
	struct err err = { 0 };

	assert_true(cert_read(secret_bytes(pem), secret_len(pem), &facts,
	    &err));
	assert_string_equal(certificate->serial, serial);
	assert_int_equal(certificate->not_before, facts.not_before);
	assert_int_equal(certificate->not_after, facts.not_after);
	assert_int_equal(strlen(certificate->pem), secret_len(pem));
	assert_memory_equal(certificate->pem, secret_bytes(pem),
	    secret_len(pem));
}

/* With nothing known, with certificates known, with the public key. */
static void
test_genuine(void **state)
{
	(void)state;
	for (int known = 0; known < 4; known++) {
		struct wechat_keys *keys = reply3_keys(known & 1, known & 2);

		genuine_judge(keys, REPLY3_BY_CERT);
		verdict_expect("by one of the list", WECHAT_DONE, "", false);
		assert_int_equal(got.count, 2);
		certificate_expect(&got.list[0], W3_SERIAL_A, a_pem);
		certificate_expect(&got.list[1], W3_SERIAL_B, b_pem);
		assert_string_equal(got.answer.serial, W3_SERIAL_B);
		genuine_judge(keys, REPLY3_BY_PUB_KEY);
		if (known & 1)
			verdict_expect("by public key", WECHAT_DONE, "",
			    false);
		else
			verdict_expect("by a key not known", WECHAT_UNSURE,
			    "SIGN_SERIAL", true);
		wechat_keys_close(keys);
	}
}

/* Judging adds nothing: the caller keeps the list, and only then it counts. */
static void
test_keys_stay(void **state)
{
	struct wechat_keys *keys = reply3_keys(true, false);
	struct w3_signed made;
	struct err err = { 0 };
	enum wechat_flaw flaw = 0;
	char serial[CERT_SERIAL_SIZE];

	(void)state;
	genuine_judge(keys, REPLY3_BY_CERT);
	verdict_expect("genuine", WECHAT_DONE, "", false);
	w3_sign(reply3.cert, W3_SERIAL_B, W3_NOW, "{}", 2, &made);
	assert_false(wechat_keys_verify(keys, &made.headers, "{}", 2, W3_NOW,
	    serial, &flaw, &err));
	assert_int_equal(flaw, WECHAT_FLAW_SERIAL);
	wechat_keys_close(keys);
}

/* The key that signs is not in the list, but counts already. */
static void
test_by_another(void **state)
{
	struct wechat_keys *knows = reply3_keys(false, true);
	struct wechat_keys *bare = reply3_keys(false, false);
	struct buf body;

	(void)state;
	list_open(&body);
	certificate_add(&body, W3_SERIAL_A, a_pem);
	list_end_judge(knows, REPLY3_BY_CERT, &body);
	verdict_expect("known", WECHAT_DONE, "", false);
	assert_int_equal(got.count, 1);
	list_open(&body);
	certificate_add(&body, W3_SERIAL_A, a_pem);
	list_end_judge(bare, REPLY3_BY_CERT, &body);
	verdict_expect("unknown", WECHAT_UNSURE, "SIGN_SERIAL", true);
	wechat_keys_close(bare);
	wechat_keys_close(knows);
}

static void
test_unproved(void **state)
{
	struct wechat_keys *keys = reply3_keys(true, true);

	(void)state;
	for (enum reply3_way way = REPLY3_UNSIGNED; way < REPLY3_WAYS;
	    way++) {
		genuine_judge(keys, way);
		verdict_expect(reply3_codes[way], WECHAT_UNSURE,
		    reply3_codes[way], way != REPLY3_PROBE);
	}
	print_message("    lists not proved: %d\n",
	    REPLY3_WAYS - REPLY3_UNSIGNED);
	wechat_keys_close(keys);
}

/* [v3.md 5.1] What is well signed, and still nothing to believe. */
static void
test_bad_element(void **state)
{
	static const char junk[] = "-----BEGIN CERTIFICATE-----\nAAAA\n"
	    "-----END CERTIFICATE-----\n";
	static char large[WECHAT_PEM_SIZE];
	struct wechat_keys *keys = reply3_keys(true, true);
	const struct {
		const char *what, *serial, *pem;
		size_t len;
	} cases[] = {
		{ "serial of another", W3_SERIAL_B, secret_bytes(a_pem),
		    secret_len(a_pem) },
		{ "no serial", "", secret_bytes(a_pem), secret_len(a_pem) },
		{ "odd serial", "1F2E 3D", secret_bytes(a_pem),
		    secret_len(a_pem) },
		{ "id of a public key", W3_PUB_KEY_ID, secret_bytes(a_pem),
		    secret_len(a_pem) },
		{ "public key", W3_PUB_KEY_ID, secret_bytes(reply3.pub),
		    secret_len(reply3.pub) },
		{ "nothing", W3_SERIAL_A, "", 0 },
		{ "junk", W3_SERIAL_A, junk, strlen(junk) },
		{ "NUL in front", W3_SERIAL_A, "\0", 1 },
		{ "too much", W3_SERIAL_A, large, sizeof(large) },
	};

	(void)state;
	memset(large, '\n', sizeof(large));
	memcpy(large, secret_bytes(a_pem), secret_len(a_pem));
	for (size_t i = 0; i < COUNT_OF(cases); i++)
	for (int is_last = 0; is_last < 2; is_last++) {
		struct buf body;

		/* beside one that is good, on either side of it */
		list_open(&body);
		if (is_last)
			certificate_add(&body, W3_SERIAL_B, b_pem);
		element_add(&body, cases[i].serial, cases[i].pem,
		    cases[i].len);
		if (!is_last)
			certificate_add(&body, W3_SERIAL_B, b_pem);
		list_end_judge(keys, REPLY3_BY_PUB_KEY, &body);
		verdict_expect(cases[i].what, WECHAT_UNSURE, "BAD_LIST",
		    true);
	}
	print_message("    odd certificates: %zu\n", COUNT_OF(cases));
	wechat_keys_close(keys);
}

/* As much as may stand in a message, and a text behind the certificate. */
static void
test_size(void **state)
{
	struct wechat_keys *keys = reply3_keys(true, true);
	static char large[WECHAT_PEM_SIZE];
	struct buf body;

	(void)state;
	memset(large, '\n', sizeof(large));
	memcpy(large, secret_bytes(a_pem), secret_len(a_pem));
	list_open(&body);
	element_add(&body, W3_SERIAL_A, large, sizeof(large) - 1);
	list_end_judge(keys, REPLY3_BY_PUB_KEY, &body);
	verdict_expect("largest", WECHAT_DONE, "", false);
	assert_int_equal(strlen(got.list[0].pem), sizeof(large) - 1);

	for (size_t count = 0; count <= WECHAT_KEYS_MAX + 1; count++) {
		list_open(&body);
		for (size_t i = 0; i < count; i++)
			certificate_add(&body, W3_SERIAL_A, a_pem);
		list_end_judge(keys, REPLY3_BY_PUB_KEY, &body);
		if (count >= 1 && count <= WECHAT_KEYS_MAX) {
			verdict_expect("many", WECHAT_DONE, "", false);
			assert_int_equal(got.count, count);
		} else {
			verdict_expect("none, or too many", WECHAT_UNSURE,
			    "BAD_LIST", true);
		}
	}
	wechat_keys_close(keys);
}

static void
test_no_list(void **state)
{
	static const char *const bodies[] = {
		"", "{}", "[]", "x", "{\"data\":{}}", "{\"data\":null}",
		"{\"data\":[1]}", "{\"data\":[[]]}", "{\"data\":[{}]}",
		"{\"data\":[{\"serial_no\":1}]}",
		"{\"data\":[{\"serial_no\":\"" W3_SERIAL_A "\"}]}",
		"{\"data\":[{\"serial_no\":\"" W3_SERIAL_A "\","
		    "\"encrypt_certificate\":\"x\"}]}",
		"{\"data\":[{\"serial_no\":\"" W3_SERIAL_A "\","
		    "\"encrypt_certificate\":{\"algorithm\":\"ROT13\","
		    "\"nonce\":\"aGm5Xn0yTq2w\",\"ciphertext\":\"x\"}}]}",
		"{\"data\":[{\"serial_no\":\"" W3_SERIAL_A "\","
		    "\"encrypt_certificate\":{\"algorithm\":"
		    "\"AEAD_AES_256_GCM\",\"nonce\":\"\","
		    "\"associated_data\":1,\"ciphertext\":\"\"}}]}",
		"{\"data\":[],\"data\":[]}",
	};
	struct wechat_keys *keys = reply3_keys(true, true);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		struct buf body;

		buf_init(&body, WECHAT_HTTP_MAX);
		buf_text(&body, bodies[i]);
		body_judge(keys, REPLY3_BY_PUB_KEY, &body);
		verdict_expect(bodies[i], WECHAT_UNSURE, "BAD_LIST", true);
	}
	print_message("    no lists: %zu\n", COUNT_OF(bodies));
	wechat_keys_close(keys);
}

/* The commonest fault of an installation has a name of its own. */
static void
test_other_key(void **state)
{
	struct wechat_keys *keys = reply3_keys(false, false);
	struct wechat_http_reply reply;
	struct buf body;

	(void)state;
	list_open(&body);
	certificate_add(&body, W3_SERIAL_B, b_pem);
	buf_text(&body, "]}");
	reply = reply3_of(REPLY3_BY_CERT, 200, buf_get(&body), body.len);
	list_judge(keys, other_key, &reply, W3_NOW);
	verdict_expect("another APIv3 key", WECHAT_UNSURE, "BAD_LIST", true);
	list_judge(keys, apiv3_key, &reply, W3_NOW);
	verdict_expect("the right one", WECHAT_DONE, "", false);
	buf_clear(&reply.body);
	buf_clear(&body);
	wechat_keys_close(keys);
}

/* Where a root is configured, one of another root spoils the list. */
static void
test_chain(void **state)
{
	struct wechat_keys *keys = keys_with_ca();
	struct buf body;

	(void)state;
	genuine_judge(keys, REPLY3_BY_CERT);
	verdict_expect("issued under it", WECHAT_DONE, "", false);
	list_open(&body);
	certificate_add(&body, W3_SERIAL_B, b_pem);
	certificate_add(&body, "5DEA10EF55877E3CF6C33255C2E7DEFFF7E427EC",
	    alien_pem);
	list_end_judge(keys, REPLY3_BY_CERT, &body);
	verdict_expect("of another root", WECHAT_UNSURE, "BAD_LIST", true);
	wechat_keys_close(keys);
}

/* What does not count yet, or no longer, is left out, and the others stay. */
static void
test_terms(void **state)
{
	struct wechat_keys *keys = reply3_keys(true, false);
	struct wechat_http_reply reply = { .sent = true, .code = "",
		.status = 200 };
	struct cert_facts alien;
	struct err err = { 0 };
	struct buf body;

	(void)state;
	assert_true(cert_read(secret_bytes(alien_pem),
	    secret_len(alien_pem), &alien, &err));
	list_open(&body);
	certificate_add(&body, alien.serial, alien_pem);
	certificate_add(&body, W3_SERIAL_A, a_pem);
	buf_text(&body, "]}");
	for (int i = 0; i < 4; i++) {
		const epoch_t at = i < 2 ? alien.not_before - 1 + i
		    : alien.not_after - 3 + i;
		bool counts = i == 1 || i == 2;
		struct w3_signed made;

		memset(reply.headers, 0, sizeof(reply.headers));
		buf_init(&reply.body, WECHAT_HTTP_MAX);
		buf_add(&reply.body, body.data, body.len);
		w3_sign(reply3.pub_key, W3_PUB_KEY_ID, at, body.data,
		    body.len, &made);
		reply3_headers(&reply, &made.headers);
		list_judge(keys, apiv3_key, &reply, at);
		verdict_expect("terms", WECHAT_DONE, "", false);
		assert_int_equal(got.count, counts ? 2 : 1);
		assert_string_equal(got.list[counts].serial, W3_SERIAL_A);
		buf_clear(&reply.body);
	}
	buf_clear(&body);
	wechat_keys_close(keys);
}

/* [v3.md 5.2] In public-key mode there is none, and that is no trouble. */
static void
test_errors(void **state)
{
	static const struct {
		long status;
		const char *body;
		enum wechat_verdict proved, unproved;
		const char *code;
		bool alarm;
	} cases[] = {
		{ 404, "{\"code\":\"RESOURCE_NOT_EXISTS\"}", WECHAT_MISSING,
		  WECHAT_MISSING, "RESOURCE_NOT_EXISTS", false },
		{ 404, "{\"code\":\"NOT_FOUND\"}", WECHAT_REFUSED,
		  WECHAT_DENIED, "NOT_FOUND", true },
		{ 404, "<html>", WECHAT_REFUSED, WECHAT_DENIED, "HTTP_404",
		  true },
		{ 401, "{\"code\":\"SIGN_ERROR\"}", WECHAT_REFUSED,
		  WECHAT_DENIED, "SIGN_ERROR", true },
		{ 403, "{\"code\":\"NO_AUTH\"}", WECHAT_REFUSED,
		  WECHAT_DENIED, "NO_AUTH", true },
		{ 429, "{\"code\":\"FREQUENCY_LIMITED\"}", WECHAT_AGAIN,
		  WECHAT_AGAIN, "FREQUENCY_LIMITED", false },
		{ 500, "{\"code\":\"SYSTEM_ERROR\"}", WECHAT_UNSURE,
		  WECHAT_UNSURE, "SYSTEM_ERROR", false },
		{ 502, "", WECHAT_UNSURE, WECHAT_UNSURE, "HTTP_502", false },
	};
	struct wechat_keys *keys = reply3_keys(true, true);
	struct wechat_http_reply silent = { .sent = true,
		.code = "TIMEOUT" };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
	for (enum reply3_way way = 0; way < REPLY3_WAYS; way++) {
		struct wechat_http_reply reply = reply3_of(way,
		    cases[i].status, cases[i].body, strlen(cases[i].body));

		list_judge(keys, apiv3_key, &reply, W3_NOW);
		if (way > REPLY3_UNSIGNED)
			verdict_expect(cases[i].body, WECHAT_UNSURE,
			    reply3_codes[way], way != REPLY3_PROBE);
		else
			verdict_expect(cases[i].body, way == REPLY3_UNSIGNED
			    ? cases[i].unproved : cases[i].proved,
			    cases[i].code, cases[i].alarm);
		buf_clear(&reply.body);
	}
	list_judge(keys, apiv3_key, &silent, W3_NOW);
	verdict_expect("silent", WECHAT_UNSURE, "TIMEOUT", false);
	wechat_keys_close(keys);
}

static const char *
published_pem(const json_t *all)
{
	const json_t *vector = vectors3_find(all, "pub-certificates-java");

	return json_string_value(json_array_get(json_object_get(vector,
	    "pem"), 0));
}

static void
test_vectors(void **state)
{
	static const struct {
		const char *id, *code;
	} cases[] = {
		/* published without headers: opened, and not believed */
		{ "pub-certificates-java", "NO_SIGN" },
		{ "certificates-two", "" },
		{ "certificates-tampered", "BAD_LIST" },
		{ "certificates-wrong-key", "BAD_LIST" },
	};
	json_t *all = vectors3_open();
	struct wechat_keys *keys = keys_with_ca();
	struct wechat_keys *any = reply3_keys(true, false);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const json_t *vector = vectors3_find(all, cases[i].id);
		const struct sign3_headers headers = headers_of(vector);
		const char *key_bytes = vector_text(vector, "api_v3_key");
		struct secret *key = secret_of(key_bytes, strlen(key_bytes));
		const json_t *serials = json_object_get(vector, "serials");
		struct wechat_http_reply reply = { .sent = true, .code = "",
			.status = 200 };

		buf_init(&reply.body, WECHAT_HTTP_MAX);
		buf_text(&reply.body, vector_text(vector, "body"));
		reply3_headers(&reply, &headers);
		list_judge(i == 0 ? any : keys, key, &reply, W3_NOW);
		verdict_expect(cases[i].id, cases[i].code[0] == '\0'
		    ? WECHAT_DONE : WECHAT_UNSURE, cases[i].code,
		    cases[i].code[0] != '\0');
		for (size_t n = 0; n < got.count; n++)
			assert_string_equal(got.list[n].serial,
			    json_string_value(json_array_get(serials, n)));
		buf_clear(&reply.body);
		secret_free(key);
	}
	/* the published one, signed by us */
	{
		const json_t *vector = vectors3_find(all, cases[0].id);
		const char *body = vector_text(vector, "body");
		const char *key_bytes = vector_text(vector, "api_v3_key");
		struct secret *key = secret_of(key_bytes, strlen(key_bytes));
		struct wechat_http_reply reply = reply3_of(REPLY3_BY_PUB_KEY,
		    200, body, strlen(body));

		list_judge(any, key, &reply, W3_NOW);
		verdict_expect(cases[0].id, WECHAT_DONE, "", false);
		assert_int_equal(got.count, 1);
		assert_string_equal(got.list[0].pem, published_pem(all));
		buf_clear(&reply.body);
		secret_free(key);
	}
	wechat_keys_close(any);
	wechat_keys_close(keys);
	json_decref(all);
}

static int
start(void **state)
{
	json_t *all = vectors3_open();
	const char *alien = published_pem(all);

	(void)state;
	reply3_start();
	apiv3_key = secret_of(W3_APIV3_KEY, strlen(W3_APIV3_KEY));
	other_key = secret_of("FEDCBA9876543210yeK3VipAylnOtseT", 32);
	ca = w3_pem("v3-ca-cert.pem");
	a_pem = w3_pem("v3-platform-a-cert.pem");
	b_pem = w3_pem("v3-platform-b-cert.pem");
	alien_pem = secret_of(alien, strlen(alien));
	json_decref(all);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	secret_free(alien_pem);
	secret_free(b_pem);
	secret_free(a_pem);
	secret_free(ca);
	secret_free(other_key);
	secret_free(apiv3_key);
	reply3_stop();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_genuine),
		cmocka_unit_test(test_keys_stay),
		cmocka_unit_test(test_by_another),
		cmocka_unit_test(test_unproved),
		cmocka_unit_test(test_bad_element),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_no_list),
		cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_terms),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
