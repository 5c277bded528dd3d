// Where the network ends and we begin (threats.md E1-E15, P13, P18; design 3,
// "Everywhere"): what nginx and the programs refuse, and what every answer
// carries.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import tls from 'node:tls';
import { basic, expect, random } from './lib/actors.mjs';
import { form } from './lib/http.mjs';
import { page_of } from './lib/page.mjs';
import { stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

const s = await stack('calm');
const { shop, sandbox, staff, http } = s;
const { hostname, port, host } = new URL(s.env.WXPAY_URL);
let tried = 0;
let flooded = 0;
after(() => console.log(`# edge: ${tried} requests of bad form, `
	+ `${flooded} in floods`));

const order = await s.paid(1000);
const refund = await shop.refund_requested(order, 100);

// What stands on every answer, whoever gave it.
function assert_headers(answer, what) {
	const { headers } = answer;
	assert.match(headers['x-request-id'] ?? '', /^[0-9a-f]{32}$/, what);
	assert.equal(headers['x-content-type-options'], 'nosniff', what);
	assert.equal(headers['cache-control'], 'no-store', what);
	assert.doesNotMatch(headers.server ?? '', /\d/, `${what}: a version`);
	assert.equal(headers['x-powered-by'], undefined, what);
	assert.equal(headers['set-cookie'], undefined, what);
	for (const name of Object.keys(headers))
		assert.doesNotMatch(name, /^access-control-/, what);
}

const connect = (options) => new Promise((resolve, reject) => {
	const socket = tls.connect({ host: hostname, port,
		servername: hostname, ca: http.ca, ...options }, () => {
		socket.destroy();
		resolve(socket.getProtocol());
	});
	socket.on('error', reject);
});

test('TLS: old versions, no name, foreign names are refused (E1)',
	async () => {
	const old = { ciphers: 'DEFAULT@SECLEVEL=0', minVersion: 'TLSv1' };
	await assert.rejects(connect({ ...old, maxVersion: 'TLSv1' }));
	await assert.rejects(connect({ ...old, maxVersion: 'TLSv1.1' }));
	const blind = { rejectUnauthorized: false };
	await assert.rejects(connect({ ...blind, servername: '' }));
	await assert.rejects(connect({ ...blind, servername: 'evil.example' }));
	await connect({ minVersion: 'TLSv1.3' });
	await connect({ maxVersion: 'TLSv1.2' });
});

const lines = (...text) => `${text.join('\r\n')}\r\n\r\n`;
const GET = `GET /pay/${order.order_no}?token=${order.token} HTTP/1.1`;
const FORM = 'Content-Type: application/x-www-form-urlencoded';
const BODY = `token=${order.token}`;
const CLOSE = `POST /pay/${order.order_no}/close HTTP/1.1`;

test('Host: absent, doubled, foreign, bent (E2)', async () => {
	const cases = [
		['none', [GET]],
		['two', [GET, `Host: ${host}`, `Host: ${host}`]],
		['two different', [GET, `Host: ${host}`, 'Host: evil.example']],
		['foreign', [GET, 'Host: evil.example']],
		['127.0.0.1', [GET, 'Host: 127.0.0.1']],
		['with a space', [GET, 'Host: local host']],
		['with a path', [GET, `Host: ${host}/x`]],
		['absolute form, foreign', [GET.replace('/pay',
			'https://evil.example/pay'), `Host: ${host}`]],
	];
	for (const [what, head] of cases) {
		tried++;
		const text = await http.raw(lines(...head, 'Connection: close'))
			.catch((error) => error.code);
		assert.ok(['', 'ECONNRESET'].includes(text)
			|| /^HTTP\/1\.[01] (400|421) /.test(text),
				`${what}: ${text}`);
	}
	const text = await http.raw(lines(GET, `Host: ${host}`,
		'Connection: close'));
	assert.match(text, /^HTTP\/1\.1 200 /);
});

test('lengths, chunks and lines of bad form end the connection (E5)',
	async () => {
	const smuggled = lines(GET, `Host: ${host}`);
	const cases = [
		['length and chunks', ['Content-Length: 5',
			'Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`],
		['two lengths', ['Content-Length: 5', 'Content-Length: 6'],
			'a=b&c'],
		['two lengths, alike', [`Content-Length: ${BODY.length}`,
			`Content-Length: ${BODY.length}`], BODY],
		['a list of lengths', ['Content-Length: 5, 5'], 'a=b&c'],
		['a length with a sign', ['Content-Length: +5'], 'a=b&c'],
		['a length in hex', ['Content-Length: 0x5'], 'a=b&c'],
		['a length below zero', ['Content-Length: -1'], 'a=b&c'],
		['chunks of bad form', ['Transfer-Encoding: chunked'],
			'zz\r\nabc\r\n0\r\n\r\n'],
		['chunked, twice', ['Transfer-Encoding: chunked, chunked'],
			'0\r\n\r\n'],
		['an unknown coding', ['Transfer-Encoding: gzip'], 'x'],
		['a folded line', ['X-A: a', ' b', 'Content-Length : 5'],
			'a=b&c'],
		['a space before the colon', ['Content-Length : 5'], 'a=b&c'],
		['NUL in a header', ['X-A: a\0b', 'Content-Length: 0'], ''],
		['a line without a colon', ['nonsense', 'Content-Length: 0'],
			''],
	];
	const before = await s.snapshot(['orders', 'payments', 'refunds']);
	for (const [what, head, body] of cases) {
		tried++;
		const text = await http.raw(lines(CLOSE, `Host: ${host}`, FORM,
			'Connection: close', ...head) + body)
			.catch((error) => error.code);
		assert.ok(['', 'ECONNRESET'].includes(text)
			|| /^HTTP\/1\.1 (4\d\d|501) /.test(text),
				`${what}: ${text}`);
		assert.equal(text.split('HTTP/1.').length - 1 <= 1, true,
			`${what}: one answer`);
	}
	assert.deepEqual(await s.snapshot(['orders', 'payments', 'refunds']),
		before);
});

const ROUTES = [
	['/pay', ['POST']],
	[`/pay/${order.order_no}?token=${order.token}`, ['GET']],
	[`/pay/${order.order_no}/qr.svg?token=${order.token}`, ['GET']],
	[`/pay/${order.order_no}/close`, ['POST']],
	[`/pay/${order.order_no}/check`, ['POST']],
	['/notify/paid', ['POST']],
	['/notify/refunded', ['POST']],
	['/refund', ['POST']],
	[`/refund/${refund.out_refund_no}?token=${order.token}`, ['GET']],
	['/merchant/session', ['GET']],
	['/merchant/refunds', ['GET', 'POST']],
	[`/merchant/refunds/${refund.out_refund_no}/approve`, ['POST']],
	[`/merchant/refunds/${refund.out_refund_no}/reject`, ['POST']],
	[`/merchant/refunds/${refund.out_refund_no}/retry`, ['POST']],
	['/merchant/orders', ['GET']],
	[`/merchant/orders/${order.order_no}/check`, ['POST']],
];

test('other methods: 405 with Allow, and nothing is done (E7)', async () => {
	const before = await s.snapshot();
	const headers = await staff.headers();
	for (const [route, allowed] of ROUTES)
		for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH',
			'OPTIONS', 'HEAD', 'PROPFIND', 'TRACE']) {
			if (allowed.includes(method))
				continue;
			tried++;
			const answer = await http.request(method, route, {
				headers: { ...headers, 'content-length': 0 } });
			const what = `${method} ${route}: ${answer}`;
			assert.equal(answer.status, 405, what);
			assert_headers(answer, what);
			if (method !== 'TRACE')		// nginx's own
				assert.equal(answer.headers.allow,
					allowed.join(', '), what);
			if (route.startsWith('/notify'))
				assert.doesNotMatch(answer.text, /SUCCESS/,
					what);
		}
	assert.deepEqual(await s.snapshot(), before);
});

test('paths that are none of ours: 404 (E8)', async () => {
	const paths = ['/x', '/PAY', '/Pay', '/pay/', '/pay//', '/payx',
		'/pay;x', '/pay%3bx', '/pay%2f', `/pay/${order.order_no}/`,
		`/pay/${order.order_no}/close/`,
			`/pay/${order.order_no}/close/x`,
		`/pay/${order.order_no}/closed`,
		`/pay/${order.order_no}.`, '/pay/a/b/c/d/e/f/g/h', '/notify',
		'/notify/', '/notify/paid/', '/notify/paid/x', '/notify/Paid',
		'/notify/v3', '/refund/', '/refund/a/b', '/wxpay-internal/pay',
		'/wxpay-internal/notify/paid', '/wxpay-internal/', '/healthz',
		'/healthz/pay', '/pay/../healthz', '/pay/healthz/../../healthz',
		'/.git/config', '/nginx.conf', '/wxpay.conf', '/sandbox/ledger',
		'/pay/%e4%b8%ad', `/pay/${'x'.repeat(300)}`];
	for (const route of paths)
		for (const method of ['GET', 'POST']) {
			tried++;
			const answer = await http.request(method,
				`${route}?token=${order.token}`);
			const what = `${method} ${route}: ${answer}`;
			assert.ok(answer.status === 404
				|| (answer.status === 405
					&& !answer.headers.allow
					?.includes(method)), what);
			assert_headers(answer, what);
			if (!route.includes('notify'))
				assert.match(answer.json.code, /^[A-Z_]+$/,
					what);
		}
	for (const route of ['/pay/%00', '/pay/..%2f..%2fetc', '/pay/%zz',
		'/..%2f', '/pay/%2e%2e/%2e%2e/%2e%2e/etc/passwd']) {
		tried++;
		const text = await http.raw(lines(`GET ${route} HTTP/1.1`,
			`Host: ${host}`, 'Connection: close'));
		assert.match(text, /^HTTP\/1\.1 (400|404) /, route);
		assert.doesNotMatch(text, /root:/);
	}
	for (const route of ['/merchant', '/merchant/', '/merchant/x',
		'/merchant/refunds/', '/merchant/refunds/R-1',
			'/merchant/orders/',
		`/merchant/refunds/${refund.out_refund_no}/delete`]) {
		tried++;
		const answer = await staff.post(route);
		assert.equal(answer.status, 404, `${route}: ${answer}`);
		assert_headers(answer, route);
	}
});

test('too large: 413, spelled like ours (E9)', async () => {
	for (const [route, size] of [['/pay', 16385], ['/refund', 16385],
		['/pay/T-1001/close', 16385], ['/notify/paid', 65537],
		['/notify/refunded', 65537]]) {
		tried++;
		const answer = await http.post(route, 'a'.repeat(size));
		assert.equal(answer.status, 413, `${route}: ${answer}`);
		assert_headers(answer, route);
		if (route.startsWith('/notify'))
			assert.match(answer.text, wechat.FAIL);
		else
			assert.equal(answer.json.code, 'TOO_LARGE');
	}
});

test('headers too long, too many; URLs too long (E12)', async () => {
	const cases = [
		['a header of 64 KiB', lines(GET, `Host: ${host}`,
			`X-A: ${'a'.repeat(65536)}`)],
		['1000 headers', lines(GET, `Host: ${host}`,
			...Array.from({ length: 1000 },
				(_, i) => `X-${i}: ${i}`))],
		['a URL of 8 KiB',
			lines(`GET /pay/${'a'.repeat(8192)} HTTP/1.1`,
			`Host: ${host}`)],
		['no HTTP at all', 'nonsense\r\n\r\n'],
		['HTTP/9.9', lines('GET /pay HTTP/9.9', `Host: ${host}`)],
	];
	for (const [what, text] of cases) {
		tried++;
		const answer = await http.raw(text).catch((error) =>
			error.code);
		assert.ok(answer === 'ECONNRESET' || answer === ''
			|| /^HTTP\/1\.1 (400|414|431|494|505) /.test(answer)
			|| /^<html>/.test(answer),
				`${what}: ${answer.slice(0, 300)}`);
		assert.doesNotMatch(answer, /nginx\/\d/, what);
	}
});

test('Expect, Range, Content-Encoding, Upgrade (E13)', async () => {
	const target = `/pay/${order.order_no}?token=${order.token}`;
	const ranged = expect(await http.get(target, { range: 'bytes=0-3' }),
		200);
	assert.equal(ranged.json.order_no, order.order_no);
	expect(await http.get(target, { upgrade: 'h2c',
		connection: 'upgrade' }), 200);
	const { gzipSync } = await import('node:zlib');
	const packed = gzipSync('product_id=tea&quantity=1&trade_type=NATIVE');
	const before = await s.snapshot();
	tried++;
	const answer = await http.post('/pay', packed,
		{ 'content-encoding': 'gzip' });
	assert.equal(answer.status, 400, answer.toString());
	assert.deepEqual(await s.snapshot(), before);
	const text = await http.raw(lines(CLOSE, `Host: ${host}`, FORM,
		`Content-Length: ${BODY.length}`, 'Expect: 100-continue',
		'Connection: close') + BODY);
	assert.match(text, /HTTP\/1\.1 409 /);
});

test('slow heads and bodies are cut off (E10)', async () => {
	const began = performance.now();
	const body = lines('POST /pay HTTP/1.1', `Host: ${host}`, FORM,
		'Content-Length: 100');
	await Promise.all(['GET /pay HTTP/1.1\r\n', `${body}product_id=t`,
		'P'].map((text) => {
		tried++;
		return http.raw(text).catch((error) => error.code);
	}));
	const ms = performance.now() - began;
	assert.ok(ms > 3000 && ms < 8000, `${ms} ms`);
});

test('who says where he comes from is not believed (E3, P13)', async () => {
	for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded',
		'client-ip', 'true-client-ip', 'x-client-ip', 'remote-addr',
		'x-forwarded-host', 'x-forwarded-proto']) {
		const value = name === 'forwarded' ? 'for=6.6.6.6' : '6.6.6.6';
		const made = expect(await shop.pay({ ...shop.signed(),
			trade_type: 'NATIVE' }, { [name]: value }), 201).json;
		assert.equal((await s.payment(made.out_trade_no)).client_ip,
			'127.0.0.1', name);
		const { payments } = await sandbox.ledger(made.out_trade_no);
		if (s.api === 'v2')	// V3 does not ask
			assert.equal(payments[0].params.spbill_create_ip,
				'127.0.0.1', name);
	}
});

test('headers that would be variables of a CGI program (E4)', async () => {
	for (const headers of [{ proxy: 'http://127.0.0.1:9' },
		{ 'wxpay-conf': '/etc/passwd' }, { 'request-id': 'x' },
		{ 'path-info': '/healthz' }, { 'request-method': 'GET' },
		{ path_info: '/healthz' }]) {
		const made = expect(await shop.pay({ ...shop.signed(),
			trade_type: 'NATIVE' }, headers), 201);
		assert_headers(made, JSON.stringify(headers));
	}
});

test('every answer carries what it must; the log has its id', async () => {
	const origin = { origin: s.env.WXPAY_URL };
	const answers = [
		['201', await shop.pay({ ...shop.signed(),
			trade_type: 'NATIVE' }, origin)],
		['200', await shop.show(order)],
		['svg', await http.get(`/pay/${(await shop.order()).order_no}`
			+ '/qr.svg?token=x')],
		['404', await shop.show({ order_no: 'T-NONE-1', token: 'x' })],
		['400', await shop.pay({})],
		['403', await shop.pay({}, { origin: 'https://evil.example' })],
		['409', await shop.close(order)],
		['401', await http.get('/merchant/session')],
		['staff', await staff.get('/merchant/session')],
		['notify', await s.notify(s.voice.nonsense())],
		['refund', await shop.show_refund(order, refund)],
	];
	for (const [what, answer] of answers)
		assert_headers(answer, what);
	const ids = answers.map(([, { headers }]) => headers['x-request-id']);
	assert.equal(new Set(ids).size, ids.length);
	const pages = fs.readFileSync(path.join(s.dir, 'log', 'wxpay.log'),
		'utf8');
	await until('the log has the id', () =>
		s.log('pay').includes(`"req":"${ids[0]}"`));
	assert.doesNotMatch(pages, /token=/);
	assert.match(answers[1][1].headers['content-type'],
		/^application\/json/);
	assert.match(answers[9][1].headers['content-type'],
		s.api === 'v3' ? /^application\/json/ : /xml/);
});

test('a browser gets a short page in its language, and no script (P16)',
	async () => {
	const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
	const nasty = '<script>alert(1)</script>';
	for (const [language, mark] of [['zh-CN,zh;q=0.9', 'zh'],
		['en-GB,en;q=0.9', 'en']]) {
		const headers = { ...html, 'accept-language': language };
		for (const answer of [
			await http.get(`/pay/T-NONE-1?token=${'A'.repeat(22)}`,
				headers),
			await shop.pay({ [nasty]: nasty }, headers),
			await shop.pay({ product_id: nasty,
				trade_type: 'NATIVE' }, headers)]) {
			assert.ok([400, 404].includes(answer.status));
			assert.match(answer.headers['content-type'],
				/^text\/html; ?charset=utf-8/i);
			assert.match(answer.text, new RegExp(`lang="${mark}`));
			assert.doesNotMatch(answer.text, /<script/i);
			assert_headers(answer, language);
		}
	}
});

// What is bought, where it goes wrong for a shopper: what programs get, and
// what a person reads of it.
test('a form that leads to no order: why, in the shopper\'s language (P16)',
	async () => {
	const request_id = random();
	await s.sql("select wxpay.product_set('dear', 'Dear', 2147483647)");
	await shop.order({ product_id: 'sticker', request_id });
	const cases = [
		[{ product_id: 'tea', quantity: 2, total_fee: 8800 }, 409,
			'{"code":"PRICE_CHANGED","message":"total_fee: the '
				+ 'price is another","total_fee":17600}',
			/价格已变动。.*刷新页面/, /price has changed\..* reload/],
		[{ product_id: 'sticker', quantity: 2, request_id }, 409,
			'{"code":"CONFLICT","message":"the same number or '
				+ 'request_id was used for something else"}',
			/已用于其他订单。.*刷新页面/,
			/used for another order\..* reload/],
		[{ product_id: 'dear', quantity: 2 }, 400,
			'{"code":"PARAM_ERROR","message":"quantity: more than '
				+ 'one order can be"}',
			/数量过多。.*减少数量/, /more than .* order fewer/],
		[{ product_id: 'coffee' }, 404,
			'{"code":"NOT_FOUND","message":"no such product or '
				+ 'order"}',
			/找不到该商品或订单。.*返回商店/,
			/no such product or order\..* back to the shop/],
		[{ order_no: order.order_no, token: 'A'.repeat(22) }, 404,
			'{"code":"NOT_FOUND","message":"no such product or '
				+ 'order"}',
			/找不到该商品或订单。.*返回商店/,
			/no such product or order\..* back to the shop/],
	];
	const before = await s.snapshot();
	for (const [what, status, text, zh, en] of cases) {
		const fields = { ...what, trade_type: 'NATIVE' };
		assert.equal(expect(await shop.pay(fields), status).text, text);
		for (const [language, words] of [['zh-CN', zh], ['en', en]]) {
			const answer = expect(await shop.pay(fields, { accept:
				'text/html', 'accept-language': language }),
				status);
			const page = page_of(answer);
			assert.equal(page.lang, language);
			assert.match(page.words, words);
			assert.ok(answer.text.includes(`<p>${
				JSON.parse(text).code} `));
			assert_headers(answer, page.words);
		}
		tried += 3;
	}
	assert.deepEqual(await s.snapshot(), before);
});

test('a browser goes to the cashier, which alone is told the token (P15)',
	async () => {
	const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
	const what = shop.signed({ body: '<script>alert(1)</script>' });
	for (const how of [{ trade_type: 'NATIVE' },
		{ trade_type: 'JSAPI', openid: 'oE2E-cashier' }]) {
		const { token } = expect(await shop.pay({ ...what, ...how }),
			201).json;
		const gone = expect(await shop.pay({ ...what, ...how }, html),
			303);
		assert_headers(gone, how.trade_type);
		assert.equal(gone.headers.location,
			`cashier#order_no=${what.order_no}&token=${token}`);
		assert.equal(gone.text, '');
	}
	// given up, it is the page that says so
	const order = expect(await shop.pay(what), 201).json;
	await shop.close(order);
	expect(await shop.pay(what), 409);
	const { headers } = expect(await shop.pay(what, html), 303);
	assert.equal(headers.location,
		`cashier#order_no=${what.order_no}&token=${order.token}`);
});

test('while WeChat is being asked, a browser goes to the cashier, too',
	async () => {
	const { order_no, out_trade_no, token } = await shop.order();
	// another machine is calling, and still is when our budget is spent
	await s.sql(`update wxpay_data.payments set prepaid_at = now()
		- interval '3 hours', leased_until = now() + interval '1 hour'
		where out_trade_no = $1`, out_trade_no);
	const pay = (HTTP_ACCEPT) => s.cgi('pay', 'POST', '/pay', {
		body: form({ order_no, token, trade_type: 'NATIVE' }),
		conf: { wechat_total_ms: 200 }, env: { HTTP_ACCEPT } });
	const { head, status, text } = await pay('text/html');
	assert.equal(status, 303, head + text);
	assert.match(head, new RegExp(
		`^Location: cashier#order_no=${order_no}&token=${token}$`, 'm'));
	const busy = await pay('application/json');
	assert.equal(busy.status, 409);
	assert.equal(busy.text, '{"code":"BUSY","message":"the same is being '
		+ 'asked for; try again"}');
	assert.equal((await sandbox.calls(out_trade_no)).length, 1);
	await s.sql(`update wxpay_data.payments set leased_until = null
		where out_trade_no = $1`, out_trade_no);
});

test('the cashier: its files, their headers, GET alone (P14)', async () => {
	for (const [file, type, must] of [
		['/cashier', 'text/html', /^<!DOCTYPE html>/],
		['/cashier/cashier.js', 'text/javascript', /'use strict'/],
		['/cashier/wechat.js', 'text/javascript', /'use strict'/],
		['/cashier/cashier.css', 'text/css', /^\/\*/],
		['/cashier/cashier.svg', 'image/svg+xml', /^<svg/]]) {
		const { headers, text } = expect(await http.get(file), 200);
		assert.equal(headers['content-type'].split(';')[0], type);
		assert.match(text, must);
		assert.match(headers['x-request-id'], /^[0-9a-f]{32}$/);
		assert.equal(headers['x-content-type-options'], 'nosniff');
		assert.equal(headers['referrer-policy'], 'strict-origin');
		assert.equal(headers['x-frame-options'], 'DENY');
		assert.equal(headers['content-security-policy'], "default-src "
			+ "'none'; script-src 'self' https://res.wx.qq.com; "
			+ "img-src 'self'; style-src 'self'; connect-src "
			+ "'self'; form-action 'self'; base-uri 'none'; "
			+ "frame-ancestors 'none'");
		expect(await http.request('HEAD', file), 200);
		for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
			assert.equal(expect(await http.request(method, file),
				405).json.code, 'METHOD_NOT_ALLOWED');
	}
	for (const file of ['/cashier/', '/cashier/shop.html',
		'/cashier/shop.js', '/cashier/wechat.css',
		'/cashier/cashier.html', '/cashier/..%2fwxpay.conf',
		'/cashier/cashier.js/x', '/wxpay-internal/cashier'])
		assert_headers(expect(await http.get(file), 404), file);
	for (const page of ['/cashier', '/'])
		assert.doesNotMatch(expect(await http.get(page), 200).text,
			/<script>|\son\w+=|style=|<style/);
});

// Where a page, and its scripts and styles, load from.
const ATTRIBUTE = /\s(?:src|srcset|href|action|data)\s*=\s*["']?([^"'\s>]*)/g;
const ELSEWHERE = /(?:https?:|["'`(])\/\/([\w.-]+)/g;
const LIGHT = 65536;	// bytes, of scripts and styles as people write them

test('the pages are light, and load from nobody but us and WeChat (P14)',
	async () => {
	const loaded = new Map();
	for (const page of ['/cashier', '/']) {
		const { headers, text } = expect(await http.get(page), 200);
		const named = [...text.matchAll(ATTRIBUTE)].map(([, url]) =>
			new URL(url, s.env.WXPAY_URL + page));
		assert.ok(named.length >= 4, `${page}: ${named}`);
		for (const { origin, pathname } of named) {
			assert.equal(origin, s.env.WXPAY_URL, page);
			if (/\.(?:js|css)$/.test(pathname))
				loaded.set(pathname, expect(
					await http.get(pathname), 200).text);
		}
		const policy = headers['content-security-policy'].split('; ')
			.map((rule) => rule.split(' '));
		assert.deepEqual(policy[0], ['default-src', "'none'"]);
		assert.deepEqual(policy.flatMap(([what, ...from]) => from
			.filter((one) => !["'none'", "'self'"].includes(one))
			.map((one) => `${what} ${one}`)),
			['script-src https://res.wx.qq.com']);
	}
	assert.deepEqual([...loaded.keys()].sort(), ['/cashier/cashier.css',
		'/cashier/cashier.js', '/cashier/wechat.js', '/shop.css',
		'/shop.js']);
	const all = [...loaded.values()].join('\n');
	assert.ok(Buffer.byteLength(all) < LIGHT, `${Buffer.byteLength(all)}`);
	assert.deepEqual([...all.matchAll(ELSEWHERE)].map(([, name]) => name),
		['res.wx.qq.com']);
});

test('sockets are for nginx alone (E15)', () => {
	for (const name of ['pay', 'notify', 'refund']) {
		const { mode } = fs.statSync(path.join(s.dir, 'socket',
			`${name}.sock`));
		assert.equal(mode & 0o007, 0, `${name}: ${mode.toString(8)}`);
	}
});

test('the shipped include limits rates, and notify only floods (E11)', () => {
	const root = new URL('../../nginx/', import.meta.url);
	const shipped = fs.readFileSync(new URL('wxpay.conf', root), 'utf8');
	const zones = fs.readFileSync(new URL('wxpay_http.conf', root), 'utf8');
	for (const location of ['pay', 'refund', 'notify', 'merchant']) {
		const block = shipped.split(
			`location /wxpay-internal/${location} {`)[1].split(
				'\n\t}')[0];
		const [, zone] = /limit_req zone=(\w+)/.exec(block);
		const [, rate] =
			new RegExp(`zone=${zone}:\\w+\\s+rate=(\\d+)r/s`)
			.exec(zones);
		assert.equal(location === 'notify', Number(rate) >= 1000,
			`${location}: ${rate} a second`);
	}
	assert.match(shipped, /limit_req_status 429/);
	assert.match(zones, /default 1;/, 'everybody counts');
	assert.doesNotMatch(zones, /127\.0\.0/, 'the exemption is not shipped');
});

// nginx reads its files anew, and none of its processes works by the old ones.
async function reload_nginx() {
	const pid = s.pid('nginx');
	const workers = () => fs.readFileSync(
		`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
	const old = workers();
	process.kill(pid, 'SIGHUP');
	await until('nginx has read its files', () => !workers().some((one) =>
		one === '' || old.includes(one)));
}

// As shipped: the stack's own exemption of this machine is away.
async function counted(fn) {
	const file = path.join(s.dir, 'nginx', 'wxpay_http.conf');
	const exempting = fs.readFileSync(file, 'utf8');
	const shipped = exempting.replace(
		/^\t(127\.0\.0\.0\/8|::1) 0;\n/mg, '');
	assert.equal(shipped, fs.readFileSync(new URL(
		'../../nginx/wxpay_http.conf', import.meta.url), 'utf8')
		.replaceAll('/run/wxpay/', `${s.dir}/socket/`));
	try {
		fs.writeFileSync(file, shipped);
		await reload_nginx();
		await fn();
	} finally {
		fs.writeFileSync(file, exempting);
		await reload_nginx();
	}
}

// Two hundred of the same from one address, and how many were served.
async function flood(what, ask, status) {
	const answers = await Promise.all(Array.from({ length: 200 }, ask));
	const refused = answers.filter((answer) => answer.status === 429);
	flooded += answers.length;
	for (const answer of refused) {
		assert.deepEqual(answer.json, { code: 'TOO_MANY_REQUESTS',
			message: 'too many requests' });
		assert_headers(answer, what);
	}
	for (const answer of answers)
		assert.ok([status, 429].includes(answer.status),
			`${what}: ${answer}`);
	assert.ok(refused.length > 0, `${what}: none is refused`);
	return answers.length - refused.length;
}

test('a flood gets 429, costs no call and holds up no notice (P18, E11)',
	() => counted(async () => {
	const order = await shop.signed_order();
	const floods = [
		['the status page', () => shop.show(order), 200],
		['POST /pay', () => shop.pay({ order_no: order.order_no,
			token: order.token, trade_type: 'NATIVE' }), 201],
		['POST /refund', () => shop.refund(order, { refund_fee: 0 }),
			400],
		['POST /merchant/refunds', () => staff.start_refund({}), 400],
		['passwords', () => http.get('/merchant/session',
			{ authorization: basic(staff.name, 'guessed') }), 401],
	];
	await staff.headers();
	const calls = await sandbox.call_count();
	const served = await flood(...floods[0]);
	assert.ok(served >= 40, `${served}, and shoppers share an address`);
	for (const [what, ask, status] of floods) {
		await until(`${what}: served`, async () =>
			(await ask()).status === status);
		await flood(what, ask, status);
	}
	assert.equal(await sandbox.call_count(), calls);

	const payment = { ...order, transaction_id: wechat.transaction_id() };
	await flood('the status page, among notices', async () => {
		const [shown, told] = await Promise.all([shop.show(order),
			s.notify_paid(payment)]);
		s.assert_acknowledged(told);
		return shown;
	}, 200);
	await until('the shopper sees that it is paid', async () => {
		const { status, json } = await shop.show(order);
		return status === 200 && json.state === 'paid';
	});
	assert.equal(await sandbox.call_count(), calls);
}));
