-- micropay_gone: a payment by a code is closed or reversed: what came in under
-- its number has gone back, and its order may be closed.  The caller has
-- locked the order.
create or replace function wxpay_data.micropay_gone(p wxpay_data.payments)
    returns void language plpgsql
    set search_path = wxpay_data, pg_temp as $$
begin
    update unexpected set state = 'returned'
    where mchid = p.mchid and out_trade_no = p.out_trade_no
        and kind in ('payment', 'differs') and state = 'open';
    perform order_finish(p.mchid, p.order_no);
end $$;
