#include "base/str.h"

bool
str_copy(char *out, size_t size, const char *text)
{
	size_t len = strlen(text);

	if (len >= size) {
		if (size > 0)
			out[0] = '\0';
		return false;
	}
	memcpy(out, text, len + 1);
	return true;
}

bool
str_eq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool
str_is_among(const char *text, const char *const names[])
{
	for (; *names != NULL; names++)
		if (str_eq(text, *names))
			return true;
	return false;
}

bool
str_has_word(const char *list, const char *word, size_t len)
{
	const char *at = list;
	size_t size;

	while (*at != '\0') {
		size = strcspn(at, " ");
		if (size > 0 && size == len && memcmp(at, word, len) == 0)
			return true;
		at += size;
		at += strspn(at, " ");
	}
	return false;
}

bool
str_is_of(const char *text, const char *set, size_t min, size_t max)
{
	size_t len = strlen(text);

	return len >= min && len <= max && strspn(text, set) == len;
}

/*
 * How many bytes the character at at[0] has, at most left; 0 if it is none.
 * [RFC 3629, section 4] the second byte is what excludes overlong forms,
 * surrogates and everything above U+10FFFF.
 */
static size_t
utf8_char_len(const unsigned char *at, size_t left)
{
	static const struct {
		unsigned char first_min, first_max;
		unsigned char second_min, second_max;
		size_t len;
	} shapes[] = {
		{ 0x01, 0x7f, 0x00, 0x00, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	size_t s = 0;

	while (s < COUNT_OF(shapes)
	    && (at[0] < shapes[s].first_min || at[0] > shapes[s].first_max))
		s++;
	if (s == COUNT_OF(shapes) || shapes[s].len > left)
		return 0;
	if (shapes[s].len > 1
	    && (at[1] < shapes[s].second_min || at[1] > shapes[s].second_max))
		return 0;
	for (size_t i = 2; i < shapes[s].len; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return shapes[s].len;
}

bool
str_is_utf8(const char *bytes, size_t len)
{
	const unsigned char *at = (const unsigned char *)bytes;
	size_t i = 0;
	size_t step = 1;

	while (i < len && step > 0) {
		step = utf8_char_len(at + i, len - i);
		i += step;
	}
	return step > 0;
}

bool
str_is_plain(const char *text)
{
	if (!str_is_utf8(text, strlen(text)))
		return false;
	for (const char *at = text; *at != '\0'; at++) {
		unsigned char c = (unsigned char)*at;

		if (c >= 0xf0 || c == 0x7f)
			return false;
		if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
			return false;
	}
	return true;
}

bool
str_to_long(const char *text, long max, long *out)
{
	size_t len = strlen(text);
	long value = 0;

	if (!str_is_of(text, STR_DIGITS, 1, 19) || (text[0] == '0' && len > 1))
		return false;
	for (size_t i = 0; i < len; i++) {
		long digit = text[i] - '0';

		if (digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}
