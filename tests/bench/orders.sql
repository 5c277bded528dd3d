-- Orders that wait for their money: for notify (N of V2, T of V3) and pgbench.
insert into wxpay_data.orders (mchid, order_no, token, origin, total_fen, body,
    attempts, time_expire)
select :'mchid', kind || lpad(i::text, 9, '0'), wxpay_data.random_text(22),
    'shop', 100, 'bench', 1, now() + interval '1 day'
from generate_series(0, :orders - 1) i, unnest(array['N', 'P', 'T']) kind;
insert into wxpay_data.payments (mchid, out_trade_no, order_no, attempt, api,
    appid, trade_type, client_ip, total_fen, close_at)
select mchid, order_no, order_no, 1,
    case left(order_no, 1) when 'T' then 'v3' else 'v2' end, :'appid',
    'NATIVE', '127.0.0.1', total_fen, now() + interval '5 minutes'
from wxpay_data.orders where body = 'bench';
vacuum analyze wxpay_data.orders, wxpay_data.payments;
checkpoint;
