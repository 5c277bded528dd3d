#include "wechat/wechat_facts.h"

#include <assert.h>

#include "base/clock.h"
#include "base/str.h"

#define NAME_SIZE 32		/* the longest is refund_success_time_49 */

static bool
facts_is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < '!' || *text > '~')
			return false;
	return true;
}

bool
wechat_facts_copy(const char *text, const char *name, size_t min, char *out,
    size_t size, struct err *err)
{
	if (strlen(text) < min || !facts_is_printable(text)
	    || !str_copy(out, size, text))
		return err_set(err, ERR_INPUT, "%s: absent, too long or odd",
		    name);
	return true;
}

bool
wechat_facts_id(const struct fields *fields, const char *name, size_t min,
    char *out, size_t size, struct err *err)
{
	return wechat_facts_copy(fields_text(fields, name), name, min, out,
	    size, err);
}

/* What nothing is decided by: left out if it is odd, for money that came in is
 * not turned away because of it. */
static void
facts_remark(const struct fields *fields, const char *name, char *out,
    size_t size)
{
	struct err odd = { 0 };

	if (!wechat_facts_id(fields, name, 0, out, size, &odd))
		out[0] = '\0';
}

bool
wechat_facts_fen(const struct fields *fields, const char *name, fen_t *out,
    struct err *err)
{
	if (!fen_parse(fields_text(fields, name), out))
		return err_set(err, ERR_INPUT, "%s: not an amount", name);
	return true;
}

static bool
facts_currency(const struct fields *fields, struct payment_facts *out,
    struct err *err)
{
	if (fields_text(fields, "fee_type")[0] == '\0')
		return str_copy(out->currency, sizeof(out->currency), "CNY");
	return wechat_facts_id(fields, "fee_type", 1, out->currency,
	    sizeof(out->currency), err);
}

static bool
facts_paid_at(const struct fields *fields, epoch_t *out, struct err *err)
{
	if (!clock_parse_compact(fields_text(fields, "time_end"), out))
		return err_set(err, ERR_INPUT, "time_end: not a time");
	return true;
}

/* What only a paid one has.  An unpaid one may have a total_fee, of which
 * nothing depends. */
static bool
facts_money(const struct fields *fields, struct payment_facts *out,
    struct err *err)
{
	return wechat_facts_id(fields, "transaction_id", 1,
	    out->transaction_id, sizeof(out->transaction_id), err)
	    && wechat_facts_fen(fields, "total_fee", &out->total_fen, err)
	    && facts_currency(fields, out, err)
	    && facts_paid_at(fields, &out->paid_at, err);
}

/* Of the two accounts that may know him, the one that his client ran under:
 * there is a sub_openid only where there was a sub_appid. */
static void
facts_payer(const struct fields *fields, struct payment_facts *out)
{
	facts_remark(fields, "sub_openid", out->openid, sizeof(out->openid));
	if (out->openid[0] == '\0')
		facts_remark(fields, "openid", out->openid,
		    sizeof(out->openid));
}

bool
wechat_facts_payment(const struct fields *fields, enum payment_fate fate,
    struct payment_facts *out, struct err *err)
{
	struct payment_facts facts = { .fate = fate };

	if (!wechat_facts_id(fields, "mch_id", 1, facts.mchid,
	    sizeof(facts.mchid), err)
	    || !wechat_facts_id(fields, "appid", 1, facts.appid,
	    sizeof(facts.appid), err)
	    || !wechat_facts_id(fields, "sub_mch_id", 0, facts.sub_mchid,
	    sizeof(facts.sub_mchid), err)
	    || !wechat_facts_id(fields, "out_trade_no", 1, facts.out_trade_no,
	    sizeof(facts.out_trade_no), err))
		return false;
	facts_remark(fields, "trade_type", facts.trade_type,
	    sizeof(facts.trade_type));
	facts_payer(fields, &facts);
	facts_remark(fields, "bank_type", facts.bank_type,
	    sizeof(facts.bank_type));
	if (fate == PAYMENT_PAID && !facts_money(fields, &facts, err))
		return false;
	*out = facts;
	return true;
}

static const char *
facts_name(char out[static NAME_SIZE], const char *name, const char *suffix)
{
	int len = snprintf(out, NAME_SIZE, "%s%s", name, suffix);

	assert(len > 0 && len < NAME_SIZE);
	return out;
}

/* The answer says refund_success_time_0 and may leave it out; the notice says
 * success_time, empty unless it is one. */
static bool
facts_refunded_at(const struct fields *fields, const char *suffix,
    epoch_t *out, struct err *err)
{
	char name[NAME_SIZE];
	const char *text = fields_text(fields, suffix[0] == '\0'
	    ? "success_time" : facts_name(name, "refund_success_time", suffix));

	if (text[0] != '\0' && !clock_parse_spaced(text, out))
		return err_set(err, ERR_INPUT, "success_time: not a time");
	return true;
}

bool
wechat_facts_refund(const struct fields *fields, const char *suffix,
    struct refund_facts *out, struct err *err)
{
	struct refund_facts facts = { 0 };
	char name[NAME_SIZE];

	if (!wechat_facts_id(fields, "sub_mch_id", 0, facts.sub_mchid,
	    sizeof(facts.sub_mchid), err)
	    || !wechat_facts_id(fields, "transaction_id", 1,
	    facts.transaction_id, sizeof(facts.transaction_id), err)
	    || !wechat_facts_id(fields, "out_trade_no", 1, facts.out_trade_no,
	    sizeof(facts.out_trade_no), err)
	    || !wechat_facts_id(fields,
	    facts_name(name, "out_refund_no", suffix), 1, facts.out_refund_no,
	    sizeof(facts.out_refund_no), err)
	    || !refund_no_check(facts.out_refund_no, err)
	    || !wechat_facts_id(fields, facts_name(name, "refund_id", suffix),
	    1, facts.refund_id, sizeof(facts.refund_id), err)
	    || !wechat_facts_fen(fields, "total_fee", &facts.total_fen, err)
	    || !wechat_facts_fen(fields,
	    facts_name(name, "refund_fee", suffix), &facts.refund_fen, err))
		return false;
	facts.fate = refund_fate_of(fields_text(fields,
	    facts_name(name, "refund_status", suffix)));
	if (facts.fate == REFUND_SUCCESS
	    && !facts_refunded_at(fields, suffix, &facts.refunded_at, err))
		return false;
	*out = facts;
	return true;
}

bool
wechat_facts_h5_url(const char *url, struct err *err)
{
	return strncmp(url, "https://", strlen("https://")) == 0
	    || err_set(err, ERR_INPUT, "h5_url: not https://");
}
