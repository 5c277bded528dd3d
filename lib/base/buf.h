/*
 * buf: bytes that grow up to a ceiling.
 *
 * Knows how to append.  Hides the memory.  Owns it until buf_take.  Once an
 * append does not fit the ceiling, or memory is out, the buf is broken and
 * stays so: append freely and ask buf_ok once.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct buf {
	char *data;		/* NULL while empty; else NUL-terminated */
	size_t len;		/* bytes, without the NUL */
	size_t room;		/* bytes allocated */
	size_t max;		/* most bytes that it may hold, without NUL */
	bool broken;
};

void buf_init(struct buf *buf, size_t max);	/* allocates nothing */
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_text(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
void buf_format(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

MUSTUSE bool buf_ok(const struct buf *buf);

/* The bytes so far, "" while empty.  Borrowed until the next append. */
const char *buf_get(const struct buf *buf);

/* The bytes now belong to the caller, who calls free(); buf is empty again.
 * NULL if the buf is broken or memory is out. */
MUSTUSE char *buf_take(struct buf *buf);

void buf_reset(struct buf *buf);	/* empty and whole again, same ceiling */
void buf_clear(struct buf *buf);	/* wipe and free; {0} is fine */

#endif
