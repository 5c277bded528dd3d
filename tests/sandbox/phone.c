#include "phone.h"

#include "base/fen.h"
#include "base/str.h"
#include "sandbox.h"
#include "wire/form.h"

#define PHONE_ORDERS_MAX "50"
#define HTML_TYPE "text/html; charset=utf-8"
#define PAGE_HEAD "<!doctype html>\n<html lang=\"en\">\n" \
	"<meta charset=\"utf-8\">\n<meta name=\"viewport\" " \
	"content=\"width=device-width\">\n" \
	"<title>WeChat (sandbox)</title>\n"

static void
phone_text(struct buf *page, const char *text)
{
	for (; text != NULL && *text != '\0'; text++)
		switch (*text) {
		case '&':
			buf_text(page, "&amp;");
			break;
		case '<':
			buf_text(page, "&lt;");
			break;
		case '"':
			buf_text(page, "&quot;");
			break;
		default:
			buf_char(page, *text);
		}
}

/* "¥12.34" */
static void
phone_amount(struct buf *page, const char *fen_text)
{
	char yuan[FEN_YUAN_SIZE];
	fen_t fen;

	if (fen_text != NULL && fen_parse(fen_text, &fen)) {
		fen_format_yuan(fen, yuan);
		buf_format(page, "¥%s", yuan);
	}
}

static void
phone_row(struct buf *page, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	buf_format(page, "<tr><th align=\"left\">%s<td>", name);
	phone_text(page, value);
	buf_char(page, '\n');
}

static void
phone_order_link(struct buf *page, const PGresult *rows, int row)
{
	buf_text(page, "<li><a href=\"/sandbox/phone?out_trade_no=");
	form_encode(books_value(rows, row, "out_trade_no"), page);
	buf_text(page, "\">");
	phone_text(page, books_value(rows, row, "out_trade_no"));
	buf_text(page, "</a> ");
	phone_amount(page, books_value(rows, row, "total_fee"));
	buf_char(page, ' ');
	phone_text(page, books_value(rows, row, "body"));
	buf_char(page, '\n');
}

static bool
phone_list(const struct sandbox *sandbox, struct buf *page, struct err *err)
{
	PGresult *rows = NULL;
	int count;

	if (!books_ask(sandbox->books, "select out_trade_no,"
	    " total_fen as total_fee, params->>'body' as body"
	    " from sandbox.payments where state = 'NOTPAY'"
	    " order by id desc limit " PHONE_ORDERS_MAX, 0, NULL, &rows,
	    err))
		return false;
	count = PQntuples(rows);
	buf_text(page, "<h1>Scan</h1>\n<form action=\"/sandbox/phone\">\n"
	    "<p><label>Paste what the QR code says<br>"
	    "<input name=\"code_url\" size=\"60\" required autofocus "
	    "placeholder=\"weixin://wxpay/bizpayurl?pr=...\"></label>\n"
	    "<button>Scan</button></form>\n<h2>Open orders</h2>\n");
	if (count == 0)
		buf_text(page, "<p>None: every order is paid or closed.\n");
	buf_text(page, "<ul>\n");
	for (int i = 0; i < count; i++)
		phone_order_link(page, rows, i);
	buf_text(page, "</ul>\n<p><a href=\"/sandbox/ledger\">Ledger</a>\n");
	PQclear(rows);
	return true;
}

static void
phone_order(struct buf *page, const PGresult *rows)
{
	const char *state = books_value(rows, 0, "state");
	const char *number = books_value(rows, 0, "out_trade_no");

	buf_text(page, "<h1>");
	phone_amount(page, books_value(rows, 0, "total_fee"));
	buf_text(page, "</h1>\n<h2>");
	phone_text(page, books_value(rows, 0, "body"));
	buf_text(page, "</h2>\n<table cellpadding=\"4\">\n");
	phone_row(page, "Merchant", books_value(rows, 0, "mch_id"));
	phone_row(page, "Order", number);
	phone_row(page, "Paid by", books_value(rows, 0, "trade_type"));
	phone_row(page, "Must be paid before",
	    books_value(rows, 0, "expires"));
	phone_row(page, "State", state);
	phone_row(page, "Transaction", books_value(rows, 0,
	    "transaction_id"));
	buf_text(page, "</table>\n");
	if (str_eq(state, "NOTPAY")) {
		buf_text(page, "<form method=\"post\" "
		    "action=\"/sandbox/scan\">\n"
		    "<input type=\"hidden\" name=\"out_trade_no\" value=\"");
		phone_text(page, number);
		buf_text(page, "\">\n<p><button>Pay</button></form>\n");
	}
	buf_text(page, "<p><a href=\"/sandbox/phone\">");
	buf_text(page, str_eq(state, "NOTPAY") ? "Cancel" : "Back");
	buf_text(page, "</a>\n");
}

static bool
phone_one(const struct sandbox *sandbox, const char *by, struct buf *page,
    struct err *err)
{
	PGresult *rows = NULL;
	bool ok = books_ask(sandbox->books, "select p.out_trade_no, p.state,"
	    " p.total_fen as total_fee, p.trade_type, p.transaction_id,"
	    " p.params->>'body' as body, coalesce(p.params->>'sub_mch_id',"
	    " p.params->>'mch_id') as mch_id,"
	    " sandbox.spaced(p.time_expire) as expires"
	    " from sandbox.payments p join sandbox.prepays e"
	    " using (out_trade_no) where $1 in (e.code_url, e.prepay_id,"
	    " e.out_trade_no) limit 1", BOOKS_ARGS(by), &rows, err);

	if (ok && PQntuples(rows) == 0)
		ok = err_set(err, ERR_MISSING, "no such order");
	if (ok)
		phone_order(page, rows);
	PQclear(rows);
	return ok;
}

bool
phone_show(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "code_url", "prepay_id",
		"out_trade_no", NULL };
	const struct sandbox *sandbox = app;
	const char *by = NULL;
	struct buf page;
	bool ok;

	if (!web_request_query(req, known, err))
		return false;
	for (int i = 0; known[i] != NULL && by == NULL; i++)
		by = fields_get(&req->query, known[i]);
	buf_init(&page, WEB_REPLY_MAX);
	buf_text(&page, PAGE_HEAD);
	ok = (by != NULL ? phone_one(sandbox, by, &page, err)
	    : phone_list(sandbox, &page, err))
	    && web_reply_text(reply, 200, HTML_TYPE, buf_get(&page), err);
	buf_clear(&page);
	return ok;
}

/* ------------------------------------------------ a phone's browser, by H5 */

/* Why WeChat's page does not open; NULL if it does. */
static const char *
h5_distrust(const struct sandbox *sandbox, const struct web_request *req)
{
	const char *referer = fields_text(&req->params, "HTTP_REFERER");
	const char *back = fields_get(&req->query, "redirect_url");

	if (strstr(req->user_agent, "MicroMessenger") != NULL)
		return "请在微信外打开订单，进行支付";
	if (referer[0] == '\0')
		return "商家参数格式有误，请联系商家解决";
	if (!sandbox_is_domain(sandbox, referer)
	    || (back != NULL && !sandbox_is_domain(sandbox, back)))
		return "商家存在未配置的参数，请联系商家解决";
	return NULL;
}

static void
h5_hidden(struct buf *page, const char *name, const char *value)
{
	buf_format(page, "<input type=\"hidden\" name=\"%s\" value=\"", name);
	phone_text(page, value);
	buf_text(page, "\">\n");
}

static void
h5_order(struct buf *page, const PGresult *rows,
    const struct web_request *req)
{
	const char *back = fields_get(&req->query, "redirect_url");

	buf_text(page, "<h1>");
	phone_amount(page, books_value(rows, 0, "total_fee"));
	buf_text(page, "</h1>\n<h2>");
	phone_text(page, books_value(rows, 0, "body"));
	buf_text(page, "</h2>\n");
	if (str_eq(books_value(rows, 0, "state"), "NOTPAY")) {
		buf_text(page, "<form method=\"post\" "
		    "action=\"/sandbox/h5\">\n");
		h5_hidden(page, "prepay_id", fields_text(&req->query,
		    "prepay_id"));
		if (back != NULL)
			h5_hidden(page, "redirect_url", back);
		buf_text(page, "<p><button>Pay</button></form>\n");
	}
	if (back != NULL) {
		buf_text(page, "<p><a href=\"");
		phone_text(page, back);
		buf_text(page, "\">Done</a>\n");
	}
}

bool
phone_h5(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "prepay_id", "package",
		"redirect_url", NULL };
	const struct sandbox *sandbox = app;
	const char *why = NULL;
	PGresult *rows = NULL;
	struct buf page;
	bool ok;

	buf_init(&page, WEB_REPLY_MAX);
	buf_text(&page, PAGE_HEAD);
	ok = web_request_query(req, known, err)
	    && books_ask(sandbox->books, "select * from sandbox.h5_show($1, $2)",
	    BOOKS_ARGS(fields_text(&req->query, "prepay_id"), req->client_ip),
	    &rows, err)
	    && (PQntuples(rows) > 0
	    || err_set(err, ERR_MISSING, "no such order"));
	if (ok) {
		why = h5_distrust(sandbox, req);
		if (why == NULL)
			why = books_value(rows, 0, "why");
		if (why != NULL)
			buf_format(&page, "<p>%s\n", why);
		else
			h5_order(&page, rows, req);
		ok = web_reply_text(reply, 200, HTML_TYPE, buf_get(&page),
		    err);
	}
	PQclear(rows);
	buf_clear(&page);
	return ok;
}

bool
phone_h5_pay(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "prepay_id", "redirect_url",
		NULL };
	const struct sandbox *sandbox = app;
	const char *back, *word;
	PGresult *rows = NULL;
	bool ok;

	if (!web_request_form(req, known, err))
		return false;
	back = fields_get(&req->form, "redirect_url");
	if (back != NULL && !sandbox_is_domain(sandbox, back))
		return err_set(err, ERR_INPUT, "redirect_url");
	ok = books_ask(sandbox->books,
	    "select * from sandbox.pay($1, null, null, null)",
	    BOOKS_ARGS(fields_text(&req->form, "prepay_id")), &rows, err);
	if (ok) {
		word = books_value(rows, 0, "word");
		ok = (str_eq(word, "paid") || str_eq(word, "already")
		    || err_set(err, ERR_CONFLICT, "%s", word))
		    && (back != NULL ? web_reply_see_other(reply, back, err)
		    : web_reply_text(reply, 200, HTML_TYPE, PAGE_HEAD
		    "<p>Paid\n", err));
	}
	PQclear(rows);
	return ok;
}
