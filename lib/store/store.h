/*
 * store: our SQL functions as C calls.
 *
 * Knows the database's connections, and one deadline a request.  Hides
 * libpq.  Owns a small pool.  Every function that it calls may be repeated,
 * so a connection that breaks is replaced and the call made once more within
 * the deadline; after that it is ERR_STORE.
 *
 * A deadline is a clock_monotonic_ms.  It bounds everything: waiting for a
 * connection of the pool, every host of the conninfo, the query and its
 * repetition.  When it passes the connection is dropped.
 * Thread-safe.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "pay/payment.h"

struct store;

struct store_config {		/* copied */
	const char *conninfo;	/* without user */
	const char *role;	/* whom to connect as; NULL: as conninfo says */
	const char *mchid;	/* the merchant of every call */
	int connections;	/* most at one time, 1 to 64 */
};

/* Opens no connection.  ERR_INPUT if conninfo cannot be read. */
MUSTUSE bool store_open(const struct store_config *config,
    struct store **out, struct err *err);
void store_close(struct store *store);		/* NULL is fine */

/* The database answers and would accept a write.  ERR_STORE. */
MUSTUSE bool store_ping(struct store *store, int64_t deadline,
    struct err *err);

#endif
