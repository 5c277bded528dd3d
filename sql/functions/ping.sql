-- ping: the database answers, and would accept a write.
create or replace function wxpay.ping()
    returns boolean language sql stable as $$
    select current_setting('transaction_read_only') = 'off'
$$;
