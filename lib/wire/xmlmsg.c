#include "wire/xmlmsg.h"

#include <strings.h>

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "base/str.h"

#define BLANKS " \t\r\n"
#define BOM "\xef\xbb\xbf"
#define DECLARATION "<?xml"
#define CDATA_OPEN "<![CDATA["
#define CDATA_CLOSE "]]>"
#define TAG_MAX 256		/* bytes from "<" to ">" */

/* What a value has been made of so far; one kind only. */
enum kind {
	NOTHING,
	TEXT,
	CDATA,
};

struct reader {
	xmlParserCtxt *parser;
	const char *root;
	unsigned depth;		/* 1: in the root, 2: in a field */
	struct buf name, value;	/* of the field in hand */
	enum kind kind;
	bool stopped;		/* err says why */
	struct fields *fields;
	struct err *err;
};

/* What libxml2 has shown to the callback that calls this is gone after. */
static void
reader_stop(struct reader *reader)
{
	reader->stopped = true;
	xmlStopParser(reader->parser);
}

static void
reader_refuse(struct reader *reader, const char *why)
{
	err_set(reader->err, ERR_INPUT, "xml: %s", why);
	reader_stop(reader);
}

/* What no element of ours has; NULL if it is one. */
static const char *
element_fault(const struct reader *reader, const char *name, bool has_namespace,
    bool has_attributes)
{
	if (has_attributes)
		return "attributes";
	if (has_namespace || strchr(name, ':') != NULL)
		return "a name with a colon";
	if (reader->depth > 2)
		return "an element inside a value";
	if (reader->depth == 1 && !str_eq(name, reader->root))
		return "another root element";
	return NULL;
}

static void
on_element(void *ctx, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri, int namespaces, const xmlChar **namespace_list,
    int attributes, int defaulted, const xmlChar **attribute_list)
{
	struct reader *reader = ctx;
	const char *text = (const char *)name;
	const char *fault = NULL;

	(void)namespace_list;
	(void)defaulted;
	(void)attribute_list;
	reader->depth++;
	fault = element_fault(reader, text, prefix != NULL || uri != NULL,
	    namespaces != 0 || attributes != 0);
	if (fault != NULL) {
		reader_refuse(reader, fault);
		return;
	}
	buf_reset(&reader->name);
	buf_reset(&reader->value);
	buf_text(&reader->name, text);
	reader->kind = NOTHING;
}

static void
on_element_end(void *ctx, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri)
{
	struct reader *reader = ctx;

	(void)name;
	(void)prefix;
	(void)uri;
	if (reader->depth-- != 2 || reader->stopped)
		return;
	if (!buf_ok(&reader->name) || !buf_ok(&reader->value)) {
		err_set(reader->err, ERR_BUG, "out of memory");
		reader_stop(reader);
	} else if (!fields_add_bytes(reader->fields, buf_get(&reader->name),
	    reader->name.len, buf_get(&reader->value), reader->value.len,
	    reader->err)) {
		err_in(reader->err, "xml");
		reader_stop(reader);
	}
}

/* More of the value, which must go on as it began. */
static void
value_add(struct reader *reader, enum kind kind, const xmlChar *bytes,
    int len)
{
	if (reader->kind != NOTHING && reader->kind != kind) {
		reader_refuse(reader, "text and CDATA in one value");
		return;
	}
	reader->kind = kind;
	buf_add(&reader->value, bytes, (size_t)len);
}

static void
on_text(void *ctx, const xmlChar *bytes, int len)
{
	struct reader *reader = ctx;

	if (reader->depth == 2) {
		value_add(reader, TEXT, bytes, len);
		return;
	}
	for (int i = 0; i < len; i++)
		if (strchr(BLANKS, bytes[i]) == NULL) {
			reader_refuse(reader, "text between elements");
			return;
		}
}

static void
on_cdata(void *ctx, const xmlChar *bytes, int len)
{
	struct reader *reader = ctx;

	if (reader->depth == 2)
		value_add(reader, CDATA, bytes, len);
	else
		reader_refuse(reader, "text between elements");
}

static void
on_comment(void *ctx, const xmlChar *text)
{
	(void)text;
	reader_refuse(ctx, "a comment");
}

static void
on_instruction(void *ctx, const xmlChar *target, const xmlChar *data)
{
	(void)target;
	(void)data;
	reader_refuse(ctx, "a processing instruction");
}

static void
on_reference(void *ctx, const xmlChar *name)
{
	(void)name;
	reader_refuse(ctx, "an entity reference");
}

static void
on_doctype(void *ctx, const xmlChar *name, const xmlChar *public_id,
    const xmlChar *system_id)
{
	(void)name;
	(void)public_id;
	(void)system_id;
	reader_refuse(ctx, "a DOCTYPE");
}

/* Every other callback is NULL: nothing is declared and nothing is loaded. */
static const xmlSAXHandler handler = {
	.initialized = XML_SAX2_MAGIC,
	.startElementNs = on_element,
	.endElementNs = on_element_end,
	.characters = on_text,
	.ignorableWhitespace = on_text,
	.cdataBlock = on_cdata,
	.comment = on_comment,
	.processingInstruction = on_instruction,
	.reference = on_reference,
	.internalSubset = on_doctype,
	.externalSubset = on_doctype,
};

/* Set when libxml2 has had no memory in this thread: it reports that as one
 * error among others, and may end with another one. */
static _Thread_local bool out_of_memory;

/* Instead of libxml2's own, which writes to standard error. */
static void
on_error(void *ctx, xmlError *error)
{
	(void)ctx;
	if (error->code == XML_ERR_NO_MEMORY)
		out_of_memory = true;
}

/* A loader that loads nothing. */
static xmlParserInput *
loader_refuse(const char *url, const char *id, xmlParserCtxt *parser)
{
	(void)url;
	(void)id;
	(void)parser;
	return NULL;
}

void
xmlmsg_start(void)
{
	xmlInitParser();
	xmlSetExternalEntityLoader(loader_refuse);
	xmlSetStructuredErrorFunc(NULL, on_error);	/* of this thread */
	xmlThrDefSetStructuredErrorFunc(NULL, on_error);	/* of others */
}

static const char *
blanks_skip(const char *at)
{
	return at + strspn(at, BLANKS);
}

/* True unless the message declares an encoding other than UTF-8. */
static bool
declares_utf8(const char *bytes, size_t len)
{
	const char *end = memmem(bytes, len, "?>", 2);
	const char *at = NULL;

	if (len < strlen(DECLARATION) || end == NULL
	    || memcmp(bytes, DECLARATION, strlen(DECLARATION)) != 0)
		return true;
	at = memmem(bytes, (size_t)(end - bytes), "encoding", 8);
	if (at == NULL)
		return true;
	/* "?>" stops every walk from here. */
	at = blanks_skip(at + strlen("encoding"));
	if (*at != '=')
		return false;
	at = blanks_skip(at + 1);
	return end - at >= 7 && (strncasecmp(at, "\"UTF-8\"", 7) == 0
	    || strncasecmp(at, "'UTF-8'", 7) == 0);
}

/*
 * False if a tag is longer than TAG_MAX.  libxml2 compares each attribute of
 * a tag with every other before it shows us the first: 64 KiB of them took
 * 18 ms.  Comments may mislead this walk, but end the parsing where they are.
 */
static bool
tags_are_short(const char *bytes, size_t len)
{
	const char *end = bytes + len;
	const char *at = memchr(bytes, '<', len);

	while (at != NULL) {
		size_t left = (size_t)(end - at);

		if (left > strlen(CDATA_OPEN)
		    && memcmp(at, CDATA_OPEN, strlen(CDATA_OPEN)) == 0)
			at = memmem(at, left, CDATA_CLOSE,
			    strlen(CDATA_CLOSE));
		else
			at = memchr(at, '>', left < TAG_MAX ? left : TAG_MAX);
		if (at == NULL)
			return false;
		at = memchr(at, '<', (size_t)(end - at));
	}
	return true;
}

/* What can be judged before any parser sees it. */
static bool
bytes_judge(const char *bytes, size_t len, struct err *err)
{
	if (len < 1 || len > XMLMSG_MAX)
		return err_set(err, ERR_INPUT, "xml: not 1 to %d bytes",
		    XMLMSG_MAX);
	if (!str_is_utf8(bytes, len))
		return err_set(err, ERR_INPUT, "xml: not UTF-8, or a NUL");
	if (len >= strlen(BOM) && memcmp(bytes, BOM, strlen(BOM)) == 0)
		return err_set(err, ERR_INPUT, "xml: a byte order mark");
	if (!declares_utf8(bytes, len))
		return err_set(err, ERR_INPUT, "xml: not declared as UTF-8");
	if (!tags_are_short(bytes, len))
		return err_set(err, ERR_INPUT, "xml: a tag without end");
	return true;
}

/*
 * IGNORE_ENC: the bytes are known to be UTF-8 and are read as such, whatever
 * libxml2 would make of a declaration.
 */
static void
reader_run(struct reader *reader, struct err *err)
{
	xmlParserCtxt *parser = reader->parser;

	*parser->sax = handler;
	parser->userData = reader;
	xmlCtxtUseOptions(parser, XML_PARSE_NONET | XML_PARSE_NOERROR
	    | XML_PARSE_NOWARNING | XML_PARSE_IGNORE_ENC);
	xmlParseDocument(parser);
	if (out_of_memory)
		err_set(err, ERR_BUG, "out of memory");
	else if (!parser->wellFormed || !parser->nsWellFormed)
		err_set(err, ERR_INPUT, "xml: not well-formed");
	else
		return;
	reader->stopped = true;
}

bool
xmlmsg_parse(const char *bytes, size_t len, const char *root,
    struct fields *fields, struct err *err)
{
	struct reader reader = { .root = root, .fields = fields, .err = err };

	if (!bytes_judge(bytes, len, err))
		return false;
	out_of_memory = false;
	reader.parser = xmlCreateMemoryParserCtxt(bytes, (int)len);
	if (reader.parser == NULL)
		return err_set(err, ERR_BUG, "out of memory");
	buf_init(&reader.name, XMLMSG_MAX);
	buf_init(&reader.value, XMLMSG_MAX);
	reader_run(&reader, err);
	if (reader.stopped)
		fields_clear(fields);
	buf_clear(&reader.value);
	buf_clear(&reader.name);
	xmlFreeParserCtxt(reader.parser);
	return !reader.stopped;
}

/* "]]>" ends a section, so it is written over two. */
static void
cdata_format(const char *value, struct buf *out)
{
	const char *close = strstr(value, CDATA_CLOSE);

	buf_text(out, CDATA_OPEN);
	while (close != NULL) {
		buf_add(out, value, (size_t)(close - value) + 2);
		buf_text(out, CDATA_CLOSE CDATA_OPEN);
		value = close + 2;
		close = strstr(value, CDATA_CLOSE);
	}
	buf_text(out, value);
	buf_text(out, CDATA_CLOSE);
}

/*
 * [XML 1.0, 2.11] a reader turns CR and CRLF into LF, which would break the
 * signature, and CDATA cannot escape.  So a value with a CR is written as
 * text.
 */
static void
text_format(const char *value, struct buf *out)
{
	for (; *value != '\0'; value++) {
		if (strchr("\r&<>", *value) == NULL)
			buf_char(out, *value);
		else
			buf_format(out, "&#%d;", *value);
	}
}

void
xmlmsg_format(const struct fields *fields, struct buf *out)
{
	buf_text(out, "<xml>");
	for (size_t i = 0; i < fields->count; i++) {
		const struct field *field = &fields->list[i];

		buf_format(out, "<%s>", field->name);
		if (strchr(field->value, '\r') != NULL)
			text_format(field->value, out);
		else
			cdata_format(field->value, out);
		buf_format(out, "</%s>", field->name);
	}
	buf_text(out, "</xml>");
}
