-- ping: the database answers, and would accept a write.
create or replace function wxpay.ping()
    returns boolean language sql stable as $$
    select not pg_is_in_recovery()
$$;
