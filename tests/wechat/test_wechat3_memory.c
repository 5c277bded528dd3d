/* wechat, V3's wall: every allocation, ours and the libraries', fails once in
 * turn; each gives a clean error or the right result, lack of memory never
 * counts as a forgery, no forgery passes, and nothing leaks. */
#include "../fault.h"

#include <openssl/err.h>

#include "wechat/wechat_notice.h"
#include "wechat3.h"
#include "wire/jsonread.h"

static struct {
	struct secret *pub, *cert, *ca, *apiv3_key;
	struct wechat_keys_config config;
	struct wechat_keys *keys;
	struct buf paid, provider, refunded;
	struct w3_signed paid_signed, provider_signed, refunded_signed, forged;
} keep;

static void
notice_make(const char *event, const struct w3_member *list, size_t count,
    struct buf *out)
{
	struct buf plain;

	buf_init(&plain, JSONREAD_MAX);
	buf_init(out, JSONREAD_MAX);
	w3_object(list, count, NULL, &plain);
	buf_format(out, "{\"resource_type\":\"encrypt-resource\","
	    "\"event_type\":\"%s\",\"resource\":", event);
	w3_resource(plain.data, plain.len, "x", W3_APIV3_KEY, out);
	buf_char(out, '}');
	assert_true(buf_ok(out));
	buf_clear(&plain);
}

static int
start(void **state)
{
	struct sign3_key *platform = w3_private("v3-platform-b-key.pem");
	struct sign3_key *stranger = w3_private("v3-stranger-key.pem");
	struct err err = { 0 };

	(void)state;
	jsonread_start();
	keep.pub = w3_pem("v3-wxpub.pem");
	keep.cert = w3_pem("v3-platform-b-cert.pem");
	keep.ca = w3_pem("v3-ca-cert.pem");
	assert_true(secret_new(W3_APIV3_KEY, strlen(W3_APIV3_KEY),
	    &keep.apiv3_key, &err));
	keep.config = (struct wechat_keys_config){ .pub_key = keep.pub,
		.pub_key_id = W3_PUB_KEY_ID, .platform_ca = keep.ca };
	notice_make("TRANSACTION.SUCCESS", w3_transaction,
	    COUNT_OF(w3_transaction), &keep.paid);
	notice_make("TRANSACTION.SUCCESS", w3_provider_transaction,
	    COUNT_OF(w3_provider_transaction), &keep.provider);
	notice_make("REFUND.SUCCESS", w3_refund, COUNT_OF(w3_refund),
	    &keep.refunded);
	w3_sign(platform, W3_SERIAL_B, W3_NOW, keep.paid.data, keep.paid.len,
	    &keep.paid_signed);
	w3_sign(platform, W3_SERIAL_B, W3_NOW, keep.provider.data,
	    keep.provider.len, &keep.provider_signed);
	w3_sign(platform, W3_SERIAL_B, W3_NOW, keep.refunded.data,
	    keep.refunded.len, &keep.refunded_signed);
	w3_sign(stranger, W3_SERIAL_B, W3_NOW, keep.paid.data, keep.paid.len,
	    &keep.forged);
	sign3_key_free(stranger);
	sign3_key_free(platform);
	return wechat_keys_open(&keep.config, &keep.keys, &err)
	    && wechat_keys_add(keep.keys, W3_SERIAL_B,
	    secret_bytes(keep.cert), secret_len(keep.cert), W3_NOW, &err)
	    ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	wechat_keys_close(keep.keys);
	buf_clear(&keep.refunded);
	buf_clear(&keep.provider);
	buf_clear(&keep.paid);
	secret_free(keep.apiv3_key);
	secret_free(keep.ca);
	secret_free(keep.cert);
	secret_free(keep.pub);
	return 0;
}

static bool
run_open(struct err *err)
{
	struct wechat_keys *keys = NULL;
	bool ok = wechat_keys_open(&keep.config, &keys, err);

	assert_true(ok == (keys != NULL));
	wechat_keys_close(keys);
	return ok;
}

/* Half a certificate is never in the list: the next attempt works.  Whether a
 * chain does not hold or memory was out, cert_chain_check may not know. */
static bool
run_add(struct err *err)
{
	struct wechat_keys_config config = keep.config;
	struct wechat_keys *keys = NULL;
	bool ok;

	config.platform_ca = NULL;
	ok = wechat_keys_open(&config, &keys, err)
	    && wechat_keys_add(keys, W3_SERIAL_B, secret_bytes(keep.cert),
	    secret_len(keep.cert), W3_NOW, err);
	if (!ok && keys != NULL) {
		struct err again = { 0 };

		assert_true(wechat_keys_add(keys, W3_SERIAL_B,
		    secret_bytes(keep.cert), secret_len(keep.cert), W3_NOW,
		    &again));
	}
	wechat_keys_close(keys);
	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static bool
notice_run(const struct w3_signed *made, const struct buf *body,
    struct notice *out, struct err *err)
{
	const struct wechat_notice_keys all = { .mchid = W3_MCHID,
		.apiv3_key = keep.apiv3_key, .keys = keep.keys };
	bool ok = wechat_notice_v3(&all, &made->headers, body->data,
	    body->len, W3_NOW, out, err);

	assert_true(ok == (out->kind != 0));
	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static uint64_t
forged_count(void)
{
	uint64_t counts[WECHAT_FLAWS];

	wechat_keys_counts(keep.keys, counts);
	return counts[WECHAT_FLAW_SIGNATURE];
}

static bool
run_paid(struct err *err)
{
	uint64_t before = forged_count();
	struct notice notice = { 0 };
	bool ok = notice_run(&keep.paid_signed, &keep.paid, &notice, err);

	assert_int_equal(forged_count(), before);
	assert_int_equal(notice.payment.total_fen, ok ? 101 : 0);
	return ok;
}

/* Without its sub-merchant it would be a merchant's own. */
static bool
run_provider(struct err *err)
{
	struct notice notice = { 0 };
	bool ok = notice_run(&keep.provider_signed, &keep.provider, &notice,
	    err);

	assert_int_equal(notice.payment.total_fen, ok ? 101 : 0);
	assert_string_equal(notice.payment.sub_mchid, ok ? W3_SUB_MCHID : "");
	return ok;
}

static bool
run_refunded(struct err *err)
{
	uint64_t before = forged_count();
	struct notice notice = { 0 };
	bool ok = notice_run(&keep.refunded_signed, &keep.refunded, &notice,
	    err);

	assert_int_equal(forged_count(), before);
	assert_int_equal(notice.refund.refund_fen, ok ? 51 : 0);
	return ok;
}

/* True if it is refused for what it is. */
static bool
run_forged(struct err *err)
{
	struct notice notice = { 0 };
	struct err why = { 0 };

	assert_false(notice_run(&keep.forged, &keep.paid, &notice, &why));
	return why.kind == ERR_AUTH
	    || err_set(err, why.kind, "%s", why.text);
}

static void
test_each(void **state)
{
	static const struct fault_case cases[] = {
		{ "wechat_keys_open", run_open, false },
		{ "wechat_keys_add", run_add, false },
		{ "wechat_notice_v3, paid", run_paid, false },
		{ "wechat_notice_v3, provider", run_provider, false },
		{ "wechat_notice_v3, refunded", run_refunded, false },
		{ "wechat_notice_v3, forged", run_forged, false },
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

	return cmocka_run_group_tests_name("wechat memory of V3", tests,
	    start, stop);
}
