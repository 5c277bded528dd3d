-- order_json: an order as staff may see it, with its payments.
create or replace function wxpay_data.order_json(o wxpay_data.orders)
    returns jsonb language sql stable
    set search_path = wxpay_data, pg_temp as $$
    select jsonb_build_object(
        'order_no', o.order_no, 'state', o.state,
        'total_fee', o.total_fen, 'body', o.body, 'origin', o.origin,
        'created_at', rfc3339(o.created_at),
        'time_expire', rfc3339(o.time_expire),
        'paid_at', rfc3339(o.paid_at),
        'payments', (select coalesce(jsonb_agg(jsonb_build_object(
            'out_trade_no', p.out_trade_no, 'state', p.state,
            'trade_type', p.trade_type, 'settles', p.settles,
            'closing', p.closing,
            'sub_mchid', nullif(p.sub_mchid, ''),
            'transaction_id', p.transaction_id,
            'refusal', p.refusal,
            'reserved_fee', p.reserved_fen,
            'refunded_fee', p.refunded_fen) order by p.attempt), '[]')
            from payments p where p.mchid = o.mchid
                and p.order_no = o.order_no))
$$;
