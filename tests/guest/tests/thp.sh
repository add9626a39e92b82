#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# thp.sh - khugepaged puts no memory back into a tier with a limit, while it does into one without

. "$(dirname "$0")/lib.sh"
promised
limit=180
mib=$((1 << 20))

# Time is counted in khugepaged's full scans of all memory: at the kernel's own pace (16 MiB each
# 10 s) two minutes are one or two of them, here they are hundreds. CXLM_LONG=1: two minutes of that.
huge=/sys/kernel/mm/transparent_hugepage
if [[ -n ${CXLM_LONG:-} ]]; then seconds=120; else seconds=6; fi

# set_pace MILLISECONDS PAGES: the pause between two rounds of khugepaged, and how much one is
set_pace() {
    echo "$1" >$huge/khugepaged/scan_sleep_millisecs &&
        echo "$1" >$huge/khugepaged/alloc_sleep_millisecs &&
        echo "$2" >$huge/khugepaged/pages_to_scan
}

# pages_on NODES: of the process, bound to these nodes
pages_on() {
    local word sum=0
    for word in $(bound_pages "$1" <"/proc/$puppet/numa_maps"); do sum=$((sum + ${word#*:})); done
    printf '%d' "$sum"
}

# One process with a tier that has a limit of 16 MiB and one that has none; both sparse.
one_tier_is_limited() {
    local name=$1 tier=$2 on=$3 other=$4 now used most=0 scans end before after
    start_puppet "order=$5,$name.limit=16m,placement=strict"
    told "$name has a limit: it is full, and 32 MiB are in the other tier" "$tier" sparse 0 $((48 * mib))
    told "$name: 15 of 16 pages were freed; they go back" trimmed trim
    tell stat "$tier"
    used=$((${reply% *} / 4096))
    most=$(pages_on "$on")
    check_that "$name holds few pages of 4096 ($most)" test "$most" -gt 200 -a "$most" -lt 1000
    before=$(pages_on "$other")
    check_that "the other holds few pages of 8192 ($before)" test "$before" -gt 400 -a "$before" -lt 2000
    scans=$(<$huge/khugepaged/full_scans)
    set_pace 20 1000000
    end=$((SECONDS + seconds))
    while ((SECONDS < end || $(<$huge/khugepaged/full_scans) < scans + 20)); do
        now=$(pages_on "$on")
        if ((now > most)); then most=$now; fi
        if ((SECONDS > end + 60)); then break; fi
    done
    set_pace 10000 4096
    scans=$(($(<$huge/khugepaged/full_scans) - scans))
    after=$(pages_on "$other")
    printf '# %s limited: %d full scans in %d s; %d pages are charged, at most %d were in memory; the other: %d, then %d\n' \
        "$name" "$scans" "$seconds" "$used" "$most" "$before" "$after"
    check_that "$name: khugepaged has seen all memory 20 times" test "$scans" -ge 20
    check_that "$name, limited: never more in memory than is charged" test "$most" -le "$used"
    check_that 'the other tier, without a limit, is filled up: this can happen' test "$after" -gt 7000
    told 'what was kept is unharmed' good kept
    end_puppet
}

check_that 'huge pages can be had always' eval "echo always >$huge/enabled"
one_tier_is_limited ddr 0 "$ddr" "$cxl" ddr:cxl
one_tier_is_limited cxl 1 "$cxl" "$ddr" cxl:ddr
finish
