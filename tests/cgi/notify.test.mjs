// What arrives at /notify in V2 (threats.md N1-N36, RN1-RN5): forged by another
// author's signer; exact answers; nothing moves unless it is proved.  Both
// kinds of merchant: HMAC-SHA256 and MD5.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import https from 'node:https';
import net from 'node:net';
import test, { after } from 'node:test';
import { number } from './lib/actors.mjs';
import { only, stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

only('v2');
const { FAIL, SUCCESS, transaction_id, xml } = wechat;
const MONEY = ['orders', 'payments', 'refunds', 'events', 'refund_hints',
	'unexpected', 'notices', 'steps'];
const counts = { forged: 0, believed: 0 };
after(() => console.log(`# notify: ${counts.forged} forged, `
	+ `${counts.believed} believed`));

const element = (name, value) => `<${name}>${wechat.cdata(value)}</${name}>`;
// More elements, last in the message.
const append = (text, more) => text.replace('</xml>', `${more}</xml>`);
const doctype = (inside, text) => `<!DOCTYPE xml [${inside}]>${text}`;
const list = (count, fn) => Array.from({ length: count }, (_, i) => fn(i));
const laughs = () => '<!ENTITY a0 "ha">' + list(20, (i) =>
	`<!ENTITY a${i + 1} "${`&a${i};`.repeat(10)}">`).join('');

// [id, what, body of the good message's fields and XML]
function forgeries(s, fields) {
	const other = s.sign_type === 'MD5' ? 'HMAC-SHA256' : 'MD5';
	const key = s.env.API_KEY;
	const { sign, ...unsigned } = fields;
	const good = xml(fields);
	const resigned = (changes) => xml(wechat.signed(s.sign_type,
		{ ...unsigned, ...changes }, key));
	const with_sign = (text) => xml({ ...unsigned, sign: text });
	const value = (name, inner) => good.replace(
		element(name, fields[name]), `<${name}>${inner}</${name}>`);
	const attach = (inner) => append(good, `<attach>${inner}</attach>`);
	const fee = fields.total_fee;
	return [
		['N1', 'no sign', xml(unsigned)],
		['N2', 'sign empty', with_sign('')],
		['N2', 'sign of spaces', with_sign(' '.repeat(sign.length))],
		...[31, 33, 63, 65].map((length) => ['N2', `sign of ${length}`,
			with_sign(sign.padEnd(length, '0').slice(0, length))]),
		['N2', 'sign in lower case', with_sign(sign.toLowerCase())],
		['N2', 'space behind sign', with_sign(`${sign} `)],
		['N2', 'one letter of sign', with_sign(sign.replace(/.$/,
			(c) => c === '0' ? '1' : '0'))],
		['N3', `signed by ${other}`, xml(wechat.signed(other, unsigned,
			key))],
		['N3', `signed by ${other}, and says so`,
			xml(wechat.signed(other,
				{ ...unsigned, sign_type: other }, key))],
		['N3', `says ${s.sign_type}, signed by ${other}`,
			xml(wechat.signed(other,
				{ ...unsigned, sign_type: s.sign_type }, key))],
		['N3', 'sign_type NONE',
			xml({ ...unsigned, sign_type: 'NONE' })],
		['N18', 'sign in two cases', resigned({ Sign: sign })],
		['N3', 'sign_type twice', append(resigned({ sign_type:
			s.sign_type }), element('sign_type', s.sign_type))],
		['N4', 'no return_code', resigned({ return_code: undefined })],
		['N4', 'return_code FAIL', resigned({ return_code: 'FAIL' })],
		['N4', 'no result_code', resigned({ result_code: undefined })],
		['N4', 'result_code FAIL', resigned({ result_code: 'FAIL' })],
		['N4', 'result_code success',
			resigned({ result_code: 'success' })],
		['N4', 'return_code FAIL, unsigned', xml({ return_code: 'FAIL',
			return_msg: 'x' })],
		['N5', "another merchant's key", xml(wechat.signed(s.sign_type,
			unsigned, randomBytes(16).toString('hex')))],
		['N5', 'the empty key', xml(wechat.signed(s.sign_type, unsigned,
			''))],
		['N5', "the shop's key", xml(wechat.signed(s.sign_type,
			unsigned, s.env.SHOP_KEY))],
		['N5', "another merchant's mch_id", resigned({ mch_id:
			'1900000110' })],
		['N5', 'no mch_id', resigned({ mch_id: undefined })],
		['N6', 'total_fee changed after signing', xml({ ...fields,
			total_fee: '1' })],
		...['', '-1', '1.0', '0', '1e2', '01', ' 1', 'x',
			'9223372036854775808'].map((total_fee) => ['N6',
			`total_fee "${total_fee}"`, resigned({ total_fee })]),
		['N6', 'no total_fee', resigned({ total_fee: undefined })],
		['N6', 'no transaction_id', resigned({ transaction_id:
			undefined })],
		['N6', 'transaction_id too long', resigned({ transaction_id:
			'4'.repeat(33) })],
		['N6', 'no out_trade_no', resigned(
			{ out_trade_no: undefined })],
		['N6', 'out_trade_no with a quote', resigned({ out_trade_no:
			"x'; drop table orders;--" })],
		['N6', 'no time_end', resigned({ time_end: undefined })],
		['N6', 'time_end on the 30th of February', resigned({ time_end:
			'20260230120000' })],
		['N10', 'DOCTYPE', `<!DOCTYPE xml>${good}`],
		['N10', 'DOCTYPE with a harmless entity',
			doctype('<!ENTITY a "b">', good)],
		['N10', 'an entity that is the amount', doctype(
			`<!ENTITY fee "${fee}">`, value('total_fee', '&fee;'))],
		['N10', 'DOCTYPE behind a declaration',
			`<?xml version="1.0"?>\n<!DOCTYPE xml>${good}`],
		['N11', 'entity from a file', doctype('<!ENTITY x SYSTEM '
			+ '"file:///etc/passwd">', attach('&x;'))],
		['N11', 'external DTD',
			`<!DOCTYPE xml SYSTEM "${trap.url}">${good}`],
		['N11', 'parameter entity', doctype(
			`<!ENTITY % x SYSTEM "${trap.url}">%x;`, good)],
		['N11', 'entity over http', doctype(
			`<!ENTITY x SYSTEM "${trap.url}">`, attach('&x;'))],
		['N11', 'XInclude',
			attach('<xi:include href="file:///etc/passwd"'
			+ ' xmlns:xi="http://www.w3.org/2001/XInclude"/>')],
		['N12', 'a billion laughs', doctype(laughs(), attach('&a20;'))],
		['N12', 'quadratic blow-up', doctype(
			`<!ENTITY a "${'a'.repeat(20000)}">`,
			attach('&a;'.repeat(5000)))],
		['N12', '6000 attributes', good.replace('<xml>',
			`<xml ${list(6000, (i) => `a${i}=""`).join(' ')}>`)],
		['N12', 'depth 8000', append(good, '<a>'.repeat(8000)
			+ '</a>'.repeat(8000))],
		['N12', '5000 elements', append(good,
			list(5000, (i) => `<b${i}/>`).join(''))],
		['N13', 'total_fee twice', append(good,
			element('total_fee', fee))],
		['N13', 'total_fee twice, another', append(good,
			element('total_fee', '1'))],
		['N13', 'out_trade_no twice', good.replace('<xml>',
			`<xml>${element('out_trade_no', number())}`)],
		['N13', 'sign twice', append(good, element('sign', sign))],
		['N14', 'an element in a value', value('total_fee',
			`<b>${fee}</b>`)],
		['N14', 'a comment in a value', value('total_fee',
			`${fee[0]}<!-- -->${fee.slice(1)}`)],
		['N14', 'an instruction in a value', value('total_fee',
			`${fee[0]}<?x?>${fee.slice(1)}`)],
		['N14', 'text beside CDATA', value('total_fee',
			`${fee[0]}<![CDATA[${fee.slice(1)}]]>`)],
		['N14', 'a comment between elements', good.replace('<xml>',
			'<xml><!-- x -->')],
		['N15', 'a namespace', good.replace('<xml>',
			'<xml xmlns="urn:x">')],
		['N15', 'a prefix', good.replaceAll(/(<\/?)total_fee/g,
			'$1x:total_fee')],
		['N15', 'an attribute', good.replace('<total_fee>',
			'<total_fee a="b">')],
		['N15', 'xml:base', good.replace('<xml>',
			'<xml xml:base="http://x/">')],
		['N15', 'another root', good.replaceAll(/(<\/?)xml>/g,
			'$1root>')],
		['N15', 'two roots', good + good],
		['N15', 'text beside elements', append(good, 'text')],
		['N15', 'CDATA beside elements', append(good, '<![CDATA[x]]>')],
		['N15', 'bytes behind the root', `${good}x`],
		['N15', 'not closed', good.replace('</xml>', '')],
		['N16', 'UTF-16', Buffer.from(`\ufeff${good}`, 'utf16le')],
		...['UTF-16', 'UTF-7', 'ISO-8859-1', 'GBK', 'US-ASCII']
			.map((name) => ['N16', `declared ${name}`, '<?xml '
				+ `version="1.0" encoding="${name}"?>${good}`]),
		['N16', 'invalid UTF-8', Buffer.from(attach('\xff'), 'latin1')],
		['N16', 'overlong UTF-8', Buffer.from(attach('\xc0\xaf'),
			'latin1')],
		['N16', 'NUL as a reference', attach('&#0;')],
		['N16', 'NUL as it is', attach('\0')],
		['N16', 'NUL behind it all', `${good}\0`],
		['N20', 'JSON', JSON.stringify(fields)],
		['N20', 'a form', new URLSearchParams(fields).toString()],
		['N20', 'multipart', '--x\r\nContent-Disposition: form-data; '
			+ `name="x"\r\n\r\n${good}\r\n--x--\r\n`],
		['N20', 'nothing', ''],
		['N20', 'spaces', ' \r\n '],
		['N20', 'HTML', '<html><body>SUCCESS</body></html>'],
		['N33', 'escapes and formats, unsigned', xml({ ...unsigned,
			out_trade_no: '\r\n{"level":"error"}\x1b[31m%s%n%n',
			sign: '%s%n\n' })],
	];
}

// Nobody may connect here: whoever does has followed a URL of an attacker.
const trap = net.createServer((socket) => {
	trap.visits++;
	socket.destroy();
});
trap.visits = 0;
await new Promise((resolve) => trap.listen(0, '127.0.0.1', resolve));
trap.url = `http://127.0.0.1:${trap.address().port}/x.dtd`;
after(() => trap.close());

// A V2 message is refused by 200 and FAIL.  JSON is V3's, which may refuse
// by its status.
function assert_fail(answer, what) {
	if (answer.status >= 400) {
		assert.match(what, /JSON|nothing/, `${what}: ${answer}`);
		return;
	}
	assert.equal(answer.status, 200, `${what}: ${answer}`);
	assert.match(answer.text, FAIL, what);
}

async function assert_success(promise) {
	const answer = await promise;
	counts.believed++;
	assert.equal(answer.status, 200, answer.toString());
	assert.equal(answer.text, SUCCESS);
	assert.match(answer.headers['content-type'],
		/^(text|application)\/xml/);
	assert.ok(answer.ms < 5000);
	return answer;
}

// Both before the first test: when those that are known are done, it is over.
const stacks = [await stack('calm'), await stack('calm_md5')];

for (const s of stacks) {
	const { shop, sandbox, staff } = s;
	const kind = `${s.sign_type} merchant: `;
	// An unpaid order, and the money that WeChat will say has come.
	const unpaid = async (fields) => ({ ...await shop.signed_order(fields),
		transaction_id: transaction_id() });
	const notices = async (out_trade_no) => (await s.sql(`select verdict
		from wxpay_data.notices where out_trade_no = $1 order by seq`,
		out_trade_no)).map((row) => row.verdict);
	const telling = (payment, changes) =>
		xml(s.voice.paid_fields(payment, changes));
	const notify = (body, what, headers) => s.notify({ body, headers: {
		'content-type': 'text/xml', ...headers } }, what);

	test(`${kind}forged notices move nothing (N1-N6, N10-N16, N20)`,
		async () => {
		const payment = await unpaid({ total_fee: 1234 });
		const fields = s.voice.paid_fields(payment);
		const before = await s.snapshot(MONEY);
		const replies = new Set();
		for (const [id, what, body] of forgeries(s, fields)) {
			const name = `${id} ${what}`;
			const answer = await notify(body);
			counts.forged++;
			assert_fail(answer, name);
			assert.ok(answer.ms < 5000,
				`${name} took ${answer.ms} ms`);
			assert.doesNotMatch(answer.text,
				/root:|drop table|\[31m|%n/,
				`${name}: nothing is reflected (N32)`);
			replies.add(answer.text);
			assert.deepEqual(await s.snapshot(MONEY), before,
				`${name}: something moved`);
		}
		assert.ok(replies.size <= 8,
			`constant words, not ${replies.size}`);
		assert.equal(trap.visits, 0);
		await assert_success(notify(xml(fields)));
		assert.equal(await shop.state(payment), 'paid');
	});

	test(`${kind}64 KiB and no more, named types or not (E9, N20)`,
		async () => {
		const payment = await unpaid();
		const before = await s.snapshot(MONEY);
		const long = telling(payment, { attach:
			'a'.repeat(65536) });
		const answer = await notify(long);
		counts.forged++;
		assert.ok(answer.status === 413 || FAIL.test(answer.text),
			answer.toString());
		assert.match(answer.text, FAIL);
		assert.deepEqual(await s.snapshot(MONEY), before);
	});

	test(`${kind}a proved notice settles once (N8, N17, N18, N27)`,
		async () => {
		const payment = await unpaid();
		const body = telling(payment);
		for (let i = 0; i < 3; i++)
			await assert_success(notify(body));
		assert.equal(await shop.state(payment), 'paid');
		assert.deepEqual(await s.events(payment.order_no),
			['order.paid']);
		assert.deepEqual(await notices(payment.out_trade_no),
			['settled', 'already', 'already']);
		const row = await s.payment(payment.out_trade_no);
		assert.equal(row.transaction_id, payment.transaction_id);
		assert.equal(row.settles, true);
		const steps = await s.sql(`select from_state, to_state, reason
			from wxpay_data.steps where entity = 'payment'
			and number = $1 and to_state = 'paid'`,
				payment.out_trade_no);
		assert.deepEqual(steps, [{ from_state: 'prepaid',
			to_state: 'paid', reason: 'notice' }]);
	});

	const variants = [
		['sign_type stands in it', { sign_type: s.sign_type }],
		['unknown fields', { promotion_detail: '{"a":[1,2]}',
			rate_value:
			'1', 新字段: 'x' }],
		['empty fields', { device_info: '', attach: '' }],
		['a field named key', { key: 'abc' }],
		['names that sort by bytes', { Z: '1', a: '2', _: '3', a_: '4',
			aZ: '5', coupon_fee: '1', coupon_fee_0: '1',
			coupon_fee_10: '1', coupon_fee_2: '1' }],
		['a coupon: cash_fee is less',
			{ cash_fee: '1', coupon_fee: '999',
			coupon_count: '1', coupon_type_0: 'NO_CASH',
			settlement_total_fee: '1' }],
		['Chinese, &, =, ]]>, <, quotes', { attach:
			'茶 & 杯=1 ]]> <b> "q" \'a\'' }],
		['spaces around a value', { attach: '  x  ' }],
		['lines in a value', { attach: 'a\nb\tc' }],
		['no fee_type', { fee_type: undefined }],
		['a new trade_type', { trade_type: 'FACEPAY' }],
	];
	for (const [what, changes] of variants)
		test(`${kind}accepted: ${what} (N17, N18, N19)`, async () => {
			const payment = await unpaid();
			await assert_success(notify(telling(payment,
				changes)));
			assert.equal(await shop.state(payment), 'paid');
		});

	const spellings = [
		['a declaration',
			(text) => '<?xml version="1.0" encoding="UTF-8"?>\n'
			+ text],
		['lines between elements', (text) => text.replaceAll('><',
			'>\n\t<').replaceAll('>\n\t<![CDATA[', '><![CDATA[')
			.replaceAll(']]>\n\t<', ']]><')],
		['values without CDATA', (text) => text.replaceAll(
			/<!\[CDATA\[([^&<\]]*)\]\]>/g, '$1')],
		['character references', (text) => text.replace(
			/<trade_type>.*?<\/trade_type>/,
			'<trade_type>&#78;ATIVE</trade_type>')],
		['adjacent CDATA', (text) => text.replace('CDATA[NATIVE',
			'CDATA[NAT]]><![CDATA[IVE')],
	];
	for (const [what, respell] of spellings)
		test(`${kind}accepted: ${what} (design 3)`, async () => {
			const payment = await unpaid();
			await assert_success(
				notify(respell(telling(payment))));
			assert.equal(await shop.state(payment), 'paid');
		});

	// Authentic, and not what we know: journalled, quarantined, refused.
	const odd = [
		['N6', 'one fen less', { total_fee: '999' }, 'differs'],
		['N6', 'one fen more', { total_fee: '1001' }, 'differs'],
		['N6', 'fee_type USD', { fee_type: 'USD' }, 'differs'],
		['N6', 'settlement_total_fee is ours, total_fee is not',
			{ total_fee: '1', settlement_total_fee: '1000' },
				'differs'],
		['N5', 'another appid', { appid: 'wx0000000000000000' },
			'differs'],
	];
	for (const [id, what, changes, verdict] of odd)
		test(`${kind}authentic but unusable: ${what} (${id})`,
			async () => {
			const payment = await unpaid();
			for (let i = 0; i < 2; i++)
				assert_fail(await notify(telling(payment,
					changes)), what);
			counts.forged += 2;
			assert.equal(await shop.state(payment), 'pending');
			assert.deepEqual(await notices(payment.out_trade_no),
				[verdict, verdict]);
			const [row, ...more] =
				await s.unexpected(payment.out_trade_no);
			assert.deepEqual(more, [], 'it stands once');
			assert.equal(row.kind, verdict);
			assert.equal(row.state, 'open');
			assert.equal(row.transaction_id,
				payment.transaction_id);
			assert.deepEqual(await s.events(payment.order_no),
				['order.unexpected']);
			await assert_success(notify(telling(payment)));
			assert.equal(await shop.state(payment), 'paid');
		});

	test(`${kind}an unknown order is kept, not acknowledged (N7)`,
		async () => {
		const payment = { out_trade_no: number('U'), total_fee: 5,
			transaction_id: transaction_id() };
		for (let i = 0; i < 2; i++)
			assert_fail(await notify(telling(payment)),
				'unknown');
		counts.forged += 2;
		const rows = await s.unexpected(payment.out_trade_no);
		assert.deepEqual(rows.map((row) => [row.kind, row.total_fen]),
			[['unknown', 5]]);
		assert.deepEqual(await notices(payment.out_trade_no),
			['unknown', 'unknown']);
	});

	test(`${kind}a second transaction for one payment (N9)`, async () => {
		const payment = await unpaid();
		await assert_success(s.notify_paid(payment));
		const second = { ...payment, transaction_id: transaction_id() };
		for (let i = 0; i < 2; i++)
			await assert_success(s.notify_paid(second));
		const row = await s.payment(payment.out_trade_no);
		assert.equal(row.transaction_id, payment.transaction_id);
		const rows = await s.unexpected(payment.out_trade_no);
		assert.deepEqual(rows.map((u) => [u.kind, u.transaction_id]),
			[['payment', second.transaction_id]]);
		assert.deepEqual(await s.events(payment.order_no),
			['order.paid', 'order.unexpected']);

		const other = await unpaid();
		assert_fail(await notify(telling({ ...other,
			transaction_id: payment.transaction_id })),
			"another payment's transaction_id");
		assert.equal(await shop.state(other), 'pending');
	});

	test(`${kind}who says where he comes from is not believed (N36, P13)`,
		async () => {
		const payment = await unpaid();
		const fields = s.voice.paid_fields(payment);
		for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded',
			'client-ip', 'x-wechat-sign', 'proxy']) {
			assert_fail(await notify(xml({ ...fields,
				sign: 'x' }), 'paid', { [name]: '101.226.103.1',
					host: 'localhost' }),
				name);
			counts.forged++;
		}
		assert.equal(await shop.state(payment), 'pending');
	});

	test(`${kind}a client that leaves does not undo it (N31)`, async () => {
		const payment = await unpaid();
		const body = telling(payment);
		await new Promise((resolve) => {
			const request = https.request(
				`${s.env.WXPAY_URL}/notify/paid`, {
				method: 'POST', ca: s.http.ca, headers: {
					'content-type': 'text/xml',
					'content-length': Buffer.byteLength(
						body) } });
			request.on('error', () => {});
			request.on('close', resolve);
			request.end(body, () => setImmediate(() =>
				request.destroy()));
		});
		await until('it stands all the same',
			async () => await shop.state(payment) === 'paid');
	});

	// ---- refunds

	async function refunding(total_fee = 1000, refund_fee = 400) {
		const order = await s.paid(total_fee);
		const refund = await shop.refund_requested(order, refund_fee);
		await sandbox.refunds_become('PROCESSING');
		await staff.approve(refund);
		const { refunds, payments } = await until('WeChat has it',
			async () => {
			const ledger = await sandbox.ledger(order.out_trade_no);
			return ledger.refunds.length > 0 && ledger;
		});
		return { order, refund, inner: {
			transaction_id: payments[0].transaction_id,
			out_trade_no: order.out_trade_no,
			refund_id: refunds[0].refund_id,
			out_refund_no: refund.out_refund_no,
			total_fee: String(total_fee),
			settlement_total_fee: String(total_fee),
			refund_fee: String(refund_fee),
			settlement_refund_fee: String(refund_fee),
			refund_status: 'SUCCESS',
			success_time: '2026-01-16 10:00:05',
			refund_recv_accout: '支付用户零钱',
			refund_account: 'REFUND_SOURCE_UNSETTLED_FUNDS',
			refund_request_source: 'API' } };
	}
	const ended = (out_refund_no) => s.one(`select from wxpay_data.calls
		where out_refund_no = $1 and op = 'refund_query'
		and outcome is not null`, out_refund_no);
	const root = (inner, changes) => xml({ ...inner, ...changes }, 'root');
	const refunded_xml = (inner, outer = {}) => xml({
		return_code: 'SUCCESS', appid: s.env.APPID,
		mch_id: s.env.MCHID, nonce_str: wechat.nonce(),
		req_info: wechat.seal(s.env.API_KEY, inner), ...outer });

	test(`${kind}sealed rubbish gets one constant FAIL (RN2, RN3)`,
		async () => {
		const { inner } = await refunding();
		const key = s.env.API_KEY;
		const good = root(inner);
		const sealed = wechat.seal(key, good);
		const bytes = Buffer.from(sealed, 'base64');
		const outer = (changes) => refunded_xml(good, changes);
		const cases = [
			['no req_info', outer({ req_info: undefined })],
			['empty', outer({ req_info: '' })],
			['not base64', outer({ req_info: '!!!!' })],
			['base64 with a hole', outer({ req_info:
				`${sealed.slice(0, 8)} ${sealed.slice(8)}` })],
			['base64url', outer({ req_info: '-_-_'.repeat(16) })],
			['0 blocks', outer({ req_info: '====' })],
			['15 bytes', outer({ req_info:
				bytes.subarray(0, 15).toString('base64') })],
			['a block less', outer({ req_info:
				bytes.subarray(0, -16).toString('base64') })],
			['random blocks', outer({ req_info:
				randomBytes(256).toString('base64') })],
			['last byte flipped', outer({ req_info: Buffer.concat([
				bytes.subarray(0, -1),
					Buffer.from([bytes.at(-1) ^ 1])])
				.toString('base64') })],
			...[0, 17, 32, 255].map((pad) =>
				[`padding of ${pad}`, outer({
				req_info: wechat.seal_blocks(key,
					Buffer.concat([
					Buffer.from(good),
						Buffer.alloc(
						16 - Buffer.byteLength(
						good) % 16, pad)])) })]),
			['another key', outer({ req_info: wechat.seal(
				randomBytes(16).toString('hex'), good) })],
			['a DOCTYPE inside', refunded_xml(
				`<!DOCTYPE root>${good}`)],
			['an entity inside', refunded_xml('<!DOCTYPE root '
				+ `[<!ENTITY x SYSTEM "${trap.url}">]>`
				+ good.replace('支付用户零钱', '&x;'))],
			['a name twice inside',
				refunded_xml(good.replace('</root>',
				'<refund_fee>1</refund_fee></root>'))],
			['a comment inside', refunded_xml(
				good.replace('<root>', '<root><!-- -->'))],
			['root xml inside', refunded_xml(xml(inner))],
			['text inside', refunded_xml('SUCCESS')],
			['blocks reordered', outer({ req_info: Buffer.concat([
				bytes.subarray(16, 32), bytes.subarray(0, 16),
				bytes.subarray(32)]).toString('base64') })],
		];
		const before = await s.snapshot(MONEY);
		const replies = new Set();
		for (const [what, body] of cases) {
			const answer = await notify(body, 'refunded');
			counts.forged++;
			assert_fail(answer, what);
			replies.add(answer.text);
			assert.deepEqual(await s.snapshot(MONEY), before, what);
		}
		assert.equal(replies.size, 1, [...replies].join('\n'));
		assert.equal(trap.visits, 0);
		const big = await notify(outer(
			{ req_info: 'A'.repeat(1 << 20) }), 'refunded');
		assert.match(big.text, FAIL);
		assert_fail(await notify(outer({ mch_id: '1900000110' }),
			'refunded'), "another merchant's");
		assert.deepEqual(await s.snapshot(MONEY), before);
	});

	test(`${kind}a refund notice is a hint: the query decides (RN1, RN4)`,
		async () => {
		const { order, refund, inner } = await refunding();
		const asked = () => sandbox.calls(order.out_trade_no,
			'refundquery');
		const before = (await asked()).length;
		await assert_success(notify(refunded_xml(root(inner)),
			'refunded'));
		await until('the worker asked',
			async () => (await asked()).length > before);
		await until('the answer is journalled',
			() => ended(refund.out_refund_no));
		assert.equal(await shop.refund_state(order, refund),
			'refunding');
		await s.wechat_http.post('/sandbox/refund_status',
			{ out_refund_no:
			refund.out_refund_no, refund_status: 'SUCCESS' });
		await s.refund_becomes(order, refund, 'refunded');
		const rows = await s.sql(`select reason from wxpay_data.steps
			where number = $1 and to_state = 'refunded'`,
			refund.out_refund_no);
		assert.deepEqual(rows, [{ reason: 'refundquery' }],
			'I20: no notice moves money');
		for (let i = 0; i < 2; i++)
			await assert_success(
				notify(refunded_xml(root(inner)),
				'refunded'));
		assert.equal((await s.events(order.order_no)).filter((kind) =>
			kind === 'refund.refunded').length, 1);
	});

	test(`${kind}a refund notice that is not ours (RN1, RN5)`, async () => {
		const { order, refund, inner } = await refunding();
		const odd_ones = [
			['another amount', { refund_fee: '1000' }],
			['another total', { total_fee: '1' }],
			['another transaction',
				{ transaction_id: transaction_id() }],
			['another payment', { out_trade_no: number('U') }],
		];
		for (const [what, changes] of odd_ones) {
			assert_fail(await notify(refunded_xml(root(inner,
				changes)), 'refunded'), what);
			counts.forged++;
		}
		assert.equal(await shop.refund_state(order, refund),
			'refunding');
		// A number that WeChat does not know either.
		const out_refund_no = number('F');
		await assert_success(notify(refunded_xml(root(inner,
			{ out_refund_no, refund_fee: '10' })), 'refunded'));
		await until('the worker asked about it',
			() => ended(out_refund_no));
		assert.deepEqual(await s.sql(`select * from wxpay_data.refunds
			where out_refund_no = $1`, out_refund_no), []);
		assert.equal((await s.payment(order.out_trade_no)).reserved_fen,
			400);
	});

	test(`${kind}one escaped line a request in the log (N33)`, async () => {
		const payment = await unpaid();
		const nasty = `%s%n\u{10FFFD}${'x'.repeat(20000)}\r\n{"level":`
			+ '"error","event":"forged"}';
		await notify(telling(payment, { attach: nasty,
			openid: 'o%s%n', return_msg: nasty }));
		await notify(xml({ ...s.voice.paid_fields(payment),
			sign: nasty, out_trade_no: nasty }));
		for (const line of s.log('notify').split('\n').filter(
			Boolean)) {
			assert.ok(line.length <= 2048, `${line.length} bytes`);
			const { event, ts, level } = JSON.parse(line);
			assert.ok(ts && level && event, line);
			assert.notEqual(event, 'forged');
		}
	});
}
