-- books: WeChat's side of every payment and refund, as the sandbox keeps it.
--
-- The stack runs this with psql before the sandbox starts; running it again
-- changes nothing.  What WeChat decides under a lock is decided in these
-- files; the program around them reads and writes the protocol.

set client_min_messages = warning;

create schema if not exists sandbox;

create table if not exists sandbox.settings (
    only_row        boolean primary key default true check (only_row),
    speed           integer not null default 1 check (speed > 0),
    -- [v2.md 15.1] seconds between the tellings of a notice
    schedule_s      integer[] not null default '{15,15,30,180,600,1200,1800,
                        1800,1800,3600,10800,10800,10800,21600,21600}',
    answer_ms       integer not null default 5000 check (answer_ms > 0),
    close_min_s     integer not null default 300 check (close_min_s >= 0),
    refund_gap_s    integer not null default 60 check (refund_gap_s >= 0),
    refund_delay_ms integer not null default 200
                        check (refund_delay_ms >= 0),
    prepay_life_s   integer not null default 7200 check (prepay_life_s > 0),
    unsettled_fen   bigint check (unsettled_fen >= 0),  -- null: plenty
    recharge_fen    bigint check (recharge_fen >= 0),
    signer          text check (signer in ('1', '2', 'public', 'mixed'))
                                         -- null: no API V3 here
);
insert into sandbox.settings default values on conflict do nothing;

-- What WeChat signs API V3 with: two platform certificates, and the key of
-- public-key mode.
create table if not exists sandbox.keys (
    name   text primary key check (name in ('1', '2', 'public')),
    serial text not null,
    listed boolean not null default false,  -- by /v3/certificates
    constraint only_certificates_are_listed
        check (not listed or name <> 'public')
);
create sequence if not exists sandbox.turn;

create table if not exists sandbox.faults (
    id         bigint primary key generated always as identity,
    api        text not null,
    number     text,                     -- of whom; null: of all
    fault      text not null,
    code       text,
    ms         integer,
    times_left integer check (times_left >= 0)          -- null: for ever
);

create table if not exists sandbox.calls (
    id          bigint primary key generated always as identity,
    at          timestamptz not null default clock_timestamp(),
    version     text not null check (version in ('v2', 'v3')),
    api         text not null,
    nonce_str   text not null,
    sign_type   text,
    serial      text,                    -- Wechatpay-Serial of the request
    client_cert boolean not null,
    fields      jsonb not null,          -- all but sign and nonce_str, and
                                         -- by the names that V2 has for it
    fault       text,                    -- what was planted for it
    outcome     text                     -- SUCCESS, an err_code, a return_msg
);
create index if not exists calls_nonce on sandbox.calls (nonce_str);
create index if not exists calls_number
    on sandbox.calls ((fields->>'out_trade_no'));

create table if not exists sandbox.payments (
    id             bigint generated always as identity,
    out_trade_no   text primary key,
    made_at        timestamptz not null default clock_timestamp(),
    trade_type     text not null,
    total_fen      bigint not null check (total_fen > 0),
    version        text not null check (version in ('v2', 'v3')),
    sign_type      text not null,
    time_expire    timestamptz,
    params         jsonb not null,       -- as the first call gave them
    state          text not null default 'NOTPAY'
                       check (state in ('NOTPAY', 'SUCCESS', 'CLOSED')),
    transaction_id text unique,
    paid_at        timestamptz,
    openid         text,
    coupon_fen     bigint not null default 0
                       check (coupon_fen between 0 and total_fen),
    coupon_type    text check (coupon_type in ('CASH', 'NO_CASH')),
    constraint paid_iff_facts check ((state = 'SUCCESS')
        = (transaction_id is not null and paid_at is not null
            and openid is not null))
);
create index if not exists payments_open on sandbox.payments (id)
    where state = 'NOTPAY';

create table if not exists sandbox.prepays (
    prepay_id    text primary key,
    code_url     text unique,
    out_trade_no text not null references sandbox.payments,
    made_at      timestamptz not null default clock_timestamp()
);
create index if not exists prepays_payment on sandbox.prepays (out_trade_no);

create table if not exists sandbox.refunds (
    id             bigint generated always as identity,
    out_refund_no  text primary key,
    refund_id      text not null unique,
    out_trade_no   text not null references sandbox.payments,
    made_at        timestamptz not null default clock_timestamp(),
    refund_fen     bigint not null check (refund_fen > 0),
    refund_account text not null,
    notify_url     text,
    version        text not null check (version in ('v2', 'v3')),
    source         text not null check (source in ('API', 'VENDOR_PLATFORM')),
    refund_status  text not null default 'PROCESSING' check (refund_status
                       in ('PROCESSING', 'SUCCESS', 'CHANGE', 'REFUNDCLOSE')),
    planned        text not null,        -- the status that time will bring
    settle_at      timestamptz,          -- when; null: no more
    success_at     timestamptz
);
create index if not exists refunds_payment on sandbox.refunds (out_trade_no);
create index if not exists refunds_due on sandbox.refunds (settle_at)
    where settle_at is not null;

create table if not exists sandbox.notices (
    id            bigint primary key generated always as identity,
    made_at       timestamptz not null default clock_timestamp(),
    kind          text not null check (kind in ('paid', 'refunded')),
    out_trade_no  text not null references sandbox.payments,
    out_refund_no text references sandbox.refunds,
    url           text not null,
    version       text not null check (version in ('v2', 'v3')),
    sign_type     text not null,
    event_id      uuid not null default gen_random_uuid(),
    fields        jsonb not null,        -- what happened, as it was then
    state         text not null default 'waiting'
                      check (state in ('waiting', 'done', 'given_up')),
    tries         integer not null default 0,
    due_at        timestamptz not null default clock_timestamp(),
    leased_until  timestamptz,           -- while a delivery is under way
    held_at       timestamptz,           -- until another delivery has ended
    held_until    timestamptz,
    excused       boolean not null default false   -- had its fault already
);
create index if not exists notices_due on sandbox.notices (due_at)
    where state = 'waiting';
create index if not exists notices_payment on sandbox.notices (out_trade_no);

create table if not exists sandbox.deliveries (
    id        bigint primary key generated always as identity,
    notice_id bigint not null references sandbox.notices,
    at        timestamptz not null,
    ended_at  timestamptz not null default clock_timestamp(),
    ms        integer not null,
    fault     text,
    status    integer not null,          -- HTTP; 0: no answer
    reply     text not null,
    verdict   text not null,             -- success, refused, lost, forged
    headers   jsonb not null,            -- Wechatpay-* of what was sent
    body      text not null              -- what was sent
);
create index if not exists deliveries_notice
    on sandbox.deliveries (notice_id);
create index if not exists deliveries_ended on sandbox.deliveries (ended_at);

create table if not exists sandbox.violations (
    id     bigint primary key generated always as identity,
    at     timestamptz not null default clock_timestamp(),
    kind   text not null,
    number text not null,                -- out_trade_no, out_refund_no, nonce
    detail text not null
);

create sequence if not exists sandbox.number;

-- Times as the protocols write them: Beijing, compact or spaced, or RFC 3339.
create or replace function sandbox.compact(at timestamptz) returns text
language sql stable as $$
    select to_char(at at time zone 'Asia/Shanghai', 'YYYYMMDDHH24MISS')
$$;

create or replace function sandbox.spaced(at timestamptz) returns text
language sql stable as $$
    select to_char(at at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI:SS')
$$;

create or replace function sandbox.rfc3339(at timestamptz) returns text
language sql stable as $$
    select to_char(at at time zone 'Asia/Shanghai',
        'YYYY-MM-DD"T"HH24:MI:SS"+08:00"')
$$;

create or replace function sandbox.beijing(compact text) returns timestamptz
language sql stable as $$
    select make_timestamptz(substr(compact, 1, 4)::int,
        substr(compact, 5, 2)::int, substr(compact, 7, 2)::int,
        substr(compact, 9, 2)::int, substr(compact, 11, 2)::int,
        substr(compact, 13, 2)::int, 'Asia/Shanghai')
$$;

-- 28 digits: a prefix of 10, the day, ten that count.
create or replace function sandbox.number_next(prefix text) returns text
language sql volatile as $$
    select rpad(prefix, 10, '0')
        || substr(sandbox.compact(clock_timestamp()), 1, 8)
        || lpad(nextval('sandbox.number')::text, 10, '0')
$$;

create or replace function sandbox.violation_add(kind text, number text,
    detail text) returns void
language sql as $$
    insert into sandbox.violations (kind, number, detail)
    values (kind, number, detail)
$$;

-- The oldest fault planted for an api, and for one of the numbers or for all;
-- one time less of it.  Or nulls.
create or replace function sandbox.fault_take(for_api text,
    for_numbers text[]) returns sandbox.faults
language plpgsql as $$
declare
    planted sandbox.faults;
begin
    loop
        planted := null;
        select * into planted from sandbox.faults
        where api = for_api and (times_left is null or times_left > 0)
        and (number is null or number = any (for_numbers))
        order by id limit 1;
        exit when planted.id is null or planted.times_left is null;
        update sandbox.faults set times_left = times_left - 1
        where id = planted.id and times_left > 0;
        exit when found;
    end loop;
    return planted;
end $$;

-- call_add: journal a call before anything is done about it.  One that was
-- refused at the door, before it was believed, uses up no fault.
create or replace function sandbox.call_add(of_version text, for_api text,
    nonce text, type text, named text, cert boolean, needs_cert boolean,
    given jsonb, refused text)
returns table (call bigint, fault text, code text, ms integer)
language plpgsql as $$
declare
    planted sandbox.faults;
begin
    if refused is null then
        planted := sandbox.fault_take(for_api, array[
            given->>'out_trade_no', given->>'transaction_id',
            given->>'out_refund_no', given->>'refund_id']);
        if exists (select from sandbox.calls c where c.nonce_str = nonce) then
            perform sandbox.violation_add('nonce_repeated', nonce, for_api);
        end if;
        if type = 'HMAC-SHA256' and not given ? 'sign_type' then
            perform sandbox.violation_add('sign_type_missing', nonce,
                for_api);
        end if;
    end if;
    if needs_cert and not cert then
        perform sandbox.violation_add('cert_missing', nonce, for_api);
    end if;
    insert into sandbox.calls (version, api, nonce_str, sign_type, serial,
        client_cert, fields, fault, outcome)
    values (of_version, for_api, nonce, type, named, cert, given,
        planted.fault, refused)
    returning id into call;
    fault := planted.fault;
    code := planted.code;
    ms := planted.ms;
    return next;
end $$;

create or replace function sandbox.call_ended(call bigint, word text)
returns void
language sql as $$
    update sandbox.calls set outcome = word where id = call
$$;

\ir books/keys.sql
\ir books/money.sql
\ir books/h5.sql
\ir books/v2.sql
\ir books/micropay.sql
\ir books/v3.sql
\ir books/notices.sql
\ir books/platform.sql
