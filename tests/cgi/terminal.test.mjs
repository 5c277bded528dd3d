// What people do with wxpayctl at a terminal: find an order by either number
// (threats.md O8).
import assert from 'node:assert/strict';
import test from 'node:test';
import { number } from './lib/actors.mjs';
import { Merchant } from './lib/merchant.mjs';
import { stack } from './lib/stack.mjs';

// Nobody but us asks WeChat about anything.
const s = await stack('calm');
const { shop, sandbox } = s;
const UNKNOWN = '4200009999202601019999999999';

const query = (text, options) =>
	s.program('wxpayctl', ['query', text], options);

// What a command that has failed says of it.
function assert_failed(done, kind, why) {
	assert.equal(done.code, 1, done.stderr);
	assert.equal(done.stdout, '');
	const said = JSON.parse(done.stderr.trim().split('\n').at(-1));
	assert.equal(said.event, 'program.failed');
	assert.equal(said.kind, kind);
	assert.match(said.why, why);
}

// The queries of the journal that name no payment of ours.
const asked = () => s.sql(`select outcome, code from wxpay_data.calls
	where op = 'query' and out_trade_no is null order by call_no`);

test('query: by the order\'s number, and by WeChat\'s', async () => {
	const before = (await asked()).length;
	for (const by of ['order_no', 'transaction_id']) {
		const order = await shop.signed_order();
		const open = await query(order.order_no);
		assert.equal(open.code, 0, open.stderr);
		assert.equal(JSON.parse(open.stdout).orders[0].state,
			'pending');
		// nobody tells us that it is paid
		await sandbox.fault('paid', 'lost',
			{ times: 0, number: order.out_trade_no });
		const { transaction_id } = await sandbox.scan(order);
		const numbers = { ...order, transaction_id };
		assert.equal(await shop.state(order), 'pending');
		const done = await query(numbers[by]);
		assert.equal(done.code, 0, done.stderr);
		const { orders } = JSON.parse(done.stdout);
		assert.equal(orders.length, 1);
		assert.equal(orders[0].order_no, order.order_no);
		assert.equal(orders[0].state, 'paid');
		assert.equal(orders[0].payments[0].transaction_id,
			transaction_id);
	}
	await sandbox.no_faults();
	assert.deepEqual((await asked()).slice(before),
		[{ outcome: 'done', code: null }]);
});

test('query: a number of nobody, of another shop, or no number', async () => {
	const calls = await sandbox.call_count();
	assert_failed(await query(number()), 'ERR_MISSING', /^no order "/);
	assert_failed(await query('T/1'), 'ERR_INPUT', /^order_no: /);
	assert_failed(await query(UNKNOWN.slice(1)), 'ERR_MISSING',
		/^no order "/);
	assert.equal(await sandbox.call_count(), calls, 'WeChat was asked');
	assert_failed(await query(UNKNOWN), 'ERR_MISSING',
		new RegExp(`^WeChat knows no payment "${UNKNOWN}" `));
	assert.equal(await sandbox.call_count(), calls + 1);

	// made with the merchant's keys, and not by us
	const other = await new Merchant(s.env, s.sign_type)
		.paid_order(sandbox);
	assert_failed(await query(other.transaction_id), 'ERR_MISSING',
		/which is no payment of ours$/);
	for (const args of [['query'], ['query', '1', '2']])
		assert.equal((await s.program('wxpayctl', args)).code, 2);
});

test('query: what is not proved says nothing (O8)', async () => {
	const order = await s.paid();
	const { transaction_id } = await s.payment(order.out_trade_no);
	const tables = ['orders', 'payments', 'unexpected', 'events'];
	const before = await s.snapshot(tables);
	for (const fault of ['bad_sign', 'unsigned', 'cut']) {
		await sandbox.fault('orderquery', fault);
		assert_failed(await query(transaction_id), 'ERR_UNSURE',
			new RegExp(`^query "${transaction_id}": unsure `));
	}
	assert.deepEqual(await s.snapshot(tables), before);
	const journal = (await asked()).slice(-3);
	assert.deepEqual(journal.map(({ outcome }) => outcome),
		Array(3).fill('unsure'));
	assert.equal((await query(transaction_id)).code, 0);
});
