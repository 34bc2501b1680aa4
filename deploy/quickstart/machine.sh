# shellcheck shell=sh disable=SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# What the machine must bring: Debian packages and accounts.

# One line a need; of alternatives, the first is installed.
packages() {
	cat <<'EOF'
curl
openssl
john-data
mariadb-server-core
mariadb-client-core
redis-server
EOF
	case $front in
	lighttpd) printf '%s\n' lighttpd lighttpd-mod-openssl ;;
	nginx) echo 'nginx-light|nginx|nginx-full|nginx-extras' ;;
	apache-proxy) echo apache2-bin ;;
	apache-fcgid) printf '%s\n' apache2-bin libapache2-mod-fcgid ;;
	esac
	[ -n "${CLAVIGER_PREFIX-}" ] || cat <<'EOF'
gcc
libc6-dev
make
autoconf
automake
pkg-config|pkgconf
libfcgi-dev
libssl-dev
libmariadb-dev
libhiredis-dev
libyajl-dev
libargon2-dev
liboath-dev
libcurl4-openssl-dev|libcurl4-gnutls-dev|libcurl4-nss-dev
libzxcvbn-dev
libidn2-dev
EOF
}

is_installed() { # PACKAGE
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# has_one A|B|C
has_one() {
	for package in $(echo "$1" | tr '|' ' '); do
		! is_installed "$package" || return 0
	done
	return 1
}

missing_packages() {
	packages | while read -r need; do
		has_one "$need" || echo "${need%%|*}"
	done
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

can_be_root() {
	[ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}

# The packages' own services are not wanted: Debian asks this file, if there is
# one, before it starts any.
policy=/usr/sbin/policy-rc.d policy_made=no

forbid_services() {
	[ ! -e "$policy" ] || return 0
	policy_made=yes
	trap allow_services EXIT
	trap 'exit 130' INT TERM
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
	as_root chmod 755 "$policy"
}

allow_services() {
	[ "$policy_made" = yes ] || return 0
	as_root rm -f "$policy"
	policy_made=no
	trap - EXIT INT TERM
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o Dpkg::Use-Pty=0 "$@" >>"$dir/packages.log" 2>&1 9>&- ||
		die_with_log "$dir/packages.log" "apt-get $1 failed"
}

front_command() {
	case $front in
	apache-*) echo apache2 ;;
	*) echo "$front" ;;
	esac
}

check_commands() {
	lacking=
	for word in curl openssl setsid flock mariadbd mariadb-install-db mariadb \
		redis-server redis-cli "$(front_command)"; do
		command -v "$word" >/dev/null || lacking="$lacking $word"
	done
	[ -z "$lacking" ] || die "not installed:$lacking"
}

install_packages() {
	if [ "$install" = no ] || ! command -v dpkg-query >/dev/null; then
		check_commands
		return
	fi
	missing=$(missing_packages | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	can_be_root || die "these packages are missing, and only root can install them:
  apt-get install $missing"
	say "Installing packages: $missing"
	forbid_services
	apt_get update
	# shellcheck disable=SC2086 # words are wanted
	apt_get install --no-install-recommends $missing
	allow_services
}

# Root gives everything up to two accounts: claviger runs the program and its
# stores, www-data the web server. A plain user is all of them.
choose_accounts() {
	service_user=$(id -un)
	web_user=$service_user
	[ "$(id -u)" = 0 ] || return 0
	service_user=claviger
	web_user=www-data
	# mod_fcgid's processes run as Apache does, and must read the settings.
	[ "$front" != apache-fcgid ] || web_user=claviger
	id "$service_user" >/dev/null 2>&1 ||
		useradd --system --user-group --no-create-home --home-dir /nonexistent \
			--shell /usr/sbin/nologin "$service_user"
}
