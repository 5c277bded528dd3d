#include "wechat/wechat_http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>

#include "base/clock.h"
#include "base/str.h"
#include "wechat/wechat_peer.h"

#define HTTP_IDLE_MAX 16	/* handles kept; more threads than this at once
				 * only means more TLS handshakes in full */
#define AGENT "wxpay/" VERSION	/* V3 refuses who has no name [v3.md 2] */

struct wechat_http {
	struct wechat_http_config config;
	/* what is going on */
	pthread_mutex_t lock;
	CURL *idle[HTTP_IDLE_MAX];
	size_t idle_count;
};

bool
wechat_http_url_copy(char *out, size_t size, const char *name,
    const char *url, struct err *err)
{
	static const char scheme[] = "https://";
	const char *rest = url + sizeof(scheme) - 1;
	size_t len = strlen(url);

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0
	    || !str_is_of(rest, STR_ALNUM ".-_:/[]", 1, size)
	    || rest[0] == '/' || rest[0] == ':' || url[len - 1] == '/'
	    || !str_copy(out, size, url))
		return err_set(err, ERR_INPUT, "%s: not https://HOST[:PORT]"
		    "[/PATH] without a slash at its end", name);
	return true;
}

void
wechat_http_start(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	CURLcode code;

	/* With NOSIGNAL libcurl leaves SIGPIPE to us. */
	(void)sigaction(SIGPIPE, &ignore, NULL);
	/* libcurl would write the keys of every session into that file. */
	(void)unsetenv("SSLKEYLOGFILE");
	code = curl_global_init(CURL_GLOBAL_DEFAULT);
	if (code != CURLE_OK)
		abort();
}

bool
wechat_http_new(const struct wechat_http_config *config,
    struct wechat_http **out, struct err *err)
{
	struct wechat_http *http = calloc(1, sizeof(*http));

	if (http == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	http->config = *config;
	(void)pthread_mutex_init(&http->lock, NULL);
	*out = http;
	return true;
}

void
wechat_http_free(struct wechat_http *http)
{
	if (http == NULL)
		return;
	while (http->idle_count > 0)
		curl_easy_cleanup(http->idle[--http->idle_count]);
	(void)pthread_mutex_destroy(&http->lock);
	free(http);
}

static CURL *
http_take(struct wechat_http *http)
{
	CURL *curl = NULL;

	(void)pthread_mutex_lock(&http->lock);
	if (http->idle_count > 0)
		curl = http->idle[--http->idle_count];
	(void)pthread_mutex_unlock(&http->lock);
	return curl != NULL ? curl : curl_easy_init();
}

/* Keep the handle for its TLS sessions, unless it has just failed: then its
 * memory of names and sessions may be what was wrong. */
static void
http_give(struct wechat_http *http, CURL *curl, bool worked)
{
	if (curl != NULL && worked) {
		curl_easy_reset(curl);	/* forgets options, keeps sessions */
		(void)pthread_mutex_lock(&http->lock);
		if (http->idle_count < HTTP_IDLE_MAX) {
			http->idle[http->idle_count++] = curl;
			curl = NULL;
		}
		(void)pthread_mutex_unlock(&http->lock);
	}
	curl_easy_cleanup(curl);
}

static size_t
http_on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct buf *body = arg;

	buf_add(body, bytes, size * count);
	return buf_ok(body) ? size * count : 0;
}

struct head {
	size_t len;		/* so far */
	struct wechat_http_header *headers;
};

/* Without the white space around it.  A NUL, which HTTP forbids, ends it. */
static void
header_keep(struct wechat_http_header *header, const char *value, size_t len)
{
	header->count++;
	header->text[0] = '\0';
	while (len > 0 && strchr(" \t", value[0]) != NULL) {
		value++;
		len--;
	}
	while (len > 0 && strchr(" \t\r\n", value[len - 1]) != NULL)
		len--;
	if (len > WECHAT_HTTP_HEADER_MAX)
		return;
	memcpy(header->text, value, len);
	header->text[len] = '\0';
}

static void
header_read(struct wechat_http_header headers[static WECHAT_HTTP_NAMES],
    const char *line, size_t len)
{
	static const char *const names[WECHAT_HTTP_NAMES] = {
		[WECHAT_HTTP_TIMESTAMP] = "Wechatpay-Timestamp:",
		[WECHAT_HTTP_NONCE] = "Wechatpay-Nonce:",
		[WECHAT_HTTP_SIGNATURE] = "Wechatpay-Signature:",
		[WECHAT_HTTP_SERIAL] = "Wechatpay-Serial:",
		[WECHAT_HTTP_SIGNATURE_TYPE] = "Wechatpay-Signature-Type:",
		[WECHAT_HTTP_REQUEST_ID] = "Request-ID:",
	};

	for (size_t i = 0; i < WECHAT_HTTP_NAMES; i++) {
		size_t name_len = strlen(names[i]);

		if (len >= name_len
		    && strncasecmp(line, names[i], name_len) == 0)
			header_keep(&headers[i], line + name_len,
			    len - name_len);
	}
}

/* Counts the head, which libcurl 7.88 itself does not limit, and keeps what
 * counts of it.  Behind "100 Continue" comes another head. */
static size_t
http_on_head(char *bytes, size_t size, size_t count, void *arg)
{
	struct head *head = arg;
	size_t len = size * count;

	head->len += len;
	if (head->len > WECHAT_HTTP_MAX)
		return 0;
	if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
		memset(head->headers, 0,
		    WECHAT_HTTP_NAMES * sizeof(head->headers[0]));
	header_read(head->headers, bytes, len);
	return len;
}

/* Where to, and whom to believe.  No redirect, no proxy or .netrc of the
 * environment, no older TLS, and no HTTP/2, which has its own ways of sending
 * twice. */
static bool
http_set_peer(CURL *curl, const struct wechat_http *http, const char *url)
{
	const char *ca = http->config.ca;

	return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK
	    /* what is signed is what is sent, dots and all */
	    && curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https")
		== CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
		(long)CURL_HTTP_VERSION_1_1) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_NETRC,
		(long)CURL_NETRC_IGNORED) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_SSLVERSION,
		(long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK
	    /* A CA file of ours is meant instead of the system's, not
	     * beside it: libcurl has a directory built in as well. */
	    && (ca == NULL
		|| (curl_easy_setopt(curl, CURLOPT_CAINFO, ca) == CURLE_OK
		    && curl_easy_setopt(curl, CURLOPT_CAPATH, NULL)
			== CURLE_OK));
}

static bool
http_set_cert(CURL *curl, const struct wechat_http *http)
{
	struct curl_blob cert = {
		.data = (void *)secret_bytes(http->config.cert),
		.len = secret_len(http->config.cert),
		.flags = CURL_BLOB_NOCOPY,
	};
	struct curl_blob key = {
		.data = (void *)secret_bytes(http->config.key),
		.len = secret_len(http->config.key),
		.flags = CURL_BLOB_NOCOPY,
	};

	return curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &cert) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_SSLCERTTYPE, "PEM") == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &key) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_SSLKEYTYPE, "PEM") == CURLE_OK;
}

/* How long, how much, and on a connection of its own. */
static bool
http_set_limits(CURL *curl, long connect_ms, long total_ms)
{
	return curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, connect_ms)
		== CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, total_ms)
		== CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK
	    /* Else a time-out waits until the resolver's thread is done. */
	    && curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE,
		(curl_off_t)WECHAT_HTTP_MAX) == CURLE_OK;
}

/* A host that is where WeChat cannot be is not spoken to. */
static curl_socket_t
http_on_connect(void *arg, curlsocktype purpose, struct curl_sockaddr *peer)
{
	const struct wechat_http *http = arg;

	if (purpose != CURLSOCKTYPE_IPCXN
	    || (!http->config.may_be_private
	    && !wechat_peer_is_public(&peer->addr, peer->addrlen)))
		return CURL_SOCKET_BAD;
	return socket(peer->family, peer->socktype | SOCK_CLOEXEC,
	    peer->protocol);
}

static bool
http_set_connect(CURL *curl, struct wechat_http *http)
{
	return curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION,
		http_on_connect) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, http)
		== CURLE_OK;
}

static bool
http_set_method(CURL *curl, const struct wechat_http_request *request)
{
	if (str_eq(request->method, "GET"))
		return curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	return curl_easy_setopt(curl, CURLOPT_POST, 1L) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
		(curl_off_t)request->body_len) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body)
		== CURLE_OK;
}

/* The caller frees *out, whatever becomes of it.  No "100 Continue" is waited
 * for. */
static bool
http_list_headers(const char *const *headers, struct curl_slist **out)
{
	struct curl_slist *longer = curl_slist_append(NULL, "Expect:");

	*out = longer;
	for (; longer != NULL && *headers != NULL; headers++) {
		longer = curl_slist_append(*out, *headers);
		if (longer != NULL)
			*out = longer;
	}
	return longer != NULL;
}

static bool
http_set_message(CURL *curl, const struct wechat_http_request *request,
    struct curl_slist *headers, struct buf *body, struct head *head,
    char error[static CURL_ERROR_SIZE])
{
	return http_set_method(curl, request)
	    && curl_easy_setopt(curl, CURLOPT_USERAGENT, AGENT) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, http_on_head)
		== CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_HEADERDATA, head) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, http_on_body)
		== CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_WRITEDATA, body) == CURLE_OK
	    && curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error) == CURLE_OK;
}

/*
 * Whether a byte of the request may have left.  libcurl sets the time of
 * "appconnect" when name, connection and TLS are done, before it turns to the
 * request, and has no early data: a zero proves that nothing was written.
 * The size of the request, counted after it was written, is a second opinion.
 */
static bool
http_was_sent(CURL *curl)
{
	curl_off_t appconnect_us = 1;
	long request_size = 1;

	return curl_easy_getinfo(curl, CURLINFO_APPCONNECT_TIME_T,
		&appconnect_us) != CURLE_OK || appconnect_us != 0
	    || curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE,
		&request_size) != CURLE_OK || request_size != 0;
}

static const char *
http_code_name(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return "TIMEOUT";
	case CURLE_COULDNT_RESOLVE_HOST:
		return "NO_HOST";
	case CURLE_COULDNT_CONNECT:
		return "NO_CONNECTION";
	case CURLE_PEER_FAILED_VERIFICATION:
		return "BAD_CERT";
	case CURLE_SSL_CONNECT_ERROR:
		return "NO_TLS";
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return "OWN_CERT";
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
		return "CUT";
	case CURLE_WRITE_ERROR:
	case CURLE_FILESIZE_EXCEEDED:
		return "TOO_LONG";
	default:
		return "NETWORK";
	}
}

/* libcurl's own words, as far as they fit. */
static void
http_tell(struct wechat_http_reply *reply, CURLcode code, const char *error)
{
	(void)snprintf(reply->text, sizeof(reply->text), "%s",
	    error[0] != '\0' ? error : curl_easy_strerror(code));
}

void
wechat_http_send(struct wechat_http *http,
    const struct wechat_http_request *request,
    struct wechat_http_reply *reply)
{
	char error[CURL_ERROR_SIZE] = "";
	struct head head = { .headers = reply->headers };
	struct curl_slist *headers = NULL;
	CURL *curl = NULL;
	CURLcode code = CURLE_FAILED_INIT;
	int64_t left_ms;

	reply->sent = false;
	reply->code = "TIMEOUT";
	reply->status = 0;
	reply->text[0] = '\0';
	memset(reply->headers, 0, sizeof(reply->headers));
	buf_init(&reply->body, WECHAT_HTTP_MAX);
	left_ms = request->deadline_ms - clock_monotonic_ms();
	if (left_ms <= 0)	/* 0 would mean "for ever" to libcurl */
		return;

	curl = http_take(http);
	if (curl != NULL
	    && http_set_peer(curl, http, request->url)
	    && (!request->with_cert || http_set_cert(curl, http))
	    && http_set_limits(curl, request->connect_ms, (long)left_ms)
	    && http_set_connect(curl, http)
	    && http_list_headers(request->headers, &headers)
	    && http_set_message(curl, request, headers, &reply->body, &head,
		error)) {
		code = curl_easy_perform(curl);
		reply->sent = http_was_sent(curl);
	}
	if (code == CURLE_OK && curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE,
	    &reply->status) == CURLE_OK) {
		reply->code = "";
	} else {
		reply->code = http_code_name(code);
		http_tell(reply, code, error);
	}
	http_give(http, curl, code == CURLE_OK);
	curl_slist_free_all(headers);
}
