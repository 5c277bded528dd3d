-- shop_order_create: an order that the shop makes in SQL.  The same call again
-- gives the same order and token; another amount or text under a known number
-- raises.  time_expire: null for two hours from now.
create or replace function wxpay.shop_order_create(p_order_no text,
    p_total_fen bigint, p_body text, p_time_expire timestamptz default null,
    p_attach text default '')
    returns table (order_no text, token text)
    language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
#variable_conflict use_column
declare
    merchant text := wxpay.shop_mchid();
    o        orders;
begin
    if merchant is null then
        raise exception 'login % belongs to no merchant', session_user
            using hint = 'name it in wxpay_data.shop_logins';
    end if;
    insert into orders (mchid, order_no, token, origin, total_fen, body,
        attach, time_expire)
    values (merchant, p_order_no, random_text(22), 'shop', p_total_fen,
        p_body, coalesce(p_attach, ''), date_trunc('second',
            coalesce(p_time_expire, now() + interval '2 hours')))
    on conflict on constraint orders_pkey do nothing
    returning * into o;
    if not found then
        select * into o from orders
        where mchid = merchant and order_no = p_order_no;
        -- a page may have given it an attach since
        if (o.origin, o.total_fen, o.body) is distinct from
                ('shop', p_total_fen, p_body)
            or p_attach not in ('', o.attach)
            or date_trunc('second', p_time_expire) <> o.time_expire then
            raise exception 'order % exists with other content', p_order_no
                using errcode = 'unique_violation';
        end if;
    end if;
    return query select o.order_no, o.token;
end $$;
