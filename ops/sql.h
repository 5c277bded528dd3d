/*
 * sql: the text of sql/, compiled in, so that a program and the schema that
 * it needs cannot drift apart.  make writes sql.c.
 */
#ifndef OPS_SQL_H
#define OPS_SQL_H

#include <stddef.h>

#include "store/store_migrate.h"

extern const struct store_script sql_scripts[];
extern const size_t sql_script_count;

#endif
