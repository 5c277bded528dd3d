-- refund_told: what became of a call about a refund.  p_op is what
-- refund_claim said; p_verdict is wechat's word; p_fate is what a verified
-- query said: processing, success, closed, abnormal, or '' for none;
-- p_sub_mchid is '' where WeChat names none.  Under an old lease_no only
-- success counts.  p_check_s: when to ask again.  Returns the refund's state,
-- or unexpected.
--
-- Sent: accepted is not refunded, a query says when.  A verified refusal for
-- good fails it; one without a signature, or after a send whose fate is not
-- known, fails it only after two queries, at least a minute apart, found
-- nothing.  What may have arrived is asked about
-- before it is sent again, and always under the same number.
create or replace function wxpay.refund_told(p_mchid text,
    p_out_refund_no text, p_op text, p_lease_no bigint, p_call_no bigint,
    p_verdict text, p_code text, p_fate text, p_refund_id text,
    p_out_trade_no text, p_sub_mchid text, p_refund_fen bigint,
    p_refunded_at bigint, p_check_s int, p_gap_s int)
    returns text language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
declare
    r      refunds;
    word   text;           -- what to do: one of the branches below
    again  timestamptz := clock_timestamp()
               + make_interval(secs => p_check_s);
    -- WeChat need not say when
    back_at timestamptz := coalesce(
               to_timestamp(nullif(p_refunded_at, 0)), now());
    why    text;           -- it is not this refund that WeChat speaks of
    failed text;           -- why it failed
begin
    perform call_end(p_call_no, p_verdict, p_code);
    if p_op = 'hint' then
        return refund_hint_told(p_mchid, p_out_refund_no, p_lease_no,
            p_verdict, p_fate, p_refund_id, p_out_trade_no, p_sub_mchid,
            p_refund_fen, back_at, again);
    end if;
    r := refund_lock(p_mchid, p_out_refund_no);

    if p_op = 'query' and p_verdict = 'done' then
        why := case
            when (r.out_trade_no, r.refund_fen)
                is distinct from (p_out_trade_no, p_refund_fen)
                then 'refund query'
            when p_sub_mchid not in ('', (select sub_mchid from payments
                where mchid = p_mchid and out_trade_no = r.out_trade_no))
                then 'sub_mchid, refund query' end;
    end if;
    if why is not null then
        perform quarantine(p_mchid, 'differs', r.order_no, r.out_trade_no,
            null, p_out_refund_no, p_refund_fen, why);
        word := 'later';
    elsif p_op = 'query' and p_verdict = 'done' and p_fate = 'success' then
        perform actor_is(null, 'refundquery');
        return refund_succeed(r, p_refund_id, back_at);
    elsif p_op = 'query' then
        word := case
            when p_verdict = 'done' and p_fate = 'closed' then 'fail'
            when p_verdict = 'done' and p_fate = 'abnormal' then 'fail'
            when p_verdict = 'done' then 'later'
            when p_verdict <> 'missing' then 'later'
            when r.denied is null then 'send'
            when r.missing_at is null then 'missing'
            when clock_timestamp() - r.missing_at >= interval '60 seconds'
                then 'fail'
            else 'missing' end;
        failed := case p_fate when 'closed' then 'CLOSED'
            when 'abnormal' then 'ABNORMAL' else r.denied end;
    else
        word := case p_verdict
            when 'done' then 'accepted'
            -- no proof that an earlier send was not carried out
            when 'refused' then
                case when r.was_doubted then 'denied' else 'fail' end
            when 'denied' then 'denied'
            when 'no_money' then 'other_account'
            when 'again' then 'send'
            when 'not_sent' then 'send'
            else 'later' end;
        failed := coalesce(nullif(p_code, ''), 'REFUSED');
    end if;

    -- without a lease this outcome has been applied before: a repetition
    if r.lease_no is distinct from p_lease_no or r.leased_until is null
        or r.state not in ('refunding', 'failed') then
        return r.state;
    end if;
    -- failed already: only what WeChat still says of its money counts
    if r.state = 'failed' and word in ('send', 'missing') then
        word := 'later';
    end if;
    -- what had failed for good is on its way to somebody after all
    if word = 'fail' and failed = 'ABNORMAL'
        and not refund_holds(r.state, r.failure)
        and not refund_make_room(p_mchid, r.out_trade_no, r.refund_fen, 0)
        then
        perform quarantine(p_mchid, 'refund', r.order_no, r.out_trade_no,
            null, p_out_refund_no, r.refund_fen,
            'abnormal after it had failed, and no longer fits');
        update refunds set due_at = null, leased_until = null
        where mchid = p_mchid and out_refund_no = p_out_refund_no;
        return 'unexpected';
    end if;
    perform actor_is(null, p_op || ' ' || p_verdict
        || coalesce(' ' || nullif(p_fate, ''), '')
        || coalesce(' ' || nullif(p_code, ''), ''));
    update refunds set
        refund_id = coalesce(nullif(p_refund_id, ''), refund_id),
        state = case when word = 'fail' then 'failed' else state end,
        failure = case when word = 'fail' then failed else failure end,
        failed_at = case when word = 'fail'
            then coalesce(failed_at, now()) else failed_at end,
        denied = case when word = 'denied' then failed
            when word in ('accepted', 'send') then null else denied end,
        missing_at = case when word = 'missing'
            then coalesce(missing_at, clock_timestamp())
            when p_verdict = 'missing' then missing_at end,
        doubted = case when p_op = 'send' and p_verdict in ('refused',
            'denied', 'no_money', 'again', 'not_sent') then was_doubted
            else doubted end,
        from_recharge = from_recharge <> (word = 'other_account'),
        next_op = case when word in ('send', 'other_account') then 'send'
            else 'query' end,
        send_at = case
            when word = 'send' or word = 'other_account'
                and not from_recharge
                then refund_slot(p_mchid, order_no, p_gap_s)
            -- both accounts are empty: give people time to fill one
            when word = 'other_account' then greatest(
                refund_slot(p_mchid, order_no, p_gap_s),
                clock_timestamp() + interval '5 minutes')
            else send_at end,
        leased_until = null
    where mchid = p_mchid and out_refund_no = p_out_refund_no;
    update refunds set due_at = case
            when hinted_at > claimed_at then clock_timestamp()
            when next_op = 'send' and state = 'refunding' then send_at
            when word = 'missing' then greatest(again,
                missing_at + interval '60 seconds')
            -- closed or refused for good, and WeChat does not say otherwise
            when state = 'failed' and failure <> 'ABNORMAL'
                and p_fate <> 'processing' then null
            else again end
    where mchid = p_mchid and out_refund_no = p_out_refund_no
    returning * into r;
    if word = 'fail' and r.failed_at = now() then
        perform event_add(p_mchid, 'refund.failed', r.order_no,
            r.out_trade_no, r.out_refund_no, r.refund_fen);
        if not refund_holds(r.state, r.failure) then
            perform refunds_awaited(p_mchid, r.out_trade_no);
        end if;
    end if;
    return r.state;
end $$;
