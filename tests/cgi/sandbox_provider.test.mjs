// The sandbox as a service provider meets it (v3.md 19): what another author's
// client gets for its one sub-merchant, by V2 and by V3, and whom it refuses.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import plugin from 'wechatpay-axios-plugin';
import { expect, number } from './lib/actors.mjs';
import { Ear, Merchant } from './lib/merchant.mjs';
import { Merchant3, REFUNDS } from './lib/merchant3.mjs';
import { only, stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

only('v3');
// Hooks run in their order, and the stack's own may take it down.
test.after(async () => {
	fs.writeFileSync(CONF, ORDINARY);
	await restart();
	await sandbox.clock({ close_min_s: 300, refund_gap_s: 60,
		reverse_min_s: 15 });
	ear.close();
	console.log(`# tried: ${refusals} calls to be refused`);
});
const s = await stack('calm');
const { env, sandbox } = s;
const books = await s.connect(env.SANDBOX_DATABASE);
const ear = await new Ear(env).open();
const CONF = path.join(s.dir, 'sandbox.conf');
const ORDINARY = fs.readFileSync(CONF, 'utf8');
const SUB = '1900009191';
const STRANGER = '1900009292';
const SUB_APPID = 'wx2421b1c4370ec43b';
const PARTNER = '/v3/pay/partner/transactions';
const ELSEWHERE = /^oElsewhere-[0-9a-f]{17}$/;
let refusals = 0;

async function restart() {
	await s.kill('sandbox');
	await s.up();
}

// The same WeChat, but for these lines of its configuration.
async function serve(conf) {
	fs.writeFileSync(CONF, ORDINARY + Object.entries(conf).map(([name,
		value]) => `${name} = "${value}";\n`).join(''));
	await restart();
}
const PROVIDER = { sub_mchid: SUB, sub_appid: SUB_APPID };
test.before(async () => {
	await serve(PROVIDER);
	await sandbox.clock({ close_min_s: 0, refund_gap_s: 0,
		reverse_min_s: 0 });
});

const v2 = (sub_appid, sub_mch_id = SUB) => new Merchant(env, 'HMAC-SHA256',
	{ sub: { sub_mch_id, ...sub_appid && { sub_appid } } });
const v3 = (sub_appid, sub_mchid = SUB) => new Merchant3(env,
	{ sub: { sub_mchid, ...sub_appid && { sub_appid } } });

// What the client gives beside the order, and the names of the payer in what
// it is told: who scans is known to the client's own appid.
const WAYS = [
	['JSAPI', SUB_APPID, { sub_openid: 'oSub' }],
	['JSAPI', SUB_APPID, { openid: 'oProvider' }],
	['JSAPI', undefined, { openid: 'oProvider' }],
	['JSAPI', env.MINI_APPID, { sub_openid: 'oMini' }],
	['NATIVE', SUB_APPID, {}], ['NATIVE', undefined, {}],
	['APP', env.APP_APPID, {}], ['MWEB', SUB_APPID, {}],
];

// Both of the payer's openids, or the one there is.
function assert_payer({ sp, sub }, sub_appid, { openid, sub_openid }) {
	if (openid)
		assert.equal(sp, openid);
	if (sub_openid)
		assert.equal(sub, sub_openid);
	assert.equal(sub !== undefined, sub_appid !== undefined);
	if (sub_appid)
		assert.match(openid ? sub : sp, ELSEWHERE);
}

const heard = (order, count) => until(`${count} notices of ${
	order.out_trade_no}`, () => ear.about(order.out_trade_no).length
	>= count && ear.about(order.out_trade_no).at(-1));

for (const [trade_type, sub_appid, payer] of WAYS) {
	const about = `${trade_type} under ${sub_appid ?? 'his own appid'}, ${
		Object.keys(payer)[0] ?? 'anybody'}`;

	test(`V2: ${about}: order, query, pay, refund, told`, async () => {
		const provider = v2(sub_appid);
		ear.answer = () => ({ status: 200, body: wechat.SUCCESS });
		const out_trade_no = number('P');
		const order = await provider.order({ trade_type, ...payer,
			out_trade_no,
			notify_url: `${ear.url}/${out_trade_no}`,
			...trade_type === 'MWEB' ? { scene_info: JSON.stringify(
				{ h5_info: { type: 'Wap', wap_url: 'https://x',
					wap_name: 'x' } }) } : {} });
		assert.equal((await provider.done('orderquery',
			{ out_trade_no })).trade_state, 'NOTPAY');
		const { transaction_id } = await sandbox.scan(order);
		const paid = await provider.done('orderquery',
			{ transaction_id });
		assert.equal(paid.trade_state, 'SUCCESS');
		assert_payer({ sp: paid.openid, sub: paid.sub_openid },
			sub_appid, payer);
		assert.equal(paid.sub_is_subscribe, sub_appid && 'N');

		const told = wechat.parse((await heard(order, 1)).body);
		provider.verify(told);
		const parties = { appid: env.APPID, mch_id: env.MCHID,
			sub_mch_id: SUB, sub_appid };
		for (const [name, value] of Object.entries({ ...parties,
			openid: paid.openid, sub_openid: paid.sub_openid,
			out_trade_no, transaction_id, total_fee: '1000' }))
			assert.equal(told[name], value, name);

		const refund = await provider.refund({ ...order,
			transaction_id }, { notify_url: `${ear.url}/${
				out_trade_no}` });
		await until('the refund is through', async () =>
			(await provider.done('refundquery', { out_refund_no:
				refund.out_refund_no })).refund_status_0
				=== 'SUCCESS');
		const { req_info, ...outer } = wechat.parse(
			(await heard(order, 2)).body);
		for (const [name, value] of Object.entries(parties))
			assert.equal(outer[name], value, name);
		assert.equal(wechat.parse(plugin.Aes.AesEcb.decrypt(req_info,
			plugin.Hash.md5(env.API_KEY))).out_refund_no,
			refund.out_refund_no);
	});

	test(`V3: ${about}: order, query, pay, refund, told`, async () => {
		const provider = v3(sub_appid);
		const is_h5 = trade_type === 'MWEB';
		ear.answer = () => ({ status: 204 });
		const out_trade_no = number('P');
		const { openid: sp_openid, sub_openid } = payer;
		const order = await provider.order({ out_trade_no,
			notify_url: `${ear.url}/${out_trade_no}`,
			...trade_type === 'JSAPI'
				? { payer: { sp_openid, sub_openid } } : {},
			...is_h5 ? { scene_info: { payer_client_ip: '::1',
				h5_info: { type: 'Wap' } } } : {} },
			is_h5 ? 'h5' : trade_type.toLowerCase());
		const parties = { sp_appid: env.APPID, sp_mchid: env.MCHID,
			sub_mchid: SUB, ...sub_appid && { sub_appid } };
		assert.deepEqual(await provider.query(order), { ...parties,
			out_trade_no, trade_state: 'NOTPAY',
			trade_state_desc: '订单未支付' });
		const { transaction_id } = await sandbox.scan(order);
		const paid = await provider.query({ transaction_id });
		for (const [name, value] of Object.entries({ ...parties,
			out_trade_no, transaction_id, trade_type,
			trade_state: 'SUCCESS', appid: undefined,
			mchid: undefined }))
			assert.equal(paid[name], value, name);
		assert.deepEqual(Object.keys(paid.payer).filter((name) =>
			!/^s(p|ub)_openid$/.test(name)), []);
		assert_payer({ sp: paid.payer.sp_openid,
			sub: paid.payer.sub_openid }, sub_appid, payer);

		const open = ({ headers, body }, event_type) => {
			provider.verify(headers, body);
			const told = JSON.parse(body);
			assert.equal(told.event_type, event_type);
			return JSON.parse(provider.open(told.resource));
		};
		assert.deepEqual(open(await heard(order, 1),
			'TRANSACTION.SUCCESS'), paid);
		const refund = await provider.refund({ ...order,
			transaction_id }, { notify_url: `${ear.url}/${
				out_trade_no}` });
		await until('the refund is through', async () =>
			(await provider.refund_query(refund)).status
				=== 'SUCCESS');
		const { success_time, refund_id, ...told } = open(
			await heard(order, 2), 'REFUND.SUCCESS');
		assert.deepEqual(told, { sp_mchid: env.MCHID, sub_mchid: SUB,
			out_trade_no, transaction_id,
			out_refund_no: refund.out_refund_no,
			refund_status: 'SUCCESS',
			user_received_account: '支付用户零钱',
			amount: { total: 1000, refund: 100, payer_total: 1000,
				payer_refund: 100 } });
	});
}

test('closed, by either API; the wrong payer does not pay', async () => {
	const old = await v2().order();
	await v2().done('closeorder', { out_trade_no: old.out_trade_no });
	assert.equal((await v3().query(old)).trade_state, 'CLOSED');
	const order = await v3(SUB_APPID).order(
		{ payer: { sub_openid: 'oThis' } }, 'jsapi');
	expect(await s.wechat_http.post('/sandbox/scan', { openid: 'oThat',
		out_trade_no: order.out_trade_no }), 409);
	assert.equal((await v3().close(order)).status, 204);
	assert.equal((await v2().done('orderquery',
		{ out_trade_no: order.out_trade_no })).trade_state, 'CLOSED');
});

// 18 digits that nobody has shown.
let last_code = 0;
const auth_code = () =>
	`13${Date.now()}${String(last_code++).padStart(3, '0')}`;

test('a payment code is paid, asked for and reversed', async () => {
	const provider = v2(SUB_APPID);
	const { trade_type, product_id, notify_url, ...fields }
		= provider.order_fields();
	const paid = await provider.done('micropay', { ...fields,
		auth_code: auth_code() });
	assert.match(paid.openid, ELSEWHERE);
	assert.equal(paid.sub_openid, 'oSandbox-Shows-A-Code');
	const { out_trade_no } = fields;
	const said = await provider.done('orderquery', { out_trade_no });
	assert.deepEqual([said.trade_state, said.openid, said.sub_openid],
		['SUCCESS', paid.openid, paid.sub_openid]);
	assert.equal((await provider.done('reverse', { out_trade_no })).recall,
		'N');
	assert.equal((await provider.done('orderquery', { out_trade_no }))
		.trade_state, 'REVOKED');
});

// Everything that V2 may be asked, about an order that is there.
const calls2 = ({ out_trade_no }, refund) => [
	['unifiedorder', v2().order_fields()],
	['orderquery', { out_trade_no }], ['closeorder', { out_trade_no }],
	['refund', { out_trade_no, out_refund_no: number('R'),
		total_fee: '1000', refund_fee: '100' }],
	['refundquery', { out_refund_no: refund.out_refund_no }],
	['refundquery', { out_trade_no }],
	['micropay', { ...v2().order_fields(), trade_type: undefined,
		auth_code: auth_code() }],
	['reverse', { out_trade_no }],
];
const calls3 = (order, refund, provider) => [
	['POST', `${provider.path}/native`, provider.order_fields()],
	['GET', provider.query_url({ out_trade_no: order.out_trade_no })],
	['GET', provider.query_url(order)],
	['POST', provider.close_url(order), provider.mchids],
	['POST', REFUNDS, provider.refund_fields(order)],
	['GET', `${REFUNDS}/${refund.out_refund_no}${provider.sub
		? `?sub_mchid=${provider.sub.sub_mchid}` : ''}`],
];

// An order that is paid, and a refund of it.
async function made() {
	const order = await v3().paid_order(sandbox);
	const refund = await v3().refund(order);
	await until('the refund is through', async () =>
		(await v3().refund_query(refund)).status === 'SUCCESS');
	const { refunds, payments } = await sandbox.ledger(order.out_trade_no);
	return { order, refund, unchanged: async () => {
		const now = await sandbox.ledger(order.out_trade_no);
		assert.deepEqual([now.refunds, now.payments],
			[refunds, payments]);
	} };
}

async function refused3([method, url, data], status, code, number_) {
	refusals++;
	const { headers } = await v3().refused(method, url, data, status, code);
	assert.match(headers['request-id'], new RegExp(`-${number_}$`));
}

async function denied2(provider, [api, fields], return_msg) {
	refusals++;
	await provider.denied(api, fields, return_msg);
}

test('V2: whom he asks for is judged at the door', async () => {
	const { order, refund, unchanged } = await made();
	for (const [sub, return_msg] of [
		[{}, /^受理机构必须传入sub_mch_id$/],
		[{ sub_mch_id: '' }, /^受理机构必须传入sub_mch_id$/],
		[{ sub_mch_id: env.MCHID }, /^sub_mch_id与mch_id不能相同$/],
		[{ sub_mch_id: STRANGER }, /^受理关系不存在$/],
		[{ sub_mch_id: SUB, sub_appid: 'wx0000000000000000' },
			/^sub_mch_id与sub_appid不匹配$/],
		[{ sub_mch_id: SUB, sub_appid: env.APPID },
			/^sub_mch_id与sub_appid不匹配$/],
		[{ sub_mch_id: SUB, sub_openid: 'oSub' },
			/^sub_openid需要sub_appid$/]])
		for (const call of calls2(order, refund))
			await denied2(new Merchant(env, 'HMAC-SHA256',
				{ sub }), call, return_msg);
	await denied2(new Merchant({ ...env, APPID: SUB_APPID }, 'MD5',
		{ sub: { sub_mch_id: SUB } }), calls2(order, refund)[1],
		/^appid和mch_id不匹配$/);
	await unchanged();
	refusals += 2;
	await v2().refused('unifiedorder', v2().order_fields(
		{ trade_type: 'JSAPI' }), 'LACK_PARAMS');
	await v2(SUB_APPID).refused('unifiedorder', v2().order_fields(
		{ trade_type: 'JSAPI', sub_openid: 'o'.repeat(129) }),
		'PARAM_ERROR');
});

test('V3: paths of a merchant, and whom he asks for, are judged', async () => {
	const { order, refund, unchanged } = await made();
	for (const call of calls3(order, refund, new Merchant3(env)))
		await refused3(call, 400, 'PARAM_ERROR', 268443704);
	for (const call of calls3(order, refund, v3(undefined, env.MCHID)))
		await refused3(call, 400, 'PARAM_ERROR', 268443705);
	for (const call of calls3(order, refund, v3(undefined, STRANGER)))
		await refused3(call, 403, 'NO_AUTH', 268443701);
	for (const sub_appid of ['wx0000000000000000', env.APPID])
		await refused3(['POST', `${PARTNER}/native`,
			v3(sub_appid).order_fields()], 400, 'PARAM_ERROR',
			268445527);
	const fields = v3().order_fields();
	for (const [type, change, field] of [
		['native', { sub_mchid: undefined }, '/sub_mchid'],
		['native', { sp_mchid: undefined }, '/sp_mchid'],
		['native', { sp_mchid: SUB }, '/sp_mchid'],
		['native', { mchid: env.MCHID }, '/mchid'],
		['native', { appid: env.APPID }, '/appid'],
		['native', { sub_mch_id: SUB }, '/sub_mch_id'],
		['native', { sub_appid: '' }, '/sub_appid'],
		['jsapi', {}, '/payer'],
		['jsapi', { payer: {} }, '/payer/sp_openid'],
		['jsapi', { payer: { openid: 'o' } }, '/payer/openid'],
		['h5', {}, '/scene_info']]) {
		const { data } = await v3().refused('POST',
			`${PARTNER}/${type}`, { ...fields, ...change }, 400,
			'PARAM_ERROR');
		assert.equal(data.detail.field, field);
		refusals++;
	}
	await refused3(['POST', `${PARTNER}/native`, { ...fields,
		sp_appid: SUB_APPID }], 400, 'APPID_MCHID_NOT_MATCH',
		268445527);
	await refused3(['POST', `${PARTNER}/jsapi`, { ...fields,
		payer: { sub_openid: 'oSub' } }], 400, 'PARAM_ERROR',
		268435461);
	const url = v3().query_url(order);
	for (const bad of [url.replace(/&sub_mchid=\d+/, ''),
		url.replace(/sp_mchid=\d+&/, ''),
		`${url}&mchid=${env.MCHID}`])
		await refused3(['GET', bad], 400, 'PARAM_ERROR', 268435461);
	await unchanged();
	assert.equal((await sandbox.ledger(fields.out_trade_no)).payments
		.length, 0);
});

test('an order of another sub-merchant\'s is refused, and not answered',
	async () => {
	const { order, refund } = await made();
	const open = await v3().order();
	const code = v2().order_fields({ trade_type: undefined,
		product_id: undefined, notify_url: undefined });
	await v2().done('micropay', { ...code,
		auth_code: auth_code() });
	for (const { out_trade_no } of [order, open, code])
		await books.query(`update sandbox.payments set params = params
			|| jsonb_build_object('sub_mch_id', $2::text)
			where out_trade_no = $1`, [out_trade_no, STRANGER]);
	const state = async () => JSON.stringify((await books.query(
		`select p.*, r.* from sandbox.payments p
		left join sandbox.refunds r using (out_trade_no)
		where p.out_trade_no in ($1, $2, $3) order by p.id, r.id`,
		[order.out_trade_no, open.out_trade_no,
			code.out_trade_no])).rows);
	const before = await state();
	for (const [method, url, data] of [
		...calls3(order, refund, v3()).slice(1),
		...calls3(open, refund, v3()).slice(1, 4)])
		await refused3([method, url, data], 400, 'INVALID_REQUEST',
			268447845);
	for (const [api, fields] of [...calls2(order, refund).slice(1, 6),
		...calls2(open, refund).slice(1, 4),
		['orderquery', { transaction_id: order.transaction_id }],
		['orderquery', { out_trade_no: code.out_trade_no }],
		['reverse', { out_trade_no: code.out_trade_no }]]) {
		const { err_code_des } = await v2().refused(api, fields,
			'INVALID_REQUEST');
		assert.equal(err_code_des, 'sub_mch_id与订单不匹配');
		refusals++;
	}
	// His number is used up, whoever used it.
	await v3().refused('POST', `${PARTNER}/native`, v3().order_fields(
		{ out_trade_no: open.out_trade_no }), 403, 'OUT_TRADE_NO_USED');
	await v2().refused('unifiedorder', v2().order_fields(
		{ out_trade_no: open.out_trade_no }), 'INVALID_REQUEST');
	refusals += 2;
	assert.equal(await state(), before);
});

test('an answer that names another sub-merchant is well signed', async () => {
	const order = await v3().order();
	const { out_trade_no } = order;
	const plant = (api) => sandbox.fault(api, 'echo_sub',
		{ number: out_trade_no });
	await plant('orderquery');
	assert.notEqual((await v3().query(order)).sub_mchid, SUB);
	await plant('orderquery');
	const { data, error } = await v2().ask('orderquery', { out_trade_no });
	assert.equal(error, undefined);
	v2().verify(data);
	assert.notEqual(data.sub_mch_id, SUB);
	assert.equal(data.out_trade_no, out_trade_no);
	await v2().done('orderquery', { out_trade_no });
});

// The open platform, asked as the account of appid: whether it is known.
async function is_account(appid) {
	const { wechat_http } = s;
	const back = await wechat_http.get('/connect/oauth2/authorize?appid='
		+ `${appid}&redirect_uri=${encodeURIComponent(env.WXPAY_URL)}`
		+ '&response_type=code&scope=snsapi_base&state=x');
	const code = back.status === 303
		? new URL(back.headers.location).searchParams.get('code') : 'x';
	const secret = env.APPSECRET;
	const oauth = JSON.parse((await wechat_http.get('/sns/oauth2/'
		+ `access_token?appid=${appid}&secret=${secret}&code=${code}`
		+ '&grant_type=authorization_code')).text);
	const token = JSON.parse((await wechat_http.post(
		'/cgi-bin/stable_token', JSON.stringify({ appid, secret,
			grant_type: 'client_credential' }),
		{ 'content-type': 'application/json' })).text);
	const known = [back.status === 303, 'openid' in oauth,
		'access_token' in token];
	assert.equal(new Set(known).size, 1, JSON.stringify(known));
	return known[0];
}

test('shoppers meet the account of the sub-merchant, if he has one',
	async () => {
	assert.equal(await is_account(SUB_APPID), true);
	assert.equal(await is_account(env.APPID), false);
	await serve({ sub_mchid: SUB });
	assert.equal(await is_account(SUB_APPID), false);
	assert.equal(await is_account(env.APPID), true);
	// Then mini program and app are the provider's own.
	for (const APPID of [env.MINI_APPID, env.APP_APPID]) {
		await new Merchant({ ...env, APPID }, 'MD5', { sub:
			{ sub_mch_id: SUB } }).order();
		await new Merchant3({ ...env, APPID }, { sub:
			{ sub_mchid: SUB } }).order();
		await denied2(v2(APPID), ['unifiedorder',
			v2().order_fields()], /sub_mch_id与sub_appid不匹配/);
	}
});

test('an ordinary merchant has no sub-merchants', async () => {
	await serve(PROVIDER);
	const { order, refund } = await made();
	await serve({});
	for (const call of calls3(order, refund, v3()))
		await refused3(call, 403, 'NO_AUTH', 268443701);
	for (const sub of [{ sub_mch_id: SUB }, { sub_appid: SUB_APPID },
		{ sub_openid: 'oSub' }])
		for (const call of calls2(order, refund))
			await denied2(new Merchant(env, 'HMAC-SHA256',
				{ sub }), call, /^受理关系不存在$/);
	// What was made for one is not his, either.
	const own = new Merchant3(env);
	for (const call of calls3(order, refund, own).slice(1))
		await refused3(call, 400, 'INVALID_REQUEST', 268447845);
	const plain = new Merchant(env, 'HMAC-SHA256');
	for (const [api, fields] of calls2(order, refund).slice(1, 6)) {
		await plain.refused(api, fields, 'INVALID_REQUEST');
		refusals++;
	}
	assert.equal(await is_account(env.APPID), true);
	await plain.order();
	await own.order();
});

test('a sub_appid without a sub-merchant does not start', async () => {
	const file = path.join(s.dir, 'no_sub.conf');
	fs.writeFileSync(file, `${ORDINARY}sub_appid = "${SUB_APPID}";\n`);
	const done = await s.program('sandbox', ['--config', file, '--listen',
		path.join(s.dir, 'socket', 'no_sub.sock')]);
	assert.equal(done.code, 1);
	assert.match(done.stderr, /sub_appid: needs sub_mchid/);
});
