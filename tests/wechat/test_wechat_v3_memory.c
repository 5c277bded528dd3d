/* wechat, V3: every allocation fails once in turn; what is sent is whole or
 * not sent, what is judged is judged rightly or unsure, and nothing leaks. */
#include "../fault.h"

#include <openssl/err.h>

#include "wechat/wechat_v3.h"
#include "wechat/wechat_v3_certs.h"

#include "reply3.h"

#define TRADE_NO "G20260101000001"
#define REFUND_NO "R20260101000001"
#define NONCE "5d2b6c2a8db53831f7eda20af46e531c"
#define AMOUNT "\"amount\":{\"total\":101,\"refund\":51,\"currency\":\"CNY\"}"

static const struct payment payment = {
	.api = PAYMENT_V3, .out_trade_no = TRADE_NO, .payee.appid = W3_APPID,
	.trade_type = "JSAPI", .openid = "o", .client_ip = "203.0.113.7",
	.body = "茶", .attach = "a",
	.total_fen = 101, .time_expire = W3_NOW,
};
static const struct payment_key key = {
	.api = PAYMENT_V3, .payee.appid = W3_APPID, .out_trade_no = TRADE_NO,
};
static const struct refund refund = {
	.api = PAYMENT_V3, .out_refund_no = REFUND_NO,
	.out_trade_no = TRADE_NO, .payee.appid = W3_APPID, .reason = "已售完",
	.total_fen = 101, .refund_fen = 51, .from_recharge = true,
};

/* The same for a sub-merchant; what one says of it and the other. */
#define SUB "{\"sp_appid\":\"" W3_APPID "\",\"sp_mchid\":\"" W3_MCHID "\"," \
	"\"sub_appid\":\"" W3_SUB_APPID "\",\"sub_mchid\":\"" W3_SUB_MCHID "\","

static const struct payment_payee sub = {
	.appid = W3_APPID, .sub_mchid = W3_SUB_MCHID,
	.sub_appid = W3_SUB_APPID,
};

static struct sign3_key *merchant;
static struct secret *apiv3_key;
static struct wechat_keys *keys;
static struct wechat_v3 v3;
static struct wechat_http_reply prepaid, paid, paid_sub, closed, refunded,
    missing, listed, forged;

static struct wechat_http_reply
reply_of(enum reply3_way way, long status, const char *body)
{
	return reply3_of(way, status, body, strlen(body));
}

static int
start(void **state)
{
	struct secret *pem = NULL;
	struct buf body;

	(void)state;
	reply3_start();
	merchant = w3_private("v3-merchant-key.pem");
	apiv3_key = secret_of(W3_APIV3_KEY, strlen(W3_APIV3_KEY));
	keys = reply3_keys(true, true);
	v3 = (struct wechat_v3){ .mchid = W3_MCHID, .serial = W3_SERIAL_A,
		.key = merchant, .keys = keys,
		.public_url = "https://pay.example.com" };
	prepaid = reply_of(REPLY3_BY_CERT, 200, "{\"prepay_id\":\"wx1\"}");
	paid = reply_of(REPLY3_BY_CERT, 200, "{\"mchid\":\"" W3_MCHID "\","
	    "\"appid\":\"" W3_APPID "\",\"out_trade_no\":\"" TRADE_NO "\","
	    "\"trade_state\":\"NOTPAY\"}");
	paid_sub = reply_of(REPLY3_BY_CERT, 200, SUB "\"out_trade_no\":\""
	    TRADE_NO "\",\"trade_state\":\"NOTPAY\"}");
	closed = reply_of(REPLY3_BY_CERT, 204, "");
	refunded = reply_of(REPLY3_BY_CERT, 200, "{\"refund_id\":\"5\","
	    "\"out_refund_no\":\"" REFUND_NO "\",\"out_trade_no\":\""
	    TRADE_NO "\",\"transaction_id\":\"4\",\"status\":\"PROCESSING\","
	    AMOUNT "}");
	missing = reply_of(REPLY3_UNSIGNED, 404,
	    "{\"code\":\"RESOURCE_NOT_EXISTS\",\"message\":\"无\"}");
	forged = reply_of(REPLY3_BY_STRANGER, 200,
	    "{\"prepay_id\":\"wx1\"}");
	buf_init(&body, WECHAT_HTTP_MAX);
	buf_text(&body, "{\"data\":[{\"serial_no\":\"" W3_SERIAL_B "\","
	    "\"encrypt_certificate\":");
	pem = w3_pem("v3-platform-b-cert.pem");
	w3_resource(secret_bytes(pem), secret_len(pem), "certificate",
	    W3_APIV3_KEY, &body);
	secret_free(pem);
	buf_text(&body, "}]}");
	listed = reply_of(REPLY3_BY_CERT, 200, buf_get(&body));
	buf_clear(&body);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	buf_clear(&listed.body);
	buf_clear(&forged.body);
	buf_clear(&missing.body);
	buf_clear(&refunded.body);
	buf_clear(&closed.body);
	buf_clear(&paid_sub.body);
	buf_clear(&paid.body);
	buf_clear(&prepaid.body);
	wechat_keys_close(keys);
	secret_free(apiv3_key);
	sign3_key_free(merchant);
	reply3_stop();
	return 0;
}

/* Formatted, it is signed; and both are whole. */
static bool
request_end(bool ok, struct wechat_v3_request *request, const char *body,
    struct err *err)
{
	ok = ok && wechat_v3_request_sign(&v3, NONCE, W3_NOW, request, err);
	if (ok) {
		assert_string_equal(buf_get(&request->body), body);
		assert_non_null(strstr(request->headers[0], "signature=\""));
		assert_non_null(strstr(request->headers[0], W3_SERIAL_A));
	}
	assert_int_equal(ERR_peek_error(), 0);
	wechat_v3_request_clear(request);
	return ok;
}

static bool
run_prepay_format(struct err *err)
{
	struct wechat_v3_request request;
	bool ok;

	wechat_v3_request_init(&request);
	ok = wechat_v3_prepay_format(&v3, &payment, &request, err);
	return request_end(ok, &request, "{\"appid\":\"" W3_APPID "\","
	    "\"mchid\":\"" W3_MCHID "\",\"description\":\"茶\","
	    "\"out_trade_no\":\"" TRADE_NO "\",\"time_expire\":"
	    "\"2026-01-01T10:00:00+08:00\",\"attach\":\"a\",\"notify_url\":"
	    "\"https://pay.example.com/notify/paid\",\"amount\":{\"total\":"
	    "101,\"currency\":\"CNY\"},\"payer\":{\"openid\":\"o\"}}", err);
}

static bool
run_prepay_format_h5(struct err *err)
{
	struct wechat_v3_request request;
	struct payment h5 = payment;
	bool ok;

	memcpy(h5.trade_type, "MWEB", sizeof("MWEB"));
	h5.openid[0] = '\0';
	wechat_v3_request_init(&request);
	ok = wechat_v3_prepay_format(&v3, &h5, &request, err);
	return request_end(ok, &request, "{\"appid\":\"" W3_APPID "\","
	    "\"mchid\":\"" W3_MCHID "\",\"description\":\"茶\","
	    "\"out_trade_no\":\"" TRADE_NO "\",\"time_expire\":"
	    "\"2026-01-01T10:00:00+08:00\",\"attach\":\"a\",\"notify_url\":"
	    "\"https://pay.example.com/notify/paid\",\"amount\":{\"total\":"
	    "101,\"currency\":\"CNY\"},\"scene_info\":{"
	    "\"payer_client_ip\":\"203.0.113.7\",\"h5_info\":{\"type\":"
	    "\"Wap\"}}}", err);
}

static bool
run_prepay_format_sub(struct err *err)
{
	struct wechat_v3_request request;
	struct payment made = payment;
	bool ok;

	made.payee = sub;
	wechat_v3_request_init(&request);
	ok = wechat_v3_prepay_format(&v3, &made, &request, err);
	return request_end(ok, &request, SUB "\"description\":\"茶\","
	    "\"out_trade_no\":\"" TRADE_NO "\",\"time_expire\":"
	    "\"2026-01-01T10:00:00+08:00\",\"attach\":\"a\",\"notify_url\":"
	    "\"https://pay.example.com/notify/paid\",\"amount\":{\"total\":"
	    "101,\"currency\":\"CNY\"},\"payer\":{\"sub_openid\":\"o\"}}",
	    err);
}

/* Half a target would ask about another, or for another. */
static bool
run_query_format_sub(struct err *err)
{
	struct wechat_v3_request request;
	struct payment_key asked = key;
	bool ok;

	asked.payee = sub;
	wechat_v3_request_init(&request);
	ok = wechat_v3_query_format(&v3, &asked, &request, err);
	if (ok)
		assert_string_equal(buf_get(&request.target),
		    "/v3/pay/partner/transactions/out-trade-no/" TRADE_NO
		    "?sp_mchid=" W3_MCHID "&sub_mchid=" W3_SUB_MCHID);
	return request_end(ok, &request, "", err);
}

static bool
run_query_refund_format_sub(struct err *err)
{
	struct wechat_v3_request request;
	bool ok;

	wechat_v3_request_init(&request);
	ok = wechat_v3_query_refund_format(&sub, REFUND_NO, &request, err);
	if (ok)
		assert_string_equal(buf_get(&request.target),
		    "/v3/refund/domestic/refunds/" REFUND_NO "?sub_mchid="
		    W3_SUB_MCHID);
	return request_end(ok, &request, "", err);
}

static bool
run_query_format(struct err *err)
{
	struct wechat_v3_request request;
	bool ok;

	wechat_v3_request_init(&request);
	ok = wechat_v3_query_format(&v3, &key, &request, err);
	return request_end(ok, &request, "", err);
}

static bool
run_close_format(struct err *err)
{
	struct wechat_v3_request request;
	bool ok;

	wechat_v3_request_init(&request);
	ok = wechat_v3_close_format(&v3, &key.payee, TRADE_NO, &request, err);
	return request_end(ok, &request, "{\"mchid\":\"" W3_MCHID "\"}", err);
}

static bool
run_refund_format(struct err *err)
{
	struct wechat_v3_request request;
	bool ok;

	wechat_v3_request_init(&request);
	ok = wechat_v3_refund_format(&v3, &refund, &request, err);
	return request_end(ok, &request, "{\"out_trade_no\":\"" TRADE_NO
	    "\",\"out_refund_no\":\"" REFUND_NO "\",\"reason\":\"已售完\","
	    "\"notify_url\":\"https://pay.example.com/notify/refunded\","
	    "\"funds_account\":\"AVAILABLE\",\"amount\":{\"refund\":51,"
	    "\"total\":101,\"currency\":\"CNY\"}}", err);
}

/* Right, or unsure. */
static bool
answer_end(const struct wechat_answer *answer, enum wechat_verdict verdict,
    struct err *err)
{
	assert_int_equal(ERR_peek_error(), 0);
	if (answer->verdict == verdict)
		return true;
	expect(answer->verdict == WECHAT_UNSURE && answer->code[0] != '\0',
	    "%d %s %s", answer->verdict, answer->code, answer->text);
	return err_set(err, ERR_BUG, "%s", answer->code);
}

static bool
run_prepay_judge(struct err *err)
{
	struct payment_prepay prepay = { 0 };
	struct wechat_answer answer;

	wechat_v3_prepay_judge(&v3, &payment, &prepaid, W3_NOW, &prepay,
	    &answer);
	assert_string_equal(prepay.prepay_id, answer.verdict == WECHAT_DONE
	    ? "wx1" : "");
	return answer_end(&answer, WECHAT_DONE, err);
}

static bool
run_prepay_judge_forged(struct err *err)
{
	struct payment_prepay prepay = { 0 };
	struct wechat_answer answer;

	wechat_v3_prepay_judge(&v3, &payment, &forged, W3_NOW, &prepay,
	    &answer);
	assert_int_equal(prepay.prepay_id[0], '\0');
	return answer_end(&answer, WECHAT_UNSURE, err);
}

static bool
run_query_judge(struct err *err)
{
	struct payment_facts facts = { 0 };
	struct wechat_answer answer;

	wechat_v3_query_judge(&v3, &key, &paid, W3_NOW, &facts, &answer);
	assert_int_equal(facts.fate, answer.verdict == WECHAT_DONE
	    ? PAYMENT_UNPAID : PAYMENT_UNKNOWN);
	return answer_end(&answer, WECHAT_DONE, err);
}

static bool
run_query_judge_sub(struct err *err)
{
	struct payment_key asked = key;
	struct payment_facts facts = { 0 };
	struct wechat_answer answer;

	asked.payee = sub;
	wechat_v3_query_judge(&v3, &asked, &paid_sub, W3_NOW, &facts, &answer);
	assert_string_equal(facts.sub_mchid, answer.verdict == WECHAT_DONE
	    ? W3_SUB_MCHID : "");
	return answer_end(&answer, WECHAT_DONE, err);
}

static bool
run_query_judge_missing(struct err *err)
{
	struct payment_facts facts = { 0 };
	struct wechat_answer answer;

	wechat_v3_query_judge(&v3, &key, &missing, W3_NOW, &facts, &answer);
	return answer_end(&answer, WECHAT_MISSING, err);
}

static bool
run_close_judge(struct err *err)
{
	struct wechat_answer answer;

	wechat_v3_close_judge(&v3, &closed, W3_NOW, &answer);
	return answer_end(&answer, WECHAT_DONE, err);
}

static bool
run_refund_judge(struct err *err)
{
	char refund_id[REFUND_ID_MAX + 1] = "";
	struct wechat_answer answer;

	wechat_v3_refund_judge(&v3, &refund, &refunded, W3_NOW, refund_id,
	    &answer);
	assert_string_equal(refund_id, answer.verdict == WECHAT_DONE ? "5"
	    : "");
	return answer_end(&answer, WECHAT_DONE, err);
}

static bool
run_query_refund_judge(struct err *err)
{
	struct refund_facts facts = { 0 };
	struct wechat_answer answer;

	wechat_v3_query_refund_judge(&v3, &refund.payee, REFUND_NO, &refunded,
	    W3_NOW, &facts, &answer);
	return answer_end(&answer, WECHAT_DONE, err);
}

static bool
run_certs_judge(struct err *err)
{
	static struct wechat_certificate list[WECHAT_KEYS_MAX];
	struct wechat_answer answer;
	size_t count = 99;

	wechat_v3_certs_judge(keys, apiv3_key, &listed, W3_NOW, list, &count,
	    &answer);
	assert_int_equal(count, answer.verdict == WECHAT_DONE);
	return answer_end(&answer, WECHAT_DONE, err);
}

static bool
run_jsapi(struct err *err)
{
	struct fields fields = { 0 };
	bool ok = wechat_v3_jsapi(&v3, W3_APPID, "wx1", NONCE, W3_NOW,
	    &fields, err);

	assert_int_equal(fields.count, ok ? 6 : 0);
	assert_int_equal(ERR_peek_error(), 0);
	fields_clear(&fields);
	return ok;
}

static bool
run_app(struct err *err)
{
	struct fields fields = { 0 };
	bool ok = wechat_v3_app(&v3, W3_APPID, "wx1", NONCE, W3_NOW, &fields,
	    err);

	assert_int_equal(fields.count, ok ? 7 : 0);
	assert_int_equal(ERR_peek_error(), 0);
	fields_clear(&fields);
	return ok;
}

static void
test_each(void **state)
{
	static const struct fault_case cases[] = {
		{ "prepay, format", run_prepay_format, false },
		{ "prepay, format h5", run_prepay_format_h5, false },
		{ "prepay, format sub", run_prepay_format_sub, false },
		{ "query, format", run_query_format, false },
		{ "query, format sub", run_query_format_sub, false },
		{ "close, format", run_close_format, false },
		{ "refund, format", run_refund_format, false },
		{ "query refund, format sub", run_query_refund_format_sub,
		  false },
		{ "prepay, judge", run_prepay_judge, false },
		{ "prepay, judge forged", run_prepay_judge_forged, false },
		{ "query, judge", run_query_judge, false },
		{ "query, judge sub", run_query_judge_sub, false },
		{ "query, judge missing", run_query_judge_missing, false },
		{ "close, judge", run_close_judge, false },
		{ "refund, judge", run_refund_judge, false },
		{ "query refund, judge", run_query_refund_judge, false },
		{ "certificates, judge", run_certs_judge, false },
		{ "jsapi", run_jsapi, false },
		{ "app", run_app, false },
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
