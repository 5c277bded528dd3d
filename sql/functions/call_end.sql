-- call_end: write a call's outcome, once.  A second outcome (the sweeper was
-- faster) is dropped: the first stays.
create or replace function wxpay_data.call_end(p_call_no bigint,
    p_outcome text, p_code text)
    returns void language sql as $$
    update wxpay_data.calls
    set outcome = p_outcome, code = nullif(p_code, ''),
        ended_at = clock_timestamp()
    where call_no = p_call_no and outcome is null;
$$;
