/* Whatever bytes come as XML: refused and nothing kept, or read to fields
 * that are written and read again the same.  None is ever signed by a key
 * that its writer does not have. */
#include <assert.h>

#include "fuzz.h"

#include "base/str.h"
#include "wire/sign2.h"
#include "wire/xmlmsg.h"

static struct secret *key;

static void
start_once(void)
{
	struct err err = { 0 };

	if (key != NULL)
		return;
	xmlmsg_start();
	assert(secret_new("a key that is in no seed", 24, &key, &err));
}

static void
fields_compare(const struct fields *a, const struct fields *b)
{
	assert(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		assert(str_eq(a->list[i].name, b->list[i].name));
		assert(str_eq(a->list[i].value, b->list[i].value));
	}
}

static void
read_again(const struct fields *fields)
{
	struct fields again = { 0 };
	struct err err = { 0 };
	struct buf xml;

	buf_init(&xml, XMLMSG_MAX);
	xmlmsg_format(fields, &xml);
	if (buf_ok(&xml)) {
		assert(xmlmsg_parse(xml.data, xml.len, "xml", &again, &err));
		fields_compare(fields, &again);
	}
	fields_clear(&again);
	buf_clear(&xml);
}

static void
parse(const char *bytes, size_t len, const char *root)
{
	struct fields fields = { 0 };
	struct err err = { 0 };

	if (!xmlmsg_parse(bytes, len, root, &fields, &err)) {
		assert(err.kind == ERR_INPUT);
		assert(fields.count == 0 && fields.list == NULL);
		return;
	}
	assert(err.kind == ERR_NONE);
	read_again(&fields);
	assert(!sign2_verify(&fields, SIGN2_MD5, key, &err));
	fields_clear(&fields);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	start_once();
	parse((const char *)bytes, len, "xml");
	parse((const char *)bytes, len, "root");
	return 0;
}
