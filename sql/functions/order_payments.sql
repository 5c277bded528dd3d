-- order_payments: the open payments of an order, for who wants to ask WeChat
-- about each now.  "closed" ones are asked too: money may have overtaken us.
create or replace function wxpay.order_payments(p_mchid text,
    p_order_no text)
    returns table (out_trade_no text, state text)
    language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    select out_trade_no, state from payments
    where mchid = p_mchid and order_no = p_order_no and state <> 'paid'
    order by attempt
$$;
