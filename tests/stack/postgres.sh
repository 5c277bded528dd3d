# A private PostgreSQL in $DIR: no TCP, and who connects is known by his user
# number.  Sourced after common.sh.

PG_BIN=$(pg_config --bindir)
ROLES="postgres sandbox wxpay_pay wxpay_notify wxpay_refund wxpay_worker \
wxpay_shop wxpay_reader"

postgres_make() {
	# from a place that postgres may enter
	(cd "$DIR" && exec "${AS_POSTGRES[@]}" "$PG_BIN/initdb" -D "$DIR/data" -U postgres \
	    -E UTF8 --locale=C.UTF-8 --data-checksums --auth=peer \
	    >"$DIR/log/initdb.log") || fail "initdb; see $RUN/log/initdb.log"
	cat >>"$DIR/data/postgresql.conf" <<-END
		listen_addresses = ''
		unix_socket_directories = '$DIR/socket'
		max_connections = 200
		timezone = 'UTC'
		# What a client sent stays out of the log.
		log_parameter_max_length_on_error = 0
		log_error_verbosity = terse
	END
	printf 'local all all peer map=stack\n' >"$DIR/data/pg_hba.conf"
	postgres_map >"$DIR/data/pg_ident.conf"
}

postgres_map() {
	local user role

	for user in $({ id -un; "${AS_PROGRAM[@]}" id -un
	    "${AS_POSTGRES[@]}" id -un; } | sort -u); do
		for role in $ROLES; do
			printf 'stack %s %s\n' "$user" "$role"
		done
	done
}

postgres_start() {
	sweep postgres
	rm -f "$DIR/data/postmaster.pid" "$DIR"/socket/.s.PGSQL.*
	start postgres "${AS_POSTGRES[@]}" "$PG_BIN/postgres" -D "$DIR/data"
	must_answer postgres postgres_answers
}

postgres_answers() {
	"$PG_BIN/pg_isready" -q -U postgres -h "$DIR/socket"
}

# sql DATABASE ARGUMENTS...: as the superuser.
sql() {
	local database=$1

	shift
	psql -X -q -v ON_ERROR_STOP=1 -h "$DIR/socket" -U postgres -d "$database" "$@"
}
