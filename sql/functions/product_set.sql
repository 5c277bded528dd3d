-- product_set: the shop offers a product at a price, or changes it.
create or replace function wxpay.product_set(p_product_id text, p_body text,
    p_price_fen bigint)
    returns void language plpgsql security definer
    set search_path = wxpay_data, pg_temp as $$
declare
    merchant text := wxpay.shop_mchid();
begin
    if merchant is null then
        raise exception 'login % belongs to no merchant', session_user
            using hint = 'name it in wxpay_data.shop_logins';
    end if;
    insert into products (mchid, product_id, body, price_fen)
    values (merchant, p_product_id, p_body, p_price_fen)
    on conflict (mchid, product_id) do update
        set body = excluded.body, price_fen = excluded.price_fen,
            updated_at = now();
end $$;
