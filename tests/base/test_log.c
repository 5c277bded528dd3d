/* log: whatever the values hold, a line is one write of valid JSON, at most
 * 2 KiB, without a control character. [threats N33] */
#include "base/log.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"
#include "base/str.h"

#define LINE_MAX_LEN 2048

static int lines[2];		/* each write arrives as one packet */
static int stderr_saved;

static int
lines_open(void **state)
{
	(void)state;
	stderr_saved = dup(STDERR_FILENO);
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, lines);
}

/* Log with standard error in our hands; cmocka needs it back after. */
#define logged(call, line) \
	do { \
		dup2(lines[1], STDERR_FILENO); \
		call; \
		dup2(stderr_saved, STDERR_FILENO); \
		line_read(line); \
	} while (0)

static void
line_read(char line[LINE_MAX_LEN + 1])
{
	char more[LINE_MAX_LEN];
	ssize_t len = recv(lines[0], line, LINE_MAX_LEN + 1, MSG_TRUNC);

	expect(len > 0 && len <= LINE_MAX_LEN, "a line of %zd bytes", len);
	expect(recv(lines[0], more, sizeof(more), 0) < 0, "a second write");
	assert_int_equal(line[len - 1], '\n');
	line[len - 1] = '\0';
	assert_int_equal(strlen(line), len - 1);
	for (ssize_t i = 0; i < len - 1; i++)
		expect((unsigned char)line[i] >= 0x20 && line[i] != 0x7f,
		    "byte %02x", (unsigned char)line[i]);
}

/* The line as JSON; the caller calls json_decref. */
static json_t *
line_parse(const char *line)
{
	json_error_t why;
	json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &why);

	expect(object != NULL, "%s in %s", why.text, line);
	return object;
}

static void
test_shape(void **state)
{
	char line[LINE_MAX_LEN + 1];
	json_t *object = NULL;

	(void)state;
	log_start("notify");
	log_request("8f3a21");
	logged(log_info("order.settled", "out_trade_no", "T-0001",
	    "by", "notice", NULL), line);
	object = line_parse(line);
	assert_int_equal(json_object_size(object), 7);
	assert_string_equal(vector_text(object, "level"), "info");
	assert_string_equal(vector_text(object, "app"), "notify");
	assert_string_equal(vector_text(object, "req"), "8f3a21");
	assert_string_equal(vector_text(object, "event"), "order.settled");
	assert_string_equal(vector_text(object, "out_trade_no"), "T-0001");
	assert_string_equal(vector_text(object, "by"), "notice");
	assert_int_equal(strlen(vector_text(object, "ts")), 25);
	assert_memory_equal(line, "{\"ts\":\"2", 8);
	json_decref(object);
}

static void
test_levels_and_ends(void **state)
{
	char line[LINE_MAX_LEN + 1];

	(void)state;
	log_request("");
	logged(log_warn("call.repeated", NULL), line);
	assert_non_null(strstr(line, "\"level\":\"warn\""));
	assert_non_null(strstr(line, "\"req\":\"\",\"event\""));
	logged(log_error("call.lost", "key", (char *)NULL, "not", "reached",
	    NULL), line);
	assert_non_null(strstr(line, "\"level\":\"error\""));
	assert_null(strstr(line, "reached"));
}

static void
test_values(void **state)
{
	static const struct {
		const char *value, *written;
	} cases[] = {
		{ "plain", "plain" },
		{ "", "" },
		{ "say \"hi\" \\ back", "say \\\"hi\\\" \\\\ back" },
		{ "a\r\nb\tc", "a\\u000d\\u000ab\\u0009c" },
		{ "\x1b[31mred\x1b[0m", "\\u001b[31mred\\u001b[0m" },
		{ "\x7f", "\\u007f" },
		{ "\xc2\x9b" "31m", "\\u009b31m" },	/* C1's CSI */
		{ "\xc2\xa0", "\xc2\xa0" },
		{ "%s%n%d", "%s%n%d" },
		{ "\xe4\xb8\xad", "\xe4\xb8\xad" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "\xff" "a", "\\ufffda" },
		{ "\xe4\xb8", "\\ufffd\\ufffd" },
		{ "\xc0\xaf", "\\ufffd\\ufffd" },
		{ "\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd" },
		{ "\",\"level\":\"info", "\\\",\\\"level\\\":\\\"info" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char line[LINE_MAX_LEN + 1];
		char want[200];

		logged(log_info("value.tried", "value", cases[i].value, NULL),
		    line);
		snprintf(want, sizeof(want), "\"value\":\"%s\"}",
		    cases[i].written);
		expect(strstr(line, want) != NULL, "%zu: %s", i, line);
		json_decref(line_parse(line));
	}
}

/* Values of every length around the end of the line, of every width. */
static void
test_too_long(void **state)
{
	static const char *const units[] = { "x", "\n", "\"", "\xe4\xb8\xad",
		"\xff", "\xf0\x9f\x98\x80" };
	static char value[3 * LINE_MAX_LEN];
	size_t tried = 0;
	size_t cut = 0;

	(void)state;
	for (size_t u = 0; u < COUNT_OF(units); u++) {
		size_t unit_len = strlen(units[u]);

		memset(value, 0, sizeof(value));
		for (size_t len = 0; len + unit_len < sizeof(value)
		    && len < 2 * LINE_MAX_LEN; len += unit_len) {
			char line[LINE_MAX_LEN + 1];
			json_t *object = NULL;

			logged(log_info("a.b", "v", value, "then", "w", NULL),
			    line);
			object = line_parse(line);
			if (json_object_get(object, "then") == NULL)
				cut++;
			json_decref(object);
			memcpy(value + len, units[u], unit_len);
			tried++;
		}
	}
	assert_true(cut > 0 && cut < tried);
	print_message("    lengths: %zu, %zu of them cut\n", tried, cut);
}

static void
test_long_request(void **state)
{
	char line[LINE_MAX_LEN + 1];
	char wide[300];
	json_t *object = NULL;

	(void)state;
	memset(wide, 'r', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	log_request(wide);
	logged(log_info("a.b", NULL), line);
	object = line_parse(line);
	assert_int_equal(strlen(vector_text(object, "req")), 64);
	json_decref(object);
	log_request("");
}

static void *
other_thread(void *unused)
{
	log_request("theirs");
	return unused;
}

static void
test_request_is_per_thread(void **state)
{
	char line[LINE_MAX_LEN + 1];
	pthread_t thread;

	(void)state;
	log_request("ours");
	assert_int_equal(pthread_create(&thread, NULL, other_thread, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	logged(log_info("a.b", NULL), line);
	assert_non_null(strstr(line, "\"req\":\"ours\""));
	log_request("");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shape),
		cmocka_unit_test(test_levels_and_ends),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_long_request),
		cmocka_unit_test(test_request_is_per_thread),
	};

	return cmocka_run_group_tests_name("log", tests, lines_open, NULL);
}
