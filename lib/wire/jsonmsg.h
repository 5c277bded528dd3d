/*
 * jsonmsg: the JSON objects that we answer with.
 *
 * Knows JSON.  Hides jansson.  Owns the object until it is freed.  Sticky
 * like a buf: append freely; jsonmsg_format tells whether all went well.
 */
#ifndef WIRE_JSONMSG_H
#define WIRE_JSONMSG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"

struct jsonmsg;

struct jsonmsg *jsonmsg_new(void);	/* NULL if memory is out; others take NULL */
void jsonmsg_free(struct jsonmsg *msg);

/* A NULL text is left out. */
void jsonmsg_text(struct jsonmsg *msg, const char *name, const char *text);
void jsonmsg_int(struct jsonmsg *msg, const char *name, int64_t value);
void jsonmsg_bool(struct jsonmsg *msg, const char *name, bool value);
/* value, which is given away, as a member object. */
void jsonmsg_object(struct jsonmsg *msg, const char *name,
    struct jsonmsg *value);

/* Append the object in one line, members in the order of their adding.
 * False if anything failed since jsonmsg_new, that included. */
MUSTUSE bool jsonmsg_format(const struct jsonmsg *msg, struct buf *out);

#endif
