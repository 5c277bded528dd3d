-- Money arrives: every verdict, in every order of events; a notice and a query
-- say the same. [threats N6 N7 N8 N9 I2 I3]

-- settled, and told again: both SUCCESS, one event, a row for each telling
select * from test.start('T-1001');
select test.prepaid('T-1001', 'done');
select test.paid('T-1001', 'tx1'), test.paid('T-1001', 'tx1');
select test.told('T-1001', 'done', 'paid', null, 'tx1');
select * from test.orders;
select * from test.payments;
select verdict from wxpay_data.notices order by seq;
select * from test.events;

-- before unifiedorder's answer was stored; the stale answer changes nothing
select verdict, lease_no from test.start('T-1101');
select test.paid('T-1101', 'tx2');
select test.prepaid('T-1101', 'done', 1);
select * from test.payments where out_trade_no = 'T-1101';

-- what differs is quarantined, once, and moves nothing
select verdict from test.start('T-1201');
select test.paid('T-1201', 'tx3', 999), test.paid('T-1201', 'tx3', 999);
select test.paid('T-1201', 'tx4', 1000, 'wx2');
select test.paid('T-1201', 'tx5', 1000, 'wx1', 'USD');
select test.paid('T-1201', 'tx1');
select test.paid('T-9999', 'tx6'), test.paid('T-9999', 'tx6');
select wxpay.notice_paid('1900000110', 'v2', 'r', '', '\x00', 'T-1201', 'tx3',
    'wx1', '', 1000, '', '', '', 1);
select test.told('T-1201', 'done', 'paid', 99, 'tx7', 1);
select * from test.unexpected;
select kind, count(*) from test.events group by 1 order by 1;
select * from test.payments where out_trade_no = 'T-1201';
select verdict, count(*) from wxpay_data.notices group by 1 order by 1;
-- after all that the right one still settles; no currency means CNY
select test.paid('T-1201', 'tx3', 1000, 'wx1', '');
-- told with our lease: asked seldom from then on
select verdict from test.start('T-1251');
select test.prepaid('T-1251', 'done');
select test.told('T-1251', 'done', 'paid', null, 'tx8', 1);
select * from test.payments where out_trade_no = 'T-1251';

-- a paid one told with other facts: the row stays as it is
select test.paid('T-1001', 'tx1', 5);
select test.paid('T-1001', 'tx9'), test.paid('T-1001', 'tx9');
select transaction_id, settles from wxpay_data.payments
    where out_trade_no = 'T-1001';

-- closed, and then money overtakes us
select verdict from test.start('T-1301');
select test.prepaid('T-1301', 'done');
select test.pass('6 minutes');
select verdict, out_trade_no, lease_no from wxpay.order_close('1900000109',
    'T-1301', test.token('T-1301'), 'nonce', 10);
select test.closed('T-1301', 'done');
select * from test.orders where order_no = 'T-1301';
select test.paid('T-1301', 'tx10');
select * from test.orders where order_no = 'T-1301';
select * from test.payments where out_trade_no = 'T-1301';
select kind from test.events where order_no = 'T-1301';
select entity, from_state, to_state, reason from test.steps
    where number = 'T-1301' order by 1, 2 nulls first;

-- the second attempt is paid; then the first one, too: second, quarantined,
-- and acknowledged each time
select verdict, out_trade_no from test.start('T-1401');
select test.prepaid('T-1401', 'done');
select verdict, out_trade_no from test.start('T-1401', 1000, 'JSAPI', 'o1');
select test.prepaid('T-1401_2', 'done');
select * from test.payments where out_trade_no like 'T-1401%';
select test.paid('T-1401_2', 'tx11');
select test.paid('T-1401', 'tx12'), test.paid('T-1401', 'tx12');
select * from test.payments where out_trade_no like 'T-1401%';
select * from test.unexpected where out_trade_no like 'T-1401%';
select kind, out_trade_no from test.events where order_no = 'T-1401';
-- the first attempt is paid, after which the second is closing; a query of it
select verdict, out_trade_no from test.start('T-1501');
select verdict, out_trade_no from test.start('T-1501', 1000, 'JSAPI', 'o1');
select test.paid('T-1501', 'tx13');
select * from test.payments where out_trade_no like 'T-1501%';
select test.told('T-1501_2', 'done', 'paid', null, 'tx14');
select * from test.payments where out_trade_no like 'T-1501%';

-- that money goes back, in two parts: the row is returned with the second
select verdict, out_refund_no, left_fen
    from test.ask('T-1501', 400, 'second-part-1', 'T-1501_2');
select * from test.decide('RT-1501_2-1', 'approve');
select op, out_refund_no from test.refund_claim('RT-1501_2-1');
select test.refund_told('RT-1501_2-1', 'send', 'done');
select test.refund_told('RT-1501_2-1', 'query', 'done', 'success');
select state from test.unexpected where out_trade_no = 'T-1501_2';
select verdict, out_refund_no, left_fen
    from test.ask('T-1501', null, 'second-part-2', 'T-1501_2');
select * from test.decide('RT-1501_2-2', 'approve', 0);
select op, refund_fen from test.refund_claim('RT-1501_2-2');
select test.refund_told('RT-1501_2-2', 'send', 'done');
select test.refund_told('RT-1501_2-2', 'query', 'done', 'success');
select state from test.unexpected where out_trade_no = 'T-1501_2';
-- the order's own money is still there
select verdict, left_fen from test.ask('T-1501', 1001);
select order_no, state, refunded_fen from wxpay.orders
    where order_no = 'T-1501';

-- expired and closed here, without a call: paid all the same
select verdict from test.start('T-1601');
select test.pass('3 hours');
select wxpay.order_expire('1900000109', 100) > 0 as expired;
select test.closed('T-1601', 'missing');
select * from test.orders where order_no = 'T-1601';
select test.told('T-1601', 'done', 'paid', 77, 'tx15');
select * from test.orders where order_no = 'T-1601';

-- money in, money recorded: no payment is paid twice, no order settles twice
select count(*) = count(distinct transaction_id) as unique_money
    from wxpay_data.payments where state = 'paid';
select max(times) from (select count(*) as times from wxpay_data.steps
    where to_state = 'paid' group by entity, number) as each;
select bool_and((o.state = 'paid') = exists (select from wxpay_data.payments
    p where p.order_no = o.order_no and p.settles)) from wxpay_data.orders o;
