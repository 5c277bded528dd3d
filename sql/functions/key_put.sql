-- key_put: keep a platform certificate that was fetched and verified.
--   new      it counts from here on
--   known    it did already
--   differs  another one has this serial; nothing was written
create or replace function wxpay.key_put(p_mchid text, p_serial text,
    p_pem text, p_not_before bigint, p_not_after bigint)
    returns text language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
begin
    insert into wechat_keys (mchid, serial, pem, not_before, not_after)
    values (p_mchid, p_serial, p_pem, to_timestamp(p_not_before),
        to_timestamp(p_not_after))
    on conflict do nothing;
    if found then
        return 'new';
    end if;
    return case when exists (select from wechat_keys
            where mchid = p_mchid and serial = p_serial and pem = p_pem)
        then 'known' else 'differs' end;
end $$;
