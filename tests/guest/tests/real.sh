#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# real.sh - unmodified programs on real nodes: redis-server, python3, sqlite3

. "$(dirname "$0")/lib.sh"
promised
limit=60
# What they map themselves is mmap.sh's.
conf=order=ddr:cxl,ddr.limit=4m,placement=strict,mmap.policy=cxl

# both_tiers NAME FILE: a numa_maps of a process, taken while it has its data
both_tiers() {
    reply=$(bound_pages "$ddr" <"$2")
    check_that "$1: what is bound to ddr is on node $ddr (pages by node: $reply)" all_on "$ddr"
    check_that "$1: and within its limit" test "$(sum_of_pages)" -le 1024
    check "$1: all that is bound is one of these" 0 "$(grep 'bind' "$2" | grep -cv "bind=static:[$ddr$cxl] ")"
    reply=$(bound_pages "$cxl" <"$2")
    check_that "$1: what is bound to cxl is on node $cxl (pages by node: $reply)" all_on "$cxl"
    check_that "$1: and that is the most of it" test "$(sum_of_pages)" -ge 2000
}

sum_of_pages() {
    local word sum=0
    for word in $reply; do sum=$((sum + ${word#*:})); done
    printf '%d' "$sum"
}

# needs PROGRAM: true where it is
needs() {
    command -v "$1" >/dev/null && return
    skip "$1 on real nodes" "no $1 here"
    return 1
}

redis() {
    local socket=$tmp/redis line
    coproc SERVER {
        exec env LD_PRELOAD="$LIBCXLMALLOC" \
            CXLMALLOC_CONF="$conf,stats_print=true,stats_format=json,stats_file=$tmp/report" \
            redis-server --port 0 --unixsocket "$socket" --save '' --appendonly no --dir "$tmp" 2>&1
    }
    local server=$SERVER_PID
    while read -r -t 30 line <&"${SERVER[0]}"; do
        [[ $line == *'ready to accept'* || $line == *'Ready to accept'* ]] && break
    done
    check_that 'redis-server: starts' grep -qi 'ready to accept' <<<"$line"
    redis-benchmark -s "$socket" -q -P 16 -c 8 -r 15000 -n 15000 -d 1000 -t set,get >"$tmp/bench" 2>&1
    check 'redis-benchmark: runs to its end' 0 $?
    sed 's/^.*\r//; s/^/# /' "$tmp/bench"
    check 'redis-server: answers' 'some value' \
        "$(redis-cli -s "$socket" set key 'some value' >"$tmp/out" && redis-cli -s "$socket" get key)"
    both_tiers redis-server "/proc/$server/numa_maps"
    redis-cli -s "$socket" shutdown nosave
    wait "$server"
    check 'redis-server: ends well' 0 $?
    check 'redis-server: the report tells nothing misplaced' '0 0' \
        "$(of_report ddr misplaced) $(of_report cxl misplaced)"
}

python() {
    local script="
import hashlib
rows = [str(i) * 20 for i in range(60000)]
print(hashlib.md5(''.join(rows).encode()).hexdigest())
print(open('/proc/self/numa_maps').read(), file=open('$tmp/maps', 'w'))"
    export PYTHONMALLOC=malloc
    preload "$conf" python3 -c "$script" >"$tmp/out" 2>"$tmp/err"
    check 'python3: ends well' 0 $?
    check 'python3: says what it says without us' "$(for ((i = 0; i < 60000; i++)); do
        printf '%s' $i$i$i$i$i$i$i$i$i$i$i$i$i$i$i$i$i$i$i$i; done | md5sum)" "$(<"$tmp/out")  -"
    check 'python3: nothing on stderr' '' "$(<"$tmp/err")"
    both_tiers python3 "$tmp/maps"
}

database() {
    preload "$conf" sqlite3 :memory: >"$tmp/out" 2>"$tmp/err" <<EOT
create table t(a integer primary key, b text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 15000)
    insert into t select i, hex(zeroblob(400)) from n;
select count(*), sum(length(b)), sum(a) from t;
.system cat /proc/\$PPID/numa_maps >$tmp/maps
EOT
    check 'sqlite3: ends well' 0 $?
    check 'sqlite3: counts right' '15000|12000000|112507500' "$(<"$tmp/out")"
    both_tiers sqlite3 "$tmp/maps"
}

needs redis-server && redis
needs python3 && python
needs sqlite3 && database
finish
