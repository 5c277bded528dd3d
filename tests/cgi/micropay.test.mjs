// Payment codes: charged once, asked about, and reversed if not paid in time
// (design 3, threats.md I5, I7-I13, I22, R13): never paid and reversed at
// once, never neither.  WeChat's books have the last word.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { expect, random } from './lib/actors.mjs';
import { form } from './lib/http.mjs';
import { Merchant } from './lib/merchant.mjs';
import { only, stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

only('v2');
const s = await stack('micropay');
const { shop, sandbox, staff } = s;
const WAIT_MS = 15000;		// micropay_wait of this stack
const LONG_MS = 60000;
const FEN = 1000;

const codes = [];
let agreed = 0;
after(() => console.log(`# micropay: ${codes.length} codes scanned, `
	+ `${agreed} payments that both books agree on`));

// 18 digits that no phone has shown.
function auth_code() {
	const code = `1${Math.floor(Math.random() * 6)}`
		+ String(Math.random()).slice(2, 12).padEnd(10, '7')
		+ String(codes.length).padStart(6, '0');
	codes.push(code);
	return code;
}

// A phone that shows a code, and does as told.
async function phone(does, fields = {}) {
	const code = auth_code();
	await sandbox.post('/sandbox/auth_code', { auth_code: code, does,
		...fields });
	return code;
}

const scan = (what, code, request_id = random()) =>
	staff.post('/merchant/micropay', { ...what, auth_code: code,
		request_id });

async function order_of(order_no) {
	return expect(await staff.get(`/merchant/orders/${order_no}`), 200)
		.json;
}

async function payment_of(order_no) {
	return (await order_of(order_no)).payments.at(-1);
}

async function becomes(order_no, ...states) {
	let now;
	await until(() => `${order_no} is ${states}, not ${now}`, async () => {
		now = (await payment_of(order_no)).state;
		return states.includes(now);
	}, LONG_MS);
	return now;
}

// What our word is in WeChat's books: paid, or the payer has all of it.
const WORDS = { paid: ['SUCCESS'], reversed: ['REVOKED', undefined],
	closed: [undefined, 'PAYERROR'] };

// Both books say the same, WeChat was asked for money once, and nothing was
// done that it does not want.
async function assert_agreed(order_no) {
	const order = await order_of(order_no);
	const { out_trade_no, state } = order.payments.at(-1);
	const { payments: [theirs], calls, violations }
		= await sandbox.ledger(out_trade_no);
	assert.ok(WORDS[state]?.includes(theirs?.state),
		`${out_trade_no}: ${state} here, ${theirs?.state} at WeChat`);
	assert.deepEqual(violations, []);
	assert.equal(calls.filter(({ api }) => api === 'micropay').length, 1);
	assert.equal(calls.filter(({ api }) => api === 'closeorder').length,
		0);
	if (theirs?.state === 'REVOKED')
		assert.equal(theirs.returned_fen, theirs.transaction_id
			? theirs.total_fee : 0);
	const ours = await s.sql(`select nonce, began_at
		from wxpay_data.calls where out_trade_no = $1`, out_trade_no);
	for (const call of calls) {
		const row = ours.find(({ nonce }) => nonce === call.nonce_str);
		assert.ok(row, `${call.api} stands in our journal (I9)`);
		assert.ok(row.began_at <= new Date(call.at), 'before it left');
	}
	const [scanned] = calls;
	for (const call of calls.filter(({ api }) => api === 'reverse')) {
		assert.ok(call.client_cert);
		assert.ok(new Date(call.at) - new Date(scanned.at) >= WAIT_MS);
	}
	agreed++;
	return { order, state, theirs, calls };
}

const count = (calls, api) => calls.filter((call) => call.api === api).length;

test('paid at once: 200, and the order is paid', async () => {
	const what = shop.signed();
	const request_id = random();
	const code = await phone('pays');
	const paid = expect(await scan(what, code, request_id), 200).json;
	assert.equal(paid.state, 'paid');
	assert.equal(paid.out_trade_no, what.order_no);
	assert.equal(paid.trade_type, 'MICROPAY');
	const again = expect(await scan(what, code, request_id), 200).json;
	assert.deepEqual(again, paid);
	const { order, calls, theirs } = await assert_agreed(what.order_no);
	assert.equal(order.state, 'paid');
	assert.equal(order.payments[0].transaction_id, theirs.transaction_id);
	assert.equal(calls.length, 1);
	assert.deepEqual(await s.events(what.order_no), ['order.paid']);
	assert.equal((await scan(what, await phone('pays'))).json.code,
		'ORDER_PAID');
	const { actor } = await s.one(`select actor from wxpay_data.steps
		where number = $1 and entity = 'payment' order by seq limit 1`,
		what.order_no);
	assert.equal(actor, staff.name);
});

test('a product, and an order of the shop by its token', async () => {
	const paid = expect(await scan({ product_id: s.env.PRODUCT_ID,
		quantity: 2 }, await phone('pays')), 200).json;
	assert.equal(paid.total_fee, 2 * s.env.PRODUCT_FEN);
	const { order_no, token } = await shop.signed_order();
	const second = expect(await scan({ order_no, token },
		await phone('pays')), 200).json;
	assert.equal(second.out_trade_no, `${order_no}_2`, 'the QR code is 1');
	await assert_agreed(order_no);
});

test('who may, and what is a code', async () => {
	const fields = { ...shop.signed(), auth_code: auth_code(),
		request_id: random() };
	const post = (headers) => s.http.post('/merchant/micropay', fields,
		headers);
	expect(await post({}), 401);
	const { 'x-csrf-token': token, ...bare } = await staff.headers();
	expect(await post(bare), 403);
	expect(await post({ ...bare, 'x-csrf-token': token,
		origin: 'https://evil.example' }), 403);
	for (const bad of ['16' + '0'.repeat(16), '09' + '0'.repeat(16),
		'1'.repeat(17), '1'.repeat(19), '1345678901234567x8', ''])
		expect(await scan(shop.signed(), bad), 400);
	expect(await staff.post('/merchant/micropay', { ...shop.signed(),
		auth_code: auth_code() }), 400);
	expect(await scan({ ...shop.signed(), total_fee: 1 }, auth_code()),
		403);
	expect(await scan({ product_id: 'none' }, auth_code()), 404);
	expect(await staff.get('/merchant/micropay'), 405);
	expect(await staff.get(`/merchant/orders/${fields.order_no}`), 404);
	expect(await s.http.get(`/merchant/orders/${fields.order_no}`), 401);
	assert.deepEqual(await s.sql(`select from wxpay_data.orders
		where order_no = $1`, fields.order_no), []);
});

// By a program whose configuration is another.
async function scan_by_cgi(what, conf) {
	const { 'x-csrf-token': HTTP_X_CSRF_TOKEN, origin: HTTP_ORIGIN }
		= await staff.headers();
	return s.cgi('pay', 'POST', '/merchant/micropay', { conf,
		body: form({ ...what, auth_code: auth_code(),
			request_id: random() }),
		env: { HTTP_X_CSRF_TOKEN, HTTP_ORIGIN,
			REMOTE_USER: staff.name } });
}

test('a code is charged with V2, whatever new payments are made with',
	async () => {
	const what = shop.signed();
	const answer = await scan_by_cgi(what, { api: 'v3' });
	assert.equal(answer.status, 200, answer.stdout + answer.stderr);
	assert.equal((await s.payment(what.order_no)).api, 'v2');
	await assert_agreed(what.order_no);
});

test('WeChat cannot be reached: nothing was paid, and another code serves',
	async () => {
	const what = shop.signed();
	const answer = await scan_by_cgi(what,
		{ wechat_url: 'https://localhost:1' });
	assert.equal(answer.status, 409, answer.stdout + answer.stderr);
	assert.equal(answer.json.code, 'PAYMENT_REFUSED');
	assert.deepEqual(await sandbox.calls(what.order_no), []);
	const { order_no, token } = answer.json;
	expect(await scan({ order_no, token }, await phone('pays')), 200);
	await assert_agreed(order_no);
});

test('not configured: 409, and no call', async () => {
	const what = shop.signed();
	const answer = await scan_by_cgi(what, { micropay: 0 });
	assert.equal(answer.status, 409, answer.stdout + answer.stderr);
	assert.equal(answer.json.code, 'MICROPAY_DISABLED');
	assert.deepEqual(await sandbox.calls(what.order_no), []);
	const file = s.conf_file({ micropay: 1, api: 'v3' });
	fs.writeFileSync(file, fs.readFileSync(file, 'utf8')
		.replace(/^api_key .*$/m, ''));
	const started = await s.program('pay', ['--config', file, '--listen',
		path.join(s.dir, 'nobody.sock')]);
	assert.notEqual(started.code, 0);
	assert.match(started.stderr, /micropay: needs api_key/);
});

test('refused for good: 409 in WeChat\'s words, then another code',
	async (t) => {
	for (const code of ['AUTHCODEEXPIRE', 'AUTH_CODE_INVALID',
		'NOTENOUGH', 'NOTSUPORTCARD', 'TRADE_ERROR'])
		await t.test(code, async () => {
			const what = shop.signed();
			const request_id = random();
			const shown = await phone('refuses', { code });
			const no = expect(await scan(what, shown, request_id),
				409).json;
			assert.equal(no.code, 'PAYMENT_REFUSED');
			assert.match(no.message, /[\u4e00-\u9fff]/);
			assert.deepEqual(expect(await scan(what, shown,
				request_id), 409).json, no);
			await assert_agreed(what.order_no);
			const { order_no, token } = no;
			const yes = expect(await scan({ order_no, token },
				await phone('pays')), 200).json;
			assert.equal(yes.out_trade_no, `${order_no}_2`);
			await assert_agreed(order_no);
		});
	const used = await phone('pays');
	expect(await scan(shop.signed(), used), 200);
	expect(await scan(shop.signed(), used), 409);
});

test('the payer\'s bank says no: another code, without waiting', async () => {
	const what = shop.signed();
	const shown = await phone('fails', { after_ms: 1000 });
	const request_id = random();
	const began = Date.now();
	const { token } = expect(await scan(what, shown, request_id), 202)
		.json;
	const order = { order_no: what.order_no, token };
	assert.equal((await scan(order, await phone('pays'))).json.code,
		'PAYMENT_PENDING');
	await becomes(order.order_no, 'closed');
	assert.ok(Date.now() - began < WAIT_MS, 'long before a reversal');
	const again = expect(await scan(what, shown, request_id), 409).json;
	assert.equal(again.code, 'PAYMENT_REFUSED');
	await assert_agreed(order.order_no);
	expect(await scan(order, await phone('pays')), 200);
	await assert_agreed(order.order_no);
});

test('nothing else begins while a code is charged', async () => {
	const order = await shop.signed_order();
	const { token, order_no } = order;
	const what = { order_no, token };
	expect(await scan(what, await phone('asks', { after_ms: 3000 })), 202);
	for (const trade_type of ['NATIVE', 'JSAPI'])
		assert.equal(expect(await shop.pay({ ...what, trade_type }),
			409).json.code, 'PAYMENT_PENDING');
	assert.equal((await scan(what, await phone('pays'))).json.code,
		'PAYMENT_PENDING');
	await becomes(order_no, 'paid');
	const { order: { payments } } = await assert_agreed(order_no);
	assert.equal(payments.length, 2);
});

// What another system has made under our number, and what becomes of it.
const till = new Merchant(s.env, 'HMAC-SHA256');
const his_code = async (out_trade_no, fen, ...does) => till.ask('micropay', {
	body: 'his', total_fee: fen, out_trade_no, spbill_create_ip: '127.0.0.1',
	auth_code: await phone(...does) });
const his_order = (out_trade_no, fen) => till.done('unifiedorder', {
	body: 'his', total_fee: fen, out_trade_no, trade_type: 'NATIVE',
	spbill_create_ip: '127.0.0.1', product_id: 'his',
	notify_url: `${s.env.WXPAY_URL}/notify/paid` });
const HIS = [
	['his code, paid, another amount', 'SUCCESS', 'differs',
		(no) => his_code(no, FEN + 1, 'pays')],
	['his code, while he types, another amount', 'SUCCESS', 'differs',
		(no) => his_code(no, FEN + 1, 'asks', { after_ms: 4000 })],
	['his code, in vain', 'PAYERROR', null,
		(no) => his_code(no, FEN, 'fails', { after_ms: 4000 })],
	['his order, paid, the same amount', 'SUCCESS', 'differs',
		async (no) => {
			await his_order(no, FEN);
			await sandbox.fault('paid', 'lost', { number: no });
			await sandbox.scan({ out_trade_no: no });
		}],
	['his order, not paid', 'NOTPAY', null, (no) => his_order(no, FEN)],
];

test('a number that another system has used: nothing of his is touched',
	async (t) => {
	await Promise.all(HIS.map(([name, state, kind, his]) => t.test(name,
		async () => {
		const what = shop.signed();
		const shown = await phone('pays');
		const request_id = random();
		await his(what.order_no);
		expect(await scan(what, shown, request_id), 202);
		await becomes(what.order_no, 'closed');
		const no = expect(await scan(what, shown, request_id), 409).json;
		assert.equal(no.code, 'PAYMENT_REFUSED');
		const { payments: [theirs], calls }
			= await sandbox.ledger(what.order_no);
		assert.equal(theirs.state, state);
		assert.equal(count(calls, 'reverse'), 0);
		assert.deepEqual((await s.unexpected(what.order_no)).map(
			(row) => [row.kind, row.state]),
		kind ? [[kind, 'open']] : []);
		assert.deepEqual((await s.events(what.order_no)).filter(
			(event) => event !== 'order.unexpected'), []);
		const { order_no, token } = no;
		const next = expect(await scan({ order_no, token },
			await phone('pays')), 200).json;
		assert.equal(next.out_trade_no, `${order_no}_2`);
	})));
});

test('a QR code under a number that another system has used: the next number',
	async () => {
	const what = { ...shop.signed(), trade_type: 'NATIVE' };
	await his_order(what.order_no, FEN + 1);
	const order = (await until('another number serves', async () => {
		const answer = await shop.pay(what);
		return answer.status === 201 && answer;
	})).json;
	assert.equal(order.out_trade_no, `${what.order_no}_2`);
	expect(await shop.close(order), 202);
	await until('it is closed',
		async () => await shop.state(order) === 'closed');
	const { payments: [his], calls } = await sandbox.ledger(what.order_no);
	assert.equal(his.state, 'NOTPAY');
	assert.equal(count(calls, 'closeorder'), 0);
});

test('charged though the order was paid meanwhile: the till is told',
	async () => {
	await s.without('worker', async () => {
		const order = await shop.signed_order();
		const { order_no, token } = order;
		const second = `${order_no}_2`;
		await sandbox.fault('micropay', 'late', { number: second,
			ms: 1500 });
		const shown = await phone('pays');
		const request_id = random();
		const charged = scan({ order_no, token }, shown, request_id);
		await until('it is charged', async () => (await
			sandbox.ledger(second)).payments.length === 1);
		await sandbox.scan(order);
		await until('the order is paid',
			async () => await shop.state(order) === 'paid');
		const answer = expect(await charged, 200).json;
		assert.equal(answer.second, true);
		const again = await scan({ order_no, token }, shown, request_id);
		assert.deepEqual(expect(again, 200).json, answer);
		const [row] = await s.unexpected(second);
		assert.equal(row.kind, 'payment');
	});
});

test('one request_id is one order, or 409 (P4, P24)', async () => {
	const request_id = random();
	const code = await phone('pays');
	expect(await scan(shop.signed(), code, request_id), 200);
	expect(await scan(shop.signed(), code, request_id), 409);
});

test('fifty at once: one call', async () => {
	const what = shop.signed();
	const request_id = random();
	const code = await phone('asks', { after_ms: 2000 });
	const answers = await Promise.all(Array.from({ length: 50 },
		() => scan(what, code, request_id)));
	for (const answer of answers)
		expect(answer, 202);
	const busy = await scan({ order_no: what.order_no,
		token: answers[0].json.token }, await phone('pays'));
	assert.equal(busy.json.code, 'PAYMENT_PENDING');
	await becomes(what.order_no, 'paid');
	expect(await scan(what, code, request_id), 200);
	await assert_agreed(what.order_no);
});

test('a refund of it is as of any other', async () => {
	const what = shop.signed();
	const { token } = expect(await scan(what, await phone('pays')), 200)
		.json;
	const order = { order_no: what.order_no, token };
	const refund = await shop.refund_requested(order, 300);
	await staff.approve(refund);
	await s.refund_becomes(order, refund, 'refunded');
	const { refunds } = await sandbox.ledger(what.order_no);
	assert.deepEqual(refunds.map((r) => r.refund_fee), [300]);
});

// ---- what takes its time: all of it at once

const EXECUTED = ['silent', 'late', 'cut', 'http_500', 'http_502',
	'SYSTEMERROR', 'bad_sign', 'unsigned', 'echo_other', 'echo_amount'];
const REVERSE_EXECUTED = ['silent', 'late', 'cut', 'http_500', 'SYSTEMERROR',
	'bad_sign', 'unsigned', 'echo_other'];
const REVERSE_NOT = ['recall', 'refuse', 'SYSTEMERROR_BEFORE', 'denied',
	'code USERPAYING', 'code NOTENOUGH', 'code SOME_NEW_CODE',
	'code INVALID_REQUEST'];

const plant = (api, word, order_no, times = 1) => {
	const [fault, code] = word.split(' ');
	return sandbox.fault(api, code ? 'code' : fault,
		{ code, number: order_no, times, ms: 3000 });
};

const cases = [];
const add = (name, plan) => cases.push({ name, ...plan });

for (const fault of EXECUTED)
	add(`paid, its answer ${fault}`, { does: ['pays'],
		micropay: fault, ends: ['paid'] });
add('USERPAYING, then paid', { does: ['asks', { after_ms: 3000 }],
	ends: ['paid'] });
add('USERPAYING, answer lost, then paid', { does: ['asks',
	{ after_ms: 3000 }], micropay: 'silent', ends: ['paid'] });
for (const fault of ['cut', 'SYSTEMERROR', 'refuse'])
	add(`USERPAYING, then paid, queries ${fault}`, { does: ['asks',
		{ after_ms: 6000 }], orderquery: [fault, 1], ends: ['paid'] });
add('USERPAYING to the end', { does: ['asks'], ends: ['reversed'] });
add('USERPAYING to the end, no query answered', { does: ['asks'],
	orderquery: ['SYSTEMERROR_BEFORE', 3], ends: ['reversed'] });
add('paid, and no query answered: reversed', { does: ['pays'],
	micropay: 'SYSTEMERROR', orderquery: ['SYSTEMERROR_BEFORE', 5],
	ends: ['reversed'] });
for (const fault of REVERSE_EXECUTED)
	add(`to the end, reversed, its answer ${fault}`, { does: ['asks'],
		reverse: [fault, 1], ends: ['reversed'] });
for (const fault of REVERSE_NOT)
	add(`to the end, reverse first ${fault}`, { does: ['asks'],
		reverse: [fault, 2], ends: ['reversed'] });
// the payer types his password about when it is reversed
for (const ms of [-1000, -500, -200, 0, 100, 200, 300, 500, 800, 1500])
	add(`paid ${ms} ms after its time`, { does: ['asks',
		{ after_ms: WAIT_MS + ms }], ends: ['paid', 'reversed'] });
for (const fault of [...REVERSE_EXECUTED, ...REVERSE_NOT])
	add(`paid while reverse is ${fault}`, { does: ['asks',
		{ after_ms: WAIT_MS + 2000 }], reverse: [fault, 1],
		ends: ['reversed'] });
// it will not be reversed, and it is paid
add('paid late, reverse refused for good', { does: ['asks',
	{ after_ms: WAIT_MS + 200 }], reverse: ['code TRADE_ERROR', 9],
	ends: ['paid', 'reversed'] });
add('paid in secret, reverse refused for good', { does: ['pays'],
	micropay: 'SYSTEMERROR', orderquery: ['SYSTEMERROR_BEFORE', 3],
	reverse: ['code REVERSE_EXPIRE', 9], ends: ['paid'] });
add('WeChat never heard of it', { does: ['pays'], micropay: 'refuse',
	ends: ['reversed'], is_unheard: true });
add('turned away at the door', { does: ['pays'], micropay: 'denied',
	ends: ['reversed'], is_unheard: true });

async function begin(plan) {
	plan.what = shop.signed();
	const { order_no } = plan.what;
	if (plan.micropay)
		await plant('micropay', plan.micropay, order_no);
	for (const api of ['orderquery', 'reverse'])
		if (plan[api])
			await plant(api, plan[api][0], order_no, plan[api][1]);
	plan.code = await phone(...plan.does);
	plan.request_id = random();
	const answer = await scan(plan.what, plan.code, plan.request_id);
	assert.equal(answer.status, 202, `${plan.name}: ${answer}`);
	plan.token = answer.json.token;
}

// Said twice, a minute apart: a minute passes.
async function pass_a_minute({ what: { order_no } }) {
	await until('it is missing', async () => (await s.payment(order_no))
		.missing_at && (await s.payment(order_no)).state
			=== 'reversing', LONG_MS);
	await s.sql(`update wxpay_data.payments set
		missing_at = missing_at - interval '61 seconds'
		where out_trade_no = $1`, order_no);
}

async function end(plan) {
	const { order_no } = plan.what;
	if (plan.is_unheard)
		await pass_a_minute(plan);
	const state = await becomes(order_no, 'paid', 'reversed');
	assert.ok(plan.ends.includes(state), `${state}, not ${plan.ends}`);
	const { order, calls } = await assert_agreed(order_no);
	assert.equal(order.state, state === 'paid' ? 'paid' : 'closed');
	assert.deepEqual(await s.events(order_no),
		[state === 'paid' ? 'order.paid' : 'order.closed']);
	assert.deepEqual(await s.unexpected(order_no), []);
	const again = await scan(plan.what, plan.code, plan.request_id);
	if (state === 'paid')
		expect(again, 200);
	else
		assert.equal(expect(again, 409).json.code, 'PAYMENT_REVERSED');
	const met = calls.filter(({ fault }) => fault).map(({ api }) => api);
	for (const api of ['micropay', 'orderquery', 'reverse'])
		if (plan[api] && plan.ends.length === 1)
			assert.ok(met.includes(api), `${api} went wrong`);
}

test('whatever goes wrong, both books agree in the end', async (t) => {
	await Promise.all(cases.map(begin));
	for (const plan of cases)
		await t.test(plan.name, () => end(plan));
});

test('the shopper closes the order: reversed, never closed', async () => {
	const what = shop.signed();
	const { token } = expect(await scan(what, await phone('asks')), 202)
		.json;
	const order = { order_no: what.order_no, token };
	expect(await shop.close(order), 202);
	await becomes(what.order_no, 'reversed');
	await assert_agreed(what.order_no);
	assert.equal(await shop.state(order), 'closed');
});

test('staff asks: paid at once, without waiting for the worker',
	async () => {
	const what = shop.signed();
	await s.without('worker', async () => {
		await plant('micropay', 'SYSTEMERROR', what.order_no);
		expect(await scan(what, await phone('pays')), 202);
		const asked = expect(await staff.post(
			`/merchant/orders/${what.order_no}/check`), 200).json;
		assert.equal(asked.state, 'paid');
	});
	await assert_agreed(what.order_no);
});

test('pay is killed while WeChat charges: found by a query (R13)',
	async () => {
	const what = shop.signed();
	await sandbox.fault('micropay', 'silent', { number: what.order_no });
	const going = scan(what, await phone('pays')).catch((error) => error);
	await until('WeChat has it', async () =>
		(await sandbox.calls(what.order_no, 'micropay')).length > 0);
	await s.kill('pay');
	await going;
	await s.up();
	await becomes(what.order_no, 'paid');
	await assert_agreed(what.order_no);
	const { outcome } = await s.one(`select outcome from wxpay_data.calls
		where out_trade_no = $1 and op = 'micropay'`, what.order_no);
	assert.equal(outcome, null, 'nobody knows what it answered');
});

test('the worker is killed while it reverses (R13)', async () => {
	const going = [['asks'], ['asks', { after_ms: WAIT_MS + 500 }]];
	const orders = [];
	for (const does of going) {
		const what = shop.signed();
		await sandbox.fault('reverse', 'silent',
			{ number: what.order_no });
		expect(await scan(what, await phone(...does)), 202);
		orders.push(what.order_no);
	}
	for (const order_no of orders)
		await until('it is being reversed', async () =>
			(await sandbox.calls(order_no, 'reverse')).length > 0,
			LONG_MS);
	await s.kill('worker');
	for (const order_no of orders)
		assert.equal((await payment_of(order_no)).state, 'reversing');
	await s.up();
	for (const order_no of orders) {
		await becomes(order_no, 'reversed');
		await assert_agreed(order_no);
	}
});

test('the worker was away: it asks before it reverses', async () => {
	const what = shop.signed();
	await plant('micropay', 'SYSTEMERROR', what.order_no);
	await s.kill('worker');
	expect(await scan(what, await phone('pays')), 202);
	await s.sql(`update wxpay_data.payments set
		close_at = close_at - interval '1 hour',
		claimed_at = claimed_at - interval '1 hour'
		where out_trade_no = $1`, what.order_no);
	await s.up();
	assert.equal(await becomes(what.order_no, 'paid', 'reversing',
		'reversed'), 'paid');
	await assert_agreed(what.order_no);
});

test('money on a reversed payment is quarantined, and acknowledged',
	async () => {
	const { out_trade_no } = await s.one(`select out_trade_no
		from wxpay_data.payments p where state = 'reversed'
		and not exists (select from wxpay_data.unexpected u
			where u.out_trade_no = p.out_trade_no) limit 1`);
	s.assert_acknowledged(await s.notify_paid({ out_trade_no,
		total_fee: FEN, transaction_id: wechat.transaction_id() }));
	assert.equal((await s.payment(out_trade_no)).state, 'reversed');
	assert.deepEqual((await s.unexpected(out_trade_no)).map((row) =>
		[row.kind, row.state]), [['payment', 'open']]);
});

// Last: what the others have left.
test('no code stands in a row or a log (I36)', async () => {
	const dump = execFileSync('pg_dump', ['--data-only', '-d',
		s.env.DATABASE], { maxBuffer: 1 << 30 }).toString();
	const logs = fs.readdirSync(path.join(s.dir, 'log'))
		.filter((name) => name !== 'sandbox.log')
		.map((name) => fs.readFileSync(path.join(s.dir, 'log', name),
			'utf8'));
	assert.ok(dump.includes('micropay') && logs.join('')
		.includes('payment.reversed'), 'this is where they would be');
	for (const code of codes)
		for (const text of [dump, ...logs])
			assert.ok(!text.includes(code));
});
