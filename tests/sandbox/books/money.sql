-- money: who pays, and what goes back, whichever API asked.

-- The payment that a call names, locked: transaction_id wins over
-- out_trade_no.  No key update, so that notices about it can be added
-- meanwhile.
create or replace function sandbox.payment_of(given jsonb)
returns sandbox.payments
language plpgsql as $$
declare
    payment sandbox.payments;
begin
    perform sandbox.auth_code_ripen(given->>'out_trade_no');
    if given ? 'transaction_id' then
        select * into payment from sandbox.payments
        where transaction_id = given->>'transaction_id' for no key update;
    else
        select * into payment from sandbox.payments
        where out_trade_no = given->>'out_trade_no' for no key update;
    end if;
    return payment;
end $$;

-- Whether a call is about an order, or a refund of it, that was made for
-- another sub-merchant.  A number that is used up is unifiedorder's matter.
create or replace function sandbox.is_of_another(call bigint) returns boolean
language sql stable as $$
    select exists (select from sandbox.calls c
        cross join lateral (select c.fields->>'out_trade_no'
            union select p.out_trade_no from sandbox.payments p
            where p.transaction_id = c.fields->>'transaction_id'
            union select r.out_trade_no from sandbox.refunds r
            where c.fields->>'out_refund_no' = r.out_refund_no
                or c.fields->>'refund_id' = r.refund_id) n (out_trade_no)
        join sandbox.payments p using (out_trade_no)
        where c.id = call and c.api not in ('unifiedorder', 'micropay')
            and p.params->>'sub_mch_id'
                is distinct from c.fields->>'sub_mch_id')
$$;

-- [v3.md 19] Whoever pays has an openid with the provider's appid and another
-- with the sub-merchant's.  payment.openid is the one that the order names, or
-- that its client has.
create or replace function sandbox.openids(payment sandbox.payments,
    out of_provider text, out of_sub text)
language sql immutable as $$
    select case when p.is_by_sub then p.another else payment.openid end,
        case when p.is_by_sub then payment.openid
            when payment.params ? 'sub_appid' then p.another end
    from (values (payment.params ? 'sub_appid'
        and not payment.params ? 'openid',
        'oElsewhere-' || left(md5(payment.openid), 17)))
        as p (is_by_sub, another)
$$;

-- Another prepay_id for a payment; earlier ones stay good [v2.md 7.1].
create or replace function sandbox.prepay_add(payment sandbox.payments)
returns sandbox.prepays
language plpgsql as $$
declare
    fresh sandbox.prepays;
    uuid  text := replace(gen_random_uuid()::text, '-', '');
begin
    insert into sandbox.prepays (prepay_id, code_url, out_trade_no)
    values ('wx' || sandbox.compact(clock_timestamp()) || substr(uuid, 1, 20),
        case when payment.trade_type = 'NATIVE' then
            'weixin://wxpay/bizpayurl?pr=' || substr(uuid, 21) end,
        payment.out_trade_no)
    returning * into fresh;
    return fresh;
end $$;

create or replace function sandbox.trade_state(payment sandbox.payments)
returns text
language sql stable as $$
    select case when exists (select from sandbox.refunds r
            where r.out_trade_no = payment.out_trade_no
            and r.refund_status <> 'REFUNDCLOSE')
        then 'REFUND' else payment.state end
$$;

create or replace function sandbox.trade_state_desc(word text) returns text
language sql immutable as $$
    select case word when 'SUCCESS' then '支付成功'
        when 'REFUND' then '订单发生过退款' when 'NOTPAY' then '订单未支付'
        when 'USERPAYING' then '需要用户输入支付密码'
        when 'REVOKED' then '订单已撤销' when 'PAYERROR' then '支付失败'
        else '订单已关闭' end
$$;

-- What both V2's query and its notice tell about a paid payment.
create or replace function sandbox.paid_fields(payment sandbox.payments)
returns table (name text, value text)
language sql stable as $$
    select * from (values
        ('transaction_id', payment.transaction_id),
        ('openid', (sandbox.openids(payment)).of_provider),
        ('is_subscribe', 'N'),
        ('sub_openid', (sandbox.openids(payment)).of_sub),
        ('sub_is_subscribe', case when payment.params ? 'sub_appid'
            then 'N' end),
        ('trade_type', payment.trade_type),
        ('bank_type', 'OTHERS'),
        ('fee_type', 'CNY'),
        ('cash_fee', (payment.total_fen - payment.coupon_fen)::text),
        ('cash_fee_type', 'CNY'),
        ('time_end', sandbox.compact(payment.paid_at)),
        ('settlement_total_fee', case when payment.coupon_type = 'NO_CASH'
            then (payment.total_fen - payment.coupon_fen)::text end),
        ('coupon_count', case when payment.coupon_fen > 0 then '1' end),
        ('coupon_fee', nullif(payment.coupon_fen, 0)::text),
        ('coupon_type_0', payment.coupon_type),
        ('coupon_id_0', case when payment.coupon_fen > 0
            then '10000' || payment.id end),
        ('coupon_fee_0', nullif(payment.coupon_fen, 0)::text)
    ) as v (name, value) where v.value is not null
$$;

-- Whoever pays: by code_url, prepay_id or out_trade_no.  Returns
--   paid         now, and a notice is on its way
--   already      it was paid before
--   unknown, closed, expired, wrong_payer, bad_coupon    nothing was done
create or replace function sandbox.pay(by text, payer text, coupon bigint,
    type_of_coupon text)
returns table (word text, transaction_id text, out_trade_no text)
language plpgsql as $$
declare
    setting sandbox.settings;
    prepay  sandbox.prepays;
    payment sandbox.payments;
begin
    select * into setting from sandbox.settings;
    select * into prepay from sandbox.prepays p
    where p.prepay_id = by or p.code_url = by or p.out_trade_no = by
    order by p.made_at desc limit 1;
    select * into payment from sandbox.payments p
    where p.out_trade_no = prepay.out_trade_no for no key update;

    word := case
        when payment.out_trade_no is null then 'unknown'
        when payment.state = 'SUCCESS' then 'already'
        when payment.state = 'CLOSED' then 'closed'
        when clock_timestamp() >= payment.time_expire
            or clock_timestamp() >= prepay.made_at
                + setting.prepay_life_s * interval '1 s' then 'expired'
        when payment.trade_type = 'JSAPI'
            and payer <> coalesce(payment.params->>'openid',
                payment.params->>'sub_openid') then 'wrong_payer'
        when coupon >= payment.total_fen then 'bad_coupon'
        else 'paid' end;
    if word = 'paid' then
        update sandbox.payments p set state = 'SUCCESS',
            transaction_id = sandbox.number_next('4200'),
            paid_at = clock_timestamp(),
            openid = coalesce(payer, p.params->>'openid',
                p.params->>'sub_openid', 'oSandbox-Nobody-In-Particular'),
            coupon_fen = coalesce(coupon, 0),
            coupon_type = case when coupon > 0 then type_of_coupon end
        where p.out_trade_no = payment.out_trade_no
        returning p.* into payment;
        insert into sandbox.notices (kind, out_trade_no, url, version,
            sign_type, fields)
        select 'paid', payment.out_trade_no, payment.params->>'notify_url',
            payment.version, payment.sign_type, case payment.version
                when 'v3' then sandbox.transaction3(payment)
                else jsonb_object_agg(f.name, f.value) end
        from (select * from sandbox.paid_fields(payment)
            union all values ('out_trade_no', payment.out_trade_no),
                ('total_fee', payment.total_fen::text)
            union all select e.key, e.value
            from jsonb_each_text(payment.params) e
            where e.key in ('attach', 'device_info')) as f;
    end if;
    transaction_id := payment.transaction_id;
    out_trade_no := payment.out_trade_no;
    return next;
end $$;

-- The part of a refund that a coupon had paid.
create or replace function sandbox.coupon_part(payment sandbox.payments,
    refund sandbox.refunds) returns bigint
language sql immutable as $$
    select refund.refund_fen * payment.coupon_fen / payment.total_fen
$$;

-- Tell what became of a refund, if anybody wants to know.
create or replace function sandbox.refund_tell(refund sandbox.refunds)
returns void
language plpgsql as $$
declare
    payment sandbox.payments;
begin
    select * into payment from sandbox.payments
    where out_trade_no = refund.out_trade_no;
    insert into sandbox.notices (kind, out_trade_no, out_refund_no, url,
        version, sign_type, fields)
    select 'refunded', refund.out_trade_no, refund.out_refund_no,
        refund.notify_url, refund.version, payment.sign_type,
        case refund.version
            when 'v3' then sandbox.refund_told3(payment, refund)
            else jsonb_object_agg(f.name, f.value) end
    from (values
        ('transaction_id', payment.transaction_id),
        ('out_trade_no', payment.out_trade_no),
        ('refund_id', refund.refund_id),
        ('out_refund_no', refund.out_refund_no),
        ('total_fee', payment.total_fen::text),
        ('settlement_total_fee', (payment.total_fen
            - case when payment.coupon_type = 'NO_CASH'
                then payment.coupon_fen else 0 end)::text),
        ('refund_fee', refund.refund_fen::text),
        ('settlement_refund_fee', (refund.refund_fen
            - case when payment.coupon_type = 'NO_CASH'
                then sandbox.coupon_part(payment, refund) else 0 end)::text),
        ('refund_status', refund.refund_status),
        ('success_time', coalesce(sandbox.spaced(refund.success_at), '')),
        ('refund_recv_accout', '支付用户零钱'),
        ('refund_account', refund.refund_account),
        ('refund_request_source', refund.source)
    ) as f (name, value)
    where refund.notify_url is not null;
end $$;

-- Move a refund to a status; a final one is told.
create or replace function sandbox.refund_become(number text, status text)
returns boolean
language plpgsql as $$
declare
    refund sandbox.refunds;
begin
    update sandbox.refunds set refund_status = status, settle_at = null,
        success_at = case status when 'SUCCESS' then clock_timestamp() end
    where out_refund_no = number and refund_status <> status
    returning * into refund;
    if found and status <> 'PROCESSING' then
        perform sandbox.refund_tell(refund);
    end if;
    return found;
end $$;

-- Take the money of a refund from an account; false if there is too little.
create or replace function sandbox.money_take(account text, fen bigint)
returns boolean
language plpgsql as $$
begin
    if account = 'REFUND_SOURCE_RECHARGE_FUNDS' then
        update sandbox.settings set recharge_fen = recharge_fen - fen
        where recharge_fen >= fen;
        return found
            or (select recharge_fen is null from sandbox.settings);
    end if;
    update sandbox.settings set unsettled_fen = unsettled_fen - fen
    where unsettled_fen >= fen;
    return found or (select unsettled_fen is null from sandbox.settings);
end $$;

-- Accept a refund of a locked payment, or find the one with this number.
-- Gives '' or the err_code.  Permissive: any new number is executed while
-- money is left [threats.md 2].
create or replace function sandbox.refund_add(payment sandbox.payments,
    number text, fen bigint, account text, url text, origin text,
    of_version text)
returns text
language plpgsql as $$
declare
    setting sandbox.settings;
    earlier sandbox.refunds;
    sums    record;
    plan    text;
begin
    select * into setting from sandbox.settings;
    select * into earlier from sandbox.refunds where out_refund_no = number;
    select count(*), max(made_at) as last_at,
        coalesce(sum(refund_fen) filter (
            where refund_status <> 'REFUNDCLOSE'), 0) as fen
    into sums from sandbox.refunds
    where out_trade_no = payment.out_trade_no;

    if earlier.out_trade_no <> payment.out_trade_no then
        return 'INVALID_REQUEST';
    elsif earlier.refund_fen <> fen then
        return 'REFUND_FEE_MISMATCH';
    elsif earlier.refund_status = 'REFUNDCLOSE' then
        return 'ERROR';
    elsif earlier.refund_status in ('PROCESSING', 'SUCCESS') then
        return '';
    elsif payment.state <> 'SUCCESS' then
        return 'INVALID_REQUEST';
    elsif payment.paid_at < clock_timestamp() - interval '1 year' then
        return 'TRADE_OVERDUE';
    end if;

    plan := coalesce((sandbox.fault_take('refund_status', array[number,
        payment.out_trade_no])).fault, 'SUCCESS');
    if earlier.refund_status = 'CHANGE' then
        update sandbox.refunds set refund_status = 'PROCESSING',
            planned = plan, settle_at = clock_timestamp()
                + setting.refund_delay_ms * interval '1 ms'
        where out_refund_no = number;
        return '';
    end if;

    if sums.count >= 50 then
        perform sandbox.violation_add('refund_count', number,
            'more than 50 of ' || payment.out_trade_no);
        return 'ERROR';
    elsif sums.fen + fen > payment.total_fen then
        perform sandbox.violation_add('refund_over', number,
            sums.fen || ' + ' || fen || ' of ' || payment.total_fen);
        return 'ERROR';
    elsif not sandbox.money_take(account, fen) then
        return 'NOTENOUGH';
    end if;
    if origin = 'API' and sums.last_at > clock_timestamp()
            - setting.refund_gap_s * interval '1 s' then
        perform sandbox.violation_add('refund_gap', number,
            extract(epoch from clock_timestamp() - sums.last_at)
            || ' s after another of ' || payment.out_trade_no);
    end if;
    insert into sandbox.refunds (out_refund_no, refund_id, out_trade_no,
        refund_fen, refund_account, notify_url, version, source, planned,
        settle_at)
    values (number, sandbox.number_next('5000'), payment.out_trade_no, fen,
        account, url, of_version, origin, plan, clock_timestamp()
            + setting.refund_delay_ms * interval '1 ms');
    return '';
end $$;

-- A person at the merchant platform gives money back.  told: the version of
-- the notice about it; null: that of the payment.
create or replace function sandbox.refund_by_hand(number text, fen bigint,
    platform_url text, told text)
returns table (code text, out_refund_no text)
language plpgsql as $$
declare
    payment sandbox.payments
        := sandbox.payment_of(jsonb_build_object('out_trade_no', number));
begin
    if payment.out_trade_no is null then
        code := 'ORDERNOTEXIST';
    else
        out_refund_no := sandbox.number_next('8000');
        code := sandbox.refund_add(payment, out_refund_no, fen,
            'REFUND_SOURCE_UNSETTLED_FUNDS', platform_url,
            'VENDOR_PLATFORM', coalesce(told, payment.version));
    end if;
    return next;
end $$;
