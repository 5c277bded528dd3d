/*
 * store_refund: every verdict of the functions about refunds, as C sees it;
 * and of fifty parallel requests for a tenth, ten. [threats R3 R4 R14]
 */
#include "database.h"

static struct store *pay, *notify, *refund, *worker;

static int
open_stores(void **state)
{
	(void)state;
	pay = store_as("wxpay_pay", 2);
	notify = store_as("wxpay_notify", 2);
	refund = store_as("wxpay_refund", THREADS);
	worker = store_as("wxpay_worker", THREADS);
	return 0;
}

static int
close_stores(void **state)
{
	(void)state;
	store_close(pay);
	store_close(notify);
	store_close(refund);
	store_close(worker);
	return 0;
}

static void
order_paid(const char *order_no)
{
	struct payment_facts facts = facts_of(order_no);
	struct store_raw raw = raw_of("paid");
	enum store_settled settled = 0;

	facts.paid_at = clock_now();
	order_make(pay, order_no);
	must(notice_paid(notify, &raw, &facts, in_ms(DEADLINE_MS),
	    &settled, &err));
	assert_int_equal(settled, STORE_SETTLED);
}

static enum store_refund_verdict
ask(const struct store_refund_ask *what)
{
	enum store_refund_verdict verdict = 0;
	char *json = NULL;
	fen_t left_fen = 0;

	must(store_refund_request(refund, what, in_ms(DEADLINE_MS), &verdict,
	    &json, &left_fen, &err));
	assert_true((json != NULL) == (verdict == STORE_REFUND_REQUESTED
	    || verdict == STORE_REFUND_SAME));
	free(json);
	return verdict;
}

static enum store_decide_verdict
decide(const char *out_refund_no, const char *decision, const char *now)
{
	enum store_decide_verdict verdict = 0;
	char is[10] = "";

	must(store_refund_decide(refund, out_refund_no, decision, "bob",
	    "well", NULL, 0, in_ms(DEADLINE_MS), &verdict, is, &err));
	assert_string_equal(is, now);
	return verdict;
}

static struct store_refund_claim
claim(const char *out_refund_no, enum store_refund_op op)
{
	struct store_refund_claim got = { 0 };
	bool found = false;

	must(store_refund_claim(worker, out_refund_no, "n", 10,
	    in_ms(DEADLINE_MS), &got, &found, &err));
	assert_true(found);
	assert_int_equal(got.op, op);
	return got;
}

static enum store_refund_state
outcome_told(const struct store_refund_claim *of, const char *verdict,
    const char *code, enum refund_fate fate)
{
	struct refund_facts facts = {
		.fate = fate,
		.refund_id = "50000",
		.total_fen = 1000,
		.refund_fen = of->refund.refund_fen,
		.refunded_at = fate == REFUND_SUCCESS ? 1772328600 : 0,
	};
	struct store_refund_outcome outcome = {
		.claim = of,
		.verdict = verdict,
		.code = code,
		.refund_id = "",
		.facts = str_eq(verdict, "done") && of->op
		    != STORE_REFUND_SEND ? &facts : NULL,
		.check_s = 0,
		.gap_s = 0,
	};
	enum store_refund_state now = 0;

	assert_true(str_copy(facts.out_trade_no, sizeof(facts.out_trade_no),
	    of->refund.out_trade_no));
	if (of->op == STORE_REFUND_HINT)
		facts.refund_fen = 250;
	must(store_refund_told(worker, &outcome, in_ms(DEADLINE_MS), &now,
	    &err));
	return now;
}

/* ------------------------------------------------------------------ tests */

static void
asked_and_decided(void **state)
{
	struct store_refund_ask what = {
		.order_no = "F-1001",
		.refund_fen = 400,
		.reason = "cold",
		.request_id = "request-00000001",
		.actor = "alice",
	};
	enum store_refund_verdict verdict = 0;
	fen_t left_fen = 0;
	char *json = NULL;

	(void)state;
	assert_int_equal(ask(&what), STORE_REFUND_UNKNOWN);
	order_make(pay, "F-1001");
	assert_int_equal(ask(&what), STORE_REFUND_UNPAID);
	order_paid("F-1002");
	what.order_no = "F-1002";
	must(store_refund_request(refund, &what, in_ms(DEADLINE_MS), &verdict,
	    &json, &left_fen, &err));
	assert_int_equal(verdict, STORE_REFUND_REQUESTED);
	assert_int_equal(left_fen, 600);
	assert_non_null(strstr(json, "\"RF-1002-1\""));
	free(json);
	assert_int_equal(ask(&what), STORE_REFUND_SAME);
	what.refund_fen = 401;
	assert_int_equal(ask(&what), STORE_REFUND_DIFFERS);
	what.request_id = NULL;
	what.refund_fen = 601;
	must(store_refund_request(refund, &what, in_ms(DEADLINE_MS), &verdict,
	    &json, &left_fen, &err));
	assert_int_equal(verdict, STORE_REFUND_TOO_MUCH);
	assert_int_equal(left_fen, 600);
	assert_null(json);
	what.token = "wrong";
	what.actor = "shopper";
	assert_int_equal(ask(&what), STORE_REFUND_UNKNOWN);
	what.token = NULL;
	what.out_trade_no = "F-1001";
	assert_int_equal(ask(&what), STORE_REFUND_UNKNOWN);
	what.out_trade_no = "F-1002";
	sql("update wxpay_data.payments set refund_count = 50 "
	    "where out_trade_no = 'F-1002'");
	what.refund_fen = 1;
	assert_int_equal(ask(&what), STORE_REFUND_TOO_MANY);
	sql("update wxpay_data.payments set refund_count = 1, paid_at = "
	    "paid_at - interval '366 days' where out_trade_no = 'F-1002'");
	assert_int_equal(ask(&what), STORE_REFUND_OVERDUE);
	sql("update wxpay_data.payments set paid_at = now() "
	    "where out_trade_no = 'F-1002'");
	/* all that is left */
	what.refund_fen = 0;
	assert_int_equal(ask(&what), STORE_REFUND_REQUESTED);

	assert_int_equal(decide("RF-1002-9", "approve", ""),
	    STORE_DECIDE_UNKNOWN);
	assert_int_equal(decide("RF-1002-1", "retry", "pending"),
	    STORE_DECIDE_DECIDED);
	assert_int_equal(decide("RF-1002-1", "approve", "refunding"),
	    STORE_DECIDE_DONE);
	assert_int_equal(decide("RF-1002-1", "reject", "refunding"),
	    STORE_DECIDE_DECIDED);
	assert_int_equal(decide("RF-1002-2", "reject", "rejected"),
	    STORE_DECIDE_DONE);
}

static void
sent_and_asked_about(void **state)
{
	struct store_refund_ask what = {
		.order_no = "F-2001",
		.refund_fen = 400,
		.reason = "cold",
		.actor = "alice",
	};
	struct store_refund_claim got;
	bool found = true;

	(void)state;
	order_paid("F-2001");
	assert_int_equal(ask(&what), STORE_REFUND_REQUESTED);
	must(store_refund_claim(worker, "RF-2001-1", "n", 10,
	    in_ms(DEADLINE_MS), &got, &found, &err));
	assert_false(found);
	assert_int_equal(decide("RF-2001-1", "approve", "refunding"),
	    STORE_DECIDE_DONE);
	got = claim("RF-2001-1", STORE_REFUND_SEND);
	assert_string_equal(got.refund.out_refund_no, "RF-2001-1");
	assert_string_equal(got.refund.out_trade_no, "F-2001");
	assert_string_equal(got.refund.transaction_id, "txF-2001");
	assert_string_equal(got.refund.payee.appid, "wx1");
	assert_string_equal(got.refund.reason, "cold");
	assert_int_equal(got.refund.total_fen, 1000);
	assert_int_equal(got.refund.refund_fen, 400);
	assert_false(got.refund.from_recharge);
	assert_false(got.is_abnormal);
	assert_int_equal(got.refund.api, PAYMENT_V2);
	assert_in_range(got.age_s, 0, 5);
	assert_true(got.lease_no > 0 && got.call_no > 0);
	assert_int_equal(outcome_told(&got, "no_money", "NOTENOUGH", 0),
	    STORE_REFUND_REFUNDING);
	got = claim("RF-2001-1", STORE_REFUND_SEND);
	assert_true(got.refund.from_recharge);
	assert_int_equal(outcome_told(&got, "done", "", 0),
	    STORE_REFUND_REFUNDING);
	got = claim("RF-2001-1", STORE_REFUND_QUERY);
	assert_int_equal(outcome_told(&got, "done", "", REFUND_PROCESSING),
	    STORE_REFUND_REFUNDING);
	got = claim("RF-2001-1", STORE_REFUND_QUERY);
	assert_int_equal(outcome_told(&got, "done", "", REFUND_UNKNOWN),
	    STORE_REFUND_REFUNDING);
	got = claim("RF-2001-1", STORE_REFUND_QUERY);
	assert_int_equal(outcome_told(&got, "done", "", REFUND_ABNORMAL),
	    STORE_REFUND_FAILED);
	got = claim("RF-2001-1", STORE_REFUND_QUERY);
	assert_true(got.is_abnormal);
	assert_int_equal(outcome_told(&got, "done", "", REFUND_SUCCESS),
	    STORE_REFUND_REFUNDED);
	assert_int_equal(outcome_told(&got, "done", "", REFUND_SUCCESS),
	    STORE_REFUND_REFUNDED);
	assert_string_equal(sql("select refund_id || ' ' || "
	    "extract(epoch from refunded_at)::bigint from wxpay_data.refunds "
	    "where out_refund_no = 'RF-2001-1'"), "50000 1772328600");

	assert_int_equal(ask(&what), STORE_REFUND_REQUESTED);
	assert_int_equal(decide("RF-2001-2", "approve", "refunding"),
	    STORE_DECIDE_DONE);
	got = claim("RF-2001-2", STORE_REFUND_SEND);
	assert_int_equal(outcome_told(&got, "refused", "TRADE_OVERDUE", 0),
	    STORE_REFUND_FAILED);
	what.refund_fen = 600;
	assert_int_equal(ask(&what), STORE_REFUND_REQUESTED);
	assert_int_equal(decide("RF-2001-2", "retry", "failed"),
	    STORE_DECIDE_TOO_MUCH);
	assert_int_equal(decide("RF-2001-3", "approve", "refunding"),
	    STORE_DECIDE_DONE);
	got.op = STORE_REFUND_QUERY;
	assert_int_equal(outcome_told(&got, "done", "", REFUND_SUCCESS),
	    STORE_REFUND_UNEXPECTED);
}

static void
hinted_at(void **state)
{
	struct store_raw raw = raw_of("hint");
	struct refund_facts facts = {
		.fate = REFUND_SUCCESS,
		.out_refund_no = "hand-f1",
		.out_trade_no = "F-3001",
		.transaction_id = "txF-3001",
		.total_fen = 1000,
		.refund_fen = 250,
	};
	enum store_refund_notice verdict = 0;
	struct store_refund_claim got;

	(void)state;
	order_paid("F-3001");
	sql("update wxpay_data.refunds set due_at = null; "
	    "update wxpay_data.refund_hints set due_at = null");
	must(notice_refunded(notify, &raw, &facts, in_ms(DEADLINE_MS),
	    &verdict, &err));
	assert_int_equal(verdict, STORE_NOTICE_HINTED);
	got = claim(NULL, STORE_REFUND_HINT);
	assert_string_equal(got.refund.out_refund_no, "hand-f1");
	assert_string_equal(got.refund.transaction_id, "txF-3001");
	assert_int_equal(got.refund.refund_fen, 0);
	assert_int_equal(outcome_told(&got, "unsure", "TIMEOUT", 0),
	    STORE_REFUND_HINTED);
	got = claim(NULL, STORE_REFUND_HINT);
	assert_int_equal(outcome_told(&got, "done", "", REFUND_SUCCESS),
	    STORE_REFUND_REFUNDED);
	assert_true(str_copy(got.refund.out_refund_no,
	    sizeof(got.refund.out_refund_no), "hand-f2"));
	assert_true(str_copy(got.refund.out_trade_no,
	    sizeof(got.refund.out_trade_no), "F-3009"));
	assert_int_equal(outcome_told(&got, "done", "", REFUND_SUCCESS),
	    STORE_REFUND_FOREIGN_UNKNOWN);
}

static void
refunds_are_shown(void **state)
{
	struct store_refund_ask what = {
		.order_no = "F-4001",
		.refund_fen = 400,
		.reason = "cold",
		.actor = "alice",
	};
	char token[TOKEN_LEN + 1];
	char *json = NULL;

	(void)state;
	order_paid("F-4001");
	assert_int_equal(ask(&what), STORE_REFUND_REQUESTED);
	assert_true(str_copy(token, sizeof(token), sql("select token from "
	    "wxpay_data.orders where order_no = 'F-4001'")));
	must(store_refund_show(refund, "RF-4001-1", token,
	    in_ms(DEADLINE_MS), &json, &err));
	assert_non_null(strstr(json, "\"RF-4001-1\""));
	assert_null(strstr(json, "alice"));
	free(json);
	must(store_refund_show(refund, "RF-4001-1", "wrong",
	    in_ms(DEADLINE_MS), &json, &err));
	assert_null(json);
	must(store_refunds_list(refund, "pending", 0, 1, in_ms(DEADLINE_MS),
	    &json, &err));
	assert_non_null(strstr(json, "\"RF-4001-1\""));
	assert_non_null(strstr(json, "alice"));
	free(json);
	must(store_refunds_list(refund, NULL, 1, 1, in_ms(DEADLINE_MS),
	    &json, &err));
	assert_string_equal(json, "{\"next\": null, \"refunds\": []}");
	free(json);
}

/* ------------------------------------------------------------ fifty at once */

struct asker {
	struct store_refund_ask what;
	enum store_refund_verdict verdict;
	struct err err;
};

static void *
ask_one(void *arg)
{
	struct asker *one = arg;
	char *json = NULL;
	fen_t left_fen = 0;

	if (!store_refund_request(refund, &one->what, in_ms(20000),
	    &one->verdict, &json, &left_fen, &one->err))
		one->verdict = 0;
	free(json);
	return NULL;
}

static int
asked_at_once(const struct store_refund_ask *what,
    enum store_refund_verdict others)
{
	static struct asker crowd[THREADS];
	int requested = 0;
	int i = 0;

	for (i = 0; i < THREADS; i++)
		crowd[i] = (struct asker){ .what = *what };
	threads_run(ask_one, crowd, sizeof(crowd[0]), THREADS);
	for (i = 0; i < THREADS; i++) {
		if (crowd[i].verdict == STORE_REFUND_REQUESTED)
			requested++;
		else if (crowd[i].verdict != others)
			fail_msg("%d: %s", (int)crowd[i].verdict,
			    crowd[i].err.text);
	}
	return requested;
}

static void
ten_of_fifty_fit(void **state)
{
	struct store_refund_ask what = {
		.refund_fen = 100,
		.reason = "",
		.actor = "alice",
	};
	char order_no[ORDER_NO_MAX + 1];
	int round = 0;

	(void)state;
	for (round = 0; round < 10; round++) {
		snprintf(order_no, sizeof(order_no), "F-5%02d1", round);
		order_paid(order_no);
		what.order_no = order_no;
		assert_int_equal(asked_at_once(&what, STORE_REFUND_TOO_MUCH),
		    10);
		snprintf(order_no, sizeof(order_no), "F-6%02d1", round);
		order_paid(order_no);
		what.request_id = order_no;
		assert_int_equal(asked_at_once(&what, STORE_REFUND_SAME), 1);
		what.request_id = NULL;
	}
	assert_int_equal(sql_long("select count(*) from wxpay_data.payments "
	    "where out_trade_no like 'F-5%' and reserved_fen = 1000 "
	    "and refund_count = 10"), 10);
	print_message("%d rounds of %d\n", 2 * round, THREADS);
}

struct claimer {
	char sent[10][OUT_REFUND_NO_MAX + 1];
	int count;
	struct err err;
};

/* Claims whatever is to be sent until there is nothing left. */
static void *
claim_all(void *arg)
{
	struct claimer *one = arg;
	struct store_refund_claim got;
	bool found = true;

	while (found && one->count < 10) {
		if (!store_refund_claim(worker, NULL, "n", 60, in_ms(20000),
		    &got, &found, &one->err))
			return NULL;
		if (found)
			memcpy(one->sent[one->count++],
			    got.refund.out_refund_no,
			    sizeof(got.refund.out_refund_no));
	}
	return NULL;
}

/* Many workers, many refunds: each is claimed by one of them. */
static void
each_is_claimed_once(void **state)
{
	enum { REFUNDS = 60, WORKERS = 20 };
	static struct claimer crowd[WORKERS];
	struct store_refund_ask what = {
		.refund_fen = 100,
		.reason = "",
		.actor = "alice",
	};
	char number[OUT_REFUND_NO_MAX + 1];
	int claimed = 0;
	int i = 0;

	(void)state;
	sql("update wxpay_data.refunds set due_at = null; "
	    "update wxpay_data.refund_hints set due_at = null");
	for (i = 0; i < REFUNDS; i++) {
		char order_no[ORDER_NO_MAX + 1];

		snprintf(order_no, sizeof(order_no), "F-7%02d1", i);
		snprintf(number, sizeof(number), "R%s-1", order_no);
		order_paid(order_no);
		what.order_no = order_no;
		assert_int_equal(ask(&what), STORE_REFUND_REQUESTED);
		assert_int_equal(decide(number, "approve", "refunding"),
		    STORE_DECIDE_DONE);
	}
	threads_run(claim_all, crowd, sizeof(crowd[0]), WORKERS);
	for (i = 0; i < WORKERS; i++) {
		if (crowd[i].err.kind != ERR_NONE)
			fail_msg("%s", crowd[i].err.text);
		claimed += crowd[i].count;
	}
	assert_int_equal(claimed, REFUNDS);
	assert_int_equal(sql_long("select count(distinct out_refund_no) "
	    "from wxpay_data.calls where out_refund_no like 'RF-7%'"),
	    REFUNDS);
	assert_int_equal(sql_long("select max(lease_no) from "
	    "wxpay_data.calls where out_refund_no like 'RF-7%'"), 2);
	print_message("%d refunds, %d workers\n", REFUNDS, WORKERS);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked_and_decided),
		cmocka_unit_test(sent_and_asked_about),
		cmocka_unit_test(hinted_at),
		cmocka_unit_test(refunds_are_shown),
		cmocka_unit_test(ten_of_fifty_fit),
		cmocka_unit_test(each_is_claimed_once),
	};
	int failed = 0;

	(void)argc;
	database_need(argv);
	failed = cmocka_run_group_tests_name("store_refund", tests,
	    open_stores, close_stores);
	database_leave();
	return failed;
}
