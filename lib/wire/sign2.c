#include "wire/sign2.h"

#include <strings.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buf.h"
#include "base/str.h"
#include "wire/base64.h"

/* Far beyond any message that we read or write. */
#define SIGN2_TEXT_MAX (256 * 1024)

const char *
sign2_type_name(enum sign2_type type)
{
	return type == SIGN2_MD5 ? "MD5" : "HMAC-SHA256";
}

bool
sign2_type_parse(const char *text, enum sign2_type *out)
{
	if (str_eq(text, sign2_type_name(SIGN2_MD5)))
		*out = SIGN2_MD5;
	else if (str_eq(text, sign2_type_name(SIGN2_HMAC_SHA256)))
		*out = SIGN2_HMAC_SHA256;
	else
		return false;
	return true;
}

static bool
field_is_signed(const struct field *field)
{
	return field->value[0] != '\0' && !str_eq(field->name, "sign");
}

static int
field_compare(const void *a, const void *b)
{
	const struct field *const *x = a;
	const struct field *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* [v2.md 3.1] "a=1&b=2&key=KEY", names in byte order. */
static void
sign2_text(const struct fields *fields, const struct secret *key,
    struct buf *out)
{
	const struct field *sorted[FIELDS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < fields->count; i++)
		if (field_is_signed(&fields->list[i]))
			sorted[count++] = &fields->list[i];
	qsort(sorted, count, sizeof(sorted[0]), field_compare);
	for (size_t i = 0; i < count; i++) {
		buf_text(out, sorted[i]->name);
		buf_char(out, '=');
		buf_text(out, sorted[i]->value);
		buf_char(out, '&');
	}
	buf_text(out, "key=");
	buf_add(out, secret_bytes(key), secret_len(key));
}

static bool
sign2_digest(const struct buf *text, enum sign2_type type,
    const struct secret *key, unsigned char out[static EVP_MAX_MD_SIZE],
    unsigned *out_len)
{
	if (type == SIGN2_MD5)
		return EVP_Digest(text->data, text->len, out, out_len,
		    EVP_md5(), NULL) == 1;
	return HMAC(EVP_sha256(), secret_bytes(key), (int)secret_len(key),
	    (const unsigned char *)text->data, text->len, out, out_len)
	    != NULL;
}

bool
sign2_sign(const struct fields *fields, enum sign2_type type,
    const struct secret *key, char out[static SIGN2_SIZE], struct err *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	struct buf text;
	bool ok = false;

	buf_init(&text, SIGN2_TEXT_MAX);
	sign2_text(fields, key, &text);
	if (!buf_ok(&text)) {
		err_set(err, ERR_BUG, "too much to sign, or out of memory");
		goto out;
	}
	if (!sign2_digest(&text, type, key, digest, &digest_len)) {
		ERR_clear_error();
		err_set(err, ERR_BUG, "cannot compute a V2 signature");
		goto out;
	}
	hex_format_upper(digest, digest_len, out);
	ok = true;
out:
	OPENSSL_cleanse(digest, sizeof(digest));
	buf_clear(&text);
	return ok;
}

/* A second "Sign" is for a reader that takes the other one. */
static bool
sign2_is_doubled(const struct fields *fields)
{
	size_t count = 0;

	for (size_t i = 0; i < fields->count; i++)
		if (strcasecmp(fields->list[i].name, "sign") == 0)
			count++;
	return count > 1;
}

static bool
sign2_type_judge(const struct fields *fields, enum sign2_type type,
    struct err *err)
{
	const char *said = fields_text(fields, "sign_type");

	if (said[0] != '\0' && !str_eq(said, sign2_type_name(type)))
		return err_set(err, ERR_AUTH, "sign_type is not %s",
		    sign2_type_name(type));
	return true;
}

bool
sign2_verify(const struct fields *fields, enum sign2_type type,
    const struct secret *key, struct err *err)
{
	const char *sign = fields_text(fields, "sign");
	char right[SIGN2_SIZE];
	size_t len = 0;
	bool same = false;

	if (sign[0] == '\0')
		return err_set(err, ERR_AUTH, "no sign");
	if (sign2_is_doubled(fields))
		return err_set(err, ERR_AUTH, "more than one sign");
	if (!sign2_type_judge(fields, type, err)
	    || !sign2_sign(fields, type, key, right, err))
		return false;
	len = strlen(right);
	same = strlen(sign) == len && CRYPTO_memcmp(sign, right, len) == 0;
	OPENSSL_cleanse(right, sizeof(right));
	return same || err_set(err, ERR_AUTH, "sign is wrong");
}
