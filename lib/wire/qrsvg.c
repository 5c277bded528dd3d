#include "wire/qrsvg.h"

#include "wire/qr.h"

/* One row: a rectangle for each run of dark modules. */
static void
row_format(const struct qr *qr, int y, struct buf *out)
{
	int x = 0;

	while (x < qr_width(qr)) {
		int from = x;

		while (qr_is_dark(qr, x, y))
			x++;
		if (x > from)
			buf_format(out, "M%d %dh%dv1H%dz", from + QR_QUIET,
			    y + QR_QUIET, x - from, from + QR_QUIET);
		else
			x++;
	}
}

bool
qrsvg_format(const char *text, struct buf *out, struct err *err)
{
	struct qr *qr = NULL;
	int side;

	if (!qr_new(text, &qr, err))
		return false;
	side = qr_width(qr) + 2 * QR_QUIET;
	buf_format(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
	    "viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">"
	    "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>"
	    "<path fill=\"#000\" d=\"", side, side, side, side);
	for (int y = 0; y < qr_width(qr); y++)
		row_format(qr, y, out);
	buf_text(out, "\"/></svg>\n");
	qr_free(qr);
	return true;
}
