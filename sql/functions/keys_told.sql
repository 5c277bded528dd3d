-- keys_told: what became of fetching the platform certificates; those that
-- came stand in wechat_keys already.  Returns whether the lease was still ours.
create or replace function wxpay.keys_told(p_mchid text, p_lease_no bigint,
    p_call_no bigint, p_verdict text, p_code text, p_again_s int)
    returns boolean language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
begin
    perform call_end(p_call_no, p_verdict, p_code);
    update wechat_key_fetches set leased_until = null,
        due_at = clock_timestamp() + make_interval(secs => p_again_s),
        fetched_at = case p_verdict when 'done' then clock_timestamp()
            else fetched_at end,
        outcome = p_verdict || coalesce(' ' || nullif(p_code, ''), '')
    where mchid = p_mchid and lease_no = p_lease_no;
    return found;
end $$;
