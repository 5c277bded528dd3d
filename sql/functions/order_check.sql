-- order_check: somebody says that he has paid.  The worker asks soon, at most
-- once in 5 seconds an order.  Verdicts: asked, early, paid, closed, unknown.
create or replace function wxpay.order_check(p_mchid text, p_order_no text,
    p_token text)
    returns text language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
declare
    o orders;
begin
    select * into o from orders
    where mchid = p_mchid and order_no = p_order_no and token = p_token
    for no key update;
    if not found then
        return 'unknown';
    elsif o.state <> 'pending' then
        return o.state;
    elsif o.checked_at > now() - interval '5 seconds' then
        return 'early';
    end if;
    update orders set checked_at = now()
    where mchid = p_mchid and order_no = p_order_no;
    update payments set next_op = 'query', check_at = now(),
        hinted_at = clock_timestamp()
    where mchid = p_mchid and order_no = p_order_no
        and state in ('created', 'prepaid');
    return 'asked';
end $$;
