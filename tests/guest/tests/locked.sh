#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# locked.sh - a program that has locked all its memory: what it frees goes back to the kernel all the
# same, and calloc is zero afterwards

. "$(dirname "$0")/lib.sh"
promised
mib=$((1 << 20))
current_and_future=3
and_on_fault=7

# in_window TIER: pages of it in memory
in_window() {
    local word sum=0
    tell window "$1"
    for word in $reply; do sum=$((sum + ${word#*:})); done
    pages=$sum
}

locked() {
    local conf=order=$1,placement=strict tier=$2 before used
    start_puppet "$conf"
    told "$conf: a block before memory is locked" "$tier" alloc 1 $((4 * mib))
    told "$conf: it is locked" locked lock $current_and_future
    told "$conf: a block after that" "$tier" alloc 2 $((16 * mib))
    in_window "$tier"
    before=$pages
    tell stat "$tier"
    used=${reply% *}
    told "$conf: it is freed" freed free 2
    told "$conf: free memory is given back" trimmed trim
    in_window "$tier"
    check_that "$conf: 16 MiB of it have left memory ($before pages, then $pages)" test $((before - pages)) -ge 4096
    tell stat "$tier"
    check_that "$conf: and are not charged ($used bytes, then ${reply% *})" test $((used - ${reply% *})) -ge $((16 * mib))
    told "$conf: calloc is zero" good zeros 2 $((16 * mib))
    told "$conf: that is freed" freed free 2
    told "$conf: without a purge, calloc is zero" good zeros 3 $((8 * mib))
    told "$conf: and beside it" good zeros 2 $((8 * mib))
    told "$conf: that is freed" freed free 3
    told "$conf: free memory is given back" trimmed trim
    told "$conf: calloc is zero" good zeros 3 $((12 * mib))
    told "$conf: the first block is unharmed" good verify 1
    lies_on "$conf: and where it was" "$3" where 1
    check_that "$conf: memory is locked" test "$(awk '$1 == "VmLck:" { print $2 }' "/proc/$puppet/status")" -gt 16000
    end_puppet
}

# MCL_FUTURE would fill a range before it is bound: ours are mapped so that it does not.
placed() {
    local conf=order=$1,placement=strict,decay_ms=-1 off word
    start_puppet "$conf"
    told "$conf: memory is locked, flags $4" locked lock "$4"
    told "$conf: a block after that" "$2" alloc 1 $((8 * mib))
    lies_on "$conf: its pages" "$3" where 1
    tell window "$2"
    off=0
    for word in $reply; do
        if [[ ,$3, != *,${word%:*},* ]]; then off=$((off + ${word#*:})); fi
    done
    end_puppet
    check "$conf: what is elsewhere is told ($off pages)" "$off" $(($(of_report "${1%:*}" misplaced) / 4096))
}

locked ddr:cxl 0 "$ddr"
locked cxl:ddr 1 "$cxl"
placed cxl:ddr 1 "$cxl" $and_on_fault
placed cxl:ddr 1 "$cxl" $current_and_future
finish
