-- quarantine: money that does not fit what we know.  Stands once, however
-- often it is told; the first telling is an event.
create or replace function wxpay_data.quarantine(p_mchid text, p_kind text,
    p_order_no text, p_out_trade_no text, p_transaction_id text,
    p_out_refund_no text, p_total_fen bigint, p_detail text)
    returns void language plpgsql as $$
begin
    insert into wxpay_data.unexpected (mchid, kind, order_no, out_trade_no,
        transaction_id, out_refund_no, total_fen, detail)
    values (p_mchid, p_kind, p_order_no, p_out_trade_no,
        coalesce(p_transaction_id, ''), coalesce(p_out_refund_no, ''),
        p_total_fen, p_detail)
    on conflict on constraint unexpected_stands_once do nothing;
    if found then
        perform wxpay_data.event_add(p_mchid, 'order.unexpected',
            p_order_no, p_out_trade_no, nullif(p_out_refund_no, ''),
            p_total_fen);
    end if;
end $$;
