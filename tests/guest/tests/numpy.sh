#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# numpy.sh - numpy's arrays of a scope are on its node, all pages, and are moved with their contents

. "$(dirname "$0")/lib.sh"
promised
python=/usr/bin/python3
limit=150
export LIBCXLMEM=${LIBCXLMALLOC%/*}/libcxlmem.so.0
# tests/guest/check has installed the package there, before the boot.
export PYTHONPATH=$GUEST_BIN/python PYTHONDONTWRITEBYTECODE=1

# The machine's own settings: DDR first, no limit.
arrays() {
    local prefix=$1
    shift
    "$@" timeout -k 5 "$limit" "$python" "$guest/tests/numpy_pages.py" "$ddr" "$cxl" >"$tmp/tap" 2>"$tmp/err"
    local status=$? line
    while IFS= read -r line; do
        case $line in
        'not ok '*) failures=$((failures + 1)) && printf 'not ok - %s: %s\n' "$prefix" "${line#* - }" ;;
        'ok '*) printf 'ok - %s: %s\n' "$prefix" "${line#* - }" ;;
        esac
    done <"$tmp/tap"
    if ! grep -q '^1\.\.' "$tmp/tap" || ((status > 1)) || [[ -s $tmp/err ]]; then
        note "$tmp/err"
        check "$prefix: numpy_pages.py ran to its end, silently" 'status 0 or 1' "status $status"
    fi
}

if [[ ! -d $PYTHONPATH/cxlmalloc ]]; then
    skip 'arrays on real nodes' "no $python with numpy and pip on the host"
else
    arrays preload env LD_PRELOAD="$LIBCXLMALLOC" PYTHONMALLOC=malloc
    if [[ -e $LIBCXLMEM ]]; then arrays libcxlmem env; else skip libcxlmem 'it is not built'; fi
fi
finish
