-- Orders that wait for their money, half of them for notify, half for pgbench.
insert into wxpay_data.orders (mchid, order_no, token, origin, total_fen, body,
    attempts, time_expire)
select :'mchid', kind || lpad(i::text, 9, '0'), wxpay_data.random_text(22),
    'shop', 100, 'bench', 1, now() + interval '1 day'
from generate_series(0, :orders - 1) i, unnest(array['N', 'P']) kind;
insert into wxpay_data.payments (mchid, out_trade_no, order_no, attempt, api,
    appid, trade_type, client_ip, total_fen, close_at)
select mchid, order_no, order_no, 1, 'v2', :'appid', 'NATIVE', '127.0.0.1',
    total_fen, now() + interval '5 minutes'
from wxpay_data.orders where body = 'bench';
vacuum analyze wxpay_data.orders, wxpay_data.payments;
checkpoint;
