# Certificates and secrets of one stack, all new.  Sourced after common.sh.

# authority NAME SUBJECT: a CA of our own, $DIR/tls/NAME_ca.pem.
authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -sha256 -days 30 -subj "$2" \
	    -addext basicConstraints=critical,CA:TRUE,pathlen:0 \
	    -addext keyUsage=critical,keyCertSign,cRLSign \
	    -keyout "$DIR/tls/$1_ca.key" -out "$DIR/tls/$1_ca.pem" 2>/dev/null
}

# certificate NAME CA SERIAL SUBJECT KEY EXTENSION...: signed by that CA.
certificate() {
	local name=$1 ca=$2 serial=$3 subject=$4 key=$5

	shift 5
	openssl req -new -newkey "$key" -nodes -subj "$subject" \
	    -keyout "$DIR/tls/$name.key" 2>/dev/null |
	openssl x509 -req -sha256 -days 30 -CA "$DIR/tls/${ca}_ca.pem" \
	    -CAkey "$DIR/tls/${ca}_ca.key" -set_serial "0x$serial" \
	    -extfile <(printf '%s\n' "$@" basicConstraints=CA:FALSE) \
	    -out "$DIR/tls/$name.pem" 2>/dev/null
}

# serial BEGINNING: 40 hexadecimal digits, as WeChat's are.
serial() {
	local random

	random=$(openssl rand -hex 20)
	printf '%s%s' "$1" "${random:${#1}}"
}

make_tls() {
	openssl ecparam -name prime256v1 -out "$DIR/tls/curve.pem"
	authority shop "/O=wxpay demo/CN=shop CA"
	certificate server shop "$(serial 5)" /CN=localhost \
	    "ec:$DIR/tls/curve.pem" \
	    subjectAltName=DNS:localhost extendedKeyUsage=serverAuth
	authority wechat "/O=wxpay demo/CN=wechat CA"
	certificate merchant wechat "$(serial 5)" "/O=wxpay demo/CN=$MCHID" \
	    rsa:2048 extendedKeyUsage=clientAuth
	make_platform
	chmod 0400 "$DIR"/tls/*.key
}

# What WeChat signs with: a key pair whose public half merchants download, and
# two certificates, one after the other.  The second one's serial begins with
# zeros, which OpenSSL does not write and WeChat does.
make_platform() {
	local tenpay=/C=CN/O=Tenpay.com

	PUB_KEY_ID=${WECHAT_PUB_KEY_ID:-PUB_KEY_ID_0119$(
	    shuf -r -n 24 -i 0-9 | tr -d '\n')}
	openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 \
	    -out "$DIR/tls/wechat_pay.key"
	openssl pkey -in "$DIR/tls/wechat_pay.key" -pubout \
	    -out "$DIR/tls/wechat_pay.pem"
	authority platform "$tenpay/OU=Tenpay.com CA Center/CN=Tenpay.com Root CA"
	certificate platform_1 platform "$(serial 5)" \
	    "$tenpay/OU=Tenpay.com CA Center/CN=Tenpay.com sign" rsa:2048
	certificate platform_2 platform "$(serial 00ab)" \
	    "$tenpay/OU=Tenpay.com CA Center/CN=Tenpay.com sign" rsa:2048
}

# keep_key NAME: standard input becomes a key file that programs may read.
keep_key() {
	(umask 0377 && cat >"$DIR/keys/$1")
	chgrp "$GROUP" "$DIR/keys/$1"
	chmod 0440 "$DIR/keys/$1"
}

make_secrets() {
	local name

	for name in api_key apiv3_key shop_key site_secret appsecret \
	    mini_appsecret; do
		openssl rand -hex 16 | keep_key "$name"
	done
	for name in operator operator2; do
		openssl rand -hex 12 | keep_key "${name}_password"
	done
	keep_key merchant_cert <"${MERCHANT_CERT:-$DIR/tls/merchant.pem}"
	keep_key merchant_key <"${MERCHANT_KEY:-$DIR/tls/merchant.key}"
	keep_key wechat_pub_key <"${WECHAT_PUB_KEY:-$DIR/tls/wechat_pay.pem}"
	keep_key platform_ca <"$DIR/tls/platform_ca.pem"
	for name in wechat_pay platform_1 platform_2; do
		keep_key "${name}_key" <"$DIR/tls/$name.key"
	done
	{
		htpasswd_line alice operator_password
		htpasswd_line bob operator2_password
	} | keep_key operators
}

# serial_of CERTIFICATE: as 40 upper-case hexadecimal digits.
serial_of() {
	local serial

	serial=$(openssl x509 -noout -serial -in "$1")
	printf '%40s' "${serial#serial=}" | tr ' ' 0
}

htpasswd_line() {
	printf '%s:%s\n' "$1" \
	    "$(openssl passwd -6 -stdin <"$DIR/keys/$2")"
}
