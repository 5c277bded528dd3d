#include "control.h"

#include "base/fen.h"
#include "base/str.h"
#include "faults.h"
#include "sandbox.h"
#include "sender.h"
#include "wire/form.h"

#define JSON_TYPE "application/json"
#define LEDGER_ROWS 200
#define LEDGER_ROWS_MAX 1000

/* One statement that makes the whole answer. */
static bool
control_answer(const struct sandbox *sandbox, const char *sql, int count,
    const char *const *args, struct web_reply *reply, struct err *err)
{
	PGresult *rows = NULL;
	bool ok = books_ask(sandbox->books, sql, count, args, &rows, err)
	    && web_reply_text(reply, 200, JSON_TYPE, PQgetvalue(rows, 0, 0),
	    err);

	PQclear(rows);
	return ok;
}

static bool
control_is_fen(const char *text)
{
	fen_t fen;

	return text == NULL || fen_parse(text, &fen);
}

/* A person goes back to the page, which shows what became of the order. */
static bool
control_scan_page(const char *out_trade_no, struct web_reply *reply,
    struct err *err)
{
	struct buf url;
	bool ok;

	buf_init(&url, 512);
	buf_text(&url, "/sandbox/phone?out_trade_no=");
	form_encode(out_trade_no, &url);
	ok = web_reply_see_other(reply, buf_get(&url), err);
	buf_clear(&url);
	return ok;
}

static bool
control_scan_answer(const struct web_request *req, const PGresult *rows,
    struct web_reply *reply, struct err *err)
{
	const char *word = books_value(rows, 0, "word");
	const char *out_trade_no = books_value(rows, 0, "out_trade_no");
	struct jsonmsg *msg;

	if (str_eq(word, "unknown"))
		return err_set(err, ERR_MISSING, "no such order");
	if (!str_eq(word, "paid"))
		return err_set(err, ERR_CONFLICT, "%s", word);
	if (web_request_is_browser(req))
		return control_scan_page(out_trade_no, reply, err);
	msg = jsonmsg_new();
	jsonmsg_text(msg, "out_trade_no", out_trade_no);
	jsonmsg_text(msg, "transaction_id",
	    books_value(rows, 0, "transaction_id"));
	return web_reply_json(reply, 200, msg, err);
}

bool
control_scan(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "code_url", "prepay_id",
		"out_trade_no", "openid", "coupon_fee", "coupon_type", NULL };
	const struct sandbox *sandbox = app;
	PGresult *rows = NULL;
	const char *by = NULL;
	const char *coupon_type;
	bool ok;

	if (!web_request_form(req, known, err))
		return false;
	for (int i = 0; i < 3 && by == NULL; i++)
		by = fields_get(&req->form, known[i]);
	coupon_type = fields_get(&req->form, "coupon_type");
	if (by == NULL || !control_is_fen(fields_get(&req->form,
	    "coupon_fee")))
		return err_set(err, ERR_INPUT,
		    "code_url, prepay_id or out_trade_no; coupon_fee in fen");
	ok = books_ask(sandbox->books,
	    "select * from sandbox.pay($1, $2, $3, $4)", BOOKS_ARGS(by,
	    fields_get(&req->form, "openid"),
	    fields_get(&req->form, "coupon_fee"),
	    coupon_type != NULL ? coupon_type : "CASH"), &rows, err)
	    && control_scan_answer(req, rows, reply, err);
	PQclear(rows);
	return ok;
}

bool
control_refund_by_hand(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err)
{
	static const char *const known[] = { "out_trade_no", "refund_fee",
		"notice", NULL };
	const struct sandbox *sandbox = app;
	struct jsonmsg *msg;
	PGresult *rows = NULL;
	const char *code;
	fen_t fen;
	bool ok;

	if (!web_request_form(req, known, err))
		return false;
	if (!fen_parse(fields_text(&req->form, "refund_fee"), &fen))
		return err_set(err, ERR_INPUT, "refund_fee: not an amount");
	ok = books_ask(sandbox->books,
	    "select * from sandbox.refund_by_hand($1, $2, $3, $4)",
	    BOOKS_ARGS(fields_text(&req->form, "out_trade_no"),
	    fields_text(&req->form, "refund_fee"),
	    sandbox->refund_notify_url, fields_get(&req->form, "notice")),
	    &rows, err);
	code = ok ? books_value(rows, 0, "code") : NULL;
	if (ok && *code != '\0')
		ok = err_set(err, ERR_CONFLICT, "%s", code);
	if (ok) {
		msg = jsonmsg_new();
		jsonmsg_text(msg, "out_refund_no",
		    books_value(rows, 0, "out_refund_no"));
		ok = web_reply_json(reply, 200, msg, err);
	}
	PQclear(rows);
	return ok;
}

bool
control_refund_status(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err)
{
	static const char *const known[] = { "out_refund_no",
		"refund_status", NULL };
	const struct sandbox *sandbox = app;
	struct jsonmsg *msg;
	PGresult *rows = NULL;
	bool ok;

	if (!web_request_form(req, known, err))
		return false;
	ok = books_ask(sandbox->books,
	    "select sandbox.refund_become($1, $2)",
	    BOOKS_ARGS(fields_text(&req->form, "out_refund_no"),
	    fields_text(&req->form, "refund_status")), &rows, err);
	if (ok && !str_eq(PQgetvalue(rows, 0, 0), "t"))
		ok = err_set(err, ERR_CONFLICT,
		    "no such refund, or it has that status");
	if (ok) {
		msg = jsonmsg_new();
		jsonmsg_text(msg, "refund_status",
		    fields_text(&req->form, "refund_status"));
		ok = web_reply_json(reply, 200, msg, err);
	}
	PQclear(rows);
	return ok;
}

bool
control_clock(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "speed", "schedule_s",
		"answer_ms", "close_min_s", "refund_gap_s",
		"refund_delay_ms", "prepay_life_s", "reverse_min_s", NULL };
	const struct fields *form = &req->form;

	return web_request_form(req, known, err)
	    && control_answer(app, "select sandbox.settings_set($1,"
	    " string_to_array($2, ',')::integer[], $3, $4, $5, $6, $7, $8)",
	    BOOKS_ARGS(fields_get(form, "speed"),
	    fields_get(form, "schedule_s"), fields_get(form, "answer_ms"),
	    fields_get(form, "close_min_s"),
	    fields_get(form, "refund_gap_s"),
	    fields_get(form, "refund_delay_ms"),
	    fields_get(form, "prepay_life_s"),
	    fields_get(form, "reverse_min_s")), reply, err);
}

bool
control_keys(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "listed", "signer", NULL };
	const struct sandbox *sandbox = app;

	if (!web_request_form(req, known, err))
		return false;
	if (sandbox->keys == NULL)
		return err_set(err, ERR_MISSING, "no keys for API V3");
	return control_answer(sandbox, "select sandbox.keys_set($1, $2)",
	    BOOKS_ARGS(fields_get(&req->form, "listed"),
	    fields_get(&req->form, "signer")), reply, err);
}

bool
control_notify(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "out_trade_no", "out_refund_no",
		"copies", "forged", "probe", NULL };
	const struct sandbox *sandbox = app;
	const char *refund, *copies_text;
	struct buf replies;
	enum fault fault = FAULT_NONE;
	long copies = 1;
	bool ok;

	if (!web_request_form(req, known, err))
		return false;
	if (str_eq(fields_text(&req->form, "forged"), "1"))
		fault = FAULT_FORGED;
	if (str_eq(fields_text(&req->form, "probe"), "1"))
		fault = FAULT_PROBE;
	refund = fields_get(&req->form, "out_refund_no");
	copies_text = fields_get(&req->form, "copies");
	if (copies_text != NULL && (!str_to_long(copies_text,
	    SENDER_COPIES_MAX, &copies) || copies == 0))
		return err_set(err, ERR_INPUT, "copies: 1 to %d",
		    SENDER_COPIES_MAX);
	buf_init(&replies, WEB_REPLY_MAX);
	ok = sender_repeat(sandbox, refund != NULL ? "refunded" : "paid",
	    refund != NULL ? refund : fields_text(&req->form, "out_trade_no"),
	    (int)copies, fault, &replies, err)
	    && web_reply_text(reply, 200, JSON_TYPE, buf_get(&replies), err);
	buf_clear(&replies);
	return ok;
}

bool
control_ledger(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "out_trade_no", "limit", NULL };
	const char *limit;
	char text[FEN_TEXT_SIZE];
	long rows = LEDGER_ROWS;

	if (!web_request_query(req, known, err))
		return false;
	limit = fields_get(&req->query, "limit");
	if (limit != NULL && !str_to_long(limit, LEDGER_ROWS_MAX, &rows))
		return err_set(err, ERR_INPUT, "limit: at most %d",
		    LEDGER_ROWS_MAX);
	fen_format(rows, text);
	return control_answer(app, "select sandbox.ledger($1, $2)",
	    BOOKS_ARGS(fields_get(&req->query, "out_trade_no"), text), reply,
	    err);
}

bool
control_health(void *app, struct web_request *req UNUSED,
    struct web_reply *reply, struct err *err)
{
	return control_answer(app, "select row_to_json(s)"
	    " from sandbox.settings s", 0, NULL, reply, err);
}
