-- orders_list: orders for staff, newest first, as JSON.  p_state, p_order_no:
-- null for all.  p_after: the "next" of the page before, null for the first.
create or replace function wxpay.orders_list(p_mchid text, p_state text,
    p_order_no text, p_after bigint, p_limit int)
    returns text language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    with page as (
        select seq from orders
        where mchid = p_mchid
            and (p_state is null or state = p_state)
            and (p_order_no is null or order_no = p_order_no)
            and (p_after is null or seq < p_after)
        order by seq desc limit p_limit + 1),
    shown as (select seq from page order by seq desc limit p_limit)
    select jsonb_build_object(
        'orders', coalesce((select jsonb_agg(order_json(o)
            order by o.seq desc) from orders o
            where o.mchid = p_mchid and o.seq in (select seq from shown)),
            '[]'),
        'next', (select min(seq) from shown
            where (select count(*) from page) > p_limit))::text
$$;
