/*
 * fields: a flat list of names and values.
 *
 * Knows that a name stands once.  Hides the memory.  Owns copies of all text.
 * What XML, a form and a query string become, and what a signature is made
 * over.  Values are NUL-terminated UTF-8 (the parsers refuse anything else).
 */
#ifndef WIRE_FIELDS_H
#define WIRE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

#define FIELDS_MAX 300		/* names; WeChat's longest answer has ~100 */

struct field {
	char *name;
	char *value;
};

struct fields {
	struct field *list;
	size_t count, room;
};

void fields_init(struct fields *fields);	/* {0} is the same */
void fields_clear(struct fields *fields);	/* wipes and frees */

/* Copy both.  ERR_INPUT if the name is there already or FIELDS_MAX are;
 * ERR_BUG if memory is out. */
MUSTUSE bool fields_add(struct fields *fields, const char *name,
    const char *value, struct err *err);
/* The same of so many bytes; ERR_INPUT if a NUL or bad UTF-8 is in them. */
MUSTUSE bool fields_add_bytes(struct fields *fields, const char *name,
    size_t name_len, const char *value, size_t value_len, struct err *err);

/* The value, borrowed until fields_clear; NULL if the name is not there. */
const char *fields_get(const struct fields *fields, const char *name);
/* The same, but "" if it is not there. */
const char *fields_text(const struct fields *fields, const char *name);

/* ERR_INPUT naming the first field that is not among known (NULL-ended). */
MUSTUSE bool fields_only(const struct fields *fields,
    const char *const known[], struct err *err);

#endif
