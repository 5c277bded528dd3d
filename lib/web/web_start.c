#include "web/web_start.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define WEB_START_CONFIG "/etc/wxpay/wxpay.conf"
#define WEB_START_PARAMS_MAX 200	/* variables of one CGI request */

#if defined(__SANITIZE_ADDRESS__)
#define WEB_START_LEAKS_SOUGHT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEB_START_LEAKS_SOUGHT 1
#endif
#endif

struct web_start {
	char *config;		/* NULL: WEB_START_CONFIG */
	char *listen;		/* NULL: descriptor 0, or CGI */
	bool is_cgi;
	char *params[WEB_START_PARAMS_MAX + 1];
	size_t param_count;
};

/* What lib/web reads of CGI's variables, besides HTTP_*. */
static const char *const web_start_names[] = {
	"CONTENT_LENGTH", "CONTENT_TYPE", "PATH_INFO", "QUERY_STRING",
	"REMOTE_ADDR", "REMOTE_USER", "REQUEST_ID", "REQUEST_METHOD",
};

extern char **environ;

/* A descriptor that is closed now would be the next file that is opened: the
 * log would then be written into, say, the database's connection. */
static bool
web_start_hold_standard_files(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0
		    && open("/dev/null", O_RDWR) != fd)
			return false;
	return true;
}

static bool
web_start_give_up(void)
{
	static const struct rlimit none = { 0, 0 };

	umask(077);
#ifndef WEB_START_LEAKS_SOUGHT
	/* The leak checker of a test build needs ptrace at its end. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return false;
#endif
	return setrlimit(RLIMIT_CORE, &none) == 0
	    && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static bool
web_start_is_param(const char *entry)
{
	size_t len = strcspn(entry, "=");
	size_t i;

	if (entry[len] != '=')
		return false;
	if (strncmp(entry, "HTTP_", 5) == 0)
		return true;
	for (i = 0; i < COUNT_OF(web_start_names); i++)
		if (strlen(web_start_names[i]) == len
		    && strncmp(entry, web_start_names[i], len) == 0)
			return true;
	return false;
}

/* False if memory is out, or there are more than anybody sends. */
static bool
web_start_copy_params(struct web_start *start)
{
	char **entry;
	char *copy;

	for (entry = environ; entry != NULL && *entry != NULL; entry++) {
		if (!web_start_is_param(*entry))
			continue;
		if (start->param_count == WEB_START_PARAMS_MAX)
			return false;
		copy = strdup(*entry);
		if (copy == NULL)
			return false;
		start->params[start->param_count++] = copy;
	}
	return true;
}

/* Replace *field by a copy of text; nothing to do for none. */
static bool
web_start_keep(char **field, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return true;
	free(*field);
	*field = strdup(text);
	return *field != NULL;
}

static bool
web_start_arguments(struct web_start *start, int argc, char *argv[])
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "listen", required_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	bool ok = true;
	int option;

	optind = 0;		/* glibc: begin anew */
	opterr = 0;
	while (ok) {
		option = getopt_long(argc, argv, "+", options, NULL);
		if (option == -1)
			break;
		ok = option == 'c' ? web_start_keep(&start->config, optarg)
		    : option == 'l' ? web_start_keep(&start->listen, optarg)
		    : false;
	}
	return ok && optind == argc;
}

static bool
web_start_stdin_listens(void)
{
	int listens = 0;
	socklen_t len = sizeof(listens);

	return getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listens,
	    &len) == 0 && listens != 0;
}

static void
web_start_usage(const char *program)
{
	const char *slash = strrchr(program, '/');

	fprintf(stderr, "usage: %s [--config FILE] --listen SOCKET\n"
	    "       or with a listening socket as standard input (FastCGI),\n"
	    "       or with REQUEST_METHOD set (CGI)\n",
	    slash == NULL ? program : slash + 1);
}

bool
web_start_read(int argc, char *argv[], struct web_start **out)
{
	struct web_start *start = NULL;
	bool listens;
	bool ok = false;

	start = calloc(1, sizeof(*start));
	if (start == NULL || !web_start_hold_standard_files()
	    || !web_start_give_up()
	    || !web_start_keep(&start->config, getenv("WXPAY_CONF"))) {
		perror("cannot start");
		goto out;
	}
	listens = web_start_stdin_listens();
	start->is_cgi = !listens && getenv("REQUEST_METHOD") != NULL;
	/* A CGI server makes arguments of a query string without "=", so
	 * those of a CGI request are a stranger's. */
	ok = start->is_cgi ? web_start_copy_params(start)
	    : web_start_arguments(start, argc, argv)
	    && (listens || start->listen != NULL);
	if (!ok)
		web_start_usage(argc > 0 ? argv[0] : "wxpay");
out:
	clearenv();
	if (ok)
		*out = start;
	else
		web_start_free(start);
	return ok;
}

void
web_start_free(struct web_start *start)
{
	size_t i;

	if (start == NULL)
		return;
	for (i = 0; i < start->param_count; i++)
		free(start->params[i]);
	free(start->listen);
	free(start->config);
	free(start);
}

const char *
web_start_config(const struct web_start *start)
{
	return start->config != NULL ? start->config : WEB_START_CONFIG;
}

bool
web_start_is_cgi(const struct web_start *start)
{
	return start->is_cgi;
}

const char *
web_start_listen(const struct web_start *start)
{
	return start->listen;
}

char *const *
web_start_params(const struct web_start *start)
{
	return start->params;
}
