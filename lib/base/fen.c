#include "base/fen.h"

#include <assert.h>
#include <inttypes.h>

#include "base/str.h"

#define YUAN_DIGITS_MAX 15	/* so that no text overflows an int64 of fen */

bool
fen_parse(const char *text, fen_t *out)
{
	long fen = 0;

	if (!str_to_long(text, FEN_MAX, &fen) || fen < 1)
		return false;
	*out = fen;
	return true;
}

void
fen_format(fen_t fen, char out[static FEN_TEXT_SIZE])
{
	snprintf(out, FEN_TEXT_SIZE, "%" PRId64, fen);
}

void
fen_format_yuan(fen_t fen, char out[static FEN_YUAN_SIZE])
{
	uint64_t size = fen < 0 ? -(uint64_t)fen : (uint64_t)fen;

	snprintf(out, FEN_YUAN_SIZE, "%s%" PRIu64 ".%02u", fen < 0 ? "-" : "",
	    size / 100, (unsigned)(size % 100));
}

/* Digits only; at most YUAN_DIGITS_MAX + 2 of them have been counted. */
static fen_t
digits_value(const char *digits, size_t len)
{
	fen_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value * 10 + (digits[i] - '0');
	return value;
}

bool
fen_parse_yuan(const char *text, fen_t *out)
{
	bool negative = text[0] == '-';
	const char *yuan = negative ? text + 1 : text;
	size_t yuan_len = strspn(yuan, STR_DIGITS);
	const char *rest = yuan + yuan_len;
	size_t decimals = rest[0] == '.' ? strspn(rest + 1, STR_DIGITS) : 0;
	fen_t fen = 0;

	if (yuan_len < 1 || yuan_len > YUAN_DIGITS_MAX
	    || (yuan[0] == '0' && yuan_len > 1))
		return false;
	if (rest[0] != '\0'
	    && (decimals < 1 || decimals > 2 || rest[1 + decimals] != '\0'))
		return false;
	fen = digits_value(yuan, yuan_len) * 100;
	if (decimals > 0)
		fen += digits_value(rest + 1, decimals)
		    * (decimals == 1 ? 10 : 1);
	*out = negative ? -fen : fen;
	return true;
}

static bool
fen_is_inside(fen_t fen)
{
	return fen >= 0 && fen <= FEN_MAX;
}

bool
fen_add(fen_t a, fen_t b, fen_t *sum)
{
	assert(fen_is_inside(a) && fen_is_inside(b));
	if (!fen_is_inside(a + b))
		return false;
	*sum = a + b;
	return true;
}

bool
fen_multiply(fen_t a, long times, fen_t *product)
{
	assert(fen_is_inside(a));
	if (!fen_is_inside(times) || !fen_is_inside(a * times))
		return false;
	*product = a * times;
	return true;
}
