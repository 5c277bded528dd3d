-- notice_paid: WeChat told us, provably, that a payment was made.  Journals
-- the notice whatever it leads to, so that every answer stands on a row that
-- this transaction wrote.  Verdicts of order_settle.  A payment is believed
-- in its own API alone: a key of V2 says nothing of a payment of V3, and
-- WeChat would not.
create or replace function wxpay.notice_paid(p_mchid text, p_api text,
    p_request_id text, p_proof text, p_raw bytea, p_out_trade_no text,
    p_transaction_id text, p_appid text, p_sub_mchid text,
    p_total_fen bigint, p_currency text, p_payer text, p_bank_type text,
    p_paid_at bigint)
    returns text language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
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
