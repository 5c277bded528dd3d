/*
 * pairs: fields and JSON, turned into each other for comparing.
 *
 * Knows both shapes in which the vectors write fields.  Owns nothing.
 */
#ifndef TESTS_WIRE_PAIRS_H
#define TESTS_WIRE_PAIRS_H

#include "../unit.h"
#include "base/err.h"
#include "base/str.h"
#include "wire/fields.h"

static inline const char *
pair_part(const json_t *pair, size_t part)
{
	const char *text = json_string_value(json_array_get(pair, part));

	assert_non_null(text);
	return text;
}

/* Add [["name","value"],...]. */
static inline void
pairs_add(struct fields *fields, const json_t *pairs)
{
	const json_t *pair = NULL;
	size_t i = 0;

	json_array_foreach(pairs, i, pair) {
		struct err err = { 0 };

		expect(fields_add(fields, pair_part(pair, 0),
		    pair_part(pair, 1), &err), "%s", err.text);
	}
}

/* Fail unless fields are just these pairs, in this order. */
static inline void
pairs_compare(const struct fields *fields, const json_t *pairs,
    const char *which)
{
	const json_t *pair = NULL;
	size_t i = 0;

	expect(fields->count == json_array_size(pairs), "%s: %zu fields",
	    which, fields->count);
	json_array_foreach(pairs, i, pair) {
		expect(str_eq(fields->list[i].name, pair_part(pair, 0))
		    && str_eq(fields->list[i].value, pair_part(pair, 1)),
		    "%s: %s=%s", which, fields->list[i].name,
		    fields->list[i].value);
	}
}

/* Fail unless fields are just the members of object, in any order. */
static inline void
members_compare(const struct fields *fields, json_t *object,
    const char *which)
{
	const char *name = NULL;
	json_t *value = NULL;

	expect(fields->count == json_object_size(object), "%s: %zu fields",
	    which, fields->count);
	json_object_foreach(object, name, value) {
		const char *got = fields_get(fields, name);

		expect(got != NULL && str_eq(got, json_string_value(value)),
		    "%s: %s=%s", which, name, got == NULL ? "" : got);
	}
}

#endif
