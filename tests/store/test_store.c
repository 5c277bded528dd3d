/*
 * store: whatever happens to PostgreSQL, a call ends in time, tells the truth
 * and leaves a store that works again. [threats I17 I33 N26 N30]
 */
#include "database.h"

#include <dirent.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define SLACK_MS 100

static int
open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count;
}

/* The processes that serve role, each sent a signal. */
static int
signal_role(const char *role, int number)
{
	char pids[2000] = "";
	char *next = pids;
	int count = 0;

	assert_true(str_copy(pids, sizeof(pids), sql("select "
	    "string_agg(pid::text, ' ') from pg_stat_activity "
	    "where usename = '%s'", role)));
	while (*next != '\0') {
		long pid = strtol(next, &next, 10);

		assert_true(pid > 1);
		assert_int_equal(kill((pid_t)pid, number), 0);
		count++;
	}
	return count;
}

static long
role_connections(const char *role)
{
	return strtol(sql("select count(*) from pg_stat_activity "
	    "where usename = '%s'", role), NULL, 10);
}

/* A call of which somebody else decides when it ends. */
struct call {
	struct store *store;
	const char *out_trade_no, *request_id;
	int64_t budget_ms;
	bool ok;
	enum store_settled settled;
	struct err err;
	int64_t took_ms;
};

static void *
call_notice(void *arg)
{
	struct call *call = arg;
	struct payment_facts facts = facts_of(call->out_trade_no);
	struct store_raw raw = raw_of(call->request_id);
	int64_t began = clock_monotonic_ms();

	call->ok = notice_paid(call->store, &raw, &facts,
	    began + call->budget_ms, &call->settled, &call->err);
	call->took_ms = clock_monotonic_ms() - began;
	return NULL;
}

static void
call_begin(struct call *call, pthread_t *thread)
{
	assert_int_equal(pthread_create(thread, NULL, call_notice, call), 0);
}

static void
call_end(const struct call *call, pthread_t thread, bool ok)
{
	assert_int_equal(pthread_join(thread, NULL), 0);
	if (call->ok != ok)
		fail_msg("%s %s", err_kind_name(call->err.kind),
		    call->err.text);
}

/* It ended when its time was up, not before and not much later. */
static void
was_late(const struct call *call)
{
	assert_false(call->ok);
	assert_int_equal(call->err.kind, ERR_STORE);
	assert_true(call->took_ms >= call->budget_ms);
	if (call->took_ms > call->budget_ms + SLACK_MS)
		fail_msg("%lld ms of %lld", (long long)call->took_ms,
		    (long long)call->budget_ms);
}

/* ------------------------------------------------------------------ tests */

static void
conninfo_is_judged(void **state)
{
	static const struct {
		const char *conninfo;
		bool ok;
	} cases[] = {
		{ "host=/tmp dbname=x", true },
		{ "host=a,b,c port=1,2,3", true },
		{ "host=a,b,c port=1", true },
		{ "host=a,b", true },
		{ "hostaddr=10.0.0.1,10.0.0.2 host=a,b port=5432", true },
		{ "postgresql://a:1,b:2/x?target_session_attrs=read-write",
		    true },
		{ "", true },
		{ "host", false },
		{ "hots=a", false },
		{ "password='secret", false },
		{ "postgresql://[::1/", false },
		{ "host=a,b,c port=1,2", false },
		{ "host=a,b hostaddr=10.0.0.1", false },
		{ "host=a,,b", false },
		{ "host=a port=1,2", false },
		{ "host=1,2,3,4,5,6,7,8,9", false },
	};
	size_t i = 0;

	(void)state;
	for (i = 0; i < COUNT_OF(cases); i++) {
		struct store_config config = {
			.conninfo = cases[i].conninfo,
			.mchid = MCHID,
			.connections = 1,
		};
		struct store *store = NULL;
		struct err err = { 0 };

		if (store_open(&config, &store, &err) != cases[i].ok)
			fail_msg("%s: %s", cases[i].conninfo, err.text);
		if (!cases[i].ok)
			assert_int_equal(err.kind, ERR_INPUT);
		assert_null(strstr(err.text, "secret"));
		store_close(store);
	}
	store_close(NULL);
	print_message("tried %zu conninfos\n", COUNT_OF(cases));
}

static void
ping_works(void **state)
{
	struct store *store = store_as("wxpay_notify", 2);
	int files = open_files();
	int i = 0;

	(void)state;
	for (i = 0; i < 100; i++)
		must(store_ping(store, in_ms(DEADLINE_MS), &err));
	assert_int_equal(role_connections("wxpay_notify"), 1);
	must_fail(store_ping(store, in_ms(0), &err), ERR_STORE, "late");
	must_fail(store_ping(store, in_ms(-1000), &err), ERR_STORE, "late");
	must(store_ping(store, in_ms(DEADLINE_MS), &err));
	store_close(store);
	sql_wait("select count(*) = 0 from pg_stat_activity "
	    "where usename = 'wxpay_notify'");
	assert_true(open_files() <= files);
}

/* A server that only reads is not one that we can use. */
static void
read_only_is_refused(void **state)
{
	struct store *store = store_as("wxpay_notify", 1);
	struct store *pay = store_as("wxpay_pay", 1);
	struct call call = {
		.store = store,
		.out_trade_no = "T-RO01",
		.request_id = "ro",
		.budget_ms = DEADLINE_MS,
	};

	(void)state;
	order_make(pay, "T-RO01");
	sql("alter role wxpay_notify set default_transaction_read_only = on");
	must_fail(store_ping(store, in_ms(DEADLINE_MS), &err), ERR_STORE,
	    "standby");
	(void)call_notice(&call);
	assert_false(call.ok);
	assert_int_equal(call.err.kind, ERR_STORE);
	assert_non_null(strstr(call.err.text, "25006"));
	sql("alter role wxpay_notify reset default_transaction_read_only");
	/* A connection that was read-only is not kept. */
	call.err = (struct err){ 0 };
	(void)call_notice(&call);
	assert_true(call.ok);
	assert_int_equal(call.settled, STORE_SETTLED);
	store_close(store);
	store_close(pay);
}

static void
nobody_answers(void **state)
{
	struct store *store = store_as_at("wxpay_notify", 1,
	    "host=/nonexistent dbname=x");
	int64_t began = clock_monotonic_ms();

	(void)state;
	must_fail(store_ping(store, in_ms(DEADLINE_MS), &err), ERR_STORE,
	    "cannot connect");
	assert_true(clock_monotonic_ms() - began < 1000);
	store_close(store);
	/* as a role that does not exist: said, and not retried for ever */
	store = store_as("wxpay_nobody", 1);
	must_fail(store_ping(store, in_ms(DEADLINE_MS), &err), ERR_STORE,
	    "wxpay_nobody");
	store_close(store);
}

/* Somebody listens and never answers, like a machine that has just died. */
static int
black_hole(char dir[static 64])
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int hole = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(dir, 64, "/tmp/wxpay-hole.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_true(hole >= 0);
	snprintf(name.sun_path, sizeof(name.sun_path), "%.60s/.s.PGSQL.5432",
	    dir);
	assert_int_equal(bind(hole, (struct sockaddr *)&name, sizeof(name)),
	    0);
	assert_int_equal(listen(hole, 16), 0);
	return hole;
}

static void
black_hole_fill(int hole, const char *dir)
{
	char path[100];

	(void)close(hole);
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void
dead_host_has_its_share(void **state)
{
	struct store *store = NULL;
	char dir[64];
	int hole = black_hole(dir);
	char conninfo[500];
	int64_t began = 0;

	(void)state;
	snprintf(conninfo, sizeof(conninfo), "host=%s dbname=x", dir);
	store = store_as_at("wxpay_notify", 1, conninfo);
	began = clock_monotonic_ms();
	must_fail(store_ping(store, in_ms(300), &err), ERR_STORE, "late");
	assert_in_range(clock_monotonic_ms() - began, 300, 300 + SLACK_MS);
	store_close(store);

	snprintf(conninfo, sizeof(conninfo), "host=%s,/nonexistent,%s "
	    "port=5432,1,%s dbname=%s", dir, PQhost(admin), PQport(admin),
	    PQdb(admin));
	store = store_as_at("wxpay_notify", 2, conninfo);
	began = clock_monotonic_ms();
	must(store_ping(store, in_ms(900), &err));
	assert_in_range(clock_monotonic_ms() - began, 300, 900);
	/* the one that answered is asked first from then on */
	assert_int_equal(signal_role("wxpay_notify", SIGTERM), 1);
	sql_wait("select count(*) = 0 from pg_stat_activity "
	    "where usename = 'wxpay_notify'");
	began = clock_monotonic_ms();
	must(store_ping(store, in_ms(900), &err));
	assert_in_range(clock_monotonic_ms() - began, 0, 250);
	store_close(store);
	black_hole_fill(hole, dir);
}

/* What a function raises is our bug, and rows stay out of the log. */
static void
errors_tell_no_rows(void **state)
{
	struct store *store = store_as("wxpay_pay", 1);
	struct store *notify = store_as("wxpay_notify", 1);
	struct store_pay pay = pay_signed("bad");
	struct store_paid paid;
	struct err why = { 0 };

	(void)state;
	pay.body = "row data";
	assert_false(store_pay_start(store, &pay, in_ms(DEADLINE_MS), &paid,
	    &why));
	assert_int_equal(why.kind, ERR_BUG);
	assert_non_null(strstr(why.text, "orders_no_is_well_formed"));
	assert_null(strstr(why.text, "row data"));
	assert_null(strstr(why.text, "Failing"));
	/* the connection is as good as before */
	must(store_ping(store, in_ms(DEADLINE_MS), &err));
	assert_int_equal(role_connections("wxpay_pay"), 1);
	/* no right: a grant is missing, not a line of C */
	pay = pay_signed("T-RIGHT1");
	must_fail(store_pay_start(notify, &pay, in_ms(DEADLINE_MS), &paid,
	    &err), ERR_STORE, "42501");
	store_close(store);
	store_close(notify);
}

static void
backend_stands_still(void **state)
{
	struct store *pay = store_as("wxpay_pay", 1);
	struct store *store = store_as("wxpay_notify", 4);
	struct call call = {
		.store = store,
		.out_trade_no = "T-STOP1",
		.request_id = "stop",
		.budget_ms = 700,
	};
	int files = 0;
	int round = 0;

	(void)state;
	order_make(pay, "T-STOP1");
	must(store_ping(store, in_ms(DEADLINE_MS), &err));
	files = open_files();
	for (round = 0; round < 5; round++) {
		assert_int_equal(signal_role("wxpay_notify", SIGSTOP), 1);
		call.err = (struct err){ 0 };
		(void)call_notice(&call);
		was_late(&call);
		/* the stopped one was dropped, so nobody waits for it */
		must(store_ping(store, in_ms(500), &err));
		assert_int_equal(signal_role("wxpay_notify", SIGCONT), 2);
		sql_wait("select count(*) = 1 from pg_stat_activity "
		    "where usename = 'wxpay_notify'");
	}
	assert_int_equal(open_files(), files);
	call.budget_ms = DEADLINE_MS;
	call.err = (struct err){ 0 };
	(void)call_notice(&call);
	assert_true(call.ok);
	/* what was late may have been done: told again, it is the same */
	assert_true(call.settled == STORE_SETTLED
	    || call.settled == STORE_ALREADY);
	assert_string_equal(sql("select state from wxpay_data.payments "
	    "where out_trade_no = 'T-STOP1'"), "paid");
	print_message("tried %d stops\n", round);
	store_close(store);
	store_close(pay);
}

/* A trigger that says what the server might say at such a moment. */
static void
trouble_plant(void)
{
	sql("create sequence public.trouble_seq; "
	    "grant usage on public.trouble_seq to public; "
	    "create function public.trouble() returns trigger "
	    "language plpgsql as $$ begin "
	    "if new.request_id = 'warn' then raise warning 'careful'; "
	    "elsif new.request_id = 'notice' then raise notice 'hello'; "
	    "elsif new.request_id = 'always' then "
	    "raise exception 'no' using errcode = '40001'; "
	    "elsif nextval('public.trouble_seq') = 1 then "
	    "raise exception 'no' using errcode = new.request_id; "
	    "end if; return new; end $$; "
	    "create trigger trouble before insert on wxpay_data.notices "
	    "for each row execute function public.trouble()");
}

static void
trouble_clear(void)
{
	sql("drop function public.trouble cascade; "
	    "drop sequence public.trouble_seq");
}

/* Have four connections open at one time, and then idle. */
static void
four_idle(struct store *store)
{
	struct call calls[4];
	pthread_t threads[4];
	int i = 0;

	sql("begin; lock wxpay_data.orders in exclusive mode");
	for (i = 0; i < 4; i++) {
		calls[i] = (struct call){
			.store = store,
			.out_trade_no = "T-NONE1",
			.request_id = "idle",
			.budget_ms = DEADLINE_MS,
		};
		call_begin(&calls[i], &threads[i]);
	}
	sql_wait("select count(*) = 4 from pg_stat_activity where usename = "
	    "'wxpay_notify' and wait_event_type = 'Lock'");
	sql("commit");
	for (i = 0; i < 4; i++)
		call_end(&calls[i], threads[i], true);
}

/* What one connection has met, the idle ones would meet, too. */
static void
idle_connections_are_forgotten(void **state)
{
	struct store *store = store_as("wxpay_notify", 4);
	struct call call = {
		.store = store,
		.out_trade_no = "T-NONE1",
		.request_id = "57P01",
		.budget_ms = DEADLINE_MS,
	};

	(void)state;
	four_idle(store);
	assert_int_equal(signal_role("wxpay_notify", SIGSTOP), 4);
	must_fail(store_ping(store, in_ms(200), &err), ERR_STORE, "late");
	must(store_ping(store, in_ms(500), &err));
	assert_int_equal(signal_role("wxpay_notify", SIGCONT), 5);
	sql_wait("select count(*) = 1 from pg_stat_activity "
	    "where usename = 'wxpay_notify'");

	four_idle(store);
	trouble_plant();
	(void)call_notice(&call);
	trouble_clear();
	assert_true(call.ok);
	sql_wait("select count(*) = 1 from pg_stat_activity "
	    "where usename = 'wxpay_notify'");
	store_close(store);
}

static void
server_stands_still(void **state)
{
	struct store *store = store_as("wxpay_notify", 2);
	pid_t postmaster = (pid_t)strtol(sql("select split_part("
	    "pg_read_file('postmaster.pid'), e'\\n', 1)"), NULL, 10);
	int64_t began = 0;

	(void)state;
	assert_true(postmaster > 1);
	assert_int_equal(kill(postmaster, SIGSTOP), 0);
	began = clock_monotonic_ms();
	must_fail(store_ping(store, in_ms(500), &err), ERR_STORE, "late");
	assert_in_range(clock_monotonic_ms() - began, 500, 500 + SLACK_MS);
	assert_int_equal(kill(postmaster, SIGCONT), 0);
	must(store_ping(store, in_ms(DEADLINE_MS), &err));
	store_close(store);
}

static void
idle_connections_die(void **state)
{
	struct store *store = store_as("wxpay_notify", 2);
	int i = 0;

	(void)state;
	for (i = 0; i < 20; i++) {
		must(store_ping(store, in_ms(DEADLINE_MS), &err));
		(void)signal_role("wxpay_notify", SIGTERM);
		/* half of the time the call comes before the end does */
		if (i % 2 == 0)
			sql_wait("select count(*) = 0 from pg_stat_activity "
			    "where usename = 'wxpay_notify'");
	}
	must(store_ping(store, in_ms(DEADLINE_MS), &err));
	print_message("killed %d idle connections\n", i);
	store_close(store);
}

/* Wait for a notice that waits for a lock, served by another process than
 * last; returns which. */
static long
blocked_pid(long last)
{
	char text[300];

	snprintf(text, sizeof(text), "select count(*) = 1 from "
	    "pg_stat_activity where usename = 'wxpay_notify' "
	    "and wait_event_type = 'Lock' and pid <> %ld", last);
	sql_wait(text);
	return strtol(sql("select pid from pg_stat_activity where usename = "
	    "'wxpay_notify' and wait_event_type = 'Lock' and pid <> %ld",
	    last), NULL, 10);
}

/* Begin a notice that waits for its order, which somebody has locked. */
static long
call_begin_blocked(struct call *call, pthread_t *thread)
{
	sql("begin");
	sql("select order_no from wxpay_data.orders where order_no = '%s' "
	    "for update", call->out_trade_no);
	call_begin(call, thread);
	return blocked_pid(0);
}

static void
killed_during_a_call(void **state)
{
	struct store *pay = store_as("wxpay_pay", 1);
	struct store *store = store_as("wxpay_notify", 1);
	struct call call = {
		.store = store,
		.out_trade_no = "T-KILL1",
		.request_id = "kill",
		.budget_ms = DEADLINE_MS,
	};
	pthread_t thread;
	long pid = 0;

	(void)state;
	order_make(pay, "T-KILL1");
	pid = call_begin_blocked(&call, &thread);
	sql("select pg_terminate_backend(%ld)", pid);
	(void)blocked_pid(pid);
	sql("commit");
	call_end(&call, thread, true);
	assert_int_equal(call.settled, STORE_SETTLED);
	assert_int_equal(sql_long("select count(*) from wxpay_data.notices "
	    "where request_id = 'kill'"), 1);

	/* once more, and no more */
	call.err = (struct err){ 0 };
	pid = call_begin_blocked(&call, &thread);
	sql("select pg_terminate_backend(%ld)", pid);
	pid = blocked_pid(pid);
	sql("select pg_terminate_backend(%ld)", pid);
	call_end(&call, thread, false);
	sql("commit");
	assert_int_equal(call.err.kind, ERR_STORE);
	assert_non_null(strstr(call.err.text, "57P01"));
	must(store_ping(store, in_ms(DEADLINE_MS), &err));
	store_close(store);
	store_close(pay);
}

static void
lock_is_not_waited_for(void **state)
{
	struct store *pay = store_as("wxpay_pay", 1);
	struct store *store = store_as("wxpay_notify", 1);
	struct call call = {
		.store = store,
		.out_trade_no = "T-LOCK1",
		.request_id = "lock",
		.budget_ms = DEADLINE_MS,
	};
	pthread_t thread;

	(void)state;
	order_make(pay, "T-LOCK1");
	(void)call_begin_blocked(&call, &thread);
	call_end(&call, thread, false);
	assert_int_equal(call.err.kind, ERR_STORE);
	assert_non_null(strstr(call.err.text, "55P03"));
	assert_in_range(call.took_ms, 1000, 1500);
	/* the same with less time than that */
	call.err = (struct err){ 0 };
	call.budget_ms = 400;
	(void)call_notice(&call);
	was_late(&call);
	sql("commit");
	call.err = (struct err){ 0 };
	call.budget_ms = DEADLINE_MS;
	(void)call_notice(&call);
	assert_true(call.ok);
	store_close(store);
	store_close(pay);
}

static void
pool_is_exhausted(void **state)
{
	struct store *pay = store_as("wxpay_pay", 1);
	struct store *store = store_as("wxpay_notify", 1);
	struct call call = {
		.store = store,
		.out_trade_no = "T-POOL1",
		.request_id = "pool",
		.budget_ms = DEADLINE_MS,
	};
	pthread_t thread;
	int64_t began = 0;

	(void)state;
	order_make(pay, "T-POOL1");
	(void)call_begin_blocked(&call, &thread);
	began = clock_monotonic_ms();
	must_fail(store_ping(store, in_ms(300), &err), ERR_STORE, "in use");
	assert_in_range(clock_monotonic_ms() - began, 300, 300 + SLACK_MS);
	sql("commit");
	/* who waits gets it as soon as it is free */
	must(store_ping(store, in_ms(DEADLINE_MS), &err));
	call_end(&call, thread, true);
	assert_int_equal(role_connections("wxpay_notify"), 1);
	store_close(store);
	store_close(pay);
}

static void
said_by_the_server(void **state)
{
	static const struct {
		const char *said;	/* the request_id that makes it so */
		enum err_kind kind;
		const char *words;
	} cases[] = {
		{ "notice", ERR_NONE, "" },
		{ "warn", ERR_STORE, "01000 careful" },
		/* repeated once, which works */
		{ "40001", ERR_NONE, "" },
		{ "40P01", ERR_NONE, "" },
		{ "57P01", ERR_NONE, "" },
		{ "08006", ERR_NONE, "" },
		{ "08P01", ERR_NONE, "" },
		{ "always", ERR_STORE, "40001 no" },
		/* not repeated */
		{ "57014", ERR_STORE, "57014 no" },
		{ "53100", ERR_STORE, "53100 no" },
		{ "55P03", ERR_STORE, "55P03 no" },
		{ "42501", ERR_STORE, "42501 no" },
		{ "XX000", ERR_STORE, "XX000 no" },
		{ "23505", ERR_BUG, "23505 no" },
		{ "23514", ERR_BUG, "23514 no" },
		{ "22003", ERR_BUG, "22003 no" },
		{ "P0001", ERR_BUG, "P0001 no" },
	};
	struct store *pay = store_as("wxpay_pay", 1);
	struct store *store = store_as("wxpay_notify", 1);
	size_t i = 0;

	(void)state;
	order_make(pay, "T-SAID1");
	trouble_plant();
	for (i = 0; i < COUNT_OF(cases); i++) {
		struct call call = {
			.store = store,
			.out_trade_no = "T-SAID1",
			.request_id = cases[i].said,
			.budget_ms = DEADLINE_MS,
		};

		sql("alter sequence public.trouble_seq restart");
		(void)call_notice(&call);
		if (call.err.kind != cases[i].kind
		    || call.ok != (cases[i].kind == ERR_NONE)
		    || strstr(call.err.text, cases[i].words) == NULL)
			fail_msg("%s: %s %s", cases[i].said,
			    err_kind_name(call.err.kind), call.err.text);
		/* nor is the warning remembered */
		must(store_ping(store, in_ms(DEADLINE_MS), &err));
		assert_int_equal(role_connections("wxpay_notify"), 1);
	}
	trouble_clear();
	print_message("tried %zu things that a server says\n",
	    COUNT_OF(cases));
	store_close(store);
	store_close(pay);
}

static void
standby_is_wanted(const char *name)
{
	sql("alter system set synchronous_standby_names = '%s'", name);
	sql("select pg_reload_conf()");
}

/* A commit that waits for a standby which is not there. */
static void
commit_is_not_replicated(void **state)
{
	static const char *const waits = "select count(*) = 1 from "
	    "pg_stat_activity where usename = 'wxpay_notify' "
	    "and wait_event = 'SyncRep'";
	struct store *pay = store_as("wxpay_pay", 1);
	struct store *store = store_as("wxpay_notify", 2);
	struct call call = {
		.store = store,
		.out_trade_no = "T-SYNC1",
		.request_id = "sync",
		.budget_ms = 300,
	};
	int64_t until = in_ms(10000);
	pthread_t thread;
	char other[300];
	long pid = 0;

	(void)state;
	order_make(pay, "T-SYNC1");
	standby_is_wanted("nobody");
	do {
		call.err = (struct err){ 0 };
		(void)call_notice(&call);
	} while (call.ok && clock_monotonic_ms() < until);
	was_late(&call);

	/* somebody cancels the wait: committed here, and with a warning */
	call.err = (struct err){ 0 };
	call.request_id = "sync-cancelled";
	call.budget_ms = DEADLINE_MS;
	sql("select pg_terminate_backend(pid) from pg_stat_activity "
	    "where usename = 'wxpay_notify'");
	sql_wait("select count(*) = 0 from pg_stat_activity "
	    "where usename = 'wxpay_notify'");
	call_begin(&call, &thread);
	sql_wait(waits);
	sql("select pg_cancel_backend(pid) from pg_stat_activity "
	    "where usename = 'wxpay_notify'");
	call_end(&call, thread, false);
	assert_int_equal(call.err.kind, ERR_STORE);
	assert_non_null(strstr(call.err.text, "perhaps not durable"));
	assert_int_equal(sql_long("select count(*) from wxpay_data.notices "
	    "where request_id = 'sync-cancelled'"), 1);

	/* the connection dies in the commit: asked again, and then it is
	 * known; this time by a commit that was waited for */
	call.err = (struct err){ 0 };
	call.request_id = "sync-killed";
	call_begin(&call, &thread);
	sql_wait(waits);
	pid = sql_long("select pid from pg_stat_activity "
	    "where usename = 'wxpay_notify'");
	sql("select pg_terminate_backend(%ld)", pid);
	snprintf(other, sizeof(other), "%s and pid <> %ld", waits, pid);
	sql_wait(other);
	standby_is_wanted("");
	call_end(&call, thread, true);
	assert_int_equal(call.settled, STORE_ALREADY);
	assert_int_equal(sql_long("select count(*) from wxpay_data.notices "
	    "where request_id = 'sync-killed'"), 2);
	assert_int_equal(sql_long("select count(*) from wxpay_data.events "
	    "where order_no = 'T-SYNC1'"), 1);
	store_close(store);
	store_close(pay);
}

/* One backend dies of a crash: the server throws all out, and recovers. */
static void
server_crashes(void **state)
{
	struct store *store = store_as("wxpay_notify", 2);
	int64_t until = in_ms(30000);
	int failures = 0;
	bool ok = false;

	(void)state;
	must(store_ping(store, in_ms(DEADLINE_MS), &err));
	assert_int_equal(signal_role("wxpay_notify", SIGKILL), 1);
	while (!ok && clock_monotonic_ms() < until) {
		int64_t began = clock_monotonic_ms();
		struct err err = { 0 };

		ok = store_ping(store, began + 1000, &err);
		assert_true(clock_monotonic_ms() - began <= 1000 + SLACK_MS);
		assert_true(ok || err.kind == ERR_STORE);
		failures += !ok;
		if (!ok)
			usleep(10000);
	}
	assert_true(ok);
	print_message("%d calls failed before the server was back\n",
	    failures);
	store_close(store);
	do {
		usleep(10000);
		PQreset(admin);
	} while (PQstatus(admin) != CONNECTION_OK
	    && clock_monotonic_ms() < until);
	sql("set synchronous_commit = local; set client_min_messages = error");
}

#define CALLS_EACH 40

struct crowd {
	struct store *store;
	int worked;
};

static void *
crowd_work(void *arg)
{
	struct crowd *one = arg;
	int i = 0;

	for (i = 0; i < CALLS_EACH; i++) {
		struct err err = { 0 };

		one->worked += store_ping(one->store, in_ms(20000), &err);
	}
	return NULL;
}

static void
fifty_threads_share(void **state)
{
	struct store *store = store_as("wxpay_notify", 8);
	struct crowd crowd[THREADS];
	int worked = 0;
	int i = 0;

	(void)state;
	for (i = 0; i < THREADS; i++)
		crowd[i] = (struct crowd){ .store = store };
	threads_run(crowd_work, crowd, sizeof(crowd[0]), THREADS);
	for (i = 0; i < THREADS; i++)
		worked += crowd[i].worked;
	assert_int_equal(worked, THREADS * CALLS_EACH);
	assert_in_range(role_connections("wxpay_notify"), 1, 8);
	print_message("%d calls of %d threads on 8 connections\n", worked,
	    THREADS);
	store_close(store);
}

#define TEST(test) cmocka_unit_test_setup(test, database_tidy)

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(conninfo_is_judged),
		TEST(ping_works),
		TEST(read_only_is_refused),
		TEST(nobody_answers),
		TEST(dead_host_has_its_share),
		TEST(errors_tell_no_rows),
		TEST(backend_stands_still),
		TEST(idle_connections_are_forgotten),
		TEST(server_stands_still),
		TEST(idle_connections_die),
		TEST(killed_during_a_call),
		TEST(lock_is_not_waited_for),
		TEST(pool_is_exhausted),
		TEST(said_by_the_server),
		TEST(commit_is_not_replicated),
		TEST(fifty_threads_share),
		TEST(server_crashes),
	};
	int failed = 0;

	(void)argc;
	database_need(argv);
	failed = cmocka_run_group_tests_name("store", tests, NULL, NULL);
	database_leave();
	return failed;
}
