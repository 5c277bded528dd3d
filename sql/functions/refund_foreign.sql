-- refund_foreign: a refund that we never asked for, made by hand on WeChat's
-- platform, and confirmed by a verified query or a signed notice.
--   refunded    it stands beside ours now
--   unexpected  it does not fit beside what is reserved; quarantined
--   unknown     no such payment
create or replace function wxpay_data.refund_foreign(p_mchid text,
    p_out_refund_no text, p_out_trade_no text, p_refund_id text,
    p_refund_fen bigint, p_refunded_at timestamptz)
    returns text language plpgsql
    set search_path = wxpay_data, pg_temp as $$
declare
    p payments;
    r refunds;
begin
    p := payment_lock(p_mchid, p_out_trade_no);
    if p.mchid is null or p.state <> 'paid' then
        return 'unknown';
    end if;
    select * into r from refunds
    where mchid = p_mchid and out_refund_no = p_out_refund_no for no key update;
    if found then
        return refund_succeed(r, p_refund_id, p_refunded_at);
    end if;
    perform actor_is('wechat', 'foreign');
    if not refund_make_room(p_mchid, p_out_trade_no, p_refund_fen, 1) then
        perform quarantine(p_mchid, 'refund', p.order_no, p_out_trade_no,
            p.transaction_id, p_out_refund_no, p_refund_fen,
            'made by hand, and does not fit');
        return 'unexpected';
    end if;
    insert into refunds (mchid, out_refund_no, order_no, out_trade_no, state,
        origin, refund_fen, reason, requested_by, refund_id, refunded_at)
    values (p_mchid, p_out_refund_no, p.order_no, p_out_trade_no, 'refunded',
        'foreign', p_refund_fen, 'foreign', 'wechat', p_refund_id,
        p_refunded_at);
    perform event_add(p_mchid, 'refund.refunded', p.order_no,
        p_out_trade_no, p_out_refund_no, p_refund_fen);
    perform unexpected_returned(p_mchid, p_out_trade_no, p_out_refund_no);
    return 'refunded';
end $$;
