// The shopper's side in a real browser: the demo shop's forms and the cashier,
// from the price to the refund, with either API.  What does not depend on the
// API is in pages.test.mjs.  Each window at its end: no error in its console,
// no breach of the CSP, no dialog, and nobody else was asked for anything;
// each state, with V3: no serious fault of accessibility, and a picture
// in build/check/screenshots.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import jsqr from 'jsqr';
import { expect, number, random } from './lib/actors.mjs';
import { DESKTOP, PHONE, WECHAT } from './lib/devices.mjs';
import { form } from './lib/http.mjs';
import { REFUSED, Shopper, looks_of, order_of, run, test }
	from './lib/shopper.mjs';
import { stack } from './lib/stack.mjs';
import { pause, until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

const s = await stack('brisk');
const { shop, sandbox, staff } = s;
const me = await Shopper.of(s);

// Its time is nearly over.
const expire = ({ order_no }) => s.sql(`update wxpay_data.orders
	set time_expire = now() + interval '2 seconds' where order_no = $1`,
	order_no);

// What a picture on the screen says, or another from where it came.
async function scanned(picture, url) {
	const size = 240;
	const dots = await picture.evaluate(async (shown, [px, other]) => {
		const image = other ? new Image() : shown;
		if (other)
			image.src = other;
		await image.decode();
		const canvas = document.createElement('canvas');
		canvas.width = canvas.height = px;
		const context = canvas.getContext('2d');
		context.drawImage(image, 0, 0, px, px);
		return context.getImageData(0, 0, px, px).data.reduce(
			(text, byte, i) => i % 4 ? text : text + (byte >> 7),
			'');
	}, [size, url]);
	const shades = [...dots].flatMap((dot) =>
		[255 * dot, 255 * dot, 255 * dot, 255]);
	return jsqr(Uint8ClampedArray.from(shades), size, size)?.data;
}

test('desktop: a form, the QR code, paid, back in the shop',
	async () => {
	const window = await me.window('desktop');
	const { page } = window;
	const paths = [];
	page.on('request', (request) =>
		paths.push(new URL(request.url()).pathname));
	await window.goto(me.shop);
	await window.look('shop');
	await page.getByRole('button', { name: 'Buy tea' }).click();
	await page.waitForURL(`${me.cashier}#order_no=*`);
	await window.says('state', 'Waiting for your payment');
	assert.equal(await window.text('amount'), '¥88.00');
	assert.equal(await window.text('what'), '龙井茶 Longjing tea');
	const order = order_of(window);
	assert.equal(await window.text('number'), order.order_no);
	const code_url = await scanned(page.locator('#qr'));
	assert.equal(code_url, expect(await shop.show(order), 200)
		.json.code_url);
	const [alone] = await Promise.all([page.context().waitForEvent('page'),
		window.click('qr_alone')]);
	await alone.waitForLoadState();
	assert.equal(await alone.evaluate(() => document.contentType),
		'image/svg+xml');
	assert.equal(await scanned(page.locator('#qr'), alone.url()), code_url);
	await alone.close();
	const clock = await window.text('clock');
	assert.match(clock, /^(2:00:00|1:59:\d\d)$/);
	await until('the clock goes', async () =>
		await window.text('clock') !== clock);
	await window.look('pending');

	// The phone, in the sandbox.
	const phone = await me.window('sandbox', PHONE);
	await phone.goto(`${s.env.SANDBOX_URL}/sandbox/phone?code_url=${
		encodeURIComponent(code_url)}`);
	await phone.page.getByRole('button', { name: 'Pay' }).click();
	phone.meant.push('favicon.ico');
	await phone.close();

	await window.says('state', 'Paid');
	assert.equal(await shop.state(order), 'paid');
	await page.waitForURL(me.back);
	assert.ok(await window.is_shown('thanks'));
	await window.look('back');
	await page.goBack();
	await window.says('state', 'Paid');
	await window.look('paid');
	await pause(1500);
	assert.ok(page.url().startsWith(me.cashier), 'he came to see it');
	assert.ok(!paths.includes('/pay/jsconfig'));
	await window.close();
});

test('a second attempt: begun inside WeChat, paid from a desktop', async () => {
	const first = await shop.order({ trade_type: 'JSAPI',
		openid: 'oBrowser' });
	const window = await me.open('second', first);
	await window.says('scan_how', 'Scan the code');
	await window.page.locator('#qr').waitFor();
	const code_url = await scanned(window.page.locator('#qr'));
	const second = expect(await shop.show(first), 200).json;
	assert.equal(second.trade_type, 'NATIVE');
	assert.equal(second.code_url, code_url);
	await window.look('pending');
	const paid = await sandbox.scan({ code_url });
	assert.equal(paid.out_trade_no, `${first.order_no}_2`);
	await window.says('state', 'Paid');
	await window.close();
});

// Staff charge a payment code of the order; the stack's own configuration has
// no micropay.
async function charge({ order_no, token }, does) {
	const auth_code = `13${wechat.transaction_id().slice(-16)}`;
	const headers = await staff.headers();
	await sandbox.post('/sandbox/auth_code', { auth_code, ...does });
	const { status } = await s.cgi('pay', 'POST', '/merchant/micropay', {
		body: form({ order_no, token, auth_code, request_id: random() }),
		conf: { micropay: 1 },
		env: { REMOTE_USER: staff.name, HTTP_ORIGIN: headers.origin,
			HTTP_X_CSRF_TOKEN: headers['x-csrf-token'] } });
	assert.equal(status, 202);
}

test('a payment code is charged at the till: no QR code until it is over',
	async () => {
	const order = await shop.order();
	const window = await me.open('till', order, { ...DESKTOP,
		locale: 'zh-CN' });
	window.meant.push(REFUSED);
	const asked = [];
	window.page.on('request', (request) => request.method() === 'POST'
		&& asked.push(performance.now()));
	await window.page.locator('#qr').waitFor();
	// The payer's bank says no.
	await charge(order, { does: 'fails', after_ms: 8000 });
	await window.says('note', '付款码');
	assert.equal(await window.text('state'), '等待付款');
	assert.ok(!await window.is_shown('scan'));
	assert.ok(!await window.is_shown('go'));
	await window.look('charging');
	await until('there is another QR code', () => window.is_shown('qr'),
		40000);
	assert.equal(await window.text('note'), '');
	const { code_url } = expect(await shop.show(order), 200).json;
	assert.equal(await scanned(window.page.locator('#qr')), code_url);
	assert.ok((await s.payment(`${order.order_no}_3`)).code_url);
	assert.ok(asked.length >= 2);
	for (let i = 1; i < asked.length; i++)
		assert.ok(asked[i] - asked[i - 1] > 9000, asked.join());
	// The next one has the money.
	await charge(order, { does: 'asks', after_ms: 3000 });
	await window.says('state', '支付成功');
	assert.equal(await window.text('note'), '');
	assert.equal((await s.payment(`${order.order_no}_4`)).state, 'paid');
	await window.close();
});

test('phone: what follows a payment code waits for a touch', async () => {
	const order = await shop.order();
	const window = await me.open('till_phone', order, PHONE);
	const { page } = window;
	window.meant.push(REFUSED, 'favicon.ico');
	await charge(order, { does: 'fails', after_ms: 4000 });
	await page.locator('#pay').tap();
	await window.says('note', 'A payment code is being charged');
	await until('it can be paid by H5', async () =>
		(await shop.show(order)).json.h5_url, 40000);
	await until('that is over', async () =>
		await window.text('note') === '');
	await pause(1500);
	assert.ok(page.url().startsWith(me.cashier));
	await page.locator('#pay').tap();
	await page.waitForURL(`${CHECKMWEB}**`);
	await window.close();
});

test('cancelled, by keyboard; and the same bought again', async () => {
	const order = await shop.order({ quantity: 3, return_url: me.back });
	const window = await me.open('cancelled', order);
	const { page } = window;
	const focused = () => page.evaluate(() => document.activeElement.id);
	const tab_to = (id) => until(`Tab reaches ${id}`, async () => {
		await page.keyboard.press('Tab');
		return await focused() === id;
	});
	await window.says('state', 'Waiting');
	assert.equal(await window.text('quantity'), '× 3');
	for (const id of ['state', 'note'])
		assert.equal(await page.locator(
			`[aria-live=polite] #${id}`).count(), 1);
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
		[s.env.PRODUCT_ID, 3, me.back]);
	await window.close();
});

test('expired: a product again, another order back to the shop (P19)',
	async () => {
	const made = await s.one(`select * from wxpay.shop_order_create($1,
		4900, 'Of the shop')`, number());
	const orders = { product: await shop.order(),
		signed: await shop.signed_order({}, { trade_type: 'NATIVE',
			return_url: me.back }),
		made: expect(await shop.pay({ ...made, trade_type: 'NATIVE',
			return_url: me.back }), 201).json };
	await Promise.all(Object.entries(orders).map(async ([name, order]) => {
		const window = await me.open(`expired-${name}`, order);
		const is_product = name === 'product';
		await window.says('state', 'Waiting');
		await expire(order);
		await window.says('state', 'The order has expired');
		await until('closed', async () =>
			await shop.state(order) === 'closed');
		await until('nothing more to say', async () =>
			!await window.is_shown('doubt'));
		await window.says('state', 'The order has expired');
		assert.equal(await window.is_shown('again'), is_product);
		assert.equal(await window.is_shown('back'), !is_product);
		await window.look('expired');
		if (is_product) {
			await window.page.getByRole('button',
				{ name: 'Pay again' }).click();
			await window.says('state', 'Waiting');
			assert.notEqual(order_of(window).order_no,
				order.order_no);
		} else {
			await window.click('back_link');
			await window.page.waitForURL(me.back);
		}
		await window.close();
	}));
});

test('paid at the last moment: money overtakes the expiry', async () => {
	const order = await shop.order({ return_url: me.back });
	const window = await me.open('overtaken', order);
	await window.says('state', 'Waiting');
	await s.sql(`update wxpay_data.orders set time_expire = now()
		where order_no = $1`, order.order_no);
	await window.says('state', 'The order has expired');
	// WeChat says so, whatever the sandbox's phones have done.
	s.assert_acknowledged(await s.notify_paid({ ...order,
		transaction_id: wechat.transaction_id() }));
	await window.says('state', 'Paid');
	await window.page.waitForURL(me.back);
	await window.close();
});

test('a refund, asked for twice by a bad line, is one; its progress',
	async () => {
	const order = await s.paid(1000);
	const window = await me.open('refund', order);
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
	await page.keyboard.press('Enter');
	await window.says('note', 'The refund was requested');
	assert.equal(await page.evaluate(() => document.activeElement.id),
		'state');
	assert.equal(ids.size, 1);
	await window.look('requested');
	await until('it asks for what is left', async () =>
		await page.inputValue('#refund_fee') === '6.50');

	const { refunds } = expect(await shop.show(order), 200).json;
	assert.deepEqual(refunds.map((refund) => refund.refund_fee), [350]);
	await sandbox.fault('refunded', 'lost',
		{ number: refunds[0].out_refund_no });
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

test('"I have paid" has WeChat asked, and says what came of it', async () => {
	const order = await shop.order();
	const window = await me.open('check', order);
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
	// Whoever stands on a button that goes away is not lost.
	await sandbox.scan(order);
	await window.says('state', 'Paid');
	assert.ok(!await window.is_shown('check'));
	assert.equal(await window.page.evaluate(() =>
		document.activeElement.id), 'state');
	await window.close();
});

// What a phone's browser is at when it has left us for WeChat.
const CHECKMWEB = `${s.env.SANDBOX_URL}/cgi-bin/mmpayweb-bin/checkmweb?`;
const h5_of = async ({ order_no }) => (await s.one(`select h5_url
	from wxpay_data.payments where order_no = $1 order by attempt desc`,
	order_no)).h5_url;

test('phone: a form, H5 opened by a touch, paid at WeChat, and back (P14)',
	async () => {
	const window = await me.window('h5', PHONE);
	const { page } = window;
	const asked = [];
	const referers = [];
	page.on('request', (request) => {
		if (request.method() === 'POST'
			&& request.url() === `${me.shop}/pay`)
			asked.push(request.postData());
		if (request.url().startsWith(CHECKMWEB))
			referers.push(request.headers().referer);
	});
	window.meant.push('favicon.ico');
	await window.goto(me.shop);
	await page.getByRole('button', { name: 'Buy tea' }).tap();
	await page.waitForURL(`${me.cashier}#order_no=*`);
	await window.says('pay', 'Pay with WeChat');
	const order = order_of(window);
	const { trade_type, h5_url } = (await shop.show(order)).json;
	assert.equal(trade_type, 'MWEB');
	assert.ok(h5_url.startsWith(CHECKMWEB));
	assert.equal(h5_url, await h5_of(order));
	await window.look('pending');
	await pause(2500);
	assert.equal(asked.length, 1, 'the form; nothing without a touch');
	await page.locator('#pay').tap();
	await page.waitForURL(`${CHECKMWEB}**`);
	assert.equal(page.url(),
		`${h5_url}&redirect_url=${encodeURIComponent(me.cashier)}`);
	assert.deepEqual(referers, [`${me.shop}/`]);
	assert.ok(!page.url().includes(order.token));

	// Back without a word: nothing is paid that the server does not say.
	await page.getByText('Done').tap();
	await window.says('state', 'Waiting');
	assert.equal(order_of(window).token, order.token);
	await page.locator('#check').tap();
	await window.look('returned');

	// The address is the same, and so is the link.
	await page.locator('#pay').tap();
	await page.waitForURL(`${CHECKMWEB}**`);
	assert.ok(page.url().startsWith(h5_url));
	assert.equal(asked.length, 3, 'the form, and each touch');
	await page.getByRole('button', { name: 'Pay' }).tap();
	await window.says('state', 'Paid');
	assert.equal(await shop.state(order), 'paid');
	await page.waitForURL(me.back);
	await window.close();
});

test('phone: a desktop\'s order, and a link that is too old, are asked anew '
	+ '(P19)', async () => {
	const order = await shop.order();
	const window = await me.window('h5_old', PHONE);
	const { page } = window;
	window.meant.push('favicon.ico');
	await window.goto(me.cashier_of(order));
	await window.says('pay', 'Pay with WeChat');
	await page.locator('#pay').tap();
	await page.waitForURL(`${CHECKMWEB}**`);
	const first = await h5_of(order);
	await s.sql(`update wxpay_data.payments set prepaid_at = prepaid_at
		- interval '301 seconds' where order_no = $1`, order.order_no);
	await page.getByText('Done').tap();
	await window.says('state', 'Waiting');
	await page.locator('#pay').tap();
	await page.waitForURL(`${CHECKMWEB}**`);
	const second = await h5_of(order);
	assert.notEqual(second, first);
	assert.ok(page.url().startsWith(second));
	const calls = await sandbox.calls(`${order.order_no}_2`,
		'unifiedorder');
	assert.equal(calls.length, 2);
	assert.deepEqual(calls[1].fields, calls[0].fields);
	await page.getByRole('button', { name: 'Pay' }).tap();
	await window.says('state', 'Paid');
	await window.close();
});

test('phone: a link that was ordered from another address is not opened',
	async () => {
	const { json: order } = await s.cgi('pay', 'POST', '/pay', {
		body: form({ product_id: s.env.PRODUCT_ID, trade_type: 'MWEB' }),
		env: { REMOTE_ADDR: '192.0.2.7' } });
	const window = await me.open('h5_moved', order, PHONE);
	const { page } = window;
	window.meant.push('favicon.ico');
	await window.says('pay', 'Pay with WeChat');
	assert.equal(expect(await shop.show(order), 200).json.h5_url,
		order.h5_url);
	await page.locator('#pay').tap();
	await page.waitForURL(`${CHECKMWEB}**`);
	const second = await s.payment(`${order.order_no}_2`);
	assert.ok(second, 'another attempt');
	assert.ok(page.url().startsWith(second.h5_url));
	assert.notEqual(second.h5_url, order.h5_url);
	assert.notEqual(second.client_ip, '192.0.2.7');
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
	const order = await shop.order({ return_url: me.back });
	const window = await me.window('wechat', { ...WECHAT,
		locale: 'zh-CN' });
	const { page } = window;
	window.meant.push(REFUSED);
	await page.addInitScript(inject_bridge);
	await me.give_sdk(window);	// for the shop, at the end
	const ways = [];
	page.on('request', (request) => request.isNavigationRequest()
		&& ways.push(new URL(request.url()).pathname));
	await window.goto(me.cashier_of(order));
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
	assert.ok(page.url().startsWith(me.cashier));
	assert.ok(!await page.evaluate(() => 'wx' in window));
	await payer_pays(order);
	await window.says('state', '支付成功');
	await page.waitForURL(me.back);
	await window.close();
});

// The ticket that WeChat gives to another of the merchant's programs.
async function ticket() {
	const { access_token } = expect(await s.wechat_http.post(
		'/cgi-bin/stable_token', JSON.stringify({
			grant_type: 'client_credential', appid: s.env.APPID,
			secret: s.env.APPSECRET }),
		{ 'content-type': 'application/json' }), 200).json;
	return expect(await s.wechat_http.get('/cgi-bin/ticket/getticket?'
		+ `access_token=${access_token}&type=jsapi`), 200).json.ticket;
}

// [platform.md 5.2] As WeChat verifies it.
async function assert_config(config, url, jsApiList) {
	const { timestamp, nonceStr, signature, ...others } = config;
	assert.deepEqual(others, { debug: false, appId: s.env.APPID,
		jsApiList });
	assert.equal(typeof timestamp, 'number');
	assert.equal(signature, createHash('sha1').update(
		`jsapi_ticket=${await ticket()}&noncestr=${nonceStr}`
		+ `&timestamp=${timestamp}&url=${url}`).digest('hex'));
}

test('inside WeChat: the callback loaded again leads back to the order (P12)',
	async () => {
	const order = await shop.order();
	const window = await me.window('wechat_again', { ...WECHAT,
		locale: 'zh-CN' });
	const { page } = window;
	window.meant.push(REFUSED);
	await page.addInitScript(inject_bridge);
	const back = page.waitForRequest('**/pay/authorize/callback?*');
	await window.goto(me.cashier_of(order));
	await bridge_asked(window, 1);
	await window.goto((await back).url());
	assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
	await window.look('used');
	await page.getByRole('link', { name: '返回订单' }).tap();
	await page.waitForURL(me.cashier_of(order));
	await bridge_asked(window, 1);
	await window.close();
});

test('inside WeChat: a shop that is shared; the JS-SDK pays, if no bridge is',
	async () => {
	const window = await me.window('jssdk', WECHAT);
	const { page } = window;
	window.meant.push(REFUSED);
	await me.give_sdk(window);
	const signed = [];
	page.on('request', (request) => {
		const { pathname, searchParams } = new URL(request.url());
		if (pathname === '/pay/jsconfig')
			signed.push(searchParams.get('url'));
	});
	const passed_on = `${me.shop}/?from=singlemessage&isappinstalled=0`;
	await window.goto(`${passed_on}#thanks`);
	const card = await me.sdk(window, 'updateAppMessageShareData');
	assert.deepEqual(card, { title: 'A shop 小店', link: `${me.shop}/`,
		desc: 'Tea, cups and stickers 茶叶、杯碟、贴纸',
		imgUrl: `${me.shop}/shop.png` });
	const { desc, ...rest } = card;
	assert.deepEqual(await me.sdk(window, 'updateTimelineShareData'), rest);
	await assert_config(await me.sdk(window, 'config'), passed_on,
		['updateAppMessageShareData', 'updateTimelineShareData']);
	await window.look('shop');

	await page.getByRole('button', { name: 'Buy tea' }).tap();
	await page.waitForURL(`${me.cashier}#order_no=*`);
	const { timestamp, ...others } = await me.sdk(window, 'chooseWXPay');
	s.voice.assert_jsapi({ appId: s.env.APPID, timeStamp: timestamp,
		...others });
	await assert_config(await me.sdk(window, 'config'), me.cashier,
		['chooseWXPay']);
	assert.deepEqual(signed, [passed_on, me.cashier], 'and no token');
	const order = order_of(window);
	const told = (word) => page.evaluate((name) =>
		window.wx.calls.chooseWXPay[name](), word);
	await told('cancel');
	await window.says('note', 'You have left the payment');
	await told('fail');
	await window.says('note', 'The payment was not made');
	await told('success');
	await window.says('note', 'Asking WeChat');
	await payer_pays(order);
	await window.says('state', 'Paid');
	await page.waitForURL(me.back);
	await window.close();
});

run();
