/* base: every allocation fails once in turn; each gives a clean error, and
 * nothing leaks. */
#include "../fault.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/secret.h"

static char folder[] = "/tmp/test_memory.XXXXXX";
static char conf_path[sizeof(folder) + 16];
static char key_path[sizeof(folder) + 16];

static int
file_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (file == NULL)
		return -1;
	fputs(text, file);
	return fclose(file) == 0 ? chmod(path, 0600) : -1;
}

static int
folder_make(void **state)
{
	char text[200];

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(conf_path, sizeof(conf_path), "%s/conf", folder);
	snprintf(key_path, sizeof(key_path), "%s/key", folder);
	snprintf(text, sizeof(text), "db = \"d\"; ms = 7; key = \"%s\";",
	    key_path);
	return file_write(key_path, "s3cr3t\n") | file_write(conf_path, text);
}

static int
folder_remove(void **state)
{
	(void)state;
	unlink(conf_path);
	unlink(key_path);
	return rmdir(folder);
}

static bool
run_buf(struct err *err)
{
	struct buf buf;
	char *taken = NULL;
	bool ok = false;

	buf_init(&buf, 10000);
	for (int i = 0; i < 1000; i++)
		buf_format(&buf, "%d,", i % 10);
	taken = buf_take(&buf);
	ok = taken != NULL;
	if (ok)
		assert_int_equal(strlen(taken), 2000);
	else
		err_set(err, ERR_BUG, "broken: %d", !buf_ok(&buf));
	free(taken);
	buf_clear(&buf);
	return ok;
}

static bool
run_buf_take_empty(struct err *err)
{
	struct buf buf;
	char *taken = NULL;

	buf_init(&buf, 0);
	taken = buf_take(&buf);
	buf_clear(&buf);
	free(taken);
	return taken != NULL || err_set(err, ERR_BUG, "nothing taken");
}

static bool
run_secret_new(struct err *err)
{
	struct secret *secret = NULL;
	bool ok = secret_new("abc", 3, &secret, err);

	secret_free(secret);
	return ok;
}

static bool
run_secret_read(struct err *err)
{
	struct secret *secret = NULL;
	bool ok = secret_read(key_path, &secret, err);

	secret_free(secret);
	return ok;
}

static bool
run_conf(struct err *err)
{
	static const struct conf_key keys[] = {
		{ "db", CONF_TEXT, 1, 0, NULL, 0, 0 },
		{ "zone", CONF_TEXT, 1, 0, "north", 0, 0 },
		{ "ms", CONF_INT, 1, 0, "5000", 1, 60000 },
		{ "key", CONF_SECRET, 1, 0, NULL, 0, 0 },
	};
	struct conf *conf = NULL;
	bool ok = conf_read(conf_path, keys, COUNT_OF(keys), 1, &conf, err);

	if (ok)
		assert_string_equal(conf_text(conf, "zone"), "north");
	conf_free(conf);
	return ok;
}

/* A planted fault: this is what a leak on an error path looks like. */
static bool
run_leak(struct err *err)
{
	struct secret *first = NULL;
	struct secret *second = NULL;

	if (!secret_new("a", 1, &first, err)
	    || !secret_new("b", 1, &second, err))
		return false;
	secret_free(first);
	secret_free(second);
	return true;
}

static void
test_each(void **state)
{
	/* libconfig does not survive a failing allocation of its own. */
	static const struct fault_case cases[] = {
		{ "buf", run_buf, false },
		{ "buf_take of nothing", run_buf_take_empty, false },
		{ "secret_new", run_secret_new, false },
		{ "secret_read", run_secret_read, false },
		{ "conf_read", run_conf, true },
	};
	size_t total = 0;

	(void)state;
#ifdef UNIT_SANITIZED
	skip();
#endif
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		long leaked = 0;
		size_t count = fault_each(&cases[i], &leaked);

		expect(count > 0, "%s allocates nothing", cases[i].name);
		expect(leaked == 0, "%s leaks %ld", cases[i].name, leaked);
		total += count;
	}
	print_message("    allocations failed: %zu\n", total);
}

static void
test_leak_is_seen(void **state)
{
	static const struct fault_case planted = { "leak", run_leak, false };
	long leaked = 0;

	(void)state;
#ifdef UNIT_SANITIZED
	skip();
#endif
	assert_int_equal(fault_each(&planted, &leaked), 2);
	assert_int_equal(leaked, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_leak_is_seen),
	};

	return cmocka_run_group_tests_name("base memory", tests, folder_make,
	    folder_remove);
}
