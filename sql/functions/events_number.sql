-- events_number: number committed events, gapless within a merchant, in the
-- order in which they were inserted as far as they are committed; wake who
-- listens.  One worker at a time: another one finds the row locked and leaves.
-- Here, and not where events are inserted, because an identity's order is not
-- the order of commits, and because NOTIFY in a settling transaction would
-- make all commits queue for one lock.  Returns how many it numbered.
create or replace function wxpay.events_number(p_mchid text)
    returns bigint language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
declare
    last     bigint;
    numbered bigint;
begin
    select event_no into last from merchants where mchid = p_mchid
    -- not the key: a shop's open transaction that refers to it is no matter
    for no key update skip locked;
    if not found then
        return 0;
    end if;
    with fresh as (
        select seq, row_number() over (order by seq) as n from (
            select seq from events
            where mchid = p_mchid and id is null
            order by seq limit 1000) unnumbered)
    update events e set id = last + fresh.n
    from fresh where e.seq = fresh.seq;
    get diagnostics numbered = row_count;
    if numbered > 0 then
        update merchants set event_no = last + numbered
        where mchid = p_mchid;
        perform pg_notify('wxpay_event', (last + numbered)::text);
    end if;
    return numbered;
end $$;
