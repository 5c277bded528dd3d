// merchant: a merchant who is not us: his calls to WeChat are those of the npm
// package wechatpay-axios-plugin, and he hears what WeChat tells him.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import plugin from 'wechatpay-axios-plugin';
import { number } from './actors.mjs';
import * as wechat from './wechat.mjs';

export const PATHS = {
	unifiedorder: '/pay/unifiedorder',
	orderquery: '/pay/orderquery',
	closeorder: '/pay/closeorder',
	refund: '/secapi/pay/refund',
	refundquery: '/pay/refundquery',
	micropay: '/pay/micropay',
	reverse: '/secapi/pay/reverse',
};
const needs_cert = (api) => PATHS[api].startsWith('/secapi/');
const write = (fields) => wechat.xml(fields);
const SIGN_LENGTH = { MD5: 32, 'HMAC-SHA256': 64 };

export class Merchant {
	// sub: { sub_mch_id, sub_appid } of whom a service provider asks for.
	constructor(env, sign_type, { timeout = 15000, sub = {} } = {}) {
		this.env = env;
		this.sign_type = sign_type;
		this.sub = sub;
		const ca = fs.readFileSync(env.CA);
		this.plain = this.client({ ca }, timeout);
		this.with_cert = this.client({ ca,
			cert: fs.readFileSync(env.MERCHANT_CERT),
			key: fs.readFileSync(env.MERCHANT_KEY) }, timeout);
	}

	client(tls, timeout) {
		return plugin.Decorator.xmlBased({ mchid: this.env.MCHID,
			secret: this.env.API_KEY, baseURL: this.env.SANDBOX_URL,
			httpsAgent: new https.Agent(tls), timeout });
	}

	common() {
		return { appid: this.env.APPID, mch_id: this.env.MCHID,
			...this.sub, ...(this.sign_type === 'MD5' ? {}
				: { sign_type: this.sign_type }) };
	}

	// The answer as the package gives it, which has verified a success, and
	// what it objects to.  The package signs, but cannot write "]]>".
	async ask(api, fields, { cert = needs_cert(api) } = {}) {
		const client = cert ? this.with_cert : this.plain;
		const [sign] = client.defaults.transformRequest;
		try {
			const { data } = await client.post(PATHS[api],
				{ ...this.common(), ...fields },
				{ transformRequest: [sign, write] });
			return { data };
		} catch (error) {
			return { error: error.code ?? error.message,
				status: error.response?.status,
				data: error.response?.data };
		}
	}

	async done(api, fields, options) {
		const { data, error } = await this.ask(api, fields, options);
		assert.equal(error, undefined, JSON.stringify(data));
		assert.equal(data.sign.length, SIGN_LENGTH[this.sign_type]);
		const asked = { ...this.common(), ...fields };
		for (const name of ['appid', 'mch_id', 'sub_appid',
			'sub_mch_id'])
			assert.equal(data[name], asked[name], name);
		return data;
	}

	// A verified err_code.
	async refused(api, fields, err_code, options) {
		const { data } = await this.ask(api, fields, options);
		assert.equal(data.return_code, 'SUCCESS', JSON.stringify(data));
		assert.equal(data.result_code, 'FAIL', JSON.stringify(data));
		assert.equal(data.err_code, err_code, data.err_code_des);
		this.verify(data);
		return data;
	}

	verify(data) {
		assert.ok(wechat.verify(this.sign_type, data,
			this.env.API_KEY), JSON.stringify(data));
	}

	// return_code FAIL, which is never signed.
	async denied(api, fields, return_msg, options) {
		const { data } = await this.ask(api, fields, options);
		assert.deepEqual(Object.keys(data),
			['return_code', 'return_msg']);
		assert.equal(data.return_code, 'FAIL');
		assert.match(data.return_msg, return_msg);
	}

	order_fields(fields = {}) {
		return { body: 'tea', out_trade_no: number('B'),
			total_fee: '1000', spbill_create_ip: '127.0.0.1',
			trade_type: 'NATIVE', product_id: 'tea',
			notify_url: 'https://localhost:9/nobody', ...fields };
	}

	async order(fields) {
		const asked = this.order_fields(fields);
		return { ...asked, ...await this.done('unifiedorder', asked) };
	}

	refund_fields(order, fields = {}) {
		return { out_trade_no: order.out_trade_no,
			out_refund_no: number('R'), total_fee: order.total_fee,
			refund_fee: '100', ...fields };
	}

	// Paid by somebody's phone.
	async paid_order(sandbox, fields) {
		const order = await this.order(fields);
		return { ...order, ...await sandbox.scan(order) };
	}

	async refund(order, fields) {
		return this.done('refund', this.refund_fields(order, fields));
	}
}

// Where the merchant hears: an HTTPS server that WeChat's CA vouches for.
export class Ear {
	constructor({ DIR }, tls = {
		cert: fs.readFileSync(path.join(DIR, 'tls/server.pem')),
		key: fs.readFileSync(path.join(DIR, 'tls/server.key')) }) {
		this.heard = [];
		this.answer = () => ({ status: 200, body: wechat.SUCCESS });
		this.server = https.createServer(tls, (request, response) => {
			const chunks = [];
			request.on('data', (chunk) => chunks.push(chunk));
			request.on('end', () => this.hear(request, response,
				Buffer.concat(chunks).toString()));
		});
	}

	hear(request, response, body) {
		const { url, headers } = request;
		const notice = { at: performance.now(), url, headers,
			type: headers['content-type'], body };
		this.heard.push(notice);
		const { status, body: reply } = this.answer(notice) ?? {};
		if (status)		// else: silence
			response.writeHead(status).end(reply);
	}

	async open() {
		await new Promise((resolve) =>
			this.server.listen(0, 'localhost', resolve));
		this.url = `https://localhost:${this.server.address().port}`;
		return this;
	}

	close() {
		this.server.closeAllConnections();
		this.server.close();
	}

	about(word) {
		return this.heard.filter((notice) => notice.url === `/${word}`);
	}
}
