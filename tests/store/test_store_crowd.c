/*
 * store: everything at once, on a few orders.  Nothing deadlocks, nothing
 * raises, and what is left is consistent. [threats I4 I23 I29]
 */
#include "database.h"

#define WORKERS 24
#define STEPS 250
#define ORDERS 4

static struct store *pay, *notify, *refund, *worker;

struct one {
	uint64_t seed;
	long worked, busy;	/* busy: ERR_STORE, which may be repeated */
	struct err bug;
};

/* The same choices in every run; only who is first differs. */
static unsigned
choose(struct one *one, unsigned count)
{
	one->seed = one->seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(one->seed >> 33) % count;
}

static void
count(struct one *one, bool ok, const struct err *err)
{
	if (ok)
		one->worked++;
	else if (err->kind == ERR_STORE)
		one->busy++;
	else
		one->bug = *err;
}

static void
some_order(struct one *one, char order_no[static ORDER_NO_MAX + 1])
{
	snprintf(order_no, ORDER_NO_MAX + 1, "C-10%02u", choose(one, ORDERS));
}

static void
some_number(struct one *one, char number[static OUT_TRADE_NO_MAX + 1])
{
	char order_no[ORDER_NO_MAX + 1];

	some_order(one, order_no);
	snprintf(number, OUT_TRADE_NO_MAX + 1, "%s%s", order_no,
	    choose(one, 3) == 0 ? "_2" : "");
}

static const char *
some_verdict(struct one *one)
{
	static const char *const verdicts[] = {
		"done", "done", "done", "missing", "unsure", "again",
		"closed", "refused", "denied", "no_money", "not_sent",
	};

	return verdicts[choose(one, COUNT_OF(verdicts))];
}

/* ------------------------------------------------------- what each may do */

static void
start(struct one *one)
{
	char order_no[ORDER_NO_MAX + 1];
	struct store_pay what;
	struct store_paid paid = { 0 };
	struct payment_prepay prepay = { .prepay_id = "p", .code_url = "w" };
	enum store_payment_state to = 0;
	struct store_outcome outcome;
	struct err err = { 0 };
	bool ok = false;

	some_order(one, order_no);
	what = pay_signed(order_no);
	if (choose(one, 4) == 0) {
		what.trade_type = "JSAPI";
		what.openid = "o1";
	}
	ok = store_pay_start(pay, &what, in_ms(20000), &paid, &err);
	count(one, ok, &err);
	if (!ok || paid.verdict != STORE_PAY_CALL)
		return;
	outcome = (struct store_outcome){
		.out_trade_no = paid.payment.out_trade_no,
		.lease_no = paid.lease_no,
		.call_no = paid.call_no,
		.verdict = "done",
		.code = "",
	};
	count(one, store_payment_prepaid(pay, &outcome, &prepay,
	    in_ms(20000), &to, &err), &err);
}

static void
notice(struct one *one)
{
	char number[OUT_TRADE_NO_MAX + 1];
	struct payment_facts facts;
	struct store_raw raw = raw_of("crowd");
	enum store_settled settled = 0;
	struct err err = { 0 };

	some_number(one, number);
	facts = facts_of(number);
	facts.paid_at = clock_now();
	count(one, notice_paid(notify, &raw, &facts, in_ms(20000),
	    &settled, &err), &err);
}

static void
ask_wechat(struct one *one)
{
	char number[OUT_TRADE_NO_MAX + 1];
	struct store_payment_claim got;
	struct store_outcome outcome;
	struct payment_facts facts;
	enum store_payment_state to = 0;
	enum store_settled settled = 0;
	struct err err = { 0 };
	bool found = false;
	bool ok = false;

	some_number(one, number);
	ok = store_payment_claim(worker, choose(one, 2) == 0 ? NULL : number,
	    "n", 1, in_ms(20000), &got, &found, &err);
	count(one, ok, &err);
	if (!ok || !found)
		return;
	facts = facts_of(got.key.out_trade_no);
	facts.fate = choose(one, 8) == 0 ? PAYMENT_PAID : PAYMENT_UNPAID;
	outcome = (struct store_outcome){
		.out_trade_no = got.key.out_trade_no,
		.lease_no = got.lease_no,
		.call_no = got.call_no,
		.verdict = some_verdict(one),
		.code = "",
	};
	if (got.op == STORE_PAYMENT_CLOSE)
		ok = store_payment_closed(worker, &outcome, in_ms(20000), &to,
		    &err);
	else
		ok = store_payment_told(worker, &outcome,
		    str_eq(outcome.verdict, "done") ? &facts : NULL,
		    in_ms(20000), &settled, &err);
	count(one, ok, &err);
}

static void
ask_back(struct one *one)
{
	char order_no[ORDER_NO_MAX + 1];
	struct store_refund_ask what = {
		.order_no = order_no,
		.refund_fen = 1 + choose(one, 60),
		.reason = "",
		.actor = "alice",
	};
	enum store_refund_verdict verdict = 0;
	fen_t left_fen = 0;
	char *json = NULL;
	struct err err = { 0 };

	some_order(one, order_no);
	count(one, store_refund_request(refund, &what, in_ms(20000),
	    &verdict, &json, &left_fen, &err), &err);
	free(json);
}

static void
decide(struct one *one)
{
	static const char *const decisions[] = {
		"approve", "approve", "approve", "reject", "retry",
	};
	char number[OUT_REFUND_NO_MAX + 1];
	enum store_decide_verdict verdict = 0;
	char state[10];
	struct err err = { 0 };

	snprintf(number, sizeof(number), "RC-10%02u-%u", choose(one, ORDERS),
	    1 + choose(one, 30));
	count(one, store_refund_decide(refund, number,
	    decisions[choose(one, COUNT_OF(decisions))], "bob", "", NULL,
	    0, in_ms(20000), &verdict, state, &err), &err);
}

static void
refund_work(struct one *one)
{
	static const enum refund_fate fates[] = {
		REFUND_PROCESSING, REFUND_SUCCESS, REFUND_CLOSED,
		REFUND_ABNORMAL, REFUND_UNKNOWN,
	};
	struct store_refund_claim got;
	struct refund_facts facts = { .total_fen = 1000, .refund_fen = 3 };
	struct store_refund_outcome outcome = {
		.claim = &got,
		.verdict = some_verdict(one),
		.code = "",
		.refund_id = "",
	};
	enum store_refund_state now = 0;
	struct err err = { 0 };
	bool found = false;
	bool ok = store_refund_claim(worker, NULL, "n", 1, in_ms(20000), &got,
	    &found, &err);

	count(one, ok, &err);
	if (!ok || !found)
		return;
	facts.fate = fates[choose(one, COUNT_OF(fates))];
	if (got.op != STORE_REFUND_HINT)
		facts.refund_fen = got.refund.refund_fen;
	memcpy(facts.out_trade_no, got.refund.out_trade_no,
	    sizeof(facts.out_trade_no));
	if (got.op != STORE_REFUND_SEND && str_eq(outcome.verdict, "done"))
		outcome.facts = &facts;
	count(one, store_refund_told(worker, &outcome, in_ms(20000), &now,
	    &err), &err);
}

static void
refund_notice(struct one *one)
{
	struct store_raw raw = raw_of("crowd");
	struct refund_facts facts = {
		.fate = REFUND_SUCCESS,
		.total_fen = 1000,
		.refund_fen = 3,
	};
	enum store_refund_notice verdict = 0;
	struct err err = { 0 };

	some_number(one, facts.out_trade_no);
	snprintf(facts.transaction_id, sizeof(facts.transaction_id), "tx%.20s",
	    facts.out_trade_no);
	snprintf(facts.out_refund_no, sizeof(facts.out_refund_no),
	    choose(one, 2) == 0 ? "hand-%s-%u" : "R%s-%u", facts.out_trade_no,
	    1 + choose(one, 5));
	count(one, notice_refunded(notify, &raw, &facts, in_ms(20000),
	    &verdict, &err), &err);
}

static void
shopper(struct one *one)
{
	char order_no[ORDER_NO_MAX + 1];
	char token[TOKEN_LEN + 1] = "t";
	enum store_check_verdict check = 0;
	struct store_close closing;
	struct err err = { 0 };

	some_order(one, order_no);
	if (choose(one, 8) == 0)
		count(one, store_order_close(pay, order_no, token, "n", 1,
		    in_ms(20000), &closing, &err), &err);
	else
		count(one, store_order_check(pay, order_no, token,
		    in_ms(20000), &check, &err), &err);
}

static void
chores(struct one *one)
{
	struct err err = { 0 };
	long done = 0;

	count(one, store_events_number(worker, in_ms(20000), &done, &err),
	    &err);
	count(one, store_order_expire(worker, 10, in_ms(20000), &done, &err),
	    &err);
	count(one, store_calls_sweep(worker, in_ms(20000), &done, &err),
	    &err);
	count(one, store_partitions_ahead(worker, in_ms(20000), &done, &err),
	    &err);
}

static void *
do_all(void *arg)
{
	static void (*const deeds[])(struct one *one) = {
		start, notice, ask_wechat, ask_wechat, ask_back, ask_back,
		decide, decide, refund_work, refund_work, refund_work,
		refund_notice, shopper, chores,
	};
	struct one *one = arg;
	int i = 0;

	for (i = 0; i < STEPS && one->bug.kind == ERR_NONE; i++)
		deeds[choose(one, COUNT_OF(deeds))](one);
	return NULL;
}

/* ------------------------------------------------------------------ tests */

/* Nothing may be left of what each of these looks for. */
static const struct {
	const char *what, *sql;
} wrongs[] = {
	{ "sums that are not their refunds'",
	    "select count(*) from wxpay_data.payments p where "
	    "(reserved_fen, refunded_fen, refund_count) is distinct from "
	    "(select (coalesce(sum(refund_fen) filter (where state in "
	    "('pending', 'refunding', 'refunded') or failure = 'ABNORMAL'), "
	    "0)::bigint, coalesce(sum(refund_fen) filter (where state = "
	    "'refunded'), 0)::bigint, (count(*) filter (where state <> "
	    "'rejected'))::int) from wxpay_data.refunds r "
	    "where r.out_trade_no = p.out_trade_no)" },
	{ "steps that do not begin where the last one ended",
	    "select count(*) from (select from_state, lag(to_state) over "
	    "(partition by entity, number order by seq) as was "
	    "from wxpay_data.steps) s where from_state is distinct from was" },
	{ "states that are not the last step's",
	    "select count(*) from (select 'order' as entity, order_no as n, "
	    "state from wxpay_data.orders union all select 'payment', "
	    "out_trade_no, state from wxpay_data.payments union all select "
	    "'refund', out_refund_no, state from wxpay_data.refunds) e "
	    "where state is distinct from (select to_state from "
	    "wxpay_data.steps where entity = e.entity and number = n "
	    "order by seq desc limit 1)" },
	{ "paid orders without a payment that settled them",
	    "select count(*) from wxpay_data.orders o where (state = 'paid') "
	    "<> exists (select from wxpay_data.payments p where p.order_no "
	    "= o.order_no and settles)" },
	{ "orders told twice to be paid",
	    "select count(*) from (select from wxpay_data.events where kind "
	    "= 'order.paid' group by order_no having count(*) > 1) t" },
	{ "refunds told twice to be back",
	    "select count(*) from (select from wxpay_data.events where kind "
	    "= 'refund.refunded' group by out_refund_no "
	    "having count(*) > 1) t" },
	{ "gaps between events",
	    "select max(id) - count(*) from wxpay_data.events" },
	/* a hint has leases of its own, under the number of the refund */
	{ "leases that two callers had",
	    "select count(*) from (select from wxpay_data.calls "
	    "where out_refund_no is null or out_refund_no not in "
	    "(select out_refund_no from wxpay_data.refund_hints) group by "
	    "out_trade_no, out_refund_no, lease_no having count(*) > 1) t" },
	{ "deadlocks",
	    "select deadlocks from pg_stat_database "
	    "where datname = current_database()" },
};

static void
everything_at_once(void **state)
{
	static struct one crowd[WORKERS];
	long worked = 0, busy = 0, done = 0;
	size_t i = 0;

	(void)state;
	sql("insert into wxpay_data.orders (mchid, order_no, token, origin, "
	    "total_fen, body, time_expire) select '" MCHID "', 'C-10' || "
	    "to_char(i, 'FM00'), 't', 'signed', 1000, 'tea', "
	    "to_timestamp(4102444800) from generate_series(0, %d) i",
	    ORDERS - 1);
	for (i = 0; i < WORKERS; i++)
		crowd[i].seed = i + 1;
	threads_run(do_all, crowd, sizeof(crowd[0]), WORKERS);
	for (i = 0; i < WORKERS; i++) {
		if (crowd[i].bug.kind != ERR_NONE)
			fail_msg("%s", crowd[i].bug.text);
		worked += crowd[i].worked;
		busy += crowd[i].busy;
	}
	must(store_events_number(worker, in_ms(DEADLINE_MS), &done, &err));
	sql("select pg_stat_force_next_flush()");
	for (i = 0; i < COUNT_OF(wrongs); i++) {
		long found = strtol(sql("%s", wrongs[i].sql), NULL, 10);

		if (found != 0)
			fail_msg("%ld %s", found, wrongs[i].what);
	}
	print_message("%ld calls, %ld of them to be repeated; %s steps, "
	    "%s\n", worked + busy, busy, sql("select count(*) from "
	    "wxpay_data.steps"), "nothing wrong");
	print_message("refunds: %s\n", sql("select string_agg(state || ' ' "
	    "|| n, ', ') from (select state, count(*) as n from "
	    "wxpay_data.refunds group by 1 order by 1) s"));
	assert_true(busy * 100 < worked);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(everything_at_once, database_tidy),
	};
	int failed = 0;

	(void)argc;
	database_need(argv);
	/* sooner than anybody gives up, or none would be found */
	sql("alter database \"%s\" set deadlock_timeout = '50ms'",
	    PQdb(admin));
	pay = store_as("wxpay_pay", WORKERS);
	notify = store_as("wxpay_notify", WORKERS);
	refund = store_as("wxpay_refund", WORKERS);
	worker = store_as("wxpay_worker", WORKERS);
	failed = cmocka_run_group_tests_name("store_crowd", tests, NULL,
	    NULL);
	store_close(pay);
	store_close(notify);
	store_close(refund);
	store_close(worker);
	sql("alter database \"%s\" reset deadlock_timeout", PQdb(admin));
	database_leave();
	return failed;
}
