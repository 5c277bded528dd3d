#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct secret {
	size_t len;
	char bytes[];		/* and a NUL */
};

static struct secret *
secret_alloc(size_t len, struct err *err)
{
	struct secret *secret = calloc(1, sizeof(*secret) + len + 1);

	if (secret == NULL)
		err_set(err, ERR_BUG, "out of memory");
	else
		secret->len = len;
	return secret;
}

bool
secret_new(const void *bytes, size_t len, struct secret **out,
    struct err *err)
{
	struct secret *secret = NULL;

	if (len < 1 || len > SECRET_MAX)
		return err_set(err, ERR_INPUT, "secret: not 1 to %d bytes",
		    SECRET_MAX);
	secret = secret_alloc(len, err);
	if (secret == NULL)
		return false;
	memcpy(secret->bytes, bytes, len);
	*out = secret;
	return true;
}

static bool
secret_file_judge(const struct stat *st, struct err *err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(err, ERR_INPUT, "not a regular file");
	if ((st->st_mode & S_IRWXO) != 0)
		return err_set(err, ERR_INPUT,
		    "open to others, wants mode 0400, 0600 or 0640");
	if ((st->st_mode & S_IWGRP) != 0)
		return err_set(err, ERR_INPUT, "writable by its group");
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return err_set(err, ERR_INPUT,
		    "owned by user %lu, neither us nor root",
		    (unsigned long)st->st_uid);
	if (st->st_size < 1 || st->st_size > SECRET_MAX)
		return err_set(err, ERR_INPUT, "not 1 to %d bytes long",
		    SECRET_MAX);
	return true;
}

/* Read so many bytes, which must be all there are. */
static bool
secret_fill(int fd, char *bytes, size_t len, struct err *err)
{
	char more = 0;
	size_t have = 0;
	ssize_t got = 1;

	while (have < len && got > 0) {
		got = read(fd, bytes + have, len - have);
		if (got > 0)
			have += (size_t)got;
	}
	if (got < 0)
		return err_set(err, ERR_INPUT, "cannot read: %s",
		    strerror(errno));
	if (have < len || read(fd, &more, 1) != 0)
		return err_set(err, ERR_INPUT, "changed while being read");
	return true;
}

/* The newline that editors put behind a key of one line is not the key's. */
static void
secret_strip(struct secret *secret)
{
	char *newline = memchr(secret->bytes, '\n', secret->len);
	size_t len = secret->len - 1;

	if (newline == NULL || newline != secret->bytes + len)
		return;
	if (len > 0 && secret->bytes[len - 1] == '\r')
		len--;
	memset(secret->bytes + len, 0, secret->len - len);
	secret->len = len;
}

static bool
secret_read_fd(int fd, struct secret **out, struct err *err)
{
	struct secret *secret = NULL;
	struct stat st = { 0 };
	bool ok = false;

	if (fstat(fd, &st) != 0)
		return err_set(err, ERR_INPUT, "%s", strerror(errno));
	if (!secret_file_judge(&st, err))
		return false;
	secret = secret_alloc((size_t)st.st_size, err);
	if (secret == NULL || !secret_fill(fd, secret->bytes, secret->len, err))
		goto out;
	secret_strip(secret);
	if (secret->len == 0) {
		err_set(err, ERR_INPUT, "only a newline");
		goto out;
	}
	*out = secret;
	secret = NULL;
	ok = true;
out:
	secret_free(secret);
	return ok;
}

bool
secret_read(const char *path, struct secret **out, struct err *err)
{
	/* O_NONBLOCK: a FIFO must be refused, not waited for. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	bool ok = false;

	if (fd < 0)
		err_set(err, ERR_INPUT, "%s", errno == ELOOP
		    ? "a symbolic link" : strerror(errno));
	else
		ok = secret_read_fd(fd, out, err);
	if (fd >= 0)
		close(fd);
	return ok || err_in(err, path);
}

void
secret_free(struct secret *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, sizeof(*secret) + secret->len);
	free(secret);
}

const char *
secret_bytes(const struct secret *secret)
{
	return secret->bytes;
}

size_t
secret_len(const struct secret *secret)
{
	return secret->len;
}

bool
secret_eq(const void *a, size_t a_len, const void *b, size_t b_len)
{
	const volatile unsigned char *x = a;
	const volatile unsigned char *y = b;
	unsigned differ = 0;

	if (a_len != b_len)
		return false;
	for (size_t i = 0; i < a_len; i++)
		differ |= (unsigned)(x[i] ^ y[i]);
	return differ == 0;
}
