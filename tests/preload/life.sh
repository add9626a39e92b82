#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# life - the heap works before constructors, after destructors, and while
# threads come and go
. "$(dirname "$0")/lib.sh"

build life_early
build life_exit
build life_threads
build_so early_lib.so early_lib
early=$tmp/early_lib.so

# The early library's constructor runs before ours when it is behind us in
# LD_PRELOAD, and after ours when it is in front.
early_constructors()
{
	after=$early
	tap_from "$1" "$tmp/life_early"
	after='' before=$early
	tap_from "$1" "$tmp/life_early"
	before=''
}

late_destructors()
{
	EARLY_SAY=1
	export EARLY_SAY
	for _side in before after; do
		eval "$_side=\$early"
		_got=$(preload "$1" true 2>"$tmp/late.err")
		eval "$_side="
		equal "[$1] a destructor $_side ours has a heap" \
			"early blocks are whole" "$_got"
	done
	unset EARLY_SAY
}

# exit(3) from a thread races with others' malloc, so it is run many times;
# glibc itself says what the output is.
ends_the_same_way()
{
	for _how in return exit quick abandon thread; do
		_times=1
		[ $_how = thread ] && _times=10
		limit=20 preload none "$tmp/life_exit" $_how >"$tmp/want"
		_want=$?
		while [ $_times -gt 0 ]; do
			limit=20 preload "$1" "$tmp/life_exit" $_how \
				>"$tmp/got" 2>"$tmp/got.err"
			_status=$?
			_times=$((_times - 1))
			[ $_status = $_want ] && cmp -s "$tmp/want" "$tmp/got" ||
				break
		done
		equal "[$1] exit status of a program that ends by $_how" \
			$_want $_status
		same "[$1] last output of a program that ends by $_how" \
			"$tmp/want" "$tmp/got"
	done
}

preload_takes_effect
with_configs early_constructors
with_configs late_destructors
with_configs ends_the_same_way
with_configs tap_from "$tmp/life_threads"
done_testing
