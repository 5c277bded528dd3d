// The sandbox goes wrong as it is told: what the client gets, and what the
// books say was done.  Each fault is planted for one order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { expect, number } from './lib/actors.mjs';
import { Merchant, PATHS } from './lib/merchant.mjs';
import { only, stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

only('v2');
const s = await stack('calm');
const { env, sandbox } = s;
const TIMEOUT_MS = 400;
const hmac = new Merchant(env, 'HMAC-SHA256');
const md5 = new Merchant(env, 'MD5');
const hasty = new Merchant(env, 'HMAC-SHA256', { timeout: TIMEOUT_MS });

const plant = (order, api, fields) => sandbox.post('/sandbox/faults',
	{ api, number: order.out_trade_no, ...fields });

const state_of = async (order) =>
	(await sandbox.ledger(order.out_trade_no)).payments[0]?.state;
const refunds_of = async (order) =>
	(await sandbox.ledger(order.out_trade_no)).refunds.length;

// What each api is asked, and whether it was done.
const APIS = {
	unifiedorder: {
		prepare: async (merchant) => merchant.order_fields(),
		done: async (order) => (await state_of(order)) === 'NOTPAY',
	},
	closeorder: {
		prepare: async (merchant) => {
			const { out_trade_no } = await merchant.order();
			return { out_trade_no };
		},
		done: async (order) => (await state_of(order)) === 'CLOSED',
	},
	refund: {
		prepare: async (merchant) => merchant.refund_fields(
			await merchant.paid_order(sandbox)),
		done: async (order) => (await refunds_of(order)) === 1,
	},
	orderquery: {
		prepare: async (merchant) => {
			const { out_trade_no } = await merchant.order();
			return { out_trade_no };
		},
	},
	refundquery: {
		prepare: async (merchant) => {
			const order = await merchant.paid_order(sandbox);
			await merchant.refund(order);
			return { out_trade_no: order.out_trade_no };
		},
	},
};

// fault: what the client must find in the answer.
const system_error = ({ data }, merchant) => {
	assert.equal(data.err_code, 'SYSTEMERROR');
	merchant.verify(data);
};
const NOT_EXECUTED = {
	refuse: ({ status }) => assert.equal(status, 500),
	denied: ({ data }) => {
		assert.equal(data.return_code, 'FAIL');
		assert.equal(data.sign, undefined);
	},
	SYSTEMERROR_BEFORE: system_error,
};
const EXECUTED = {
	http_500: ({ status }) => assert.equal(status, 500),
	http_502: ({ status }) => assert.equal(status, 502),
	SYSTEMERROR: system_error,
	cut: ({ error, data }) => {
		assert.notEqual(error, undefined);
		assert.equal(data?.sign, undefined);
	},
	bad_sign: ({ error, data }) => {
		assert.equal(error, 'EV2_RES_SIGNATURE_NOT_EQUAL');
		assert.ok([32, 64].includes(data.sign.length));
	},
	unsigned: ({ error, data }) => {
		assert.notEqual(error, undefined);
		assert.equal(data.result_code, 'SUCCESS');
		assert.equal(data.sign, undefined);
	},
};

test.before(() => sandbox.clock({ close_min_s: 0 }));
test.after(() => sandbox.clock({ close_min_s: 300 }));

// One fault of one call: answered as planted, done or not, and once only.
async function try_fault(merchant, api, fault, check, executed) {
	const { prepare, done = () => executed } = APIS[api];
	const fields = await prepare(merchant);
	await plant(fields, api, { fault });
	check(await merchant.ask(api, fields), merchant);
	assert.equal(await done(fields), executed, `${api} ${fault}`);
	const calls = await sandbox.calls(fields.out_trade_no, api);
	assert.equal(calls.at(-1).fault, fault);

	const again = await merchant.ask(api, fields);
	assert.ok(again.error === undefined
		|| again.data.err_code === 'ORDERCLOSED',
		JSON.stringify(again));
	if (APIS[api].done)
		assert.ok(await done(fields));
}

for (const api of Object.keys(APIS))
	test(`${api}: executed or not, and answered as planted`, async () => {
		let tried = 0;
		for (const merchant of [hmac, md5])
			for (const [faults, executed] of [[NOT_EXECUTED, false],
				[EXECUTED, true]])
				for (const fault of Object.keys(faults)) {
					await try_fault(merchant, api, fault,
						faults[fault], executed);
					tried++;
				}
		assert.equal(tried, 2 * 9);
	});

test('any err_code, signed, and nothing done; as often as is said',
	async () => {
	const fields = hmac.order_fields();
	await plant(fields, 'unifiedorder', { code: 'NOAUTH', times: 2 });
	await hmac.refused('unifiedorder', fields, 'NOAUTH');
	await hmac.refused('unifiedorder', fields, 'NOAUTH');
	assert.equal(await state_of(fields), undefined);
	await hmac.done('unifiedorder', fields);

	const query = { out_trade_no: fields.out_trade_no };
	await plant(fields, 'orderquery', { code: 'BANKERROR', times: 0 });
	for (let i = 0; i < 5; i++)
		await hmac.refused('orderquery', query, 'BANKERROR');
	await sandbox.post('/sandbox/faults', { api: 'orderquery',
		fault: 'none' });
	await hmac.done('orderquery', query);
});

test('a fault is counted down once a call, however many come at once',
	async () => {
	const { out_trade_no } = await hmac.order();
	await plant({ out_trade_no }, 'orderquery',
		{ fault: 'http_502', times: 7 });
	const answers = await Promise.all(Array.from({ length: 40 }, () =>
		hmac.ask('orderquery', { out_trade_no })));
	assert.equal(answers.filter(({ status }) => status === 502).length, 7);
	assert.equal(answers.filter(({ data }) =>
		data?.trade_state === 'NOTPAY').length, 33);
});

test('faults of one number leave others alone, and are not used up at the door',
	async () => {
	const [one, other] = [await hmac.order(), await hmac.order()];
	await plant(one, 'orderquery', { fault: 'http_500' });
	await hmac.done('orderquery', { out_trade_no: other.out_trade_no });
	await s.wechat_http.request('POST', PATHS.orderquery, { body:
		wechat.xml({ ...hmac.common(), out_trade_no: one.out_trade_no,
			nonce_str: wechat.nonce(), sign: '0'.repeat(64) }) });
	assert.equal((await hmac.ask('orderquery',
		{ out_trade_no: one.out_trade_no })).status, 500);
});

test('slow, late, silent: in time or not, it is executed', async () => {
	for (const [fault, executed_first] of [['slow', false], ['late', true],
		['silent', true]]) {
		const order = await hmac.paid_order(sandbox);
		const fields = hmac.refund_fields(order);
		await plant(order, 'refund', { fault,
			ms: fault === 'silent' ? undefined : 2 * TIMEOUT_MS });
		const began = performance.now();
		const { error, status } = await hasty.ask('refund', fields);
		assert.equal(error, 'ECONNABORTED', fault);
		assert.equal(status, undefined);
		assert.ok(performance.now() - began >= TIMEOUT_MS - 5);
		// Its client has left; only then does "slow" do it.
		const { error: unknown, data } = await hmac.ask('refundquery',
			{ out_refund_no: fields.out_refund_no });
		assert.equal(unknown === undefined, executed_first,
			`${fault}: ${JSON.stringify(data)}`);
		await until(`${fault} is executed`, async () =>
			await refunds_of(order) === 1);
		await hmac.done('refund', fields);
		assert.equal(await refunds_of(order), 1);
	}
	const order = await hmac.order();
	await plant(order, 'orderquery', { fault: 'late', ms: 300 });
	const began = performance.now();
	await hmac.done('orderquery', { out_trade_no: order.out_trade_no });
	assert.ok(performance.now() - began >= 300);
});

test('taking the faults away wakes those who wait', async () => {
	const { out_trade_no } = await hmac.order();
	await plant({ out_trade_no }, 'orderquery',
		{ fault: 'late', ms: 600000 });
	const answer = hmac.done('orderquery', { out_trade_no });
	await until('the call is under way', async () =>
		(await sandbox.calls(out_trade_no, 'orderquery'))
			.some(({ outcome }) => outcome === 'SUCCESS'));
	await sandbox.no_faults();
	assert.equal((await answer).trade_state, 'NOTPAY');
	assert.deepEqual((await sandbox.ledger()).faults, []);
});

test('echoes of other numbers and amounts are well signed (threats O8)',
	async () => {
	const order = await hmac.paid_order(sandbox);
	const { out_trade_no } = order;
	const fields = hmac.refund_fields(order);
	const said = async (api, fault, asked) => {
		await plant(order, api, { fault });
		return (await hmac.ask(api, asked)).data;
	};
	for (const [api, asked, number_field, amount_field] of [
		['orderquery', { out_trade_no }, 'out_trade_no', 'total_fee'],
		['refund', fields, 'out_refund_no', 'refund_fee'],
		['refundquery', { out_trade_no }, 'out_refund_no_0',
			'refund_fee_0']]) {
		const other = await said(api, 'echo_other', asked);
		const more = await said(api, 'echo_amount', asked);
		const right = await hmac.done(api, asked);
		hmac.verify(other);
		hmac.verify(more);
		assert.notEqual(other[number_field], right[number_field]);
		assert.equal(other[amount_field], right[amount_field]);
		assert.equal(more[number_field], right[number_field]);
		assert.notEqual(more[amount_field], right[amount_field]);
	}
	const prepay = hmac.order_fields();
	await plant(prepay, 'unifiedorder', { fault: 'echo_other' });
	const { data } = await hmac.ask('unifiedorder', prepay);
	assert.notEqual(data.mch_id, env.MCHID);
	hmac.verify(data);
});

test('the books being locked does not lose a call', async () => {
	const books = await s.connect(env.SANDBOX_DATABASE);
	const order = await hmac.paid_order(sandbox);
	const fields = hmac.refund_fields(order);
	await books.query('begin');
	await books.query(`select from sandbox.payments
		where out_trade_no = $1 for update`, [order.out_trade_no]);
	const refund = hmac.done('refund', fields);
	await until('the call is journalled', async () => (await
		sandbox.calls(order.out_trade_no, 'refund')).length === 1);
	assert.equal(await refunds_of(order), 0);
	await books.query('commit');
	assert.equal((await refund).out_refund_no, fields.out_refund_no);
	assert.equal(await refunds_of(order), 1);
	expect(await s.wechat_http.get(`/sandbox/ledger?out_trade_no=${
		number()}`), 200);
});
