-- v2: what API V2 asks, one function a call.  Answers are rows of
-- (name, value); a refusal has err_code among them.

-- A refusal as the rows of an answer.
create or replace function sandbox.refuse(call bigint, code text, des text)
returns table (name text, value text)
language sql as $$
    select sandbox.call_ended(call, code);
    values ('err_code', code), ('err_code_des', des)
$$;

-- [v2.md 7.1] A repetition gives a new prepay_id if nothing differs.
create or replace function sandbox.unifiedorder(call bigint)
returns table (name text, value text)
language plpgsql as $$
declare
    given   jsonb;
    type    text;
    payment sandbox.payments;
    fresh   sandbox.prepays;
begin
    select c.fields, c.sign_type into given, type
    from sandbox.calls c where c.id = call;
    insert into sandbox.payments (out_trade_no, trade_type, total_fen,
        version, sign_type, time_expire, params)
    values (given->>'out_trade_no', given->>'trade_type',
        (given->>'total_fee')::bigint, 'v2', type,
        sandbox.beijing(given->>'time_expire'), given - 'sign_type')
    on conflict do nothing;
    payment := sandbox.payment_of(given);

    if payment.state = 'SUCCESS' then
        return query select * from sandbox.refuse(call, 'ORDERPAID',
            '该订单已支付');
        return;
    elsif payment.state = 'CLOSED' then
        return query select * from sandbox.refuse(call, 'ORDERCLOSED',
            '该订单已关闭');
        return;
    elsif payment.params <> given - 'sign_type' then
        perform sandbox.violation_add('prepay_changed', payment.out_trade_no,
            'asked again with other parameters');
        return query select * from sandbox.refuse(call, 'INVALID_REQUEST',
            '商户订单号重复，参数与首次请求不一致');
        return;
    end if;

    fresh := sandbox.prepay_add(payment);
    perform sandbox.call_ended(call, 'SUCCESS');
    return query select v.* from (values ('trade_type', payment.trade_type),
        ('prepay_id', fresh.prepay_id), ('code_url', fresh.code_url),
        ('mweb_url', case payment.trade_type when 'MWEB'
            then sandbox.h5_url(fresh) end))
        as v (name, value) where v.value is not null;
end $$;

-- [v2.md 7.3]
create or replace function sandbox.orderquery(call bigint)
returns table (name text, value text)
language plpgsql as $$
declare
    given   jsonb := (select c.fields from sandbox.calls c where c.id = call);
    payment sandbox.payments := sandbox.payment_of(given);
    word    text;
begin
    if payment.out_trade_no is null then
        return query select * from sandbox.refuse(call, 'ORDERNOTEXIST',
            '此交易订单号不存在');
        return;
    end if;
    word := sandbox.trade_state(payment);
    perform sandbox.call_ended(call, 'SUCCESS');
    return query values ('out_trade_no', payment.out_trade_no),
        ('total_fee', payment.total_fen::text),
        ('attach', coalesce(payment.params->>'attach', '')),
        ('trade_state', word),
        ('trade_state_desc', sandbox.trade_state_desc(word));
    if payment.state = 'SUCCESS' then
        return query select * from sandbox.paid_fields(payment);
    end if;
end $$;

-- [v2.md 7.4] The documents name no code for a close that comes too early;
-- TRADE_STATE_ERROR is the one for "not in this state".
create or replace function sandbox.closeorder(call bigint)
returns table (name text, value text)
language plpgsql as $$
declare
    given   jsonb := (select c.fields from sandbox.calls c where c.id = call);
    payment sandbox.payments := sandbox.payment_of(given);
    age_s   numeric := extract(epoch from clock_timestamp() - payment.made_at);
begin
    if payment.out_trade_no is null then
        return query select * from sandbox.refuse(call, 'ORDERNOTEXIST',
            '订单不存在');
    elsif payment.state = 'SUCCESS' then
        return query select * from sandbox.refuse(call, 'ORDERPAID',
            '订单已支付');
    elsif payment.state = 'CLOSED' then
        return query select * from sandbox.refuse(call, 'ORDERCLOSED',
            '订单已关闭');
    elsif payment.trade_type = 'MICROPAY' then
        perform sandbox.violation_add('close_of_a_code',
            payment.out_trade_no, 'it is reversed instead');
        return query select * from sandbox.refuse(call, 'TRADE_STATE_ERROR',
            '付款码订单请调用撤销接口');
    elsif age_s < (select close_min_s from sandbox.settings) then
        perform sandbox.violation_add('close_early', payment.out_trade_no,
            'closed after ' || round(age_s, 3) || ' s');
        return query select * from sandbox.refuse(call, 'TRADE_STATE_ERROR',
            '订单生成后不能马上调用关单接口，最短间隔为5分钟');
    else
        update sandbox.payments set state = 'CLOSED'
        where out_trade_no = payment.out_trade_no;
        perform sandbox.call_ended(call, 'SUCCESS');
        return query values ('result_msg', 'OK');
    end if;
end $$;

-- [v2.md 8.1]
create or replace function sandbox.refund(call bigint, platform_url text)
returns table (name text, value text)
language plpgsql as $$
declare
    given   jsonb := (select c.fields from sandbox.calls c where c.id = call);
    payment sandbox.payments := sandbox.payment_of(given);
    refund  sandbox.refunds;
    code    text;
begin
    if payment.out_trade_no is null then
        code := case when given ? 'transaction_id'
            then 'INVALID_TRANSACTIONID' else 'ORDERNOTEXIST' end;
    elsif payment.out_trade_no <> given->>'out_trade_no' then
        code := 'INVALID_TRANSACTIONID';
    elsif payment.total_fen <> (given->>'total_fee')::bigint then
        code := 'REFUND_FEE_MISMATCH';
    else
        code := sandbox.refund_add(payment, given->>'out_refund_no',
            (given->>'refund_fee')::bigint,
            coalesce(given->>'refund_account',
                'REFUND_SOURCE_UNSETTLED_FUNDS'),
            coalesce(given->>'notify_url', platform_url), 'API', 'v2');
    end if;
    if code <> '' then
        return query select * from sandbox.refuse(call, code,
            case code when 'NOTENOUGH' then '基本账户余额不足，请充值后重新发起'
            when 'REFUND_FEE_MISMATCH' then '订单金额或退款金额与之前请求不一致'
            when 'TRADE_OVERDUE' then '订单已经超过可退款的最大期限'
            when 'ERROR' then '累计退款金额或次数超限，或退款已关闭'
            when 'INVALID_REQUEST' then '订单状态不允许退款'
            else '订单不存在' end);
        return;
    end if;
    select * into refund from sandbox.refunds r
    where r.out_refund_no = given->>'out_refund_no';
    perform sandbox.call_ended(call, 'SUCCESS');
    return query values ('transaction_id', payment.transaction_id),
        ('out_trade_no', payment.out_trade_no),
        ('out_refund_no', refund.out_refund_no),
        ('refund_id', refund.refund_id),
        ('refund_channel', ''),
        ('refund_fee', refund.refund_fen::text),
        ('coupon_refund_fee', sandbox.coupon_part(payment, refund)::text),
        ('coupon_refund_count', '0'),
        ('total_fee', payment.total_fen::text),
        ('fee_type', 'CNY'),
        ('cash_fee', (payment.total_fen - payment.coupon_fen)::text),
        ('cash_refund_fee', (refund.refund_fen
            - sandbox.coupon_part(payment, refund))::text);
end $$;

-- [v2.md 8.2] Ten refunds a page.
create or replace function sandbox.refundquery(call bigint)
returns table (name text, value text)
language plpgsql as $$
declare
    given   jsonb := (select c.fields from sandbox.calls c where c.id = call);
    first   integer := coalesce((given->>'offset')::integer, 0);
    numbers text[];
    payment sandbox.payments;
    refund  sandbox.refunds;
    n       integer := 0;
begin
    select array_agg(r.out_refund_no order by r.id) into numbers
    from sandbox.refunds r
    where case when given ? 'refund_id' then r.refund_id = given->>'refund_id'
        when given ? 'out_refund_no'
            then r.out_refund_no = given->>'out_refund_no'
        else r.out_trade_no
            = (sandbox.payment_of(given)).out_trade_no end;
    if numbers is null then
        return query select * from sandbox.refuse(call, 'REFUNDNOTEXIST',
            '退款订单查询失败');
        return;
    elsif first >= array_length(numbers, 1) then
        return query select * from sandbox.refuse(call, 'PARAM_ERROR',
            'offset');
        return;
    end if;

    for refund in select r.* from sandbox.refunds r
            where r.out_refund_no = any (numbers[first + 1:first + 10])
            order by r.id loop
        return query select f.name || '_' || n, f.value from (values
            ('out_refund_no', refund.out_refund_no),
            ('refund_id', refund.refund_id),
            ('refund_channel', 'ORIGINAL'),
            ('refund_fee', refund.refund_fen::text),
            ('refund_status', refund.refund_status),
            ('refund_account', refund.refund_account),
            ('refund_recv_accout', '支付用户零钱'),
            ('refund_success_time', sandbox.spaced(refund.success_at))
        ) as f (name, value) where f.value is not null;
        n := n + 1;
    end loop;
    select * into payment from sandbox.payments p
    where p.out_trade_no = refund.out_trade_no;
    perform sandbox.call_ended(call, 'SUCCESS');
    return query values ('refund_count', n::text),
        ('transaction_id', payment.transaction_id),
        ('out_trade_no', payment.out_trade_no),
        ('total_fee', payment.total_fen::text),
        ('fee_type', 'CNY'),
        ('cash_fee', (payment.total_fen - payment.coupon_fen)::text);
    if given ? 'offset' or array_length(numbers, 1) > n then
        return query values ('total_refund_count',
            array_length(numbers, 1)::text);
    end if;
end $$;
