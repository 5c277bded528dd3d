/*
 * store_conn: one connection to PostgreSQL, and one statement on it.
 *
 * Knows how to use libpq without ever blocking, and what its errors mean for
 * us.  Hides poll(2).  Owns the connection.  Private to lib/store.
 *
 * One call blocks all the same: libpq looks names up with getaddrinfo.  Where
 * that matters, the conninfo has hostaddr, or a Unix socket.
 */
#ifndef STORE_STORE_CONN_H
#define STORE_STORE_CONN_H

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define STORE_HOSTS_MAX 8

/* Where to connect, and as whom. */
struct store_target {
	/* configured */
	char *conninfo;
	char *role;		/* NULL: as conninfo says */
	struct store_host {
		char host[256], hostaddr[64], port[8];
	} hosts[STORE_HOSTS_MAX];
	int host_count;		/* 0: conninfo names at most one */
	/* learned */
	atomic_int last;	/* the host that answered last is asked first */
};

/* ERR_INPUT if conninfo cannot be read. */
MUSTUSE bool store_target_init(struct store_target *target,
    const char *conninfo, const char *role, struct err *err);
void store_target_clear(struct store_target *target);

enum store_attempt {		/* how it ended */
	STORE_ATTEMPT_DONE = 1,
	STORE_ATTEMPT_AGAIN,	/* a deadlock, say: the same once more */
	STORE_ATTEMPT_BROKEN,	/* the connection is of no use */
	STORE_ATTEMPT_LATE,	/* the deadline has passed: the same */
	STORE_ATTEMPT_FAILED,	/* for good; the connection is fine */
};

struct store_conn;

/* DONE, BROKEN or LATE; each host has its share of the time that is left. */
MUSTUSE enum store_attempt store_conn_open(struct store_target *target,
    int64_t deadline, struct store_conn **out, struct err *err);
/* Never waits for the server.  NULL is fine. */
void store_conn_close(struct store_conn *conn);

/* Nothing has arrived on the idle connection, not even its end. */
bool store_conn_is_quiet(const struct store_conn *conn);

struct store_statement {	/* borrowed: what PQsendQueryParams takes */
	const char *sql;
	int count;
	const char *const *values;
	const int *lens, *formats;
};

/*
 * Send it and read all that comes of it, the commit included.  DONE: *rows
 * is the caller's, who calls PQclear, and the server raised no warning.
 */
MUSTUSE enum store_attempt store_conn_exec(struct store_conn *conn,
    const struct store_statement *statement, int64_t deadline,
    PGresult **rows, struct err *err);

#endif
