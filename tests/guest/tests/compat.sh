#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# compat.sh - blocks of SMDK's and EmuCXL's APIs are on the nodes that these name, with libcxlmem
# alone and under libcxlmalloc, and what they tell of a block is what the kernel does.

. "$(dirname "$0")/lib.sh"
promised
limit=90

if [[ ! -x $GUEST_BIN/compat ]]; then
    skip 'SMDK and EmuCXL on real nodes' 'libcxlmem is not built'
    finish
fi
export LD_LIBRARY_PATH
LD_LIBRARY_PATH=$(dirname "$LIBCXLMALLOC")
with=$LIBCXLMALLOC

# calls NAME CONF [bound]. Nodes that are not of the type are asked for on purpose, and said on stderr.
calls() {
    tap "$1" "$2" bash -c '"$@" 2>/dev/null' calls "$GUEST_BIN/compat" "$ddr" "$cxl" ${3:+"$3"}
}

LIBCXLMALLOC=
calls alone ''
calls 'alone, cxl first' order=cxl:ddr,placement=strict bound
LIBCXLMALLOC=$with
calls preloaded order=ddr:cxl
calls 'preloaded, cxl first' order=cxl:ddr,on_full=fail bound
finish
