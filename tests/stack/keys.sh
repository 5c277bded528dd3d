# Certificates and secrets of one stack, all new.  Sourced after common.sh.

# authority NAME: a CA of our own, $DIR/tls/NAME_ca.pem.
authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -sha256 -days 30 -subj "/O=wxpay demo/CN=$1 CA" \
	    -addext basicConstraints=critical,CA:TRUE,pathlen:0 \
	    -addext keyUsage=critical,keyCertSign,cRLSign \
	    -keyout "$DIR/tls/$1_ca.key" -out "$DIR/tls/$1_ca.pem" 2>/dev/null
}

# certificate NAME CA SUBJECT KEY EXTENSION...: signed by that CA.
certificate() {
	local name=$1 ca=$2 subject=$3 key=$4

	shift 4
	openssl req -new -newkey "$key" -nodes -subj "$subject" \
	    -keyout "$DIR/tls/$name.key" 2>/dev/null |
	openssl x509 -req -sha256 -days 30 -CA "$DIR/tls/${ca}_ca.pem" \
	    -CAkey "$DIR/tls/${ca}_ca.key" -set_serial "0x$(openssl rand -hex 16)" \
	    -extfile <(printf '%s\n' "$@" basicConstraints=CA:FALSE) \
	    -out "$DIR/tls/$name.pem" 2>/dev/null
}

make_tls() {
	openssl ecparam -name prime256v1 -out "$DIR/tls/curve.pem"
	authority shop
	certificate server shop /CN=localhost "ec:$DIR/tls/curve.pem" \
	    subjectAltName=DNS:localhost extendedKeyUsage=serverAuth
	authority wechat
	certificate merchant wechat "/O=wxpay demo/CN=$MCHID" rsa:2048 \
	    extendedKeyUsage=clientAuth
	chmod 0400 "$DIR"/tls/*.key
}

# keep_key NAME: standard input becomes a key file that programs may read.
keep_key() {
	(umask 0377 && cat >"$DIR/keys/$1")
	chgrp "$GROUP" "$DIR/keys/$1"
	chmod 0440 "$DIR/keys/$1"
}

make_secrets() {
	local name

	for name in api_key apiv3_key shop_key site_secret; do
		openssl rand -hex 16 | keep_key "$name"
	done
	for name in operator operator2; do
		openssl rand -hex 12 | keep_key "${name}_password"
	done
	keep_key merchant_cert <"${MERCHANT_CERT:-$DIR/tls/merchant.pem}"
	keep_key merchant_key <"${MERCHANT_KEY:-$DIR/tls/merchant.key}"
	{
		htpasswd_line alice operator_password
		htpasswd_line bob operator2_password
	} | keep_key operators
}

htpasswd_line() {
	printf '%s:%s\n' "$1" \
	    "$(openssl passwd -6 -stdin <"$DIR/keys/$2")"
}
