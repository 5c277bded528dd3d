-- refund_claim: take the lease to send a refund, or to ask about one.  With
-- p_out_refund_no that one if it is due; with null the one that has been due
-- longest; then refunds that WeChat hinted at and we do not know (op hint).
-- Returns no row if there is none to be had.  If the caller dies now, the
-- next one asks before anything is sent again.  What is sent keeps its gap to
-- the last one that was: turns of which several have passed, because nobody
-- was there to send, are not made up for at once.
create or replace function wxpay.refund_claim(p_mchid text,
    p_out_refund_no text, p_nonce text, p_lease_s int)
    returns table (op text, out_refund_no text, out_trade_no text,
        transaction_id text, appid text, sub_mchid text, sub_appid text,
        api text, reason text, total_fen bigint, refund_fen bigint,
        from_recharge boolean, is_abnormal boolean, age_s bigint,
        lease_no bigint, call_no bigint)
    language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
#variable_conflict use_column
declare
    r    refunds;
    h    refund_hints;
    p    payments;
    word text;
    turn timestamptz;
    until timestamptz := clock_timestamp() + make_interval(secs => p_lease_s);
begin
    loop
        select * into r from refunds
        where mchid = p_mchid and due_at <= clock_timestamp()
            and (p_out_refund_no is null or out_refund_no = p_out_refund_no)
            and state in ('refunding', 'failed')
            and (leased_until is null or leased_until <= clock_timestamp())
        order by due_at limit 1
        for no key update skip locked;
        exit when r.mchid is null or r.next_op <> 'send';
        -- the order comes before its refunds: not there, no waiting for it
        perform from orders where mchid = p_mchid and order_no = r.order_no
        for no key update skip locked;
        if not found then
            return;
        end if;
        select max(sent_at) + make_interval(secs => r.gap_s) into turn
        from refunds
        where mchid = p_mchid and order_no = r.order_no
            and out_refund_no <> r.out_refund_no;
        exit when turn is null or turn <= clock_timestamp();
        update refunds set send_at = turn, due_at = turn
        where mchid = p_mchid and out_refund_no = r.out_refund_no;
    end loop;
    if r.mchid is not null then
        word := r.next_op;
        update refunds set lease_no = lease_no + 1,
            claimed_at = clock_timestamp(), leased_until = until,
            next_op = 'query', due_at = until,
            was_doubted = case next_op when 'send' then doubted
                else was_doubted end,
            doubted = doubted or next_op = 'send',
            sent_at = case next_op when 'send' then clock_timestamp()
                else sent_at end,
            send_at = case next_op when 'send' then clock_timestamp()
                else send_at end
        where mchid = p_mchid and out_refund_no = r.out_refund_no
        returning * into r;
        select * into p from payments
        where mchid = p_mchid and out_trade_no = r.out_trade_no;
        return query select word, r.out_refund_no, r.out_trade_no,
            p.transaction_id, p.appid, p.sub_mchid, p.sub_appid, p.api,
            r.reason, p.total_fen, r.refund_fen, r.from_recharge,
            r.state = 'failed',
            extract(epoch from clock_timestamp()
                - coalesce(r.failed_at, r.sent_at, r.created_at))::bigint,
            r.lease_no, call_begin(p_mchid, case word when 'send'
                then 'refund' else 'refund_query' end, r.out_trade_no,
                r.out_refund_no, p_nonce, r.lease_no);
        return;
    end if;
    if p_out_refund_no is not null then
        return;
    end if;
    select * into h from refund_hints
    where mchid = p_mchid and due_at <= clock_timestamp()
        and (leased_until is null or leased_until <= clock_timestamp())
    order by due_at limit 1
    for no key update skip locked;
    if not found then
        return;
    end if;
    update refund_hints set lease_no = lease_no + 1, leased_until = until,
        due_at = until, asked = asked + 1
    where mchid = p_mchid and out_refund_no = h.out_refund_no
    returning * into h;
    select * into p from payments
    where mchid = p_mchid and out_trade_no = h.out_trade_no;
    return query select 'hint', h.out_refund_no, h.out_trade_no,
        p.transaction_id, p.appid, p.sub_mchid, p.sub_appid, p.api, '',
        p.total_fen, null::bigint, false, false,
        extract(epoch from clock_timestamp() - h.created_at)::bigint,
        h.lease_no, call_begin(p_mchid, 'refund_query', h.out_trade_no,
            h.out_refund_no, p_nonce, h.lease_no);
end $$;
