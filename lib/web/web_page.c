#include "web/web_page.h"

#include "base/str.h"

bool
web_page_read(const struct web_request *req, struct web_page *out,
    struct err *err)
{
	const char *after = fields_get(&req->query, "after");
	const char *limit = fields_get(&req->query, "limit");
	long number;

	*out = (struct web_page){ .after = 0, .limit = WEB_PAGE_DEFAULT };
	if (after != NULL) {
		if (!str_to_long(after, INT64_MAX, &number) || number < 1)
			return err_set(err, ERR_INPUT,
			    "after: not the next of a page");
		out->after = number;
	}
	if (limit != NULL) {
		if (!str_to_long(limit, WEB_PAGE_MAX, &number) || number < 1)
			return err_set(err, ERR_INPUT, "limit: not 1 to %d",
			    WEB_PAGE_MAX);
		out->limit = (int)number;
	}
	return true;
}
