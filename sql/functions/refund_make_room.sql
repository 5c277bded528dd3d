-- refund_make_room: money has gone back that nobody here reserved.  If it does
-- not fit beside what is reserved, the newest pending requests of the payment
-- are rejected until it does: nobody has said yes to them.  p_count is 1 if
-- it is a refund that the payment does not count yet, else 0.  Returns false,
-- and rejects nothing, if that is not enough.  The caller has locked order
-- and payment.
create or replace function wxpay_data.refund_make_room(p_mchid text,
    p_out_trade_no text, p_fen bigint, p_count int)
    returns boolean language plpgsql
    set search_path = wxpay_data, pg_temp as $$
declare
    p       payments;
    r       refunds;
    pending bigint;
    waiting bigint;
begin
    select * into p from payments
    where mchid = p_mchid and out_trade_no = p_out_trade_no;
    select coalesce(sum(refund_fen), 0), count(*) into pending, waiting
    from refunds
    where mchid = p_mchid and out_trade_no = p_out_trade_no
        and state = 'pending';
    if p.reserved_fen - pending + p_fen > p.total_fen
        or p.refund_count - waiting + p_count > 50 then
        return false;
    end if;
    for r in
        select * from refunds
        where mchid = p_mchid and out_trade_no = p_out_trade_no
            and state = 'pending'
        order by seq desc for no key update
    loop
        exit when p.reserved_fen + p_fen <= p.total_fen
            and p.refund_count + p_count <= 50;
        update refunds set state = 'rejected', decided_by = 'wechat',
            decided_at = now(), decision = 'foreign'
        where mchid = p_mchid and out_refund_no = r.out_refund_no;
        perform event_add(p_mchid, 'refund.rejected', r.order_no,
            r.out_trade_no, r.out_refund_no, r.refund_fen);
        select * into p from payments
        where mchid = p_mchid and out_trade_no = p_out_trade_no;
    end loop;
    return true;
end $$;
