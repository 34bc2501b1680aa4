# shellcheck shell=sh disable=SC2154,SC2034
# SPDX-License-Identifier: Apache-2.0
# Claviger itself: its settings, its schema, the first owner, its processes.

owner_email=owner@claviger.test
# The list that Debian has; one's own: clavigerctl passwords load FILE.
password_list=/usr/share/john/password.lst

# The program's own socket; Apache's mod_fcgid makes one for each process.
fcgi_socket() {
	[ "$front" = apache-fcgid ] || echo "$place/run/claviger.sock"
}

settings_of_place() {
	cat <<EOF
server.public_url = https://localhost:$port
server.runtime_dir = $place/run
server.htdocs = $share/htdocs
log.file = $place/log/claviger.log
database.socket = $db_socket
database.name = $db_name
database.user = claviger
database.password = $(cat "$place/etc/database.password")
redis.socket = $redis_socket
keys.master_file = $place/master.key
mail.transport = maildir
mail.maildir = $place/mail
mail.from = no-reply@claviger.test
EOF
	[ ! -r "$password_list" ] ||
		echo "password.leaked_file = $place/lib/passwords.filter"
}

# Root starts the program, which becomes another user; that user's socket is
# for the web server.
settings_of_accounts() {
	[ "$(id -u)" = 0 ] || return 0
	echo "server.user = $service_user"
	[ "$service_user" != "$web_user" ] || return 0
	echo "server.socket_group = $web_group"
	echo "server.peers = $web_user"
}

# own_secret FILE USER MODE
own_secret() {
	[ "$(id -u)" != 0 ] || chown "$2:" "$1"
	chmod "$3" "$1"
}

# Root reads the master key before it becomes another user, and takes it from
# nobody but root. Under mod_fcgid nothing starts as root: there the key is the
# program's user's, and clavigerctl must begin as that user too.
choose_key_owner() {
	key_owner=$(id -un)
	[ "$front" = apache-fcgid ] && [ "$key_owner" != "$service_user" ] ||
		return 0
	key_owner=$service_user
	cat >"$place/etc/clavigerctl" <<EOF
#!/bin/sh
exec setpriv --reuid='$service_user' --regid='$service_group' --init-groups \
	-- '$ctl' "\$@"
EOF
	chmod 755 "$place/etc/clavigerctl"
	ctl=$place/etc/clavigerctl
}

write_settings() {
	config=$place/etc/claviger.conf
	(umask 077 && {
		echo '# Written by quickstart.sh at every up: use --set.'
		{
			settings_of_place
			settings_of_accounts
			printf '%s\n' "$settings" | sed 's/=/ = /'
		} | last_of_each
	} >"$config.new")
	own_secret "$config.new" "$service_user" 600
	mv "$config.new" "$config"
}

# As root it becomes the program's user by itself.
run_ctl() {
	"$ctl" --config "$config" "$@"
}

# tell_ctl COMMAND...: one whose words only matter when it fails.
tell_ctl() {
	run_ctl "$@" >>"$place/log/ctl.out" 2>&1 ||
		die_with_log "$place/log/ctl.out" "clavigerctl $1 $2 failed"
}

load_passwords() {
	[ ! -s "$place/lib/passwords.filter" ] || return 0
	if [ ! -r "$password_list" ]; then
		say "No list of leaked passwords: $password_list (package john-data) is missing"
		return
	fi
	say 'Loading the list of leaked passwords'
	tell_ctl passwords load "$password_list"
	own_secret "$place/lib/passwords.filter" "$service_user" 640
}

make_owner() {
	[ ! -s "$place/etc/owner.password" ] || return 0
	say "Making the first owner, $owner_email"
	once "$place/etc/owner.password" run_ctl user add "$owner_email" \
		--role owner --random-password --verified --name Owner
}

prepare_program() {
	once "$place/master.key" openssl rand -hex 32
	choose_key_owner
	own_secret "$place/master.key" "$key_owner" 400
	write_settings
	say 'Applying migrations'
	tell_ctl migrate --from "$share/sql/migrations"
	tell_ctl key generate
	load_passwords
	make_owner
}

start_program() {
	if [ "$front" = apache-fcgid ]; then
		stop claviger
		return
	fi
	set -- "$program" --config "$config" --listen "$(fcgi_socket)"
	[ "$workers" = auto ] || set -- "$@" --workers "$workers"
	start claviger "$(id -un)" \
		"$program $config $place/master.key $place/lib/passwords.filter" "$@"
	wait_for claviger test -S "$(fcgi_socket)"
}
