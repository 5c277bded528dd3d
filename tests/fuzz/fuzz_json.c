/* Whatever bytes come as JSON: refused, or an object that gives out texts of
 * plain UTF-8 and integers within their bounds, and that one byte more or one
 * byte less would spoil.  No notice or certificate in it opens to its writer,
 * who does not have the key. */
#include <assert.h>

#include "fuzz.h"

#include "base/str.h"
#include "wire/jsonread.h"
#include "wire/seal3.h"

static struct secret *key;

static void
start_once(void)
{
	struct err err = { 0 };

	if (key != NULL)
		return;
	jsonread_start();
	assert(secret_new("AKeyThatIsInNoSeedOfThisCorpus01", 32, &key,
	    &err));
}

static bool
is_read(const char *bytes, size_t len)
{
	struct jsonread *json = NULL;
	struct err err = { 0 };
	bool ok = jsonread_new(bytes, len, &json, &err);

	assert(ok == (json != NULL));
	assert(err.kind == (ok ? ERR_NONE : ERR_INPUT));
	jsonread_free(json);
	return ok;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Nothing may stand behind the end, and nothing may be missing there. */
static void
ends_judge(const char *bytes, size_t len)
{
	static const char behind[] = "}],\"x0{\xff";
	struct buf text;

	assert(str_is_utf8(bytes, len));
	for (size_t i = 0; i < sizeof(behind); i++) {	/* NUL, too */
		buf_init(&text, len + 1);
		buf_add(&text, bytes, len);
		buf_char(&text, behind[i]);
		assert(!is_read(text.data, text.len));
		buf_clear(&text);
	}
	while (len > 0 && is_blank(bytes[len - 1]))
		len--;
	assert(len > 1 && bytes[len - 1] == '}');
	assert(is_read(bytes, len) && !is_read(bytes, len - 1));
}

static const char *
text_at(const struct jsonread *json, const char *path)
{
	const char *text = NULL;
	struct err err = { 0 };

	if (!jsonread_text(json, path, &text, &err)) {
		assert(err.kind == ERR_INPUT && text == NULL);
		return NULL;
	}
	assert(jsonread_has(json, path));
	assert(str_is_utf8(text, strlen(text)));
	return text;
}

static void
int_at(const struct jsonread *json, const char *path)
{
	struct err err = { 0 };
	int64_t value = 0;

	if (jsonread_int(json, path, 1, 100, &value, &err))
		assert(value >= 1 && value <= 100 && jsonread_has(json, path));
	else
		assert(err.kind == ERR_INPUT && value == 0);
}

static void
resource_open(const struct jsonread *json, const char *at)
{
	static const char *const names[] = { "algorithm", "nonce",
		"associated_data", "ciphertext" };
	const char *found[COUNT_OF(names)];
	struct err err = { 0 };
	struct buf plain;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char path[100];

		snprintf(path, sizeof(path), "%s.%s", at, names[i]);
		found[i] = text_at(json, path);
	}
	if (found[0] == NULL || found[1] == NULL || found[3] == NULL)
		return;
	buf_init(&plain, SEAL3_MAX);
	assert(!seal3_open(&(struct seal3_sealed){ found[0], found[1],
	    found[2], found[3] }, key, &plain, &err));
	assert(err.kind == ERR_AUTH && plain.len == 0);
	buf_clear(&plain);
}

static void
object_ask(const struct jsonread *json)
{
	static const char *const texts[] = { "id", "event_type", "code",
		"message", "mchid", "out_trade_no", "trade_state",
		"amount.currency", "payer.openid", "a", "", "a.b", "a.0", };
	static const char *const integers[] = { "amount.total",
		"amount.refund", "amount.payer_total", "a", "a.b", "a.0.b" };
	struct err err = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		text_at(json, texts[i]);
	for (size_t i = 0; i < COUNT_OF(integers); i++)
		int_at(json, integers[i]);
	resource_open(json, "resource");
	if (jsonread_count(json, "data", &count, &err)) {
		assert(!jsonread_has(json, "data.99999"));
		resource_open(json, "data.0.encrypt_certificate");
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	struct jsonread *json = NULL;
	struct err err = { 0 };

	start_once();
	if (!jsonread_new(text, len, &json, &err)) {
		assert(err.kind == ERR_INPUT && json == NULL);
		return 0;
	}
	object_ask(json);
	jsonread_free(json);
	if (len < JSONREAD_MAX)
		ends_judge(text, len);
	return 0;
}
