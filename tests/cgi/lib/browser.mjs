// browser: a real chromium in front of our pages, and what must never happen
// in one: an error in the console, a breach of the CSP, a serious fault of
// accessibility.
import assert from 'node:assert/strict';
import { X509Certificate, createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { DESKTOP } from './devices.mjs';

const AXE = fs.readFileSync(createRequire(import.meta.url)
	.resolve('axe-core/axe.min.js'), 'utf8');
const PICTURES = fileURLToPath(new URL('../../../build/check/screenshots',
	import.meta.url));
const DEADLINE_MS = 15000;

// The one key that this browser believes without a known authority.
function pin_of(certificate) {
	const { publicKey } = new X509Certificate(fs.readFileSync(certificate));
	return createHash('sha256').update(publicKey.export(
		{ type: 'spki', format: 'der' })).digest('base64');
}

// One window of its own: no cookie or storage is another's.
class Window {
	constructor(context, page, name, is_judged) {
		this.context = context;
		this.page = page;
		this.name = name;
		this.is_judged = is_judged;
		this.count = 0;
		this.faults = [];
		// What a test means to happen: pieces of the console's text.
		this.meant = [];
		// Whom it may ask beside this machine: origins.
		this.foreign = [];
		page.on('request', (request) => {
			const { origin, hostname } = new URL(request.url());
			if (hostname !== 'localhost'
				&& !this.foreign.includes(origin))
				this.faults.push(`asks ${origin}`);
		});
		page.on('console', (said) => said.type() === 'error'
			&& this.faults.push(`${said.text()} `
				+ said.location().url.split(/[?#]/)[0]));
		page.on('pageerror', (error) =>
			this.faults.push(String(error)));
		page.on('dialog', (dialog) => {
			this.faults.push(`dialog: ${dialog.message()}`);
			dialog.dismiss();
		});
	}

	async goto(url) {
		await this.page.goto(url);
		return this;
	}

	// Until the element says it.
	async says(id, text) {
		const found = this.page.locator(`#${id}`,
			{ hasText: text });
		try {
			await found.waitFor({ timeout: DEADLINE_MS });
		} catch {
			assert.fail(`#${id} does not say "${text}" but "${
				await this.text(id)}" at ${this.page.url()
					.split('#')[0]}`);
		}
	}

	text(id) {
		return this.page.locator(`#${id}`).textContent();
	}

	is_shown(id) {
		return this.page.locator(`#${id}`).isVisible();
	}

	click(id) {
		return this.page.locator(`#${id}`).click();
	}

	// A state of the page, as a picture.
	picture(state) {
		return this.page.screenshot({ fullPage: true,
			path: path.join(PICTURES, `${this.name}-${
				++this.count}-${state}.png`) });
	}

	// The same, and judged by axe; once, for it is no other with V2.
	async look(state) {
		if (!this.is_judged)
			return;
		await this.picture(state);
		const is_wide = await this.page.evaluate(() => document
			.documentElement.scrollWidth > window.innerWidth);
		assert.ok(!is_wide, `${state}: wider than the window`);
		await this.page.evaluate(AXE);
		const { violations, passes } = await this.page.evaluate(() =>
			window.axe.run());
		assert.ok(passes.length > 10, 'axe has tried');
		assert.deepEqual(violations.filter(({ impact }) =>
			['serious', 'critical'].includes(impact)).map((v) =>
			`${state}: ${v.id}: ${v.nodes[0].html}`), []);
	}

	// The end: nothing went wrong that was not meant to.
	async close() {
		await this.context.close();
		assert.deepEqual(this.faults.filter((fault) =>
			!this.meant.some((piece) => fault.includes(piece))), []);
	}
}

export class Browser {
	static async launch(env) {
		fs.mkdirSync(PICTURES, { recursive: true });
		const browser = new Browser();
		browser.is_judged = env.API === 'v3';
		browser.chromium = await chromium.launch({
			executablePath: '/usr/bin/chromium', args: [
				'--no-sandbox', '--disable-gpu', '--disable-quic',
				'--no-first-run',
				'--disable-background-networking',
				'--disable-component-update', '--disable-sync',
				'--ignore-certificate-errors-spki-list='
				+ pin_of(path.join(env.DIR, 'tls/server.pem'))] });
		return browser;
	}

	// name: of its pictures.
	async window(name, { locale = 'en-GB', ...device } = DESKTOP) {
		const context = await this.chromium.newContext(
			{ locale, reducedMotion: 'reduce', ...device });
		context.setDefaultTimeout(DEADLINE_MS);
		await context.addInitScript(() => document.addEventListener(
			'securitypolicyviolation', (event) => console.error(
				`CSP ${event.violatedDirective} `
				+ event.blockedURI)));
		return new Window(context, await context.newPage(), name,
			this.is_judged);
	}

	close() {
		return this.chromium.close();
	}
}
