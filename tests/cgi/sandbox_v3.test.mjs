// The sandbox is WeChat's side of API V3, too: what another author's client
// gets from it, and what it refuses, is what v3.md says; in public-key mode
// and in certificate mode, and while one follows the other.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import test from 'node:test';
import { expect, number } from './lib/actors.mjs';
import { Ear, Merchant } from './lib/merchant.mjs';
import { Merchant3, REFUNDS } from './lib/merchant3.mjs';
import { only, stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import { serial_of } from './lib/wechat3.mjs';

only('v3');
let at_first;
// Hooks run in their order, and the stack's own may take it down.
test.after(async () => {
	await set_keys({ listed: at_first.listed.join() || 'none',
		signer: at_first.signer });
	await sandbox.clock({ close_min_s: 300, refund_gap_s: 60, speed: 1 });
	ear.close();
});
const s = await stack('calm');
const { env, sandbox } = s;
const merchant = new Merchant3(env);
const v2 = new Merchant(env, 'HMAC-SHA256');
const ear = await new Ear(env).open();
const NATIVE = '/v3/pay/transactions/native';
const HARD_TEXT = '龙井 & <茶> = "]]>" \'100%\' a=b\\u0026';
const PUBLIC = env.WECHAT_PUB_KEY_ID;
const SERIALS = { public: PUBLIC, 1: serial_of(env.PLATFORM_CERT_1),
	2: serial_of(env.PLATFORM_CERT_2) };

const set_keys = (fields) => sandbox.post('/sandbox/keys', fields);
test.before(async () => {
	at_first = (await sandbox.ledger()).keys;
	await sandbox.clock({ close_min_s: 0, refund_gap_s: 0 });
});
test.beforeEach(() => {
	ear.answer = () => ({ status: 204 });
});

const plant = (order, api, fields) => sandbox.post('/sandbox/faults',
	{ api, number: order.out_refund_no ?? order.out_trade_no, ...fields });
const violations = async (order) => (await sandbox.ledger(
	order.out_trade_no)).violations.map(({ kind }) => kind);
const becomes = (refund, status) => until(`the refund is ${status}`,
	async () => (await merchant.refund_query(refund)).status === status);

for (const [mode, keys] of [
	['public key', { listed: 'none', signer: 'public' }],
	['certificate', { listed: '1', signer: '1' }],
	['next certificate', { listed: '1,2', signer: '2' }]])
	test(`${mode}: order, query, pay, refund, query, close`, async () => {
		await set_keys(keys);
		const order = await merchant.order({ description: HARD_TEXT,
			attach: HARD_TEXT, time_expire: '2099-01-01T00:00:00Z',
			scene_info: { payer_client_ip: '1.2.3.4',
				device_id: '茶室=1' } });
		const { out_trade_no } = order;
		assert.match(order.code_url,
			/^weixin:\/\/wxpay\/bizpayurl\?pr=\w+$/);
		assert.deepEqual(await merchant.query(order),
			{ appid: env.APPID, mchid: env.MCHID, out_trade_no,
				trade_state: 'NOTPAY',
				trade_state_desc: '订单未支付' });
		const { transaction_id } = await sandbox.scan(order,
			{ openid: 'oPayer', coupon_fee: 100,
				coupon_type: 'NO_CASH' });
		const { success_time, promotion_detail, ...paid }
			= await merchant.query({ transaction_id });
		assert.match(success_time,
			/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/);
		assert.equal(promotion_detail[0].type, 'NOCASH');
		assert.deepEqual(paid, { appid: env.APPID, mchid: env.MCHID,
			out_trade_no, transaction_id, trade_type: 'NATIVE',
			trade_state: 'SUCCESS', trade_state_desc: '支付成功',
			bank_type: 'OTHERS', attach: HARD_TEXT,
			payer: { openid: 'oPayer' },
			amount: { total: 1000, payer_total: 900,
				currency: 'CNY', payer_currency: 'CNY' },
			scene_info: { device_id: '茶室=1' } });

		const asked = merchant.refund_fields({ ...order,
			transaction_id }, { reason: HARD_TEXT });
		const { data: refund, serial } = await merchant.done('POST',
			REFUNDS, asked);
		assert.equal(serial, SERIALS[keys.signer]);
		assert.equal(refund.status, 'PROCESSING');
		assert.equal(refund.success_time, undefined);
		assert.deepEqual(refund.amount, { total: 1000, refund: 100,
			payer_total: 900, payer_refund: 90,
			settlement_total: 900, settlement_refund: 90,
			discount_refund: 10, currency: 'CNY' });
		const again = await merchant.done('POST', REFUNDS, asked);
		assert.equal(again.data.refund_id, refund.refund_id);
		await becomes(refund, 'SUCCESS');
		assert.match((await merchant.refund_query(refund)).success_time,
			/\+08:00$/);
		assert.equal((await merchant.query(order)).trade_state,
			'REFUND');

		const closed = await merchant.order();
		const { status, text } = await merchant.close(closed);
		assert.deepEqual([status, text], [204, '']);
		assert.equal((await merchant.close(closed)).status, 204);
		assert.equal((await merchant.query(closed)).trade_state,
			'CLOSED');
		assert.deepEqual(await violations(order), []);
	});

test('every scene has its answer, and stands in the journal by V2\'s names',
	async () => {
	for (const [type, more, trade_type, name] of [
		['jsapi', { payer: { openid: 'oE2E' } }, 'JSAPI', 'prepay_id'],
		['app', {}, 'APP', 'prepay_id'],
		['native', {}, 'NATIVE', 'code_url'],
		['h5', { scene_info: { payer_client_ip: '::1',
			h5_info: { type: 'Wap' } } }, 'MWEB', 'h5_url']]) {
		const order = await merchant.order({ ...more, attach: 'a',
			goods_tag: 'g', settle_info: { profit_sharing: false },
			time_expire: '2099-01-01T00:00:00+08:00' }, type);
		assert.ok(order[name], type);
		const { payments: [payment], calls: [call] }
			= await sandbox.ledger(order.out_trade_no);
		assert.equal(payment.version, 'v3');
		assert.equal(payment.trade_type, trade_type);
		assert.equal(payment.total_fee, 1000);
		assert.deepEqual([call.version, call.api, call.sign_type],
			['v3', 'unifiedorder', 'RSA']);
		const { spbill_create_ip, openid, ...fields } = call.fields;
		for (const nested of ['/settle_info/profit_sharing',
			'/scene_info/h5_info/type'])
			delete fields[nested];
		assert.deepEqual(fields, { appid: env.APPID,
			mch_id: env.MCHID, body: 'tea', trade_type,
			out_trade_no: order.out_trade_no, total_fee: '1000',
			fee_type: 'CNY', notify_url: order.notify_url,
			attach: 'a', goods_tag: 'g',
			time_expire: '20990101000000' });
		assert.equal(openid, more.payer?.openid);
		assert.equal(spbill_create_ip,
			more.scene_info?.payer_client_ip);
	}
});

test('at the door: what is not believed is SIGN_ERROR with a diagnosis',
	async () => {
	const order = await merchant.order();
	const url = merchant.query_url(order);
	const { privateKey: stranger } = generateKeyPairSync('rsa',
		{ modulusLength: 2048 });
	const now = Math.floor(Date.now() / 1000);
	const good = merchant.headers('GET', url);
	const auth = good.authorization;
	const cases = [
		{ signed: `${url}&x=1` },
		{ signed: url.replace('?', '%3F') },
		{ key: stranger },
		{ mchid: '1900000110' },
		{ serial: SERIALS[1] },
		{ at: now - 301 }, { at: now + 330 }, { at: now * 1000 },
	].map((change) => merchant.headers('GET', url, '', change));
	for (const authorization of [undefined, '', 'Basic YTpi',
		auth.replace('RSA2048', 'RSA4096'),
		auth.replace('WECHATPAY2', 'wechatpay2'),
		auth.replace(/,timestamp="\d+"/, ''),
		auth.replace(/signature="./, 'signature="!'),
		`${auth},mchid="${env.MCHID}"`, `${auth},x="1"`, `${auth},`])
		cases.push({ ...good, authorization });
	for (const headers of cases) {
		if (headers.authorization === undefined)
			delete headers.authorization;
		const answer = expect(await s.wechat_http.request('GET', url,
			{ headers }), 401);
		merchant.verify(answer.headers, answer.text);
		assert.equal(answer.json.code, 'SIGN_ERROR');
		const { detail } = answer.json;
		assert.ok(detail.detail.issue);
		assert.equal(detail.sign_information.method, 'GET');
		assert.equal(detail.sign_information.url, url);
		assert.ok(detail.sign_information.sign_message_length
			> url.length);
		assert.match(answer.headers['request-id'], /-268443699$/);
	}
	for (const name of ['user-agent', 'accept']) {
		const { [name]: gone, ...headers } = merchant.headers('GET',
			url);
		const answer = expect(await s.wechat_http.request('GET', url,
			{ headers }), 400);
		assert.equal(answer.json.code, 'INVALID_REQUEST');
		merchant.verify(answer.headers, answer.text);
	}
	for (const at of [now - 295, now + 295])
		expect(await s.wechat_http.request('GET', url, { headers:
			merchant.headers('GET', url, '', { at }) }), 200);
	expect(await s.wechat_http.get('/v3/pay/transactions/x'), 404);
	console.log(`# tried: ${cases.length} requests not to be believed`);
});

test('bodies that are no object, members that may not be (threats N25)',
	async () => {
	const fields = merchant.order_fields({ attach: 'a' });
	const good = JSON.stringify(fields);
	const texts = ['', '[]', '"x"', good.slice(1), `${good}x`,
		`\ufeff${good}`, good.replace('{', '{"mchid":"1",'),
		good.replace('"tea"', '"\\u0000"'),
		good.replace('"tea"', '"\\ud800"'),
		good.replace('"amount":', `"a":${'['.repeat(40)}1${
			']'.repeat(40)},"amount":`)];
	for (const body of texts) {
		const answer = expect(await s.wechat_http.request('POST',
			NATIVE, { body, headers: merchant.headers('POST',
				NATIVE, body) }), 400);
		assert.equal(answer.json.code, 'PARAM_ERROR', body);
	}
	const amount = (change) => ({ amount: { ...fields.amount,
		...change } });
	const members = [
		[{ attach: null }, '/attach'], [{ attach: '' }, '/attach'],
		[{ attach: 1 }, '/attach'], [{ body: 'tea' }, '/body'],
		[{ total_fee: 1 }, '/total_fee'],
		[{ 'amount/total': 1 }, '/amount~1total'],
		[{ description: '茶\u{1F375}' }, '/description'],
		[{ description: '茶'.repeat(128) }, '/description'],
		[{ description: undefined }, '/description'],
		[{ out_trade_no: 'short' }, '/out_trade_no'],
		[{ out_trade_no: 'x'.repeat(33) }, '/out_trade_no'],
		[{ mchid: '1900000110' }, '/mchid'],
		[{ time_expire: '20990101000000' }, '/time_expire'],
		[{ notify_url: 'https://x/y?z' }, '/notify_url'],
		[{ amount: undefined }, '/amount'],
		[{ amount: 1000 }, '/amount'],
		[amount({ total: 0 }), '/amount/total'],
		[amount({ total: '1000' }), '/amount/total'],
		[amount({ total: 10.5 }), '/amount/total'],
		[amount({ total: undefined }), '/amount/total'],
		[amount({ currency: 'USD' }), '/amount/currency'],
		[{ payer: { openid: 'o' } }, '/payer'],
		[{ support_fapiao: 'true' }, '/support_fapiao'],
		[{ detail: { goods_detail: [{ merchant_goods_id: '1',
			quantity: 1 }] } },
			'/detail/goods_detail/*/unit_price'],
		[{ scene_info: {} }, '/scene_info/payer_client_ip'],
	];
	for (const [change, field] of members) {
		const { data } = await merchant.refused('POST', NATIVE,
			{ ...fields, ...change }, 400, 'PARAM_ERROR');
		assert.equal(data.detail.field, field);
		assert.equal(data.detail.location, 'body');
	}
	await merchant.refused('POST', NATIVE, { ...fields, appid: 'wx0' }, 400,
		'APPID_MCHID_NOT_MATCH');
	for (const [type, field] of [['jsapi', '/payer'],
		['h5', '/scene_info']])
		assert.equal((await merchant.refused('POST',
			`/v3/pay/transactions/${type}`, fields, 400,
			'PARAM_ERROR')).data.detail.field, field);
	const order = await merchant.order({ description: '茶'.repeat(127),
		detail: { cost_price: 1, goods_detail: [{ quantity: 1,
			merchant_goods_id: '1', unit_price: 1 }] } });
	const url = merchant.query_url(order);
	for (const bad of [url.split('?')[0], `${url}0`, `${url}&x=1`,
		`${url}&out_trade_no=${order.out_trade_no}`])
		await merchant.refused('GET', bad, undefined, 400,
			'PARAM_ERROR');
	assert.equal((await sandbox.ledger(fields.out_trade_no)).payments
		.length, 0);
	console.log(`# tried: ${texts.length + members.length} bad bodies`);
});

test('the same number again; paid and closed orders', async () => {
	const order = await merchant.order();
	const { code_url, ...asked } = order;
	const again = await merchant.done('POST', NATIVE, asked);
	assert.notEqual(again.data.code_url, code_url);
	await merchant.refused('POST', NATIVE, { ...asked,
		amount: { total: 1 } }, 403, 'OUT_TRADE_NO_USED');
	await merchant.done('POST', NATIVE, { ...asked,
		time_expire: '2020-01-01T00:00:00+08:00' });
	assert.deepEqual(await violations(order),
		['prepay_changed', 'prepay_changed']);
	await merchant.refused('GET', merchant.query_url(
		{ out_trade_no: number() }), undefined, 404, 'ORDER_NOT_EXIST');
	await merchant.refused('POST', merchant.close_url(
		{ out_trade_no: number() }), { mchid: env.MCHID }, 404,
		'ORDER_NOT_EXIST');
	await sandbox.scan(order);
	await merchant.refused('POST', NATIVE, asked, 400, 'INVALID_REQUEST');
	await merchant.refused('POST', merchant.close_url(order),
		{ mchid: env.MCHID }, 400, 'ORDER_PAID');
	const { code_url: gone, ...closed } = await merchant.order();
	await merchant.close(closed);
	await merchant.refused('POST', NATIVE, closed, 400, 'ORDER_CLOSED');
	await merchant.refused('POST', merchant.close_url(closed),
		{ mchid: '1900000110' }, 400, 'PARAM_ERROR');
	await sandbox.clock({ close_min_s: 300 });
	const young = await merchant.order();
	await merchant.refused('POST', merchant.close_url(young),
		{ mchid: env.MCHID }, 403, 'RULE_LIMIT');
	await sandbox.clock({ close_min_s: 0 });
	assert.deepEqual(await violations(young), ['close_early']);
});

test('refunds: what is refused, and what they come to', async () => {
	const order = await merchant.paid_order(sandbox);
	const amount = (refund, total = 1000) =>
		({ amount: { refund, total, currency: 'CNY' } });
	const refused = (fields, status, code) => merchant.refused('POST',
		REFUNDS, merchant.refund_fields(order, fields), status, code);
	await refused(amount(1001), 400, 'INVALID_REQUEST');
	await refused(amount(100, 999), 400, 'INVALID_REQUEST');
	await refused({ transaction_id: undefined }, 400, 'PARAM_ERROR');
	await refused({ transaction_id: '4200' }, 404, 'RESOURCE_NOT_EXISTS');
	await refused({ out_trade_no: number() }, 404, 'RESOURCE_NOT_EXISTS');
	await refused({ funds_account: 'X' }, 400, 'PARAM_ERROR');
	await refused({ amount: { refund: 1, total: 1000 } }, 400,
		'PARAM_ERROR');
	const open = await merchant.order();
	await refused({ transaction_id: undefined,
		out_trade_no: open.out_trade_no }, 404, 'RESOURCE_NOT_EXISTS');
	await merchant.refused('GET', `${REFUNDS}/${number()}`, undefined, 404,
		'RESOURCE_NOT_EXISTS');
	await sandbox.post('/sandbox/faults', { recharge_fen: 50 });
	await refused({ funds_account: 'AVAILABLE' }, 403, 'NOT_ENOUGH');
	await sandbox.no_faults();
	assert.equal((await sandbox.ledger(order.out_trade_no)).refunds.length,
		0);

	for (const [word, status] of [['CHANGE', 'ABNORMAL'],
		['REFUNDCLOSE', 'CLOSED'], ['SUCCESS', 'SUCCESS']]) {
		const asked = merchant.refund_fields(order,
			{ funds_account: 'AVAILABLE' });
		await sandbox.post('/sandbox/faults', { refund_status: word,
			number: asked.out_refund_no });
		const refund = await merchant.refund(order, asked);
		assert.equal(refund.status, 'PROCESSING');
		assert.equal(refund.funds_account, 'AVAILABLE');
		await becomes(refund, status);
		const again = await merchant.refund(order, asked);
		assert.deepEqual([again.refund_id, again.status],
			[refund.refund_id, status]);
		await merchant.refused('POST', REFUNDS, { ...asked,
			...amount(99) }, 400, 'INVALID_REQUEST');
		if (word === 'CHANGE')
			await sandbox.post('/sandbox/refund_status',
				{ refund_status: 'SUCCESS',
					out_refund_no: asked.out_refund_no });
	}
	assert.equal((await sandbox.ledger(order.out_trade_no)).refunds.length,
		3);
});

// What each api is asked, and whether it was done.
const state_of = async ({ out_trade_no }) =>
	(await sandbox.ledger(out_trade_no)).payments[0]?.state;
const APIS = {
	unifiedorder: async () => {
		const fields = merchant.order_fields();
		return { url: NATIVE, data: fields, order: fields, done:
			async () => await state_of(fields) === 'NOTPAY' };
	},
	orderquery: async () => {
		const order = await merchant.order();
		return { method: 'GET', url: merchant.query_url(order),
			order };
	},
	closeorder: async () => {
		const order = await merchant.order();
		return { url: merchant.close_url(order), order,
			data: { mchid: env.MCHID }, done: async () =>
				await state_of(order) === 'CLOSED' };
	},
	refund: async () => {
		const order = await merchant.paid_order(sandbox);
		const data = merchant.refund_fields(order);
		return { url: REFUNDS, data, order: data, done: async () =>
			(await sandbox.ledger(order.out_trade_no))
				.refunds.length === 1 };
	},
	refundquery: async () => {
		const refund = await merchant.refund(
			await merchant.paid_order(sandbox));
		return { method: 'GET', order: refund,
			url: `${REFUNDS}/${refund.out_refund_no}` };
	},
};
const system_error = ({ status, data, headers, text }) => {
	assert.deepEqual([status, data.code], [500, 'SYSTEM_ERROR']);
	merchant.verify(headers, text);
};
const plain = (wanted) => ({ status, headers }) => {
	assert.equal(status, wanted);
	assert.equal(headers['wechatpay-signature'], undefined);
};
const wrong = ({ error, status }) => {
	assert.equal(error, 'EV3_RES_HEADER_SIGNATURE_DIGEST');
	assert.ok(status === 200 || status === 204);
};
const NOT_EXECUTED = {
	refuse: plain(500),
	denied: (answer) => {
		plain(400)(answer);
		assert.equal(answer.data.code, 'PARAM_ERROR');
	},
	SYSTEMERROR_BEFORE: system_error,
};
const EXECUTED = {
	http_500: plain(500),
	http_502: plain(502),
	SYSTEMERROR: system_error,
	cut: (answer) => answer.status === 204 || wrong(answer),
	bad_sign: wrong,
	unsigned: (answer) => {
		assert.equal(answer.error, 'EV3_RES_HEADERS_INCOMPLATE');
		assert.ok(answer.status < 300);
	},
	probe: (answer) => {
		wrong(answer);
		assert.match(answer.headers['wechatpay-signature'],
			/^WECHATPAY\/SIGNTEST\//);
	},
};

for (const [api, prepare] of Object.entries(APIS))
	test(`${api}: executed or not, and answered as planted`, async () => {
		for (const [faults, executed] of [[NOT_EXECUTED, false],
			[EXECUTED, true]])
			for (const [fault, check] of Object.entries(faults)) {
				const { method = 'POST', url, data, order,
					done = () => executed }
					= await prepare();
				await plant(order, api, { fault });
				check(await merchant.ask(method, url, data));
				assert.equal(await done(), executed,
					`${api} ${fault}`);
				await merchant.done(method, url, data);
			}
		for (const [code, status] of [['PARAM_ERROR', 400],
			['NO_AUTH', 403], ['NOAUTH', 403],
			['FREQUENCY_LIMITED', 429], ['SYSTEMERROR', 500],
			['MCH_NOT_EXISTS', /refund/.test(api) ? 404 : 400],
			['RESOURCE_NOT_EXISTS', 404], ['BRAND_NEW', 400]]) {
			const { method = 'POST', url, data, order }
				= await prepare();
			await plant(order, api, { code });
			await merchant.refused(method, url, data, status, code);
		}
	});

test('late and silent are executed, slow when the client has left',
	async () => {
	const hasty = new Merchant3(env, { timeout: 400 });
	for (const [fault, ms] of [['late', 800], ['slow', 800],
		['silent', undefined]]) {
		const { data, url, done } = await APIS.refund();
		await plant(data, 'refund', { fault, ms });
		assert.equal((await hasty.ask('POST', url, data)).error,
			'ECONNABORTED');
		await until(`${fault} is executed`, done);
	}
	await sandbox.no_faults();
});

test('echoes of other numbers and amounts are well signed (threats O8)',
	async () => {
	const order = await merchant.paid_order(sandbox);
	const asked = merchant.refund_fields(order);
	for (const [api, method, url, data, about, name, amount] of [
		['orderquery', 'GET', merchant.query_url({ out_trade_no:
			order.out_trade_no }), undefined, order, 'out_trade_no',
			'total'],
		['refund', 'POST', REFUNDS, asked, asked, 'out_refund_no',
			'refund'],
		['refundquery', 'GET', `${REFUNDS}/${asked.out_refund_no}`,
			undefined, asked, 'out_refund_no', 'refund']]) {
		const said = async (fault) => {
			await plant(about, api, { fault });
			return (await merchant.done(method, url, data)).data;
		};
		const other = await said('echo_other');
		const more = await said('echo_amount');
		assert.notEqual(other[name], about[name]);
		assert.equal(more[name], about[name]);
		assert.equal(more.amount[amount], other.amount[amount] + 1);
	}
});

test('who signs: whom the request names, or whose turn it is (threats N22)',
	async () => {
	const order = await merchant.order();
	const signer = async (named) => (await merchant.done('GET',
		merchant.query_url(order), undefined,
		named ? { 'Wechatpay-Serial': named } : {})).serial;
	await set_keys({ listed: '1', signer: '1' });
	assert.equal(await signer(), SERIALS[1]);
	assert.equal(await signer(PUBLIC), PUBLIC);
	assert.equal(await signer(SERIALS[1].toLowerCase()), SERIALS[1]);
	assert.equal(await signer(SERIALS[2]), SERIALS[1], 'not listed');
	assert.equal(await signer('PUB_KEY_ID_1'), SERIALS[1]);
	await set_keys({ listed: '2' });
	assert.equal(await signer(SERIALS[1]), SERIALS[1], 'still set');
	await set_keys({ signer: 'mixed' });
	// A notice that is told again meanwhile takes a turn, too.
	const signers = async () => {
		const turns = new Set();
		for (let i = 0; i < 6; i++)
			turns.add(await signer());
		return [...turns].sort();
	};
	assert.deepEqual(await signers(), [SERIALS[2], PUBLIC].sort());
	const state = await set_keys({ listed: '2,1' });
	assert.deepEqual(state, { listed: ['1', '2'], signer: 'mixed',
		keys: SERIALS });
	assert.deepEqual(await signers(), Object.values(SERIALS).sort());
	assert.equal((await sandbox.calls(order.out_trade_no)).filter((call) =>
		call.serial === SERIALS[2]).length, 1);
	for (const bad of [{ listed: '3' }, { listed: 'public' },
		{ listed: '1,' }, { signer: '3' }, { signer: '' }, { x: '1' }])
		expect(await s.wechat_http.post('/sandbox/keys', bad), 400);
	assert.deepEqual((await sandbox.ledger()).keys, state);
	await s.kill('sandbox');
	await s.up();
	assert.deepEqual((await sandbox.ledger()).keys, state,
		'it survives a start');
});

test('certificates: those that are listed, sealed; none is 404 (threats N22)',
	async () => {
	await set_keys({ listed: 'none', signer: 'public' });
	await merchant.refused('GET', '/v3/certificates', undefined, 404,
		'RESOURCE_NOT_EXISTS');
	for (const listed of ['1', '2', '1,2']) {
		await set_keys({ listed, signer: listed[0] });
		const { data: { data }, serial } = await merchant.done('GET',
			'/v3/certificates');
		assert.equal(serial, SERIALS[listed[0]]);
		assert.deepEqual(data.map((one) => one.serial_no),
			listed.split(',').map((name) => SERIALS[name]));
		for (const one of data) {
			assert.equal(one.encrypt_certificate.algorithm,
				'AEAD_AES_256_GCM');
			assert.equal(one.encrypt_certificate.associated_data,
				'certificate');
			assert.equal(merchant.open(one.encrypt_certificate),
				merchant.certs[one.serial_no].toString());
			assert.ok(new Date(one.effective_time)
				< new Date(one.expire_time));
		}
	}
	await merchant.done('GET', '/v3/certificates?algorithm_type=ALL');
	await merchant.refused('GET', '/v3/certificates?algorithm_type=SM2',
		undefined, 400, 'PARAM_ERROR');
	await sandbox.fault('certificates', 'bad_sign');
	wrong(await merchant.ask('GET', '/v3/certificates'));
	await sandbox.fault('certificates', 'echo_other');
	const { data: { data } } = await merchant.done('GET',
		'/v3/certificates');
	assert.notEqual(data[0].serial_no, SERIALS[1]);
});

// An order whose notices come to our ear, at /<word>.
async function order_heard(fields = {}) {
	const word = number();
	return { word, ...await merchant.order({ out_trade_no: word,
		notify_url: `${ear.url}/${word}`, ...fields }) };
}
const heard = (order, count = 1) => until(`${count} notices are heard`,
	() => ear.about(order.word).length >= count && ear.about(order.word));
const notice_of = async (order, kind = 'paid') => (await sandbox.ledger(
	order.out_trade_no)).notices.findLast((n) => n.kind === kind);
const notice_becomes = (order, state, kind) => until(`it is ${state}`,
	async () => {
		const notice = await notice_of(order, kind);
		return notice?.state === state && notice;
	});

function open_notice({ body, headers, type }, event_type, original_type) {
	assert.equal(type, 'application/json');
	merchant.verify(headers, body);
	const { id, create_time, resource, summary, ...rest }
		= JSON.parse(body);
	assert.match(id, /^[0-9a-f-]{36}$/);
	assert.match(create_time, /\+08:00$/);
	assert.ok(summary.length > 0 && summary.length <= 16);
	assert.deepEqual(rest, { event_type,
		resource_type: 'encrypt-resource' });
	assert.equal(resource.algorithm, 'AEAD_AES_256_GCM');
	assert.equal(resource.original_type, original_type);
	assert.equal(resource.associated_data, original_type);
	assert.equal(resource.nonce.length, 12);
	return JSON.parse(merchant.open(resource));
}

for (const signer of ['public', '1', '2'])
	test(`a payment and its refunds are told, signed by ${signer}`,
		async () => {
		await set_keys({ listed: '1,2', signer });
		const order = await order_heard({ attach: HARD_TEXT });
		const { transaction_id } = await sandbox.scan(order,
			{ openid: 'oPayer', coupon_fee: 100 });
		const [told] = await heard(order);
		assert.equal(told.headers['wechatpay-serial'], SERIALS[signer]);
		assert.deepEqual(open_notice(told, 'TRANSACTION.SUCCESS',
			'transaction'), await merchant.query(order));
		const done = await notice_becomes(order, 'done');
		assert.deepEqual([done.version, done.event_id,
			done.deliveries[0].status, done.deliveries[0].verdict,
			done.deliveries[0].serial], ['v3',
			JSON.parse(told.body).id, 204, 'success',
			SERIALS[signer]]);

		let count = 1;
		for (const [word, status] of [['CHANGE', 'ABNORMAL'],
			['REFUNDCLOSE', 'CLOSED'], ['SUCCESS', 'SUCCESS']]) {
			const asked = merchant.refund_fields({ ...order,
				transaction_id }, { notify_url: `${ear.url}/${
					order.word}` });
			await sandbox.post('/sandbox/faults',
				{ refund_status: word,
					number: asked.out_refund_no });
			const refund = await merchant.refund(order, asked);
			count++;
			const { success_time, ...facts } = open_notice(
				(await heard(order, count)).at(-1),
				`REFUND.${status}`, 'refund');
			assert.equal(success_time !== undefined,
				status === 'SUCCESS');
			assert.deepEqual(facts, { mchid: env.MCHID,
				out_trade_no: order.out_trade_no,
				transaction_id, refund_status: status,
				out_refund_no: asked.out_refund_no,
				refund_id: refund.refund_id,
				user_received_account: '支付用户零钱',
				amount: { total: 1000, refund: 100,
					payer_total: 900, payer_refund: 90 } });
		}
	});

test('told until it is understood; forged and probes are refused (threats N23)',
	async () => {
	await set_keys({ listed: '1', signer: 'mixed' });
	await sandbox.clock({ speed: 1000 });
	const order = await order_heard();
	const answers = [() => ({ status: 500 }), () => ({ status: 401,
		body: '{"code":"FAIL","message":"no"}' }),
		() => ({ status: 302 }), () => ({ status: 200 })];
	ear.answer = (notice) => merchant.is_proved(notice.headers, notice.body)
		? answers.shift()() : { status: 401 };
	for (const fault of ['forged', 'probe', 'lost'])
		await plant(order, 'paid', { fault });
	await sandbox.scan(order);
	const notice = await notice_becomes(order, 'done');
	assert.deepEqual(notice.deliveries.map((d) => d.verdict), ['refused',
		'refused', 'lost', 'refused', 'refused', 'refused', 'success']);
	const told = ear.about(order.word);
	assert.equal(told.length, 6);
	assert.equal(new Set(told.map(({ body }) => JSON.parse(body).id)).size,
		1, 'one id');
	assert.equal(new Set(told.map(({ body }) =>
		JSON.parse(body).resource.nonce)).size, 6, 'sealed anew');
	assert.match(told[1].headers['wechatpay-signature'],
		/^WECHATPAY\/SIGNTEST\//);
	assert.ok(told.slice(0, 2).every(({ headers, body }) =>
		!merchant.is_proved(headers, body)));
	assert.equal(JSON.parse(merchant.open(JSON.parse(told[0].body)
		.resource)).mchid, env.MCHID, 'forged, yet well sealed');
	await sandbox.clock({ speed: 1 });

	// Told again on command, and whoever believes too much is found out.
	ear.answer = () => ({ status: 204 });
	const by = { out_trade_no: order.out_trade_no };
	await until('both have had their turn', async () => {
		await sandbox.notify(by);
		return new Set(ear.about(order.word).map(({ headers }) =>
			headers['wechatpay-serial'])).size === 2;
	});
	for (const [how, verdict] of [[{}, 'success'],
		[{ forged: 1 }, 'forged_accepted'],
		[{ probe: 1 }, 'probe_accepted']]) {
		const { replies } = await sandbox.notify({ ...by, ...how,
			copies: 3 });
		assert.deepEqual(replies.map((reply) => reply.verdict),
			[verdict, verdict, verdict]);
	}
	const { violations: found } = await sandbox.ledger();
	for (const kind of ['forged_accepted', 'probe_accepted'])
		assert.ok(found.some((one) => one.kind === kind
			&& one.number === String(notice.id)), kind);
});

test('one set of books: what one API made, the other asks for and refunds',
	async () => {
	const theirs = await v2.paid_order(sandbox);
	const { trade_state, amount } = await merchant.query(
		{ out_trade_no: theirs.out_trade_no });
	assert.deepEqual([trade_state, amount.total], ['SUCCESS', 1000]);
	const refund = await merchant.refund({ amount, transaction_id:
		theirs.transaction_id });
	await becomes(refund, 'SUCCESS');
	assert.equal((await v2.done('refundquery',
		{ out_refund_no: refund.out_refund_no })).refund_status_0,
		'SUCCESS');

	const ours = await merchant.paid_order(sandbox);
	assert.equal((await v2.done('orderquery',
		{ out_trade_no: ours.out_trade_no })).trade_state, 'SUCCESS');
	const old = await v2.refund({ out_trade_no: ours.out_trade_no,
		total_fee: '1000' });
	assert.equal((await merchant.refund_query(old)).out_trade_no,
		ours.out_trade_no);
	const { refunds, payments } = await sandbox.ledger(ours.out_trade_no);
	assert.deepEqual([payments[0].version, refunds[0].version],
		['v3', 'v2']);
});

test('a refund by hand is told as the payment was, or as is said', async () => {
	for (const [fields, version] of [[{}, 'v3'], [{ notice: 'v2' }, 'v2'],
		[{ notice: 'v3' }, 'v3']]) {
		const order = await merchant.paid_order(sandbox);
		const { out_refund_no } = await sandbox.post(
			'/sandbox/refund_by_hand', { refund_fee: 10,
				out_trade_no: order.out_trade_no, ...fields });
		const notice = await until('it is to be told', () =>
			notice_of(order, 'refunded'));
		assert.deepEqual([notice.version, notice.out_refund_no,
			notice.url], [version, out_refund_no,
			`${env.WXPAY_URL}/notify/refunded`]);
	}
});
