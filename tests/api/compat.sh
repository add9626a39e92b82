# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# compat.sh - what smdk.tap and emucxl.tap share; sourced behind preload/lib.sh
#
# Programs are linked with the library under test alone (it brings libcxlmem),
# and run with it, or with libcxlmalloc.so preloaded.

LIBCXLMEM=${LIBCXLMEM-$top_builddir/.libs/libcxlmem.so.0}
[ -n "$LIBCXLMEM" ] || skip_all "${LIBCXLMEM_WHY:-no libcxlmem}"
libs=$(cd "$(dirname "$LIBCXLMEM")" && pwd)
api=$top_srcdir/tests/api
LD_LIBRARY_PATH=$libs
export LD_LIBRARY_PATH
CONFIGS=${PRELOAD_CONFIGS:-ddr cxl off}

# header_alone HEADER LANGUAGE STANDARD...
header_alone()
{
	_header=$1 _lang=$2
	shift 2
	[ "$_lang" = c ] && _compilers=$CC || _compilers=$CXX
	command -v clang >/dev/null &&
		_compilers="$_compilers clang$([ "$_lang" = c ] || echo ++)"
	[ "$CXX" != no ] || [ "$_lang" = c ] || return 0
	printf '#include <%s>\n#include <%s>\nextern int unit; int unit;\n' \
		"$_header" "$_header" >"$tmp/alone.$_lang"
	for _std; do
		for _compiler in $_compilers; do
			command -v "$_compiler" >/dev/null || continue
			check "$_header alone as $_std ($_compiler)" \
				"$_compiler" -std="$_std" -Wall -Wextra \
				-pedantic -Werror -Wundef -I"$top_srcdir/include" \
				-c -o "$tmp/alone.o" "$tmp/alone.$_lang"
		done
	done
}

# link_with LIBRARY NAME [FLAG...]: $api/NAME.c or .cpp becomes $tmp/NAME
link_with()
{
	_library=$1 _name=$2
	shift 2
	_compiler="$CC -std=gnu11" _source=$api/$_name.c
	_cflags=$cflags
	if [ ! -e "$_source" ]; then
		_compiler=$CXX _source=$api/$_name.cpp
		_cflags="-O1 -g -Wall -Wextra -pthread"
	fi
	# shellcheck disable=SC2086 # lists of words
	$_compiler $_cflags -I"$top_srcdir/include" -o "$tmp/$_name" "$_source" \
		-L"$libs" -l"$_library" -lcxlmem -Wl,-rpath-link,"$libs" "$@" ||
		not_ok "$_name compiles"
}

# exports LIBRARY LIST: its symbols with their versions are those of the list
exports()
{
	"${NM:-nm}" -D --defined-only --with-symbol-versions \
		"$libs/lib$1.so.0" | awk '$2 != "A" { print $3 }' |
		sort >"$tmp/exported"
	grep -v '^#' "$api/$2" >"$tmp/listed"
	same "lib$1.so exports what $2 lists" "$tmp/listed" "$tmp/exported"
}

# needs LIBRARY: nothing but libcxlmem and libc
needs()
{
	equal "lib$1.so needs libcxlmem and libc" "libc.so.6 libcxlmem.so.0" \
		"$("${READELF:-readelf}" -d "$libs/lib$1.so.0" |
			sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sort | xargs)"
}

# manual_page PAGE HEADER...: good mdoc, and it has each function of the headers
manual_page()
{
	_page=$top_srcdir/man/$1
	shift
	for _header; do
		sed -n 's/^[a-z][^(]*[ *]\(s_[a-z_]*\|emucxl_[a-z_]*\)(.*/\1/p' \
			"$top_srcdir/include/$_header"
	done | sort >"$tmp/functions"
	sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/s/^\.F[no] \([a-z_]*\).*/\1/p' \
		"$_page" | sort >"$tmp/documented"
	same "${_page##*/} has every function" "$tmp/functions" "$tmp/documented"
	if command -v mandoc >/dev/null; then
		check "${_page##*/} is good mdoc" \
			mandoc -T lint -W warning "$_page"
	else
		skip "${_page##*/} is good mdoc" "no mandoc"
	fi
}

# alone_and_preloaded PROGRAM...: TAP with libcxlmem alone in both orders and
# with all switched off, then under libcxlmalloc.so
alone_and_preloaded()
{
	tag=alone
	tap_from none "$@"
	tag=alone,cxl:ddr
	CXLMALLOC_CONF=order=cxl:ddr
	export CXLMALLOC_CONF
	tap_from none "$@"
	unset CXLMALLOC_CONF
	tag=alone,off
	CXLMALLOC_DISABLE=1
	export CXLMALLOC_DISABLE
	tap_from none "$@"
	unset CXLMALLOC_DISABLE
	tag=
	with_configs tap_from "$@"
}
