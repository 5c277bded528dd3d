--
-- PostgreSQL database dump
--

\restrict wxpay

-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: wxpay; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA wxpay;


--
-- Name: wxpay_data; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA wxpay_data;


--
-- Name: calls_sweep(); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.calls_sweep() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    with swept as (
        update calls set outcome = 'unsure', code = 'LOST',
            ended_at = clock_timestamp()
        where outcome is null
            and began_at < clock_timestamp() - interval '60 seconds'
        returning 1)
    select count(*) from swept
$$;


--
-- Name: shop_mchid(); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.shop_mchid() RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    select coalesce(
        (select mchid from shop_logins where login = session_user),
        (select min(mchid) from merchants having count(*) = 1))
$$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: events; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.events (
    seq bigint NOT NULL,
    mchid text NOT NULL,
    id bigint,
    kind text NOT NULL,
    order_no text,
    out_trade_no text,
    out_refund_no text,
    fen bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: events; Type: VIEW; Schema: wxpay; Owner: -
--

CREATE VIEW wxpay.events WITH (security_barrier='true') AS
 SELECT events.id,
    events.kind,
    events.order_no,
    events.out_trade_no,
    events.out_refund_no,
    events.fen,
    events.created_at
   FROM wxpay_data.events
  WHERE ((events.mchid = wxpay.shop_mchid()) AND (events.id IS NOT NULL));


--
-- Name: events_after(bigint); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.events_after(p_id bigint) RETURNS SETOF wxpay.events
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    select id, kind, order_no, out_trade_no, out_refund_no, fen, created_at
    from events
    where mchid = wxpay.shop_mchid() and id > p_id
    order by id limit 1000
$$;


--
-- Name: events_number(text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.events_number(p_mchid text) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    last     bigint;
    numbered bigint;
begin
    select event_no into last from merchants where mchid = p_mchid
    -- not the key: a shop's open transaction that refers to it is no matter
    for no key update skip locked;
    if not found then
        return 0;
    end if;
    with fresh as (
        select seq, row_number() over (order by seq) as n from (
            select seq from events
            where mchid = p_mchid and id is null
            order by seq limit 1000) unnumbered)
    update events e set id = last + fresh.n
    from fresh where e.seq = fresh.seq;
    get diagnostics numbered = row_count;
    if numbered > 0 then
        update merchants set event_no = last + numbered
        where mchid = p_mchid;
        perform pg_notify('wxpay_event', (last + numbered)::text);
    end if;
    return numbered;
end $$;


--
-- Name: key_put(text, text, text, bigint, bigint); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.key_put(p_mchid text, p_serial text, p_pem text, p_not_before bigint, p_not_after bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
begin
    insert into wechat_keys (mchid, serial, pem, not_before, not_after)
    values (p_mchid, p_serial, p_pem, to_timestamp(p_not_before),
        to_timestamp(p_not_after))
    on conflict do nothing;
    if found then
        return 'new';
    end if;
    return case when exists (select from wechat_keys
            where mchid = p_mchid and serial = p_serial and pem = p_pem)
        then 'known' else 'differs' end;
end $$;


--
-- Name: key_seen(text, text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.key_seen(p_mchid text, p_serial text, p_via text) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    insert into wechat_key_uses as u (mchid, serial, via)
    values (p_mchid, p_serial, p_via)
    on conflict (mchid, serial, via) do update
        set last_at = greatest(u.last_at, excluded.last_at)
    returning true
$$;


--
-- Name: keys_claim(text, text, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.keys_claim(p_mchid text, p_nonce text, p_lease_s integer) RETURNS TABLE(lease_no bigint, call_no bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    f wechat_key_fetches;
begin
    insert into wechat_key_fetches (mchid) values (p_mchid)
    on conflict do nothing;
    update wechat_key_fetches set lease_no = lease_no + 1,
        tried_at = clock_timestamp(),
        leased_until = clock_timestamp() + make_interval(secs => p_lease_s)
    where mchid = (select mchid from wechat_key_fetches
        where mchid = p_mchid and due_at <= clock_timestamp()
            and (leased_until is null or leased_until <= clock_timestamp())
        for no key update skip locked)
    returning * into f;
    if not found then
        return;
    end if;
    return query select f.lease_no, call_begin(p_mchid, 'certificates', null,
        null, p_nonce, f.lease_no);
end $$;


--
-- Name: keys_list(text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.keys_list(p_mchid text) RETURNS TABLE(serial text, pem text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    select serial, pem from wechat_keys
    where mchid = p_mchid and not_after > now()
    order by not_after desc, serial limit 16
$$;


--
-- Name: keys_report(text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.keys_report(p_mchid text, p_pub_key_id text) RETURNS TABLE(serial text, kind text, not_after text, notice_at text, answer_at text, fetched_at text, fetch_outcome text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    with known as (
        select k.serial, 'certificate' as kind, k.not_after
        from wechat_keys k where k.mchid = p_mchid
        union all
        select p_pub_key_id, 'public key', null where p_pub_key_id <> ''
        union all
        select u.serial, 'not configured', null
        from wechat_key_uses u where u.mchid = p_mchid
            and u.serial <> p_pub_key_id
            and not exists (select from wechat_keys k
                where k.mchid = p_mchid and k.serial = u.serial)
        group by u.serial)
    select k.serial, k.kind, rfc3339(k.not_after),
        rfc3339((select last_at from wechat_key_uses u
            where u.mchid = p_mchid and u.serial = k.serial
                and via = 'notice')),
        rfc3339((select last_at from wechat_key_uses u
            where u.mchid = p_mchid and u.serial = k.serial
                and via = 'answer')),
        rfc3339(f.fetched_at), f.outcome
    from known k
    left join wechat_key_fetches f on f.mchid = p_mchid
    order by k.kind desc, k.not_after desc nulls last, k.serial
$$;


--
-- Name: keys_safe(text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.keys_safe(p_mchid text, p_pub_key_id text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    with used as (
        select * from wechat_key_uses
        where mchid = p_mchid and serial = p_pub_key_id
    ), others as (
        select * from wechat_key_uses
        where mchid = p_mchid and serial <> p_pub_key_id)
    select case
        when p_pub_key_id = '' then 'no_key'
        when not exists (select from wechat_keys where mchid = p_mchid)
            and not exists (select from others) then 'none'
        when (select count(*) from used) < 2 then 'unused'
        when exists (select from others
            where last_at > now() - interval '25 hours') then 'certificate'
        when exists (select from used
            where first_at > now() - interval '25 hours') then 'young'
        else 'yes' end
$$;


--
-- Name: keys_told(text, bigint, bigint, text, text, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.keys_told(p_mchid text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_again_s integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
begin
    perform call_end(p_call_no, p_verdict, p_code);
    update wechat_key_fetches set leased_until = null,
        due_at = clock_timestamp() + make_interval(secs => p_again_s),
        fetched_at = case p_verdict when 'done' then clock_timestamp()
            else fetched_at end,
        outcome = p_verdict || coalesce(' ' || nullif(p_code, ''), '')
    where mchid = p_mchid and lease_no = p_lease_no;
    return found;
end $$;


--
-- Name: keys_wanted(text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.keys_wanted(p_mchid text) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    insert into wechat_key_fetches as f (mchid) values (p_mchid)
    on conflict (mchid) do update
        set due_at = least(f.due_at, greatest(now(),
            coalesce(f.tried_at, '-infinity') + interval '60 seconds'))
    returning true
$$;


--
-- Name: micropay_asked(text, text, bigint, bigint, text, text, text, text, text, text, bigint, text, text, text, bigint, text, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.micropay_asked(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint, p_trade_type text, p_check_s integer) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    p          payments;
    word       text;
    is_paid    boolean := p_verdict = 'done' and p_fate = 'paid';
    is_overdue boolean;
    is_failed  boolean;   -- nobody was charged for us
    is_gone    boolean;   -- it can be paid no more, and nobody has the money
begin
    perform call_end(p_call_no, p_verdict, p_code);
    p := payment_lock(p_mchid, p_out_trade_no);
    if p.lease_no is distinct from p_lease_no
        and p.state in ('reversing', 'reversed') then
        return p.state;        -- may have been true before
    end if;
    if is_paid and p.state <> 'paid' and code_is_anothers(p, p_trade_type,
        p_total_fen, to_timestamp(p_paid_at)) then
        perform quarantine(p_mchid, 'differs', p.order_no, p_out_trade_no,
            p_transaction_id, null, p_total_fen, 'another''s, query');
        word := 'differs';
    elsif is_paid and (p.state <> 'reversing' or reverse_is_refused(p)) then
        word := order_settle(p_mchid, p_out_trade_no, p_transaction_id,
            p_appid, p_sub_mchid, p_total_fen, p_currency, p_payer,
            p_bank_type, to_timestamp(p_paid_at), 'query');
        if word = 'second' and p.state = 'reversed' then
            perform actor_is(null, 'charged after it was given up');
            update payments set state = 'reversing', next_op = 'reverse',
                refused_at = null, missing_at = null,
                check_at = clock_timestamp(), leased_until = null
            where mchid = p_mchid and out_trade_no = p_out_trade_no;
        end if;
        if word <> 'differs' then
            return word;
        end if;
    end if;
    if p.lease_no is distinct from p_lease_no
        or p.state not in ('created', 'reversing') then
        -- what is asked about once is asked until the answer is final
        update payments set leased_until = null,
            check_at = case when p_verdict not in ('done', 'missing')
                    or p_fate = 'unpaid'
                        and created_at > now() - interval '10 minutes'
                then now() + make_interval(secs => p_check_s) end
        where mchid = p_mchid and out_trade_no = p_out_trade_no
            and lease_no = p_lease_no and state in ('closed', 'reversed');
        return coalesce(word, p.state);
    end if;
    perform actor_is(null, 'orderquery ' || p_verdict || ' ' || p_fate);
    is_overdue := p.close_at < now() - interval '10 minutes';
    is_failed := case
        when word = 'differs' then true
        when p_fate = 'failed' then p.state = 'created' or is_overdue
            or p.refused_at is not null
        -- our call was refused: what is not paid is not ours
        when p.number_used <> 'INVALID_REQUEST'
            then p_verdict = 'missing' or p_fate in ('unpaid', 'closed')
        -- unless a call under this number was at work
        when p.number_used = 'INVALID_REQUEST' and p.state = 'created'
            then p_verdict = 'missing' or p_fate = 'unpaid' and is_overdue
        -- neither paid nor reversed, ever
        when p.state = 'reversing' and p_fate = 'unpaid'
            then p.refused_at is not null
                and p.created_at < now() - interval '7 days'
        else false end;
    is_gone := is_failed or p_verdict = 'done' and p_fate = 'closed'
        -- nobody has heard of it: said twice, a minute apart
        or p_verdict = 'missing' and p.state = 'reversing'
            and coalesce(p.missing_at
                <= clock_timestamp() - interval '60 seconds', false);
    update payments set
        state = case when not is_gone then state
            when is_failed or state = 'created' then 'closed'
            else 'reversed' end,
        refusal = case when word = 'differs'
                or is_failed and number_used <> 'INVALID_REQUEST'
            then 'another payment has this number' else refusal end,
        missing_at = case p_verdict
            when 'missing' then coalesce(missing_at, clock_timestamp())
            when 'done' then null
            else missing_at end,
        next_op = case state when 'reversing' then 'reverse'
            else 'query' end,
        check_at = case when is_failed and number_used = 'INVALID_REQUEST'
                then now() + interval '60 seconds'
            when is_gone and (word = 'differs' or p_fate <> 'failed')
                then null
            when hinted_at > claimed_at
                or state = 'reversing' and refused_at is null
                then clock_timestamp()
            else now() + make_interval(secs => p_check_s) end,
        leased_until = null
    where mchid = p_mchid and out_trade_no = p_out_trade_no
    returning * into p;
    if is_failed then
        perform order_finish(p_mchid, p.order_no);
    elsif is_gone then
        perform micropay_gone(p);
    end if;
    return coalesce(word, p.state);
end $$;


--
-- Name: micropay_claim(text, text, text, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.micropay_claim(p_mchid text, p_out_trade_no text, p_nonce text, p_lease_s integer) RETURNS TABLE(op text, out_trade_no text, order_no text, appid text, sub_mchid text, sub_appid text, api text, total_fen bigint, age_s bigint, lease_no bigint, call_no bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    p    payments;
    word text := 'query';
begin
    if p_out_trade_no is null then
        select * into p from payments
        where mchid = p_mchid and trade_type = 'MICROPAY'
            and check_at <= clock_timestamp()
            and state in ('created', 'reversing', 'closed', 'reversed')
            and (leased_until is null or leased_until <= clock_timestamp())
        order by check_at limit 1
        for no key update skip locked;
        word := case p.state when 'reversing' then p.next_op else word end;
    else
        select * into p from payments
        where mchid = p_mchid and out_trade_no = p_out_trade_no
            and trade_type = 'MICROPAY' and state <> 'paid'
            and (leased_until is null or leased_until <= clock_timestamp())
        for no key update;
    end if;
    if p.mchid is null then
        return;
    end if;
    update payments set lease_no = lease_no + 1,
        claimed_at = clock_timestamp(),
        leased_until = clock_timestamp() + make_interval(secs => p_lease_s),
        check_at = case when state in ('created', 'reversing')
                or check_at is not null
            then clock_timestamp() + make_interval(secs => p_lease_s) end,
        -- whoever was to reverse it has died: he may have
        doubted_at = case when unsure then clock_timestamp()
            else doubted_at end,
        unsure = word = 'reverse'
    where mchid = p_mchid and out_trade_no = p.out_trade_no
    returning * into p;
    return query select word, p.out_trade_no, p.order_no, p.appid,
        p.sub_mchid, p.sub_appid, p.api, p.total_fen,
        extract(epoch from clock_timestamp() - p.created_at)::bigint,
        p.lease_no, call_begin(p_mchid, word, p.out_trade_no, null, p_nonce,
            p.lease_no);
end $$;


--
-- Name: micropay_expire(text, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.micropay_expire(p_mchid text, p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    due   record;
    p     payments;
    moved int := 0;
begin
    for due in
        select o.order_no, x.out_trade_no
        from payments x join orders o using (mchid, order_no)
        where mchid = p_mchid and x.trade_type = 'MICROPAY'
            and x.state = 'created' and x.close_at <= clock_timestamp()
            and x.number_used is null
            and x.claimed_at > clock_timestamp() - interval '30 seconds'
        order by x.close_at limit p_limit
        for no key update of o skip locked
    loop
        p := payment_lock(p_mchid, due.out_trade_no);
        continue when p.state <> 'created' or p.number_used is not null
            or p.leased_until > clock_timestamp();
        perform actor_is(null, 'not paid in time');
        update payments set state = 'reversing', next_op = 'reverse',
            check_at = clock_timestamp(), missing_at = null
        where mchid = p_mchid and out_trade_no = p.out_trade_no;
        update orders set closing = true
        where mchid = p_mchid and order_no = p.order_no
            and state = 'pending' and not p.closing;
        moved := moved + 1;
    end loop;
    return moved;
end $$;


--
-- Name: micropay_reversed(text, text, bigint, bigint, text, text, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.micropay_reversed(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_check_s integer) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    p       payments;
    is_done boolean := p_verdict = 'done';
begin
    perform call_end(p_call_no, p_verdict, p_code);
    p := payment_lock(p_mchid, p_out_trade_no);
    if is_done and p.state = 'paid' then
        -- WeChat has changed its mind
        perform quarantine(p_mchid, 'refund', p.order_no, p_out_trade_no,
            p.transaction_id, null, p.total_fen, 'reversed, but paid');
        return p.state;
    end if;
    if is_done and p.state = 'closed' and exists (select from unexpected u
        where u.mchid = p_mchid and u.out_trade_no = p_out_trade_no
            and u.kind = 'differs' and u.state = 'open') then
        perform quarantine(p_mchid, 'refund', p.order_no, p_out_trade_no,
            null, null, p.total_fen, 'reversed, but another''s');
        return p.state;
    end if;
    if p.state <> 'reversing'
        or not is_done and p.lease_no is distinct from p_lease_no then
        return p.state;
    end if;
    perform actor_is(null, 'reverse ' || p_verdict);
    update payments set
        state = case when is_done then 'reversed' else state end,
        -- "recall" says that something has begun
        doubted_at = case when p_verdict in ('unsure', 'again')
            then clock_timestamp() else doubted_at end,
        unsure = false,
        refused_at = case
            when p_verdict = 'refused' then coalesce(refused_at, now())
            when p_verdict not in ('unsure', 'again') then refused_at end,
        next_op = case when p_verdict in ('again', 'no_money', 'not_sent')
            then 'reverse' else 'query' end,
        check_at = case when is_done then null
            when p_verdict = 'refused' then clock_timestamp()
            else now() + make_interval(secs => p_check_s) end,
        leased_until = null
    where mchid = p_mchid and out_trade_no = p_out_trade_no
    returning * into p;
    if is_done then
        perform micropay_gone(p);
    end if;
    return p.state;
end $$;


--
-- Name: micropay_start(text, text, text, integer, text, text, bigint, text, bigint, text, text, text, integer, text, text, text, text, text, integer, integer, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.micropay_start(p_mchid text, p_way text, p_product_id text, p_quantity integer, p_order_no text, p_token text, p_total_fen bigint, p_body text, p_time_expire bigint, p_attach text, p_return_url text, p_request_id text, p_life_s integer, p_client_ip text, p_appid text, p_sub_mchid text, p_sub_appid text, p_nonce text, p_lease_s integer, p_wait_s integer, p_actor text) RETURNS TABLE(verdict text, order_no text, token text, order_state text, total_fen bigint, body text, attach text, product_id text, time_expire bigint, return_url text, out_trade_no text, trade_type text, openid text, client_ip text, appid text, sub_mchid text, sub_appid text, prepay_id text, code_url text, h5_url text, api text, lease_no bigint, call_no bigint, payment_state text, refusal text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
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


--
-- Name: micropay_told(text, text, bigint, bigint, text, text, text, text, text, text, bigint, text, text, text, bigint, integer, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.micropay_told(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint, p_check_s integer, p_refusal text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    p          payments;
    is_refused boolean := p_verdict in ('refused', 'closed', 'not_sent');
begin
    perform call_end(p_call_no, p_verdict, p_code);
    p := payment_lock(p_mchid, p_out_trade_no);
    if p_code in ('ORDERPAID', 'OUT_TRADE_NO_USED', 'ORDERCLOSED',
        'ORDERREVERSED', 'INVALID_REQUEST') then
        update payments set number_used = p_code
        where mchid = p_mchid and out_trade_no = p_out_trade_no;
    end if;
    if p.state in ('reversing', 'reversed') then
        update payments set check_at = clock_timestamp(),
            next_op = case when number_used is null then next_op
                else 'query' end
        where mchid = p_mchid and out_trade_no = p_out_trade_no
            and (state = 'reversed' and p_verdict <> 'not_sent'
            or number_used is not null);
        return p.state;
    end if;
    if p_verdict = 'done' and p_fate = 'paid' then
        return order_settle(p_mchid, p_out_trade_no, p_transaction_id,
            p_appid, p_sub_mchid, p_total_fen, p_currency, p_payer,
            p_bank_type, to_timestamp(p_paid_at), 'micropay');
    end if;
    if p.lease_no is distinct from p_lease_no or p.state <> 'created' then
        return p.state;
    end if;
    perform actor_is(null, 'micropay ' || p_verdict);
    update payments set
        state = case when is_refused then 'closed' else state end,
        refusal = case when is_refused then nullif(p_refusal, '') end,
        check_at = case p_verdict when 'not_sent' then null
            when 'paid' then now()
            else now() + make_interval(secs => p_check_s) end,
        close_at = clock_timestamp() + case when closing
            then interval '15 seconds' else close_after end,
        leased_until = null
    where mchid = p_mchid and out_trade_no = p_out_trade_no
    returning * into p;
    if p.state = 'closed' then
        perform order_finish(p_mchid, p.order_no);
    end if;
    return p.state;
end $$;


--
-- Name: notice_other(text, text, text, text, bytea, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.notice_other(p_mchid text, p_api text, p_request_id text, p_proof text, p_raw bytea, p_event_type text) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    insert into notices (mchid, kind, api, request_id, verdict, proof, raw)
    values (p_mchid, 'other', p_api, p_request_id, p_event_type, p_proof,
        p_raw)
    returning true
$$;


--
-- Name: notice_paid(text, text, text, text, bytea, text, text, text, text, bigint, text, text, text, bigint); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.notice_paid(p_mchid text, p_api text, p_request_id text, p_proof text, p_raw bytea, p_out_trade_no text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    p       payments;
    verdict text;
begin
    select * into p from payments
    where mchid = p_mchid and out_trade_no = p_out_trade_no;
    if p.api <> p_api then
        verdict := 'differs';
        perform quarantine(p_mchid, verdict, p.order_no, p_out_trade_no,
            p_transaction_id, null, p_total_fen, 'a notice of ' || p_api
            || ' about a payment of ' || p.api);
    else
        verdict := order_settle(p_mchid, p_out_trade_no, p_transaction_id,
            p_appid, p_sub_mchid, p_total_fen, p_currency, p_payer,
            p_bank_type, to_timestamp(p_paid_at), 'notice');
    end if;
    insert into notices (mchid, kind, api, request_id, verdict,
        out_trade_no, transaction_id, proof, raw)
    values (p_mchid, 'paid', p_api, p_request_id, verdict, p_out_trade_no,
        p_transaction_id, p_proof, p_raw);
    return verdict;
end $$;


--
-- Name: notice_refunded(text, text, text, text, bytea, text, text, text, text, bigint, bigint, boolean, boolean, text, bigint); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.notice_refunded(p_mchid text, p_api text, p_request_id text, p_proof text, p_raw bytea, p_out_refund_no text, p_out_trade_no text, p_transaction_id text, p_sub_mchid text, p_refund_fen bigint, p_total_fen bigint, p_is_success boolean, p_is_signed boolean, p_refund_id text, p_refunded_at bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    p       payments;
    r       refunds;
    verdict text;
    detail  text := 'refund notice';
    moves   boolean := p_is_success and p_is_signed;
begin
    if moves then
        p := payment_lock(p_mchid, p_out_trade_no);
    else
        select * into p from payments
        where mchid = p_mchid and out_trade_no = p_out_trade_no;
    end if;
    select * into r from refunds
    where mchid = p_mchid and out_refund_no = p_out_refund_no
    for no key update;
    if p.mchid is null then
        verdict := 'unknown';
    elsif p_sub_mchid not in ('', p.sub_mchid) then
        verdict := 'differs';
        detail := 'sub_mchid, ' || detail;
    elsif p.total_fen <> p_total_fen
        or p.transaction_id <> p_transaction_id
        or (r.mchid is not null and (r.out_trade_no <> p_out_trade_no
            or r.refund_fen <> p_refund_fen)) then
        verdict := 'differs';
    elsif r.state = 'refunded' and p_is_success then
        verdict := 'already';
    elsif moves and p.state = 'paid' then
        perform actor_is(null, 'refund notice');
        verdict := refund_foreign(p_mchid, p_out_refund_no, p_out_trade_no,
            p_refund_id, p_refund_fen,
            -- WeChat need not say when
            coalesce(to_timestamp(nullif(p_refunded_at, 0)), now()));
    else
        verdict := 'hinted';
        -- of ours, but nobody here has approved it: asked about like one
        -- that we do not know
        if r.mchid is null or r.state in ('pending', 'rejected') then
            insert into refund_hints (mchid, out_refund_no, out_trade_no,
                due_at)
            values (p_mchid, p_out_refund_no, p_out_trade_no, now())
            on conflict (mchid, out_refund_no) do update
                set due_at = now(), asked = 0;
        elsif r.state in ('refunding', 'failed') then
            update refunds set hinted_at = clock_timestamp(), due_at = now(),
                next_op = 'query'
            where mchid = p_mchid and out_refund_no = p_out_refund_no;
        end if;
    end if;
    if verdict in ('unknown', 'differs') then
        perform quarantine(p_mchid, verdict, p.order_no, p_out_trade_no,
            p_transaction_id, p_out_refund_no, p_refund_fen, detail);
    end if;
    insert into notices (mchid, kind, api, request_id, verdict,
        out_trade_no, transaction_id, out_refund_no, proof, raw)
    values (p_mchid, 'refunded', p_api, p_request_id, verdict,
        p_out_trade_no, p_transaction_id, p_out_refund_no, p_proof, p_raw);
    return verdict;
end $$;


--
-- Name: oauth_begin(text, text, text, text, text, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.oauth_begin(p_mchid text, p_order_no text, p_token text, p_state text, p_browser text, p_tries integer) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
begin
    if not exists (select from orders where mchid = p_mchid
            and order_no = p_order_no and token = p_token) then
        return 'unknown';
    end if;
    insert into oauth_states (mchid, state, order_no, browser, tries)
    values (p_mchid, p_state, p_order_no, p_browser, p_tries)
    on conflict do nothing;
    return 'begun';
end $$;


--
-- Name: oauth_sweep(); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.oauth_sweep() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    with swept as (
        delete from oauth_states
        where made_at <= now() - interval '10 minutes'
        returning 1)
    select count(*) from swept
$$;


--
-- Name: oauth_take(text, text, text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.oauth_take(p_mchid text, p_state text, p_browser text, p_nonce text) RETURNS TABLE(order_no text, token text, tries integer)
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    with taken as (
        update oauth_states set used_by = p_nonce
        where mchid = p_mchid and state = p_state and browser = p_browser
            and coalesce(used_by, p_nonce) = p_nonce
            and made_at > now() - interval '10 minutes'
        returning mchid, order_no, tries)
    select o.order_no, o.token, taken.tries
    from taken join orders o using (mchid, order_no)
$$;


--
-- Name: oauth_used(text, text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.oauth_used(p_mchid text, p_state text, p_browser text) RETURNS TABLE(order_no text, token text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    select o.order_no, o.token
    from oauth_states s join orders o using (mchid, order_no)
    where s.mchid = p_mchid and s.state = p_state and s.browser = p_browser
        and s.used_by is not null
        and s.made_at > now() - interval '10 minutes'
$$;


--
-- Name: order_check(text, text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.order_check(p_mchid text, p_order_no text, p_token text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    o orders;
begin
    select * into o from orders
    where mchid = p_mchid and order_no = p_order_no and token = p_token
    for no key update;
    if not found then
        return 'unknown';
    elsif o.state <> 'pending' then
        return o.state;
    elsif o.checked_at > now() - interval '5 seconds' then
        return 'early';
    end if;
    update orders set checked_at = now()
    where mchid = p_mchid and order_no = p_order_no;
    update payments set next_op = 'query', check_at = now(),
        hinted_at = clock_timestamp()
    where mchid = p_mchid and order_no = p_order_no
        and state in ('created', 'prepaid');
    return 'asked';
end $$;


--
-- Name: order_close(text, text, text, text, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.order_close(p_mchid text, p_order_no text, p_token text, p_nonce text, p_lease_s integer) RETURNS TABLE(verdict text, out_trade_no text, appid text, sub_mchid text, sub_appid text, api text, lease_no bigint, call_no bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    o orders;
    p payments;
begin
    select * into o from orders
    where mchid = p_mchid and order_no = p_order_no and token = p_token
    for no key update;
    if not found then
        return query select 'unknown', null::text, null::text, null::text,
            null::text, null::text, null::bigint, null::bigint;
        return;
    end if;
    if o.state = 'pending' then
        perform actor_is('shopper', 'close');
        update orders set closing = true
        where mchid = p_mchid and order_no = p_order_no and not closing;
        perform payments_mark_closing(p_mchid, p_order_no);
        if order_finish(p_mchid, p_order_no) then
            o.state := 'closed';
        end if;
    end if;
    if o.state <> 'pending' then
        return query select o.state, null::text, null::text, null::text,
            null::text, null::text, null::bigint, null::bigint;
        return;
    end if;
    select * into p from payments
    where mchid = p_mchid and order_no = p_order_no
        and state in ('created', 'prepaid') and next_op = 'close'
        and check_at <= now() and not unsure
        and (leased_until is null or leased_until <= clock_timestamp())
    order by attempt limit 1 for no key update skip locked;
    if not found then
        return query select 'closing', null::text, null::text, null::text,
            null::text, null::text, null::bigint, null::bigint;
        return;
    end if;
    update payments set lease_no = lease_no + 1,
        claimed_at = clock_timestamp(),
        leased_until = clock_timestamp() + make_interval(secs => p_lease_s),
        check_at = clock_timestamp() + make_interval(secs => p_lease_s)
    where mchid = p_mchid and out_trade_no = p.out_trade_no
    returning * into p;
    return query select 'call', p.out_trade_no, p.appid, p.sub_mchid,
        p.sub_appid, p.api, p.lease_no,
        call_begin(p_mchid, 'close', p.out_trade_no, null, p_nonce,
            p.lease_no);
end $$;


--
-- Name: order_code_url(text, text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.order_code_url(p_mchid text, p_order_no text, p_token text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    select p.code_url
    from orders o
    join payments p on p.mchid = o.mchid and p.order_no = o.order_no
    where o.mchid = p_mchid and o.order_no = p_order_no
        and o.token = p_token and o.state = 'pending'
        and o.time_expire > now()
        and p.state = 'prepaid' and not p.closing
        and p.prepaid_at > now() - interval '2 hours'
$$;


--
-- Name: order_expire(text, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.order_expire(p_mchid text, p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    o       orders;
    expired int := 0;
begin
    for o in
        select * from orders
        where mchid = p_mchid and state = 'pending' and not closing
            and time_expire <= now()
        order by time_expire limit p_limit
        for no key update skip locked
    loop
        perform actor_is(null, 'expired');
        update orders set closing = true
        where mchid = p_mchid and order_no = o.order_no;
        perform payments_mark_closing(p_mchid, o.order_no);
        perform order_finish(p_mchid, o.order_no);
        expired := expired + 1;
    end loop;
    return expired;
end $$;


--
-- Name: order_payments(text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.order_payments(p_mchid text, p_order_no text) RETURNS TABLE(out_trade_no text, state text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    select out_trade_no, state from payments
    where mchid = p_mchid and order_no = p_order_no and state <> 'paid'
    order by attempt
$$;


--
-- Name: order_show(text, text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.order_show(p_mchid text, p_order_no text, p_token text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    select jsonb_build_object(
        'order_no', o.order_no,
        'origin', o.origin,
        'product_id', o.product_id,
        'quantity', o.quantity,
        'state', o.state,
        'total_fee', o.total_fen,
        'body', o.body,
        'trade_type', p.trade_type,
        'time_expire', rfc3339(o.time_expire),
        'expires_in', greatest(0,
            ceil(extract(epoch from o.time_expire - now())))::bigint,
        'code_url', case when p.is_live then p.code_url end,
        -- and this one five minutes
        'h5_url', case when p.is_live
            and p.prepaid_at > now() - interval '5 minutes' then p.h5_url end,
        'closing', o.closing and o.state = 'pending',
        'paid_at', rfc3339(o.paid_at),
        'return_url', o.return_url,
        'refunds', coalesce((
            select jsonb_agg(jsonb_build_object(
                'out_refund_no', r.out_refund_no, 'state', r.state,
                'refund_fee', r.refund_fen,
                'created_at', rfc3339(r.created_at),
                'refunded_at', rfc3339(r.refunded_at)) order by r.seq)
            from refunds r
            where r.mchid = o.mchid and r.order_no = o.order_no), '[]'))::text
    from orders o
    left join lateral (
        -- WeChat's links live two hours
        select *, o.state = 'pending' and o.time_expire > now()
                and x.state = 'prepaid' and not x.closing
                and x.prepaid_at > now() - interval '2 hours' as is_live
        from payments x
        where x.mchid = o.mchid and x.order_no = o.order_no
        order by x.settles desc, x.attempt desc limit 1) p on true
    where o.mchid = p_mchid and o.order_no = p_order_no
        and o.token = p_token
$$;


--
-- Name: order_staff(text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.order_staff(p_mchid text, p_order_no text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    select order_json(o)::text from orders o
    where o.mchid = p_mchid and o.order_no = p_order_no
$$;


--
-- Name: order_state(text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.order_state(p_mchid text, p_order_no text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    select state from orders where mchid = p_mchid and order_no = p_order_no
$$;


--
-- Name: orders_list(text, text, text, bigint, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.orders_list(p_mchid text, p_state text, p_order_no text, p_after bigint, p_limit integer) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    with page as (
        select seq from orders
        where mchid = p_mchid
            and (p_state is null or state = p_state)
            and (p_order_no is null or order_no = p_order_no)
            and (p_after is null or seq < p_after)
        order by seq desc limit p_limit + 1),
    shown as (select seq from page order by seq desc limit p_limit)
    select jsonb_build_object(
        'orders', coalesce((select jsonb_agg(order_json(o)
            order by o.seq desc) from orders o
            where o.mchid = p_mchid and o.seq in (select seq from shown)),
            '[]'),
        'next', (select min(seq) from shown
            where (select count(*) from page) > p_limit))::text
$$;


--
-- Name: partitions_ahead(); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.partitions_ahead() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    journal text;
    month   date;
    made    int := 0;
    name    text;
begin
    -- one at a time: a second worker would fail on the same names
    perform pg_advisory_xact_lock(hashtext('wxpay.partitions_ahead'));
    foreach journal in array array['notices', 'calls', 'steps'] loop
        for i in 0..2 loop
            month := date_trunc('month', now() at time zone 'UTC')
                + make_interval(months => i);
            name := journal || to_char(month, '"_"YYYY"_"MM');
            continue when to_regclass('wxpay_data.' || name) is not null;
            begin
                execute format('create table wxpay_data.%I partition of '
                    'wxpay_data.%I for values from (%L) to (%L)', name,
                    journal, month::timestamp at time zone 'UTC',
                    (month + interval '1 month') at time zone 'UTC');
                execute format('create trigger stays before truncate on '
                    'wxpay_data.%I for each statement execute function '
                    'wxpay_data.journal_guard(%L)', name, journal);
                made := made + 1;
            exception when check_violation then
                null;
            end;
        end loop;
    end loop;
    return made;
end $$;


--
-- Name: pay_start(text, text, text, integer, text, text, bigint, text, bigint, text, text, text, integer, text, text, text, text, text, text, text, boolean, text, integer, integer, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.pay_start(p_mchid text, p_way text, p_product_id text, p_quantity integer, p_order_no text, p_token text, p_total_fen bigint, p_body text, p_time_expire bigint, p_attach text, p_return_url text, p_request_id text, p_life_s integer, p_trade_type text, p_openid text, p_client_ip text, p_api text, p_appid text, p_sub_mchid text, p_sub_appid text, p_keep_payer boolean, p_nonce text, p_lease_s integer, p_close_after_s integer, p_check_s integer) RETURNS TABLE(verdict text, order_no text, token text, order_state text, total_fen bigint, body text, attach text, product_id text, time_expire bigint, return_url text, out_trade_no text, trade_type text, openid text, client_ip text, appid text, sub_mchid text, sub_appid text, prepay_id text, code_url text, h5_url text, api text, lease_no bigint, call_no bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
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


--
-- Name: payment_claim(text, text, text, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.payment_claim(p_mchid text, p_out_trade_no text, p_nonce text, p_lease_s integer) RETURNS TABLE(op text, out_trade_no text, order_no text, appid text, sub_mchid text, sub_appid text, api text, total_fen bigint, age_s bigint, lease_no bigint, call_no bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    p payments;
    word text;
begin
    if p_out_trade_no is null then
        select * into p from payments
        where mchid = p_mchid and check_at <= clock_timestamp()
            and state in ('created', 'prepaid')
            and trade_type <> 'MICROPAY'
            and (leased_until is null or leased_until <= clock_timestamp())
        order by check_at limit 1
        for no key update skip locked;
        word := p.next_op;
    else
        select * into p from payments
        where mchid = p_mchid and out_trade_no = p_out_trade_no
            and state in ('created', 'prepaid', 'closed')
            and trade_type <> 'MICROPAY'
            and (leased_until is null or leased_until <= clock_timestamp())
        for no key update;
        word := 'query';
    end if;
    if p.mchid is null then
        return;
    end if;
    update payments set lease_no = lease_no + 1,
        claimed_at = clock_timestamp(),
        leased_until = clock_timestamp() + make_interval(secs => p_lease_s),
        check_at = case when state = 'closed' then null else clock_timestamp()
            + make_interval(secs => p_lease_s) end
    where mchid = p_mchid and out_trade_no = p.out_trade_no
    returning * into p;
    return query select word, p.out_trade_no, p.order_no, p.appid,
        p.sub_mchid, p.sub_appid, p.api, p.total_fen,
        extract(epoch from clock_timestamp() - p.created_at)::bigint,
        p.lease_no, call_begin(p_mchid, word, p.out_trade_no, null, p_nonce,
            p.lease_no);
end $$;


--
-- Name: payment_closed(text, text, bigint, bigint, text, text, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.payment_closed(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_check_s integer) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    p        payments;
    is_done  boolean;
begin
    perform call_end(p_call_no, p_verdict, p_code);
    p := payment_lock(p_mchid, p_out_trade_no);
    if p.lease_no is distinct from p_lease_no
        or p.state not in ('created', 'prepaid') then
        return p.state;
    end if;
    -- what WeChat had heard of once is not gone because it says so once
    is_done := p_verdict in ('done', 'closed')
        or p_verdict = 'missing' and p.state = 'created';
    perform actor_is(null, 'closeorder ' || p_verdict);
    update payments set
        state = case when is_done then 'closed' else state end,
        -- whatever WeChat makes of it, a query says what it is
        next_op = case when p_verdict in ('again', 'not_sent') then 'close'
            else 'query' end,
        missing_at = case p_verdict
            when 'missing' then coalesce(missing_at, clock_timestamp())
            else missing_at end,
        check_at = case when is_done then null
            when p_verdict = 'paid' then now()
            else now() + make_interval(secs => p_check_s) end,
        leased_until = null
    where mchid = p_mchid and out_trade_no = p_out_trade_no
    returning * into p;
    if is_done then
        perform order_finish(p_mchid, p.order_no);
    end if;
    return p.state;
end $$;


--
-- Name: payment_prepaid(text, text, bigint, bigint, text, text, text, text, text, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.payment_prepaid(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_prepay_id text, p_code_url text, p_h5_url text, p_check_s integer) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    p       payments;
    is_used boolean;   -- perhaps by another system: a query tells
begin
    perform call_end(p_call_no, p_verdict, p_code);
    p := payment_lock(p_mchid, p_out_trade_no);
    is_used := p.state = 'created' and replace(p_code, '_', '')
        in ('OUTTRADENOUSED', 'INVALIDREQUEST');
    if is_used then
        update payments set number_used = p_code, next_op = 'query'
        where mchid = p_mchid and out_trade_no = p_out_trade_no;
    end if;
    if p.lease_no is distinct from p_lease_no
        or p.state not in ('created', 'prepaid') then
        return 'stale';
    end if;
    perform actor_is(null, 'unifiedorder ' || p_verdict);
    update payments set
        state = case p_verdict when 'done' then 'prepaid'
            when 'closed' then 'closed' else state end,
        prepay_id = case p_verdict when 'done' then nullif(p_prepay_id, '')
            else prepay_id end,
        code_url = case p_verdict when 'done' then nullif(p_code_url, '')
            else code_url end,
        h5_url = case p_verdict when 'done' then nullif(p_h5_url, '')
            else h5_url end,
        prepaid_at = case p_verdict when 'done' then now()
            else prepaid_at end,
        -- WeChat counts from when it had the order, which was before now
        close_at = clock_timestamp() + close_after,
        unsure = is_used or p_verdict in ('unsure', 'paid', 'missing'),
        check_at = case when p_verdict = 'closed' then null
            when p_verdict = 'paid' then now()
            when closing then clock_timestamp() + close_after
            else now() + make_interval(secs => p_check_s) end,
        leased_until = null
    where mchid = p_mchid and out_trade_no = p_out_trade_no
    returning * into p;
    if p.state = 'closed' then
        perform order_finish(p_mchid, p.order_no);
    end if;
    return p.state;
end $$;


--
-- Name: payment_told(text, text, bigint, bigint, text, text, text, text, text, text, bigint, text, text, text, bigint, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.payment_told(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint, p_check_s integer) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    p       payments;
    word    text;
    is_gone boolean;   -- it can be paid no more
begin
    perform call_end(p_call_no, p_verdict, p_code);
    p := payment_lock(p_mchid, p_out_trade_no);
    if p_verdict = 'done' and p_fate = 'paid' and p.state = 'created'
        and to_timestamp(p_paid_at) < p.created_at - interval '60 seconds' then
        -- nobody holds anything of ours to pay with
        perform quarantine(p_mchid, 'differs', p.order_no, p_out_trade_no,
            p_transaction_id, null, p_total_fen, 'another''s, query');
        word := 'differs';
    elsif p_verdict = 'done' and p_fate = 'paid' then
        word := order_settle(p_mchid, p_out_trade_no, p_transaction_id,
            p_appid, p_sub_mchid, p_total_fen, p_currency, p_payer,
            p_bank_type, to_timestamp(p_paid_at), 'query');
    end if;
    if word is not null then
        if word <> 'differs' or p.lease_no is distinct from p_lease_no then
            return word;
        end if;
        -- quarantined: someone must look.  If nobody has anything of ours to
        -- pay with, it is over; else ask seldom from now on
        update payments set leased_until = null,
            state = case when state = 'created' or closing then 'closed'
                else state end,
            check_at = case when state = 'created' or closing then null
                else now() + interval '30 minutes' end
        where mchid = p_mchid and out_trade_no = p_out_trade_no
            and state in ('created', 'prepaid')
        returning * into p;
        if p.state = 'closed' then
            perform order_finish(p_mchid, p.order_no);
        end if;
        return word;
    end if;
    if p.lease_no is distinct from p_lease_no
        or p.state not in ('created', 'prepaid') then
        return p.state;
    end if;
    perform actor_is(null, 'orderquery ' || p_verdict || ' ' || p_fate);
    is_gone := case
        when p_verdict = 'done' then p_fate = 'closed'
            -- what is open under this number is another system's
            or p.number_used is not null and p.state = 'created'
                and p_fate in ('unpaid', 'failed')
        -- never heard of, and given up: nobody has anything to pay with
        when p_verdict = 'missing' and p.state = 'created' then p.closing
            or coalesce(replace(p.number_used, '_', '') = 'OUTTRADENOUSED',
                false)
        -- heard of once: WeChat says it twice, a minute apart
        when p_verdict = 'missing' then p.closing
            and p.missing_at <= clock_timestamp() - interval '60 seconds'
        else false end;
    update payments set
        state = case when is_gone then 'closed' else state end,
        number_used = case when p_verdict <> 'missing' then number_used end,
        missing_at = case p_verdict
            when 'missing' then coalesce(missing_at, clock_timestamp())
            when 'done' then null
            else missing_at end,
        unsure = unsure and p_verdict not in ('done', 'missing'),
        next_op = case when hinted_at > claimed_at or p_verdict = 'missing'
                or number_used is not null then 'query'
            when closing then 'close' else 'query' end,
        check_at = case
            when hinted_at > claimed_at then clock_timestamp()
            when closing and p_verdict = 'missing'
                then clock_timestamp() + interval '60 seconds'
            when closing and p_verdict = 'done'
                then greatest(now(), close_at)
            when closing then greatest(close_at,
                now() + make_interval(secs => p_check_s))
            else now() + make_interval(secs => p_check_s) end,
        leased_until = null
    where mchid = p_mchid and out_trade_no = p_out_trade_no
    returning * into p;
    if p.state = 'closed' then
        update payments set check_at = null
        where mchid = p_mchid and out_trade_no = p_out_trade_no;
        perform order_finish(p_mchid, p.order_no);
    end if;
    return p.state;
end $$;


--
-- Name: ping(); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.ping() RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    select current_setting('transaction_read_only') = 'off'
$$;


--
-- Name: product_set(text, text, bigint); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.product_set(p_product_id text, p_body text, p_price_fen bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    merchant text := wxpay.shop_mchid();
begin
    if merchant is null then
        raise exception 'login % belongs to no merchant', session_user
            using hint = 'name it in wxpay_data.shop_logins';
    end if;
    insert into products (mchid, product_id, body, price_fen)
    values (merchant, p_product_id, p_body, p_price_fen)
    on conflict (mchid, product_id) do update
        set body = excluded.body, price_fen = excluded.price_fen,
            updated_at = now();
end $$;


--
-- Name: refund_claim(text, text, text, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.refund_claim(p_mchid text, p_out_refund_no text, p_nonce text, p_lease_s integer) RETURNS TABLE(op text, out_refund_no text, out_trade_no text, transaction_id text, appid text, sub_mchid text, sub_appid text, api text, reason text, total_fen bigint, refund_fen bigint, from_recharge boolean, is_abnormal boolean, age_s bigint, lease_no bigint, call_no bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    r    refunds;
    h    refund_hints;
    p    payments;
    word text;
    turn timestamptz;
    until timestamptz := clock_timestamp() + make_interval(secs => p_lease_s);
begin
    loop
        select * into r from refunds
        where mchid = p_mchid and due_at <= clock_timestamp()
            and (p_out_refund_no is null or out_refund_no = p_out_refund_no)
            and state in ('refunding', 'failed')
            and (leased_until is null or leased_until <= clock_timestamp())
        order by due_at limit 1
        for no key update skip locked;
        exit when r.mchid is null or r.next_op <> 'send';
        -- the order comes before its refunds: not there, no waiting for it
        perform from orders where mchid = p_mchid and order_no = r.order_no
        for no key update skip locked;
        if not found then
            return;
        end if;
        select max(sent_at) + make_interval(secs => r.gap_s) into turn
        from refunds
        where mchid = p_mchid and order_no = r.order_no
            and out_refund_no <> r.out_refund_no;
        exit when turn is null or turn <= clock_timestamp();
        update refunds set send_at = turn, due_at = turn
        where mchid = p_mchid and out_refund_no = r.out_refund_no;
    end loop;
    if r.mchid is not null then
        word := r.next_op;
        update refunds set lease_no = lease_no + 1,
            claimed_at = clock_timestamp(), leased_until = until,
            next_op = 'query', due_at = until,
            was_doubted = case next_op when 'send' then doubted
                else was_doubted end,
            doubted = doubted or next_op = 'send',
            sent_at = case next_op when 'send' then clock_timestamp()
                else sent_at end,
            send_at = case next_op when 'send' then clock_timestamp()
                else send_at end
        where mchid = p_mchid and out_refund_no = r.out_refund_no
        returning * into r;
        select * into p from payments
        where mchid = p_mchid and out_trade_no = r.out_trade_no;
        return query select word, r.out_refund_no, r.out_trade_no,
            p.transaction_id, p.appid, p.sub_mchid, p.sub_appid, p.api,
            r.reason, p.total_fen, r.refund_fen, r.from_recharge,
            r.state = 'failed',
            extract(epoch from clock_timestamp()
                - coalesce(r.failed_at, r.sent_at, r.created_at))::bigint,
            r.lease_no, call_begin(p_mchid, case word when 'send'
                then 'refund' else 'refund_query' end, r.out_trade_no,
                r.out_refund_no, p_nonce, r.lease_no);
        return;
    end if;
    if p_out_refund_no is not null then
        return;
    end if;
    select * into h from refund_hints
    where mchid = p_mchid and due_at <= clock_timestamp()
        and (leased_until is null or leased_until <= clock_timestamp())
    order by due_at limit 1
    for no key update skip locked;
    if not found then
        return;
    end if;
    update refund_hints set lease_no = lease_no + 1, leased_until = until,
        due_at = until, asked = asked + 1
    where mchid = p_mchid and out_refund_no = h.out_refund_no
    returning * into h;
    select * into p from payments
    where mchid = p_mchid and out_trade_no = h.out_trade_no;
    return query select 'hint', h.out_refund_no, h.out_trade_no,
        p.transaction_id, p.appid, p.sub_mchid, p.sub_appid, p.api, '',
        p.total_fen, null::bigint, false, false,
        extract(epoch from clock_timestamp() - h.created_at)::bigint,
        h.lease_no, call_begin(p_mchid, 'refund_query', h.out_trade_no,
            h.out_refund_no, p_nonce, h.lease_no);
end $$;


--
-- Name: refund_decide(text, text, text, text, text, integer, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.refund_decide(p_mchid text, p_out_refund_no text, p_decision text, p_operator text, p_reason text, p_gap_s integer, p_decision_id text DEFAULT NULL::text) RETURNS TABLE(verdict text, state text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    p payments;
    r refunds;
begin
    r := refund_lock(p_mchid, p_out_refund_no);
    if r.mchid is null then
        return query select 'unknown', null::text;
        return;
    end if;
    select * into p from payments
    where mchid = p_mchid and out_trade_no = r.out_trade_no;
    if r.decision_id = p_decision_id then
        -- this very decision: who asks did not hear the answer
        return query select 'done', r.state;
        return;
    end if;
    -- after CLOSED, WeChat wants a new number: that is a new request
    if r.state <> (case p_decision when 'retry' then 'failed'
            else 'pending' end)
        or (p_decision = 'retry' and r.failure = 'CLOSED') then
        return query select 'decided', r.state;
        return;
    end if;
    if p_decision = 'retry' and not refund_holds(r.state, r.failure)
        and p.reserved_fen + r.refund_fen > p.total_fen then
        return query select 'too_much', r.state;
        return;
    end if;
    perform actor_is(p_operator, p_decision || coalesce(': '
        || nullif(p_reason, ''), ''));
    if p_decision = 'reject' then
        update refunds set state = 'rejected', decided_by = p_operator,
            decided_at = now(), decision = p_reason,
            decision_id = p_decision_id
        where mchid = p_mchid and out_refund_no = p_out_refund_no;
        perform event_add(p_mchid, 'refund.rejected', r.order_no,
            r.out_trade_no, r.out_refund_no, r.refund_fen);
        perform refunds_awaited(p_mchid, r.out_trade_no);
        return query select 'done', 'rejected';
        return;
    end if;
    -- who still asks about an earlier try speaks under an old lease
    update refunds set state = 'refunding', decided_by = p_operator,
        decided_at = now(), decision = p_reason,
        decision_id = p_decision_id, failure = null,
        failed_at = null, denied = null, missing_at = null, next_op = 'send',
        send_at = refund_slot(p_mchid, r.order_no, p_gap_s),
        gap_s = p_gap_s, lease_no = lease_no + 1, leased_until = null
    where mchid = p_mchid and out_refund_no = p_out_refund_no;
    update refunds set due_at = send_at
    where mchid = p_mchid and out_refund_no = p_out_refund_no;
    perform event_add(p_mchid, 'refund.approved', r.order_no,
        r.out_trade_no, r.out_refund_no, r.refund_fen);
    return query select 'done', 'refunding';
end $$;


--
-- Name: refund_request(text, text, text, text, bigint, text, text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.refund_request(p_mchid text, p_order_no text, p_token text, p_out_trade_no text, p_refund_fen bigint, p_reason text, p_request_id text, p_actor text) RETURNS TABLE(verdict text, refund text, left_fen bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    o    orders;
    p    payments;
    r    refunds;
    fen  bigint;
    word text;
begin
    select * into o from orders
    where mchid = p_mchid and order_no = p_order_no
        and (p_token is null or token = p_token)
    for no key update;
    if not found then
        return query select 'unknown', null::text, null::bigint;
        return;
    end if;
    select * into p from payments
    where mchid = p_mchid and order_no = p_order_no
        and case when p_out_trade_no is null then settles
            else out_trade_no = p_out_trade_no end
    for no key update;
    if p_request_id is not null then
        select * into r from refunds
        where mchid = p_mchid and request_id = p_request_id;
        if found then
            if r.order_no = p_order_no and r.out_trade_no = p.out_trade_no
                and (p_refund_fen is null or r.refund_fen = p_refund_fen)
            then
                return query select 'same',
                    refund_json(r, p_token is null)::text, null::bigint;
            else
                return query select 'differs', null::text, null::bigint;
            end if;
            return;
        end if;
    end if;
    fen := coalesce(p_refund_fen, p.total_fen - p.reserved_fen);
    word := case
        when p.mchid is null and p_out_trade_no is not null then 'unknown'
        when p.mchid is null or p.state <> 'paid' then 'unpaid'
        when p.paid_at < now() - interval '365 days' then 'overdue'
        when fen < 1 or fen > p.total_fen - p.reserved_fen then 'too_much'
        when p.refund_count >= 50 then 'too_many'
        end;
    if word is not null then
        return query select word, null::text, p.total_fen - p.reserved_fen;
        return;
    end if;
    perform actor_is(p_actor, p_reason);
    update payments set refund_no = refund_no + 1
    where mchid = p_mchid and out_trade_no = p.out_trade_no
    returning * into p;
    begin
        insert into refunds (mchid, out_refund_no, order_no, out_trade_no,
            state, origin, refund_fen, reason, request_id, requested_by)
        values (p_mchid, 'R' || p.out_trade_no || '-' || p.refund_no,
            p_order_no, p.out_trade_no, 'pending',
            case when p_token is null then 'staff' else 'shopper' end, fen,
            coalesce(p_reason, ''), p_request_id, p_actor)
        returning * into r;
    exception when unique_violation then
        -- the same request_id for two orders at once
        return query select 'differs', null::text, null::bigint;
        return;
    end;
    perform event_add(p_mchid, 'refund.requested', p_order_no,
        p.out_trade_no, r.out_refund_no, fen);
    return query select 'requested', refund_json(r, p_token is null)::text,
        p.total_fen - p.reserved_fen - fen;
end $$;


--
-- Name: refund_show(text, text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.refund_show(p_mchid text, p_out_refund_no text, p_token text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    select refund_json(r, false)::text
    from refunds r
    join orders o on o.mchid = r.mchid and o.order_no = r.order_no
    where r.mchid = p_mchid and r.out_refund_no = p_out_refund_no
        and o.token = p_token
$$;


--
-- Name: refund_told(text, text, text, bigint, bigint, text, text, text, text, text, text, bigint, bigint, integer, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.refund_told(p_mchid text, p_out_refund_no text, p_op text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_refund_id text, p_out_trade_no text, p_sub_mchid text, p_refund_fen bigint, p_refunded_at bigint, p_check_s integer, p_gap_s integer) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    r      refunds;
    word   text;           -- what to do: one of the branches below
    again  timestamptz := clock_timestamp()
               + make_interval(secs => p_check_s);
    -- WeChat need not say when
    back_at timestamptz := coalesce(
               to_timestamp(nullif(p_refunded_at, 0)), now());
    why    text;           -- it is not this refund that WeChat speaks of
    failed text;           -- why it failed
begin
    perform call_end(p_call_no, p_verdict, p_code);
    if p_op = 'hint' then
        return refund_hint_told(p_mchid, p_out_refund_no, p_lease_no,
            p_verdict, p_fate, p_refund_id, p_out_trade_no, p_sub_mchid,
            p_refund_fen, back_at, again);
    end if;
    r := refund_lock(p_mchid, p_out_refund_no);

    if p_op = 'query' and p_verdict = 'done' then
        why := case
            when (r.out_trade_no, r.refund_fen)
                is distinct from (p_out_trade_no, p_refund_fen)
                then 'refund query'
            when p_sub_mchid not in ('', (select sub_mchid from payments
                where mchid = p_mchid and out_trade_no = r.out_trade_no))
                then 'sub_mchid, refund query' end;
    end if;
    if why is not null then
        perform quarantine(p_mchid, 'differs', r.order_no, r.out_trade_no,
            null, p_out_refund_no, p_refund_fen, why);
        word := 'later';
    elsif p_op = 'query' and p_verdict = 'done' and p_fate = 'success' then
        perform actor_is(null, 'refundquery');
        return refund_succeed(r, p_refund_id, back_at);
    elsif p_op = 'query' then
        word := case
            when p_verdict = 'done' and p_fate = 'closed' then 'fail'
            when p_verdict = 'done' and p_fate = 'abnormal' then 'fail'
            when p_verdict = 'done' then 'later'
            when p_verdict <> 'missing' then 'later'
            when r.denied is null then 'send'
            when r.missing_at is null then 'missing'
            when clock_timestamp() - r.missing_at >= interval '60 seconds'
                then 'fail'
            else 'missing' end;
        failed := case p_fate when 'closed' then 'CLOSED'
            when 'abnormal' then 'ABNORMAL' else r.denied end;
    else
        word := case p_verdict
            when 'done' then 'accepted'
            -- no proof that an earlier send was not carried out
            when 'refused' then
                case when r.was_doubted then 'denied' else 'fail' end
            when 'denied' then 'denied'
            when 'no_money' then 'other_account'
            when 'again' then 'send'
            when 'not_sent' then 'send'
            else 'later' end;
        failed := coalesce(nullif(p_code, ''), 'REFUSED');
    end if;

    -- without a lease this outcome has been applied before: a repetition
    if r.lease_no is distinct from p_lease_no or r.leased_until is null
        or r.state not in ('refunding', 'failed') then
        return r.state;
    end if;
    -- failed already: only what WeChat still says of its money counts
    if r.state = 'failed' and word in ('send', 'missing') then
        word := 'later';
    end if;
    -- what had failed for good is on its way to somebody after all
    if word = 'fail' and failed = 'ABNORMAL'
        and not refund_holds(r.state, r.failure)
        and not refund_make_room(p_mchid, r.out_trade_no, r.refund_fen, 0)
        then
        perform quarantine(p_mchid, 'refund', r.order_no, r.out_trade_no,
            null, p_out_refund_no, r.refund_fen,
            'abnormal after it had failed, and no longer fits');
        update refunds set due_at = null, leased_until = null
        where mchid = p_mchid and out_refund_no = p_out_refund_no;
        return 'unexpected';
    end if;
    perform actor_is(null, p_op || ' ' || p_verdict
        || coalesce(' ' || nullif(p_fate, ''), '')
        || coalesce(' ' || nullif(p_code, ''), ''));
    update refunds set
        refund_id = coalesce(nullif(p_refund_id, ''), refund_id),
        state = case when word = 'fail' then 'failed' else state end,
        failure = case when word = 'fail' then failed else failure end,
        failed_at = case when word = 'fail'
            then coalesce(failed_at, now()) else failed_at end,
        denied = case when word = 'denied' then failed
            when word in ('accepted', 'send') then null else denied end,
        missing_at = case when word = 'missing'
            then coalesce(missing_at, clock_timestamp())
            when p_verdict = 'missing' then missing_at end,
        doubted = case when p_op = 'send' and p_verdict in ('refused',
            'denied', 'no_money', 'again', 'not_sent') then was_doubted
            else doubted end,
        from_recharge = from_recharge <> (word = 'other_account'),
        next_op = case when word in ('send', 'other_account') then 'send'
            else 'query' end,
        send_at = case
            when word = 'send' or word = 'other_account'
                and not from_recharge
                then refund_slot(p_mchid, order_no, p_gap_s)
            -- both accounts are empty: give people time to fill one
            when word = 'other_account' then greatest(
                refund_slot(p_mchid, order_no, p_gap_s),
                clock_timestamp() + interval '5 minutes')
            else send_at end,
        leased_until = null
    where mchid = p_mchid and out_refund_no = p_out_refund_no;
    update refunds set due_at = case
            when hinted_at > claimed_at then clock_timestamp()
            when next_op = 'send' and state = 'refunding' then send_at
            when word = 'missing' then greatest(again,
                missing_at + interval '60 seconds')
            -- closed or refused for good, and WeChat does not say otherwise
            when state = 'failed' and failure <> 'ABNORMAL'
                and p_fate <> 'processing' then null
            else again end
    where mchid = p_mchid and out_refund_no = p_out_refund_no
    returning * into r;
    if word = 'fail' and r.failed_at = now() then
        perform event_add(p_mchid, 'refund.failed', r.order_no,
            r.out_trade_no, r.out_refund_no, r.refund_fen);
        if not refund_holds(r.state, r.failure) then
            perform refunds_awaited(p_mchid, r.out_trade_no);
        end if;
    end if;
    return r.state;
end $$;


--
-- Name: refunds_list(text, text, bigint, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.refunds_list(p_mchid text, p_state text, p_after bigint, p_limit integer) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    with page as (
        select * from refunds
        where mchid = p_mchid
            and (p_state is null or state = p_state)
            and (p_after is null or seq < p_after)
        order by seq desc limit p_limit + 1),
    shown as (select * from page order by seq desc limit p_limit)
    select jsonb_build_object(
        'refunds', coalesce((select jsonb_agg(refund_json(
                (select r from refunds r where r.seq = s.seq), true)
            order by s.seq desc) from shown s), '[]'),
        'next', (select min(seq) from shown
            where (select count(*) from page) > p_limit))::text
$$;


--
-- Name: shop_order_create(text, bigint, text, timestamp with time zone, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.shop_order_create(p_order_no text, p_total_fen bigint, p_body text, p_time_expire timestamp with time zone DEFAULT NULL::timestamp with time zone, p_attach text DEFAULT ''::text) RETURNS TABLE(order_no text, token text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
#variable_conflict use_column
declare
    merchant text := wxpay.shop_mchid();
    o        orders;
begin
    if merchant is null then
        raise exception 'login % belongs to no merchant', session_user
            using hint = 'name it in wxpay_data.shop_logins';
    end if;
    insert into orders (mchid, order_no, token, origin, total_fen, body,
        attach, time_expire)
    values (merchant, p_order_no, random_text(22), 'shop', p_total_fen,
        p_body, coalesce(p_attach, ''), date_trunc('second',
            coalesce(p_time_expire, now() + interval '2 hours')))
    on conflict on constraint orders_pkey do nothing
    returning * into o;
    if not found then
        select * into o from orders
        where mchid = merchant and order_no = p_order_no;
        -- a page may have given it an attach since
        if (o.origin, o.total_fen, o.body) is distinct from
                ('shop', p_total_fen, p_body)
            or p_attach not in ('', o.attach)
            or date_trunc('second', p_time_expire) <> o.time_expire then
            raise exception 'order % exists with other content', p_order_no
                using errcode = 'unique_violation';
        end if;
    end if;
    return query select o.order_no, o.token;
end $$;


--
-- Name: ticket_show(text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.ticket_show(p_mchid text, p_appid text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    select value from wechat_tokens
    where mchid = p_mchid and appid = p_appid and kind = 'jsapi_ticket'
        and ends_at > now()
$$;


--
-- Name: token_told(text, text, text, bigint, text, text, integer, integer, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.token_told(p_mchid text, p_appid text, p_kind text, p_lease_no bigint, p_outcome text, p_value text, p_life_s integer, p_early_s integer, p_stale text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
begin
    if p_value is not null then
        update wechat_tokens set leased_until = null, failures = 0,
            outcome = p_outcome, value = p_value, fetched_at = now(),
            ends_at = now() + make_interval(secs => p_life_s),
            due_at = now() + make_interval(secs => greatest(
                p_life_s - p_early_s, least(60, p_life_s / 2)))
        where mchid = p_mchid and appid = p_appid and kind = p_kind
            and lease_no = p_lease_no;
        return found;
    end if;
    update wechat_tokens set value = null, fetched_at = null, ends_at = null,
        due_at = now()
    where mchid = p_mchid and appid = p_appid and kind = 'access_token'
        and value = p_stale;
    update wechat_tokens set leased_until = null, outcome = p_outcome,
        failures = failures + 1,
        due_at = case when p_stale is not null and failures = 0 then now()
            else now() + make_interval(secs =>
                least(600, 5 * power(2, least(failures, 10)))) end
    where mchid = p_mchid and appid = p_appid and kind = p_kind
        and lease_no = p_lease_no;
    return found;
end $$;


--
-- Name: tokens_claim(text, text, integer); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.tokens_claim(p_mchid text, p_appid text, p_lease_s integer) RETURNS TABLE(kind text, lease_no bigint, access_token text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
#variable_conflict use_column
begin
    insert into wechat_tokens (mchid, appid, kind)
    select p_mchid, p_appid, k
    from unnest('{access_token,jsapi_ticket}'::text[]) k
    on conflict do nothing;
    return query
    update wechat_tokens t set lease_no = t.lease_no + 1,
        leased_until = clock_timestamp() + make_interval(secs => p_lease_s)
    from (select d.kind, a.value
        from wechat_tokens d
        left join wechat_tokens a on d.kind = 'jsapi_ticket'
            and a.mchid = d.mchid and a.appid = d.appid
            and a.kind = 'access_token' and a.ends_at > clock_timestamp()
        where d.mchid = p_mchid and d.appid = p_appid
            and d.due_at <= clock_timestamp()
            and (d.leased_until is null
                or d.leased_until <= clock_timestamp())
            and (d.kind = 'access_token' or a.value is not null)
        order by d.kind limit 1
        for no key update of d skip locked) due
    where t.mchid = p_mchid and t.appid = p_appid and t.kind = due.kind
    returning t.kind, t.lease_no, due.value;
end $$;


--
-- Name: transaction_ask(text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.transaction_ask(p_mchid text, p_nonce text) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    select call_begin(p_mchid, 'query', null, null, p_nonce, 0)
$$;


--
-- Name: transaction_told(text, bigint, text, text, text); Type: FUNCTION; Schema: wxpay; Owner: -
--

CREATE FUNCTION wxpay.transaction_told(p_mchid text, p_call_no bigint, p_verdict text, p_code text, p_out_trade_no text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
begin
    perform call_end(p_call_no, p_verdict, p_code);
    return (select order_no from payments
        where mchid = p_mchid and out_trade_no = p_out_trade_no);
end $$;


--
-- Name: actor_is(text, text); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.actor_is(p_actor text, p_reason text) RETURNS void
    LANGUAGE sql
    AS $$
    select set_config('wxpay.actor', coalesce(p_actor, ''), true),
        set_config('wxpay.reason', coalesce(p_reason, ''), true);
$$;


--
-- Name: call_begin(text, text, text, text, text, bigint); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.call_begin(p_mchid text, p_op text, p_out_trade_no text, p_out_refund_no text, p_nonce text, p_lease_no bigint) RETURNS bigint
    LANGUAGE sql
    AS $$
    insert into wxpay_data.calls
        (mchid, op, out_trade_no, out_refund_no, nonce, lease_no)
    values (p_mchid, p_op, p_out_trade_no, p_out_refund_no, p_nonce,
        p_lease_no)
    returning call_no
$$;


--
-- Name: call_end(bigint, text, text); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.call_end(p_call_no bigint, p_outcome text, p_code text) RETURNS void
    LANGUAGE sql
    AS $$
    update wxpay_data.calls
    set outcome = p_outcome, code = nullif(p_code, ''),
        ended_at = clock_timestamp()
    where call_no = p_call_no and outcome is null;
$$;


--
-- Name: payments; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.payments (
    mchid text NOT NULL,
    out_trade_no text NOT NULL,
    order_no text NOT NULL,
    attempt integer NOT NULL,
    api text NOT NULL,
    appid text NOT NULL,
    trade_type text NOT NULL,
    openid text DEFAULT ''::text NOT NULL,
    client_ip text NOT NULL,
    state text DEFAULT 'created'::text NOT NULL,
    total_fen bigint NOT NULL,
    settles boolean DEFAULT false NOT NULL,
    closing boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    close_after interval DEFAULT '00:05:00'::interval NOT NULL,
    close_at timestamp with time zone NOT NULL,
    prepay_id text,
    code_url text,
    h5_url text,
    prepaid_at timestamp with time zone,
    transaction_id text,
    payer text,
    bank_type text,
    paid_at timestamp with time zone,
    reserved_fen bigint DEFAULT 0 NOT NULL,
    refunded_fen bigint DEFAULT 0 NOT NULL,
    refund_count integer DEFAULT 0 NOT NULL,
    refund_no integer DEFAULT 0 NOT NULL,
    unsure boolean DEFAULT false NOT NULL,
    missing_at timestamp with time zone,
    next_op text DEFAULT 'query'::text NOT NULL,
    check_at timestamp with time zone,
    hinted_at timestamp with time zone,
    claimed_at timestamp with time zone,
    leased_until timestamp with time zone,
    lease_no bigint DEFAULT 0 NOT NULL,
    request_id text,
    refusal text,
    refused_at timestamp with time zone,
    sub_mchid text DEFAULT ''::text NOT NULL,
    sub_appid text DEFAULT ''::text NOT NULL,
    number_used text,
    doubted_at timestamp with time zone,
    CONSTRAINT payments_api_is_known CHECK ((api = ANY (ARRAY['v2'::text, 'v3'::text]))),
    CONSTRAINT payments_at_most_50_refunds CHECK (((refund_count >= 0) AND (refund_count <= 50))),
    CONSTRAINT payments_attempt_is_1_to_99 CHECK (((attempt >= 1) AND (attempt <= 99))),
    CONSTRAINT payments_codes_are_never_closed_by_a_call CHECK (((trade_type <> 'MICROPAY'::text) OR (next_op <> 'close'::text))),
    CONSTRAINT payments_codes_are_never_prepaid CHECK (((trade_type <> 'MICROPAY'::text) OR (state <> 'prepaid'::text))),
    CONSTRAINT payments_next_op_is_known CHECK ((next_op = ANY (ARRAY['query'::text, 'close'::text, 'reverse'::text]))),
    CONSTRAINT payments_nothing_reserved_unless_paid CHECK (((reserved_fen = 0) OR (state = 'paid'::text))),
    CONSTRAINT payments_number_follows_attempt CHECK ((out_trade_no =
CASE attempt
    WHEN 1 THEN order_no
    ELSE ((order_no || '_'::text) || attempt)
END)),
    CONSTRAINT payments_only_codes_are_reversed CHECK (((trade_type = 'MICROPAY'::text) OR (state <> ALL (ARRAY['reversing'::text, 'reversed'::text])))),
    CONSTRAINT payments_paid_iff_facts CHECK ((num_nonnulls(transaction_id, paid_at) =
CASE state
    WHEN 'paid'::text THEN 2
    ELSE 0
END)),
    CONSTRAINT payments_prepaid_has_an_answer CHECK (((state <> 'prepaid'::text) OR (num_nonnulls(prepay_id, code_url, h5_url) > 0))),
    CONSTRAINT payments_refunded_within_reserved_within_total CHECK (((0 <= refunded_fen) AND (refunded_fen <= reserved_fen) AND (reserved_fen <= total_fen))),
    CONSTRAINT payments_settle_only_if_paid CHECK (((NOT settles) OR (state = 'paid'::text))),
    CONSTRAINT payments_state_is_known CHECK ((state = ANY (ARRAY['created'::text, 'prepaid'::text, 'paid'::text, 'closed'::text, 'reversing'::text, 'reversed'::text]))),
    CONSTRAINT payments_sub_appid_only_with_sub_mchid CHECK (((sub_appid = ''::text) OR (sub_mchid <> ''::text))),
    CONSTRAINT payments_sub_mchid_is_another_merchant CHECK ((sub_mchid <> mchid)),
    CONSTRAINT payments_trade_type_is_known CHECK ((trade_type = ANY (ARRAY['JSAPI'::text, 'NATIVE'::text, 'APP'::text, 'MWEB'::text, 'MICROPAY'::text])))
);


--
-- Name: code_is_anothers(wxpay_data.payments, text, bigint, timestamp with time zone); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.code_is_anothers(p wxpay_data.payments, p_trade_type text, p_total_fen bigint, p_paid_at timestamp with time zone) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    select p_trade_type not in ('', 'MICROPAY', 'FACEPAY')
        or p_total_fen <> p.total_fen
        or p_paid_at < p.created_at - case when p.number_used is null
            then interval '1 day' else interval '60 seconds' end
        or p.number_used is not distinct from 'OUT_TRADE_NO_USED'
$$;


--
-- Name: event_add(text, text, text, text, text, bigint); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.event_add(p_mchid text, p_kind text, p_order_no text, p_out_trade_no text, p_out_refund_no text, p_fen bigint) RETURNS void
    LANGUAGE sql
    AS $$
    insert into wxpay_data.events
        (mchid, kind, order_no, out_trade_no, out_refund_no, fen)
    values (p_mchid, p_kind, p_order_no, p_out_trade_no, p_out_refund_no,
        p_fen);
$$;


--
-- Name: journal_guard(); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.journal_guard() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if tg_op = 'UPDATE' and tg_argv[0] = 'calls' then
        if old.outcome is null and new.outcome is not null
            and (to_jsonb(new) - array['outcome', 'code', 'ended_at'])
              = (to_jsonb(old) - array['outcome', 'code', 'ended_at']) then
            return new;
        end if;
    end if;
    raise exception '% only grows: % refused', tg_argv[0], lower(tg_op)
        using errcode = 'restrict_violation';
end $$;


--
-- Name: merchant_add(text); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.merchant_add(p_mchid text) RETURNS void
    LANGUAGE sql
    AS $$
    insert into wxpay_data.merchants (mchid) values (p_mchid)
    on conflict do nothing;
$$;


--
-- Name: micropay_gone(wxpay_data.payments); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.micropay_gone(p wxpay_data.payments) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
begin
    update unexpected set state = 'returned'
    where mchid = p.mchid and out_trade_no = p.out_trade_no
        and kind in ('payment', 'differs') and state = 'open';
    perform order_finish(p.mchid, p.order_no);
end $$;


--
-- Name: order_finish(text, text); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.order_finish(p_mchid text, p_order_no text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
begin
    update orders o set state = 'closed', closed_at = now()
    where mchid = p_mchid and order_no = p_order_no and state = 'pending'
        and (closing or time_expire <= now())
        and not exists (select from payments p
            where p.mchid = o.mchid and p.order_no = o.order_no
                and p.state in ('created', 'prepaid', 'reversing'));
    if found then
        perform event_add(p_mchid, 'order.closed', p_order_no, null, null,
            null);
    end if;
    return exists (select from orders where mchid = p_mchid
        and order_no = p_order_no and state = 'closed');
end $$;


--
-- Name: orders; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.orders (
    seq bigint NOT NULL,
    mchid text NOT NULL,
    order_no text NOT NULL,
    token text NOT NULL,
    origin text NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    total_fen bigint NOT NULL,
    body text NOT NULL,
    attach text DEFAULT ''::text NOT NULL,
    product_id text,
    quantity integer,
    return_url text,
    attempts integer DEFAULT 0 NOT NULL,
    closing boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    time_expire timestamp with time zone NOT NULL,
    checked_at timestamp with time zone,
    paid_at timestamp with time zone,
    closed_at timestamp with time zone,
    CONSTRAINT orders_attach_is_at_most_127_bytes CHECK ((octet_length(attach) <= 127)),
    CONSTRAINT orders_attempts_at_most_99 CHECK (((attempts >= 0) AND (attempts <= 99))),
    CONSTRAINT orders_body_is_1_to_127_bytes CHECK (((octet_length(body) >= 1) AND (octet_length(body) <= 127))),
    CONSTRAINT orders_closed_only_with_closed_at CHECK (((state <> 'closed'::text) OR (closed_at IS NOT NULL))),
    CONSTRAINT orders_no_is_well_formed CHECK (((order_no ~ '^[0-9A-Za-z][0-9A-Za-z_-]{5,27}$'::text) AND (order_no !~ '_[0-9]+$'::text) AND (order_no <> ALL (ARRAY['authorize'::text, 'jsconfig'::text, 'openid'::text])))),
    CONSTRAINT orders_origin_is_known CHECK ((origin = ANY (ARRAY['product'::text, 'signed'::text, 'shop'::text]))),
    CONSTRAINT orders_paid_iff_paid_at CHECK (((state = 'paid'::text) = (paid_at IS NOT NULL))),
    CONSTRAINT orders_state_is_known CHECK ((state = ANY (ARRAY['pending'::text, 'paid'::text, 'closed'::text]))),
    CONSTRAINT orders_total_is_positive CHECK (((total_fen >= 1) AND (total_fen <= 2147483647)))
);


--
-- Name: order_json(wxpay_data.orders); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.order_json(o wxpay_data.orders) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    select jsonb_build_object(
        'order_no', o.order_no, 'state', o.state,
        'total_fee', o.total_fen, 'body', o.body, 'origin', o.origin,
        'created_at', rfc3339(o.created_at),
        'time_expire', rfc3339(o.time_expire),
        'paid_at', rfc3339(o.paid_at),
        'payments', (select coalesce(jsonb_agg(jsonb_build_object(
            'out_trade_no', p.out_trade_no, 'state', p.state,
            'trade_type', p.trade_type, 'settles', p.settles,
            'closing', p.closing,
            'sub_mchid', nullif(p.sub_mchid, ''),
            'transaction_id', p.transaction_id,
            'refusal', p.refusal,
            'reserved_fee', p.reserved_fen,
            'refunded_fee', p.refunded_fen) order by p.attempt), '[]')
            from payments p where p.mchid = o.mchid
                and p.order_no = o.order_no))
$$;


--
-- Name: order_open(text, text, text, integer, text, text, bigint, text, timestamp with time zone, text, text, text, interval); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.order_open(p_mchid text, p_way text, p_product_id text, p_quantity integer, p_order_no text, p_token text, p_total_fen bigint, p_body text, p_time_expire timestamp with time zone, p_attach text, p_return_url text, p_request_id text, p_life interval, OUT verdict text, OUT order_no text, OUT total_fen bigint) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    product products;
    known   orders;
    asked   text := case p_way
        when 'product' then jsonb_build_array(p_product_id, p_quantity)::text
        else jsonb_build_array(p_order_no)::text end;
begin
    if p_way = 'product' then
        select * into product from products
        where mchid = p_mchid and product_id = p_product_id;
        if not found then
            verdict := 'unknown';
            return;
        end if;
        total_fen := product.price_fen * p_quantity;
        if total_fen > 2147483647 then
            verdict := 'too_much';
            return;
        end if;
        order_no := 'W' || to_char(now() at time zone 'Asia/Shanghai',
            'YYMMDD') || translate(random_text(20), '-_', 'xy');
    else
        order_no := p_order_no;
    end if;

    if p_way = 'order' then
        select * into known from orders o
        where o.mchid = p_mchid and o.order_no = p_order_no
            and o.token = p_token;
        if not found then
            verdict := 'unknown';
            return;
        end if;
    end if;
    if p_request_id is not null then
        insert into request_ids values
            (p_mchid, p_request_id, asked, order_no)
        on conflict on constraint request_ids_pkey do nothing;
        if not found then
            select r.order_no into order_no from request_ids r
            where r.mchid = p_mchid and r.request_id = p_request_id
                and r.what = asked;
            if not found then
                verdict := 'differs';
                return;
            end if;
            select * into known from orders o where o.mchid = p_mchid
                and o.order_no = order_open.order_no;
        end if;
    end if;

    if p_way = 'product' and known.mchid is null then
        if p_total_fen <> total_fen then
            delete from request_ids r where r.mchid = p_mchid
                and r.request_id = p_request_id
                and r.order_no = order_open.order_no;
            verdict := 'price';
            return;
        end if;
        insert into orders (mchid, order_no, token, origin, total_fen, body,
            attach, product_id, quantity, return_url, time_expire)
        values (p_mchid, order_no, random_text(22), 'product', total_fen,
            product.body, p_attach, p_product_id, p_quantity, p_return_url,
            date_trunc('second', now() + p_life));
    elsif p_way = 'signed' then
        insert into orders (mchid, order_no, token, origin, total_fen, body,
            attach, return_url, time_expire)
        values (p_mchid, order_no, random_text(22), 'signed', p_total_fen,
            p_body, p_attach, p_return_url, p_time_expire)
        on conflict on constraint orders_pkey do nothing;
    end if;

    select * into known from orders o
    where o.mchid = p_mchid and o.order_no = order_open.order_no for no key update;
    total_fen := known.total_fen;
    if p_way = 'signed' and (known.origin, known.total_fen, known.body,
        known.attach, known.time_expire) is distinct from ('signed',
        p_total_fen, p_body, p_attach, p_time_expire) then
        verdict := 'differs';
    elsif p_way = 'product' and p_total_fen <> known.total_fen then
        verdict := 'price';
    elsif p_way = 'order' and p_attach not in ('', known.attach)
        and (known.attach <> '' or known.attempts > 0) then
        verdict := 'differs';
    else
        -- an order that the shop made in SQL learns these from its page
        update orders o set return_url = coalesce(p_return_url, o.return_url),
            attach = case when p_way = 'order' and p_attach <> ''
                then p_attach else o.attach end
        where o.mchid = p_mchid and o.order_no = known.order_no
            and (p_return_url <> coalesce(o.return_url, '')
                or p_way = 'order' and p_attach not in ('', o.attach));
        verdict := 'open';
    end if;
end $$;


--
-- Name: order_settle(text, text, text, text, text, bigint, text, text, text, timestamp with time zone, text); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.order_settle(p_mchid text, p_out_trade_no text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at timestamp with time zone, p_cause text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    o          orders;
    p          payments;
    is_first   boolean;
    why        text;
begin
    p := payment_lock(p_mchid, p_out_trade_no);
    if p.mchid is null then
        perform quarantine(p_mchid, 'unknown', null, p_out_trade_no,
            p_transaction_id, null, p_total_fen, p_cause);
        return 'unknown';
    end if;
    select * into o from orders
    where mchid = p_mchid and order_no = p.order_no;

    why := case
        when p.total_fen <> p_total_fen then 'amount'
        when p.appid <> p_appid then 'appid'
        -- by another system, under this number; clocks may differ by a zone
        when p.state <> 'paid' and p_cause <> 'micropay'
            and p_paid_at < p.created_at - interval '1 day' then 'paid_at'
        when p.sub_mchid is distinct from p_sub_mchid then 'sub_mchid'
        when p_currency not in ('', 'CNY') then 'currency'
        when exists (select from payments x where x.mchid = p_mchid
            and x.transaction_id = p_transaction_id
            and x.out_trade_no <> p_out_trade_no) then 'transaction_id'
        end;
    if why is not null then
        perform quarantine(p_mchid, 'differs', o.order_no, p_out_trade_no,
            p_transaction_id, null, p_total_fen, why || ', ' || p_cause);
        return 'differs';
    end if;

    if p.state = 'paid' then
        if p.transaction_id <> p_transaction_id then
            perform quarantine(p_mchid, 'payment', o.order_no,
                p_out_trade_no, p_transaction_id, null, p_total_fen,
                'another transaction, ' || p_cause);
            return 'second';
        end if;
        return case when p.settles then 'already' else 'second' end;
    end if;

    -- being reversed: what a query says of it may be over in a moment
    if p.state = 'reversed'
        or p.state = 'reversing' and not reverse_is_refused(p) then
        perform quarantine(p_mchid, 'payment', o.order_no, p_out_trade_no,
            p_transaction_id, null, p_total_fen, p.state || ', ' || p_cause);
        return 'second';
    end if;

    is_first := o.state <> 'paid';
    perform actor_is(null, p_cause);
    update payments set state = 'paid', settles = is_first,
        transaction_id = p_transaction_id, paid_at = p_paid_at,
        payer = nullif(p_payer, ''), bank_type = nullif(p_bank_type, ''),
        closing = false, unsure = false, check_at = null, leased_until = null
    where mchid = p_mchid and out_trade_no = p_out_trade_no;
    if not is_first then
        perform quarantine(p_mchid, 'payment', o.order_no, p_out_trade_no,
            p_transaction_id, null, p_total_fen, 'order is paid, '
            || p_cause);
        return 'second';
    end if;
    update orders set state = 'paid', paid_at = p_paid_at, closing = false
    where mchid = p_mchid and order_no = o.order_no;
    perform payments_mark_closing(p_mchid, o.order_no);
    update unexpected set state = 'settled'
    where mchid = p_mchid and out_trade_no = p_out_trade_no
        and transaction_id = p_transaction_id and kind = 'payment'
        and state = 'open';
    perform event_add(p_mchid, 'order.paid', o.order_no, p_out_trade_no,
        null, p_total_fen);
    return 'settled';
end $$;


--
-- Name: payment_lock(text, text); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.payment_lock(p_mchid text, p_out_trade_no text) RETURNS wxpay_data.payments
    LANGUAGE plpgsql
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    p payments;
begin
    perform from orders o where o.mchid = p_mchid
        and o.order_no = (select order_no from payments
            where mchid = p_mchid and out_trade_no = p_out_trade_no)
        for no key update;
    select * into p from payments
    where mchid = p_mchid and out_trade_no = p_out_trade_no for no key update;
    return p;
end $$;


--
-- Name: payments_mark_closing(text, text); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.payments_mark_closing(p_mchid text, p_order_no text) RETURNS void
    LANGUAGE sql
    AS $$
    update wxpay_data.payments
    set closing = true,
        next_op = case when trade_type = 'MICROPAY'
            or number_used is not null then next_op else 'close' end,
        close_at = case trade_type when 'MICROPAY'
            then least(close_at, close_at - close_after
                + interval '15 seconds') else close_at end,
        check_at = case trade_type when 'MICROPAY' then check_at
            else greatest(now(), close_at) end
    where mchid = p_mchid and order_no = p_order_no and not closing
        and state in ('created', 'prepaid');
$$;


--
-- Name: quarantine(text, text, text, text, text, text, bigint, text); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.quarantine(p_mchid text, p_kind text, p_order_no text, p_out_trade_no text, p_transaction_id text, p_out_refund_no text, p_total_fen bigint, p_detail text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    insert into wxpay_data.unexpected (mchid, kind, order_no, out_trade_no,
        transaction_id, out_refund_no, total_fen, detail)
    values (p_mchid, p_kind, p_order_no, p_out_trade_no,
        coalesce(p_transaction_id, ''), coalesce(p_out_refund_no, ''),
        p_total_fen, p_detail)
    on conflict on constraint unexpected_stands_once do nothing;
    if found then
        perform wxpay_data.event_add(p_mchid, 'order.unexpected',
            p_order_no, p_out_trade_no, nullif(p_out_refund_no, ''),
            p_total_fen);
    end if;
end $$;


--
-- Name: random_text(integer); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.random_text(p_length integer) RETURNS text
    LANGUAGE sql
    AS $$
    -- a version-4 uuid is 122 random bits; hashing two loses none of them
    select left(translate(encode(sha256(uuid_send(gen_random_uuid())
        || uuid_send(gen_random_uuid())), 'base64'), '+/=', '-_'), p_length)
$$;


--
-- Name: refund_foreign(text, text, text, text, bigint, timestamp with time zone); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.refund_foreign(p_mchid text, p_out_refund_no text, p_out_trade_no text, p_refund_id text, p_refund_fen bigint, p_refunded_at timestamp with time zone) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    p payments;
    r refunds;
begin
    p := payment_lock(p_mchid, p_out_trade_no);
    if p.mchid is null or p.state <> 'paid' then
        return 'unknown';
    end if;
    select * into r from refunds
    where mchid = p_mchid and out_refund_no = p_out_refund_no for no key update;
    if found then
        return refund_succeed(r, p_refund_id, p_refunded_at);
    end if;
    perform actor_is('wechat', 'foreign');
    if not refund_make_room(p_mchid, p_out_trade_no, p_refund_fen, 1) then
        perform quarantine(p_mchid, 'refund', p.order_no, p_out_trade_no,
            p.transaction_id, p_out_refund_no, p_refund_fen,
            'made by hand, and does not fit');
        return 'unexpected';
    end if;
    insert into refunds (mchid, out_refund_no, order_no, out_trade_no, state,
        origin, refund_fen, reason, requested_by, refund_id, refunded_at)
    values (p_mchid, p_out_refund_no, p.order_no, p_out_trade_no, 'refunded',
        'foreign', p_refund_fen, 'foreign', 'wechat', p_refund_id,
        p_refunded_at);
    perform event_add(p_mchid, 'refund.refunded', p.order_no,
        p_out_trade_no, p_out_refund_no, p_refund_fen);
    perform unexpected_returned(p_mchid, p_out_trade_no, p_out_refund_no);
    return 'refunded';
end $$;


--
-- Name: refund_hint_told(text, text, bigint, text, text, text, text, text, bigint, timestamp with time zone, timestamp with time zone); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.refund_hint_told(p_mchid text, p_out_refund_no text, p_lease_no bigint, p_verdict text, p_fate text, p_refund_id text, p_out_trade_no text, p_sub_mchid text, p_refund_fen bigint, p_refunded_at timestamp with time zone, p_again timestamp with time zone) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    p        payments;
    word     text := 'hint';
    is_final boolean := p_verdict = 'done'
                 and p_fate in ('success', 'closed');
begin
    select * into p from payments
    where mchid = p_mchid and out_trade_no = p_out_trade_no;
    if p_verdict = 'done' and p_sub_mchid not in ('', p.sub_mchid) then
        word := 'unexpected';
        perform quarantine(p_mchid, 'differs', p.order_no, p_out_trade_no,
            null, p_out_refund_no, p_refund_fen, 'sub_mchid, refund query');
    elsif p_verdict = 'done' and p_fate = 'success' then
        word := refund_foreign(p_mchid, p_out_refund_no, p_out_trade_no,
            p_refund_id, p_refund_fen, p_refunded_at);
        -- its payment's money has not been heard of yet: ask about both
        if word = 'unknown' then
            is_final := false;
            update payments set next_op = 'query', check_at = now()
            where mchid = p_mchid and out_trade_no = p_out_trade_no
                and state in ('created', 'prepaid');
        end if;
    end if;
    update refund_hints set leased_until = null,
        due_at = case when not is_final and asked < 30 then p_again end
    where mchid = p_mchid and out_refund_no = p_out_refund_no
        and (lease_no = p_lease_no or is_final);
    return word;
end $$;


--
-- Name: refund_holds(text, text); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.refund_holds(state text, failure text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    select state in ('pending', 'refunding', 'refunded')
        or (state = 'failed' and failure = 'ABNORMAL')
$$;


--
-- Name: refunds; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.refunds (
    seq bigint NOT NULL,
    mchid text NOT NULL,
    out_refund_no text NOT NULL,
    order_no text NOT NULL,
    out_trade_no text NOT NULL,
    state text NOT NULL,
    origin text NOT NULL,
    refund_fen bigint NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    request_id text,
    requested_by text NOT NULL,
    decided_by text,
    decided_at timestamp with time zone,
    decision text,
    decision_id text,
    refund_id text,
    failure text,
    denied text,
    missing_at timestamp with time zone,
    doubted boolean DEFAULT false NOT NULL,
    was_doubted boolean DEFAULT false NOT NULL,
    from_recharge boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    send_at timestamp with time zone,
    gap_s integer DEFAULT 0 NOT NULL,
    sent_at timestamp with time zone,
    refunded_at timestamp with time zone,
    failed_at timestamp with time zone,
    next_op text DEFAULT 'send'::text NOT NULL,
    due_at timestamp with time zone,
    hinted_at timestamp with time zone,
    claimed_at timestamp with time zone,
    leased_until timestamp with time zone,
    lease_no bigint DEFAULT 0 NOT NULL,
    CONSTRAINT refunds_amount_is_positive CHECK (((refund_fen >= 1) AND (refund_fen <= 2147483647))),
    CONSTRAINT refunds_failed_iff_failure CHECK (((state = 'failed'::text) = (failure IS NOT NULL))),
    CONSTRAINT refunds_next_op_is_known CHECK ((next_op = ANY (ARRAY['send'::text, 'query'::text]))),
    CONSTRAINT refunds_number_is_well_formed CHECK ((out_refund_no ~ '^[0-9A-Za-z_|*@-]{1,64}$'::text)),
    CONSTRAINT refunds_origin_is_known CHECK ((origin = ANY (ARRAY['shopper'::text, 'staff'::text, 'foreign'::text]))),
    CONSTRAINT refunds_refunded_iff_refunded_at CHECK (((state = 'refunded'::text) = (refunded_at IS NOT NULL))),
    CONSTRAINT refunds_refunding_has_its_turn CHECK (((state <> 'refunding'::text) OR (send_at IS NOT NULL))),
    CONSTRAINT refunds_state_is_known CHECK ((state = ANY (ARRAY['pending'::text, 'refunding'::text, 'refunded'::text, 'failed'::text, 'rejected'::text])))
);


--
-- Name: refund_json(wxpay_data.refunds, boolean); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.refund_json(r wxpay_data.refunds, p_for_staff boolean) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
    select jsonb_build_object(
            'out_refund_no', r.out_refund_no, 'order_no', r.order_no,
            'state', r.state, 'refund_fee', r.refund_fen,
            'reason', r.reason,
            'created_at', rfc3339(r.created_at),
            'refunded_at', rfc3339(r.refunded_at))
        || case when p_for_staff then jsonb_build_object(
            'out_trade_no', r.out_trade_no, 'origin', r.origin,
            'requested_by', r.requested_by, 'decided_by', r.decided_by,
            'decided_at', rfc3339(r.decided_at), 'decision', r.decision,
            'send_at', rfc3339(r.send_at), 'sent_at', rfc3339(r.sent_at),
            'refund_id', r.refund_id, 'failure', r.failure)
        else '{}' end
$$;


--
-- Name: refund_lock(text, text); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.refund_lock(p_mchid text, p_out_refund_no text) RETURNS wxpay_data.refunds
    LANGUAGE plpgsql
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    r refunds;
begin
    perform payment_lock(p_mchid, (select out_trade_no from refunds
        where mchid = p_mchid and out_refund_no = p_out_refund_no));
    select * into r from refunds
    where mchid = p_mchid and out_refund_no = p_out_refund_no for no key update;
    return r;
end $$;


--
-- Name: refund_make_room(text, text, bigint, integer); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.refund_make_room(p_mchid text, p_out_trade_no text, p_fen bigint, p_count integer) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    p       payments;
    r       refunds;
    pending bigint;
    waiting bigint;
begin
    select * into p from payments
    where mchid = p_mchid and out_trade_no = p_out_trade_no;
    select coalesce(sum(refund_fen), 0), count(*) into pending, waiting
    from refunds
    where mchid = p_mchid and out_trade_no = p_out_trade_no
        and state = 'pending';
    if p.reserved_fen - pending + p_fen > p.total_fen
        or p.refund_count - waiting + p_count > 50 then
        return false;
    end if;
    for r in
        select * from refunds
        where mchid = p_mchid and out_trade_no = p_out_trade_no
            and state = 'pending'
        order by seq desc for no key update
    loop
        exit when p.reserved_fen + p_fen <= p.total_fen
            and p.refund_count + p_count <= 50;
        update refunds set state = 'rejected', decided_by = 'wechat',
            decided_at = now(), decision = 'foreign'
        where mchid = p_mchid and out_refund_no = r.out_refund_no;
        perform event_add(p_mchid, 'refund.rejected', r.order_no,
            r.out_trade_no, r.out_refund_no, r.refund_fen);
        select * into p from payments
        where mchid = p_mchid and out_trade_no = p_out_trade_no;
    end loop;
    return true;
end $$;


--
-- Name: refund_reserve(); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.refund_reserve() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    held     bigint := 0;      -- before
    refunded bigint := 0;
    counted  int := 0;
begin
    if tg_op = 'UPDATE' then
        if (new.mchid, new.out_trade_no, new.order_no, new.refund_fen)
            is distinct from
           (old.mchid, old.out_trade_no, old.order_no, old.refund_fen) then
            raise exception 'refund %: its payment and amount are fixed',
                old.out_refund_no using errcode = 'check_violation';
        end if;
        if (new.state, new.failure) is not distinct from
           (old.state, old.failure) then
            return null;
        end if;
        held := case when refund_holds(old.state, old.failure)
            then old.refund_fen else 0 end;
        refunded := case old.state when 'refunded'
            then old.refund_fen else 0 end;
        counted := (old.state <> 'rejected')::int;
    end if;
    update payments set
        reserved_fen = reserved_fen - held
            + case when refund_holds(new.state, new.failure)
                then new.refund_fen else 0 end,
        refunded_fen = payments.refunded_fen - refunded
            + case new.state when 'refunded' then new.refund_fen else 0 end,
        refund_count = refund_count - counted
            + (new.state <> 'rejected')::int
    where mchid = new.mchid and out_trade_no = new.out_trade_no;
    return null;
end $$;


--
-- Name: refund_slot(text, text, integer); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.refund_slot(p_mchid text, p_order_no text, p_gap_s integer) RETURNS timestamp with time zone
    LANGUAGE sql
    AS $$
    select greatest(clock_timestamp(),
        (select max(send_at) + make_interval(secs => p_gap_s)
         from wxpay_data.refunds
         where mchid = p_mchid and order_no = p_order_no))
$$;


--
-- Name: refund_succeed(wxpay_data.refunds, text, timestamp with time zone); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.refund_succeed(r wxpay_data.refunds, p_refund_id text, p_refunded_at timestamp with time zone) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    p   payments;
    why text;
begin
    if r.state = 'refunded' then
        return 'refunded';
    end if;
    why := case
        when r.state not in ('refunding', 'failed')
            then 'refunded although it is ' || r.state
        when not refund_holds(r.state, r.failure)
            and not refund_make_room(r.mchid, r.out_trade_no, r.refund_fen, 0)
            then 'refunded after it had failed, and no longer fits'
        end;
    if why is not null then
        select * into p from payments
        where mchid = r.mchid and out_trade_no = r.out_trade_no;
        perform quarantine(r.mchid, 'refund', r.order_no, r.out_trade_no,
            p.transaction_id, r.out_refund_no, r.refund_fen, why);
        update refunds set due_at = null, leased_until = null
        where mchid = r.mchid and out_refund_no = r.out_refund_no;
        return 'unexpected';
    end if;
    update refunds set state = 'refunded', failure = null, failed_at = null,
        refund_id = coalesce(nullif(p_refund_id, ''), refund_id),
        refunded_at = p_refunded_at, due_at = null, leased_until = null
    where mchid = r.mchid and out_refund_no = r.out_refund_no;
    perform event_add(r.mchid, 'refund.refunded', r.order_no,
        r.out_trade_no, r.out_refund_no, r.refund_fen);
    perform unexpected_returned(r.mchid, r.out_trade_no, r.out_refund_no);
    return 'refunded';
end $$;


--
-- Name: refunds_awaited(text, text); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.refunds_awaited(p_mchid text, p_out_trade_no text) RETURNS void
    LANGUAGE sql
    AS $$
    insert into wxpay_data.refund_hints (mchid, out_refund_no, out_trade_no,
        due_at)
    select u.mchid, u.out_refund_no, u.out_trade_no, now()
    from wxpay_data.unexpected u
    where u.mchid = p_mchid and u.out_trade_no = p_out_trade_no
        and u.kind = 'refund' and u.state = 'open'
        and u.out_refund_no <> ''          -- a reversal has no number
    on conflict (mchid, out_refund_no) do update set due_at = now(), asked = 0
$$;


--
-- Name: reverse_is_refused(wxpay_data.payments); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.reverse_is_refused(p wxpay_data.payments) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    select p.refused_at is not null and (p.doubted_at is null
        or p.doubted_at <= clock_timestamp() - interval '60 seconds')
$$;


--
-- Name: rfc3339(timestamp with time zone); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.rfc3339(p_at timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    AS $$
    select to_char(p_at at time zone 'Asia/Shanghai',
        'YYYY-MM-DD"T"HH24:MI:SS"+08:00"')
$$;


--
-- Name: row_stays(); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.row_stays() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception '% are never deleted', tg_table_name
        using errcode = 'restrict_violation';
end $$;


--
-- Name: step_guard(); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.step_guard() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'wxpay_data', 'pg_temp'
    AS $$
declare
    entity text := tg_argv[0];
    legal  boolean;
    number text;
begin
    number := case entity when 'order' then new.order_no
        when 'payment' then to_jsonb(new) ->> 'out_trade_no'
        else to_jsonb(new) ->> 'out_refund_no' end;
    if tg_op = 'INSERT' then
        legal := new.state = any (string_to_array(tg_argv[1], ','));
    elsif entity = 'order' then
        legal := exists (select from order_step
            where from_state = old.state and to_state = new.state);
    elsif entity = 'payment' then
        legal := exists (select from payment_step
            where from_state = old.state and to_state = new.state);
    else
        legal := exists (select from refund_step
            where from_state = old.state and to_state = new.state);
    end if;
    if not legal then
        raise exception '% %: no step from % to %', entity, number,
            case tg_op when 'INSERT' then 'nothing' else old.state end,
            new.state
            using errcode = 'check_violation';
    end if;
    insert into steps (mchid, entity, number, from_state, to_state, actor,
        reason)
    values (new.mchid, entity, number,
        case tg_op when 'UPDATE' then old.state end, new.state,
        coalesce(nullif(current_setting('wxpay.actor', true), ''),
            session_user),
        coalesce(current_setting('wxpay.reason', true), ''));
    return new;
end $$;


--
-- Name: unexpected_returned(text, text, text); Type: FUNCTION; Schema: wxpay_data; Owner: -
--

CREATE FUNCTION wxpay_data.unexpected_returned(p_mchid text, p_out_trade_no text, p_out_refund_no text) RETURNS void
    LANGUAGE sql
    AS $$
    update wxpay_data.unexpected set state = 'returned'
    where mchid = p_mchid and out_trade_no = p_out_trade_no
        and out_refund_no = p_out_refund_no
        and kind = 'refund' and state = 'open';
    update wxpay_data.unexpected u set state = 'returned'
    from wxpay_data.payments p
    where p.mchid = p_mchid and p.out_trade_no = p_out_trade_no
        and not p.settles and p.refunded_fen = p.total_fen
        and u.mchid = p.mchid and u.out_trade_no = p.out_trade_no
        and u.transaction_id = p.transaction_id
        and u.kind = 'payment' and u.state = 'open';
$$;


--
-- Name: orders; Type: VIEW; Schema: wxpay; Owner: -
--

CREATE VIEW wxpay.orders WITH (security_barrier='true') AS
 SELECT o.order_no,
    o.state,
    o.total_fen,
    (COALESCE(( SELECT sum(p.refunded_fen) AS sum
           FROM wxpay_data.payments p
          WHERE ((p.mchid = o.mchid) AND (p.order_no = o.order_no) AND p.settles)), (0)::numeric))::bigint AS refunded_fen,
    o.paid_at,
    o.created_at,
    o.time_expire
   FROM wxpay_data.orders o
  WHERE (o.mchid = wxpay.shop_mchid());


--
-- Name: payments; Type: VIEW; Schema: wxpay; Owner: -
--

CREATE VIEW wxpay.payments WITH (security_barrier='true') AS
 SELECT payments.out_trade_no,
    payments.order_no,
    payments.state,
    payments.trade_type,
    payments.settles,
    payments.transaction_id,
    payments.total_fen,
    payments.paid_at
   FROM wxpay_data.payments
  WHERE (payments.mchid = wxpay.shop_mchid());


--
-- Name: products; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.products (
    mchid text NOT NULL,
    product_id text NOT NULL,
    body text NOT NULL,
    price_fen bigint NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT products_body_is_1_to_127_bytes CHECK (((octet_length(body) >= 1) AND (octet_length(body) <= 127))),
    CONSTRAINT products_id_is_1_to_32_letters CHECK ((product_id ~ '^[0-9A-Za-z_-]{1,32}$'::text)),
    CONSTRAINT products_price_is_positive CHECK (((price_fen >= 1) AND (price_fen <= 2147483647)))
);


--
-- Name: products; Type: VIEW; Schema: wxpay; Owner: -
--

CREATE VIEW wxpay.products WITH (security_barrier='true') AS
 SELECT products.product_id,
    products.body,
    products.price_fen
   FROM wxpay_data.products
  WHERE (products.mchid = wxpay.shop_mchid());


--
-- Name: refunds; Type: VIEW; Schema: wxpay; Owner: -
--

CREATE VIEW wxpay.refunds WITH (security_barrier='true') AS
 SELECT refunds.out_refund_no,
    refunds.order_no,
    refunds.out_trade_no,
    refunds.state,
    refunds.refund_fen,
    refunds.failure,
    refunds.origin,
    refunds.created_at,
    refunds.refunded_at
   FROM wxpay_data.refunds
  WHERE (refunds.mchid = wxpay.shop_mchid());


--
-- Name: unexpected; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.unexpected (
    seq bigint NOT NULL,
    mchid text NOT NULL,
    kind text NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    order_no text,
    out_trade_no text NOT NULL,
    transaction_id text NOT NULL,
    out_refund_no text DEFAULT ''::text NOT NULL,
    total_fen bigint NOT NULL,
    detail text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT unexpected_kind_is_known CHECK ((kind = ANY (ARRAY['payment'::text, 'differs'::text, 'unknown'::text, 'refund'::text]))),
    CONSTRAINT unexpected_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'returned'::text, 'settled'::text])))
);


--
-- Name: unexpected; Type: VIEW; Schema: wxpay; Owner: -
--

CREATE VIEW wxpay.unexpected WITH (security_barrier='true') AS
 SELECT unexpected.kind,
    unexpected.out_trade_no,
    unexpected.transaction_id,
    unexpected.total_fen,
    unexpected.state,
    unexpected.order_no,
    unexpected.out_refund_no,
    unexpected.detail,
    unexpected.created_at
   FROM wxpay_data.unexpected
  WHERE (unexpected.mchid = wxpay.shop_mchid());


--
-- Name: calls; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.calls (
    call_no bigint NOT NULL,
    began_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    mchid text NOT NULL,
    op text NOT NULL,
    out_trade_no text,
    out_refund_no text,
    nonce text NOT NULL,
    lease_no bigint NOT NULL,
    by_role text DEFAULT SESSION_USER NOT NULL,
    outcome text,
    code text,
    ended_at timestamp with time zone,
    CONSTRAINT calls_end_as_a_whole CHECK ((num_nonnulls(outcome, ended_at) = ANY (ARRAY[0, 2]))),
    CONSTRAINT calls_op_is_known CHECK ((op = ANY (ARRAY['prepay'::text, 'query'::text, 'close'::text, 'refund'::text, 'refund_query'::text, 'certificates'::text, 'micropay'::text, 'reverse'::text])))
)
PARTITION BY RANGE (began_at);


--
-- Name: calls_call_no_seq; Type: SEQUENCE; Schema: wxpay_data; Owner: -
--

ALTER TABLE wxpay_data.calls ALTER COLUMN call_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME wxpay_data.calls_call_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: calls_default; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.calls_default (
    call_no bigint NOT NULL,
    began_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    mchid text NOT NULL,
    op text NOT NULL,
    out_trade_no text,
    out_refund_no text,
    nonce text NOT NULL,
    lease_no bigint NOT NULL,
    by_role text DEFAULT SESSION_USER NOT NULL,
    outcome text,
    code text,
    ended_at timestamp with time zone,
    CONSTRAINT calls_end_as_a_whole CHECK ((num_nonnulls(outcome, ended_at) = ANY (ARRAY[0, 2]))),
    CONSTRAINT calls_op_is_known CHECK ((op = ANY (ARRAY['prepay'::text, 'query'::text, 'close'::text, 'refund'::text, 'refund_query'::text, 'certificates'::text, 'micropay'::text, 'reverse'::text])))
);


--
-- Name: events_seq_seq; Type: SEQUENCE; Schema: wxpay_data; Owner: -
--

ALTER TABLE wxpay_data.events ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME wxpay_data.events_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: merchants; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.merchants (
    mchid text NOT NULL,
    event_no bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: migrations; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.migrations (
    name text NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: notices; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.notices (
    seq bigint NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    mchid text NOT NULL,
    kind text NOT NULL,
    api text NOT NULL,
    request_id text NOT NULL,
    verdict text NOT NULL,
    out_trade_no text,
    transaction_id text,
    out_refund_no text,
    raw bytea NOT NULL,
    proof text DEFAULT ''::text NOT NULL
)
PARTITION BY RANGE (received_at);


--
-- Name: notices_default; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.notices_default (
    seq bigint NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    mchid text NOT NULL,
    kind text NOT NULL,
    api text NOT NULL,
    request_id text NOT NULL,
    verdict text NOT NULL,
    out_trade_no text,
    transaction_id text,
    out_refund_no text,
    raw bytea NOT NULL,
    proof text DEFAULT ''::text NOT NULL
);


--
-- Name: notices_seq_seq; Type: SEQUENCE; Schema: wxpay_data; Owner: -
--

ALTER TABLE wxpay_data.notices ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME wxpay_data.notices_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: oauth_states; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.oauth_states (
    mchid text NOT NULL,
    state text NOT NULL,
    order_no text NOT NULL,
    browser text NOT NULL,
    tries integer NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    used_by text,
    CONSTRAINT oauth_states_browser_is_a_digest CHECK ((browser ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT oauth_states_go_twice_at_most CHECK (((tries >= 1) AND (tries <= 2))),
    CONSTRAINT oauth_states_state_is_random CHECK ((state ~ '^[0-9a-f]{32}$'::text))
);


--
-- Name: order_step; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.order_step (
    from_state text NOT NULL,
    to_state text NOT NULL
);


--
-- Name: orders_seq_seq; Type: SEQUENCE; Schema: wxpay_data; Owner: -
--

ALTER TABLE wxpay_data.orders ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME wxpay_data.orders_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: payment_step; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.payment_step (
    from_state text NOT NULL,
    to_state text NOT NULL
);


--
-- Name: refund_hints; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.refund_hints (
    mchid text NOT NULL,
    out_refund_no text NOT NULL,
    out_trade_no text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    asked integer DEFAULT 0 NOT NULL,
    due_at timestamp with time zone,
    leased_until timestamp with time zone,
    lease_no bigint DEFAULT 0 NOT NULL
);


--
-- Name: refund_step; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.refund_step (
    from_state text NOT NULL,
    to_state text NOT NULL
);


--
-- Name: refunds_seq_seq; Type: SEQUENCE; Schema: wxpay_data; Owner: -
--

ALTER TABLE wxpay_data.refunds ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME wxpay_data.refunds_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: request_ids; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.request_ids (
    mchid text NOT NULL,
    request_id text NOT NULL,
    what text NOT NULL,
    order_no text NOT NULL
);


--
-- Name: shop_logins; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.shop_logins (
    login text NOT NULL,
    mchid text NOT NULL
);


--
-- Name: steps; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.steps (
    seq bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    mchid text NOT NULL,
    entity text NOT NULL,
    number text NOT NULL,
    from_state text,
    to_state text NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    by_role text DEFAULT SESSION_USER NOT NULL
)
PARTITION BY RANGE (at);


--
-- Name: steps_default; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.steps_default (
    seq bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    mchid text NOT NULL,
    entity text NOT NULL,
    number text NOT NULL,
    from_state text,
    to_state text NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    by_role text DEFAULT SESSION_USER NOT NULL
);


--
-- Name: steps_seq_seq; Type: SEQUENCE; Schema: wxpay_data; Owner: -
--

ALTER TABLE wxpay_data.steps ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME wxpay_data.steps_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: unexpected_seq_seq; Type: SEQUENCE; Schema: wxpay_data; Owner: -
--

ALTER TABLE wxpay_data.unexpected ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME wxpay_data.unexpected_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: wechat_key_fetches; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.wechat_key_fetches (
    mchid text NOT NULL,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    leased_until timestamp with time zone,
    lease_no bigint DEFAULT 0 NOT NULL,
    tried_at timestamp with time zone,
    fetched_at timestamp with time zone,
    outcome text
);


--
-- Name: wechat_key_uses; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.wechat_key_uses (
    mchid text NOT NULL,
    serial text NOT NULL,
    via text NOT NULL,
    first_at timestamp with time zone DEFAULT now() NOT NULL,
    last_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT wechat_key_uses_via_is_known CHECK ((via = ANY (ARRAY['notice'::text, 'answer'::text])))
);


--
-- Name: wechat_keys; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.wechat_keys (
    mchid text NOT NULL,
    serial text NOT NULL,
    pem text NOT NULL,
    not_before timestamp with time zone NOT NULL,
    not_after timestamp with time zone NOT NULL,
    stored_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT wechat_keys_end_after_they_begin CHECK ((not_after > not_before)),
    CONSTRAINT wechat_keys_serial_is_40_digits CHECK ((serial ~ '^[0-9A-F]{40}$'::text))
);


--
-- Name: wechat_tokens; Type: TABLE; Schema: wxpay_data; Owner: -
--

CREATE TABLE wxpay_data.wechat_tokens (
    mchid text NOT NULL,
    appid text NOT NULL,
    kind text NOT NULL,
    value text,
    fetched_at timestamp with time zone,
    ends_at timestamp with time zone,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    leased_until timestamp with time zone,
    lease_no bigint DEFAULT 0 NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    outcome text,
    CONSTRAINT wechat_tokens_kind_is_known CHECK ((kind = ANY (ARRAY['access_token'::text, 'jsapi_ticket'::text]))),
    CONSTRAINT wechat_tokens_value_iff_it_has_a_life CHECK ((num_nonnulls(value, fetched_at, ends_at) = ANY (ARRAY[0, 3])))
);


--
-- Name: calls_default; Type: TABLE ATTACH; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.calls ATTACH PARTITION wxpay_data.calls_default DEFAULT;


--
-- Name: notices_default; Type: TABLE ATTACH; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.notices ATTACH PARTITION wxpay_data.notices_default DEFAULT;


--
-- Name: steps_default; Type: TABLE ATTACH; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.steps ATTACH PARTITION wxpay_data.steps_default DEFAULT;


--
-- Name: calls calls_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.calls
    ADD CONSTRAINT calls_pkey PRIMARY KEY (began_at, call_no);


--
-- Name: calls_default calls_default_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.calls_default
    ADD CONSTRAINT calls_default_pkey PRIMARY KEY (began_at, call_no);


--
-- Name: events events_id_is_unique; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.events
    ADD CONSTRAINT events_id_is_unique UNIQUE (mchid, id);


--
-- Name: events events_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (seq);


--
-- Name: merchants merchants_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.merchants
    ADD CONSTRAINT merchants_pkey PRIMARY KEY (mchid);


--
-- Name: migrations migrations_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (name);


--
-- Name: notices notices_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (received_at, seq);


--
-- Name: notices_default notices_default_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.notices_default
    ADD CONSTRAINT notices_default_pkey PRIMARY KEY (received_at, seq);


--
-- Name: oauth_states oauth_states_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.oauth_states
    ADD CONSTRAINT oauth_states_pkey PRIMARY KEY (mchid, state);


--
-- Name: order_step order_step_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.order_step
    ADD CONSTRAINT order_step_pkey PRIMARY KEY (from_state, to_state);


--
-- Name: orders orders_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (mchid, order_no);


--
-- Name: orders orders_seq_key; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.orders
    ADD CONSTRAINT orders_seq_key UNIQUE (seq);


--
-- Name: payment_step payment_step_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.payment_step
    ADD CONSTRAINT payment_step_pkey PRIMARY KEY (from_state, to_state);


--
-- Name: payments payments_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.payments
    ADD CONSTRAINT payments_pkey PRIMARY KEY (mchid, out_trade_no);


--
-- Name: products products_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (mchid, product_id);


--
-- Name: refund_hints refund_hints_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.refund_hints
    ADD CONSTRAINT refund_hints_pkey PRIMARY KEY (mchid, out_refund_no);


--
-- Name: refund_step refund_step_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.refund_step
    ADD CONSTRAINT refund_step_pkey PRIMARY KEY (from_state, to_state);


--
-- Name: refunds refunds_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.refunds
    ADD CONSTRAINT refunds_pkey PRIMARY KEY (mchid, out_refund_no);


--
-- Name: refunds refunds_seq_key; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.refunds
    ADD CONSTRAINT refunds_seq_key UNIQUE (seq);


--
-- Name: request_ids request_ids_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.request_ids
    ADD CONSTRAINT request_ids_pkey PRIMARY KEY (mchid, request_id);


--
-- Name: shop_logins shop_logins_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.shop_logins
    ADD CONSTRAINT shop_logins_pkey PRIMARY KEY (login);


--
-- Name: steps steps_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.steps
    ADD CONSTRAINT steps_pkey PRIMARY KEY (at, seq);


--
-- Name: steps_default steps_default_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.steps_default
    ADD CONSTRAINT steps_default_pkey PRIMARY KEY (at, seq);


--
-- Name: unexpected unexpected_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.unexpected
    ADD CONSTRAINT unexpected_pkey PRIMARY KEY (seq);


--
-- Name: unexpected unexpected_stands_once; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.unexpected
    ADD CONSTRAINT unexpected_stands_once UNIQUE (mchid, kind, out_trade_no, transaction_id, out_refund_no);


--
-- Name: wechat_key_fetches wechat_key_fetches_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.wechat_key_fetches
    ADD CONSTRAINT wechat_key_fetches_pkey PRIMARY KEY (mchid);


--
-- Name: wechat_key_uses wechat_key_uses_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.wechat_key_uses
    ADD CONSTRAINT wechat_key_uses_pkey PRIMARY KEY (mchid, serial, via);


--
-- Name: wechat_keys wechat_keys_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.wechat_keys
    ADD CONSTRAINT wechat_keys_pkey PRIMARY KEY (mchid, serial);


--
-- Name: wechat_tokens wechat_tokens_pkey; Type: CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.wechat_tokens
    ADD CONSTRAINT wechat_tokens_pkey PRIMARY KEY (mchid, appid, kind);


--
-- Name: calls_by_no; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX calls_by_no ON ONLY wxpay_data.calls USING btree (call_no);


--
-- Name: calls_open; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX calls_open ON ONLY wxpay_data.calls USING btree (began_at) WHERE (outcome IS NULL);


--
-- Name: calls_default_began_at_idx; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX calls_default_began_at_idx ON wxpay_data.calls_default USING btree (began_at) WHERE (outcome IS NULL);


--
-- Name: calls_default_call_no_idx; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX calls_default_call_no_idx ON wxpay_data.calls_default USING btree (call_no);


--
-- Name: events_unnumbered; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX events_unnumbered ON wxpay_data.events USING btree (mchid, seq) WHERE (id IS NULL);


--
-- Name: oauth_states_to_sweep; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX oauth_states_to_sweep ON wxpay_data.oauth_states USING btree (made_at);


--
-- Name: orders_to_expire; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX orders_to_expire ON wxpay_data.orders USING btree (time_expire) WHERE (state = 'pending'::text);


--
-- Name: payments_codes_to_reverse; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX payments_codes_to_reverse ON wxpay_data.payments USING btree (close_at) WHERE ((trade_type = 'MICROPAY'::text) AND (state = 'created'::text));


--
-- Name: payments_due; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX payments_due ON wxpay_data.payments USING btree (check_at) WHERE (check_at IS NOT NULL);


--
-- Name: payments_of_order; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE UNIQUE INDEX payments_of_order ON wxpay_data.payments USING btree (mchid, order_no, attempt);


--
-- Name: payments_one_current_an_order; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE UNIQUE INDEX payments_one_current_an_order ON wxpay_data.payments USING btree (mchid, order_no) WHERE ((state = ANY (ARRAY['created'::text, 'prepaid'::text])) AND (NOT closing));


--
-- Name: payments_one_settles_an_order; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE UNIQUE INDEX payments_one_settles_an_order ON wxpay_data.payments USING btree (mchid, order_no) WHERE settles;


--
-- Name: payments_request_id_is_unique; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE UNIQUE INDEX payments_request_id_is_unique ON wxpay_data.payments USING btree (mchid, request_id);


--
-- Name: payments_transaction_id_is_unique; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE UNIQUE INDEX payments_transaction_id_is_unique ON wxpay_data.payments USING btree (mchid, transaction_id);


--
-- Name: refund_hints_due; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX refund_hints_due ON wxpay_data.refund_hints USING btree (due_at) WHERE (due_at IS NOT NULL);


--
-- Name: refunds_by_state; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX refunds_by_state ON wxpay_data.refunds USING btree (mchid, state, seq);


--
-- Name: refunds_due; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX refunds_due ON wxpay_data.refunds USING btree (due_at) WHERE (due_at IS NOT NULL);


--
-- Name: refunds_of_order; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX refunds_of_order ON wxpay_data.refunds USING btree (mchid, order_no, seq);


--
-- Name: refunds_of_payment; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX refunds_of_payment ON wxpay_data.refunds USING btree (mchid, out_trade_no);


--
-- Name: refunds_request_id_is_unique; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE UNIQUE INDEX refunds_request_id_is_unique ON wxpay_data.refunds USING btree (mchid, request_id);


--
-- Name: steps_of; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX steps_of ON ONLY wxpay_data.steps USING btree (mchid, entity, number);


--
-- Name: steps_default_mchid_entity_number_idx; Type: INDEX; Schema: wxpay_data; Owner: -
--

CREATE INDEX steps_default_mchid_entity_number_idx ON wxpay_data.steps_default USING btree (mchid, entity, number);


--
-- Name: calls_default_began_at_idx; Type: INDEX ATTACH; Schema: wxpay_data; Owner: -
--

ALTER INDEX wxpay_data.calls_open ATTACH PARTITION wxpay_data.calls_default_began_at_idx;


--
-- Name: calls_default_call_no_idx; Type: INDEX ATTACH; Schema: wxpay_data; Owner: -
--

ALTER INDEX wxpay_data.calls_by_no ATTACH PARTITION wxpay_data.calls_default_call_no_idx;


--
-- Name: calls_default_pkey; Type: INDEX ATTACH; Schema: wxpay_data; Owner: -
--

ALTER INDEX wxpay_data.calls_pkey ATTACH PARTITION wxpay_data.calls_default_pkey;


--
-- Name: notices_default_pkey; Type: INDEX ATTACH; Schema: wxpay_data; Owner: -
--

ALTER INDEX wxpay_data.notices_pkey ATTACH PARTITION wxpay_data.notices_default_pkey;


--
-- Name: steps_default_mchid_entity_number_idx; Type: INDEX ATTACH; Schema: wxpay_data; Owner: -
--

ALTER INDEX wxpay_data.steps_of ATTACH PARTITION wxpay_data.steps_default_mchid_entity_number_idx;


--
-- Name: steps_default_pkey; Type: INDEX ATTACH; Schema: wxpay_data; Owner: -
--

ALTER INDEX wxpay_data.steps_pkey ATTACH PARTITION wxpay_data.steps_default_pkey;


--
-- Name: calls calls_only_grow; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER calls_only_grow BEFORE DELETE OR UPDATE ON wxpay_data.calls FOR EACH ROW EXECUTE FUNCTION wxpay_data.journal_guard('calls');


--
-- Name: calls calls_stay; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER calls_stay BEFORE TRUNCATE ON wxpay_data.calls FOR EACH STATEMENT EXECUTE FUNCTION wxpay_data.journal_guard('calls');


--
-- Name: notices notices_only_grow; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER notices_only_grow BEFORE DELETE OR UPDATE ON wxpay_data.notices FOR EACH ROW EXECUTE FUNCTION wxpay_data.journal_guard('notices');


--
-- Name: notices notices_stay; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER notices_stay BEFORE TRUNCATE ON wxpay_data.notices FOR EACH STATEMENT EXECUTE FUNCTION wxpay_data.journal_guard('notices');


--
-- Name: orders orders_begin; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER orders_begin AFTER INSERT ON wxpay_data.orders FOR EACH ROW EXECUTE FUNCTION wxpay_data.step_guard('order', 'pending');


--
-- Name: orders orders_stay; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER orders_stay BEFORE DELETE OR TRUNCATE ON wxpay_data.orders FOR EACH STATEMENT EXECUTE FUNCTION wxpay_data.row_stays();


--
-- Name: orders orders_step; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER orders_step BEFORE UPDATE OF state ON wxpay_data.orders FOR EACH ROW WHEN ((old.state IS DISTINCT FROM new.state)) EXECUTE FUNCTION wxpay_data.step_guard('order');


--
-- Name: payments payments_begin; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER payments_begin AFTER INSERT ON wxpay_data.payments FOR EACH ROW EXECUTE FUNCTION wxpay_data.step_guard('payment', 'created');


--
-- Name: payments payments_stay; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER payments_stay BEFORE DELETE OR TRUNCATE ON wxpay_data.payments FOR EACH STATEMENT EXECUTE FUNCTION wxpay_data.row_stays();


--
-- Name: payments payments_step; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER payments_step BEFORE UPDATE OF state ON wxpay_data.payments FOR EACH ROW WHEN ((old.state IS DISTINCT FROM new.state)) EXECUTE FUNCTION wxpay_data.step_guard('payment');


--
-- Name: refunds refunds_begin; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER refunds_begin AFTER INSERT ON wxpay_data.refunds FOR EACH ROW EXECUTE FUNCTION wxpay_data.step_guard('refund', 'pending,refunded');


--
-- Name: refunds refunds_reserve; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER refunds_reserve AFTER INSERT OR UPDATE ON wxpay_data.refunds FOR EACH ROW EXECUTE FUNCTION wxpay_data.refund_reserve();


--
-- Name: refunds refunds_stay; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER refunds_stay BEFORE DELETE OR TRUNCATE ON wxpay_data.refunds FOR EACH STATEMENT EXECUTE FUNCTION wxpay_data.row_stays();


--
-- Name: refunds refunds_step; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER refunds_step BEFORE UPDATE OF state ON wxpay_data.refunds FOR EACH ROW WHEN ((old.state IS DISTINCT FROM new.state)) EXECUTE FUNCTION wxpay_data.step_guard('refund');


--
-- Name: calls_default stays; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER stays BEFORE TRUNCATE ON wxpay_data.calls_default FOR EACH STATEMENT EXECUTE FUNCTION wxpay_data.journal_guard('calls');


--
-- Name: notices_default stays; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER stays BEFORE TRUNCATE ON wxpay_data.notices_default FOR EACH STATEMENT EXECUTE FUNCTION wxpay_data.journal_guard('notices');


--
-- Name: steps_default stays; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER stays BEFORE TRUNCATE ON wxpay_data.steps_default FOR EACH STATEMENT EXECUTE FUNCTION wxpay_data.journal_guard('steps');


--
-- Name: steps steps_only_grow; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER steps_only_grow BEFORE DELETE OR UPDATE ON wxpay_data.steps FOR EACH ROW EXECUTE FUNCTION wxpay_data.journal_guard('steps');


--
-- Name: steps steps_stay; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER steps_stay BEFORE TRUNCATE ON wxpay_data.steps FOR EACH STATEMENT EXECUTE FUNCTION wxpay_data.journal_guard('steps');


--
-- Name: wechat_keys wechat_keys_stay; Type: TRIGGER; Schema: wxpay_data; Owner: -
--

CREATE TRIGGER wechat_keys_stay BEFORE DELETE OR TRUNCATE ON wxpay_data.wechat_keys FOR EACH STATEMENT EXECUTE FUNCTION wxpay_data.row_stays();


--
-- Name: oauth_states oauth_states_mchid_fkey; Type: FK CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.oauth_states
    ADD CONSTRAINT oauth_states_mchid_fkey FOREIGN KEY (mchid) REFERENCES wxpay_data.merchants(mchid);


--
-- Name: oauth_states oauth_states_order_exists; Type: FK CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.oauth_states
    ADD CONSTRAINT oauth_states_order_exists FOREIGN KEY (mchid, order_no) REFERENCES wxpay_data.orders(mchid, order_no);


--
-- Name: orders orders_mchid_fkey; Type: FK CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.orders
    ADD CONSTRAINT orders_mchid_fkey FOREIGN KEY (mchid) REFERENCES wxpay_data.merchants(mchid);


--
-- Name: payments payments_order_exists; Type: FK CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.payments
    ADD CONSTRAINT payments_order_exists FOREIGN KEY (mchid, order_no) REFERENCES wxpay_data.orders(mchid, order_no);


--
-- Name: products products_mchid_fkey; Type: FK CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.products
    ADD CONSTRAINT products_mchid_fkey FOREIGN KEY (mchid) REFERENCES wxpay_data.merchants(mchid);


--
-- Name: refund_hints refund_hints_payment_exists; Type: FK CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.refund_hints
    ADD CONSTRAINT refund_hints_payment_exists FOREIGN KEY (mchid, out_trade_no) REFERENCES wxpay_data.payments(mchid, out_trade_no);


--
-- Name: refunds refunds_payment_exists; Type: FK CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.refunds
    ADD CONSTRAINT refunds_payment_exists FOREIGN KEY (mchid, out_trade_no) REFERENCES wxpay_data.payments(mchid, out_trade_no);


--
-- Name: request_ids request_ids_order_exists; Type: FK CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.request_ids
    ADD CONSTRAINT request_ids_order_exists FOREIGN KEY (mchid, order_no) REFERENCES wxpay_data.orders(mchid, order_no) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: shop_logins shop_logins_mchid_fkey; Type: FK CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.shop_logins
    ADD CONSTRAINT shop_logins_mchid_fkey FOREIGN KEY (mchid) REFERENCES wxpay_data.merchants(mchid);


--
-- Name: wechat_key_fetches wechat_key_fetches_mchid_fkey; Type: FK CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.wechat_key_fetches
    ADD CONSTRAINT wechat_key_fetches_mchid_fkey FOREIGN KEY (mchid) REFERENCES wxpay_data.merchants(mchid);


--
-- Name: wechat_key_uses wechat_key_uses_mchid_fkey; Type: FK CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.wechat_key_uses
    ADD CONSTRAINT wechat_key_uses_mchid_fkey FOREIGN KEY (mchid) REFERENCES wxpay_data.merchants(mchid);


--
-- Name: wechat_keys wechat_keys_mchid_fkey; Type: FK CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.wechat_keys
    ADD CONSTRAINT wechat_keys_mchid_fkey FOREIGN KEY (mchid) REFERENCES wxpay_data.merchants(mchid);


--
-- Name: wechat_tokens wechat_tokens_mchid_fkey; Type: FK CONSTRAINT; Schema: wxpay_data; Owner: -
--

ALTER TABLE ONLY wxpay_data.wechat_tokens
    ADD CONSTRAINT wechat_tokens_mchid_fkey FOREIGN KEY (mchid) REFERENCES wxpay_data.merchants(mchid);


--
-- Name: SCHEMA wxpay; Type: ACL; Schema: -; Owner: -
--

GRANT USAGE ON SCHEMA wxpay TO wxpay_pay;
GRANT USAGE ON SCHEMA wxpay TO wxpay_notify;
GRANT USAGE ON SCHEMA wxpay TO wxpay_refund;
GRANT USAGE ON SCHEMA wxpay TO wxpay_worker;
GRANT USAGE ON SCHEMA wxpay TO wxpay_shop;
GRANT USAGE ON SCHEMA wxpay TO wxpay_reader;


--
-- Name: FUNCTION calls_sweep(); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.calls_sweep() FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.calls_sweep() TO wxpay_worker;


--
-- Name: FUNCTION shop_mchid(); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.shop_mchid() FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.shop_mchid() TO wxpay_shop;
GRANT ALL ON FUNCTION wxpay.shop_mchid() TO wxpay_reader;


--
-- Name: TABLE events; Type: ACL; Schema: wxpay; Owner: -
--

GRANT SELECT ON TABLE wxpay.events TO wxpay_shop;
GRANT SELECT ON TABLE wxpay.events TO wxpay_reader;


--
-- Name: FUNCTION events_after(p_id bigint); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.events_after(p_id bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.events_after(p_id bigint) TO wxpay_shop;
GRANT ALL ON FUNCTION wxpay.events_after(p_id bigint) TO wxpay_reader;


--
-- Name: FUNCTION events_number(p_mchid text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.events_number(p_mchid text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.events_number(p_mchid text) TO wxpay_worker;


--
-- Name: FUNCTION key_put(p_mchid text, p_serial text, p_pem text, p_not_before bigint, p_not_after bigint); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.key_put(p_mchid text, p_serial text, p_pem text, p_not_before bigint, p_not_after bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.key_put(p_mchid text, p_serial text, p_pem text, p_not_before bigint, p_not_after bigint) TO wxpay_worker;


--
-- Name: FUNCTION key_seen(p_mchid text, p_serial text, p_via text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.key_seen(p_mchid text, p_serial text, p_via text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.key_seen(p_mchid text, p_serial text, p_via text) TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.key_seen(p_mchid text, p_serial text, p_via text) TO wxpay_notify;
GRANT ALL ON FUNCTION wxpay.key_seen(p_mchid text, p_serial text, p_via text) TO wxpay_refund;
GRANT ALL ON FUNCTION wxpay.key_seen(p_mchid text, p_serial text, p_via text) TO wxpay_worker;


--
-- Name: FUNCTION keys_claim(p_mchid text, p_nonce text, p_lease_s integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.keys_claim(p_mchid text, p_nonce text, p_lease_s integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.keys_claim(p_mchid text, p_nonce text, p_lease_s integer) TO wxpay_worker;


--
-- Name: FUNCTION keys_list(p_mchid text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.keys_list(p_mchid text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.keys_list(p_mchid text) TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.keys_list(p_mchid text) TO wxpay_notify;
GRANT ALL ON FUNCTION wxpay.keys_list(p_mchid text) TO wxpay_refund;
GRANT ALL ON FUNCTION wxpay.keys_list(p_mchid text) TO wxpay_worker;


--
-- Name: FUNCTION keys_report(p_mchid text, p_pub_key_id text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.keys_report(p_mchid text, p_pub_key_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.keys_report(p_mchid text, p_pub_key_id text) TO wxpay_worker;


--
-- Name: FUNCTION keys_safe(p_mchid text, p_pub_key_id text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.keys_safe(p_mchid text, p_pub_key_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.keys_safe(p_mchid text, p_pub_key_id text) TO wxpay_worker;


--
-- Name: FUNCTION keys_told(p_mchid text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_again_s integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.keys_told(p_mchid text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_again_s integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.keys_told(p_mchid text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_again_s integer) TO wxpay_worker;


--
-- Name: FUNCTION keys_wanted(p_mchid text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.keys_wanted(p_mchid text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.keys_wanted(p_mchid text) TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.keys_wanted(p_mchid text) TO wxpay_refund;
GRANT ALL ON FUNCTION wxpay.keys_wanted(p_mchid text) TO wxpay_worker;


--
-- Name: FUNCTION micropay_asked(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint, p_trade_type text, p_check_s integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.micropay_asked(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint, p_trade_type text, p_check_s integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.micropay_asked(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint, p_trade_type text, p_check_s integer) TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.micropay_asked(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint, p_trade_type text, p_check_s integer) TO wxpay_worker;


--
-- Name: FUNCTION micropay_claim(p_mchid text, p_out_trade_no text, p_nonce text, p_lease_s integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.micropay_claim(p_mchid text, p_out_trade_no text, p_nonce text, p_lease_s integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.micropay_claim(p_mchid text, p_out_trade_no text, p_nonce text, p_lease_s integer) TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.micropay_claim(p_mchid text, p_out_trade_no text, p_nonce text, p_lease_s integer) TO wxpay_worker;


--
-- Name: FUNCTION micropay_expire(p_mchid text, p_limit integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.micropay_expire(p_mchid text, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.micropay_expire(p_mchid text, p_limit integer) TO wxpay_worker;


--
-- Name: FUNCTION micropay_reversed(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_check_s integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.micropay_reversed(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_check_s integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.micropay_reversed(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_check_s integer) TO wxpay_worker;


--
-- Name: FUNCTION micropay_start(p_mchid text, p_way text, p_product_id text, p_quantity integer, p_order_no text, p_token text, p_total_fen bigint, p_body text, p_time_expire bigint, p_attach text, p_return_url text, p_request_id text, p_life_s integer, p_client_ip text, p_appid text, p_sub_mchid text, p_sub_appid text, p_nonce text, p_lease_s integer, p_wait_s integer, p_actor text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.micropay_start(p_mchid text, p_way text, p_product_id text, p_quantity integer, p_order_no text, p_token text, p_total_fen bigint, p_body text, p_time_expire bigint, p_attach text, p_return_url text, p_request_id text, p_life_s integer, p_client_ip text, p_appid text, p_sub_mchid text, p_sub_appid text, p_nonce text, p_lease_s integer, p_wait_s integer, p_actor text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.micropay_start(p_mchid text, p_way text, p_product_id text, p_quantity integer, p_order_no text, p_token text, p_total_fen bigint, p_body text, p_time_expire bigint, p_attach text, p_return_url text, p_request_id text, p_life_s integer, p_client_ip text, p_appid text, p_sub_mchid text, p_sub_appid text, p_nonce text, p_lease_s integer, p_wait_s integer, p_actor text) TO wxpay_pay;


--
-- Name: FUNCTION micropay_told(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint, p_check_s integer, p_refusal text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.micropay_told(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint, p_check_s integer, p_refusal text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.micropay_told(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint, p_check_s integer, p_refusal text) TO wxpay_pay;


--
-- Name: FUNCTION notice_other(p_mchid text, p_api text, p_request_id text, p_proof text, p_raw bytea, p_event_type text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.notice_other(p_mchid text, p_api text, p_request_id text, p_proof text, p_raw bytea, p_event_type text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.notice_other(p_mchid text, p_api text, p_request_id text, p_proof text, p_raw bytea, p_event_type text) TO wxpay_notify;


--
-- Name: FUNCTION notice_paid(p_mchid text, p_api text, p_request_id text, p_proof text, p_raw bytea, p_out_trade_no text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.notice_paid(p_mchid text, p_api text, p_request_id text, p_proof text, p_raw bytea, p_out_trade_no text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.notice_paid(p_mchid text, p_api text, p_request_id text, p_proof text, p_raw bytea, p_out_trade_no text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint) TO wxpay_notify;


--
-- Name: FUNCTION notice_refunded(p_mchid text, p_api text, p_request_id text, p_proof text, p_raw bytea, p_out_refund_no text, p_out_trade_no text, p_transaction_id text, p_sub_mchid text, p_refund_fen bigint, p_total_fen bigint, p_is_success boolean, p_is_signed boolean, p_refund_id text, p_refunded_at bigint); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.notice_refunded(p_mchid text, p_api text, p_request_id text, p_proof text, p_raw bytea, p_out_refund_no text, p_out_trade_no text, p_transaction_id text, p_sub_mchid text, p_refund_fen bigint, p_total_fen bigint, p_is_success boolean, p_is_signed boolean, p_refund_id text, p_refunded_at bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.notice_refunded(p_mchid text, p_api text, p_request_id text, p_proof text, p_raw bytea, p_out_refund_no text, p_out_trade_no text, p_transaction_id text, p_sub_mchid text, p_refund_fen bigint, p_total_fen bigint, p_is_success boolean, p_is_signed boolean, p_refund_id text, p_refunded_at bigint) TO wxpay_notify;


--
-- Name: FUNCTION oauth_begin(p_mchid text, p_order_no text, p_token text, p_state text, p_browser text, p_tries integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.oauth_begin(p_mchid text, p_order_no text, p_token text, p_state text, p_browser text, p_tries integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.oauth_begin(p_mchid text, p_order_no text, p_token text, p_state text, p_browser text, p_tries integer) TO wxpay_pay;


--
-- Name: FUNCTION oauth_sweep(); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.oauth_sweep() FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.oauth_sweep() TO wxpay_worker;


--
-- Name: FUNCTION oauth_take(p_mchid text, p_state text, p_browser text, p_nonce text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.oauth_take(p_mchid text, p_state text, p_browser text, p_nonce text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.oauth_take(p_mchid text, p_state text, p_browser text, p_nonce text) TO wxpay_pay;


--
-- Name: FUNCTION oauth_used(p_mchid text, p_state text, p_browser text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.oauth_used(p_mchid text, p_state text, p_browser text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.oauth_used(p_mchid text, p_state text, p_browser text) TO wxpay_pay;


--
-- Name: FUNCTION order_check(p_mchid text, p_order_no text, p_token text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.order_check(p_mchid text, p_order_no text, p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.order_check(p_mchid text, p_order_no text, p_token text) TO wxpay_pay;


--
-- Name: FUNCTION order_close(p_mchid text, p_order_no text, p_token text, p_nonce text, p_lease_s integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.order_close(p_mchid text, p_order_no text, p_token text, p_nonce text, p_lease_s integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.order_close(p_mchid text, p_order_no text, p_token text, p_nonce text, p_lease_s integer) TO wxpay_pay;


--
-- Name: FUNCTION order_code_url(p_mchid text, p_order_no text, p_token text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.order_code_url(p_mchid text, p_order_no text, p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.order_code_url(p_mchid text, p_order_no text, p_token text) TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.order_code_url(p_mchid text, p_order_no text, p_token text) TO wxpay_worker;


--
-- Name: FUNCTION order_expire(p_mchid text, p_limit integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.order_expire(p_mchid text, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.order_expire(p_mchid text, p_limit integer) TO wxpay_worker;


--
-- Name: FUNCTION order_payments(p_mchid text, p_order_no text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.order_payments(p_mchid text, p_order_no text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.order_payments(p_mchid text, p_order_no text) TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.order_payments(p_mchid text, p_order_no text) TO wxpay_worker;


--
-- Name: FUNCTION order_show(p_mchid text, p_order_no text, p_token text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.order_show(p_mchid text, p_order_no text, p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.order_show(p_mchid text, p_order_no text, p_token text) TO wxpay_pay;


--
-- Name: FUNCTION order_staff(p_mchid text, p_order_no text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.order_staff(p_mchid text, p_order_no text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.order_staff(p_mchid text, p_order_no text) TO wxpay_pay;


--
-- Name: FUNCTION order_state(p_mchid text, p_order_no text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.order_state(p_mchid text, p_order_no text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.order_state(p_mchid text, p_order_no text) TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.order_state(p_mchid text, p_order_no text) TO wxpay_worker;


--
-- Name: FUNCTION orders_list(p_mchid text, p_state text, p_order_no text, p_after bigint, p_limit integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.orders_list(p_mchid text, p_state text, p_order_no text, p_after bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.orders_list(p_mchid text, p_state text, p_order_no text, p_after bigint, p_limit integer) TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.orders_list(p_mchid text, p_state text, p_order_no text, p_after bigint, p_limit integer) TO wxpay_worker;


--
-- Name: FUNCTION partitions_ahead(); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.partitions_ahead() FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.partitions_ahead() TO wxpay_worker;


--
-- Name: FUNCTION pay_start(p_mchid text, p_way text, p_product_id text, p_quantity integer, p_order_no text, p_token text, p_total_fen bigint, p_body text, p_time_expire bigint, p_attach text, p_return_url text, p_request_id text, p_life_s integer, p_trade_type text, p_openid text, p_client_ip text, p_api text, p_appid text, p_sub_mchid text, p_sub_appid text, p_keep_payer boolean, p_nonce text, p_lease_s integer, p_close_after_s integer, p_check_s integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.pay_start(p_mchid text, p_way text, p_product_id text, p_quantity integer, p_order_no text, p_token text, p_total_fen bigint, p_body text, p_time_expire bigint, p_attach text, p_return_url text, p_request_id text, p_life_s integer, p_trade_type text, p_openid text, p_client_ip text, p_api text, p_appid text, p_sub_mchid text, p_sub_appid text, p_keep_payer boolean, p_nonce text, p_lease_s integer, p_close_after_s integer, p_check_s integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.pay_start(p_mchid text, p_way text, p_product_id text, p_quantity integer, p_order_no text, p_token text, p_total_fen bigint, p_body text, p_time_expire bigint, p_attach text, p_return_url text, p_request_id text, p_life_s integer, p_trade_type text, p_openid text, p_client_ip text, p_api text, p_appid text, p_sub_mchid text, p_sub_appid text, p_keep_payer boolean, p_nonce text, p_lease_s integer, p_close_after_s integer, p_check_s integer) TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.pay_start(p_mchid text, p_way text, p_product_id text, p_quantity integer, p_order_no text, p_token text, p_total_fen bigint, p_body text, p_time_expire bigint, p_attach text, p_return_url text, p_request_id text, p_life_s integer, p_trade_type text, p_openid text, p_client_ip text, p_api text, p_appid text, p_sub_mchid text, p_sub_appid text, p_keep_payer boolean, p_nonce text, p_lease_s integer, p_close_after_s integer, p_check_s integer) TO wxpay_worker;


--
-- Name: FUNCTION payment_claim(p_mchid text, p_out_trade_no text, p_nonce text, p_lease_s integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.payment_claim(p_mchid text, p_out_trade_no text, p_nonce text, p_lease_s integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.payment_claim(p_mchid text, p_out_trade_no text, p_nonce text, p_lease_s integer) TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.payment_claim(p_mchid text, p_out_trade_no text, p_nonce text, p_lease_s integer) TO wxpay_worker;


--
-- Name: FUNCTION payment_closed(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_check_s integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.payment_closed(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_check_s integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.payment_closed(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_check_s integer) TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.payment_closed(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_check_s integer) TO wxpay_worker;


--
-- Name: FUNCTION payment_prepaid(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_prepay_id text, p_code_url text, p_h5_url text, p_check_s integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.payment_prepaid(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_prepay_id text, p_code_url text, p_h5_url text, p_check_s integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.payment_prepaid(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_prepay_id text, p_code_url text, p_h5_url text, p_check_s integer) TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.payment_prepaid(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_prepay_id text, p_code_url text, p_h5_url text, p_check_s integer) TO wxpay_worker;


--
-- Name: FUNCTION payment_told(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint, p_check_s integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.payment_told(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint, p_check_s integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.payment_told(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint, p_check_s integer) TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.payment_told(p_mchid text, p_out_trade_no text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at bigint, p_check_s integer) TO wxpay_worker;


--
-- Name: FUNCTION ping(); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.ping() FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.ping() TO wxpay_pay;
GRANT ALL ON FUNCTION wxpay.ping() TO wxpay_notify;
GRANT ALL ON FUNCTION wxpay.ping() TO wxpay_refund;
GRANT ALL ON FUNCTION wxpay.ping() TO wxpay_worker;


--
-- Name: FUNCTION product_set(p_product_id text, p_body text, p_price_fen bigint); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.product_set(p_product_id text, p_body text, p_price_fen bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.product_set(p_product_id text, p_body text, p_price_fen bigint) TO wxpay_shop;


--
-- Name: FUNCTION refund_claim(p_mchid text, p_out_refund_no text, p_nonce text, p_lease_s integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.refund_claim(p_mchid text, p_out_refund_no text, p_nonce text, p_lease_s integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.refund_claim(p_mchid text, p_out_refund_no text, p_nonce text, p_lease_s integer) TO wxpay_refund;
GRANT ALL ON FUNCTION wxpay.refund_claim(p_mchid text, p_out_refund_no text, p_nonce text, p_lease_s integer) TO wxpay_worker;


--
-- Name: FUNCTION refund_decide(p_mchid text, p_out_refund_no text, p_decision text, p_operator text, p_reason text, p_gap_s integer, p_decision_id text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.refund_decide(p_mchid text, p_out_refund_no text, p_decision text, p_operator text, p_reason text, p_gap_s integer, p_decision_id text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.refund_decide(p_mchid text, p_out_refund_no text, p_decision text, p_operator text, p_reason text, p_gap_s integer, p_decision_id text) TO wxpay_refund;


--
-- Name: FUNCTION refund_request(p_mchid text, p_order_no text, p_token text, p_out_trade_no text, p_refund_fen bigint, p_reason text, p_request_id text, p_actor text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.refund_request(p_mchid text, p_order_no text, p_token text, p_out_trade_no text, p_refund_fen bigint, p_reason text, p_request_id text, p_actor text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.refund_request(p_mchid text, p_order_no text, p_token text, p_out_trade_no text, p_refund_fen bigint, p_reason text, p_request_id text, p_actor text) TO wxpay_refund;


--
-- Name: FUNCTION refund_show(p_mchid text, p_out_refund_no text, p_token text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.refund_show(p_mchid text, p_out_refund_no text, p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.refund_show(p_mchid text, p_out_refund_no text, p_token text) TO wxpay_refund;


--
-- Name: FUNCTION refund_told(p_mchid text, p_out_refund_no text, p_op text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_refund_id text, p_out_trade_no text, p_sub_mchid text, p_refund_fen bigint, p_refunded_at bigint, p_check_s integer, p_gap_s integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.refund_told(p_mchid text, p_out_refund_no text, p_op text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_refund_id text, p_out_trade_no text, p_sub_mchid text, p_refund_fen bigint, p_refunded_at bigint, p_check_s integer, p_gap_s integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.refund_told(p_mchid text, p_out_refund_no text, p_op text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_refund_id text, p_out_trade_no text, p_sub_mchid text, p_refund_fen bigint, p_refunded_at bigint, p_check_s integer, p_gap_s integer) TO wxpay_refund;
GRANT ALL ON FUNCTION wxpay.refund_told(p_mchid text, p_out_refund_no text, p_op text, p_lease_no bigint, p_call_no bigint, p_verdict text, p_code text, p_fate text, p_refund_id text, p_out_trade_no text, p_sub_mchid text, p_refund_fen bigint, p_refunded_at bigint, p_check_s integer, p_gap_s integer) TO wxpay_worker;


--
-- Name: FUNCTION refunds_list(p_mchid text, p_state text, p_after bigint, p_limit integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.refunds_list(p_mchid text, p_state text, p_after bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.refunds_list(p_mchid text, p_state text, p_after bigint, p_limit integer) TO wxpay_refund;


--
-- Name: FUNCTION shop_order_create(p_order_no text, p_total_fen bigint, p_body text, p_time_expire timestamp with time zone, p_attach text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.shop_order_create(p_order_no text, p_total_fen bigint, p_body text, p_time_expire timestamp with time zone, p_attach text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.shop_order_create(p_order_no text, p_total_fen bigint, p_body text, p_time_expire timestamp with time zone, p_attach text) TO wxpay_shop;


--
-- Name: FUNCTION ticket_show(p_mchid text, p_appid text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.ticket_show(p_mchid text, p_appid text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.ticket_show(p_mchid text, p_appid text) TO wxpay_pay;


--
-- Name: FUNCTION token_told(p_mchid text, p_appid text, p_kind text, p_lease_no bigint, p_outcome text, p_value text, p_life_s integer, p_early_s integer, p_stale text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.token_told(p_mchid text, p_appid text, p_kind text, p_lease_no bigint, p_outcome text, p_value text, p_life_s integer, p_early_s integer, p_stale text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.token_told(p_mchid text, p_appid text, p_kind text, p_lease_no bigint, p_outcome text, p_value text, p_life_s integer, p_early_s integer, p_stale text) TO wxpay_worker;


--
-- Name: FUNCTION tokens_claim(p_mchid text, p_appid text, p_lease_s integer); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.tokens_claim(p_mchid text, p_appid text, p_lease_s integer) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.tokens_claim(p_mchid text, p_appid text, p_lease_s integer) TO wxpay_worker;


--
-- Name: FUNCTION transaction_ask(p_mchid text, p_nonce text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.transaction_ask(p_mchid text, p_nonce text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.transaction_ask(p_mchid text, p_nonce text) TO wxpay_worker;


--
-- Name: FUNCTION transaction_told(p_mchid text, p_call_no bigint, p_verdict text, p_code text, p_out_trade_no text); Type: ACL; Schema: wxpay; Owner: -
--

REVOKE ALL ON FUNCTION wxpay.transaction_told(p_mchid text, p_call_no bigint, p_verdict text, p_code text, p_out_trade_no text) FROM PUBLIC;
GRANT ALL ON FUNCTION wxpay.transaction_told(p_mchid text, p_call_no bigint, p_verdict text, p_code text, p_out_trade_no text) TO wxpay_worker;


--
-- Name: FUNCTION actor_is(p_actor text, p_reason text); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.actor_is(p_actor text, p_reason text) FROM PUBLIC;


--
-- Name: FUNCTION call_begin(p_mchid text, p_op text, p_out_trade_no text, p_out_refund_no text, p_nonce text, p_lease_no bigint); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.call_begin(p_mchid text, p_op text, p_out_trade_no text, p_out_refund_no text, p_nonce text, p_lease_no bigint) FROM PUBLIC;


--
-- Name: FUNCTION call_end(p_call_no bigint, p_outcome text, p_code text); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.call_end(p_call_no bigint, p_outcome text, p_code text) FROM PUBLIC;


--
-- Name: FUNCTION code_is_anothers(p wxpay_data.payments, p_trade_type text, p_total_fen bigint, p_paid_at timestamp with time zone); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.code_is_anothers(p wxpay_data.payments, p_trade_type text, p_total_fen bigint, p_paid_at timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION event_add(p_mchid text, p_kind text, p_order_no text, p_out_trade_no text, p_out_refund_no text, p_fen bigint); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.event_add(p_mchid text, p_kind text, p_order_no text, p_out_trade_no text, p_out_refund_no text, p_fen bigint) FROM PUBLIC;


--
-- Name: FUNCTION journal_guard(); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.journal_guard() FROM PUBLIC;


--
-- Name: FUNCTION merchant_add(p_mchid text); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.merchant_add(p_mchid text) FROM PUBLIC;


--
-- Name: FUNCTION micropay_gone(p wxpay_data.payments); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.micropay_gone(p wxpay_data.payments) FROM PUBLIC;


--
-- Name: FUNCTION order_finish(p_mchid text, p_order_no text); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.order_finish(p_mchid text, p_order_no text) FROM PUBLIC;


--
-- Name: FUNCTION order_json(o wxpay_data.orders); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.order_json(o wxpay_data.orders) FROM PUBLIC;


--
-- Name: FUNCTION order_open(p_mchid text, p_way text, p_product_id text, p_quantity integer, p_order_no text, p_token text, p_total_fen bigint, p_body text, p_time_expire timestamp with time zone, p_attach text, p_return_url text, p_request_id text, p_life interval, OUT verdict text, OUT order_no text, OUT total_fen bigint); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.order_open(p_mchid text, p_way text, p_product_id text, p_quantity integer, p_order_no text, p_token text, p_total_fen bigint, p_body text, p_time_expire timestamp with time zone, p_attach text, p_return_url text, p_request_id text, p_life interval, OUT verdict text, OUT order_no text, OUT total_fen bigint) FROM PUBLIC;


--
-- Name: FUNCTION order_settle(p_mchid text, p_out_trade_no text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at timestamp with time zone, p_cause text); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.order_settle(p_mchid text, p_out_trade_no text, p_transaction_id text, p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text, p_bank_type text, p_paid_at timestamp with time zone, p_cause text) FROM PUBLIC;


--
-- Name: FUNCTION payment_lock(p_mchid text, p_out_trade_no text); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.payment_lock(p_mchid text, p_out_trade_no text) FROM PUBLIC;


--
-- Name: FUNCTION payments_mark_closing(p_mchid text, p_order_no text); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.payments_mark_closing(p_mchid text, p_order_no text) FROM PUBLIC;


--
-- Name: FUNCTION quarantine(p_mchid text, p_kind text, p_order_no text, p_out_trade_no text, p_transaction_id text, p_out_refund_no text, p_total_fen bigint, p_detail text); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.quarantine(p_mchid text, p_kind text, p_order_no text, p_out_trade_no text, p_transaction_id text, p_out_refund_no text, p_total_fen bigint, p_detail text) FROM PUBLIC;


--
-- Name: FUNCTION random_text(p_length integer); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.random_text(p_length integer) FROM PUBLIC;


--
-- Name: FUNCTION refund_foreign(p_mchid text, p_out_refund_no text, p_out_trade_no text, p_refund_id text, p_refund_fen bigint, p_refunded_at timestamp with time zone); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.refund_foreign(p_mchid text, p_out_refund_no text, p_out_trade_no text, p_refund_id text, p_refund_fen bigint, p_refunded_at timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION refund_hint_told(p_mchid text, p_out_refund_no text, p_lease_no bigint, p_verdict text, p_fate text, p_refund_id text, p_out_trade_no text, p_sub_mchid text, p_refund_fen bigint, p_refunded_at timestamp with time zone, p_again timestamp with time zone); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.refund_hint_told(p_mchid text, p_out_refund_no text, p_lease_no bigint, p_verdict text, p_fate text, p_refund_id text, p_out_trade_no text, p_sub_mchid text, p_refund_fen bigint, p_refunded_at timestamp with time zone, p_again timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION refund_holds(state text, failure text); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.refund_holds(state text, failure text) FROM PUBLIC;


--
-- Name: FUNCTION refund_json(r wxpay_data.refunds, p_for_staff boolean); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.refund_json(r wxpay_data.refunds, p_for_staff boolean) FROM PUBLIC;


--
-- Name: FUNCTION refund_lock(p_mchid text, p_out_refund_no text); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.refund_lock(p_mchid text, p_out_refund_no text) FROM PUBLIC;


--
-- Name: FUNCTION refund_make_room(p_mchid text, p_out_trade_no text, p_fen bigint, p_count integer); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.refund_make_room(p_mchid text, p_out_trade_no text, p_fen bigint, p_count integer) FROM PUBLIC;


--
-- Name: FUNCTION refund_reserve(); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.refund_reserve() FROM PUBLIC;


--
-- Name: FUNCTION refund_slot(p_mchid text, p_order_no text, p_gap_s integer); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.refund_slot(p_mchid text, p_order_no text, p_gap_s integer) FROM PUBLIC;


--
-- Name: FUNCTION refund_succeed(r wxpay_data.refunds, p_refund_id text, p_refunded_at timestamp with time zone); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.refund_succeed(r wxpay_data.refunds, p_refund_id text, p_refunded_at timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION refunds_awaited(p_mchid text, p_out_trade_no text); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.refunds_awaited(p_mchid text, p_out_trade_no text) FROM PUBLIC;


--
-- Name: FUNCTION reverse_is_refused(p wxpay_data.payments); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.reverse_is_refused(p wxpay_data.payments) FROM PUBLIC;


--
-- Name: FUNCTION rfc3339(p_at timestamp with time zone); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.rfc3339(p_at timestamp with time zone) FROM PUBLIC;


--
-- Name: FUNCTION row_stays(); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.row_stays() FROM PUBLIC;


--
-- Name: FUNCTION step_guard(); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.step_guard() FROM PUBLIC;


--
-- Name: FUNCTION unexpected_returned(p_mchid text, p_out_trade_no text, p_out_refund_no text); Type: ACL; Schema: wxpay_data; Owner: -
--

REVOKE ALL ON FUNCTION wxpay_data.unexpected_returned(p_mchid text, p_out_trade_no text, p_out_refund_no text) FROM PUBLIC;


--
-- Name: TABLE orders; Type: ACL; Schema: wxpay; Owner: -
--

GRANT SELECT ON TABLE wxpay.orders TO wxpay_shop;
GRANT SELECT ON TABLE wxpay.orders TO wxpay_reader;


--
-- Name: TABLE payments; Type: ACL; Schema: wxpay; Owner: -
--

GRANT SELECT ON TABLE wxpay.payments TO wxpay_shop;
GRANT SELECT ON TABLE wxpay.payments TO wxpay_reader;


--
-- Name: TABLE products; Type: ACL; Schema: wxpay; Owner: -
--

GRANT SELECT ON TABLE wxpay.products TO wxpay_shop;
GRANT SELECT ON TABLE wxpay.products TO wxpay_reader;


--
-- Name: TABLE refunds; Type: ACL; Schema: wxpay; Owner: -
--

GRANT SELECT ON TABLE wxpay.refunds TO wxpay_shop;
GRANT SELECT ON TABLE wxpay.refunds TO wxpay_reader;


--
-- Name: TABLE unexpected; Type: ACL; Schema: wxpay; Owner: -
--

GRANT SELECT ON TABLE wxpay.unexpected TO wxpay_shop;
GRANT SELECT ON TABLE wxpay.unexpected TO wxpay_reader;


--
-- Name: DEFAULT PRIVILEGES FOR FUNCTIONS; Type: DEFAULT ACL; Schema: -; Owner: -
--

ALTER DEFAULT PRIVILEGES FOR ROLE wxpay_owner REVOKE ALL ON FUNCTIONS  FROM PUBLIC;


--
-- PostgreSQL database dump complete
--

\unrestrict wxpay

