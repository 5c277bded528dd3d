/*
 * unit: what every unit test includes.
 *
 * Knows the order in which cmocka wants its headers, and how a list of
 * vectors is read.  Owns nothing.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/attr.h"

/* Built with a sanitizer that owns malloc and takes its time. */
#if defined(__SANITIZE_ADDRESS__)
#define UNIT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define UNIT_SANITIZED 1
#endif
#endif

/* Fail, and say which case it was. */
#define expect(condition, ...) \
	do { \
		if (!(condition)) { \
			print_error("case: " __VA_ARGS__); \
			print_error("\n"); \
			fail_msg("%s", #condition); \
		} \
	} while (0)

/* The whole of tests/data/v2.json; the caller calls json_decref. */
static inline json_t *
vectors_open(void)
{
	json_error_t why;
	json_t *all = json_load_file("tests/data/v2.json", 0, &why);

	expect(all != NULL, "tests/data/v2.json:%d: %s", why.line, why.text);
	return all;
}

/* One list of them, borrowed.  A list that shrinks is a failure. */
static inline const json_t *
vectors_list(const json_t *all, const char *name, size_t count)
{
	const json_t *list = json_object_get(all, name);

	expect(count > 0 && json_array_size(list) == count,
	    "vectors: %s: %zu, not %zu", name, json_array_size(list), count);
	print_message("    vectors: %s: %zu\n", name, count);
	return list;
}

/* A text of a vector, borrowed; "" if it has none. */
static inline const char *
vector_text(const json_t *vector, const char *name)
{
	const char *text = json_string_value(json_object_get(vector, name));

	return text == NULL ? "" : text;
}

#endif
