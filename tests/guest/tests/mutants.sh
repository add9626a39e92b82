#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# mutants.sh [NAME...] - breaks the library on purpose, one promise at a time, in a copy of the tree,
# and shows which guest tests notice. One line for each; a mutant that nothing notices is an error.
# Not part of the normal run; 1 to 2 minutes for each mutant. Run it on the host.

set -u -o pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
guest=$here/..
source=$(cd "$here/../../.." && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failures=0

# name | file | topology | scripts | what to do to the file, for sed -E
mutants='
none|src/sys/sys.c|cxl2|place sticky|s/^$//
no-mbind|src/pool/place.c|cxl2|place sticky|s/int err = pool->sys->bind\(.*mode, nodes\);/int err = 0;/
no-mbind-promoted|src/pool/place.c|hmat4|demote|s/int err = pool->sys->bind\(.*mode, nodes\);/int err = 0;/
no-static-nodes|src/sys/sys.c|cxl2|sticky|s/\(long\)mode,/(long)(mode \& ~CM_MPOL_F_STATIC_NODES),/
not-strict|src/entry/nodes.c|cxl2|classify real|s/strict \? CM_MPOL_BIND :/false ? CM_MPOL_BIND :/
no-room-check|src/pool/room.c|cxl2|exhaust oom|s/^bool cm_room_take.*/&\n{ (void)pool, (void)bytes; return true; }\nbool cm_room_never(struct cm_pool *pool, uint64_t bytes);\nbool cm_room_never(struct cm_pool *pool, uint64_t bytes)/
no-watch|src/entry/nodes.c|hotadd|hotadd|s/now_changed = changed\(now_ms\);/now_changed = false;/
no-rebind|src/pool/place.c|hotadd|hotadd|s/^\tif \(is_to_bind\(&r\.place\)\)$/\tif (false)/
no-second-rebind|src/entry/nodes.c|cxl2|misplaced|s/^\t\tcm_place_rebind\(&cm_pool\[t\]\);//
misplaced-hidden|src/pool/report.c|cxl2|misplaced|s/if \(!cm_nodeset_test\(&place->home, node\)\)/if (!node \&\& !r.window.size)/
huge-pages|src/pool/hooks.c|cxl2|thp|s/\(void\)pool->sys->no_huge_pages\(at, size\);/;/
no-share|src/entry/nodes.c|cxl2|cgroup|s/^\tnow = cm_nodes_limit.*/\tnow = before;/
no-limit|src/pool/hooks.c|cxl2|place|s/used > allowance - bytes/false/
pieces-on-ddr|src/pool/mixed_hooks.c|hmat4|mixed|s/cm_place_bind_as\(&cm_pool\[tier\], &place\[tier\], from, to - from\)/cm_place_bind_as(\&cm_pool[0], \&place[0], from, to - from)/
one-group|src/pool/room.c|hmat4|mixed|s/^\t\tif \(have >= promised\)$/\t\tif (true)/
'

cp -r "$source" "$work/tree" && rm -rf "$work/tree/.git" "$work/tree/build" && mkdir "$work/build" &&
    cd "$work/build" && ../tree/configure >configure.log && make -j"$(nproc)" >make.log 2>&1 || exit 1
mkdir "$work/bin"
for file in "$here"/*.c; do
    ${CC:-cc} -std=gnu11 -O1 -g -fno-builtin -pthread -D_GNU_SOURCE -I"$source/tests/preload" \
        -o "$work/bin/$(basename "$file" .c)" "$file" -ldl || exit 1
done

# broken NAME FILE TOPOLOGY SCRIPTS SED
broken() {
    local name=$1 file=$work/tree/$2 bad status
    cp "$file" "$work/whole"
    sed -E -i "$5" "$file"
    if [[ $name != none ]] && cmp -s "$file" "$work/whole"; then
        printf 'not ok - %s: the source is not as this script expects it\n' "$name"
        failures=$((failures + 1))
        return
    fi
    if make -j"$(nproc)" CFLAGS='-O2 -g -w' >make.log 2>&1; then
        # shellcheck disable=SC2086 # a list of words
        "$guest/run" -t "$3" -T 240 -e "TOPOLOGY=$3" -e "GUEST_BIN=$work/bin" -e "CXLCTL=$work/build/cxlctl" \
            -e "LIBCXLMALLOC=$work/build/.libs/libcxlmalloc.so.0" -- "$here/all" $4 >"$work/out" 2>&1
        status=$?
        bad=$(grep -c '^not ok' "$work/out")
        if [[ $name == none ]]; then
            printf 'as it is: %d checks of %s on %s fail\n' "$bad" "$4" "$3"
        elif ((bad && status)); then
            printf 'ok - %s: %d checks of %s on %s fail, such as\n' "$name" "$bad" "$4" "$3"
        else
            printf 'not ok - %s: no test of %s on %s notices\n' "$name" "$4" "$3"
            failures=$((failures + 1))
        fi
        grep '^not ok' "$work/out" | head -n 5 | sed 's/^/    /'
    else
        printf 'not ok - %s does not compile\n' "$name"
        tail -n 5 make.log
        failures=$((failures + 1))
    fi
    cp "$work/whole" "$file"
}

while IFS='|' read -r name file topology scripts edit; do
    [[ -n $name ]] || continue
    if (($#)) && [[ " $* " != *" $name "* ]]; then continue; fi
    broken "$name" "$file" "$topology" "$scripts" "$edit"
done <<<"$mutants"
exit "$((failures > 0))"
