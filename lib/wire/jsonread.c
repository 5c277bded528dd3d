#include "wire/jsonread.h"

#include <assert.h>
#include <inttypes.h>
#include <malloc.h>

#include <jansson.h>

#include "base/str.h"

struct jsonread {
	json_t *object;
};

/*
 * jansson 2.14 does not ask whether the buffer of its tokens could grow: a
 * byte that found no room is missing from the value, and if it was the
 * closing quote, jansson goes on behind the end.  So it is fed byte by byte,
 * the first allocation that fails is served from a spare, and behind that
 * byte its input ends.
 */
struct feed {
	const char *at, *end;
	void *spare;
	size_t spare_len;	/* enough for any growth of that buffer */
	bool failed;
};

static _Thread_local struct feed *feeding;
static bool started;

static void *
feed_malloc(size_t size)
{
	struct feed *feed = feeding;
	void *got = malloc(size);

	if (got != NULL || feed == NULL)
		return got;
	feed->failed = true;
	if (size > feed->spare_len)
		return NULL;
	got = feed->spare;
	feed->spare = NULL;
	return got;
}

static size_t
feed_byte(void *to, size_t room, void *arg)
{
	struct feed *feed = arg;

	if (feed->failed || feed->at == feed->end || room < 1)
		return 0;
	*(char *)to = *feed->at++;
	return 1;
}

/* What WeChat tells may be a token, or the key of somebody's session. */
static void
wiping_free(void *bytes)
{
	if (bytes != NULL)
		explicit_bzero(bytes, malloc_usable_size(bytes));
	free(bytes);
}

void
jsonread_start(void)
{
	json_set_alloc_funcs(feed_malloc, wiping_free);
	/* Now, and not when the first message comes: it opens a file. */
	json_object_seed(0);
	started = true;
}

/* jansson would take 2048, and much memory for each. */
static bool
is_shallow(const char *bytes, size_t len)
{
	unsigned depth = 0;
	bool in_text = false;

	for (size_t i = 0; i < len && depth <= JSONREAD_DEPTH; i++) {
		char c = bytes[i];

		if (in_text && c == '\\')
			i++;
		else if (c == '"')
			in_text = !in_text;
		else if (!in_text && (c == '{' || c == '['))
			depth++;
		else if (!in_text && (c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return depth <= JSONREAD_DEPTH;
}

static bool
bytes_judge(const char *bytes, size_t len, struct err *err)
{
	if (len > JSONREAD_MAX)
		return err_set(err, ERR_INPUT, "json: more than %d bytes",
		    JSONREAD_MAX);
	/* jansson skips a NUL behind a number or a word. */
	if (!str_is_utf8(bytes, len))
		return err_set(err, ERR_INPUT, "json: not UTF-8, or a NUL");
	if (!is_shallow(bytes, len))
		return err_set(err, ERR_INPUT, "json: deeper than %d",
		    JSONREAD_DEPTH);
	return true;
}

/* What the bytes say, or NULL.  What jansson says of them is not told, for it
 * quotes them. */
static json_t *
bytes_load(const char *bytes, size_t len, struct err *err)
{
	struct feed feed = { .at = bytes, .end = bytes + len,
		.spare_len = 2 * len + 16 };
	json_error_t why = { 0 };
	json_t *value = NULL;

	feed.spare = malloc(feed.spare_len);
	if (feed.spare == NULL) {
		err_set(err, ERR_BUG, "out of memory");
		return NULL;
	}
	feeding = &feed;
	value = json_load_callback(feed_byte, &feed, JSON_REJECT_DUPLICATES,
	    &why);
	feeding = NULL;
	free(feed.spare);
	if (feed.failed) {
		json_decref(value);
		value = NULL;
		err_set(err, ERR_BUG, "out of memory");
	} else if (value == NULL) {
		err_set(err, ERR_INPUT, "json: refused at byte %d",
		    why.position);
	}
	return value;
}

bool
jsonread_new(const char *bytes, size_t len, struct jsonread **json,
    struct err *err)
{
	struct jsonread *made = NULL;
	json_t *value = NULL;
	bool ok = false;

	assert(started);
	if (!bytes_judge(bytes, len, err))
		return false;
	value = bytes_load(bytes, len, err);
	if (value == NULL)
		goto out;
	if (!json_is_object(value)) {
		err_set(err, ERR_INPUT, "json: not an object");
		goto out;
	}
	made = malloc(sizeof(*made));
	if (made == NULL) {
		err_set(err, ERR_BUG, "out of memory");
		goto out;
	}
	made->object = value;
	value = NULL;
	*json = made;
	ok = true;
out:
	json_decref(value);
	return ok;
}

void
jsonread_free(struct jsonread *json)
{
	if (json == NULL)
		return;
	json_decref(json->object);
	free(json);
}

static const json_t *
element_at(const json_t *array, const char *index, size_t len)
{
	size_t at = 0;

	if (len < 1 || len > 5)		/* as many as JSONREAD_MAX may have */
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (index[i] < '0' || index[i] > '9')
			return NULL;
		at = at * 10 + (size_t)(index[i] - '0');
	}
	return json_array_get(array, at);
}

/* NULL if nothing, or a null, stands there. */
static const json_t *
value_at(const struct jsonread *json, const char *path)
{
	const json_t *at = json->object;
	size_t len = strcspn(path, ".");

	at = json_object_getn(at, path, len);
	while (at != NULL && path[len] == '.') {
		path += len + 1;
		len = strcspn(path, ".");
		at = json_is_array(at) ? element_at(at, path, len)
		    : json_object_getn(at, path, len);
	}
	return json_is_null(at) ? NULL : at;
}

bool
jsonread_has(const struct jsonread *json, const char *path)
{
	return value_at(json, path) != NULL;
}

/* Why a value is not what was asked for. */
static bool
value_refuse(const json_t *value, const char *path, const char *wanted,
    struct err *err)
{
	if (value == NULL)
		return err_set(err, ERR_INPUT, "\"%s\": absent", path);
	return err_set(err, ERR_INPUT, "\"%s\": not %s", path, wanted);
}

bool
jsonread_text(const struct jsonread *json, const char *path,
    const char **out, struct err *err)
{
	const json_t *value = value_at(json, path);

	if (!json_is_string(value))
		return value_refuse(value, path, "a text", err);
	*out = json_string_value(value);
	return true;
}

bool
jsonread_int(const struct jsonread *json, const char *path, int64_t min,
    int64_t max, int64_t *out, struct err *err)
{
	const json_t *value = value_at(json, path);
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value))
		return value_refuse(value, path, "an integer", err);
	if (number < min || number > max)
		return err_set(err, ERR_INPUT,
		    "\"%s\": not %" PRId64 " to %" PRId64, path, min, max);
	*out = number;
	return true;
}

bool
jsonread_count(const struct jsonread *json, const char *path, size_t *out,
    struct err *err)
{
	const json_t *value = value_at(json, path);

	if (!json_is_array(value))
		return value_refuse(value, path, "an array", err);
	*out = json_array_size(value);
	return true;
}
