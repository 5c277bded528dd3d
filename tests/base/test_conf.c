/* conf: what the table does not allow stops the start, with file and line.
 * [threats L12] */
#include "base/conf.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit.h"

enum {
	PAY = 1,
	NOTIFY = 2,
};

/* libconfig 1.5 loses a text without an end; the start stops there anyway. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
	return "leak:strbuf_append\n";
}

static char folder[] = "/tmp/test_conf.XXXXXX";
static char path[sizeof(folder) + 16];
static char key_path[sizeof(folder) + 16];

static const struct conf_key keys[] = {
	{ "db", CONF_TEXT, PAY | NOTIFY, 0, NULL, 0, 0 },
	{ "url", CONF_TEXT, 0, PAY, NULL, 0, 0 },
	{ "zone", CONF_TEXT, PAY, 0, "north", 0, 0 },
	{ "ms", CONF_INT, PAY, 0, "5000", 1, 60000 },
	{ "port", CONF_INT, 0, PAY, NULL, 1, 65535 },
	{ "key", CONF_SECRET, NOTIFY, PAY, NULL, 0, 0 },
};

static int
folder_make(void **state)
{
	FILE *file = NULL;

	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/conf", folder);
	snprintf(key_path, sizeof(key_path), "%s/key", folder);
	file = fopen(key_path, "we");
	if (file == NULL)
		return -1;
	fputs("s3cr3t\n", file);
	return fclose(file) == 0 ? chmod(key_path, 0400) : -1;
}

static int
folder_remove(void **state)
{
	(void)state;
	unlink(path);
	unlink(key_path);
	return rmdir(folder);
}

/* Write text to the file, "~" standing for the path of the key. */
static void
file_write(const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	for (; *text != '\0'; text++) {
		if (*text == '~')
			fputs(key_path, file);
		else
			fputc(*text, file);
	}
	assert_int_equal(fclose(file), 0);
}

static bool
read_as(unsigned who, struct conf **conf, struct err *err)
{
	return conf_read(path, keys, COUNT_OF(keys), who, conf, err);
}

static void
test_values(void **state)
{
	struct conf *conf = NULL;
	struct err err = { 0 };

	(void)state;
	file_write("# ours, 1234567890 // and theirs /*\n"
	    "/* 1234567890 # \" */ // 1234567890\n"
	    "db = \"host=/run user=wxpay_pay\";\n"
	    "url = \"https://1234567890 \\\"1234567890 \xe4\xb8\xad\";\n"
	    "ms = 60000;\nport = 1\nkey = \"~\";\n");
	expect(read_as(PAY, &conf, &err), "%s", err.text);
	assert_string_equal(conf_text(conf, "db"), "host=/run user=wxpay_pay");
	assert_string_equal(conf_text(conf, "url"),
	    "https://1234567890 \"1234567890 \xe4\xb8\xad");
	assert_string_equal(conf_text(conf, "zone"), "north");
	assert_int_equal(conf_int(conf, "ms"), 60000);
	assert_int_equal(conf_int(conf, "port"), 1);
	assert_string_equal(secret_bytes(conf_secret(conf, "key")), "s3cr3t");
	assert_true(conf_has(conf, "key"));
	assert_false(conf_has(conf, "zone"));
	conf_free(conf);
	/* who reads nothing still learns what is there */
	expect(read_as(0, &conf, &err), "%s", err.text);
	assert_true(conf_has(conf, "key"));
	assert_null(conf_secret(conf, "key"));
	conf_free(conf);
	conf_free(NULL);
}

static void
test_absent(void **state)
{
	struct conf *conf = NULL;
	struct err err = { 0 };

	(void)state;
	file_write("db = \"d\";\n");
	expect(read_as(PAY, &conf, &err), "%s", err.text);
	assert_null(conf_text(conf, "url"));
	assert_null(conf_secret(conf, "key"));
	assert_int_equal(conf_int(conf, "ms"), 5000);
	assert_int_equal(conf_int(conf, "port"), 0);
	conf_free(conf);
}

/* A program keeps and opens only what is its own. */
static void
test_others_keys(void **state)
{
	struct conf *conf = NULL;
	struct err err = { 0 };

	(void)state;
	file_write("db = \"d\";\nurl = \"u\";\nms = 7;\nkey = \"~\";\n");
	expect(read_as(NOTIFY, &conf, &err), "%s", err.text);
	assert_null(conf_text(conf, "url"));
	assert_null(conf_text(conf, "zone"));
	assert_int_equal(conf_int(conf, "ms"), 0);
	assert_non_null(conf_secret(conf, "key"));
	conf_free(conf);
	conf = NULL;

	/* Bit 4 is a program that needs nothing: the secret stays shut. */
	file_write("db = \"d\";\nkey = \"/nowhere\";\n");
	expect(read_as(4, &conf, &err), "%s", err.text);
	assert_null(conf_text(conf, "db"));
	assert_null(conf_secret(conf, "key"));
	conf_free(conf);
}

static void
test_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned who;
		const char *where, *why;
	} cases[] = {
		{ "", PAY, "conf: ", "\"db\" is missing" },
		{ "db = \"d\";", NOTIFY, "conf: ", "\"key\" is missing" },
		{ "db = \"d\";\nbd = 1;", PAY, "conf:2: bd: ", "no such key" },
		{ "db = \"d\";\nDB = \"d\";", PAY, "conf:2: DB: ",
		    "no such key" },
		{ "db = \"d\";\n\ndb = \"d\";", PAY, "conf:3: ",
		    "duplicate setting name" },
		{ "db = 5;", PAY, "conf:1: db: ", "not a text" },
		{ "db = true;", PAY, "conf:1: db: ", "not a text" },
		{ "db = { a = 1; };", PAY, "conf:1: db: ", "not a text" },
		{ "db = [ \"a\" ];", PAY, "conf:1: db: ", "not a text" },
		{ "db = (\"a\");", PAY, "conf:1: db: ", "not a text" },
		{ "db = \"d\";\nms = \"7\";", PAY, "conf:2: ms: ",
		    "not a decimal" },
		{ "db = \"d\";\nms = 7.0;", PAY, "conf:2: ms: ",
		    "not a decimal" },
		{ "db = \"d\";\nms = 0x7;", PAY, "conf:2: ms: ",
		    "not a decimal" },
		{ "db = \"d\";\nms = true;", PAY, "conf:2: ms: ",
		    "not a decimal" },
		{ "db = \"d\";\nms = 0;", PAY, "conf:2: ms: ",
		    "not 1 to 60000" },
		{ "db = \"d\";\nms = -1;", PAY, "conf:2: ms: ",
		    "not 1 to 60000" },
		{ "db = \"d\";\nms = 60001;", PAY, "conf:2: ms: ",
		    "not 1 to 60000" },
		{ "db = \"d\";\nms = 4294967297;", PAY, "conf:2: ",
		    "more than 9 digits" },
		{ "db = \"a\\\\\"; ms = 18446744073709551617;", PAY,
		    "conf:1: ", "more than 9 digits" },
		{ "db = \"d\"; /* 1\n * \" */ ms =\n4294967297;", PAY,
		    "conf:3: ", "more than 9 digits" },
		{ "// \"\ndb = \"d\"; # \"\nms = 4294967297;", PAY,
		    "conf:3: ", "more than 9 digits" },
		/* wrong, although this program does not read it */
		{ "db = \"d\";\nkey = \"~\";\nms = 0;", NOTIFY,
		    "conf:3: ms: ", "not 1 to 60000" },
		{ "db = \"d\";\nkey = \"/nowhere\";", PAY,
		    "conf:2: key: /nowhere: ", "No such file" },
		{ "db = \"d\";\nkey = \"/tmp\";", PAY,
		    "conf:2: key: /tmp: ", "not a regular file" },
		{ "db = \"d\"\nurl \"u\";", PAY, "conf:2: ",
		    "syntax error" },
		{ "db = \"d", PAY, "conf:1: ", "" },
		{ "db = d;", PAY, "conf:1: ", "syntax error" },
		{ "db = \"d\";\n@include \"other\"\n", PAY, "conf:2: ",
		    "cannot open include file" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct conf *conf = NULL;
		struct err err = { 0 };

		file_write(cases[i].text);
		expect(!read_as(cases[i].who, &conf, &err), "%s",
		    cases[i].text);
		assert_null(conf);
		assert_int_equal(err.kind, ERR_INPUT);
		expect(strstr(err.text, cases[i].where) != NULL
		    && strstr(err.text, cases[i].why) != NULL,
		    "%s: \"%s\"", cases[i].text, err.text);
	}
	print_message("    refused: %zu\n", COUNT_OF(cases));
}

/* Their numbers would be read unseen. */
static void
test_included(void **state)
{
	struct conf *conf = NULL;
	struct err err = { 0 };

	(void)state;
	file_write("db = \"d\";\n");
	assert_int_equal(rename(path, key_path), 0);
	file_write("@include \"~\"\n");
	assert_false(read_as(PAY, &conf, &err));
	expect(strstr(err.text, "in an included file") != NULL, "\"%s\"",
	    err.text);
}

/* What a program asks for is our own contract: it aborts. */
static void
test_misuse(void **state)
{
	static const struct {
		const char *name;
		enum conf_type type;
		int status;
	} asks[] = {
		{ "db", CONF_TEXT, 0 }, { "db", CONF_INT, SIGABRT },
		{ "bd", CONF_TEXT, SIGABRT }, { "key", CONF_TEXT, SIGABRT },
	};
	struct conf *conf = NULL;
	struct err err = { 0 };

	(void)state;
	file_write("db = \"d\";\n");
	assert_true(read_as(PAY, &conf, &err));
	for (size_t i = 0; i < COUNT_OF(asks); i++) {
		int status = 0;
		pid_t child = fork();

		if (child == 0) {
			const struct rlimit no_core = { 0, 0 };

			setrlimit(RLIMIT_CORE, &no_core);
			signal(SIGABRT, SIG_DFL);
			close(STDERR_FILENO);
			if (asks[i].type == CONF_INT)
				(void)conf_int(conf, asks[i].name);
			else
				(void)conf_text(conf, asks[i].name);
			_exit(0);
		}
		assert_true(waitpid(child, &status, 0) == child);
		expect(status == asks[i].status, "%s: %d", asks[i].name,
		    status);
	}
	conf_free(conf);
}

static void
test_no_file(void **state)
{
	struct conf *conf = NULL;
	struct err none = { 0 };
	struct err directory = { 0 };

	(void)state;
	unlink(path);
	assert_false(read_as(PAY, &conf, &none));
	assert_int_equal(none.kind, ERR_INPUT);
	assert_non_null(strstr(none.text, "No such file"));
	assert_false(conf_read("/tmp", keys, COUNT_OF(keys), PAY, &conf,
	    &directory));
	assert_string_equal(directory.text, "/tmp: not a regular file");
	assert_null(conf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_others_keys),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_misuse),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_included),
	};

	return cmocka_run_group_tests_name("conf", tests, folder_make,
	    folder_remove);
}
