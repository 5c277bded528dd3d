/*
 * wechat_notice, V3: nothing unproved, unopened, of another merchant or not a
 * success becomes a notice; what is genuine is read to the last fen, and can
 * be proved again.
 */
#include "wechat/wechat_notice.h"

#include <openssl/err.h>

#include "../wire/vectors3.h"
#include "wechat3.h"
#include "wire/base64.h"
#include "wire/jsonread.h"

#define BODY_MAX_LEN (4 * JSONREAD_MAX)

static struct {
	struct sign3_key *platform, *wxpub, *stranger;
	struct secret *pub, *apiv3_key;
	struct wechat_keys *keys;
} keep;

static struct secret *
text_secret(const char *text)
{
	return secret_of(text, strlen(text));
}

static int
keep_open(void **state)
{
	struct wechat_keys_config config = { .pub_key_id = W3_PUB_KEY_ID };
	struct secret *a = w3_pem("v3-platform-a-cert.pem");
	struct secret *b = w3_pem("v3-platform-b-cert.pem");
	struct err err = { 0 };

	(void)state;
	keep.platform = w3_private("v3-platform-b-key.pem");
	keep.wxpub = w3_private("v3-wxpub-key.pem");
	keep.stranger = w3_private("v3-stranger-key.pem");
	keep.pub = w3_pem("v3-wxpub.pem");
	keep.apiv3_key = text_secret(W3_APIV3_KEY);
	config.pub_key = keep.pub;
	expect(wechat_keys_open(&config, &keep.keys, &err)
	    && wechat_keys_add(keep.keys, W3_SERIAL_A, secret_bytes(a),
	    secret_len(a), W3_NOW, &err)
	    && wechat_keys_add(keep.keys, W3_SERIAL_B, secret_bytes(b),
	    secret_len(b), W3_NOW, &err), "%s", err.text);
	secret_free(b);
	secret_free(a);
	return 0;
}

static int
keep_close(void **state)
{
	(void)state;
	wechat_keys_close(keep.keys);
	secret_free(keep.apiv3_key);
	secret_free(keep.pub);
	sign3_key_free(keep.stranger);
	sign3_key_free(keep.wxpub);
	sign3_key_free(keep.platform);
	return 0;
}

/* Read it, and hold everything that is said about it to one story. */
static enum err_kind
judge_under(const struct wechat_notice_keys *keys,
    const struct sign3_headers *headers, const char *body, size_t len,
    epoch_t now, struct notice *out, struct err *err)
{
	bool ok;

	memset(out, 0, sizeof(*out));
	memset(err, 0, sizeof(*err));
	ok = wechat_notice_v3(keys, headers, body, len, now, out, err);
	assert_true(ok == (err->kind == ERR_NONE));
	assert_true(ok == (out->kind != 0));
	assert_true(ok == out->is_signed);
	assert_true(ok == str_eq(out->mchid, keys->mchid));
	/* what was proved is kept, whatever can be made of it */
	assert_true(!ok || out->proof[0] != '\0');
	assert_true((out->proof[0] != '\0') == (out->api == PAYMENT_V3));
	assert_true((out->proof[0] != '\0') == (out->serial[0] != '\0'));
	assert_true(out->proof[0] == '\0'
	    || strstr(err->text, "WeChat's signature") == NULL);
	assert_int_equal(ERR_peek_error(), 0);
	expect(strstr(err->text, W3_APIV3_KEY) == NULL, "the key is in a log");
	return err->kind;
}

static enum err_kind
judge(const struct sign3_headers *headers, const char *body, size_t len,
    struct notice *out, struct err *err)
{
	return judge_under(&(struct wechat_notice_keys){ .mchid = W3_MCHID,
	    .apiv3_key = keep.apiv3_key, .keys = keep.keys }, headers, body,
	    len, W3_NOW, out, err);
}

/* Signed as it stands, in either mode. */
static enum err_kind
judge_signed(const struct buf *body, struct notice *out, struct err *err)
{
	struct w3_signed made;
	enum err_kind kind;
	struct notice other;
	struct err why;

	w3_sign(keep.platform, W3_SERIAL_B, W3_NOW, buf_get(body), body->len,
	    &made);
	kind = judge(&made.headers, buf_get(body), body->len, &other, &why);
	w3_sign(keep.wxpub, W3_PUB_KEY_ID, W3_NOW, buf_get(body), body->len,
	    &made);
	expect(judge(&made.headers, buf_get(body), body->len, out, err)
	    == kind, "one mode says: %s", why.text);
	assert_string_equal(why.text, err->text);
	if (kind == ERR_NONE) {
		assert_string_equal(other.serial, W3_SERIAL_B);
		assert_string_equal(out->serial, W3_PUB_KEY_ID);
	}
	return kind;
}

/* -------------------------------------------------------------- envelopes */

static const struct w3_member envelope[] = {
	{ "id", "\"EV-2026010109595800001\"" },
	{ "create_time", "\"2026-01-01T09:59:59+08:00\"" },
	{ "resource_type", "\"encrypt-resource\"" },
	{ "event_type", "\"TRANSACTION.SUCCESS\"" },
	{ "summary", "\"支付成功\"" },
};

/* A notice about plain, but for one member of its envelope. */
static void
notice_format(const char *event_type, const char *plain, size_t len,
    const struct w3_member *change, struct buf *out)
{
	struct w3_member members[COUNT_OF(envelope) + 1];
	struct buf resource;
	char event_json[100];

	buf_init(&resource, BODY_MAX_LEN);
	w3_resource(plain, len, "transaction", W3_APIV3_KEY, &resource);
	snprintf(event_json, sizeof(event_json), "\"%s\"", event_type);
	for (size_t i = 0; i < COUNT_OF(envelope); i++) {
		members[i] = envelope[i];
		if (str_eq(members[i].name, "event_type"))
			members[i].json = event_json;
	}
	members[COUNT_OF(envelope)] = (struct w3_member){ "resource",
		buf_get(&resource) };
	buf_reset(out);
	w3_object(members, COUNT_OF(members), change, out);
	buf_clear(&resource);
}

static void
paid_format(const struct w3_member *change, struct buf *out)
{
	struct buf plain;

	buf_init(&plain, BODY_MAX_LEN);
	w3_object(w3_transaction, COUNT_OF(w3_transaction), change, &plain);
	notice_format("TRANSACTION.SUCCESS", plain.data, plain.len, NULL, out);
	buf_clear(&plain);
}

static void
refunded_format(const char *event_type, const struct w3_member *change,
    struct buf *out)
{
	struct buf plain;

	buf_init(&plain, BODY_MAX_LEN);
	w3_object(w3_refund, COUNT_OF(w3_refund), change, &plain);
	notice_format(event_type, plain.data, plain.len, NULL, out);
	buf_clear(&plain);
}

/* ------------------------------------------------------------------ vectors */

#define PROVIDER "1230000109"

/* Whose gateway each is for: some are a service provider's. */
static const char *
vector_mchid(const json_t *vector)
{
	static const char *const providers[] = {
		"notify-pay-partner", "notify-refund-partner", NULL,
	};

	return str_is_among(vector_text(vector, "id"), providers) ? PROVIDER
	    : W3_MCHID;
}

/* What the vectors expect of a gateway for one merchant, who has no combined
 * orders. */
static enum err_kind
vector_kind(const json_t *vector)
{
	static const char *const anothers[] = {
		"notify-pay-combine", "notify-profitsharing",
		"notify-pay-foreign-mchid", NULL,
	};
	const char *id = vector_text(vector, "id");

	if (str_eq(vector_text(vector, "expect"), "reject")
	    || str_is_among(id, anothers))
		return ERR_AUTH;
	assert_string_equal(vector_text(vector, "expect"), "ok");
	return ERR_NONE;
}

static void
payee_compare(const json_t *plain, const struct notice *notice)
{
	bool is_provider = json_object_get(plain, "sp_mchid") != NULL;
	const struct payment_facts *facts = &notice->payment;

	assert_string_equal(facts->mchid, vector_text(plain, is_provider
	    ? "sp_mchid" : "mchid"));
	assert_string_equal(facts->appid, vector_text(plain, is_provider
	    ? "sp_appid" : "appid"));
	assert_string_equal(facts->sub_mchid, vector_text(plain,
	    "sub_mchid"));
	assert_true(is_provider == (facts->sub_mchid[0] != '\0'));
	assert_string_equal(facts->openid, vector_text(json_object_get(plain,
	    "payer"), is_provider ? "sub_openid" : "openid"));
}

static void
payment_compare(const json_t *plain, const struct notice *notice)
{
	const struct payment_facts *facts = &notice->payment;
	const json_t *amount = json_object_get(plain, "amount");
	epoch_t paid_at = 0;

	assert_true(clock_parse_rfc3339(vector_text(plain, "success_time"),
	    &paid_at));
	assert_int_equal(facts->fate, PAYMENT_PAID);
	assert_int_equal(facts->paid_at, paid_at);
	payee_compare(plain, notice);
	assert_string_equal(notice->appid, facts->appid);
	assert_string_equal(facts->out_trade_no,
	    vector_text(plain, "out_trade_no"));
	assert_string_equal(facts->transaction_id,
	    vector_text(plain, "transaction_id"));
	assert_string_equal(facts->trade_type,
	    vector_text(plain, "trade_type"));
	assert_string_equal(facts->bank_type, vector_text(plain, "bank_type"));
	assert_string_equal(facts->currency, "CNY");
	assert_int_equal(facts->total_fen,
	    json_integer_value(json_object_get(amount, "total")));
}

static void
refund_compare(const json_t *plain, const struct notice *notice)
{
	const struct refund_facts *facts = &notice->refund;
	const json_t *amount = json_object_get(plain, "amount");
	epoch_t refunded_at = 0;

	if (facts->fate == REFUND_SUCCESS)
		assert_true(clock_parse_rfc3339(vector_text(plain,
		    "success_time"), &refunded_at));
	assert_int_equal(facts->fate,
	    refund_fate_of(vector_text(plain, "refund_status")));
	assert_int_equal(facts->refunded_at, refunded_at);
	assert_string_equal(facts->sub_mchid, vector_text(plain,
	    "sub_mchid"));
	assert_string_equal(facts->out_refund_no,
	    vector_text(plain, "out_refund_no"));
	assert_string_equal(facts->refund_id, vector_text(plain, "refund_id"));
	assert_string_equal(facts->out_trade_no,
	    vector_text(plain, "out_trade_no"));
	assert_string_equal(facts->transaction_id,
	    vector_text(plain, "transaction_id"));
	assert_int_equal(facts->total_fen,
	    json_integer_value(json_object_get(amount, "total")));
	assert_int_equal(facts->refund_fen,
	    json_integer_value(json_object_get(amount, "refund")));
	assert_string_equal(notice->appid, "");
}

static void
vector_compare(const json_t *vector, const struct notice *notice)
{
	json_t *plain = json_loads(vector_text(vector, "plaintext"), 0, NULL);
	json_t *outer = json_loads(vector_text(vector, "body"), 0, NULL);
	const char *event_type = vector_text(outer, "event_type");
	char proof[NOTICE_PROOF_MAX];

	assert_non_null(plain);
	assert_string_equal(notice->event_type, event_type);
	snprintf(proof, sizeof(proof), "%s\n%s\n%s\n%s",
	    header_of(vector, "Wechatpay-Timestamp"),
	    header_of(vector, "Wechatpay-Nonce"),
	    header_of(vector, "Wechatpay-Signature"),
	    header_of(vector, "Wechatpay-Serial"));
	assert_string_equal(notice->proof, proof);
	assert_string_equal(notice->serial,
	    header_of(vector, "Wechatpay-Serial"));
	if (strncmp(event_type, "TRANSACTION.", 12) == 0) {
		assert_int_equal(notice->kind, NOTICE_PAID);
		payment_compare(plain, notice);
	} else if (strncmp(event_type, "REFUND.", 7) == 0) {
		assert_int_equal(notice->kind, NOTICE_REFUNDED);
		refund_compare(plain, notice);
	} else {
		assert_int_equal(notice->kind, NOTICE_OTHER);
	}
	json_decref(outer);
	json_decref(plain);
}

static void
test_vectors(void **state)
{
	json_t *all = vectors3_open();
	const json_t *list = json_object_get(all, "vectors");
	size_t i, tried = 0, kinds[NOTICE_OTHER + 1] = { 0 };
	json_t *vector;

	(void)state;
	json_array_foreach(list, i, vector) {
		const char *body = vector_text(vector, "body");
		size_t len = json_string_length(json_object_get(vector,
		    "body"));
		struct sign3_headers headers = headers_of(vector);
		struct wechat_notice_keys keys = {
			.mchid = vector_mchid(vector), .keys = keep.keys,
		};
		struct secret *apiv3_key = NULL;
		struct notice notice;
		struct err err;
		enum err_kind kind;

		if (!str_eq(vector_text(vector, "kind"), "notification")
		    || json_object_get(vector, "trusted_keys") == NULL)
			continue;
		apiv3_key = text_secret(vector_text(vector, "api_v3_key"));
		keys.apiv3_key = apiv3_key;
		kind = judge_under(&keys, &headers, body, len, now_of(vector),
		    &notice, &err);
		expect(kind == vector_kind(vector), "%s: %s %s",
		    vector_text(vector, "id"), err_kind_name(kind), err.text);
		if (kind == ERR_NONE)
			vector_compare(vector, &notice);
		kinds[notice.kind]++;
		tried++;

		/* N5: nor under another merchant, or another's key */
		secret_free(apiv3_key);
		keys.apiv3_key = apiv3_key =
		    text_secret("AnotherMerchantsApiV3Key01234567");
		expect(judge_under(&keys, &headers, body, len, now_of(vector),
		    &notice, &err) == ERR_AUTH, "%s: another's key",
		    vector_text(vector, "id"));
		secret_free(apiv3_key);
		keys.apiv3_key = keep.apiv3_key;
		keys.mchid = str_eq(keys.mchid, PROVIDER) ? W3_SUB_MCHID
		    : "1900000002";
		expect(judge_under(&keys, &headers, body, len, now_of(vector),
		    &notice, &err) == ERR_AUTH, "%s: another merchant",
		    vector_text(vector, "id"));
	}
	print_message("    notices: %zu, refused: %zu, paid: %zu, refunded: "
	    "%zu, other: %zu\n", tried, kinds[0], kinds[NOTICE_PAID],
	    kinds[NOTICE_REFUNDED], kinds[NOTICE_OTHER]);
	assert_int_equal(json_array_size(list), VECTORS3_COUNT);
	assert_int_equal(tried, 31);
	assert_int_equal(kinds[NOTICE_PAID], 7);
	assert_int_equal(kinds[NOTICE_REFUNDED], 6);
	assert_int_equal(kinds[NOTICE_OTHER], 4);
	json_decref(all);
}

/* ---------------------------------------------------------- what is proved */

static void
test_not_configured(void **state)
{
	const struct wechat_notice_keys cases[] = {
		{ .mchid = W3_MCHID },
		{ .mchid = W3_MCHID, .apiv3_key = keep.apiv3_key },
		{ .mchid = W3_MCHID, .keys = keep.keys },
	};
	struct w3_signed made;
	struct notice notice;
	struct err err;
	struct buf body;

	(void)state;
	buf_init(&body, BODY_MAX_LEN);
	paid_format(NULL, &body);
	w3_sign(keep.wxpub, W3_PUB_KEY_ID, W3_NOW, body.data, body.len, &made);
	assert_int_equal(judge(&made.headers, body.data, body.len, &notice,
	    &err), ERR_NONE);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(judge_under(&cases[i], &made.headers,
		    body.data, body.len, W3_NOW, &notice, &err), ERR_AUTH);
		assert_string_equal(err.text, "V3 is not configured");
	}
	buf_clear(&body);
}

/* N21, N22, N23 */
static void
test_unproved(void **state)
{
	struct w3_signed made;
	struct sign3_headers bad;
	struct notice notice;
	struct err err;
	struct buf body;

	(void)state;
	buf_init(&body, BODY_MAX_LEN);
	paid_format(NULL, &body);
	w3_sign(keep.wxpub, W3_PUB_KEY_ID, W3_NOW, body.data, body.len, &made);
#define REFUSE_WITH(field, value, flaw) \
	do { \
		bad = made.headers; \
		bad.field = (value); \
		expect(judge(&bad, body.data, body.len, &notice, &err) \
		    == ERR_AUTH, "%s", #field " " #value); \
		assert_non_null(strstr(err.text, flaw)); \
	} while (0)
	REFUSE_WITH(timestamp, NULL, "missing");
	REFUSE_WITH(nonce, NULL, "missing");
	REFUSE_WITH(signature, NULL, "missing");
	REFUSE_WITH(serial, NULL, "missing");
	REFUSE_WITH(timestamp, "1767232800000", "malformed");
	REFUSE_WITH(timestamp, "1767232499", "clock");
	REFUSE_WITH(timestamp, "1767233101", "clock");
	REFUSE_WITH(timestamp, "1767232801", "signature");
	REFUSE_WITH(nonce, "", "missing");
	REFUSE_WITH(nonce, "x", "signature");
	REFUSE_WITH(signature, "WECHATPAY/SIGNTEST/AAAA", "probe");
	REFUSE_WITH(serial, W3_SERIAL_A, "signature");
	REFUSE_WITH(serial, "PUB_KEY_ID_2", "serial");
	REFUSE_WITH(serial, "6B6B6B6B00000000000000000000000000000001",
	    "serial");
	REFUSE_WITH(type, "WECHATPAY2-SM2-WITH-SM3", "type");
#undef REFUSE_WITH
	w3_sign(keep.stranger, W3_PUB_KEY_ID, W3_NOW, body.data, body.len,
	    &made);
	assert_int_equal(judge(&made.headers, body.data, body.len, &notice,
	    &err), ERR_AUTH);
	/* with a line feed more, or cut by a NUL, it is another */
	w3_sign(keep.wxpub, W3_PUB_KEY_ID, W3_NOW, body.data, body.len, &made);
	assert_int_equal(judge(&made.headers, body.data, body.len - 1,
	    &notice, &err), ERR_AUTH);
	assert_int_equal(judge(&made.headers, "", 0, &notice, &err), ERR_AUTH);
	buf_char(&body, '\0');
	assert_int_equal(judge(&made.headers, body.data, body.len, &notice,
	    &err), ERR_AUTH);
	buf_clear(&body);
}

/* N24: whatever the bytes are, unproved they are not looked at: forged, every
 * body fails alike. */
static void
test_verified_first(void **state)
{
	static const char *const bodies[] = {
		"", "x", "{", "{}", "[]", "{\"a\":1,\"a\":2}", "\xff",
		"{\"resource\":{\"ciphertext\":\"!\"}}",
		"<xml><sign>x</sign></xml>",
	};
	struct w3_signed made;
	struct notice notice;
	struct err err, first = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		size_t len = strlen(bodies[i]);

		w3_sign(keep.stranger, W3_PUB_KEY_ID, W3_NOW, bodies[i], len,
		    &made);
		expect(judge(&made.headers, bodies[i], len, &notice, &err)
		    == ERR_AUTH, "%s", bodies[i]);
		if (i == 0)
			first = err;
		assert_string_equal(err.text, first.text);
	}
}

/* Every byte of a small notice and of its headers, changed in every bit. */
static void
test_every_bit(void **state)
{
	struct w3_signed made;
	struct notice notice;
	struct err err;
	struct buf body;
	char nonce[64], serial[CERT_SERIAL_SIZE];
	size_t refused = 0, same = 0;

	(void)state;
	buf_init(&body, BODY_MAX_LEN);
	notice_format("X", "{}", 2, NULL, &body);
	w3_sign(keep.platform, W3_SERIAL_B, W3_NOW, body.data, body.len,
	    &made);
	assert_int_equal(judge(&made.headers, body.data, body.len, &notice,
	    &err), ERR_NONE);
	for (size_t i = 0; i < body.len * 8; i++) {
		body.data[i / 8] = (char)(body.data[i / 8] ^ (1 << i % 8));
		expect(judge(&made.headers, body.data, body.len, &notice,
		    &err) == ERR_AUTH, "body: bit %zu", i);
		body.data[i / 8] = (char)(body.data[i / 8] ^ (1 << i % 8));
		refused++;
	}
	snprintf(nonce, sizeof(nonce), "%s", made.headers.nonce);
	snprintf(serial, sizeof(serial), "%s", made.headers.serial);
	made.headers.nonce = nonce;
	made.headers.serial = serial;
	for (int field = 0; field < 4; field++) {
		char *const fields[] = { made.timestamp, nonce,
			made.signature, serial };
		char *at = fields[field];

		for (size_t i = 0; i < strlen(fields[field]) * 8; i++) {
			at[i / 8] = (char)(at[i / 8] ^ (1 << i % 8));
			/* a serial in lower case is the same serial */
			if (judge(&made.headers, body.data, body.len, &notice,
			    &err) == ERR_NONE) {
				expect(field == 3 && i % 8 == 5,
				    "header %d: bit %zu", field, i);
				same++;
			} else {
				assert_int_equal(err.kind, ERR_AUTH);
				refused++;
			}
			at[i / 8] = (char)(at[i / 8] ^ (1 << i % 8));
		}
	}
	print_message("    bits flipped: %zu refused, %zu no matter\n",
	    refused, same);
	assert_int_equal(same, 15);	/* the letters of W3_SERIAL_B */
	buf_clear(&body);
}

/* As received, so that it can be proved again; what would not fit is not
 * believed. */
static void
test_proof(void **state)
{
	struct w3_signed made;
	struct notice notice;
	struct err err;
	struct buf body;
	char nonce[NOTICE_PROOF_MAX], proof[NOTICE_PROOF_MAX + 1];
	size_t fixed = 0;

	(void)state;
	buf_init(&body, BODY_MAX_LEN);
	paid_format(NULL, &body);
	w3_sign(keep.platform, "0005a0b1c2d3e4f5061728394a5b6c7d8e9f0a1b2c3",
	    W3_NOW, body.data, body.len, &made);
	assert_int_equal(judge(&made.headers, body.data, body.len, &notice,
	    &err), ERR_NONE);
	snprintf(proof, sizeof(proof), "1767232800\n%s\n%s\n%s",
	    made.headers.nonce, made.signature, made.headers.serial);
	assert_string_equal(notice.proof, proof);
	assert_string_equal(notice.serial, W3_SERIAL_B);

	/* the longest nonce that fits, and one byte more */
	fixed = strlen(proof) - strlen(made.headers.nonce);
	for (size_t more = 0; more < 2; more++) {
		size_t len = NOTICE_PROOF_MAX - fixed + more;

		memset(nonce, 'n', len);
		nonce[len] = '\0';
		made.headers.nonce = nonce;
		assert_true(sign3_sign_message(keep.platform, W3_NOW, nonce,
		    body.data, body.len, made.signature, &err));
		expect(judge(&made.headers, body.data, body.len, &notice, &err)
		    == (more == 0 ? ERR_NONE : ERR_AUTH), "%zu: %s", len,
		    err.text);
	}
	assert_non_null(strstr(err.text, "malformed"));
	buf_clear(&body);
}

/* ----------------------------------------- proved, and then judged further */

/* N25: proved, and no JSON that we read. */
static void
test_bad_json(void **state)
{
	static const char *const bodies[] = {
		"", " ", "x", "{", "[]", "\"a\"", "null", "{}x", "{}{}",
		"{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":1}",
		"\xef\xbb\xbf{}", "{\"a\":\"\xff\"}", "{\"a\":\"\\ud800\"}",
		"{\"a\":\"\\u0000\"}", "{'a':1}", "{\"a\":1,}", "{\"a\":01}",
		"{\"a\":NaN}", "{\"a\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}",
		"<xml></xml>",
	};
	struct notice notice;
	struct err err;
	struct buf body;

	(void)state;
	buf_init(&body, BODY_MAX_LEN);
	for (size_t i = 0; i < COUNT_OF(bodies); i++) {
		buf_reset(&body);
		buf_text(&body, bodies[i]);
		expect(judge_signed(&body, &notice, &err) == ERR_INPUT,
		    "outside: %s: %s", bodies[i], err.text);
		notice_format("TRANSACTION.SUCCESS", bodies[i],
		    strlen(bodies[i]), NULL, &body);
		expect(judge_signed(&body, &notice, &err) == ERR_INPUT,
		    "inside: %s: %s", bodies[i], err.text);
	}
	/* too long, and a NUL */
	buf_reset(&body);
	buf_text(&body, "{\"a\":\"");
	while (body.len < JSONREAD_MAX)
		buf_char(&body, 'a');
	buf_text(&body, "\"}");
	assert_int_equal(judge_signed(&body, &notice, &err), ERR_INPUT);
	buf_reset(&body);
	buf_add(&body, "{}\0", 3);
	assert_int_equal(judge_signed(&body, &notice, &err), ERR_INPUT);
	print_message("    no JSON of ours: %zu, outside and inside\n",
	    COUNT_OF(bodies));
	buf_clear(&body);
}

struct odd {
	struct w3_member change;
	enum err_kind kind;
};

#define SEALED(algorithm, aad, nonce, text) "{\"original_type\":\"x\"," \
	"\"algorithm\":" algorithm ",\"associated_data\":" aad ",\"nonce\":" \
	nonce ",\"ciphertext\":" text "}"
#define GCM "\"" SEAL3_ALGORITHM "\""

static const struct odd odd_envelopes[] = {
	{ { "brand_new", "1" }, ERR_NONE },
	{ { "id", NULL }, ERR_NONE },
	{ { "summary", NULL }, ERR_NONE },
	{ { "event_type", NULL }, ERR_INPUT },
	{ { "event_type", "1" }, ERR_INPUT },
	{ { "event_type", "\"\"" }, ERR_INPUT },
	{ { "event_type", "\"A B\"" }, ERR_INPUT },
	{ { "event_type", "\"支付\"" }, ERR_INPUT },
	{ { "event_type", "\"A\\u007f\"" }, ERR_INPUT },
	{ { "event_type", "\"TRANSACTION.SUCCESS\\n\"" }, ERR_INPUT },
	{ { "event_type", "\"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456\"" },
	  ERR_INPUT },
	{ { "resource_type", NULL }, ERR_INPUT },
	{ { "resource_type", "\"resource\"" }, ERR_AUTH },
	{ { "resource_type", "\"Encrypt-Resource\"" }, ERR_AUTH },
	{ { "resource", NULL }, ERR_INPUT },
	{ { "resource", "null" }, ERR_INPUT },
	{ { "resource", "\"x\"" }, ERR_INPUT },
	{ { "resource", "{}" }, ERR_INPUT },
	/* plain, as if V3 did not encrypt */
	{ { "resource", "{\"algorithm\":\"\",\"mchid\":\"" W3_MCHID
	    "\",\"trade_state\":\"SUCCESS\"}" }, ERR_AUTH },
	{ { "resource", SEALED("\"AEAD_SM4_GCM\"", "\"\"",
	    "\"aGm5Xn0yTq2w\"", "\"AAAA\"") }, ERR_AUTH },
	{ { "resource", SEALED("\"aead_aes_256_gcm\"", "\"\"",
	    "\"aGm5Xn0yTq2w\"", "\"AAAA\"") }, ERR_AUTH },
	{ { "resource", SEALED("1", "\"\"", "\"aGm5Xn0yTq2w\"",
	    "\"AAAA\"") }, ERR_INPUT },
	{ { "resource", SEALED(GCM, "1", "\"aGm5Xn0yTq2w\"", "\"AAAA\"") },
	  ERR_INPUT },
	{ { "resource", SEALED(GCM, "\"\"", "null", "\"AAAA\"") },
	  ERR_INPUT },
	{ { "resource", SEALED(GCM, "\"\"", "\"aGm5Xn0yTq2w\"", "null") },
	  ERR_INPUT },
	/* N24 */
	{ { "resource", SEALED(GCM, "\"\"", "\"aGm5Xn0yTq2w\"", "\"\"") },
	  ERR_AUTH },
	{ { "resource", SEALED(GCM, "\"\"", "\"\"", "\"AAAA\"") }, ERR_AUTH },
	{ { "resource", SEALED(GCM, "null", "\"aGm5Xn0yTq2w\"",
	    "\"AAAAAAAAAAAAAAAAAAAAAA==\"") }, ERR_AUTH },
	{ { "resource", SEALED(GCM, "\"\"", "\"aGm5Xn0yTq2w\"", "\"!!!!\"") },
	  ERR_AUTH },
};

static void
test_envelope(void **state)
{
	struct buf plain, body;
	struct notice notice;
	struct err err;

	(void)state;
	buf_init(&plain, BODY_MAX_LEN);
	buf_init(&body, BODY_MAX_LEN);
	w3_object(w3_transaction, COUNT_OF(w3_transaction), NULL, &plain);
	for (size_t i = 0; i < COUNT_OF(odd_envelopes); i++) {
		const struct odd *tried = &odd_envelopes[i];

		notice_format("TRANSACTION.SUCCESS", plain.data, plain.len,
		    &tried->change, &body);
		expect(judge_signed(&body, &notice, &err) == tried->kind,
		    "%s: %s: %s %s", tried->change.name,
		    tried->change.json == NULL ? "(none)"
		    : tried->change.json, err_kind_name(err.kind), err.text);
	}
	print_message("    envelopes with one odd member: %zu\n",
	    COUNT_OF(odd_envelopes));
	buf_clear(&body);
	buf_clear(&plain);
}

/* N24: the right text, its tag a byte short, its nonce or its associated data
 * another: one and the same refusal, though all of it is signed. */
static void
test_damaged(void **state)
{
	struct buf good, bad, raw;
	struct notice notice;
	struct err err;
	const char *text = NULL;
	size_t text_len = 0;
	static const char *const swaps[][2] = {
		{ "\"associated_data\":\"transaction\"",
		  "\"associated_data\":\"refund\"" },
		{ "\"associated_data\":\"transaction\"",
		  "\"associated_data\":\"\"" },
		{ "\"associated_data\":\"transaction\"",
		  "\"associated_data\":null" },
		{ "\"nonce\":\"aGm5Xn0yTq2w\"", "\"nonce\":\"aGm5Xn0yTq2x\"" },
		{ "\"nonce\":\"aGm5Xn0yTq2w\"", "\"nonce\":\"aGm5Xn0yTq2\"" },
		{ "\"nonce\":\"aGm5Xn0yTq2w\"",
		  "\"nonce\":\"aGm5Xn0yTq2wxxxxx\"" },
	};

	(void)state;
	buf_init(&good, BODY_MAX_LEN);
	buf_init(&bad, BODY_MAX_LEN);
	buf_init(&raw, BODY_MAX_LEN);
	paid_format(NULL, &good);
	assert_int_equal(judge_signed(&good, &notice, &err), ERR_NONE);
	for (size_t i = 0; i < COUNT_OF(swaps); i++) {
		const char *at = strstr(good.data, swaps[i][0]);

		assert_non_null(at);
		buf_reset(&bad);
		buf_add(&bad, good.data, (size_t)(at - good.data));
		buf_text(&bad, swaps[i][1]);
		buf_text(&bad, at + strlen(swaps[i][0]));
		expect(judge_signed(&bad, &notice, &err) == ERR_AUTH, "%s",
		    swaps[i][1]);
		assert_string_equal(err.text, "resource: cannot be opened");
	}
	text = strstr(good.data, "\"ciphertext\":\"")
	    + strlen("\"ciphertext\":\"");
	text_len = strcspn(text, "\"");
	assert_true(base64_parse(text, text_len, &raw));
	for (size_t cut = 1; cut <= raw.len; cut++) {
		buf_reset(&bad);
		buf_add(&bad, good.data, (size_t)(text - good.data));
		base64_format(raw.data, raw.len - cut, &bad);
		buf_text(&bad, text + text_len);
		expect(judge_signed(&bad, &notice, &err) == ERR_AUTH, "%zu",
		    cut);
		assert_string_equal(err.text, "resource: cannot be opened");
	}
	print_message("    cut texts: %zu\n", raw.len);
	buf_clear(&raw);
	buf_clear(&bad);
	buf_clear(&good);
}

static const struct odd odd_transactions[] = {
	{ { "brand_new", "[1,2]" }, ERR_NONE },
	{ { "trade_type", "\"H5\"" }, ERR_NONE },
	/* N4 */
	{ { "mchid", "\"1900000002\"" }, ERR_AUTH },
	{ { "mchid", "\"\"" }, ERR_AUTH }, { { "mchid", NULL }, ERR_AUTH },
	{ { "mchid", "null,\"mch_id\":\"1900000002\"" }, ERR_AUTH },
	{ { "mchid", "1900000001" }, ERR_INPUT },
	{ { "mchid", "\"1900000001 \"" }, ERR_AUTH },
	{ { "mchid", "null,\"sp_mchid\":\"" W3_MCHID "\"" }, ERR_INPUT },
	{ { "sp_mchid", "\"1900000002\"" }, ERR_AUTH },
	/* proved, but no success: nothing to settle */
	{ { "trade_state", "\"NOTPAY\"" }, ERR_REFUSED },
	{ { "trade_state", "\"REFUND\"" }, ERR_REFUSED },
	{ { "trade_state", "\"success\"" }, ERR_REFUSED },
	{ { "trade_state", "\"\"" }, ERR_REFUSED },
	{ { "trade_state", NULL }, ERR_INPUT },
	{ { "trade_state", "1" }, ERR_INPUT },
	/* N25 */
	{ { "amount", "{\"total\":101.0}" }, ERR_INPUT },
	{ { "amount", "{\"total\":\"101\"}" }, ERR_INPUT },
	{ { "amount", "{\"total\":-101}" }, ERR_INPUT },
	{ { "amount", "{\"total\":101,\"total\":101}" }, ERR_INPUT },
	{ { "amount", NULL }, ERR_INPUT },
	{ { "out_trade_no", NULL }, ERR_INPUT },
	{ { "transaction_id", NULL }, ERR_INPUT },
	{ { "appid", NULL }, ERR_INPUT },
	{ { "success_time", NULL }, ERR_INPUT },
};

static const struct odd odd_providers[] = {
	{ { "brand_new", "1" }, ERR_NONE },
	{ { "sub_appid", NULL }, ERR_NONE },
	/* who it is, is the store's to compare */
	{ { "sub_mchid", "\"1900000110\"" }, ERR_NONE },
	{ { "sub_mchid", NULL }, ERR_INPUT },
	{ { "sub_mchid", "\"\"" }, ERR_INPUT },
	{ { "sub_mchid", "1900000109" }, ERR_INPUT },
	{ { "sp_appid", NULL }, ERR_INPUT },
	{ { "sp_mchid", NULL }, ERR_AUTH },
	{ { "sp_mchid", "\"" W3_SUB_MCHID "\"" }, ERR_AUTH },
	{ { "sp_mchid", "\"\"" }, ERR_AUTH },
	{ { "sp_mchid", "1900000001" }, ERR_INPUT },
	{ { "sp_mchid", "null,\"mchid\":\"" W3_MCHID "\"" }, ERR_INPUT },
	/* both sorts in one */
	{ { "mchid", "\"" W3_MCHID "\"" }, ERR_INPUT },
	{ { "mchid", "\"" W3_SUB_MCHID "\"" }, ERR_AUTH },
	{ { "appid", "\"" W3_APPID "\"" }, ERR_INPUT },
	{ { "mch_id", "\"1900000002\"" }, ERR_AUTH },
};

/* A service provider's: the same wall, and for whom is passed on. */
static void
test_provider(void **state)
{
	struct buf plain, body;
	struct notice notice;
	struct err err;

	(void)state;
	buf_init(&plain, BODY_MAX_LEN);
	buf_init(&body, BODY_MAX_LEN);
	for (size_t i = 0; i < COUNT_OF(odd_providers); i++) {
		const struct odd *tried = &odd_providers[i];

		buf_reset(&plain);
		w3_object(w3_provider_transaction,
		    COUNT_OF(w3_provider_transaction), &tried->change, &plain);
		notice_format("TRANSACTION.SUCCESS", plain.data, plain.len,
		    NULL, &body);
		expect(judge_signed(&body, &notice, &err) == tried->kind,
		    "%s: %s: %s %s", tried->change.name,
		    tried->change.json == NULL ? "(none)"
		    : tried->change.json, err_kind_name(err.kind), err.text);
		if (tried->kind != ERR_NONE)
			continue;
		assert_int_equal(notice.kind, NOTICE_PAID);
		assert_string_equal(notice.appid, W3_APPID);
		assert_string_equal(notice.payment.sub_mchid, str_eq(
		    tried->change.name, "sub_mchid") ? "1900000110"
		    : W3_SUB_MCHID);
	}
	print_message("    a provider's transactions with one odd member: "
	    "%zu\n", COUNT_OF(odd_providers));
	buf_clear(&body);
	buf_clear(&plain);
}

static void
test_transaction(void **state)
{
	struct notice notice;
	struct err err;
	struct buf body;

	(void)state;
	buf_init(&body, BODY_MAX_LEN);
	for (size_t i = 0; i < COUNT_OF(odd_transactions); i++) {
		const struct odd *tried = &odd_transactions[i];

		paid_format(&tried->change, &body);
		expect(judge_signed(&body, &notice, &err) == tried->kind,
		    "%s: %s: %s %s", tried->change.name,
		    tried->change.json == NULL ? "(none)"
		    : tried->change.json, err_kind_name(err.kind), err.text);
		if (tried->kind != ERR_NONE)
			continue;
		assert_int_equal(notice.kind, NOTICE_PAID);
		assert_int_equal(notice.payment.total_fen, 101);
		assert_string_equal(notice.payment.out_trade_no,
		    "G20260101000001");
		assert_string_equal(notice.event_type, "TRANSACTION.SUCCESS");
	}
	print_message("    transactions with one odd member: %zu\n",
	    COUNT_OF(odd_transactions));
	buf_clear(&body);
}

/* RN5 is the store's; here every event against every state. */
static void
test_refund_states(void **state)
{
	static const struct {
		const char *word;
		enum refund_fate fate;
	} words[] = {
		{ "SUCCESS", REFUND_SUCCESS }, { "ABNORMAL", REFUND_ABNORMAL },
		{ "CLOSED", REFUND_CLOSED }, { "CLOSE", REFUND_CLOSED },
		{ "PROCESSING", REFUND_PROCESSING },
		{ "NEWWORD", REFUND_UNKNOWN }, { "", REFUND_UNKNOWN },
		{ "REFUNDCLOSE", REFUND_CLOSED },
	};
	static const struct {
		const char *event;
		enum refund_fate fate;
	} events[] = {
		{ "REFUND.SUCCESS", REFUND_SUCCESS },
		{ "REFUND.ABNORMAL", REFUND_ABNORMAL },
		{ "REFUND.CLOSED", REFUND_CLOSED },
	};
	struct notice notice;
	struct err err;
	struct buf body;
	size_t read = 0;

	(void)state;
	buf_init(&body, BODY_MAX_LEN);
	for (size_t i = 0; i < COUNT_OF(events) * COUNT_OF(words); i++) {
		size_t e = i / COUNT_OF(words), w = i % COUNT_OF(words);
		bool agree = events[e].fate == words[w].fate;
		char json[50];

		snprintf(json, sizeof(json), "\"%s\"", words[w].word);
		refunded_format(events[e].event, &(struct w3_member){
		    "refund_status", json }, &body);
		expect(judge_signed(&body, &notice, &err) == (agree ? ERR_NONE
		    : ERR_INPUT), "%s %s: %s", events[e].event, words[w].word,
		    err.text);
		if (!agree)
			continue;
		assert_int_equal(notice.kind, NOTICE_REFUNDED);
		assert_int_equal(notice.refund.fate, words[w].fate);
		assert_int_equal(notice.refund.refund_fen, 51);
		assert_true((notice.refund.refunded_at > 0)
		    == (words[w].fate == REFUND_SUCCESS));
		assert_string_equal(notice.refund.out_refund_no,
		    "R20260101000001");
		read++;
	}
	assert_int_equal(read, 5);
	buf_clear(&body);
}

static void
test_refund(void **state)
{
	static const struct odd cases[] = {
		{ { "mchid", NULL }, ERR_AUTH },
		{ { "mchid", "\"1900000002\"" }, ERR_AUTH },
		/* a partner's, who is us [v3.md 19] */
		{ { "mchid", "null,\"sp_mchid\":\"" W3_MCHID "\","
		    "\"sub_mchid\":\"" W3_SUB_MCHID "\"" }, ERR_NONE },
		{ { "mchid", "null,\"sp_mchid\":\"" W3_MCHID "\"" },
		  ERR_NONE },
		{ { "mchid", "null,\"sp_mchid\":\"1900000002\"" },
		  ERR_AUTH },
		{ { "sp_mchid", "\"1900000002\"" }, ERR_AUTH },
		/* and as one official sample names him */
		{ { "sub_mchid", "\"" W3_SUB_MCHID "\"" }, ERR_NONE },
		{ { "sub_mchid", "1" }, ERR_INPUT },
		{ { "success_time", NULL }, ERR_NONE },
		{ { "refund_status", NULL }, ERR_INPUT },
		{ { "status", "\"SUCCESS\"" }, ERR_NONE },
		{ { "out_refund_no", NULL }, ERR_INPUT },
		{ { "refund_id", NULL }, ERR_INPUT },
		{ { "amount", "{\"total\":101,\"refund\":51.5}" }, ERR_INPUT },
	};
	struct notice notice;
	struct err err;
	struct buf body;

	(void)state;
	buf_init(&body, BODY_MAX_LEN);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		refunded_format("REFUND.SUCCESS", &cases[i].change, &body);
		expect(judge_signed(&body, &notice, &err) == cases[i].kind,
		    "%s: %s %s", cases[i].change.name,
		    err_kind_name(err.kind), err.text);
		assert_string_equal(notice.refund.sub_mchid,
		    err.kind == ERR_NONE && cases[i].change.json != NULL
		    && strstr(cases[i].change.json, W3_SUB_MCHID) != NULL
		    ? W3_SUB_MCHID : "");
	}
	/* one object under the other's event is neither */
	refunded_format("TRANSACTION.SUCCESS", NULL, &body);
	assert_int_equal(judge_signed(&body, &notice, &err), ERR_INPUT);
	buf_clear(&body);
}

/* What is no payment and no refund: proved, kept, and not understood. */
static void
test_other(void **state)
{
	static const struct {
		const char *event, *plain;
		struct w3_member change;
		enum err_kind kind;
	} cases[] = {
		{ "TRANSACTION.FAIL", "{}", { "x", NULL }, ERR_NONE },
		{ "TRANSACTION.SUCCESS2", "{}", { "x", NULL }, ERR_NONE },
		{ "transaction.success", "{}", { "x", NULL }, ERR_NONE },
		{ "REFUND.PROCESSING", "{\"mchid\":\"" W3_MCHID "\"}",
		  { "x", NULL }, ERR_NONE },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZ.01234", "{}", { "x", NULL },
		  ERR_NONE },
		{ "COUPON.USE", "{\"mch_id\":\"" W3_MCHID "\"}",
		  { "x", NULL }, ERR_NONE },
		{ "COUPON.USE", "{\"mch_id\":\"1900000002\"}", { "x", NULL },
		  ERR_AUTH },
		{ "COUPON.USE", "{\"mchid\":1}", { "x", NULL }, ERR_INPUT },
		{ "COUPON.USE", "[]", { "x", NULL }, ERR_INPUT },
		/* of another sort: not for us to open */
		{ "NEW.EVENT", "{}", { "resource", SEALED("\"AEAD_NEW\"",
		    "\"\"", "\"\"", "\"!\"") }, ERR_NONE },
		{ "NEW.EVENT", "{}", { "resource_type", "\"plain-resource\"" },
		  ERR_NONE },
		/* but what we could open must open */
		{ "NEW.EVENT", "{}", { "resource", SEALED(GCM, "\"\"",
		    "\"aGm5Xn0yTq2w\"", "\"AAAA\"") }, ERR_AUTH },
		{ "NEW.EVENT", "{}", { "resource", NULL }, ERR_INPUT },
	};
	struct notice notice;
	struct err err;
	struct buf body;

	(void)state;
	buf_init(&body, BODY_MAX_LEN);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		notice_format(cases[i].event, cases[i].plain,
		    strlen(cases[i].plain), &cases[i].change, &body);
		expect(judge_signed(&body, &notice, &err) == cases[i].kind,
		    "%s %s: %s %s", cases[i].event, cases[i].plain,
		    err_kind_name(err.kind), err.text);
		if (cases[i].kind != ERR_NONE)
			continue;
		assert_int_equal(notice.kind, NOTICE_OTHER);
		assert_string_equal(notice.event_type, cases[i].event);
	}
	buf_clear(&body);
}

/* An answer of WeChat's is signed by the same keys, and is no notice. */
static void
test_answer_is_no_notice(void **state)
{
	struct notice notice;
	struct err err;
	struct buf body;

	(void)state;
	buf_init(&body, BODY_MAX_LEN);
	w3_object(w3_transaction, COUNT_OF(w3_transaction), NULL, &body);
	assert_int_equal(judge_signed(&body, &notice, &err), ERR_INPUT);
	buf_clear(&body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_not_configured),
		cmocka_unit_test(test_unproved),
		cmocka_unit_test(test_verified_first),
		cmocka_unit_test(test_every_bit),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_bad_json),
		cmocka_unit_test(test_envelope),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_transaction),
		cmocka_unit_test(test_provider),
		cmocka_unit_test(test_refund_states),
		cmocka_unit_test(test_refund),
		cmocka_unit_test(test_other),
		cmocka_unit_test(test_answer_is_no_notice),
	};

	jsonread_start();
	return cmocka_run_group_tests(tests, keep_open, keep_close);
}
