/*
 * fen: money.
 *
 * Knows that money is whole fen (1/100 CNY).  Hides nothing.  Owns nothing.
 * No floating point anywhere.
 */
#ifndef BASE_FEN_H
#define BASE_FEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

typedef int64_t fen_t;

/* The largest amount of one order: WeChat's total_fee is a 32-bit integer. */
#define FEN_MAX ((fen_t)INT32_MAX)

#define FEN_TEXT_SIZE 21	/* digits of an int64 and the NUL */
#define FEN_YUAN_SIZE 24

/* "1" to "2147483647" in its one spelling: digits only, no leading zero. */
MUSTUSE bool fen_parse(const char *text, fen_t *out);
void fen_format(fen_t fen, char out[static FEN_TEXT_SIZE]);

/* For people: 1234 fen is "12.34". */
void fen_format_yuan(fen_t fen, char out[static FEN_YUAN_SIZE]);

/* "12.34" to 1234, "-0.02" to -2, as bills have it: at most 15 digits, at most
 * two decimals.  [v2.json yuan_to_fen] */
MUSTUSE bool fen_parse_yuan(const char *text, fen_t *out);

/* False if a + b is outside 0 to FEN_MAX.  Both must be inside. */
MUSTUSE bool fen_add(fen_t a, fen_t b, fen_t *sum);
MUSTUSE bool fen_multiply(fen_t a, long times, fen_t *product);

#endif
