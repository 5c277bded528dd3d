/*
 * store_order: every verdict of the functions about orders and payments, as
 * C sees it; and that of fifty at once one pays. [threats P6]
 */
#include "database.h"

static struct store *pay, *notify, *worker;

static struct store_paid
start(const char *order_no, enum store_pay_verdict verdict)
{
	struct store_pay what = pay_signed(order_no);
	struct store_paid paid = { 0 };

	must(store_pay_start(pay, &what, in_ms(DEADLINE_MS), &paid, &err));
	assert_int_equal(paid.verdict, verdict);
	return paid;
}

static struct store_outcome
outcome_of(const struct store_paid *paid, const char *verdict)
{
	return (struct store_outcome){
		.out_trade_no = paid->payment.out_trade_no,
		.lease_no = paid->lease_no,
		.call_no = paid->call_no,
		.verdict = verdict,
		.code = "",
		.check_s = 30,
	};
}

static enum store_payment_state
prepaid(const struct store_paid *paid, const char *verdict)
{
	const struct payment_prepay prepay = {
		.prepay_id = "wx201",
		.code_url = "weixin://wxpay/bizpayurl?pr=1",
	};
	struct store_outcome outcome = outcome_of(paid, verdict);
	enum store_payment_state state = 0;

	must(store_payment_prepaid(pay, &outcome, &prepay,
	    in_ms(DEADLINE_MS), &state, &err));
	return state;
}

static enum store_settled
settle(const char *out_trade_no)
{
	struct payment_facts facts = facts_of(out_trade_no);
	struct store_raw raw = raw_of("settle");
	enum store_settled settled = 0;

	must(notice_paid(notify, &raw, &facts, in_ms(DEADLINE_MS),
	    &settled, &err));
	return settled;
}

/* Six minutes later WeChat lets it be closed. */
static void
grow_old(const char *out_trade_no)
{
	sql("update wxpay_data.payments set created_at = created_at - "
	    "interval '6 minutes', close_at = close_at - interval "
	    "'6 minutes', check_at = check_at - interval '6 minutes' "
	    "where out_trade_no = '%s'", out_trade_no);
}

static int
open_stores(void **state)
{
	(void)state;
	pay = store_as("wxpay_pay", THREADS);
	notify = store_as("wxpay_notify", 4);
	worker = store_as("wxpay_worker", 4);
	sql("set session authorization postgres; "
	    "select wxpay.product_set('tea', 'Tea 茶', 100)");
	return 0;
}

static int
close_stores(void **state)
{
	(void)state;
	store_close(pay);
	store_close(notify);
	store_close(worker);
	return 0;
}

/* ------------------------------------------------------------- POST /pay */

static void
signed_order_is_paid_for(void **state)
{
	struct store_paid paid = start("T-1001", STORE_PAY_CALL);

	(void)state;
	assert_string_equal(paid.order_no, "T-1001");
	assert_int_equal(strlen(paid.token), TOKEN_LEN);
	assert_string_equal(paid.order_state, "pending");
	assert_string_equal(paid.return_url, "");
	assert_string_equal(paid.payment.out_trade_no, "T-1001");
	assert_string_equal(paid.payment.payee.appid, "wx1");
	assert_string_equal(paid.payment.trade_type, "NATIVE");
	assert_string_equal(paid.payment.openid, "");
	assert_string_equal(paid.payment.client_ip, "203.0.113.7");
	assert_string_equal(paid.payment.body, "tea");
	assert_string_equal(paid.payment.attach, "");
	assert_string_equal(paid.payment.product_id, "");
	assert_int_equal(paid.payment.total_fen, 1000);
	assert_int_equal(paid.payment.time_expire, 4102444800);
	assert_int_equal(paid.lease_no, 1);
	assert_true(paid.call_no > 0);

	(void)start("T-1001", STORE_PAY_WAIT);
	assert_int_equal(prepaid(&paid, "done"), STORE_PAYMENT_PREPAID);
	/* told again, for the first telling may have been lost */
	assert_int_equal(prepaid(&paid, "done"), STORE_PAYMENT_PREPAID);
	paid.lease_no = 7;
	assert_int_equal(prepaid(&paid, "done"), STORE_PAYMENT_STALE);
	paid = start("T-1001", STORE_PAY_READY);
	assert_string_equal(paid.prepay.prepay_id, "wx201");
	assert_string_equal(paid.prepay.code_url,
	    "weixin://wxpay/bizpayurl?pr=1");
	assert_string_equal(paid.prepay.h5_url, "");
	assert_int_equal(settle("T-1001"), STORE_SETTLED);
	paid = start("T-1001", STORE_PAY_PAID);
	assert_string_equal(paid.order_state, "paid");
	assert_string_equal(paid.payment.out_trade_no, "");
}

static void
product_and_token(void **state)
{
	struct store_pay what = pay_signed(NULL);
	struct store_paid paid = { 0 };
	char order_no[ORDER_NO_MAX + 1];
	char token[TOKEN_LEN + 1];

	(void)state;
	what.way = "product";
	what.product_id = "tea";
	what.quantity = 3;
	what.total_fen = 0;
	what.attach = "table 5";
	what.return_url = "https://shop.example/done";
	what.request_id = "request-00000001";
	must(store_pay_start(pay, &what, in_ms(DEADLINE_MS), &paid, &err));
	assert_int_equal(paid.verdict, STORE_PAY_CALL);
	assert_int_equal(paid.payment.total_fen, 300);
	assert_string_equal(paid.payment.body, "Tea 茶");
	assert_string_equal(paid.payment.attach, "table 5");
	assert_string_equal(paid.payment.product_id, "tea");
	assert_string_equal(paid.return_url, "https://shop.example/done");
	assert_true(str_copy(order_no, sizeof(order_no), paid.order_no));
	assert_true(str_copy(token, sizeof(token), paid.token));
	must(store_pay_start(pay, &what, in_ms(DEADLINE_MS), &paid, &err));
	assert_int_equal(paid.verdict, STORE_PAY_WAIT);
	assert_string_equal(paid.order_no, order_no);

	what.quantity = 4;
	must(store_pay_start(pay, &what, in_ms(DEADLINE_MS), &paid, &err));
	assert_int_equal(paid.verdict, STORE_PAY_DIFFERS);
	what.request_id = NULL;
	what.total_fen = 399;
	must(store_pay_start(pay, &what, in_ms(DEADLINE_MS), &paid, &err));
	assert_int_equal(paid.verdict, STORE_PAY_PRICE);
	assert_int_equal(paid.payment.total_fen, 400);
	what.product_id = "coffee";
	must(store_pay_start(pay, &what, in_ms(DEADLINE_MS), &paid, &err));
	assert_int_equal(paid.verdict, STORE_PAY_UNKNOWN);
	what.product_id = "tea";
	what.quantity = 30000000;
	must(store_pay_start(pay, &what, in_ms(DEADLINE_MS), &paid, &err));
	assert_int_equal(paid.verdict, STORE_PAY_TOO_MUCH);

	what = pay_signed(order_no);
	what.way = "order";
	what.token = token;
	what.total_fen = 0;
	must(store_pay_start(pay, &what, in_ms(DEADLINE_MS), &paid, &err));
	assert_int_equal(paid.verdict, STORE_PAY_WAIT);
	what.trade_type = "JSAPI";
	what.openid = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
	must(store_pay_start(pay, &what, in_ms(DEADLINE_MS), &paid, &err));
	assert_int_equal(paid.verdict, STORE_PAY_CALL);
	assert_string_equal(paid.payment.openid, what.openid);
	assert_string_equal(paid.payment.out_trade_no + strlen(order_no),
	    "_2");
	sql("update wxpay_data.orders set attempts = 99 "
	    "where order_no = '%s'", order_no);
	what.openid = "o2";
	must(store_pay_start(pay, &what, in_ms(DEADLINE_MS), &paid, &err));
	assert_int_equal(paid.verdict, STORE_PAY_EXHAUSTED);
	sql("update wxpay_data.orders set time_expire = now() "
	    "where order_no = '%s'", order_no);
	must(store_pay_start(pay, &what, in_ms(DEADLINE_MS), &paid, &err));
	assert_int_equal(paid.verdict, STORE_PAY_EXPIRED);
	what.token = "0000000000000000000000";
	must(store_pay_start(pay, &what, in_ms(DEADLINE_MS), &paid, &err));
	assert_int_equal(paid.verdict, STORE_PAY_UNKNOWN);
}

/* ---------------------------------------------------- asking and closing */

static void
dead_caller_is_asked_about(void **state)
{
	struct store_paid paid = start("T-2001", STORE_PAY_CALL);
	struct payment_facts facts = facts_of("T-2001");
	struct store_outcome outcome;
	enum store_settled settled = 0;

	(void)state;
	assert_int_equal(prepaid(&paid, "unsure"), STORE_PAYMENT_CREATED);
	paid = start("T-2001", STORE_PAY_ASK);
	outcome = outcome_of(&paid, "missing");
	must(store_payment_told(pay, &outcome, NULL, in_ms(DEADLINE_MS),
	    &settled, &err));
	assert_int_equal(settled, STORE_NOT_PAID);
	paid = start("T-2001", STORE_PAY_CALL);
	assert_int_equal(prepaid(&paid, "closed"), STORE_PAYMENT_CLOSED);
	paid = start("T-2001", STORE_PAY_CALL);
	assert_string_equal(paid.payment.out_trade_no, "T-2001_2");
	assert_int_equal(prepaid(&paid, "paid"), STORE_PAYMENT_CREATED);
	paid = start("T-2001", STORE_PAY_ASK);

	outcome = outcome_of(&paid, "done");
	facts = facts_of("T-2001_2");
	facts.fate = PAYMENT_UNPAID;
	must(store_payment_told(pay, &outcome, &facts, in_ms(DEADLINE_MS),
	    &settled, &err));
	assert_int_equal(settled, STORE_NOT_PAID);
	facts.fate = PAYMENT_UNKNOWN;
	must(store_payment_told(pay, &outcome, &facts, in_ms(DEADLINE_MS),
	    &settled, &err));
	assert_int_equal(settled, STORE_NOT_PAID);
	facts.fate = PAYMENT_PAID;
	facts.total_fen = 1;
	must(store_payment_told(pay, &outcome, &facts, in_ms(DEADLINE_MS),
	    &settled, &err));
	assert_int_equal(settled, STORE_DIFFERS);
	facts.total_fen = 1000;
	must(store_payment_told(pay, &outcome, &facts, in_ms(DEADLINE_MS),
	    &settled, &err));
	assert_int_equal(settled, STORE_SETTLED);
	must(store_payment_told(pay, &outcome, &facts, in_ms(DEADLINE_MS),
	    &settled, &err));
	assert_int_equal(settled, STORE_ALREADY);
	facts = facts_of("T-2001");
	outcome.out_trade_no = "T-2001";
	must(store_payment_told(pay, &outcome, &facts, in_ms(DEADLINE_MS),
	    &settled, &err));
	assert_int_equal(settled, STORE_SECOND);
	outcome.out_trade_no = "T-2009";
	must(store_payment_told(pay, &outcome, &facts, in_ms(DEADLINE_MS),
	    &settled, &err));
	assert_int_equal(settled, STORE_UNKNOWN);
	outcome = outcome_of(&paid, "done");
	facts.fate = PAYMENT_CLOSED;
	must(store_payment_told(pay, &outcome, &facts, in_ms(DEADLINE_MS),
	    &settled, &err));
	assert_int_equal(settled, STORE_NOT_PAID);
	/* a payment that there is not cannot be told of: our bug */
	outcome.out_trade_no = "T-2009";
	must_fail(store_payment_told(pay, &outcome, &facts,
	    in_ms(DEADLINE_MS), &settled, &err), ERR_BUG, "unknown word");
}

static void
claimed_asked_closed(void **state)
{
	struct store_paid paid = start("T-2101", STORE_PAY_CALL);
	struct store_payment_claim claim = { 0 };
	enum store_payment_state to = 0;
	struct store_outcome outcome;
	bool found = true;

	(void)state;
	assert_int_equal(prepaid(&paid, "done"), STORE_PAYMENT_PREPAID);
	must(store_payment_claim(worker, "T-2109", "n", 10,
	    in_ms(DEADLINE_MS), &claim, &found, &err));
	assert_false(found);
	must(store_payment_claim(worker, "T-2101", "n", 10,
	    in_ms(DEADLINE_MS), &claim, &found, &err));
	assert_true(found);
	assert_int_equal(claim.op, STORE_PAYMENT_QUERY);
	assert_string_equal(claim.key.out_trade_no, "T-2101");
	assert_string_equal(claim.order_no, "T-2101");
	assert_string_equal(claim.key.payee.appid, "wx1");
	assert_int_equal(claim.key.api, PAYMENT_V2);
	assert_int_equal(claim.total_fen, 1000);
	assert_in_range(claim.age_s, 0, 5);
	assert_int_equal(claim.lease_no, 2);
	assert_true(claim.call_no > paid.call_no);
	must(store_payment_claim(worker, "T-2101", "n", 10,
	    in_ms(DEADLINE_MS), &claim, &found, &err));
	assert_false(found);
	sql("update wxpay_data.payments set leased_until = now(), check_at = "
	    "case out_trade_no when 'T-2101' then now() - interval '1 day' "
	    "end where leased_until is not null or out_trade_no = 'T-2101'");
	must(store_payment_claim(worker, NULL, "n", 10, in_ms(DEADLINE_MS),
	    &claim, &found, &err));
	assert_true(found);
	assert_string_equal(claim.key.out_trade_no, "T-2101");
	assert_int_equal(claim.lease_no, 3);

	/* closed under that lease, by which the order is not closed */
	outcome = (struct store_outcome){
		.out_trade_no = "T-2101",
		.lease_no = 3,
		.call_no = claim.call_no,
		.verdict = "unsure",
		.code = "TIMEOUT",
		.check_s = 30,
	};
	must(store_payment_closed(worker, &outcome, in_ms(DEADLINE_MS), &to,
	    &err));
	assert_int_equal(to, STORE_PAYMENT_PREPAID);
	assert_string_equal(sql("select outcome || ' ' || code from "
	    "wxpay_data.calls where call_no = %lld",
	    (long long)claim.call_no), "unsure TIMEOUT");
	outcome.verdict = "done";
	must(store_payment_closed(worker, &outcome, in_ms(DEADLINE_MS), &to,
	    &err));
	assert_int_equal(to, STORE_PAYMENT_CLOSED);
	must(store_payment_closed(worker, &outcome, in_ms(DEADLINE_MS), &to,
	    &err));
	assert_int_equal(to, STORE_PAYMENT_CLOSED);
	assert_int_equal(settle("T-2101"), STORE_SETTLED);
	must(store_payment_closed(worker, &outcome, in_ms(DEADLINE_MS), &to,
	    &err));
	assert_int_equal(to, STORE_PAYMENT_PAID);
}

static void
shopper_gives_up(void **state)
{
	struct store_paid paid = start("T-2201", STORE_PAY_CALL);
	struct store_close closing = { 0 };
	enum store_check_verdict check = 0;
	enum store_payment_state to = 0;
	struct store_outcome outcome;

	(void)state;
	assert_int_equal(prepaid(&paid, "done"), STORE_PAYMENT_PREPAID);
	must(store_order_check(pay, "T-2201", paid.token, in_ms(DEADLINE_MS),
	    &check, &err));
	assert_int_equal(check, STORE_CHECK_ASKED);
	must(store_order_check(pay, "T-2201", paid.token, in_ms(DEADLINE_MS),
	    &check, &err));
	assert_int_equal(check, STORE_CHECK_EARLY);
	must(store_order_check(pay, "T-2201", "x", in_ms(DEADLINE_MS),
	    &check, &err));
	assert_int_equal(check, STORE_CHECK_UNKNOWN);
	must(store_order_close(pay, "T-2201", "x", "n", 10,
	    in_ms(DEADLINE_MS), &closing, &err));
	assert_int_equal(closing.verdict, STORE_CLOSE_UNKNOWN);
	must(store_order_close(pay, "T-2201", paid.token, "n", 10,
	    in_ms(DEADLINE_MS), &closing, &err));
	assert_int_equal(closing.verdict, STORE_CLOSE_CLOSING);
	(void)start("T-2201", STORE_PAY_CLOSING);
	grow_old("T-2201");
	must(store_order_close(pay, "T-2201", paid.token, "n", 10,
	    in_ms(DEADLINE_MS), &closing, &err));
	assert_int_equal(closing.verdict, STORE_CLOSE_CALL);
	assert_string_equal(closing.key.out_trade_no, "T-2201");
	assert_string_equal(closing.key.payee.appid, "wx1");
	outcome = outcome_of(&paid, "done");
	outcome.lease_no = closing.lease_no;
	outcome.call_no = closing.call_no;
	must(store_payment_closed(pay, &outcome, in_ms(DEADLINE_MS), &to,
	    &err));
	assert_int_equal(to, STORE_PAYMENT_CLOSED);
	must(store_order_close(pay, "T-2201", paid.token, "n", 10,
	    in_ms(DEADLINE_MS), &closing, &err));
	assert_int_equal(closing.verdict, STORE_CLOSE_CLOSED);
	must(store_order_check(pay, "T-2201", paid.token, in_ms(DEADLINE_MS),
	    &check, &err));
	assert_int_equal(check, STORE_CHECK_CLOSED);
	(void)start("T-2201", STORE_PAY_CLOSED);
	assert_int_equal(settle("T-2201"), STORE_SETTLED);
	must(store_order_close(pay, "T-2201", paid.token, "n", 10,
	    in_ms(DEADLINE_MS), &closing, &err));
	assert_int_equal(closing.verdict, STORE_CLOSE_PAID);
	must(store_order_check(pay, "T-2201", paid.token, in_ms(DEADLINE_MS),
	    &check, &err));
	assert_int_equal(check, STORE_CHECK_PAID);
}

/* ------------------------------------------------------------ being shown */

static void
orders_are_shown(void **state)
{
	struct store_paid paid = start("T-3001", STORE_PAY_CALL);
	char numbers[3][OUT_TRADE_NO_MAX + 1];
	char order_state[9] = "";
	size_t count = 9;
	char *text = NULL;

	(void)state;
	assert_int_equal(prepaid(&paid, "done"), STORE_PAYMENT_PREPAID);
	must(store_order_show(pay, "T-3001", paid.token, in_ms(DEADLINE_MS),
	    &text, &err));
	assert_non_null(text);
	assert_non_null(strstr(text, "\"T-3001\""));
	free(text);
	must(store_order_show(pay, "T-3001", "x", in_ms(DEADLINE_MS), &text,
	    &err));
	assert_null(text);
	must(store_order_code_url(pay, "T-3001", paid.token,
	    in_ms(DEADLINE_MS), &text, &err));
	assert_string_equal(text, "weixin://wxpay/bizpayurl?pr=1");
	free(text);
	must(store_order_code_url(pay, "T-3001", "x", in_ms(DEADLINE_MS),
	    &text, &err));
	assert_null(text);
	must(store_order_state(pay, "T-3001", in_ms(DEADLINE_MS),
	    order_state, &err));
	assert_string_equal(order_state, "pending");
	must(store_order_state(pay, "T-3009", in_ms(DEADLINE_MS),
	    order_state, &err));
	assert_string_equal(order_state, "");
	must(store_orders_list(pay, "pending", "T-3001", 0, 10,
	    in_ms(DEADLINE_MS), &text, &err));
	assert_non_null(strstr(text, "\"T-3001\""));
	free(text);
	must(store_orders_list(pay, NULL, NULL, 1, 10, in_ms(DEADLINE_MS),
	    &text, &err));
	assert_string_equal(text, "{\"next\": null, \"orders\": []}");
	free(text);

	must(store_order_payments(pay, "T-3001", in_ms(DEADLINE_MS), numbers,
	    3, &count, &err));
	assert_int_equal(count, 1);
	assert_string_equal(numbers[0], "T-3001");
	must(store_order_payments(pay, "T-3001", in_ms(DEADLINE_MS), numbers,
	    0, &count, &err));
	assert_int_equal(count, 0);
	must(store_order_payments(pay, "T-3009", in_ms(DEADLINE_MS), numbers,
	    3, &count, &err));
	assert_int_equal(count, 0);
}

/* ------------------------------------------------------- what time brings */

static void
time_brings(void **state)
{
	long count = 0;

	(void)state;
	must(store_events_number(worker, in_ms(DEADLINE_MS), &count, &err));
	assert_true(count > 0);
	must(store_events_number(worker, in_ms(DEADLINE_MS), &count, &err));
	assert_int_equal(count, 0);
	(void)start("T-4001", STORE_PAY_CALL);
	must(store_order_expire(worker, 100, in_ms(DEADLINE_MS), &count,
	    &err));
	sql("update wxpay_data.orders set time_expire = now() "
	    "where order_no = 'T-4001'");
	must(store_order_expire(worker, 100, in_ms(DEADLINE_MS), &count,
	    &err));
	assert_int_equal(count, 1);
	must(store_calls_sweep(worker, in_ms(DEADLINE_MS), &count, &err));
	assert_int_equal(count, 0);
	must(store_partitions_ahead(worker, in_ms(DEADLINE_MS), &count,
	    &err));
	assert_int_equal(count, 0);
}

/* ------------------------------------------------------------ fifty at once */

struct shopper {
	struct store_pay what;
	struct store_paid paid;
	struct err err;
};

static void *
shop(void *arg)
{
	struct shopper *one = arg;

	if (!store_pay_start(pay, &one->what, in_ms(20000), &one->paid,
	    &one->err))
		one->paid.verdict = 0;
	return NULL;
}

/* Fifty of the same; how many were told to call. */
static int
shop_at_once(const struct store_pay *what)
{
	static struct shopper crowd[THREADS];
	int calls = 0;
	int i = 0;

	for (i = 0; i < THREADS; i++)
		crowd[i] = (struct shopper){ .what = *what };
	threads_run(shop, crowd, sizeof(crowd[0]), THREADS);
	for (i = 0; i < THREADS; i++) {
		if (crowd[i].paid.verdict == 0)
			fail_msg("%s", crowd[i].err.text);
		calls += crowd[i].paid.verdict == STORE_PAY_CALL;
		assert_true(crowd[i].paid.verdict == STORE_PAY_CALL
		    || crowd[i].paid.verdict == STORE_PAY_WAIT);
		assert_string_equal(crowd[i].paid.order_no,
		    crowd[0].paid.order_no);
		assert_string_equal(crowd[i].paid.token,
		    crowd[0].paid.token);
	}
	return calls;
}

static void
one_of_fifty_calls(void **state)
{
	struct store_pay what = pay_signed(NULL);
	char request_id[REQUEST_ID_MAX + 1];
	char order_no[ORDER_NO_MAX + 1];
	int round = 0;

	(void)state;
	what.way = "product";
	what.product_id = "tea";
	what.quantity = 1;
	what.total_fen = 0;
	for (round = 0; round < 10; round++) {
		snprintf(request_id, sizeof(request_id), "request-fifty-%d",
		    round);
		what.request_id = request_id;
		assert_int_equal(shop_at_once(&what), 1);
	}
	for (round = 0; round < 10; round++) {
		snprintf(order_no, sizeof(order_no), "T-5%02d1", round);
		what = pay_signed(order_no);
		assert_int_equal(shop_at_once(&what), 1);
	}
	assert_int_equal(sql_long("select count(*) from wxpay_data.orders "
	    "where order_no in (select order_no from wxpay_data.request_ids "
	    "where request_id like 'request-fifty-%')"), 10);
	print_message("%d rounds of %d\n", 2 * round, THREADS);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(signed_order_is_paid_for),
		cmocka_unit_test(product_and_token),
		cmocka_unit_test(dead_caller_is_asked_about),
		cmocka_unit_test(claimed_asked_closed),
		cmocka_unit_test(shopper_gives_up),
		cmocka_unit_test(orders_are_shown),
		cmocka_unit_test(time_brings),
		cmocka_unit_test(one_of_fifty_calls),
	};
	int failed = 0;

	(void)argc;
	database_need(argv);
	failed = cmocka_run_group_tests_name("store_order", tests,
	    open_stores, close_stores);
	database_leave();
	return failed;
}
