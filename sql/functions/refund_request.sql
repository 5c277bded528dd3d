-- refund_request: somebody wants money back: the shopper, who has the token,
-- or staff, for whom p_token is null.  p_out_trade_no: which payment's money,
-- null for the one that settled the order.  p_refund_fen: null for all that
-- is left.  The amount is reserved here, under the order's lock.  Verdicts:
--   requested  out_refund_no is new
--   same       this request_id had asked for it before
--   differs    the request_id was used for something else
--   unknown    no such order (and token), or no such payment of it
--   unpaid     nothing has been paid
--   overdue    paid more than a year ago
--   too_much   more than what is left; left_fen says what is
--   too_many   50 refunds of this payment
create or replace function wxpay.refund_request(p_mchid text,
    p_order_no text, p_token text, p_out_trade_no text, p_refund_fen bigint,
    p_reason text, p_request_id text, p_actor text)
    returns table (verdict text, refund text, left_fen bigint)
    language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
#variable_conflict use_column
declare
    o    orders;
    p    payments;
    r    refunds;
    fen  bigint;
    word text;
begin
    select * into o from orders
    where mchid = p_mchid and order_no = p_order_no
        and (p_token is null or token = p_token)
    for no key update;
    if not found then
        return query select 'unknown', null::text, null::bigint;
        return;
    end if;
    select * into p from payments
    where mchid = p_mchid and order_no = p_order_no
        and case when p_out_trade_no is null then settles
            else out_trade_no = p_out_trade_no end
    for no key update;
    if p_request_id is not null then
        select * into r from refunds
        where mchid = p_mchid and request_id = p_request_id;
        if found then
            if r.order_no = p_order_no and r.out_trade_no = p.out_trade_no
                and (p_refund_fen is null or r.refund_fen = p_refund_fen)
            then
                return query select 'same',
                    refund_json(r, p_token is null)::text, null::bigint;
            else
                return query select 'differs', null::text, null::bigint;
            end if;
            return;
        end if;
    end if;
    fen := coalesce(p_refund_fen, p.total_fen - p.reserved_fen);
    word := case
        when p.mchid is null and p_out_trade_no is not null then 'unknown'
        when p.mchid is null or p.state <> 'paid' then 'unpaid'
        when p.paid_at < now() - interval '365 days' then 'overdue'
        when fen < 1 or fen > p.total_fen - p.reserved_fen then 'too_much'
        when p.refund_count >= 50 then 'too_many'
        end;
    if word is not null then
        return query select word, null::text, p.total_fen - p.reserved_fen;
        return;
    end if;
    perform actor_is(p_actor, p_reason);
    update payments set refund_no = refund_no + 1
    where mchid = p_mchid and out_trade_no = p.out_trade_no
    returning * into p;
    begin
        insert into refunds (mchid, out_refund_no, order_no, out_trade_no,
            state, origin, refund_fen, reason, request_id, requested_by)
        values (p_mchid, 'R' || p.out_trade_no || '-' || p.refund_no,
            p_order_no, p.out_trade_no, 'pending',
            case when p_token is null then 'staff' else 'shopper' end, fen,
            coalesce(p_reason, ''), p_request_id, p_actor)
        returning * into r;
    exception when unique_violation then
        -- the same request_id for two orders at once
        return query select 'differs', null::text, null::bigint;
        return;
    end;
    perform event_add(p_mchid, 'refund.requested', p_order_no,
        p.out_trade_no, r.out_refund_no, fen);
    return query select 'requested', refund_json(r, p_token is null)::text,
        p.total_fen - p.reserved_fen - fen;
end $$;
