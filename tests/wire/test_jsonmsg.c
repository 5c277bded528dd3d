/* jsonmsg: what is added comes out once and in order, or nothing does. */
#include "wire/jsonmsg.h"

#include "../unit.h"

static void
formats_to(struct jsonmsg *msg, const char *want)
{
	struct buf out;

	buf_init(&out, 10000);
	assert_true(jsonmsg_format(msg, &out));
	assert_string_equal(buf_get(&out), want);
	buf_clear(&out);
	jsonmsg_free(msg);
}

static void
fails(struct jsonmsg *msg)
{
	struct buf out;

	buf_init(&out, 10000);
	assert_false(jsonmsg_format(msg, &out));
	buf_clear(&out);
	jsonmsg_free(msg);
}

static void
test_members(void **state)
{
	struct jsonmsg *msg = jsonmsg_new();
	struct jsonmsg *pay = jsonmsg_new();

	(void)state;
	jsonmsg_text(pay, "timeStamp", "1414561699");
	jsonmsg_text(msg, "z", "first");
	jsonmsg_text(msg, "absent", NULL);
	jsonmsg_int(msg, "total_fee", 2147483648);
	jsonmsg_int(msg, "least", INT64_MIN);
	jsonmsg_bool(msg, "closing", true);
	jsonmsg_bool(msg, "paid", false);
	jsonmsg_object(msg, "pay", pay);
	jsonmsg_text(msg, "a", "");
	formats_to(msg, "{\"z\":\"first\",\"total_fee\":2147483648,"
	    "\"least\":-9223372036854775808,\"closing\":true,\"paid\":false,"
	    "\"pay\":{\"timeStamp\":\"1414561699\"},\"a\":\"\"}");
	formats_to(jsonmsg_new(), "{}");
}

static void
test_escapes(void **state)
{
	struct jsonmsg *msg = jsonmsg_new();

	(void)state;
	jsonmsg_text(msg, "body", "a\"b\\c\n\x01 \xe4\xb8\xad </script>");
	formats_to(msg, "{\"body\":\"a\\\"b\\\\c\\n\\u0001 \xe4\xb8\xad "
	    "</script>\"}");
}

static void
test_broken(void **state)
{
	struct jsonmsg *msg = jsonmsg_new();
	struct jsonmsg *inner = NULL;

	(void)state;
	jsonmsg_text(msg, "bad", "\xff");
	jsonmsg_text(msg, "good", "1");
	fails(msg);

	msg = jsonmsg_new();		/* a name stands once */
	jsonmsg_int(msg, "state", 1);
	jsonmsg_text(msg, "state", "paid");
	fails(msg);

	msg = jsonmsg_new();		/* a broken member breaks the whole */
	inner = jsonmsg_new();
	jsonmsg_text(inner, "bad", "\xc0\xaf");
	jsonmsg_object(msg, "inner", inner);
	fails(msg);

	msg = jsonmsg_new();
	jsonmsg_object(msg, "inner", NULL);
	fails(msg);
}

/* As after jsonmsg_new without memory. */
static void
test_null(void **state)
{
	(void)state;
	jsonmsg_text(NULL, "a", "b");
	jsonmsg_int(NULL, "a", 1);
	jsonmsg_bool(NULL, "a", true);
	jsonmsg_object(NULL, "a", jsonmsg_new());
	jsonmsg_object(NULL, "a", NULL);
	fails(NULL);
}

static void
test_no_room(void **state)
{
	struct jsonmsg *msg = jsonmsg_new();
	struct buf out;

	(void)state;
	jsonmsg_text(msg, "a", "0123456789");
	buf_init(&out, 10);
	assert_false(jsonmsg_format(msg, &out));
	buf_clear(&out);
	jsonmsg_free(msg);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests_name("jsonmsg", tests, NULL, NULL);
}
