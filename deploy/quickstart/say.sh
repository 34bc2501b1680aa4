# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What people see of the quick start while it works.

say() {
	printf '==> %s\n' "$*"
}

die() {
	printf 'quickstart: %s\n' "$*" >&2
	exit 1
}

# die_with_log FILE MESSAGE: the reason is most likely at the file's end, or in
# a line that says so (mariadb-install-db ends with a page of good advice).
die_with_log() {
	grep -i 'error' "$1" | tail -n 10 >&2 || true
	tail -n 25 "$1" >&2 || true
	printf 'quickstart: %s; its log is %s\n' "$2" "$1" >&2
	exit 1
}
