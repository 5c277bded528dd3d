/*
 * wechat_notice: nothing forged, damaged, of another merchant or not a
 * success becomes a notice; what is genuine is read to the last fen.
 */
#include "wechat/wechat_notice.h"

#include "base/buf.h"
#include "base/str.h"
#include "wire/base64.h"
#include "wire/fields.h"
#include "wire/seal2.h"
#include "wire/xmlmsg.h"

#include "../unit.h"

#define MCHID "1900000109"
#define APPID "wx8888888888888888"
#define KEY "8f3c1d0e9b7a4652c1e0d9f8a7b6c5d4"
#define OTHER_KEY "192006250b4c09247ec02edce69f6a2d"

static struct secret *
secret_of(const char *text)
{
	struct err err = { 0 };
	struct secret *secret = NULL;

	expect(secret_new(text, strlen(text), &secret, &err), "%s", err.text);
	return secret;
}

static bool
judge_paid_under(const char *key, enum sign2_type type, const char *body,
    size_t len, struct notice *out, struct err *err)
{
	struct secret *secret = secret_of(key);
	struct wechat_notice_keys keys = {
		.mchid = MCHID, .sign_type = type, .api_key = secret,
	};
	bool ok;

	memset(out, 0, sizeof(*out));
	memset(err, 0, sizeof(*err));
	ok = wechat_notice_paid(&keys, body, len, out, err);
	assert_true(ok == (err->kind == ERR_NONE));
	assert_true(ok == (out->kind == NOTICE_PAID));
	assert_true(ok == (out->api == PAYMENT_V2));
	expect(strstr(err->text, key) == NULL, "the key is in the log");
	secret_free(secret);
	return ok;
}

static bool
judge_refunded_under(const char *key, const char *body, size_t len,
    struct notice *out, struct err *err)
{
	struct secret *secret = secret_of(key);
	struct wechat_notice_keys keys = {
		.mchid = MCHID, .sign_type = SIGN2_MD5, .api_key = secret,
	};
	bool ok;

	memset(out, 0, sizeof(*out));
	memset(err, 0, sizeof(*err));
	ok = wechat_notice_refunded(&keys, body, len, out, err);
	assert_true(ok == (err->kind == ERR_NONE));
	assert_true(ok == (out->kind == NOTICE_REFUNDED));
	assert_true(ok == (out->api == PAYMENT_V2));
	expect(strstr(err->text, key) == NULL, "the key is in the log");
	secret_free(secret);
	return ok;
}

/* --------------------------------------------------- published and computed */

static enum err_kind
paid_vector_kind(const char *id)
{
	static const struct {
		const char *id;
		enum err_kind kind;
	} refusals[] = {
		{ "notify-tampered-amount", ERR_AUTH },
		{ "notify-tampered-order", ERR_AUTH },
		{ "notify-wrong-key", ERR_AUTH },
		{ "notify-sign-empty-key-attack", ERR_AUTH },
		{ "notify-missing-sign", ERR_AUTH },
		/* unsigned, so not proved either */
		{ "notify-return-fail", ERR_AUTH },
		{ "notify-result-fail", ERR_REFUSED },
	};

	for (size_t i = 0; i < COUNT_OF(refusals); i++)
		if (str_eq(id, refusals[i].id))
			return refusals[i].kind;
	return ERR_NONE;
}

static void
paid_vector_compare(const json_t *vector, const struct notice *notice)
{
	const json_t *fields = json_object_get(vector, "fields");
	const struct payment_facts *facts = &notice->payment;
	char total[FEN_TEXT_SIZE], paid[CLOCK_COMPACT_SIZE];

	fen_format(facts->total_fen, total);
	clock_format_compact(facts->paid_at, paid);
	assert_true(notice->is_signed);
	assert_int_equal(facts->fate, PAYMENT_PAID);
	assert_string_equal(notice->mchid, vector_text(fields, "mch_id"));
	assert_string_equal(notice->appid, vector_text(fields, "appid"));
	assert_string_equal(facts->mchid, vector_text(fields, "mch_id"));
	assert_string_equal(facts->appid, vector_text(fields, "appid"));
	assert_string_equal(facts->out_trade_no,
	    vector_text(fields, "out_trade_no"));
	assert_string_equal(facts->transaction_id,
	    vector_text(fields, "transaction_id"));
	assert_string_equal(facts->openid, vector_text(fields, "openid"));
	assert_string_equal(facts->trade_type,
	    vector_text(fields, "trade_type"));
	assert_string_equal(facts->bank_type,
	    vector_text(fields, "bank_type"));
	assert_string_equal(facts->currency, "CNY");
	assert_string_equal(total, vector_text(fields, "total_fee"));
	assert_string_equal(paid, vector_text(fields, "time_end"));
}

static void
test_paid_vectors(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "notify", 16);
	size_t i;
	json_t *vector;

	(void)state;
	json_array_foreach(list, i, vector) {
		const char *id = vector_text(vector, "id");
		const char *xml = vector_text(vector, "xml");
		const char *key = vector_text(vector, "key");
		enum sign2_type type = 0;
		struct notice notice;
		struct err err;

		assert_true(sign2_type_parse(vector_text(vector, "sign_type"),
		    &type));
		(void)judge_paid_under(key, type, xml, strlen(xml), &notice,
		    &err);
		expect(err.kind == paid_vector_kind(id), "%s: %s %s", id,
		    err_kind_name(err.kind), err.text);
		if (err.kind == ERR_NONE)
			paid_vector_compare(vector, &notice);

		/* N3: pinned to the other type, none of them is believed */
		type = type == SIGN2_MD5 ? SIGN2_HMAC_SHA256 : SIGN2_MD5;
		(void)judge_paid_under(key, type, xml, strlen(xml), &notice,
		    &err);
		expect(err.kind == ERR_AUTH, "%s under the other type", id);

		/* N5: nor under another merchant's key */
		type = type == SIGN2_MD5 ? SIGN2_HMAC_SHA256 : SIGN2_MD5;
		(void)judge_paid_under("00000000000000000000000000000000",
		    type, xml, strlen(xml), &notice, &err);
		expect(err.kind == ERR_AUTH, "%s under another key", id);
	}
	json_decref(all);
}

/* Which order it is, and whether the amount fits, is the store's to say; here
 * the facts must arrive as they were sent. */
static void
test_refund_vectors(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "req_info", 10);
	size_t i;
	json_t *vector;

	(void)state;
	json_array_foreach(list, i, vector) {
		const json_t *fields = json_object_get(vector, "fields");
		char xml[8192], total[FEN_TEXT_SIZE], part[FEN_TEXT_SIZE];
		struct notice notice;
		struct err err;
		int len;

		/* two of them belong to other merchants: ours around them */
		len = snprintf(xml, sizeof(xml), "<xml><return_code>SUCCESS"
		    "</return_code><appid>" APPID "</appid><mch_id>" MCHID
		    "</mch_id><nonce_str>x</nonce_str><req_info><![CDATA[%s]]>"
		    "</req_info></xml>", vector_text(vector, "req_info"));
		assert_in_range(len, 1, sizeof(xml) - 1);
		expect(judge_refunded_under(vector_text(vector, "api_key"),
		    xml, (size_t)len, &notice, &err), "%s: %s",
		    vector_text(vector, "id"), err.text);
		assert_false(notice.is_signed);
		assert_string_equal(notice.mchid, MCHID);
		assert_string_equal(notice.appid, APPID);
		assert_string_equal(notice.refund.out_refund_no,
		    vector_text(fields, "out_refund_no"));
		assert_string_equal(notice.refund.refund_id,
		    vector_text(fields, "refund_id"));
		assert_string_equal(notice.refund.out_trade_no,
		    vector_text(fields, "out_trade_no"));
		assert_string_equal(notice.refund.transaction_id,
		    vector_text(fields, "transaction_id"));
		fen_format(notice.refund.total_fen, total);
		fen_format(notice.refund.refund_fen, part);
		assert_string_equal(total, vector_text(fields, "total_fee"));
		assert_string_equal(part, vector_text(fields, "refund_fee"));
		assert_int_equal(notice.refund.fate,
		    refund_fate_of(vector_text(fields, "refund_status")));
		assert_true((notice.refund.refunded_at > 0)
		    == (notice.refund.fate == REFUND_SUCCESS));
	}
	json_decref(all);
}

static void
test_refund_vectors_whole(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "req_info", 10);
	size_t i, ours = 0, whole = 0;
	json_t *vector;

	(void)state;
	json_array_foreach(list, i, vector) {
		const char *xml = vector_text(vector, "notify_xml");
		bool is_ours = strstr(xml, "<![CDATA[" MCHID "]]>") != NULL;
		struct notice notice;
		struct err err;

		if (xml[0] == '\0')	/* two give req_info alone */
			continue;
		(void)judge_refunded_under(vector_text(vector, "api_key"),
		    xml, strlen(xml), &notice, &err);
		expect(err.kind == (is_ours ? ERR_NONE : ERR_AUTH), "%s: %s",
		    vector_text(vector, "id"), err.text);
		ours += is_ours;
		whole++;
	}
	print_message("    whole notices: %zu, ours: %zu\n", whole, ours);
	assert_int_equal(whole, 8);
	assert_int_equal(ours, 8);
	json_decref(all);
}

/* -------------------------------------------------------------- by our hand */

struct change {
	const char *name;
	const char *value;	/* NULL: leave the field out */
};

static const struct change paid_fields[] = {
	{ "return_code", "SUCCESS" }, { "result_code", "SUCCESS" },
	{ "appid", APPID }, { "mch_id", MCHID }, { "nonce_str", "abc" },
	{ "openid", "oUpF8uMEb4qRXf22hE3X68TekukE" },
	{ "trade_type", "JSAPI" }, { "bank_type", "CMB_CREDIT" },
	{ "total_fee", "101" }, { "fee_type", "CNY" }, { "cash_fee", "101" },
	{ "transaction_id", "4200002024011512345678901234" },
	{ "out_trade_no", "G20240115000001" },
	{ "time_end", "20240115093015" },
};

static const struct change refund_fields[] = {
	{ "transaction_id", "4200002024011512345678901234" },
	{ "out_trade_no", "G20240115000001" },
	{ "refund_id", "50000203702024011601461713166" },
	{ "out_refund_no", "R20240116000001" },
	{ "total_fee", "101" }, { "refund_fee", "51" },
	{ "settlement_refund_fee", "51" }, { "refund_status", "SUCCESS" },
	{ "success_time", "2024-01-16 10:00:05" },
	{ "refund_recv_accout", "支付用户零钱" },
};

static void
fields_fill(struct fields *fields, const struct change *list, size_t count,
    const struct change *change)
{
	struct err err = { 0 };
	bool is_known = change == NULL;

	for (size_t i = 0; i < count; i++) {
		const char *value = list[i].value;

		if (change != NULL && str_eq(change->name, list[i].name)) {
			value = change->value;
			is_known = true;
		}
		if (value != NULL)
			assert_true(fields_add(fields, list[i].name, value,
			    &err));
	}
	if (!is_known && change->value != NULL)
		assert_true(fields_add(fields, change->name, change->value,
		    &err));
}

/* A payment notice as WeChat would send it, but for one field. */
static void
paid_format(const struct change *change, const char *key,
    enum sign2_type type, struct buf *out)
{
	struct secret *secret = secret_of(key);
	struct fields fields = { 0 };
	struct err err = { 0 };
	char sign[SIGN2_SIZE];

	fields_fill(&fields, paid_fields, COUNT_OF(paid_fields), change);
	assert_true(sign2_sign(&fields, type, secret, sign, &err));
	assert_true(fields_add(&fields, "sign", sign, &err));
	buf_reset(out);
	xmlmsg_format(&fields, out);
	assert_true(buf_ok(out));
	fields_clear(&fields);
	secret_free(secret);
}

static void
refunded_format_plain(const char *plain, size_t len, struct buf *out)
{
	struct secret *secret = secret_of(KEY);
	struct err err = { 0 };
	struct buf sealed;

	buf_init(&sealed, 2 * XMLMSG_MAX);
	expect(seal2_seal(plain, len, secret, &sealed, &err), "%s", err.text);
	buf_reset(out);
	buf_format(out, "<xml><return_code>SUCCESS</return_code><appid>" APPID
	    "</appid><mch_id>" MCHID "</mch_id><req_info>%s</req_info></xml>",
	    buf_get(&sealed));
	assert_true(buf_ok(out));
	buf_clear(&sealed);
	secret_free(secret);
}

static void
refunded_format(const struct change *change, struct buf *out)
{
	struct fields fields = { 0 };
	struct buf plain;

	buf_init(&plain, XMLMSG_MAX);
	fields_fill(&fields, refund_fields, COUNT_OF(refund_fields), change);
	buf_text(&plain, "<root>");
	for (size_t i = 0; i < fields.count; i++)
		buf_format(&plain, "<%s>%s</%s>", fields.list[i].name,
		    fields.list[i].value, fields.list[i].name);
	buf_text(&plain, "</root>");
	assert_true(buf_ok(&plain));
	refunded_format_plain(plain.data, plain.len, out);
	buf_clear(&plain);
	fields_clear(&fields);
}

#define X129 \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X33 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X65 X33 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Well signed, and one field other than usual. */
static void
test_paid_one_field(void **state)
{
	static const struct {
		struct change change;
		enum err_kind kind;
	} cases[] = {
		{ { "nonce_str", "other" }, ERR_NONE },
		{ { "brand_new_field", "1" }, ERR_NONE },	/* N17 */
		{ { "attach", "支付&=<x>]]>" }, ERR_NONE },
		{ { "key", "x" }, ERR_NONE },			/* N18 */
		{ { "sign_type", "MD5" }, ERR_NONE },
		{ { "device_info", "" }, ERR_NONE },
		/* N6: coupons never change the amount */
		{ { "cash_fee", "1" }, ERR_NONE },
		{ { "settlement_total_fee", "1" }, ERR_NONE },
		{ { "coupon_fee", "100" }, ERR_NONE },
		{ { "fee_type", NULL }, ERR_NONE },
		{ { "fee_type", "" }, ERR_NONE },
		{ { "fee_type", "USD" }, ERR_NONE },	/* the store says no */
		{ { "openid", NULL }, ERR_NONE },
		{ { "bank_type", NULL }, ERR_NONE },
		{ { "out_trade_no", "a|b*c@1" }, ERR_NONE },
		/* N3, N4, N5 */
		{ { "sign_type", "NONE" }, ERR_AUTH },
		{ { "sign_type", "HMAC-SHA256" }, ERR_AUTH },
		{ { "sign_type", "md5" }, ERR_AUTH },
		{ { "mch_id", "1900000108" }, ERR_AUTH },
		{ { "mch_id", "" }, ERR_AUTH },
		{ { "mch_id", NULL }, ERR_AUTH },
		{ { "mch_id", "1900000109 " }, ERR_AUTH },
		{ { "return_code", "FAIL" }, ERR_REFUSED },
		{ { "return_code", NULL }, ERR_REFUSED },
		{ { "return_code", "success" }, ERR_REFUSED },
		{ { "result_code", "FAIL" }, ERR_REFUSED },
		{ { "result_code", NULL }, ERR_REFUSED },
		/* proved, but nothing that we can write down */
		{ { "total_fee", NULL }, ERR_INPUT },
		{ { "total_fee", "" }, ERR_INPUT },
		{ { "total_fee", "0" }, ERR_INPUT },
		{ { "total_fee", "-101" }, ERR_INPUT },
		{ { "total_fee", "0101" }, ERR_INPUT },
		{ { "total_fee", "101.0" }, ERR_INPUT },
		{ { "total_fee", "1e2" }, ERR_INPUT },
		{ { "total_fee", " 101" }, ERR_INPUT },
		{ { "total_fee", "2147483648" }, ERR_INPUT },
		{ { "total_fee", "１０１" }, ERR_INPUT },
		{ { "time_end", NULL }, ERR_INPUT },
		{ { "time_end", "20240230093015" }, ERR_INPUT },
		{ { "time_end", "2024-01-15 09:30:15" }, ERR_INPUT },
		{ { "transaction_id", NULL }, ERR_INPUT },
		{ { "transaction_id", "" }, ERR_INPUT },
		{ { "transaction_id", X33 }, ERR_INPUT },
		{ { "transaction_id", "42000\n" }, ERR_INPUT },
		{ { "out_trade_no", NULL }, ERR_INPUT },
		{ { "out_trade_no", X33 }, ERR_INPUT },
		{ { "out_trade_no", "G2024 1" }, ERR_INPUT },
		{ { "out_trade_no", "订单" }, ERR_INPUT },
		{ { "appid", NULL }, ERR_INPUT },
		{ { "appid", X33 }, ERR_INPUT },
		{ { "openid", X129 }, ERR_NONE },
		{ { "openid", "o u" }, ERR_NONE },
		{ { "trade_type", X33 }, ERR_NONE },
		{ { "bank_type", X33 }, ERR_NONE },
		{ { "fee_type", "CNYCNYCNY" }, ERR_INPUT },
	};
	struct buf xml;

	(void)state;
	buf_init(&xml, XMLMSG_MAX);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct notice notice;
		struct err err;

		paid_format(&cases[i].change, KEY, SIGN2_MD5, &xml);
		(void)judge_paid_under(KEY, SIGN2_MD5, xml.data, xml.len,
		    &notice, &err);
		expect(err.kind == cases[i].kind, "%s=%s: %s %s",
		    cases[i].change.name, cases[i].change.value == NULL
		    ? "(none)" : cases[i].change.value,
		    err_kind_name(err.kind), err.text);
		if (err.kind == ERR_NONE)
			assert_int_equal(notice.payment.total_fen, 101);
	}
	print_message("    payment notices with one odd field: %zu\n",
	    COUNT_OF(cases));
	buf_clear(&xml);
}

/* A service provider's: for whom is passed on, and whom he paid to is for the
 * database to compare. */
static void
test_paid_sub_merchant(void **state)
{
	static const struct {
		const char *said;
		enum err_kind kind;
	} cases[] = {
		{ NULL, ERR_NONE }, { "", ERR_NONE },
		{ "1900000110", ERR_NONE }, { MCHID, ERR_NONE },
		{ "1900000110 ", ERR_INPUT }, { X33, ERR_INPUT },
		{ "特约商户", ERR_INPUT },
	};
	struct buf xml;

	(void)state;
	buf_init(&xml, XMLMSG_MAX);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *said = cases[i].said;
		struct notice notice;
		struct err err;

		paid_format(&(struct change){ "sub_mch_id", said }, KEY,
		    SIGN2_MD5, &xml);
		(void)judge_paid_under(KEY, SIGN2_MD5, xml.data, xml.len,
		    &notice, &err);
		expect(err.kind == cases[i].kind, "%s: %s", said, err.text);
		assert_string_equal(notice.payment.sub_mchid,
		    said == NULL || err.kind != ERR_NONE ? "" : said);
		assert_string_equal(notice.mchid, err.kind == ERR_NONE
		    ? MCHID : "");
	}
	buf_clear(&xml);
}

/* N2: the sign itself. */
static void
test_paid_signs(void **state)
{
	static const enum sign2_type types[] = {
		SIGN2_MD5, SIGN2_HMAC_SHA256,
	};
	struct buf xml, bad;
	struct notice notice;
	struct err err;
	const char *at;
	size_t tried = 0;

	(void)state;
	buf_init(&xml, XMLMSG_MAX);
	buf_init(&bad, XMLMSG_MAX);
	for (size_t t = 0; t < COUNT_OF(types); t++) {
		enum sign2_type type = types[t];
		size_t len = type == SIGN2_MD5 ? 32 : 64;

		paid_format(NULL, KEY, type, &xml);
		at = strstr(buf_get(&xml), "<sign><![CDATA[");
		assert_non_null(at);
		at += strlen("<sign><![CDATA[");
		assert_true(judge_paid_under(KEY, type, xml.data, xml.len,
		    &notice, &err));
		/* every character of it counts */
		for (size_t i = 0; i < len; i++) {
			size_t where = (size_t)(at - xml.data) + i;
			char was = xml.data[where];

			xml.data[where] = was == 'A' ? 'B' : 'A';
			assert_false(judge_paid_under(KEY, type, xml.data,
			    xml.len, &notice, &err));
			assert_int_equal(err.kind, ERR_AUTH);
			xml.data[where] = was;
			tried++;
		}
		/* one character less, one more, none */
		for (int cut = -1; cut <= (int)len; cut += (int)len + 1) {
			buf_reset(&bad);
			buf_add(&bad, xml.data, (size_t)(at - xml.data));
			if (cut < 0)
				buf_char(&bad, 'A');
			buf_text(&bad, at + (cut > 0 ? cut : 0));
			assert_false(judge_paid_under(KEY, type, bad.data,
			    bad.len, &notice, &err));
			assert_int_equal(err.kind, ERR_AUTH);
			tried++;
		}
		/* lower case */
		for (size_t i = 0; i < len; i++) {
			char *c = &xml.data[(size_t)(at - xml.data) + i];

			if (*c >= 'A' && *c <= 'F')
				*c = (char)(*c - 'A' + 'a');
		}
		assert_false(judge_paid_under(KEY, type, xml.data, xml.len,
		    &notice, &err));
		assert_int_equal(err.kind, ERR_AUTH);
		tried++;
	}
	print_message("    wrong signs: %zu\n", tried);
	buf_clear(&bad);
	buf_clear(&xml);
}

/* Every byte of a genuine notice, changed: refused, or it said the same. */
static void
test_paid_every_byte(void **state)
{
	struct buf xml;
	struct notice right, notice;
	struct err err;
	size_t refused = 0, same = 0;

	(void)state;
	buf_init(&xml, XMLMSG_MAX);
	paid_format(NULL, KEY, SIGN2_HMAC_SHA256, &xml);
	assert_true(judge_paid_under(KEY, SIGN2_HMAC_SHA256, xml.data,
	    xml.len, &right, &err));
	for (size_t i = 0; i < xml.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			xml.data[i] = (char)(xml.data[i] ^ (1 << bit));
			if (!judge_paid_under(KEY, SIGN2_HMAC_SHA256,
			    xml.data, xml.len, &notice, &err))
				refused++;
			else {
				assert_memory_equal(&notice, &right,
				    sizeof(notice));
				same++;
			}
			xml.data[i] = (char)(xml.data[i] ^ (1 << bit));
		}
	print_message("    bits flipped: %zu refused, %zu no matter\n",
	    refused, same);
	assert_int_equal(refused + same, xml.len * 8);
	buf_clear(&xml);
}

/* N4, N10-N16, N20: bytes that are no notice at all. */
static void
test_not_a_notice(void **state)
{
	static const char *const cases[] = {
		"", " ", "{}", "{\"mch_id\":\"" MCHID "\"}", "mch_id=" MCHID,
		"<xml>", "<xml/>x", "<root><mch_id>" MCHID "</mch_id></root>",
		"<xml a=\"b\"></xml>", "<xml><a><b>1</b></a></xml>",
		"<!DOCTYPE xml><xml></xml>",
		"<!DOCTYPE xml [<!ENTITY a \"SUCCESS\">]><xml><return_code>&a;"
		"</return_code></xml>",
		"<!DOCTYPE xml [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>"
		"<xml><a>&a;</a></xml>",
		"<xml><a>1</a><a>1</a></xml>", "<xml><a>1<!-- -->0</a></xml>",
		"<xml><a>1<?x?>0</a></xml>", "<xml>x<a>1</a></xml>",
		"<?xml version=\"1.0\" encoding=\"GBK\"?><xml></xml>",
		"\xef\xbb\xbf<xml></xml>", "<xml><a>\xff</a></xml>",
		"<xml><a>&#0;</a></xml>", "<xml></xml><xml></xml>",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct notice notice;
		struct err err;

		(void)judge_paid_under(KEY, SIGN2_MD5, cases[i],
		    strlen(cases[i]), &notice, &err);
		expect(err.kind == ERR_INPUT, "paid: %s", cases[i]);
		(void)judge_refunded_under(KEY, cases[i], strlen(cases[i]),
		    &notice, &err);
		expect(err.kind == ERR_INPUT, "refunded: %s", cases[i]);
	}
	print_message("    not notices: %zu, to both\n", COUNT_OF(cases));
}

/* Without a key nothing is proved, whatever it is: not even by an empty one,
 * which anybody has. */
static void
test_no_key(void **state)
{
	const struct wechat_notice_keys keys = { .mchid = MCHID,
		.sign_type = SIGN2_MD5 };
	struct buf xml;

	(void)state;
	buf_init(&xml, XMLMSG_MAX);
	for (int i = 0; i < 3; i++) {
		struct notice notice = { 0 };
		struct err err = { 0 };

		buf_reset(&xml);
		if (i == 1)
			paid_format(NULL, KEY, SIGN2_MD5, &xml);
		if (i == 2)
			refunded_format(NULL, &xml);
		assert_false(wechat_notice_paid(&keys, buf_get(&xml), xml.len,
		    &notice, &err));
		assert_int_equal(err.kind, ERR_AUTH);
		assert_string_equal(err.text, "no V2 key configured");
		memset(&err, 0, sizeof(err));
		assert_false(wechat_notice_refunded(&keys, buf_get(&xml),
		    xml.len, &notice, &err));
		assert_int_equal(err.kind, ERR_AUTH);
		assert_string_equal(err.text, "no V2 key configured");
		assert_int_equal(notice.kind, 0);
	}
	buf_clear(&xml);
}

static void
test_paid_nul(void **state)
{
	static const char body[] = "<xml><a>1</a></xml>\0<xml></xml>";
	struct notice notice;
	struct err err;

	(void)state;
	assert_false(judge_paid_under(KEY, SIGN2_MD5, body, sizeof(body) - 1,
	    &notice, &err));
	assert_int_equal(err.kind, ERR_INPUT);
}

/* A payment notice to the refund address proves nothing, and the reverse. */
static void
test_swapped(void **state)
{
	struct buf xml;
	struct notice notice;
	struct err err;

	(void)state;
	buf_init(&xml, XMLMSG_MAX);
	paid_format(NULL, KEY, SIGN2_MD5, &xml);
	assert_false(judge_refunded_under(KEY, xml.data, xml.len, &notice,
	    &err));
	assert_int_equal(err.kind, ERR_AUTH);
	refunded_format(NULL, &xml);
	assert_false(judge_paid_under(KEY, SIGN2_MD5, xml.data, xml.len,
	    &notice, &err));
	assert_int_equal(err.kind, ERR_AUTH);
	buf_clear(&xml);
}

static void
test_refunded_one_field(void **state)
{
	static const struct {
		struct change change;
		enum err_kind kind;
	} cases[] = {
		{ { "refund_account", "REFUND_SOURCE_RECHARGE_FUNDS" },
		  ERR_NONE },
		{ { "success_time", NULL }, ERR_NONE },
		{ { "success_time", "" }, ERR_NONE },
		{ { "refund_status", "CHANGE" }, ERR_NONE },
		{ { "refund_status", "REFUNDCLOSE" }, ERR_NONE },
		{ { "refund_status", "NEWWORD" }, ERR_NONE },
		{ { "settlement_refund_fee", "1" }, ERR_NONE },
		{ { "success_time", "20240116100005" }, ERR_INPUT },
		{ { "refund_fee", NULL }, ERR_INPUT },
		{ { "refund_fee", "0" }, ERR_INPUT },
		{ { "refund_fee", "5.1" }, ERR_INPUT },
		{ { "total_fee", NULL }, ERR_INPUT },
		{ { "total_fee", "-1" }, ERR_INPUT },
		{ { "out_refund_no", NULL }, ERR_INPUT },
		{ { "out_refund_no", X65 }, ERR_INPUT },
		{ { "out_refund_no", "退" }, ERR_INPUT },
		{ { "refund_id", NULL }, ERR_INPUT },
		{ { "refund_id", X33 }, ERR_INPUT },
		{ { "out_trade_no", NULL }, ERR_INPUT },
		{ { "transaction_id", NULL }, ERR_INPUT },
		{ { "transaction_id", X33 }, ERR_INPUT },
	};
	struct buf xml;

	(void)state;
	buf_init(&xml, 2 * XMLMSG_MAX);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct notice notice;
		struct err err;

		refunded_format(&cases[i].change, &xml);
		(void)judge_refunded_under(KEY, xml.data, xml.len, &notice,
		    &err);
		expect(err.kind == cases[i].kind, "%s: %s %s",
		    cases[i].change.name, err_kind_name(err.kind), err.text);
		if (err.kind == ERR_NONE)
			assert_int_equal(notice.refund.refund_fen, 51);
	}
	print_message("    refund notices with one odd field: %zu\n",
	    COUNT_OF(cases));
	buf_clear(&xml);
}

/* RN2, RN3: one and the same refusal, wherever the damage is. */
static void
test_refunded_damage(void **state)
{
	static const char *const plains[] = {
		"x", "<xml><a>1</a></xml>", "<root><a>1</a>",
		"<!DOCTYPE root [<!ENTITY a \"1\">]><root><a>&a;</a></root>",
		"<root><total_fee>1</total_fee><total_fee>2</total_fee></root>",
		"<root><a>1<!-- -->0</a></root>", "<root><a><b/></a></root>",
	};
	static const char *const infos[] = {
		"", " ", "A", "AAAA", "====", "not base64!",
		"AAAAAAAAAAAAAAAAAAAAAA==", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	struct buf xml;
	struct notice notice;
	struct err err, first = { 0 };
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "req_info_reject", 3);
	json_t *vector;
	size_t i, tried = 0;

	(void)state;
	buf_init(&xml, 2 * XMLMSG_MAX);
	for (i = 0; i < COUNT_OF(plains) + COUNT_OF(infos)
	    + json_array_size(list); i++) {
		const char *info;

		if (i < COUNT_OF(plains)) {
			refunded_format_plain(plains[i], strlen(plains[i]),
			    &xml);
		} else {
			vector = json_array_get(list, i - COUNT_OF(plains)
			    - COUNT_OF(infos));
			info = vector != NULL
			    ? vector_text(vector, "req_info")
			    : infos[i - COUNT_OF(plains)];
			buf_reset(&xml);
			buf_format(&xml, "<xml><return_code>SUCCESS"
			    "</return_code><appid>" APPID "</appid><mch_id>"
			    MCHID "</mch_id><req_info>%s</req_info></xml>",
			    info);
		}
		/* the first of the three is sealed under our key, and is not
		 * ours under the other */
		(void)judge_refunded_under(i == COUNT_OF(plains)
		    + COUNT_OF(infos) ? OTHER_KEY : KEY, xml.data, xml.len,
		    &notice, &err);
		if (tried++ == 0)
			first = err;
		expect(err.kind == ERR_AUTH
		    && str_eq(err.text, first.text), "%zu: %s %s", i,
		    err_kind_name(err.kind), err.text);
	}
	print_message("    damaged req_info: %zu\n", tried);
	json_decref(all);
	buf_clear(&xml);
}

/* RN1: ECB lets anyone who has old notices reorder and repeat blocks.  That
 * may even decrypt, which is why is_signed stays false; it must not crash. */
static void
test_refunded_blocks(void **state)
{
	struct buf xml, raw, cut;
	struct notice notice;
	struct err err;
	const char *info;
	size_t tried = 0, opened = 0;

	(void)state;
	buf_init(&xml, 2 * XMLMSG_MAX);
	buf_init(&raw, XMLMSG_MAX);
	buf_init(&cut, 2 * XMLMSG_MAX);
	refunded_format(NULL, &xml);
	info = strstr(xml.data, "<req_info>") + strlen("<req_info>");
	assert_true(base64_parse(info, strcspn(info, "<"), &raw));
	for (size_t a = 0; a < raw.len / 16; a++)
		for (size_t b = 0; b < raw.len / 16; b++) {
			char block[16];

			memcpy(block, raw.data + 16 * a, 16);
			memcpy(raw.data + 16 * a, raw.data + 16 * b, 16);
			buf_reset(&cut);
			buf_text(&cut, "<xml><return_code>SUCCESS"
			    "</return_code><appid>" APPID "</appid><mch_id>"
			    MCHID "</mch_id><req_info>");
			base64_format(raw.data, raw.len, &cut);
			buf_text(&cut, "</req_info></xml>");
			if (judge_refunded_under(KEY, cut.data, cut.len,
			    &notice, &err)) {
				assert_false(notice.is_signed);
				opened++;
			}
			memcpy(raw.data + 16 * a, block, 16);
			tried++;
		}
	print_message("    blocks pasted: %zu, opened all the same: %zu\n",
	    tried, opened);
	assert_true(opened >= raw.len / 16);	/* onto themselves */
	buf_clear(&cut);
	buf_clear(&raw);
	buf_clear(&xml);
}

/* The outer message is not signed; what it says must still be ours.  The
 * sub-merchant, whom it alone names, decides nothing. */
static void
test_refunded_outside(void **state)
{
	static const struct {
		const char *from, *to;
		enum err_kind kind;
	} cases[] = {
		{ "<req_info>", "<sub_mch_id>1900000110</sub_mch_id>"
		  "<req_info>", ERR_NONE },
		{ "<req_info>", "<sub_mch_id></sub_mch_id><req_info>",
		  ERR_NONE },
		{ "<req_info>", "<sub_mch_id>" X33 "</sub_mch_id><req_info>",
		  ERR_NONE },
		{ "<mch_id>1900000109<", "<mch_id>1900000108<", ERR_AUTH },
		{ "<mch_id>1900000109<", "<mch_id><", ERR_AUTH },
		{ "<return_code>SUCCESS<", "<return_code>FAIL<",
		  ERR_REFUSED },
		{ "<return_code>SUCCESS<", "<return_code><", ERR_REFUSED },
		{ "<appid>wx8888888888888888<", "<appid><", ERR_INPUT },
		{ "<appid>wx8888888888888888<", "<appid>" X33 "<",
		  ERR_INPUT },
	};
	struct buf xml, bad;

	(void)state;
	buf_init(&xml, 2 * XMLMSG_MAX);
	buf_init(&bad, 2 * XMLMSG_MAX);
	refunded_format(NULL, &xml);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *at = strstr(xml.data, cases[i].from);
		struct notice notice;
		struct err err;

		assert_non_null(at);
		buf_reset(&bad);
		buf_add(&bad, xml.data, (size_t)(at - xml.data));
		buf_text(&bad, cases[i].to);
		buf_text(&bad, at + strlen(cases[i].from));
		(void)judge_refunded_under(KEY, bad.data, bad.len, &notice,
		    &err);
		expect(err.kind == cases[i].kind, "%s: %s %s", cases[i].to,
		    err_kind_name(err.kind), err.text);
		assert_string_equal(notice.refund.sub_mchid, "");
	}
	buf_clear(&bad);
	buf_clear(&xml);
}

/* 64 KiB is the most, and a message of just that many fields is read. */
static void
test_sizes(void **state)
{
	struct buf xml;
	struct notice notice;
	struct err err;

	(void)state;
	buf_init(&xml, 4 * XMLMSG_MAX);
	buf_text(&xml, "<xml><a>");
	while (xml.len < XMLMSG_MAX)
		buf_text(&xml, "0123456789abcdef");
	buf_text(&xml, "</a></xml>");
	assert_false(judge_paid_under(KEY, SIGN2_MD5, xml.data, xml.len,
	    &notice, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	buf_clear(&xml);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paid_vectors),
		cmocka_unit_test(test_refund_vectors),
		cmocka_unit_test(test_refund_vectors_whole),
		cmocka_unit_test(test_paid_one_field),
		cmocka_unit_test(test_paid_sub_merchant),
		cmocka_unit_test(test_paid_signs),
		cmocka_unit_test(test_paid_every_byte),
		cmocka_unit_test(test_not_a_notice),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_paid_nul),
		cmocka_unit_test(test_swapped),
		cmocka_unit_test(test_refunded_one_field),
		cmocka_unit_test(test_refunded_damage),
		cmocka_unit_test(test_refunded_blocks),
		cmocka_unit_test(test_refunded_outside),
		cmocka_unit_test(test_sizes),
	};

	xmlmsg_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
