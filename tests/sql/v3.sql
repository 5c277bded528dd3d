-- What V3 brings: signed refund notices move money, WeChat's keys are kept,
-- one worker fetches them, and a code_url alone is an answer.

-- a payment keeps its api, and needs no prepay_id
select verdict from test.start('T-1001', 1000, p_api => 'v3');
select wxpay.payment_prepaid('1900000109', 'T-1001', 1, 0, 'done', '', '',
    'weixin://wxpay/bizpayurl?pr=1', '', 20);
select verdict from test.start('T-1001', 1000, p_api => 'v2');
select api, prepay_id, code_url from wxpay_data.payments
where out_trade_no = 'T-1001';
select op, api from wxpay.payment_claim('1900000109', 'T-1001', 'n', 10);
select verdict from test.start('T-1002', 1000);
update wxpay_data.payments set state = 'prepaid' where out_trade_no = 'T-1002';

-- money that is back is back, once
select test.order_paid('T-2001');
select out_refund_no, state from test.refund_sent('T-2001', 400);
select test.refund_notice('RT-2001-1', 'T-2001', 400, true, null, 1000, true);
select test.refund_notice('RT-2001-1', 'T-2001', 400, true, null, 1000, true);
select out_refund_no, state, refund_id from wxpay_data.refunds
where order_no = 'T-2001';
select reserved_fen, refunded_fen from wxpay_data.payments
where out_trade_no = 'T-2001';
select kind from test.events where order_no = 'T-2001';

-- an answer that was under way when the notice came changes nothing
select test.order_paid('T-2002');
select out_refund_no, state from test.refund_sent('T-2002', 400);
update wxpay_data.refunds set due_at = now()
where out_refund_no = 'RT-2002-1';
select op, lease_no from wxpay.refund_claim('1900000109', 'RT-2002-1', 'n', 10);
select test.refund_notice('RT-2002-1', 'T-2002', 400, true, null, 1000, true);
select wxpay.refund_told('1900000109', 'RT-2002-1', 'query', 2, 0, 'done', '',
    'processing', '', 'T-2002', '', 400, 0, 60, 60);
select state, due_at is null as settled from wxpay_data.refunds
where out_refund_no = 'RT-2002-1';

-- not final, or not signed: asked about, and nothing moves
select test.order_paid('T-2003');
select out_refund_no, state from test.refund_sent('T-2003', 400);
select test.refund_notice('RT-2003-1', 'T-2003', 400, false, null, 1000,
    true);
select test.refund_notice('RT-2003-1', 'T-2003', 400, true);
select state, next_op, due_at <= now() as asked from wxpay_data.refunds
where out_refund_no = 'RT-2003-1';

-- what does not fit is quarantined
select test.refund_notice('RT-2003-1', 'T-2003', 399, true, null, 1000, true);
select test.refund_notice('RT-2003-1', 'T-2003', 400, true, 'tx', 1000, true);
select test.refund_notice('RT-2003-1', 'T-2001', 400, true, null, 1000, true);
select test.refund_notice('RT-9999-1', 'T-9999', 400, true, null, 1000, true);
select state from wxpay_data.refunds where out_refund_no = 'RT-2003-1';

-- by hand on WeChat's platform: stands at once; what no longer fits is told
select test.order_paid('T-2004');
select test.refund_notice('hand-1', 'T-2004', 700, true, null, 1000, true);
select test.refund_notice('hand-2', 'T-2004', 400, true, null, 1000, true);
select test.refund_notice('hand-1', 'T-2004', 700, true, null, 1000, true);
select out_refund_no, state, origin from wxpay_data.refunds
where order_no = 'T-2004';
select kind, state, out_refund_no from wxpay_data.unexpected
where out_trade_no = 'T-2004';

-- and once there is room again, it is asked about, and stands
select test.order_paid('T-2006');
select out_refund_no, state from test.refund_sent('T-2006', 1000);
select test.refund_notice('hand-6', 'T-2006', 1, true, null, 1000, true);
update wxpay_data.refunds set due_at = case out_refund_no
    when 'RT-2006-1' then now() end;
select op from wxpay.refund_claim('1900000109', 'RT-2006-1', 'n', 10);
select test.refund_told('RT-2006-1', 'query', 'done', 'closed');
select op, out_refund_no from wxpay.refund_claim('1900000109', null, 'n', 10);
select test.refund_told('hand-6', 'hint', 'done', 'success', p_fen => 1);
select kind, state from wxpay_data.unexpected where out_trade_no = 'T-2006';
select reserved_fen, refunded_fen from wxpay_data.payments
where out_trade_no = 'T-2006';

-- a reversal that nobody expected has no number to ask about
insert into wxpay_data.unexpected (mchid, kind, out_trade_no, transaction_id,
    total_fen, detail)
values ('1900000109', 'refund', 'T-2006', 'tx-T-2006', 1000, 'reversed');
select wxpay_data.refunds_awaited('1900000109', 'T-2006');
select out_refund_no from wxpay_data.refund_hints
where out_trade_no = 'T-2006';

-- a notice of the other API is no word about a payment
select verdict from test.start('T-2007', 1000, p_api => 'v3');
select test.paid('T-2007', 'tx-1');
select state from wxpay_data.payments where out_trade_no = 'T-2007';
select detail from wxpay_data.unexpected where out_trade_no = 'T-2007';

-- before the payment was heard of: both are asked about
select verdict from test.start('T-2005', 1000);
select test.refund_notice('hand-5', 'T-2005', 700, true, 'tx-T-2005', 1000,
    true);
select out_refund_no, due_at <= now() as asked from wxpay_data.refund_hints
where out_trade_no = 'T-2005';

-- each telling stands in the journal, with its proof
select kind, api, verdict, proof, count(*) from wxpay_data.notices
where out_trade_no like 'T-200_' and kind = 'refunded'
group by 1, 2, 3, 4 order by 2, 3;
select wxpay.notice_other('1900000109', 'v3', 'r', 'p', '\x00', 'COUPON.USE');
select kind, api, verdict, proof from wxpay_data.notices where kind = 'other';

-- keys: each is kept once, and never another under its serial
select wxpay.key_put('1900000109', repeat('A', 40), 'pem 1', 1000000000,
    extract(epoch from now() + interval '1 year')::bigint) as put,
    wxpay.key_put('1900000109', repeat('A', 40), 'pem 1', 1000000000,
    extract(epoch from now() + interval '1 year')::bigint) as again,
    wxpay.key_put('1900000109', repeat('A', 40), 'pem 2', 1000000000,
    extract(epoch from now() + interval '1 year')::bigint) as other;
select wxpay.key_put('1900000109', repeat('B', 40), 'ended', 1000000000,
    1100000000);
select wxpay.key_put('1900000110', repeat('C', 40), 'another merchant''s',
    1000000000, 4000000000);
select wxpay.key_put('1900000109', 'serial', 'pem', 1, 2);
select * from wxpay.keys_list('1900000109');
delete from wxpay_data.wechat_keys;

-- one fetches, and the next one when it is due
select lease_no, call_no > 0 as called
from wxpay.keys_claim('1900000109', 'n', 10);
select count(*) from wxpay.keys_claim('1900000109', 'n', 10);
select wxpay.keys_told('1900000109', 1, 0, 'unsure', 'TIMEOUT', 60);
select count(*) from wxpay.keys_claim('1900000109', 'n', 10);
update wxpay_data.wechat_key_fetches set due_at = now();
select lease_no from wxpay.keys_claim('1900000109', 'n', 10);
select wxpay.keys_told('1900000109', 1, 0, 'done', '', 60) as late;
select wxpay.keys_told('1900000109', 2, 0, 'done', '', 3600);
select outcome, fetched_at is not null as fetched
from wxpay_data.wechat_key_fetches;

-- an answer by an unknown certificate makes it due, a minute after the last
select wxpay.keys_wanted('1900000109');
select due_at - tried_at as after from wxpay_data.wechat_key_fetches;
update wxpay_data.wechat_key_fetches set tried_at = now() - interval '2 minutes';
select wxpay.keys_wanted('1900000109');
select due_at <= now() as due from wxpay_data.wechat_key_fetches;

-- may the migration be finished?
\set key 'PUB_KEY_ID_0119000000000000000000'
select wxpay.keys_safe('1900000109', '') as no_key,
    wxpay.keys_safe('1900000109', :'key') as unused,
    wxpay.keys_safe('1900000111', :'key') as none;
select wxpay.key_seen('1900000109', :'key', 'answer'),
    wxpay.key_seen('1900000109', repeat('A', 40), 'notice');
select wxpay.keys_safe('1900000109', :'key') as half;
select wxpay.key_seen('1900000109', :'key', 'notice');
select wxpay.keys_safe('1900000109', :'key') as mixed;
update wxpay_data.wechat_key_uses set last_at = now() - interval '26 hours'
where serial = repeat('A', 40);
select wxpay.keys_safe('1900000109', :'key') as quiet_weekend;
update wxpay_data.wechat_key_uses set first_at = now() - interval '26 hours';
select wxpay.keys_safe('1900000109', :'key') as done;
select wxpay.key_seen('1900000109', 'PUB_KEY_ID_2', 'notice');
select serial, kind, not_after is null as endless,
    notice_at is not null as notice, answer_at is not null as answer,
    fetch_outcome
from wxpay.keys_report('1900000109', :'key');
