-- oauth_used: where a way to WeChat led that is used up.  For its own browser
-- alone, within its 10 minutes: a reload of the callback may lead back to the
-- order, but to nothing else.  No row otherwise: who asks learns no more.
create or replace function wxpay.oauth_used(p_mchid text, p_state text,
    p_browser text)
    returns table (order_no text, token text)
    language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    select o.order_no, o.token
    from oauth_states s join orders o using (mchid, order_no)
    where s.mchid = p_mchid and s.state = p_state and s.browser = p_browser
        and s.used_by is not null
        and s.made_at > now() - interval '10 minutes'
$$;
