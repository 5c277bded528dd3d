#include "flow/flow_openid.h"

#include "base/str.h"

#define CALLBACK "/pay/authorize/callback"
#define TRIES_MAX 2		/* to WeChat, for one openid */
#define MAC_TEXT_SIZE (sizeof("openid ") + FLOW_OPENID_SIZE)
#define BROWSER_TEXT_SIZE (sizeof("browser ") + NONCE_SIZE)

/* -------------------------------------------------------------- the cookie */

/* What vouches for the len bytes at text. */
static bool
openid_mac(const struct flow *flow, const char *text, size_t len,
    char out[static MAC_SIZE], struct err *err)
{
	char said[MAC_TEXT_SIZE];

	(void)snprintf(said, sizeof(said), "openid %.*s", (int)len, text);
	return mac_text(flow->settings->site_secret, said, out, err);
}

bool
flow_openid_seal(const struct flow *flow, const struct flow_openid *payer,
    epoch_t now, char out[static FLOW_OPENID_SIZE], struct err *err)
{
	char mac[MAC_SIZE];
	int len = snprintf(out, FLOW_OPENID_SIZE, "%s.%s.%lld", payer->appid,
	    payer->openid, (long long)now + FLOW_OPENID_LIFE_S);

	if (!openid_mac(flow, out, (size_t)len, mac, err))
		return false;
	(void)snprintf(out + len, FLOW_OPENID_SIZE - (size_t)len, ".%s", mac);
	return true;
}

/* Copy what stands before the next dot; NULL if it does not fit. */
static const char *
openid_part(const char *text, char *out, size_t size)
{
	size_t len = strcspn(text, ".");

	if (text[len] != '.' || len >= size)
		return NULL;
	memcpy(out, text, len);
	out[len] = '\0';
	return text + len + 1;
}

static bool
openid_is_genuine(const struct flow *flow, const char *text, size_t len)
{
	const char *mac = text + len + 1;
	char wanted[MAC_SIZE];
	struct err err = { 0 };

	return openid_mac(flow, text, len, wanted, &err)
	    && secret_eq(mac, strlen(mac), wanted, strlen(wanted));
}

static bool
openid_is_ours(const struct settings *settings, const char *appid)
{
	return str_eq(appid, settings->account_appid)
	    || (settings->mini_appid != NULL
	    && str_eq(appid, settings->mini_appid));
}

bool
flow_openid_open(const struct flow *flow, const char *text, epoch_t now,
    struct flow_openid *out)
{
	const char *mac = strrchr(text, '.');
	const char *at;
	struct flow_openid payer;
	char expiry[FEN_TEXT_SIZE];
	long until;

	if (strlen(text) >= FLOW_OPENID_SIZE || mac == NULL
	    || !openid_is_genuine(flow, text, (size_t)(mac - text)))
		return false;
	at = openid_part(text, payer.appid, sizeof(payer.appid));
	if (at != NULL)
		at = openid_part(at, payer.openid, sizeof(payer.openid));
	if (at != NULL)
		at = openid_part(at, expiry, sizeof(expiry));
	if (at != mac + 1 || !str_to_long(expiry, INT64_MAX, &until)
	    || until <= now || !openid_is_ours(flow->settings, payer.appid))
		return false;
	*out = payer;
	return true;
}

/* -------------------------------------------- an official account's page */

/* The state's row says whose it is, and a copy of the rows lets nobody in. */
static bool
oauth_browser(const struct flow *flow, const char *browser,
    char out[static MAC_SIZE], struct err *err)
{
	char said[BROWSER_TEXT_SIZE];

	(void)snprintf(said, sizeof(said), "browser %s", browser);
	return mac_text(flow->settings->site_secret, said, out, err);
}

static bool
oauth_url(const struct flow *flow, const char *state,
    char url[static FLOW_OAUTH_URL_MAX + 1], struct err *err)
{
	struct buf callback, whole;
	bool ok;

	buf_init(&callback, FLOW_OAUTH_URL_MAX);
	buf_init(&whole, FLOW_OAUTH_URL_MAX);
	buf_text(&callback, flow->settings->public_url);
	buf_text(&callback, CALLBACK);
	wechat_platform_authorize(flow->platform, buf_get(&callback), state,
	    &whole);
	ok = (buf_ok(&callback) && buf_ok(&whole)
	    && str_copy(url, FLOW_OAUTH_URL_MAX + 1, buf_get(&whole)))
	    || err_set(err, ERR_BUG, "authorize: URL too long");
	buf_clear(&whole);
	buf_clear(&callback);
	return ok;
}

/* ERR_MISSING without an account's secret: there is no such page then. */
static bool
oauth_is_there(const struct flow *flow, struct err *err)
{
	return flow->settings->appsecret != NULL
	    || err_set(err, ERR_MISSING, "no such page");
}

/* Begin way, under a state of its own. */
static bool
oauth_go(const struct flow *flow, const struct store_oauth *way,
    char url[static FLOW_OAUTH_URL_MAX + 1], bool *found, struct err *err)
{
	char state[NONCE_SIZE];
	struct store_oauth oauth = *way;

	oauth.state = state;
	return nonce_new(state, err)
	    && store_oauth_begin(flow->store, &oauth, flow_deadline(), found,
	    err)
	    && oauth_url(flow, state, url, err);
}

bool
flow_oauth_begin(const struct flow *flow, const char *order_no,
    const char *token, const char *browser,
    char url[static FLOW_OAUTH_URL_MAX + 1], bool *found, struct err *err)
{
	char digest[MAC_SIZE];
	struct store_oauth oauth = {
		.order_no = order_no,
		.token = token,
		.browser = digest,
		.tries = 1,
	};

	return oauth_is_there(flow, err)
	    && oauth_browser(flow, browser, digest, err)
	    && oauth_go(flow, &oauth, url, found, err);
}

/* A code that was not good, or an answer that did not come: the shopper goes
 * once more, and would otherwise be lost. */
static bool
oauth_once_more(const struct flow *flow, const char *digest,
    enum flow_oauth_word otherwise, struct flow_oauth *out, struct err *err)
{
	struct store_oauth oauth = {
		.order_no = out->order.order_no,
		.token = out->order.token,
		.browser = digest,
		.tries = (int)out->order.tries + 1,
	};
	bool found = false;

	out->word = otherwise;
	if (out->order.tries >= TRIES_MAX)
		return true;
	if (!oauth_go(flow, &oauth, out->url, &found, err))
		return false;
	if (found)
		out->word = FLOW_OAUTH_AGAIN;
	return true;
}

/* Have the code turned into an openid. */
static bool
oauth_exchange(const struct flow *flow, const char *code, const char *digest,
    struct flow_oauth *out, struct err *err)
{
	struct wechat_answer answer = { 0 };
	enum wechat_advice advice = wechat_platform_oauth(flow->platform, code,
	    out->payer.openid, &answer);

	flow_answered(flow, "oauth", out->order.order_no, &answer);
	out->word = FLOW_OAUTH_NO;
	if (answer.verdict == WECHAT_DONE) {
		out->word = FLOW_OAUTH_DONE;
		return str_copy(out->payer.appid, sizeof(out->payer.appid),
		    flow->settings->account_appid)
		    || err_set(err, ERR_BUG, "appid: too long");
	}
	if (advice == WECHAT_ADVICE_LOGIN)
		return oauth_once_more(flow, digest, FLOW_OAUTH_SPENT, out,
		    err);
	if (advice == WECHAT_ADVICE_LATER)
		return oauth_once_more(flow, digest, FLOW_OAUTH_BUSY, out,
		    err);
	if (advice == WECHAT_ADVICE_SNAPSHOT)
		out->word = FLOW_OAUTH_SNAPSHOT;
	return true;
}

/* A state that does not count: of a page that is loaded again, or strange. */
static bool
oauth_used(const struct flow *flow, const char *state, const char *digest,
    struct flow_oauth *out, struct err *err)
{
	bool found = false;

	if (!store_oauth_used(flow->store, state, digest, flow_deadline(),
	    &out->order, &found, err))
		return false;
	out->word = found ? FLOW_OAUTH_USED : FLOW_OAUTH_STRANGE;
	return true;
}

bool
flow_oauth_end(const struct flow *flow, const char *state, const char *code,
    const char *browser, struct flow_oauth *out, struct err *err)
{
	char digest[MAC_SIZE], nonce[NONCE_SIZE];
	bool found = false;

	if (!oauth_is_there(flow, err)
	    || !oauth_browser(flow, browser, digest, err)
	    || !nonce_new(nonce, err)
	    || !store_oauth_take(flow->store, state, digest, nonce,
	    flow_deadline(), &out->order, &found, err))
		return false;
	if (!found)
		return oauth_used(flow, state, digest, out, err);
	out->word = FLOW_OAUTH_REFUSED;
	return code == NULL
	    || oauth_exchange(flow, code, digest, out, err);
}

/* ----------------------------------------------------------- a mini program */

static enum flow_oauth_word
login_word(const struct wechat_answer *answer, enum wechat_advice advice)
{
	if (answer->verdict == WECHAT_DONE)
		return FLOW_OAUTH_DONE;
	return advice == WECHAT_ADVICE_LOGIN ? FLOW_OAUTH_SPENT
	    : advice == WECHAT_ADVICE_LATER ? FLOW_OAUTH_BUSY : FLOW_OAUTH_NO;
}

bool
flow_login(const struct flow *flow, const char *js_code,
    struct flow_openid *payer, enum flow_oauth_word *word, struct err *err)
{
	struct wechat_answer answer = { 0 };
	enum wechat_advice advice;

	if (flow->settings->mini_appid == NULL)
		return err_set(err, ERR_MISSING, "no such page");
	advice = wechat_platform_login(flow->platform, js_code, payer->openid,
	    &answer);
	flow_answered(flow, "login", "", &answer);
	*word = login_word(&answer, advice);
	return str_copy(payer->appid, sizeof(payer->appid),
	    flow->settings->mini_appid)
	    || err_set(err, ERR_BUG, "mini_appid: too long");
}

/* ---------------------------------------------------------------- wx.config */

bool
flow_jsconfig(const struct flow *flow, const char *url, epoch_t now,
    struct flow_jsconfig *out, bool *found, struct err *err)
{
	struct jssdk_page page = { .at = now, .url = url };
	char *ticket = NULL;
	bool ok;

	if (!oauth_is_there(flow, err)
	    || !store_ticket_show(flow->store, flow->settings->account_appid,
	    flow_deadline(), &ticket, err))
		return false;
	*found = ticket != NULL;
	page.ticket = ticket;
	page.nonce = out->nonce;
	ok = !*found || (nonce_new(out->nonce, err)
	    && jssdk_sign(&page, out->signature, err));
	free(ticket);
	return ok;
}
