#include "pay/payment.h"

#include "base/str.h"

static const char *const trade_types[] = { "JSAPI", "NATIVE", "MWEB", "APP" };

/* The first trade type of a list; NULL if it begins with no such word. */
static const char *
trade_type_first(const char *list)
{
	size_t len = strcspn(list, " ");

	for (size_t i = 0; i < COUNT_OF(trade_types); i++)
		if (strlen(trade_types[i]) == len
		    && memcmp(trade_types[i], list, len) == 0)
			return trade_types[i];
	return NULL;
}

bool
payment_trade_types_check(const char *enabled, struct err *err)
{
	const char *at = enabled + strspn(enabled, " ");

	do {
		if (trade_type_first(at) == NULL)
			return err_set(err, ERR_INPUT, "trade_types: not a "
			    "list of JSAPI NATIVE MWEB APP");
		at += strcspn(at, " ");
		at += strspn(at, " ");
	} while (*at != '\0');
	return true;
}

bool
payment_trade_type_check(const char *trade_type, const char *enabled,
    struct err *err)
{
	return str_has_word(enabled, trade_type, strlen(trade_type))
	    || err_set(err, ERR_INPUT, "trade_type: not one of %s", enabled);
}

/* As the cashier page tells them apart. */
static const char *
trade_type_wanted(const char *user_agent)
{
	static const char *const phones[] = {
		"Android", "iPhone", "iPad", "iPod", "HarmonyOS", "Mobile",
	};

	if (strcasestr(user_agent, "MicroMessenger") != NULL)
		return "JSAPI";
	for (size_t i = 0; i < COUNT_OF(phones); i++)
		if (strcasestr(user_agent, phones[i]) != NULL)
			return "MWEB";
	return "NATIVE";
}

const char *
payment_trade_type_of(const char *user_agent, const char *enabled)
{
	const char *wanted = trade_type_wanted(user_agent);

	if (str_has_word(enabled, wanted, strlen(wanted)))
		return wanted;
	if (str_has_word(enabled, "NATIVE", strlen("NATIVE")))
		return "NATIVE";
	return trade_type_first(enabled + strspn(enabled, " "));
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
	struct payment_key key = {
		.api = payment->api,
		.payee = payment->payee,
	};

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
		{ "PAYERROR",   PAYMENT_FAILED },
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
