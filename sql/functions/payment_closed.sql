-- payment_closed: what became of a closeorder call.  Returns the payment's
-- state.
create or replace function wxpay.payment_closed(p_mchid text,
    p_out_trade_no text, p_lease_no bigint, p_call_no bigint,
    p_verdict text, p_code text, p_check_s int)
    returns text language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
declare
    p        payments;
    is_done  boolean;
begin
    perform call_end(p_call_no, p_verdict, p_code);
    p := payment_lock(p_mchid, p_out_trade_no);
    if p.lease_no is distinct from p_lease_no
        or p.state not in ('created', 'prepaid') then
        return p.state;
    end if;
    -- what WeChat had heard of once is not gone because it says so once
    is_done := p_verdict in ('done', 'closed')
        or p_verdict = 'missing' and p.state = 'created';
    perform actor_is(null, 'closeorder ' || p_verdict);
    update payments set
        state = case when is_done then 'closed' else state end,
        -- whatever WeChat makes of it, a query says what it is
        next_op = case when p_verdict in ('again', 'not_sent') then 'close'
            else 'query' end,
        missing_at = case p_verdict
            when 'missing' then coalesce(missing_at, clock_timestamp())
            else missing_at end,
        check_at = case when is_done then null
            when p_verdict = 'paid' then now()
            else now() + make_interval(secs => p_check_s) end,
        leased_until = null
    where mchid = p_mchid and out_trade_no = p_out_trade_no
    returning * into p;
    if is_done then
        perform order_finish(p_mchid, p.order_no);
    end if;
    return p.state;
end $$;
