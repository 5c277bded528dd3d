// When parts of us fail: every notice is answered within 5 s, nothing that was
// acknowledged is lost, and what was missed is found (threats.md I16-I19,
// I28-I30, N26, N30, R14; issue "must hold").
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { expect, number } from './lib/actors.mjs';
import { alive, stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

const s = await stack('trouble');
const { shop, sandbox, staff } = s;
const PROGRAMS = ['pay', 'notify', 'refund', 'worker'];
const DEADLINE_MS = 5000;	// WeChat's

// An unpaid order that the worker leaves alone, and a proved notice of it.
async function notice() {
	const order = await shop.signed_order();
	await s.sql(`update wxpay_data.payments
		set check_at = now() + interval '1 hour'
		where out_trade_no = $1`, order.out_trade_no);
	return { order, telling: s.voice.paid({ ...order,
		transaction_id: wechat.transaction_id() }) };
}

function assert_fail(answer) {
	assert.equal(answer.status, 503, answer.toString());
	s.assert_refused(answer);
	assert.ok(answer.ms < DEADLINE_MS, `${answer.ms} ms`);
}

// Told again until it is believed: once, whatever came before.
async function assert_settles({ order, telling }) {
	await until('the redelivery is believed', async () => {
		const said = await s.notify(telling);
		assert.ok(said.ms < DEADLINE_MS, `${said.ms} ms`);
		return s.voice.is_acknowledged(said);
	});
	assert.equal(await shop.state(order), 'paid');
	assert.deepEqual(await s.events(order.order_no), ['order.paid']);
}

async function backends(role) {
	const rows = await s.sql(`select pid from pg_stat_activity
		where usename = $1`, role);
	return rows.map(({ pid }) => pid);
}

// Each thread stops when its turn comes.
function is_stopped(pid) {
	return fs.readdirSync(`/proc/${pid}/task`).every((tid) =>
		/\) T /.test(fs.readFileSync(`/proc/${pid}/task/${tid}/stat`)));
}

// Stop processes for as long as fn takes.
async function stopped(pids, fn) {
	for (const pid of pids)
		process.kill(pid, 'SIGSTOP');
	try {
		await until('all are stopped', () => pids.every(is_stopped));
		return await fn();
	} finally {
		for (const pid of pids)
			process.kill(pid, 'SIGCONT');
	}
}

// The order's row in somebody else's hands for as long as fn takes.
async function locked(order, fn) {
	const other = await s.connect();
	await other.query('begin');
	await other.query(`select from wxpay_data.orders
		where order_no = $1 for update`, [order.order_no]);
	try {
		return await fn();
	} finally {
		await other.query('rollback');
		await other.end();
	}
}

const waiting = (role) => until(`${role} waits for a lock`, async () =>
	(await s.one(`select pid from pg_stat_activity where usename = $1
		and wait_event_type = 'Lock'`, role))?.pid);

test('the backend stopped in the middle of a notice (N26, N30)', async () => {
	const one = await notice();
	await locked(one.order, async () => {
		const telling = s.notify(one.telling);
		const pid = await waiting('wxpay_notify');
		assert_fail(await stopped([pid], () => telling));
	});
	await assert_settles(one);
});

test('all its backends stopped, 20 notices at once (N26)', async () => {
	const many = await Promise.all(Array.from({ length: 20 }, notice));
	await Promise.all(many.slice(0, 10).map(({ telling }) =>
		s.notify(telling)));
	const pids = await backends('wxpay_notify');
	assert.ok(pids.length > 0);
	await stopped(pids, async () => {
		const answers = await Promise.all(many.map(({ telling }) =>
			s.notify(telling)));
		for (const answer of answers)
			assert.ok(answer.ms < DEADLINE_MS, `${answer.ms} ms`);
	});
	for (const one of many)
		await assert_settles(one);
});

test('the order locked by somebody else (I29, N30)', async () => {
	const one = await notice();
	await locked(one.order, async () => {
		assert_fail(await s.notify(one.telling));
	});
	await assert_settles(one);
});

test('PostgreSQL hangs as a whole: 503 within 5 s (N26, I19)', async () => {
	const one = await notice();
	const paid = await s.paid();
	const postmaster = s.pid('postgres');
	const rows = await s.sql('select pid from pg_stat_activity');
	const pids = [postmaster, ...rows.map(({ pid }) => pid)];
	await stopped(pids, async () => {
		const [telling, ...others] = await Promise.all([
			s.notify(one.telling), shop.show(paid),
			shop.refund(paid, { refund_fee: 1 }),
			shop.pay({ ...shop.signed(), trade_type: 'NATIVE' })]);
		assert_fail(telling);
		for (const answer of others) {
			assert.equal(answer.status, 503, answer.toString());
			assert.equal(answer.json.code, 'UNAVAILABLE');
			assert.ok(answer.ms < DEADLINE_MS, `${answer.ms} ms`);
		}
	});
	await assert_settles(one);
});

test('PostgreSQL stopped: FAIL; started: the redelivery settles',
	async () => {
	const one = await notice();
	const paid = await s.paid();
	const before = PROGRAMS.map((name) => s.pid(name));
	await s.kill('postgres', 'SIGINT');
	try {
		assert_fail(await s.notify(one.telling));
		for (const answer of [await shop.show(paid),
			await shop.pay({ ...shop.signed(),
				trade_type: 'NATIVE' }),
			await shop.refund(paid, { refund_fee: 1 })])
			assert.equal(answer.status, 503, answer.toString());
	} finally {
		await s.up();
	}
	await assert_settles(one);
	assert.deepEqual(PROGRAMS.map((name) => s.pid(name)), before,
		'no program had to be started again');
	assert.ok(PROGRAMS.every((name) => s.is_alive(name)));
	// The worker lives, too.
	const order = await shop.signed_order();
	await sandbox.fault('paid', 'lost');
	await sandbox.scan(order);
	await until('the worker found it',
		async () => await shop.state(order) === 'paid');
});

test('a backend killed -9: PostgreSQL recovers, and so do we (I30)',
	async () => {
	const one = await notice();
	await s.notify(s.voice.nonsense());
	const [pid] = await backends('wxpay_notify');
	process.kill(pid, 'SIGKILL');
	await assert_settles(one);
	const paid = await s.paid();
	const refund = await shop.refund_requested(paid, 10);
	await staff.approve(refund);
	await s.refund_becomes(paid, refund, 'refunded');
});

test('notify stopped, notify dead: nginx says FAIL in time (I19)',
	async () => {
	const one = await notice();
	const hung = await stopped([s.pid('notify')],
		() => s.notify(one.telling));
	assert.equal(hung.status, 504);
	await s.kill('notify');
	const dead = await s.notify(one.telling);
	assert.equal(dead.status, 502);
	for (const answer of [hung, dead]) {
		s.assert_refused(answer);
		assert.match(answer.headers['x-request-id'], /^[0-9a-f]{32}$/);
		assert.ok(answer.ms < DEADLINE_MS, `${answer.ms} ms`);
	}
	await s.kill('pay');
	const answer = await shop.order().catch((error) => error);
	assert.match(answer.message, /^502 .*"UNAVAILABLE"/);
	await s.up();
	await assert_settles(one);
});

test('no notice at all: the worker finds the payment (I28)', async () => {
	const order = await shop.signed_order();
	await sandbox.fault('paid', 'lost', { times: 1 });
	await sandbox.scan(order);
	await until('the worker found it',
		async () => await shop.state(order) === 'paid');
	const steps = await s.sql(`select reason from wxpay_data.steps
		where entity = 'payment' and number = $1 and to_state = 'paid'`,
		order.out_trade_no);
	assert.deepEqual(steps, [{ reason: 'query' }]);
	assert.deepEqual(await s.events(order.order_no), ['order.paid']);
});

test("WeChat's own schedule brings the notice again (v2.md 15.1)",
	async () => {
	await sandbox.clock({ speed: 30 });
	const { order } = await notice();
	await s.kill('notify');
	await sandbox.scan(order);
	await until('it was told in vain', async () => (await sandbox.ledger(
		order.out_trade_no)).notices[0]?.deliveries.length > 0);
	await s.up();
	await until('the redelivery settles',
		async () => await shop.state(order) === 'paid');
	await sandbox.clock({ speed: 1 });
	const { notices } = await sandbox.ledger(order.out_trade_no);
	assert.equal(notices[0].state, 'done');
	assert.ok(notices[0].tries > 1);
});

const expire = (order) => s.sql(`update wxpay_data.orders
	set time_expire = now() where order_no = $1`, order.order_no);

test('expired orders: closed at WeChat, then here (design 2)', async () => {
	const order = await shop.signed_order();
	await expire(order);
	await until('it is closed',
		async () => await shop.state(order) === 'closed');
	const { payments, calls } = await sandbox.ledger(order.out_trade_no);
	assert.equal(payments[0].state, 'CLOSED');
	const { closed_at } = await s.one(`select closed_at
		from wxpay_data.orders where order_no = $1`, order.order_no);
	const closing = calls.find(({ api, outcome }) => api === 'closeorder'
		&& outcome === 'SUCCESS');
	assert.ok(new Date(closing.at) <= closed_at, 'WeChat first');
	assert.deepEqual(await s.events(order.order_no), ['order.closed']);

	const bare = await s.one(`select * from wxpay.shop_order_create($1,
		500, 'Nobody came', now())`, number('N'));
	await until('it is closed without a call',
		async () => await shop.state(bare) === 'closed');
	assert.deepEqual((await sandbox.ledger(bare.order_no)).calls, []);

	const paid = await shop.signed_order();
	await sandbox.fault('paid', 'lost', { times: 1 });
	await sandbox.scan(paid);
	await expire(paid);
	await until('money that came in time counts',
		async () => await shop.state(paid) === 'paid');
});

test('two workers at once do no harm (R14)', async () => {
	const worker = spawn(path.join(s.env.BIN, 'wxpayctl'), ['--config',
		s.env.CONF, 'worker'], { stdio: ['ignore', 'ignore', 'pipe'] });
	let log = '';
	worker.stderr.on('data', (text) => { log += text; });
	await until('it has started', () => /worker.started/.test(log));
	await sandbox.fault('paid', 'lost', { times: 0 });
	await sandbox.fault('refunded', 'lost', { times: 0 });
	const orders = await Promise.all(Array.from({ length: 20 },
		() => s.paid(1000)));
	const refunds = await Promise.all(orders.map((order) =>
		shop.refund_requested(order, 300)));
	// Approved in SQL, so that nobody sends it at once.
	await Promise.all(refunds.map(({ out_refund_no }) => s.sql(`select
		wxpay.refund_decide($1, $2, 'approve', 'alice', '', 0)`,
		s.env.MCHID, out_refund_no)));
	for (const [i, order] of orders.entries())
		await s.refund_becomes(order, refunds[i], 'refunded');
	await sandbox.no_faults();
	for (const order of orders) {
		const ledger = await sandbox.ledger(order.out_trade_no);
		assert.deepEqual(ledger.refunds.map((r) => r.refund_fee),
			[300]);
		assert.deepEqual(ledger.violations, []);
	}
	assert.match(log, /refund/, 'the second one worked, too');
	const numbers = orders.map((order) => order.out_trade_no);
	const { count } = await s.one(`select count(*)
		from wxpay_data.calls a join wxpay_data.calls b
		on a.out_trade_no = b.out_trade_no and a.call_no < b.call_no
		and a.out_refund_no is not distinct from b.out_refund_no
		and b.began_at < a.ended_at
		where a.out_trade_no = any ($1)`, numbers);
	assert.equal(count, 0, 'no two calls about one thing at a time');
	worker.kill('SIGTERM');
	const code = await new Promise((resolve) => {
		worker.on('exit', resolve);
		if (worker.exitCode !== null)
			resolve(worker.exitCode);
	});
	assert.equal(code, 0);
});

test('each program killed -9, and started again by make up (I30)',
	async (t) => {
	for (const name of [...PROGRAMS, 'sandbox', 'nginx'])
		await t.test(name, async () => {
			await s.kill(name);
			await s.up();
			const order = await s.paid();
			const refund = await shop.refund_requested(order, 10);
			await staff.approve(refund);
			await s.refund_becomes(order, refund, 'refunded');
		});
});

// SIGTERM, and wait for the end.
async function terminate(name) {
	const pid = s.pid(name);
	process.kill(pid, 'SIGTERM');
	return () => until(`${name} leaves`, () => !alive(pid), 6000);
}

test('SIGTERM finishes what is in hand (L3; design 1)', async (t) => {
	await t.test('pay', async () => {
		const what = { ...shop.signed(), trade_type: 'NATIVE' };
		await sandbox.fault('unifiedorder', 'late', { ms: 1000 });
		const asking = shop.pay(what);
		await until('WeChat was asked',
			async () => (await sandbox.calls(
			what.order_no)).length > 0);
		const left = await terminate('pay');
		expect(await asking, 201);
		await left();
	});
	await t.test('notify', async () => {
		await s.up();
		const one = await notice();
		let telling, left;
		await locked(one.order, async () => {
			telling = s.notify(one.telling);
			await waiting('wxpay_notify');
			left = await terminate('notify');
		});
		s.assert_acknowledged(await telling);
		await left();
	});
	await t.test('refund', async () => {
		await s.up();
		const order = await s.paid();
		const refund = await shop.refund_requested(order, 10);
		await sandbox.fault('refund', 'late', { ms: 1000 });
		await s.without('worker', async () => {
			const approval = staff.decide(refund, 'approve');
			await until('WeChat was asked', async () =>
				(await sandbox.refund_calls(refund)).length
					> 0);
			const left = await terminate('refund');
			expect(await approval, 200);
			await left();
		});
		await s.up();
		await s.refund_becomes(order, refund, 'refunded');
	});
	await t.test('worker', async () => {
		const order = await shop.signed_order();
		await sandbox.fault('orderquery', 'late', { ms: 1000 });
		await shop.check(order);
		await until('WeChat was asked',
			async () => (await sandbox.calls(
			order.out_trade_no, 'orderquery')).length > 0);
		const left = await terminate('worker');
		await left();
		const open = await s.sql(`select op from wxpay_data.calls
			where out_trade_no = $1 and outcome is null`,
			order.out_trade_no);
		assert.deepEqual(open, [], 'its outcome is written');
		await s.up();
	});
});

test('in the end: no call without an outcome, and the books agree (I1, I10)',
	async () => {
	await sandbox.no_faults();
	// Those whose caller was killed are swept after a minute.
	const open = await s.sql(`select op, began_at from wxpay_data.calls
		where outcome is null and began_at < now() - interval '80 s'`);
	assert.deepEqual(open, []);
	const books = await s.connect(s.env.SANDBOX_DATABASE);
	const theirs = (await books.query(`select out_refund_no as no,
		refund_fen as fen from sandbox.refunds
		where refund_status = 'SUCCESS' order by 1`)).rows;
	const ours = await s.sql(`select out_refund_no as no,
		refund_fen as fen from wxpay_data.refunds
		where state = 'refunded' order by 1`);
	assert.deepEqual(ours, theirs);
	const missed = (await books.query(`select out_trade_no
		from sandbox.payments where state = 'SUCCESS'`)).rows;
	for (const { out_trade_no } of missed)
		assert.equal((await s.payment(out_trade_no)).state, 'paid');
});
