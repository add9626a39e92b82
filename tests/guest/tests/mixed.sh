#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# mixed.sh - blocks that lie on both tiers, weights of single nodes and groups of nodes: pages are
# where the weights and groups say, by the kernel's answer

. "$(dirname "$0")/lib.sh"
promised
limit=60
mib=$((1 << 20))
weights=/sys/kernel/mm/mempolicy/weighted_interleave

# pages CONF ARGUMENT...: $tmp/out has what mixed.c says; a report is in $tmp/report
pages() {
    json "$1" "$GUEST_BIN/mixed" "${@:2}" >"$tmp/out"
    check "$1: ${*:2}: silent" '' "$(<"$tmp/stderr")"
}

# on NODES BYTES: pages on these nodes (a comma list) of the block of so many bytes
on() {
    awk -v nodes=",$1," -v size="$2" '$1 == size {
        for (i = 2; i <= NF; i++) {
            split($i, part, ":")
            if (index(nodes, "," part[1] ",")) sum += part[2]
        }
    } END { print sum + 0 }' "$tmp/out"
}

# about WHAT WANTED WITHIN GOT: pages
about() {
    if (($4 >= $2 - $3 && $4 <= $2 + $3)); then
        printf 'ok - %s: %d pages, %d wanted within %d\n' "$1" "$4" "$2" "$3"
    else
        check "$1" "$2 pages, within $3" "$4"
        note "$tmp/out"
    fi
}

# shares CONF BYTES PART OF [PIECES]: of the block, part/of are on ddr, the rest on cxl, within 1 % or
# so many pieces; the kernel goes round all nodes, by huge pages where it has them
shares() {
    local all=$(($2 / 4096)) within=$(($2 / 409600)) pieces=$((512 * ${5:-1}))
    if ((within < pieces)); then within=$pieces; fi
    about "$1: $(($2 / mib)) MiB: on ddr" $((all * $3 / $4)) "$within" "$(on "$ddr" "$2")"
    about "$1: $(($2 / mib)) MiB: on cxl" $((all * ($4 - $3) / $4)) "$within" "$(on "$cxl" "$2")"
}

small=$((40 * mib)) big=$((400 * mib))

# --- two tiers, pieces ------------------------------------------------------------------

conf=interleave=3:1
pages $conf $small $big
shares $conf $small 3 4
shares $conf $big 3 4
check "$conf: nothing is misplaced" '0 0' "$(of_report ddr misplaced) $(of_report cxl misplaced)"
check_that "$conf: the kernel's weights are not ours: a piece is bound" grep -q '^policy \(bind\|prefer\)' "$tmp/out"
conf=interleave=1:2,placement=strict
pages $conf $small
shares $conf $small 1 3
check_that "$conf: a piece is bound" grep -q '^policy bind=static' "$tmp/out"

# The third does not fit on ddr, and lies on cxl as a whole.
conf=interleave=3:1,ddr.limit=90m,cxl.limit=80m
pages $conf $small $small $small
check_that "$conf: ddr is within its limit" test "$(of_report ddr peak)" -le $((90 * mib))
check_that "$conf: cxl is within its limit" test "$(of_report cxl peak)" -le $((80 * mib))

# --- the kernel does it, where its weights are ours -----------------------------------------

kernel_does() {
    check_that "$1: the kernel interleaves by weight" grep -q '^policy weighted interleave' "$tmp/out"
    check "$1: nothing is misplaced" '0 0' "$(of_report ddr misplaced) $(of_report cxl misplaced)"
}

if [[ -d $weights ]]; then
    # As they are at boot: 1 each, or by bandwidth (6.16 and later, where that is known).
    for node in ${ddr//,/ } ${cxl//,/ }; do echo 1 >"$weights/node$node"; done
    conf=interleave=1:1
    pages $conf $small
    shares $conf $small 1 2 3
    kernel_does $conf
    pages interleave=1:1,placement=strict $small
    check_that 'interleave=1:1,placement=strict: pieces, for they stay on their nodes' \
        grep -q '^policy bind=static' "$tmp/out"
    for node in ${ddr//,/ }; do echo 3 >"$weights/node$node"; done
    for conf in interleave=auto interleave=3:1; do
        pages $conf $small $big
        shares $conf $small 3 4 3
        shares $conf $big 3 4 3
        kernel_does $conf
        used=$(of_report ddr used)
        about "$conf: used is counted by weight" $(((small + big) * 3 / 4 / 4096)) 1200 $((used / 4096))
    done
    pages interleave=1:1 $small
    check_that 'interleave=1:1: its weights are not ours: pieces' \
        grep -q '^policy \(bind\|prefer\)' "$tmp/out"
    shares interleave=1:1 $small 1 2
else
    skip 'the kernel interleaves by weight' 'this kernel has no weighted interleaving'
fi

# --- single nodes -------------------------------------------------------------------------

first=${ddr%%,*} second=${ddr##*,} third=${cxl%%,*} fourth=${cxl##*,}
if [[ $first != "$second" && $third != "$fourth" ]]; then
    conf=interleave=$first=4,$second=2,$third=1,$fourth=3
    pages $conf $big
    # Each of them by itself, and a node's piece may be one more or less for each before it.
    about "$conf: node $first" $((big / 4096 * 4 / 10)) 1536 "$(on "$first" $big)"
    about "$conf: node $second" $((big / 4096 * 2 / 10)) 1536 "$(on "$second" $big)"
    about "$conf: node $third" $((big / 4096 * 1 / 10)) 1536 "$(on "$third" $big)"
    about "$conf: node $fourth" $((big / 4096 * 3 / 10)) 1536 "$(on "$fourth" $big)"
    pages $conf small $big
    # Neighbours share pages, which are counted with each.
    all=$(on "$ddr,$cxl" $big)
    about "$conf: blocks of 64 KiB, node $first" $((all * 4 / 10)) 2560 "$(on "$first" $big)"
    about "$conf: blocks of 64 KiB, node $fourth" $((all * 3 / 10)) 2560 "$(on "$fourth" $big)"

    conf=interleave=$first=3,$third=1
    pages $conf $small
    about "$conf: nodes without a weight have nothing" 0 0 "$(on "$second,$fourth" $small)"
    shares $conf $small 3 4

    # Weights of nodes that come and go while it runs.
    conf=interleave=1:1,placement=strict
    start_puppet $conf
    told "$conf: a block" 0 alloc 1 $small
    for asked in interleave=$first=1,$fourth=1 interleave=$second=1,$third=1; do
        "$CXLCTL" policy set "$puppet" $asked --wait 1 >"$tmp/asked" 2>&1
        # It is heard at one of the next calls.
        for n in 2 3 4 5 6 7 8 9; do tell zeros $n 100000 && tell free $n; done
        tell alloc 10 $small
        want=$first,$fourth
        if [[ $asked == *$second=1* ]]; then want=$second,$third; fi
        lies_on "$asked, asked of a process: a new block" "$want" where 10
        tell free 10
        tell trim
    done
    told "$conf: the old block is unharmed" good verify 1
    end_puppet

    # --- groups ---------------------------------------------------------------------------

    conf=order=cxl:ddr,cxl.groups=node
    pages $conf small $small
    all=$(on "$ddr,$cxl" $small)
    about "$conf: node $third" $((all / 2)) 512 "$(on "$third" $small)"
    about "$conf: node $fourth" $((all / 2)) 512 "$(on "$fourth" $small)"
    check_that "$conf: by the kernel's interleaving" grep -q '^policy interleave=static' "$tmp/out"
    check_that "$conf: the report has the group" grep -q "\"groups\":\[{\"name\":\"node\",\"nodes\":\[$cxl\]}\]" "$tmp/report"

    conf=order=ddr:cxl,ddr.groups=b=$second/a=$first
    pages $conf $small
    about "$conf: all on the first group" $((small / 4096)) 1 "$(on "$second" $small)"
    # Pieces that lie on both go by groups as well.
    conf=interleave=1:1,ddr.groups=b=$second,cxl.groups=x=$fourth/y=$third
    pages $conf $small
    about "$conf: first groups" $((small / 4096)) 1 "$(on "$second,$fourth" $small)"
    check_that "$conf: nodes without a name are the last" grep -q '"name":"rest"' "$tmp/report"
    # The first group has 100 MiB free: what does not fit there goes to the next.
    leave "$fourth" 100
    conf=order=cxl:ddr,cxl.groups=x=$fourth/y=$third,placement=strict
    pages $conf small $((200 * mib))
    about "$conf: none of it is off the tier" 0 0 "$(on "$ddr" $((200 * mib)))"
    check_that "$conf: some on the first group" test "$(on "$fourth" $((200 * mib)))" -gt 5000
    check_that "$conf: the rest on the next" test "$(on "$third" $((200 * mib)))" -gt 20000
    give_back
else
    skip 'weights of single nodes, and groups' 'a tier of one node'
fi
finish
