#include "flow/settings.h"

#include <assert.h>
#include <string.h>

#include "base/conf.h"
#include "base/str.h"
#include "pay/payment.h"
#include "wire/seal3.h"

#define PAY SETTINGS_PAY
#define NOTIFY SETTINGS_NOTIFY
#define REFUND SETTINGS_REFUND
#define WORKER SETTINGS_WORKER
#define MIGRATE SETTINGS_MIGRATE
#define WEB (PAY | NOTIFY | REFUND)
#define CALLS (PAY | REFUND | WORKER)	/* who calls WeChat */
/* Who needs it once V3 is configured, that is, apiv3_key is in the file. */
#define WITH_V3(programs) ((unsigned)(programs) << 8)
#define DAY 86400
#define H5_PUBLIC_URL_MAX 100	/* twice within scene_info's 256 [v2.md 7.1] */

static const struct conf_key keys[] = {
	/* name, type, who needs it, who takes it if it is there, default,
	 * smallest, largest */
	{ "db_conninfo", CONF_TEXT, WEB | WORKER, 0, NULL, 0, 0 },
	{ "admin_conninfo", CONF_TEXT, MIGRATE, 0, NULL, 0, 0 },
	{ "db_connections", CONF_INT, WEB | WORKER, 0, "8", 1, 64 },
	{ "threads", CONF_INT, WEB | WORKER, 0, "16", 1, 64 },

	{ "mchid", CONF_TEXT, WEB | WORKER | MIGRATE, 0, NULL, 0, 0 },
	{ "appid", CONF_TEXT, WEB | WORKER, 0, NULL, 0, 0 },
	{ "sub_mchid", CONF_TEXT, 0, PAY | WORKER, NULL, 0, 0 },
	{ "sub_appid", CONF_TEXT, 0, PAY | WORKER, NULL, 0, 0 },
	{ "api", CONF_TEXT, WEB | WORKER, 0, "v3", 0, 0 },
	{ "sign_type", CONF_TEXT, WEB | WORKER, 0, "HMAC-SHA256", 0, 0 },

	{ "api_key", CONF_SECRET, 0, WEB | WORKER, NULL, 0, 0 },
	{ "apiv3_key", CONF_SECRET, 0, NOTIFY | WORKER, NULL, 0, 0 },
	{ "wechat_pub_key", CONF_SECRET, 0, WEB | WORKER, NULL, 0, 0 },
	{ "wechat_pub_key_id", CONF_TEXT, 0, WEB | WORKER, NULL, 0, 0 },
	{ "platform_ca", CONF_SECRET, 0, WEB | WORKER, NULL, 0, 0 },
	{ "keys_refresh", CONF_INT, WORKER, 0, "3600", 1, 43200 },
	{ "shop_key", CONF_SECRET, PAY, 0, NULL, 0, 0 },
	{ "site_secret", CONF_SECRET, PAY | REFUND, 0, NULL, 0, 0 },
	{ "merchant_cert", CONF_SECRET, REFUND | WORKER | WITH_V3(PAY), 0,
	    NULL, 0, 0 },
	{ "merchant_key", CONF_SECRET, REFUND | WORKER | WITH_V3(PAY), 0,
	    NULL, 0, 0 },

	{ "wechat_url", CONF_TEXT, CALLS, 0, "https://api.mch.weixin.qq.com",
	    0, 0 },
	{ "wechat_url_backup", CONF_TEXT, 0, CALLS, NULL, 0, 0 },
	{ "wechat_ca", CONF_TEXT, 0, CALLS, NULL, 0, 0 },
	{ "wechat_private", CONF_INT, CALLS, 0, "0", 0, 1 },
	{ "wechat_connect_ms", CONF_INT, CALLS, 0, "3000", 100, 10000 },
	{ "wechat_total_ms", CONF_INT, CALLS, 0, "10000", 200, 12000 },

	{ "appsecret", CONF_SECRET, 0, PAY | WORKER, NULL, 0, 0 },
	{ "trade_types", CONF_TEXT, PAY, 0, "NATIVE JSAPI", 0, 0 },
	{ "app_appid", CONF_TEXT, 0, PAY, NULL, 0, 0 },
	{ "mini_appid", CONF_TEXT, 0, PAY, NULL, 0, 0 },
	{ "mini_appsecret", CONF_SECRET, 0, PAY, NULL, 0, 0 },
	{ "platform_url", CONF_TEXT, PAY | WORKER, 0,
	    "https://api.weixin.qq.com", 0, 0 },
	{ "oauth_url", CONF_TEXT, PAY | WORKER, 0,
	    "https://open.weixin.qq.com", 0, 0 },
	{ "token_early", CONF_INT, WORKER, 0, "600", 1, 7000 },

	{ "public_url", CONF_TEXT, CALLS, 0, NULL, 0, 0 },
	{ "return_hosts", CONF_TEXT, PAY, 0, "", 0, 0 },
	{ "allowed_origins", CONF_TEXT, PAY | REFUND, 0, "", 0, 0 },

	{ "order_life", CONF_INT, PAY | WORKER, 0, "7200", 61, 7 * DAY },
	{ "close_after", CONF_INT, PAY | WORKER, 0, "300", 0, DAY },
	{ "micropay", CONF_INT, PAY, 0, "0", 0, 1 },
	{ "micropay_wait", CONF_INT, PAY, 0, "45", 15, 600 },
	{ "refund_gap", CONF_INT, REFUND | WORKER, 0, "60", 0, DAY },
	{ "check_first", CONF_INT, PAY | WORKER, 0, "20", 1, DAY },
	{ "check_young", CONF_INT, PAY | WORKER, 0, "30", 1, DAY },
	{ "refund_check_first", CONF_INT, REFUND | WORKER, 0, "60", 1, DAY },
	{ "worker_poll_ms", CONF_INT, WORKER, 0, "500", 10, 900 },
};

/* A service provider collects for another merchant, who may have an account
 * of his own. */
static bool
settings_judge_provider(const struct settings *settings, struct err *err)
{
	if (settings->sub_mchid == NULL)
		return settings->sub_appid == NULL
		    || err_set(err, ERR_INPUT, "sub_appid: needs sub_mchid");
	if (!str_is_of(settings->sub_mchid, STR_DIGITS, 6, MCHID_MAX))
		return err_set(err, ERR_INPUT, "sub_mchid: not digits");
	if (str_eq(settings->sub_mchid, settings->mchid))
		return err_set(err, ERR_INPUT, "sub_mchid: the same as "
		    "mchid, which is the service provider's own");
	return settings->sub_appid == NULL
	    || str_is_of(settings->sub_appid, STR_ALNUM, 3, APPID_MAX)
	    || err_set(err, ERR_INPUT, "sub_appid: not letters and digits");
}

/* New payments are made with an API whose keys are there. */
static bool
settings_judge_api(const struct settings *settings, struct err *err)
{
	enum payment_api api;

	if (!payment_api_parse(settings->api, &api))
		return err_set(err, ERR_INPUT, "api: neither v2 nor v3");
	if (api == PAYMENT_V2 && settings->api_key == NULL)
		return err_set(err, ERR_INPUT, "api: v2 needs api_key");
	if (api == PAYMENT_V3 && !settings->has_v3)
		return err_set(err, ERR_INPUT, "api: v3 needs apiv3_key");
	if (settings->has_micropay && settings->api_key == NULL)
		return err_set(err, ERR_INPUT, "micropay: needs api_key");
	return true;
}

/* A mini program has a secret of its own, or nobody can be its user. */
static bool
settings_judge_mini(const struct settings *settings, struct err *err)
{
	if (settings->mini_appid != NULL
	    && !str_is_of(settings->mini_appid, STR_ALNUM, 3, APPID_MAX))
		return err_set(err, ERR_INPUT,
		    "mini_appid: not letters and digits");
	if ((settings->mini_appid == NULL)
	    != (settings->mini_appsecret == NULL))
		return err_set(err, ERR_INPUT, "mini_appid and "
		    "mini_appsecret: one without the other");
	return true;
}

/* What can be asked for has what it needs. */
static bool
settings_judge_ways(const struct settings *settings, struct err *err)
{
	if (settings->app_appid != NULL
	    && !str_is_of(settings->app_appid, STR_ALNUM, 3, APPID_MAX))
		return err_set(err, ERR_INPUT,
		    "app_appid: not letters and digits");
	if (settings->trade_types == NULL)
		return true;
	if (!payment_trade_types_check(settings->trade_types, err))
		return false;
	if (str_has_word(settings->trade_types, "APP", strlen("APP"))
	    && settings->app_appid == NULL)
		return err_set(err, ERR_INPUT,
		    "trade_types: APP needs app_appid");
	assert(settings->public_url != NULL);	/* pay needs both */
	if (str_has_word(settings->trade_types, "MWEB", strlen("MWEB"))
	    && strlen(settings->public_url) > H5_PUBLIC_URL_MAX)
		return err_set(err, ERR_INPUT, "public_url: more than %d "
		    "bytes are too many for MWEB", H5_PUBLIC_URL_MAX);
	return true;
}

static bool
settings_judge_keys(const struct settings *settings, struct err *err)
{
	if (settings->api_key != NULL
	    && !str_is_of(secret_bytes(settings->api_key), STR_ALNUM, 32, 32))
		return err_set(err, ERR_INPUT,
		    "api_key: not 32 letters and digits");
	if (settings->apiv3_key != NULL
	    && !seal3_key_check(settings->apiv3_key, err))
		return false;
	if ((settings->wechat_pub_key == NULL)
	    != (settings->wechat_pub_key_id == NULL))
		return err_set(err, ERR_INPUT, "wechat_pub_key and "
		    "wechat_pub_key_id: one without the other");
	return true;
}

/* Judge the texts that have a form of their own. */
static bool
settings_judge(struct settings *settings, const char *sign_type,
    struct err *err)
{
	if (!str_is_of(settings->mchid, STR_DIGITS, 6, MCHID_MAX))
		return err_set(err, ERR_INPUT, "mchid: not digits");
	if (settings->program == SETTINGS_MIGRATE)
		return true;
	if (!str_is_of(settings->appid, STR_ALNUM, 3, APPID_MAX))
		return err_set(err, ERR_INPUT, "appid: not letters and digits");
	if (!sign2_type_parse(sign_type, &settings->sign_type))
		return err_set(err, ERR_INPUT,
		    "sign_type: neither MD5 nor HMAC-SHA256");
	if (settings->public_url != NULL
	    && strncmp(settings->public_url, "https://", 8) != 0)
		return err_set(err, ERR_INPUT, "public_url: not https://");
	return settings_judge_provider(settings, err)
	    && settings_judge_api(settings, err)
	    && settings_judge_keys(settings, err)
	    && settings_judge_mini(settings, err)
	    && settings_judge_ways(settings, err);
}

/* Whether V3 is configured, and so who needs what. */
static bool
settings_who(const char *path, enum settings_program program, unsigned *who,
    struct err *err)
{
	struct conf *conf = NULL;

	if (!conf_read(path, keys, COUNT_OF(keys), 0, &conf, err))
		return false;
	*who = program;
	if (conf_has(conf, "apiv3_key"))
		*who |= WITH_V3(program);
	conf_free(conf);
	return true;
}

bool
settings_read(const char *path, enum settings_program program,
    struct settings *out, struct err *err)
{
	struct conf *conf = NULL;
	unsigned who;

	if (!settings_who(path, program, &who, err)
	    || !conf_read(path, keys, COUNT_OF(keys), who, &conf, err))
		return false;
	*out = (struct settings){
		.conf = conf,
		.program = program,
		.db_conninfo = conf_text(conf, "db_conninfo"),
		.admin_conninfo = conf_text(conf, "admin_conninfo"),
		.mchid = conf_text(conf, "mchid"),
		.appid = conf_text(conf, "appid"),
		.sub_mchid = conf_text(conf, "sub_mchid"),
		.sub_appid = conf_text(conf, "sub_appid"),
		.api = conf_text(conf, "api"),
		.has_v3 = conf_has(conf, "apiv3_key"),
		.apiv3_key = conf_secret(conf, "apiv3_key"),
		.wechat_pub_key = conf_secret(conf, "wechat_pub_key"),
		.wechat_pub_key_id = conf_text(conf, "wechat_pub_key_id"),
		.platform_ca = conf_secret(conf, "platform_ca"),
		.keys_refresh_s = conf_int(conf, "keys_refresh"),
		.wechat_url = conf_text(conf, "wechat_url"),
		.wechat_url_backup = conf_text(conf, "wechat_url_backup"),
		.wechat_ca = conf_text(conf, "wechat_ca"),
		.public_url = conf_text(conf, "public_url"),
		.return_hosts = conf_text(conf, "return_hosts"),
		.allowed_origins = conf_text(conf, "allowed_origins"),
		.appsecret = conf_secret(conf, "appsecret"),
		.trade_types = conf_text(conf, "trade_types"),
		.app_appid = conf_text(conf, "app_appid"),
		.mini_appid = conf_text(conf, "mini_appid"),
		.mini_appsecret = conf_secret(conf, "mini_appsecret"),
		.platform_url = conf_text(conf, "platform_url"),
		.oauth_url = conf_text(conf, "oauth_url"),
		.token_early_s = conf_int(conf, "token_early"),
		.api_key = conf_secret(conf, "api_key"),
		.shop_key = conf_secret(conf, "shop_key"),
		.site_secret = conf_secret(conf, "site_secret"),
		.merchant_cert = conf_secret(conf, "merchant_cert"),
		.merchant_key = conf_secret(conf, "merchant_key"),
		.db_connections = (int)conf_int(conf, "db_connections"),
		.threads = (int)conf_int(conf, "threads"),
		.order_life_s = conf_int(conf, "order_life"),
		.close_after_s = conf_int(conf, "close_after"),
		.has_micropay = conf_int(conf, "micropay") == 1,
		.micropay_wait_s = conf_int(conf, "micropay_wait"),
		.refund_gap_s = conf_int(conf, "refund_gap"),
		.check_first_s = conf_int(conf, "check_first"),
		.check_young_s = conf_int(conf, "check_young"),
		.refund_check_first_s = conf_int(conf, "refund_check_first"),
		.wechat_private = conf_int(conf, "wechat_private") != 0,
		.wechat_connect_ms = conf_int(conf, "wechat_connect_ms"),
		.wechat_total_ms = conf_int(conf, "wechat_total_ms"),
		.worker_poll_ms = conf_int(conf, "worker_poll_ms"),
	};
	out->account_appid = out->sub_appid != NULL ? out->sub_appid
	    : out->appid;
	if (!settings_judge(out, conf_text(conf, "sign_type"), err)) {
		settings_clear(out);
		return err_in(err, path);
	}
	return true;
}

void
settings_clear(struct settings *settings)
{
	conf_free(settings->conf);
	*settings = (struct settings){ 0 };
}

bool
settings_payee(const struct settings *settings, const char *appid,
    struct payment_payee *out, struct err *err)
{
	bool is_sub = settings->sub_appid != NULL;
	const char *sub_mchid = settings->sub_mchid != NULL
	    ? settings->sub_mchid : "";
	struct payment_payee payee = { 0 };

	if (!str_copy(payee.appid, sizeof(payee.appid),
	    is_sub ? settings->appid : appid)
	    || !str_copy(payee.sub_mchid, sizeof(payee.sub_mchid), sub_mchid)
	    || !str_copy(payee.sub_appid, sizeof(payee.sub_appid),
	    is_sub ? appid : ""))
		return err_set(err, ERR_BUG, "payee: too long");
	*out = payee;
	return true;
}

bool
settings_store(const struct settings *settings, struct store **out,
    struct err *err)
{
	const char *role = settings->program == PAY ? "wxpay_pay"
	    : settings->program == NOTIFY ? "wxpay_notify"
	    : settings->program == REFUND ? "wxpay_refund" : "wxpay_worker";
	struct store_config config = {
		.conninfo = settings->db_conninfo,
		.role = role,
		.mchid = settings->mchid,
		.connections = settings->db_connections,
	};

	return store_open(&config, out, err);
}
