// WeChat as another author would have written it: an HTTPS server that judges
// every request of ours, signs its answers and sends its notices with the npm
// package wechatpay-axios-plugin.  MD5 and HMAC-SHA256.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { expect } from './lib/actors.mjs';
import { other_wechat } from './lib/certificates.mjs';
import { only, port_of, stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

only('v2');
const HARD = '龙井 & <茶> = "]]>" \'100%\' a=b&key=c';

const REQUIRED = {
	'/pay/unifiedorder': ['body', 'out_trade_no', 'total_fee',
		'spbill_create_ip', 'notify_url', 'trade_type', 'time_expire'],
	'/pay/orderquery': ['out_trade_no'],
	'/pay/closeorder': ['out_trade_no'],
	'/secapi/pay/refund': ['transaction_id', 'out_refund_no', 'total_fee',
		'refund_fee', 'notify_url'],
	'/pay/refundquery': ['out_refund_no'],
};

// What it objects to is kept in problems; the tests want none.
class OtherWeChat {
	constructor(dir, port, sign_type) {
		this.sign_type = sign_type;
		this.dir = dir;
		this.port = port;
		this.requests = [];
		this.problems = [];
		this.nonces = new Set();
		this.payments = new Map();
		this.refunds = new Map();
	}

	async start() {
		this.server = https.createServer({
			cert: fs.readFileSync(path.join(this.dir,
				'server.pem')),
			key: fs.readFileSync(path.join(this.dir, 'server.key')),
			requestCert: true, rejectUnauthorized: false,
		}, (request, response) => this.serve(request, response));
		await new Promise((resolve) =>
			this.server.listen(this.port, 'localhost', resolve));
	}

	must(is_true, what) {
		if (!is_true)
			this.problems.push(what);
	}

	async serve(request, response) {
		const chunks = [];
		for await (const chunk of request)
			chunks.push(chunk);
		if (request.url.startsWith('/v3/')) {
			// V3's keys are configured, too.
			response.writeHead(404, { 'content-type':
				'application/json' });
			response.end('{"code":"RESOURCE_NOT_EXISTS"}');
			return;
		}
		const text = Buffer.concat(chunks).toString();
		const fields = wechat.parse(text);
		this.judge(request, fields);
		this.requests.push({ url: request.url, fields });
		const body = { return_code: 'SUCCESS', return_msg: 'OK',
			result_code: 'SUCCESS', appid: fields.appid,
			mch_id: fields.mch_id, nonce_str: wechat.nonce(),
			...this.answer(request.url, fields) };
		response.writeHead(200, { 'content-type': 'text/plain' });
		response.end(wechat.xml(wechat.signed(this.sign_type, body,
			this.env.API_KEY)));
	}

	judge(request, fields) {
		const { url } = request;
		const where = `${url} ${fields.out_trade_no ?? ''}`;
		this.must(REQUIRED[url], `${where}: no such call`);
		this.must(request.method === 'POST', `${where}: method`);
		this.must(/^(text|application)\/xml/.test(
			request.headers['content-type']),
				`${where}: content type`);
		this.must(request.headers['content-length'],
			`${where}: length`);
		this.must(!request.headers['accept-encoding'],
			`${where}: accepts compression`);
		this.must(wechat.verify(this.sign_type, fields,
			this.env.API_KEY), `${where}: signature`);
		this.must((fields.sign_type ?? 'MD5') === this.sign_type,
			`${where}: sign_type`);
		this.must(/^[0-9A-Za-z]{1,32}$/.test(fields.nonce_str),
			`${where}: nonce_str`);
		this.must(!this.nonces.has(fields.nonce_str),
			`${where}: nonce_str again`);
		this.nonces.add(fields.nonce_str);
		for (const name of [...REQUIRED[url] ?? [], 'appid', 'mch_id'])
			this.must(fields[name], `${where}: ${name}`);
		for (const [name, value] of Object.entries(fields))
			this.must(value !== '', `${where}: ${name} is empty`);
		const cert = request.socket.getPeerCertificate();
		this.must(!url.startsWith('/secapi/')
			|| cert.fingerprint256 === this.fingerprint,
			`${where}: client certificate`);
	}

	answer(url, fields) {
		const payment = [...this.payments.values()].find((it) =>
			fields.transaction_id
				? it.transaction_id === fields.transaction_id
				: it.out_trade_no === fields.out_trade_no);
		const refund = this.refunds.get(fields.out_refund_no);
		// An earlier run's, if its database is still there.
		if (!payment && !/unifiedorder|refundquery/.test(url))
			return { result_code: 'FAIL',
				err_code: 'ORDERNOTEXIST' };
		switch (url) {
		case '/pay/unifiedorder':
			this.payments.set(fields.out_trade_no, { ...fields,
				trade_state: 'NOTPAY' });
			return { trade_type: fields.trade_type,
				prepay_id: `wx${fields.out_trade_no}`,
				code_url: fields.trade_type === 'NATIVE'
					? `weixin://${fields.out_trade_no}`
					: undefined,
				mweb_url: fields.trade_type === 'MWEB'
					? `https://wx.tenpay.com/${
						fields.out_trade_no}&x=<1>`
					: undefined };
		case '/pay/orderquery':
			return this.paid_fields(payment);
		case '/pay/closeorder':
			payment.trade_state = 'CLOSED';
			return {};
		case '/secapi/pay/refund':
			this.refunds.set(fields.out_refund_no, { ...fields,
				out_trade_no: payment.out_trade_no });
			return { transaction_id: fields.transaction_id,
				out_trade_no: payment.out_trade_no,
				out_refund_no: fields.out_refund_no,
				refund_id: `5000${fields.refund_fee}`,
				refund_fee: fields.refund_fee,
				total_fee: fields.total_fee,
					cash_fee: fields.total_fee };
		case '/pay/refundquery':
			return refund ? { transaction_id: refund.transaction_id,
				out_trade_no: refund.out_trade_no,
				total_fee: refund.total_fee,
					cash_fee: refund.total_fee,
				refund_count: '1',
				out_refund_no_0: refund.out_refund_no,
				refund_id_0: `5000${refund.refund_fee}`,
				refund_channel_0: 'ORIGINAL',
				refund_fee_0: refund.refund_fee,
				refund_status_0: refund.status ?? 'PROCESSING',
				refund_recv_accout_0: '支付用户零钱',
				refund_success_time_0: '2026-01-16 10:00:05' }
				: { result_code: 'FAIL',
					err_code: 'REFUNDNOTEXIST' };
		}
		return { result_code: 'FAIL', err_code: 'SYSTEMERROR' };
	}

	paid_fields({ sign, sign_type, nonce_str, ...payment }) {
		return { out_trade_no: payment.out_trade_no,
			trade_state: payment.trade_state,
				trade_state_desc: '状态',
			total_fee: payment.total_fee, attach: payment.attach,
			...payment.trade_state === 'SUCCESS' ? {
				openid: 'oOther-Payer', is_subscribe: 'N',
				trade_type: payment.trade_type,
					bank_type: 'CMB_CREDIT',
				cash_fee: payment.total_fee, fee_type: 'CNY',
				transaction_id: payment.transaction_id,
				time_end: wechat.beijing(new Date()) } : {} };
	}

	pay(out_trade_no) {
		const payment = this.payments.get(out_trade_no);
		payment.trade_state = 'SUCCESS';
		payment.transaction_id = wechat.transaction_id();
		return payment;
	}

	// Told where the order said, as a notice says it.
	async tell(payment) {
		const { trade_state, trade_state_desc, ...fields }
			= this.paid_fields(payment);
		return this.send(payment.notify_url, wechat.xml(wechat.signed(
			this.sign_type, { return_code: 'SUCCESS',
				result_code: 'SUCCESS', appid: payment.appid,
				mch_id: payment.mch_id,
					nonce_str: wechat.nonce(),
				...fields }, this.env.API_KEY)));
	}

	tell_refund(refund, refund_status) {
		const inner =
			wechat.xml({ transaction_id: refund.transaction_id,
			out_trade_no: refund.out_trade_no,
			refund_id: `5000${refund.refund_fee}`,
			out_refund_no: refund.out_refund_no,
			total_fee: refund.total_fee,
				refund_fee: refund.refund_fee,
			settlement_refund_fee: refund.refund_fee, refund_status,
			success_time: '2026-01-16 10:00:05',
			refund_recv_accout: '支付用户零钱',
			refund_account: 'REFUND_SOURCE_UNSETTLED_FUNDS',
			refund_request_source: 'API' }, 'root');
		return this.send(refund.notify_url, wechat.xml({
			return_code: 'SUCCESS', appid: refund.appid,
			mch_id: refund.mch_id, nonce_str: wechat.nonce(),
			req_info: wechat.seal(this.env.API_KEY, inner) }));
	}

	send(url, body) {
		assert.ok(url.startsWith(`${this.env.WXPAY_URL}/notify/`), url);
		return this.shop_http.post(new URL(url).pathname, body,
			{ 'content-type': 'text/xml' });
	}
}

const shared = process.env.WXPAY_STACKS;
const home = shared ?? fs.mkdtempSync(path.join(os.tmpdir(), 'wxpay-e2e-'));
const dir = await other_wechat(path.join(home, 'other_wechat'));

async function other_and_stack(profile) {
	const port = port_of(profile) + 9;
	const other = new OtherWeChat(dir, port,
		profile === 'plugin_md5' ? 'MD5' : 'HMAC-SHA256');
	other.fingerprint = new X509Certificate(fs.readFileSync(
		path.join(dir, 'merchant.pem'))).fingerprint256;
	await other.start();
	let s = null;
	after(async () => {
		// It would go on asking a WeChat that is no more.
		await s?.kill('worker', 'SIGTERM');
		other.server.close();
		other.server.closeAllConnections();
		console.log(
			`# plugin: ${other.requests.length} requests judged, `
			+ other.sign_type);
	});
	s = await stack(profile, {
		WECHAT_URL: `https://localhost:${port}`,
		WECHAT_CA: path.join(dir, 'server.pem'),
		MERCHANT_CERT: path.join(dir, 'merchant.pem'),
		MERCHANT_KEY: path.join(dir, 'merchant.key') });
	other.env = s.env;
	other.shop_http = s.http;
	return { other, s };
}

// All before the first test: when those that are known are done, it is over.
const pairs = [await other_and_stack('plugin_hmac'),
	await other_and_stack('plugin_md5')];

for (const { other, s } of pairs) {
	const { shop, staff } = s;
	const kind = `${other.sign_type}: `;
	const asked = (url, number) => other.requests.filter((request) =>
		request.url === url && [request.fields.out_trade_no,
			request.fields.out_refund_no].includes(number));

	test(`${kind}ordered, told, refunded, told, in hard text`, async () => {
		const order = await shop.signed_order({ body: HARD,
			attach: HARD, total_fee: 101 });
		assert.equal(order.code_url,
			`weixin://${order.out_trade_no}`);
		const [{ fields }] = asked('/pay/unifiedorder',
			order.out_trade_no);
		assert.equal(fields.body, HARD);
		assert.equal(fields.attach, HARD);
		assert.equal(fields.total_fee, '101');
		assert.equal(fields.trade_type, 'NATIVE');
		assert.equal(fields.spbill_create_ip, '127.0.0.1');
		assert.equal(fields.notify_url,
			`${s.env.WXPAY_URL}/notify/paid`);

		const payment = other.pay(order.out_trade_no);
		for (let i = 0; i < 2; i++) {
			const answer = await other.tell(payment);
			assert.equal(answer.text, wechat.SUCCESS);
			assert.equal(wechat.parse(answer.text).return_code,
				'SUCCESS');
		}
		assert.equal(await shop.state(order), 'paid');
		assert.deepEqual(await s.events(order.order_no),
			['order.paid']);

		const refund = expect(await shop.refund(order, { refund_fee: 51,
			reason: '退款 & <=]]>' }), 201).json;
		await staff.approve(refund);
		const [sent] = asked('/secapi/pay/refund',
			refund.out_refund_no);
		assert.equal(sent.fields.refund_desc, '退款 & <=]]>');
		assert.equal(sent.fields.transaction_id,
			payment.transaction_id);
		assert.equal(sent.fields.refund_fee, '51');
		assert.equal(sent.fields.total_fee, '101');
		const theirs = other.refunds.get(refund.out_refund_no);
		const told = await other.tell_refund(theirs, 'SUCCESS');
		assert.equal(told.text, wechat.SUCCESS);
		await until('it was asked about',
			() => asked('/pay/refundquery',
			refund.out_refund_no).length > 0);
		assert.equal(await shop.refund_state(order, refund),
			'refunding', 'PROCESSING, says the query');
		theirs.status = 'SUCCESS';
		await other.tell_refund(theirs, 'SUCCESS');
		await s.refund_becomes(order, refund, 'refunded');
	});

	test(`${kind}JSAPI, found by the worker without a notice`, async () => {
		const order = expect(await shop.pay({ ...shop.signed(
			{ body: '中文 JSAPI' }), trade_type: 'JSAPI',
			openid: 'oOther-Payer' }), 201).json;
		const { paySign, ...object } = order.pay;
		assert.equal(object.package,
			`prepay_id=wx${order.out_trade_no}`);
		assert.equal(object.signType, other.sign_type);
		assert.ok(wechat.verify(other.sign_type, { ...object,
			sign: paySign }, s.env.API_KEY));
		other.pay(order.out_trade_no);
		await until('the worker found it',
			async () => await shop.state(order) === 'paid');
		const row = await s.payment(order.out_trade_no);
		assert.equal(row.payer, 'oOther-Payer');
	});

	test(`${kind}an app pays, under its own appid`, async () => {
		const order = expect(await shop.pay({ ...shop.signed(),
			trade_type: 'APP' }), 201).json;
		const [{ fields }] = asked('/pay/unifiedorder',
			order.out_trade_no);
		assert.equal(fields.appid, s.env.APP_APPID);
		assert.equal(fields.trade_type, 'APP');
		const { sign, ...object } = order.pay;
		assert.equal(object.prepayid, `wx${order.out_trade_no}`);
		assert.ok(wechat.verify(other.sign_type, { ...object, sign },
			s.env.API_KEY));
		other.pay(order.out_trade_no);
		await until('the worker found it',
			async () => await shop.state(order) === 'paid');
	});

	test(`${kind}H5, from the shopper's own address`, async () => {
		const order = expect(await shop.pay({ ...shop.signed(),
			trade_type: 'MWEB' },
			{ 'x-forwarded-for': '203.0.113.7' }), 201).json;
		const [{ fields }] = asked('/pay/unifiedorder',
			order.out_trade_no);
		assert.match(fields.spbill_create_ip, /^(127\.0\.0\.1|::1)$/);
		const { h5_info } = JSON.parse(fields.scene_info);
		assert.equal(h5_info.type, 'Wap');
		assert.equal(h5_info.wap_url, s.env.WXPAY_URL);
		assert.equal(order.h5_url,
			`https://wx.tenpay.com/${order.out_trade_no}&x=<1>`);
		other.pay(order.out_trade_no);
		await until('the worker found it',
			async () => await shop.state(order) === 'paid');
	});

	test(`${kind}closed`, async () => {
		const order = await shop.signed_order();
		await shop.close(order);
		await until('it is closed',
			async () => await shop.state(order) === 'closed');
		assert.equal(other.payments.get(order.out_trade_no).trade_state,
			'CLOSED');
	});

	test(`${kind}text of every kind arrives as it was, signed`,
		async () => {
		const texts = ['a&b=c', '<![CDATA[x]]>', ']]>', ']]]]>>',
			'&amp;',
			'&#65;', "'\"", '100%', 'a+b c', '中文，全角！', 'é ñ ü',
			'\u2028', '{"a":"b"}', 'key=abc', '\\n', 'a;b#c?d'];
		for (const text of texts) {
			const order = await shop.signed_order({ body: text,
				attach: text });
			const [{ fields }] = asked('/pay/unifiedorder',
				order.out_trade_no);
			assert.equal(fields.body, text);
			assert.equal(fields.attach, text);
			const answer = await other.tell(other.pay(
				order.out_trade_no));
			assert.equal(answer.text, wechat.SUCCESS, text);
		}
	});

	test(`${kind}and it had nothing to object to`, () => {
		assert.ok(other.requests.length > 20);
		assert.deepEqual(other.problems, []);
	});
}

if (!shared)
	after(() => fs.rmSync(home, { recursive: true }));
