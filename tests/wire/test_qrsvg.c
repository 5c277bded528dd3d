/* qrsvg: the picture is the code that libqrencode made, module by module. */
#include "wire/qr.h"
#include "wire/qrsvg.h"

#include <qrencode.h>

#include "../unit.h"

#define QUIET 4
#define SIDE_MAX 200

static unsigned char canvas[SIDE_MAX][SIDE_MAX];

/* The number at *at, which moves behind it and behind the letter. */
static long
number_read(const char **at, char letter)
{
	char *end = NULL;
	long number = strtol(*at, &end, 10);

	assert_true(end != *at && *end == letter);
	*at = end + 1;
	return number;
}

/* Paint what the path says; it is made of such rectangles alone. */
static void
path_paint(const char *path)
{
	memset(canvas, 0, sizeof(canvas));
	while (*path == 'M') {
		long x = 0;
		long y = 0;
		long width = 0;

		path++;
		x = number_read(&path, ' ');
		y = number_read(&path, 'h');
		width = number_read(&path, 'v');
		assert_int_equal(number_read(&path, 'H'), 1);
		assert_int_equal(number_read(&path, 'z'), x);
		assert_true(y < SIDE_MAX && x + width < SIDE_MAX);
		for (long i = 0; i < width; i++)
			canvas[y][x + i]++;
	}
	assert_string_equal(path, "\"/></svg>\n");
}

static void
picture_compare(const char *text)
{
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	struct err err = { 0 };
	struct buf svg;
	char box[60];
	int side = 0;

	assert_non_null(code);
	side = code->width + 2 * QUIET;
	buf_init(&svg, 1 << 20);
	assert_true(qrsvg_format(text, &svg, &err));
	assert_true(buf_ok(&svg));
	snprintf(box, sizeof(box), "viewBox=\"0 0 %d %d\"", side, side);
	assert_non_null(strstr(buf_get(&svg), box));
	path_paint(strstr(buf_get(&svg), " d=\"") + 4);
	for (int y = 0; y < side; y++) {
		for (int x = 0; x < side; x++) {
			int qx = x - QUIET;
			int qy = y - QUIET;
			bool inside = qx >= 0 && qy >= 0 && qx < code->width
			    && qy < code->width;
			int dark = inside
			    ? code->data[qy * code->width + qx] & 1 : 0;

			expect(canvas[y][x] == dark, "%s: %d,%d", text, x, y);
		}
	}
	buf_clear(&svg);
	QRcode_free(code);
}

static void
test_pictures(void **state)
{
	char text[QR_TEXT_MAX + 1] = "";

	(void)state;
	picture_compare("weixin://wxpay/bizpayurl?pr=EXAMPLE01");
	picture_compare("\xe4\xb8\xad");
	for (size_t len = 1; len <= QR_TEXT_MAX; len++) {
		text[len - 1] = (char)('!' + len * 7 % 90);
		text[len] = '\0';
		if (len % 64 == 1 || len == QR_TEXT_MAX)
			picture_compare(text);
	}
}

static void
test_refused(void **state)
{
	char text[QR_TEXT_MAX + 2];
	struct err none = { 0 };
	struct err many = { 0 };
	struct buf svg;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	buf_init(&svg, 1 << 20);
	assert_false(qrsvg_format("", &svg, &none));
	assert_int_equal(none.kind, ERR_INPUT);
	assert_false(qrsvg_format(text, &svg, &many));
	assert_int_equal(many.kind, ERR_INPUT);
	assert_int_equal(svg.len, 0);
	buf_clear(&svg);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pictures),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("qrsvg", tests, NULL, NULL);
}
