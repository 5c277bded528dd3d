-- refunds_awaited: an amount is free again.  Refunds made by hand on WeChat's
-- platform that did not fit beside it are asked about once more: the answer
-- puts them into the books if they fit now.
create or replace function wxpay_data.refunds_awaited(p_mchid text,
    p_out_trade_no text)
    returns void language sql as $$
    insert into wxpay_data.refund_hints (mchid, out_refund_no, out_trade_no,
        due_at)
    select u.mchid, u.out_refund_no, u.out_trade_no, now()
    from wxpay_data.unexpected u
    where u.mchid = p_mchid and u.out_trade_no = p_out_trade_no
        and u.kind = 'refund' and u.state = 'open'
        and u.out_refund_no <> ''          -- a reversal has no number
    on conflict (mchid, out_refund_no) do update set due_at = now(), asked = 0
$$;
