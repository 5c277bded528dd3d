-- micropay_told: what became of a micropay call, with its facts; p_refusal is
-- WeChat's word for people.  Returns the verdict of order_settle if it was
-- paid, else the payment's state:
--   closed    refused for good.  The order stays: the next code is another
--             attempt.  WeChat is asked about this one once all the same
--   created   not known yet; the worker asks
--   reversing, reversed   whatever it says, it says it too late; but WeChat
--             may have heard of it after all, and is asked
create or replace function wxpay.micropay_told(p_mchid text,
    p_out_trade_no text, p_lease_no bigint, p_call_no bigint,
    p_verdict text, p_code text, p_fate text, p_transaction_id text,
    p_appid text, p_sub_mchid text, p_total_fen bigint, p_currency text,
    p_payer text, p_bank_type text, p_paid_at bigint, p_check_s int,
    p_refusal text)
    returns text language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
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
