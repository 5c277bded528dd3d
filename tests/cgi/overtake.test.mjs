// Money overtakes us, and wins (design 2): each ends as the page says, and
// nothing raises.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { expect, number } from './lib/actors.mjs';
import { stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

const s = await stack('brisk');
const { shop, sandbox, staff } = s;

const by_hand = (order, refund_fee) => sandbox.post(
	'/sandbox/refund_by_hand', { out_trade_no: order.out_trade_no,
		refund_fee });
const becomes = (refund, refund_status) => sandbox.post(
	'/sandbox/refund_status', { out_refund_no: refund.out_refund_no,
		refund_status });
const refund_row = (out_refund_no) => s.one(`select * from
	wxpay_data.refunds where out_refund_no = $1`, out_refund_no);

// A refund that WeChat has made something else of than SUCCESS.
async function refund_that(status, order, refund_fee) {
	const refund = await shop.refund_requested(order, refund_fee);
	await sandbox.refunds_become(status);
	await staff.approve(refund);
	await s.refund_becomes(order, refund, 'failed');
	return refund;
}

// No 5xx, no error of PostgreSQL, over the whole file.
after(() => {
	for (const name of ['pay', 'notify', 'refund', 'worker'])
		assert.doesNotMatch(s.log(name),
			/"(reason|why)":"[^"]*(check_violation|\b23514\b|raised)/);
});

test('ABNORMAL keeps its amount, and a late success is taken', async () => {
	const order = await s.paid(1000);
	const refund = await refund_that('CHANGE', order, 600);
	const row = await refund_row(refund.out_refund_no);
	assert.equal(row.failure, 'ABNORMAL');
	const asked_again_s = (row.due_at - Date.now()) / 1000;
	assert.ok(asked_again_s > 3000 && asked_again_s < 3700,
		`asked once an hour, not in ${asked_again_s} s`);
	assert.equal((await s.payment(order.out_trade_no)).reserved_fen, 600);
	expect(await shop.refund(order, { refund_fee: 401 }), 409);

	await becomes(refund, 'SUCCESS');
	await s.refund_becomes(order, refund, 'refunded');
	assert.equal((await s.payment(order.out_trade_no)).refunded_fen, 600);
	assert.deepEqual((await s.events(order.order_no)).slice(-2),
		['refund.failed', 'refund.refunded']);
	assert.deepEqual(await s.unexpected(order.out_trade_no), []);
	expect(await staff.decide(refund, 'retry'), 409);
});

test('ABNORMAL can be retried by staff under its number', async () => {
	const order = await s.paid(1000);
	const refund = await refund_that('CHANGE', order, 600);
	assert.equal(expect(await staff.decide(refund, 'retry'), 200)
		.json.state, 'refunding');
	if (s.api === 'v3') {
		// [v3.md 12.2] Until somebody has acted on WeChat's platform.
		await s.refund_becomes(order, refund, 'failed');
		await becomes(refund, 'SUCCESS');
	}
	await s.refund_becomes(order, refund, 'refunded');
	const { refunds } = await sandbox.ledger(order.out_trade_no);
	assert.deepEqual(refunds.map((r) => r.out_refund_no),
		[refund.out_refund_no]);
});

test('CLOSED frees its amount; retry is 409, a new request is not',
	async () => {
	const order = await s.paid(1000);
	const refund = await refund_that('REFUNDCLOSE', order, 600);
	assert.equal((await refund_row(refund.out_refund_no)).failure,
		'CLOSED');
	assert.equal((await s.payment(order.out_trade_no)).reserved_fen, 0);
	expect(await staff.decide(refund, 'retry'), 409);
	const next = await shop.refund_requested(order, 1000);
	assert.notEqual(next.out_refund_no, refund.out_refund_no);
	await staff.approve(next);
	await s.refund_becomes(order, next, 'refunded');
});

test('a late success that no longer fits is quarantined', async () => {
	const order = await s.paid(1000);
	const refund = await shop.refund_requested(order, 600);
	await sandbox.refunds_become('PROCESSING');
	await staff.approve(refund);
	// WeChat says closed, the amount is given to another, then it was paid.
	await becomes(refund, 'REFUNDCLOSE');
	await s.refund_becomes(order, refund, 'failed');
	const other = await shop.refund_requested(order, 1000);
	await staff.approve(other);
	await s.refund_becomes(order, other, 'refunded');
	await becomes(refund, 'SUCCESS');
	await until('it stands in unexpected', async () =>
		(await s.unexpected(order.out_trade_no)).length > 0);
	const [row] = await s.unexpected(order.out_trade_no);
	assert.deepEqual([row.kind, row.out_refund_no, row.total_fen,
		row.state], ['refund', refund.out_refund_no, 600, 'open']);
	assert.equal(await shop.refund_state(order, refund), 'failed');
	assert.equal((await s.payment(order.out_trade_no)).refunded_fen, 1000);
});

test('a refund by hand rejects the newest pending requests', async () => {
	const order = await s.paid(1000);
	const oldest = await shop.refund_requested(order, 200);
	const middle = await shop.refund_requested(order, 300);
	const newest = await shop.refund_requested(order, 400);
	const hand = await by_hand(order, 700);
	await until('it is foreign here', async () =>
		(await refund_row(hand.out_refund_no))?.state === 'refunded');
	const row = await refund_row(hand.out_refund_no);
	assert.deepEqual([row.origin, row.refund_fen], ['foreign', 700]);
	assert.deepEqual(await Promise.all([oldest, middle, newest].map(
		(refund) => shop.refund_state(order, refund))),
		['pending', 'rejected', 'rejected']);
	assert.equal((await refund_row(newest.out_refund_no)).decision,
		'foreign');
	const payment = await s.payment(order.out_trade_no);
	assert.deepEqual([payment.reserved_fen, payment.refunded_fen],
		[900, 700]);
	assert.deepEqual((await s.events(order.order_no)).slice(-3),
		['refund.rejected', 'refund.rejected', 'refund.refunded']);
	await staff.approve(oldest);
	await s.refund_becomes(order, oldest, 'refunded');
	assert.deepEqual(await s.unexpected(order.out_trade_no), []);
});

test('a refund by hand that cannot fit waits in unexpected', async () => {
	const order = await s.paid(1000);
	const ours = await shop.refund_requested(order, 600);
	// Ours has its turn, but WeChat has not heard of it yet.
	await sandbox.fault('refund', 'SYSTEMERROR_BEFORE', { times: 0 });
	let hand;
	try {
		await staff.approve(ours);
		hand = await by_hand(order, 700);
		await until('it stands in unexpected', async () =>
			(await s.unexpected(order.out_trade_no)).length > 0);
	} finally {
		await sandbox.no_faults();
	}
	const [row] = await s.unexpected(order.out_trade_no);
	assert.deepEqual([row.kind, row.total_fen, row.out_refund_no],
		['refund', 700, hand.out_refund_no]);
	// Now WeChat refuses ours: not enough is left.  But what went before
	// may have been carried out, so two queries a minute apart must agree.
	await until('it is not there', async () =>
		(await refund_row(ours.out_refund_no)).missing_at !== null);
	await s.sql(`update wxpay_data.refunds set due_at = now(),
		missing_at = missing_at - interval '61 seconds'
		where out_refund_no = $1`, ours.out_refund_no);
	await s.refund_becomes(order, ours, 'failed');
	assert.equal((await refund_row(ours.out_refund_no)).failure,
		s.api === 'v2' ? 'ERROR' : 'INVALID_REQUEST');
	const { refunds } = await sandbox.ledger(order.out_trade_no);
	assert.deepEqual(refunds.map((r) => r.refund_fee), [700]);
});

// Two attempts, both paid at WeChat; the second one's page won.
async function paid_twice() {
	const what = shop.signed({ total_fee: 500 });
	const first = expect(await shop.pay({ ...what, trade_type: 'NATIVE' }),
		201).json;
	await s.sql(`update wxpay_data.payments
		set close_at = now() + interval '1 hour'
		where out_trade_no = $1`,
		first.out_trade_no);
	const second = expect(await shop.pay({ ...what, trade_type: 'JSAPI',
		openid: 'oE2E-twice' }), 201).json;
	await sandbox.scan(second, { openid: 'oE2E-twice' });
	await until('the second is paid',
		async () => await shop.state(second) === 'paid');
	await sandbox.scan(first);
	await until('the first is paid, too', async () =>
		(await s.payment(first.out_trade_no)).state === 'paid');
	return { first, second };
}

test('the other attempt paid, too: kept, acknowledged, to be returned',
	async () => {
	const { first, second } = await paid_twice();
	assert.deepEqual([(await s.payment(first.out_trade_no)).settles,
		(await s.payment(second.out_trade_no)).settles], [false, true]);
	const [row, ...more] = await s.unexpected(first.out_trade_no);
	assert.deepEqual(more, []);
	assert.deepEqual([row.kind, row.state, row.total_fen],
		['payment', 'open', 500]);
	await until('its notice is acknowledged', async () =>
		(await sandbox.ledger(first.out_trade_no)).notices[0].state
			=== 'done');
	assert.deepEqual(await s.events(first.order_no),
		['order.paid', 'order.unexpected']);

	// Some by hand at WeChat's platform, the rest by staff: returned.
	const hand = await by_hand(first, 200);
	await until('the half by hand is known', async () =>
		(await refund_row(hand.out_refund_no))?.state === 'refunded');
	assert.equal((await s.unexpected(first.out_trade_no))[0].state, 'open');
	const rest = expect(await staff.start_refund({ order_no: first.order_no,
		out_trade_no: first.out_trade_no, refund_fee: 300 }), 201).json;
	await staff.approve(rest);
	await until('all of it is back', async () =>
		(await s.unexpected(first.out_trade_no))[0].state
			=== 'returned');
	assert.equal((await s.payment(second.out_trade_no)).reserved_fen, 0);
	assert.equal((await s.one(`select refunded_fen from wxpay.orders
		where order_no = $1`, first.order_no)).refunded_fen, 0,
		'the order itself keeps its money');
});

test('a notice for a closed order: closed, then paid', async () => {
	const order = await shop.signed_order();
	expect(await shop.close(order), 202);
	await until('it is closed',
		async () => await shop.state(order) === 'closed');
	const transaction_id = wechat.transaction_id();
	s.assert_acknowledged(await s.notify_paid(
		{ ...order, transaction_id }));
	assert.equal(await shop.state(order), 'paid');
	assert.deepEqual(await s.events(order.order_no),
		['order.closed', 'order.paid']);
	s.assert_acknowledged(await s.notify_paid(
		{ ...order, transaction_id }));
	const steps = await s.sql(`select from_state, to_state
		from wxpay_data.steps where entity = 'order' and number = $1
		order by seq`, order.order_no);
	assert.deepEqual(steps.map((step) => Object.values(step).join('>')),
		['>pending', 'pending>closed', 'closed>paid']);
});

test('paid while we close: WeChat says ORDERPAID, and we ask', async () => {
	const order = await shop.signed_order();
	await sandbox.fault('paid', 'lost', { times: 1 });
	await sandbox.scan(order);
	await shop.close(order);
	await until('it is paid, not closed',
		async () => await shop.state(order) === 'paid');
	assert.deepEqual(await s.events(order.order_no), ['order.paid']);
});

test('a wrong amount and an unknown order are kept for people', async () => {
	const order = await shop.signed_order();
	const transaction_id = wechat.transaction_id();
	for (let i = 0; i < 3; i++)
		s.assert_refused(await s.notify_paid(
			{ ...order, transaction_id, total_fee: 1 }));
	assert.deepEqual((await s.unexpected(order.out_trade_no)).map((row) =>
		[row.kind, row.total_fen]), [['differs', 1]]);
	assert.deepEqual(await s.events(order.order_no), ['order.unexpected']);
	assert.equal(await shop.state(order), 'pending');

	const stray = { out_trade_no: number('X'), total_fee: 9,
		transaction_id: wechat.transaction_id() };
	s.assert_refused(await s.notify_paid(stray));
	const view = await s.one(`select kind, state, total_fen
		from wxpay.unexpected where out_trade_no = $1`,
			stray.out_trade_no);
	assert.deepEqual(view, { kind: 'unknown', state: 'open',
		total_fen: 9 });
});

test('WeChat itself tells another amount: the worker keeps it, too',
	async () => {
	const order = await shop.signed_order();
	await sandbox.fault('paid', 'lost', { times: 1 });
	await sandbox.scan(order);
	await sandbox.fault('orderquery', 'echo_amount', { times: 1 });
	await shop.check(order);
	await until('it has been asked', async () =>
		(await sandbox.calls(order.out_trade_no, 'orderquery')).length
			> 0);
	assert.equal((await s.payment(order.out_trade_no)).reserved_fen, 0);
	await s.sql(`update wxpay_data.payments set check_at = now()
		where out_trade_no = $1 and state = 'prepaid'`,
			order.out_trade_no);
	await until('the next answer is right, and believed',
		async () => await shop.state(order) === 'paid');
});

test('a paid notice after a full refund changes nothing (N8)', async () => {
	const order = await s.paid(1000);
	const refund = expect(await shop.refund(order), 201).json;
	await staff.approve(refund);
	await s.refund_becomes(order, refund, 'refunded');
	const before = await s.payment(order.out_trade_no);
	const { replies: [{ status, reply }] } = await sandbox.notify(
		{ out_trade_no: order.out_trade_no });
	s.assert_acknowledged({ status, text: reply });
	assert.deepEqual(await s.payment(order.out_trade_no), before);
	assert.equal((await s.events(order.order_no)).filter((kind) =>
		kind === 'order.paid').length, 1);
});
