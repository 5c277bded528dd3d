/*
 * What is bought: by product, of an order that exists, or signed by the shop.
 */
#include "base/clock.h"
#include "base/str.h"
#include "pay.h"
#include "pay/order.h"
#include "wire/sign2.h"

/* The fields that say what is bought, in each of the three ways. */
static const char *const what_product[] = {
	"product_id", "quantity", "total_fee", NULL
};
static const char *const what_order[] = { "order_no", "token", NULL };
static const char *const what_signed[] = {
	"order_no", "total_fee", "body", "time_expire", "sign", NULL
};

/* A field of another way beside ours would be ignored: refuse it. */
static bool
way_is_pure(const struct fields *form, const char *const way[],
    struct err *err)
{
	static const char *const *const ways[] = {
		what_product, what_order, what_signed
	};

	for (size_t i = 0; i < COUNT_OF(ways); i++)
		for (const char *const *name = ways[i]; *name != NULL; name++)
			if (fields_get(form, *name) != NULL
			    && !str_is_among(*name, way))
				return err_set(err, ERR_INPUT,
				    "%s: not together with %s", *name, way[0]);
	return true;
}

static bool
fen_field(const struct fields *form, const char *name, fen_t *out,
    struct err *err)
{
	const char *text = fields_get(form, name);

	if (text != NULL && !fen_parse(text, out))
		return err_set(err, ERR_INPUT,
		    "%s: not 1 to %lld fen", name, (long long)FEN_MAX);
	return true;
}

static bool
read_product(const struct fields *form, struct store_pay *out,
    struct err *err)
{
	const char *quantity = fields_get(form, "quantity");

	out->way = "product";
	out->quantity = 1;
	if (quantity != NULL && (!str_to_long(quantity, QUANTITY_MAX,
	    &out->quantity) || out->quantity < 1))
		return err_set(err, ERR_INPUT, "quantity: not 1 to %d",
		    QUANTITY_MAX);
	return way_is_pure(form, what_product, err)
	    && pay_need(form, "product_id", &out->product_id, err)
	    && order_product_id_check(out->product_id, err)
	    && fen_field(form, "total_fee", &out->total_fen, err);
}

static bool
read_order(const struct fields *form, struct store_pay *out, struct err *err)
{
	out->way = "order";
	return way_is_pure(form, what_order, err)
	    && pay_need(form, "order_no", &out->order_no, err)
	    && pay_need(form, "token", &out->token, err)
	    && order_no_check(out->order_no, err)
	    && order_token_check(out->token, err);
}

/* The shop's signature over exactly these fields. */
static bool
verify_shop(const struct pay *pay, const struct fields *form,
    struct err *err)
{
	static const char *const names[] = {
		"order_no", "total_fee", "body", "time_expire", "attach",
		"sign"
	};
	struct fields said = { 0 };
	struct err why = { 0 };
	bool ok = true;

	for (size_t i = 0; i < COUNT_OF(names) && ok; i++)
		if (fields_get(form, names[i]) != NULL)
			ok = fields_add(&said, names[i],
			    fields_get(form, names[i]), err);
	if (ok && !sign2_verify(&said, SIGN2_HMAC_SHA256,
	    pay->settings.shop_key, &why))
		ok = err_set(err, why.kind == ERR_AUTH ? ERR_FORBIDDEN
		    : why.kind, "sign: wrong");
	fields_clear(&said);
	return ok;
}

static bool
read_signed(const struct pay *pay, const struct fields *form,
    struct store_pay *out, struct err *err)
{
	const char *total, *expire, *sign;

	out->way = "signed";
	if (!way_is_pure(form, what_signed, err)
	    || !pay_need(form, "order_no", &out->order_no, err)
	    || !pay_need(form, "total_fee", &total, err)
	    || !pay_need(form, "body", &out->body, err)
	    || !pay_need(form, "time_expire", &expire, err)
	    || !pay_need(form, "sign", &sign, err)
	    || !order_no_check(out->order_no, err)
	    || !fen_field(form, "total_fee", &out->total_fen, err)
	    || !order_body_check(out->body, err))
		return false;
	if (!clock_parse_compact(expire, &out->time_expire))
		return err_set(err, ERR_INPUT,
		    "time_expire: not yyyyMMddHHmmss");
	return verify_shop(pay, form, err);
}

bool
pay_read_what(const struct pay *pay, const struct fields *form,
    struct store_pay *out, struct err *err)
{
	if (fields_get(form, "product_id") != NULL)
		return read_product(form, out, err);
	if (fields_get(form, "sign") != NULL)
		return read_signed(pay, form, out, err);
	if (fields_get(form, "token") != NULL)
		return read_order(form, out, err);
	return err_set(err, ERR_INPUT, "product_id: missing; or order_no with "
	    "token; or a form signed by the shop");
}
