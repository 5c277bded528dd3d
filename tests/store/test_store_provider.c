/*
 * store_provider: a service provider's payment is read back with its
 * sub-merchant wherever WeChat is to be called about it, and settled and
 * refunded by words about this sub-merchant alone.
 */
#include "database.h"

#include "store/store_micropay.h"

#define SUB_MCHID "1900000901"

static struct store *pay, *notify, *refund, *worker;

static int
open_stores(void **state)
{
	(void)state;
	pay = store_as("wxpay_pay", 2);
	notify = store_as("wxpay_notify", 2);
	refund = store_as("wxpay_refund", 2);
	worker = store_as("wxpay_worker", 2);
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

static const struct payment_payee ours = {
	.appid = "wx1", .sub_mchid = SUB_MCHID, .sub_appid = "wx9",
};

static struct store_pay
pay_ours(const char *order_no)
{
	struct store_pay what = pay_signed(order_no);

	what.payee = ours;
	return what;
}

static void
assert_ours(const struct payment_payee *payee)
{
	assert_string_equal(payee->appid, "wx1");
	assert_string_equal(payee->sub_mchid, SUB_MCHID);
	assert_string_equal(payee->sub_appid, "wx9");
}

static struct store_paid
start(const struct store_pay *what, enum store_pay_verdict verdict)
{
	struct store_paid paid = { 0 };

	must(store_pay_start(pay, what, in_ms(DEADLINE_MS), &paid, &err));
	assert_int_equal(paid.verdict, verdict);
	return paid;
}

static enum store_settled
noticed(const char *out_trade_no, const char *sub_mchid)
{
	struct payment_facts facts = facts_of(out_trade_no);
	struct store_raw raw = raw_of("noticed");
	enum store_settled settled = 0;

	assert_true(str_copy(facts.sub_mchid, sizeof(facts.sub_mchid),
	    sub_mchid));
	facts.paid_at = clock_now();
	must(notice_paid(notify, &raw, &facts, in_ms(DEADLINE_MS), &settled,
	    &err));
	return settled;
}

static enum store_settled
queried(const struct store_payment_claim *claim, const char *sub_mchid)
{
	struct payment_facts facts = facts_of(claim->key.out_trade_no);
	const struct store_outcome outcome = {
		.out_trade_no = claim->key.out_trade_no,
		.lease_no = claim->lease_no,
		.call_no = claim->call_no,
		.verdict = "done",
		.code = "",
		.check_s = 30,
	};
	enum store_settled settled = 0;

	assert_true(str_copy(facts.sub_mchid, sizeof(facts.sub_mchid),
	    sub_mchid));
	must(store_payment_told(worker, &outcome, &facts, in_ms(DEADLINE_MS),
	    &settled, &err));
	return settled;
}

static void
started_and_asked_about(void **state)
{
	struct store_pay what = pay_ours("V-1001");
	struct store_paid paid = start(&what, STORE_PAY_CALL);
	struct store_payment_claim claim;
	bool found = false;

	(void)state;
	assert_ours(&paid.payment.payee);
	paid = start(&what, STORE_PAY_WAIT);
	assert_ours(&paid.payment.payee);
	/* for another sub-merchant, and for the provider himself */
	what.payee.sub_mchid[9] = '2';
	paid = start(&what, STORE_PAY_CALL);
	assert_string_equal(paid.payment.out_trade_no, "V-1001_2");
	assert_string_equal(paid.payment.payee.sub_mchid, "1900000902");
	what.payee = (struct payment_payee){ .appid = "wx1" };
	paid = start(&what, STORE_PAY_CALL);
	assert_string_equal(paid.payment.out_trade_no, "V-1001_3");
	assert_string_equal(paid.payment.payee.sub_mchid, "");
	assert_string_equal(paid.payment.payee.sub_appid, "");

	sql("update wxpay_data.payments set leased_until = now() "
	    "where out_trade_no = 'V-1001'");
	must(store_payment_claim(worker, "V-1001", "n", 10,
	    in_ms(DEADLINE_MS), &claim, &found, &err));
	assert_true(found);
	assert_ours(&claim.key.payee);
	assert_int_equal(queried(&claim, "1900000902"), STORE_DIFFERS);
	assert_int_equal(queried(&claim, ""), STORE_DIFFERS);
	assert_int_equal(queried(&claim, SUB_MCHID), STORE_SETTLED);
}

static void
closed(void **state)
{
	struct store_pay what = pay_ours("V-2001");
	struct store_paid paid = start(&what, STORE_PAY_CALL);
	struct store_close closing = { 0 };

	(void)state;
	sql("update wxpay_data.payments set unsure = false, leased_until = "
	    "null, close_at = now() where out_trade_no = 'V-2001'");
	must(store_order_close(pay, "V-2001", paid.token, "n", 10,
	    in_ms(DEADLINE_MS), &closing, &err));
	assert_int_equal(closing.verdict, STORE_CLOSE_CALL);
	assert_ours(&closing.key.payee);
}

static void
scanned(void **state)
{
	struct store_pay what = pay_ours("V-3001");
	struct store_micropaid out = { 0 };
	struct store_payment_claim claim;
	struct payment_facts facts = facts_of("V-3001");
	struct store_outcome outcome = {
		.out_trade_no = "V-3001",
		.verdict = "done",
		.code = "",
		.check_s = 5,
	};
	enum store_micropay_state now = 0;
	bool found = false;

	(void)state;
	what.request_id = "request-of-V-3001";
	must(store_micropay_start(pay, &what, "alice", in_ms(DEADLINE_MS),
	    &out, &err));
	assert_int_equal(out.paid.verdict, STORE_PAY_CALL);
	assert_ours(&out.paid.payment.payee);
	outcome.lease_no = out.paid.lease_no;
	outcome.call_no = out.paid.call_no;
	must(store_micropay_told(pay, &outcome, &facts, "",
	    in_ms(DEADLINE_MS), &now, &err));
	assert_int_equal(now, STORE_MICROPAY_DIFFERS);

	sql("update wxpay_data.payments set leased_until = null "
	    "where out_trade_no = 'V-3001'");
	must(store_micropay_claim(worker, "V-3001", "n", 10,
	    in_ms(DEADLINE_MS), &claim, &found, &err));
	assert_true(found);
	assert_ours(&claim.key.payee);
	outcome.lease_no = claim.lease_no;
	outcome.call_no = claim.call_no;
	must(store_micropay_asked(worker, &outcome, &facts,
	    in_ms(DEADLINE_MS), &now, &err));
	assert_int_equal(now, STORE_MICROPAY_DIFFERS);
	assert_true(str_copy(facts.sub_mchid, sizeof(facts.sub_mchid),
	    SUB_MCHID));
	must(store_micropay_asked(worker, &outcome, &facts,
	    in_ms(DEADLINE_MS), &now, &err));
	assert_int_equal(now, STORE_MICROPAY_SETTLED);
}

/* What a query says of the claimed refund. */
static enum store_refund_state
refund_queried(const struct store_refund_claim *claim,
    const struct refund_facts *facts)
{
	const struct store_refund_outcome outcome = {
		.claim = claim,
		.verdict = "done",
		.code = "",
		.refund_id = "",
		.facts = facts,
	};
	enum store_refund_state now = 0;

	must(store_refund_told(worker, &outcome, in_ms(DEADLINE_MS), &now,
	    &err));
	return now;
}

static void
paid_and_refunded(void **state)
{
	struct store_pay what = pay_ours("V-4001");
	const struct store_refund_ask ask = {
		.order_no = "V-4001",
		.refund_fen = 400,
		.actor = "alice",
	};
	struct refund_facts facts = {
		.fate = REFUND_SUCCESS,
		.sub_mchid = "1900000902",
		.out_refund_no = "RV-4001-1",
		.refund_id = "50000",
		.out_trade_no = "V-4001",
		.transaction_id = "txV-4001",
		.total_fen = 1000,
		.refund_fen = 400,
	};
	struct store_raw raw = raw_of("refund");
	struct store_refund_claim claim;
	enum store_refund_verdict asked = 0;
	enum store_decide_verdict decided = 0;
	enum store_refund_notice told = 0;
	char now[10], *json = NULL;
	fen_t left_fen = 0;
	bool found = false;

	(void)state;
	(void)start(&what, STORE_PAY_CALL);
	assert_int_equal(noticed("V-4001", ""), STORE_DIFFERS);
	assert_int_equal(noticed("V-4001", "1900000902"), STORE_DIFFERS);
	assert_int_equal(noticed("V-4001", SUB_MCHID), STORE_SETTLED);
	assert_int_equal(noticed("V-4001", SUB_MCHID), STORE_ALREADY);

	must(store_refund_request(refund, &ask, in_ms(DEADLINE_MS), &asked,
	    &json, &left_fen, &err));
	free(json);
	must(store_refund_decide(refund, "RV-4001-1", "approve", "bob",
	    "well", NULL, 0, in_ms(DEADLINE_MS), &decided, now, &err));
	must(store_refund_claim(worker, "RV-4001-1", "n", 10,
	    in_ms(DEADLINE_MS), &claim, &found, &err));
	assert_true(found);
	assert_ours(&claim.refund.payee);
	must(notice_refunded(notify, &raw, &facts, in_ms(DEADLINE_MS), &told,
	    &err));
	assert_int_equal(told, STORE_NOTICE_DIFFERS);
	claim.op = STORE_REFUND_QUERY;
	assert_int_equal(refund_queried(&claim, &facts),
	    STORE_REFUND_REFUNDING);
	assert_true(str_copy(facts.sub_mchid, sizeof(facts.sub_mchid),
	    SUB_MCHID));
	must(notice_refunded(notify, &raw, &facts, in_ms(DEADLINE_MS), &told,
	    &err));
	assert_int_equal(told, STORE_NOTICE_HINTED);
	assert_int_equal(refund_queried(&claim, &facts),
	    STORE_REFUND_REFUNDED);
	/* not named */
	facts.sub_mchid[0] = '\0';
	must(notice_refunded(notify, &raw, &facts, in_ms(DEADLINE_MS), &told,
	    &err));
	assert_int_equal(told, STORE_NOTICE_ALREADY);
	assert_string_equal(sql("select string_agg(detail, '; ' order by seq)"
	    " from wxpay_data.unexpected where order_no = 'V-4001'"),
	    "sub_mchid, notice; sub_mchid, refund notice; "
	    "sub_mchid, refund query");
}

/* An ordinary merchant's payment is no sub-merchant's. */
static void
ordinary(void **state)
{
	(void)state;
	order_make(pay, "V-5001");
	assert_int_equal(noticed("V-5001", SUB_MCHID), STORE_DIFFERS);
	assert_int_equal(noticed("V-5001", ""), STORE_SETTLED);
}

int
main(int argc UNUSED, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(started_and_asked_about),
		cmocka_unit_test(closed),
		cmocka_unit_test(scanned),
		cmocka_unit_test(paid_and_refunded),
		cmocka_unit_test(ordinary),
	};
	int failed;

	database_need(argv);
	failed = cmocka_run_group_tests_name("store_provider", tests,
	    open_stores, close_stores);
	database_leave();
	return failed;
}
