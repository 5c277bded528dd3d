// All routes x bad inputs (threats.md P1-P25, R1-R18): the stated answer, no
// row changed, no call made.  The stack is a calm one: what changes was done
// by the request.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { expect, number, random } from './lib/actors.mjs';
import { stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';
import * as wechat from './lib/wechat.mjs';

const s = await stack('calm');
const { shop, sandbox, staff } = s;
const origin = s.env.WXPAY_URL;
let tried = 0;
after(() => console.log(`# badinput: ${tried} requests, all refused`));

// Each case: [what, request, status], 400 unless it says otherwise.  The answer
// is JSON that says why, and nothing else has happened.
async function refused(cases) {
	const before = { rows: await s.snapshot(),
		calls: await sandbox.call_count() };
	for (const [what, request, status = 400] of cases) {
		const answer = await request();
		tried++;
		assert.equal(answer.status, status, `${what}: ${answer}`);
		const { code, message } = answer.json;
		assert.match(code, /^[A-Z_]+$/, what);
		assert.equal(typeof message, 'string', what);
		const rows = await s.snapshot();
		assert.deepEqual(rows, before.rows, `${what}: a row changed`);
	}
	assert.equal(await sandbox.call_count(), before.calls,
		'a call was made');
}

const product = (fields) => () => shop.pay({ product_id: s.env.PRODUCT_ID,
	quantity: 1, trade_type: 'NATIVE', ...fields });
// Well signed, so that only the value is wrong.
const signed = (fields, how) => () => shop.pay({ ...shop.signed(fields),
	trade_type: 'NATIVE', ...how });
const raw_pay = (text, headers) => () => shop.pay(text, headers);

// threats.md P1
const AMOUNTS = ['0', '-1', '+1', '01', '1.0', '1e2', '0x10', ' 1', '1 ',
	'１００', '2147483648', '9223372036854775808', '1'.repeat(40), '', 'NaN',
	'1,000', '1_0', '１', '١', '1\n', 'null', '∞', '1%', '-0', '00'];

test('amounts have one spelling (P1, R3)', async () => {
	const order = await shop.signed_order();
	await s.sql("select wxpay.product_set('dear', 'Dear', 2147483647)");
	await refused(AMOUNTS.flatMap((text) => [
		[`signed total_fee "${text}"`, signed({ total_fee: text })],
		[`total_fee shown "${text}"`, product({ total_fee: text })],
		[`quantity "${text}"`, product({ quantity: text })],
		[`refund_fee "${text}"`,
			() => shop.refund(order, { refund_fee: text })],
		[`staff refund_fee "${text}"`, () => staff.start_refund(
			{ order_no: order.order_no, refund_fee: text })],
	]).concat([
		['quantity 10000', product({ quantity: 10000 })],
		['more than an order can be', product({ product_id: 'dear',
			quantity: 2 })],
	]));
});

test('JSON and other bodies are no forms (P2, P7)', async () => {
	const text = JSON.stringify({ product_id: s.env.PRODUCT_ID,
		quantity: 1, total_fee: 1.10, trade_type: 'NATIVE' });
	const good = `product_id=${s.env.PRODUCT_ID}&quantity=1`
		+ '&trade_type=NATIVE';
	await refused([
		['JSON', raw_pay(text, { 'content-type': 'application/json' })],
		['JSON that says it is a form', raw_pay(text)],
		['no type', raw_pay(good, { 'content-type': '' })],
		['text/plain', raw_pay(good, { 'content-type': 'text/plain' })],
		['another charset', raw_pay(good, { 'content-type':
			'application/x-www-form-urlencoded; charset=gbk' })],
		['multipart', raw_pay('--x\r\nContent-Disposition: form-data; '
			+ 'name="product_id"\r\n\r\ntea\r\n--x--\r\n',
			{ 'content-type': 'multipart/form-data; boundary=x' })],
		['nothing', raw_pay('')],
	]);
});

test('prices come from us or from the shop (P3, P22)', async () => {
	const { PRODUCT_ID, PRODUCT_FEN } = s.env;
	const what = shop.signed();
	const { sign, ...unsigned } = what;
	const with_sign = (text) => () => shop.pay({ ...what, sign: text,
		trade_type: 'NATIVE' });
	await refused([
		['another price was shown', product({ total_fee: 1 }), 409],
		['a price unsigned', () => shop.pay({ ...unsigned,
			trade_type: 'NATIVE' })],
		['a price and a body beside a product', product({ total_fee:
			PRODUCT_FEN, body: 'cheap' })],
		['two ways at once', () => shop.pay({ ...what, product_id:
			PRODUCT_ID, quantity: 1, trade_type: 'NATIVE' })],
		['no way at all', () => shop.pay({ trade_type: 'NATIVE' })],
		['no such product', product({ product_id: 'no-such' }), 404],
		['product_id of bad form', product({ product_id: "tea'--" })],
		['product_id too long', product(
			{ product_id: 'x'.repeat(33) })],
		['sign of zeros', with_sign('0'.repeat(64)), 403],
		['sign in lower case', with_sign(sign.toLowerCase()), 403],
		['sign cut', with_sign(sign.slice(0, 63)), 403],
		['sign and more', with_sign(`${sign}0`), 403],
		['MD5 where HMAC is due', with_sign(wechat.sign('MD5', unsigned,
			s.env.SHOP_KEY)), 403],
		["WeChat's key instead of the shop's", with_sign(wechat.sign(
			'HMAC-SHA256', unsigned, s.env.API_KEY)), 403],
		['a field that was not signed', () => shop.pay({ ...what,
			attach: 'later', trade_type: 'NATIVE' }), 403],
		['an amount that was not signed', () => shop.pay({ ...what,
			total_fee: 1, trade_type: 'NATIVE' }), 403],
		['a time that was not signed', () => shop.pay({ ...what,
			time_expire: wechat.beijing(new Date(Date.now() + 7e6)),
			trade_type: 'NATIVE' }), 403],
	]);
	const answer = await product({ total_fee: 1 })();
	assert.equal(answer.json.total_fee, Number(PRODUCT_FEN),
		'409 tells our price');
});

test('one number is one order (P4, P24)', async () => {
	const what = shop.signed({ attach: 'a' });
	const request_id = random();
	const order = expect(await shop.pay({ ...what, trade_type: 'NATIVE',
		request_id }), 201).json;
	const other = await shop.order();
	const same = (fields) => signed({ ...what, sign: undefined,
		...fields });
	await refused([
		['another amount', same({ total_fee: 1001 }), 409],
		['another body', same({ body: 'Another' }), 409],
		['another attach', same({ attach: 'b' }), 409],
		['attach left out', same({ attach: undefined }), 409],
		['another time', same({ time_expire: wechat.beijing(
			new Date(Date.now() + 7e6)) }), 409],
		['request_id of another what', product({ request_id }), 409],
		['a page that changes the attach', () => shop.pay({
			order_no: order.order_no, token: order.token,
			attach: 'b', trade_type: 'NATIVE' }), 409],
		['the token of another order', () => shop.pay({
			order_no: order.order_no, token: other.token,
			trade_type: 'NATIVE' }), 404],
		['no such order', () => shop.pay({ order_no: number(),
			token: order.token, trade_type: 'NATIVE' }), 404],
		['request_id of 15', product({ request_id: 'a'.repeat(15) })],
		['request_id of 65', product({ request_id: 'a'.repeat(65) })],
		['request_id of 10 kB', product(
			{ request_id: 'a'.repeat(10240) })],
		['request_id with a space', product({ request_id:
			'aaaaaaaaaaaaaaaaaaaaa a' })],
		['request_id in Chinese', product(
			{ request_id: '请'.repeat(16) })],
	]);
});

test('order numbers of bad form (P5)', async () => {
	const numbers = ['', 'T', '12345', 'x'.repeat(29), 'x'.repeat(64),
		'-12345', '_12345', 'abc_2', 'abcdef_99', 'abc def', "abc'def",
		'abc"def', 'abc/def', 'abc.def', 'abc%def', 'abc*def',
			'abc|def',
		'订单000001', 'abcdef\0', 'abcdef\n', '../../etc', 'openid',
		'authorize', 'jsconfig', '😀😀😀😀'];
	await refused(numbers.flatMap((order_no) => [
		[`signed ${JSON.stringify(order_no)}`, signed({ order_no })],
		[`named ${JSON.stringify(order_no)}`, () => shop.pay({ order_no,
			token: 'A'.repeat(22), trade_type: 'NATIVE' })],
	]).concat(['abc', 'A'.repeat(21), 'A'.repeat(23), `${'A'.repeat(21)}+`,
		`${'A'.repeat(21)}%`, ''].map((token) => [`token "${token}"`,
		() => shop.pay({ order_no: number(), token,
			trade_type: 'NATIVE' })])));
});

test('names: doubled, unknown, in the query, misspelled (P7, P8)',
	async () => {
	const good = `product_id=${s.env.PRODUCT_ID}&quantity=1`
		+ '&trade_type=NATIVE';
	const in_query = (query, body) => () => s.http.post(`/pay?${query}`,
		body);
	await refused([
		['twice', raw_pay(`${good}&quantity=1`)],
		['twice, another', raw_pay(`${good}&quantity=2`)],
		['twice, once encoded', raw_pay(`${good}&quantit%79=1`)],
		['in query and body', in_query('quantity=1', good)],
		['all in the query', in_query(good, '')],
		['unknown in the query', in_query('x=1', good)],
		['a[]', raw_pay(`${good}&quantity[]=1`)],
		['a.b', raw_pay(`${good}&product.id=1`)],
		['another case', raw_pay(`${good}&Quantity=1`)],
		['no name', raw_pay(`${good}&=1`)],
		['NUL in a name', raw_pay(`${good}&quantity%00=1`)],
		...['notify_url', 'sign_type', 'mch_id', 'appid', 'fee_type',
			'spbill_create_ip', 'out_trade_no', 'nonce_str',
				'detail',
			'state', 'constructor', '__proto__'].map((name) =>
			[name, raw_pay(`${good}&${name}=x`)]),
		...['native', 'NATIVE ', 'QR', 'FACEPAY', '', 'JSAPI,NATIVE']
			.map((trade_type) => [`trade_type "${trade_type}"`,
			product({ trade_type })]),
	]);
});

test('encodings: percent, UTF-8, NUL (P5, P10)', async () => {
	const good = `product_id=${s.env.PRODUCT_ID}&quantity=1`
		+ '&trade_type=NATIVE&attach=';
	const bytes = (...list) => Buffer.concat([Buffer.from(good),
		Buffer.from(list)]);
	await refused([
		...['%', '%4', '%zz', '%u4e2d', '%%41', '%4g', '%-1', '%00',
			'a%00b',
			'%c0%af', '%ed%a0%80', '%e8%85', '%ff', '%f0%9f%98%80',
			'%f4%90%80%80', '%01', '%1b%5b31m', '%7f',
				'a%0bb'].map((text) =>
			[`attach=${text}`, raw_pay(good + text)]),
		['a raw NUL', raw_pay(bytes(0))],
		['raw Latin-1', raw_pay(bytes(0xe9))],
		['a raw overlong slash', raw_pay(bytes(0xc0, 0xaf))],
		['attach of 128 bytes', raw_pay(good + 'a'.repeat(128))],
		['attach of 43 Chinese', raw_pay(good
			+ encodeURIComponent('字'.repeat(43)))],
		...['', 'b'.repeat(128), '😀', 'a\u0001', '字'.repeat(43)].map(
			(body) => [`body "${body.slice(0, 9)}"`,
				signed({ body })]),
	]);
});

test('openid belongs to JSAPI, and has a form (P11)', async () => {
	const jsapi = (openid) => product({ trade_type: 'JSAPI', openid });
	await refused(['', 'a b', "o'x", 'o\nx', 'x'.repeat(129),
		'微信', '<script>', '../x'].map((openid) =>
		[`openid ${JSON.stringify(openid)}`, jsapi(openid)]));
});

test('return_url: hosts that are ours, exactly (P9, P15)', async () => {
	const { host } = new URL(origin);
	const urls = ['//evil.example', 'https:evil.example',
		'\\\\evil.example',
		'/\\evil.example', `https://${host}@evil.example/`,
		`https://evil.example/${host}`, `https://${host}.evil.example/`,
		`https://evil.example#${host}`, `https://evil.example?${host}`,
		`https://${host}\\@evil.example/`, `https://user@${host}/`,
		`https://user:pw@${host}/`, `http://${host}/`, `ftp://${host}/`,
		'data:text/html,x', 'javascript:alert(1)', `https://${host}:1/`,
		'https://localhost/', 'https:///x', 'https://', '', 'evil',
		`https://${host}/\r\nSet-Cookie: a=b`, `https://${host}/a b`,
		`https://${host}/"onload=x`, `https://${host}/'`,
		`https://${host}/\u0000`, `https://${host}/\t`,
		`https://%6c${host.slice(1)}/`, ` https://${host}/`,
		`https://${host}/${'x'.repeat(512)}`, `https://${host}／evil`,
		`HTTPS://evil.example/`, `https://[::1]/`];
	await refused(urls.map((return_url) => [`return_url ${return_url}`,
		async () => {
			const answer = await product({ return_url })();
			assert.doesNotMatch(answer.text, /evil|Set-Cookie|pw@/,
				'nothing is reflected');
			assert.equal(answer.headers['set-cookie'], undefined);
			assert.equal(answer.headers.location, undefined);
			return answer;
		}]));
	await shop.order({ return_url: `https://${host}/thanks?a=b` });
});

test('times of bad form, and past (P19)', async () => {
	const soon = new Date(Date.now() + 3600e3);
	const late = wechat.beijing(soon);
	await refused(['', '2026', late.slice(0, 13), `${late}0`,
		soon.toISOString(), `${late.slice(0, 4)}1301000000`,
		'20270230120000', '20271231240000', '20271231236000',
		'20271231235960', '-0261231235959', ' 20271231235959',
		'１０２７１２３１２３５９５９'].map((time_expire) =>
		[`time_expire "${time_expire}"`, signed({ time_expire })]));
});

test('a foreign Origin is refused, none is fine (P14, P23)', async () => {
	const order = await shop.signed_order();
	const foreign = ['https://evil.example', 'null',
		`${origin}.evil.example`,
		origin.replace('https', 'http'), `${origin}/`, `${origin}0`,
		origin.toUpperCase(), `${origin} ${origin}`,
			'https://localhost'];
	await refused(foreign.flatMap((from) => {
		const headers = { origin: from };
		return [
			[`pay from ${from}`, () => shop.pay({ product_id:
				s.env.PRODUCT_ID, quantity: 1,
					trade_type: 'NATIVE' },
				headers), 403],
			...['close', 'check'].map((verb) =>
				[`${verb} from ${from}`,
				() => s.http.post(
					`/pay/${order.order_no}/${verb}`,
					{ token: order.token }, headers), 403]),
			[`refund from ${from}`, () => s.http.post('/refund',
				{ order_no: order.order_no,
					token: order.token },
				headers), 403],
		];
	}));
	expect(await shop.pay({ product_id: s.env.PRODUCT_ID, quantity: 1,
		trade_type: 'NATIVE' }, { origin }), 201);
});

// Status, length, and every header but the request's own.
function alike(answer) {
	const headers = { ...answer.headers };
	delete headers['x-request-id'];
	delete headers.date;
	return { status: answer.status, headers, text: answer.text };
}

test('a wrong token and an unknown order look the same (P17, I37)',
	async () => {
	const order = await s.paid();
	const refund = await shop.refund_requested(order, 100);
	const wrong = { order_no: order.order_no, token: 'A'.repeat(22) };
	const unknown = { order_no: 'T'.repeat(order.order_no.length),
		token: 'A'.repeat(22) };
	const no_refund = { out_refund_no: `R${unknown.order_no}-1` };
	const pairs = [
		['show', (who) => shop.show(who)],
		['qr', (who) => s.http.get(
			`/pay/${who.order_no}/qr.svg?token=${who.token}`)],
		['close', (who) => shop.close(who)],
		['check', (who) => shop.check(who)],
		['pay', (who) => shop.pay({ ...who, trade_type: 'NATIVE' })],
		['refund', (who) => shop.refund(who, { refund_fee: 1 })],
		['show refund', (who) => shop.show_refund(who,
			who === wrong ? refund : no_refund)],
	];
	for (const [what, ask] of pairs) {
		await refused([[`${what}, wrong token`, () => ask(wrong), 404],
			[`${what}, unknown order`, () => ask(unknown), 404]]);
		assert.deepEqual(alike(await ask(wrong)),
			alike(await ask(unknown)), what);
	}
	await refused([
		['show without a token', () => s.http.get(
			`/pay/${order.order_no}`)],
		['show with two tokens', () =>
			s.http.get(`/pay/${order.order_no}`
			+ `?token=${order.token}&token=${order.token}`)],
		['show with more', () => s.http.get(`/pay/${order.order_no}`
			+ `?token=${order.token}&x=1`)],
		['close with more', () => s.http.post(
			`/pay/${order.order_no}/close`,
			{ token: order.token, reason: 'x' })],
		['close, token in the query', () => s.http.post(
			`/pay/${order.order_no}/close?token=${order.token}`)],
	]);
});

test('looking calls nobody (P18, P25)', async () => {
	const order = await shop.order();
	const before = { rows: await s.snapshot(),
		calls: await sandbox.call_count() };
	for (let i = 0; i < 100; i++) {
		const shown = expect(await shop.show(order), 200).json;
		assert.equal(shown.state, 'pending');
		tried++;
	}
	assert.deepEqual(await s.snapshot(), before.rows);
	assert.equal(await sandbox.call_count(), before.calls);
});

test('paid, closed and expired orders take no payment (P19, P20)',
	async () => {
	const paid = await s.paid();
	const closed = await s.one(`select * from wxpay.shop_order_create($1,
		500, 'Never paid')`, number('C'));
	assert.equal(expect(await shop.close(closed), 200).json.state,
		'closed');
	const expired = await s.one(`select * from wxpay.shop_order_create($1,
		500, 'Too late', now() - interval '1 minute')`, number('E'));
	await until('the worker closes what has expired',
		async () => await shop.state(expired) === 'closed');
	await refused([['paid', paid], ['closed', closed], ['expired', expired]]
		.flatMap(([what, { order_no, token }]) => ['NATIVE', 'JSAPI']
		.map((trade_type) => [`${what}, ${trade_type}`, () => shop.pay({
			order_no, token, trade_type,
				openid: trade_type === 'JSAPI'
				? 'oE2E-late' : undefined }), 409])));
	for (const order of [closed, expired])
		assert.deepEqual((await sandbox.ledger(order.order_no)).calls,
			[]);
});

test('refunds: more than is left, unpaid, closed, too old (R2, R3, R10)',
	async () => {
	const pending = await shop.signed_order();
	const paid = await s.paid(1000);
	await shop.refund_requested(paid, 400);
	const old = await s.paid(1000);
	await s.sql(`update wxpay_data.payments
		set paid_at = now() - interval '366 days'
		where out_trade_no = $1`,
		old.out_trade_no);
	const closed = await s.one(`select * from wxpay.shop_order_create($1,
		500, 'Never paid')`, number('C'));
	expect(await shop.close(closed), 200);
	const ask = (order, fields) => () => shop.refund(order, fields);
	const by_staff = (fields) => () => staff.start_refund(fields);
	await refused([
		['601 of 600', ask(paid, { refund_fee: 601 }), 409],
		['1000 of 600', ask(paid, { refund_fee: 1000 }), 409],
		['2147483647 of 600', ask(paid, { refund_fee: 2147483647 }),
			409],
		['601 by staff', by_staff({ order_no: paid.order_no,
			refund_fee: 601 }), 409],
		['unpaid', ask(pending, { refund_fee: 1 }), 409],
		['unpaid, all of it', ask(pending), 409],
		['closed', ask(closed, { refund_fee: 1 }), 409],
		['a year and a day', ask(old, { refund_fee: 1 }), 409],
		['unknown, by staff', by_staff({ order_no: number(),
			refund_fee: 1 }), 404],
		['reason of 81 bytes', ask(paid, { refund_fee: 1,
			reason: 'r'.repeat(81) })],
		['reason with an emoji', ask(paid, { refund_fee: 1,
			reason: '😀' })],
		['reason with NUL', ask(paid,
			{ refund_fee: 1, reason: 'a\0' })],
		['request_id too short', ask(paid, { refund_fee: 1,
			request_id: 'short' })],
		['operator in the form', ask(paid, { refund_fee: 1,
			operator: 'alice' })],
		['state in the form', ask(paid, { refund_fee: 1,
			state: 'refunded' })],
		['no token', () => s.http.post('/refund',
			{ order_no: paid.order_no, refund_fee: 1 })],
		['no order', () => s.http.post('/refund',
			{ token: paid.token, refund_fee: 1 })],
		['an order_no of bad form', () => s.http.post('/refund',
			{ order_no: "x' or 1=1", token: paid.token }), 404],
	]);
});

test('one request_id is one refund (R4, R5, R17)', async () => {
	const order = await s.paid(1000);
	const other = await s.paid(1000);
	const request_id = random();
	const first = expect(await shop.refund(order, { refund_fee: 100,
		request_id }), 201).json;
	const again = expect(await shop.refund(order, { refund_fee: 100,
		request_id }), 201).json;
	assert.deepEqual(again, first);
	await refused([
		['another amount', () => shop.refund(order, { refund_fee: 101,
			request_id }), 409],
		['another order', () => shop.refund(other, { refund_fee: 100,
			request_id }), 409],
	]);
	const next = await shop.refund_requested(order, 100);
	assert.notEqual(next.out_refund_no, first.out_refund_no);
});

test('the 51st refund of a payment is refused (R3; design 2)', async () => {
	const order = await s.paid(1000);
	for (let i = 0; i < 50; i++)
		await shop.refund_requested(order, 1);
	await refused([['the 51st', () => shop.refund(order,
		{ refund_fee: 1 }), 409]]);
});

test("operators' routes: numbers, fields, pages (R11; design 3)",
	async () => {
	const order = await s.paid(1000);
	const refund = await shop.refund_requested(order, 100);
	const of = (no) => `/merchant/refunds/${no}`;
	await refused([
		...['approve', 'reject', 'retry'].flatMap((verb) => [
			[`${verb} unknown`, () => staff.post(
				`${of(`R${number()}-1`)}/${verb}`), 404],
			[`${verb} a number of bad form`, () => staff.post(
				`${of('~~~')}/${verb}`), 404],
			[`${verb} with an unknown field`, () => staff.post(
				`${of(refund.out_refund_no)}/${verb}`,
				{ refund_fee: 100 })],
			[`${verb}, reason too long`, () => staff.post(
				`${of(refund.out_refund_no)}/${verb}`,
				{ reason: 'r'.repeat(2000) })],
		]),
		['retry of what is pending', () =>
			staff.decide(refund, 'retry'), 409],
		...['state=foo', 'state=', 'limit=0', 'limit=-1', 'limit=x',
			'limit=1000000', 'after=x', 'after=-1', 'after=', 'x=1',
			'limit=1&limit=1'].flatMap((query) => [
			[`refunds?${query}`, () => staff.get(
				`/merchant/refunds?${query}`)],
			[`orders?${query}`, () => staff.get(
				`/merchant/orders?${query}`)],
		]),
		['session?x=1', () => staff.get('/merchant/session?x=1')],
		['check unknown', () => staff.post(
			`/merchant/orders/${number()}/check`), 404],
	]);
});

test('bodies over 16 KiB are 413 (E9)', async () => {
	const long = `attach=${'a'.repeat(16384)}`;
	await refused(['/pay', '/refund', '/pay/T-12345/close',
		'/pay/T-12345/check'].map((path) => [path, () =>
		s.http.post(path, long), 413]));
});
