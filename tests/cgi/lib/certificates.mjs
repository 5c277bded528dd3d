// certificates: keys of those who are not the stack, made by openssl.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { run } from './stack.mjs';

export async function openssl(...args) {
	const done = await run('openssl', args);
	assert.equal(done.code, 0, done.stderr);
	return done.stdout;
}

// dir/name.key, and dir/name.pem that the key itself has signed.
export function self_signed(dir, name, subject, ...more) {
	const file = (suffix) => path.join(dir, `${name}.${suffix}`);
	return openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes',
		'-days', '2', '-subj', subject, ...more,
		'-keyout', file('key'), '-out', file('pem'));
}

// A WeChat of its own, server and key pair, and a merchant whom it knows.
export async function other_wechat(dir) {
	if (fs.existsSync(path.join(dir, 'merchant.pem')))
		return dir;
	fs.mkdirSync(dir, { recursive: true });
	await self_signed(dir, 'server', '/CN=localhost',
		'-addext', 'subjectAltName=DNS:localhost');
	await openssl('genpkey', '-quiet', '-algorithm', 'RSA', '-pkeyopt',
		'rsa_keygen_bits:2048', '-out', path.join(dir, 'wechat.key'));
	await openssl('pkey', '-in', path.join(dir, 'wechat.key'), '-pubout',
		'-out', path.join(dir, 'wechat.pem'));
	await self_signed(dir, 'merchant', '/O=e2e/CN=1900000109');
	fs.chmodSync(path.dirname(dir), 0o755);	// the programs are nobody
	return dir;
}
