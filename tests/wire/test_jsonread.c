/* jsonread: what a lenient reader would take is refused, and what is read is
 * what stands there, of the type that was asked for. [threats N25] */
#include "wire/jsonread.h"

#include "../unit.h"
#include "base/buf.h"

static int
start(void **state)
{
	(void)state;
	jsonread_start();
	return 0;
}

static bool
is_read(const char *bytes, size_t len)
{
	struct jsonread *json = NULL;
	struct err err = { 0 };
	bool ok = jsonread_new(bytes, len, &json, &err);

	assert_int_equal(err.kind, ok ? ERR_NONE : ERR_INPUT);
	assert_true((json != NULL) == ok);
	jsonread_free(json);
	return ok;
}

static struct jsonread *
json_of(const char *bytes)
{
	struct jsonread *json = NULL;
	struct err err = { 0 };

	expect(jsonread_new(bytes, strlen(bytes), &json, &err), "%s: %s",
	    bytes, err.text);
	return json;
}

struct text {
	const char *bytes;
	size_t len;
};

#define TEXT(literal) { literal, sizeof(literal) - 1 }

static void
test_read(void **state)
{
	static const struct text cases[] = {
		TEXT("{}"),
		TEXT(" \t\r\n{ } \t\r\n"),
		TEXT("{\"a\":[]}"),
		TEXT("{\"a\":[[],{},\"\",0,-1,1.5,1e2,true,false,null]}"),
		TEXT("{\"\":1}"),
		TEXT("{\"a\":{\"a\":{\"a\":1}}}"),
		TEXT("{\"a\":1,\"A\":2}"),
		TEXT("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}"),
		TEXT("{\"a\":\"\\u4e2d\\ud83d\\ude00\"}"),
		TEXT("{\"a\":\"\xe4\xb8\xad\xf0\x9f\x98\x80\"}"),
		TEXT("{\"a\":\"[[[[[[[[[[[[[[[[[[[[{{{{{{{{{{{{{\"}"),
		TEXT("{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[\\\\\"}"),
		TEXT("{\"a\":9223372036854775807}"),
		TEXT("{\"a\":-9223372036854775808}"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect(is_read(cases[i].bytes, cases[i].len), "%s",
		    cases[i].bytes);
}

static void
test_refused(void **state)
{
	static const struct text cases[] = {
		TEXT(""), TEXT(" "), TEXT("x"), TEXT("not json"),
		TEXT("<xml/>"), TEXT("null"), TEXT("1"), TEXT("\"a\""),
		TEXT("[]"), TEXT("[{}]"),
		/* given twice */
		TEXT("{\"a\":1,\"a\":1}"),
		TEXT("{\"a\":1,\"b\":2,\"a\":3}"),
		TEXT("{\"a\":1,\"\\u0061\":2}"),
		TEXT("{\"a\":null,\"a\":1}"),
		TEXT("{\"x\":{\"a\":1,\"a\":2}}"),
		TEXT("{\"x\":[{\"a\":1,\"a\":2}]}"),
		/* behind the end */
		TEXT("{}x"), TEXT("{}{}"), TEXT("{} {}"), TEXT("{},"),
		TEXT("{}\0"), TEXT("{}\n\0"), TEXT("{}]"), TEXT("{}}"),
		TEXT("{}//"), TEXT("{}\xef\xbb\xbf"),
		/* cut, loose, or of other dialects */
		TEXT("{"), TEXT("{\"a\""), TEXT("{\"a\":"), TEXT("{\"a\":1"),
		TEXT("{\"a\":1,}"), TEXT("{\"a\":[1,]}"), TEXT("{,}"),
		TEXT("{a:1}"), TEXT("{'a':1}"), TEXT("{\"a\":'b'}"),
		TEXT("{\"a\":tru}"), TEXT("{\"a\":True}"),
		TEXT("{\"a\":NaN}"), TEXT("{\"a\":Infinity}"),
		TEXT("{\"a\" 1}"), TEXT("{\"a\":1 \"b\":2}"),
		TEXT("{/**/\"a\":1}"), TEXT("{\"a\":1]"), TEXT("{[]}"),
		TEXT("{1:1}"), TEXT("{null:1}"),
		/* numbers of other spellings */
		TEXT("{\"a\":01}"), TEXT("{\"a\":+1}"), TEXT("{\"a\":.5}"),
		TEXT("{\"a\":1.}"), TEXT("{\"a\":0x10}"), TEXT("{\"a\":-}"),
		TEXT("{\"a\":1e}"), TEXT("{\"a\":1_0}"), TEXT("{\"a\":1,5}"),
		TEXT("{\"a\":9223372036854775808}"),
		TEXT("{\"a\":-9223372036854775809}"),
		TEXT("{\"a\":1e999}"),
		/* a mark, other encodings, NUL */
		TEXT("\xef\xbb\xbf{}"), TEXT("\xff\xfe{\0}\0"),
		TEXT("{\0}\0"), TEXT("\0{}"), TEXT("{\"a\0\":1}"),
		TEXT("{\"a\":90\0}"), TEXT("{\"a\":true\0}"),
		TEXT("{\"a\":[1\0,2]}"), TEXT("{\"a\":1\0" "0}"),
		TEXT("{\"a\":\"\0\"}"), TEXT("{\"a\":\"\\u0000\"}"),
		TEXT("{\"\\u0000\":1}"), TEXT("{\"a\\u0000b\":1}"),
		/* bad UTF-8: alone, cut, overlong, surrogate, too high */
		TEXT("{\"a\":\"\x80\"}"), TEXT("{\"a\":\"\xe4\xb8\"}"),
		TEXT("{\"a\":\"\xc0\xaf\"}"), TEXT("{\"a\":\"\xc1\x81\"}"),
		TEXT("{\"a\":\"\xe0\x80\xaf\"}"),
		TEXT("{\"a\":\"\xed\xa0\x80\"}"),
		TEXT("{\"a\":\"\xf4\x90\x80\x80\"}"),
		TEXT("{\"a\":\"\xff\"}"), TEXT("{\"\xff\":1}"),
		TEXT("{\"a\":1}\xff"),
		/* half a surrogate pair */
		TEXT("{\"a\":\"\\ud83d\"}"), TEXT("{\"a\":\"\\ude00\"}"),
		TEXT("{\"a\":\"\\ud83d\\ud83d\"}"),
		TEXT("{\"a\":\"\\ude00\\ud83d\"}"),
		TEXT("{\"a\":\"\\ud83dx\"}"), TEXT("{\"a\":\"\\ud83d\\n\"}"),
		TEXT("{\"\\ud83d\":1}"),
		/* in texts */
		TEXT("{\"a\":\"\n\"}"), TEXT("{\"a\":\"\t\"}"),
		TEXT("{\"a\":\"\x1f\"}"), TEXT("{\"a\":\"\\x\"}"),
		TEXT("{\"a\":\"\\u12\"}"), TEXT("{\"a\":\"\\u12g4\"}"),
		TEXT("{\"a\":\"\\\"}"), TEXT("{\"a\":\"b}"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect(!is_read(cases[i].bytes, cases[i].len), "%zu: %s", i,
		    cases[i].bytes);
	print_message("    refused: %zu\n", COUNT_OF(cases));
}

/* depth objects or arrays, one in the other. */
static bool
is_read_deep(size_t depth, const char *open, const char *close)
{
	struct buf text;
	bool ok = false;

	buf_init(&text, 1 << 22);
	buf_text(&text, "{\"a\":");
	for (size_t i = 1; i < depth; i++)
		buf_text(&text, open);
	buf_char(&text, '1');
	for (size_t i = 1; i < depth; i++)
		buf_text(&text, close);
	buf_char(&text, '}');
	ok = is_read(text.data, text.len);
	buf_clear(&text);
	return ok;
}

static void
test_depth(void **state)
{
	static const size_t deep[] = { JSONREAD_DEPTH + 1, 100, 2048, 2049,
		30000, 500000 };
	struct buf bomb;

	(void)state;
	for (size_t depth = 1; depth <= JSONREAD_DEPTH; depth++) {
		expect(is_read_deep(depth, "[", "]"), "%zu", depth);
		expect(is_read_deep(depth, "{\"a\":", "}"), "%zu", depth);
	}
	for (size_t i = 0; i < COUNT_OF(deep); i++) {
		expect(!is_read_deep(deep[i], "[", "]"), "%zu", deep[i]);
		expect(!is_read_deep(deep[i], "{\"a\":", "}"), "%zu",
		    deep[i]);
	}
	buf_init(&bomb, JSONREAD_MAX);
	for (size_t i = 0; i < JSONREAD_MAX; i++)
		buf_char(&bomb, '[');
	assert_false(is_read(bomb.data, bomb.len));
	buf_clear(&bomb);
	/* Breadth is no depth, nor is what closes too often. */
	assert_true(is_read_deep(2, "[[],[],[],[],[],[],[],[],[],[],[],[],"
	    "[],[],[],[],[],[],", "]"));
	assert_false(is_read("}}}}}}}}}}}}}}}}}}}}}}}}", 24));
}

static bool
is_read_long(size_t len)
{
	struct buf text;
	bool ok = false;

	buf_init(&text, len);
	buf_text(&text, "{\"a\":\"");
	while (text.len < len - 2)
		buf_char(&text, 'x');
	buf_text(&text, "\"}");
	assert_int_equal(text.len, len);
	ok = is_read(text.data, text.len);
	buf_clear(&text);
	return ok;
}

static void
test_length(void **state)
{
	(void)state;
	assert_true(is_read_long(JSONREAD_MAX));
	assert_false(is_read_long(JSONREAD_MAX + 1));
	assert_false(is_read_long(10 * JSONREAD_MAX));
}

/* Any message that is cut anywhere is refused, and with any byte behind. */
static void
test_cut(void **state)
{
	static const char whole[] = "{\"data\":[{\"serial_no\":\"5A0B\\u4e2d\","
	    "\"n\":-12.5e3,\"t\":true,\"x\":null}],\"i\":100}";
	char longer[sizeof(whole)];
	size_t len = sizeof(whole) - 1;

	(void)state;
	assert_true(is_read(whole, len));
	for (size_t cut = 0; cut < len; cut++)
		expect(!is_read(whole, cut), "%zu", cut);
	memcpy(longer, whole, len);
	for (int c = 0; c < 256; c++) {
		longer[len] = (char)c;
		expect(is_read(longer, len + 1)
		    == (c == ' ' || c == '\t' || c == '\n' || c == '\r'),
		    "%d", c);
	}
}

static const char doc[] = "{\"mchid\":\"1900000001\",\"empty\":\"\","
    "\"amount\":{\"total\":100,\"currency\":\"CNY\",\"payer\":{\"x\":1}},"
    "\"data\":[{\"serial_no\":\"5A\"},{\"serial_no\":\"5B\",\"n\":[1,2,3]},"
    "\"text\",null],\"none\":null,\"yes\":true,\"real\":100.0,\"exp\":1e2,"
    "\"text_number\":\"100\",\"zero\":0,\"minus_zero\":-0,\"minus\":-1,"
    "\"big\":9223372036854775807,\"0\":\"digit\",\"list\":[],"
    "\"unicode\":\"\\u4e2d\\ud83d\\ude00\"}";

enum found {
	ABSENT,
	WRONG,
	RIGHT,
};

static enum found
found(bool ok, const struct err *err, const char *path)
{
	if (ok)
		return RIGHT;
	assert_int_equal(err->kind, ERR_INPUT);
	expect(strstr(err->text, path) != NULL, "%s: %s", path, err->text);
	return strstr(err->text, "absent") != NULL ? ABSENT : WRONG;
}

static void
test_texts(void **state)
{
	static const struct {
		const char *path;
		enum found found;
		const char *value;
	} cases[] = {
		{ "mchid", RIGHT, "1900000001" },
		{ "empty", RIGHT, "" },
		{ "amount.currency", RIGHT, "CNY" },
		{ "data.0.serial_no", RIGHT, "5A" },
		{ "data.1.serial_no", RIGHT, "5B" },
		{ "data.00001.serial_no", RIGHT, "5B" },
		{ "data.2", RIGHT, "text" },
		{ "0", RIGHT, "digit" },
		{ "text_number", RIGHT, "100" },
		{ "unicode", RIGHT, "\xe4\xb8\xad\xf0\x9f\x98\x80" },
		{ "amount", WRONG, NULL },
		{ "amount.total", WRONG, NULL },
		{ "data", WRONG, NULL },
		{ "yes", WRONG, NULL },
		{ "real", WRONG, NULL },
		{ "none", ABSENT, NULL },
		{ "data.3", ABSENT, NULL },
		{ "data.4", ABSENT, NULL },
		{ "data.-1", ABSENT, NULL },
		{ "data.+0", ABSENT, NULL },
		{ "data.", ABSENT, NULL },
		{ "data.x", ABSENT, NULL },
		{ "data.999999", ABSENT, NULL },
		{ "data.18446744073709551616", ABSENT, NULL },
		{ "data.serial_no", ABSENT, NULL },
		{ "MCHID", ABSENT, NULL },
		{ "mchi", ABSENT, NULL },
		{ "mchid.x", ABSENT, NULL },
		{ "mchid.0", ABSENT, NULL },
		{ "amount.", ABSENT, NULL },
		{ ".mchid", ABSENT, NULL },
		{ "", ABSENT, NULL },
		{ "none.x", ABSENT, NULL },
		{ "amount.payer.x.y", ABSENT, NULL },
	};
	struct jsonread *json = json_of(doc);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const char *value = "untouched";
		struct err err = { 0 };
		bool ok = jsonread_text(json, cases[i].path, &value, &err);

		expect(found(ok, &err, cases[i].path) == cases[i].found,
		    "%s: %s", cases[i].path, err.text);
		assert_string_equal(value, ok ? cases[i].value
		    : "untouched");
		expect(jsonread_has(json, cases[i].path)
		    == (cases[i].found != ABSENT), "%s", cases[i].path);
	}
	jsonread_free(json);
}

static void
test_integers(void **state)
{
	static const struct {
		const char *path;
		enum found found;
		int64_t value;
	} cases[] = {
		{ "amount.total", RIGHT, 100 },
		{ "zero", RIGHT, 0 },
		{ "minus_zero", RIGHT, 0 },
		{ "minus", RIGHT, -1 },
		{ "big", RIGHT, INT64_MAX },
		{ "data.1.n.2", RIGHT, 3 },
		{ "real", WRONG, 0 },
		{ "exp", WRONG, 0 },
		{ "text_number", WRONG, 0 },
		{ "yes", WRONG, 0 },
		{ "amount", WRONG, 0 },
		{ "none", ABSENT, 0 },
		{ "amount.payer_total", ABSENT, 0 },
	};
	struct jsonread *json = json_of(doc);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t value = 7;
		struct err err = { 0 };
		bool ok = jsonread_int(json, cases[i].path, INT64_MIN,
		    INT64_MAX, &value, &err);

		expect(found(ok, &err, cases[i].path) == cases[i].found,
		    "%s: %s", cases[i].path, err.text);
		assert_int_equal(value, ok ? cases[i].value : 7);
	}
	jsonread_free(json);
}

static void
test_ranges(void **state)
{
	static const struct {
		int64_t min, max;
		bool ok;
	} cases[] = {
		{ 100, 100, true }, { 1, 100, true }, { 100, 101, true },
		{ 101, 200, false }, { 1, 99, false }, { -100, -1, false },
		{ INT64_MIN, INT64_MAX, true }, { 101, 99, false },
	};
	struct jsonread *json = json_of("{\"total\":100}");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t value = 7;
		struct err err = { 0 };

		expect(jsonread_int(json, "total", cases[i].min, cases[i].max,
		    &value, &err) == cases[i].ok, "%zu", i);
		assert_int_equal(err.kind, cases[i].ok ? ERR_NONE
		    : ERR_INPUT);
		assert_int_equal(value, cases[i].ok ? 100 : 7);
	}
	jsonread_free(json);
}

static void
test_counts(void **state)
{
	struct jsonread *json = json_of(doc);
	struct err err = { 0 };
	size_t count = 7;

	(void)state;
	assert_true(jsonread_count(json, "data", &count, &err));
	assert_int_equal(count, 4);
	assert_true(jsonread_count(json, "data.1.n", &count, &err));
	assert_int_equal(count, 3);
	assert_true(jsonread_count(json, "list", &count, &err));
	assert_int_equal(count, 0);
	assert_false(jsonread_count(json, "amount", &count, &err));
	assert_int_equal(found(false, &err, "amount"), WRONG);
	err = (struct err){ 0 };
	assert_false(jsonread_count(json, "absent", &count, &err));
	assert_int_equal(found(false, &err, "absent"), ABSENT);
	assert_int_equal(count, 0);
	jsonread_free(json);
}

/* The last index that the longest message can have. */
static void
test_many(void **state)
{
	size_t most = (JSONREAD_MAX - 7) / 2;
	struct jsonread *json = NULL;
	struct err err = { 0 };
	struct buf text;
	char path[32];
	int64_t value = 0;

	(void)state;
	buf_init(&text, JSONREAD_MAX);
	buf_text(&text, "{\"a\":[0");
	for (size_t i = 1; i < most - 1; i++)
		buf_text(&text, ",0");
	buf_text(&text, ",9]}");
	assert_true(buf_ok(&text));
	expect(jsonread_new(text.data, text.len, &json, &err), "%s",
	    err.text);
	snprintf(path, sizeof(path), "a.%zu", most - 1);
	assert_true(jsonread_int(json, path, 9, 9, &value, &err));
	snprintf(path, sizeof(path), "a.%zu", most);
	assert_false(jsonread_has(json, path));
	jsonread_free(json);
	buf_clear(&text);
}

/* Nothing of a message goes to the log with the reason for its refusal. */
static void
test_quiet(void **state)
{
	static const char bad[] = "{\"openid\":\"oUpF8uMuAJO\",}";
	struct jsonread *json = NULL;
	struct err err = { 0 };

	(void)state;
	assert_false(jsonread_new(bad, sizeof(bad) - 1, &json, &err));
	assert_string_equal(err.text, "json: refused at byte 25");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_quiet),
	};

	return cmocka_run_group_tests_name("jsonread", tests, start, NULL);
}
