-- Journals only grow, whoever writes. [threats I25]

select test.order_paid('T-1001');
set role wxpay_owner;
\set VERBOSITY terse

update wxpay_data.notices set verdict = 'already';
delete from wxpay_data.notices;
truncate wxpay_data.notices;
update wxpay_data.steps set actor = 'eve';
delete from wxpay_data.steps;
truncate wxpay_data.steps;
delete from wxpay_data.calls;
truncate wxpay_data.calls;

-- an outcome: from null to a value, once, and nothing beside it
insert into wxpay_data.calls (mchid, op, out_trade_no, nonce, lease_no)
    values ('1900000109', 'query', 'T-1001', 'n2', 2) returning call_no;
update wxpay_data.calls set nonce = 'n3' where nonce = 'n2';
update wxpay_data.calls set outcome = 'done' where nonce = 'n2';
update wxpay_data.calls set ended_at = now() where nonce = 'n2';
update wxpay_data.calls set outcome = 'done', ended_at = now(),
    lease_no = 3 where nonce = 'n2';
update wxpay_data.calls set outcome = 'done', ended_at = now()
    where nonce = 'n2';
update wxpay_data.calls set outcome = 'unsure' where nonce = 'n2';
update wxpay_data.calls set outcome = null, ended_at = null
    where nonce = 'n2';
update wxpay_data.calls set code = 'X' where nonce = 'n2';
insert into wxpay_data.calls (mchid, op, nonce, lease_no) values
    ('1900000109', 'steal', 'n4', 1);

-- the same of each partition, for a partition can be named
select relid::regclass::text ~ '_default$' as is_default,
    parentrelid::regclass as journal, count(*) > 0 as any,
    bool_and(test.try(format('truncate %s', relid::regclass))
        like '23001 % only grows: truncate refused') as refused
from (values ('notices'), ('calls'), ('steps')) as journals (name),
    pg_partition_tree(('wxpay_data.' || name)::regclass)
where isleaf
group by 1, 2 order by 2, 1;
select bool_and(test.try(format('delete from %s', tableoid::regclass))
    like '23001 % only grows: delete refused') as refused
from (select distinct tableoid from wxpay_data.notices) as used;

-- one of a month; a second call makes none
select count(*) from pg_partition_tree('wxpay_data.notices')
    where isleaf and relid::regclass::text !~ '_default$';
select journal, i, to_regclass('wxpay_data.' || journal || to_char(
    date_trunc('month', now()) + make_interval(months => i), '_YYYY_MM'))
    is not null as there
from unnest(array['notices', 'calls', 'steps']) as journal,
    generate_series(0, 3) i order by 1, 2;
select wxpay.partitions_ahead();
reset role;

-- a call whose caller died is unsure after a minute; a late outcome is
-- dropped: the first stays
select verdict, call_no from test.start('T-2001');
select wxpay.calls_sweep();
select test.pass('61 seconds');
select wxpay.calls_sweep(), wxpay.calls_sweep();
select test.prepaid('T-2001', 'done');
select op, outcome, code, ended_at is not null as ended, by_role
    from wxpay_data.calls where out_trade_no = 'T-2001';
select state from test.payments where out_trade_no = 'T-2001';
