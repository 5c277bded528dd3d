-- order_settle: record that the money for a payment arrived.  Believes its
-- caller that WeChat said so, and nothing else.
-- Any number of calls, in any order.  Locks the order, then the payment.
--   settled   this call moved the payment and the order to paid
--   already   an earlier call did, with the same facts
--   second    the order is paid by other money, or this payment is reversed;
--             quarantined, someone must give this back
--   differs   the facts contradict ours; quarantined, nothing else written
--   unknown   no such payment; quarantined
create or replace function wxpay_data.order_settle(p_mchid text,
    p_out_trade_no text, p_transaction_id text, p_appid text,
    p_sub_mchid text, p_total_fen bigint, p_currency text, p_payer text,
    p_bank_type text, p_paid_at timestamptz, p_cause text)
    returns text language plpgsql
    set search_path = wxpay_data, pg_temp as $$
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
