/*
 * web_start: how a program was started.
 *
 * Knows the command line, the environment, and what a process gives up
 * before it reads a key.  Hides where they are kept.  Owns copies.
 */
#ifndef WEB_WEB_START_H
#define WEB_WEB_START_H

#include <stdbool.h>

#include "base/attr.h"

struct web_start;

/*
 * The first call of main: takes "--config PATH" and "--listen PATH", copies
 * what the environment says of configuration and CGI, and clears it.  From
 * then on there is no core dump, no new privilege, and umask 077.  The
 * arguments of a CGI request are ignored: its server makes them of the query
 * string.  The caller owns *out.  False, after a text on standard error, if
 * the arguments are wrong, or if there is neither a socket to serve nor a CGI
 * request: then leave with status 2.
 */
MUSTUSE bool web_start_read(int argc, char *argv[], struct web_start **out);
void web_start_free(struct web_start *start);	/* NULL is fine */

/* Path of the configuration file; borrowed, never NULL. */
const char *web_start_config(const struct web_start *start);

/* True for one CGI request: no socket, and REQUEST_METHOD was set. */
bool web_start_is_cgi(const struct web_start *start);

/* Of the socket to make; NULL if descriptor 0 is one already. */
const char *web_start_listen(const struct web_start *start);

/* The CGI request, "NAME=value", NULL-ended. */
char *const *web_start_params(const struct web_start *start);

#endif
