-- notices: what is told, when and how it went; and the ledger.

-- What time brings: refunds settle, and notices fall due.  Those that come
-- back are the caller's to deliver until their lease ends.
create or replace function sandbox.notices_due(most integer)
returns table (id bigint, kind text, url text, version text, sign_type text,
    fault text, answer_ms integer)
language plpgsql as $$
declare
    setting sandbox.settings;
    number  text;
    status  text;
    notice  sandbox.notices;
    planted sandbox.faults;
    moment  timestamptz := clock_timestamp();
begin
    select * into setting from sandbox.settings;
    for number, status in select r.out_refund_no, r.planned
            from sandbox.refunds r where r.settle_at <= moment
            order by r.settle_at limit 100 for update skip locked loop
        update sandbox.refunds r set settle_at = null
        where r.out_refund_no = number;
        perform sandbox.refund_become(number, status);
    end loop;

    for notice in select n.* from sandbox.notices n
            where n.state = 'waiting' and n.due_at <= moment
            and (n.leased_until is null or n.leased_until <= moment)
            and (n.held_at is null or n.held_until <= moment
                or exists (select from sandbox.deliveries d
                    where d.ended_at > n.held_at))
            order by n.due_at limit most for update skip locked loop
        planted := null;
        if not notice.excused then
            planted := sandbox.fault_take(notice.kind, array[
                notice.out_trade_no, notice.out_refund_no]);
            if planted.id is null then
                planted := sandbox.fault_take('notify', array[
                    notice.out_trade_no, notice.out_refund_no]);
            end if;
        end if;
        if planted.fault in ('late', 'reorder') then
            update sandbox.notices n set excused = true,
                due_at = case planted.fault when 'late' then
                    moment + planted.ms * interval '1 ms' else n.due_at end,
                held_at = case planted.fault when 'reorder' then moment end,
                held_until = moment + planted.ms * interval '1 ms'
            where n.id = notice.id;
            continue;
        end if;
        update sandbox.notices n set held_at = null, leased_until = moment
            + setting.answer_ms * interval '1 ms' + interval '10 s'
        where n.id = notice.id;
        id := notice.id;
        kind := notice.kind;
        url := notice.url;
        version := notice.version;
        sign_type := notice.sign_type;
        fault := planted.fault;
        answer_ms := setting.answer_ms;
        return next;
    end loop;
end $$;

-- How a delivery went.  Only the telling that was due moves the schedule;
-- a success ends it, whoever brought it.
create or replace function sandbox.delivery_add(notice bigint, was_due boolean,
    took_ms integer, with_fault text, http_status integer, answer text,
    judged text, sent_headers jsonb, sent text) returns void
language plpgsql as $$
declare
    setting sandbox.settings;
begin
    select * into setting from sandbox.settings;
    insert into sandbox.deliveries (notice_id, at, ms, fault, status, reply,
        verdict, headers, body)
    values (notice, clock_timestamp() - took_ms * interval '1 ms', took_ms,
        with_fault, http_status, answer, judged, sent_headers, sent);
    if judged in ('forged_accepted', 'probe_accepted') then
        perform sandbox.violation_add(judged, notice::text, with_fault);
    elsif judged = 'success' then
        update sandbox.notices set state = 'done',
            tries = tries + was_due::integer
        where id = notice;
        return;
    end if;
    if was_due then
        update sandbox.notices set tries = tries + 1, excused = false,
            leased_until = null,
            state = case when tries < array_length(setting.schedule_s, 1)
                then state else 'given_up' end,
            due_at = clock_timestamp() + coalesce(
                setting.schedule_s[tries + 1] * interval '1 s'
                / setting.speed, interval '0')
        where id = notice and state = 'waiting';
    end if;
end $$;

-- Change what is not null.  A new speed also moves what waits already.
create or replace function sandbox.settings_set(new_speed integer,
    new_schedule_s integer[], new_answer_ms integer, new_close_min_s integer,
    new_refund_gap_s integer, new_refund_delay_ms integer,
    new_prepay_life_s integer, new_reverse_min_s integer) returns json
language plpgsql as $$
declare
    moment timestamptz := clock_timestamp();
    before sandbox.settings;
    after  sandbox.settings;
begin
    select * into before from sandbox.settings for update;
    update sandbox.settings set
        speed = coalesce(new_speed, speed),
        schedule_s = coalesce(new_schedule_s, schedule_s),
        answer_ms = coalesce(new_answer_ms, answer_ms),
        close_min_s = coalesce(new_close_min_s, close_min_s),
        refund_gap_s = coalesce(new_refund_gap_s, refund_gap_s),
        refund_delay_ms = coalesce(new_refund_delay_ms, refund_delay_ms),
        prepay_life_s = coalesce(new_prepay_life_s, prepay_life_s),
        reverse_min_s = coalesce(new_reverse_min_s, reverse_min_s)
    returning * into after;
    update sandbox.notices
    set due_at = moment + (due_at - moment) * before.speed / after.speed
    where state = 'waiting' and due_at > moment;
    return row_to_json(after);
end $$;

-- Everything, or what concerns one out_trade_no: the newest rows of each
-- kind, oldest first.  totals count all there are.
create or replace function sandbox.ledger(for_number text, most integer)
returns json
language sql stable as $$
    select json_build_object(
    'payments', (select coalesce(json_agg(row_to_json(v) order by v.id), '[]')
        from (select p.id, p.out_trade_no, p.transaction_id, p.trade_type,
            p.total_fen as total_fee, p.state, p.openid, p.coupon_fen,
            p.returned_fen,
            p.version, p.sign_type, p.made_at, p.time_expire, p.paid_at,
            (select count(*) from sandbox.prepays e
                where e.out_trade_no = p.out_trade_no) as prepays,
            (select e.prepay_id from sandbox.prepays e
                where e.out_trade_no = p.out_trade_no
                order by e.made_at desc limit 1) as prepay_id, p.params
        from sandbox.payments p
        where for_number is null or p.out_trade_no = for_number
        order by p.id desc limit most) v),
    'refunds', (select coalesce(json_agg(row_to_json(v) order by v.id), '[]')
        from (select r.id, r.out_refund_no, r.refund_id, r.out_trade_no,
            r.refund_fen as refund_fee, r.refund_status, r.refund_account,
            r.version, r.source, r.made_at, r.success_at
        from sandbox.refunds r
        where for_number is null or r.out_trade_no = for_number
        order by r.id desc limit most) v),
    'calls', (select coalesce(json_agg(row_to_json(v) order by v.id), '[]')
        from (select c.* from sandbox.calls c
        where for_number is null or c.fields->>'out_trade_no' = for_number
            or c.fields->>'out_refund_no' in (select r.out_refund_no
                from sandbox.refunds r where r.out_trade_no = for_number)
        order by c.id desc limit most) v),
    'notices', (select coalesce(json_agg(row_to_json(v) order by v.id), '[]')
        from (select n.id, n.kind, n.out_trade_no, n.out_refund_no, n.url,
            n.version, n.event_id, n.state, n.tries, n.made_at, n.due_at,
            (select coalesce(json_agg(row_to_json(w) order by w.id), '[]')
                from (select d.id, d.at, d.ms, d.fault, d.status, d.reply,
                    d.verdict, d.headers->>'Wechatpay-Serial' as serial
                    from sandbox.deliveries d
                    where d.notice_id = n.id) w) as deliveries
        from sandbox.notices n
        where for_number is null or n.out_trade_no = for_number
        order by n.id desc limit most) v),
    'violations', (select coalesce(json_agg(row_to_json(v) order by v.id),
            '[]')
        from (select x.* from sandbox.violations x
        where for_number is null or x.number = for_number
            or x.number in (select r.out_refund_no
                from sandbox.refunds r where r.out_trade_no = for_number)
        order by x.id desc limit most) v),
    'faults', (select coalesce(json_agg(row_to_json(f) order by f.id), '[]')
        from sandbox.faults f),
    'keys', sandbox.keys_state(),
    'settings', (select row_to_json(s) from sandbox.settings s),
    'totals', json_build_object(
        'payments', (select count(*) from sandbox.payments),
        'paid', (select count(*) from sandbox.payments
            where state = 'SUCCESS'),
        'refunds', (select count(*) from sandbox.refunds),
        'calls', (select count(*) from sandbox.calls),
        'notices', (select count(*) from sandbox.notices),
        'deliveries', (select count(*) from sandbox.deliveries),
        'violations', (select count(*) from sandbox.violations)))
$$;
