-- payment_told: what became of an orderquery call.  p_fate is what a verified
-- answer said: paid, unpaid, failed, closed, or '' for none.  Only that the
-- payment was made counts under an old lease_no, too.  Returns the verdict of
-- order_settle for a paid one, else the payment's state.
create or replace function wxpay.payment_told(p_mchid text,
    p_out_trade_no text, p_lease_no bigint, p_call_no bigint,
    p_verdict text, p_code text, p_fate text, p_transaction_id text,
    p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text,
    p_payer text, p_bank_type text, p_paid_at bigint, p_check_s int)
    returns text language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
declare
    p       payments;
    word    text;
    is_gone boolean;   -- it can be paid no more
begin
    perform call_end(p_call_no, p_verdict, p_code);
    p := payment_lock(p_mchid, p_out_trade_no);
    if p_verdict = 'done' and p_fate = 'paid' and p.state = 'created'
        and to_timestamp(p_paid_at) < p.created_at - interval '60 seconds' then
        -- nobody holds anything of ours to pay with
        perform quarantine(p_mchid, 'differs', p.order_no, p_out_trade_no,
            p_transaction_id, null, p_total_fen, 'another''s, query');
        word := 'differs';
    elsif p_verdict = 'done' and p_fate = 'paid' then
        word := order_settle(p_mchid, p_out_trade_no, p_transaction_id,
            p_appid, p_sub_mchid, p_total_fen, p_currency, p_payer,
            p_bank_type, to_timestamp(p_paid_at), 'query');
    end if;
    if word is not null then
        if word <> 'differs' or p.lease_no is distinct from p_lease_no then
            return word;
        end if;
        -- quarantined: someone must look.  If nobody has anything of ours to
        -- pay with, it is over; else ask seldom from now on
        update payments set leased_until = null,
            state = case when state = 'created' or closing then 'closed'
                else state end,
            check_at = case when state = 'created' or closing then null
                else now() + interval '30 minutes' end
        where mchid = p_mchid and out_trade_no = p_out_trade_no
            and state in ('created', 'prepaid')
        returning * into p;
        if p.state = 'closed' then
            perform order_finish(p_mchid, p.order_no);
        end if;
        return word;
    end if;
    if p.lease_no is distinct from p_lease_no
        or p.state not in ('created', 'prepaid') then
        return p.state;
    end if;
    perform actor_is(null, 'orderquery ' || p_verdict || ' ' || p_fate);
    is_gone := case
        when p_verdict = 'done' then p_fate = 'closed'
            -- what is open under this number is another system's
            or p.number_used is not null and p.state = 'created'
                and p_fate in ('unpaid', 'failed')
        -- never heard of, and given up: nobody has anything to pay with
        when p_verdict = 'missing' and p.state = 'created' then p.closing
            or coalesce(replace(p.number_used, '_', '') = 'OUTTRADENOUSED',
                false)
        -- heard of once: WeChat says it twice, a minute apart
        when p_verdict = 'missing' then p.closing
            and p.missing_at <= clock_timestamp() - interval '60 seconds'
        else false end;
    update payments set
        state = case when is_gone then 'closed' else state end,
        number_used = case when p_verdict <> 'missing' then number_used end,
        missing_at = case p_verdict
            when 'missing' then coalesce(missing_at, clock_timestamp())
            when 'done' then null
            else missing_at end,
        unsure = unsure and p_verdict not in ('done', 'missing'),
        next_op = case when hinted_at > claimed_at or p_verdict = 'missing'
                or number_used is not null then 'query'
            when closing then 'close' else 'query' end,
        check_at = case
            when hinted_at > claimed_at then clock_timestamp()
            when closing and p_verdict = 'missing'
                then clock_timestamp() + interval '60 seconds'
            when closing and p_verdict = 'done'
                then greatest(now(), close_at)
            when closing then greatest(close_at,
                now() + make_interval(secs => p_check_s))
            else now() + make_interval(secs => p_check_s) end,
        leased_until = null
    where mchid = p_mchid and out_trade_no = p_out_trade_no
    returning * into p;
    if p.state = 'closed' then
        update payments set check_at = null
        where mchid = p_mchid and out_trade_no = p_out_trade_no;
        perform order_finish(p_mchid, p.order_no);
    end if;
    return p.state;
end $$;
