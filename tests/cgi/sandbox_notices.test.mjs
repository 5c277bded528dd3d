// The sandbox tells a merchant until he has understood, on WeChat's schedule
// and in WeChat's words, as another author reads them (v2.md 15).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import plugin from 'wechatpay-axios-plugin';
import { expect, number } from './lib/actors.mjs';
import { Ear, Merchant } from './lib/merchant.mjs';
import { only, stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

only('v2');
const s = await stack('calm');
const { env, sandbox } = s;
const hmac = new Merchant(env, 'HMAC-SHA256');
const md5 = new Merchant(env, 'MD5');
const ear = await new Ear(env).open();
const WECHATS_OWN = [15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600,
	10800, 10800, 10800, 21600, 21600];
const HARD_TEXT = '龙井 & <茶> = "]]>" a=b&key=c';

// From v2.md 15.1, and back to it.
const calm = { speed: 1, schedule_s: WECHATS_OWN.join(), answer_ms: 5000 };
test.before(() => sandbox.clock(calm));
test.after(async () => {
	await sandbox.clock(calm);
	ear.close();
});
test.beforeEach(() => {
	ear.answer = () => ({ status: 200, body: wechat.SUCCESS });
});

// An order whose notices come to our ear, at /<word>.
async function order_heard(merchant = hmac, fields = {}) {
	const word = number();
	return { word, ...await merchant.order({ out_trade_no: word,
		notify_url: `${ear.url}/${word}`, ...fields }) };
}

const heard = (order, count = 1) => until(`${count} notices are heard`,
	() => ear.about(order.word).length >= count && ear.about(order.word));

const notice_of = async (order, kind = 'paid') => (await sandbox.ledger(
	order.out_trade_no)).notices.findLast((n) => n.kind === kind);

const becomes = (order, state, kind) => until(`the notice is ${state}`,
	async () => {
		const notice = await notice_of(order, kind);
		return notice?.state === state && notice;
	});

const plant = (order, fault, fields = {}) => sandbox.fault('paid', fault,
	{ number: order.out_trade_no, ...fields });

function open_refund(body) {
	const { req_info, ...outer } = wechat.parse(body);
	const key = plugin.Hash.md5(env.API_KEY);
	return { outer, inner: wechat.parse(
		plugin.Aes.AesEcb.decrypt(req_info, key)) };
}

for (const merchant of [hmac, md5])
	test(`${merchant.sign_type}: a payment and a refund are told once`,
		async () => {
		const order = await order_heard(merchant, { attach: HARD_TEXT,
			device_info: 'web 1' });
		const { transaction_id } = await sandbox.scan(order,
			{ openid: 'oPayer', coupon_fee: 100 });
		const [told] = await heard(order);
		assert.equal(told.type, 'text/xml');
		const paid = wechat.parse(told.body);
		merchant.verify(paid);
		assert.equal(paid.sign.length,
			merchant.sign_type === 'MD5' ? 32 : 64);
		const { nonce_str, sign, time_end, coupon_id_0, ...rest }
			= paid;
		assert.match(time_end, /^20\d{12}$/);
		assert.ok(nonce_str && sign && coupon_id_0);
		assert.deepEqual(rest, { return_code: 'SUCCESS',
			result_code: 'SUCCESS', appid: env.APPID,
			mch_id: env.MCHID, openid: 'oPayer', is_subscribe: 'N',
			trade_type: 'NATIVE', bank_type: 'OTHERS',
			total_fee: '1000', fee_type: 'CNY', cash_fee: '900',
			cash_fee_type: 'CNY', coupon_fee: '100',
			coupon_count: '1', coupon_type_0: 'CASH',
			coupon_fee_0: '100',
			transaction_id, out_trade_no: order.out_trade_no,
			attach: HARD_TEXT, device_info: 'web 1' });
		const done = await becomes(order, 'done');
		assert.equal(done.deliveries.length, 1);
		const [delivery] = done.deliveries;
		assert.deepEqual([delivery.status, delivery.reply,
			delivery.verdict], [200, wechat.SUCCESS, 'success']);

		const asked = merchant.refund_fields(order, {
			notify_url: `${ear.url}/${order.word}` });
		const refund = await merchant.done('refund', asked);
		const [, second] = await heard(order, 2);
		const { outer, inner } = open_refund(second.body);
		assert.deepEqual(Object.keys(outer).sort(),
			['appid', 'mch_id', 'nonce_str', 'return_code']);
		assert.match(inner.success_time,
			/^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d$/);
		assert.deepEqual(inner, { transaction_id,
			out_trade_no: order.out_trade_no,
			refund_id: refund.refund_id,
			out_refund_no: asked.out_refund_no, total_fee: '1000',
			settlement_total_fee: '1000', refund_fee: '100',
			settlement_refund_fee: '100', refund_status: 'SUCCESS',
			success_time: inner.success_time,
			refund_recv_accout: '支付用户零钱',
			refund_account: 'REFUND_SOURCE_UNSETTLED_FUNDS',
			refund_request_source: 'API' });
		await becomes(order, 'done', 'refunded');
		assert.equal(ear.about(order.word).length, 2);
	});

test('only the one answer ends it: fifteen repeats, then no more', async () => {
	const { settings } = await sandbox.clock({ speed: 1 }).then(() =>
		sandbox.ledger());
	assert.deepEqual(settings.schedule_s, WECHATS_OWN);
	assert.equal(WECHATS_OWN.reduce((a, b) => a + b), 86640);
	const answers = [
		{ status: 200, body: `${wechat.SUCCESS}\n` },
		{ status: 200, body: ` ${wechat.SUCCESS}` },
		{ status: 200, body: '\ufeff'.concat(wechat.SUCCESS) },
		{ status: 200,
			body: wechat.SUCCESS.replace('SUCCESS', 'FAIL') },
		{ status: 200, body: '{"code":"SUCCESS"}' },
		{ status: 200, body: 'success' },
		{ status: 200, body: '' },
		{ status: 200, body: wechat.SUCCESS.repeat(100) },
		{ status: 200, body: Buffer.from([0xff, 0xfe]) },
		{ status: 201, body: wechat.SUCCESS },
		{ status: 302, body: wechat.SUCCESS },
		{ status: 404, body: wechat.SUCCESS },
		{ status: 500, body: wechat.SUCCESS },
		{ status: 503, body: wechat.SUCCESS },
		{},			// silence, for longer than answer_ms
		{ status: 200, body: 'no' },
	];
	const order = await order_heard();
	ear.answer = () => answers[ear.about(order.word).length - 1];
	// The schedule in a tenth of a second; an answer may take 1 s.
	await sandbox.clock({ speed: 100000, answer_ms: 1000 });
	await sandbox.scan(order);
	const notice = await becomes(order, 'given_up');
	await sandbox.clock(calm);
	assert.equal(notice.tries, 16);
	assert.equal(notice.deliveries.length, 16);
	assert.ok(notice.deliveries.every((d) => d.verdict === 'refused'));
	assert.deepEqual(notice.deliveries.map((d) => d.status),
		answers.map(({ status = 0, body = '' }) =>
			body.length > 4096 ? 0 : status));
	assert.ok(notice.deliveries[14].ms >= 1000);
	assert.ok(notice.deliveries[14].ms < 4000);
	const bodies = ear.about(order.word).map(({ body }) =>
		wechat.parse(body));
	assert.equal(bodies.length, 16);
	assert.equal(new Set(bodies.map((b) => b.nonce_str)).size, 16);
	assert.equal(new Set(bodies.map((b) => b.transaction_id)).size, 1);
});

test('the schedule is WeChat\'s own, to the second', async () => {
	const books = await s.connect(env.SANDBOX_DATABASE);
	const order = await order_heard();
	ear.answer = () => ({ status: 500, body: 'no' });
	await sandbox.scan(order);
	for (const [i, gap_s] of WECHATS_OWN.entries()) {
		const notice = await until(`telling ${i + 1} is journalled`,
			async () => {
				const it = await notice_of(order);
				return it?.deliveries.length === i + 1 && it;
			});
		const { at, ms } = notice.deliveries[i];
		const waits_s = (Date.parse(notice.due_at) - Date.parse(at)
			- ms) / 1000;
		assert.ok(Math.abs(waits_s - gap_s) < 1, `${i}: ${waits_s} s`);
		assert.equal(notice.state, 'waiting');
		await books.query(`update sandbox.notices set due_at = now()
			where id = $1`, [notice.id]);
	}
	assert.equal((await becomes(order, 'given_up')).tries, 16);
});

test('speed moves what waits already; a success on demand ends it',
	async () => {
	const order = await order_heard();
	ear.answer = () => ({ status: 500, body: 'no' });
	await sandbox.scan(order);
	await until('it waits for 15 s', async () => Date.parse(
		(await notice_of(order)).due_at) > Date.now() + 10000);
	await sandbox.clock({ speed: 100 });
	await heard(order, 2);
	await sandbox.clock(calm);
	await until('it waits again', async () => Date.parse(
		(await notice_of(order)).due_at) > Date.now() + 5000);
	const count = ear.about(order.word).length;
	ear.answer = () => ({ status: 200, body: wechat.SUCCESS });
	const { replies } = await sandbox.post('/sandbox/notify',
		{ out_trade_no: order.out_trade_no });
	assert.deepEqual(replies.map(({ verdict }) => verdict), ['success']);
	assert.equal((await notice_of(order)).state, 'done');
	assert.equal(ear.about(order.word).length, count + 1);
});

test('fifty copies at once, all alike', async () => {
	const order = await order_heard();
	await sandbox.scan(order);
	await becomes(order, 'done');
	// Nobody is answered before all have come: they are under way at once.
	let release;
	const all = new Promise((resolve) => { release = resolve; });
	ear.hear = async (request, response, body) => {
		ear.heard.push({ url: request.url, body });
		if (ear.about(order.word).length === 51)
			release();
		await all;
		response.writeHead(200).end(wechat.SUCCESS);
	};
	const { replies } = await sandbox.post('/sandbox/notify',
		{ out_trade_no: order.out_trade_no, copies: 50 });
	delete ear.hear;
	assert.equal(replies.length, 50);
	assert.ok(replies.every((r) => r.status === 200
		&& r.reply === wechat.SUCCESS && r.verdict === 'success'));
	const bodies = ear.about(order.word).slice(1).map(({ body }) => body);
	assert.equal(new Set(bodies).size, 1);
	assert.equal((await notice_of(order)).deliveries.length, 51);
});

test('lost, then told by the schedule', async () => {
	const order = await order_heard();
	await plant(order, 'lost');
	await sandbox.scan(order);
	const notice = await until('it is lost', async () => {
		const it = await notice_of(order);
		return it.deliveries.length === 1 && it;
	});
	assert.equal(notice.deliveries[0].verdict, 'lost');
	assert.equal(notice.state, 'waiting');
	assert.equal(ear.about(order.word).length, 0);
	await sandbox.clock({ speed: 1000 });
	await becomes(order, 'done');
	await sandbox.clock(calm);
	assert.equal(ear.about(order.word).length, 1);
});

test('duplicate: two alike at once', async () => {
	const order = await order_heard();
	await plant(order, 'duplicate');
	await sandbox.scan(order);
	const [one, two] = await heard(order, 2);
	assert.equal(one.body, two.body);
	const notice = await until('both are journalled', async () => {
		const it = await notice_of(order);
		return it.deliveries.length === 2 && it;
	});
	assert.equal(notice.state, 'done');
	assert.equal(notice.tries, 1);
});

test('late, and reordered behind another', async () => {
	const late = await order_heard();
	await plant(late, 'late', { ms: 500 });
	const began = performance.now();
	await sandbox.scan(late);
	await becomes(late, 'done');
	assert.ok(performance.now() - began >= 500);

	const first = await order_heard();
	const second = await order_heard();
	await plant(first, 'reorder', { ms: 60000 });
	await sandbox.scan(first);
	await until('it is held', async () =>
		(await sandbox.ledger()).faults.some((f) =>
			f.number === first.word && f.times_left === 0));
	await sandbox.scan(second);
	await becomes(first, 'done');
	const order = ear.heard.map(({ url }) => url.slice(1))
		.filter((word) => [first.word, second.word].includes(word));
	assert.deepEqual(order, [second.word, first.word]);
});

test('forged: a signature of another key, and who believes it is found out',
	async () => {
	const order = await order_heard();
	ear.answer = ({ body }) => ({ status: 200, body: wechat.verify(
		'HMAC-SHA256', wechat.parse(body), env.API_KEY) ? wechat.SUCCESS
		: 'forged' });
	await plant(order, 'forged');
	await sandbox.scan(order);
	await heard(order);
	const { replies } = await sandbox.post('/sandbox/notify',
		{ out_trade_no: order.out_trade_no, copies: 3, forged: 1 });
	assert.deepEqual(replies.map(({ reply, verdict }) => [reply, verdict]),
		Array(3).fill(['forged', 'refused']));
	assert.equal((await notice_of(order)).state, 'waiting');
	const before = (await sandbox.ledger()).totals.violations;

	ear.answer = () => ({ status: 200, body: wechat.SUCCESS });
	const believed = (await sandbox.post('/sandbox/notify',
		{ out_trade_no: order.out_trade_no, forged: 1 })).replies;
	assert.deepEqual(believed.map(({ verdict }) => verdict),
		['forged_accepted']);
	assert.equal((await notice_of(order)).state, 'waiting');
	const { totals, violations } = await sandbox.ledger();
	assert.equal(totals.violations, before + 1);
	assert.equal(violations.at(-1).kind, 'forged_accepted');
	await sandbox.post('/sandbox/notify',
		{ out_trade_no: order.out_trade_no });

	const refund = hmac.refund_fields(order, {
		notify_url: `${ear.url}/${order.word}` });
	await sandbox.fault('refunded', 'forged',
		{ number: refund.out_refund_no });
	ear.answer = () => ({ status: 200, body: 'no' });
	await hmac.done('refund', refund);
	const sealed = (await until('the refund is told', () =>
		ear.about(order.word).filter(({ body }) =>
			body.includes('req_info'))[0])).body;
	assert.throws(() => {
		const { inner } = open_refund(sealed);
		assert.equal(inner.out_refund_no, refund.out_refund_no);
	});
	await sandbox.post('/sandbox/notify',
		{ out_refund_no: refund.out_refund_no });
	const { inner } = open_refund(ear.about(order.word).at(-1).body);
	assert.equal(inner.out_refund_no, refund.out_refund_no);
});

test('abnormal is told, and later success as well', async () => {
	const order = await order_heard();
	await sandbox.scan(order);
	const refund = hmac.refund_fields(order, {
		notify_url: `${ear.url}/${order.word}` });
	await sandbox.post('/sandbox/faults', { refund_status: 'CHANGE',
		number: refund.out_refund_no });
	await hmac.done('refund', refund);
	await heard(order, 2);
	await sandbox.post('/sandbox/refund_status', { refund_status: 'SUCCESS',
		out_refund_no: refund.out_refund_no });
	const told = (await heard(order, 3)).slice(1)
		.map(({ body }) => open_refund(body).inner);
	assert.deepEqual(told.map((r) => [r.out_refund_no, r.refund_status,
		r.success_time === '']), [
		[refund.out_refund_no, 'CHANGE', true],
		[refund.out_refund_no, 'SUCCESS', false]]);

	const { out_refund_no } = await sandbox.post('/sandbox/refund_by_hand',
		{ out_trade_no: order.out_trade_no, refund_fee: 5 });
	const books = await s.connect(env.SANDBOX_DATABASE);
	const { rows } = await until('it is told to the platform\'s URL',
		async () => {
			const found = await books.query(`select n.url, d.body
				from sandbox.notices n
				join sandbox.deliveries d on d.notice_id = n.id
				where n.out_refund_no = $1`, [out_refund_no]);
			return found.rows.length > 0 && found;
		});
	const { inner } = open_refund(rows[0].body);
	assert.equal(inner.refund_request_source, 'VENDOR_PLATFORM');
	assert.match(rows[0].url, /refunded$/);
});

test('no byte goes to whom no CA vouches for', async () => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'wxpay-ear-'));
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
		'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj',
		'/CN=localhost', '-addext', 'subjectAltName=DNS:localhost',
		'-keyout', `${dir}/key`, '-out', `${dir}/cert`],
		{ stdio: 'ignore' });
	const stranger = await new Ear(env, {
		key: fs.readFileSync(`${dir}/key`),
		cert: fs.readFileSync(`${dir}/cert`) }).open();
	fs.rmSync(dir, { recursive: true });
	try {
		const order = await hmac.order({
			notify_url: `${stranger.url}/notify` });
		await sandbox.scan(order);
		const notice = await until('it was tried', async () => {
			const it = await notice_of(order);
			return it.deliveries.length === 1 && it;
		});
		assert.equal(notice.deliveries[0].status, 0);
		assert.equal(stranger.heard.length, 0);
	} finally {
		stranger.close();
	}
	expect(await s.wechat_http.post('/sandbox/notify',
		{ out_refund_no: number('R') }), 404);
});
