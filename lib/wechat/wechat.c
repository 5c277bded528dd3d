#include "wechat/wechat.h"

#include <assert.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/str.h"
#include "wechat/wechat_answer.h"
#include "wechat/wechat_http.h"
#include "wechat/wechat_v2.h"
#include "wechat/wechat_v3.h"
#include "wechat/wechat_v3_certs.h"
#include "wire/cert.h"
#include "wire/jsonread.h"
#include "wire/seal3.h"
#include "wire/sign3_key.h"
#include "wire/xmlmsg.h"

#define API_KEY_LEN 32		/* [v2.md 3.1] */
#define MISSES_MAX 2		/* misses running that a good host may have */
#define BACKUP_MS (3 * 60 * 1000)	/* [v2.md 1.4] */

struct wechat {
	/* configured, and const from then on */
	char mchid[MCHID_MAX + 1];
	char url[WECHAT_URL_MAX + 1];
	char url_backup[WECHAT_URL_MAX + 1];	/* "" for none */
	char public_url[WECHAT_URL_MAX + 1];
	char *ca;
	struct secret *api_key, *apiv3_key;
	struct secret *cert, *key;
	char serial[CERT_SERIAL_SIZE];	/* of cert */
	struct sign3_key *sign_key;	/* the same as key */
	long connect_ms, total_ms;
	struct wechat_v2 v2;	/* without api_key: no V2 */
	struct wechat_v3 v3;	/* without keys: no V3 */
	struct wechat_http *http;
	/* what we remember of the first host */
	pthread_mutex_t lock;
	int misses;		/* running */
	int64_t backup_until_ms;	/* 0: the first host is first */
};

void
wechat_start(void)
{
	xmlmsg_start();
	jsonread_start();
	wechat_http_start();
}

static bool
wechat_secret_copy(const struct secret *from, struct secret **out,
    struct err *err)
{
	return from == NULL || secret_new(secret_bytes(from),
	    secret_len(from), out, err);
}

static bool
wechat_config_check(const struct wechat_config *config, struct err *err)
{
	if (config->api_key != NULL
	    && secret_len(config->api_key) != API_KEY_LEN)
		return err_set(err, ERR_INPUT, "API key: not %d bytes",
		    API_KEY_LEN);
	if ((config->merchant_cert == NULL) != (config->merchant_key == NULL))
		return err_set(err, ERR_INPUT,
		    "merchant certificate and key: one without the other");
	if (config->keys != NULL && config->merchant_cert == NULL)
		return err_set(err, ERR_INPUT,
		    "V3: no merchant certificate and key");
	if (config->connect_ms <= 0 || config->total_ms <= 0)
		return err_set(err, ERR_INPUT, "time-out: not above zero");
	return (config->apiv3_key == NULL
		|| seal3_key_check(config->apiv3_key, err))
	    && (config->ca == NULL || cert_file_check(config->ca, err))
	    && (config->merchant_cert == NULL
		|| cert_pair_check(config->merchant_cert,
		    config->merchant_key, clock_now(), err));
}

static bool
wechat_config_copy(struct wechat *wechat, const struct wechat_config *config,
    struct err *err)
{
	if (!str_is_of(config->mchid, STR_DIGITS, 1, MCHID_MAX)
	    || !str_copy(wechat->mchid, sizeof(wechat->mchid), config->mchid))
		return err_set(err, ERR_INPUT, "mchid: not 1 to %d digits",
		    MCHID_MAX);
	if (!wechat_http_url_copy(wechat->url, sizeof(wechat->url),
	    "WeChat's URL", config->url, err)
	    || (config->url_backup != NULL
		&& !wechat_http_url_copy(wechat->url_backup,
		    sizeof(wechat->url_backup), "WeChat's second URL",
		    config->url_backup, err))
	    || !wechat_http_url_copy(wechat->public_url,
		sizeof(wechat->public_url), "public URL", config->public_url,
		err)
	    || !wechat_secret_copy(config->api_key, &wechat->api_key, err)
	    || !wechat_secret_copy(config->apiv3_key, &wechat->apiv3_key, err)
	    || !wechat_secret_copy(config->merchant_cert, &wechat->cert, err)
	    || !wechat_secret_copy(config->merchant_key, &wechat->key, err))
		return false;
	if (config->ca != NULL) {
		wechat->ca = strdup(config->ca);
		if (wechat->ca == NULL)
			return err_set(err, ERR_BUG, "out of memory");
	}
	wechat->connect_ms = config->connect_ms;
	wechat->total_ms = config->total_ms;
	return true;
}

/* V3 signs with the merchant's key, in the name of its certificate. */
static bool
wechat_equip_v3(struct wechat *wechat, struct wechat_keys *keys,
    struct err *err)
{
	struct cert_facts facts;

	if (keys == NULL)
		return true;
	if (!cert_read(secret_bytes(wechat->cert), secret_len(wechat->cert),
	    &facts, err)
	    || !sign3_key_new(wechat->key, &wechat->sign_key, err))
		return false;
	if (wechat_keys_is_merchants(keys, wechat->sign_key))
		return err_set(err, ERR_INPUT,
		    "WeChat's public key is the merchant's own");
	memcpy(wechat->serial, facts.serial, sizeof(wechat->serial));
	wechat->v3 = (struct wechat_v3){
		.mchid = wechat->mchid,
		.serial = wechat->serial,
		.key = wechat->sign_key,
		.keys = keys,
		.public_url = wechat->public_url,
	};
	return true;
}

static bool
wechat_equip(struct wechat *wechat, const struct wechat_config *config,
    struct err *err)
{
	struct wechat_http_config http = {
		.may_be_private = config->may_be_private,
		.ca = wechat->ca,
		.cert = wechat->cert,
		.key = wechat->key,
	};

	wechat->v2 = (struct wechat_v2){
		.mchid = wechat->mchid,
		.sign_type = config->sign_type,
		.api_key = wechat->api_key,
		.public_url = wechat->public_url,
	};
	return wechat_equip_v3(wechat, config->keys, err)
	    && wechat_http_new(&http, &wechat->http, err);
}

bool
wechat_open(const struct wechat_config *config, struct wechat **out,
    struct err *err)
{
	struct wechat *wechat = calloc(1, sizeof(*wechat));

	if (wechat == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	(void)pthread_mutex_init(&wechat->lock, NULL);
	if (!wechat_config_check(config, err)
	    || !wechat_config_copy(wechat, config, err)
	    || !wechat_equip(wechat, config, err)) {
		wechat_close(wechat);
		return false;
	}
	*out = wechat;
	return true;
}

void
wechat_close(struct wechat *wechat)
{
	if (wechat == NULL)
		return;
	wechat_http_free(wechat->http);
	sign3_key_free(wechat->sign_key);
	secret_free(wechat->key);
	secret_free(wechat->cert);
	secret_free(wechat->apiv3_key);
	secret_free(wechat->api_key);
	free(wechat->ca);
	(void)pthread_mutex_destroy(&wechat->lock);
	free(wechat);
}

const char *
wechat_verdict_name(enum wechat_verdict verdict)
{
	static const char *const names[WECHAT_VERDICTS] = {
		[WECHAT_UNSURE] = "unsure",
		[WECHAT_DONE] = "done",
		[WECHAT_NOT_SENT] = "not_sent",
		[WECHAT_AGAIN] = "again",
		[WECHAT_MISSING] = "missing",
		[WECHAT_PAID] = "paid",
		[WECHAT_CLOSED] = "closed",
		[WECHAT_NO_MONEY] = "no_money",
		[WECHAT_REFUSED] = "refused",
		[WECHAT_DENIED] = "denied",
	};

	assert(verdict < WECHAT_VERDICTS);
	return names[verdict];
}

/* [v2.md 1.4, v3.md 2] A first host that was out of reach, late or in trouble
 * three times running comes second for three minutes, and then begins anew. */
static bool
wechat_backup_is_first(struct wechat *wechat, int64_t now_ms)
{
	bool is_first;

	(void)pthread_mutex_lock(&wechat->lock);
	if (wechat->backup_until_ms != 0
	    && now_ms >= wechat->backup_until_ms) {
		wechat->backup_until_ms = 0;
		wechat->misses = 0;
	}
	is_first = wechat->backup_until_ms != 0;
	(void)pthread_mutex_unlock(&wechat->lock);
	return is_first;
}

static void
wechat_remember(struct wechat *wechat, bool was_well, int64_t now_ms)
{
	(void)pthread_mutex_lock(&wechat->lock);
	if (was_well) {
		wechat->misses = 0;
		wechat->backup_until_ms = 0;
	} else if (++wechat->misses > MISSES_MAX
	    && wechat->backup_until_ms == 0) {
		wechat->backup_until_ms = now_ms + BACKUP_MS;
	}
	(void)pthread_mutex_unlock(&wechat->lock);
}

/* Only what cannot have arrived anywhere goes to a second host. */
static void
wechat_send_to(struct wechat *wechat, const char *const hosts[], size_t count,
    const char *target, const struct wechat_http_request *request,
    struct wechat_http_reply *reply)
{
	struct wechat_http_request sent = *request;
	char url[WECHAT_URL_MAX + WECHAT_V3_TARGET_MAX + 1];
	int len;
	size_t i;

	for (i = 0; i < count; i++) {
		len = snprintf(url, sizeof(url), "%s%s", hosts[i], target);
		assert(len > 0 && (size_t)len < sizeof(url));
		sent.url = url;
		buf_clear(&reply->body);
		wechat_http_send(wechat->http, &sent, reply);
		if (hosts[i] == wechat->url)
			wechat_remember(wechat, reply->code[0] == '\0'
			    && reply->status < 500, clock_monotonic_ms());
		if (reply->sent)
			return;
	}
}

static void
wechat_send(struct wechat *wechat, const char *target,
    struct wechat_http_request *request, struct wechat_http_reply *reply)
{
	int64_t now_ms = clock_monotonic_ms();
	const char *hosts[2] = { wechat->url, wechat->url_backup };
	size_t count = wechat->url_backup[0] != '\0' ? 2 : 1;

	request->connect_ms = wechat->connect_ms;
	request->deadline_ms = now_ms + wechat->total_ms;
	if (count == 2 && wechat_backup_is_first(wechat, now_ms)) {
		hosts[0] = wechat->url_backup;
		hosts[1] = wechat->url;
	}
	wechat_send_to(wechat, hosts, count, target, request, reply);
}

/* What a call is about, and what it is to fill. */
struct topic {
	const struct payment *payment;
	const struct payment_key *key;
	const struct refund *refund;
	const char *auth_code;
	struct payment_prepay *prepay;
	struct payment_facts *paid;
	struct refund_facts *refunded;
	char *refund_id;
	struct wechat_certificate *list;
	size_t *count;
};

static bool
topic_format_v2(const struct wechat_v2 *v2, enum wechat_call call,
    const struct topic *topic, const char *nonce, struct buf *out,
    struct err *err)
{
	switch (call) {
	case WECHAT_CALL_PREPAY:
		return wechat_v2_prepay_format(v2, topic->payment, nonce, out,
		    err);
	case WECHAT_CALL_QUERY:
		return wechat_v2_query_format(v2, topic->key, nonce, out, err);
	case WECHAT_CALL_CLOSE:
		return wechat_v2_close_format(v2, &topic->key->payee,
		    topic->key->out_trade_no, nonce, out, err);
	case WECHAT_CALL_REFUND:
		return wechat_v2_refund_format(v2, topic->refund, nonce, out,
		    err);
	case WECHAT_CALL_QUERY_REFUND:
		return wechat_v2_query_refund_format(v2, &topic->refund->payee,
		    topic->refund->out_refund_no, nonce, out, err);
	case WECHAT_CALL_MICROPAY:
		return wechat_v2_micropay_format(v2, topic->payment,
		    topic->auth_code, nonce, out, err);
	case WECHAT_CALL_REVERSE:
		return wechat_v2_reverse_format(v2, &topic->key->payee,
		    topic->key->out_trade_no, nonce, out, err);
	case WECHAT_CALL_CERTIFICATES:
		break;
	}
	return err_set(err, ERR_BUG, "V2 has no such call");
}

static void
topic_judge_v2(const struct wechat_v2 *v2, enum wechat_call call,
    const struct topic *topic, const struct wechat_http_reply *reply,
    struct wechat_answer *answer)
{
	switch (call) {
	case WECHAT_CALL_PREPAY:
		wechat_v2_prepay_judge(v2, topic->payment, reply,
		    topic->prepay, answer);
		break;
	case WECHAT_CALL_QUERY:
		wechat_v2_query_judge(v2, topic->key, reply, topic->paid,
		    answer);
		break;
	case WECHAT_CALL_CLOSE:
		wechat_v2_close_judge(v2, &topic->key->payee, reply, answer);
		break;
	case WECHAT_CALL_REFUND:
		wechat_v2_refund_judge(v2, topic->refund, reply,
		    topic->refund_id, answer);
		break;
	case WECHAT_CALL_QUERY_REFUND:
		wechat_v2_query_refund_judge(v2, &topic->refund->payee,
		    topic->refund->out_refund_no, reply, topic->refunded,
		    answer);
		break;
	case WECHAT_CALL_MICROPAY:
		wechat_v2_micropay_judge(v2, topic->payment, reply,
		    topic->paid, answer);
		break;
	case WECHAT_CALL_REVERSE:
		wechat_v2_reverse_judge(v2, &topic->key->payee, reply, answer);
		break;
	case WECHAT_CALL_CERTIFICATES:
		break;		/* never sent */
	}
}

static bool
topic_format_v3(const struct wechat_v3 *v3, enum wechat_call call,
    const struct topic *topic, struct wechat_v3_request *out,
    struct err *err)
{
	switch (call) {
	case WECHAT_CALL_PREPAY:
		return wechat_v3_prepay_format(v3, topic->payment, out, err);
	case WECHAT_CALL_QUERY:
		return wechat_v3_query_format(v3, topic->key, out, err);
	case WECHAT_CALL_CLOSE:
		return wechat_v3_close_format(v3, &topic->key->payee,
		    topic->key->out_trade_no, out, err);
	case WECHAT_CALL_REFUND:
		return wechat_v3_refund_format(v3, topic->refund, out, err);
	case WECHAT_CALL_QUERY_REFUND:
		return wechat_v3_query_refund_format(&topic->refund->payee,
		    topic->refund->out_refund_no, out, err);
	case WECHAT_CALL_CERTIFICATES:
		return wechat_v3_certificates_format(out, err);
	case WECHAT_CALL_MICROPAY:
	case WECHAT_CALL_REVERSE:
		break;
	}
	return err_set(err, ERR_BUG, "V3 has no such call");
}

static void
topic_judge_v3(const struct wechat *wechat, enum wechat_call call,
    const struct topic *topic, const struct wechat_http_reply *reply,
    struct wechat_answer *answer)
{
	const struct wechat_v3 *v3 = &wechat->v3;
	epoch_t now = clock_now();

	switch (call) {
	case WECHAT_CALL_PREPAY:
		wechat_v3_prepay_judge(v3, topic->payment, reply, now,
		    topic->prepay, answer);
		break;
	case WECHAT_CALL_QUERY:
		wechat_v3_query_judge(v3, topic->key, reply, now, topic->paid,
		    answer);
		break;
	case WECHAT_CALL_CLOSE:
		wechat_v3_close_judge(v3, reply, now, answer);
		break;
	case WECHAT_CALL_REFUND:
		wechat_v3_refund_judge(v3, topic->refund, reply, now,
		    topic->refund_id, answer);
		break;
	case WECHAT_CALL_QUERY_REFUND:
		wechat_v3_query_refund_judge(v3, &topic->refund->payee,
		    topic->refund->out_refund_no, reply, now, topic->refunded,
		    answer);
		break;
	case WECHAT_CALL_CERTIFICATES:
		wechat_v3_certs_judge(v3->keys, wechat->apiv3_key, reply, now,
		    topic->list, topic->count, answer);
		break;
	case WECHAT_CALL_MICROPAY:
	case WECHAT_CALL_REVERSE:
		break;		/* never sent */
	}
}

/* For what fails on this side: nothing left, and somebody must look. */
static void
wechat_fail(const char *code, const char *text, struct wechat_answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	(void)wechat_answer_end(answer, WECHAT_NOT_SENT, code, text, true);
}

static void
wechat_call_v2(struct wechat *wechat, enum wechat_call call,
    const struct topic *topic, const char *nonce,
    struct wechat_answer *answer)
{
	static const char *const targets[] = {
		[WECHAT_CALL_PREPAY] = WECHAT_V2_PREPAY,
		[WECHAT_CALL_QUERY] = WECHAT_V2_QUERY,
		[WECHAT_CALL_CLOSE] = WECHAT_V2_CLOSE,
		[WECHAT_CALL_REFUND] = WECHAT_V2_REFUND,
		[WECHAT_CALL_QUERY_REFUND] = WECHAT_V2_QUERY_REFUND,
		[WECHAT_CALL_MICROPAY] = WECHAT_V2_MICROPAY,
		[WECHAT_CALL_REVERSE] = WECHAT_V2_REVERSE,
	};
	static const char *const headers[] = {
		"Content-Type: text/xml; charset=utf-8", NULL
	};
	struct wechat_http_request request = {
		.method = "POST", .headers = headers,
		.with_cert = call == WECHAT_CALL_REFUND
		    || call == WECHAT_CALL_REVERSE,
	};
	struct wechat_http_reply reply = { 0 };
	struct err err = { 0 };
	struct buf message;

	buf_init(&message, XMLMSG_MAX);
	if (request.with_cert && wechat->cert == NULL) {
		wechat_fail("OWN_CERT", "no merchant certificate configured",
		    answer);
		goto out;
	}
	if (!topic_format_v2(&wechat->v2, call, topic, nonce, &message,
	    &err)) {
		wechat_fail("BUG", err.text, answer);
		goto out;
	}
	request.body = buf_get(&message);
	request.body_len = message.len;
	wechat_send(wechat, targets[call], &request, &reply);
	topic_judge_v2(&wechat->v2, call, topic, &reply, answer);
out:
	buf_clear(&reply.body);
	buf_clear(&message);
}

static void
wechat_call_v3(struct wechat *wechat, enum wechat_call call,
    const struct topic *topic, const char *nonce,
    struct wechat_answer *answer)
{
	struct wechat_http_request request = { 0 };
	struct wechat_http_reply reply = { 0 };
	struct wechat_v3_request message;
	struct err err = { 0 };

	wechat_v3_request_init(&message);
	if (!topic_format_v3(&wechat->v3, call, topic, &message, &err)
	    || !wechat_v3_request_sign(&wechat->v3, nonce, clock_now(),
	    &message, &err)) {
		wechat_fail("BUG", err.text, answer);
		goto out;
	}
	request.method = message.method;
	request.headers = message.headers;
	request.body = buf_get(&message.body);
	request.body_len = message.body.len;
	wechat_send(wechat, buf_get(&message.target), &request, &reply);
	topic_judge_v3(wechat, call, topic, &reply, answer);
out:
	buf_clear(&reply.body);
	wechat_v3_request_clear(&message);
}

static void
wechat_call(struct wechat *wechat, enum payment_api api,
    enum wechat_call call, const struct topic *topic, const char *nonce,
    struct wechat_answer *answer)
{
	if (api == PAYMENT_V3 && wechat->v3.keys == NULL)
		wechat_fail("NO_V3_KEY", "V3 is not configured", answer);
	else if (api == PAYMENT_V3)
		wechat_call_v3(wechat, call, topic, nonce, answer);
	else if (wechat->v2.api_key == NULL)
		wechat_fail("NO_V2_KEY", "V2 is not configured", answer);
	else
		wechat_call_v2(wechat, call, topic, nonce, answer);
}

void
wechat_prepay(struct wechat *wechat, const struct payment *payment,
    const char *nonce, struct payment_prepay *prepay,
    struct wechat_answer *answer)
{
	wechat_call(wechat, payment->api, WECHAT_CALL_PREPAY,
	    &(struct topic){ .payment = payment, .prepay = prepay }, nonce,
	    answer);
}

void
wechat_query(struct wechat *wechat, const struct payment_key *key,
    const char *nonce, struct payment_facts *facts,
    struct wechat_answer *answer)
{
	wechat_call(wechat, key->api, WECHAT_CALL_QUERY,
	    &(struct topic){ .key = key, .paid = facts }, nonce, answer);
}

void
wechat_close_payment(struct wechat *wechat, const struct payment_key *key,
    const char *nonce, struct wechat_answer *answer)
{
	wechat_call(wechat, key->api, WECHAT_CALL_CLOSE,
	    &(struct topic){ .key = key }, nonce, answer);
}

void
wechat_refund(struct wechat *wechat, const struct refund *refund,
    const char *nonce, char refund_id[static REFUND_ID_MAX + 1],
    struct wechat_answer *answer)
{
	wechat_call(wechat, refund->api, WECHAT_CALL_REFUND,
	    &(struct topic){ .refund = refund, .refund_id = refund_id },
	    nonce, answer);
}

/* Whose money it is: a refund of the same number that belongs to another
 * payment, or to another total, is not the one that was asked about. */
static void
refunded_must_echo(const struct refund *refund,
    struct refund_facts *facts, struct wechat_answer *answer)
{
	if (answer->verdict != WECHAT_DONE
	    || ((refund->transaction_id[0] == '\0'
		|| str_eq(facts->transaction_id, refund->transaction_id))
	    && (refund->total_fen == 0
		|| facts->total_fen == refund->total_fen)))
		return;
	memset(facts, 0, sizeof(*facts));
	wechat_answer_doubt(answer, "MISMATCH",
	    "refund of another transaction_id or total");
}

void
wechat_query_refund(struct wechat *wechat, const struct refund *refund,
    const char *nonce, struct refund_facts *facts,
    struct wechat_answer *answer)
{
	wechat_call(wechat, refund->api, WECHAT_CALL_QUERY_REFUND,
	    &(struct topic){ .refund = refund, .refunded = facts }, nonce,
	    answer);
	refunded_must_echo(refund, facts, answer);
}

void
wechat_micropay(struct wechat *wechat, const struct payment *payment,
    const char *auth_code, const char *nonce, struct payment_facts *facts,
    struct wechat_answer *answer)
{
	wechat_call(wechat, payment->api, WECHAT_CALL_MICROPAY,
	    &(struct topic){ .payment = payment, .auth_code = auth_code,
	    .paid = facts }, nonce, answer);
}

void
wechat_reverse(struct wechat *wechat, const struct payment_key *key,
    const char *nonce, struct wechat_answer *answer)
{
	wechat_call(wechat, key->api, WECHAT_CALL_REVERSE,
	    &(struct topic){ .key = key }, nonce, answer);
}

void
wechat_certificates(struct wechat *wechat, const char *nonce,
    struct wechat_certificate list[static WECHAT_KEYS_MAX], size_t *count,
    struct wechat_answer *answer)
{
	*count = 0;
	if (wechat->apiv3_key == NULL) {
		wechat_fail("NO_V3_KEY", "no APIv3 key configured", answer);
		return;
	}
	wechat_call(wechat, PAYMENT_V3, WECHAT_CALL_CERTIFICATES,
	    &(struct topic){ .list = list, .count = count }, nonce, answer);
}

/* What the payer's client runs under, and invokes WeChat with. [v3.md 9] */
static const char *
invocation_appid(const struct payment_payee *payee)
{
	return payee->sub_appid[0] != '\0' ? payee->sub_appid : payee->appid;
}

/* Before something is signed for a front end: its nonce. */
static bool
invocation_begin(const struct wechat *wechat, const struct payment_key *key,
    char nonce[static NONCE_SIZE], struct err *err)
{
	if (key->api == PAYMENT_V3 ? wechat->v3.keys == NULL
	    : wechat->v2.api_key == NULL)
		return err_set(err, ERR_BUG, "API %s is not configured",
		    payment_api_name(key->api));
	return nonce_new(nonce, err);
}

bool
wechat_jsapi(const struct wechat *wechat, const struct payment_key *key,
    const char *prepay_id, epoch_t now, struct fields *out, struct err *err)
{
	const char *appid = invocation_appid(&key->payee);
	char nonce[NONCE_SIZE];

	if (!invocation_begin(wechat, key, nonce, err))
		return false;
	return key->api == PAYMENT_V3
	    ? wechat_v3_jsapi(&wechat->v3, appid, prepay_id, nonce, now, out,
		err)
	    : wechat_v2_jsapi(&wechat->v2, appid, prepay_id, nonce, now, out,
		err);
}

bool
wechat_app(const struct wechat *wechat, const struct payment_key *key,
    const char *prepay_id, epoch_t now, struct fields *out, struct err *err)
{
	const char *appid = invocation_appid(&key->payee);
	char nonce[NONCE_SIZE];

	if (!invocation_begin(wechat, key, nonce, err))
		return false;
	return key->api == PAYMENT_V3
	    ? wechat_v3_app(&wechat->v3, appid, prepay_id, nonce, now, out, err)
	    : wechat_v2_app(&wechat->v2, appid, prepay_id, nonce, now, out,
		err);
}
