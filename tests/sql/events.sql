-- Events reach every reader once, in order, without a gap, whatever the order
-- of commits.

select format('host=%s port=%s dbname=%s',
    split_part(current_setting('unix_socket_directories'), ',', 1),
    current_setting('port'), current_database()) as here \gset
select dblink_connect('a', :'here'), dblink_connect('b', :'here'),
    dblink_connect('worker', :'here');
create function pg_temp.on(p_who text, p_sql text) returns text
    language sql as $$ select said from dblink(p_who, p_sql) as (said text) $$;
create table pg_temp.seen (id bigint, order_no text);
-- a reader that remembers the last id it handled
create function pg_temp.read() returns setof pg_temp.seen
    language sql as $$
    insert into pg_temp.seen
    select id, order_no from wxpay.events_after(
        coalesce((select max(id) from pg_temp.seen), 0))
    returning *
$$;

select test.start('T-1001'), test.start('T-1002'), test.start('T-1003');
-- a is first to insert, and last to commit
select dblink_exec('a', 'begin'), dblink_exec('b', 'begin');
select pg_temp.on('a', 'select test.paid(''T-1001'', ''tx1'')');
select pg_temp.on('b', 'select test.paid(''T-1002'', ''tx2'')');
select dblink_exec('b', 'commit');
-- nothing has a number before a worker came by; views show none of it
select count(*) from wxpay.events;
select pg_temp.on('worker', 'select wxpay.events_number(''1900000109'')');
select * from pg_temp.read();
select dblink_exec('a', 'commit');
select * from pg_temp.read();
select pg_temp.on('worker', 'select wxpay.events_number(''1900000109'')');
select * from pg_temp.read();
select seq, id, order_no from wxpay_data.events order by seq;

-- two workers: the second finds the first at work and leaves; one that gives
-- up takes its numbers back
select test.paid('T-1003', 'tx3');
select dblink_exec('a', 'begin');
select pg_temp.on('a', 'select wxpay.events_number(''1900000109'')');
select pg_temp.on('b', 'select wxpay.events_number(''1900000109'')');
select * from pg_temp.read();
select dblink_exec('a', 'rollback');
select pg_temp.on('b', 'select wxpay.events_number(''1900000109'')');
select pg_temp.on('b', 'select wxpay.events_number(''1900000109'')');
select * from pg_temp.read();

-- who listens is woken by the worker, not by who settles
select dblink_exec('b', 'listen wxpay_event');
select test.order_paid('T-1004');
select pg_temp.on('b', 'select 1');
select notify_name, extra from dblink_get_notify('b');
select wxpay.events_number('1900000109');
select pg_temp.on('b', 'select 2');
select notify_name, extra from dblink_get_notify('b');

-- merchants have their own numbers
select wxpay_data.merchant_add('1900000110');
insert into wxpay_data.shop_logins values ('postgres', '1900000110');
select order_no from wxpay.shop_order_create('T-2001', 5, 'tea',
    now() - interval '1 second');
select wxpay.order_expire('1900000110', 10);
select wxpay.events_number('1900000109'), wxpay.events_number('1900000110');
select id, kind, order_no from wxpay.events_after(0);
select wxpay.events_number('unknown');
update wxpay_data.shop_logins set mchid = '1900000109';

-- a thousand at a time
insert into wxpay_data.events (mchid, kind)
    select '1900000109', 'order.paid' from generate_series(1, 1500);
select wxpay.events_number('1900000109'), wxpay.events_number('1900000109'),
    wxpay.events_number('1900000109');
select count(*), min(id), max(id) from wxpay.events_after(4);
select count(*) = max(id) as gapless, max(id) from wxpay.events;
