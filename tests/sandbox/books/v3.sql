-- v3: what API V3 asks, one function a call.  An answer is one row: the code
-- of a refusal, or null, and the body, which is null for 204.  What a call
-- gave stands in the journal by V2's names.

create or replace function sandbox.refuse3(call bigint, why text,
    message text)
returns table (code text, body text)
language sql as $$
    select sandbox.call_ended(call, why);
    values (why, jsonb_build_object('code', why, 'message', message)::text)
$$;

create or replace function sandbox.accept3(call bigint, answer jsonb)
returns table (code text, body text)
language sql as $$
    select sandbox.call_ended(call, 'SUCCESS');
    values (null, jsonb_strip_nulls(answer)::text)
$$;

-- [v3.md 19] For whom a payment was made; with a provider, he and his
-- sub-merchant.
create or replace function sandbox.mchids3(payment sandbox.payments)
returns jsonb
language sql immutable as $$
    select case when payment.params ? 'sub_mch_id'
        then jsonb_build_object('sp_mchid', payment.params->>'mch_id',
            'sub_mchid', payment.params->>'sub_mch_id')
        else jsonb_build_object('mchid', payment.params->>'mch_id') end
$$;

-- The same of the appids, and of the payer.
create or replace function sandbox.appids3(payment sandbox.payments)
returns jsonb
language sql immutable as $$
    select case when payment.params ? 'sub_mch_id'
        then jsonb_build_object('sp_appid', payment.params->>'appid',
            'sub_appid', payment.params->>'sub_appid')
        else jsonb_build_object('appid', payment.params->>'appid') end
$$;

create or replace function sandbox.payer3(payment sandbox.payments)
returns jsonb
language sql immutable as $$
    select case when payment.params ? 'sub_mch_id'
        then jsonb_build_object('sp_openid', o.of_provider,
            'sub_openid', o.of_sub)
        else jsonb_build_object('openid', payment.openid) end
    from sandbox.openids(payment) o
$$;

-- [v3.md 10.1] The answer of a query, and what a notice encrypts.
create or replace function sandbox.transaction3(payment sandbox.payments)
returns jsonb
language sql stable as $$
    select jsonb_strip_nulls(sandbox.appids3(payment)
        || sandbox.mchids3(payment) || jsonb_build_object(
        'out_trade_no', payment.out_trade_no,
        'trade_state', sandbox.trade_state(payment),
        'trade_state_desc',
            sandbox.trade_state_desc(sandbox.trade_state(payment))))
    || case when payment.state <> 'SUCCESS' then '{}'
        else jsonb_strip_nulls(jsonb_build_object(
            'transaction_id', payment.transaction_id,
            'trade_type', payment.trade_type,
            'bank_type', 'OTHERS',
            'attach', payment.params->>'attach',
            'success_time', sandbox.rfc3339(payment.paid_at),
            'payer', sandbox.payer3(payment),
            'amount', jsonb_build_object('total', payment.total_fen,
                'payer_total', payment.total_fen - payment.coupon_fen,
                'currency', 'CNY', 'payer_currency', 'CNY'),
            'scene_info', case when payment.params ? 'device_info'
                then jsonb_build_object('device_id',
                    payment.params->>'device_info') end,
            'promotion_detail', case when payment.coupon_fen > 0
                then jsonb_build_array(jsonb_build_object(
                    'coupon_id', '10000' || payment.id,
                    'name', '优惠券', 'scope', 'GLOBAL',
                    'type', replace(payment.coupon_type, '_', ''),
                    'amount', payment.coupon_fen, 'currency', 'CNY')) end))
        end
$$;

create or replace function sandbox.refund_status3(refund sandbox.refunds)
returns text
language sql immutable as $$
    select case refund.refund_status when 'CHANGE' then 'ABNORMAL'
        when 'REFUNDCLOSE' then 'CLOSED' else refund.refund_status end
$$;

-- [v3.md 12.1] The answer of creating and of asking.
create or replace function sandbox.refund_said3(payment sandbox.payments,
    refund sandbox.refunds) returns jsonb
language sql stable as $$
    select jsonb_build_object(
        'refund_id', refund.refund_id,
        'out_refund_no', refund.out_refund_no,
        'transaction_id', payment.transaction_id,
        'out_trade_no', payment.out_trade_no,
        'channel', 'ORIGINAL',
        'user_received_account', '支付用户零钱',
        'success_time', sandbox.rfc3339(refund.success_at),
        'create_time', sandbox.rfc3339(refund.made_at),
        'status', sandbox.refund_status3(refund),
        'funds_account', case refund.refund_account
            when 'REFUND_SOURCE_RECHARGE_FUNDS' then 'AVAILABLE'
            else 'UNSETTLED' end,
        'amount', jsonb_build_object('total', payment.total_fen,
            'refund', refund.refund_fen,
            'payer_total', payment.total_fen - payment.coupon_fen,
            'payer_refund', refund.refund_fen - c.fen,
            'settlement_total', payment.total_fen
                - case when c.is_cut then payment.coupon_fen else 0 end,
            'settlement_refund', refund.refund_fen
                - case when c.is_cut then c.fen else 0 end,
            'discount_refund', c.fen, 'currency', 'CNY'))
    from (values (sandbox.coupon_part(payment, refund),
        payment.coupon_type is not distinct from 'NO_CASH')) as c (fen, is_cut)
$$;

-- [v3.md 21.4] What a notice encrypts: refund_status, where an answer says
-- status; neither currency nor settlement.
create or replace function sandbox.refund_told3(payment sandbox.payments,
    refund sandbox.refunds) returns jsonb
language sql stable as $$
    select jsonb_strip_nulls(sandbox.mchids3(payment) || jsonb_build_object(
        'out_trade_no', payment.out_trade_no,
        'transaction_id', payment.transaction_id,
        'out_refund_no', refund.out_refund_no,
        'refund_id', refund.refund_id,
        'refund_status', sandbox.refund_status3(refund),
        'success_time', sandbox.rfc3339(refund.success_at),
        'user_received_account', '支付用户零钱',
        'amount', jsonb_build_object('total', payment.total_fen,
            'refund', refund.refund_fen,
            'payer_total', payment.total_fen - payment.coupon_fen,
            'payer_refund', refund.refund_fen
                - sandbox.coupon_part(payment, refund))))
$$;

-- [v3.md 8.2] time_expire is set once, and at least a minute ahead.
create or replace function sandbox.unifiedorder3(call bigint)
returns table (code text, body text)
language plpgsql as $$
declare
    given   jsonb := (select c.fields from sandbox.calls c where c.id = call);
    payment sandbox.payments;
    fresh   sandbox.prepays;
begin
    insert into sandbox.payments (out_trade_no, trade_type, total_fen,
        version, sign_type, time_expire, params)
    values (given->>'out_trade_no', given->>'trade_type',
        (given->>'total_fee')::bigint, 'v3', 'RSA',
        case when given ? 'time_expire' then
            greatest(sandbox.beijing(given->>'time_expire'),
                clock_timestamp() + interval '1 min') end, given)
    on conflict do nothing;
    payment := sandbox.payment_of(given);

    if payment.state = 'NOTPAY' and payment.params <> given then
        perform sandbox.violation_add('prepay_changed', payment.out_trade_no,
            'asked again with other parameters');
    end if;
    if payment.state = 'SUCCESS' then
        return query select * from sandbox.refuse3(call, 'INVALID_REQUEST',
            '该订单已支付');
    elsif payment.state = 'CLOSED' then
        return query select * from sandbox.refuse3(call, 'ORDER_CLOSED',
            '该订单已关闭');
    elsif payment.params - 'time_expire' <> given - 'time_expire' then
        return query select * from sandbox.refuse3(call, 'OUT_TRADE_NO_USED',
            '商户订单号重复，参数与首次请求不一致');
    else
        fresh := sandbox.prepay_add(payment);
        return query select * from sandbox.accept3(call,
            case payment.trade_type
            when 'NATIVE' then jsonb_build_object('code_url', fresh.code_url)
            when 'MWEB' then jsonb_build_object('h5_url',
                sandbox.h5_url(fresh))
            else jsonb_build_object('prepay_id', fresh.prepay_id) end);
    end if;
end $$;

-- [v3.md 10.1]
create or replace function sandbox.orderquery3(call bigint)
returns table (code text, body text)
language plpgsql as $$
declare
    given   jsonb := (select c.fields from sandbox.calls c where c.id = call);
    payment sandbox.payments := sandbox.payment_of(given);
begin
    if payment.out_trade_no is null then
        return query select * from sandbox.refuse3(call, 'ORDER_NOT_EXIST',
            '此交易订单号不存在');
    else
        return query select * from sandbox.accept3(call,
            sandbox.transaction3(payment));
    end if;
end $$;

-- [v3.md 10.2] Repeatable.  The documents name no code for a close that comes
-- too early; RULE_LIMIT is the one for a rule of business.
create or replace function sandbox.closeorder3(call bigint)
returns table (code text, body text)
language plpgsql as $$
declare
    given   jsonb := (select c.fields from sandbox.calls c where c.id = call);
    payment sandbox.payments := sandbox.payment_of(given);
    age_s   numeric := extract(epoch from clock_timestamp() - payment.made_at);
begin
    if payment.out_trade_no is null then
        return query select * from sandbox.refuse3(call, 'ORDER_NOT_EXIST',
            '订单不存在');
    elsif payment.state = 'SUCCESS' then
        return query select * from sandbox.refuse3(call, 'ORDER_PAID',
            '订单已支付');
    elsif payment.state = 'NOTPAY'
            and age_s < (select close_min_s from sandbox.settings) then
        perform sandbox.violation_add('close_early', payment.out_trade_no,
            'closed after ' || round(age_s, 3) || ' s');
        return query select * from sandbox.refuse3(call, 'RULE_LIMIT',
            '订单生成后不能马上调用关单接口，最短间隔为5分钟');
    else
        update sandbox.payments set state = 'CLOSED'
        where out_trade_no = payment.out_trade_no;
        return query select * from sandbox.accept3(call, null);
    end if;
end $$;

-- Why a refund is not to be had; null if it is, or if there was one like it.
create or replace function sandbox.refund_refusal3(payment sandbox.payments,
    given jsonb, platform_url text)
returns table (code text, message text)
language plpgsql as $$
declare
    earlier sandbox.refunds;
begin
    select * into earlier from sandbox.refunds r
    where r.out_refund_no = given->>'out_refund_no';
    if payment.state is distinct from 'SUCCESS' or payment.out_trade_no
            <> coalesce(given->>'out_trade_no', payment.out_trade_no) then
        code := 'RESOURCE_NOT_EXISTS';
        message := '订单不存在或未支付';
    elsif payment.total_fen <> (given->>'total_fee')::bigint
            or earlier.out_trade_no <> payment.out_trade_no
            or earlier.refund_fen <> (given->>'refund_fee')::bigint then
        code := 'INVALID_REQUEST';
        message := '订单金额或退款金额与之前请求不一致，请核实后再试';
    elsif earlier.id is null then
        code := sandbox.refund_add(payment, given->>'out_refund_no',
            (given->>'refund_fee')::bigint,
            coalesce(given->>'refund_account',
                'REFUND_SOURCE_UNSETTLED_FUNDS'),
            coalesce(given->>'notify_url', platform_url), 'API', 'v3');
        code := case code when '' then null
            when 'NOTENOUGH' then 'NOT_ENOUGH' else 'INVALID_REQUEST' end;
        message := case code when 'NOT_ENOUGH' then '基本账户余额不足'
            else '累计退款金额或次数超限，或已超过可退款期限' end;
    end if;
    return next;
end $$;

-- [v3.md 12.1, 12.2] The same number again is the same refund, whatever has
-- become of it.
create or replace function sandbox.refund3(call bigint, platform_url text)
returns table (code text, body text)
language plpgsql as $$
declare
    given   jsonb := (select c.fields from sandbox.calls c where c.id = call);
    payment sandbox.payments := sandbox.payment_of(given);
    refusal record;
    refund  sandbox.refunds;
begin
    select * into refusal
    from sandbox.refund_refusal3(payment, given, platform_url);
    if refusal.code is not null then
        return query select * from sandbox.refuse3(call, refusal.code,
            refusal.message);
        return;
    end if;
    select * into refund from sandbox.refunds r
    where r.out_refund_no = given->>'out_refund_no';
    return query select * from sandbox.accept3(call,
        sandbox.refund_said3(payment, refund));
end $$;

-- [v3.md 12.3]
create or replace function sandbox.refundquery3(call bigint)
returns table (code text, body text)
language plpgsql as $$
declare
    given   jsonb := (select c.fields from sandbox.calls c where c.id = call);
    payment sandbox.payments;
    refund  sandbox.refunds;
begin
    select * into refund from sandbox.refunds r
    where r.out_refund_no = given->>'out_refund_no';
    select * into payment from sandbox.payments p
    where p.out_trade_no = refund.out_trade_no;
    if refund.id is null then
        return query select * from sandbox.refuse3(call,
            'RESOURCE_NOT_EXISTS', '退款单不存在');
    else
        return query select * from sandbox.accept3(call,
            sandbox.refund_said3(payment, refund));
    end if;
end $$;

-- [v3.md 5.1, 5.2] Which certificates there are; the program seals them.
create or replace function sandbox.certificates3(call bigint)
returns table (code text, body text)
language plpgsql as $$
declare
    names json := (select json_agg(k.name order by k.name)
        from sandbox.keys k where k.listed);
begin
    if names is null then
        return query select * from sandbox.refuse3(call,
            'RESOURCE_NOT_EXISTS', '无可用的平台证书，请申请使用微信支付公钥');
    else
        return query select * from sandbox.accept3(call, names::jsonb);
    end if;
end $$;

-- Every member of an object, however deep: where it stands, as JSON pointers
-- have it, its type, and its text.
create or replace function sandbox.members(object jsonb)
returns table (path text, type text, value text)
language sql immutable as $$
    with recursive member (path, value) as (
        select '', object
        union all
        select member.path || '/'
            || replace(replace(e.name, '~', '~0'), '/', '~1'), e.value
        from member cross join lateral (
            select o.key, o.value from jsonb_each(case
                when jsonb_typeof(member.value) = 'object'
                then member.value end) o
            union all select (a.number - 1)::text, a.value
            from jsonb_array_elements(case
                when jsonb_typeof(member.value) = 'array'
                then member.value end)
                with ordinality a (value, number)) as e (name, value))
    select m.path, jsonb_typeof(m.value),
        case when jsonb_typeof(m.value) in ('object', 'array') then ''
            else coalesce(m.value #>> '{}', '') end
    from member m where m.path <> ''
    order by m.path
$$;

-- An answer that says another number, or another amount, at path.
create or replace function sandbox.spoil(answer jsonb, path text[])
returns text
language sql immutable as $$
    select coalesce(jsonb_set(answer, path, case
        when jsonb_typeof(answer #> path) = 'number'
            then to_jsonb((answer #>> path)::bigint + 1)
        else to_jsonb(left(answer #>> path, -1)
            || case right(answer #>> path, 1) when '1' then '2'
                else '1' end) end, false), answer)::text
$$;

-- [v3.md 21.2] What stands around the sealed part of a notice.
create or replace function sandbox.notice3(number bigint)
returns table (event_id uuid, create_time text, event_type text, summary text,
    original_type text, fields text)
language sql stable as $$
    select n.event_id, sandbox.rfc3339(n.made_at),
        case n.kind when 'paid' then 'TRANSACTION.SUCCESS'
            else 'REFUND.' || (n.fields->>'refund_status') end,
        case n.kind when 'paid' then '支付成功' else '退款通知' end,
        case n.kind when 'paid' then 'transaction' else 'refund' end,
        n.fields::text
    from sandbox.notices n where n.id = number
$$;
