#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# check-exports - what the built library shows to a process
#
# Its dynamic symbols are those of src/libcxlmalloc.map, no more and no fewer;
# nothing of jemalloc's or of ours is among them; and it needs libc alone, since
# a preload library with an unmet need is silently not loaded.
# Environment: LIBCXLMALLOC, top_srcdir, NM, READELF.
set -u
lib=${LIBCXLMALLOC:?the built library}
map=${top_srcdir:-$(dirname "$0")/..}/src/libcxlmalloc.map
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

complain() {
	echo "$1"
	bad=1
}

[ -f "$lib" ] || { echo "$lib: not built"; exit 99; }
${NM:-nm} -D --defined-only "$lib" |
	awk '{ sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort >"$work/has"
# Names after "global:", up to "local:", comments dropped.
tr '\n' ' ' <"$map" | sed 's:/\*[^*]*\*\{1,\}\([^/*][^*]*\*\{1,\}\)*/: :g
	s/.*global:\(.*\)local:.*/\1/' | tr '; \t{}' '\n\n\n\n\n' |
	sed '/^$/d' | LC_ALL=C sort >"$work/says"

for s in $(LC_ALL=C comm -13 "$work/says" "$work/has"); do
	complain "$s is exported and not in libcxlmalloc.map"
done
for s in $(LC_ALL=C comm -23 "$work/says" "$work/has"); do
	complain "$s is in libcxlmalloc.map and not exported"
done
for s in $(grep -E '^(cm_|je_)|jemalloc|mallctl|mallocx' "$work/has"); do
	complain "$s is private and exported"
done
for need in $(${READELF:-readelf} -d "$lib" |
	sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
	case $need in
	libc.so.6|ld-linux-*) ;;
	*) complain "needs $need at run time: a bare container has libc alone" ;;
	esac
done
${READELF:-readelf} -d "$lib" | grep -q 'FLAGS.*NOW' ||
	complain "not linked with -z now: lazy binding calls into the loader"
! ${READELF:-readelf} -d "$lib" | grep -q TEXTREL ||
	complain "has text relocations"
echo "$(wc -l <"$work/has") symbols exported"
exit $bad
