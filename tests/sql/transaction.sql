-- Which order a number of WeChat's is of: journalled before and after, and
-- nothing moves by it. [threats I25]

select test.start('T-1001') is not null as started;
select test.prepaid('T-1001', 'done');
select test.closed('T-1001', 'done');
select verdict, out_trade_no from test.start('T-2001');
create table pg_temp.before as select * from wxpay_data.payments;

set role wxpay_worker;
select wxpay.transaction_ask('1900000109', 'n1') as call_no \gset
select wxpay.transaction_told('1900000109', :call_no, 'done', '', 'T-2001');
-- told twice: the first outcome stays
select wxpay.transaction_told('1900000109', :call_no, 'unsure', 'X', '');
select wxpay.transaction_ask('1900000109', 'n2') as call_no \gset
select wxpay.transaction_told('1900000109', :call_no, 'missing',
    'ORDERNOTEXIST', '') is null as unknown;
-- of another merchant, or made by somebody else in our name
select wxpay.transaction_told('1900000110', 0, 'done', '', 'T-2001') is null
    as not_his;
select wxpay.transaction_told('1900000109', 0, 'done', '', 'T-9999') is null
    as not_ours;
-- asked, and died
select wxpay.transaction_ask('1900000109', 'n3') > 0 as asked;
reset role;
select test.pass('61 seconds');
select wxpay.calls_sweep() > 0 as swept;
select op, out_trade_no, nonce, lease_no, outcome, code, by_role
from wxpay_data.calls where nonce in ('n1', 'n2', 'n3') order by nonce;
select count(*) from (select out_trade_no, state, lease_no from before except
    select out_trade_no, state, lease_no from wxpay_data.payments) as moved;
