# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: Apache-2.0
# Starting, finding and ending the pieces. A piece is known by its pid and the
# moment that pid began, so that nobody else's process is ever ended. Each leads
# a session of its own: what a killed piece leaves behind is in its group.

# stat_of PID: what /proc/PID/stat says from the state on (field 3 is first).
# The name before it is in parentheses and may hold anything.
stat_of() {
	sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null
}

# began PID: when it began, in ticks; nothing for a dead or unreaped process.
began() {
	stat_of "$1" | awk '$1 != "Z" && $1 != "X" { print $20 }'
}

is_alive() { # PIECE
	[ -f "$place/pids/$1" ] || return 1
	read -r pid since _ <"$place/pids/$1" || return 1
	[ "$(began "$pid")" = "$since" ]
}

pid_of() { # PIECE
	is_alive "$1" || return 0
	echo "$pid"
}

# as_user USER COMMAND...: run as that user; root alone can be another.
as_user() {
	account=$1
	shift
	if [ "$account" = "$(id -un)" ]; then
		"$@"
	else
		setpriv --reuid="$account" --regid="$(id -gn "$account")" \
			--init-groups -- "$@"
	fi
}

# start PIECE USER INPUTS COMMAND...: start it unless it runs already, with this
# command and with the same content of the files that INPUTS names (a file that
# is not there counts as empty).
start() {
	piece=$1 account=$2 inputs=$3
	shift 3
	# shellcheck disable=SC2086 # paths of ours have no blanks
	print=$(printf '%s\n' "$account" "$@" | cat - $inputs 2>/dev/null | cksum)
	if is_alive "$piece" && [ "$print" = "$(cat "$place/pids/$piece.print")" ]; then
		say "$piece runs already"
		return
	fi
	stop "$piece"
	say "Starting $piece"
	if [ "$account" != "$(id -un)" ]; then
		set -- setpriv --reuid="$account" --regid="$(id -gn "$account")" \
			--init-groups -- "$@"
	fi
	setsid "$@" </dev/null >>"$place/log/$piece.out" 2>&1 9>&- &
	pid=$!
	echo "$pid $(began "$pid")" >"$place/pids/$piece"
	echo "$print" >"$place/pids/$piece.print"
}

# members GROUP: the live processes of a process group.
members() {
	for entry in /proc/[0-9]*/stat; do
		sed 's/^\([0-9]*\) .*) /\1 /' "$entry" 2>/dev/null || true
	done | awk -v group="$1" '$4 == group && $2 != "Z" { print $1 }'
}

# What is left of a group whose leader is gone is still ours: the kernel gives
# a number to nobody else while it names a group. A leader of that number that
# began at another time is somebody else's.
end_leftovers() { # GROUP
	[ -z "$(began "$1")" ] || return 0
	left=$(members "$1")
	[ -z "$left" ] || kill -s KILL -- "-$1" 2>/dev/null || true
}

stop() { # PIECE
	[ -f "$place/pids/$1" ] || return 0
	read -r pid _ <"$place/pids/$1" || pid=
	if is_alive "$1"; then
		kill -TERM "$pid" 2>/dev/null || true
		tries=600
		while is_alive "$1" && [ $tries -gt 0 ]; do
			sleep 0.1
			tries=$((tries - 1))
		done
	fi
	if is_alive "$1"; then
		say "$1 ($pid) does not end: killed"
		kill -s KILL -- "-$pid" 2>/dev/null || true
	fi
	[ -z "$pid" ] || end_leftovers "$pid"
	rm -f "$place/pids/$1" "$place/pids/$1.print"
}

# wait_for PIECE COMMAND...: until the command succeeds, half a minute at most.
wait_for() {
	piece=$1
	shift
	tries=300
	until "$@" >/dev/null 2>&1; do
		if ! is_alive "$piece" || [ $tries = 0 ]; then
			die_with_log "$place/log/$piece.out" "$piece did not start"
		fi
		tries=$((tries - 1))
		sleep 0.1
	done
}
