#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# sticky.sh - pages come back to their tier: after free, purge and reuse; after swap and memory
# pressure; after the cpuset of the live process was narrowed and widened

. "$(dirname "$0")/lib.sh"
promised
limit=90
mib=$((1 << 20))

freed_and_used_again() {
    start_puppet "order=$1,placement=strict"
    told "$1: a block is of its tier" "$2" alloc 1 $((16 * mib))
    lies_on "$1: its pages" "$3" where 1
    told "$1: it is freed" freed free 1
    told "$1: free memory is given back" trimmed trim
    tell window "$2"
    check_that "$1: less than 4 MiB of it are left" few_pages
    told "$1: a new block is of its tier" "$2" alloc 2 $((16 * mib))
    lies_on "$1: the pages of the new block" "$3" where 2
    lies_on "$1: all pages of its window" "$3" window "$2"
    end_puppet
    check "$1: the report tells nothing misplaced" 0 "$(of_report "${1%:*}" misplaced)"
}

# few_pages: fewer than 1024 in $reply
few_pages() {
    local word sum=0
    for word in $reply; do sum=$((sum + ${word#*:})); done
    ((sum < 1024))
}

# swapped: VmSwap of the process, in KiB
swapped() {
    awk '$1 == "VmSwap:" { print $2 }' "/proc/$puppet/status"
}

paged_out() {
    start_puppet "order=$1,placement=strict"
    told "$1: a block to be swapped" "$2" alloc 1 $((8 * mib))
    told "$1: it is paged out" 'done' pageout 1
    tell where 1
    check_that "$1: most of its pages are in no memory" grep -qE '(^| )absent:(1[89]..|20..)$' <<<"$reply"
    told "$1: its data comes back" good verify 1
    lies_on "$1: its pages come back to their nodes" "$3" where 1
    end_puppet
}

# The group may have less than the process has touched, so the kernel swaps as it likes.
under_pressure() {
    check_that 'a control group can be made' group tight "$ddr,$cxl"
    start_puppet "order=$1,placement=strict"
    echo "$puppet" >"$cgroups/tight/cgroup.procs"
    echo 24M >"$cgroups/tight/memory.max"
    told "$1: a block larger than the group may have" "$2" alloc 1 $((40 * mib))
    check_that "$1: some of it is swapped" test "$(swapped)" -gt 8000
    told "$1: its data is unharmed" good verify 1
    echo max >"$cgroups/tight/memory.max"
    told "$1: its data is unharmed without pressure" good verify 1
    lies_on "$1: its pages after the pressure" "$3" where 1
    end_puppet
}

# pages_off NODES: pages in $reply that are on none of them
pages_off() {
    local word sum=0
    for word in $reply; do
        if [[ ,$1, != *,${word%:*},* ]]; then sum=$((sum + ${word#*:})); fi
    done
    printf '%d' "$sum"
}

# The kernel moves the pages of the process out of a node that its cpuset loses (cgroup 2). They
# stay away when it is allowed again; what is allocated then, and what is purged, is back.
cpuset_narrowed_and_widened() {
    local off told
    group live "$ddr,$cxl"
    # The limits are there to have no huge pages: khugepaged would gather pages, and move them,
    # between the puppet's count and the report's.
    start_puppet order=cxl:ddr,placement=strict,ddr.limit=256m,cxl.limit=256m
    echo "$puppet" >"$cgroups/live/cgroup.procs"
    told 'a block before the cpuset is narrowed' 1 alloc 1 $((8 * mib))
    lies_on 'its pages before' "$cxl" where 1
    echo "$ddr" >"$cgroups/live/cpuset.mems"
    tell alloc 2 $((8 * mib))
    check_that 'a process whose cpuset lost cxl still gets memory' grep -qx '[01]' <<<"$reply"
    lies_on 'its pages are where it may have any' "$ddr" where 2
    told 'the data from before is unharmed' good verify 1
    echo "$ddr,$cxl" >"$cgroups/live/cpuset.mems"
    tell 'wait' "${cxl%%,*}" 1000
    within 'widened again, cxl is used' 1000
    told 'the data from before is still unharmed' good verify 1
    told 'a block after the cpuset is widened' 1 alloc 3 $((16 * mib))
    lies_on 'its pages are on cxl' "$cxl" where 3
    told 'the block from before is freed' freed free 1
    told 'free memory is given back' trimmed trim
    told 'a block in its place' 1 alloc 4 $((32 * mib))
    lies_on 'its pages are on cxl, too' "$cxl" where 4
    tell window 1
    off=$(pages_off "$cxl")
    end_puppet
    # The last allocations of the process may change it by a few pages.
    told=$(($(of_report cxl misplaced) / 4096))
    check_that "what the kernel moved and nobody purged is told as misplaced ($off, told $told)" \
        test $((off > told ? off - told : told - off)) -lt 64
}

# The same while the process waits for its input: the library cannot have noticed, so it is the
# kernel's policy on the range that brings the pages back.
cpuset_changed_unseen() {
    start_puppet order=cxl:ddr,placement=strict
    echo "$puppet" >"$cgroups/live/cgroup.procs"
    told 'a block of a process that then waits' 1 alloc 1 $((8 * mib))
    echo "$ddr" >"$cgroups/live/cpuset.mems"
    echo "$ddr,$cxl" >"$cgroups/live/cpuset.mems"
    lies_on 'the kernel has moved its pages out of the cpuset' "$ddr" where 1
    told 'it is paged out' 'done' pageout 1
    told 'its data comes back' good verify 1
    tell where 1
    check_that "nearly all of its pages come back to cxl ($reply)" test "$(pages_off "$cxl")" -lt 300
    end_puppet
}

freed_and_used_again ddr:cxl 0 "$ddr"
freed_and_used_again cxl:ddr 1 "$cxl"
check_that 'there is swap' start_swap
paged_out ddr:cxl 0 "$ddr"
paged_out cxl:ddr 1 "$cxl"
under_pressure cxl:ddr 1 "$cxl"
cpuset_narrowed_and_widened
cpuset_changed_unseen
end_swap
finish
