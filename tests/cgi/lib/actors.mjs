// actors: who takes part in a payment, and what each may do.
import { randomBytes } from 'node:crypto';
import assert from 'node:assert/strict';
import * as wechat from './wechat.mjs';

export const random = (bytes = 16) => randomBytes(bytes).toString('hex');

// An order number that nobody has had.
export const number = (prefix = 'T') => `${prefix}${random(9)}`;

export function expect(answer, status) {
	assert.equal(answer.status, status, answer.toString());
	return answer;
}

// The shop's page, and the shopper in front of it.
export class Shop {
	constructor(client, env) {
		this.client = client;
		this.env = env;
	}

	pay(fields, headers) {
		return this.client.post('/pay', fields, headers);
	}

	// A product, shown as a QR code.
	async order(fields = {}) {
		return expect(await this.pay({ product_id: this.env.PRODUCT_ID,
			quantity: 1, trade_type: 'NATIVE', request_id: random(),
			...fields }), 201).json;
	}

	// What the shop vouches for, and its signature over exactly that.
	signed(fields = {}) {
		const what = { order_no: number(), total_fee: 1000,
			body: 'Signed by the shop',
			time_expire: wechat.beijing(new Date(Date.now()
				+ 3600e3)),
			...fields };
		return wechat.signed('HMAC-SHA256', what, this.env.SHOP_KEY);
	}

	async signed_order(fields = {}, how = { trade_type: 'NATIVE' }) {
		return expect(await this.pay({ ...this.signed(fields),
			...how }), 201).json;
	}

	show(order) {
		return this.client.get(
			`/pay/${order.order_no}?token=${order.token}`);
	}

	async state(order) {
		return expect(await this.show(order), 200).json.state;
	}

	close(order) {
		return this.client.post(`/pay/${order.order_no}/close`,
			{ token: order.token });
	}

	check(order) {
		return this.client.post(`/pay/${order.order_no}/check`,
			{ token: order.token });
	}

	refund(order, fields = {}) {
		return this.client.post('/refund', { order_no: order.order_no,
			token: order.token, request_id: random(), ...fields });
	}

	async refund_requested(order, refund_fee) {
		return expect(await this.refund(order, { refund_fee }),
			201).json;
	}

	show_refund(order, refund) {
		return this.client.get(`/refund/${refund.out_refund_no}`
			+ `?token=${order.token}`);
	}

	async refund_state(order, refund) {
		return expect(await this.show_refund(order, refund), 200)
			.json.state;
	}
}

export const basic = (name, password) => 'Basic '
	+ Buffer.from(`${name}:${password}`).toString('base64');

// An operator at the back office.
export class Staff {
	constructor(client, name, password) {
		this.client = client;
		this.name = name;
		this.authorization = basic(name, password);
		this.csrf = null;
	}

	get(path, headers = {}) {
		return this.client.get(path,
			{ authorization: this.authorization, ...headers });
	}

	async headers() {
		if (this.csrf === null)
			this.csrf = expect(await this.get('/merchant/session'),
				200)
				.json.csrf_token;
		return { authorization: this.authorization,
			'x-csrf-token': this.csrf, origin: this.client.url };
	}

	async post(path, fields = {}, headers = {}) {
		return this.client.post(path, fields,
			{ ...await this.headers(), ...headers });
	}

	decide(refund, decision, reason = 'as agreed') {
		return this.post(
			`/merchant/refunds/${refund.out_refund_no}/${decision}`,
			{ reason });
	}

	async approve(refund) {
		return expect(await this.decide(refund, 'approve'), 200).json;
	}

	start_refund(fields) {
		return this.post('/merchant/refunds',
			{ request_id: random(), ...fields });
	}
}

// WeChat, as the sandbox plays it, and the people who use it there.
export class Sandbox {
	constructor(client) {
		this.client = client;
	}

	async post(path, fields) {
		return expect(await this.client.post(path, fields), 200).json;
	}

	// A phone pays what it sees: a QR code, or what the page handed over.
	scan(order, fields = {}) {
		return this.post('/sandbox/scan', {
			...(order.code_url ? { code_url: order.code_url }
				: { out_trade_no: order.out_trade_no }),
					...fields });
	}

	// The next calls of an api, or notices of a kind, go wrong.
	fault(api, fault, fields = {}) {
		return this.post('/sandbox/faults', { api, fault, ...fields });
	}

	// The next refunds come to this, instead of SUCCESS.
	refunds_become(refund_status, times = 1) {
		return this.post('/sandbox/faults', { refund_status, times });
	}

	no_faults() {
		return this.post('/sandbox/faults', { fault: 'none' });
	}

	clock(fields) {
		return this.post('/sandbox/clock', fields);
	}

	async ledger(out_trade_no) {
		return expect(await this.client.get('/sandbox/ledger'
			+ (out_trade_no ? `?out_trade_no=${out_trade_no}`
				: '')),
			200).json;
	}

	async calls(out_trade_no, api) {
		const { calls } = await this.ledger(out_trade_no);
		return calls.filter((call) => !api || call.api === api);
	}

	// All calls about a refund, also those that came to nothing, if they
	// are among the newest.
	async refund_calls({ out_refund_no }) {
		const { calls } = await this.ledger();
		return calls.filter(({ fields }) =>
			fields.out_refund_no === out_refund_no);
	}

	// WeChat tells it again.
	notify(fields) {
		return this.post('/sandbox/notify', fields);
	}

	async call_count() {
		return (await this.ledger()).totals.calls;
	}
}
