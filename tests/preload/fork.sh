#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# fork - children of threaded processes have a heap and nothing deadlocks
. "$(dirname "$0")/lib.sh"

build fork_threads
build fork_stdio
build fork_exec
build_so early_lib.so early_lib

in_stdio()
{
	for _scene in getline fflush printf memstream; do
		tap_from "$1" "$tmp/fork_stdio" $_scene
	done
}

# early_lib registers its atfork handlers before ours does when it is behind
# us: its prepare handler then runs after ours, and allocates.
with_an_early_library()
{
	after=$tmp/early_lib.so
	tap_from "$1" "$tmp/fork_exec"
	after='' before=$tmp/early_lib.so
	tap_from "$1" "$tmp/fork_exec"
	before=''
}

preload_takes_effect
limit=130
with_configs tap_from "$tmp/fork_threads"
# The order of the atfork handlers does not depend on where blocks go.
CONFIGS="ddr tiny"
with_configs in_stdio
with_configs with_an_early_library
done_testing
