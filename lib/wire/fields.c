#include "wire/fields.h"

#include "base/str.h"

void
fields_init(struct fields *fields)
{
	*fields = (struct fields){ 0 };
}

static void
text_free(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

void
fields_clear(struct fields *fields)
{
	for (size_t i = 0; i < fields->count; i++) {
		text_free(fields->list[i].name);
		text_free(fields->list[i].value);
	}
	free(fields->list);
	fields_init(fields);
}

static bool
fields_grow(struct fields *fields)
{
	size_t room = fields->room == 0 ? 32 : fields->room * 2;
	struct field *list = reallocarray(fields->list, room, sizeof(*list));

	if (list == NULL)
		return false;
	fields->list = list;
	fields->room = room;
	return true;
}

static char *
text_copy(const char *bytes, size_t len)
{
	char *text = malloc(len + 1);

	if (text == NULL)
		return NULL;
	memcpy(text, bytes, len);
	text[len] = '\0';
	return text;
}

/* Give name and value away to fields. */
static bool
fields_give(struct fields *fields, char *name, char *value, struct err *err)
{
	if (fields_get(fields, name) != NULL)
		return err_set(err, ERR_INPUT, "\"%.64s\" stands twice", name);
	if (fields->count == FIELDS_MAX)
		return err_set(err, ERR_INPUT, "more than %d fields",
		    FIELDS_MAX);
	if (fields->count == fields->room && !fields_grow(fields))
		return err_set(err, ERR_BUG, "out of memory");
	fields->list[fields->count++] = (struct field){ name, value };
	return true;
}

static bool
fields_copy(struct fields *fields, const char *name, size_t name_len,
    const char *value, size_t value_len, struct err *err)
{
	char *name_copy = text_copy(name, name_len);
	char *value_copy = text_copy(value, value_len);
	bool ok = false;

	if (name_copy == NULL || value_copy == NULL)
		err_set(err, ERR_BUG, "out of memory");
	else
		ok = fields_give(fields, name_copy, value_copy, err);
	if (!ok) {
		text_free(name_copy);
		text_free(value_copy);
	}
	return ok;
}

bool
fields_add(struct fields *fields, const char *name, const char *value,
    struct err *err)
{
	return fields_copy(fields, name, strlen(name), value, strlen(value),
	    err);
}

bool
fields_add_bytes(struct fields *fields, const char *name, size_t name_len,
    const char *value, size_t value_len, struct err *err)
{
	if (!str_is_utf8(name, name_len))
		return err_set(err, ERR_INPUT, "a name is not UTF-8");
	if (!str_is_utf8(value, value_len))
		return err_set(err, ERR_INPUT, "\"%.*s\" is not UTF-8",
		    name_len < 64 ? (int)name_len : 64, name);
	return fields_copy(fields, name, name_len, value, value_len, err);
}

const char *
fields_get(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (str_eq(fields->list[i].name, name))
			return fields->list[i].value;
	return NULL;
}

const char *
fields_text(const struct fields *fields, const char *name)
{
	const char *value = fields_get(fields, name);

	return value == NULL ? "" : value;
}

static bool
is_among(const char *name, const char *const known[])
{
	while (*known != NULL && !str_eq(*known, name))
		known++;
	return *known != NULL;
}

bool
fields_only(const struct fields *fields, const char *const known[],
    struct err *err)
{
	for (size_t i = 0; i < fields->count; i++)
		if (!is_among(fields->list[i].name, known))
			return err_set(err, ERR_INPUT,
			    "\"%.64s\" is not a field here",
			    fields->list[i].name);
	return true;
}
