-- micropay_expire: payments by a code whose time is over are reversed from now
-- on, whatever is heard of them, and their orders are to be closed: committed
-- before WeChat is told.  Not while somebody asks about one; one that nobody
-- has asked about lately, for the worker was not there, is asked about first;
-- and a number that was used before might reverse another's payment.  At most
-- p_limit; returns how many.
create or replace function wxpay.micropay_expire(p_mchid text, p_limit int)
    returns int language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
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
