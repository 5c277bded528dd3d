// The main job, from the price to the refund, over real HTTP: design 3 and 4.
import assert from 'node:assert/strict';
import test from 'node:test';
import jsqr from 'jsqr';
import { expect, number, random } from './lib/actors.mjs';
import { form } from './lib/http.mjs';
import { stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';

const s = await stack('brisk');
const { shop, sandbox, staff } = s;
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/;
const TOKEN = /^[0-9A-Za-z_-]{22}$/;

// Keep the worker away from a payment for an hour.
const hold = (out_trade_no) => s.sql(`update wxpay_data.payments
	set check_at = now() + interval '1 hour' where out_trade_no = $1`,
	out_trade_no);

test('a product is priced, paid, notified, refunded in two parts (design 4)',
	async () => {
	const answer = expect(await shop.pay({ product_id: s.env.PRODUCT_ID,
		quantity: 2, trade_type: 'NATIVE', request_id: random() }),
			201);
	const order = answer.json;
	const total = 2 * s.env.PRODUCT_FEN;
	assert.deepEqual(Object.keys(order).sort(), ['code_url', 'order_no',
		'out_trade_no', 'state', 'time_expire', 'token', 'total_fee',
		'trade_type']);
	assert.equal(order.state, 'pending');
	assert.equal(order.total_fee, total);
	assert.equal(order.trade_type, 'NATIVE');
	assert.equal(order.out_trade_no, order.order_no);
	assert.match(order.token, TOKEN);
	assert.match(order.time_expire, RFC3339);
	assert.match(order.code_url, /^weixin:\/\//);

	const shown = expect(await shop.show(order), 200).json;
	assert.equal(shown.state, 'pending');
	assert.equal(shown.total_fee, total);
	assert.equal(shown.code_url, order.code_url);
	assert.ok(shown.expires_in > 0);
	assert.equal(shown.closing, false);
	assert.deepEqual(shown.refunds, []);

	await sandbox.scan(order);
	await until('the order is paid',
		async () => await shop.state(order) === 'paid');
	const paid = expect(await shop.show(order), 200).json;
	assert.match(paid.paid_at, RFC3339);
	assert.equal(paid.code_url, null);
	assert.deepEqual(await s.events(order.order_no), ['order.paid']);
	const { payments, notices } = await sandbox.ledger(order.out_trade_no);
	assert.equal(payments[0].state, 'SUCCESS');
	assert.equal(notices.length, 1);

	const part = expect(await shop.refund(order,
		{ refund_fee: 1000, reason: '一件坏了' }), 201).json;
	assert.equal(part.state, 'pending');
	assert.equal(part.refund_fee, 1000);
	assert.equal(await shop.refund_state(order, part), 'pending');
	assert.equal((await s.payment(order.out_trade_no)).reserved_fen, 1000);

	assert.equal((await staff.approve(part)).state, 'refunding');
	await s.refund_becomes(order, part, 'refunded');
	const rest = expect(await shop.refund(order), 201).json;
	assert.equal(rest.refund_fee, total - 1000);
	await staff.approve(rest);
	await s.refund_becomes(order, rest, 'refunded');

	const end = expect(await shop.show(order), 200).json;
	assert.deepEqual(end.refunds.map((refund) =>
		[refund.out_refund_no, refund.state, refund.refund_fee]),
		[[part.out_refund_no, 'refunded', 1000],
		[rest.out_refund_no, 'refunded', total - 1000]]);
	assert.deepEqual(await s.events(order.order_no), ['order.paid',
		'refund.requested', 'refund.approved', 'refund.refunded',
		'refund.requested', 'refund.approved', 'refund.refunded']);
	const view = await s.one(`select state, refunded_fen from wxpay.orders
		where order_no = $1`, order.order_no);
	assert.deepEqual(view, { state: 'paid', refunded_fen: total });
	expect(await shop.refund(order, { refund_fee: 1 }), 409);
	const { refunds, violations } = await sandbox.ledger(
		order.out_trade_no);
	assert.deepEqual(refunds.map((r) => r.refund_fee),
		[1000, total - 1000]);
	assert.deepEqual(violations, []);
});

test('JSAPI: what the front end passes on is signed (v2.md 14, v3.md 9)',
	async () => {
	const fields = { ...shop.signed(), trade_type: 'JSAPI',
		openid: 'oE2E-jsapi' };
	const first = expect(await shop.pay(fields), 201).json;
	const again = expect(await shop.pay(fields), 201).json;
	const { payments } = await sandbox.ledger(first.out_trade_no);
	for (const { pay, code_url, h5_url } of [first, again]) {
		assert.equal(code_url ?? h5_url, undefined);
		assert.deepEqual(Object.keys(pay).sort(), ['appId', 'nonceStr',
			'package', 'paySign', 'signType', 'timeStamp']);
		s.voice.assert_jsapi(pay);
		assert.equal(pay.appId, s.env.APPID);
		assert.equal(pay.package, `prepay_id=${payments[0].prepay_id}`);
		assert.match(pay.timeStamp, /^\d{10}$/);
		assert.ok(Math.abs(pay.timeStamp - Date.now() / 1000) < 60);
	}
	assert.notEqual(first.pay.nonceStr, again.pay.nonceStr);
	assert.equal(payments[0].prepays, 1);
	assert.equal(payments[0].params.openid, 'oE2E-jsapi');
	await sandbox.scan(first, { openid: 'oE2E-jsapi' });
	await until('the order is paid',
		async () => await shop.state(first) === 'paid');
});

test('what is bought is named in three ways (design 3)', async () => {
	const made =
		await s.one(`select * from wxpay.shop_order_create($1, 4321,
		'Made in SQL')`, number('S'));
	const named = expect(await shop.pay({ order_no: made.order_no,
		token: made.token, trade_type: 'NATIVE' }), 201).json;
	assert.deepEqual([named.order_no, named.token, named.total_fee],
		[made.order_no, made.token, 4321]);

	const signed = shop.signed({ total_fee: 77, attach: 'basket=7' });
	const first = expect(await shop.pay({ ...signed,
		trade_type: 'NATIVE' }), 201).json;
	const again = expect(await shop.pay({ ...signed,
		trade_type: 'NATIVE' }), 201).json;
	assert.deepEqual(again, first);
	assert.equal(first.total_fee, 77);
	const { payments } = await sandbox.ledger(first.out_trade_no);
	assert.equal(payments[0].params.attach, 'basket=7');
	assert.equal(payments[0].params.body, signed.body);
	assert.equal(payments[0].params.time_expire, signed.time_expire);
	assert.equal(payments[0].prepays, 1);
	assert.equal((await s.sql(`select from wxpay_data.steps
		where entity = 'order' and number = $1`,
			first.order_no)).length, 1,
		'it began once');

	const taken = expect(await shop.pay({ order_no: first.order_no,
		token: first.token, trade_type: 'NATIVE' }), 201).json;
	assert.deepEqual(taken, first);

	const product = await shop.order({ total_fee: s.env.PRODUCT_FEN });
	assert.equal(product.total_fee, Number(s.env.PRODUCT_FEN));
});

test('a request_id names one order for ever (design 3; P24)', async () => {
	const request_id = random();
	const first = await shop.order({ request_id });
	assert.deepEqual(await shop.order({ request_id }), first);
	expect(await shop.pay({ product_id: s.env.PRODUCT_ID, quantity: 2,
		trade_type: 'NATIVE', request_id }), 409);
	expect(await shop.pay({ ...shop.signed(), trade_type: 'NATIVE',
		request_id }), 409);
	const one = await shop.order({ request_id: undefined });
	const two = await shop.order({ request_id: undefined });
	assert.notEqual(one.order_no, two.order_no);
});

test('50 clicks at once: one order, one unifiedorder, one answer (P6)',
	async () => {
	const request_id = random();
	const answers = await Promise.all(Array.from({ length: 50 }, () =>
		shop.order({ request_id })));
	for (const answer of answers)
		assert.deepEqual(answer, answers[0]);
	const calls = await sandbox.calls(answers[0].out_trade_no,
		'unifiedorder');
	assert.equal(calls.length, 1);
	assert.equal((await s.one(`select count(*) from wxpay_data.request_ids
		where request_id = $1`, request_id)).count, 1);
});

test('another trade type or openid is the next attempt (design 2)',
	async () => {
	const what = shop.signed();
	const first = expect(await shop.pay({ ...what, trade_type: 'NATIVE' }),
		201).json;
	const second = expect(await shop.pay({ ...what, trade_type: 'JSAPI',
		openid: 'oE2E-one' }), 201).json;
	const third = expect(await shop.pay({ ...what, trade_type: 'JSAPI',
		openid: 'oE2E-two' }), 201).json;
	assert.equal(first.out_trade_no, what.order_no);
	assert.equal(second.out_trade_no, `${what.order_no}_2`);
	assert.equal(third.out_trade_no, `${what.order_no}_3`);
	assert.equal(third.token, first.token);
	for (const { out_trade_no } of [first, second])
		await until(`${out_trade_no} is closed at WeChat, then here`,
			async () => (await s.payment(out_trade_no)).state
				=== 'closed' && (
					await sandbox.ledger(out_trade_no))
				.payments[0].state === 'CLOSED');
	assert.equal(await shop.state(third), 'pending');
	await sandbox.scan(third, { openid: 'oE2E-two' });
	await until('the order is paid',
		async () => await shop.state(third) === 'paid');
	const { violations } = await sandbox.ledger(first.out_trade_no);
	assert.deepEqual(violations, []);
});

test('close: at once if old enough, else soon; then 409 (design 3, 7.4)',
	async () => {
	const young = await shop.signed_order();
	const answer = expect(await shop.close(young), 202);
	assert.deepEqual(answer.json, { state: 'pending', closing: true });
	assert.equal(expect(await shop.show(young), 200).json.closing, true);
	expect(await shop.pay({ order_no: young.order_no, token: young.token,
		trade_type: 'NATIVE' }), 409);
	await until('the worker has closed it',
		async () => await shop.state(young) === 'closed');

	const old = await shop.signed_order();
	await hold(old.out_trade_no);
	await until('it is old enough', async () => (await s.one(`select
		close_at < now() - interval '0.1 seconds' as is_old
		from wxpay_data.payments where out_trade_no = $1`,
		old.out_trade_no)).is_old);
	assert.deepEqual(expect(await shop.close(old), 200).json,
		{ state: 'closed' });
	assert.deepEqual(expect(await shop.close(old), 200).json,
		{ state: 'closed' });

	for (const order of [young, old]) {
		const before = (await sandbox.calls(order.out_trade_no)).length;
		expect(await shop.pay({ order_no: order.order_no,
			token: order.token, trade_type: 'NATIVE' }), 409);
		const ledger = await sandbox.ledger(order.out_trade_no);
		assert.equal(ledger.calls.length, before);
		assert.equal(ledger.payments[0].state, 'CLOSED');
		assert.deepEqual(ledger.violations, []);
		assert.deepEqual(await s.events(order.order_no),
			['order.closed']);
	}
	const paid = await s.paid();
	expect(await shop.close(paid), 409);
	expect(await shop.pay({ order_no: paid.order_no, token: paid.token,
		trade_type: 'NATIVE' }), 409);
});

test('check: "I have paid" asks WeChat, once in 5 s (design 3)', async () => {
	const order = await shop.signed_order();
	await hold(order.out_trade_no);
	await sandbox.fault('paid', 'lost', { times: 1 });
	assert.equal(await shop.state(order), 'pending');
	expect(await shop.check(order), 202);
	await until('WeChat was asked', async () =>
		(await sandbox.calls(order.out_trade_no, 'orderquery')).length
			> 0);
	await hold(order.out_trade_no);
	const before = await sandbox.calls(order.out_trade_no, 'orderquery');
	await sandbox.scan(order);
	for (let i = 0; i < 5; i++)
		expect(await shop.check(order), 202);
	assert.deepEqual(await sandbox.calls(order.out_trade_no, 'orderquery'),
		before);
	await s.sql(`update wxpay_data.orders
		set checked_at = now() - interval '6 seconds'
		where order_no = $1`,
		order.order_no);
	expect(await shop.check(order), 202);
	await until('the query found the money',
		async () => await shop.state(order) === 'paid');
	expect(await shop.check(order), 202);
	assert.deepEqual(await s.events(order.order_no), ['order.paid']);
});

// The picture as dots, three a side of a module: jsqr reads no SVG.
function paint(svg) {
	const side = 3 * /viewBox="0 0 (\d+) \1"/.exec(svg)[1];
	const dots = new Uint8ClampedArray(side * side * 4).fill(255);
	const dark = / d="([^"]+)"/.exec(svg)[1];
	for (const [, x, y, width] of dark.matchAll(
		/M(\d+) (\d+)h(\d+)v1H\1z/g))
		for (let row = 3 * y; row < 3 * y + 3; row++)
			for (let at = 3 * x; at < 3 * x + 3 * width; at++)
				dots.fill(0, (row * side + at) * 4,
					(row * side + at) * 4 + 3);
	return [dots, side, side];
}

test('qr.svg is a QR code of the code_url (design 3)', async () => {
	const order = await shop.order();
	const answer = expect(await s.http.get(
		`/pay/${order.order_no}/qr.svg?token=${order.token}`), 200);
	assert.match(answer.headers['content-type'], /^image\/svg\+xml/);
	assert.doesNotMatch(answer.text, /script|href/);
	assert.equal(jsqr(...paint(answer.text))?.data, order.code_url);
	expect(await s.http.get(`/pay/${order.order_no}/qr.svg?token=`
		+ 'A'.repeat(22)), 404);
	const jsapi = expect(await shop.pay({ ...shop.signed(),
		trade_type: 'JSAPI', openid: 'oE2E-qr' }), 201).json;
	expect(await s.http.get(
		`/pay/${jsapi.order_no}/qr.svg?token=${jsapi.token}`), 404);
});

test('plain CGI: REQUEST_METHOD=POST pay < form (design 1)', async () => {
	const body = form({ product_id: s.env.PRODUCT_ID, quantity: 1,
		trade_type: 'NATIVE', request_id: random() });
	const answer = await s.cgi('pay', 'POST', '/pay', { body });
	assert.equal(answer.code, 0, answer.stderr);
	assert.equal(answer.status, 201, answer.stdout);
	assert.match(answer.head, /^Content-Type: application\/json/mi);
	const order = answer.json;
	const shown = await s.cgi('pay', 'GET',
		`/pay/${order.order_no}?token=${order.token}`);
	assert.equal(shown.json.state, 'pending');
	await sandbox.scan(order);
	await until('the order is paid',
		async () => await shop.state(order) === 'paid');

	s.assert_acknowledged(await s.cgi_notify(s.voice.paid({ ...order,
		...await s.payment(order.out_trade_no) })));
	const refund = await s.cgi('refund', 'POST', '/refund', { body: form({
		order_no: order.order_no, token: order.token }) });
	assert.equal(refund.status, 201, refund.stdout);

	for (const program of ['pay', 'notify', 'refund']) {
		const usage = await s.program(program, []);
		assert.equal(usage.code, 2, `${program} without a request`);
		assert.match(usage.stderr, /usage/i);
		assert.equal(usage.stdout, '');
	}
});
