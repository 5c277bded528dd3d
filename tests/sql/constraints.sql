-- What holds whoever writes: hostile SQL of who may write the tables.
-- [threats I3, I4, R3]

select test.order_paid('T-1001');
select test.order_paid('T-1002');
select verdict from test.start('T-1003');
select verdict, out_refund_no from test.ask('T-1001', 400);
set role wxpay_owner;
\set VERBOSITY terse

-- sums of a payment, and its facts
update wxpay_data.payments set reserved_fen = 1001
    where out_trade_no = 'T-1001';
update wxpay_data.payments set refunded_fen = 401
    where out_trade_no = 'T-1001';
update wxpay_data.payments set refunded_fen = -1
    where out_trade_no = 'T-1001';
update wxpay_data.payments set refund_count = 51
    where out_trade_no = 'T-1001';
update wxpay_data.payments set reserved_fen = 1
    where out_trade_no = 'T-1003';
update wxpay_data.payments set transaction_id = null
    where out_trade_no = 'T-1001';
update wxpay_data.payments set paid_at = null where out_trade_no = 'T-1001';
update wxpay_data.payments set transaction_id = 'x'
    where out_trade_no = 'T-1003';
update wxpay_data.payments set state = 'paid' where out_trade_no = 'T-1003';
update wxpay_data.payments set state = 'prepaid'
    where out_trade_no = 'T-1003';
update wxpay_data.payments set settles = true where out_trade_no = 'T-1003';
update wxpay_data.payments set transaction_id = 'tx-T-1001'
    where out_trade_no = 'T-1002';
update wxpay_data.payments set attempt = 2 where out_trade_no = 'T-1003';
update wxpay_data.payments set attempt = 100, out_trade_no = 'T-1003_100'
    where out_trade_no = 'T-1003';
update wxpay_data.payments set api = 'v4' where out_trade_no = 'T-1003';
update wxpay_data.payments set trade_type = 'CASH'
    where out_trade_no = 'T-1003';
update wxpay_data.payments set next_op = 'pay' where out_trade_no = 'T-1003';
update wxpay_data.payments set order_no = 'T-9999', out_trade_no = 'T-9999'
    where out_trade_no = 'T-1003';

-- two current payments of an order; two that settle it
insert into wxpay_data.payments (mchid, out_trade_no, order_no, attempt, api,
    appid, trade_type, client_ip, total_fen, close_at) values
    ('1900000109', 'T-1003_2', 'T-1003', 2, 'v2', 'wx1', 'JSAPI', '::1',
    1000, now());
insert into wxpay_data.payments (mchid, out_trade_no, order_no, attempt, api,
    appid, trade_type, client_ip, total_fen, close_at) values
    ('1900000109', 'T-1001_2', 'T-1001', 2, 'v2', 'wx1', 'JSAPI', '::1',
    1000, now());
update wxpay_data.payments set state = 'paid', settles = true,
    transaction_id = 'other', paid_at = now()
    where out_trade_no = 'T-1001_2';

-- orders
update wxpay_data.orders set paid_at = null where order_no = 'T-1001';
update wxpay_data.orders set paid_at = now() where order_no = 'T-1003';
update wxpay_data.orders set state = 'paid' where order_no = 'T-1003';
update wxpay_data.orders set state = 'closed' where order_no = 'T-1003';
update wxpay_data.orders set total_fen = 0 where order_no = 'T-1003';
update wxpay_data.orders set total_fen = 2147483648
    where order_no = 'T-1003';
update wxpay_data.orders set body = '' where order_no = 'T-1003';
update wxpay_data.orders set body = repeat('茶', 43)
    where order_no = 'T-1003';
update wxpay_data.orders set attach = repeat('x', 128)
    where order_no = 'T-1003';
update wxpay_data.orders set attempts = 100 where order_no = 'T-1003';
update wxpay_data.orders set origin = 'gift' where order_no = 'T-1003';
select no, test.refused(format('insert into wxpay_data.orders (mchid, '
    'order_no, token, origin, total_fen, body, time_expire) values '
    '(''1900000109'', %L, ''t'', ''shop'', 1, ''x'', now())', no))
from unnest(array['T-100', 'T-1234', '-T1234', '_T1234', 'T-1234_2',
    'T-1234_2a', 'openid', 'authorize', 'jsconfig', 'T 1234', 'T-1234'
    || chr(10), repeat('x', 28), repeat('x', 29), 'Ｔ-1234']) as no;

-- refunds: the payment's sum and count hold, the number and amount are fixed
insert into wxpay_data.refunds (mchid, out_refund_no, order_no, out_trade_no,
    state, origin, refund_fen, requested_by) values
    ('1900000109', 'R1', 'T-1001', 'T-1001', 'pending', 'staff', 601, 'eve');
insert into wxpay_data.refunds (mchid, out_refund_no, order_no, out_trade_no,
    state, origin, refund_fen, requested_by) values
    ('1900000109', 'R1', 'T-1003', 'T-1003', 'pending', 'staff', 1, 'eve');
insert into wxpay_data.refunds (mchid, out_refund_no, order_no, out_trade_no,
    state, origin, refund_fen, requested_by) values
    ('1900000109', 'R1', 'T-9999', 'T-9999', 'pending', 'staff', 1, 'eve');
insert into wxpay_data.refunds (mchid, out_refund_no, order_no, out_trade_no,
    state, origin, refund_fen, requested_by) values
    ('1900000109', 'R1', 'T-1001', 'T-1001', 'pending', 'staff', 0, 'eve');
insert into wxpay_data.refunds (mchid, out_refund_no, order_no, out_trade_no,
    state, origin, refund_fen, requested_by) values
    ('1900000109', 'R 1', 'T-1001', 'T-1001', 'pending', 'staff', 1, 'eve');
insert into wxpay_data.refunds (mchid, out_refund_no, order_no, out_trade_no,
    state, origin, refund_fen, requested_by, refunded_at) values
    ('1900000109', 'R1', 'T-1001', 'T-1001', 'refunded', 'foreign', 601,
    'eve', now());
update wxpay_data.refunds set refund_fen = 1;
update wxpay_data.refunds set out_trade_no = 'T-1002';
update wxpay_data.refunds set state = 'refunding';
update wxpay_data.refunds set state = 'refunded', refunded_at = now();
update wxpay_data.refunds set state = 'failed', failure = 'X';
update wxpay_data.refunds set refunded_at = now();
update wxpay_data.refunds set failure = 'X';
update wxpay_data.refunds set next_op = 'forget';
select * from test.sums;

-- the 51st refund, by raw SQL too; a rejected one does not count
insert into wxpay_data.refunds (mchid, out_refund_no, order_no, out_trade_no,
    state, origin, refund_fen, requested_by)
select '1900000109', 'R' || i, 'T-1002', 'T-1002', 'pending', 'staff', 1,
    'eve' from generate_series(1, 51) i;
insert into wxpay_data.refunds (mchid, out_refund_no, order_no, out_trade_no,
    state, origin, refund_fen, requested_by)
select '1900000109', 'R' || i, 'T-1002', 'T-1002', 'pending', 'staff', 1,
    'eve' from generate_series(1, 50) i;
insert into wxpay_data.refunds (mchid, out_refund_no, order_no, out_trade_no,
    state, origin, refund_fen, requested_by) values
    ('1900000109', 'R51', 'T-1002', 'T-1002', 'pending', 'staff', 1, 'eve');
update wxpay_data.refunds set state = 'rejected' where out_refund_no = 'R7';
insert into wxpay_data.refunds (mchid, out_refund_no, order_no, out_trade_no,
    state, origin, refund_fen, requested_by) values
    ('1900000109', 'R51', 'T-1002', 'T-1002', 'pending', 'staff', 1, 'eve');
select * from test.sums;

-- products, the rest
insert into wxpay_data.products values ('1900000109', 'a b', 'x', 1);
insert into wxpay_data.products values ('1900000109', 'ab', '', 1);
insert into wxpay_data.products values ('1900000109', 'ab', 'x', 0);
insert into wxpay_data.products values ('0', 'ab', 'x', 1);
insert into wxpay_data.request_ids values ('1900000109', 'r', 'w', 'T-9999');
insert into wxpay_data.unexpected (mchid, kind, out_trade_no,
    transaction_id, total_fen, detail) values ('0', 'gift', '', '', 1, '');
insert into wxpay_data.events (mchid, id, kind) values ('0', 1, 'a'),
    ('0', 1, 'b');
