-- unexpected_returned: a refund stands in the books now.  It is unexpected no
-- longer; nor is the money that came in under this number, once all of it has
-- gone back.
create or replace function wxpay_data.unexpected_returned(p_mchid text,
    p_out_trade_no text, p_out_refund_no text)
    returns void language sql as $$
    update wxpay_data.unexpected set state = 'returned'
    where mchid = p_mchid and out_trade_no = p_out_trade_no
        and out_refund_no = p_out_refund_no
        and kind = 'refund' and state = 'open';
    update wxpay_data.unexpected u set state = 'returned'
    from wxpay_data.payments p
    where p.mchid = p_mchid and p.out_trade_no = p_out_trade_no
        and not p.settles and p.refunded_fen = p.total_fen
        and u.mchid = p.mchid and u.out_trade_no = p.out_trade_no
        and u.transaction_id = p.transaction_id
        and u.kind = 'payment' and u.state = 'open';
$$;
