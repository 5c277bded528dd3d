/* Whatever bytes come as base64: refused, or the one spelling of what they
 * say.  As a req_info they are refused in one way, or open to something. */
#include <assert.h>

#include "fuzz.h"

#include "base/str.h"
#include "wire/base64.h"
#include "wire/seal2.h"
#include "wire/xmlmsg.h"

static struct secret *key;

static void
start_once(void)
{
	struct err err = { 0 };

	if (key != NULL)
		return;
	xmlmsg_start();
	assert(secret_new("8f3c1d0e9b7a4652c1e0d9f8a7b6c5d4", 32, &key, &err));
}

static void
parse(const char *text, size_t len)
{
	struct buf plain;
	struct buf again;

	buf_init(&plain, len);
	buf_init(&again, len);
	if (base64_parse(text, len, &plain)) {
		base64_format(buf_get(&plain), plain.len, &again);
		assert(buf_ok(&plain) && buf_ok(&again));
		assert(again.len == len);
		assert(memcmp(buf_get(&again), text, len) == 0);
	} else {
		assert(plain.len == 0);
	}
	buf_clear(&again);
	buf_clear(&plain);
}

/* text is NUL-terminated. */
static void
open_sealed(const char *text)
{
	struct fields fields = { 0 };
	struct err err = { 0 };
	struct buf plain;

	buf_init(&plain, XMLMSG_MAX);
	if (seal2_open(text, key, &plain, &err)) {
		bool ok = xmlmsg_parse(buf_get(&plain), plain.len, "root",
		    &fields, &err);

		assert(ok || fields.count == 0);
	} else {
		assert(err.kind == ERR_AUTH && plain.len == 0);
	}
	fields_clear(&fields);
	buf_clear(&plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct buf text;

	start_once();
	parse((const char *)bytes, len);
	buf_init(&text, len);
	buf_add(&text, bytes, len);
	open_sealed(buf_get(&text));
	buf_clear(&text);
	return 0;
}
