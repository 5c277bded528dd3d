-- refund_succeed: WeChat confirmed, in a verified answer or a signed notice,
-- that this refund's money is back.  The caller has locked order, payment and
-- refund.  Returns refunded; or unexpected, if it no longer fits beside what
-- is reserved, or nobody here has sent it: then someone must look, and nothing
-- raises.
create or replace function wxpay_data.refund_succeed(r wxpay_data.refunds,
    p_refund_id text, p_refunded_at timestamptz)
    returns text language plpgsql
    set search_path = wxpay_data, pg_temp as $$
declare
    p   payments;
    why text;
begin
    if r.state = 'refunded' then
        return 'refunded';
    end if;
    why := case
        when r.state not in ('refunding', 'failed')
            then 'refunded although it is ' || r.state
        when not refund_holds(r.state, r.failure)
            and not refund_make_room(r.mchid, r.out_trade_no, r.refund_fen, 0)
            then 'refunded after it had failed, and no longer fits'
        end;
    if why is not null then
        select * into p from payments
        where mchid = r.mchid and out_trade_no = r.out_trade_no;
        perform quarantine(r.mchid, 'refund', r.order_no, r.out_trade_no,
            p.transaction_id, r.out_refund_no, r.refund_fen, why);
        update refunds set due_at = null, leased_until = null
        where mchid = r.mchid and out_refund_no = r.out_refund_no;
        return 'unexpected';
    end if;
    update refunds set state = 'refunded', failure = null, failed_at = null,
        refund_id = coalesce(nullif(p_refund_id, ''), refund_id),
        refunded_at = p_refunded_at, due_at = null, leased_until = null
    where mchid = r.mchid and out_refund_no = r.out_refund_no;
    perform event_add(r.mchid, 'refund.refunded', r.order_no,
        r.out_trade_no, r.out_refund_no, r.refund_fen);
    perform unexpected_returned(r.mchid, r.out_trade_no, r.out_refund_no);
    return 'refunded';
end $$;
