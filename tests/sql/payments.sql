-- Asking and closing: leases, the schedule, each outcome; what the shopper and
-- the clock may close. [threats I8 R14]

-- nothing is due at first; then the one that has been due longest, once
select test.start('T-1001'), test.start('T-1002');
select test.prepaid('T-1001', 'done'), test.prepaid('T-1002', 'done');
select * from test.claim();
select test.pass('21 seconds');
select * from test.claim();
select * from test.claim();
select * from test.claim();
-- the answer gives the lease back and says when to ask again
select test.told('T-1001', 'done', 'unpaid');
select * from test.payments;
select * from test.claim();
select test.pass('31 seconds');
-- the other's caller died: the next one takes over, and the dead one's words
-- count no more
select * from test.claim();
select * from test.claim();
select * from test.claim();
select test.told('T-1002', 'done', 'closed', 2);
select * from test.payments where out_trade_no = 'T-1002';
select op, lease_no, outcome from wxpay_data.calls
    where out_trade_no = 'T-1002' order by call_no;
-- but for one thing: that it was paid
select test.told('T-1002', 'done', 'paid', 2, 'tx1002');
select * from test.payments where out_trade_no = 'T-1002';
select test.told('T-1002', 'done', 'unpaid', 3);

-- a particular one: now, whatever the schedule says, unless somebody has it
select * from test.claim('T-1001');
select test.told('T-1001', 'unsure');
select * from test.claim('T-1001');
select * from test.claim('T-1001');
select test.told('T-1001', 'again');
select * from test.claim('T-1002');
select * from test.claim('T-9999');

-- each outcome of a query, of an open and of a closing payment
create function pg_temp.asked(p_order_no text, p_is_closing boolean,
    p_is_unsure boolean, p_verdict text, p_fate text)
    returns table (said text, state text, unsure boolean, next_op text,
        due text) language plpgsql as $$
begin
    perform test.start(p_order_no);
    if not p_is_unsure then
        perform test.prepaid(p_order_no, 'done');
    end if;
    perform test.pass('11 seconds');
    if p_is_closing then
        perform wxpay.order_close('1900000109', p_order_no,
            test.token(p_order_no), 'nonce', 10);
    end if;
    perform test.claim(p_order_no);
    said := test.told(p_order_no, p_verdict, p_fate);
    return query select said, p.state, p.unsure, p.next_op,
        coalesce(round(extract(epoch from p.check_at - now()) / 5) * 5 || ' s',
            'never')
    from wxpay_data.payments p where out_trade_no = p_order_no;
end $$;
select case c when 1 then 'closing' else 'open' end as payment,
    case u when 1 then 'unsure' else 'prepaid' end as prepay, v, f, asked.*
from generate_series(0, 1) c, generate_series(0, 1) u,
    (values (1, 'done', 'unpaid'), (2, 'done', 'closed'), (3, 'done', ''),
        (4, 'missing', ''), (5, 'unsure', ''), (6, 'again', ''),
        (7, 'not_sent', ''), (8, 'refused', ''), (9, 'denied', ''))
        as outcomes (i, v, f),
    lateral pg_temp.asked('T-2' || c || u || '00' || i, c = 1, u = 1, v, f)
        as asked
order by c, u, i;
update wxpay_data.payments set check_at = null;

-- "I have paid": asked soon, once in five seconds
select verdict from test.start('T-3001');
select test.prepaid('T-3001', 'done');
select wxpay.order_check('1900000109', 'T-3001', test.token('T-3001'));
select wxpay.order_check('1900000109', 'T-3001', test.token('T-3001'));
select wxpay.order_check('1900000109', 'T-3001', 'wrong');
select * from test.claim('T-3001');
select test.pass('5 seconds');
-- said again while somebody asks: asked again right after
select wxpay.order_check('1900000109', 'T-3001', test.token('T-3001'));
select * from test.claim();
select test.told('T-3001', 'done', 'unpaid');
select * from test.payments where out_trade_no = 'T-3001';
select * from test.claim();
select test.told('T-3001', 'done', 'unpaid');
select * from test.payments where out_trade_no = 'T-3001';
-- said of one that is closing and young: a question, not a close
select verdict from wxpay.order_close('1900000109', 'T-3001',
    test.token('T-3001'), 'nonce', 10);
select * from test.claim('T-3001');
select test.pass('6 seconds');
select wxpay.order_check('1900000109', 'T-3001', test.token('T-3001'));
select test.told('T-3001', 'done', 'unpaid');
select * from test.payments where out_trade_no = 'T-3001';
select test.paid('T-3001', 'tx3001');
select wxpay.order_check('1900000109', 'T-3001', test.token('T-3001'));

-- the shopper gives up: without a payment at once
create role shop login in role wxpay_shop;
set session authorization shop;
select order_no from wxpay.shop_order_create('T-4001', 10, 'tea');
reset session authorization;
select verdict from wxpay.order_close('1900000109', 'T-4001', 'wrong',
    'nonce', 10);
select verdict from wxpay.order_close('1900000109', 'T-4001',
    test.token('T-4001'), 'nonce', 10);
select verdict from wxpay.order_close('1900000109', 'T-4001',
    test.token('T-4001'), 'nonce', 10);
select wxpay.order_check('1900000109', 'T-4001', test.token('T-4001'));
-- a young payment: later, by the worker
select verdict from test.start('T-4002');
select test.prepaid('T-4002', 'done');
select * from wxpay.order_close('1900000109', 'T-4002',
    test.token('T-4002'), 'nonce', 10);
select test.pass('4 minutes 50 seconds');
select * from test.claim();
select test.pass('11 seconds');
select * from test.claim();
select * from wxpay.order_close('1900000109', 'T-4002',
    test.token('T-4002'), 'nonce', 10);
select test.closed('T-4002', 'unsure');
select * from test.payments where out_trade_no = 'T-4002';
select test.pass('31 seconds');
select * from test.claim();
select test.closed('T-4002', 'closed');
select * from test.orders where order_no = 'T-4002';
-- an old one: this caller, and each attempt in its turn
select verdict from test.start('T-4003');
select test.prepaid('T-4003', 'done');
select verdict from test.start('T-4003', 1000, 'JSAPI', 'o1');
select test.prepaid('T-4003_2', 'done');
select test.pass('6 minutes');
select verdict, out_trade_no, appid, lease_no from wxpay.order_close(
    '1900000109', 'T-4003', test.token('T-4003'), 'nonce', 10);
select out_trade_no, leased from test.payments
    where out_trade_no like 'T-4003%';
select test.closed('T-4003', 'done');
select verdict, out_trade_no, appid, lease_no from wxpay.order_close(
    '1900000109', 'T-4003', test.token('T-4003'), 'nonce', 10);
select test.closed('T-4003_2', 'done');
select verdict from wxpay.order_close('1900000109', 'T-4003',
    test.token('T-4003'), 'nonce', 10);
select kind from test.events where order_no = 'T-4003';
-- too late
select test.order_paid('T-4004');
select verdict from wxpay.order_close('1900000109', 'T-4004',
    test.token('T-4004'), 'nonce', 10);

-- each outcome of closeorder
create function pg_temp.close(p_order_no text, p_verdict text)
    returns table (said text, order_state text, state text, next_op text,
        due text) language plpgsql as $$
begin
    perform test.start(p_order_no);
    perform test.prepaid(p_order_no, 'done');
    perform test.pass('6 minutes');
    perform wxpay.order_close('1900000109', p_order_no,
        test.token(p_order_no), 'nonce', 10);
    said := test.closed(p_order_no, p_verdict);
    return query select said, o.state, p.state, p.next_op,
        coalesce(round(extract(epoch from p.check_at - now()) / 5) * 5 || ' s',
            'never')
    from wxpay_data.payments p join wxpay_data.orders o using (order_no)
    where out_trade_no = p_order_no;
end $$;
select v, c.* from unnest(array['done', 'closed', 'missing', 'paid',
        'refused', 'denied', 'unsure', 'again', 'not_sent'])
        with ordinality as u(v, i),
    lateral pg_temp.close('T-50' || to_char(i, 'FM00'), v) c
order by i;
-- under an old lease, and told twice
select verdict from test.start('T-5101');
select test.pass('6 minutes');
select verdict, out_trade_no from wxpay.order_close('1900000109', 'T-5101',
    test.token('T-5101'), 'nonce', 10);
select * from test.claim('T-5101');
select test.closed('T-5101', 'done', 1);
select test.told('T-5101', 'missing');
select test.closed('T-5101', 'done', 2), test.closed('T-5101', 'done', 2);

-- time_expire: an order without a payment closes here, one with a payment
-- after WeChat has closed that
create function pg_temp.expire() returns int language sql as $$
    select wxpay.order_expire('1900000109', 100)
$$;
set session authorization shop;
select order_no from wxpay.shop_order_create('T-6001', 10, 'tea',
    now() + interval '1 minute');
reset session authorization;
select verdict from test.start('T-6002');
select test.prepaid('T-6002', 'done');
select pg_temp.expire();
select test.pass('3 hours');
select pg_temp.expire(), pg_temp.expire();
select * from test.orders where order_no like 'T-600%';
select * from test.payments where out_trade_no like 'T-600%';
select count(*) > 0 from test.claim();
select test.closed('T-6002', 'done', 99), test.closed('T-6002', 'done');
select * from test.orders where order_no like 'T-600%';
select order_no, kind from test.events where order_no like 'T-600%';
select to_state, actor, reason from test.steps
    where entity = 'order' and number like 'T-600%' and from_state = 'pending';
-- not more than asked for, the oldest first
set session authorization shop;
select count(*) from generate_series(1, 5) i,
    wxpay.shop_order_create('T-610' || i, 10, 'tea',
        now() - make_interval(mins => i));
reset session authorization;
select wxpay.order_expire('1900000109', 2);
select order_no from test.orders where order_no like 'T-610%'
    and state = 'closed' order by 1;
select wxpay.order_expire('1900000109', 100);

-- for staff: the payments that WeChat may still be asked about
select verdict from test.start('T-7001');
select verdict from test.start('T-7001', 1000, 'JSAPI', 'o1');
select * from wxpay.order_payments('1900000109', 'T-7001');
select test.paid('T-7001', 'tx7001');
select * from wxpay.order_payments('1900000109', 'T-7001');

-- what the page may show: a link while it can be used
create function pg_temp.link() returns table (shown text, qr text)
    language sql as $$
    select wxpay.order_show('1900000109', 'T-8001',
            test.token('T-8001'))::jsonb ->> 'code_url',
        wxpay.order_code_url('1900000109', 'T-8001', test.token('T-8001'))
$$;
select verdict from test.start('T-8000');
select test.prepaid('T-8000', 'done');
select verdict from test.start('T-8001');
select * from pg_temp.link();
select test.prepaid('T-8001', 'done');
select * from pg_temp.link();
select wxpay.order_code_url('1900000109', 'T-8001', 'wrong');
select verdict from wxpay.order_close('1900000109', 'T-8001',
    test.token('T-8001'), 'nonce', 10);
select * from pg_temp.link();

-- the number is another system's: what is open there is left alone, and the
-- next attempt has a number of its own
select verdict from test.start('T-8201');
select test.prepaid('T-8201', 'unsure', null, 'OUT_TRADE_NO_USED');
select verdict, out_trade_no from test.start('T-8201');
select test.told('T-8201', 'done', 'unpaid');
select verdict, out_trade_no from test.start('T-8201');
select test.prepaid('T-8201_2', 'done');
-- nobody has it after all; V3 spells it so, too
select verdict from test.start('T-8205');
select test.prepaid('T-8205', 'refused', null, 'INVALID_REQUEST');
select verdict from test.start('T-8205');
select test.told('T-8205', 'missing');
select verdict, out_trade_no from test.start('T-8205');
select verdict from test.start('T-8202');
select test.prepaid('T-8202', 'unsure', null, 'OUTTRADENOUSED');
select verdict from wxpay.order_close('1900000109', 'T-8202',
    test.token('T-8202'), 'nonce', 10);
select out_trade_no, op from test.claim('T-8202');
select test.told('T-8202', 'missing');
select state from test.orders where order_no = 'T-8202';
-- paid, and not by ours: over, if nobody holds anything of ours
select verdict from test.start('T-8203');
select test.prepaid('T-8203', 'paid', null, 'ORDERPAID');
select op from test.claim('T-8203');
select test.told('T-8203', 'done', 'paid', null, 'tx-T-8203', 999);
select verdict, out_trade_no from test.start('T-8203');
-- ours, paid with another amount: asked about until it expires
select verdict from test.start('T-8204');
select test.prepaid('T-8204', 'done');
select op from test.claim('T-8204');
select test.told('T-8204', 'done', 'paid', null, 'tx-T-8204', 999);
select verdict, out_trade_no from test.start('T-8204');
select verdict from wxpay.order_close('1900000109', 'T-8204',
    test.token('T-8204'), 'nonce', 10);
select op from test.claim('T-8204');
select test.told('T-8204', 'done', 'paid', null, 'tx-T-8204', 999);
-- closing already when WeChat says so: asked about, never closed at WeChat
select verdict from test.start('T-8206');
select verdict, out_trade_no from test.start('T-8206', 1000, 'JSAPI', 'o1');
select test.prepaid('T-8206', 'unsure', null, 'OUT_TRADE_NO_USED');
select test.pass('10 minutes');
select next_op from wxpay_data.payments where out_trade_no = 'T-8206';
-- paid before we ordered, when nobody could have paid ours
select verdict from test.start('T-8207');
select test.prepaid('T-8207', 'paid', null, 'ORDERPAID');
select verdict from test.start('T-8207');
select wxpay.payment_told('1900000109', 'T-8207', p.lease_no, 0, 'done', '',
    'paid', 'tx-T-8207', 'wx1', '', 1000, 'CNY', 'o', 'OTHERS',
    extract(epoch from now())::bigint - 120, 30)
from wxpay_data.payments p where out_trade_no = 'T-8207';
select detail from test.unexpected where out_trade_no = 'T-8207';
-- used, says one, and the other knows of nothing: another number
select verdict from test.start('T-8208');
select test.prepaid('T-8208', 'unsure', null, 'OUT_TRADE_NO_USED');
select verdict from test.start('T-8208');
select test.told('T-8208', 'missing');
select verdict, out_trade_no from test.start('T-8208');
select order_no, state from test.orders where order_no like 'T-820%'
order by order_no;
select out_trade_no, state from wxpay_data.payments
where order_no like 'T-820%' order by out_trade_no;
