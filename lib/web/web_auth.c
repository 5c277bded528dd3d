#include "web/web_auth.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define WEB_OPERATOR_MAX 64

bool
web_auth_operator(const struct web_request *req, const char **operator,
    struct err *err)
{
	const char *user = req->remote_user;
	size_t len;

	for (len = 0; user[len] != '\0'; len++)
		if (user[len] <= ' ' || user[len] > '~'
		    || strchr("\"'\\", user[len]) != NULL)
			return err_set(err, ERR_AUTH,
			    "operator: a character that no name has");
	if (len == 0)
		return err_set(err, ERR_AUTH, "operator: none");
	if (len > WEB_OPERATOR_MAX)
		return err_set(err, ERR_AUTH, "operator: longer than %d",
		    WEB_OPERATOR_MAX);
	*operator = user;
	return true;
}

bool
web_auth_csrf(const struct secret *site_secret, const char *operator,
    char out[static MAC_SIZE], struct err *err)
{
	char text[sizeof("csrf ") + WEB_OPERATOR_MAX];
	int len = snprintf(text, sizeof(text), "csrf %s", operator);

	if (len < 0 || (size_t)len >= sizeof(text))
		return err_set(err, ERR_BUG, "operator: too long");
	return mac_text(site_secret, text, out, err);
}

/* One of the words of origins, byte for byte: browsers write an origin in
 * one way only. */
static bool
web_auth_is_allowed(const char *origin, const char *origins)
{
	size_t len = strlen(origin);
	size_t word;

	for (;;) {
		origins += strspn(origins, " ");
		word = strcspn(origins, " ");
		if (word == 0)
			return false;
		if (word == len && memcmp(origins, origin, len) == 0)
			return true;
		origins += word;
	}
}

bool
web_auth_merchant_post(const struct web_request *req,
    const struct secret *site_secret, const char *origins, struct err *err)
{
	char token[MAC_SIZE];
	const char *operator = NULL;

	if (!web_auth_operator(req, &operator, err)
	    || !web_auth_csrf(site_secret, operator, token, err))
		return false;
	if (!secret_eq(token, strlen(token), req->csrf_token,
	    strlen(req->csrf_token)))
		return err_set(err, ERR_FORBIDDEN,
		    "X-CSRF-Token: absent, or not this operator's");
	if (!web_auth_is_allowed(req->origin, origins))
		return err_set(err, ERR_FORBIDDEN, "Origin: %s",
		    req->origin[0] == '\0' ? "absent" : "not ours");
	return true;
}

bool
web_auth_origin(const struct web_request *req, const char *origins,
    struct err *err)
{
	return req->origin[0] == '\0'
	    || web_auth_is_allowed(req->origin, origins)
	    || err_set(err, ERR_FORBIDDEN, "Origin: not ours");
}
