-- payment_lock: lock a payment, its order first, so that callers queue and
-- cannot deadlock.  All null if there is no such payment.
create or replace function wxpay_data.payment_lock(p_mchid text,
    p_out_trade_no text)
    returns wxpay_data.payments language plpgsql
    set search_path = wxpay_data, pg_temp as $$
declare
    p payments;
begin
    perform from orders o where o.mchid = p_mchid
        and o.order_no = (select order_no from payments
            where mchid = p_mchid and out_trade_no = p_out_trade_no)
        for no key update;
    select * into p from payments
    where mchid = p_mchid and out_trade_no = p_out_trade_no for no key update;
    return p;
end $$;
