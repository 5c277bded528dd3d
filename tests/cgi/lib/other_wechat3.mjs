// other_wechat3: API V3 as another author would have written WeChat's side.
// Judges every request, and signs its answers and notices, with the npm
// package wechatpay-axios-plugin; what it objects to is kept in problems.
import { X509Certificate } from 'node:crypto';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import plugin from 'wechatpay-axios-plugin';
import { other_wechat } from './certificates.mjs';
import { env_read, place_of, port_of, stack } from './stack.mjs';
import * as wechat from './wechat.mjs';
import * as wechat3 from './wechat3.mjs';

const { Formatter, Rsa } = plugin;
const SKEW_S = 30;
const PUB_KEY_ID = 'PUB_KEY_ID_0114232134912410000000000000';
const PORT = 9;		// of its server, from its stack's on
const BACKUP_PORT = 8;

// [v3.md 8.1, 10.2, 12.1] What may stand in a body; a ? may be left out.
const ORDER = { appid: 'string', mchid: 'string', description: 'string',
	out_trade_no: 'string', 'time_expire?': 'string', 'attach?': 'string',
	notify_url: 'string', 'goods_tag?': 'string',
	'support_fapiao?': 'boolean', 'amount.total': 'integer',
	'amount.currency?': 'string',
	'scene_info.payer_client_ip?': 'string',
	'scene_info.device_id?': 'string' };
const CALLS = [
	{ call: 'jsapi', method: 'POST', url: /^\/v3\/pay\/transactions\/jsapi$/,
		fields: { ...ORDER, 'payer.openid': 'string' } },
	{ call: 'native', method: 'POST',
		url: /^\/v3\/pay\/transactions\/native$/, fields: ORDER },
	{ call: 'app', method: 'POST', url: /^\/v3\/pay\/transactions\/app$/,
		fields: ORDER },
	{ call: 'h5', method: 'POST', url: /^\/v3\/pay\/transactions\/h5$/,
		fields: { ...ORDER, 'scene_info.h5_info.type': 'string' } },
	{ call: 'query', method: 'GET', url: new RegExp('^/v3/pay/transactions/'
		+ 'out-trade-no/([\\w.~-]{6,32})\\?mchid=(\\d+)$') },
	{ call: 'close', method: 'POST', url: new RegExp('^/v3/pay/transactions'
		+ '/out-trade-no/([\\w.~-]{6,32})/close$'),
		fields: { mchid: 'string' } },
	{ call: 'refund', method: 'POST',
		url: /^\/v3\/refund\/domestic\/refunds$/,
		fields: { transaction_id: 'string', out_refund_no: 'string',
			'reason?': 'string', 'notify_url?': 'string',
			'funds_account?': 'string', 'amount.refund': 'integer',
			'amount.total': 'integer',
			'amount.currency': 'string' } },
	{ call: 'refund_query', method: 'GET', url:
		/^\/v3\/refund\/domestic\/refunds\/([\w.~-]{1,64})$/ },
	{ call: 'certificates', method: 'GET', url:
		/^\/v3\/certificates(?:\?algorithm_type=(?:RSA|ALL))?$/ },
];

const type_of = (value) => Number.isInteger(value) ? 'integer'
	: value === null ? 'null' : Array.isArray(value) ? 'array'
	: typeof value;

// { 'amount.total': 1 } of { amount: { total: 1 } }
function flat(object, prefix = '') {
	return Object.entries(object).flatMap(([name, value]) =>
		type_of(value) === 'object' && Object.keys(value).length > 0
			? flat(value, `${prefix}${name}.`)
			: [[prefix + name, value]]);
}

// What is wrong with a body, by its table.
function flaws(fields, object) {
	const given = Object.fromEntries(flat(object));
	const found = [];
	for (const [name, type] of Object.entries(fields)) {
		const at = name.replace('?', '');
		const value = given[at];
		if (value === undefined) {
			if (at === name)
				found.push(`no ${at}`);
		} else if (type_of(value) !== type) {
			found.push(`${at} is ${type_of(value)}`);
		} else if (value === '') {
			found.push(`${at} is empty`);
		}
		delete given[at];
	}
	return [...found, ...Object.keys(given).map((at) =>
		`${at} is unknown`)];
}

export class OtherWeChat3 {
	// dir: keys of certificates.mjs.  run: where its stack is, or will be.
	// mode: "public" or "certificate".
	constructor(dir, run, mode) {
		this.dir = dir;
		this.run = run;
		this.mode = mode;
		this.file = (name) => fs.readFileSync(path.join(dir, name));
		this.requests = [];
		this.problems = [];
		this.nonces = new Set();
		this.payments = new Map();
		this.refunds = new Map();
		this.plans = [];
		this.hosts = new Map();
	}

	// Asked before the stack is whole: its files are there by then.
	get env() {
		this.env_once ??= env_read(path.join(this.run, 'env'));
		return this.env_once;
	}

	// Whose signature answers and notices carry.
	get signer() {
		return this.signs_instead ?? (this.mode === 'public'
			? { serial: this.env.WECHAT_PUB_KEY_ID,
				key: this.file('wechat.key') }
			: wechat3.platform_signer(this.env));
	}

	// Both hosts of WeChat's, if need be: one for each port.
	async listen(port) {
		const server = https.createServer({
			cert: this.file('server.pem'),
			key: this.file('server.key'),
		}, (request, response) => this.serve(request, response, port));
		await new Promise((resolve) =>
			server.listen(port, 'localhost', resolve));
		this.hosts.set(port, server);
	}

	// A host is down.
	async leave(port) {
		const server = this.hosts.get(port);
		this.hosts.delete(port);
		const closed = new Promise((resolve) => server.close(resolve));
		server.closeAllConnections();
		await closed;
	}

	close() {
		return Promise.all([...this.hosts.keys()].map((port) =>
			this.leave(port)));
	}

	must(is_true, what) {
		if (!is_true)
			this.problems.push(what);
	}

	// The next call of that name, about a number if one is given, is
	// answered by fn(good, response, asked): what it returns is sent, and
	// if that is nothing, it has done it.
	next(call, fn, times = 1, number = undefined) {
		const plan = { call, fn, left: times, number };
		this.plans.push(plan);
		return plan;
	}

	async serve(request, response, port) {
		const chunks = [];
		for await (const chunk of request)
			chunks.push(chunk);
		const text = Buffer.concat(chunks).toString();
		const known = CALLS.find(({ method, url }) =>
			method === request.method && url.test(request.url));
		const asked = { call: known?.call, port, text, at: Date.now(),
			method: request.method, url: request.url,
			headers: request.headers, raw: request.rawHeaders,
			number: known?.url.exec(request.url)[1],
			body: text === '' ? null : JSON.parse(text) };
		asked.number ??= asked.body?.out_refund_no
			?? asked.body?.out_trade_no;
		this.judge(asked, known);
		this.requests.push(asked);
		const plan = this.plans.find(({ call, left, number }) =>
			left > 0 && (call === asked.call || call === '*')
			&& (!number || number === asked.number));
		let good = this.signed(...this.answer(asked));
		if (plan) {
			plan.left--;
			good = await plan.fn(good, response, asked);
		}
		if (good)
			response.writeHead(good.status, good.headers)
				.end(good.text);
	}

	// A message as it goes out.
	signed(status, body, signer) {
		return this.signed_text(status, body === null ? ''
			: JSON.stringify(body), signer);
	}

	signed_text(status, text, signer = this.signer) {
		return { status, text, headers: {
			...text === '' ? {}
				: { 'content-type': 'application/json' },
			'request-id': `${Formatter.nonce(30)}-0`,
			...wechat3.prove(text, signer) } };
	}

	// ---- what it objects to

	judge(asked, known) {
		const where = `${asked.method} ${asked.url}: `;
		const { headers } = asked;
		this.must(known, `${where}no such call`);
		this.must(headers.accept === 'application/json',
			`${where}Accept ${headers.accept}`);
		this.must(headers['user-agent'], `${where}no User-Agent`);
		this.must(!headers['accept-encoding'],
			`${where}accepts compression`);
		this.must(!headers.expect, `${where}Expect`);
		const named = headers['wechatpay-serial'];
		this.must(named === (this.mode === 'public'
			? this.env.WECHAT_PUB_KEY_ID : undefined),
			`${where}Wechatpay-Serial ${named}`);
		if (asked.method === 'POST')
			this.must(/^application\/json(; ?charset=utf-8)?$/i
				.test(headers['content-type'])
				&& headers['content-length'],
				`${where}not JSON of known length`);
		else
			this.must(asked.text === '', `${where}GET with a body`);
		this.judge_authorization(asked, where);
		if (known?.fields)
			for (const flaw of flaws(known.fields, asked.body))
				this.must(false, `${where}${flaw}`);
		for (const mchid of [asked.body?.mchid, new URL(asked.url,
			'https://x').searchParams.get('mchid')])
			this.must((mchid ?? this.env.MCHID) === this.env.MCHID,
				`${where}mchid ${mchid}`);
	}

	// [v3.md 3]
	judge_authorization({ method, url, text, headers }, where) {
		const [, list] = /^WECHATPAY2-SHA256-RSA2048 (\S+)$/.exec(
			headers.authorization) ?? [];
		const pairs = (list ?? '').match(/[a-z_]+="[^",]*"(?=,|$)/g)
			?? [];
		const said = Object.fromEntries(pairs.map((pair) =>
			pair.match(/^([a-z_]+)="(.*)"$/).slice(1)));
		this.must(pairs.join(',') === list && pairs.length === 5
			&& Object.keys(said).length === 5,
			`${where}Authorization ${headers.authorization}`);
		const { mchid, nonce_str, signature, timestamp, serial_no }
			= said;
		this.must(mchid === this.env.MCHID, `${where}mchid ${mchid}`);
		this.must(serial_no === this.env.MERCHANT_SERIAL,
			`${where}serial_no ${serial_no}`);
		this.must(/^[0-9A-Za-z]{32}$/.test(nonce_str),
			`${where}nonce_str ${nonce_str}`);
		this.must(!this.nonces.has(nonce_str),
			`${where}nonce_str again`);
		this.nonces.add(nonce_str);
		this.must(/^\d{10}$/.test(timestamp) && Math.abs(timestamp
			- Formatter.timestamp()) < SKEW_S,
			`${where}timestamp ${timestamp}`);
		this.must(Rsa.verify(Formatter.request(method, url, timestamp,
			nonce_str, text), signature ?? '', new X509Certificate(
			fs.readFileSync(this.env.MERCHANT_CERT)).publicKey),
			`${where}signature`);
	}

	// ---- what it answers

	answer(asked) {
		const { call, number, body } = asked;
		const payment = this.payments.get(number);
		switch (call) {
		case 'native':
		case 'jsapi':
		case 'app':
		case 'h5':
			this.payments.set(number, { ...body,
				trade_type: call === 'h5' ? 'MWEB'
					: call.toUpperCase(),
				trade_state: 'NOTPAY' });
			return [200, call === 'native'
				? { code_url: `weixin://${number}` }
				: call === 'h5'
				? { h5_url: `https://wx.tenpay.com/${number}` }
				: { prepay_id: `wx${number}` }];
		case 'query':
			return payment ? [200, this.transaction(payment)]
				: [404, { code: 'ORDER_NOT_EXIST',
					message: '订单不存在' }];
		case 'close':
			payment.trade_state = 'CLOSED';
			return [204, null];
		case 'refund':
			return this.refund(body);
		case 'refund_query':
			return this.refunds.has(number) ? [200,
				this.refund_object(this.refunds.get(number))]
				: [404, { code: 'RESOURCE_NOT_EXISTS',
					message: '退款单不存在' }];
		case 'certificates':
			return this.mode === 'public' ? [404,
				{ code: 'RESOURCE_NOT_EXISTS', message:
					'无可用的平台证书' }]
				: [200, { data: this.certificates() }];
		}
		return [404, { code: 'NOT_FOUND', message: 'x' }];
	}

	refund(body) {
		const payment = [...this.payments.values()].find((it) =>
			it.transaction_id === body.transaction_id);
		if (!payment)
			return [404, { code: 'RESOURCE_NOT_EXISTS',
				message: '订单不存在' }];
		if (!this.refunds.has(body.out_refund_no))
			this.refunds.set(body.out_refund_no, { ...body, payment,
				status: 'PROCESSING' });
		return [200, this.refund_object(
			this.refunds.get(body.out_refund_no))];
	}

	// [v3.md 10.1]
	transaction(payment) {
		const { appid, mchid, out_trade_no, attach, amount } = payment;
		const known = { appid, mchid, out_trade_no,
			trade_state: payment.trade_state,
			trade_state_desc: '状态',
			promotion_detail: [] };
		return payment.trade_state !== 'SUCCESS' ? known : { ...known,
			attach: attach ?? '', bank_type: 'OTHERS',
			trade_type: payment.trade_type,
			transaction_id: payment.transaction_id,
			success_time: this.time(),
			payer: { openid: 'oOther-Payer' },
			amount: { ...amount, payer_total: amount.total,
				payer_currency: 'CNY' } };
	}

	// [v3.md 12.1]
	refund_object({ payment, amount, out_refund_no, status }) {
		return { refund_id: `5000${out_refund_no.slice(-20)}`,
			out_refund_no, transaction_id: payment.transaction_id,
			out_trade_no: payment.out_trade_no, channel: 'ORIGINAL',
			user_received_account: '支付用户零钱',
			...status === 'SUCCESS'
				? { success_time: this.time() } : {},
			create_time: this.time(), status,
			funds_account: 'UNSETTLED', promotion_detail: [],
			amount: { total: amount.total, refund: amount.refund,
				from: [], payer_total: amount.total,
				payer_refund: amount.refund,
				settlement_refund: amount.refund,
				settlement_total: amount.total,
				discount_refund: 0, currency: 'CNY',
				refund_fee: 0 } };
	}

	// What is listed: [serial_no, PEM]; the stack's two unless said.
	listed = () => [1, 2].map((which) => [wechat3.serial_of(
		this.env[`PLATFORM_CERT_${which}`]), fs.readFileSync(
		this.env[`PLATFORM_CERT_${which}`], 'utf8')]);

	certificates(listed = this.listed()) {
		return listed.map(([serial_no, pem]) => ({ serial_no,
			effective_time: '2026-01-01T00:00:00+08:00',
			expire_time: '2031-01-01T00:00:00+08:00',
			encrypt_certificate: wechat3.seal(this.env.APIV3_KEY,
				pem, 'certificate') }));
	}

	// How it writes the time.
	time = () => wechat3.rfc3339(new Date());

	// ---- what it tells

	pay(out_trade_no) {
		const payment = this.payments.get(out_trade_no);
		payment.trade_state = 'SUCCESS';
		payment.transaction_id = wechat.transaction_id();
		return payment;
	}

	tell(payment, change) {
		const { promotion_detail, ...told } = this.transaction(payment);
		return this.send(payment.notify_url, wechat3.envelope(
			this.env.APIV3_KEY, 'TRANSACTION.SUCCESS',
			'transaction', told), change);
	}

	// [v3.md 21.4]
	tell_refund({ payment, amount, out_refund_no, status, notify_url },
		change) {
		return this.send(notify_url, wechat3.envelope(
			this.env.APIV3_KEY, `REFUND.${status}`, 'refund', {
				mchid: this.env.MCHID,
				out_trade_no: payment.out_trade_no,
				transaction_id: payment.transaction_id,
				out_refund_no,
				refund_id: `5000${out_refund_no.slice(-20)}`,
				refund_status: status,
				...status === 'SUCCESS'
					? { success_time: this.time() } : {},
				user_received_account: '支付用户零钱',
				amount: { total: amount.total,
					refund: amount.refund,
					payer_total: amount.total,
					payer_refund: amount.refund } }),
			change);
	}

	// change: what is told otherwise, a message to a message.
	send(url, body, change = (message) => message) {
		assert.ok(url.startsWith(`${this.env.WXPAY_URL}/notify/`), url);
		const { headers, text } = change({ text: body, headers: {
			'content-type': 'application/json',
			...wechat3.prove(body, this.signer) } });
		return this.shop_http.post(new URL(url).pathname, text, headers);
	}
}

// One of its own for a profile, and the stack that knows no other WeChat.
export async function other_and_stack(profile, mode) {
	const shared = process.env.WXPAY_STACKS;
	const home = shared ?? fs.mkdtempSync(path.join(os.tmpdir(),
		'wxpay-e2e-'));
	const dir = await other_wechat(path.join(home, `${profile}_wechat`));
	const port = port_of(profile) + PORT;
	const other = new OtherWeChat3(dir, place_of(profile), mode);
	await other.listen(port);
	await other.listen(port_of(profile) + BACKUP_PORT);
	let s = null;
	after(async () => {
		// It would go on asking a WeChat that is no more.
		await s?.kill('worker', 'SIGTERM');
		await other.close();
		if (!shared)
			fs.rmSync(home, { recursive: true });
	});
	s = await stack(profile, { KEY_MODE: mode,
		WECHAT_URL: `https://localhost:${port}`,
		WECHAT_CA: path.join(dir, 'server.pem'),
		MERCHANT_CERT: path.join(dir, 'merchant.pem'),
		MERCHANT_KEY: path.join(dir, 'merchant.key'),
		...mode === 'public' ? {
			WECHAT_PUB_KEY: path.join(dir, 'wechat.pem'),
			WECHAT_PUB_KEY_ID: PUB_KEY_ID } : {} });
	other.shop_http = s.http;
	return { other, s };
}
