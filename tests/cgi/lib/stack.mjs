// stack: one wxpay with all that is around it, brought up by make; design 7.
//
// RUN in the environment names one that is up already.  WXPAY_STACKS names a
// directory where files find what an earlier one has brought up; without it
// each file has its own, and takes it down.  API, v2 or v3, is the one that a
// stack's payments are made with, unless the file says only().
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Sandbox, Shop, Staff, expect } from './actors.mjs';
import { Client } from './http.mjs';
import { until } from './until.mjs';
import { VoiceV2, VoiceV3 } from './voice.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PORT = Number(process.env.WXPAY_PORT ?? 8500);
const PORTS_V3 = 100;	// so far above those of V2
const BIGINT = 20;

pg.types.setTypeParser(BIGINT, Number);

// Nothing happens unless somebody asks for it.
const CALM = { check_first: 3600, check_young: 3600, refund_check_first: 3600,
	refund_gap: 0, keys_refresh: 43200 };
// Everything that waits waits a second at most.
const BRISK = { check_first: 1, check_young: 1, refund_check_first: 1,
	refund_gap: 0, close_after: 1, wechat_total_ms: 2000 };
// No call fails because the machine is busy.
const PATIENT = { ...BRISK, wechat_total_ms: 10000 };

const PROFILES = {
	calm: { port: PORT, set: CALM },
	calm_md5: { port: PORT + 10, set: { ...CALM, sign_type: 'MD5' } },
	brisk: { port: PORT + 20, set: BRISK },
	trouble: { port: PORT + 30, set: BRISK },
	plugin_hmac: { port: PORT + 40, set: BRISK },
	plugin_md5: { port: PORT + 50, set: { ...BRISK, sign_type: 'MD5' } },
	micropay: { port: PORT + 60, set: { ...BRISK, micropay: 1,
		micropay_wait: 15 } },
	// of V3 alone, so where those of V2 alone are
	forged: { port: PORT + 10, set: { ...CALM, keys_refresh: 2 } },
	plugin_public: { port: PORT + 40, set: BRISK },
	plugin_certificate: { port: PORT + 50, set: BRISK },
	keys: { port: PORT + 60, set: PATIENT },
	keys_switch: { port: PORT + 70, set: PATIENT },
	false_wechat: { port: PORT + 80, set: { ...BRISK, wechat_url_backup:
		`https://localhost:${PORT + PORTS_V3 + 80 + 8}` } },
	keys_public: { port: PORT + 90, set: PATIENT },
	// a service provider's; three ports are enough with our own WeChat
	provider: { port: PORT + 95, set: { ...PATIENT, micropay_wait: 15,
		sub_mchid: '1900009191', sub_appid: 'wx2421b1c4370ec43b' } },
};

// A file that speaks one API itself says so at its head: suite.mjs reads this
// line, and runs other files once an API.
export function only(api) {
	process.env.API = api;
}

const api_now = () => process.env.API || 'v3';
export const port_of = (profile) => PROFILES[profile].port
	+ (api_now() === 'v3' ? PORTS_V3 : 0);

// Where the stack of a profile is, or will be.
const places = {};
export function place_of(profile) {
	places[profile] ??= path.join(process.env.WXPAY_STACKS
		?? fs.mkdtempSync(path.join(os.tmpdir(), 'wxpay-e2e-')),
		`${profile}_${api_now()}`);
	return places[profile];
}

// A program run to its end: { code, signal, stdout, stderr }, and never a
// failure.
export function run(file, args, { input = '', env = process.env } = {}) {
	return new Promise((resolve) => {
		const child = execFile(file, args, { cwd: ROOT, env,
			maxBuffer: 1 << 24, encoding: 'utf8' },
			(error, stdout, stderr) => resolve({ stdout, stderr,
				code: error?.code ?? 0,
					signal: error?.signal }));
		child.stdin.on('error', () => {});
		child.stdin.end(input);
	});
}

async function make(target, variables) {
	const done = await run('make', ['-s', target,
		...Object.entries(variables).map(([name, value]) =>
			`${name}=${value}`)]);
	if (done.code !== 0)
		throw new Error(`make ${target}: ${done.stdout}${done.stderr}`);
}

// Take down a stack in a directory that was made for it.
function remove(RUN) {
	execFileSync('make', ['-s', 'down', `RUN=${RUN}`], { cwd: ROOT });
	fs.rmSync(path.dirname(RUN), { recursive: true });
}

export function env_read(file) {
	const env = {};
	for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
		const [, name, value] = line.match(/^(\w+)='?(.*?)'?$/) ?? [];
		if (name)
			env[name] = value;
	}
	return env;
}

function conninfo(text) {
	const words = Object.fromEntries(text.split(' ')
		.map((word) => word.split('=')));
	return { host: words.host, database: words.dbname, user: words.user };
}

// alive: there, and not only waiting for its parent to look.
export function alive(pid) {
	try {
		return !/^\d+ \(.*\) [ZX]/.test(
			fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
	} catch {
		return false;
	}
}

export class Stack {
	constructor(variables) {
		this.variables = variables;
		this.env = env_read(path.join(variables.RUN, 'env'));
		this.dir = fs.realpathSync(variables.RUN);
		const record = path.join(this.dir, 'seen');
		fs.appendFileSync(record, '');
		this.http = new Client(this.env.WXPAY_URL, this.env.CA, record);
		this.shop = new Shop(this.http, this.env);
		this.staff = new Staff(this.http, this.env.OPERATOR,
			this.env.OPERATOR_PASSWORD);
		this.staff2 = new Staff(this.http, this.env.OPERATOR2,
			this.env.OPERATOR2_PASSWORD);
		this.api = this.env.API;
		this.sign_type = /sign_type=MD5/.test(variables.SET ?? '')
			? 'MD5' : 'HMAC-SHA256';
		this.voice = this.api === 'v3' ? new VoiceV3(this.env)
			: new VoiceV2(this.env, this.sign_type);
		if (!variables.WECHAT_URL) {
			this.wechat_http = new Client(this.env.SANDBOX_URL,
				this.env.CA, record);
			this.sandbox = new Sandbox(this.wechat_http);
		}
		this.connections = [];
	}

	// Start again what has died.
	up() {
		return make('up', this.variables);
	}

	async close() {
		for (const client of this.connections)
			await client.end().catch(() => {});
		this.http.close();
		this.wechat_http?.close();
	}

	// ---- the database, looked at by its owner

	// A connection of one's own, for transactions and LISTEN.
	async connect(text = this.env.DATABASE) {
		const client = new pg.Client(conninfo(text));
		client.on('error', () => {});	// trouble.test.mjs kills it
		await client.connect();
		this.connections.push(client);
		return client;
	}

	async sql(text, ...values) {
		if (this.pool === undefined) {
			this.pool = new pg.Pool(
				{ ...conninfo(this.env.DATABASE), max: 4 });
			this.pool.on('error', () => {});
			this.connections.push(this.pool);
		}
		return (await this.pool.query(text, values)).rows;
	}

	async one(text, ...values) {
		return (await this.sql(text, ...values))[0];
	}

	async tables() {
		const rows = await this.sql(`select c.relname from pg_class c
			where c.relnamespace = 'wxpay_data'::regnamespace
			and c.relkind in ('r', 'p') and not c.relispartition
			order by 1`);
		return rows.map((row) => row.relname);
	}

	// Every table as its number of rows and a digest; equal if nothing was
	// written.  Events get their numbers later, by the worker; and what it
	// fetches when it is time says nothing of what was asked.
	async snapshot(tables) {
		tables ??= (await this.tables()).filter((name) =>
			!['wechat_tokens', 'wechat_key_fetches'].includes(name));
		const rows = await this.sql(tables.map((name) => `
			select '${name}' as name, count(*) || ' rows, ' || md5(
				coalesce(string_agg(text, '' order by text),''))
				as digest
			from wxpay_data.${name} x, lateral (select (to_jsonb(x)
				- '{id,event_no}'::text[])::text) t (text)`)
			.join(' union all '));
		return Object.fromEntries(rows.map((row) =>
			[row.name, row.digest]));
	}

	// ---- the programs

	pid(name) {
		return Number(fs.readFileSync(
			path.join(this.dir, 'pid', `${name}.pid`), 'utf8'));
	}

	is_alive(name) {
		return alive(this.pid(name));
	}

	// Kill, and wait until it is dead.
	async kill(name, signal = 'SIGKILL') {
		const pid = this.pid(name);
		process.kill(pid, signal);
		await until(`${name} dies of ${signal}`, () => !alive(pid));
	}

	// Stop a program for as long as fn takes.
	async without(name, fn) {
		const pid = this.pid(name);
		process.kill(pid, 'SIGSTOP');
		try {
			return await fn();
		} finally {
			process.kill(pid, 'SIGCONT');
		}
	}

	log(name) {
		return fs.readFileSync(path.join(this.dir, 'log',
			`${name}.log`),
			'utf8');
	}

	// A program of ours run by hand.  conf: lines that take the place of
	// those in the stack's own configuration.
	program(name, args, { conf = {}, env = {}, input } = {}) {
		return run(path.join(this.env.BIN, name), args,
			{ input, env: { WXPAY_CONF: this.conf_file(conf),
				...env } });
	}

	conf_file(conf) {
		const names = Object.keys(conf);
		if (names.length === 0)
			return this.env.CONF;
		const lines = fs.readFileSync(this.env.CONF, 'utf8').split('\n')
			.filter((line) => !names.includes(line.split(' ')[0]));
		const file = path.join(fs.mkdtempSync(
			path.join(this.dir, 'conf-')), 'wxpay.conf');
		fs.writeFileSync(file, lines.join('\n') + names.map((name) =>
			`${name} = ${JSON.stringify(conf[name])};\n`).join(''));
		return file;
	}

	// One request as a plain CGI server would hand it over.
	cgi_env(method, url, body, more = {}) {
		const { pathname, search } = new URL(url, 'https://localhost');
		const form = {
			CONTENT_TYPE: 'application/x-www-form-urlencoded',
			CONTENT_LENGTH: String(Buffer.byteLength(body)) };
		return { REQUEST_METHOD: method, PATH_INFO: pathname,
			QUERY_STRING: search.slice(1), REMOTE_ADDR: '127.0.0.1',
			SERVER_PROTOCOL: 'HTTP/1.1',
			...method === 'POST' ? form : {}, ...more };
	}

	async cgi(name, method, url, { body = '', conf, env } = {}) {
		const done = await this.program(name, [], { conf, input: body,
			env: this.cgi_env(method, url, body, env) });
		const [head, ...rest] = done.stdout.split(/\r?\n\r?\n/);
		const text = rest.join('\n\n');
		return { ...done, head, text,
			status: Number(/^Status: (\d{3})/m.exec(head)?.[1]),
			get json() { return JSON.parse(text); } };
	}

	// ---- WeChat, as another author signs for it

	notify({ body, headers }, what = 'paid') {
		return this.http.post(`/notify/${what}`, body, headers);
	}

	notify_paid(payment) {
		return this.notify(this.voice.paid(payment));
	}

	// The same to a plain CGI program.
	cgi_notify({ body, headers }, what = 'paid') {
		const env = Object.fromEntries(Object.entries(headers).map(
			([name, value]) => [name === 'content-type'
				? 'CONTENT_TYPE' : `HTTP_${name.toUpperCase()
					.replaceAll('-', '_')}`, value]));
		return this.cgi('notify', 'POST', `/notify/${what}`,
			{ body, env });
	}

	assert_acknowledged(answer) {
		assert.ok(this.voice.is_acknowledged(answer),
			`${answer.status} ${answer.text}`);
	}

	assert_refused(answer) {
		assert.ok(this.voice.is_refused(answer),
			`${answer.status} ${answer.text}`);
	}

	// ---- ways that many tests go

	// An order that is paid, and whose event has been written.
	async paid(total_fee = 1000, fields = {}) {
		const order = await this.shop.signed_order({ total_fee,
			...fields });
		await this.sandbox.scan(order);
		await until('the order is paid',
			async () => await this.shop.state(order) === 'paid');
		return order;
	}

	async refund_becomes(order, refund, state, deadline_ms) {
		let now;
		await until(() => `refund ${refund.out_refund_no} is ${state}, `
			+ `not ${now}`, async () => {
			now = await this.shop.refund_state(order, refund);
			return now === state;
		}, deadline_ms);
	}

	events(order_no) {
		return this.sql(`select kind from wxpay_data.events
			where order_no = $1 order by seq`, order_no)
			.then((rows) => rows.map((row) => row.kind));
	}

	payment(out_trade_no) {
		return this.one(`select * from wxpay_data.payments
			where out_trade_no = $1`, out_trade_no);
	}

	unexpected(out_trade_no) {
		return this.sql(`select * from wxpay_data.unexpected
			where out_trade_no = $1 order by seq`, out_trade_no);
	}
}

// What the stack at RUN was asked to be.
export const wishes_of = (RUN) =>
	({ ...env_read(path.join(RUN, 'wishes')), RUN });

// The stack of a profile, for as long as the file runs.  variables: more for
// make up.
export async function stack(profile, variables = {}) {
	const { set } = PROFILES[profile];
	const shared = process.env.WXPAY_STACKS;
	const given = process.env.RUN;
	const wishes = given
		? wishes_of(given)
		: { PORT: port_of(profile), API: api_now(), SET: Object.entries(set)
			.map((pair) => pair.join('=')).join(' '), ...variables,
			RUN: place_of(profile) };
	// At the very end, for what a file does last may need it.
	if (!given && !shared)
		process.on('exit', () => remove(wishes.RUN));
	await make('up', wishes);
	const made = new Stack(wishes);
	after(() => made.close());
	if (!made.sandbox)
		return made;
	await made.sandbox.clock({ close_min_s: set.close_after ?? 300,
		refund_gap_s: set.refund_gap });
	await until('the worker has asked for certificates', () => made.one(
		`select from wxpay_data.wechat_key_fetches
		where outcome is not null`));
	await until('the worker has fetched a ticket', () => made.one(
		`select from wxpay_data.wechat_tokens
		where kind = 'jsapi_ticket' and value is not null`));
	return made;
}

export { expect };
