#include "check3.h"

#include <arpa/inet.h>

#include "base/clock.h"
#include "base/fen.h"
#include "base/str.h"

/* Judges one value, which is not empty. */
typedef bool check3_test(const struct sandbox *sandbox, const char *value);

struct check3_rule {
	const char *name;		/* "*" is any index of an array */
	const char *type;
	bool is_needed;			/* if that is there which has it */
	size_t max;			/* characters of a string; 0: any */
	check3_test *test;		/* NULL: any value */
	const char *as;			/* in V2; NULL: there is no such */
};

static bool
check3_mchid(const struct sandbox *sandbox, const char *value)
{
	return str_eq(value, sandbox->mchid);
}

static bool
check3_appid(const struct sandbox *sandbox, const char *value)
{
	return sandbox_has_appid(sandbox, value);
}

static bool
check3_trade_no(const struct sandbox *sandbox UNUSED, const char *value)
{
	return str_is_of(value, STR_ALNUM "_-|*", 6, 32);
}

static bool
check3_refund_no(const struct sandbox *sandbox UNUSED, const char *value)
{
	return str_is_of(value, STR_ALNUM "_-|*@", 1, 64);
}

static bool
check3_alnum(const struct sandbox *sandbox UNUSED, const char *value)
{
	return str_is_of(value, STR_ALNUM, 1, 32);
}

static bool
check3_openid(const struct sandbox *sandbox UNUSED, const char *value)
{
	return str_is_of(value, STR_ALNUM "_-", 1, 128);
}

static bool
check3_fen(const struct sandbox *sandbox UNUSED, const char *value)
{
	fen_t fen;

	return fen_parse(value, &fen);
}

static bool
check3_count(const struct sandbox *sandbox UNUSED, const char *value)
{
	long count;

	return str_to_long(value, INT32_MAX, &count);
}

static bool
check3_currency(const struct sandbox *sandbox UNUSED, const char *value)
{
	return str_eq(value, "CNY");
}

static bool
check3_time(const struct sandbox *sandbox UNUSED, const char *value)
{
	epoch_t at;

	return clock_parse_rfc3339(value, &at);
}

static bool
check3_ip(const struct sandbox *sandbox UNUSED, const char *value)
{
	struct in6_addr room;

	return inet_pton(AF_INET, value, &room) == 1
	    || inet_pton(AF_INET6, value, &room) == 1;
}

/* [v3.md 8.1] http(s), absolute, a public host, no query. */
static bool
check3_url(const struct sandbox *sandbox, const char *value)
{
	const char *host = strncmp(value, "http://", 7) == 0 ? value + 7
	    : strncmp(value, "https://", 8) == 0 ? value + 8 : "";
	size_t len = strcspn(host, "/:");

	return len > 0 && strchr(host, '/') != NULL
	    && strpbrk(value, "?#@ ") == NULL
	    && (sandbox->private_notify || memchr(host, '.', len) != NULL);
}

static bool
check3_h5_type(const struct sandbox *sandbox UNUSED, const char *value)
{
	return str_eq(value, "Wap") || str_eq(value, "iOS")
	    || str_eq(value, "Android");
}

static bool
check3_funds(const struct sandbox *sandbox UNUSED, const char *value)
{
	return str_eq(value, "AVAILABLE") || str_eq(value, "UNSETTLED");
}

static bool
check3_source(const struct sandbox *sandbox UNUSED, const char *value)
{
	return str_eq(value, "AVAILABLE") || str_eq(value, "UNAVAILABLE");
}

static bool
check3_algorithm(const struct sandbox *sandbox UNUSED, const char *value)
{
	return str_eq(value, "RSA") || str_eq(value, "ALL");
}

#define TEXT(name, needed, max, test, as) \
	{ name, "string", needed, max, test, as }
#define NUMBER(name, needed, test, as) \
	{ name, "number", needed, 0, test, as }
#define FLAG(name) { name, "boolean", false, 0, NULL, NULL }
#define OBJECT(name, needed) { name, "object", needed, 0, NULL, NULL }
#define ARRAY(name, needed) { name, "array", needed, 0, NULL, NULL }
#define END { NULL, NULL, false, 0, NULL, NULL }

/* [v3.md 8.1] */
#define GOODS "/detail/goods_detail/*"
#define STORE "/scene_info/store_info"
#define MERCHANT_RULES \
	TEXT("/appid", true, 32, check3_appid, "appid"), \
	TEXT("/mchid", true, 32, check3_mchid, "mch_id")
#define PARTNER_RULES \
	TEXT("/sp_appid", true, 32, check3_appid, "appid"), \
	TEXT("/sp_mchid", true, 32, check3_mchid, "mch_id"), \
	TEXT("/sub_appid", false, 32, NULL, "sub_appid"), \
	TEXT("/sub_mchid", true, 32, NULL, "sub_mch_id")
#define ORDER_RULES(is_h5) \
	TEXT("/description", true, 127, NULL, "body"), \
	TEXT("/out_trade_no", true, 32, check3_trade_no, "out_trade_no"), \
	TEXT("/time_expire", false, 64, check3_time, "time_expire"), \
	TEXT("/attach", false, 128, NULL, "attach"), \
	TEXT("/notify_url", true, 255, check3_url, "notify_url"), \
	TEXT("/goods_tag", false, 32, NULL, "goods_tag"), \
	FLAG("/support_fapiao"), \
	OBJECT("/amount", true), \
	NUMBER("/amount/total", true, check3_fen, "total_fee"), \
	TEXT("/amount/currency", false, 16, check3_currency, "fee_type"), \
	OBJECT("/detail", false), \
	NUMBER("/detail/cost_price", false, check3_count, NULL), \
	TEXT("/detail/invoice_id", false, 32, NULL, NULL), \
	ARRAY("/detail/goods_detail", false), \
	OBJECT(GOODS, false), \
	TEXT(GOODS "/merchant_goods_id", true, 32, NULL, NULL), \
	TEXT(GOODS "/wechatpay_goods_id", false, 32, NULL, NULL), \
	TEXT(GOODS "/goods_name", false, 256, NULL, NULL), \
	NUMBER(GOODS "/quantity", true, check3_count, NULL), \
	NUMBER(GOODS "/unit_price", true, check3_count, NULL), \
	OBJECT("/scene_info", is_h5), \
	TEXT("/scene_info/payer_client_ip", true, 45, check3_ip, \
	    "spbill_create_ip"), \
	TEXT("/scene_info/device_id", false, 32, NULL, "device_info"), \
	OBJECT(STORE, false), \
	TEXT(STORE "/id", true, 32, NULL, NULL), \
	TEXT(STORE "/name", false, 256, NULL, NULL), \
	TEXT(STORE "/area_code", false, 32, NULL, NULL), \
	TEXT(STORE "/address", false, 512, NULL, NULL), \
	OBJECT("/settle_info", false), \
	FLAG("/settle_info/profit_sharing"), \
	ARRAY("/limit_pay", false), \
	TEXT("/limit_pay/*", false, 32, NULL, NULL)

static const struct check3_rule jsapi[] = {
	MERCHANT_RULES,
	ORDER_RULES(false),
	OBJECT("/payer", true),
	TEXT("/payer/openid", true, 128, check3_openid, "openid"),
	END,
};

/* [v3.md 19] by one openid or the other: call3 sees to it */
static const struct check3_rule partner_jsapi[] = {
	PARTNER_RULES,
	ORDER_RULES(false),
	OBJECT("/payer", true),
	TEXT("/payer/sp_openid", false, 128, check3_openid, "openid"),
	TEXT("/payer/sub_openid", false, 128, check3_openid, "sub_openid"),
	END,
};

static const struct check3_rule native[] = {
	MERCHANT_RULES,
	ORDER_RULES(false),
	END,
};

static const struct check3_rule partner_native[] = {
	PARTNER_RULES,
	ORDER_RULES(false),
	END,
};

#define H5_INFO "/scene_info/h5_info"
#define H5_RULES \
	OBJECT(H5_INFO, true), \
	TEXT(H5_INFO "/type", true, 32, check3_h5_type, NULL), \
	TEXT(H5_INFO "/app_name", false, 64, NULL, NULL), \
	TEXT(H5_INFO "/app_url", false, 128, NULL, NULL), \
	TEXT(H5_INFO "/bundle_id", false, 128, NULL, NULL), \
	TEXT(H5_INFO "/package_name", false, 128, NULL, NULL)

static const struct check3_rule h5[] = {
	MERCHANT_RULES,
	ORDER_RULES(true),
	H5_RULES,
	END,
};

static const struct check3_rule partner_h5[] = {
	PARTNER_RULES,
	ORDER_RULES(true),
	H5_RULES,
	END,
};

/* [v3.md 10.1] by either number: the route has one of them */
#define QUERY_RULES \
	TEXT(":out_trade_no", false, 32, check3_trade_no, "out_trade_no"), \
	TEXT(":transaction_id", false, 32, check3_alnum, "transaction_id")

static const struct check3_rule orderquery[] = {
	QUERY_RULES,
	TEXT("?mchid", true, 32, check3_mchid, "mch_id"),
	END,
};

static const struct check3_rule partner_orderquery[] = {
	QUERY_RULES,
	TEXT("?sp_mchid", true, 32, check3_mchid, "mch_id"),
	TEXT("?sub_mchid", true, 32, NULL, "sub_mch_id"),
	END,
};

/* [v3.md 10.2] */
static const struct check3_rule closeorder[] = {
	TEXT(":out_trade_no", true, 32, check3_trade_no, "out_trade_no"),
	TEXT("/mchid", true, 32, check3_mchid, "mch_id"),
	END,
};

static const struct check3_rule partner_closeorder[] = {
	TEXT(":out_trade_no", true, 32, check3_trade_no, "out_trade_no"),
	TEXT("/sp_mchid", true, 32, check3_mchid, "mch_id"),
	TEXT("/sub_mchid", true, 32, NULL, "sub_mch_id"),
	END,
};

/* [v3.md 12.1] out_trade_no or transaction_id: call3 sees to it */
#define BACK "/goods_detail/*"
static const struct check3_rule refund[] = {
	TEXT("/sub_mchid", false, 32, NULL, "sub_mch_id"),
	TEXT("/transaction_id", false, 32, check3_alnum, "transaction_id"),
	TEXT("/out_trade_no", false, 32, check3_trade_no, "out_trade_no"),
	TEXT("/out_refund_no", true, 64, check3_refund_no, "out_refund_no"),
	TEXT("/reason", false, 80, NULL, "refund_desc"),
	TEXT("/notify_url", false, 256, check3_url, "notify_url"),
	TEXT("/funds_account", false, 32, check3_funds, "refund_account"),
	OBJECT("/amount", true),
	NUMBER("/amount/refund", true, check3_fen, "refund_fee"),
	ARRAY("/amount/from", false),
	OBJECT("/amount/from/*", false),
	TEXT("/amount/from/*/account", true, 32, check3_source, NULL),
	NUMBER("/amount/from/*/amount", true, check3_fen, NULL),
	NUMBER("/amount/total", true, check3_fen, "total_fee"),
	TEXT("/amount/currency", true, 16, check3_currency, "fee_type"),
	ARRAY("/goods_detail", false),
	OBJECT(BACK, false),
	TEXT(BACK "/merchant_goods_id", true, 32, NULL, NULL),
	TEXT(BACK "/wechatpay_goods_id", false, 32, NULL, NULL),
	TEXT(BACK "/goods_name", false, 256, NULL, NULL),
	NUMBER(BACK "/unit_price", true, check3_count, NULL),
	NUMBER(BACK "/refund_amount", true, check3_count, NULL),
	NUMBER(BACK "/refund_quantity", true, check3_count, NULL),
	END,
};

/* [v3.md 12.3] */
static const struct check3_rule refundquery[] = {
	TEXT(":out_refund_no", true, 64, check3_refund_no, "out_refund_no"),
	TEXT("?sub_mchid", false, 32, NULL, "sub_mch_id"),
	END,
};

/* [v3.md 5.1] */
static const struct check3_rule certificates[] = {
	TEXT("?algorithm_type", false, 32, check3_algorithm, NULL),
	END,
};

const struct check3_rule *const check3_jsapi = jsapi;
const struct check3_rule *const check3_native = native;
const struct check3_rule *const check3_h5 = h5;
const struct check3_rule *const check3_orderquery = orderquery;
const struct check3_rule *const check3_closeorder = closeorder;
const struct check3_rule *const check3_partner_jsapi = partner_jsapi;
const struct check3_rule *const check3_partner_native = partner_native;
const struct check3_rule *const check3_partner_h5 = partner_h5;
const struct check3_rule *const check3_partner_orderquery
    = partner_orderquery;
const struct check3_rule *const check3_partner_closeorder
    = partner_closeorder;
const struct check3_rule *const check3_refund = refund;
const struct check3_rule *const check3_refundquery = refundquery;
const struct check3_rule *const check3_certificates = certificates;

/* The len bytes of pattern are spelled by name, whose end is *rest. */
static bool
check3_fits(const char *pattern, size_t len, const char *name,
    const char **rest)
{
	const char *end = pattern + len;

	for (; pattern < end; pattern++) {
		if (*pattern == '*')
			name += strspn(name, STR_DIGITS);
		else if (*name == *pattern)
			name++;
		else
			return false;
	}
	*rest = name;
	return true;
}

static const struct check3_rule *
check3_rule_of(const struct check3_rule *rules, const char *name)
{
	const char *rest;

	for (; rules->name != NULL; rules++)
		if (check3_fits(rules->name, strlen(rules->name), name, &rest)
		    && *rest == '\0')
			return rules;
	return NULL;
}

const char *
check3_name(const struct check3_rule *rules, const char *name)
{
	const struct check3_rule *rule = check3_rule_of(rules, name);

	return rule == NULL ? NULL : rule->as;
}

/* [v3.md, conventions] characters, not bytes */
static bool
check3_length(const char *value, size_t max)
{
	size_t count = 0;

	for (const char *c = value; *c != '\0'; c++)
		if (((unsigned char)*c & 0xc0) != 0x80)
			count++;
	return max == 0 || count <= max;
}

/* What is wrong with a member; NULL if nothing is. */
static const char *
check3_issue(const struct check3_rule *rule, const struct sandbox *sandbox,
    const struct check3_member *member)
{
	bool is_text = str_eq(member->type, "string");

	if (rule == NULL)
		return "unknown parameter";
	if (!str_eq(member->type, rule->type))
		return "wrong type";
	if (is_text && *member->value == '\0')
		return "empty";
	if (is_text && !str_is_plain(member->value))
		return "characters that are not supported";
	if (is_text && !check3_length(member->value, rule->max))
		return "too long";
	if (rule->test != NULL && !rule->test(sandbox, member->value))
		return "not a valid value";
	return NULL;
}

/* [v3.md 8.3] One flaw has a code of its own. */
static const char *
check3_code(const struct check3_rule *rule, const char *issue)
{
	if (rule != NULL && rule->test == check3_appid
	    && str_eq(issue, "not a valid value"))
		return "APPID_MCHID_NOT_MATCH";
	return "PARAM_ERROR";
}

/* True if name stands right in that which parent is. */
static bool
check3_has(const struct check3_asked *asked, const char *parent,
    const char *tail)
{
	size_t len = strlen(parent);

	for (size_t i = 0; i < asked->count; i++)
		if (strncmp(asked->list[i].name, parent, len) == 0
		    && str_eq(asked->list[i].name + len, tail))
			return true;
	return false;
}

/* A needed member, in each place where it is needed. */
static bool
check3_is_missing(const struct check3_rule *rule,
    const struct check3_asked *asked)
{
	const char *tail = strrchr(rule->name, '/');
	const char *rest;

	if (!rule->is_needed)
		return false;
	if (tail == NULL || tail == rule->name)
		return !check3_has(asked, "", rule->name);
	for (size_t i = 0; i < asked->count; i++)
		if (check3_fits(rule->name, (size_t)(tail - rule->name),
		    asked->list[i].name, &rest) && *rest == '\0'
		    && !check3_has(asked, asked->list[i].name, tail))
			return true;
	return false;
}

bool
check3_all(const struct check3_rule *rules, const struct sandbox *sandbox,
    const struct check3_asked *asked, struct check3_flaw *flaw)
{
	for (size_t i = 0; i < asked->count; i++) {
		const struct check3_member *member = &asked->list[i];
		const struct check3_rule *rule = check3_rule_of(rules,
		    member->name);
		const char *issue = check3_issue(rule, sandbox, member);

		if (issue == NULL)
			continue;
		*flaw = (struct check3_flaw){ check3_code(rule, issue),
			member->name, member->value, issue };
		return false;
	}
	for (const struct check3_rule *rule = rules; rule->name != NULL;
	    rule++) {
		if (!check3_is_missing(rule, asked))
			continue;
		*flaw = (struct check3_flaw){ "PARAM_ERROR", rule->name, NULL,
			"missing" };
		return false;
	}
	return true;
}
