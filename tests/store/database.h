/*
 * database: the PostgreSQL that the tests of lib/store talk to, and what is
 * done to it behind the store's back.
 *
 * DATABASE is a superuser's conninfo of a database with our schema; without
 * it the test starts itself again under tests/sql/with_postgres.
 */
#ifndef TESTS_STORE_DATABASE_H
#define TESTS_STORE_DATABASE_H

#include <libpq-fe.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "store/store.h"
#include "store/store_notice.h"
#include "store/store_order.h"
#include "store/store_refund.h"

#define MCHID "1900000109"
#define DEADLINE_MS 4000

static PGconn *admin;

static inline void
database_need(char **argv)
{
	const char *const with = "tests/sql/with_postgres";

	if (getenv("DATABASE") == NULL) {
		execl(with, with, argv[0], (char *)NULL);
		perror(with);
		exit(1);
	}
	admin = PQconnectdb(getenv("DATABASE"));
	if (PQstatus(admin) != CONNECTION_OK) {
		fprintf(stderr, "%s", PQerrorMessage(admin));
		exit(1);
	}
	PQclear(PQexec(admin, "set synchronous_commit = local; "
	    "set client_min_messages = error"));
}

static inline void
database_leave(void)
{
	PQfinish(admin);
}

/* Run it as the superuser; the first value of the first row, or "". */
PRINTF_LIKE(1, 2) static inline const char *
sql(const char *format, ...)
{
	static char value[2000];
	char text[2000];
	PGresult *result = NULL;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	result = PQexec(admin, text);
	if (PQresultStatus(result) != PGRES_TUPLES_OK
	    && PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", text, PQerrorMessage(admin));
	value[0] = '\0';
	if (PQntuples(result) > 0)
		assert_true(str_copy(value, sizeof(value),
		    PQgetvalue(result, 0, 0)));
	PQclear(result);
	return value;
}

static inline long
sql_long(const char *text)
{
	return strtol(sql("%s", text), NULL, 10);
}

/* Ask until it is so; what never comes fails the test. */
static inline void
sql_wait(const char *text)
{
	int64_t until = clock_monotonic_ms() + 10000;

	/* A transaction would see the same of pg_stat_activity for ever. */
	while (sql("select pg_stat_clear_snapshot()"),
	    !str_eq(sql("select (%s)", text), "t")) {
		if (clock_monotonic_ms() > until)
			fail_msg("never: %s", text);
		usleep(5000);
	}
}

/* Before each test: what a failed one left behind. */
static inline int
database_tidy(void **state)
{
	(void)state;
	sql("rollback");
	sql("drop trigger if exists trouble on wxpay_data.notices");
	sql("select pg_terminate_backend(pid) from pg_stat_activity "
	    "where usename like 'wxpay%%'");
	sql_wait("select count(*) = 0 from pg_stat_activity "
	    "where usename like 'wxpay%'");
	return 0;
}

static inline int64_t
in_ms(int64_t ms)
{
	return clock_monotonic_ms() + ms;
}

static inline struct store *
store_as_at(const char *role, int connections, const char *conninfo)
{
	struct store_config config = {
		.conninfo = conninfo,
		.role = role,
		.mchid = MCHID,
		.connections = connections,
	};
	struct store *store = NULL;
	struct err err = { 0 };

	if (!store_open(&config, &store, &err))
		fail_msg("%s", err.text);
	return store;
}

static inline struct store *
store_as(const char *role, int connections)
{
	return store_as_at(role, connections, getenv("DATABASE"));
}

/* The call must work. */
#define must(call) do { \
	struct err err = { 0 }; \
	if (!(call)) \
		fail_msg("%s: %s %s", #call, err_kind_name(err.kind), \
		    err.text); \
	assert_int_equal(err.kind, ERR_NONE); \
} while (0)

/* The call must fail like this, and say so. */
#define must_fail(call, want, words) do { \
	struct err err = { 0 }; \
	if (call) \
		fail_msg("%s: worked", #call); \
	if (err.kind != (want) || strstr(err.text, words) == NULL) \
		fail_msg("%s: %s %s", #call, err_kind_name(err.kind), \
		    err.text); \
} while (0)

/* ------------------------------------------------------------- some calls */

/* A request for a signed order, NATIVE, of 1000 fen. */
static inline struct store_pay
pay_signed(const char *order_no)
{
	return (struct store_pay){
		.way = "signed",
		.order_no = order_no,
		.total_fen = 1000,
		.body = "tea",
		.time_expire = 4102444800,
		.attach = "",
		.life_s = 7200,
		.trade_type = "NATIVE",
		.client_ip = "203.0.113.7",
		.api = "v2",
		.payee.appid = "wx1",
		.nonce = "nonce",
		.lease_s = 10,
		.close_after_s = 300,
		.check_s = 20,
	};
}

static inline struct store_raw
raw_of(const char *request_id)
{
	return (struct store_raw){
		.request_id = request_id,
		.bytes = "<xml>\0\xff</xml>",
		.len = 13,
	};
}

/* V2's two notices, of these facts. */
static inline bool
notice_paid(struct store *store, const struct store_raw *raw,
    const struct payment_facts *facts, int64_t deadline,
    enum store_settled *out, struct err *why)
{
	const struct notice notice = { .kind = NOTICE_PAID, .api = PAYMENT_V2,
	    .is_signed = true, .payment = *facts };

	return store_notice_paid(store, raw, &notice, deadline, out, why);
}

static inline bool
notice_refunded(struct store *store, const struct store_raw *raw,
    const struct refund_facts *facts, int64_t deadline,
    enum store_refund_notice *out, struct err *why)
{
	const struct notice notice = { .kind = NOTICE_REFUNDED,
	    .api = PAYMENT_V2, .refund = *facts };

	return store_notice_refunded(store, raw, &notice, deadline, out, why);
}

static inline struct payment_facts
facts_of(const char *out_trade_no)
{
	struct payment_facts facts = {
		.fate = PAYMENT_PAID,
		.appid = "wx1",
		.openid = "o1",
		.bank_type = "OTHERS",
		.currency = "CNY",
		.total_fen = 1000,
		.paid_at = 4102444800,
	};

	assert_true(str_copy(facts.out_trade_no, sizeof(facts.out_trade_no),
	    out_trade_no));
	snprintf(facts.transaction_id, sizeof(facts.transaction_id), "tx%.30s",
	    out_trade_no);
	return facts;
}

/* An order with a payment that WeChat could be notifying us of. */
static inline void
order_make(struct store *pay, const char *order_no)
{
	struct store_pay what = pay_signed(order_no);
	struct store_paid paid;

	must(store_pay_start(pay, &what, in_ms(DEADLINE_MS), &paid, &err));
	assert_int_equal(paid.verdict, STORE_PAY_CALL);
}

/* ---------------------------------------------------------------- threads */

#define THREADS 50

/* Run work in so many threads, which start as one; arg + i * size each. */
static inline void
threads_run(void *(*work)(void *), void *args, size_t size, int count)
{
	pthread_t threads[THREADS];
	int i = 0;

	assert_true(count <= THREADS);
	for (i = 0; i < count; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work,
		    (char *)args + (size_t)i * size), 0);
	for (i = 0; i < count; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

#endif
