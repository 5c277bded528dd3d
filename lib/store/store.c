#include "store/store.h"

#include <assert.h>

#include "base/str.h"
#include "store/store_query.h"

bool
store_open(const struct store_config *config, struct store **out,
    struct err *err)
{
	struct store *store = NULL;

	assert(config->conninfo != NULL && config->mchid != NULL);
	store = calloc(1, sizeof(*store));
	if (store == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	if (!str_copy(store->mchid, sizeof(store->mchid), config->mchid))
		err_set(err, ERR_INPUT, "mchid: over %d characters",
		    MCHID_MAX);
	else if (store_pool_new(config->conninfo, config->role,
		config->connections, &store->pool, err)) {
		*out = store;
		return true;
	}
	free(store);
	return false;
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	store_pool_free(store->pool);
	free(store);
}

bool
store_ping(struct store *store, int64_t deadline, struct err *err)
{
	struct store_query query;
	PGresult *rows = NULL;
	bool is_writable = false;
	bool ok = false;

	store_query_bare(&query, STORE_SQL_PING);
	ok = store_query_row(store, &query, deadline, &rows, err)
	    && store_rows_bool(rows, "ping", &is_writable, err);
	if (ok && !is_writable)
		ok = err_set(err, ERR_STORE, "the database is a standby");
	PQclear(rows);
	return ok;
}
