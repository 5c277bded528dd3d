#include "wire/sign3.h"

#include <assert.h>
#include <inttypes.h>

#include "base/str.h"

/* Far beyond any message that we read or write. */
#define SIGN3_TEXT_MAX (2 * 1024 * 1024)

#define SIGN3_PROBE_PREFIX "WECHATPAY/SIGNTEST/"	/* [v3.md 4] */
#define NONCE_MAX 32
#define TIME_MAX 253402300799L	/* the last second of the year 9999 */
#define TIME_TEXT_SIZE 21	/* digits of an int64, sign and NUL */

#define WRONG "signature: wrong"

/* Printable ASCII without a blank.  Above all no line feed: it would let the
 * first bytes of a body pass for the end of a nonce. */
static bool
is_line(const char *text)
{
	const char *at = text;

	while (*at > ' ' && *at <= '~')
		at++;
	return at > text && *at == '\0';
}

static bool
request_is_plain(const struct sign3_request *req)
{
	return is_line(req->method) && req->target[0] == '/'
	    && is_line(req->target) && req->at >= 0 && req->at <= TIME_MAX
	    && str_is_of(req->nonce, STR_ALNUM, 1, NONCE_MAX);
}

static void
request_text(const struct sign3_request *req, struct buf *out)
{
	buf_text(out, req->method);
	buf_char(out, '\n');
	buf_text(out, req->target);
	buf_format(out, "\n%" PRId64 "\n%s\n", req->at, req->nonce);
	buf_add(out, req->body, req->body_len);
	buf_char(out, '\n');
}

static void
message_text(const char *timestamp, const char *nonce, const char *body,
    size_t body_len, struct buf *out)
{
	buf_text(out, timestamp);
	buf_char(out, '\n');
	buf_text(out, nonce);
	buf_char(out, '\n');
	buf_add(out, body, body_len);
	buf_char(out, '\n');
}

static bool
text_sign(const struct sign3_key *key, const struct buf *text,
    char out[static SIGN3_BASE64_SIZE], struct err *err)
{
	unsigned char raw[SIGN3_KEY_BYTES];
	struct buf base64;
	bool ok = false;

	if (!buf_ok(text))
		return err_set(err, ERR_BUG, "too much to sign, or no memory");
	if (!sign3_key_sign(key, text->data, text->len, raw, err))
		return false;
	buf_init(&base64, SIGN3_BASE64_SIZE - 1);
	base64_format(raw, sizeof(raw), &base64);
	ok = (buf_ok(&base64)
	    && str_copy(out, SIGN3_BASE64_SIZE, buf_get(&base64)))
	    || err_set(err, ERR_BUG, "out of memory");
	buf_clear(&base64);
	return ok;
}

static bool
text_verify(const struct sign3_public *key, const struct buf *text,
    const char *signature, struct err *err)
{
	struct buf raw;
	bool ok = false;

	buf_init(&raw, SIGN3_BASE64_SIZE);
	if (strlen(signature) != SIGN3_BASE64_SIZE - 1
	    || !base64_parse(signature, SIGN3_BASE64_SIZE - 1, &raw))
		err_set(err, ERR_AUTH, WRONG);
	else if (!buf_ok(text) || !buf_ok(&raw))
		err_set(err, ERR_BUG, "too much to verify, or no memory");
	else
		ok = sign3_public_verify(key, text->data, text->len, raw.data,
		    raw.len, err);
	buf_clear(&raw);
	return ok;
}

bool
sign3_sign(const struct sign3_key *key, const struct sign3_request *req,
    char out[static SIGN3_BASE64_SIZE], struct err *err)
{
	struct buf text;
	bool ok = false;

	if (!request_is_plain(req))
		return err_set(err, ERR_BUG, "no request that can be signed");
	buf_init(&text, SIGN3_TEXT_MAX);
	request_text(req, &text);
	ok = text_sign(key, &text, out, err);
	buf_clear(&text);
	return ok;
}

bool
sign3_authorize(const struct sign3_key *key, const char *mchid,
    const char *serial, const struct sign3_request *req, struct buf *out,
    struct err *err)
{
	char signature[SIGN3_BASE64_SIZE];

	/* Nothing that could end a quoted value. */
	if (!str_is_of(mchid, STR_ALNUM, 1, 32)
	    || !str_is_of(serial, STR_ALNUM, 1, 64))
		return err_set(err, ERR_BUG, "mchid or serial: malformed");
	if (!sign3_sign(key, req, signature, err))
		return false;
	buf_format(out, SIGN3_TYPE " mchid=\"%s\",nonce_str=\"%s\","
	    "signature=\"%s\",timestamp=\"%" PRId64 "\",serial_no=\"%s\"",
	    mchid, req->nonce, signature, req->at, serial);
	return buf_ok(out) || err_set(err, ERR_BUG, "no room to authorize");
}

bool
sign3_verify_request(const struct sign3_public *key,
    const struct sign3_request *req, const char *signature, struct err *err)
{
	struct buf text;
	bool ok = false;

	if (!request_is_plain(req))
		return err_set(err, ERR_AUTH, "no request that can be signed");
	buf_init(&text, SIGN3_TEXT_MAX);
	request_text(req, &text);
	ok = text_verify(key, &text, signature, err);
	buf_clear(&text);
	return ok;
}

bool
sign3_sign_invocation(const struct sign3_key *key,
    const struct sign3_invocation *invocation,
    char out[static SIGN3_BASE64_SIZE], struct err *err)
{
	struct buf text;
	bool ok = false;

	if (!is_line(invocation->appid) || !is_line(invocation->nonce)
	    || !is_line(invocation->package))
		return err_set(err, ERR_BUG,
		    "no invocation that can be signed");
	buf_init(&text, SIGN3_TEXT_MAX);
	buf_format(&text, "%s\n%" PRId64 "\n%s\n%s\n", invocation->appid,
	    invocation->at, invocation->nonce, invocation->package);
	ok = text_sign(key, &text, out, err);
	buf_clear(&text);
	return ok;
}

static bool
is_timely(long at, epoch_t now)
{
	return at > now - SIGN3_WINDOW_S && at < now + SIGN3_WINDOW_S;
}

static bool
is_absent(const char *text)
{
	return text == NULL || text[0] == '\0';
}

/* Two headers of one name arrive joined by a comma. */
static bool
is_malformed(const char *text)
{
	return !is_line(text) || strchr(text, ',') != NULL;
}

enum sign3_flaw
sign3_headers_judge(const struct sign3_headers *headers, epoch_t now)
{
	long at = 0;

	assert(now >= 0 && now <= TIME_MAX);
	if (is_absent(headers->timestamp) || is_absent(headers->nonce)
	    || is_absent(headers->signature) || is_absent(headers->serial))
		return SIGN3_MISSING;
	/* [v3.md 4] the type may be absent; it is this one then. */
	if (headers->type != NULL && !str_eq(headers->type, SIGN3_TYPE))
		return SIGN3_UNSUPPORTED;
	if (!str_to_long(headers->timestamp, TIME_MAX, &at)
	    || is_malformed(headers->nonce) || is_malformed(headers->serial))
		return SIGN3_MALFORMED;
	if (!is_timely(at, now))
		return SIGN3_CLOCK;
	if (strncmp(headers->signature, SIGN3_PROBE_PREFIX,
	    strlen(SIGN3_PROBE_PREFIX)) == 0)
		return SIGN3_PROBE;
	return SIGN3_SOUND;
}

const char *
sign3_flaw_name(enum sign3_flaw flaw)
{
	static const char *const names[] = {
		[SIGN3_SOUND] = "sound",
		[SIGN3_MISSING] = "missing",
		[SIGN3_MALFORMED] = "malformed",
		[SIGN3_UNSUPPORTED] = "unsupported",
		[SIGN3_CLOCK] = "clock",
		[SIGN3_PROBE] = "probe",
	};

	assert((unsigned)flaw < COUNT_OF(names));
	return names[flaw];
}

bool
sign3_verify(const struct sign3_public *key,
    const struct sign3_headers *headers, const char *body, size_t body_len,
    epoch_t now, struct err *err)
{
	enum sign3_flaw flaw = sign3_headers_judge(headers, now);
	struct buf text;
	bool ok = false;

	if (flaw != SIGN3_SOUND)
		return err_set(err, ERR_AUTH, "signature headers: %s",
		    sign3_flaw_name(flaw));
	buf_init(&text, SIGN3_TEXT_MAX);
	message_text(headers->timestamp, headers->nonce, body, body_len,
	    &text);
	ok = text_verify(key, &text, headers->signature, err);
	buf_clear(&text);
	return ok;
}

bool
sign3_sign_message(const struct sign3_key *key, epoch_t at,
    const char *nonce, const char *body, size_t body_len,
    char out[static SIGN3_BASE64_SIZE], struct err *err)
{
	char timestamp[TIME_TEXT_SIZE];
	struct buf text;
	bool ok = false;

	if (!is_line(nonce))
		return err_set(err, ERR_BUG, "no message that can be signed");
	snprintf(timestamp, sizeof(timestamp), "%" PRId64, at);
	buf_init(&text, SIGN3_TEXT_MAX);
	message_text(timestamp, nonce, body, body_len, &text);
	ok = text_sign(key, &text, out, err);
	buf_clear(&text);
	return ok;
}
