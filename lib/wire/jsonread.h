/*
 * jsonread: JSON that others wrote, one object.
 *
 * Knows which JSON is refused, though a lenient reader takes it: a name given
 * twice, bytes behind the end, a byte order mark, NUL, bad UTF-8, half a
 * surrogate pair, great depth or length.  Hides jansson.  Owns the object, and
 * wipes it.
 *
 * A path is names joined by dots, "amount.total"; in an array it is the
 * index, "data.0.serial_no".  A null counts as absent [v3.md 6.1].
 */
#ifndef WIRE_JSONREAD_H
#define WIRE_JSONREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define JSONREAD_MAX 65536	/* bytes of a whole message */
#define JSONREAD_DEPTH 16	/* WeChat's deepest message has half of it */

struct jsonread;

/* Call once before the first thread starts. */
void jsonread_start(void);

/* The caller owns *json.  ERR_INPUT if bytes are no such object. */
MUSTUSE bool jsonread_new(const char *bytes, size_t len,
    struct jsonread **json, struct err *err);
void jsonread_free(struct jsonread *json);	/* NULL is fine */

/* True if something other than null stands at path. */
bool jsonread_has(const struct jsonread *json, const char *path);

/*
 * ERR_INPUT, naming the path, if nothing stands there or something of another
 * type.  An optional member is !jsonread_has(...) || jsonread_text(...).
 */

/* Borrowed until jsonread_free; NUL-terminated UTF-8 without any other NUL. */
MUSTUSE bool jsonread_text(const struct jsonread *json, const char *path,
    const char **out, struct err *err);
/* Also if it is not min to max.  1.0 and 1e2 are no integers. */
MUSTUSE bool jsonread_int(const struct jsonread *json, const char *path,
    int64_t min, int64_t max, int64_t *out, struct err *err);
/* The length of an array. */
MUSTUSE bool jsonread_count(const struct jsonread *json, const char *path,
    size_t *out, struct err *err);

#endif
