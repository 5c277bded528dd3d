/* wire: every allocation, ours and the libraries', fails once in turn; each
 * gives a clean error or the right result, and nothing leaks. */
#include "../fault.h"

#include <openssl/err.h>

#include "base/secret.h"
#include "base/str.h"
#include "wire/base64.h"
#include "wire/form.h"
#include "wire/jsonmsg.h"
#include "wire/mac.h"
#include "wire/qrsvg.h"
#include "wire/qrtext.h"
#include "wire/seal2.h"
#include "wire/sign2.h"
#include "wire/xmlmsg.h"

static const char xml[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><xml>"
    "<appid><![CDATA[wx1]]></appid><body>a &amp; &#20013;</body>"
    "<attach><![CDATA[x]]]]><![CDATA[>y]]></attach><empty/></xml>";

/* Of a=1, by the command line's openssl. */
#define SIGN_MD5 "5F42F571D9C86862069807C56D8D28F5"
#define SIGN_HMAC \
	"97DC783351D2DB6626865C583D0D3853780C49FD3E240D51754034538060ED6B"

static struct secret *key;
static struct buf sealed;

static int
start(void **state)
{
	struct err err = { 0 };

	(void)state;
	xmlmsg_start();
	buf_init(&sealed, 1000);
	return secret_new("8f3c1d0e9b7a4652", 16, &key, &err)
	    && seal2_seal("<root><a>1</a></root>", 21, key, &sealed, &err)
	    ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	buf_clear(&sealed);
	secret_free(key);
	return 0;
}

static bool
run_fields(struct err *err)
{
	struct fields fields = { 0 };
	bool ok = true;

	for (int i = 0; ok && i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "name_%d", i);
		ok = fields_add(&fields, name, "value", err);
	}
	fields_clear(&fields);
	return ok;
}

static bool
run_form(struct err *err)
{
	static const char form[] = "a=1&b=%E4%B8%AD&c=x+y&d";
	struct fields fields = { 0 };
	bool ok = form_parse(form, sizeof(form) - 1, &fields, err);

	if (ok)
		assert_string_equal(fields_text(&fields, "b"), "\xe4\xb8\xad");
	fields_clear(&fields);
	return ok;
}

static bool
run_xmlmsg_parse(struct err *err)
{
	struct fields fields = { 0 };
	bool ok = xmlmsg_parse(xml, sizeof(xml) - 1, "xml", &fields, err);

	assert_int_equal(fields.count, ok ? 4 : 0);
	if (ok) {
		assert_string_equal(fields_text(&fields, "appid"), "wx1");
		assert_string_equal(fields_text(&fields, "body"),
		    "a & \xe4\xb8\xad");
		assert_string_equal(fields_text(&fields, "attach"), "x]]>y");
		assert_string_equal(fields_text(&fields, "empty"), "");
	}
	fields_clear(&fields);
	return ok;
}

/* However little memory there is, what must be refused is. */
static bool
run_xmlmsg_refuse(struct err *err)
{
	static const char bad[] = "<!DOCTYPE xml [<!ENTITY e \"1\">]>"
	    "<xml><a>&e;</a></xml>";
	struct fields fields = { 0 };

	assert_false(xmlmsg_parse(bad, sizeof(bad) - 1, "xml", &fields, err));
	assert_int_equal(fields.count, 0);
	return err->kind == ERR_INPUT;
}

static bool
run_xmlmsg_format(struct err *err)
{
	struct fields fields = { 0 };
	struct buf out;
	bool ok = fields_add(&fields, "a", "x]]>y", err)
	    && fields_add(&fields, "b", "x\ry", err);

	buf_init(&out, 1000);
	xmlmsg_format(&fields, &out);
	if (ok && !buf_ok(&out))
		ok = err_set(err, ERR_BUG, "broken");
	if (ok)
		assert_string_equal(buf_get(&out), "<xml>"
		    "<a><![CDATA[x]]]]><![CDATA[>y]]></a><b>x&#13;y</b></xml>");
	buf_clear(&out);
	fields_clear(&fields);
	return ok;
}

static bool
run_sign2(enum sign2_type type, const char *want, struct err *err)
{
	struct fields fields = { 0 };
	char sign[SIGN2_SIZE];
	bool ok = fields_add(&fields, "a", "1", err)
	    && sign2_sign(&fields, type, key, sign, err);

	if (ok)
		assert_string_equal(sign, want);
	assert_int_equal(ERR_peek_error(), 0);
	fields_clear(&fields);
	return ok;
}

static bool
run_sign2_md5(struct err *err)
{
	return run_sign2(SIGN2_MD5, SIGN_MD5, err);
}

static bool
run_sign2_hmac(struct err *err)
{
	return run_sign2(SIGN2_HMAC_SHA256, SIGN_HMAC, err);
}

/* A wrong sign is never taken for a right one, nor the other way round. */
static bool
run_sign2_verify(struct err *err)
{
	struct fields fields = { 0 };
	struct err wrong = { 0 };
	bool ok = fields_add(&fields, "a", "2", err)
	    && fields_add(&fields, "sign", SIGN_MD5, err);

	if (ok) {
		assert_false(sign2_verify(&fields, SIGN2_MD5, key, &wrong));
		ok = wrong.kind == ERR_AUTH
		    || err_set(err, wrong.kind, "%s", wrong.text);
	}
	assert_int_equal(ERR_peek_error(), 0);
	fields_clear(&fields);
	return ok;
}

static bool
run_seal2_open(struct err *err)
{
	struct buf plain;
	bool ok = false;

	buf_init(&plain, 1000);
	ok = seal2_open(buf_get(&sealed), key, &plain, err);
	if (ok)
		assert_string_equal(buf_get(&plain), "<root><a>1</a></root>");
	assert_int_equal(ERR_peek_error(), 0);
	buf_clear(&plain);
	return ok;
}

static bool
run_seal2_seal(struct err *err)
{
	struct buf out;
	bool ok = false;

	buf_init(&out, 1000);
	ok = seal2_seal("<root><a>1</a></root>", 21, key, &out, err);
	if (ok && !buf_ok(&out))
		ok = err_set(err, ERR_BUG, "broken");
	if (ok)
		assert_string_equal(buf_get(&out), buf_get(&sealed));
	assert_int_equal(ERR_peek_error(), 0);
	buf_clear(&out);
	return ok;
}

static bool
run_base64(struct err *err)
{
	struct buf out;
	bool ok = false;

	buf_init(&out, 1000);
	ok = base64_parse("Zm9vYmFy", 8, &out);
	assert_true(ok);
	ok = buf_ok(&out) || err_set(err, ERR_BUG, "broken");
	if (ok)
		assert_string_equal(buf_get(&out), "foobar");
	buf_clear(&out);
	return ok;
}

static bool
run_mac(struct err *err)
{
	char mac[MAC_SIZE];
	char nonce[NONCE_SIZE];
	bool ok = mac_text(key, "text", mac, err) && nonce_new(nonce, err);

	if (ok)
		assert_int_equal(strlen(nonce), 32);
	assert_int_equal(ERR_peek_error(), 0);
	return ok;
}

static bool
run_jsonmsg(struct err *err)
{
	struct jsonmsg *msg = jsonmsg_new();
	struct jsonmsg *pay = jsonmsg_new();
	struct buf out;
	bool ok = false;

	buf_init(&out, 1000);
	jsonmsg_text(pay, "package", "prepay_id=wx1");
	jsonmsg_text(msg, "state", "paid");
	jsonmsg_int(msg, "total_fee", 101);
	jsonmsg_bool(msg, "closing", false);
	jsonmsg_object(msg, "pay", pay);
	ok = jsonmsg_format(msg, &out) || err_set(err, ERR_BUG, "broken");
	if (ok)
		assert_string_equal(buf_get(&out), "{\"state\":\"paid\","
		    "\"total_fee\":101,\"closing\":false,"
		    "\"pay\":{\"package\":\"prepay_id=wx1\"}}");
	buf_clear(&out);
	jsonmsg_free(msg);
	return ok;
}

static bool
run_qrsvg(struct err *err)
{
	struct buf out;
	bool ok = false;

	buf_init(&out, 1 << 20);
	ok = qrsvg_format("weixin://wxpay/bizpayurl?pr=x", &out, err);
	if (ok && !buf_ok(&out))
		ok = err_set(err, ERR_BUG, "broken");
	buf_clear(&out);
	return ok;
}

static bool
run_qrtext(struct err *err)
{
	struct buf out;
	bool ok = false;

	buf_init(&out, 1 << 20);
	ok = qrtext_format("weixin://wxpay/bizpayurl?pr=x", &out, err);
	if (ok && !buf_ok(&out))
		ok = err_set(err, ERR_BUG, "broken");
	buf_clear(&out);
	return ok;
}

static void
test_each(void **state)
{
	static const struct fault_case cases[] = {
		{ "fields", run_fields, false },
		{ "form_parse", run_form, false },
		{ "xmlmsg_parse", run_xmlmsg_parse, false },
		{ "xmlmsg_parse, refusing", run_xmlmsg_refuse, false },
		{ "xmlmsg_format", run_xmlmsg_format, false },
		{ "sign2_sign, MD5", run_sign2_md5, false },
		{ "sign2_sign, HMAC", run_sign2_hmac, false },
		{ "sign2_verify", run_sign2_verify, false },
		{ "seal2_open", run_seal2_open, false },
		{ "seal2_seal", run_seal2_seal, false },
		{ "base64_parse", run_base64, false },
		{ "mac_text, nonce_new", run_mac, false },
		{ "jsonmsg", run_jsonmsg, false },
		{ "qrsvg_format", run_qrsvg, false },
		{ "qrtext_format", run_qrtext, false },
	};
	size_t total = 0;

	(void)state;
#ifdef UNIT_SANITIZED
	skip();
#endif
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		long leaked = 0;
		size_t count = fault_each(&cases[i], &leaked);

		expect(count > 0, "%s allocates nothing", cases[i].name);
		expect(leaked == 0, "%s leaks %ld", cases[i].name, leaked);
		print_message("    %-24s %zu\n", cases[i].name, count);
		total += count;
	}
	print_message("    allocations failed: %zu\n", total);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
	};

	return cmocka_run_group_tests_name("wire memory", tests, start, stop);
}
