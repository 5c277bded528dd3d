-- Shoppers on their way to WeChat's OAuth and back once, and tokens that one
-- machine fetches for all (P11, P12).
create view test.tokens as
    select kind, value, failures, outcome,
        case when ends_at is null then 'no life'
            when ends_at > now() then 'lives' else 'ended' end as life,
        case when due_at <= clock_timestamp() then 'now' else 'in ' ||
            round(extract(epoch from due_at - now())) || ' s' end as due
    from wxpay_data.wechat_tokens order by appid, kind;
create function test.begin(p_order_no text, p_state text,
    p_browser text default 'b', p_tries int default 1,
    p_token text default null)
    returns text language sql as $$
    select wxpay.oauth_begin('1900000109', p_order_no,
        coalesce(p_token, test.token(p_order_no)), repeat(p_state, 32),
        repeat(p_browser, 64), p_tries)
$$;
create function test.take(p_state text, p_browser text default 'b',
    p_nonce text default 'nonce')
    returns table (order_no text, is_its_token boolean, tries int)
    language sql as $$
    select order_no, token = test.token(order_no), tries
    from wxpay.oauth_take('1900000109', repeat(p_state, 32),
        repeat(p_browser, 64), p_nonce)
$$;
create function test.used(p_state text, p_browser text default 'b')
    returns table (order_no text, is_its_token boolean)
    language sql as $$
    select order_no, token = test.token(order_no)
    from wxpay.oauth_used('1900000109', repeat(p_state, 32),
        repeat(p_browser, 64))
$$;

-- JSAPI without an openid: the order is open, and there is no payment
select verdict, out_trade_no from test.start('T-1001', 1000, 'JSAPI');
select * from test.orders;
select * from test.payments;
select verdict, out_trade_no from test.start('T-1001', 1000, 'JSAPI');
select count(*) from wxpay_data.calls;
-- and whoever pays another way, or brings one, goes on with that order
select verdict, out_trade_no from test.start('T-1001', 1000, 'NATIVE');
select verdict, out_trade_no from test.start('T-1001', 1000, 'JSAPI');
select verdict, out_trade_no from test.start('T-1001', 1000, 'JSAPI', 'o-1');
select test.paid('T-1001_2', 'tx-1001', 1000);
select verdict from test.start('T-1001', 1000, 'JSAPI');

-- nobody is sent for an order that is not his
select test.begin('T-1001', 'a', p_token => repeat('x', 22));
select test.begin('T-9999', 'a', p_token => repeat('x', 22));
select test.begin('T-1001', 'a');
-- said twice by a broken connection
select test.begin('T-1001', 'a');
-- a state comes back once: not to another browser, not under another name,
-- and to the request that has it as often as it asks
select * from test.take('a', 'c');
select * from test.take('d');
select * from test.used('a');
select * from test.take('a');
select * from test.take('a');
select * from test.take('a', 'b', 'other');
-- where it led, its own browser may hear again
select * from test.used('a');
select * from test.used('a', 'c');
select * from test.used('d');
-- nor after 10 minutes
select test.begin('T-1001', 'b'), test.begin('T-1001', 'c', p_tries => 2);
update wxpay_data.oauth_states set made_at = made_at - interval '601 s'
where state like 'b%';
update wxpay_data.oauth_states set made_at = made_at - interval '590 s'
where state like 'c%';
select * from test.take('b');
select * from test.take('c');
select * from test.used('b');
select * from test.used('c');
select wxpay.oauth_sweep();
select left(state, 2), tries from wxpay_data.oauth_states order by 1;
update wxpay_data.oauth_states set made_at = made_at - interval '11 s'
where state like 'c%';
select * from test.used('c');
-- what a state may be
select test.refused($$select test.begin('T-1001', 'x')$$);
select test.refused($$select test.begin('T-1001', '1', 'g')$$);
select test.refused($$select test.begin('T-1001', '1', p_tries => 3)$$);

-- the token first; nobody else meanwhile; no ticket without a token
select * from wxpay.tokens_claim('1900000109', 'wx1', 10);
select * from wxpay.tokens_claim('1900000109', 'wx1', 10);
select wxpay.token_told('1900000109', 'wx1', 'access_token', 1, 'done',
    'token-1', 7200, 600, null);
select * from wxpay.tokens_claim('1900000109', 'wx1', 10);
select wxpay.ticket_show('1900000109', 'wx1');
select wxpay.token_told('1900000109', 'wx1', 'jsapi_ticket', 1, 'done',
    'ticket-1', 7200, 600, null);
select wxpay.ticket_show('1900000109', 'wx1');
select wxpay.ticket_show('1900000109', 'wx2');
select * from wxpay.tokens_claim('1900000109', 'wx1', 10);
select * from test.tokens;

-- a lease that was lost changes nothing
update wxpay_data.wechat_tokens set due_at = now() where kind = 'access_token';
select * from wxpay.tokens_claim('1900000109', 'wx1', 0);
select * from wxpay.tokens_claim('1900000109', 'wx1', 10);
select wxpay.token_told('1900000109', 'wx1', 'access_token', 2, 'done',
    'token-2', 7200, 600, null);
-- the same token late in its life: asked for again soon, but not at once
select wxpay.token_told('1900000109', 'wx1', 'access_token', 3, 'done',
    'token-1', 500, 600, null);
select * from test.tokens;

-- failures: the old one counts, and they grow rare
create procedure test.fail(p_times int) language plpgsql as $$
begin
    for i in 1 .. p_times loop
        update wxpay_data.wechat_tokens set due_at = now(),
            leased_until = null
        where kind = 'access_token';
        perform wxpay.token_told('1900000109', 'wx1', c.kind, c.lease_no,
            'again -1', null, 0, 600, null)
        from wxpay.tokens_claim('1900000109', 'wx1', 10) c;
    end loop;
end $$;
call test.fail(1);
select * from test.tokens where kind = 'access_token';
call test.fail(3);
select * from test.tokens where kind = 'access_token';
call test.fail(20);
select * from test.tokens where kind = 'access_token';

-- a token that WeChat does not take counts no more, and is fetched at once;
-- the ticket's second try waits, unless the token is another by then
update wxpay_data.wechat_tokens set due_at = now() where kind = 'jsapi_ticket';
select * from wxpay.tokens_claim('1900000109', 'wx1', 10);
select wxpay.token_told('1900000109', 'wx1', 'jsapi_ticket', 2,
    'denied 40001', null, 0, 600, 'token-1');
select * from test.tokens;
select * from wxpay.tokens_claim('1900000109', 'wx1', 10);
select wxpay.token_told('1900000109', 'wx1', 'access_token',
    (select lease_no from wxpay_data.wechat_tokens
        where kind = 'access_token'), 'done', 'token-3', 7200, 600, null);
select kind, access_token from wxpay.tokens_claim('1900000109', 'wx1', 10);
select wxpay.token_told('1900000109', 'wx1', 'jsapi_ticket', 3,
    'denied 40001', null, 0, 600, 'token-2');
select * from test.tokens;
-- a ticket past its end is none
update wxpay_data.wechat_tokens set ends_at = now() where kind = 'jsapi_ticket';
select wxpay.ticket_show('1900000109', 'wx1');
select count(*) from wxpay_data.wechat_tokens;
