#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# near.sh - near-memory work (cxlmalloc/near.h) is done by threads on the CPUs nearest to the node that
# has the data, as /proc/PID/task says, within what the program may use; the caller's CPUs stay

. "$(dirname "$0")/lib.sh"
library=${LIBCXLMALLOC%/*}/libcxlmem.so.0
if [[ ! -f $library ]]; then
    skip 'near-memory work' 'libcxlmem is not built'
    finish
fi

# cpus_of[NODE]: by the topology's file, whose distances say the same.
declare -A cpus_of
nearest() {
    about() { :; }
    distance() { :; }
    hmat() { :; }
    tiers() { :; }
    node() {
        local word
        for word; do
            case $word in
            cpus=*) cpus_of[$1]=${word#cpus=} ;;
            near=*) if [[ -z ${cpus_of[$1]:-} ]]; then cpus_of[$1]=${cpus_of[${word#near=}]}; fi ;;
            esac
        done
    }
    # shellcheck disable=SC1090 # one of topologies/
    . "$guest/topologies/$TOPOLOGY"
    unset -f about distance hmat tiers node
}
nearest
all=$(sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status)

# run WHAT THREADS NODES EXPECTED [PREFIX...]: EXPECTED: the CPUs of each thread
run() {
    local what=$1 threads=$2 expected=$4 name count parts bound cpus nr own=$all
    local -a nodes
    read -ra nodes <<<"$3"
    nr=${#nodes[@]}
    if (($# > 4)); then own=$expected && own=${own%% *}; fi
    "${@:5}" "$GUEST_BIN/near_cpus" "$library" "$threads" "${nodes[@]}" >"$tmp/near" 2>"$tmp/near.err"
    check "$what: it ends well" 0 $?
    note "$tmp/near.err"
    for operation in scan:$((nr * 1024 * 256)) sls:8; do
        read -r name count parts bound cpus < <(sed -n "s/^\(${operation%:*}\) \(.*\):/\1 \2/p" "$tmp/near")
        check "$what, $name: the result" "${operation#*:}" "$count"
        check "$what, $name: threads' CPUs" "$expected" "$cpus"
        check_that "$what, $name: $parts parts, all near" test "$parts" -gt 0 -a "$parts" = "$bound"
    done
    check "$what: the caller's CPUs" "own $own" "$(grep own "$tmp/near")"
}

for node in $(printf '%s\n' "${!cpus_of[@]}" | sort -n); do
    run "data on node $node" 2 "$node" "${cpus_of[$node]} ${cpus_of[$node]}"
done
# Threads divide among nodes as the data does.
run 'data on nodes 2 and 3' 2 '2 3' "${cpus_of[2]} ${cpus_of[3]}"
run 'data on nodes 0 and 1 in turn' 2 '0 1 0 1' "${cpus_of[0]} ${cpus_of[1]}"
run 'data on nodes 0 and 1, four threads' 4 '0 1' "${cpus_of[0]} ${cpus_of[0]} ${cpus_of[1]} ${cpus_of[1]}"
# One thread goes from node to node, and stays at the last.
run 'one thread' 1 '0 1' "${cpus_of[1]}"
# Where the nearest CPUs may not be used, others are.
run 'only CPU 1 is allowed' 2 '0 2' '1 1' taskset -c 1
finish
