#include "flow/flow_keys.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "store/store_keys.h"

#define LOAD_MS 1500		/* a notice waits for it, and has 4 s in all */
#define SEEN_MAX 8		/* serials remembered */
#define SEEN_MS 60000		/* until one is written again */

struct seen {
	char serial[CERT_SERIAL_SIZE];
	int64_t until_ms;	/* written; again after this */
};

struct flow_keys {
	struct store *store;		/* borrowed */
	struct wechat_keys *keys;
	pthread_mutex_t lock;		/* for what follows */
	struct seen seen[SEEN_MAX];
	size_t next;			/* the one to forget */
};

/* One that cannot be used is left out: the others may be what is needed. */
static bool
keys_add(void *arg, const char *serial, const char *pem, struct err *err)
{
	struct wechat_keys *keys = arg;
	struct err why = { 0 };

	(void)err;
	if (!wechat_keys_add(keys, serial, pem, strlen(pem), clock_now(),
	    &why))
		log_error("wechat.key_refused", "serial", serial, "why",
		    why.text, NULL);
	return true;
}

static bool
keys_load(void *arg, struct wechat_keys *keys, struct err *err)
{
	struct store *store = arg;

	return store_keys_list(store, keys_add, keys,
	    clock_monotonic_ms() + LOAD_MS, err);
}

bool
flow_keys_open(const struct settings *settings, struct store *store,
    struct flow_keys **out, struct err *err)
{
	struct wechat_keys_config config = {
		.pub_key = settings->wechat_pub_key,
		.pub_key_id = settings->wechat_pub_key_id,
		.platform_ca = settings->platform_ca,
		.load = keys_load,
		.arg = store,
	};
	struct flow_keys *keys;

	*out = NULL;
	if (!settings->has_v3)
		return true;
	keys = calloc(1, sizeof(*keys));
	if (keys == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	(void)pthread_mutex_init(&keys->lock, NULL);
	keys->store = store;
	if (!wechat_keys_open(&config, &keys->keys, err)) {
		flow_keys_close(keys);
		return false;
	}
	*out = keys;
	return true;
}

void
flow_keys_close(struct flow_keys *keys)
{
	if (keys == NULL)
		return;
	wechat_keys_close(keys->keys);
	(void)pthread_mutex_destroy(&keys->lock);
	free(keys);
}

struct wechat_keys *
flow_keys_get(const struct flow_keys *keys)
{
	return keys == NULL ? NULL : keys->keys;
}

/* True for whoever is to write it: one thread a minute. */
static bool
seen_is_news(struct flow_keys *keys, const char *serial)
{
	int64_t now_ms = clock_monotonic_ms();
	size_t i = 0;
	bool is_news;

	(void)pthread_mutex_lock(&keys->lock);
	while (i < SEEN_MAX && !str_eq(keys->seen[i].serial, serial))
		i++;
	is_news = i == SEEN_MAX || keys->seen[i].until_ms <= now_ms;
	if (i == SEEN_MAX) {
		i = keys->next;
		keys->next = (i + 1) % SEEN_MAX;
		is_news = str_copy(keys->seen[i].serial,
		    sizeof(keys->seen[i].serial), serial);
	}
	if (is_news)
		keys->seen[i].until_ms = now_ms + SEEN_MS;
	(void)pthread_mutex_unlock(&keys->lock);
	return is_news;
}

void
flow_keys_seen(struct flow_keys *keys, const char *serial, const char *via,
    int64_t deadline)
{
	struct err err = { 0 };

	if (keys == NULL || serial[0] == '\0' || !seen_is_news(keys, serial))
		return;
	if (!store_key_seen(keys->store, serial, via, deadline, &err))
		log_warn("wechat.key_use_not_kept", "serial", serial, "why",
		    err.text, NULL);
}

void
flow_keys_want(struct flow_keys *keys, int64_t deadline)
{
	struct err err = { 0 };

	if (keys != NULL && !store_keys_wanted(keys->store, deadline, &err))
		log_warn("wechat.keys_not_asked_for", "why", err.text, NULL);
}
