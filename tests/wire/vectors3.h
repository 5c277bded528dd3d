/*
 * vectors3: the vectors of API V3, and the keys that they name.
 *
 * Knows tests/data/v3.json and the PEM files beside it.  The caller frees what
 * it is given.
 */
#ifndef TESTS_WIRE_VECTORS3_H
#define TESTS_WIRE_VECTORS3_H

#include <strings.h>

#include "../unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"
#include "wire/sign3.h"

#define VECTORS3 "tests/data/v3.json"
#define VECTORS3_COUNT 121

/* All of the file; the caller calls json_decref. */
static inline json_t *
vectors3_open(void)
{
	json_error_t why;
	json_t *all = json_load_file(VECTORS3, 0, &why);

	expect(all != NULL, VECTORS3 ":%d: %s", why.line, why.text);
	return all;
}

/* One vector by its id, borrowed. */
static inline const json_t *
vectors3_find(const json_t *all, const char *id)
{
	const json_t *list = json_object_get(all, "vectors");
	const json_t *vector = NULL;
	size_t i = 0;

	json_array_foreach(list, i, vector)
		if (str_eq(vector_text(vector, "id"), id))
			return vector;
	expect(false, "no vector %s", id);
	return NULL;
}

static inline struct secret *
secret_of(const void *bytes, size_t len)
{
	struct secret *secret = NULL;
	struct err err = { 0 };

	expect(secret_new(bytes, len, &secret, &err), "%s", err.text);
	return secret;
}

/* "v3-merchant-key.pem" */
static inline struct secret *
pem_open(const char *file)
{
	char path[200];
	static char bytes[SECRET_MAX];
	size_t len = 0;
	FILE *pem = NULL;

	snprintf(path, sizeof(path), "tests/data/v3/%s", file);
	pem = fopen(path, "re");
	expect(pem != NULL, "%s", path);
	len = fread(bytes, 1, sizeof(bytes), pem);
	fclose(pem);
	return secret_of(bytes, len);
}

static inline struct sign3_key *
private_open(const char *file)
{
	struct secret *pem = pem_open(file);
	struct sign3_key *key = NULL;
	struct err err = { 0 };

	expect(sign3_key_new(pem, &key, &err), "%s: %s", file, err.text);
	secret_free(pem);
	return key;
}

static inline struct sign3_public *
public_open(const char *file)
{
	struct secret *pem = pem_open(file);
	struct sign3_public *key = NULL;
	struct err err = { 0 };

	expect(sign3_public_new(secret_bytes(pem), secret_len(pem), &key,
	    &err), "%s: %s", file, err.text);
	secret_free(pem);
	return key;
}

/* A member of a key of the file, by the key's id; "" if there is none. */
static inline const char *
key_text(const json_t *all, const char *id, const char *name)
{
	return vector_text(json_object_get(json_object_get(all, "keys"), id),
	    name);
}

/* A header of a vector in any case, borrowed; NULL if it is absent. */
static inline const char *
header_of(const json_t *vector, const char *wanted)
{
	json_t *headers = json_object_get(vector, "headers");
	const char *name = NULL;
	const json_t *value = NULL;

	json_object_foreach(headers, name, value)
		if (strcasecmp(name, wanted) == 0)
			return json_string_value(value);
	return NULL;
}

static inline struct sign3_headers
headers_of(const json_t *vector)
{
	return (struct sign3_headers){
		.timestamp = header_of(vector, "Wechatpay-Timestamp"),
		.nonce = header_of(vector, "Wechatpay-Nonce"),
		.signature = header_of(vector, "Wechatpay-Signature"),
		.serial = header_of(vector, "Wechatpay-Serial"),
		.type = header_of(vector, "Wechatpay-Signature-Type"),
	};
}

static inline epoch_t
now_of(const json_t *vector)
{
	return json_integer_value(json_object_get(vector, "now"));
}

#endif
