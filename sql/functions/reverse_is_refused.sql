-- reverse_is_refused: WeChat will not reverse this payment, ever.  If a call
-- before may have been carried out, its refusal counts a minute later, so
-- that a query meanwhile would have seen it.
create or replace function wxpay_data.reverse_is_refused(
    p wxpay_data.payments)
    returns boolean language sql stable as $$
    select p.refused_at is not null and (not p.reverse_doubted
        or p.refused_at <= clock_timestamp() - interval '60 seconds')
$$;
