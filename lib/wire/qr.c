#include "wire/qr.h"

#include <errno.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

struct qr {
	QRcode *code;
};

bool
qr_new(const char *text, struct qr **out, struct err *err)
{
	size_t len = strlen(text);
	struct qr *qr = NULL;

	if (len < 1 || len > QR_TEXT_MAX)
		return err_set(err, ERR_INPUT, "QR text: not 1 to %d bytes",
		    QR_TEXT_MAX);
	qr = calloc(1, sizeof(*qr));
	if (qr == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	qr->code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	if (qr->code == NULL) {
		err_set(err, ERR_BUG, "cannot make a QR code: %s",
		    strerror(errno));
		qr_free(qr);
		return false;
	}
	*out = qr;
	return true;
}

void
qr_free(struct qr *qr)
{
	if (qr == NULL)
		return;
	QRcode_free(qr->code);
	free(qr);
}

int
qr_width(const struct qr *qr)
{
	return qr->code->width;
}

bool
qr_is_dark(const struct qr *qr, int x, int y)
{
	int width = qr->code->width;

	return x >= 0 && y >= 0 && x < width && y < width
	    && (qr->code->data[y * width + x] & 1) != 0;
}
