-- A service provider's payments: made to a sub-merchant, kept so, and believed
-- of this one alone. [v3.md 19]

create function test.payees(p_order_no text)
    returns table (out_trade_no text, appid text, sub_mchid text,
        sub_appid text, state text, closing boolean)
    language sql as $$
    select out_trade_no, appid, sub_mchid, sub_appid, state, closing
    from wxpay_data.payments where order_no = p_order_no order by attempt
$$;

-- started, and started again
select verdict, out_trade_no, appid, sub_mchid, sub_appid
from wxpay.pay_start('1900000109', 'signed', null, null, 'T-1001', null,
    1000, 'tea', test.expire('T-1001'), '', null, null, 7200, 'JSAPI', 'o1',
    '203.0.113.7', 'v3', 'wx1', '1900000901', 'wx9', false, 'nonce', 10, 300,
    20);
select test.prepaid('T-1001', 'done');
select verdict, out_trade_no, appid, sub_mchid, sub_appid
from wxpay.pay_start('1900000109', 'signed', null, null, 'T-1001', null,
    1000, 'tea', test.expire('T-1001'), '', null, null, 7200, 'JSAPI', 'o1',
    '203.0.113.7', 'v3', 'wx1', '1900000901', 'wx9', false, 'nonce', 10, 300,
    20);
-- another sub-merchant, another of its accounts, none: the next attempt
select verdict, out_trade_no from test.start('T-1001', 1000, 'JSAPI', 'o1',
    'v3', '1900000902', 'wx9');
select verdict, out_trade_no from test.start('T-1001', 1000, 'JSAPI', 'o1',
    'v3', '1900000902', 'wx8');
select verdict, out_trade_no from test.start('T-1001', 1000, 'JSAPI', 'o1',
    'v3', '1900000902');
select verdict, out_trade_no from test.start('T-1001', 1000, 'JSAPI', 'o1',
    'v3');
select verdict, out_trade_no from test.start('T-1001', 1000, 'JSAPI', 'o1',
    'v3');
select * from test.payees('T-1001');

-- whoever writes: nobody collects for himself, or for an account of nobody
select verdict from test.start('T-1002', 1000, p_sub_mchid => '1900000109');
select verdict from test.start('T-1002', 1000, p_sub_appid => 'wx9');

-- settled by money of this sub-merchant, and by no other
select verdict from test.start('T-2001', 1000, p_sub_mchid => '1900000901');
select test.prepaid('T-2001', 'done');
select test.paid('T-2001', 'tx-1', p_sub_mchid => '1900000902') as other,
    test.paid('T-2001', 'tx-2') as absent,
    test.paid('T-2001', 'tx-3', p_sub_mchid => null) as unknown,
    test.paid('T-2001', 'tx-4', 999, p_sub_mchid => '1900000902') as amount;
select order_no, state from test.orders where order_no = 'T-2001';
select test.paid('T-2001', 'tx-T-2001', p_sub_mchid => '1900000901'),
    test.paid('T-2001', 'tx-T-2001', p_sub_mchid => '1900000901') as again,
    test.paid('T-2001', 'tx-T-2001') as absent;
select order_no, state from test.orders where order_no = 'T-2001';
-- by a query, too
select verdict from test.start('T-2002', 1000, p_sub_mchid => '1900000901');
select test.told('T-2002', 'done', 'paid', p_transaction_id => 'tx-5')
        as absent,
    test.told('T-2002', 'done', 'paid', p_transaction_id => 'tx-6',
        p_sub_mchid => '1900000902') as other;
select test.told('T-2002', 'done', 'paid', p_transaction_id => 'tx-T-2002',
    p_sub_mchid => '1900000901');
-- an ordinary payment is no sub-merchant's
select verdict from test.start('T-2003', 1000);
select test.paid('T-2003', 'tx-7', p_sub_mchid => '1900000901'),
    test.told('T-2003', 'done', 'paid', p_transaction_id => 'tx-8',
        p_sub_mchid => '1900000901');
select test.paid('T-2003', 'tx-T-2003');
select kind, out_trade_no, transaction_id, detail from test.unexpected;
select verdict, count(*) from wxpay_data.notices group by 1 order by 1;

-- by a code
create function test.scan(p_order_no text)
    returns table (verdict text, appid text, sub_mchid text, sub_appid text)
    language sql as $$
    select verdict, appid, sub_mchid, sub_appid
    from wxpay.micropay_start('1900000109', 'signed', null, null, p_order_no,
        null, 1000, 'tea', test.expire(p_order_no), '', null,
        'request-of-' || p_order_no, 7200, '203.0.113.7', 'wx1',
        '1900000901', 'wx9', 'nonce', 15, 45, 'alice')
$$;
create function test.scanned(p_out_trade_no text, p_sub_mchid text)
    returns text language sql as $$
    select wxpay.micropay_told('1900000109', p_out_trade_no, 1, 0, 'done', '',
        'paid', 'tx-' || p_out_trade_no, 'wx1', p_sub_mchid, 1000, 'CNY', 'o',
        'OTHERS', 1800000000, 5, '')
$$;
create function test.asked(p_out_trade_no text, p_sub_mchid text)
    returns text language sql as $$
    select wxpay.micropay_asked('1900000109', p_out_trade_no, 1, 0, 'done',
        '', 'paid', 'tx-' || p_out_trade_no, 'wx1', p_sub_mchid, 1000, 'CNY',
        'o', 'OTHERS', 1800000000, 'MICROPAY', 5)
$$;
select * from test.scan('M-0001');
select * from test.scan('M-0001');
select test.scanned('M-0001', '') as absent,
    test.scanned('M-0001', '1900000902') as other;
select test.scanned('M-0001', '1900000901');
select * from test.scan('M-0002');
select test.asked('M-0002', '') as absent,
    test.asked('M-0002', '1900000902') as other;
select test.asked('M-0002', '1900000901');
select * from test.scan('M-0003');
select test.pass('16 seconds');
select op, out_trade_no, appid, sub_mchid, sub_appid
from wxpay.micropay_claim('1900000109', null, 'nonce', 15);

-- who asks, closes and refunds is told for whom
select verdict from test.start('T-3001', 1000, p_sub_mchid => '1900000901',
    p_sub_appid => 'wx9');
select test.prepaid('T-3001', 'done');
select op, out_trade_no, appid, sub_mchid, sub_appid
from wxpay.payment_claim('1900000109', 'T-3001', 'nonce', 10);
select test.told('T-3001', 'done', 'unpaid');
select test.pass('6 minutes');
select verdict, out_trade_no, appid, sub_mchid, sub_appid
from wxpay.order_close('1900000109', 'T-3001', test.token('T-3001'), 'nonce',
    10);
select verdict, sub_mchid from wxpay.order_close('1900000109', 'T-3001',
    'wrong', 'nonce', 10);
select verdict, out_refund_no from test.ask('T-2001', 400);
select verdict from test.decide('RT-2001-1', 'approve', 0);
select op, out_refund_no, appid, sub_mchid, sub_appid
from wxpay.refund_claim('1900000109', 'RT-2001-1', 'nonce', 10);
select test.refund_told('RT-2001-1', 'send', 'done');

-- what is said of another sub-merchant's refund is not believed
select test.refund_notice('RT-2001-1', 'T-2001', 400, p_is_signed => true,
    p_sub_mchid => '1900000902');
select test.pass('2 minutes');
select op, sub_mchid from wxpay.refund_claim('1900000109', 'RT-2001-1',
    'nonce', 10);
select test.refund_told('RT-2001-1', 'query', 'done', 'success',
    p_sub_mchid => '1900000902');
select out_refund_no, state, due from test.refunds;
-- nor of any, where there is none
select verdict, out_refund_no from test.ask('T-2003', 400);
select test.refund_notice('RT-2003-1', 'T-2003', 400, p_is_signed => true,
    p_sub_mchid => '1900000901');
-- named, or not named
select test.refund_notice('RT-2001-1', 'T-2001', 400, p_is_signed => true,
    p_sub_mchid => '1900000901');
select test.refund_notice('RT-2001-1', 'T-2001', 400, p_is_signed => true);
select test.refund_told('RT-2001-1', 'query', 'done', 'success',
    p_sub_mchid => '1900000901');
select test.refund_told('RT-2001-1', 'query', 'done', 'success');
select kind, out_trade_no, out_refund_no, detail from test.unexpected
where out_refund_no <> '';
select kind, verdict, count(*) from wxpay_data.notices
where kind = 'refunded' group by 1, 2 order by 2;

-- a refund by hand is asked about for the sub-merchant, and is its alone
select test.refund_notice('hand-1', 'T-2001', 100,
    p_sub_mchid => '1900000901');
select op, out_refund_no, appid, sub_mchid, sub_appid
from wxpay.refund_claim('1900000109', null, 'nonce', 10);
select test.refund_told('hand-1', 'hint', 'done', 'success', p_fen => 100,
    p_sub_mchid => '1900000902');
select due_at from wxpay_data.refund_hints;
select test.refund_notice('hand-1', 'T-2001', 100);
select op from wxpay.refund_claim('1900000109', null, 'nonce', 10);
select test.refund_told('hand-1', 'hint', 'done', 'success', p_fen => 100,
    p_sub_mchid => '1900000901');
select kind, out_refund_no, detail from test.unexpected
where out_refund_no = 'hand-1';
select out_refund_no, state from test.refunds where out_refund_no = 'hand-1';
select * from test.sums where out_trade_no = 'T-2001';

-- staff see whose it is
select order_no, jsonb_path_query_array(wxpay.order_staff('1900000109',
    order_no)::jsonb, '$.payments[*].sub_mchid')
from unnest(array['T-1001', 'T-2003']) as order_no;
