-- POST /pay: what is bought, which payment it leads to, and whose call it is.
-- [threats P3 P4 P6 P19 P20 P21 P22]

select wxpay_data.merchant_add('1900000110');
insert into wxpay_data.shop_logins values ('postgres', '1900000109');
select wxpay.product_set('tea', 'Tea 茶', 100);
select wxpay.product_set('gold', 'Gold', 2000000000);

create function pg_temp.pay(p_way text, p_product_id text default null,
    p_quantity int default null, p_order_no text default null,
    p_token text default null, p_total_fen bigint default null,
    p_body text default null, p_request_id text default null,
    p_trade_type text default 'NATIVE', p_openid text default '',
    p_attach text default '', p_return_url text default null,
    p_appid text default 'wx1', p_expire bigint default null)
    returns table (verdict text, order_no text, out_trade_no text,
        total_fen bigint, body text, trade_type text, openid text,
        lease_no bigint, call_no bigint)
    language sql as $$
    select verdict, case when order_no ~ '^W\d{6}[0-9A-Za-z]{20}$'
            then 'W' else order_no end,
        case when out_trade_no ~ '^W\d{6}[0-9A-Za-z]{20}(_\d+)?$'
            then regexp_replace(out_trade_no, '^W.{26}', 'W')
            else out_trade_no end,
        total_fen, body, trade_type, openid, lease_no, call_no
    from wxpay.pay_start('1900000109', p_way, p_product_id, p_quantity,
        p_order_no, p_token, p_total_fen, p_body,
        coalesce(p_expire, test.expire(p_order_no)), p_attach,
        p_return_url, p_request_id, 7200, p_trade_type, p_openid, '::1',
        'v2', p_appid, '', '', false, 'nonce', 10, 300, 20)
$$;

-- a product: our price, and no other
select * from pg_temp.pay('product', 'tea', 3);
select * from pg_temp.pay('product', 'tea', 3, p_total_fen => 300);
select * from pg_temp.pay('product', 'tea', 3, p_total_fen => 299);
select * from pg_temp.pay('product', 'coffee', 1);
select * from pg_temp.pay('product', 'gold', 2);
select j ->> 'origin' as origin, j ->> 'product_id' as product_id,
    j -> 'quantity' as quantity from wxpay_data.orders o,
    lateral (select wxpay.order_show(o.mchid, o.order_no, o.token)::jsonb) t (j)
    where o.origin = 'product' limit 1;
select origin, total_fen, body, product_id, quantity, state,
    token ~ '^[0-9A-Za-z_-]{22}$' as token from wxpay_data.orders order by seq;

-- a request_id is one order for ever, of one what
select * from pg_temp.pay('product', 'tea', 3,
    p_request_id => 'request-0000001');
select * from pg_temp.pay('product', 'tea', 3,
    p_request_id => 'request-0000001');
select * from pg_temp.pay('product', 'tea', 4,
    p_request_id => 'request-0000001');
select * from pg_temp.pay('product', 'gold', 1,
    p_request_id => 'request-0000001');
-- a refused price leaves nothing behind
select * from pg_temp.pay('product', 'tea', 1, p_total_fen => 1,
    p_request_id => 'request-0000002');
select * from pg_temp.pay('product', 'tea', 1, p_total_fen => 100,
    p_request_id => 'request-0000002');
-- the price changes: known requests keep theirs, new ones learn ours
select wxpay.product_set('tea', 'Tea 茶', 120);
select * from pg_temp.pay('product', 'tea', 1, p_total_fen => 100,
    p_request_id => 'request-0000002');
select * from pg_temp.pay('product', 'tea', 1, p_total_fen => 120,
    p_request_id => 'request-0000002');
select * from pg_temp.pay('product', 'tea', 1, p_total_fen => 100,
    p_request_id => 'request-0000003');
select count(*) from wxpay_data.request_ids;

-- signed by the shop: the same content is the same order
select * from pg_temp.pay('signed', null, null, 'T-1001', null, 500, 'tea');
select * from pg_temp.pay('signed', null, null, 'T-1001', null, 500, 'tea');
select * from pg_temp.pay('signed', null, null, 'T-1001', null, 501, 'tea');
select * from pg_temp.pay('signed', null, null, 'T-1001', null, 500, 'tee');
select * from pg_temp.pay('signed', null, null, 'T-1001', null, 500, 'tea',
    p_attach => 'x');
select * from pg_temp.pay('signed', null, null, 'T-1001', null, 500, 'tea',
    p_expire => 4102444800);
-- a number of the shop's own SQL is not to be had by a signature
select order_no from wxpay.shop_order_create('T-1002', 500, 'tea');
select * from pg_temp.pay('signed', null, null, 'T-1002', null, 500, 'tea');

-- an existing order of any origin, by its token
select * from pg_temp.pay('order', null, null, 'T-1002',
    test.token('T-1002'));
select * from pg_temp.pay('order', null, null, 'T-1002', 'wrong');
select * from pg_temp.pay('order', null, null, 'T-1009',
    test.token('T-1002'));
select * from pg_temp.pay('order', null, null, 'T-1002',
    test.token('T-1001'));
-- by request_id as well: another order is another what
select * from pg_temp.pay('order', null, null, 'T-1002',
    test.token('T-1002'), p_request_id => 'request-0000004');
select * from pg_temp.pay('order', null, null, 'T-1001',
    test.token('T-1001'), p_request_id => 'request-0000004');
select * from pg_temp.pay('product', 'tea', 1,
    p_request_id => 'request-0000004');
-- what its page adds: attach once, before the first payment; return_url
select order_no from wxpay.shop_order_create('T-1003', 500, 'tea');
select verdict from pg_temp.pay('order', null, null, 'T-1003',
    test.token('T-1003'), p_attach => 'from the page',
    p_return_url => 'https://shop.example/1');
select verdict from pg_temp.pay('order', null, null, 'T-1003',
    test.token('T-1003'), p_attach => 'other');
select verdict from pg_temp.pay('order', null, null, 'T-1003',
    test.token('T-1003'), p_return_url => 'https://shop.example/2');
select attach, return_url from wxpay_data.orders where order_no = 'T-1003';
select verdict from pg_temp.pay('order', null, null, 'T-1002',
    test.token('T-1002'), p_attach => 'too late');

-- whose call it is: call, wait, ready; the row of the call was there first
select test.prepaid('T-1001', 'done');
select verdict, p.prepay_id, p.code_url, order_state from wxpay.pay_start(
    '1900000109', 'signed', null, null, 'T-1001', null, 500, 'tea',
    test.expire('T-1001'), '', null, null, 7200, 'NATIVE', '',
    '::1', 'v2', 'wx1', '', '', false, 'nonce', 10, 300, 20) p;
select op, nonce, lease_no, outcome from wxpay_data.calls
    where out_trade_no = 'T-1001' order by call_no;
-- two hours later WeChat wants to be called again, by the same number
select verdict, out_trade_no from pg_temp.pay('signed', null, null, 'T-1101',
    null, 1000, 'tea', p_expire => extract(epoch from now())::bigint + 20000);
select test.prepaid('T-1101', 'done');
select test.pass('100 minutes');
select verdict, out_trade_no, lease_no from test.start('T-1101');
select test.pass('15 minutes 1 second');
select verdict, out_trade_no, lease_no from test.start('T-1101');

-- each outcome of unifiedorder, and what the next one is told
create function pg_temp.after(p_order_no text, p_verdict text)
    returns table (state text, next text, out_trade_no text)
    language plpgsql as $$
begin
    perform test.start(p_order_no);
    state := test.prepaid(p_order_no, p_verdict);
    select s.verdict, s.out_trade_no into next, out_trade_no
    from test.start(p_order_no) s;
    return next;
end $$;
select v as verdict, after.*
from unnest(array['done', 'unsure', 'not_sent', 'again', 'missing', 'paid',
        'closed', 'no_money', 'refused', 'denied']) with ordinality as u(v, i),
    lateral pg_temp.after('T-12' || to_char(i, 'FM00'), v) after
order by i;

-- the caller died: once its lease is over the next one asks, then calls
select verdict, lease_no from test.start('T-1301');
select verdict, lease_no from test.start('T-1301');
select test.pass('11 seconds');
select verdict, out_trade_no, lease_no from test.start('T-1301');
select test.told('T-1301', 'unsure');
select verdict, lease_no from test.start('T-1301');
select test.told('T-1301', 'missing');
select verdict, lease_no from test.start('T-1301');
-- the dead one's answer comes after all: journalled under its number only
select test.prepaid('T-1301', 'done', 1);
select test.prepaid('T-1301', 'done', 4);
select verdict from test.start('T-1301');
-- told twice, for a lost commit is repeated: the same
select test.prepaid('T-1301', 'done', 4);

-- another trade type, openid or appid is the next attempt, at once; the one
-- before is closed when it is old enough
select verdict, out_trade_no from test.start('T-1401');
select verdict, out_trade_no from test.start('T-1401', 1000, 'JSAPI', 'o1');
select verdict, out_trade_no from test.start('T-1401', 1000, 'JSAPI', 'o2');
select verdict, out_trade_no from test.start('T-1401', 1000, 'JSAPI', 'o2');
select verdict, out_trade_no from test.start('T-1401');
select * from test.payments where out_trade_no like 'T-1401%';
-- 99 of them
update wxpay_data.orders set attempts = 98 where order_no = 'T-1401';
select verdict, out_trade_no from test.start('T-1401', 1000, 'JSAPI', 'o3');
select verdict, out_trade_no from test.start('T-1401', 1000, 'JSAPI', 'o4');
select verdict, out_trade_no from test.start('T-1401', 1000, 'JSAPI', 'o3');
select attempts from wxpay_data.orders where order_no = 'T-1401';

-- paid, closing, closed, expired: no call
select test.order_paid('T-1501');
select verdict, out_trade_no, call_no from test.start('T-1501');
select verdict from test.start('T-1502');
select verdict from wxpay.order_close('1900000109', 'T-1502',
    test.token('T-1502'), 'nonce', 10);
select verdict, out_trade_no, call_no from test.start('T-1502');
select order_no from wxpay.shop_order_create('T-1503', 500, 'tea');
select verdict from wxpay.order_close('1900000109', 'T-1503',
    test.token('T-1503'), 'nonce', 10);
select verdict, out_trade_no, call_no from pg_temp.pay('order', null, null,
    'T-1503', test.token('T-1503'));
select order_no from wxpay.shop_order_create('T-1504', 500, 'tea',
    now() + interval '59 seconds');
select verdict, out_trade_no, call_no from pg_temp.pay('order', null, null,
    'T-1504', test.token('T-1504'));
select order_no from wxpay.shop_order_create('T-1505', 500, 'tea',
    now() - interval '1 second');
select verdict, out_trade_no, call_no from pg_temp.pay('order', null, null,
    'T-1505', test.token('T-1505'));
select verdict, order_no, token, order_state, out_trade_no, lease_no
    from wxpay.pay_start('1900000109', 'order', null, null, 'T-1503',
    'wrong', null, null, null, '', null, null, 7200, 'NATIVE', '', '::1',
    'v2', 'wx1', '', '', false, 'nonce', 10, 300, 20);


-- a page may add an attach to the shop's order; then the same call still gives
-- the same order, another attach raises, and no later page changes it
create function pg_temp.page(p_attach text) returns text language sql as $$
    select verdict from wxpay.pay_start('1900000109', 'order', null, null,
        'T-4801', test.token('T-4801'), null, null, null, p_attach, null,
        null, 7200, 'NATIVE', '', '127.0.0.1', 'v2', 'wx1', '', '', false,
        'nonce', 10, 300, 20)
$$;
select order_no from wxpay.shop_order_create('T-4801', 100, 'tea');
select pg_temp.page('vip');
select order_no from wxpay.shop_order_create('T-4801', 100, 'tea');
select pg_temp.page('other');
select attach from wxpay_data.orders where order_no = 'T-4801';
select wxpay.shop_order_create('T-4801', 100, 'tea', null, 'other');

-- H5's link lives 5 minutes: a minute before it is asked for again, under the
-- same number; and it serves one address (P19, P13)
create function pg_temp.h5(p_ip text) returns table (verdict text,
    out_trade_no text, client_ip text) language sql as $$
    select verdict, out_trade_no, client_ip
    from wxpay.pay_start('1900000109', 'order', null, null, 'T-4901',
        test.token('T-4901'), null, null, null, '', null, null, 7200, 'MWEB',
        '', p_ip, 'v2', 'wx1', '', '', false, 'nonce', 10, 300, 20)
$$;
select order_no from wxpay.shop_order_create('T-4901', 100, 'tea');
select * from pg_temp.h5('203.0.113.7');
select test.prepaid('T-4901', 'done');
select test.pass('239 seconds');
select * from pg_temp.h5('203.0.113.7');
select test.pass('2 seconds');
select * from pg_temp.h5('203.0.113.7');
select test.prepaid('T-4901', 'done');
select * from pg_temp.h5('203.0.113.7');
select * from pg_temp.h5('2001:db8::1');
select out_trade_no, state, closing, client_ip from wxpay_data.payments
    where order_no = 'T-4901' order by attempt;
-- an app's prepay_id lives two hours, as the others' do
select * from test.start('T-4902', 1000, 'APP');
select test.prepaid('T-4902', 'done');
select test.pass('114 minutes');
select verdict, out_trade_no from test.start('T-4902', 1000, 'APP');
select test.pass('2 minutes');
select verdict, out_trade_no from test.start('T-4902', 1000, 'APP');

-- who cannot be asked pays as the attempt before; where he can, he is
create function pg_temp.page_of(p_order_no text, p_keep_payer boolean,
    p_openid text default '', p_appid text default 'wx1')
    returns table (verdict text, out_trade_no text, openid text)
    language sql as $$
    select verdict, out_trade_no, openid
    from wxpay.pay_start('1900000109', 'order', null, null, p_order_no,
        test.token(p_order_no), null, null, null, '', null, null, 7200,
        'JSAPI', p_openid, '::1', 'v2', p_appid, '', '', p_keep_payer,
        'nonce', 10, 300, 20)
$$;
select order_no from wxpay.shop_order_create('T-5001', 100, 'tea');
select * from pg_temp.page_of('T-5001', true);
select * from pg_temp.page_of('T-5001', true, 'o1');
select test.prepaid('T-5001', 'done');
select * from pg_temp.page_of('T-5001', true);
select * from pg_temp.page_of('T-5001', true, 'o2');
select test.prepaid('T-5001_2', 'done');
select * from pg_temp.page_of('T-5001', true);
select * from pg_temp.page_of('T-5001', true, '', 'wx2');
select * from pg_temp.page_of('T-5001', false);
