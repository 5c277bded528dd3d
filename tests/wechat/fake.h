/*
 * fake: somebody at the other end of the line, on a port of this machine.
 *
 * Knows every way in which a TLS server can disappoint.  Hides OpenSSL and
 * the thread.  Owns a count of all that reached it: connections, and bytes of
 * requests that it could decrypt.
 */
#ifndef TESTS_WECHAT_FAKE_H
#define TESTS_WECHAT_FAKE_H

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/str.h"
#include "wire/fields.h"
#include "wire/sign2.h"
#include "wire/xmlmsg.h"

#include "../certs.h"
#include "../unit.h"

/* libcurl has brought libssl along, and wxpay itself links it nowhere, so it
 * is looked up instead of linked. */
#define TLS_FUNCTIONS(each) \
	each(TLS_server_method) each(SSL_CTX_new) each(SSL_CTX_free) \
	each(SSL_CTX_ctrl) each(SSL_CTX_set_cipher_list) \
	each(SSL_CTX_use_certificate) each(SSL_CTX_use_PrivateKey) \
	each(SSL_CTX_set_verify) each(SSL_CTX_get_cert_store) \
	each(SSL_CTX_set_session_id_context) \
	each(SSL_new) each(SSL_free) each(SSL_set_fd) each(SSL_accept) \
	each(SSL_read) each(SSL_write) each(SSL_shutdown) \
	each(SSL_session_reused) each(SSL_get1_peer_certificate) \
	each(SSL_version)

static struct {
#define TLS_FIELD(function) __typeof__(&function) function;
	TLS_FUNCTIONS(TLS_FIELD)
#undef TLS_FIELD
} tls;

static inline void
tls_load(void)
{
#define TLS_LOAD(function) \
	*(void **)&tls.function = dlsym(RTLD_DEFAULT, #function); \
	assert_non_null(tls.function);
	TLS_FUNCTIONS(TLS_LOAD)
#undef TLS_LOAD
}

enum fake_way {
	FAKE_ANSWERS,		/* as WeChat would */
	FAKE_ANSWERS_BYTEWISE,	/* the same in single bytes */
	FAKE_ANSWERS_UNSIGNED,	/* the same without its sign (O3) */
	FAKE_ANSWERS_OTHER,	/* about another number, well signed (O8) */
	/* before the request can have left */
	FAKE_HANGS_UP,		/* accepts and closes */
	FAKE_SAYS_NOTHING,	/* accepts, and no handshake comes */
	FAKE_SPEAKS_PLAIN,	/* HTTP without TLS */
	FAKE_SPEAKS_GARBAGE,
	/* after that */
	FAKE_LEAVES,		/* handshake, and closes without reading */
	FAKE_HANGS,		/* reads it all, and is silent */
	FAKE_READS_AND_LEAVES,
	FAKE_READS_AND_RESETS,
	FAKE_CUTS,		/* says 10000 bytes, sends some */
	FAKE_CUTS_CHUNK,
	FAKE_DRIPS,		/* a byte now and then, without end */
	FAKE_SAYS_RAW,		/* .raw, whatever it is */
	FAKE_FLOODS,		/* a body without end */
	FAKE_FLOODS_HEAD,	/* headers without end */
	FAKE_FLOODS_CHUNKS,
};

struct fake_config {
	enum fake_way way;
	const struct cert *cert;
	const struct cert *client_ca;	/* NULL: no client certificate */
	int tls_version;		/* 0: any from 1.2 */
	const char *raw;		/* FAKE_SAYS_RAW */
	const struct secret *api_key;
	enum sign2_type sign_type;
};

struct fake {
	struct fake_config config;
	SSL_CTX *ctx;
	int listener;
	int stop[2];		/* a byte in here ends it */
	int port;
	pthread_t thread;
	/* what reached it */
	atomic_size_t connections, requests, bytes, resumed, certs;
	atomic_int version;
	char last[16384];	/* head and body; read after fake_close */
};

/* ------------------------------------------------------------- one exchange */

/* Wait for fd, but not when the fake is to stop. */
static inline bool
fake_wait(const struct fake *fake, int fd)
{
	struct pollfd fds[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = fake->stop[0], .events = POLLIN },
	};
	int got;

	do
		got = poll(fds, 2, -1);
	while (got < 0);
	return fds[1].revents == 0;
}

/* Until the other side closes, or the fake is to stop. */
static inline void
fake_linger(const struct fake *fake, int fd)
{
	char bytes[4096];

	while (fake_wait(fake, fd) && recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

/* 0 if there is no such header. */
static inline size_t
fake_body_len(const char *head)
{
	static const char name[] = "\r\nContent-Length: ";
	const char *at = strcasestr(head, name);

	return at == NULL ? 0 : strtoul(at + sizeof(name) - 1, NULL, 10);
}

/* True if a whole request has come. */
static inline bool
fake_read(struct fake *fake, SSL *ssl)
{
	size_t len = 0, want = SIZE_MAX;
	int got = 1;

	while (got > 0 && len < want && len < sizeof(fake->last) - 1) {
		char *end;

		got = tls.SSL_read(ssl, fake->last + len,
		    (int)(sizeof(fake->last) - 1 - len));
		if (got <= 0)
			break;
		len += (size_t)got;
		atomic_fetch_add(&fake->bytes, (size_t)got);
		fake->last[len] = '\0';
		end = strstr(fake->last, "\r\n\r\n");
		if (end != NULL)
			want = (size_t)(end + 4 - fake->last)
			    + fake_body_len(fake->last);
	}
	if (len < want)
		return false;
	atomic_fetch_add(&fake->requests, 1);
	return true;
}

static inline bool
fake_send(SSL *ssl, const char *bytes, size_t len)
{
	return tls.SSL_write(ssl, bytes, (int)len) > 0;
}

static inline void
fake_say(SSL *ssl, const char *text)
{
	(void)fake_send(ssl, text, strlen(text));
}

static inline void
fake_echo(struct fields *answer, const struct fields *request,
    const char *name, const char *as, bool is_other)
{
	const char *value = fields_text(request, name);
	struct err err = { 0 };

	if (value[0] != '\0')
		assert(fields_add(answer, as, is_other ? "other" : value,
		    &err));
}

/* What WeChat would say to this request, as far as the tests ask. */
static inline void
fake_compose(const struct fake *fake, struct buf *out)
{
	static const struct {
		const char *name, *value;
	} always[] = {
		{ "return_code", "SUCCESS" }, { "result_code", "SUCCESS" },
		{ "nonce_str", "x" }, { "trade_state", "NOTPAY" },
		{ "refund_id", "5000" }, { "prepay_id", "wx1" },
		{ "code_url", "weixin://x" }, { "refund_status_0", "CHANGE" },
		{ "refund_fee_0", "1" }, { "refund_id_0", "5000" },
	};
	bool is_other = fake->config.way == FAKE_ANSWERS_OTHER;
	struct fields request = { 0 }, answer = { 0 };
	struct err err = { 0 };
	const char *body = strstr(fake->last, "\r\n\r\n") + 4;
	char sign[SIGN2_SIZE];

	assert(xmlmsg_parse(body, strlen(body), "xml", &request, &err));
	assert(sign2_verify(&request, fake->config.sign_type,
	    fake->config.api_key, &err));
	for (size_t i = 0; i < COUNT_OF(always); i++)
		assert(fields_add(&answer, always[i].name, always[i].value,
		    &err));
	fake_echo(&answer, &request, "appid", "appid", false);
	fake_echo(&answer, &request, "mch_id", "mch_id", false);
	fake_echo(&answer, &request, "trade_type", "trade_type", is_other);
	fake_echo(&answer, &request, "out_trade_no", "out_trade_no",
	    is_other);
	fake_echo(&answer, &request, "out_refund_no", "out_refund_no",
	    is_other);
	fake_echo(&answer, &request, "out_refund_no", "out_refund_no_0",
	    is_other);
	fake_echo(&answer, &request, "total_fee", "total_fee", false);
	fake_echo(&answer, &request, "refund_fee", "refund_fee", false);
	if (fake->config.way != FAKE_ANSWERS_UNSIGNED) {
		assert(sign2_sign(&answer, fake->config.sign_type,
		    fake->config.api_key, sign, &err));
		assert(fields_add(&answer, "sign", sign, &err));
	}
	xmlmsg_format(&answer, out);
	assert(buf_ok(out));
	fields_clear(&answer);
	fields_clear(&request);
}

static inline void
fake_answer(const struct fake *fake, SSL *ssl)
{
	size_t step = fake->config.way == FAKE_ANSWERS_BYTEWISE ? 1 : 16384;
	struct buf body, whole;

	buf_init(&body, XMLMSG_MAX);
	buf_init(&whole, 2 * XMLMSG_MAX);
	fake_compose(fake, &body);
	buf_format(&whole, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
	    "Connection: keep-alive\r\n\r\n", body.len);
	buf_add(&whole, body.data, body.len);
	for (size_t at = 0; at < whole.len; at += step)
		(void)fake_send(ssl, whole.data + at, whole.len - at < step
		    ? whole.len - at : step);
	buf_clear(&whole);
	buf_clear(&body);
}

static inline void
fake_flood(SSL *ssl, const char *start, const char *again)
{
	fake_say(ssl, start);
	while (fake_send(ssl, again, strlen(again)))
		;
}

static inline void
fake_drip(const struct fake *fake, SSL *ssl)
{
	struct pollfd stop = { .fd = fake->stop[0], .events = POLLIN };

	fake_say(ssl, "HTTP/1.1 200 OK\r\n\r\n<xml>");
	while (fake_send(ssl, "x", 1) && poll(&stop, 1, 10) == 0)
		;
}

static inline void
fake_respond(struct fake *fake, SSL *ssl, int fd)
{
	static const struct linger at_once = { .l_onoff = 1 };

	switch (fake->config.way) {
	case FAKE_HANGS:
		fake_linger(fake, fd);
		break;
	case FAKE_READS_AND_RESETS:
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once,
		    sizeof(at_once));
		break;
	case FAKE_CUTS:
		fake_say(ssl, "HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n"
		    "\r\n<xml><return_code>SUCCESS</return_code>");
		break;
	case FAKE_CUTS_CHUNK:
		fake_say(ssl, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
		    "\r\n\r\n5\r\n<xml>\r\n4");
		break;
	case FAKE_DRIPS:
		fake_drip(fake, ssl);
		break;
	case FAKE_SAYS_RAW:
		fake_say(ssl, fake->config.raw);
		(void)tls.SSL_shutdown(ssl);
		break;
	case FAKE_FLOODS:
		fake_flood(ssl, "HTTP/1.1 200 OK\r\n\r\n<xml>",
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
		break;
	case FAKE_FLOODS_HEAD:
		fake_flood(ssl, "HTTP/1.1 200 OK\r\n", "X-Y: zzzzzzzzzzzzzz"
		    "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\r\n");
		break;
	case FAKE_FLOODS_CHUNKS:
		fake_flood(ssl, "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
		    "chunked\r\n\r\n", "8\r\n01234567\r\n");
		break;
	case FAKE_READS_AND_LEAVES:
		break;
	default:
		/* keeps the connection until we close it, as nginx does;
		 * without SSL_shutdown OpenSSL spoils the session */
		fake_answer(fake, ssl);
		fake_linger(fake, fd);
		(void)tls.SSL_shutdown(ssl);
	}
}

static inline void
fake_talk(struct fake *fake, int fd)
{
	SSL *ssl = tls.SSL_new(fake->ctx);
	X509 *peer;

	assert(ssl != NULL && tls.SSL_set_fd(ssl, fd) == 1);
	if (tls.SSL_accept(ssl) == 1) {
		atomic_store(&fake->version, tls.SSL_version(ssl));
		peer = tls.SSL_get1_peer_certificate(ssl);
		atomic_fetch_add(&fake->certs, peer != NULL);
		X509_free(peer);
		atomic_fetch_add(&fake->resumed,
		    (size_t)tls.SSL_session_reused(ssl));
		if (fake->config.way != FAKE_LEAVES && fake_read(fake, ssl))
			fake_respond(fake, ssl, fd);
	}
	tls.SSL_free(ssl);
}

static inline void
fake_serve(struct fake *fake, int fd)
{
	static const char plain[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	static const char garbage[] = "\x16\x03\x03\xff\xff garbage";

	switch (fake->config.way) {
	case FAKE_HANGS_UP:
		break;
	case FAKE_SAYS_NOTHING:
		fake_linger(fake, fd);
		break;
	case FAKE_SPEAKS_PLAIN:
		(void)send(fd, plain, sizeof(plain) - 1, MSG_NOSIGNAL);
		fake_linger(fake, fd);
		break;
	case FAKE_SPEAKS_GARBAGE:
		(void)send(fd, garbage, sizeof(garbage) - 1, MSG_NOSIGNAL);
		fake_linger(fake, fd);
		break;
	default:
		fake_talk(fake, fd);
	}
}

static inline void *
fake_run(void *arg)
{
	struct fake *fake = arg;

	while (fake_wait(fake, fake->listener)) {
		int fd = accept(fake->listener, NULL, NULL);
		int yes = 1;

		if (fd < 0)
			continue;
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes,
		    sizeof(yes));
		atomic_fetch_add(&fake->connections, 1);
		fake_serve(fake, fd);
		(void)close(fd);
	}
	return NULL;
}

/* ----------------------------------------------------------- open and close */

/* A socket that listens on a free port, which is written to *port. */
static inline int
fake_listen(int *port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0
	    && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0
	    && listen(fd, 64) == 0
	    && getsockname(fd, (struct sockaddr *)&at, &len) == 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static inline SSL_CTX *
fake_ctx(const struct fake_config *config)
{
	SSL_CTX *ctx = tls.SSL_CTX_new(tls.TLS_server_method());
	int version = config->tls_version;

	assert_true(ctx != NULL
	    && tls.SSL_CTX_use_certificate(ctx, config->cert->x509) == 1
	    && tls.SSL_CTX_use_PrivateKey(ctx, config->cert->key) == 1
	    && tls.SSL_CTX_set_session_id_context(ctx,
		(const unsigned char *)"fake", 4) == 1);
	if (version != 0) {
		/* OpenSSL 3 has TLS 1.1 at level 0 only */
		assert_true(tls.SSL_CTX_set_cipher_list(ctx,
		    "ALL:@SECLEVEL=0") == 1);
		(void)tls.SSL_CTX_ctrl(ctx, SSL_CTRL_SET_MIN_PROTO_VERSION,
		    version, NULL);
		(void)tls.SSL_CTX_ctrl(ctx, SSL_CTRL_SET_MAX_PROTO_VERSION,
		    version, NULL);
	}
	if (config->client_ca != NULL) {
		assert_true(X509_STORE_add_cert(tls.SSL_CTX_get_cert_store(
		    ctx), config->client_ca->x509) == 1);
		tls.SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER
		    | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	return ctx;
}

static inline struct fake *
fake_open(const struct fake_config *config)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	assert_non_null(fake);
	fake->config = *config;
	fake->ctx = fake_ctx(config);
	fake->listener = fake_listen(&fake->port);
	assert_int_equal(pipe(fake->stop), 0);
	assert_int_equal(pthread_create(&fake->thread, NULL, fake_run, fake),
	    0);
	return fake;
}

/* End it.  Its counts may be read until fake_free. */
static inline void
fake_close(struct fake *fake)
{
	assert_int_equal(write(fake->stop[1], "x", 1), 1);
	assert_int_equal(pthread_join(fake->thread, NULL), 0);
	(void)close(fake->listener);
	(void)close(fake->stop[0]);
	(void)close(fake->stop[1]);
	tls.SSL_CTX_free(fake->ctx);
}

static inline void
fake_free(struct fake *fake)
{
	free(fake);
}

#endif
