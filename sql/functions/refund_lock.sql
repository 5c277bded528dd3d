-- refund_lock: lock a refund; its order and its payment first, so that callers
-- queue and cannot deadlock.  All null if there is no such refund.
create or replace function wxpay_data.refund_lock(p_mchid text,
    p_out_refund_no text)
    returns wxpay_data.refunds language plpgsql
    set search_path = wxpay_data, pg_temp as $$
declare
    r refunds;
begin
    perform payment_lock(p_mchid, (select out_trade_no from refunds
        where mchid = p_mchid and out_refund_no = p_out_refund_no));
    select * into r from refunds
    where mchid = p_mchid and out_refund_no = p_out_refund_no for no key update;
    return r;
end $$;
