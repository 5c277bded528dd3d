-- keys_list: the platform certificates that have not ended.
create or replace function wxpay.keys_list(p_mchid text)
    returns table (serial text, pem text)
    language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    select serial, pem from wechat_keys
    where mchid = p_mchid and not_after > now()
    order by not_after desc, serial limit 16
$$;
