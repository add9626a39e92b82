#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Write the generated parts of cxlmalloc.conf(5) from options.def and
# on_full.def again, or, in make check, see that they are current:
#	conf-page.sh --write CXLCTL
#	CXLCTL=... conf-page.sh
# The second also runs mandoc's warnings over our pages where mandoc is.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
page=$here/cxlmalloc.conf.5
write=no
if [ "${1-}" = --write ]; then
	write=yes
	CXLCTL=$2
fi
: "${CXLCTL:?the cxlctl to ask}"

new=$(mktemp)
part=$(mktemp)
trap 'rm -f "$new" "$part"' EXIT

# $1 with what stands between the marks of part $2 replaced
replace() {
	"$CXLCTL" options --man="$2" >"$part"
	awk -v begin=".\\\\\" begin $2" -v end=".\\\\\" end $2" -v part="$part" '
		$0 == end { skip = 0; ended++ }
		!skip { print }
		$0 == begin {
			skip = 1
			while ((getline line < part) > 0)
				print line
		}
		END { exit !(ended == 1 && !skip) }
	' "$1" >"$new.next" || {
		echo "$page: no marks for $2"
		exit 1
	}
	mv "$new.next" "$new"
}

replace "$page" options
replace "$new" states
if [ $write = yes ]; then
	cat "$new" >"$page"
	exit 0
fi
if ! diff -u "$page" "$new"; then
	echo "$page is not current: man/conf-page.sh --write CXLCTL"
	exit 1
fi
if command -v mandoc >/dev/null; then
	mandoc -Tlint -W warning "$here"/*.[0-9]
else
	echo "no mandoc: the pages' markup was not checked"
fi
