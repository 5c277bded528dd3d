// The sandbox is WeChat's side: what another author's client gets from it, and
// what it refuses, is what v2.md says.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { expect, number } from './lib/actors.mjs';
import { Merchant, PATHS } from './lib/merchant.mjs';
import { stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

const s = await stack('calm');
const { env, sandbox } = s;
const books = await s.connect(env.SANDBOX_DATABASE);
const hmac = new Merchant(env, 'HMAC-SHA256');
const md5 = new Merchant(env, 'MD5');

const VECTORS = JSON.parse(fs.readFileSync(
	new URL('../data/v2.json', import.meta.url)));
const HARD_TEXT = '龙井 & <茶> = "]]>" \'100%\' a=b&key=c';
const EMOJI = '茶\u{1F375}';
const in_s = (seconds) =>
	wechat.beijing(new Date(Date.now() + seconds * 1000));

// A payment that was made so long ago.
const age = (order, interval) => books.query(`update sandbox.payments
	set made_at = made_at - $2::interval where out_trade_no = $1`,
	[order.out_trade_no, interval]);

const violations = async (order) => (await sandbox.ledger(
	order.out_trade_no)).violations.map(({ kind }) => kind);

async function paid_order(merchant, fields) {
	const order = await merchant.order(fields);
	return { ...order, ...await sandbox.scan(order) };
}

for (const merchant of [hmac, md5]) {
	test(`${merchant.sign_type}: order, query, pay, refund, query`,
		async () => {
		const order = await merchant.order({ body: HARD_TEXT,
			attach: HARD_TEXT, device_info: '茶室=1&2' });
		const { out_trade_no } = order;
		assert.match(order.prepay_id, /^wx\d{14}[0-9a-f]{20}$/);
		assert.match(order.code_url, /^weixin:\/\/wxpay\/bizpayurl\?pr=\w+$/);
		assert.equal(order.trade_type, 'NATIVE');

		const open = await merchant.done('orderquery', { out_trade_no });
		assert.equal(open.trade_state, 'NOTPAY');
		assert.equal(open.attach, HARD_TEXT);
		assert.equal(open.transaction_id, undefined);
		const { transaction_id } = await sandbox.scan(order);
		assert.match(transaction_id, /^4200\d{24}$/);
		const paid = await merchant.done('orderquery', { transaction_id });
		assert.equal(paid.out_trade_no, out_trade_no);
		assert.equal(paid.trade_state, 'SUCCESS');
		assert.equal(paid.total_fee, '1000');
		assert.equal(paid.cash_fee, '1000');
		assert.equal(paid.fee_type, 'CNY');
		assert.match(paid.time_end, /^20\d{12}$/);
		assert.ok(paid.openid && paid.bank_type);

		const asked = merchant.refund_fields(order,
			{ refund_fee: '300', refund_desc: HARD_TEXT });
		const refund = await merchant.done('refund', asked);
		assert.equal(refund.transaction_id, transaction_id);
		assert.equal(refund.out_refund_no, asked.out_refund_no);
		assert.equal(refund.refund_fee, '300');
		const again = await merchant.done('refund', asked);
		assert.equal(again.refund_id, refund.refund_id);
		await until('the refund is through', async () => {
			const { refund_status_0, refund_success_time_0 } =
				await merchant.done('refundquery', { out_trade_no });
			assert.equal(refund_success_time_0 !== undefined,
				refund_status_0 === 'SUCCESS');
			return refund_status_0 === 'SUCCESS';
		});
		assert.equal((await merchant.done('orderquery', { out_trade_no }))
			.trade_state, 'REFUND');
		const { payments, refunds, calls } =
			await sandbox.ledger(out_trade_no);
		assert.equal(payments[0].sign_type, merchant.sign_type);
		assert.equal(payments[0].params.body, HARD_TEXT);
		assert.equal(refunds.length, 1);
		assert.ok(calls.every((call) => call.client_cert
			=== (call.api === 'refund')));
		assert.deepEqual(await violations(order), []);
	});
}

test('at the door: what is not believed is denied without a signature',
	async () => {
	const { out_trade_no } = await hmac.order();
	const fields = { ...hmac.common(), out_trade_no,
		nonce_str: wechat.nonce() };
	const key = env.API_KEY;
	const sign = (it) => wechat.xml(wechat.signed('HMAC-SHA256', it, key));
	const good = sign(fields);
	const cases = [
		['', /POST_DATA_EMPTY/],
		['<xml>', /XML/],
		['{"appid":1}', /XML/],
		[`<!DOCTYPE xml>${good}`, /XML/],
		[good.replace('<xml>', '<xml><a><b>1</b></a>'), /XML/],
		[good.replace('</xml>', '<nonce_str>1</nonce_str></xml>'), /XML/],
		[Buffer.from(good.replace('</xml>', '<x>\xff</x></xml>'), 'latin1'),
			/NOT_UTF8/],
		[sign({ ...fields, appid: undefined }), /缺少参数/],
		[sign({ ...fields, mch_id: undefined }), /缺少参数/],
		[sign({ ...fields, nonce_str: undefined }), /缺少参数/],
		[wechat.xml(fields), /缺少参数/],
		[sign({ ...fields, mch_id: '1900000110' }), /mch_id/],
		[sign({ ...fields, appid: 'wx0000000000000000' }), /appid/],
		[wechat.xml(wechat.signed('HMAC-SHA256', fields,
			'0'.repeat(32))), /签名错误/],
		[wechat.xml({ ...fields, sign: wechat.sign('HMAC-SHA256', fields,
			key).toLowerCase() }), /签名错误/],
		[wechat.xml({ ...wechat.signed('HMAC-SHA256', fields, key),
			out_trade_no: `${out_trade_no}1` }), /签名错误/],
	];
	for (const [body, return_msg] of cases) {
		const answer = expect(await s.wechat_http.request('POST',
			PATHS.orderquery, { body,
				headers: { 'content-type': 'text/xml' } }), 200);
		const said = wechat.parse(answer.text);
		assert.deepEqual(Object.keys(said), ['return_code', 'return_msg'],
			answer.text);
		assert.equal(said.return_code, 'FAIL');
		assert.match(said.return_msg, return_msg, body.toString());
	}
	expect(await s.wechat_http.request('POST', PATHS.orderquery,
		{ body: good, headers: { 'content-type': 'text/xml' } }), 200);
	assert.match((await s.wechat_http.get(PATHS.orderquery)).text,
		/REQUIRE_POST_METHOD/);
	const lost = await s.wechat_http.request('POST', '/pay/nothing',
		{ body: good });
	assert.equal(lost.status, 404);
	assert.match(lost.text, /^<html>/);
});

test('the sign type is told from sign and sign_type (v2.json sti-*)',
	async () => {
	const rows = VECTORS.sign_type_inference;
	const { out_trade_no } = await hmac.order();
	assert.equal(rows.length, 8);
	for (const { id, sign_length, sign_type_field, result } of rows) {
		const fields = { appid: env.APPID, mch_id: env.MCHID,
			out_trade_no, nonce_str: wechat.nonce(),
			...(sign_type_field ? { sign_type: sign_type_field } : {}) };
		const sign = wechat.sign(sign_length > 32 ? 'HMAC-SHA256' : 'MD5',
			fields, env.API_KEY).padEnd(64, '0').slice(0, sign_length);
		const answer = await s.wechat_http.request('POST',
			PATHS.orderquery, { body: wechat.xml({ ...fields, sign }) });
		const said = wechat.parse(answer.text);
		assert.equal(said.return_code === 'SUCCESS', result !== 'reject',
			`${id}: ${answer.text}`);
		if (result !== 'reject')
			assert.ok(wechat.verify(result, said, env.API_KEY), id);
		const { rows: [{ count }] } = await books.query(`select count(*)
			from sandbox.violations where kind = 'sign_type_missing'
			and number = $1`, [fields.nonce_str]);
		assert.equal(count, id === 'sti-1' ? 1 : 0, id);
	}
});

test('unifiedorder: every field is checked (v2.md 5, 7.1, 15.4)',
	async () => {
	const cases = {
		LACK_PARAMS: { body: undefined, out_trade_no: undefined,
			total_fee: undefined, spbill_create_ip: undefined,
			notify_url: undefined, trade_type: undefined,
			product_id: undefined },
		PARAM_ERROR: {
			nonce_str: ['a-b', 'x'.repeat(33)],
			body: ['x'.repeat(129), '茶'.repeat(43), EMOJI],
			attach: ['x'.repeat(128), EMOJI],
			detail: ['x'.repeat(6001)],
			device_info: ['茶'.repeat(33)],
			out_trade_no: ['12345', 'x'.repeat(33), 'a b c d', '订单号一二三',
				'aaaaaa@'],
			fee_type: ['USD'],
			total_fee: ['0', '-1', '+1', '01', '1.0', '1e2', ' 1',
				'2147483648', '１'],
			spbill_create_ip: ['localhost', '1.2.3', '1.2.3.4.5'],
			time_start: ['2026-01-01', '20260230000000'],
			time_expire: [in_s(30), in_s(-3600), '20261301000000', '1'],
			notify_url: ['http://shop.example/n', 'https://shop.example',
				'https://shop.example/n?a=1', 'https://shop.example/n#a',
				'https://u@shop.example/n', 'ftp://shop.example/n',
				`https://shop.example/${'x'.repeat(256)}`, '/n'],
			trade_type: ['MICROPAY', 'native', 'X'],
			product_id: ['x'.repeat(33)],
			openid: ['a b', 'x'.repeat(129)],
		},
	};
	let tried = 0;
	for (const [code, fields] of Object.entries(cases))
		for (const [name, values] of Object.entries(fields))
			for (const value of values ?? [undefined]) {
				const said = await hmac.refused('unifiedorder',
					hmac.order_fields({ [name]: value }), code);
				assert.equal(said.err_code_des, name);
				tried++;
			}
	assert.equal(tried, 7 + 47);
	await hmac.refused('unifiedorder',
		hmac.order_fields({ trade_type: 'JSAPI' }), 'LACK_PARAMS');
	const order = await hmac.order({ body: '茶'.repeat(42),
		attach: 'x'.repeat(127), time_start: in_s(0),
		time_expire: in_s(65), total_fee: '2147483647',
		spbill_create_ip: '2001:db8::1', fee_type: 'CNY',
		notify_url: `https://shop.example/${'x'.repeat(235)}` });
	assert.equal((await sandbox.ledger(order.out_trade_no))
		.payments.length, 1);
});

test('unifiedorder again: the same, or nothing (v2.md 7.1)', async () => {
	const fields = hmac.order_fields({ time_expire: in_s(3600) });
	const { out_trade_no } = fields;
	const answers = await Promise.all(Array.from({ length: 20 }, () =>
		hmac.done('unifiedorder', fields)));
	assert.equal(new Set(answers.map((a) => a.prepay_id)).size, 20);
	const ledger = await sandbox.ledger(out_trade_no);
	assert.equal(ledger.payments.length, 1);
	assert.equal(ledger.payments[0].prepays, 20);
	for (const change of [{ body: 'tee' }, { total_fee: '1001' },
		{ time_expire: in_s(3601) }, { attach: '1' },
		{ spbill_create_ip: '127.0.0.2' },
		{ trade_type: 'JSAPI', openid: 'o1' }])
		await hmac.refused('unifiedorder', { ...fields, ...change },
			'INVALID_REQUEST');
	await md5.done('unifiedorder', fields);
	assert.deepEqual(await violations(fields),
		Array(6).fill('prepay_changed'));

	// Any code of the order pays it, once.
	const scans = await Promise.all([answers[0], answers[7]].map((a) =>
		s.wechat_http.post('/sandbox/scan', { code_url: a.code_url })));
	assert.deepEqual(scans.map((a) => a.status).sort(), [200, 409]);
	await hmac.refused('unifiedorder', fields, 'ORDERPAID');
	await hmac.refused('unifiedorder', { ...fields, body: 'tee' },
		'ORDERPAID');
});

test('closeorder: not too early, once, and not when paid (v2.md 7.4)',
	async () => {
	const order = await hmac.order();
	const { out_trade_no } = order;
	await hmac.refused('closeorder', { out_trade_no }, 'TRADE_STATE_ERROR');
	await age(order, '299 s');
	await hmac.refused('closeorder', { out_trade_no }, 'TRADE_STATE_ERROR');
	assert.equal((await hmac.done('orderquery', { out_trade_no }))
		.trade_state, 'NOTPAY');
	await age(order, '1 s');
	assert.equal((await hmac.done('closeorder', { out_trade_no }))
		.result_msg, 'OK');
	assert.equal((await hmac.done('orderquery', { out_trade_no }))
		.trade_state, 'CLOSED');
	await hmac.refused('closeorder', { out_trade_no }, 'ORDERCLOSED');
	await hmac.refused('unifiedorder', hmac.order_fields({ out_trade_no }),
		'ORDERCLOSED');
	assert.equal((await s.wechat_http.post('/sandbox/scan',
		{ out_trade_no })).status, 409);
	assert.deepEqual(await violations(order),
		['close_early', 'close_early']);

	const paid = await paid_order(hmac);
	await age(paid, '300 s');
	await hmac.refused('closeorder', { out_trade_no: paid.out_trade_no },
		'ORDERPAID');
	await hmac.refused('closeorder', { out_trade_no: number() },
		'ORDERNOTEXIST');
	await hmac.refused('closeorder', {}, 'LACK_PARAMS');
});

test('orderquery: what is not there (v2.md 7.3)', async () => {
	await hmac.refused('orderquery', {}, 'LACK_PARAMS');
	await hmac.refused('orderquery', { out_trade_no: '1' }, 'PARAM_ERROR');
	await hmac.refused('orderquery', { out_trade_no: number() },
		'ORDERNOTEXIST');
	const { out_trade_no } = await hmac.order();
	await hmac.refused('orderquery', { out_trade_no,
		transaction_id: '4200' }, 'ORDERNOTEXIST');
});

test('who may pay, when, and with which coupon', async () => {
	const jsapi = await hmac.order({ trade_type: 'JSAPI', openid: 'oThis' });
	assert.equal(jsapi.code_url, undefined);
	const scan = (fields) => s.wechat_http.post('/sandbox/scan', fields);
	expect(await scan({ prepay_id: jsapi.prepay_id, openid: 'oThat' }), 409);
	expect(await scan({ prepay_id: jsapi.prepay_id }), 200);
	assert.equal((await hmac.done('orderquery',
		{ out_trade_no: jsapi.out_trade_no })).openid, 'oThis');

	const late = await hmac.order({ time_expire: in_s(3600) });
	await books.query(`update sandbox.payments set time_expire = now()
		where out_trade_no = $1`, [late.out_trade_no]);
	expect(await scan({ code_url: late.code_url }), 409);
	const old = await hmac.order();
	const { out_trade_no } = old;
	await books.query(`update sandbox.prepays
		set made_at = made_at - interval '2 h' where out_trade_no = $1`,
		[out_trade_no]);
	expect(await scan({ code_url: old.code_url }), 409);
	assert.equal((await hmac.done('orderquery', { out_trade_no }))
		.trade_state, 'NOTPAY');
	const again = await hmac.done('unifiedorder',
		hmac.order_fields({ out_trade_no }));
	expect(await scan({ code_url: again.code_url, coupon_fee: 1000 }), 409);
	expect(await scan({ code_url: again.code_url, coupon_fee: 250,
		coupon_type: 'NO_CASH' }), 200);
	const paid = await hmac.done('orderquery', { out_trade_no });
	assert.deepEqual([paid.total_fee, paid.cash_fee, paid.coupon_fee,
		paid.coupon_count, paid.coupon_fee_0, paid.coupon_type_0,
		paid.settlement_total_fee],
		['1000', '750', '250', '1', '250', 'NO_CASH', '750']);
	const refund = await hmac.refund(paid, { refund_fee: '400' });
	assert.deepEqual([refund.refund_fee, refund.cash_refund_fee,
		refund.coupon_refund_fee], ['400', '300', '100']);

	expect(await scan({ code_url: 'weixin://wxpay/bizpayurl?pr=x' }), 404);
	expect(await scan({}), 400);
	expect(await scan({ out_trade_no, coupon_fee: '1.5' }), 400);
	expect(await scan({ out_trade_no, price: 1 }), 400);
});

test('refund: what is refused (v2.md 8.1, 16.3)', async () => {
	const order = await paid_order(hmac);
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
		[{ ...unknown, transaction_id: '4200' }, 'INVALID_TRANSACTIONID'],
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
	const other = await paid_order(hmac);
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
	const order = await paid_order(hmac);
	const answers = await Promise.all(Array.from({ length: 50 }, (_, i) =>
		hmac.ask('refund', hmac.refund_fields(order, i % 2 ? {}
			: { out_trade_no: undefined,
				transaction_id: order.transaction_id }))));
	const codes = answers.map(({ data }) => data.err_code ?? 'SUCCESS');
	assert.equal(codes.filter((code) => code === 'SUCCESS').length, 10);
	assert.equal(codes.filter((code) => code === 'ERROR').length, 40);
	const { refunds } = await sandbox.ledger(order.out_trade_no);
	assert.equal(refunds.length, 10);

	const same = hmac.refund_fields(await paid_order(hmac));
	const ids = await Promise.all(Array.from({ length: 20 }, async () =>
		(await hmac.done('refund', same)).refund_id));
	assert.equal(new Set(ids).size, 1);
	assert.equal((await sandbox.ledger(same.out_trade_no))
		.refunds.length, 1);
});

test('refund: fifty a payment, a minute apart', async () => {
	const order = await paid_order(hmac);
	for (let i = 0; i < 50; i++)
		await hmac.refund(order, { refund_fee: '1' });
	await hmac.refused('refund', hmac.refund_fields(order,
		{ refund_fee: '1' }), 'ERROR');
	assert.deepEqual(await violations(order), []);

	const hasty = await paid_order(hmac);
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
	const order = await paid_order(hmac);
	const asked = hmac.refund_fields(order);
	await sandbox.post('/sandbox/faults', { unsettled_fen: 99,
		recharge_fen: 150 });
	try {
		await hmac.refused('refund', asked, 'NOTENOUGH');
		await hmac.refused('refundquery',
			{ out_refund_no: asked.out_refund_no }, 'REFUNDNOTEXIST');
		const other = { ...asked,
			refund_account: 'REFUND_SOURCE_RECHARGE_FUNDS' };
		await hmac.done('refund', other);
		assert.equal((await hmac.done('refundquery',
			{ out_refund_no: asked.out_refund_no })).refund_account_0,
			'REFUND_SOURCE_RECHARGE_FUNDS');
		await hmac.done('refund', other);
		await hmac.refused('refund', { ...other,
			out_refund_no: number('R') }, 'NOTENOUGH');
		await hmac.refund(order, { refund_fee: '99' });
		const { settings } = await sandbox.ledger();
		assert.deepEqual([settings.unsettled_fen, settings.recharge_fen],
			[0, 50]);
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
	const order = await paid_order(hmac);
	const asked = hmac.refund_fields(order, { refund_fee: '1000' });

	// Abnormal keeps its amount; the same number tries again.
	await plan(order, 'CHANGE');
	const { refund_id } = await hmac.done('refund', asked);
	await becomes(asked, 'CHANGE');
	await hmac.refused('refund', hmac.refund_fields(order), 'ERROR');
	assert.equal((await hmac.done('refund', asked)).refund_id, refund_id);
	await becomes(asked, 'SUCCESS');

	// Closed frees it, and its number is spent.
	const second = await paid_order(hmac);
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
	expect(await s.wechat_http.post('/sandbox/refund_status',
		{ out_refund_no: slow.out_refund_no, refund_status: 'SUCCESS' }),
		200);
	await becomes(slow, 'SUCCESS');
	expect(await s.wechat_http.post('/sandbox/refund_status',
		{ out_refund_no: number('R'), refund_status: 'SUCCESS' }), 409);
	expect(await s.wechat_http.post('/sandbox/refund_status',
		{ out_refund_no: slow.out_refund_no, refund_status: 'X' }), 400);
});

test('refundquery: by four numbers, ten a page (v2.md 8.2)', async () => {
	const order = await paid_order(hmac);
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
	const order = await paid_order(hmac);
	const by_hand = (fields) => s.wechat_http.post(
		'/sandbox/refund_by_hand', fields);
	const { out_trade_no } = order;
	const { out_refund_no } = expect(await by_hand({ out_trade_no,
		refund_fee: 700 }), 200).json;
	const { refunds, notices } = await until('it is told', async () => {
		const ledger = await sandbox.ledger(out_trade_no);
		return ledger.notices.length === 2 && ledger;
	});
	assert.deepEqual(refunds.map((r) => [r.out_refund_no, r.source,
		r.refund_status]), [[out_refund_no, 'VENDOR_PLATFORM', 'SUCCESS']]);
	assert.equal(notices[1].kind, 'refunded');
	assert.equal((await hmac.done('refundquery', { out_trade_no }))
		.out_refund_no_0, out_refund_no);
	expect(await by_hand({ out_trade_no, refund_fee: 301 }), 409);
	expect(await by_hand({ out_trade_no: number(), refund_fee: 1 }), 409);
	expect(await by_hand({ out_trade_no, refund_fee: 'x' }), 400);
});

test('the phone shows an order and pays it, without script', async () => {
	const order = await hmac.order({ body: '<b>茶</b> & "tea"' });
	const { out_trade_no, code_url } = order;
	const html = { accept: 'text/html' };
	const list = expect(await s.wechat_http.get('/sandbox/phone', html), 200);
	assert.ok(list.text.includes(out_trade_no));
	const shown = expect(await s.wechat_http.get('/sandbox/phone?code_url='
		+ encodeURIComponent(code_url), html), 200);
	for (const text of [list.text, shown.text]) {
		assert.ok(text.includes('¥10.00'));
		assert.ok(text.includes('&lt;b>茶&lt;/b> &amp;'));
		assert.doesNotMatch(text, /<script|<b>|style|https?:|onclick/);
	}
	assert.match(shown.text, /<button>Pay/);
	const gone = expect(await s.wechat_http.post('/sandbox/scan',
		{ out_trade_no }, html), 303);
	const after = expect(await s.wechat_http.get(gone.headers.location,
		html), 200);
	assert.match(after.text, /SUCCESS/);
	assert.doesNotMatch(after.text, /<button>/);
	expect(await s.wechat_http.post('/sandbox/scan', { out_trade_no }, html),
		409);
	expect(await s.wechat_http.get('/sandbox/phone?code_url=x', html), 404);
});

test('a nonce that comes twice, and a missing certificate, are written down',
	async () => {
	const nonce_str = wechat.nonce();
	const { out_trade_no } = await hmac.order();
	await hmac.done('orderquery', { out_trade_no, nonce_str });
	await hmac.done('orderquery', { out_trade_no, nonce_str });
	await hmac.denied('refund', { nonce_str: `${nonce_str.slice(0, 30)}xx` },
		/CERT_ERROR/, { cert: false });
	const { rows } = await books.query(`select kind from sandbox.violations
		where number in ($1, $2) order by id`,
		[nonce_str, `${nonce_str.slice(0, 30)}xx`]);
	assert.deepEqual(rows.map(({ kind }) => kind),
		['nonce_repeated', 'cert_missing']);
});

test('the ledger says how much there is, and as much as is asked',
	async () => {
	const all = await sandbox.ledger();
	const two = expect(await s.wechat_http.get('/sandbox/ledger?limit=2'),
		200).json;
	assert.equal(two.calls.length, 2);
	assert.deepEqual(two.calls[1], all.calls.at(-1));
	assert.ok(all.totals.calls >= all.calls.length);
	assert.ok(all.calls.every(({ fields }) => !('sign' in fields)));
	assert.ok(!JSON.stringify(all).includes(env.API_KEY));
	expect(await s.wechat_http.get('/sandbox/ledger?limit=x'), 400);
	expect(await s.wechat_http.get('/sandbox/ledger?number=1'), 400);
	for (const [path, fields] of [['clock', { speed: 0 }],
		['clock', { speed: 'fast' }], ['clock', { hour: 1 }],
		['clock', { schedule_s: '1,x' }], ['clock', { close_min_s: -1 }],
		['notify', { out_trade_no: number(), copies: 51 }],
		['notify', { out_trade_no: number(), copies: 0 }],
		['faults', { api: 'refund', fault: 'lost' }],
		['faults', { api: 'paid', fault: 'cut' }],
		['faults', { api: 'pay', fault: 'cut' }],
		['faults', { api: 'refund', fault: 'cut', times: -1 }],
		['faults', { api: 'refund', fault: 'late', ms: 'x' }],
		['faults', { api: 'refund', code: 'no code' }],
		['faults', { refund_status: 'X' }],
		['faults', { unsettled_fen: -1 }]])
		expect(await s.wechat_http.post(`/sandbox/${path}`, fields), 400);
	expect(await s.wechat_http.post('/sandbox/notify',
		{ out_trade_no: number() }), 404);
});
