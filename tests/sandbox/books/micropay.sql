-- micropay: payment codes that a shop scans, and payments that are reversed.

alter table sandbox.settings add column if not exists
    reverse_min_s integer not null default 15 check (reverse_min_s >= 0);
alter table sandbox.payments
    add column if not exists pays_at timestamptz,  -- the payer will have
                                                   -- typed his password
    add column if not exists fails boolean not null default false, -- in vain
    add column if not exists returned_fen bigint not null default 0,
    drop constraint if exists payments_state_check,
    add constraint payments_state_check check (state in ('NOTPAY', 'SUCCESS',
        'CLOSED', 'USERPAYING', 'REVOKED', 'PAYERROR')),
    drop constraint if exists paid_iff_facts,
    add constraint paid_iff_facts check (state = 'REVOKED'
        or (state = 'SUCCESS') = (transaction_id is not null
            and paid_at is not null and openid is not null)),
    drop constraint if exists all_of_it_is_returned,
    add constraint all_of_it_is_returned check (returned_fen
        = case when state = 'REVOKED' and transaction_id is not null
            then total_fen else 0 end);

-- What the phone that shows a code will do.  A code that nobody has spoken of
-- pays at once.  Each is good for one attempt.
create table if not exists sandbox.auth_codes (
    auth_code text primary key check (auth_code ~ '^1[0-5][0-9]{16}$'),
    does      text not null default 'pays'
                  check (does in ('pays', 'asks', 'fails', 'refuses')),
    after_ms  integer check (after_ms >= 0),    -- null: asks for ever
    code      text,                             -- the err_code of a refusal
    used_at   timestamptz,
    constraint a_refusal_has_a_code
        check ((does = 'refuses') = (code is not null))
);

create or replace function sandbox.auth_code_set(of_code text, will_do text,
    ms integer, refusal text) returns json
language plpgsql as $$
declare
    made sandbox.auth_codes;
begin
    insert into sandbox.auth_codes (auth_code, does, after_ms, code)
    values (of_code, coalesce(will_do, 'pays'), ms, refusal)
    returning * into made;
    return row_to_json(made);
end $$;

-- A payer who was asked has paid by now, or his bank has said no.
create or replace function sandbox.auth_code_ripen(number text) returns void
language sql as $$
    update sandbox.payments set state = 'PAYERROR'
    where out_trade_no = number and state = 'USERPAYING' and fails
        and pays_at <= clock_timestamp();
    update sandbox.payments set state = 'SUCCESS', paid_at = pays_at,
        transaction_id = sandbox.number_next('4200'),
        openid = 'oSandbox-Shows-A-Code'
    where out_trade_no = number and state = 'USERPAYING'
        and pays_at <= clock_timestamp()
$$;

-- The first use of a code; or why there is none.
create or replace function sandbox.auth_code_take(of_code text,
    out taken sandbox.auth_codes, out refusal text)
language plpgsql as $$
begin
    insert into sandbox.auth_codes (auth_code) values (of_code)
    on conflict do nothing;
    update sandbox.auth_codes set used_at = clock_timestamp()
    where auth_code = of_code and used_at is null returning * into taken;
    refusal := case when taken.auth_code is null then 'AUTH_CODE_ERROR'
        else taken.code end;
end $$;

-- [v2.md 7.2, 16.2]
create or replace function sandbox.micropay(call bigint)
returns table (name text, value text)
language plpgsql as $$
declare
    given   jsonb;
    type    text;
    payment sandbox.payments;
    one     record;
    code    text;
begin
    select c.fields, c.sign_type into given, type
    from sandbox.calls c where c.id = call;
    perform pg_advisory_xact_lock(hashtext(given->>'out_trade_no'));
    payment := sandbox.payment_of(given);
    code := case
        when payment.out_trade_no is null then null
        when payment.trade_type <> 'MICROPAY' then 'OUT_TRADE_NO_USED'
        when payment.state = 'SUCCESS' then 'ORDERPAID'
        when payment.state = 'REVOKED' then 'ORDERREVERSED'
        else 'INVALID_REQUEST' end;
    if payment.out_trade_no is not null then
        perform sandbox.violation_add('micropay_again', payment.out_trade_no,
            'a second call with this number: ' || code);
    else
        one := sandbox.auth_code_take(given->>'auth_code');
        code := one.refusal;
    end if;
    if code is null then
        insert into sandbox.payments (out_trade_no, trade_type, total_fen,
            version, sign_type, params, state, fails, pays_at)
        values (given->>'out_trade_no', 'MICROPAY',
            (given->>'total_fee')::bigint, 'v2', type, given - 'sign_type',
            'USERPAYING', (one.taken).does = 'fails', case (one.taken).does
                when 'pays' then clock_timestamp()
                else clock_timestamp()
                    + (one.taken).after_ms * interval '1 ms' end);
        payment := sandbox.payment_of(given);
        if payment.state = 'USERPAYING' then
            code := 'USERPAYING';
        end if;
    end if;
    if code is not null then
        return query select * from sandbox.refuse(call, code,
            case code when 'USERPAYING' then '需要用户输入支付密码'
            when 'AUTHCODEEXPIRE' then '二维码已过期，请用户在微信上刷新后再试'
            when 'NOTENOUGH' then '余额不足'
            else '支付失败，请撤销交易重新扫码' end);
        return;
    end if;
    perform sandbox.call_ended(call, 'SUCCESS');
    return query values ('out_trade_no', payment.out_trade_no),
        ('total_fee', payment.total_fen::text),
        ('attach', coalesce(payment.params->>'attach', ''));
    return query select * from sandbox.paid_fields(payment);
end $$;

-- [v2.md 7.5] The documents name no code for a reversal that comes too early.
create or replace function sandbox.reverse(call bigint)
returns table (name text, value text)
language plpgsql as $$
declare
    spoilt  text := (select c.fault from sandbox.calls c where c.id = call);
    given   jsonb := (select c.fields from sandbox.calls c where c.id = call);
    payment sandbox.payments := sandbox.payment_of(given);
    age_s   numeric := extract(epoch from clock_timestamp() - payment.made_at);
    code    text;
begin
    code := case
        when payment.out_trade_no is null then 'INVALID_TRANSACTIONID'
        when payment.trade_type <> 'MICROPAY' then 'INVALID_REQUEST'
        when payment.state = 'REVOKED' then 'INVALID_REQUEST'
        when age_s < (select reverse_min_s from sandbox.settings)
            then 'TOO_EARLY'
        when age_s > 7 * 86400 then 'REVERSE_EXPIRE'
        when sandbox.trade_state(payment) = 'REFUND' then 'TRADE_ERROR'
        end;
    if code = 'TOO_EARLY' or payment.trade_type <> 'MICROPAY' then
        perform sandbox.violation_add(case code when 'TOO_EARLY'
            then 'reverse_early' else 'reverse_of_another' end,
            payment.out_trade_no, 'after ' || round(age_s, 3) || ' s');
        code := 'INVALID_REQUEST';
    end if;
    if code is not null then
        return query select * from sandbox.refuse(call, code,
            '订单状态不允许撤销');
        return;
    end if;
    perform sandbox.call_ended(call, 'SUCCESS');
    if spoilt is distinct from 'recall' then
        update sandbox.payments set state = 'REVOKED', returned_fen
            = case when transaction_id is null then 0 else total_fen end
        where out_trade_no = payment.out_trade_no;
    end if;
    return query values ('recall', case spoilt when 'recall' then 'Y'
        else 'N' end);
end $$;
