// wechat3: API V3 as another author understood it.  Signatures and sealing are
// those of the npm package wechatpay-axios-plugin; nothing here is ours but
// the names of headers and fields.
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import plugin from 'wechatpay-axios-plugin';

const { Aes, Formatter, Rsa } = plugin;
const NONCE = 12;

// As WeChat spells the serial of a certificate: 40 digits.
export const serial_of = (certificate) => new X509Certificate(
	fs.readFileSync(certificate)).serialNumber.padStart(40, '0');

// Who signs for WeChat: its key of public-key mode, or of a certificate.
export const public_signer = (env) => ({ serial: env.WECHAT_PUB_KEY_ID,
	key: fs.readFileSync(env.WECHAT_KEY) });
export const platform_signer = (env, which = 1) => ({
	serial: serial_of(env[`PLATFORM_CERT_${which}`]),
	key: fs.readFileSync(env[`PLATFORM_KEY_${which}`]) });

// [v3.md 4] The headers that prove a body.
export function prove(body, { serial, key }, at = Formatter.timestamp(),
	nonce = Formatter.nonce(32)) {
	return { 'wechatpay-timestamp': String(at), 'wechatpay-nonce': nonce,
		'wechatpay-serial': serial,
		'wechatpay-signature-type': 'WECHATPAY2-SHA256-RSA2048',
		'wechatpay-signature':
			Rsa.sign(Formatter.response(at, nonce, body), key) };
}

// [v3.md 6.1] What WeChat has encrypted, with how it was done.
export function seal(apiv3_key, text, associated_data = '',
	nonce = Formatter.nonce(NONCE)) {
	return { algorithm: 'AEAD_AES_256_GCM', nonce, associated_data,
		ciphertext: Aes.AesGcm.encrypt(text, apiv3_key, nonce,
			associated_data) };
}

// [v3.md 21.2] What is told, sealed: an object, or its text.  sealed: how, if
// not as usual.
export function envelope(apiv3_key, event_type, original_type, told,
	sealed = seal(apiv3_key, typeof told === 'string' ? told
		: JSON.stringify(told), original_type)) {
	return JSON.stringify({ id: Formatter.nonce(36),
		create_time: rfc3339(new Date()), event_type,
		resource_type: 'encrypt-resource', summary: '通知',
		resource: { original_type, ...sealed } });
}

// [v3.md 9] Whether a page may hand this to WeixinJSBridge.
export const is_jsapi_signed = ({ appId, timeStamp, nonceStr, paySign,
	...pay }, merchant_cert) => Rsa.verify(Formatter.joinedByLineFeed(appId,
	timeStamp, nonceStr, pay.package), paySign, new X509Certificate(
	fs.readFileSync(merchant_cert)).publicKey);

// Whether an app may hand this to WeChat's SDK: of the number alone.
export const is_app_signed = ({ appid, timestamp, noncestr, prepayid, sign },
	merchant_cert) => Rsa.verify(Formatter.joinedByLineFeed(appid,
	timestamp, noncestr, prepayid), sign, new X509Certificate(
	fs.readFileSync(merchant_cert)).publicKey);

// In Beijing.
export const rfc3339 = (date) => new Date(date.getTime() + 8 * 3600e3)
	.toISOString().replace(/\.\d+Z/, '+08:00');
