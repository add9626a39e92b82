#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# check-exports - what the built libraries show to a process
#
# Their dynamic symbols are those of src/NAME.map, no more and no fewer; nothing
# of jemalloc's or of ours is among them; and they need libc alone, since a
# preload library with an unmet need is silently not loaded. libcxlmem besides
# shows what src/api/functions.def lists, with versions, and can be loaded by
# dlopen at any time, and never unloaded.
# Environment: LIBCXLMALLOC, LIBCXLMEM (empty: not built), top_srcdir, NM, READELF.
set -u
src=${top_srcdir:-$(dirname "$0")/..}/src
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

complain() {
	echo "$name: $1"
	bad=1
}

dynamic() { ${READELF:-readelf} -d "$lib"; }

# What the map in $1 has after "global:", up to "local:", comments dropped.
names_of_map() {
	tr '\n\t' '  ' <"$1" | sed 's:/\*[^*]*\*\{1,\}\([^/*][^*]*\*\{1,\}\)*/: :g
		s/local: *\*;/ /g; s/[A-Z0-9_.]* *{//g; s/global:/ /g' |
		tr '; \t{}' '\n\n\n\n\n' | sed '/^$/d' | LC_ALL=C sort
}

check_library() {	# name path
	name=$1 lib=$2
	[ -f "$lib" ] || { echo "$lib: not built"; exit 99; }
	# A version's own name is a symbol of its own, absolute.
	${NM:-nm} -D --defined-only "$lib" | awk '$2 != "A" { print $3 }' |
		LC_ALL=C sort >"$work/versioned"
	sed 's/@.*//' "$work/versioned" | LC_ALL=C sort >"$work/has"
	names_of_map "$src/$name.map" >"$work/says"
	for s in $(LC_ALL=C comm -13 "$work/says" "$work/has"); do
		complain "$s is exported and not in $name.map"
	done
	for s in $(LC_ALL=C comm -23 "$work/says" "$work/has"); do
		complain "$s is in $name.map and not exported"
	done
	for s in $(grep -E '^(cm_|je_)|jemalloc|mallctl|mallocx' "$work/has"); do
		complain "$s is private and exported"
	done
	for need in $(dynamic | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		case $need in
		libc.so.6|ld-linux-*) ;;
		*) complain "needs $need at run time: a bare container has libc alone" ;;
		esac
	done
	dynamic | grep -q 'FLAGS.*NOW' ||
		complain "not linked with -z now: lazy binding calls into the loader"
	! dynamic | grep -q TEXTREL || complain "has text relocations"
	echo "$name: $(wc -l <"$work/has") symbols exported"
}

check_library libcxlmalloc "${LIBCXLMALLOC:?the built library}"

if [ -n "${LIBCXLMEM:-}" ]; then
	check_library libcxlmem "$LIBCXLMEM"
	sed -n 's/^CM_API(\([a-z_0-9]*\), *\([0-9.]*\).*/\1@@CXLM_\2/p' \
		"$src/api/functions.def" | LC_ALL=C sort >"$work/listed"
	# near.h is libcxlmem's alone, and of no heap: no jumps, not in the list.
	for s in $(LC_ALL=C comm -13 "$work/listed" "$work/versioned" |
		grep -v '^cxlm_near_'); do
		complain "$s is exported and not in functions.def"
	done
	for s in $(LC_ALL=C comm -23 "$work/listed" "$work/versioned"); do
		complain "$s is in functions.def and not exported"
	done
	dynamic | grep -q 'FLAGS_1.*NODELETE' ||
		complain "not linked with -z nodelete (src/mem/start.c)"
	! dynamic | grep -q STATIC_TLS &&
		! ${READELF:-readelf} -rW "$lib" | grep -q TPOFF ||
		complain "has static TLS, for which dlopen has no room"
fi
exit $bad
