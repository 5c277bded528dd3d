/* web: a real program behind a real socket, or started as CGI, serves what
 * is well formed, survives what is not, and leaves when it is told to. */
#include "web/web.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../unit.h"
#include "base/str.h"
#include "fcgi_client.h"

/*
 * The program that is served: this one, started again as "served".  On
 * /hold it says on one descriptor that it is there and waits on another.
 */
#define SERVED "served"
#define HOLD_SAYS 100
#define HOLD_WAITS 101

#define BODY_MAX 65536
#define BIG (900 * 1000)

extern char **environ;

static bool
handle_hi(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	(void)app;
	return web_reply_text(reply, 200, "text/plain", req->wild[0], err);
}

static bool
handle_echo(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	(void)app;
	return web_reply_text(reply, 200, "text/plain", req->body, err);
}

static bool
handle_hold(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	char byte = 'h';

	(void)app;
	(void)req;
	if (write(HOLD_SAYS, &byte, 1) != 1 || read(HOLD_WAITS, &byte, 1) != 1)
		return err_set(err, ERR_BUG, "nobody holds");
	return web_reply_text(reply, 200, "text/plain", "held", err);
}

static bool
handle_big(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	char *text = malloc(BIG + 1);
	bool ok;

	(void)app;
	(void)req;
	if (text == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	memset(text, 'b', BIG);
	text[BIG] = '\0';
	ok = web_reply_text(reply, 200, "text/plain", text, err);
	free(text);
	return ok;
}

/* What the process has given up, and what it knows. */
static bool
handle_state(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	struct sigaction pipe_action = { 0 };
	struct rlimit core = { 1, 1 };
	mode_t mask = umask(077);
	char text[600];

	sigaction(SIGPIPE, NULL, &pipe_action);
	getrlimit(RLIMIT_CORE, &core);
	snprintf(text, sizeof(text), "config=%s umask=%03o core=%llu/%llu "
	    "dumpable=%d nnp=%d sigpipe=%s environ=%s path=%s agent=%s",
	    (const char *)app, (unsigned)mask,
	    (unsigned long long)core.rlim_cur,
	    (unsigned long long)core.rlim_max,
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0),
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
	    pipe_action.sa_handler == SIG_IGN ? "ignored" : "handled",
	    environ == NULL || environ[0] == NULL ? "empty" : environ[0],
	    fields_text(&req->params, "PATH"), req->user_agent);
	return web_reply_text(reply, 200, "text/plain", text, err);
}

/* As the three programs are: start, serve, stop. */
static int
serve(int argc, char *argv[], int threads)
{
	static const struct web_route routes[] = {
		{ WEB_GET, "/hi/*", handle_hi, 0 },
		{ WEB_POST, "/echo", handle_echo, BODY_MAX },
		{ WEB_GET, "/hold", handle_hold, 0 },
		{ WEB_GET, "/big", handle_big, 0 },
		{ WEB_GET, "/state", handle_state, 0 },
	};
	struct web_app app = {
		.name = SERVED,
		.routes = routes, .route_count = COUNT_OF(routes),
	};
	struct web_start *start = NULL;
	struct err err = { 0 };
	int status = EXIT_SUCCESS;

	if (!web_start_read(argc, argv, &start))
		return 2;
	app.app = strdup(web_start_config(start));
	if (app.app == NULL || !web_serve(start, &app, threads, &err)) {
		fprintf(stderr, "%s: %s\n", err_kind_name(err.kind),
		    err.text);
		status = EXIT_FAILURE;
	}
	free(app.app);
	web_start_free(start);
	return status;
}

/* What a test has of a program that it started. */
struct served {
	char dir[64], path[100], log[100];
	pid_t pid;
	int says, waits;	/* our ends of the hold's pipes */
	int in, out;		/* standard input and output, if asked for */
};

#define ARGS_MAX 8

/* Start "served" with args and environment; both NULL-ended.  stdin_fd is
 * what it has as standard input, -1 for a pipe. */
static void
served_start(struct served *served, int threads, const char *const args[],
    const char *const env[], int stdin_fd)
{
	char name[16];
	const char *argv[ARGS_MAX + 2] = { name };
	int says[2], waits[2], in[2], out[2];
	int log;
	size_t i;

	snprintf(name, sizeof(name), SERVED "%d", threads);
	for (i = 0; args[i] != NULL; i++)
		argv[i + 1] = args[i];
	assert_int_equal(pipe2(says, O_CLOEXEC), 0);
	assert_int_equal(pipe2(waits, O_CLOEXEC), 0);
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	log = open(served->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
	    0600);
	assert_true(log >= 0);
	served->pid = fork();
	assert_true(served->pid >= 0);
	if (served->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (dup2(stdin_fd < 0 ? in[0] : stdin_fd, STDIN_FILENO) < 0
		    || dup2(out[1], STDOUT_FILENO) < 0
		    || dup2(log, STDERR_FILENO) < 0
		    || dup2(says[1], HOLD_SAYS) < 0
		    || dup2(waits[0], HOLD_WAITS) < 0)
			_exit(99);
		execve("/proc/self/exe", (char **)(uintptr_t)argv,
		    (char **)(uintptr_t)env);
		_exit(99);
	}
	close(says[1]);
	close(waits[0]);
	close(in[0]);
	close(out[1]);
	close(log);
	served->says = says[0];
	served->waits = waits[1];
	served->in = in[1];
	served->out = out[0];
}

static void
served_init(struct served *served)
{
	*served = (struct served){ .dir = "/tmp/test_web.XXXXXX" };
	assert_non_null(mkdtemp(served->dir));
	snprintf(served->path, sizeof(served->path), "%s/socket",
	    served->dir);
	snprintf(served->log, sizeof(served->log), "%s/log", served->dir);
}

static void
served_close(struct served *served)
{
	close(served->says);
	close(served->waits);
	close(served->in);
	close(served->out);
}

/* The exit status, -1 if it was a signal. */
static int
served_wait(struct served *served)
{
	int status = 0;
	pid_t pid;

	do
		pid = waitpid(served->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	assert_int_equal(pid, served->pid);
	served_close(served);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
served_clear(struct served *served)
{
	unlink(served->path);
	unlink(served->log);
	assert_int_equal(rmdir(served->dir), 0);
}

static const char *const no_env[] = { NULL };

/* Serve on a socket that we made, so that it can be asked at once. */
static void
served_up(struct served *served, int threads)
{
	static const char *const no_args[] = { NULL };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	served_init(served);
	assert_true(str_copy(address.sun_path, sizeof(address.sun_path),
	    served->path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
	    sizeof(address)), 0);
	assert_int_equal(listen(fd, 511), 0);
	served_start(served, threads, no_args, no_env, fd);
	close(fd);
}

/* SIGTERM, and a clean end. */
static void
served_down(struct served *served)
{
	assert_int_equal(kill(served->pid, SIGTERM), 0);
	assert_int_equal(served_wait(served), 0);
	served_clear(served);
}

static int
must_connect(const struct served *served)
{
	int fd = fcgi_connect(served->path);

	assert_true(fd >= 0);
	return fd;
}

static void
must_send(int fd, const struct buf *bytes)
{
	assert_true(buf_ok(bytes));
	assert_true(fcgi_send(fd, bytes));
}

/* Send a request over fd. */
static void
ask(int fd, const char *method, const char *path, const char *body,
    bool keep)
{
	struct buf bytes;

	buf_init(&bytes, FCGI_CLIENT_MAX);
	fcgi_request(&bytes, method, path, body, keep);
	must_send(fd, &bytes);
	buf_clear(&bytes);
}

/* The answer over fd has this status and ends in this body. */
static void
expect_answer(int fd, const char *status, const char *body)
{
	struct buf out;
	char line[40];
	const char *end;

	buf_init(&out, FCGI_CLIENT_MAX);
	expect(fcgi_answer(fd, &out), "no answer but \"%s\"", buf_get(&out));
	snprintf(line, sizeof(line), "Status: %s ", status);
	expect(strncmp(buf_get(&out), line, strlen(line)) == 0, "%s",
	    buf_get(&out));
	end = strstr(buf_get(&out), "\r\n\r\n");
	expect(end != NULL && (body == NULL || str_eq(end + 4, body)), "%s",
	    buf_get(&out));
	buf_clear(&out);
}

/* It serves well-behaved servers still. */
static void
expect_alive(const struct served *served)
{
	int fd = must_connect(served);

	ask(fd, "GET", "/hi/still-here", "", false);
	expect_answer(fd, "200", "still-here");
	expect(fcgi_is_closed(fd), "left open");
	close(fd);
}

static void
test_answer(void **state)
{
	struct served served;
	struct buf out;
	int fd;

	(void)state;
	served_up(&served, 2);
	fd = must_connect(&served);
	ask(fd, "GET", "/hi/mei", "", false);
	buf_init(&out, FCGI_CLIENT_MAX);
	assert_true(fcgi_answer(fd, &out));
	assert_string_equal(buf_get(&out), "Status: 200 OK\r\n"
	    "Content-Type: text/plain\r\nContent-Length: 3\r\n"
	    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
	    "X-Frame-Options: DENY\r\nContent-Security-Policy: default-src "
	    "'none'; img-src 'self'; frame-ancestors 'none'\r\n"
	    "X-Request-Id: r-1\r\n\r\n"
	    "mei");
	buf_clear(&out);
	assert_true(fcgi_is_closed(fd));
	close(fd);
	served_down(&served);
}

/* One connection for many requests, with bodies of all sizes, in records of
 * all sizes. */
static void
test_keep(void **state)
{
	static char body[BODY_MAX + 1];
	struct served served;
	size_t asked = 0;
	int fd;

	(void)state;
	served_up(&served, 2);
	fd = must_connect(&served);
	for (size_t len = 0; len <= BODY_MAX; len = len * 2 + 1, asked++) {
		memset(body, 'x', len);
		body[len] = '\0';
		ask(fd, "POST", "/echo", body, true);
		expect_answer(fd, "200", body);
		ask(fd, "GET", "/nowhere", "", true);
		expect_answer(fd, "404", NULL);
	}
	print_message("    on one connection: %zu\n", 2 * asked);
	/* A body that nobody read cannot be taken for a request. */
	ask(fd, "POST", "/nowhere", "unread", true);
	expect_answer(fd, "404", NULL);
	expect(fcgi_is_closed(fd), "left open");
	close(fd);
	fd = must_connect(&served);
	ask(fd, "POST", "/hi/wrong-method", "unread", true);
	expect_answer(fd, "405", NULL);
	expect(fcgi_is_closed(fd), "left open");
	close(fd);
	served_down(&served);
}

/* E9: refused before it is read, and the answer arrives all the same. */
static void
test_too_large(void **state)
{
	static char body[BODY_MAX + 2];
	struct served served;
	int fd;

	(void)state;
	memset(body, 'x', BODY_MAX + 1);
	served_up(&served, 2);
	fd = must_connect(&served);
	ask(fd, "POST", "/echo", body, false);
	expect_answer(fd, "413", NULL);
	close(fd);
	expect_alive(&served);
	served_down(&served);
}

/* Idle connections that the server keeps hold no thread. */
static void
test_idle(void **state)
{
	struct served served;
	int idle[40];

	(void)state;
	served_up(&served, 2);
	for (size_t i = 0; i < COUNT_OF(idle); i++) {
		idle[i] = must_connect(&served);
		ask(idle[i], "GET", "/hi/idle", "", true);
		expect_answer(idle[i], "200", "idle");
	}
	expect_alive(&served);
	for (size_t i = COUNT_OF(idle); i-- > 0;) {
		ask(idle[i], "GET", "/hi/again", "", i % 2 == 0);
		expect_answer(idle[i], "200", "again");
	}
	/* Some are closed by us, some by the end of the program. */
	for (size_t i = 0; i < COUNT_OF(idle); i += 4)
		close(idle[i]);
	expect_alive(&served);
	assert_int_equal(kill(served.pid, SIGTERM), 0);
	for (size_t i = 0; i < COUNT_OF(idle); i++) {
		if (i % 4 == 0)
			continue;
		expect(fcgi_is_closed(idle[i]), "%zu is open", i);
		close(idle[i]);
	}
	assert_int_equal(served_wait(&served), 0);
	served_clear(&served);
}

/* As many at once as there are threads: all are inside at the same time. */
static void
test_threads(void **state)
{
	struct served served;
	int held[8];
	char bytes[COUNT_OF(held)] = { 0 };

	(void)state;
	served_up(&served, COUNT_OF(held));
	for (size_t i = 0; i < COUNT_OF(held); i++) {
		held[i] = must_connect(&served);
		ask(held[i], "GET", "/hold", "", false);
	}
	for (size_t i = 0; i < COUNT_OF(held); i++)
		assert_int_equal(read(served.says, bytes, 1), 1);
	assert_int_equal(write(served.waits, bytes, sizeof(bytes)),
	    sizeof(bytes));
	for (size_t i = 0; i < COUNT_OF(held); i++) {
		expect_answer(held[i], "200", "held");
		close(held[i]);
	}
	served_down(&served);
}

#define CLIENTS 50
#define PER_CLIENT 40

struct client {
	const struct served *served;
	pthread_t thread;
	int number, answered;
};

/* cmocka cannot fail in a thread: count what was right. */
static void *
client_run(void *arg)
{
	struct client *client = arg;
	struct buf bytes, out;
	char body[64];
	const char *end;
	int fd;

	buf_init(&bytes, FCGI_CLIENT_MAX);
	buf_init(&out, FCGI_CLIENT_MAX);
	for (int i = 0; i < PER_CLIENT; i++) {
		snprintf(body, sizeof(body), "client %d says %d",
		    client->number, i);
		buf_reset(&bytes);
		buf_reset(&out);
		fcgi_request(&bytes, "POST", "/echo", body, false);
		fd = fcgi_connect(client->served->path);
		if (fd < 0)
			break;
		if (fcgi_send(fd, &bytes) && fcgi_answer(fd, &out)) {
			end = strstr(buf_get(&out), "\r\n\r\n");
			client->answered += end != NULL
			    && str_eq(end + 4, body);
		}
		close(fd);
	}
	buf_clear(&bytes);
	buf_clear(&out);
	return NULL;
}

static void
test_concurrent(void **state)
{
	static struct client clients[CLIENTS];
	struct served served;
	int answered = 0;

	(void)state;
	served_up(&served, 8);
	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = (struct client){ &served, 0, i, 0 };
		assert_int_equal(pthread_create(&clients[i].thread, NULL,
		    client_run, &clients[i]), 0);
	}
	for (int i = 0; i < CLIENTS; i++) {
		pthread_join(clients[i].thread, NULL);
		answered += clients[i].answered;
	}
	print_message("    answered: %d of %d\n", answered,
	    CLIENTS * PER_CLIENT);
	assert_int_equal(answered, CLIENTS * PER_CLIENT);
	served_down(&served);
}

/* Start a POST to /echo that announces len bytes; no body yet. */
static void
begin_echo(struct buf *out, const char *len, bool keep)
{
	struct buf params;

	buf_init(&params, 4096);
	fcgi_pair(&params, "REQUEST_METHOD", "POST");
	fcgi_pair(&params, "PATH_INFO", "/echo");
	fcgi_pair(&params, "CONTENT_LENGTH", len);
	fcgi_begin(out, FCGI_RESPONDER, keep);
	fcgi_stream(out, FCGI_PARAMS, buf_get(&params), params.len, 65535);
	buf_clear(&params);
}

static void
test_body_length(void **state)
{
	static const struct {
		const char *announced, *body, *status;
	} cases[] = {
		{ "5", "12345", "200" },
		{ "6", "12345", "400" },
		{ "4", "12345", "400" },
		{ "0", "1", "400" },
		{ "1", "", "400" },
		{ "65536", "12345", "400" },
		{ "5x", "12345", "400" },
	};
	struct served served;
	struct buf bytes;

	(void)state;
	served_up(&served, 2);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int fd = must_connect(&served);

		buf_init(&bytes, FCGI_CLIENT_MAX);
		begin_echo(&bytes, cases[i].announced, false);
		fcgi_stream(&bytes, FCGI_STDIN, cases[i].body,
		    strlen(cases[i].body), 2);
		must_send(fd, &bytes);
		expect_answer(fd, cases[i].status,
		    str_eq(cases[i].status, "200") ? cases[i].body : NULL);
		buf_clear(&bytes);
		close(fd);
	}
	served_down(&served);
}

/*
 * E15: every way to break a request that could be thought of, but for what
 * libfcgi itself does not bear: a length near 2 GiB (the sum overflows and
 * malloc asserts), FCGI_GET_VALUES with four known names (written beyond 64
 * bytes), and other management records (each leaks 48 bytes).  Who may open
 * the socket is trusted that far.
 */
static void
broken(int kind, struct buf *out)
{
	static char large[80000];
	struct buf params;

	buf_init(&params, FCGI_CLIENT_MAX);
	memset(large, 'x', sizeof(large) - 1);
	switch (kind) {
	case 0:		/* nothing */
		break;
	case 1:		/* part of a header */
		buf_add(out, "\1\1\0", 3);
		break;
	case 2:		/* another version */
		fcgi_record_head(out, 2, FCGI_BEGIN, 1, 8, 0);
		buf_add(out, "\0\1\0\0\0\0\0\0", 8);
		break;
	case 3:		/* plain HTTP */
		buf_text(out, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
		break;
	case 4:		/* begin and leave */
		fcgi_begin(out, FCGI_RESPONDER, false);
		break;
	case 5:		/* begin of the wrong length */
		fcgi_record(out, FCGI_BEGIN, "\0\1\0\0", 4);
		break;
	case 6:		/* request number 0 */
		fcgi_record_head(out, 1, FCGI_BEGIN, 0, 8, 0);
		buf_add(out, "\0\1\0\0\0\0\0\0", 8);
		break;
	case 7:		/* no such role */
		fcgi_begin(out, (enum fcgi_role)77, false);
		fcgi_record(out, FCGI_PARAMS, NULL, 0);
		break;
	case 8:		/* parameters before the beginning */
		fcgi_record(out, FCGI_PARAMS, "\1\1AB", 4);
		break;
	case 9:		/* a body in place of parameters */
		fcgi_begin(out, FCGI_RESPONDER, false);
		fcgi_record(out, FCGI_STDIN, "abc", 3);
		break;
	case 10:	/* parameters cut in a length */
		fcgi_begin(out, FCGI_RESPONDER, false);
		fcgi_stream(out, FCGI_PARAMS, "\x80", 1, 1);
		break;
	case 11:	/* parameters cut in a name */
		fcgi_begin(out, FCGI_RESPONDER, false);
		fcgi_stream(out, FCGI_PARAMS, "\x0e\x04REQUEST", 9, 65535);
		break;
	case 12:	/* parameters cut in a value */
		fcgi_begin(out, FCGI_RESPONDER, false);
		fcgi_stream(out, FCGI_PARAMS, "\x01\x04" "A12", 5, 65535);
		break;
	case 13:	/* parameters without an end */
		fcgi_begin(out, FCGI_RESPONDER, false);
		fcgi_record(out, FCGI_PARAMS, "\1\1AB", 4);
		break;
	case 14:	/* CVE-2025-23016: lengths whose sum overflows */
		fcgi_begin(out, FCGI_RESPONDER, false);
		buf_add(&params, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
		buf_add(&params, large, 200);
		fcgi_stream(out, FCGI_PARAMS, buf_get(&params), params.len,
		    65535);
		break;
	case 15:	/* a name longer than all that comes */
		fcgi_begin(out, FCGI_RESPONDER, false);
		buf_add(&params, "\x81\xff\xff\xff\x01", 5);
		buf_add(&params, large, 200);
		fcgi_stream(out, FCGI_PARAMS, buf_get(&params), params.len,
		    65535);
		break;
	case 16:	/* such a value */
		fcgi_begin(out, FCGI_RESPONDER, false);
		buf_add(&params, "\x01\x81\xff\xff\xff", 5);
		buf_add(&params, large, 200);
		fcgi_stream(out, FCGI_PARAMS, buf_get(&params), params.len,
		    65535);
		break;
	case 17:	/* another request on the same connection */
		fcgi_begin(out, FCGI_RESPONDER, false);
		fcgi_record_head(out, 1, FCGI_BEGIN, 2, 8, 0);
		buf_add(out, "\0\1\0\0\0\0\0\0", 8);
		break;
	case 18:	/* the server changes its mind in the body */
		begin_echo(out, "10", false);
		fcgi_record(out, FCGI_STDIN, "abc", 3);
		fcgi_record(out, FCGI_ABORT, NULL, 0);
		break;
	case 19:	/* and leaves in the body */
		begin_echo(out, "10", false);
		fcgi_record(out, FCGI_STDIN, "abc", 3);
		break;
	case 20:	/* a body record that is longer than what comes */
		begin_echo(out, "10", false);
		fcgi_record_head(out, 1, FCGI_STDIN, 1, 65535, 255);
		buf_add(out, "abc", 3);
		break;
	case 21:	/* a whole request, and nobody waits for the answer */
		fcgi_request(out, "GET", "/big", "", false);
		break;
	case 22:	/* the same, to be kept */
		fcgi_request(out, "POST", "/echo", "x", true);
		break;
	case 23:	/* an empty name */
		fcgi_begin(out, FCGI_RESPONDER, false);
		fcgi_stream(out, FCGI_PARAMS, "\0\1A", 3, 65535);
		fcgi_record(out, FCGI_STDIN, NULL, 0);
		break;
	default:	/* more parameters than anybody has */
		fcgi_begin(out, FCGI_RESPONDER, false);
		fcgi_pair(&params, "HTTP_A", large);
		fcgi_stream(out, FCGI_PARAMS, buf_get(&params), params.len,
		    65535);
		fcgi_record(out, FCGI_STDIN, NULL, 0);
		break;
	}
	assert_true(buf_ok(&params));
	buf_clear(&params);
}

#define BROKEN_KINDS 25

static void
test_broken(void **state)
{
	struct served served;

	(void)state;
	served_up(&served, 2);
	for (int kind = 0; kind < BROKEN_KINDS; kind++) {
		int fd = must_connect(&served);
		struct buf bytes;

		buf_init(&bytes, FCGI_CLIENT_MAX);
		broken(kind, &bytes);
		fcgi_send(fd, &bytes);
		buf_clear(&bytes);
		close(fd);
		expect(waitpid(served.pid, NULL, WNOHANG) == 0, "%d", kind);
		expect_alive(&served);
	}
	print_message("    broken requests: %d\n", BROKEN_KINDS);
	served_down(&served);
}

/* Odd, but allowed: they get their answer. */
static void
test_odd(void **state)
{
	struct served served;
	struct buf bytes, params;
	int fd;

	(void)state;
	served_up(&served, 2);
	buf_init(&params, 4096);
	buf_init(&bytes, FCGI_CLIENT_MAX);

	/* Streams in records of one byte, padded. */
	fcgi_pair(&params, "REQUEST_METHOD", "POST");
	fcgi_pair(&params, "PATH_INFO", "/echo");
	fcgi_pair(&params, "CONTENT_LENGTH", "5");
	fcgi_begin(&bytes, FCGI_RESPONDER, false);
	fcgi_stream(&bytes, FCGI_PARAMS, buf_get(&params), params.len, 1);
	for (const char *at = "12345"; *at != '\0'; at++) {
		fcgi_record_head(&bytes, 1, FCGI_STDIN, 1, 1, 7);
		buf_char(&bytes, *at);
		buf_add(&bytes, "\0\0\0\0\0\0\0", 7);
	}
	fcgi_record(&bytes, FCGI_STDIN, NULL, 0);
	fd = must_connect(&served);
	must_send(fd, &bytes);
	expect_answer(fd, "200", "12345");
	close(fd);

	/* Byte by byte. */
	buf_reset(&bytes);
	fcgi_request(&bytes, "POST", "/echo", "slow", false);
	fd = must_connect(&served);
	for (size_t i = 0; i < bytes.len; i++)
		assert_int_equal(send(fd, buf_get(&bytes) + i, 1,
		    MSG_NOSIGNAL), 1);
	expect_answer(fd, "200", "slow");
	close(fd);

	/* What it is asked before the request. */
	buf_reset(&bytes);
	buf_reset(&params);
	fcgi_pair(&params, "FCGI_MPXS_CONNS", "");
	fcgi_record_head(&bytes, 1, FCGI_GET_VALUES, 0, params.len, 0);
	buf_add(&bytes, buf_get(&params), params.len);
	fcgi_request(&bytes, "GET", "/hi/after", "", false);
	fd = must_connect(&served);
	must_send(fd, &bytes);
	expect_answer(fd, "200", "after");
	close(fd);

	/* No parameters at all. */
	buf_reset(&bytes);
	fcgi_begin(&bytes, FCGI_RESPONDER, false);
	fcgi_record(&bytes, FCGI_PARAMS, NULL, 0);
	fcgi_record(&bytes, FCGI_STDIN, NULL, 0);
	fd = must_connect(&served);
	must_send(fd, &bytes);
	expect_answer(fd, "404", NULL);
	close(fd);

	/* Longer than all headers together may be. */
	buf_reset(&bytes);
	broken(BROKEN_KINDS - 1, &bytes);
	fd = must_connect(&served);
	must_send(fd, &bytes);
	expect_answer(fd, "400", NULL);
	close(fd);

	buf_clear(&bytes);
	buf_clear(&params);
	served_down(&served);
}

static uint32_t
next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

#define DAMAGED 600

/* A sound request with some bytes changed, cut somewhere. */
static void
test_damaged(void **state)
{
	struct served served;
	struct buf bytes;
	uint32_t seed = 20260301;
	int alive = 0;

	(void)state;
	served_up(&served, 4);
	buf_init(&bytes, FCGI_CLIENT_MAX);
	for (int i = 0; i < DAMAGED; i++) {
		int fd = must_connect(&served);

		buf_reset(&bytes);
		fcgi_request(&bytes, "POST", "/echo", "body of a request",
		    i % 2 == 0);
		for (uint32_t n = next_random(&seed) % 4; n > 0; n--)
			bytes.data[next_random(&seed) % bytes.len]
			    = (char)next_random(&seed);
		bytes.len -= next_random(&seed) % 30;
		fcgi_send(fd, &bytes);
		close(fd);
		if (i % 20 == 0) {
			expect_alive(&served);
			alive++;
		}
	}
	expect_alive(&served);
	print_message("    damaged requests: %d, alive: %d times\n", DAMAGED,
	    alive + 1);
	buf_clear(&bytes);
	served_down(&served);
}

/* A server that says nothing, and one that does not listen, hold their
 * threads for some seconds, not for ever. */
static void
test_stalled(void **state)
{
	struct served served;
	int silent, deaf;

	(void)state;
	served_up(&served, 2);
	silent = must_connect(&served);
	deaf = must_connect(&served);
	ask(deaf, "GET", "/big", "", false);
	/* Both threads are taken, so this waits for one of them. */
	expect_alive(&served);
	close(silent);
	close(deaf);
	served_down(&served);
}

/* Until fd's other end has read all that we sent. */
static void
wait_until_read(int fd)
{
	int unread = 1;

	while (unread > 0) {
		assert_int_equal(ioctl(fd, SIOCOUTQ, &unread), 0);
		sched_yield();
	}
}

/* L3: what is in hand is finished, what is not is not begun. */
static void
test_stop(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT };
	struct buf bytes;
	char byte = 'w';

	(void)state;
	for (size_t i = 0; i < COUNT_OF(signals); i++) {
		struct served served;
		int held, half, late;

		served_up(&served, 3);
		/* One is inside its handler, */
		held = must_connect(&served);
		ask(held, "GET", "/hold", "", true);
		assert_int_equal(read(served.says, &byte, 1), 1);
		/* one is being read, */
		buf_init(&bytes, FCGI_CLIENT_MAX);
		begin_echo(&bytes, "10", true);
		fcgi_record(&bytes, FCGI_STDIN, "first", 5);
		half = must_connect(&served);
		must_send(half, &bytes);
		wait_until_read(half);
		assert_int_equal(kill(served.pid, signals[i]), 0);
		/* and one comes too late. */
		late = must_connect(&served);
		ask(late, "GET", "/hi/late", "", false);

		buf_reset(&bytes);
		fcgi_stream(&bytes, FCGI_STDIN, "later", 5, 5);
		must_send(half, &bytes);
		expect_answer(half, "200", "firstlater");
		assert_int_equal(write(served.waits, &byte, 1), 1);
		expect_answer(held, "200", "held");
		expect(fcgi_is_closed(late), "answered after the signal");
		assert_int_equal(served_wait(&served), 0);
		close(held);
		close(half);
		close(late);
		buf_clear(&bytes);
		served_clear(&served);
	}
}

/* All that a program has written on fd. */
static void
read_all(int fd, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	assert_int_equal(n, 0);
	out[len] = '\0';
}

static void
read_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	read_all(fd, out, size);
	close(fd);
}

/* Ask until the socket is there; the program is starting. */
static int
connect_when_up(const struct served *served)
{
	int fd = -1;

	while (fd < 0 && waitpid(served->pid, NULL, WNOHANG) == 0) {
		fd = fcgi_connect(served->path);
		sched_yield();
	}
	assert_true(fd >= 0);
	return fd;
}

#ifdef __SANITIZE_ADDRESS__
#define DUMPABLE "1"
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DUMPABLE "1"
#endif
#endif
#ifndef DUMPABLE
#define DUMPABLE "0"
#endif

/* L11, O7: what a program gives up at its start. */
static void
test_listen(void **state)
{
	static const char *const env[] = {
		"PATH=/bin", "LD_X=y", "HTTP_PROXY=http://evil.example",
		"WXPAY_CONF=/env.conf", NULL,
	};
	struct served served;
	struct stat was;

	(void)state;
	served_init(&served);
	for (int round = 0; round < 2; round++) {
		/* The second time, the socket of the first is still there. */
		const char *const args[] = {
			"--listen", served.path, round == 0 ? NULL
			: "--config=/arg.conf", NULL,
		};
		int fd;

		served_start(&served, 2, args, env, -1);
		fd = connect_when_up(&served);
		assert_int_equal(stat(served.path, &was), 0);
		assert_int_equal(was.st_mode & 07777, 0660);
		ask(fd, "GET", "/state", "", false);
		expect_answer(fd, "200", round == 0
		    ? "config=/env.conf umask=077 core=0/0 dumpable="
		    DUMPABLE " nnp=1 sigpipe=ignored environ=empty path= "
		    "agent="
		    : "config=/arg.conf umask=077 core=0/0 dumpable="
		    DUMPABLE " nnp=1 sigpipe=ignored environ=empty path= "
		    "agent=");
		close(fd);
		assert_int_equal(kill(served.pid, SIGTERM), 0);
		assert_int_equal(served_wait(&served), 0);
	}
	served_clear(&served);
}

static void
test_listen_refused(void **state)
{
	static char longest[150];
	struct served served;
	char text[2048];
	int fd;

	(void)state;
	memset(longest, 'l', sizeof(longest) - 1);
	longest[0] = '/';
	served_init(&served);
	/* A file of somebody else's is not removed. */
	fd = open(served.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "keep", 4), 4);
	close(fd);
	const char *const paths[] = { served.path, longest, "/nowhere/x" };
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		const char *const args[] = { "--listen", paths[i], NULL };

		served_start(&served, 1, args, no_env, -1);
		expect(served_wait(&served) == EXIT_FAILURE, "%s", paths[i]);
		read_file(served.log, text, sizeof(text));
		expect(strstr(text, "ERR_INPUT: socket") != NULL, "%s", text);
		unlink(served.log);
	}
	read_file(served.path, text, sizeof(text));
	assert_string_equal(text, "keep");
	served_clear(&served);
}

static void
test_usage(void **state)
{
	static const char *const cases[][4] = {
		{ NULL },
		{ "--config", "/x", NULL },
		{ "--listen", NULL },
		{ "--bogus", NULL },
		{ "--listen", "/x", "more", NULL },
		{ "-x", NULL },
		{ "--listen", "", NULL },
	};
	struct served served;
	char text[2048];

	(void)state;
	served_init(&served);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		served_start(&served, 1, cases[i], no_env, -1);
		expect(served_wait(&served) == 2, "case %zu", i);
		read_file(served.log, text, sizeof(text));
		expect(strncmp(text, "usage: served1 ", 15) == 0, "%s", text);
		unlink(served.log);
	}
	served_clear(&served);
}

/* One request as CGI: what comes out, and the status. */
static int
cgi(const char *const args[], const char *const env[], const char *body,
    char *out, size_t size)
{
	struct served served;
	int status;

	served_init(&served);
	served_start(&served, 1, args, env, -1);
	/* It may have answered without reading. */
	signal(SIGPIPE, SIG_IGN);
	assert_true(write(served.in, body, strlen(body)) >= -1);
	close(served.in);
	read_all(served.out, out, size);
	status = served_wait(&served);
	served_clear(&served);
	return status;
}

static void
test_cgi(void **state)
{
	static const char *const none[] = { NULL };
	/* What a CGI server makes of "?--listen+/tmp/x". */
	static const char *const hostile[] = {
		"--config", "/evil.conf", "--listen", "/tmp/x", NULL,
	};
	static const struct {
		const char *const *args;
		const char *env[10];
		const char *body, *status, *ends;
	} cases[] = {
		{ none, { "REQUEST_METHOD=GET", "PATH_INFO=/hi/mei" }, "",
		    "200", "mei" },
		{ none, { "REQUEST_METHOD=POST", "PATH_INFO=/echo",
		    "CONTENT_LENGTH=5" }, "12345", "200", "12345" },
		{ none, { "REQUEST_METHOD=POST", "PATH_INFO=/echo",
		    "CONTENT_LENGTH=3" }, "12345", "200", "123" },
		{ none, { "REQUEST_METHOD=POST", "PATH_INFO=/echo",
		    "CONTENT_LENGTH=6" }, "12345", "400", "}" },
		{ none, { "REQUEST_METHOD=POST", "PATH_INFO=/echo",
		    "CONTENT_LENGTH=65537" }, "12345", "413", "}" },
		{ none, { "REQUEST_METHOD=POST", "PATH_INFO=/echo" },
		    "12345", "200", "\r\n\r\n" },
		{ none, { "REQUEST_METHOD=" }, "", "404", "}" },
		{ hostile, { "REQUEST_METHOD=GET", "PATH_INFO=/state",
		    "QUERY_STRING=--config+/evil.conf", "PATH=/bin",
		    "HTTP_USER_AGENT=curl", "HTTP_PROXY=http://evil.example",
		    "WXPAY_CONF=/cgi.conf" }, "", "200",
		    "config=/cgi.conf umask=077 core=0/0 dumpable=" DUMPABLE
		    " nnp=1 sigpipe=ignored environ=empty path= agent=curl" },
		{ none, { "REQUEST_METHOD=GET", "PATH_INFO=/state" }, "",
		    "200", "config=/etc/wxpay/wxpay.conf umask=077 core=0/0 "
		    "dumpable=" DUMPABLE " nnp=1 sigpipe=ignored "
		    "environ=empty path= agent=" },
	};
	char text[8192], start[40];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t ends = strlen(cases[i].ends);
		int status = cgi(cases[i].args, cases[i].env, cases[i].body,
		    text, sizeof(text));

		snprintf(start, sizeof(start), "Status: %s ",
		    cases[i].status);
		expect(status == 0 && strncmp(text, start, strlen(start)) == 0
		    && strlen(text) > ends && str_eq(text + strlen(text)
		    - ends, cases[i].ends), "%zu: %d %s", i, status, text);
		expect(strstr(text, "\r\nX-Request-Id: ") != NULL, "%s",
		    text);
	}
	print_message("    CGI requests: %zu\n", COUNT_OF(cases));
}

int
main(int argc, char *argv[])
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_concurrent),
		cmocka_unit_test(test_body_length),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_stalled),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_listen_refused),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_cgi),
	};
	long threads = 0;

	if (strncmp(argv[0], SERVED, strlen(SERVED)) == 0
	    && str_to_long(argv[0] + strlen(SERVED), WEB_THREADS_MAX,
	    &threads))
		return serve(argc, argv, (int)threads);
	return cmocka_run_group_tests_name("web", tests, NULL, NULL);
}
