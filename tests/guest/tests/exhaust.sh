#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# exhaust.sh - nodes that are really full, and no limit set: the next tier serves, and when there is
# none, malloc says so; the out-of-memory killer has nothing to do

. "$(dirname "$0")/lib.sh"
promised
limit=120
mib=$((1 << 20))

# no_kill WHAT
no_kill() {
    check "$1: the kernel had to kill nobody" 0 "$(killed_by_kernel)"
}

# A program that touches memory as it allocates.
first_is_full() {
    local order=$1 first=$2 node=$3 other=$4 conf=order=$1
    leave "$node" 160
    start_puppet "$conf"
    tell fill "$first" $((400 * mib))
    check "$conf: the next tier serves when node $node is full" tier "${reply##* }"
    check_that "$conf: not before it has taken the most of it (${reply%% *} MiB)" test "${reply%% *}" -ge 48
    told "$conf: blocks after that" $((1 - first)) alloc 1 $((16 * mib))
    lies_on "$conf: their pages are on the other node" "$other" where 1
    lies_on "$conf: pages of the first tier are all on its node" "$node" window "$first"
    told "$conf: what was written is unharmed" good drop
    end_puppet
    check "$conf: the report tells nothing misplaced on ddr" 0 "$(of_report ddr misplaced)"
    check "$conf: the report tells nothing misplaced on cxl" 0 "$(of_report cxl misplaced)"
    no_kill "$conf"
    give_back
}

both_are_full() {
    local conf=$1,on_full=fail,placement=strict
    leave "$ddr" 160
    leave "$cxl" 120
    start_puppet "$conf"
    tell fill 0 $((400 * mib))
    check "$conf: ddr fills up first" tier "${reply##* }"
    tell fill 1 $((400 * mib))
    check "$conf: then cxl, then NULL and ENOMEM" ENOMEM "${reply##* }"
    check_that "$conf: not before cxl has given the most of it (${reply%% *} MiB)" test "${reply%% *}" -ge 24
    told "$conf: the program goes on" "NULL ENOMEM" alloc 1 $((64 * mib))
    told "$conf: what it wrote is unharmed; it frees it" good drop
    told "$conf: free memory is given back" trimmed trim
    tell alloc 2 $((16 * mib))
    check_that "$conf: and has memory again" grep -qx '[01]' <<<"$reply"
    end_puppet
    no_kill "$conf"
    give_back
}

# on_full=spill: the last tier takes it beyond its node, as long as there is memory anywhere.
last_spills() {
    local conf=order=cxl,on_full=spill
    leave "$cxl" 100
    start_puppet "$conf"
    told "$conf: more than node $cxl has" "200 all" fill 1 $((200 * mib))
    tell window 1
    check_that "$conf: pages are on both nodes ($reply)" grep -q "$ddr:.*$cxl:" <<<"$reply"
    told "$conf: what was written is unharmed" good drop
    end_puppet
    no_kill "$conf"
    give_back
}

# What the process saw free when it last looked, another has taken since.
taken_by_another() {
    local conf=order=$1,placement=strict
    start_puppet "$conf"
    told "$conf: a block while there is room" "$2" alloc 1 $((16 * mib))
    leave "$3" 40
    told "$conf: another took the node's memory: a block is of the next tier" $((1 - $2)) alloc 2 $((32 * mib))
    lies_on "$conf: its pages are on the other node" "$4" where 2
    end_puppet
    no_kill "$conf, memory taken by another"
    give_back
}

first_is_full ddr:cxl 0 "$ddr" "$cxl"
first_is_full cxl:ddr 1 "$cxl" "$ddr"
both_are_full order=ddr:cxl
last_spills
taken_by_another cxl:ddr 1 "$cxl" "$ddr"
finish
