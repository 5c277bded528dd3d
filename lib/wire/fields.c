#include "wire/fields.h"

#include "base/str.h"

void
fields_init(struct fields *fields)
{
	*fields = (struct fields){ 0 };
}

void
fields_clear(struct fields *fields)
{
	for (size_t i = 0; i < fields->count; i++) {
		struct field *field = &fields->list[i];

		explicit_bzero(field->value, strlen(field->value));
		explicit_bzero(field->name, strlen(field->name));
		free(field->name);
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

/* One allocation for both: field.name is what to free. */
static bool
field_new(struct field *field, const char *name, size_t name_len,
    const char *value, size_t value_len)
{
	char *text = malloc(name_len + 1 + value_len + 1);

	if (text == NULL)
		return false;
	field->name = text;
	memcpy(field->name, name, name_len);
	field->name[name_len] = '\0';
	field->value = text + name_len + 1;
	memcpy(field->value, value, value_len);
	field->value[value_len] = '\0';
	return true;
}

/* The field of that name, which need not be NUL-terminated. */
static const struct field *
fields_find(const struct fields *fields, const char *name, size_t name_len)
{
	for (size_t i = 0; i < fields->count; i++)
		if (strncmp(fields->list[i].name, name, name_len) == 0
		    && fields->list[i].name[name_len] == '\0')
			return &fields->list[i];
	return NULL;
}

static bool
fields_copy(struct fields *fields, const char *name, size_t name_len,
    const char *value, size_t value_len, struct err *err)
{
	if (fields_find(fields, name, name_len) != NULL)
		return err_set(err, ERR_INPUT, "\"%.*s\" stands twice",
		    name_len < 64 ? (int)name_len : 64, name);
	if (fields->count == FIELDS_MAX)
		return err_set(err, ERR_INPUT, "more than %d fields",
		    FIELDS_MAX);
	if ((fields->count == fields->room && !fields_grow(fields))
	    || !field_new(&fields->list[fields->count], name, name_len, value,
		value_len))
		return err_set(err, ERR_BUG, "out of memory");
	fields->count++;
	return true;
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
	const struct field *field = fields_find(fields, name, strlen(name));

	return field == NULL ? NULL : field->value;
}

const char *
fields_text(const struct fields *fields, const char *name)
{
	const char *value = fields_get(fields, name);

	return value == NULL ? "" : value;
}

bool
fields_only(const struct fields *fields, const char *const known[],
    struct err *err)
{
	for (size_t i = 0; i < fields->count; i++)
		if (!str_is_among(fields->list[i].name, known))
			return err_set(err, ERR_INPUT,
			    "\"%.64s\" is not a field here",
			    fields->list[i].name);
	return true;
}
