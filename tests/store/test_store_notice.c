/*
 * store_notice: each verdict about what WeChat tells us, a journal row for
 * each telling with its bytes as they came, and one effect of fifty at once.
 * [threats N6 N7 N8 N9 N28 RN1 RN5]
 */
#include "database.h"

static struct store *pay, *notify;

static int
open_stores(void **state)
{
	(void)state;
	pay = store_as("wxpay_pay", 2);
	notify = store_as("wxpay_notify", THREADS);
	return 0;
}

static int
close_stores(void **state)
{
	(void)state;
	store_close(pay);
	store_close(notify);
	return 0;
}

static enum store_settled
told(const struct payment_facts *facts)
{
	struct store_raw raw = raw_of("told");
	enum store_settled settled = 0;

	must(notice_paid(notify, &raw, facts, in_ms(DEADLINE_MS),
	    &settled, &err));
	return settled;
}

static void
each_verdict(void **state)
{
	struct payment_facts facts = facts_of("N-1001");
	struct payment_facts wrong = facts;

	(void)state;
	assert_int_equal(told(&facts), STORE_UNKNOWN);
	order_make(pay, "N-1001");
	wrong.total_fen = 999;
	assert_int_equal(told(&wrong), STORE_DIFFERS);
	wrong = facts;
	wrong.appid[2] = '2';
	assert_int_equal(told(&wrong), STORE_DIFFERS);
	wrong = facts;
	wrong.currency[0] = 'U';
	assert_int_equal(told(&wrong), STORE_DIFFERS);
	assert_int_equal(told(&facts), STORE_SETTLED);
	assert_int_equal(told(&facts), STORE_ALREADY);
	wrong = facts;
	wrong.transaction_id[0] = 'y';
	assert_int_equal(told(&wrong), STORE_SECOND);
	facts.currency[0] = '\0';
	facts.openid[0] = '\0';
	assert_int_equal(told(&facts), STORE_ALREADY);
	assert_int_equal(sql_long("select count(*) from wxpay_data.notices "
	    "where out_trade_no = 'N-1001'"), 8);
	assert_string_equal(sql("select concat_ws(' ', transaction_id, payer,"
	    " bank_type, extract(epoch from paid_at)::bigint) "
	    "from wxpay_data.payments where out_trade_no = 'N-1001'"),
	    "txN-1001 o1 OTHERS 4102444800");
}

/* Whatever the bytes are, they are journalled as they came. */
static void
bytes_stay_bytes(void **state)
{
	static char bytes[65536];
	struct payment_facts facts = facts_of("N-1002");
	struct store_raw raw = {
		.request_id = "bytes",
		.bytes = bytes,
	};
	enum store_settled settled = 0;
	size_t i = 0;

	(void)state;
	order_make(pay, "N-1002");
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 % 256);
	for (i = 0; i <= sizeof(bytes); i = i == 0 ? 1 : i * 4) {
		raw.len = i;
		must(notice_paid(notify, &raw, &facts,
		    in_ms(DEADLINE_MS), &settled, &err));
	}
	assert_string_equal(sql("select string_agg(length(raw)::text, ' ' "
	    "order by seq) from wxpay_data.notices "
	    "where request_id = 'bytes'"),
	    "0 1 4 16 64 256 1024 4096 16384 65536");
	assert_string_equal(sql("select bool_and((select bool_and("
	    "get_byte(raw, i) = i * 7 %% 256) from generate_series(0, "
	    "length(raw) - 1) i)) from wxpay_data.notices "
	    "where request_id = 'bytes'"), "t");
}

static void
refund_notices(void **state)
{
	struct payment_facts facts = facts_of("N-1003");
	struct store_raw raw = raw_of("refund");
	struct refund_facts refund = {
		.fate = REFUND_SUCCESS,
		.out_refund_no = "hand-1",
		.refund_id = "50000",
		.out_trade_no = "N-1003",
		.transaction_id = "txN-1003",
		.total_fen = 1000,
		.refund_fen = 400,
	};
	enum store_refund_notice verdict = 0;

	(void)state;
	must(notice_refunded(notify, &raw, &refund, in_ms(DEADLINE_MS),
	    &verdict, &err));
	assert_int_equal(verdict, STORE_NOTICE_UNKNOWN);
	order_make(pay, "N-1003");
	assert_int_equal(told(&facts), STORE_SETTLED);
	must(notice_refunded(notify, &raw, &refund, in_ms(DEADLINE_MS),
	    &verdict, &err));
	assert_int_equal(verdict, STORE_NOTICE_HINTED);
	refund.total_fen = 999;
	must(notice_refunded(notify, &raw, &refund, in_ms(DEADLINE_MS),
	    &verdict, &err));
	assert_int_equal(verdict, STORE_NOTICE_DIFFERS);
	refund.total_fen = 1000;
	/* it moved no money; once a query has, a success is known */
	assert_int_equal(sql_long("select reserved_fen from "
	    "wxpay_data.payments where out_trade_no = 'N-1003'"), 0);
	sql("select wxpay.refund_told('" MCHID "', 'hand-1', 'hint', 0, 0, "
	    "'done', '', 'success', '50000', 'N-1003', '', 400, 0, 60, 60)");
	must(notice_refunded(notify, &raw, &refund, in_ms(DEADLINE_MS),
	    &verdict, &err));
	assert_int_equal(verdict, STORE_NOTICE_ALREADY);
	refund.fate = REFUND_ABNORMAL;
	must(notice_refunded(notify, &raw, &refund, in_ms(DEADLINE_MS),
	    &verdict, &err));
	assert_int_equal(verdict, STORE_NOTICE_HINTED);
	assert_int_equal(sql_long("select count(*) from wxpay_data.notices "
	    "where kind = 'refunded' and out_refund_no = 'hand-1'"), 5);
}

/* ------------------------------------------------------------ fifty at once */

struct teller {
	struct payment_facts facts;
	enum store_settled settled;
	struct err err;
};

static void *
tell(void *arg)
{
	struct teller *one = arg;
	struct store_raw raw = raw_of("crowd");

	if (!notice_paid(notify, &raw, &one->facts, in_ms(20000),
	    &one->settled, &one->err))
		one->settled = 0;
	return NULL;
}

static void
one_of_fifty_settles(void **state)
{
	static struct teller crowd[THREADS];
	char out_trade_no[OUT_TRADE_NO_MAX + 1];
	int round = 0;

	(void)state;
	for (round = 0; round < 10; round++) {
		int settled = 0;
		int i = 0;

		snprintf(out_trade_no, sizeof(out_trade_no), "N-2%02d1",
		    round);
		order_make(pay, out_trade_no);
		for (i = 0; i < THREADS; i++)
			crowd[i] = (struct teller){
				.facts = facts_of(out_trade_no),
			};
		threads_run(tell, crowd, sizeof(crowd[0]), THREADS);
		for (i = 0; i < THREADS; i++) {
			if (crowd[i].settled != STORE_SETTLED
			    && crowd[i].settled != STORE_ALREADY)
				fail_msg("%s", crowd[i].err.text);
			settled += crowd[i].settled == STORE_SETTLED;
		}
		assert_int_equal(settled, 1);
	}
	assert_int_equal(sql_long("select count(*) from wxpay_data.notices "
	    "where request_id = 'crowd'"), round * THREADS);
	assert_int_equal(sql_long("select count(*) from wxpay_data.events "
	    "where kind = 'order.paid' and order_no like 'N-2%'"), round);
	print_message("%d rounds of %d\n", round, THREADS);
}

/* Each of many orders is paid twice, by two numbers, all at once: one settles
 * it and the other is second. */
static void
one_of_two_settles(void **state)
{
	static struct teller crowd[THREADS];
	enum { ORDERS = THREADS / 2 };
	int i = 0;

	(void)state;
	for (i = 0; i < ORDERS; i++) {
		struct store_pay what;
		struct store_paid paid;
		char order_no[ORDER_NO_MAX + 1];
		char second[OUT_TRADE_NO_MAX + 1];

		snprintf(order_no, sizeof(order_no), "N-3%02d1", i);
		snprintf(second, sizeof(second), "%s_2", order_no);
		order_make(pay, order_no);
		what = pay_signed(order_no);
		what.trade_type = "JSAPI";
		what.openid = "o1";
		must(store_pay_start(pay, &what, in_ms(DEADLINE_MS), &paid,
		    &err));
		assert_string_equal(paid.payment.out_trade_no, second);
		crowd[2 * i] = (struct teller){ .facts = facts_of(order_no) };
		crowd[2 * i + 1] = (struct teller){
			.facts = facts_of(second),
		};
	}
	threads_run(tell, crowd, sizeof(crowd[0]), 2 * ORDERS);
	for (i = 0; i < ORDERS; i++)
		assert_int_equal(crowd[2 * i].settled
		    + crowd[2 * i + 1].settled, STORE_SETTLED + STORE_SECOND);
	assert_int_equal(sql_long("select count(*) from wxpay_data.unexpected "
	    "where kind = 'payment' and order_no like 'N-3%'"), ORDERS);
	assert_int_equal(sql_long("select count(*) from wxpay_data.payments "
	    "where settles and order_no like 'N-3%'"), ORDERS);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_verdict),
		cmocka_unit_test(bytes_stay_bytes),
		cmocka_unit_test(refund_notices),
		cmocka_unit_test(one_of_fifty_settles),
		cmocka_unit_test(one_of_two_settles),
	};
	int failed = 0;

	(void)argc;
	database_need(argv);
	failed = cmocka_run_group_tests_name("store_notice", tests,
	    open_stores, close_stores);
	database_leave();
	return failed;
}
