#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a checkout to a running Claviger in one command: packages, build, a
# private MariaDB and Redis, the schema, the first owner, a real web server with
# TLS. For a first look, for development and for tests; it listens on 127.0.0.1
# alone and is no way to run it for others. What it knows lives in one folder.
# shellcheck disable=SC1090,SC2034,SC2154 # the parts share variables
set -eu
umask 022
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

deploy=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
source_dir=${deploy%/*}

for part in say process machine place build stores program front; do
	. "$deploy/quickstart/$part.sh"
done

usage() {
	cat <<'EOF'
usage: quickstart.sh [up] [--dir DIR] [--port PORT] [--front FRONT]
                     [--workers N] [--set section.key=value]... [--no-install]
       quickstart.sh down [--purge] [--dir DIR]
       quickstart.sh status [--dir DIR]

up      make and start what is not there yet; harmless to repeat
down    stop everything; --purge also removes all data
status  show every piece; exit 0 when all run

--dir      where it lives (root: /var/lib/claviger-quickstart,
           others: ~/.claviger-quickstart)
--port     where it listens on 127.0.0.1 (8443)
--front    lighttpd (default), nginx, apache-proxy or apache-fcgid
--workers  processes that answer requests (2 a core and 2)
--set      one setting, see docs/configuration.md; kept for the next time
--no-install  never call apt-get

Port, front, workers and settings are remembered in DIR. DIR/instance.env tells
other programs, in shell syntax, how to reach it.

environment: CLAVIGER_PREFIX (an installed prefix to use: nothing is built),
CLAVIGER_BUILD_DIR (where to build), CONFIGURE_FLAGS, CC, CFLAGS
EOF
}

default_dir() {
	if [ "$(id -u)" = 0 ]; then
		echo /var/lib/claviger-quickstart
	else
		echo "${HOME:?HOME is not set: use --dir}/.claviger-quickstart"
	fi
}

take_setting() {
	case ${1%%=*} in
	"$1" | *[!a-z0-9_.]* | .* | *.) ;;
	*.*)
		settings="$settings$1
"
		return
		;;
	esac
	die "--set wants section.key=value, not '$1'"
}

# take NAME VALUE: one option that has a value.
take() {
	case $1 in
	--dir) dir=$2 ;;
	--port) port=$2 ;;
	--front) front=$2 ;;
	--workers) workers=$2 ;;
	--set) take_setting "$2" ;;
	esac
}

parse() {
	while [ $# -gt 0 ]; do
		case $1 in
		up | down | status) command=$1 ;;
		--dir | --port | --front | --workers | --set)
			[ $# -ge 2 ] || die "$1 wants a value"
			take "$1" "$2"
			shift
			;;
		--dir=* | --port=* | --front=* | --workers=* | --set=*)
			take "${1%%=*}" "${1#*=}"
			;;
		--no-install) install=no ;;
		--purge) purge=yes ;;
		-h | --help)
			usage
			exit 0
			;;
		*) die "unknown word '$1' (see --help)" ;;
		esac
		shift
	done
}

is_number() {
	case $1 in '' | *[!0-9]*) return 1 ;; esac
}

check_options() {
	is_number "$port" || die "--port wants a number, not '$port'"
	case $front in
	lighttpd | nginx | apache-proxy | apache-fcgid) ;;
	*) die "--front wants lighttpd, nginx, apache-proxy or apache-fcgid, not '$front'" ;;
	esac
	[ "$workers" = auto ] || is_number "$workers" ||
		die "--workers wants a number or auto, not '$workers'"
}

# recall NAME DEFAULT: what an earlier up was told.
recall() {
	value=$(sed -n "s/^$1=//p" "$dir/quickstart.options" 2>/dev/null | tail -n 1)
	echo "${value:-$2}"
}

recall_options() {
	port=${port:-$(recall port 8443)}
	front=${front:-$(recall front lighttpd)}
	workers=${workers:-$(recall workers auto)}
	settings="$(sed -n 's/^set=//p' "$dir/quickstart.options" 2>/dev/null || true)
$settings"
	settings=$(printf '%s\n' "$settings" | last_of_each)
}

remember_options() {
	{
		printf '%s\n' "port=$port" "front=$front" "workers=$workers"
		printf '%s\n' "$settings" | sed '/^$/d; s/^/set=/'
	} >"$dir/quickstart.options.new"
	mv "$dir/quickstart.options.new" "$dir/quickstart.options"
}

# Of lines "name=value", the last of each name, in the order of the first.
last_of_each() {
	awk '/=/ {
		name = $0; sub(/[ \t]*=.*/, "", name)
		if (!(name in line)) order[++count] = name
		line[name] = $0
	} END { for (i = 1; i <= count; i++) print line[order[i]] }'
}

# One up or down in a folder at a time; fd 9 is closed for what stays behind.
take_lock() {
	exec 9>"$dir/.lock"
	flock -w 300 9 || die "another quickstart.sh works in $dir"
}

write_instance() {
	cat >"$dir/instance.env.new" <<EOF
CLAVIGER_URL='https://localhost:$port'
CLAVIGER_CA_FILE='$place/ca/ca.pem'
CLAVIGER_CA_KEY='$place/ca/ca.key'
CLAVIGER_OWNER_EMAIL='$owner_email'
CLAVIGER_OWNER_PASSWORD='$(cat "$place/etc/owner.password")'
CLAVIGER_MAIL_DIR='$place/mail'
CLAVIGER_CONFIG='$config'
CLAVIGER_CTL='$ctl'
CLAVIGER_DB_SOCKET='$db_socket'
CLAVIGER_DB_NAME='$db_name'
CLAVIGER_REDIS_SOCKET='$redis_socket'
CLAVIGER_MASTER_PID='$(pid_of claviger)'
CLAVIGER_FCGI_SOCKET='$(fcgi_socket)'
CLAVIGER_FRONT='$front'
CLAVIGER_FRONT_PID='$(pid_of front)'
CLAVIGER_DB_PID='$(pid_of mariadb)'
CLAVIGER_REDIS_PID='$(pid_of redis)'
CLAVIGER_LOG_DIR='$place/log'
EOF
	chmod 600 "$dir/instance.env.new"
	mv "$dir/instance.env.new" "$dir/instance.env"
}

tell() {
	cat <<EOF

Claviger answers at https://localhost:$port/

  owner      $owner_email
  password   $(cat "$place/etc/owner.password")
  CA         $place/ca/ca.pem   (for curl --cacert, or to trust in a browser)
  mail       $place/mail   (one file a message; none leaves this machine)
  settings   $config
  logs       $place/log
  for programs   $dir/instance.env

  sh $deploy/quickstart.sh status --dir $dir
  sh $deploy/quickstart.sh down --dir $dir
EOF
}

up() {
	mkdir -p "$dir"
	dir=$(CDPATH='' cd -- "$dir" && pwd -P)
	take_lock
	recall_options
	check_options
	remember_options
	install_packages
	choose_accounts
	choose_place
	build
	lay_out
	start_mariadb
	start_redis
	prepare_program
	start_program
	start_front
	wait_until_ready
	write_instance
	tell
}

# Front first, stores last: nobody meets a half-stopped stack.
pieces='front claviger redis mariadb'

down() {
	[ -d "$dir" ] || die "there is nothing in $dir"
	dir=$(CDPATH='' cd -- "$dir" && pwd -P)
	take_lock
	find_place
	for piece in $pieces; do
		is_alive "$piece" && say "Stopping $piece"
		stop "$piece"
	done
	[ "$purge" = no ] || remove_place
}

status() {
	[ -f "$dir/quickstart.options" ] || die "there is no instance in $dir"
	dir=$(CDPATH='' cd -- "$dir" && pwd -P)
	find_place
	front=$(recall front lighttpd)
	missing=0
	for piece in $pieces; do
		case $front:$piece in apache-fcgid:claviger) continue ;; esac
		if is_alive "$piece"; then
			printf '%-9s running  %s\n' "$piece" "$(pid_of "$piece")"
		else
			printf '%-9s stopped\n' "$piece"
			missing=1
		fi
	done
	return $missing
}

command=up dir='' port='' front='' workers='' settings='' install=yes purge=no
parse "$@"
dir=${dir:-$(default_dir)}
"$command"
