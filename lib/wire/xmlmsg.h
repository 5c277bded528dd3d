/*
 * xmlmsg: V2's XML, one flat level of elements.
 *
 * Knows the dialect of [v2.md 2.1] and everything that [v2.md 2.2] and
 * threats.md N10-N16 refuse.  Hides libxml2.  Owns nothing.
 */
#ifndef WIRE_XMLMSG_H
#define WIRE_XMLMSG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/fields.h"

#define XMLMSG_MAX 65536	/* bytes of a whole message */

/* Call once before the first thread starts. */
void xmlmsg_start(void);

/*
 * Read a message whose root element is root ("xml", or "root" inside a
 * refund notice) into fields, which must be empty.  A value is text, one
 * CDATA section or several adjacent ones.  ERR_INPUT, with fields empty, for
 * anything else: DOCTYPE, other encodings than UTF-8, attributes, namespaces,
 * comments, instructions, entity references other than the five and
 * characters, nested or doubled elements, text between elements.
 */
MUSTUSE bool xmlmsg_parse(const char *bytes, size_t len, const char *root,
    struct fields *fields, struct err *err);

/* Append <xml><name><![CDATA[value]]></name>...</xml>; "]]>" is split over
 * two sections.  Empty values are written, too.  A value with a CR is written
 * as escaped text, so that it arrives as it was signed. */
void xmlmsg_format(const struct fields *fields, struct buf *out);

#endif
