/*
 * wechat3: WeChat's side of V3.
 *
 * Signs and seals as WeChat does, with the test keys of tests/data/v3, and
 * writes its objects with one member other than usual.  The caller frees what
 * it is given.
 */
#ifndef TESTS_WECHAT_WECHAT3_H
#define TESTS_WECHAT_WECHAT3_H

#include <assert.h>
#include <inttypes.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/secret.h"
#include "base/str.h"
#include "wire/seal3.h"
#include "wire/sign3.h"

#define W3_NOW 1767232800	/* as in tests/data/v3.json */
#define W3_MCHID "1900000001"
#define W3_APPID "wxd678efh567hg6787"
#define W3_SUB_MCHID "1900000109"	/* for whom W3_MCHID collects */
#define W3_SUB_APPID "wxd678efh567hg6999"
#define W3_APIV3_KEY "TestOnlyApiV3Key0123456789ABCDEF"
#define W3_PUB_KEY_ID "PUB_KEY_ID_0119000000012026010100291900000001"
#define W3_SERIAL_A "1F2E3D4C5B6A79880716253443526170FEDCBA98"
#define W3_SERIAL_B "5A0B1C2D3E4F5061728394A5B6C7D8E9F0A1B2C3"

/* "v3-wxpub-key.pem" */
static inline struct secret *
w3_pem(const char *file)
{
	char path[200];
	static char bytes[SECRET_MAX];
	struct secret *secret = NULL;
	struct err err = { 0 };
	FILE *pem = NULL;
	size_t len = 0;
	bool ok;

	snprintf(path, sizeof(path), "tests/data/v3/%s", file);
	pem = fopen(path, "re");
	assert(pem != NULL);
	len = fread(bytes, 1, sizeof(bytes), pem);
	fclose(pem);
	ok = secret_new(bytes, len, &secret, &err);
	assert(ok);
	return secret;
}

static inline struct sign3_key *
w3_private(const char *file)
{
	struct secret *pem = w3_pem(file);
	struct sign3_key *key = NULL;
	struct err err = { 0 };
	bool ok = sign3_key_new(pem, &key, &err);

	assert(ok);
	secret_free(pem);
	return key;
}

struct w3_signed {		/* what headers point to */
	char timestamp[21];
	char signature[SIGN3_BASE64_SIZE];
	struct sign3_headers headers;
};

static inline void
w3_sign(const struct sign3_key *key, const char *serial, epoch_t at,
    const char *body, size_t len, struct w3_signed *out)
{
	static const char nonce[] = "9f1bkN2mQ7uXcV5tR8wY3zA6sD4eG0hJ";
	struct err err = { 0 };
	bool ok = sign3_sign_message(key, at, nonce, body, len,
	    out->signature, &err);

	assert(ok);
	snprintf(out->timestamp, sizeof(out->timestamp), "%" PRId64, at);
	out->headers = (struct sign3_headers){
		.timestamp = out->timestamp,
		.nonce = nonce,
		.signature = out->signature,
		.serial = serial,
		.type = SIGN3_TYPE,
	};
}

struct w3_member {
	const char *name;
	const char *json;	/* as it stands there; NULL: left out */
};

/* An object of these members, but for one: other, new or left out. */
static inline void
w3_object(const struct w3_member *list, size_t count,
    const struct w3_member *change, struct buf *out)
{
	bool is_known = change == NULL;
	const char *comma = "{";

	for (size_t i = 0; i <= count; i++) {
		const struct w3_member *member = i < count ? &list[i] : NULL;

		if (member == NULL || (!is_known
		    && str_eq(member->name, change->name))) {
			if (is_known)
				continue;
			member = change;
			is_known = true;
		}
		if (member->json == NULL)
			continue;
		buf_format(out, "%s\"%s\":%s", comma, member->name,
		    member->json);
		comma = ",";
	}
	buf_char(out, '}');
	assert(buf_ok(out));
}

/* Members of a resource, sealed as WeChat seals it. */
static inline void
w3_resource(const char *plain, size_t len, const char *original_type,
    const char *apiv3_key, struct buf *out)
{
	static const char nonce[] = "aGm5Xn0yTq2w";
	struct secret *key = NULL;
	struct err err = { 0 };
	struct buf sealed;
	bool ok = secret_new(apiv3_key, strlen(apiv3_key), &key, &err);

	buf_init(&sealed, SEAL3_MAX);
	ok = ok && seal3_seal(plain, len, nonce, original_type, key, &sealed,
	    &err);
	assert(ok);
	buf_format(out, "{\"original_type\":\"%s\",\"algorithm\":\""
	    SEAL3_ALGORITHM "\",\"ciphertext\":\"%s\",\"associated_data\":"
	    "\"%s\",\"nonce\":\"%s\"}", original_type, buf_get(&sealed),
	    original_type, nonce);
	assert(buf_ok(out));
	buf_clear(&sealed);
	secret_free(key);
}

static const struct w3_member w3_transaction[] = {
	{ "mchid", "\"" W3_MCHID "\"" }, { "appid", "\"" W3_APPID "\"" },
	{ "out_trade_no", "\"G20260101000001\"" },
	{ "transaction_id", "\"4200002026010112345678901234\"" },
	{ "trade_type", "\"JSAPI\"" }, { "trade_state", "\"SUCCESS\"" },
	{ "trade_state_desc", "\"支付成功\"" },
	{ "bank_type", "\"CMB_DEBIT\"" },
	{ "success_time", "\"2026-01-01T09:59:58+08:00\"" },
	{ "payer", "{\"openid\":\"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o\"}" },
	{ "amount", "{\"total\":101,\"payer_total\":100,\"currency\":\"CNY\","
	    "\"payer_currency\":\"CNY\"}" },
};

/* The same, of a service provider. */
static const struct w3_member w3_provider_transaction[] = {
	{ "sp_mchid", "\"" W3_MCHID "\"" }, { "sp_appid", "\"" W3_APPID "\"" },
	{ "sub_mchid", "\"" W3_SUB_MCHID "\"" },
	{ "sub_appid", "\"" W3_SUB_APPID "\"" },
	{ "out_trade_no", "\"G20260101000001\"" },
	{ "transaction_id", "\"4200002026010112345678901234\"" },
	{ "trade_type", "\"JSAPI\"" }, { "trade_state", "\"SUCCESS\"" },
	{ "success_time", "\"2026-01-01T09:59:58+08:00\"" },
	{ "payer", "{\"sp_openid\":\"oOwn\",\"sub_openid\":\"oSub\"}" },
	{ "amount", "{\"total\":101,\"payer_total\":100,\"currency\":\"CNY\","
	    "\"payer_currency\":\"CNY\"}" },
};

static const struct w3_member w3_refund[] = {
	{ "mchid", "\"" W3_MCHID "\"" },
	{ "out_trade_no", "\"G20260101000001\"" },
	{ "transaction_id", "\"4200002026010112345678901234\"" },
	{ "out_refund_no", "\"R20260101000001\"" },
	{ "refund_id", "\"50000203702026010101461713166\"" },
	{ "refund_status", "\"SUCCESS\"" },
	{ "success_time", "\"2026-01-01T09:59:58+08:00\"" },
	{ "user_received_account", "\"招商银行信用卡0403\"" },
	{ "amount", "{\"total\":101,\"refund\":51,\"payer_total\":101,"
	    "\"payer_refund\":51}" },
};

#endif
