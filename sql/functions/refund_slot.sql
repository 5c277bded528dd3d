-- refund_slot: when the next refund call of an order may leave: WeChat wants
-- a minute between two refunds of one order.  The caller has locked the
-- order, so two cannot get the same slot.
create or replace function wxpay_data.refund_slot(p_mchid text,
    p_order_no text, p_gap_s int)
    returns timestamptz language sql as $$
    select greatest(clock_timestamp(),
        (select max(send_at) + make_interval(secs => p_gap_s)
         from wxpay_data.refunds
         where mchid = p_mchid and order_no = p_order_no))
$$;
