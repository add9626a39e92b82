#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# list.sh - cxlctl list and weights: nodes, tiers and devices are those of the topology, weights are the kernel's

. "$(dirname "$0")/lib.sh"
promised

# field EXPRESSION: of the JSON in $tmp/json
field() {
    jq -c "$1" "$tmp/json"
}
list() {
    "$CXLCTL" list --json >"$tmp/json" 2>"$tmp/err"
    check 'cxlctl list: status' 0 $?
}

list
check 'nodes of class ddr' "[$ddr]" "$(field '[.nodes[] | select(.class == "ddr").node]')"
check 'nodes of class cxl' "[$cxl]" "$(field '[.nodes[] | select(.class == "cxl").node]')"
check 'nodes of tier ddr' "[$ddr]" "$(field '.tiers[0].nodes')"
check 'nodes of tier cxl' "[$cxl]" "$(field '.tiers[1].nodes')"
for node in ${ddr//,/ } ${cxl//,/ }; do
    total=$(sed -n 's/.*MemTotal: *\([0-9]*\) kB/\1/p' "$nodes/node$node/meminfo")
    check "node $node: capacity" $((total * 1024)) "$(field ".nodes[] | select(.node == $node).total")"
    latency=$nodes/node$node/access0/initiators/read_latency
    if [[ -r $latency ]]; then latency=$(<"$latency"); else latency=null; fi
    check "node $node: latency" "$latency" "$(field ".nodes[] | select(.node == $node).read_latency_ns")"
done
case $TOPOLOGY in
hmat*) check 'an HMAT is known' true "$(field 'all(.nodes[]; .read_latency_ns > 0 and .read_bandwidth_mbs > 0)')" ;;
type3-ram)
    check 'the memory device' '[["mem0",536870912]]' "$(field '[.memdevs[] | [.name, .ram_size]]')"
    check 'the region' '[["region0",536870912,"ram"]]' "$(field '[.regions[] | [.name, .size, .mode]]')"
    check 'the DAX device is system RAM on the node' "[[\"dax0.0\",536870912,\"system-ram\",$cxl]]" \
        "$(field '[.dax[] | [.name, .size, .mode, .target_node]]')"
    daxctl list >"$tmp/daxctl"
    check 'as daxctl has it' "$(jq -c '[.[] | [.chardev, .size, .mode, .target_node]]' "$tmp/daxctl")" \
        "$(field '[.dax[] | [.name, .size, .mode, .target_node]]')"
    ;;
esac
first=${cxl%%,*}
drain "$first"
list
check 'a node that is drained' "[$first]" "$(field '[.nodes[] | select(.drained and (.usable | not)).node]')"
drain
group narrow "${ddr%%,*}"
in_group narrow list
check 'a cpuset without the other nodes' "[${ddr%%,*}]" "$(field '[.nodes[] | select(.usable).node]')"

# --- matrix

"$CXLCTL" matrix --json --size 2m --time 2 >"$tmp/json"
check 'cxlctl matrix: status' 0 $?
check 'CPUs of each node with memory of each node' $(($(tr , '\n' <<<"$ddr" | wc -l) * $(tr , '\n' <<<"$ddr,$cxl" | wc -l))) \
    "$(field '[.cells[] | select(.read_latency_ns > 0 and .read_bandwidth_mbs > 0 and .threads > 0)] | length')"
check 'it knows that this is no machine' true "$(field '.virtual and .note != null')"
"$CXLCTL" matrix --json --nodes "$first" --cpus "${ddr%%,*}" --size 8m --time 60000 >"$tmp/json" &
matrix=$!
mkfifo "$tmp/never"
for ((tries = 0; tries < 300; tries++)); do
    on=$(grep "bind=static:$first .*N$first=2048\b" "/proc/$matrix/numa_maps")
    if [[ -n $on || ! -e /proc/$matrix ]]; then break; fi
    read -r -t 0.1 <>"$tmp/never"
done
check_that 'the memory that is measured is on its node, all of it' test -n "$on"
threads=("/proc/$matrix/task"/*)
check 'by a thread on each CPU of the other' "$(($(nproc) / $(tr , '\n' <<<"$ddr" | wc -l)))" $((${#threads[@]} - 1))
kill $matrix
wait $matrix 2>/dev/null

folder=/sys/kernel/mm/mempolicy/weighted_interleave
weights() {
    "$CXLCTL" weights --json "$@" >"$tmp/json" 2>"$tmp/err"
    check "cxlctl weights $*: status" 0 $?
}
if [[ -d $folder ]]; then
    weights
    for node in ${ddr//,/ } ${cxl//,/ }; do
        check "weight of node $node" "$(<"$folder/node$node")" "$(field ".nodes[] | select(.node == $node).weight")"
    done
    # What HMAT would give is what a kernel chooses that does it by itself (6.16).
    if [[ $TOPOLOGY == hmat* && -e $folder/auto ]]; then
        check 'the weights by HMAT are those the kernel chose' "$(field '[.nodes[].weight]')" \
            "$(field '[.nodes[].hmat_weight]')"
    fi
    weights "$first=7"
    check 'a weight is set' 7 "$(<"$folder/node$first")"
    check 'and is what interleave=auto takes' '"kernel"' "$(field .interleave_auto.from)"
    "$CXLCTL" weights 300=1 >"$tmp/out" 2>"$tmp/err"
    check 'a node that is not there' 2 $?
else
    skip 'weights' 'a kernel without weighted interleave'
fi
finish
