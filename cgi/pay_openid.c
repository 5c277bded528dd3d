/*
 * Who pays: WeChat's word for it, kept in a cookie; and what a page needs for
 * WeChat's JS-SDK.
 */
#include "base/str.h"
#include "pay.h"
#include "pay/order.h"
#include "web/web_auth.h"
#include "web/web_cookie.h"

#define BROWSER_LIFE_S 600	/* as a state of WeChat's OAuth */
#define COOKIE_OPENID "wxpay_openid"
#define COOKIE_BROWSER "wxpay_browser"
#define NONCE_SET STR_DIGITS "abcdef"	/* browsers and states */
#define CODE_SET STR_ALNUM "-_.~"	/* WeChat's codes */
#define CODE_MAX 512
#define BACK_SIZE (sizeof("../../cashier#order_no=&token=") + ORDER_NO_MAX \
	+ TOKEN_LEN)

bool
pay_cookie_payer(const struct pay *pay, const struct web_request *req,
    struct flow_openid *out)
{
	char text[FLOW_OPENID_SIZE];

	return web_cookie_get(req, COOKIE_OPENID, text, sizeof(text))
	    && flow_openid_open(&pay->flow, text, req->now, out);
}

/* For all of /pay, whatever nginx has put before it. */
static bool
set_cookie(const struct pay *pay, struct web_reply *reply, const char *name,
    const char *value, long life_s, struct err *err)
{
	const char *prefix = strchr(pay->settings.public_url
	    + sizeof("https://") - 1, '/');
	char path[sizeof(reply->cookie)];
	struct web_cookie cookie = { name, value, path, life_s };

	snprintf(path, sizeof(path), "%s/pay", prefix == NULL ? "" : prefix);
	return web_cookie_set(reply, &cookie, err);
}

static bool
set_payer(const struct pay *pay, const struct web_request *req,
    struct web_reply *reply, const struct flow_openid *payer,
    struct err *err)
{
	char text[FLOW_OPENID_SIZE];

	return flow_openid_seal(&pay->flow, payer, req->now, text, err)
	    && set_cookie(pay, reply, COOKIE_OPENID, text, FLOW_OPENID_LIFE_S,
	    err);
}

/* What this browser is known by while it is at WeChat: the same in all of its
 * windows. */
static bool
know_browser(const struct web_request *req, char out[static NONCE_SIZE],
    struct err *err)
{
	if (web_cookie_get(req, COOKIE_BROWSER, out, NONCE_SIZE)
	    && str_is_of(out, NONCE_SET, NONCE_SIZE - 1, NONCE_SIZE - 1))
		return true;
	return nonce_new(out, err);
}

static bool
read_authorize(struct web_request *req, const char **order_no,
    const char **token, struct err *err)
{
	static const char *const known[] = { "order_no", "token", NULL };
	struct err shape = { 0 };

	if (!web_request_query(req, known, err)
	    || !pay_need(&req->query, "order_no", order_no, err)
	    || !pay_need(&req->query, "token", token, err))
		return false;
	if (!order_no_check(*order_no, &shape)
	    || !order_token_check(*token, &shape))
		return pay_no_such_order(err);
	return true;
}

/* What a shopper reads who comes by a link that is none of ours. */
static void
explain_astray(struct web_reply *reply)
{
	static const struct web_words words = {
		"此链接不属于任何订单。请返回商店重新下单。",
		"This link is of no order. Please go back to the shop and "
		"order again."
	};

	web_reply_explain(reply, &words);
}

/* GET /pay/authorize: to WeChat, which tells us who this is. */
bool
pay_authorize(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;
	const char *order_no, *token;
	char browser[NONCE_SIZE], url[FLOW_OAUTH_URL_MAX + 1];
	bool found = false;

	if (!read_authorize(req, &order_no, &token, err)) {
		explain_astray(reply);
		return false;
	}
	if (!know_browser(req, browser, err)
	    || !flow_oauth_begin(&pay->flow, order_no, token, browser, url,
	    &found, err))
		return false;
	if (!found) {
		explain_astray(reply);
		return pay_no_such_order(err);
	}
	return set_cookie(pay, reply, COOKIE_BROWSER, browser, BROWSER_LIFE_S,
	    err)
	    && web_reply_see_other(reply, url, err);
}

static bool
read_callback(struct web_request *req, const char **state,
    const char **code, char browser[static NONCE_SIZE], struct err *err)
{
	static const char *const known[] = { "code", "state", NULL };

	if (!web_request_query(req, known, err)
	    || !pay_need(&req->query, "state", state, err))
		return false;
	*code = fields_get(&req->query, "code");
	if (!str_is_of(*state, NONCE_SET, NONCE_SIZE - 1, NONCE_SIZE - 1))
		return err_set(err, ERR_INPUT, "state: not one of ours");
	if (*code != NULL && !str_is_of(*code, CODE_SET, 1, CODE_MAX))
		return err_set(err, ERR_INPUT, "code: not one of WeChat's");
	return web_cookie_get(req, COOKIE_BROWSER, browser, NONCE_SIZE)
	    || err_set(err, ERR_INPUT,
	    "state: this browser did not go to WeChat for it");
}

/* The cashier of /pay, from below /pay/authorize. */
static void
back_url(const struct store_oauth_back *order, char url[static BACK_SIZE])
{
	snprintf(url, BACK_SIZE, "../../cashier#order_no=%s&token=%s",
	    order->order_no, order->token);
}

static bool
answer_back(struct web_reply *reply, const struct store_oauth_back *order,
    struct err *err)
{
	char url[BACK_SIZE];

	back_url(order, url);
	return web_reply_see_other(reply, url, err);
}

/* What a shopper reads who is back from WeChat and not known. */
static const struct web_words lost_words[] = {
	[FLOW_OAUTH_STRANGE] = {
		"此微信授权不属于当前浏览器，或已过期。请返回商店页面重新付款。",
		"This way back from WeChat is not this browser's, or is too "
		"old. Please go back to the shop and pay again." },
	[FLOW_OAUTH_USED] = {
		"此微信授权已使用过。",
		"This way back from WeChat has been used already." },
	[FLOW_OAUTH_SPENT] = {
		"微信授权已失效，请返回订单重试。",
		"What WeChat said of you is too old. Please go back to your "
		"order and try again." },
	[FLOW_OAUTH_SNAPSHOT] = {
		"当前页面是快照，无法付款。请在微信中打开完整页面后付款。",
		"This is a snapshot of the page. Please open the full page in "
		"WeChat, then pay." },
	[FLOW_OAUTH_BUSY] = {
		"微信暂未答复，请返回订单重试。",
		"WeChat does not answer. Please go back to your order and try "
		"again." },
	[FLOW_OAUTH_NO] = {
		"微信未能确认您的身份，请稍后返回订单重试。",
		"WeChat has not said who you are. Please go back to your "
		"order and try again later." },
};

/* Only its own browser is led back to an order. */
static bool
explain_lost(struct web_reply *reply, const struct flow_oauth *oauth,
    struct err *err)
{
	static const struct web_words back = {
		"返回订单", "Back to your order"
	};
	char url[BACK_SIZE];

	web_reply_explain(reply, &lost_words[oauth->word]);
	if (oauth->word == FLOW_OAUTH_STRANGE)
		return true;
	back_url(&oauth->order, url);
	return web_reply_link(reply, &back, url, err);
}

static bool
answer_lost(struct web_reply *reply, const struct flow_oauth *oauth,
    struct err *err)
{
	if (!explain_lost(reply, oauth, err))
		return false;
	switch (oauth->word) {
	case FLOW_OAUTH_STRANGE:
	case FLOW_OAUTH_USED:
		return err_set(err, ERR_INPUT, "state: not this browser's, or "
		    "used before, or too old; go back and pay again");
	case FLOW_OAUTH_SPENT:
		return err_set(err, ERR_INPUT,
		    "code: used before, or too old; go back and pay again");
	case FLOW_OAUTH_SNAPSHOT:
		return web_reply_refuse(reply, 403, "SNAPSHOT_USER",
		    "this is a snapshot of the page: open the full page in "
		    "WeChat, then pay", err);
	case FLOW_OAUTH_BUSY:
		return web_reply_refuse(reply, 503, "UNAVAILABLE",
		    "WeChat does not answer; try again", err);
	default:
		return err_set(err, ERR_REFUSED, "oauth: WeChat said no");
	}
}

static bool
answer_callback(const struct pay *pay, const struct web_request *req,
    struct web_reply *reply, const struct flow_oauth *oauth, struct err *err)
{
	switch (oauth->word) {
	case FLOW_OAUTH_DONE:
		return set_payer(pay, req, reply, &oauth->payer, err)
		    && answer_back(reply, &oauth->order, err);
	case FLOW_OAUTH_REFUSED:
		return answer_back(reply, &oauth->order, err);
	case FLOW_OAUTH_AGAIN:
		return web_reply_see_other(reply, oauth->url, err);
	default:
		return answer_lost(reply, oauth, err);
	}
}

/* GET /pay/authorize/callback: from WeChat, perhaps with a code. */
bool
pay_callback(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	const struct pay *pay = app;
	struct flow_oauth oauth = { 0 };
	const char *state, *code;
	char browser[NONCE_SIZE];

	if (!read_callback(req, &state, &code, browser, err)) {
		web_reply_explain(reply, &lost_words[FLOW_OAUTH_STRANGE]);
		return false;
	}
	return flow_oauth_end(&pay->flow, state, code, browser, &oauth, err)
	    && answer_callback(pay, req, reply, &oauth, err);
}

static bool
answer_login(const struct pay *pay, const struct web_request *req,
    struct web_reply *reply, const struct flow_openid *payer,
    enum flow_oauth_word word, struct err *err)
{
	struct jsonmsg *msg;

	switch (word) {
	case FLOW_OAUTH_DONE:
		if (!set_payer(pay, req, reply, payer, err))
			return false;
		msg = jsonmsg_new();
		jsonmsg_text(msg, "openid", payer->openid);
		return web_reply_json(reply, 200, msg, err);
	case FLOW_OAUTH_SPENT:
		return web_reply_refuse(reply, 409, "CODE_SPENT",
		    "js_code: used before, or too old; call wx.login again",
		    err);
	case FLOW_OAUTH_BUSY:
		return web_reply_refuse(reply, 503, "UNAVAILABLE",
		    "WeChat does not answer; call wx.login again", err);
	default:
		return err_set(err, ERR_REFUSED, "login: WeChat said no");
	}
}

/* POST /pay/openid: a mini program's wx.login. */
bool
pay_openid(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "js_code", NULL };
	const struct pay *pay = app;
	struct flow_openid payer;
	enum flow_oauth_word word = 0;
	const char *js_code;

	if (!web_auth_origin(req, pay->settings.allowed_origins, err)
	    || !web_request_form(req, known, err)
	    || !pay_need(&req->form, "js_code", &js_code, err))
		return false;
	if (!str_is_of(js_code, CODE_SET, 1, CODE_MAX))
		return err_set(err, ERR_INPUT, "js_code: not one of WeChat's");
	return flow_login(&pay->flow, js_code, &payer, &word, err)
	    && answer_login(pay, req, reply, &payer, word, err);
}

/* GET /pay/jsconfig: what a page of ours gives to wx.config. */
bool
pay_jsconfig(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "url", NULL };
	const struct pay *pay = app;
	struct flow_jsconfig config = { 0 };
	struct jsonmsg *msg;
	const char *url;
	bool found = false;

	if (!web_request_query(req, known, err)
	    || !pay_need(&req->query, "url", &url, err)
	    || !order_page_url_check(url, pay->settings.public_url,
	    pay->settings.return_hosts, err)
	    || !flow_jsconfig(&pay->flow, url, req->now, &config, &found,
	    err))
		return false;
	if (!found)
		return web_reply_refuse(reply, 503, "UNAVAILABLE",
		    "no ticket of WeChat's yet; try again", err);
	msg = jsonmsg_new();
	jsonmsg_text(msg, "appId", pay->settings.account_appid);
	jsonmsg_int(msg, "timestamp", req->now);
	jsonmsg_text(msg, "nonceStr", config.nonce);
	jsonmsg_text(msg, "signature", config.signature);
	return web_reply_json(reply, 200, msg, err);
}
