-- oauth_sweep: states that can come back no more.  Returns how many there
-- were.
create or replace function wxpay.oauth_sweep()
    returns bigint language sql security definer
    set search_path = wxpay_data, pg_temp as $$
    with swept as (
        delete from oauth_states
        where made_at <= now() - interval '10 minutes'
        returning 1)
    select count(*) from swept
$$;
