-- Numbers that another system has used, and when a reversal may last have been
-- carried out.

alter table wxpay_data.payments
    add column number_used text,         -- WeChat's err_code that says so
    add column doubted_at  timestamptz;
update wxpay_data.payments set doubted_at = now() where reverse_doubted;
alter table wxpay_data.payments drop column reverse_doubted;

alter table wxpay_data.unexpected
    drop constraint unexpected_state_is_known,
    add constraint unexpected_state_is_known
        check (state in ('open', 'returned', 'settled'));

insert into wxpay_data.payment_step values
    ('reversing', 'closed'),                   -- what is there is another's
    ('reversed', 'reversing');                 -- it was charged after all
