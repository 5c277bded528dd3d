-- micropay_start: what a POST /merchant/micropay asks for, in one commit: the
-- order (see order_open), its payment by a code, and the journal row of the
-- call.  A request_id is one attempt for ever: told again, it stands, and
-- nobody calls again.  The code itself is not among what is told.  Verdicts,
-- beside those of order_open:
--   call      this caller calls micropay, under lease_no and call_no
--   stands    payment_state, refusal are what became of this request_id;
--             second: paid, when the order was
--   busy      another code is being charged for this order
--   paid, closing, closed, expired, exhausted   no payment can be made
create or replace function wxpay.micropay_start(p_mchid text, p_way text,
    p_product_id text, p_quantity int, p_order_no text, p_token text,
    p_total_fen bigint, p_body text, p_time_expire bigint, p_attach text,
    p_return_url text, p_request_id text, p_life_s int, p_client_ip text,
    p_appid text, p_sub_mchid text, p_sub_appid text, p_nonce text,
    p_lease_s int, p_wait_s int, p_actor text)
    returns table (verdict text, order_no text, token text, order_state text,
        total_fen bigint, body text, attach text, product_id text,
        time_expire bigint, return_url text, out_trade_no text,
        trade_type text, openid text, client_ip text, appid text,
        sub_mchid text, sub_appid text, prepay_id text, code_url text,
        h5_url text, api text, lease_no bigint, call_no bigint,
        payment_state text, refusal text)
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
    perform actor_is(p_actor, 'micropay');
    select * into opened from order_open(p_mchid, p_way, p_product_id,
        p_quantity, p_order_no, p_token, p_total_fen, p_body,
        to_timestamp(p_time_expire), p_attach, p_return_url, p_request_id,
        make_interval(secs => p_life_s));
    word := opened.verdict;
    o.total_fen := opened.total_fen;
    if word = 'open' then
        select * into o from orders
        where mchid = p_mchid and order_no = opened.order_no;
        select * into p from payments
        where mchid = p_mchid and request_id = p_request_id;
        word := case
            when p.mchid is not null then 'stands'
            when o.state <> 'pending' then o.state
            when o.closing then 'closing'
            when o.time_expire <= now() then 'expired'
            when exists (select from payments x
                where x.mchid = p_mchid and x.order_no = o.order_no
                    and x.trade_type = 'MICROPAY' and x.state = 'created')
                then 'busy'
            when o.attempts >= 99 then 'exhausted'
            else 'call' end;
    end if;
    if word = 'call' then
        -- what shows a QR code is closed by the worker
        perform payments_mark_closing(p_mchid, o.order_no);
        update orders set attempts = attempts + 1
        where mchid = p_mchid and order_no = o.order_no returning * into o;
        insert into payments (mchid, out_trade_no, order_no, attempt, api,
            appid, sub_mchid, sub_appid, trade_type, client_ip, total_fen,
            request_id, close_after, close_at, check_at, claimed_at,
            leased_until, lease_no)
        values (p_mchid, case o.attempts when 1 then o.order_no
                else o.order_no || '_' || o.attempts end,
            o.order_no, o.attempts, 'v2', p_appid, p_sub_mchid, p_sub_appid,
            'MICROPAY', p_client_ip, o.total_fen, p_request_id,
            make_interval(secs => p_wait_s),
            -- if we die, WeChat may hear of it as late as the lease ends
            clock_timestamp() + make_interval(secs => p_lease_s + p_wait_s),
            clock_timestamp() + make_interval(secs => p_lease_s),
            clock_timestamp(),
            clock_timestamp() + make_interval(secs => p_lease_s), 1)
        returning * into p;
        call := call_begin(p_mchid, 'micropay', p.out_trade_no, null,
            p_nonce, p.lease_no);
    end if;
    return query select word, o.order_no, o.token, o.state, o.total_fen,
        o.body, o.attach, coalesce(o.product_id, ''),
        extract(epoch from o.time_expire)::bigint, o.return_url,
        p.out_trade_no, p.trade_type, p.openid, p.client_ip, p.appid,
        p.sub_mchid, p.sub_appid, p.prepay_id, p.code_url, p.h5_url, p.api,
        p.lease_no, call,
        case when p.state = 'paid' and not p.settles then 'second'
            else p.state end,
        p.refusal;
end $$;
