-- Payments by a code: never paid and reversed at once, never neither.

create function test.scan(p_order_no text, p_request_id text,
    p_fen bigint default 1000)
    returns table (verdict text, out_trade_no text, payment_state text,
        refusal text, lease_no bigint)
    language sql as $$
    select verdict, out_trade_no, payment_state, refusal, lease_no
    from wxpay.micropay_start('1900000109', 'signed', null, null, p_order_no,
        null, p_fen, 'tea', test.expire(p_order_no), '', null, p_request_id,
        7200, '203.0.113.7', 'wx1', '', '', 'nonce', 15, 45, 'alice')
$$;
create function test.call_of(p_out_trade_no text) returns bigint
    language sql as $$
    select max(call_no) from wxpay_data.calls
    where out_trade_no = p_out_trade_no
$$;
create function test.lease_of(p_out_trade_no text) returns bigint
    language sql as $$
    select lease_no from wxpay_data.payments
    where out_trade_no = p_out_trade_no
$$;
create function test.scanned(p_out_trade_no text, p_verdict text,
    p_refusal text default '', p_lease_no bigint default null,
    p_code text default 'CODE')
    returns text language sql as $$
    select wxpay.micropay_told('1900000109', p_out_trade_no,
        coalesce(p_lease_no, test.lease_of(p_out_trade_no)),
        test.call_of(p_out_trade_no), p_verdict, p_code,
        case p_verdict when 'done' then 'paid' else '' end,
        'tx-' || p_out_trade_no, 'wx1', '', 1000, 'CNY', 'openid', 'OTHERS',
        extract(epoch from now())::bigint, 5, p_refusal)
$$;
create function test.due(p_out_trade_no text default null)
    returns table (op text, out_trade_no text, lease_no bigint)
    language sql as $$
    select op, out_trade_no, lease_no
    from wxpay.micropay_claim('1900000109', p_out_trade_no, 'nonce', 15)
$$;
create function test.asked(p_out_trade_no text, p_verdict text,
    p_fate text default '', p_lease_no bigint default null,
    p_trade_type text default 'MICROPAY', p_ago interval default '0')
    returns text language sql as $$
    select wxpay.micropay_asked('1900000109', p_out_trade_no,
        coalesce(p_lease_no, test.lease_of(p_out_trade_no)),
        test.call_of(p_out_trade_no), p_verdict, '', p_fate,
        'tx-' || p_out_trade_no, 'wx1', '', 1000, 'CNY', 'openid', 'OTHERS',
        extract(epoch from now() - p_ago)::bigint, p_trade_type, 5)
$$;
create function test.reversed(p_out_trade_no text, p_verdict text,
    p_lease_no bigint default null)
    returns text language sql as $$
    select wxpay.micropay_reversed('1900000109', p_out_trade_no,
        coalesce(p_lease_no, test.lease_of(p_out_trade_no)),
        test.call_of(p_out_trade_no), p_verdict, '', 5)
$$;
-- asked about every 5 s, until its time is over; it is reversing then
create function test.in_vain(p_out_trade_no text) returns text
    language plpgsql as $$
begin
    perform test.scanned(p_out_trade_no, 'unsure');
    perform test.pass('46 seconds');
    perform test.due();
    perform test.asked(p_out_trade_no, 'done', 'unpaid');
    perform wxpay.micropay_expire('1900000109', 100);
    return (select state from wxpay_data.payments
        where out_trade_no = p_out_trade_no);
end $$;
create view test.codes as
    select out_trade_no, state, settles, closing, next_op,
        refused_at is not null as refused, doubted_at is not null as doubted,
        case when check_at is null then 'never'
            when check_at <= clock_timestamp() then 'now' else 'later'
        end as check, leased_until > clock_timestamp() as leased
    from wxpay_data.payments order by out_trade_no;

-- paid at once; a repetition stands, and calls nobody
select * from test.scan('M-0001', 'request-of-M-0001');
select * from test.scan('M-0001', 'request-of-M-0001');
select test.scanned('M-0001', 'done');
select * from test.scan('M-0001', 'request-of-M-0001');
select * from test.scan('M-0001', 'another-request-x');
select op, outcome, code from wxpay_data.calls;
select * from test.codes;
select order_no, state, closing from test.orders;
select kind, order_no, out_trade_no, fen from test.events;

-- refused for good: the order waits for another code
select verdict from test.scan('M-0002', 'request-of-M-0002');
select test.scanned('M-0002', 'refused', '付款码已过期');
select * from test.scan('M-0002', 'request-of-M-0002');
select verdict, out_trade_no from test.scan('M-0002', 'second-of-M-0002');
select test.scanned('M-0002_2', 'done');
-- the refused one is asked about once all the same
select test.pass('6 seconds');
select * from test.due();
select test.asked('M-0002', 'missing');
select * from test.due();
select * from test.codes where out_trade_no like 'M-0002%';

-- the refusal was wrong: money overtakes it
select verdict from test.scan('M-0003', 'request-of-M-0003');
select test.scanned('M-0003', 'refused');
select test.pass('6 seconds');
select op from test.due();
select test.asked('M-0003', 'done', 'paid');
select state from test.orders where order_no = 'M-0003';

-- nothing left here
select verdict from test.scan('M-0004', 'request-of-M-0004');
select test.scanned('M-0004', 'not_sent');
select * from test.codes where out_trade_no = 'M-0004';

-- the password is asked for: paid when a query says so
select verdict from test.scan('M-0005', 'request-of-M-0005');
select verdict from test.scan('M-0005', 'second-of-M-0005');
select test.scanned('M-0005', 'unsure');
select * from test.due();
select test.pass('5 seconds');
select * from test.due();
select test.asked('M-0005', 'done', 'unpaid');
select test.pass('5 seconds');
select op from test.due();
select test.asked('M-0005', 'done', 'paid');
select wxpay.micropay_expire('1900000109', 100);

-- to the end: reversing before WeChat hears of it, and its order closes
select verdict from test.scan('M-0006', 'request-of-M-0006');
select test.scanned('M-0006', 'unsure');
select test.pass('44 seconds');
select wxpay.micropay_expire('1900000109', 100);
-- who has not looked for long looks once more
select test.pass('60 seconds');
select wxpay.micropay_expire('1900000109', 100);
select op from test.due();
-- and nobody moves it under his hands
select wxpay.micropay_expire('1900000109', 100);
select test.asked('M-0006', 'done', 'unpaid');
select wxpay.micropay_expire('1900000109', 100);
select * from test.codes where out_trade_no = 'M-0006';
select order_no, state, closing from test.orders where order_no = 'M-0006';
select verdict from test.scan('M-0006', 'second-of-M-0006');
select * from test.due();
select test.reversed('M-0006', 'done');
select * from test.codes where out_trade_no = 'M-0006';
select order_no, state from test.orders where order_no = 'M-0006';
select kind from test.events where order_no = 'M-0006';
select test.reversed('M-0006', 'done');
-- what the call itself said comes too late, but WeChat is asked; so does what
-- a query once heard
select test.scanned('M-0006', 'done', '', 1);
select op, out_trade_no from test.due();
select test.asked('M-0006', 'unsure');
select test.pass('6 seconds');
select op, out_trade_no from test.due();
select test.asked('M-0006', 'done', 'closed');
select test.asked('M-0006', 'done', 'paid', 2);
select test.paid('M-0006', 'tx-M-0006');
select * from test.unexpected;

-- reversing: paid is not believed, unknown is asked about and called again
select verdict from test.scan('M-0007', 'request-of-M-0007');
select test.in_vain('M-0007');
select op from test.due();
select test.reversed('M-0007', 'unsure');
select * from test.codes where out_trade_no = 'M-0007';
select test.pass('5 seconds');
select op from test.due();
select test.asked('M-0007', 'done', 'paid');
select op from test.due();
select test.reversed('M-0007', 'again');
select test.pass('5 seconds');
select op from test.due();
select test.reversed('M-0007', 'unsure');
select test.pass('5 seconds');
select op from test.due();
select test.asked('M-0007', 'done', 'closed');
select * from test.codes where out_trade_no = 'M-0007';

-- refused for good, and paid: paid
select verdict from test.scan('M-0008', 'request-of-M-0008');
select test.in_vain('M-0008');
select op from test.due();
select test.reversed('M-0008', 'refused');
select op from test.due();
select test.asked('M-0008', 'done', 'paid');
select * from test.codes where out_trade_no = 'M-0008';
select order_no, state, closing from test.orders where order_no = 'M-0008';
-- WeChat has done it after all: somebody must look
select test.reversed('M-0008', 'done');
select kind, out_trade_no, state, detail from test.unexpected
where out_trade_no = 'M-0008';

-- refused, but a call before may have been carried out: not at once
select verdict from test.scan('M-0009', 'request-of-M-0009');
select test.in_vain('M-0009');
select op from test.due();
select test.pass('16 seconds');           -- he died
select op from test.due();
select test.reversed('M-0009', 'refused');
select op from test.due();
select test.asked('M-0009', 'done', 'paid');
select * from test.codes where out_trade_no = 'M-0009';
select test.pass('5 seconds');
select op from test.due();
select test.reversed('M-0009', 'refused');
select test.pass('60 seconds');
select op from test.due();
select test.asked('M-0009', 'done', 'paid');
-- another doubt begins anew
select verdict from test.scan('M-0010', 'request-of-M-0010');
select test.in_vain('M-0010');
select op from test.due();
select test.reversed('M-0010', 'refused');
select op from test.due();
select test.asked('M-0010', 'unsure');
select test.pass('65 seconds');
select op from test.due();
select test.reversed('M-0010', 'unsure');
select * from test.codes where out_trade_no = 'M-0010';
select test.pass('5 seconds');
select op from test.due();
select test.asked('M-0010', 'done', 'paid');
select op from test.due();
select test.reversed('M-0010', 'done');

-- WeChat never heard of it: said twice, a minute apart
select verdict from test.scan('M-0011', 'request-of-M-0011');
select test.in_vain('M-0011');
select op from test.due();
select test.reversed('M-0011', 'denied');
select test.pass('5 seconds');
select op from test.due();
select test.asked('M-0011', 'missing');
select op from test.due();
select test.reversed('M-0011', 'denied');
select test.pass('61 seconds');
select op from test.due();
select test.asked('M-0011', 'missing');

-- the caller died: nobody knows, and it is asked about
select verdict from test.scan('M-0012', 'request-of-M-0012');
select test.pass('16 seconds');
select * from test.due();
select test.asked('M-0012', 'done', 'paid');
select test.scanned('M-0012', 'done', '', 1);

-- closed by its shopper: never by closeorder, and not before 15 s
select verdict from test.scan('M-0013', 'request-of-M-0013');
select test.scanned('M-0013', 'unsure');
select verdict from wxpay.order_close('1900000109', 'M-0013',
    test.token('M-0013'), 'nonce', 10);
select wxpay.micropay_expire('1900000109', 100);
select test.pass('14 seconds');
select wxpay.micropay_expire('1900000109', 100);
select test.pass('2 seconds');
select wxpay.micropay_expire('1900000109', 100);
select op from test.due();
select test.reversed('M-0013', 'done');
select order_no, state from test.orders where order_no = 'M-0013';

-- an order that expires while it is being reversed closes when that is done
select verdict from test.scan('M-0014', 'request-of-M-0014');
select test.in_vain('M-0014');
select test.pass('3 hours');
select wxpay.order_expire('1900000109', 100);
select order_no, state from test.orders where order_no = 'M-0014';
select op from test.due();
select test.reversed('M-0014', 'done');
select order_no, state from test.orders where order_no = 'M-0014';

-- beside a QR code
select verdict from test.scan('M-0015', 'request-of-M-0015');
select test.scanned('M-0015', 'unsure');
-- nothing else is begun meanwhile
select verdict from test.start('M-0015');
select verdict from wxpay.order_close('1900000109', 'M-0015',
    test.token('M-0015'), 'nonce', 10);
select verdict from test.scan('M-0015', 'second-of-M-0015');
select test.pass('16 seconds');
select wxpay.micropay_expire('1900000109', 100);
select op, out_trade_no from test.due();
select test.reversed('M-0015', 'done');
select order_no, state, closing from test.orders where order_no = 'M-0015';
-- and the other way round
select verdict from test.start('M-0016');
select test.prepaid('M-0016', 'done');
select verdict, out_trade_no from test.scan('M-0016', 'request-of-M-0016');
select test.paid('M-0016', 'tx-M-0016');
select test.scanned('M-0016_2', 'done');
select out_trade_no, state, settles from test.codes
where out_trade_no like 'M-0016%';
select kind, out_trade_no, detail from test.unexpected
where out_trade_no = 'M-0016_2';

-- another amount is another's payment: quarantined, closed, never reversed
select verdict from test.scan('M-0017', 'request-of-M-0017', 999);
select test.scanned('M-0017', 'paid', '', null);
select test.pass('6 seconds');
select op from test.due();
select test.asked('M-0017', 'done', 'paid');
select * from test.scan('M-0017', 'request-of-M-0017', 999);
select test.pass('60 seconds');
select wxpay.micropay_expire('1900000109', 100);
select op from test.due();
select * from test.codes where out_trade_no = 'M-0017';
select kind, out_trade_no, state from test.unexpected
where out_trade_no = 'M-0017';
select state from test.orders where order_no = 'M-0017';
-- so is one that was paid long before, or in another way
select verdict from test.scan('M-0020', 'request-of-M-0020');
select test.scanned('M-0020', 'unsure');
select test.pass('6 seconds');
select op from test.due();
select test.asked('M-0020', 'done', 'paid', null, 'MICROPAY', '25 hours');
select verdict from test.scan('M-0021', 'request-of-M-0021');
select test.scanned('M-0021', 'unsure');
select test.pass('46 seconds');
select op from test.due();
select test.asked('M-0021', 'done', 'unpaid');
select wxpay.micropay_expire('1900000109', 100);
select test.asked('M-0021', 'done', 'paid', null, 'NATIVE');
select out_trade_no, detail from test.unexpected
where out_trade_no in ('M-0020', 'M-0021');
select * from test.codes where out_trade_no in ('M-0020', 'M-0021');
select order_no, state from test.orders
where order_no in ('M-0020', 'M-0021');

-- the payer's bank says no: closed at once, and asked about once more
select verdict from test.scan('M-0022', 'request-of-M-0022');
select test.scanned('M-0022', 'unsure');
select test.pass('6 seconds');
select op from test.due();
select test.asked('M-0022', 'done', 'failed');
select * from test.codes where out_trade_no = 'M-0022';
select verdict, out_trade_no from test.scan('M-0022', 'second-of-M-0022');
select test.scanned('M-0022_2', 'done');
select test.pass('6 seconds');
select op, out_trade_no from test.due();
select test.asked('M-0022', 'done', 'failed');
select * from test.due();

-- the last that may have reversed it died after a refusal: a minute counts
select verdict from test.scan('M-0023', 'request-of-M-0023');
select test.in_vain('M-0023');
select op from test.due();
select test.reversed('M-0023', 'refused');
select op from test.due();
select test.asked('M-0023', 'done', 'unpaid');
select test.pass('61 seconds');
select op from test.due();
select test.pass('16 seconds');
select op from test.due('M-0023');
select test.asked('M-0023', 'done', 'paid');
select test.pass('6 seconds');
select op from test.due();
select test.reversed('M-0023', 'refused');
select test.pass('61 seconds');
select op from test.due();
select test.asked('M-0023', 'done', 'paid');

-- staff asks: about a reversed one, too
select out_trade_no from wxpay.order_payments('1900000109', 'M-0006');
select op, out_trade_no from test.due('M-0006');
select test.asked('M-0006', 'done', 'closed');
-- and finds money: it goes back
select test.pass('16 seconds');
select op from test.due('M-0006');
select test.asked('M-0006', 'done', 'paid');
select out_trade_no, state, kind, detail from test.unexpected
where out_trade_no = 'M-0006';
select op, out_trade_no from test.due();
select test.reversed('M-0006', 'done');
select out_trade_no, state from test.unexpected
where out_trade_no = 'M-0006';
-- WeChat knew the number when we called: only what was paid then is ours, and
-- nothing is reversed
create function pg_temp.used(p_out_trade_no text, p_code text,
    p_verdict text, p_fate text default '', p_ago interval default '0')
    returns table (told text, expired int, asked text, state text,
        refusal text, reverses bigint)
    language plpgsql as $$
begin
    perform test.scan(p_out_trade_no, 'request-of-' || p_out_trade_no);
    told := test.scanned(p_out_trade_no, 'unsure', '', null, p_code);
    perform test.pass('46 seconds');
    perform test.due();
    perform test.asked(p_out_trade_no, 'unsure');
    expired := wxpay.micropay_expire('1900000109', 100);
    perform test.pass('6 seconds');
    perform test.due();
    asked := test.asked(p_out_trade_no, p_verdict, p_fate, null, 'MICROPAY',
        p_ago);
    select p.state, p.refusal into state, refusal
    from wxpay_data.payments p where p.out_trade_no = p_out_trade_no;
    select count(*) into reverses from wxpay_data.calls c
    where c.out_trade_no = p_out_trade_no and c.op = 'reverse';
    return next;
end $$;
select * from pg_temp.used('M-0101', 'ORDERPAID', 'done', 'paid');
select * from pg_temp.used('M-0102', 'ORDERPAID', 'done', 'paid', '3 minutes');
select * from pg_temp.used('M-0103', 'ORDERPAID', 'missing');
select * from pg_temp.used('M-0104', 'OUT_TRADE_NO_USED', 'done', 'unpaid');
select * from pg_temp.used('M-0105', 'OUT_TRADE_NO_USED', 'done', 'closed');
select * from pg_temp.used('M-0106', 'INVALID_REQUEST', 'missing');
select * from pg_temp.used('M-0107', 'INVALID_REQUEST', 'done', 'paid');
-- his payer is typing, or ours: whoever it is will have paid or not
select * from pg_temp.used('M-0108', 'INVALID_REQUEST', 'done', 'unpaid');
select test.pass('6 seconds');
select op from test.due();
select test.asked('M-0108', 'done', 'failed');
-- the lease was lost: it counts all the same
select verdict from test.scan('M-0109', 'request-of-M-0109');
select test.pass('16 seconds');
select op from test.due();
select test.scanned('M-0109', 'unsure', '', 1, 'OUT_TRADE_NO_USED');
select test.asked('M-0109', 'done', 'unpaid');

-- being reversed, and paid with another amount: his, and reversed no more
select verdict from test.scan('M-0110', 'request-of-M-0110', 999);
select test.scanned('M-0110', 'unsure');
select test.pass('46 seconds');
select op from test.due('M-0110');
select test.asked('M-0110', 'unsure');
select wxpay.micropay_expire('1900000109', 100);
select op from test.due('M-0110');
select test.asked('M-0110', 'done', 'paid');
-- whoever had begun to reverse it says so now
select test.reversed('M-0110', 'done', 1);
select kind, detail from test.unexpected where out_trade_no = 'M-0110'
order by detail;

-- who asks once more may die, and hear that the payer is still typing
select verdict from test.scan('M-0111', 'request-of-M-0111');
select test.scanned('M-0111', 'refused');
select test.pass('6 seconds');
select op from test.due('M-0111');
select test.pass('16 seconds');
select "check" from test.codes where out_trade_no = 'M-0111';
select op from test.due('M-0111');
select test.asked('M-0111', 'done', 'unpaid');
select test.pass('6 seconds');
select op from test.due('M-0111');
select test.asked('M-0111', 'done', 'paid');

-- nothing hangs: his open order, a bank's no that WeChat will not reverse, and
-- one that is neither paid nor reversed
select told, asked, state from pg_temp.used('M-0112', 'INVALID_REQUEST',
    'done', 'unpaid');
select test.pass('11 minutes');
select op from test.due('M-0112');
select test.asked('M-0112', 'done', 'unpaid');
select verdict from test.scan('M-0113', 'request-of-M-0113');
select test.scanned('M-0113', 'unsure');
select test.pass('46 seconds');
select op from test.due('M-0113');
select test.asked('M-0113', 'unsure');
select wxpay.micropay_expire('1900000109', 100);
select op from test.due('M-0113');
select test.asked('M-0113', 'done', 'failed');
select test.pass('11 minutes');
select op from test.due('M-0113');
select test.asked('M-0113', 'done', 'failed');
select verdict from test.scan('M-0114', 'request-of-M-0114');
select test.scanned('M-0114', 'unsure');
select test.pass('46 seconds');
select op from test.due('M-0114');
select test.asked('M-0114', 'unsure');
select wxpay.micropay_expire('1900000109', 100);
select test.pass('1 second');
select op from test.due('M-0114');
select test.reversed('M-0114', 'refused');
select op from test.due('M-0114');
select test.asked('M-0114', 'done', 'unpaid');
select test.pass('8 days');
select op from test.due('M-0114');
select test.asked('M-0114', 'done', 'unpaid');

-- our only call was refused because of the number: what is paid later is his
select verdict from test.scan('M-0115', 'request-of-M-0115');
select test.scanned('M-0115', 'unsure', '', null, 'OUT_TRADE_NO_USED');
select op from test.due('M-0115');
select test.asked('M-0115', 'done', 'unpaid');
select op from test.due('M-0115');
select test.asked('M-0115', 'done', 'paid');
select out_trade_no, state from wxpay_data.payments
where out_trade_no between 'M-0110' and 'M-0115' order by 1;

-- payment_claim has no part in it
select * from test.claim('M-0006');
select jsonb_pretty(wxpay.order_staff('1900000109', 'M-0002')::jsonb
    - array['created_at', 'time_expire', 'paid_at']);
select wxpay.order_staff('1900000109', 'M-9999');

-- a refund of one is as of any other
select verdict, out_refund_no from test.ask('M-0001', 400);

-- what no one may write
select test.try($$ update wxpay_data.payments set state = 'reversed'
    where out_trade_no = 'M-0001' $$);
select test.try($$ update wxpay_data.payments set state = 'paid',
    transaction_id = 'x', paid_at = now() where out_trade_no = 'M-0006' $$);
select test.try($$ update wxpay_data.payments set state = 'reversing'
    where out_trade_no = 'M-0004' $$);
select verdict from test.scan('M-0018', 'request-of-M-0018');
select test.try($$ update wxpay_data.payments set state = 'reversed'
    where out_trade_no = 'M-0018' $$);
select test.try($$ update wxpay_data.payments set state = 'prepaid',
    prepay_id = 'x' where out_trade_no = 'M-0018' $$);
select test.try($$ update wxpay_data.payments set next_op = 'close'
    where out_trade_no = 'M-0018' $$);
select verdict from test.start('M-0019');
select test.try($$ update wxpay_data.payments set state = 'reversing'
    where out_trade_no = 'M-0019' $$);

-- every step of each, in order
select number, from_state, to_state, actor, reason from test.steps
where entity = 'payment' and number in ('M-0006', 'M-0008', 'M-0009');
