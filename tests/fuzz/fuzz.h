/*
 * fuzz: what libFuzzer calls, and replay.c, too.
 *
 * Knows libFuzzer's names.  Owns nothing.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Aborts if something is wrong.  Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#endif
