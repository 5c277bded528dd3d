#include "wechat/wechat_invoke.h"

#include "pay/payment.h"

#define STAMP_SIZE 24

bool
wechat_invoke_add(const char *appid, const char *prepay_id, const char *nonce,
    epoch_t now, const char *sign_type, struct fields *out, struct err *err)
{
	char package[sizeof("prepay_id=") + PREPAY_ID_MAX];
	char stamp[STAMP_SIZE];
	int len;

	len = snprintf(package, sizeof(package), "prepay_id=%s", prepay_id);
	if (len < 0 || (size_t)len >= sizeof(package))
		return err_set(err, ERR_BUG, "prepay_id is too long");
	(void)snprintf(stamp, sizeof(stamp), "%lld", (long long)now);
	return fields_add(out, "appId", appid, err)
	    && fields_add(out, "timeStamp", stamp, err)
	    && fields_add(out, "nonceStr", nonce, err)
	    && fields_add(out, "package", package, err)
	    && fields_add(out, "signType", sign_type, err);
}

bool
wechat_invoke_add_app(const char *appid, const char *mchid,
    const char *prepay_id, const char *nonce, epoch_t now,
    struct fields *out, struct err *err)
{
	char stamp[STAMP_SIZE];

	(void)snprintf(stamp, sizeof(stamp), "%lld", (long long)now);
	return fields_add(out, "appid", appid, err)
	    && fields_add(out, "partnerid", mchid, err)
	    && fields_add(out, "prepayid", prepay_id, err)
	    && fields_add(out, "package", "Sign=WXPay", err)
	    && fields_add(out, "noncestr", nonce, err)
	    && fields_add(out, "timestamp", stamp, err);
}
