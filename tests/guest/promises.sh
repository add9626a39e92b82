#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# promises.sh TOPOLOGY: in a guest, asks its kernel whether it has what the file promises.
# The words of the file are explained in topology.sh. One line for each promise.

set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/ask.sh"

with_memory=() with_cpus=() without_cpus=() initiators=() has_hmat=no

about() {
    :
}

# mebibytes SIZE
mebibytes() {
    local size=${1/%G/ * 1024}
    printf '%d' "$((${size%M}))"
}

node() {
    local id=$1 size=$2 word cpus='' near=''
    shift 2
    for word in "$@"; do
        case $word in
        cpus=*) cpus=${word#cpus=} ;;
        near=*) near=${word#near=} ;;
        esac
    done
    if [[ $size == 0 ]]; then
        check_that "node $id is not there yet" test ! -e "$nodes/node$id"
        return
    fi
    with_memory+=("$id")
    if [[ -n $near ]]; then initiators+=("$id $near"); fi
    if [[ -n $cpus ]]; then with_cpus+=("$id"); else without_cpus+=("$id"); fi
    check "node $id: CPUs" "$cpus" "$(<"$nodes/node$id/cpulist")"
    check_that "node $id: $size of memory" about_as_big "$id" "$(mebibytes "$size")"
}

# The file of a node names its distance to each node that is online, and to no other.
distance() {
    local online row index
    read -r -a online <<<"$(node_list online)"
    if [[ ! -e $nodes/node$1 || ! -e $nodes/node$2 ]]; then return; fi
    read -r -a row <"$nodes/node$1/distance"
    for index in "${!online[@]}"; do
        if [[ ${online[index]} == "$2" ]]; then
            check "distance of nodes $1 and $2" "$3" "${row[index]}"
        fi
    done
}

# The kernel tells the numbers of a node's best initiator only.
hmat() {
    local access=$nodes/node$2/access0/initiators size=$4
    has_hmat=yes
    if [[ ! -e $access/node$1 ]]; then return; fi
    check "node $2 from node $1: latency in ns" "$3" "$(<"$access/read_latency")"
    check "node $2 from node $1: bandwidth in MiB/s" "$(mebibytes "$size")" "$(<"$access/read_bandwidth")"
}

slots() {
    check_that 'memory can be plugged in: movable when it comes' \
        grep -qx online_movable /sys/devices/system/memory/auto_online_blocks
}

type3() {
    local device=/sys/bus/dax/devices/dax0.0 mebi target
    mebi=$(mebibytes "$2")
    check_that 'CXL memory device mem0' test -e /sys/bus/cxl/devices/mem0
    check 'region0 is committed' 1 "$(<"/sys/bus/cxl/devices/region0/commit")"
    check "dax0.0: size of $2" "$mebi" "$(($(<"$device/size") >> 20))"
    target=$(<"$device/target_node")
    case $1 in
    ram)
        check 'dax0.0 is held by' kmem "$(basename "$(readlink "$device/driver")")"
        with_memory+=("$target")
        without_cpus+=("$target")
        check_that "node $target: $2 of memory" about_as_big "$target" "$mebi"
        ;;
    dax)
        check 'dax0.0 is held by' device_dax "$(basename "$(readlink "$device/driver")")"
        check_that '/dev/dax0.0 is a device' test -c /dev/dax0.0
        check_that "its node $target has no memory" test ! -e "$nodes/node$target/meminfo"
        ;;
    esac
}

tiers() {
    local tier list found=()
    for tier in $(printf '%s\n' /sys/devices/virtual/memory_tiering/memory_tier* | sort -V); do
        list=$(expand "$(<"$tier/nodelist")")
        found+=("${list// /,}")
    done
    check 'memory tiers, fastest first' "$*" "${found[*]}"
}

# numbers WORD...: in order, on one line.
numbers() {
    printf '%s\n' "$@" | sort -n | paste -sd ' '
}

# shellcheck disable=SC1090 # one of topologies/
. "$here/topologies/$1"

check 'nodes with memory' "$(numbers "${with_memory[@]}")" "$(node_list has_memory)"
check 'nodes with CPUs' "$(numbers "${with_cpus[@]}")" "$(node_list has_cpu)"
for pair in "${initiators[@]}"; do
    if [[ $has_hmat == yes ]]; then
        check_that "node ${pair% *} is nearest to node ${pair#* }" \
            test -e "$nodes/node${pair% *}/access0/initiators/node${pair#* }"
    fi
done
for id in "${without_cpus[@]}"; do
    check_that "node $id holds what is bound to it" holds_what_is_bound "$id" "/run/bound$id"
done
exit "$((failures > 0))"
