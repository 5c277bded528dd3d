-- keys_safe: may the migration from certificates to the public key be finished
-- on WeChat's platform?  From then on no certificate will be answered for, so
-- for longer than a notice may be repeated the public key must have been in
-- use, and nothing else [v3.md 5.3, 21.6].
--   none         there is nothing to migrate: no certificate was ever here
--   no_key       no public key is configured
--   unused       WeChat has not signed by it yet, in notice or answer
--   young        it has, for less than 25 hours
--   certificate  a certificate has signed within 25 hours
--   yes          it may
create or replace function wxpay.keys_safe(p_mchid text, p_pub_key_id text)
    returns text language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    with used as (
        select * from wechat_key_uses
        where mchid = p_mchid and serial = p_pub_key_id
    ), others as (
        select * from wechat_key_uses
        where mchid = p_mchid and serial <> p_pub_key_id)
    select case
        when p_pub_key_id = '' then 'no_key'
        when not exists (select from wechat_keys where mchid = p_mchid)
            and not exists (select from others) then 'none'
        when (select count(*) from used) < 2 then 'unused'
        when exists (select from others
            where last_at > now() - interval '25 hours') then 'certificate'
        when exists (select from used
            where first_at > now() - interval '25 hours') then 'young'
        else 'yes' end
$$;
