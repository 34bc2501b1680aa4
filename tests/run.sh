#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds and tests everything on a Debian 12 machine: as root from nothing, as
# a plain user when the packages below are there.
#   tests/run.sh [lint|unit|fuzz|e2e|ways|faults|browser]…     default: all
# The last line is "N passed, N failed, N skipped"; the exit status is 0 when
# nothing failed and every part ran at least one test.
#   CLAVIGER_TEST_DIR   builds and logs; default a folder build-tests
#   CLAVIGER_PYTEST     further words for every pytest, as "-k PW04 -x"
# shellcheck disable=SC2317 # functions are called by their names in variables
# shellcheck disable=SC2030,SC2031 # what runs beside counts for itself
set -eu

source_dir=$(cd "$(dirname "$0")/.." && pwd)
test_dir=${CLAVIGER_TEST_DIR:-$source_dir/build-tests}
log_dir=$test_dir/log
jobs=$(nproc)
python=/usr/bin/python3 # Debian's: the modules below are packages

# Everything that a build, the servers, lint and the tests want.
PACKAGES="
gcc clang make autoconf automake pkg-config libc6-dev xz-utils git ca-certificates
libfcgi-dev libssl-dev libmariadb-dev libhiredis-dev libyajl-dev libargon2-dev
liboath-dev libcurl4-openssl-dev libzxcvbn-dev libidn2-dev libcmocka-dev
mariadb-server-core mariadb-client redis-server lighttpd lighttpd-mod-openssl nginx-light
apache2-bin libapache2-mod-fcgid spawn-fcgi openssl john-data curl procps
fail2ban
clang-format clang-tidy cppcheck shellcheck pyflakes3 binutils
python3-pytest python3-requests python3-pymysql python3-redis python3-jwt
python3-aiosmtpd python3-jsonschema python3-pyotp python3-selenium chromium chromium-driver
"
ALL_PARTS="lint unit fuzz e2e ways faults browser"

passed=0 failed=0 skipped=0
built=

# shellcheck source=tests/lint/steps.sh
. "$source_dir/tests/lint/steps.sh"

say() {
	printf '%s\n' "$*"
}

die() {
	say "run.sh: $*" >&2
	exit 2
}

count() { # PASSED FAILED SKIPPED
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# Packages

# Some packages stand in for others: nginx for nginx-light, and so on.
is_installed() {
	case $1 in
	nginx-light) command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] ;;
	apache2-bin) [ -x /usr/sbin/apache2 ] ;;
	pkg-config) command -v pkg-config >/dev/null ;;
	libcurl4-openssl-dev) pkg-config --exists libcurl 2>/dev/null ;;
	mariadb-client) command -v mariadb >/dev/null ;;
	*) dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null |
		grep -qx installed ;;
	esac
}

install_packages() {
	missing=
	for package in $PACKAGES; do
		is_installed "$package" || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] || die "these packages are missing:$missing"
	say "installing$missing"
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then # no service is started by its package
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	fi
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086 # words are wanted
	{ apt-get -q update && apt-get -q -y install --no-install-recommends $missing; } \
		>"$log_dir/packages.log" 2>&1 || {
		tail -n 20 "$log_dir/packages.log"
		die "packages could not be installed"
	}
}

# Builds, out of tree, each once: build NAME WORDS-OF-CONFIGURE…

build() {
	name=$1
	shift
	case " $built " in *" $name "*) return 0 ;; esac
	say "building $name"
	built="$built $name"
	if ! build_in "$test_dir/$name" "$@" >"$log_dir/build-$name.log" 2>&1; then
		tail -n 40 "$log_dir/build-$name.log"
		count 0 1 0
		finish
	fi
}

# Joined by && because "set -e" sleeps in whatever an "if" looks at.
build_in() (
	folder=$1
	shift
	{ [ -x configure ] || sh autogen.sh; } &&
		mkdir -p "$folder" &&
		cd "$folder" &&
		{ [ -f Makefile ] || "$source_dir/configure" \
			--cache-file=config.cache --prefix="$folder/prefix" "$@"; } &&
		make -j"$jobs" &&
		make install
)

build_normal() {
	build normal --enable-werror CC=gcc
}

build_sanitized() {
	build sanitized --enable-werror --enable-sanitizers CC=gcc CFLAGS='-g -O1'
}

# Counting

# The attributes of a junit file's testsuite.
attribute() { # NAME FILE
	sed -n "s/.*<testsuite [^>]*\\b$1=\"\\([0-9]*\\)\".*/\\1/p" "$2" | head -n 1
}

# run_pytest NAME PREFIX WORDS-OF-PYTEST…
run_pytest() {
	name=$1 prefix=$2
	shift 2
	log=$log_dir/$name.log report=$log_dir/$name.xml
	rm -f "$report"
	# shellcheck disable=SC2086 # words are wanted
	CLAVIGER_PREFIX=$prefix PYTHONDONTWRITEBYTECODE=1 timeout 1500 \
		"$python" -m pytest -q -rsf -p no:cacheprovider --tb=short --show-capture=stdout \
		--durations=10 --rootdir="$source_dir/tests" --junitxml="$report" \
		"$@" ${CLAVIGER_PYTEST:-} >"$log" 2>&1 || :
	if [ ! -s "$report" ]; then
		tail -n 30 "$log"
		count 0 1 0
		return 0
	fi
	all=$(attribute tests "$report") skips=$(attribute skipped "$report")
	bad=$(($(attribute failures "$report") + $(attribute errors "$report")))
	count $((all - bad - skips)) "$bad" "$skips"
	grep '^SKIPPED' "$log" || :
	[ "$bad" = 0 ] || sed -n '/^=* \(FAILURES\|ERRORS\)/,$p' "$log" | tail -n 120
}

# step NAME COMMAND…: one test that passes when the command does.
step() {
	name=$1
	shift
	if "$@" >"$log_dir/$name.log" 2>&1; then
		count 1 0 0
		return 0
	fi
	say "FAILED $name"
	tail -n 40 "$log_dir/$name.log"
	count 0 1 0
}

# How many tests of a program's log went well, wrong and were left out: lines
# of TAP (cmocka), the summary of Python's unittest, or else the program is one
# test and its exit status the result.
tally() { # LOG RESULT
	awk -v result="$2" '
	/^ok [0-9]+/ { good++ }
	/^not ok [0-9]+ # SKIP/ { skips++; next }
	/^not ok [0-9]+/ { bad++ }
	/^Ran [0-9]+ tests? in/ { good += $2 }
	/^(OK|FAILED) \(/ {
		gsub(/[(),=]/, " ")
		for (i = 2; i < NF; i += 2) {
			good -= $(i + 1)
			if ($i == "skipped") skips += $(i + 1)
			else bad += $(i + 1)
		}
	}
	END {
		if (result == "PASS" && !good && !bad && !skips) good = 1
		if (result == "SKIP") skips++
		if (result != "PASS" && result != "SKIP" && !bad) bad = 1
		print good + 0, bad + 0, skips + 0
	}' "$1"
}

count_program() { # PROGRAM
	result=$(sed -n 's/^:test-result: //p' "$1.trs" 2>/dev/null || echo NONE)
	[ -f "$1.log" ] || echo 'it did not run' >"$1.log"
	# shellcheck disable=SC2046 # three numbers
	set -- "$1" $(tally "$1.log" "$result")
	count "$2" "$3" "$4"
	[ "$4" = 0 ] || grep -E '# SKIP|[.] skipped ' "$1.log" | sed "s,^,SKIPPED ${1##*/}: ," || :
	[ "$3" = 0 ] || { say "FAILED ${1##*/}" && tail -n 30 "$1.log"; }
}

# What "make check" of a build would run.
check_programs() { # BUILD
	# shellcheck disable=SC2016 # make expands it
	printf 'include Makefile\nprint-tests:\n\t@echo $(TESTS)\n' |
		make -s -C "$test_dir/$1" -f - print-tests | tr ' ' '\n' | sort
}

# make_check BUILD GREP-WORDS…: run the check programs that grep lets through.
make_check() {
	name=$1 folder=$test_dir/$1
	shift
	programs=$(check_programs "$name" | grep "$@" || :)
	for one in $programs; do
		rm -f "$folder/$one.log" "$folder/$one.trs"
	done
	CMOCKA_MESSAGE_OUTPUT=TAP make -C "$folder" -j"$jobs" -k check \
		TESTS="$(echo "$programs" | tr '\n' ' ')" \
		>"$log_dir/check-$name.log" 2>&1 || :
	for one in $programs; do
		count_program "$folder/$one"
	done
}

# Parts

part_lint() {
	for one in $LINT_STEPS; do
		step "lint-$one" "lint_$one"
	done
}

part_unit() {
	make_check normal -v ^tests/fuzz/
	make_check sanitized -v ^tests/fuzz/
}

part_fuzz() {
	make_check sanitized ^tests/fuzz/
}

# What compares times comes later, when nothing else runs.
part_e2e() {
	run_pytest e2e "$test_dir/normal/prefix" tests/e2e -m 'not timing'
	CLAVIGER_SANITIZED=1 run_pytest e2e-sanitized "$test_dir/sanitized/prefix" \
		tests/e2e -m 'not timing'
}

part_timing() {
	run_pytest timing "$test_dir/normal/prefix" tests/e2e -m timing
}

part_ways() {
	run_pytest ways "$test_dir/normal/prefix" tests/ways
}

part_faults() {
	run_pytest faults "$test_dir/normal/prefix" tests/faults
}

part_browser() {
	run_pytest browser "$test_dir/normal/prefix" tests/browser
}

# run_part PART: with a failure when it had nothing to run.
run_part() {
	before=$((passed + failed + skipped)) began=$(date +%s)
	say "== $1"
	"part_$1"
	ran=$((passed + failed + skipped - before))
	say "== $1: $ran tests in $(($(date +%s) - began)) s"
	[ "$ran" != 0 ] || { say "FAILED $1 ran no test" && count 0 1 0; }
}

# End to end is half of the time and mostly waits: it runs beside the others.
run_beside() { # PART OTHERS…
	beside=$1
	shift
	(
		passed=0 failed=0 skipped=0
		run_part "$beside"
		echo "$passed $failed $skipped" >"$log_dir/$beside.tally"
	) >"$log_dir/$beside.out" 2>&1 &
	for part in "$@"; do
		run_part "$part"
	done
	wait $!
	cat "$log_dir/$beside.out"
	# shellcheck disable=SC2046 # three numbers
	count $(cat "$log_dir/$beside.tally")
}

finish() {
	say "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] || exit 1
	exit 0
}

# shellcheck disable=SC2086 # words are wanted
[ $# -gt 0 ] || set -- $ALL_PARTS
others='' has_e2e=no has_sanitized=no
for part in "$@"; do
	case $part in
	e2e) has_e2e=yes has_sanitized=yes ;;
	unit | fuzz) has_sanitized=yes others="$others $part" ;;
	lint | ways | faults | browser) others="$others $part" ;;
	*) die "unknown part $part; there are: $ALL_PARTS" ;;
	esac
done

cd "$source_dir"
mkdir -p "$log_dir"
install_packages
build_normal
[ $has_sanitized = no ] || build_sanitized
if [ $has_e2e = yes ]; then
	# shellcheck disable=SC2086 # words are wanted
	run_beside e2e $others
	run_part timing
else
	for part in $others; do
		run_part "$part"
	done
fi
finish
