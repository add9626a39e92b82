#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# api.sh - the C API on real nodes: pools, blocks of single nodes, ranges that are moved; pages are
# where the calls say, by the kernel's answer, and a full node refuses

. "$(dirname "$0")/lib.sh"
promised
limit=90

tap "api" order=ddr:cxl "$GUEST_BIN/api_nodes" "$ddr" "$cxl"
tap "api, limits" order=ddr:cxl,placement=strict,ddr.limit=200m,cxl.limit=200m "$GUEST_BIN/api_nodes" "$ddr" "$cxl"
killed=$(grep -c 'Out of memory\|oom-kill' <(dmesg))
tap "a full node" order=ddr:cxl "$GUEST_BIN/api_nodes" "$ddr" "$cxl" "${cxl##*[,-]}"
check 'the out-of-memory killer had nothing to do' "$killed" "$(grep -c 'Out of memory\|oom-kill' <(dmesg))"
json order=ddr:cxl "$GUEST_BIN/api_nodes" "$ddr" "$cxl" >"$tmp/out"
check 'afterwards nothing of a pool is counted' '0 0' \
    "$(($(of_report ddr in_use) > 1 << 20)) $(($(of_report cxl in_use) > 1 << 20))"
finish
