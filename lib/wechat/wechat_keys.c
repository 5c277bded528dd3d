#include "wechat/wechat_keys.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/str.h"
#include "wire/sign3_key.h"

#define LOAD_GAP_MS 1000

struct key {
	struct cert_facts facts;	/* of a public key, its serial alone */
	struct sign3_public *public;
	unsigned users;			/* the list, and each who verifies */
};

struct wechat_keys {
	struct wechat_keys_config config;
	struct key *own;		/* the public key; NULL for none */

	pthread_mutex_t lock;		/* for the next two, and for users */
	struct key *certs[WECHAT_KEYS_MAX];
	size_t count;

	pthread_mutex_t load_lock;	/* for the next two, and while it loads */
	int64_t load_from_ms;		/* no load before */
	bool is_away;			/* the last one failed */

	_Atomic uint64_t counts[WECHAT_FLAWS];
};

static void
key_free(struct key *key)
{
	if (key == NULL)
		return;
	sign3_public_free(key->public);
	free(key);
}

/* The caller owns it; NULL if it is no key. */
static struct key *
key_new(const struct cert_facts *facts, const char *pem, size_t len,
    struct err *err)
{
	struct key *key = calloc(1, sizeof(*key));

	if (key == NULL) {
		err_set(err, ERR_BUG, "out of memory");
		return NULL;
	}
	key->facts = *facts;
	key->users = 1;
	if (!sign3_public_new(pem, len, &key->public, err)) {
		key_free(key);
		return NULL;
	}
	return key;
}

/* As OpenSSL has it, the last second is outside. */
static bool
facts_count(const struct cert_facts *facts, epoch_t now)
{
	return facts->not_before <= now && now < facts->not_after;
}

/* A public key's begins with "PUB_KEY_ID_". */
static bool
is_of_certificate(const char *serial)
{
	return str_is_of(serial, STR_DIGITS "ABCDEF", 1, CERT_SERIAL_SIZE - 1);
}

static bool
keys_open_own(struct wechat_keys *keys, struct err *err)
{
	const struct secret *pem = keys->config.pub_key;
	const char *id = keys->config.pub_key_id;
	struct cert_facts facts = { 0 };

	if ((pem == NULL) != (id == NULL))
		return err_set(err, ERR_INPUT,
		    "WeChat's public key and its id: one without the other");
	if (pem == NULL)
		return true;
	if (strstr(secret_bytes(pem), "BEGIN CERTIFICATE") != NULL)
		return err_set(err, ERR_INPUT,
		    "WeChat's public key: a certificate");
	if (!cert_serial_parse(id, facts.serial)
	    || is_of_certificate(facts.serial))
		return err_set(err, ERR_INPUT,
		    "id of WeChat's public key: no PUB_KEY_ID_…");
	keys->own = key_new(&facts, secret_bytes(pem), secret_len(pem), err);
	return keys->own != NULL || err_in(err, "WeChat's public key");
}

static bool
keys_open_ca(const struct wechat_keys *keys, struct err *err)
{
	const struct secret *ca = keys->config.platform_ca;
	struct cert_facts facts;

	return ca == NULL
	    || cert_read(secret_bytes(ca), secret_len(ca), &facts, err)
	    || err_in(err, "platform CA");
}

bool
wechat_keys_open(const struct wechat_keys_config *config,
    struct wechat_keys **out, struct err *err)
{
	struct wechat_keys *keys = calloc(1, sizeof(*keys));

	if (keys == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	(void)pthread_mutex_init(&keys->lock, NULL);
	(void)pthread_mutex_init(&keys->load_lock, NULL);
	keys->config = *config;
	if (!keys_open_own(keys, err) || !keys_open_ca(keys, err)) {
		wechat_keys_close(keys);
		return false;
	}
	*out = keys;
	return true;
}

bool
wechat_keys_scratch(const struct wechat_keys *keys, struct wechat_keys **out,
    struct err *err)
{
	struct wechat_keys_config config = keys->config;

	config.load = NULL;
	return wechat_keys_open(&config, out, err);
}

void
wechat_keys_close(struct wechat_keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->count; i++)
		key_free(keys->certs[i]);
	key_free(keys->own);
	(void)pthread_mutex_destroy(&keys->load_lock);
	(void)pthread_mutex_destroy(&keys->lock);
	free(keys);
}

/* Under the lock: NULL if it is not here. */
static struct key *
certs_find(const struct wechat_keys *keys, const char *serial)
{
	for (size_t i = 0; i < keys->count; i++)
		if (str_eq(keys->certs[i]->facts.serial, serial))
			return keys->certs[i];
	return NULL;
}

/* Under the lock: the place of the one that ends first. */
static struct key **
certs_first_to_end(struct wechat_keys *keys)
{
	struct key **first = &keys->certs[0];

	for (size_t i = 1; i < keys->count; i++)
		if (keys->certs[i]->facts.not_after
		    < (*first)->facts.not_after)
			first = &keys->certs[i];
	return first;
}

/* Under the lock: who reads last frees. */
static struct key *
key_leave(struct key *key)
{
	key->users--;
	return key->users == 0 ? key : NULL;
}

/* Put key into the list, and return the one that is in no use then: key
 * itself if it is here already, or ends before all others. */
static struct key *
certs_put(struct wechat_keys *keys, struct key *key)
{
	struct key **first = NULL;
	struct key *unused = key;

	(void)pthread_mutex_lock(&keys->lock);
	if (certs_find(keys, key->facts.serial) != NULL)
		goto out;
	if (keys->count < WECHAT_KEYS_MAX) {
		keys->certs[keys->count++] = key;
		unused = NULL;
		goto out;
	}
	first = certs_first_to_end(keys);
	if ((*first)->facts.not_after < key->facts.not_after) {
		unused = key_leave(*first);
		*first = key;
	}
out:
	(void)pthread_mutex_unlock(&keys->lock);
	return unused;
}

static bool
cert_judge(const struct wechat_keys *keys, const char *serial,
    const char *pem, size_t len, epoch_t now, struct cert_facts *out,
    struct err *err)
{
	const struct secret *ca = keys->config.platform_ca;
	char announced[CERT_SERIAL_SIZE];

	if (!cert_read(pem, len, out, err))
		return false;
	if (!cert_serial_parse(serial, announced)
	    || !str_eq(announced, out->serial))
		return err_set(err, ERR_INPUT,
		    "certificate: its serial is another");
	if (!facts_count(out, now))
		return err_set(err, ERR_AUTH, "certificate: not valid now");
	return ca == NULL || cert_chain_check(pem, len, secret_bytes(ca),
	    secret_len(ca), now, err);
}

bool
wechat_keys_add(struct wechat_keys *keys, const char *serial,
    const char *pem, size_t len, epoch_t now, struct err *err)
{
	struct cert_facts facts = { 0 };
	struct key *key = NULL;

	if (!cert_judge(keys, serial, pem, len, now, &facts, err))
		return false;
	key = key_new(&facts, pem, len, err);
	if (key == NULL)
		return false;
	key_free(certs_put(keys, key));
	return true;
}

const char *
wechat_flaw_name(enum wechat_flaw flaw)
{
	static const char *const names[WECHAT_FLAWS] = {
		[WECHAT_SOUND] = "sound",
		[WECHAT_FLAW_MISSING] = "missing",
		[WECHAT_FLAW_MALFORMED] = "malformed",
		[WECHAT_FLAW_TYPE] = "type",
		[WECHAT_FLAW_CLOCK] = "clock",
		[WECHAT_FLAW_PROBE] = "probe",
		[WECHAT_FLAW_SERIAL] = "serial",
		[WECHAT_FLAW_SIGNATURE] = "signature",
	};

	assert((unsigned)flaw < COUNT_OF(names));
	return names[flaw];
}

/* What is wrong before any key is asked; if nothing is, serial has its one
 * spelling. */
static enum wechat_flaw
headers_judge(const struct sign3_headers *headers, epoch_t now,
    char serial[static CERT_SERIAL_SIZE])
{
	static const enum wechat_flaw flaws[] = {
		[SIGN3_SOUND] = WECHAT_SOUND,
		[SIGN3_MISSING] = WECHAT_FLAW_MISSING,
		[SIGN3_MALFORMED] = WECHAT_FLAW_MALFORMED,
		[SIGN3_UNSUPPORTED] = WECHAT_FLAW_TYPE,
		[SIGN3_CLOCK] = WECHAT_FLAW_CLOCK,
		[SIGN3_PROBE] = WECHAT_FLAW_PROBE,
	};
	enum sign3_flaw flaw = sign3_headers_judge(headers, now);

	assert((unsigned)flaw < COUNT_OF(flaws));
	if (flaw == SIGN3_SOUND && !cert_serial_parse(headers->serial, serial))
		return WECHAT_FLAW_MALFORMED;
	return flaws[flaw];
}

/* NULL if no key of that serial counts now; else for key_return. */
static struct key *
key_borrow(struct wechat_keys *keys, const char *serial, epoch_t now)
{
	struct key *key = NULL;

	(void)pthread_mutex_lock(&keys->lock);
	if (is_of_certificate(serial)) {
		key = certs_find(keys, serial);
		if (key != NULL && !facts_count(&key->facts, now))
			key = NULL;
	} else if (keys->own != NULL
	    && str_eq(keys->own->facts.serial, serial)) {
		key = keys->own;
	}
	if (key != NULL)
		key->users++;
	(void)pthread_mutex_unlock(&keys->lock);
	return key;
}

static void
key_return(struct wechat_keys *keys, struct key *key)
{
	struct key *unused = NULL;

	(void)pthread_mutex_lock(&keys->lock);
	unused = key_leave(key);
	(void)pthread_mutex_unlock(&keys->lock);
	key_free(unused);
}

/* Whoever comes while another loads waits for what that one finds, and does
 * not load again.  What fails is told in why alone. */
static void
keys_load(struct wechat_keys *keys, struct err *why)
{
	(void)pthread_mutex_lock(&keys->load_lock);
	if (clock_monotonic_ms() >= keys->load_from_ms) {
		keys->is_away = !keys->config.load(keys->config.arg, keys, why)
		    && why->kind == ERR_STORE;
		keys->load_from_ms = clock_monotonic_ms() + LOAD_GAP_MS;
	} else if (keys->is_away) {
		err_set(why, ERR_STORE, "not to be had a moment ago");
	}
	(void)pthread_mutex_unlock(&keys->load_lock);
}

static struct key *
key_find(struct wechat_keys *keys, const char *serial, epoch_t now,
    struct err *why)
{
	struct key *key = key_borrow(keys, serial, now);

	if (key != NULL || keys->config.load == NULL
	    || !is_of_certificate(serial))
		return key;
	keys_load(keys, why);
	return key_borrow(keys, serial, now);
}

static bool
keys_count(struct wechat_keys *keys, enum wechat_flaw flaw,
    enum wechat_flaw *out)
{
	atomic_fetch_add_explicit(&keys->counts[flaw], 1,
	    memory_order_relaxed);
	if (out != NULL)
		*out = flaw;
	return flaw == WECHAT_SOUND;
}

/* Returns false. */
static bool
keys_refuse(struct wechat_keys *keys, enum wechat_flaw flaw, const char *why,
    enum wechat_flaw *out, struct err *err)
{
	err_set(err, ERR_AUTH, "WeChat's signature: %s%s%s",
	    wechat_flaw_name(flaw), why[0] == '\0' ? "" : ", ", why);
	return keys_count(keys, flaw, out);
}

static bool
signature_verify(struct wechat_keys *keys, const struct key *key,
    const struct sign3_headers *headers, const char *body, size_t body_len,
    epoch_t now, enum wechat_flaw *flaw, struct err *err)
{
	struct err why = { 0 };

	if (sign3_verify(key->public, headers, body, body_len, now, &why))
		return keys_count(keys, WECHAT_SOUND, flaw);
	if (why.kind == ERR_AUTH)
		return keys_refuse(keys, WECHAT_FLAW_SIGNATURE, "", flaw, err);
	/* Nobody knows what it is: no flaw to count, and not sound. */
	if (flaw != NULL)
		*flaw = WECHAT_FLAW_SIGNATURE;
	return err_set(err, why.kind, "%s", why.text);
}

bool
wechat_keys_verify(struct wechat_keys *keys,
    const struct sign3_headers *headers, const char *body, size_t body_len,
    epoch_t now, char serial[static CERT_SERIAL_SIZE],
    enum wechat_flaw *flaw, struct err *err)
{
	char named[CERT_SERIAL_SIZE] = "";
	enum wechat_flaw found = headers_judge(headers, now, named);
	struct err why = { 0 };
	struct key *key = NULL;
	bool ok = false;

	if (found != WECHAT_SOUND)
		return keys_refuse(keys, found, "", flaw, err);
	key = key_find(keys, named, now, &why);
	/* our own trouble: nobody knows whether it is a flaw */
	if (key == NULL && why.kind == ERR_STORE) {
		if (flaw != NULL)
			*flaw = WECHAT_FLAW_SERIAL;
		return err_set(err, ERR_STORE, "WeChat's keys: %s", why.text);
	}
	if (key == NULL)
		return keys_refuse(keys, WECHAT_FLAW_SERIAL, why.text, flaw,
		    err);
	ok = signature_verify(keys, key, headers, body, body_len, now, flaw,
	    err);
	key_return(keys, key);
	if (ok)
		memcpy(serial, named, sizeof(named));
	return ok;
}

void
wechat_keys_counts(const struct wechat_keys *keys,
    uint64_t out[static WECHAT_FLAWS])
{
	for (size_t i = 0; i < WECHAT_FLAWS; i++)
		out[i] = atomic_load_explicit(&keys->counts[i],
		    memory_order_relaxed);
}

bool
wechat_keys_is_merchants(const struct wechat_keys *keys,
    const struct sign3_key *key)
{
	static const char probe[] = "whose key is it";
	unsigned char signature[SIGN3_KEY_BYTES];
	struct err err = { 0 };

	return keys->own != NULL
	    && sign3_key_sign(key, probe, sizeof(probe), signature, &err)
	    && sign3_public_verify(keys->own->public, probe, sizeof(probe),
	    signature, sizeof(signature), &err);
}

const char *
wechat_keys_wanted(const struct wechat_keys *keys)
{
	return keys->own == NULL ? NULL : keys->own->facts.serial;
}
