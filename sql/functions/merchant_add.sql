-- merchant_add: the merchant of this configuration takes part.  For migrate.
create or replace function wxpay_data.merchant_add(p_mchid text)
    returns void language sql as $$
    insert into wxpay_data.merchants (mchid) values (p_mchid)
    on conflict do nothing;
$$;
