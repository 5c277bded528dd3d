-- orders_list: orders for staff, newest first, as JSON.  p_state, p_order_no:
-- null for all.  p_after: the "next" of the page before, null for the first.
create or replace function wxpay.orders_list(p_mchid text, p_state text,
    p_order_no text, p_after bigint, p_limit int)
    returns text language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    with page as (
        select * from orders
        where mchid = p_mchid
            and (p_state is null or state = p_state)
            and (p_order_no is null or order_no = p_order_no)
            and (p_after is null or seq < p_after)
        order by seq desc limit p_limit + 1),
    shown as (select * from page order by seq desc limit p_limit)
    select jsonb_build_object(
        'orders', coalesce((select jsonb_agg(jsonb_build_object(
            'order_no', o.order_no, 'state', o.state,
            'total_fee', o.total_fen, 'body', o.body, 'origin', o.origin,
            'created_at', rfc3339(o.created_at),
            'time_expire', rfc3339(o.time_expire),
            'paid_at', rfc3339(o.paid_at),
            'payments', (select coalesce(jsonb_agg(jsonb_build_object(
                'out_trade_no', p.out_trade_no, 'state', p.state,
                'trade_type', p.trade_type, 'settles', p.settles,
                'closing', p.closing,
                'transaction_id', p.transaction_id,
                'reserved_fee', p.reserved_fen,
                'refunded_fee', p.refunded_fen) order by p.attempt), '[]')
                from payments p where p.mchid = o.mchid
                    and p.order_no = o.order_no))
            order by o.seq desc) from shown o), '[]'),
        'next', (select min(seq) from shown
            where (select count(*) from page) > p_limit))::text
$$;
