// What the shopper's pages do whatever the API: how they look and in which
// language, whom they obey, when they ask, and what they do when something is
// missing.  Windows are judged as in browser.test.mjs.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { expect, number } from './lib/actors.mjs';
import { DESKTOP, PHONE, WECHAT } from './lib/devices.mjs';
import { Ear } from './lib/merchant.mjs';
import { JSSDK, REFUSED, Shopper, answer_json, looks_of, order_of, run, test }
	from './lib/shopper.mjs';
import { only, stack } from './lib/stack.mjs';
import { pause, until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

only('v3');
const s = await stack('brisk');
const { shop, sandbox } = s;
const me = await Shopper.of(s);
// Somebody else's site, on this machine: a page from elsewhere may not even
// ask here.
const evil = await new Ear(s.env).open();
after(() => evil.close());

test('中文: the same page in Chinese, 360 px wide', async () => {
	const order = await shop.order();
	const window = await me.open('zh', order, { ...DESKTOP,
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
		const window = await me.window('language', { ...DESKTOP,
			locale });
		await window.goto(me.cashier);
		await window.says('note', /./);
		assert.equal(await window.page.locator('html')
			.getAttribute('lang'), lang, locale);
		await window.close();
	}
});

test('what the server refuses is said, and only a touch asks again',
	async () => {
	const order = await shop.order({ trade_type: 'JSAPI',
		openid: 'oBrowser' });
	const window = await me.window('refused');
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
		await window.goto(me.cashier_of(order));
		await window.says('note', said);
		await window.says('pay', 'Try again');
		await window.picture(code.toLowerCase());
		await pause(1500);
		assert.equal(count, 1, code);
	}
	await window.look('refused');
	// What may pass is asked again by itself.
	for (const [status, code, said] of [
		[409, 'BUSY', 'Many requests'],
		[409, 'PAYMENT_PENDING', 'A payment code is being charged'],
		[429, 'TOO_MANY_REQUESTS', 'Many requests'],
		[503, 'UNAVAILABLE', 'The connection is bad']]) {
		answer = answer_json(status, { code, message: 'no' });
		await window.goto('about:blank');
		await window.goto(me.cashier_of(order));
		await window.says('note', said);
		assert.ok(!await window.is_shown('scan'));
	}
	answer = answer_json(202, { state: 'pending', retry_after: 1 });
	await window.goto('about:blank');
	await window.goto(me.cashier_of(order));
	await window.says('note', 'WeChat has not answered yet');
	answer = null;
	await window.says('scan_how', 'Scan the code');
	assert.equal(await window.text('note'), '');
	await window.close();
});

test('409: paid or closed while it asked for a code', async () => {
	const order = await shop.order({ trade_type: 'JSAPI',
		openid: 'oBrowser' });
	const window = await me.window('overtaken');
	window.meant.push(REFUSED);
	await window.page.route('**/pay', async (route) => {
		s.assert_acknowledged(await s.notify_paid({ ...order,
			transaction_id: wechat.transaction_id() }));
		await route.continue();
	});
	await window.goto(me.cashier_of(order));
	await window.says('state', 'Paid');
	assert.ok(!await window.is_shown('scan'));
	await window.close();
});

test('no order, or another token: the same page, and no more asking (P17)',
	async () => {
	const { order_no, token } = await shop.order();
	const window = await me.window('nothing');
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
		await window.goto(`${me.cashier}#${fragment}`);
		await window.says('state', 'There is no such order');
		await pause(asked * 1200);
		assert.equal(count, asked, fragment);
		assert.ok(!await window.is_shown('order'));
	}
	await window.look('nothing');
	await window.close();
});

// Whether somebody sees the page.
const hide = (window, is_hidden) => window.page.evaluate((hidden) => {
	Object.defineProperty(document, 'hidden',
		{ configurable: true, value: hidden });
	document.dispatchEvent(new Event('visibilitychange'));
}, is_hidden);

test('it asks ever more slowly, and less in trouble (P18)', async () => {
	const order = await shop.order();
	const window = await me.window('polling');
	window.meant.push(REFUSED);
	const looks = looks_of(window, order);
	const gaps = () => looks.slice(1).map((at, i) => at - looks[i]);
	await window.goto(me.cashier_of(order));
	await until('4 looks', () => looks.length >= 4);
	gaps().forEach((gap, i) => assert.ok(gap > 900 * 1.2 ** i,
		`${gaps()}`));

	// Trouble, and time is over meanwhile.
	let answer = answer_json(200, { ...expect(await shop.show(order),
		200).json, expires_in: 1 });
	await window.page.route(`**/pay/${order.order_no}?*`, (route) =>
		answer === 'none' ? route.abort() : route.fulfill(answer));
	await until('time is short', async () =>
		/^0:0\d$/.test(await window.text('clock')));
	answer = { status: 503 };
	await window.says('note', 'The connection is bad');
	const first = looks.length;
	answer = 'none';
	await until('a look without an answer', () => looks.length > first);
	answer = { status: 429 };
	await window.says('note', 'Many requests');
	await window.says('state', 'Waiting');
	const [once, twice] = gaps().slice(first - 1);
	assert.ok(once > 1500 && twice > 2 * 1500, `${gaps()}`);
	await window.look('trouble');
	await window.page.unroute(`**/pay/${order.order_no}?*`);
	await hide(window, false);
	await until('trouble is over', async () =>
		await window.text('note') === '');
	await window.close();
});

test('hidden, it neither looks nor orders (P18)', async () => {
	const order = await shop.order({ trade_type: 'JSAPI',
		openid: 'oBrowser' });
	const window = await me.window('hidden');
	const { page } = window;
	const looks = looks_of(window, order);
	let orders = 0, gate;
	page.on('request', (request) => {
		orders += request.method() === 'POST';
	});
	await page.route(`**/pay/${order.order_no}?*`, async (route) => {
		await gate;
		await route.continue();
	});
	const assert_still = async (when) => {
		const before = looks.length;
		await pause(2000);
		assert.equal(looks.length, before, when);
	};
	const seen = async () => {
		const before = looks.length;
		await hide(window, false);
		await until('a look at once', () => looks.length > before,
			2000);
	};

	await page.addInitScript(() => Object.defineProperty(document, 'hidden',
		{ configurable: true, value: true }));
	await window.goto(me.cashier_of(order));
	await window.says('state', 'Waiting');
	await assert_still('opened behind another');
	assert.equal(orders, 0);
	await seen();
	await window.says('scan_how', 'Scan the code');
	assert.equal(orders, 1);

	// Between two looks, and while the answer to one is on its way.
	const answered = () => page.waitForResponse((response) =>
		response.url().includes(order.order_no));
	await answered();
	await hide(window, true);
	const clock = await window.text('clock');
	await assert_still('between two looks');
	assert.notEqual(await window.text('clock'), clock, 'it goes by itself');
	let release;
	gate = new Promise((resolve) => {
		release = resolve;
	});
	await seen();
	await hide(window, true);
	const late = answered();
	release();
	await late;
	await assert_still('with an answer on its way');
	await seen();
	await window.close();
});

test('inside WeChat: authorized and still unknown: no circle (P12)',
	async () => {
	const order = await shop.order();
	const window = await me.window('circle', WECHAT);
	let count = 0;
	window.meant.push(REFUSED);
	await window.page.route('**/pay/authorize?*', (route) => {
		count++;
		return route.fulfill({ status: 303,
			headers: { location: me.cashier_of(order) } });
	});
	await window.page.route('**/pay', (route) => route.fulfill(answer_json(
		409, { code: 'OPENID_NEEDED', authorize_url:
			`${me.shop}/pay/authorize?order_no=x` })));
	await window.goto(me.cashier_of(order));
	await window.says('note', 'WeChat has not said who you are');
	await pause(1500);
	assert.equal(count, 1);
	await window.look('unknown');
	await window.page.locator('#pay').tap();
	await until('a touch authorizes again', () => count === 2);
	await window.close();
});

test('a tab that may keep nothing: it works, and does not go in circles',
	async () => {
	const forbid = () => Object.defineProperty(window, 'sessionStorage', {
		get() {
			throw new DOMException('forbidden', 'SecurityError');
		} });
	const order = await shop.order();
	const desktop = await me.window('forgetful');
	await desktop.page.addInitScript(forbid);
	await desktop.goto(me.cashier_of(order));
	await desktop.says('scan_how', 'Scan the code');
	await desktop.close();

	const phone = await me.window('forgetful', WECHAT);
	const went = phone.page.waitForRequest('**/pay/authorize?*');
	phone.meant.push(REFUSED);
	await phone.page.addInitScript(forbid);
	await phone.goto(me.cashier_of(order));
	await phone.says('note', 'WeChat has not said who you are');
	await phone.page.locator('#pay').tap();
	await went;
	await phone.close();
});

test('what is seldom: being cancelled, expired and still open, refund failed',
	async () => {
	const order = await shop.order();
	const shown = expect(await shop.show(order), 200).json;
	const window = await me.window('seldom');
	let changes = { closing: true };
	await window.page.route(`**/pay/${order.order_no}?*`, (route) =>
		route.fulfill(answer_json(200, { ...shown, ...changes })));
	const is_shown = async (...ids) => {
		for (const id of ['scan', 'doubt', 'cancel', 'again', 'refund'])
			assert.equal(await window.is_shown(id),
				ids.includes(id), id);
	};
	await window.goto(me.cashier_of(order));
	await window.says('state', 'The order is being cancelled');
	await is_shown();
	await window.look('closing');
	// Somebody may have paid: he can still say so.
	changes = { expires_in: 0 };
	await window.says('state', 'The order has expired');
	await is_shown('doubt', 'again');
	await window.look('expired');
	changes = { expires_in: 0, state: 'closed' };
	await until('nothing to say', async () =>
		!await window.is_shown('doubt'));
	await is_shown('again');
	changes = { state: 'paid', refunds: [
		{ out_refund_no: 'R1', state: 'failed', refund_fee: 100 }] };
	await window.page.reload();
	await window.says('refund_list', '¥1.00 failed: please ask the shop');
	await is_shown('refund');
	await window.close();
});

test('a desktop that can have H5 alone: not before a touch', async () => {
	const order = await shop.order({ trade_type: 'JSAPI',
		openid: 'oBrowser' });
	const window = await me.window('h5_desktop');
	const { page } = window;
	const h5_url = `${me.shop}/h5?prepay_id=x`;
	await page.route('**/pay', (route) => route.fulfill(answer_json(201,
		{ h5_url })));
	await page.route('**/h5?*', (route) => route.fulfill({ status: 204 }));
	await window.goto(me.cashier_of(order));
	await window.says('pay', 'Pay with WeChat');
	await pause(500);
	const gone = page.waitForRequest('**/h5?*');
	await window.click('pay');
	assert.equal((await gone).url(), `${h5_url}&redirect_url=${
		encodeURIComponent(me.cashier)}`);
	await window.close();
});

test('both languages have the same words, all that the page asks for',
	async () => {
	const file = async (path) => expect(await s.http.get(path), 200).text;
	const [, text] = /const WORDS = (\{.*?\n\t\});/s.exec(
		await file('/cashier/cashier.js'));
	const { zh, en } = Function(`return ${text}`)();
	assert.deepEqual(Object.keys(zh), Object.keys(en));
	for (const [name, said] of Object.entries(zh)) {
		assert.match(said, /\p{sc=Han}/u, name);
		assert.match(en[name], /[a-z]{2}/, name);
		assert.doesNotMatch(en[name], /\p{sc=Han}/u, name);
	}
	const asked = [...(await file('/cashier'))
		.matchAll(/data-text="(\w+)"/g)].map(([, name]) => name);
	assert.ok(asked.length > 10);
	assert.deepEqual(asked.filter((name) => !(name in zh)), []);
});

test('without JavaScript the shop sells, to the cashier', async () => {
	for (const [device, trade_type] of [[DESKTOP, 'NATIVE'],
		[PHONE, 'MWEB']]) {
		const window = await me.window(`plain-${trade_type}`,
			{ ...device, javaScriptEnabled: false });
		const { page } = window;
		await window.goto(me.shop);
		await window.picture('shop');
		await page.getByLabel('How many').selectOption('2');
		await page.getByRole('button', { name: 'Buy cups' }).click();
		await page.waitForURL(`${me.cashier}#order_no=*`);
		const order = expect(await shop.show(order_of(window)), 200)
			.json;
		assert.deepEqual([order.state, order.total_fee,
			order.trade_type, order.return_url],
		['pending', 9800, trade_type, me.back]);
		// This chromium makes the elements, and hides them.
		assert.deepEqual(await page.locator('noscript p')
			.allTextContents(), ['请启用 JavaScript 以完成付款。',
			'Please enable JavaScript to pay.']);
		await window.close();
	}
});

// The shop as it is for everybody, and its forms.
async function assert_sells(window) {
	const { page } = window;
	assert.equal(await page.locator('article:visible').count(), 3);
	await page.getByRole('button', { name: 'Buy tea' }).tap();
	await page.waitForURL(`${me.cashier}#order_no=*`);
	await window.says('state', 'Waiting');
}

// Nor has the cashier what it would pay with.
async function assert_unpaid(window) {
	await window.says('note', 'The payment was not made');
	assert.ok(await window.is_shown('go'));
}

// What may be missing when the shop wants to be shared.
const SHARELESS = {
	async no_ticket(window) {
		const { ends_at } = await s.one(`select ends_at::text
			from wxpay_data.wechat_tokens
			where kind = 'jsapi_ticket'`);
		const ends = (at) => s.sql(`update wxpay_data.wechat_tokens
			set ends_at = $1 where kind = 'jsapi_ticket'`, at);
		const refused = window.page.waitForResponse('**/pay/jsconfig?*');
		window.meant.push('status of 503');
		await ends(new Date());
		try {
			await window.goto(me.shop);
			assert.equal((await refused).status(), 503);
			await window.look('shop');
			await assert_sells(window);
			await assert_unpaid(window);
		} finally {
			await ends(ends_at);
		}
	},

	async file_away(window) {
		window.meant.push('status of 404');
		await window.page.route('**/cashier/wechat.js', (route) =>
			route.fulfill({ status: 404 }));
		await window.goto(me.shop);
		await assert_sells(window);
		await assert_unpaid(window);
	},

	async sdk_refuses(window) {
		await me.give_sdk(window, { is_refused: true });
		await window.goto(me.shop);
		await me.sdk(window, 'refused');
		assert.deepEqual(await window.page.evaluate(() =>
			Object.keys(window.wx.calls).filter((name) =>
				name.endsWith('ShareData'))), []);
		await assert_sells(window);
	},

	async sdk_away(window) {
		window.foreign.push(new URL(JSSDK).origin);
		window.meant.push('net::ERR_FAILED');
		await window.page.route(JSSDK, (route) => route.abort());
		const failed = window.page.waitForEvent('requestfailed');
		await window.goto(me.shop);
		assert.equal((await failed).url(), JSSDK);
		await assert_sells(window);
		await assert_unpaid(window);
	},
};

test('inside WeChat, and it cannot be shared: the shop sells all the same',
	async () => {
	const { no_ticket, ...others } = SHARELESS;
	const goes_on = async ([name, act]) => {
		const window = await me.window(name, WECHAT);
		window.meant.push('status of 409');	// WeChat names him first
		await act(window);
		await window.close();
	};
	// The ticket is everybody's.
	await goes_on(['no_ticket', no_ticket]);
	await Promise.all(Object.entries(others).map(goes_on));
});

test('a product with a hostile name is text (P16)', async () => {
	const name = '<img src=x onerror=alert(1)>\u202e"\'>&lt;'
		+ `<script>alert(2)</script>\${alert(3)}${'W'.repeat(40)}`;
	await s.sql('select wxpay.product_set($1, $2, 100)', 'nasty', name);
	const order = await shop.order({ product_id: 'nasty' });
	const window = await me.open('hostile', order, { ...DESKTOP,
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
	const window = await me.window('framed');
	window.meant.push('frame-ancestors');
	await foreign(window, `<iframe src="${me.cashier_of(order)}"></iframe>`);
	await until('the browser refuses', () =>
		window.faults.some((fault) =>
			fault.includes("frame-ancestors 'none'")));
	assert.equal(await window.page.frames()[1].locator('#state').count(),
		0);
	await window.close();
});

test('a foreign page can neither order nor cancel (P23)', async () => {
	const order = await shop.order();
	const window = await me.window('foreign');
	window.meant.push(REFUSED);
	await s.sql("select wxpay.product_set('foreign', 'Foreign', 100)");
	for (const [path, fields] of [
		['/pay', { product_id: 'foreign', quantity: 1 }],
		['/pay', { order_no: order.order_no, token: order.token }],
		[`/pay/${order.order_no}/close`, { token: order.token }],
		['/refund', { order_no: order.order_no,
			token: order.token }]]) {
		await foreign(window, `<form method="post"
			action="${me.shop}${path}">${Object.entries(fields)
			.map(([name, value]) => `<input name="${name}"
				value="${value}">`).join('')}<button>`);
		const [answer] = await Promise.all([
			window.page.waitForResponse(`${me.shop}${path}`),
			window.page.locator('button').click()]);
		assert.equal(answer.status(), 403, path);
	}
	assert.deepEqual(await s.sql(`select from wxpay_data.orders
		where product_id = 'foreign'`), []);
	assert.equal(await shop.state(order), 'pending');
	await window.close();
});

run();
