#include "pay/payment.h"

#include "base/str.h"

bool
payment_trade_type_check(const char *trade_type, struct err *err)
{
	if (!str_eq(trade_type, "JSAPI") && !str_eq(trade_type, "NATIVE"))
		return err_set(err, ERR_INPUT,
		    "trade_type: neither JSAPI nor NATIVE");
	return true;
}

bool
payment_openid_check(const char *openid, struct err *err)
{
	if (!str_is_of(openid, STR_ALNUM "_-", 1, OPENID_MAX))
		return err_set(err, ERR_INPUT, "openid: not 1 to %d of "
		    "letters, digits, \"_\" and \"-\"", OPENID_MAX);
	return true;
}

bool
payment_is_transaction_id(const char *text)
{
	return str_is_of(text, STR_DIGITS, TRANSACTION_ID_LEN,
	    TRANSACTION_ID_LEN);
}

bool
payment_auth_code_check(const char *auth_code, struct err *err)
{
	if (!str_is_of(auth_code, STR_DIGITS, 18, 18) || auth_code[0] != '1'
	    || auth_code[1] > '5')
		return err_set(err, ERR_INPUT,
		    "auth_code: not 18 digits that begin with 10 to 15");
	return true;
}

bool
payment_api_parse(const char *text, enum payment_api *out)
{
	if (str_eq(text, "v2"))
		*out = PAYMENT_V2;
	else if (str_eq(text, "v3"))
		*out = PAYMENT_V3;
	else
		return false;
	return true;
}

const char *
payment_api_name(enum payment_api api)
{
	return api == PAYMENT_V3 ? "v3" : "v2";
}

struct payment_key
payment_key_of(const struct payment *payment)
{
	struct payment_key key = { .api = payment->api };

	memcpy(key.appid, payment->appid, sizeof(key.appid));
	memcpy(key.out_trade_no, payment->out_trade_no,
	    sizeof(key.out_trade_no));
	return key;
}

enum payment_fate
payment_fate_of(const char *trade_state)
{
	static const struct {
		const char *word;
		enum payment_fate fate;
	} words[] = {		/* [v2.md 7.3] */
		{ "SUCCESS",    PAYMENT_PAID },
		{ "REFUND",     PAYMENT_PAID },
		{ "NOTPAY",     PAYMENT_UNPAID },
		{ "NOPAY",      PAYMENT_UNPAID },	/* old spelling */
		{ "USERPAYING", PAYMENT_UNPAID },
		{ "ACCEPT",     PAYMENT_UNPAID },
		{ "CLOSED",     PAYMENT_CLOSED },
		{ "REVOKED",    PAYMENT_CLOSED },
		{ "PAYERROR",   PAYMENT_UNPAID },
	};
	size_t i;

	for (i = 0; i < COUNT_OF(words); i++)
		if (str_eq(trade_state, words[i].word))
			return words[i].fate;
	return PAYMENT_UNKNOWN;
}

long
payment_next_check(long age_s, long check_first, long check_young)
{
	/* Ten minutes, and then each gap added to the ones before it. */
	static const struct {
		long until_s, gap_s;
	} old[] = {
		{ 660, 60 }, { 840, 180 }, { 1140, 300 }, { 1740, 600 },
	};
	size_t i;

	if (age_s < 0)		/* another machine's clock is ahead */
		age_s = 0;
	if (age_s < check_first)
		return check_first - age_s;
	if (age_s < 600)
		return check_young;
	for (i = 0; i < COUNT_OF(old); i++)
		if (age_s < old[i].until_s)
			return old[i].gap_s;
	return 1800;
}

long
payment_next_code_check(long age_s)
{
	if (age_s < 300)
		return PAYMENT_CODE_CHECK_S;
	return age_s < 3600 ? 60 : 1800;
}
