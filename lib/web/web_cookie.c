#include "web/web_cookie.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define COOKIE_SET STR_ALNUM "-_.~"

/* The value in the len bytes at pair, if that is its name; else NULL. */
static const char *
web_cookie_value(const char *pair, size_t len, const char *name)
{
	size_t name_len = strlen(name);

	if (len <= name_len || strncmp(pair, name, name_len) != 0
	    || pair[name_len] != '=')
		return NULL;
	return pair + name_len + 1;
}

bool
web_cookie_get(const struct web_request *req, const char *name, char *out,
    size_t size)
{
	const char *found = NULL, *value, *at = req->cookie;
	size_t count = 0, found_len = 0, len;

	out[0] = '\0';
	for (; *at != '\0'; at += len, at += strspn(at, "; ")) {
		len = strcspn(at, ";");
		value = web_cookie_value(at, len, name);
		if (value == NULL)
			continue;
		count++;
		found = value;
		found_len = len - (size_t)(value - at);
	}
	if (count != 1 || found_len == 0 || found_len >= size)
		return false;
	memcpy(out, found, found_len);
	out[found_len] = '\0';
	return true;
}

bool
web_cookie_set(struct web_reply *reply, const struct web_cookie *cookie,
    struct err *err)
{
	int len = snprintf(reply->cookie, sizeof(reply->cookie),
	    "%s=%s; Path=%s; Max-Age=%ld; HttpOnly; Secure; SameSite=Lax",
	    cookie->name, cookie->value, cookie->path, cookie->life_s);

	if (len < 0 || (size_t)len >= sizeof(reply->cookie)
	    || !str_is_of(cookie->value, COOKIE_SET, 1, sizeof(reply->cookie))
	    || strpbrk(cookie->path, "; ") != NULL) {
		reply->cookie[0] = '\0';
		return err_set(err, ERR_BUG, "%s: no such cookie",
		    cookie->name);
	}
	return true;
}
