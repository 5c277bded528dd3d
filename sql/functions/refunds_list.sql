-- refunds_list: refunds for staff, newest first, as JSON.  p_state: null for
-- all.  p_after: the "next" of the page before, null for the first.
create or replace function wxpay.refunds_list(p_mchid text, p_state text,
    p_after bigint, p_limit int)
    returns text language sql stable security definer
    set search_path = wxpay_data, pg_temp as $$
    with page as (
        select * from refunds
        where mchid = p_mchid
            and (p_state is null or state = p_state)
            and (p_after is null or seq < p_after)
        order by seq desc limit p_limit + 1),
    shown as (select * from page order by seq desc limit p_limit)
    select jsonb_build_object(
        'refunds', coalesce((select jsonb_agg(refund_json(
                (select r from refunds r where r.seq = s.seq), true)
            order by s.seq desc) from shown s), '[]'),
        'next', (select min(seq) from shown
            where (select count(*) from page) > p_limit))::text
$$;
