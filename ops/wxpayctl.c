/*
 * wxpayctl: what ops does by hand, and the worker.
 *
 *	wxpayctl [--config PATH] migrate | worker | query NUMBER |
 *	    pay --product ID [--quantity N] | keys | version
 *
 * migrate makes the schema what this program needs; worker does what time
 * brings; query asks WeChat about an order, which is named by its own number or
 * by WeChat's of a payment, and shows it; pay sells a product to who scans the
 * QR code that it prints, and waits; keys shows by which keys WeChat is
 * believed.  Exit status 0; 1 after a failure, or without the payment; 2 after
 * a usage text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/str.h"
#include "flow/flow_payment.h"
#include "sql.h"
#include "store/store_keys.h"
#include "terminal.h"
#include "wire/xmlmsg.h"
#include "worker.h"

#define CONFIG "/etc/wxpay/wxpay.conf"
#define PATH_SIZE 1024

#ifndef VERSION
#error "make says which version this is"
#endif

struct arguments {		/* of a command; borrowed */
	const char *number;
	const char *product_id, *quantity;
};

struct command {
	const char *name;
	enum settings_program program;
	/* false if these are not its own */
	bool (*take)(int argc, char *argv[], struct arguments *out);
	bool (*run)(const struct settings *settings,
	    const struct arguments *args, struct err *err);
};

static bool
run_migrate(const struct settings *settings, const struct arguments *args,
    struct err *err)
{
	size_t run;

	(void)args;
	if (!store_migrate(settings->admin_conninfo, sql_scripts,
	    sql_script_count, settings->mchid, &run, err))
		return false;
	printf("%zu migrations run; the schema is up to date\n", run);
	return true;
}

static bool
run_worker(const struct settings *settings, const struct arguments *args,
    struct err *err)
{
	struct flow flow;
	bool ok;

	(void)args;
	if (!flow_open(settings, &flow, err))
		return false;
	ok = worker_run(&flow, err);
	flow_close(&flow);
	return ok;
}

/* The order that a number means: its own; or, unless there is one, WeChat's
 * of a payment, which WeChat is asked about. */
static bool
order_find(const struct flow *flow, const char *number,
    char order_no[static ORDER_NO_MAX + 1], struct err *err)
{
	char state[9];

	if (!order_no_check(number, err)
	    || !store_order_state(flow->store, number, flow_deadline(), state,
	    err))
		return false;
	if (*state != '\0')
		return str_copy(order_no, ORDER_NO_MAX + 1, number);
	if (!payment_is_transaction_id(number))
		return err_set(err, ERR_MISSING, "no order \"%s\"", number);
	return flow_transaction_find(flow, number, order_no, err);
}

/* Ask WeChat, run the normal path, and show what came of it. */
static bool
run_query(const struct settings *settings, const struct arguments *args,
    struct err *err)
{
	struct flow flow;
	char order_no[ORDER_NO_MAX + 1] = "";
	char *json = NULL;
	bool ok;

	if (!flow_open(settings, &flow, err))
		return false;
	ok = order_find(&flow, args->number, order_no, err)
	    && flow_order_check(&flow, order_no, err)
	    && store_orders_list(flow.store, NULL, order_no, 0, 1,
	    flow_deadline(), &json, err);
	if (ok)
		printf("%s\n", json);
	free(json);
	flow_close(&flow);
	return ok;
}

static const char *
or_dash(const char *text)
{
	return text[0] != '\0' ? text : "-";
}

static bool
show_key(void *arg, const struct store_key_report *key, struct err *err)
{
	bool *is_first = arg;

	(void)err;
	if (*is_first) {
		printf("certificates last fetched: %s; last try: %s\n\n"
		    "%-40s  %-14s  %-25s  %-25s  %s\n",
		    or_dash(key->fetched_at), or_dash(key->fetch_outcome),
		    "SERIAL", "KIND", "VALID UNTIL", "LAST NOTICE",
		    "LAST ANSWER");
		*is_first = false;
	}
	printf("%-40s  %-14s  %-25s  %-25s  %s\n", key->serial, key->kind,
	    or_dash(key->not_after), or_dash(key->notice_at),
	    or_dash(key->answer_at));
	return true;
}

static void
show_safety(enum store_keys_safe safe)
{
	static const char *const words[] = {
		[STORE_KEYS_SAFE] = "safe to finish: for more than a day "
		    "the public key has signed everything",
		[STORE_KEYS_NONE] = "none: there never was a certificate",
		[STORE_KEYS_NO_PUB_KEY] = "not safe to finish: no "
		    "wechat_pub_key is configured",
		[STORE_KEYS_UNUSED] = "not safe to finish: the public key has "
		    "not signed both notices and answers yet",
		[STORE_KEYS_YOUNG] = "not safe to finish: the public key has "
		    "been in use for less than 25 hours",
		[STORE_KEYS_CERTIFICATE] = "not safe to finish: a certificate "
		    "has signed within the last 25 hours",
	};

	printf("\nmigration to the public key: %s\n", words[safe]);
}

/* By which keys WeChat is believed, and which it used last. */
static bool
run_keys(const struct settings *settings, const struct arguments *args,
    struct err *err)
{
	const char *pub_key_id = settings->wechat_pub_key_id != NULL
	    ? settings->wechat_pub_key_id : "";
	struct store *store = NULL;
	enum store_keys_safe safe;
	bool is_first = true, ok;

	(void)args;
	if (!settings->has_v3)
		return err_set(err, ERR_INPUT, "API V3 is not configured");
	ok = settings_store(settings, &store, err)
	    && store_keys_report(store, pub_key_id, show_key, &is_first,
	    flow_deadline(), err)
	    && store_keys_safe(store, pub_key_id, flow_deadline(), &safe,
	    err);
	if (ok && is_first)
		puts("no key: none is configured, none was fetched");
	if (ok)
		show_safety(safe);
	store_close(store);
	return ok;
}

/* Sell a product here. */
static bool
run_pay(const struct settings *settings, const struct arguments *args,
    struct err *err)
{
	struct flow flow;
	bool ok;

	if (!flow_open(settings, &flow, err))
		return false;
	ok = terminal_pay(&flow, args->product_id, args->quantity, err);
	flow_close(&flow);
	return ok;
}

static bool
take_none(int argc, char *argv[], struct arguments *out)
{
	(void)argv;
	(void)out;
	return argc == 0;
}

static bool
take_number(int argc, char *argv[], struct arguments *out)
{
	if (argc != 1)
		return false;
	out->number = argv[0];
	return true;
}

/* --product ID and, if it likes, --quantity N, in any order, each once. */
static bool
take_product(int argc, char *argv[], struct arguments *out)
{
	for (; argc >= 2; argc -= 2, argv += 2) {
		const char **value = str_eq(argv[0], "--product")
		    ? &out->product_id : str_eq(argv[0], "--quantity")
		    ? &out->quantity : NULL;

		if (value == NULL || *value != NULL)
			return false;
		*value = argv[1];
	}
	if (out->quantity == NULL)
		out->quantity = "1";
	return argc == 0 && out->product_id != NULL;
}

static const struct command commands[] = {
	{ "migrate", SETTINGS_MIGRATE, take_none, run_migrate },
	{ "worker", SETTINGS_WORKER, take_none, run_worker },
	{ "query", SETTINGS_WORKER, take_number, run_query },
	{ "pay", SETTINGS_WORKER, take_product, run_pay },
	{ "keys", SETTINGS_WORKER, take_none, run_keys },
};

static int
usage(void)
{
	fputs("usage: wxpayctl [--config PATH] migrate | worker | "
	    "query NUMBER |\n"
	    "           pay --product ID [--quantity N] | keys | version\n"
	    "PATH: else $WXPAY_CONF, else " CONFIG "\n", stderr);
	return 2;
}

static const struct command *
command_find(int argc, char *argv[], struct arguments *args)
{
	for (size_t i = 0; argc > 0 && i < COUNT_OF(commands); i++)
		if (str_eq(argv[0], commands[i].name))
			return commands[i].take(argc - 1, argv + 1, args)
			    ? &commands[i] : NULL;
	return NULL;
}

/* Nothing of the environment counts from here on: no proxy, no PG* variable,
 * no other place for keys. */
static bool
harden(char config[static PATH_SIZE])
{
	const char *named = getenv("WXPAY_CONF");
	const struct rlimit none = { 0, 0 };

	if (*config == '\0'
	    && !str_copy(config, PATH_SIZE, named != NULL ? named : CONFIG))
		return false;
	(void)umask(077);
	return clearenv() == 0 && setrlimit(RLIMIT_CORE, &none) == 0
	    && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0
	    && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static bool
command_run(const struct command *command, const char *config,
    const struct arguments *args, struct err *err)
{
	struct settings settings;
	bool ok;

	xmlmsg_start();
	wechat_start();
	if (!settings_read(config, command->program, &settings, err))
		return false;
	ok = command->run(&settings, args, err);
	settings_clear(&settings);
	return ok;
}

int
main(int argc, char *argv[])
{
	const struct command *command;
	struct arguments args = { 0 };
	char config[PATH_SIZE] = "";
	struct err err = { 0 };

	argc--;
	argv++;
	if (argc >= 2 && str_eq(argv[0], "--config")) {
		if (!str_copy(config, sizeof(config), argv[1]))
			return usage();
		argc -= 2;
		argv += 2;
	}
	if (argc == 1 && str_eq(argv[0], "version")) {
		puts("wxpay " VERSION);
		return EXIT_SUCCESS;
	}
	command = command_find(argc, argv, &args);
	if (command == NULL)
		return usage();
	log_start(str_eq(command->name, "worker") ? "worker" : "wxpayctl");
	if (!harden(config)
	    || !command_run(command, config, &args, &err)) {
		log_error("program.failed", "kind", err_kind_name(err.kind),
		    "why", err.text, NULL);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
