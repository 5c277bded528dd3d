// Who pays: openids by WeChat's OAuth and by a mini program's login, what a
// page may not say about it (P8, P9, P11, P12), and the tokens and tickets
// behind wx.config.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { random } from './lib/actors.mjs';
import { page_of } from './lib/page.mjs';
import { expect, run, stack } from './lib/stack.mjs';
import { pause, until } from './lib/until.mjs';

const s = await stack('calm');
const { shop, env, http, wechat_http } = s;
const books = await s.connect(env.SANDBOX_DATABASE);
const HTML = { accept: 'text/html' };
const JSON_TYPE = { accept: 'application/json' };
const ORIGIN = new URL(env.WXPAY_URL).origin;
const counts = { refused: 0, states: 0, cookies: 0, tokens: 0 };
after(() => console.log(`# openid: ${counts.refused} hostile requests, `
	+ `${counts.states} states that did not count, ${counts.cookies} `
	+ `cookies that did not, ${counts.tokens} tokens fetched`));

const visitor = (fields) => s.sandbox.post('/sandbox/visitor', fields);
const calm_visitor = { openid: 'oSandbox-visitor', refuses: false,
	is_snapshot: false, code_life_s: 300, token_life_s: 7200 };
await visitor(calm_visitor);

// A browser: what it keeps of our cookies.
class Browser {
	constructor() {
		this.jar = {};
	}

	get headers() {
		const cookie = Object.entries(this.jar).map((pair) =>
			pair.join('=')).join('; ');
		return cookie ? { cookie } : {};
	}

	keep(answer) {
		for (const line of answer.headers['set-cookie'] ?? []) {
			const [, name, value] = line.match(/^(\w+)=([^;]*)/);
			this.jar[name] = value;
		}
		return answer;
	}

	async get(to, headers = {}) {
		return this.keep(await http.get(to,
			{ ...this.headers, ...headers }));
	}

	async post(to, fields, headers = {}) {
		return this.keep(await http.post(to, fields,
			{ ...this.headers, ...headers }));
	}

	authorize({ order_no, token }) {
		return this.get(`/pay/authorize?order_no=${order_no}&token=${
			token}`, HTML);
	}

	// To WeChat, and the path and query with which it sends us back.
	async at_wechat(location) {
		const { pathname, search } = new URL(location);
		const back = expect(await wechat_http.get(pathname + search),
			303).headers.location;
		assert.ok(back.startsWith(`${env.WXPAY_URL}/pay/authorize/`
			+ 'callback?'), back);
		return back.slice(env.WXPAY_URL.length);
	}

	async begin(order) {
		return this.at_wechat(expect(await this.authorize(order), 303)
			.headers.location);
	}

	// There and back: the openid is in the jar.
	async authorized(order) {
		expect(await this.get(await this.begin(order), HTML), 303);
		assert.ok(this.jar.wxpay_openid);
		return this;
	}

	pay({ order_no, token }, fields = {}) {
		return this.post('/pay', { order_no, token,
			trade_type: 'JSAPI', ...fields }, JSON_TYPE);
	}
}

const query_of = (url) => new URL(url, env.WXPAY_URL).searchParams;

// An order that waits for its payer.
async function waiting(fields = {}) {
	const answer = expect(await shop.pay({ product_id: env.PRODUCT_ID,
		trade_type: 'JSAPI', request_id: random(), ...fields }), 409);
	assert.equal(answer.json.code, 'OPENID_NEEDED');
	return answer.json;
}

function refused(answer, status = 400) {
	counts.refused++;
	assert.equal(answer.headers['set-cookie'], undefined);
	return expect(answer, status);
}

// A cookie as pay makes them, by another author.
function sealed({ appid = env.APPID, openid = 'oSealed', expiry
	= Math.floor(Date.now() / 1000) + 7200, secret = env.SITE_SECRET } = {}) {
	const text = `${appid}.${openid}.${expiry}`;
	return `${text}.${createHmac('sha256', secret)
		.update(`openid ${text}`).digest('hex')}`;
}

// ---- POST /pay without an openid

test('JSAPI without an openid opens the order and makes no payment',
	async () => {
	const request_id = random();
	const first = await waiting({ request_id });
	const again = await waiting({ request_id });
	assert.equal(again.order_no, first.order_no);
	assert.equal(again.token, first.token);
	assert.equal(first.authorize_url, `${env.WXPAY_URL}/pay/authorize`
		+ `?order_no=${first.order_no}&token=${first.token}`);
	assert.equal(await shop.state(first), 'pending');
	assert.deepEqual(await s.sql(`select * from wxpay_data.payments
		where order_no = $1`, first.order_no), []);
	assert.deepEqual(await s.sandbox.calls(first.order_no), []);
});

test('a browser goes to the cashier with it, and nothing of the form is lost',
	async () => {
	const answer = expect(await shop.pay({ ...shop.signed(
		{ total_fee: 1234, body: '茶' }), trade_type: 'JSAPI',
		return_url: `${ORIGIN}/thanks` }, HTML), 303);
	const [, order_no, token] = answer.headers.location.match(
		/^cashier#order_no=([\w-]+)&token=([\w-]{22})$/);
	const order = expect(await shop.show({ order_no, token }), 200).json;
	assert.equal(order.total_fee, 1234);
	assert.equal(order.body, '茶');
	assert.equal(order.return_url, `${ORIGIN}/thanks`);
});

test('without an appsecret: the same order, and no way to WeChat', async () => {
	const file = path.join(fs.mkdtempSync(path.join(s.dir, 'conf-')),
		'wxpay.conf');
	fs.writeFileSync(file, fs.readFileSync(env.CONF, 'utf8').split('\n')
		.filter((line) => !/^(appsecret|mini_)/.test(line)).join('\n'));
	const bare = (method, url, body) => s.cgi('pay', method, url,
		{ body, env: { WXPAY_CONF: file } });
	const { status, json } = await bare('POST', '/pay',
		`product_id=${env.PRODUCT_ID}&trade_type=JSAPI`);
	assert.equal(status, 409);
	assert.equal(json.code, 'OPENID_NEEDED');
	assert.equal(json.authorize_url, undefined);
	assert.equal(await shop.state(json), 'pending');
	for (const [method, url, body] of [
		['GET', `/pay/authorize?order_no=${json.order_no}&token=${
			json.token}`],
		['GET', `/pay/jsconfig?url=${ORIGIN}/`],
		['POST', '/pay/openid', 'js_code=x']])
		assert.equal((await bare(method, url, body)).status, 404, url);
});

// ---- OAuth

test('from the form by OAuth to paid (P11, P12)', async () => {
	const openid = `o${random()}`;
	await visitor({ openid });
	const browser = new Browser();
	const order = await waiting();
	const away = expect(await browser.authorize(order), 303);
	const state = query_of(away.headers.location).get('state');
	// [vectors oauth_url] the order of the parameters, and the fragment
	assert.equal(away.headers.location, `${env.SANDBOX_URL
	}/connect/oauth2/authorize?appid=${env.APPID}&redirect_uri=${
		encodeURIComponent(`${env.WXPAY_URL}/pay/authorize/callback`)
	}&response_type=code&scope=snsapi_base&state=${state}#wechat_redirect`);
	assert.match(state, /^[0-9a-f]{32}$/);
	assert.match(away.headers['set-cookie'][0], new RegExp(
		'^wxpay_browser=[0-9a-f]{32}; Path=/pay; Max-Age=600; '
		+ 'HttpOnly; Secure; SameSite=Lax$'));
	const { browser: kept } = await s.one(`select browser
		from wxpay_data.oauth_states where state = $1`, state);
	assert.notEqual(kept, browser.jar.wxpay_browser);

	const back = expect(await browser.get(await browser.at_wechat(
		away.headers.location), HTML), 303);
	assert.equal(back.headers.location, `../../cashier#order_no=${
		order.order_no}&token=${order.token}`);
	assert.match(back.headers['set-cookie'][0], new RegExp(
		`^wxpay_openid=${env.APPID}\\.${openid}\\.\\d+\\.[0-9a-f]{64}; `
		+ 'Path=/pay; Max-Age=7200; HttpOnly; Secure; SameSite=Lax$'));

	const paid = expect(await browser.pay(order), 201).json;
	assert.equal(paid.pay.appId, env.APPID);
	const payment = await s.payment(paid.out_trade_no);
	assert.equal(payment.openid, openid);
	assert.equal(payment.appid, env.APPID);
	// and once more, as a reload would
	expect(await browser.pay(order, { openid }), 201);
	await s.sandbox.scan(paid, { openid });
	await until('the order is paid', async () =>
		await shop.state(order) === 'paid');
	await visitor(calm_visitor);
});

test('two windows of one browser do not disturb each other', async () => {
	const browser = new Browser();
	const [one, two] = [await waiting(), await waiting()];
	const first = await browser.begin(one);
	const second = await browser.begin(two);
	for (const [to, order] of [[first, one], [second, two]])
		assert.ok(expect(await browser.get(to), 303).headers.location
			.includes(order.order_no));
});

test('no order, another token: 404, and nothing is written', async () => {
	const { order_no, token } = await waiting();
	const before = await s.snapshot(['oauth_states']);
	const missing = [];
	for (const query of [`order_no=${order_no}&token=${'x'.repeat(22)}`,
		`order_no=T-none-such&token=${token}`,
		`order_no=..&token=${token}`, `order_no=${order_no}&token=x`])
		missing.push(refused(await http.get(`/pay/authorize?${query}`),
			404).text);
	assert.equal(new Set(missing).size, 1);
	for (const query of ['', `order_no=${order_no}`, `token=${token}`,
		`order_no=${order_no}&token=${token}&redirect_uri=//evil`,
		`order_no=${order_no}&token=${token}&token=${token}`])
		refused(await http.get(`/pay/authorize?${query}`));
	assert.deepEqual(await s.snapshot(['oauth_states']), before);
});

// What comes back must be this browser's own way, once, in time.
test('state: missing, odd, unknown (P12)', async () => {
	const browser = new Browser();
	const to = await browser.begin(await waiting());
	const { code, state } = Object.fromEntries(query_of(to));
	for (const query of ['', `code=${code}`, `code=${code}&state=`,
		`code=${code}&state=${state.slice(1)}`,
		`code=${code}&state=${state.toUpperCase()}x`,
		`code=${code}&state=${random()}`,
		`code=${code}&state=${state}&state=${state}`,
		`code=${code}&state=${state}&openid=oEvil`,
		`code=&state=${state}`, `code=a%20b&state=${state}`,
		`code=${'c'.repeat(600)}&state=${state}`]) {
		refused(await browser.get(
			`/pay/authorize/callback?${query}`));
		counts.states++;
	}
	expect(await browser.get(to), 303);	// it counts all the same
});

test('state: used, of another browser, too old (P12)', async () => {
	const browser = new Browser(), other = new Browser();
	const order = await waiting();
	await other.begin(order);
	const to = await browser.begin(order);
	refused(await other.get(to));
	refused(await new Browser().get(to));
	refused(await http.get(to, { cookie: `wxpay_browser=${
		browser.jar.wxpay_browser}; wxpay_browser=${random()}` }));
	expect(await browser.get(to), 303);
	delete browser.jar.wxpay_openid;
	refused(await browser.get(to));
	const late = await browser.begin(order);
	await s.sql(`update wxpay_data.oauth_states
		set made_at = made_at - interval '10 minutes' where state = $1`,
		query_of(late).get('state'));
	refused(await browser.get(late));
	counts.states += 5;
	assert.equal(browser.jar.wxpay_openid, undefined);
	// an attacker's way, begun in his browser, pays nothing in the victim's
	const victim = new Browser();
	refused(await victim.get(await other.begin(order)));
	assert.equal(victim.jar.wxpay_openid, undefined);
});

const LANGUAGES = [['zh-CN', '返回订单'], ['en', 'Back to your order']];
const reading = (lang) => ({ ...HTML, 'accept-language': lang });
const back_to = ({ order_no, token }) =>
	`../../cashier#order_no=${order_no}&token=${token}`;

// Each refusal of the callback, as a page: in the shopper's language, and back
// to the order that is his.
async function refused_page(browser, to, order, status) {
	for (const [lang, said] of LANGUAGES) {
		const page = page_of(refused(await browser.get(to,
			reading(lang)), status));
		assert.equal(page.lang, lang);
		assert.deepEqual(page.link, order
			? { href: back_to(order), said } : undefined);
	}
}

test('the callback loaded again: refused, and led back to the order (P12)',
	async () => {
	const browser = new Browser(), other = new Browser();
	const order = await waiting();
	await other.begin(order);
	const to = await browser.begin(order);
	expect(await browser.get(to, HTML), 303);
	assert.ok(browser.jar.wxpay_openid);
	await refused_page(browser, to, order, 400);
	// known or not, it has been his own way
	delete browser.jar.wxpay_openid;
	await refused_page(browser, to, order, 400);
	const { json } = refused(await browser.get(to, JSON_TYPE));
	assert.deepEqual(Object.keys(json), ['code', 'message']);
	assert.equal(json.code, 'PARAM_ERROR');
	// what others learn of it is what they learn of any
	const strange = [await other.get(to, reading('en')),
		await new Browser().get(to, reading('en')),
		await browser.get(to.replace(/state=\w+/,
			`state=${random()}`), reading('en')),
		await other.get(to, JSON_TYPE)].map((answer) =>
		refused(answer).text);
	for (const text of strange)
		for (const secret of [order.order_no, order.token])
			assert.ok(!text.includes(secret), text);
	for (const text of strange.slice(0, 3))
		assert.equal(text.replace(/<p>PARAM_ERROR \w+<\/p>/, ''),
			strange[0].replace(/<p>PARAM_ERROR \w+<\/p>/, ''));
	await refused_page(other, to, null, 400);
	await refused_page(browser, '/pay/authorize/callback', null, 400);
	await s.sql(`update wxpay_data.oauth_states
		set made_at = made_at - interval '10 minutes' where state = $1`,
		query_of(to).get('state'));
	await refused_page(browser, to, null, 400);
	// and nothing was used up by it, or set
	assert.equal(browser.jar.wxpay_openid, undefined);
	counts.states += 15;
});

test('whom WeChat does not name reads why, and is led back', async () => {
	const browser = new Browser();
	// an order of its own, and back from WeChat for it
	const came = async () => {
		const order = await waiting();
		return [await browser.begin(order), order];
	};
	for (const [lang, said] of LANGUAGES)
		for (const [plant, tries, status] of [
			[{ code: '40029' }, 2, 400], [{ code: '48001' }, 1, 502],
			[{ fault: 'SYSTEMERROR' }, 2, 503],
			[{ visitor: { is_snapshot: true } }, 1, 403]]) {
			const { visitor: kind, ...fault } = plant;
			if (kind)
				await visitor(kind);
			let [to, order] = await came();
			await visitor(calm_visitor);
			if (!kind)
				await s.sandbox.post('/sandbox/faults', {
					api: 'oauth', ...fault, times: tries });
			if (tries === 2)
				to = await browser.at_wechat(expect(
					await browser.get(to, reading(lang)),
					303).headers.location);
			const page = page_of(refused(await browser.get(to,
				reading(lang)), status));
			assert.equal(page.lang, lang);
			assert.deepEqual(page.link, { href: back_to(order),
				said });
		}
});

test('who comes by a link of no order reads it, and what to do', async () => {
	const { order_no, token } = await waiting();
	for (const [query, status] of [
		[`order_no=${order_no}&token=${'x'.repeat(22)}`, 404],
		[`order_no=T-none-such&token=${token}`, 404],
		[`order_no=${order_no}&token=x`, 404], ['', 400],
		[`order_no=${order_no}`, 400],
		[`order_no=${order_no}&token=${token}&to=evil`, 400]]) {
		const to = `/pay/authorize?${query}`;
		await refused_page(http, to, null, status);
		for (const [lang, why] of [['zh-CN', '不属于任何订单。请返回商店'],
			['en', 'is of no order. Please go back to the shop']])
			assert.ok(page_of(refused(await http.get(to,
				reading(lang)), status)).words.includes(why));
		const { json } = refused(await http.get(to), status);
		assert.deepEqual(Object.keys(json), ['code', 'message']);
		if (status === 404)
			assert.deepEqual(json, { code: 'NOT_FOUND',
				message: 'no such order' });
	}
});

test('fifty of the same at once: one gets through (P12)', async () => {
	const browser = new Browser();
	const to = await browser.begin(await waiting());
	const answers = await Promise.all(Array.from({ length: 50 }, () =>
		http.get(to, browser.headers)));
	assert.equal(answers.filter(({ status }) => status === 303).length, 1);
	assert.equal(answers.filter(({ status }) => status === 400).length, 49);
});

test('a code that was used goes to WeChat once more, not for ever (P12)',
	async () => {
	const browser = new Browser();
	const order = await waiting();
	const first = await browser.begin(order);
	const { code } = Object.fromEntries(query_of(first));
	expect(await browser.get(first), 303);
	delete browser.jar.wxpay_openid;
	// the same code under a way of its own: WeChat says 40163
	const second = await browser.begin(order);
	const used = (to) => `/pay/authorize/callback?code=${code}&state=${
		query_of(to).get('state')}`;
	const again = expect(await browser.get(used(second)), 303);
	assert.ok(again.headers.location.startsWith(
		`${env.SANDBOX_URL}/connect/oauth2/authorize?`));
	assert.notEqual(query_of(again.headers.location).get('state'),
		query_of(second).get('state'));
	const third = await browser.at_wechat(again.headers.location);
	refused(await browser.get(used(third)));
	assert.equal(browser.jar.wxpay_openid, undefined);
});

for (const [what, plant] of [['40029', { code: '40029' }],
	['42003', { code: '42003' }], ['-1', { fault: 'SYSTEMERROR' }],
	['half an answer', { fault: 'cut' }],
	['502', { fault: 'http_502' }]])
	test(`WeChat says ${what}: the shopper goes once more, and is known`,
		async () => {
		const browser = new Browser();
		const order = await waiting();
		await s.sandbox.post('/sandbox/faults',
			{ api: 'oauth', ...plant });
		const again = expect(await browser.get(
			await browser.begin(order)), 303);
		expect(await browser.get(await browser.at_wechat(
			again.headers.location)), 303);
		assert.ok(browser.jar.wxpay_openid);
		// twice running: no further
		await s.sandbox.post('/sandbox/faults',
			{ api: 'oauth', ...plant, times: 2 });
		delete browser.jar.wxpay_openid;
		const last = expect(await browser.get(
			await browser.begin(order)), 303);
		refused(await browser.get(await browser.at_wechat(
			last.headers.location)),
			/^4/.test(what) ? 400 : 503);
	});

test('an answer for good: no second way', async () => {
	const browser = new Browser();
	for (const code of ['40013', '40125', '40226', '48001']) {
		await s.sandbox.post('/sandbox/faults', { api: 'oauth', code });
		refused(await browser.get(await browser.begin(
			await waiting())), 502);
	}
});

test('consent refused: back to the cashier, and still nobody', async () => {
	const browser = new Browser();
	const order = await waiting();
	await visitor({ refuses: true });
	const to = await browser.begin(order);
	await visitor(calm_visitor);
	assert.equal(query_of(to).get('code'), null);
	assert.equal(expect(await browser.get(to), 303).headers.location,
		`../../cashier#order_no=${order.order_no}&token=${
			order.token}`);
	assert.equal(browser.jar.wxpay_openid, undefined);
	expect(await browser.pay(order), 409);
});

test('a snapshot cannot pay', async () => {
	const browser = new Browser();
	await visitor({ is_snapshot: true });
	const to = await browser.begin(await waiting());
	await visitor(calm_visitor);
	assert.equal(refused(await browser.get(to), 403).json.code,
		'SNAPSHOT_USER');
});

test('redirect_uri altered on the way: WeChat gives no code (P12)',
	async () => {
	const browser = new Browser();
	const { location } = expect(await browser.authorize(await waiting()),
		303).headers;
	for (const host of ['evil.example', 'localhost', `x${
		new URL(env.WXPAY_URL).host}`, `${new URL(env.WXPAY_URL).host
	}@evil.example`]) {
		const url = new URL(location);
		const altered = url.search.replace(/redirect_uri=[^&]*/,
			`redirect_uri=${encodeURIComponent(`https://${host}/x`)}`);
		const page = await wechat_http.get(url.pathname + altered);
		assert.equal(page.headers.location, undefined);
		assert.match(page.text, /10003/);
		counts.refused++;
	}
	// nor does a client say where it is
	const said = expect(await http.get(`/pay/authorize?${
		new URLSearchParams(await waiting().then(({ order_no, token }) =>
			({ order_no, token })))}`,
		{ 'x-forwarded-host': 'evil.example', referer:
			'https://evil.example/' }), 303).headers.location;
	assert.equal(query_of(said).get('redirect_uri'),
		`${env.WXPAY_URL}/pay/authorize/callback`);
});

// ---- what a page may not say

test('appid, notify_url and so on are ours to say (P8)', async () => {
	const browser = await new Browser().authorized(await waiting());
	for (const name of ['appid', 'notify_url', 'sign_type', 'mch_id',
		'mchid', 'sub_mchid', 'redirect_uri', 'scope', 'state', 'code'])
		for (const [to, fields] of [['/pay', { product_id:
			env.PRODUCT_ID, trade_type: 'JSAPI' }],
		['/pay/openid', { js_code: 'x' }]])
			refused(await browser.post(to,
				{ ...fields, [name]: env.MINI_APPID }));
});

test('no open redirect (P9)', async () => {
	const { order_no, token } = await waiting();
	const evil = ['//evil.example', 'https:evil.example', '\\\\evil.example',
		'/\\evil.example', 'https://evil.example', `${ORIGIN}@evil.example`,
		`${ORIGIN}.evil.example/`, 'https://evil.example#' + ORIGIN,
		'javascript:alert(1)', 'data:text/html,x', 'http://' + ORIGIN.slice(8),
		`${ORIGIN}\\@evil.example`, `${ORIGIN}%2f@evil.example`,
		`https://evil.example\\.${ORIGIN.slice(8)}`, 'https://', ' ', ''];
	for (const url of evil) {
		refused(await shop.pay({ product_id: env.PRODUCT_ID,
			trade_type: 'JSAPI', return_url: url }, HTML));
		const answer = await http.get('/pay/jsconfig?url='
			+ encodeURIComponent(url));
		assert.ok([400, 403].includes(answer.status), url);
		counts.refused++;
		for (const name of ['return_url', 'redirect_uri', 'url'])
			refused(await http.get(`/pay/authorize?${
				new URLSearchParams({ order_no, token,
					[name]: url })}`));
	}
});

// ---- the cookie

test('the cookie says who pays, and nobody else is believed (P11)',
	async () => {
	const own = `o${random()}`;
	const browser = new Browser();
	browser.jar.wxpay_openid = sealed({ openid: own });
	const order = await waiting();
	for (const openid of ['oOther', own.slice(1), `${own}x`,
		own.toUpperCase()])
		refused(await browser.pay(order, { openid }), 403);
	refused(await browser.pay(order, { openid: '' }));
	refused(await browser.post('/pay', { ...order, code: undefined,
		message: undefined, authorize_url: undefined,
		trade_type: 'NATIVE', openid: own }));
	assert.deepEqual(await s.sql(`select * from wxpay_data.payments
		where order_no = $1`, order.order_no), []);
	const paid = expect(await browser.pay(order, { openid: own }),
		201).json;
	assert.equal((await s.payment(paid.out_trade_no)).openid, own);
	// with another way to pay it has no say
	expect(await browser.pay(order, { trade_type: 'NATIVE' }), 201);
});

test('a cookie that is forged, expired, doubled or of another appid (P11)',
	async () => {
	const now = Math.floor(Date.now() / 1000);
	const good = sealed();
	const [appid, openid, expiry, mac] = good.split('.');
	const bad = [
		[appid, 'oOther', expiry, mac], [appid, openid, expiry + 1, mac],
		['wxother', openid, expiry, mac], [appid, openid, expiry, ''],
		[appid, openid, expiry], [appid, openid, mac], [mac], ['', '', '', ''],
		[appid, openid, expiry, mac.slice(1)],
		[appid, openid, expiry, mac.toUpperCase()],
		[appid, openid, expiry, mac, ''], ['', appid, openid, expiry, mac],
		[appid, openid, expiry, '0'.repeat(64)],
		[appid, 'x'.repeat(200), expiry, mac],
	].map((parts) => parts.join('.')).concat([
		sealed({ expiry: now }), sealed({ expiry: now - 7200 }),
		sealed({ appid: 'wx0000000000000000' }),
		sealed({ secret: 'another secret' }),
		sealed({ openid: `a.${env.APPID}` }),
		sealed({ expiry: -1 }), sealed({ expiry: `0${expiry}` }),
		`${good}; wxpay_openid=${sealed({ openid: 'oTwo' })}`,
		`"${good}"`, `${good}x`]);
	const order = await waiting();
	for (const value of bad) {
		const answer = expect(await http.post('/pay', {
			order_no: order.order_no, token: order.token,
			trade_type: 'JSAPI' }, { ...JSON_TYPE,
			cookie: `wxpay_openid=${value}` }), 409);
		assert.equal(answer.json.code, 'OPENID_NEEDED', value);
		counts.cookies++;
	}
	// the search is no accident: as it was made, it counts
	expect(await http.post('/pay', { order_no: order.order_no,
		token: order.token, trade_type: 'JSAPI' }, { ...JSON_TYPE,
		cookie: `a=1; xwxpay_openid=x; wxpay_openid=${good}; b` }), 201);
});

// ---- a mini program

test('a mini program: wx.login, and paid under its appid', async () => {
	const openid = `o${random()}`;
	await visitor({ openid });
	const { js_code } = await s.sandbox.post('/sandbox/js_code');
	await visitor(calm_visitor);
	const phone = new Browser();
	const answer = expect(await phone.post('/pay/openid', { js_code },
		JSON_TYPE), 200);
	assert.deepEqual(answer.json, { openid });
	assert.match(answer.headers['set-cookie'][0], new RegExp(
		`^wxpay_openid=${env.MINI_APPID}\\.${openid}\\.\\d+\\.`));
	const order = await waiting();
	const paid = expect(await phone.pay(order), 201).json;
	assert.equal(paid.pay.appId, env.MINI_APPID);
	const payment = await s.payment(paid.out_trade_no);
	assert.equal(payment.appid, env.MINI_APPID);
	assert.equal(payment.openid, openid);
	await s.sandbox.scan(paid, { openid });
	await until('the order is paid', async () =>
		await shop.state(order) === 'paid');
	// the code is spent, and says so
	assert.equal(refused(await phone.post('/pay/openid', { js_code },
		JSON_TYPE), 409).json.code, 'CODE_SPENT');
});

// wx.request keeps no cookies: README says how to send this one back.
test('a mini program without its cookie is refused by WeChat', async () => {
	const openid = `o${random()}`;
	await visitor({ openid });
	const { js_code } = await s.sandbox.post('/sandbox/js_code');
	await visitor(calm_visitor);
	const answer = expect(await http.post('/pay/openid', { js_code },
		JSON_TYPE), 200);
	const { order_no, token } = await waiting();
	const pay = (headers) => http.post('/pay', { order_no, token,
		trade_type: 'JSAPI', openid: answer.json.openid },
		{ ...JSON_TYPE, ...headers });
	assert.equal(refused(await pay({}), 502).json.code, 'WECHAT_REFUSED');
	const [cookie] = answer.headers['set-cookie'][0].split(';');
	assert.equal(expect(await pay({ cookie }), 201).json.pay.appId,
		env.MINI_APPID);
});

test('an openid counts under the appid that it was told for', async () => {
	// told by both accounts, by one, by nobody
	const told = async (openid, ways) => {
		await visitor({ openid });
		if (ways.includes('account'))
			await new Browser().authorized(await waiting());
		const { js_code } = await s.sandbox.post('/sandbox/js_code');
		if (ways.includes('mini'))
			expect(await http.post('/pay/openid', { js_code }), 200);
		await visitor(calm_visitor);
	};
	const pay = async (appid, openid) => {
		const browser = new Browser();
		browser.jar.wxpay_openid = sealed({ appid, openid });
		const order = await waiting();
		const { status } = await browser.pay(order);
		const [{ outcome }] = await s.sandbox.calls(order.order_no);
		return [status, outcome];
	};
	const no = [502, env.API === 'v3' ? 'PARAM_ERROR'
		: 'appid和openid不匹配'];
	const yes = [201, 'SUCCESS'];
	for (const [ways, by_account, by_mini] of [['account', yes, no],
		['mini', no, yes], ['account and mini', yes, yes],
		['nobody', yes, yes]]) {
		const openid = `o${random()}`;
		await told(openid, ways);
		assert.deepEqual(await pay(env.APPID, openid), by_account, ways);
		assert.deepEqual(await pay(env.MINI_APPID, openid), by_mini,
			ways);
	}
});

test('js_code: absent, odd, invented, from a foreign page (P23)', async () => {
	const { js_code } = await s.sandbox.post('/sandbox/js_code');
	for (const fields of [{}, { js_code: '' }, { js_code: 'a b' },
		{ js_code: 'a&secret=x' }, { js_code: 'c'.repeat(600) },
		`js_code=${js_code}&js_code=${js_code}`])
		refused(await http.post('/pay/openid', fields));
	refused(await http.post('/pay/openid', { js_code: random() }), 409);
	refused(await http.post('/pay/openid', { js_code },
		{ origin: 'https://evil.example' }), 403);
	await s.sandbox.post('/sandbox/faults', { api: 'login',
		code: '45011' });
	refused(await http.post('/pay/openid', { js_code }), 503);
	await s.sandbox.post('/sandbox/faults', { api: 'login',
		code: '40226' });
	refused(await http.post('/pay/openid', { js_code }), 502);
	expect(await http.post('/pay/openid', { js_code }), 200);
});

// ---- wx.config

const sha1 = (text) => createHash('sha1').update(text).digest('hex');

const token_row = (kind) => s.one(`select *, ends_at > now() as lives,
	extract(epoch from ends_at - due_at)::int as early_s
	from wxpay_data.wechat_tokens where kind = $1`, kind);

const jsconfig = (url) => http.get('/pay/jsconfig?url='
	+ encodeURIComponent(url));

test('wx.config is signed as WeChat verifies it', async () => {
	const { value } = await token_row('jsapi_ticket');
	for (const [url, signed] of [[`${ORIGIN}/`], [ORIGIN],
		[`${ORIGIN}/cashier?a=1&b=%E4%B8%AD%2f&c='x'`],
		[`${ORIGIN}/x?from=singlemessage&isappinstalled=0`],
		[`${ORIGIN}/%25?q=+&r=%20#order_no=T&token=x`,
			`${ORIGIN}/%25?q=+&r=%20`],
		[`${ORIGIN}/?a#b#c`, `${ORIGIN}/?a`]]) {
		const config = expect(await jsconfig(url), 200).json;
		assert.deepEqual(Object.keys(config), ['appId', 'timestamp',
			'nonceStr', 'signature']);
		assert.equal(config.appId, env.APPID);
		assert.ok(Math.abs(config.timestamp - Date.now() / 1000) < 60);
		assert.equal(config.signature, sha1(`jsapi_ticket=${value
		}&noncestr=${config.nonceStr}&timestamp=${config.timestamp
		}&url=${signed ?? url}`), url);
	}
	const [one, two] = [await jsconfig(`${ORIGIN}/`),
		await jsconfig(`${ORIGIN}/`)].map(({ json }) => json.nonceStr);
	assert.notEqual(one, two);
});

test('a page that is not ours gets no signature (P9)', async () => {
	const host = ORIGIN.slice(8);
	for (const url of ['https://evil.example/', `https://x${host}/`,
		`https://${host}.evil.example/`, `https://${host}@evil.example/`,
		`https://evil.example@${host}/`, `https://${host}:1/`,
		`https://${host.split(':')[0]}/`, `https:///${host}/`,
		`https://${host.toUpperCase()}/`])
		refused(await jsconfig(url), 403);
	for (const url of [`http://${host}/`, `HTTPS://${host}/`, `//${host}/`,
		'', 'x', `https://${host}/\\`, `https://${host}/ x`,
		`https://${host}/中`, `https://${host}/${'x'.repeat(2100)}`])
		refused(await jsconfig(url));
	refused(await http.get('/pay/jsconfig'));
	refused(await http.get(`/pay/jsconfig?url=${ORIGIN}/&appid=x`));
});

test('no ticket, or one past its end: 503', async () => {
	const { value, ends_at } = await token_row('jsapi_ticket');
	await s.sql(`update wxpay_data.wechat_tokens set ends_at = now()
		where kind = 'jsapi_ticket'`);
	refused(await jsconfig(`${ORIGIN}/`), 503);
	await s.sql(`update wxpay_data.wechat_tokens set ends_at = $2
		where kind = 'jsapi_ticket' and value = $1`, value, ends_at);
	expect(await jsconfig(`${ORIGIN}/`), 200);
});

// ---- tokens

const platform = async () => expect(await wechat_http.get(
	'/sandbox/platform'), 200).json;
const calls_of = async (api) => (await platform()).calls.filter((call) =>
	call.api === api);
const due = (kind) => s.sql(`update wxpay_data.wechat_tokens
	set due_at = now(), failures = 0 where kind = $1`, kind);

test('one row each, and for two workers fetched once', async () => {
	const second = spawn(path.join(env.BIN, 'wxpayctl'),
		['--config', env.CONF, 'worker'],
		{ stdio: ['ignore', 'ignore', 'pipe'], env: {} });
	let log = '';
	second.stderr.on('data', (text) => {
		log += text;
	});
	try {
		await until('another works', () => /worker\.started/.test(log));
		for (const [kind, api] of [['access_token', 'stable_token'],
			['jsapi_ticket', 'getticket']])
			for (let i = 0; i < 2; i++) {
				const calls = (await calls_of(api)).length;
				// so slow that both have looked meanwhile
				await s.sandbox.fault(api, 'slow',
					{ ms: 2500 });
				const { lease_no } = await token_row(kind);
				await due(kind);
				await until('it is fetched', async () => {
					const row = await token_row(kind);
					return row.lease_no > lease_no
						&& row.due_at > new Date();
				});
				await pause(100);
				assert.equal((await token_row(kind)).lease_no,
					lease_no + 1);
				assert.equal((await calls_of(api)).length,
					calls + 1);
				counts.tokens++;
			}
	} finally {
		second.kill('SIGTERM');
		await new Promise((resolve) => second.on('exit', resolve));
	}
	assert.deepEqual((await s.sql(`select kind, appid
		from wxpay_data.wechat_tokens order by kind`)).map(
		({ kind, appid }) => [kind, appid]),
		[['access_token', env.APPID], ['jsapi_ticket', env.APPID]]);
});

test('refreshed 10 minutes early, and always one that lives', async () => {
	await due('access_token');
	await until('it is fetched', async () =>
		(await token_row('access_token')).early_s === 600);
	// shorter lives: WeChat gives the same one until the last quarter
	await visitor({ token_life_s: 12 });
	await s.sandbox.post('/sandbox/revoke');
	await due('jsapi_ticket');
	const seen = new Set();
	await until('one token has followed another', async () => {
		const { value, lives } = await token_row('access_token');
		if (seen.size > 0)
			assert.ok(lives, 'a token has ended');
		if (lives && value.startsWith('access_token-')
			&& (await s.one(`select ends_at - fetched_at
				< interval '60 s' as is_short
				from wxpay_data.wechat_tokens
				where kind = 'access_token'`)).is_short)
			seen.add(value);
		return seen.size >= 2;
	}, 60000);
	counts.tokens += seen.size;
	await visitor(calm_visitor);
	await s.sandbox.post('/sandbox/revoke');
	await due('jsapi_ticket');
	await until('all is calm', async () =>
		(await token_row('access_token')).early_s === 600);
});

test('40001: the token is fetched anew, and the ticket with it', async () => {
	const before = await token_row('access_token');
	const ticket = await token_row('jsapi_ticket');
	const seen = (await platform()).calls.length;
	await s.sandbox.post('/sandbox/revoke');
	await due('jsapi_ticket');
	await until('the ticket is fetched', async () => {
		expect(await jsconfig(`${ORIGIN}/`), 200);
		return (await token_row('jsapi_ticket')).lease_no
			>= ticket.lease_no + 2;
	});
	await until('it is told', async () => (await token_row('jsapi_ticket'))
		.outcome.startsWith('done'));
	assert.notEqual((await token_row('access_token')).value, before.value);
	assert.deepEqual((await platform()).calls.slice(seen).map(
		({ api, errcode }) => [api, errcode]), [['getticket', 40001],
		['stable_token', 0], ['getticket', 0]]);
});

test('a failure: the old one counts, and the next try is later', async () => {
	for (const [plant, outcome] of [[{ code: '40125' }, 'denied 40125'],
		[{ code: '45009' }, 'again 45009'],
		[{ fault: 'SYSTEMERROR' }, 'again BUSY'],
		[{ fault: 'http_500' }, 'unsure HTTP_500'],
		[{ fault: 'cut' }, 'unsure ODD_ANSWER']]) {
		await s.sandbox.post('/sandbox/faults',
			{ api: 'stable_token', ...plant });
		const { value } = await token_row('access_token');
		await due('access_token');
		await until(`the outcome is ${outcome}`, async () =>
			(await token_row('access_token')).outcome === outcome);
		const row = await token_row('access_token');
		assert.equal(row.value, value);
		assert.equal(row.failures, 1);
		assert.ok(row.due_at - Date.now() > 2000);
	}
	await due('access_token');
	await until('all is well', async () => (await token_row('access_token'))
		.failures === 0);
});

// ---- what nobody may see

test('session_key, appsecret, tokens and cookies are in no log, answer or row',
	async () => {
	const { rows } = await books.query(`select session_key
		from sandbox.codes where session_key is not null`);
	const keys = rows.map(({ session_key }) => session_key);
	assert.ok(keys.length >= 2);
	const tokens = (await platform()).tokens.map(({ value }) => value);
	const logs = fs.readdirSync(path.join(s.dir, 'log')).map((file) =>
		fs.readFileSync(path.join(s.dir, 'log', file), 'utf8')).join('');
	const { stdout } = await run('pg_dump', ['--data-only', '--inserts',
		env.DATABASE]);
	for (const [name, text] of [['log', logs], ['row', stdout]])
		for (const secret of [...keys, env.APPSECRET])
			assert.ok(!text.includes(secret), `in a ${name}`);
	for (const secret of tokens)
		assert.ok(!logs.includes(secret), 'a token in a log');
	// the browser's own value is in no row: only its digest is
	const browser = new Browser();
	await browser.begin(await waiting());
	const dump = await run('pg_dump', ['--data-only', '--inserts',
		'-t', 'wxpay_data.oauth_states', env.DATABASE]);
	assert.match(dump.stdout, /INSERT INTO/);
	assert.ok(!dump.stdout.includes(browser.jar.wxpay_browser));
	const seen = fs.readFileSync(path.join(s.dir, 'seen'), 'utf8');
	for (const secret of [...keys, env.APPSECRET])
		assert.ok(!seen.includes(secret), 'in an answer');
	for (const secret of tokens.slice(-1))
		assert.ok(!(await jsconfig(`${ORIGIN}/`)).text
			.includes(secret));
});
