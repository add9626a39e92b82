#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# live.sh - a process gets another policy while it runs: new pages follow it, old ones stay; sizes;
# weights that are published; a limit that comes later

. "$(dirname "$0")/lib.sh"
promised
mib=$((1 << 20))

# ask SETTINGS: cxlctl asks, the process answers when it next allocates.
ask() {
    "$CXLCTL" policy set "$puppet" "$1" --wait 1 >"$tmp/asked" 2>&1
}

# half_half WHAT REPLY-TO-where: pages on ddr and on cxl, within a hundredth of each other
half_half() {
    local word on_ddr=0 on_cxl=0
    for word in $reply; do
        if [[ ,$ddr, == *,${word%:*},* ]]; then
            on_ddr=$((on_ddr + ${word#*:}))
        else
            on_cxl=$((on_cxl + ${word#*:}))
        fi
    done
    check_that "$1 (pages by node: $reply)" \
        test $(((on_ddr - on_cxl) * 50)) -le $((on_ddr + on_cxl)) -a \
        $(((on_cxl - on_ddr) * 50)) -le $((on_ddr + on_cxl)) -a $on_ddr -gt 0
}

by_size() {
    start_puppet sizes=ddr:64k:cxl,placement=strict
    told 'sizes: 32 KiB are for ddr' 0 alloc 1 $((32 * 1024))
    told 'sizes: 64 KiB are for cxl' 1 alloc 2 $((64 * 1024))
    told 'sizes: 4 MiB are for cxl' 1 alloc 3 $((4 * mib))
    lies_on 'sizes: the pages of 32 KiB' "$ddr" where 1
    lies_on 'sizes: the pages of 64 KiB' "$cxl" where 2
    lies_on 'sizes: the pages of 4 MiB' "$cxl" where 3
    end_puppet
}

changed_while_it_runs() {
    start_puppet order=ddr,placement=strict
    told 'under ddr: a block' 0 alloc 1 $((8 * mib))
    check_that 'cxlctl ps lists the process' grep -q "$puppet" <("$CXLCTL" ps)
    ask order=cxl
    check_that 'a process that does nothing has it pending' grep -q pending "$tmp/asked"
    told 'under cxl: the next block' 1 alloc 2 $((8 * mib))
    lies_on 'under cxl: its pages' "$cxl" where 2
    lies_on 'under cxl: the old block has not moved' "$ddr" where 1
    ask order=ddr:cxl,policy=interleave,interleave=1:1
    tell alloc 3 $((64 * mib))
    tell where 3
    half_half 'interleave=1:1: half of the pages of one block are on each tier'
    ask policy=priority,order=ddr:cxl,ddr.limit=16m
    told 'a limit below what ddr holds: the next block' 1 alloc 4 $((8 * mib))
    lies_on 'a limit below what ddr holds: its pages' "$cxl" where 4
    lies_on 'a limit below what ddr holds: nothing has moved' "$ddr" where 1
    ask ddr.limit=none
    told 'no limit: the next block' 0 alloc 5 $((8 * mib))
    ask order=hbm
    check_that 'a bad request names what is allowed' grep -q 'ddr:cxl, cxl:ddr, ddr or cxl' "$tmp/asked"
    told 'a bad request changes nothing' 0 alloc 6 $((8 * mib))
    for block in 1 2 3 4 5 6; do told "block $block is unharmed" good verify "$block"; done
    "$CXLCTL" stat "$puppet" >"$tmp/stat" 2>&1
    check_that 'cxlctl stat tells where the pages are' \
        grep -qE "^node ${cxl%%,*} .*MiB" "$tmp/stat"
    end_puppet
    check 'the report tells nothing misplaced on ddr' 0 "$(of_report ddr misplaced)"
    check 'the report tells nothing misplaced on cxl' 0 "$(of_report cxl misplaced)"
}

published() {
    mkdir -p /run/cxlmalloc
    printf '1:1\n' >/run/cxlmalloc/weights
    start_puppet policy=bandwidth,placement=strict
    tell alloc 1 $((64 * mib))
    tell where 1
    half_half 'published weights 1:1'
    end_puppet
    rm /run/cxlmalloc/weights
}

by_size
changed_while_it_runs
published
finish
