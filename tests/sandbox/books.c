#include "books.h"

#include <poll.h>
#include <pthread.h>

struct books {
	const char *conninfo;		/* configured */
	int size;

	pthread_mutex_t lock;
	pthread_cond_t returned;
	PGconn **idle;			/* idle_count of size */
	int idle_count;
	int taken;			/* idle_count + taken <= size */
};

bool
books_open(const char *conninfo, int size, struct books **out,
    struct err *err)
{
	struct books *books = calloc(1, sizeof(*books));
	PGconn **idle = calloc((size_t)size, sizeof(PGconn *));

	if (books == NULL || idle == NULL) {
		free(books);
		free(idle);
		return err_set(err, ERR_BUG, "out of memory");
	}
	books->conninfo = conninfo;
	books->size = size;
	books->idle = idle;
	pthread_mutex_init(&books->lock, NULL);
	pthread_cond_init(&books->returned, NULL);
	*out = books;
	return true;
}

void
books_close(struct books *books)
{
	if (books == NULL)
		return;
	for (int i = 0; i < books->idle_count; i++)
		PQfinish(books->idle[i]);
	pthread_cond_destroy(&books->returned);
	pthread_mutex_destroy(&books->lock);
	free(books->idle);
	free(books);
}

/* A connection that waited in the pool has nothing to read, unless the
 * server has gone: then it is found here, before a statement is risked. */
static bool
books_is_alive(PGconn *conn)
{
	struct pollfd poller = { .fd = PQsocket(conn), .events = POLLIN };

	return PQstatus(conn) == CONNECTION_OK && poll(&poller, 1, 0) == 0;
}

static void
books_ignore(void *arg UNUSED, const PGresult *notice UNUSED)
{
}

static bool
books_take(struct books *books, PGconn **out, struct err *err)
{
	PGconn *conn = NULL;

	pthread_mutex_lock(&books->lock);
	while (books->taken == books->size)
		pthread_cond_wait(&books->returned, &books->lock);
	books->taken++;
	if (books->idle_count > 0)
		conn = books->idle[--books->idle_count];
	pthread_mutex_unlock(&books->lock);

	if (conn != NULL && !books_is_alive(conn)) {
		PQfinish(conn);
		conn = NULL;
	}
	if (conn == NULL) {
		conn = PQconnectdb(books->conninfo);
		PQsetNoticeReceiver(conn, books_ignore, NULL);
	}
	*out = conn;
	if (PQstatus(conn) == CONNECTION_OK)
		return true;
	return err_set(err, ERR_STORE, "cannot connect to the books");
}

static void
books_give(struct books *books, PGconn *conn)
{
	bool keep = PQstatus(conn) == CONNECTION_OK;

	pthread_mutex_lock(&books->lock);
	books->taken--;
	if (keep)
		books->idle[books->idle_count++] = conn;
	pthread_cond_signal(&books->returned);
	pthread_mutex_unlock(&books->lock);
	if (!keep)
		PQfinish(conn);
}

/* Class 22, data exceptions, and 23, constraints: what was asked for. */
static enum err_kind
books_kind(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (state != NULL && state[0] == '2'
	    && (state[1] == '2' || state[1] == '3'))
		return ERR_INPUT;
	return ERR_STORE;
}

bool
books_ask(struct books *books, const char *sql, int count,
    const char *const *args, PGresult **out, struct err *err)
{
	PGresult *result = NULL;
	PGconn *conn = NULL;
	const char *why;
	bool ok = false;

	if (!books_take(books, &conn, err))
		goto out;
	result = PQexecParams(conn, sql, count, NULL, args, NULL, NULL, 0);
	if (PQresultStatus(result) != PGRES_TUPLES_OK
	    && PQresultStatus(result) != PGRES_COMMAND_OK) {
		why = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
		err_set(err, books_kind(result), "books: %s",
		    why != NULL ? why : "connection lost");
		goto out;
	}
	*out = result;
	result = NULL;
	ok = true;
out:
	PQclear(result);
	books_give(books, conn);
	return ok;
}

bool
books_tell(struct books *books, const char *sql, int count,
    const char *const *args, struct err *err)
{
	PGresult *result = NULL;
	bool ok = books_ask(books, sql, count, args, &result, err);

	PQclear(result);
	return ok;
}

const char *
books_value(const PGresult *rows, int row, const char *column)
{
	int number = PQfnumber(rows, column);

	if (PQgetisnull(rows, row, number))
		return NULL;
	return PQgetvalue(rows, row, number);
}
