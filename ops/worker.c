#include "worker.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "flow/flow_certificates.h"
#include "flow/flow_micropay.h"
#include "flow/flow_payment.h"
#include "flow/flow_refund.h"
#include "flow/flow_tokens.h"
#include "store/store_micropay.h"
#include "store/store_platform.h"

#define CALLERS_MAX 64		/* threads that wait for WeChat */
#define EXPIRE_MAX 100		/* orders in one transaction */
#define FETCH_MS 1000		/* between looks whether a fetching is due */

struct worker {
	const struct flow *flow;
	int stop;		/* readable once we are to stop */
	_Atomic int64_t look_ms;	/* when one caller looks what is due */
};

/* Wait; true if we are to stop. */
static bool
worker_rest(const struct worker *worker, long ms)
{
	struct pollfd stop = { .fd = worker->stop, .events = POLLIN };

	return poll(&stop, 1, (int)ms) > 0;
}

static void
log_trouble(const char *task, const struct err *err)
{
	log_warn("worker.troubled", "task", task, "kind",
	    err_kind_name(err->kind), "why", err->text, NULL);
}

/* One payment or refund that is due.  True if there was one. */
static bool
work_payment(const struct worker *worker)
{
	struct err err = { 0 };
	bool found = false;

	if (!flow_payment_step(worker->flow, NULL, &found, &err))
		log_trouble("payment", &err);
	return found && err.kind == ERR_NONE;
}

static bool
work_micropay(const struct worker *worker)
{
	struct err err = { 0 };
	bool found = false;

	if (!flow_micropay_step(worker->flow, NULL, &found, &err))
		log_trouble("micropay", &err);
	return found && err.kind == ERR_NONE;
}

static bool
work_refund(const struct worker *worker)
{
	enum store_refund_state state;
	struct err err = { 0 };
	bool found = false;

	if (!flow_refund_step(worker->flow, NULL, &found, &state, &err))
		log_trouble("refund", &err);
	return found && err.kind == ERR_NONE;
}

/* While nothing is due one caller looks, and not each of them. */
static bool
is_my_turn(struct worker *worker)
{
	int64_t now_ms = clock_monotonic_ms();
	int64_t due_ms = atomic_load(&worker->look_ms);

	return now_ms >= due_ms && atomic_compare_exchange_strong(
	    &worker->look_ms, &due_ms,
	    now_ms + worker->flow->settings->worker_poll_ms);
}

/* As soon as one has found something, all look. */
static void *
worker_caller(void *arg)
{
	struct worker *worker = arg;
	bool is_busy = false;

	while (!worker_rest(worker, is_busy ? 0
	    : worker->flow->settings->worker_poll_ms)) {
		bool paid, scanned, refunded;

		if (!is_busy && !is_my_turn(worker))
			continue;
		paid = work_payment(worker);
		scanned = work_micropay(worker);
		refunded = work_refund(worker);
		is_busy = paid || scanned || refunded;
		if (is_busy)
			atomic_store(&worker->look_ms, 0);
	}
	return NULL;
}

/* What WeChat gives us to work with. */
static void *
worker_fetcher(void *arg)
{
	const struct worker *worker = arg;

	do {
		struct err err = { 0 };
		bool found;

		if (!flow_certificates_step(worker->flow, &found, &err))
			log_trouble("certificates", &err);
		err = (struct err){ 0 };
		if (!flow_tokens_step(worker->flow, &found, &err))
			log_trouble("tokens", &err);
	} while (!worker_rest(worker, FETCH_MS));
	return NULL;
}

/* What is done in the database alone, and how often. */
static bool
expire(struct store *store, int64_t deadline, long *count, struct err *err)
{
	return store_order_expire(store, EXPIRE_MAX, deadline, count, err);
}

static bool
reverse(struct store *store, int64_t deadline, long *count, struct err *err)
{
	return store_micropay_expire(store, EXPIRE_MAX, deadline, count, err);
}

struct chore {
	const char *task;
	bool (*run)(struct store *store, int64_t deadline, long *count,
	    struct err *err);
	long every_ms;		/* 0: each round */
};

static const struct chore chores[] = {
	{ "events", store_events_number, 0 },
	{ "expire", expire, 0 },
	{ "reverse", reverse, 0 },
	{ "calls", store_calls_sweep, 10000 },
	{ "oauth", store_oauth_sweep, 60000 },
	{ "partitions", store_partitions_ahead, 3600000 },
};

static void *
worker_keeper(void *arg)
{
	const struct worker *worker = arg;
	int64_t next[COUNT_OF(chores)] = { 0 };

	do {
		for (size_t i = 0; i < COUNT_OF(chores); i++) {
			struct err err = { 0 };
			long count;

			if (clock_monotonic_ms() < next[i])
				continue;
			if (!chores[i].run(worker->flow->store,
			    flow_deadline(), &count, &err))
				log_trouble(chores[i].task, &err);
			next[i] = clock_monotonic_ms() + chores[i].every_ms;
		}
	} while (!worker_rest(worker, worker->flow->settings->worker_poll_ms));
	return NULL;
}

/* Start threads until one fails; wait for the signal; join them. */
static bool
worker_threads(struct worker *worker, const sigset_t *signals,
    struct err *err)
{
	pthread_t threads[CALLERS_MAX + 2];
	size_t wanted = (size_t)worker->flow->settings->threads + 2;
	uint64_t one = 1;
	size_t count = 0;
	int caught;

	assert(wanted <= COUNT_OF(threads));
	while (count < wanted
	    && pthread_create(&threads[count], NULL, count == 0
	    ? worker_keeper : count == 1 ? worker_fetcher : worker_caller,
	    worker) == 0)
		count++;
	if (count < wanted)
		err_set(err, ERR_BUG, "worker: cannot make a thread");
	else
		(void)sigwait(signals, &caught);
	if (write(worker->stop, &one, sizeof(one)) != sizeof(one))
		err_set(err, ERR_BUG, "worker: cannot stop");
	for (size_t i = 0; i < count; i++)
		(void)pthread_join(threads[i], NULL);
	return err->kind == ERR_NONE;
}

bool
worker_run(const struct flow *flow, struct err *err)
{
	struct worker worker = { .flow = flow };
	sigset_t signals;
	bool ok;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	worker.stop = eventfd(0, EFD_CLOEXEC);
	if (worker.stop < 0
	    || pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0)
		return err_set(err, ERR_BUG, "worker: cannot start");
	log_info("worker.started", NULL);
	ok = worker_threads(&worker, &signals, err);
	log_info("worker.stopped", NULL);
	(void)close(worker.stop);
	return ok;
}
