-- refund_decide: an operator says approve, reject or retry.  What is approved
-- is refunding from here on, and has its turn in send_at.  Verdicts:
--   done      state is the new one
--   decided   it is not waiting for this decision; state says what it is
--   too_much  a retry that no longer fits beside what is reserved
--   unknown   no such refund
create or replace function wxpay.refund_decide(p_mchid text,
    p_out_refund_no text, p_decision text, p_operator text, p_reason text,
    p_gap_s int, p_decision_id text default null)
    returns table (verdict text, state text)
    language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
#variable_conflict use_column
declare
    p payments;
    r refunds;
begin
    r := refund_lock(p_mchid, p_out_refund_no);
    if r.mchid is null then
        return query select 'unknown', null::text;
        return;
    end if;
    select * into p from payments
    where mchid = p_mchid and out_trade_no = r.out_trade_no;
    if r.decision_id = p_decision_id then
        -- this very decision: who asks did not hear the answer
        return query select 'done', r.state;
        return;
    end if;
    -- after CLOSED, WeChat wants a new number: that is a new request
    if r.state <> (case p_decision when 'retry' then 'failed'
            else 'pending' end)
        or (p_decision = 'retry' and r.failure = 'CLOSED') then
        return query select 'decided', r.state;
        return;
    end if;
    if p_decision = 'retry' and not refund_holds(r.state, r.failure)
        and p.reserved_fen + r.refund_fen > p.total_fen then
        return query select 'too_much', r.state;
        return;
    end if;
    perform actor_is(p_operator, p_decision || coalesce(': '
        || nullif(p_reason, ''), ''));
    if p_decision = 'reject' then
        update refunds set state = 'rejected', decided_by = p_operator,
            decided_at = now(), decision = p_reason,
            decision_id = p_decision_id
        where mchid = p_mchid and out_refund_no = p_out_refund_no;
        perform event_add(p_mchid, 'refund.rejected', r.order_no,
            r.out_trade_no, r.out_refund_no, r.refund_fen);
        perform refunds_awaited(p_mchid, r.out_trade_no);
        return query select 'done', 'rejected';
        return;
    end if;
    -- who still asks about an earlier try speaks under an old lease
    update refunds set state = 'refunding', decided_by = p_operator,
        decided_at = now(), decision = p_reason,
        decision_id = p_decision_id, failure = null,
        failed_at = null, denied = null, missing_at = null, next_op = 'send',
        send_at = refund_slot(p_mchid, r.order_no, p_gap_s),
        gap_s = p_gap_s, lease_no = lease_no + 1, leased_until = null
    where mchid = p_mchid and out_refund_no = p_out_refund_no;
    update refunds set due_at = send_at
    where mchid = p_mchid and out_refund_no = p_out_refund_no;
    perform event_add(p_mchid, 'refund.approved', r.order_no,
        r.out_trade_no, r.out_refund_no, r.refund_fen);
    return query select 'done', 'refunding';
end $$;
