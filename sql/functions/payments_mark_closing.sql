-- payments_mark_closing: every open payment of an order is to be closed at
-- WeChat, each as soon as it is old enough.  The caller has locked the order.
create or replace function wxpay_data.payments_mark_closing(p_mchid text,
    p_order_no text)
    returns void language sql as $$
    update wxpay_data.payments
    set closing = true, next_op = 'close',
        check_at = greatest(now(), close_at)
    where mchid = p_mchid and order_no = p_order_no and not closing
        and state in ('created', 'prepaid');
$$;
