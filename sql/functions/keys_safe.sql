-- keys_safe: may the migration from certificates to the public key be finished
-- on WeChat's platform?  From then on no certificate will be answered for, so
-- every message of a whole day must have been signed by the public key, and
-- that is how long a notice may still be repeated [v3.md 5.3, 21.6].
--   yes          it may
--   no_key       no public key is configured
--   unused       WeChat has not signed by it yet, in notice or answer
--   certificate  a certificate has signed within the last day
create or replace function wxpay.keys_safe(p_mchid text, p_pub_key_id text)
    returns text language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    select case
        when p_pub_key_id = '' then 'no_key'
        when (select count(distinct via) from wechat_key_uses
            where mchid = p_mchid and serial = p_pub_key_id) < 2
            then 'unused'
        when exists (select from wechat_key_uses
            where mchid = p_mchid and serial <> p_pub_key_id
                and last_at > now() - interval '25 hours')
            then 'certificate'
        else 'yes' end
$$;
