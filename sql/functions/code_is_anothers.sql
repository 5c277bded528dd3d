-- code_is_anothers: what is paid under the number of this payment by a code
-- was charged by another system: in another way, with another amount, or
-- before we called.  Clocks may differ by a zone; but where WeChat refused our
-- only call because of the number, it is ours only if it was paid just then.
create or replace function wxpay_data.code_is_anothers(p wxpay_data.payments,
    p_trade_type text, p_total_fen bigint, p_paid_at timestamptz)
    returns boolean language sql stable as $$
    select p_trade_type not in ('', 'MICROPAY', 'FACEPAY')
        or p_total_fen <> p.total_fen
        or p_paid_at < p.created_at - case when p.number_used is null
            then interval '1 day' else interval '60 seconds' end
        or p.number_used is not distinct from 'OUT_TRADE_NO_USED'
$$;
