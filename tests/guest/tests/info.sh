#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# info.sh - what cxlm_node_info, cxlm_tier_info and cxlm_ctl say of nodes is what the kernel says; a
# node that comes or goes is an event. It leaves the machine as it was: first where others plug, too

. "$(dirname "$0")/lib.sh"
promised
mib=$((1 << 20))

# start_info CONF: as start_puppet, of tests/api/info_puppet.c
start_info() {
    coproc PUPPET {
        exec env LD_PRELOAD="$LIBCXLMALLOC" CXLMALLOC_CONF="$1" "$GUEST_BIN/info_puppet" 2>"$tmp/puppet.err"
    }
    puppet=$PUPPET_PID
    exec {to_puppet}>&"${PUPPET[1]}" {from_puppet}<&"${PUPPET[0]}"
}

end_info() {
    exec {to_puppet}>&-
    if [[ -n ${PUPPET[1]:-} ]]; then eval "exec ${PUPPET[1]}>&-"; fi
    wait "$puppet"
    check 'the process ends well' 0 $?
    exec {from_puppet}<&-
}

# has FIELD: of the JSON in $reply, a number or a list
has() {
    sed -n "s/.*\"$1\":\(\[[^]]*\]\|[^,}]*\).*/\1/p" <<<"$reply" | tr -d '[]"'
}

has_memory() {
    local word from
    for word in $(tr , ' ' <"$nodes/has_memory"); do
        from=${word%-*}
        while ((from <= ${word#*-})); do echo $((from++)); done
    done
}

# speed NODE FILE: the kernel's, 0 where it has none
speed() {
    cat "$nodes/node$1/access0/initiators/$2" 2>/dev/null || echo 0
}

# promised_speed NODE: "latency bandwidth" to the nearest CPU of the topology's file, or nothing
promised_speed() {
    sed -n "s/^hmat [0-9]* $1 \([0-9]*\) \([0-9]*\)G.*/\1 \2/p" "$guest/topologies/$TOPOLOGY" |
        sort -n | awk 'NR == 1 { print $1, $2 * 1024 }'
}

# about_node NODE
about_node() {
    local file total of
    tell node "$1"
    total=$(sed -n "s/^Node $1 MemTotal: *\([0-9]*\) kB/\1/p" "$nodes/node$1/meminfo")
    check "node $1: its size is the kernel's" $((total << 10)) "$(has total)"
    check "node $1: its tier" "$([[ ,$cxl, == *,$1,* ]] && echo 1 || echo 0)" "$(has tier)"
    for file in read_latency write_latency read_bandwidth write_bandwidth; do
        check "node $1: $file is the kernel's" "$(speed "$1" $file)" "$(has $file)"
    done
    of=$(promised_speed "$1")
    if [[ -n $of ]]; then
        check "node $1: latency and bandwidth are those of the machine" "$of" \
            "$(has read_latency) $(has read_bandwidth)"
    fi
}

about_nodes() {
    local node last
    for node in $(has_memory); do about_node "$node"; done
    last=$node
    told 'as many nodes as the kernel has' $((last + 1)) nodes
    told 'and none behind them' '!ENODEV' node $((last + 1))
}

about_tiers() {
    local node sum=0 bytes
    told 'cxl first: 8 MiB of blocks' '128 blocks: 0 ddr, 128 cxl' alloc 8
    for node in ${cxl//,/ }; do
        tell node "$node"
        bytes=$(has resident)
        sum=$((sum + bytes))
        tell get "tier.cxl.resident.$node"
        check "node $node: cxlm_ctl has the same of it" "=$bytes" "$reply"
    done
    check_that "the pages of 8 MiB are on nodes $cxl ($sum bytes)" test "$sum" -ge $((8 * mib))
    tell tier 1
    check 'the tier has these nodes' "$cxl" "$(has nodes)"
    check 'and these pages' "$sum" "$(has resident)"
    check 'none is misplaced' 0 "$(has misplaced)"
    check_that "it is bound ($(has binding))" grep -q 'strict\|preferred' <<<"$reply"
    of=$(for node in ${cxl//,/ }; do promised_speed "$node"; done |
        awk '!l || $1 < l { l = $1 } { b += $2 } END { if (NR) print l, b }')
    if [[ -n $of ]]; then
        check 'its latency is of the nearest node, its bandwidth the sum' "$of" \
            "$(has read_latency) $(has read_bandwidth)"
    fi
}

# Messages of the kernel's that a process without a look of its own hears.
nothing_else_wakes() {
    told 'a descriptor' 0 open
    told 'nothing has happened' 0 poll 0 0
    echo add >/sys/devices/virtual/mem/null/uevent
    told 'a message of another device is nothing' 0 poll 0 500
    echo change >"$nodes/node0/uevent"
    told 'one of a node is' 1 poll 0 10000
    told 'nodes changed' 1 read 0
    told 'once' 0 poll 0 0
}

comes_and_goes() {
    local deadline
    tell node 1
    check 'there is no node 1 yet' '!ENODEV' "$reply"
    plug 8 1 >"$tmp/plug" 2>&1 &
    plugging=$!
    told 'a node that comes wakes who polls' 1 poll 0 60000
    told 'nodes changed' 1 read 0
    wait "$plugging"
    check '512 MiB are plugged in' 0 $?
    deadline=$((SECONDS + 20))
    while tell node 1 && [[ $reply == '!ENODEV' ]] && ((SECONDS < deadline)); do
        tell poll 0 500
        tell read 0
    done
    check 'it is there' $((512 * mib)) "$(has total)"
    cxl=1
    about_node 1
    tell tier 1
    check 'it is the cxl tier' 1 "$(has nodes)"
    # What was told meanwhile is read.
    while tell poll 0 300 && [[ $reply == 1 ]]; do tell read 0; done
    unplug 8 >"$tmp/plug" 2>&1 &
    plugging=$!
    told 'a node that goes wakes who polls' 1 poll 0 60000
    told 'nodes changed' 1 read 0
    wait "$plugging"
    check 'it is unplugged' 0 $?
    deadline=$((SECONDS + 20))
    while tell node 1 && [[ $reply != '!ENODEV' ]] && ((SECONDS < deadline)); do tell poll 0 500 && tell read 0; done
    check 'it is gone' '!ENODEV' "$reply"
    tell tier 1
    check 'the tier has no node' '' "$(has nodes)"
    check 'and nothing to take' '0 0 offline' "$(has total) $(has available) $(has binding)"
}

start_info order=cxl:ddr
about_nodes
if [[ -n $cxl ]]; then about_tiers; fi
nothing_else_wakes
if [[ $TOPOLOGY == hotadd ]]; then comes_and_goes; fi
end_info
finish
