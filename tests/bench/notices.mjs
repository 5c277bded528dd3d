// One signed notice a line, for the orders of orders.sql.
import { createHmac } from 'node:crypto';

const { MCHID, APPID, API_KEY } = process.env;

function notice(i) {
  const fields = {
    appid: APPID, bank_type: 'CMB_CREDIT', cash_fee: '100', fee_type: 'CNY',
    is_subscribe: 'N', mch_id: MCHID,
    nonce_str: '5d2b6c2a8db53831f7eda20af46e531c',
    openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
    out_trade_no: `N${String(i).padStart(9, '0')}`,
    result_code: 'SUCCESS', return_code: 'SUCCESS',
    time_end: '20261121093000', total_fee: '100', trade_type: 'NATIVE',
    transaction_id: `42N${i}`,
  };
  const text = Object.keys(fields).sort()
    .map((name) => `${name}=${fields[name]}`).join('&');
  fields.sign = createHmac('sha256', API_KEY).update(`${text}&key=${API_KEY}`)
    .digest('hex').toUpperCase();
  const xml = Object.entries(fields)
    .map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`).join('');
  return `<xml>${xml}</xml>\n`;
}

let out = '';
for (let i = 0; i < Number(process.argv[2]); i++) out += notice(i);
process.stdout.write(out);
