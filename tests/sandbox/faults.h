/*
 * faults: what goes wrong on purpose.
 *
 * Knows the words by which faults are planted, for calls and for notices.
 * Hides nothing.  Owns nothing: the books count them down.
 */
#ifndef SANDBOX_FAULTS_H
#define SANDBOX_FAULTS_H

#include <libpq-fe.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "web/web_reply.h"
#include "web/web_request.h"

enum fault {
	FAULT_NONE = 0,

	/* of a call, which is not executed */
	FAULT_REFUSE,		/* HTTP 500 */
	FAULT_DENIED,		/* unsigned return_code FAIL */
	FAULT_SYSTEMERROR_BEFORE,
	FAULT_CODE,		/* a signed err_code of the planter's choice */

	/* of a call, which is executed */
	FAULT_SLOW,		/* after ms */
	FAULT_LATE,		/* and answered after ms */
	FAULT_SILENT,		/* and answered when no client waits any more */
	FAULT_HTTP_500,
	FAULT_HTTP_502,
	FAULT_SYSTEMERROR,
	FAULT_CUT,		/* half of the answer */
	FAULT_BAD_SIGN,
	FAULT_UNSIGNED,
	FAULT_ECHO_OTHER,	/* the answer is about another number */
	FAULT_ECHO_AMOUNT,	/* the answer has another amount */
	FAULT_ECHO_SUB,		/* the answer names another sub-merchant */
	FAULT_RECALL,		/* of reverse: recall=Y, and nothing was done */
	FAULT_PROBE,		/* of V3: WeChat tests whether we verify */

	/* of a notice; LATE and PROBE are two, too */
	FAULT_LOST,
	FAULT_DUPLICATE,	/* two at once */
	FAULT_REORDER,		/* after another delivery, or after ms */
	FAULT_FORGED,		/* signed or sealed with another key */
};

/* FAULT_NONE is NULL, and the other way round. */
enum fault fault_parse(const char *word);
const char *fault_word(enum fault fault);

struct planted {		/* for one call */
	char id[21];		/* of the call, in the journal */
	enum fault fault;
	char code[33];		/* FAULT_CODE's */
	long ms;
};

/* What call_add of the books answers.  ERR_BUG. */
MUSTUSE bool faults_read(const PGresult *rows, struct planted *out,
    struct err *err);

/* POST /sandbox/faults */
MUSTUSE bool faults_plant(void *app, struct web_request *req,
    struct web_reply *reply, struct err *err);

#endif
