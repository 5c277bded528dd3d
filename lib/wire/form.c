#include "wire/form.h"

#include "base/str.h"

#define UNRESERVED STR_ALNUM "-._~"	/* [RFC 3986, section 2.3] */

/* The value of a hexadecimal digit, or -1. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* Append the len bytes at text, decoded. */
static bool
form_decode(const char *text, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		int high = 0;
		int low = 0;

		if (text[i] != '%') {
			buf_char(out, text[i] == '+' ? ' ' : text[i]);
			continue;
		}
		if (len - i < 3)
			return false;
		high = hex_value(text[i + 1]);
		low = hex_value(text[i + 2]);
		if (high < 0 || low < 0)
			return false;
		buf_char(out, (char)(high * 16 + low));
		i += 2;
	}
	return true;
}

/* One part between two "&". */
static bool
form_parse_part(const char *part, size_t len, struct fields *fields,
    struct err *err)
{
	const char *equals = len == 0 ? NULL : memchr(part, '=', len);
	size_t name_len = equals == NULL ? len : (size_t)(equals - part);
	const char *value = equals == NULL ? part + len : equals + 1;
	struct buf plain;	/* the name, and the value behind it */
	bool decoded = false;
	bool ok = false;

	buf_init(&plain, len);
	decoded = form_decode(part, name_len, &plain);
	name_len = plain.len;
	decoded = decoded
	    && form_decode(value, (size_t)(part + len - value), &plain);
	if (!decoded)
		err_set(err, ERR_INPUT, "bad percent-encoding");
	else if (!buf_ok(&plain))
		err_set(err, ERR_BUG, "out of memory");
	else if (name_len == 0)
		err_set(err, ERR_INPUT, "a field without a name");
	else
		ok = fields_add_bytes(fields, plain.data, name_len,
		    plain.data + name_len, plain.len - name_len, err);
	buf_clear(&plain);
	return ok;
}

bool
form_parse(const char *bytes, size_t len, struct fields *fields,
    struct err *err)
{
	const char *end = len == 0 ? bytes : bytes + len;
	bool ok = true;

	if (len == 0)
		return true;
	for (const char *part = bytes; ok && part <= end; ) {
		size_t left = (size_t)(end - part);
		const char *stop = left == 0 ? NULL : memchr(part, '&', left);
		size_t part_len = stop == NULL ? left : (size_t)(stop - part);

		ok = form_parse_part(part, part_len, fields, err);
		part += part_len + 1;
	}
	return ok;
}

void
form_encode(const char *text, struct buf *out)
{
	for (; *text != '\0'; text++) {
		if (strchr(UNRESERVED, *text) != NULL)
			buf_char(out, *text);
		else
			buf_format(out, "%%%02X",
			    (unsigned)(unsigned char)*text);
	}
}
