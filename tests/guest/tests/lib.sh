# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# lib.sh - sourced by the scripts that run in a guest
#
# A script calls check and check_that of ask.sh, and `finish` at its end.
# Environment: TOPOLOGY (a name), LIBCXLMALLOC, GUEST_BIN (the compiled
# programs), CXLCTL.

set -u
guest=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$guest/ask.sh"
export LC_ALL=C

tmp=$(mktemp -d) || exit 99
trap 'give_back; rm -rf "$tmp"' EXIT

# finish: a script that stops before it has not passed, whatever it has said.
finish() {
    printf 'end\n'
    exit "$((failures > 0))"
}

skip() {
    printf 'ok - %s # SKIP %s\n' "$1" "$2"
}

# note FILE: why; in front of the check that fails.
note() {
    head -n "${2:-20}" "$1" | cut -c 1-200 | sed 's/^/# /'
}

# --- what the topology promises -------------------------------------------------------

# comma WORD...: 0,1
comma() {
    local IFS=,
    printf '%s' "$*"
}

# promised: sets ddr and cxl, comma lists, from the topology's file: nodes with CPUs are DDR,
# the others CXL, but for those that are not there yet. Which node a region is, the kernel chose.
promised() {
    local ddr_nodes=() cxl_nodes=()
    about() { :; }
    distance() { :; }
    hmat() { :; }
    slots() { :; }
    tiers() { :; }
    node() {
        case "$2 $*" in
        0\ *) ;;
        *cpus=*) ddr_nodes+=("$1") ;;
        *) cxl_nodes+=("$1") ;;
        esac
    }
    type3() {
        if [[ $1 == ram ]]; then cxl_nodes+=("$(</sys/bus/dax/devices/dax0.0/target_node)"); fi
    }
    # shellcheck disable=SC1090 # one of topologies/
    . "$guest/topologies/$TOPOLOGY"
    unset -f about distance hmat slots tiers node type3
    ddr=$(comma "${ddr_nodes[@]}")
    cxl=$(comma "${cxl_nodes[@]}")
}

# --- the library ----------------------------------------------------------------------

# preload CONF COMMAND...: $limit seconds.
preload() {
    local conf=$1
    shift
    timeout -k 5 "${limit:-60}" env LD_PRELOAD="$LIBCXLMALLOC" CXLMALLOC_CONF="$conf" "$@"
}

# tap PREFIX CONF PROGRAM...: its checks become ours. One that stops early is a failure.
tap() {
    local prefix=$1 line status
    shift
    preload "$@" >"$tmp/tap" 2>"$tmp/tap.err"
    status=$?
    while IFS= read -r line; do
        case $line in
        'not ok '*) failures=$((failures + 1)) && printf 'not ok - %s: %s\n' "$prefix" "${line#* - }" ;;
        'ok '*) printf 'ok - %s: %s\n' "$prefix" "${line#* - }" ;;
        '# '*) printf '# %s\n' "${line#\# }" ;;
        esac
    done <"$tmp/tap"
    if ! grep -q '^1\.\.' "$tmp/tap" || ((status > 1)) || [[ -s $tmp/tap.err ]]; then
        note "$tmp/tap.err"
        check "$prefix: ${2##*/} ran to its end, silently" 'status 0 or 1' "status $status"
    fi
}

# json CONF COMMAND...: the report of the command's process in $tmp/report, what it says on stderr
# in $tmp/stderr.
json() {
    rm -f "$tmp/report"
    preload "$1,stats_print=true,stats_format=json,stats_file=$tmp/report" "${@:2}" 2>"$tmp/stderr"
}

# of_report TIER FIELD: a number, a word or a list, as 1,2.
of_report() {
    sed -n "s/.*\"tier\":\"$1\",\([^}]*}\{0,1\}[^}]*\)}.*/\1/p" "$tmp/report" |
        sed -n "s/.*\"$2\":\(\[[^]]*\]\|{[^}]*}\|[^,}]*\).*/\1/p" | tr -d '"[]'
}

# --- a process that does what it is told (puppet.c) ---------------------------------------

# start_puppet CONF
start_puppet() {
    rm -f "$tmp/report.puppet"
    coproc PUPPET {
        exec env LD_PRELOAD="$LIBCXLMALLOC" \
            CXLMALLOC_CONF="$1,stats_print=true,stats_format=json,stats_file=$tmp/report.puppet" \
            "$GUEST_BIN/puppet" 2>"$tmp/puppet.err"
    }
    puppet=$PUPPET_PID
    exec {to_puppet}>&"${PUPPET[1]}" {from_puppet}<&"${PUPPET[0]}"
    read_answer
    check 'a process starts' ready "$reply"
}

read_answer() {
    IFS= read -r -t "${limit:-60}" reply <&"$from_puppet" || reply='(no answer)'
}

# tell COMMAND...: sets $reply.
tell() {
    # A process that is gone must not end the script, too.
    (trap - EXIT && trap '' PIPE && printf '%s\n' "$*" >&"$to_puppet") 2>/dev/null
    read_answer
}

# told WHAT EXPECTED COMMAND...: tell, and check the reply.
told() {
    tell "${@:3}"
    check "$1" "$2" "$reply"
}

# within WHAT MS: $reply is a number, of milliseconds
within() {
    if [[ $reply =~ ^[0-9]+$ ]] && ((reply <= $2)); then
        printf 'ok - %s within %d ms (%d)\n' "$1" "$2" "$reply"
    else
        check "$1" "within $2 ms" "$reply"
    fi
}

# all_on NODES: does $reply name pages, all of them on these nodes (a comma list)?
all_on() {
    local word
    [[ $reply == *:* ]] || return 1
    for word in $reply; do
        [[ ,$1, == *,${word%:*},* ]] || return 1
    done
}

# lies_on WHAT NODES COMMAND...: where or window
lies_on() {
    tell "${@:3}"
    if all_on "$2"; then
        printf 'ok - %s (pages by node: %s)\n' "$1" "$reply"
    else
        check "$1" "pages, all on nodes $2" "$reply"
    fi
}

# end_puppet: end of input; its exit status is checked, its report is in $tmp/report.
end_puppet() {
    local status
    exec {to_puppet}>&-
    # bash has forgotten these when the process is gone.
    if [[ -n ${PUPPET[1]:-} ]]; then eval "exec ${PUPPET[1]}>&-"; fi
    # It ends by itself; if not, it is ended and that is the failure.
    if IFS= read -r -t 60 reply <&"$from_puppet" || (($? > 128)); then kill -9 "$puppet"; fi
    wait "$puppet"
    status=$?
    mv "$tmp/report.puppet" "$tmp/report" 2>/dev/null
    exec {from_puppet}<&-
    check 'the process ends well' 0 "$status"
    if ((status)); then note "$tmp/puppet.err"; fi
}

# --- the machine ----------------------------------------------------------------------

# group NAME MEMS: a control group with the cpuset of these nodes.
cgroups=/sys/fs/cgroup
group() {
    echo '+cpuset +memory' >"$cgroups/cgroup.subtree_control" &&
        mkdir -p "$cgroups/$1" && echo "$2" >"$cgroups/$1/cpuset.mems"
}

# in_group NAME COMMAND...: a function will do.
in_group() {
    (echo "$BASHPID" >"$cgroups/$1/cgroup.procs" && trap - EXIT && "${@:2}")
}

# plug DIMM NODE, unplug DIMM: 512 MiB; return when the kernel has them online, or has let them go.
plug() {
    qmp object-add qom-type=memory-backend-ram "id=extra$1" size=512M &&
        qmp -w ACPI_DEVICE_OST device_add driver=pc-dimm "id=dimm$1" "memdev=extra$1" "node=$2"
}

unplug() {
    qmp -w DEVICE_DELETED device_del "id=dimm$1"
}

# Compressed memory to swap to: the guest has no disk.
start_swap() {
    modprobe zram || return 1
    echo 256M >/sys/block/zram0/disksize && mkswap /dev/zram0 && swapon /dev/zram0
}

end_swap() {
    swapoff /dev/zram0 && echo 1 >/sys/block/zram0/reset
}

# drain [NODES]: processes should leave these nodes, and only these.
drain() {
    mkdir -p /run/cxlmalloc && printf '%s\n' "${1:-}" >/run/cxlmalloc/drain
}

# leave NODE MIB: huge pages that nobody uses take the rest of the node's free memory; no page of
# them has to be written for it.
leave() {
    local file=$nodes/node$1/hugepages/hugepages-2048kB/nr_hugepages free tries
    # What ended processes and caches had comes back bit by bit, and in pieces.
    for ((tries = 0; tries < 8; tries++)); do
        free=$(node_mebibytes "$1" MemFree)
        if ((free < $2 + 8)); then break; fi
        if ((tries)); then echo 3 >/proc/sys/vm/drop_caches && echo 1 >/proc/sys/vm/compact_memory; fi
        echo $(($(<"$file") + (free - $2) / 2)) >"$file"
    done
    check_that "node $1 has about $2 MiB free (it has $free)" test "$free" -lt $(($2 + 8))
}

give_back() {
    local file
    for file in "$nodes"/node*/hugepages/hugepages-2048kB/nr_hugepages; do
        if [[ $(<"$file") != 0 ]]; then echo 0 >"$file"; fi
    done
}

# bound_pages NODES: of a numa_maps on stdin, pages by node of what is bound to these (as 0-1)
bound_pages() {
    awk -v policy="bind=static:$1" '
        $2 == policy {
            for (i = 3; i <= NF; i++)
                if (split($i, part, "=") == 2 && part[1] ~ /^N[0-9]+$/) sum[substr(part[1], 2)] += part[2]
        }
        END { for (node in sum) printf "%s:%d ", node, sum[node] }'
}

# killed_by_kernel: processes that the out-of-memory killer has taken since the boot
killed_by_kernel() {
    dmesg | grep -c 'Out of memory: Killed\|oom-kill:'
}
