#include "wire/sslerr.h"

#include <openssl/err.h>

/* A library that cannot verify for lack of memory reports the same as one
 * that was shown a forgery, but for its queue. */
static bool
memory_is_out(void)
{
	bool out = false;
	unsigned long code = ERR_get_error();

	while (code != 0) {
		out = out || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
		code = ERR_get_error();
	}
	return out;
}

bool
sslerr_set(struct err *err, enum err_kind kind, const char *text)
{
	if (memory_is_out())
		return err_set(err, ERR_BUG, "out of memory");
	return err_set(err, kind, "%s", text);
}
