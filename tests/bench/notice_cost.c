/*
 * notice_cost: what believing one V3 notice costs, and what of it.
 *
 *	notice_cost MCHID PUB_KEY PUB_KEY_ID APIV3_KEY <NOTICE
 *
 * PUB_KEY and APIV3_KEY are files.  NOTICE is a line of notices3.mjs.  Prints
 * microseconds of one thread, the fastest of some rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "wechat/wechat_notice.h"
#include "wire/jsonread.h"
#include "wire/seal3.h"

#define ROUNDS 20
#define EACH 200

struct bench {
	struct wechat_notice_keys keys;
	struct sign3_headers headers;
	const char *body;
	size_t len;
	epoch_t now;
};

static bool
do_verify(const struct bench *bench, struct err *err)
{
	char serial[CERT_SERIAL_SIZE];

	return wechat_keys_verify(bench->keys.keys, &bench->headers,
	    bench->body, bench->len, bench->now, serial, NULL, err);
}

static bool
do_parse(const struct bench *bench, struct err *err)
{
	struct jsonread *json = NULL;
	bool ok = jsonread_new(bench->body, bench->len, &json, err);

	jsonread_free(json);
	return ok;
}

/* With the envelope's parsing, for it says what is sealed. */
static bool
do_open(const struct bench *bench, struct err *err)
{
	struct seal3_sealed sealed = { 0 };
	struct jsonread *json = NULL;
	struct buf plain;
	bool ok;

	buf_init(&plain, JSONREAD_MAX);
	ok = jsonread_new(bench->body, bench->len, &json, err)
	    && jsonread_text(json, "resource.algorithm", &sealed.algorithm, err)
	    && jsonread_text(json, "resource.nonce", &sealed.nonce, err)
	    && jsonread_text(json, "resource.associated_data",
	    &sealed.associated_data, err)
	    && jsonread_text(json, "resource.ciphertext", &sealed.ciphertext,
	    err)
	    && seal3_open(&sealed, bench->keys.apiv3_key, &plain, err);
	buf_clear(&plain);
	jsonread_free(json);
	return ok;
}

static bool
do_all(const struct bench *bench, struct err *err)
{
	struct notice notice;

	return wechat_notice_v3(&bench->keys, &bench->headers, bench->body,
	    bench->len, bench->now, &notice, err);
}

static double
now_us(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

/* Microseconds of one, the fastest of all rounds; negative if it failed. */
static double
cost(bool (*what)(const struct bench *bench, struct err *err),
    const struct bench *bench, struct err *err)
{
	double best = -1;

	for (int round = 0; round < ROUNDS; round++) {
		double began = now_us(), took;

		for (int i = 0; i < EACH; i++)
			if (!what(bench, err))
				return -1;
		took = (now_us() - began) / EACH;
		if (best < 0 || took < best)
			best = took;
	}
	return best;
}

static bool
run(const struct bench *bench, struct err *err)
{
	double verify = cost(do_verify, bench, err);
	double parse = cost(do_parse, bench, err);
	double open = cost(do_open, bench, err);
	double all = cost(do_all, bench, err);

	if (verify < 0 || parse < 0 || open < 0 || all < 0)
		return false;
	printf("of one V3 notice in notify, one thread:\n"
	    "  verify (RSA-2048)  %7.1f us\n"
	    "  decrypt (GCM)      %7.1f us\n"
	    "  JSON and judging   %7.1f us\n", verify, open - parse,
	    all - verify - (open - parse));
	return true;
}

/* timestamp TAB nonce TAB signature TAB serial TAB body */
static bool
read_notice(char *line, struct bench *bench)
{
	const char **parts[] = {
		&bench->headers.timestamp, &bench->headers.nonce,
		&bench->headers.signature, &bench->headers.serial,
		&bench->body,
	};

	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		char *tab = strchr(line, '\t');

		*parts[i] = line;
		if (i + 1 == COUNT_OF(parts))
			break;
		if (tab == NULL)
			return false;
		*tab = '\0';
		line = tab + 1;
	}
	bench->len = strlen(bench->body);
	return true;
}

int
main(int argc, char *argv[])
{
	static char line[JSONREAD_MAX];
	struct secret *pub_key = NULL, *apiv3_key = NULL;
	struct wechat_keys_config config = { 0 };
	struct bench bench = { .now = clock_now() };
	struct err err = { 0 };
	bool ok;

	if (argc != 5 || fgets(line, sizeof(line), stdin) == NULL
	    || !read_notice(line, &bench)) {
		fputs("usage: notice_cost MCHID PUB_KEY PUB_KEY_ID APIV3_KEY "
		    "<NOTICE\n", stderr);
		return 2;
	}
	jsonread_start();
	ok = secret_read(argv[2], &pub_key, &err)
	    && secret_read(argv[4], &apiv3_key, &err);
	config.pub_key = pub_key;
	config.pub_key_id = argv[3];
	bench.keys.mchid = argv[1];
	bench.keys.apiv3_key = apiv3_key;
	ok = ok && wechat_keys_open(&config, &bench.keys.keys, &err)
	    && run(&bench, &err);
	if (!ok)
		fprintf(stderr, "notice_cost: %s\n", err.text);
	wechat_keys_close(bench.keys.keys);
	secret_free(apiv3_key);
	secret_free(pub_key);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
