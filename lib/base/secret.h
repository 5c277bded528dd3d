/*
 * secret: bytes that nobody may see.
 *
 * Knows how a key file must look.  Hides the bytes from formats and logs.
 * Owns them and wipes them.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

#define SECRET_MAX 16384	/* bytes: a PEM chain */

struct secret;

/* Copy the bytes.  ERR_INPUT if there are none or more than SECRET_MAX. */
MUSTUSE bool secret_new(const void *bytes, size_t len, struct secret **out,
    struct err *err);

/*
 * Read a key file: a regular file, no symbolic link, no right for others, no
 * right to write for its group, owned by us or root, not empty.  One newline
 * (LF or CRLF) at the end of a file of one line is not part of the secret.
 * ERR_INPUT says what is wrong with the file, and nothing of what is in it.
 */
MUSTUSE bool secret_read(const char *path, struct secret **out,
    struct err *err);
void secret_free(struct secret *secret);	/* NULL is fine */

/* Borrowed, NUL-terminated. */
const char *secret_bytes(const struct secret *secret);
size_t secret_len(const struct secret *secret);

/* Compare in constant time; the lengths may be learned. */
bool secret_eq(const void *a, size_t a_len, const void *b, size_t b_len);

#endif
