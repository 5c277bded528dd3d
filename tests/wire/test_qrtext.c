/* qrtext: the text is the code that libqrencode made, module by module. */
#include "wire/qr.h"
#include "wire/qrtext.h"

#include <qrencode.h>

#include "../unit.h"

/* Of a module, or of the quiet zone. */
static bool
is_dark(const QRcode *code, int x, int y)
{
	return x >= 0 && y >= 0 && x < code->width && y < code->width
	    && (code->data[y * code->width + x] & 1) != 0;
}

/* The half that is drawn is light: what stands at *at, which moves behind. */
static void
block_expect(const char **at, bool above, bool below, int x, int y)
{
	static const char *const blocks[2][2] = {
		{ "█", "▀" }, { "▄", " " },
	};
	const char *block = blocks[above][below];

	expect(strncmp(*at, block, strlen(block)) == 0, "%d,%d: %.3s not %s",
	    x, y, *at, block);
	*at += strlen(block);
}

static void
text_compare(const char *text)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	struct err err = { 0 };
	struct buf out;
	const char *at;

	assert_non_null(code);
	buf_init(&out, 1 << 20);
	assert_true(qrtext_format(text, &out, &err));
	assert_true(buf_ok(&out));
	at = buf_get(&out);
	for (int y = -QR_QUIET; y < code->width + QR_QUIET; y += 2) {
		for (int x = -QR_QUIET; x < code->width + QR_QUIET; x++)
			block_expect(&at, is_dark(code, x, y),
			    is_dark(code, x, y + 1), x, y);
		assert_int_equal(*at++, '\n');
	}
	assert_int_equal(*at, '\0');
	buf_clear(&out);
	QRcode_free(code);
}

static void
test_texts(void **state)
{
	char text[QR_TEXT_MAX + 1] = "";
	int compared = 2;

	(void)state;
	text_compare("weixin://wxpay/bizpayurl?pr=EXAMPLE01");
	text_compare("\xe4\xb8\xad");
	for (size_t len = 1; len <= QR_TEXT_MAX; len++) {
		text[len - 1] = (char)('!' + len * 7 % 90);
		text[len] = '\0';
		if (len % 64 != 1 && len != QR_TEXT_MAX)
			continue;
		text_compare(text);
		compared++;
	}
	print_message("    codes compared: %d\n", compared);
}

static void
test_refused(void **state)
{
	char text[QR_TEXT_MAX + 2];
	struct err none = { 0 };
	struct err many = { 0 };
	struct buf out;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	buf_init(&out, 1 << 20);
	assert_false(qrtext_format("", &out, &none));
	assert_int_equal(none.kind, ERR_INPUT);
	assert_false(qrtext_format(text, &out, &many));
	assert_int_equal(many.kind, ERR_INPUT);
	assert_int_equal(out.len, 0);
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("qrtext", tests, NULL, NULL);
}
