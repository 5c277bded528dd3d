-- ticket_show: the jsapi_ticket to sign with, or null while there is none.
create or replace function wxpay.ticket_show(p_mchid text, p_appid text)
    returns text language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    select value from wechat_tokens
    where mchid = p_mchid and appid = p_appid and kind = 'jsapi_ticket'
        and ends_at > now()
$$;
