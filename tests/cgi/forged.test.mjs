// What arrives at /notify in V3 (threats.md N5-N9, N21-N25, RN1, RN4, RN5):
// signed and encrypted by another author's hand, genuinely or not.  What is
// not proved costs nothing: no row, no call, no memory.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { expect, number } from './lib/actors.mjs';
import { self_signed } from './lib/certificates.mjs';
import { only, stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';
import * as wechat3 from './lib/wechat3.mjs';

only('v3');
const FORGED = 1000;
const WARM_UP = 1000;
const AT_ONCE = 8;
const RSS_KIB = 1024;		// as much may it grow
const DEADLINE_MS = 4500;	// of ours, within WeChat's 5 s
const LEASE_MS = 30000;		// more than a call that got lost is waited for
const REFUSED = '{"code":"FAIL","message":"REFUSED"}';
const NOW = () => Math.floor(Date.now() / 1000);
const list = (count, fn) => Array.from({ length: count }, (_, i) => fn(i));

const s = await stack('forged', { KEY_MODE: 'both' });
const { shop, sandbox, staff, voice } = s;
const counted = { forged: 0, genuine: 0 };
after(() => console.log(`# forged: ${counted.forged} forged, `
	+ `${counted.genuine} genuine and unusable`));

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'wxpay-e2e-'));
after(() => fs.rmSync(home, { recursive: true }));
await self_signed(home, 'stranger', '/C=CN/O=Tenpay.com/CN=Tenpay.com sign');
const stranger = { key: fs.readFileSync(path.join(home, 'stranger.key')),
	serial: wechat3.serial_of(path.join(home, 'stranger.pem')) };
const own = wechat3.public_signer(s.env);
const platform = wechat3.platform_signer(s.env);

// ---- genuine messages

const unpaid = async (fields) => ({ ...await shop.signed_order(fields),
	transaction_id: wechat.transaction_id() });
const proved = (body, signer = own, at, nonce) => ({ body, headers: {
	'content-type': 'application/json',
	...wechat3.prove(body, signer, at, nonce) } });
const facts = (payment, changes) => ({ ...voice.paid_facts(payment),
	...changes });
const paid_body = (told, sealed) => wechat3.envelope(s.env.APIV3_KEY,
	'TRANSACTION.SUCCESS', 'transaction', told, sealed);
const refund_body = (told, status = 'SUCCESS') => wechat3.envelope(
	s.env.APIV3_KEY, `REFUND.${status}`, 'refund', told);

// [v3.md 21.4]
const refund_facts = (payment, out_refund_no, refund, changes) => ({
	mchid: s.env.MCHID, out_trade_no: payment.out_trade_no,
	transaction_id: payment.transaction_id, out_refund_no,
	refund_id: `5030${out_refund_no.slice(-24)}`, refund_status: 'SUCCESS',
	success_time: wechat3.rfc3339(new Date()),
	user_received_account: '支付用户零钱',
	amount: { total: payment.total_fee, refund,
		payer_total: payment.total_fee, payer_refund: refund },
	...changes });

function assert_refused(answer, status, what) {
	assert.equal(answer.status, status, `${what}: ${answer}`);
	assert.equal(answer.text, REFUSED, what);
	assert.match(answer.headers['content-type'], /^application\/json/);
	assert.ok(answer.ms < DEADLINE_MS, `${what} took ${answer.ms} ms`);
}

const notices = async (column, value) => (await s.sql(`select verdict
	from wxpay_data.notices where ${column} = $1 order by seq`, value))
	.map((row) => row.verdict);

// ---- forged ones

const with_headers = ({ body, headers }, changes) => ({ body,
	headers: Object.fromEntries(Object.entries({ ...headers, ...changes })
		.filter(([, value]) => value !== undefined)) });
const respelled = (telling, name, change) => with_headers(telling,
	{ [name]: change(telling.headers[name]) });
const flipped = (base64) => (base64[0] === 'A' ? 'B' : 'A') + base64.slice(1);
const SIGNED = ['timestamp', 'nonce', 'signature', 'serial'].map((name) =>
	`wechatpay-${name}`);
const xml_of = (payment) => wechat.xml(wechat.signed('HMAC-SHA256', {
	return_code: 'SUCCESS', result_code: 'SUCCESS', appid: s.env.APPID,
	mch_id: s.env.MCHID, nonce_str: wechat.nonce(), openid: 'oE2E-payer',
	trade_type: 'NATIVE', bank_type: 'OTHERS', cash_fee: '1000',
	total_fee: '1000', transaction_id: payment.transaction_id,
	out_trade_no: payment.out_trade_no,
	time_end: wechat.beijing(new Date()) }, s.env.API_KEY));

// [row, which counter of notify's, what, a telling made of a payment]
const KINDS = [
	...SIGNED.map((name) => ['N21', 'missing', `no ${name}`, (payment) =>
		respelled(genuine(payment), name, () => undefined)]),
	...SIGNED.map((name) => ['N21', 'missing', `empty ${name}`,
		(payment) => respelled(genuine(payment), name, () => '')]),
	...SIGNED.map((name) => ['N21', 'missing', `${name} twice`, (payment) =>
		respelled(genuine(payment), name, (value) => [value, value])]),
	['N21', 'missing', 'no header at all', (payment) => ({
		...genuine(payment),
		headers: { 'content-type': 'application/json' } })],
	['N21', 'missing', 'another signature beside it', (payment) =>
		respelled(genuine(payment), 'wechatpay-signature', (value) =>
			[flipped(value), value])],
	['N21', 'clock', '301 s ago', (payment) =>
		proved(paid_body(facts(payment)), own, NOW() - 301)],
	['N21', 'clock', 'in 301 s', (payment) =>
		proved(paid_body(facts(payment)), own, NOW() + 301)],
	['N21', 'clock', 'a day ago', (payment) =>
		proved(paid_body(facts(payment)), platform, NOW() - 86400)],
	['N21', 'clock', 'in 1970', (payment) =>
		proved(paid_body(facts(payment)), own, 0)],
	['N21', 'malformed', 'milliseconds', (payment) =>
		proved(paid_body(facts(payment)), own, Date.now())],
	...['-1', '1e9', '0x10', '1 1', '+1700000000', '99999999999999999999',
		'now'].map((at) => ['N21', 'malformed', `timestamp ${at}`,
		(payment) => proved(paid_body(facts(payment)), own, at)]),
	['N21', 'type', 'signed by SM2, it says', (payment) => with_headers(
		genuine(payment), { 'wechatpay-signature-type':
			'WECHATPAY2-SM2-WITH-SM3' })],
	['N22', 'serial', 'a serial that nobody has', (payment) =>
		proved(paid_body(facts(payment)), { key: own.key,
			serial: randomBytes(20).toString('hex').toUpperCase() })],
	['N22', 'serial', "another merchant's public key", (payment) =>
		proved(paid_body(facts(payment)), { key: stranger.key, serial:
			`PUB_KEY_ID_0119${String(Date.now()).padEnd(24, '0')}` })],
	['N22', 'serial', "an attacker's certificate", (payment) =>
		proved(paid_body(facts(payment)), stranger)],
	['N22', 'serial', 'our own certificate', (payment) =>
		proved(paid_body(facts(payment)), {
			key: fs.readFileSync(s.env.MERCHANT_KEY),
			serial: s.env.MERCHANT_SERIAL })],
	...['PUB_KEY_ID_', 'x', '5'.repeat(41), '../../etc/passwd', '%s%n',
		"'; drop table orders; --"].map((serial) => ['N22',
		'malformed', `serial ${serial}`, (payment) => proved(
			paid_body(facts(payment)), { ...own, serial })]),
	['N22', 'signature', 'the serial of the other mode', (payment) =>
		proved(paid_body(facts(payment)),
			{ key: platform.key, serial: own.serial })],
	['N22', 'signature', 'the other way round', (payment) =>
		proved(paid_body(facts(payment)),
			{ key: own.key, serial: platform.serial })],
	['N22', 'signature', "an attacker's key under a serial of WeChat's",
		(payment) => proved(paid_body(facts(payment)),
			{ key: stranger.key, serial: platform.serial })],
	...['', 'x', '====', `${'A'.repeat(344)}`].map((rest) => ['N23',
		'probe', `a probe, and "${rest.slice(0, 8)}"`, (payment) =>
			respelled(genuine(payment), 'wechatpay-signature',
				() => `WECHATPAY/SIGNTEST/${rest}`)]),
	['N24', 'signature', 'one bit of the signature', (payment) =>
		respelled(genuine(payment), 'wechatpay-signature', flipped)],
	['N24', 'signature', 'a signature cut short', (payment) => respelled(
		genuine(payment), 'wechatpay-signature', (value) =>
			value.slice(4))],
	['N24', 'signature', 'no base64', (payment) => respelled(
		genuine(payment), 'wechatpay-signature', () => '!'.repeat(344))],
	['N24', 'signature', 'what cannot be decrypted, unproved', (payment) =>
		respelled(proved(paid_body(facts(payment), wechat3.seal(
			'0'.repeat(32), '{}', 'transaction'))),
			'wechatpay-signature', flipped)],
	['N8', 'signature', 'headers of another body', (payment) => ({
		...genuine(payment), body: paid_body(facts(payment)) })],
	['N8', 'signature', 'another second', (payment) => respelled(
		genuine(payment), 'wechatpay-timestamp', (at) =>
			String(at - 1))],
	['N8', 'signature', 'another nonce', (payment) => respelled(
		genuine(payment), 'wechatpay-nonce', wechat.nonce)],
	['N20', 'signature', "V2's XML under V3's headers", (payment) => ({
		...genuine(payment), body: xml_of(payment) })],
	['N20', 'signature', 'no body', (payment) => ({
		...genuine(payment), body: '' })],
	['N20', 'signature', 'a space behind the body', (payment) => {
		const { body, headers } = genuine(payment);
		return { body: `${body} `, headers };
	}],
];
let turn = 0;
function genuine(payment) {
	return proved(paid_body(facts(payment)),
		turn++ % 2 ? own : platform);
}

async function refused_counts() {
	const text = await (await fetch(`${s.env.HEALTH_URL}/notify`)).text();
	return Object.fromEntries([...text.matchAll(/^refused_(\w+) (\d+)$/gm)]
		.map(([, flaw, count]) => [flaw, Number(count)]));
}

const rss_kib = () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(
	`/proc/${s.pid('notify')}/status`, 'utf8'))[1]);
const is_sanitized = () => /lib[at]san/.test(fs.readFileSync(
	`/proc/${s.pid('notify')}/maps`, 'utf8'))
	|| s.env.BIN.includes('san');

// So many of all kinds, some at a time: how many of each flaw were sent.
async function forge(payment, count) {
	const sent = {};
	let next = 0;
	await Promise.all(list(AT_ONCE, async () => {
		for (let i = next++; i < count; i = next++) {
			const [row, flaw, what, make] = KINDS[i % KINDS.length];
			const answer = await s.notify(make(payment),
				i % 3 === 0 ? 'refunded' : 'paid');
			assert_refused(answer, 401, `${row} ${what}`);
			sent[flaw] = (sent[flaw] ?? 0) + 1;
			counted.forged++;
		}
	}));
	return sent;
}

test(`${FORGED} forged notices: 401, no row, no call, flat memory, each `
	+ 'counted once (N8, N20-N24)', async () => {
	const payment = await unpaid({ total_fee: 1000 });
	await until('all events have their numbers', async () =>
		(await s.sql(`select from wxpay_data.events where id is null`))
			.length === 0);
	await s.without('worker', async () => {
		await forge(payment, WARM_UP);
		const before = { rows: await s.snapshot(),
			calls: await sandbox.call_count(),
			counts: await refused_counts(), rss: rss_kib() };
		const log = s.log('notify').length;
		const sent = await forge(payment, FORGED);
		const grown = rss_kib() - before.rss;
		assert.deepEqual(await s.snapshot(), before.rows);
		assert.equal(await sandbox.call_count(), before.calls);
		const now = await refused_counts();
		for (const [flaw, count] of Object.entries(now))
			assert.equal(count - before.counts[flaw],
				sent[flaw] ?? 0, flaw);
		console.log(`# forged: ${JSON.stringify(sent)}, `
			+ `notify grew by ${grown} KiB`);
		if (!is_sanitized())
			assert.ok(grown <= RSS_KIB, `${grown} KiB`);
		// N23: nobody is woken up by it.
		assert.doesNotMatch(s.log('notify').slice(log),
			/"level":"error"/);
		s.assert_acknowledged(await s.notify(genuine(payment)));
	});
	assert.equal(await shop.state(payment), 'paid');
	assert.deepEqual(await s.events(payment.order_no), ['order.paid']);
});

// ---- V3, row by row

for (const row of ['N21', 'N22', 'N23', 'N24'])
	test(`each kind by itself (${row})`, async (t) => {
		const payment = await unpaid();
		for (const [, flaw, what, make] of KINDS.filter(([of]) =>
			of === row))
			await t.test(what, async () => {
				const before = await refused_counts();
				assert_refused(await s.notify(make(payment)),
					401, what);
				counted.forged++;
				assert.equal((await refused_counts())[flaw],
					before[flaw] + 1);
			});
		assert.equal(await shop.state(payment), 'pending');
	});

test('the type of signature twice is refused, too (N21)', async () => {
	const payment = await unpaid();
	assert_refused(await s.notify(respelled(genuine(payment),
		'wechatpay-signature-type', (type) => [type, type])), 401);
	assert.equal(await shop.state(payment), 'pending');
});

test('a window of 300 s in both directions (N21)', async () => {
	for (const skew of [-297, 0, 298]) {
		const payment = await unpaid();
		s.assert_acknowledged(await s.notify(proved(paid_body(
			facts(payment)), own, NOW() + skew)));
		assert.equal(await shop.state(payment), 'paid');
	}
});

test("WeChat's own probe is refused, and what it repeats settles (N23)",
	async () => {
	const order = await shop.signed_order();
	await sandbox.fault('paid', 'probe', { number: order.out_trade_no });
	await sandbox.scan(order);
	const { deliveries } = await until('it was delivered', async () => {
		const { notices } = await sandbox.ledger(order.out_trade_no);
		return notices[0]?.deliveries?.length > 0 && notices[0];
	});
	assert.deepEqual([deliveries[0].status, deliveries[0].verdict],
		[401, 'refused']);
	assert.equal(await shop.state(order), 'pending');
	const { replies } = await sandbox.notify({ out_trade_no:
		order.out_trade_no });
	assert.deepEqual(replies.map(({ status }) => status), [204]);
	assert.equal(await shop.state(order), 'paid');
});

// ---- proved, and no notice

// The tables in which money would show.
const MONEY = ['orders', 'payments', 'refunds', 'events', 'refund_hints',
	'unexpected', 'notices', 'steps', 'calls'];

// Nothing moves; and what WeChat has proved to have said is kept with its
// proof, for somebody must look.
async function assert_moves_nothing(payment, cases, status, what) {
	const tables = MONEY.filter((name) =>
		!['notices', 'calls'].includes(name));
	const kept = async () => (await s.sql(`select from wxpay_data.notices
		where verdict = 'unreadable' and kind = 'other'
		and proof like '%' || $1`, s.env.WECHAT_PUB_KEY_ID)).length;
	const before = await s.snapshot(tables);
	const first = await kept();
	for (const [at, [name, body]] of cases.entries()) {
		const answer = await s.notify(proved(body), what);
		counted.genuine++;
		assert_refused(answer, status, name);
		assert.deepEqual(await s.snapshot(tables), before, name);
		assert.equal(await kept(), first + at + 1, name);
	}
	s.assert_acknowledged(await s.notify(genuine(payment)));
	assert.equal(await shop.state(payment), 'paid');
}

test('proved, and not to be decrypted: 401 (N24)', async () => {
	const payment = await unpaid();
	const text = JSON.stringify(facts(payment));
	const seal = (...how) => wechat3.seal(s.env.APIV3_KEY, text, ...how);
	const good = seal('transaction');
	const bytes = Buffer.from(good.ciphertext, 'base64');
	const resealed = (changed) => paid_body(text, { ...good,
		ciphertext: changed.toString('base64') });
	const cases = [
		['a tag of 15 bytes', resealed(bytes.subarray(0, -1))],
		['one bit of the tag', resealed(Buffer.concat([
			bytes.subarray(0, -1),
			Buffer.from([bytes.at(-1) ^ 1])]))],
		['one bit of the text', resealed(Buffer.concat([
			Buffer.from([bytes[0] ^ 1]), bytes.subarray(1)]))],
		['a tag alone', resealed(bytes.subarray(-16))],
		['15 bytes', resealed(bytes.subarray(-15))],
		['nothing', resealed(Buffer.alloc(0))],
		['other associated data', paid_body(text, { ...good,
			associated_data: 'refund' })],
		['no associated data', paid_body(text, { ...good,
			associated_data: undefined })],
		['another nonce', paid_body(text, { ...good,
			nonce: 'A'.repeat(12) })],
		['a nonce of 11', paid_body(text, { ...good,
			nonce: good.nonce.slice(1) })],
		['a nonce of 13', paid_body(text, { ...good,
			nonce: `${good.nonce}A` })],
		['no nonce', paid_body(text, { ...good, nonce: '' })],
		["another merchant's APIv3 key", paid_body(text, wechat3.seal(
			randomBytes(16).toString('hex'), text, 'transaction'))],
		['the V2 key', paid_body(text, wechat3.seal(s.env.API_KEY,
			text, 'transaction'))],
		['another algorithm', paid_body(text, { ...good,
			algorithm: 'AEAD_SM4_GCM' })],
		['no algorithm, in clear', paid_body(text, { ...good,
			algorithm: 'NONE', ciphertext: text })],
		['no base64', paid_body(text, { ...good, ciphertext:
			good.ciphertext.replace(/^../, '!!') })],
		['a hole in the base64', paid_body(text, { ...good, ciphertext:
			`${good.ciphertext.slice(0, 8)}\n`
				+ good.ciphertext.slice(8) })],
		["another merchant's mchid", paid_body(facts(payment,
			{ mchid: '1900000110' }))],
		['no mchid', paid_body(facts(payment, { mchid: undefined }))],
	];
	await assert_moves_nothing(payment, cases, 401);
});

test('accepted: associated data that is absent, null or empty (v3.md 6.1)',
	async () => {
	for (const associated_data of [undefined, null, '']) {
		const payment = await unpaid();
		const text = JSON.stringify(facts(payment));
		s.assert_acknowledged(await s.notify(proved(paid_body(text,
			{ ...wechat3.seal(s.env.APIV3_KEY, text),
				associated_data }))));
		assert.equal(await shop.state(payment), 'paid');
	}
});

test('proved, and no JSON of a notice: 400 (N25)', async () => {
	const payment = await unpaid();
	const object = facts(payment);
	const text = JSON.stringify(object);
	const total = (value) => text.replace('"total":1000',
		`"total":${value}`);
	const inner = [
		['amount.total twice', total('1000,"total":1000')],
		['amount.total twice, another', total('1,"total":1000')],
		['out_trade_no twice', text.replace('{', '{"out_trade_no":"x",')],
		['a name twice in an object nobody reads', text.replace('{',
			'{"x":{"a":1,"a":1},')],
		['depth 5000', text.replace('{', `{"x":${'['.repeat(5000)}`
			+ `${']'.repeat(5000)},`)],
		...['1000.0', '1e3', '1000.5', '"1000"', '-1000', '0', '01000',
			'null', 'true', '[]', '{}', '9223372036854775808',
			`1${'0'.repeat(400)}`, 'NaN', '0x3e8', '']
			.map((value) => [`total ${value.slice(0, 20)}`,
				total(value)]),
		['bytes behind the object', `${text}x`],
		['two objects', `${text}${text}`],
		['an array', `[${text}]`],
		['a text', '"SUCCESS"'],
		['nothing', ''],
		['cut', text.slice(0, -1)],
		['a comment', text.replace('{', '{/* */')],
		['a comma too many', text.replace(/}$/, ',}')],
		['one quote', text.replaceAll('"', "'")],
		['a lone surrogate', text.replace('{', '{"x":"\\ud800",')],
		['a lone surrogate in the number', text.replace(
			payment.out_trade_no, `${payment.out_trade_no}\\udc00`)],
		['NUL', text.replace('{', '{"x":"\\u0000",')],
		['NUL in the number', text.replace(payment.out_trade_no,
			`${payment.out_trade_no}\\u0000`)],
		['a byte order mark', `\ufeff${text}`],
		['XML', xml_of(payment)],
		['no trade_state', JSON.stringify(facts(payment,
			{ trade_state: undefined }))],
		['trade_state NOTPAY', JSON.stringify(facts(payment,
			{ trade_state: 'NOTPAY' }))],
		['trade_state success', JSON.stringify(facts(payment,
			{ trade_state: 'success' }))],
		['trade_state REFUND', JSON.stringify(facts(payment,
			{ trade_state: 'REFUND' }))],
		['no transaction_id', JSON.stringify(facts(payment,
			{ transaction_id: undefined }))],
		['transaction_id a number', JSON.stringify(facts(payment,
			{ transaction_id: 42 }))],
		['transaction_id too long', JSON.stringify(facts(payment,
			{ transaction_id: '4'.repeat(33) }))],
		['no out_trade_no', JSON.stringify(facts(payment,
			{ out_trade_no: undefined }))],
		['no amount', JSON.stringify(facts(payment,
			{ amount: undefined }))],
		['the amount as the payer saw it', JSON.stringify(facts(payment,
			{ amount: { payer_total: 1000, currency: 'CNY' } }))],
		['no success_time', JSON.stringify(facts(payment,
			{ success_time: undefined }))],
		['the 30th of February', JSON.stringify(facts(payment,
			{ success_time: '2026-02-30T12:00:00+08:00' }))],
	].map(([what, told]) => [what, paid_body(told)]);
	const envelope = paid_body(text);
	const outer = [
		['a name twice in the envelope', envelope.replace('{',
			'{"event_type":"REFUND.SUCCESS",')],
		['a resource twice', envelope.replace(/}$/,
			',"resource":{}}')],
		['bytes behind the envelope', `${envelope}\n{}`],
		['depth 5000 in the envelope', envelope.replace('{',
			`{"x":${'['.repeat(5000)}${']'.repeat(5000)},`)],
		['a lone surrogate in the envelope', envelope.replace('{',
			'{"x":"\\udfff",')],
		['no event_type', envelope.replace('event_type', 'event')],
		['no resource', envelope.replace('"resource"', '"source"')],
		['a resource that is a text', JSON.stringify({
			event_type: 'TRANSACTION.SUCCESS',
			resource_type: 'encrypt-resource', resource: text })],
		['ciphertext that is a number', paid_body(text,
			{ ...wechat3.seal(s.env.APIV3_KEY, text),
				ciphertext: 1 })],
	];
	await assert_moves_nothing(payment, [...inner, ...outer], 400);
});

test('64 KiB and no more (E9)', async () => {
	const payment = await unpaid();
	const answer = await s.notify(proved(paid_body(facts(payment,
		{ attach: 'a'.repeat(65536) }))));
	assert.equal(answer.status, 413, answer.toString());
	s.assert_refused(answer);
	assert.equal(await shop.state(payment), 'pending');
});

test('proved, and not what we know: kept, not acknowledged (N5-N7)',
	async () => {
	const odd = [
		['one fen less', { amount: { total: 999, payer_total: 999,
			currency: 'CNY' } }],
		['payer_total is ours, total is not', { amount: { total: 1,
			payer_total: 1000, currency: 'CNY' } }],
		['another currency', { amount: { total: 1000,
			currency: 'USD' } }],
		['another appid', { appid: 'wx0000000000000000' }],
	];
	for (const [what, changes] of odd) {
		const payment = await unpaid();
		for (let i = 0; i < 2; i++)
			assert_refused(await s.notify(proved(paid_body(facts(
				payment, changes)))), 409, what);
		counted.genuine += 2;
		assert.equal(await shop.state(payment), 'pending');
		assert.deepEqual(await notices('out_trade_no',
			payment.out_trade_no), ['differs', 'differs']);
		const rows = await s.unexpected(payment.out_trade_no);
		assert.deepEqual(rows.map(({ kind, state }) => [kind, state]),
			[['differs', 'open']]);
	}
	const nobody = { out_trade_no: number('U'), total_fee: 5,
		transaction_id: wechat.transaction_id() };
	assert_refused(await s.notify_paid(nobody), 404, 'unknown');
	assert.deepEqual((await s.unexpected(nobody.out_trade_no)).map(
		({ kind }) => kind), ['unknown']);
});

test('a coupon lowers what the payer paid, not the order (N6)', async () => {
	const payment = await unpaid();
	s.assert_acknowledged(await s.notify(proved(paid_body(facts(payment, {
		amount: { total: 1000, payer_total: 1, currency: 'CNY' },
		promotion_detail: [{ coupon_id: '1', amount: 999,
			scope: 'GLOBAL', type: 'NOCASH' }] })))));
	assert.equal(await shop.state(payment), 'paid');
});

test('told again, and a second transaction (N8, N9)', async () => {
	const payment = await unpaid();
	const telling = genuine(payment);
	for (let i = 0; i < 3; i++)
		s.assert_acknowledged(await s.notify(telling));
	assert.deepEqual(await notices('out_trade_no', payment.out_trade_no),
		['settled', 'already', 'already']);
	s.assert_acknowledged(await s.notify_paid({ ...payment,
		transaction_id: wechat.transaction_id() }));
	assert.equal((await s.payment(payment.out_trade_no)).transaction_id,
		payment.transaction_id);
	assert.deepEqual(await s.events(payment.order_no),
		['order.paid', 'order.unexpected']);
	// Its proof is kept: anybody can verify it again.
	const { proof, raw } = await s.one(`select proof, raw
		from wxpay_data.notices where out_trade_no = $1
		order by seq limit 1`, payment.out_trade_no);
	assert.deepEqual(proof.split('\n'), SIGNED.map((name) =>
		telling.headers[name]));
	assert.equal(raw.toString(), telling.body);
});

test('what is neither payment nor refund is kept and acknowledged (21.2)',
	async () => {
	for (const type of ['COUPON.USE', 'TRANSACTION.PAY_BACK',
		'MCHTRANSFER.BILL.FINISHED', 'SOMETHING.NEW']) {
		s.assert_acknowledged(await s.notify(proved(wechat3.envelope(
			s.env.APIV3_KEY, type, 'coupon',
			{ mchid: s.env.MCHID, x: 1 }))));
		assert.ok((await notices('verdict', type)).length > 0, type);
	}
});

// ---- refunds

const refund_queries = async (refund) => (await sandbox.refund_calls(refund))
	.filter(({ api }) => api === 'refundquery').length;
const steps = async (out_refund_no) => (await s.sql(`select to_state, reason
	from wxpay_data.steps where number = $1 order by seq`, out_refund_no))
	.map(({ to_state, reason }) => `${to_state}: ${reason}`);

// Sent to WeChat, which has not decided yet.
async function refunding(total_fee = 1000, refund_fee = 400) {
	const order = await s.paid(total_fee);
	const refund = await shop.refund_requested(order, refund_fee);
	await sandbox.refunds_become('PROCESSING');
	await staff.approve(refund);
	const { payments } = await until('WeChat has it', async () => {
		const ledger = await sandbox.ledger(order.out_trade_no);
		return ledger.refunds.length > 0 && ledger;
	});
	const payment = { ...order, total_fee,
		transaction_id: payments[0].transaction_id };
	return { order, refund, payment, told: (changes) => refund_facts(
		payment, refund.out_refund_no, refund_fee, changes) };
}

const tell_refund = (...told) => s.notify(proved(refund_body(...told)),
	'refunded');

test('REFUND.SUCCESS, signed, is the money: nobody asks (I20)', async () => {
	const { order, refund, told } = await refunding();
	for (let i = 0; i < 2; i++)
		s.assert_acknowledged(await tell_refund(told()));
	assert.equal(await shop.refund_state(order, refund), 'refunded');
	assert.equal((await steps(refund.out_refund_no)).at(-1),
		'refunded: refund notice');
	assert.equal(await refund_queries(refund), 0);
	assert.equal((await s.events(order.order_no)).filter((kind) =>
		kind === 'refund.refunded').length, 1);
	assert.deepEqual(await notices('out_refund_no', refund.out_refund_no),
		['refunded', 'already']);
});

for (const [status, sandboxed, failure] of [
	['ABNORMAL', 'CHANGE', 'ABNORMAL'], ['CLOSED', 'REFUNDCLOSE', 'CLOSED']])
	test(`REFUND.${status} makes the worker ask (RN4)`, async () => {
		const { order, refund, told } = await refunding();
		// A query still says PROCESSING: it wins.
		s.assert_acknowledged(await tell_refund(told({
			refund_status: status, success_time: undefined }),
			status));
		await until('the worker asked', async () =>
			await refund_queries(refund) > 0);
		await until('and wrote what it heard', () => s.one(`select
			from wxpay_data.calls where out_refund_no = $1
			and op = 'refund_query' and outcome is not null`,
			refund.out_refund_no));
		assert.equal(await shop.refund_state(order, refund),
			'refunding');
		await sandbox.post('/sandbox/refund_status', { out_refund_no:
			refund.out_refund_no, refund_status: sandboxed });
		await s.refund_becomes(order, refund, 'failed');
		const row = await s.one(`select failure from wxpay.refunds
			where out_refund_no = $1`, refund.out_refund_no);
		assert.match(row.failure, new RegExp(failure));
		assert.equal((await s.payment(order.out_trade_no)).reserved_fen,
			status === 'CLOSED' ? 0 : 400);
	});

test('refund_status is what counts, not status (v3.md 21.4)', async () => {
	const { order, refund, told } = await refunding();
	const odd = [
		['status instead', told({ refund_status: undefined,
			status: 'SUCCESS' })],
		['CLOSED under REFUND.SUCCESS', told({
			refund_status: 'CLOSED' })],
		['ABNORMAL, and status SUCCESS', told({
			refund_status: 'ABNORMAL', status: 'SUCCESS' })],
		['a word that nobody knows', told({ refund_status: 'DONE' })],
		['no refund_id', told({ refund_id: undefined })],
		['no amount', told({ amount: undefined })],
	];
	for (const [what, body] of odd)
		assert_refused(await tell_refund(body), 400, what);
	assert.equal(await shop.refund_state(order, refund), 'refunding');
	s.assert_acknowledged(await tell_refund(told({ status: 'CLOSED' })));
	assert.equal(await shop.refund_state(order, refund), 'refunded');
});

test('a refund notice that contradicts us is kept, not believed (RN1)',
	async () => {
	const { order, refund, payment, told } = await refunding();
	const odd = [
		['another amount', told({ amount: { total: 1000, refund: 1000,
			payer_total: 1000, payer_refund: 1000 } }), 409],
		['another total', told({ amount: { total: 1, refund: 400,
			payer_total: 1, payer_refund: 400 } }), 409],
		['another transaction', told({ transaction_id:
			wechat.transaction_id() }), 409],
		['another payment', told({ out_trade_no: number('U') }), 404],
		['another merchant', told({ mchid: '1900000110' }), 401],
	];
	for (const [what, body, status] of odd)
		assert_refused(await tell_refund(body), status, what);
	assert.equal(await shop.refund_state(order, refund), 'refunding');
	assert.equal((await s.payment(payment.out_trade_no)).refunded_fen, 0);
});

test('an unknown refund, signed, is one made by hand (RN5)', async () => {
	const order = await s.paid(1000);
	const { payments } = await sandbox.ledger(order.out_trade_no);
	const out_refund_no = number('F');
	for (let i = 0; i < 2; i++)
		s.assert_acknowledged(await tell_refund(refund_facts({
			...order, total_fee: 1000,
			transaction_id: payments[0].transaction_id },
			out_refund_no, 300)));
	const row = await s.one(`select state, refund_fen from wxpay.refunds
		where out_refund_no = $1`, out_refund_no);
	assert.deepEqual(row, { state: 'refunded', refund_fen: 300 });
	assert.equal(await refund_queries({ out_refund_no }), 0);
	assert.equal((await s.payment(order.out_trade_no)).refunded_fen, 300);
});

for (const notice of ['v2', 'v3'])
	test(`made by hand, told in ${notice}: recorded, ${notice === 'v2'
		? 'after a query' : 'without one'} (RN5)`, async () => {
		const order = await s.paid(1000);
		const { out_refund_no } = await sandbox.post(
			'/sandbox/refund_by_hand', { notice, refund_fee: 250,
				out_trade_no: order.out_trade_no });
		await until('it is recorded', async () => (await s.one(
			`select state from wxpay.refunds
			where out_refund_no = $1`, out_refund_no))?.state
				=== 'refunded');
		const asked = await refund_queries({ out_refund_no });
		assert.ok(notice === 'v2' ? asked > 0 : asked === 0,
			`${asked} queries`);
		assert.equal((await s.payment(order.out_trade_no)).refunded_fen,
			250);
	});

test("V2's refund XML is a hint for a merchant of V3, too (RN1, I20)",
	async () => {
	const { order, refund, payment } = await refunding();
	const inner = wechat.xml({ transaction_id: payment.transaction_id,
		out_trade_no: payment.out_trade_no, refund_id: '50300000000001',
		out_refund_no: refund.out_refund_no, total_fee: '1000',
		settlement_total_fee: '1000', refund_fee: '400',
		settlement_refund_fee: '400', refund_status: 'SUCCESS',
		success_time: '2026-01-16 10:00:05',
		refund_recv_accout: '支付用户零钱',
		refund_account: 'REFUND_SOURCE_UNSETTLED_FUNDS',
		refund_request_source: 'VENDOR_PLATFORM' }, 'root');
	const answer = await s.notify({ headers: { 'content-type': 'text/xml' },
		body: wechat.xml({ return_code: 'SUCCESS', appid: s.env.APPID,
			mch_id: s.env.MCHID, nonce_str: wechat.nonce(),
			req_info: wechat.seal(s.env.API_KEY, inner) }) },
		'refunded');
	assert.equal(answer.status, 200, answer.toString());
	assert.equal(answer.text, wechat.SUCCESS);
	await until('the worker asked', async () =>
		await refund_queries(refund) > 0);
	assert.equal(await shop.refund_state(order, refund), 'refunding');
	await sandbox.post('/sandbox/refund_status', { out_refund_no:
		refund.out_refund_no, refund_status: 'SUCCESS' });
	await s.refund_becomes(order, refund, 'refunded');
});

test("a refund told before its payment (v3.md 21.6)", async () => {
	const order = await shop.signed_order({ total_fee: 900 });
	await sandbox.fault('paid', 'lost', { number: order.out_trade_no });
	await sandbox.scan(order);
	const { out_refund_no } = await sandbox.post('/sandbox/refund_by_hand',
		{ out_trade_no: order.out_trade_no, refund_fee: 200,
			notice: 'v3' });
	await until('it was told', async () => (await notices('out_refund_no',
		out_refund_no)).length > 0);
	assert.equal(await shop.state(order), 'pending',
		'a refund pays nothing');
	await sandbox.notify({ out_trade_no: order.out_trade_no });
	assert.equal(await shop.state(order), 'paid');
	await sandbox.notify({ out_refund_no });
	await until('the refund is known', async () => (await s.payment(
		order.out_trade_no)).refunded_fen === 200);
	assert.equal(await shop.state(order), 'paid');
});

// ---- the database is not there

for (const [what, signer] of [['a key that notify has', () => own],
	['a key that only the database has', () =>
		wechat3.platform_signer(s.env, 2)]])
	test(`PostgreSQL hangs under a notice by ${what}: not 2xx in time, the `
		+ 'next one settles (N26)', async () => {
		if (what.includes('only'))
			await sandbox.post('/sandbox/keys', { listed: '1,2' });
		// The worker, too, may have lost a call to the test before.
		await until('its certificate is kept', async () =>
			!what.includes('only') || (await s.sql(`select
			from wxpay_data.wechat_keys where serial = $1`,
			signer().serial)).length > 0, LEASE_MS);
		const payment = await unpaid();
		const telling = proved(paid_body(facts(payment)), signer());
		const rows = await s.sql('select pid from pg_stat_activity');
		const pids = [s.pid('postgres'), ...rows.map(({ pid }) => pid)];
		for (const pid of pids)
			process.kill(pid, 'SIGSTOP');
		let answer;
		try {
			answer = await s.notify(telling);
		} finally {
			for (const pid of pids)
				process.kill(pid, 'SIGCONT');
		}
		s.assert_refused(answer);
		assert.ok(answer.ms < DEADLINE_MS, `${answer.ms} ms`);
		if (!what.includes('only'))
			assert.equal(answer.status, 503, answer.toString());
		await until('the next one settles', async () =>
			s.voice.is_acknowledged(await s.notify(telling)));
		assert.equal(await shop.state(payment), 'paid');
		assert.deepEqual(await s.events(payment.order_no),
			['order.paid']);
	});
