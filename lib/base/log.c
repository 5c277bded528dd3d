#include "base/log.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

#define LOG_LINE_MAX 2048
#define LOG_TAIL "\"}\n"	/* what always fits behind the rest */

static const char *log_app = "";
static _Thread_local char log_req[65];

struct line {
	size_t len;
	bool full;		/* nothing is added any more */
	char text[LOG_LINE_MAX];
};

void
log_start(const char *app)
{
	log_app = app;
}

void
log_request(const char *request_id)
{
	snprintf(log_req, sizeof(log_req), "%s", request_id);
}

/* All of it or, from the first piece that does not fit, nothing. */
static void
line_add(struct line *line, const char *bytes, size_t len)
{
	if (len > sizeof(line->text) - strlen(LOG_TAIL) - line->len)
		line->full = true;
	if (line->full)
		return;
	memcpy(line->text + line->len, bytes, len);
	line->len += len;
}

static void
line_escape(struct line *line, unsigned code)
{
	char text[sizeof("\\u0000")];

	snprintf(text, sizeof(text), "\\u%04x", code & 0xffff);
	line_add(line, text, strlen(text));
}

/* Add the character at at, and say how many bytes it had. */
static size_t
line_character(struct line *line, const char *at)
{
	const unsigned char *byte = (const unsigned char *)at;
	size_t left = strnlen(at, 4);
	size_t len = 1;

	while (len <= left && !str_is_utf8(at, len))
		len++;
	if (len > left) {
		line_escape(line, 0xfffd);	/* no character */
		return 1;
	}
	if (byte[0] < 0x20 || byte[0] == 0x7f)
		line_escape(line, byte[0]);
	else if (byte[0] == 0xc2 && byte[1] < 0xa0)
		line_escape(line, byte[1]);	/* C1: terminals obey it */
	else if (byte[0] == '"' || byte[0] == '\\')
		line_add(line, byte[0] == '"' ? "\\\"" : "\\\\", 2);
	else
		line_add(line, at, len);
	return len;
}

static void
line_text(struct line *line, const char *text)
{
	while (*text != '\0' && !line->full)
		text += line_character(line, text);
}

/*
 * "key":"value, the closing quote left to whatever comes next, so that a
 * value that is cut short is closed like any other.
 */
static void
line_pair(struct line *line, const char *key, const char *value)
{
	size_t start = line->len;

	line_add(line, start == 0 ? "{\"" : "\",\"", start == 0 ? 2 : 3);
	line_text(line, key);
	line_add(line, "\":\"", 3);
	if (line->full)
		line->len = start;	/* never half a key */
	else
		line_text(line, value);
}

static void
line_write(struct line *line)
{
	ssize_t wrote = 0;

	memcpy(line->text + line->len, LOG_TAIL, strlen(LOG_TAIL));
	line->len += strlen(LOG_TAIL);
	wrote = write(STDERR_FILENO, line->text, line->len);
	(void)wrote;		/* where would we say that it failed? */
}

static void
log_line(const char *level, const char *event, va_list pairs)
{
	struct line line = { 0 };
	char ts[CLOCK_RFC3339_SIZE];
	const char *key = NULL;

	clock_format_rfc3339(clock_now(), ts);
	line_pair(&line, "ts", ts);
	line_pair(&line, "level", level);
	line_pair(&line, "app", log_app);
	line_pair(&line, "req", log_req);
	line_pair(&line, "event", event);
	for (key = va_arg(pairs, const char *); key != NULL;
	    key = va_arg(pairs, const char *)) {
		const char *value = va_arg(pairs, const char *);

		if (value == NULL)
			break;
		line_pair(&line, key, value);
	}
	line_write(&line);
}

void
log_info(const char *event, ...)
{
	va_list pairs;

	va_start(pairs, event);
	log_line("info", event, pairs);
	va_end(pairs);
}

void
log_warn(const char *event, ...)
{
	va_list pairs;

	va_start(pairs, event);
	log_line("warn", event, pairs);
	va_end(pairs);
}

void
log_error(const char *event, ...)
{
	va_list pairs;

	va_start(pairs, event);
	log_line("error", event, pairs);
	va_end(pairs);
}
