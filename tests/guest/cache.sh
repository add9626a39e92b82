# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Sourced by run and fetch: where the unpacked packages lie and which kernels there are.
# Needs $here, the directory of this file.

cache=${CXLMALLOC_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/cxlmalloc/guest}
if [[ $cache != /* ]]; then cache=$PWD/$cache; fi
tools=$cache/tools
: "$cache" "$tools"

# kernel_versions: one a line, the default first.
kernel_versions() {
    sed -n 's/^\([0-9][0-9.]*\)[[:space:]].*/\1/p' "$here/kernels"
}

# kernel_suites VERSION: the suites that may hold it.
kernel_suites() {
    awk -v version="$1" '$1 == version { $1 = ""; print }' "$here/kernels"
}

kernel_dir() {
    printf '%s\n' "$cache/kernel-$1"
}

# is_one_of WORD LINES: without a pipe, whose writer could be told that grep -q has seen enough.
is_one_of() {
    grep -qxF -e "$1" <<<"$2"
}

# is_kernel VERSION: one of those in the file `kernels`?
is_kernel() {
    is_one_of "$1" "$(kernel_versions)"
}

# one_line: the words of standard input on one line.
one_line() {
    tr -s '[:space:]' ' ' | sed 's/ $//'
}
