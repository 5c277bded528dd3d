/*
 * fcgi_client: the web server's side of FastCGI, well or badly behaved.
 *
 * Knows the records.  Hides nothing: a test builds any bytes it likes.  Owns
 * nothing.
 */
#ifndef TESTS_WEB_FCGI_CLIENT_H
#define TESTS_WEB_FCGI_CLIENT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"

#define FCGI_CLIENT_MAX (4 << 20)	/* bytes of an answer */
#define FCGI_CLIENT_WAIT_S 20		/* then the test fails */

enum fcgi_type {
	FCGI_BEGIN = 1, FCGI_ABORT, FCGI_END, FCGI_PARAMS, FCGI_STDIN,
	FCGI_STDOUT, FCGI_STDERR, FCGI_DATA, FCGI_GET_VALUES,
	FCGI_GET_VALUES_RESULT, FCGI_UNKNOWN,
};

enum fcgi_role {
	FCGI_RESPONDER = 1, FCGI_AUTHORIZER, FCGI_FILTER,
};

/* A connection, or -1. */
static inline int
fcgi_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	static const struct timeval wait = { .tv_sec = FCGI_CLIENT_WAIT_S };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	if (fd >= 0
	    && (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0
	    || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait))
	    != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static inline void
fcgi_record_head(struct buf *out, int version, int type, int id, size_t len,
    int padding)
{
	const unsigned char head[8] = {
		(unsigned char)version, (unsigned char)type,
		(unsigned char)(id >> 8), (unsigned char)id,
		(unsigned char)(len >> 8), (unsigned char)len,
		(unsigned char)padding, 0,
	};

	buf_add(out, head, sizeof(head));
}

/* One record; at most 65535 bytes. */
static inline void
fcgi_record(struct buf *out, enum fcgi_type type, const void *bytes,
    size_t len)
{
	fcgi_record_head(out, 1, (int)type, 1, len, 0);
	buf_add(out, bytes, len);
}

static inline void
fcgi_begin(struct buf *out, enum fcgi_role role, bool keep)
{
	const unsigned char body[8] = {
		0, (unsigned char)role, (unsigned char)keep,
	};

	fcgi_record(out, FCGI_BEGIN, body, sizeof(body));
}

static inline void
fcgi_length(struct buf *out, size_t len)
{
	if (len < 128) {
		buf_char(out, (char)len);
		return;
	}
	buf_char(out, (char)(len >> 24 | 0x80));
	buf_char(out, (char)(len >> 16));
	buf_char(out, (char)(len >> 8));
	buf_char(out, (char)len);
}

/* What stands inside a record of parameters. */
static inline void
fcgi_pair(struct buf *out, const char *name, const char *value)
{
	fcgi_length(out, strlen(name));
	fcgi_length(out, strlen(value));
	buf_text(out, name);
	buf_text(out, value);
}

/* All bytes cut into records of at most most bytes, and the empty one that
 * ends the stream. */
static inline void
fcgi_stream(struct buf *out, enum fcgi_type type, const char *bytes,
    size_t len, size_t most)
{
	size_t n;

	for (; len > 0; bytes += n, len -= n) {
		n = len < most ? len : most;
		fcgi_record(out, type, bytes, n);
	}
	fcgi_record(out, type, NULL, 0);
}

/* False once the other side has closed. */
static inline bool
fcgi_send(int fd, const struct buf *bytes)
{
	const char *at = buf_get(bytes);
	size_t left = bytes->len;
	ssize_t n;

	while (left > 0) {
		n = send(fd, at, left, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			at += n;
			left -= (size_t)n;
		}
	}
	return true;
}

static inline bool
fcgi_read(int fd, void *out, size_t len)
{
	char *at = out;
	ssize_t n;

	while (len > 0) {
		n = recv(fd, at, len, 0);
		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* Append what comes on standard output up to the end of the request.  False
 * if the connection ends before. */
static inline bool
fcgi_answer(int fd, struct buf *out)
{
	unsigned char head[8];
	static const size_t most = 65535 + 255;
	char *content = malloc(most);
	size_t len;
	bool ok = false;

	while (content != NULL && fcgi_read(fd, head, sizeof(head))) {
		len = (size_t)head[4] << 8 | head[5];
		if (!fcgi_read(fd, content, len + head[6]))
			break;
		if (head[1] == FCGI_STDOUT)
			buf_add(out, content, len);
		ok = head[1] == FCGI_END;
		if (ok)
			break;
	}
	free(content);
	return ok;
}

/* True if nothing more comes: the other side has closed, or does now. */
static inline bool
fcgi_is_closed(int fd)
{
	char byte;
	ssize_t n;

	do
		n = recv(fd, &byte, 1, 0);
	while (n < 0 && errno == EINTR);
	return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* A whole request in one piece, as nginx writes it. */
static inline void
fcgi_request(struct buf *out, const char *method, const char *path,
    const char *body, bool keep)
{
	char length[24];
	struct buf params;

	snprintf(length, sizeof(length), "%zu", strlen(body));
	buf_init(&params, 65536);
	fcgi_pair(&params, "REQUEST_METHOD", method);
	fcgi_pair(&params, "PATH_INFO", path);
	fcgi_pair(&params, "CONTENT_LENGTH", length);
	fcgi_pair(&params, "REQUEST_ID", "r-1");
	fcgi_begin(out, FCGI_RESPONDER, keep);
	fcgi_stream(out, FCGI_PARAMS, buf_get(&params), params.len, 65535);
	fcgi_stream(out, FCGI_STDIN, body, strlen(body), 32768);
	buf_clear(&params);
}

#endif
