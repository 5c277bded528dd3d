-- refund_json: a refund as our answers show it; staff see who and why.
create or replace function wxpay_data.refund_json(r wxpay_data.refunds,
    p_for_staff boolean)
    returns jsonb language sql stable
    set search_path = wxpay_data, pg_temp as $$
    select jsonb_build_object(
            'out_refund_no', r.out_refund_no, 'order_no', r.order_no,
            'state', r.state, 'refund_fee', r.refund_fen,
            'reason', r.reason,
            'created_at', rfc3339(r.created_at),
            'refunded_at', rfc3339(r.refunded_at))
        || case when p_for_staff then jsonb_build_object(
            'out_trade_no', r.out_trade_no, 'origin', r.origin,
            'requested_by', r.requested_by, 'decided_by', r.decided_by,
            'decided_at', rfc3339(r.decided_at), 'decision', r.decision,
            'send_at', rfc3339(r.send_at), 'sent_at', rfc3339(r.sent_at),
            'refund_id', r.refund_id, 'failure', r.failure)
        else '{}' end
$$;
