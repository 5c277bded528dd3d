// voice: WeChat speaking to a stack in the API that its payments are made
// with, so that one test holds for both.  A telling is { body, headers }.  Of
// a service provider's payments, if the stack is one's, as of the sub-merchant.
import assert from 'node:assert/strict';
import * as wechat from './wechat.mjs';
import * as wechat3 from './wechat3.mjs';

export class VoiceV2 {
	constructor(env, sign_type) {
		this.env = env;
		this.sign_type = sign_type;
	}

	// For whom, and under which appids.
	parties() {
		const { APPID, MCHID, SUB_MCHID, SUB_APPID } = this.env;
		return { appid: APPID, mch_id: MCHID,
			...SUB_MCHID && { sub_mch_id: SUB_MCHID },
			...SUB_APPID && { sub_appid: SUB_APPID,
				sub_openid: 'oE2E-sub' } };
	}

	// What WeChat would say of a payment, signed.  undefined takes a field
	// away; what is changed here is signed as it is.
	paid_fields(payment, changes = {}) {
		return wechat.signed(this.sign_type, {
			return_code: 'SUCCESS', result_code: 'SUCCESS',
			...this.parties(),
			nonce_str: wechat.nonce(), openid: 'oE2E-payer',
			is_subscribe: 'N', trade_type: 'NATIVE',
			bank_type: 'OTHERS',
			total_fee: String(payment.total_fee), fee_type: 'CNY',
			cash_fee: String(payment.total_fee),
			transaction_id: payment.transaction_id,
			out_trade_no: payment.out_trade_no,
			time_end: wechat.beijing(new Date()),
			...changes }, this.env.API_KEY);
	}

	paid(payment, changes) {
		return this.tell(this.paid_fields(payment, changes));
	}

	// The same payment, as of another sub-merchant, or of none.
	paid_for(payment, sub_mch_id) {
		return this.paid(payment, sub_mch_id ? { sub_mch_id }
			: { sub_mch_id, sub_appid: undefined,
				sub_openid: undefined });
	}

	tell(fields) {
		return { body: wechat.xml(fields),
			headers: { 'content-type': 'text/xml' } };
	}

	// A message that proves nothing.
	nonsense() {
		return this.tell({ return_code: 'FAIL' });
	}

	is_acknowledged({ status, text }) {
		return status === 200 && text === wechat.SUCCESS;
	}

	is_refused({ text }) {
		return wechat.FAIL.test(text);
	}

	// What a page hands to WeixinJSBridge.
	assert_jsapi({ paySign, ...pay }) {
		assert.equal(paySign, wechat.sign(this.sign_type, pay,
			this.env.API_KEY));
		assert.equal(pay.signType, this.sign_type);
	}

	// What an app hands to WeChat's SDK.
	assert_app({ sign, ...pay }) {
		assert.equal(sign, wechat.sign(this.sign_type, pay,
			this.env.API_KEY));
	}
}

export class VoiceV3 {
	constructor(env) {
		this.env = env;
		this.signer = env.WECHAT_KEY_MODE === 'certificate'
			? wechat3.platform_signer(env)
			: wechat3.public_signer(env);
	}

	// For whom, under which appids, and who pays.
	parties(sub_mchid = this.env.SUB_MCHID) {
		const { APPID, MCHID, SUB_APPID } = this.env;
		return sub_mchid ? { sp_mchid: MCHID, sp_appid: APPID,
			sub_mchid, ...SUB_APPID && { sub_appid: SUB_APPID },
			payer: { sp_openid: 'oE2E-payer', ...SUB_APPID
				&& { sub_openid: 'oE2E-sub' } } }
			: { mchid: MCHID, appid: APPID,
				payer: { openid: 'oE2E-payer' } };
	}

	paid_facts(payment, parties = this.parties()) {
		return { ...parties, out_trade_no: payment.out_trade_no,
			transaction_id: payment.transaction_id,
			trade_type: 'NATIVE', trade_state: 'SUCCESS',
			trade_state_desc: '支付成功', bank_type: 'OTHERS',
			attach: '', success_time: wechat3.rfc3339(new Date()),
			amount: { total: payment.total_fee,
				payer_total: payment.total_fee,
				currency: 'CNY', payer_currency: 'CNY' } };
	}

	paid(payment, parties) {
		return this.tell(wechat3.envelope(this.env.APIV3_KEY,
			'TRANSACTION.SUCCESS', 'transaction',
			this.paid_facts(payment, parties)));
	}

	paid_for(payment, sub_mchid = '') {
		return this.paid(payment, this.parties(sub_mchid));
	}

	tell(body) {
		return { body, headers: { 'content-type': 'application/json',
			...wechat3.prove(body, this.signer) } };
	}

	nonsense() {
		return this.tell('{}');
	}

	is_acknowledged({ status, text }) {
		return status === 204 && text === '';
	}

	is_refused({ status, text }) {
		const { code, message, ...more } = JSON.parse(text);
		return status >= 400 && /^[A-Z_]+$/.test(code)
			&& typeof message === 'string'
			&& Object.keys(more).length === 0;
	}

	assert_jsapi(pay) {
		assert.ok(wechat3.is_jsapi_signed(pay, this.env.MERCHANT_CERT),
			JSON.stringify(pay));
		assert.equal(pay.signType, 'RSA');
	}

	assert_app(pay) {
		assert.ok(wechat3.is_app_signed(pay, this.env.MERCHANT_CERT),
			JSON.stringify(pay));
	}
}
