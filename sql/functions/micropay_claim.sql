-- micropay_claim: take the lease to ask WeChat about a payment by a code, or
-- to reverse it.  With p_out_trade_no to ask about that one, now; with null
-- what has been due longest.  Returns no row if there is none to be had.
create or replace function wxpay.micropay_claim(p_mchid text,
    p_out_trade_no text, p_nonce text, p_lease_s int)
    returns table (op text, out_trade_no text, order_no text, appid text,
        sub_mchid text, sub_appid text, api text, total_fen bigint,
        age_s bigint, lease_no bigint, call_no bigint)
    language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
#variable_conflict use_column
declare
    p    payments;
    word text := 'query';
begin
    if p_out_trade_no is null then
        select * into p from payments
        where mchid = p_mchid and trade_type = 'MICROPAY'
            and check_at <= clock_timestamp()
            and state in ('created', 'reversing', 'closed', 'reversed')
            and (leased_until is null or leased_until <= clock_timestamp())
        order by check_at limit 1
        for no key update skip locked;
        word := case p.state when 'reversing' then p.next_op else word end;
    else
        select * into p from payments
        where mchid = p_mchid and out_trade_no = p_out_trade_no
            and trade_type = 'MICROPAY' and state <> 'paid'
            and (leased_until is null or leased_until <= clock_timestamp())
        for no key update;
    end if;
    if p.mchid is null then
        return;
    end if;
    update payments set lease_no = lease_no + 1,
        claimed_at = clock_timestamp(),
        leased_until = clock_timestamp() + make_interval(secs => p_lease_s),
        check_at = case when state in ('created', 'reversing')
                or check_at is not null
            then clock_timestamp() + make_interval(secs => p_lease_s) end,
        -- whoever was to reverse it has died: he may have
        doubted_at = case when unsure then clock_timestamp()
            else doubted_at end,
        unsure = word = 'reverse'
    where mchid = p_mchid and out_trade_no = p.out_trade_no
    returning * into p;
    return query select word, p.out_trade_no, p.order_no, p.appid,
        p.sub_mchid, p.sub_appid, p.api, p.total_fen,
        extract(epoch from clock_timestamp() - p.created_at)::bigint,
        p.lease_no, call_begin(p_mchid, word, p.out_trade_no, null, p_nonce,
            p.lease_no);
end $$;
