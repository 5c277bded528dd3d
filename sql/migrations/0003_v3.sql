-- API V3: WeChat's keys, what its signed notices are proved by, and payments
-- that have a code_url and no prepay_id.

-- Platform certificates that the worker has fetched and verified.  They are
-- never taken back: each counts until its own end.  [v3.md 5.1]
create table wxpay_data.wechat_keys (
    mchid      text not null references wxpay_data.merchants,
    serial     text not null,
    pem        text not null,
    not_before timestamptz not null,
    not_after  timestamptz not null,
    stored_at  timestamptz not null default now(),
    primary key (mchid, serial),
    constraint wechat_keys_serial_is_40_digits
        check (serial ~ '^[0-9A-F]{40}$'),
    constraint wechat_keys_end_after_they_begin
        check (not_after > not_before)
);
create trigger wechat_keys_stay
    before delete or truncate on wxpay_data.wechat_keys
    for each statement execute function wxpay_data.row_stays();

-- Who fetches them, and when next.
create table wxpay_data.wechat_key_fetches (
    mchid        text primary key references wxpay_data.merchants,
    due_at       timestamptz not null default now(),
    leased_until timestamptz,
    lease_no     bigint not null default 0,
    tried_at     timestamptz,
    fetched_at   timestamptz,                  -- the last that went well
    outcome      text                          -- of the last call
);

-- By which key WeChat was last believed, to the minute, and in what.
create table wxpay_data.wechat_key_uses (
    mchid    text not null references wxpay_data.merchants,
    serial   text not null,
    via      text not null,
    first_at timestamptz not null default now(),
    last_at  timestamptz not null default now(),
    primary key (mchid, serial, via),
    constraint wechat_key_uses_via_is_known
        check (via in ('notice', 'answer'))
);

-- What the signature of a V3 notice is verified with again, years later:
-- timestamp, nonce, signature and serial, a line each.
alter table wxpay_data.notices
    add column proof text not null default '';

alter table wxpay_data.calls
    drop constraint calls_op_is_known,
    add constraint calls_op_is_known
        check (op in ('prepay', 'query', 'close', 'refund', 'refund_query',
            'certificates'));

alter table wxpay_data.payments
    drop constraint payments_prepaid_has_prepay_id,
    add constraint payments_prepaid_has_an_answer
        check (state <> 'prepaid'
            or num_nonnulls(prepay_id, code_url, h5_url) > 0);

-- These take or answer more now.
drop function if exists wxpay.notice_paid(text, text, text, bytea, text,
    text, text, bigint, text, text, text, bigint);
drop function if exists wxpay.notice_refunded(text, text, text, bytea, text,
    text, text, bigint, bigint, boolean);
drop function if exists wxpay.pay_start(text, text, text, int, text, text,
    bigint, text, bigint, text, text, text, int, text, text, text, text,
    text, text, int, int, int);
drop function if exists wxpay.order_close(text, text, text, text, int);
drop function if exists wxpay_data.unexpected_returned(text, text);
