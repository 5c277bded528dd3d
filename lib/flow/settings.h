/*
 * settings: our configuration.
 *
 * Knows every key, who needs it, and what is a sensible value.  Hides conf.
 * Owns the values and secrets; const after settings_read.
 */
#ifndef FLOW_SETTINGS_H
#define FLOW_SETTINGS_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"
#include "pay/payment.h"
#include "store/store.h"
#include "wire/sign2.h"

enum settings_program {
	SETTINGS_PAY = 1,
	SETTINGS_NOTIFY = 2,
	SETTINGS_REFUND = 4,
	SETTINGS_WORKER = 8,
	SETTINGS_MIGRATE = 16,
};

struct conf;

struct settings {		/* all borrowed from conf; NULL: not ours */
	struct conf *conf;
	enum settings_program program;
	const char *db_conninfo, *admin_conninfo;
	const char *mchid, *appid, *api;
	const char *sub_mchid, *sub_appid;	/* of a service provider */
	const char *account_appid;	/* whose appsecret is, and whose pages */
	bool has_v3;			/* an apiv3_key is in the file */
	bool has_micropay;		/* codes are scanned, by V2 */
	const char *wechat_pub_key_id;
	const char *wechat_url, *wechat_url_backup, *wechat_ca, *public_url;
	const char *return_hosts, *allowed_origins;
	const char *trade_types;	/* those that can be asked for */
	const char *app_appid;
	const char *mini_appid, *platform_url, *oauth_url;
	const struct secret *appsecret, *mini_appsecret;
	const struct secret *api_key, *shop_key, *site_secret;
	const struct secret *merchant_cert, *merchant_key;
	const struct secret *apiv3_key, *wechat_pub_key, *platform_ca;
	enum sign2_type sign_type;
	int db_connections, threads;
	long order_life_s, close_after_s, refund_gap_s;
	long check_first_s, check_young_s, refund_check_first_s;
	bool wechat_private;		/* its hosts may be at home */
	long wechat_connect_ms, wechat_total_ms, worker_poll_ms;
	long keys_refresh_s, token_early_s, micropay_wait_s;
};

/* ERR_INPUT with file and line, or the key, that is wrong. */
MUSTUSE bool settings_read(const char *path, enum settings_program program,
    struct settings *out, struct err *err);
void settings_clear(struct settings *settings);

/* Whom a payment is made to from now on, if its payer's client runs under
 * appid.  PAY and WORKER. */
MUSTUSE bool settings_payee(const struct settings *settings,
    const char *appid, struct payment_payee *out, struct err *err);

/* The store of this program's own role. */
MUSTUSE bool settings_store(const struct settings *settings,
    struct store **out, struct err *err);

#endif
