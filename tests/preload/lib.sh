# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# lib.sh - TAP, compilation and preloading for the scripts of tests/preload
#
# A script sources this file, calls ok/not_ok/check/tap_from, and ends with
# done_testing. Environment: LIBCXLMALLOC (the library under test), CC, CXX,
# top_srcdir, top_builddir; each has a default that suits a plain checkout.
# LIBCXLMALLOC may name another allocator, or be empty for glibc itself: the
# checks that only our library can pass then fail, which is how they are
# known to be able to.
#
# CM_TEST_PREFIX="gdb --args" (or strace -f, ...) goes in front of the program.

set -u

here=$(cd "$(dirname "$0")" && pwd)
top_srcdir=$(cd "${top_srcdir:-$here/../..}" && pwd)
top_builddir=$(cd "${top_builddir:-$top_srcdir}" && pwd)
src=$top_srcdir/tests/preload
CC=${CC:-cc}
CXX=${CXX:-c++}
lib=${LIBCXLMALLOC-$top_builddir/.libs/libcxlmalloc.so.0}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/cxlm-preload.XXXXXX") || exit 99
pids=
unset LD_PRELOAD CXLMALLOC_CONF CXLMALLOC_DISABLE MALLOC_CONF XDG_CONFIG_HOME
LC_ALL=C
export LC_ALL

cleanup()
{
	for pid in $pids; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	chmod -R u+rwX "$tmp" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -n "$lib" ] && [ ! -f "$lib" ]; then
	echo "Bail out! no library at $lib"
	exit 99
fi

# --- TAP -------------------------------------------------------------------

tests=0
failures=0

ok()
{
	tests=$((tests + 1))
	echo "ok $tests - $1"
}

# not_ok NAME [FILE]: FILE's first lines explain
not_ok()
{
	tests=$((tests + 1))
	failures=$((failures + 1))
	echo "not ok $tests - $1"
	if [ -n "${2:-}" ] && [ -f "$2" ]; then
		head -n 30 "$2" | cut -c 1-300 | sed 's/^/#   /'
	fi
}

# skip NAME WHY: one check, only for what the machine cannot give
skip()
{
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# skip_all WHY: the whole script
skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

# For a script that says nothing of the jemalloc below ours.
one_jemalloc_is_enough()
{
	[ -z "${OTHER_JEMALLOC:-}" ] ||
		skip_all "the same with every jemalloc: ran in the first stage"
}

# check NAME COMMAND...: the command's exit status is the verdict
check()
{
	_name=$1
	shift
	if "$@" >"$tmp/check.out" 2>&1; then
		ok "$_name"
	else
		echo "exit status $?" >>"$tmp/check.out"
		not_ok "$_name" "$tmp/check.out"
	fi
}

# same NAME WANTED GOT: two files are byte-identical
same()
{
	if cmp "$2" "$3" >"$tmp/cmp.out" 2>&1; then
		ok "$1"
	else
		diff -a "$2" "$3" >>"$tmp/cmp.out" 2>&1
		not_ok "$1" "$tmp/cmp.out"
	fi
}

# equal NAME WANTED GOT: two strings
equal()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		printf 'wanted: %s\ngot:    %s\n' "$2" "$3" >"$tmp/equal.out"
		not_ok "$1" "$tmp/equal.out"
	fi
}

done_testing()
{
	echo "1..$tests"
	[ "$failures" -eq 0 ]
	exit
}

# --- the library under a configuration -------------------------------------

# What every driver repeats its program under. "off" is CXLMALLOC_DISABLE=1;
# PRELOAD_CONFIGS narrows it by hand.
CONFIGS=${PRELOAD_CONFIGS:-ddr cxl tiny off}

# Both tiers limited has two forms. "both": DDR is full early, CXL has a real
# limit with room below it, and a refusal is ENOMEM - a tier that is called
# full by mistake fails the program instead of hiding behind a spill. "over":
# both are full early, and everything after that is beyond the last one's limit.
conf_of()
{
	case $1 in
	ddr)	echo "order=ddr:cxl" ;;
	cxl)	echo "order=cxl:ddr" ;;
	tiny)	echo "order=ddr:cxl,ddr.limit=1m" ;;
	both)	echo "order=ddr:cxl,ddr.limit=8m,cxl.limit=1g,on_full=fail" ;;
	over)	echo "order=ddr:cxl,ddr.limit=1m,cxl.limit=2m" ;;
	off)	echo "" ;;
	*)	echo "$1" ;;
	esac
}

# preload CONFIG COMMAND...: CONFIG is one of CONFIGS, "none" (no preload at
# all) or literal text for CXLMALLOC_CONF. $limit seconds, then SIGTERM: 124.
# The library comes after $before and ahead of $after in LD_PRELOAD.
before=
after=
preload()
{
	_conf=$1
	shift
	if [ "$_conf" = none ]; then
		timeout -k 5 "${limit:-60}" ${CM_TEST_PREFIX:-} "$@"
		return
	fi
	_off=
	[ "$_conf" = off ] && _off=1
	timeout -k 5 "${limit:-60}" env \
		LD_PRELOAD="${before:+$before:}$lib${after:+:$after}" \
		CXLMALLOC_CONF="$(conf_of "$_conf")" \
		${_off:+CXLMALLOC_DISABLE=1} ${CM_TEST_PREFIX:-} "$@"
}

# tap_from CONFIG PROGRAM...: a program that speaks TAP; its checks become
# ours, each with $tag or CONFIG in front
tag=
tap_from()
{
	_tag=${tag:-$1}
	_first=$1
	shift
	preload "$_first" "$@" >"$tmp/tap.out" 2>"$tmp/tap.err"
	_status=$?
	_seen=0
	while IFS= read -r _line; do
		case $_line in
		"ok "*)		_seen=$((_seen + 1))
				ok "[$_tag] ${_line#* - }" ;;
		"not ok "*)	_seen=$((_seen + 1))
				not_ok "[$_tag] ${_line#* - }" ;;
		"1.."*)		[ "${_line#1..}" = "$_seen" ] && _seen=$_line ;;
		"#"*)		echo "$_line" ;;
		esac
	done <"$tmp/tap.out"
	case $_seen in
	1..[1-9]*)	;;
	*)		echo "stopped after $_seen checks" >>"$tmp/tap.err" ;;
	esac
	echo "exit status $_status" >>"$tmp/tap.err"
	case $_seen:$_status in
	1..[1-9]*:[01])	ok "[$_tag] $(basename "$1") ran to its end" ;;
	*)		not_ok "[$_tag] $(basename "$1") ran to its end" \
				"$tmp/tap.err" ;;
	esac
}

# with_configs FUNCTION ARG...: FUNCTION CONFIG ARG... under each of CONFIGS
with_configs()
{
	_function=$1
	shift
	for config in $CONFIGS; do
		"$_function" "$config" "$@"
	done
}

# --- programs ---------------------------------------------------------------

# The compiler must not fold away malloc and free, nor learn their sizes.
cflags="-O1 -g -fno-builtin -Wall -Wextra -Werror=implicit-function-declaration -pthread -D_GNU_SOURCE"

# build NAME [FLAG...]: $src/NAME.c becomes $tmp/NAME
build()
{
	_name=$1
	shift
	$CC -std=gnu11 $cflags -I"$top_srcdir/include" -o "$tmp/$_name" \
		"$src/$_name.c" "$@" -ldl || not_ok "$_name.c compiles"
}

# build_so OUTPUT NAME [FLAG...]: $src/NAME.c becomes $tmp/OUTPUT
build_so()
{
	_output=$1
	_name=$2
	shift 2
	$CC -std=gnu11 $cflags -fPIC -shared -o "$tmp/$_output" \
		"$src/$_name.c" "$@" -ldl || not_ok "$_name.c compiles"
}

# A preload that the loader refuses leaves glibc in place, and everything
# passes: so each script first asks where a block lies in each configuration.
preload_takes_effect()
{
	build where
	for _pair in ddr:0 cxl:1 tiny:01 both:0 over:01 off:x; do
		_config=${_pair%:*}
		_got=$(preload "$_config" "$tmp/where" 2>"$tmp/where.err")
		case ${_pair#*:} in
		*"$_got"*|x)	[ -n "$_got" ] && [ "$_got" != none ] ;;
		*)		false ;;
		esac && ok "[$_config] the library serves malloc" ||
			not_ok "[$_config] the library serves malloc" \
				"$tmp/where.err"
	done
}
