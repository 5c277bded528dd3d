\set i :i + 1
\set n :client_id * :each + :i
select * from wxpay.notice_paid(:mchid::text, 'v2', 'bench', '', decode(repeat('3c', 900), 'hex'), 'P' || lpad((:n)::text, 9, '0'), '42P' || :n, :appid, '', 100, 'CNY', 'oUpF8uMEb4qRXf22hE3X68TekukE', 'CMB_CREDIT', 1800000000);
