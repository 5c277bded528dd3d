// WeChat's V3 as another author would have written it: an HTTPS server that
// judges every request of ours, signs its answers, and encrypts and signs its
// notices with the npm package wechatpay-axios-plugin.  Both key modes.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { expect } from './lib/actors.mjs';
import { other_and_stack } from './lib/other_wechat3.mjs';
import { only } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat3 from './lib/wechat3.mjs';

only('v3');
const HARD = '龙井 & <茶> = "]]>" \'100%\' a=b&key=c \\ / {"a":1}';
const TEXTS = ['a&b=c', '"', '\\', '\\u0041', '/', '</script>', '%00', 'a+b c',
	'中文，全角！', 'é ñ ü', '\u2028', '\u00a0', '{"a":"b"}', "'", '\\n',
	'null', '0'];

// All before the first test: when those that are known are done, it is over.
const pairs = [await other_and_stack('plugin_public', 'public'),
	await other_and_stack('plugin_certificate', 'certificate')];
after(() => console.log(`# plugin_v3: ${pairs.map(({ other }) =>
	`${other.requests.length} requests judged, ${other.mode}`)
	.join('; ')}`));

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/;

function assert_believed(answer) {
	assert.equal(answer.status, 204, answer.toString());
	assert.equal(answer.text, '');
}

for (const { other, s } of pairs) {
	const { shop, staff } = s;
	const kind = `${other.mode}: `;
	const asked = (call, number) => other.requests.filter((request) =>
		request.call === call && request.number === number);
	const refunding = async (order, refund_fee, reason) => {
		const refund = expect(await shop.refund(order, { refund_fee,
			reason }), 201).json;
		await staff.approve(refund);
		return { refund, theirs: await until('WeChat has the refund',
			() => other.refunds.get(refund.out_refund_no)) };
	};
	const step = async (number, to_state) => (await s.sql(`select reason
		from wxpay_data.steps where number = $1 and to_state = $2`,
		number, to_state)).map((row) => row.reason);

	test(`${kind}ordered, told, refunded, told, in hard text`, async () => {
		const order = await shop.signed_order({ body: HARD,
			attach: HARD, total_fee: 101 });
		assert.equal(order.code_url, `weixin://${order.out_trade_no}`);
		const [{ body }] = asked('native', order.out_trade_no);
		assert.equal(body.description, HARD);
		assert.equal(body.attach, HARD);
		assert.deepEqual(body.amount.total, 101);
		assert.equal(body.notify_url, `${s.env.WXPAY_URL}/notify/paid`);
		assert.match(body.time_expire, RFC3339);

		const payment = other.pay(order.out_trade_no);
		for (let i = 0; i < 2; i++)
			assert_believed(await other.tell(payment));
		assert.equal(await shop.state(order), 'paid');
		assert.deepEqual(await s.events(order.order_no),
			['order.paid']);

		const { refund, theirs } = await refunding(order, 51,
			'退款 & <=]]>');
		const [sent] = asked('refund', refund.out_refund_no);
		assert.equal(sent.body.reason, '退款 & <=]]>');
		assert.equal(sent.body.transaction_id, payment.transaction_id);
		assert.equal(sent.body.amount.refund, 51);
		assert.equal(sent.body.amount.total, 101);
		assert.equal(sent.body.notify_url,
			`${s.env.WXPAY_URL}/notify/refunded`);
		// Every query says PROCESSING: the notice is what moves it.
		for (let i = 0; i < 2; i++)
			assert_believed(await other.tell_refund({ ...theirs,
				status: 'SUCCESS' }));
		assert.equal(await shop.refund_state(order, refund),
			'refunded');
		assert.deepEqual(await step(refund.out_refund_no, 'refunded'),
			['refund notice']);
	});

	test(`${kind}JSAPI, found by the worker without a notice`, async () => {
		const order = expect(await shop.pay({ ...shop.signed(
			{ body: '中文 JSAPI' }), trade_type: 'JSAPI',
			openid: 'oOther-Payer' }), 201).json;
		const [{ body }] = asked('jsapi', order.out_trade_no);
		assert.deepEqual(body.payer, { openid: 'oOther-Payer' });
		assert.equal(order.pay.package,
			`prepay_id=wx${order.out_trade_no}`);
		s.voice.assert_jsapi(order.pay);
		other.pay(order.out_trade_no);
		await until('the worker found it',
			async () => await shop.state(order) === 'paid');
		const row = await s.payment(order.out_trade_no);
		assert.equal(row.payer, 'oOther-Payer');
		assert.equal(row.api, 'v3');
	});

	test(`${kind}an app pays, under its own appid`, async () => {
		const order = expect(await shop.pay({ ...shop.signed(),
			trade_type: 'APP' }), 201).json;
		const [{ body }] = asked('app', order.out_trade_no);
		assert.equal(body.appid, s.env.APP_APPID);
		assert.equal(order.pay.prepayid, `wx${order.out_trade_no}`);
		s.voice.assert_app(order.pay);
		assert_believed(await other.tell(other.pay(
			order.out_trade_no)));
		assert.equal(await shop.state(order), 'paid');
		assert.equal((await s.payment(order.out_trade_no)).appid,
			s.env.APP_APPID);
	});

	test(`${kind}H5, from the shopper's own address`, async () => {
		const order = expect(await shop.pay({ ...shop.signed(),
			trade_type: 'MWEB' },
			{ 'x-forwarded-for': '203.0.113.7' }), 201).json;
		const [{ body }] = asked('h5', order.out_trade_no);
		assert.match(body.scene_info.payer_client_ip,
			/^(127\.0\.0\.1|::1)$/);
		assert.deepEqual(body.scene_info.h5_info, { type: 'Wap' });
		assert.equal(order.h5_url,
			`https://wx.tenpay.com/${order.out_trade_no}`);
		other.pay(order.out_trade_no);
		await until('the worker found it',
			async () => await shop.state(order) === 'paid');
	});

	test(`${kind}closed, by 204 without a body`, async () => {
		const order = await shop.signed_order();
		await shop.close(order);
		await until('it is closed',
			async () => await shop.state(order) === 'closed');
		assert.equal(other.payments.get(order.out_trade_no).trade_state,
			'CLOSED');
	});

	test(`${kind}text of every kind arrives as it was, signed`,
		async () => {
		for (const text of TEXTS) {
			const order = await shop.signed_order({ body: text,
				attach: text });
			const [{ body }] = asked('native', order.out_trade_no);
			assert.equal(body.description, text);
			assert.equal(body.attach, text);
			assert_believed(await other.tell(other.pay(
				order.out_trade_no)));
		}
	});

	test(`${kind}a refund found by query: SUCCESS, CLOSED, ABNORMAL`,
		async () => {
		const order = await shop.signed_order({ total_fee: 300 });
		assert_believed(await other.tell(other.pay(
			order.out_trade_no)));
		const ends = [['SUCCESS', 'refunded'], ['CLOSED', 'failed'],
			['ABNORMAL', 'failed']];
		for (const [status, state] of ends) {
			const { refund, theirs } = await refunding(order, 50);
			theirs.status = status;
			// Those that are no success make the worker ask.
			if (status !== 'SUCCESS')
				assert_believed(await other.tell_refund(theirs));
			await s.refund_becomes(order, refund, state);
			assert.ok(asked('refund_query',
				refund.out_refund_no).length > 0);
			if (status !== 'ABNORMAL')
				continue;
			// The money that was on its way has arrived.
			theirs.status = 'SUCCESS';
			assert_believed(await other.tell_refund(theirs));
			await s.refund_becomes(order, refund, 'refunded');
		}
	});

	// ---- odd, and legal

	const spelled = (change) => (message) => {
		const headers = Object.fromEntries(Object.entries(
			message.headers).map(([name, value]) =>
			[name, change(name, value)]).filter(([, value]) =>
			value !== undefined));
		return { ...message, headers };
	};
	const in_serial = (change) => spelled((name, value) =>
		name === 'wechatpay-serial' ? change(value) : value);
	const ODD_HEADERS = [
		['no Signature-Type', spelled((name, value) =>
			name === 'wechatpay-signature-type' ? undefined
				: value)],
		['header names in capitals', (message) => ({ ...message,
			headers: Object.fromEntries(Object.entries(
				message.headers).map(([name, value]) =>
				[name.toUpperCase(), value])) })],
		...other.mode === 'public' ? [] : [
			['a serial in lower case', in_serial((serial) =>
				serial.toLowerCase())],
			['a serial without its leading zeros', in_serial(
				(serial) => serial.replace(/^0+/, ''))],
		],
	];
	const ODD_TIMES = [
		['a fraction of a second', (iso) => iso.replace('Z', '+00:00')],
		['Z', (iso) => iso.replace(/\.\d+Z/, 'Z')],
		['a fraction and Z', (iso) => iso],
		['another offset', (iso) => new Date(Date.parse(iso) - 5400e3)
			.toISOString().replace(/\.\d+Z/, '-01:30')],
	];

	// The whole way with all that is said changed.
	async function whole_way(change = (message) => message) {
		const end = other.next('*', change, Infinity);
		try {
			const order = await shop.signed_order({
				total_fee: 100 });
			assert_believed(await other.tell(other.pay(
				order.out_trade_no), change));
			assert.equal(await shop.state(order), 'paid');
			const { refund, theirs } = await refunding(order, 40);
			theirs.status = 'SUCCESS';
			await s.refund_becomes(order, refund, 'refunded');
			const found = await shop.signed_order();
			other.pay(found.out_trade_no);
			await until('the worker found it', async () =>
				await shop.state(found) === 'paid');
			return order;
		} finally {
			end.left = 0;
		}
	}

	for (const [what, change] of ODD_HEADERS)
		test(`${kind}accepted: ${what}`, async () => {
			// Of the two, the serial that begins with zeros.
			if (other.mode === 'certificate')
				other.signs_instead = wechat3.platform_signer(
					s.env, 2);
			try {
				await whole_way(change);
			} finally {
				other.signs_instead = undefined;
			}
		});

	for (const [what, spell] of ODD_TIMES)
		test(`${kind}accepted: times with ${what}`, async () => {
			const usual = other.time;
			const now = new Date(Math.floor(Date.now() / 1000) * 1000
				+ 120);
			other.time = () => spell(now.toISOString());
			try {
				const order = await whole_way();
				const { paid_at } = await s.payment(
					order.out_trade_no);
				assert.ok(Math.abs(paid_at - now) < 1000,
					`${paid_at} is ${now}`);
			} finally {
				other.time = usual;
			}
		});

	const resigned = (object) => {
		const { text, headers } = other.signed(200, object);
		return { text, headers };
	};

	test(`${kind}accepted: fields that nobody knows yet`, async () => {
		const usual = { transaction: other.transaction,
			refund_object: other.refund_object };
		const more = { new_field: 'x', another: { deep: [1, null,
			{ a: true }] }, rate: 1.5, nothing: null };
		other.transaction = (payment) => ({ ...more,
			...usual.transaction.call(other, payment) });
		other.refund_object = (refund) => ({
			...usual.refund_object.call(other, refund), ...more });
		try {
			await whole_way((message) => {
				// Of the notice's envelope, of answers as a whole.
				const object = message.text
					? JSON.parse(message.text) : null;
				return object ? { ...message,
					...resigned({ ...object, ...more }) }
					: message;
			});
		} finally {
			Object.assign(other, usual);
		}
	});

	test(`${kind}a no with detail, unsigned: nothing was done`, async () => {
		other.next('native', (good) => ({ status: 400, headers: {
			'content-type': 'application/json; charset=utf-8' },
			text: JSON.stringify({ code: 'PARAM_ERROR',
				message: '参数错误', detail: {
					field: '/amount/currency', value: 'XYZ',
					issue: 'Currency code is invalid',
					location: 'body' } }) }));
		const what = shop.signed();
		const refused = await shop.pay({ ...what,
			trade_type: 'NATIVE' });
		assert.notEqual(refused.status, 201, refused.toString());
		const again = await until('the same POST goes on', async () => {
			const answer = await shop.pay({ ...what,
				trade_type: 'NATIVE' });
			return answer.status === 201 && answer;
		});
		assert_believed(await other.tell(other.pay(
			again.json.out_trade_no)));
		assert.equal(await shop.state(again.json), 'paid');
	});

	test(`${kind}404 for a query, unsigned, moves nothing`, async () => {
		const order = await shop.signed_order();
		other.next('query', () => ({ status: 404, headers: {},
			text: '{"code":"ORDER_NOT_EXIST","message":"x"}' }), 2);
		const before = asked('query', order.out_trade_no).length;
		await until('it was asked', () => asked('query',
			order.out_trade_no).length > before + 2);
		assert.equal(await shop.state(order), 'pending');
		assert_believed(await other.tell(other.pay(
			order.out_trade_no)));
		assert.equal(await shop.state(order), 'paid');
	});

	test(`${kind}and it had nothing to object to`, () => {
		assert.ok(other.requests.length > 50);
		assert.deepEqual(other.problems, []);
	});
}
