#include "store/store_conn.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"
#include "base/str.h"

struct store_conn {
	PGconn *pg;
	char warning[120];	/* the first one of this statement; "" if none */
};

/* ---------------------------------------------------------------- target */

/* How many items a list of libpq has, and the one at index: "a,b". */
static int
list_count(const char *list)
{
	int count = 1;

	if (list == NULL || *list == '\0')
		return 0;
	for (; *list != '\0'; list++)
		count += *list == ',';
	return count;
}

static bool
list_item(const char *list, int index, char *out, size_t size)
{
	size_t len = 0;

	for (; index > 0; index--)
		list = strchr(list, ',') + 1;
	len = strcspn(list, ",");
	if (len == 0 || len >= size)
		return false;
	memcpy(out, list, len);
	out[len] = '\0';
	return true;
}

static const char *
option_value(const PQconninfoOption *options, const char *keyword)
{
	for (; options->keyword != NULL; options++)
		if (str_eq(options->keyword, keyword))
			return options->val;
	return NULL;
}

/* libpq alone would spend the whole deadline on a first host that is switched
 * off: it can go on to the next one only if it may block.  So we ask one host
 * at a time. */
static bool
target_split(struct store_target *target, const PQconninfoOption *options)
{
	const char *host = option_value(options, "host");
	const char *addr = option_value(options, "hostaddr");
	const char *port = option_value(options, "port");
	int count = list_count(addr != NULL ? addr : host);
	int ports = list_count(port);
	int i = 0;

	if (count > STORE_HOSTS_MAX || (ports > 1 && ports != count)
	    || (host != NULL && list_count(host) != count))
		return false;
	if (count <= 1)
		return true;
	for (i = 0; i < count; i++) {
		struct store_host *one = &target->hosts[i];

		if ((host != NULL
			&& !list_item(host, i, one->host, sizeof(one->host)))
		    || (addr != NULL && !list_item(addr, i, one->hostaddr,
			sizeof(one->hostaddr)))
		    || (port != NULL && !list_item(port, ports > 1 ? i : 0,
			one->port, sizeof(one->port))))
			return false;
	}
	target->host_count = count;
	return true;
}

bool
store_target_init(struct store_target *target, const char *conninfo,
    const char *role, struct err *err)
{
	PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
	bool ok = false;

	/* libpq's own words may quote the password: not repeated. */
	if (options == NULL)
		return err_set(err, ERR_INPUT,
		    "conninfo: not a connection string");
	if (!target_split(target, options)) {
		err_set(err, ERR_INPUT, "conninfo: not at most %d hosts, "
		    "with one port or one for each", STORE_HOSTS_MAX);
		goto out;
	}
	target->conninfo = strdup(conninfo);
	target->role = role != NULL ? strdup(role) : NULL;
	atomic_init(&target->last, 0);
	if (target->conninfo == NULL
	    || (role != NULL && target->role == NULL)) {
		err_set(err, ERR_BUG, "out of memory");
		goto out;
	}
	ok = true;
out:
	PQconninfoFree(options);
	return ok;
}

void
store_target_clear(struct store_target *target)
{
	if (target->conninfo != NULL)
		explicit_bzero(target->conninfo, strlen(target->conninfo));
	free(target->conninfo);
	free(target->role);
}

/* --------------------------------------------------------------- waiting */

/* Until the socket can do one of events.  False once the deadline is past. */
static bool
conn_wait(const PGconn *pg, short events, int64_t deadline)
{
	struct pollfd socket = { .fd = PQsocket(pg), .events = events };
	int64_t left = deadline - clock_monotonic_ms();

	while (left > 0) {
		int ready = poll(&socket, 1,
		    left > INT32_MAX ? INT32_MAX : (int)left);

		/* What is wrong with the socket, libpq will say. */
		if (ready > 0 || (ready < 0 && errno != EINTR))
			return true;
		left = deadline - clock_monotonic_ms();
	}
	return false;
}

/* libpq's message of a connection, without the lines that follow. */
static void
conn_say(const PGconn *pg, const char *what, struct err *err)
{
	const char *text = PQerrorMessage(pg);

	err_set(err, ERR_STORE, "%s: %.*s", what, (int)strcspn(text, "\n"),
	    text);
}

/* ------------------------------------------------------------ connecting */

static void
conn_on_notice(void *arg, const PGresult *notice)
{
	struct store_conn *conn = arg;
	const char *level = PQresultErrorField(notice,
	    PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(notice,
	    PG_DIAG_MESSAGE_PRIMARY);

	if (conn->warning[0] == '\0' && level != NULL && state != NULL
	    && text != NULL && str_eq(level, "WARNING"))
		snprintf(conn->warning, sizeof(conn->warning), "%s %s", state,
		    text);
}

static PGconn *
conn_start(const struct store_target *target, int host)
{
	const struct store_host *one = target->host_count > 0
	    ? &target->hosts[host] : NULL;
	/* Later ones win; NULL and "" count as absent.  pgbouncer knows all
	 * of them: no options. */
	const struct {
		const char *name, *value;
	} set[] = {
		{ "fallback_application_name", "wxpay" },
		{ "dbname", target->conninfo },
		{ "host", one != NULL ? one->host : NULL },
		{ "hostaddr", one != NULL ? one->hostaddr : NULL },
		{ "port", one != NULL ? one->port : NULL },
		{ "user", target->role },
		{ "client_encoding", "UTF8" },
	};
	const char *names[COUNT_OF(set) + 1] = { NULL };
	const char *values[COUNT_OF(set) + 1] = { NULL };
	size_t i = 0;

	for (i = 0; i < COUNT_OF(set); i++) {
		names[i] = set[i].name;
		values[i] = set[i].value;
	}
	return PQconnectStartParams(names, values, 1);
}

static enum store_attempt
conn_connect(PGconn *pg, int64_t deadline, struct err *err)
{
	PostgresPollingStatusType state = PGRES_POLLING_WRITING;

	if (PQstatus(pg) == CONNECTION_BAD)
		state = PGRES_POLLING_FAILED;
	while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
		if (!conn_wait(pg, state == PGRES_POLLING_READING ? POLLIN
			: POLLOUT, deadline)) {
			err_set(err, ERR_STORE, "late: connecting");
			return STORE_ATTEMPT_LATE;
		}
		state = PQconnectPoll(pg);
	}
	if (state == PGRES_POLLING_OK && PQsetnonblocking(pg, 1) == 0)
		return STORE_ATTEMPT_DONE;
	conn_say(pg, "cannot connect", err);
	return STORE_ATTEMPT_BROKEN;
}

static enum store_attempt
conn_open_at(const struct store_target *target, int host, int64_t deadline,
    struct store_conn **out, struct err *err)
{
	struct store_conn *conn = calloc(1, sizeof(*conn));
	enum store_attempt attempt = STORE_ATTEMPT_BROKEN;

	if (conn != NULL)
		conn->pg = conn_start(target, host);
	if (conn == NULL || conn->pg == NULL) {
		err_set(err, ERR_BUG, "out of memory");
		goto out;
	}
	(void)PQsetNoticeReceiver(conn->pg, conn_on_notice, conn);
	attempt = conn_connect(conn->pg, deadline, err);
	if (attempt == STORE_ATTEMPT_DONE) {
		*out = conn;
		conn = NULL;
	}
out:
	store_conn_close(conn);
	return attempt;
}

enum store_attempt
store_conn_open(struct store_target *target, int64_t deadline,
    struct store_conn **out, struct err *err)
{
	int hosts = target->host_count > 0 ? target->host_count : 1;
	int first = atomic_load(&target->last);
	enum store_attempt attempt = STORE_ATTEMPT_BROKEN;
	struct err why = { 0 };		/* of the host asked last */
	int i = 0;

	for (i = 0; i < hosts; i++) {
		int host = (first + i) % hosts;
		int64_t now = clock_monotonic_ms();

		why = (struct err){ 0 };
		attempt = conn_open_at(target, host,
		    now + (deadline - now) / (hosts - i), out, &why);
		if (attempt == STORE_ATTEMPT_DONE) {
			atomic_store(&target->last, host);
			return attempt;
		}
	}
	err_set(err, why.kind, "%s", why.text);
	return attempt;
}

void
store_conn_close(struct store_conn *conn)
{
	if (conn == NULL)
		return;
	/* In nonblocking mode it sends what the socket takes, and closes. */
	PQfinish(conn->pg);
	free(conn);
}

bool
store_conn_is_quiet(const struct store_conn *conn)
{
	struct pollfd socket = {
		.fd = PQsocket(conn->pg), .events = POLLIN,
	};

	return poll(&socket, 1, 0) == 0;
}

/* ------------------------------------------------------------- statement */

static bool
conn_flush(const struct store_conn *conn, int64_t deadline, bool *is_late)
{
	int rest = PQflush(conn->pg);

	while (rest == 1) {
		/* It may be waiting for us to read, so we do both. */
		*is_late = !conn_wait(conn->pg, POLLIN | POLLOUT, deadline);
		if (*is_late || PQconsumeInput(conn->pg) != 1)
			return false;
		rest = PQflush(conn->pg);
	}
	return rest == 0;
}

/* Read every result up to the end of the transaction: the one with the rows
 * comes before the commit, and an error of the commit after it.  The first
 * one that is not rows stays, else the last. */
static bool
conn_read(const struct store_conn *conn, int64_t deadline, PGresult **out,
    bool *is_late)
{
	PGresult *next = NULL;

	for (;;) {
		while (PQisBusy(conn->pg)) {
			*is_late = !conn_wait(conn->pg, POLLIN, deadline);
			if (*is_late || PQconsumeInput(conn->pg) != 1)
				return false;
		}
		next = PQgetResult(conn->pg);
		if (next == NULL)
			return *out != NULL
			    && PQtransactionStatus(conn->pg) == PQTRANS_IDLE;
		if (*out == NULL
		    || PQresultStatus(*out) == PGRES_TUPLES_OK) {
			PQclear(*out);
			*out = next;
		} else {
			PQclear(next);
		}
	}
}

static bool
state_in_class(const char *state, const char *class)
{
	return strncmp(state, class, 2) == 0;
}

static bool
state_is_of(const char *state, const char *const *states)
{
	for (; *states != NULL; states++)
		if (str_eq(state, *states))
			return true;
	return false;
}

/* What an error of the server means for us.  Its DETAIL is row data, and is
 * not looked at. */
static enum store_attempt
attempt_judge(const PGresult *result, struct err *err)
{
	/* A read-only server was the primary a moment ago.  pgbouncer says
	 * 08P01 of whatever it cannot reach. */
	static const char *const broken[] = {
		"57P01", "57P02", "57P03", "57P05", "25006", NULL,
	};
	static const char *const again[] = { "40001", "40P01", NULL };
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(result,
	    PG_DIAG_MESSAGE_PRIMARY);

	if (state == NULL || text == NULL) {
		err_set(err, ERR_STORE, "connection lost");
		return STORE_ATTEMPT_BROKEN;
	}
	/* Values, constraints, and what our functions raise themselves. */
	err_set(err, state_in_class(state, "21")
	    || state_in_class(state, "22") || state_in_class(state, "23")
	    || state_in_class(state, "P0") ? ERR_BUG : ERR_STORE,
	    "%s %s", state, text);
	if (state_in_class(state, "08") || state_is_of(state, broken))
		return STORE_ATTEMPT_BROKEN;
	return state_is_of(state, again) ? STORE_ATTEMPT_AGAIN
	    : STORE_ATTEMPT_FAILED;
}

enum store_attempt
store_conn_exec(struct store_conn *conn,
    const struct store_statement *statement, int64_t deadline,
    PGresult **rows, struct err *err)
{
	PGresult *result = NULL;
	enum store_attempt attempt = STORE_ATTEMPT_BROKEN;
	bool is_late = false;
	bool is_whole = false;

	conn->warning[0] = '\0';
	is_whole = PQsendQueryParams(conn->pg, statement->sql,
		statement->count, NULL, statement->values, statement->lens,
		statement->formats, 0) == 1
	    && conn_flush(conn, deadline, &is_late)
	    && conn_read(conn, deadline, &result, &is_late);
	if (is_late) {
		err_set(err, ERR_STORE, "late: no answer");
		attempt = STORE_ATTEMPT_LATE;
	} else if (result != NULL
	    && PQresultStatus(result) != PGRES_TUPLES_OK) {
		attempt = attempt_judge(result, err);
	} else if (!is_whole) {
		conn_say(conn->pg, "connection lost", err);
	} else if (conn->warning[0] != '\0') {
		/* A commit that a standby did not confirm succeeds with a
		 * warning [threats.md I17]. */
		err_set(err, ERR_STORE, "perhaps not durable: %s",
		    conn->warning);
		attempt = STORE_ATTEMPT_FAILED;
	} else {
		*rows = result;
		return STORE_ATTEMPT_DONE;
	}
	/* Whatever the server said, a connection amid something is of no
	 * use. */
	if (!is_whole && attempt != STORE_ATTEMPT_LATE)
		attempt = STORE_ATTEMPT_BROKEN;
	PQclear(result);
	return attempt;
}
