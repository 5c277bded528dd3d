#include "wire/qrsvg.h"

#include <errno.h>
#include <qrencode.h>

#define QUIET 4			/* [ISO/IEC 18004] modules around the code */

static bool
module_is_dark(const QRcode *code, int x, int y)
{
	return (code->data[y * code->width + x] & 1) != 0;
}

/* One row: a rectangle for each run of dark modules. */
static void
row_format(const QRcode *code, int y, struct buf *out)
{
	int x = 0;

	while (x < code->width) {
		int from = x;

		while (x < code->width && module_is_dark(code, x, y))
			x++;
		if (x > from)
			buf_format(out, "M%d %dh%dv1H%dz", from + QUIET,
			    y + QUIET, x - from, from + QUIET);
		else
			x++;
	}
}

static void
code_format(const QRcode *code, struct buf *out)
{
	int side = code->width + 2 * QUIET;

	buf_format(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
	    "viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">"
	    "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>"
	    "<path fill=\"#000\" d=\"", side, side, side, side);
	for (int y = 0; y < code->width; y++)
		row_format(code, y, out);
	buf_text(out, "\"/></svg>\n");
}

bool
qrsvg_format(const char *text, struct buf *out, struct err *err)
{
	size_t len = strlen(text);
	QRcode *code = NULL;

	if (len < 1 || len > QRSVG_TEXT_MAX)
		return err_set(err, ERR_INPUT, "QR text: not 1 to %d bytes",
		    QRSVG_TEXT_MAX);
	code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	if (code == NULL)
		return err_set(err, ERR_BUG, "cannot make a QR code: %s",
		    strerror(errno));
	code_format(code, out);
	QRcode_free(code);
	return true;
}
