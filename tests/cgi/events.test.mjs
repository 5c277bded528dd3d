// The shop's side in SQL (design 2): events that nobody misses, NOTIFY, the
// views, and the functions that the shop calls.
import assert from 'node:assert/strict';
import test from 'node:test';
import { expect, number } from './lib/actors.mjs';
import { stack } from './lib/stack.mjs';
import { pause, until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

const s = await stack('brisk');
const { shop, sandbox, staff } = s;

// A session as one of the roles that are not ours.
async function session(role) {
	const client = await s.connect();
	await client.query(`set session authorization ${role}`);
	return client;
}
const theirs = await session('wxpay_shop');
const reader = await session('wxpay_reader');

const last_id = async () => (await s.one(`select coalesce(max(id), 0) as id
	from wxpay_data.events`)).id;

// A shop that remembers the last id that it handled, until it is stopped.
class Follower {
	constructor(client, from) {
		this.client = client;
		this.last = from;
		this.seen = [];
		this.running = this.run();
	}

	async poll() {
		const { rows } = await this.client.query(
			'select * from wxpay.events_after($1)', [this.last]);
		this.seen.push(...rows);
		this.last = rows.at(-1)?.id ?? this.last;
	}

	async run() {
		while (!this.stopped) {
			await this.poll();
			await pause(5);
		}
	}

	async stop() {
		this.stopped = true;
		await this.running;
		await this.poll();
	}
}

function assert_gapless(rows, from) {
	assert.deepEqual(rows.map(({ id }) => id),
		rows.map((_, i) => from + i + 1));
}

const numbered = () => until('all events have numbers', async () =>
	(await s.one(`select count(*) from wxpay_data.events
		where id is null`)).count === 0);

test('events_after misses none, under load, gapless (design 2)', async () => {
	await numbered();
	const from = await last_id();
	const follower = new Follower(await session('wxpay_shop'), from);
	const orders = await Promise.all(Array.from({ length: 25 },
		() => s.paid(1000)));
	const refunds = await Promise.all(orders.slice(0, 10).map((order) =>
		shop.refund_requested(order, 100)));
	await Promise.all(refunds.map((refund, i) => i % 2
		? staff.approve(refund) : staff.decide(refund, 'reject')));
	for (const [i, refund] of refunds.entries())
		await s.refund_becomes(orders[i], refund,
			i % 2 ? 'refunded' : 'rejected');
	await numbered();
	await follower.stop();
	assert_gapless(follower.seen, from);
	const { count } = await s.one(`select count(*) from wxpay_data.events
		where id > $1`, from);
	assert.equal(follower.seen.length, count);
	for (const [i, order] of orders.entries()) {
		const kinds = follower.seen.filter(({ order_no }) =>
			order_no === order.order_no).map(({ kind }) => kind);
		assert.deepEqual(kinds, ['order.paid', ...i >= 10 ? []
			: ['refund.requested', ...i % 2
				? ['refund.approved', 'refund.refunded']
				: ['refund.rejected']]]);
	}
});

// wxpay.notice_paid as notify calls it, in a transaction that we hold open.
async function settle(client, order) {
	const { rows } = await client.query(`select wxpay.notice_paid($1, $2,
		'e2e', 'proof', 'raw', $3, $4, $5, '', $6, 'CNY', 'oE2E',
		'OTHERS', $7) as verdict`, [s.env.MCHID, s.api, order.out_trade_no,
		wechat.transaction_id(), s.env.APPID, order.total_fee,
		Math.floor(Date.now() / 1000)]);
	assert.equal(rows[0].verdict, 'settled');
}

test('two transactions that commit in reverse order (design 2)', async () => {
	const first = await shop.signed_order();
	const second = await shop.signed_order();
	await numbered();
	const from = await last_id();
	const follower = new Follower(await session('wxpay_shop'), from);
	const one = await s.connect();
	const two = await s.connect();
	await one.query('begin');
	await settle(one, first);
	await two.query('begin');
	await settle(two, second);
	await two.query('commit');
	const has = (order) => follower.seen.some(({ order_no }) =>
		order_no === order.order_no);
	await until('the second is seen', () => has(second));
	assert.ok(!has(first), 'the first is not committed');
	await one.query('commit');
	await until('the first is seen, though its row is older',
		() => has(first));
	await follower.stop();
	assert_gapless(follower.seen, from);
	const order = follower.seen.map(({ order_no }) => order_no);
	assert.ok(order.indexOf(second.order_no)
		< order.indexOf(first.order_no));
});

test('a transaction that is rolled back leaves no gap', async () => {
	const gone = await shop.signed_order();
	const stays = await shop.signed_order();
	await numbered();
	const from = await last_id();
	const one = await s.connect();
	await one.query('begin');
	await settle(one, gone);
	await one.query('rollback');
	await sandbox.scan(stays);
	await until('the other is paid',
		async () => await shop.state(stays) === 'paid');
	await numbered();
	const { rows } = await theirs.query(
		'select * from wxpay.events_after($1)', [from]);
	assert_gapless(rows, from);
	assert.ok(!rows.some(({ order_no }) => order_no === gone.order_no));
});

test('NOTIFY wxpay_event says the last number (design 2)', async () => {
	const listener = await s.connect();
	const heard = [];
	listener.on('notification', ({ channel, payload }) => {
		assert.equal(channel, 'wxpay_event');
		heard.push(Number(payload));
	});
	await listener.query('listen wxpay_event');
	const order = await s.paid();
	const { id } = await until('its event has a number', () => s.one(`select
		id from wxpay_data.events where order_no = $1
		and kind = 'order.paid' and id is not null`, order.order_no),
		1000 + 1000);
	await until('it was told', () => heard.some((last) => last >= id),
		1000);
});

test('only the numbering notifies: commits that settle queue for no lock',
	async () => {
	const rows = await s.sql(`select distinct proname from pg_proc
		where pronamespace in ('wxpay'::regnamespace,
			'wxpay_data'::regnamespace)
		and regexp_replace(prosrc, '--[^\n]*', '', 'g')
			~* '(pg_notify|\mnotify\s)'`);
	assert.deepEqual(rows, [{ proname: 'events_number' }]);
});

const VIEWS = {
	orders: ['order_no', 'state', 'total_fen', 'refunded_fen', 'paid_at'],
	payments: ['out_trade_no', 'order_no', 'state', 'trade_type', 'settles',
		'transaction_id'],
	refunds: ['out_refund_no', 'order_no', 'out_trade_no', 'state',
		'refund_fen', 'failure'],
	events: ['id', 'kind', 'order_no'],
	products: ['product_id', 'body', 'price_fen'],
	unexpected: ['kind', 'out_trade_no', 'transaction_id', 'total_fen',
		'state'],
};

test('what the shop and readers see, and what not (design 1, 2; L7)',
	async () => {
	const order = await s.paid(1000);
	const refund = await shop.refund_requested(order, 400);
	for (const client of [theirs, reader]) {
		for (const [view, columns] of Object.entries(VIEWS)) {
			const { fields } = await client.query(
				`select * from wxpay.${view} limit 1`);
			const names = fields.map(({ name }) => name);
			for (const column of columns)
				assert.ok(names.includes(column),
					`${view}.${column}`);
			for (const hidden of ['token', 'openid', 'payer',
				'raw'])
				assert.ok(!names.includes(hidden),
					`${view}.${hidden}`);
			for (const statement of [
				`delete from wxpay.${view}`,
				`update wxpay.${view}
				set ${columns[1]} = null`])
				await assert.rejects(client.query(statement),
					{ code: '42501' }, statement);
		}
		const { rows } = await client.query(`select state, refund_fen
			from wxpay.refunds where out_refund_no = $1`,
			[refund.out_refund_no]);
		assert.deepEqual(rows, [{ state: 'pending', refund_fen: 400 }]);
		for (const table of await s.tables())
			await assert.rejects(client.query(
				`select from wxpay_data.${table}`),
					{ code: '42501' });
		for (const call of ['wxpay.ping()',
			"wxpay.order_expire('1900000109', 1)",
			"wxpay.events_number('1900000109')",
			`wxpay.refund_decide('1900000109', 'R', 'approve', 'x',
				'', 0)`,
			"wxpay.order_show('1900000109', 'T-0001', 'x')"])
			await assert.rejects(client.query(`select ${call}`),
				{ code: '42501' }, call);
	}
	await assert.rejects(reader.query(`select wxpay.product_set('tea', 'x',
		1)`), { code: '42501' });
	await assert.rejects(reader.query(`select wxpay.shop_order_create(
		'T-READER', 1, 'x')`), { code: '42501' });
	await reader.query('select * from wxpay.events_after(0)');
});

test('shop_order_create: once, whatever is repeated (design 2)', async () => {
	const order_no = number('S');
	const create = (...values) => theirs.query(`select *
		from wxpay.shop_order_create($1, $2, $3, $4, $5)`, values)
		.then(({ rows }) => rows[0]);
	const expire = new Date(Date.now() + 1800e3);
	const made = await create(order_no, 990, '茶 & "cup"', expire, 'a=b');
	assert.match(made.token, /^[0-9A-Za-z_-]{22}$/);
	assert.deepEqual(await create(order_no, 990, '茶 & "cup"', expire,
		'a=b'), made);
	// A page may have given it an attach that the shop does not know of.
	assert.deepEqual(await create(order_no, 990, '茶 & "cup"', expire, ''),
		made);
	for (const other of [[991, '茶 & "cup"', expire, 'a=b'],
		[990, 'x', expire, 'a=b'], [990, '茶 & "cup"', expire, 'c=d'],
		[990, '茶 & "cup"', new Date(Date.now() + 600e3), 'a=b']])
		await assert.rejects(create(order_no, ...other),
			{ code: '23505' });
	for (const [bad, fen, body] of [["x'; --", 1, 'x'], ['short', 1, 'x'],
		['T-GOOD', 0, 'x'], ['T-GOOD', -1, 'x'], ['T-GOOD', 1, ''],
		['T-GOOD', 1, 'x'.repeat(128)]])
		await assert.rejects(create(bad, fen, body, null, ''),
			{ code: '23514' });

	const order = expect(await shop.pay({ ...made, trade_type: 'NATIVE' }),
		201).json;
	assert.equal(order.total_fee, 990);
	const { payments } = await sandbox.ledger(order_no);
	assert.equal(payments[0].params.body, '茶 & "cup"');
	assert.equal(payments[0].params.attach, 'a=b');
	await sandbox.scan(order);
	await until('the shop sees it', async () => (await theirs.query(`select
		state from wxpay.orders where order_no = $1`, [order_no]))
		.rows[0].state === 'paid');
});

test('product_set: the new price holds from now on (P22)', async () => {
	const product_id = number('p').slice(0, 12);
	const set = (fen) =>
		theirs.query('select wxpay.product_set($1, $2, $3)',
		[product_id, 'Changing', fen]);
	const buy = (total_fee) => shop.pay({ product_id, quantity: 3,
		total_fee, trade_type: 'NATIVE' });
	await set(100);
	const before = expect(await buy(300), 201).json;
	await set(120);
	assert.equal(expect(await buy(300), 409).json.total_fee, 360);
	expect(await buy(360), 201);
	assert.equal(expect(await shop.show(before), 200).json.total_fee, 300,
		'what was ordered keeps its price');
	for (const fen of [0, -1])
		await assert.rejects(set(fen), { code: '23514' });
});
