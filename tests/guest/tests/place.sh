#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# place.sh [all] - blocks of every shape are on the nodes that the policy promises. all: also each
# way that two limited tiers can be full, which does not depend on the topology.

. "$(dirname "$0")/lib.sh"
promised
limit=90

# shapes CONF TIERS: see where.c
shapes() {
    tap "$1" "$1,placement=strict" "$GUEST_BIN/where" "$2" "$ddr" "$cxl"
}

# no_stray CONF: by the library's own report, too.
no_stray() {
    json "$1,placement=strict" "$GUEST_BIN/where" both "$ddr" "$cxl" >"$tmp/out"
    check "$1: the report tells nothing misplaced on ddr" 0 "$(of_report ddr misplaced)"
    check "$1: the report tells nothing misplaced on cxl" 0 "$(of_report cxl misplaced)"
}

shapes order=ddr:cxl ddr
shapes order=cxl:ddr cxl
shapes order=ddr:cxl,ddr.limit=4m both
no_stray order=cxl:ddr,cxl.limit=4m
if [[ $cxl == *,* ]]; then
    last=${cxl##*,}
    tap "order=cxl,cxl.nodes=$last" "order=cxl,cxl.nodes=$last,placement=strict" \
        "$GUEST_BIN/where" cxl "$ddr" "$last"
fi
[[ ${1:-} == all ]] || finish

shapes order=cxl:ddr,cxl.limit=4m both
shapes order=cxl cxl
shapes order=ddr ddr
# The nodes have room, so pages are where they should be without a strict binding too.
for conf in order=ddr:cxl order=ddr:cxl,ddr.limit=4m,placement=preferred order=cxl:ddr,placement=preferred; do
    case $conf in
    *limit*) tiers=both ;;
    *) tiers=${conf#order=} && tiers=${tiers%%:*} ;;
    esac
    tap "$conf" "$conf" "$GUEST_BIN/where" "$tiers" "$ddr" "$cxl"
done
for first in ddr cxl; do
    order=ddr:cxl
    if [[ $first == cxl ]]; then order=cxl:ddr; fi
    for on_full in fail spill remain interleave; do
        for placement in strict preferred; do
            conf=order=$order,on_full=$on_full,placement=$placement
            tap "$conf" "$conf,ddr.limit=4m,cxl.limit=4m" "$GUEST_BIN/full" \
                "$first" "$on_full" 4 "$ddr" "$cxl"
        done
    done
done
finish
