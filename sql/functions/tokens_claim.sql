-- tokens_claim: take the lease to fetch what is due of an appid's access_token
-- and jsapi_ticket.  The ticket needs a token that lives, which is answered
-- with it.  No row if nothing is due, or somebody else does it.
create or replace function wxpay.tokens_claim(p_mchid text, p_appid text,
    p_lease_s int)
    returns table (kind text, lease_no bigint, access_token text)
    language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
#variable_conflict use_column
begin
    insert into wechat_tokens (mchid, appid, kind)
    select p_mchid, p_appid, k
    from unnest('{access_token,jsapi_ticket}'::text[]) k
    on conflict do nothing;
    return query
    update wechat_tokens t set lease_no = t.lease_no + 1,
        leased_until = clock_timestamp() + make_interval(secs => p_lease_s)
    from (select d.kind, a.value
        from wechat_tokens d
        left join wechat_tokens a on d.kind = 'jsapi_ticket'
            and a.mchid = d.mchid and a.appid = d.appid
            and a.kind = 'access_token' and a.ends_at > clock_timestamp()
        where d.mchid = p_mchid and d.appid = p_appid
            and d.due_at <= clock_timestamp()
            and (d.leased_until is null
                or d.leased_until <= clock_timestamp())
            and (d.kind = 'access_token' or a.value is not null)
        order by d.kind limit 1
        for no key update of d skip locked) due
    where t.mchid = p_mchid and t.appid = p_appid and t.kind = due.kind
    returning t.kind, t.lease_no, due.value;
end $$;
