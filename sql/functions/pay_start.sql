-- pay_start: what a POST /pay asks for, in one commit: the order (see
-- order_open), its payment of this trade type, openid, payee and (of H5)
-- address, and, if it is ours to call WeChat, the journal row of that call.
-- May be repeated until the answer is no longer wait.  Verdicts, beside those
-- of order_open:
--   ready     prepay_id, code_url, h5_url are WeChat's stored answer
--   call      this caller calls unifiedorder, under lease_no and call_no
--   ask       as call, but an earlier call may have reached WeChat: query
--   wait      somebody is calling; ask again in a moment
--   openid    JSAPI without one: the order is open, and waits for its payer
--   busy      a payment code is being charged for this order
--   paid, closing, closed, expired, exhausted   no payment can be made
-- p_keep_payer: nobody can be asked who he is, so that whoever the last
-- attempt was for pays this one, too.
create or replace function wxpay.pay_start(p_mchid text, p_way text,
    p_product_id text, p_quantity int, p_order_no text, p_token text,
    p_total_fen bigint, p_body text, p_time_expire bigint, p_attach text,
    p_return_url text, p_request_id text, p_life_s int,
    p_trade_type text, p_openid text, p_client_ip text, p_api text,
    p_appid text, p_sub_mchid text, p_sub_appid text, p_keep_payer boolean,
    p_nonce text, p_lease_s int, p_close_after_s int, p_check_s int)
    returns table (verdict text, order_no text, token text, order_state text,
        total_fen bigint, body text, attach text, product_id text,
        time_expire bigint, return_url text, out_trade_no text,
        trade_type text, openid text, client_ip text, appid text,
        sub_mchid text, sub_appid text, prepay_id text, code_url text,
        h5_url text, api text, lease_no bigint, call_no bigint)
    language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
#variable_conflict use_column
declare
    opened record;
    o      orders;
    p      payments;
    word   text;
    call   bigint;
begin
    select * into opened from order_open(p_mchid, p_way, p_product_id, p_quantity,
        p_order_no, p_token, p_total_fen, p_body,
        to_timestamp(p_time_expire), p_attach, p_return_url, p_request_id,
        make_interval(secs => p_life_s));
    if opened.verdict <> 'open' then
        return query select opened.verdict, null::text, null::text,
            null::text, opened.total_fen, null::text, null::text, null::text,
            null::bigint, null::text, null::text, null::text, null::text,
            null::text, null::text, null::text, null::text, null::text,
            null::text, null::text, null::text, null::bigint, null::bigint;
        return;
    end if;
    select * into o from orders
    where mchid = p_mchid and order_no = opened.order_no;
    select * into p from payments
    where mchid = p_mchid and order_no = o.order_no and not closing
        and state in ('created', 'prepaid')
    for no key update;

    if p_openid = '' and p_keep_payer then
        p_openid := coalesce((select x.openid from payments x
            where x.mchid = p_mchid and x.order_no = o.order_no
                and x.trade_type = p_trade_type and x.appid = p_appid
                and (x.sub_mchid, x.sub_appid) = (p_sub_mchid, p_sub_appid)
            order by x.attempt desc limit 1), '');
    end if;

    word := case
        when o.state <> 'pending' then o.state
        when o.closing then 'closing'
        when o.time_expire <= now() then 'expired'
        when exists (select from payments x
            where x.mchid = p_mchid and x.order_no = o.order_no
                and x.trade_type = 'MICROPAY' and x.state = 'created')
            then 'busy'
        when p_trade_type = 'JSAPI' and p_openid = '' then 'openid'
        when p.mchid is not null and (p.trade_type, p.openid, p.appid,
                p.sub_mchid, p.sub_appid)
            = (p_trade_type, p_openid, p_appid, p_sub_mchid, p_sub_appid)
            -- H5 is paid from the address that it was ordered from
            and (p_trade_type <> 'MWEB' or p.client_ip = p_client_ip) then
            case
            -- WeChat's prepay_id lives two hours, and its h5_url 5 minutes
            when p.state = 'prepaid' and p.prepaid_at > now()
                - case p_trade_type when 'MWEB' then interval '4 minutes'
                    else interval '115 minutes' end then 'ready'
            when p.leased_until > clock_timestamp() then 'wait'
            when p.unsure then 'ask'
            else 'call' end
        when o.attempts >= 99 then 'exhausted'
        -- WeChat refuses an order that ends within a minute
        when o.time_expire <= now() + interval '60 seconds' then 'expired'
        else 'new' end;

    if word = 'new' then
        -- the other attempt is closed by the worker; this one need not wait
        perform payments_mark_closing(p_mchid, o.order_no);
        update orders set attempts = attempts + 1
        where mchid = p_mchid and order_no = o.order_no returning * into o;
        insert into payments (mchid, out_trade_no, order_no, attempt, api,
            appid, sub_mchid, sub_appid, trade_type, openid, client_ip,
            total_fen, close_after, close_at)
        values (p_mchid, case o.attempts when 1 then o.order_no
                else o.order_no || '_' || o.attempts end,
            o.order_no, o.attempts, p_api, p_appid, p_sub_mchid, p_sub_appid,
            p_trade_type, p_openid, p_client_ip, o.total_fen,
            make_interval(secs => p_close_after_s),
            now() + make_interval(secs => p_close_after_s))
        returning * into p;
        word := 'call';
    end if;
    if word in ('call', 'ask') then
        -- unsure from here on: if we die, somebody asks before calling again
        update payments set unsure = true, lease_no = lease_no + 1,
            claimed_at = clock_timestamp(), leased_until = clock_timestamp()
                + make_interval(secs => p_lease_s),
            check_at = clock_timestamp()
                + make_interval(secs => greatest(p_lease_s, p_check_s))
        where mchid = p_mchid and out_trade_no = p.out_trade_no
        returning * into p;
        call := call_begin(p_mchid, case word when 'ask' then 'query'
            else 'prepay' end, p.out_trade_no, null, p_nonce, p.lease_no);
    end if;

    return query select word, o.order_no, o.token, o.state, o.total_fen,
        o.body, o.attach, coalesce(o.product_id, ''),
        extract(epoch from o.time_expire)::bigint, o.return_url,
        p.out_trade_no, p.trade_type, p.openid, p.client_ip, p.appid,
        p.sub_mchid, p.sub_appid, p.prepay_id, p.code_url, p.h5_url, p.api,
        p.lease_no, call;
end $$;
