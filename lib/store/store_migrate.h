/*
 * store_migrate: making the schema what this program needs.
 *
 * Knows in which order our SQL is run.  Hides libpq.  Owns nothing.  An ops
 * command: it waits as long as the database lets it.
 */
#ifndef STORE_STORE_MIGRATE_H
#define STORE_STORE_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

struct store_script {
	const char *name;	/* "migrations/0001_tables.sql" */
	const char *text;
};

/*
 * In one transaction, which a second caller waits for: the roles if they are
 * missing, the migrations that have not been run, in the order of scripts,
 * then every function and grant anew, and the merchant.  Forward only:
 * ERR_CONFLICT if the database has a migration that is not among scripts.
 * ERR_STORE names the script that failed; then nothing has changed.  *run is
 * how many migrations were run.
 */
MUSTUSE bool store_migrate(const char *conninfo,
    const struct store_script *scripts, size_t count, const char *mchid,
    size_t *run, struct err *err);

#endif
