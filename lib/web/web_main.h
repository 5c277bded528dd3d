/*
 * web_main: the main of a program that serves the web.
 *
 * Knows in which order a program comes up, and its exit status.  Hides
 * nothing.  Owns the start.
 */
#ifndef WEB_WEB_MAIN_H
#define WEB_WEB_MAIN_H

#include <stdbool.h>

#include "base/err.h"
#include "web/web_start.h"

/* Read the configuration, serve, put everything away. */
typedef bool web_run(struct web_start *start, struct err *err);

/* For main to return: 0; 1 after a failure, which is logged; 2 after a
 * usage text. */
int web_main(int argc, char *argv[], const char *name, web_run *run);

#endif
