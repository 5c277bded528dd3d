// WeChat's keys of V3 (design 2; v3.md 5): rotation of certificates and the
// switch to the public key while payments are made; which certificates are
// believed, and where they come from (threats.md N22).
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { number } from './lib/actors.mjs';
import { openssl, self_signed } from './lib/certificates.mjs';
import { other_and_stack } from './lib/other_wechat3.mjs';
import { only, run, stack } from './lib/stack.mjs';
import { pause, until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';
import * as wechat3 from './lib/wechat3.mjs';

only('v3');
const GAP_MS = 50;		// between two payments
const REFUND_EACH = 3;		// of so many payments
const PHASE_MS = 2500;
const TURNS = 10;		// in one phase
const DAY_AND_MORE = '25 hours 1 minute';
const WELL = ['done', 'missing', 'paid', 'closed'];
const TROUBLE = /"level":"error"/;

// All before the first test: when those that are known are done, it is over.
const rotating = await stack('keys', { KEY_MODE: 'certificate' });
const switching = await stack('keys_switch', { KEY_MODE: 'both' });
const young = await stack('keys_public', { KEY_MODE: 'public' });
const { other, s: deceived } = await other_and_stack('false_wechat',
	'certificate');
const serials_of = (s) => [1, 2].map((which) =>
	wechat3.serial_of(s.env[`PLATFORM_CERT_${which}`]));

const sandbox_keys = (s, fields) => s.sandbox.post('/sandbox/keys', fields);
const listed = (s) => s.sql(`select serial from wxpay_data.wechat_keys
	order by serial`).then((rows) => rows.map(({ serial }) => serial));
const has_listed = (s, serials) => until('the worker has fetched it',
	async () => {
	const now = await listed(s);
	return serials.every((serial) => now.includes(serial));
});

// ---- payments all the time

class Traffic {
	constructor(s) {
		this.s = s;
		this.counts = { payments: 0, refunds: 0 };
		this.going = new Set();
		this.failed = [];
	}

	async begin() {
		const { s } = this;
		this.since = (await s.one('select clock_timestamp() as now'))
			.now;
		await s.staff.headers();
		this.timer = setInterval(() => {
			const one = this.one().catch((error) =>
				this.failed.push(error)).finally(() =>
				this.going.delete(one));
			this.going.add(one);
		}, GAP_MS);
		return this;
	}

	async one() {
		const { s, counts } = this;
		const is_refunded = counts.payments++ % REFUND_EACH === 0;
		const order = await s.shop.signed_order();
		await s.sandbox.scan(order);
		await this.becomes('paid', () => s.shop.state(order));
		if (!is_refunded)
			return;
		const refund = await s.shop.refund_requested(order, 100);
		await s.staff.approve(refund);
		await this.becomes('refunded', () =>
			s.shop.refund_state(order, refund));
		counts.refunds++;
	}

	// Asked more rarely than a test alone would.
	async becomes(state, ask) {
		await until(`it is ${state}`, async () => {
			await pause(100);
			return await ask() === state;
		}, 30000);
	}

	async end() {
		clearInterval(this.timer);
		await Promise.all(this.going);
	}

	// What the journals of both sides say of it.
	async assert_flawless() {
		const { s } = this;
		await until('every call has ended', async () => (await s.sql(
			`select from wxpay_data.calls where began_at >= $1
			and began_at < clock_timestamp() - interval '1 s'
			and outcome is null`, this.since)).length === 0);
		const calls = await s.sql(`select op, outcome, code, count(*)
			from wxpay_data.calls where began_at >= $1
			and began_at < clock_timestamp() - interval '1 s'
			group by 1, 2, 3 order by 1, 2, 3`, this.since);
		assert.deepEqual(calls.filter(({ outcome }) =>
			!WELL.includes(outcome)), []);
		const books = await s.connect(s.env.SANDBOX_DATABASE);
		const { rows } = await books.query(`select status, verdict,
			headers->>'Wechatpay-Serial' as serial, count(*)::int
			from sandbox.deliveries where ended_at >= $1
			group by 1, 2, 3`, [this.since]);
		assert.deepEqual(rows.filter(({ status, verdict }) =>
			status !== 204 || verdict !== 'success'), []);
		const { rows: odd } = await books.query(`select * from
			sandbox.violations where at >= $1`, [this.since]);
		assert.deepEqual(odd, []);
		await books.end();
		assert.deepEqual(this.failed.map(String), []);
		const total = rows.reduce((sum, row) => sum + row.count, 0);
		const { payments, refunds } = this.counts;
		assert.ok(total >= payments + refunds,
			`${total} deliveries of ${payments} + ${refunds}`);
		this.said = `${payments} payments, ${refunds} refunds, `
			+ `${total} notices, ${calls.reduce((sum, call) =>
				sum + call.count, 0)} calls`;
		return rows.map(({ serial }) => serial);
	}
}

// What wxpayctl keys prints: { SERIAL: [kind, until, notice, answer] }, and
// its last line.
async function report(s) {
	const done = await s.program('wxpayctl', ['keys']);
	assert.equal(done.code, 0, done.stderr);
	const lines = done.stdout.trim().split('\n');
	return { text: done.stdout, verdict: lines.at(-1),
		keys: Object.fromEntries(lines.map((line) =>
			line.split(/ {2,}/)).filter((cells) =>
			cells.length === 5 && cells[0] !== 'SERIAL')
			.map(([serial, ...cells]) => [serial, cells])) };
}

const assert_safe = ({ verdict, text }, is_safe) => assert.match(verdict,
	is_safe ? /: safe to finish/ : /: not safe to finish/, text);

// As if it had been used so long ago.
const used_long_ago = (s, serial) => s.sql(`update wxpay_data.wechat_key_uses
	set last_at = now() - $2::interval where serial = $1`, serial,
	DAY_AND_MORE);

test('a new certificate in the middle of traffic: nothing fails',
	async () => {
	const s = rotating;
	const [first, second] = serials_of(s);
	assert.match(second, /^00/, 'one begins with zeros');
	assert.deepEqual(await listed(s), [first]);
	const before = await report(s);
	assert.deepEqual(Object.keys(before.keys), [first]);
	assert.equal(before.keys[first][0], 'certificate');
	const ends = new Date(new X509Certificate(fs.readFileSync(
		s.env.PLATFORM_CERT_1)).validTo);
	assert.equal(Date.parse(before.keys[first][1]), ends.getTime());
	assert_safe(before, false);

	const traffic = await new Traffic(s).begin();
	await pause(PHASE_MS);
	await sandbox_keys(s, { listed: '1,2' });
	await has_listed(s, [second]);
	// One or the other; "mixed" would be the public key, too.
	for (let turn = 0; turn < TURNS; turn++) {
		await sandbox_keys(s, { signer: turn % 2 ? '1' : '2' });
		await pause(PHASE_MS / TURNS);
	}
	await sandbox_keys(s, { signer: '2' });
	await pause(PHASE_MS);
	const during = await report(s);
	assert.deepEqual(Object.keys(during.keys).sort(),
		[first, second].sort());
	for (const [, , notice, answer] of Object.values(during.keys))
		for (const at of [notice, answer])
			assert.ok(Math.abs(Date.parse(at) - Date.now())
				< 120000, during.text);
	await sandbox_keys(s, { listed: '2' });
	await pause(PHASE_MS);
	await traffic.end();
	const serials = await traffic.assert_flawless();
	assert.deepEqual([...new Set(serials)].sort(),
		[first, second].sort());
	console.log(`# rotation: ${traffic.said}`);
	assert.deepEqual(await listed(s), [first, second].sort(),
		'the old one counts until its own end');
});

test('from certificates to the public key in the middle of traffic: '
	+ 'nothing fails, and wxpayctl says when it is safe', async () => {
	const s = switching;
	const [first] = serials_of(s);
	const own = s.env.WECHAT_PUB_KEY_ID;
	await sandbox_keys(s, { listed: '1', signer: '1' });
	const traffic = await new Traffic(s).begin();
	await pause(PHASE_MS);
	const before = await report(s);
	assert.equal(before.keys[own][0], 'public key');
	assert.equal(before.keys[own][1], '-', 'it never ends');
	assert.equal(before.keys[own][2], '-', 'no notice by it yet');
	assert.notEqual(before.keys[own][3], '-', 'answers name it');
	assert.notEqual(before.keys[first][2], '-');
	assert_safe(before, false);
	// Not even if no certificate has been seen for long.
	await used_long_ago(s, first);
	assert_safe(await report(s), false);

	await sandbox_keys(s, { signer: 'mixed' });
	await pause(PHASE_MS);
	await s.sql(`update wxpay_data.wechat_key_uses set last_at = now()
		where serial = $1`, first);
	const during = await report(s);
	assert.notEqual(during.keys[own][2], '-');
	assert_safe(during, false);

	await sandbox_keys(s, { signer: 'public' });
	await pause(PHASE_MS);
	await sandbox_keys(s, { listed: 'none' });
	await pause(PHASE_MS);
	await traffic.end();
	const serials = await traffic.assert_flawless();
	assert.deepEqual([...new Set(serials)].sort(), [first, own].sort());
	console.log(`# switch: ${traffic.said}`);

	assert_safe(await report(s), false);
	// a quiet weekend proves nothing: the public key is young
	await used_long_ago(s, first);
	assert_safe(await report(s), false);
	await s.sql(`update wxpay_data.wechat_key_uses set first_at = first_at
		- $1::interval where serial = $2`, DAY_AND_MORE, own);
	const done = await report(s);
	assert_safe(done, true);
	assert.deepEqual(await listed(s), [first]);
});

test('a merchant of the public key alone needs no certificates', async () => {
	const s = young;
	const [{ signer, listed: list }] = [await sandbox_keys(s, {})];
	assert.deepEqual([signer, list], ['public', []]);
	await until('the worker has asked', async () => (await s.sql(`select
		from wxpay_data.calls where op = 'certificates'
		and outcome = 'missing'`)).length > 0);
	const traffic = await new Traffic(s).begin();
	await until('some are paid and refunded', () =>
		traffic.counts.refunds >= 5);
	await traffic.end();
	assert.deepEqual(await traffic.assert_flawless(),
		[s.env.WECHAT_PUB_KEY_ID]);
	console.log(`# public key alone: ${traffic.said}`);
	for (const name of ['pay', 'notify', 'refund', 'worker'])
		for (const line of s.log(name).split('\n'))
			assert.doesNotMatch(line, TROUBLE, name);
	assert.deepEqual(await listed(s), []);
});

// ---- who is believed

// A notice of an order of its own, signed by somebody.
async function told_by(s, signer) {
	const order = await s.shop.signed_order();
	const { body } = s.voice.paid({ ...order,
		transaction_id: wechat.transaction_id() });
	const headers = { 'content-type': 'application/json',
		...wechat3.prove(body, signer) };
	return { order, telling: { body, headers } };
}

async function assert_believed(s, signer) {
	const { order, telling } = await told_by(s, signer);
	s.assert_acknowledged(await s.notify(telling));
	assert.equal(await s.shop.state(order), 'paid');
}

async function assert_not_believed(s, signer, what) {
	const { order, telling } = await told_by(s, signer);
	// Its serial is looked up at most once a second.
	await pause(1100);
	const answer = await s.notify(telling);
	assert.equal(answer.status, 401, `${what}: ${answer}`);
	s.assert_refused(answer);
	assert.equal(await s.shop.state(order), 'pending', what);
}

const keys_of = (dir, name) => ({ key: fs.readFileSync(path.join(dir,
	`${name}.key`)), pem: fs.readFileSync(path.join(dir, `${name}.pem`),
	'utf8'), serial: wechat3.serial_of(path.join(dir, `${name}.pem`)) });

// A certificate of the stack's platform CA, or of one that is called alike.
async function certificate(s, name, is_genuine, days = '2') {
	const dir = fs.mkdtempSync(path.join(s.dir, 'certificate-'));
	let ca = path.join(s.dir, 'tls', 'platform_ca');
	if (!is_genuine) {
		ca = path.join(dir, 'ca');
		await self_signed(dir, 'ca',
			'/C=CN/O=Tenpay.com/CN=Tenpay.com Root CA');
	}
	const file = (suffix) => path.join(dir, `${name}.${suffix}`);
	await openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-subj',
		'/C=CN/O=Tenpay.com/CN=Tenpay.com sign', '-keyout',
		file('key'), '-out', file('csr'));
	await openssl('x509', '-req', '-sha256', '-in', file('csr'), '-CA',
		`${ca}.pem`, '-CAkey', `${ca}.key`, '-set_serial',
		`0x5${number('').slice(-38).padStart(39, '0')}`, '-out',
		file('pem'), '-days', days);
	return keys_of(dir, name);
}

// Written by the owner of the database, as no program of ours would.
const plant = (s, { serial, pem }) => s.sql(`insert into wxpay_data.wechat_keys
	(mchid, serial, pem, not_before, not_after) values ($1, $2, $3,
	now() - interval '1 day', now() + interval '1 day')`, s.env.MCHID,
	serial, pem);

test('a certificate in the database is believed if the CA issued it (N22)',
	async () => {
	const s = rotating;
	const genuine = await certificate(s, 'genuine', true);
	await assert_not_believed(s, genuine, 'not planted yet');
	await plant(s, genuine);
	await pause(1100);
	await assert_believed(s, genuine);

	const other_ca = await certificate(s, 'other_ca', false);
	await plant(s, other_ca);
	await assert_not_believed(s, other_ca, 'of another CA');
	const alone = fs.mkdtempSync(path.join(s.dir, 'certificate-'));
	await self_signed(alone, 'alone', '/CN=Tenpay.com sign');
	await plant(s, keys_of(alone, 'alone'));
	await assert_not_believed(s, keys_of(alone, 'alone'), 'self-signed');
	// One's key under another's serial.
	const borrowed = await certificate(s, 'borrowed', true);
	const serial = `5${'A'.repeat(39)}`;
	await plant(s, { serial, pem: borrowed.pem });
	await assert_not_believed(s, { ...borrowed, serial },
		'another serial');
	await assert_not_believed(s, borrowed, 'its own serial');
	const rubbish = `5${'B'.repeat(39)}`;
	await plant(s, { serial: rubbish, pem: 'no certificate' });
	await assert_not_believed(s, { ...borrowed, serial: rubbish },
		'no PEM');
	const ended = await certificate(s, 'ended', true, '0');
	await plant(s, ended);
	await assert_not_believed(s, ended, 'ended');
	await assert_believed(s, genuine);
});

test('the worker is dead: the certificates in the database serve on',
	async () => {
	const s = rotating;
	await s.kill('worker');
	try {
		const order = await s.paid();
		assert.equal((await s.payment(order.out_trade_no)).state,
			'paid');
		// A program that begins only now.
		const { order: fresh, telling } = await told_by(s,
			wechat3.platform_signer(s.env, 2));
		const said = await s.cgi_notify(telling);
		assert.equal(said.status, 204, said.stdout + said.stderr);
		assert.equal(await s.shop.state(fresh), 'paid');
		const refund = await s.shop.refund_requested(order, 100);
		await s.staff.approve(refund);
		await s.refund_becomes(order, refund, 'refunded');
	} finally {
		await s.up();
	}
});

test('notify asks nobody but the database (N22)', async () => {
	const s = rotating;
	const needed = await run('readelf', ['-d', path.join(s.env.BIN,
		'notify')]);
	assert.match(needed.stdout, /NEEDED.*libpq/);
	assert.doesNotMatch(needed.stdout, /curl/);
	const stranger = await certificate(s, 'stranger', true);
	await s.without('worker', async () => {
		const before = await s.sandbox.call_count();
		const { telling } = await told_by(s, stranger);
		const asked = await s.sandbox.call_count();
		for (let i = 0; i < 50; i++) {
			telling.headers['wechatpay-serial']
				= number('').padStart(40, '5').toUpperCase()
					.replace(/[^0-9A-F]/g, 'A');
			const answer = await s.notify(telling);
			assert.equal(answer.status, 401, answer.toString());
		}
		assert.equal(asked, before + 1, 'the order');
		assert.equal(await s.sandbox.call_count(), asked);
	});
	// Whoever called, a program that may call has journalled it.
	const rows = await s.sql(`select distinct by_role from wxpay_data.calls
		order by 1`);
	assert.deepEqual(rows.map(({ by_role }) => by_role),
		['wxpay_pay', 'wxpay_refund', 'wxpay_worker']);
	const { calls } = await s.sandbox.ledger();
	for (const { nonce_str } of calls)
		assert.ok(await s.one(`select from wxpay_data.calls
			where nonce = $1`, nonce_str), nonce_str);
});

// ---- where certificates come from: a WeChat that says other things

const outcome_after = async (s, since) => (await s.one(`select outcome
	from wxpay_data.calls where op = 'certificates' and call_no > $1
	and outcome is not null order by call_no limit 1`, since))?.outcome;

test('what a false WeChat lists is not kept, and what was kept serves on',
	async (t) => {
	const s = deceived;
	const [first, second] = serials_of(s);
	await has_listed(s, [first, second]);
	const usual = other.listed();
	const stranger = await certificate(s, 'listed', false);
	const genuine = await certificate(s, 'listed', true);
	const list = (...certificates) => other.signed(200, { data:
		other.certificates(certificates) });
	const sealed = (change) => {
		const data = other.certificates([...usual,
			[genuine.serial, genuine.pem]]);
		change(data.at(-1));
		return other.signed(200, { data });
	};
	const LIES = [
		['one that the CA did not issue', () => list(...usual,
			[stranger.serial, stranger.pem])],
		['that one alone, which has signed it', () => other.signed(200,
			{ data: other.certificates([[stranger.serial,
				stranger.pem]]) }, stranger)],
		['one whose serial is another', () => list(...usual,
			[`5${'C'.repeat(39)}`, genuine.pem])],
		['one whose GCM does not open', () => sealed((it) => {
			it.encrypt_certificate.nonce = '0'.repeat(12);
		})],
		['one sealed for something else', () => sealed((it) => {
			it.encrypt_certificate.associated_data = 'transaction';
		})],
		['one in clear', () => sealed((it) => {
			it.encrypt_certificate.algorithm = 'NONE';
			it.encrypt_certificate.ciphertext = genuine.pem;
		})],
		['a genuine one, unsigned', () => ({ ...list(...usual,
			[genuine.serial, genuine.pem]), headers: {} })],
		['a genuine one, signed by a stranger', () => other.signed(200,
			{ data: other.certificates([...usual, [genuine.serial,
				genuine.pem]]) }, stranger)],
		['a genuine one, changed after it was signed', () => {
			const good = list(...usual, [genuine.serial,
				genuine.pem]);
			return { ...good, text: `${good.text} ` };
		}],
		['a probe', () => {
			const good = list(...usual, [genuine.serial,
				genuine.pem]);
			return { ...good, headers: { ...good.headers,
				'wechatpay-signature': 'WECHATPAY/SIGNTEST/x' } };
		}],
		['500', () => ({ status: 500, headers: {}, text:
			'{"code":"SYSTEM_ERROR","message":"x"}' })],
		['404', () => ({ status: 404, headers: {}, text:
			'{"code":"RESOURCE_NOT_EXISTS","message":"x"}' })],
		['no JSON', () => other.signed_text(200, '<html>')],
		['nothing', () => other.signed(200, { data: [] })],
	];
	for (const [what, lie] of LIES)
		await t.test(what, async () => {
			const { since } = await s.one(`select max(call_no)
				as since from wxpay_data.calls`);
			const plan = other.next('certificates', lie, Infinity);
			await until('it was told', () =>
				outcome_after(s, since));
			await until('and told again', async () =>
				(await s.sql(`select from wxpay_data.calls
				where op = 'certificates' and call_no > $1
				and outcome is not null`, since)).length > 1);
			plan.left = 0;
			assert.deepEqual(await listed(s),
				[first, second].sort());
			await assert_believed(s,
				wechat3.platform_signer(s.env, 1));
			await assert_believed(s,
				wechat3.platform_signer(s.env, 2));
		});
	await assert_not_believed(s, stranger, 'of another CA');
	other.listed = () => [...usual, [genuine.serial, genuine.pem]];
	await has_listed(s, [genuine.serial]);
	await pause(1100);
	await assert_believed(s, genuine);
});

after(() => assert.deepEqual(other.problems, []));
