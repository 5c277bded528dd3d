-- transaction_told: what became of such a query.  Nothing moves by it: who
-- has the order asks about its payments.  Returns the order of that payment;
-- null if there is none.
create or replace function wxpay.transaction_told(p_mchid text,
    p_call_no bigint, p_verdict text, p_code text, p_out_trade_no text)
    returns text language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
begin
    perform call_end(p_call_no, p_verdict, p_code);
    return (select order_no from payments
        where mchid = p_mchid and out_trade_no = p_out_trade_no);
end $$;
