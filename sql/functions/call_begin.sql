-- call_begin: write a call to WeChat into the journal before it is made.
-- Returns its number.
create or replace function wxpay_data.call_begin(p_mchid text, p_op text,
    p_out_trade_no text, p_out_refund_no text, p_nonce text,
    p_lease_no bigint)
    returns bigint language sql as $$
    insert into wxpay_data.calls
        (mchid, op, out_trade_no, out_refund_no, nonce, lease_no)
    values (p_mchid, p_op, p_out_trade_no, p_out_refund_no, p_nonce,
        p_lease_no)
    returning call_no
$$;
