#include "base/err.h"

#include <assert.h>
#include <stdarg.h>

bool
err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	va_list args;

	assert(kind != ERR_NONE);
	if (err->kind != ERR_NONE)
		return false;
	err->kind = kind;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return false;
}

bool
err_in(struct err *err, const char *where)
{
	char text[sizeof(err->text)];
	size_t len = 0;
	size_t rest = 0;

	if (err->kind == ERR_NONE)
		return false;
	memcpy(text, err->text, sizeof(text));
	snprintf(err->text, sizeof(err->text), "%s: ", where);
	len = strlen(err->text);
	rest = strnlen(text, sizeof(err->text) - 1 - len);
	memcpy(err->text + len, text, rest);
	err->text[len + rest] = '\0';
	return false;
}

const char *
err_kind_name(enum err_kind kind)
{
	static const char *const names[ERR_KINDS] = {
		[ERR_NONE] = "ERR_NONE",
		[ERR_INPUT] = "ERR_INPUT",
		[ERR_AUTH] = "ERR_AUTH",
		[ERR_FORBIDDEN] = "ERR_FORBIDDEN",
		[ERR_MISSING] = "ERR_MISSING",
		[ERR_CONFLICT] = "ERR_CONFLICT",
		[ERR_REFUSED] = "ERR_REFUSED",
		[ERR_STORE] = "ERR_STORE",
		[ERR_UNSURE] = "ERR_UNSURE",
		[ERR_BUG] = "ERR_BUG",
	};

	assert((unsigned)kind < ERR_KINDS);
	return names[kind];
}
