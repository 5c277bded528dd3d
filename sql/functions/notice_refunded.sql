-- notice_refunded: WeChat wrote about a refund.  A V3 notice is signed: money
-- that is back is back.  A V2 notice is encrypted, not signed: it moves
-- nothing.  Whatever else either says makes the worker ask at once, for an
-- older notice may arrive after a newer one.
--   hinted    the worker will ask
--   refunded  the refund is done, ours or one made by hand
--   already   the refund was done, and the notice says so
--   unexpected  done, and does not fit what we know; quarantined
--   differs   numbers, amount or a sub_mchid that it names are not ours;
--             quarantined
--   unknown   no such payment; quarantined
create or replace function wxpay.notice_refunded(p_mchid text, p_api text,
    p_request_id text, p_proof text, p_raw bytea, p_out_refund_no text,
    p_out_trade_no text, p_transaction_id text, p_sub_mchid text,
    p_refund_fen bigint, p_total_fen bigint, p_is_success boolean,
    p_is_signed boolean, p_refund_id text, p_refunded_at bigint)
    returns text language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
declare
    p       payments;
    r       refunds;
    verdict text;
    detail  text := 'refund notice';
    moves   boolean := p_is_success and p_is_signed;
begin
    if moves then
        p := payment_lock(p_mchid, p_out_trade_no);
    else
        select * into p from payments
        where mchid = p_mchid and out_trade_no = p_out_trade_no;
    end if;
    select * into r from refunds
    where mchid = p_mchid and out_refund_no = p_out_refund_no
    for no key update;
    if p.mchid is null then
        verdict := 'unknown';
    elsif p_sub_mchid not in ('', p.sub_mchid) then
        verdict := 'differs';
        detail := 'sub_mchid, ' || detail;
    elsif p.total_fen <> p_total_fen
        or p.transaction_id <> p_transaction_id
        or (r.mchid is not null and (r.out_trade_no <> p_out_trade_no
            or r.refund_fen <> p_refund_fen)) then
        verdict := 'differs';
    elsif r.state = 'refunded' and p_is_success then
        verdict := 'already';
    elsif moves and p.state = 'paid' then
        perform actor_is(null, 'refund notice');
        verdict := refund_foreign(p_mchid, p_out_refund_no, p_out_trade_no,
            p_refund_id, p_refund_fen,
            -- WeChat need not say when
            coalesce(to_timestamp(nullif(p_refunded_at, 0)), now()));
    else
        verdict := 'hinted';
        -- of ours, but nobody here has approved it: asked about like one
        -- that we do not know
        if r.mchid is null or r.state in ('pending', 'rejected') then
            insert into refund_hints (mchid, out_refund_no, out_trade_no,
                due_at)
            values (p_mchid, p_out_refund_no, p_out_trade_no, now())
            on conflict (mchid, out_refund_no) do update
                set due_at = now(), asked = 0;
        elsif r.state in ('refunding', 'failed') then
            update refunds set hinted_at = clock_timestamp(), due_at = now(),
                next_op = 'query'
            where mchid = p_mchid and out_refund_no = p_out_refund_no;
        end if;
    end if;
    if verdict in ('unknown', 'differs') then
        perform quarantine(p_mchid, verdict, p.order_no, p_out_trade_no,
            p_transaction_id, p_out_refund_no, p_refund_fen, detail);
    end if;
    insert into notices (mchid, kind, api, request_id, verdict,
        out_trade_no, transaction_id, out_refund_no, proof, raw)
    values (p_mchid, 'refunded', p_api, p_request_id, verdict,
        p_out_trade_no, p_transaction_id, p_out_refund_no, p_proof, p_raw);
    return verdict;
end $$;
