/*
 * wechat_v3_facts: what V3 says arrives to the last fen and in its bounds, or
 * not at all; a paid one has all that a paid one needs.
 */
#include "wechat/wechat_v3_facts.h"

#include "../unit.h"
#include "wechat3.h"

#define PAID_AT (W3_NOW - 2)
#define X33 "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""
#define X65 "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""
#define X129 "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""

/* N25 is refused here or by jsonread, which the same caller asks first. */
static bool
object_read(const struct w3_member *list, size_t count,
    const struct w3_member *change, struct payment_facts *out,
    struct err *err)
{
	struct jsonread *json = NULL;
	struct buf text;
	bool ok;

	memset(out, 0, sizeof(*out));
	memset(err, 0, sizeof(*err));
	buf_init(&text, JSONREAD_MAX);
	w3_object(list, count, change, &text);
	ok = jsonread_new(text.data, text.len, &json, err)
	    && wechat_v3_facts_payment(json, out, err);
	assert_true(ok == (err->kind == ERR_NONE));
	expect(ok || out->out_trade_no[0] == '\0', "%s: half read",
	    change->name);
	jsonread_free(json);
	buf_clear(&text);
	return ok;
}

static bool
payment_read(const struct w3_member *change, struct payment_facts *out,
    struct err *err)
{
	return object_read(w3_transaction, COUNT_OF(w3_transaction), change,
	    out, err);
}

static bool
provider_read(const struct w3_member *change, struct payment_facts *out,
    struct err *err)
{
	return object_read(w3_provider_transaction,
	    COUNT_OF(w3_provider_transaction), change, out, err);
}

static bool
refund_read(const struct w3_member *change, struct refund_facts *out,
    struct err *err)
{
	struct jsonread *json = NULL;
	struct buf text;
	bool ok;

	memset(out, 0, sizeof(*out));
	memset(err, 0, sizeof(*err));
	buf_init(&text, JSONREAD_MAX);
	w3_object(w3_refund, COUNT_OF(w3_refund), change, &text);
	ok = jsonread_new(text.data, text.len, &json, err)
	    && wechat_v3_facts_refund(json, "refund_status", out, err);
	assert_true(ok == (err->kind == ERR_NONE));
	expect(ok || out->out_refund_no[0] == '\0', "%s: half read",
	    change->name);
	jsonread_free(json);
	buf_clear(&text);
	return ok;
}

static void
test_payment(void **state)
{
	struct payment_facts facts;
	struct err err;

	(void)state;
	expect(payment_read(NULL, &facts, &err), "%s", err.text);
	assert_int_equal(facts.fate, PAYMENT_PAID);
	assert_string_equal(facts.mchid, W3_MCHID);
	assert_string_equal(facts.appid, W3_APPID);
	assert_string_equal(facts.out_trade_no, "G20260101000001");
	assert_string_equal(facts.transaction_id,
	    "4200002026010112345678901234");
	assert_string_equal(facts.trade_type, "JSAPI");
	assert_string_equal(facts.openid, "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o");
	assert_string_equal(facts.bank_type, "CMB_DEBIT");
	assert_string_equal(facts.currency, "CNY");
	assert_int_equal(facts.total_fen, 101);	/* N6: not payer_total */
	assert_int_equal(facts.paid_at, PAID_AT);
}

struct payment_case {
	struct w3_member change;
	bool ok;
};

static const struct payment_case payment_cases[] = {
	{ { "brand_new", "{\"a\":[1]}" }, true },
	{ { "promotion_detail", "[{\"coupon_id\":\"1\",\"amount\":1}]" },
	  true },
	{ { "mchid", NULL }, false }, { { "mchid", "\"\"" }, false },
	{ { "mchid", "1900000001" }, false }, { { "mchid", X33 }, false },
	{ { "mchid", "null" }, false }, { { "mchid", "[]" }, false },
	{ { "mchid", "\"1900000001\\n\"" }, false },
	{ { "appid", NULL }, false }, { { "appid", "\"\"" }, false },
	{ { "appid", X33 }, false },
	{ { "out_trade_no", NULL }, false }, { { "out_trade_no", X33 }, false },
	{ { "out_trade_no", "\"G 1\"" }, false },
	{ { "out_trade_no", "\"订单\"" }, false },
	{ { "transaction_id", NULL }, false },
	{ { "transaction_id", "\"\"" }, false },
	{ { "transaction_id", "42000" }, false },
	{ { "transaction_id", X33 }, false },
	{ { "trade_state", NULL }, false }, { { "trade_state", "0" }, false },
	{ { "success_time", NULL }, false },
	{ { "success_time", "\"\"" }, false },
	{ { "success_time", "null" }, false },
	{ { "success_time", "1767232798" }, false },
	{ { "success_time", "\"2026-02-30T09:59:58+08:00\"" }, false },
	{ { "success_time", "\"20260101095958\"" }, false },
	{ { "success_time", "\"2026-01-01 09:59:58\"" }, false },
	{ { "success_time", "\"2026-01-01T01:59:58Z\"" }, true },
	{ { "success_time", "\"2026-01-01T02:59:58+01:00\"" }, true },
	/* N25 */
	{ { "amount", NULL }, false }, { { "amount", "101" }, false },
	{ { "amount", "{}" }, false }, { { "amount", "[101]" }, false },
	{ { "amount", "{\"total\":101.0}" }, false },
	{ { "amount", "{\"total\":1.01e2}" }, false },
	{ { "amount", "{\"total\":101e0}" }, false },
	{ { "amount", "{\"total\":\"101\"}" }, false },
	{ { "amount", "{\"total\":-101}" }, false },
	{ { "amount", "{\"total\":0}" }, false },
	{ { "amount", "{\"total\":-0}" }, false },
	{ { "amount", "{\"total\":0101}" }, false },
	{ { "amount", "{\"total\":+101}" }, false },
	{ { "amount", "{\"total\":true}" }, false },
	{ { "amount", "{\"total\":null}" }, false },
	{ { "amount", "{\"total\":[101]}" }, false },
	{ { "amount", "{\"total\":2147483648}" }, false },
	{ { "amount", "{\"total\":9223372036854775808}" }, false },
	{ { "amount", "{\"total\":18446744073709551717}" }, false },
	{ { "amount", "{\"total\":101,\"total\":1}" }, false },
	{ { "amount", "{\"total\":101,\"tot\\u0061l\":1}" }, false },
	{ { "amount", "{\"total\":101},\"amount\":{\"total\":1}" }, false },
	{ { "amount.total", "1" }, true },	/* a name, and no path */
	{ { "amount", "{\"payer_total\":101}" }, false },
	/* without a currency it is CNY; another one the store refuses */
	{ { "amount", "{\"total\":101}" }, true },
	{ { "amount", "{\"total\":101,\"currency\":null}" }, true },
	{ { "amount", "{\"total\":101,\"currency\":\"\"}" }, true },
	{ { "amount", "{\"total\":101,\"currency\":1}" }, false },
	{ { "amount", "{\"total\":101,\"currency\":\"CNYCNYCNY\"}" }, false },
	/* remarks: left out if they are odd */
	{ { "payer", NULL }, true }, { { "payer", "{}" }, true },
	{ { "payer", "\"x\"" }, true }, { { "payer", "{\"openid\":1}" }, true },
	{ { "payer", "{\"openid\":" X129 "}" }, true },
	{ { "payer", "{\"openid\":\"o u\"}" }, true },
	{ { "bank_type", NULL }, true }, { { "bank_type", X33 }, true },
	{ { "bank_type", "1" }, true }, { { "bank_type", "\"银行\"" }, true },
	{ { "trade_type", NULL }, true }, { { "trade_type", X33 }, true },
	{ { "trade_type", "[\"JSAPI\"]" }, true },
	{ { "attach", "\"\\ud83d\\ude00\"" }, true },
	{ { "attach", "\"\\ud83d\"" }, false },	/* N25: half a pair */
	{ { "attach", "\"\\u0000\"" }, false },
};

static void
test_payment_one_member(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(payment_cases); i++) {
		const struct payment_case *tried = &payment_cases[i];
		const char *json = tried->change.json == NULL ? "(none)"
		    : tried->change.json;
		struct payment_facts facts;
		struct err err;

		expect(payment_read(&tried->change, &facts, &err) == tried->ok,
		    "%s: %s: %s", tried->change.name, json, err.text);
		if (!tried->ok) {
			expect(err.kind == ERR_INPUT, "%s: %s: %s",
			    tried->change.name, json,
			    err_kind_name(err.kind));
			continue;
		}
		assert_int_equal(facts.total_fen, 101);
		assert_string_equal(facts.currency, "CNY");
		assert_int_equal(facts.paid_at, PAID_AT);
	}
	print_message("    transactions with one odd member: %zu\n",
	    COUNT_OF(payment_cases));
}

static void
test_payment_bounds(void **state)
{
	static const char *const totals[] = { "1", "2147483647" };
	struct payment_facts facts;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(totals); i++) {
		char json[100];

		snprintf(json, sizeof(json), "{\"total\":%s,\"currency\":"
		    "\"USD\"}", totals[i]);
		expect(payment_read(&(struct w3_member){ "amount", json },
		    &facts, &err), "%s: %s", totals[i], err.text);
		assert_int_equal(facts.total_fen, i == 0 ? 1 : FEN_MAX);
		assert_string_equal(facts.currency, "USD");
	}
}

static void
test_payment_remarks(void **state)
{
	static const struct {
		const char *said, *read;
	} types[] = {
		{ "\"H5\"", "MWEB" }, { "\"MWEB\"", "MWEB" },
		{ "\"NATIVE\"", "NATIVE" }, { "\"APP\"", "APP" },
		{ "\"h5\"", "h5" }, { X33, "" },
	};
	struct payment_facts facts;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		assert_true(payment_read(&(struct w3_member){ "trade_type",
		    types[i].said }, &facts, &err));
		assert_string_equal(facts.trade_type, types[i].read);
	}
	assert_true(payment_read(&(struct w3_member){ "payer",
	    "{\"openid\":" X129 "}" }, &facts, &err));
	assert_string_equal(facts.openid, "");
}

/* [v3.md 10.1] an unpaid one has five members, and a paid one is no less so
 * for the word REFUND. */
static void
test_payment_states(void **state)
{
	static const struct {
		const char *word;
		enum payment_fate fate;
	} words[] = {
		{ "SUCCESS", PAYMENT_PAID }, { "REFUND", PAYMENT_PAID },
		{ "NOTPAY", PAYMENT_UNPAID }, { "USERPAYING", PAYMENT_UNPAID },
		{ "ACCEPT", PAYMENT_UNPAID }, { "PAYERROR", PAYMENT_FAILED },
		{ "CLOSED", PAYMENT_CLOSED }, { "REVOKED", PAYMENT_CLOSED },
		{ "NEWWORD", PAYMENT_UNKNOWN }, { "success", PAYMENT_UNKNOWN },
		{ "", PAYMENT_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		struct jsonread *json = NULL;
		struct payment_facts facts = { 0 };
		struct err err = { 0 };
		char text[400];
		bool is_paid = words[i].fate == PAYMENT_PAID;

		snprintf(text, sizeof(text), "{\"appid\":\"" W3_APPID "\","
		    "\"mchid\":\"" W3_MCHID "\",\"out_trade_no\":\"G1\","
		    "\"trade_state\":\"%s\",\"trade_state_desc\":\"x\","
		    "\"success_time\":\"\",\"amount\":{\"total\":\"x\"}}",
		    words[i].word);
		assert_true(jsonread_new(text, strlen(text), &json, &err));
		expect(wechat_v3_facts_payment(json, &facts, &err) != is_paid,
		    "%s: %s", words[i].word, err.text);
		if (!is_paid) {
			assert_int_equal(facts.fate, words[i].fate);
			assert_int_equal(facts.total_fen, 0);
			assert_int_equal(facts.paid_at, 0);
			assert_string_equal(facts.out_trade_no, "G1");
		}
		jsonread_free(json);
	}
}

static void
test_provider(void **state)
{
	struct payment_facts facts;
	struct err err;

	(void)state;
	expect(provider_read(NULL, &facts, &err), "%s", err.text);
	assert_int_equal(facts.fate, PAYMENT_PAID);
	assert_string_equal(facts.mchid, W3_MCHID);
	assert_string_equal(facts.appid, W3_APPID);
	assert_string_equal(facts.sub_mchid, W3_SUB_MCHID);
	assert_string_equal(facts.openid, "oSub");
	assert_int_equal(facts.total_fen, 101);
	assert_int_equal(facts.paid_at, PAID_AT);
	expect(payment_read(NULL, &facts, &err), "%s", err.text);
	assert_string_equal(facts.sub_mchid, "");
}

/* Whose it is must be said in one way, and wholly: both sorts, each with one
 * member of the other, or without one of its own. */
static void
test_whose(void **state)
{
	static const struct {
		bool is_provider;
		struct payment_case one;
	} cases[] = {
		{ true, { { "mchid", "\"" W3_MCHID "\"" }, false } },
		{ true, { { "mchid", "\"" W3_SUB_MCHID "\"" }, false } },
		{ true, { { "mchid", "1" }, false } },
		{ true, { { "appid", "\"" W3_APPID "\"" }, false } },
		{ true, { { "mchid", "null" }, true } },
		{ true, { { "mchid", "\"\"" }, true } },
		{ true, { { "appid", "\"\"" }, true } },
		{ true, { { "sp_mchid", NULL }, false } },
		{ true, { { "sp_mchid", "\"\"" }, false } },
		{ true, { { "sp_mchid", X33 }, false } },
		{ true, { { "sp_mchid", "1900000001" }, false } },
		{ true, { { "sp_mchid", "null,\"mchid\":\"" W3_MCHID "\"" },
		  false } },
		{ true, { { "sp_appid", NULL }, false } },
		{ true, { { "sp_appid", "\"\"" }, false } },
		{ true, { { "sp_appid", X33 }, false } },
		{ true, { { "sub_mchid", NULL }, false } },
		{ true, { { "sub_mchid", "null" }, false } },
		{ true, { { "sub_mchid", "\"\"" }, false } },
		{ true, { { "sub_mchid", "1900000109" }, false } },
		{ true, { { "sub_mchid", "\"1900000109 \"" }, false } },
		{ true, { { "sub_mchid", X33 }, false } },
		{ true, { { "sub_appid", NULL }, true } },
		{ true, { { "sub_appid", "\"\"" }, true } },
		{ false, { { "sp_mchid", "\"" W3_MCHID "\"" }, false } },
		{ false, { { "sp_mchid", "1" }, false } },
		{ false, { { "sp_appid", "\"" W3_APPID "\"" }, false } },
		{ false, { { "sub_mchid", "\"" W3_SUB_MCHID "\"" }, false } },
		{ false, { { "sub_mchid", "[]" }, false } },
		{ false, { { "sub_appid", "\"" W3_SUB_APPID "\"" }, false } },
		{ false, { { "sp_mchid", "\"\"" }, true } },
		{ false, { { "sp_appid", "null" }, true } },
		{ false, { { "sub_mchid", "\"\"" }, true } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct payment_case *tried = &cases[i].one;
		bool is_provider = cases[i].is_provider;
		struct payment_facts facts;
		struct err err;

		expect((is_provider ? provider_read : payment_read)(
		    &tried->change, &facts, &err) == tried->ok,
		    "%s %s: %s", is_provider ? "provider's" : "own",
		    tried->change.name, err.text);
		assert_int_equal(err.kind, tried->ok ? ERR_NONE : ERR_INPUT);
		if (!tried->ok)
			continue;
		assert_string_equal(facts.mchid, W3_MCHID);
		assert_string_equal(facts.appid, W3_APPID);
		assert_string_equal(facts.sub_mchid, is_provider
		    ? W3_SUB_MCHID : "");
	}
	print_message("    ways to say whose: %zu\n", COUNT_OF(cases));
}

static void
test_provider_payer(void **state)
{
	static const struct {
		const char *said, *read;
	} payers[] = {
		{ "{\"sp_openid\":\"oOwn\"}", "oOwn" },
		{ "{\"sub_openid\":\"oSub\"}", "oSub" },
		{ "{\"sp_openid\":\"oOwn\",\"sub_openid\":\"\"}", "oOwn" },
		{ "{\"sp_openid\":\"oOwn\",\"sub_openid\":null}", "oOwn" },
		{ "{\"sp_openid\":\"oOwn\",\"sub_openid\":\"o u\"}",
		  "oOwn" },
		{ "{}", "" }, { NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(payers); i++) {
		struct payment_facts facts;
		struct err err;

		expect(provider_read(&(struct w3_member){ "payer",
		    payers[i].said }, &facts, &err), "%s: %s", payers[i].said,
		    err.text);
		assert_string_equal(facts.openid, payers[i].read);
	}
}

static void
test_refund(void **state)
{
	struct refund_facts facts;
	struct err err;

	(void)state;
	expect(refund_read(NULL, &facts, &err), "%s", err.text);
	assert_int_equal(facts.fate, REFUND_SUCCESS);
	assert_string_equal(facts.out_trade_no, "G20260101000001");
	assert_string_equal(facts.transaction_id,
	    "4200002026010112345678901234");
	assert_string_equal(facts.out_refund_no, "R20260101000001");
	assert_string_equal(facts.refund_id, "50000203702026010101461713166");
	assert_int_equal(facts.total_fen, 101);
	assert_int_equal(facts.refund_fen, 51);	/* not payer_refund */
	assert_int_equal(facts.refunded_at, PAID_AT);
}

struct refund_case {
	struct w3_member change;
	bool ok;
	enum refund_fate fate;
	epoch_t refunded_at;
};

static const struct refund_case refund_cases[] = {
	{ { "refund_status", "\"PROCESSING\"" }, true, REFUND_PROCESSING, 0 },
	{ { "refund_status", "\"CLOSED\"" }, true, REFUND_CLOSED, 0 },
	{ { "refund_status", "\"CLOSE\"" }, true, REFUND_CLOSED, 0 },
	{ { "refund_status", "\"ABNORMAL\"" }, true, REFUND_ABNORMAL, 0 },
	{ { "refund_status", "\"NEWWORD\"" }, true, REFUND_UNKNOWN, 0 },
	{ { "refund_status", NULL }, false, 0, 0 },
	{ { "refund_status", "1" }, false, 0, 0 },
	/* the answer's name does not stand for the notice's [v3.md 25.12] */
	{ { "status", "\"CLOSED\"" }, true, REFUND_SUCCESS, PAID_AT },
	{ { "success_time", NULL }, true, REFUND_SUCCESS, 0 },
	{ { "success_time", "null" }, true, REFUND_SUCCESS, 0 },
	{ { "success_time", "\"\"" }, true, REFUND_SUCCESS, 0 },
	{ { "success_time", "\"2026-01-01 09:59:58\"" }, false, 0, 0 },
	{ { "success_time", "1767232798" }, false, 0, 0 },
	{ { "sub_mchid", "\"" W3_SUB_MCHID "\"" }, true, REFUND_SUCCESS,
	  PAID_AT },
	{ { "sub_mchid", "\"\"" }, true, REFUND_SUCCESS, PAID_AT },
	{ { "sub_mchid", "1900000109" }, false, 0, 0 },
	{ { "sub_mchid", X33 }, false, 0, 0 },
	{ { "out_trade_no", NULL }, false, 0, 0 },
	{ { "transaction_id", NULL }, false, 0, 0 },
	{ { "transaction_id", X33 }, false, 0, 0 },
	{ { "out_refund_no", NULL }, false, 0, 0 },
	{ { "out_refund_no", X65 }, false, 0, 0 },
	{ { "out_refund_no", "\"退\"" }, false, 0, 0 },
	{ { "refund_id", NULL }, false, 0, 0 },
	{ { "refund_id", X33 }, false, 0, 0 },
	{ { "refund_id", "5" }, false, 0, 0 },
	/* N25 */
	{ { "amount", NULL }, false, 0, 0 },
	{ { "amount", "{\"total\":101}" }, false, 0, 0 },
	{ { "amount", "{\"refund\":51}" }, false, 0, 0 },
	{ { "amount", "{\"total\":101,\"refund\":51.0}" }, false, 0, 0 },
	{ { "amount", "{\"total\":101,\"refund\":\"51\"}" }, false, 0, 0 },
	{ { "amount", "{\"total\":101,\"refund\":0}" }, false, 0, 0 },
	{ { "amount", "{\"total\":101,\"refund\":-51}" }, false, 0, 0 },
	{ { "amount", "{\"total\":101,\"refund\":2147483648}" }, false, 0, 0 },
	{ { "amount", "{\"total\":101,\"refund\":51,\"currency\":\"CNY\"}" },
	  true, REFUND_SUCCESS, PAID_AT },
	/* what is not counted in fen */
	{ { "amount", "{\"total\":101,\"refund\":51,\"currency\":\"HKD\"}" },
	  false, 0, 0 },
};

static void
test_refund_one_member(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(refund_cases); i++) {
		const struct refund_case *tried = &refund_cases[i];
		const char *json = tried->change.json == NULL ? "(none)"
		    : tried->change.json;
		struct refund_facts facts;
		struct err err;

		expect(refund_read(&tried->change, &facts, &err) == tried->ok,
		    "%s: %s: %s", tried->change.name, json, err.text);
		if (!tried->ok) {
			assert_int_equal(err.kind, ERR_INPUT);
			continue;
		}
		expect(facts.fate == tried->fate
		    && facts.refunded_at == tried->refunded_at, "%s: %s",
		    tried->change.name, json);
		assert_int_equal(facts.refund_fen, 51);
		assert_string_equal(facts.sub_mchid, json[0] == '"'
		    && strstr(json, W3_SUB_MCHID) != NULL ? W3_SUB_MCHID : "");
	}
	print_message("    refunds with one odd member: %zu\n",
	    COUNT_OF(refund_cases));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_payment),
		cmocka_unit_test(test_payment_one_member),
		cmocka_unit_test(test_payment_bounds),
		cmocka_unit_test(test_payment_remarks),
		cmocka_unit_test(test_payment_states),
		cmocka_unit_test(test_provider),
		cmocka_unit_test(test_whose),
		cmocka_unit_test(test_provider_payer),
		cmocka_unit_test(test_refund),
		cmocka_unit_test(test_refund_one_member),
	};

	jsonread_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
