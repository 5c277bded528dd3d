/*
 * settings: which keys of a configuration each program opens, with V2, with
 * V3 and with both; and what is refused at the start (threats.md L12).
 */
#include "flow/settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#include "../unit.h"

#define KEY "0123456789abcdef0123456789abcdef"

static const char *const names[] = {
	"api_key", "apiv3_key", "merchant_cert", "merchant_key", "shop_key",
	"site_secret", "pub_key", "appsecret", "mini",
};

static char folder[] = "/tmp/wxpay_settings_XXXXXX";
static char path[sizeof(folder) + 16];

/* A key file; one that nobody may read shows who opens it. */
static void
key_write(const char *name, const char *text, mode_t mode)
{
	char file[sizeof(folder) + 32];
	int fd;

	snprintf(file, sizeof(file), "%s/%s", folder, name);
	(void)unlink(file);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static int
set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/conf", folder);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		key_write(names[i], KEY, 0400);
	return 0;
}

static int
tear_down(void **state)
{
	char file[sizeof(folder) + 32];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		snprintf(file, sizeof(file), "%s/%s", folder, names[i]);
		(void)unlink(file);
	}
	(void)unlink(path);
	return rmdir(folder);
}

/* "~" stands for the folder of the keys. */
static void
conf_write(const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	for (; *text != '\0'; text++) {
		if (*text == '~')
			fputs(folder, file);
		else
			fputc(*text, file);
	}
	assert_int_equal(fclose(file), 0);
}

#define COMMON "db_conninfo = \"host=/run dbname=x\"; mchid = \"1900000109\";" \
	"appid = \"wx1\"; public_url = \"https://a.example\";" \
	"shop_key = \"~/shop_key\"; site_secret = \"~/site_secret\";" \
	"merchant_cert = \"~/merchant_cert\";" \
	"merchant_key = \"~/merchant_key\";"
#define V2 "api_key = \"~/api_key\";"
#define V3 "apiv3_key = \"~/apiv3_key\";"
#define PUB_KEY "wechat_pub_key = \"~/pub_key\";" \
	"wechat_pub_key_id = \"PUB_KEY_ID_01\";"
#define CALLERS (SETTINGS_PAY | SETTINGS_REFUND | SETTINGS_WORKER)
#define ALL (CALLERS | SETTINGS_NOTIFY)

static const unsigned programs[] = {
	SETTINGS_PAY, SETTINGS_NOTIFY, SETTINGS_REFUND, SETTINGS_WORKER,
};

static void
who_opens_what(void **state)
{
	static const struct {
		const char *text;
		unsigned api_key, apiv3_key, merchant_key, pub_key;
	} cases[] = {
		{ COMMON V2 "api = \"v2\";", ALL, 0,
		    SETTINGS_REFUND | SETTINGS_WORKER, 0 },
		{ COMMON V3 PUB_KEY, 0, SETTINGS_NOTIFY | SETTINGS_WORKER,
		    CALLERS, ALL },
		{ COMMON V3, 0, SETTINGS_NOTIFY | SETTINGS_WORKER, CALLERS,
		    0 },
		{ COMMON V2 V3 PUB_KEY "api = \"v2\";", ALL,
		    SETTINGS_NOTIFY | SETTINGS_WORKER, CALLERS, ALL },
	};
	struct settings settings;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		conf_write(cases[i].text);
		for (size_t j = 0; j < COUNT_OF(programs); j++) {
			unsigned who = programs[j];

			expect(settings_read(path,
			    (enum settings_program)who, &settings, &err),
			    "case %zu, program %u: %s", i, who, err.text);
			assert_int_equal(settings.api_key != NULL,
			    (cases[i].api_key & who) != 0);
			assert_int_equal(settings.apiv3_key != NULL,
			    (cases[i].apiv3_key & who) != 0);
			assert_int_equal(settings.merchant_key != NULL,
			    (cases[i].merchant_key & who) != 0);
			assert_int_equal(settings.wechat_pub_key != NULL,
			    (cases[i].pub_key & who) != 0);
			settings_clear(&settings);
		}
	}
	print_message("%zu configurations, %zu programs each\n",
	    COUNT_OF(cases), COUNT_OF(programs));
}

/* What a program has no use for it does not even open. */
static void
others_stay_shut(void **state)
{
	struct settings settings;
	struct err err = { 0 };

	(void)state;
	conf_write(COMMON V2 V3 PUB_KEY);
	key_write("merchant_key", "", 0400);
	expect(settings_read(path, SETTINGS_NOTIFY, &settings, &err), "%s",
	    err.text);
	settings_clear(&settings);
	assert_false(settings_read(path, SETTINGS_PAY, &settings, &err));
	key_write("merchant_key", KEY, 0400);
	key_write("apiv3_key", "", 0400);
	err = (struct err){ 0 };
	expect(settings_read(path, SETTINGS_PAY, &settings, &err), "%s",
	    err.text);
	settings_clear(&settings);
	assert_false(settings_read(path, SETTINGS_NOTIFY, &settings, &err));
	key_write("apiv3_key", KEY, 0400);
}

/* Appsecrets: the account's is pay's and the worker's, the mini program's is
 * pay's; nobody needs one. */
static void
appsecrets(void **state)
{
	struct settings settings;
	struct err err = { 0 };

	(void)state;
	conf_write(COMMON V3 "appsecret = \"~/appsecret\";"
	    "mini_appid = \"wx2\"; mini_appsecret = \"~/mini\";");
	for (size_t i = 0; i < COUNT_OF(programs); i++) {
		unsigned who = programs[i];

		expect(settings_read(path, (enum settings_program)who,
		    &settings, &err), "%s", err.text);
		assert_int_equal(settings.appsecret != NULL,
		    (who & (SETTINGS_PAY | SETTINGS_WORKER)) != 0);
		assert_int_equal(settings.mini_appsecret != NULL,
		    who == SETTINGS_PAY);
		assert_int_equal(settings.mini_appid != NULL,
		    who == SETTINGS_PAY);
		settings_clear(&settings);
	}
	conf_write(COMMON V3 "mini_appid = \"wx2\";");
	assert_false(settings_read(path, SETTINGS_PAY, &settings, &err));
	expect(strstr(err.text, "one without the other") != NULL, "%s",
	    err.text);
}

static void
refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ COMMON, "v3 needs apiv3_key" },
		{ COMMON V2, "v3 needs apiv3_key" },
		{ COMMON V3 "api = \"v2\";", "v2 needs api_key" },
		{ COMMON V2 V3 "api = \"v4\";", "neither v2 nor v3" },
		{ COMMON V2 V3 "api = \"V3\";", "neither v2 nor v3" },
		{ COMMON V3 "wechat_pub_key = \"~/pub_key\";",
		    "one without the other" },
		{ COMMON V3 "wechat_pub_key_id = \"PUB_KEY_ID_01\";",
		    "one without the other" },
		{ COMMON V3 "keys_refresh = 0;", "not 1 to" },
		{ COMMON V3 "keys_refresh = 43201;", "not 1 to" },
		{ COMMON "apiv3_key = \"~/absent\";", "absent" },
	};
	struct settings settings;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err = { 0 };

		conf_write(cases[i].text);
		assert_false(settings_read(path, SETTINGS_NOTIFY, &settings,
		    &err));
		assert_int_equal(err.kind, ERR_INPUT);
		expect(strstr(err.text, cases[i].why) != NULL,
		    "case %zu: %s", i, err.text);
	}
	print_message("%zu configurations refused\n", COUNT_OF(cases));
}

/* The APIv3 key is 32 letters and digits, no other. */
static void
bad_keys(void **state)
{
	static const char *const keys[] = {
		"0123456789abcdef0123456789abcde",
		"0123456789abcdef0123456789abcdef0",
		"0123456789abcdef0123456789abcde ",
		"0123456789abcdef0123456789abcde\n\n",
	};
	struct settings settings;

	(void)state;
	conf_write(COMMON V3);
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct err err = { 0 };

		key_write("apiv3_key", keys[i], 0400);
		assert_false(settings_read(path, SETTINGS_NOTIFY, &settings,
		    &err));
		expect(strstr(err.text, keys[i]) == NULL, "%s", err.text);
	}
	key_write("apiv3_key", KEY, 0400);
}

/* Which ways to pay are there, and what they need. */
static void
ways(void **state)
{
#define BOTH COMMON V2 V3
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ BOTH, NULL },
		{ BOTH "trade_types = \"MWEB\";", NULL },
		{ BOTH "trade_types = \"NATIVE APP\"; app_appid = \"wx2\";",
		    NULL },
		{ BOTH "app_appid = \"wx2\";", NULL },
		{ BOTH "trade_types = \"APP\";", "APP needs app_appid" },
		{ BOTH "trade_types = \"\";", "not a list" },
		{ BOTH "trade_types = \"NATIVE MICROPAY\";", "not a list" },
		{ BOTH "app_appid = \"wx-2\";", "not letters and digits" },
		{ BOTH "app_appid = \"\";", "not letters and digits" },
	};
	struct settings settings;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err = { 0 };
		bool ok;

		conf_write(cases[i].text);
		ok = settings_read(path, SETTINGS_PAY, &settings, &err);
		expect(ok == (cases[i].why == NULL), "case %zu: %s", i,
		    err.text);
		if (!ok) {
			expect(strstr(err.text, cases[i].why) != NULL,
			    "case %zu: %s", i, err.text);
			continue;
		}
		if (i == 0)
			assert_string_equal(settings.trade_types,
			    "NATIVE JSAPI");
		settings_clear(&settings);
	}
}

/* V2's scene_info has it twice, and 256 bytes. */
static void
long_public_url(void **state)
{
	static const struct {
		int len;
		const char *trade_types;
		bool good;
	} cases[] = {
		{ 100, "NATIVE MWEB", true }, { 101, "NATIVE MWEB", false },
		{ 101, "NATIVE", true },
	};
	struct settings settings;
	char text[2048];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err = { 0 };

		(void)snprintf(text, sizeof(text), "db_conninfo = \"x\";"
		    "mchid = \"1900000109\"; appid = \"wx1\";"
		    "shop_key = \"~/shop_key\"; site_secret = "
		    "\"~/site_secret\"; api = \"v2\";" V2
		    "trade_types = \"%s\"; public_url = \"https://%0*d\";",
		    cases[i].trade_types, cases[i].len - 8, 1);
		conf_write(text);
		expect(settings_read(path, SETTINGS_PAY, &settings, &err)
		    == cases[i].good, "case %zu: %s", i, err.text);
		if (cases[i].good)
			settings_clear(&settings);
	}
}

/* Seconds until what is not paid is reversed.  The key is pay's. */
static void
micropay_waits(void **state)
{
	static const struct {
		const char *text;
		long wait_s;		/* 0: refused */
	} cases[] = {
		{ COMMON V2 V3, 45 },
		{ COMMON V2 V3 "micropay_wait = 15;", 15 },
		{ COMMON V2 V3 "micropay_wait = 600;", 600 },
		{ COMMON V2 V3 "micropay_wait = 14;", 0 },
		{ COMMON V2 V3 "micropay_wait = 601;", 0 },
		{ COMMON V2 V3 "micropay_wait = 0;", 0 },
		{ COMMON V2 V3 "micropay_wait = -45;", 0 },
	};
	struct settings settings;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct err err = { 0 };
		bool ok;

		conf_write(cases[i].text);
		ok = settings_read(path, SETTINGS_PAY, &settings, &err);
		expect(ok == (cases[i].wait_s != 0), "case %zu: %s", i,
		    err.text);
		if (!ok) {
			expect(strstr(err.text, "micropay_wait: not 15 to 600")
			    != NULL, "case %zu: %s", i, err.text);
			continue;
		}
		assert_int_equal(settings.micropay_wait_s, cases[i].wait_s);
		settings_clear(&settings);
	}
	print_message("%zu configurations\n", COUNT_OF(cases));
}

/* A service provider's sub-merchant. */
static void
provider(void **state)
{
#define SUB "sub_mchid = \"1900000901\";"
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ COMMON V3 SUB, NULL },
		{ COMMON V3 SUB "sub_appid = \"wx9\";", NULL },
		{ COMMON V3 "sub_appid = \"wx9\";",
		    "sub_appid: needs sub_mchid" },
		{ COMMON V3 "sub_mchid = \"1900000109\";",
		    "sub_mchid: the same as mchid" },
		{ COMMON V3 "sub_mchid = \"\";", "sub_mchid: not digits" },
		{ COMMON V3 "sub_mchid = \"19000009o1\";",
		    "sub_mchid: not digits" },
		{ COMMON V3 "sub_mchid = \"19000\";", "sub_mchid: not digits" },
		{ COMMON V3 "sub_mchid = "
		    "\"190000090119000009011900000901123\";",
		    "sub_mchid: not digits" },
		{ COMMON V3 SUB "sub_appid = \"\";",
		    "sub_appid: not letters and digits" },
		{ COMMON V3 SUB "sub_appid = \"wx-9\";",
		    "sub_appid: not letters and digits" },
		{ COMMON V3 SUB
		    "sub_appid = \"wx9wx9wx9wx9wx9wx9wx9wx9wx9wx9wx9\";",
		    "sub_appid: not letters and digits" },
	};
	static const unsigned makers[] = { SETTINGS_PAY, SETTINGS_WORKER };
	struct settings settings;

	(void)state;
	for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
		struct err err = { 0 };
		const char *why = cases[i / 2].why;
		bool ok;

		conf_write(cases[i / 2].text);
		ok = settings_read(path, (enum settings_program)makers[i % 2],
		    &settings, &err);
		expect(ok == (why == NULL), "case %zu: %s", i / 2, err.text);
		if (ok)
			settings_clear(&settings);
		else
			expect(strstr(err.text, why) != NULL, "case %zu: %s",
			    i / 2, err.text);
	}
	print_message("%zu configurations\n", COUNT_OF(cases));
}

/* Whom a payment is made to, by what is configured and where the payer is. */
static void
payees(void **state)
{
	static const struct {
		const char *text, *account;
		const char *appid, *payee_appid, *sub_mchid, *sub_appid;
	} cases[] = {
		{ COMMON V3, "wx1", "wx1", "wx1", "", "" },
		{ COMMON V3, "wx1", "wx2", "wx2", "", "" },
		{ COMMON V3 SUB, "wx1", "wx1", "wx1", "1900000901", "" },
		{ COMMON V3 SUB, "wx1", "wx2", "wx2", "1900000901", "" },
		{ COMMON V3 SUB "sub_appid = \"wx9\";", "wx9", "wx9", "wx1",
		    "1900000901", "wx9" },
		{ COMMON V3 SUB "sub_appid = \"wx9\";", "wx9", "wx2", "wx1",
		    "1900000901", "wx2" },
	};
	static const char too_long[] = "wx9wx9wx9wx9wx9wx9wx9wx9wx9wx9wx9";
	struct settings settings;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct payment_payee payee = { 0 };
		struct err err = { 0 };

		conf_write(cases[i].text);
		expect(settings_read(path, SETTINGS_PAY, &settings, &err),
		    "%s", err.text);
		assert_string_equal(settings.account_appid, cases[i].account);
		assert_false(settings_payee(&settings, too_long, &payee,
		    &err));
		assert_string_equal(payee.appid, "");
		assert_true(settings_payee(&settings, cases[i].appid, &payee,
		    &err));
		assert_string_equal(payee.appid, cases[i].payee_appid);
		assert_string_equal(payee.sub_mchid, cases[i].sub_mchid);
		assert_string_equal(payee.sub_appid, cases[i].sub_appid);
		settings_clear(&settings);
	}
	/* who makes no payments takes no notice */
	conf_write(COMMON V3 "sub_mchid = \"x\";");
	for (size_t i = 0; i < COUNT_OF(programs); i++) {
		struct err err = { 0 };
		bool ok = settings_read(path,
		    (enum settings_program)programs[i], &settings, &err);

		assert_true(ok == (programs[i] == SETTINGS_NOTIFY
		    || programs[i] == SETTINGS_REFUND));
		if (ok)
			settings_clear(&settings);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_opens_what),
		cmocka_unit_test(others_stay_shut),
		cmocka_unit_test(appsecrets),
		cmocka_unit_test(refused),
		cmocka_unit_test(bad_keys),
		cmocka_unit_test(ways),
		cmocka_unit_test(long_public_url),
		cmocka_unit_test(micropay_waits),
		cmocka_unit_test(provider),
		cmocka_unit_test(payees),
	};

	return cmocka_run_group_tests_name("settings", tests, set_up,
	    tear_down);
}
