-- unexpected_returned: money that came in unexpectedly under this number has
-- gone back, once all of it has.
create or replace function wxpay_data.unexpected_returned(p_mchid text,
    p_out_trade_no text)
    returns void language sql as $$
    update wxpay_data.unexpected u set state = 'returned'
    from wxpay_data.payments p
    where p.mchid = p_mchid and p.out_trade_no = p_out_trade_no
        and not p.settles and p.refunded_fen = p.total_fen
        and u.mchid = p.mchid and u.out_trade_no = p.out_trade_no
        and u.transaction_id = p.transaction_id
        and u.kind = 'payment' and u.state = 'open';
$$;
