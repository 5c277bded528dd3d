#include "auth_codes.h"

#include "base/str.h"
#include "sandbox.h"

bool
auth_codes_set(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	static const char *const known[] = { "auth_code", "does", "after_ms",
		"code", NULL };
	const struct sandbox *sandbox = app;
	const struct fields *form = &req->form;
	PGresult *rows = NULL;
	bool ok;

	ok = web_request_form(req, known, err)
	    && books_ask(sandbox->books,
	    "select sandbox.auth_code_set($1, $2, $3, $4)", BOOKS_ARGS(
	    fields_get(form, "auth_code"), fields_get(form, "does"),
	    fields_get(form, "after_ms"), fields_get(form, "code")), &rows,
	    err)
	    && web_reply_text(reply, 200, "application/json",
	    PQgetvalue(rows, 0, 0), err);
	PQclear(rows);
	return ok;
}
