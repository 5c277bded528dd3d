/* jsonread: jansson does not read or write a byte beside its memory when one
 * allocation fails or any two, for each length of a token.  Every block ends
 * where a page begins that nobody may touch. */
#include "wire/jsonread.h"

#include <errno.h>
#include <sys/mman.h>

#include "../unit.h"

#ifndef UNIT_SANITIZED

#define EXPORT __attribute__((visibility("default")))
#define PAGE 4096
#define PAGES 4096
#define LONGEST 80		/* bytes of a token */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *old);

static char *pages;		/* PAGES of them, closed while not in use */
static size_t used;
static bool guarding;
static size_t countdown;	/* the allocation that fails; 0: none */
static size_t then;		/* and the one so many behind it */
static size_t fired;

/* What is rounded up to keep the block aligned is less than a byte of text
 * that could be missed: jansson goes on to the next quote. */
static void *
page_malloc(size_t size)
{
	size_t room = (size + 15) / 16 * 16;
	size_t count = (room + PAGE - 1) / PAGE;
	char *at = pages + used * PAGE;

	if (countdown > 0 && --countdown == 0) {
		countdown = then;
		then = 0;
		fired++;
		errno = ENOMEM;
		return NULL;
	}
	if (used + count + 1 > PAGES
	    || mprotect(at, count * PAGE, PROT_READ | PROT_WRITE) != 0)
		abort();
	used += count + 1;
	return at + count * PAGE - room;
}

EXPORT void *
malloc(size_t size)
{
	return guarding ? page_malloc(size) : __libc_malloc(size);
}

EXPORT void *
calloc(size_t count, size_t size)
{
	return guarding ? page_malloc(count * size)
	    : __libc_calloc(count, size);
}

EXPORT void *
realloc(void *old, size_t size)
{
	assert_false(guarding);
	return __libc_realloc(old, size);
}

/* Pages are closed all at once, when the message has been freed. */
EXPORT void
free(void *old)
{
	const char *at = old;

	if (at < pages || at >= pages + PAGES * PAGE)
		__libc_free(old);
}

static void
pages_close(void)
{
	assert_int_equal(madvise(pages, used * PAGE, MADV_DONTNEED), 0);
	assert_int_equal(mprotect(pages, used * PAGE, PROT_NONE), 0);
	used = 0;
}

/* Read doc with the n-th allocation failing and, unless it is 0, the more-th
 * after it.  How many did. */
static size_t
doc_try(const char *doc, size_t len, size_t n, size_t more)
{
	struct jsonread *json = NULL;
	struct err err = { 0 };
	const char *text = NULL;
	bool ok = false;

	fired = 0;
	countdown = n;
	then = more;
	guarding = true;
	ok = jsonread_new(doc, len, &json, &err);
	guarding = false;
	countdown = 0;
	assert_true(ok == (fired == 0));
	expect(ok || err.kind == ERR_BUG, "%s", err.text);
	if (ok) {
		assert_true(jsonread_text(json, "a", &text, &err));
		assert_int_equal(strlen(text) + 8, len);
	}
	jsonread_free(json);
	pages_close();
	return fired;
}

static size_t
doc_sweep(const char *doc, size_t len)
{
	size_t tried = 0;

	for (size_t n = 1; doc_try(doc, len, n, 0) == 1; n++) {
		size_t more = 1;

		while (doc_try(doc, len, n, more) == 2)
			more++;
		tried += more;
	}
	return tried;
}

static void
test_tokens(void **state)
{
	size_t tried = 0;

	(void)state;
	pages = mmap(NULL, PAGES * PAGE, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(pages != MAP_FAILED);
	for (size_t len = 0; len <= LONGEST; len++) {
		char doc[LONGEST + 9];

		snprintf(doc, sizeof(doc), "{\"a\":\"%.*s\"}", (int)len,
		    "0123456789abcdefghijklmnopqrstuvwxyz0123456789"
		    "0123456789abcdefghijklmnopqrstuvwxyz0123456789");
		tried += doc_sweep(doc, len + 8);
	}
	assert_true(tried > 10 * LONGEST);
	print_message("    failures: %zu\n", tried);
	munmap(pages, PAGES * PAGE);
	pages = NULL;
}

#else

static void
test_tokens(void **state)
{
	(void)state;
	skip();
}

#endif

static int
start(void **state)
{
	(void)state;
	jsonread_start();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens),
	};

	return cmocka_run_group_tests_name("jsonread guard", tests, start,
	    NULL);
}
