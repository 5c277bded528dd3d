#include "store/store_notice.h"

#include "store/store_query.h"

static void
notice_begin(struct store_query *query, enum store_function function,
    const struct store *store, const struct store_raw *raw)
{
	store_query_init(query, function, store);
	store_query_text(query, raw->api);
	store_query_text(query, raw->request_id);
	store_query_bytes(query, raw->bytes, raw->len);
}

bool
store_notice_paid(struct store *store, const struct store_raw *raw,
    const struct payment_facts *facts, int64_t deadline,
    enum store_settled *out, struct err *err)
{
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

	notice_begin(&query, STORE_SQL_NOTICE_PAID, store, raw);
	store_query_text(&query, facts->out_trade_no);
	store_query_text(&query, facts->transaction_id);
	store_query_text(&query, facts->appid);
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
    const struct refund_facts *facts, int64_t deadline,
    enum store_refund_notice *out, struct err *err)
{
	static const struct store_word words[] = {
		{ "hinted", STORE_NOTICE_HINTED },
		{ "already", STORE_NOTICE_ALREADY },
		{ "differs", STORE_NOTICE_DIFFERS },
		{ "unknown", STORE_NOTICE_UNKNOWN },
		{ NULL, 0 },
	};
	struct store_query query;
	int word = 0;

	notice_begin(&query, STORE_SQL_NOTICE_REFUNDED, store, raw);
	store_query_text(&query, facts->out_refund_no);
	store_query_text(&query, facts->out_trade_no);
	store_query_text(&query, facts->transaction_id);
	store_query_int(&query, facts->refund_fen);
	store_query_int(&query, facts->total_fen);
	store_query_text(&query, facts->fate == REFUND_SUCCESS ? "t" : "f");
	if (!store_query_word(store, &query, deadline, words, &word, err))
		return false;
	*out = (enum store_refund_notice)word;
	return true;
}
