/* Whatever comes as a notice or as an answer, forged or genuine: nothing
 * unproved is believed, and what is believed is in bounds and about what was
 * asked.  The first byte says what the rest is: "a" to "c" a notice, "d" to
 * "j" an answer to one of the seven calls, "k" to "q" to one that was made for
 * a sub-merchant. */
#include <assert.h>

#include "fuzz.h"

#include "base/str.h"
#include "wechat/wechat_notice.h"
#include "wechat/wechat_v2.h"
#include "wire/seal2.h"
#include "wire/xmlmsg.h"

#define KEY "a key that is in no seed"
#define MCHID "1900000109"
#define APPID "wx8888888888888888"
#define TRADE_NO "G20240115000001"
#define REFUND_NO "R20240116000001"

static const struct payment_payee payees[] = {
	{ .appid = APPID }, { .appid = APPID, .sub_mchid = "1900000110" },
};
static struct secret *key;

static void
start_once(void)
{
	struct err err = { 0 };

	if (key != NULL)
		return;
	xmlmsg_start();
	assert(secret_new(KEY, strlen(KEY), &key, &err));
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
	id_check(facts->out_trade_no, sizeof(facts->out_trade_no));
	id_check(facts->transaction_id, sizeof(facts->transaction_id));
	id_check(facts->openid, sizeof(facts->openid));
	id_check(facts->sub_mchid, sizeof(facts->sub_mchid));
	id_check(facts->trade_type, sizeof(facts->trade_type));
	id_check(facts->bank_type, sizeof(facts->bank_type));
	id_check(facts->currency, sizeof(facts->currency));
	assert(str_eq(facts->mchid, MCHID));
	if (facts->fate != PAYMENT_PAID)
		return;
	assert(facts->total_fen >= 1 && facts->total_fen <= FEN_MAX);
	assert(facts->out_trade_no[0] != '\0');
	assert(facts->transaction_id[0] != '\0');
}

static void
refund_check(const struct refund_facts *facts)
{
	id_check(facts->out_refund_no, sizeof(facts->out_refund_no));
	id_check(facts->out_trade_no, sizeof(facts->out_trade_no));
	id_check(facts->transaction_id, sizeof(facts->transaction_id));
	id_check(facts->refund_id, sizeof(facts->refund_id));
	id_check(facts->sub_mchid, sizeof(facts->sub_mchid));
	assert(facts->out_refund_no[0] != '\0');
	assert(facts->refund_fen >= 1 && facts->refund_fen <= FEN_MAX);
	assert(facts->total_fen >= 1 && facts->total_fen <= FEN_MAX);
	assert(facts->refunded_at == 0 || facts->fate == REFUND_SUCCESS);
}

static void
paid_try(const char *bytes, size_t len, bool is_genuine)
{
	struct wechat_notice_keys keys = {
		.mchid = MCHID, .sign_type = SIGN2_MD5, .api_key = key,
	};
	struct notice notice = { 0 };
	struct err err = { 0 };
	bool ok = wechat_notice_paid(&keys, bytes, len, &notice, &err);

	assert(ok == (err.kind == ERR_NONE));
	assert(!ok || is_genuine);
	if (ok)
		payment_check(&notice.payment);
	else
		assert(notice.kind == 0);
}

static void
refunded_try(const char *bytes, size_t len, bool is_genuine)
{
	struct wechat_notice_keys keys = {
		.mchid = MCHID, .sign_type = SIGN2_MD5, .api_key = key,
	};
	struct notice notice = { 0 };
	struct err err = { 0 };
	bool ok = wechat_notice_refunded(&keys, bytes, len, &notice, &err);

	assert(ok == (err.kind == ERR_NONE));
	assert(!ok || (is_genuine && !notice.is_signed));
	if (ok)
		refund_check(&notice.refund);
	else
		assert(notice.kind == 0);
}

/* The rest is what stands inside a notice that WeChat did seal. */
static void
sealed_try(const char *bytes, size_t len)
{
	struct err err = { 0 };
	struct buf sealed, xml;

	buf_init(&sealed, 2 * XMLMSG_MAX);
	buf_init(&xml, 3 * XMLMSG_MAX);
	if (seal2_seal(bytes, len, key, &sealed, &err)) {
		buf_format(&xml, "<xml><return_code>SUCCESS</return_code>"
		    "<appid>" APPID "</appid><mch_id>" MCHID "</mch_id>"
		    "<req_info>%s</req_info></xml>", buf_get(&sealed));
		refunded_try(buf_get(&xml), xml.len, true);
	}
	buf_clear(&xml);
	buf_clear(&sealed);
}

static void
answer_check(const struct wechat_answer *answer, bool is_genuine)
{
	assert(answer->verdict < WECHAT_VERDICTS);
	assert(str_is_of(answer->code, STR_ALNUM "_", 0,
	    WECHAT_CODE_SIZE - 1));
	assert(str_is_plain(answer->text));
	assert(strlen(answer->text) < sizeof(answer->text));
	/* unproved, it may be turned away at most */
	assert(is_genuine || answer->verdict == WECHAT_UNSURE
	    || answer->verdict == WECHAT_DENIED);
}

static void
answer_try(const struct payment_payee *payee, unsigned call,
    const char *bytes, size_t len, bool is_genuine)
{
	const struct payment payment = {
		.out_trade_no = TRADE_NO, .payee = *payee,
		.trade_type = "NATIVE", .total_fen = 101,
	};
	const struct payment_key asked = {
		.payee = *payee, .out_trade_no = TRADE_NO,
	};
	const struct refund refund = {
		.out_refund_no = REFUND_NO, .out_trade_no = TRADE_NO,
		.payee = *payee, .total_fen = 101, .refund_fen = 51,
	};
	const struct wechat_v2 v2 = {
		.mchid = MCHID, .sign_type = SIGN2_MD5, .api_key = key,
		.public_url = "https://pay.example.com",
	};
	struct wechat_http_reply reply = { .sent = true, .code = "",
		.status = 200 };
	struct payment_prepay prepay = { 0 };
	struct payment_facts paid = { 0 };
	struct refund_facts refunded = { 0 };
	struct wechat_answer answer;
	char refund_id[REFUND_ID_MAX + 1] = "";
	bool done;

	buf_init(&reply.body, WECHAT_HTTP_MAX);
	buf_add(&reply.body, bytes, len);
	if (!buf_ok(&reply.body))
		goto out;
	switch (call) {
	case 0:
		wechat_v2_prepay_judge(&v2, &payment, &reply, &prepay,
		    &answer);
		break;
	case 1:
		wechat_v2_query_judge(&v2, &asked, &reply, &paid,
		    &answer);
		break;
	case 2:
		wechat_v2_close_judge(&v2, payee, &reply, &answer);
		break;
	case 3:
		wechat_v2_refund_judge(&v2, &refund, &reply, refund_id,
		    &answer);
		break;
	case 4:
		wechat_v2_query_refund_judge(&v2, payee, REFUND_NO, &reply,
		    &refunded, &answer);
		break;
	case 5:
		wechat_v2_micropay_judge(&v2, &payment, &reply, &paid,
		    &answer);
		break;
	default:
		wechat_v2_reverse_judge(&v2, payee, &reply, &answer);
	}
	answer_check(&answer, is_genuine);
	done = answer.verdict == WECHAT_DONE;
	assert((prepay.prepay_id[0] != '\0') == (done && call == 0));
	assert((prepay.code_url[0] != '\0') == (done && call == 0));
	assert(str_eq(paid.out_trade_no,
	    done && (call == 1 || call == 5) ? TRADE_NO : ""));
	assert(str_eq(paid.sub_mchid, paid.out_trade_no[0] != '\0'
	    ? payee->sub_mchid : ""));
	assert(str_eq(refunded.sub_mchid, refunded.out_refund_no[0] != '\0'
	    ? payee->sub_mchid : ""));
	assert(str_eq(refunded.out_refund_no,
	    done && call == 4 ? REFUND_NO : ""));
	assert((refund_id[0] != '\0') == (done && call == 3));
	if (done && (call == 1 || call == 5))
		payment_check(&paid);
	if (done && call == 4)
		refund_check(&refunded);
out:
	buf_clear(&reply.body);
}

/* Sign the message, if it is one, as WeChat would. */
static bool
message_sign(const char *bytes, size_t len, struct buf *out)
{
	struct fields fields = { 0 }, signable = { 0 };
	struct err err = { 0 };
	char sign[SIGN2_SIZE];
	bool ok = xmlmsg_parse(bytes, len, "xml", &fields, &err);

	for (size_t i = 0; ok && i < fields.count; i++)
		if (!str_eq(fields.list[i].name, "sign"))
			ok = fields_add(&signable, fields.list[i].name,
			    fields.list[i].value, &err);
	ok = ok && sign2_sign(&signable, SIGN2_MD5, key, sign, &err)
	    && fields_add(&signable, "sign", sign, &err);
	if (ok)
		xmlmsg_format(&signable, out);
	fields_clear(&signable);
	fields_clear(&fields);
	return ok && buf_ok(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes + 1;
	const struct payment_payee *payee = &payees[0];
	struct buf message;
	unsigned what;

	start_once();
	if (len < 2)
		return 0;
	what = ((unsigned)bytes[0] - 'a') % 17u;
	if (what > 9) {
		payee = &payees[1];
		what -= 7;
	}
	len--;
	if (what == 0)
		refunded_try(text, len, false);
	else if (what == 1)
		sealed_try(text, len);
	else if (what == 2)
		paid_try(text, len, false);
	else
		answer_try(payee, what - 3, text, len, false);

	buf_init(&message, XMLMSG_MAX);
	if (what >= 2 && message_sign(text, len, &message)) {
		if (what == 2)
			paid_try(message.data, message.len, true);
		else
			answer_try(payee, what - 3, message.data, message.len,
			    true);
	}
	buf_clear(&message);
	return 0;
}
