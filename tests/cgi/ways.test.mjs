// Every trade type from a form to the money: who may ask for which, what it
// is paid with, and how long that lives.  (P8, P13, P19)
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { number, random } from './lib/actors.mjs';
import { DESKTOP, PHONE, WECHAT } from './lib/devices.mjs';
import { expect, stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';

const s = await stack('calm');
const { shop, sandbox, env, http, wechat_http } = s;
const books = await s.connect(env.SANDBOX_DATABASE);
const HTML = { accept: 'text/html' };
const JSON_TYPE = { accept: 'application/json' };
const MINI = `${WECHAT.userAgent} miniProgram/${env.MINI_APPID}`;
const CHECKMWEB = '/cgi-bin/mmpayweb-bin/checkmweb';
const counts = { paid: 0, browsers: 0, refused: 0 };
after(() => console.log(`# ways, ${s.api}: ${counts.paid} orders paid, `
	+ `${counts.browsers} browsers, ${counts.refused} requests refused`));

// A form of the shop's page; then the cashier, which knows no more than what
// stands in its URL.
async function cashier(fields = {}, headers = {}) {
	const { headers: { location } } = expect(await shop.pay({
		product_id: env.PRODUCT_ID, quantity: 1, ...fields },
		{ ...HTML, ...headers }), 303);
	assert.match(location, /^cashier#order_no=/);
	return Object.fromEntries(new URLSearchParams(location.split('#')[1]));
}

const ask = (order, fields = {}, headers = {}) => shop.pay({
	order_no: order.order_no, token: order.token, ...fields },
	{ ...JSON_TYPE, ...headers });

// What WeChat was asked for a payment, under the names that V2 has.
const asked = async ({ out_trade_no }) =>
	(await sandbox.calls(out_trade_no, 'unifiedorder'));

async function assert_paid(order, appid) {
	await until('the order is paid',
		async () => await shop.state(order) === 'paid');
	const row = await s.payment(order.out_trade_no);
	assert.deepEqual([row.state, row.appid, row.trade_type, row.settles],
		['paid', appid, order.trade_type, true]);
	assert.deepEqual(await s.events(order.order_no), ['order.paid']);
	expect(await ask(order), 409);
	counts.paid++;
}

test('NATIVE: a desktop\'s form, a code, paid', async () => {
	const order = expect(await ask(await cashier({},
		{ 'user-agent': DESKTOP.userAgent })), 201).json;
	assert.equal(order.trade_type, 'NATIVE');
	assert.match(order.code_url, /^weixin:\/\/wxpay\//);
	assert.ok(!('pay' in order) && !('h5_url' in order));
	await sandbox.scan(order);
	await assert_paid(order, env.APPID);
});

test('JSAPI: a form inside WeChat, the bridge\'s parameters, paid',
	async () => {
	const headers = { 'user-agent': WECHAT.userAgent };
	const made = await cashier({ openid: 'oWays-payer' }, headers);
	const order = expect(await ask(made, { openid: 'oWays-payer' },
		headers), 201).json;
	assert.equal(order.trade_type, 'JSAPI');
	assert.equal(order.pay.appId, env.APPID);
	s.voice.assert_jsapi(order.pay);
	const [{ prepay_id }] = (await books.query(`select prepay_id
		from sandbox.prepays where out_trade_no = $1`,
		[order.out_trade_no])).rows;
	assert.equal(order.pay.package, `prepay_id=${prepay_id}`);
	await sandbox.scan(order, { openid: 'oWays-payer' });
	await assert_paid(order, env.APPID);
});

test('a mini program: wx.login, its own appid, paid', async () => {
	await sandbox.post('/sandbox/visitor', { openid: 'oWays-mini' });
	const { js_code } = await sandbox.post('/sandbox/js_code');
	const login = expect(await http.post('/pay/openid', { js_code },
		JSON_TYPE), 200);
	const [cookie] = login.headers['set-cookie'][0].split(';');
	const order = expect(await shop.pay({ product_id: env.PRODUCT_ID },
		{ ...JSON_TYPE, cookie, 'user-agent': MINI }), 201).json;
	assert.equal(order.trade_type, 'JSAPI');
	assert.equal(order.pay.appId, env.MINI_APPID);
	s.voice.assert_jsapi(order.pay);
	const [{ fields }] = await asked(order);
	assert.deepEqual([fields.appid, fields.openid],
		[env.MINI_APPID, 'oWays-mini']);
	await sandbox.scan(order, { openid: 'oWays-mini' });
	await assert_paid(order, env.MINI_APPID);
});

test('APP: under the app\'s appid, what its SDK takes, paid', async () => {
	const order = expect(await shop.pay({ product_id: env.PRODUCT_ID,
		trade_type: 'APP', request_id: random() }), 201).json;
	assert.deepEqual(Object.keys(order.pay), ['appid', 'partnerid',
		'prepayid', 'package', 'noncestr', 'timestamp', 'sign']);
	const { pay } = order;
	assert.deepEqual([pay.appid, pay.partnerid, pay.package],
		[env.APP_APPID, env.MCHID, 'Sign=WXPay']);
	assert.match(pay.timestamp, /^\d{10}$/);
	s.voice.assert_app(pay);
	assert.throws(() => s.voice.assert_app({ ...pay, prepayid: 'wx1' }));
	const again = expect(await ask(order, { trade_type: 'APP' }), 201).json;
	assert.equal(again.pay.prepayid, pay.prepayid);
	assert.notEqual(again.pay.noncestr, pay.noncestr);
	s.voice.assert_app(again.pay);
	const calls = await asked(order);
	assert.equal(calls.length, 1);
	assert.equal(calls[0].fields.appid, env.APP_APPID);
	assert.ok(!('openid' in calls[0].fields));
	await sandbox.scan(order);
	await assert_paid(order, env.APP_APPID);
});

// The way of a phone's browser to WeChat's page and back.
const h5_page = (h5_url, headers = {}) => wechat_http.get(
	h5_url.slice(env.SANDBOX_URL.length), { referer: `${env.WXPAY_URL}/`,
		'user-agent': PHONE.userAgent, ...headers });

test('MWEB: a phone\'s form, WeChat\'s page, paid, and back', async () => {
	const headers = { 'user-agent': PHONE.userAgent };
	const order = expect(await ask(await cashier({}, headers), {}, headers),
		201).json;
	assert.equal(order.trade_type, 'MWEB');
	assert.ok(order.h5_url.startsWith(`${env.SANDBOX_URL}${CHECKMWEB}?`));
	assert.equal((await shop.show(order)).json.h5_url, order.h5_url);
	const [{ fields }] = await asked(order);
	assert.equal(fields.appid, env.APPID);
	if (s.api === 'v2')
		assert.deepEqual(JSON.parse(fields.scene_info), { h5_info: {
			type: 'Wap', wap_url: env.WXPAY_URL,
			wap_name: new URL(env.WXPAY_URL).host } });

	const back = `${env.WXPAY_URL}/cashier`;
	const page = expect(await h5_page(`${order.h5_url}&redirect_url=${
		encodeURIComponent(back)}`), 200);
	assert.match(page.text, /¥88\.00/);
	const { headers: { location } } = expect(await wechat_http.post(
		'/sandbox/h5', { prepay_id: new URL(order.h5_url).searchParams
			.get('prepay_id'), redirect_url: back }), 303);
	assert.equal(location, back);
	await assert_paid(order, env.APPID);
	assert.equal((await shop.show(order)).json.h5_url, null);
});

test('WeChat\'s H5 page opens for no other (v2.md 7.1)', async () => {
	const order = expect(await shop.pay({ product_id: env.PRODUCT_ID,
		trade_type: 'MWEB' }), 201).json;
	const url = order.h5_url;
	for (const [to, headers, said] of [
		[url, { referer: '' }, '商家参数格式有误'],
		[url, { referer: 'https://evil.example/' }, '商家存在未配置'],
		[`${url}&redirect_url=https%3A%2F%2Fevil.example`, {},
			'商家存在未配置'],
		[url, { 'user-agent': WECHAT.userAgent }, '请在微信外打开'],
	]) {
		const { text } = expect(await h5_page(to, headers), 200);
		assert.ok(text.includes(said), text);
		assert.doesNotMatch(text, /<form/);
		counts.refused++;
	}
	assert.match((await h5_page(url)).text, /<form/);
	await books.query(`update sandbox.prepays set made_at = made_at
		- interval '301 seconds' where out_trade_no = $1`,
		[order.out_trade_no]);
	assert.match((await h5_page(url)).text, /支付请求已失效/);
});

test('P13: the address is the peer\'s, whatever a header says', async () => {
	const order = expect(await shop.pay({ product_id: env.PRODUCT_ID,
		trade_type: 'MWEB' }, { 'x-forwarded-for': '203.0.113.7',
		'x-real-ip': '203.0.113.7', forwarded: 'for=203.0.113.7',
		'client-ip': '203.0.113.7' }), 201).json;
	const [{ fields }] = await asked(order);
	assert.match(fields.spbill_create_ip, /^(127\.0\.0\.1|::1)$/);
	assert.equal((await s.payment(order.out_trade_no)).client_ip,
		fields.spbill_create_ip);
});

const past = (order, age) => s.sql(`update wxpay_data.payments
	set prepaid_at = prepaid_at - $2::interval where out_trade_no = $1`,
	order.out_trade_no, age);

test('P19: what is too old is asked for again, the same, by its number',
	async () => {
	for (const [trade_type, fresh, old] of [
		['NATIVE', '114 minutes', '2 minutes'],
		['JSAPI', '114 minutes', '2 minutes'],
		['APP', '114 minutes', '2 minutes'],
		['MWEB', '230 seconds', '15 seconds']]) {
		const how = { trade_type, ...trade_type === 'JSAPI'
			? { openid: 'oWays-old' } : {} };
		const order = expect(await shop.pay({ ...shop.signed({
			body: '茶', attach: 'a=b' }), ...how }), 201).json;
		const key = (answer) => answer.code_url ?? answer.h5_url
			?? answer.pay.package + answer.pay.prepayid;
		await past(order, fresh);
		const same = expect(await ask(order, how), 201).json;
		assert.equal(key(same), key(order), trade_type);
		assert.equal((await asked(order)).length, 1);

		await past(order, old);
		const renewed = expect(await ask(order, how), 201).json;
		assert.equal(renewed.out_trade_no, order.out_trade_no);
		assert.notEqual(key(renewed), key(order), trade_type);
		const [first, second, ...more] = await asked(order);
		assert.deepEqual(more, []);
		assert.deepEqual(second.fields, first.fields);
		assert.notEqual(second.nonce_str, first.nonce_str);
		await sandbox.scan(order, how.openid
			? { openid: how.openid } : {});
		await until('it is paid', async () =>
			await shop.state(order) === 'paid');
		counts.paid++;
	}
});

test('MWEB: no link is shown that is five minutes old', async () => {
	const order = expect(await shop.pay({ product_id: env.PRODUCT_ID,
		trade_type: 'MWEB' }), 201).json;
	await past(order, '295 seconds');
	assert.equal((await shop.show(order)).json.h5_url, order.h5_url);
	await past(order, '6 seconds');
	assert.equal((await shop.show(order)).json.h5_url, null);
});

// By what a refused request would have left.
const WRITTEN = ['orders', 'payments', 'steps'];
const UNKNOWN = 'Mozilla/5.0 (Unknown; Phone 1.0)';
test('without trade_type: what suits the browser', async () => {
	for (const [user_agent, trade_type] of [
		[undefined, 'NATIVE'], [UNKNOWN, 'NATIVE'],
		[DESKTOP.userAgent, 'NATIVE'], [PHONE.userAgent, 'MWEB'],
		['Mozilla/5.0 (Linux; Android 14) Mobile Safari', 'MWEB'],
		[WECHAT.userAgent, 'JSAPI'], [MINI, 'JSAPI']]) {
		const headers = { ...JSON_TYPE, ...user_agent
			? { 'user-agent': user_agent } : {} };
		const what = { product_id: env.PRODUCT_ID };
		const answer = await shop.pay(what, headers);
		if (trade_type === 'JSAPI') {
			assert.equal(expect(answer, 409).json.code,
				'OPENID_NEEDED');
		} else {
			assert.equal(expect(answer, 201).json.trade_type,
				trade_type, user_agent);
		}
		// A type that is asked for, or a payer, is for any browser.
		assert.equal(expect(await shop.pay({ ...what,
			trade_type: 'APP' }, headers), 201).json.trade_type,
			'APP');
		assert.equal(expect(await shop.pay({ ...what,
			openid: 'oWays-any' }, headers), 201).json.trade_type,
			'JSAPI');
		counts.browsers++;
	}
});

// The same program, asked as a plain CGI server does, that has not all types.
const cgi_pay = (trade_types, fields, user_agent) => s.cgi('pay', 'POST',
	'/pay', { body: new URLSearchParams({ product_id: env.PRODUCT_ID,
		...fields }).toString(), conf: { trade_types },
	env: { HTTP_ACCEPT: 'application/json', HTTP_USER_AGENT: user_agent,
		REQUEST_ID: random(8) } });

test('a type that is not enabled is refused, and never chosen (P8)',
	async () => {
	for (const [trade_types, user_agent, chosen] of [
		['NATIVE JSAPI', PHONE.userAgent, 'NATIVE'],
		['MWEB NATIVE', WECHAT.userAgent, 'NATIVE'],
		['MWEB APP', WECHAT.userAgent, 'MWEB'],
		['APP', UNKNOWN, 'APP'],
		['APP MWEB', PHONE.userAgent, 'MWEB']]) {
		const answer = expect(await cgi_pay(trade_types, {},
			user_agent), 201);
		assert.equal(answer.json.trade_type, chosen, trade_types);
		counts.browsers++;
	}
	for (const [trade_types, fields] of [
		['NATIVE JSAPI', { trade_type: 'MWEB' }],
		['NATIVE JSAPI', { trade_type: 'APP' }],
		['APP MWEB', { trade_type: 'NATIVE' }],
		['NATIVE', { trade_type: 'JSAPI', openid: 'oWays-x' }],
		['NATIVE', { openid: 'oWays-x' }],
		['NATIVE JSAPI', { trade_type: 'NATIVE JSAPI' }]]) {
		const before = await s.snapshot(WRITTEN);
		expect(await cgi_pay(trade_types, fields, ''), 400);
		assert.deepEqual(await s.snapshot(WRITTEN), before);
		counts.refused++;
	}
});

test('P8: what a page may not say about how it is paid', async () => {
	const before = await s.snapshot(WRITTEN);
	for (const fields of [{ appid: env.APP_APPID }, { mch_id: '1' },
		{ mchid: env.MCHID }, { notify_url: 'https://evil.example/' },
		{ sign_type: 'MD5' }, { scene_info: '{}' },
		{ spbill_create_ip: '203.0.113.7' }, { h5_url: 'https://x' },
		{ payer_client_ip: '203.0.113.7' }, { sub_mchid: '1' },
		{ trade_type: 'MWEB', openid: 'oWays-x' },
		{ trade_type: 'APP', openid: 'oWays-x' },
		{ trade_type: 'MICROPAY' }, { trade_type: 'mweb' },
		{ trade_type: '' }, { trade_type: 'H5' }]) {
		expect(await shop.pay({ ...shop.signed({ order_no: number() }),
			...fields }), 400);
		counts.refused++;
	}
	assert.deepEqual(await s.snapshot(WRITTEN), before);
});

test('from one type to another: the next attempt, paid once', async () => {
	const first = expect(await shop.pay({ product_id: env.PRODUCT_ID,
		trade_type: 'NATIVE' }), 201).json;
	const { order_no } = first;
	for (const [attempt, trade_type] of [[2, 'MWEB'], [3, 'APP'],
		[4, 'NATIVE'], [5, 'MWEB']]) {
		const next = expect(await ask(first, { trade_type }), 201).json;
		assert.equal(next.out_trade_no, `${order_no}_${attempt}`);
	}
	const last = { ...first, out_trade_no: `${order_no}_5`,
		trade_type: 'MWEB' };
	await sandbox.scan({ out_trade_no: last.out_trade_no });
	await assert_paid(last, env.APPID);
});
