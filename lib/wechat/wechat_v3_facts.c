#include "wechat/wechat_v3_facts.h"

#include "base/clock.h"
#include "base/str.h"
#include "wechat/wechat_facts.h"

bool
wechat_v3_facts_id(const struct jsonread *json, const char *path, size_t min,
    char *out, size_t size, struct err *err)
{
	const char *text = "";

	return (!jsonread_has(json, path)
	    || jsonread_text(json, path, &text, err))
	    && wechat_facts_copy(text, path, min, out, size, err);
}

/* What nothing is decided by: left out if it is odd, for money that came in is
 * not turned away because of it. */
static void
facts_remark(const struct jsonread *json, const char *path, char *out,
    size_t size)
{
	struct err odd = { 0 };

	if (!wechat_v3_facts_id(json, path, 0, out, size, &odd))
		out[0] = '\0';
}

/* Something other than null or "". */
static bool
facts_says(const struct jsonread *json, const char *path)
{
	const char *text = "";
	struct err odd = { 0 };

	return jsonread_has(json, path)
	    && (!jsonread_text(json, path, &text, &odd) || text[0] != '\0');
}

/*
 * Whose it is [v3.md 19]: a merchant's own names mchid and appid; in their
 * place a service provider's names sp_mchid and sp_appid, and his
 * sub-merchant.  What speaks in both ways could be read as either's.
 */
static bool
facts_payee(const struct jsonread *json, struct payment_facts *out,
    struct err *err)
{
	static const struct sort {
		const char *mchid, *appid;
		const char *others[5];	/* members of the other sort */
	} own = {
		"mchid", "appid",
		{ "sp_mchid", "sp_appid", "sub_mchid", "sub_appid", NULL },
	}, provider = {
		"sp_mchid", "sp_appid", { "mchid", "appid", NULL },
	};
	bool is_provider = facts_says(json, "sp_mchid");
	const struct sort *sort = is_provider ? &provider : &own;

	for (size_t i = 0; sort->others[i] != NULL; i++)
		if (facts_says(json, sort->others[i]))
			return err_set(err, ERR_INPUT, "%s: beside %s",
			    sort->others[i], sort->mchid);
	return wechat_v3_facts_id(json, sort->mchid, 1, out->mchid,
	    sizeof(out->mchid), err)
	    && wechat_v3_facts_id(json, sort->appid, 1, out->appid,
		sizeof(out->appid), err)
	    && wechat_v3_facts_id(json, "sub_mchid", is_provider ? 1 : 0,
		out->sub_mchid, sizeof(out->sub_mchid), err);
}

/* Of the two accounts that may know him, the one that his client ran under:
 * there is a sub_openid only where there was a sub_appid. */
static void
facts_payer(const struct jsonread *json, struct payment_facts *out)
{
	static const char *const paths[] = {
		"payer.sub_openid", "payer.sp_openid", "payer.openid",
	};

	for (size_t i = 0; out->openid[0] == '\0' && i < COUNT_OF(paths); i++)
		facts_remark(json, paths[i], out->openid,
		    sizeof(out->openid));
}

/* H5 is MWEB in the other direction [v3.md 10.1]. */
static void
facts_trade_type(const struct jsonread *json, struct payment_facts *out)
{
	facts_remark(json, "trade_type", out->trade_type,
	    sizeof(out->trade_type));
	if (str_eq(out->trade_type, "H5"))
		memcpy(out->trade_type, "MWEB", sizeof("MWEB"));
}

static bool
facts_fen(const struct jsonread *json, const char *path, fen_t *out,
    struct err *err)
{
	return jsonread_int(json, path, 1, FEN_MAX, out, err);
}

static bool
facts_currency(const struct jsonread *json, char *out, size_t size,
    struct err *err)
{
	if (!wechat_v3_facts_id(json, "amount.currency", 0, out, size, err))
		return false;
	return out[0] != '\0' || str_copy(out, size, "CNY");
}

/* Left alone if WeChat does not say when, and need not. */
static bool
facts_time(const struct jsonread *json, bool is_optional, epoch_t *out,
    struct err *err)
{
	const char *text = "";

	if (jsonread_has(json, "success_time")
	    && !jsonread_text(json, "success_time", &text, err))
		return false;
	if (is_optional && text[0] == '\0')
		return true;
	if (!clock_parse_rfc3339(text, out))
		return err_set(err, ERR_INPUT, "success_time: not a time");
	return true;
}

/* What only a paid one has. */
static bool
facts_money(const struct jsonread *json, struct payment_facts *out,
    struct err *err)
{
	return wechat_v3_facts_id(json, "transaction_id", 1,
	    out->transaction_id, sizeof(out->transaction_id), err)
	    && facts_fen(json, "amount.total", &out->total_fen, err)
	    && facts_currency(json, out->currency, sizeof(out->currency), err)
	    && facts_time(json, false, &out->paid_at, err);
}

bool
wechat_v3_facts_payment(const struct jsonread *json,
    struct payment_facts *out, struct err *err)
{
	struct payment_facts facts = { 0 };
	const char *trade_state = NULL;

	if (!jsonread_text(json, "trade_state", &trade_state, err)
	    || !facts_payee(json, &facts, err)
	    || !wechat_v3_facts_id(json, "out_trade_no", 1,
	    facts.out_trade_no, sizeof(facts.out_trade_no), err))
		return false;
	facts.fate = payment_fate_of(trade_state);
	facts_trade_type(json, &facts);
	facts_payer(json, &facts);
	facts_remark(json, "bank_type", facts.bank_type,
	    sizeof(facts.bank_type));
	if (facts.fate == PAYMENT_PAID && !facts_money(json, &facts, err))
		return false;
	*out = facts;
	return true;
}

/* An answer names the currency and a notice does not [v3.md 12.1, 21.4]; what
 * is no CNY is not counted in fen. */
static bool
facts_is_cny(const struct jsonread *json, struct err *err)
{
	char currency[sizeof(((struct payment_facts *)NULL)->currency)] = "";

	if (!facts_currency(json, currency, sizeof(currency), err))
		return false;
	if (!str_eq(currency, "CNY"))
		return err_set(err, ERR_INPUT, "amount.currency: not CNY");
	return true;
}

bool
wechat_v3_facts_refund(const struct jsonread *json, const char *status_path,
    struct refund_facts *out, struct err *err)
{
	struct refund_facts facts = { 0 };
	const char *status = NULL;

	if (!jsonread_text(json, status_path, &status, err)
	    || !wechat_v3_facts_id(json, "sub_mchid", 0, facts.sub_mchid,
	    sizeof(facts.sub_mchid), err)
	    || !wechat_v3_facts_id(json, "transaction_id", 1,
	    facts.transaction_id, sizeof(facts.transaction_id), err)
	    || !wechat_v3_facts_id(json, "out_trade_no", 1,
	    facts.out_trade_no, sizeof(facts.out_trade_no), err)
	    || !wechat_v3_facts_id(json, "out_refund_no", 1,
	    facts.out_refund_no, sizeof(facts.out_refund_no), err)
	    || !refund_no_check(facts.out_refund_no, err)
	    || !wechat_v3_facts_id(json, "refund_id", 1, facts.refund_id,
	    sizeof(facts.refund_id), err)
	    || !facts_fen(json, "amount.total", &facts.total_fen, err)
	    || !facts_fen(json, "amount.refund", &facts.refund_fen, err)
	    || !facts_is_cny(json, err))
		return false;
	facts.fate = refund_fate_of(status);
	/* With another state it may be there, and says nothing. */
	if (facts.fate == REFUND_SUCCESS
	    && !facts_time(json, true, &facts.refunded_at, err))
		return false;
	*out = facts;
	return true;
}
