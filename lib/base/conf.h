/*
 * conf: a configuration file read against a table of keys.
 *
 * Knows libconfig's syntax: key = "text"; or key = 5;  Hides libconfig.
 * Owns the values.  What they mean is the table's business.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/secret.h"

enum conf_type {
	CONF_TEXT,
	CONF_INT,		/* decimal, min to max of the key */
	CONF_SECRET,		/* the text is a path; secret_read opens it */
};

struct conf_key {
	const char *name;
	enum conf_type type;
	unsigned needs;		/* bits of the programs that need it */
	unsigned takes;		/* bits of those that read it if it is there */
	const char *fallback;	/* NULL: a program in needs cannot start */
	long min, max;		/* CONF_INT */
};

struct conf;

/*
 * Read path for the program whose bit is who.  Keys that are neither needed
 * nor taken by who are checked for name and type but not kept, and their
 * secrets are not opened.  ERR_INPUT names file and line: an unknown, doubled,
 * missing, badly typed or out-of-range key, or a secret that cannot be read.
 */
MUSTUSE bool conf_read(const char *path, const struct conf_key *keys,
    size_t count, unsigned who, struct conf **out, struct err *err);
void conf_free(struct conf *conf);	/* NULL is fine */

/* The value, borrowed, or NULL if it is absent.  Asking for a name that is
 * not in the table, or by the wrong type, is a bug and aborts. */
const char *conf_text(const struct conf *conf, const char *name);
long conf_int(const struct conf *conf, const char *name);
const struct secret *conf_secret(const struct conf *conf, const char *name);

/* Whether the file has this key, whoever it is for. */
bool conf_has(const struct conf *conf, const char *name);

#endif
