-- partitions_ahead: the journals' partitions of this month and the next two.
-- A month whose rows already lie in the default partition keeps them there.
-- Returns how many were made.
create or replace function wxpay.partitions_ahead()
    returns int language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
declare
    journal text;
    month   date;
    made    int := 0;
    name    text;
begin
    -- one at a time: a second worker would fail on the same names
    perform pg_advisory_xact_lock(hashtext('wxpay.partitions_ahead'));
    foreach journal in array array['notices', 'calls', 'steps'] loop
        for i in 0..2 loop
            month := date_trunc('month', now() at time zone 'UTC')
                + make_interval(months => i);
            name := journal || to_char(month, '"_"YYYY"_"MM');
            continue when to_regclass('wxpay_data.' || name) is not null;
            begin
                execute format('create table wxpay_data.%I partition of '
                    'wxpay_data.%I for values from (%L) to (%L)', name,
                    journal, month::timestamp at time zone 'UTC',
                    (month + interval '1 month') at time zone 'UTC');
                execute format('create trigger stays before truncate on '
                    'wxpay_data.%I for each statement execute function '
                    'wxpay_data.journal_guard(%L)', name, journal);
                made := made + 1;
            exception when check_violation then
                null;
            end;
        end loop;
    end loop;
    return made;
end $$;
