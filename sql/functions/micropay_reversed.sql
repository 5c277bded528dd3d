-- micropay_reversed: what became of a call to reverse.  That it was done
-- counts under an old lease_no, too; anything else makes the worker ask, or
-- call again.  Returns the payment's state.
create or replace function wxpay.micropay_reversed(p_mchid text,
    p_out_trade_no text, p_lease_no bigint, p_call_no bigint,
    p_verdict text, p_code text, p_check_s int)
    returns text language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
declare
    p       payments;
    is_done boolean := p_verdict = 'done';
begin
    perform call_end(p_call_no, p_verdict, p_code);
    p := payment_lock(p_mchid, p_out_trade_no);
    if is_done and p.state = 'paid' then
        -- WeChat has changed its mind
        perform quarantine(p_mchid, 'refund', p.order_no, p_out_trade_no,
            p.transaction_id, null, p.total_fen, 'reversed, but paid');
        return p.state;
    end if;
    if is_done and p.state = 'closed' and exists (select from unexpected u
        where u.mchid = p_mchid and u.out_trade_no = p_out_trade_no
            and u.kind = 'differs' and u.state = 'open') then
        perform quarantine(p_mchid, 'refund', p.order_no, p_out_trade_no,
            null, null, p.total_fen, 'reversed, but another''s');
        return p.state;
    end if;
    if p.state <> 'reversing'
        or not is_done and p.lease_no is distinct from p_lease_no then
        return p.state;
    end if;
    perform actor_is(null, 'reverse ' || p_verdict);
    update payments set
        state = case when is_done then 'reversed' else state end,
        -- "recall" says that something has begun
        doubted_at = case when p_verdict in ('unsure', 'again')
            then clock_timestamp() else doubted_at end,
        unsure = false,
        refused_at = case
            when p_verdict = 'refused' then coalesce(refused_at, now())
            when p_verdict not in ('unsure', 'again') then refused_at end,
        next_op = case when p_verdict in ('again', 'no_money', 'not_sent')
            then 'reverse' else 'query' end,
        check_at = case when is_done then null
            when p_verdict = 'refused' then clock_timestamp()
            else now() + make_interval(secs => p_check_s) end,
        leased_until = null
    where mchid = p_mchid and out_trade_no = p_out_trade_no
    returning * into p;
    if is_done then
        perform micropay_gone(p);
    end if;
    return p.state;
end $$;
