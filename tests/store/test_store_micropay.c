/*
 * store_micropay: every word of the functions about payments by a code, as C
 * sees it; and that of fifty at once one calls. [threats P6]
 */
#include "database.h"

#include "store/store_micropay.h"

static struct store *pay, *worker;

static struct store_micropaid
start(const char *order_no, const char *request_id,
    enum store_pay_verdict verdict)
{
	struct store_pay what = pay_signed(order_no);
	struct store_micropaid out = { 0 };

	what.request_id = request_id;
	what.close_after_s = 45;
	must(store_micropay_start(pay, &what, "alice", in_ms(DEADLINE_MS),
	    &out, &err));
	assert_int_equal(out.paid.verdict, verdict);
	return out;
}

static struct store_outcome
outcome_of(const char *out_trade_no, int64_t lease_no, int64_t call_no,
    const char *verdict)
{
	return (struct store_outcome){
		.out_trade_no = out_trade_no, .lease_no = lease_no,
		.call_no = call_no, .verdict = verdict, .code = "",
		.check_s = 5,
	};
}

static enum store_micropay_state
told(const struct store_micropaid *out, const char *verdict,
    const char *refusal)
{
	const char *number = out->paid.payment.out_trade_no;
	struct payment_facts facts = facts_of(number);
	struct store_outcome outcome = outcome_of(number, out->paid.lease_no,
	    out->paid.call_no, verdict);
	enum store_micropay_state state = 0;

	must(store_micropay_told(pay, &outcome, str_eq(verdict, "done")
	    ? &facts : NULL, refusal, in_ms(DEADLINE_MS), &state, &err));
	return state;
}

static struct store_payment_claim
claim(enum store_payment_op op)
{
	struct store_payment_claim claimed;
	bool found = false;

	must(store_micropay_claim(worker, NULL, "nonce", 15,
	    in_ms(DEADLINE_MS), &claimed, &found, &err));
	assert_true(found);
	assert_int_equal(claimed.op, op);
	assert_int_equal(claimed.key.api, PAYMENT_V2);
	return claimed;
}

static enum store_micropay_state
asked(const struct store_payment_claim *claimed, enum payment_fate fate)
{
	struct payment_facts facts = facts_of(claimed->key.out_trade_no);
	struct store_outcome outcome = outcome_of(claimed->key.out_trade_no,
	    claimed->lease_no, claimed->call_no, "done");
	enum store_micropay_state state = 0;

	facts.fate = fate;
	must(store_micropay_asked(worker, &outcome, &facts,
	    in_ms(DEADLINE_MS), &state, &err));
	return state;
}

static enum store_micropay_state
reversed(const struct store_payment_claim *claimed, const char *verdict)
{
	struct store_outcome outcome = outcome_of(claimed->key.out_trade_no,
	    claimed->lease_no, claimed->call_no, verdict);
	enum store_micropay_state state = 0;

	must(store_micropay_reversed(worker, &outcome, in_ms(DEADLINE_MS),
	    &state, &err));
	return state;
}

static long
expire(void)
{
	long count = -1;

	must(store_micropay_expire(worker, 100, in_ms(DEADLINE_MS), &count,
	    &err));
	return count;
}

static void
grow_old(const char *out_trade_no, const char *what)
{
	sql("update wxpay_data.payments set %s = %s - interval '1 minute' "
	    "where out_trade_no = '%s'", what, what, out_trade_no);
}

static int
open_stores(void **state)
{
	(void)state;
	pay = store_as("wxpay_pay", THREADS);
	worker = store_as("wxpay_worker", 4);
	return 0;
}

static int
close_stores(void **state)
{
	(void)state;
	store_close(pay);
	store_close(worker);
	return 0;
}

static void
paid_at_once(void **state)
{
	struct store_micropaid out = start("C-1001", "request-of-c-1001",
	    STORE_PAY_CALL);

	(void)state;
	assert_string_equal(out.paid.payment.trade_type, "MICROPAY");
	assert_string_equal(out.paid.payment.out_trade_no, "C-1001");
	assert_int_equal(out.paid.payment.api, PAYMENT_V2);
	(void)start("C-1001", "another-of-c-1001", STORE_PAY_BUSY);
	assert_int_equal(told(&out, "done", ""), STORE_MICROPAY_SETTLED);
	assert_int_equal(told(&out, "done", ""), STORE_MICROPAY_PAID);
	out = start("C-1001", "request-of-c-1001", STORE_PAY_STANDS);
	assert_int_equal(out.state, STORE_MICROPAY_PAID);
	(void)start("C-1001", "another-of-c-1001", STORE_PAY_PAID);
	(void)start("C-1002", "request-of-c-1001", STORE_PAY_DIFFERS);
}

static void
refused(void **state)
{
	struct store_micropaid out = start("C-2001", "request-of-c-2001",
	    STORE_PAY_CALL);

	(void)state;
	assert_int_equal(told(&out, "refused", "余额不足"),
	    STORE_MICROPAY_REFUSED);
	out = start("C-2001", "request-of-c-2001", STORE_PAY_STANDS);
	assert_int_equal(out.state, STORE_MICROPAY_REFUSED);
	assert_string_equal(out.refusal, "余额不足");
	out = start("C-2001", "another-of-c-2001", STORE_PAY_CALL);
	assert_string_equal(out.paid.payment.out_trade_no, "C-2001_2");
	assert_int_equal(told(&out, "done", ""), STORE_MICROPAY_SETTLED);
	assert_string_equal(sql("select state from wxpay_data.orders "
	    "where order_no = 'C-2001'"), "paid");
	sql("update wxpay_data.payments set check_at = null "
	    "where out_trade_no = 'C-2001'");
}

static void
asked_and_reversed(void **state)
{
	struct store_micropaid out = start("C-3001", "request-of-c-3001",
	    STORE_PAY_CALL);
	struct store_payment_claim claimed;

	(void)state;
	assert_int_equal(told(&out, "unsure", ""), STORE_MICROPAY_PENDING);
	grow_old("C-3001", "check_at");
	claimed = claim(STORE_PAYMENT_QUERY);
	assert_string_equal(claimed.key.out_trade_no, "C-3001");
	assert_int_equal(asked(&claimed, PAYMENT_UNPAID),
	    STORE_MICROPAY_PENDING);
	assert_int_equal(expire(), 0);
	grow_old("C-3001", "close_at");
	assert_int_equal(expire(), 1);
	claimed = claim(STORE_PAYMENT_REVERSE);
	assert_int_equal(reversed(&claimed, "unsure"),
	    STORE_MICROPAY_PENDING);
	grow_old("C-3001", "check_at");
	claimed = claim(STORE_PAYMENT_QUERY);
	assert_int_equal(asked(&claimed, PAYMENT_PAID),
	    STORE_MICROPAY_PENDING);
	claimed = claim(STORE_PAYMENT_REVERSE);
	assert_int_equal(reversed(&claimed, "done"),
	    STORE_MICROPAY_REVERSED);
	assert_int_equal(told(&out, "done", ""), STORE_MICROPAY_REVERSED);
	out = start("C-3001", "request-of-c-3001", STORE_PAY_STANDS);
	assert_int_equal(out.state, STORE_MICROPAY_REVERSED);
	(void)start("C-3001", "another-of-c-3001", STORE_PAY_CLOSED);
}

static void
shown_to_staff(void **state)
{
	char *json = NULL;

	(void)state;
	must(store_order_staff(pay, "C-3001", in_ms(DEADLINE_MS), &json,
	    &err));
	assert_non_null(strstr(json, "\"reversed\""));
	free(json);
	must(store_order_staff(pay, "C-0000", in_ms(DEADLINE_MS), &json,
	    &err));
	assert_null(json);
}

static void *
start_at_once(void *arg)
{
	*(struct store_micropaid *)arg = (struct store_micropaid){ 0 };
	struct store_pay what = pay_signed("C-4001");
	struct err why = { 0 };

	what.request_id = "request-of-c-4001";
	what.close_after_s = 45;
	assert_true(store_micropay_start(pay, &what, "alice",
	    in_ms(DEADLINE_MS), arg, &why));
	return NULL;
}

static void
one_of_fifty_calls(void **state)
{
	static struct store_micropaid out[THREADS];
	int calls = 0;

	(void)state;
	threads_run(start_at_once, out, sizeof(out[0]), THREADS);
	for (int i = 0; i < THREADS; i++) {
		calls += out[i].paid.verdict == STORE_PAY_CALL;
		assert_true(out[i].paid.verdict == STORE_PAY_CALL
		    || out[i].paid.verdict == STORE_PAY_STANDS);
		assert_string_equal(out[i].paid.token, out[0].paid.token);
	}
	assert_int_equal(calls, 1);
	assert_int_equal(sql_long("select count(*) from wxpay_data.calls "
	    "where out_trade_no = 'C-4001'"), 1);
}

int
main(int argc UNUSED, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paid_at_once),
		cmocka_unit_test(refused),
		cmocka_unit_test(asked_and_reversed),
		cmocka_unit_test(shown_to_staff),
		cmocka_unit_test(one_of_fifty_calls),
	};
	int failed;

	database_need(argv);
	failed = cmocka_run_group_tests_name("store_micropay", tests,
	    open_stores, close_stores);
	database_leave();
	return failed;
}
