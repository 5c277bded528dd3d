-- events_after: the shop's events numbered above p_id, oldest first, at most
-- 1000.  A reader that remembers the last id it handled misses none.
create or replace function wxpay.events_after(p_id bigint)
    returns setof wxpay.events language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    select id, kind, order_no, out_trade_no, out_refund_no, fen, created_at
    from events
    where mchid = wxpay.shop_mchid() and id > p_id
    order by id limit 1000
$$;
