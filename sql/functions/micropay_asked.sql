-- micropay_asked: what became of an orderquery call about a payment by a code.
-- Until it is being reversed, paid is paid.  From then on it is paid only if
-- WeChat refuses to reverse it for good.  One that failed is closed, as if it
-- had been refused: the order stays, and WeChat is asked once more.  So is one
-- under whose number another system charges; that is quarantined if it was
-- paid, and never reversed.  Returns the verdict of order_settle if it is
-- paid, else the payment's state.
create or replace function wxpay.micropay_asked(p_mchid text,
    p_out_trade_no text, p_lease_no bigint, p_call_no bigint,
    p_verdict text, p_code text, p_fate text, p_transaction_id text,
    p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text,
    p_payer text, p_bank_type text, p_paid_at bigint, p_trade_type text,
    p_check_s int)
    returns text language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
declare
    p          payments;
    word       text;
    is_paid    boolean := p_verdict = 'done' and p_fate = 'paid';
    is_overdue boolean;
    is_failed  boolean;   -- nobody was charged for us
    is_gone    boolean;   -- it can be paid no more, and nobody has the money
begin
    perform call_end(p_call_no, p_verdict, p_code);
    p := payment_lock(p_mchid, p_out_trade_no);
    if p.lease_no is distinct from p_lease_no
        and p.state in ('reversing', 'reversed') then
        return p.state;        -- may have been true before
    end if;
    if is_paid and p.state <> 'paid' and code_is_anothers(p, p_trade_type,
        p_total_fen, to_timestamp(p_paid_at)) then
        perform quarantine(p_mchid, 'differs', p.order_no, p_out_trade_no,
            p_transaction_id, null, p_total_fen, 'another''s, query');
        word := 'differs';
    elsif is_paid and (p.state <> 'reversing' or reverse_is_refused(p)) then
        word := order_settle(p_mchid, p_out_trade_no, p_transaction_id,
            p_appid, p_sub_mchid, p_total_fen, p_currency, p_payer,
            p_bank_type, to_timestamp(p_paid_at), 'query');
        if word = 'second' and p.state = 'reversed' then
            perform actor_is(null, 'charged after it was given up');
            update payments set state = 'reversing', next_op = 'reverse',
                refused_at = null, missing_at = null,
                check_at = clock_timestamp(), leased_until = null
            where mchid = p_mchid and out_trade_no = p_out_trade_no;
        end if;
        if word <> 'differs' then
            return word;
        end if;
    end if;
    if p.lease_no is distinct from p_lease_no
        or p.state not in ('created', 'reversing') then
        -- what is asked about once is asked until the answer is final
        update payments set leased_until = null,
            check_at = case when p_verdict not in ('done', 'missing')
                    or p_fate = 'unpaid'
                        and created_at > now() - interval '10 minutes'
                then now() + make_interval(secs => p_check_s) end
        where mchid = p_mchid and out_trade_no = p_out_trade_no
            and lease_no = p_lease_no and state in ('closed', 'reversed');
        return coalesce(word, p.state);
    end if;
    perform actor_is(null, 'orderquery ' || p_verdict || ' ' || p_fate);
    is_overdue := p.close_at < now() - interval '10 minutes';
    is_failed := case
        when word = 'differs' then true
        when p_fate = 'failed' then p.state = 'created' or is_overdue
            or p.refused_at is not null
        -- our call was refused: what is not paid is not ours
        when p.number_used <> 'INVALID_REQUEST'
            then p_verdict = 'missing' or p_fate in ('unpaid', 'closed')
        -- unless a call under this number was at work
        when p.number_used = 'INVALID_REQUEST' and p.state = 'created'
            then p_verdict = 'missing' or p_fate = 'unpaid' and is_overdue
        -- neither paid nor reversed, ever
        when p.state = 'reversing' and p_fate = 'unpaid'
            then p.refused_at is not null
                and p.created_at < now() - interval '7 days'
        else false end;
    is_gone := is_failed or p_verdict = 'done' and p_fate = 'closed'
        -- nobody has heard of it: said twice, a minute apart
        or p_verdict = 'missing' and p.state = 'reversing'
            and coalesce(p.missing_at
                <= clock_timestamp() - interval '60 seconds', false);
    update payments set
        state = case when not is_gone then state
            when is_failed or state = 'created' then 'closed'
            else 'reversed' end,
        refusal = case when word = 'differs'
                or is_failed and number_used <> 'INVALID_REQUEST'
            then 'another payment has this number' else refusal end,
        missing_at = case p_verdict
            when 'missing' then coalesce(missing_at, clock_timestamp())
            when 'done' then null
            else missing_at end,
        next_op = case state when 'reversing' then 'reverse'
            else 'query' end,
        check_at = case when is_failed and number_used = 'INVALID_REQUEST'
                then now() + interval '60 seconds'
            when is_gone and (word = 'differs' or p_fate <> 'failed')
                then null
            when hinted_at > claimed_at
                or state = 'reversing' and refused_at is null
                then clock_timestamp()
            else now() + make_interval(secs => p_check_s) end,
        leased_until = null
    where mchid = p_mchid and out_trade_no = p_out_trade_no
    returning * into p;
    if is_failed then
        perform order_finish(p_mchid, p.order_no);
    elsif is_gone then
        perform micropay_gone(p);
    end if;
    return coalesce(word, p.state);
end $$;
