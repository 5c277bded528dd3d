-- h5: what a phone's browser meets at WeChat.  [v2.md 7.1, v3.md 9]

-- Where WeChat's pages are; main says so.
alter table sandbox.settings add column if not exists
    pages_url text not null default 'https://wx.tenpay.com';

create or replace function sandbox.h5_url(prepay sandbox.prepays)
returns text
language sql stable as $$
    select s.pages_url || '/cgi-bin/mmpayweb-bin/checkmweb?prepay_id='
        || prepay.prepay_id || '&package='
        || abs(hashtext(prepay.prepay_id)::bigint)
    from sandbox.settings s
$$;

-- The same machine has two addresses of this kind.
create or replace function sandbox.is_loopback(ip inet) returns boolean
language sql immutable as $$
    select ip <<= '127.0.0.0/8' or ip = '::1'
$$;

-- An order as its page shows it to whoever comes from this address.  why is
-- the text of the page that is shown instead.
create or replace function sandbox.h5_show(of_prepay text, ip text)
returns table (out_trade_no text, total_fee text, body text, state text,
    why text)
language sql stable as $$
    select p.out_trade_no, p.total_fen::text, p.params->>'body', p.state,
        case when e.made_at < clock_timestamp() - interval '5 minutes'
            then '支付请求已失效，请重新发起支付'
        when g.given <> ip::inet and not (sandbox.is_loopback(g.given)
            and sandbox.is_loopback(ip::inet))
            then '网络环境未能通过安全验证，请稍后再试' end
    from sandbox.prepays e join sandbox.payments p using (out_trade_no),
        lateral (select (p.params->>'spbill_create_ip')::inet as given) g
    where e.prepay_id = of_prepay and p.trade_type = 'MWEB'
$$;
