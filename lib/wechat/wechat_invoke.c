#include "wechat/wechat_invoke.h"

#include "pay/payment.h"

bool
wechat_invoke_add(const char *appid, const char *prepay_id, const char *nonce,
    epoch_t now, const char *sign_type, struct fields *out, struct err *err)
{
	char package[sizeof("prepay_id=") + PREPAY_ID_MAX];
	char stamp[24];
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
