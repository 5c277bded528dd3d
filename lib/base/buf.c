#include "base/buf.h"

#include <stdarg.h>

#define BUF_FIRST 64		/* bytes of the first allocation */

void
buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){ .max = max };
}

/*
 * Make room for need bytes and the NUL.  Not realloc: it would leave copies
 * of secrets behind in memory that nobody wipes.
 */
static bool
buf_grow(struct buf *buf, size_t need)
{
	size_t room = buf->room < BUF_FIRST ? BUF_FIRST : buf->room;
	char *data = NULL;

	while (room <= need)
		room = room <= need / 2 ? need + 1 : room * 2;
	data = malloc(room);
	if (data == NULL)
		return false;
	if (buf->data != NULL) {
		memcpy(data, buf->data, buf->len + 1);
		explicit_bzero(buf->data, buf->room);
		free(buf->data);
	}
	buf->data = data;
	buf->room = room;
	buf->data[buf->len] = '\0';
	return true;
}

/* True if len more bytes may be written at data + len; else it is broken. */
static bool
buf_want(struct buf *buf, size_t len)
{
	if (!buf->broken && len > buf->max - buf->len)
		buf->broken = true;
	if (!buf->broken && buf->len + len >= buf->room)
		buf->broken = !buf_grow(buf, buf->len + len);
	return !buf->broken;
}

void
buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (len == 0 || !buf_want(buf, len))
		return;
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
buf_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void
buf_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void
buf_format(struct buf *buf, const char *format, ...)
{
	va_list args;
	int len = 0;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		buf->broken = true;
	if (len <= 0 || !buf_want(buf, (size_t)len))
		return;
	va_start(args, format);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
}

bool
buf_ok(const struct buf *buf)
{
	return !buf->broken;
}

const char *
buf_get(const struct buf *buf)
{
	return buf->data == NULL ? "" : buf->data;
}

char *
buf_take(struct buf *buf)
{
	char *data = NULL;

	if (buf->data == NULL)
		(void)buf_want(buf, 0);
	if (buf->broken)
		return NULL;
	data = buf->data;
	buf_init(buf, buf->max);
	return data;
}

void
buf_reset(struct buf *buf)
{
	/* Behind len nothing has been written, or it has been wiped before. */
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->len);
	buf->len = 0;
	buf->broken = false;
}

void
buf_clear(struct buf *buf)
{
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->room);
	free(buf->data);
	*buf = (struct buf){ 0 };
}
