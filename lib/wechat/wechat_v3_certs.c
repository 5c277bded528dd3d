#include "wechat/wechat_v3_certs.h"

#include "base/str.h"
#include "wechat/wechat_answer.h"
#include "wechat/wechat_v3_answer.h"
#include "wire/jsonread.h"
#include "wire/seal3.h"

#define PATH_SIZE 64

/* Of one element, a member that must be a text. */
static bool
certs_text(const struct jsonread *json, size_t at, const char *member,
    const char **out, struct err *err)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "data.%zu.%s", at, member);
	return jsonread_text(json, path, out, err);
}

/* Nobody's word is taken yet; but what the APIv3 key opens was made by one
 * who knows it. */
static bool
cert_open(const struct jsonread *json, size_t at,
    const struct secret *apiv3_key, struct buf *pem, struct err *err)
{
	struct seal3_sealed sealed = { 0 };
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path),
	    "data.%zu.encrypt_certificate.associated_data", at);
	return certs_text(json, at, "encrypt_certificate.algorithm",
	    &sealed.algorithm, err)
	    && certs_text(json, at, "encrypt_certificate.nonce",
		&sealed.nonce, err)
	    && certs_text(json, at, "encrypt_certificate.ciphertext",
		&sealed.ciphertext, err)
	    && (!jsonread_has(json, path)
		|| jsonread_text(json, path, &sealed.associated_data, err))
	    && seal3_open(&sealed, apiv3_key, pem, err);
}

static bool
cert_copy(const struct cert_facts *facts, const struct buf *pem,
    struct wechat_certificate *out, struct err *err)
{
	struct wechat_certificate made = {
		.not_before = facts->not_before,
		.not_after = facts->not_after,
	};

	if (!str_is_utf8(buf_get(pem), pem->len)
	    || !str_copy(made.serial, sizeof(made.serial), facts->serial)
	    || !str_copy(made.pem, sizeof(made.pem), buf_get(pem)))
		return err_set(err, ERR_INPUT,
		    "certificate: too long, or no text");
	*out = made;
	return true;
}

/* One that is valid now goes into scratch, which also looks at its serial and
 * at who has issued it, and to the end of list. */
static bool
cert_read_one(const struct jsonread *json, size_t at,
    const struct secret *apiv3_key, struct wechat_keys *scratch, epoch_t now,
    struct wechat_certificate *list, size_t *count, struct err *err)
{
	struct cert_facts facts = { 0 };
	const char *serial = NULL;
	struct buf pem;
	bool ok = false;

	buf_init(&pem, WECHAT_HTTP_MAX);
	if (!certs_text(json, at, "serial_no", &serial, err)
	    || !cert_open(json, at, apiv3_key, &pem, err)
	    || !cert_read(buf_get(&pem), pem.len, &facts, err))
		goto out;
	if (now < facts.not_before || now >= facts.not_after) {
		ok = true;
		goto out;
	}
	ok = wechat_keys_add(scratch, serial, buf_get(&pem), pem.len, now, err)
	    && cert_copy(&facts, &pem, &list[*count], err);
	if (ok)
		(*count)++;
out:
	buf_clear(&pem);
	return ok;
}

static bool
certs_read(const struct wechat_http_reply *reply,
    const struct secret *apiv3_key, struct wechat_keys *scratch, epoch_t now,
    struct wechat_certificate *list, size_t *count, struct err *err)
{
	struct jsonread *json = NULL;
	size_t announced = 0;
	bool ok;

	ok = jsonread_new(buf_get(&reply->body), reply->body.len, &json, err)
	    && jsonread_count(json, "data", &announced, err);
	if (ok && (announced < 1 || announced > WECHAT_KEYS_MAX))
		ok = err_set(err, ERR_INPUT, "data: not 1 to %d certificates",
		    WECHAT_KEYS_MAX);
	for (size_t i = 0; ok && i < announced; i++)
		ok = cert_read_one(json, i, apiv3_key, scratch, now, list,
		    count, err);
	jsonread_free(json);
	return ok;
}

/* By a key of the list itself, or else by one that counts already. */
static bool
certs_are_proved(struct wechat_keys *keys, struct wechat_keys *scratch,
    const struct wechat_http_reply *reply, epoch_t now,
    struct wechat_answer *answer)
{
	struct jsonread *json = NULL;
	bool ok;

	ok = wechat_v3_answer_read(scratch, WECHAT_CALL_CERTIFICATES, reply,
	    now, &json, answer);
	if (!ok && str_eq(answer->code, WECHAT_CODE_SERIAL))
		ok = wechat_v3_answer_read(keys, WECHAT_CALL_CERTIFICATES,
		    reply, now, &json, answer);
	jsonread_free(json);
	return ok;
}

void
wechat_v3_certs_judge(struct wechat_keys *keys,
    const struct secret *apiv3_key, const struct wechat_http_reply *reply,
    epoch_t now, struct wechat_certificate list[static WECHAT_KEYS_MAX],
    size_t *count, struct wechat_answer *answer)
{
	struct wechat_keys *scratch = NULL;
	struct err err = { 0 };
	size_t read = 0;

	*count = 0;
	memset(answer, 0, sizeof(*answer));
	if (!wechat_keys_scratch(keys, &scratch, &err)) {
		wechat_answer_doubt(answer, "BUG", err.text);
		return;
	}
	/* A wrong APIv3 key is to be called that, not a signature by nobody. */
	if (reply->code[0] == '\0' && reply->status == 200
	    && !certs_read(reply, apiv3_key, scratch, now, list, &read, &err))
		wechat_answer_doubt(answer, err.kind == ERR_BUG ? "BUG"
		    : "BAD_LIST", err.text);
	else if (certs_are_proved(keys, scratch, reply, now, answer))
		*count = read;
	wechat_keys_close(scratch);
}
