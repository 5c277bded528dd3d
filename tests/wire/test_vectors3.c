/* Every published vector of API V3 passes or is refused as it says; where
 * lib/wechat has the last word, as far as this room can judge. [threats N21-
 * N25] */
#include "wire/cert.h"
#include "wire/form.h"
#include "wire/jsonread.h"
#include "wire/seal3.h"
#include "wire/sign3.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "vectors3.h"

static json_t *all;

static int
start(void **state)
{
	(void)state;
	jsonread_start();
	all = vectors3_open();
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	json_decref(all);
	return 0;
}

static bool
expects(const json_t *vector, const char *what)
{
	return str_eq(vector_text(vector, "expect"), what);
}

static const char *
id_of(const json_t *vector)
{
	return vector_text(vector, "id");
}

static void
digest_compare(const char *bytes, size_t len, const char *hex,
    const EVP_MD *md, const char *id)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[2 * EVP_MAX_MD_SIZE + 1];
	unsigned digest_len = 0;

	assert_int_equal(EVP_Digest(bytes, len, digest, &digest_len, md,
	    NULL), 1);
	hex_format_lower(digest, digest_len, text);
	expect(str_eq(text, hex), "%s: digest", id);
}

/* The test's own reader of JSON has preserved the bytes. */
static const char *
body_of(const json_t *vector)
{
	const char *body = vector_text(vector, "body");
	const char *digest = vector_text(vector, "body_sha256");

	if (digest[0] != '\0')
		digest_compare(body, strlen(body), digest, EVP_sha256(),
		    id_of(vector));
	return body;
}

static void
clean(const char *id)
{
	expect(ERR_peek_error() == 0, "%s: OpenSSL's queue is not empty", id);
}

static void
run_raw_sign(const json_t *vector)
{
	const char *message = vector_text(vector, "message");
	struct sign3_key *key = private_open(key_text(all,
	    vector_text(vector, "key"), "file"));
	unsigned char raw[SIGN3_KEY_BYTES];
	struct err err = { 0 };
	struct buf base64;

	buf_init(&base64, SIGN3_BASE64_SIZE);
	expect(sign3_key_sign(key, message, strlen(message), raw, &err), "%s",
	    err.text);
	base64_format(raw, sizeof(raw), &base64);
	expect(str_eq(buf_get(&base64), vector_text(vector, "signature")),
	    "%s", id_of(vector));
	buf_clear(&base64);
	sign3_key_free(key);
}

static void
run_raw_verify(const json_t *vector)
{
	const char *message = vector_text(vector, "message");
	const char *signature = vector_text(vector, "signature");
	struct sign3_public *key = public_open(key_text(all,
	    vector_text(vector, "key"), "file"));
	struct err err = { 0 };
	struct buf raw;

	buf_init(&raw, SIGN3_KEY_BYTES);
	assert_true(base64_parse(signature, strlen(signature), &raw));
	expect(sign3_public_verify(key, message, strlen(message), raw.data,
	    raw.len, &err) == expects(vector, "ok"), "%s: %s", id_of(vector),
	    err.text);
	buf_clear(&raw);
	sign3_public_free(key);
}

static long
timestamp_of(const json_t *vector)
{
	long at = 0;

	assert_true(str_to_long(vector_text(vector, "timestamp"), LONG_MAX,
	    &at));
	return at;
}

static void
run_request_sign(const json_t *vector)
{
	const char *body = body_of(vector);
	const struct sign3_request req = {
		.method = vector_text(vector, "method"),
		.target = vector_text(vector, "url"),
		.at = timestamp_of(vector),
		.nonce = vector_text(vector, "nonce_str"),
		.body = body,
		.body_len = strlen(body),
	};
	const char *key_id = vector_text(vector, "key");
	struct sign3_key *key = private_open(key_text(all, key_id, "file"));
	char signature[SIGN3_BASE64_SIZE];
	struct err err = { 0 };
	struct buf header;

	buf_init(&header, 1000);
	expect(sign3_sign(key, &req, signature, &err), "%s: %s",
	    id_of(vector), err.text);
	expect(str_eq(signature, vector_text(vector, "signature")), "%s",
	    id_of(vector));
	expect(sign3_authorize(key, vector_text(vector, "mchid"),
	    vector_text(vector, "serial_no"), &req, &header, &err), "%s: %s",
	    id_of(vector), err.text);
	expect(str_eq(buf_get(&header), vector_text(vector,
	    "authorization")), "%s: %s", id_of(vector), buf_get(&header));
	if (str_eq(key_id, "merchant")) {
		struct sign3_public *public = public_open(
		    "v3-merchant-cert.pem");

		expect(sign3_verify_request(public, &req, signature, &err),
		    "%s: %s", id_of(vector), err.text);
		sign3_public_free(public);
	}
	buf_clear(&header);
	sign3_key_free(key);
}

static void
run_pay_sign(const json_t *vector)
{
	struct sign3_key *key = private_open(key_text(all,
	    vector_text(vector, "key"), "file"));
	bool is_app = str_eq(vector_text(vector, "pay_kind"), "app");
	char package[100];
	char signature[SIGN3_BASE64_SIZE];
	struct err err = { 0 };

	snprintf(package, sizeof(package), "%s%s",
	    is_app ? "" : "prepay_id=", vector_text(vector, "prepay_id"));
	expect(sign3_sign_invocation(key, &(struct sign3_invocation){
	    .appid = vector_text(vector, "appid"),
	    .at = timestamp_of(vector),
	    .nonce = vector_text(vector, "nonce_str"),
	    .package = package }, signature, &err), "%s: %s", id_of(vector),
	    err.text);
	expect(str_eq(signature, vector_text(vector, "signature")), "%s",
	    id_of(vector));
	sign3_key_free(key);
}

/* The keys that a vector trusts: what lib/wechat will do better. */
static struct sign3_public *
trusted_open(const json_t *vector, const char *serial)
{
	const json_t *list = json_object_get(vector, "trusted_keys");
	const char *single = vector_text(vector, "key");
	size_t count = list == NULL ? 1 : json_array_size(list);
	char wanted[CERT_SERIAL_SIZE];

	if (!cert_serial_parse(serial, wanted))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *id = list == NULL ? single
		    : json_string_value(json_array_get(list, i));
		char own[CERT_SERIAL_SIZE];

		assert_true(cert_serial_parse(key_text(all, id, "serial"),
		    own));
		if (str_eq(own, wanted))
			return public_open(key_text(all, id, "file"));
	}
	return NULL;
}

/* The vectors' words for why a message is refused. */
static const char *
reason_of(enum sign3_flaw flaw)
{
	static const char *const reasons[] = {
		[SIGN3_SOUND] = "",
		[SIGN3_MISSING] = "missing_header",
		[SIGN3_MALFORMED] = "malformed_header",
		[SIGN3_UNSUPPORTED] = "unsupported_type",
		[SIGN3_CLOCK] = "clock",
		[SIGN3_PROBE] = "bad_signature",
	};

	return reasons[flaw];
}

/* Why a message is refused, in the vectors' words; "" if it is believed. */
static const char *
message_judge(const json_t *vector)
{
	const struct sign3_headers headers = headers_of(vector);
	enum sign3_flaw flaw = sign3_headers_judge(&headers, now_of(vector));
	const char *body = body_of(vector);
	struct sign3_public *key = NULL;
	struct err err = { 0 };
	bool ok = false;

	if (headers.serial != NULL)
		key = trusted_open(vector, headers.serial);
	if (flaw == SIGN3_SOUND && key == NULL)
		return "unknown_serial";
	if (key != NULL)
		ok = sign3_verify(key, &headers, body, strlen(body),
		    now_of(vector), &err);
	expect(ok || key == NULL || err.kind == ERR_AUTH, "%s: %s",
	    id_of(vector), err.text);
	clean(id_of(vector));
	sign3_public_free(key);
	if (flaw != SIGN3_SOUND) {
		expect(!ok, "%s", id_of(vector));
		return reason_of(flaw);
	}
	return ok ? "" : "bad_signature";
}

static void
run_response_verify(const json_t *vector)
{
	const char *why = message_judge(vector);

	expect(str_eq(why, vector_text(vector, "reason")), "%s: %s",
	    id_of(vector), why);
	expect((why[0] == '\0') == expects(vector, "ok"), "%s: %s",
	    id_of(vector), why);
}

static const char *
text_at(const struct jsonread *json, const char *path)
{
	const char *text = NULL;
	struct err err = { 0 };

	expect(jsonread_text(json, path, &text, &err), "%s", err.text);
	return text;
}

/* "" if nothing stands there. */
static const char *
text_if(const struct jsonread *json, const char *path)
{
	return jsonread_has(json, path) ? text_at(json, path) : "";
}

static struct jsonread *
json_of(const char *bytes, size_t len, const char *id)
{
	struct jsonread *json = NULL;
	struct err err = { 0 };

	expect(jsonread_new(bytes, len, &json, &err), "%s: %s", id, err.text);
	return json;
}

static bool
resource_open(const struct jsonread *json, const char *at,
    const struct secret *key, struct buf *plain, struct err *err)
{
	char path[4][100];
	static const char *const names[4] = { "algorithm", "nonce",
		"ciphertext", "associated_data" };

	for (size_t i = 0; i < 4; i++)
		snprintf(path[i], sizeof(path[i]), "%s.%s", at, names[i]);
	return seal3_open(&(struct seal3_sealed){
	    .algorithm = text_at(json, path[0]),
	    .nonce = text_at(json, path[1]),
	    .ciphertext = text_at(json, path[2]),
	    .associated_data = jsonread_has(json, path[3])
	    ? text_at(json, path[3]) : NULL }, key, plain, err);
}

/* False if the order would not be believed: lib/pay and the database do it
 * for good. */
static bool
is_of_order(const struct jsonread *json, const json_t *order)
{
	int64_t total = 0;
	struct err err = { 0 };

	return str_eq(text_at(json, "mchid"), vector_text(order, "mchid"))
	    && str_eq(text_at(json, "out_trade_no"),
		vector_text(order, "out_trade_no"))
	    && jsonread_int(json, "amount.total", 1, INT32_MAX, &total, &err)
	    && total == json_integer_value(json_object_get(order, "total"));
}

static void
plain_compare(const json_t *vector, const struct buf *plain)
{
	const json_t *order = json_object_get(vector, "order");
	struct jsonread *json = NULL;

	expect(str_eq(buf_get(plain), vector_text(vector, "plaintext")),
	    "%s: %s", id_of(vector), buf_get(plain));
	json = json_of(buf_get(plain), plain->len, id_of(vector));
	if (order != NULL)
		expect(is_of_order(json, order)
		    != str_eq(vector_text(vector, "business"), "reject"),
		    "%s", id_of(vector));
	jsonread_free(json);
}

static void
run_notification(const json_t *vector)
{
	const char *api_v3_key = vector_text(vector, "api_v3_key");
	bool is_short = vector_text(vector, "cipher")[0] != '\0';
	const char *why = message_judge(vector);
	const char *body = body_of(vector);
	struct secret *key = NULL;
	struct jsonread *json = NULL;
	struct err err = { 0 };
	struct buf plain;

	if (!str_eq(vector_text(vector, "reason"), "aead_tag"))
		expect(str_eq(why, vector_text(vector, "reason")), "%s: %s",
		    id_of(vector), why);
	if (why[0] != '\0') {
		expect(expects(vector, "reject"), "%s", id_of(vector));
		return;
	}
	buf_init(&plain, 10000);
	key = secret_of(api_v3_key, strlen(api_v3_key));
	json = json_of(body, strlen(body), id_of(vector));
	if (is_short) {		/* its key is of AES-128, which is not V3 */
		assert_false(resource_open(json, "resource", key, &plain,
		    &err));
		assert_int_equal(err.kind, ERR_INPUT);
	} else if (resource_open(json, "resource", key, &plain, &err)) {
		expect(expects(vector, "ok"), "%s", id_of(vector));
		plain_compare(vector, &plain);
	} else {
		expect(str_eq(vector_text(vector, "reason"), "aead_tag")
		    && err.kind == ERR_AUTH && plain.len == 0, "%s: %s",
		    id_of(vector), err.text);
	}
	clean(id_of(vector));
	buf_clear(&plain);
	jsonread_free(json);
	secret_free(key);
}

static epoch_t
time_at(const struct jsonread *json, const char *path)
{
	epoch_t at = 0;

	assert_true(clock_parse_rfc3339(text_at(json, path), &at));
	return at;
}

/* A certificate of the list, once it is decrypted. */
static void
listed_compare(const json_t *vector, const struct jsonread *json, size_t i,
    const struct buf *pem)
{
	const char *digest = json_string_value(json_array_get(
	    json_object_get(vector, "pem_sha256"), i));
	const char *ca_id = vector_text(vector, "ca");
	struct cert_facts facts = { 0 };
	struct err err = { 0 };
	char serial[CERT_SERIAL_SIZE];
	char path[3][50];

	snprintf(path[0], sizeof(path[0]), "data.%zu.serial_no", i);
	snprintf(path[1], sizeof(path[1]), "data.%zu.effective_time", i);
	snprintf(path[2], sizeof(path[2]), "data.%zu.expire_time", i);
	expect(cert_read(buf_get(pem), pem->len, &facts, &err), "%s: %s",
	    id_of(vector), err.text);
	assert_true(cert_serial_parse(text_at(json, path[0]), serial));
	assert_string_equal(facts.serial, serial);
	assert_string_equal(serial, json_string_value(json_array_get(
	    json_object_get(vector, "serials"), i)));
	assert_int_equal(facts.not_before, time_at(json, path[1]));
	assert_int_equal(facts.not_after, time_at(json, path[2]));
	if (digest != NULL)
		digest_compare(buf_get(pem), pem->len, digest, EVP_sha256(),
		    id_of(vector));
	if (ca_id[0] != '\0') {
		struct secret *ca = pem_open(key_text(all, ca_id, "file"));

		expect(cert_chain_check(buf_get(pem), pem->len,
		    secret_bytes(ca), secret_len(ca), now_of(vector), &err),
		    "%s: %s", id_of(vector), err.text);
		secret_free(ca);
	}
}

/* [v3.md 5.1] the list is signed by one of the certificates in it. */
static void
listed_verify(const json_t *vector, const struct buf *pem)
{
	const struct sign3_headers headers = headers_of(vector);
	const char *body = body_of(vector);
	struct cert_facts facts = { 0 };
	struct sign3_public *key = NULL;
	struct err err = { 0 };

	assert_true(cert_read(buf_get(pem), pem->len, &facts, &err));
	assert_true(sign3_public_new(buf_get(pem), pem->len, &key, &err));
	if (headers.serial != NULL)
		expect(sign3_verify(key, &headers, body, strlen(body),
		    now_of(vector), &err)
		    == str_eq(facts.serial, headers.serial), "%s: %s",
		    id_of(vector), err.text);
	sign3_public_free(key);
}

static void
run_certificates_response(const json_t *vector)
{
	const char *api_v3_key = vector_text(vector, "api_v3_key");
	struct secret *key = secret_of(api_v3_key, strlen(api_v3_key));
	const char *body = body_of(vector);
	struct jsonread *json = json_of(body, strlen(body), id_of(vector));
	struct err err = { 0 };
	size_t count = 0;
	size_t good = 0;

	assert_true(jsonread_count(json, "data", &count, &err));
	for (size_t i = 0; i < count; i++) {
		struct buf pem;
		char path[50];

		err = (struct err){ 0 };
		buf_init(&pem, 10000);
		snprintf(path, sizeof(path), "data.%zu.encrypt_certificate",
		    i);
		if (resource_open(json, path, key, &pem, &err)) {
			good++;
			if (expects(vector, "ok")) {
				listed_compare(vector, json, i, &pem);
				listed_verify(vector, &pem);
			}
		} else {
			assert_int_equal(err.kind, ERR_AUTH);
			assert_int_equal(pem.len, 0);
		}
		buf_clear(&pem);
	}
	expect((good == count) == expects(vector, "ok"), "%s: %zu of %zu",
	    id_of(vector), good, count);
	clean(id_of(vector));
	jsonread_free(json);
	secret_free(key);
}

static void
run_aead_decrypt(const json_t *vector)
{
	const char *api_v3_key = vector_text(vector, "api_v3_key");
	struct secret *key = secret_of(api_v3_key, strlen(api_v3_key));
	const char *nonce = vector_text(vector, "nonce");
	const char *data = vector_text(vector, "associated_data");
	struct err err = { 0 };
	struct buf plain;
	struct buf again;

	buf_init(&plain, 10000);
	buf_init(&again, 20000);
	expect(seal3_open(&(struct seal3_sealed){ SEAL3_ALGORITHM, nonce,
	    data, vector_text(vector, "ciphertext") }, key, &plain, &err)
	    == expects(vector, "ok"), "%s: %s", id_of(vector), err.text);
	clean(id_of(vector));
	assert_string_equal(buf_get(&plain),
	    vector_text(vector, "plaintext"));
	if (expects(vector, "ok")) {
		assert_true(seal3_seal(buf_get(&plain), plain.len, nonce,
		    data, key, &again, &err));
		assert_string_equal(buf_get(&again),
		    vector_text(vector, "ciphertext"));
	}
	buf_clear(&again);
	buf_clear(&plain);
	secret_free(key);
}

static void
run_oaep_decrypt(const json_t *vector)
{
	const char *id = vector_text(vector, "key");
	const char *file = key_text(all, id, "private_file");
	struct sign3_key *key = private_open(file[0] != '\0' ? file
	    : key_text(all, id, "file"));
	struct err err = { 0 };
	struct buf plain;

	buf_init(&plain, SIGN3_KEY_SEAL_MAX);
	expect(seal3_field_open(vector_text(vector, "ciphertext"), key,
	    &plain, &err) == expects(vector, "ok"), "%s: %s", id_of(vector),
	    err.text);
	expect(expects(vector, "ok") || err.kind == ERR_AUTH, "%s",
	    id_of(vector));
	assert_string_equal(buf_get(&plain),
	    vector_text(vector, "plaintext"));
	clean(id_of(vector));
	buf_clear(&plain);
	sign3_key_free(key);
}

static void
run_h5_url(const json_t *vector)
{
	struct buf url;

	buf_init(&url, 1000);
	buf_text(&url, vector_text(vector, "h5_url"));
	buf_text(&url, "&redirect_url=");
	form_encode(vector_text(vector, "redirect_url"), &url);
	assert_string_equal(buf_get(&url), vector_text(vector, "result"));
	buf_clear(&url);
}

/* The answer that announces a bill; gzip is no matter of this room. */
static void
run_bill_hash(const json_t *vector)
{
	const char *reply = vector_text(vector, "reply");
	const char *plain = vector_text(vector, "plain_base64");
	struct jsonread *json = json_of(reply, strlen(reply), id_of(vector));
	const char *hash = text_at(json, "hash_value");
	struct buf bill;

	buf_init(&bill, 10000);
	assert_string_equal(text_at(json, "hash_type"), "SHA1");
	assert_non_null(strstr(text_at(json, "download_url"),
	    vector_text(vector, "sign_url")));
	if (expects(vector, "ok")) {
		assert_true(base64_parse(plain, strlen(plain), &bill));
		digest_compare(bill.data, bill.len, hash, EVP_sha1(),
		    id_of(vector));
	}
	buf_clear(&bill);
	jsonread_free(json);
}

/* What the body says; what is done about it is lib/wechat's. */
static void
run_error_class(const json_t *vector)
{
	const char *body = vector_text(vector, "body");
	struct jsonread *json = NULL;
	struct err err = { 0 };
	const char *code = NULL;

	if (body[0] != '{') {
		assert_false(jsonread_new(body, strlen(body), &json, &err));
		assert_int_equal(err.kind, ERR_INPUT);
		return;
	}
	json = json_of(body, strlen(body), id_of(vector));
	code = text_if(json, "code");
	expect(str_is_of(code, STR_UPPER "_", 1, 32), "%s: %s",
	    id_of(vector), code);
	jsonread_free(json);
}

static const struct kind {
	const char *name;
	size_t count;
	void (*run)(const json_t *vector);
	const char *rest;	/* what lib/wechat and others have to add */
} kinds[] = {
	{ "raw_sign", 1, run_raw_sign, NULL },
	{ "raw_verify", 3, run_raw_verify, NULL },
	{ "request_sign", 13, run_request_sign, NULL },
	{ "response_verify", 25, run_response_verify, NULL },
	{ "notification", 32, run_notification, NULL },
	{ "certificates_response", 4, run_certificates_response,
	    "which keys are kept, and which one encrypts" },
	{ "aead_decrypt", 9, run_aead_decrypt, NULL },
	{ "oaep_decrypt", 10, run_oaep_decrypt, NULL },
	{ "pay_sign", 5, run_pay_sign, NULL },
	{ "h5_url", 1, run_h5_url, NULL },
	{ "bill_hash", 2, run_bill_hash, "the file that was downloaded" },
	{ "error_class", 16, run_error_class, "what is done about a code" },
};

static void
test_vectors(void **state)
{
	const json_t *list = json_object_get(all, "vectors");
	size_t total = 0;

	(void)state;
	for (size_t k = 0; k < COUNT_OF(kinds); k++) {
		const json_t *vector = NULL;
		size_t count = 0;
		size_t i = 0;

		json_array_foreach(list, i, vector) {
			if (!str_eq(vector_text(vector, "kind"),
			    kinds[k].name))
				continue;
			kinds[k].run(vector);
			count++;
		}
		expect(count == kinds[k].count, "%s: %zu, not %zu",
		    kinds[k].name, count, kinds[k].count);
		print_message("    %-24s %zu%s%s\n", kinds[k].name, count,
		    kinds[k].rest == NULL ? "" : "; remains: ",
		    kinds[k].rest == NULL ? "" : kinds[k].rest);
		total += count;
	}
	print_message("    vectors run: %zu of %zu\n", total,
	    json_array_size(list));
	assert_int_equal(total, VECTORS3_COUNT);
	assert_int_equal(json_array_size(list), VECTORS3_COUNT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
	};

	return cmocka_run_group_tests_name("vectors of V3", tests, start,
	    stop);
}
