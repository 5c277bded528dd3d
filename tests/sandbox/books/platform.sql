-- platform: who opens a page in WeChat, and the tokens of the account.  An
-- answer is JSON as WeChat writes it.  [platform.md 2 to 5, 11]

-- Who does so next, and how long codes and tokens live.
create table if not exists sandbox.visitor (
    only_row     boolean primary key default true check (only_row),
    openid       text not null default 'oSandbox-visitor',
    refuses      boolean not null default false,
    is_snapshot  boolean not null default false,
    code_life_s  integer not null default 300 check (code_life_s > 0),
    token_life_s integer not null default 7200 check (token_life_s > 0)
);
insert into sandbox.visitor default values on conflict do nothing;

create table if not exists sandbox.codes (
    code        text primary key,
    kind        text not null check (kind in ('oauth', 'login')),
    appid       text not null,
    openid      text not null,           -- under appid
    is_snapshot boolean not null,
    ends_at     timestamptz not null,
    used        boolean not null default false,
    session_key text                     -- told with a login
);

create table if not exists sandbox.tokens (
    id       bigint primary key generated always as identity,
    kind     text not null check (kind in ('access_token', 'jsapi_ticket')),
    value    text not null unique,
    made_at  timestamptz not null default clock_timestamp(),
    life_s   integer not null,
    ends_at  timestamptz not null,
    revoked  boolean not null default false
);

create table if not exists sandbox.platform_calls (
    id      bigint primary key generated always as identity,
    at      timestamptz not null default clock_timestamp(),
    api     text not null,
    fault   text,
    errcode integer                      -- 0: done; null: not executed
);

create or replace function sandbox.platform_begin(for_api text)
returns table (call bigint, fault text, code text, ms integer)
language plpgsql as $$
declare
    planted sandbox.faults := sandbox.fault_take(for_api, '{}');
begin
    insert into sandbox.platform_calls (api, fault)
    values (for_api, planted.fault) returning id into call;
    fault := planted.fault;
    code := planted.code;
    ms := planted.ms;
    return next;
end $$;

create or replace function sandbox.platform_answer(of_call bigint,
    answer jsonb) returns text
language sql as $$
    update sandbox.platform_calls
    set errcode = coalesce((answer->>'errcode')::integer, 0)
    where id = of_call;
    select answer::text
$$;

create or replace function sandbox.platform_refuse(errcode integer,
    words text) returns jsonb
language sql volatile as $$
    select jsonb_build_object('errcode', errcode, 'errmsg', words
        || ', rid: ' || substr(gen_random_uuid()::text, 1, 18))
$$;

create or replace function sandbox.code_add(of_kind text, of_appid text)
returns text
language sql as $$
    insert into sandbox.codes (code, kind, appid, openid, is_snapshot,
        ends_at)
    select translate(gen_random_uuid()::text, '-', ''), of_kind, of_appid,
        v.openid, v.is_snapshot, clock_timestamp() + make_interval(
            secs => v.code_life_s)
    from sandbox.visitor v
    where of_kind = 'login' or not v.refuses
    returning code
$$;

-- A code is good once.
create or replace function sandbox.code_take(of_kind text, given text)
returns jsonb
language plpgsql as $$
declare
    known sandbox.codes;
    fresh text := encode(uuid_send(gen_random_uuid()), 'base64');
begin
    select * into known from sandbox.codes
    where code = given and kind = of_kind for update;
    if not found then
        return sandbox.platform_refuse(40029, 'invalid code');
    elsif known.used then
        return sandbox.platform_refuse(40163, 'code been used');
    elsif known.ends_at <= clock_timestamp() then
        return sandbox.platform_refuse(42003, 'code expired');
    end if;
    update sandbox.codes set used = true,
        session_key = case of_kind when 'login' then fresh end
    where code = given;
    if of_kind = 'login' then
        return jsonb_build_object('openid', known.openid, 'session_key',
            fresh);
    end if;
    return jsonb_build_object('access_token', 'web-' || gen_random_uuid(),
        'expires_in', 7200, 'refresh_token', 'web-' || gen_random_uuid(),
        'openid', known.openid, 'scope', 'snsapi_base')
        || case when known.is_snapshot then '{"is_snapshotuser": 1}'::jsonb
            else '{}' end;
end $$;

-- An openid that was told under other appids alone.  One that was never told
-- is a test's own, and may be anybody's.
create or replace function sandbox.is_elsewhere(of_openid text,
    of_appid text) returns boolean
language sql stable as $$
    select coalesce(bool_and(appid <> of_appid), false)
    from sandbox.codes where openid = of_openid and used
$$;

-- The one that lives, or another in its last 5 minutes, or in the last
-- quarter of a shorter life.
create or replace function sandbox.token_of(of_kind text)
returns sandbox.tokens
language plpgsql as $$
declare
    token sandbox.tokens;
begin
    lock table sandbox.tokens in exclusive mode;
    select * into token from sandbox.tokens
    where kind = of_kind and not revoked and clock_timestamp() < ends_at
        - make_interval(secs => least(300, life_s / 4))
    order by id desc limit 1;
    if not found then
        insert into sandbox.tokens (kind, value, life_s, ends_at)
        select of_kind, of_kind || '-' || gen_random_uuid(), v.token_life_s,
            clock_timestamp() + make_interval(secs => v.token_life_s)
        from sandbox.visitor v returning * into token;
    end if;
    return token;
end $$;

create or replace function sandbox.stable_token() returns jsonb
language sql as $$
    select jsonb_build_object('access_token', t.value, 'expires_in',
        ceil(extract(epoch from t.ends_at - clock_timestamp()))::integer)
    from sandbox.token_of('access_token') t
$$;

create or replace function sandbox.getticket(given text) returns jsonb
language plpgsql as $$
declare
    token  sandbox.tokens;
    ticket sandbox.tokens;
begin
    select * into token from sandbox.tokens
    where kind = 'access_token' and value = given;
    if not found or token.revoked then
        return sandbox.platform_refuse(40001,
            'invalid credential, access_token is invalid or not latest');
    elsif token.ends_at <= clock_timestamp() then
        return sandbox.platform_refuse(42001, 'access_token expired');
    end if;
    ticket := sandbox.token_of('jsapi_ticket');
    return jsonb_build_object('errcode', 0, 'errmsg', 'ok', 'ticket',
        ticket.value, 'expires_in', ceil(extract(epoch
            from ticket.ends_at - clock_timestamp()))::integer);
end $$;

-- Change what is not null.
create or replace function sandbox.visitor_set(new_openid text,
    new_refuses boolean, new_is_snapshot boolean, new_code_life_s integer,
    new_token_life_s integer) returns json
language sql as $$
    update sandbox.visitor set openid = coalesce(new_openid, openid),
        refuses = coalesce(new_refuses, refuses),
        is_snapshot = coalesce(new_is_snapshot, is_snapshot),
        code_life_s = coalesce(new_code_life_s, code_life_s),
        token_life_s = coalesce(new_token_life_s, token_life_s);
    select row_to_json(v) from sandbox.visitor v
$$;

create or replace function sandbox.token_revoke() returns json
language sql as $$
    with gone as (update sandbox.tokens set revoked = true
        where kind = 'access_token' and not revoked returning 1)
    select json_build_object('revoked', count(*)) from gone
$$;

create or replace function sandbox.platform_state() returns json
language sql as $$
    select json_build_object('visitor', (select row_to_json(v)
            from sandbox.visitor v),
        'calls', (select coalesce(json_agg(c order by c.id), '[]')
            from sandbox.platform_calls c),
        'tokens', (select coalesce(json_agg(t order by t.id), '[]')
            from sandbox.tokens t))
$$;
