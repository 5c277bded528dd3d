-- refund_show: a refund as the shopper of its order may see it, as JSON; null
-- if there is none under this number whose order has this token.
create or replace function wxpay.refund_show(p_mchid text,
    p_out_refund_no text, p_token text)
    returns text language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    select refund_json(r, false)::text
    from refunds r
    join orders o on o.mchid = r.mchid and o.order_no = r.order_no
    where r.mchid = p_mchid and r.out_refund_no = p_out_refund_no
        and o.token = p_token
$$;
