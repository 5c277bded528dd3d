-- payments_mark_closing: every open payment of an order is to be closed at
-- WeChat, each as soon as it is old enough; a payment by a code is reversed,
-- 15 seconds after its call at the earliest [v2.md 7.2].  The caller has
-- locked the order.
create or replace function wxpay_data.payments_mark_closing(p_mchid text,
    p_order_no text)
    returns void language sql as $$
    update wxpay_data.payments
    set closing = true,
        next_op = case when trade_type = 'MICROPAY'
            or number_used is not null then next_op else 'close' end,
        close_at = case trade_type when 'MICROPAY'
            then least(close_at, close_at - close_after
                + interval '15 seconds') else close_at end,
        check_at = case trade_type when 'MICROPAY' then check_at
            else greatest(now(), close_at) end
    where mchid = p_mchid and order_no = p_order_no and not closing
        and state in ('created', 'prepaid');
$$;
