-- oauth_begin: send the shopper of an order to WeChat for an openid.  p_state
-- comes back with him, and counts once, for this browser, for 10 minutes.
-- p_tries says how often he has gone by now.
--   begun    he may go
--   unknown  no such order and token
create or replace function wxpay.oauth_begin(p_mchid text, p_order_no text,
    p_token text, p_state text, p_browser text, p_tries int)
    returns text language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
begin
    if not exists (select from orders where mchid = p_mchid
            and order_no = p_order_no and token = p_token) then
        return 'unknown';
    end if;
    insert into oauth_states (mchid, state, order_no, browser, tries)
    values (p_mchid, p_state, p_order_no, p_browser, p_tries)
    on conflict do nothing;
    return 'begun';
end $$;
