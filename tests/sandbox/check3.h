/*
 * check3: what V3 demands of each member of a request.
 *
 * Knows the tables of [v3.md 2, 8, 10, 12, 19], and V2's names for the same
 * things.  Hides the rules.  Owns nothing.
 */
#ifndef SANDBOX_CHECK3_H
#define SANDBOX_CHECK3_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "sandbox.h"

struct check3_rule;

extern const struct check3_rule *const check3_jsapi;
extern const struct check3_rule *const check3_native;	/* and app */
extern const struct check3_rule *const check3_h5;
extern const struct check3_rule *const check3_orderquery;
extern const struct check3_rule *const check3_closeorder;
extern const struct check3_rule *const check3_partner_jsapi;
extern const struct check3_rule *const check3_partner_native;	/* and app */
extern const struct check3_rule *const check3_partner_h5;
extern const struct check3_rule *const check3_partner_orderquery;
extern const struct check3_rule *const check3_partner_closeorder;
extern const struct check3_rule *const check3_refund;
extern const struct check3_rule *const check3_refundquery;
extern const struct check3_rule *const check3_certificates;

#define CHECK3_MEMBERS_MAX 200

/* Of the body "/amount/total", of the query "?mchid", of the path
 * ":out_trade_no". */
struct check3_member {
	const char *name;
	const char *type;	/* "string", "number", "object", "null", ... */
	const char *value;	/* "" of what has members itself */
};

struct check3_asked {		/* all borrowed */
	struct check3_member list[CHECK3_MEMBERS_MAX];
	size_t count;
};

struct check3_flaw {		/* literals, and what was asked */
	const char *code;
	const char *name, *value;	/* value NULL: it is missing */
	const char *issue;
};

/* True if every member obeys. */
MUSTUSE bool check3_all(const struct check3_rule *rules,
    const struct sandbox *sandbox, const struct check3_asked *asked,
    struct check3_flaw *flaw);

/* What V2 calls a member; NULL if it has no such thing. */
const char *check3_name(const struct check3_rule *rules, const char *name);

#endif
