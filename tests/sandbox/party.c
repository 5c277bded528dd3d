#include "party.h"

#include "base/str.h"

enum {
	MISSING, ITSELF, STRANGER, UNBOUND, ALONE, OF_ANOTHER, ELSEWHERE,
};

/* What WeChat says of the same and of the lone is not documented. */
static const struct party_flaw flaws[] = {
	[MISSING] = { "受理机构必须传入sub_mch_id", "PARAM_ERROR",
	    "268443704" },
	[ITSELF] = { "sub_mch_id与mch_id不能相同", "PARAM_ERROR",
	    "268443705" },
	[STRANGER] = { "受理关系不存在", "NO_AUTH", "268443701" },
	[UNBOUND] = { "sub_mch_id与sub_appid不匹配", "PARAM_ERROR",
	    "268445527" },
	[ALONE] = { "sub_openid需要sub_appid", "PARAM_ERROR", "268435461" },
	[OF_ANOTHER] = { "sub_mch_id与订单不匹配", "INVALID_REQUEST",
	    "268447845" },
	[ELSEWHERE] = { "appid和openid不匹配", "PARAM_ERROR", "268435461" },
};

static const struct party_flaw *
party_judge_names(const struct sandbox *sandbox, const struct party *party)
{
	if (sandbox->sub_mchid == NULL)
		return *party->sub_mchid == '\0' && *party->sub_appid == '\0'
		    && *party->sub_openid == '\0' ? NULL : &flaws[STRANGER];
	if (*party->sub_mchid == '\0')
		return &flaws[MISSING];
	if (str_eq(party->sub_mchid, sandbox->mchid))
		return &flaws[ITSELF];
	if (!str_eq(party->sub_mchid, sandbox->sub_mchid))
		return &flaws[STRANGER];
	if (*party->sub_appid == '\0')
		return *party->sub_openid == '\0' ? NULL : &flaws[ALONE];
	if (sandbox->sub_appid == NULL
	    || !sandbox_is_client(sandbox, party->sub_appid))
		return &flaws[UNBOUND];
	return NULL;
}

bool
party_judge(const struct sandbox *sandbox, const struct party *party,
    const struct party_flaw **out, struct err *err)
{
	PGresult *rows = NULL;
	bool ok;

	*out = party_judge_names(sandbox, party);
	if (*out != NULL)
		return true;
	ok = books_ask(sandbox->books, "select sandbox.is_elsewhere($1, $2)"
	    " or sandbox.is_elsewhere($3, $4)", BOOKS_ARGS(party->openid,
	    party->appid, party->sub_openid, party->sub_appid), &rows, err);
	if (ok && str_eq(PQgetvalue(rows, 0, 0), "t"))
		*out = &flaws[ELSEWHERE];
	PQclear(rows);
	return ok;
}

bool
party_judge_order(const struct sandbox *sandbox, const char *call,
    const struct party_flaw **out, struct err *err)
{
	PGresult *rows = NULL;
	bool ok = books_ask(sandbox->books,
	    "select sandbox.is_of_another($1)", BOOKS_ARGS(call), &rows, err);

	if (ok)
		*out = str_eq(PQgetvalue(rows, 0, 0), "t")
		    ? &flaws[OF_ANOTHER] : NULL;
	PQclear(rows);
	return ok;
}
