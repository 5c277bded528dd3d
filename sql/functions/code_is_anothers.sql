-- code_is_anothers: what is paid under the number of this payment by a code was
-- charged by another system.  Where our call was refused because of the
-- number, it is ours only if it was paid when we called.
create or replace function wxpay_data.code_is_anothers(p wxpay_data.payments,
    p_trade_type text, p_paid_at timestamptz)
    returns boolean language sql stable as $$
    select p_trade_type not in ('', 'MICROPAY', 'FACEPAY')
        or p.number_used is not null
            and p_paid_at < p.created_at - interval '60 seconds'
$$;
