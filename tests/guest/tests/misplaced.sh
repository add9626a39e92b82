#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# misplaced.sh - pages of a tier that are on another's nodes are counted, to the page: moved away by
# others and back, spilled by the kernel, taken while the cpuset had no node of the tier

. "$(dirname "$0")/lib.sh"
promised
mib=$((1 << 20))

# off NODES: pages in memory that are on none of NODES, of all that is bound in the process, by its
# numa_maps, read from outside. Only the library binds.
off() {
    awk -v nodes=",$1," '
        !/=static:/ { next }
        {
            for (i = 3; i <= NF; i++)
                if (split($i, part, "=") == 2 && part[1] ~ /^N[0-9]+$/ && !index(nodes, "," substr(part[1], 2) ","))
                    sum += part[2]
        }
        END { print sum + 0 }' "/proc/$puppet/numa_maps"
}

# said_misplaced: the last report on stderr of the process, in whole MiB
said_misplaced() {
    tell report
    awk '/^tiered/ { n = 0 } / misplaced: / { n = $3 } END { print int(n) }' "$tmp/puppet.err"
}

# nothing_hidden WHAT PAGES: the report at the end tells what the kernel had elsewhere, to the page
nothing_hidden() {
    check "$1: the report tells as misplaced what the kernel had elsewhere ($2 pages)" \
        "$2" $(($(of_report cxl misplaced) / 4096))
}

# Nothing of the process's own may move pages meanwhile.
quiet=decay_ms=-1

moved_away() {
    start_puppet "order=cxl,placement=strict,$quiet"
    told 'a block of cxl' 1 alloc 1 $((16 * mib))
    check 'nothing is misplaced' 0 "$(off "$cxl")"
    check_that 'an operator moves the pages of the process' migratepages "$puppet" "$cxl" "$ddr"
    away=$(off "$cxl")
    check_that "all 16 MiB of it are away ($away pages)" test "$away" -ge 4096
    if [[ $1 == back ]]; then
        said=$(said_misplaced)
        check_that "its own report tells them, while it runs ($said MiB)" test "$said" = $((away / 256))
        check_that 'they are moved back' migratepages "$puppet" "$ddr" "$cxl"
        away=$(off "$cxl")
        check 'none is away' 0 "$away"
        check 'none is told' 0 "$(said_misplaced)"
    fi
    told 'the data is unharmed' good verify 1
    end_puppet
    nothing_hidden "moved $1" "$away"
}

# placement=preferred: no refusal, no message; the kernel takes the other node, and it is counted.
spilled() {
    local away before
    leave "$cxl" 100
    start_puppet "order=cxl,placement=preferred,$quiet"
    told 'preferred: more than the node has' '160 all' fill 1 $((160 * mib))
    away=$(off "$cxl")
    check_that "preferred: some of it is on the other node ($away pages)" test "$away" -gt 8192
    check 'preferred: its own report tells them, while it runs (MiB)' $((away / 256)) "$(said_misplaced)"
    give_back
    told 'preferred: it is freed unharmed' good drop
    told 'preferred: free memory is given back' trimmed trim
    told 'preferred: as much again, now that there is room' '160 all' fill 1 $((160 * mib))
    before=$away
    away=$(off "$cxl")
    check_that "preferred: it is on its node ($away pages are away)" test "$away" -lt $((before / 10))
    end_puppet
    nothing_hidden 'spilled, and back' "$away"
}

# bound_to: the nodes that ranges of the process are bound to. Only the library binds, and the ddr
# tier of these processes is not in use.
bound_to() {
    grep -o '=static:[0-9,-]*' "/proc/$puppet/numa_maps" | sort -u | tr -d '\n'
}

# unbound: is there a range, as big as a block, that no policy is on?
unbound() {
    awk '$2 == "default" { for (i = 3; i <= NF; i++) if ($i ~ /^N[0-9]+=[78][0-9][0-9][0-9]$/) found = 1 }
        END { exit !found }' "/proc/$puppet/numa_maps"
}

# bound_in_time WHAT NODES: the process allocates until all of its ranges are bound to them. A change
# is noticed after 250 ms; what the kernel refused to bind is tried again each 2 s.
bound_in_time() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        tell leave 9 100
        if [[ $(bound_to) == "=static:$2" ]] && ! unbound; then break; fi
    done
    check "$1: all is bound to node $2" "=static:$2" "$(bound_to)"
}

narrow() {
    echo "$ddr" >"$cgroups/live/cpuset.mems"
}

widen() {
    echo "$ddr,$cxl" >"$cgroups/live/cpuset.mems"
}

start_in_cpuset() {
    group live "$ddr,$cxl"
    start_puppet "$1,$quiet"
    echo "$puppet" >"$cgroups/live/cgroup.procs"
    told "$1: a block of cxl" 1 alloc 1 $((4 * mib))
}

# bound_again CONF BLOCK: the kernel does not move what is there; what comes anew is on cxl
bound_again() {
    lies_on "$1: the block has not moved" "$ddr" where "$2"
    told "$1: it is paged out" 'done' pageout "$2"
    told "$1: its data comes back" good verify "$2"
    tell where "$2"
    check_that "$1: nearly all of its pages come back to cxl ($reply)" grep -qE "(^| )$cxl:[678]..." <<<"$reply"
    away=$(off "$cxl")
    end_puppet
    nothing_hidden "$1" "$away"
}

# Extents that are mapped while the tier has no node it may use: when it has one again they are
# bound to it, without being freed.
taken_while_excluded() {
    local conf=order=cxl,placement=preferred
    start_in_cpuset $conf
    narrow
    bound_in_time "$conf: the cpuset has lost cxl" "$ddr"
    told "$conf: a block is still of cxl" 1 alloc 2 $((32 * mib))
    lies_on "$conf: its pages are where it may have any" "$ddr" where 2
    widen
    bound_in_time "$conf: cxl is allowed again" "$cxl"
    bound_again $conf 2
}

# Extents that are mapped in the moment before that is noticed (250 ms): the kernel refuses to bind
# them. They are bound when it no longer does. Not each try comes in time: then malloc says NULL.
taken_before_it_is_noticed() {
    local conf=order=cxl,placement=strict n
    start_in_cpuset $conf
    for ((n = 2; n < 14; n++)); do
        tell 'wait' "$cxl" 3000
        narrow
        tell alloc $n $((32 * mib))
        if unbound; then break; fi
        widen
    done
    check_that "$conf: the kernel would not bind a range" unbound
    lies_on "$conf: its pages are where it may have any" "$ddr" where $n
    widen
    bound_in_time "$conf: cxl is allowed again" "$cxl"
    check_that "$conf: no range is without a policy" eval '! unbound'
    bound_again $conf $n
}

check_that 'there is swap' start_swap
taken_while_excluded
taken_before_it_is_noticed
end_swap
moved_away away
moved_away back
spilled
finish
