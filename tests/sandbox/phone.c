#include "phone.h"

#include "base/fen.h"
#include "base/str.h"
#include "sandbox.h"
#include "wire/form.h"

#define PHONE_ORDERS_MAX "50"

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
	    " p.params->>'body' as body, p.params->>'mch_id' as mch_id,"
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
	buf_text(&page, "<!doctype html>\n<html lang=\"en\">\n"
	    "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
	    "content=\"width=device-width\">\n"
	    "<title>WeChat (sandbox)</title>\n");
	ok = (by != NULL ? phone_one(sandbox, by, &page, err)
	    : phone_list(sandbox, &page, err))
	    && web_reply_text(reply, 200, "text/html; charset=utf-8",
	    buf_get(&page), err);
	buf_clear(&page);
	return ok;
}
