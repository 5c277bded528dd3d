// One V3 notice a line, for the orders 'T…' of orders.sql: timestamp, nonce,
// signature, serial and body, with tabs between.
import { createCipheriv, createSign } from 'node:crypto';
import fs from 'node:fs';

const { MCHID, APPID, APIV3_KEY, WECHAT_KEY, WECHAT_PUB_KEY_ID } = process.env;
const key = fs.readFileSync(WECHAT_KEY);
const timestamp = String(Math.floor(Date.now() / 1000));

function seal(plain, nonce) {
  const cipher = createCipheriv('aes-256-gcm', APIV3_KEY, nonce);
  cipher.setAAD(Buffer.from('transaction'));
  return Buffer.concat([cipher.update(plain), cipher.final(),
    cipher.getAuthTag()]).toString('base64');
}

function notice(i) {
  const number = String(i).padStart(9, '0');
  const nonce = `nonce${number.slice(2)}`;
  const transaction = {
    mchid: MCHID, appid: APPID, out_trade_no: `T${number}`,
    transaction_id: `42T${i}`, trade_type: 'NATIVE', trade_state: 'SUCCESS',
    trade_state_desc: '支付成功', bank_type: 'CMB_CREDIT', attach: '',
    success_time: '2026-11-21T09:30:00+08:00',
    payer: { openid: 'oUpF8uMEb4qRXf22hE3X68TekukE' },
    amount: { total: 100, payer_total: 100, currency: 'CNY',
      payer_currency: 'CNY' },
  };
  const body = JSON.stringify({
    id: `9d4f6d2c-0000-5b7e-8d0b-${number.padStart(12, '0')}`,
    create_time: '2026-11-21T09:30:00+08:00', resource_type: 'encrypt-resource',
    event_type: 'TRANSACTION.SUCCESS', summary: '支付成功',
    resource: { original_type: 'transaction', algorithm: 'AEAD_AES_256_GCM',
      ciphertext: seal(JSON.stringify(transaction), nonce),
      associated_data: 'transaction', nonce },
  });
  const signature = createSign('RSA-SHA256')
    .update(`${timestamp}\n${nonce}\n${body}\n`).sign(key, 'base64');
  return [timestamp, nonce, signature, WECHAT_PUB_KEY_ID, body].join('\t');
}

let out = '';
for (let i = 0; i < Number(process.argv[2]); i++) out += `${notice(i)}\n`;
process.stdout.write(out);
