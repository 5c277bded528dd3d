-- order_state: the state of an order, for staff; null if there is none.
create or replace function wxpay.order_state(p_mchid text, p_order_no text)
    returns text language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    select state from orders where mchid = p_mchid and order_no = p_order_no
$$;
