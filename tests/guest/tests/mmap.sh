#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# mmap.sh - memory that programs map themselves is on the tier's nodes, however it was reserved, made
# usable, moved or filled; python's arenas and the Java heap with it

. "$(dirname "$0")/lib.sh"
promised
limit=100

tap 'order=cxl:ddr' order=cxl:ddr "$GUEST_BIN/mapper" "$cxl" "$ddr"
tap 'strict' order=cxl:ddr,placement=strict "$GUEST_BIN/mapper" "$cxl" "$ddr"
tap 'mmap.policy=cxl' order=ddr,mmap.policy=cxl "$GUEST_BIN/mapper" "$cxl" "$ddr"
tap 'a limit' cxl.limit=32m,order=cxl:ddr "$GUEST_BIN/mapper" "$cxl" "$ddr" 32

# arenas NAME BYTES COMMAND...: the process's maps on cxl are at least so much, and none of them on ddr
arenas() {
    local name=$1 least=$2
    shift 2
    json order=cxl:ddr,placement=strict "$@" >"$tmp/out"
    check "$name: ends well" 0 $?
    check_that "$name: mapped on cxl ($(of_report cxl mapped) bytes)" test "$(of_report cxl mapped)" -ge "$least"
    check "$name: nothing mapped on ddr, nothing misplaced" '0 0' \
        "$(of_report ddr mapped) $(of_report cxl misplaced)"
}

# Not a script that finds the real one.
if python=$(python3 -c 'import sys; print(sys.executable)'); then
    # It ends without giving its arenas back.
    arenas python3 $((20 << 20)) "$python" -c '
import ctypes
rows = [str(i) * 4 for i in range(300000)]
ctypes.CDLL(None).exit(0)'
else
    skip 'python3: its arenas' 'no python3 here'
fi
if [[ -f $GUEST_BIN/Heap.class ]]; then
    arenas java $((60 << 20)) java -Xmx128m -Xms64m -Xint -XX:+UseSerialGC -cp "$GUEST_BIN" Heap
    check_that 'java: 40 MiB of bound pages are on cxl' \
        test "$(bound_pages "$cxl" <"$tmp/out" | tr ' ' '\n' | sed -n "s/^$cxl://p")" -ge 10000
else
    skip 'java: its heap' 'no javac where the tests were built'
fi
finish
