// Many at once: what is identical happens once, what does not fit is refused
// (threats.md P6, R4, N28; issue "must hold").
import assert from 'node:assert/strict';
import test from 'node:test';
import { expect, number, random } from './lib/actors.mjs';
import { stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';

const s = await stack('brisk');
const { shop, sandbox, staff, staff2 } = s;
const MANY = 50;
const many = (fn) => Promise.all(Array.from({ length: MANY },
	(_, i) => fn(i)));
const tally = (answers) => answers.reduce((counts, { status }) =>
	({ ...counts, [status]: (counts[status] ?? 0) + 1 }), {});

test('50 identical notices while query and close run: one event (N28, I3)',
	async () => {
	for (let round = 0; round < 3; round++) {
		const order = await shop.signed_order();
		await sandbox.fault('paid', 'lost', { times: 1 });
		const { transaction_id } = await sandbox.scan(order);
		const telling = s.voice.paid({ ...order, transaction_id });
		const [answers, ...others] = await Promise.all([
			many(() => s.notify(telling)),
			shop.check(order), shop.close(order), shop.close(order),
			staff.post(`/merchant/orders/${order.order_no}/check`),
			staff2.post(`/merchant/orders/${order.order_no}/check`),
			shop.pay({ order_no: order.order_no, token: order.token,
				trade_type: 'NATIVE' }),
		]);
		for (const answer of answers) {
			s.assert_acknowledged(answer);
			assert.ok(answer.ms < 5000);
		}
		for (const other of others)
			assert.ok(other.status < 500, other.toString());
		assert.equal(await shop.state(order), 'paid');
		await until('all calls have ended',
			async () => (await s.one(`select
			count(*) from wxpay_data.calls where out_trade_no = $1
			and outcome is null`, order.out_trade_no)).count === 0);
		assert.deepEqual(await s.events(order.order_no),
			['order.paid']);
		const { count } = await s.one(`select count(*)
			from wxpay_data.notices where out_trade_no = $1`,
			order.out_trade_no);
		assert.equal(count, MANY, 'I17: each SUCCESS wrote its row');
		assert.deepEqual(await s.unexpected(order.out_trade_no), []);
		const { payments } = await sandbox.ledger(order.out_trade_no);
		assert.equal(payments[0].state, 'SUCCESS');
	}
});

test('50 copies from WeChat itself at once: all acknowledged (N8, N28)',
	async () => {
	const order = await s.paid();
	const { replies } = await sandbox.post('/sandbox/notify',
		{ out_trade_no: order.out_trade_no, copies: MANY });
	assert.equal(replies.length, MANY);
	for (const { status, reply } of replies)
		s.assert_acknowledged({ status, text: reply });
	assert.deepEqual(await s.events(order.order_no), ['order.paid']);
});

test('50 parallel refunds of a tenth: ten reserved, forty refused (R3, I4)',
	async () => {
	const order = await s.paid(1000);
	const answers = await many(() => shop.refund(order,
		{ refund_fee: 100 }));
	assert.deepEqual(tally(answers), { 201: 10, 409: 40 });
	const row = await s.payment(order.out_trade_no);
	assert.equal(row.reserved_fen, 1000);
	assert.equal(row.refunded_fen, 0);
	assert.equal(row.refund_count, 10);
	const numbers = answers.filter(({ status }) => status === 201)
		.map((answer) => answer.json.out_refund_no);
	assert.equal(new Set(numbers).size, 10);

	await Promise.all(numbers.map((out_refund_no, i) =>
		(i % 2 ? staff : staff2).approve({ out_refund_no })));
	for (const out_refund_no of numbers)
		await s.refund_becomes(order, { out_refund_no }, 'refunded');
	const { refunds, payments } = await sandbox.ledger(order.out_trade_no);
	assert.deepEqual(refunds.map((r) => r.out_refund_no).sort(),
		numbers.sort());
	assert.equal(refunds.reduce((sum, r) => sum + r.refund_fee, 0),
		payments[0].total_fee);
	assert.equal((await s.payment(order.out_trade_no)).refunded_fen, 1000);
});

test('50 times the same refund request: one number (R4)', async () => {
	const order = await s.paid(1000);
	const request_id = random();
	const answers = await many(() => shop.refund(order,
		{ refund_fee: 100, request_id }));
	assert.deepEqual(tally(answers), { 201: MANY });
	const first = answers[0].json;
	for (const answer of answers)
		assert.deepEqual(answer.json, first);
	assert.equal((await s.payment(order.out_trade_no)).reserved_fen, 100);
});

test('50 approvals of one refund: one is sent (R4, R11)', async () => {
	const order = await s.paid(1000);
	const refund = await shop.refund_requested(order, 300);
	const answers = await many((i) =>
		(i % 2 ? staff : staff2).decide(refund, 'approve'));
	assert.deepEqual(tally(answers), { 200: 1, 409: 49 });
	await s.refund_becomes(order, refund, 'refunded');
	const { refunds } = await sandbox.ledger(order.out_trade_no);
	assert.deepEqual(refunds.map((r) => r.refund_fee), [300]);
	assert.equal((await sandbox.calls(order.out_trade_no, 'refund')).length,
		1);
	assert.deepEqual((await s.events(order.order_no)).filter((kind) =>
		kind.startsWith('refund.')),
		['refund.requested', 'refund.approved', 'refund.refunded']);
});

test('25 approvals and 25 rejections at once: one of them holds (R11)',
	async () => {
	const order = await s.paid(1000);
	const refund = await shop.refund_requested(order, 300);
	const answers = await many((i) => i % 2
		? staff.decide(refund, 'approve')
			: staff2.decide(refund, 'reject'));
	assert.deepEqual(tally(answers), { 200: 1, 409: 49 });
	const { state } = answers.find(({ status }) => status === 200).json;
	assert.ok(['refunding', 'rejected'].includes(state), state);
	await s.refund_becomes(order, refund,
		state === 'rejected' ? 'rejected' : 'refunded');
	const { refunds } = await sandbox.ledger(order.out_trade_no);
	assert.equal(refunds.length, state === 'rejected' ? 0 : 1);
});

test('two trade types clicked at once: one current payment (design 2)',
	async () => {
	const what = shop.signed();
	const answers = await many((i) => shop.pay({ ...what, ...(i % 2
		? { trade_type: 'NATIVE' }
		: { trade_type: 'JSAPI', openid: 'oE2E-race' }) }));
	// Each way may displace the other: what is refused is refused as busy.
	for (const answer of answers)
		assert.ok([201, 202, 409].includes(answer.status),
			answer.toString());
	const payments = await s.sql(`select out_trade_no, state, closing
		from wxpay_data.payments where order_no = $1 order by attempt`,
		what.order_no);
	assert.ok(payments.length >= 2);
	assert.ok(payments.filter(({ state, closing }) => !closing
		&& ['created', 'prepaid'].includes(state)).length <= 1);
	for (const { out_trade_no } of payments) {
		const calls = await sandbox.calls(out_trade_no, 'unifiedorder');
		assert.ok(calls.length <= 1,
			`${out_trade_no}: ${calls.length}`);
	}
});

test('50 different orders at once are 50 orders', async () => {
	const orders = await many(() => shop.signed_order());
	assert.equal(new Set(orders.map((o) => o.code_url)).size, MANY);
	await Promise.all(orders.map((order) => sandbox.scan(order)));
	await until('all are paid', async () => (await s.one(`select count(*)
		from wxpay_data.orders where state = 'paid'
		and order_no = any ($1)`,
		orders.map((o) => o.order_no))).count === MANY);
	const { count } = await s.one(`select count(*) from wxpay_data.events
		where kind = 'order.paid' and order_no = any ($1)`,
		orders.map((o) => o.order_no));
	assert.equal(count, MANY);
});

test('50 shop-signed forms of one number, two amounts: one wins (P4)',
	async () => {
	const order_no = number('D');
	const cheap = shop.signed({ order_no, total_fee: 1 });
	const dear = shop.signed({ order_no, total_fee: 2 });
	const answers = await many((i) => shop.pay({ ...(i % 2 ? cheap : dear),
		trade_type: 'NATIVE' }));
	assert.deepEqual(tally(answers), { 201: 25, 409: 25 });
	const ours = expect(answers.find(({ status }) => status === 201), 201)
		.json;
	const { payments } = await sandbox.ledger(order_no);
	assert.equal(payments[0].total_fee, ours.total_fee);
	assert.equal(payments[0].prepays, 1);
});
