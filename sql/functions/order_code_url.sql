-- order_code_url: what the QR code of an order says; null if there is no such
-- order and token, or nothing to scan now.  WeChat's code lives two hours.
create or replace function wxpay.order_code_url(p_mchid text,
    p_order_no text, p_token text)
    returns text language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    select p.code_url
    from orders o
    join payments p on p.mchid = o.mchid and p.order_no = o.order_no
    where o.mchid = p_mchid and o.order_no = p_order_no
        and o.token = p_token and o.state = 'pending'
        and o.time_expire > now()
        and p.state = 'prepaid' and not p.closing
        and p.prepaid_at > now() - interval '2 hours'
$$;
