# The files that the stack's programs read.  Sourced after common.sh.

make_conf() {
	{
		conf_base
		conf_sub
		conf_keys
		[ -z "$WECHAT_URL" ] || printf 'wechat_url = "%s";\n' "$WECHAT_URL"
		[ -z "$WECHAT_CA" ] || printf 'wechat_ca = "%s";\n' \
		    "$(readlink -e "$WECHAT_CA")"
	} | conf_set
}

# Waits are short where a person would wait; rules of WeChat's stay.
conf_base() {
	cat <<-END
		db_conninfo = "host=$DIR/socket dbname=wxpay";
		admin_conninfo = "host=$DIR/socket dbname=wxpay user=postgres";
		db_connections = 8;
		threads = 16;
		mchid = "$MCHID";
		api = "$API";
		appid = "$APPID";
		sign_type = "HMAC-SHA256";
		api_key = "$DIR/keys/api_key";
		apiv3_key = "$DIR/keys/apiv3_key";
		shop_key = "$DIR/keys/shop_key";
		site_secret = "$DIR/keys/site_secret";
		merchant_cert = "$DIR/keys/merchant_cert";
		merchant_key = "$DIR/keys/merchant_key";
		wechat_url = "https://localhost:$WECHAT_PORT";
		wechat_ca = "$DIR/tls/shop_ca.pem";
		wechat_private = 1;
		wechat_connect_ms = 3000;
		wechat_total_ms = 10000;
		trade_types = "NATIVE JSAPI MWEB APP";
		app_appid = "$APP_APPID";
		appsecret = "$DIR/keys/appsecret";
		mini_appid = "$MINI_APPID";
		mini_appsecret = "$DIR/keys/mini_appsecret";
		platform_url = "https://localhost:$WECHAT_PORT";
		oauth_url = "https://localhost:$WECHAT_PORT";
		token_early = 600;
		public_url = "https://localhost:$PORT";
		return_hosts = "localhost:$PORT";
		allowed_origins = "https://localhost:$PORT";
		order_life = 7200;
		micropay = 1;
		close_after = 300;
		refund_gap = 60;
		check_first = 20;
		check_young = 30;
		refund_check_first = 2;
		worker_poll_ms = 200;
		keys_refresh = 2;
	END
}

# The sub-merchant whom SET names, to us and to WeChat: text, though his number
# looks like one.
conf_sub() {
	local key value

	for key in sub_mchid sub_appid; do
		value=$(set_value "$key")
		[ -z "$value" ] || printf '%s = "%s";\n' "$key" "$value"
	done
}

# Of WeChat's keys for V3 those that KEY_MODE says.
conf_keys() {
	[ "$KEY_MODE" = certificate ] || cat <<-END
		wechat_pub_key = "$DIR/keys/wechat_pub_key";
		wechat_pub_key_id = "$PUB_KEY_ID";
	END
	[ "$KEY_MODE" = public ] \
	    || printf 'platform_ca = "%s";\n' "$DIR/keys/platform_ca"
}

sandbox_conf() {
	local mode=$KEY_MODE

	[ "$mode" != both ] || mode=public
	cat <<-END
		db_conninfo = "host=$DIR/socket dbname=sandbox user=sandbox";
		mchid = "$MCHID";
		appid = "$APPID";
		api_key = "$DIR/keys/api_key";
		merchant_dn = "$(openssl x509 -noout -subject -nameopt RFC2253 \
		    -in "$DIR/tls/merchant.pem" | sed 's/^subject=//')";
		notify_ca = "$DIR/tls/shop_ca.pem";
		appsecret = "$DIR/keys/appsecret";
		mini_appid = "$MINI_APPID";
		mini_appsecret = "$DIR/keys/mini_appsecret";
		app_appid = "$APP_APPID";
		pages_url = "https://localhost:$WECHAT_PORT";
		web_domain = "localhost:$PORT";
		refund_notify_url = "https://localhost:$PORT/notify/refunded";
		private_notify = 1;
		apiv3_key = "$DIR/keys/apiv3_key";
		merchant_cert = "$DIR/keys/merchant_cert";
		wechat_key = "$DIR/keys/wechat_pay_key";
		wechat_pub_key_id = "$PUB_KEY_ID";
		platform_cert_1 = "$DIR/tls/platform_1.pem";
		platform_key_1 = "$DIR/keys/platform_1_key";
		platform_cert_2 = "$DIR/tls/platform_2.pem";
		platform_key_2 = "$DIR/keys/platform_2_key";
		key_mode = "$mode";
	END
	conf_sub
}

# set_value KEY: what SET says of it, if anything.
set_value() {
	local pair

	for pair in $SET; do
		[ "${pair%%=*}" != "$1" ] || printf '%s' "${pair#*=}"
	done
}

# Each key=value of $SET takes the place of the line with that key, in the
# spelling of that line; a new one is a number if it looks like one.
conf_set() {
	awk -v set="$SET" '
	BEGIN {
		n = split(set, pairs, " ")
		for (i = 1; i <= n; i++) {
			at = index(pairs[i], "=")
			value[substr(pairs[i], 1, at - 1)] = \
			    substr(pairs[i], at + 1)
		}
	}
	{ last[$1] = $0; if (!($1 in line)) { line[$1] = NR; order[NR] = $1 } }
	END {
		for (i = 1; i <= NR; i++) {
			key = order[i]
			if (key == "")
				continue
			text = last[key]
			if (key in value) {
				text = spell(key, text ~ /"/)
				delete value[key]
			}
			print text
		}
		for (key in value)
			print spell(key, value[key] !~ /^[0-9]+$/)
	}
	function spell(key, is_text) {
		return key " = " (is_text ? "\"" value[key] "\"" : value[key]) ";"
	}'
}

make_nginx() {
	local file user='' here="s|/run/wxpay/|$DIR/socket/|; s|/var/log/nginx/|$DIR/log/|
	    s|/etc/wxpay/operators|$DIR/keys/operators|
	    s|/usr/local/share/wxpay/pages|$DIR/pages|
	    s|^\tdefault 1;|&\n\t127.0.0.0/8 0;\n\t::1 0;|"

	[ "$(id -u)" != 0 ] || user="user nobody $GROUP;"
	for file in nginx/*.conf; do
		sed "$here" "$file" >"$DIR/$file"
	done
	for file in nginx/pages/*; do
		sed "s|shop.example.com|localhost:$PORT|g" "$file" \
		    >"$DIR/${file#nginx/}"
	done
	sed "s|@DIR@|$DIR|g; s|@PORT@|$PORT|g; s|@USER@|$user|
	    s|@WECHAT_PORT@|$WECHAT_PORT|g; s|@HEALTH_PORT@|$HEALTH_PORT|g" \
	    tests/stack/nginx.conf.in |
	if [ -s /proc/net/if_inet6 ]; then
		cat
	else
		grep -v 'listen \[::1\]'
	fi >"$DIR/nginx/nginx.conf"
}

# The names of design 7, for tests and people.
make_env() {
	{
		name_value WXPAY_URL "https://localhost:$PORT"
		name_value CA "$DIR/tls/shop_ca.pem"
		name_value SANDBOX_URL "https://localhost:$WECHAT_PORT"
		name_value HEALTH_URL "http://127.0.0.1:$HEALTH_PORT/healthz"
		name_value API "$API"
		name_value MCHID "$MCHID"
		name_value APPID "$APPID"
		name_value SUB_MCHID "$(set_value sub_mchid)"
		name_value SUB_APPID "$(set_value sub_appid)"
		name_value MINI_APPID "$MINI_APPID"
		name_value APP_APPID "$APP_APPID"
		name_value APPSECRET "$(cat "$DIR/keys/appsecret")"
		name_value API_KEY "$(cat "$DIR/keys/api_key")"
		name_value APIV3_KEY "$(cat "$DIR/keys/apiv3_key")"
		name_value SHOP_KEY "$(cat "$DIR/keys/shop_key")"
		name_value SITE_SECRET "$(cat "$DIR/keys/site_secret")"
		name_value PRODUCT_ID tea
		name_value PRODUCT_FEN 8800
		name_value OPERATOR alice
		name_value OPERATOR_PASSWORD "$(cat "$DIR/keys/operator_password")"
		name_value OPERATOR2 bob
		name_value OPERATOR2_PASSWORD "$(cat "$DIR/keys/operator2_password")"
		name_value DATABASE "host=$DIR/socket dbname=wxpay user=postgres"
		name_value SANDBOX_DATABASE \
		    "host=$DIR/socket dbname=sandbox user=sandbox"
		name_value CONF "$DIR/wxpay.conf"
		name_value MERCHANT_CERT "$DIR/keys/merchant_cert"
		name_value MERCHANT_KEY "$DIR/keys/merchant_key"
		name_value MERCHANT_SERIAL \
		    "$(serial_of "$DIR/keys/merchant_cert")"
		name_value WECHAT_KEY_MODE "$KEY_MODE"
		name_value WECHAT_PUB_KEY "$DIR/keys/wechat_pub_key"
		name_value WECHAT_PUB_KEY_ID "$PUB_KEY_ID"
		name_value WECHAT_KEY "$DIR/keys/wechat_pay_key"
		name_value PLATFORM_CERT_1 "$DIR/tls/platform_1.pem"
		name_value PLATFORM_KEY_1 "$DIR/keys/platform_1_key"
		name_value PLATFORM_CERT_2 "$DIR/tls/platform_2.pem"
		name_value PLATFORM_KEY_2 "$DIR/keys/platform_2_key"
		name_value BIN "$(readlink -e "$BIN")"
		name_value DIR "$DIR"
	}
}

name_value() {
	case $2 in
	*[!A-Za-z0-9_./:@=-]*) printf "%s='%s'\n" "$1" "$2" ;;
	*) printf '%s=%s\n' "$1" "$2" ;;
	esac
}
