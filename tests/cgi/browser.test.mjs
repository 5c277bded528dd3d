// The shopper's side in a real browser: the demo shop's forms and the cashier,
// from the price to the refund.  Each window at its end: no error in its
// console, no breach of the CSP, no dialog; each state: no serious fault of
// accessibility, and a picture in build/check/screenshots.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import jsqr from 'jsqr';
import { expect, number } from './lib/actors.mjs';
import { Browser } from './lib/browser.mjs';
import { DESKTOP, PHONE, WECHAT } from './lib/devices.mjs';
import { Ear } from './lib/merchant.mjs';
import { only, stack } from './lib/stack.mjs';
import { pause, until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

only('v2');
const s = await stack('brisk');
const { shop, sandbox, staff } = s;
const URL_OF = s.env.WXPAY_URL;
const browser = await Browser.launch(s.env);
after(() => browser.close());
// Somebody else's site, on this machine: a page from elsewhere may not even
// ask here.
const evil = await new Ear(s.env).open();
after(() => evil.close());

// Most of a flow is waiting: they wait beside each other.
const flows = [];
const test = (name, fn) => flows.push([name, fn]);
const AT_ONCE = 3;

const CASHIER = `${URL_OF}/cashier`;
const BACK = `${URL_OF}/#thanks`;
const cashier_of = ({ order_no, token }) =>
	`${CASHIER}#order_no=${order_no}&token=${token}`;
const order_of = (window) => Object.fromEntries(new URLSearchParams(
	new URL(window.page.url()).hash.slice(1)));
// Its time is nearly over.
const expire = ({ order_no }) => s.sql(`update wxpay_data.orders
	set time_expire = now() + interval '2 seconds' where order_no = $1`,
	order_no);

// WeChat says so, whatever the sandbox's phones have done.
const paid_unseen = async ({ out_trade_no, total_fee }) =>
	s.assert_acknowledged(await s.notify_paid({ out_trade_no, total_fee,
		transaction_id: wechat.transaction_id() }));
const open = async (name, order, device) =>
	(await browser.window(name, device)).goto(cashier_of(order));

// What the console says of an answer that is no success.
const REFUSED = 'Failed to load resource';

const answer_json = (status, json, headers = {}) =>
	({ status, headers, contentType: 'application/json',
		body: JSON.stringify(json) });

// The requests for an order that a window sends from now on, and when.
function looks_of(window, order) {
	const looks = [];
	window.page.on('request', (request) => {
		if (request.url().includes(`/pay/${order.order_no}?`))
			looks.push(performance.now());
	});
	return looks;
}

// What the picture on the screen says.
async function scanned(window) {
	const size = 240;
	const dots = await window.page.locator('#qr').evaluate(
		async (image, px) => {
		await image.decode();
		const canvas = document.createElement('canvas');
		canvas.width = canvas.height = px;
		const context = canvas.getContext('2d');
		context.drawImage(image, 0, 0, px, px);
		return context.getImageData(0, 0, px, px).data.reduce(
			(text, byte, i) => i % 4 ? text : text + (byte >> 7), '');
	}, size);
	const shades = [...dots].flatMap((dot) =>
		[255 * dot, 255 * dot, 255 * dot, 255]);
	return jsqr(Uint8ClampedArray.from(shades), size, size)?.data;
}

test('desktop: a form without script, the QR code, paid, back in the shop',
	async () => {
	const window = await browser.window('desktop');
	const { page } = window;
	await window.goto(URL_OF);
	assert.equal(await page.locator('script').count(), 0);
	await window.look('shop');
	await page.getByRole('button', { name: 'Buy tea' }).click();
	await page.waitForURL(`${CASHIER}#order_no=*`);
	await window.says('state', 'Waiting for your payment');
	assert.equal(await window.text('amount'), '¥88.00');
	assert.equal(await window.text('what'), '龙井茶 Longjing tea');
	const order = order_of(window);
	assert.equal(await window.text('number'), order.order_no);
	const code_url = await scanned(window);
	assert.equal(code_url, expect(await shop.show(order), 200)
		.json.code_url);
	const clock = await window.text('clock');
	assert.match(clock, /^(2:00:00|1:59:\d\d)$/);
	await until('the clock goes', async () =>
		await window.text('clock') !== clock);
	await window.look('pending');

	// The phone, in the sandbox.
	const phone = await browser.window('sandbox', PHONE);
	await phone.goto(`${s.env.SANDBOX_URL}/sandbox/phone?code_url=${
		encodeURIComponent(code_url)}`);
	await phone.page.getByRole('button', { name: 'Pay' }).click();
	phone.meant.push('favicon.ico');
	await phone.close();

	await window.says('state', 'Paid');
	assert.equal(await shop.state(order), 'paid');
	await page.waitForURL(BACK);
	assert.ok(await window.is_shown('thanks'));
	await window.look('back');
	await page.goBack();
	await window.says('state', 'Paid');
	await window.look('paid');
	await window.close();
});

test('中文: the same page in Chinese, 360 px wide', async () => {
	const order = await shop.order();
	const window = await open('zh', order, { ...DESKTOP,
		viewport: PHONE.viewport, locale: 'zh-CN' });
	await window.says('state', '等待付款');
	assert.equal(await window.page.locator('html').getAttribute('lang'),
		'zh-CN');
	assert.match(await window.page.title(), /^等待付款 ¥88\.00$/);
	await window.look('pending');
	await window.click('cancel');
	await window.look('sure');
	await sandbox.scan(order);
	await window.says('state', '支付成功');
	await window.page.locator('summary').click();
	await window.look('paid');
	const text = await window.page.locator('main').innerText();
	assert.doesNotMatch(text.replace(order.order_no, '')
		.replace('Longjing tea', ''), /[A-Za-z]{3}/);
	await window.close();
});

test('the page speaks what the browser prefers', async () => {
	for (const [locale, lang] of [['zh-TW', 'zh-CN'], ['en-US', 'en'],
		['fr-FR', 'en']]) {
		const window = await browser.window('language', { ...DESKTOP,
			locale });
		await window.goto(CASHIER);
		await window.says('note', /./);
		assert.equal(await window.page.locator('html')
			.getAttribute('lang'), lang, locale);
		await window.close();
	}
});

test('a second attempt: begun inside WeChat, paid from a desktop', async () => {
	const first = await shop.order({ trade_type: 'JSAPI',
		openid: 'oBrowser' });
	const window = await open('second', first);
	await window.says('scan_how', 'Scan the code');
	await window.page.locator('#qr').waitFor();
	const code_url = await scanned(window);
	const second = expect(await shop.show(first), 200).json;
	assert.equal(second.trade_type, 'NATIVE');
	assert.equal(second.code_url, code_url);
	await window.look('pending');
	const paid = await sandbox.scan({ code_url });
	assert.equal(paid.out_trade_no, `${first.order_no}_2`);
	await window.says('state', 'Paid');
	await window.close();
});

test('cancelled, by keyboard; and the same bought again', async () => {
	const order = await shop.order({ quantity: 3, return_url: BACK });
	const window = await open('cancelled', order);
	const { page } = window;
	const focused = () => page.evaluate(() => document.activeElement.id);
	const tab_to = (id) => until(`Tab reaches ${id}`, async () => {
		await page.keyboard.press('Tab');
		return await focused() === id;
	});
	await window.says('state', 'Waiting');
	assert.equal(await window.text('quantity'), '× 3');
	await tab_to('cancel');
	await page.keyboard.press('Enter');
	assert.equal(await focused(), 'sure_no', 'the harmless answer first');
	await window.look('sure');
	await page.keyboard.press('Enter');
	assert.equal(await focused(), 'cancel');
	assert.equal(await shop.state(order), 'pending');
	await page.keyboard.press('Enter');
	await tab_to('sure_yes');
	await page.keyboard.press('Enter');
	await window.says('state', 'The order is closed');
	assert.equal(await focused(), 'state');
	assert.equal(await shop.state(order), 'closed');
	assert.ok(!await window.is_shown('scan'));
	assert.ok(await window.is_shown('back'));
	await window.look('closed');

	await page.getByRole('button', { name: 'Pay again' }).click();
	await until('another order', () =>
		(order_of(window).order_no ?? order.order_no)
			!== order.order_no);
	await window.says('state', 'Waiting');
	const again = expect(await shop.show(order_of(window)), 200).json;
	assert.deepEqual([again.product_id, again.quantity, again.return_url],
		[s.env.PRODUCT_ID, 3, BACK]);
	await window.close();
});

test('expired: a product again, another order back to the shop (P19)',
	async () => {
	const product = await shop.order();
	const signed = await shop.signed_order({}, { trade_type: 'NATIVE',
		return_url: BACK });
	for (const [name, order] of [['product', product],
		['signed', signed]]) {
		const window = await open(`expired-${name}`, order);
		await window.says('state', 'Waiting');
		await expire(order);
		await window.says('state', 'The order has expired');
		await until('closed', async () =>
			await shop.state(order) === 'closed');
		await window.says('state', 'The order has expired');
		assert.equal(await window.is_shown('again'),
			name === 'product');
		assert.equal(await window.is_shown('back'), name === 'signed');
		await until('nothing more to say', async () =>
			!await window.is_shown('doubt'));
		await window.look('expired');
		if (name === 'signed') {
			await window.click('back_link');
			await window.page.waitForURL(BACK);
		}
		await window.close();
	}
});

test('paid at the last moment: money overtakes the expiry', async () => {
	const order = await shop.order({ return_url: BACK });
	const window = await open('overtaken', order);
	await window.says('state', 'Waiting');
	await s.sql(`update wxpay_data.orders set time_expire = now()
		where order_no = $1`, order.order_no);
	await window.says('state', 'The order has expired');
	await paid_unseen(order);
	await window.says('state', 'Paid');
	await window.page.waitForURL(BACK);
	await window.close();
});

test('a refund, asked for twice by a bad line, is one; its progress',
	async () => {
	const order = await s.paid(1000);
	const window = await open('refund', order);
	const { page } = window;
	await window.says('state', 'Paid');
	await page.locator('summary').click();
	assert.equal(await page.inputValue('#refund_fee'), '10.00');
	for (const wrong of ['10.01', '0', '1.234', 'all', '']) {
		await page.fill('#refund_fee', wrong);
		await window.click('refund_ask');
		await window.says('refund_note', 'an amount of at most ¥10.00');
		assert.equal(await page.locator('#refund_fee').getAttribute(
			'aria-invalid'), 'true', wrong);
	}
	await window.look('wrong');

	// The answer is lost, twice; the third is to the same request.
	const ids = new Set();
	let lost = 2;
	await page.route('**/refund', async (route) => {
		ids.add(new URLSearchParams(route.request().postData())
			.get('request_id'));
		if (lost-- <= 0) {
			await route.continue();
			return;
		}
		expect(await s.http.post('/refund', route.request().postData()),
			201);
		await route.abort();
	});
	window.meant.push(REFUSED);
	await page.fill('#refund_fee', '3.5');
	await page.fill('#reason', '一件坏了');
	for (let i = 0; i < 2; i++) {
		await window.click('refund_ask');
		await window.says('refund_note', 'it counts only once');
	}
	await page.reload();
	await window.says('refund_list', '¥3.50 waiting for the shop');
	await page.locator('summary').click();
	await page.fill('#refund_fee', '3.50');
	await page.fill('#reason', '一件坏了');
	await window.click('refund_ask');
	await window.says('note', 'The refund was requested');
	assert.equal(ids.size, 1);
	await window.look('requested');
	assert.equal(await page.inputValue('#refund_fee'), '6.50');

	const { refunds } = expect(await shop.show(order), 200).json;
	assert.deepEqual(refunds.map((refund) => refund.refund_fee), [350]);
	await s.without('worker', async () => {
		await staff.approve(refunds[0]);
		await page.reload();
		await window.says('refund_list', '¥3.50 on its way');
	});
	await window.says('refund_list', '¥3.50 refunded');

	// Somebody else took the rest meanwhile.
	await page.locator('summary').click();
	const rest = await shop.refund_requested(order, 600);
	await window.click('refund_ask');
	await window.says('refund_note', 'an amount of at most ¥0.50');
	await staff.decide(rest, 'reject');
	await page.reload();
	await window.says('refund_list', '¥6.00 declined by the shop');
	await window.look('progress');
	await window.close();
});

test('what the server refuses is said, and only a touch asks again',
	async () => {
	const order = await shop.order({ trade_type: 'JSAPI',
		openid: 'oBrowser' });
	const window = await browser.window('refused');
	window.meant.push(REFUSED);
	let answer, count = 0;
	await window.page.route('**/pay', (route) => {
		count++;
		return answer ? route.fulfill(answer) : route.continue();
	});
	for (const [status, code, said] of [
		[409, 'TOO_MANY_ATTEMPTS', 'Too many attempts'],
		[502, 'WECHAT_REFUSED', 'WeChat Pay refused'],
		[403, 'FORBIDDEN', 'Something went wrong']]) {
		answer = answer_json(status, { code, message: '<b>no</b>' });
		count = 0;
		await window.goto('about:blank');
		await window.goto(cashier_of(order));
		await window.says('note', said);
		await window.says('pay', 'Try again');
		await window.look(code.toLowerCase());
		await pause(1500);
		assert.equal(count, 1, code);
	}
	// What may pass is asked again by itself.
	for (const [status, code, said] of [
		[409, 'BUSY', 'Many requests'],
		[429, 'TOO_MANY_REQUESTS', 'Many requests'],
		[503, 'UNAVAILABLE', 'The connection is bad']]) {
		answer = answer_json(status, { code, message: 'no' });
		await window.goto('about:blank');
		await window.goto(cashier_of(order));
		await window.says('note', said);
		assert.ok(!await window.is_shown('scan'));
	}
	answer = answer_json(202, { state: 'pending', retry_after: 1 });
	await window.goto('about:blank');
	await window.goto(cashier_of(order));
	await window.says('note', 'WeChat has not answered yet');
	answer = null;
	await window.says('scan_how', 'Scan the code');
	assert.equal(await window.text('note'), '');
	await window.close();
});

test('409: paid or closed while it asked for a code', async () => {
	const order = await shop.order({ trade_type: 'JSAPI',
		openid: 'oBrowser' });
	const window = await browser.window('overtaken');
	window.meant.push(REFUSED);
	await window.page.route('**/pay', async (route) => {
		await paid_unseen(order);
		await route.continue();
	});
	await window.goto(cashier_of(order));
	await window.says('state', 'Paid');
	assert.ok(!await window.is_shown('scan'));
	await window.close();
});

test('no order, or another token: the same page, and no more asking (P17)',
	async () => {
	const { order_no, token } = await shop.order();
	const window = await browser.window('nothing');
	window.meant.push(REFUSED);
	let count = 0;
	window.page.on('request', (request) => {
		count += request.url().includes('/pay');
	});
	for (const [fragment, asked] of [['', 0], ['order_no=T-1', 0],
		[`order_no=${order_no}&token=${token.slice(1)}`, 0],
		[`order_no=../notify/x&token=${token}`, 0],
		[`order_no=<img src=x onerror=alert(1)>&token=${token}`, 0],
		[`order_no=${number()}&token=${token}`, 1],
		[`order_no=${order_no}&token=${token.slice(1)}A`, 1]]) {
		count = 0;
		await window.goto('about:blank');
		await window.goto(`${CASHIER}#${fragment}`);
		await window.says('state', 'There is no such order');
		await pause(asked * 1200);
		assert.equal(count, asked, fragment);
		assert.ok(!await window.is_shown('order'));
	}
	await window.look('nothing');
	await window.close();
});

test('it asks ever more slowly, not when hidden, less in trouble (P18)',
	async () => {
	const order = await shop.order();
	const window = await browser.window('polling');
	window.meant.push(REFUSED);
	const looks = looks_of(window, order);
	const gaps = () => looks.slice(1).map((at, i) => at - looks[i]);
	await window.goto(cashier_of(order));
	await until('4 looks', () => looks.length >= 4);
	gaps().forEach((gap, i) => assert.ok(gap > 900 * 1.2 ** i,
		`${gaps()}`));

	const hide = (is_hidden) => window.page.evaluate((hidden) => {
		Object.defineProperty(document, 'hidden',
			{ configurable: true, value: hidden });
		document.dispatchEvent(new Event('visibilitychange'));
	}, is_hidden);
	await hide(true);
	const before = looks.length;
	await pause(2500);
	assert.equal(looks.length, before, 'hidden');
	await hide(false);
	await until('a look at once', () => looks.length > before, 2000);

	let answer = { status: 503 };
	await window.page.route(`**/pay/${order.order_no}?*`, (route) =>
		answer === 'none' ? route.abort() : route.fulfill(answer));
	const first = looks.length;
	await window.says('note', 'The connection is bad');
	answer = 'none';
	await until('a look without an answer', () =>
		looks.length >= first + 2);
	answer = { status: 429 };
	await window.says('note', 'Many requests');
	await window.says('state', 'Waiting');
	const [, once, twice] = gaps().slice(first - 1);
	assert.ok(once > 1500 && twice > 2 * 1500, `${gaps()}`);
	await window.look('trouble');
	await window.page.unroute(`**/pay/${order.order_no}?*`);
	await hide(false);
	await until('trouble is over', async () =>
		await window.text('note') === '');
	await window.close();
});

test('"I have paid" has WeChat asked, and says what came of it', async () => {
	const order = await shop.order();
	const window = await open('check', order);
	await window.says('state', 'Waiting');
	const calls = async () => (await sandbox.calls(order.out_trade_no,
		'orderquery')).length;
	const before = await calls();
	await window.click('check');
	await window.says('note', 'Asking WeChat');
	assert.ok(await window.page.locator('#check').isDisabled());
	await until('WeChat is asked', async () => await calls() > before);
	await window.says('note', 'not confirmed a payment yet');
	assert.ok(await window.page.locator('#check').isEnabled());
	await window.says('state', 'Waiting');
	await window.close();
});

// What a phone's browser is at when it has left us for WeChat.
const CHECKMWEB = `${s.env.SANDBOX_URL}/cgi-bin/mmpayweb-bin/checkmweb?`;
const prepay_id_of = async ({ order_no }) => (await s.one(`select prepay_id
	from wxpay_data.payments where order_no = $1 order by attempt desc`,
	order_no)).prepay_id;

test('phone: a form, H5 opened by a touch, paid at WeChat, and back (P14)',
	async () => {
	const window = await browser.window('h5', PHONE);
	const { page } = window;
	const asked = [];
	const referers = [];
	page.on('request', (request) => {
		if (request.method() === 'POST'
			&& request.url() === `${URL_OF}/pay`)
			asked.push(request.postData());
		if (request.url().startsWith(CHECKMWEB))
			referers.push(request.headers().referer);
	});
	window.meant.push('favicon.ico');
	await window.goto(URL_OF);
	await page.getByRole('button', { name: 'Buy tea' }).tap();
	await page.waitForURL(`${CASHIER}#order_no=*`);
	await window.says('pay', 'Pay with WeChat');
	const order = order_of(window);
	const { trade_type, h5_url } = (await shop.show(order)).json;
	assert.equal(trade_type, 'MWEB');
	assert.equal(h5_url.split('&')[0],
		`${CHECKMWEB}prepay_id=${await prepay_id_of(order)}`);
	await window.look('pending');
	await pause(2500);
	assert.equal(asked.length, 1, 'the form; nothing without a touch');
	await page.locator('#pay').tap();
	await page.waitForURL(`${CHECKMWEB}**`);
	assert.equal(page.url(),
		`${h5_url}&redirect_url=${encodeURIComponent(CASHIER)}`);
	assert.deepEqual(referers, [`${URL_OF}/`]);
	assert.ok(!page.url().includes(order.token));

	// Back without a word: nothing is paid that the server does not say.
	await page.getByText('Done').tap();
	await window.says('state', 'Waiting');
	assert.equal(order_of(window).token, order.token);
	await page.locator('#check').tap();
	await window.look('returned');

	await page.locator('#pay').tap();
	await page.waitForURL(`${CHECKMWEB}**`);
	await page.getByRole('button', { name: 'Pay' }).tap();
	await window.says('state', 'Paid');
	assert.equal(await shop.state(order), 'paid');
	await page.waitForURL(BACK);
	await window.close();
});

test('phone: a desktop\'s order, and a link that is too old, are asked anew '
	+ '(P19)', async () => {
	const order = await shop.order();
	const window = await browser.window('h5_old', PHONE);
	const { page } = window;
	window.meant.push('favicon.ico');
	await window.goto(cashier_of(order));
	await window.says('pay', 'Pay with WeChat');
	await page.locator('#pay').tap();
	await page.waitForURL(`${CHECKMWEB}**`);
	const first = await prepay_id_of(order);
	await s.sql(`update wxpay_data.payments set prepaid_at = prepaid_at
		- interval '301 seconds' where order_no = $1`, order.order_no);
	await page.getByText('Done').tap();
	await window.says('state', 'Waiting');
	await page.locator('#pay').tap();
	await page.waitForURL(`${CHECKMWEB}**`);
	const second = await prepay_id_of(order);
	assert.notEqual(second, first);
	assert.ok(page.url().includes(second));
	const calls = await sandbox.calls(`${order.order_no}_2`,
		'unifiedorder');
	assert.equal(calls.length, 2);
	assert.deepEqual(calls[1].fields, calls[0].fields);
	await page.getByRole('button', { name: 'Pay' }).tap();
	await window.says('state', 'Paid');
	await window.close();
});

// Whom WeChat has named pays what he was asked to.
async function payer_pays({ order_no }) {
	const { out_trade_no, openid } = await s.one(`select out_trade_no,
		openid from wxpay_data.payments where order_no = $1
		order by attempt desc limit 1`, order_no);
	assert.match(openid, /^\S{6,}$/);
	await sandbox.scan({ out_trade_no }, { openid });
}

// WeChat's bridge: keeps what it is asked, and answers when it is told to.
function inject_bridge() {
	window.asked = [];
	const bridge = { invoke: (name, params, answer) =>
		window.asked.push({ name, params, answer }) };
	document.addEventListener('DOMContentLoaded', () => setTimeout(() => {
		window.WeixinJSBridge = bridge;
		document.dispatchEvent(new Event('WeixinJSBridgeReady'));
	}, 1000));
}

const bridge_asked = async (window, count) => {
	await window.page.waitForFunction((n) => window.asked
		&& window.asked.length >= n, count);
	return window.page.evaluate(() => window.asked.at(-1).name);
};
const bridge_says = (window, word) => window.page.evaluate((said) =>
	window.asked.at(-1).answer({ err_msg:
		`get_brand_wcpay_request:${said}` }), word);

test('inside WeChat: openid, the bridge, and "ok" is no payment (P25)',
	async () => {
	const order = await shop.order({ return_url: BACK });
	const window = await browser.window('wechat', { ...WECHAT,
		locale: 'zh-CN' });
	const { page } = window;
	window.meant.push(REFUSED);
	await page.addInitScript(inject_bridge);
	const ways = [];
	page.on('request', (request) => request.isNavigationRequest()
		&& ways.push(new URL(request.url()).pathname));
	await window.goto(cashier_of(order));
	assert.equal(await bridge_asked(window, 1), 'getBrandWCPayRequest');
	const pay = await page.evaluate(() => window.asked[0].params);
	s.voice.assert_jsapi(pay);
	assert.equal(pay.appId, s.env.APPID);
	assert.deepEqual(ways, ['/cashier', '/pay/authorize',
		'/connect/oauth2/authorize', '/pay/authorize/callback',
		'/cashier']);
	await window.look('pending');
	await bridge_says(window, 'cancel');
	await window.says('note', '您已取消支付');
	await page.locator('#pay').tap();
	await bridge_asked(window, 2);
	await bridge_says(window, 'fail');
	await window.says('note', '支付未完成');
	await window.look('failed');
	await page.locator('#pay').tap();
	await bridge_asked(window, 3);

	// "ok" makes it ask, and ask quickly; no more.
	const looks = looks_of(window, order);
	await bridge_says(window, 'ok');
	await window.says('note', '正在向微信确认');
	await until('it looks', () => looks.length >= 3);
	await window.says('state', '等待付款');
	assert.equal(await shop.state(order), 'pending');
	assert.ok(page.url().startsWith(CASHIER));
	await payer_pays(order);
	await window.says('state', '支付成功');
	await page.waitForURL(BACK);
	await window.close();
});

test('inside WeChat: authorized and still unknown: no circle (P12)',
	async () => {
	const order = await shop.order();
	const window = await browser.window('circle', WECHAT);
	let count = 0;
	window.meant.push(REFUSED);
	await window.page.route('**/pay/authorize?*', (route) => {
		count++;
		return route.fulfill({ status: 303,
			headers: { location: cashier_of(order) } });
	});
	await window.page.route('**/pay', (route) => route.fulfill(answer_json(
		409, { code: 'OPENID_NEEDED', authorize_url:
			`${URL_OF}/pay/authorize?order_no=x` })));
	await window.goto(cashier_of(order));
	await window.says('note', 'WeChat has not said who you are');
	await pause(1500);
	assert.equal(count, 1);
	await window.look('unknown');
	await window.page.locator('#pay').tap();
	await until('a touch authorizes again', () => count === 2);
	await window.close();
});

test('inside WeChat without a bridge: the JS-SDK pays', async () => {
	const order = await shop.order();
	const window = await browser.window('jssdk', WECHAT);
	const { page } = window;
	window.meant.push(REFUSED);
	const asked = page.waitForRequest('**/pay/jsconfig?*');
	await page.route('https://res.wx.qq.com/**', (route) => route.fulfill({
		contentType: 'text/javascript', body: `window.wx = {
			config(config) { this.configured = config;
				setTimeout(this.then); },
			ready(then) { this.then = then; },
			error() {},
			chooseWXPay(chosen) { this.chosen = chosen; } };` }));
	await window.goto(cashier_of(order));
	await page.waitForFunction(() => window.wx && window.wx.chosen);
	const { configured, chosen } = await page.evaluate(() => ({
		configured: window.wx.configured,
		chosen: JSON.parse(JSON.stringify(window.wx.chosen)) }));
	assert.equal(new URL((await asked).url()).searchParams.get('url'),
		CASHIER);
	assert.equal(configured.appId, s.env.APPID);
	assert.match(configured.signature, /^[0-9a-f]{40}$/);
	assert.deepEqual(configured.jsApiList, ['chooseWXPay']);
	const { timestamp, ...others } = chosen;
	s.voice.assert_jsapi({ appId: s.env.APPID, timeStamp: timestamp,
		...others });
	await page.evaluate(() => window.wx.chosen.success());
	await window.says('note', 'Asking WeChat');
	await payer_pays(order);
	await window.says('state', 'Paid');
	await window.close();
});

test('a product with a hostile name is text (P16)', async () => {
	const name = '<img src=x onerror=alert(1)>\u202e"\'>&lt;'
		+ '<script>alert(2)</script>${alert(3)}';
	await s.sql('select wxpay.product_set($1, $2, 100)', 'nasty', name);
	const order = await shop.order({ product_id: 'nasty' });
	const window = await open('hostile', order, { ...DESKTOP,
		viewport: { width: 360, height: 740 } });
	await window.says('state', 'Waiting');
	assert.equal(await window.text('what'), name);
	assert.equal(await window.page.locator('#what *').count(), 0);
	await window.look('pending');
	await window.close();
});

const foreign_pages = new Map();
evil.answer = ({ url }) => ({ status: 200,
	body: `<!DOCTYPE html>${foreign_pages.get(url)}` });

const foreign = (window, html) => {
	foreign_pages.set(`/${window.name}`, html);
	return window.goto(`${evil.url}/${window.name}`);
};

test('nobody frames the cashier (P14)', async () => {
	const order = await shop.order();
	const window = await browser.window('framed');
	window.meant.push('frame-ancestors');
	await foreign(window, `<iframe src="${cashier_of(order)}"></iframe>`);
	await until('the browser refuses', () =>
		window.faults.some((fault) =>
			fault.includes("frame-ancestors 'none'")));
	assert.equal(await window.page.frames()[1].locator('#state').count(),
		0);
	await window.close();
});

test('a foreign page can neither order nor cancel (P23)', async () => {
	const order = await shop.order();
	const window = await browser.window('foreign');
	window.meant.push(REFUSED);
	await s.sql("select wxpay.product_set('foreign', 'Foreign', 100)");
	for (const [path, fields] of [
		['/pay', { product_id: 'foreign', quantity: 1 }],
		['/pay', { order_no: order.order_no, token: order.token }],
		[`/pay/${order.order_no}/close`, { token: order.token }],
		['/refund', { order_no: order.order_no,
			token: order.token }]]) {
		await foreign(window, `<form method="post"
			action="${URL_OF}${path}">${Object.entries(fields)
			.map(([name, value]) => `<input name="${name}"
				value="${value}">`).join('')}<button>`);
		const [answer] = await Promise.all([
			window.page.waitForResponse(`${URL_OF}${path}`),
			window.page.locator('button').click()]);
		assert.equal(answer.status(), 403, path);
	}
	assert.deepEqual(await s.sql(`select from wxpay_data.orders
		where product_id = 'foreign'`), []);
	assert.equal(await shop.state(order), 'pending');
	await window.close();
});

describe('the shopper', { concurrency: AT_ONCE }, () => {
	for (const [name, fn] of flows)
		it(name, fn);
});
