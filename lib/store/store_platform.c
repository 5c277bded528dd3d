#include "store/store_platform.h"

#include "store/store_query.h"

static const struct store_word token_kinds[] = {
	{ "access_token", STORE_ACCESS_TOKEN },
	{ "jsapi_ticket", STORE_JSAPI_TICKET },
	{ NULL, 0 },
};

bool
store_oauth_begin(struct store *store, const struct store_oauth *oauth,
    int64_t deadline, bool *found, struct err *err)
{
	static const struct store_word words[] = {
		{ "begun", true }, { "unknown", false }, { NULL, 0 },
	};
	struct store_query query;
	int word = false;

	store_query_init(&query, STORE_SQL_OAUTH_BEGIN, store);
	store_query_text(&query, oauth->order_no);
	store_query_text(&query, oauth->token);
	store_query_text(&query, oauth->state);
	store_query_text(&query, oauth->browser);
	store_query_int(&query, oauth->tries);
	if (!store_query_word(store, &query, deadline, words, &word, err))
		return false;
	*found = word;
	return true;
}

static bool
oauth_order(const PGresult *rows, struct store_oauth_back *out,
    struct err *err)
{
	return store_rows_text(rows, 0, "order_no", out->order_no,
	    sizeof(out->order_no), err)
	    && store_rows_text(rows, 0, "token", out->token,
	    sizeof(out->token), err);
}

bool
store_oauth_take(struct store *store, const char *state, const char *browser,
    const char *nonce, int64_t deadline, struct store_oauth_back *out,
    bool *found, struct err *err)
{
	struct store_query query;
	PGresult *rows = NULL;
	bool ok;

	store_query_init(&query, STORE_SQL_OAUTH_TAKE, store);
	store_query_text(&query, state);
	store_query_text(&query, browser);
	store_query_text(&query, nonce);
	ok = store_query_run(store, &query, deadline, &rows, err);
	*found = ok && PQntuples(rows) > 0;
	if (*found)
		ok = oauth_order(rows, out, err)
		    && store_rows_int(rows, "tries", &out->tries, err);
	PQclear(rows);
	return ok;
}

bool
store_oauth_used(struct store *store, const char *state, const char *browser,
    int64_t deadline, struct store_oauth_back *out, bool *found,
    struct err *err)
{
	struct store_query query;
	PGresult *rows = NULL;
	bool ok;

	store_query_init(&query, STORE_SQL_OAUTH_USED, store);
	store_query_text(&query, state);
	store_query_text(&query, browser);
	ok = store_query_run(store, &query, deadline, &rows, err);
	*found = ok && PQntuples(rows) > 0;
	if (*found)
		ok = oauth_order(rows, out, err);
	PQclear(rows);
	return ok;
}

bool
store_oauth_sweep(struct store *store, int64_t deadline, long *count,
    struct err *err)
{
	struct store_query query;

	store_query_bare(&query, STORE_SQL_OAUTH_SWEEP);
	return store_query_count(store, &query, deadline, count, err);
}

bool
store_tokens_claim(struct store *store, const char *appid, long lease_s,
    int64_t deadline, struct store_token_claim *out, bool *found,
    struct err *err)
{
	struct store_query query;
	PGresult *rows = NULL;
	int kind = 0;
	bool ok;

	store_query_init(&query, STORE_SQL_TOKENS_CLAIM, store);
	store_query_text(&query, appid);
	store_query_int(&query, lease_s);
	ok = store_query_run(store, &query, deadline, &rows, err);
	*found = ok && PQntuples(rows) > 0;
	if (*found)
		ok = store_rows_word(rows, "kind", token_kinds, &kind, err)
		    && store_rows_int(rows, "lease_no", &out->lease_no, err)
		    && store_rows_text(rows, 0, "access_token",
		    out->access_token, sizeof(out->access_token), err);
	out->kind = (enum store_token_kind)kind;
	PQclear(rows);
	return ok;
}

bool
store_token_told(struct store *store,
    const struct store_token_outcome *outcome, int64_t deadline,
    struct err *err)
{
	/* a lost lease is nothing to do about: the other one has fetched */
	static const struct store_word words[] = {
		{ "t", true }, { "f", false }, { NULL, 0 },
	};
	struct store_query query;
	int word;

	store_query_init(&query, STORE_SQL_TOKEN_TOLD, store);
	store_query_text(&query, outcome->appid);
	store_query_text(&query, outcome->kind == STORE_ACCESS_TOKEN
	    ? "access_token" : "jsapi_ticket");
	store_query_int(&query, outcome->lease_no);
	store_query_text(&query, outcome->outcome);
	store_query_text(&query, outcome->value);
	store_query_int(&query, outcome->life_s);
	store_query_int(&query, outcome->early_s);
	store_query_text(&query, outcome->stale);
	return store_query_word(store, &query, deadline, words, &word, err);
}

bool
store_ticket_show(struct store *store, const char *appid, int64_t deadline,
    char **ticket, struct err *err)
{
	struct store_query query;

	store_query_init(&query, STORE_SQL_TICKET_SHOW, store);
	store_query_text(&query, appid);
	return store_query_value(store, &query, deadline, ticket, err);
}
