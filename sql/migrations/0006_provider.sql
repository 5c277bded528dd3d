-- Service providers: a payment is made to one of its sub-merchants, and keeps
-- whom it was made to, like its api.  [v3.md 19]

alter table wxpay_data.payments
    add column sub_mchid text not null default '', -- '': an ordinary merchant
    add column sub_appid text not null default '', -- '': none
    add constraint payments_sub_mchid_is_another_merchant
        check (sub_mchid <> mchid),
    add constraint payments_sub_appid_only_with_sub_mchid
        check (sub_appid = '' or sub_mchid <> '');

-- A hint's payment says whom WeChat is asked about it for.
alter table wxpay_data.refund_hints drop column appid;

-- These take or answer more now.
drop function if exists wxpay.pay_start(text, text, text, int, text, text,
    bigint, text, bigint, text, text, text, int, text, text, text, text,
    text, text, int, int, int);
drop function if exists wxpay.micropay_start(text, text, text, int, text,
    text, bigint, text, bigint, text, text, text, int, text, text, text, int,
    int, text);
drop function if exists wxpay.order_close(text, text, text, text, int);
drop function if exists wxpay.payment_claim(text, text, text, int);
drop function if exists wxpay.micropay_claim(text, text, text, int);
drop function if exists wxpay.refund_claim(text, text, text, int);
drop function if exists wxpay_data.order_settle(text, text, text, text,
    bigint, text, text, text, timestamptz, text);
drop function if exists wxpay.notice_paid(text, text, text, text, bytea, text,
    text, text, bigint, text, text, text, bigint);
drop function if exists wxpay.payment_told(text, text, bigint, bigint, text,
    text, text, text, text, bigint, text, text, text, bigint, int);
drop function if exists wxpay.micropay_told(text, text, bigint, bigint, text,
    text, text, text, text, bigint, text, text, text, bigint, int, text);
drop function if exists wxpay.micropay_asked(text, text, bigint, bigint, text,
    text, text, text, text, bigint, text, text, text, bigint, int);
drop function if exists wxpay.notice_refunded(text, text, text, text, bytea,
    text, text, text, bigint, bigint, boolean, boolean, text, bigint);
drop function if exists wxpay.refund_told(text, text, text, bigint, bigint,
    text, text, text, text, text, bigint, bigint, int, int);
drop function if exists wxpay_data.refund_hint_told(text, text, bigint, text,
    text, text, text, bigint, timestamptz, timestamptz);
