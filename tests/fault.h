/*
 * fault: one allocation that fails, on demand, and a count of what leaks.
 *
 * Knows that a program's own malloc stands before the C library's for every
 * library that it loads.  So include this in one file of a program only, and
 * not under a sanitizer that wants to be malloc itself.
 */
#ifndef TESTS_FAULT_H
#define TESTS_FAULT_H

#include <errno.h>

#include "base/err.h"
#include "unit.h"

/* Something that allocates.  True if it worked, and then it has checked what
 * came out; false with err set if it did not. */
struct fault_case {
	const char *name;
	bool (*run)(struct err *err);
	bool ours_only;		/* fail only what our own code allocates */
};

static struct {
	size_t countdown;	/* the allocation that fails; 0: none */
	bool ours_only;
	bool fired;
	long live;		/* allocations that nobody has freed */
} fault;

#ifndef UNIT_SANITIZED

#define FAULT_EXPORT __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *old);

extern const char __executable_start[];
extern const char etext[];

static bool
fault_is_due(const void *caller)
{
	const char *from = caller;

	if (fault.countdown == 0
	    || (fault.ours_only && (from < __executable_start || from > etext)))
		return false;
	fault.countdown--;
	if (fault.countdown > 0)
		return false;
	fault.fired = true;
	errno = ENOMEM;
	return true;
}

static void *
fault_count(void *got)
{
	if (got != NULL)
		fault.live++;
	return got;
}

FAULT_EXPORT void *
malloc(size_t size)
{
	if (fault_is_due(__builtin_return_address(0)))
		return NULL;
	return fault_count(__libc_malloc(size));
}

FAULT_EXPORT void *
calloc(size_t count, size_t size)
{
	if (fault_is_due(__builtin_return_address(0)))
		return NULL;
	return fault_count(__libc_calloc(count, size));
}

FAULT_EXPORT void *
realloc(void *old, size_t size)
{
	if (fault_is_due(__builtin_return_address(0)))
		return NULL;
	if (old == NULL)
		return fault_count(__libc_malloc(size));
	return __libc_realloc(old, size);
}

/* The C library's own would call realloc from inside it, not from us. */
FAULT_EXPORT void *
reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes = 0;

	if (fault_is_due(__builtin_return_address(0))
	    || __builtin_mul_overflow(count, size, &bytes))
		return NULL;
	if (old == NULL)
		return fault_count(__libc_malloc(bytes));
	return __libc_realloc(old, bytes);
}

FAULT_EXPORT void
free(void *old)
{
	if (old != NULL)
		fault.live--;
	__libc_free(old);
}

#endif

/* Let the n-th allocation fail.  False when there are fewer than n. */
static bool
fault_try(const struct fault_case *tried, size_t n)
{
	struct err err = { 0 };
	bool ok = false;

	fault.countdown = n;
	fault.ours_only = tried->ours_only;
	fault.fired = false;
	ok = tried->run(&err);
	fault.countdown = 0;
	if (!fault.fired)
		expect(ok, "%s: without a fault: %s", tried->name, err.text);
	else if (!ok)	/* or a library has helped itself */
		expect(err.kind == ERR_BUG, "%s: allocation %zu: %s",
		    tried->name, n, err.text);
	return fault.fired;
}

static size_t
fault_sweep(const struct fault_case *tried)
{
	size_t n = 1;

	while (fault_try(tried, n))
		n++;
	return n - 1;
}

/*
 * Every allocation fails once.  What leaks shows in the second sweep, for in
 * the first one libraries fill their caches.  Says how many there were.
 */
static size_t
fault_each(const struct fault_case *tried, long *leaked)
{
	long before = 0;
	size_t count = 0;

	fault_sweep(tried);
	before = fault.live;
	count = fault_sweep(tried);
	*leaked = fault.live - before;
	return count;
}

#endif
