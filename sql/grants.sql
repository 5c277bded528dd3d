-- Who may do what.  A program's role may execute its own functions, and has
-- no right on any table; the shop and readers may read the views.  Run after
-- every migration, so a function that leaves this file loses its grant.

revoke all on schema wxpay, wxpay_data from public;
revoke all on all tables in schema wxpay, wxpay_data from public;
revoke all on all functions in schema wxpay, wxpay_data from public,
    wxpay_pay, wxpay_notify, wxpay_refund, wxpay_worker, wxpay_shop,
    wxpay_reader;
alter default privileges for role wxpay_owner
    revoke execute on functions from public;

grant usage on schema wxpay to wxpay_pay, wxpay_notify, wxpay_refund,
    wxpay_worker, wxpay_shop, wxpay_reader;

grant execute on function wxpay.ping
    to wxpay_pay, wxpay_notify, wxpay_refund, wxpay_worker;

grant execute on function wxpay.keys_list, wxpay.key_seen
    to wxpay_pay, wxpay_notify, wxpay_refund, wxpay_worker;

grant execute on function wxpay.keys_wanted
    to wxpay_pay, wxpay_refund, wxpay_worker;

grant execute on function wxpay.notice_paid, wxpay.notice_refunded,
    wxpay.notice_other
    to wxpay_notify;

grant execute on function wxpay.order_show, wxpay.order_close,
    wxpay.order_check, wxpay.oauth_begin, wxpay.oauth_take, wxpay.oauth_used,
    wxpay.ticket_show
    to wxpay_pay;

-- the worker's, too, for wxpayctl pay
grant execute on function wxpay.pay_start, wxpay.payment_prepaid,
    wxpay.order_code_url
    to wxpay_pay, wxpay_worker;

grant execute on function wxpay.order_payments, wxpay.orders_list,
    wxpay.order_state
    to wxpay_pay, wxpay_worker;

grant execute on function wxpay.payment_claim, wxpay.payment_told,
    wxpay.payment_closed
    to wxpay_pay, wxpay_worker;

grant execute on function wxpay.order_staff, wxpay.micropay_start,
    wxpay.micropay_told
    to wxpay_pay;

grant execute on function wxpay.micropay_claim, wxpay.micropay_asked
    to wxpay_pay, wxpay_worker;

grant execute on function wxpay.micropay_expire, wxpay.micropay_reversed
    to wxpay_worker;

grant execute on function wxpay.refund_request, wxpay.refund_decide,
    wxpay.refund_show, wxpay.refunds_list
    to wxpay_refund;

grant execute on function wxpay.refund_claim, wxpay.refund_told
    to wxpay_refund, wxpay_worker;

grant execute on function wxpay.transaction_ask, wxpay.transaction_told
    to wxpay_worker;

grant execute on function wxpay.order_expire, wxpay.events_number,
    wxpay.calls_sweep, wxpay.partitions_ahead, wxpay.keys_claim,
    wxpay.key_put, wxpay.keys_told, wxpay.keys_report, wxpay.keys_safe,
    wxpay.tokens_claim, wxpay.token_told, wxpay.oauth_sweep
    to wxpay_worker;

grant select on wxpay.orders, wxpay.payments, wxpay.refunds, wxpay.events,
    wxpay.products, wxpay.unexpected
    to wxpay_shop, wxpay_reader;
grant execute on function wxpay.shop_mchid to wxpay_shop, wxpay_reader;
grant execute on function wxpay.shop_order_create, wxpay.product_set
    to wxpay_shop;
grant execute on function wxpay.events_after to wxpay_shop, wxpay_reader;
