-- calls_sweep: calls whose caller died have an unsure outcome.  Longer than
-- any lease.  Returns how many.
create or replace function wxpay.calls_sweep()
    returns bigint language sql security definer
    set search_path = wxpay_data, pg_temp as $$
    with swept as (
        update calls set outcome = 'unsure', code = 'LOST',
            ended_at = clock_timestamp()
        where outcome is null
            and began_at < clock_timestamp() - interval '60 seconds'
        returning 1)
    select count(*) from swept
$$;
