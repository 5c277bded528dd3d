// A service provider's gateway, from a form to the money and back, for his
// sub-merchant (v3.md 19): what WeChat is asked and what it tells names both,
// and what names another moves nothing.  Then without a sub_appid; and
// payments that were made before the configuration changed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { number, random } from './lib/actors.mjs';
import { expect, stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';
import * as wechat3 from './lib/wechat3.mjs';

const s = await stack('provider');
const { shop, sandbox, staff, env, http, wechat_http } = s;
const { SUB_MCHID, SUB_APPID } = env;
const STRANGER = '1900009292';
const JSON_TYPE = { accept: 'application/json' };
const HTML = { accept: 'text/html' };
const LONG_MS = 60000;
const counts = { paid: 0, calls: 0, refused: 0 };
after(() => console.log(`# provider: ${counts.paid} orders paid, ${
	counts.calls} calls looked at, ${counts.refused} notices refused`));

// ---- whom the gateway and WeChat know as sub-merchant, from now on

const SUB = { sub_mchid: SUB_MCHID, sub_appid: SUB_APPID };
const GATEWAY = ['pay', 'notify', 'refund', 'worker'];
const files = { [env.CONF]: GATEWAY,
	[path.join(s.dir, 'sandbox.conf')]: ['sandbox'] };

async function configure(gateway, sandbox_too) {
	for (const [[file, programs], sub] of Object.entries(files).map(
		(pair, i) => [pair, [gateway, sandbox_too][i]])) {
		const lines = fs.readFileSync(file, 'utf8').split('\n')
			.filter((line) => line && !line.startsWith('sub_'));
		const more = Object.entries(sub).map(([name, value]) =>
			`${name} = "${value}";`);
		fs.writeFileSync(file, [...lines, ...more, ''].join('\n'));
		for (const program of programs)
			await s.kill(program, 'SIGTERM');
	}
	await s.up();
}

// ---- what must be true of every payment

// What each call named; V3 names appids in orders alone.
async function assert_asked(out_trade_no, parties) {
	const { calls, violations } = await sandbox.ledger(out_trade_no);
	assert.ok(calls.length > 0);
	for (const { version, api, fields, outcome } of calls) {
		const names = version === 'v2' || api === 'unifiedorder'
			? ['appid', 'sub_appid', 'mch_id', 'sub_mch_id']
			: ['sub_mch_id'];
		for (const name of names)
			assert.equal(fields[name], parties[name],
				`${api} ${name}`);
		assert.equal(outcome, api === 'micropay'
			&& outcome === 'USERPAYING' ? outcome : 'SUCCESS', api);
		counts.calls++;
	}
	assert.deepEqual(violations, []);
	return calls;
}

const parties_of = ({ appid, sub_mchid, sub_appid }) => ({ appid,
	mch_id: env.MCHID, sub_mch_id: sub_mchid || undefined,
	sub_appid: sub_appid || undefined });

async function assert_paid(order, { appid = env.APPID, sub_mchid = SUB_MCHID,
	sub_appid = SUB_APPID, payer } = {}) {
	await until('the order is paid',
		async () => await shop.state(order) === 'paid');
	const row = await s.payment(order.out_trade_no);
	assert.deepEqual([row.state, row.appid, row.sub_mchid, row.sub_appid,
		row.settles], ['paid', appid, sub_mchid, sub_appid, true]);
	if (payer)
		assert.equal(row.payer, payer);
	assert.deepEqual(await s.events(order.order_no), ['order.paid']);
	assert.deepEqual(await s.unexpected(order.out_trade_no), []);
	counts.paid++;
	return assert_asked(order.out_trade_no, parties_of(row));
}

async function refunded(order, refund_fee) {
	const refund = await shop.refund_requested(order, refund_fee);
	await staff.approve(refund);
	await s.refund_becomes(order, refund, 'refunded');
	return assert_asked(order.out_trade_no,
		parties_of(await s.payment(order.out_trade_no)));
}

// Paid where nobody is told of it: the worker asks.
async function paid_untold(order) {
	await sandbox.fault('paid', 'lost', { number: order.out_trade_no,
		times: 0 });
	await sandbox.scan(order);
	await until('the worker found the money',
		async () => await shop.state(order) === 'paid');
	await sandbox.no_faults();
}

// ---- who pays

const visitor = (openid) => sandbox.post('/sandbox/visitor', { openid });
const cookie_of = ({ headers }, name) => headers['set-cookie'].find((line) =>
	line.startsWith(`${name}=`)).split(';')[0];

// By WeChat's OAuth, under the account's appid: { order_no, token, cookie }.
async function known(openid, appid) {
	await visitor(openid);
	const order = expect(await shop.pay({ ...shop.signed(),
		trade_type: 'JSAPI' }, JSON_TYPE), 409).json;
	const away = expect(await http.get(`/pay/authorize?order_no=${
		order.order_no}&token=${order.token}`, HTML), 303);
	const { pathname, search, searchParams } = new URL(
		away.headers.location);
	assert.equal(searchParams.get('appid'), appid);
	const back = expect(await wechat_http.get(pathname + search), 303)
		.headers.location.slice(env.WXPAY_URL.length);
	const cookie = cookie_of(expect(await http.get(back,
		{ ...HTML, cookie: cookie_of(away, 'wxpay_browser') }), 303),
		'wxpay_openid');
	assert.ok(cookie.startsWith(`wxpay_openid=${appid}.${openid}.`));
	return { ...order, cookie };
}

async function jsapi(openid, appid) {
	const { order_no, token, cookie } = await known(openid, appid);
	return expect(await shop.pay({ order_no, token, trade_type: 'JSAPI' },
		{ ...JSON_TYPE, cookie }), 201).json;
}

async function mini(openid) {
	await visitor(openid);
	const { js_code } = await sandbox.post('/sandbox/js_code');
	const cookie = cookie_of(expect(await http.post('/pay/openid',
		{ js_code }, JSON_TYPE), 200), 'wxpay_openid');
	return expect(await shop.pay({ ...shop.signed(), trade_type: 'JSAPI' },
		{ ...JSON_TYPE, cookie }), 201).json;
}

const ordered = async (trade_type) => expect(await shop.pay({
	...shop.signed(), trade_type }, JSON_TYPE), 201).json;

// ---- with a sub_appid: everything that shoppers meet is the sub-merchant's

test('NATIVE: a code, paid, refunded in two parts', async () => {
	const order = await ordered('NATIVE');
	await sandbox.scan(order);
	await assert_paid(order);
	await refunded(order, 400);
	const calls = await refunded(order, 600);
	assert.ok(calls.some(({ api }) => api === 'refund'));
});

test('JSAPI: by OAuth of the sub-merchant, paid by his openid', async () => {
	const order = await jsapi('oSub-page', SUB_APPID);
	assert.equal(order.pay.appId, SUB_APPID);
	s.voice.assert_jsapi(order.pay);
	const { payments: [{ params }] }
		= await sandbox.ledger(order.out_trade_no);
	assert.deepEqual([params.sub_openid, params.openid],
		['oSub-page', undefined]);
	await sandbox.scan(order, { openid: 'oSub-page' });
	await assert_paid(order, { payer: 'oSub-page' });
	await refunded(order);
});

test('a mini program of the sub-merchant', async () => {
	const order = await mini('oSub-mini');
	assert.equal(order.pay.appId, env.MINI_APPID);
	s.voice.assert_jsapi(order.pay);
	await sandbox.scan(order, { openid: 'oSub-mini' });
	await assert_paid(order, { sub_appid: env.MINI_APPID,
		payer: 'oSub-mini' });
});

test('APP: the sub-merchant\'s app, the provider for partner', async () => {
	const order = await ordered('APP');
	assert.deepEqual([order.pay.appid, order.pay.partnerid],
		[env.APP_APPID, env.MCHID]);
	s.voice.assert_app(order.pay);
	await sandbox.scan(order);
	await assert_paid(order, { sub_appid: env.APP_APPID });
	await refunded(order);
});

test('MWEB: WeChat\'s page opens for a browser', async () => {
	const order = await ordered('MWEB');
	assert.match(expect(await wechat_http.get(order.h5_url.slice(
		env.SANDBOX_URL.length), { referer: `${env.WXPAY_URL}/` }), 200)
		.text, /<form/);
	await sandbox.scan(order);
	await assert_paid(order);
});

test('wx.config is for the sub-merchant\'s account', async () => {
	const config = expect(await http.get('/pay/jsconfig?url='
		+ encodeURIComponent(`${env.WXPAY_URL}/`)), 200).json;
	assert.equal(config.appId, SUB_APPID);
});

test('untold: the worker asks, of payments and of refunds', async () => {
	for (const make of [() => ordered('NATIVE'), () => ordered('APP'),
		() => mini('oSub-untold')]) {
		const order = await make();
		await paid_untold(order);
		await sandbox.fault('refunded', 'lost', { times: 0 });
		const calls = await refunded(order);
		await sandbox.no_faults();
		for (const api of ['orderquery', 'refundquery'])
			assert.ok(calls.some((call) => call.api === api), api);
	}
});

test('told: a refund\'s notice moves it, or makes the worker ask', async () => {
	const order = await ordered('NATIVE');
	await sandbox.scan(order);
	await assert_paid(order);
	const refund = await shop.refund_requested(order, 1);
	await sandbox.refunds_become('SUCCESS');
	await staff.approve(refund);
	const told = await until('it is told', async () => (await sandbox
		.ledger(order.out_trade_no)).notices.find(({ kind, state }) =>
			kind === 'refunded' && state === 'done'));
	assert.equal(told.deliveries.at(-1).verdict, 'success');
	await s.refund_becomes(order, refund, 'refunded');
});

test('a refund by hand is found to be the sub-merchant\'s', async () => {
	for (const notice of ['v2', 'v3']) {
		const order = await ordered('APP');
		await sandbox.scan(order);
		await assert_paid(order, { sub_appid: env.APP_APPID });
		const { out_refund_no } = await sandbox.post(
			'/sandbox/refund_by_hand', { notice, refund_fee: 30,
				out_trade_no: order.out_trade_no });
		await until('it stands among ours', () => s.one(`select
			from wxpay_data.refunds where out_refund_no = $1
			and state = 'refunded' and refund_fen = 30`,
			out_refund_no));
		const calls = await assert_asked(order.out_trade_no,
			parties_of(await s.payment(order.out_trade_no)));
		assert.equal(calls.some(({ api, version }) => version
			=== s.api && api === 'refundquery'), notice === 'v2',
			'V2 is not signed, so WeChat is asked');
	}
});

test('closed, by the shopper and after another way was chosen', async () => {
	const order = await ordered('NATIVE');
	const next = expect(await shop.pay({ order_no: order.order_no,
		token: order.token, trade_type: 'APP' }), 201).json;
	await until('the first is closed', async () =>
		(await s.payment(order.out_trade_no)).state === 'closed');
	await shop.close(next);
	await until('the order is closed',
		async () => await shop.state(order) === 'closed');
	for (const { out_trade_no } of [order, next]) {
		const calls = await assert_asked(out_trade_no,
			parties_of(await s.payment(out_trade_no)));
		assert.ok(calls.some(({ api }) => api === 'closeorder'));
		assert.equal((await sandbox.ledger(out_trade_no)).payments[0]
			.state, 'CLOSED');
	}
});

// ---- payment codes, which V2 has alone

let scanned = 0;
async function scan_code(does) {
	const auth_code = `13${Date.now()}`
		+ String(scanned++).padStart(3, '0');
	await sandbox.post('/sandbox/auth_code', { auth_code, does });
	const what = shop.signed();
	return { out_trade_no: what.order_no, answer: await staff.post(
		'/merchant/micropay', { ...what, auth_code,
			request_id: random() }) };
}

test('a payment code is charged for the sub-merchant', async () => {
	const { out_trade_no, answer } = await scan_code('pays');
	assert.equal(expect(answer, 200).json.state, 'paid');
	const row = await s.payment(out_trade_no);
	assert.deepEqual([row.api, row.sub_mchid, row.sub_appid],
		['v2', SUB_MCHID, SUB_APPID]);
	await assert_asked(out_trade_no, parties_of(row));
});

test('a payment code that is not confirmed is reversed', async () => {
	const { out_trade_no, answer } = await scan_code('asks');
	expect(answer, 202);
	await until('it is reversed', async () =>
		(await s.payment(out_trade_no)).state === 'reversed', LONG_MS);
	const calls = await assert_asked(out_trade_no,
		parties_of(await s.payment(out_trade_no)));
	assert.ok(calls.some(({ api }) => api === 'reverse'));
	assert.equal((await sandbox.ledger(out_trade_no)).payments[0].state,
		'REVOKED');
});

// ---- what names another

const unpaid = async () => ({ ...await ordered('NATIVE'),
	transaction_id: wechat.transaction_id() });
const verdicts = async (out_trade_no) => (await s.sql(`select verdict
	from wxpay_data.notices where out_trade_no = $1 order by seq`,
	out_trade_no)).map(({ verdict }) => verdict);

for (const [whom, sub] of [['of another sub-merchant', STRANGER],
	['of the provider himself', env.MCHID], ['of nobody', undefined]])
	test(`a proved notice ${whom}: kept, not acknowledged, nothing moved`,
		async () => {
		const payment = await unpaid();
		for (let i = 0; i < 2; i++) {
			s.assert_refused(await s.notify(s.voice.paid_for(
				payment, sub)));
			counts.refused++;
		}
		assert.equal(await shop.state(payment), 'pending');
		assert.deepEqual(await verdicts(payment.out_trade_no),
			['differs', 'differs']);
		assert.deepEqual((await s.unexpected(payment.out_trade_no)).map(
			({ kind, state }) => [kind, state]),
			[['differs', 'open']]);
		assert.deepEqual(await s.events(payment.order_no),
			['order.unexpected']);
		s.assert_acknowledged(await s.notify_paid(payment));
		assert.equal(await shop.state(payment), 'paid');
	});

test('an answer about another sub-merchant\'s payment settles nothing',
	async () => {
	const order = await ordered('NATIVE');
	const { out_trade_no } = order;
	await sandbox.fault('paid', 'lost', { number: out_trade_no, times: 0 });
	await sandbox.fault('orderquery', 'echo_sub', { number: out_trade_no,
		times: 0 });
	await sandbox.scan(order);
	await until('WeChat was asked after it was paid', async () => {
		const calls = await sandbox.calls(out_trade_no, 'orderquery');
		const { payments: [{ paid_at }] }
			= await sandbox.ledger(out_trade_no);
		return calls.some(({ at }) => at > paid_at);
	});
	await until('the answer is in our journal', async () => (await s.sql(
		`select from wxpay_data.calls where out_trade_no = $1
		and op = 'query' and outcome is not null`,
		out_trade_no)).length > 0);
	assert.equal(await shop.state(order), 'pending');
	await sandbox.no_faults();
	await sandbox.notify({ out_trade_no });
	await until('the notice settles it',
		async () => await shop.state(order) === 'paid');
});

// A refund that WeChat goes on about, and what V3 would tell of it.
async function refunding() {
	const order = await ordered('NATIVE');
	await sandbox.scan(order);
	await assert_paid(order);
	const refund = await shop.refund_requested(order, 700);
	await sandbox.post('/sandbox/faults', { refund_status: 'PROCESSING',
		number: refund.out_refund_no });
	await staff.approve(refund);
	const [theirs] = await until('WeChat has it', async () => {
		const { refunds } = await sandbox.ledger(order.out_trade_no);
		return refunds.length > 0 && refunds;
	});
	const { payments: [{ transaction_id }] }
		= await sandbox.ledger(order.out_trade_no);
	return { order, refund, told: (parties) => s.notify(s.voice.tell(
		wechat3.envelope(env.APIV3_KEY, 'REFUND.SUCCESS', 'refund', {
			...parties, out_trade_no: order.out_trade_no,
			transaction_id, out_refund_no: refund.out_refund_no,
			refund_id: theirs.refund_id, refund_status: 'SUCCESS',
			success_time: wechat3.rfc3339(new Date()),
			user_received_account: '支付用户零钱',
			amount: { total: order.total_fee, refund: 700,
				payer_total: order.total_fee,
				payer_refund: 700 } })), 'refunded') };
}

if (s.api === 'v3')
	test('a refund\'s notice of another moves nothing, of mchid it does',
		async () => {
		const { order, refund, told } = await refunding();
		s.assert_refused(await told({ sp_mchid: env.MCHID,
			sub_mchid: STRANGER }));
		counts.refused++;
		assert.equal(await shop.refund_state(order, refund),
			'refunding');
		assert.deepEqual((await s.unexpected(order.out_trade_no)).map(
			({ kind }) => kind), ['differs']);
		// [v3.md 19] one official sample has it so
		s.assert_acknowledged(await told({ mchid: env.MCHID }));
		assert.equal(await shop.refund_state(order, refund),
			'refunded');
		const second = await refunding();
		s.assert_acknowledged(await second.told({ sp_mchid: env.MCHID,
			sub_mchid: SUB_MCHID }));
		assert.equal(await shop.refund_state(second.order,
			second.refund), 'refunded');
	});

// ---- staff

test('wxpayctl query: by our number, and by WeChat\'s', async () => {
	for (const [by, type, parties] of [['order_no', 'NATIVE'],
		['transaction_id', 'NATIVE'], ['transaction_id', 'APP',
			{ sub_appid: env.APP_APPID }]]) {
		const order = await ordered(type);
		await s.without('worker', async () => {
			await sandbox.fault('paid', 'lost', {
				number: order.out_trade_no, times: 0 });
			const { transaction_id } = await sandbox.scan(order);
			const done = await s.program('wxpayctl', ['query',
				{ ...order, transaction_id }[by]]);
			assert.equal(done.code, 0, done.stderr);
			assert.match(done.stdout, /"paid"/);
		});
		await sandbox.no_faults();
		await assert_paid(order, parties);
	}
});

// ---- without a sub_appid: shoppers meet the provider's own accounts

test('without sub_appid: the provider\'s appids and openids', async () => {
	const only = { sub_mchid: SUB_MCHID };
	await configure(only, only);
	const page = await jsapi('oProvider-page', env.APPID);
	assert.equal(page.pay.appId, env.APPID);
	s.voice.assert_jsapi(page.pay);
	await sandbox.scan(page, { openid: 'oProvider-page' });
	await assert_paid(page, { sub_appid: '', payer: 'oProvider-page' });
	await refunded(page);
	const app = await ordered('APP');
	assert.deepEqual([app.pay.appid, app.pay.partnerid],
		[env.APP_APPID, env.MCHID]);
	s.voice.assert_app(app.pay);
	await paid_untold(app);
	await assert_paid(app, { appid: env.APP_APPID, sub_appid: '' });
	const program = await mini('oProvider-mini');
	await sandbox.scan(program);
	await assert_paid(program, { appid: env.MINI_APPID, sub_appid: '',
		payer: 'oProvider-mini' });
});

// ---- a payment stays what it was made as

// Three that will be paid and told, paid and untold, and closed; and one that
// is paid already.
async function made() {
	const open = [];
	for (let i = 0; i < 3; i++)
		open.push(await ordered('NATIVE'));
	const paid = await ordered('NATIVE');
	await sandbox.scan(paid);
	await until('it is paid',
		async () => await shop.state(paid) === 'paid');
	return { open, paid };
}

async function assert_goes_on({ open: [told, untold, dropped], paid }, as) {
	await sandbox.scan(told);
	await assert_paid(told, as);
	await paid_untold(untold);
	await assert_paid(untold, as);
	await shop.close(dropped);
	await until('it is closed',
		async () => await shop.state(dropped) === 'closed');
	await assert_asked(dropped.out_trade_no,
		parties_of(await s.payment(dropped.out_trade_no)));
	for (const order of [paid, told, untold])
		await refunded(order);
}

test('made for the sub-merchant, and then he is configured no more',
	async () => {
	await configure(SUB, SUB);
	const before = await made();
	await configure({}, SUB);
	await assert_goes_on(before);
	// What is new is not made for him: WeChat refuses it.
	const what = shop.signed({ order_no: number() });
	const answer = await shop.pay({ ...what, trade_type: 'NATIVE' });
	assert.notEqual(answer.status, 201);
	const calls = await sandbox.calls(what.order_no, 'unifiedorder');
	assert.ok(calls.length > 0);
	for (const { fields } of calls)
		assert.ok(!('sub_mch_id' in fields));
});

test('an attempt for another account is the next attempt', async () => {
	await configure(SUB, SUB);
	const what = shop.signed();
	const pay = async () => expect(await shop.pay({ ...what,
		trade_type: 'NATIVE' }), 201).json;
	const first = await pay();
	await configure({ sub_mchid: SUB_MCHID }, SUB);
	const second = await pay();
	assert.equal(second.out_trade_no, `${what.order_no}_2`);
	await until('the first is closed', async () =>
		(await s.payment(first.out_trade_no)).state === 'closed');
	await assert_asked(first.out_trade_no,
		parties_of(await s.payment(first.out_trade_no)));
	await sandbox.scan(second);
	await assert_paid(second, { sub_appid: '' });
});

test('made by an ordinary merchant, and then he becomes a provider',
	async () => {
	await configure({}, {});
	const before = await made();
	await configure(SUB, {});
	await assert_goes_on(before, { sub_mchid: '', sub_appid: '' });
	await configure(SUB, SUB);
	const order = await ordered('NATIVE');
	await sandbox.scan(order);
	await assert_paid(order);
});
