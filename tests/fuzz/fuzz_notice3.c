/* Whatever comes as a notice of V3: forged, it is refused, however its headers
 * and its body look; signed and sealed by WeChat, it is refused or within
 * bounds.  The first byte says which it is, and what the rest is: "a", five
 * headers, a line each and "-" for none, and the body; "b", a body that we
 * sign; "c" to "f", a text that we seal and sign, of another event each. */
#include <assert.h>

#include "fuzz.h"

#include "../wechat/wechat3.h"
#include "wechat/wechat_notice.h"
#include "wire/jsonread.h"

#define BODY_MOST (4 * JSONREAD_MAX)
#define HEADERS 5

/* Signs nothing in any seed, but stands for WeChat here: by its certificate,
 * and by its bare key. */
#define SERIAL "3D5A1C7E90B24F6688AA11CC33DD55EE77001122"

static struct secret *apiv3_key;
static struct sign3_key *key;
static struct wechat_keys *keys;

static void
start_once(void)
{
	struct wechat_keys_config config = { .pub_key_id = W3_PUB_KEY_ID };
	struct secret *cert = NULL, *pub = NULL;
	struct err err = { 0 };
	bool ok;

	if (keys != NULL)
		return;
	jsonread_start();
	key = w3_private("v3-merchant-key.pem");
	cert = w3_pem("v3-merchant-cert.pem");
	pub = w3_pem("v3-merchant-pub.pem");
	config.pub_key = pub;
	ok = secret_new(W3_APIV3_KEY, strlen(W3_APIV3_KEY), &apiv3_key, &err)
	    && wechat_keys_open(&config, &keys, &err)
	    && wechat_keys_add(keys, SERIAL, secret_bytes(cert),
	    secret_len(cert), W3_NOW, &err);
	assert(ok);
	secret_free(cert);
	secret_free(pub);
}

static void
id_check(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	assert(len < size);
	for (size_t i = 0; i < len; i++)
		assert(text[i] > ' ' && text[i] <= '~');
}

static void
payment_check(const struct payment_facts *facts)
{
	id_check(facts->out_trade_no, sizeof(facts->out_trade_no));
	id_check(facts->transaction_id, sizeof(facts->transaction_id));
	id_check(facts->openid, sizeof(facts->openid));
	id_check(facts->sub_mchid, sizeof(facts->sub_mchid));
	id_check(facts->trade_type, sizeof(facts->trade_type));
	id_check(facts->bank_type, sizeof(facts->bank_type));
	id_check(facts->currency, sizeof(facts->currency));
	assert(facts->fate == PAYMENT_PAID);
	assert(str_eq(facts->mchid, W3_MCHID));
	assert(facts->total_fen >= 1 && facts->total_fen <= FEN_MAX);
	assert(facts->out_trade_no[0] != '\0');
	assert(facts->transaction_id[0] != '\0');
	assert(facts->currency[0] != '\0');
}

static void
refund_check(const struct refund_facts *facts)
{
	id_check(facts->out_refund_no, sizeof(facts->out_refund_no));
	id_check(facts->out_trade_no, sizeof(facts->out_trade_no));
	id_check(facts->transaction_id, sizeof(facts->transaction_id));
	id_check(facts->refund_id, sizeof(facts->refund_id));
	id_check(facts->sub_mchid, sizeof(facts->sub_mchid));
	assert(facts->out_refund_no[0] != '\0');
	assert(facts->refund_fen >= 1 && facts->refund_fen <= FEN_MAX);
	assert(facts->total_fen >= 1 && facts->total_fen <= FEN_MAX);
	assert(facts->refunded_at == 0 || facts->fate == REFUND_SUCCESS);
	assert(facts->fate != REFUND_UNKNOWN
	    && facts->fate != REFUND_PROCESSING);
}

static void
notice_check(const struct notice *notice)
{
	assert(notice->api == PAYMENT_V3 && notice->is_signed);
	assert(str_eq(notice->mchid, W3_MCHID));
	assert(str_eq(notice->serial, W3_PUB_KEY_ID));
	assert(strnlen(notice->proof, sizeof(notice->proof))
	    < sizeof(notice->proof));
	id_check(notice->event_type, sizeof(notice->event_type));
	assert(notice->event_type[0] != '\0');
	if (notice->kind == NOTICE_PAID)
		payment_check(&notice->payment);
	else if (notice->kind == NOTICE_REFUNDED)
		refund_check(&notice->refund);
	else
		assert(notice->kind == NOTICE_OTHER);
}

/* True if it is believed. */
static bool
notice_try(const struct sign3_headers *headers, const char *body, size_t len,
    enum err_kind *kind)
{
	const struct wechat_notice_keys all = { .mchid = W3_MCHID,
		.apiv3_key = apiv3_key, .keys = keys };
	struct notice notice = { 0 };
	struct err err = { 0 };
	bool ok = wechat_notice_v3(&all, headers, body, len, W3_NOW, &notice,
	    &err);

	assert(ok == (err.kind == ERR_NONE) && ok == (notice.kind != 0));
	if (ok)
		notice_check(&notice);
	*kind = err.kind;
	return ok;
}

static void
forged_try(const char *text, size_t len)
{
	char *lines = malloc(len + 1);
	const char *headers[HEADERS];
	enum err_kind kind = ERR_NONE;
	bool is_believed;
	size_t at = 0, i = 0;

	assert(lines != NULL);
	memcpy(lines, text, len);
	lines[len] = '\0';
	for (i = 0; i < HEADERS; i++) {
		char *end = memchr(lines + at, '\n', len - at);

		headers[i] = end == NULL ? NULL : lines + at;
		if (end == NULL)
			continue;
		*end = '\0';
		if (str_eq(headers[i], "-"))
			headers[i] = NULL;
		at = (size_t)(end - lines) + 1;
	}
	is_believed = notice_try(&(struct sign3_headers){ headers[0],
	    headers[1], headers[2], headers[3], headers[4] }, lines + at,
	    len - at, &kind);
	assert(!is_believed && kind == ERR_AUTH);
	free(lines);
}

static void
signed_try(const char *body, size_t len)
{
	struct w3_signed made;
	enum err_kind kind = ERR_NONE;

	w3_sign(key, W3_PUB_KEY_ID, W3_NOW, body, len, &made);
	if (!notice_try(&made.headers, body, len, &kind))
		assert(kind == ERR_AUTH || kind == ERR_INPUT
		    || kind == ERR_REFUSED);
}

static void
sealed_try(const char *event, const char *text, size_t len)
{
	struct buf body;

	buf_init(&body, BODY_MOST);
	buf_format(&body, "{\"resource_type\":\"encrypt-resource\","
	    "\"event_type\":\"%s\",\"resource\":", event);
	w3_resource(text, len, "x", W3_APIV3_KEY, &body);
	buf_char(&body, '}');
	assert(buf_ok(&body));
	signed_try(body.data, body.len);
	buf_clear(&body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const events[] = { "TRANSACTION.SUCCESS",
		"REFUND.SUCCESS", "REFUND.ABNORMAL", "COUPON.USE" };
	const char *text = (const char *)bytes + 1;
	unsigned what;

	start_once();
	if (len < 1 || len > JSONREAD_MAX)
		return 0;
	what = ((unsigned)bytes[0] - 'a') % 6u;
	if (what == 0)
		forged_try(text, len - 1);
	else if (what == 1)
		signed_try(text, len - 1);
	else
		sealed_try(events[what - 2], text, len - 1);
	return 0;
}
