-- Asking for money back, and deciding: every verdict; what is reserved; whose
-- turn it is. [threats R3 R4 R10 R11 R17 I4 I8]

-- somebody asks
select test.order_paid('T-1001');
select verdict, left_fen, refund::jsonb - 'created_at' as refund
    from wxpay.refund_request('1900000109', 'T-1001', test.token('T-1001'),
    null, 300, 'cold', 'request-00000001', 'shopper');
select verdict, left_fen, refund::jsonb ->> 'out_refund_no' as refund
    from wxpay.refund_request('1900000109', 'T-1001', test.token('T-1001'),
    null, 300, 'cold', 'request-00000001', 'shopper');
-- the request_id was used for something else
select * from test.ask('T-1001', 301, 'request-00000001');
select test.order_paid('T-1002');
select * from test.ask('T-1002', 300, 'request-00000001');
-- no such order, or token, or payment
select verdict, left_fen from wxpay.refund_request('1900000109', 'T-1001',
    'wrong', null, 300, 'cold', null, 'shopper');
select * from test.ask('T-9999', 300);
select * from test.ask('T-1001', 300, null, 'T-1002');
-- nothing was paid
select verdict from test.start('T-1003');
select * from test.ask('T-1003', 300);
select * from test.ask('T-1003', 300, null, 'T-1003');
select * from test.ask('T-1003', 300, 'request-00000001');
-- too much, too little; all that is left
select * from test.ask('T-1001', 701), test.sums
    where out_trade_no = 'T-1001';
select * from test.ask('T-1001', 0);
select * from test.ask('T-1001', -1);
select * from test.ask('T-1001', 9223372036854775807);
select * from test.ask('T-1001', null);
select * from test.ask('T-1001', null);
select * from test.ask('T-1001', 1);
select * from test.sums where out_trade_no = 'T-1001';
-- a year is over
select test.order_paid('T-1004');
select test.pass('364 days 23 hours');
select verdict from test.ask('T-1004', 1);
select test.pass('2 hours');
select verdict from test.ask('T-1004', 1);
-- fifty of them; a rejected one makes room again
select test.order_paid('T-1005');
select verdict, count(*), count(distinct a.out_refund_no)
    from generate_series(1, 51) i, test.ask('T-1005', i - i + 2) a
    group by 1 order by 1;
select * from test.sums where out_trade_no = 'T-1005';
select * from test.decide('RT-1005-7', 'reject');
select * from test.ask('T-1005', 2), test.ask('T-1005', 2) as more;
select out_trade_no, sum(refund_fen) filter (where state <> 'rejected')
    from wxpay_data.refunds where out_trade_no = 'T-1005' group by 1;

-- somebody decides: once
select * from test.decide('RT-1001-1', 'retry');
select * from test.decide('RT-1001-1', 'approve');
select * from test.decide('RT-1001-1', 'approve');
select * from test.decide('RT-1001-1', 'reject');
select * from test.decide('RT-1001-1', 'retry');
select * from test.decide('RT-1001-2', 'reject');
select * from test.decide('RT-1001-2', 'approve');
select * from test.decide('RT-9999-1', 'approve');
select * from test.sums where out_trade_no = 'T-1001';
select out_refund_no, state, requested_by, decided_by, decision
    from wxpay_data.refunds where order_no = 'T-1001' order by seq;
select number, from_state, to_state, actor, reason from test.steps
    where entity = 'refund' and number like 'RT-1001%';
select kind, out_refund_no, fen from test.events where order_no = 'T-1001';

-- a decision that was not heard is asked again by its id: the same; another
-- one's is late
select test.order_paid('T-1006');
select out_refund_no from test.ask('T-1006', 1);
select out_refund_no from test.ask('T-1006', 1);
create function pg_temp.decide(p_out_refund_no text, p_decision text,
    p_id text) returns table (verdict text, state text) language sql as $$
    select * from wxpay.refund_decide('1900000109', p_out_refund_no,
        p_decision, 'bob', 'well', 0, p_id)
$$;
select * from pg_temp.decide('RT-1006-1', 'approve', 'decision-1');
select * from pg_temp.decide('RT-1006-1', 'approve', 'decision-1');
select * from pg_temp.decide('RT-1006-1', 'approve', 'decision-2');
select * from pg_temp.decide('RT-1006-2', 'reject', 'decision-3');
select * from pg_temp.decide('RT-1006-2', 'reject', 'decision-3');
select * from pg_temp.decide('RT-1006-2', 'approve', 'decision-4');
select kind, count(*) from test.events where order_no = 'T-1006'
    group by 1 order by 1;

-- a minute between two refunds of one order; other orders do not wait
select test.order_paid('T-2001'), test.order_paid('T-2002');
select out_refund_no from generate_series(1, 3) i, test.ask('T-2001', i);
select out_refund_no from test.ask('T-2002', 5);
select * from generate_series(1, 3) i,
    test.decide('RT-2001-' || i, 'approve', 60);
select * from test.decide('RT-2002-1', 'approve', 60);
select out_refund_no, state, due from test.refunds
    where out_refund_no like 'RT-200%' order by 1;
-- sent in its turn, and by one caller
select op, out_refund_no, refund_fen, lease_no
    from test.refund_claim('RT-2001-1');
select count(*) from test.refund_claim('RT-2001-1');
select count(*) from test.refund_claim('RT-2001-2');
select op, out_refund_no from test.refund_claim('RT-2002-1');
-- nobody was there to send when their turns came: they still keep the gap
select test.pass('10 minutes');
select test.refund_told('RT-2001-1', 'send', 'done');
select out_refund_no, next_op, due from test.refunds
    where out_refund_no like 'RT-2001%' order by 1;
select op, out_refund_no from test.refund_claim('RT-2001-2');
select count(*) from test.refund_claim('RT-2001-3');
select out_refund_no, next_op, due from test.refunds
    where out_refund_no like 'RT-2001%' order by 1;
select test.pass('50 seconds');
select count(*) from test.refund_claim('RT-2001-3');
select test.pass('10 seconds');
select op, out_refund_no from test.refund_claim('RT-2001-3');
-- what is sent again waits for its turn, too
select test.refund_told('RT-2001-3', 'send', 'again');
select test.refund_told('RT-2001-2', 'send', 'not_sent');
select out_refund_no, next_op, due from test.refunds
    where out_refund_no like 'RT-2001%' order by 1;

-- the order is being worked on: claimed later, not waited for
select test.order_paid('T-3001');
select out_refund_no from test.ask('T-3001', 5);
select * from test.decide('RT-3001-1', 'approve');
select dblink_connect('busy', format('host=%s port=%s dbname=%s',
    split_part(current_setting('unix_socket_directories'), ',', 1),
    current_setting('port'), current_database()));
select dblink_exec('busy', 'begin');
select * from dblink('busy', 'select order_no from wxpay_data.orders
    where order_no = ''T-3001'' for update') as (order_no text);
set lock_timeout = '1s';
select count(*) from test.refund_claim('RT-3001-1');
select dblink_exec('busy', 'commit');
-- somebody settles or asks, and somebody claims or hints: nobody waits
select dblink_exec('busy', 'begin');
select * from dblink('busy', 'select out_trade_no from wxpay_data.payments
    where out_trade_no = ''T-3001'' for update') as (out_trade_no text);
select op from test.refund_claim('RT-3001-1');
select test.refund_notice('RT-3001-1', 'T-3001', 5);
select dblink_exec('busy', 'commit');

-- a decision that is passed on twice, because its answer was lost, is done
-- once and answered twice; another one like it is a second decision
select * from wxpay.refund_decide('1900000109', 'RT-1005-8', 'reject', 'bob',
    'no', 0, 'decision-1');
select * from wxpay.refund_decide('1900000109', 'RT-1005-8', 'reject', 'bob',
    'no', 0, 'decision-1');
select * from wxpay.refund_decide('1900000109', 'RT-1005-8', 'reject', 'bob',
    'no', 0, 'decision-2');
select count(*) from wxpay_data.steps
where number = 'RT-1005-8' and to_state = 'rejected';
