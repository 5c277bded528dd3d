#include "wechat/wechat_notice.h"

#include "base/buf.h"
#include "base/str.h"
#include "wechat/wechat_facts.h"
#include "wechat/wechat_v3_facts.h"
#include "wire/fields.h"
#include "wire/jsonread.h"
#include "wire/seal2.h"
#include "wire/seal3.h"
#include "wire/xmlmsg.h"

#define RESOURCE_TYPE "encrypt-resource"
#define ANOTHERS "notice of another merchant"

static bool
notice_has_v2(const struct wechat_notice_keys *keys, struct err *err)
{
	return keys->api_key != NULL
	    || err_set(err, ERR_AUTH, "no V2 key configured");
}

static bool
notice_is_ours(const struct wechat_notice_keys *keys,
    const struct fields *fields, struct err *err)
{
	if (!str_eq(fields_text(fields, "mch_id"), keys->mchid))
		return err_set(err, ERR_AUTH, ANOTHERS);
	return true;
}

static bool
notice_has_success(const struct fields *fields, const char *name,
    struct err *err)
{
	if (!str_eq(fields_text(fields, name), "SUCCESS"))
		return err_set(err, ERR_REFUSED, "%s is not SUCCESS", name);
	return true;
}

static bool
notice_read_paid(const struct fields *fields, struct notice *out,
    struct err *err)
{
	struct notice notice = { .kind = NOTICE_PAID, .api = PAYMENT_V2,
		.is_signed = true };

	if (!wechat_facts_payment(fields, PAYMENT_PAID, &notice.payment, err))
		return false;
	memcpy(notice.mchid, notice.payment.mchid, sizeof(notice.mchid));
	memcpy(notice.appid, notice.payment.appid, sizeof(notice.appid));
	*out = notice;
	return true;
}

bool
wechat_notice_paid(const struct wechat_notice_keys *keys, const char *body,
    size_t len, struct notice *out, struct err *err)
{
	struct fields fields = { 0 };	/* received, not yet believed */
	bool ok;

	ok = notice_has_v2(keys, err)
	    && xmlmsg_parse(body, len, "xml", &fields, err)
	    && sign2_verify(&fields, keys->sign_type, keys->api_key, err)
	    && notice_is_ours(keys, &fields, err)
	    && notice_has_success(&fields, "return_code", err)
	    && notice_has_success(&fields, "result_code", err)
	    && notice_read_paid(&fields, out, err);
	fields_clear(&fields);
	return ok;
}

/*
 * Decrypt and parse.  Whoever sends damaged blocks learns that they are
 * damaged, and not where: padding and XML fail with the same words.
 */
static bool
notice_unseal(const struct wechat_notice_keys *keys,
    const struct fields *outer, struct fields *inner, struct err *err)
{
	struct err why = { 0 };
	struct buf plain;
	bool ok;

	buf_init(&plain, XMLMSG_MAX);
	ok = seal2_open(fields_text(outer, "req_info"), keys->api_key, &plain,
	    &why)
	    && xmlmsg_parse(buf_get(&plain), plain.len, "root", inner, &why);
	buf_clear(&plain);
	if (!ok && why.kind == ERR_BUG)
		return err_set(err, ERR_BUG, "%s", why.text);
	return ok || err_set(err, ERR_AUTH, "req_info: cannot be opened");
}

static bool
notice_read_refunded(const struct fields *outer, const struct fields *inner,
    struct notice *out, struct err *err)
{
	struct notice notice = { .kind = NOTICE_REFUNDED, .api = PAYMENT_V2 };

	if (!wechat_facts_id(outer, "mch_id", 1, notice.mchid,
	    sizeof(notice.mchid), err)
	    || !wechat_facts_id(outer, "appid", 1, notice.appid,
	    sizeof(notice.appid), err)
	    || !wechat_facts_refund(inner, "", &notice.refund, err))
		return false;
	*out = notice;
	return true;
}

bool
wechat_notice_refunded(const struct wechat_notice_keys *keys,
    const char *body, size_t len, struct notice *out, struct err *err)
{
	struct fields outer = { 0 }, inner = { 0 };
	bool ok;

	ok = notice_has_v2(keys, err)
	    && xmlmsg_parse(body, len, "xml", &outer, err)
	    && notice_is_ours(keys, &outer, err)
	    && notice_unseal(keys, &outer, &inner, err)
	    && notice_has_success(&outer, "return_code", err)
	    && notice_read_refunded(&outer, &inner, out, err);
	fields_clear(&inner);
	fields_clear(&outer);
	return ok;
}

/* -------------------------------------------------------------------- V3 */

/* What V3 says that we do something about [v3.md 21.2]. */
static const struct event {
	const char *type;
	enum notice_kind kind;
	enum refund_fate fate;		/* of a refund */
} events[] = {
	{ "TRANSACTION.SUCCESS", NOTICE_PAID, 0 },
	{ "REFUND.SUCCESS", NOTICE_REFUNDED, REFUND_SUCCESS },
	{ "REFUND.ABNORMAL", NOTICE_REFUNDED, REFUND_ABNORMAL },
	{ "REFUND.CLOSED", NOTICE_REFUNDED, REFUND_CLOSED },
};

static const struct event *
event_find(const char *type)
{
	static const struct event other = { NULL, NOTICE_OTHER, 0 };

	for (size_t i = 0; i < COUNT_OF(events); i++)
		if (str_eq(events[i].type, type))
			return &events[i];
	return &other;
}

/* The headers as received: with the body, all that the signature can be
 * verified with again. */
static bool
notice_keep_proof(const struct sign3_headers *headers, struct notice *notice,
    struct err *err)
{
	int len = snprintf(notice->proof, sizeof(notice->proof),
	    "%s\n%s\n%s\n%s", headers->timestamp, headers->nonce,
	    headers->signature, headers->serial);

	if (len < 0 || (size_t)len >= sizeof(notice->proof))
		return err_set(err, ERR_AUTH,
		    "WeChat's signature: malformed, headers too long");
	return true;
}

static bool
notice_prove(const struct wechat_notice_keys *keys,
    const struct sign3_headers *headers, const char *body, size_t len,
    epoch_t now, struct notice *notice, struct err *err)
{
	if (keys->keys == NULL || keys->apiv3_key == NULL)
		return err_set(err, ERR_AUTH, "V3 is not configured");
	return wechat_keys_verify(keys->keys, headers, body, len, now,
	    notice->serial, NULL, err)
	    && notice_keep_proof(headers, notice, err);
}

static bool
text_optional(const struct jsonread *json, const char *path,
    const char **out, struct err *err)
{
	return !jsonread_has(json, path) || jsonread_text(json, path, out, err);
}

/* ERR_INPUT if the envelope is none; an object of another sort, or sealed in
 * another way, is not for us to open. */
static bool
envelope_read(const struct jsonread *envelope, enum notice_kind kind,
    struct seal3_sealed *out, bool *is_sealed, struct err *err)
{
	const char *type = NULL;

	if (!jsonread_text(envelope, "resource_type", &type, err)
	    || !jsonread_text(envelope, "resource.algorithm", &out->algorithm,
	    err))
		return false;
	*is_sealed = str_eq(type, RESOURCE_TYPE)
	    && str_eq(out->algorithm, SEAL3_ALGORITHM);
	if (!*is_sealed)
		return kind == NOTICE_OTHER || err_set(err, ERR_AUTH,
		    "resource: sealed in a way that we do not know");
	return jsonread_text(envelope, "resource.nonce", &out->nonce, err)
	    && text_optional(envelope, "resource.associated_data",
	    &out->associated_data, err)
	    && jsonread_text(envelope, "resource.ciphertext",
	    &out->ciphertext, err);
}

/* The caller owns *out; NULL if it is not for us to open. */
static bool
envelope_open(const struct wechat_notice_keys *keys,
    const struct jsonread *envelope, enum notice_kind kind,
    struct jsonread **out, struct err *err)
{
	struct seal3_sealed sealed = { 0 };
	bool is_sealed = false;
	struct buf plain;
	bool ok;

	if (!envelope_read(envelope, kind, &sealed, &is_sealed, err))
		return false;
	if (!is_sealed)
		return true;
	buf_init(&plain, JSONREAD_MAX);
	ok = seal3_open(&sealed, keys->apiv3_key, &plain, err)
	    && jsonread_new(buf_get(&plain), plain.len, out, err);
	buf_clear(&plain);
	return ok;
}

/* The merchant has other names as a service provider [v3.md 19] and in other
 * products [v3.md 21.5], and in some none; a payment or a refund must name
 * him, and by no name another. */
static bool
object_is_ours(const struct wechat_notice_keys *keys,
    const struct jsonread *object, enum notice_kind kind, struct err *err)
{
	static const char *const names[] = { "mchid", "sp_mchid", "mch_id" };
	bool is_ours = kind == NOTICE_OTHER;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *mchid = NULL;

		if (!jsonread_has(object, names[i]))
			continue;
		if (!jsonread_text(object, names[i], &mchid, err))
			return false;
		if (!str_eq(mchid, keys->mchid))
			return err_set(err, ERR_AUTH, ANOTHERS);
		is_ours = true;
	}
	return is_ours || err_set(err, ERR_AUTH, ANOTHERS);
}

static bool
object_read_paid(const struct jsonread *object, struct notice *notice,
    struct err *err)
{
	const char *trade_state = NULL;

	if (!jsonread_text(object, "trade_state", &trade_state, err))
		return false;
	if (!str_eq(trade_state, "SUCCESS"))
		return err_set(err, ERR_REFUSED, "trade_state is not SUCCESS");
	if (!wechat_v3_facts_payment(object, &notice->payment, err))
		return false;
	memcpy(notice->appid, notice->payment.appid, sizeof(notice->appid));
	return true;
}

static bool
object_read_refunded(const struct jsonread *object, enum refund_fate fate,
    struct notice *notice, struct err *err)
{
	if (!wechat_v3_facts_refund(object, "refund_status", &notice->refund,
	    err))
		return false;
	return notice->refund.fate == fate || err_set(err, ERR_INPUT,
	    "event_type and refund_status contradict each other");
}

static bool
object_read(const struct wechat_notice_keys *keys,
    const struct jsonread *object, const struct event *event,
    struct notice *notice, struct err *err)
{
	if (!object_is_ours(keys, object, event->kind, err))
		return false;
	switch (event->kind) {
	case NOTICE_PAID:
		return object_read_paid(object, notice, err);
	case NOTICE_REFUNDED:
		return object_read_refunded(object, event->fate, notice, err);
	case NOTICE_OTHER:
		break;
	}
	return true;
}

/* Whatever it is about, once it is proved. */
static bool
notice_read_v3(const struct wechat_notice_keys *keys, const char *body,
    size_t len, struct notice *notice, struct err *err)
{
	struct jsonread *envelope = NULL, *object = NULL;
	const struct event *event = NULL;
	bool ok = false;

	if (!jsonread_new(body, len, &envelope, err)
	    || !wechat_v3_facts_id(envelope, "event_type", 1,
	    notice->event_type, sizeof(notice->event_type), err))
		goto out;
	event = event_find(notice->event_type);
	notice->kind = event->kind;
	ok = envelope_open(keys, envelope, event->kind, &object, err)
	    && (object == NULL
	    || object_read(keys, object, event, notice, err));
out:
	jsonread_free(object);
	jsonread_free(envelope);
	return ok;
}

bool
wechat_notice_v3(const struct wechat_notice_keys *keys,
    const struct sign3_headers *headers, const char *body, size_t len,
    epoch_t now, struct notice *out, struct err *err)
{
	struct notice notice = { .api = PAYMENT_V3, .is_signed = true };

	if (!notice_prove(keys, headers, body, len, now, &notice, err))
		return false;
	if (!notice_read_v3(keys, body, len, &notice, err)) {
		memcpy(out->serial, notice.serial, sizeof(out->serial));
		memcpy(out->proof, notice.proof, sizeof(out->proof));
		out->api = PAYMENT_V3;
		return false;
	}
	if (!str_copy(notice.mchid, sizeof(notice.mchid), keys->mchid))
		return err_set(err, ERR_BUG, "our mchid is too long");
	*out = notice;
	return true;
}
