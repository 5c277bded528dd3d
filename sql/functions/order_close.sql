-- order_close: the shopper gives up.  Call again after each close that the
-- answer asked for.  Verdicts:
--   closed    the order is closed
--   call      this caller closes out_trade_no at WeChat, under lease_no
--   closing   marked; the worker closes it when WeChat lets it
--   paid      too late
--   unknown   no such order and token
create or replace function wxpay.order_close(p_mchid text, p_order_no text,
    p_token text, p_nonce text, p_lease_s int)
    returns table (verdict text, out_trade_no text, appid text,
        sub_mchid text, sub_appid text, api text, lease_no bigint,
        call_no bigint)
    language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
#variable_conflict use_column
declare
    o orders;
    p payments;
begin
    select * into o from orders
    where mchid = p_mchid and order_no = p_order_no and token = p_token
    for no key update;
    if not found then
        return query select 'unknown', null::text, null::text, null::text,
            null::text, null::text, null::bigint, null::bigint;
        return;
    end if;
    if o.state = 'pending' then
        perform actor_is('shopper', 'close');
        update orders set closing = true
        where mchid = p_mchid and order_no = p_order_no and not closing;
        perform payments_mark_closing(p_mchid, p_order_no);
        if order_finish(p_mchid, p_order_no) then
            o.state := 'closed';
        end if;
    end if;
    if o.state <> 'pending' then
        return query select o.state, null::text, null::text, null::text,
            null::text, null::text, null::bigint, null::bigint;
        return;
    end if;
    select * into p from payments
    where mchid = p_mchid and order_no = p_order_no
        and state in ('created', 'prepaid') and next_op = 'close'
        and check_at <= now() and not unsure
        and (leased_until is null or leased_until <= clock_timestamp())
    order by attempt limit 1 for no key update skip locked;
    if not found then
        return query select 'closing', null::text, null::text, null::text,
            null::text, null::text, null::bigint, null::bigint;
        return;
    end if;
    update payments set lease_no = lease_no + 1,
        claimed_at = clock_timestamp(),
        leased_until = clock_timestamp() + make_interval(secs => p_lease_s),
        check_at = clock_timestamp() + make_interval(secs => p_lease_s)
    where mchid = p_mchid and out_trade_no = p.out_trade_no
    returning * into p;
    return query select 'call', p.out_trade_no, p.appid, p.sub_mchid,
        p.sub_appid, p.api, p.lease_no,
        call_begin(p_mchid, 'close', p.out_trade_no, null, p_nonce,
            p.lease_no);
end $$;
