# shellcheck shell=sh disable=SC2154,SC2034
# SPDX-License-Identifier: Apache-2.0
# Getting an installed prefix: one that was given, or a build of this checkout
# outside of its tree. A second build does only what changed.

# use_prefix: take CLAVIGER_PREFIX as it is, or a copy of it where the accounts
# cannot get at it.
use_prefix() {
	prefix=$CLAVIGER_PREFIX
	if is_plain "$prefix" && can_enter "$prefix/share/claviger/htdocs" &&
		can_enter "$prefix/libexec/claviger-fcgi"; then
		return
	fi
	say "Copying $prefix to $place/install"
	mkdir -p "$place/install"
	cp -R "$prefix/." "$place/install/"
	chmod -R a+rX "$place/install"
	prefix=$place/install
}

# Flags that changed make every object anew: make does not look at them.
configure_build() {
	flags="$prefix ${CONFIGURE_FLAGS-} ${CC-} ${CFLAGS-} ${LDFLAGS-}"
	if [ -f "$build_dir/Makefile" ]; then
		[ -f "$build_dir/quickstart.flags" ] || return 0
		[ "$flags" != "$(cat "$build_dir/quickstart.flags")" ] || return 0
		make -C "$build_dir" clean >>"$build_log" 2>&1 || true
	fi
	[ -x "$source_dir/configure" ] ||
		sh "$source_dir/autogen.sh" >>"$build_log" 2>&1 ||
		die_with_log "$build_log" 'autogen.sh failed'
	# shellcheck disable=SC2086 # words are wanted
	(cd "$build_dir" && "$source_dir/configure" --prefix="$prefix" \
		${CONFIGURE_FLAGS-} >>"$build_log" 2>&1) ||
		die_with_log "$build_log" 'configure failed'
	echo "$flags" >"$build_dir/quickstart.flags"
}

# prefix= for a build folder that was handed in, configured for another place.
make_build() {
	make -C "$build_dir" -j "$(getconf _NPROCESSORS_ONLN)" >>"$build_log" 2>&1 ||
		die_with_log "$build_log" 'the build failed'
	make -C "$build_dir" install "prefix=$prefix" >>"$build_log" 2>&1 ||
		die_with_log "$build_log" 'make install failed'
}

build() {
	if [ -n "${CLAVIGER_PREFIX-}" ]; then
		use_prefix
	else
		prefix=$place/install
		build_dir=${CLAVIGER_BUILD_DIR:-$place/build}
		build_log=$place/build.log
		mkdir -p "$build_dir"
		: >"$build_log"
		say "Building (the first time takes a minute)"
		configure_build
		make_build
	fi
	program=$prefix/libexec/claviger-fcgi
	ctl=$prefix/bin/clavigerctl
	share=$prefix/share/claviger
	for file in "$program" "$ctl"; do
		[ -x "$file" ] || die "$file is missing"
	done
}
