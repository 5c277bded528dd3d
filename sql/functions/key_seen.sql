-- key_seen: by which key an answer or a notice (p_via) was believed.  Callers
-- say so once a minute, for the row is everyone's.
create or replace function wxpay.key_seen(p_mchid text, p_serial text,
    p_via text)
    returns boolean language sql security definer
    set search_path = wxpay_data, pg_temp as $$
    insert into wechat_key_uses as u (mchid, serial, via)
    values (p_mchid, p_serial, p_via)
    on conflict (mchid, serial, via) do update
        set last_at = greatest(u.last_at, excluded.last_at)
    returning true
$$;
