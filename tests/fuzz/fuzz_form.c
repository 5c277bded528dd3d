/* Whatever bytes come as a form: refused, or read to fields that are encoded
 * and read again the same. */
#include <assert.h>

#include "fuzz.h"

#include "base/str.h"
#include "wire/form.h"

#define FORM_MAX (1 << 20)

static void
form_format(const struct fields *fields, struct buf *out)
{
	for (size_t i = 0; i < fields->count; i++) {
		if (i > 0)
			buf_char(out, '&');
		form_encode(fields->list[i].name, out);
		buf_char(out, '=');
		form_encode(fields->list[i].value, out);
	}
}

static void
read_again(const struct fields *fields)
{
	struct fields again = { 0 };
	struct err err = { 0 };
	struct buf form;

	buf_init(&form, FORM_MAX);
	form_format(fields, &form);
	assert(buf_ok(&form));
	assert(form_parse(buf_get(&form), form.len, &again, &err));
	assert(again.count == fields->count);
	for (size_t i = 0; i < fields->count; i++) {
		const struct field *field = &fields->list[i];

		assert(str_is_utf8(field->value, strlen(field->value)));
		assert(str_eq(field->name, again.list[i].name));
		assert(str_eq(field->value, again.list[i].value));
	}
	fields_clear(&again);
	buf_clear(&form);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct fields fields = { 0 };
	struct err err = { 0 };

	if (form_parse((const char *)bytes, len, &fields, &err))
		read_again(&fields);
	else
		assert(err.kind == ERR_INPUT);
	fields_clear(&fields);
	return 0;
}
