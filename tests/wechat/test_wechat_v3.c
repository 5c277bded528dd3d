/*
 * wechat_v3: what is sent is what v3.md wants, signed to the byte; of what
 * comes back only a proved answer about what we asked moves anything, and an
 * error that nobody has signed ends nothing.  [threats.md O3, O8, O9, N21]
 */
#include "wechat/wechat_v3.h"
#include "wechat/wechat_v3_answer.h"

#include <openssl/err.h>

#include "base/clock.h"

#include "reply3.h"

#define SERIAL "3D5A1C7E90B24F6688AA11CC33DD55EE77001122"
#define TRADE_NO "G20260101000001"
#define REFUND_NO "R20260101000001"
#define TRANSACTION "4200002026010112345678901234"
#define REFUND_ID "50000203702026010101461713166"
#define OPENID "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
#define NONCE "5d2b6c2a8db53831f7eda20af46e531c"
#define CODE_URL "weixin://wxpay/bizpayurl?pr=abc"

static struct {
	struct sign3_key *key;
	struct wechat_keys *keys;
} my;

static struct wechat_v3
v3_of(struct wechat_keys *keys)
{
	return (struct wechat_v3){
		.mchid = W3_MCHID, .serial = SERIAL, .key = my.key,
		.keys = keys, .public_url = "https://pay.example.com",
	};
}

static const struct payment jsapi = {
	.api = PAYMENT_V3, .out_trade_no = "T20260101100000001",
	.payee.appid = W3_APPID, .trade_type = "JSAPI", .openid = OPENID,
	.client_ip = "203.0.113.7", .body = "测试商品-图书《三体》",
	.attach = "自定义数据", .total_fen = 1, .time_expire = 1767234600,
};

static const struct payment native = {
	.api = PAYMENT_V3, .out_trade_no = TRADE_NO, .payee.appid = W3_APPID,
	.trade_type = "NATIVE", .client_ip = "203.0.113.7",
	.body = "Tea \"<&\\>/\"", .product_id = "tea", .total_fen = FEN_MAX,
	.time_expire = 1767234600,
};

static const struct payment app = {
	.api = PAYMENT_V3, .out_trade_no = TRADE_NO, .payee.appid = W3_APPID,
	.trade_type = "APP", .client_ip = "203.0.113.7", .body = "Tea",
	.total_fen = FEN_MAX, .time_expire = 1767234600,
};

static const struct payment h5 = {
	.api = PAYMENT_V3, .out_trade_no = TRADE_NO, .payee.appid = W3_APPID,
	.trade_type = "MWEB", .client_ip = "2001:db8::7", .body = "Tea",
	.total_fen = FEN_MAX, .time_expire = 1767234600,
};

static const struct payment_key asked = {
	.api = PAYMENT_V3, .payee.appid = W3_APPID, .out_trade_no = TRADE_NO,
};

static const struct payment_key asked_by_id = {
	.api = PAYMENT_V3, .transaction_id = TRANSACTION,
};

/* W3_MCHID as a service provider, whose payers use his own app or their
 * shop's. */
static const struct payment_payee own = { .appid = W3_APPID };
static const struct payment_payee sub = {
	.appid = W3_APPID, .sub_mchid = W3_SUB_MCHID,
};
static const struct payment_payee sub_app = {
	.appid = W3_APPID, .sub_mchid = W3_SUB_MCHID,
	.sub_appid = W3_SUB_APPID,
};

/* Of what is judged. */
static const struct payment_key *query_key = &asked;
static const struct payment_payee *judged_payee = &own;

static const struct refund refund = {
	.api = PAYMENT_V3, .out_refund_no = REFUND_NO,
	.out_trade_no = TRADE_NO, .transaction_id = TRANSACTION,
	.payee.appid = W3_APPID, .reason = "已售完", .total_fen = 101,
	.refund_fen = 51,
};

/* ------------------------------------------------------------- what is sent */

/* The request is this one, to the byte. */
static void
request_expect(const char *what, bool ok, struct wechat_v3_request *request,
    const char *method, const char *target, const char *body)
{
	expect(ok, "%s", what);
	expect(str_eq(request->method, method)
	    && str_eq(buf_get(&request->target), target)
	    && str_eq(buf_get(&request->body), body), "%s: %s %s\n%s\n%s",
	    what, request->method, buf_get(&request->target),
	    buf_get(&request->body), body);
	wechat_v3_request_clear(request);
	wechat_v3_request_init(request);
}

#define NATIVE_HEAD "{\"appid\":\"" W3_APPID "\",\"mchid\":\"" W3_MCHID \
	"\",\"description\":"
#define NATIVE_TAIL ",\"out_trade_no\":\"" TRADE_NO "\",\"time_expire\":" \
	"\"2026-01-01T10:30:00+08:00\""
#define NATIVE_MIDDLE ",\"notify_url\":\"https://pay.example.com/notify/" \
	"paid\",\"amount\":{\"total\":2147483647,\"currency\":\"CNY\"}"
#define NATIVE_END NATIVE_MIDDLE "}"
#define REFUND_END ",\"notify_url\":\"https://pay.example.com/notify/" \
	"refunded\""
#define REFUND_AMOUNT ",\"amount\":{\"refund\":51,\"total\":101," \
	"\"currency\":\"CNY\"}}"

static void
test_requests(void **state)
{
	const struct wechat_v3 v3 = v3_of(my.keys);
	struct refund other = refund;
	struct wechat_v3_request request;
	struct err err = { 0 };
	bool ok;

	(void)state;
	wechat_v3_request_init(&request);
	ok = wechat_v3_prepay_format(&v3, &native, &request, &err);
	request_expect("native", ok, &request, "POST",
	    "/v3/pay/transactions/native",
	    NATIVE_HEAD "\"Tea \\\"<&\\\\>/\\\"\"" NATIVE_TAIL NATIVE_END);
	ok = wechat_v3_prepay_format(&v3, &app, &request, &err);
	request_expect("app", ok, &request, "POST",
	    "/v3/pay/transactions/app",
	    NATIVE_HEAD "\"Tea\"" NATIVE_TAIL NATIVE_END);
	ok = wechat_v3_prepay_format(&v3, &h5, &request, &err);
	request_expect("h5", ok, &request, "POST", "/v3/pay/transactions/h5",
	    NATIVE_HEAD "\"Tea\"" NATIVE_TAIL NATIVE_MIDDLE
	    ",\"scene_info\":{\"payer_client_ip\":\"2001:db8::7\","
	    "\"h5_info\":{\"type\":\"Wap\"}}}");
	ok = wechat_v3_query_format(&v3, &asked, &request, &err);
	request_expect("query", ok, &request, "GET", "/v3/pay/transactions/"
	    "out-trade-no/" TRADE_NO "?mchid=" W3_MCHID, "");
	ok = wechat_v3_query_format(&v3, &asked_by_id, &request, &err);
	request_expect("query by WeChat's number", ok, &request, "GET",
	    "/v3/pay/transactions/id/" TRANSACTION "?mchid=" W3_MCHID, "");
	ok = wechat_v3_close_format(&v3, &asked.payee, "a|b*c/d?", &request,
	    &err);
	request_expect("close", ok, &request, "POST", "/v3/pay/transactions/"
	    "out-trade-no/a%7Cb%2Ac%2Fd%3F/close",
	    "{\"mchid\":\"" W3_MCHID "\"}");
	ok = wechat_v3_refund_format(&v3, &refund, &request, &err);
	request_expect("refund", ok, &request, "POST",
	    "/v3/refund/domestic/refunds", "{\"transaction_id\":\""
	    TRANSACTION "\",\"out_refund_no\":\"" REFUND_NO "\",\"reason\":"
	    "\"已售完\"" REFUND_END REFUND_AMOUNT);
	other.transaction_id[0] = '\0';
	other.reason[0] = '\0';
	other.from_recharge = true;
	ok = wechat_v3_refund_format(&v3, &other, &request, &err);
	request_expect("refund from the other account", ok, &request, "POST",
	    "/v3/refund/domestic/refunds", "{\"out_trade_no\":\"" TRADE_NO
	    "\",\"out_refund_no\":\"" REFUND_NO "\"" REFUND_END
	    ",\"funds_account\":\"AVAILABLE\"" REFUND_AMOUNT);
	ok = wechat_v3_query_refund_format(&refund.payee, "R@2026|0001",
	    &request, &err);
	request_expect("query refund", ok, &request, "GET",
	    "/v3/refund/domestic/refunds/R%402026%7C0001", "");
	ok = wechat_v3_certificates_format(&request, &err);
	request_expect("certificates", ok, &request, "GET",
	    "/v3/certificates", "");
	assert_int_equal(err.kind, ERR_NONE);
	wechat_v3_request_clear(&request);
}

/* What is made for a sub-merchant, to the byte. [v3.md 19] */

#define PARTNER "/v3/pay/partner/transactions"
#define IDS "{\"sp_appid\":\"" W3_APPID "\",\"sp_mchid\":\"" W3_MCHID "\","
#define SUB_IDS "\"sub_mchid\":\"" W3_SUB_MCHID "\","
#define APP_IDS "\"sub_appid\":\"" W3_SUB_APPID "\"," SUB_IDS
#define JSAPI_REST "\"description\":\"测试商品-图书《三体》\"," \
	"\"out_trade_no\":\"T20260101100000001\",\"time_expire\":" \
	"\"2026-01-01T10:30:00+08:00\",\"attach\":\"自定义数据\"," \
	"\"notify_url\":\"https://pay.example.com/notify/paid\",\"amount\":" \
	"{\"total\":1,\"currency\":\"CNY\"},\"payer\":"
#define TEA_REST "\"description\":\"Tea\"" NATIVE_TAIL NATIVE_MIDDLE
#define PARTNER_QUERY "?sp_mchid=" W3_MCHID "&sub_mchid=" W3_SUB_MCHID
#define REFUND_REST "\"out_refund_no\":\"" REFUND_NO "\",\"reason\":" \
	"\"已售完\"" REFUND_END REFUND_AMOUNT

static void
test_provider_payments(void **state)
{
	static const struct {
		const struct payment *payment;
		const struct payment_payee *payee;
		const char *target, *body;
	} cases[] = {
		{ &jsapi, &sub, PARTNER "/jsapi", IDS SUB_IDS JSAPI_REST
		  "{\"sp_openid\":\"" OPENID "\"}}" },
		{ &jsapi, &sub_app, PARTNER "/jsapi", IDS APP_IDS JSAPI_REST
		  "{\"sub_openid\":\"" OPENID "\"}}" },
		{ &app, &sub, PARTNER "/app", IDS SUB_IDS TEA_REST "}" },
		{ &app, &sub_app, PARTNER "/app", IDS APP_IDS TEA_REST "}" },
		{ &native, &sub, PARTNER "/native", IDS SUB_IDS
		  "\"description\":\"Tea \\\"<&\\\\>/\\\"\"" NATIVE_TAIL
		  NATIVE_END },
		{ &h5, &sub_app, PARTNER "/h5", IDS APP_IDS TEA_REST
		  ",\"scene_info\":{\"payer_client_ip\":\"2001:db8::7\","
		  "\"h5_info\":{\"type\":\"Wap\"}}}" },
	};
	const struct wechat_v3 v3 = v3_of(my.keys);
	struct wechat_v3_request request;
	struct err err = { 0 };

	(void)state;
	wechat_v3_request_init(&request);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct payment payment = *cases[i].payment;
		bool ok;

		payment.payee = *cases[i].payee;
		ok = wechat_v3_prepay_format(&v3, &payment, &request, &err);
		request_expect(cases[i].target, ok, &request, "POST",
		    cases[i].target, cases[i].body);
	}
	wechat_v3_request_clear(&request);
}

/* The account that his client ran under is of no concern to any of these. */
static void
provider_requests(const struct payment_payee *payee)
{
	const struct wechat_v3 v3 = v3_of(my.keys);
	struct payment_key by_no = asked, by_id = asked_by_id;
	struct refund by_transaction = refund, by_trade = refund;
	struct wechat_v3_request request;
	struct err err = { 0 };
	bool ok;

	by_no.payee = by_id.payee = *payee;
	by_transaction.payee = by_trade.payee = *payee;
	by_trade.transaction_id[0] = '\0';
	wechat_v3_request_init(&request);
	ok = wechat_v3_query_format(&v3, &by_no, &request, &err);
	request_expect("query", ok, &request, "GET", PARTNER
	    "/out-trade-no/" TRADE_NO PARTNER_QUERY, "");
	ok = wechat_v3_query_format(&v3, &by_id, &request, &err);
	request_expect("query by WeChat's number", ok, &request, "GET",
	    PARTNER "/id/" TRANSACTION PARTNER_QUERY, "");
	ok = wechat_v3_close_format(&v3, payee, "a|b", &request, &err);
	request_expect("close", ok, &request, "POST", PARTNER
	    "/out-trade-no/a%7Cb/close", "{\"sp_mchid\":\"" W3_MCHID "\","
	    "\"sub_mchid\":\"" W3_SUB_MCHID "\"}");
	ok = wechat_v3_refund_format(&v3, &by_transaction, &request, &err);
	request_expect("refund", ok, &request, "POST",
	    "/v3/refund/domestic/refunds", "{" SUB_IDS "\"transaction_id\":\""
	    TRANSACTION "\"," REFUND_REST);
	ok = wechat_v3_refund_format(&v3, &by_trade, &request, &err);
	request_expect("refund by our number", ok, &request, "POST",
	    "/v3/refund/domestic/refunds", "{" SUB_IDS "\"out_trade_no\":\""
	    TRADE_NO "\"," REFUND_REST);
	ok = wechat_v3_query_refund_format(payee, "R@1", &request, &err);
	request_expect("query refund", ok, &request, "GET",
	    "/v3/refund/domestic/refunds/R%401?sub_mchid=" W3_SUB_MCHID, "");
	assert_int_equal(err.kind, ERR_NONE);
	wechat_v3_request_clear(&request);
}

static void
test_provider_requests(void **state)
{
	(void)state;
	provider_requests(&sub);
	provider_requests(&sub_app);
}

/* [v3.md 2] Four bytes are too many; what is left is the same each time. */
static void
test_long_characters(void **state)
{
	static const struct {
		const char *said, *sent;	/* NULL: left out */
	} cases[] = {
		{ "茶\xf0\x9f\x8d\xb5叶", "茶叶" },
		{ "\xf0\x9f\x8d\xb5\xf0\x9f\x8d\xb5 tea", " tea" },
		{ "tea\xf4\x8f\xbf\xbf", "tea" },
		{ "\xf0\x90\x80\x80", NULL },
		{ "\xef\xbf\xbd\xe4\xb8\x80", "\xef\xbf\xbd\xe4\xb8\x80" },
		{ "", NULL },
	};
	const struct wechat_v3 v3 = v3_of(my.keys);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct wechat_v3_request request;
		struct payment payment = native;
		struct refund other = refund;
		struct err err = { 0 };
		char want[1000], reason[200] = "";
		bool ok;

		assert_true(str_copy(payment.body, sizeof(payment.body),
		    cases[i].said));
		assert_true(str_copy(payment.attach, sizeof(payment.attach),
		    cases[i].said));
		assert_true(str_copy(other.reason, sizeof(other.reason),
		    cases[i].said));
		(void)snprintf(want, sizeof(want), NATIVE_HEAD "\"%s\""
		    NATIVE_TAIL "%s%s%s" NATIVE_END,
		    cases[i].sent != NULL ? cases[i].sent : TRADE_NO,
		    cases[i].sent != NULL ? ",\"attach\":\"" : "",
		    cases[i].sent != NULL ? cases[i].sent : "",
		    cases[i].sent != NULL ? "\"" : "");
		wechat_v3_request_init(&request);
		ok = wechat_v3_prepay_format(&v3, &payment, &request, &err);
		request_expect(cases[i].said, ok, &request, "POST",
		    "/v3/pay/transactions/native", want);
		if (cases[i].sent != NULL)
			(void)snprintf(reason, sizeof(reason),
			    ",\"reason\":\"%s\"", cases[i].sent);
		(void)snprintf(want, sizeof(want), "{\"transaction_id\":\""
		    TRANSACTION "\",\"out_refund_no\":\"" REFUND_NO "\"%s"
		    REFUND_END REFUND_AMOUNT, reason);
		ok = wechat_v3_refund_format(&v3, &other, &request, &err);
		request_expect(cases[i].said, ok, &request, "POST",
		    "/v3/refund/domestic/refunds", want);
		wechat_v3_request_clear(&request);
	}
	print_message("    texts: %zu, three fields each\n",
	    COUNT_OF(cases));
}

/* What V3 has not, or cannot take. */
static void
test_no_request(void **state)
{
	struct wechat_v3 v3 = v3_of(my.keys);
	struct wechat_v3_request request;
	struct payment payment = native;
	struct payment_payee longest = own;
	struct err err = { 0 };
	char url[300];

	(void)state;
	wechat_v3_request_init(&request);
	(void)snprintf(payment.trade_type, sizeof(payment.trade_type),
	    "MICROPAY");
	assert_false(wechat_v3_prepay_format(&v3, &payment, &request, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	/* 255 characters are a notify_url, 256 are none [v3.md 24] */
	memset(url, 'x', sizeof(url));
	url[255 - strlen("/notify/paid")] = '\0';
	v3.public_url = url;
	err = (struct err){ 0 };
	assert_true(wechat_v3_prepay_format(&v3, &native, &request, &err));
	wechat_v3_request_clear(&request);
	wechat_v3_request_init(&request);
	assert_false(wechat_v3_refund_format(&v3, &refund, &request, &err));
	assert_int_equal(err.kind, ERR_BUG);
	wechat_v3_request_clear(&request);
	/* the longest number that there is, each character of it encoded, and
	 * the longest sub-merchant */
	memset(url, '@', OUT_REFUND_NO_MAX);
	url[OUT_REFUND_NO_MAX] = '\0';
	memset(longest.sub_mchid, '1', MCHID_MAX);
	wechat_v3_request_init(&request);
	assert_true(wechat_v3_query_refund_format(&longest, url, &request,
	    &err));
	wechat_v3_request_clear(&request);
	memset(url, '@', 2 * OUT_REFUND_NO_MAX);
	url[2 * OUT_REFUND_NO_MAX] = '\0';
	err = (struct err){ 0 };
	wechat_v3_request_init(&request);
	assert_false(wechat_v3_query_refund_format(&refund.payee, url, &request,
	    &err));
	assert_int_equal(err.kind, ERR_BUG);
	wechat_v3_request_clear(&request);
}

/* Ours where the vector has another URL for notices, and the end of the
 * payment where it has none. */
static void
body_of_ours(const char *body, struct buf *out)
{
	static const char theirs[] = "\"notify_url\":\"https://"
	    "pay.example.com/notify/v3/pay\"";
	static const char ours[] = "\"notify_url\":\"https://"
	    "pay.example.com/notify/paid\"";
	const char *at = strstr(body, theirs);

	if (at == NULL) {
		buf_text(out, body);
		return;
	}
	buf_add(out, body, (size_t)(at - body));
	if (strstr(body, "time_expire") == NULL)
		buf_text(out, "\"time_expire\":\"2026-01-01T10:30:00+08:00\""
		    ",");
	buf_text(out, ours);
	buf_text(out, at + strlen(theirs));
}

/* The published and generated requests that we, too, would send. */
static void
test_request_vectors(void **state)
{
	json_t *all = vectors3_open();
	static const char *const ids[] = {
		"req-get-plain", "req-get-query", "req-post-jsapi-cn",
		"req-post-close", "req-post-partner",
	};
	static const struct payment partners = {
		.out_trade_no = "P20260101100000001", .trade_type = "JSAPI",
		.payee = { "wx8888888888888888", W3_SUB_MCHID, W3_SUB_APPID },
		.openid = OPENID, .body = "服务商测试", .total_fen = 100,
		.time_expire = 1767234600,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		const json_t *vector = vectors3_find(all, ids[i]);
		struct wechat_v3 v3 = v3_of(my.keys);
		struct wechat_v3_request request;
		struct err err = { 0 };
		struct buf body;
		bool ok;

		buf_init(&body, 10000);
		v3.mchid = vector_text(vector, "mchid");
		body_of_ours(vector_text(vector, "body"), &body);
		wechat_v3_request_init(&request);
		switch (i) {
		case 0:
			ok = wechat_v3_certificates_format(&request, &err);
			break;
		case 1:
			ok = wechat_v3_query_format(&v3, &(struct payment_key){
			    .out_trade_no = "1217752501201407033233368018",
			    }, &request, &err);
			break;
		case 2:
			ok = wechat_v3_prepay_format(&v3, &jsapi, &request,
			    &err);
			break;
		case 3:
			ok = wechat_v3_close_format(&v3, &jsapi.payee,
			    jsapi.out_trade_no, &request, &err);
			break;
		default:
			ok = wechat_v3_prepay_format(&v3, &partners, &request,
			    &err);
		}
		request_expect(ids[i], ok, &request,
		    vector_text(vector, "method"), vector_text(vector, "url"),
		    buf_get(&body));
		wechat_v3_request_clear(&request);
		buf_clear(&body);
	}
	print_message("    vectors that are ours: %zu\n", COUNT_OF(ids));
	json_decref(all);
}

/* Every request of the vectors that this merchant signs gets the very header
 * that they have, and the others that V3 wants. */
static void
test_authorization(void **state)
{
	json_t *all = vectors3_open();
	const json_t *list = json_object_get(all, "vectors");
	struct wechat_keys *bare = reply3_keys(false, true);
	size_t i, tried = 0;
	json_t *vector;

	(void)state;
	json_array_foreach(list, i, vector) {
		struct wechat_v3 v3 = v3_of(tried % 2 == 0 ? my.keys : bare);
		struct wechat_v3_request request;
		struct err err = { 0 };
		size_t at = 1;
		long stamp = 0;
		bool has_body;

		if (!str_eq(vector_text(vector, "kind"), "request_sign")
		    || !str_eq(vector_text(vector, "key"), "merchant")
		    || str_eq(vector_text(vector, "id"), "req-upload-meta"))
			continue;
		wechat_v3_request_init(&request);
		v3.mchid = vector_text(vector, "mchid");
		request.method = vector_text(vector, "method");
		buf_text(&request.target, vector_text(vector, "url"));
		buf_text(&request.body, vector_text(vector, "body"));
		assert_true(str_to_long(vector_text(vector, "timestamp"),
		    2000000000, &stamp));
		expect(wechat_v3_request_sign(&v3,
		    vector_text(vector, "nonce_str"), stamp, &request, &err),
		    "%s", err.text);
		expect(strncmp(request.headers[0], "Authorization: ", 15) == 0
		    && str_eq(request.headers[0] + 15,
		    vector_text(vector, "authorization")), "%s: %s",
		    vector_text(vector, "id"), request.headers[0]);
		assert_string_equal(request.headers[at++],
		    "Accept: application/json");
		has_body = vector_text(vector, "body")[0] != '\0';
		if (has_body)
			assert_string_equal(request.headers[at++],
			    "Content-Type: application/json");
		/* the public key is asked for where there is one */
		if (v3.keys == my.keys)
			assert_string_equal(request.headers[at++],
			    "Wechatpay-Serial: " W3_PUB_KEY_ID);
		assert_null(request.headers[at]);
		wechat_v3_request_clear(&request);
		tried++;
	}
	print_message("    requests signed: %zu\n", tried);
	assert_int_equal(tried, 10);
	wechat_keys_close(bare);
	json_decref(all);
}

/* ----------------------------------------------------------- what is judged */

/* The five; the certificates have their own test. */
#define CALLS (WECHAT_CALL_QUERY_REFUND + 1)

static const char *const call_names[CALLS] = {
	"prepay", "query", "close", "refund", "query refund",
};

struct verdict {
	struct wechat_answer answer;
	struct payment_prepay prepay;
	struct payment_facts payment;
	struct refund_facts refund;
	char refund_id[REFUND_ID_MAX + 1];
};

static void
reply_judge(enum wechat_call call, const struct payment *payment,
    const struct wechat_http_reply *reply, struct verdict *out)
{
	const struct wechat_v3 v3 = v3_of(my.keys);
	struct payment_key key = *query_key;
	struct refund back = refund;

	if (judged_payee != &own)
		key.payee = back.payee = *judged_payee;
	memset(out, 0, sizeof(*out));
	switch (call) {
	case WECHAT_CALL_PREPAY:
		wechat_v3_prepay_judge(&v3, payment, reply, W3_NOW,
		    &out->prepay, &out->answer);
		break;
	case WECHAT_CALL_QUERY:
		wechat_v3_query_judge(&v3, &key, reply, W3_NOW,
		    &out->payment, &out->answer);
		break;
	case WECHAT_CALL_CLOSE:
		wechat_v3_close_judge(&v3, reply, W3_NOW, &out->answer);
		break;
	case WECHAT_CALL_REFUND:
		wechat_v3_refund_judge(&v3, &back, reply, W3_NOW,
		    out->refund_id, &out->answer);
		break;
	case WECHAT_CALL_QUERY_REFUND:
		wechat_v3_query_refund_judge(&v3, &back.payee, REFUND_NO,
		    reply, W3_NOW, &out->refund, &out->answer);
		break;
	case WECHAT_CALL_MICROPAY:
	case WECHAT_CALL_REVERSE:
	case WECHAT_CALL_CERTIFICATES:
		fail();
	}
	/* no facts without DONE */
	if (out->answer.verdict != WECHAT_DONE) {
		assert_int_equal(out->prepay.prepay_id[0], '\0');
		assert_int_equal(out->prepay.code_url[0], '\0');
		assert_int_equal(out->payment.fate, PAYMENT_UNKNOWN);
		assert_int_equal(out->payment.out_trade_no[0], '\0');
		assert_int_equal(out->refund.fate, REFUND_UNKNOWN);
		assert_int_equal(out->refund.out_refund_no[0], '\0');
		assert_int_equal(out->refund_id[0], '\0');
	}
	assert_true(str_is_plain(out->answer.text));
	assert_int_equal(ERR_peek_error(), 0);
}

static void
verdict_expect(const char *what, const struct verdict *got,
    enum wechat_verdict verdict, const char *code, bool alarm)
{
	expect(got->answer.verdict == verdict
	    && str_eq(got->answer.code, code) && got->answer.alarm == alarm,
	    "%s: %d %s %d \"%s\", not %d %s %d", what, got->answer.verdict,
	    got->answer.code, got->answer.alarm, got->answer.text, verdict,
	    code, alarm);
}

static const struct w3_member native_answer[] = {
	{ "code_url", "\"" CODE_URL "\"" },
	{ "a_new_member", "[{\"x\":null}]" },	/* is of no concern */
};
static const struct w3_member refund_answer[] = {
	{ "refund_id", "\"" REFUND_ID "\"" },
	{ "out_refund_no", "\"" REFUND_NO "\"" },
	{ "transaction_id", "\"" TRANSACTION "\"" },
	{ "out_trade_no", "\"" TRADE_NO "\"" },
	{ "channel", "\"ORIGINAL\"" },
	{ "user_received_account", "\"招商银行信用卡0403\"" },
	{ "success_time", "\"2026-01-01T10:00:05+08:00\"" },
	{ "create_time", "\"2026-01-01T10:00:00+08:00\"" },
	{ "status", "\"SUCCESS\"" }, { "funds_account", "\"UNSETTLED\"" },
	{ "amount", "{\"total\":101,\"refund\":51,\"payer_total\":90,"
	    "\"payer_refund\":45,\"settlement_refund\":45,"
	    "\"settlement_total\":90,\"discount_refund\":6,"
	    "\"currency\":\"CNY\"}" },
};

static const struct {
	const struct w3_member *list;
	size_t count;
	long status;
} answers[CALLS] = {
	{ native_answer, COUNT_OF(native_answer), 200 },
	{ w3_transaction, COUNT_OF(w3_transaction), 200 },
	{ NULL, 0, 204 },
	{ refund_answer, COUNT_OF(refund_answer), 200 },
	{ refund_answer, COUNT_OF(refund_answer), 200 },
};

/* The right answer to this call, but for one member. */
static void
answer_write(enum wechat_call call, const struct w3_member *change,
    struct buf *out)
{
	buf_init(out, WECHAT_HTTP_MAX);
	if (answers[call].list != NULL)
		w3_object(answers[call].list, answers[call].count, change,
		    out);
}

static void
bytes_judge(enum wechat_call call, enum reply3_way way, long status,
    const char *bytes, size_t len, struct verdict *out)
{
	struct wechat_http_reply reply = reply3_of(way, status, bytes, len);

	reply_judge(call, &native, &reply, out);
	buf_clear(&reply.body);
}

static void
answer_judge(enum wechat_call call, const struct w3_member *change,
    enum reply3_way way, struct verdict *out)
{
	struct buf body;

	answer_write(call, change, &body);
	bytes_judge(call, way, answers[call].status, buf_get(&body),
	    body.len, out);
	buf_clear(&body);
}

static void
test_right_answers(void **state)
{
	(void)state;
	for (enum wechat_call call = 0; call < CALLS; call++)
	for (enum reply3_way way = 0; way <= REPLY3_BY_CERT; way++) {
		struct verdict got;

		answer_judge(call, NULL, way, &got);
		verdict_expect(call_names[call], &got, WECHAT_DONE, "", false);
		assert_string_equal(got.answer.serial, way == REPLY3_BY_CERT
		    ? W3_SERIAL_B : W3_PUB_KEY_ID);
		assert_string_equal(got.prepay.code_url,
		    call == WECHAT_CALL_PREPAY ? CODE_URL : "");
		assert_string_equal(got.refund_id,
		    call == WECHAT_CALL_REFUND ? REFUND_ID : "");
		if (call == WECHAT_CALL_QUERY) {
			assert_int_equal(got.payment.fate, PAYMENT_PAID);
			assert_int_equal(got.payment.total_fen, 101);
			assert_int_equal(got.payment.paid_at, W3_NOW - 2);
			assert_string_equal(got.payment.transaction_id,
			    TRANSACTION);
		}
		if (call == WECHAT_CALL_QUERY_REFUND) {
			assert_int_equal(got.refund.fate, REFUND_SUCCESS);
			assert_int_equal(got.refund.refund_fen, 51);
			assert_int_equal(got.refund.refunded_at, W3_NOW + 5);
		}
	}
}

/* Asked by WeChat's number, ours and the appid are what we learn; a number that
 * is not the one asked for teaches nothing. */
static void
test_by_transaction_id(void **state)
{
	static const struct w3_member fine[] = {
		{ "out_trade_no", "\"G2\"" },
		{ "appid", "\"wx8888888888888888\"" },
		{ "trade_state", "\"REVOKED\"" },
	};
	static const struct w3_member odd[] = {
		{ "transaction_id", "\"4200001234202601011234567891\"" },
		{ "transaction_id", NULL }, { "transaction_id", "\"\"" },
		{ "transaction_id", "1" }, { "out_trade_no", NULL },
		{ "out_trade_no", "\"\"" }, { "mchid", "\"1900000110\"" },
		{ "appid", NULL },
	};
	struct verdict got;

	(void)state;
	query_key = &asked_by_id;
	for (size_t i = 0; i < COUNT_OF(fine); i++) {
		answer_judge(WECHAT_CALL_QUERY, &fine[i], REPLY3_BY_PUB_KEY,
		    &got);
		verdict_expect(fine[i].json, &got, WECHAT_DONE, "", false);
		assert_string_equal(got.payment.out_trade_no,
		    i == 0 ? "G2" : TRADE_NO);
	}
	for (size_t i = 0; i < COUNT_OF(odd); i++) {
		answer_judge(WECHAT_CALL_QUERY, &odd[i], REPLY3_BY_PUB_KEY,
		    &got);
		verdict_expect(odd[i].name, &got, WECHAT_UNSURE, "MISMATCH",
		    true);
	}
	query_key = &asked;
}

/* A page, and no other thing that a browser might run. */
static void
test_h5_urls(void)
{
	static const struct {
		const char *json;
		const char *url;	/* NULL: not believed */
	} cases[] = {
		{ "{\"h5_url\":\"https://wx.tenpay.com/x?a=1&b=2\"}",
		  "https://wx.tenpay.com/x?a=1&b=2" },
		{ "{\"h5_url\":\"http://wx.tenpay.com/x\"}", NULL },
		{ "{\"h5_url\":\"javascript:alert(1)\"}", NULL },
		{ "{\"h5_url\":\"https://wx.tenpay.com/ x\"}", NULL },
		{ "{\"h5_url\":\"\"}", NULL },
		{ "{\"code_url\":\"weixin://wxpay/x\"}", NULL },
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct wechat_http_reply reply = reply3_of(REPLY3_BY_PUB_KEY,
		    200, cases[i].json, strlen(cases[i].json));
		bool is_url = cases[i].url != NULL;
		struct verdict got;

		reply_judge(WECHAT_CALL_PREPAY, &h5, &reply, &got);
		verdict_expect(cases[i].json, &got, is_url ? WECHAT_DONE
		    : WECHAT_UNSURE, is_url ? "" : "MISMATCH", !is_url);
		assert_string_equal(got.prepay.h5_url, is_url ? cases[i].url
		    : "");
		buf_clear(&reply.body);
	}
}

/* In V3 JSAPI and APP have a prepay_id; NATIVE and MWEB have a URL. */
static void
test_prepay_id(void **state)
{
	struct wechat_http_reply reply;
	struct verdict got;
	char url[CODE_URL_MAX + 2], json[CODE_URL_MAX + 32];
	int len;

	(void)state;
	reply = reply3_of(REPLY3_BY_PUB_KEY, 200, "{\"prepay_id\":\"wx1\"}",
	    19);
	reply_judge(WECHAT_CALL_PREPAY, &jsapi, &reply, &got);
	verdict_expect("jsapi", &got, WECHAT_DONE, "", false);
	assert_string_equal(got.prepay.prepay_id, "wx1");
	assert_string_equal(got.prepay.code_url, "");
	reply_judge(WECHAT_CALL_PREPAY, &app, &reply, &got);
	verdict_expect("app", &got, WECHAT_DONE, "", false);
	assert_string_equal(got.prepay.prepay_id, "wx1");
	/* and the one is not taken for the other */
	reply_judge(WECHAT_CALL_PREPAY, &native, &reply, &got);
	verdict_expect("native", &got, WECHAT_UNSURE, "MISMATCH", true);
	buf_clear(&reply.body);

	test_h5_urls();
	for (size_t size = 1; size <= CODE_URL_MAX + 1; size++) {
		for (size_t i = 0; i < size; i++)
			url[i] = (char)('a' + i % 26);
		url[size] = '\0';
		len = snprintf(json, sizeof(json), "{\"code_url\":\"%s\"}",
		    url);
		bytes_judge(WECHAT_CALL_PREPAY, REPLY3_BY_PUB_KEY, 200, json,
		    (size_t)len, &got);
		if (size > CODE_URL_MAX) {
			verdict_expect("too long", &got, WECHAT_UNSURE,
			    "MISMATCH", true);
			continue;
		}
		verdict_expect(url, &got, WECHAT_DONE, "", false);
		assert_string_equal(got.prepay.code_url, url);
		assert_string_equal(got.prepay.prepay_id, "");
	}
	print_message("    lengths of a URL: %d\n", CODE_URL_MAX + 1);
}

/* O8: proved, and not about what we asked; or nothing that can be read. */
static void
test_one_member(void **state)
{
	static const struct {
		enum wechat_call call;
		struct w3_member member;
	} cases[] = {
		{ WECHAT_CALL_PREPAY, { "code_url", NULL } },
		{ WECHAT_CALL_PREPAY, { "code_url", "\"\"" } },
		{ WECHAT_CALL_PREPAY, { "code_url", "null" } },
		{ WECHAT_CALL_PREPAY, { "code_url", "1" } },
		{ WECHAT_CALL_PREPAY, { "code_url", "\"a b\"" } },
		{ WECHAT_CALL_PREPAY, { "code_url", "\"茶\"" } },
		{ WECHAT_CALL_PREPAY, { "code_url", "[\"a\"]" } },
		{ WECHAT_CALL_QUERY, { "mchid", "\"1900000109\"" } },
		{ WECHAT_CALL_QUERY, { "mchid", NULL } },
		{ WECHAT_CALL_QUERY, { "appid", "\"wx8888888888888888\"" } },
		{ WECHAT_CALL_QUERY, { "appid", NULL } },
		{ WECHAT_CALL_QUERY, { "out_trade_no", "\"G2\"" } },
		{ WECHAT_CALL_QUERY, { "out_trade_no", NULL } },
		{ WECHAT_CALL_QUERY, { "trade_state", NULL } },
		{ WECHAT_CALL_QUERY, { "trade_state", "1" } },
		{ WECHAT_CALL_QUERY, { "transaction_id", NULL } },
		{ WECHAT_CALL_QUERY, { "amount", NULL } },
		{ WECHAT_CALL_QUERY, { "amount", "{\"total\":101.0}" } },
		{ WECHAT_CALL_QUERY, { "amount", "{\"total\":0}" } },
		{ WECHAT_CALL_QUERY, { "amount", "{\"total\":\"101\"}" } },
		{ WECHAT_CALL_QUERY, { "amount", "{\"payer_total\":101}" } },
		{ WECHAT_CALL_QUERY, { "success_time", "\"now\"" } },
		{ WECHAT_CALL_REFUND, { "refund_id", NULL } },
		{ WECHAT_CALL_REFUND, { "out_refund_no", "\"R2\"" } },
		{ WECHAT_CALL_REFUND, { "out_trade_no", "\"G2\"" } },
		{ WECHAT_CALL_REFUND, { "transaction_id", "\"42\"" } },
		{ WECHAT_CALL_REFUND, { "status", NULL } },
		{ WECHAT_CALL_REFUND, { "amount", "{\"total\":102,"
		    "\"refund\":51,\"currency\":\"CNY\"}" } },
		{ WECHAT_CALL_REFUND, { "amount", "{\"total\":101,"
		    "\"refund\":52,\"currency\":\"CNY\"}" } },
		{ WECHAT_CALL_REFUND, { "amount", "{\"total\":101,"
		    "\"refund\":51,\"currency\":\"USD\"}" } },
		{ WECHAT_CALL_QUERY_REFUND, { "out_refund_no", "\"R2\"" } },
		{ WECHAT_CALL_QUERY_REFUND, { "out_refund_no", NULL } },
		{ WECHAT_CALL_QUERY_REFUND, { "refund_id", NULL } },
		{ WECHAT_CALL_QUERY_REFUND, { "amount", NULL } },
		{ WECHAT_CALL_QUERY_REFUND, { "success_time", "\"x\"" } },
	};
	struct verdict got;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		answer_judge(cases[i].call, &cases[i].member,
		    REPLY3_BY_PUB_KEY, &got);
		verdict_expect(cases[i].member.name, &got, WECHAT_UNSURE,
		    "MISMATCH", true);
	}
	print_message("    answers with one odd member: %zu\n",
	    COUNT_OF(cases));
}

/* O8: for whom.  Another sub-merchant is as far from ours as another
 * merchant, whether we asked by our number or by WeChat's; a refund need not
 * name him. */
static const struct {
	bool is_provider;	/* who asks, and who is answered */
	bool is_provider_object;
	struct w3_member change;
	bool ok;
} whose_payments[] = {
	{ true, true, { "x", "1" }, true },
	{ true, true, { "sub_appid", NULL }, true },
	{ true, true, { "sub_appid", "\"wx8888888888888888\"" }, true },
	{ true, true, { "sub_mchid", "\"1900000110\"" }, false },
	{ true, true, { "sub_mchid", "\"" W3_MCHID "\"" }, false },
	{ true, true, { "sub_mchid", NULL }, false },
	{ true, true, { "sub_mchid", "\"\"" }, false },
	{ true, true, { "sp_mchid", "\"" W3_SUB_MCHID "\"" }, false },
	{ true, true, { "sp_mchid", NULL }, false },
	{ true, true, { "sp_appid", NULL }, false },
	{ true, true, { "mchid", "\"" W3_MCHID "\"" }, false },
	{ true, true, { "appid", "\"" W3_APPID "\"" }, false },
	{ true, false, { "x", "1" }, false },
	{ true, false, { "sub_mchid", "\"" W3_SUB_MCHID "\"" }, false },
	{ true, false, { "mchid", "\"" W3_SUB_MCHID "\"" }, false },
	{ false, false, { "x", "1" }, true },
	{ false, false, { "sub_mchid", "\"\"" }, true },
	{ false, false, { "sub_mchid", "\"" W3_SUB_MCHID "\"" }, false },
	{ false, false, { "sp_mchid", "\"" W3_MCHID "\"" }, false },
	{ false, true, { "x", "1" }, false },
	{ false, true, { "sub_mchid", NULL }, false },
};

static void
test_whose_payments(void **state)
{
	size_t tried = 0, done = 0;

	(void)state;
	for (size_t i = 0; i < 2 * COUNT_OF(whose_payments); i++) {
		bool is_provider = whose_payments[i / 2].is_provider;
		bool ok = whose_payments[i / 2].ok;
		struct verdict got;
		struct buf body;

		buf_init(&body, WECHAT_HTTP_MAX);
		if (whose_payments[i / 2].is_provider_object)
			w3_object(w3_provider_transaction,
			    COUNT_OF(w3_provider_transaction),
			    &whose_payments[i / 2].change, &body);
		else
			w3_object(w3_transaction, COUNT_OF(w3_transaction),
			    &whose_payments[i / 2].change, &body);
		judged_payee = is_provider ? &sub_app : &own;
		query_key = i % 2 == 0 ? &asked : &asked_by_id;
		bytes_judge(WECHAT_CALL_QUERY, REPLY3_BY_CERT, 200,
		    buf_get(&body), body.len, &got);
		verdict_expect(buf_get(&body), &got, ok ? WECHAT_DONE
		    : WECHAT_UNSURE, ok ? "" : "MISMATCH", !ok);
		assert_string_equal(got.payment.sub_mchid, ok && is_provider
		    ? W3_SUB_MCHID : "");
		assert_string_equal(got.payment.mchid, ok ? W3_MCHID : "");
		assert_string_equal(got.payment.openid, !ok ? ""
		    : is_provider ? "oSub" : OPENID);
		buf_clear(&body);
		tried++;
		done += ok;
	}
	judged_payee = &own;
	query_key = &asked;
	print_message("    whose payments: %zu, ours: %zu\n", tried, done);
	assert_int_equal(tried, 42);
	assert_int_equal(done, 10);
}

/* The appid is the provider's, and must be the one that we asked under. */
static void
test_provider_appid(void **state)
{
	const struct w3_member other = {
		"sp_appid", "\"wx8888888888888888\"",
	};
	struct verdict got;
	struct buf body;

	(void)state;
	buf_init(&body, WECHAT_HTTP_MAX);
	w3_object(w3_provider_transaction, COUNT_OF(w3_provider_transaction),
	    &other, &body);
	judged_payee = &sub;
	bytes_judge(WECHAT_CALL_QUERY, REPLY3_BY_CERT, 200, buf_get(&body),
	    body.len, &got);
	verdict_expect("our number", &got, WECHAT_UNSURE, "MISMATCH", true);
	query_key = &asked_by_id;
	bytes_judge(WECHAT_CALL_QUERY, REPLY3_BY_CERT, 200, buf_get(&body),
	    body.len, &got);
	verdict_expect("WeChat's", &got, WECHAT_DONE, "", false);
	assert_string_equal(got.payment.appid, "wx8888888888888888");
	judged_payee = &own;
	query_key = &asked;
	buf_clear(&body);
}

static void
test_whose_refunds(void **state)
{
	static const struct {
		const char *json;
		bool ok, ok_of_sub;
	} said[] = {
		{ NULL, true, true }, { "null", true, true },
		{ "\"\"", true, true },
		{ "\"" W3_SUB_MCHID "\"", false, true },
		{ "\"1900000110\"", false, false },
		{ "\"" W3_MCHID "\"", false, false },
		{ "1900000109", false, false },
	};
	size_t tried = 0;

	(void)state;
	for (enum wechat_call call = WECHAT_CALL_REFUND; call < CALLS; call++)
	for (size_t i = 0; i < 2 * COUNT_OF(said); i++) {
		bool is_sub = i % 2 == 1;
		bool ok = is_sub ? said[i / 2].ok_of_sub : said[i / 2].ok;
		struct verdict got;

		judged_payee = is_sub ? &sub : &own;
		answer_judge(call, &(struct w3_member){ "sub_mchid",
		    said[i / 2].json }, REPLY3_BY_PUB_KEY, &got);
		verdict_expect(call_names[call], &got, ok ? WECHAT_DONE
		    : WECHAT_UNSURE, ok ? "" : "MISMATCH", !ok);
		tried++;
	}
	judged_payee = &own;
	print_message("    whose refunds: %zu\n", tried);
	assert_int_equal(tried, 28);
}

/* O9: words for the state of a payment and of a refund. */
static void
test_states(void **state)
{
	static const struct {
		const char *json;
		enum payment_fate fate;
	} paid[] = {
		{ "\"SUCCESS\"", PAYMENT_PAID },
		{ "\"REFUND\"", PAYMENT_PAID },
		{ "\"NOTPAY\"", PAYMENT_UNPAID },
		{ "\"USERPAYING\"", PAYMENT_UNPAID },
		{ "\"ACCEPT\"", PAYMENT_UNPAID },
		{ "\"PAYERROR\"", PAYMENT_FAILED },
		{ "\"CLOSED\"", PAYMENT_CLOSED },
		{ "\"REVOKED\"", PAYMENT_CLOSED },
		{ "\"SOMETHING_NEW\"", PAYMENT_UNKNOWN },
	};
	static const struct {
		const char *json;
		enum refund_fate fate;
	} refunded[] = {
		{ "\"SUCCESS\"", REFUND_SUCCESS },
		{ "\"PROCESSING\"", REFUND_PROCESSING },
		{ "\"CLOSED\"", REFUND_CLOSED },
		{ "\"ABNORMAL\"", REFUND_ABNORMAL },
		{ "\"SOMETHING_NEW\"", REFUND_UNKNOWN },
	};
	struct verdict got;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(paid); i++) {
		answer_judge(WECHAT_CALL_QUERY, &(struct w3_member){
		    "trade_state", paid[i].json }, REPLY3_BY_CERT, &got);
		verdict_expect(paid[i].json, &got, WECHAT_DONE, "", false);
		assert_int_equal(got.payment.fate, paid[i].fate);
	}
	for (size_t i = 0; i < COUNT_OF(refunded); i++) {
		const struct w3_member change = { "status",
			refunded[i].json };

		answer_judge(WECHAT_CALL_QUERY_REFUND, &change,
		    REPLY3_BY_CERT, &got);
		verdict_expect(change.json, &got, WECHAT_DONE, "", false);
		assert_int_equal(got.refund.fate, refunded[i].fate);
		/* accepted is accepted, whatever it comes to */
		answer_judge(WECHAT_CALL_REFUND, &change, REPLY3_BY_CERT,
		    &got);
		verdict_expect(change.json, &got, WECHAT_DONE, "", false);
	}
}

/* O3, N21: a success that is not proved is none, nor is an error whose
 * signature is wrong; and a probe wakes nobody. */
static void
test_unproved(void **state)
{
	static const char refusal[] = "{\"code\":\"PARAM_ERROR\","
	    "\"message\":\"参数错误\"}";
	static const char missing[] = "{\"code\":\"RESOURCE_NOT_EXISTS\"}";
	static const struct {
		long status;
		const char *body;
	} errors[] = {
		{ 400, refusal }, { 404, missing }, { 500, refusal },
		{ 429, "{\"code\":\"FREQUENCY_LIMITED\"}" }, { 502, "<html>" },
	};
	size_t tried = 0;

	(void)state;
	for (enum wechat_call call = 0; call < CALLS; call++)
	for (enum reply3_way way = REPLY3_UNSIGNED; way < REPLY3_WAYS; way++) {
		struct verdict got;

		answer_judge(call, NULL, way, &got);
		verdict_expect(call_names[call], &got, WECHAT_UNSURE,
		    reply3_codes[way], way != REPLY3_PROBE);
		assert_string_equal(got.answer.serial, "");
		tried++;
		for (size_t i = 0; way != REPLY3_UNSIGNED
		    && i < COUNT_OF(errors); i++) {
			bytes_judge(call, way, errors[i].status,
			    errors[i].body, strlen(errors[i].body), &got);
			verdict_expect(call_names[call], &got, WECHAT_UNSURE,
			    reply3_codes[way], way != REPLY3_PROBE);
			tried++;
		}
	}
	print_message("    unproved answers: %zu\n", tried);
}

/* ------------------------------------------------------------------- ladder */

#define EACH (-1)

/* [v3.md 7.3, 8.3, 10.1, 10.2, 12.2, 12.3], row by row. */
static const struct code_case {
	int call;			/* EACH: whatever was asked */
	long status;
	const char *code;
	enum wechat_verdict proved, unproved;
	bool alarm;
} code_cases[] = {
	{ EACH, 400, "PARAM_ERROR", WECHAT_REFUSED, WECHAT_DENIED, true },
	{ EACH, 401, "SIGN_ERROR", WECHAT_REFUSED, WECHAT_DENIED, true },
	{ EACH, 400, "MCH_NOT_EXISTS", WECHAT_REFUSED, WECHAT_DENIED, true },
	{ EACH, 404, "MCH_NOT_EXISTS", WECHAT_REFUSED, WECHAT_DENIED, true },
	{ EACH, 400, "APPID_MCHID_NOT_MATCH", WECHAT_REFUSED, WECHAT_DENIED,
	  true },
	{ EACH, 429, "FREQUENCY_LIMITED", WECHAT_AGAIN, WECHAT_AGAIN, false },
	{ EACH, 429, "FREQUENCY_LIMIT", WECHAT_AGAIN, WECHAT_AGAIN, false },
	{ EACH, 429, "FREQUENCY_LIMIT_EXCEED", WECHAT_AGAIN, WECHAT_AGAIN,
	  false },
	{ EACH, 429, "RATELIMIT_EXCEEDED", WECHAT_AGAIN, WECHAT_AGAIN,
	  false },
	{ EACH, 429, "RATELIMIT_EXCEED", WECHAT_AGAIN, WECHAT_AGAIN, false },
	{ EACH, 500, "SYSTEM_ERROR", WECHAT_UNSURE, WECHAT_UNSURE, false },
	{ EACH, 502, "SERVICE_UNAVAILABLE", WECHAT_UNSURE, WECHAT_UNSURE,
	  false },
	{ EACH, 503, "SERVICE_UNAVAILABLE", WECHAT_UNSURE, WECHAT_UNSURE,
	  false },

	{ WECHAT_CALL_PREPAY, 400, "INVALID_REQUEST", WECHAT_UNSURE,
	  WECHAT_UNSURE, true },
	{ WECHAT_CALL_PREPAY, 400, "ORDER_CLOSED", WECHAT_CLOSED,
	  WECHAT_UNSURE, false },
	{ WECHAT_CALL_PREPAY, 400, "ORDER_PAID", WECHAT_PAID, WECHAT_PAID,
	  false },
	{ WECHAT_CALL_PREPAY, 500, "OPENID_MISMATCH", WECHAT_REFUSED,
	  WECHAT_DENIED, false },
	{ WECHAT_CALL_PREPAY, 500, "INVALID_TRANSACTIONID", WECHAT_REFUSED,
	  WECHAT_DENIED, true },
	{ WECHAT_CALL_PREPAY, 403, "NO_AUTH", WECHAT_REFUSED, WECHAT_DENIED,
	  true },
	{ WECHAT_CALL_PREPAY, 403, "OUT_TRADE_NO_USED", WECHAT_UNSURE,
	  WECHAT_UNSURE, false },
	{ WECHAT_CALL_PREPAY, 403, "ACCOUNT_ERROR", WECHAT_REFUSED,
	  WECHAT_DENIED, false },
	{ WECHAT_CALL_PREPAY, 403, "NOT_ENOUGH", WECHAT_REFUSED,
	  WECHAT_DENIED, false },
	{ WECHAT_CALL_PREPAY, 403, "RULE_LIMIT", WECHAT_REFUSED,
	  WECHAT_DENIED, false },
	{ WECHAT_CALL_PREPAY, 403, "TRADE_ERROR", WECHAT_REFUSED,
	  WECHAT_DENIED, false },
	{ WECHAT_CALL_PREPAY, 500, "BANK_ERROR", WECHAT_UNSURE,
	  WECHAT_UNSURE, false },
	{ WECHAT_CALL_PREPAY, 404, "RESOURCE_NOT_EXISTS", WECHAT_REFUSED,
	  WECHAT_DENIED, true },
	{ WECHAT_CALL_PREPAY, 404, "NOT_FOUND", WECHAT_REFUSED, WECHAT_DENIED,
	  true },

	{ WECHAT_CALL_QUERY, 404, "ORDER_NOT_EXIST", WECHAT_MISSING,
	  WECHAT_MISSING, false },
	{ WECHAT_CALL_QUERY, 404, "RESOURCE_NOT_EXISTS", WECHAT_MISSING,
	  WECHAT_MISSING, false },
	{ WECHAT_CALL_QUERY, 404, "NOT_FOUND", WECHAT_MISSING,
	  WECHAT_MISSING, false },
	{ WECHAT_CALL_QUERY, 400, "ORDER_NOT_EXIST", WECHAT_MISSING,
	  WECHAT_UNSURE, false },
	{ WECHAT_CALL_QUERY, 403, "RULE_LIMIT", WECHAT_REFUSED,
	  WECHAT_DENIED, true },
	{ WECHAT_CALL_QUERY, 403, "TRADE_ERROR", WECHAT_REFUSED,
	  WECHAT_DENIED, true },
	{ WECHAT_CALL_QUERY, 400, "INVALID_REQUEST", WECHAT_REFUSED,
	  WECHAT_DENIED, true },

	{ WECHAT_CALL_CLOSE, 400, "ORDER_PAID", WECHAT_PAID, WECHAT_PAID,
	  false },
	{ WECHAT_CALL_CLOSE, 400, "INVALID_REQUEST", WECHAT_UNSURE,
	  WECHAT_UNSURE, false },
	{ WECHAT_CALL_CLOSE, 400, "ORDER_CLOSED", WECHAT_CLOSED,
	  WECHAT_UNSURE, false },
	/* it closes what was never heard of: not without a signature */
	{ WECHAT_CALL_CLOSE, 404, "ORDER_NOT_EXIST", WECHAT_MISSING,
	  WECHAT_UNSURE, false },
	{ WECHAT_CALL_CLOSE, 404, "RESOURCE_NOT_EXISTS", WECHAT_MISSING,
	  WECHAT_UNSURE, false },
	{ WECHAT_CALL_CLOSE, 403, "TRADE_ERROR", WECHAT_UNSURE,
	  WECHAT_UNSURE, false },
	{ WECHAT_CALL_CLOSE, 403, "RULE_LIMIT", WECHAT_UNSURE, WECHAT_UNSURE,
	  false },
	{ WECHAT_CALL_CLOSE, 403, "NO_AUTH", WECHAT_UNSURE, WECHAT_UNSURE,
	  true },

	{ WECHAT_CALL_REFUND, 403, "NOT_ENOUGH", WECHAT_NO_MONEY,
	  WECHAT_NO_MONEY, false },
	{ WECHAT_CALL_REFUND, 403, "USER_ACCOUNT_ABNORMAL", WECHAT_REFUSED,
	  WECHAT_DENIED, false },
	{ WECHAT_CALL_REFUND, 403, "NO_AUTH", WECHAT_REFUSED, WECHAT_DENIED,
	  true },
	{ WECHAT_CALL_REFUND, 403, "REQUEST_BLOCKED", WECHAT_REFUSED,
	  WECHAT_DENIED, true },
	{ WECHAT_CALL_REFUND, 404, "RESOURCE_NOT_EXISTS", WECHAT_REFUSED,
	  WECHAT_DENIED, true },
	{ WECHAT_CALL_REFUND, 404, "ORDER_NOT_EXIST", WECHAT_REFUSED,
	  WECHAT_DENIED, true },
	{ WECHAT_CALL_REFUND, 400, "INVALID_REQUEST", WECHAT_DENIED,
	  WECHAT_DENIED, true },

	{ WECHAT_CALL_QUERY_REFUND, 404, "RESOURCE_NOT_EXISTS",
	  WECHAT_MISSING, WECHAT_MISSING, false },
	{ WECHAT_CALL_QUERY_REFUND, 404, "ORDER_NOT_EXIST", WECHAT_MISSING,
	  WECHAT_MISSING, false },
	{ WECHAT_CALL_QUERY_REFUND, 400, "INVALID_REQUEST", WECHAT_REFUSED,
	  WECHAT_DENIED, true },

	/* a known code outranks the status, both ways */
	{ EACH, 500, "PARAM_ERROR", WECHAT_REFUSED, WECHAT_DENIED,
	  true },
	{ EACH, 400, "SYSTEM_ERROR", WECHAT_UNSURE, WECHAT_UNSURE, false },
	{ EACH, 403, "FREQUENCY_LIMITED", WECHAT_AGAIN, WECHAT_AGAIN, false },
};

static void
code_judge(enum wechat_call call, enum reply3_way way, long status,
    const char *code, struct verdict *out)
{
	char body[200];
	int len = snprintf(body, sizeof(body), "{\"code\":\"%s\","
	    "\"message\":\"原因\",\"detail\":{\"field\":\"/amount\"}}", code);

	bytes_judge(call, way, status, body, (size_t)len, out);
	assert_string_equal(out->answer.text, "原因 (/amount)");
}

/* The same code without its "_", and with more of them. */
static void
code_respell(const char *code, bool is_more, char out[static 100])
{
	for (; *code != '\0'; code++) {
		if (*code != '_' || is_more)
			*out++ = *code;
		if (*code == '_' && is_more)
			*out++ = '_';
	}
	*out = '\0';
}

static void
code_try(enum wechat_call call, const struct code_case *tried)
{
	char spelling[3][100];
	struct verdict got;

	assert_true(str_copy(spelling[0], sizeof(spelling[0]), tried->code));
	code_respell(tried->code, false, spelling[1]);
	code_respell(tried->code, true, spelling[2]);
	for (size_t i = 0; i < COUNT_OF(spelling); i++) {
		code_judge(call, REPLY3_BY_CERT, tried->status, spelling[i],
		    &got);
		verdict_expect(call_names[call], &got, tried->proved,
		    spelling[i], tried->alarm);
		assert_string_equal(got.answer.serial, W3_SERIAL_B);
		code_judge(call, REPLY3_UNSIGNED, tried->status, spelling[i],
		    &got);
		verdict_expect(call_names[call], &got, tried->unproved,
		    spelling[i], tried->alarm);
		assert_string_equal(got.answer.serial, "");
	}
}

static void
test_codes(void **state)
{
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(code_cases); i++)
	for (enum wechat_call call = 0; call < CALLS; call++)
		if (code_cases[i].call == EACH
		    || code_cases[i].call == (int)call) {
			code_try(call, &code_cases[i]);
			tried += 6;
		}
	print_message("    error codes: %zu rows, %zu answers\n",
	    COUNT_OF(code_cases), tried);
}

static bool
is_question(enum wechat_call call)
{
	return call == WECHAT_CALL_QUERY || call == WECHAT_CALL_QUERY_REFUND;
}

/* [v3.md 7.1] Unknown code, or none that can be read: the HTTP status, and
 * queries decide where anything may have changed.  No 404 of a proxy makes a
 * payment vanish. */
static void
test_unknown_codes(void **state)
{
	static const char *const bodies[] = {
		"", "not json", "<html><body>Not Found</body></html>", "{}",
		"[]", "null", "\"PARAM_ERROR\"", "{\"code\":404}",
		"{\"code\":null}", "{\"code\":\"\"}",
		"{\"code\":\"PARAM_ERROR\",\"code\":\"PARAM_ERROR\"}",
		"{\"code\":\"RESOURCE_NOT_EXISTS\"} ,",
		"{\"detail\":{\"code\":\"RESOURCE_NOT_EXISTS\"}}",
		"{\"message\":\"RESOURCE_NOT_EXISTS\"}",
		"{\"code\":\"RESOURCE_NOT_EXISTS\"",
	};
	static const long statuses[] = {
		300, 301, 302, 307, 308, 400, 401, 403, 404, 405, 413, 429,
		499, 500, 501, 502, 503, 504, 599, 600, 999, 100, 199, 0, -1,
	};
	size_t tried = 0;

	(void)state;
	for (enum wechat_call call = 0; call < CALLS; call++)
	for (size_t s = 0; s < COUNT_OF(statuses); s++)
	for (size_t b = 0; b < COUNT_OF(bodies); b++)
	for (enum reply3_way way = REPLY3_BY_CERT; way <= REPLY3_UNSIGNED;
	    way++) {
		bool is_4xx = statuses[s] / 100 == 4;
		struct verdict got;
		char code[WECHAT_CODE_SIZE];
		enum wechat_verdict want = statuses[s] == 429 ? WECHAT_AGAIN
		    : !is_4xx ? WECHAT_UNSURE
		    : way == REPLY3_UNSIGNED || !is_question(call)
		    ? WECHAT_DENIED : WECHAT_REFUSED;

		(void)snprintf(code, sizeof(code), "HTTP_%ld", statuses[s]);
		if (statuses[s] < 0)
			memcpy(code, "ODD_CODE", sizeof("ODD_CODE"));
		bytes_judge(call, way, statuses[s], bodies[b],
		    strlen(bodies[b]), &got);
		verdict_expect(bodies[b], &got, want, code,
		    is_4xx && statuses[s] != 429);
		tried++;
	}
	print_message("    errors that say nothing: %zu\n", tried);
}

/* What is neither code nor text for a journal. */
static void
test_odd_codes(void **state)
{
	static const char *const codes[] = {
		"NEW CODE", "x\\u0000y", "ORDER_NOT_EXIST\\n", "茶",
		"A_VERY_LONG_CODE_THAT_IS_LONGER_THAN_32", "../etc",
	};
	struct verdict got;
	char body[200];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		int len = snprintf(body, sizeof(body), "{\"code\":\"%s\"}",
		    codes[i]);

		bytes_judge(WECHAT_CALL_REFUND, REPLY3_BY_CERT, 400, body,
		    (size_t)len, &got);
		/* a NUL makes it no JSON at all */
		verdict_expect(codes[i], &got, WECHAT_DENIED, i == 1
		    ? "HTTP_400" : "ODD_CODE", true);
	}
}

/* Words for people: cut between characters, and after WeChat's own number of
 * the call if that is one. */
static void
test_text(void **state)
{
	static const struct {
		const char *id, *shown;
	} ids[] = {
		{ "08F8A5-CF98-268435461", "[08F8A5-CF98-268435461] " },
		{ "", "" }, { "a b", "" }, { "a\x01", "" }, { "\xff", "" },
	};
	static const char error[] = "{\"code\":\"PARAM_ERROR\","
	    "\"message\":\"错\"}";
	struct wechat_http_reply reply;
	struct verdict got;
	struct buf body;
	char want[300];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		reply = reply3_of(REPLY3_UNSIGNED, 400, error,
		    strlen(error));
		reply3_header(&reply, WECHAT_HTTP_REQUEST_ID, ids[i].id);
		reply_judge(WECHAT_CALL_QUERY, &native, &reply, &got);
		(void)snprintf(want, sizeof(want), "%s错", ids[i].shown);
		assert_string_equal(got.answer.text, want);
		buf_clear(&reply.body);
	}
	for (size_t shift = 0; shift < 3; shift++) {
		buf_init(&body, 4000);
		buf_format(&body, "{\"code\":\"PARAM_ERROR\",\"message\":\"%s",
		    &"xx"[shift]);
		for (size_t i = 0; i < 256; i++)
			buf_text(&body, "错");
		buf_text(&body, "\"}");
		bytes_judge(WECHAT_CALL_QUERY, REPLY3_BY_CERT, 400,
		    buf_get(&body), body.len, &got);
		assert_true(str_is_plain(got.answer.text));
		assert_in_range(strlen(got.answer.text), 197, 199);
		buf_clear(&body);
	}
}

/* A proved 2xx that is not the one this call succeeds with. */
static void
test_other_successes(void **state)
{
	static const long statuses[] = { 200, 201, 202, 203, 204, 206, 299 };
	size_t tried = 0;

	(void)state;
	for (enum wechat_call call = 0; call < CALLS; call++)
	for (size_t s = 0; s < COUNT_OF(statuses); s++) {
		struct verdict got;
		struct buf body;
		char code[WECHAT_CODE_SIZE];

		if (statuses[s] == answers[call].status)
			continue;
		(void)snprintf(code, sizeof(code), "HTTP_%ld", statuses[s]);
		answer_write(call, NULL, &body);
		bytes_judge(call, REPLY3_BY_CERT, statuses[s],
		    buf_get(&body), body.len, &got);
		verdict_expect(call_names[call], &got, WECHAT_UNSURE, code,
		    false);
		buf_clear(&body);
		tried++;
	}
	print_message("    other successes: %zu\n", tried);
}

/* Cut anywhere, it is not what was signed; signed as cut, it is no JSON. */
static void
test_cut_anywhere(void **state)
{
	size_t tried = 0;

	(void)state;
	for (enum wechat_call call = 0; call < CALLS; call++) {
		struct verdict got;
		struct buf body;

		answer_write(call, NULL, &body);
		for (size_t len = 0; len < body.len; len++) {
			struct wechat_http_reply reply = reply3_of(
			    REPLY3_BY_CERT, 200, buf_get(&body), body.len);

			reply.body.len = len;
			reply_judge(call, &native, &reply, &got);
			verdict_expect("cut", &got, WECHAT_UNSURE, "BAD_SIGN",
			    true);
			buf_clear(&reply.body);
			tried++;
		}
		for (size_t len = 0; len < body.len; len += 16) {
			bytes_judge(call, REPLY3_BY_CERT, 200, buf_get(&body),
			    len, &got);
			verdict_expect("cut", &got, WECHAT_UNSURE, "BAD_JSON",
			    true);
			tried++;
		}
		buf_clear(&body);
	}
	print_message("    cut answers: %zu\n", tried);
}

/* What wechat_http says instead of an answer. */
static void
test_wire(void **state)
{
	static const char *const codes[] = {
		"TIMEOUT", "NO_HOST", "NO_CONNECTION", "BAD_CERT", "NO_TLS",
		"OWN_CERT", "CUT", "TOO_LONG", "NETWORK",
	};

	(void)state;
	for (enum wechat_call call = 0; call < CALLS; call++)
	for (size_t i = 0; i < 2 * COUNT_OF(codes); i++) {
		struct wechat_http_reply reply = {
			.sent = i % 2 == 1, .code = codes[i / 2],
			.text = "why",
		};
		struct verdict got;

		buf_init(&reply.body, WECHAT_HTTP_MAX);
		reply_judge(call, &native, &reply, &got);
		verdict_expect(call_names[call], &got, reply.sent
		    ? WECHAT_UNSURE : WECHAT_NOT_SENT, reply.code, false);
		assert_string_equal(got.answer.text, "why");
	}
}

/* ------------------------------------------------------------------ vectors */

/* The classes of tests/data/v3.json in our words: what a signed and what an
 * unsigned one comes to, for the call that its text is about. */
static const struct {
	const char *id, *class;
	enum wechat_call call;
	enum wechat_verdict proved, unproved;
} class_cases[] = {
	{ "err-system-error", "ambiguous_retry_same", WECHAT_CALL_REFUND,
	  WECHAT_UNSURE, WECHAT_UNSURE },
	{ "err-legacy-system-error", "ambiguous_retry_same",
	  WECHAT_CALL_PREPAY, WECHAT_UNSURE, WECHAT_UNSURE },
	{ "err-gateway-502-html", "ambiguous_retry_same", WECHAT_CALL_REFUND,
	  WECHAT_UNSURE, WECHAT_UNSURE },
	{ "err-openid-mismatch-500", "fix_and_resubmit", WECHAT_CALL_PREPAY,
	  WECHAT_REFUSED, WECHAT_DENIED },
	{ "err-transfer-new-code", "definite_failure_unknown",
	  WECHAT_CALL_REFUND, WECHAT_DENIED, WECHAT_DENIED },
	{ "err-rate", "backoff_retry_same", WECHAT_CALL_REFUND, WECHAT_AGAIN,
	  WECHAT_AGAIN },
	{ "err-rate-legacy", "backoff_retry_same", WECHAT_CALL_REFUND,
	  WECHAT_AGAIN, WECHAT_AGAIN },
	{ "err-param", "fix_and_resubmit", WECHAT_CALL_PREPAY,
	  WECHAT_REFUSED, WECHAT_DENIED },
	{ "err-sign", "configuration", WECHAT_CALL_PREPAY, WECHAT_REFUSED,
	  WECHAT_DENIED },
	{ "err-no-auth", "configuration", WECHAT_CALL_REFUND, WECHAT_REFUSED,
	  WECHAT_DENIED },
	{ "err-not-enough", "definite_failure_retry_same_later",
	  WECHAT_CALL_REFUND, WECHAT_NO_MONEY, WECHAT_NO_MONEY },
	{ "err-order-not-exist", "not_found", WECHAT_CALL_QUERY,
	  WECHAT_MISSING, WECHAT_MISSING },
	{ "err-out-trade-no-used", "query_first", WECHAT_CALL_PREPAY,
	  WECHAT_UNSURE, WECHAT_UNSURE },
	{ "err-order-paid", "query_first", WECHAT_CALL_CLOSE, WECHAT_PAID,
	  WECHAT_PAID },
	{ "err-non-json-400", "definite_failure_unknown", WECHAT_CALL_QUERY,
	  WECHAT_REFUSED, WECHAT_DENIED },
	{ "err-accepted-202", "poll_query", WECHAT_CALL_PREPAY,
	  WECHAT_UNSURE, WECHAT_UNSURE },
};

static void
test_class_vectors(void **state)
{
	json_t *all = vectors3_open();
	const json_t *list = json_object_get(all, "vectors");
	size_t i, tried = 0;
	json_t *vector;

	(void)state;
	json_array_foreach(list, i, vector) {
		const char *body = vector_text(vector, "body");
		long status = json_integer_value(json_object_get(vector,
		    "status"));
		struct verdict got;

		if (!str_eq(vector_text(vector, "kind"), "error_class"))
			continue;
		assert_true(tried < COUNT_OF(class_cases));
		assert_string_equal(vector_text(vector, "id"),
		    class_cases[tried].id);
		assert_string_equal(vector_text(vector, "expect_class"),
		    class_cases[tried].class);
		bytes_judge(class_cases[tried].call, REPLY3_BY_CERT, status,
		    body, strlen(body), &got);
		expect(got.answer.verdict == class_cases[tried].proved,
		    "%s: %d", class_cases[tried].id, got.answer.verdict);
		bytes_judge(class_cases[tried].call, REPLY3_UNSIGNED, status,
		    body, strlen(body), &got);
		expect(got.answer.verdict == class_cases[tried].unproved,
		    "%s: %d", class_cases[tried].id, got.answer.verdict);
		/* money out: what is not certain is unknown */
		bytes_judge(WECHAT_CALL_REFUND, REPLY3_UNSIGNED, status,
		    body, strlen(body), &got);
		assert_true(got.answer.verdict != WECHAT_REFUSED
		    && got.answer.verdict != WECHAT_DONE);
		tried++;
	}
	print_message("    vectors: error_class: %zu\n", tried);
	assert_int_equal(tried, COUNT_OF(class_cases));
	json_decref(all);
}

static const char *
code_of_reason(const char *id, const char *reason)
{
	static const struct {
		const char *reason, *code;
	} codes[] = {
		{ "bad_signature", "BAD_SIGN" }, { "clock", "SIGN_CLOCK" },
		{ "unknown_serial", "SIGN_SERIAL" },
		{ "missing_header", "NO_SIGN" },
		{ "malformed_header", "SIGN_MALFORMED" },
		{ "unsupported_type", "SIGN_TYPE" },
	};

	if (str_eq(id, "resp-signtest"))
		return "SIGN_PROBE";
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (str_eq(reason, codes[i].reason))
			return codes[i].code;
	expect(false, "%s: %s", id, reason);
	return "";
}

static void
test_verify_vectors(void **state)
{
	json_t *all = vectors3_open();
	const json_t *list = json_object_get(all, "vectors");
	struct secret *a = w3_pem("v3-platform-a-cert.pem");
	struct wechat_keys *keys = reply3_keys(true, true);
	struct err err = { 0 };
	size_t i, tried = 0, believed = 0;
	json_t *vector;

	(void)state;
	assert_true(wechat_keys_add(keys, W3_SERIAL_A, secret_bytes(a),
	    secret_len(a), W3_NOW, &err));
	json_array_foreach(list, i, vector) {
		const char *id = vector_text(vector, "id");
		const struct sign3_headers headers = headers_of(vector);
		struct wechat_http_reply reply = { .sent = true, .code = "",
			.status = json_integer_value(json_object_get(vector,
			    "status")) };
		enum wechat_call call = reply.status == 204
		    ? WECHAT_CALL_CLOSE : WECHAT_CALL_PREPAY;
		struct wechat_answer answer;
		struct jsonread *json = NULL;
		bool done;

		if (!str_eq(vector_text(vector, "kind"), "response_verify")
		    || strncmp(id, "resp-", 5) != 0)
			continue;
		buf_init(&reply.body, WECHAT_HTTP_MAX);
		buf_text(&reply.body, vector_text(vector, "body"));
		reply3_headers(&reply, &headers);
		done = wechat_v3_answer_read(keys, call, &reply,
		    now_of(vector), &json, &answer);
		expect(done == str_eq(vector_text(vector, "expect"), "ok"),
		    "%s: %s %s", id, answer.code, answer.text);
		assert_int_equal(answer.verdict, done ? WECHAT_DONE
		    : WECHAT_UNSURE);
		if (!done)
			assert_string_equal(answer.code, code_of_reason(id,
			    vector_text(vector, "reason")));
		assert_true((json != NULL) == (done && reply.status == 200));
		jsonread_free(json);
		buf_clear(&reply.body);
		tried++;
		believed += done;
	}
	print_message("    vectors: response_verify: %zu, believed %zu\n",
	    tried, believed);
	assert_int_equal(tried, 24);
	assert_int_equal(believed, 9);
	wechat_keys_close(keys);
	secret_free(a);
	json_decref(all);
}

static void
pay_sign_expect(const json_t *vector, bool is_app,
    const struct fields *fields)
{
	const char *name;
	json_t *value;

	assert_int_equal(fields->count, is_app ? 7 : 6);
	json_object_foreach(json_object_get(vector, "params"), name, value)
		expect(str_eq(fields_text(fields, name), is_app
		    && str_eq(name, "partnerid") ? W3_MCHID
		    : json_string_value(value)), "%s: %s is %s",
		    vector_text(vector, "id"), name,
		    fields_text(fields, name));
	assert_string_equal(fields_text(fields, is_app ? "sign" : "paySign"),
	    vector_text(vector, "signature"));
}

/* What the front end is handed, against both merchants of the vectors. */
static void
test_pay_sign_vectors(void **state)
{
	json_t *all = vectors3_open();
	const json_t *list = json_object_get(all, "vectors");
	struct sign3_key *doc = w3_private("v3-pub-doc-merchant-key.pem");
	size_t i, tried = 0;
	json_t *vector;

	(void)state;
	json_array_foreach(list, i, vector) {
		struct wechat_v3 v3 = v3_of(my.keys);
		struct fields fields = { 0 };
		struct err err = { 0 };
		const char *kind = vector_text(vector, "pay_kind");
		bool is_app = str_eq(kind, "app");
		long stamp = 0;

		if (!str_eq(vector_text(vector, "kind"), "pay_sign"))
			continue;
		if (str_eq(vector_text(vector, "key"), "pub-doc-merchant"))
			v3.key = doc;
		assert_true(str_to_long(vector_text(vector, "timestamp"),
		    2000000000, &stamp));
		expect((is_app ? wechat_v3_app : wechat_v3_jsapi)(&v3,
		    vector_text(vector, "appid"),
		    vector_text(vector, "prepay_id"),
		    vector_text(vector, "nonce_str"), stamp, &fields, &err),
		    "%s", err.text);
		pay_sign_expect(vector, is_app, &fields);
		fields_clear(&fields);
		tried++;
	}
	print_message("    vectors: pay_sign: %zu\n", tried);
	assert_int_equal(tried, 5);
	sign3_key_free(doc);
	json_decref(all);
}

static int
start(void **state)
{
	(void)state;
	reply3_start();
	my.key = w3_private("v3-merchant-key.pem");
	my.keys = reply3_keys(true, true);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	wechat_keys_close(my.keys);
	sign3_key_free(my.key);
	reply3_stop();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_provider_payments),
		cmocka_unit_test(test_provider_requests),
		cmocka_unit_test(test_long_characters),
		cmocka_unit_test(test_no_request),
		cmocka_unit_test(test_request_vectors),
		cmocka_unit_test(test_authorization),
		cmocka_unit_test(test_right_answers),
		cmocka_unit_test(test_by_transaction_id),
		cmocka_unit_test(test_prepay_id),
		cmocka_unit_test(test_one_member),
		cmocka_unit_test(test_whose_payments),
		cmocka_unit_test(test_provider_appid),
		cmocka_unit_test(test_whose_refunds),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_unproved),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_unknown_codes),
		cmocka_unit_test(test_odd_codes),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_other_successes),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_wire),
		cmocka_unit_test(test_class_vectors),
		cmocka_unit_test(test_verify_vectors),
		cmocka_unit_test(test_pay_sign_vectors),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
