#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# classify.sh - which node is which tier: by default, as an operator says, and in a cpuset

. "$(dirname "$0")/lib.sh"
promised
limit=30

# says WHAT DDR-NODES DDR-BINDING CXL-NODES CXL-BINDING
says() {
    check "$1: nodes of ddr" "$2" "$(of_report ddr nodes)"
    check "$1: binding of ddr" "$3" "$(of_report ddr binding)"
    check "$1: nodes of cxl" "$4" "$(of_report cxl nodes)"
    check "$1: binding of cxl" "$5" "$(of_report cxl binding)"
}

silent() {
    check "$1: nothing is said" '' "$(<"$tmp/stderr")"
}

# numbers LIST: the kernel's 0-1,3 as 0,1,3
numbers() {
    local list
    read -r -a list <<<"$(node_list "$1")"
    comma "${list[@]}"
}

with_memory=$(numbers has_memory)
both=$(comma "$ddr" "$cxl")
check 'the kernel has memory on the nodes of the topology' "$(tr , '\n' <<<"$both" | sort -n | paste -sd ,)" \
    "$with_memory"
check 'the kernel has CPUs on the nodes of ddr' "$ddr" "$(numbers has_cpu)"

json order=ddr:cxl true
says 'by default' "$ddr" strict "$cxl" preferred
silent 'by default'
json order=cxl:ddr,placement=strict true
says 'placement=strict' "$ddr" strict "$cxl" strict
json placement=preferred true
says 'placement=preferred' "$ddr" preferred "$cxl" preferred

# span LIST: 2,3,4 as the kernel writes it, 2-4; nodes of a tier follow each other here
span() {
    if [[ $1 == *,* ]]; then printf '%s-%s' "${1%%,*}" "${1##*,}"; else printf '%s' "$1"; fi
}

# policy CONF TEXT: the kernel's own word on a range that a program has under CONF
policy() {
    preload "$1" cat /proc/self/numa_maps >"$tmp/maps"
    check_that "$1: numa_maps has ranges with $2" grep -q " $2 " "$tmp/maps"
}

policy order=ddr:cxl "bind=static:$(span "$ddr")"
policy order=cxl:ddr,placement=strict "bind=static:$(span "$cxl")"
policy order=cxl:ddr,placement=preferred "prefer (many)=static:$(span "$cxl")"

first=${cxl%%,*}
json "ddr.nodes=$first,cxl.nodes=${ddr%%,*}" true
says 'an operator turns the tiers round' "$first" strict "${ddr%%,*}" preferred
silent 'an operator turns the tiers round'
json cxl.nodes="${cxl//,/+}" true
says 'an operator names the nodes' "$ddr" strict "$cxl" preferred
json cxl.nodes=emulated true
says 'cxl.nodes=emulated' "$ddr" strict "$with_memory" emulated

json cxl.nodes=9 true
says 'a node that does not exist' "$ddr" strict "$cxl" preferred
check 'a node that does not exist: one line is said' 1 "$(wc -l <"$tmp/stderr")"
check_that 'a node that does not exist: the line names it, and what is used' \
    grep -q 'cxl.nodes=9: not a node.*using auto' "$tmp/stderr"
json "cxl.nodes=$first,9" true
says 'a list with a node that does not exist' "$ddr" strict "$first" preferred
check_that 'a list with a node that does not exist: it is left out until it is there' \
    grep -q 'cxl.nodes=9: not a node.*used when it appears' "$tmp/stderr"

# A cpuset that excludes a node of cxl, and one that excludes all of them.
if [[ $cxl == *,* ]]; then
    rest=${cxl#*,}
    check_that 'a cpuset without one node of cxl can be made' group partly "$ddr,$rest"
    in_group partly json order=ddr:cxl true
    says 'a cpuset without one node of cxl' "$ddr" strict "$rest" preferred
    silent 'a cpuset without one node of cxl'
    in_group partly json "cxl.nodes=$first" true
    says 'an operator names a node that the cpuset excludes' "$ddr" strict "$rest" preferred
    check_that 'an operator names a node that the cpuset excludes: it is said' \
        grep -q "cxl.nodes=$first: not a node.*using auto" "$tmp/stderr"
fi
check_that 'a cpuset without cxl can be made' group without "$ddr"
in_group without json order=ddr:cxl true
if [[ $ddr == *,* ]]; then binding=strict; else binding=none; fi
says 'a cpuset without cxl' "$ddr" "$binding" "$ddr" emulated
silent 'a cpuset without cxl'
in_group without json order=cxl sort "$0" >"$tmp/sorted"
check 'a cpuset without cxl: a program of order=cxl still runs' 0 $?
check 'a cpuset without cxl: and its memory is counted as cxl' true \
    "$(if (($(of_report cxl used) > 0)); then echo true; fi)"
finish
