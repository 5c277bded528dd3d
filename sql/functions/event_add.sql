-- event_add: tell the shop.  The event gets its number after the commit, from
-- events_number.
create or replace function wxpay_data.event_add(p_mchid text, p_kind text,
    p_order_no text, p_out_trade_no text, p_out_refund_no text, p_fen bigint)
    returns void language sql as $$
    insert into wxpay_data.events
        (mchid, kind, order_no, out_trade_no, out_refund_no, fen)
    values (p_mchid, p_kind, p_order_no, p_out_trade_no, p_out_refund_no,
        p_fen);
$$;
