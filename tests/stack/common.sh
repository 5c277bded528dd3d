# What the scripts of the stack share.  Sourced by bash at the top of the tree.
set -euo pipefail

RUN=${RUN:-build/run}
PORT=${PORT:-8443}
BIN=${BIN:-build}
WECHAT_PORT=$((PORT + 1))
HEALTH_PORT=$((PORT + 2))
DEADLINE_S=60

say() {
	printf '%s\n' "$*"
}

fail() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# wait_until WHAT COMMAND...: ask again until it is true or time is up.
wait_until() {
	local what=$1 end=$((SECONDS + DEADLINE_S))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || fail "$what: not within $DEADLINE_S s"
		sleep 0.05
	done
}

# PostgreSQL refuses root, and programs need not be root: where we are, they
# run as postgres and nobody.  Else all run as the one who calls.
AS_POSTGRES=()
AS_PROGRAM=()
GROUP=$(id -gn)
if [ "$(id -u)" = 0 ]; then
	AS_POSTGRES=(setpriv --reuid postgres --regid postgres --init-groups --)
	AS_PROGRAM=(setpriv --reuid nobody --regid nogroup --clear-groups --)
	GROUP=nogroup
fi

# The directory that $RUN links to; empty if there is none.
DIR=$(readlink -e "$RUN" || true)

# works_here PID: it stands in our directory, or in that of the data.  Asked of
# every process of the machine, so it starts none.
works_here() {
	[ "/proc/$1/cwd" -ef "$DIR" ] || [ "/proc/$1/cwd" -ef "$DIR/data" ]
}

# is_ours PID: a process of this stack, and not one that the system has given
# the number of a dead one.
is_ours() {
	works_here "$1" || grep -qsF "$DIR/" "/proc/$1/cmdline"
}

pid_of() {
	cat "$DIR/pid/$1.pid" 2>/dev/null || true
}

is_alive() {
	local pid

	pid=$(pid_of "$1")
	[ -n "$pid" ] && is_ours "$pid"
}

# start NAME COMMAND...: in the background, in a session of its own.  Every
# word of the chain execs the next, so $! is the program itself.
start() {
	local name=$1

	shift
	(
		cd "$DIR"
		setsid "$@" </dev/null >>"log/$name.log" 2>&1 &
		printf '%s\n' $! >"pid/$name.pid"
	)
}

# sweep NAME: kill what a killed parent has left behind, which may still hold
# its port or its memory, and wait for the end of it.
sweep() {
	local pid

	for pid in $(left_behind "$1"); do
		kill -KILL "$pid" 2>/dev/null || true
	done
	wait_until "the end of $1" nothing_left "$1"
}

left_behind() {
	local proc

	for proc in /proc/[0-9]*; do
		if works_here "${proc#/proc/}" \
		    && [ "$(cat "$proc/comm" 2>/dev/null)" = "$1" ]; then
			printf '%s\n' "${proc#/proc/}"
		fi
	done
}

nothing_left() {
	[ -z "$(left_behind "$1")" ]
}

# must_answer NAME COMMAND...: until it answers or has died.
must_answer() {
	local name=$1

	shift
	wait_until "$name" answers_or_died "$name" "$@"
}

answers_or_died() {
	local name=$1

	shift
	if ! is_alive "$name"; then
		tail -n 5 "$DIR/log/$name.log" >&2
		fail "$name has died; its log is $RUN/log/$name.log"
	fi
	"$@"
}

# A new private directory.  Homes may be closed to other users, and socket
# paths are short: it lies below /tmp, and $RUN says where.
make_dir() {
	mkdir -p "$(dirname "$RUN")"
	[ -L "$RUN" ] || [ ! -e "$RUN" ] || fail "$RUN is in the way"
	DIR=$(mktemp -d /tmp/wxpay.XXXXXX)
	ln -sfn "$DIR" "$RUN"
	chmod 0711 "$DIR"
	mkdir "$DIR"/{pid,tls,nginx,pages}
	mkdir -m 0700 "$DIR"/{data,socket,log}
	mkdir -m 0750 "$DIR/keys"
	chgrp "$GROUP" "$DIR/keys"
	if [ "$(id -u)" = 0 ]; then
		chown postgres:postgres "$DIR/data"
		chown nobody:postgres "$DIR/socket"
		chmod 0770 "$DIR/socket"
	fi
}

# stop NAME SIGNAL: ask, wait, insist.  A stopped process hears after CONT.
stop() {
	local pid end=$((SECONDS + 10))

	pid=$(pid_of "$1")
	if is_alive "$1"; then
		kill "-$2" "$pid" 2>/dev/null || true
		kill -CONT "$pid" 2>/dev/null || true
	fi
	while is_alive "$1"; do
		[ "$SECONDS" -lt "$end" ] || kill -KILL "$pid" 2>/dev/null || true
		sleep 0.05
	done
	rm -f "$DIR/pid/$1.pid"
}

remove_dir() {
	case $DIR in
	/tmp/wxpay.??????) rm -rf "$DIR" ;;
	esac
	rm -f "$RUN"
}
