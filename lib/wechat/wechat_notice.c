#include "wechat/wechat_notice.h"

#include "base/buf.h"
#include "base/str.h"
#include "wechat/wechat_facts.h"
#include "wire/fields.h"
#include "wire/seal2.h"
#include "wire/xmlmsg.h"

static bool
notice_is_ours(const struct wechat_notice_keys *keys,
    const struct fields *fields, struct err *err)
{
	if (!str_eq(fields_text(fields, "mch_id"), keys->mchid))
		return err_set(err, ERR_AUTH, "notice of another merchant");
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
	struct notice notice = { .kind = NOTICE_PAID, .is_signed = true };

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

	ok = xmlmsg_parse(body, len, "xml", &fields, err)
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
	struct notice notice = { .kind = NOTICE_REFUNDED };

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

	ok = xmlmsg_parse(body, len, "xml", &outer, err)
	    && notice_is_ours(keys, &outer, err)
	    && notice_unseal(keys, &outer, &inner, err)
	    && notice_has_success(&outer, "return_code", err)
	    && notice_read_refunded(&outer, &inner, out, err);
	fields_clear(&inner);
	fields_clear(&outer);
	return ok;
}
