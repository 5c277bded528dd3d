#include "wechat/wechat_v2.h"

#include "base/clock.h"
#include "base/fen.h"
#include "base/str.h"
#include "wechat/wechat_answer.h"
#include "wechat/wechat_facts.h"
#include "wechat/wechat_invoke.h"
#include "wechat/wechat_v2_answer.h"
#include "wire/jsonmsg.h"
#include "wire/xmlmsg.h"

#define NOTIFY_URL_MAX 256	/* [v2.md 7.1] */
#define SCENE_MAX 256		/* [v2.md 7.1] */
#define REFUNDS_MAX 50		/* of one payment [v2.md 8.1] */

static bool
v2_add_fen(struct fields *fields, const char *name, fen_t fen,
    struct err *err)
{
	char text[FEN_TEXT_SIZE];

	fen_format(fen, text);
	return fields_add(fields, name, text, err);
}

/* What is optional to WeChat and empty here stays out. */
static bool
v2_add_given(struct fields *fields, const char *name, const char *value,
    struct err *err)
{
	return value[0] == '\0' || fields_add(fields, name, value, err);
}

static bool
v2_add_url(const struct wechat_v2 *v2, struct fields *fields,
    const char *path, struct err *err)
{
	char url[NOTIFY_URL_MAX + 1];
	int len;

	len = snprintf(url, sizeof(url), "%s%s", v2->public_url, path);
	if (len < 0 || (size_t)len >= sizeof(url))
		return err_set(err, ERR_BUG, "notify_url is too long");
	return fields_add(fields, "notify_url", url, err);
}

/* In every request [v2.md 5.1]; the sub-merchant's in those of a service
 * provider, whose own are the first two. */
static bool
v2_add_common(const struct wechat_v2 *v2, struct fields *fields,
    const struct payment_payee *payee, const char *nonce, struct err *err)
{
	return fields_add(fields, "appid", payee->appid, err)
	    && fields_add(fields, "mch_id", v2->mchid, err)
	    && v2_add_given(fields, "sub_mch_id", payee->sub_mchid, err)
	    && v2_add_given(fields, "sub_appid", payee->sub_appid, err)
	    && fields_add(fields, "nonce_str", nonce, err)
	    && fields_add(fields, "sign_type", sign2_type_name(v2->sign_type),
		err);
}

static bool
v2_seal(const struct wechat_v2 *v2, struct fields *fields, struct buf *out,
    struct err *err)
{
	char sign[SIGN2_SIZE];

	if (!sign2_sign(fields, v2->sign_type, v2->api_key, sign, err)
	    || !fields_add(fields, "sign", sign, err))
		return false;
	xmlmsg_format(fields, out);
	return buf_ok(out)
	    || err_set(err, ERR_BUG, "request too long, or out of memory");
}

/* By the account that his client runs under. */
static bool
v2_add_payer(const struct payment *payment, struct fields *fields,
    struct err *err)
{
	return v2_add_given(fields, payment->payee.sub_appid[0] != '\0'
	    ? "sub_openid" : "openid", payment->openid, err);
}

static bool
v2_add_payment(const struct payment *payment, struct fields *fields,
    struct err *err)
{
	char expire[CLOCK_COMPACT_SIZE];

	clock_format_compact(payment->time_expire, expire);
	return v2_add_given(fields, "device_info",
		str_eq(payment->trade_type, "APP") ? "" : "WEB", err)
	    && fields_add(fields, "body", payment->body, err)
	    && v2_add_given(fields, "attach", payment->attach, err)
	    && fields_add(fields, "out_trade_no", payment->out_trade_no, err)
	    && v2_add_fen(fields, "total_fee", payment->total_fen, err)
	    && fields_add(fields, "spbill_create_ip", payment->client_ip, err)
	    && fields_add(fields, "time_expire", expire, err)
	    && fields_add(fields, "trade_type", payment->trade_type, err)
	    && v2_add_payer(payment, fields, err);
}

/* The documentation demands one of NATIVE, and the code is for one order. */
static bool
v2_add_product(const struct payment *payment, struct fields *fields,
    struct err *err)
{
	if (!str_eq(payment->trade_type, "NATIVE"))
		return true;
	return fields_add(fields, "product_id", payment->product_id[0] != '\0'
	    ? payment->product_id : payment->out_trade_no, err);
}

/* The site that the shopper comes from. */
static struct jsonmsg *
v2_h5_info(const char *url)
{
	struct jsonmsg *info = jsonmsg_new();
	char host[SCENE_MAX];
	const char *name = url + strlen("https://");

	(void)snprintf(host, sizeof(host), "%.*s", (int)strcspn(name, "/"),
	    name);
	jsonmsg_text(info, "type", "Wap");
	jsonmsg_text(info, "wap_url", url);
	jsonmsg_text(info, "wap_name", host);
	return info;
}

static bool
v2_add_scene(const struct wechat_v2 *v2, const struct payment *payment,
    struct fields *fields, struct err *err)
{
	struct jsonmsg *scene = NULL;
	struct buf text;
	bool ok;

	if (!str_eq(payment->trade_type, "MWEB"))
		return true;
	buf_init(&text, SCENE_MAX);
	scene = jsonmsg_new();
	jsonmsg_object(scene, "h5_info", v2_h5_info(v2->public_url));
	ok = (jsonmsg_format(scene, &text) && buf_ok(&text))
	    || err_set(err, ERR_BUG, "scene_info is too long, or out of "
	    "memory");
	ok = ok && fields_add(fields, "scene_info", buf_get(&text), err);
	jsonmsg_free(scene);
	buf_clear(&text);
	return ok;
}

bool
wechat_v2_prepay_format(const struct wechat_v2 *v2,
    const struct payment *payment, const char *nonce, struct buf *out,
    struct err *err)
{
	struct fields fields = { 0 };
	bool ok;

	ok = v2_add_common(v2, &fields, &payment->payee, nonce, err)
	    && v2_add_payment(payment, &fields, err)
	    && v2_add_product(payment, &fields, err)
	    && v2_add_scene(v2, payment, &fields, err)
	    && v2_add_url(v2, &fields, WECHAT_V2_NOTIFY_PAID, err)
	    && v2_seal(v2, &fields, out, err);
	fields_clear(&fields);
	return ok;
}

/* Query, close, refundquery and reverse ask by one number. */
static bool
v2_ask_format(const struct wechat_v2 *v2, const struct payment_payee *payee,
    const char *name, const char *number, const char *nonce, struct buf *out,
    struct err *err)
{
	struct fields fields = { 0 };
	bool ok;

	ok = v2_add_common(v2, &fields, payee, nonce, err)
	    && fields_add(&fields, name, number, err)
	    && v2_seal(v2, &fields, out, err);
	fields_clear(&fields);
	return ok;
}

bool
wechat_v2_query_format(const struct wechat_v2 *v2,
    const struct payment_key *key, const char *nonce, struct buf *out,
    struct err *err)
{
	if (key->out_trade_no[0] == '\0')
		return v2_ask_format(v2, &key->payee, "transaction_id",
		    key->transaction_id, nonce, out, err);
	return v2_ask_format(v2, &key->payee, "out_trade_no",
	    key->out_trade_no, nonce, out, err);
}

bool
wechat_v2_close_format(const struct wechat_v2 *v2,
    const struct payment_payee *payee, const char *out_trade_no,
    const char *nonce, struct buf *out, struct err *err)
{
	return v2_ask_format(v2, payee, "out_trade_no", out_trade_no, nonce,
	    out, err);
}

/* The payment by one number: WeChat's own, unless we never learned it. */
static bool
v2_add_paid(const struct refund *refund, struct fields *fields,
    struct err *err)
{
	if (refund->transaction_id[0] != '\0')
		return fields_add(fields, "transaction_id",
		    refund->transaction_id, err);
	return fields_add(fields, "out_trade_no", refund->out_trade_no, err);
}

bool
wechat_v2_refund_format(const struct wechat_v2 *v2,
    const struct refund *refund, const char *nonce, struct buf *out,
    struct err *err)
{
	struct fields fields = { 0 };
	bool ok;

	ok = v2_add_common(v2, &fields, &refund->payee, nonce, err)
	    && v2_add_paid(refund, &fields, err)
	    && fields_add(&fields, "out_refund_no", refund->out_refund_no, err)
	    && v2_add_fen(&fields, "total_fee", refund->total_fen, err)
	    && v2_add_fen(&fields, "refund_fee", refund->refund_fen, err)
	    && v2_add_given(&fields, "refund_desc", refund->reason, err)
	    && v2_add_given(&fields, "refund_account", refund->from_recharge
		? "REFUND_SOURCE_RECHARGE_FUNDS" : "", err)
	    && v2_add_url(v2, &fields, WECHAT_V2_NOTIFY_REFUNDED, err)
	    && v2_seal(v2, &fields, out, err);
	fields_clear(&fields);
	return ok;
}

bool
wechat_v2_query_refund_format(const struct wechat_v2 *v2,
    const struct payment_payee *payee, const char *out_refund_no,
    const char *nonce, struct buf *out, struct err *err)
{
	return v2_ask_format(v2, payee, "out_refund_no", out_refund_no, nonce,
	    out, err);
}

/* No notify_url: of these WeChat sends no notice [v2.md 7.2].  And no
 * time_expire: it is reversed long before. */
static bool
v2_add_micropay(const struct payment *payment, const char *auth_code,
    struct fields *fields, struct err *err)
{
	return fields_add(fields, "body", payment->body, err)
	    && v2_add_given(fields, "attach", payment->attach, err)
	    && fields_add(fields, "out_trade_no", payment->out_trade_no, err)
	    && v2_add_fen(fields, "total_fee", payment->total_fen, err)
	    && fields_add(fields, "spbill_create_ip", payment->client_ip, err)
	    && fields_add(fields, "auth_code", auth_code, err);
}

bool
wechat_v2_micropay_format(const struct wechat_v2 *v2,
    const struct payment *payment, const char *auth_code, const char *nonce,
    struct buf *out, struct err *err)
{
	struct fields fields = { 0 };
	bool ok;

	ok = v2_add_common(v2, &fields, &payment->payee, nonce, err)
	    && v2_add_micropay(payment, auth_code, &fields, err)
	    && v2_seal(v2, &fields, out, err);
	fields_clear(&fields);
	return ok;
}

bool
wechat_v2_reverse_format(const struct wechat_v2 *v2,
    const struct payment_payee *payee, const char *out_trade_no,
    const char *nonce, struct buf *out, struct err *err)
{
	return v2_ask_format(v2, payee, "out_trade_no", out_trade_no, nonce,
	    out, err);
}

static bool
v2_read_prepay(const struct fields *fields, const struct payment *payment,
    struct payment_prepay *out, struct err *err)
{
	struct payment_prepay prepay = { 0 };
	size_t code_url_min = str_eq(payment->trade_type, "NATIVE") ? 1 : 0;
	bool is_h5 = str_eq(payment->trade_type, "MWEB");

	if (!str_eq(fields_text(fields, "trade_type"), payment->trade_type))
		return err_set(err, ERR_INPUT, "trade_type: not ours");
	if (!wechat_facts_id(fields, "prepay_id", 1, prepay.prepay_id,
	    sizeof(prepay.prepay_id), err)
	    || !wechat_facts_id(fields, "code_url", code_url_min,
	    prepay.code_url, sizeof(prepay.code_url), err)
	    || !wechat_facts_id(fields, "mweb_url", is_h5 ? 1 : 0,
	    prepay.h5_url, sizeof(prepay.h5_url), err)
	    || (is_h5 && !wechat_facts_h5_url(prepay.h5_url, err)))
		return false;
	*out = prepay;
	return true;
}

void
wechat_v2_prepay_judge(const struct wechat_v2 *v2,
    const struct payment *payment, const struct wechat_http_reply *reply,
    struct payment_prepay *prepay, struct wechat_answer *answer)
{
	struct fields fields = { 0 };
	struct err err = { 0 };

	if (wechat_v2_answer_read(v2, WECHAT_CALL_PREPAY, &payment->payee,
	    reply, &fields, answer)
	    && !v2_read_prepay(&fields, payment, prepay, &err))
		wechat_answer_doubt(answer, "MISMATCH", err.text);
	fields_clear(&fields);
}

static bool
v2_echoes(const struct fields *fields, const char *name, const char *sent,
    struct err *err)
{
	return str_eq(fields_text(fields, name), sent)
	    || err_set(err, ERR_INPUT, "%s: not ours", name);
}

/* The number that was asked for, whichever it is. */
static bool
v2_echoes_key(const struct fields *fields, const struct payment_key *key,
    struct err *err)
{
	if (key->out_trade_no[0] == '\0')
		return v2_echoes(fields, "transaction_id",
		    key->transaction_id, err);
	return v2_echoes(fields, "out_trade_no", key->out_trade_no, err);
}

static bool
v2_read_query(const struct fields *fields, const struct payment_key *key,
    struct payment_facts *out, struct err *err)
{
	enum payment_fate fate;

	if (!v2_echoes_key(fields, key, err))
		return false;
	fate = payment_fate_of(fields_text(fields, "trade_state"));
	return wechat_facts_payment(fields, fate, out, err);
}

void
wechat_v2_query_judge(const struct wechat_v2 *v2,
    const struct payment_key *key, const struct wechat_http_reply *reply,
    struct payment_facts *facts, struct wechat_answer *answer)
{
	struct fields fields = { 0 };
	struct err err = { 0 };

	if (wechat_v2_answer_read(v2, WECHAT_CALL_QUERY, &key->payee, reply,
	    &fields, answer)
	    && !v2_read_query(&fields, key, facts, &err))
		wechat_answer_doubt(answer, "MISMATCH", err.text);
	fields_clear(&fields);
}

/* closeorder's success names no number; the signature covers nonce and ids
 * only. [v2.md 7.4] */
void
wechat_v2_close_judge(const struct wechat_v2 *v2,
    const struct payment_payee *payee,
    const struct wechat_http_reply *reply, struct wechat_answer *answer)
{
	struct fields fields = { 0 };

	(void)!wechat_v2_answer_read(v2, WECHAT_CALL_CLOSE, payee, reply,
	    &fields, answer);
	fields_clear(&fields);
}

static bool
v2_echoes_fen(const struct fields *fields, const char *name, fen_t sent,
    struct err *err)
{
	char text[FEN_TEXT_SIZE];

	fen_format(sent, text);
	return v2_echoes(fields, name, text, err);
}

static bool
v2_read_refund(const struct fields *fields, const struct refund *refund,
    char refund_id[static REFUND_ID_MAX + 1], struct err *err)
{
	return v2_echoes(fields, "out_refund_no", refund->out_refund_no, err)
	    && v2_echoes(fields, "out_trade_no", refund->out_trade_no, err)
	    && (refund->transaction_id[0] == '\0'
		|| v2_echoes(fields, "transaction_id", refund->transaction_id,
		    err))
	    && v2_echoes_fen(fields, "total_fee", refund->total_fen, err)
	    && v2_echoes_fen(fields, "refund_fee", refund->refund_fen, err)
	    && wechat_facts_id(fields, "refund_id", 1, refund_id,
		REFUND_ID_MAX + 1, err);
}

void
wechat_v2_refund_judge(const struct wechat_v2 *v2,
    const struct refund *refund, const struct wechat_http_reply *reply,
    char refund_id[static REFUND_ID_MAX + 1], struct wechat_answer *answer)
{
	struct fields fields = { 0 };
	struct err err = { 0 };

	if (wechat_v2_answer_read(v2, WECHAT_CALL_REFUND, &refund->payee,
	    reply, &fields, answer)
	    && !v2_read_refund(&fields, refund, refund_id, &err))
		wechat_answer_doubt(answer, "MISMATCH", err.text);
	fields_clear(&fields);
}

/* The answer may list every refund of the payment: find the one we mean. */
static bool
v2_read_query_refund(const struct fields *fields, const char *out_refund_no,
    struct refund_facts *out, struct err *err)
{
	char suffix[8], name[32];
	int i;

	for (i = 0; i < REFUNDS_MAX; i++) {
		(void)snprintf(suffix, sizeof(suffix), "_%d", i);
		(void)snprintf(name, sizeof(name), "out_refund_no%s", suffix);
		if (str_eq(fields_text(fields, name), out_refund_no))
			return wechat_facts_refund(fields, suffix, out, err);
	}
	return err_set(err, ERR_INPUT, "out_refund_no: not ours");
}

void
wechat_v2_query_refund_judge(const struct wechat_v2 *v2,
    const struct payment_payee *payee, const char *out_refund_no,
    const struct wechat_http_reply *reply,
    struct refund_facts *facts, struct wechat_answer *answer)
{
	struct fields fields = { 0 };
	struct err err = { 0 };

	if (wechat_v2_answer_read(v2, WECHAT_CALL_QUERY_REFUND, payee,
	    reply, &fields, answer)
	    && !v2_read_query_refund(&fields, out_refund_no, facts, &err))
		wechat_answer_doubt(answer, "MISMATCH", err.text);
	fields_clear(&fields);
}

static bool
v2_read_micropay(const struct fields *fields, const struct payment *payment,
    struct payment_facts *out, struct err *err)
{
	return v2_echoes(fields, "out_trade_no", payment->out_trade_no, err)
	    && v2_echoes(fields, "trade_type", payment->trade_type, err)
	    && v2_echoes_fen(fields, "total_fee", payment->total_fen, err)
	    && wechat_facts_payment(fields, PAYMENT_PAID, out, err);
}

void
wechat_v2_micropay_judge(const struct wechat_v2 *v2,
    const struct payment *payment, const struct wechat_http_reply *reply,
    struct payment_facts *facts, struct wechat_answer *answer)
{
	struct fields fields = { 0 };
	struct err err = { 0 };

	if (wechat_v2_answer_read(v2, WECHAT_CALL_MICROPAY, &payment->payee,
	    reply, &fields, answer)
	    && !v2_read_micropay(&fields, payment, facts, &err))
		wechat_answer_doubt(answer, "MISMATCH", err.text);
	fields_clear(&fields);
}

/* As closeorder's, its success names no number. */
void
wechat_v2_reverse_judge(const struct wechat_v2 *v2,
    const struct payment_payee *payee,
    const struct wechat_http_reply *reply, struct wechat_answer *answer)
{
	struct fields fields = { 0 };
	const char *recall;

	if (wechat_v2_answer_read(v2, WECHAT_CALL_REVERSE, payee, reply,
	    &fields, answer)) {
		recall = fields_text(&fields, "recall");
		if (str_eq(recall, "Y"))
			(void)wechat_answer_end(answer, WECHAT_AGAIN,
			    "RECALL", "", false);
		else if (!str_eq(recall, "N"))
			wechat_answer_doubt(answer, "MISMATCH",
			    "recall: neither Y nor N");
	}
	fields_clear(&fields);
}

/* Sign what is handed to the front end, under the type of unifiedorder. */
static bool
v2_sign_invocation(const struct wechat_v2 *v2, const char *name,
    struct fields *out, struct err *err)
{
	char sign[SIGN2_SIZE];

	return sign2_sign(out, v2->sign_type, v2->api_key, sign, err)
	    && fields_add(out, name, sign, err);
}

bool
wechat_v2_jsapi(const struct wechat_v2 *v2, const char *appid,
    const char *prepay_id, const char *nonce, epoch_t now, struct fields *out,
    struct err *err)
{
	if (wechat_invoke_add(appid, prepay_id, nonce, now,
	    sign2_type_name(v2->sign_type), out, err)
	    && v2_sign_invocation(v2, "paySign", out, err))
		return true;
	fields_clear(out);
	return false;
}

bool
wechat_v2_app(const struct wechat_v2 *v2, const char *appid,
    const char *prepay_id, const char *nonce, epoch_t now, struct fields *out,
    struct err *err)
{
	if (wechat_invoke_add_app(appid, v2->mchid, prepay_id, nonce, now, out,
	    err)
	    && v2_sign_invocation(v2, "sign", out, err))
		return true;
	fields_clear(out);
	return false;
}
