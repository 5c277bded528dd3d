// suite: all end-to-end tests, in about the time of a fifth of them.
//
//	node tests/cgi/suite.mjs [NAME...]
//
// A file runs once for each API, V2 and V3, unless it says only() at its head;
// API=v2 runs that one alone, and under the sanitizers most of them run with
// V3 alone, beside those that say only('v2'); pages.test.mjs is about what the
// browser does, which they do not see.  Files that share a stack run one after
// the other, for what one plants another must not reap.  secrets.test.mjs
// searches what the others have left, so it is last.  SAN=1 tests what the
// sanitizers watch; KEEP=1 leaves the stacks up.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = path.resolve(HERE, '../..');
const FILE_MS = 300000;
const PORTS = [8500, 8700, 8900, 9100, 9300, 9500];
const PORTS_EACH = 200;
const APIS = process.env.API ? [process.env.API] : ['v2', 'v3'];
const AT_ONCE = 5;	// they wait more than they work
// First, so that none of them is left alone at the end.
const LONG = ['keys', 'micropay', 'plugin_v3', 'provider', 'unknown', 'trouble',
	'browser', 'pages', 'openid'];
const LAST = 'secrets';
const SAN_BOTH = ['main', 'race', 'overtake', 'unknown', 'trouble', 'events',
	'staff', 'badinput'];
const SAN_NEVER = ['pages'];
// What a file says of how much it tried; and, of its successes and sums.
const TRIED = /^# (?!Subtest)(\w+: \d.*)$/gm;
const NOISE = /^\s*(ok |# \w+ |# Subtest|duration_ms|type:|---|\.\.\.|1\.\.)/;

const stacks = fs.mkdtempSync(path.join(os.tmpdir(), 'wxpay-e2e-'));
fs.chmodSync(stacks, 0o755);	// the programs are nobody
const totals = { pass: 0, fail: 0 };
const children = new Set();
let is_stopping = false;

// A command to its end: its output, and how it left.
function run(file, args, env = {}) {
	return new Promise((resolve) => {
		const child = spawn(file, args, { cwd: ROOT,
			stdio: ['ignore', 'pipe', 'pipe'],
			env: { ...process.env, WXPAY_STACKS: stacks,
				WXPAY_PORT: String(port), ...env } });
		children.add(child);
		let text = '';
		for (const stream of [child.stdout, child.stderr])
			stream.setEncoding('utf8').on('data', (more) => {
				text += more;
			});
		const timer = setTimeout(() => child.kill('SIGKILL'), FILE_MS);
		child.on('close', (code) => {
			clearTimeout(timer);
			children.delete(child);
			resolve({ text, code });
		});
	});
}

const number = (text, name) =>
	Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);

const path_of = (name) => path.join(HERE, `${name}.test.mjs`);

async function test_file({ name, api }) {
	const began = performance.now();
	const { text, code } = await run(process.execPath,
		['--test-reporter=tap', path_of(name)], { API: api });
	const pass = number(text, 'pass');
	const fail = number(text, 'fail') + number(text, 'cancelled')
		|| Number(code !== 0);
	totals.pass += pass;
	totals.fail += fail;
	const seconds = ((performance.now() - began) / 1000).toFixed(1);
	console.log(`${name} ${api}: ${pass} passed, ${fail} failed, ${seconds} s`);
	for (const [, said] of text.matchAll(TRIED))
		console.log(`  ${said}`);
	if (fail > 0)
		console.log(text.split('\n').filter((line) =>
			!NOISE.test(line)).join('\n'));
}

// What is to be run, and on which stacks.
function jobs(names) {
	const rank = ({ name }) => LONG.includes(name) ? LONG.indexOf(name)
		: LONG.length;
	return names.filter((name) => name !== LAST).flatMap((name) => {
		const text = fs.readFileSync(path_of(name), 'utf8');
		const [, only] = /^only\('(v\d)'\);/m.exec(text) ?? [];
		const profiles = [...text.matchAll(/stack\('(\w+)'/g)]
			.map(([, profile]) => profile);
		const is_slow = process.env.SAN && !SAN_BOTH.includes(name);
		const api = only ?? (is_slow ? APIS.at(-1) : undefined);
		return APIS.filter((one) => one === (api ?? one)).map((one) =>
			({ name, api: one, profiles }));
	}).sort((a, b) => rank(a) - rank(b));
}

async function run_all(waiting) {
	const running = new Map();
	const is_free = ({ api, profiles }) => [...running.keys()].every(
		(other) => other.api !== api
		|| !other.profiles.some((one) => profiles.includes(one)));
	while (waiting.length + running.size > 0) {
		const at = running.size < AT_ONCE ? waiting.findIndex(is_free)
			: -1;
		if (at < 0) {
			await Promise.race(running.values());
			continue;
		}
		const [job] = waiting.splice(at, 1);
		running.set(job, test_file(job).then(() => {
			running.delete(job);
			if (is_stopping)
				waiting.length = 0;
		}));
	}
}

async function down() {
	if (!fs.existsSync(stacks))
		return;
	if (process.env.KEEP) {
		console.log(`the stacks stay up: ${stacks}`);
		return;
	}
	for (const name of fs.readdirSync(stacks))
		if (fs.existsSync(path.join(stacks, name, 'pid')))
			await run('make', ['-s', 'down',
				`RUN=${path.join(stacks, name)}`]);
	fs.rmSync(stacks, { recursive: true, force: true });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
	process.on(signal, async () => {
		if (is_stopping)
			return;
		is_stopping = true;
		for (const child of children)
			child.kill('SIGKILL');
		await down();
		process.exit(1);
	});

const listen = (at) => new Promise((resolve) => {
	const server = net.createServer();
	server.on('error', () => resolve(null));
	server.listen(at, '127.0.0.1', () => resolve(server));
});

// Ports of our own: who listens on the last of them has them all,
// and nobody may be on another.
async function reserve(base) {
	const held = await listen(base + PORTS_EACH - 1);
	for (let at = base; held && at < base + PORTS_EACH - 1; at++) {
		const other = await listen(at);
		if (!other) {
			held.close();
			return null;
		}
		await new Promise((resolve) => other.close(resolve));
	}
	return held;
}

let port, reserved;
for (port of PORTS) {
	reserved = await reserve(port);
	if (reserved)
		break;
}
if (!reserved) {
	console.log(`no free ports from ${PORTS[0]} on`);
	process.exit(1);
}

const all = fs.readdirSync(HERE).filter((file) =>
	file.endsWith('.test.mjs')).map((file) => file.slice(0, -9)).sort()
	.filter((name) => !process.env.SAN || !SAN_NEVER.includes(name));
const wanted = process.argv.length > 2 ? process.argv.slice(2) : all;

const built = await run('make', ['-s', 'all']);
if (built.code !== 0) {
	console.log(built.text);
	process.exit(1);
}
try {
	await run_all(jobs(wanted));
	if (wanted.includes(LAST) && !is_stopping)
		await test_file({ name: LAST, api: APIS.at(-1) });
} finally {
	await down();
	reserved.close();
}
console.log(`end to end: ${totals.pass} passed, ${totals.fail} failed`);
process.exitCode = totals.fail > 0 ? 1 : 0;
