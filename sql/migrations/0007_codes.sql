-- Payments by a code: numbers that WeChat knew before, and when a reversal may
-- last have been carried out.

alter table wxpay_data.payments
    -- WeChat answered our only call as if there had been one before
    add column number_used boolean not null default false,
    add column doubted_at  timestamptz;
update wxpay_data.payments set doubted_at = now() where reverse_doubted;
alter table wxpay_data.payments drop column reverse_doubted;
