#include "web/web.h"

#include <assert.h>
#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "web/web_answer.h"

#define WEB_BACKLOG 511		/* what nginx asks for itself */
#define WEB_STALL_S 5		/* the server is silent in mid-request */
#define WEB_KEPT_MAX 256	/* descriptors below it may be kept open */
#define WEB_SOCKET_MODE 0660	/* for nginx, by group */

/*
 * All threads wait in one epoll set for the listening socket, for a signal,
 * and for the connections that the server keeps open, so that an idle one
 * holds no thread.
 */
struct web_server {
	const struct web_app *app;
	int listener;
	int signals;			/* readable once we should leave */
	int epoll;
	atomic_bool kept[WEB_KEPT_MAX];	/* by descriptor: idle, in epoll */
};

/*
 * The body of a FastCGI request, and that it ends there: what stays unread
 * would be taken for the next request of the connection.
 */
static bool
web_stream_read(void *from, char *out, size_t len)
{
	FCGX_Request *request = from;

	if (FCGX_GetStr(out, (int)len, request->in) != (int)len)
		return false;
	return FCGX_GetChar(request->in) == EOF
	    && FCGX_GetError(request->in) == 0;
}

/* Send it and finish the request.  True if the connection stays open. */
static bool
web_stream_send(FCGX_Request *request, const struct web_reply *reply,
    const struct buf *head)
{
	/*
	 * A body that was not fetched, or only in part, still stands there:
	 * libfcgi then closes, after it has waited for the server to do so.
	 * Otherwise there is nothing to wait for.
	 */
	if (FCGX_GetChar(request->in) != EOF)
		request->keepConnection = 0;
	else
		FCGX_Detach(request);
	if (FCGX_PutStr(buf_get(head), (int)head->len, request->out) >= 0)
		FCGX_PutStr(buf_get(&reply->body), (int)reply->body.len,
		    request->out);
	FCGX_Finish_r(request);
	return request->ipcFd >= 0;
}

/* Serve one request of the connection fd, which is closed unless true. */
static bool
web_connection_serve(const struct web_app *app, int fd)
{
	struct web_source source = { web_stream_read, NULL };
	FCGX_Request request;
	struct web_reply reply;
	struct buf head;
	bool kept;

	/*
	 * FCGX_Accept_r accepts and reads in one call, so a silent server
	 * would block a thread without limit, and SIGTERM be lost.  Given a
	 * request that looks like one just finished on a kept connection, it
	 * only reads; and if that fails, it closes fd and comes back from
	 * accepting at -1.
	 */
	if (FCGX_InitRequest(&request, -1, FCGI_FAIL_ACCEPT_ON_INTR) != 0) {
		close(fd);
		return false;
	}
	request.ipcFd = fd;
	request.keepConnection = 1;
	if (FCGX_Accept_r(&request) != 0)
		return false;
	source.from = &request;
	web_reply_init(&reply);
	buf_init(&head, WEB_HEAD_MAX);
	web_answer(app, request.envp, &source, &reply, &head);
	kept = web_stream_send(&request, &reply, &head);
	buf_clear(&head);
	web_reply_clear(&reply);
	return kept;
}

/* Wait in the epoll set for fd's next request; one thread gets it. */
static void
web_server_keep(struct web_server *server, int fd)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
		.data.fd = fd,
	};

	if (fd >= WEB_KEPT_MAX) {
		close(fd);
		return;
	}
	atomic_store(&server->kept[fd], true);
	if (epoll_ctl(server->epoll, EPOLL_CTL_MOD, fd, &event) != 0
	    && epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		atomic_store(&server->kept[fd], false);
		close(fd);
	}
}

/* A connection, or -1 if there is none after all. */
static int
web_server_accept(struct web_server *server)
{
	static const struct timeval stall = { .tv_sec = WEB_STALL_S };
	static const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
	int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0) {
		if (errno == EAGAIN || errno == EINTR
		    || errno == ECONNABORTED)
			return -1;	/* another thread was faster */
		log_error("connection.refused", "reason", strerror(errno),
		    NULL);
		nanosleep(&pause, NULL);
		return -1;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof(stall)) < 0
	    || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &stall,
	    sizeof(stall)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Asked at each event: epoll reports what is ready in turn, so the signal
 * may come behind a connection that arrived after it. */
static bool
web_server_is_stopping(const struct web_server *server)
{
	struct pollfd signals = { .fd = server->signals, .events = POLLIN };

	return poll(&signals, 1, 0) != 0;
}

static void *
web_server_run(void *arg)
{
	struct web_server *server = arg;
	struct epoll_event event;
	int fd;

	for (;;) {
		if (epoll_wait(server->epoll, &event, 1, -1) != 1)
			continue;
		if (web_server_is_stopping(server))
			return NULL;
		fd = event.data.fd;
		if (fd == server->listener)
			fd = web_server_accept(server);
		else
			atomic_store(&server->kept[fd], false);
		if (fd >= 0 && web_connection_serve(server->app, fd))
			web_server_keep(server, fd);
	}
}

/* The caller's thread is one of them. */
static void
web_server_run_threads(struct web_server *server, int threads)
{
	pthread_t others[WEB_THREADS_MAX];
	int count, i, error;

	for (count = 0; count < threads - 1; count++) {
		error = pthread_create(&others[count], NULL, web_server_run,
		    server);
		if (error != 0) {
			log_error("thread.refused", "reason",
			    strerror(error), NULL);
			break;
		}
	}
	log_info("program.started", NULL);
	web_server_run(server);
	for (i = 0; i < count; i++)
		pthread_join(others[i], NULL);
	log_info("program.stopped", NULL);
}

static bool
web_server_watch(const struct web_server *server, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool
web_server_open(struct web_server *server, const sigset_t *signals,
    struct err *err)
{
	int flags = fcntl(server->listener, F_GETFL);

	server->signals = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	/* Not blocking: of several threads or processes that are woken for
	 * one connection, all but one must not wait for the next. */
	if (server->signals < 0 || server->epoll < 0 || flags < 0
	    || fcntl(server->listener, F_SETFL, flags | O_NONBLOCK) < 0
	    || !web_server_watch(server, server->signals)
	    || !web_server_watch(server, server->listener))
		return err_set(err, ERR_BUG, "cannot wait for requests: %s",
		    strerror(errno));
	return true;
}

static void
web_server_close(struct web_server *server)
{
	struct signalfd_siginfo info;
	int fd;

	for (fd = 0; fd < WEB_KEPT_MAX; fd++)
		if (atomic_load(&server->kept[fd]))
			close(fd);
	if (server->epoll >= 0)
		close(server->epoll);
	if (server->signals >= 0) {
		/* What was obeyed must not strike when it is unblocked. */
		while (read(server->signals, &info, sizeof(info)) > 0)
			continue;
		close(server->signals);
	}
}

/* Serve from listener, with the signals blocked: in a thread that reads a
 * request they would make the reading fail. */
static bool
web_serve_socket(const struct web_app *app, int listener, int threads,
    struct err *err)
{
	struct web_server server = {
		.app = app, .listener = listener, .signals = -1, .epoll = -1,
	};
	sigset_t signals, before;
	bool ok = false;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, &before);
	if (FCGX_Init() != 0) {
		err_set(err, ERR_BUG, "libfcgi does not start");
		goto out;
	}
	/* FCGX_Init puts a handler of its own there. */
	signal(SIGPIPE, SIG_IGN);
	ok = web_server_open(&server, &signals, err);
	if (ok)
		web_server_run_threads(&server, threads);
out:
	web_server_close(&server);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

/* Remove what an earlier run left at path, but nothing else than a socket. */
static bool
web_listen_clear(const char *path)
{
	struct stat was;

	if (lstat(path, &was) != 0)
		return errno == ENOENT;
	errno = EEXIST;
	return S_ISSOCK(was.st_mode) && unlink(path) == 0;
}

/* FCGX_OpenSocket would leave the process where this has an answer. */
static bool
web_listen(const char *path, int *out, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = -1;

	if (!str_copy(address.sun_path, sizeof(address.sun_path), path))
		return err_set(err, ERR_INPUT,
		    "socket path \"%s\": longer than %zu bytes", path,
		    sizeof(address.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !web_listen_clear(path)
	    || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0
	    || chmod(path, WEB_SOCKET_MODE) != 0
	    || listen(fd, WEB_BACKLOG) != 0) {
		err_set(err, ERR_INPUT, "socket \"%s\": %s", path,
		    strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	*out = fd;
	return true;
}

static bool
web_stdin_read(void *from, char *out, size_t len)
{
	size_t have = 0;
	ssize_t n = 1;

	(void)from;
	while (have < len && (n > 0 || (n < 0 && errno == EINTR))) {
		n = read(STDIN_FILENO, out + have, len - have);
		if (n > 0)
			have += (size_t)n;
	}
	return have == len;
}

static bool
web_stdout_write(const struct buf *bytes, struct err *err)
{
	const char *at = buf_get(bytes);
	size_t left = bytes->len;
	ssize_t n;

	while (left > 0) {
		n = write(STDOUT_FILENO, at, left);
		if (n < 0 && errno != EINTR)
			return err_set(err, ERR_BUG, "standard output: %s",
			    strerror(errno));
		if (n > 0) {
			at += n;
			left -= (size_t)n;
		}
	}
	return true;
}

static bool
web_serve_cgi(const struct web_app *app, char *const params[],
    struct err *err)
{
	static const struct web_source source = { web_stdin_read, NULL };
	struct web_reply reply;
	struct buf head;
	bool ok;

	signal(SIGPIPE, SIG_IGN);
	web_reply_init(&reply);
	buf_init(&head, WEB_HEAD_MAX);
	web_answer(app, params, &source, &reply, &head);
	ok = web_stdout_write(&head, err)
	    && web_stdout_write(&reply.body, err);
	buf_clear(&head);
	web_reply_clear(&reply);
	return ok;
}

bool
web_serve(const struct web_start *start, const struct web_app *app,
    int threads, struct err *err)
{
	const char *path = web_start_listen(start);
	int listener = STDIN_FILENO;
	bool ok;

	assert(threads >= 1 && threads <= WEB_THREADS_MAX);
	log_start(app->name);
	if (web_start_is_cgi(start))
		return web_serve_cgi(app, web_start_params(start), err);
	if (path != NULL && !web_listen(path, &listener, err))
		return false;
	ok = web_serve_socket(app, listener, threads, err);
	if (path != NULL)
		close(listener);
	return ok;
}
