-- order_show: an order as its shopper may see it, as JSON; null if there is
-- none with this token.  One indexed read of the order, and no call.
create or replace function wxpay.order_show(p_mchid text, p_order_no text,
    p_token text)
    returns text language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    select jsonb_build_object(
        'order_no', o.order_no,
        'origin', o.origin,
        'product_id', o.product_id,
        'quantity', o.quantity,
        'state', o.state,
        'total_fee', o.total_fen,
        'body', o.body,
        'trade_type', p.trade_type,
        'time_expire', rfc3339(o.time_expire),
        'expires_in', greatest(0,
            ceil(extract(epoch from o.time_expire - now())))::bigint,
        'code_url', case when p.is_live then p.code_url end,
        -- and this one five minutes
        'h5_url', case when p.is_live
            and p.prepaid_at > now() - interval '5 minutes' then p.h5_url end,
        'closing', o.closing and o.state = 'pending',
        'paid_at', rfc3339(o.paid_at),
        'return_url', o.return_url,
        'refunds', coalesce((
            select jsonb_agg(jsonb_build_object(
                'out_refund_no', r.out_refund_no, 'state', r.state,
                'refund_fee', r.refund_fen,
                'created_at', rfc3339(r.created_at),
                'refunded_at', rfc3339(r.refunded_at)) order by r.seq)
            from refunds r
            where r.mchid = o.mchid and r.order_no = o.order_no), '[]'))::text
    from orders o
    left join lateral (
        -- WeChat's links live two hours
        select *, o.state = 'pending' and o.time_expire > now()
                and x.state = 'prepaid' and not x.closing
                and x.prepaid_at > now() - interval '2 hours' as is_live
        from payments x
        where x.mchid = o.mchid and x.order_no = o.order_no
        order by x.settles desc, x.attempt desc limit 1) p on true
    where o.mchid = p_mchid and o.order_no = p_order_no
        and o.token = p_token
$$;
