-- Each function touches what it was called for, and nothing of another
-- merchant that has the same numbers, nor of another order. [threats R2]

select wxpay_data.merchant_add('1900000110');
insert into wxpay_data.shop_logins values ('postgres', '1900000109');
select wxpay.product_set('tea', 'Tea', 1000);
select verdict from wxpay.pay_start('1900000109', 'product', 'tea', 1, null,
    null, null, null, null, '', null, 'request-00000001', 7200, 'NATIVE',
    '', '::1', 'v2', 'wx1', '', '', false, 'nonce', 10, 300, 20);
select verdict from test.start('T-1001');
select test.prepaid('T-1001', 'done');
select verdict from test.start('T-1001', 1000, 'JSAPI', 'o1');
select verdict from test.start('T-1005');
-- two alike: T-1003 is worked on, T-1002 stands by
select n, test.order_paid(n), (select out_refund_no from test.ask(n, 100)),
    (select out_refund_no from test.refund_sent(n, 100)),
    (select out_refund_no from test.refund_sent(n, 100, 'refused', 'X')),
    test.refund_notice('hand-' || n, n, 100)
from unnest(array['T-1002', 'T-1003']) as n;
select test.paid('T-1009', 'tx9');
select order_no from wxpay.shop_order_create('T-1007', 5, 'tea', now());
select test.pass('1 hour');
update wxpay_data.refunds set due_at = now() + interval '1 day'
    where order_no = 'T-1002';
update wxpay_data.refund_hints set due_at = now() + interval '1 day'
    where out_trade_no = 'T-1002';

-- all of it once more, for another merchant
create function pg_temp.copy() returns void language plpgsql as $$
declare
    t text;
begin
    set local session_replication_role = replica;
    foreach t in array array['products', 'orders', 'request_ids', 'payments',
        'refunds', 'refund_hints', 'unexpected', 'events']
    loop
        execute format('insert into wxpay_data.%1$I overriding system value '
            'select (jsonb_populate_record(x, jsonb_build_object('
            '''mchid'', ''1900000110'', ''seq'', '
            '(to_jsonb(x) ->> ''seq'')::int + 100000))).* '
            'from wxpay_data.%1$I x', t);
    end loop;
end $$;
select pg_temp.copy();
select count(*), count(distinct mchid) from wxpay_data.refunds;

create function pg_temp.others() returns text language plpgsql as $$
declare
    t    text;
    sums text := '';
    part text;
begin
    foreach t in array array['products', 'orders', 'request_ids', 'payments',
        'refunds', 'refund_hints', 'unexpected', 'events']
    loop
        execute format('select md5(string_agg(x::text, '','' order by '
            'x::text)) from wxpay_data.%I x where mchid = ''1900000110'' or '
            '''T-1002'' in (to_jsonb(x) ->> ''order_no'', '
            'to_jsonb(x) ->> ''out_trade_no'')', t) into part;
        sums := sums || t || ' ' || part || ' ';
    end loop;
    return sums;
end $$;
-- run it, say what it said and whether others saw it, and undo it
create function pg_temp.alone(p_sql text) returns text language plpgsql as $$
declare
    before text := pg_temp.others();
    said   text;
begin
    execute p_sql into said;
    raise exception using errcode = 'ZZ000',
        message = case pg_temp.others() when before then '' else 'NOT ' end
            || 'alone: ' || coalesce(said, 'nothing');
exception when sqlstate 'ZZ000' then
    return sqlerrm;
end $$;
create table pg_temp.deeds (i serial, sql text);
insert into pg_temp.deeds (sql) values
    ('select wxpay.product_set(''tea'', ''Tee'', 5) is null'),
    ('select order_no from wxpay.shop_order_create(''T-1006'', 5, ''x'')'),
    ('select verdict from wxpay.pay_start(''1900000109'', ''product'',
        ''tea'', 1, null, null, 1000, null, null, '''', ''https://x/'',
        ''request-00000001'', 7200, ''JSAPI'', ''o1'', ''::1'', ''v2'',
        ''wx1'', '''', '''', false, ''nonce'', 10, 300, 20)'),
    ('select verdict from wxpay.pay_start(''1900000109'', ''product'',
        ''tea'', 1, null, null, 999, null, null, '''', null,
        ''request-00000002'', 7200, ''JSAPI'', ''o1'', ''::1'', ''v2'',
        ''wx1'', '''', '''', false, ''nonce'', 10, 300, 20)'),
    ('select verdict from test.start(''T-1001'')'),
    ('select verdict from test.start(''T-1001'', 1000, ''JSAPI'', ''o1'')'),
    ('select wxpay.payment_prepaid(''1900000109'', ''T-1005'', 1, 0,
        ''done'', '''', ''p'', ''w'', '''', 20)'),
    ('select wxpay.payment_prepaid(''1900000109'', ''T-1005'', 1, 0,
        ''closed'', '''', '''', '''', '''', 20)'),
    ('select count(*) from wxpay.payment_claim(''1900000109'', null,
        ''n'', 10)'),
    ('select out_trade_no from wxpay.payment_claim(''1900000109'',
        ''T-1001'', ''n'', 10)'),
    ('select wxpay.payment_told(''1900000109'', ''T-1005'', 1, 0, ''done'',
        '''', ''unpaid'', '''', '''', '''', 0, '''', '''', '''', 0, 30)'),
    ('select wxpay.payment_told(''1900000109'', ''T-1005'', 1, 0, ''done'',
        '''', ''closed'', '''', '''', '''', 0, '''', '''', '''', 0, 30)'),
    ('select wxpay.payment_told(''1900000109'', ''T-1005'', 1, 0, ''done'',
        '''', ''paid'', ''tx5'', ''wx1'', '''', 1, '''', '''', '''', 1, 30)'),
    ('select wxpay.payment_told(''1900000109'', ''T-1001_2'', 1, 0, ''done'',
        '''', ''paid'', ''tx5'', ''wx1'', '''', 1000, '''', '''', '''',
        4102444800, 30)'),
    ('select wxpay.payment_closed(''1900000109'', ''T-1001'', 1, 0, ''done'',
        '''', 30)'),
    ('select wxpay.notice_paid(''1900000109'', ''v2'', ''r'', '''', ''\x00'',
        ''T-1001'', ''tx5'', ''wx1'', '''', 1000, '''', '''', '''',
        4102444800)'),
    ('select wxpay.notice_paid(''1900000109'', ''v2'', ''r'', '''', ''\x00'',
        ''T-1009'', ''tx9'', ''wx1'', '''', 1000, '''', '''', '''', 1)'),
    ('select verdict from wxpay.order_close(''1900000109'', ''T-1001'',
        test.token(''T-1001''), ''n'', 10)'),
    ('select wxpay.order_check(''1900000109'', ''T-1001'',
        test.token(''T-1001''))'),
    ('select wxpay.order_expire(''1900000109'', 100)'),
    ('select verdict from test.ask(''T-1003'', 100)'),
    ('select verdict from test.decide(''RT-1003-1'', ''approve'')'),
    ('select verdict from test.decide(''RT-1003-1'', ''reject'')'),
    ('select verdict from test.decide(''RT-1003-3'', ''retry'')'),
    ('select out_refund_no from wxpay.refund_claim(''1900000109'', null,
        ''n'', 10)'),
    ('select wxpay.refund_told(''1900000109'', ''RT-1003-2'', ''query'', 2,
        0, ''done'', '''', ''success'', ''x'', ''T-1003'', '''', 100, 0, 60,
        60)'),
    ('select wxpay.refund_told(''1900000109'', ''RT-1003-3'', ''query'', 2,
        0, ''done'', '''', ''success'', ''x'', ''T-1003'', '''', 100, 0, 60,
        60)'),
    ('select wxpay.refund_told(''1900000109'', ''RT-1003-2'', ''query'', 2,
        0, ''done'', '''', ''success'', ''x'', ''T-1003'', '''', 9, 0, 60,
        60)'),
    ('select wxpay.refund_told(''1900000109'', ''hand-T-1003'', ''hint'', 0,
        0, ''done'', '''', ''success'', ''x'', ''T-1003'', '''', 900, 0, 60,
        60)'),
    ('select wxpay.refund_told(''1900000109'', ''hand-T-1003'', ''hint'', 0,
        0, ''done'', '''', ''success'', ''x'', ''T-1003'', '''', 800, 0, 60,
        60)'),
    ('select test.refund_notice(''RT-1003-2'', ''T-1003'', 100)'),
    ('select test.refund_notice(''hand-T-1003'', ''T-1003'', 100)'),
    ('select test.refund_notice(''hand-2'', ''T-1003'', 100)');
select pg_temp.alone(sql), regexp_replace(sql, '\s+', ' ', 'g') as deed
from pg_temp.deeds order by i;

-- under a lease that is held: the same of a claimed refund
update wxpay_data.refunds set leased_until = now() + interval '1 hour'
    where out_refund_no = 'RT-1003-2';
update wxpay_data.refunds set leased_until = now() + interval '1 hour'
    where out_refund_no = 'RT-1002-2';
select v, f, pg_temp.alone(format('select wxpay.refund_told(''1900000109'',
    ''RT-1003-2'', ''query'', 2, 0, %L, '''', %L, '''', ''T-1003'', '''',
    100, 0, 60, 60)', v, f))
from (values ('done', 'processing'), ('done', 'closed'),
    ('done', 'abnormal'), ('missing', '')) as outcomes (v, f);
select v, pg_temp.alone(format('select wxpay.refund_told(''1900000109'',
    ''RT-1003-2'', ''send'', 2, 0, %L, '''', '''', '''', null, null, null,
    null, 60, 60)', v))
from unnest(array['done', 'refused', 'denied', 'no_money', 'again']) as v;
-- second money, and its way back, closes its own row and no other
select test.paid('T-1001', 'tx5'), test.paid('T-1001_2', 'tx6');
insert into wxpay_data.unexpected (mchid, kind, order_no, out_trade_no,
    transaction_id, total_fen, detail)
select mchid, 'payment', order_no, out_trade_no, transaction_id, 1, 'other'
from wxpay_data.payments where out_trade_no = 'T-1002';
select pg_temp.alone('select wxpay.refund_told(''1900000109'', ''hand-3'',
    ''hint'', 0, 0, ''done'', '''', ''success'', ''x'', ''T-1001_2'', '''',
    1000, 0, 60, 60)');
-- the other's events are not numbered by this one's worker
select wxpay.events_number('1900000109') > 0, count(*)
from wxpay_data.events where mchid = '1900000110' and id is not null;
