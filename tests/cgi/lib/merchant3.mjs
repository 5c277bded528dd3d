// merchant3: a merchant who is not us and speaks API V3: his calls are those
// of the npm package wechatpay-axios-plugin, and so are his verdicts.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import plugin from 'wechatpay-axios-plugin';
import { number } from './actors.mjs';
import { serial_of } from './wechat3.mjs';

const { Aes, Decorator, Formatter, Rsa } = plugin;
export const REFUNDS = '/v3/refund/domestic/refunds';

// What WeChat may sign with: {serial: PEM}.
export const certs_of = (env) => ({
	[env.WECHAT_PUB_KEY_ID]: fs.readFileSync(env.WECHAT_PUB_KEY),
	[serial_of(env.PLATFORM_CERT_1)]: fs.readFileSync(env.PLATFORM_CERT_1),
	[serial_of(env.PLATFORM_CERT_2)]: fs.readFileSync(env.PLATFORM_CERT_2),
});

export class Merchant3 {
	// sub: { sub_mchid, sub_appid } of whom a service provider asks for.
	constructor(env, { timeout = 15000, sub } = {}) {
		this.env = env;
		this.sub = sub;
		this.path = `/v3/pay/${sub ? 'partner/' : ''}transactions`;
		this.mchids = sub ? { sp_mchid: env.MCHID,
			sub_mchid: sub.sub_mchid } : { mchid: env.MCHID };
		this.parties = sub ? { sp_appid: env.APPID,
			...this.mchids, ...sub }
			: { appid: env.APPID, ...this.mchids };
		this.certs = certs_of(env);
		this.key = fs.readFileSync(env.MERCHANT_KEY);
		this.client = Decorator.jsonBased({ mchid: env.MCHID, timeout,
			serial: env.MERCHANT_SERIAL, privateKey: this.key,
			certs: { ...this.certs }, baseURL: env.SANDBOX_URL,
			httpsAgent: new https.Agent(
				{ ca: fs.readFileSync(env.CA) }) });
	}

	// The answer as the package gives it, which has verified a success, and
	// what it objects to.
	async ask(method, url, data, headers = {}) {
		let text;
		const transformResponse = [(raw) => (text = raw),
			...this.client.defaults.transformResponse];
		const shape = (response, error) => ({ error,
			status: response?.status, data: response?.data,
			headers: response?.headers, text,
			serial: response?.headers['wechatpay-serial'] });
		try {
			return shape(await this.client.request({ method, url,
				data, headers, transformResponse }));
		} catch (error) {
			return shape(error.response,
				error.code ?? error.message);
		}
	}

	async done(method, url, data, headers) {
		const answer = await this.ask(method, url, data, headers);
		assert.equal(answer.error, undefined, answer.text);
		return answer;
	}

	// A code with its status, signed, whatever the package thinks of it.
	async refused(method, url, data, status, code, headers) {
		const answer = await this.ask(method, url, data, headers);
		assert.deepEqual([answer.status, answer.data?.code],
			[status, code], answer.text);
		this.verify(answer.headers, answer.text);
		return answer;
	}

	is_proved(headers, body) {
		return Rsa.verify(Formatter.response(
			headers['wechatpay-timestamp'],
			headers['wechatpay-nonce'], body),
			headers['wechatpay-signature'],
			this.certs[headers['wechatpay-serial']]);
	}

	verify(headers, body) {
		assert.equal(headers['wechatpay-signature-type'],
			'WECHATPAY2-SHA256-RSA2048');
		assert.ok(this.is_proved(headers, body), body);
	}

	open({ ciphertext, nonce, associated_data }) {
		return Aes.AesGcm.decrypt(ciphertext, this.env.APIV3_KEY,
			nonce, associated_data);
	}

	// Headers of a request of one's own making.
	headers(method, url, body = '', { mchid = this.env.MCHID,
		serial = this.env.MERCHANT_SERIAL, key = this.key,
		at = Formatter.timestamp(), signed = url } = {}) {
		const nonce = Formatter.nonce(32);
		return { accept: 'application/json', 'user-agent': 'e2e/1',
			'content-type': 'application/json',
			authorization: Formatter.authorization(mchid, nonce,
				Rsa.sign(Formatter.request(method, signed, at,
					nonce, body), key), at, serial) };
	}

	order_fields(fields = {}) {
		return { ...this.parties, description: 'tea',
			out_trade_no: number('C'),
			notify_url: 'https://localhost:9/nobody',
			amount: { total: 1000, currency: 'CNY' }, ...fields };
	}

	async order(fields = {}, type = 'native') {
		const asked = this.order_fields(fields);
		const { data } = await this.done('POST',
			`${this.path}/${type}`, asked);
		return { ...asked, ...data };
	}

	// Paid by somebody's phone.
	async paid_order(sandbox, fields) {
		const order = await this.order(fields);
		return { ...order, ...await sandbox.scan(order) };
	}

	query_url({ out_trade_no, transaction_id }) {
		return (transaction_id ? `${this.path}/id/${transaction_id}`
			: `${this.path}/out-trade-no/${out_trade_no}`)
			+ `?${new URLSearchParams(this.mchids)}`;
	}

	async query(by) {
		return (await this.done('GET', this.query_url(by))).data;
	}

	close_url({ out_trade_no }) {
		return `${this.path}/out-trade-no/${out_trade_no}/close`;
	}

	close(order) {
		return this.done('POST', this.close_url(order), this.mchids);
	}

	refund_fields(order, fields = {}) {
		return { sub_mchid: this.sub?.sub_mchid,
			transaction_id: order.transaction_id,
			out_refund_no: number('R'), amount: { refund: 100,
				total: order.amount.total, currency: 'CNY' },
			...fields };
	}

	async refund(order, fields) {
		return (await this.done('POST', REFUNDS,
			this.refund_fields(order, fields))).data;
	}

	async refund_query({ out_refund_no }) {
		return (await this.done('GET', `${REFUNDS}/${out_refund_no}`
			+ (this.sub ? `?sub_mchid=${this.sub.sub_mchid}`
				: ''))).data;
	}
}
