#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# cgroup.sh - limits of control groups: reported, followed by a limit given as a share; a process whose
# limits fit into its group is not killed where one without is

. "$(dirname "$0")/lib.sh"
promised
limit=60
mib=$((1 << 20))

# nested HIGH MAX: a group with memory.high, and one with memory.max in it
nested() {
    group outer "$ddr,$cxl" && echo "$1" >"$cgroups/outer/memory.high" &&
        echo '+memory' >"$cgroups/outer/cgroup.subtree_control" && mkdir -p "$cgroups/outer/inner" &&
        echo "$2" >"$cgroups/outer/inner/memory.max"
}

# of_group FIELD: of the report's object
of_group() {
    sed -n 's/.*"cgroup":{\([^}]*\)}.*/\1/p' "$tmp/report" | tr ',' '\n' | sed -n "s/\"$1\"://p"
}

# limit_of TIER: as the process itself says, to the nearest KiB
limit_of() {
    tell stat "$1"
    printf '%d' $(((${reply#* } + 512) / 1024))
}

# follows WHAT TIER MIB: the process allocates until its limit is that; it looks each 250 ms
follows() {
    local tries now
    for ((tries = 0; tries < 100; tries++)); do
        tell leave 9 100
        now=$(limit_of "$2")
        if [[ $now == $(($3 * 1024)) ]]; then break; fi
    done
    check "$1" $(($3 * 1024)) "$now"
}

# start_inside CONF: the process is in the group from its first instruction on
start_inside() {
    echo "$BASHPID" >"$cgroups/outer/inner/cgroup.procs"
    start_puppet "$1"
    echo "$BASHPID" >"$cgroups/cgroup.procs"
}

shares() {
    check_that 'a group with memory.max 64M in one with memory.high 48M' nested 48M 64M
    start_inside ddr.limit=50%,cxl.limit=25%,on_full=fail
    check 'ddr.limit=50% is of the smallest of all' $((24 << 10)) "$(limit_of 0)"
    check 'cxl.limit=25%, too' $((12 << 10)) "$(limit_of 1)"
    echo 40M >"$cgroups/outer/memory.high"
    follows 'memory.high of the outer group is lowered: the limit follows' 0 20
    echo 32M >"$cgroups/outer/inner/memory.max"
    follows 'memory.max of its own is the smallest now' 0 16
    tell alloc 1 $((12 * mib))
    tell alloc 2 $((12 * mib))
    check 'more than that is not to be had' 'NULL ENOMEM' "$reply"
    echo max >"$cgroups/outer/memory.high"
    echo 128M >"$cgroups/outer/inner/memory.max"
    follows 'it is raised: the limit follows' 0 64
    told 'and is to be had' 0 alloc 2 $((32 * mib))
    end_puppet
    check 'the report has memory.max' $((128 * mib)) "$(of_group max)"
    check 'the report has memory.high: none' null "$(of_group high)"
    check_that "the report has memory.current ($(of_group current))" test "$(of_group current)" -ge $((44 * mib))
}

# No swap, so what a group has too much of is not to be had by pushing pages out.
pressure() {
    local status before
    check_that 'a group of 64 MiB' nested max 64M
    before=$(killed_by_kernel)
    in_group outer/inner json 'ddr.limit=33%,cxl.limit=33%,on_full=fail,placement=strict' "$GUEST_BIN/hog" 200 >"$tmp/hog"
    status=$?
    check 'limits that fit: a program that takes all it gets ends well' 0 "$status"
    check_that "it had the most of its group ($(cat "$tmp/hog"))" grep -qE '^taken (3[0-9]|4.) of 200$' "$tmp/hog"
    check_that 'both tiers were full' test "$(of_report ddr full)" -ge 1 -a "$(of_report cxl full)" -ge 1
    check 'nobody was killed' "$before" "$(killed_by_kernel)"
    check 'nor had the group anything to kill for' 'oom 0' "$(grep '^oom ' "$cgroups/outer/inner/memory.events")"
    (in_group outer/inner json 'on_full=fail,placement=strict' "$GUEST_BIN/hog" 200 >"$tmp/hog"; exit $?) 2>"$tmp/shell"
    status=$?
    check 'without limits, the same program is killed' 137 "$status"
    check_that 'the kernel says that the group was the reason' \
        eval 'dmesg | grep oom-kill: | tail -n 1 | grep -q "constraint=CONSTRAINT_MEMCG,.*task=hog"'
}

shares
pressure
finish
