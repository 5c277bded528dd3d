/* wire, what V3 needs: every allocation, ours and the libraries', fails once
 * in turn; each gives a clean error or the right result, no forgery passes,
 * and nothing leaks. */
#include "../fault.h"

#include <openssl/err.h>

#include "vectors3.h"
#include "wire/cert.h"
#include "wire/jsonread.h"
#include "wire/seal3.h"
#include "wire/sign3.h"

#define NOW 1767232800

static const struct sign3_request request = { "POST", "/v3/a", NOW, "nonce",
	"{}", 2 };

static struct secret *key_pem, *public_pem, *cert_pem, *ca_pem, *aes;
static struct sign3_key *key, *strangers;
static struct sign3_public *public;
static char right[SIGN3_BASE64_SIZE], wrong[SIGN3_BASE64_SIZE];
static struct buf header, sealed, sealed_field;

static int
start(void **state)
{
	struct err err = { 0 };

	(void)state;
	jsonread_start();
	key_pem = pem_open("v3-platform-b-key.pem");
	public_pem = pem_open("v3-wxpub.pem");
	cert_pem = pem_open("v3-platform-b-cert.pem");
	ca_pem = pem_open("v3-ca-cert.pem");
	aes = secret_of("TestOnlyApiV3Key0123456789ABCDEF", 32);
	key = private_open("v3-platform-b-key.pem");
	strangers = private_open("v3-stranger-key.pem");
	public = public_open("v3-platform-b-cert.pem");
	buf_init(&header, 1000);
	buf_init(&sealed, 1000);
	buf_init(&sealed_field, 1000);
	return sign3_authorize(key, "1900000001", "5A", &request, &header,
		&err)
	    && sign3_sign_message(key, NOW, "n", "{}", 2, right, &err)
	    && sign3_sign_message(strangers, NOW, "n", "{}", 2, wrong, &err)
	    && seal3_seal("plain", 5, "5be9c9c096cc", "d", aes, &sealed, &err)
	    && seal3_field_seal("plain", public, &sealed_field, &err)
	    ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	buf_clear(&sealed_field);
	buf_clear(&sealed);
	buf_clear(&header);
	sign3_public_free(public);
	sign3_key_free(strangers);
	sign3_key_free(key);
	secret_free(aes);
	secret_free(ca_pem);
	secret_free(cert_pem);
	secret_free(public_pem);
	secret_free(key_pem);
	return 0;
}

static bool
run_key_new(struct err *err)
{
	struct sign3_key *made = NULL;
	bool ok = sign3_key_new(key_pem, &made, err);

	assert_true(ok == (made != NULL));
	assert_int_equal(ERR_peek_error(), 0);
	sign3_key_free(made);
	return ok;
}

static bool
public_new(const struct secret *pem, struct err *err)
{
	struct sign3_public *made = NULL;
	bool ok = sign3_public_new(secret_bytes(pem), secret_len(pem), &made,
	    err);

	assert_true(ok == (made != NULL));
	assert_int_equal(ERR_peek_error(), 0);
	sign3_public_free(made);
	return ok;
}

static bool
run_public_new(struct err *err)
{
	return public_new(public_pem, err);
}

static bool
run_public_new_cert(struct err *err)
{
	return public_new(cert_pem, err);
}

static bool
run_authorize(struct err *err)
{
	struct buf out;
	bool ok = false;

	buf_init(&out, 1000);
	ok = sign3_authorize(key, "1900000001", "5A", &request, &out, err);
	if (ok)
		assert_string_equal(buf_get(&out), buf_get(&header));
	assert_int_equal(ERR_peek_error(), 0);
	buf_clear(&out);
	return ok;
}

static bool
run_sign_message(struct err *err)
{
	char signature[SIGN3_BASE64_SIZE];
	bool ok = sign3_sign_message(key, NOW, "n", "{}", 2, signature, err);

	if (ok)
		assert_string_equal(signature, right);
	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static bool
verify(const char *signature, struct err *err)
{
	const struct sign3_headers headers = { "1767232800", "n", signature,
		"5A", SIGN3_TYPE };
	bool ok = sign3_verify(public, &headers, "{}", 2, NOW, err);

	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static bool
run_verify(struct err *err)
{
	return verify(right, err);
}

/* However little memory there is, what is forged is forged. */
static bool
run_verify_forged(struct err *err)
{
	struct err why = { 0 };

	assert_false(verify(wrong, &why));
	return why.kind == ERR_AUTH || err_set(err, why.kind, "%s", why.text);
}

static bool
open_sealed(const char *data, struct err *err)
{
	struct buf plain;
	bool ok = false;

	buf_init(&plain, 1000);
	ok = seal3_open(&(struct seal3_sealed){ SEAL3_ALGORITHM,
	    "5be9c9c096cc", data, buf_get(&sealed) }, aes, &plain, err);
	assert_string_equal(buf_get(&plain), ok ? "plain" : "");
	assert_int_equal(ERR_peek_error(), 0);
	buf_clear(&plain);
	return ok;
}

static bool
run_open(struct err *err)
{
	return open_sealed("d", err);
}

static bool
run_open_damaged(struct err *err)
{
	struct err why = { 0 };

	assert_false(open_sealed("e", &why));
	return why.kind == ERR_AUTH || err_set(err, why.kind, "%s", why.text);
}

static bool
run_seal(struct err *err)
{
	struct buf out;
	bool ok = false;

	buf_init(&out, 1000);
	ok = seal3_seal("plain", 5, "5be9c9c096cc", "d", aes, &out, err);
	if (ok)
		assert_string_equal(buf_get(&out), buf_get(&sealed));
	assert_int_equal(ERR_peek_error(), 0);
	buf_clear(&out);
	return ok;
}

static bool
field_open(const struct sign3_key *with, struct err *err)
{
	struct buf plain;
	bool ok = false;

	buf_init(&plain, 1000);
	ok = seal3_field_open(buf_get(&sealed_field), with, &plain, err);
	assert_string_equal(buf_get(&plain), ok ? "plain" : "");
	assert_int_equal(ERR_peek_error(), 0);
	buf_clear(&plain);
	return ok;
}

/* Where OpenSSL gives no reason, lack of memory looks like a refusal. */
static bool
refused(const struct err *why, struct err *err)
{
	return err_set(err, why->kind == ERR_AUTH ? ERR_BUG : why->kind, "%s",
	    why->text);
}

static bool
run_field_open(struct err *err)
{
	struct err why = { 0 };

	return field_open(key, &why) || refused(&why, err);
}

static bool
run_field_open_strange(struct err *err)
{
	struct err why = { 0 };

	assert_false(field_open(strangers, &why));
	return why.kind == ERR_AUTH || err_set(err, why.kind, "%s", why.text);
}

static bool
run_field_seal(struct err *err)
{
	struct buf out;
	bool ok = false;

	buf_init(&out, 1000);
	ok = seal3_field_seal("plain", public, &out, err);
	if (ok)
		assert_int_equal(out.len, 344);
	assert_int_equal(ERR_peek_error(), 0);
	buf_clear(&out);
	return ok;
}

static bool
run_cert_read(struct err *err)
{
	struct cert_facts facts = { 0 };
	bool ok = cert_read(secret_bytes(cert_pem), secret_len(cert_pem),
	    &facts, err);

	assert_string_equal(facts.serial, ok
	    ? "5A0B1C2D3E4F5061728394A5B6C7D8E9F0A1B2C3" : "");
	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static bool
chain_check(const struct secret *pem, const struct secret *ca,
    struct err *err)
{
	bool ok = cert_chain_check(secret_bytes(pem), secret_len(pem),
	    secret_bytes(ca), secret_len(ca), NOW, err);

	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static bool
run_chain(struct err *err)
{
	struct err why = { 0 };

	return chain_check(cert_pem, ca_pem, &why) || refused(&why, err);
}

static bool
run_chain_broken(struct err *err)
{
	struct err why = { 0 };

	assert_false(chain_check(ca_pem, cert_pem, &why));
	return why.kind == ERR_AUTH || err_set(err, why.kind, "%s", why.text);
}

/* Names and values that do not fit into the first buffer of any reader. */
static bool
run_jsonread(struct err *err)
{
	static const char doc[] = "{\"a name that is longer than others\":"
	    "\"and a value that is longer still, \\u4e2d\\n\xe4\xb8\xad, and "
	    "goes on and on behind its second line\",\"data\":[{},[],1,-2,"
	    "1.5,true,false,null,\"b\"],\"n\":1234567890123456789,"
	    "\"c\":1,\"d\":2,\"e\":3,\"f\":4,\"g\":5,\"h\":6,\"i\":7}";
	struct jsonread *json = NULL;
	const char *text = NULL;
	int64_t n = 0;
	size_t count = 0;
	bool ok = jsonread_new(doc, sizeof(doc) - 1, &json, err);

	assert_true(ok == (json != NULL));
	if (ok) {
		assert_true(jsonread_text(json,
		    "a name that is longer than others", &text, err));
		assert_string_equal(text, "and a value that is longer still, "
		    "\xe4\xb8\xad\n\xe4\xb8\xad, and goes on and on behind "
		    "its second line");
		assert_true(jsonread_int(json, "n", 0, INT64_MAX, &n, err));
		assert_int_equal(n, 1234567890123456789);
		assert_true(jsonread_count(json, "data", &count, err));
		assert_int_equal(count, 9);
	}
	jsonread_free(json);
	return ok;
}

/* A token that grows and grows, so that each of its bytes is the one that
 * finds no room. */
static bool
run_jsonread_long(struct err *err)
{
	static const char before[] = "{\"a\":\"";
	struct jsonread *json = NULL;
	const char *text = NULL;
	bool ok = true;

	for (size_t len = 0; ok && len < 70; len++) {
		char doc[100];

		memcpy(doc, before, sizeof(before) - 1);
		memset(doc + sizeof(before) - 1, 'x', len);
		memcpy(doc + sizeof(before) - 1 + len, "\"}", 2);
		ok = jsonread_new(doc, sizeof(before) + 1 + len, &json, err);
		if (!ok)
			break;
		assert_true(jsonread_text(json, "a", &text, err));
		assert_int_equal(strspn(text, "x"), len);
		assert_int_equal(strlen(text), len);
		jsonread_free(json);
	}
	return ok;
}

static bool
run_jsonread_refuse(struct err *err)
{
	static const char bad[] = "{\"total of the whole\":1,"
	    "\"total of the whole\":2}";
	struct jsonread *json = NULL;
	struct err why = { 0 };

	assert_false(jsonread_new(bad, sizeof(bad) - 1, &json, &why));
	assert_null(json);
	return why.kind == ERR_INPUT
	    || err_set(err, why.kind, "%s", why.text);
}

static void
test_each(void **state)
{
	static const struct fault_case cases[] = {
		{ "sign3_key_new", run_key_new, false },
		{ "sign3_public_new", run_public_new, false },
		{ "sign3_public_new, cert", run_public_new_cert, false },
		{ "sign3_authorize", run_authorize, false },
		{ "sign3_sign_message", run_sign_message, false },
		{ "sign3_verify", run_verify, false },
		{ "sign3_verify, forged", run_verify_forged, false },
		{ "seal3_open", run_open, false },
		{ "seal3_open, damaged", run_open_damaged, false },
		{ "seal3_seal", run_seal, false },
		{ "seal3_field_open", run_field_open, false },
		{ "seal3_field_open, strange", run_field_open_strange,
		    false },
		{ "seal3_field_seal", run_field_seal, false },
		{ "cert_read", run_cert_read, false },
		{ "cert_chain_check", run_chain, false },
		{ "cert_chain_check, broken", run_chain_broken, false },
		{ "jsonread", run_jsonread, false },
		{ "jsonread, long", run_jsonread_long, false },
		{ "jsonread, refusing", run_jsonread_refuse, false },
	};
	size_t total = 0;

	(void)state;
#ifdef UNIT_SANITIZED
	skip();
#endif
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		long leaked = 0;
		size_t count = fault_each(&cases[i], &leaked);

		expect(count > 0, "%s allocates nothing", cases[i].name);
		expect(leaked == 0, "%s leaks %ld", cases[i].name, leaked);
		print_message("    %-28s %zu\n", cases[i].name, count);
		total += count;
	}
	print_message("    allocations failed: %zu\n", total);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
	};

	return cmocka_run_group_tests_name("wire memory of V3", tests, start,
	    stop);
}
