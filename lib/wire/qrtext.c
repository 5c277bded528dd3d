#include "wire/qrtext.h"

#include "wire/qr.h"

/* Two modules, one above the other. */
static const char *
block_of(bool is_dark_above, bool is_dark_below)
{
	if (is_dark_above)
		return is_dark_below ? " " : "\xe2\x96\x84";	/* U+2584 */
	return is_dark_below ? "\xe2\x96\x80"			/* U+2580 */
	    : "\xe2\x96\x88";					/* U+2588 */
}

bool
qrtext_format(const char *text, struct buf *out, struct err *err)
{
	struct qr *qr = NULL;
	int end;

	if (!qr_new(text, &qr, err))
		return false;
	end = qr_width(qr) + QR_QUIET;
	for (int y = -QR_QUIET; y < end; y += 2) {
		for (int x = -QR_QUIET; x < end; x++)
			buf_text(out, block_of(qr_is_dark(qr, x, y),
			    qr_is_dark(qr, x, y + 1)));
		buf_char(out, '\n');
	}
	qr_free(qr);
	return true;
}
