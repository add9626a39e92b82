# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Sourced by the guest's parts of the self-test: results as lines, and questions to sysfs.

nodes=/sys/devices/system/node
failures=0

# check WHAT EXPECTED ACTUAL
check() {
    if [[ $2 == "$3" ]]; then
        printf 'ok - %s\n' "$1"
    else
        printf 'not ok - %s: expected "%s", got "%s"\n' "$1" "$2" "$3"
        failures=$((failures + 1))
    fi
}

# check_that WHAT COMMAND [ARGUMENT]...: its exit status is the result.
check_that() {
    local what=$1 answer=no
    shift
    if "$@" >/dev/null; then answer=yes; fi
    check "$what" yes "$answer"
}

# expand LIST: 0-2,5 as "0 1 2 5".
expand() {
    local part numbers=()
    for part in ${1//,/ }; do
        if [[ $part == *-* ]]; then
            mapfile -t -O "${#numbers[@]}" numbers < <(seq "${part%-*}" "${part#*-}")
        else
            numbers+=("$part")
        fi
    done
    printf '%s' "${numbers[*]}"
}

# node_list FILE: of /sys/devices/system/node, expanded.
node_list() {
    expand "$(<"$nodes/$1")"
}

# node_mebibytes NODE FIELD: a field of the node's meminfo, in MiB.
node_mebibytes() {
    awk -v field="$2:" '$3 == field { print int($4 / 1024) }' "$nodes/node$1/meminfo"
}

# about_as_big NODE MIB: the kernel keeps some of it for itself.
about_as_big() {
    local total
    total=$(node_mebibytes "$1" MemTotal)
    ((total <= $2 && total * 5 >= $2 * 4))
}

# holds_what_is_bound NODE DIRECTORY: fills 32 MiB of a file bound to the node; are they there?
# The kernel's counters lag behind by some pages for each CPU.
holds_what_is_bound() {
    local before after
    mkdir -p "$2" && mount -t tmpfs -o "mpol=bind:$1" bound "$2" || return 1
    before=$(node_mebibytes "$1" Shmem)
    head -c 32M /dev/urandom >"$2/data" || return 1
    after=$(node_mebibytes "$1" Shmem)
    ((after - before >= 31))
}
