/* mac: HMAC-SHA256 as RFC 4231 has it, and no nonce comes twice. */
#include "wire/mac.h"

#include "../unit.h"
#include "base/str.h"

#define NONCES 20000

static void
test_rfc4231(void **state)
{
	/* [RFC 4231, section 4] the cases whose data is text */
	static const struct {
		const char *key;
		size_t key_len;
		const char *text, *mac;
	} cases[] = {
		{ "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
		    "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", 20,
		    "Hi There",
		    "b0344c61d8db38535ca8afceaf0bf12b"
		    "881dc200c9833da726e9376c2e32cff7" },
		{ "Jefe", 4, "what do ya want for nothing?",
		    "5bdcc146bf60754e6a042426089575c7"
		    "5a003f089d2739839dec58b964ec3843" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct secret *key = NULL;
		struct err err = { 0 };
		char mac[MAC_SIZE];

		assert_true(secret_new(cases[i].key, cases[i].key_len, &key,
		    &err));
		assert_true(mac_text(key, cases[i].text, mac, &err));
		assert_string_equal(mac, cases[i].mac);
		secret_free(key);
	}
}

static int
nonce_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
test_nonces(void **state)
{
	static char nonces[NONCES][NONCE_SIZE];
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < NONCES; i++) {
		assert_true(nonce_new(nonces[i], &err));
		assert_true(str_is_of(nonces[i], STR_DIGITS "abcdef", 32, 32));
	}
	qsort(nonces, NONCES, sizeof(nonces[0]), nonce_compare);
	for (size_t i = 1; i < NONCES; i++)
		assert_string_not_equal(nonces[i - 1], nonces[i]);
	print_message("    nonces: %d\n", NONCES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc4231),
		cmocka_unit_test(test_nonces),
	};

	return cmocka_run_group_tests_name("mac", tests, NULL, NULL);
}
