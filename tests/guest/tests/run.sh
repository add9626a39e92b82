#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh - cxlctl run: pages of static and dynamic programs are where the command line says, through exec too; a
# group of its own has the tiers' nodes and limits, ends as the command does, and leaves nothing

. "$(dirname "$0")/lib.sh"
promised
limit=60
run=("$CXLCTL" run --library "$LIBCXLMALLOC")
static=("$CXLCTL" run --no-preload)
busybox=$(command -v busybox)

# on NODES: is the anonymous memory of the numa_maps in $tmp/out on these only?
on() {
    awk -v nodes=",$1," '
        / file=/ || !/ anon=/ { next }
        { for (i = 3; i <= NF; i++)
            if (split($i, part, "=") == 2 && part[1] ~ /^N[0-9]+$/) {
                pages += part[2]
                if (!index(nodes, "," substr(part[1], 2) ",")) bad += part[2]
            }
        }
        END { print pages + 0, "pages,", bad + 0, "elsewhere"; exit !(pages && !bad) }' "$tmp/out" >"$tmp/pages"
}

# lies WHAT NODES COMMAND...: its anonymous pages are there
lies() {
    local what=$1 nodes=$2
    shift 2
    timeout -k 5 "$limit" "$@" >"$tmp/out" 2>"$tmp/err"
    check "$what: status" 0 $?
    if on "$nodes"; then
        printf 'ok - %s (%s)\n' "$what" "$(<"$tmp/pages")"
    else
        note "$tmp/out" 40
        note "$tmp/err"
        check "$what" "pages on $nodes only" "$(<"$tmp/pages")"
    fi
}

maps='cat /proc/self/numa_maps'
# Without the option first: this check can fail.
lies 'a static program as it is: DDR' "$ddr" "$busybox" $maps
lies 'a static program, --order cxl' "$cxl" "${static[@]}" --order cxl "$busybox" $maps
lies 'what it executes keeps that' "$cxl" "${static[@]}" --order cxl "$busybox" sh -c "exec $busybox sh -c '$maps; true'"
lies '--order cxl:ddr prefers CXL' "$cxl" "${static[@]}" --order cxl:ddr "$busybox" $maps
lies '--order ddr' "$ddr" "${static[@]}" --order ddr "$busybox" $maps
lies '--all-memory: with the library, all of a dynamic program' "$cxl" "${run[@]}" --order cxl --all-memory $maps
timeout 60 "${static[@]}" --interleave 1:1 "$busybox" dd if=/dev/zero of=/dev/null bs=8M count=1 2>"$tmp/err" &&
    timeout 60 "${static[@]}" --interleave 1:1 sh -c "$maps" >"$tmp/out"
check_that '--interleave 1:1 on as many nodes: the kernel interleaves' \
    grep -q "^[0-9a-f]* interleave=static:[-,0-9]* stack" "$tmp/out"
timeout 60 "${static[@]}" --interleave 3:1 "$busybox" echo started >"$tmp/out" 2>"$tmp/err"
check '--interleave 3:1: refused while the weights are others' '1, ' "$?, $(<"$tmp/out")"
weights=/sys/kernel/mm/mempolicy/weighted_interleave
if [[ -d $weights && $ddr$cxl == ?? ]]; then
    before=$(<"$weights/node$ddr")
    echo $((3 * $(<"$weights/node$cxl"))) >"$weights/node$ddr"
    timeout 60 "${static[@]}" --interleave 3:1 "$busybox" $maps >"$tmp/out" 2>"$tmp/err"
    check_that '--interleave 3:1: the kernel does it once the weights are' \
        grep -q "^[0-9a-f]* weighted interleave=static:[-,0-9]* stack" "$tmp/out"
    timeout 60 "${static[@]}" --interleave "$ddr=6,$cxl=2" "$busybox" $maps >"$tmp/out" 2>"$tmp/err"
    check_that 'the same by nodes, in other numbers' \
        grep -q "^[0-9a-f]* weighted interleave=static:[-,0-9]* stack" "$tmp/out"
    timeout 60 "${static[@]}" --interleave "$ddr=3,$cxl=2" "$busybox" echo started >"$tmp/out" 2>"$tmp/err"
    check 'not by nodes in another ratio' '1, ' "$?, $(<"$tmp/out")"
    echo "$before" >"$weights/node$ddr"
else
    skip 'weighted interleave' 'a kernel without, or several nodes in a tier'
fi

# With the library: where.c asks the kernel of every block.
"${run[@]}" --order cxl:ddr -o placement=strict "$GUEST_BIN/where" cxl "$ddr" "$cxl" >"$tmp/out" 2>"$tmp/err"
check 'a dynamic program: every block on CXL' 0 "$?"
check 'and none of its checks fails' 0 "$(grep -c '^not ok' "$tmp/out")"

# --- a group of its own -----------------------------------------------------------------

# of a shell: its group
inside='g=/sys/fs/cgroup$(sed -n "s/^0:://p" /proc/self/cgroup); '
# in_a_group WHAT EXPECTED SCRIPT OPTION...
in_a_group() {
    timeout -k 5 "$limit" "${static[@]}" --isolate "${@:4}" sh -c "$inside$3" >"$tmp/out" 2>"$tmp/err"
    check "--isolate: $1: status" 0 $?
    check "--isolate: $1" "$2" "$(<"$tmp/out")"
    if [[ -s $tmp/err ]]; then note "$tmp/err"; fi
}
# none_left WHAT
none_left() {
    check "no group is left $1" '' "$(find "$cgroups" -name 'cxlctl-*')"
}

# The root group first: it may have processes and controllers for its children.
in_a_group 'the nodes of the order' "$cxl" 'cat $g/cpuset.mems' --order cxl
in_a_group 'of both tiers' "$ddr-$cxl" 'cat $g/cpuset.mems' --order cxl:ddr
in_a_group 'they hold' "$cxl" 'sed -n "s/^Mems_allowed_list:.//p" /proc/self/status' --order cxl
# The file is there when somebody has enabled the controller for all.
in_a_group 'no limit, no memory.max' none \
    '{ cat $g/memory.max 2>/dev/null || echo none; } | sed s/^max$/none/' --order cxl
in_a_group 'memory.max of one tier' $((64 << 20)) 'cat $g/memory.max' --order cxl --cxl-limit 64m
in_a_group 'the sum of both' $((96 << 20)) 'cat $g/memory.max' --ddr-limit 32m --cxl-limit 64m
total=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
in_a_group 'a share of the machine' $((total * 1024 / 100 * 25 / 4096 * 4096)) 'cat $g/memory.max' --order cxl --cxl-limit 25%
timeout 60 "${run[@]}" --isolate --order cxl --cxl-limit 64m sh -c "${inside}cat \$g/memory.max" >"$tmp/out" 2>"$tmp/err"
check '--isolate: the library has room for what is no heap' "0, $((96 << 20))" "$?, $(<"$tmp/out")"
none_left 'after all that'
lies '--isolate: a dynamic program that binds nothing is on CXL' "$cxl" "${static[@]}" --isolate --order cxl $maps

before=$(killed_by_kernel)
timeout 60 "${run[@]}" --isolate --order cxl --cxl-limit 64m --on-full fail "$GUEST_BIN/hog" 200 >"$tmp/out" 2>"$tmp/err"
check '--isolate: the library says that CXL is full, before the kernel kills' "0, $before" "$?, $(killed_by_kernel)"
(timeout 60 "${static[@]}" --isolate --order cxl --cxl-limit 64m "$GUEST_BIN/hog" 200 >"$tmp/out"; exit $?) 2>"$tmp/err"
check '--isolate without it: the kernel kills, and the status says so' "137, $((before + 1))" "$?, $(killed_by_kernel)"

for want in 0 1 125 255; do
    "${static[@]}" --isolate --order cxl sh -c "exit $want" 2>"$tmp/err"
    check "--isolate: exit status $want is the command's" "$want" "$?"
done
"${static[@]}" --isolate --order cxl nonexistent 2>"$tmp/err"
check '--isolate: 127' 127 $?
none_left 'then either'

# A signal to cxlctl is the command's. The command says when it is ready for it.
mkfifo "$tmp/ready"
"${static[@]}" --isolate --order cxl sh -c 'trap "echo got it; exit 7" TERM; echo >'"$tmp/ready"'; while :; do :; done' \
    >"$tmp/out" 2>"$tmp/err" &
read -r -t 60 <"$tmp/ready"
kill -TERM $!
wait $!
check '--isolate: signals are handed on' '7, got it' "$?, $(<"$tmp/out")"
"${static[@]}" --isolate --order cxl sh -c 'echo >'"$tmp/ready"'; while :; do :; done' 2>"$tmp/err" &
read -r -t 60 <"$tmp/ready"
kill -TERM $!
wait $!
check '--isolate: it dies of the signal the command died of' 143 $?
none_left 'after signals'

# state PID: T where it is stopped
state() {
    sed -n 's/^State:.\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null
}
# becomes WHAT PID STATES: one of them, within 10 s
becomes() {
    local tries now
    for ((tries = 0; tries < 100; tries++)); do
        now=$(state "$2")
        if [[ $now == ["$3"] ]]; then break; fi
        read -r -t 0.1 <>"$tmp/never"
    done
    check_that "$1 (state $now)" test "$tries" -lt 100
}
mkfifo "$tmp/never"
"${static[@]}" --isolate --order cxl sh -c 'echo $$ >'"$tmp/ready"'; while :; do :; done' 2>"$tmp/err" &
outer=$!
read -r -t 60 inner <"$tmp/ready"
kill -STOP "$inner"
becomes 'the command is stopped: so is cxlctl, as the job that is known' "$outer" T
kill -CONT "$outer"
becomes 'it goes on: so does the command' "$inner" RS
kill -KILL "$inner"
wait "$outer" 2>/dev/null
check 'the command is killed: so is cxlctl' 137 $?
none_left 'after that'

# A process that stays keeps the group, and the group goes when it does.
"${static[@]}" --isolate --order cxl sh -c "(read x <$tmp/ready) & echo \$!" >"$tmp/out" 2>"$tmp/err"
check '--isolate: the command ends, though it leaves a process' 0 $?
left=$(<"$tmp/out")
check_that 'that process is still in the group' grep -q cxlctl- "/proc/$left/cgroup"
echo >"$tmp/ready"
for ((tries = 0; tries < 100; tries++)); do
    [[ -n $(find "$cgroups" -name 'cxlctl-*') ]] || break
    read -r -t 0.1 <>"$tmp/ready"
done
none_left 'when that ends too'

# In a group below the root: alone there cxlctl steps aside, with others it is refused.
group yard "$ddr-$cxl"
alone() {
    exec "${static[@]}" --isolate --order cxl sh -c "${inside}cat \$g/cpuset.mems; sed -n s/^0:://p /proc/self/cgroup" \
        >"$tmp/out" 2>"$tmp/err"
}
in_group yard alone
check '--isolate in a group of its own: status' 0 $?
check '--isolate in a group of its own' "$cxl" "$(head -n 1 "$tmp/out")"
check_that 'is below it' grep -q '^/yard/cxlctl-[0-9]*$' "$tmp/out"
check 'nothing is left there, and nothing enabled' '' \
    "$(find "$cgroups/yard" -mindepth 1 -type d)$(<"$cgroups/yard/cgroup.subtree_control")"
together() {
    "${static[@]}" --isolate --order cxl echo started >"$tmp/out" 2>"$tmp/err"
    echo "$?" >"$tmp/status"
}
in_group yard together
check '--isolate beside others: not started' '1, ' "$(<"$tmp/status"), $(<"$tmp/out")"
check_that 'and says why' grep -q 'yard has other processes.*Delegate=yes' "$tmp/err"
check 'in one line' 1 "$(wc -l <"$tmp/err")"
check 'and leaves nothing' '' "$(find "$cgroups/yard" -mindepth 1 -type d)"
rmdir "$cgroups/yard" && echo -cpuset >"$cgroups/cgroup.subtree_control" && mkdir "$cgroups/yard"
in_group yard together
check_that 'no controller: says which' grep -q 'yard has no controller cpuset.*Delegate=yes' "$tmp/err"
finish
