-- order_finish: close an order that is to be closed, or has expired, once no
-- payment of it can be paid any more.  The caller has locked the order.
-- Returns true if it is closed now.
create or replace function wxpay_data.order_finish(p_mchid text,
    p_order_no text)
    returns boolean language plpgsql
    set search_path = wxpay_data, pg_temp as $$
begin
    update orders o set state = 'closed', closed_at = now()
    where mchid = p_mchid and order_no = p_order_no and state = 'pending'
        and (closing or time_expire <= now())
        and not exists (select from payments p
            where p.mchid = o.mchid and p.order_no = o.order_no
                and p.state in ('created', 'prepaid', 'reversing'));
    if found then
        perform event_add(p_mchid, 'order.closed', p_order_no, null, null,
            null);
    end if;
    return exists (select from orders where mchid = p_mchid
        and order_no = p_order_no and state = 'closed');
end $$;
