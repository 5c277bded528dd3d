-- notice_other: WeChat told us, provably, something that is no payment and no
-- refund.  Kept, and acknowledged.
create or replace function wxpay.notice_other(p_mchid text, p_api text,
    p_request_id text, p_proof text, p_raw bytea, p_event_type text)
    returns boolean language sql security definer
    set search_path = wxpay_data, pg_temp as $$
    insert into notices (mchid, kind, api, request_id, verdict, proof, raw)
    values (p_mchid, 'other', p_api, p_request_id, p_event_type, p_proof,
        p_raw)
    returning true
$$;
