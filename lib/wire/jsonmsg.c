#include "wire/jsonmsg.h"

#include <jansson.h>

struct jsonmsg {
	json_t *object;
	bool broken;
};

struct jsonmsg *
jsonmsg_new(void)
{
	struct jsonmsg *msg = calloc(1, sizeof(*msg));

	if (msg == NULL)
		return NULL;
	msg->object = json_object();
	if (msg->object == NULL) {
		free(msg);
		return NULL;
	}
	return msg;
}

void
jsonmsg_free(struct jsonmsg *msg)
{
	if (msg == NULL)
		return;
	json_decref(msg->object);
	free(msg);
}

/* value is given away; NULL if it could not be made.  A name stands once. */
static void
jsonmsg_set(struct jsonmsg *msg, const char *name, json_t *value)
{
	if (msg == NULL) {
		json_decref(value);
	} else if (json_object_get(msg->object, name) != NULL) {
		json_decref(value);
		msg->broken = true;
	} else if (json_object_set_new(msg->object, name, value) != 0) {
		msg->broken = true;
	}
}

void
jsonmsg_text(struct jsonmsg *msg, const char *name, const char *text)
{
	if (text != NULL)
		jsonmsg_set(msg, name, json_string(text));
}

void
jsonmsg_int(struct jsonmsg *msg, const char *name, int64_t value)
{
	jsonmsg_set(msg, name, json_integer(value));
}

void
jsonmsg_bool(struct jsonmsg *msg, const char *name, bool value)
{
	jsonmsg_set(msg, name, json_boolean(value));
}

void
jsonmsg_object(struct jsonmsg *msg, const char *name, struct jsonmsg *value)
{
	json_t *object = NULL;

	if (value != NULL && !value->broken)
		object = json_incref(value->object);
	jsonmsg_set(msg, name, object);
	jsonmsg_free(value);
}

static int
jsonmsg_write(const char *bytes, size_t len, void *out)
{
	buf_add(out, bytes, len);
	return 0;
}

bool
jsonmsg_format(const struct jsonmsg *msg, struct buf *out)
{
	return msg != NULL && !msg->broken
	    && json_dump_callback(msg->object, jsonmsg_write, out,
		JSON_COMPACT) == 0
	    && buf_ok(out);
}
