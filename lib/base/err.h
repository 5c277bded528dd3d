/*
 * err: why something did not work.
 *
 * Knows the kinds of failure that somebody must treat differently.  Hides
 * nothing.  Owns nothing: the caller holds the struct, and the first failure
 * written into it stays.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#include "base/attr.h"

enum err_kind {
	ERR_NONE = 0,
	ERR_INPUT,	/* 400 malformed or out of range; nothing was done */
	ERR_AUTH,	/* 401 signature, key or certificate is wrong */
	ERR_FORBIDDEN,	/* 403 known, but not allowed to do this */
	ERR_MISSING,	/* 404 no such order or refund */
	ERR_CONFLICT,	/* 409 same number, other content; or wrong state */
	ERR_REFUSED,	/* 502 WeChat said no; nothing was done */
	ERR_STORE,	/* 503 PostgreSQL failed; asking again is safe */
	ERR_UNSURE,	/* 504 sent, no verdict: query before sending again */
	ERR_BUG,	/* 500 our own contract broken, or out of memory */
};
#define ERR_KINDS (ERR_BUG + 1)

struct err {
	enum err_kind kind;
	char text[200];		/* for the log; never a secret */
};

/*
 * Say what failed, unless something has failed before.  The text is cut to
 * what fits.  Returns false, so that failing is one line.
 */
bool err_set(struct err *err, enum err_kind kind, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Put "where: " before the text of a failure.  Returns false. */
bool err_in(struct err *err, const char *where);

/* "ERR_STORE" and so on, for the log. */
const char *err_kind_name(enum err_kind kind);

#endif
