#include "notice2.h"

#include "base/str.h"
#include "wire/mac.h"
#include "wire/seal2.h"
#include "wire/sign2.h"
#include "wire/xmlmsg.h"

#define SUCCESS_BODY "<xml><return_code><![CDATA[SUCCESS]]></return_code>" \
	"<return_msg><![CDATA[OK]]></return_msg></xml>"

/* The rows (name, value) that sql has about the notice id. */
static bool
notice2_add(struct books *books, const char *sql, const char *id,
    struct fields *out, struct err *err)
{
	PGresult *rows = NULL;
	bool ok = books_ask(books, sql, BOOKS_ARGS(id), &rows, err);

	for (int i = 0; ok && i < PQntuples(rows); i++)
		ok = fields_add(out, PQgetvalue(rows, i, 0),
		    PQgetvalue(rows, i, 1), err);
	PQclear(rows);
	return ok;
}

static bool
notice2_facts(struct books *books, const char *id, struct fields *out,
    struct err *err)
{
	return notice2_add(books, "select e.key, e.value"
	    " from sandbox.notices n, jsonb_each_text(n.fields) e"
	    " where n.id = $1", id, out, err);
}

/* For whom the payment was made, and under which appids. */
static bool
notice2_parties(struct books *books, const char *id, struct fields *out,
    struct err *err)
{
	return notice2_add(books, "select e.key, e.value"
	    " from sandbox.notices n join sandbox.payments p"
	    " using (out_trade_no), jsonb_each_text(p.params) e"
	    " where n.id = $1 and e.key in ('appid', 'mch_id', 'sub_appid',"
	    " 'sub_mch_id')", id, out, err);
}

static bool
notice2_envelope(const struct sandbox *sandbox, const char *id,
    struct fields *out, struct err *err)
{
	char nonce[NONCE_SIZE];

	return nonce_new(nonce, err)
	    && fields_add(out, "return_code", "SUCCESS", err)
	    && notice2_parties(sandbox->books, id, out, err)
	    && fields_add(out, "nonce_str", nonce, err);
}

static bool
notice2_paid(const struct sandbox *sandbox, const char *id,
    const char *sign_type, const struct secret *key, struct fields *facts,
    struct err *err)
{
	enum sign2_type type;
	char sign[SIGN2_SIZE];

	return (sign2_type_parse(sign_type, &type)
	    || err_set(err, ERR_BUG, "sign_type in the books"))
	    && notice2_envelope(sandbox, id, facts, err)
	    && fields_add(facts, "result_code", "SUCCESS", err)
	    && sign2_sign(facts, type, key, sign, err)
	    && fields_add(facts, "sign", sign, err);
}

/* <root><name>value</name>...</root>, with the values escaped. */
static void
notice2_root(const struct fields *facts, struct buf *out)
{
	buf_text(out, "<root>\n");
	for (size_t i = 0; i < facts->count; i++) {
		buf_format(out, "<%s>", facts->list[i].name);
		for (const char *c = facts->list[i].value; *c != '\0'; c++) {
			if (*c == '&')
				buf_text(out, "&amp;");
			else if (*c == '<')
				buf_text(out, "&lt;");
			else if (*c == '>')
				buf_text(out, "&gt;");
			else
				buf_char(out, *c);
		}
		buf_format(out, "</%s>\n", facts->list[i].name);
	}
	buf_text(out, "</root>\n");
}

static bool
notice2_refunded(const struct sandbox *sandbox, const char *id,
    const struct secret *key, const struct fields *facts, struct fields *out, struct err *err)
{
	struct buf plain, sealed;
	bool ok = false;

	buf_init(&plain, XMLMSG_MAX);
	buf_init(&sealed, XMLMSG_MAX);
	notice2_root(facts, &plain);
	if (!buf_ok(&plain)) {
		err_set(err, ERR_BUG, "notice too long");
		goto out;
	}
	ok = notice2_envelope(sandbox, id, out, err)
	    && seal2_seal(buf_get(&plain), plain.len, key, &sealed, err)
	    && fields_add(out, "req_info", buf_get(&sealed), err);
out:
	buf_clear(&sealed);
	buf_clear(&plain);
	return ok;
}

bool
notice2_format(const struct sandbox *sandbox, const char *id,
    const char *kind, const char *sign_type, bool forged, struct buf *out,
    struct err *err)
{
	struct secret *stranger = NULL;
	const struct secret *key;
	struct fields facts = { 0 };
	struct fields sealed = { 0 };
	char other[NONCE_SIZE];
	bool is_paid = str_eq(kind, "paid");
	bool ok;

	ok = nonce_new(other, err)
	    && secret_new(other, NONCE_SIZE - 1, &stranger, err)
	    && notice2_facts(sandbox->books, id, &facts, err);
	key = forged ? stranger : sandbox->api_key;
	if (ok && is_paid)
		ok = notice2_paid(sandbox, id, sign_type, key, &facts, err);
	else if (ok)
		ok = notice2_refunded(sandbox, id, key, &facts, &sealed, err);
	if (ok)
		xmlmsg_format(is_paid ? &facts : &sealed, out);
	fields_clear(&sealed);
	fields_clear(&facts);
	secret_free(stranger);
	return ok && (buf_ok(out)
	    || err_set(err, ERR_BUG, "notice too long"));
}

bool
notice2_is_success(const char *reply)
{
	return str_eq(reply, SUCCESS_BODY);
}
