// Answers that claim to be WeChat's, in V3 (threats.md O1-O5, O8, O9, O11,
// I5-I13): whatever comes, the outcome is unknown, a query decides under the
// same number, and nothing is done twice.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { gzipSync } from 'node:zlib';
import { number } from './lib/actors.mjs';
import { self_signed } from './lib/certificates.mjs';
import { other_and_stack } from './lib/other_wechat3.mjs';
import { only } from './lib/stack.mjs';
import { pause, until } from './lib/until.mjs';
import * as wechat3 from './lib/wechat3.mjs';

only('v3');
const CALM_MS = 1500;		// long enough for a query a second
const LATE_MS = 3000;		// more than a call may take
const AT_ONCE = { concurrency: 32 };
const ENDLESS = 1 << 22;	// bytes after which somebody should have left

const { other, s } = await other_and_stack('false_wechat', 'certificate');
const { shop, staff } = s;
const counts = { spoiled: 0 };
after(() => console.log(`# outbound: ${counts.spoiled} answers spoiled`));

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'wxpay-e2e-'));
after(() => fs.rmSync(home, { recursive: true }));
await self_signed(home, 'stranger', '/CN=localhost', '-addext',
	'subjectAltName=DNS:localhost');
const stranger = fs.readFileSync(path.join(home, 'stranger.key'));
const json = { 'content-type': 'application/json' };
const header = (good, name, change) => ({ ...good, headers: {
	...good.headers, [name]: change(good.headers[name]) } });
const object = ({ text }) => text === '' ? {} : JSON.parse(text);
const resigned = (good, text, signer, at) => ({ ...good, text, headers: {
	...json, ...wechat3.prove(text, signer ?? other.signer, at) } });

// [row, what, how the good answer is spoiled]
const SPOILED = [
	['O2', 'redirected, to its own host', (good) => ({ ...good,
		status: 302, headers: { ...good.headers,
			location: '/v3/elsewhere' } })],
	['O2', 'redirected for good, to another', (good) => ({ ...good,
		status: 308, headers: { ...good.headers, location:
			`${s.env.WXPAY_URL}/v3/elsewhere` } })],
	['O3', 'unsigned', (good) => ({ ...good, headers: json })],
	['O3', 'one bit of the signature', (good) => header(good,
		'wechatpay-signature', (text) =>
			(text[0] === 'A' ? 'B' : 'A') + text.slice(1))],
	['O3', "signed by a stranger under WeChat's serial", (good) =>
		resigned(good, good.text, { serial: other.signer.serial,
			key: stranger })],
	['O3', 'signed by a stranger under his own', (good) => resigned(good,
		good.text, { serial: '5'.repeat(40), key: stranger })],
	['O3', 'the signature of another answer', (good) => ({ ...good,
		headers: { ...json, ...wechat3.prove('{"code_url":"x"}',
			other.signer) } })],
	['O3', 'a probe', (good) => header(good, 'wechatpay-signature',
		(text) => `WECHATPAY/SIGNTEST/${text.slice(19)}`)],
	['O3', 'signed 301 s ago', (good) => resigned(good, good.text,
		other.signer, Math.floor(Date.now() / 1000) - 301)],
	['O3', 'signatures twice', (good) => header(good,
		'wechatpay-signature', (text) => [text, text])],
	['O3', 'a space more than was signed', (good) => ({ ...good,
		status: 200, text: `${good.text} ` })],
	['O4', 'endless', async (good, response) => {
		response.writeHead(200, good.headers);
		let sent = 0;
		while (!response.destroyed && sent < ENDLESS) {
			response.write(' '.repeat(65536));
			sent += 65536;
			await pause(10);
		}
		response.destroy();
		other.must(sent < ENDLESS, 'somebody read on for ever');
	}],
	['O4', 'a byte in half a second', async (good, response) => {
		response.writeHead(200, good.headers);
		while (!response.destroyed) {
			response.write(' ');
			await pause(500);
		}
	}],
	['O4', 'compressed', (good) => ({ ...good, status: 200,
		text: gzipSync(good.text || '{}'), headers: { ...good.headers,
			'content-encoding': 'gzip' } })],
	['O4', 'cut', (good, response) => {
		response.writeHead(200, { ...good.headers,
			'content-length': good.text.length + 10 });
		response.write(good.text, () => response.destroy());
	}],
	['O4', 'not at all', (good, response) => {
		response.destroy();
	}],
	['O4', 'late', async (good) => {
		await pause(LATE_MS);
		return good;
	}],
	['I12', '500, though done', (good) => ({ ...good, status: 500 })],
	['I12', '502 of somebody between', () => ({ status: 502, headers: {
		'content-type': 'text/html' }, text: '<html>' })],
	['I12', 'SYSTEM_ERROR, signed', () => other.signed(500,
		{ code: 'SYSTEM_ERROR', message: '系统错误' })],
	['I12', 'a code that nobody knows', () => other.signed(500,
		{ code: 'SOMETHING_NEW', message: 'x' })],
	['I12', 'HTML, signed', () => other.signed_text(200, '<html>')],
	['I12', 'a JSON text, signed', () => other.signed_text(200, '"ok"')],
	['I12', 'a name twice, signed', (good) => resigned({ ...good,
		status: 200 }, `{"a":1,"a":1,${JSON.stringify({ b: 1,
			...object(good) }).slice(1)}`)],
];

const requests = (number, ...calls) => other.requests.filter((request) =>
	request.number === number && (calls.length === 0
		|| calls.includes(request.call)));
const spoil = (call, number, fn, times = 1) => {
	counts.spoiled++;
	return other.next(call, fn, times, number);
};

// Every request was journalled before it left, and went out once (I9, O5).
async function assert_journalled(column, number) {
	const rows = await s.sql(`select nonce, outcome, began_at
		from wxpay_data.calls where ${column} = $1
		order by call_no`, number);
	const seen = requests(number);
	for (const { headers, at, call } of seen) {
		const nonce = /nonce_str="(\w+)"/.exec(headers.authorization)[1];
		const row = rows.find((it) => it.nonce === nonce);
		assert.ok(row, `${call} stands in our journal`);
		assert.ok(row.began_at.getTime() <= at, 'before it left');
	}
	assert.ok(rows.length >= seen.length);
	return rows;
}

function assert_same(list) {
	for (const { text } of list)
		assert.equal(text, list[0].text, 'I7: the same body');
}

const together = (t, fn) => Promise.all(SPOILED.map((one) =>
	t.test(`${one[0]}: ${one[1]}`, () => fn(one))));

async function paid_order(fields) {
	const order = await shop.signed_order(fields);
	const answer = await other.tell(other.pay(order.out_trade_no));
	assert.equal(answer.status, 204, answer.toString());
	return order;
}

test('an order that was made, perhaps: asked again under its number',
	AT_ONCE, async (t) => {
	await together(t, async ([, , fn]) => {
		const what = shop.signed();
		const pay = () => shop.pay({ ...what, trade_type: 'NATIVE' });
		spoil('native', what.order_no, fn);
		const first = await pay();
		assert.equal(first.status, 202, first.toString());
		assert.equal(first.json.state, 'pending');
		assert.equal(first.json.code_url, undefined);
		const order = (await until('the same POST goes on', async () => {
			const answer = await pay();
			return answer.status === 201 && answer;
		})).json;
		assert.equal(order.out_trade_no, what.order_no);
		assert_same(requests(what.order_no, 'native'));
		const rows = await assert_journalled('out_trade_no',
			what.order_no);
		// On a busy machine a call may not even leave.
		const left = rows.find((row) => row.outcome !== 'not_sent');
		assert.equal(left.outcome, 'unsure');
		const told = await other.tell(other.pay(order.out_trade_no));
		assert.equal(told.status, 204);
	});
});

test('an unproved SUCCESS of a query pays nothing',
	AT_ONCE, async (t) => {
	await together(t, async ([, , fn]) => {
		const order = await shop.signed_order();
		// What it would say if it were paid.
		const lie = (good, ...rest) => fn(other.signed(200,
			other.transaction({ ...other.payments.get(
				order.out_trade_no), trade_state: 'SUCCESS',
				transaction_id: '4200000000000000' })), ...rest);
		const plan = spoil('query', order.out_trade_no, lie, Infinity);
		await until('it was asked', () => requests(order.out_trade_no,
			'query').length >= 1, 10000);
		await pause(CALM_MS);
		assert.equal(await shop.state(order), 'pending');
		plan.left = 0;
		other.pay(order.out_trade_no);
		await until('a true answer pays it',
			async () => await shop.state(order) === 'paid', 30000);
		const rows = await assert_journalled('out_trade_no',
			order.out_trade_no);
		assert.ok(rows.some(({ outcome }) => outcome === 'unsure'));
	});
});

test('an unproved 204 closes nothing',
	AT_ONCE, async (t) => {
	await together(t, async ([, , fn]) => {
		const order = await shop.signed_order();
		const plan = spoil('close', order.out_trade_no, (good, ...rest) => {
			// As if it had not been done.
			other.payments.get(order.out_trade_no).trade_state
				= 'NOTPAY';
			return fn(good, ...rest);
		}, Infinity);
		await shop.close(order);
		await until('it was tried', () => requests(order.out_trade_no,
			'close').length > 0);
		await pause(CALM_MS);
		assert.equal(await shop.state(order), 'pending');
		plan.left = 0;
		await until('a true answer closes it',
			async () => await shop.state(order) === 'closed', 30000);
		await assert_journalled('out_trade_no', order.out_trade_no);
	});
});

async function refund_of(order, refund_fee) {
	const refund = await shop.refund_requested(order, refund_fee);
	return refund.out_refund_no ? refund : assert.fail('no refund');
}

test('a refund that was sent, perhaps: one number, one refund (R6, R7)',
	AT_ONCE, async (t) => {
	await together(t, async ([, , fn]) => {
		const order = await paid_order();
		const refund = await refund_of(order, 300);
		spoil('refund', refund.out_refund_no, fn);
		assert.equal((await staff.approve(refund)).state, 'refunding');
		const theirs = await until('WeChat has it', () =>
			other.refunds.get(refund.out_refund_no));
		theirs.status = 'SUCCESS';
		await s.refund_becomes(order, refund, 'refunded', 30000);
		const seen = requests(refund.out_refund_no);
		assert.deepEqual(seen.slice(0, 2).map(({ call }) => call),
			['refund', 'refund_query'], 'I13');
		assert_same(seen.filter(({ call }) => call === 'refund'));
		const rows = await assert_journalled('out_refund_no',
			refund.out_refund_no);
		assert.equal(rows[0].outcome, 'unsure');
		assert.equal((await s.payment(order.out_trade_no)).refunded_fen,
			300);
	});
});

test('an unproved SUCCESS of a refund query returns nothing',
	AT_ONCE, async (t) => {
	await together(t, async ([, , fn]) => {
		const order = await paid_order();
		const refund = await refund_of(order, 300);
		const plan = spoil('refund_query', refund.out_refund_no,
			(good, ...rest) => fn(other.signed(200,
				other.refund_object({ ...other.refunds.get(
					refund.out_refund_no),
					status: 'SUCCESS' })), ...rest), Infinity);
		await staff.approve(refund);
		await until('it was asked', () => requests(
			refund.out_refund_no, 'refund_query').length > 0);
		await pause(CALM_MS);
		assert.equal(await shop.refund_state(order, refund),
			'refunding');
		plan.left = 0;
		other.refunds.get(refund.out_refund_no).status = 'SUCCESS';
		// Asked about ever more rarely: now.
		await s.sql(`update wxpay_data.refunds set due_at = now()
			where out_refund_no = $1 and leased_until is null`,
			refund.out_refund_no);
		await s.refund_becomes(order, refund, 'refunded', 90000);
		await assert_journalled('out_refund_no', refund.out_refund_no);
	});
});

// ---- O8: well signed, and about something else

const echoed = (changes) => (good) => other.signed(good.status, {
	...object(good), ...changes });

test('numbers and amounts echoed otherwise are not believed (O8)',
	AT_ONCE, async (t) => {
	const QUERIES = [
		['another number', { out_trade_no: number() }],
		['another merchant', { mchid: '1900000110' }],
		['another appid', { appid: 'wx0000000000000000' }],
		['another amount', { amount: { total: 1, payer_total: 1,
			currency: 'CNY' } }, 'differs'],
		['another currency', { amount: { total: 1000,
			currency: 'USD' } }, 'differs'],
		['a state that nobody knows', { trade_state: 'PAID' }],
	];
	const REFUNDS = [
		['another refund', { out_refund_no: number() }],
		['another payment', { out_trade_no: number() }],
		['another transaction', { transaction_id: '42' }],
		['another total', { amount: { total: 999, refund: 300,
			currency: 'CNY' } }],
		['another amount', { amount: { total: 1000, refund: 299,
			currency: 'CNY' } }],
		['a state that nobody knows', { status: 'DONE' }],
	];
	await Promise.all([...QUERIES.map(([what, changes, kind]) =>
		t.test(`query: ${what}`, async () => {
		const order = await shop.signed_order({ total_fee: 1000 });
		const plan = spoil('query', order.out_trade_no, (good) =>
			echoed(changes)(other.signed(200, other.transaction({
				...other.payments.get(order.out_trade_no),
				trade_state: 'SUCCESS',
				transaction_id: `42${order.out_trade_no.slice(
					-20)}` }))), Infinity);
		await until('it was asked', () => requests(order.out_trade_no,
			'query').length > 0);
		await pause(CALM_MS);
		assert.equal(await shop.state(order), 'pending');
		plan.left = 0;
		assert.deepEqual((await s.unexpected(order.out_trade_no)).map(
			(row) => row.kind), kind ? [kind] : []);
		const payment = other.pay(order.out_trade_no);
		// What somebody must look at is seldom asked about: told.
		if (kind)
			await other.tell(payment);
		await until('the truth pays it',
			async () => await shop.state(order) === 'paid', 30000);
	})), ...REFUNDS.map(([what, changes]) =>
		t.test(`refund query: ${what}`, async () => {
		const order = await paid_order({ total_fee: 1000 });
		const refund = await refund_of(order, 300);
		const plan = spoil('refund_query', refund.out_refund_no, (good) =>
			echoed(changes)(other.signed(200, other.refund_object({
				...other.refunds.get(refund.out_refund_no),
				status: 'SUCCESS' }))), Infinity);
		await staff.approve(refund);
		await until('it was asked', () => requests(
			refund.out_refund_no, 'refund_query').length > 0);
		await pause(CALM_MS);
		assert.equal(await shop.refund_state(order, refund),
			'refunding');
		assert.equal((await s.payment(order.out_trade_no))
			.refunded_fen, 0);
		plan.left = 0;
		other.refunds.get(refund.out_refund_no).status = 'SUCCESS';
		await s.sql(`update wxpay_data.refunds set due_at = now()
			where out_refund_no = $1 and leased_until is null`,
			refund.out_refund_no);
		await s.refund_becomes(order, refund, 'refunded', 90000);
	})), ...REFUNDS.slice(0, -1).map(([what, changes]) =>
		t.test(`refund: ${what}`, async () => {
		const order = await paid_order({ total_fee: 1000 });
		const refund = await refund_of(order, 300);
		spoil('refund', refund.out_refund_no, echoed(changes));
		await staff.approve(refund);
		const theirs = await until('WeChat has it', () =>
			other.refunds.get(refund.out_refund_no));
		theirs.status = 'SUCCESS';
		await s.refund_becomes(order, refund, 'refunded', 30000);
		const [{ outcome }] = await assert_journalled('out_refund_no',
			refund.out_refund_no);
		assert.equal(outcome, 'unsure');
	}))]);
});

test('what was paid stays paid, whatever a query says then (O9)',
	AT_ONCE, async (t) => {
	await Promise.all(['NOTPAY', 'CLOSED', 'REVOKED', 'PAYERROR',
		'USERPAYING', 'ACCEPT', 'SOMETHING_NEW'].map((trade_state) =>
		t.test(trade_state, async () => {
		const order = await shop.signed_order();
		// Told while the query is on its way, which is older.
		spoil('query', order.out_trade_no, async (good) => {
			const told = await other.tell(other.pay(
				order.out_trade_no));
			assert.equal(told.status, 204, told.toString());
			return echoed({ trade_state })(good);
		});
		await until('the query has ended', () => s.one(`select
			from wxpay_data.calls where op = 'query'
			and out_trade_no = $1 and outcome is not null`,
			order.out_trade_no), 30000);
		assert.equal(await shop.state(order), 'paid');
		assert.deepEqual(await s.events(order.order_no),
			['order.paid']);
	})));
});

test('a payment of which something was returned is paid (O9)', async () => {
	const order = await shop.signed_order();
	const usual = other.pay(order.out_trade_no);
	spoil('query', order.out_trade_no, (good) => echoed({ trade_state:
		'REFUND' })(other.signed(200, other.transaction(usual))),
		Infinity);
	await until('it is paid', async () =>
		await shop.state(order) === 'paid');
});

// ---- hosts

// Something else where a host was, for as long as fn takes.
async function instead_of(port, make, fn) {
	await other.leave(port);
	const instead = make ? make() : null;
	if (instead)
		await new Promise((resolve) =>
			instead.listen(port, 'localhost', resolve));
	try {
		return await fn();
	} finally {
		if (instead) {
			const closed = new Promise((resolve) =>
				instead.close(resolve));
			instead.closeAllConnections();
			await closed;
		}
		await other.listen(port);
	}
}

test('an answer is lost on one host: the same to the other (O11)',
	async () => {
	const order = await paid_order();
	const refund = await refund_of(order, 100);
	// Neither does it, nor does it say so.
	spoil('refund', refund.out_refund_no, (good, response) => {
		other.refunds.delete(refund.out_refund_no);
		response.destroy();
	});
	const plan = spoil('refund_query', refund.out_refund_no,
		(good, response) => {
		response.destroy();
	}, Infinity);
	await staff.approve(refund);
	const [first] = requests(refund.out_refund_no);
	await instead_of(first.port, null, async () => {
		plan.left = 0;
		const theirs = await until('the other has it', () =>
			other.refunds.get(refund.out_refund_no), 60000);
		theirs.status = 'SUCCESS';
		await s.refund_becomes(order, refund, 'refunded', 60000);
	});
	const sent = requests(refund.out_refund_no, 'refund');
	assert.equal(new Set(sent.map(({ port }) => port)).size, 2);
	assert_same(sent);
});

for (const [what, make] of [['is down (O11)', null],
	["has a stranger's certificate (O1)", () => https.createServer({
		cert: fs.readFileSync(path.join(home, 'stranger.pem')),
		key: stranger }, () => {
		other.must(false, 'a stranger was asked');
	})]])
	test(`the first host ${what}: the second gets the same`, async () => {
		const main = Number(new URL(s.variables.WECHAT_URL).port);
		await instead_of(main, make, async () => {
			const order = await shop.signed_order();
			assert.deepEqual(requests(order.out_trade_no, 'native')
				.map(({ port }) => port), [main - 1]);
			const answer = await other.tell(other.pay(
				order.out_trade_no));
			assert.equal(answer.status, 204);
			const refund = await refund_of(order, 100);
			await staff.approve(refund);
			const theirs = await until('WeChat has it', () =>
				other.refunds.get(refund.out_refund_no));
			theirs.status = 'SUCCESS';
			await s.refund_becomes(order, refund, 'refunded');
			assert.equal(requests(refund.out_refund_no, 'refund')
				.length, 1);
			await assert_journalled('out_refund_no',
				refund.out_refund_no);
		});
	});

test('and there was nothing to object to in what we sent', () => {
	assert.deepEqual(other.problems, []);
});
