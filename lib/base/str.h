/*
 * str: questions about text from outside.
 *
 * Knows UTF-8 and character sets.  Hides nothing.  Owns nothing.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

#define STR_DIGITS "0123456789"
#define STR_UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define STR_LOWER "abcdefghijklmnopqrstuvwxyz"
#define STR_ALNUM STR_DIGITS STR_UPPER STR_LOWER

/* Copy text with its NUL into out[size].  False, and out is "", if it does
 * not fit: nothing is ever truncated. */
MUSTUSE bool str_copy(char *out, size_t size, const char *text);

bool str_eq(const char *a, const char *b);

/* True if text is one of names, which end with NULL. */
bool str_is_among(const char *text, const char *const names[]);

/* True if the len bytes at word are one of list's, which blanks separate. */
bool str_has_word(const char *list, const char *word, size_t len);

/* True if all of text, which is min to max bytes long, is in set. */
bool str_is_of(const char *text, const char *set, size_t min, size_t max);

/* Valid UTF-8 without NUL, overlong forms and surrogates. */
bool str_is_utf8(const char *bytes, size_t len);

/*
 * Fit for a text field of WeChat: valid UTF-8 of the BMP (1 to 3 bytes a
 * character) without control characters but TAB, LF and CR.
 * [v2.md 2.1]
 */
bool str_is_plain(const char *text);

/* Digits only, no sign, no leading zero, at most max.  False otherwise. */
MUSTUSE bool str_to_long(const char *text, long max, long *out);

#endif
