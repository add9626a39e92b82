#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# oom.sh - where a plain program bound to the same node is killed for want of memory, ours gets
# NULL, or the next tier

. "$(dirname "$0")/lib.sh"
promised
limit=60

# Bound to the node, protected from the killer, kept until its input is closed.
another_takes() {
    coproc ANOTHER { exec numactl --membind="$1" "$GUEST_BIN/hog" "$2" hold; }
    another=$ANOTHER_PID
    echo -1000 >"/proc/$another/oom_score_adj"
    IFS= read -r -t 60 reply <&"${ANOTHER[0]}"
    check "another process has taken memory of node $1" "taken $2 of $2" "$reply"
}

another_ends() {
    local to=${ANOTHER[1]}
    exec {to}>&-
    wait "$another"
}

# kills: of the kernel's lines, those that say who and why
kills() {
    dmesg | grep 'oom-kill:'
}

plain_program_is_killed() {
    local status line
    (numactl --membind="$cxl" timeout 60 "$GUEST_BIN/hog" 200 >"$tmp/hog"; exit $?) 2>"$tmp/shell"
    status=$?
    check 'a plain program bound to the node is killed' 137 "$status"
    check 'it had no chance to say anything' '' "$(cat "$tmp/hog")"
    line=$(kills | tail -n 1)
    check_that 'the kernel says that the memory policy was the reason' \
        grep -q "constraint=CONSTRAINT_MEMORY_POLICY,nodemask=$cxl,.*task=hog" <<<"$line"
    printf '# %s\n' "$line"
}

# ours WHAT EXPECTED CONF: it ends well, nobody is killed
ours() {
    local before status
    before=$(killed_by_kernel)
    json "$3" "$GUEST_BIN/hog" 200 >"$tmp/hog"
    status=$?
    check "$3: the same program ends by itself" 0 "$status"
    check_that "$3: $1 ($(cat "$tmp/hog"))" grep -qE "$2" "$tmp/hog"
    check "$3: nobody is killed" "$before" "$(killed_by_kernel)"
}

# What nobody can promise: memory is taken while there is room, and touched when another has it.
# late CONF STATUS
late() {
    local status process from to
    mkfifo "$tmp/to" "$tmp/from"
    json "$1,on_full=fail" "$GUEST_BIN/hog" 120 late <"$tmp/to" >"$tmp/from" &
    process=$!
    exec {to}>"$tmp/to" {from}<"$tmp/from"
    IFS= read -r -t 60 reply <&"$from"
    check "$1: memory is taken, and not touched" 'taken 120 of 120' "$reply"
    another_takes "$cxl" 160
    echo >&"$to"
    wait "$process" 2>"$tmp/shell"
    status=$?
    check "$1: another has taken the node's memory meanwhile: touching it ends with status $2" "$2" "$status"
    another_ends
    exec {to}>&- {from}<&-
    rm "$tmp/to" "$tmp/from"
}

leave "$cxl" 240
another_takes "$cxl" 100
ours 'it has the most of what is left, then NULL' '^taken ([4-9].|1..) of 200$' \
    order=cxl,placement=strict,on_full=fail
check 'what it had is on the node' 0 "$(of_report cxl misplaced)"
ours 'all of it, the rest from the next tier' '^taken 200 of 200$' order=cxl:ddr,placement=strict
check 'cxl: what it had is on the node' 0 "$(of_report cxl misplaced)"
check_that 'ddr has the rest' test "$(of_report ddr used)" -gt $((100 << 20))
plain_program_is_killed
another_ends
late order=cxl,placement=preferred 0
check_that "what the node had no room for is on the other, and told ($(of_report cxl misplaced))" \
    test "$(of_report cxl misplaced)" -gt $((32 << 20))
late order=cxl,placement=strict 137
check_that 'the kernel says that it was the policy' \
    eval 'kills | tail -n 1 | grep -q "constraint=CONSTRAINT_MEMORY_POLICY,nodemask=$cxl,.*task=hog"'
kills | sed 's/^/# /'
finish
