#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# hotadd.sh - a machine without CXL memory gets some while a program runs, gives it up again after a
# drain, and gets some once more

. "$(dirname "$0")/lib.sh"
promised
mib=$((1 << 20))

json order=ddr:cxl true
check 'without CXL memory the cxl tier is emulated' emulated "$(of_report cxl binding)"

# What the allocator keeps for reuse was touched before the node was there: memory that a strict tier
# hands out a second later must not be that.
kept_for_reuse() {
    local deadline tries=0
    start_puppet order=cxl:ddr,placement=strict
    told 'a block before there is a node' 1 alloc 1 $((16 * mib))
    told 'it is freed, and kept for reuse' freed free 1
    check_that '512 MiB are plugged in' plug 9 1
    deadline=$((${EPOCHREALTIME/./} + 1000000))
    # On a busy machine one try may take longer than that.
    while tell alloc 1 $((16 * mib)) && tell where 1 && ! all_on 1 &&
        ((${EPOCHREALTIME/./} < deadline || tries++ < 3)); do
        tell free 1
    done
    lies_on 'within 1000 ms, or at the fourth try, a block of the same size is on the new node' 1 where 1
    end_puppet
    check_that 'the node is unplugged' unplug 9
}

kept_for_reuse
start_puppet order=cxl:ddr,placement=strict
told 'a block of the emulated tier' 1 alloc 1 $((8 * mib))
lies_on 'its pages are in ordinary memory' 0 where 1
plug 0 1 >"$tmp/plug" 2>&1 &
plugging=$!
tell 'wait' 1 1000
within 'the new node is used after its coming online' 1000
wait "$plugging"
check '512 MiB are plugged in' 0 $?
told 'a block after that' 1 alloc 2 $((16 * mib))
lies_on 'its pages are on the new node' 1 where 2
told 'the old block is unharmed' good verify 1
told 'it is freed' freed free 1
told 'free memory is given back' trimmed trim
told 'a block in its place' 1 alloc 1 $((16 * mib))
lies_on 'its pages are on the new node, too' 1 where 1

json order=ddr:cxl true
check 'a new process has the node as its cxl tier' 1 "$(of_report cxl nodes)"
check 'and it is bound' preferred "$(of_report cxl binding)"

drain 1
tell leave 1 1000
within 'a drain is noticed' 1000
migratepages "$puppet" 1 0
lies_on 'pages can be moved off the node' 0 where 1
told 'nothing brings them back: the data is read' good verify 1
lies_on 'and is where it was' 0 where 1
check_that 'the drained node can be removed' unplug 0
check 'the node is gone' 0 "$(node_list has_memory)"
told 'the first block is unharmed' good verify 1
told 'the second block is unharmed' good verify 2
tell alloc 3 $((8 * mib))
lies_on 'a block after that is in ordinary memory' 0 where 3

drain
plug 1 1 >"$tmp/plug" 2>&1 &
plugging=$!
tell 'wait' 1 1000
within 'plugged in again, it is used' 1000
wait "$plugging"
told 'the third block is unharmed' good verify 3
end_puppet
check 'the report has the node again' 1 "$(of_report cxl nodes)"
check 'and the tier is bound' strict "$(of_report cxl binding)"

# No other tier is in the order, and on_full=spill says that any node will do then. The limit is
# there to have no huge pages: the kernel fills those whole, so that the end of the first block's
# would be on the node before the second block asks for it.
start_puppet order=cxl,cxl.limit=256m
told 'order=cxl: a block' 1 alloc 1 $((8 * mib))
lies_on 'order=cxl: its pages' 1 where 1
drain 1
tell leave 1 1000
within 'order=cxl: a drain is noticed' 1000
tell alloc 2 $((8 * mib))
lies_on 'order=cxl: without its only node it goes on in ordinary memory' 0 where 2
end_puppet
finish
