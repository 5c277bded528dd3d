// Refunds as the sandbox knows them: what another author's client gets, and
// what is refused, is what v2.md says.
import assert from 'node:assert/strict';
import test from 'node:test';
import { expect, number } from './lib/actors.mjs';
import { Merchant } from './lib/merchant.mjs';
import { only, stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';

only('v2');
const s = await stack('calm');
const { env, sandbox } = s;
const books = await s.connect(env.SANDBOX_DATABASE);
const hmac = new Merchant(env, 'HMAC-SHA256');
const EMOJI = '茶\u{1F375}';

const paid_order = () => hmac.paid_order(sandbox);

const violations = async (order) => (await sandbox.ledger(
	order.out_trade_no)).violations.map(({ kind }) => kind);

test('refund: what is refused (v2.md 8.1, 16.3)', async () => {
	const order = await paid_order();
	const { out_trade_no, transaction_id } = order;
	const ask = (fields) => hmac.refund_fields(order, fields);
	const open = await hmac.order();
	await hmac.denied('refund', ask(), /CERT_ERROR/, { cert: false });
	const unknown = { out_trade_no: undefined };
	for (const [fields, code] of [
		[{ out_refund_no: undefined }, 'LACK_PARAMS'],
		[{ total_fee: undefined }, 'LACK_PARAMS'],
		[{ refund_fee: undefined }, 'LACK_PARAMS'],
		[unknown, 'LACK_PARAMS'],
		[{ out_refund_no: 'x'.repeat(65) }, 'PARAM_ERROR'],
		[{ out_refund_no: '退' }, 'PARAM_ERROR'],
		[{ refund_fee: '0' }, 'PARAM_ERROR'],
		[{ refund_fee: '1.5' }, 'PARAM_ERROR'],
		[{ refund_fee_type: 'USD' }, 'PARAM_ERROR'],
		[{ refund_desc: 'x'.repeat(81) }, 'PARAM_ERROR'],
		[{ refund_desc: EMOJI }, 'PARAM_ERROR'],
		[{ refund_account: 'X' }, 'PARAM_ERROR'],
		[{ notify_url: 'http://shop.example/n' }, 'PARAM_ERROR'],
		[{ out_trade_no: number() }, 'ORDERNOTEXIST'],
		[{ ...unknown, transaction_id: '4200' },
			'INVALID_TRANSACTIONID'],
		[{ out_trade_no: open.out_trade_no, transaction_id },
			'INVALID_TRANSACTIONID'],
		[{ out_trade_no: open.out_trade_no }, 'INVALID_REQUEST'],
		[{ total_fee: '999' }, 'REFUND_FEE_MISMATCH'],
		[{ refund_fee: '1001' }, 'ERROR'],
	])
		await hmac.refused('refund', ask(fields), code);
	assert.equal((await sandbox.ledger(out_trade_no)).refunds.length, 0);

	const part = ask({ refund_fee: '600', out_trade_no: undefined,
		transaction_id });
	await hmac.done('refund', part);
	await hmac.refused('refund', { ...part, refund_fee: '601' },
		'REFUND_FEE_MISMATCH');
	const beyond = ask({ refund_fee: '401' });
	await hmac.refused('refund', beyond, 'ERROR');
	const { rows } = await books.query(`select kind from sandbox.violations
		where number = $1`, [beyond.out_refund_no]);
	assert.deepEqual(rows, [{ kind: 'refund_over' }]);
	const other = await paid_order();
	await hmac.refused('refund', { ...part, transaction_id: undefined,
		out_trade_no: other.out_trade_no }, 'INVALID_REQUEST');
	await books.query(`update sandbox.payments
		set paid_at = paid_at - interval '366 days'
		where out_trade_no = $1`, [other.out_trade_no]);
	await hmac.refused('refund', hmac.refund_fields(other),
		'TRADE_OVERDUE');
	assert.equal((await sandbox.ledger(out_trade_no)).refunds.length, 1);
});

test('refund: any new number is executed while money is left, not beyond',
	async () => {
	const order = await paid_order();
	const answers = await Promise.all(Array.from({ length: 50 }, (_, i) =>
		hmac.ask('refund', hmac.refund_fields(order, i % 2 ? {}
			: { out_trade_no: undefined,
				transaction_id: order.transaction_id }))));
	const codes = answers.map(({ data }) => data.err_code ?? 'SUCCESS');
	assert.equal(codes.filter((code) => code === 'SUCCESS').length, 10);
	assert.equal(codes.filter((code) => code === 'ERROR').length, 40);
	const { refunds } = await sandbox.ledger(order.out_trade_no);
	assert.equal(refunds.length, 10);

	const same = hmac.refund_fields(await paid_order());
	const ids = await Promise.all(Array.from({ length: 20 }, async () =>
		(await hmac.done('refund', same)).refund_id));
	assert.equal(new Set(ids).size, 1);
	assert.equal((await sandbox.ledger(same.out_trade_no))
		.refunds.length, 1);
});

test('refund: fifty a payment, a minute apart', async () => {
	const order = await paid_order();
	for (let i = 0; i < 50; i++)
		await hmac.refund(order, { refund_fee: '1' });
	await hmac.refused('refund', hmac.refund_fields(order,
		{ refund_fee: '1' }), 'ERROR');
	assert.deepEqual(await violations(order), []);

	const hasty = await paid_order();
	await sandbox.clock({ refund_gap_s: 60 });
	try {
		const first = hmac.refund_fields(hasty);
		await hmac.done('refund', first);
		await hmac.done('refund', first);
		assert.deepEqual(await violations(hasty), []);
		await hmac.refund(hasty);
		assert.deepEqual(await violations(hasty), ['refund_gap']);
	} finally {
		await sandbox.clock({ refund_gap_s: 0 });
	}
});

test('refund: an account without money, then the other one', async () => {
	const order = await paid_order();
	const asked = hmac.refund_fields(order);
	const { out_refund_no } = asked;
	await sandbox.post('/sandbox/faults', { unsettled_fen: 99,
		recharge_fen: 150 });
	try {
		await hmac.refused('refund', asked, 'NOTENOUGH');
		await hmac.refused('refundquery', { out_refund_no },
			'REFUNDNOTEXIST');
		const other = { ...asked,
			refund_account: 'REFUND_SOURCE_RECHARGE_FUNDS' };
		await hmac.done('refund', other);
		assert.equal((await hmac.done('refundquery', { out_refund_no }))
			.refund_account_0, other.refund_account);
		await hmac.done('refund', other);
		await hmac.refused('refund', { ...other,
			out_refund_no: number('R') }, 'NOTENOUGH');
		await hmac.refund(order, { refund_fee: '99' });
		const { settings } = await sandbox.ledger();
		assert.equal(settings.unsettled_fen, 0);
		assert.equal(settings.recharge_fen, 50);
	} finally {
		await sandbox.no_faults();
	}
	await hmac.refund(order, { refund_fee: '1' });
});

test('refund: what it comes to (v2.md 8.2)', async () => {
	const plan = (order, refund_status) => sandbox.post('/sandbox/faults',
		{ refund_status, number: order.out_trade_no });
	const becomes = (asked, status) => until(`it is ${status}`,
		async () => (await hmac.done('refundquery',
			{ out_refund_no: asked.out_refund_no }))
			.refund_status_0 === status);
	const order = await paid_order();
	const asked = hmac.refund_fields(order, { refund_fee: '1000' });

	// Abnormal keeps its amount; the same number tries again.
	await plan(order, 'CHANGE');
	const { refund_id } = await hmac.done('refund', asked);
	await becomes(asked, 'CHANGE');
	await hmac.refused('refund', hmac.refund_fields(order), 'ERROR');
	assert.equal((await hmac.done('refund', asked)).refund_id, refund_id);
	await becomes(asked, 'SUCCESS');

	// Closed frees it, and its number is spent.
	const second = await paid_order();
	const closed = hmac.refund_fields(second, { refund_fee: '1000' });
	await plan(second, 'REFUNDCLOSE');
	await hmac.done('refund', closed);
	await becomes(closed, 'REFUNDCLOSE');
	assert.equal((await hmac.done('orderquery',
		{ out_trade_no: second.out_trade_no })).trade_state, 'SUCCESS');
	await hmac.refused('refund', closed, 'ERROR');
	await plan(second, 'PROCESSING');
	const slow = hmac.refund_fields(second, { refund_fee: '1000' });
	await hmac.done('refund', slow);
	await becomes(slow, 'PROCESSING');
	const move = ({ out_refund_no }, refund_status) =>
		s.wechat_http.post('/sandbox/refund_status',
			{ out_refund_no, refund_status });
	expect(await move(slow, 'SUCCESS'), 200);
	await becomes(slow, 'SUCCESS');
	expect(await move({ out_refund_no: number('R') }, 'SUCCESS'), 409);
	expect(await move(slow, 'X'), 400);
});

test('refundquery: by four numbers, ten a page (v2.md 8.2)', async () => {
	const order = await paid_order();
	const { out_trade_no, transaction_id } = order;
	const ids = [];
	for (let i = 0; i < 12; i++)
		ids.push((await hmac.refund(order, { refund_fee: `${i + 1}` }))
			.refund_id);
	const page = await hmac.done('refundquery', { out_trade_no });
	assert.equal(page.refund_count, '10');
	assert.equal(page.total_refund_count, '12');
	for (let i = 0; i < 10; i++)
		assert.equal(page[`refund_id_${i}`], ids[i]);
	assert.equal(page.refund_id_10, undefined);
	const rest = await hmac.done('refundquery', { transaction_id,
		offset: '10' });
	assert.equal(rest.refund_count, '2');
	assert.deepEqual([rest.refund_id_0, rest.refund_id_1], ids.slice(10));
	assert.equal(rest.refund_fee_1, '12');
	await hmac.refused('refundquery', { out_trade_no, offset: '12' },
		'PARAM_ERROR');
	await hmac.refused('refundquery', { out_trade_no, offset: 'x' },
		'PARAM_ERROR');
	const one = await hmac.done('refundquery', { refund_id: ids[3],
		out_refund_no: number('R') });
	assert.equal(one.refund_count, '1');
	assert.equal(one.total_refund_count, undefined);
	assert.equal(one.refund_fee_0, '4');
	assert.equal(one.out_trade_no, out_trade_no);
	await hmac.refused('refundquery', {}, 'LACK_PARAMS');
	for (const unknown of [{ refund_id: '5000' },
		{ out_refund_no: number('R') }, { out_trade_no: number() }])
		await hmac.refused('refundquery', unknown, 'REFUNDNOTEXIST');
});

test('refund by hand at the merchant platform', async () => {
	const order = await paid_order();
	const by_hand = (fields) => s.wechat_http.post(
		'/sandbox/refund_by_hand', fields);
	const { out_trade_no } = order;
	const { out_refund_no } = expect(await by_hand({ out_trade_no,
		refund_fee: 700 }), 200).json;
	const { refunds, notices } = await until('it is told', async () => {
		const ledger = await sandbox.ledger(out_trade_no);
		return ledger.notices.length === 2 && ledger;
	});
	assert.equal(refunds.length, 1);
	assert.equal(refunds[0].out_refund_no, out_refund_no);
	assert.equal(refunds[0].source, 'VENDOR_PLATFORM');
	assert.equal(refunds[0].refund_status, 'SUCCESS');
	assert.equal(notices[1].kind, 'refunded');
	assert.equal((await hmac.done('refundquery', { out_trade_no }))
		.out_refund_no_0, out_refund_no);
	expect(await by_hand({ out_trade_no, refund_fee: 301 }), 409);
	expect(await by_hand({ out_trade_no: number(), refund_fee: 1 }), 409);
	expect(await by_hand({ out_trade_no, refund_fee: 'x' }), 400);
});
