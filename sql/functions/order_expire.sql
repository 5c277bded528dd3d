-- order_expire: what time_expire brings: the payments of an expired order are
-- closed at WeChat, an order without one is closed here.  At most p_limit
-- orders; returns how many.
create or replace function wxpay.order_expire(p_mchid text, p_limit int)
    returns int language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
declare
    o       orders;
    expired int := 0;
begin
    for o in
        select * from orders
        where mchid = p_mchid and state = 'pending' and not closing
            and time_expire <= now()
        order by time_expire limit p_limit
        for no key update skip locked
    loop
        perform actor_is(null, 'expired');
        update orders set closing = true
        where mchid = p_mchid and order_no = o.order_no;
        perform payments_mark_closing(p_mchid, o.order_no);
        perform order_finish(p_mchid, o.order_no);
        expired := expired + 1;
    end loop;
    return expired;
end $$;
