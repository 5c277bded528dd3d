-- The roles, once a cluster; run by migrate, which needs the right to make
-- them unless they are there.  A role that waits too long gives up: every
-- function may be repeated.
do $$
declare
    name text;
begin
    foreach name in array array['wxpay_pay', 'wxpay_notify', 'wxpay_refund',
        'wxpay_worker'] loop
        if to_regrole(name) is null then
            execute format('create role %I login', name);
            execute format('alter role %I set statement_timeout = ''3s''', name);
            execute format('alter role %I set lock_timeout = ''1s''', name);
            execute format('alter role %I set '
                'idle_in_transaction_session_timeout = ''5s''', name);
            execute format('alter role %I set synchronous_commit = on', name);
        end if;
    end loop;
    foreach name in array array['wxpay_owner', 'wxpay_shop', 'wxpay_reader']
    loop
        if to_regrole(name) is null then
            execute format('create role %I nologin', name);
        end if;
    end loop;
end $$;
