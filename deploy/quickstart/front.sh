# shellcheck shell=sh disable=SC2154,SC2034
# SPDX-License-Identifier: Apache-2.0
# The web server, from the very files that deploy/ offers for real ones: what is
# documented is what runs.

# render TEMPLATE OUTPUT: fill in every @NAME@.
render() {
	as_root_only='#'
	[ "$(id -u)" != 0 ] || as_root_only=
	sed -e "s|@ADDRESS@|127.0.0.1|g" -e "s|@PORT@|$port|g" \
		-e "s|@NAME@|localhost|g" \
		-e "s|@HTDOCS@|$share/htdocs|g" -e "s|@ERRORS@|$place/errors|g" \
		-e "s|@CERTIFICATE@|$place/ca/server.pem|g" \
		-e "s|@KEY@|$place/ca/server.key|g" \
		-e "s|@SOCKET@|$(fcgi_socket)|g" \
		-e "s|@PROGRAM@|$program|g" -e "s|@CONFIG@|$config|g" \
		-e "s|@SITE@|$place/etc/site.conf|g" \
		-e "s|@BACKEND@|$place/etc/backend.conf|g" \
		-e "s|@ACCESS_LOG@|$place/log/access.log|g" \
		-e "s|@ERROR_LOG@|$place/log/error.log|g" \
		-e "s|@STATE@|$place/tmp|g" \
		-e "s|@MODULES@|/usr/lib/apache2/modules|g" \
		-e "s|@AS_ROOT@|$as_root_only|g" \
		-e "s|@USER@|$web_user|g" -e "s|@GROUP@|$web_group|g" \
		"$deploy/$1" >"$place/etc/$2"
}

render_front() {
	case $front in
	lighttpd) kind=lighttpd backend=backend-socket ;;
	nginx) kind=nginx backend= ;;
	apache-proxy) kind=apache backend=backend-proxy ;;
	apache-fcgid) kind=apache backend=backend-fcgid ;;
	esac
	render "$kind/quickstart.conf" front.conf
	render "$kind/claviger.conf" site.conf
	[ -z "$backend" ] || render "$kind/$backend.conf" backend.conf
	[ "$front" = apache-fcgid ] ||
		sed -i '/fcgid/Id' "$place/etc/front.conf"
}

start_front() {
	render_front
	inputs="$place/etc/front.conf $place/etc/site.conf $place/ca/server.pem"
	[ "$front" = nginx ] || inputs="$inputs $place/etc/backend.conf"
	# There the program is the web server's child and goes with it.
	[ "$front" != apache-fcgid ] ||
		inputs="$inputs $program $config $place/master.key"
	case $front in
	lighttpd) set -- lighttpd -D -f "$place/etc/front.conf" ;;
	nginx) set -- nginx -e "$place/log/error.log" -c "$place/etc/front.conf" ;;
	apache-*) set -- apache2 -DFOREGROUND -f "$place/etc/front.conf" ;;
	esac
	start front "$(id -un)" "$inputs" "$@"
}

is_ready() {
	curl --silent --fail --noproxy '*' --max-time 5 --output /dev/null \
		--cacert "$place/ca/ca.pem" "https://localhost:$port/readyz"
}

wait_until_ready() {
	say "Waiting for https://localhost:$port/readyz"
	tries=300
	until is_ready; do
		if ! is_alive front; then
			cat "$place/log/front.out" >&2
			die_with_log "$place/log/error.log" "$front does not run (is port $port taken?)"
		fi
		[ $tries -gt 0 ] ||
			die_with_log "$place/log/error.log" 'it does not become ready'
		tries=$((tries - 1))
		sleep 0.1
	done
}
