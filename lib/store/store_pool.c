#include "store/store_pool.h"

#include <assert.h>
#include <pthread.h>

#include "base/clock.h"

struct store_pool {
	/* configured */
	struct store_target target;
	int max;
	/* what is going on */
	pthread_mutex_t lock;
	pthread_cond_t freed;		/* one came back, or may be opened */
	struct store_conn *idle[STORE_CONNECTIONS_MAX];	/* last used last */
	int idle_count;
	int open_count;			/* idle, in use, or being opened */
};

bool
store_pool_new(const char *conninfo, const char *role, int connections,
    struct store_pool **out, struct err *err)
{
	struct store_pool *pool = NULL;
	pthread_condattr_t monotonic;

	assert(connections >= 1 && connections <= STORE_CONNECTIONS_MAX);
	pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	if (!store_target_init(&pool->target, conninfo, role, err)) {
		store_target_clear(&pool->target);
		free(pool);
		return false;
	}
	pool->max = connections;
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&pool->freed, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	(void)pthread_mutex_init(&pool->lock, NULL);
	*out = pool;
	return true;
}

void
store_pool_free(struct store_pool *pool)
{
	if (pool == NULL)
		return;
	assert(pool->idle_count == pool->open_count);
	while (pool->idle_count > 0)
		store_conn_close(pool->idle[--pool->idle_count]);
	(void)pthread_cond_destroy(&pool->freed);
	(void)pthread_mutex_destroy(&pool->lock);
	store_target_clear(&pool->target);
	free(pool);
}

/* Wait for an idle connection, or for the right to open one: then *conn is
 * NULL.  False if the deadline passed first. */
static bool
pool_wait(struct store_pool *pool, int64_t deadline, struct store_conn **conn)
{
	const struct timespec until = {
		.tv_sec = deadline / 1000,
		.tv_nsec = (long)(deadline % 1000) * 1000000,
	};
	int wait = 0;

	*conn = NULL;
	(void)pthread_mutex_lock(&pool->lock);
	while (wait == 0 && pool->idle_count == 0
	    && pool->open_count == pool->max)
		wait = pthread_cond_timedwait(&pool->freed, &pool->lock,
		    &until);
	if (wait == 0) {
		if (pool->idle_count > 0)
			*conn = pool->idle[--pool->idle_count];
		else
			pool->open_count++;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return wait == 0;
}

/* Back with it; NULL if it is no more. */
static void
pool_give(struct store_pool *pool, struct store_conn *conn)
{
	(void)pthread_mutex_lock(&pool->lock);
	if (conn != NULL)
		pool->idle[pool->idle_count++] = conn;
	else
		pool->open_count--;
	(void)pthread_cond_signal(&pool->freed);
	(void)pthread_mutex_unlock(&pool->lock);
}

static enum store_attempt
pool_take(struct store_pool *pool, int64_t deadline, struct store_conn **out,
    struct err *err)
{
	struct store_conn *conn = NULL;
	enum store_attempt attempt = STORE_ATTEMPT_LATE;

	/* What is sent too late might still be done, and nobody would know. */
	if (clock_monotonic_ms() >= deadline) {
		err_set(err, ERR_STORE, "late: no time left");
		return STORE_ATTEMPT_LATE;
	}
	if (!pool_wait(pool, deadline, &conn)) {
		err_set(err, ERR_STORE, "late: all %d connections are in use",
		    pool->max);
		return STORE_ATTEMPT_LATE;
	}
	/* What arrives unasked is the server's good-bye. */
	if (conn != NULL && store_conn_is_quiet(conn)) {
		*out = conn;
		return STORE_ATTEMPT_DONE;
	}
	store_conn_close(conn);
	attempt = store_conn_open(&pool->target, deadline, out, err);
	if (attempt != STORE_ATTEMPT_DONE)
		pool_give(pool, NULL);
	return attempt;
}

/* The idle connections lead to the same server: if it has vanished, each of
 * them would cost somebody a deadline; if it only reads from now on, or goes
 * down, the repetition would meet the same. */
static void
pool_forget_idle(struct store_pool *pool)
{
	struct store_conn *idle[STORE_CONNECTIONS_MAX];
	int count = 0;
	int i = 0;

	(void)pthread_mutex_lock(&pool->lock);
	count = pool->idle_count;
	memcpy(idle, pool->idle, (size_t)count * sizeof(struct store_conn *));
	pool->idle_count = 0;
	pool->open_count -= count;
	(void)pthread_cond_broadcast(&pool->freed);
	(void)pthread_mutex_unlock(&pool->lock);
	for (i = 0; i < count; i++)
		store_conn_close(idle[i]);
}

static enum store_attempt
pool_try(struct store_pool *pool, const struct store_statement *statement,
    int64_t deadline, PGresult **rows, struct err *err)
{
	struct store_conn *conn = NULL;
	enum store_attempt attempt = pool_take(pool, deadline, &conn, err);

	if (attempt != STORE_ATTEMPT_DONE)
		return attempt;
	attempt = store_conn_exec(conn, statement, deadline, rows, err);
	if (attempt == STORE_ATTEMPT_BROKEN || attempt == STORE_ATTEMPT_LATE) {
		pool_forget_idle(pool);
		store_conn_close(conn);
		conn = NULL;
	}
	pool_give(pool, conn);
	return attempt;
}

bool
store_pool_exec(struct store_pool *pool,
    const struct store_statement *statement, int64_t deadline,
    PGresult **rows, struct err *err)
{
	struct err why = { 0 };
	struct err again = { 0 };
	enum store_attempt attempt = pool_try(pool, statement, deadline, rows,
	    &why);

	/* Whether a lost commit happened we cannot know, and need not: every
	 * function may be repeated. */
	if (attempt == STORE_ATTEMPT_BROKEN
	    || attempt == STORE_ATTEMPT_AGAIN) {
		attempt = pool_try(pool, statement, deadline, rows, &again);
		/* That time ran out says less than why it was needed. */
		if (attempt != STORE_ATTEMPT_LATE)
			why = again;
	}
	if (attempt == STORE_ATTEMPT_DONE)
		return true;
	return err_set(err, why.kind, "%s", why.text);
}
