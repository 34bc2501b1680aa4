# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# The steps of lint for tests/run.sh, which sources this: each is one test and
# says nothing when all is well. They run in the project's folder, beside the
# build $test_dir/normal.
# shellcheck disable=SC2034,SC2154 # tests/run.sh reads and sets them
LINT_STEPS="format shell python layers cppcheck tidy analyzer clang tarball"

# The files of git with one of these suffixes.
sources() { # SUFFIX…
	for suffix in "$@"; do
		git ls-files "*.$suffix"
	done
}

lint_format() {
	sources c h | xargs clang-format --dry-run -Werror
}

lint_shell() {
	sources sh | xargs shellcheck -x && shellcheck .ci/run
}

lint_python() {
	sources py | xargs pyflakes3
}

lint_layers() {
	BUILD_DIR=$test_dir/normal sh tests/lint/layers.sh
}

# internalAstError: cppcheck 2.10 stumbles over a compound literal behind '?'.
# uninitStructMember: it does not see a struct filled in through a callback.
lint_cppcheck() {
	cppcheck --quiet --enable=warning,performance,portability --std=c11 \
		--inline-suppr --error-exitcode=1 -j"$jobs" -Isrc \
		-I"$test_dir/normal/src" --suppress=missingInclude \
		--suppress=internalAstError --suppress=uninitStructMember src
}

# What make would hand to the compiler, but for warnings; the paths that it
# defines stand in a file, which spares their quotes.
compiler_words() {
	cat >"$test_dir/paths.h" <<'END'
#define CLAVIGER_HTDOCS "/usr/share/claviger/htdocs"
#define CLAVIGER_MIGRATIONS "/usr/share/claviger/sql/migrations"
END
	echo "-std=gnu2x -D_GNU_SOURCE -Isrc -I$test_dir/normal" \
		"-I$test_dir/normal/src -I/usr/include/mariadb" \
		"-include $test_dir/paths.h"
}

lint_tidy() {
	words=$(compiler_words)
	# shellcheck disable=SC2016 # the inner shell expands it
	sources c | grep '^src/' | xargs -P"$jobs" -n4 \
		sh -c 'words=$0; clang-tidy --quiet "$@" -- $words' "$words"
}

lint_analyzer() {
	words=$(compiler_words)
	# shellcheck disable=SC2086 # words are wanted
	sources c | grep '^src/' | xargs -P"$jobs" -n1 \
		gcc $words -O1 -fanalyzer -Werror -c -o /dev/null
}

# The other compiler, for its other warnings.
lint_clang() {
	build_in "$test_dir/clang" --enable-werror CC=clang
}

# Everything that git keeps is in the tarball.
lint_tarball() {
	rm -f "$test_dir"/normal/claviger-*.tar.xz
	make -C "$test_dir/normal" dist || return 1
	tar -tf "$test_dir"/normal/claviger-*.tar.xz | sed 's,^[^/]*/,,' |
		sort >"$test_dir/in-tarball"
	git ls-files | grep -vE '^(\.git|\.ci/)' | sort >"$test_dir/in-git"
	comm -13 "$test_dir/in-tarball" "$test_dir/in-git" >"$test_dir/missing"
	cat "$test_dir/missing"
	[ ! -s "$test_dir/missing" ]
}
