#include "wire/base64.h"

#include <openssl/evp.h>

#include "base/str.h"

#define ALPHABET STR_UPPER STR_LOWER STR_DIGITS "+/"

/* Bytes of one step of encoding, a multiple of 3. */
#define STEP 48

void
base64_format(const void *bytes, size_t len, struct buf *out)
{
	const unsigned char *at = bytes;
	unsigned char text[BASE64_SIZE(STEP)];

	while (len > 0) {
		size_t step = len < STEP ? len : STEP;
		int text_len = EVP_EncodeBlock(text, at, (int)step);

		buf_add(out, text, (size_t)text_len);
		at += step;
		len -= step;
	}
	explicit_bzero(text, sizeof(text));
}

/*
 * The value of four characters, their padding counted as zeros; -1 if one of
 * them is no base64, or if bits are set that no byte will hold.  Not
 * EVP_DecodeBlock, which skips white space.
 */
static long
quad_value(const char *quad, size_t padding)
{
	long value = 0;

	for (size_t i = 0; i < 4 - padding; i++) {
		const char *digit = quad[i] == '\0' ? NULL
		    : strchr(ALPHABET, quad[i]);

		if (digit == NULL)
			return -1;
		value = value * 64 + (digit - ALPHABET);
	}
	value <<= 6 * padding;
	return (value & ((1L << (8 * padding)) - 1)) == 0 ? value : -1;
}

static size_t
padding_len(const char *text, size_t len)
{
	if (len == 0 || text[len - 1] != '=')
		return 0;
	return text[len - 2] == '=' ? 2 : 1;
}

static bool
is_base64(const char *text, size_t len, size_t padding)
{
	if (len % 4 != 0)
		return false;
	for (size_t at = 0; at < len; at += 4)
		if (quad_value(text + at, at + 4 == len ? padding : 0) < 0)
			return false;
	return true;
}

bool
base64_parse(const char *text, size_t len, struct buf *out)
{
	size_t padding = len % 4 == 0 ? padding_len(text, len) : 0;

	if (!is_base64(text, len, padding))
		return false;
	for (size_t at = 0; at < len; at += 4) {
		size_t cut = at + 4 == len ? padding : 0;
		long value = quad_value(text + at, cut);
		const unsigned char bytes[3] = {
			(unsigned char)(value >> 16),
			(unsigned char)(value >> 8),
			(unsigned char)value,
		};

		buf_add(out, bytes, 3 - cut);
	}
	return true;
}

static void
hex_format(const unsigned char *bytes, size_t len, const char *digits,
    char *out)
{
	for (size_t i = 0; i < len; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}

void
hex_format_lower(const unsigned char *bytes, size_t len, char *out)
{
	hex_format(bytes, len, "0123456789abcdef", out);
}

void
hex_format_upper(const unsigned char *bytes, size_t len, char *out)
{
	hex_format(bytes, len, "0123456789ABCDEF", out);
}
