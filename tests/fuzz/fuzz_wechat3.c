/* Whatever comes as an answer of V3, signed or not: nothing unproved is
 * believed, and what is believed is in bounds and about what was asked.  The
 * first byte says what was asked: "a" to "g", and "h" to "l" what "a" to "e"
 * are, for a sub-merchant.  The next three are the HTTP status, and the rest is
 * the body. */
#include <assert.h>

#include "fuzz.h"

#include "../wechat/wechat3.h"
#include "base/str.h"
#include "wechat/wechat_v3.h"
#include "wechat/wechat_v3_certs.h"
#include "wire/jsonread.h"

#define TRADE_NO "G20260101000001"
#define REFUND_NO "R20260101000001"
#define HEAD 4			/* bytes before the body */

static const struct payment_payee payees[] = {
	{ .appid = W3_APPID },
	{ .appid = W3_APPID, .sub_mchid = W3_SUB_MCHID },
};

static struct {
	struct sign3_key *wechat;
	struct secret *pub, *apiv3_key;
	struct wechat_keys *keys;
} my;

static void
start_once(void)
{
	struct wechat_keys_config config = { .pub_key_id = W3_PUB_KEY_ID };
	struct err err = { 0 };
	bool ok;

	if (my.keys != NULL)
		return;
	jsonread_start();
	my.wechat = w3_private("v3-wxpub-key.pem");
	my.pub = w3_pem("v3-wxpub.pem");
	config.pub_key = my.pub;
	ok = secret_new(W3_APIV3_KEY, strlen(W3_APIV3_KEY), &my.apiv3_key,
	    &err) && wechat_keys_open(&config, &my.keys, &err);
	assert(ok);
}

static void
id_check(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	assert(len < size);
	for (size_t i = 0; i < len; i++)
		assert(text[i] > ' ' && text[i] <= '~');
}

static void
payment_check(const struct payment_facts *facts)
{
	id_check(facts->transaction_id, sizeof(facts->transaction_id));
	id_check(facts->openid, sizeof(facts->openid));
	id_check(facts->trade_type, sizeof(facts->trade_type));
	id_check(facts->bank_type, sizeof(facts->bank_type));
	id_check(facts->currency, sizeof(facts->currency));
	assert(str_eq(facts->mchid, W3_MCHID));
	assert(str_eq(facts->appid, W3_APPID));
	assert(str_eq(facts->out_trade_no, TRADE_NO));
	if (facts->fate != PAYMENT_PAID)
		return;
	assert(facts->total_fen >= 1 && facts->total_fen <= FEN_MAX);
	assert(facts->transaction_id[0] != '\0');
}

static void
refund_check(const struct refund_facts *facts)
{
	id_check(facts->out_trade_no, sizeof(facts->out_trade_no));
	id_check(facts->transaction_id, sizeof(facts->transaction_id));
	id_check(facts->refund_id, sizeof(facts->refund_id));
	assert(str_eq(facts->out_refund_no, REFUND_NO));
	assert(facts->refund_fen >= 1 && facts->refund_fen <= FEN_MAX);
	assert(facts->total_fen >= 1 && facts->total_fen <= FEN_MAX);
	assert(facts->refunded_at == 0 || facts->fate == REFUND_SUCCESS);
}

static void
list_check(const struct wechat_certificate *list, size_t count)
{
	assert(count <= WECHAT_KEYS_MAX);
	for (size_t i = 0; i < count; i++) {
		assert(strlen(list[i].serial) == 40);
		assert(strnlen(list[i].pem, WECHAT_PEM_SIZE)
		    < WECHAT_PEM_SIZE);
		assert(list[i].not_before <= W3_NOW
		    && W3_NOW < list[i].not_after);
	}
}

static void
answer_check(const struct wechat_answer *answer, bool is_signed)
{
	assert(answer->verdict < WECHAT_VERDICTS);
	assert(str_is_of(answer->code, STR_ALNUM "_", 0,
	    WECHAT_CODE_SIZE - 1));
	assert(str_is_plain(answer->text));
	assert(strlen(answer->text) < sizeof(answer->text));
	assert((answer->serial[0] != '\0') <= is_signed);
	/* without a signature nothing is done, refused or closed for good */
	assert(is_signed || (answer->verdict != WECHAT_DONE
	    && answer->verdict != WECHAT_REFUSED
	    && answer->verdict != WECHAT_CLOSED));
}

static void
answer_try(const struct payment_payee *payee, unsigned call,
    const struct wechat_http_reply *reply, bool is_signed)
{
	const struct payment payment = {
		.out_trade_no = TRADE_NO, .payee = *payee,
		.trade_type = "NATIVE",
	};
	const struct payment_key key = {
		.api = PAYMENT_V3, .payee = *payee, .out_trade_no = TRADE_NO,
	};
	const struct refund refund = {
		.out_refund_no = REFUND_NO, .out_trade_no = TRADE_NO,
		.payee = *payee, .total_fen = 101, .refund_fen = 51,
	};
	static struct wechat_certificate list[WECHAT_KEYS_MAX];
	const struct wechat_v3 v3 = { .mchid = W3_MCHID, .keys = my.keys };
	struct payment_prepay prepay = { 0 };
	struct payment_facts paid = { 0 };
	struct refund_facts refunded = { 0 };
	struct wechat_answer answer;
	char refund_id[REFUND_ID_MAX + 1] = "";
	size_t count = 0;
	bool done;

	switch (call) {
	case 0:
		wechat_v3_prepay_judge(&v3, &payment, reply, W3_NOW, &prepay,
		    &answer);
		break;
	case 1:
		wechat_v3_query_judge(&v3, &key, reply, W3_NOW, &paid,
		    &answer);
		break;
	case 2:
		wechat_v3_close_judge(&v3, reply, W3_NOW, &answer);
		break;
	case 3:
		wechat_v3_refund_judge(&v3, &refund, reply, W3_NOW, refund_id,
		    &answer);
		break;
	case 4:
		wechat_v3_query_refund_judge(&v3, payee, REFUND_NO, reply,
		    W3_NOW, &refunded, &answer);
		break;
	default:
		wechat_v3_certs_judge(my.keys, my.apiv3_key, reply, W3_NOW,
		    list, &count, &answer);
	}
	answer_check(&answer, is_signed);
	done = answer.verdict == WECHAT_DONE;
	assert(prepay.prepay_id[0] == '\0');	/* JSAPI's alone */
	assert((prepay.code_url[0] != '\0') == (done && call == 0));
	assert((paid.out_trade_no[0] != '\0') == (done && call == 1));
	assert((refund_id[0] != '\0') == (done && call == 3));
	assert((refunded.out_refund_no[0] != '\0') == (done && call == 4));
	assert(count == 0 || (done && call > 4));
	assert(str_eq(paid.sub_mchid, done && call == 1 ? payee->sub_mchid
	    : ""));
	assert(refunded.sub_mchid[0] == '\0'
	    || str_eq(refunded.sub_mchid, payee->sub_mchid));
	if (done && call == 1)
		payment_check(&paid);
	if (done && call == 4)
		refund_check(&refunded);
	list_check(list, count);
}

/* As it came, and once more as if WeChat had signed it. */
static void
body_try(const struct payment_payee *payee, unsigned call, long status,
    const char *body, size_t len)
{
	struct wechat_http_reply reply = { .sent = true, .code = "",
		.status = status };
	struct w3_signed made;
	const char *const headers[] = {
		[WECHAT_HTTP_TIMESTAMP] = made.timestamp,
		[WECHAT_HTTP_NONCE] = "9f1bkN2mQ7uXcV5tR8wY3zA6sD4eG0hJ",
		[WECHAT_HTTP_SIGNATURE] = made.signature,
		[WECHAT_HTTP_SERIAL] = W3_PUB_KEY_ID,
	};

	buf_init(&reply.body, WECHAT_HTTP_MAX);
	buf_add(&reply.body, body, len);
	if (buf_ok(&reply.body)) {
		answer_try(payee, call, &reply, false);
		w3_sign(my.wechat, W3_PUB_KEY_ID, W3_NOW, body, len, &made);
		for (size_t i = 0; i < COUNT_OF(headers); i++) {
			bool ok = str_copy(reply.headers[i].text,
			    sizeof(reply.headers[i].text), headers[i]);

			assert(ok);
			reply.headers[i].count = 1;
		}
		answer_try(payee, call, &reply, true);
	}
	buf_clear(&reply.body);
}

/* What stands inside a certificate that WeChat did seal. */
static void
sealed_try(const char *bytes, size_t len)
{
	struct buf list;

	if (len > WECHAT_HTTP_MAX / 2)
		return;
	buf_init(&list, WECHAT_HTTP_MAX);
	buf_text(&list, "{\"data\":[{\"serial_no\":\"" W3_SERIAL_B "\","
	    "\"encrypt_certificate\":");
	w3_resource(bytes, len, "certificate", W3_APIV3_KEY, &list);
	buf_text(&list, "}]}");
	assert(buf_ok(&list));
	body_try(&payees[0], 5, 200, buf_get(&list), list.len);
	buf_clear(&list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	unsigned call;
	long status = 0;

	start_once();
	if (len < HEAD)
		return 0;
	call = ((unsigned)bytes[0] - 'a') % 12u;
	for (size_t i = 1; i < HEAD; i++)
		status = status * 10 + (bytes[i] + 10 - '0' % 10) % 10;
	if (call == 6)
		sealed_try(text + HEAD, len - HEAD);
	else
		body_try(&payees[call > 6], call > 6 ? call - 7 : call,
		    status, text + HEAD, len - HEAD);
	return 0;
}
