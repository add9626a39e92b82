#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# hotplug.sh - a second CXL node comes and goes: named before it is there, found by itself, drained,
# refused by the kernel, and gone without a word

. "$(dirname "$0")/lib.sh"
promised
mib=$((1 << 20))

# start_with CONF TIERS...: a process, and node 2 plugged in while it allocates. $dimm counts up.
dimm=-1
plug_while_it_allocates() {
    dimm=$((dimm + 1))
    plug $dimm 2 >"$tmp/plug" 2>&1 &
    local plugging=$!
    tell 'wait' 2 1000
    within "$1" 1000
    wait "$plugging"
    check 'node 2 is online' "0 1 2" "$(node_list has_memory)"
}

named_before_it_is_there() {
    start_puppet order=cxl:ddr,cxl.nodes=2,placement=strict
    check 'a node that is not there yet: one line says so' 1 "$(grep -c 'cxl.nodes=2: not a node' "$tmp/puppet.err")"
    told 'until then, a block of cxl' 1 alloc 1 $((4 * mib))
    lies_on 'until then, its pages are on the node that is there' 1 where 1
    plug_while_it_allocates 'a node named before it was there is used'
    told 'a block after that' 1 alloc 2 $((16 * mib))
    lies_on 'its pages are on the named node' 2 where 2
}

# Goes on with that process, all whose new memory is on node 2.
drained() {
    check_that 'cxlctl drain leaves no page on the node' "$CXLCTL" drain 2
    tell leave 2 1000
    within 'a drain is noticed' 1000
    tell where 2
    check_that "all pages are off the drained node ($reply)" all_on 0,1
    check_that 'the drained node can be removed' unplug $dimm
    told 'the data is unharmed' good verify 2
    end_puppet
    check_that 'cxlctl drain --undo takes the node off the list' "$CXLCTL" drain --undo 2
    check 'nothing is drained' '' "$(cat /run/cxlmalloc/drain)"
}

# The nearer node is full, so the tier is; the new one gives it room.
found_by_itself() {
    leave 1 16
    start_puppet order=cxl:ddr,placement=strict
    told 'the node of cxl is full: a block of ddr' 0 alloc 1 $((16 * mib))
    plug_while_it_allocates 'a node nobody named is used when the one that was there is full'
    told 'a block after that' 1 alloc 2 $((32 * mib))
    lies_on 'its pages are on the nodes of cxl' 1,2 where 2
    check_that 'the most of them on the new one' grep -qE '2:[5-9]...' <<<"$reply"
    told 'the first is unharmed' good verify 1
    end_puppet
    check 'the report has both nodes' 1,2 "$(of_report cxl nodes)"
    check 'the report tells nothing misplaced' 0 "$(of_report cxl misplaced)"
    give_back
}

# A process whose operator named a node that never comes keeps what it has.
named_and_never_there() {
    start_puppet order=cxl:ddr,cxl.nodes=9,placement=strict
    told 'with a node that is never there: a block' 1 alloc 1 $((4 * mib))
    check_that 'node 2 can be removed' unplug $dimm
    tell leave 2 1000
    told 'with a node that is never there: a block after other nodes changed' 1 alloc 2 $((4 * mib))
    lies_on 'with a node that is never there: its pages' 1 where 2
    end_puppet
    check 'with a node that is never there: the tier is bound' strict "$(of_report cxl binding)"
    check 'with a node that is never there: the nodes are those found' 1 "$(of_report cxl nodes)"
}

gone_without_a_word() {
    dimm=$((dimm + 1))
    check_that 'node 2 can be plugged in' plug $dimm 2
    start_puppet order=cxl:ddr,cxl.nodes=2,placement=strict
    told 'a block on node 2' 1 alloc 1 $((32 * mib))
    lies_on 'its pages' 2 where 1
    check_that 'node 2 can be removed without a drain' unplug $dimm
    told 'the kernel has moved the data: it is unharmed' good verify 1
    tell where 1
    check_that "its pages are on what is left ($reply)" all_on 0,1
    tell leave 2 1000
    told 'the process still gets memory, of the next tier' 0 alloc 2 $((4 * mib))
    lies_on 'its pages' 0 where 2
    end_puppet
    check 'the report tells the tier offline' offline "$(of_report cxl binding)"
    check_that "the report tells what was moved as misplaced ($(of_report cxl misplaced))" \
        test "$(of_report cxl misplaced)" -ge $((32 * mib))
}

# Memory that the kernel has taken for itself can't be given back; the process is as it was.
refused() {
    echo online_kernel >/sys/devices/system/memory/auto_online_blocks
    dimm=$((dimm + 1))
    check_that 'node 2 can be plugged in, for the kernel too' plug $dimm 2
    start_puppet order=cxl:ddr,cxl.nodes=2,placement=strict
    told 'a block on it' 1 alloc 1 $((16 * mib))
    mkdir "$tmp/files" && mount -t tmpfs -o mpol=bind:2 files "$tmp/files"
    (cd "$tmp/files" && numactl -m 2 mkdir {1..3000})
    unplug $dimm >"$tmp/out" 2>&1
    check 'the kernel refuses to remove it' 1 $?
    check_that 'the refusal is told in one clear line' \
        grep -q '^qmp: device_del: the kernel of the guest refused' "$tmp/out"
    check 'the node has stayed' '0 1 2' "$(node_list has_memory)"
    told 'the data is unharmed' good verify 1
    told 'a block after the refusal' 1 alloc 2 $((16 * mib))
    tell where 2
    check_that "its pages are on the node ($reply)" all_on 2
    end_puppet
    umount "$tmp/files"
}

named_before_it_is_there
drained
found_by_itself
named_and_never_there
gone_without_a_word
refused
finish
