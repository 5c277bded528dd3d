-- An update finds rows: what was made before there were sub-merchants is an
-- ordinary merchant's, and goes on as such.
drop schema test, wxpay, wxpay_data cascade;
drop extension dblink;
set check_function_bodies = off;
\set before `cat $(ls sql/migrations/*.sql | head -n 5)`
\set after `cat $(ls sql/migrations/*.sql | tail -n +6) sql/functions/*.sql sql/grants.sql`

:before
insert into wxpay_data.merchants (mchid) values ('1900000109');
insert into wxpay_data.orders (mchid, order_no, token, origin, total_fen, body,
    time_expire, attempts)
select '1900000109', no, 'token', 'shop', 1000, 'tea',
    now() + interval '2 hours', 1
from unnest(array['T-1001', 'T-1002', 'T-1003']) as no;
insert into wxpay_data.payments (mchid, out_trade_no, order_no, attempt, api,
    appid, trade_type, client_ip, total_fen, close_at, check_at)
select mchid, order_no, order_no, 1, 'v2', 'wx1', 'NATIVE', '::1', total_fen,
    now(), now()
from wxpay_data.orders;
update wxpay_data.payments set state = 'paid', settles = true,
    transaction_id = 'tx-T-1001', paid_at = now()
where out_trade_no = 'T-1001';
update wxpay_data.orders set state = 'paid', paid_at = now()
where order_no = 'T-1001';
insert into wxpay_data.refund_hints (mchid, out_refund_no, out_trade_no,
    appid, due_at)
values ('1900000109', 'hand-1', 'T-1001', 'wx1', now());
-- two codes, refused a reversal for good; one of them in doubt
insert into wxpay_data.orders (mchid, order_no, token, origin, total_fen, body,
    time_expire, attempts)
select '1900000109', no, 'token', 'signed', 1000, 'tea',
    now() + interval '2 hours', 1
from unnest(array['M-1001', 'M-1002']) as no;
insert into wxpay_data.payments (mchid, out_trade_no, order_no, attempt, api,
    appid, trade_type, client_ip, total_fen, close_at, check_at)
select mchid, order_no, order_no, 1, 'v2', 'wx1', 'MICROPAY', '::1',
    total_fen, now(), null
from wxpay_data.orders where order_no like 'M-%';
update wxpay_data.payments set state = 'reversing', next_op = 'query',
    refused_at = now() - interval '2 minutes',
    reverse_doubted = out_trade_no = 'M-1002', check_at = null
where out_trade_no like 'M-%';

:after
\set ECHO none
\i tests/sql/prelude.psql
\set ECHO all
select out_trade_no, appid, sub_mchid, sub_appid, state
from wxpay_data.payments order by 1;
-- doubt counts from the update on
select out_trade_no, wxpay_data.reverse_is_refused(p)
from wxpay_data.payments p where out_trade_no like 'M-%' order by 1;
select test.pass('61 seconds');
select out_trade_no, wxpay_data.reverse_is_refused(p)
from wxpay_data.payments p where out_trade_no like 'M-%' order by 1;
-- as before: asked about, settled, given back
select op, out_trade_no, appid, sub_mchid, sub_appid
from wxpay.payment_claim('1900000109', 'T-1002', 'nonce', 10);
select test.told('T-1002', 'done', 'paid', p_transaction_id => 'tx-T-1002',
    p_sub_mchid => '1900000901') as of_another;
select test.told('T-1002', 'done', 'paid', p_transaction_id => 'tx-T-1002');
select op, out_refund_no, appid, sub_mchid, sub_appid
from wxpay.refund_claim('1900000109', null, 'nonce', 10);
select test.refund_told('hand-1', 'hint', 'done', 'success', p_fen => 400);
select * from test.sums where out_trade_no = 'T-1001';
-- and from now on for a sub-merchant: the next attempt
select verdict, out_trade_no, sub_mchid from wxpay.pay_start('1900000109',
    'order', null, null, 'T-1003', 'token', null, null, null, '', null, null,
    7200, 'NATIVE', '', '::1', 'v2', 'wx1', '1900000901', '', false,
    'nonce', 10, 300, 20);
select out_trade_no, sub_mchid, closing from wxpay_data.payments
where order_no = 'T-1003' order by attempt;
