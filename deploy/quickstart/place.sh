# shellcheck shell=sh disable=SC2154,SC2034
# SPDX-License-Identifier: Apache-2.0
# The folder. Everything is in DIR where it can be: sockets need short paths,
# configuration files plain names, and the accounts that root gives the pieces
# to must be able to enter. Elsewhere DIR/place links to a folder in /var/tmp.

# Sockets have 108 bytes; the longest name after the place is tmp/fcgid/PID.N.
place_limit=80

is_plain() { # PATH
	case $1 in *[!A-Za-z0-9/._+-]*) return 1 ;; esac
	[ ${#1} -le $place_limit ]
}

can_enter() { # FOLDER
	as_user "$service_user" test -x "$1" && as_user "$web_user" test -x "$1"
}

find_place() {
	place=$dir
	[ ! -d "$dir/place" ] || place=$(readlink "$dir/place")
}

choose_place() {
	find_place
	if [ "$place" = "$dir" ]; then
		chmod a+x "$dir"
		if ! is_plain "$dir" || ! can_enter "$dir"; then
			place=$(mktemp -d /var/tmp/claviger-XXXXXX)
			chmod 711 "$place"
			ln -sfn "$place" "$dir/place"
			say "$dir cannot hold sockets or be entered by all: using $place"
		fi
	fi
	cd /
}

# own FOLDER USER GROUP MODE
own() {
	mkdir -p "$place/$1"
	[ "$(id -u)" != 0 ] || chown "$2:$3" "$place/$1"
	chmod "$4" "$place/$1"
}

# A log belongs to who writes it, and is there before anyone can make it.
own_log() { # NAME USER
	touch "$place/log/$1"
	[ "$(id -u)" != 0 ] || chown "$2:" "$place/log/$1"
	chmod 640 "$place/log/$1"
}

lay_out() {
	service_group=$(id -gn "$service_user")
	web_group=$(id -gn "$web_user")
	own etc "$(id -un)" "$(id -gn)" 711
	own pids "$(id -un)" "$(id -gn)" 755
	own log "$(id -un)" "$(id -gn)" 755
	own run "$service_user" "$web_group" 750
	own lib "$service_user" "$service_group" 750
	own mail "$service_user" "$service_group" 700
	own mysql "$service_user" "$service_group" 750
	own redis "$service_user" "$service_group" 750
	own tmp "$web_user" "$web_group" 700
	own tmp/fcgid "$web_user" "$web_group" 700
	own_log claviger.log "$service_user"
	own_log access.log "$web_user"
	own_log error.log "$web_user"
	sh "$deploy/errors/make.sh" "$place/errors"
	sh "$deploy/dev-ca.sh" "$place/ca"
	chmod 711 "$place/ca"
}

remove_place() {
	say "Removing all data in $place"
	for entry in build build.log ca errors etc install lib log mail master.key mysql \
		pids redis run tmp; do
		rm -rf "${place:?}/$entry"
	done
	rm -f "$dir/instance.env" "$dir/quickstart.options" "$dir/packages.log" \
		"$dir/.lock" "$dir/place"
	rmdir "$place" "$dir" 2>/dev/null || true
}
