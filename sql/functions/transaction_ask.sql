-- transaction_ask: somebody wants to know which payment WeChat's number is
-- of; the journal row of that query, which names none yet.  Returns its
-- number.
create or replace function wxpay.transaction_ask(p_mchid text, p_nonce text)
    returns bigint language sql security definer
    set search_path = wxpay_data, pg_temp as $$
    select call_begin(p_mchid, 'query', null, null, p_nonce, 0)
$$;
