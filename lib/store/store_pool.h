/*
 * store_pool: a few connections that threads share.
 *
 * Knows when a connection may be used again and a statement repeated.  Hides
 * who waits for whom.  Owns the connections.  Private to lib/store.
 */
#ifndef STORE_STORE_POOL_H
#define STORE_STORE_POOL_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "store/store_conn.h"

#define STORE_CONNECTIONS_MAX 64

struct store_pool;

/* Opens no connection.  ERR_INPUT if conninfo cannot be read. */
MUSTUSE bool store_pool_new(const char *conninfo, const char *role,
    int connections, struct store_pool **out, struct err *err);
void store_pool_free(struct store_pool *pool);	/* NULL is fine */

/*
 * Run a statement on one of the connections, and once more if the connection
 * broke or the server wants that.  Returns only after the commit.  *rows is
 * the caller's, who calls PQclear.
 */
MUSTUSE bool store_pool_exec(struct store_pool *pool,
    const struct store_statement *statement, int64_t deadline,
    PGresult **rows, struct err *err);

#endif
