-- oauth_take: the shopper is back.  Uses his state up, and answers with his
-- order and how often he has gone.  No row if the state is unknown, used by
-- another request than p_nonce, older than 10 minutes or another browser's:
-- who asks learns no more.
create or replace function wxpay.oauth_take(p_mchid text, p_state text,
    p_browser text, p_nonce text)
    returns table (order_no text, token text, tries int)
    language sql security definer
    set search_path = wxpay_data, pg_temp as $$
    with taken as (
        update oauth_states set used_by = p_nonce
        where mchid = p_mchid and state = p_state and browser = p_browser
            and coalesce(used_by, p_nonce) = p_nonce
            and made_at > now() - interval '10 minutes'
        returning mchid, order_no, tries)
    select o.order_no, o.token, taken.tries
    from taken join orders o using (mchid, order_no)
$$;
