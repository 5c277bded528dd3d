#include "pay/order.h"

#include <string.h>

#include "base/str.h"

#define ORDER_NAME_SET STR_ALNUM "_-"

/* What stands, or will, where an order number stands in a path.  The table
 * of orders refuses the same words. */
static const char *const order_route_words[] = {
	"authorize", "jsconfig", "openid", NULL
};

/* "T-1001_2" is how the second payment of order "T-1001" is called. */
static bool
order_ends_like_attempt(const char *text)
{
	const char *underscore = strrchr(text, '_');

	return underscore != NULL
	    && str_is_of(underscore + 1, STR_DIGITS, 1, ORDER_NO_MAX);
}

bool
order_no_check(const char *order_no, struct err *err)
{
	if (!str_is_of(order_no, ORDER_NAME_SET, ORDER_NO_MIN, ORDER_NO_MAX))
		return err_set(err, ERR_INPUT, "order_no: not %d to %d of "
		    "letters, digits, \"_\" and \"-\"", ORDER_NO_MIN,
		    ORDER_NO_MAX);
	if (order_no[0] == '_' || order_no[0] == '-')
		return err_set(err, ERR_INPUT,
		    "order_no: does not begin with a letter or digit");
	if (order_ends_like_attempt(order_no))
		return err_set(err, ERR_INPUT,
		    "order_no: ends in \"_\" and digits");
	if (str_is_among(order_no, order_route_words))
		return err_set(err, ERR_INPUT, "order_no: a reserved word");
	return true;
}

bool
order_token_check(const char *token, struct err *err)
{
	if (!str_is_of(token, ORDER_NAME_SET, TOKEN_LEN, TOKEN_LEN))
		return err_set(err, ERR_INPUT, "token: not %d of base64url",
		    TOKEN_LEN);
	return true;
}

bool
order_product_id_check(const char *product_id, struct err *err)
{
	if (!str_is_of(product_id, ORDER_NAME_SET, 1, PRODUCT_ID_MAX))
		return err_set(err, ERR_INPUT, "product_id: not 1 to %d of "
		    "letters, digits, \"_\" and \"-\"", PRODUCT_ID_MAX);
	return true;
}

bool
order_body_check(const char *body, struct err *err)
{
	if (body[0] == '\0' || strlen(body) > BODY_MAX || !str_is_plain(body))
		return err_set(err, ERR_INPUT,
		    "body: not 1 to %d bytes of plain text", BODY_MAX);
	return true;
}

bool
order_attach_check(const char *attach, struct err *err)
{
	if (strlen(attach) > ATTACH_MAX || !str_is_plain(attach))
		return err_set(err, ERR_INPUT,
		    "attach: not at most %d bytes of plain text", ATTACH_MAX);
	return true;
}

bool
order_request_id_check(const char *request_id, struct err *err)
{
	if (!str_is_of(request_id, ORDER_NAME_SET, REQUEST_ID_MIN,
	    REQUEST_ID_MAX))
		return err_set(err, ERR_INPUT, "request_id: not %d to %d of "
		    "letters, digits, \"_\" and \"-\"", REQUEST_ID_MIN,
		    REQUEST_ID_MAX);
	return true;
}

/* Printable ASCII without any of banned. */
static bool
order_url_is_clean(const char *url, const char *banned)
{
	const char *at;

	for (at = url; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~' || strchr(banned, *at) != NULL)
			return false;
	return true;
}

/* What stands between "https://" and the path; NULL if that is not how url
 * begins.  User info and odd ports are part of what is compared. */
static const char *
order_url_host(const char *url, size_t *len)
{
	static const char scheme[] = "https://";

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return NULL;
	url += sizeof(scheme) - 1;
	*len = strcspn(url, "/?#");
	return url;
}

bool
order_return_url_check(const char *url, const char *hosts, struct err *err)
{
	size_t len = 0;
	const char *host = order_url_host(url, &len);

	/* clean of what ends an attribute, a tag or a string */
	if (strlen(url) > RETURN_URL_MAX || host == NULL
	    || !order_url_is_clean(url, "\"'`<>\\"))
		return err_set(err, ERR_INPUT,
		    "return_url: no https URL of at most %d plain characters",
		    RETURN_URL_MAX);
	if (!str_has_word(hosts, host, len))
		return err_set(err, ERR_INPUT,
		    "return_url: its host is not among those allowed");
	return true;
}

bool
order_page_url_check(const char *url, const char *base_url,
    const char *hosts, struct err *err)
{
	size_t len = 0, base_len = 0;
	const char *host = order_url_host(url, &len);
	const char *base = order_url_host(base_url, &base_len);

	if (strlen(url) > PAGE_URL_MAX || host == NULL
	    || !order_url_is_clean(url, "\\"))
		return err_set(err, ERR_INPUT, "url: no https URL of at most "
		    "%d plain characters", PAGE_URL_MAX);
	if (base != NULL && len == base_len
	    && memcmp(host, base, len) == 0)
		return true;
	return str_has_word(hosts, host, len)
	    || err_set(err, ERR_FORBIDDEN,
	    "url: its host is not among ours");
}
