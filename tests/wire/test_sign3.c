/* sign3: what is signed verifies, and nothing else does, not a bit beside;
 * the clock, the headers and the lines are judged first. [threats N21, N23] */
#include "wire/sign3.h"

#include <openssl/err.h>

#include "vectors3.h"

#define NOW 1767232800

static struct sign3_key *ours;
static struct sign3_key *strangers;
static struct sign3_public *public;

static int
start(void **state)
{
	(void)state;
	ours = private_open("v3-platform-b-key.pem");
	strangers = private_open("v3-stranger-key.pem");
	public = public_open("v3-platform-b-cert.pem");
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	sign3_public_free(public);
	sign3_key_free(strangers);
	sign3_key_free(ours);
	return 0;
}

struct message {
	char timestamp[32];
	char nonce[64];
	char signature[SIGN3_BASE64_SIZE + 8];
	char body[64];
	size_t body_len;
};

static struct message
message_of(const char *body, size_t len)
{
	struct message message = { .timestamp = "1767232800",
		.nonce = "0123456789abcdef", .body_len = len };
	struct err err = { 0 };

	memcpy(message.body, body, len);
	expect(sign3_sign_message(ours, NOW, message.nonce, body, len,
	    message.signature, &err), "%s", err.text);
	return message;
}

static struct sign3_headers
headers_from(const struct message *message)
{
	return (struct sign3_headers){
		.timestamp = message->timestamp,
		.nonce = message->nonce,
		.signature = message->signature,
		.serial = "5A0B1C2D3E4F5061728394A5B6C7D8E9F0A1B2C3",
		.type = SIGN3_TYPE,
	};
}

/* sign3_verify, and see that it says why and leaves OpenSSL clean. */
static bool
headers_verify(const struct sign3_headers *headers, const char *body,
    size_t len, epoch_t now)
{
	struct err err = { 0 };
	bool ok = sign3_verify(public, headers, body, len, now, &err);

	expect(ok || err.kind == ERR_AUTH, "%s", err.text);
	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static bool
verifies(const struct message *message)
{
	struct sign3_headers headers = headers_from(message);

	return headers_verify(&headers, message->body, message->body_len,
	    NOW);
}

static void
test_bodies(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bodies[] = {
		{ "", 0 }, { "\n", 1 }, { "{}", 2 }, { "\0", 1 },
		{ "a\0b", 3 }, { "\r\n\r\n", 4 }, { "\xff\xfe", 2 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		struct message message = message_of(bodies[i].bytes,
		    bodies[i].len);

		expect(verifies(&message), "%zu", i);
		message.body_len++;		/* a byte more, or less */
		expect(!verifies(&message), "%zu", i);
		message.body_len = bodies[i].len - 1;
		expect(bodies[i].len == 0 || !verifies(&message), "%zu", i);
	}
}

/* Another key of the same size, and a signature over another text. */
static void
test_strangers(void **state)
{
	struct message message = message_of("{}", 2);
	struct message other = message_of("[]", 2);
	struct err err = { 0 };

	(void)state;
	memcpy(other.body, "{}", 2);
	assert_false(verifies(&other));
	assert_true(sign3_sign_message(strangers, NOW, message.nonce, "{}", 2,
	    message.signature, &err));
	assert_false(verifies(&message));
}

/* Turn each bit that is left of each character. */
static size_t
bits_flip(struct message *message, char *text, size_t len)
{
	size_t tried = 0;

	for (size_t at = 0; at < len; at++) {
		for (int bit = 0; bit < 7; bit++) {
			text[at] = (char)(text[at] ^ (1 << bit));
			expect(!verifies(message), "byte %zu, bit %d", at,
			    bit);
			text[at] = (char)(text[at] ^ (1 << bit));
			tried++;
		}
	}
	assert_true(verifies(message));
	return tried;
}

static void
test_flipped_bits(void **state)
{
	struct message message = message_of("{\"a\":1}", 7);
	size_t tried = 0;

	(void)state;
	tried += bits_flip(&message, message.timestamp,
	    strlen(message.timestamp));
	tried += bits_flip(&message, message.nonce, strlen(message.nonce));
	tried += bits_flip(&message, message.signature,
	    strlen(message.signature));
	tried += bits_flip(&message, message.body, message.body_len);
	assert_true(tried > 2500);
	print_message("    flipped: %zu\n", tried);
}

static void
test_window(void **state)
{
	static const struct {
		const char *timestamp;
		enum sign3_flaw flaw;
	} cases[] = {
		{ "1767232800", SIGN3_SOUND },
		{ "1767232501", SIGN3_SOUND },		/* 299 s old */
		{ "1767232500", SIGN3_CLOCK },		/* 300 s */
		{ "1767232499", SIGN3_CLOCK },
		{ "1767233099", SIGN3_SOUND },		/* 299 s early */
		{ "1767233100", SIGN3_CLOCK },
		{ "1767233101", SIGN3_CLOCK },
		{ "0", SIGN3_CLOCK },
		{ "1", SIGN3_CLOCK },
		{ "253402300799", SIGN3_CLOCK },
		{ "1767232800000", SIGN3_MALFORMED },	/* milliseconds */
		{ "9223372036854775807", SIGN3_MALFORMED },
		{ "9223372036854775808", SIGN3_MALFORMED },
		{ "18446744075476784416", SIGN3_MALFORMED },
		{ "+1767232800", SIGN3_MALFORMED },
		{ "-1767232800", SIGN3_MALFORMED },
		{ "01767232800", SIGN3_MALFORMED },
		{ " 1767232800", SIGN3_MALFORMED },
		{ "1767232800 ", SIGN3_MALFORMED },
		{ "1767232800\n", SIGN3_MALFORMED },
		{ "1767232800.0", SIGN3_MALFORMED },
		{ "1767232800, 1767232800", SIGN3_MALFORMED },
		{ "0x6955d520", SIGN3_MALFORMED },
		{ "now", SIGN3_MALFORMED },
	};
	struct message message = message_of("{}", 2);
	struct sign3_headers headers = headers_from(&message);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		headers.timestamp = cases[i].timestamp;
		expect(sign3_headers_judge(&headers, NOW) == cases[i].flaw,
		    "%s: %s", cases[i].timestamp, sign3_flaw_name(
		    sign3_headers_judge(&headers, NOW)));
	}
	/* The same message, believed by a clock that is in the window only. */
	headers.timestamp = message.timestamp;
	for (epoch_t now = NOW - 302; now <= NOW + 302; now++)
		expect(headers_verify(&headers, "{}", 2, now)
		    == (now > NOW - 300 && now < NOW + 300), "%ld",
		    (long)(now - NOW));
}

static void
test_headers(void **state)
{
	static const struct {
		const char *why;
		size_t at;	/* which header */
		const char *value;
		enum sign3_flaw flaw;
	} cases[] = {
#define CASE(member, value, flaw) \
	{ #member, offsetof(struct sign3_headers, member), value, flaw }
		CASE(timestamp, NULL, SIGN3_MISSING),
		CASE(timestamp, "", SIGN3_MISSING),
		CASE(nonce, NULL, SIGN3_MISSING),
		CASE(nonce, "", SIGN3_MISSING),
		CASE(signature, NULL, SIGN3_MISSING),
		CASE(signature, "", SIGN3_MISSING),
		CASE(serial, NULL, SIGN3_MISSING),
		CASE(serial, "", SIGN3_MISSING),
		CASE(type, NULL, SIGN3_SOUND),
		CASE(type, "", SIGN3_UNSUPPORTED),
		CASE(type, "WECHATPAY2-SM2-WITH-SM3", SIGN3_UNSUPPORTED),
		CASE(type, "wechatpay2-sha256-rsa2048", SIGN3_UNSUPPORTED),
		CASE(type, SIGN3_TYPE ", " SIGN3_TYPE, SIGN3_UNSUPPORTED),
		CASE(nonce, "a b", SIGN3_MALFORMED),
		CASE(nonce, "a\nb", SIGN3_MALFORMED),
		CASE(nonce, "a\r", SIGN3_MALFORMED),
		CASE(nonce, "\ta", SIGN3_MALFORMED),
		CASE(nonce, "a,b", SIGN3_MALFORMED),
		CASE(nonce, "a\x7f", SIGN3_MALFORMED),
		CASE(nonce, "\xe4\xb8\xad", SIGN3_MALFORMED),
		CASE(nonce, "a-b_c.d", SIGN3_SOUND),
		CASE(serial, "5A, 5A", SIGN3_MALFORMED),
		CASE(serial, "5A\n", SIGN3_MALFORMED),
		CASE(signature, "WECHATPAY/SIGNTEST/", SIGN3_PROBE),
		CASE(signature, "WECHATPAY/SIGNTEST/YWJj=", SIGN3_PROBE),
		CASE(signature, "WECHATPAY/SIGNTEST", SIGN3_SOUND),
		CASE(signature, "wechatpay/signtest/x", SIGN3_SOUND),
#undef CASE
	};
	struct message message = message_of("{}", 2);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sign3_headers headers = headers_from(&message);
		enum sign3_flaw flaw;

		memcpy((char *)&headers + cases[i].at, &cases[i].value,
		    sizeof(cases[i].value));
		flaw = sign3_headers_judge(&headers, NOW);
		expect(flaw == cases[i].flaw, "%s: %s: %s", cases[i].why,
		    cases[i].value, sign3_flaw_name(flaw));
		/* Without a type it is ours; else nothing here verifies. */
		expect(headers_verify(&headers, "{}", 2, NOW)
		    == (headers.type == NULL), "%s: %s", cases[i].why,
		    cases[i].value);
	}
}

/* The same bytes are signed, if a line feed moves from body to nonce. */
static void
test_moved_line(void **state)
{
	struct message message = message_of("{\"a\":1}\n{\"b\":2}", 15);

	(void)state;
	assert_true(verifies(&message));
	snprintf(message.nonce, sizeof(message.nonce), "%s",
	    "0123456789abcdef\n{\"a\":1}");
	snprintf(message.body, sizeof(message.body), "%s", "{\"b\":2}");
	message.body_len = 7;
	assert_false(verifies(&message));
}

static void
test_signatures(void **state)
{
	static const char *const cases[] = {
		"A", "====", "AAAA", "AAA=", "%%%not-base64%%%", "\n",
	};
	struct message right = message_of("{}", 2);
	struct message message = right;
	size_t len = strlen(right.signature);

	(void)state;
	assert_int_equal(len, SIGN3_BASE64_SIZE - 1);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		snprintf(message.signature, sizeof(message.signature), "%s",
		    cases[i]);
		expect(!verifies(&message), "%s", cases[i]);
	}
	snprintf(message.signature, sizeof(message.signature), "%s\n",
	    right.signature);
	assert_false(verifies(&message));
	snprintf(message.signature, sizeof(message.signature), " %s",
	    right.signature);
	assert_false(verifies(&message));
	message = right;		/* without its padding */
	message.signature[len - 2] = '\0';
	assert_false(verifies(&message));
	message = right;		/* 257 bytes in as many letters */
	message.signature[len - 2] = 'A';
	assert_false(verifies(&message));
	message.signature[len - 1] = 'A';
	assert_false(verifies(&message));
	message = right;		/* all ones is more than the modulus */
	memset(message.signature, '/', len - 3);
	message.signature[len - 3] = 'w';
	assert_false(verifies(&message));
	memset(message.signature, 'A', len - 2);
	assert_false(verifies(&message));
}

static bool
signs(const struct sign3_request *req)
{
	char signature[SIGN3_BASE64_SIZE] = "untouched";
	struct err err = { 0 };
	bool ok = sign3_sign(ours, req, signature, &err);
	bool verified = false;

	expect(ok || err.kind == ERR_BUG, "%s", err.text);
	expect(ok || str_eq(signature, "untouched"), "%s", signature);
	err = (struct err){ 0 };
	verified = sign3_verify_request(public, req, signature, &err);
	assert_int_equal(verified, ok);
	expect(ok || err.kind == ERR_AUTH, "%s", err.text);
	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

/* No request is signed that could be read as another one. */
static void
test_requests(void **state)
{
	static const struct {
		bool ok;
		struct sign3_request req;
	} cases[] = {
		{ true, { "GET", "/v3/certificates", NOW, "a", "", 0 } },
		{ true, { "POST", "/", NOW, "a", "{}\0", 3 } },
		{ true, { "GET", "/a?b=c&d=%20,", 0, "0", "", 0 } },
		{ true, { "GET", "/", NOW,
		    "0123456789abcdefghijABCDEFGHIJ01", "", 0 } },
		{ false, { "GET", "/", NOW,
		    "0123456789abcdefghijABCDEFGHIJ012", "", 0 } },
		{ false, { "GET", "/", NOW, "", "", 0 } },
		{ false, { "GET", "/", NOW, "a\n", "", 0 } },
		{ false, { "GET", "/", NOW, "a\"", "", 0 } },
		{ false, { "", "/", NOW, "a", "", 0 } },
		{ false, { "GET\n", "/", NOW, "a", "", 0 } },
		{ false, { "GET", "", NOW, "a", "", 0 } },
		{ false, { "GET", "v3", NOW, "a", "", 0 } },
		{ false, { "GET", "https://a/", NOW, "a", "", 0 } },
		{ false, { "GET", "/a b", NOW, "a", "", 0 } },
		{ false, { "GET", "/a\r\n", NOW, "a", "", 0 } },
		{ false, { "GET", "/\xe4\xb8\xad", NOW, "a", "", 0 } },
		{ false, { "GET", "/", -1, "a", "", 0 } },
		{ false, { "GET", "/", 1767232800000, "a", "", 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect(signs(&cases[i].req) == cases[i].ok, "%zu: %s", i,
		    cases[i].req.target);
}

/* Each line of a request matters. */
static void
test_request_lines(void **state)
{
	const struct sign3_request right = { "POST", "/v3/a?b=c", NOW,
		"nonce", "{}", 2 };
	struct sign3_request wrong[] = {
		right, right, right, right, right, right,
	};
	char signature[SIGN3_BASE64_SIZE];
	struct err err = { 0 };

	(void)state;
	wrong[0].method = "GET";
	wrong[1].target = "/v3/a?b=d";
	wrong[2].at++;
	wrong[3].nonce = "Nonce";
	wrong[4].body = "[]";
	wrong[5].body_len = 1;
	assert_true(sign3_sign(ours, &right, signature, &err));
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		err = (struct err){ 0 };
		expect(!sign3_verify_request(public, &wrong[i], signature,
		    &err) && err.kind == ERR_AUTH, "%zu", i);
	}
}

static void
test_too_long(void **state)
{
	size_t len = 3 * 1024 * 1024;
	char *body = calloc(1, len);
	struct message message = message_of("{}", 2);
	struct sign3_headers headers = headers_from(&message);
	char signature[SIGN3_BASE64_SIZE];
	struct err err = { 0 };

	(void)state;
	assert_non_null(body);
	assert_false(sign3_sign_message(ours, NOW, "a", body, len, signature,
	    &err));
	assert_int_equal(err.kind, ERR_BUG);
	err = (struct err){ 0 };
	assert_false(sign3_verify(public, &headers, body, len, NOW, &err));
	assert_int_equal(err.kind, ERR_BUG);
	free(body);
}

static void
test_invocations(void **state)
{
	static const struct sign3_invocation bad[] = {
		{ "", NOW, "a", "prepay_id=wx1" },
		{ "wx1", NOW, "", "prepay_id=wx1" },
		{ "wx1", NOW, "a", "" },
		{ "wx1\n1", NOW, "a", "prepay_id=wx1" },
		{ "wx1", NOW, "a\n", "prepay_id=wx1" },
		{ "wx1", NOW, "a", "prepay_id=wx1\n" },
	};
	char signature[SIGN3_BASE64_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct err err = { 0 };

		expect(!sign3_sign_invocation(ours, &bad[i], signature, &err)
		    && err.kind == ERR_BUG, "%zu", i);
	}
}

static void
test_authorize(void **state)
{
	static const struct {
		const char *mchid, *serial;
		size_t room;
		bool ok;
	} cases[] = {
		{ "1900000001", "3D5A", 1000, true },
		{ "1900000001", "3D5A", 100, false },
		{ "", "3D5A", 1000, false },
		{ "1900000001", "", 1000, false },
		{ "1900000001\",x=\"", "3D5A", 1000, false },
		{ "1900000001", "3D5A\r\nX: y", 1000, false },
	};
	const struct sign3_request req = { "GET", "/", NOW, "a", "", 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err = { 0 };
		struct buf out;

		buf_init(&out, cases[i].room);
		expect(sign3_authorize(ours, cases[i].mchid, cases[i].serial,
		    &req, &out, &err) == cases[i].ok, "%zu", i);
		assert_int_equal(err.kind, cases[i].ok ? ERR_NONE : ERR_BUG);
		buf_clear(&out);
	}
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(sign3_flaw_name(SIGN3_SOUND), "sound");
	assert_string_equal(sign3_flaw_name(SIGN3_MISSING), "missing");
	assert_string_equal(sign3_flaw_name(SIGN3_MALFORMED), "malformed");
	assert_string_equal(sign3_flaw_name(SIGN3_UNSUPPORTED),
	    "unsupported");
	assert_string_equal(sign3_flaw_name(SIGN3_CLOCK), "clock");
	assert_string_equal(sign3_flaw_name(SIGN3_PROBE), "probe");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_moved_line),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_request_lines),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_invocations),
		cmocka_unit_test(test_authorize),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("sign3", tests, start, stop);
}
