-- keys_wanted: an answer of WeChat's own was signed by a certificate that we
-- do not have: fetch them soon, and at most once a minute, whatever came of
-- the last try.
create or replace function wxpay.keys_wanted(p_mchid text)
    returns boolean language sql security definer
    set search_path = wxpay_data, pg_temp as $$
    insert into wechat_key_fetches as f (mchid) values (p_mchid)
    on conflict (mchid) do update
        set due_at = least(f.due_at, greatest(now(),
            coalesce(f.tried_at, '-infinity') + interval '60 seconds'))
    returning true
$$;
