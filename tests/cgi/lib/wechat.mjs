// wechat: API V2 as another author understood it.  Signatures and sealing are
// those of the npm package wechatpay-axios-plugin; nothing here is ours but
// the spelling of XML, for which the package has no "]]>".
import { createCipheriv } from 'node:crypto';
import plugin from 'wechatpay-axios-plugin';

const { Aes, Formatter, Hash, Transformer } = plugin;

export const SUCCESS = '<xml><return_code><![CDATA[SUCCESS]]></return_code>'
	+ '<return_msg><![CDATA[OK]]></return_msg></xml>';
export const FAIL = new RegExp('^<xml><return_code><!\\[CDATA\\[FAIL\\]\\]>'
	+ '</return_code><return_msg><!\\[CDATA\\[[ -~]{0,128}\\]\\]>'
	+ '</return_msg></xml>$');

export const nonce = () => Formatter.nonce(32);

export function cdata(value) {
	const text = String(value).replaceAll(']]>', ']]]]><![CDATA[>');
	return `<![CDATA[${text}]]>`;
}

// fields: an object, or pairs where a name shall stand twice.
export function xml(fields, root = 'xml') {
	const pairs = Array.isArray(fields) ? fields : Object.entries(fields);
	return `<${root}>${pairs.filter(([, value]) => value !== undefined)
		.map(([name, value]) => `<${name}>${cdata(value)}</${name}>`)
		.join('')}</${root}>`;
}

export const parse = (text) => Transformer.toObject(text);

const present = (fields) => Object.fromEntries(Object.entries(fields)
	.filter(([, value]) => value !== undefined));

export const sign = (type, fields, key) =>
	Hash.sign(type, present(fields), key);

export const signed = (type, fields, key) =>
	({ ...fields, sign: sign(type, fields, key) });

export function verify(type, fields, key) {
	return Hash.equals(sign(type, fields, key), fields.sign);
}

// [v2.md 15.2] req_info
export const seal = (key, text) => Aes.AesEcb.encrypt(text, Hash.md5(key));

// Blocks without padding, for who would put them together himself.
export function seal_blocks(key, bytes) {
	const cipher = createCipheriv('aes-256-ecb', Hash.md5(key), null)
		.setAutoPadding(false);
	return Buffer.concat([cipher.update(bytes), cipher.final()])
		.toString('base64');
}

// yyyyMMddHHmmss in Beijing.
export function beijing(date) {
	return new Date(date.getTime() + 8 * 3600e3).toISOString()
		.replace(/[-:T]/g, '').slice(0, 14);
}

let counter = 0;

// 28 digits that no sandbox gives.
export function transaction_id() {
	counter++;
	return `4299${Date.now()}${process.pid % 1000}`.padEnd(20, '0')
		.slice(0, 20) + String(counter).padStart(8, '0');
}
