-- Each road between states is in a table, and there is no other: every pair,
-- tried as raw SQL by who may write the tables. [threats I22, R3]

-- A row in state p_from is put there behind the triggers' back; then the step
-- is tried with the facts that the new state wants.
create function pg_temp.order_try(p_from text, p_to text) returns text
    language plpgsql as $$
begin
    if p_from is not null then
        set local session_replication_role = replica;
    end if;
    insert into wxpay_data.orders (mchid, order_no, token, origin, state,
        total_fen, body, time_expire, paid_at, closed_at)
    values ('1900000109', 'T-1001', 't', 'shop', coalesce(p_from, p_to), 5,
        'tea', now(),
        case coalesce(p_from, p_to) when 'paid' then now() end,
        case coalesce(p_from, p_to) when 'closed' then now() end);
    set local session_replication_role = origin;
    if p_from is not null then
        update wxpay_data.orders set state = p_to,
            paid_at = case p_to when 'paid' then now() end,
            closed_at = case p_to when 'closed' then now() end;
    end if;
    return (select count(*) || ' journalled' from wxpay_data.steps
        where number = 'T-1001'
            and from_state is not distinct from p_from and to_state = p_to);
end $$;

create function pg_temp.payment_try(p_from text, p_to text) returns text
    language plpgsql as $$
begin
    set local session_replication_role = replica;
    insert into wxpay_data.orders (mchid, order_no, token, origin,
        total_fen, body, time_expire)
    values ('1900000109', 'T-1001', 't', 'shop', 5, 'tea', now());
    if p_from is null then
        set local session_replication_role = origin;
    end if;
    insert into wxpay_data.payments (mchid, out_trade_no, order_no, attempt,
        api, appid, trade_type, client_ip, total_fen, close_at, state,
        prepay_id, transaction_id, paid_at)
    values ('1900000109', 'T-1001', 'T-1001', 1, 'v2', 'wx1', 'NATIVE',
        '::1', 5, now(), coalesce(p_from, p_to), 'p',
        case coalesce(p_from, p_to) when 'paid' then 'x' end,
        case coalesce(p_from, p_to) when 'paid' then now() end);
    set local session_replication_role = origin;
    if p_from is not null then
        update wxpay_data.payments set state = p_to,
            transaction_id = case p_to when 'paid' then 'x' end,
            paid_at = case p_to when 'paid' then now() end;
    end if;
    return (select count(*) || ' journalled' from wxpay_data.steps
        where number = 'T-1001' and entity = 'payment'
            and from_state is not distinct from p_from and to_state = p_to);
end $$;

create function pg_temp.refund_try(p_from text, p_to text) returns text
    language plpgsql as $$
declare
    at text := coalesce(p_from, p_to);
begin
    perform pg_temp.payment_try('prepaid', 'paid');
    if p_from is not null then
        set local session_replication_role = replica;
    end if;
    insert into wxpay_data.refunds (mchid, out_refund_no, order_no,
        out_trade_no, state, origin, refund_fen, requested_by, send_at,
        refunded_at, failure)
    values ('1900000109', 'RT-1001-1', 'T-1001', 'T-1001', at, 'staff', 2,
        'alice', now(), case at when 'refunded' then now() end,
        case at when 'failed' then 'CLOSED' end);
    -- what the triggers would have summed up
    if p_from is not null then
        update wxpay_data.payments set refund_count = (at <> 'rejected')::int,
            reserved_fen = case when at in ('rejected', 'failed') then 0
                else 2 end,
            refunded_fen = case at when 'refunded' then 2 else 0 end;
    end if;
    set local session_replication_role = origin;
    if p_from is not null then
        update wxpay_data.refunds set state = p_to,
            refunded_at = case p_to when 'refunded' then now() end,
            failure = case p_to when 'failed' then 'CLOSED' end;
    end if;
    return (select count(*) || ' journalled, sums '
            || (select concat_ws(' ', reserved_fen, refunded_fen,
                refund_count) from wxpay_data.payments)
        from wxpay_data.steps where number = 'RT-1001-1'
            and from_state is not distinct from p_from and to_state = p_to);
end $$;

create function pg_temp.all_of(p_function text, p_states text[])
    returns table (from_state text, to_state text, said text)
    language plpgsql as $$
begin
    for from_state, to_state in
        select f, t from unnest(array[null] || p_states) with ordinality
                as a(f, i), unnest(p_states) with ordinality as b(t, j)
        order by i, j
    loop
        begin
            execute format('select pg_temp.%I($1, $2)', p_function)
                into said using from_state, to_state;
            raise exception using errcode = 'ZZ000';
        exception when sqlstate 'ZZ000' then
            null;
        when others then
            said := sqlerrm;
        end;
        return next;
    end loop;
end $$;

select * from wxpay_data.order_step order by 1, 2;
select * from pg_temp.all_of('order_try', '{pending,paid,closed}');
select * from wxpay_data.payment_step order by 1, 2;
select * from pg_temp.all_of('payment_try',
    '{created,prepaid,paid,closed}');
select * from wxpay_data.refund_step order by 1, 2;
select * from pg_temp.all_of('refund_try',
    '{pending,refunding,refunded,failed,rejected}');

-- a state that is no state
select test.try($$insert into wxpay_data.orders (mchid, order_no, token,
    origin, total_fen, body, time_expire, state) values ('1900000109',
    'T-1009', 't', 'shop', 1, 'x', now(), 'free')$$);

-- rows stay
select test.order_paid('T-2001');
select state from test.refund_sent('T-2001', 100);
select test.try('delete from wxpay_data.orders');
select test.try('delete from wxpay_data.payments');
select test.try('delete from wxpay_data.refunds');
select test.try('truncate wxpay_data.refunds');
select test.try('truncate wxpay_data.orders cascade');

-- who did it: what our functions say, and what PostgreSQL knows
set session authorization wxpay_pay;
set wxpay.actor = 'the boss';
select verdict from wxpay.pay_start('1900000109', 'signed', null, null,
    'T-3001', null, 5, 'tea', 4102444800, '', null, null, 7200, 'NATIVE', '',
    '::1', 'v2', 'wx1', '', '', false, 'nonce', 10, 300, 20);
reset session authorization;
select * from test.steps where number like 'T-3%' or number like 'RT-2%';
