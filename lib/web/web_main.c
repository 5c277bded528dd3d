#include "web/web_main.h"

#include <stdlib.h>

#include "base/log.h"

int
web_main(int argc, char *argv[], const char *name, web_run *run)
{
	struct web_start *start = NULL;
	struct err err = { 0 };
	bool ok;

	log_start(name);
	if (!web_start_read(argc, argv, &start))
		return 2;
	ok = run(start, &err);
	if (!ok)
		log_error("program.failed", "kind", err_kind_name(err.kind),
		    "why", err.text, NULL);
	web_start_free(start);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
