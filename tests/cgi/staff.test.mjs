// The back office's routes (design 3, threats.md R1, R11): who may, and that
// what he does is done once and journalled with his name.
import assert from 'node:assert/strict';
import test from 'node:test';
import { basic, expect } from './lib/actors.mjs';
import { stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';

const s = await stack('calm');
const { shop, sandbox, staff, staff2, http } = s;
const MONEY = ['orders', 'payments', 'refunds', 'events', 'steps'];

const order = await s.paid(1000);
const pending = await shop.refund_requested(order, 100);
const GETS = ['/merchant/session', '/merchant/refunds', '/merchant/orders'];
const decision = (verb, refund = pending) =>
	`/merchant/refunds/${refund.out_refund_no}/${verb}`;
const POSTS = ['/merchant/refunds', decision('approve'), decision('reject'),
	decision('retry'), `/merchant/orders/${order.order_no}/check`];

const steps = (number) => s.sql(`select from_state, to_state, actor, reason
	from wxpay_data.steps where number = $1 order by seq`, number);

test('without a password nobody gets in; wrong ones look the same (R1)',
	async () => {
	const nobody = [{}, ...[['alice', 'wrong'], ['mallory', 'wrong'],
		['alice', ''], ['', ''], ['alice', s.env.OPERATOR2_PASSWORD]]
		.map((words) => ({ authorization: basic(...words) })),
		{ authorization: 'Bearer x' }, { authorization: 'Basic !!!' },
		{ 'remote-user': 'alice' }, { remote_user: 'alice' },
		{ 'x-remote-user': 'alice' }, { 'x-forwarded-user': 'alice' }];
	const before = await s.snapshot(MONEY);
	const texts = new Set();
	for (const headers of nobody) {
		for (const path of GETS)
			texts.add(expect(await http.get(path, headers),
				401).text);
		for (const path of POSTS)
			texts.add(expect(await http.post(path, {}, headers),
				401)
				.text);
	}
	assert.equal(texts.size, 1, [...texts].join('\n'));
	const answer = await http.get('/merchant/session');
	assert.match(answer.headers['www-authenticate'], /^Basic /);
	assert.match(answer.json.code, /^[A-Z_]+$/);
	assert.match(answer.headers['x-request-id'], /^[0-9a-f]{32}$/);
	assert.deepEqual(await s.snapshot(MONEY), before);
});

test('a session: who, and a token that is his own', async () => {
	const one = expect(await staff.get('/merchant/session'), 200).json;
	assert.deepEqual(Object.keys(one).sort(), ['csrf_token', 'operator']);
	assert.equal(one.operator, s.env.OPERATOR);
	assert.ok(one.csrf_token.length >= 22);
	assert.deepEqual(expect(await staff.get('/merchant/session'), 200).json,
		one);
	const two = expect(await staff2.get('/merchant/session'), 200).json;
	assert.equal(two.operator, s.env.OPERATOR2);
	assert.notEqual(two.csrf_token, one.csrf_token);
});

test('a POST needs his token and our Origin (R11)', async () => {
	const good = await staff.headers();
	const theirs = (await staff2.headers())['x-csrf-token'];
	const token = good['x-csrf-token'];
	const bad = [
		['no token', { 'x-csrf-token': undefined }],
		['an empty token', { 'x-csrf-token': '' }],
		["another operator's", { 'x-csrf-token': theirs }],
		['a part of it', { 'x-csrf-token': token.slice(0, -1) }],
		['more than it', { 'x-csrf-token': `${token}0` }],
		['in capitals', { 'x-csrf-token': token.toUpperCase() }],
		['no origin', { origin: undefined }],
		['a foreign origin', { origin: 'https://evil.example' }],
		['origin null', { origin: 'null' }],
		['ours and more', { origin: `${good.origin}.evil.example` }],
		['another scheme', { origin: good.origin.replace('https',
			'http') }],
		['a referer instead', { origin: undefined,
			referer: `${good.origin}/merchant/` }],
	];
	const before = await s.snapshot(MONEY);
	for (const path of POSTS)
		for (const [what, changes] of bad) {
			const headers = Object.fromEntries(Object.entries(
				{ ...good, ...changes }).filter(([, value]) =>
				value !== undefined));
			const answer = await http.post(path, {}, headers);
			assert.equal(answer.status, 403,
				`${path}, ${what}: ${answer}`);
		}
	assert.deepEqual(await s.snapshot(MONEY), before);
	// The token in the form or the query is no header.
	for (const [query, fields] of [[`?csrf_token=${token}`, {}],
		['', { csrf_token: token }]])
		expect(await http.post(decision('approve') + query, fields,
			{ ...good, 'x-csrf-token': '' }), 403);
});

test('GET approves nothing (R11)', async () => {
	for (const path of POSTS.slice(1)) {
		const answer = expect(await staff.get(path,
			await staff.headers()), 405);
		assert.equal(answer.headers.allow, 'POST', path);
	}
	assert.equal(await shop.refund_state(order, pending), 'pending');
});

test('refunds in pages, newest first, by state', async () => {
	const made = [];
	for (let i = 0; i < 7; i++)
		made.push(await shop.refund_requested(order, 10 + i));
	const pages = [];
	let after = '';
	do {
		const page = expect(await staff.get(
			`/merchant/refunds?limit=3${after}`), 200).json;
		assert.ok(page.refunds.length <= 3);
		pages.push(...page.refunds);
		after = page.next === null ? null : `&after=${page.next}`;
	} while (after !== null);
	const numbers = pages.map((refund) => refund.out_refund_no);
	assert.equal(new Set(numbers).size, numbers.length, 'none twice');
	const { count } =
		await s.one('select count(*) from wxpay_data.refunds');
	assert.equal(numbers.length, count, 'none missing');
	assert.deepEqual(numbers.slice(0, 7), made.map((refund) =>
		refund.out_refund_no).reverse());

	expect(await staff.decide(made[0], 'reject', 'no'), 200);
	const rejected = expect(await staff.get(
		'/merchant/refunds?state=rejected&limit=1'), 200).json.refunds;
	assert.equal(rejected[0].out_refund_no, made[0].out_refund_no);
	assert.equal(rejected[0].decision, 'no');
	assert.equal(rejected[0].decided_by, s.env.OPERATOR);
	const waiting = expect(await staff2.get(
		'/merchant/refunds?state=pending'), 200).json.refunds;
	assert.ok(waiting.every(({ state }) => state === 'pending'));
	assert.ok(!waiting.some(({ out_refund_no }) =>
		out_refund_no === made[0].out_refund_no));
});

test('orders: searched, in pages', async () => {
	const one = expect(await staff.get(
		`/merchant/orders?order_no=${order.order_no}`),
			200).json.orders;
	assert.equal(one.length, 1);
	assert.equal(one[0].state, 'paid');
	assert.equal(one[0].payments[0].out_trade_no, order.out_trade_no);
	assert.equal(one[0].token, undefined, "the shopper's token is his");
	await shop.order();
	const { orders, next } = expect(await staff.get(
		'/merchant/orders?limit=1&state=pending'), 200).json;
	assert.equal(orders.length, 1);
	if (next !== null) {
		const more = expect(await staff.get('/merchant/orders?limit=1'
			+ `&state=pending&after=${next}`), 200).json.orders;
		assert.notEqual(more[0].order_no, orders[0].order_no);
	}
	assert.deepEqual(expect(await staff.get(
		'/merchant/orders?order_no=T-NO-SUCH-ONE'), 200).json.orders,
			[]);
});

test('no: rejected, freed, final, journalled (design 2)', async () => {
	const paid = await s.paid(1000);
	const refund = await shop.refund_requested(paid, 1000);
	expect(await shop.refund(paid, { refund_fee: 1 }), 409);
	const answer = expect(await staff2.decide(refund, 'reject',
		'已发货，不退'), 200);
	assert.deepEqual(answer.json, { state: 'rejected' });
	for (const verb of ['approve', 'reject', 'retry'])
		expect(await staff.decide(refund, verb), 409);
	assert.equal((await s.payment(paid.out_trade_no)).reserved_fen, 0);
	assert.deepEqual(await steps(refund.out_refund_no), [
		{ from_state: null, to_state: 'pending', actor: 'shopper',
			reason: '' },
		{ from_state: 'pending', to_state: 'rejected',
			actor: s.env.OPERATOR2, reason: 'reject: 已发货，不退' }]);
	const shown = expect(await shop.show_refund(paid, refund), 200).json;
	assert.equal(shown.state, 'rejected');
	assert.equal(shown.decided_by, undefined,
		'staff have no names outside');
	assert.deepEqual((await sandbox.ledger(paid.out_trade_no)).refunds, []);
	await shop.refund_requested(paid, 1000);
});

test('yes: sent at once, once, journalled (R11)', async () => {
	const paid = await s.paid(1000);
	const refund = await shop.refund_requested(paid, 600);
	await s.without('worker', async () => {
		assert.deepEqual(await staff.approve(refund),
			{ state: 'refunding' });
		assert.equal((await sandbox.refund_calls(refund)).length, 1,
			'before the answer');
	});
	for (const verb of ['approve', 'reject', 'retry']) {
		const answer = expect(await staff2.decide(refund, verb), 409);
		assert.match(answer.json.code, /^[A-Z_]+$/);
	}
	await s.refund_becomes(paid, refund, 'refunded');
	const taken = await steps(refund.out_refund_no);
	// V2's notice of it is not signed, and only makes the worker ask.
	const who = s.api === 'v3' ? 'wxpay_notify' : 'wxpay_worker';
	assert.deepEqual(taken.map(({ to_state, actor }) => [to_state, actor]),
		[['pending', 'shopper'], ['refunding', s.env.OPERATOR],
			['refunded', who]]);
	expect(await staff.decide(refund, 'approve'), 409);
});

test('staff start a refund; another approves (design 3)', async () => {
	const paid = await s.paid(1000);
	const request = { order_no: paid.order_no, refund_fee: 250,
		reason: '补偿', request_id: 'e2e-staff-'.padEnd(16, '0')
			+ paid.order_no };
	const refund = expect(await staff.start_refund(request), 201).json;
	assert.deepEqual(expect(await staff.start_refund(request), 201).json,
		refund, 'twice is once');
	expect(await staff.start_refund({ ...request, refund_fee: 251 }), 409);
	assert.equal(refund.state, 'pending');
	const row = await s.one(`select origin, requested_by, reason
		from wxpay_data.refunds where out_refund_no = $1`,
		refund.out_refund_no);
	assert.deepEqual(row, { origin: 'staff', requested_by: s.env.OPERATOR,
		reason: '补偿' });
	await staff2.approve(refund);
	await s.refund_becomes(paid, refund, 'refunded');
	const all = expect(await staff.start_refund({
		order_no: paid.order_no }), 201).json;
	assert.equal(all.refund_fee, 750, 'all that is left');
});

test('check: asks WeChat now, and settles (design 3)', async () => {
	const unpaid = await shop.signed_order();
	const path = `/merchant/orders/${unpaid.order_no}/check`;
	assert.equal(expect(await staff.post(path), 200).json.state, 'pending');
	await sandbox.fault('paid', 'lost');
	await sandbox.scan(unpaid);
	assert.equal(await shop.state(unpaid), 'pending');
	assert.equal(expect(await staff.post(path), 200).json.state, 'paid');
	assert.equal(await shop.state(unpaid), 'paid');
	await until('its event is there', async () => (await s.events(
		unpaid.order_no)).length === 1);
	const { calls } = await sandbox.ledger(unpaid.out_trade_no);
	assert.deepEqual(calls.map(({ api }) => api),
		['unifiedorder', 'orderquery', 'orderquery']);
});

