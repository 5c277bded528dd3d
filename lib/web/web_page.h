/*
 * web_page: how a list is paged.
 *
 * Knows the query fields after and limit.  Hides nothing.  Owns nothing.
 */
#ifndef WEB_WEB_PAGE_H
#define WEB_WEB_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "web/web_request.h"

#define WEB_PAGE_DEFAULT 20
#define WEB_PAGE_MAX 100

struct web_page {
	int64_t after;		/* the "next" of the page before; 0: first page */
	int limit;		/* 1 to WEB_PAGE_MAX entries */
};

/* ERR_INPUT names the field. */
MUSTUSE bool web_page_read(const struct web_request *req,
    struct web_page *out, struct err *err);

#endif
