#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# examples.sh - the programs of examples/, as users build them, on real nodes: what they say of where
# pages are names the nodes that the topology promises

. "$(dirname "$0")/lib.sh"
promised
if [[ ! -x $GUEST_BIN/examples/tiers ]]; then
    skip 'examples on real nodes' 'libcxlmem is not built'
    finish
fi
export LD_LIBRARY_PATH=${LIBCXLMALLOC%/*}

# run NAME: it ends well; what it says is in $tmp/out
run() {
    timeout -k 5 60 "$GUEST_BIN/examples/$1" >"$tmp/out" 2>"$tmp/err"
    check "$1 ends well" 0 $?
    note "$tmp/err"
}

# says LINE
says() {
    check_that "$1" grep -qx -- "$1" "$tmp/out"
}

# on NAME: nodes of the lines between "NAME:" and the next word, as 0,1; and the MiB on them
on() {
    sed -n "/^$1:/,/^[^ ]*[^:]*\$/ { /^[a-z]/ { /^$1:/!q }; s/.*: \([0-9]*\) of them on node \([0-9]*\)/\2 \1/p }" "$tmp/out"
}

run tiers
for tier in ddr cxl; do
    sum=0 strays=
    while read -r node mebibytes; do
        sum=$((sum + mebibytes))
        if [[ ,${!tier}, != *,$node,* ]]; then strays+=" $node"; fi
    done < <(on "$tier")
    check "tiers: 8 MiB of $tier are on nodes ${!tier}" '8, elsewhere:' "$sum, elsewhere:$strays"
done
says 'all is where it should be'
run migrate
says 'to cxl: 8 MiB are there'
says 'to ddr: 8 MiB are there'
says 'the block is of cxl, its contents as they were'
run pool
says 'the pool and its blocks are gone'
run events
says 'another limit'
for program in ctl scope near near-backend; do
    run $program
done
finish
