-- order_open: find or make the order that a shop page asks to have paid, and
-- lock it.  p_way says how what is bought is named:
--   product   p_product_id, p_quantity; the price is ours, p_total_fen beside
--             it is what the page showed
--   order     p_order_no, p_token of an existing order
--   signed    p_order_no, p_total_fen, p_body, p_time_expire, p_attach; the
--             caller has verified the shop's signature over them
-- A p_request_id names one order for ever; a second caller waits for the
-- first one's commit.  Verdicts:
--   open      order_no is locked
--   differs   the same number or request_id, another what
--   price     the page showed another price: total_fen is ours
--   unknown   no such product, or no such order and token
--   too_much  price times quantity is more than one order can be
create or replace function wxpay_data.order_open(p_mchid text, p_way text,
    p_product_id text, p_quantity int, p_order_no text, p_token text,
    p_total_fen bigint, p_body text, p_time_expire timestamptz,
    p_attach text, p_return_url text, p_request_id text, p_life interval,
    out verdict text, out order_no text, out total_fen bigint)
    language plpgsql
    set search_path = wxpay_data, pg_temp as $$
declare
    product products;
    known   orders;
    asked   text := case p_way
        when 'product' then jsonb_build_array(p_product_id, p_quantity)::text
        else jsonb_build_array(p_order_no)::text end;
begin
    if p_way = 'product' then
        select * into product from products
        where mchid = p_mchid and product_id = p_product_id;
        if not found then
            verdict := 'unknown';
            return;
        end if;
        total_fen := product.price_fen * p_quantity;
        if total_fen > 2147483647 then
            verdict := 'too_much';
            return;
        end if;
        order_no := 'W' || to_char(now() at time zone 'Asia/Shanghai',
            'YYMMDD') || translate(random_text(20), '-_', 'xy');
    else
        order_no := p_order_no;
    end if;

    if p_way = 'order' then
        select * into known from orders o
        where o.mchid = p_mchid and o.order_no = p_order_no
            and o.token = p_token;
        if not found then
            verdict := 'unknown';
            return;
        end if;
    end if;
    if p_request_id is not null then
        insert into request_ids values
            (p_mchid, p_request_id, asked, order_no)
        on conflict on constraint request_ids_pkey do nothing;
        if not found then
            select r.order_no into order_no from request_ids r
            where r.mchid = p_mchid and r.request_id = p_request_id
                and r.what = asked;
            if not found then
                verdict := 'differs';
                return;
            end if;
            select * into known from orders o where o.mchid = p_mchid
                and o.order_no = order_open.order_no;
        end if;
    end if;

    if p_way = 'product' and known.mchid is null then
        if p_total_fen <> total_fen then
            delete from request_ids r where r.mchid = p_mchid
                and r.request_id = p_request_id
                and r.order_no = order_open.order_no;
            verdict := 'price';
            return;
        end if;
        insert into orders (mchid, order_no, token, origin, total_fen, body,
            attach, product_id, quantity, return_url, time_expire)
        values (p_mchid, order_no, random_text(22), 'product', total_fen,
            product.body, p_attach, p_product_id, p_quantity, p_return_url,
            date_trunc('second', now() + p_life));
    elsif p_way = 'signed' then
        insert into orders (mchid, order_no, token, origin, total_fen, body,
            attach, return_url, time_expire)
        values (p_mchid, order_no, random_text(22), 'signed', p_total_fen,
            p_body, p_attach, p_return_url, p_time_expire)
        on conflict on constraint orders_pkey do nothing;
    end if;

    select * into known from orders o
    where o.mchid = p_mchid and o.order_no = order_open.order_no for no key update;
    total_fen := known.total_fen;
    if p_way = 'signed' and (known.origin, known.total_fen, known.body,
        known.attach, known.time_expire) is distinct from ('signed',
        p_total_fen, p_body, p_attach, p_time_expire) then
        verdict := 'differs';
    elsif p_way = 'product' and p_total_fen <> known.total_fen then
        verdict := 'price';
    elsif p_way = 'order' and p_attach not in ('', known.attach)
        and (known.attach <> '' or known.attempts > 0) then
        verdict := 'differs';
    else
        -- an order that the shop made in SQL learns these from its page
        update orders o set return_url = coalesce(p_return_url, o.return_url),
            attach = case when p_way = 'order' and p_attach <> ''
                then p_attach else o.attach end
        where o.mchid = p_mchid and o.order_no = known.order_no
            and (p_return_url <> coalesce(o.return_url, '')
                or p_way = 'order' and p_attach not in ('', o.attach));
        verdict := 'open';
    end if;
end $$;
