-- keys_claim: take the lease to fetch WeChat's platform certificates.  No row
-- if that is not due, or somebody else does it.
create or replace function wxpay.keys_claim(p_mchid text, p_nonce text,
    p_lease_s int)
    returns table (lease_no bigint, call_no bigint)
    language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
#variable_conflict use_column
declare
    f wechat_key_fetches;
begin
    insert into wechat_key_fetches (mchid) values (p_mchid)
    on conflict do nothing;
    update wechat_key_fetches set lease_no = lease_no + 1,
        tried_at = clock_timestamp(),
        leased_until = clock_timestamp() + make_interval(secs => p_lease_s)
    where mchid = (select mchid from wechat_key_fetches
        where mchid = p_mchid and due_at <= clock_timestamp()
            and (leased_until is null or leased_until <= clock_timestamp())
        for no key update skip locked)
    returning * into f;
    if not found then
        return;
    end if;
    return query select f.lease_no, call_begin(p_mchid, 'certificates', null,
        null, p_nonce, f.lease_no);
end $$;
