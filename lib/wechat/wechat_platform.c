#include "wechat/wechat_platform.h"

#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/str.h"
#include "wechat/wechat_answer.h"
#include "wechat/wechat_http.h"
#include "wire/form.h"
#include "wire/jsonmsg.h"
#include "wire/jsonread.h"

#define TARGET_MAX 2048		/* bytes of a URL */
#define REQUEST_MAX 1024	/* bytes of a body that we post */
#define LIFE_MAX_S 86400	/* of a token; WeChat's live 7200 s */
#define RID_SET STR_ALNUM "-"
#define RID_MAX 64

struct wechat_platform {
	char url[WECHAT_URL_MAX + 1];
	char oauth_url[WECHAT_URL_MAX + 1];
	char appid[APPID_MAX + 1], mini_appid[APPID_MAX + 1];
	char *ca;
	struct secret *secret, *mini_secret;
	long connect_ms, total_ms;
	struct wechat_http *http;
};

/* ------------------------------------------------------------ open and close */

static bool
platform_secret_copy(const char *name, const struct secret *from,
    struct secret **out, struct err *err)
{
	if (from == NULL)
		return true;
	if (!str_is_of(secret_bytes(from), STR_ALNUM, 16, 128))
		return err_set(err, ERR_INPUT,
		    "%s: not 16 to 128 letters and digits", name);
	return secret_new(secret_bytes(from), secret_len(from), out, err);
}

static bool
platform_copy(struct wechat_platform *platform,
    const struct wechat_platform_config *config, struct err *err)
{
	platform->connect_ms = config->connect_ms;
	platform->total_ms = config->total_ms;
	if (config->ca != NULL) {
		platform->ca = strdup(config->ca);
		if (platform->ca == NULL)
			return err_set(err, ERR_BUG, "out of memory");
	}
	if (!str_copy(platform->appid, sizeof(platform->appid), config->appid)
	    || (config->mini_appid != NULL
	    && !str_copy(platform->mini_appid, sizeof(platform->mini_appid),
	    config->mini_appid)))
		return err_set(err, ERR_INPUT, "appid: too long");
	return wechat_http_url_copy(platform->url, sizeof(platform->url),
	    "platform_url", config->url, err)
	    && wechat_http_url_copy(platform->oauth_url,
	    sizeof(platform->oauth_url), "oauth_url", config->oauth_url, err)
	    && platform_secret_copy("appsecret", config->secret,
	    &platform->secret, err)
	    && platform_secret_copy("mini_appsecret", config->mini_secret,
	    &platform->mini_secret, err);
}

bool
wechat_platform_open(const struct wechat_platform_config *config,
    struct wechat_platform **out, struct err *err)
{
	struct wechat_platform *platform = calloc(1, sizeof(*platform));
	struct wechat_http_config http = { 0 };

	if (platform == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	if (!platform_copy(platform, config, err))
		goto fail;
	http.ca = platform->ca;
	http.may_be_private = config->may_be_private;
	if (wechat_http_new(&http, &platform->http, err)) {
		*out = platform;
		return true;
	}
fail:
	wechat_platform_close(platform);
	return false;
}

void
wechat_platform_close(struct wechat_platform *platform)
{
	if (platform == NULL)
		return;
	wechat_http_free(platform->http);
	secret_free(platform->mini_secret);
	secret_free(platform->secret);
	free(platform->ca);
	free(platform);
}

/* ------------------------------------------------------------------ requests */

/* "&name=value", the value encoded. */
static void
platform_add(struct buf *target, const char *name, const char *value)
{
	buf_char(target, '&');
	buf_text(target, name);
	buf_char(target, '=');
	form_encode(value, target);
}

void
wechat_platform_authorize(const struct wechat_platform *platform,
    const char *redirect_uri, const char *state, struct buf *out)
{
	/* [platform.md 2.1] the order is checked, and the fragment needed */
	buf_text(out, platform->oauth_url);
	buf_text(out, "/connect/oauth2/authorize?appid=");
	form_encode(platform->appid, out);
	platform_add(out, "redirect_uri", redirect_uri);
	platform_add(out, "response_type", "code");
	platform_add(out, "scope", "snsapi_base");
	platform_add(out, "state", state);
	buf_text(out, "#wechat_redirect");
}

/* ------------------------------------------------------------------- answers */

static const struct platform_code {
	int64_t errcode;
	enum wechat_verdict verdict;
	enum wechat_advice advice;
} codes[] = {			/* [platform.md 11]; others are ours to fix */
	{    -1, WECHAT_AGAIN,  WECHAT_ADVICE_LATER },
	{ 40001, WECHAT_DENIED, WECHAT_ADVICE_TOKEN },
	{ 40014, WECHAT_DENIED, WECHAT_ADVICE_TOKEN },
	{ 40029, WECHAT_DENIED, WECHAT_ADVICE_LOGIN },
	{ 40163, WECHAT_DENIED, WECHAT_ADVICE_LOGIN },
	{ 40226, WECHAT_DENIED, WECHAT_ADVICE_BLOCKED },
	{ 42001, WECHAT_DENIED, WECHAT_ADVICE_TOKEN },
	{ 42003, WECHAT_DENIED, WECHAT_ADVICE_LOGIN },
	{ 42007, WECHAT_DENIED, WECHAT_ADVICE_LOGIN },
	{ 45009, WECHAT_AGAIN,  WECHAT_ADVICE_LATER },
	{ 45011, WECHAT_AGAIN,  WECHAT_ADVICE_LATER },
};

static struct platform_code
platform_code_of(int64_t errcode)
{
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (codes[i].errcode == errcode)
			return codes[i];
	return (struct platform_code){ errcode, WECHAT_DENIED,
		WECHAT_ADVICE_NONE };
}

/* Of WeChat's words only the id by which it finds the call: the rest may
 * quote what was sent. */
static void
platform_rid(const struct jsonread *json, char out[static RID_MAX + 6])
{
	struct err none = { 0 };
	const char *said = "", *at;
	size_t len;

	out[0] = '\0';
	if (!jsonread_text(json, "errmsg", &said, &none))
		return;
	at = strstr(said, "rid: ");
	if (at == NULL)
		return;
	len = strspn(at + 5, RID_SET);
	if (len > 0 && len <= RID_MAX)
		(void)snprintf(out, RID_MAX + 6, "rid: %.*s", (int)len,
		    at + 5);
}

static enum wechat_advice
platform_refused(const struct jsonread *json, int64_t errcode,
    struct wechat_answer *answer)
{
	struct platform_code code = platform_code_of(errcode);
	char rid[RID_MAX + 6], text[WECHAT_CODE_SIZE];

	platform_rid(json, rid);
	(void)snprintf(text, sizeof(text), errcode < 0 ? "BUSY" : "%" PRId64,
	    errcode);
	(void)wechat_answer_end(answer, code.verdict, text, rid,
	    code.advice == WECHAT_ADVICE_NONE);
	return code.advice;
}

static enum wechat_advice
platform_odd(struct wechat_answer *answer, const char *code)
{
	(void)wechat_answer_end(answer, WECHAT_UNSURE, code, "", false);
	return WECHAT_ADVICE_LATER;
}

/* Read what came back.  DONE: *json is the caller's to free. */
static enum wechat_advice
platform_read(const struct wechat_http_reply *reply, struct jsonread **json,
    struct wechat_answer *answer)
{
	struct jsonread *read = NULL;
	struct err why = { 0 };
	enum wechat_advice advice;
	char status[WECHAT_CODE_SIZE];
	int64_t errcode = 0;

	if (!wechat_answer_arrived(reply, answer))
		return WECHAT_ADVICE_LATER;
	(void)snprintf(status, sizeof(status), "HTTP_%ld", reply->status);
	if (reply->status != 200)
		return platform_odd(answer, status);
	if (!jsonread_new(reply->body.data, reply->body.len, &read, &why)
	    || (jsonread_has(read, "errcode") && !jsonread_int(read,
	    "errcode", INT32_MIN, INT32_MAX, &errcode, &why))) {
		jsonread_free(read);
		return platform_odd(answer, "ODD_ANSWER");
	}
	if (errcode != 0) {
		advice = platform_refused(read, errcode, answer);
		jsonread_free(read);
		return advice;
	}
	*answer = (struct wechat_answer){ .verdict = WECHAT_DONE };
	*json = read;
	return WECHAT_ADVICE_NONE;
}

/* Send it, GET or a POST of body, and read what comes back. */
static enum wechat_advice
platform_call(struct wechat_platform *platform, const struct buf *target,
    const struct buf *body, struct jsonread **json,
    struct wechat_answer *answer)
{
	static const char *const none[] = { NULL };
	static const char *const json_type[] = {
		"Content-Type: application/json", NULL
	};
	struct wechat_http_request request = {
		.method = body == NULL ? "GET" : "POST",
		.url = buf_get(target),
		.headers = body == NULL ? none : json_type,
		.body = body == NULL ? NULL : buf_get(body),
		.body_len = body == NULL ? 0 : body->len,
		.connect_ms = platform->connect_ms,
		.deadline_ms = clock_monotonic_ms() + platform->total_ms,
	};
	struct wechat_http_reply reply = { 0 };
	enum wechat_advice advice;

	if (!buf_ok(target) || (body != NULL && !buf_ok(body))) {
		(void)wechat_answer_end(answer, WECHAT_NOT_SENT, "TOO_LONG",
		    "", true);
		return WECHAT_ADVICE_NONE;
	}
	wechat_http_send(platform->http, &request, &reply);
	advice = platform_read(&reply, json, answer);
	buf_clear(&reply.body);
	return advice;
}

/* ------------------------------------------------------------------- openids */

/* [platform.md 2.1] The openid of a page that was opened as a snapshot cannot
 * pay. */
static bool
platform_is_snapshot(const struct jsonread *json)
{
	struct err none = { 0 };
	int64_t flag = 0;

	return jsonread_has(json, "is_snapshotuser")
	    && (!jsonread_int(json, "is_snapshotuser", 0, 1, &flag, &none)
	    || flag == 1);
}

static enum wechat_advice
platform_openid_read(const struct jsonread *json,
    char openid[static OPENID_MAX + 1], struct wechat_answer *answer)
{
	struct err none = { 0 };
	const char *text;

	if (platform_is_snapshot(json)) {
		(void)wechat_answer_end(answer, WECHAT_DENIED, "SNAPSHOT", "",
		    false);
		return WECHAT_ADVICE_SNAPSHOT;
	}
	if (!jsonread_text(json, "openid", &text, &none)
	    || !payment_openid_check(text, &none)
	    || !str_copy(openid, OPENID_MAX + 1, text))
		return platform_odd(answer, "ODD_ANSWER");
	return WECHAT_ADVICE_NONE;
}

struct exchange {		/* of a code for an openid */
	const char *path;
	const char *appid;
	const struct secret *secret;
	const char *name, *code;
};

static enum wechat_advice
platform_exchange(struct wechat_platform *platform,
    const struct exchange *exchange, char openid[static OPENID_MAX + 1],
    struct wechat_answer *answer)
{
	struct jsonread *json = NULL;
	enum wechat_advice advice;
	struct buf target;

	assert(exchange->secret != NULL);
	buf_init(&target, TARGET_MAX);
	buf_format(&target, "%s%s?appid=", platform->url, exchange->path);
	form_encode(exchange->appid, &target);
	platform_add(&target, "secret", secret_bytes(exchange->secret));
	platform_add(&target, exchange->name, exchange->code);
	platform_add(&target, "grant_type", "authorization_code");
	advice = platform_call(platform, &target, NULL, &json, answer);
	buf_clear(&target);
	if (answer->verdict == WECHAT_DONE)
		advice = platform_openid_read(json, openid, answer);
	jsonread_free(json);
	return advice;
}

enum wechat_advice
wechat_platform_oauth(struct wechat_platform *platform, const char *code,
    char openid[static OPENID_MAX + 1], struct wechat_answer *answer)
{
	struct exchange exchange = {
		.path = "/sns/oauth2/access_token",
		.appid = platform->appid,
		.secret = platform->secret,
		.name = "code",
		.code = code,
	};

	return platform_exchange(platform, &exchange, openid, answer);
}

enum wechat_advice
wechat_platform_login(struct wechat_platform *platform, const char *js_code,
    char openid[static OPENID_MAX + 1], struct wechat_answer *answer)
{
	struct exchange exchange = {
		.path = "/sns/jscode2session",
		.appid = platform->mini_appid,
		.secret = platform->mini_secret,
		.name = "js_code",
		.code = js_code,
	};

	return platform_exchange(platform, &exchange, openid, answer);
}

/* -------------------------------------------------------- tokens and tickets */

static enum wechat_advice
platform_ticket_read(const struct jsonread *json, const char *name,
    struct wechat_ticket *out, struct wechat_answer *answer)
{
	struct err none = { 0 };
	const char *text;
	int64_t life_s;

	if (!jsonread_text(json, name, &text, &none)
	    || !jsonread_int(json, "expires_in", 1, LIFE_MAX_S, &life_s,
	    &none)
	    || !str_is_of(text, STR_ALNUM "-_.~", 1, WECHAT_TICKET_MAX)
	    || !str_copy(out->value, sizeof(out->value), text))
		return platform_odd(answer, "ODD_ANSWER");
	out->life_s = (long)life_s;
	return WECHAT_ADVICE_NONE;
}

static void
platform_token_format(const struct wechat_platform *platform,
    struct buf *body)
{
	struct jsonmsg *message = jsonmsg_new();

	jsonmsg_text(message, "grant_type", "client_credential");
	jsonmsg_text(message, "appid", platform->appid);
	jsonmsg_text(message, "secret", secret_bytes(platform->secret));
	if (!jsonmsg_format(message, body))
		body->broken = true;
	jsonmsg_free(message);
}

enum wechat_advice
wechat_platform_token(struct wechat_platform *platform,
    struct wechat_ticket *out, struct wechat_answer *answer)
{
	struct jsonread *json = NULL;
	enum wechat_advice advice;
	struct buf target, body;

	assert(platform->secret != NULL);
	buf_init(&target, TARGET_MAX);
	buf_init(&body, REQUEST_MAX);
	buf_format(&target, "%s/cgi-bin/stable_token", platform->url);
	platform_token_format(platform, &body);
	advice = platform_call(platform, &target, &body, &json, answer);
	if (answer->verdict == WECHAT_DONE)
		advice = platform_ticket_read(json, "access_token", out,
		    answer);
	jsonread_free(json);
	buf_clear(&body);
	buf_clear(&target);
	return advice;
}

enum wechat_advice
wechat_platform_ticket(struct wechat_platform *platform,
    const char *access_token, struct wechat_ticket *out,
    struct wechat_answer *answer)
{
	struct jsonread *json = NULL;
	enum wechat_advice advice;
	struct buf target;

	buf_init(&target, TARGET_MAX);
	buf_format(&target, "%s/cgi-bin/ticket/getticket?access_token=",
	    platform->url);
	form_encode(access_token, &target);
	platform_add(&target, "type", "jsapi");
	advice = platform_call(platform, &target, NULL, &json, answer);
	buf_clear(&target);
	if (answer->verdict == WECHAT_DONE)
		advice = platform_ticket_read(json, "ticket", out, answer);
	jsonread_free(json);
	return advice;
}
