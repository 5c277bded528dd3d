-- Who may do what: each role tries everything. [threats L5, L7, I26]

create role wxpay_stranger;
create table pg_temp.roles as
    select role, i from unnest(array['wxpay_pay', 'wxpay_notify',
        'wxpay_refund', 'wxpay_worker', 'wxpay_shop', 'wxpay_reader',
        'wxpay_stranger']) with ordinality as a(role, i);

-- every function there is, and who may execute it
select p.pronamespace::regnamespace || '.' || proname as function,
    string_agg(substr(role, 7), ' ' order by i)
        filter (where has_schema_privilege(role, pronamespace, 'usage')
            and has_function_privilege(role, p.oid, 'execute')) as may
from pg_proc p, pg_temp.roles
where pronamespace in ('wxpay'::regnamespace, 'wxpay_data'::regnamespace)
group by p.oid, pronamespace, proname order by 1;

-- a function with its owner's rights says where it looks names up, and
-- temporary tables come last there; a view does not leak rows through a
-- cheap function
select proname from pg_proc
where pronamespace in ('wxpay'::regnamespace, 'wxpay_data'::regnamespace)
    and prosecdef and (proconfig is null
        or not proconfig @> array['search_path=wxpay_data, pg_temp']);
select relname from pg_class
where relnamespace = 'wxpay'::regnamespace and relkind = 'v'
    and not reloptions @> array['security_barrier=true'];
-- all is the owner's, who cannot log in; nobody is a member of anybody
select count(*) from pg_class
where relnamespace in ('wxpay'::regnamespace, 'wxpay_data'::regnamespace)
    and pg_get_userbyid(relowner) <> 'wxpay_owner';
select count(*) from pg_proc
where pronamespace in ('wxpay'::regnamespace, 'wxpay_data'::regnamespace)
    and pg_get_userbyid(proowner) <> 'wxpay_owner';
select rolname, rolcanlogin, rolsuper or rolcreaterole or rolcreatedb
    or rolbypassrls or rolreplication as mighty
from pg_roles where rolname like 'wxpay%' order by 1;
select count(*) from pg_auth_members
where member in (select oid from pg_roles where rolname like 'wxpay%')
    or roleid in (select oid from pg_roles where rolname like 'wxpay%');
select setconfig from pg_db_role_setting, pg_roles
where pg_roles.oid = setrole and rolname like 'wxpay%'
order by rolname;

-- tables and views: what each may do, in fact, not by the catalogue
select test.order_paid('T-1001');
create function pg_temp.tries(p_role text, p_table text)
    returns table (may text) language plpgsql as $$
declare
    what text;
    said text;
    has text := (select attname from pg_attribute
        where attrelid = p_table::regclass and attnum = 1);
    is_view boolean := (select relkind = 'v' from pg_class
        where oid = p_table::regclass);
begin
    foreach what in array array['select', 'insert', 'update', 'delete',
        'truncate', 'lock']
    loop
        continue when what = 'truncate' and is_view;
        execute 'set local role ' || p_role;
        said := test.refused(case what
            when 'select' then format('select %I from %s', has, p_table)
            when 'insert' then format('insert into %s default values',
                p_table)
            when 'update' then format('update %s set %I = %2$I', p_table, has)
            when 'delete' then format('delete from %s', p_table)
            when 'truncate' then format('truncate %s', p_table)
            else format('lock %s', p_table) end);
        reset role;
        if said not like 'permission denied for %' then
            may := what || ': ' || said;
            return next;
        end if;
    end loop;
end $$;
grant usage on schema test to public;

select relation, role, may
from (select oid::regclass::text as relation from pg_class
    where relnamespace in ('wxpay'::regnamespace, 'wxpay_data'::regnamespace)
        and relkind in ('r', 'p', 'v')) as relations,
    pg_temp.roles, pg_temp.tries(role, relation)
order by relation, i, may;
select count(*) as tried
from (select oid from pg_class
    where relnamespace in ('wxpay'::regnamespace, 'wxpay_data'::regnamespace)
        and relkind in ('r', 'p', 'v')
        and relname !~ '_\d{4}_\d\d$') as relations, pg_temp.roles;

-- sequences and columns
select role, count(*) from pg_temp.roles, pg_class
where relkind = 'S' and has_sequence_privilege(role, oid,
        'usage, select, update')
group by 1;
select role, table_name, column_name from pg_temp.roles,
    information_schema.columns
where table_schema = 'wxpay_data' and has_column_privilege(role,
    format('%I.%I', table_schema, table_name), column_name,
    'select, insert, update, references');

-- other mischief, by each of them in a session of its own
select pg_backend_pid() as pid, format('host=%s port=%s dbname=%s user=',
    split_part(current_setting('unix_socket_directories'), ',', 1),
    current_setting('port'), current_database()) as here \gset
create function pg_temp.mischief(p_conninfo text, p_pid int)
    returns table (mischief text, said text) language plpgsql as $$
begin
    perform dblink_connect('mischief', p_conninfo);
    perform dblink_exec('mischief', 'set client_min_messages = error');
    for mischief in select unnest(array[
        'create table wxpay.x (i int)',
        'create function wxpay.ping(int) returns int language sql '
            'as ''select 1''',
        'create or replace function wxpay.ping() returns boolean '
            'language sql as ''select true''',
        'create view wxpay_data.x as select 1',
        'create table public.x (i int)',
        'create schema mine',
        'create extension pgcrypto',
        'drop function wxpay.ping()',
        'drop schema wxpay_data cascade',
        'drop trigger orders_step on wxpay_data.orders',
        'alter table wxpay_data.orders disable trigger all',
        'alter function wxpay.ping() reset all',
        'set role wxpay_owner',
        'set role wxpay_worker',
        'set role postgres',
        'set session authorization wxpay_owner',
        'set session_replication_role = replica',
        'grant wxpay_owner to current_user',
        'grant execute on function wxpay.ping to wxpay_stranger',
        'comment on schema wxpay is ''mine''',
        'copy (select 1) to ''/tmp/x''',
        'copy (select 1) to program ''true''',
        'do $x$ begin perform pg_read_file(''/etc/passwd''); end $x$',
        'do $x$ begin perform lo_import(''/etc/passwd''); end $x$',
        'do $x$ begin perform rolpassword from pg_authid; end $x$',
        'do $x$ begin perform pg_terminate_backend(PID); end $x$',
        'alter system set fsync = off',
        'alter role wxpay_owner login'])
    loop
        begin
            perform dblink_exec('mischief', replace(mischief, 'PID',
                p_pid::text));
            said := 'DONE';
        exception when others then
            said := sqlstate;
        end;
        return next;
    end loop;
    perform dblink_disconnect('mischief');
end $$;
alter role wxpay_shop login;
alter role wxpay_reader login;
alter role wxpay_stranger login;
select mischief, said, string_agg(substr(role, 7), ' ' order by i)
from pg_temp.roles, pg_temp.mischief(:'here' || role, :pid)
group by 1, 2 order by 2, 1;
-- who has no right to grant is told DONE, and nothing is granted
select has_function_privilege('wxpay_stranger', 'wxpay.ping()', 'execute');

-- A search path of one's own, with tables and functions that have our names:
-- they are not looked at.  (As a superuser creates them: nobody else can,
-- but in pg_temp.)
set session authorization wxpay_notify;
create temp table payments (mchid text, out_trade_no text, order_no text);
create temp table orders (mchid text, order_no text, state text);
create temp table unexpected (x int);
create function pg_temp.order_settle(text, text, text, text, text, bigint,
    text, text, text, timestamptz, text) returns text language sql
    as $$ select 'settled' $$;
create function pg_temp.to_timestamp(bigint) returns timestamptz
    language sql as $$ select now() - interval '1 year' $$;
set search_path = pg_temp, wxpay_data, pg_catalog;
select wxpay.notice_paid('1900000109', 'v2', 'r', '', '\x00', 'T-9999', 'tx9',
    'wx1', '', 1, '', '', '', 1000000000);
select wxpay.notice_paid('1900000109', 'v2', 'r', '', '\x00', 'T-1001',
    'tx-T-1001', 'wx1', '', 1000, '', '', '', 1000000000);
reset session authorization;
reset search_path;
select verdict from wxpay_data.notices order by seq;
select * from test.unexpected;

-- operators are looked up like functions: one of a temporary schema is not
set session authorization wxpay_pay;
create function pg_temp.yes(text, text) returns boolean language sql
    as $$ select true $$;
create operator pg_temp.= (leftarg = text, rightarg = text,
    function = pg_temp.yes);
set search_path = pg_temp, pg_catalog;
select wxpay.order_show('1900000109', 'T-1001', 'guess') is null as hidden;
select wxpay.order_check('1900000109', 'T-1001', 'guess');
reset session authorization;
