// The sandbox is WeChat's side: what another author's client gets from it, and
// what it refuses, is what v2.md says.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { expect, number } from './lib/actors.mjs';
import { Merchant, PATHS } from './lib/merchant.mjs';
import { only, stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

only('v2');
const s = await stack('calm');
const { env, sandbox } = s;
const books = await s.connect(env.SANDBOX_DATABASE);
const hmac = new Merchant(env, 'HMAC-SHA256');
const md5 = new Merchant(env, 'MD5');

const VECTORS = JSON.parse(fs.readFileSync(
	new URL('../data/v2.json', import.meta.url)));
const HARD_TEXT = '龙井 & <茶> = "]]>" \'100%\' a=b&key=c';
const EMOJI = '茶\u{1F375}';
const CODE_URL = /^weixin:\/\/wxpay\/bizpayurl\?pr=\w+$/;
const XML = { 'content-type': 'text/xml' };

const in_s = (seconds) =>
	wechat.beijing(new Date(Date.now() + seconds * 1000));

// A payment that was made so long ago.
const age = (order, interval) => books.query(`update sandbox.payments
	set made_at = made_at - $2::interval where out_trade_no = $1`,
	[order.out_trade_no, interval]);

const violations = async (order) => (await sandbox.ledger(
	order.out_trade_no)).violations.map(({ kind }) => kind);

for (const merchant of [hmac, md5]) {
	test(`${merchant.sign_type}: order, query, pay, refund, query`,
		async () => {
		const order = await merchant.order({ body: HARD_TEXT,
			attach: HARD_TEXT, device_info: '茶室=1&2' });
		const { out_trade_no } = order;
		assert.match(order.prepay_id, /^wx\d{14}[0-9a-f]{20}$/);
		assert.match(order.code_url, CODE_URL);
		assert.equal(order.trade_type, 'NATIVE');

		const query = (by) => merchant.done('orderquery', by);

		const open = await query({ out_trade_no });
		assert.equal(open.trade_state, 'NOTPAY');
		assert.equal(open.attach, HARD_TEXT);
		assert.equal(open.transaction_id, undefined);
		const { transaction_id } = await sandbox.scan(order);
		assert.match(transaction_id, /^4200\d{24}$/);
		const paid = await query({ transaction_id });
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
			const said = await merchant.done('refundquery',
				{ out_trade_no });
			const is_done = said.refund_status_0 === 'SUCCESS';
			assert.equal('refund_success_time_0' in said, is_done);
			return is_done;
		});
		assert.equal((await query({ out_trade_no })).trade_state,
			'REFUND');
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
		[good.replace('</xml>', '<nonce_str>1</nonce_str></xml>'),
			/XML/],
		[Buffer.from(good.replace('</xml>', '<x>\xff</x></xml>'),
			'latin1'), /NOT_UTF8/],
		[sign({ ...fields, appid: undefined }), /缺少参数/],
		[sign({ ...fields, mch_id: undefined }), /缺少参数/],
		[sign({ ...fields, nonce_str: undefined }), /缺少参数/],
		[wechat.xml(fields), /缺少参数/],
		[sign({ ...fields, mch_id: '1900000110' }), /mch_id/],
		[sign({ ...fields, appid: 'wx0000000000000000' }), /appid/],
		[wechat.xml(wechat.signed('HMAC-SHA256', fields,
			'0'.repeat(32))), /签名错误/],
		[wechat.xml({ ...fields, sign: wechat.sign('HMAC-SHA256',
			fields, key).toLowerCase() }), /签名错误/],
		[wechat.xml({ ...wechat.signed('HMAC-SHA256', fields, key),
			out_trade_no: `${out_trade_no}1` }), /签名错误/],
	];
	for (const [body, return_msg] of cases) {
		const answer = expect(await s.wechat_http.request('POST',
			PATHS.orderquery, { body, headers: XML }), 200);
		const said = wechat.parse(answer.text);
		assert.deepEqual(Object.keys(said),
			['return_code', 'return_msg'], answer.text);
		assert.equal(said.return_code, 'FAIL');
		assert.match(said.return_msg, return_msg, body.toString());
	}
	const { text } = expect(await s.wechat_http.request('POST',
		PATHS.orderquery, { body: good, headers: XML }), 200);
	assert.equal(wechat.parse(text).trade_state, 'NOTPAY');
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
			...(sign_type_field
				? { sign_type: sign_type_field } : {}) };
		const sign = wechat.sign(
			sign_length > 32 ? 'HMAC-SHA256' : 'MD5', fields,
			env.API_KEY).padEnd(64, '0').slice(0, sign_length);
		const answer = await s.wechat_http.request('POST',
			PATHS.orderquery,
			{ body: wechat.xml({ ...fields, sign }) });
		const said = wechat.parse(answer.text);
		assert.equal(said.return_code,
			result === 'reject' ? 'FAIL' : 'SUCCESS', id);
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
			out_trade_no: ['12345', 'x'.repeat(33), 'a b c d',
				'订单号一二三', 'aaaaaa@'],
			fee_type: ['USD'],
			total_fee: ['0', '-1', '+1', '01', '1.0', '1e2', ' 1',
				'2147483648', '１'],
			spbill_create_ip: ['localhost', '1.2.3', '1.2.3.4.5'],
			time_start: ['2026-01-01', '20260230000000'],
			time_expire: [in_s(30), in_s(-3600), '20261301000000',
				'1'],
			notify_url: ['http://shop.example/n', '/n',
				'https://shop.example',
				'https://shop.example/n?a=1',
				'https://shop.example/n#a',
				'https://u@shop.example/n',
				'ftp://shop.example/n',
				`https://shop.example/${'x'.repeat(256)}`],
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
					hmac.order_fields(
						{ [name]: value }), code);
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

test('unifiedorder: APP, and MWEB with its scene (v2.md 7.1)', async () => {
	const app = await hmac.order({ trade_type: 'APP',
		product_id: undefined });
	assert.match(app.prepay_id, /^wx/);
	assert.ok(!('code_url' in app) && !('mweb_url' in app));

	const h5 = { trade_type: 'MWEB', product_id: undefined };
	const wap = { type: 'Wap', wap_url: 'https://shop.example',
		wap_name: '茶' };
	for (const h5_info of [wap,
		{ type: 'IOS', app_name: 'tea', bundle_id: 'com.tea' },
		{ type: 'Android', app_name: 'tea', package_name: 'tea' }]) {
		const order = await hmac.order({ ...h5,
			scene_info: JSON.stringify({ h5_info }) });
		const url = new URL(order.mweb_url);
		assert.equal(url.pathname,
			'/cgi-bin/mmpayweb-bin/checkmweb');
		assert.equal(url.searchParams.get('prepay_id'),
			order.prepay_id);
		assert.match(url.searchParams.get('package'), /^\d+$/);
	}
	await hmac.refused('unifiedorder', hmac.order_fields(h5),
		'LACK_PARAMS');
	const long = { ...wap, wap_name: 'x'.repeat(200) };
	for (const scene_info of ['Wap', '{}', '[]', '{"h5_info":"Wap"}',
		...[{ ...wap, type: 'wap' }, { ...wap, wap_url: '' },
			{ ...wap, wap_name: undefined }, long,
			{ type: 'IOS', app_name: 'tea' },
			{ type: 'Android', bundle_id: 'com.tea' }]
			.map((h5_info) => JSON.stringify({ h5_info }))]) {
		const said = await hmac.refused('unifiedorder',
			hmac.order_fields({ ...h5, scene_info }),
			'PARAM_ERROR');
		assert.equal(said.err_code_des, 'scene_info', scene_info);
	}
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

	const paid = await hmac.paid_order(sandbox);
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
	const jsapi = await hmac.order({ trade_type: 'JSAPI',
		openid: 'oThis' });
	const { prepay_id } = jsapi;
	assert.equal(jsapi.code_url, undefined);
	const scan = (fields) => s.wechat_http.post('/sandbox/scan', fields);
	expect(await scan({ prepay_id, openid: 'oThat' }), 409);
	expect(await scan({ prepay_id }), 200);
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

test('the phone shows an order and pays it, without script', async () => {
	const order = await hmac.order({ body: '<b>茶</b> & "tea"' });
	const { out_trade_no, code_url } = order;
	const html = { accept: 'text/html' };
	const see = async (url, status) =>
		expect(await s.wechat_http.get(url, html), status);
	const list = await see('/sandbox/phone', 200);
	assert.ok(list.text.includes(out_trade_no));
	const shown = await see('/sandbox/phone?code_url='
		+ encodeURIComponent(code_url), 200);
	for (const text of [list.text, shown.text]) {
		assert.ok(text.includes('¥10.00'));
		assert.ok(text.includes('&lt;b>茶&lt;/b> &amp;'));
		assert.doesNotMatch(text, /<script|<b>|style|https?:|onclick/);
	}
	assert.match(shown.text, /<button>Pay/);
	const gone = expect(await s.wechat_http.post('/sandbox/scan',
		{ out_trade_no }, html), 303);
	const after = await see(gone.headers.location, 200);
	assert.match(after.text, /SUCCESS/);
	assert.doesNotMatch(after.text, /<button>/);
	expect(await s.wechat_http.post('/sandbox/scan', { out_trade_no },
		html), 409);
	await see('/sandbox/phone?code_url=x', 404);
});

test('a nonce that comes twice, and a missing certificate, are written down',
	async () => {
	const nonce_str = wechat.nonce();
	const { out_trade_no } = await hmac.order();
	await hmac.done('orderquery', { out_trade_no, nonce_str });
	await hmac.done('orderquery', { out_trade_no, nonce_str });
	const other = wechat.nonce();
	await hmac.denied('refund', { nonce_str: other }, /CERT_ERROR/,
		{ cert: false });
	const { rows } = await books.query(`select kind from sandbox.violations
		where number in ($1, $2) order by id`, [nonce_str, other]);
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
		['clock', { schedule_s: '1,x' }],
		['clock', { close_min_s: -1 }],
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
		expect(await s.wechat_http.post(`/sandbox/${path}`, fields),
			400);
	expect(await s.wechat_http.post('/sandbox/notify',
		{ out_trade_no: number() }), 404);
});
