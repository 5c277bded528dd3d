-- reverse_is_refused: WeChat will not reverse this payment, ever.  That counts
-- a minute after the last call that may have been carried out, so that a query
-- meanwhile would have seen it.
create or replace function wxpay_data.reverse_is_refused(
    p wxpay_data.payments)
    returns boolean language sql stable as $$
    select p.refused_at is not null and (p.doubted_at is null
        or p.doubted_at <= clock_timestamp() - interval '60 seconds')
$$;
