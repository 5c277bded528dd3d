-- keys_report: what wxpayctl keys shows: a row for every key that is kept or
-- was used.  A public key (p_pub_key_id; '' for none) is configured, not kept.
-- Times are RFC 3339, or null.
create or replace function wxpay.keys_report(p_mchid text,
    p_pub_key_id text)
    returns table (serial text, kind text, not_after text, notice_at text,
        answer_at text, fetched_at text, fetch_outcome text)
    language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    with known as (
        select k.serial, 'certificate' as kind, k.not_after
        from wechat_keys k where k.mchid = p_mchid
        union all
        select p_pub_key_id, 'public key', null where p_pub_key_id <> ''
        union all
        select u.serial, 'not configured', null
        from wechat_key_uses u where u.mchid = p_mchid
            and u.serial <> p_pub_key_id
            and not exists (select from wechat_keys k
                where k.mchid = p_mchid and k.serial = u.serial)
        group by u.serial)
    select k.serial, k.kind, rfc3339(k.not_after),
        rfc3339((select last_at from wechat_key_uses u
            where u.mchid = p_mchid and u.serial = k.serial
                and via = 'notice')),
        rfc3339((select last_at from wechat_key_uses u
            where u.mchid = p_mchid and u.serial = k.serial
                and via = 'answer')),
        rfc3339(f.fetched_at), f.outcome
    from known k
    left join wechat_key_fetches f on f.mchid = p_mchid
    order by k.kind desc, k.not_after desc nulls last, k.serial
$$;
