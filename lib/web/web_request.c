#include "web/web_request.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "wire/form.h"
#include "wire/mac.h"

/* Bytes of the paths of all our routes and of what "*" stands for in them. */
#define WEB_PATH_SET STR_ALNUM "_.~|*@-/"

/* One of these that comes twice means that the server is set up wrongly, or
 * that somebody hopes that two readers choose differently. */
static const char *const web_request_once[] = {
	"CONTENT_LENGTH", "CONTENT_TYPE", "PATH_INFO", "QUERY_STRING",
	"REMOTE_ADDR", "REMOTE_USER", "REQUEST_ID", "REQUEST_METHOD",
	"HTTP_ORIGIN", "HTTP_X_CSRF_TOKEN", NULL,
};

static bool
web_request_must_be_once(const char *name)
{
	const char *const *once;

	for (once = web_request_once; *once != NULL; once++)
		if (str_eq(*once, name))
			return true;
	return false;
}

/* Browsers and other programs of the shop write headers in Latin-1, too. */
static bool
web_request_add_header(struct web_request *req, const char *name,
    const char *value, struct err *err)
{
	char *ascii = strdup(value);
	char *at;
	bool ok;

	if (ascii == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	for (at = ascii; *at != '\0'; at++)
		if ((*at & 0x80) != 0)
			*at = '?';
	ok = fields_add(&req->params, name, ascii, err);
	explicit_bzero(ascii, strlen(ascii));
	free(ascii);
	return ok;
}

static bool
web_request_add_param(struct web_request *req, const char *name,
    const char *value, struct err *err)
{
	const char *first = fields_get(&req->params, name);
	size_t len = strlen(value);

	if (first != NULL && web_request_must_be_once(name))
		return err_set(err, ERR_INPUT, "%s came twice", name);
	if (first != NULL)
		return fields_get(&req->doubled, name) != NULL
		    || fields_add(&req->doubled, name, first, err);
	if (strncmp(name, "HTTP_", 5) == 0 && !str_is_utf8(value, len))
		return web_request_add_header(req, name, value, err);
	return fields_add_bytes(&req->params, name, strlen(name), value, len,
	    err);
}

/* Cut "NAME=value" in two and add it. */
static bool
web_request_split_param(struct web_request *req, const char *entry,
    struct err *err)
{
	const char *equals = strchr(entry, '=');
	char *name;
	bool ok;

	if (equals == NULL || equals == entry)
		return err_set(err, ERR_INPUT, "a parameter without a name");
	name = strndup(entry, (size_t)(equals - entry));
	if (name == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	ok = web_request_add_param(req, name, equals + 1, err);
	free(name);
	return ok;
}

static bool
web_request_read_params(struct web_request *req, char *const params[],
    struct err *err)
{
	size_t bytes = 0;
	bool ok = true;

	for (; ok && *params != NULL; params++) {
		bytes += strlen(*params);
		if (bytes > WEB_PARAMS_MAX)
			return err_set(err, ERR_INPUT, "parameters too long");
		ok = web_request_split_param(req, *params, err);
	}
	return ok;
}

static enum web_method
web_request_method(const char *text)
{
	return str_eq(text, "GET") ? WEB_GET
	    : str_eq(text, "POST") ? WEB_POST
	    : WEB_OTHER;
}

/* One that nginx sent is kept if it can stand in a header and in the log;
 * without one we make it, so that the log's lines can be told apart. */
static bool
web_request_identify(struct web_request *req, struct err *err)
{
	char nonce[NONCE_SIZE];

	if (fields_get(&req->params, "REQUEST_ID") == NULL
	    && (!nonce_new(nonce, err)
	    || !fields_add(&req->params, "REQUEST_ID", nonce, err)))
		return false;
	if (str_is_of(fields_text(&req->params, "REQUEST_ID"),
	    STR_ALNUM "-", 1, WEB_REQUEST_ID_MAX))
		req->request_id = fields_text(&req->params, "REQUEST_ID");
	return true;
}

static void
web_request_point(struct web_request *req)
{
	const struct fields *params = &req->params;
	const char *path = fields_text(params, "PATH_INFO");

	req->method = web_request_method(fields_text(params,
	    "REQUEST_METHOD"));
	if (!str_is_of(path, WEB_PATH_SET, 1, WEB_PATH_MAX)
	    || !str_copy(req->path, sizeof(req->path), path))
		req->path[0] = '\0';
	req->content_type = fields_text(params, "CONTENT_TYPE");
	req->client_ip = fields_text(params, "REMOTE_ADDR");
	req->remote_user = fields_text(params, "REMOTE_USER");
	req->request_id = "";
	req->origin = fields_text(params, "HTTP_ORIGIN");
	req->accept = fields_text(params, "HTTP_ACCEPT");
	req->accept_language = fields_text(params, "HTTP_ACCEPT_LANGUAGE");
	req->user_agent = fields_text(params, "HTTP_USER_AGENT");
	req->cookie = fields_text(params, "HTTP_COOKIE");
	req->csrf_token = fields_text(params, "HTTP_X_CSRF_TOKEN");
}

bool
web_request_read(struct web_request *req, char *const params[],
    struct err *err)
{
	const char *query;
	bool ok;

	*req = (struct web_request){ .method = WEB_OTHER };
	req->now = clock_now();
	req->began_ms = clock_monotonic_ms();
	ok = web_request_read_params(req, params, err);
	web_request_point(req);		/* so far as it was read, to log it */
	if (!web_request_identify(req, err) || !ok)
		return false;
	query = fields_text(&req->params, "QUERY_STRING");
	return form_parse(query, strlen(query), &req->query, err)
	    || err_in(err, "query");
}

bool
web_request_length(const struct web_request *req, size_t *len,
    struct err *err)
{
	const char *text = fields_text(&req->params, "CONTENT_LENGTH");
	long value = 0;

	if (text[strspn(text, STR_DIGITS)] != '\0')
		return err_set(err, ERR_INPUT, "content length: no number");
	while (text[0] == '0')
		text++;
	if (text[0] == '\0')
		*len = 0;
	else
		*len = str_to_long(text, INT32_MAX, &value) ? (size_t)value
		    : SIZE_MAX;
	return true;
}

/* "application/x-www-form-urlencoded", and no charset but UTF-8. */
static bool
web_request_has_form_type(const struct web_request *req)
{
	static const char form[] = "application/x-www-form-urlencoded";
	const char *at = req->content_type;

	if (strncasecmp(at, form, sizeof(form) - 1) != 0)
		return false;
	at += sizeof(form) - 1;
	at += strspn(at, " \t");
	if (*at == '\0')
		return true;
	if (*at != ';')
		return false;
	at++;
	at += strspn(at, " \t");
	return strcasecmp(at, "charset=utf-8") == 0
	    || strcasecmp(at, "charset=\"utf-8\"") == 0;
}

/* A form has its fields in one place; two readers might choose two. */
static bool
web_request_query_is_empty(const struct web_request *req, struct err *err)
{
	const char *name;

	if (req->query.count == 0)
		return true;
	name = req->query.list[0].name;
	return fields_get(&req->form, name) != NULL
	    ? err_set(err, ERR_INPUT, "\"%.64s\" stands in query and body",
	    name)
	    : err_set(err, ERR_INPUT, "\"%.64s\" is not a field of the query",
	    name);
}

bool
web_request_form(struct web_request *req, const char *const known[],
    struct err *err)
{
	fields_clear(&req->form);
	if (req->body_len == 0 && req->content_type[0] == '\0')
		return web_request_query_is_empty(req, err);
	if (!web_request_has_form_type(req))
		return err_set(err, ERR_INPUT,
		    "content type: not application/x-www-form-urlencoded");
	return form_parse(req->body, req->body_len, &req->form, err)
	    && fields_only(&req->form, known, err)
	    && web_request_query_is_empty(req, err);
}

bool
web_request_query(struct web_request *req, const char *const known[],
    struct err *err)
{
	return fields_only(&req->query, known, err);
}

/*
 * One element of Accept or Accept-Language: "text/html;level=1;q=0.8".  The
 * weight is in thousandths; 0, that is "not this", if it is malformed.
 */
struct preference {
	const char *name;
	size_t name_len;
	int weight;
};

/* "0.8" is 800; at most three decimals. [RFC 9110, 12.4.2] */
static int
preference_weight(const char *text, size_t len)
{
	static const int decimals[] = { 1000, 100, 10, 1 };
	int weight = 0;
	size_t i;

	if (len == 0 || len > 5 || (len > 1 && text[1] != '.'))
		return 0;
	for (i = 0; i < len; i++) {
		if (i == 1)
			continue;
		if (strchr(STR_DIGITS, text[i]) == NULL)
			return 0;
		weight += (text[i] - '0') * decimals[i == 0 ? 0 : i - 1];
	}
	return weight <= 1000 ? weight : 0;
}

/* Take the next element of the list at *at; false at its end. */
static bool
preference_next(const char **at, struct preference *out)
{
	const char *part;
	size_t len;

	*at += strspn(*at, " \t,");
	if (**at == '\0')
		return false;
	out->name = *at;
	out->name_len = strcspn(*at, ";, \t");
	out->weight = 1000;
	*at += out->name_len;
	for (;;) {
		*at += strspn(*at, " \t");
		if (**at != ';')
			break;
		part = *at + 1;
		part += strspn(part, " \t");
		len = strcspn(part, ";, \t");
		if (len >= 2 && strncasecmp(part, "q=", 2) == 0)
			out->weight = preference_weight(part + 2, len - 2);
		*at = part + len;
	}
	*at += strcspn(*at, ",");
	return true;
}

/* How closely the range says text: 0 not at all, 1 by "*", then by length. */
typedef size_t preference_match(const struct preference *range,
    const char *text);

/* Weight of what most closely says text, and where that stands. */
static int
preference_of(const char *list, const char *text, preference_match *match,
    size_t *place)
{
	struct preference range;
	size_t best = 0, closeness, i = 0;
	int weight = 0;

	*place = SIZE_MAX;
	for (; preference_next(&list, &range); i++) {
		closeness = match(&range, text);
		if (closeness == 0 || closeness < best
		    || (closeness == best && range.weight <= weight))
			continue;
		best = closeness;
		weight = range.weight;
		*place = i;
	}
	return weight;
}

/* "text/html" by itself, by "text/" "*" or by "*" "/" "*". */
static size_t
preference_match_type(const struct preference *range, const char *text)
{
	size_t major = strcspn(text, "/") + 1;

	if (range->name_len == strlen(text)
	    && strncasecmp(range->name, text, range->name_len) == 0)
		return range->name_len;
	if (range->name_len == major + 1 && range->name[major] == '*'
	    && strncasecmp(range->name, text, major) == 0)
		return 2;
	return range->name_len == 3 && strncmp(range->name, "*/*", 3) == 0;
}

/* "zh" by itself, by "zh-CN" or "zh-Hant-TW", or by "*". */
static size_t
preference_match_language(const struct preference *range, const char *text)
{
	size_t len = strlen(text);

	if (range->name_len >= len
	    && strncasecmp(range->name, text, len) == 0
	    && (range->name_len == len || range->name[len] == '-'))
		return 2;
	return range->name_len == 1 && range->name[0] == '*';
}

bool
web_request_is_browser(const struct web_request *req)
{
	size_t place;

	return preference_of(req->accept, "text/html", preference_match_type,
	    &place)
	    > preference_of(req->accept, "application/json",
	    preference_match_type, &place);
}

bool
web_request_is_chinese(const struct web_request *req)
{
	size_t zh_place, en_place;
	int zh, en;

	if (req->accept_language[0] == '\0')
		return true;
	zh = preference_of(req->accept_language, "zh",
	    preference_match_language, &zh_place);
	en = preference_of(req->accept_language, "en",
	    preference_match_language, &en_place);
	return zh > en || (zh == en && zh > 0 && zh_place <= en_place);
}

void
web_request_clear(struct web_request *req)
{
	if (req->body != NULL) {
		explicit_bzero((char *)req->body, req->body_len);
		free((char *)req->body);
	}
	fields_clear(&req->query);
	fields_clear(&req->form);
	fields_clear(&req->params);
	fields_clear(&req->doubled);
	*req = (struct web_request){ .method = WEB_OTHER };
}
