/* web_answer: each request finds its one handler, or the right refusal, and
 * says in the log neither query nor body. */
#include "web/web_answer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../unit.h"
#include "base/str.h"

/* What the handlers saw. */
struct seen {
	int calls;
	char text[600];
};

static bool
handle_seen(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	struct seen *seen = app;

	seen->calls++;
	snprintf(seen->text, sizeof(seen->text), "%s %s [%s] [%s]",
	    req->path, req->wild[0] == NULL ? "-" : req->wild[0],
	    req->wild[1] == NULL ? "-" : req->wild[1], req->body);
	return web_reply_text(reply, 200, "text/plain", seen->text, err);
}

static bool
handle_silent(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	(void)app;
	(void)req;
	(void)reply;
	(void)err;
	return true;
}

static bool
handle_reasonless(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	(void)app;
	(void)req;
	assert_true(web_reply_text(reply, 200, "text/plain", "fine", err));
	return false;
}

/* Half an answer, a cookie, and then a failure whose text is a secret. */
static bool
handle_failing(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	(void)app;
	memcpy(reply->cookie, "token=1", 8);
	return web_reply_text(reply, 201, "text/plain", "half", err)
	    && err_set(err, req->method == WEB_GET ? ERR_STORE : ERR_INPUT,
	    "db at 10.0.0.1 is down");
}

/* A header that cannot be sent. */
static bool
handle_splitting(void *app, struct web_request *req, struct web_reply *reply,
    struct err *err)
{
	(void)app;
	if (!web_reply_text(reply, 200, "text/plain", req->path, err))
		return false;
	memcpy(reply->location, "/\r\nX: y", 8);
	return true;
}

static const struct web_route routes[] = {
	{ WEB_GET, "/healthz", handle_seen, 0 },
	{ WEB_POST, "/pay", handle_seen, 20 },
	{ WEB_GET, "/pay/*", handle_seen, 0 },
	{ WEB_GET, "/pay/*/qr.svg", handle_seen, 0 },
	{ WEB_POST, "/pay/*/close", handle_seen, 20 },
	{ WEB_GET, "/merchant/refunds", handle_seen, 0 },
	{ WEB_POST, "/merchant/refunds", handle_seen, 20 },
	{ WEB_POST, "/merchant/refunds/*/approve", handle_seen, 20 },
	{ WEB_GET, "/two/*/and/*", handle_seen, 0 },
	{ WEB_GET, "/silent", handle_silent, 0 },
	{ WEB_GET, "/reasonless", handle_reasonless, 0 },
	{ WEB_GET, "/failing", handle_failing, 0 },
	{ WEB_POST, "/failing", handle_failing, 20 },
	{ WEB_GET, "/splitting", handle_splitting, 0 },
};

/* A body in memory that notices whether it is asked for. */
struct body {
	const char *bytes;
	bool asked;
};

static bool
body_read(void *from, char *out, size_t len)
{
	struct body *body = from;

	body->asked = true;
	if (len != strlen(body->bytes))
		return false;
	memcpy(out, body->bytes, len);
	return true;
}

struct exchange {
	struct web_app app;
	struct seen seen;
	struct body body;
	struct web_reply reply;
	struct buf head;
};

static void
exchange_init(struct exchange *x)
{
	*x = (struct exchange){
		.app = { .name = "test", .routes = routes,
		    .route_count = COUNT_OF(routes) },
	};
	x->app.app = &x->seen;
	web_reply_init(&x->reply);
	buf_init(&x->head, WEB_HEAD_MAX);
}

static void
exchange_clear(struct exchange *x)
{
	buf_clear(&x->head);
	web_reply_clear(&x->reply);
}

/* Answer "METHOD PATH" with body; length NULL announces the truth. */
static void
exchange_run(struct exchange *x, const char *method, const char *path,
    const char *length, const char *body)
{
	char lines[3][400];
	char query[] = "QUERY_STRING=token=sEcReT";
	char cookie[] = "HTTP_COOKIE=sEcReT", id[] = "REQUEST_ID=r-1";
	char *params[] = { lines[0], lines[1], lines[2], query, cookie, id,
		NULL };
	struct web_source source = { body_read, &x->body };

	x->body.bytes = body;
	snprintf(lines[0], sizeof(lines[0]), "REQUEST_METHOD=%s", method);
	snprintf(lines[1], sizeof(lines[1]), "PATH_INFO=%s", path);
	if (length == NULL)
		snprintf(lines[2], sizeof(lines[2]), "CONTENT_LENGTH=%zu",
		    strlen(body));
	else
		snprintf(lines[2], sizeof(lines[2]), "CONTENT_LENGTH=%s",
		    length);
	web_answer(&x->app, params, &source, &x->reply, &x->head);
}

static void
test_routes(void **state)
{
	static const struct {
		const char *method, *path;
		int status;
		const char *says;	/* the body, or the Allow of a 405 */
	} cases[] = {
		{ "GET", "/healthz", 200, "/healthz - [-] []" },
		{ "GET", "/pay/T-1001", 200, "/pay/T-1001 T-1001 [-] []" },
		{ "GET", "/pay/T-1001/qr.svg", 200,
		    "/pay/T-1001/qr.svg T-1001 [-] []" },
		{ "POST", "/pay/T-1001/close", 200,
		    "/pay/T-1001/close T-1001 [-] []" },
		{ "POST", "/merchant/refunds/R|1@~.-_*/approve", 200,
		    "/merchant/refunds/R|1@~.-_*/approve R|1@~.-_* [-] []" },
		{ "GET", "/two/a/and/b", 200, "/two/a/and/b a [b] []" },
		{ "GET", "/pay/*", 200, "/pay/* * [-] []" },
		/* E7 */
		{ "GET", "/pay", 405, "Allow: POST\r\n" },
		{ "POST", "/pay/T-1001", 405, "Allow: GET\r\n" },
		{ "PUT", "/merchant/refunds", 405, "Allow: GET, POST\r\n" },
		{ "HEAD", "/healthz", 405, "Allow: GET\r\n" },
		{ "GET", "/pay/T-1001/close", 405, "Allow: POST\r\n" },
		{ "TRACE", "/pay/T-1001/close", 405, "Allow: POST\r\n" },
		{ "", "/pay", 405, "Allow: POST\r\n" },
		/* E8 */
		{ "GET", "", 404, "" },
		{ "GET", "/", 404, "" },
		{ "GET", "/x", 404, "" },
		{ "OPTIONS", "/x", 404, "" },
		{ "GET", "*", 404, "" },
		{ "GET", "healthz", 404, "" },
		{ "GET", "//healthz", 404, "" },
		{ "GET", "/healthz/", 404, "" },
		{ "GET", "/Healthz", 404, "" },
		{ "GET", "/healthz.", 404, "" },
		{ "GET", "/healthz/x", 404, "" },
		{ "GET", "/pay/", 404, "" },
		{ "GET", "/pay//qr.svg", 404, "" },
		{ "GET", "/pay/T-1001/", 404, "" },
		{ "GET", "/pay/T-1001/qr", 404, "" },
		{ "GET", "/pay/T-1001/qr.svgx", 404, "" },
		{ "GET", "/pay/T-1001/x/qr.svg", 404, "" },
		{ "GET", "/pay/.", 404, "" },
		{ "GET", "/pay/..", 404, "" },
		{ "GET", "/pay/../healthz", 404, "" },
		{ "GET", "/pay/%2e%2e", 404, "" },
		{ "GET", "/pay/T-1001;x", 404, "" },
		{ "GET", "/pay/a b", 404, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct exchange x;
		const char *where;

		exchange_init(&x);
		exchange_run(&x, cases[i].method, cases[i].path, NULL, "");
		where = cases[i].status == 405 ? buf_get(&x.head)
		    : buf_get(&x.reply.body);
		expect(x.reply.status == cases[i].status
		    && strstr(where, cases[i].says) != NULL,
		    "%s %s: %d %s", cases[i].method, cases[i].path,
		    x.reply.status, where);
		expect(x.seen.calls == (cases[i].status == 200), "%s",
		    cases[i].path);
		expect(cases[i].status == 200 || !x.body.asked, "%s",
		    cases[i].path);
		expect(strstr(buf_get(&x.head), "X-Request-Id: r-1\r\n")
		    != NULL, "%s", buf_get(&x.head));
		exchange_clear(&x);
	}
	print_message("    routes: %zu\n", COUNT_OF(cases));
}

/* E9: the body is bounded before it is read. */
static void
test_body(void **state)
{
	static const struct {
		const char *length, *body;
		int status;
		bool asked;
	} cases[] = {
		{ NULL, "", 200, true },
		{ "", "", 200, true },
		{ NULL, "12345678901234567890", 200, true },
		{ NULL, "123456789012345678901", 413, false },
		{ "2147483648", "x", 413, false },
		{ "99999999999999999999999", "x", 413, false },
		{ "2", "x", 400, true },
		{ "1", "xy", 400, true },
		{ "-1", "x", 400, false },
		{ "1x", "x", 400, false },
		{ "+1", "x", 400, false },
		{ " 1", "x", 400, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct exchange x;

		exchange_init(&x);
		exchange_run(&x, "POST", "/pay", cases[i].length,
		    cases[i].body);
		expect(x.reply.status == cases[i].status
		    && x.body.asked == cases[i].asked, "%s: %d",
		    cases[i].length == NULL ? cases[i].body : cases[i].length,
		    x.reply.status);
		expect(x.seen.calls == (cases[i].status == 200), "%zu", i);
		exchange_clear(&x);
	}
}

static void
test_handler_failures(void **state)
{
	static const struct {
		const char *method, *path;
		int status;
		const char *body;
	} cases[] = {
		{ "GET", "/silent", 500, "SYSTEM_ERROR" },
		{ "GET", "/reasonless", 500, "SYSTEM_ERROR" },
		{ "GET", "/failing", 503, "UNAVAILABLE" },
		{ "POST", "/failing", 400, "db at 10.0.0.1 is down" },
		{ "GET", "/splitting", 500, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct exchange x;
		const char *head, *body;

		exchange_init(&x);
		exchange_run(&x, cases[i].method, cases[i].path, NULL, "");
		head = buf_get(&x.head);
		body = buf_get(&x.reply.body);
		expect(x.reply.status == cases[i].status
		    && strstr(body, cases[i].body) != NULL, "%s: %d %s",
		    cases[i].path, x.reply.status, body);
		expect(strstr(body, "half") == NULL
		    && strstr(body, "fine") == NULL
		    && strstr(head, "Set-Cookie") == NULL
		    && strstr(head, "X: y") == NULL, "%s: %s%s",
		    cases[i].path, head, body);
		expect(cases[i].status != 503
		    || strstr(body, "10.0.0.1") == NULL, "%s", body);
		exchange_clear(&x);
	}
}

/* As notify does: failures are words of another protocol. */
static void
failure_of_app(void *app, const struct web_request *req,
    struct web_reply *reply, const struct err *err)
{
	struct seen *seen = app;
	struct err ignored = { 0 };

	(void)req;
	seen->calls++;
	snprintf(seen->text, sizeof(seen->text), "%d %s", reply->status,
	    err_kind_name(err->kind));
	assert_true(web_reply_text(reply, 200, "text/xml", "FAIL",
	    &ignored));
}

static void
failure_silent(void *app, const struct web_request *req,
    struct web_reply *reply, const struct err *err)
{
	(void)app;
	(void)req;
	(void)reply;
	(void)err;
}

static void
test_app_failure(void **state)
{
	static const struct {
		const char *method, *path, *length;
		int status;
		enum err_kind kind;
	} cases[] = {
		{ "GET", "/x", "0", 404, ERR_NONE },
		{ "GET", "/pay", "0", 405, ERR_NONE },
		{ "POST", "/pay", "21", 413, ERR_NONE },
		{ "POST", "/pay", "2", 0, ERR_INPUT },
		{ "GET", "/silent", "0", 0, ERR_BUG },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct exchange x;
		char seen[40];

		exchange_init(&x);
		x.app.failure = failure_of_app;
		exchange_run(&x, cases[i].method, cases[i].path,
		    cases[i].length, "");
		snprintf(seen, sizeof(seen), "%d %s", cases[i].status,
		    err_kind_name(cases[i].kind));
		expect(x.seen.calls == 1 && str_eq(x.seen.text, seen),
		    "%s: \"%s\"", cases[i].path, x.seen.text);
		assert_string_equal(buf_get(&x.reply.body), "FAIL");
		exchange_clear(&x);
	}
	struct exchange x;
	exchange_init(&x);
	x.app.failure = failure_silent;
	exchange_run(&x, "GET", "/silent", NULL, "");
	assert_int_equal(x.reply.status, 500);
	assert_non_null(strstr(buf_get(&x.head), "Status: 500 "));
	exchange_clear(&x);
}

/* Parameters that cannot be read are answered, too. */
static void
test_bad_params(void **state)
{
	char method[] = "REQUEST_METHOD=GET", path[] = "PATH_INFO=/healthz";
	char query[] = "QUERY_STRING=a=1&a=2", id[] = "REQUEST_ID=r-1";
	char *params[] = { method, path, query, id, NULL };
	struct web_source source = { body_read, NULL };
	struct exchange x;

	(void)state;
	exchange_init(&x);
	web_answer(&x.app, params, &source, &x.reply, &x.head);
	assert_int_equal(x.reply.status, 400);
	assert_int_equal(x.seen.calls, 0);
	assert_non_null(strstr(buf_get(&x.head), "X-Request-Id: r-1\r\n"));
	exchange_clear(&x);
}

/* Run with standard error in a file, and read what was logged. */
static void
log_of(const char *method, const char *path, const char *body, char *out,
    size_t size)
{
	char name[] = "/tmp/test_web_answer.XXXXXX";
	int file = mkstemp(name);
	int before = dup(STDERR_FILENO);
	struct exchange x;
	ssize_t len;

	assert_true(file >= 0 && before >= 0);
	unlink(name);
	assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
	exchange_init(&x);
	exchange_run(&x, method, path, NULL, body);
	exchange_clear(&x);
	assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
	close(before);
	len = pread(file, out, size - 1, 0);
	assert_true(len >= 0);
	out[len] = '\0';
	close(file);
}

static void
test_log(void **state)
{
	static const struct {
		const char *method, *path, *body;
		const char *says[5];
	} cases[] = {
		{ "POST", "/pay", "sEcReT", { "\"level\":\"info\"",
		    "\"request.answered\"", "\"method\":\"POST\"",
		    "\"path\":\"/pay\"", "\"status\":\"200\"" } },
		{ "GET", "/failing", "", { "\"level\":\"warn\"",
		    "\"request.failed\"", "\"kind\":\"ERR_STORE\"",
		    "\"reason\":\"db at 10.0.0.1 is down\"",
		    "\"status\":\"503\"" } },
		{ "POST", "/failing", "sEcReT", { "\"level\":\"info\"",
		    "\"request.refused\"", "\"kind\":\"ERR_INPUT\"",
		    "\"status\":\"400\"", "\"req\":\"r-1\"" } },
		{ "GET", "/silent", "", { "\"level\":\"error\"",
		    "\"request.failed\"", "\"kind\":\"ERR_BUG\"",
		    "\"status\":\"500\"", "\"req\":\"r-1\"" } },
		{ "EVIL\"\n", "/nowhere", "", { "\"level\":\"info\"",
		    "\"request.answered\"", "\"method\":\"other\"",
		    "\"status\":\"404\"", "\"path\":\"/nowhere\"" } },
		{ "GET", "/no\nwhere", "", { "\"level\":\"info\"",
		    "\"path\":\"\"", "\"status\":\"404\"", "\"ms\":\"",
		    "\"method\":\"GET\"" } },
	};
	char text[4096];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		log_of(cases[i].method, cases[i].path, cases[i].body,
		    text, sizeof(text));
		for (size_t s = 0; s < COUNT_OF(cases[i].says); s++)
			expect(strstr(text, cases[i].says[s]) != NULL,
			    "%s is not in %s", cases[i].says[s], text);
		expect(strstr(text, "sEcReT") == NULL, "%s", text);
		expect(strchr(text, '\n') == text + strlen(text) - 1,
		    "more than one line: %s", text);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_body),
		cmocka_unit_test(test_handler_failures),
		cmocka_unit_test(test_app_failure),
		cmocka_unit_test(test_bad_params),
		cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests_name("web_answer", tests, NULL, NULL);
}
