#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# demote.sh - what the kernel's tiering does to bound pages: it demotes them whatever their policy
# says, never promotes them, and the report counts them

. "$(dirname "$0")/lib.sh"
promised
limit=60
mib=$((1 << 20))
demotion=/sys/kernel/mm/numa/demotion_enabled
balancing=/proc/sys/kernel/numa_balancing

# counted NAME: of vmstat, all that begin so; which of them depends on the kernel
counted() {
    awk -v name="$1" 'index($1, name) == 1 { sum += $2 } END { print sum + 0 }' /proc/vmstat
}

# on NODES: of the pages in $reply
on() {
    local word sum=0
    for word in $reply; do
        if [[ ,$1, == *,${word%:*},* ]]; then sum=$((sum + ${word#*:})); fi
    done
    printf '%d' "$sum"
}

# squeezed CONF TIER: a process with a block of 32 MiB, of which the kernel was told to reclaim 24;
# there is no swap
squeezed() {
    local before
    start_puppet "$1,decay_ms=-1"
    echo "$puppet" >"$cgroups/squeezed/cgroup.procs"
    told "$1: a block" "$2" alloc 1 $((32 * mib))
    before=$(counted pgdemote_)
    reclaimed=yes
    echo 24M 2>/dev/null >"$cgroups/squeezed/memory.reclaim" || reclaimed=no
    demoted=$(($(counted pgdemote_) - before))
}

# told_in_full WHAT TIER NODES: ends the process; its report has the pages of the window off NODES
told_in_full() {
    local away
    tell window "$2"
    away=$(($(on "$ddr,$cxl") - $(on "$3")))
    end_puppet
    check "$1: the report tells them as misplaced, to the page ($away)" \
        "$away" $(($(of_report "$([[ $2 == 0 ]] && echo ddr || echo cxl)" misplaced) / 4096))
}

# Both policies alike: the kernel asks neither when it demotes.
ddr_is_demoted() {
    local conf=order=ddr,placement=$1
    squeezed "$conf" 0
    check "$conf: it is reclaimed, without swap" yes "$reclaimed"
    tell where 1
    check_that "$conf: pages are on the nodes of cxl now ($reply; $demoted demoted)" test "$(on "$cxl")" -gt 2000
    told "$conf: the data is unharmed" good verify 1
    tell window 0
    check_that "$conf: no more of them than the kernel says it has demoted" test "$(on "$cxl")" -le "$demoted"
    told_in_full "$conf" 0 "$ddr"
}

# Demotion does not lower what a group is charged, so memory.high goes on demoting until all is in
# the slowest tier.
group_over_its_high() {
    local conf=order=ddr,placement=strict tries
    group high "$ddr,$cxl"
    start_puppet "$conf,decay_ms=-1"
    echo "$puppet" >"$cgroups/high/cgroup.procs"
    told "$conf: a block" 0 alloc 1 $((32 * mib))
    echo 24M >"$cgroups/high/memory.high"
    for ((tries = 0; tries < 8; tries++)); do
        tell verify 1
        tell where 1
        if (($(on "$ddr") < 800)); then break; fi
    done
    check_that "$conf, over memory.high: all of it is demoted ($reply)" test "$(on "$ddr")" -lt 800
    check_that 'and the group has what it had' test "$(<"$cgroups/high/memory.current")" -gt $((32 * mib))
    echo max >"$cgroups/high/memory.high"
    told_in_full "$conf, over memory.high" 0 "$ddr"
}

# Down the tiers of the kernel, from the first cxl node to the second: for us it is one tier.
cxl_stays_in_its_tier() {
    local conf=order=cxl:ddr,cxl.nodes=$cxl,placement=strict
    squeezed "$conf" 1
    tell where 1
    check_that "$conf: pages are on the next of its nodes ($reply; $demoted demoted)" test "$(on "${cxl#*,}")" -gt 2000
    check "$conf: all of them are still on the nodes of cxl" 0 "$(on "$ddr")"
    told_in_full "$conf" 1 "$cxl"
}

# cpuset.mems is all that can forbid it, and only a newer kernel obeys.
in_a_cpuset_of_ddr() {
    local conf=order=ddr,placement=strict
    echo "$ddr" >"$cgroups/squeezed/cpuset.mems"
    squeezed "$conf" 0
    tell where 1
    printf '# cpuset.mems=%s: %d demoted, pages by node: %s\n' "$ddr" "$demoted" "$reply"
    case $(uname -r) in
    6.12.*) check_that "$conf: this kernel demotes out of the cpuset, too" test "$(on "$cxl")" -gt 2000 ;;
    *) check "$conf: this kernel demotes nothing out of the cpuset" 0 "$(on "$cxl")" ;;
    esac
    told_in_full "$conf, cpuset" 0 "$ddr"
    echo "$ddr,$cxl" >"$cgroups/squeezed/cpuset.mems"
}

# One process: 32 MiB that are bound, 32 that are not (an emulated tier). Both are demoted, both are
# read, by the same thread, until the second are promoted; that is the moment to look at the first.
bound_is_not_promoted() {
    local conf=order=ddr:cxl,ddr.limit=40m,cxl.nodes=emulated,placement=$1 there rounds
    start_puppet "$conf,decay_ms=-1"
    echo "$puppet" >"$cgroups/squeezed/cgroup.procs"
    told "$1: a block that is bound" 0 alloc 1 $((32 * mib))
    told "$1: a block that is not" 1 alloc 2 $((32 * mib))
    # The oldest go first; that it is more than the group can do without is no matter.
    echo 68M 2>/dev/null >"$cgroups/squeezed/memory.reclaim"
    tell where 2
    check_that "$1: what is not bound is demoted ($reply)" test "$(on "$cxl")" -gt 1000
    tell where 1
    there=$(on "$cxl")
    check_that "$1: and what is bound ($reply)" test "$there" -gt 1000
    for ((rounds = 1; rounds < 60; rounds++)); do
        tell verify 1
        tell verify 2
        tell where 2
        if (($(on "$cxl") == 0)); then break; fi
    done
    check "$1: what is not bound is promoted when it is read ($rounds times)" 0 "$(on "$cxl")"
    tell verify 1
    tell where 1
    check "$1: what is bound stays where it was demoted to ($reply)" "$there" "$(on "$cxl")"
    check_that "$1: an operator moves the pages back" migratepages "$puppet" "$cxl" "$ddr"
    lies_on "$1: they are" "$ddr" where 1
    told_in_full "$1, after that" 0 "$ddr"
}

purged_is_back() {
    local conf=order=ddr,placement=strict
    squeezed "$conf" 0
    told 'bound: the block is freed' freed free 1
    told 'bound: free memory is given back' trimmed trim
    told 'bound: a block in its place' 0 alloc 2 $((32 * mib))
    lies_on 'bound: memory that was given back is on ddr again' "$ddr" where 2
    told_in_full "$conf, after that" 0 "$ddr"
}

# The nodes next to CPU 0 come first.
taskset -cp 0 $$ >/dev/null
check_that 'the kernel demotes' eval "echo 1 >$demotion"
group squeezed "$ddr,$cxl"
ddr_is_demoted strict
ddr_is_demoted preferred
group_over_its_high
cxl_stays_in_its_tier
in_a_cpuset_of_ddr
check_that 'the kernel promotes' eval "echo 2 >$balancing"
for setting in scan_period_min_ms scan_period_max_ms scan_delay_ms; do
    echo 100 >/sys/kernel/debug/sched/numa_balancing/$setting
done
bound_is_not_promoted strict
bound_is_not_promoted preferred
purged_is_back
echo 0 >$demotion
echo 0 >$balancing
finish
