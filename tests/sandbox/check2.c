#include "check2.h"

#include <arpa/inet.h>

#include "base/fen.h"
#include "base/str.h"
#include "wire/jsonread.h"

struct check2_asked {
	const struct sandbox *sandbox;
	const struct fields *given;
	epoch_t now;
};

/* Judges one value, which is there and not empty. */
typedef bool check2_test(const struct check2_asked *asked, const char *value,
    size_t max);

struct check2_rule {
	const char *name;
	bool is_needed;
	size_t max;
	check2_test *test;		/* NULL: any text of max bytes */
	const char *only_for;		/* needed for this trade_type only */
	const char *unless[3];		/* not needed beside one of these */
};

static bool
check2_text(const struct check2_asked *asked UNUSED, const char *value,
    size_t max)
{
	return str_is_plain(value) && strlen(value) <= max;
}

/* [v2.md, conventions] characters, where it is not body, attach, detail */
static bool
check2_characters(const struct check2_asked *asked UNUSED, const char *value,
    size_t max)
{
	size_t count = 0;

	for (const char *c = value; *c != '\0'; c++)
		if (((unsigned char)*c & 0xc0) != 0x80)
			count++;
	return str_is_plain(value) && count <= max;
}

static bool
check2_fen(const struct check2_asked *asked UNUSED, const char *value,
    size_t max UNUSED)
{
	fen_t fen;

	return fen_parse(value, &fen);
}

static bool
check2_count(const struct check2_asked *asked UNUSED, const char *value,
    size_t max UNUSED)
{
	long count;

	return str_to_long(value, INT32_MAX, &count);
}

static bool
check2_trade_no(const struct check2_asked *asked UNUSED, const char *value,
    size_t max)
{
	return str_is_of(value, STR_ALNUM "_-|*", 6, max);
}

static bool
check2_refund_no(const struct check2_asked *asked UNUSED, const char *value,
    size_t max)
{
	return str_is_of(value, STR_ALNUM "_-|*@", 1, max);
}

static bool
check2_alnum(const struct check2_asked *asked UNUSED, const char *value,
    size_t max)
{
	return str_is_of(value, STR_ALNUM, 1, max);
}

static bool
check2_openid(const struct check2_asked *asked UNUSED, const char *value,
    size_t max)
{
	return str_is_of(value, STR_ALNUM "_-", 1, max);
}

static bool
check2_currency(const struct check2_asked *asked UNUSED, const char *value,
    size_t max UNUSED)
{
	return str_eq(value, "CNY");
}

static bool
check2_ip(const struct check2_asked *asked UNUSED, const char *value,
    size_t max UNUSED)
{
	struct in6_addr room;

	return inet_pton(AF_INET, value, &room) == 1
	    || inet_pton(AF_INET6, value, &room) == 1;
}

static bool
check2_time(const struct check2_asked *asked UNUSED, const char *value,
    size_t max UNUSED)
{
	epoch_t at;

	return clock_parse_compact(value, &at);
}

/* [v2.md 7.1] More than a minute ahead. */
static bool
check2_expire(const struct check2_asked *asked, const char *value,
    size_t max UNUSED)
{
	epoch_t at;

	return clock_parse_compact(value, &at) && at > asked->now + 60;
}

/* [v2.md 7.2] */
static bool
check2_auth_code(const struct check2_asked *asked UNUSED, const char *value,
    size_t max)
{
	return str_is_of(value, STR_DIGITS, max, max) && value[0] == '1'
	    && value[1] <= '5';
}

/* The trade types that this merchant has been granted. */
static bool
check2_trade_type(const struct check2_asked *asked UNUSED, const char *value,
    size_t max UNUSED)
{
	return str_eq(value, "JSAPI") || str_eq(value, "NATIVE")
	    || str_eq(value, "MWEB") || str_eq(value, "APP");
}

/* [v2.md 7.1] With all that its kind of h5_info has. */
static bool
check2_h5_has(const struct jsonread *json)
{
	static const struct {
		const char *type, *needs[2];
	} kinds[] = {
		{ "Wap", { "h5_info.wap_url", "h5_info.wap_name" } },
		{ "IOS", { "h5_info.app_name", "h5_info.bundle_id" } },
		{ "Android", { "h5_info.app_name", "h5_info.package_name" } },
	};
	const char *type = "", *text = "";
	struct err why = { 0 };

	if (!jsonread_text(json, "h5_info.type", &type, &why))
		return false;
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (str_eq(type, kinds[i].type))
			return jsonread_text(json, kinds[i].needs[0], &text,
			    &why) && *text != '\0'
			    && jsonread_text(json, kinds[i].needs[1], &text,
			    &why) && *text != '\0';
	return false;
}

static bool
check2_scene(const struct check2_asked *asked, const char *value, size_t max)
{
	struct jsonread *json = NULL;
	struct err why = { 0 };
	bool ok;

	if (!check2_characters(asked, value, max)
	    || !jsonread_new(value, strlen(value), &json, &why))
		return false;
	ok = !str_eq(fields_text(asked->given, "trade_type"), "MWEB")
	    || check2_h5_has(json);
	jsonread_free(json);
	return ok;
}

static bool
check2_account(const struct check2_asked *asked UNUSED, const char *value,
    size_t max UNUSED)
{
	return str_eq(value, "REFUND_SOURCE_UNSETTLED_FUNDS")
	    || str_eq(value, "REFUND_SOURCE_RECHARGE_FUNDS");
}

static bool
check2_is_private(const char *host)
{
	struct in_addr addr;
	uint32_t ip;

	if (str_eq(host, "localhost") || host[0] == '[')
		return true;
	if (inet_pton(AF_INET, host, &addr) != 1)
		return strchr(host, '.') == NULL;
	ip = ntohl(addr.s_addr);
	return ip >> 24 == 127 || ip >> 24 == 10 || ip >> 24 == 0
	    || ip >> 16 == 0xc0a8 || ip >> 16 == 0xa9fe || ip >> 20 == 0xac1;
}

/* [v2.md 15.4] https, a public host, a path, no query. */
static bool
check2_url(const struct check2_asked *asked, const char *value, size_t max)
{
	const char *host = value + strlen("https://");
	char name[257];
	size_t len;

	if (strlen(value) > max || strncmp(value, "https://", 8) != 0
	    || strpbrk(value, "?#@ ") != NULL)
		return false;
	len = strcspn(host, "/:");
	if (len == 0 || strchr(host, '/') == NULL)
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	return asked->sandbox->private_notify || !check2_is_private(name);
}

#define COMMON_RULES \
	{ "nonce_str", true, 32, check2_alnum, NULL, { NULL } }, \
	{ "sign_type", false, 32, NULL, NULL, { NULL } }

static const struct check2_rule unifiedorder[] = {
	COMMON_RULES,
	{ "device_info", false, 32, check2_characters, NULL, { NULL } },
	{ "body", true, 128, NULL, NULL, { NULL } },
	{ "detail", false, 6000, NULL, NULL, { NULL } },
	{ "attach", false, 127, NULL, NULL, { NULL } },
	{ "out_trade_no", true, 32, check2_trade_no, NULL, { NULL } },
	{ "fee_type", false, 16, check2_currency, NULL, { NULL } },
	{ "total_fee", true, 0, check2_fen, NULL, { NULL } },
	{ "spbill_create_ip", true, 64, check2_ip, NULL, { NULL } },
	{ "time_start", false, 14, check2_time, NULL, { NULL } },
	{ "time_expire", false, 14, check2_expire, NULL, { NULL } },
	{ "goods_tag", false, 32, check2_characters, NULL, { NULL } },
	{ "notify_url", true, 256, check2_url, NULL, { NULL } },
	{ "trade_type", true, 16, check2_trade_type, NULL, { NULL } },
	{ "product_id", true, 32, check2_characters, "NATIVE", { NULL } },
	{ "openid", true, 128, check2_openid, "JSAPI", { "sub_openid" } },
	{ "sub_openid", false, 128, check2_openid, NULL, { NULL } },
	{ "limit_pay", false, 32, check2_characters, NULL, { NULL } },
	{ "receipt", false, 8, check2_characters, NULL, { NULL } },
	{ "profit_sharing", false, 16, check2_characters, NULL, { NULL } },
	{ "scene_info", true, 256, check2_scene, "MWEB", { NULL } },
	{ NULL, false, 0, NULL, NULL, { NULL } },
};

static const struct check2_rule orderquery[] = {
	COMMON_RULES,
	{ "transaction_id", false, 32, check2_alnum, NULL, { NULL } },
	{ "out_trade_no", true, 32, check2_trade_no, NULL,
	    { "transaction_id" } },
	{ NULL, false, 0, NULL, NULL, { NULL } },
};

static const struct check2_rule closeorder[] = {
	COMMON_RULES,
	{ "out_trade_no", true, 32, check2_trade_no, NULL, { NULL } },
	{ NULL, false, 0, NULL, NULL, { NULL } },
};

static const struct check2_rule refund[] = {
	COMMON_RULES,
	{ "transaction_id", false, 32, check2_alnum, NULL, { NULL } },
	{ "out_trade_no", true, 32, check2_trade_no, NULL,
	    { "transaction_id" } },
	{ "out_refund_no", true, 64, check2_refund_no, NULL, { NULL } },
	{ "total_fee", true, 0, check2_fen, NULL, { NULL } },
	{ "refund_fee", true, 0, check2_fen, NULL, { NULL } },
	{ "refund_fee_type", false, 8, check2_currency, NULL, { NULL } },
	{ "refund_desc", false, 80, check2_characters, NULL, { NULL } },
	{ "refund_account", false, 30, check2_account, NULL, { NULL } },
	{ "notify_url", false, 256, check2_url, NULL, { NULL } },
	{ NULL, false, 0, NULL, NULL, { NULL } },
};

static const struct check2_rule refundquery[] = {
	COMMON_RULES,
	{ "refund_id", false, 32, check2_alnum, NULL, { NULL } },
	{ "out_refund_no", false, 64, check2_refund_no, NULL, { NULL } },
	{ "transaction_id", false, 32, check2_alnum, NULL, { NULL } },
	{ "out_trade_no", true, 32, check2_trade_no, NULL,
	    { "refund_id", "out_refund_no", "transaction_id" } },
	{ "offset", false, 0, check2_count, NULL, { NULL } },
	{ NULL, false, 0, NULL, NULL, { NULL } },
};

static const struct check2_rule micropay[] = {
	COMMON_RULES,
	{ "device_info", false, 32, check2_characters, NULL, { NULL } },
	{ "body", true, 128, NULL, NULL, { NULL } },
	{ "detail", false, 6000, NULL, NULL, { NULL } },
	{ "attach", false, 127, NULL, NULL, { NULL } },
	{ "out_trade_no", true, 32, check2_trade_no, NULL, { NULL } },
	{ "fee_type", false, 16, check2_currency, NULL, { NULL } },
	{ "total_fee", true, 0, check2_fen, NULL, { NULL } },
	{ "spbill_create_ip", true, 64, check2_ip, NULL, { NULL } },
	{ "time_start", false, 14, check2_time, NULL, { NULL } },
	{ "time_expire", false, 14, check2_expire, NULL, { NULL } },
	{ "goods_tag", false, 32, check2_characters, NULL, { NULL } },
	{ "limit_pay", false, 32, check2_characters, NULL, { NULL } },
	{ "auth_code", true, 18, check2_auth_code, NULL, { NULL } },
	{ "scene_info", false, 256, check2_scene, NULL, { NULL } },
	{ NULL, false, 0, NULL, NULL, { NULL } },
};

const struct check2_rule *const check2_unifiedorder = unifiedorder;
const struct check2_rule *const check2_orderquery = orderquery;
const struct check2_rule *const check2_closeorder = closeorder;
const struct check2_rule *const check2_refund = refund;
const struct check2_rule *const check2_refundquery = refundquery;
const struct check2_rule *const check2_micropay = micropay;
const struct check2_rule *const check2_reverse = orderquery;

static bool
check2_is_missing(const struct check2_rule *rule, const struct fields *given)
{
	if (!rule->is_needed)
		return false;
	for (size_t i = 0; i < COUNT_OF(rule->unless); i++)
		if (rule->unless[i] != NULL
		    && *fields_text(given, rule->unless[i]) != '\0')
			return false;
	return rule->only_for == NULL
	    || str_eq(fields_text(given, "trade_type"), rule->only_for);
}

bool
check2_all(const struct check2_rule *rules, const struct sandbox *sandbox,
    const struct fields *given, epoch_t now, const char **code,
    const char **field)
{
	struct check2_asked asked = { sandbox, given, now };
	const char *value;

	for (const struct check2_rule *rule = rules; rule->name != NULL;
	    rule++) {
		check2_test *test = rule->test != NULL ? rule->test
		    : check2_text;

		value = fields_text(given, rule->name);
		*field = rule->name;
		*code = "LACK_PARAMS";
		if (*value == '\0' && check2_is_missing(rule, given))
			return false;
		*code = "PARAM_ERROR";
		if (*value != '\0' && !test(&asked, value, rule->max))
			return false;
	}
	return true;
}
