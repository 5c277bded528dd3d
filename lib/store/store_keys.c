#include "store/store_keys.h"

#include "base/str.h"
#include "store/store_query.h"

/* A cell that is text; a null is "". */
static const char *
cell(const PGresult *rows, int row, const char *column)
{
	return PQgetvalue(rows, row, PQfnumber(rows, column));
}

bool
store_keys_list(struct store *store, store_key_visit *visit, void *arg,
    int64_t deadline, struct err *err)
{
	struct store_query query;
	PGresult *rows = NULL;
	bool ok;

	store_query_init(&query, STORE_SQL_KEYS_LIST, store);
	ok = store_query_run(store, &query, deadline, &rows, err);
	for (int row = 0; ok && row < PQntuples(rows); row++)
		ok = visit(arg, cell(rows, row, "serial"),
		    cell(rows, row, "pem"), err);
	PQclear(rows);
	return ok;
}

bool
store_keys_claim(struct store *store, const char *nonce, long lease_s,
    int64_t deadline, int64_t *lease_no, int64_t *call_no, bool *found,
    struct err *err)
{
	struct store_query query;
	PGresult *rows = NULL;
	bool ok;

	store_query_init(&query, STORE_SQL_KEYS_CLAIM, store);
	store_query_text(&query, nonce);
	store_query_int(&query, lease_s);
	ok = store_query_run(store, &query, deadline, &rows, err);
	*found = ok && PQntuples(rows) > 0;
	if (*found)
		ok = store_rows_int(rows, "lease_no", lease_no, err)
		    && store_rows_int(rows, "call_no", call_no, err);
	PQclear(rows);
	return ok;
}

bool
store_key_put(struct store *store, const char *serial, const char *pem,
    epoch_t not_before, epoch_t not_after, int64_t deadline, bool *is_new,
    struct err *err)
{
	enum { NEW = 1, KNOWN, DIFFERS };
	static const struct store_word words[] = {
		{ "new", NEW }, { "known", KNOWN }, { "differs", DIFFERS },
		{ NULL, 0 },
	};
	struct store_query query;
	int word = 0;

	store_query_init(&query, STORE_SQL_KEY_PUT, store);
	store_query_text(&query, serial);
	store_query_text(&query, pem);
	store_query_int(&query, not_before);
	store_query_int(&query, not_after);
	if (!store_query_word(store, &query, deadline, words, &word, err))
		return false;
	if (word == DIFFERS)
		return err_set(err, ERR_CONFLICT,
		    "certificate %s: another one has this serial", serial);
	*is_new = word == NEW;
	return true;
}

bool
store_keys_told(struct store *store, const struct store_keys_outcome *outcome,
    int64_t deadline, struct err *err)
{
	/* a lost lease is nothing to do about: the other one has fetched */
	static const struct store_word words[] = {
		{ "t", true }, { "f", false }, { NULL, 0 },
	};
	struct store_query query;
	int word;

	store_query_init(&query, STORE_SQL_KEYS_TOLD, store);
	store_query_int(&query, outcome->lease_no);
	store_query_int(&query, outcome->call_no);
	store_query_text(&query, outcome->verdict);
	store_query_text(&query, outcome->code);
	store_query_int(&query, outcome->again_s);
	return store_query_word(store, &query, deadline, words, &word, err);
}

bool
store_key_seen(struct store *store, const char *serial, const char *via,
    int64_t deadline, struct err *err)
{
	static const struct store_word words[] = { { "t", true }, { NULL, 0 } };
	struct store_query query;
	int word;

	store_query_init(&query, STORE_SQL_KEY_SEEN, store);
	store_query_text(&query, serial);
	store_query_text(&query, via);
	return store_query_word(store, &query, deadline, words, &word, err);
}

bool
store_keys_wanted(struct store *store, int64_t deadline, struct err *err)
{
	static const struct store_word words[] = { { "t", true }, { NULL, 0 } };
	struct store_query query;
	int word;

	store_query_init(&query, STORE_SQL_KEYS_WANTED, store);
	return store_query_word(store, &query, deadline, words, &word, err);
}

bool
store_keys_report(struct store *store, const char *pub_key_id,
    store_key_show *show, void *arg, int64_t deadline, struct err *err)
{
	struct store_query query;
	PGresult *rows = NULL;
	bool ok;

	store_query_init(&query, STORE_SQL_KEYS_REPORT, store);
	store_query_text(&query, pub_key_id);
	ok = store_query_run(store, &query, deadline, &rows, err);
	for (int row = 0; ok && row < PQntuples(rows); row++) {
		const struct store_key_report report = {
			.serial = cell(rows, row, "serial"),
			.kind = cell(rows, row, "kind"),
			.not_after = cell(rows, row, "not_after"),
			.notice_at = cell(rows, row, "notice_at"),
			.answer_at = cell(rows, row, "answer_at"),
			.fetched_at = cell(rows, row, "fetched_at"),
			.fetch_outcome = cell(rows, row, "fetch_outcome"),
		};

		ok = show(arg, &report, err);
	}
	PQclear(rows);
	return ok;
}

bool
store_keys_safe(struct store *store, const char *pub_key_id, int64_t deadline,
    enum store_keys_safe *out, struct err *err)
{
	static const struct store_word words[] = {
		{ "yes", STORE_KEYS_SAFE },
		{ "none", STORE_KEYS_NONE },
		{ "no_key", STORE_KEYS_NO_PUB_KEY },
		{ "unused", STORE_KEYS_UNUSED },
		{ "young", STORE_KEYS_YOUNG },
		{ "certificate", STORE_KEYS_CERTIFICATE },
		{ NULL, 0 },
	};
	struct store_query query;
	int word = 0;

	store_query_init(&query, STORE_SQL_KEYS_SAFE, store);
	store_query_text(&query, pub_key_id);
	if (!store_query_word(store, &query, deadline, words, &word, err))
		return false;
	*out = (enum store_keys_safe)word;
	return true;
}
