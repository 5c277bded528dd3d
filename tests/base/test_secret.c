/* secret: only a key file that nobody else can touch is read. [threats L4] */
#include "base/secret.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit.h"

#define STRANGER 54321		/* a user who is neither us nor root */

static char folder[] = "/tmp/test_secret.XXXXXX";
static char path[sizeof(folder) + 16];

static int
folder_make(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/key", folder);
	return 0;
}

static int
folder_remove(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void
file_write(const void *bytes, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_true(write(fd, bytes, len) == (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Nothing of a refused file may be in the text, but its name must. */
static void
refused(const char *why)
{
	struct secret *secret = NULL;
	struct err err = { 0 };

	expect(!secret_read(path, &secret, &err), "%s", why);
	assert_null(secret);
	assert_int_equal(err.kind, ERR_INPUT);
	expect(strstr(err.text, path) != NULL && strstr(err.text, why) != NULL
	    && strstr(err.text, "s3cr3t") == NULL, "%s: \"%s\"", why,
	    err.text);
}

static void
test_contents(void **state)
{
	static const struct {
		const char *file;
		size_t len;
		const char *secret;
	} cases[] = {
		{ "abc", 3, "abc" },
		{ "abc\n", 4, "abc" },
		{ "abc\r\n", 5, "abc" },
		{ "abc\n\n", 5, "abc\n\n" },	/* two lines */
		{ "a\nb\n", 4, "a\nb\n" },	/* as PEM is */
		{ "abc\r", 4, "abc\r" },
		{ " abc ", 5, " abc " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct secret *secret = NULL;
		struct err err = { 0 };

		file_write(cases[i].file, cases[i].len, 0600);
		expect(secret_read(path, &secret, &err), "%zu: %s", i,
		    err.text);
		assert_string_equal(secret_bytes(secret), cases[i].secret);
		assert_int_equal(secret_len(secret),
		    strlen(cases[i].secret));
		secret_free(secret);
	}
}

static void
test_modes(void **state)
{
	size_t taken = 0;

	(void)state;
	for (mode_t mode = 0; mode <= 0777; mode++) {
		struct secret *secret = NULL;
		struct err err = { 0 };
		bool right = (mode & 027) == 0;

		file_write("s3cr3t", 6, mode);
		if (right && (geteuid() == 0 || (mode & 0400) != 0)) {
			expect(secret_read(path, &secret, &err), "%o: %s",
			    mode, err.text);
			secret_free(secret);
			taken++;
		} else if (!right) {
			refused((mode & 07) != 0 ? "open to others"
			    : "writable by its group");
		}
		unlink(path);
	}
	print_message("    modes: 512, %zu of them right\n", taken);
}

static void
test_owner(void **state)
{
	struct secret *secret = NULL;
	struct err err = { 0 };

	(void)state;
	if (geteuid() != 0)
		skip();
	file_write("s3cr3t", 6, 0600);
	assert_int_equal(chown(path, STRANGER, 0), 0);
	refused("neither us nor root");
	/* Their own file is theirs to read, and so is one of root's. */
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(seteuid(STRANGER), 0);
	assert_true(secret_read(path, &secret, &err));
	assert_int_equal(seteuid(0), 0);
	secret_free(secret);
	unlink(path);
}

static void
test_lengths(void **state)
{
	static char bytes[SECRET_MAX + 1];
	struct secret *secret = NULL;
	struct err err = { 0 };

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	file_write("", 0, 0600);
	refused("not 1 to 16384 bytes");
	file_write("\n", 1, 0600);
	refused("only a newline");
	file_write("\r\n", 2, 0600);
	refused("only a newline");
	file_write(bytes, sizeof(bytes), 0600);
	refused("not 1 to 16384 bytes");
	file_write(bytes, SECRET_MAX, 0600);
	assert_true(secret_read(path, &secret, &err));
	assert_int_equal(secret_len(secret), SECRET_MAX);
	secret_free(secret);
	unlink(path);
}

static void
test_no_files(void **state)
{
	char target[sizeof(path) + 8];

	(void)state;
	refused("No such file");
	assert_int_equal(mkdir(path, 0700), 0);
	refused("not a regular file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused("not a regular file");		/* and does not wait */
	assert_int_equal(unlink(path), 0);
	snprintf(target, sizeof(target), "%s.real", path);
	file_write("s3cr3t", 6, 0600);
	assert_int_equal(rename(path, target), 0);
	assert_int_equal(symlink(target, path), 0);
	refused("a symbolic link");
	unlink(path);
	unlink(target);
}

static void
test_new(void **state)
{
	static const char bytes[SECRET_MAX + 1];
	struct secret *secret = NULL;
	struct err err = { 0 };

	(void)state;
	assert_false(secret_new("", 0, &secret, &err));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_false(secret_new(bytes, sizeof(bytes), &secret, &err));
	assert_null(secret);
	assert_true(secret_new("a\0b", 3, &secret, &err));
	assert_int_equal(secret_len(secret), 3);
	assert_memory_equal(secret_bytes(secret), "a\0b", 4);
	secret_free(secret);
	secret_free(NULL);
}

static void
test_eq(void **state)
{
	static const char text[] = "0123456789abcdef";

	(void)state;
	assert_true(secret_eq("", 0, "", 0));
	assert_true(secret_eq(text, 16, "0123456789abcdef", 16));
	assert_false(secret_eq(text, 16, text, 15));
	assert_false(secret_eq(text, 0, text, 1));
	for (size_t i = 0; i < 16; i++) {
		for (int bit = 0; bit < 8; bit++) {
			char other[17];

			memcpy(other, text, sizeof(other));
			other[i] = (char)(other[i] ^ 1 << bit);
			expect(!secret_eq(text, 16, other, 16), "%zu", i);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_no_files),
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_eq),
	};

	return cmocka_run_group_tests_name("secret", tests, folder_make,
	    folder_remove);
}
