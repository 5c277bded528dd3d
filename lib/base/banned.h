/*
 * banned: C library functions that have cost somebody money.
 *
 * Included by the compiler before every file of ours (-include).
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Macros in glibc (sprintf when fortified, under clang), and a macro cannot be
 * poisoned. */
#undef alloca
#undef sprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets
#pragma GCC poison strtok atoi atol atoll atof strtod sscanf alloca
#pragma GCC poison system popen srand random
#pragma GCC poison gmtime localtime ctime asctime mktime

/* OpenSSL's headers name a parameter rand: only the function is an error. */
int rand(void) __attribute__((deprecated("banned")));

#endif
