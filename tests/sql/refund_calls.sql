-- What becomes of a refund that was sent: each outcome, repeated, late, and
-- under an old lease. [threats I6 I7 I12 I13 R6 R7 R9 R13 RN4]

create function pg_temp.sent(p_order_no text, p_verdict text, p_code text,
    p_times int default 1)
    returns table (said text, state text, failure text, denied text,
        recharge boolean, next_op text, due text, reserved bigint)
    language plpgsql as $$
declare
    number text;
begin
    perform test.order_paid(p_order_no);
    select s.out_refund_no, s.state into number, said
    from test.refund_sent(p_order_no, 400, p_verdict, p_code) s;
    for i in 2..p_times loop
        perform test.refund_told(number, 'send', p_verdict, '', p_code);
    end loop;
    return query select said, r.state, r.failure, r.denied, r.recharge,
        r.next_op, r.due, s.reserved_fen
    from test.refunds r, test.sums s
    where r.out_refund_no = number and s.out_trade_no = p_order_no;
end $$;
-- each outcome of sending; and the same told twice, for a lost commit is
-- repeated
select v, c, s.* from (values (1, 'done', ''), (2, 'refused', 'TRADE_OVERDUE'),
        (3, 'denied', 'RETURN_FAIL'), (4, 'no_money', 'NOTENOUGH'),
        (5, 'again', 'FREQUENCY_LIMITED'), (6, 'not_sent', 'CONNECT'),
        (7, 'unsure', 'TIMEOUT'), (8, 'missing', ''), (9, 'paid', ''),
        (10, 'closed', '')) as verdicts (i, v, c),
    lateral pg_temp.sent('T-10' || to_char(i, 'FM00'), v, c) s
order by i;
select count(*) from (
    (select i, s.* from (values (1, 'done', ''), (2, 'refused', 'X'),
        (3, 'denied', 'RETURN_FAIL'), (4, 'no_money', 'NOTENOUGH'),
        (5, 'again', ''), (6, 'not_sent', ''), (7, 'unsure', ''))
        as verdicts (i, v, c),
    lateral pg_temp.sent('T-11' || to_char(i, 'FM00'), v, c) s)
    except
    (select i, s.* from (values (1, 'done', ''), (2, 'refused', 'X'),
        (3, 'denied', 'RETURN_FAIL'), (4, 'no_money', 'NOTENOUGH'),
        (5, 'again', ''), (6, 'not_sent', ''), (7, 'unsure', ''))
        as verdicts (i, v, c),
    lateral pg_temp.sent('T-12' || to_char(i, 'FM00'), v, c, 2) s)) as differ;
select kind, count(*) from test.events where out_refund_no = 'RT-1202-1'
    group by 1 order by 1;

-- each outcome of asking, after it was accepted
create function pg_temp.asked(p_order_no text, p_verdict text, p_fate text)
    returns table (said text, failure text, next_op text, due text,
        reserved bigint, refunded bigint) language plpgsql as $$
declare
    number text;
begin
    perform test.order_paid(p_order_no);
    select s.out_refund_no into number from test.refund_sent(p_order_no, 400) s;
    perform test.pass('61 seconds');
    perform test.refund_claim(number);
    said := test.refund_told(number, 'query', p_verdict, p_fate);
    return query select said, r.failure, r.next_op, r.due, s.reserved_fen,
        s.refunded_fen
    from test.refunds r, test.sums s
    where r.out_refund_no = number and s.out_trade_no = p_order_no;
end $$;
select v, f, a.* from (values (1, 'done', 'processing'), (2, 'done',
        'success'), (3, 'done', 'closed'), (4, 'done', 'abnormal'),
        (5, 'done', ''), (6, 'missing', ''), (7, 'unsure', ''),
        (8, 'again', ''), (9, 'refused', ''), (10, 'denied', ''))
        as verdicts (i, v, f),
    lateral pg_temp.asked('T-20' || to_char(i, 'FM00'), v, f) a
order by i;
select kind, out_refund_no from test.events
    where order_no between 'T-2002' and 'T-2004'
        and kind in ('refund.refunded', 'refund.failed');
select refunded_at is not null and refunded_at > now() - interval '1 hour'
    as dated from wxpay_data.refunds where out_refund_no = 'RT-2002-1';

-- lost before it left, or on the way: the next one asks, and sends the same
select test.order_paid('T-3001');
select out_refund_no from test.ask('T-3001', 400);
select * from test.decide('RT-3001-1', 'approve', 60);
select * from test.refund_claim('RT-3001-1');
select test.pass('11 seconds');
select * from test.refund_claim('RT-3001-1');
select test.refund_told('RT-3001-1', 'query', 'missing');
select next_op, due from test.refunds where out_refund_no = 'RT-3001-1';
select test.pass('1 minute');
select * from test.refund_claim('RT-3001-1');
-- the first one's outcome comes now: journalled, and nothing else
select test.refund_told('RT-3001-1', 'send', 'refused', '', 'X', 1);
select test.refund_told('RT-3001-1', 'query', 'done', 'closed', '', 2);
select test.refund_told('RT-3001-1', 'query', 'done', 'abnormal', '', 2);
select * from test.refunds where out_refund_no = 'RT-3001-1';
-- but that the money is back is a fact
select test.refund_told('RT-3001-1', 'query', 'done', 'success', '', 2);
select test.refund_told('RT-3001-1', 'send', 'done');
select * from test.refunds where out_refund_no = 'RT-3001-1';
select op, lease_no, outcome, code from wxpay_data.calls
    where out_refund_no = 'RT-3001-1' order by call_no;
select count(distinct out_refund_no) from wxpay_data.calls
    where out_trade_no = 'T-3001' and out_refund_no is not null;

-- denied without a signature: failed only once WeChat was asked twice, a
-- minute apart, and knew nothing
select test.order_paid('T-3101');
select * from test.refund_sent('T-3101', 400, 'denied', 'RETURN_FAIL');
select test.pass('61 seconds');
select op from test.refund_claim('RT-3101-1');
select test.refund_told('RT-3101-1', 'query', 'missing');
select * from test.refunds where out_refund_no = 'RT-3101-1';
select test.pass('50 seconds');
select count(*) from test.refund_claim('RT-3101-1');
-- asked early all the same: it does not count
select test.refund_notice('RT-3101-1', 'T-3101', 400);
select op from test.refund_claim('RT-3101-1');
select test.refund_told('RT-3101-1', 'query', 'missing');
select * from test.refunds where out_refund_no = 'RT-3101-1';
select test.pass('61 seconds');
select op from test.refund_claim('RT-3101-1');
select test.refund_told('RT-3101-1', 'query', 'missing');
select * from test.refunds where out_refund_no = 'RT-3101-1';
select * from test.sums where out_trade_no = 'T-3101';
-- an unsure answer between the two begins anew; one that knows it ends that
select test.order_paid('T-3102');
select * from test.refund_sent('T-3102', 400, 'denied', 'RETURN_FAIL');
select test.pass('61 seconds');
select op from test.refund_claim('RT-3102-1');
select test.refund_told('RT-3102-1', 'query', 'missing');
select test.pass('61 seconds');
select op from test.refund_claim('RT-3102-1');
select test.refund_told('RT-3102-1', 'query', 'unsure');
select test.pass('61 seconds');
select op from test.refund_claim('RT-3102-1');
select test.refund_told('RT-3102-1', 'query', 'missing');
select state, missing from test.refunds where out_refund_no = 'RT-3102-1';
select test.pass('61 seconds');
select op from test.refund_claim('RT-3102-1');
select test.refund_told('RT-3102-1', 'query', 'done', 'success');

-- no money: the other account, then a rest, then the first again
select test.order_paid('T-3201');
select * from test.refund_sent('T-3201', 400, 'no_money', 'NOTENOUGH');
select recharge, next_op, due from test.refunds
    where out_refund_no = 'RT-3201-1';
select test.pass('1 minute');
select * from test.refund_claim('RT-3201-1');
select test.refund_told('RT-3201-1', 'send', 'no_money', '', 'NOTENOUGH');
select recharge, next_op, due from test.refunds
    where out_refund_no = 'RT-3201-1';
select test.pass('5 minutes');
select * from test.refund_claim('RT-3201-1');
select test.refund_told('RT-3201-1', 'send', 'done');

-- ABNORMAL: failed, the money still reserved, asked on; then it succeeds
select test.order_paid('T-4001');
select * from test.refund_sent('T-4001', 400);
select test.pass('61 seconds');
select op from test.refund_claim('RT-4001-1');
select test.refund_told('RT-4001-1', 'query', 'done', 'abnormal');
select * from test.refunds where out_refund_no = 'RT-4001-1';
select * from test.sums where out_trade_no = 'T-4001';
select test.pass('1 hour');
select op, is_abnormal from wxpay.refund_claim('1900000109', 'RT-4001-1',
    'nonce', 10);
select test.refund_told('RT-4001-1', 'query', 'done', 'abnormal');
select test.pass('1 hour');
select op from test.refund_claim('RT-4001-1');
select test.refund_told('RT-4001-1', 'query', 'done', 'success');
select * from test.sums where out_trade_no = 'T-4001';
select kind from test.events where out_refund_no = 'RT-4001-1';
-- ABNORMAL, and the operator tries again while somebody still asks: the same
-- number, and the asker's words are old
select test.order_paid('T-4002');
select * from test.refund_sent('T-4002', 400);
select test.pass('61 seconds');
select op from test.refund_claim('RT-4002-1');
select test.refund_told('RT-4002-1', 'query', 'done', 'abnormal');
select test.pass('1 hour');
select op, lease_no from test.refund_claim('RT-4002-1');
select * from test.decide('RT-4002-1', 'retry');
select test.refund_told('RT-4002-1', 'query', 'done', 'abnormal', '', 4);
select * from test.refunds where out_refund_no = 'RT-4002-1';
select op, lease_no from test.refund_claim('RT-4002-1');
select test.refund_told('RT-4002-1', 'send', 'done');
select * from test.sums where out_trade_no = 'T-4002';

-- CLOSED: free, never asked again, and not to be tried under this number
select test.order_paid('T-4101');
select * from test.refund_sent('T-4101', 400);
select test.pass('61 seconds');
select op from test.refund_claim('RT-4101-1');
select test.refund_told('RT-4101-1', 'query', 'done', 'closed');
select * from test.refunds where out_refund_no = 'RT-4101-1';
select * from test.sums where out_trade_no = 'T-4101';
select * from test.decide('RT-4101-1', 'retry');
select * from test.ask('T-4101', 1000);

-- refused for good: free; tried again while it fits, and not when it does not
select test.order_paid('T-4201');
select * from test.refund_sent('T-4201', 400, 'refused', 'TRADE_OVERDUE');
select * from test.sums where out_trade_no = 'T-4201';
select * from test.decide('RT-4201-1', 'retry', 0);
select * from test.sums where out_trade_no = 'T-4201';
select op from test.refund_claim('RT-4201-1');
select test.refund_told('RT-4201-1', 'send', 'refused', '', 'TRADE_OVERDUE');
select verdict, left_fen from test.ask('T-4201', 700);
select * from test.decide('RT-4201-1', 'retry', 0);
select * from test.decide('RT-4201-2', 'reject');
select * from test.decide('RT-4201-1', 'retry', 0);

-- failed for good, and then WeChat says that the money is back. It fits:
select test.order_paid('T-5001');
select * from test.refund_sent('T-5001', 400, 'refused', 'X');
select verdict from test.ask('T-5001', 600);
select test.refund_told('RT-5001-1', 'query', 'done', 'success');
select * from test.sums where out_trade_no = 'T-5001';
-- it fits once the newest requests go that nobody has said yes to
select test.order_paid('T-5002');
select * from test.refund_sent('T-5002', 400, 'refused', 'X');
select out_refund_no from test.ask('T-5002', 300);
select out_refund_no from test.ask('T-5002', 300);
select out_refund_no from test.ask('T-5002', 100);
select test.refund_told('RT-5002-1', 'query', 'done', 'success');
select out_refund_no, state, decided_by, decision from wxpay_data.refunds
    where order_no = 'T-5002' order by seq;
select number, to_state, actor, reason from test.steps
    where number like 'RT-5002%' and to_state in ('rejected', 'refunded');
select * from test.sums where out_trade_no = 'T-5002';
-- it does not fit: quarantined, once, nothing raises and nothing else moves
select test.order_paid('T-5003');
select * from test.refund_sent('T-5003', 400, 'refused', 'X');
select out_refund_no from test.ask('T-5003', 700);
select * from test.decide('RT-5003-2', 'approve', 0);
select verdict from test.ask('T-5003', 300);
select test.refund_told('RT-5003-1', 'query', 'done', 'success');
select test.refund_told('RT-5003-1', 'query', 'done', 'success');
select * from test.unexpected where out_trade_no = 'T-5003';
select out_refund_no, state, due from test.refunds
    where out_refund_no like 'RT-5003%';
select * from test.sums where out_trade_no = 'T-5003';
-- nor does ABNORMAL, which would reserve it again
select test.order_paid('T-5004');
select * from test.refund_sent('T-5004', 400, 'refused', 'X');
select verdict from test.ask('T-5004', 1000);
select * from test.decide('RT-5004-2', 'approve');
select test.refund_notice('RT-5004-1', 'T-5004', 400);
select op from test.refund_claim('RT-5004-1');
select test.refund_told('RT-5004-1', 'query', 'done', 'abnormal');
select out_refund_no, state, failure, due from test.refunds
    where out_refund_no like 'RT-5004%';
select * from test.unexpected where out_trade_no = 'T-5004';
select * from test.sums where out_trade_no = 'T-5004';
-- and where it fits it does reserve
select test.order_paid('T-5005');
select * from test.refund_sent('T-5005', 400, 'refused', 'X');
select test.refund_notice('RT-5005-1', 'T-5005', 400);
select op from test.refund_claim('RT-5005-1');
select test.refund_told('RT-5005-1', 'query', 'done', 'abnormal');
select * from test.sums where out_trade_no = 'T-5005';
-- the fiftieth of fifty: its late success is not one too many
select test.order_paid('T-5006');
select * from test.refund_sent('T-5006', 400, 'refused', 'X');
select count(*) from generate_series(2, 50) i, test.ask('T-5006', i - i + 2) a
    where a.verdict = 'requested';
select test.refund_told('RT-5006-1', 'query', 'done', 'success');
select * from test.sums where out_trade_no = 'T-5006';
select state, count(*) from wxpay_data.refunds where order_no = 'T-5006'
    group by 1 order by 1;

-- numbers that are not ours in a query's answer
select test.order_paid('T-6001');
select * from test.refund_sent('T-6001', 400);
select test.pass('61 seconds');
select op from test.refund_claim('RT-6001-1');
select test.refund_told('RT-6001-1', 'query', 'done', 'success', '', null,
    399);
select test.pass('61 seconds');
select op from test.refund_claim('RT-6001-1');
select test.refund_told('RT-6001-1', 'query', 'done', 'success', '', null,
    null, 'T-6002');
select * from test.unexpected where out_trade_no = 'T-6001';
select * from test.refunds where out_refund_no = 'RT-6001-1';

-- every sum is what its refunds say, whatever happened above
select count(*) from wxpay_data.payments p
where (reserved_fen, refunded_fen, refund_count) is distinct from (
    select (coalesce(sum(refund_fen) filter (where state in ('pending',
            'refunding', 'refunded') or failure = 'ABNORMAL'), 0)::bigint,
        coalesce(sum(refund_fen) filter (where state = 'refunded'),
            0)::bigint,
        (count(*) filter (where state <> 'rejected'))::int)
    from wxpay_data.refunds r where r.out_trade_no = p.out_trade_no);
