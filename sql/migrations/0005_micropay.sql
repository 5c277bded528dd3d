-- Payment codes: the shop scans what the payer's phone shows.  No code is
-- ever stored.  [v2.md 7.2, 7.5]

alter table wxpay_data.calls
    drop constraint calls_op_is_known,
    add constraint calls_op_is_known
        check (op in ('prepay', 'query', 'close', 'refund', 'refund_query',
            'certificates', 'micropay', 'reverse'));

-- For a payment code close_after is how long it may take, close_at when it is
-- reversed, and unsure that a call to reverse it may be under way.
alter table wxpay_data.payments
    add column request_id      text,               -- one attempt for ever
    add column refusal         text,               -- WeChat's, for people
    add column refused_at      timestamptz,        -- it would not reverse
    add column reverse_doubted boolean not null default false, -- it may have
    drop constraint payments_state_is_known,
    add constraint payments_state_is_known
        check (state in ('created', 'prepaid', 'paid', 'closed', 'reversing',
            'reversed')),
    drop constraint payments_next_op_is_known,
    add constraint payments_next_op_is_known
        check (next_op in ('query', 'close', 'reverse')),
    add constraint payments_only_codes_are_reversed
        check (trade_type = 'MICROPAY'
            or state not in ('reversing', 'reversed')),
    add constraint payments_codes_are_never_prepaid
        check (trade_type <> 'MICROPAY' or state <> 'prepaid'),
    add constraint payments_codes_are_never_closed_by_a_call
        check (trade_type <> 'MICROPAY' or next_op <> 'close');
create unique index payments_request_id_is_unique
    on wxpay_data.payments (mchid, request_id);
create index payments_codes_to_reverse on wxpay_data.payments (close_at)
    where trade_type = 'MICROPAY' and state = 'created';

insert into wxpay_data.payment_step values
    ('created', 'reversing'),                  -- the time is over
    ('reversing', 'reversed'),                 -- WeChat has given it back
    ('reversing', 'paid');                     -- it refused to, for good
