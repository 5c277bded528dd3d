#include "wechat/wechat_v3.h"

#include <assert.h>
#include <stddef.h>

#include "base/str.h"
#include "wechat/wechat_answer.h"
#include "wechat/wechat_facts.h"
#include "wechat/wechat_invoke.h"
#include "wechat/wechat_v3_answer.h"
#include "wechat/wechat_v3_facts.h"
#include "wire/form.h"
#include "wire/jsonmsg.h"
#include "wire/jsonread.h"
#include "wire/sign3.h"

#define BODY_BYTES_MAX 8192
#define HEADER_BYTES_MAX 1024
#define NOTIFY_URL_MAX 255	/* [v3.md 24] the shorter of two statements */

#define REFUNDS "/v3/refund/domestic/refunds"

/* How a merchant speaks of his own payments, and how a service provider does
 * of those that he makes for others. [v3.md 19] */
struct tongue {
	const char *transactions;	/* path */
	const char *appid, *mchid;
};

static const struct tongue tongue_own = {
	"/v3/pay/transactions", "appid", "mchid"
};
static const struct tongue tongue_provider = {
	"/v3/pay/partner/transactions", "sp_appid", "sp_mchid"
};

static const struct tongue *
tongue_of(const struct payment_payee *payee)
{
	return payee->sub_mchid[0] == '\0' ? &tongue_own : &tongue_provider;
}

/* What one trade type is made by. */
struct trade {
	const char *trade_type;
	const char *path;	/* below transactions */
	const char *member;	/* the one that the answer has */
	size_t at, size;	/* where that goes in a payment_prepay */
};

static const struct trade trades[] = {	/* [v3.md 8] */
	{ "JSAPI", "/jsapi", "prepay_id",
	    offsetof(struct payment_prepay, prepay_id), PREPAY_ID_MAX + 1 },
	{ "NATIVE", "/native", "code_url",
	    offsetof(struct payment_prepay, code_url), CODE_URL_MAX + 1 },
	{ "APP", "/app", "prepay_id",
	    offsetof(struct payment_prepay, prepay_id), PREPAY_ID_MAX + 1 },
	{ "MWEB", "/h5", "h5_url",
	    offsetof(struct payment_prepay, h5_url), H5_URL_MAX + 1 },
};

/* NULL if V3 has no such trade type. */
static const struct trade *
trade_find(const char *trade_type)
{
	for (size_t i = 0; i < COUNT_OF(trades); i++)
		if (str_eq(trade_type, trades[i].trade_type))
			return &trades[i];
	return NULL;
}

void
wechat_v3_request_init(struct wechat_v3_request *request)
{
	memset(request, 0, sizeof(*request));
	buf_init(&request->target, WECHAT_V3_TARGET_MAX);
	buf_init(&request->body, BODY_BYTES_MAX);
	buf_init(&request->authorization, HEADER_BYTES_MAX);
	buf_init(&request->wanted, HEADER_BYTES_MAX);
}

void
wechat_v3_request_clear(struct wechat_v3_request *request)
{
	buf_clear(&request->wanted);
	buf_clear(&request->authorization);
	buf_clear(&request->body);
	buf_clear(&request->target);
}

/* GET, or POST of message, which is given away. */
static bool
v3_end(struct wechat_v3_request *out, const char *method,
    struct jsonmsg *message, struct err *err)
{
	bool ok = buf_ok(&out->target);

	out->method = method;
	if (str_eq(method, "POST"))
		ok = jsonmsg_format(message, &out->body) && ok;
	jsonmsg_free(message);
	return ok || err_set(err, ERR_BUG,
	    "request too long, or out of memory");
}

/* [v3.md 2] V3 has no characters of four bytes.  They go, the same ones each
 * time: a repetition must not differ. */
static void
v3_text(struct jsonmsg *message, const char *name, const char *text,
    const char *instead)
{
	char plain[BODY_MAX + 1];
	size_t len = 0;

	assert(strlen(text) < sizeof(plain));
	for (; *text != '\0'; text++) {
		bool is_long = (unsigned char)*text >= 0xf0;

		while (is_long && ((unsigned char)text[1] & 0xc0) == 0x80)
			text++;
		if (!is_long)
			plain[len++] = *text;
	}
	plain[len] = '\0';
	jsonmsg_text(message, name, len > 0 ? plain : instead);
}

static bool
v3_url(const struct wechat_v3 *v3, struct jsonmsg *message, const char *path,
    struct err *err)
{
	char url[NOTIFY_URL_MAX + 1];
	int len;

	len = snprintf(url, sizeof(url), "%s%s", v3->public_url, path);
	if (len < 0 || (size_t)len >= sizeof(url))
		return err_set(err, ERR_BUG, "notify_url is too long");
	jsonmsg_text(message, "notify_url", url);
	return true;
}

/* A NULL is left out of a message. */
static const char *
v3_given(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static void
v3_payee(const struct wechat_v3 *v3, const struct payment_payee *payee,
    struct jsonmsg *message)
{
	const struct tongue *tongue = tongue_of(payee);

	jsonmsg_text(message, tongue->appid, payee->appid);
	jsonmsg_text(message, tongue->mchid, v3->mchid);
	jsonmsg_text(message, "sub_appid", v3_given(payee->sub_appid));
	jsonmsg_text(message, "sub_mchid", v3_given(payee->sub_mchid));
}

static void
v3_payment(const struct wechat_v3 *v3, const struct payment *payment,
    struct jsonmsg *message)
{
	char expire[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(payment->time_expire, expire);
	v3_payee(v3, &payment->payee, message);
	/* one is demanded, even of goods that are nothing but a picture */
	v3_text(message, "description", payment->body, payment->out_trade_no);
	jsonmsg_text(message, "out_trade_no", payment->out_trade_no);
	jsonmsg_text(message, "time_expire", expire);
	v3_text(message, "attach", payment->attach, NULL);
}

static void
v3_amount(struct jsonmsg *message, const struct payment *payment)
{
	struct jsonmsg *amount = jsonmsg_new();

	jsonmsg_int(amount, "total", payment->total_fen);
	jsonmsg_text(amount, "currency", "CNY");
	jsonmsg_object(message, "amount", amount);
}

/* By the account that his client runs under. */
static const char *
payer_name(const struct payment_payee *payee)
{
	if (payee->sub_mchid[0] == '\0')
		return "openid";
	return payee->sub_appid[0] != '\0' ? "sub_openid" : "sp_openid";
}

static void
v3_payer(struct jsonmsg *message, const struct payment *payment)
{
	struct jsonmsg *payer = NULL;

	if (payment->openid[0] == '\0')
		return;
	payer = jsonmsg_new();
	jsonmsg_text(payer, payer_name(&payment->payee), payment->openid);
	jsonmsg_object(message, "payer", payer);
}

/* [v3.md 8.1] Where the shopper is, whom WeChat compares with its payer. */
static void
v3_scene(struct jsonmsg *message, const struct payment *payment)
{
	struct jsonmsg *scene = NULL, *info = NULL;

	if (!str_eq(payment->trade_type, "MWEB"))
		return;
	scene = jsonmsg_new();
	info = jsonmsg_new();
	jsonmsg_text(info, "type", "Wap");
	jsonmsg_text(scene, "payer_client_ip", payment->client_ip);
	jsonmsg_object(scene, "h5_info", info);
	jsonmsg_object(message, "scene_info", scene);
}

bool
wechat_v3_prepay_format(const struct wechat_v3 *v3,
    const struct payment *payment, struct wechat_v3_request *out,
    struct err *err)
{
	const struct trade *trade = trade_find(payment->trade_type);
	struct jsonmsg *message = NULL;

	if (trade == NULL)
		return err_set(err, ERR_INPUT, "trade_type: unknown to V3");
	message = jsonmsg_new();
	v3_payment(v3, payment, message);
	if (!v3_url(v3, message, WECHAT_V3_NOTIFY_PAID, err)) {
		jsonmsg_free(message);
		return false;
	}
	v3_amount(message, payment);
	v3_payer(message, payment);
	v3_scene(message, payment);
	buf_text(&out->target, tongue_of(&payment->payee)->transactions);
	buf_text(&out->target, trade->path);
	return v3_end(out, "POST", message, err);
}

/* A transaction by one of its numbers. */
static void
v3_transaction(const struct payment_payee *payee, const char *path,
    const char *number, struct buf *target)
{
	buf_text(target, tongue_of(payee)->transactions);
	buf_text(target, path);
	form_encode(number, target);
}

static void
v3_sub_query(const struct payment_payee *payee, const char *before,
    struct buf *target)
{
	if (payee->sub_mchid[0] == '\0')
		return;
	buf_format(target, "%ssub_mchid=", before);
	form_encode(payee->sub_mchid, target);
}

static bool
v3_ask_format(const struct wechat_v3 *v3, const struct payment_payee *payee,
    const char *path, const char *number, struct wechat_v3_request *out,
    struct err *err)
{
	v3_transaction(payee, path, number, &out->target);
	buf_format(&out->target, "?%s=", tongue_of(payee)->mchid);
	form_encode(v3->mchid, &out->target);
	v3_sub_query(payee, "&", &out->target);
	return v3_end(out, "GET", NULL, err);
}

bool
wechat_v3_query_format(const struct wechat_v3 *v3,
    const struct payment_key *key, struct wechat_v3_request *out,
    struct err *err)
{
	if (key->out_trade_no[0] == '\0')
		return v3_ask_format(v3, &key->payee, "/id/",
		    key->transaction_id, out, err);
	return v3_ask_format(v3, &key->payee, "/out-trade-no/",
	    key->out_trade_no, out, err);
}

bool
wechat_v3_close_format(const struct wechat_v3 *v3,
    const struct payment_payee *payee, const char *out_trade_no,
    struct wechat_v3_request *out, struct err *err)
{
	struct jsonmsg *message = jsonmsg_new();

	jsonmsg_text(message, tongue_of(payee)->mchid, v3->mchid);
	jsonmsg_text(message, "sub_mchid", v3_given(payee->sub_mchid));
	v3_transaction(payee, "/out-trade-no/", out_trade_no, &out->target);
	buf_text(&out->target, "/close");
	return v3_end(out, "POST", message, err);
}

/* The payment by one number: WeChat's own, unless we never learned it. */
static void
v3_paid(struct jsonmsg *message, const struct refund *refund)
{
	if (refund->transaction_id[0] != '\0')
		jsonmsg_text(message, "transaction_id",
		    refund->transaction_id);
	else
		jsonmsg_text(message, "out_trade_no", refund->out_trade_no);
}

static void
v3_refund_amount(struct jsonmsg *message, const struct refund *refund)
{
	struct jsonmsg *amount = jsonmsg_new();

	jsonmsg_int(amount, "refund", refund->refund_fen);
	jsonmsg_int(amount, "total", refund->total_fen);
	jsonmsg_text(amount, "currency", "CNY");
	jsonmsg_object(message, "amount", amount);
}

bool
wechat_v3_refund_format(const struct wechat_v3 *v3,
    const struct refund *refund, struct wechat_v3_request *out,
    struct err *err)
{
	struct jsonmsg *message = jsonmsg_new();

	jsonmsg_text(message, "sub_mchid", v3_given(refund->payee.sub_mchid));
	v3_paid(message, refund);
	jsonmsg_text(message, "out_refund_no", refund->out_refund_no);
	v3_text(message, "reason", refund->reason, NULL);
	if (!v3_url(v3, message, WECHAT_V3_NOTIFY_REFUNDED, err)) {
		jsonmsg_free(message);
		return false;
	}
	jsonmsg_text(message, "funds_account", refund->from_recharge
	    ? "AVAILABLE" : NULL);
	v3_refund_amount(message, refund);
	buf_text(&out->target, REFUNDS);
	return v3_end(out, "POST", message, err);
}

bool
wechat_v3_query_refund_format(const struct payment_payee *payee,
    const char *out_refund_no, struct wechat_v3_request *out,
    struct err *err)
{
	buf_text(&out->target, REFUNDS "/");
	form_encode(out_refund_no, &out->target);
	v3_sub_query(payee, "?", &out->target);
	return v3_end(out, "GET", NULL, err);
}

bool
wechat_v3_certificates_format(struct wechat_v3_request *out, struct err *err)
{
	buf_text(&out->target, "/v3/certificates");
	return v3_end(out, "GET", NULL, err);
}

/* [v3.md 2] Without Accept it is refused; what Wechatpay-Serial names is what
 * the answer is signed with. */
static void
v3_list_headers(struct wechat_v3_request *request)
{
	size_t count = 0;

	request->headers[count++] = buf_get(&request->authorization);
	request->headers[count++] = "Accept: application/json";
	if (request->body.len > 0)
		request->headers[count++] = "Content-Type: application/json";
	if (request->wanted.len > 0)
		request->headers[count++] = buf_get(&request->wanted);
	request->headers[count] = NULL;
}

bool
wechat_v3_request_sign(const struct wechat_v3 *v3, const char *nonce,
    epoch_t now, struct wechat_v3_request *request, struct err *err)
{
	const struct sign3_request text = {
		.method = request->method, .target = buf_get(&request->target),
		.at = now, .nonce = nonce, .body = buf_get(&request->body),
		.body_len = request->body.len,
	};
	const char *wanted = wechat_keys_wanted(v3->keys);

	buf_text(&request->authorization, "Authorization: ");
	if (!sign3_authorize(v3->key, v3->mchid, v3->serial, &text,
	    &request->authorization, err))
		return false;
	if (wanted != NULL)
		buf_format(&request->wanted, "Wechatpay-Serial: %s", wanted);
	if (!buf_ok(&request->authorization) || !buf_ok(&request->wanted))
		return err_set(err, ERR_BUG, "out of memory");
	v3_list_headers(request);
	return true;
}

/* Only JSAPI and APP have a prepay_id in V3. */
static bool
v3_read_prepay(const struct jsonread *json, const struct trade *trade,
    struct payment_prepay *out, struct err *err)
{
	struct payment_prepay prepay = { 0 };

	if (!wechat_v3_facts_id(json, trade->member, 1,
	    (char *)&prepay + trade->at, trade->size, err)
	    || (prepay.h5_url[0] != '\0'
	    && !wechat_facts_h5_url(prepay.h5_url, err)))
		return false;
	*out = prepay;
	return true;
}

void
wechat_v3_prepay_judge(const struct wechat_v3 *v3,
    const struct payment *payment, const struct wechat_http_reply *reply,
    epoch_t now, struct payment_prepay *prepay, struct wechat_answer *answer)
{
	const struct trade *trade = trade_find(payment->trade_type);
	struct jsonread *json = NULL;
	struct err err = { 0 };

	assert(trade != NULL);	/* it was sent */
	if (wechat_v3_answer_read(v3->keys, WECHAT_CALL_PREPAY, reply, now,
	    &json, answer)
	    && !v3_read_prepay(json, trade, prepay, &err))
		wechat_answer_doubt(answer, "MISMATCH", err.text);
	jsonread_free(json);
}

static bool
v3_echoes(const char *name, const char *said, const char *sent,
    struct err *err)
{
	return str_eq(said, sent)
	    || err_set(err, ERR_INPUT, "%s: not ours", name);
}

static bool
v3_echoes_fen(const char *name, fen_t said, fen_t sent, struct err *err)
{
	return said == sent || err_set(err, ERR_INPUT, "%s: not ours", name);
}

/* Whoever asks by WeChat's number cannot know the appid yet. */
static bool
v3_echoes_key(const struct jsonread *json, const struct payment_facts *facts,
    const struct payment_key *key, struct err *err)
{
	const char *transaction_id = NULL;

	if (key->out_trade_no[0] == '\0')
		return jsonread_text(json, "transaction_id", &transaction_id,
		    err)
		    && v3_echoes("transaction_id", transaction_id,
			key->transaction_id, err);
	return v3_echoes("appid", facts->appid, key->payee.appid, err)
	    && v3_echoes("out_trade_no", facts->out_trade_no,
		key->out_trade_no, err);
}

static bool
v3_read_query(const struct wechat_v3 *v3, const struct jsonread *json,
    const struct payment_key *key, struct payment_facts *out,
    struct err *err)
{
	struct payment_facts facts = { 0 };

	if (!wechat_v3_facts_payment(json, &facts, err)
	    || !v3_echoes("mchid", facts.mchid, v3->mchid, err)
	    || !v3_echoes("sub_mchid", facts.sub_mchid,
		key->payee.sub_mchid, err)
	    || !v3_echoes_key(json, &facts, key, err))
		return false;
	*out = facts;
	return true;
}

void
wechat_v3_query_judge(const struct wechat_v3 *v3,
    const struct payment_key *key, const struct wechat_http_reply *reply,
    epoch_t now, struct payment_facts *facts, struct wechat_answer *answer)
{
	struct jsonread *json = NULL;
	struct err err = { 0 };

	if (wechat_v3_answer_read(v3->keys, WECHAT_CALL_QUERY, reply, now,
	    &json, answer)
	    && !v3_read_query(v3, json, key, facts, &err))
		wechat_answer_doubt(answer, "MISMATCH", err.text);
	jsonread_free(json);
}

/* A close that worked says nothing. [v3.md 10.2] */
void
wechat_v3_close_judge(const struct wechat_v3 *v3,
    const struct wechat_http_reply *reply, epoch_t now,
    struct wechat_answer *answer)
{
	struct jsonread *json = NULL;

	(void)!wechat_v3_answer_read(v3->keys, WECHAT_CALL_CLOSE, reply, now,
	    &json, answer);
	jsonread_free(json);
}

/* An answer about a refund need not name a sub-merchant [v3.md 12.1], and may
 * name no other. */
static bool
v3_echoes_sub(const struct refund_facts *facts,
    const struct payment_payee *payee, struct err *err)
{
	return facts->sub_mchid[0] == '\0'
	    || v3_echoes("sub_mchid", facts->sub_mchid, payee->sub_mchid, err);
}

static bool
v3_read_refund(const struct jsonread *json, const struct refund *refund,
    char refund_id[static REFUND_ID_MAX + 1], struct err *err)
{
	struct refund_facts facts = { 0 };

	return wechat_v3_facts_refund(json, "status", &facts, err)
	    && v3_echoes_sub(&facts, &refund->payee, err)
	    && v3_echoes("out_refund_no", facts.out_refund_no,
		refund->out_refund_no, err)
	    && v3_echoes("out_trade_no", facts.out_trade_no,
		refund->out_trade_no, err)
	    && (refund->transaction_id[0] == '\0'
		|| v3_echoes("transaction_id", facts.transaction_id,
		    refund->transaction_id, err))
	    && v3_echoes_fen("amount.total", facts.total_fen,
		refund->total_fen, err)
	    && v3_echoes_fen("amount.refund", facts.refund_fen,
		refund->refund_fen, err)
	    && str_copy(refund_id, REFUND_ID_MAX + 1, facts.refund_id);
}

void
wechat_v3_refund_judge(const struct wechat_v3 *v3,
    const struct refund *refund, const struct wechat_http_reply *reply,
    epoch_t now, char refund_id[static REFUND_ID_MAX + 1],
    struct wechat_answer *answer)
{
	struct jsonread *json = NULL;
	struct err err = { 0 };

	if (wechat_v3_answer_read(v3->keys, WECHAT_CALL_REFUND, reply, now,
	    &json, answer)
	    && !v3_read_refund(json, refund, refund_id, &err))
		wechat_answer_doubt(answer, "MISMATCH", err.text);
	jsonread_free(json);
}

static bool
v3_read_query_refund(const struct jsonread *json,
    const struct payment_payee *payee, const char *out_refund_no,
    struct refund_facts *out, struct err *err)
{
	struct refund_facts facts = { 0 };

	if (!wechat_v3_facts_refund(json, "status", &facts, err)
	    || !v3_echoes_sub(&facts, payee, err)
	    || !v3_echoes("out_refund_no", facts.out_refund_no, out_refund_no,
		err))
		return false;
	*out = facts;
	return true;
}

void
wechat_v3_query_refund_judge(const struct wechat_v3 *v3,
    const struct payment_payee *payee, const char *out_refund_no,
    const struct wechat_http_reply *reply, epoch_t now,
    struct refund_facts *facts, struct wechat_answer *answer)
{
	struct jsonread *json = NULL;
	struct err err = { 0 };

	if (wechat_v3_answer_read(v3->keys, WECHAT_CALL_QUERY_REFUND, reply,
	    now, &json, answer)
	    && !v3_read_query_refund(json, payee, out_refund_no, facts, &err))
		wechat_answer_doubt(answer, "MISMATCH", err.text);
	jsonread_free(json);
}

/* signType itself is not signed. [v3.md 9] */
bool
wechat_v3_jsapi(const struct wechat_v3 *v3, const char *appid,
    const char *prepay_id, const char *nonce, epoch_t now, struct fields *out,
    struct err *err)
{
	struct sign3_invocation invocation = {
		.appid = appid, .at = now, .nonce = nonce,
	};
	char sign[SIGN3_BASE64_SIZE];

	if (wechat_invoke_add(appid, prepay_id, nonce, now, "RSA", out, err)) {
		invocation.package = fields_text(out, "package");
		if (sign3_sign_invocation(v3->key, &invocation, sign, err)
		    && fields_add(out, "paySign", sign, err))
			return true;
	}
	fields_clear(out);
	return false;
}

/* Not "prepay_id=…" but the bare number is signed. [v3.md 9] */
bool
wechat_v3_app(const struct wechat_v3 *v3, const char *appid,
    const char *prepay_id, const char *nonce, epoch_t now, struct fields *out,
    struct err *err)
{
	const struct sign3_invocation invocation = {
		.appid = appid, .at = now, .nonce = nonce,
		.package = prepay_id,
	};
	char sign[SIGN3_BASE64_SIZE];

	if (wechat_invoke_add_app(appid, v3->mchid, prepay_id, nonce, now, out,
	    err)
	    && sign3_sign_invocation(v3->key, &invocation, sign, err)
	    && fields_add(out, "sign", sign, err))
		return true;
	fields_clear(out);
	return false;
}
