-- payment_prepaid: what became of a unifiedorder call, with its facts.
-- p_verdict is wechat's word.  Under an old lease_no it is journalled only.
--   prepaid   WeChat's answer is stored
--   closed    WeChat says that the number is closed: a new attempt is due
--   created   nothing has changed; p_verdict says why
--   stale     another caller has the lease by now, or the payment moved on
create or replace function wxpay.payment_prepaid(p_mchid text,
    p_out_trade_no text, p_lease_no bigint, p_call_no bigint,
    p_verdict text, p_code text, p_prepay_id text, p_code_url text,
    p_h5_url text, p_check_s int)
    returns text language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
declare
    p       payments;
    is_used boolean;   -- perhaps by another system: a query tells
begin
    perform call_end(p_call_no, p_verdict, p_code);
    p := payment_lock(p_mchid, p_out_trade_no);
    is_used := p.state = 'created' and replace(p_code, '_', '')
        in ('OUTTRADENOUSED', 'INVALIDREQUEST');
    if is_used then
        update payments set number_used = p_code, next_op = 'query'
        where mchid = p_mchid and out_trade_no = p_out_trade_no;
    end if;
    if p.lease_no is distinct from p_lease_no
        or p.state not in ('created', 'prepaid') then
        return 'stale';
    end if;
    perform actor_is(null, 'unifiedorder ' || p_verdict);
    update payments set
        state = case p_verdict when 'done' then 'prepaid'
            when 'closed' then 'closed' else state end,
        prepay_id = case p_verdict when 'done' then nullif(p_prepay_id, '')
            else prepay_id end,
        code_url = case p_verdict when 'done' then nullif(p_code_url, '')
            else code_url end,
        h5_url = case p_verdict when 'done' then nullif(p_h5_url, '')
            else h5_url end,
        prepaid_at = case p_verdict when 'done' then now()
            else prepaid_at end,
        -- WeChat counts from when it had the order, which was before now
        close_at = clock_timestamp() + close_after,
        unsure = is_used or p_verdict in ('unsure', 'paid', 'missing'),
        check_at = case when p_verdict = 'closed' then null
            when p_verdict = 'paid' then now()
            when closing then clock_timestamp() + close_after
            else now() + make_interval(secs => p_check_s) end,
        leased_until = null
    where mchid = p_mchid and out_trade_no = p_out_trade_no
    returning * into p;
    if p.state = 'closed' then
        perform order_finish(p_mchid, p.order_no);
    end if;
    return p.state;
end $$;
