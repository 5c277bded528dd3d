/*
 * attr: what the compiler is told about our functions.
 *
 * Knows the attributes that gcc and clang share.  Hides their spelling.
 * Owns nothing.
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define MUSTUSE __attribute__((warn_unused_result))
#define SENTINEL __attribute__((sentinel))
#define PRINTF_LIKE(text, first) \
	__attribute__((format(printf, text, first)))
#define UNUSED __attribute__((unused))
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
