#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# conformance - the malloc family means what C, POSIX and glibc say, whatever
# the tiers and their limits
. "$(dirname "$0")/lib.sh"

build conf_overflow
build conf_align
build conf_resize
build conf_info

first_calls_refuse_with_ENOMEM()
{
	_bad=
	for _index in 0 1 2 3 4 5 6 7 8 9 10 11 12; do
		preload "$1" "$tmp/conf_overflow" $_index 2>>"$tmp/first.err" ||
			_bad="$_bad $_index"
	done
	if [ -z "$_bad" ]; then
		ok "[$1] a process's first call can fail with ENOMEM"
	else
		not_ok "[$1] a process's first call can fail with ENOMEM" \
			"$tmp/first.err"
	fi
}

preload_takes_effect
for program in conf_overflow conf_align conf_resize conf_info; do
	with_configs tap_from "$tmp/$program"
done
with_configs first_calls_refuse_with_ENOMEM
done_testing
