#include "wechat/wechat_answer.h"

#include "base/str.h"

/* For people: cut between characters, and dropped if it is no text. */
static void
answer_tell(struct wechat_answer *answer, const char *text)
{
	size_t len = strlen(text);

	if (!str_is_plain(text))
		len = 0;
	if (len >= sizeof(answer->text)) {
		len = sizeof(answer->text) - 1;
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(answer->text, text, len);
	answer->text[len] = '\0';
}

bool
wechat_answer_end(struct wechat_answer *answer, enum wechat_verdict verdict,
    const char *code, const char *text, bool alarm)
{
	answer->verdict = verdict;
	if (!str_is_of(code, STR_UPPER STR_LOWER STR_DIGITS "_", 1,
	    WECHAT_CODE_SIZE - 1)
	    || !str_copy(answer->code, sizeof(answer->code), code))
		memcpy(answer->code, "ODD_CODE", sizeof("ODD_CODE"));
	answer_tell(answer, text);
	answer->alarm = alarm;
	return false;
}

bool
wechat_answer_arrived(const struct wechat_http_reply *reply,
    struct wechat_answer *answer)
{
	if (reply->code[0] == '\0')
		return true;
	return wechat_answer_end(answer, reply->sent ? WECHAT_UNSURE
	    : WECHAT_NOT_SENT, reply->code, reply->text, false);
}

void
wechat_answer_doubt(struct wechat_answer *answer, const char *code,
    const char *text)
{
	(void)wechat_answer_end(answer, WECHAT_UNSURE, code, text, true);
}
