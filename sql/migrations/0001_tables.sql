-- The tables, and the rules that hold whoever writes: constraints whose names
-- are the error message, legal steps as rows, journals that only grow.
--
-- wxpay_data holds the tables and what only our own functions call; nobody
-- but the owner may use it.  wxpay holds what others see: views and functions.

create schema wxpay_data;
create schema wxpay;

create table wxpay_data.migrations (           -- those that have been run
    name   text primary key,
    run_at timestamptz not null default now()
);

-- ---------------------------------------------------------------- merchants

create table wxpay_data.merchants (
    mchid      text primary key,
    event_no   bigint not null default 0,      -- the last number given out
    created_at timestamptz not null default now()
);

-- Which shop's login belongs to which merchant; needed only where several
-- merchants share the database.
create table wxpay_data.shop_logins (
    login text primary key,
    mchid text not null references wxpay_data.merchants
);

create table wxpay_data.products (
    mchid      text not null references wxpay_data.merchants,
    product_id text not null,
    body       text not null,
    price_fen  bigint not null,
    updated_at timestamptz not null default now(),
    primary key (mchid, product_id),
    constraint products_id_is_1_to_32_letters
        check (product_id ~ '^[0-9A-Za-z_-]{1,32}$'),
    constraint products_body_is_1_to_127_bytes
        check (octet_length(body) between 1 and 127),
    constraint products_price_is_positive
        check (price_fen between 1 and 2147483647)
);

-- ------------------------------------------------------------------- orders

create table wxpay_data.orders (
    seq         bigint generated always as identity unique,
    mchid       text not null references wxpay_data.merchants,
    order_no    text not null,
    token       text not null,                 -- who has it may see and pay
    origin      text not null,
    state       text not null default 'pending',
    total_fen   bigint not null,
    body        text not null,
    attach      text not null default '',
    product_id  text,
    quantity    int,
    return_url  text,
    attempts    int not null default 0,        -- payments made so far
    closing     boolean not null default false,-- to be closed; payments first
    created_at  timestamptz not null default now(),
    time_expire timestamptz not null,
    checked_at  timestamptz,                   -- last "I have paid"
    paid_at     timestamptz,
    closed_at   timestamptz,
    primary key (mchid, order_no),
    constraint orders_no_is_well_formed
        check (order_no ~ '^[0-9A-Za-z][0-9A-Za-z_-]{5,27}$'
            and order_no !~ '_[0-9]+$'
            and order_no not in ('authorize', 'jsconfig', 'openid')),
    constraint orders_origin_is_known
        check (origin in ('product', 'signed', 'shop')),
    constraint orders_state_is_known
        check (state in ('pending', 'paid', 'closed')),
    constraint orders_total_is_positive
        check (total_fen between 1 and 2147483647),
    constraint orders_body_is_1_to_127_bytes
        check (octet_length(body) between 1 and 127),
    constraint orders_attach_is_at_most_127_bytes
        check (octet_length(attach) <= 127),
    constraint orders_attempts_at_most_99
        check (attempts between 0 and 99),
    constraint orders_paid_iff_paid_at
        check ((state = 'paid') = (paid_at is not null)),
    constraint orders_closed_only_with_closed_at
        check (state <> 'closed' or closed_at is not null)
);
create index orders_to_expire on wxpay_data.orders (time_expire)
    where state = 'pending';

-- One id that a caller chose is one order for ever.
create table wxpay_data.request_ids (
    mchid      text not null,
    request_id text not null,
    what       text not null,                  -- what was to be bought
    order_no   text not null,
    primary key (mchid, request_id),
    constraint request_ids_order_exists
        foreign key (mchid, order_no) references wxpay_data.orders
        deferrable initially deferred
);

-- ----------------------------------------------------------------- payments

create table wxpay_data.payments (
    mchid          text not null,
    out_trade_no   text not null,
    order_no       text not null,
    attempt        int not null,
    api            text not null,
    appid          text not null,
    trade_type     text not null,
    openid         text not null default '',
    client_ip      text not null,
    state          text not null default 'created',
    total_fen      bigint not null,
    settles        boolean not null default false, -- this one paid the order
    closing        boolean not null default false,
    created_at     timestamptz not null default now(),
    close_after    interval not null default '300 s', -- WeChat wants no close
    close_at       timestamptz not null,       -- sooner after ordering
    -- what unifiedorder answered
    prepay_id      text,
    code_url       text,
    h5_url         text,
    prepaid_at     timestamptz,
    -- what a verified notice or query said
    transaction_id text,
    payer          text,
    bank_type      text,
    paid_at        timestamptz,
    -- refunds: reserved at request, refunded when WeChat confirmed
    reserved_fen   bigint not null default 0,
    refunded_fen   bigint not null default 0,
    refund_count   int not null default 0,     -- all but the rejected
    refund_no      int not null default 0,     -- numbers given out
    -- who calls WeChat about it, and when next
    unsure         boolean not null default false, -- a prepay call may have
                                               -- reached WeChat: ask first
    missing_at     timestamptz,                -- first "no such payment"
    next_op        text not null default 'query',
    check_at       timestamptz,                -- null: nothing to ask
    hinted_at      timestamptz,                -- somebody said: ask now
    claimed_at     timestamptz,
    leased_until   timestamptz,
    lease_no       bigint not null default 0,
    primary key (mchid, out_trade_no),
    constraint payments_order_exists
        foreign key (mchid, order_no) references wxpay_data.orders,
    constraint payments_attempt_is_1_to_99
        check (attempt between 1 and 99),
    constraint payments_number_follows_attempt
        check (out_trade_no = case attempt when 1 then order_no
            else order_no || '_' || attempt end),
    constraint payments_api_is_known
        check (api in ('v2', 'v3')),
    constraint payments_trade_type_is_known
        check (trade_type in ('JSAPI', 'NATIVE', 'APP', 'MWEB', 'MICROPAY')),
    constraint payments_state_is_known
        check (state in ('created', 'prepaid', 'paid', 'closed')),
    constraint payments_prepaid_has_prepay_id
        check (state <> 'prepaid' or prepay_id is not null),
    constraint payments_paid_iff_facts
        check (num_nonnulls(transaction_id, paid_at)
            = case state when 'paid' then 2 else 0 end),
    constraint payments_settle_only_if_paid
        check (not settles or state = 'paid'),
    constraint payments_refunded_within_reserved_within_total
        check (0 <= refunded_fen and refunded_fen <= reserved_fen
            and reserved_fen <= total_fen),
    constraint payments_nothing_reserved_unless_paid
        check (reserved_fen = 0 or state = 'paid'),
    constraint payments_at_most_50_refunds
        check (refund_count between 0 and 50),
    constraint payments_next_op_is_known
        check (next_op in ('query', 'close'))
);
create unique index payments_one_current_an_order
    on wxpay_data.payments (mchid, order_no)
    where state in ('created', 'prepaid') and not closing;
create unique index payments_one_settles_an_order
    on wxpay_data.payments (mchid, order_no) where settles;
create unique index payments_transaction_id_is_unique
    on wxpay_data.payments (mchid, transaction_id);
create unique index payments_of_order
    on wxpay_data.payments (mchid, order_no, attempt);
create index payments_due on wxpay_data.payments (check_at)
    where check_at is not null;

-- ------------------------------------------------------------------ refunds

create table wxpay_data.refunds (
    seq           bigint generated always as identity unique,
    mchid         text not null,
    out_refund_no text not null,
    order_no      text not null,
    out_trade_no  text not null,
    state         text not null,
    origin        text not null,
    refund_fen    bigint not null,
    reason        text not null default '',
    request_id    text,
    requested_by  text not null,
    decided_by    text,
    decided_at    timestamptz,
    decision      text,                        -- why the operator said so
    decision_id   text,                        -- made by who passed it on
    refund_id     text,                        -- WeChat's number
    failure       text,                        -- CLOSED, ABNORMAL or err_code
    denied        text,                        -- an unsigned no, not yet sure
    missing_at    timestamptz,                 -- first "no such refund"
    doubted       boolean not null default false, -- a send may have been
                                               -- carried out
    was_doubted   boolean not null default false, -- before the one in hand
    from_recharge boolean not null default false,
    created_at    timestamptz not null default now(),
    send_at       timestamptz,                 -- its turn among the order's
    gap_s         int not null default 0,      -- since another one was sent
    sent_at       timestamptz,                 -- last call that left
    refunded_at   timestamptz,
    failed_at     timestamptz,
    next_op       text not null default 'send',
    due_at        timestamptz,                 -- null: nothing to do
    hinted_at     timestamptz,
    claimed_at    timestamptz,
    leased_until  timestamptz,
    lease_no      bigint not null default 0,
    primary key (mchid, out_refund_no),
    constraint refunds_payment_exists
        foreign key (mchid, out_trade_no) references wxpay_data.payments,
    constraint refunds_number_is_well_formed
        check (out_refund_no ~ '^[0-9A-Za-z_|*@-]{1,64}$'),
    constraint refunds_state_is_known
        check (state in ('pending', 'refunding', 'refunded', 'failed',
            'rejected')),
    constraint refunds_origin_is_known
        check (origin in ('shopper', 'staff', 'foreign')),
    constraint refunds_amount_is_positive
        check (refund_fen between 1 and 2147483647),
    constraint refunds_refunded_iff_refunded_at
        check ((state = 'refunded') = (refunded_at is not null)),
    constraint refunds_failed_iff_failure
        check ((state = 'failed') = (failure is not null)),
    constraint refunds_refunding_has_its_turn
        check (state <> 'refunding' or send_at is not null),
    constraint refunds_next_op_is_known
        check (next_op in ('send', 'query'))
);
create unique index refunds_request_id_is_unique
    on wxpay_data.refunds (mchid, request_id);
create index refunds_of_order on wxpay_data.refunds (mchid, order_no, seq);
create index refunds_of_payment on wxpay_data.refunds (mchid, out_trade_no);
create index refunds_by_state on wxpay_data.refunds (mchid, state, seq);
create index refunds_due on wxpay_data.refunds (due_at)
    where due_at is not null;

-- Refunds that WeChat mentioned and we do not know: made by hand on its
-- platform.  A verified query turns the hint into a foreign refund.
create table wxpay_data.refund_hints (
    mchid         text not null,
    out_refund_no text not null,
    out_trade_no  text not null,
    appid         text not null,
    created_at    timestamptz not null default now(),
    asked         int not null default 0,
    due_at        timestamptz,                 -- null: settled
    leased_until  timestamptz,
    lease_no      bigint not null default 0,
    primary key (mchid, out_refund_no),
    constraint refund_hints_payment_exists
        foreign key (mchid, out_trade_no) references wxpay_data.payments
);
create index refund_hints_due on wxpay_data.refund_hints (due_at)
    where due_at is not null;

-- ---------------------------------------------- money that nobody asked for

create table wxpay_data.unexpected (
    seq            bigint generated always as identity primary key,
    mchid          text not null,
    kind           text not null,
    state          text not null default 'open',
    order_no       text,
    out_trade_no   text not null,
    transaction_id text not null,
    out_refund_no  text not null default '',
    total_fen      bigint not null,
    detail         text not null,
    created_at     timestamptz not null default now(),
    constraint unexpected_stands_once
        unique (mchid, kind, out_trade_no, transaction_id, out_refund_no),
    constraint unexpected_kind_is_known
        check (kind in ('payment', 'differs', 'unknown', 'refund')),
    constraint unexpected_state_is_known
        check (state in ('open', 'returned'))
);

-- ----------------------------------------------------- events (the outbox)

create table wxpay_data.events (
    seq           bigint generated always as identity primary key,
    mchid         text not null,
    id            bigint,                      -- given after commit, gapless
    kind          text not null,
    order_no      text,
    out_trade_no  text,
    out_refund_no text,
    fen           bigint,
    created_at    timestamptz not null default now(),
    constraint events_id_is_unique unique (mchid, id)
);
create index events_unnumbered on wxpay_data.events (mchid, seq)
    where id is null;

-- ----------------------------------------------------------------- journals

-- Every authentic telling of WeChat, as it arrived.
create table wxpay_data.notices (
    seq           bigint generated always as identity,
    received_at   timestamptz not null default now(),
    mchid         text not null,
    kind          text not null,
    api           text not null,
    request_id    text not null,
    verdict       text not null,
    out_trade_no  text,
    transaction_id text,
    out_refund_no text,
    raw           bytea not null,
    primary key (received_at, seq)
) partition by range (received_at);
create table wxpay_data.notices_default
    partition of wxpay_data.notices default;

-- Every call to WeChat: the row is committed before the first byte leaves.
create table wxpay_data.calls (
    call_no       bigint generated always as identity,
    began_at      timestamptz not null default clock_timestamp(),
    mchid         text not null,
    op            text not null,
    out_trade_no  text,
    out_refund_no text,
    nonce         text not null,
    lease_no      bigint not null,
    by_role       text not null default session_user,
    outcome       text,
    code          text,
    ended_at      timestamptz,
    primary key (began_at, call_no),
    constraint calls_op_is_known
        check (op in ('prepay', 'query', 'close', 'refund', 'refund_query')),
    constraint calls_end_as_a_whole
        check (num_nonnulls(outcome, ended_at) in (0, 2))
) partition by range (began_at);
create table wxpay_data.calls_default partition of wxpay_data.calls default;
create index calls_by_no on wxpay_data.calls (call_no);
create index calls_open on wxpay_data.calls (began_at) where outcome is null;

-- Every step of an order, payment or refund, with who and why.
create table wxpay_data.steps (
    seq        bigint generated always as identity,
    at         timestamptz not null default clock_timestamp(),
    mchid      text not null,
    entity     text not null,
    number     text not null,
    from_state text,                           -- null: it began
    to_state   text not null,
    actor      text not null,                  -- as our functions say
    reason     text not null,
    by_role    text not null default session_user, -- as PostgreSQL knows
    primary key (at, seq)
) partition by range (at);
create table wxpay_data.steps_default partition of wxpay_data.steps default;
create index steps_of on wxpay_data.steps (mchid, entity, number);

create function wxpay_data.journal_guard() returns trigger
    language plpgsql as $$
begin
    if tg_op = 'UPDATE' and tg_argv[0] = 'calls' then
        if old.outcome is null and new.outcome is not null
            and (to_jsonb(new) - array['outcome', 'code', 'ended_at'])
              = (to_jsonb(old) - array['outcome', 'code', 'ended_at']) then
            return new;
        end if;
    end if;
    raise exception '% only grows: % refused', tg_argv[0], lower(tg_op)
        using errcode = 'restrict_violation';
end $$;

create trigger notices_only_grow
    before update or delete on wxpay_data.notices
    for each row execute function wxpay_data.journal_guard('notices');
create trigger notices_stay before truncate on wxpay_data.notices
    for each statement execute function wxpay_data.journal_guard('notices');
create trigger calls_only_grow
    before update or delete on wxpay_data.calls
    for each row execute function wxpay_data.journal_guard('calls');
create trigger calls_stay before truncate on wxpay_data.calls
    for each statement execute function wxpay_data.journal_guard('calls');
create trigger steps_only_grow
    before update or delete on wxpay_data.steps
    for each row execute function wxpay_data.journal_guard('steps');
create trigger steps_stay before truncate on wxpay_data.steps
    for each statement execute function wxpay_data.journal_guard('steps');
-- a partition does not inherit these; partitions_ahead gives each its own
create trigger stays before truncate on wxpay_data.notices_default
    for each statement execute function wxpay_data.journal_guard('notices');
create trigger stays before truncate on wxpay_data.calls_default
    for each statement execute function wxpay_data.journal_guard('calls');
create trigger stays before truncate on wxpay_data.steps_default
    for each statement execute function wxpay_data.journal_guard('steps');

-- ---------------------------------------------------------- the legal steps

create table wxpay_data.order_step (           -- the only roads between states
    from_state text,
    to_state   text,
    primary key (from_state, to_state)
);
insert into wxpay_data.order_step values
    ('pending', 'paid'),
    ('pending', 'closed'),
    ('closed', 'paid');                        -- money overtakes us, and wins

create table wxpay_data.payment_step (like wxpay_data.order_step including all);
insert into wxpay_data.payment_step values
    ('created', 'prepaid'),
    ('created', 'paid'), ('prepaid', 'paid'),
    ('created', 'closed'), ('prepaid', 'closed'),
    ('closed', 'paid');                        -- money overtakes us, and wins

create table wxpay_data.refund_step (like wxpay_data.order_step including all);
insert into wxpay_data.refund_step values
    ('pending', 'refunding'),                  -- an operator said yes
    ('pending', 'rejected'),                   -- an operator said no
    ('refunding', 'refunded'),                 -- WeChat confirmed
    ('refunding', 'failed'),                   -- WeChat said no
    ('failed', 'refunding'),                   -- an operator tries again
    ('failed', 'refunded');                    -- WeChat's word overtakes us

-- Refuse a step that is not in the table, and a beginning that is not the
-- first state; write the rest into the journal.  Actor and reason come from
-- settings local to the transaction, else from the role that is logged in.
create function wxpay_data.step_guard() returns trigger
    language plpgsql set search_path = wxpay_data, pg_temp as $$
declare
    entity text := tg_argv[0];
    legal  boolean;
    number text;
begin
    number := case entity when 'order' then new.order_no
        when 'payment' then to_jsonb(new) ->> 'out_trade_no'
        else to_jsonb(new) ->> 'out_refund_no' end;
    if tg_op = 'INSERT' then
        legal := new.state = any (string_to_array(tg_argv[1], ','));
    elsif entity = 'order' then
        legal := exists (select from order_step
            where from_state = old.state and to_state = new.state);
    elsif entity = 'payment' then
        legal := exists (select from payment_step
            where from_state = old.state and to_state = new.state);
    else
        legal := exists (select from refund_step
            where from_state = old.state and to_state = new.state);
    end if;
    if not legal then
        raise exception '% %: no step from % to %', entity, number,
            case tg_op when 'INSERT' then 'nothing' else old.state end,
            new.state
            using errcode = 'check_violation';
    end if;
    insert into steps (mchid, entity, number, from_state, to_state, actor,
        reason)
    values (new.mchid, entity, number,
        case tg_op when 'UPDATE' then old.state end, new.state,
        coalesce(nullif(current_setting('wxpay.actor', true), ''),
            session_user),
        coalesce(current_setting('wxpay.reason', true), ''));
    return new;
end $$;

-- after, so that a row that was there already has not begun again
create trigger orders_begin after insert on wxpay_data.orders
    for each row
    execute function wxpay_data.step_guard('order', 'pending');
create trigger orders_step before update of state on wxpay_data.orders
    for each row when (old.state is distinct from new.state)
    execute function wxpay_data.step_guard('order');
create trigger payments_begin after insert on wxpay_data.payments
    for each row
    execute function wxpay_data.step_guard('payment', 'created');
create trigger payments_step before update of state on wxpay_data.payments
    for each row when (old.state is distinct from new.state)
    execute function wxpay_data.step_guard('payment');
-- a foreign refund is told when it is done: it begins refunded
create trigger refunds_begin after insert on wxpay_data.refunds
    for each row
    execute function wxpay_data.step_guard('refund', 'pending,refunded');
create trigger refunds_step before update of state on wxpay_data.refunds
    for each row when (old.state is distinct from new.state)
    execute function wxpay_data.step_guard('refund');

-- ---------------------------------------- what refunds take from a payment

-- A refund keeps its amount reserved while its money may still move: not
-- once it is rejected, nor failed for good.  After ABNORMAL the money is
-- still on its way to somebody.
create function wxpay_data.refund_holds(state text, failure text)
    returns boolean language sql immutable as $$
    select state in ('pending', 'refunding', 'refunded')
        or (state = 'failed' and failure = 'ABNORMAL')
$$;

-- Keeps the payment's sums right whoever writes; the payment's constraint
-- refuses what does not fit.  What moves no money leaves the payment alone:
-- who claims a refund, or hints at it, holds no lock on order and payment.
create function wxpay_data.refund_reserve() returns trigger
    language plpgsql set search_path = wxpay_data, pg_temp as $$
declare
    held     bigint := 0;      -- before
    refunded bigint := 0;
    counted  int := 0;
begin
    if tg_op = 'UPDATE' then
        if (new.mchid, new.out_trade_no, new.order_no, new.refund_fen)
            is distinct from
           (old.mchid, old.out_trade_no, old.order_no, old.refund_fen) then
            raise exception 'refund %: its payment and amount are fixed',
                old.out_refund_no using errcode = 'check_violation';
        end if;
        if (new.state, new.failure) is not distinct from
           (old.state, old.failure) then
            return null;
        end if;
        held := case when refund_holds(old.state, old.failure)
            then old.refund_fen else 0 end;
        refunded := case old.state when 'refunded'
            then old.refund_fen else 0 end;
        counted := (old.state <> 'rejected')::int;
    end if;
    update payments set
        reserved_fen = reserved_fen - held
            + case when refund_holds(new.state, new.failure)
                then new.refund_fen else 0 end,
        refunded_fen = payments.refunded_fen - refunded
            + case new.state when 'refunded' then new.refund_fen else 0 end,
        refund_count = refund_count - counted
            + (new.state <> 'rejected')::int
    where mchid = new.mchid and out_trade_no = new.out_trade_no;
    return null;
end $$;

create trigger refunds_reserve
    after insert or update on wxpay_data.refunds
    for each row execute function wxpay_data.refund_reserve();

create function wxpay_data.row_stays() returns trigger
    language plpgsql as $$
begin
    raise exception '% are never deleted', tg_table_name
        using errcode = 'restrict_violation';
end $$;
create trigger orders_stay before delete or truncate on wxpay_data.orders
    for each statement execute function wxpay_data.row_stays();
create trigger payments_stay before delete or truncate on wxpay_data.payments
    for each statement execute function wxpay_data.row_stays();
create trigger refunds_stay before delete or truncate on wxpay_data.refunds
    for each statement execute function wxpay_data.row_stays();
