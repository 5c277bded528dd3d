#include "store/store_notice.h"

#include "store/store_query.h"

static void
notice_begin(struct store_query *query, enum store_function function,
    const struct store *store, const struct store_raw *raw,
    const struct notice *notice)
{
	store_query_init(query, function, store);
	store_query_text(query, payment_api_name(notice->api));
	store_query_text(query, raw->request_id);
	store_query_text(query, notice->proof);
	store_query_bytes(query, raw->bytes, raw->len);
}

bool
store_notice_paid(struct store *store, const struct store_raw *raw,
    const struct notice *notice, int64_t deadline,
    enum store_settled *out, struct err *err)
{
	const struct payment_facts *facts = &notice->payment;
	static const struct store_word words[] = {
		{ "settled", STORE_SETTLED },
		{ "already", STORE_ALREADY },
		{ "second", STORE_SECOND },
		{ "differs", STORE_DIFFERS },
		{ "unknown", STORE_UNKNOWN },
		{ NULL, 0 },
	};
	struct store_query query;
	int word = 0;

	notice_begin(&query, STORE_SQL_NOTICE_PAID, store, raw, notice);
	store_query_text(&query, facts->out_trade_no);
	store_query_text(&query, facts->transaction_id);
	store_query_text(&query, facts->appid);
	store_query_text(&query, facts->sub_mchid);
	store_query_int(&query, facts->total_fen);
	store_query_text(&query, facts->currency);
	store_query_text(&query, facts->openid);
	store_query_text(&query, facts->bank_type);
	store_query_int(&query, facts->paid_at);
	if (!store_query_word(store, &query, deadline, words, &word, err))
		return false;
	*out = (enum store_settled)word;
	return true;
}

bool
store_notice_refunded(struct store *store, const struct store_raw *raw,
    const struct notice *notice, int64_t deadline,
    enum store_refund_notice *out, struct err *err)
{
	const struct refund_facts *facts = &notice->refund;
	static const struct store_word words[] = {
		{ "hinted", STORE_NOTICE_HINTED },
		{ "refunded", STORE_NOTICE_REFUNDED },
		{ "already", STORE_NOTICE_ALREADY },
		{ "unexpected", STORE_NOTICE_UNEXPECTED },
		{ "differs", STORE_NOTICE_DIFFERS },
		{ "unknown", STORE_NOTICE_UNKNOWN },
		{ NULL, 0 },
	};
	struct store_query query;
	int word = 0;

	notice_begin(&query, STORE_SQL_NOTICE_REFUNDED, store, raw, notice);
	store_query_text(&query, facts->out_refund_no);
	store_query_text(&query, facts->out_trade_no);
	store_query_text(&query, facts->transaction_id);
	store_query_text(&query, facts->sub_mchid);
	store_query_int(&query, facts->refund_fen);
	store_query_int(&query, facts->total_fen);
	store_query_text(&query, facts->fate == REFUND_SUCCESS ? "t" : "f");
	store_query_text(&query, notice->is_signed ? "t" : "f");
	store_query_text(&query, facts->refund_id);
	store_query_int(&query, facts->refunded_at);
	if (!store_query_word(store, &query, deadline, words, &word, err))
		return false;
	*out = (enum store_refund_notice)word;
	return true;
}

bool
store_notice_other(struct store *store, const struct store_raw *raw,
    const struct notice *notice, int64_t deadline, struct err *err)
{
	static const struct store_word words[] = { { "t", true }, { NULL, 0 } };
	struct store_query query;
	int word;

	notice_begin(&query, STORE_SQL_NOTICE_OTHER, store, raw, notice);
	store_query_text(&query, notice->event_type);
	return store_query_word(store, &query, deadline, words, &word, err);
}
