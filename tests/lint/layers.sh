#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Proves the rules of the graph (ARCHITECTURE.md) by reading the sources:
#   1. a file includes its own layer or a lower one; crypto, store and http do
#      not see each other; domain does not see http;
#   2. every external library has one home;
#   3. SQL only in *_store.c and store/schema.c, HTTP status numbers only in
#      http/, time, getrandom and getenv in one file each.
# Prints every breach as FILE:LINE and exits 1 when there is one.
set -eu
cd "$(dirname "$0")/../.."

breaches=$(mktemp)
trap 'rm -f "$breaches"' EXIT

# Report the lines of grep that stand, with the rule they break.
breach() {
	while IFS= read -r line; do
		echo "$line: $1" >>"$breaches"
	done
}

# The layers that a layer may include, itself among them.
lower_layers() {
	case $1 in
	base) echo base ;;
	crypto) echo base crypto ;;
	store) echo base store ;;
	http) echo base http ;;
	domain) echo base crypto store domain ;;
	api) echo base crypto store http domain api ;;
	server) echo base crypto store http domain api server ;;
	ctl) echo base crypto store http domain api ctl ;;
	*) echo "unknown layer: $1" >&2 && exit 2 ;;
	esac
}

# Rule 1. "config.h" of the build and a generated file of the own folder have
# no layer in their name or that of the own one.
check_includes() {
	for folder in src/*/; do
		layer=$(basename "$folder")
		allowed=$(lower_layers "$layer" | tr ' ' '|')
		grep -rnE '^#[[:space:]]*include "' --include='*.[ch]' "$folder" |
			grep -vE "include \"(($allowed)/[a-z0-9_/.]+|config\\.h)\"" |
			breach "layer $layer may not include this"
	done
}

# Rule 2: header (an expression) and the files that may include it.
only_in() {
	grep -rnE "^#[[:space:]]*include <($1)>" --include='*.[ch]' src |
		grep -vE "^src/($2):" | breach "this library's home is $2"
}

check_homes() {
	only_in 'mysql\.h|mariadb/.*|mysql/.*' 'store/db[a-z_]*\.[ch]'
	only_in 'hiredis.*' 'store/kv[a-z_]*\.[ch]'
	only_in 'openssl/.*' 'crypto/[a-z_0-9]+\.[ch]'
	only_in 'argon2\.h' 'crypto/password[a-z_]*\.[ch]'
	only_in 'zxcvbn\.h' 'crypto/password[a-z_]*\.[ch]'
	only_in 'liboath/.*' 'crypto/otp[a-z_]*\.[ch]'
	only_in 'yajl/.*' 'base/json_[a-z]+\.[ch]'
	only_in 'curl/.*' 'domain/(outbox/[a-z_]+|guard/captcha_remote)\.[ch]'
	only_in 'idn2\.h' 'domain/account/[a-z_]+\.[ch]'
	only_in 'fcgi.*' 'server/worker[a-z_]*\.[ch]'
}

# Rule 3. Comments speak of these things too, so comment lines are left out.
without_comments() {
	grep -vE '^[^:]+:[0-9]+:[[:space:]]*(/\*|\*|//)'
}

called_only_in() {
	grep -rnE "(^|[^A-Za-z0-9_.>\"])($1)\\(" --include='*.[ch]' src |
		without_comments | grep -vE "^src/($2):" |
		breach "only $2 may call this"
}

check_words() {
	grep -rnE '"[^"]*\b(SELECT .* FROM|INSERT INTO|UPDATE [a-z_]+ SET|DELETE FROM|REPLACE INTO|CREATE TABLE)\b' \
		--include='*.[ch]' src | without_comments |
		grep -vE '^src/(domain/[a-z]+/[a-z_]+_store\.c|store/schema[a-z_]*\.c|store/db_connect\.c):' |
		breach 'SQL stands in *_store.c and store/schema.c alone'
	grep -rnE '\b(status|REPLY)[a-z_ ]*(=|==|\()[[:space:]]*[1-5][0-9][0-9]\b' \
		--include='*.[ch]' src/domain src/base src/crypto src/store |
		without_comments | grep -vE '^src/base/metrics\.c:' |
		breach 'HTTP status numbers stand in http/ alone'
	called_only_in 'time|gettimeofday|clock_gettime' 'base/clock\.c'
	called_only_in 'getrandom|getentropy|RAND_bytes|rand|random' 'crypto/random\.c'
	called_only_in 'getenv|secure_getenv' 'base/environment\.[ch]'
}

# Each file says under which licence it is and what it is for.
check_heads() {
	git ls-files 2>/dev/null | grep -E '\.(c|h|py|sh|sql|am|ac|js|css|lua|yml)$' |
		while IFS= read -r file; do
			[ -f "$file" ] || continue
			head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' ||
				echo "$file:1" | breach 'no SPDX line'
		done
}

# A header compiles alone: a source of one include goes through the compiler.
check_headers_alone() {
	find src -name '*.h' | sort | while IFS= read -r header; do
		printf '#include "%s"\n' "${header#src/}" |
			gcc -std=gnu2x -D_GNU_SOURCE -Isrc -I"${BUILD_DIR:-.}" \
				-I/usr/include/mariadb -fsyntax-only -x c - 2>/dev/null ||
			echo "$header:1" | breach 'does not compile alone'
	done
}

check_includes
check_homes
check_words
check_heads
check_headers_alone

if [ -s "$breaches" ]; then
	cat "$breaches"
	exit 1
fi
