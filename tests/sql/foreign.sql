-- Refunds that were made by hand on WeChat's platform, and V2 notices, which
-- anybody could have put together and which therefore move nothing.
-- [threats I20 RN1 RN4 RN5]

-- a notice about our own: it makes the worker ask at once
select test.order_paid('T-1001');
select * from test.refund_sent('T-1001', 400);
select due from test.refunds where out_refund_no = 'RT-1001-1';
select test.refund_notice('RT-1001-1', 'T-1001', 400);
select state, next_op, due from test.refunds
    where out_refund_no = 'RT-1001-1';
select op from test.refund_claim();
-- told while somebody asks: asked again right after
select test.refund_notice('RT-1001-1', 'T-1001', 400);
select test.refund_told('RT-1001-1', 'query', 'done', 'processing');
select state, next_op, due from test.refunds
    where out_refund_no = 'RT-1001-1';
select op from test.refund_claim();
select test.refund_told('RT-1001-1', 'query', 'done', 'success');
select test.refund_notice('RT-1001-1', 'T-1001', 400),
    test.refund_notice('RT-1001-1', 'T-1001', 400, false);
-- numbers and amounts that are not ours
select test.refund_notice('RT-1001-1', 'T-1001', 401);
select test.refund_notice('RT-1001-1', 'T-1001', 400, true, 'tx-other');
select test.refund_notice('RT-1001-1', 'T-1001', 400, true, null, 999);
select test.order_paid('T-1002');
select test.refund_notice('RT-1001-1', 'T-1002', 400);
select test.refund_notice('RX', 'T-9999', 1);
select test.refund_notice('RX', 'T-9999', 1);
select verdict from test.start('T-1003');
select test.refund_notice('RX', 'T-1003', 1);
select verdict, count(*) from wxpay_data.notices where kind = 'refunded'
    group by 1 order by 1;
select * from test.unexpected;
select * from test.sums where out_trade_no like 'T-100%';
select count(*) from test.refund_claim();

-- a number that we do not know: a hint, asked about, and then a refund
select test.refund_notice('hand-1', 'T-1002', 250);
select out_refund_no from wxpay_data.refunds where out_refund_no = 'hand-1';
select op, out_refund_no, out_trade_no, transaction_id, total_fen,
    refund_fen, lease_no from wxpay.refund_claim('1900000109', null,
    'nonce', 10);
select count(*) from test.refund_claim();
select test.refund_told('hand-1', 'hint', 'done', 'processing');
select count(*) from test.refund_claim();
select test.pass('61 seconds');
select op from test.refund_claim();
select test.refund_told('hand-1', 'hint', 'done', 'success', '', null, 250);
select test.refund_told('hand-1', 'hint', 'done', 'success', '', null, 250);
select out_refund_no, order_no, out_trade_no, state, origin, refund_fen,
    requested_by, refund_id from wxpay_data.refunds
    where out_refund_no = 'hand-1';
select * from test.sums where out_trade_no = 'T-1002';
select kind, out_refund_no, fen from test.events
    where order_no = 'T-1002' and kind like 'refund%';
select from_state, to_state, actor, reason from test.steps
    where number = 'hand-1';
select test.pass('1 day');
select count(*) from test.refund_claim();

-- that it never was, or was closed, ends it; not for ever asked
select test.refund_notice('hand-2', 'T-1002', 1);
select op from test.refund_claim();
select test.refund_told('hand-2', 'hint', 'done', 'closed');
select test.pass('1 day');
select count(*) from test.refund_claim();
select test.refund_notice('hand-3', 'T-1002', 1);
create function pg_temp.asks() returns int language plpgsql as $$
declare
    asked int := 0;
begin
    while (select op from test.refund_claim()) = 'hint' and asked < 99 loop
        asked := asked + 1;
        perform test.refund_told('hand-3', 'hint', 'missing');
        perform test.pass('61 seconds');
    end loop;
    return asked;
end $$;
select pg_temp.asks();
-- under an old lease only what is final counts
select test.refund_notice('hand-4', 'T-1002', 50);
select op, lease_no from test.refund_claim();
select test.pass('11 seconds');
select op, lease_no from test.refund_claim();
select test.refund_told('hand-4', 'hint', 'missing', '', '', 1);
select leased_until > now() as leased from wxpay_data.refund_hints
    where out_refund_no = 'hand-4';
select test.refund_told('hand-4', 'hint', 'done', 'success', '', 1, 50);
select due_at from wxpay_data.refund_hints where out_refund_no = 'hand-4';

-- it takes room that was asked for: the newest requests go, no more than
-- need be
select test.order_paid('T-2001');
select out_refund_no from test.ask('T-2001', 300);
select out_refund_no from test.ask('T-2001', 200);
select out_refund_no from test.ask('T-2001', 200);
select test.refund_notice('hand-5', 'T-2001', 450);
select op from test.refund_claim();
select test.refund_told('hand-5', 'hint', 'done', 'success', '', null, 450);
select out_refund_no, state, decided_by, decision from wxpay_data.refunds
    where order_no = 'T-2001' order by seq;
select * from test.sums where out_trade_no = 'T-2001';
select kind, out_refund_no from test.events where order_no = 'T-2001'
    and kind in ('refund.rejected', 'refund.refunded');
-- what was approved stays; what does not fit beside it is quarantined, and
-- rejects nobody
select test.order_paid('T-2002');
select out_refund_no from test.ask('T-2002', 600);
select * from test.decide('RT-2002-1', 'approve');
select out_refund_no from test.ask('T-2002', 300);
select test.refund_notice('hand-6', 'T-2002', 450);
select test.refund_told('hand-6', 'hint', 'done', 'success', '', 0, 450);
select out_refund_no, state from wxpay_data.refunds
    where order_no = 'T-2002' order by seq;
select * from test.unexpected where out_trade_no = 'T-2002';
select * from test.sums where out_trade_no = 'T-2002';
-- the 51st, and it is not ours to refuse
select test.order_paid('T-2003');
select count(*) from generate_series(1, 50) i, test.ask('T-2003', i - i + 2);
select test.refund_notice('hand-7', 'T-2003', 2);
select test.refund_told('hand-7', 'hint', 'done', 'success', '', 0, 2);
select state, origin, count(*) from wxpay_data.refunds
    where order_no = 'T-2003' group by 1, 2 order by 1, 2;
select d.verdict, count(*) from wxpay_data.refunds r,
    test.decide(out_refund_no, 'approve') d
    where order_no = 'T-2003' and r.state = 'pending' group by 1;
select test.refund_notice('hand-8', 'T-2003', 2);
select test.refund_told('hand-8', 'hint', 'done', 'success', '', 0, 2);
select * from test.unexpected where out_trade_no = 'T-2003';
select * from test.sums where out_trade_no = 'T-2003';

-- under the number of a request that nobody has approved, or that was
-- rejected: quarantined, it was not we who sent it
select test.order_paid('T-2004');
select out_refund_no from test.ask('T-2004', 100);
select out_refund_no from test.ask('T-2004', 100);
select * from test.decide('RT-2004-2', 'reject');
select test.refund_notice('RT-2004-1', 'T-2004', 100),
    test.refund_notice('RT-2004-2', 'T-2004', 100);
select test.refund_told('RT-2004-1', 'hint', 'done', 'success', '',
    (select lease_no from wxpay_data.refund_hints
    where out_refund_no = 'RT-2004-1'), 100);
select test.refund_told('RT-2004-2', 'hint', 'done', 'success', '',
    (select lease_no from wxpay_data.refund_hints
    where out_refund_no = 'RT-2004-2'), 100);
select out_refund_no, state from wxpay_data.refunds
    where order_no = 'T-2004' order by seq;
select * from test.unexpected where out_trade_no = 'T-2004';

-- money that came unexpectedly goes back by hand: the row is returned
select test.order_paid('T-3001');
select verdict, out_trade_no from test.start('T-3002');
select verdict, out_trade_no from test.start('T-3002', 1000, 'JSAPI', 'o1');
select test.paid('T-3002_2', 'tx-T-3002_2'), test.paid('T-3002', 'tx-T-3002');
select out_trade_no, state from test.unexpected
    where out_trade_no like 'T-3002%';
select test.refund_notice('hand-9', 'T-3002', 1000);
select test.refund_told('hand-9', 'hint', 'done', 'success', '', 0, 1000);
select out_trade_no, state from test.unexpected
    where out_trade_no like 'T-3002%';
-- of a payment that is not paid here: nobody knows that money
select test.refund_told('hand-10', 'hint', 'done', 'success', '', 0, 1,
    'T-1003');
