// Calls whose outcome is unknown (threats.md I5-I13, P21, R6-R9, R13, O3, O8):
// asked about under the same number, and never done twice.  WeChat's books
// have the last word, so the tests read those.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test, { after } from 'node:test';
import { expect, random } from './lib/actors.mjs';
import { form } from './lib/http.mjs';
import { alive, stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';

const s = await stack('brisk');
const { shop, sandbox, staff } = s;
let sent = 0;
after(() => console.log(`# unknown: ${sent} refunds sent, each once`));

// How a call can go that WeChat has executed, or perhaps not.
const EXECUTED = ['silent', 'late', 'cut', 'http_500', 'http_502',
	'SYSTEMERROR', 'bad_sign', 'unsigned', 'echo_other', 'echo_amount'];
const NOT_EXECUTED = ['refuse', 'SYSTEMERROR_BEFORE'];
const NOT_NOW = s.api === 'v2'
	? ['BIZERR_NEED_RETRY', 'INVALID_REQUEST', 'FREQUENCY_LIMITED',
		'ORDER_NOT_READY', 'REFUND_FEE_MISMATCH', 'SOME_NEW_CODE']
	: ['FREQUENCY_LIMITED', 'RATELIMIT_EXCEEDED', 'SERVICE_UNAVAILABLE'];
// Not taken in at all: nothing to ask about.
const TOO_MANY = ['FREQUENCY_LIMITED', 'ORDER_NOT_READY', 'RATELIMIT_EXCEEDED'];
const FOR_GOOD = s.api === 'v2'
	? ['TRADE_OVERDUE', 'ERROR', 'USER_ACCOUNT_ABNORMAL', 'ORDERNOTEXIST']
	: ['USER_ACCOUNT_ABNORMAL', 'REQUEST_BLOCKED', 'RESOURCE_NOT_EXISTS',
		'NO_AUTH'];
const UNSETTLED = 'REFUND_SOURCE_UNSETTLED_FUNDS';
const RECHARGE = 'REFUND_SOURCE_RECHARGE_FUNDS';
// WeChat hears of it again before our budget of 2 s is over.
const LATE = { ms: 3000 };

// A partial refund, for a full one cannot double at WeChat.
async function requested(refund_fee = 300) {
	const order = await s.paid(1000);
	return { order, refund: await shop.refund_requested(order,
		refund_fee) };
}

// The account may be the other one, when this one is empty.
const business = ({ nonce_str, sign, refund_account, ...fields }) => fields;

// I5-I9, I13: one refund at WeChat, one number, the same fields each time,
// a query after each doubt, and our journal knows every call.
async function assert_once({ order, refund }) {
	sent++;
	const ledger = await sandbox.ledger(order.out_trade_no);
	assert.deepEqual(ledger.refunds.map((r) => [r.out_refund_no,
		r.refund_fee]), [[refund.out_refund_no, refund.refund_fee]]);
	const calls = ledger.calls.filter(({ fields }) =>
		fields.out_refund_no === refund.out_refund_no);
	const refunds = calls.filter(({ api }) => api === 'refund');
	for (const { fields } of refunds)
		assert.deepEqual(business(fields), business(refunds[0].fields));
	const ours = await s.sql(`select nonce, outcome, began_at
		from wxpay_data.calls where out_refund_no = $1`,
		refund.out_refund_no);
	for (const call of calls) {
		const row = ours.find(({ nonce }) => nonce === call.nonce_str);
		assert.ok(row,
			`${call.api} at ${call.at} stands in our journal`);
		assert.ok(row.began_at <= new Date(call.at), 'before it left');
	}
	assert.deepEqual(ledger.violations, []);
	assert.equal((await s.payment(order.out_trade_no)).refunded_fen,
		refund.refund_fee);
	return calls.map(({ api }) => api);
}

async function approve_env() {
	const { 'x-csrf-token': HTTP_X_CSRF_TOKEN, origin: HTTP_ORIGIN }
		= await staff.headers();
	return { HTTP_X_CSRF_TOKEN, HTTP_ORIGIN, REMOTE_USER: staff.name };
}

// An approval by a program of its own, whose configuration is another.
async function approve_by_cgi({ refund }, conf) {
	const env = await approve_env();
	return s.without('worker', () => s.cgi('refund', 'POST',
		`/merchant/refunds/${refund.out_refund_no}/approve`,
		{ conf, body: 'reason=x', env }));
}

const refunded = (one) =>
	s.refund_becomes(one.order, one.refund, 'refunded');
const count = (apis, wanted) => apis.filter((api) => api === wanted).length;

test('refund executed, answer lost: exactly one (R6, R7)', async (t) => {
	const going = [];
	for (const fault of EXECUTED) {
		const one = await requested();
		await sandbox.fault('refund', fault, LATE);
		// V3 signs it, and would settle it before it is asked about.
		if (s.api === 'v3')
			await sandbox.fault('refunded', 'lost',
				{ number: one.refund.out_refund_no });
		assert.equal((await staff.approve(one.refund)).state,
			'refunding');
		going.push([fault, one]);
	}
	for (const [fault, one] of going)
		await t.test(fault, async () => {
			await refunded(one);
			const apis = await assert_once(one);
			assert.equal(apis[0], 'refund');
			assert.equal(apis[1], 'refundquery', 'I13');
			assert.equal(count(apis, 'refund'), 1);
		});
});

test('refund not executed: asked about, sent again, one number (I13)',
	async (t) => {
	const plans = [...NOT_EXECUTED.map((fault) => [fault, { fault }]),
		...NOT_NOW.map((code) => [code, { fault: 'code', code }])];
	const going = [];
	for (const plan of plans)
		going.push([plan, await requested()]);
	// The worker would send the first again into the second's fault.
	await s.without('worker', async () => {
		for (const [[, { fault, code }], one] of going) {
			await sandbox.fault('refund', fault, { code });
			await staff.approve(one.refund);
		}
	});
	for (const [[fault], one] of going)
		await t.test(fault, async () => {
			await refunded(one);
			const apis = await assert_once(one);
			const second = apis.indexOf('refund', 1);
			assert.ok(second > 0, apis.join());
			if (!TOO_MANY.includes(fault))
				assert.equal(apis[1], 'refundquery');
		});
});

test('refused for good: failed, freed, and tried again by staff (R9)',
	async (t) => {
	for (const code of FOR_GOOD)
		await t.test(code, async () => {
			const one = await requested();
			await sandbox.fault('refund', 'code', { code });
			expect(await staff.decide(one.refund, 'approve'), 200);
			await s.refund_becomes(one.order, one.refund, 'failed');
			const { failure } = await s.one(`select failure
				from wxpay.refunds where out_refund_no = $1`,
				one.refund.out_refund_no);
			assert.equal(failure, code);
			assert.equal((await s.payment(one.order.out_trade_no))
				.reserved_fen, 0);
			assert.equal((await s.events(one.order.order_no)).at(
				-1), 'refund.failed');
			expect(await staff.decide(one.refund, 'approve'), 409);
			expect(await staff.decide(one.refund, 'retry'), 200);
			await refunded(one);
			await assert_once(one);
		});
});

// Signed with a key that is not ours: turned away at the door.
async function approve_in_vain(one) {
	const key = path.join(s.dir, 'another_key');
	fs.writeFileSync(key, random(), { mode: 0o400 });
	const approved = await approve_by_cgi(one, { api_key: key });
	assert.equal(approved.status, 200, approved.stdout + approved.stderr);
}

const planted = (fault, fields) => async ({ refund }) => {
	await sandbox.fault('refund', fault, fields);
	await staff.approve(refund);
};

// A no that is not signed, or says too little to end anything.
const DENIED = s.api === 'v2' ? { 'another key': approve_in_vain }
	: { unsigned: planted('denied'),
		INVALID_REQUEST: planted('code', { code: 'INVALID_REQUEST' }),
		SOME_NEW_CODE: planted('code', { code: 'SOME_NEW_CODE' }) };

test('a no that may not be one fails nothing before two queries agree'
	+ ' (design 2)', async (t) => {
	for (const [what, approve] of Object.entries(DENIED))
		await t.test(what, async () => {
			const one = await requested();
			await approve(one);
			await assert_asked_twice(one);
			expect(await staff.decide(one.refund, 'retry'), 200);
			await refunded(one);
			await assert_once(one);
		});
});

async function assert_asked_twice({ order, refund }) {
	const { out_refund_no } = refund;
	const missing = () => s.one(`select state from wxpay_data.refunds
		where out_refund_no = $1 and missing_at is not null`,
		out_refund_no);
	const { state } = await until('a query has found nothing', missing);
	assert.equal(state, 'refunding', 'once is not enough');
	await s.sql(`update wxpay_data.refunds set due_at = now(),
		missing_at = missing_at - interval '61 seconds'
		where out_refund_no = $1`, out_refund_no);
	await s.refund_becomes(order, refund, 'failed');
	assert.deepEqual((await sandbox.refund_calls(refund))
		.map(({ api }) => api), ['refund', 'refundquery',
			'refundquery']);
}

test('no money: the other account, then later, one number (R9)',
	async () => {
	const accounts = async ({ refund }) =>
		(await sandbox.refund_calls(refund))
			.filter(({ api }) => api === 'refund')
			.map(({ fields }) =>
				fields.refund_account ?? UNSETTLED);
	const one = await requested();
	const two = await requested();
	try {
		await sandbox.post('/sandbox/faults', { unsettled_fen: 0 });
		await staff.approve(one.refund);
		await refunded(one);
		assert.deepEqual(await accounts(one), [UNSETTLED, RECHARGE]);
		await assert_once(one);

		await sandbox.post('/sandbox/faults', { recharge_fen: 0 });
		await staff.approve(two.refund);
		await until('both have been asked',
			async () => (await accounts(two)).length === 2);
		await until('it waits for people',
			async () => (await s.one(`select
			due_at - now() > interval '4 minutes' as waits
			from wxpay_data.refunds where out_refund_no = $1`,
			two.refund.out_refund_no)).waits);
	} finally {
		await sandbox.no_faults();
	}
	await s.sql(`update wxpay_data.refunds set due_at = now()
		where out_refund_no = $1`, two.refund.out_refund_no);
	await refunded(two);
	await assert_once(two);
});

test('a refundquery that goes wrong is asked again (O3, O8)', async (t) => {
	const going = [];
	for (const fault of ['cut', 'http_502', 'SYSTEMERROR', 'bad_sign',
		'unsigned', 'echo_other', 'echo_amount', 'refuse']) {
		const one = await requested();
		// its own: those before it are told and asked about meanwhile
		const number = one.refund.out_refund_no;
		await sandbox.fault('refunded', 'lost', { number });
		await sandbox.fault('refundquery', fault, { number });
		await staff.approve(one.refund);
		going.push([fault, one]);
		await until('the fault has been met', async () => (await sandbox
			.refund_calls(one.refund)).some((call) => call.fault));
	}
	// By the schedule it is asked again a minute later; V2's telling it
	// again is sooner, and V3's would settle it.
	const hasten = ({ out_refund_no }) => s.api === 'v2'
		? sandbox.notify({ out_refund_no })
		: s.sql(`update wxpay_data.refunds set due_at = now()
			where out_refund_no = $1`, out_refund_no);
	for (const [fault, one] of going)
		await t.test(fault, async () => {
			await until('its end is told',
				async () => (await sandbox.ledger(
				one.order.out_trade_no)).notices.length > 1);
			await hasten(one.refund);
			await refunded(one);
			await assert_once(one);
		});
});

// ---- unifiedorder

test('unifiedorder unknown: 202, the same POST resumes, one number (P21)',
	async (t) => {
	// The answer has no amount, and V3's no number either.
	for (const fault of [...EXECUTED.filter((word) =>
		word !== 'echo_amount'
			&& (word !== 'echo_other' || s.api === 'v2')),
		...NOT_EXECUTED])
		await t.test(fault, async () => {
			const what = { ...shop.signed(), trade_type: 'NATIVE',
				request_id: random() };
			await sandbox.fault('unifiedorder', fault, LATE);
			const first = expect(await shop.pay(what), 202).json;
			assert.equal(first.state, 'pending');
			assert.ok(first.retry_after > 0);
			assert.equal(first.code_url, undefined);
			const second = await until('it resumes', async () => {
				const answer = await shop.pay(what);
				assert.ok([201, 202,
					409].includes(answer.status),
					answer.toString());
				return answer.status === 201 && answer.json;
			});
			assert.equal(second.out_trade_no, first.out_trade_no);
			assert.equal(second.token, first.token);
			const { payments, calls, violations }
				= await sandbox.ledger(first.out_trade_no);
			assert.equal(payments.length, 1);
			assert.deepEqual(violations, []);
			const apis = calls.map(({ api }) => api);
			assert.equal(apis[0], 'unifiedorder');
			assert.equal(apis[1], 'orderquery', 'I13: asked first');
			assert.equal((await s.sql(
				`select from wxpay_data.payments
				where order_no = $1`, first.order_no)).length,
					1);
			await sandbox.scan(second);
			await until('it can be paid',
				async () => await shop.state(second)
					=== 'paid');
		});
});

test('unifiedorder refused: 502, the order stays (16.1)', async () => {
	for (const code of ['NOAUTH', 'PARAM_ERROR', 'TRADE_ERROR']) {
		const what = { ...shop.signed(), trade_type: 'NATIVE' };
		await sandbox.fault('unifiedorder', 'code', { code });
		expect(await shop.pay(what), 502);
		expect(await shop.pay(what), 201);
	}
	// WeChat has closed the number: the next attempt has a new one.
	const closed = { ...shop.signed(), trade_type: 'NATIVE' };
	await sandbox.fault('unifiedorder', 'code', { code: 'ORDERCLOSED' });
	const order = expect(await shop.pay(closed), 201).json;
	assert.equal(order.out_trade_no, `${closed.order_no}_2`);
});

test('closeorder unknown: asked again until it is closed (7.4)', async () => {
	const faults = ['silent', 'cut', 'http_502', 'SYSTEMERROR', 'bad_sign',
		'refuse', 'SYSTEMERROR_BEFORE'];
	const orders = [];
	for (const fault of faults) {
		await sandbox.fault('closeorder', fault);
		const order = await shop.signed_order();
		expect(await shop.close(order), 202);
		orders.push(order);
	}
	for (const order of orders)
		await until('it is closed',
			async () => await shop.state(order) === 'closed');
	const met = [];
	for (const order of orders) {
		const { payments, calls }
			= await sandbox.ledger(order.out_trade_no);
		assert.equal(payments[0].state, 'CLOSED');
		met.push(...calls.filter((call) => call.fault)
			.map((call) => call.fault));
	}
	assert.deepEqual(met.sort(), faults.sort(), 'each was met');
});

// ---- WeChat is not there

test('WeChat down: nothing is lost, nothing is done twice', async () => {
	const one = await requested();
	const what = { ...shop.signed(), trade_type: 'NATIVE' };
	// The worker would ask in vain, and by the schedule again in a minute.
	await s.without('worker', async () => {
		await s.kill('sandbox');
		const answer = expect(await shop.pay(what), 202).json;
		assert.equal(answer.order_no, what.order_no);
		assert.equal((await staff.approve(one.refund)).state,
			'refunding');
		await s.up();
	});
	await refunded(one);
	await assert_once(one);
	const order = await until('the same POST resumes', async () => {
		const answer = await shop.pay(what);
		return answer.status === 201 && answer.json;
	});
	const { payments } = await sandbox.ledger(order.out_trade_no);
	assert.equal(payments[0].prepays, 1);
});

const nowhere = async () => {
	const server = net.createServer();
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address();
	await new Promise((resolve) => server.close(resolve));
	return { wechat_url: `https://localhost:${port}` };
};
const calls_of = (column, number) => s.sql(`select op, outcome
	from wxpay_data.calls where ${column} = $1 order by call_no`, number);

test('no byte has left: not_sent, and the same again (I12)', async () => {
	const conf = await nowhere();
	const what = { ...shop.signed(), trade_type: 'NATIVE' };
	const answer = await s.cgi('pay', 'POST', '/pay', { conf,
		body: form(what) });
	assert.equal(answer.status, 202, answer.stdout + answer.stderr);
	assert.deepEqual(await calls_of('out_trade_no', what.order_no),
		[{ op: 'prepay', outcome: 'not_sent' }]);
	const order = expect(await shop.pay(what), 201).json;
	assert.deepEqual((await sandbox.calls(order.out_trade_no))
		.map(({ api }) => api), ['unifiedorder']);

	const one = await requested();
	const approved = await approve_by_cgi(one, conf);
	assert.equal(approved.status, 200, approved.stdout + approved.stderr);
	assert.deepEqual((await calls_of('out_refund_no',
		one.refund.out_refund_no))[0],
		{ op: 'refund', outcome: 'not_sent' });
	await refunded(one);
	const apis = await assert_once(one);
	assert.equal(apis[0], 'refund', 'nothing to ask about');
});

// ---- kill -9 (R13)

test('kill -9 between the commit and the first byte (R13)', async () => {
	// A WeChat that takes the connection and never says hello.
	const sockets = [];
	const hole = net.createServer((socket) => sockets.push(socket));
	await new Promise((resolve) => hole.listen(0, '127.0.0.1', resolve));
	const conf = { wechat_total_ms: 12000, wechat_connect_ms: 10000,
		wechat_url: `https://localhost:${hole.address().port}` };
	const one = await requested();
	const url = `/merchant/refunds/${one.refund.out_refund_no}/approve`;
	await s.without('worker', async () => {
		const child = spawn(path.join(s.env.BIN, 'refund'), [], {
			env: { WXPAY_CONF: s.conf_file(conf),
				...s.cgi_env('POST', url,
				'reason=x', await approve_env()) },
			stdio: ['pipe', 'ignore', 'ignore'] });
		child.stdin.end('reason=x');
		await until('it is connected', () => sockets.length > 0);
		assert.deepEqual(await calls_of('out_refund_no',
			one.refund.out_refund_no),
				[{ op: 'refund', outcome: null }]);
		child.kill('SIGKILL');
		await until('it is dead', () => !alive(child.pid));
	});
	for (const socket of sockets)
		socket.destroy();
	hole.close();
	// The lease of the dead one was long: the test does not wait it out.
	await s.sql(`update wxpay_data.refunds set due_at = now(),
		leased_until = now() where out_refund_no = $1`,
		one.refund.out_refund_no);
	await refunded(one);
	const apis = await assert_once(one);
	assert.equal(apis[0], 'refundquery', 'asked before it was sent');
	assert.equal(count(apis, 'refund'), 1);
});

test('kill -9 between the send and the outcome (R13)', async () => {
	const one = await requested();
	const buyer = { ...shop.signed(), trade_type: 'NATIVE' };
	await sandbox.fault('refund', 'late', { ms: 1500 });
	await sandbox.fault('unifiedorder', 'late', { ms: 1500 });
	await s.without('worker', async () => {
		const approval = staff.decide(one.refund, 'approve');
		const payment = shop.pay(buyer);
		await until('WeChat has executed both', async () =>
			(await sandbox.ledger(
				one.order.out_trade_no)).refunds.length
			&& (await sandbox.ledger(
				buyer.order_no)).payments.length);
		await Promise.all([s.kill('refund'), s.kill('pay')]);
		assert.equal((await approval).status, 502);
		assert.equal((await payment).status, 502);
	});
	await s.up();
	const order = await until('the same POST resumes', async () => {
		const answer = await shop.pay(buyer);
		return answer.status === 201 && answer.json;
	});
	assert.equal(order.out_trade_no, buyer.order_no);
	const { payments, violations } = await sandbox.ledger(buyer.order_no);
	assert.equal(payments.length, 1);
	assert.deepEqual(violations, []);
	await refunded(one);
	const apis = await assert_once(one);
	assert.equal(count(apis, 'refund'), 1);
});

test('kill -9 at any moment of an approval (R13)', async () => {
	const going = [];
	for (const ms of [0, 1, 2, 4, 8, 16]) {
		const one = await requested();
		const approval = staff.decide(one.refund, 'approve')
			.catch(() => null);
		await new Promise((resolve) => setTimeout(resolve, ms));
		await s.kill('refund');
		await approval;
		await s.up();
		going.push(one);
	}
	for (const one of going) {
		const state = await shop.refund_state(one.order, one.refund);
		if (state
			=== 'pending')	// killed before it was committed
			await staff.approve(one.refund);
		await refunded(one);
		await assert_once(one);
	}
});
