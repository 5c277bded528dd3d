-- token_told: what became of fetching a token or ticket.  A p_value that came
-- counts for p_life_s, and the next is due p_early_s before its end; yet not
-- at once if it came that late, for WeChat gives the same one until its last
-- 5 minutes.  After a failure the old one counts on, and what follows is ever
-- later, up to 10 minutes.
--   p_stale is the access_token that WeChat did not take: it counts no more,
--   unless another one has come since.  The first time that is no failure.
-- Returns whether the lease was still ours.
create or replace function wxpay.token_told(p_mchid text, p_appid text,
    p_kind text, p_lease_no bigint, p_outcome text, p_value text,
    p_life_s int, p_early_s int, p_stale text)
    returns boolean language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
begin
    if p_value is not null then
        update wechat_tokens set leased_until = null, failures = 0,
            outcome = p_outcome, value = p_value, fetched_at = now(),
            ends_at = now() + make_interval(secs => p_life_s),
            due_at = now() + make_interval(secs => greatest(
                p_life_s - p_early_s, least(60, p_life_s / 2)))
        where mchid = p_mchid and appid = p_appid and kind = p_kind
            and lease_no = p_lease_no;
        return found;
    end if;
    update wechat_tokens set value = null, fetched_at = null, ends_at = null,
        due_at = now()
    where mchid = p_mchid and appid = p_appid and kind = 'access_token'
        and value = p_stale;
    update wechat_tokens set leased_until = null, outcome = p_outcome,
        failures = failures + 1,
        due_at = case when p_stale is not null and failures = 0 then now()
            else now() + make_interval(secs =>
                least(600, 5 * power(2, least(failures, 10)))) end
    where mchid = p_mchid and appid = p_appid and kind = p_kind
        and lease_no = p_lease_no;
    return found;
end $$;
