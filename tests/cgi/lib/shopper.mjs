// shopper: people in front of real browsers, at the pages of one stack, and
// what the tests of those pages share.
import { after, describe, it } from 'node:test';
import { Browser } from './browser.mjs';

// What the console says of an answer that is no success.
export const REFUSED = 'Failed to load resource';

export const answer_json = (status, json, headers = {}) =>
	({ status, headers, contentType: 'application/json',
		body: JSON.stringify(json) });

// The order that stands in a window's address.
export const order_of = (window) => Object.fromEntries(new URLSearchParams(
	new URL(window.page.url()).hash.slice(1)));

// The requests for an order that a window sends from now on, and when.
export function looks_of(window, order) {
	const looks = [];
	window.page.on('request', (request) => {
		if (request.url().includes(`/pay/${order.order_no}?`))
			looks.push(performance.now());
	});
	return looks;
}

// Most of a flow is waiting: they wait beside each other.
const AT_ONCE = 3;
const flows = [];
export const test = (name, fn) => flows.push([name, fn]);
export const run = () => describe('the shopper', { concurrency: AT_ONCE },
	() => {
		for (const [name, fn] of flows)
			it(name, fn);
	});

// A fake of WeChat's JS-SDK, served in its place: it keeps what a page gives
// it, in window.wx, and lets the page go on, or does not.
export const JSSDK = 'https://res.wx.qq.com/open/js/jweixin-1.6.0.js';

function fake_sdk(is_refused) {
	const calls = {};
	window.wx = { calls, ready: (then) => {
		calls.then = then;
	}, error: (then) => {
		calls.otherwise = then;
	}, config: (config) => {
		calls.config = config;
		setTimeout(() => {
			if (is_refused)
				calls.otherwise({ errMsg: calls.refused
					= 'config:invalid signature' });
			else
				calls.then();
		});
	} };
	for (const name of ['chooseWXPay', 'updateAppMessageShareData',
		'updateTimelineShareData'])
		window.wx[name] = (fields) => {
			calls[name] = fields;
		};
}

export class Shopper {
	constructor(env, browser) {
		this.browser = browser;
		this.shop = env.WXPAY_URL;
		this.cashier = `${env.WXPAY_URL}/cashier`;
		this.back = `${env.WXPAY_URL}/#thanks`;
	}

	// For as long as the file runs.
	static async of(s) {
		const browser = await Browser.launch(s.env);
		after(() => browser.close());
		return new Shopper(s.env, browser);
	}

	window(name, device) {
		return this.browser.window(name, device);
	}

	cashier_of({ order_no, token }) {
		return `${this.cashier}#order_no=${order_no}&token=${token}`;
	}

	async open(name, order, device) {
		return (await this.window(name, device))
			.goto(this.cashier_of(order));
	}

	// Inside WeChat, with the fake in place of its SDK.
	async give_sdk(window, { is_refused = false } = {}) {
		window.foreign.push(new URL(JSSDK).origin);
		await window.page.route(JSSDK, (route) => route.fulfill({
			contentType: 'text/javascript',
			body: `(${fake_sdk})(${is_refused})` }));
	}

	// What the page has given to one of the SDK's functions.
	async sdk(window, name) {
		await window.page.waitForFunction((called) => window.wx
			&& window.wx.calls[called], name);
		return window.page.evaluate((called) =>
			JSON.parse(JSON.stringify(window.wx.calls[called])),
		name);
	}
}
