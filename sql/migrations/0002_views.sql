-- What others may read.  Each row belongs to one merchant; a login sees its
-- own merchant's.

-- shop_mchid: whose rows the session's login may see.  The merchant that
-- shop_logins names for it; else the only merchant there is; else null.
create function wxpay.shop_mchid() returns text
    language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    select coalesce(
        (select mchid from shop_logins where login = session_user),
        (select min(mchid) from merchants having count(*) = 1))
$$;

create view wxpay.products with (security_barrier) as
    select product_id, body, price_fen
    from wxpay_data.products where mchid = wxpay.shop_mchid();

create view wxpay.orders with (security_barrier) as
    select order_no, state, total_fen,
        coalesce((select sum(p.refunded_fen)
            from wxpay_data.payments p
            where p.mchid = o.mchid and p.order_no = o.order_no
                and p.settles), 0)::bigint as refunded_fen,
        paid_at, created_at, time_expire
    from wxpay_data.orders o where mchid = wxpay.shop_mchid();

create view wxpay.payments with (security_barrier) as
    select out_trade_no, order_no, state, trade_type, settles,
        transaction_id, total_fen, paid_at
    from wxpay_data.payments where mchid = wxpay.shop_mchid();

create view wxpay.refunds with (security_barrier) as
    select out_refund_no, order_no, out_trade_no, state, refund_fen, failure,
        origin, created_at, refunded_at
    from wxpay_data.refunds where mchid = wxpay.shop_mchid();

create view wxpay.events with (security_barrier) as
    select id, kind, order_no, out_trade_no, out_refund_no, fen,
        created_at
    from wxpay_data.events where mchid = wxpay.shop_mchid()
        and id is not null;

create view wxpay.unexpected with (security_barrier) as
    select kind, out_trade_no, transaction_id, total_fen, state, order_no,
        out_refund_no, detail, created_at
    from wxpay_data.unexpected where mchid = wxpay.shop_mchid();
