/*
 * wechat_v2: what is sent is what v2.md wants, and of what comes back only a
 * proved answer of ours about what we asked decides anything.
 */
#include "wechat/wechat_v2.h"
#include "wechat/wechat_v2_answer.h"

#include "base/clock.h"
#include "base/str.h"
#include "wire/xmlmsg.h"

#include "../unit.h"

#define MCHID "1900000109"
#define APPID "wx8888888888888888"
#define KEY "8f3c1d0e9b7a4652c1e0d9f8a7b6c5d4"
#define TRADE_NO "G20240115000001"
#define REFUND_NO "R20240116000001"
#define TRANSACTION "4200002024011512345678901234"
#define REFUND_ID "50000203702024011601461713166"
#define PREPAY_ID "wx201410272009395522657a690389285100"
#define CODE_URL "weixin://wxpay/bizpayurl?pr=NwY5Mz9"
#define NONCE "5d2b6c2a8db53831f7eda20af46e531c"

#define SUB_MCHID "1900000110"
#define SUB_APPID "wxd678efh567hg6999"

static const struct payment_payee payee = { .appid = APPID };
/* MCHID as a service provider, whose payers use his own app or their shop's. */
static const struct payment_payee sub = {
	.appid = APPID, .sub_mchid = SUB_MCHID,
};
static const struct payment_payee sub_app = {
	.appid = APPID, .sub_mchid = SUB_MCHID, .sub_appid = SUB_APPID,
};
static struct secret *api_key;

static struct wechat_v2
v2_of(enum sign2_type type)
{
	return (struct wechat_v2){
		.mchid = MCHID, .sign_type = type, .api_key = api_key,
		.public_url = "https://pay.example.com/wx",
	};
}

static const struct payment native = {
	.out_trade_no = TRADE_NO, .payee.appid = APPID, .trade_type = "NATIVE",
	.client_ip = "203.0.113.7", .body = "店名-茶叶 <&]]>", .total_fen = 101,
	.product_id = "tea-250g", .time_expire = 1705248000,
};

static const struct payment jsapi = {
	.out_trade_no = TRADE_NO, .payee.appid = APPID, .trade_type = "JSAPI",
	.openid = "oUpF8uMEb4qRXf22hE3X68TekukE", .client_ip = "2001:db8::1",
	.body = "Tea", .attach = "order:42&=", .total_fen = FEN_MAX,
	.time_expire = 1704040200,
};

static const struct payment h5 = {
	.out_trade_no = TRADE_NO, .payee.appid = APPID, .trade_type = "MWEB",
	.client_ip = "203.0.113.7", .body = "Tea", .total_fen = 101,
	.time_expire = 1704040200,
};

static const struct payment app = {
	.out_trade_no = TRADE_NO, .payee.appid = APPID, .trade_type = "APP",
	.client_ip = "2001:db8::1", .body = "Tea", .total_fen = 101,
	.time_expire = 1704040200,
};

#define MWEB_URL "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?" \
	"prepay_id=" PREPAY_ID "&package=1037687096"

#define AUTH_CODE "134567890123456789"

static const struct payment scanned = {
	.out_trade_no = TRADE_NO, .payee.appid = APPID, .trade_type = "MICROPAY",
	.client_ip = "203.0.113.7", .body = "Tea", .total_fen = 101,
	.time_expire = 1705248000,
};

static const struct payment_key asked = {
	.api = PAYMENT_V2, .payee.appid = APPID, .out_trade_no = TRADE_NO,
};

static const struct payment_key asked_by_id = {
	.api = PAYMENT_V2, .payee.appid = APPID, .transaction_id = TRANSACTION,
};

/* Of what is judged. */
static const struct payment_key *query_key = &asked;
static const struct payment_payee *judged_payee = &payee;

static const struct refund refund = {
	.out_refund_no = REFUND_NO, .out_trade_no = TRADE_NO,
	.transaction_id = TRANSACTION, .payee.appid = APPID, .reason = "已售完",
	.total_fen = 101, .refund_fen = 51,
};

static const char *const call_names[WECHAT_V2_CALLS] = {
	"unifiedorder", "orderquery", "closeorder", "refund", "refundquery",
	"micropay", "reverse",
};

/* ------------------------------------------------------------- what is sent */

struct want {
	const char *name;
	const char *value;
};

/* Exactly these, and nonce_str, mch_id, sign_type and a right sign. */
static void
request_compare(const char *which, const struct wechat_v2 *v2,
    struct buf *bytes, const struct want *want, size_t count)
{
	struct fields fields = { 0 };
	struct err err = { 0 };

	expect(buf_ok(bytes) && xmlmsg_parse(bytes->data, bytes->len, "xml",
	    &fields, &err), "%s: %s", which, err.text);
	expect(sign2_verify(&fields, v2->sign_type, api_key, &err),
	    "%s: %s", which, err.text);
	assert_string_equal(fields_text(&fields, "nonce_str"), NONCE);
	assert_string_equal(fields_text(&fields, "mch_id"), MCHID);
	assert_string_equal(fields_text(&fields, "appid"), APPID);
	assert_string_equal(fields_text(&fields, "sign_type"),
	    sign2_type_name(v2->sign_type));
	for (size_t i = 0; i < count; i++)
		expect(str_eq(fields_text(&fields, want[i].name),
		    want[i].value), "%s: %s is \"%s\"", which, want[i].name,
		    fields_text(&fields, want[i].name));
	expect(fields.count == count + 5, "%s: %zu fields", which,
	    fields.count);
	expect(memmem(bytes->data, bytes->len, KEY, strlen(KEY)) == NULL,
	    "%s has the key in it", which);
	fields_clear(&fields);
	buf_reset(bytes);
}

static void
requests_of(enum sign2_type type)
{
	static const struct want want_native[] = {
		{ "device_info", "WEB" }, { "body", "店名-茶叶 <&]]>" },
		{ "out_trade_no", TRADE_NO }, { "total_fee", "101" },
		{ "spbill_create_ip", "203.0.113.7" },
		{ "time_expire", "20240115000000" },
		{ "trade_type", "NATIVE" }, { "product_id", "tea-250g" },
		{ "notify_url", "https://pay.example.com/wx/notify/paid" },
	};
	static const struct want want_jsapi[] = {
		{ "device_info", "WEB" }, { "body", "Tea" },
		{ "attach", "order:42&=" }, { "out_trade_no", TRADE_NO },
		{ "total_fee", "2147483647" },
		{ "spbill_create_ip", "2001:db8::1" },
		{ "time_expire", "20240101003000" },
		{ "trade_type", "JSAPI" },
		{ "openid", "oUpF8uMEb4qRXf22hE3X68TekukE" },
		{ "notify_url", "https://pay.example.com/wx/notify/paid" },
	};
	static const struct want want_h5[] = {
		{ "device_info", "WEB" }, { "body", "Tea" },
		{ "out_trade_no", TRADE_NO }, { "total_fee", "101" },
		{ "spbill_create_ip", "203.0.113.7" },
		{ "time_expire", "20240101003000" },
		{ "trade_type", "MWEB" },
		{ "scene_info", "{\"h5_info\":{\"type\":\"Wap\","
		  "\"wap_url\":\"https://pay.example.com/wx\","
		  "\"wap_name\":\"pay.example.com\"}}" },
		{ "notify_url", "https://pay.example.com/wx/notify/paid" },
	};
	static const struct want want_app[] = {
		{ "body", "Tea" }, { "out_trade_no", TRADE_NO },
		{ "total_fee", "101" }, { "spbill_create_ip", "2001:db8::1" },
		{ "time_expire", "20240101003000" }, { "trade_type", "APP" },
		{ "notify_url", "https://pay.example.com/wx/notify/paid" },
	};
	static const struct want want_ask[] = { { "out_trade_no", TRADE_NO } };
	static const struct want want_by_id[] = {
		{ "transaction_id", TRANSACTION },
	};
	static const struct want want_refund[] = {
		{ "transaction_id", TRANSACTION },
		{ "out_refund_no", REFUND_NO }, { "total_fee", "101" },
		{ "refund_fee", "51" }, { "refund_desc", "已售完" },
		{ "notify_url", "https://pay.example.com/wx/notify/refunded" },
	};
	static const struct want want_other_account[] = {
		{ "out_trade_no", TRADE_NO }, { "out_refund_no", REFUND_NO },
		{ "total_fee", "101" }, { "refund_fee", "51" },
		{ "refund_account", "REFUND_SOURCE_RECHARGE_FUNDS" },
		{ "notify_url", "https://pay.example.com/wx/notify/refunded" },
	};
	static const struct want want_query_refund[] = {
		{ "out_refund_no", REFUND_NO },
	};
	static const struct want want_micropay[] = {
		{ "body", "Tea" }, { "out_trade_no", TRADE_NO },
		{ "total_fee", "101" }, { "spbill_create_ip", "203.0.113.7" },
		{ "auth_code", AUTH_CODE },
	};
	const struct wechat_v2 v2 = v2_of(type);
	struct refund other = refund;
	struct err err = { 0 };
	struct buf out;

	buf_init(&out, XMLMSG_MAX);
	assert_true(wechat_v2_prepay_format(&v2, &native, NONCE, &out, &err));
	request_compare("native", &v2, &out, want_native,
	    COUNT_OF(want_native));
	assert_true(wechat_v2_prepay_format(&v2, &jsapi, NONCE, &out, &err));
	request_compare("jsapi", &v2, &out, want_jsapi, COUNT_OF(want_jsapi));
	assert_true(wechat_v2_prepay_format(&v2, &h5, NONCE, &out, &err));
	request_compare("h5", &v2, &out, want_h5, COUNT_OF(want_h5));
	assert_true(wechat_v2_prepay_format(&v2, &app, NONCE, &out, &err));
	request_compare("app", &v2, &out, want_app, COUNT_OF(want_app));
	assert_true(wechat_v2_query_format(&v2, &asked, NONCE, &out, &err));
	request_compare("query", &v2, &out, want_ask, COUNT_OF(want_ask));
	assert_true(wechat_v2_query_format(&v2, &asked_by_id, NONCE, &out,
	    &err));
	request_compare("query by WeChat's number", &v2, &out, want_by_id,
	    COUNT_OF(want_by_id));
	assert_true(wechat_v2_close_format(&v2, &payee, TRADE_NO, NONCE, &out,
	    &err));
	request_compare("close", &v2, &out, want_ask, COUNT_OF(want_ask));
	assert_true(wechat_v2_refund_format(&v2, &refund, NONCE, &out, &err));
	request_compare("refund", &v2, &out, want_refund,
	    COUNT_OF(want_refund));
	other.transaction_id[0] = '\0';
	other.reason[0] = '\0';
	other.from_recharge = true;
	assert_true(wechat_v2_refund_format(&v2, &other, NONCE, &out, &err));
	request_compare("refund from the other account", &v2, &out,
	    want_other_account, COUNT_OF(want_other_account));
	assert_true(wechat_v2_query_refund_format(&v2, &payee, REFUND_NO,
	    NONCE, &out, &err));
	request_compare("query refund", &v2, &out, want_query_refund,
	    COUNT_OF(want_query_refund));
	assert_true(wechat_v2_micropay_format(&v2, &scanned, AUTH_CODE, NONCE,
	    &out, &err));
	request_compare("micropay", &v2, &out, want_micropay,
	    COUNT_OF(want_micropay));
	assert_true(wechat_v2_reverse_format(&v2, &payee, TRADE_NO, NONCE, &out,
	    &err));
	request_compare("reverse", &v2, &out, want_ask, COUNT_OF(want_ask));
	buf_clear(&out);
}

static void
test_requests(void **state)
{
	(void)state;
	requests_of(SIGN2_MD5);
	requests_of(SIGN2_HMAC_SHA256);
}

/* [v2.md 7.1] a repetition must be the same in every byte but the nonce. */
static void
test_requests_repeat(void **state)
{
	const struct wechat_v2 v2 = v2_of(SIGN2_HMAC_SHA256);
	struct err err = { 0 };
	struct buf one, two;

	(void)state;
	buf_init(&one, XMLMSG_MAX);
	buf_init(&two, XMLMSG_MAX);
	assert_true(wechat_v2_prepay_format(&v2, &jsapi, NONCE, &one, &err));
	assert_true(wechat_v2_prepay_format(&v2, &jsapi, NONCE, &two, &err));
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	buf_clear(&two);
	buf_clear(&one);
}

/* The request of one call, read again. */
static void
request_read(const struct wechat_v2 *v2, enum wechat_call call,
    const struct payment_payee *to, struct fields *out)
{
	struct payment_key key = asked;
	struct payment paid = jsapi, by_code = scanned;
	struct refund back = refund;
	struct err err = { 0 };
	struct buf bytes;
	bool ok = false;

	key.payee = paid.payee = by_code.payee = back.payee = *to;
	buf_init(&bytes, XMLMSG_MAX);
	switch (call) {
	case WECHAT_CALL_PREPAY:
		ok = wechat_v2_prepay_format(v2, &paid, NONCE, &bytes, &err);
		break;
	case WECHAT_CALL_QUERY:
		ok = wechat_v2_query_format(v2, &key, NONCE, &bytes, &err);
		break;
	case WECHAT_CALL_CLOSE:
		ok = wechat_v2_close_format(v2, to, TRADE_NO, NONCE, &bytes,
		    &err);
		break;
	case WECHAT_CALL_REFUND:
		ok = wechat_v2_refund_format(v2, &back, NONCE, &bytes, &err);
		break;
	case WECHAT_CALL_QUERY_REFUND:
		ok = wechat_v2_query_refund_format(v2, to, REFUND_NO, NONCE,
		    &bytes, &err);
		break;
	case WECHAT_CALL_MICROPAY:
		ok = wechat_v2_micropay_format(v2, &by_code, AUTH_CODE, NONCE,
		    &bytes, &err);
		break;
	case WECHAT_CALL_REVERSE:
		ok = wechat_v2_reverse_format(v2, to, TRADE_NO, NONCE, &bytes,
		    &err);
		break;
	case WECHAT_CALL_CERTIFICATES:
		fail_msg("V2 has no such call");
	}
	expect(ok && xmlmsg_parse(bytes.data, bytes.len, "xml", out, &err),
	    "%s: %s", call_names[call], err.text);
	expect(sign2_verify(out, v2->sign_type, api_key, &err), "%s: %s",
	    call_names[call], err.text);
	buf_clear(&bytes);
}

/* What an ordinary merchant says, and the sub-merchant; nothing else differs,
 * but for the name of a payer whom only the sub-merchant's account knows. */
static void
provider_request(const struct wechat_v2 *v2, enum wechat_call call,
    const struct payment_payee *to)
{
	bool has_app = to->sub_appid[0] != '\0';
	struct fields own = { 0 }, said = { 0 };
	size_t same = 0;

	request_read(v2, call, &payee, &own);
	request_read(v2, call, to, &said);
	assert_string_equal(fields_text(&said, "sub_mch_id"), SUB_MCHID);
	assert_string_equal(fields_text(&said, "sub_appid"), to->sub_appid);
	assert_string_equal(fields_text(&own, "sub_mch_id"), "");
	for (size_t i = 0; i < own.count; i++) {
		const char *name = own.list[i].name;

		if (has_app && str_eq(name, "openid"))
			name = "sub_openid";
		same += str_eq(name, "sign") || str_eq(own.list[i].value,
		    fields_text(&said, name));
	}
	expect(same == own.count, "%s: %zu of %zu", call_names[call], same,
	    own.count);
	assert_int_equal(said.count, own.count + (has_app ? 2 : 1));
	fields_clear(&said);
	fields_clear(&own);
}

static void
test_provider_requests(void **state)
{
	size_t tried = 0;

	(void)state;
	for (enum wechat_call call = 0; call < WECHAT_V2_CALLS; call++)
	for (int i = 0; i < 4; i++) {
		const struct wechat_v2 v2 = v2_of(i < 2 ? SIGN2_MD5
		    : SIGN2_HMAC_SHA256);

		provider_request(&v2, call, i % 2 == 0 ? &sub : &sub_app);
		tried++;
	}
	print_message("    requests for a sub-merchant: %zu\n", tried);
	assert_int_equal(tried, 28);
}

/* And one of them to the byte, signed by another hand. */
static void
test_provider_bytes(void **state)
{
	static const char want[] =
	    "<xml>"
	    "<appid><![CDATA[wx8888888888888888]]></appid>"
	    "<mch_id><![CDATA[1900000109]]></mch_id>"
	    "<sub_mch_id><![CDATA[1900000110]]></sub_mch_id>"
	    "<sub_appid><![CDATA[wxd678efh567hg6999]]></sub_appid>"
	    "<nonce_str><![CDATA[5d2b6c2a8db53831f7eda20af46e531c]]></nonce_str>"
	    "<sign_type><![CDATA[HMAC-SHA256]]></sign_type>"
	    "<device_info><![CDATA[WEB]]></device_info>"
	    "<body><![CDATA[Tea]]></body>"
	    "<attach><![CDATA[order:42&=]]></attach>"
	    "<out_trade_no><![CDATA[G20240115000001]]></out_trade_no>"
	    "<total_fee><![CDATA[2147483647]]></total_fee>"
	    "<spbill_create_ip><![CDATA[2001:db8::1]]></spbill_create_ip>"
	    "<time_expire><![CDATA[20240101003000]]></time_expire>"
	    "<trade_type><![CDATA[JSAPI]]></trade_type>"
	    "<sub_openid><![CDATA[oUpF8uMEb4qRXf22hE3X68TekukE]]></sub_openid>"
	    "<notify_url><![CDATA[https://pay.example.com/wx/notify/paid]]>"
	    "</notify_url>"
	    "<sign><![CDATA[F64AA5A3383830AB87B6D986FEE8BA592E0913861B659BE86B"
	    "2332B888968E46]]></sign>"
	    "</xml>";
	const struct wechat_v2 v2 = v2_of(SIGN2_HMAC_SHA256);
	struct payment payment = jsapi;
	struct err err = { 0 };
	struct buf out;

	(void)state;
	payment.payee = sub_app;
	buf_init(&out, XMLMSG_MAX);
	assert_true(wechat_v2_prepay_format(&v2, &payment, NONCE, &out, &err));
	assert_string_equal(buf_get(&out), want);
	buf_clear(&out);
}

static void
test_product_id(void **state)
{
	const struct wechat_v2 v2 = v2_of(SIGN2_MD5);
	struct payment payment = native;
	struct fields fields = { 0 };
	struct err err = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, XMLMSG_MAX);
	payment.product_id[0] = '\0';
	assert_true(wechat_v2_prepay_format(&v2, &payment, NONCE, &out, &err));
	assert_true(xmlmsg_parse(out.data, out.len, "xml", &fields, &err));
	assert_string_equal(fields_text(&fields, "product_id"), TRADE_NO);
	fields_clear(&fields);
	buf_clear(&out);
}

/* ----------------------------------------------------------- what is judged */

/* One answer, judged as the answer to one of the seven calls. */
struct verdict {
	struct wechat_answer answer;
	struct payment_prepay prepay;
	struct payment_facts payment;
	struct refund_facts refund;
	char refund_id[REFUND_ID_MAX + 1];
};

static void
reply_judge(const struct wechat_v2 *v2, enum wechat_call call,
    const struct payment *payment, const struct wechat_http_reply *reply,
    struct verdict *out)
{
	struct payment_key key = *query_key;
	struct payment paid = *payment, by_code = scanned;
	struct refund back = refund;

	key.payee = paid.payee = by_code.payee = back.payee = *judged_payee;
	memset(out, 0, sizeof(*out));
	switch (call) {
	case WECHAT_CALL_PREPAY:
		wechat_v2_prepay_judge(v2, &paid, reply, &out->prepay,
		    &out->answer);
		break;
	case WECHAT_CALL_QUERY:
		wechat_v2_query_judge(v2, &key, reply, &out->payment,
		    &out->answer);
		break;
	case WECHAT_CALL_CLOSE:
		wechat_v2_close_judge(v2, judged_payee, reply, &out->answer);
		break;
	case WECHAT_CALL_REFUND:
		wechat_v2_refund_judge(v2, &back, reply, out->refund_id,
		    &out->answer);
		break;
	case WECHAT_CALL_QUERY_REFUND:
		wechat_v2_query_refund_judge(v2, judged_payee, REFUND_NO,
		    reply, &out->refund, &out->answer);
		break;
	case WECHAT_CALL_MICROPAY:
		wechat_v2_micropay_judge(v2, &by_code, reply, &out->payment,
		    &out->answer);
		break;
	case WECHAT_CALL_REVERSE:
		wechat_v2_reverse_judge(v2, judged_payee, reply, &out->answer);
		break;
	case WECHAT_CALL_CERTIFICATES:
		fail_msg("V2 has no such call");
	}
	/* no facts without DONE */
	if (out->answer.verdict != WECHAT_DONE) {
		assert_int_equal(out->prepay.prepay_id[0], '\0');
		assert_int_equal(out->payment.fate, PAYMENT_UNKNOWN);
		assert_int_equal(out->payment.out_trade_no[0], '\0');
		assert_int_equal(out->refund.fate, REFUND_UNKNOWN);
		assert_int_equal(out->refund.out_refund_no[0], '\0');
	}
	assert_true(str_is_plain(out->answer.text));
	assert_null(strstr(out->answer.text, KEY));
}

static void
bytes_judge(enum sign2_type type, enum wechat_call call,
    const struct payment *payment, const char *bytes, size_t len,
    struct verdict *out)
{
	const struct wechat_v2 v2 = v2_of(type);
	struct wechat_http_reply reply = {
		.sent = true, .code = "", .status = 200,
	};

	buf_init(&reply.body, WECHAT_HTTP_MAX);
	buf_add(&reply.body, bytes, len);
	reply_judge(&v2, call, payment, &reply, out);
	buf_clear(&reply.body);
}

struct change {
	const char *name;
	const char *value;	/* NULL: leave the field out */
};

#define COMMON \
	{ "return_code", "SUCCESS" }, { "return_msg", "OK" }, \
	{ "appid", APPID }, { "mch_id", MCHID }, { "nonce_str", "w" }, \
	{ "result_code", "SUCCESS" }

static const struct change answer_prepay[] = {
	COMMON, { "trade_type", "NATIVE" }, { "prepay_id", PREPAY_ID },
	{ "code_url", CODE_URL },
};
static const struct change answer_query[] = {
	COMMON, { "trade_state", "SUCCESS" }, { "out_trade_no", TRADE_NO },
	{ "openid", "oUpF8uMEb4qRXf22hE3X68TekukE" },
	{ "trade_type", "NATIVE" }, { "bank_type", "OTHERS" },
	{ "total_fee", "101" }, { "transaction_id", TRANSACTION },
	{ "time_end", "20240115093015" },
};
static const struct change answer_close[] = {
	COMMON, { "result_msg", "OK" },
};
static const struct change answer_refund[] = {
	COMMON, { "transaction_id", TRANSACTION },
	{ "out_trade_no", TRADE_NO }, { "out_refund_no", REFUND_NO },
	{ "refund_id", REFUND_ID }, { "refund_fee", "51" },
	{ "total_fee", "101" }, { "cash_fee", "71" },
};
static const struct change answer_query_refund[] = {
	COMMON, { "transaction_id", TRANSACTION },
	{ "out_trade_no", TRADE_NO }, { "total_fee", "101" },
	{ "refund_count", "1" }, { "out_refund_no_0", REFUND_NO },
	{ "refund_id_0", REFUND_ID }, { "refund_fee_0", "51" },
	{ "refund_status_0", "SUCCESS" },
	{ "refund_success_time_0", "2024-01-16 10:00:05" },
};

static const struct change answer_micropay[] = {
	COMMON, { "out_trade_no", TRADE_NO },
	{ "openid", "oUpF8uMEb4qRXf22hE3X68TekukE" },
	{ "trade_type", "MICROPAY" }, { "bank_type", "OTHERS" },
	{ "total_fee", "101" }, { "transaction_id", TRANSACTION },
	{ "time_end", "20240115093015" },
};
static const struct change answer_reverse[] = {
	COMMON, { "recall", "N" },
};

static const struct {
	const struct change *list;
	size_t count;
} answers[WECHAT_V2_CALLS] = {
	{ answer_prepay, COUNT_OF(answer_prepay) },
	{ answer_query, COUNT_OF(answer_query) },
	{ answer_close, COUNT_OF(answer_close) },
	{ answer_refund, COUNT_OF(answer_refund) },
	{ answer_query_refund, COUNT_OF(answer_query_refund) },
	{ answer_micropay, COUNT_OF(answer_micropay) },
	{ answer_reverse, COUNT_OF(answer_reverse) },
};

static void
fields_change(struct fields *fields, const struct change *list, size_t count,
    const struct change *changes, size_t changed)
{
	struct err err = { 0 };

	for (size_t c = 0; c < changed; c++)
		if (changes[c].value != NULL)
			assert_true(fields_add(fields, changes[c].name,
			    changes[c].value, &err));
	for (size_t i = 0; i < count; i++) {
		bool is_changed = false;

		for (size_t c = 0; c < changed; c++)
			is_changed |= str_eq(changes[c].name, list[i].name);
		if (!is_changed)
			assert_true(fields_add(fields, list[i].name,
			    list[i].value, &err));
	}
}

/* The right answer to call, but for the changes, well signed. */
static void
payment_judge(enum wechat_call call, const struct payment *payment,
    const struct change *changes, size_t changed, struct verdict *out)
{
	struct fields fields = { 0 };
	struct err err = { 0 };
	char sign[SIGN2_SIZE];
	struct buf xml;

	buf_init(&xml, XMLMSG_MAX);
	fields_change(&fields, answers[call].list, answers[call].count,
	    changes, changed);
	assert_true(sign2_sign(&fields, SIGN2_HMAC_SHA256, api_key, sign,
	    &err));
	assert_true(fields_add(&fields, "sign", sign, &err));
	xmlmsg_format(&fields, &xml);
	assert_true(buf_ok(&xml));
	bytes_judge(SIGN2_HMAC_SHA256, call, payment, xml.data, xml.len, out);
	buf_clear(&xml);
	fields_clear(&fields);
}

static void
changed_judge(enum wechat_call call, const struct change *changes,
    size_t changed, struct verdict *out)
{
	payment_judge(call, &native, changes, changed, out);
}

static void
verdict_expect(const char *what, const struct verdict *got,
    enum wechat_verdict verdict, const char *code, bool alarm)
{
	expect(got->answer.verdict == verdict
	    && str_eq(got->answer.code, code) && got->answer.alarm == alarm,
	    "%s: %s %s \"%s\"%s", what,
	    wechat_verdict_name(got->answer.verdict), got->answer.code,
	    got->answer.text, got->answer.alarm ? " alarm" : "");
}

/* Asked by WeChat's number, ours is what we learn; a number that is not the
 * one asked for teaches nothing. */
static void
test_by_transaction_id(void **state)
{
	static const struct change fine[] = {
		{ "out_trade_no", "G20240115000002" },
		{ "trade_state", "REVOKED" },
	};
	static const struct change odd[] = {
		{ "transaction_id", "4200002024011512345678901235" },
		{ "transaction_id", NULL }, { "transaction_id", "" },
		{ "out_trade_no", NULL }, { "out_trade_no", "" },
		{ "mch_id", "1900000110" }, { "appid", "wx1" },
	};
	struct verdict got;

	(void)state;
	query_key = &asked_by_id;
	for (size_t i = 0; i < COUNT_OF(fine); i++) {
		changed_judge(WECHAT_CALL_QUERY, &fine[i], 1, &got);
		verdict_expect(fine[i].value, &got, WECHAT_DONE, "", false);
		assert_string_equal(got.payment.out_trade_no,
		    i == 0 ? fine[i].value : TRADE_NO);
	}
	for (size_t i = 0; i < COUNT_OF(odd); i++) {
		changed_judge(WECHAT_CALL_QUERY, &odd[i], 1, &got);
		verdict_expect(odd[i].name, &got, WECHAT_UNSURE, "MISMATCH",
		    true);
	}
	query_key = &asked;
}

static void
test_right_answers(void **state)
{
	struct verdict got;

	(void)state;
	changed_judge(WECHAT_CALL_PREPAY, NULL, 0, &got);
	verdict_expect("prepay", &got, WECHAT_DONE, "", false);
	assert_string_equal(got.prepay.prepay_id, PREPAY_ID);
	assert_string_equal(got.prepay.code_url, CODE_URL);

	changed_judge(WECHAT_CALL_QUERY, NULL, 0, &got);
	verdict_expect("query", &got, WECHAT_DONE, "", false);
	assert_int_equal(got.payment.fate, PAYMENT_PAID);
	assert_int_equal(got.payment.total_fen, 101);
	assert_int_equal(got.payment.paid_at, 1705282215);
	assert_string_equal(got.payment.out_trade_no, TRADE_NO);
	assert_string_equal(got.payment.transaction_id, TRANSACTION);
	assert_string_equal(got.payment.currency, "CNY");

	changed_judge(WECHAT_CALL_CLOSE, NULL, 0, &got);
	verdict_expect("close", &got, WECHAT_DONE, "", false);

	changed_judge(WECHAT_CALL_REFUND, NULL, 0, &got);
	verdict_expect("refund", &got, WECHAT_DONE, "", false);
	assert_string_equal(got.refund_id, REFUND_ID);

	changed_judge(WECHAT_CALL_QUERY_REFUND, NULL, 0, &got);
	verdict_expect("query refund", &got, WECHAT_DONE, "", false);
	assert_int_equal(got.refund.fate, REFUND_SUCCESS);
	assert_int_equal(got.refund.refund_fen, 51);
	assert_int_equal(got.refund.total_fen, 101);
	assert_int_equal(got.refund.refunded_at, 1705370405);
	assert_string_equal(got.refund.refund_id, REFUND_ID);

	changed_judge(WECHAT_CALL_MICROPAY, NULL, 0, &got);
	verdict_expect("micropay", &got, WECHAT_DONE, "", false);
	assert_int_equal(got.payment.fate, PAYMENT_PAID);
	assert_int_equal(got.payment.total_fen, 101);
	assert_string_equal(got.payment.transaction_id, TRANSACTION);

	changed_judge(WECHAT_CALL_REVERSE, NULL, 0, &got);
	verdict_expect("reverse", &got, WECHAT_DONE, "", false);
}

/* Each trade type's answer has what its payer needs, and it is a page that an
 * h5_url leads to. */
static void
test_ways(void **state)
{
	static const struct {
		const struct payment *payment;
		struct change changes[3];
		enum wechat_verdict verdict;
	} cases[] = {
		{ &app, { { "trade_type", "APP" }, { "code_url", NULL } },
		  WECHAT_DONE },
		{ &app, { { "trade_type", "JSAPI" }, { "code_url", NULL } },
		  WECHAT_UNSURE },
		{ &app, { { "trade_type", "APP" }, { "prepay_id", NULL } },
		  WECHAT_UNSURE },
		{ &h5, { { "trade_type", "MWEB" }, { "code_url", NULL },
		    { "mweb_url", MWEB_URL } }, WECHAT_DONE },
		{ &h5, { { "trade_type", "MWEB" }, { "code_url", NULL } },
		  WECHAT_UNSURE },
		{ &h5, { { "trade_type", "NATIVE" }, { "code_url", NULL },
		    { "mweb_url", MWEB_URL } }, WECHAT_UNSURE },
		{ &h5, { { "trade_type", "MWEB" }, { "code_url", NULL },
		    { "mweb_url", "http://wx.tenpay.com/" } },
		  WECHAT_UNSURE },
		{ &h5, { { "trade_type", "MWEB" }, { "code_url", NULL },
		    { "mweb_url", "javascript:alert(1)" } },
		  WECHAT_UNSURE },
		{ &h5, { { "trade_type", "MWEB" }, { "code_url", NULL },
		    { "mweb_url", "https://wx.tenpay.com/ a" } },
		  WECHAT_UNSURE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		bool is_done = cases[i].verdict == WECHAT_DONE;
		size_t count = 0;
		struct verdict got;

		while (count < 3 && cases[i].changes[count].name != NULL)
			count++;
		payment_judge(WECHAT_CALL_PREPAY, cases[i].payment,
		    cases[i].changes, count, &got);
		verdict_expect(cases[i].payment->trade_type, &got,
		    cases[i].verdict, is_done ? "" : "MISMATCH", !is_done);
		assert_string_equal(got.prepay.prepay_id,
		    is_done ? PREPAY_ID : "");
		assert_string_equal(got.prepay.code_url, "");
		assert_string_equal(got.prepay.h5_url, is_done
		    && cases[i].payment == &h5 ? MWEB_URL : "");
	}
}

/* O8, I11: one field other than usual. */
static void
test_one_field(void **state)
{
#define ALARM(c, n, v) { c, { n, v }, WECHAT_UNSURE, "MISMATCH", true }
#define FINE(c, n, v) { c, { n, v }, WECHAT_DONE, "", false }
	static const struct {
		enum wechat_call call;
		struct change change;
		enum wechat_verdict verdict;
		const char *code;
		bool alarm;
	} cases[] = {
		FINE(WECHAT_CALL_PREPAY, "new_field", "1"),
		FINE(WECHAT_CALL_PREPAY, "device_info", "WEB"),
		ALARM(WECHAT_CALL_PREPAY, "prepay_id", NULL),
		ALARM(WECHAT_CALL_PREPAY, "prepay_id", ""),
		ALARM(WECHAT_CALL_PREPAY, "prepay_id", PREPAY_ID PREPAY_ID),
		ALARM(WECHAT_CALL_PREPAY, "code_url", NULL),
		ALARM(WECHAT_CALL_PREPAY, "code_url", "weixin://x y"),
		ALARM(WECHAT_CALL_PREPAY, "trade_type", "JSAPI"),
		ALARM(WECHAT_CALL_PREPAY, "trade_type", NULL),

		FINE(WECHAT_CALL_QUERY, "attach", ""),
		FINE(WECHAT_CALL_QUERY, "trade_state", "REFUND"),
		FINE(WECHAT_CALL_QUERY, "trade_state", "NEWWORD"),
		FINE(WECHAT_CALL_QUERY, "trade_state", NULL),
		FINE(WECHAT_CALL_QUERY, "cash_fee", "1"),
		FINE(WECHAT_CALL_QUERY, "settlement_total_fee", "1"),
		ALARM(WECHAT_CALL_QUERY, "out_trade_no", "G20240115000002"),
		ALARM(WECHAT_CALL_QUERY, "out_trade_no", NULL),
		ALARM(WECHAT_CALL_QUERY, "total_fee", NULL),
		ALARM(WECHAT_CALL_QUERY, "total_fee", "1.01"),
		ALARM(WECHAT_CALL_QUERY, "transaction_id", NULL),
		ALARM(WECHAT_CALL_QUERY, "time_end", "20240115"),

		ALARM(WECHAT_CALL_REFUND, "out_refund_no", "R1"),
		ALARM(WECHAT_CALL_REFUND, "out_refund_no", NULL),
		ALARM(WECHAT_CALL_REFUND, "out_trade_no", "G1"),
		ALARM(WECHAT_CALL_REFUND, "transaction_id", "42"),
		ALARM(WECHAT_CALL_REFUND, "transaction_id", NULL),
		ALARM(WECHAT_CALL_REFUND, "refund_fee", "50"),
		ALARM(WECHAT_CALL_REFUND, "refund_fee", "051"),
		ALARM(WECHAT_CALL_REFUND, "refund_fee", NULL),
		ALARM(WECHAT_CALL_REFUND, "total_fee", "51"),
		ALARM(WECHAT_CALL_REFUND, "refund_id", NULL),
		ALARM(WECHAT_CALL_REFUND, "refund_id",
		    REFUND_ID REFUND_ID),

		FINE(WECHAT_CALL_QUERY_REFUND, "refund_status_0",
		    "PROCESSING"),
		FINE(WECHAT_CALL_QUERY_REFUND, "refund_status_0", "CHANGE"),
		FINE(WECHAT_CALL_QUERY_REFUND, "refund_status_0",
		    "REFUNDCLOSE"),
		FINE(WECHAT_CALL_QUERY_REFUND, "refund_status_0",
		    "NEWWORD"),
		FINE(WECHAT_CALL_QUERY_REFUND, "refund_success_time_0",
		    NULL),
		ALARM(WECHAT_CALL_QUERY_REFUND, "out_refund_no_0", "R1"),
		ALARM(WECHAT_CALL_QUERY_REFUND, "out_refund_no_0", NULL),
		ALARM(WECHAT_CALL_QUERY_REFUND, "refund_fee_0", NULL),
		ALARM(WECHAT_CALL_QUERY_REFUND, "refund_fee_0", "0"),
		ALARM(WECHAT_CALL_QUERY_REFUND, "total_fee", NULL),
		ALARM(WECHAT_CALL_QUERY_REFUND, "refund_id_0", NULL),
		ALARM(WECHAT_CALL_QUERY_REFUND, "transaction_id", NULL),
		ALARM(WECHAT_CALL_QUERY_REFUND, "refund_success_time_0",
		    "yesterday"),

		FINE(WECHAT_CALL_MICROPAY, "attach", ""),
		FINE(WECHAT_CALL_MICROPAY, "cash_fee", "1"),
		ALARM(WECHAT_CALL_MICROPAY, "out_trade_no", "G1"),
		ALARM(WECHAT_CALL_MICROPAY, "out_trade_no", NULL),
		ALARM(WECHAT_CALL_MICROPAY, "trade_type", "NATIVE"),
		ALARM(WECHAT_CALL_MICROPAY, "trade_type", NULL),
		ALARM(WECHAT_CALL_MICROPAY, "total_fee", "100"),
		ALARM(WECHAT_CALL_MICROPAY, "total_fee", NULL),
		ALARM(WECHAT_CALL_MICROPAY, "transaction_id", NULL),
		ALARM(WECHAT_CALL_MICROPAY, "time_end", NULL),

		{ WECHAT_CALL_REVERSE, { "recall", "Y" }, WECHAT_AGAIN,
		  "RECALL", false },
		ALARM(WECHAT_CALL_REVERSE, "recall", NULL),
		ALARM(WECHAT_CALL_REVERSE, "recall", "n"),
	};
	struct verdict got;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT_OF(cases); i++) {
		char what[100];

		changed_judge(cases[i].call, &cases[i].change, 1, &got);
		(void)snprintf(what, sizeof(what), "%s %s=%s",
		    call_names[cases[i].call], cases[i].change.name,
		    cases[i].change.value == NULL ? "(none)"
		    : cases[i].change.value);
		verdict_expect(what, &got, cases[i].verdict, cases[i].code,
		    cases[i].alarm);
	}
	print_message("    answers with one odd field: %zu\n", i);
#undef ALARM
#undef FINE
}

/* What holds for every call alike. */
static void
test_every_call(void **state)
{
	static const struct {
		struct change change;
		enum wechat_verdict verdict;
		const char *code;
		bool alarm;
	} cases[] = {
		{ { "mch_id", "1900000108" }, WECHAT_UNSURE, "MISMATCH", true },
		{ { "mch_id", NULL }, WECHAT_UNSURE, "MISMATCH", true },
		{ { "appid", "wx1" }, WECHAT_UNSURE, "MISMATCH", true },
		{ { "appid", NULL }, WECHAT_UNSURE, "MISMATCH", true },
		{ { "return_code", NULL }, WECHAT_UNSURE, "NO_RETURN_CODE",
		  false },
		{ { "return_code", "OK" }, WECHAT_UNSURE, "NO_RETURN_CODE",
		  false },
		{ { "result_code", NULL }, WECHAT_UNSURE, "NO_RESULT_CODE",
		  true },
		{ { "result_code", "success" }, WECHAT_UNSURE,
		  "NO_RESULT_CODE", true },
		/* a FAIL without a code that could be looked up */
		{ { "result_code", "FAIL" }, WECHAT_UNSURE, "ODD_CODE",
		  false },
		{ { "sign_type", "MD5" }, WECHAT_UNSURE, "BAD_SIGN", true },
	};
	struct verdict got;
	size_t tried = 0;

	(void)state;
	for (enum wechat_call call = 0; call < WECHAT_V2_CALLS; call++)
		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			changed_judge(call, &cases[i].change, 1, &got);
			verdict_expect(call_names[call], &got,
			    cases[i].verdict, cases[i].code, cases[i].alarm);
			tried++;
		}
	print_message("    odd answers to each call: %zu\n", tried);
}

/* Whether what says so about sub_mch_id is an answer to this call. */
static bool
provider_is_answered(enum wechat_call call, const char *asked_for,
    const char *said, bool is_success)
{
	bool is_brief = call == WECHAT_CALL_CLOSE
	    || call == WECHAT_CALL_REVERSE || !is_success;

	if (said == NULL || said[0] == '\0')
		return asked_for[0] == '\0' || is_brief;
	return str_eq(said, asked_for);
}

/* O8: for whom.  Another sub-merchant is as far from ours as another merchant,
 * and where we ask as a merchant of our own, so is any. */
static void
test_sub_merchants(void **state)
{
	static const char *const said[] = {
		NULL, "", SUB_MCHID, "1900000111", MCHID, SUB_MCHID " ",
	};
	static const struct payment_payee *const payees[] = {
		&payee, &sub, &sub_app,
	};
	size_t tried = 0, done = 0;

	(void)state;
	for (enum wechat_call call = 0; call < WECHAT_V2_CALLS; call++)
	for (size_t p = 0; p < COUNT_OF(payees); p++)
	for (size_t s = 0; s < COUNT_OF(said); s++)
	for (int is_success = 0; is_success < 2; is_success++) {
		const struct change changes[] = {
			{ "sub_mch_id", said[s] },
			{ "result_code", is_success ? "SUCCESS" : "FAIL" },
			{ "err_code", is_success ? NULL : "SYSTEMERROR" },
		};
		bool is_ours = provider_is_answered(call,
		    payees[p]->sub_mchid, said[s], is_success);
		struct verdict got;
		char what[100];

		judged_payee = payees[p];
		changed_judge(call, changes, COUNT_OF(changes), &got);
		(void)snprintf(what, sizeof(what), "%s for %s: %s",
		    call_names[call], payees[p]->sub_mchid,
		    said[s] == NULL ? "(none)" : said[s]);
		if (!is_ours)
			verdict_expect(what, &got, WECHAT_UNSURE, "MISMATCH",
			    true);
		else if (is_success)
			verdict_expect(what, &got, WECHAT_DONE, "", false);
		else
			verdict_expect(what, &got, WECHAT_UNSURE,
			    "SYSTEMERROR", false);
		done += is_ours && is_success;
		tried++;
	}
	judged_payee = &payee;
	print_message("    sub-merchants named: %zu, done: %zu\n", tried,
	    done);
	assert_int_equal(tried, 7 * 3 * 6 * 2);
	assert_int_equal(done, 7 * 2 + 2 * (7 + 2 * 2));
}

/* The payer as the account knows him that he was asked under. */
static void
test_provider_facts(void **state)
{
	static const struct {
		const char *sub_openid, *openid, *read;
	} payers[] = {
		{ "oSub", "oOwn", "oSub" }, { "oSub", NULL, "oSub" },
		{ NULL, "oOwn", "oOwn" }, { "", "oOwn", "oOwn" },
		{ "o u", "oOwn", "oOwn" }, { NULL, NULL, "" },
	};
	struct verdict got;

	(void)state;
	judged_payee = &sub_app;
	for (size_t i = 0; i < 2 * COUNT_OF(payers); i++) {
		const struct change changes[] = {
			{ "sub_mch_id", SUB_MCHID },
			{ "sub_openid", payers[i / 2].sub_openid },
			{ "openid", payers[i / 2].openid },
		};

		changed_judge(i % 2 == 0 ? WECHAT_CALL_QUERY
		    : WECHAT_CALL_MICROPAY, changes, COUNT_OF(changes), &got);
		verdict_expect(payers[i / 2].read, &got, WECHAT_DONE, "",
		    false);
		assert_string_equal(got.payment.openid, payers[i / 2].read);
		assert_string_equal(got.payment.mchid, MCHID);
		assert_string_equal(got.payment.appid, APPID);
		assert_string_equal(got.payment.sub_mchid, SUB_MCHID);
	}
	changed_judge(WECHAT_CALL_QUERY_REFUND, &(struct change){
	    "sub_mch_id", SUB_MCHID }, 1, &got);
	verdict_expect("query refund", &got, WECHAT_DONE, "", false);
	assert_string_equal(got.refund.sub_mchid, SUB_MCHID);
	judged_payee = &payee;
	changed_judge(WECHAT_CALL_QUERY, NULL, 0, &got);
	assert_string_equal(got.payment.sub_mchid, "");
}

/* O3: SUCCESS or FAIL, unsigned or wrongly signed, decides nothing. */
static void
test_unproved(void **state)
{
	static const char *const results[] = { "SUCCESS", "FAIL" };
	static const char *const signs[] = {
		NULL, "", "00000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000"
		"000",
	};
	size_t tried = 0;

	(void)state;
	for (enum wechat_call call = 0; call < WECHAT_V2_CALLS; call++)
	for (size_t r = 0; r < COUNT_OF(results); r++)
	for (size_t s = 0; s < COUNT_OF(signs); s++) {
		const struct change changes[] = {
			{ "result_code", results[r] },
			{ "err_code", "ORDERNOTEXIST" },
			{ "sign", signs[s] },
		};
		struct fields fields = { 0 };
		struct verdict got;
		struct buf xml;
		bool is_absent = signs[s] == NULL || signs[s][0] == '\0';

		buf_init(&xml, XMLMSG_MAX);
		fields_change(&fields, answers[call].list,
		    answers[call].count, changes, COUNT_OF(changes));
		xmlmsg_format(&fields, &xml);
		bytes_judge(SIGN2_HMAC_SHA256, call, &native, xml.data,
		    xml.len, &got);
		verdict_expect(call_names[call], &got, WECHAT_UNSURE,
		    is_absent ? "NO_SIGN" : "BAD_SIGN", true);
		buf_clear(&xml);
		fields_clear(&fields);
		tried++;
	}
	print_message("    unproved answers: %zu\n", tried);
}

/* Every code of v2.md 7.3 to 7.5 and 16.1 to 16.4, and some of none. */
static const struct code_case {
	const char *err_code;
	enum wechat_verdict verdict;
	bool alarm;
} cases_prepay[] = {
	{ "SYSTEMERROR", WECHAT_UNSURE, false },
	{ "INVALID_REQUEST", WECHAT_REFUSED, false },
	{ "ORDERPAID", WECHAT_PAID, false },
	{ "ORDERCLOSED", WECHAT_CLOSED, false },
	{ "OUT_TRADE_NO_USED", WECHAT_UNSURE, false },
	{ "NOTENOUGH", WECHAT_REFUSED, false },
	{ "NOAUTH", WECHAT_REFUSED, true },
	{ "APPID_NOT_EXIST", WECHAT_REFUSED, true },
	{ "MCHID_NOT_EXIST", WECHAT_REFUSED, true },
	{ "APPID_MCHID_NOT_MATCH", WECHAT_REFUSED, true },
	{ "LACK_PARAMS", WECHAT_REFUSED, true },
	{ "PARAM_ERROR", WECHAT_REFUSED, true },
	{ "SIGNERROR", WECHAT_REFUSED, true },
	{ "XML_FORMAT_ERROR", WECHAT_REFUSED, true },
	{ "POST_DATA_EMPTY", WECHAT_REFUSED, true },
	{ "REQUIRE_POST_METHOD", WECHAT_REFUSED, true },
	{ "NOT_UTF8", WECHAT_REFUSED, true },
	{ "TRADE_ERROR", WECHAT_REFUSED, false },
	{ "RULELIMIT", WECHAT_REFUSED, false },
	{ "FREQUENCY_LIMITED", WECHAT_AGAIN, false },
}, cases_query[] = {
	{ "ORDERNOTEXIST", WECHAT_MISSING, false },
	{ "SYSTEMERROR", WECHAT_UNSURE, false },
	{ "FREQUENCY_LIMITED", WECHAT_AGAIN, false },
	{ "SIGNERROR", WECHAT_REFUSED, true },
	{ "PARAM_ERROR", WECHAT_REFUSED, true },
	{ "LACK_PARAMS", WECHAT_REFUSED, true },
	{ "APPID_NOT_EXIST", WECHAT_REFUSED, true },
	{ "MCHID_NOT_EXIST", WECHAT_REFUSED, true },
	{ "APPID_MCHID_NOT_MATCH", WECHAT_REFUSED, true },
	{ "INVALID_TRANSACTIONID", WECHAT_REFUSED, true },
	{ "XML_FORMAT_ERROR", WECHAT_REFUSED, true },
	{ "POST_DATA_EMPTY", WECHAT_REFUSED, true },
	{ "REQUIRE_POST_METHOD", WECHAT_REFUSED, true },
	/* what would move a payment, from where it does not belong */
	{ "ORDERPAID", WECHAT_UNSURE, false },
	{ "ORDERCLOSED", WECHAT_UNSURE, false },
}, cases_close[] = {
	{ "ORDERPAID", WECHAT_PAID, false },
	{ "SYSTEMERROR", WECHAT_UNSURE, false },
	{ "ORDERCLOSED", WECHAT_CLOSED, false },
	{ "ORDERNOTEXIST", WECHAT_MISSING, false },
	{ "TRADE_STATE_ERROR", WECHAT_UNSURE, false },
	{ "FREQUENCY_LIMITED", WECHAT_AGAIN, false },
	{ "SIGNERROR", WECHAT_REFUSED, true },
	{ "REQUIRE_POST_METHOD", WECHAT_REFUSED, true },
	{ "XML_FORMAT_ERROR", WECHAT_REFUSED, true },
	{ "PARAM_ERROR", WECHAT_REFUSED, true },
}, cases_refund[] = {
	{ "SYSTEMERROR", WECHAT_UNSURE, false },
	{ "BIZERR_NEED_RETRY", WECHAT_UNSURE, false },
	{ "FREQUENCY_LIMITED", WECHAT_AGAIN, false },
	{ "INVALID_REQ_TOO_MUCH", WECHAT_AGAIN, true },
	{ "ORDER_NOT_READY", WECHAT_AGAIN, false },
	{ "NOTENOUGH", WECHAT_NO_MONEY, false },
	{ "TRADE_OVERDUE", WECHAT_REFUSED, false },
	{ "ERROR", WECHAT_REFUSED, false },
	{ "USER_ACCOUNT_ABNORMAL", WECHAT_REFUSED, false },
	{ "REFUND_FEE_MISMATCH", WECHAT_UNSURE, true },
	{ "INVALID_TRANSACTIONID", WECHAT_REFUSED, true },
	{ "ORDERNOTEXIST", WECHAT_REFUSED, true },
	{ "INVALID_REQUEST", WECHAT_UNSURE, false },
	{ "NOAUTH", WECHAT_REFUSED, true },
	{ "CERT_ERROR", WECHAT_REFUSED, true },
	{ "PARAM_ERROR", WECHAT_REFUSED, true },
	{ "APPID_NOT_EXIST", WECHAT_REFUSED, true },
	{ "MCHID_NOT_EXIST", WECHAT_REFUSED, true },
	{ "SIGNERROR", WECHAT_REFUSED, true },
	{ "XML_FORMAT_ERROR", WECHAT_REFUSED, true },
	{ "REQUIRE_POST_METHOD", WECHAT_REFUSED, true },
	/* codes of other endpoints are no codes here: money may be moving */
	{ "LACK_PARAMS", WECHAT_UNSURE, false },
	{ "REFUNDNOTEXIST", WECHAT_UNSURE, false },
	{ "NO_AUTH", WECHAT_UNSURE, false },
	{ "SIGN_ERROR", WECHAT_UNSURE, false },
}, cases_query_refund[] = {
	{ "SYSTEMERROR", WECHAT_UNSURE, false },
	{ "REFUNDNOTEXIST", WECHAT_MISSING, false },
	{ "INVALID_TRANSACTIONID", WECHAT_REFUSED, true },
	{ "PARAM_ERROR", WECHAT_REFUSED, true },
	{ "APPID_NOT_EXIST", WECHAT_REFUSED, true },
	{ "MCHID_NOT_EXIST", WECHAT_REFUSED, true },
	{ "SIGNERROR", WECHAT_REFUSED, true },
	{ "XML_FORMAT_ERROR", WECHAT_REFUSED, true },
	{ "REQUIRE_POST_METHOD", WECHAT_REFUSED, true },
	{ "INVALID_REQUEST", WECHAT_REFUSED, true },
	{ "FREQUENCY_LIMITED", WECHAT_AGAIN, false },
	{ "ORDERNOTEXIST", WECHAT_UNSURE, false },
	{ "NOTENOUGH", WECHAT_UNSURE, false },
}, cases_micropay[] = {
	{ "SYSTEMERROR", WECHAT_UNSURE, false },
	{ "BANKERROR", WECHAT_UNSURE, false },
	{ "USERPAYING", WECHAT_UNSURE, false },
	{ "ORDERPAID", WECHAT_PAID, false },
	{ "AUTHCODEEXPIRE", WECHAT_REFUSED, false },
	{ "AUTH_CODE_ERROR", WECHAT_REFUSED, false },
	{ "AUTH_CODE_INVALID", WECHAT_REFUSED, false },
	{ "NOTENOUGH", WECHAT_REFUSED, false },
	{ "NOTSUPORTCARD", WECHAT_REFUSED, false },
	{ "ORDERCLOSED", WECHAT_CLOSED, false },
	{ "ORDERREVERSED", WECHAT_CLOSED, false },
	{ "BUYER_MISMATCH", WECHAT_REFUSED, false },
	{ "OUT_TRADE_NO_USED", WECHAT_UNSURE, true },
	{ "TRADE_ERROR", WECHAT_REFUSED, false },
	{ "RULELIMIT", WECHAT_REFUSED, false },
	{ "NOAUTH", WECHAT_REFUSED, true },
	{ "PARAM_ERROR", WECHAT_REFUSED, true },
	{ "LACK_PARAMS", WECHAT_REFUSED, true },
	{ "APPID_NOT_EXIST", WECHAT_REFUSED, true },
	{ "MCHID_NOT_EXIST", WECHAT_REFUSED, true },
	{ "APPID_MCHID_NOT_MATCH", WECHAT_REFUSED, true },
	{ "SIGNERROR", WECHAT_REFUSED, true },
	{ "XML_FORMAT_ERROR", WECHAT_REFUSED, true },
	{ "REQUIRE_POST_METHOD", WECHAT_REFUSED, true },
	{ "NOT_UTF8", WECHAT_REFUSED, true },
	{ "INVALID_REQUEST", WECHAT_UNSURE, false },
	{ "FREQUENCY_LIMITED", WECHAT_UNSURE, false },
}, cases_reverse[] = {
	{ "SYSTEMERROR", WECHAT_UNSURE, false },
	{ "INVALID_TRANSACTIONID", WECHAT_DENIED, true },
	{ "PARAM_ERROR", WECHAT_DENIED, true },
	{ "SIGNERROR", WECHAT_DENIED, true },
	{ "REQUIRE_POST_METHOD", WECHAT_DENIED, true },
	{ "XML_FORMAT_ERROR", WECHAT_DENIED, true },
	{ "REVERSE_EXPIRE", WECHAT_REFUSED, true },
	{ "TRADE_ERROR", WECHAT_REFUSED, true },
	{ "INVALID_REQUEST", WECHAT_UNSURE, false },
	{ "USERPAYING", WECHAT_AGAIN, false },
	{ "NOTENOUGH", WECHAT_NO_MONEY, true },
	/* would end it, and is no word of this call */
	{ "ORDERCLOSED", WECHAT_UNSURE, false },
	{ "ORDERREVERSED", WECHAT_UNSURE, false },
}, cases_of_none[] = {
	{ "BANKERROR", WECHAT_UNSURE, false },
	{ "systemerror", WECHAT_UNSURE, false },
	{ "ORDERPAID_", WECHAT_UNSURE, false },
	{ "BRAND_NEW_CODE_OF_32_CHARACTERS_", WECHAT_UNSURE, false },
};

static void
test_codes(void **state)
{
	static const struct {
		const struct code_case *list;
		size_t count;
	} cases[WECHAT_V2_CALLS] = {
		{ cases_prepay, COUNT_OF(cases_prepay) },
		{ cases_query, COUNT_OF(cases_query) },
		{ cases_close, COUNT_OF(cases_close) },
		{ cases_refund, COUNT_OF(cases_refund) },
		{ cases_query_refund, COUNT_OF(cases_query_refund) },
		{ cases_micropay, COUNT_OF(cases_micropay) },
		{ cases_reverse, COUNT_OF(cases_reverse) },
	};
	size_t tried = 0;

	(void)state;
	for (enum wechat_call call = 0; call < WECHAT_V2_CALLS; call++)
		for (size_t i = 0; i < cases[call].count
		    + COUNT_OF(cases_of_none); i++) {
			const struct code_case *one = i < cases[call].count
			    ? &cases[call].list[i]
			    : &cases_of_none[i - cases[call].count];
			const struct change changes[] = {
				{ "result_code", "FAIL" },
				{ "err_code", one->err_code },
				{ "err_code_des", "说明" },
			};
			struct verdict got;
			char what[80];

			changed_judge(call, changes, COUNT_OF(changes), &got);
			(void)snprintf(what, sizeof(what), "%s %s",
			    call_names[call], one->err_code);
			verdict_expect(what, &got, one->verdict,
			    one->err_code, one->alarm);
			assert_string_equal(got.answer.text, "说明");
			tried++;
		}
	print_message("    error codes: %zu\n", tried);
}

/* What only looks like a code is not passed on as one. */
static void
test_odd_codes(void **state)
{
	static const char *const codes[] = {
		"", "A CODE", "A\nB", "代码", "'; drop table",
		"A_CODE_OF_MORE_THAN_32_CHARACTERS", "<b>",
	};
	struct verdict got;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		const struct change changes[] = {
			{ "result_code", "FAIL" }, { "err_code", codes[i] },
		};

		changed_judge(WECHAT_CALL_REFUND, changes,
		    COUNT_OF(changes), &got);
		verdict_expect(codes[i], &got, WECHAT_UNSURE, "ODD_CODE",
		    false);
	}
}

/* WeChat's words for people are cut between characters. */
static void
test_long_text(void **state)
{
	struct buf text;
	struct verdict got;

	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		struct change changes[] = {
			{ "result_code", "FAIL" }, { "err_code", "ERROR" },
			{ "err_code_des", NULL },
		};

		buf_init(&text, 4096);
		for (size_t i = 0; i < shift; i++)
			buf_char(&text, 'x');
		for (size_t i = 0; i < 128; i++)
			buf_text(&text, "错");
		changes[2].value = buf_get(&text);
		changed_judge(WECHAT_CALL_REFUND, changes,
		    COUNT_OF(changes), &got);
		verdict_expect("long", &got, WECHAT_REFUSED, "ERROR", false);
		assert_in_range(strlen(got.answer.text), 197, 199);
		buf_clear(&text);
	}
}

/* return_code FAIL is never signed. [v2.md 3.3, 4] */
static void
test_turned_away(void **state)
{
	static const struct {
		const char *return_msg;
		bool is_denied, is_denied_refund;
	} cases[] = {
		{ "签名错误", true, true }, { "签名失败", true, true },
		{ "appid不存在", true, true }, { "mch_id参数错误", true, true },
		{ "缺少参数", true, true }, { "XML格式错误", true, true },
		{ "invalid appid", true, true },
		/* not among the words that we know */
		{ "", true, false }, { "OK", true, false },
		{ "No Bill Exist", true, false },
		{ "订单已全额退款", true, false },
		/* WeChat's own trouble */
		{ "系统错误", false, false }, { "SYSTEMERROR", false, false },
		{ "system error", false, false },
		{ "System Busy", false, false }, { "系统繁忙", false, false },
		{ "频率超限", false, false }, { "请求过于频繁", false, false },
		{ "frequency limited", false, false },
		{ "请稍后重试", false, false }, { "timeout", false, false },
		{ "签名错误,系统超时", false, false },
	};
	size_t tried = 0;

	(void)state;
	for (enum wechat_call call = 0; call < WECHAT_V2_CALLS; call++)
		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			bool denied = call == WECHAT_CALL_REFUND
			    || call == WECHAT_CALL_REVERSE
			    ? cases[i].is_denied_refund : cases[i].is_denied;
			struct verdict got;
			char xml[512];
			int len;

			len = snprintf(xml, sizeof(xml),
			    "<xml><return_code>FAIL</return_code><return_msg>"
			    "<![CDATA[%s]]></return_msg></xml>",
			    cases[i].return_msg);
			bytes_judge(SIGN2_MD5, call, &native, xml,
			    (size_t)len, &got);
			verdict_expect(cases[i].return_msg, &got,
			    denied ? WECHAT_DENIED : WECHAT_UNSURE,
			    "RETURN_FAIL", denied);
			assert_string_equal(got.answer.text,
			    cases[i].return_msg);
			tried++;
		}
	print_message("    return_code FAIL: %zu\n", tried);
}

/* O2, O4 and the rest of the wire: nothing that came is believed. */
static void
test_wire(void **state)
{
	static const struct {
		bool sent;
		const char *code;
		long status;
		const char *body;
		enum wechat_verdict verdict;
		const char *want;
	} cases[] = {
		{ false, "NO_HOST", 0, "", WECHAT_NOT_SENT, "NO_HOST" },
		{ false, "NO_TLS", 0, "", WECHAT_NOT_SENT, "NO_TLS" },
		{ false, "TIMEOUT", 0, "", WECHAT_NOT_SENT, "TIMEOUT" },
		{ true, "TIMEOUT", 0, "", WECHAT_UNSURE, "TIMEOUT" },
		{ true, "CUT", 0, "<xml>", WECHAT_UNSURE, "CUT" },
		{ true, "TOO_LONG", 0, "", WECHAT_UNSURE, "TOO_LONG" },
		{ true, "", 204, "", WECHAT_UNSURE, "HTTP_204" },
		{ true, "", 302, "", WECHAT_UNSURE, "HTTP_302" },
		{ true, "", 400, "<html/>", WECHAT_UNSURE, "HTTP_400" },
		{ true, "", 429, "", WECHAT_UNSURE, "HTTP_429" },
		{ true, "", 500, "", WECHAT_UNSURE, "HTTP_500" },
		{ true, "", 502, "x", WECHAT_UNSURE, "HTTP_502" },
		{ true, "", 200, "", WECHAT_UNSURE, "BAD_XML" },
		{ true, "", 200, "garbage", WECHAT_UNSURE, "BAD_XML" },
		{ true, "", 200, "<html></html>", WECHAT_UNSURE, "BAD_XML" },
		{ true, "", 200, "<xml><return_code>SUCCESS</return_code>",
		  WECHAT_UNSURE, "BAD_XML" },
		{ true, "", 200, "<!DOCTYPE x><xml></xml>", WECHAT_UNSURE,
		  "BAD_XML" },
		{ true, "", 200, "{\"code\":\"SUCCESS\"}", WECHAT_UNSURE,
		  "BAD_XML" },
		{ true, "", 200, "<xml></xml>", WECHAT_UNSURE,
		  "NO_RETURN_CODE" },
	};
	const struct wechat_v2 v2 = v2_of(SIGN2_MD5);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
	for (enum wechat_call call = 0; call < WECHAT_V2_CALLS; call++) {
		struct wechat_http_reply reply = {
			.sent = cases[i].sent, .code = cases[i].code,
			.status = cases[i].status,
		};
		struct verdict got;

		buf_init(&reply.body, WECHAT_HTTP_MAX);
		buf_text(&reply.body, cases[i].body);
		reply_judge(&v2, call, &native, &reply, &got);
		verdict_expect(call_names[call], &got, cases[i].verdict,
		    cases[i].want, false);
		buf_clear(&reply.body);
	}
	print_message("    ways to fail on the wire: %zu, each call\n",
	    COUNT_OF(cases));
}

/* Every right answer cut at every byte. */
static void
test_cut_anywhere(void **state)
{
	size_t tried = 0;

	(void)state;
	for (enum wechat_call call = 0; call < WECHAT_V2_CALLS; call++) {
		struct fields fields = { 0 };
		struct err err = { 0 };
		char sign[SIGN2_SIZE];
		struct verdict got;
		struct buf xml;

		buf_init(&xml, XMLMSG_MAX);
		fields_change(&fields, answers[call].list,
		    answers[call].count, NULL, 0);
		assert_true(sign2_sign(&fields, SIGN2_MD5, api_key, sign,
		    &err));
		assert_true(fields_add(&fields, "sign", sign, &err));
		xmlmsg_format(&fields, &xml);
		for (size_t len = 0; len < xml.len; len++) {
			bytes_judge(SIGN2_MD5, call, &native, xml.data, len,
			    &got);
			verdict_expect("cut", &got, WECHAT_UNSURE, "BAD_XML",
			    false);
			tried++;
		}
		bytes_judge(SIGN2_MD5, call, &native, xml.data, xml.len,
		    &got);
		verdict_expect("whole", &got, WECHAT_DONE, "", false);
		/* and none of them is believed under the other type */
		bytes_judge(SIGN2_HMAC_SHA256, call, &native, xml.data,
		    xml.len, &got);
		verdict_expect("other type", &got, WECHAT_UNSURE, "BAD_SIGN",
		    true);
		buf_clear(&xml);
		fields_clear(&fields);
	}
	print_message("    cut answers: %zu\n", tried);
}

/* refundquery may list other refunds before ours. */
static void
test_refund_among_others(void **state)
{
	struct verdict got;
	size_t i;

	(void)state;
	for (i = 1; i < 50; i++) {
		char names[5][40];
		const struct change changes[] = {
			{ "out_refund_no_0", "R1" }, { "refund_fee_0", "7" },
			{ names[0], REFUND_NO }, { names[1], REFUND_ID },
			{ names[2], "44" }, { names[3], "CHANGE" },
		};

		(void)snprintf(names[0], 40, "out_refund_no_%zu", i);
		(void)snprintf(names[1], 40, "refund_id_%zu", i);
		(void)snprintf(names[2], 40, "refund_fee_%zu", i);
		(void)snprintf(names[3], 40, "refund_status_%zu", i);
		changed_judge(WECHAT_CALL_QUERY_REFUND, changes,
		    COUNT_OF(changes), &got);
		verdict_expect(names[0], &got, WECHAT_DONE, "", false);
		assert_int_equal(got.refund.refund_fen, 44);
		assert_int_equal(got.refund.fate, REFUND_ABNORMAL);
		assert_int_equal(got.refund.refunded_at, 0);
	}
	print_message("    places in a list: %zu\n", i - 1);
}

/* ------------------------------------------------------------------ vectors */

/* Which call each stands for, and what it must come to. */
static const struct {
	const char *id;
	enum wechat_call call;
	enum wechat_verdict verdict;
	const char *code;
	bool alarm;
} vector_cases[] = {
	{ "resp-unifiedorder-ok", WECHAT_CALL_PREPAY, WECHAT_DONE, "",
	  false },
	{ "resp-unifiedorder-orderpaid", WECHAT_CALL_PREPAY, WECHAT_PAID,
	  "ORDERPAID", false },
	{ "resp-return-fail", WECHAT_CALL_PREPAY, WECHAT_DENIED,
	  "RETURN_FAIL", true },
	{ "resp-bad-sign", WECHAT_CALL_PREPAY, WECHAT_UNSURE, "BAD_SIGN",
	  true },
	{ "resp-query-success", WECHAT_CALL_QUERY, WECHAT_DONE, "",
	  false },
	{ "resp-query-notpay", WECHAT_CALL_QUERY, WECHAT_DONE, "", false },
	/* of a micropay order, with another number than the one asked for */
	{ "resp-query-userpaying", WECHAT_CALL_QUERY, WECHAT_UNSURE,
	  "MISMATCH", true },
	{ "resp-query-notexist", WECHAT_CALL_QUERY, WECHAT_MISSING,
	  "ORDERNOTEXIST", false },
	{ "resp-micropay-userpaying", WECHAT_CALL_PREPAY, WECHAT_UNSURE,
	  "USERPAYING", false },
	{ "resp-micropay-systemerror", WECHAT_CALL_PREPAY, WECHAT_UNSURE,
	  "SYSTEMERROR", false },
	{ "resp-reverse-recall", WECHAT_CALL_CLOSE, WECHAT_UNSURE,
	  "SYSTEMERROR", false },
	{ "resp-refund-accepted", WECHAT_CALL_REFUND, WECHAT_DONE, "",
	  false },
	{ "resp-refund-notenough", WECHAT_CALL_REFUND, WECHAT_NO_MONEY,
	  "NOTENOUGH", false },
	{ "resp-refundquery-two", WECHAT_CALL_QUERY_REFUND, WECHAT_DONE,
	  "", false },
	{ "resp-html-404", WECHAT_CALL_QUERY, WECHAT_UNSURE, "BAD_XML",
	  false },
	{ "resp-bill-error", WECHAT_CALL_QUERY, WECHAT_DENIED,
	  "RETURN_FAIL", true },
};

static void
test_response_vectors(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "response", 16);
	size_t i;
	json_t *vector;

	(void)state;
	assert_int_equal(COUNT_OF(vector_cases), 16);
	json_array_foreach(list, i, vector) {
		const char *xml = vector_text(vector, "xml");
		enum sign2_type type = 0;
		struct verdict got;

		assert_string_equal(vector_text(vector, "id"),
		    vector_cases[i].id);
		assert_string_equal(vector_text(vector, "key"), KEY);
		assert_true(sign2_type_parse(vector_text(vector, "sign_type"),
		    &type));
		bytes_judge(type, vector_cases[i].call, &jsapi, xml,
		    strlen(xml), &got);
		verdict_expect(vector_cases[i].id, &got,
		    vector_cases[i].verdict, vector_cases[i].code,
		    vector_cases[i].alarm);
	}
	json_decref(all);
}

/* NULL for what is not ours: a printed code's. */
static const json_t *
client_invoke_object(const json_t *vector, bool *is_app)
{
	const json_t *params = json_object_get(vector, "signed_params");
	const char *first = json_string_value(json_array_get(json_array_get(
	    params, 0), 0));

	*is_app = str_eq(first, "appid") && json_array_size(params) == 6;
	return *is_app || (str_eq(first, "appId")
	    && json_array_size(params) == 5)
	    ? json_object_get(vector, "object_for_client") : NULL;
}

/*
 * One signature serves WeixinJSBridge, wx.requestPayment and wx.chooseWXPay:
 * they differ in which of the six are passed on, and how they call the time.
 * An app has names of its own.
 */
static void
test_client_vectors(void **state)
{
	json_t *all = vectors_open();
	const json_t *list = vectors_list(all, "client_invoke", 9);
	size_t i, pages = 0, apps = 0;
	json_t *vector;

	(void)state;
	json_array_foreach(list, i, vector) {
		bool is_app = false;
		const json_t *want = client_invoke_object(vector, &is_app);
		struct wechat_v2 v2 = v2_of(SIGN2_MD5);
		struct fields fields = { 0 };
		struct err err = { 0 };
		const char *name;
		json_t *value;

		assert_string_equal(vector_text(vector, "key"), KEY);
		assert_true(sign2_type_parse(vector_text(vector, "sign_type"),
		    &v2.sign_type));
		if (want == NULL)
			continue;
		assert_true((is_app ? wechat_v2_app : wechat_v2_jsapi)(&v2,
		    APPID, PREPAY_ID, "5K8264ILTKCH16CQ2502SI8ZNMTM67VS",
		    1414561699, &fields, &err));
		assert_int_equal(fields.count, is_app ? 7 : 6);
		json_object_foreach((json_t *)want, name, value)
			expect(str_eq(fields_text(&fields,
			    !is_app && str_eq(name, "timestamp")
			    ? "timeStamp" : name),
			    json_string_value(value)), "%s: %s",
			    vector_text(vector, "id"), name);
		fields_clear(&fields);
		pages += !is_app;
		apps += is_app;
	}
	print_message("    of them pages in WeChat: %zu, apps: %zu\n", pages,
	    apps);
	assert_int_equal(pages, 6);
	assert_int_equal(apps, 2);
	json_decref(all);
}

static int
start(void **state)
{
	struct err err = { 0 };

	(void)state;
	xmlmsg_start();
	return secret_new(KEY, strlen(KEY), &api_key, &err) ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	secret_free(api_key);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_requests_repeat),
		cmocka_unit_test(test_provider_requests),
		cmocka_unit_test(test_provider_bytes),
		cmocka_unit_test(test_product_id),
		cmocka_unit_test(test_right_answers),
		cmocka_unit_test(test_by_transaction_id),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_one_field),
		cmocka_unit_test(test_every_call),
		cmocka_unit_test(test_sub_merchants),
		cmocka_unit_test(test_provider_facts),
		cmocka_unit_test(test_unproved),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_odd_codes),
		cmocka_unit_test(test_long_text),
		cmocka_unit_test(test_turned_away),
		cmocka_unit_test(test_wire),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_refund_among_others),
		cmocka_unit_test(test_response_vectors),
		cmocka_unit_test(test_client_vectors),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
