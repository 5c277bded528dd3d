/*
 * books: the sandbox's own database.
 *
 * Knows how a statement with parameters is sent.  Hides the pool of
 * connections, made when they are needed.  Owns them.  What stands in the
 * books is written in books.sql.
 */
#ifndef SANDBOX_BOOKS_H
#define SANDBOX_BOOKS_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

struct books;

/* size: connections at most.  Connects to nothing yet; borrows conninfo for
 * its life. */
MUSTUSE bool books_open(const char *conninfo, int size, struct books **out,
    struct err *err);
void books_close(struct books *books);		/* NULL is fine */

/* The parameters $1, $2, ... as text; a NULL is SQL's null. */
#define BOOKS_ARGS(...) \
	(int)COUNT_OF(((const char *[]){ __VA_ARGS__ })), \
	(const char *[]){ __VA_ARGS__ }

/*
 * One statement, which is its own transaction.  The caller owns *out and
 * calls PQclear.  ERR_INPUT if a value does not fit a constraint; ERR_STORE
 * for anything else that PostgreSQL says, and the statement may have been
 * executed then.
 */
MUSTUSE bool books_ask(struct books *books, const char *sql, int count,
    const char *const *args, PGresult **out, struct err *err);

/* The same, when no row is wanted. */
MUSTUSE bool books_tell(struct books *books, const char *sql, int count,
    const char *const *args, struct err *err);

/* The value by the name of its column, borrowed; NULL for null. */
const char *books_value(const PGresult *rows, int row, const char *column);

#endif
