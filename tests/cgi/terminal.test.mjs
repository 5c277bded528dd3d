// What people do with wxpayctl at a terminal: find an order by either number,
// and sell a product to who scans the QR code (threats.md O8, P19).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import test, { after } from 'node:test';
import jsqr from 'jsqr';
import { number } from './lib/actors.mjs';
import { Merchant } from './lib/merchant.mjs';
import { stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';

// Nobody but us asks WeChat about anything.
const s = await stack('calm');
const { shop, sandbox } = s;
const UNKNOWN = '4200009999202601019999999999';

const query = (text, options) =>
	s.program('wxpayctl', ['query', text], options);

// What a command that has failed says of it; and of its order, nothing.
function assert_failed(done, kind, why) {
	assert.equal(done.stdout, '');
	assert_ended(done, kind, why);
}

function assert_ended(done, kind, why) {
	assert.equal(done.code, 1, done.stderr);
	const said = JSON.parse(done.stderr.trim().split('\n').at(-1));
	assert.equal(said.event, 'program.failed');
	assert.equal(said.kind, kind);
	assert.match(said.why, why);
}

// The queries of the journal that name no payment of ours.
const asked = () => s.sql(`select outcome, code from wxpay_data.calls
	where op = 'query' and out_trade_no is null order by call_no`);

test('query: by the order\'s number, and by WeChat\'s', async () => {
	const before = (await asked()).length;
	for (const by of ['order_no', 'transaction_id']) {
		const order = await shop.signed_order();
		const open = await query(order.order_no);
		assert.equal(open.code, 0, open.stderr);
		assert.equal(JSON.parse(open.stdout).orders[0].state,
			'pending');
		// nobody tells us that it is paid
		await sandbox.fault('paid', 'lost',
			{ times: 0, number: order.out_trade_no });
		const { transaction_id } = await sandbox.scan(order);
		const numbers = { ...order, transaction_id };
		assert.equal(await shop.state(order), 'pending');
		const done = await query(numbers[by]);
		assert.equal(done.code, 0, done.stderr);
		const { orders } = JSON.parse(done.stdout);
		assert.equal(orders.length, 1);
		assert.equal(orders[0].order_no, order.order_no);
		assert.equal(orders[0].state, 'paid');
		assert.equal(orders[0].payments[0].transaction_id,
			transaction_id);
	}
	await sandbox.no_faults();
	assert.deepEqual((await asked()).slice(before),
		[{ outcome: 'done', code: null }]);
});

test('query: a number of nobody, of another shop, or no number', async () => {
	const calls = await sandbox.call_count();
	assert_failed(await query(number()), 'ERR_MISSING', /^no order "/);
	assert_failed(await query('T/1'), 'ERR_INPUT', /^order_no: /);
	assert_failed(await query(UNKNOWN.slice(1)), 'ERR_MISSING',
		/^no order "/);
	assert.equal(await sandbox.call_count(), calls, 'WeChat was asked');
	assert_failed(await query(UNKNOWN), 'ERR_MISSING',
		new RegExp(`^WeChat knows no payment "${UNKNOWN}" `));
	assert.equal(await sandbox.call_count(), calls + 1);

	// made with the merchant's keys, and not by us
	const other = await new Merchant(s.env, s.sign_type)
		.paid_order(sandbox);
	assert_failed(await query(other.transaction_id), 'ERR_MISSING',
		/which is no payment of ours$/);
	for (const args of [['query'], ['query', '1', '2']])
		assert.equal((await s.program('wxpayctl', args)).code, 2);
});

test('query: what is not proved says nothing (O8)', async () => {
	const order = await s.paid();
	const { transaction_id } = await s.payment(order.out_trade_no);
	const tables = ['orders', 'payments', 'unexpected', 'events'];
	const before = await s.snapshot(tables);
	for (const fault of ['bad_sign', 'unsigned', 'cut']) {
		await sandbox.fault('orderquery', fault);
		assert_failed(await query(transaction_id), 'ERR_UNSURE',
			new RegExp(`^query "${transaction_id}": unsure `));
	}
	assert.deepEqual(await s.snapshot(tables), before);
	const journal = (await asked()).slice(-3);
	assert.deepEqual(journal.map(({ outcome }) => outcome),
		Array(3).fill('unsure'));
	assert.equal((await query(transaction_id)).code, 0);
});

// ---- pay

const waiting = new Set();
after(() => waiting.forEach((sale) => sale.child.kill('SIGKILL')));

// wxpayctl pay, from its start to its end.
class Sale {
	constructor(args) {
		this.stdout = '';
		this.stderr = '';
		this.child = spawn(path.join(s.env.BIN, 'wxpayctl'),
			['pay', ...args], { env: { WXPAY_CONF: s.env.CONF } });
		waiting.add(this);
		for (const name of ['stdout', 'stderr'])
			this.child[name].setEncoding('utf8').on('data',
				(more) => {
					this[name] += more;
				});
		this.ended = once(this.child, 'close').then(([code]) => {
			waiting.delete(this);
			return { code, stdout: this.stdout,
				stderr: this.stderr };
		});
	}

	// What is shown by then: amount and body, order, code.
	async shown() {
		await until(() => `the code is shown: ${this.stderr}`,
			() => /^waiting /m.test(this.stdout));
		const [what, order] = this.stdout.split('\n');
		[, this.order_no] = /^order (\S+), until \S+$/.exec(order);
		this.payment = await s.payment(this.order_no);
		return { what, code: decode(this.stdout) };
	}

	// Nobody needs to wait for two hours.
	expire() {
		return s.sql(`update wxpay_data.orders set time_expire = now()
			where order_no = $1`, this.order_no);
	}
}

async function sale(...args) {
	const made = new Sale(args);
	return Object.assign(made, await made.shown());
}

const LIGHT = { '█': [true, true], '▀': [true, false], '▄': [false, true],
	' ': [false, false] };
const MODULE_PX = 4;
const QUIET = 4;

// The rows of modules that the half blocks of a text are, true for light.
function modules(text) {
	const lines = text.split('\n').filter((line) => /^[█▀▄ ]+$/.test(line));
	return lines.flatMap((line) => [0, 1].map((half) =>
		[...line].map((block) => LIGHT[block][half])));
}

// What a phone reads that sees light blocks on a dark terminal.
function decode(text) {
	const rows = modules(text);
	const side = rows[0].length;
	const is_light = (x, y) => rows[y]?.[x] ?? false;
	for (let i = 0; i < side; i++)
		for (let j = 0; j < QUIET; j++)
			assert.ok(is_light(i, j) && is_light(j, i)
				&& is_light(side - 1 - j, i)
				&& is_light(i, side - 1 - j), 'a quiet zone');
	const width = side * MODULE_PX;
	const pixels = new Uint8ClampedArray(width * width * 4);
	for (let y = 0; y < width; y++)
		for (let x = 0; x < width; x++)
			pixels.fill(is_light(Math.floor(x / MODULE_PX),
				Math.floor(y / MODULE_PX)) ? 255 : 0,
			(y * width + x) * 4, (y * width + x + 1) * 4);
	return jsqr(pixels, width, width,
		{ inversionAttempts: 'dontInvert' })?.data;
}

test('pay: the code of the terminal is scanned and paid', async () => {
	const one = await sale('--quantity', '2', '--product', 'tea');
	assert.equal(one.what, '176.00 CNY  龙井茶 Longjing tea');
	assert.equal(one.code, one.payment.code_url);
	assert.ok(one.stdout.split('\n').every((line) => [...line].length
		<= 80), 'fits a terminal');
	assert.deepEqual([one.payment.total_fen, one.payment.trade_type,
		one.payment.api, one.payment.state],
	[17600, 'NATIVE', s.api, 'prepaid']);
	await sandbox.scan({ code_url: one.code });
	const done = await one.ended;
	assert.equal(done.code, 0, done.stderr);
	assert.match(done.stdout, new RegExp(`\npaid: order ${one.order_no}\n$`));
	assert.deepEqual(await s.events(one.order_no), ['order.paid']);
	const calls = await sandbox.calls(one.order_no, 'unifiedorder');
	assert.equal(calls.length, 1);
});

test('pay: each sale is an order; without a quantity one piece', async () => {
	const sales = await Promise.all(['sticker', 'sticker', 'cup'].map(
		(product) => sale('--product', product)));
	assert.equal(new Set(sales.map(({ order_no }) => order_no)).size, 3);
	assert.equal(new Set(sales.map(({ code }) => code)).size, 3);
	assert.deepEqual(sales.map(({ what }) => what), ['0.01 CNY  Sticker',
		'0.01 CNY  Sticker', '49.00 CNY  Cup & saucer']);
	// one is paid, and the others wait on
	await sandbox.scan({ code_url: sales[1].code });
	assert.equal((await sales[1].ended).code, 0);
	assert.ok(waiting.has(sales[0]) && waiting.has(sales[2]));
	for (const signal of ['SIGINT', 'SIGTERM']) {
		const left = sales[signal === 'SIGINT' ? 0 : 2];
		left.child.kill(signal);
		assert_ended(await left.ended, 'ERR_CONFLICT', new RegExp(
			`^order ${left.order_no}: not paid yet`));
		assert.equal((await s.payment(left.order_no)).state,
			'prepaid');
	}
});

test('pay: an expired code; money of the last moment counts (P19)',
	async () => {
	const [late, none] = [await sale('--product', 'tea'),
		await sale('--product', 'tea')];
	await sandbox.fault('paid', 'lost',
		{ times: 0, number: late.order_no });
	await sandbox.scan({ code_url: late.code });
	await late.expire();
	await none.expire();
	assert.equal((await late.ended).code, 0);
	assert.equal((await s.payment(late.order_no)).state, 'paid');
	assert_ended(await none.ended, 'ERR_CONFLICT', new RegExp(
		`^order ${none.order_no}: its code has expired, and it is not`));
	await sandbox.no_faults();
});

test('pay: no product, no number, no answer: no code', async () => {
	const pay = (...args) => new Sale(args).ended;
	const orders = 'select count(*) from wxpay_data.orders';
	const before = (await s.one(orders)).count;
	assert_failed(await pay('--product', 'nothing'), 'ERR_MISSING',
		/^no product "nothing"$/);
	assert_failed(await pay('--product', 'a/b'), 'ERR_INPUT',
		/^product_id: /);
	for (const quantity of ['0', '-1', '1.5', '01', '10000', '', 'two'])
		assert_failed(await pay('--product', 'tea', '--quantity',
			quantity), 'ERR_INPUT', /^quantity: not 1 to 9999$/);
	for (const args of [[], ['--product'], ['tea'], ['--quantity', '1'],
		['--product', 'tea', '--product', 'cup'],
		['--product', 'tea', 'cup'], ['--product', 'tea', '--price',
			'1']]) {
		const done = await pay(...args);
		assert.equal(done.code, 2, args.join(' '));
		assert.match(done.stderr, /^usage: /);
	}
	assert.equal((await s.one(orders)).count, before);

	await sandbox.post('/sandbox/faults',
		{ api: 'unifiedorder', code: 'PARAM_ERROR' });
	assert_failed(await pay('--product', 'tea'), 'ERR_REFUSED',
		/^order \S+: WeChat says PARAM_ERROR$/);
	await sandbox.fault('unifiedorder', 'cut');
	assert_failed(await pay('--product', 'tea'), 'ERR_UNSURE',
		/^order \S+: no answer of WeChat's$/);
});
