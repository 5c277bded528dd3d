// After everything else: no secret in any log, row, answer, environment or
// argument of the stacks that the other files used (threats.md I36).  Every
// key file is a canary.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { random } from './lib/actors.mjs';
import { Stack, run, stack, wishes_of } from './lib/stack.mjs';

const CRASH = /Sanitizer|runtime error:|[Aa]ssertion|core dumped|PANIC|SIGSEGV/;

const shared = process.env.WXPAY_STACKS;
const calm = await stack('calm');
// A canary of our own, so that the search itself is proved.
const planted = random();
const stacks = [calm];
for (const name of shared ? fs.readdirSync(shared) : []) {
	const RUN = path.join(shared, name);
	if (RUN === calm.variables.RUN
		|| !fs.existsSync(path.join(RUN, 'wishes')))
		continue;
	const other = new Stack(wishes_of(RUN));
	after(() => other.close());
	stacks.push(other);
}
const counts = { canaries: 0, bytes: 0, processes: 0 };
after(() => console.log(`# secrets: ${stacks.length} stacks, `
	+ `${counts.canaries} canaries, ${counts.bytes} bytes searched, `
	+ `${counts.processes} processes`));

// [name, text]: each key as it stands, and as somebody might have spelled it.
function canaries(s) {
	const found = [];
	const add = (name, text) => {
		const bytes = Buffer.from(text);
		found.push([name, text], [`${name} in hex`,
			bytes.toString('hex')],
			[`${name} in base64`, bytes.toString('base64')
				.replace(/=*$/, '').slice(0, -1)]);
	};
	for (const name of fs.readdirSync(path.join(s.dir, 'keys'))) {
		const text = fs.readFileSync(path.join(s.dir, 'keys', name),
			'utf8');
		if (/PRIVATE KEY/.test(text))
			for (const line of text.split('\n').filter((line) =>
				/^[\w+/=]{60,}$/.test(line)).slice(1))
				found.push([name, line]);
		else if (name === 'operators')
			for (const line of text.trim().split('\n'))
				add(name, line.split(':')[1]);
		else if (!/CERTIFICATE|PUBLIC KEY/.test(text))
			add(name, text.trim());
	}
	// [v2.md 15.2] the key that opens refund notices
	found.push(['refund notice key', createHash('md5').update(
		s.env.API_KEY).digest('hex')]);
	for (const name of fs.readdirSync(path.join(s.dir, 'tls')).filter(
		(name) => name.endsWith('.key')))
		for (const line of fs.readFileSync(path.join(s.dir, 'tls',
			name), 'utf8').split('\n').filter((line) =>
			/^[\w+/=]{60,}$/.test(line)).slice(1))
			found.push([name, line]);
	counts.canaries += found.length;
	return found;
}

function search(where, bytes, secrets) {
	counts.bytes += bytes.length;
	const text = Buffer.isBuffer(bytes) ? bytes.toString('latin1') : bytes;
	for (const [name, secret] of secrets)
		assert.ok(!text.includes(secret), `${name} stands in ${where}`);
}

const dump = async (conninfo) => {
	const done = await run('pg_dump', ['--data-only', '--inserts',
		conninfo]);
	assert.equal(done.code, 0, done.stderr);
	return done.stdout;
};

test('the search finds what it is to find', async () => {
	await calm.sql(`select wxpay.product_set('canary', $1, 1)`, planted);
	const text = await dump(calm.env.DATABASE);
	for (const spelled of [planted])
		assert.throws(() => search('the database', text,
			[['canary', spelled]]),
				/canary stands in the database/);
	await calm.sql(`delete from wxpay_data.products
		where product_id = 'canary'`);
});

for (const s of stacks) {
	const name = path.basename(s.variables.RUN);
	const secrets = canaries(s);

	test(`${name}: logs`, () => {
		for (const file of fs.readdirSync(path.join(s.dir, 'log')))
			search(`log/${file}`, fs.readFileSync(
				path.join(s.dir, 'log', file)), secrets);
	});

	test(`${name}: nothing has crashed, no sanitizer has found anything`,
		() => {
		for (const file of fs.readdirSync(path.join(s.dir, 'log'))) {
			const text = fs.readFileSync(
				path.join(s.dir, 'log', file), 'utf8');
			for (const line of text.split('\n'))
				assert.doesNotMatch(line, CRASH, file);
		}
	});

	test(`${name}: every row of both databases`, async () => {
		for (const conninfo of [s.env.DATABASE, s.env.SANDBOX_DATABASE])
			if (s.sandbox || conninfo === s.env.DATABASE)
				search('the database', await dump(conninfo),
					secrets);
	});

	test(`${name}: every answer that the tests have seen`, () => {
		search('an answer', fs.readFileSync(path.join(s.dir, 'seen')),
			secrets);
	});

	test(`${name}: environments and arguments`, () => {
		for (const file of fs.readdirSync(path.join(s.dir, 'pid'))) {
			const pid = s.pid(path.basename(file, '.pid'));
			for (const what of ['environ', 'cmdline']) {
				const at = `/proc/${pid}/${what}`;
				if (fs.existsSync(at))
					search(`${file} ${what}`,
						fs.readFileSync(at), secrets);
			}
			counts.processes++;
		}
	});

	test(`${name}: who pays and how he is let in is not logged`,
		async () => {
		const rows = await s.sql(`select token as text
			from wxpay_data.orders union select openid
			from wxpay_data.payments where openid <> ''
			union select payer from wxpay_data.payments
			where payer is not null`);
		for (const file of fs.readdirSync(path.join(s.dir, 'log')))
			search(`log/${file}`,
				fs.readFileSync(path.join(s.dir, 'log',
				file)), rows.map(({ text }) =>
					['token or openid', text]));
	});
}
