-- What WeChat says once is no proof against what it said, or may have done,
-- before.

-- a payment that it had answered for is not gone because it once says so
select verdict from test.start('T-9001');
select test.prepaid('T-9001', 'done');
select verdict from wxpay.order_close('1900000109', 'T-9001',
    test.token('T-9001'), 'nonce', 10);
update wxpay_data.payments set close_at = now(), check_at = now()
where out_trade_no = 'T-9001';
select op from test.claim();
select test.closed('T-9001', 'missing');
update wxpay_data.payments set check_at = now(),
    missing_at = now() - interval '30 seconds'
where out_trade_no = 'T-9001';
select op from test.claim();
select test.told('T-9001', 'missing');
select state, closing, next_op, check_at > now() as asked_on
from wxpay_data.payments where out_trade_no = 'T-9001';
-- it was paid meanwhile
update wxpay_data.payments set check_at = now()
where out_trade_no = 'T-9001';
select op from test.claim();
select test.told('T-9001', 'done', 'paid', null, 'tx9001');
select state from wxpay_data.orders where order_no = 'T-9001';

-- said twice, a minute apart, it is
select verdict from test.start('T-9002');
select test.prepaid('T-9002', 'done');
update wxpay_data.payments set close_at = now(), check_at = now(),
    closing = true where out_trade_no = 'T-9002';
update wxpay_data.orders set closing = true where order_no = 'T-9002';
select op from test.claim();
select test.told('T-9002', 'missing');
update wxpay_data.payments set check_at = now(),
    missing_at = now() - interval '61 seconds'
where out_trade_no = 'T-9002';
select op from test.claim();
select test.told('T-9002', 'missing');
select state from wxpay_data.orders where order_no = 'T-9002';

-- a refund that may have been carried out is not failed by a refusal of its
-- repetition: the amount stays reserved until two queries found nothing
select test.order_paid('T-9003', 1000);
select state from test.refund_sent('T-9003', 600, 'unsure');
update wxpay_data.refunds set due_at = now()
where out_refund_no = 'RT-9003-1';
select op from test.refund_claim('RT-9003-1');
select test.refund_told('RT-9003-1', 'query', 'missing');
update wxpay_data.refunds set due_at = now()
where out_refund_no = 'RT-9003-1';
select op from test.refund_claim('RT-9003-1');
select test.refund_told('RT-9003-1', 'send', 'refused', '', 'ERROR');
select state, denied, doubted from wxpay_data.refunds
where out_refund_no = 'RT-9003-1';
select verdict, left_fen from test.ask('T-9003', 600);
-- it had been carried out
update wxpay_data.refunds set due_at = now()
where out_refund_no = 'RT-9003-1';
select op from test.refund_claim('RT-9003-1');
select test.refund_told('RT-9003-1', 'query', 'done', 'success');

-- so had one whose caller died
select test.order_paid('T-9004', 1000);
select out_refund_no from test.ask('T-9004', 600);
select state from test.decide('RT-9004-1', 'approve', 0);
select op from test.refund_claim('RT-9004-1');
update wxpay_data.refunds set due_at = now(), leased_until = now()
where out_refund_no = 'RT-9004-1';
select op from test.refund_claim('RT-9004-1');
select test.refund_told('RT-9004-1', 'query', 'missing');
update wxpay_data.refunds set due_at = now()
where out_refund_no = 'RT-9004-1';
select op from test.refund_claim('RT-9004-1');
select test.refund_told('RT-9004-1', 'send', 'refused', '', 'ERROR');

-- one that was refused each time is failed at once
select test.order_paid('T-9005', 1000);
select state from test.refund_sent('T-9005', 600, 'again');
update wxpay_data.refunds set due_at = now()
where out_refund_no = 'RT-9005-1';
select op from test.refund_claim('RT-9005-1');
select test.refund_told('RT-9005-1', 'send', 'refused', '', 'ERROR');
