#include "pay/refund.h"

#include <string.h>

#include "base/str.h"

bool
refund_no_check(const char *out_refund_no, struct err *err)
{
	if (!str_is_of(out_refund_no, STR_ALNUM "_-|*@", 1, OUT_REFUND_NO_MAX))
		return err_set(err, ERR_INPUT, "out_refund_no: not 1 to %d of "
		    "letters, digits, \"_\", \"-\", \"|\", \"*\" and \"@\"",
		    OUT_REFUND_NO_MAX);
	return true;
}

bool
refund_reason_check(const char *reason, struct err *err)
{
	if (strlen(reason) > REFUND_REASON_MAX || !str_is_plain(reason))
		return err_set(err, ERR_INPUT,
		    "reason: not at most %d bytes of plain text",
		    REFUND_REASON_MAX);
	return true;
}

enum refund_fate
refund_fate_of(const char *refund_status)
{
	static const struct {
		const char *word;
		enum refund_fate fate;
	} words[] = {		/* [v2.md 8.2, 15.2; v3.md 12.1, 21.4] */
		{ "SUCCESS",     REFUND_SUCCESS },
		{ "PROCESSING",  REFUND_PROCESSING },
		{ "REFUNDCLOSE", REFUND_CLOSED },
		{ "CHANGE",      REFUND_ABNORMAL },
		{ "CLOSED",      REFUND_CLOSED },
		{ "CLOSE",       REFUND_CLOSED },	/* seen in V3 */
		{ "ABNORMAL",    REFUND_ABNORMAL },
	};
	size_t i;

	for (i = 0; i < COUNT_OF(words); i++)
		if (str_eq(refund_status, words[i].word))
			return words[i].fate;
	return REFUND_UNKNOWN;
}

long
refund_next_check(long age_s, long check_first)
{
	/* Each gap added to the ones before it, from five minutes on. */
	static const struct {
		long until_s, gap_s;
	} steps[] = {
		{ 600, 300 }, { 1200, 600 }, { 2400, 1200 }, { 4200, 1800 },
	};
	size_t i;

	if (age_s < 0)		/* another machine's clock is ahead */
		age_s = 0;
	if (age_s < check_first)
		return check_first - age_s;
	if (age_s < 300)
		return check_first < 60 ? check_first : 60;
	for (i = 0; i < COUNT_OF(steps); i++)
		if (age_s < steps[i].until_s)
			return steps[i].gap_s;
	return 3600;
}

long
refund_next_check_abnormal(long age_s)
{
	return age_s < 86400 ? 3600 : 86400;
}
