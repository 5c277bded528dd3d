-- What a shop does in SQL: orders, products, views; and that of two shops in
-- one database each sees its own only.

create role tea_shop login in role wxpay_shop;
create role book_shop login in role wxpay_shop;
create role auditor login in role wxpay_reader;

set session authorization tea_shop;
select wxpay.shop_mchid();
select order_no, token ~ '^[0-9A-Za-z_-]{22}$' as token
    from wxpay.shop_order_create('T-1001', 100, 'tea');
select token as first from wxpay.shop_order_create('T-1001', 100, 'tea')
\gset
-- the same again is the same
select token = :'first' as same
    from wxpay.shop_order_create('T-1001', 100, 'tea');
-- other content under a known number
select token from wxpay.shop_order_create('T-1001', 101, 'tea');
select token from wxpay.shop_order_create('T-1001', 100, 'coffee');
select token from wxpay.shop_order_create('T-1001', 100, 'tea', null, 'x');
select token from wxpay.shop_order_create('T-1001', 100, 'tea',
    '2100-01-01');
select order_no from wxpay.shop_order_create('T-1002', 100, 'tea',
    '2100-01-01 00:00:00.7', 'gift');
select order_no from wxpay.shop_order_create('T-1002', 100, 'tea',
    '2100-01-01 00:00:00.9', 'gift');
-- what is no order
select order_no from wxpay.shop_order_create('T-1', 100, 'tea');
select order_no from wxpay.shop_order_create('T-1003_2', 100, 'tea');
select order_no from wxpay.shop_order_create('T-1003', 0, 'tea');
select order_no from wxpay.shop_order_create('T-1003', 2147483648, 'tea');
select order_no from wxpay.shop_order_create('T-1003', 1, '');
select order_no from wxpay.shop_order_create(null, 1, 'tea');

select wxpay.product_set('tea', 'Tea 茶', 100);
select wxpay.product_set('tea', 'Tea 茶', 120);
select wxpay.product_set('t a', 'Tea', 1);
select wxpay.product_set('tea', 'Tea', 0);
select * from wxpay.products;
select order_no, state, total_fen, refunded_fen, paid_at from wxpay.orders
    order by 1;

-- a second merchant: now a login must be named
reset session authorization;
select wxpay_data.merchant_add('1900000110');
insert into wxpay_data.shop_logins values ('book_shop', '1900000110');
set session authorization tea_shop;
select wxpay.shop_mchid();
select count(*) from wxpay.orders;
select order_no from wxpay.shop_order_create('T-1004', 100, 'tea');
select wxpay.product_set('tea', 'Tea', 1);
reset session authorization;
insert into wxpay_data.shop_logins values ('tea_shop', '1900000109'),
    ('auditor', '1900000110');
set session authorization book_shop;
select order_no from wxpay.shop_order_create('T-1001', 777, 'book');
select order_no, total_fen from wxpay.orders;
select count(*) from wxpay.products;
set session authorization auditor;
select order_no, total_fen from wxpay.orders;
select order_no from wxpay.shop_order_create('T-1005', 777, 'book');
-- a predicate that tells what it sees is not shown rows of others
set session authorization tea_shop;
create function pg_temp.tell(text, bigint) returns boolean
    language plpgsql cost 0.0000001 as $$
begin
    raise warning 'saw % %', $1, $2;
    return true;
end $$;
set client_min_messages = warning;
select count(*) from wxpay.orders where pg_temp.tell(order_no, total_fen);
reset session authorization;

-- the same number at two merchants: money goes to the one it was meant for
select verdict from test.start('T-1101', 100);
select wxpay.notice_paid('1900000110', 'v2', 'r', '', '\x00', 'T-1101', 'tx1',
    'wx1', '', 100, '', '', '', 1);
select state from wxpay_data.payments where out_trade_no = 'T-1101';
select wxpay.order_show('1900000110', 'T-1101', test.token('T-1101'))
    is null as hidden;

-- an order through its life, as the views show it
set session authorization tea_shop;
select token from wxpay.shop_order_create('T-2001', 1000, 'tea') \gset
reset session authorization;
select verdict, order_state, out_trade_no from wxpay.pay_start('1900000109',
    'order', null, null, 'T-2001', :'token', null, null, null, '',
    'https://shop.example/done', null, 7200, 'NATIVE', '', '::1', 'v2',
    'wx1', '', '', false, 'nonce', 10, 300, 20);
select test.prepaid('T-2001', 'done');
select test.paid('T-2001', 'tx2001');
select * from test.refund_sent('T-2001', 300);
select test.pass('1 minute');
select op from test.refund_claim();
select test.refund_told('RT-2001-1', 'query', 'done', 'success');
select wxpay.events_number('1900000109');
set session authorization tea_shop;
select order_no, state, total_fen, refunded_fen, paid_at is not null as paid
    from wxpay.orders where order_no = 'T-2001';
select out_trade_no, order_no, state, trade_type, settles, transaction_id
    from wxpay.payments where order_no = 'T-2001';
select out_refund_no, order_no, out_trade_no, state, refund_fen, failure
    from wxpay.refunds;
select id, kind, order_no, out_trade_no, out_refund_no, fen
    from wxpay.events order by id;
select id, kind from wxpay.events_after(3);
reset session authorization;

-- as JSON: for the shopper
select jsonb_pretty(wxpay.order_show('1900000109', 'T-2001', :'token')::jsonb
    - 'time_expire' - 'expires_in' - 'paid_at'
    #- '{refunds,0,created_at}' #- '{refunds,0,refunded_at}');
select wxpay.order_show('1900000109', 'T-2001', 'wrong');
select wxpay.order_show('1900000109', 'T-9999', :'token');
select jsonb_pretty(wxpay.refund_show('1900000109', 'RT-2001-1',
    :'token')::jsonb - 'created_at' - 'refunded_at');
select wxpay.refund_show('1900000109', 'RT-2001-1', 'wrong');
select wxpay.refund_show('1900000109', 'RT-2001-9', :'token');
-- and for staff, page by page
select jsonb_path_query_array(wxpay.orders_list('1900000109', null, null,
    null, 2)::jsonb, '$.orders[*].order_no'),
    wxpay.orders_list('1900000109', null, null, null, 2)::jsonb
        -> 'next' as next;
select jsonb_path_query_array(wxpay.orders_list('1900000109', null, null,
    4, 9)::jsonb, '$.orders[*].order_no') as rest;
select jsonb_path_query_array(wxpay.orders_list('1900000109', 'paid', null,
    null, 9)::jsonb, '$.orders[*].order_no') as paid;
select jsonb_pretty(wxpay.orders_list('1900000109', null, 'T-2001', null,
    9)::jsonb #- '{orders,0,created_at}' #- '{orders,0,time_expire}'
    #- '{orders,0,paid_at}');
select wxpay.orders_list('1900000109', 'nonsense', null, null, 9);
select jsonb_pretty(wxpay.refunds_list('1900000109', 'refunded', null,
    9)::jsonb #- '{refunds,0,created_at}' #- '{refunds,0,refunded_at}'
    #- '{refunds,0,decided_at}' #- '{refunds,0,send_at}'
    #- '{refunds,0,sent_at}');
select wxpay.refunds_list('1900000109', 'pending', null, 9);
select wxpay.order_state('1900000109', 'T-2001'),
    wxpay.order_state('1900000109', 'T-9999');
select wxpay_data.rfc3339('2026-02-28 16:00:00+00');

-- exactly a page has no next one; each order shows its own refunds only
select wxpay.orders_list('1900000109', 'paid', null, null, 1)::jsonb
    -> 'next' as next, wxpay.orders_list('1900000109', null, null, null,
    1)::jsonb -> 'next' <> 'null' as has_next;
select wxpay.refunds_list('1900000109', null, null, 1)::jsonb -> 'next' as next;
select test.order_paid('T-3001');
select out_refund_no from test.refund_sent('T-3001', 5);
select wxpay.refunds_list('1900000109', null, null, 1)::jsonb -> 'next'
    <> 'null' as has_next;
select jsonb_path_query_array(wxpay.refunds_list('1900000109', null,
    (wxpay.refunds_list('1900000109', null, null, 1)::jsonb ->> 'next')::int,
    1)::jsonb, '$.refunds[*].out_refund_no') as second_page;
select order_no, jsonb_path_query_array(wxpay.order_show('1900000109',
    order_no, token)::jsonb, '$.refunds[*].out_refund_no') as refunds
from wxpay_data.orders where order_no in ('T-2001', 'T-3001') order by 1;
-- the newest attempt is shown, until one has settled
select verdict from test.start('T-3002');
select test.prepaid('T-3002', 'done');
select verdict from test.start('T-3002', 1000, 'JSAPI', 'o1');
select test.prepaid('T-3002_2', 'done');
select verdict from test.start('T-3002', 1000, 'NATIVE');
select test.prepaid('T-3002_3', 'done');
create function pg_temp.shown() returns table (trade_type text, url text,
    running boolean) language sql as $$
    select j ->> 'trade_type', j ->> 'code_url',
        (j ->> 'expires_in')::int between 7100 and 7201
    from wxpay.order_show('1900000109', 'T-3002', test.token('T-3002')) s,
        lateral (select s::jsonb as j) t
$$;
select * from pg_temp.shown();
select test.paid('T-3002_2', 'tx3002');
select * from pg_temp.shown();
select test.pass('3 hours');
select wxpay.order_show('1900000109', 'T-3002', test.token('T-3002'))::jsonb
    -> 'expires_in' as expires_in;
-- H5's link lives five minutes
create function pg_temp.h5() returns setof text language sql as $$
    select j ->> 'h5_url' from wxpay.order_show('1900000109', 'T-3004',
        test.token('T-3004')) s, lateral (select s::jsonb as j) t
$$;
select verdict from test.start('T-3004', 1000, 'MWEB');
select test.prepaid('T-3004', 'done');
update wxpay_data.payments set h5_url = 'https://wx/h5'
    where out_trade_no = 'T-3004';
select * from pg_temp.h5();
select test.pass('301 seconds');
select * from pg_temp.h5();
-- newest first; and no other order's token shows a refund
select out_refund_no from test.ask('T-3001', 5);
select jsonb_path_query_array(wxpay.refunds_list('1900000109', null, null,
    2)::jsonb, '$.refunds[*].out_refund_no') as newest_first;
select wxpay.refund_show('1900000109', 'RT-3001-1', test.token('T-3001'))
        is not null as own,
    wxpay.refund_show('1900000109', 'RT-3001-1', test.token('T-2001'))
        is not null as of_another;
