#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# check-spdx - each source file names its licence near its top, and none has
# grown past 500 lines
set -u
cd "${top_srcdir:-$(dirname "$0")/..}" || exit 99
bad=0

# The tracked files; in a release tarball, what its generators did not make.
files() {
	if git rev-parse --show-prefix 2>/dev/null | grep -q '^$'; then
		git ls-files
	else
		find src include tools tests jemalloc man -type f \
			! -name '*.o' ! -name '*.log' ! -name '*.trs'
	fi
}

for f in $(files); do
	[ -f "$f" ] || continue
	case $f in
	COPYING|*.txt|*.json|*.jsonl|*.csv|*.dump|*.sysfs|*.in-data) continue ;;
	*.md|*.svg|*.png|*.xz|*.gz) continue ;;
	*/data/*|*/fixtures/*|tests/fuzz/corpus/*) continue ;;
	esac
	head -n 5 "$f" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' || {
		echo "$f: no SPDX line in its first five lines"
		bad=1
	}
	[ "$(wc -l <"$f")" -le 500 ] || {
		echo "$f: over 500 lines"
		bad=1
	}
done
exit $bad
