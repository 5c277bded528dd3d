-- refund_hint_told: what became of asking about a refund that we do not know.
-- Asked until WeChat says something final, at most 30 times.  Returns hint, or
-- the verdict of refund_foreign; unexpected, too, if it is another
-- sub-merchant's.
create or replace function wxpay_data.refund_hint_told(p_mchid text,
    p_out_refund_no text, p_lease_no bigint, p_verdict text, p_fate text,
    p_refund_id text, p_out_trade_no text, p_sub_mchid text,
    p_refund_fen bigint, p_refunded_at timestamptz, p_again timestamptz)
    returns text language plpgsql
    set search_path = wxpay_data, pg_temp as $$
declare
    p        payments;
    word     text := 'hint';
    is_final boolean := p_verdict = 'done'
                 and p_fate in ('success', 'closed');
begin
    select * into p from payments
    where mchid = p_mchid and out_trade_no = p_out_trade_no;
    if p_verdict = 'done' and p_sub_mchid not in ('', p.sub_mchid) then
        word := 'unexpected';
        perform quarantine(p_mchid, 'differs', p.order_no, p_out_trade_no,
            null, p_out_refund_no, p_refund_fen, 'sub_mchid, refund query');
    elsif p_verdict = 'done' and p_fate = 'success' then
        word := refund_foreign(p_mchid, p_out_refund_no, p_out_trade_no,
            p_refund_id, p_refund_fen, p_refunded_at);
        -- its payment's money has not been heard of yet: ask about both
        if word = 'unknown' then
            is_final := false;
            update payments set next_op = 'query', check_at = now()
            where mchid = p_mchid and out_trade_no = p_out_trade_no
                and state in ('created', 'prepaid');
        end if;
    end if;
    update refund_hints set leased_until = null,
        due_at = case when not is_final and asked < 30 then p_again end
    where mchid = p_mchid and out_refund_no = p_out_refund_no
        and (lease_no = p_lease_no or is_final);
    return word;
end $$;
