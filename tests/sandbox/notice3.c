#include "notice3.h"

#include "base/str.h"
#include "keys3.h"
#include "wire/jsonmsg.h"

/* [v3.md 21.2] {"id":,"create_time":,"resource_type":,...,"resource":{}} */
static bool
notice3_envelope(const PGresult *rows, struct jsonmsg *resource,
    struct buf *out, struct err *err)
{
	struct jsonmsg *msg = jsonmsg_new();
	bool ok;

	jsonmsg_text(resource, "original_type",
	    books_value(rows, 0, "original_type"));
	jsonmsg_text(msg, "id", books_value(rows, 0, "event_id"));
	jsonmsg_text(msg, "create_time", books_value(rows, 0, "create_time"));
	jsonmsg_text(msg, "resource_type", "encrypt-resource");
	jsonmsg_text(msg, "event_type", books_value(rows, 0, "event_type"));
	jsonmsg_text(msg, "summary", books_value(rows, 0, "summary"));
	jsonmsg_object(msg, "resource", resource);
	ok = jsonmsg_format(msg, out);
	jsonmsg_free(msg);
	return ok || err_set(err, ERR_BUG, "notice too long");
}

static bool
notice3_seal(const struct sandbox *sandbox, const PGresult *rows,
    struct buf *out, struct err *err)
{
	const char *plain = books_value(rows, 0, "fields");
	struct jsonmsg *resource = keys3_seal(sandbox->keys,
	    books_value(rows, 0, "original_type"), plain, strlen(plain), err);

	return resource != NULL && notice3_envelope(rows, resource, out, err);
}

bool
notice3_format(const struct sandbox *sandbox, const char *id,
    enum fault fault, struct buf *out, struct fields *headers,
    struct err *err)
{
	PGresult *rows = NULL;
	bool ok;

	if (sandbox->keys == NULL)
		return err_set(err, ERR_MISSING, "no keys for API V3");
	ok = books_ask(sandbox->books, "select * from sandbox.notice3($1)",
	    BOOKS_ARGS(id), &rows, err)
	    && notice3_seal(sandbox, rows, out, err)
	    && keys3_sign(sandbox->keys, NULL, fault, buf_get(out), out->len,
	    headers, err);
	PQclear(rows);
	return ok;
}

bool
notice3_is_success(int status)
{
	return status == 200 || status == 204;
}
