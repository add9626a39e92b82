#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# bindings.sh - memory that Java and Go programs ask for is on the tier's nodes, moves to the other's
# with its contents, with libcxlmem and preloaded

. "$(dirname "$0")/lib.sh"
promised
limit=100

# plain: as tap, without the preload
tap_plain() {
    local LIBCXLMALLOC=
    tap "$@"
}

java=(java -Xmx64m -Xint -XX:+UseSerialGC "-Dio.cxlmalloc.library=$GUEST_BIN/java/libcxlmalloc-jni.so"
    -cp "$GUEST_BIN/java/cxlmalloc.jar:$GUEST_BIN/java/guest" Buffers "$ddr" "$cxl")
LD_LIBRARY_PATH=$(dirname "$LIBCXLMALLOC")
export LD_LIBRARY_PATH
if [[ -x $GUEST_BIN/slices ]]; then
    tap_plain 'go' '' "$GUEST_BIN/slices" "$ddr" "$cxl"
    tap 'go, preloaded' placement=strict "$GUEST_BIN/slices" "$ddr" "$cxl"
else
    skip 'go: its slices' 'no go where the tests were built, or no libcxlmem'
fi
if [[ -f $GUEST_BIN/java/guest/Buffers.class ]]; then
    tap_plain 'java' '' "${java[@]}"
    tap 'java, preloaded' placement=strict "${java[@]}"
else
    skip 'java: its buffers' 'no javac where the tests were built, or no libcxlmem'
fi
finish
