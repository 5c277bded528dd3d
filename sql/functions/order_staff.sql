-- order_staff: an order as staff may see it, as JSON; null if there is none.
create or replace function wxpay.order_staff(p_mchid text, p_order_no text)
    returns text language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    select order_json(o)::text from orders o
    where o.mchid = p_mchid and o.order_no = p_order_no
$$;
