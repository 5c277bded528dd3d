#include "store/store_migrate.h"

#include <libpq-fe.h>

/* Functions name one another: their bodies are judged when they are called,
 * and the tests call them all. */
#define BEGIN "begin; " \
    "set local client_min_messages = warning; " \
    "set local check_function_bodies = off; " \
    "select pg_advisory_xact_lock(hashtext('wxpay.migrate'))"
/* The owner makes everything, so that nothing belongs to who migrates. */
#define AS_OWNER "do $$ begin execute format('grant create on database %I " \
    "to wxpay_owner', current_database()); end $$; set local role wxpay_owner"
#define HAS_TABLE "select to_regclass('wxpay_data.migrations') is not null"

static bool
fail(PGconn *conn, const char *name, struct err *err)
{
	return err_set(err, ERR_STORE, "%s: %.150s", name,
	    PQerrorMessage(conn));
}

static bool
run_text(PGconn *conn, const char *name, const char *text, struct err *err)
{
	PGresult *result = PQexec(conn, text);
	ExecStatusType status = PQresultStatus(result);
	bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

	PQclear(result);
	return ok || fail(conn, name, err);
}

/* Run text, which takes at most one parameter; is the answer "t"? */
static bool
ask(PGconn *conn, const char *text, const char *param, bool *yes,
    struct err *err)
{
	PGresult *result = PQexecParams(conn, text, param != NULL, NULL,
	    &param, NULL, NULL, 0);
	bool ok = PQresultStatus(result) == PGRES_TUPLES_OK
	    && PQntuples(result) == 1;

	if (ok)
		*yes = PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return ok || fail(conn, text, err);
}

static bool
name_is_of(const struct store_script *script, const char *folder)
{
	return strncmp(script->name, folder, strlen(folder)) == 0;
}

static bool
run_folder(PGconn *conn, const struct store_script *scripts, size_t count,
    const char *folder, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (name_is_of(&scripts[i], folder)
		    && !run_text(conn, scripts[i].name, scripts[i].text, err))
			return false;
	return true;
}

static bool
run_migration(PGconn *conn, const struct store_script *script, size_t *run,
    struct err *err)
{
	bool has_table = false, is_done = false, ok;

	if (!ask(conn, HAS_TABLE, NULL, &has_table, err)
	    || (has_table && !ask(conn, "select exists (select from "
	    "wxpay_data.migrations where name = $1)", script->name, &is_done,
	    err)))
		return false;
	if (is_done)
		return true;
	*run += 1;
	return run_text(conn, script->name, script->text, err)
	    && ask(conn, "insert into wxpay_data.migrations (name) values ($1) "
	    "returning true", script->name, &ok, err);
}

/* Every migration of the database must be one of ours. */
static bool
is_forward(PGconn *conn, const struct store_script *scripts, size_t count,
    struct err *err)
{
	PGresult *result = PQexec(conn,
	    "select name from wxpay_data.migrations order by name");
	bool ok = PQresultStatus(result) == PGRES_TUPLES_OK
	    || fail(conn, "migrations", err);

	for (int row = 0; ok && row < PQntuples(result); row++) {
		const char *name = PQgetvalue(result, row, 0);
		bool known = false;

		for (size_t i = 0; i < count && !known; i++)
			known = strcmp(scripts[i].name, name) == 0;
		if (!known)
			ok = err_set(err, ERR_CONFLICT, "the database is newer "
			    "than this program: it has \"%.60s\"", name);
	}
	PQclear(result);
	return ok;
}

static bool
run_migrations(PGconn *conn, const struct store_script *scripts,
    size_t count, size_t *run, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (name_is_of(&scripts[i], "migrations/")
		    && !run_migration(conn, &scripts[i], run, err))
			return false;
	return is_forward(conn, scripts, count, err);
}

bool
store_migrate(const char *conninfo, const struct store_script *scripts,
    size_t count, const char *mchid, size_t *run, struct err *err)
{
	PGconn *conn = PQconnectdb(conninfo);
	bool ok, yes;

	*run = 0;
	ok = (PQstatus(conn) == CONNECTION_OK || fail(conn, "connect", err))
	    && run_text(conn, "begin", BEGIN, err)
	    && run_folder(conn, scripts, count, "roles.sql", err)
	    && run_text(conn, "set role", AS_OWNER, err)
	    && run_migrations(conn, scripts, count, run, err)
	    && run_folder(conn, scripts, count, "functions/", err)
	    && run_folder(conn, scripts, count, "grants.sql", err)
	    && ask(conn, "select wxpay_data.merchant_add($1) is null", mchid,
	    &yes, err)
	    && ask(conn, "select wxpay.partitions_ahead() >= 0", NULL, &yes,
	    err)
	    && run_text(conn, "commit", "commit", err);
	PQfinish(conn);
	return ok;
}
